//! What to measure, from the command line.

use std::path::PathBuf;
use std::time::Duration;

/// What to measure, and on what.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    /// Jobs of `keyaki batch`, one a line.
    pub(crate) jobs: PathBuf,
    /// The program.
    pub(crate) keyaki: PathBuf,
    /// How many questions a run has.
    pub(crate) questions: u64,
    /// How often the cold run is repeated, each time with other names.
    pub(crate) repetitions: u64,
    /// How often policies double in size.
    pub(crate) doublings: usize,
    /// How long a growing question may take.
    pub(crate) cap: Duration,
    pub(crate) workers: usize,
    pub(crate) seed: String,
    /// Whether it should take a minute.
    pub(crate) quick: bool,
    /// Whether a batch of a million is among the measures.
    pub(crate) million: bool,
    /// The only parts that are measured; all if empty.
    pub(crate) only: Vec<String>,
    /// Where raw numbers go; nowhere if `None`.
    pub(crate) record: Option<PathBuf>,
}

/// The parts, in the order in which they are measured.
pub(crate) const PARTS: [&str; 8] = [
    "throughput",
    "latency",
    "growth",
    "memory",
    "variables",
    "findings",
    "service",
    "certificates",
];

const USAGE: &str = "bench [--quick] [--million] [--questions N] [--seed TEXT] [--workers N] \
    [--only throughput|latency|growth|memory|variables|findings|service|certificates]… [--cap-s N] [--keyaki PATH] [--record DIR|none]";

impl Options {
    /// Reads the arguments.
    ///
    /// # Errors
    ///
    /// What is wrong with them.
    pub(crate) fn read(arguments: &[String], date: &str) -> Result<Options, String> {
        let usage = || format!("usage: {USAGE}");
        let mut options = Options {
            jobs: PathBuf::from("target/bench/jobs.jsonl"),
            keyaki: PathBuf::from("target/release/keyaki"),
            questions: 100_000,
            repetitions: 3,
            doublings: 10,
            cap: Duration::from_secs(60),
            workers: 2,
            seed: "keyaki".to_owned(),
            quick: false,
            million: false,
            only: Vec::new(),
            record: Some(PathBuf::from("benchmarks/record").join(date)),
        };
        if arguments.iter().any(|argument| argument == "--quick") {
            options.quick = true;
            options.questions = 20_000;
            options.repetitions = 1;
            options.doublings = 6;
            options.cap = Duration::from_secs(2);
            options.record = None;
        }
        let mut rest = arguments.iter();
        while let Some(flag) = rest.next() {
            match flag.as_str() {
                "--quick" => continue,
                "--million" => {
                    options.million = true;
                    continue;
                }
                _ => {}
            }
            let value = rest.next().ok_or_else(usage)?;
            let number =
                || value.parse::<u64>().map_err(|_| format!("`{flag} {value}` is no number"));
            match flag.as_str() {
                "--jobs" => options.jobs = PathBuf::from(value),
                "--keyaki" => options.keyaki = PathBuf::from(value),
                "--questions" => options.questions = number()?.max(3),
                "--workers" => options.workers = number()?.max(1) as usize,
                "--seed" => options.seed.clone_from(value),
                "--cap-s" => options.cap = Duration::from_secs(number()?),
                "--only" if PARTS.contains(&value.as_str()) => options.only.push(value.clone()),
                "--record" if value == "none" => options.record = None,
                "--record" => options.record = Some(PathBuf::from(value)),
                _ => return Err(format!("unknown flag `{flag} {value}`\n{}", usage())),
            }
        }
        Ok(options)
    }

    /// Whether a part is measured.
    pub(crate) fn has(&self, part: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == part)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &str) -> Result<Options, String> {
        Options::read(&words.split(' ').map(str::to_owned).collect::<Vec<_>>(), "2026-01-01")
    }

    #[test]
    fn a_quick_run_keeps_no_record_and_a_flag_overrides_it() {
        let quick = read("--questions 50 --quick").unwrap();
        assert_eq!((quick.questions, quick.record.clone()), (50, None));
        assert!(quick.has("growth"));
        let only = read("--only latency --only memory").unwrap();
        assert!(only.has("memory") && !only.has("growth"));
        assert!(only.record.unwrap().ends_with("2026-01-01"));
        for wrong in ["--only all", "--questions", "--questions x", "--slow 1"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
