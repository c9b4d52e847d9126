//! What a listener allows. Every number has a default that is meant for the open Internet.

use crate::tls::SharedCertificates;
use std::sync::Arc;
use std::time::Duration;

/// Everything about a listener.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// The certificates; `None` for a listener without TLS.
    pub tls: Option<Arc<SharedCertificates>>,
    /// How many of what.
    pub limits: Limits,
    /// How long.
    pub timeouts: Timeouts,
    /// Whether CONNECT asks for a tunnel, as it does of a forward proxy. Then nothing may follow its head before it is answered:
    /// what was meant for a tunnel is never read as a request.
    pub tunnels: bool,
}

/// How many of what.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Connections at a time.
    pub connections: usize,
    /// Connections at a time from one IPv4 address, or from one /64 of IPv6.
    pub connections_per_address: usize,
    /// HTTP/1.
    pub http1: Http1Limits,
    /// HTTP/2; `None` turns it off.
    pub http2: Option<Http2Limits>,
}

/// Limits of HTTP/1.
#[derive(Debug, Clone)]
pub struct Http1Limits {
    /// Octets of a request's head.
    pub head: usize,
    /// Fields in a head.
    pub fields: usize,
    /// Octets of the read and write buffers, at least 8192.
    pub buffer: usize,
}

/// Limits of HTTP/2.
#[derive(Debug, Clone)]
pub struct Http2Limits {
    /// Requests at a time on a connection.
    pub streams: u32,
    /// Octets of a request's fields, as RFC 9113 §6.5.2 counts them.
    pub head: u32,
    /// Octets that a client may send ahead on a stream.
    pub stream_window: u32,
    /// Octets that a client may send ahead on a connection.
    pub connection_window: u32,
    /// Octets that are buffered for a stream towards the client.
    pub send_buffer: usize,
    /// Streams that were reset by the client and not yet accepted, before the connection is closed (CVE-2023-44487).
    pub pending_resets: usize,
    /// Streams that were reset for the client's errors, before the connection is closed.
    pub error_resets: usize,
    /// How often a ping is sent while there are streams; `None` for never.
    pub ping: Option<Duration>,
}

/// How long.
#[derive(Debug, Clone)]
pub struct Timeouts {
    /// A TLS handshake, or the first octets of HTTP without TLS.
    pub handshake: Duration,
    /// The head of a request, from its first octet.
    pub head: Duration,
    /// A connection without a request.
    pub idle: Duration,
    /// The body of a request without a new octet.
    pub body: Duration,
    /// A response of which the client takes nothing.
    pub stall: Duration,
    /// The answer to a ping of HTTP/2.
    pub ping: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 16_384,
            connections_per_address: 256,
            http1: Http1Limits::default(),
            http2: Some(Http2Limits::default()),
        }
    }
}

impl Default for Http1Limits {
    fn default() -> Self {
        Self { head: 32 << 10, fields: 100, buffer: 64 << 10 }
    }
}

impl Default for Http2Limits {
    fn default() -> Self {
        Self {
            streams: 128,
            head: 32 << 10,
            stream_window: 64 << 10,
            connection_window: 256 << 10,
            send_buffer: 64 << 10,
            pending_resets: 32,
            error_resets: 64,
            ping: Some(Duration::from_secs(30)),
        }
    }
}

impl Default for Timeouts {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self {
            handshake: seconds(10),
            head: seconds(10),
            idle: seconds(75),
            body: seconds(30),
            stall: seconds(30),
            ping: seconds(20),
        }
    }
}
