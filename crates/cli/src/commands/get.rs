//! `tagai get`.

use crate::failure::Failure;
use crate::get::{self, KeyArgs};
use std::path::PathBuf;

const AFTER: &str = "\
Examples:
  tagai get https://localhost:8443/ --user alice --cacert ca.pem
  tagai get https://www.example.com/report -u alice -o report.pdf
  tagai get https://www.example.com/api -u alice -d @order.json -H 'Content-Type: text/json'
  printf '%s\\n' \"$PASSWORD\" | tagai get https://www.example.com/ -u alice --password-stdin
  tagai get http://localhost:8080/ -u alice --require-proof -v
  tagai get https://api.example.com/ --cert device.pem --key device.key
  tagai get https://10.0.0.7:8443/ --raw-key device.key --pin sha256:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=
  tagai get https://www.example.com/ --proxy http://proxy.example.com:3128 --proxy-user bob

The password is asked for on the terminal, up to three times, and never leaves this machine. On standard error stands who was \
proven to whom.

A session is kept in a private file, so that the next call needs no password and one round trip; `tagai logout` ends it. While it \
lives, its server has to prove itself in every answer, or there is none (exit code 4). A session of another user than --user is \
not used. Without --user, a kept session is, if all that are kept for the server are of one user.

A certificate (--cert) or a bare key (--raw-key) is shown to the server of the URL if it asks for one, and to no server that it \
redirects to. With --pin, that server is known by its bare key, and by nothing else. Either can go with --user.

With --password-tls, the password itself is sent, by the scheme Basic over https. That is weaker: the server reads the password and can \
pass itself off as the user elsewhere, and it proves nothing but its certificate. It is for servers that take nothing better, is never \
done unless it is asked for, and keeps no session.

A body of more than 64 KiB, or of unknown length, is sent once. So with a user or a kept session, a HEAD request for the same URL \
goes before it: it logs in, and the body follows to a proven server. With --require-proof, that holds for every body. Redirects are \
followed for GET and HEAD, and for 303.

With --proxy, https goes through a tunnel and http in absolute form. A proxy that asks for a login (407) has to prove itself as a server \
has to, and its sessions are kept too, in a file of their own beside the others. The variables http_proxy, https_proxy and no_proxy \
are not read.

Exit codes:
  0   fetched: both ends were proven, or the resource needed no login
  1   something on this machine failed
  2   the command line is wrong
  3   a login is needed, or was refused
  4   the server did not prove that it knows the user; nothing of its answer is printed
  5   the network or TLS failed
  22  the answer is an HTTP error; its body is printed all the same";

/// `tagai get`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct Args {
    /// What to fetch
    #[arg(value_name = "URL")]
    pub(crate) url: String,
    /// The user to log in as, if that is asked for
    #[arg(short, long, value_name = "NAME")]
    pub(crate) user: Option<String>,
    /// Read the password from standard input: one line, tried once
    #[arg(long, requires = "user")]
    pub(crate) password_stdin: bool,
    /// Send the password itself, over https, in place of the proof that keeps it on this machine: weaker, see below
    #[arg(long, requires = "user", conflicts_with_all = ["require_proof", "session_file"])]
    pub(crate) password_tls: bool,
    /// The method [default: GET, or POST with -d]
    #[arg(short = 'X', long = "request", value_name = "METHOD")]
    pub(crate) method: Option<String>,
    /// A header field of the request, "Name: value"; can be given several times
    #[arg(short = 'H', long = "header", value_name = "HEADER")]
    pub(crate) headers: Vec<String>,
    /// The body of the request, or @FILE for what is in a file, or @- for standard input; nothing in it is changed
    #[arg(short, long, value_name = "DATA|@FILE", allow_hyphen_values = true)]
    pub(crate) data: Option<String>,
    /// Write the answer to a file, which appears when all of it is there
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Trust the certificates in this PEM file, instead of those of the system
    #[arg(long, value_name = "FILE")]
    pub(crate) cacert: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) keys: KeyArgs,
    /// Go through this proxy, http://HOST:PORT or https://HOST:PORT, with the user before an @ if need be; none is taken from the
    /// environment
    #[arg(long, value_name = "URL")]
    pub(crate) proxy: Option<String>,
    /// The user to log in to the proxy as, if that is asked for
    #[arg(long, value_name = "NAME", requires = "proxy")]
    pub(crate) proxy_user: Option<String>,
    /// Read the password for the proxy from this file: one line, tried once
    #[arg(long, value_name = "FILE", requires = "proxy")]
    pub(crate) proxy_password_file: Option<PathBuf>,
    /// Show on standard error what is sent and answered, without secrets
    #[arg(short, long)]
    pub(crate) verbose: bool,
    /// Say nothing on standard error unless it fails
    #[arg(short, long, conflicts_with = "verbose")]
    pub(crate) silent: bool,
    /// Print status, fields, body and what was proven as JSON; with -o, the body goes to the file alone
    #[arg(long, conflicts_with = "include")]
    pub(crate) json: bool,
    /// Keep sessions in this file [default: in the user's state directory]
    #[arg(long, value_name = "FILE", conflicts_with = "no_session")]
    pub(crate) session_file: Option<PathBuf>,
    /// Neither use nor keep a session
    #[arg(long)]
    pub(crate) no_session: bool,
    /// Fail with exit code 4 if the server did not have to prove itself, as for a public page
    #[arg(long)]
    pub(crate) require_proof: bool,
    /// Print status and header fields before the body
    #[arg(short, long)]
    pub(crate) include: bool,
    /// Give up after so many seconds
    #[arg(short = 'm', long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) max_time: Option<u32>,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    get::run(args)
}
