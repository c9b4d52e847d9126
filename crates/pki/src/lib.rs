//! Certificates and bare keys of clients: what they prove, for whom, and for how long.
//!
//! - [`client_ca`] verifies certificates against the authorities that an operator trusts, and maps each to one [`names`];
//! - [`crl`] holds the authorities' lists of revoked certificates, the newest of each;
//! - [`raw_key`] is for keys without certificates (RFC 7250), which are known by their pins;
//! - [`handshake`] asks for either in TLS, and makes sure that the peer holds the key;
//! - [`ca`] is an authority for small installations, in a folder of its own;
//! - [`inspect`] says what a file with a key or a certificate holds.
//!
//! Nothing here reads the clock or sockets, and nothing but [`ca`] reads files: octets and the time are arguments.

pub mod ca;
pub mod client_ca;
pub mod crl;
pub mod handshake;
pub mod inspect;
pub mod names;
pub mod pem;
pub mod raw_key;
mod text;
