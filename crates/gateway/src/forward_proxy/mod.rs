//! A forward proxy for proven users: HTTP Mutual authentication by 407 (RFC 8120 §14).
//!
//! ```text
//! check (400) ─► who is it (407, 429) ─► the list, the policy (403) ─► addresses (403, 502) ─► connect (502, 503, 504) ─► proof
//! ```
//!
//! Strangers learn nothing but that this is a proxy. A user is taken to the servers of a list ([`Target`]): through a tunnel
//! (CONNECT), or by a request in absolute form for `http`. The name of a server is looked up here, once; its addresses are checked,
//! and the connection is made to one that was ([`Resolve`]). What a proven user is answered has the proxy's proof, refusals too.
//!
//! Connections to servers are not shared: each serves one request, or one tunnel, of one user.

mod address;
mod order;
mod refuse;
mod resolve;
mod service;
mod settings;
mod target;
mod tunnel;

pub use resolve::{Addresses, Resolve, SystemResolver};
pub use service::{ForwardProxy, ForwardRules};
pub use settings::{Authorize, Denied, ForwardLimits, ForwardProxyConfig, ProxyRequest};
pub(crate) use target::may_match;
pub use target::{Target, TargetError};
