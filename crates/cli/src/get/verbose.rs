//! What `-v` shows on standard error: what is sent and answered, without secrets.

use super::order::Order;
use crate::output;
use http::header::{AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION, SET_COOKIE};
use http::{HeaderMap, HeaderName};
use tagai_client::core::grammar::{Params, parse_challenges, parse_info};
use tagai_client::core::message::SCHEME;
use tagai_client::core::realm::Origin;
use tagai_client::core::validation::{Channel, HostValidation};
use tagai_client::{Ask, KeyPin, Reply};

/// Says what happens, or nothing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Verbose(pub(crate) bool);

/// Values of which a few octets are enough to tell them apart.
const SHORTENED: [&str; 5] = ["kc1", "ks1", "vkc", "vks", "sid"];
const CUT: &str = "(not shown)";

impl Verbose {
    /// A remark.
    pub(crate) fn say(self, text: impl FnOnce() -> String) {
        if self.0 {
            output::note(&format!("* {}", harmless(&text())));
        }
    }

    /// The request, as the caller wants it.
    pub(crate) fn order(self, order: &Order) {
        if !self.0 {
            return;
        }
        output::note(&format!("> {} {}", order.method, order.url));
        for (name, value) in &order.headers {
            let secret = [AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION]
                .iter()
                .any(|secret| name.eq_ignore_ascii_case(secret.as_str()));
            output::note(&format!("> {}: {}", harmless(name), if secret { CUT.into() } else { harmless(value) }));
        }
        output::note(">");
    }

    /// A server asks for a login.
    pub(crate) fn asked(self, ask: &Ask) {
        self.say(|| {
            let optional = if ask.optional { "offers" } else { "asks for" };
            format!("{} {optional} a login to {} ({})", ask.origin, ask.realm, ask.reason)
        });
    }

    /// The answer, with the way to it.
    pub(crate) fn reply(self, reply: &Reply) {
        if !self.0 {
            return;
        }
        for hop in reply.redirects() {
            let proven = if hop.proof.is_mutual() { "proven" } else { "not proven" };
            self.say(|| format!("{} redirected ({}, {proven})", hop.url, hop.status.as_u16()));
        }
        if let Some(text) = reply.server_certificate().and_then(|der| certificate(reply.url().origin(), der)) {
            self.say(|| text);
        }
        if let Some(key) = reply.server_key() {
            self.say(|| format!("TLS: {} has the key {} (RFC 7250)", reply.url().origin(), KeyPin::of(key)));
        }
        output::note(&format!("< {:?} {}", reply.version(), reply.status()));
        for (name, value) in reply.headers() {
            output::note(&format!("< {name}: {}", shown(name, value.as_bytes())));
        }
        output::note("<");
    }
}

/// What a login is bound to over TLS: the hash of the server's certificate (RFC 5929 §4.1).
fn certificate(origin: &Origin, der: &[u8]) -> Option<String> {
    let channel = Channel::tls(der, None).ok()?;
    let bound = HostValidation::new(origin, &channel).ok()?;
    let hash: String = bound.as_bytes().iter().map(|octet| format!("{octet:02x}")).collect();
    Some(format!("TLS: the certificate of {origin} has the fingerprint {hash} (SHA-{})", bound.as_bytes().len() * 8))
}

/// A header field's value for the eyes of the user.
fn shown(name: &HeaderName, value: &[u8]) -> String {
    let params = match name.as_str() {
        "authentication-info" | "proxy-authentication-info" => {
            parse_info([value], SCHEME).ok().map(|params| listed(&params))
        }
        "www-authenticate" | "proxy-authenticate" | "optional-www-authenticate" => {
            parse_challenges([value]).ok().map(|challenges| {
                let each = challenges.iter().map(|challenge| match challenge.token68() {
                    Some(_) => format!("{} {CUT}", challenge.scheme()),
                    None => format!("{} {}", challenge.scheme(), listed(challenge.params())),
                });
                each.collect::<Vec<_>>().join(", ")
            })
        }
        _ if *name == SET_COOKIE => {
            let text = String::from_utf8_lossy(value);
            Some(format!("{}={CUT}", text.split(['=', ';']).next().unwrap_or_default()))
        }
        _ => None,
    };
    harmless(&params.unwrap_or_else(|| String::from_utf8_lossy(value).into_owned()))
}

fn listed(params: &Params) -> String {
    let each = params.iter().map(|param| {
        let text = param.text().unwrap_or_default();
        match text.char_indices().nth(8) {
            Some((end, _)) if SHORTENED.contains(&param.name()) => format!("{}={}…", param.name(), &text[..end]),
            _ => format!("{}={text}", param.name()),
        }
    });
    each.collect::<Vec<_>>().join(", ")
}

/// Without what a terminal would obey.
pub(crate) fn harmless(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\t' { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

/// The fields of an answer as they came.
pub(crate) fn pairs(headers: &HeaderMap) -> Vec<(String, String)> {
    let pairs = headers.iter();
    pairs.map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proofs_are_shortened_and_cookies_are_cut() {
        let info = HeaderName::from_static("authentication-info");
        let value = b"version=1, sid=0123456789abcdef, vks=fedcba9876543210fedcba9876543210";
        assert_eq!(shown(&info, value), "version=1, sid=01234567…, vks=fedcba98…");
        let challenge = HeaderName::from_static("www-authenticate");
        let value = b"Mutual version=1, realm=\"Staff\", ks1=0123456789, reason=initial";
        assert_eq!(shown(&challenge, value), "Mutual version=1, realm=Staff, ks1=01234567…, reason=initial");
        assert_eq!(shown(&SET_COOKIE, b"id=secret; Secure"), "id=(not shown)");
        assert_eq!(shown(&HeaderName::from_static("x"), "a\u{9b}2J".as_bytes()), "a\u{fffd}2J");
    }
}
