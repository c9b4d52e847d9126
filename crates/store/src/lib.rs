//! tagai-store.
