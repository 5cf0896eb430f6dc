//! Answers for which nobody is believed alone.
//!
//! Every solver runs to the end on the formulas as the encoder writes them, and requests on both sides of what policies and formulas, or
//! the statements of a certificate, say are decided twice ([`keyaki_analysis::translation`]). If solvers contradict each other, a model is none or does not replay, or
//! formulas and policies differ, there is no verdict but an error, and all that is known of it is kept in a directory
//! (`incident`).

pub mod formulas;
mod incident;
mod record;

use std::time::Duration;

use keyaki_analysis::findings::{Findings, Wanted, findings};
use keyaki_analysis::translation::statements::Reading;
use keyaki_analysis::translation::{Mismatch, Tally, Translation, reader, text};
use keyaki_analysis::{Error, Options, Question, Report, certify, check, encode};
use keyaki_logic::solver::AttemptResult;
use keyaki_logic::{Attempt, Cancel, Limits, SolverError};

use crate::decisions::Decisions;
use crate::engine::Engine;
use crate::job::Inquiry;
use crate::wire::{AttemptRecord, ErrorRecord, JobResult, Request};
use record::is_wrong;
pub(crate) use record::{Noted, Queries, Record};

/// The name of the task of answering a question.
const QUESTION: &str = "question";

/// The requests of each kind of which formulas and policies are compared.
const N_REQUESTS: usize = 1024;

/// How long they are compared, at most.
const TRANSLATION_TIMEOUT: Duration = Duration::from_secs(10);

/// Whether the formulas of a question say what its policies say, of so many requests on both sides of what policies say and as
/// many of what formulas say.
///
/// # Errors
///
/// A request of which they do not say the same.
pub fn translation(
    question: &Question,
    decisions: &Decisions,
    n_requests: usize,
    timeout: Duration,
    cancel: &Cancel,
) -> Result<Tally, Box<Mismatch>> {
    let mut encoding = encode(question);
    let options = Options { decisions: decisions.decided().clone(), ..Options::default() };
    let free = encoding.decide(&options.decisions);
    let mut said = reader(&text(&encoding));
    let mut ask = |model: &_| match &mut said {
        Ok(reader) => reader(model),
        Err(rejection) => Err(rejection.clone()),
    };
    let limits = Limits::within(timeout);
    let translation = Translation::new(question, &encoding);
    translation.validate(&options, &free, n_requests, &limits, cancel, &mut ask)
}

/// Whether the statements that a certificate has of a question say what its policies say, of so many requests; `None` if no certificate
/// has statements of it.
///
/// # Errors
///
/// A request of which they do not say the same.
pub fn statements(
    question: &Question,
    decisions: &Decisions,
    n_requests: usize,
    timeout: Duration,
    cancel: &Cancel,
) -> Result<Option<Tally>, Box<Mismatch>> {
    let Some(query) = certify::query(question) else { return Ok(None) };
    let options = Options { decisions: decisions.decided().clone(), ..Options::default() };
    let limits = Limits::within(timeout);
    let unread = |detail| {
        let (request, readings) = (keyaki_policy::Request::default(), decisions.readings());
        Box::new(Mismatch { request, readings, detail })
    };
    let mut reading = Reading::of(&query).map_err(unread)?;
    reading.validate(question, &options, n_requests, &limits, cancel).map(Some)
}

/// Answers an inquiry so.
pub(crate) fn ask(inquiry: &Inquiry, engine: &Engine, cancel: &Cancel) -> JobResult {
    match report(QUESTION, inquiry, engine, cancel) {
        Ok(report) => inquiry.conclude(engine, report, cancel),
        Err(incident) => *incident,
    }
}

/// What is found out about a question so, for a task of that name.
///
/// # Errors
///
/// What must not be, as a result without verdict; it is kept.
pub(crate) fn report(
    task: &str,
    inquiry: &Inquiry,
    engine: &Engine,
    cancel: &Cancel,
) -> Result<Result<Report, Error>, Box<JobResult>> {
    let Inquiry { question, decisions, timeout, .. } = inquiry;
    let record = Record::default();
    let limits = Limits::within(*timeout);
    let report = engine.audited(decisions, &record, |solver, options| {
        check(question, solver, options, &limits, cancel)
    });
    let attempts = attempts(&report, |report| &report.attempts);
    let audit = Audit { task, inquiry, engine, record: &record };
    audit.conclude(report.as_ref().err(), attempts, cancel)?;
    Ok(report)
}

