//! Solvers as they must not be, as shell scripts in `tests/fake`, and as they are, if installed.
//!
//! No test asserts a short time: a fake that hangs sleeps for 1000 seconds, so that a test that
//! ends at all has not waited for it.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "helpers of tests")]

mod automaton;
mod fakes;
mod parent;
mod persistent;
mod portfolio;
mod process;
mod proved;
mod real;
mod scripts;
mod templates;
mod worst;
