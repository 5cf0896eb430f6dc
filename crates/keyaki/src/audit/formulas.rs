//! What the texts of policies told, asked once more of formulas.
//!
//! `cover` decides most of what holds without a formula, and nobody sees it if it is wrong. So some of its answers are put to the
//! embedded solver, which knows nothing of the texts; `keyaki check` does it with each that has no certificate. An audit of all
//! solvers would find the same, and takes processes that a service has better use for; a certificate of statements would be cheaper,
//! and shares the reading of statements with nobody but the checker, so that what both misread would pass.

use std::time::{Duration, Instant};

use keyaki_analysis::check::COVER;
use keyaki_analysis::{Report, Verdict, check};
use keyaki_logic::{Cancel, Limits};

use super::record::Record;
use super::{Audit, QUESTION, attempts, trouble};
use crate::engine::Engine;
use crate::job::{EngineMaker, Inquiry, Task};
use crate::wire::{ErrorRecord, JobResult, Request, VerdictName};

/// One in so many answers of `cover` is put to formulas by a service, unless somebody wants it otherwise.
pub const RECHECK_EVERY: u32 = 256;

/// What came of asking once more.
#[derive(Clone, Debug, PartialEq)]
pub enum Rechecked {
    /// The formulas say the same.
    Agreed,
    /// That was not found out.
    Inconclusive,
    /// They do not: a result without verdict, of which all that is known is kept.
    Disagreed(Box<JobResult>),
}

/// Whether an answer is one that nobody but `cover` has given.
pub fn is_of_cover(result: &JobResult) -> bool {
    result.verdict == Some(VerdictName::Holds) && result.solver.as_deref() == Some(COVER)
}

/// Asks once more what `cover` has said of a task; `None` if it has no say in tasks of its kind.
pub fn recheck(
    task: &Task,
    engine: &EngineMaker<'_>,
    timeout: Duration,
    cancel: &Cancel,
) -> Option<Rechecked> {
    let start = Instant::now();
    let left = || timeout.saturating_sub(start.elapsed());
    let said_by_cover = match task {
        Task::Question(inquiry) => vec![inquiry],
        // Of its questions others may have another answer.
        Task::Bucket(bucket) => {
            bucket.inquiries().filter(|i| is_said_by_cover(i, engine, left(), cancel)).collect()
        }
        _ => return None,
    };
    let mut all = Rechecked::Agreed;
    for inquiry in said_by_cover {
        let Ok(engine) = engine(&inquiry.solvers) else { return Some(Rechecked::Inconclusive) };
        match of(inquiry, &engine, left(), cancel) {
            Rechecked::Agreed => {}
            Rechecked::Inconclusive => all = Rechecked::Inconclusive,
            disagreed => return Some(disagreed),
        }
    }
    Some(all)
}

fn is_said_by_cover(
    inquiry: &Inquiry,
    engine: &EngineMaker<'_>,
    timeout: Duration,
    cancel: &Cancel,
) -> bool {
    let Ok(engine) = engine(&inquiry.solvers) else { return false };
    let said = engine.check_within(&inquiry.question, &inquiry.decisions, timeout, cancel);
    said.is_ok_and(|report| {
        matches!(report.verdict, Verdict::Holds(_)) && report.solver.as_deref() == Some(COVER)
    })
}

/// The same of one question that `cover` says holds.
pub(crate) fn of(
    inquiry: &Inquiry,
    engine: &Engine,
    timeout: Duration,
    cancel: &Cancel,
) -> Rechecked {
    let record = Record::default();
    let limits = Limits::within(timeout);
    let report = Engine::embedded_on_formulas(&inquiry.decisions, &record, |solver, options| {
        check(&inquiry.question, solver, options, &limits, cancel)
    });
    let attempts = attempts(&report, |report| &report.attempts);
    let audit = Audit { task: QUESTION, inquiry, engine, record: &record };
    if let Some(error) = trouble(report.as_ref().err(), None, attempts) {
        return Rechecked::Disagreed(Box::new(audit.incident(error, attempts)));
    }
    match &report {
        Ok(Report { verdict: Verdict::Holds(_), .. }) => Rechecked::Agreed,
        Ok(Report { verdict: Verdict::Fails(witness), .. }) => {
            let how = "contradictory answers: the texts of the policies tell that it holds, and a request breaks it";
            let request = Some(Box::new(Request::from(&witness.request)));
            let error = ErrorRecord { request, ..ErrorRecord::new("contradiction", how) };
            Rechecked::Disagreed(Box::new(audit.incident(error, attempts)))
        }
        Ok(Report { verdict: Verdict::Unknown { .. }, .. }) | Err(_) => Rechecked::Inconclusive,
    }
}
