//! `keyaki batch`: jobs in, results out.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use keyaki::Cancel;
use keyaki::job::{Task, engines};
use keyaki::policy::json;
use keyaki::wire::{ErrorRecord, JobResult};

use super::{Exit, Failure, configuration, options};
use crate::arguments::Batch;
use crate::lines::Line;
use crate::pipeline::{self, Interruption};

/// The longest line that `batch` reads, in bytes: two policies of the greatest size, and a little.
const MAX_LINE_BYTES: usize = 2 * json::MAX_SOURCE_BYTES + (1 << 20);

/// `keyaki batch`
pub(crate) fn batch(arguments: &Batch) -> Result<Exit, Failure> {
    let config = configuration(arguments.solving.config.as_deref())?;
    let options = options(&arguments.solving);
    let engines = engines(&config, &options);
    let some_error = AtomicBool::new(false);
    let answer = |line: &Line, out: &mut Vec<u8>, cancel: &Cancel| {
        let mut result = match line {
            Line::TooLong => too_long(),
            Line::Whole(line) => match Task::from_json(line, arguments.solving.timeout) {
                Ok((id, task)) => JobResult { id, ..task.answer(&engines, cancel) },
                Err(result) => *result,
            },
        };
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
    match pipeline::run(io::stdin(), io::stdout(), workers, MAX_LINE_BYTES, &answer) {
        Ok(()) if some_error.into_inner() => Ok(Exit::Error),
        Ok(()) => Ok(Exit::Success),
        Err(Interruption::Output(error)) => Err(Failure::Output(error)),
        Err(Interruption::Input(error)) => {
            let message = format!("cannot read standard input: {error}");
            Err(ErrorRecord::new("unreadable-file", message).into())
        }
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
