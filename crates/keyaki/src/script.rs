//! Scripts of SMT-LIB: what is wrong with one, and whether an answer is what the script says of itself.
//!
//! A script that knows its answer is a test of whoever answers. That they disagree is never passed over,
//! and never settled by a vote: one of them is wrong, and somebody has to look.

use keyaki_logic::SolverError;
use keyaki_logic::smtlib::read::{self, Place, Script, Status, SyntaxError, Unsupported};
use keyaki_logic::solver::AttemptResult;
use keyaki_solvers::{Automaton, RawAnswer, ScriptAnswer};

use crate::engine::word;

/// An answer to a script.
#[derive(Clone, Debug)]
pub struct Solved {
    /// The answer, who found it, and what everybody did.
    pub answer: ScriptAnswer,
    /// What of the script is outside of the fragment that the embedded solver reads.
    pub unsupported: Option<Unsupported>,
}

/// Why there is no answer to a script.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScriptError {
    /// It is no script.
    #[error("{}", .0.message)]
    Syntax(SyntaxError),
    /// It does not ask once.
    #[error("the script has {0} commands `(check-sat)`, where one is expected")]
    Checks(usize),
    /// The answer is not what the script says of itself.
    #[error("{by} answered {answer}, and the script says that its status is {status}")]
    Status {
        /// Who answered.
        by: String,
        /// The answer.
        answer: &'static str,
        /// What the script says.
        status: &'static str,
    },
    /// The solvers broke or contradict each other.
    #[error(transparent)]
    Solver(SolverError),
}

impl ScriptError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            ScriptError::Syntax(error) => Some(error.hint.clone()),
            ScriptError::Status { .. } => Some(
                "one of them is wrong; ask the others, with `--audit`, and report it".to_owned(),
            ),
            ScriptError::Checks(_) | ScriptError::Solver(_) => None,
        }
    }

    /// Where it is.
    pub fn place(&self) -> Option<Place> {
        match self {
            ScriptError::Syntax(error) => Some(error.place),
            _ => None,
        }
    }
}

/// Reads a script that asks once.
pub(crate) fn read(text: &str) -> Result<Script, ScriptError> {
    let script = read::script(text).map_err(ScriptError::Syntax)?;
    match script.n_checks {
        1 => Ok(script),
        n => Err(ScriptError::Checks(n)),
    }
}

/// Holds an answer to what the script says.
pub(crate) fn solved(script: &Script, answer: ScriptAnswer) -> Result<Solved, ScriptError> {
    let status = match (&answer.answer, script.status) {
        (RawAnswer::Sat(_), Some(Status::Unsat)) => Some("unsat"),
        (RawAnswer::Unsat, Some(Status::Sat)) => Some("sat"),
        _ => None,
    };
    if let Some(status) = status {
        let by = answer.by.join(", ");
        return Err(ScriptError::Status { by, answer: word(&answer.answer), status });
    }
    // If those who read everything all refuse it, that is no question of the fragment.
    let mut others = answer.attempts.iter().filter(|attempt| attempt.solver != Automaton::NAME);
    let is_broken = others.clone().next().is_some()
        && others.all(|attempt| matches!(attempt.result, AttemptResult::Error(_)));
    if is_broken && matches!(answer.answer, RawAnswer::Unknown(_)) {
        return Err(ScriptError::Solver(SolverError::AllFailed { attempts: answer.attempts }));
    }
    Ok(Solved { answer, unsupported: script.unsupported.clone() })
}
