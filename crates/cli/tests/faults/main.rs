//! The real program, when its machine fails it: it says what to do, loses nothing that it acknowledged, and never panics.
#![allow(missing_docs)]
#![cfg(unix)]

mod accounts;
mod killed;
mod program;
mod running;
mod starting;
