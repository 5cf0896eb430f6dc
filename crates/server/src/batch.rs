//! `POST /v1/jobs`: one job, a JSON array of jobs, or one job a line; results in the same order, while the jobs come.
//!
//! Jobs go to the pool in shares of several, so that a lock and a wake-up are paid once for all of them. Only so many shares are under way at a time,
//! and only so many results wait for the client to read them: beyond that nothing more of the body is read, so memory does not grow with the batch.
//! The time that a request may take is for each job of a batch, from its own beginning; the batch as a whole may take as long as it
//! flows. A job that overruns its time is given up, and the others are answered (`share`).

mod share;

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue, Response};
use http_body::Frame;
use keyaki::wire::ErrorRecord;
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};
use tokio::time::{sleep, sleep_until, timeout_at};

use crate::body::{self, Held};
use crate::pool::Lane;
use crate::problem::{self, Problem};
use crate::service::{Context, Service};
use crate::split::{Form, Item, Malformed, Splitter};
use share::{COMMA, Progress, Share};

/// The most jobs of a share.
const SHARE_JOBS: usize = 16;

/// The most bytes of a share; a longer job is one alone.
const SHARE_BYTES: usize = 64 << 10;

/// Shares of one batch under way for each worker: enough that none waits for the next piece of the body.
const SHARES_PER_WORKER: usize = 4;

/// Bytes of results that wait for the client to read them. A client that sends everything before it reads anything gets so far.
const RESULTS_BYTES: usize = 8 << 20;

/// Answers the body of a request.
///
/// # Errors
///
/// [`Problem`], before the first job of a batch.
pub(crate) async fn answer(
    service: Service,
    context: Context,
    request: Request,
) -> Result<Response<Body>, Problem> {
    let is_lines = is_lines(request.headers());
    let mut body = request.into_body();
    let (first, permit) = first_piece(&service, &context, &mut body).await?;
    let form = match first.trim_ascii_start().first() {
        _ if is_lines => Form::Lines,
        Some(b'[') => Form::Array,
        _ => {
            let job: Held = body::read_on(&service, &context, first, permit, body).await?;
            return Ok(problem::answer(&service.answer(&context, None, job).await?));
        }
    };
    drop(permit);
    let Ok(permit) = service.batches().clone().try_acquire_owned() else {
        service.metrics().shed("batches");
        return Err(Problem::overloaded("too many batches are under way", Duration::from_secs(1)));
    };
    service.metrics().batch();
    context.trace.hold();
    let (sender, receiver) = mpsc::channel(1);
    let batch = Batch {
        splitter: Splitter::new(form, service.settings().body_bytes_max),
        window: VecDeque::new(),
        found: VecDeque::new(),
        results: Vec::new(),
        n_results: 0,
        n_bytes: 0,
        n_under_way_max: SHARES_PER_WORKER * service.settings().workers(),
        _permit: permit,
        service,
        context,
    };
    tokio::spawn(batch.run(first, body, sender));
    let mut response = Response::new(Body::new(Pieces(receiver)));
    let kind = match form {
        Form::Lines => "application/x-ndjson",
        Form::Array => "application/json",
    };
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    Ok(response)
}

/// Whether the request says that its body is lines.
pub(crate) fn is_lines(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kind = kind.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    [
        "application/x-ndjson",
        "application/ndjson",
        "application/jsonl",
        "application/x-jsonlines",
        "application/json-lines",
    ]
    .iter()
    .any(|known| kind.eq_ignore_ascii_case(known))
}

/// What comes first of the body and is not white space alone.
async fn first_piece(
    service: &Service,
    context: &Context,
    body: &mut Body,
) -> Result<(Bytes, Vec<OwnedSemaphorePermit>), Problem> {
    loop {
        let piece = timeout_at(context.deadline().into(), body::next(body)).await;
        let Some(piece) = piece.map_err(|_| body::late())?? else {
            return Ok((Bytes::new(), Vec::new()));
        };
        if !piece.trim_ascii_start().is_empty() {
            let permit = body::hold(service, piece.len())?;
            return Ok((piece, vec![permit]));
        }
    }
}

/// A batch that is being answered.
struct Batch {
    service: Service,
    context: Context,
    splitter: Splitter,
    /// Shares that are under way, in order.
    window: VecDeque<UnderWay>,
    /// Jobs that are not under way.
    found: VecDeque<Item>,
    /// Results that the client has not got.
    results: Vec<u8>,
    n_results: u64,
    n_bytes: u64,
    n_under_way_max: usize,
    _permit: OwnedSemaphorePermit,
}

