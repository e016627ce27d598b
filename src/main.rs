//! The `signd` binary.
fn main() {}
