//! tagai-gateway.
