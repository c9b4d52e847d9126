//! Fetches a page, and says on standard error who was proven to whom. The password is read from standard input.
//!
//! ```sh
//! cargo run -p tagai-client --example fetch -- https://localhost:8443/ alice ca.pem < password
//! ```

use http_body_util::BodyExt as _;
use std::error::Error;
use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Arc;
use tagai_client::{Client, FixedCredential, Proof, Url};

const HELP: &str = "\
Fetches URL, and logs in as USER with the password that stands in the first line of standard input.

Usage: fetch URL USER [CA-FILE]

Exit codes: 2 usage, 3 login refused, 4 the server is not proven, 5 network.
";

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (url, user, ca) = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [url, user] => (url, user, None),
        [url, user, ca] => (url, user, Some(ca)),
        _ => {
            eprint!("{HELP}");
            return ExitCode::from(2);
        }
    };
    match fetch(url, user, ca).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("fetch: {error}");
            let kind = error.downcast_ref::<tagai_client::Error>().map(tagai_client::Error::kind);
            ExitCode::from(kind.map_or(2, tagai_client::ErrorKind::exit_code))
        }
    }
}

async fn fetch(url: &str, user: &str, ca: Option<&str>) -> Result<(), Box<dyn Error>> {
    let origin = Url::parse(url)?.origin().clone();
    let mut password = String::new();
    std::io::stdin().read_line(&mut password)?;
    let login = FixedCredential::new(origin, user, password.trim_end_matches(['\r', '\n']))?;
    let builder = Client::builder().prompt(Arc::new(login));
    let builder = match ca {
        Some(file) => builder.add_root_pem(&std::fs::read(file)?)?,
        None if url.starts_with("https") => builder.native_roots()?,
        None => builder,
    };
    let mut reply = builder.build()?.get(url).await?;
    for hop in reply.redirects() {
        eprintln!(
            "{} redirected ({}, {})",
            hop.url,
            hop.status,
            if hop.proof.is_mutual() { "proven" } else { "not proven" }
        );
    }
    match reply.proof() {
        Proof::Mutual { user, realm, server, .. } => {
            eprintln!("{server} is proven to know {user}, and {user} to it, in {realm}")
        }
        _ => eprintln!("{} asked for no login, and nothing is proven", reply.url().origin()),
    }
    while let Some(frame) = reply.content().frame().await {
        if let Ok(data) = frame?.into_data() {
            std::io::stdout().write_all(&data)?;
        }
    }
    Ok(())
}
