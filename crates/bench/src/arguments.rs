//! What the program is told.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Measure SMT solvers on many queries, and upgrade one without losing an answer.
#[derive(Parser)]
#[command(version, max_term_width = 100)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

#[derive(Subcommand)]
pub(crate) enum Verb {
    /// Make a suite of a folder of scripts (*.smt2)
    Index(Index),
    /// Tell which solvers there are, and their versions
    Solvers(OfSolvers),
    /// Run solvers on the queries of a suite, in turns, and write a record
    Measure(Measure),
    /// Compare two solvers, or two versions of one, by a record
    Cmp(Cmp),
    /// Rank all solvers of a record, and tell what each is worth beside the others
    Rank(Rank),
    /// Whether a new version may replace an old one: exit status 1 if it loses an answer
    Gate(Gate),
    /// Whether every answer of a record is what is known: exit status 1 if one is not, or a solver broke
    Check(Check),
    /// A record as a page of HTML, and its plots as SVG and PNG
    Report(Report),
    /// Which solver a portfolio asks first, and for how long alone, by a record
    Learn(Learn),
    /// Sort the queries of a suite into tiers by the times of a record
    Tiers(Tiers),
    /// Why a query takes a new version longer: statistics, a smaller query, and options
    Explain(Explain),
    /// One run, for `measure`
    #[command(hide = true)]
    Supervise,
}

#[derive(Args)]
pub(crate) struct Index {
    /// The folder
    pub(crate) folder: PathBuf,
    /// What the suite is called [default: as the folder]
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Tiers that `tiers --out` wrote, for the queries that they are of
    #[arg(long, value_name = "FILE")]
    pub(crate) tiers: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct OfSolvers {
    /// Solvers in TOML
    #[arg(long, value_name = "FILE")]
    pub(crate) solvers: PathBuf,
    /// Only this solver; repeat for several [default: all that are there]
    #[arg(long, value_name = "NAME")]
    pub(crate) solver: Vec<String>,
}

/// Which queries.
#[derive(Args)]
pub(crate) struct Choice {
    /// Only queries whose id or name this regular expression finds
    #[arg(long, value_name = "REGEX")]
    pub(crate) filter: Option<String>,
    /// Only queries of this tier: small, medium, large, huge
    #[arg(long)]
    pub(crate) tier: Option<String>,
    /// A sample of so many, more or less: of each family and size its share, and some of each
    #[arg(long, value_name = "N")]
    pub(crate) sample: Option<usize>,
    /// What the sample and the order of queries depend on
    #[arg(long, default_value = "keyaki")]
    pub(crate) seed: String,
}

#[derive(Args)]
pub(crate) struct Measure {
    /// The suite's folder
    #[arg(long, value_name = "DIR")]
    pub(crate) suite: PathBuf,
    #[command(flatten)]
    pub(crate) solvers: OfSolvers,
    #[command(flatten)]
    pub(crate) choice: Choice,
    /// The record; one that is there already is gone on with
    #[arg(long, value_name = "FILE")]
    pub(crate) record: PathBuf,
    /// How often each solver is asked each query
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) runs: u32,
    /// How many queries are measured at a time; each slows the others down
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) workers: usize,
    /// Stop after so many minutes, and go on another time
    #[arg(long, value_name = "N")]
    pub(crate) minutes: Option<u64>,
    /// Tell what would be run, and run nothing
    #[arg(long)]
    pub(crate) list: bool,
}

/// Which time counts.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum ClockArgument {
    /// From start to end
    Wall,
    /// Of the processor
    Cpu,
}

/// What is read.
#[derive(Args)]
pub(crate) struct Reading {
    /// Records, or folders of them
    #[arg(required = true, value_name = "RECORD")]
    pub(crate) records: Vec<PathBuf>,
    /// The suite, for what is known of its queries
    #[arg(long, value_name = "DIR")]
    pub(crate) suite: Option<PathBuf>,
    /// Which time counts
    #[arg(long, value_enum, default_value = "wall")]
    pub(crate) clock: ClockArgument,
}

impl Reading {
    /// The records, in words.
    pub(crate) fn names(&self) -> String {
        let names: Vec<String> =
            self.records.iter().map(|path| path.display().to_string()).collect();
        names.join(", ")
    }
}

