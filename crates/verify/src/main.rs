//! `keyaki-verify FILE`: is this a certificate?

#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program that answers in words")]

use std::fs::File;
use std::io::{self, Read};
use std::process::ExitCode;

use keyaki_verify::{MAX_BYTES, verify};

const USAGE: &str = "usage: keyaki-verify FILE [--query HASH]\n
Checks a certificate of `keyaki check --certificate FILE`; `-` is standard input.
With `--query` it has to be about the query with that SHA-256.
Exit status: 0 if it is one, 1 if not, 2 if it cannot be read.";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (path, wanted) = match arguments[..] {
        ["--help" | "-h"] => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        [path] => (path, None),
        [path, "--query", hash] | ["--query", hash, path] => (path, Some(hash)),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    let text = match read(path) {
        Ok(text) => text,
        Err(error) => {
            eprintln!("error: cannot read `{path}`: {error}");
            return ExitCode::from(2);
        }
    };
    match verify(&text) {
        Ok(verified) if wanted.is_some_and(|wanted| wanted != verified.query) => {
            println!("rejected: it is about another query, {}", verified.query);
            ExitCode::FAILURE
        }
        Ok(verified) => {
            let (n_parts, n_steps) = (verified.parts.len(), verified.n_steps);
            let shown = match &verified.property {
                Some(name) => format!("`{name}` holds of the statements, in {n_steps} rows"),
                None => format!("none of {n_parts} formulas has a model, in {n_steps} steps"),
            };
            println!("verified: {shown}");
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
