//! What several integration tests share.
#![allow(dead_code, unreachable_pub, reason = "each test uses a part of it")]

pub mod pair;
pub mod rng;
pub mod vectors;