/// The two that are compared.
#[derive(Args)]
pub(crate) struct Two {
    /// The old one: NAME, or NAME@VERSION
    #[arg(long, value_name = "SOLVER")]
    pub(crate) old: String,
    /// The new one
    #[arg(long, value_name = "SOLVER")]
    pub(crate) new: String,
    /// By what factor the new one may take longer without being called slower ...
    #[arg(long, value_name = "FACTOR", default_value_t = 2.0)]
    pub(crate) slack: f64,
    /// ... as long as it is no more than so many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 0.5)]
    pub(crate) slack_s: f64,
}

#[derive(Args)]
pub(crate) struct Cmp {
    #[command(flatten)]
    pub(crate) reading: Reading,
    #[command(flatten)]
    pub(crate) two: Two,
    /// List the queries of this class too: lost, won, slower, …; repeat for several
    #[arg(long, value_name = "CLASS")]
    pub(crate) list: Vec<String>,
}

#[derive(Args)]
pub(crate) struct Rank {
    #[command(flatten)]
    pub(crate) reading: Reading,
    /// Only this solver; repeat for several [default: all of the record]
    #[arg(long, value_name = "SOLVER")]
    pub(crate) solver: Vec<String>,
}

#[derive(Args)]
#[command(after_help = "exit status: 0 open, 1 closed, 2 error")]
pub(crate) struct Gate {
    #[command(flatten)]
    pub(crate) reading: Reading,
    #[command(flatten)]
    pub(crate) two: Two,
    /// Solvers in TOML, to measure again what looks lost; needs --suite
    #[arg(long, value_name = "FILE")]
    pub(crate) solvers: Option<PathBuf>,
    /// How many runs of both a query has before it is called lost or slower
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub(crate) runs: u32,
    /// Measure again for so many minutes at most, and go on another time
    #[arg(long, value_name = "N")]
    pub(crate) minutes: Option<u64>,
    /// Let through what is solved in some runs only
    #[arg(long)]
    pub(crate) allow_unstable: bool,
    /// Let through what is slower by more than the slack
    #[arg(long)]
    pub(crate) allow_slower: bool,
}

#[derive(Args)]
pub(crate) struct Check {
    #[command(flatten)]
    pub(crate) reading: Reading,
}

#[derive(Args)]
pub(crate) struct Report {
    #[command(flatten)]
    pub(crate) reading: Reading,
    /// The folder that the page and the plots go into
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// What the page is called
    #[arg(long, default_value = "Solvers compared")]
    pub(crate) title: String,
    /// Two solvers to compare, as OLD,NEW; repeat for several [default: each solver with the next]
    #[arg(long, value_name = "OLD,NEW")]
    pub(crate) pair: Vec<String>,
    /// Solvers that were asked the same queries, to rank, as A,B,C; repeat for several [default: all]
    #[arg(long, value_name = "SOLVERS")]
    pub(crate) group: Vec<String>,
    /// By what factor the new one may take longer without being called slower ...
    #[arg(long, value_name = "FACTOR", default_value_t = 2.0)]
    pub(crate) slack: f64,
    /// ... as long as it is no more than so many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 0.5)]
    pub(crate) slack_s: f64,
}

#[derive(Args)]
pub(crate) struct Learn {
    #[command(flatten)]
    pub(crate) reading: Reading,
    /// A member; repeat for several [default: all of the record]
    #[arg(long, value_name = "SOLVER")]
    pub(crate) solver: Vec<String>,
    /// Write the best plan as TOML
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct Tiers {
    #[command(flatten)]
    pub(crate) reading: Reading,
    /// By the times of this solver, and others that are named; repeat for several [default: all of the record]
    #[arg(long, value_name = "SOLVER")]
    pub(crate) solver: Vec<String>,
    /// Write them into a file too, for suites that are made later
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct Explain {
    /// A script, or with --suite the id or name of a query
    pub(crate) query: String,
    /// The suite's folder
    #[arg(long, value_name = "DIR")]
    pub(crate) suite: Option<PathBuf>,
    /// Solvers in TOML
    #[arg(long, value_name = "FILE")]
    pub(crate) solvers: PathBuf,
    /// The old one, by its name
    #[arg(long, value_name = "NAME")]
    pub(crate) old: String,
    /// The new one
    #[arg(long, value_name = "NAME")]
    pub(crate) new: String,
    /// By what factor the new one is slower, at least, to count as a gap ...
    #[arg(long, default_value_t = 3.0)]
    pub(crate) factor: f64,
    /// ... and by how many seconds of processor time
    #[arg(long, default_value_t = 0.5)]
    pub(crate) seconds: f64,
    /// How long to make the query smaller
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(crate) minutes: u64,
    /// Where the smaller query goes [default: explained.smt2]
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}
