//! tagai-gateway.

pub mod audit;
pub mod config;
