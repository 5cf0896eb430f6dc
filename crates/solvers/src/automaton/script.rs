//! The embedded solver, for a script that has been read.
//!
//! The text is not read again here: whoever has a script wants to know what is wrong with it, and that is
//! no answer of a solver.

use keyaki_logic::smtlib::read::Script;
use keyaki_logic::{Cancel, Limits, Outcome, Reason, Solver, SolverError};

use super::Automaton;
use crate::process::{RawAnswer, ScriptSolver};

/// Answers the script that it was made of.
#[derive(Clone, Copy, Debug)]
pub struct Scripted<'s>(pub &'s Script);

impl ScriptSolver for Scripted<'_> {
    fn name(&self) -> &str {
        Automaton::NAME
    }

    /// As [`Automaton`] answers the formula. What lacks assertions may have no model, and then the
    /// script has none; that it has one says nothing.
    fn run_script(
        &self,
        _: &str,
        limits: &Limits,
        cancel: &Cancel,
    ) -> Result<RawAnswer, SolverError> {
        let Scripted(script) = self;
        let answer = Automaton.solve(&script.formula, limits, cancel)?;
        Ok(match answer.outcome {
            Outcome::Unsat => RawAnswer::Unsat,
            Outcome::Unknown(reason) => RawAnswer::Unknown(reason),
            Outcome::Sat(_) if script.unsupported.is_some() => {
                RawAnswer::Unknown(Reason::Unsupported)
            }
            Outcome::Sat(model) => match script.model(&model) {
                Some(text) => RawAnswer::Sat(text),
                None => RawAnswer::Unknown(Reason::Unsupported),
            },
        })
    }
}
