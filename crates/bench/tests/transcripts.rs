//! Runs the commands that README.md shows, in the folder of the crate.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "tests")]

use std::path::Path;
use std::process::{Command, Stdio};

// The only test of this file, because it moves the whole process to another directory.
#[test]
fn commands_print_what_the_page_shows() {
    let missing: Vec<&str> = ["cvc4", "cvc5"]
        .into_iter()
        .filter(|name| {
            let mut command = Command::new(name);
            command.arg("--version").stdin(Stdio::null()).stdout(Stdio::null());
            !command.status().is_ok_and(|status| status.success())
        })
        .collect();
    if !missing.is_empty() {
        let required = std::env::var("REQUIRE_SOLVERS").is_ok_and(|value| value == "1");
        assert!(!required, "REQUIRE_SOLVERS is set, and {missing:?} are missing");
        eprintln!("SKIPPED: {missing:?} missing");
        return;
    }
    std::env::set_current_dir(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap();
    drop(std::fs::remove_file("../../target/example.csv"));
    let cases = trycmd::TestCases::new();
    cases.register_bin("keyaki-bench", Path::new(env!("CARGO_BIN_EXE_keyaki-bench")));
    cases.case("README.md");
    cases.run();
}
