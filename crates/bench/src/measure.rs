//! Runs solvers on queries, in turns, and writes a record.
//!
//! The queries come in an order drawn by a hash, so that whatever has been done when somebody stops is a sample of the
//! whole; all solvers are asked one query one after the other, beginning with another each time, so that a neighbour
//! who makes the machine slow does so to all of them. What the record has already is not run again.
//!
//! To measure a solver on everything before the next would fill caches better, and compare noon with midnight.

use std::fs;
use std::io::{IsTerminal as _, Write as _};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::record::{self, Row, START, Writer};
use crate::run::{End, Runner};
use crate::solvers::Solver;
use crate::suite::{Query, Suite};

/// What to measure.
#[derive(Clone, Debug)]
pub struct Plan<'a> {
    /// Where the queries are from.
    pub suite: &'a Suite,
    /// The queries, in their order.
    pub queries: Vec<&'a Query>,
    /// The solvers.
    pub solvers: &'a [Solver],
    /// How often each solver is asked each query.
    pub runs: u32,
    /// How many queries are measured at a time. Each slows the others down.
    pub workers: usize,
    /// When to stop, with what there is.
    pub until: Option<Instant>,
}

/// What came of a plan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// Runs of this time.
    pub n_run: usize,
    /// Runs that the record had already.
    pub n_before: usize,
    /// Runs for which the query has no script that the solver reads.
    pub n_unspoken: usize,
    /// Runs that are left because time was up.
    pub n_left: usize,
}

/// How often the start of each solver is measured.
const STARTS: u32 = 9;

/// How long a start may take, in nanoseconds.
const START_WALL_NS: u64 = 10_000_000_000;

/// A script with nothing to decide.
const START_SCRIPT: &str = "(set-logic ALL)\n(check-sat)\n";

/// Measures.
///
/// # Errors
///
/// The record cannot be written, or a script is not what the suite says.
pub fn measure(plan: &Plan<'_>, runner: &Runner, writer: Writer) -> Result<Done, String> {
    let mut done = Done::default();
    let mut waiting: Vec<(&Query, Vec<(&Solver, u32)>)> = Vec::new();
    for (number, query) in plan.queries.iter().enumerate() {
        let mut turns = Vec::new();
        for run in 0..plan.runs {
            for at in 0..plan.solvers.len() {
                let solver = &plan.solvers[(number + run as usize + at) % plan.solvers.len()];
                if query.script(&solver.definition.dialects).is_none() {
                    done.n_unspoken += 1;
                } else if writer.has(&query.id, names(solver), run) {
                    done.n_before += 1;
                } else {
                    turns.push((solver, run));
                }
            }
        }
        if !turns.is_empty() {
            waiting.push((query, turns));
        }
    }
    let total: usize = waiting.iter().map(|(_, turns)| turns.len()).sum();
    let writer = Mutex::new(writer);
    starts(plan, runner, &writer)?;
    let progress = Progress::new(total);
    let next = AtomicUsize::new(0);
    let is_broken = AtomicBool::new(false);
    let work = || -> Result<(), String> {
        while let Some((query, turns)) = waiting.get(next.fetch_add(1, Ordering::Relaxed)) {
            for (solver, run) in turns {
                let is_late = plan.until.is_some_and(|until| Instant::now() >= until);
                if is_late || is_broken.load(Ordering::Relaxed) {
                    return Ok(());
                }
                let row = once(plan.suite, query, solver, *run, "measure", runner)?;
                let mut writer = writer.lock().map_err(|_| "a worker broke".to_owned())?;
                writer.add(&row)?;
                drop(writer);
                progress.step(&row);
            }
        }
        Ok(())
    };
    let results: Vec<Result<(), String>> = std::thread::scope(|scope| {
        let guarded = || work().inspect_err(|_| is_broken.store(true, Ordering::Relaxed));
        let workers: Vec<_> = (0..plan.workers.max(1)).map(|_| scope.spawn(guarded)).collect();
        workers
            .into_iter()
            .map(|worker| worker.join().unwrap_or_else(|_| Err("a worker broke".to_owned())))
            .collect()
    });
    results.into_iter().collect::<Result<(), String>>()?;
    done.n_run = progress.end();
    done.n_left = total - done.n_run;
    Ok(done)
}

