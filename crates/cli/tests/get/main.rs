//! `tagai get` and `tagai logout`, as their users see them: the program itself against servers on loopback.
#![allow(unreachable_pub, reason = "one crate of several files")]

mod bare;
mod fetching;
mod keys;
mod login;
mod logout;
mod program;
mod prompt;
mod site;
