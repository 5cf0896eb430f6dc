//! Makes the suite that `keyaki-bench` measures: `cargo xtask suite`.
//!
//! Here jobs are drawn, and the program of `crates/compare` is built and started on them, because chores depend on no
//! crate of ours. What is checked in is the recipe, which is this, and the hashes, in `benchmarks/suites.toml`: a
//! suite has some hundred megabytes.

use std::process::{Command, Stdio};
use std::{env, fs};

use crate::corpus;

/// How many edits of each policy are asked about.
const ROUNDS: usize = 2;

/// How large the policies that grow are in the small suite, in statements.
const SMALL_STATEMENTS_MAX: &str = "8";

/// The seed of the jobs and of the formulas drawn of each.
const SEED: &str = "keyaki";

const USAGE: &str = "suite [--small] [--check] [--dev] [--out DIR] [--workers N]";

/// Runs the chore.
pub(crate) fn run(arguments: &[String]) -> Result<(), String> {
    let options = Options::read(arguments)?;
    let shared = crate::shared("corpus/policies").filter(|_| !options.small);
    let (name, jobs) = match &shared {
        Some(folder) => ("corpus", corpus::jobs_of_suite(folder, SEED, ROUNDS)?),
        None => {
            if !options.small {
                eprintln!(
                    "the corpus is not beside this working copy (../shared/corpus): the small suite is made"
                );
            }
            ("small", corpus::jobs_of_the_repository(SEED)?)
        }
    };
    let folder = crate::root().join(&options.out);
    let folder = folder.join(name);
    let file = folder.join("jobs.jsonl");
    let text: String = jobs.iter().map(|job| format!("{job}\n")).collect();
    // What an earlier suite has left would not be of this one.
    drop(fs::remove_dir_all(folder.join("scripts")));
    fs::create_dir_all(&folder)
        .and_then(|()| fs::write(&file, text))
        .map_err(|error| format!("cannot write `{}`: {error}", file.display()))?;
    let recipe = match shared {
        Some(_) => "cargo xtask suite",
        None => "cargo xtask suite --small",
    };
    let mut command = Command::new(env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()));
    let profile = if options.dev { "dev" } else { "release" };
    command
        .args(["run", "--quiet", "--locked", "--profile", profile])
        .args(["-p", "keyaki-compare", "--", "suite"])
        .arg("--jobs")
        .arg(&file)
        .arg("--out")
        .arg(&folder)
        .args(["--name", name, "--recipe", recipe, "--seed", SEED, "--workers", &options.workers])
        .current_dir(crate::root())
        .stdin(Stdio::null());
    if shared.is_none() {
        command.args(["--max-statements", SMALL_STATEMENTS_MAX]);
    }
    let status = command.status().map_err(|error| format!("cargo does not start: {error}"))?;
    if !status.success() {
        return Err(format!("the suite is not made: {status}"));
    }
    drop(fs::remove_file(&file));
    if options.check { check(name, &folder) } else { Ok(()) }
}

/// Compares the hash of the suite with the one that is checked in.
fn check(name: &str, folder: &std::path::Path) -> Result<(), String> {
    let read = |path: &std::path::Path| {
        fs::read_to_string(path)
            .map_err(|error| format!("cannot read `{}`: {error}", path.display()))
    };
    let made = read(&folder.join("suite.toml"))?;
    let listed = read(&crate::root().join("benchmarks/suites.toml"))?;
    let made = value_of(&made, "hash").ok_or("the suite has no hash")?;
    let listed = value_of(&listed, name)
        .ok_or_else(|| format!("benchmarks/suites.toml has no hash of `{name}`"))?;
    if made == listed {
        println!("the hash is the one in benchmarks/suites.toml");
        return Ok(());
    }
    Err(format!(
        "the suite `{name}` has hash {made}, benchmarks/suites.toml has {listed}\n\
         hint: if what the encoder writes has changed on purpose, write the new one there; records of the old suite \
         cannot be compared with those of the new one"
    ))
}

/// What stands in quotes after a name, on a line of its own.
fn value_of<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    text.lines().find_map(|line| {
        line.strip_prefix(name)?
            .trim_start()
            .strip_prefix('=')?
            .trim()
            .strip_prefix('"')?
            .strip_suffix('"')
    })
}

struct Options {
    small: bool,
    check: bool,
    /// Whether a build for development will do: it is there sooner, and ten times slower.
    dev: bool,
    out: String,
    workers: String,
}

impl Options {
    fn read(arguments: &[String]) -> Result<Options, String> {
        let mut options = Options {
            small: false,
            check: false,
            dev: false,
            out: "target/suites".to_owned(),
            workers: "2".to_owned(),
        };
        let mut rest = arguments.iter();
        while let Some(flag) = rest.next() {
            let mut value = || rest.next().cloned().ok_or_else(|| format!("usage: {USAGE}"));
            match flag.as_str() {
                "--small" => options.small = true,
                "--check" => options.check = true,
                "--dev" => options.dev = true,
                "--out" => options.out = value()?,
                "--workers" => options.workers = value()?,
                _ => return Err(format!("unknown flag `{flag}`\nusage: {USAGE}")),
            }
        }
        Ok(options)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_found_by_its_name() {
        let text = "# small\nsmaller = \"a\"\nsmall = \"b\"\n";
        assert_eq!(value_of(text, "small"), Some("b"));
        assert_eq!(value_of(text, "none"), None);
    }
}
