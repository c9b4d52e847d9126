//! Requests on their way to an application, and responses on their way back.
//!
//! [`check`] comes first and says whom a request is for; [`forward`] sends it. Between the two the caller decides whatever
//! there is to decide.

mod body;
mod error;
mod fields;
mod forward;
mod http2;
mod inbound;
mod link;
mod outbound;
mod over;
mod pool;
mod tunnel;
mod upgrade;
mod upstream;

pub use body::Body;
pub use error::{BodyError, ProxyError};
pub use fields::StripList;
pub(crate) use fields::{has_been_at, is_doubtful};
pub use forward::{ForwardContext, Host, Policy, Side, forward};
pub use inbound::{Refusal, check};
pub(crate) use inbound::{Wanted, check_proxied};
pub(crate) use over::ROUND;
pub use over::{Cut, Over};
pub(crate) use tunnel::carry;
pub use upstream::{Protocol, Upstream, UpstreamError, UpstreamLimits};
