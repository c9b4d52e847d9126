//! tagai-gateway: a reverse proxy that lets through whoever is proven, and proves itself.
//!
//! From the outside to the inside:
//!
//! - [`config`] reads `tagai.toml`; [`Gateway`] runs what it says, and reloads it;
//! - [`tls`], [`listener`] and [`proxy`] are the data plane: they know nothing of authentication and nothing of
//!   configuration files. A connection comes in through a listener, with the channel that it was made on; a request of it
//!   goes out through the proxy;
//! - [`service`] is what lies between: [`route`] says which rules a request goes by, [`proof`] who sent it and whether that is
//!   enough, [`identity`] what the application is told;
//! - [`forward_proxy`] is another way through it, for clients that want to get out (RFC 8120 §14);
//! - [`observe`], [`audit`] and [`metrics`] tell operators what happens.

mod address;
mod answers;
pub mod audit;
pub mod config;
pub mod crls;
pub mod forward_proxy;
pub mod identity;
pub mod listener;
pub mod metrics;
pub mod observe;
pub mod proof;
pub mod proxy;
pub mod route;
mod run;
pub mod service;
pub mod tls;

pub use address::Trusted;
pub use run::preview;
pub use run::{Address, Gateway, ReloadError, Sessions, StartError, Warning, preflight};
