//! The whole gateway in one process: a configuration in a folder, sockets on the loopback, honest users, and others.
#![allow(missing_docs)]

mod accounts;
mod attacks;
mod certificates;
mod forward_policy;
mod forward_proxy;
mod forward_rules;
mod guards;
mod identity;
mod interim;
mod keys;
mod lifetime;
mod logins;
mod passwords;
mod policies;
mod pressure;
mod principals;
mod realms;
mod revocation;
mod standing;
mod support;
mod upstreams;
