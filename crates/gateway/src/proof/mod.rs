//! Who sent a request, whatever it was proven with, and whether that is enough.
//!
//! ```text
//! credentials, certificate, bare key ─► Identified ─► deny list ─► principal ─► policy ─► Admitted
//! ```
//!
//! What a handshake has shown is only the client's own; each [`Gate`] judges it by its own authorities, anew when revocation
//! lists, time or the configuration have changed. So whoever is revoked is out on connections that are open as well, and on those
//! that resume an earlier TLS session.

mod admission;
mod authority;
mod endings;
mod gate;
mod principals;
mod refusal;

pub use admission::{Admitted, Asked, permit, question};
pub(crate) use authority::Judgements;
pub use authority::{Authority, Client};
pub use endings::{Endings, Moment};
pub use gate::{Gate, Identified, Kind, Shown, has_scheme, is_for};
pub use principals::{Principals, Profile};
pub(crate) use refusal::REFUSAL;
pub use refusal::Refusal;
