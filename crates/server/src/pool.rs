//! Threads that solve, behind a bounded queue that says no in time.
//!
//! Solving takes a processor and is synchronous, so it never runs on the threads that serve connections. As many jobs as
//! there are workers run at a time; one that has run for longer than [`PROMPT`] no longer counts, because it may wait for
//! a solver in another process, and because those behind it should not wait for it: for those there are as many further threads as
//! `slow_workers` says. The system shares the processors between them.
//!
//! Threads are woken only for work that may begin: a wake-up for each job, of whichever thread has slept longest, took more of the processors than most
//! jobs do. Who has slept for the shortest time comes first, since its memory is still in the caches. Nobody is told when a job becomes slow, so while
//! work waits behind others a thread of its own looks after them.
//!
//! What is new is refused, not delayed, when the queue is full or when waiting would use up too much of its time
//! ([`Pool::submit`]). Dropping what waits longest instead was not chosen: then nobody knows until the end.
//!
//! A semaphore and one task for each request in the runtime's own pool for blocking work would be less code; it has neither a bounded
//! queue nor an order.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How long a job counts as one that uses a processor. More than 99 % of the questions of our corpus take less.
pub const PROMPT: Duration = Duration::from_millis(10);

/// The share of the time that is left to a request which it may spend waiting, for its turn and for the threads of connections: one in this many. The
/// rest is for the work, and for what nobody saw coming, which is most when there is most to do.
const WAIT_SHARE: u32 = 10;

/// By how much workers come after the threads that serve connections, as `nice` counts it. Where more comes in than can be done, requests would wait
/// unread in the system's buffers otherwise, where nobody sees how many there are, and be refused when their time is up instead of at once. Solvers
/// in other processes are started by workers, and as patient.
const NICENESS: i32 = 5;

/// Every how many turns a part of a batch comes before requests of one job, so that these cannot keep batches out. A part has up to as many jobs, so
/// each kind gets half of the time if there is enough of both.
const BATCH_TURN: u32 = 16;

/// How much the latest wait counts in [`State::pace`]: one in this many.
const PACE_SHARE: f64 = 64.0;

/// The stack of a worker, in bytes: that of a program's first thread, which is larger than what other threads get.
const STACK_BYTES: usize = 8 << 20;

/// What there may be at most.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Jobs that count as using a processor.
    pub workers: usize,
    /// Further jobs, which have run for longer than [`PROMPT`].
    pub slow_workers: usize,
    /// Jobs that wait.
    pub queue_jobs: usize,
}

/// Which queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// Somebody waits for this one.
    Single,
    /// A part of many.
    Batch,
    /// Nobody waits for this one: it is done if there is nothing else to do, one at a time.
    Audit,
}

/// Audits that wait. More are not taken.
const AUDITS_MAX: usize = 16;

/// Some work that is waiting.
struct Unit {
    lane: Lane,
    n_jobs: usize,
    /// How many jobs were to come before it, and since when it waits.
    n_before: usize,
    since: Instant,
    run: Box<dyn FnOnce() + Send>,
}

/// Why work is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The queue is full; it may have room after this long.
    Full(Duration),
    /// It would probably have to wait this long, which is too much of the time that it has.
    TooLate(Duration),
    /// The service is being stopped.
    Stopping,
}

impl Refusal {
    /// What metrics call it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Refusal::Full(_) => "queue",
            Refusal::TooLate(_) => "deadline",
            Refusal::Stopping => "stopping",
        }
    }
}