fn names(solver: &Solver) -> [&str; 3] {
    [&solver.definition.name, &solver.version, &solver.setup]
}

/// What it takes to start each solver and have it read a script that says nothing.
fn starts(plan: &Plan<'_>, runner: &Runner, writer: &Mutex<Writer>) -> Result<(), String> {
    let mut writer = writer.lock().map_err(|_| "a worker broke".to_owned())?;
    let script =
        std::env::temp_dir().join(format!("keyaki-bench-start-{}.smt2", std::process::id()));
    fs::write(&script, START_SCRIPT)
        .map_err(|error| format!("cannot write `{}`: {error}", script.display()))?;
    for solver in plan.solvers {
        for run in 0..STARTS {
            if writer.has(START, names(solver), run) {
                continue;
            }
            let ran = runner.run(&solver.definition.success, |folder| {
                let mut task = solver.task(&script, folder, &[]);
                task.limits.wall_ns = task.limits.wall_ns.min(START_WALL_NS);
                task
            })?;
            let is_good = ran.end == End::Exit;
            writer.add(&row(plan.suite, START, solver, run, "start", ran))?;
            if !is_good {
                // It will not start better.
                break;
            }
        }
    }
    drop(fs::remove_file(&script));
    Ok(())
}

/// One solver on one query.
///
/// # Errors
///
/// The script is not what the suite says.
pub fn once(
    suite: &Suite,
    query: &Query,
    solver: &Solver,
    run: u32,
    why: &str,
    runner: &Runner,
) -> Result<Row, String> {
    let (_, script) = query.script(&solver.definition.dialects).ok_or_else(|| {
        format!("`{}` reads no dialect of query {}", solver.definition.name, query.id)
    })?;
    // Reading it also has it in the memory of the system, for every solver alike.
    suite.text(script)?;
    let path = suite.folder.join(&script.file);
    let path = path.canonicalize().map_err(|error| format!("`{}`: {error}", path.display()))?;
    let ran = runner.run(&solver.definition.success, |folder| solver.task(&path, folder, &[]))?;
    Ok(row(suite, &query.id, solver, run, why, ran))
}

fn row(
    suite: &Suite,
    query: &str,
    solver: &Solver,
    run: u32,
    why: &str,
    ran: crate::run::Ran,
) -> Row {
    let limits = solver.definition.limits.limits();
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    Row {
        suite: suite.short_hash().to_owned(),
        query: query.to_owned(),
        solver: solver.definition.name.clone(),
        version: solver.version.clone(),
        setup: solver.setup.clone(),
        run,
        why: why.to_owned(),
        outcome: ran.outcome,
        end: ran.end,
        code: ran.code,
        wall_ns: ran.report.wall_ns,
        cpu_ns: ran.report.cpu_ns,
        peak_bytes: ran.report.peak_bytes,
        strays: ran.report.strays,
        wall_limit_ns: limits.wall_ns,
        memory_limit_bytes: limits.memory_bytes,
        load_percent: record::load_percent(),
        unix_s: since.as_secs(),
        harness: record::harness(),
        machine: record::machine(),
        family: solver.definition.family.clone().unwrap_or_else(|| solver.definition.name.clone()),
    }
}

/// Whether each of the solvers was asked the query so often.
pub fn is_often_enough(query: &Query, solvers: &[&Solver], runs: u32, writer: &Writer) -> bool {
    solvers.iter().all(|solver| writer.n_runs(&query.id, names(solver)) >= runs)
}

/// Asks solvers a query again, in turns, until each has `runs` runs or the time is up; whether they have.
///
/// # Errors
///
/// See [`measure`].
pub fn again(
    suite: &Suite,
    query: &Query,
    solvers: &[&Solver],
    runs: u32,
    until: Option<Instant>,
    runner: &Runner,
    writer: &mut Writer,
) -> Result<bool, String> {
    for _ in 0..runs {
        for solver in solvers {
            let run = writer.n_runs(&query.id, names(solver));
            if run >= runs {
                continue;
            }
            if until.is_some_and(|until| Instant::now() >= until) {
                return Ok(false);
            }
            writer.add(&once(suite, query, solver, run, "again", runner)?)?;
        }
    }
    Ok(true)
}

