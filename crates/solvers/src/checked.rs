//! A solver whose models are evaluated before they are believed.
//!
//! `sat` is the half of a solver's answers that costs nothing to check: evaluating a formula is
//! linear, and shares no code with how any solver found the model. A wrong model turns into an
//! error of that solver, so that in a portfolio the others may still conclude. `unsat` passes
//! unchecked.

use keyaki_logic::{Answer, Cancel, Formula, Limits, Outcome, Solver, SolverError, eval};

/// `S`, except that a model that does not satisfy the formula is [`SolverError::BadModel`].
#[derive(Clone, Debug)]
pub struct Checked<S> {
    inner: S,
}

impl<S> Checked<S> {
    /// Wraps `inner`.
    pub fn new(inner: S) -> Checked<S> {
        Checked { inner }
    }

    /// The wrapped solver.
    pub fn inner(&self) -> &S {
        &self.inner
    }
}

impl<S: Solver> Solver for Checked<S> {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn prefers_parts(&self) -> bool {
        self.inner.prefers_parts()
    }

    fn solve(
        &self,
        formula: &Formula,
        limits: &Limits,
        cancel: &Cancel,
    ) -> Result<Answer, SolverError> {
        let answer = self.inner.solve(formula, limits, cancel)?;
        if let Outcome::Sat(model) = &answer.outcome {
            match eval::holds(formula, model) {
                Ok(true) => {}
                Ok(false) => {
                    let detail = "an assertion is false under it".to_owned();
                    return Err(SolverError::BadModel { detail });
                }
                Err(detail) => return Err(SolverError::BadModel { detail }),
            }
        }
        Ok(answer)
    }
}
