//! `keyaki batch`: jobs in, results out.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use keyaki::job::{Task, engines};
use keyaki::policy::json;
use keyaki::wire::{ErrorRecord, EvidenceName, JobResult, VerdictName};
use keyaki::{Cancel, EngineOptions};

use super::{Exit, Failure, configuration, options};
use crate::arguments::Batch;
use crate::lines::Line;
use crate::pipeline::{self, Interruption};
use crate::render;

/// The longest line that `batch` reads, in bytes: two policies of the greatest size, and a little.
const MAX_LINE_BYTES: usize = 2 * json::MAX_SOURCE_BYTES + (1 << 20);

/// `keyaki batch`
pub(crate) fn batch(arguments: &Batch) -> Result<Exit, Failure> {
    let config = configuration(arguments.solving.config.as_deref())?;
    let audit_share = arguments.audit_share;
    let Batch { recheck_every, recheck_seed, .. } = *arguments;
    let options = options(&arguments.solving);
    let options = EngineOptions { audit_share, recheck_every, recheck_seed, ..options };
    let engines = engines(&config, &options);
    let some_error = AtomicBool::new(false);
    let tally = Mutex::new(Tally::default());
    let answer = |line: &Line, out: &mut Vec<u8>, cancel: &Cancel| {
        let mut result = match line {
            Line::TooLong => too_long(),
            Line::Whole(line) => match Task::from_json(line, arguments.solving.timeout) {
                Ok((id, mut task)) => {
                    let is_wanted = task.is_certificate_wanted();
                    if arguments.certify {
                        task.certify();
                    }
                    let mut result = JobResult { id, ..task.answer(&engines, cancel) };
                    if !is_wanted {
                        result.certificate = None;
                    }
                    result
                }
                Err(result) => *result,
            },
        };
        if arguments.certify {
            tally.lock().unwrap_or_else(PoisonError::into_inner).count(&result);
        }
        if !arguments.attempts {
            result.attempts.clear();
        }
        if result.error.is_some() {
            some_error.store(true, Ordering::Relaxed);
        }
        serde_json::to_writer(&mut *out, &result).expect("a result is JSON, and memory takes it");
        out.push(b'\n');
    };
    let workers = arguments.workers.map_or_else(cores, usize::from);
    let ended = pipeline::run(io::stdin(), io::stdout(), workers, MAX_LINE_BYTES, &answer);
    if arguments.certify {
        // If standard error is closed there is nobody left to tell.
        let tally = tally.into_inner().unwrap_or_else(PoisonError::into_inner);
        drop(io::stderr().write_all(tally.text().as_bytes()));
    }
    match ended {
        Ok(()) if some_error.into_inner() => Ok(Exit::Error),
        Ok(()) => Ok(Exit::Success),
        Err(Interruption::Output(error)) => Err(Failure::Output(error)),
        Err(Interruption::Input(error)) => {
            let message = format!("cannot read standard input: {error}");
            Err(ErrorRecord::new("unreadable-file", message).into())
        }
    }
}

/// What holds, and what of it is certified.
#[derive(Default)]
struct Tally {
    n_holding: usize,
    n_certified: usize,
    /// Ids of results, or questions without an id, with the reason.
    uncertified: Vec<String>,
}

/// The most results that are named because they are not certified.
const MAX_NAMED: usize = 100;

impl Tally {
    fn count(&mut self, result: &JobResult) {
        if result.verdict != Some(VerdictName::Holds) {
            return;
        }
        self.n_holding += 1;
        if result.evidence == Some(EvidenceName::Certified) {
            self.n_certified += 1;
        } else if self.uncertified.len() < MAX_NAMED {
            let name = result.id.as_ref().or(result.question.as_ref());
            let name = name.map(String::as_str).unwrap_or_default();
            // A bucket has none, for instance.
            let reason = result.uncertified.as_deref().unwrap_or("no certificate of such a task");
            self.uncertified.push(format!("{name}: {reason}"));
        }
    }

    fn text(&self) -> String {
        let Tally { n_holding, n_certified, uncertified } = self;
        let mut text = format!("certified {n_certified} of {n_holding} that hold\n");
        for line in uncertified {
            text += &format!("not certified: {}\n", render::visible(line));
        }
        let n_more = (n_holding - n_certified).saturating_sub(uncertified.len());
        if n_more > 0 {
            text += &format!("and {n_more} more are not certified\n");
        }
        text
    }
}

/// How many threads run at once on this machine, as far as is known.
fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn too_long() -> JobResult {
    let message = format!("the line is longer than {MAX_LINE_BYTES} bytes");
    let error = Some(ErrorRecord::new("too-large", message));
    JobResult { error, ..JobResult::default() }
}
