//! The data plane on real sockets: every connection is on the loopback, every port is given by the system.
#![allow(missing_docs)]

mod bodies;
mod connections;
mod continues;
mod fields;
mod http2;
mod interim;
mod smuggling;
mod support;

mod tls;
mod tunnels;
mod upstreams;
