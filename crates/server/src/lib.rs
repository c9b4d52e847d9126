//! tagai-server.
