//! The program `keyaki-bench`: from a verb to its function.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program talks to people")]

mod arguments;
mod commands;
mod explaining;
mod reading;
mod writing;

use std::process::ExitCode;

use arguments::{Arguments, Verb};
use clap::Parser as _;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match &arguments.verb {
        Verb::Index(given) => commands::index(given),
        Verb::Solvers(given) => commands::solvers(given),
        Verb::Measure(given) => commands::measure(given),
        Verb::Cmp(given) => reading::cmp(given),
        Verb::Rank(given) => reading::rank(given),
        Verb::Gate(given) => reading::gate(given),
        Verb::Check(given) => reading::check(given),
        Verb::Report(given) => writing::report(given),
        Verb::Learn(given) => writing::learn(given),
        Verb::Tiers(given) => writing::tiers(given),
        Verb::Explain(given) => explaining::explain(given),
        Verb::Supervise => return keyaki_bench::supervise::main(),
    };
    match done {
        Ok(status) => ExitCode::from(status),
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::from(2)
        }
    }
}
