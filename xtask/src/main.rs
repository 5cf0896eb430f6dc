//! Chores of the project: `cargo xtask CHORE`.
//!
//! One file a chore, one row of [`CHORES`] each. Arguments are read by hand and no crate of ours
//! is a dependency, so a chore still runs while the rest of the workspace does not compile; the
//! tests of a chore may use our crates.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a chore talks to the person who started it"
)]

use std::path::{Path, PathBuf};
use std::process::ExitCode;

mod bench;
mod catalogue;
mod compare;
mod corpus;
mod mutants;
mod nightly;
mod suite;
mod test;
#[cfg(test)]
mod tidy;

/// A chore by name: what it does in one line, and the function that does it.
struct Chore {
    name: &'static str,
    usage: &'static str,
    /// Receives the arguments after the name. An error is shown after `error: `.
    run: fn(&[String]) -> Result<(), String>,
}

const CHORES: &[Chore] = &[
    Chore {
        name: "bench",
        usage: "measure throughput, latency, growth and memory on questions about the corpus",
        run: bench::run,
    },
    Chore {
        name: "catalogue",
        usage: "write crates/policy/src/catalogue from the service reference; --check only compares",
        run: catalogue::run,
    },
    Chore {
        name: "compare",
        usage: "put formulas of the corpus to our solver and to others: times, or with --agree answers",
        run: compare::run,
    },
    Chore {
        name: "corpus",
        usage: "ask `keyaki batch` about the policies of the corpus and count; --review draws some",
        run: corpus::run,
    },
    Chore {
        name: "mutants",
        usage: "make small mistakes in checker, encoder, evaluator or kernel, and count which tests notice",
        run: mutants::run,
    },
    Chore {
        name: "nightly",
        usage: "run every property test for --minutes N, and tell how many cases were executed",
        run: nightly::run,
    },
    Chore {
        name: "suite",
        usage: "make the queries that `keyaki-bench` measures; --check compares their hash, --renew writes it",
        run: suite::run,
    },
    Chore {
        name: "test",
        usage: "install the solvers if they are missing, and run everything that CI runs",
        run: test::run,
    },
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((name, rest)) = arguments.split_first() else {
        print_usage();
        return ExitCode::from(2);
    };
    let Some(chore) = CHORES.iter().find(|chore| chore.name == name) else {
        eprintln!("error: there is no chore `{name}`");
        print_usage();
        return ExitCode::from(2);
    };
    match (chore.run)(rest) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

fn print_usage() {
    eprintln!("usage: cargo xtask CHORE\n\nchores:");
    for chore in CHORES {
        eprintln!("  {:<12} {}", chore.name, chore.usage);
    }
}

/// The root of the repository.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask is a folder of the repository")
}

/// A file or folder of the data that lies beside a working copy, or none where it is not there.
fn shared(path: &str) -> Option<PathBuf> {
    let path = root().join("../shared").join(path);
    path.exists().then_some(path)
}
