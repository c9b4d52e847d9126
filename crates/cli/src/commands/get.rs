//! `tagai get`.

use crate::failure::Failure;
use std::path::PathBuf;

const AFTER: &str = "\
Examples:
  tagai get https://localhost:8443/ --user alice --cacert ca.pem
  tagai get https://www.example.com/report -u alice -o report.pdf
  printf '%s\\n' \"$PASSWORD\" | tagai get https://www.example.com/api -u alice --password-stdin -d @order.json \\
      -H 'Content-Type: application/json'
  tagai get http://localhost:8080/ -u alice --require-proof -v

On standard error stands who was proven to whom. A session is kept in a private file, so that the next call needs no password \
and one round trip; `tagai logout` ends it.

Exit codes:
  0   fetched: both ends were proven, or the resource needed no login
  1   something on this machine failed
  2   the command line is wrong
  3   a login is needed, or was refused
  4   the server did not prove that it knows the user; nothing of its answer is printed
  5   the network or TLS failed
  22  the answer is an HTTP error";

/// `tagai get`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
#[allow(dead_code, reason = "read by the client")]
pub(crate) struct Args {
    /// What to fetch
    #[arg(value_name = "URL")]
    pub(crate) url: String,
    /// The user to log in as, if that is asked for
    #[arg(short, long, value_name = "NAME")]
    pub(crate) user: Option<String>,
    /// Read the password from standard input: one line
    #[arg(long, requires = "user")]
    pub(crate) password_stdin: bool,
    /// The method [default: GET, or POST with -d]
    #[arg(short = 'X', long = "request", value_name = "METHOD")]
    pub(crate) method: Option<String>,
    /// A header field of the request, "Name: value"; can be given several times
    #[arg(short = 'H', long = "header", value_name = "HEADER")]
    pub(crate) headers: Vec<String>,
    /// The body of the request, or @FILE for what is in a file
    #[arg(short, long, value_name = "DATA|@FILE")]
    pub(crate) data: Option<String>,
    /// Write the answer to a file
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Trust the certificates in this PEM file, instead of those of the system
    #[arg(long, value_name = "FILE")]
    pub(crate) cacert: Option<PathBuf>,
    /// Show the messages of the login on standard error
    #[arg(short, long)]
    pub(crate) verbose: bool,
    /// Print status, fields, body and what was proven as JSON
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
}

pub(crate) fn run(_args: &Args) -> Result<(), Failure> {
    Err(Failure::other("the client is not a part of this build"))
}
