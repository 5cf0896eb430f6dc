//! The program `keyaki`.
fn main() {}
