//! `tagai init`.

use crate::failure::Failure;
use crate::output;
use crate::setup::{self, Made, Plan, only_route};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

const AFTER: &str = "\
Examples:
  tagai init
  tagai init /etc/tagai --host www.example.com --https-port 443 --http-port 80
  tagai init ./gateway --upstream http://127.0.0.1:3000

It writes tagai.toml with comments, a certificate for the host that is good for trying things out, keys that seal what is \
secret in the database, and an empty database. Nothing is overwritten; if something fails, what was made goes away again.";

/// `tagai init`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct Args {
    /// Where to write; the directory is made if it is not there
    #[arg(value_name = "DIR", default_value = ".")]
    dir: PathBuf,
    /// The host that users will ask for
    #[arg(long, value_name = "NAME", default_value = "localhost")]
    host: String,
    /// The port to listen on for https
    #[arg(long, value_name = "PORT", default_value_t = 8443)]
    https_port: u16,
    /// The port to listen on for http
    #[arg(long, value_name = "PORT", default_value_t = 8080)]
    http_port: u16,
    /// The application that stands behind
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:9000")]
    upstream: String,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let Args { dir, host, https_port, http_port, upstream } = args;
    let (https_port, http_port) = (*https_port, *http_port);
    let plan = Plan {
        dir: dir.clone(),
        host: host.to_lowercase(),
        https_port,
        http_port,
        routes: only_route(upstream),
        invitations: false,
    };
    let made = setup::set_up(&plan)?;
    output::print(&report(&made, upstream))
}

/// What was made, and what to do next.
fn report(made: &Made, upstream: &str) -> String {
    let shown = |path: &Path| path.strip_prefix(".").unwrap_or(path).display().to_string();
    let mut text = String::from("Made:\n");
    let width = made.files.iter().map(|(path, _)| shown(path).chars().count()).max().unwrap_or_default();
    for (path, what) in &made.files {
        // Writing to a String does not fail.
        let _ = writeln!(text, "  {:width$}  {what}", shown(path));
    }
    let config = shown(&made.config);
    let option = if config == "tagai.toml" { String::new() } else { format!(" --config {config}") };
    let [https, _] = &made.origins;
    let steps = [
        (format!("tagai user add alice{option}"), "adds a user; the password is asked for".to_owned()),
        (format!("tagai serve{option}"), format!("runs the gateway, in front of {upstream}")),
        (format!("tagai get {https}/ --user alice --cacert {}", shown(&made.ca)), "asks it for a page".to_owned()),
    ];
    text.push_str("\nNext:\n");
    let width = steps.iter().map(|(command, _)| command.chars().count()).max().unwrap_or_default();
    for (command, what) in &steps {
        let _ = writeln!(text, "  {command:width$}  {what}");
    }
    text
}
