//! tagai-client.
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
mod reply;
mod request;
mod sequence;
mod session_file;
mod url;
mod wire;

pub use body::{Body, Content, SMALL_BODY};
pub use builder::{ClientBuilder, HeadLimits, PoolLimits, Timeouts};
pub use client::{Client, Login, RememberError};
pub use error::{
    BoxError, Error, ErrorKind, LoginRequired, NetworkFault, NotProven, RedirectError, Unproven, UsageError,
};
pub use prompt::{Ask, BoxFuture, FixedCredential, MAX_ATTEMPTS, Prompt};
pub use reply::{Hop, Proof, Reply};
pub use request::Request;
pub use session_file::{MAX_SESSIONS, SessionFile, SessionFileError};
pub use tagai_core as core;
pub use url::{MAX_URL_LEN, Url, UrlError};

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks; nothing here leaves a half-done change behind when it panics.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
