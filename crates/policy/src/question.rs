//! What is asked: one request, and who sends it.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// Whether a request may pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Question<'a> {
    /// The route, or the forward proxy, by its [`RouteRules::id`](crate::RouteRules::id).
    pub route: &'a str,
    /// What kind of a thing that is.
    pub action: Action,
    /// Who sends it; `None` for a guest.
    pub principal: Option<Subject<'a>>,
    /// The host that the request is for, without a port; letter case and one dot at the end do not matter.
    pub host: &'a str,
    /// Its port.
    pub port: u16,
    /// The path as sent; a query does not belong to it. Empty for CONNECT.
    pub path: &'a str,
    /// The HTTP method as sent.
    pub method: &'a str,
    /// Whether the client's connection is TLS.
    pub tls: bool,
    /// Where the client is.
    pub source: IpAddr,
    /// Now, in seconds since 1970-01-01T00:00:00Z.
    pub time: u64,
}

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// A request to a route of the gateway.
    Request,
    /// A connection or a request through a forward proxy.
    Connect,
}

/// A principal, and how it was proven for this request. There is none without a proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subject<'a> {
    /// `alice` if registered, else `staff/alice`, `partners/dns:device1.example.com`.
    pub name: &'a str,
    /// What it is.
    pub kind: Kind,
    /// Whether it is in the directory. Such names have no `/`, and all others have one.
    pub registered: bool,
    /// The groups that it belongs to.
    pub groups: &'a [String],
    /// Its attributes, by name; of two with the same name, the last counts.
    pub attributes: &'a [(String, String)],
    /// How it was proven.
    pub proof: Proof<'a>,
}

/// What a principal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A human being.
    Person,
    /// A machine.
    Device,
    /// A program.
    Service,
    /// Nobody has said, since it is not registered.
    Unknown,
}

/// How a principal was proven.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proof<'a> {
    /// By which method.
    pub method: ProofMethod,
    /// The id of the realm or the client-ca; empty for a bare key.
    pub authority: &'a str,
    /// What was proven, as text: `user:staff/alice`.
    pub credential: &'a str,
    /// The certificate, if it was proven by one.
    pub certificate: Option<Certificate<'a>>,
}

/// A method of proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProofMethod {
    /// HTTP Mutual authentication (RFC 8120).
    Mutual,
    /// A client certificate (RFC 5280).
    X509,
    /// A bare public key (RFC 7250).
    RawKey,
    /// A password inside of TLS (RFC 7617).
    PasswordTls,
}

/// A verified client certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Certificate<'a> {
    /// The id of the client-ca that vouches for it.
    pub ca: &'a str,
    /// The issuer's distinguished name (RFC 4514).
    pub issuer: &'a str,
    /// The subject's distinguished name (RFC 4514).
    pub subject: &'a str,
    /// The serial number in hexadecimal; letter case does not matter.
    pub serial: &'a str,
    /// All names in it, with their kinds: `dns:device1.example.com`.
    pub names: &'a [String],
    /// When it expires, in seconds since 1970.
    pub not_after: u64,
    /// `sha256:` and the SHA-256 of its SubjectPublicKeyInfo in base64.
    pub key: &'a str,
}

/// Text forms, both ways.
macro_rules! words {
    ($name:ident: $($word:literal => $variant:ident),+) => {
        impl $name {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// Its name in policies.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = ();

            fn from_str(text: &str) -> Result<Self, ()> {
                Self::ALL.iter().copied().find(|known| known.as_str() == text).ok_or(())
            }
        }
    };
}

words!(Action: "Request" => Request, "Connect" => Connect);
words!(Kind: "person" => Person, "device" => Device, "service" => Service, "unknown" => Unknown);
words!(ProofMethod: "mutual" => Mutual, "x509" => X509, "raw-key" => RawKey, "password-tls" => PasswordTls);
