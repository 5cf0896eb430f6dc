//! What requests share: the solvers, the pool, the limits, the counts. Every route that solves goes through
//! [`Service::solve`], so that admission, deadlines, cancellation and panics are dealt with in one place.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use keyaki::job::{Task, engines};
use keyaki::solvers::Config;
use keyaki::wire::{ErrorRecord, JobResult, ReasonName, VerdictName};
use keyaki::{Cancel, Engine, EngineOptions};
use tokio::sync::{Semaphore, oneshot};
use tokio::time::{timeout, timeout_at};

use crate::health::Readiness;
use crate::metrics::Metrics;
use crate::pool::{Bounds, Lane, Pool, Refusal};
use crate::problem::Problem;
use crate::settings::{Credentials, Settings};

/// How long a job that was told to stop may take to do so before its request is answered without it. Solvers look at the flag
/// every millisecond or so.
const STOP_GRACE: Duration = Duration::from_millis(500);

/// What the requests of a running service share. Clones are the same service.
#[derive(Clone)]
pub struct Service {
    inner: Arc<Inner>,
}

type Engines = dyn Fn(&[String]) -> Result<Arc<Engine>, ErrorRecord> + Send + Sync;

struct Inner {
    settings: Settings,
    credentials: Credentials,
    config: Config,
    engines: Box<Engines>,
    pool: Pool,
    metrics: Metrics,
    /// Bytes of bodies that may be held, in units of [`BUDGET_UNIT`].
    bodies: Arc<Semaphore>,
    batches: Arc<Semaphore>,
    readiness: Readiness,
    is_stopping: AtomicBool,
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
pub(crate) struct CancelOnDrop(pub(crate) Cancel);

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
        let bounds = Bounds {
            workers: settings.workers(),
            slow_workers: settings.slow_workers,
            queue_jobs: settings.queue_jobs,
        };
        let units = (settings.bodies_bytes_max / BUDGET_UNIT).min(Semaphore::MAX_PERMITS);
        let inner = Inner {
            credentials,
            engines: Box::new(engines(&config, options)),
            config,
            pool: Pool::start(bounds)?,
            metrics: Metrics::default(),
            bodies: Arc::new(Semaphore::new(units)),
            batches: Arc::new(Semaphore::new(settings.batches_max)),
            readiness: Readiness::default(),
            is_stopping: AtomicBool::new(false),
            settings,
        };
        Ok(Service { inner: Arc::new(inner) })
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

    /// The threads that solve.
    pub(crate) fn pool(&self) -> &Pool {
        &self.inner.pool
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
    }

    /// Whether that was said.
    pub fn is_stopping(&self) -> bool {
        self.inner.is_stopping.load(Ordering::SeqCst)
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
            let _ = sender.send(done.map_err(|_| Unsolved::Fault));
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
        reply.unwrap_or(Err(Unsolved::Late))
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
        let asked = question.clone();
        let work = move |service: &Service, cancel: &Cancel| {
            let left = deadline.saturating_duration_since(Instant::now());
            service.job(question.as_deref(), job.as_ref(), left, cancel)
        };
        match self.solve(context, work).await {
            Ok(result) => Ok(result),
            Err(Unsolved::Late) => Ok(self.late(asked, context.began.elapsed())),
            Err(Unsolved::Fault) => Err(Problem::fault()),
            Err(Unsolved::Refused(refusal)) => Err(refusal.into()),
        }
    }

    /// Answers a job in this thread within `time`, and counts it.
    pub(crate) fn job(
        &self,
        question: Option<&str>,
        job: &[u8],
        time: Duration,
        cancel: &Cancel,
    ) -> JobResult {
        let start = Instant::now();
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
        self.metrics().job(&result, start.elapsed());
        if !self.settings().attempts {
            result.attempts.clear();
        }
        result
    }

    /// As [`Service::job`] for a job of a batch: a panic costs that job alone.
    pub(crate) fn job_unless_it_panics(
        &self,
        job: &[u8],
        time: Duration,
        cancel: &Cancel,
    ) -> JobResult {
        let answer = || self.job(None, job, time, cancel);
        catch_unwind(AssertUnwindSafe(answer)).unwrap_or_else(|_| JobResult {
            error: Some(Problem::fault().record),
            ..JobResult::default()
        })
    }

    /// What is said of a job that nobody could get to in time.
    fn late(&self, question: Option<String>, elapsed: Duration) -> JobResult {
        let result = JobResult {
            question,
            verdict: Some(VerdictName::Unknown),
            reason: Some(ReasonName::Timeout),
            ..JobResult::default()
        };
        self.metrics().job(&result, elapsed);
        result
    }
}
