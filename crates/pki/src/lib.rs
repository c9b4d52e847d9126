//! Certificates and bare keys of clients.