/// A share that somebody answers, or is to answer.
struct UnderWay {
    share: Arc<Share>,
    /// Comes when all of it is answered, and is closed if that will not be.
    ended: oneshot::Receiver<()>,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.share.stop();
    }
}

/// What becomes of a share.
enum Event {
    /// The first one is answered, or never will be.
    Ended(bool),
    /// A job of this one has overrun its time.
    Overrun(usize),
}

/// Why a batch ends before its end. The client sees that the response is not complete.
struct Broken;

impl Batch {
    async fn run(mut self, first: Bytes, body: Body, out: mpsc::Sender<Piece>) {
        let flowed = self.flow(first, body, &out).await;
        if flowed.is_err() {
            self.window.clear();
            // A client that is still there has to see that this is not the end.
            let _ = out.send(Err(Aborted)).await;
        }
        let Batch { n_results, n_bytes, .. } = self;
        self.context.trace.release(n_results, flowed.is_ok());
        tracing::info!(request_id = %self.context.id, jobs = n_results, bytes = n_bytes, "batch");
    }

    async fn flow(
        &mut self,
        first: Bytes,
        mut body: Body,
        out: &mpsc::Sender<Piece>,
    ) -> Result<(), Broken> {
        let stall = Duration::from_secs(self.service.settings().stall_seconds);
        if self.splitter.form() == Form::Array {
            self.results.push(b'[');
        }
        let mut is_open = self.take_in(&first);
        drop(first);
        loop {
            self.send_off().await?;
            let is_answered = self.window.is_empty() && self.found.is_empty();
            if !is_open && is_answered {
                break;
            }
            let wants_more = is_open
                && self.found.is_empty()
                && self.window.len() < self.n_under_way_max
                && self.results.len() < RESULTS_BYTES;
            let may_send = !self.results.is_empty();
            tokio::select! {
                biased;
                () = out.closed() => return Err(Broken),
                Some(event) = event(&mut self.window, self.context.time) => match event {
                    Event::Ended(true) => self.take_results(),
                    Event::Ended(false) => return Err(Broken),
                    Event::Overrun(number) => self.give_up_job(number)?,
                },
                permit = out.reserve(), if may_send => {
                    let results = std::mem::take(&mut self.results);
                    permit.map_err(|_| Broken)?.send(Ok(results.into()));
                }
                piece = body::next(&mut body), if wants_more => is_open = match piece {
                    Ok(Some(piece)) => self.take_in(&piece),
                    Ok(None) => self.finish(),
                    Err(problem) => self.give_up(problem.record),
                },
                // Jobs end by themselves; clients need not.
                () = sleep(stall), if self.window.is_empty() => {
                    tracing::warn!(request_id = %self.context.id, "a batch stands still and is ended");
                    return Err(Broken);
                }
            }
        }
        if self.splitter.form() == Form::Array {
            self.results.extend_from_slice(b"]\n");
        }
        let results = std::mem::take(&mut self.results);
        tokio::select! {
            sent = out.send(Ok(results.into())) => sent.map_err(|_| Broken),
            () = sleep(stall) => Err(Broken),
        }
    }

    /// Takes in a piece of the body; whether more is wanted.
    fn take_in(&mut self, piece: &[u8]) -> bool {
        self.n_bytes += piece.len() as u64;
        let limit = self.service.settings().batch_bytes_max;
        if self.n_bytes > limit {
            let message =
                format!("the batch is larger than {limit} bytes; what comes after is not answered");
            return self.give_up(ErrorRecord::new("too-large", message));
        }
        match self.splitter.push(piece, &mut self.found) {
            Ok(()) => true,
            Err(Malformed(message)) => self.give_up(ErrorRecord::new("invalid-batch", message)),
        }
    }

    fn finish(&mut self) -> bool {
        if let Err(Malformed(message)) = self.splitter.finish(&mut self.found) {
            return self.give_up(ErrorRecord::new("invalid-batch", message));
        }
        false
    }

    /// Ends the batch with an error, after the results of what was found before.
    fn give_up(&mut self, record: ErrorRecord) -> bool {
        self.found.push_back(Item::Error(Box::new(record)));
        false
    }

