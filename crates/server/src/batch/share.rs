//! A share of a batch: some of its jobs, which one thread answers one after the other while somebody watches.
//!
//! Whatever solves stops at its deadline by itself, or soon after it is told to. If a job does neither, which would be a fault of ours, nothing after it
//! would ever be answered. So it is given up: its result is `unknown` for the reason `timeout`, and another thread goes on with the jobs behind it.
//! The thread that it has cannot be stopped, and is lost until it ends. A thread of its own for each job would be no better off, and cost more.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use keyaki::Cancel;
use keyaki::wire::{ErrorRecord, JobResult};
use serde::Deserialize;
use tokio::sync::OwnedSemaphorePermit;

use crate::problem::Problem;
use crate::service::{Context, STOP_GRACE, Service};
use crate::split::{Form, Item};

/// What stands before each element of an array but the first.
pub(super) const COMMA: &[u8] = b",\n";

/// Jobs that are answered one after the other.
pub(super) struct Share {
    form: Form,
    state: Mutex<State>,
}

struct State {
    left: VecDeque<Item>,
    /// The job that is being answered.
    current: Option<Current>,
    results: Results,
    /// What is held of the bodies that there may be.
    permit: Option<OwnedSemaphorePermit>,
    /// Whether nobody wants more of it.
    is_stopped: bool,
}

struct Current {
    job: Arc<Vec<u8>>,
    began: Instant,
    cancel: Cancel,
}

/// What a thread that answers is to do.
enum Next {
    Job(Arc<Vec<u8>>, Cancel),
    /// One that is no job.
    Failed(Item),
    End {
        is_complete: bool,
    },
}

/// Results, as they stand in the response; in an array each has a comma before it.
#[derive(Default)]
pub(super) struct Results {
    pub(super) text: Vec<u8>,
    pub(super) n_results: u64,
}

/// When a job that is being answered should have ended.
pub(super) enum Progress {
    /// It was to end before, and was told so for long enough.
    Overrun,
    /// Not before then is there anything to do.
    Until(Instant),
}

/// What the client calls a job.
#[derive(Default, Deserialize)]
struct Named {
    id: Option<String>,
    question: Option<String>,
}

impl Results {
    fn add(&mut self, text: &[u8]) {
        self.text.extend_from_slice(text);
        self.n_results += 1;
    }
}

impl Share {
    pub(super) fn new(form: Form, jobs: Vec<Item>, permit: OwnedSemaphorePermit) -> Share {
        Share::going_on(form, jobs.into(), Results::default(), Some(permit))
    }

    fn going_on(
        form: Form,
        left: VecDeque<Item>,
        results: Results,
        permit: Option<OwnedSemaphorePermit>,
    ) -> Share {
        let state = State { left, current: None, results, permit, is_stopped: false };
        Share { form, state: Mutex::new(state) }
    }

    /// How many jobs are to be answered.
    pub(super) fn n_left(&self) -> usize {
        self.lock().left.len()
    }

    /// Answers the jobs in this thread, which have waited for so long; whether that was to the end.
    pub(super) fn answer(&self, service: &Service, context: &Context, waited: Duration) -> bool {
        loop {
            let result = match self.begin() {
                Next::Job(job, cancel) => {
                    service.job_unless_it_panics(context, waited, &job, context.time, &cancel)
                }
                Next::Failed(Item::Error(record)) => failed(*record),
                Next::Failed(_) => {
                    failed(Problem::too_large(service.settings().body_bytes_max).record)
                }
                Next::End { is_complete } => return is_complete,
            };
            if !self.put(&text(self.form, &result)) {
                return false;
            }
        }
    }

    fn begin(&self) -> Next {
        let mut state = self.lock();
        if state.is_stopped {
            return Next::End { is_complete: false };
        }
        match state.left.pop_front() {
            Some(Item::Job(job)) => {
                let (job, cancel) = (Arc::new(job), Cancel::new());
                let (began, told) = (Instant::now(), cancel.clone());
                state.current = Some(Current { job: Arc::clone(&job), began, cancel: told });
                Next::Job(job, cancel)
            }
            Some(item) => Next::Failed(item),
            None => {
                // Whoever waits for room may be who takes the results.
                state.permit = None;
                Next::End { is_complete: true }
            }
        }
    }

    /// Takes a result, unless somebody else has answered for it.
    fn put(&self, text: &[u8]) -> bool {
        let mut state = self.lock();
        if state.is_stopped {
            return false;
        }
        state.current = None;
        state.results.add(text);
        true
    }

    /// The results, which are taken out.
    pub(super) fn take_results(&self) -> Results {
        std::mem::take(&mut self.lock().results)
    }

    /// How it is with the job that is being answered and may take `time`. At its end it is told to stop.
    pub(super) fn progress(&self, time: Duration, now: Instant) -> Progress {
        let state = self.lock();
        let Some(current) = &state.current else { return Progress::Until(now + time) };
        let end = current.began + time;
        if now < end {
            return Progress::Until(end);
        }
        current.cancel.cancel();
        let end = end + STOP_GRACE;
        if now < end { Progress::Until(end) } else { Progress::Overrun }
    }

    /// Gives up the job that is being answered: what is left, after a result for that, if it has not ended meanwhile.
    pub(super) fn give_up(&self, service: &Service, context: &Context) -> Option<Share> {
        let mut state = self.lock();
        let current = state.current.take()?;
        state.is_stopped = true;
        let (left, mut results) =
            (std::mem::take(&mut state.left), std::mem::take(&mut state.results));
        let permit = state.permit.take();
        drop(state);
        let Named { id, question } = serde_json::from_slice(&current.job).unwrap_or_default();
        tracing::error!(request_id = %context.id, "a job did not stop in time and is given up");
        let result = service.late(context, question, current.began.elapsed());
        results.add(&text(self.form, &JobResult { id, ..result }));
        Some(Share::going_on(self.form, left, results, permit))
    }

    /// Ends it: nobody wants it any more.
    pub(super) fn stop(&self) {
        let mut state = self.lock();
        state.is_stopped = true;
        state.left.clear();
        if let Some(current) = state.current.take() {
            current.cancel.cancel();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A result as it stands in the response.
fn text(form: Form, result: &JobResult) -> Vec<u8> {
    let mut text = Vec::new();
    if form == Form::Array {
        text.extend_from_slice(COMMA);
    }
    serde_json::to_writer(&mut text, result).expect("a result is JSON, and memory takes it");
    if form == Form::Lines {
        text.push(b'\n');
    }
    text
}

fn failed(record: ErrorRecord) -> JobResult {
    JobResult { error: Some(record), ..JobResult::default() }
}
