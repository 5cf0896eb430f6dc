//! Laws of the algebra, as property tests over small random languages.
//!
//! The oracle for membership is `regex-automata` for what regular expressions can say, and the
//! meaning of the connectives for the rest; for emptiness it is every word up to a length over a
//! small alphabet, and products of dense automata (`dense.rs`).

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod dense;
mod generate;
mod laws;
mod worst;