/// The threads and their queue.
pub struct Pool {
    shared: Arc<Shared>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

struct Shared {
    bounds: Bounds,
    state: Mutex<State>,
    /// For each worker: it was called.
    calls: Vec<Condvar>,
    /// Work waits behind others.
    overdue: Condvar,
}

/// Who is to be woken once the state is unlocked.
#[must_use]
enum Wake {
    Nobody,
    Worker(usize),
    Watcher,
}

#[derive(Default)]
struct State {
    single: VecDeque<Unit>,
    batch: VecDeque<Unit>,
    audits: VecDeque<Unit>,
    is_auditing: bool,
    /// Jobs that wait, of either kind.
    n_single: usize,
    n_batch: usize,
    /// When each job that is running began, by thread.
    running: Vec<Option<Instant>>,
    /// Threads that have nothing to do, the latest last.
    idle: Vec<usize>,
    /// Which threads were called and have not come yet.
    called: Vec<bool>,
    /// Whether somebody looks after jobs that become slow.
    is_watched: bool,
    turn: u32,
    is_stopping: bool,
    /// Mean time that a job waits for each one before it, in seconds. It is measured at the queue rather than made up of how long jobs take: what
    /// keeps processors from the workers, and whoever else waits for them, is in it.
    pace: f64,
}

/// What the pool is about, for those who watch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// Jobs that wait.
    pub queued: usize,
    /// Units of work that run.
    pub running: usize,
    /// Those that have run for longer than [`PROMPT`].
    pub slow: usize,
}

impl Pool {
    /// Starts the threads.
    ///
    /// # Errors
    ///
    /// The system's, if it gives fewer threads than wanted.
    pub fn start(bounds: Bounds) -> std::io::Result<Pool> {
        let n_threads = bounds.workers + bounds.slow_workers;
        let state = State {
            running: vec![None; n_threads],
            called: vec![false; n_threads],
            ..State::default()
        };
        let shared = Shared {
            bounds,
            state: Mutex::new(state),
            calls: (0..n_threads).map(|_| Condvar::new()).collect(),
            overdue: Condvar::new(),
        };
        let pool = Pool { shared: Arc::new(shared), threads: Mutex::default() };
        for number in 0..n_threads {
            let shared = Arc::clone(&pool.shared);
            pool.thread(format!("keyaki worker {number}"), move || {
                // It is as well without, as long as there is not too much to do.
                let _ = rustix::process::nice(NICENESS);
                shared.work(number);
            })?;
        }
        let shared = Arc::clone(&pool.shared);
        pool.thread("keyaki watcher".to_owned(), move || shared.watch())?;
        Ok(pool)
    }

    fn thread(&self, name: String, run: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
        let thread = thread::Builder::new().name(name).stack_size(STACK_BYTES).spawn(run)?;
        self.threads.lock().unwrap_or_else(PoisonError::into_inner).push(thread);
        Ok(())
    }

    /// Has `run` done by one of the threads, which is `n_jobs` jobs. Whoever has to have it by `deadline` is refused
    /// at once if waiting alone would probably take too much of that.
    ///
    /// # Errors
    ///
    /// [`Refusal`], and `run` will not be done.
    pub fn submit(
        &self,
        lane: Lane,
        n_jobs: usize,
        deadline: Option<Instant>,
        run: impl FnOnce() + Send + 'static,
    ) -> Result<(), Refusal> {
        let mut state = self.shared.lock();
        if state.is_stopping {
            return Err(Refusal::Stopping);
        }
        let now = Instant::now();
        let unit =
            Unit { lane, n_jobs, n_before: state.n_before(), since: now, run: Box::new(run) };
        if lane == Lane::Audit {
            if state.audits.len() >= AUDITS_MAX {
                return Err(Refusal::Full(state.expected_wait(now)));
            }
            state.audits.push_back(unit);
            self.shared.settle(state, now);
            return Ok(());
        }
        // Batches have a bound of their own for what waits, and no deadline.
        let refusal = deadline.and_then(|deadline| {
            state.refusal(&self.shared.bounds, n_jobs, deadline, Duration::ZERO, now)
        });
        if let Some(refusal) = refusal {
            return Err(refusal);
        }
        match lane {
            Lane::Single => {
                state.n_single += n_jobs;
                state.single.push_back(unit);
            }
            Lane::Batch | Lane::Audit => {
                state.n_batch += n_jobs;
                state.batch.push_back(unit);
            }
        }
        self.shared.settle(state, now);
        Ok(())
    }

