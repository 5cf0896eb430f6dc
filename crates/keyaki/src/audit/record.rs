//! What solvers were asked and said, as far as somebody may want to see it.
//!
//! The last query is kept, and those to which somebody gave an answer that cannot be right. To keep all was not taken: a large policy
//! has thousands.

use std::sync::{Mutex, MutexGuard, PoisonError};

use keyaki_logic::solver::AttemptResult;
use keyaki_logic::{Answer, Cancel, Formula, Limits, Outcome, Solver, SolverError};

/// The most queries with wrong answers that are kept.
const MAX_WRONG: usize = 8;

/// The queries that are kept.
#[derive(Default)]
pub(crate) struct Record {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    wrong: Vec<Asked>,
    last: Option<Asked>,
}

/// A query, and what each solver said.
#[derive(Clone)]
pub(super) struct Asked {
    pub(super) formula: Formula,
    pub(super) said: Vec<(String, Result<Outcome, SolverError>)>,
}

impl Record {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The queries with wrong answers, and the last one.
    pub(super) fn asked(&self) -> Vec<Asked> {
        let state = self.lock();
        state.wrong.iter().chain(&state.last).cloned().collect()
    }
}

/// A solver whose answers are noted.
pub(crate) struct Noted<'r, S> {
    pub(crate) record: &'r Record,
    pub(crate) solver: S,
}

impl<S: Solver> Solver for Noted<'_, S> {
    fn name(&self) -> &str {
        self.solver.name()
    }

    fn prefers_parts(&self) -> bool {
        self.solver.prefers_parts()
    }

    fn solve(
        &self,
        formula: &Formula,
        limits: &Limits,
        cancel: &Cancel,
    ) -> Result<Answer, SolverError> {
        let answer = self.solver.solve(formula, limits, cancel);
        if let Some(asked) = &mut self.record.lock().last {
            let said = answer.clone().map(|answer| answer.outcome);
            asked.said.push((self.name().to_owned(), said));
        }
        answer
    }
}

/// A portfolio whose queries are noted.
pub(crate) struct Queries<'r, S> {
    pub(crate) record: &'r Record,
    pub(crate) portfolio: S,
}

impl<S: Solver> Solver for Queries<'_, S> {
    fn name(&self) -> &str {
        self.portfolio.name()
    }

    fn prefers_parts(&self) -> bool {
        self.portfolio.prefers_parts()
    }

    fn solve(
        &self,
        formula: &Formula,
        limits: &Limits,
        cancel: &Cancel,
    ) -> Result<Answer, SolverError> {
        self.record.lock().last = Some(Asked { formula: formula.clone(), said: Vec::new() });
        let answer = self.portfolio.solve(formula, limits, cancel);
        let mut state = self.record.lock();
        // That a model is none is found out outside of what is noted.
        let attempts = answer.as_ref().map_or_else(SolverError::attempts, |a| &a.attempts);
        if attempts.iter().any(|attempt| is_wrong(&attempt.result)) && state.wrong.len() < MAX_WRONG
        {
            let wrong = state.last.take();
            state.wrong.extend(wrong);
        }
        answer
    }
}

/// Whether a try ended with an answer that cannot be right.
pub(super) fn is_wrong(result: &AttemptResult) -> bool {
    matches!(
        result,
        AttemptResult::Error(SolverError::BadModel { .. } | SolverError::BadProof { .. })
    )
}
