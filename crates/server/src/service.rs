//! What requests share: the solvers, the pool, the limits, the counts. Every route that solves goes through
//! [`Service::solve`], so that admission, deadlines, cancellation and panics are dealt with in one place.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use keyaki::job::{Task, engines};
use keyaki::solvers::{Config, OutcomeCache};
use keyaki::wire::{ErrorRecord, JobResult, ReasonName, VerdictName};
use keyaki::{Cancel, Engine, EngineOptions};
use tokio::sync::{Semaphore, oneshot};
use tokio::time::{timeout, timeout_at};

use crate::health::Readiness;
use crate::lag::Lag;
use crate::metrics::Metrics;
use crate::pool::{Bounds, Lane, Pool, Refusal};
use crate::problem::Problem;
use crate::rechecks::Rechecks;
use crate::settings::{Credentials, Settings};
use crate::telemetry::{Telemetry, Trace};

/// How long a job that was told to stop may take to do so before its request is answered without it. Solvers look at the flag
/// every millisecond or so.
pub(crate) const STOP_GRACE: Duration = Duration::from_millis(500);

/// What the requests of a running service share. Clones are the same service.
#[derive(Clone)]
pub struct Service {
    inner: Arc<Inner>,
}

pub(crate) type Engines = dyn Fn(&[String]) -> Result<Arc<Engine>, ErrorRecord> + Send + Sync;

struct Inner {
    settings: Settings,
    credentials: Credentials,
    config: Config,
    engines: Box<Engines>,
    /// Those that ask everybody.
    auditors: Box<Engines>,
    audits: Audits,
    rechecks: Rechecks,
    cache: Option<Arc<OutcomeCache>>,
    pool: Pool,
    lag: Lag,
    metrics: Metrics,
    /// Bytes of bodies that may be held, in units of [`BUDGET_UNIT`].
    bodies: Arc<Semaphore>,
    batches: Arc<Semaphore>,
    readiness: Readiness,
    is_stopping: AtomicBool,
    telemetry: Telemetry,
}

/// Which jobs are audited.
#[derive(Default)]
struct Audits {
    n_jobs: AtomicU64,
    cancel: Cancel,
}

/// Whether an error of an audit is one that must not be, rather than one that tells nothing.
fn is_incident(code: &str) -> bool {
    ["contradiction", "unsound", "translation", "wrong-answer"].contains(&code)
}

/// The unit of the budget for bodies, in bytes.
pub(crate) const BUDGET_UNIT: usize = 1 << 10;

/// What is known of a request apart from what it asks; every request has one among its extensions.
#[derive(Clone, Debug)]
pub struct Context {
    /// Names the request in logs.
    pub id: String,
    /// When it came.
    pub began: Instant,
    /// How long it may take.
    pub time: Duration,
    /// Its trace.
    pub(crate) trace: Trace,
}

impl Context {
    /// When an answer has to be there.
    pub fn deadline(&self) -> Instant {
        self.began + self.time
    }
}

/// Why work came to no result.
#[derive(Debug)]
pub enum Unsolved {
    /// It was not begun.
    Refused(Refusal),
    /// It was not done in time.
    Late,
    /// It panicked.
    Fault,
}

/// Stops work whose result nobody wants any more.
struct CancelOnDrop(Cancel);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

impl Service {
    /// Starts the threads.
    ///
    /// # Errors
    ///
    /// The system's, if it gives too few threads.
    pub fn new(
        settings: Settings,
        credentials: Credentials,
        config: Config,
        options: &EngineOptions,
    ) -> std::io::Result<Service> {
        Service::traced(settings, credentials, config, options, Telemetry::none())
    }

    /// As [`Service::new`], with traces.
    pub(crate) fn traced(
        settings: Settings,
        credentials: Credentials,
        config: Config,
        options: &EngineOptions,
        telemetry: Telemetry,
    ) -> std::io::Result<Service> {
        let bounds = Bounds {
            workers: settings.workers(),
            slow_workers: settings.slow_workers,
            queue_jobs: settings.queue_jobs,
        };
        let cache =
            (settings.cache_bytes > 0).then(|| Arc::new(OutcomeCache::new(settings.cache_bytes)));
        let usual = EngineOptions { cache: cache.clone(), ..options.clone() };
        let audit = EngineOptions { audit: true, ..options.clone() };
        let units = (settings.bodies_bytes_max / BUDGET_UNIT).min(Semaphore::MAX_PERMITS);
        let inner = Inner {
            credentials,
            engines: Box::new(engines(&config, &usual)),
            auditors: Box::new(engines(&config, &audit)),
            audits: Audits::default(),
            rechecks: Rechecks::default(),
            cache,
            config,
            pool: Pool::start(bounds)?,
            lag: Lag::new()?,
            metrics: Metrics::default(),
            bodies: Arc::new(Semaphore::new(units)),
            batches: Arc::new(Semaphore::new(settings.batches_max)),
            readiness: Readiness::default(),
            is_stopping: AtomicBool::new(false),
            telemetry,
            settings,
        };
        Ok(Service { inner: Arc::new(inner) })
    }