    /// Why so many jobs that have to be done by `deadline`, and have to wait `besides` for others than those before them, would not be taken now, if so.
    pub fn refusal(
        &self,
        n_jobs: usize,
        deadline: Instant,
        besides: Duration,
        now: Instant,
    ) -> Option<Refusal> {
        self.shared.lock().refusal(&self.shared.bounds, n_jobs, deadline, besides, now)
    }

    /// What is going on.
    pub fn load(&self) -> Load {
        let state = self.shared.lock();
        let now = Instant::now();
        let began = state.running.iter().flatten();
        let is_slow = |began: &&Instant| now.duration_since(**began) >= PROMPT;
        Load {
            queued: state.n_single + state.n_batch,
            running: began.clone().count(),
            slow: began.filter(is_slow).count(),
        }
    }

    /// Takes no more work. What waits is still done, but for audits.
    pub fn stop(&self) {
        let mut state = self.shared.lock();
        state.is_stopping = true;
        state.audits.clear();
        drop(state);
        self.shared.wake_all();
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.stop();
        let threads =
            std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            // Work that panics is caught; a thread has nothing else to fail of. The last owner may be a worker.
            if thread.thread().id() != thread::current().id() {
                let _ = thread.join();
            }
        }
    }
}

impl State {
    /// How many jobs come before one that is queued now.
    fn n_before(&self) -> usize {
        // Of batches as much comes first as of the others, and the part that is next.
        self.n_single + self.n_batch.min(self.n_single + BATCH_TURN as usize)
    }

    /// How long work that is queued now would wait, going by what was before, and at least as long as the next in turn has waited.
    fn expected_wait(&self, now: Instant) -> Duration {
        let seconds = self.pace * self.n_before() as f64;
        let waited = self.single.front().map(|unit| now.duration_since(unit.since));
        // Too large a number only if clocks go wrong.
        let expected = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
        expected.max(waited.unwrap_or_default())
    }

    fn refusal(
        &self,
        bounds: &Bounds,
        n_jobs: usize,
        deadline: Instant,
        besides: Duration,
        now: Instant,
    ) -> Option<Refusal> {
        let wait = self.expected_wait(now).saturating_add(besides);
        if self.n_single + n_jobs > bounds.queue_jobs {
            return Some(Refusal::Full(wait));
        }
        let left = deadline.saturating_duration_since(now);
        (wait > left / WAIT_SHARE).then_some(Refusal::TooLate(wait))
    }

    fn has_work(&self) -> bool {
        let has_audit = !self.audits.is_empty() && !self.is_auditing;
        !self.single.is_empty() || !self.batch.is_empty() || has_audit
    }

    /// How many jobs that run count as using a processor, and how long the first of them has run.
    fn prompt(&self, now: Instant) -> (usize, Duration) {
        let ages = self.running.iter().flatten().map(|began| now.duration_since(*began));
        ages.filter(|age| *age < PROMPT)
            .fold((0, Duration::ZERO), |(n, oldest), age| (n + 1, oldest.max(age)))
    }

    /// Who is to be woken for what waits.
    fn wake(&mut self, bounds: &Bounds, now: Instant) -> Wake {
        if !self.has_work() {
            return Wake::Nobody;
        }
        let (n_prompt, _) = self.prompt(now);
        let n_called = self.called.iter().filter(|is_called| **is_called).count();
        if n_prompt + n_called < bounds.workers {
            // If none is idle, the first that is done goes on with it.
            let Some(number) = self.idle.pop() else { return Wake::Nobody };
            self.called[number] = true;
            return Wake::Worker(number);
        }
        // Those that were called look again when they have come.
        if n_prompt < bounds.workers || self.is_watched {
            return Wake::Nobody;
        }
        self.is_watched = true;
        Wake::Watcher
    }

