//! `keyaki-verify FILE`: is this a certificate?

#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program that answers in words")]

use std::fs::File;
use std::io::{self, Read};
use std::process::ExitCode;

use keyaki_verify::{MAX_BYTES, verify};

const USAGE: &str = "usage: keyaki-verify FILE\n
Checks a certificate of `keyaki check --certificate FILE`; `-` is standard input.
Exit status: 0 if it is one, 1 if not, 2 if it cannot be read.";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [path] = &arguments[..] else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    if path == "--help" || path == "-h" {
        println!("{USAGE}");
        return ExitCode::SUCCESS;
    }
    let text = match read(path) {
        Ok(text) => text,
        Err(error) => {
            eprintln!("error: cannot read `{path}`: {error}");
            return ExitCode::from(2);
        }
    };
    match verify(&text) {
        Ok(verified) => {
            let (n_parts, n_steps) = (verified.parts.len(), verified.n_steps);
            println!("verified: none of {n_parts} formulas has a model, in {n_steps} steps");
            println!("query sha256 {}", verified.query);
            for label in &verified.parts {
                println!("  {label}");
            }
            ExitCode::SUCCESS
        }
        Err(rejection) => {
            println!("rejected: {rejection}");
            ExitCode::FAILURE
        }
    }
}

fn read(path: &str) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    // One byte more than is looked at, so that a longer text is told from one as long.
    match path {
        "-" => io::stdin().take(MAX_BYTES + 1).read_to_end(&mut text)?,
        path => File::open(path)?.take(MAX_BYTES + 1).read_to_end(&mut text)?,
    };
    Ok(text)
}
