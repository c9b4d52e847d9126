//! The client of [`tagai_core`] for a browser extension: contexts, sequences and questions under numbers, and plain values across
//! the boundary to JavaScript.
//!
//! [`Engine`] is the whole of it, and runs anywhere; [`binding`] is the thin skin that `wasm-bindgen` turns into a module. What
//! its methods mean is written in `browser/src/engine/api.ts`, from the side of whoever calls them.
//!
//! Nothing that a server or a page can send makes it panic. Should it happen all the same, the module traps, its worker ends,
//! and every request that needed it fails.
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

mod answer;
pub mod binding;
mod context;
mod engine;
mod error;
mod input;
mod table;

pub use answer::{AskReason, AtLogout, Login, Present, Realm, Received, Send, Sends, Why};
pub use engine::{Engine, MAX_ASKS, MAX_CONTEXTS, MAX_SEQUENCES};
pub use error::EngineError;
pub use input::{Head, Typed};
