//! Puts the formulas of questions to the embedded solver and to others: how long each takes, and
//! whether they agree.
//!
//! `cargo xtask compare` draws the questions and starts this. A crate of its own, because chores
//! depend on no crate of ours, and because what it claims about speed is only worth something in a
//! release build. Read the modules in this order: [`queries`] (from questions to formulas),
//! [`contestants`] (who is asked, how), [`timing`] and [`agreement`] (the two things it does with them); [`suite`] writes
//! formulas for `keyaki-bench`, which asks solvers itself.
//!
//! Every solver gets the same formula, as text in the encoding that suits it best. What is
//! measured of an external solver begins when its script is written and ends when its answer is read, so our
//! writing of scripts and reading of models is not held against it.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a chore talks to the person who started it"
)]

mod agreement;
mod contestants;
mod options;
mod queries;
mod record;
mod suite;
mod timing;

use std::process::ExitCode;

use options::{Options, What};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = Options::read(&arguments).and_then(|options| match options.what {
        What::Time => timing::run(&options),
        What::Agree => agreement::run(&options),
        What::Suite => suite::run(&options),
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}
