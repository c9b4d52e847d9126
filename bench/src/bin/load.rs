//! A load generator that speaks HTTP Mutual authentication, which no other one does: each request has a proof of its own, and each
//! answer's is checked. Also without authentication and with Basic, so that servers are compared by one client.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use tagai_bench::load::{Authentication, Plan, Report, run};

const HELP: &str = "\
Usage: load URL [OPTIONS]

  --connections N      connections, one request at a time on each [default: 16]
  --seconds N          for so long, after a second that does not count [default: 10]
  --cacert FILE        trust this certificate, in PEM
  --user NAME          log in by HTTP Mutual authentication; the password is the first line of standard input
  --basic              ... by Basic instead
  --logins             each request is a new login: a key exchange and a proof
  --json               the result as JSON

Only addresses of this machine are loaded.
";

fn main() -> ExitCode {
    match plan().and_then(|(plan, json)| Ok((run(&plan)?, json))) {
        Ok((report, json)) => {
            print(&report, json);
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("load: {error}");
            ExitCode::FAILURE
        }
    }
}

fn print(report: &Report, json: bool) {
    let Report { requests, seconds, p50, p99, max } = report;
    let rate = *requests as f64 / seconds;
    if json {
        println!(
            "{{\"requests\":{requests},\"per_second\":{rate:.0},\"p50_us\":{},\"p99_us\":{},\"max_us\":{}}}",
            p50.as_micros(),
            p99.as_micros(),
            max.as_micros()
        );
    } else {
        println!("{rate:.0} a second, p50 {p50:?}, p99 {p99:?}, max {max:?} ({requests} in {seconds:.1} s)");
    }
}

fn plan() -> Result<(Plan, bool), Box<dyn std::error::Error>> {
    let (mut url, mut user, mut basic, mut json) = (None, None, false, false);
    let mut cacert: Option<PathBuf> = None;
    let (mut connections, mut seconds, mut logins) = (16, 10, false);
    let mut arguments = lexopt::Parser::from_env();
    while let Some(argument) = arguments.next()? {
        use lexopt::prelude::*;
        match argument {
            Value(value) if url.is_none() => url = Some(value.string()?),
            Long("connections") => connections = arguments.value()?.parse()?,
            Long("seconds") => seconds = arguments.value()?.parse()?,
            Long("cacert") => cacert = Some(arguments.value()?.into()),
            Long("user") => user = Some(arguments.value()?.string()?),
            Long("basic") => basic = true,
            Long("logins") => logins = true,
            Long("json") => json = true,
            Long("help") => {
                print!("{HELP}");
                std::process::exit(0);
            }
            other => return Err(other.unexpected().into()),
        }
    }
    let authentication = match user {
        None => Authentication::None,
        Some(user) => {
            let mut password = String::new();
            std::io::stdin().read_line(&mut password)?;
            let password = password.trim_end_matches(['\r', '\n']).to_owned();
            if basic { Authentication::Basic { user, password } } else { Authentication::Mutual { user, password } }
        }
    };
    let url = url.ok_or("no URL; --help tells more")?;
    let duration = Duration::from_secs(seconds);
    Ok((Plan { url, connections, duration, cacert, authentication, logins }, json))
}