    fn take(&mut self) -> Option<Unit> {
        if self.single.is_empty() && self.batch.is_empty() {
            self.is_auditing = true;
            return self.audits.pop_front();
        }
        self.turn = self.turn.wrapping_add(1);
        let unit = if self.turn.is_multiple_of(BATCH_TURN) {
            self.batch.pop_front().or_else(|| self.single.pop_front())
        } else {
            self.single.pop_front().or_else(|| self.batch.pop_front())
        }?;
        match unit.lane {
            Lane::Single => self.n_single -= unit.n_jobs,
            Lane::Batch | Lane::Audit => self.n_batch -= unit.n_jobs,
        }
        Some(unit)
    }

    /// Takes into account that so many jobs took so long to get out of the way.
    fn learn(&mut self, n_jobs: usize, taken: Duration) {
        let per_job = taken.as_secs_f64() / n_jobs.max(1) as f64;
        self.pace += (per_job - self.pace) / PACE_SHARE;
    }
}

impl Shared {
    fn work(&self, number: usize) {
        while let Some(unit) = self.next(number) {
            let start = Instant::now();
            // Whoever waits for the result sees that there is none: its sender is dropped.
            let _ = catch_unwind(AssertUnwindSafe(unit.run));
            let mut state = self.lock();
            state.running[number] = None;
            match unit.lane {
                // Before this one there was nothing to wait for, so it tells how long the next would wait.
                Lane::Single | Lane::Batch if unit.n_before == 0 => {
                    let n_jobs = unit.n_jobs * self.bounds.workers;
                    state.learn(n_jobs, start.elapsed().min(PROMPT));
                }
                Lane::Single | Lane::Batch => {}
                Lane::Audit => state.is_auditing = false,
            }
        }
    }

