//! Makes the suite that `keyaki-bench` measures: `cargo xtask suite`.
//!
//! Here jobs are drawn, and the program of `crates/compare` is built and started on them, because chores depend on no
//! crate of ours. What is checked in is the recipe, which is this, and the hashes, in `benchmarks/suites.toml`: a
//! suite has some hundred megabytes. `cargo xtask test` makes the small suite and compares its hash, so whoever changes what the
//! encoder writes is told of it; the large one takes too long for every run and its corpus is not everywhere.

use std::path::Path;
use std::process::{Command, Stdio};
use std::{env, fs};

use crate::corpus;

/// How many edits of each policy are asked about.
const ROUNDS: usize = 2;

/// How large the policies that grow are in the small suite, in statements.
const SMALL_STATEMENTS_MAX: &str = "8";

/// The seed of the jobs and of the formulas drawn of each.
const SEED: &str = "keyaki";

const USAGE: &str = "suite [--small] [--check | --renew] [--dev] [--out DIR] [--workers N]";

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
    let mut command = Command::new(env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()));
    let profile = if options.dev { "dev" } else { "release" };
    command
        .args(["run", "--quiet", "--locked", "--profile", profile])
        .args(["-p", "keyaki-compare", "--", "suite"])
        .arg("--jobs")
        .arg(&file)
        .arg("--out")
        .arg(&folder)
        .arg("--benchmarks")
        .arg(crate::root().join("benchmarks"))
        .args([
            "--name",
            name,
            "--recipe",
            recipe(name),
            "--seed",
            SEED,
            "--workers",
            &options.workers,
        ])
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
    match options.then {
        Then::Nothing => Ok(()),
        Then::Check => check(name, &folder),
        Then::Renew => renew(name, &folder),
    }
}

/// Where the hashes are checked in.
const LIST: &str = "benchmarks/suites.toml";

/// Compares the hash of the suite with the one that is checked in.
fn check(name: &str, folder: &Path) -> Result<(), String> {
    let made = hash_of(folder)?;
    let list = read(&crate::root().join(LIST))?;
    let listed = value_of(&list, name).ok_or_else(|| format!("{LIST} has no hash of `{name}`"))?;
    if made == listed {
        println!("the hash is the one in {LIST}");
        return Ok(());
    }
    let recipe = recipe(name);
    Err(format!(
        "the suite `{name}` has hash {made}, {LIST} has {listed}: the encoder writes other formulas than before\n\
         hint: if it is meant to, `{recipe} --renew` writes the new hash there; what has been measured stays a record of the \
         old suite, and is not compared with what is measured on the new one"
    ))
}

/// Writes the hash of the suite into the list.
fn renew(name: &str, folder: &Path) -> Result<(), String> {
    let path = crate::root().join(LIST);
    let list = read(&path)?;
    let renewed = with_value(&list, name, &hash_of(folder)?)
        .ok_or_else(|| format!("{LIST} has no hash of `{name}`"))?;
    if renewed == list {
        println!("the hash is the one in {LIST}");
        return Ok(());
    }
    fs::write(&path, renewed).map_err(|error| format!("cannot write {LIST}: {error}"))?;
    println!("the hash in {LIST} is renewed");
    Ok(())
}

/// The hash of a suite that has been made.
fn hash_of(folder: &Path) -> Result<String, String> {
    let made = read(&folder.join("suite.toml"))?;
    value_of(&made, "hash").map(str::to_owned).ok_or_else(|| "the suite has no hash".to_owned())
}

/// The command that makes a suite.
fn recipe(name: &str) -> &'static str {
    if name == "small" { "cargo xtask suite --small" } else { "cargo xtask suite" }
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("cannot read `{}`: {error}", path.display()))
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

/// Text with another value in quotes after a name, on a line of its own; none if the name is not there.
fn with_value(text: &str, name: &str, value: &str) -> Option<String> {
    value_of(text, name)?;
    let line = |line: &str| match value_of(line, name) {
        Some(_) => format!("{name} = \"{value}\"\n"),
        None => format!("{line}\n"),
    };
    Some(text.lines().map(line).collect())
}

/// What is done with the hash of a suite that was made.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Then {
    Nothing,
    Check,
    Renew,
}

struct Options {
    small: bool,
    then: Then,
    /// Whether a build for development will do: it is there sooner, and ten times slower.
    dev: bool,
    out: String,
    workers: String,
}

impl Options {
    fn read(arguments: &[String]) -> Result<Options, String> {
        let mut options = Options {
            small: false,
            then: Then::Nothing,
            dev: false,
            out: "target/suites".to_owned(),
            workers: "2".to_owned(),
        };
        let mut rest = arguments.iter();
        while let Some(flag) = rest.next() {
            let mut value = || rest.next().cloned().ok_or_else(|| format!("usage: {USAGE}"));
            match flag.as_str() {
                "--small" => options.small = true,
                "--check" if options.then == Then::Nothing => options.then = Then::Check,
                "--renew" if options.then == Then::Nothing => options.then = Then::Renew,
                "--dev" => options.dev = true,
                "--out" => options.out = value()?,
                "--workers" => options.workers = value()?,
                _ => {
                    return Err(format!(
                        "`{flag}` is no flag, or does not go with the others\nusage: {USAGE}"
                    ));
                }
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

    #[test]
    fn a_renewed_hash_takes_the_place_of_the_old_one_and_nothing_else_changes() {
        let text = "# small\nsmaller = \"a\"\nsmall = \"b\"\n";
        let renewed = with_value(text, "small", "c").unwrap();
        assert_eq!(renewed, "# small\nsmaller = \"a\"\nsmall = \"c\"\n");
        assert_eq!(with_value(text, "none", "c"), None);
    }
}