    /// The same with other engines, of which some may be at fault.
    #[cfg(test)]
    pub(crate) fn with_engines(mut self, engines: Box<Engines>) -> Service {
        let inner = Arc::get_mut(&mut self.inner).expect("a service that nobody shares yet");
        inner.engines = engines;
        self
    }

    /// How it was set up.
    pub fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    /// Who may ask.
    pub fn credentials(&self) -> &Credentials {
        &self.inner.credentials
    }

    /// The solvers there are.
    pub fn config(&self) -> &Config {
        &self.inner.config
    }

    /// What was counted.
    pub fn metrics(&self) -> &Metrics {
        &self.inner.metrics
    }

    /// Who makes traces.
    pub(crate) fn telemetry(&self) -> &Telemetry {
        &self.inner.telemetry
    }

    /// The threads that solve.
    pub(crate) fn pool(&self) -> &Pool {
        &self.inner.pool
    }

    /// How long requests wait before they are read.
    pub(crate) fn lag(&self) -> &Lag {
        &self.inner.lag
    }

    /// The outcomes that are kept, if they are.
    pub(crate) fn cache(&self) -> Option<&OutcomeCache> {
        self.inner.cache.as_deref()
    }

    pub(crate) fn bodies(&self) -> &Arc<Semaphore> {
        &self.inner.bodies
    }

    pub(crate) fn batches(&self) -> &Arc<Semaphore> {
        &self.inner.batches
    }

    pub(crate) fn readiness(&self) -> &Readiness {
        &self.inner.readiness
    }

    /// Says that no more requests should come.
    pub(crate) fn stop(&self) {
        self.inner.is_stopping.store(true, Ordering::SeqCst);
        self.inner.audits.cancel.cancel();
    }

    /// Whether that was said.
    pub fn is_stopping(&self) -> bool {
        self.inner.is_stopping.load(Ordering::SeqCst)
    }

    /// Why a job that has to be answered by then would not be taken now, counted as refused.
    pub(crate) fn refusal(&self, deadline: Instant) -> Option<Refusal> {
        let now = Instant::now();
        let besides = self.lag().look(now);
        let refusal = self.pool().refusal(1, deadline, besides, now)?;
        self.metrics().shed(refusal.word());
        Some(refusal)
    }

