//! tagai.

fn main() {}
