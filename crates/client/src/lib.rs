//! tagai-client.
