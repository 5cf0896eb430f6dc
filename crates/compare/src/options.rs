//! What to do, from the command line.

use std::path::PathBuf;
use std::time::Duration;

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// Measure.
    Time,
    /// Compare answers.
    Agree,
    /// Write the suite that `keyaki-bench` measures.
    Suite,
}

/// What to do, and how.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) what: What,
    /// Jobs of `keyaki batch`, one a line.
    pub(crate) jobs: PathBuf,
    /// The environment with a current z3 and a current cvc5.
    pub(crate) current: Option<PathBuf>,
    /// Where the program for cvc5's Python package, the tiers of queries and the recorded numbers are.
    pub(crate) benchmarks: PathBuf,
    /// Where raw numbers go; nowhere if `None`.
    pub(crate) record: Option<PathBuf>,
    /// Where the queries go as scripts; nowhere if `None`.
    pub(crate) dump: Option<PathBuf>,
    /// How long a solver may take for a formula.
    pub(crate) cap: Duration,
    /// How many formulas of each stratum are measured.
    pub(crate) per_stratum: usize,
    /// How many generated questions are drawn for comparing answers.
    pub(crate) generated: usize,
    /// How many formulas of the corpus are drawn for comparing answers.
    pub(crate) drawn: usize,
    /// Whether every solver is tried in every encoding and way of forgetting.
    pub(crate) all_variants: bool,
    /// How many formulas are compared at the same time.
    pub(crate) workers: usize,
    pub(crate) seed: String,
    /// Where the suite goes.
    pub(crate) out: Option<PathBuf>,
    /// What the suite is called.
    pub(crate) name: String,
    /// How the suite is made, in words.
    pub(crate) recipe: String,
    /// How many statements the policies that grow have at most.
    pub(crate) max_statements: usize,
}

const USAGE: &str = "keyaki-compare time|agree|suite --jobs FILE --benchmarks DIR [--current DIR] \
    [--record DIR] [--dump DIR] [--cap-ms N] [--per-stratum N] [--generated N] [--drawn N] \
    [--workers N] [--variants all|best] [--seed TEXT] [--out DIR] [--name TEXT] [--recipe TEXT] [--max-statements N]";

impl Options {
    /// Reads the arguments.
    ///
    /// # Errors
    ///
    /// What is wrong with them.
    pub(crate) fn read(arguments: &[String]) -> Result<Options, String> {
        let usage = || format!("usage: {USAGE}");
        let (what, rest) = arguments.split_first().ok_or_else(usage)?;
        let what = match what.as_str() {
            "time" => What::Time,
            "agree" => What::Agree,
            "suite" => What::Suite,
            _ => return Err(usage()),
        };
        let mut options = Options {
            what,
            jobs: PathBuf::new(),
            current: None,
            benchmarks: PathBuf::new(),
            record: None,
            dump: None,
            cap: Duration::from_secs(1),
            per_stratum: 20,
            generated: 5_000,
            drawn: 1_000,
            all_variants: false,
            workers: 1,
            seed: "keyaki".to_owned(),
            out: None,
            name: "keyaki".to_owned(),
            recipe: "keyaki-compare suite".to_owned(),
            max_statements: usize::MAX,
        };
        for pair in rest.chunks(2) {
            let [flag, value] = pair else { return Err(usage()) };
            let number =
                || value.parse::<usize>().map_err(|_| format!("`{flag} {value}` is no number"));
            match flag.as_str() {
                "--jobs" => options.jobs = PathBuf::from(value),
                "--benchmarks" => options.benchmarks = PathBuf::from(value),
                "--current" => options.current = Some(PathBuf::from(value)),
                "--record" => options.record = Some(PathBuf::from(value)),
                "--dump" => options.dump = Some(PathBuf::from(value)),
                "--cap-ms" => options.cap = Duration::from_millis(number()? as u64),
                "--per-stratum" => options.per_stratum = number()?,
                "--generated" => options.generated = number()?,
                "--drawn" => options.drawn = number()?,
                "--workers" => options.workers = number()?.max(1),
                "--variants" => options.all_variants = value == "all",
                "--seed" => options.seed.clone_from(value),
                "--out" => options.out = Some(PathBuf::from(value)),
                "--name" => options.name.clone_from(value),
                "--recipe" => options.recipe.clone_from(value),
                "--max-statements" => options.max_statements = number()?,
                _ => return Err(format!("unknown flag `{flag}`\n{}", usage())),
            }
        }
        Ok(options)
    }
}