    /// Gives jobs to the pool, as many as may be under way.
    async fn send_off(&mut self) -> Result<(), Broken> {
        while !self.found.is_empty() && self.window.len() < self.n_under_way_max {
            let mut n_bytes = 0;
            let is_within = |item: &&Item| {
                n_bytes += item.n_bytes();
                n_bytes <= SHARE_BYTES
            };
            let n_jobs = self.found.iter().take(SHARE_JOBS).take_while(is_within).count().max(1);
            let share: Vec<Item> = self.found.drain(..n_jobs).collect();
            self.submit(share).await?;
        }
        Ok(())
    }

    async fn submit(&mut self, jobs: Vec<Item>) -> Result<(), Broken> {
        let n_bytes: usize = jobs.iter().map(Item::n_bytes).sum();
        let permit = loop {
            tokio::select! {
                permit = body::wait_to_hold(&self.service, n_bytes) => break permit.ok_or(Broken)?,
                number = overrun(&self.window, self.context.time) => self.give_up_job(number)?,
            }
        };
        let share = Share::new(self.splitter.form(), jobs, permit);
        let under_way = self.send(share)?;
        self.window.push_back(under_way);
        Ok(())
    }

    /// Has a share answered.
    fn send(&self, share: Share) -> Result<UnderWay, Broken> {
        let n_jobs = share.n_left();
        let share = Arc::new(share);
        let (sender, ended) = oneshot::channel();
        if n_jobs == 0 {
            // There may be no thread to say so.
            let _ = sender.send(());
            return Ok(UnderWay { share, ended });
        }
        let (service, context, queued) =
            (self.service.clone(), self.context.clone(), Instant::now());
        let answered = Arc::clone(&share);
        let run = move || {
            if answered.answer(&service, &context, queued.elapsed()) {
                let _ = sender.send(());
            }
        };
        self.service.pool().submit(Lane::Batch, n_jobs, None, run).map_err(|_| Broken)?;
        Ok(UnderWay { share, ended })
    }

    /// Gives up the job of that share that is being answered, unless it has just ended; another thread goes on.
    fn give_up_job(&mut self, number: usize) -> Result<(), Broken> {
        let share = &self.window[number].share;
        if let Some(rest) = share.give_up(&self.service, &self.context) {
            self.window[number] = self.send(rest)?;
        }
        Ok(())
    }

    /// Takes the results of the first share, which is answered.
    fn take_results(&mut self) {
        let Some(under_way) = self.window.pop_front() else { return };
        let results = under_way.share.take_results();
        let is_first = self.n_results == 0 && self.splitter.form() == Form::Array;
        let text = if is_first { results.text.strip_prefix(COMMA) } else { None };
        self.results.extend_from_slice(text.unwrap_or(&results.text));
        self.n_results += results.n_results;
    }
}

/// What becomes of one of the shares next; nothing if there are none.
async fn event(window: &mut VecDeque<UnderWay>, time: Duration) -> Option<Event> {
    loop {
        let until = match first_overrun(window, time) {
            Ok(number) => return Some(Event::Overrun(number)),
            Err(until) => until,
        };
        let ended = &mut window.front_mut()?.ended;
        if let Ok(ended) = timeout_at(until.into(), ended).await {
            return Some(Event::Ended(ended.is_ok()));
        }
    }
}

/// The share of which a job overruns its time, as soon as one does.
async fn overrun(window: &VecDeque<UnderWay>, time: Duration) -> usize {
    loop {
        match first_overrun(window, time) {
            Ok(number) => return number,
            Err(until) => sleep_until(until.into()).await,
        }
    }
}

/// The share of which a job has overrun its time, or when to look again.
fn first_overrun(window: &VecDeque<UnderWay>, time: Duration) -> Result<usize, Instant> {
    let now = Instant::now();
    let mut until = now + time;
    for (number, under_way) in window.iter().enumerate() {
        match under_way.share.progress(time, now) {
            Progress::Overrun => return Ok(number),
            Progress::Until(end) => until = until.min(end),
        }
    }
    Err(until)
}

/// A piece of a response, or that it ends too early.
type Piece = Result<Bytes, Aborted>;

/// The response is not complete.
#[derive(Debug, thiserror::Error)]
#[error("the batch was ended before its end")]
struct Aborted;

/// The pieces of a response as they come.
struct Pieces(mpsc::Receiver<Piece>);

impl http_body::Body for Pieces {
    type Data = Bytes;
    type Error = Aborted;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut TaskContext<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Aborted>>> {
        self.0.poll_recv(context).map(|piece| piece.map(|piece| piece.map(Frame::data)))
    }
}

#[cfg(test)]
mod tests;