    /// The next work for this thread; none if there will be none.
    fn next(&self, number: usize) -> Option<Unit> {
        let mut state = self.lock();
        loop {
            let now = Instant::now();
            if state.has_work() && state.prompt(now).0 < self.bounds.workers {
                let unit = state.take()?;
                if unit.lane == Lane::Single && unit.n_before > 0 {
                    state.learn(unit.n_before, now.duration_since(unit.since));
                }
                state.running[number] = Some(now);
                if state.is_stopping && !state.has_work() {
                    // Who has nothing to do is not called any more.
                    self.wake_all();
                }
                self.settle(state, now);
                return Some(unit);
            }
            state.idle.push(number);
            while !state.called[number] {
                if state.is_stopping && !state.has_work() {
                    return None;
                }
                state = self.calls[number].wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            state.called[number] = false;
        }
    }

    /// Calls a further thread for what waits behind jobs that have become slow.
    fn watch(&self) {
        let mut state = self.lock();
        loop {
            if !state.has_work() {
                if state.is_stopping {
                    return;
                }
                state.is_watched = false;
                state = self.overdue.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            let now = Instant::now();
            let wake = state.wake(&self.bounds, now);
            let (_, oldest) = state.prompt(now);
            self.notify(&wake);
            let waited = self.overdue.wait_timeout(state, PROMPT.saturating_sub(oldest));
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn wake_all(&self) {
        self.calls.iter().chain([&self.overdue]).for_each(Condvar::notify_one);
    }

    /// Unlocks the state, and wakes whoever is to see to what waits.
    fn settle(&self, mut state: MutexGuard<'_, State>, now: Instant) {
        let wake = state.wake(&self.bounds, now);
        drop(state);
        self.notify(&wake);
    }

    fn notify(&self, wake: &Wake) {
        match *wake {
            Wake::Nobody => {}
            Wake::Worker(number) => self.calls[number].notify_one(),
            Wake::Watcher => self.overdue.notify_one(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Sender, channel};

    use super::*;

    const BOUNDS: Bounds = Bounds { workers: 1, slow_workers: 1, queue_jobs: 4 };

    fn far() -> Option<Instant> {
        Some(Instant::now() + Duration::from_secs(3600))
    }

    /// Keeps a thread of the pool busy until something is sent.
    fn occupied(pool: &Pool) -> Sender<()> {
        let (release, wait) = channel();
        let (started, has_started) = channel();
        let block = move || {
            started.send(()).unwrap();
            wait.recv().unwrap();
        };
        pool.submit(Lane::Single, 1, far(), block).unwrap();
        has_started.recv().unwrap();
        release
    }

    #[test]
    fn a_full_queue_refuses_and_has_room_again() {
        let pool = Pool::start(Bounds { slow_workers: 0, ..BOUNDS }).unwrap();
        let release = occupied(&pool);
        let (done, finished) = channel();
        for _ in 0..BOUNDS.queue_jobs {
            let done = done.clone();
            pool.submit(Lane::Single, 1, far(), move || done.send(()).unwrap()).unwrap();
        }
        let refused = pool.submit(Lane::Single, 1, far(), || ());
        assert!(matches!(refused, Err(Refusal::Full(_))), "{refused:?}");
        release.send(()).unwrap();
        for _ in 0..BOUNDS.queue_jobs {
            finished.recv().unwrap();
        }
        pool.submit(Lane::Single, 1, far(), move || done.send(()).unwrap()).unwrap();
        finished.recv().unwrap();
    }

    #[test]
    fn work_that_would_wait_too_long_is_refused_before() {
        let pool = Pool::start(Bounds { slow_workers: 0, ..BOUNDS }).unwrap();
        let release = occupied(&pool);
        pool.submit(Lane::Single, 1, far(), || ()).unwrap();
        // As if each had waited ten seconds for the one before it.
        pool.shared.lock().pace = 10.0;
        let soon = Some(Instant::now() + Duration::from_secs(15));
        let refused = pool.submit(Lane::Single, 1, soon, || ());
        assert!(matches!(refused, Err(Refusal::TooLate(_))), "{refused:?}");
        pool.submit(Lane::Single, 1, far(), || ()).unwrap();
        release.send(()).unwrap();
    }

    #[test]
    fn what_has_waited_for_long_tells_how_long_the_next_would() {
        let pool = Pool::start(Bounds { slow_workers: 0, ..BOUNDS }).unwrap();
        let release = occupied(&pool);
        pool.submit(Lane::Single, 1, far(), || ()).unwrap();
        thread::sleep(Duration::from_millis(40));
        let deadline = Instant::now() + Duration::from_millis(100);
        assert!(matches!(
            pool.refusal(1, deadline, Duration::ZERO, Instant::now()),
            Some(Refusal::TooLate(_))
        ));
        assert_eq!(pool.refusal(1, far().unwrap(), Duration::ZERO, Instant::now()), None);
        release.send(()).unwrap();
    }

    #[test]
    fn who_finds_an_empty_queue_is_taken_however_long_it_was() {
        let pool = Pool::start(BOUNDS).unwrap();
        pool.shared.lock().pace = 10.0;
        let soon = Some(Instant::now() + Duration::from_secs(15));
        let (done, finished) = channel();
        pool.submit(Lane::Single, 1, soon, move || done.send(()).unwrap()).unwrap();
        finished.recv().unwrap();
    }

    #[test]
    fn batches_and_single_requests_both_come_to_their_turn() {
        let pool = Pool::start(Bounds { slow_workers: 0, queue_jobs: 1_000, ..BOUNDS }).unwrap();
        let (release, wait) = channel::<()>();
        pool.submit(Lane::Single, 1, far(), move || wait.recv().unwrap()).unwrap();
        let (done, finished) = channel();
        for number in 0..100 {
            for lane in [Lane::Batch, Lane::Single] {
                let done = done.clone();
                pool.submit(lane, 1, far(), move || done.send((lane, number)).unwrap()).unwrap();
            }
        }
        release.send(()).unwrap();
        let order: Vec<(Lane, u32)> = (0..200).map(|_| finished.recv().unwrap()).collect();
        let of = |lane| order.iter().filter(move |(l, _)| *l == lane).map(|(_, number)| *number);
        assert!(of(Lane::Batch).eq(0..100) && of(Lane::Single).eq(0..100), "{order:?}");
        let n_batches = order[..64].iter().filter(|(lane, _)| *lane == Lane::Batch).count();
        assert_eq!(n_batches, 4, "{order:?}");
        assert_eq!(pool.load().queued, 0);
    }

    #[test]
    fn a_slow_job_does_not_hold_up_the_next() {
        let pool = Pool::start(BOUNDS).unwrap();
        let (release, wait) = channel::<()>();
        pool.submit(Lane::Single, 1, far(), move || wait.recv().unwrap()).unwrap();
        let (done, finished) = channel();
        pool.submit(Lane::Single, 1, far(), move || done.send(()).unwrap()).unwrap();
        finished.recv().unwrap();
        release.send(()).unwrap();
    }

    #[test]
    fn nobody_is_called_for_what_cannot_begin() {
        let pool = Pool::start(Bounds { slow_workers: 3, queue_jobs: 100, ..BOUNDS }).unwrap();
        let mut state = pool.shared.lock();
        while state.idle.len() < 4 {
            drop(state);
            thread::yield_now();
            state = pool.shared.lock();
        }
        let unit = |number| Unit {
            lane: Lane::Single,
            n_jobs: 1,
            n_before: number,
            since: Instant::now(),
            run: Box::new(|| ()),
        };
        let latest = *state.idle.last().unwrap();
        let bounds = pool.shared.bounds;
        assert!(matches!(state.wake(&bounds, Instant::now()), Wake::Nobody), "nothing waits");
        state.single.extend((0..2).map(unit));
        state.n_single = 2;
        let wake = state.wake(&bounds, Instant::now());
        assert!(matches!(wake, Wake::Worker(number) if number == latest));
        assert!(matches!(state.wake(&bounds, Instant::now()), Wake::Nobody), "it is on its way");
        pool.shared.calls[latest].notify_one();
        drop(state);
        while pool.load().queued > 0 {
            thread::yield_now();
        }
    }

    #[test]
    fn nothing_is_forgotten_however_many_ask_and_however_long_jobs_take() {
        const ASKING: usize = 4;
        const JOBS: usize = 2_000;
        let bounds = Bounds { workers: 2, slow_workers: 2, queue_jobs: ASKING * JOBS };
        let pool = Pool::start(bounds).unwrap();
        let (done, finished) = channel();
        thread::scope(|scope| {
            for _ in 0..ASKING {
                let (pool, done) = (&pool, done.clone());
                scope.spawn(move || {
                    for number in 0..JOBS {
                        let done = done.clone();
                        let run = move || {
                            if number % 500 == 499 {
                                thread::sleep(2 * PROMPT);
                            }
                            done.send(()).unwrap();
                        };
                        let lane = [Lane::Single, Lane::Batch][number % 2];
                        pool.submit(lane, 1, None, run).unwrap();
                        if number % 100 == 99 {
                            // So that the queue is empty at times.
                            thread::sleep(Duration::from_millis(1));
                        }
                    }
                });
            }
        });
        drop(done);
        assert_eq!(finished.iter().count(), ASKING * JOBS);
        assert_eq!(pool.load().queued, 0);
    }

    #[test]
    fn a_panic_costs_its_own_job_alone() {
        let pool = Pool::start(BOUNDS).unwrap();
        let (done, finished) = channel();
        for number in 0..20 {
            let done = done.clone();
            let run = move || {
                assert!(number % 2 == 0, "on purpose");
                done.send(number).unwrap();
            };
            while pool.submit(Lane::Single, 1, far(), run.clone()).is_err() {
                thread::yield_now();
            }
        }
        drop(done);
        assert_eq!(finished.iter().count(), 10);
        assert_eq!(pool.load().queued, 0);
    }

    #[test]
    fn what_waits_is_done_before_the_end_and_nothing_new_is_taken() {
        let pool = Pool::start(BOUNDS).unwrap();
        let (done, finished) = channel();
        for _ in 0..3 {
            let done = done.clone();
            pool.submit(Lane::Batch, 1, None, move || done.send(()).unwrap()).unwrap();
        }
        pool.stop();
        assert_eq!(pool.submit(Lane::Batch, 1, None, || ()), Err(Refusal::Stopping));
        drop((pool, done));
        assert_eq!(finished.iter().count(), 3);
    }
}