/// How far it is. Queries come in no order of difficulty, so the mean so far is an honest guess of the mean to come,
/// and its error is told with it.
struct Progress {
    total: usize,
    start: Instant,
    is_terminal: bool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    n: usize,
    sum_s: f64,
    squares: f64,
    told: Option<Instant>,
}

/// How often a line is written where it cannot be overwritten.
const TOLD_EVERY: Duration = Duration::from_secs(30);

impl Progress {
    fn new(total: usize) -> Progress {
        let is_terminal = std::io::stderr().is_terminal();
        Progress { total, start: Instant::now(), is_terminal, state: Mutex::default() }
    }

    fn step(&self, row: &Row) {
        let Ok(mut state) = self.state.lock() else { return };
        let seconds = row.wall_ns as f64 / 1e9;
        state.n += 1;
        state.sum_s += seconds;
        state.squares += seconds * seconds;
        let pause = if self.is_terminal { Duration::from_millis(200) } else { TOLD_EVERY };
        if state.told.is_none_or(|told| told.elapsed() >= pause) {
            state.told = Some(Instant::now());
            self.tell(&line(&state, self.total, self.start.elapsed()), false);
        }
    }

    fn tell(&self, text: &str, is_last: bool) {
        let mut out = std::io::stderr().lock();
        let (before, after) = match (self.is_terminal, is_last) {
            (true, false) => ("\r\x1b[K", ""),
            (true, true) => ("\r\x1b[K", "\n"),
            (false, _) => ("", "\n"),
        };
        drop(write!(out, "{before}{text}{after}").and_then(|()| out.flush()));
    }

    fn end(&self) -> usize {
        let Ok(state) = self.state.lock() else { return 0 };
        if state.n > 0 {
            self.tell(&line(&state, self.total, self.start.elapsed()), true);
        }
        state.n
    }
}

fn line(state: &State, total: usize, elapsed: Duration) -> String {
    /// How wide the bar is, in characters.
    const WIDTH: usize = 20;
    let n = state.n as f64;
    let left = total - state.n;
    let filled = (state.n * WIDTH).checked_div(total).unwrap_or(WIDTH);
    let bar = format!("[{}{}]", "#".repeat(filled), "-".repeat(WIDTH - filled));
    // What is left takes as long as what is done did, with whatever the harness adds; the error is that of the mean of
    // runs of which a few take a thousand times as long as the others, and of the sum of those to come.
    let mean = elapsed.as_secs_f64() / n;
    let variance = (state.squares / n - (state.sum_s / n).powi(2)).max(0.0);
    let share = if state.sum_s > 0.0 { mean * n / state.sum_s } else { 1.0 };
    let error = 2.0 * share * (variance * left as f64 * (1.0 + left as f64 / n)).sqrt();
    let guess = mean * left as f64;
    let rest = match state.n {
        0..10 => "too early to say how long".to_owned(),
        _ => format!("{} left, give or take {}", time(guess), time(error)),
    };
    format!("{bar} {} of {total} runs, {}", state.n, rest)
}

/// So many seconds, for people.
fn time(seconds: f64) -> String {
    match seconds {
        s if s < 90.0 => format!("{s:.0} s"),
        s if s < 5400.0 => format!("{:.0} min", s / 60.0),
        s => format!("{:.1} h", s / 3600.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_estimate_is_the_mean_with_its_error() {
        let state = State { n: 100, sum_s: 50.0, squares: 25.0, told: None };
        assert_eq!(
            line(&state, 200, Duration::from_secs(60)),
            "[##########----------] 100 of 200 runs, 60 s left, give or take 0 s"
        );
        let state = State { n: 100, sum_s: 50.0, squares: 1500.0, told: None };
        assert!(
            line(&state, 200, Duration::from_secs(60)).ends_with("60 s left, give or take 2 min")
        );
        let early = State { n: 5, ..State::default() };
        assert!(line(&early, 200, Duration::from_secs(60)).ends_with("too early to say how long"));
    }
}
