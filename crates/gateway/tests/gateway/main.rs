//! The whole gateway in one process: a configuration in a folder, sockets on the loopback, honest users, and others.
#![allow(missing_docs)]

mod attacks;
mod forward_policy;
mod forward_proxy;
mod forward_rules;
mod guards;
mod interim;
mod lifetime;
mod logins;
mod pressure;
mod realms;
mod support;
mod upstreams;