    /// Has `work` done by a thread that may solve. It is told when to stop by the flag: at the deadline of the request, or when
    /// the future is dropped because the client has gone.
    ///
    /// # Errors
    ///
    /// [`Unsolved`]: work is refused at once if the result would come too late.
    pub async fn solve<T: Send + 'static>(
        &self,
        context: &Context,
        work: impl FnOnce(&Service, &Cancel) -> T + Send + 'static,
    ) -> Result<T, Unsolved> {
        let deadline = context.deadline();
        let cancel = Cancel::new();
        let _guard = CancelOnDrop(cancel.clone());
        let (sender, mut receiver) = oneshot::channel();
        let (service, flag) = (self.clone(), cancel.clone());
        let run = move || {
            if flag.is_cancelled() {
                return;
            }
            let done = catch_unwind(AssertUnwindSafe(|| work(&service, &flag)));
            // Whoever wanted it may have gone.
            let _ = sender.send((done.map_err(|_| Unsolved::Fault), Instant::now()));
        };
        self.pool().submit(Lane::Single, 1, Some(deadline), run).map_err(|refusal| {
            self.metrics().shed(refusal.word());
            Unsolved::Refused(refusal)
        })?;
        let reply = match timeout_at(deadline.into(), &mut receiver).await {
            Ok(reply) => reply,
            Err(_) => {
                cancel.cancel();
                timeout(STOP_GRACE, receiver).await.map_err(|_| Unsolved::Late)?
            }
        };
        let Ok((reply, ready)) = reply else { return Err(Unsolved::Late) };
        self.lag().taken(ready);
        reply
    }

    /// Answers a job as [`Service::solve`] does it.
    ///
    /// # Errors
    ///
    /// [`Problem`] if the job was refused, or a panic of ours kept it from being answered. Not being answered in time is no error: it is `unknown`.
    pub async fn answer(
        &self,
        context: &Context,
        question: Option<String>,
        job: impl AsRef<[u8]> + Send + 'static,
    ) -> Result<JobResult, Problem> {
        let deadline = context.deadline();
        let (asked, inner, queued) = (question.clone(), context.clone(), Instant::now());
        let work = move |service: &Service, cancel: &Cancel| {
            let now = Instant::now();
            let (waited, left) = (now - queued, deadline.saturating_duration_since(now));
            service.job(&inner, waited, question.as_deref(), job.as_ref(), left, cancel)
        };
        match self.solve(context, work).await {
            Ok(result) => Ok(result),
            Err(Unsolved::Late) => Ok(self.late(context, asked, context.began.elapsed())),
            Err(Unsolved::Fault) => Err(Problem::fault()),
            Err(Unsolved::Refused(refusal)) => Err(refusal.into()),
        }
    }

    /// Answers a job of a request, which has waited for so long, in this thread within `time`, and counts it.
    pub(crate) fn job(
        &self,
        context: &Context,
        waited: Duration,
        question: Option<&str>,
        job: &[u8],
        time: Duration,
        cancel: &Cancel,
    ) -> JobResult {
        let start = Instant::now();
        if self.settings().log.jobs {
            let request_id = &context.id;
            tracing::info!(request_id, question, job = %String::from_utf8_lossy(job), "job");
        }
        let mut result = match Task::about(question, job, time) {
            Ok((id, task)) => {
                let result = task.within(time).answer(&*self.inner.engines, cancel);
                JobResult { id, ..result }
            }
            Err(result) => *result,
        };
        // Who cancels at the deadline is the clock.
        if result.reason == Some(ReasonName::Cancelled) && start.elapsed() >= time {
            result.reason = Some(ReasonName::Timeout);
        }
        let elapsed = start.elapsed();
        self.metrics().job(&result, elapsed);
        context.trace.job(&result, waited, elapsed);
        self.recheck(question, job, &result);
        if self.is_to_audit() {
            self.audit(question, job, result.verdict);
        }
        if !self.settings().attempts {
            result.attempts.clear();
        }
        result
    }

    /// Which answers are put to formulas.
    pub(crate) fn rechecks(&self) -> &Rechecks {
        &self.inner.rechecks
    }

    /// What makes the engines that answer.
    pub(crate) fn engines(&self) -> &Engines {
        &*self.inner.engines
    }

    /// What stops what is asked after an answer.
    pub(crate) fn audit_cancel(&self) -> &Cancel {
        &self.inner.audits.cancel
    }

    /// Whether it is the turn of a job to be audited.
    fn is_to_audit(&self) -> bool {
        let share = self.settings().audit_share;
        if share <= 0.0 {
            return false;
        }
        let number = self.inner.audits.n_jobs.fetch_add(1, Ordering::Relaxed);
        // Every so many, without a generator of random numbers: who asks does not know of the others.
        let turn = |number: u64| (number as f64 * share).floor();
        turn(number + 1) > turn(number)
    }

    /// Puts a job that was answered to all solvers, when there is time, and counts what comes of that. Solvers that contradict the answer or each
    /// other are an error in the log.
    fn audit(&self, question: Option<&str>, job: &[u8], verdict: Option<VerdictName>) {
        if !matches!(verdict, Some(VerdictName::Holds | VerdictName::Fails)) {
            return;
        }
        let is_taken = self.when_idle(question, job, move |service, task, time| {
            let Inner { auditors, audits, .. } = &*service.inner;
            let result = task.within(time).answer(&**auditors, &audits.cancel);
            let is_incident = result.error.as_ref().is_some_and(|error| is_incident(&error.code));
            let word = match (result.verdict, verdict) {
                _ if is_incident => "disagreed",
                (None, _) => "failed",
                (Some(VerdictName::Unknown), _) => "inconclusive",
                (now, before) if now == before => "agreed",
                _ => "disagreed",
            };
            if word == "disagreed" {
                let incident = result.incident.as_deref().unwrap_or_default();
                tracing::error!(incident, "an answer that was given does not stand up to an audit");
            }
            service.metrics().audit(word);
        });
        if !is_taken {
            self.metrics().audit("dropped");
        }
    }

    /// Has something done about a job that was answered, when there is nothing else to do. Whether there is room for it.
    pub(crate) fn when_idle(
        &self,
        question: Option<&str>,
        job: &[u8],
        look: impl FnOnce(&Service, Task, Duration) + Send + 'static,
    ) -> bool {
        let (service, question, job) = (self.clone(), question.map(str::to_owned), job.to_owned());
        let run = move || {
            let time = service.settings().deadline_max();
            if let Ok((_, task)) = Task::about(question.as_deref(), &job, time) {
                look(&service, task, time);
            }
        };
        self.pool().submit(Lane::Audit, 0, None, run).is_ok()
    }

    /// As [`Service::job`] for a job of a batch: a panic costs that job alone.
    pub(crate) fn job_unless_it_panics(
        &self,
        context: &Context,
        waited: Duration,
        job: &[u8],
        time: Duration,
        cancel: &Cancel,
    ) -> JobResult {
        let answer = || self.job(context, waited, None, job, time, cancel);
        catch_unwind(AssertUnwindSafe(answer)).unwrap_or_else(|_| JobResult {
            error: Some(Problem::fault().record),
            ..JobResult::default()
        })
    }

    /// What is said of a job that nobody could get to in time.
    pub(crate) fn late(
        &self,
        context: &Context,
        question: Option<String>,
        elapsed: Duration,
    ) -> JobResult {
        let result = JobResult {
            question,
            verdict: Some(VerdictName::Unknown),
            reason: Some(ReasonName::Timeout),
            ..JobResult::default()
        };
        self.metrics().job(&result, elapsed);
        context.trace.job(&result, Duration::ZERO, elapsed);
        result
    }
}
