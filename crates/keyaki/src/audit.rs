//! Answers for which nobody is believed alone.
//!
//! Every solver runs to the end on the formulas as the encoder writes them, and requests on both sides of what policies and formulas, or
//! the statements of a certificate, say are decided twice ([`keyaki_analysis::translation`]). If solvers contradict each other, a model is none or does not replay, or
//! formulas and policies differ, there is no verdict but an error, and all that is known of it is kept in a directory
//! (`incident`).

mod incident;
mod record;

use std::time::Duration;

use keyaki_analysis::translation::statements::Reading;
use keyaki_analysis::translation::{Mismatch, Tally, Translation, reader, text};
use keyaki_analysis::{Error, Options, Question, Report, certify, encode};
use keyaki_logic::solver::AttemptResult;
use keyaki_logic::{Attempt, Cancel, Limits, SolverError};

use crate::decisions::Decisions;
use crate::engine::Engine;
use crate::job::Inquiry;
use crate::wire::{AttemptRecord, ErrorRecord, JobResult, Request};
use incident::Incident;
use record::is_wrong;
pub(crate) use record::{Noted, Queries, Record};

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
    let question = &inquiry.question;
    let record = Record::default();
    let report = engine.audit(question, &inquiry.decisions, inquiry.timeout, cancel, &record);
    let timeout = inquiry.timeout.min(TRANSLATION_TIMEOUT);
    let decisions = &inquiry.decisions;
    let translated = translation(question, decisions, N_REQUESTS, timeout, cancel).err();
    let translated =
        translated.or_else(|| statements(question, decisions, N_REQUESTS, timeout, cancel).err());
    let Some(error) = trouble(&report, translated) else {
        return inquiry.conclude(engine, report, cancel);
    };
    let attempts = match &report {
        Ok(report) => &report.attempts,
        Err(Error::Solver { attempts, .. } | Error::Unsound { attempts, .. }) => attempts,
    };
    let mut result = JobResult {
        attempts: attempts.iter().map(AttemptRecord::from).collect(),
        error: Some(error),
        ..JobResult::default()
    };
    if let Some(directory) = engine.incidents() {
        let incident = Incident { inquiry, engine, record: &record, result: &result };
        match incident.keep(directory) {
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

/// What must not be, if something is.
fn trouble(report: &Result<Report, Error>, mismatch: Option<Box<Mismatch>>) -> Option<ErrorRecord> {
    match report {
        Err(Error::Solver { error: error @ SolverError::Contradiction { .. }, .. }) => {
            return Some(ErrorRecord::new("contradiction", error.to_string()));
        }
        Err(error @ Error::Unsound { request, .. }) => {
            let request = Some(Box::new(Request::from(&**request)));
            return Some(ErrorRecord { request, ..ErrorRecord::new("unsound", error.to_string()) });
        }
        _ => {}
    }
    if let Some(mismatch) = mismatch {
        let request = Some(Box::new(Request::from(&mismatch.request)));
        let message =
            format!("what certificates are about and policies differ: {}", mismatch.detail);
        return Some(ErrorRecord { request, ..ErrorRecord::new("translation", message) });
    }
    let attempts = match report {
        Ok(report) => &report.attempts,
        Err(Error::Solver { attempts, .. } | Error::Unsound { attempts, .. }) => attempts,
    };
    let mut wrong = attempts.iter().filter(|attempt| is_wrong(&attempt.result));
    wrong.find_map(|Attempt { solver, result, .. }| match result {
        AttemptResult::Error(error) => {
            Some(ErrorRecord::new("wrong-answer", format!("{solver}: {error}")))
        }
        _ => None,
    })
}
