//! Runs every command that the documentation shows, and compares what it prints.
//!
//! A `console` block of README.md, of a file of docs/, of an example's README.md or of `tests/cmd/`
//! is a test: `$ ` before a command, `? STATUS` after it if it is not 0, then the output, in which
//! `[..]` stands for anything within a line and `...` for any lines. Commands run in the root of
//! the repository. `TRYCMD=overwrite cargo test -p keyaki-cli --test transcripts` writes what the
//! program prints into the files; put the `[..]` back where times and solvers' names stand.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

// The only test of this file, because it moves the whole process to another directory.
#[test]
fn commands_print_what_the_documentation_shows() {
    if !all_solvers_are_installed() {
        return;
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    std::env::set_current_dir(root).unwrap();
    let cases = trycmd::TestCases::new();
    cases.register_bin("keyaki", Path::new(env!("CARGO_BIN_EXE_keyaki")));
    for pattern in ["README.md", "docs/*.md", "examples/*/README.md"] {
        cases.case(pattern);
    }
    cases.case("crates/keyaki-cli/tests/cmd/*.md");
    cases.case("crates/keyaki-cli/tests/cmd/*.toml");
    cases.run();
}

/// The documentation shows what a machine with all solvers prints.
fn all_solvers_are_installed() -> bool {
    let missing: Vec<&str> = ["z3", "cvc4", "cvc5"]
        .into_iter()
        .filter(|name| {
            let mut command = Command::new(name);
            command.arg("--version").stdin(Stdio::null()).stdout(Stdio::null());
            !command.status().is_ok_and(|status| status.success())
        })
        .collect();
    if missing.is_empty() {
        return true;
    }
    let required = std::env::var("REQUIRE_SOLVERS").is_ok_and(|value| value == "1");
    assert!(!required, "REQUIRE_SOLVERS is set, and {missing:?} are missing");
    let message = format!("SKIPPED: {missing:?} missing (apt-get install z3 cvc4 cvc5)\n");
    // Past the harness, which keeps the output of tests that pass to itself.
    drop(std::io::stderr().write_all(message.as_bytes()));
    false
}