/// The rows of those who break a property, found so.
///
/// # Errors
///
/// See [`report`].
pub(crate) fn rows(
    task: &str,
    inquiry: &Inquiry,
    wanted: Wanted,
    engine: &Engine,
    cancel: &Cancel,
) -> Result<Result<Findings, Error>, Box<JobResult>> {
    let Inquiry { question, decisions, timeout, .. } = inquiry;
    let record = Record::default();
    let limits = Limits::within(*timeout);
    let found = engine.audited(decisions, &record, |solver, options| {
        findings(question, wanted, solver, &options, &limits, cancel)
    });
    let attempts = attempts(&found, |found| &found.attempts);
    let audit = Audit { task, inquiry, engine, record: &record };
    audit.conclude(found.as_ref().err(), attempts, cancel)?;
    Ok(found)
}

/// The tries of what came out, or before an error.
fn attempts<T>(asked: &Result<T, Error>, of: impl Fn(&T) -> &Vec<Attempt>) -> &[Attempt] {
    match asked {
        Ok(found) => of(found),
        Err(Error::Solver { attempts, .. } | Error::Unsound { attempts, .. }) => attempts,
    }
}

/// A question that solvers were asked.
struct Audit<'a> {
    task: &'a str,
    inquiry: &'a Inquiry,
    engine: &'a Engine,
    record: &'a Record,
}

impl Audit<'_> {
    /// Holds formulas and statements to the policies, and keeps what must not be, if something is.
    fn conclude(
        &self,
        error: Option<&Error>,
        attempts: &[Attempt],
        cancel: &Cancel,
    ) -> Result<(), Box<JobResult>> {
        let Inquiry { question, decisions, timeout, .. } = self.inquiry;
        let timeout = TRANSLATION_TIMEOUT.min(*timeout);
        let mismatch = translation(question, decisions, N_REQUESTS, timeout, cancel).err();
        let mismatch =
            mismatch.or_else(|| statements(question, decisions, N_REQUESTS, timeout, cancel).err());
        match trouble(error, mismatch, attempts) {
            None => Ok(()),
            Some(error) => Err(Box::new(self.incident(error, attempts))),
        }
    }

    /// A result without verdict, of which all that is known is kept.
    fn incident(&self, error: ErrorRecord, attempts: &[Attempt]) -> JobResult {
        let mut result = JobResult {
            attempts: attempts.iter().map(AttemptRecord::from).collect(),
            error: Some(error),
            ..JobResult::default()
        };
        if let Some(directory) = self.engine.incidents() {
            match self.keep(&result, directory) {
                Ok(path) => result.incident = Some(path.display().to_string()),
                Err(cause) => {
                    let place = directory.display();
                    let hint = format!("what is known of it cannot be kept in `{place}`: {cause}");
                    result.error = result.error.map(|e| ErrorRecord { hint: Some(hint), ..e });
                }
            }
        }
        result
    }
}

/// What must not be, if something is.
fn trouble(
    error: Option<&Error>,
    mismatch: Option<Box<Mismatch>>,
    attempts: &[Attempt],
) -> Option<ErrorRecord> {
    match error {
        Some(
            error @ (Error::Solver { error: SolverError::Contradiction { .. }, .. }
            | Error::Unsound { .. }),
        ) => return Some(ErrorRecord::of_solving(error)),
        Some(Error::Solver { .. }) | None => {}
    }
    if let Some(mismatch) = mismatch {
        let request = Some(Box::new(Request::from(&mismatch.request)));
        let message =
            format!("what certificates are about and policies differ: {}", mismatch.detail);
        return Some(ErrorRecord { request, ..ErrorRecord::new("translation", message) });
    }
    let mut wrong = attempts.iter().filter(|attempt| is_wrong(&attempt.result));
    wrong.find_map(|Attempt { solver, result, .. }| match result {
        AttemptResult::Error(error) => {
            Some(ErrorRecord::new("wrong-answer", format!("{solver}: {error}")))
        }
        _ => None,
    })
}
