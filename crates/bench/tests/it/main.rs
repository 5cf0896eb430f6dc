//! The program, on solvers as they must not be (`tests/fake/fake.sh`), and its words for them.
//!
//! No test asserts a short time: a fake that hangs sleeps for 1000 seconds, so that a test that ends has not waited.
#![allow(clippy::unwrap_used, reason = "tests")]

mod bad;
mod gate;
mod page;
mod reports;
mod resume;
mod world;
