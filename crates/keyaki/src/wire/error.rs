//! What went wrong, and what solvers did.
//!
//! An error is a member of a result and no other sort of answer, so that whoever reads results line by line has one type to read.

use keyaki_analysis::Error;
use keyaki_logic::solver::AttemptResult;
use keyaki_logic::{Attempt, SolverError};
use keyaki_policy::ParseError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{JobResult, ReasonName, Request, nanoseconds};

/// What went wrong, and where.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ErrorRecord {
    /// The kind of mistake, stable for programs.
    pub code: String,
    /// The mistake, in words.
    pub message: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// JSON pointer into the job, to the policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// JSON pointer into the policy, or into the job if no policy is concerned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Line, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// Column in characters, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<u32>,
    /// With `unsound`: the request that did not replay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<Box<Request>>,
}

impl std::fmt::Display for ErrorRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ErrorRecord {}

impl ErrorRecord {
    /// An error without a place.
    pub fn new(code: &str, message: impl Into<String>) -> ErrorRecord {
        ErrorRecord {
            code: code.to_owned(),
            message: message.into(),
            hint: None,
            policy: None,
            path: None,
            line: None,
            column: None,
            request: None,
        }
    }

    /// Why there is no verdict: a fault of the solvers, or of ours.
    pub fn of_solving(error: &Error) -> ErrorRecord {
        let (code, request) = match error {
            Error::Solver { error: SolverError::NoSolver, .. } => ("no-solver", None),
            Error::Solver { error: SolverError::Contradiction { .. }, .. } => {
                ("contradiction", None)
            }
            Error::Solver { .. } => ("solver-failed", None),
            Error::Unsound { request, .. } => ("unsound", Some(Box::new((&**request).into()))),
        };
        ErrorRecord { request, ..ErrorRecord::new(code, error.to_string()) }
    }

    /// A mistake in the policy at the JSON pointer `policy`.
    pub fn in_policy(policy: &str, error: &ParseError) -> ErrorRecord {
        ErrorRecord {
            hint: error.hint.clone(),
            policy: Some(policy.to_owned()),
            path: Some(error.path.clone()),
            line: Some(error.position.line),
            column: Some(error.position.column),
            ..ErrorRecord::new(error.code.as_str(), error.message.clone())
        }
    }
}

/// One solver's try at one query.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AttemptRecord {
    /// The solver.
    pub solver: String,
    /// `sat`, `unsat`, `error`, or why it is unknown.
    pub result: String,
    /// What went wrong, with `error`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Wall-clock time, in nanoseconds.
    pub wall_ns: u64,
    /// The script, where scripts are kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub script: Option<String>,
}

impl From<&Attempt> for AttemptRecord {
    fn from(attempt: &Attempt) -> AttemptRecord {
        let (result, message) = match &attempt.result {
            AttemptResult::Sat => ("sat", None),
            AttemptResult::Unsat => ("unsat", None),
            AttemptResult::Unknown(reason) => (ReasonName::from(*reason).as_str(), None),
            AttemptResult::Error(error) => ("error", Some(error.to_string())),
        };
        AttemptRecord {
            solver: attempt.solver.clone(),
            result: result.to_owned(),
            message,
            wall_ns: nanoseconds(attempt.wall),
            script: attempt.script.as_ref().map(|path| path.display().to_string()),
        }
    }
}

impl JobResult {
    /// Nothing but why there is no verdict, with what solvers did before.
    pub fn of_error(error: &Error) -> JobResult {
        let (Error::Solver { attempts, .. } | Error::Unsound { attempts, .. }) = error;
        let attempts = attempts.iter().map(AttemptRecord::from).collect();
        JobResult { error: Some(ErrorRecord::of_solving(error)), attempts, ..JobResult::default() }
    }
}
