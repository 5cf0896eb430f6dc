//! Puts the formulas of the corpus to our solver and to others: `cargo xtask compare`.
//!
//! Here questions are drawn and the program of `crates/compare` is built and started on them, because
//! chores depend on no crate of ours. `--agree` compares answers instead of times; `--quick` does
//! so with a few, in seconds, from the policies of this repository. Everything depends on the seed alone,
//! so whoever repeats it puts the same formulas.
//!
//! z3, cvc4 and cvc5 are asked as they are on `PATH`. A current z3 and a current cvc5 come from a
//! Python environment, `--current DIR` or the variable `KEYAKI_CURRENT_SOLVERS`;
//! benchmarks/README.md says how to make one.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::{env, fs};

use crate::corpus;

/// How many jobs of each family are drawn if nobody says how many.
const JOBS_PER_FAMILY: usize = 200;

const USAGE: &str = "compare [--agree] [--quick] [--jobs N] [--seed TEXT] [--current DIR] \
                     [--record DIR] [--dump DIR] [--cap-ms N] [--per-stratum N] [--generated N] \
                     [--drawn N] [--workers N] [--variants all|best]";

/// Runs the chore.
pub(crate) fn run(arguments: &[String]) -> Result<(), String> {
    let options = Options::read(arguments)?;
    let jobs = jobs(&options)?;
    let folder = crate::root().join("target/compare");
    let file = folder.join("jobs.jsonl");
    fs::create_dir_all(&folder)
        .and_then(|()| fs::write(&file, jobs))
        .map_err(|error| format!("cannot write `{}`: {error}", file.display()))?;
    let what = if options.agree { "agree" } else { "time" };
    let mut command = Command::new(env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()));
    command
        .args(["run", "--quiet", "--release", "--locked", "-p", "keyaki-compare", "--", what])
        .arg("--jobs")
        .arg(&file)
        .arg("--benchmarks")
        .arg(crate::root().join("benchmarks"))
        .args(["--seed", &options.seed])
        .args(&options.passed_on)
        .current_dir(crate::root())
        .stdin(Stdio::null());
    if let Some(current) = &options.current {
        command.arg("--current").arg(current);
    }
    let status = command.status().map_err(|error| format!("cargo does not start: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("the comparison ended with {status}")) }
}

struct Options {
    agree: bool,
    quick: bool,
    jobs: usize,
    seed: String,
    current: Option<PathBuf>,
    /// What the program reads itself.
    passed_on: Vec<String>,
}

impl Options {
    fn read(arguments: &[String]) -> Result<Options, String> {
        let mut options = Options {
            agree: false,
            quick: false,
            jobs: JOBS_PER_FAMILY,
            seed: "keyaki".to_owned(),
            current: env::var_os("KEYAKI_CURRENT_SOLVERS").map(PathBuf::from),
            passed_on: Vec::new(),
        };
        let mut rest = arguments.iter();
        while let Some(flag) = rest.next() {
            match flag.as_str() {
                "--agree" => options.agree = true,
                "--quick" => options.quick = true,
                _ => {
                    let value = rest.next().ok_or_else(|| format!("usage: {USAGE}"))?;
                    options.set(flag, value)?;
                }
            }
        }
        if options.quick {
            let few = ["--generated", "20", "--drawn", "20", "--per-stratum", "2"];
            options.passed_on.splice(0..0, few.map(str::to_owned));
        }
        Ok(options)
    }

    fn set(&mut self, flag: &str, value: &str) -> Result<(), String> {
        match flag {
            "--jobs" => {
                self.jobs = value.parse().map_err(|_| format!("`{flag} {value}` is no number"))?;
            }
            "--seed" => value.clone_into(&mut self.seed),
            "--current" => self.current = Some(PathBuf::from(value)),
            "--record" | "--dump" | "--cap-ms" | "--per-stratum" | "--generated" | "--drawn"
            | "--workers" | "--variants" => {
                self.passed_on.extend([flag.to_owned(), value.to_owned()]);
            }
            _ => return Err(format!("unknown flag `{flag}`\nusage: {USAGE}")),
        }
        Ok(())
    }
}

/// The jobs, one a line: some of each family of the corpus, or with `--quick` what is in the repository.
fn jobs(options: &Options) -> Result<String, String> {
    let lines = if options.quick {
        corpus::jobs_of_the_repository(&options.seed)?
    } else {
        let Some(folder) = crate::shared("corpus/policies") else {
            return Err("the corpus is not beside this working copy (../shared/corpus)\n\
                        hint: --quick needs only the repository"
                .to_owned());
        };
        corpus::jobs_of_each_family(&folder, &options.seed, options.jobs)?
    };
    Ok(lines.iter().map(|job| format!("{job}\n")).collect())
}
