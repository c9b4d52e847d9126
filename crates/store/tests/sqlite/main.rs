//! What SQLite alone has: a file, keys, and what can go wrong with them.
#![cfg(feature = "sqlite")]

mod file;
mod place;
mod sealed;
mod shared;
#[path = "../support/mod.rs"]
mod support;
