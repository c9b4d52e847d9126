//! Bodies: what a request sends, and what a reply brings.

mod bound;
mod content;
mod gate;
mod outgoing;

pub(crate) use bound::Bound;
pub use content::Content;
pub(crate) use gate::Gate;
pub(crate) use outgoing::Outgoing;
pub use outgoing::{Body, SMALL_BODY};
