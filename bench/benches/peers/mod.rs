//! The peers of a KAM3 login: what other protocols cost a server for one login.
//!
//! Each module gives a struct that is set up once, outside any measurement, and whose one method does the server's
//! work of one valid login. The criterion benchmark and the smoke test use the same code.

pub(crate) mod opaque;
pub(crate) mod srp_peer;
pub(crate) mod tls;

/// How many different logins are prepared for a peer and then taken in turn, so that no measurement runs over a
/// single set of secrets.
pub(crate) const PREPARED: u64 = 16;

/// The user of every peer.
pub(crate) const USER: &[u8] = b"user@example.org";

/// The user's password.
pub(crate) const PASSWORD: &[u8] = b"correct horse battery staple";
