//! The contract between whoever has a formula and whoever decides it.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::cancel::Cancel;
use crate::model::Model;
use crate::proof::Proof;
use crate::term::Formula;

/// Decides formulas.
///
/// Stateless on purpose: a race is trivially safe, every call can be recorded as one file, and an
/// in-process solver and a child process look alike.
pub trait Solver: Send + Sync {
    /// The name that answers and reports use.
    fn name(&self) -> &str;

    /// Decides whether some assignment satisfies every assertion of `formula`.
    ///
    /// Giving up is an answer, [`Outcome::Unknown`]; breaking is an error. Returns promptly once
    /// `cancel` is set or the deadline has passed, with nothing left running.
    ///
    /// # Errors
    ///
    /// [`SolverError`] if the solver broke rather than gave up.
    fn solve(
        &self,
        formula: &Formula,
        limits: &Limits,
        cancel: &Cancel,
    ) -> Result<Answer, SolverError>;

    /// Whether a large formula is decided sooner if its alternatives are put one after the other, each
    /// simplified.
    fn prefers_parts(&self) -> bool {
        true
    }

    /// As [`Solver::solve`]; and if there is no model, why, from a solver that can tell. The answer
    /// is the same, but takes longer.
    ///
    /// # Errors
    ///
    /// See [`Solver::solve`].
    fn explain(
        &self,
        formula: &Formula,
        limits: &Limits,
        cancel: &Cancel,
    ) -> Result<(Answer, Option<Proof>), SolverError> {
        Ok((self.solve(formula, limits, cancel)?, None))
    }
}

/// What a solver says about a formula.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Some assignment satisfies the formula, and this is one. It has a value for every variable.
    Sat(Model),
    /// No assignment satisfies the formula.
    Unsat,
    /// Neither was found out.
    Unknown(Reason),
}

/// Why an answer is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// The deadline passed.
    Timeout,
    /// The memory limit was reached.
    Memory,
    /// The formula uses something that the solver cannot be told.
    Unsupported,
    /// The solver said so.
    SolverGaveUp,
    /// Somebody cancelled.
    Cancelled,
}

/// An outcome, who found it, and what everybody did.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The outcome.
    pub outcome: Outcome,
    /// The solvers that came to this outcome by themselves, the first to do so first.
    /// Empty if the outcome is unknown.
    pub by: Vec<String>,
    /// Each solver's try.
    pub attempts: Vec<Attempt>,
}

/// One solver's try at one formula.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The solver's name.
    pub solver: String,
    /// How it ended.
    pub result: AttemptResult,
    /// From call to return.
    pub wall: Duration,
    /// The script that was sent, where scripts are kept.
    pub script: Option<PathBuf>,
}

/// How one solver's try ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttemptResult {
    /// With a model that satisfies the formula.
    Sat,
    /// With a claim that there is none.
    Unsat,
    /// Without an answer.
    Unknown(Reason),
    /// It broke.
    Error(SolverError),
}

/// Upper bounds on what one call may spend.
#[derive(Clone, Debug)]
pub struct Limits {
    /// When to stop. A child process is killed at this moment.
    pub deadline: Instant,
    /// Address space of a child process, in bytes.
    pub memory_bytes: u64,
}

impl Limits {
    /// Thirty seconds: what Zelkova gives a query ("A billion SMT queries a day", CAV 2022).
    pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);

    /// Four gibibytes: no solver reached them on any query of our corpus.
    pub const DEFAULT_MEMORY_BYTES: u64 = 4 << 30;

    /// The longest time that [`Limits::within`] grants; longer requests are cut to it.
    pub const MAX_TIMEOUT: Duration = Duration::from_secs(24 * 60 * 60);

    /// Limits that end `timeout` from now, with the default memory.
    pub fn within(timeout: Duration) -> Limits {
        Limits {
            deadline: Instant::now() + timeout.min(Limits::MAX_TIMEOUT),
            memory_bytes: Limits::DEFAULT_MEMORY_BYTES,
        }
    }
}

/// How a solver broke.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SolverError {
    /// The program could not be started.
    #[error("cannot start `{command}`: {cause}")]
    NotFound {
        /// The command that was tried.
        command: String,
        /// The system's words.
        cause: String,
    },
    /// The process ended without an answer.
    #[error("stopped without an answer ({status}){}", said(.output))]
    Crashed {
        /// How it ended, such as `signal 11` or `exit status 1`.
        status: String,
        /// The beginning of what it wrote.
        output: String,
    },
    /// The answer is not one that SMT-LIB allows.
    #[error("answered something that is not SMT-LIB{}", said(.output))]
    Rubbish {
        /// The beginning of what it wrote.
        output: String,
    },
    /// It answered `sat` with a model that does not satisfy the formula.
    #[error("answered sat with a model that does not satisfy the formula: {detail}")]
    BadModel {
        /// What is wrong with the model.
        detail: String,
    },
    /// It answered `unsat` and cannot prove it.
    #[error("answered unsat without a proof: {detail}")]
    BadProof {
        /// What is wrong with the proof.
        detail: String,
    },
    /// Solvers gave contradictory definite answers.
    #[error("contradictory answers: sat by {}, unsat by {}", .sat.join(", "), .unsat.join(", "))]
    Contradiction {
        /// Who answered sat.
        sat: Vec<String>,
        /// Who answered unsat.
        unsat: Vec<String>,
        /// Each solver's try.
        attempts: Vec<Attempt>,
    },
    /// Every member of a portfolio broke.
    #[error("no solver answered: {}", failures(.attempts))]
    AllFailed {
        /// Each solver's try.
        attempts: Vec<Attempt>,
    },
    /// There is no solver to ask.
    #[error("no solver is installed")]
    NoSolver,
    /// The system refused something else, such as a thread or a pipe.
    #[error("{0}")]
    System(String),
}

impl SolverError {
    /// Each solver's try, if the error is of several.
    pub fn attempts(&self) -> &[Attempt] {
        match self {
            SolverError::Contradiction { attempts, .. } | SolverError::AllFailed { attempts } => {
                attempts
            }
            _ => &[],
        }
    }
}

fn failures(attempts: &[Attempt]) -> String {
    let failures = attempts.iter().filter_map(|attempt| match &attempt.result {
        AttemptResult::Error(error) => Some(format!("{}: {error}", attempt.solver)),
        _ => None,
    });
    failures.collect::<Vec<_>>().join("; ")
}

fn said(output: &str) -> String {
    if output.is_empty() { String::new() } else { format!(": {output}") }
}
