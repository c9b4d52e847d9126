//! What was proven, in a line for people and in JSON for programs.

use super::verbose::pairs;
use crate::output;
use base64ct::{Base64, Encoding as _};
use http::Version;
use serde_json::{Value, json};
use std::path::Path;
use tagai_client::core::realm::AuthRealm;
use tagai_client::{KeyPin, Proof, Reply, Url};

/// What else was proven or shown, beside the proof of a realm.
#[derive(Clone, Copy, Default)]
pub(crate) struct Beside {
    /// TLS has proven that the server has the key that it is known by.
    pub(crate) pinned: bool,
    /// The password was sent.
    pub(crate) password_sent: bool,
    /// A certificate or a key was at hand, and shown if the server asked for it.
    pub(crate) identity: bool,
}

/// One line: who was proven to whom.
pub(crate) fn line(proof: &Proof, url: &Url, beside: Beside, new_login: bool) -> String {
    let colour = output::colour_on_stderr();
    let painted =
        |code: &str, text: &str| if colour { format!("\x1b[1;{code}m{text}\x1b[0m") } else { text.to_owned() };
    match proof {
        Proof::Mutual { user, realm, server, session_reused, .. } => {
            let session = if *session_reused && !new_login { "kept session" } else { "logged in" };
            format!(
                "{}: {server} knows {user} in {:?}; {user} is proven to it ({session})",
                painted("32", "proven"),
                realm.name.as_str()
            )
        }
        _ if beside.password_sent => format!(
            "{}: {url} was sent the password, and has shown in return that it is the host of this name, and no more",
            painted("33", "not proven")
        ),
        // TLS has proven it, and nobody else has that key.
        _ if beside.pinned && beside.identity => format!(
            "{}: {url} has the key that it is known by; yours was shown to it if it asked for one",
            painted("32", "pinned")
        ),
        _ if beside.pinned => {
            format!("{}: {url} has the key that it is known by; it asked for no login", painted("32", "pinned"))
        }
        _ if beside.identity => format!(
            "{}: {url} has shown by its certificate that it is the host of this name, and no more; yours was shown to it if it \
             asked for one",
            painted("33", "by certificates")
        ),
        _ => format!("{}: {url} asked for no login", painted("33", "not proven")),
    }
}

/// The same about the proxy on the way.
pub(crate) fn line_of_proxy(proof: &Proof, url: &Url, new_login: bool) -> String {
    match proof {
        Proof::Mutual { .. } => format!("{} (as a proxy)", line(proof, url, Beside::default(), new_login)),
        _ => format!("{} (the proxy)", line(proof, url, Beside::default(), new_login)),
    }
}

/// The answer, but for its body.
pub(crate) fn object(reply: &Reply, new_login: bool) -> Value {
    let version = match reply.version() {
        Version::HTTP_10 => "1.0",
        Version::HTTP_11 => "1.1",
        Version::HTTP_2 => "2",
        _ => "unknown",
    };
    let redirects = reply.redirects().iter().map(|hop| {
        json!({"url": hop.url.to_string(), "status": hop.status.as_u16(), "proof": proof(&hop.proof, new_login)})
    });
    let mut object = json!({
        "url": reply.url().to_string(),
        "status": reply.status().as_u16(),
        "http_version": version,
        "headers": pairs(reply.headers()),
        "proof": proof(reply.proof(), new_login),
        "proxy": reply.proxy().map(|of_proxy| proof(of_proxy, false)),
        "redirects": redirects.collect::<Vec<_>>(),
    });
    if let Some(key) = reply.server_key() {
        object["server_key"] = KeyPin::of(key).to_string().into();
    }
    object
}

/// The body: as text if it is UTF-8.
pub(crate) fn add_body(object: &mut Value, body: &[u8]) {
    match std::str::from_utf8(body) {
        Ok(text) => object["body"] = text.into(),
        Err(_) => object["body_base64"] = Base64::encode_string(body).into(),
    }
}

/// Where the body went instead.
pub(crate) fn add_file(object: &mut Value, path: &Path) {
    object["body_file"] = path.display().to_string().into();
}

fn proof(proof: &Proof, new_login: bool) -> Value {
    match proof {
        Proof::Mutual { user, realm: AuthRealm { name, auth_scope, algorithm }, server, session_reused, .. } => {
            json!({
                "kind": "mutual",
                "user": user.as_str(),
                "realm": {"name": name.as_str(), "scope": auth_scope.to_string(), "algorithm": algorithm.to_string()},
                "server": server.to_string(),
                "kept_session": *session_reused && !new_login,
            })
        }
        _ => json!({"kind": "none"}),
    }
}
