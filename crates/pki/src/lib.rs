//! Certificates and bare keys of clients.

pub mod ca;
