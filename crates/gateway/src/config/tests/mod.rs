//! What is read, what is refused, and how that is said.

mod bad;
mod good;
mod proof;

use super::{Config, ConfigErrors};
use std::path::Path;

/// The smallest configuration that works; every line of it has its number behind it in the tables of `bad`.
const SMALL: &str = r#"[store]
database = "tagai.db"
keys = "keys/store.keys"
[[listen]]
address = "127.0.0.1:8443"
tls = true
[[listen]]
address = "127.0.0.1:8080"
[[certificate]]
chain = "keys/localhost.pem"
key = "keys/localhost.key"
[[realm]]
id = "staff"
name = "Staff"
scope = "localhost"
[[site]]
origins = ["https://localhost:8443", "http://localhost:8080"]
[[site.route]]
path = "/"
access = "protected"
realm = "staff"
upstream = "http://127.0.0.1:9000"
"#;

fn parse(text: &str) -> Result<Config, ConfigErrors> {
    Config::parse(Path::new("etc/tagai.toml"), text)
}
