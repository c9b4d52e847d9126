//! An HTTP client that logs in by HTTP Mutual authentication (RFC 8120), and proves the server to its user.
//!
//! The password never leaves this machine. Whoever answers in a server's place without knowing the user's verifier is caught, and
//! what it answered is never handed out: **content of a server that had to be proven and was not does not reach the caller**.
//!
//! ```no_run
//! use std::sync::Arc;
//! use tagai_client::core::realm::Origin;
//! use tagai_client::{Client, Error, FixedCredential, Proof};
//!
//! # async fn f() -> Result<(), Box<dyn std::error::Error>> {
//! let login = FixedCredential::new(Origin::parse("https://app.example")?, "alice", "correct horse")?;
//! let client = Client::builder().native_roots()?.prompt(Arc::new(login)).build()?;
//! match client.get("https://app.example/accounts").await {
//!     Ok(reply) => {
//!         if let Proof::Mutual { user, realm, .. } = reply.proof() {
//!             eprintln!("{} is proven to know {user} in {realm}", reply.url().origin());
//!         }
//!         let page = reply.bytes(1 << 20).await?;
//!     }
//!     Err(Error::Login(login)) => eprintln!("{login}"),
//!     Err(Error::NotProven(attack)) => eprintln!("{attack}"), // there is no way to what it answered
//!     Err(error) => return Err(error.into()),
//! }
//! # Ok(()) }
//! ```
//!
//! `cargo run -p tagai-client --example fetch -- URL USER` is a small program around it.
//!
//! # When an answer has to be proven
//!
//! | | the user is not logged in there | the user is logged in there |
//! |---|---|---|
//! | by default | an answer without login is accepted, as [`Proof::None`] | an answer without proof is [`Error::NotProven`] |
//! | [`Request::require_proof`] | an answer without proof is [`Error::NotProven`] | the same |
//! | [`Request::allow_unproven`] | accepted, as [`Proof::None`] | accepted if the *first* request of a sequence is answered so (RFC 8120 §10.1) |
//!
//! "There" is what the server said about its realm: its path list, or all of the server if it gave none. Once a login has begun
//! within a request, only a proof ends it well, whatever is allowed.
//!
//! # Who gets to see the body of a request
//!
//! A request that is sent before the server is proven may be read by anybody (RFC 8120 §4.5, §17.5). A body is *small* if it comes
//! from memory and has at most [`SMALL_BODY`] octets; others are held back by `Expect: 100-continue`, over HTTP/1.1.
//!
//! | the request | a small body | a large one, or a stream |
//! |---|---|---|
//! | without credentials: the server is nobody yet | goes along, as any HTTP client sends it | waits for 100 (Continue), at most [`Timeouts::expect_continue`] |
//! | of a key exchange | waits, and is never sent; goes along if this server has had it before in the same request | waits, and is never sent |
//! | with a proof, to a peer that has proven itself: over the same connection, or by the certificate that the session was proven with | goes along: one round trip | waits for 100 (Continue), at most that time, since the session may be over |
//! | with a proof, to a peer that has not yet | waits for 100 (Continue), with or without the server's proof in it, however long that takes; goes along over HTTP/2, or if this server has had it before | waits the same way |
//!
//! So whoever takes a server's place and just answers gets no body where a login is expected. One that plays along until
//! 100 (Continue) gets it, and is caught by its answer. Where that is too late, [`Request::require_proof`] sends no body to anybody
//! but a proven peer: the server has to put its proof into 100 (Continue), as RFC 8120 §4.5 wants, or to have been proven before.
//! Many servers cannot do the former, so log in by a GET first and let the body follow. [`Body::eager`] is the opposite: the body
//! goes along every time.
//!
//! A stream can be sent once. If its server asks for a login after it was sent, that is [`Error::BodyGone`].
//!
//! # Through a proxy
//!
//! [`ClientBuilder::proxy`] sends everything through a forward proxy: `https` through a tunnel (CONNECT), `http` in absolute form. If
//! the proxy asks for a login by HTTP Mutual authentication (407, RFC 8120 §14), the [`Prompt`] is asked with [`Ask::proxy`] set, and
//! the proxy has to prove itself as a server does: else there is no tunnel, and no answer. What comes through a tunnel is never
//! taken for the proxy's word, and what the proxy says is never taken for the server's. [`Reply::proxy`] says what was proven.
//!
//! # What else to know
//!
//! - Redirects of GET and HEAD are followed, and 303 of any method, each hop in a sequence of its own; [`Reply::redirects`] says what
//!   was proven in each. They never lead from `https` to `http`, and carry no `Cookie` or `Authorization` to another server.
//! - Each proof is good for one request. Where a connection ends before a request was written, or before a GET or the like was
//!   answered, the client begins anew with another number; other requests are never repeated by themselves.
//! - Every wait and every size has a bound: [`Timeouts`], [`PoolLimits`], [`HeadLimits`]. A body has the bound that its reader gives.
//! - Cookies, compression and caches are left alone.
//! - The user is asked at most [`MAX_ATTEMPTS`] times for one request, by one request at a time; see [`Prompt`].
//! - [`SessionFile`] keeps sessions between processes.
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::string_slice,
        clippy::panic,
        clippy::unreachable
    )
)]
#![warn(clippy::missing_errors_doc, clippy::missing_panics_doc, clippy::must_use_candidate)]

mod body;
mod builder;
mod client;
mod clock;
mod error;
mod prompt;
mod proxy;
mod reply;
mod request;
mod sequence;
#[cfg(unix)]
mod session_file;
mod url;
mod wire;

pub use body::{Body, Content, SMALL_BODY};
pub use builder::{ClientBuilder, HeadLimits, PoolLimits, Timeouts};
pub use client::{Client, Login, RememberError};
pub use error::{
    BoxError, Error, ErrorKind, LoginRequired, NetworkFault, NotProven, ProxyRefused, RedirectError, Unproven,
    UsageError,
};
pub use prompt::{Ask, BoxFuture, FixedCredential, MAX_ATTEMPTS, Prompt};
pub use reply::{Hop, Proof, Reply};
pub use request::Request;
#[cfg(all(unix, feature = "fuzzing"))]
#[doc(hidden)]
pub use session_file::door as session_file_door;
#[cfg(unix)]
pub use session_file::{MAX_SESSIONS, SessionFile, SessionFileError};
pub use tagai_core as core;
pub use url::{MAX_URL_LEN, Url, UrlError};

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks; nothing here leaves a half-done change behind when it panics.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
