//! What was issued, and what became of it.

use super::{CaError, Name, Permitted, Reason, Serial, files, moment, seconds};
use crate::raw_key::Pin;
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::time::SystemTime;

/// The most octets of an index: some 150 000 certificates.
const MAX_INDEX: u64 = 64 << 20;
/// The version of the index's form.
const VERSION: u32 = 1;

/// What a certificate is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// The root: it is what others trust.
    Root,
    /// An intermediate: the root signs it, and it signs the others.
    Intermediate,
    /// A TLS server (extended key usage serverAuth).
    Server,
    /// A TLS client (extended key usage clientAuth).
    Client,
}

impl Purpose {
    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Intermediate => "intermediate",
            Self::Server => "server",
            Self::Client => "client",
        }
    }

    /// Whether it signs others.
    #[must_use]
    pub const fn is_authority(self) -> bool {
        matches!(self, Self::Root | Self::Intermediate)
    }
}

/// A certificate was revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Revocation {
    /// When, in seconds since 1970.
    pub time: u64,
    /// Why.
    pub reason: Reason,
}

/// A certificate that was issued.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// Its number.
    pub serial: Serial,
    /// What it is for.
    pub purpose: Purpose,
    /// What it is called by: the value of its first name, or `root`, `intermediate-1`.
    pub name: String,
    /// The names in it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<Name>,
    /// The common name of its subject, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub common_name: Option<String>,
    /// Which intermediate has signed it, counted from 1; 0 is the root.
    pub issuer: u32,
    /// What its key is known by.
    #[serde(with = "pin")]
    pub key: Pin,
    /// From when on it is valid, in seconds since 1970.
    pub not_before: u64,
    /// The last second in which it is valid.
    pub not_after: u64,
    /// Since when it is revoked, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked: Option<Revocation>,
}

/// What a certificate is good for at some time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It can be used.
    Valid,
    /// It is over.
    Expired,
    /// It was revoked; it may have expired as well since.
    Revoked,
}

impl State {
    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
        }
    }
}

impl Record {
    /// Its state.
    #[must_use]
    pub fn state(&self, now: SystemTime) -> State {
        if self.revoked.is_some() {
            State::Revoked
        } else if self.not_after < seconds(now) {
            State::Expired
        } else {
            State::Valid
        }
    }

    /// Since when it is valid.
    #[must_use]
    pub fn since(&self) -> SystemTime {
        moment(self.not_before)
    }

    /// Until when it is valid.
    #[must_use]
    pub fn until(&self) -> SystemTime {
        moment(self.not_after)
    }

    /// Whether it is called so.
    pub(super) fn is_called(&self, what: &str) -> bool {
        self.name.eq_ignore_ascii_case(what)
            || self.names.iter().any(|name| name.to_string().eq_ignore_ascii_case(what) || name.value() == what)
    }
}

/// The index of an authority.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Index {
    version: u32,
    /// The authority's name.
    pub(super) name: String,
    /// Where its CRLs are published: a URL that ends with a slash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) crl_url: Option<String>,
    /// What it may sign.
    #[serde(default, skip_serializing_if = "Permitted::is_everything")]
    pub(super) permitted: Permitted,
    /// The number of the newest CRLs.
    pub(super) crl_number: u64,
    /// In the order in which they were issued.
    pub(super) certificates: Vec<Record>,
}

impl Index {
    pub(super) const fn new(name: String, crl_url: Option<String>, permitted: Permitted) -> Self {
        Self { version: VERSION, name, crl_url, permitted, crl_number: 0, certificates: Vec::new() }
    }

    pub(super) fn read(path: &Path) -> Result<Self, CaError> {
        let octets = files::read(path, MAX_INDEX)?;
        let index: Self =
            serde_json::from_slice(&octets).map_err(|error| CaError::broken(path, error.to_string()))?;
        if index.version != VERSION {
            return Err(CaError::broken(
                path,
                format!("its version is {}, and {VERSION} is expected", index.version),
            ));
        }
        Ok(index)
    }

    pub(super) fn write(&self, path: &Path) -> Result<(), CaError> {
        let mut text = serde_json::to_vec_pretty(self)
            .map_err(|error| CaError::Failed { what: "writing the index", reason: error.to_string() })?;
        text.push(b'\n');
        if text.len() as u64 > MAX_INDEX {
            // It could not be read again.
            return Err(CaError::TooLong { path: path.to_owned(), limit: MAX_INDEX });
        }
        files::replace(path, &text, files::Mode::Private)
    }

    /// The intermediate of this number; 0 is the root.
    pub(super) fn authority(&self, number: u32) -> Option<&Record> {
        let called = authority_name(number);
        self.certificates.iter().find(|record| record.purpose.is_authority() && record.name == called)
    }

    /// The number of the newest intermediate.
    pub(super) fn newest(&self) -> u32 {
        let intermediates = self.certificates.iter().filter(|record| record.purpose == Purpose::Intermediate);
        u32::try_from(intermediates.count()).unwrap_or(u32::MAX)
    }
}

/// How the root (0) and the intermediates (1 and on) are called, and their files.
pub(super) fn authority_name(number: u32) -> String {
    if number == 0 { "root".to_owned() } else { format!("intermediate-{number}") }
}

/// A pin as its text.
mod pin {
    use super::Pin;
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub(super) fn serialize<S: Serializer>(pin: &Pin, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(pin)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Pin, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}
