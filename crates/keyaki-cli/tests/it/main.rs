//! The program from outside: arguments, input and environment in; status, output and files out.
//!
//! `tests/transcripts.rs` shows how the program is used; the tests here are about what a reader of
//! transcripts would not want to see: bad input, batches, misbehaving solvers, and what is left
//! behind. Every JSON document that the program prints in a test is held against `docs/schema.json`.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod audit;
mod bad_input;

mod batch;
mod bucket;
mod certificates;
mod custom;
mod evaluate;
mod fakes;
mod findings;
mod program;
mod questions;
mod schema;
mod scripts;
#[cfg(feature = "serve")]
mod serve;
mod validate;
mod who_can;
