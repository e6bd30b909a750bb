//! The `keelback` command line.
fn main() {}
