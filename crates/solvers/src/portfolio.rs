//! Several solvers on one question: the first definite answer, or everybody's.
//!
//! No solver is best on every policy, and the slowest is often hopeless: on our corpus z3 and cvc5
//! each time out on queries that the other answers in milliseconds. A race buys a short tail with
//! idle cores.
//!
//! `sat` and `unsat` are definite, `unknown` is not: a member that gives up cannot win while
//! another is still running, and a member that breaks does not stop the others. When a call
//! returns, every member has returned. Contradictory definite answers are an error of the whole,
//! never a vote; in a race, the losers are stopped, so only [`Mode::All`] looks for contradictions.
//!
//! A hedged portfolio asks its first member alone for a grace time, in the caller's thread, and the
//! others only if that was not enough: the first is the one that answers in microseconds, and the
//! start of a process for each of its answers would cost a hundred times as much as they do.
//!
//! The race knows nothing of formulas or scripts (`race`); what an answer is comes in as a trait.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use keyaki_logic::solver::AttemptResult;
use keyaki_logic::{
    Answer, Attempt, Cancel, Formula, Limits, Outcome, Reason, Solver, SolverError,
};

use crate::process::{RawAnswer, ScriptSolver};
use crate::record::Query;

/// When a portfolio returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// As soon as one member has a definite answer; the others are cancelled.
    Race,
    /// When every member has returned; their answers must agree.
    All,
    /// When the first member has a definite answer; if it has none after [`GRACE`], or says so
    /// before, as with [`Mode::Race`].
    Hedged,
}

/// How a hedged portfolio asks, as `keyaki-bench learn` wrote it from a record.
const LEARNED: &str = include_str!("portfolio.toml");

/// How long the first member of a hedged portfolio is alone, as `portfolio.toml` says. The embedded solver needs far less
/// for nearly everything, and the external ones, started together, take some 50 ms for anything.
pub const GRACE: Duration = Duration::from_millis(number_after(LEARNED, "\ngrace_ms = "));

/// The number that follows `name` in a text.
const fn number_after(text: &str, name: &str) -> u64 {
    let (text, name) = (text.as_bytes(), name.as_bytes());
    let mut at = 0;
    // The text is ours, and this is executed when it is compiled: without the number there is no program.
    while at + name.len() < text.len() {
        let mut n_same = 0;
        while n_same < name.len() && text[at + n_same] == name[n_same] {
            n_same += 1;
        }
        if n_same == name.len() {
            let mut number = 0;
            let mut digit = at + n_same;
            while digit < text.len() && text[digit].is_ascii_digit() {
                number = number * 10 + (text[digit] - b'0') as u64;
                digit += 1;
            }
            return number;
        }
        at += 1;
    }
    panic!("portfolio.toml has no such number")
}

/// Solvers that are asked together, one thread each.
///
/// A portfolio of [`Solver`]s is a [`Solver`], a portfolio of [`ScriptSolver`]s answers scripts,
/// and a portfolio of [`Process`](crate::Process)es does both.
pub struct Portfolio<S: ?Sized = dyn Solver> {
    members: Vec<Box<S>>,
    mode: Mode,
}

/// An answer to a script, who found it, and what everybody did.
#[derive(Clone, Debug)]
pub struct ScriptAnswer {
    /// The answer.
    pub answer: RawAnswer,
    /// The solvers that came to this answer by themselves, the first to do so first. Empty if the
    /// answer is unknown.
    pub by: Vec<String>,
    /// Each solver's try.
    pub attempts: Vec<Attempt>,
}

impl<S: ?Sized> Portfolio<S> {
    /// A portfolio of `members`.
    pub fn new(mode: Mode, members: Vec<Box<S>>) -> Portfolio<S> {
        Portfolio { members, mode }
    }

    /// The solvers that are asked.
    pub fn members(&self) -> impl Iterator<Item = &S> {
        self.members.iter().map(|member| &**member)
    }
}

impl<S: Send + Sync + ?Sized> Portfolio<S> {
    /// Asks the members as the mode says; `ask` is told the limits of the one that it asks.
    fn ask<R: Reply>(
        &self,
        limits: &Limits,
        cancel: &Cancel,
        name: impl Fn(&S) -> &str + Sync,
        ask: impl Fn(&S, &Limits, &Cancel) -> Result<R, SolverError> + Sync,
    ) -> Result<Vec<Finisher<R>>, SolverError> {
        let within = |member: &S, cancel: &Cancel| ask(member, limits, cancel);
        let (first, rest) = match (self.mode, &self.members[..]) {
            (Mode::Hedged, [first, rest @ ..]) => (&**first, rest),
            _ => return race(&self.members, self.mode, cancel, name, within),
        };
        if rest.is_empty() {
            return Ok(vec![alone(first, &name, || ask(first, limits, cancel))]);
        }
        let grace = limits.deadline.min(Instant::now() + GRACE);
        let short = Limits { deadline: grace, ..limits.clone() };
        let tried = alone(first, &name, || ask(first, &short, cancel));
        if tried.is_definite() || cancel.is_cancelled() {
            return Ok(vec![tried]);
        }
        if tried.is_late() {
            return race(&self.members, Mode::Race, cancel, name, within);
        }
        let mut finishers = race(rest, Mode::Race, cancel, name, within)?;
        finishers.insert(0, tried);
        Ok(finishers)
    }
}

impl<S: Solver + ?Sized> Solver for Portfolio<S> {
    fn name(&self) -> &str {
        "portfolio"
    }

    fn prefers_parts(&self) -> bool {
        self.members.iter().all(|member| member.prefers_parts())
    }

    fn solve(
        &self,
        formula: &Formula,
        limits: &Limits,
        cancel: &Cancel,
    ) -> Result<Answer, SolverError> {
        let ask =
            |member: &S, limits: &Limits, cancel: &Cancel| member.solve(formula, limits, cancel);
        let finishers = self.ask(limits, cancel, S::name, ask)?;
        let verdict = Verdict::of(finishers, cancel)?;
        let outcome = match verdict.first {
            Some(answer) => answer.outcome,
            None => Outcome::Unknown(verdict.reason),
        };
        Ok(Answer { outcome, by: verdict.by, attempts: verdict.attempts })
    }
}

impl<S: ScriptSolver + ?Sized> Portfolio<S> {
    /// Runs `script` on the members; see [`ScriptSolver::run_script`].
    ///
    /// # Errors
    ///
    /// [`SolverError::Contradiction`] if members contradict each other,
    /// [`SolverError::AllFailed`] if every member broke, [`SolverError::NoSolver`] if there is
    /// none.
    pub fn solve_script(
        &self,
        script: &str,
        limits: &Limits,
        cancel: &Cancel,
    ) -> Result<ScriptAnswer, SolverError> {
        let ask = |member: &S, limits: &Limits, cancel: &Cancel| {
            member.run_script(script, limits, cancel)
        };
        let finishers = self.ask(limits, cancel, S::name, ask)?;
        let verdict = Verdict::of(finishers, cancel)?;
        let answer = verdict.first.unwrap_or(RawAnswer::Unknown(verdict.reason));
        Ok(ScriptAnswer { answer, by: verdict.by, attempts: verdict.attempts })
    }
}

/// What members may answer.
trait Reply: Send {
    fn result(&self) -> AttemptResult;

    /// Who found it and how, if the member is itself made of several.
    fn parts(&self) -> (&[String], &[Attempt]);
}

impl Reply for Answer {
    fn result(&self) -> AttemptResult {
        match self.outcome {
            Outcome::Sat(_) => AttemptResult::Sat,
            Outcome::Unsat => AttemptResult::Unsat,
            Outcome::Unknown(reason) => AttemptResult::Unknown(reason),
        }
    }

    fn parts(&self) -> (&[String], &[Attempt]) {
        (&self.by, &self.attempts)
    }
}

impl Reply for RawAnswer {
    fn result(&self) -> AttemptResult {
        match self {
            RawAnswer::Sat(_) => AttemptResult::Sat,
            RawAnswer::Unsat => AttemptResult::Unsat,
            RawAnswer::Unknown(reason) => AttemptResult::Unknown(*reason),
        }
    }

    fn parts(&self) -> (&[String], &[Attempt]) {
        (&[], &[])
    }
}

/// A member that has returned.
struct Finisher<R> {
    name: String,
    reply: Result<R, SolverError>,
    wall: Duration,
    script: Option<PathBuf>,
}

impl<R: Reply> Finisher<R> {
    fn is_definite(&self) -> bool {
        let result = self.reply.as_ref().map(Reply::result);
        matches!(result, Ok(AttemptResult::Sat | AttemptResult::Unsat))
    }

    fn is_late(&self) -> bool {
        let result = self.reply.as_ref().map(Reply::result);
        matches!(result, Ok(AttemptResult::Unknown(Reason::Timeout)))
    }
}

/// Asks one member in this thread.
fn alone<S: ?Sized, R: Reply>(
    member: &S,
    name: impl Fn(&S) -> &str,
    ask: impl FnOnce() -> Result<R, SolverError>,
) -> Finisher<R> {
    let start = Instant::now();
    let query = Query::current();
    let reply = query.enter(|| unless_it_panics(ask));
    let name = name(member).to_owned();
    let script = query.script(&name);
    Finisher { name, reply, wall: start.elapsed(), script }
}

/// Asks every member in a thread of its own; returns them in the order in which they returned.
fn race<S: Send + Sync + ?Sized, R: Reply>(
    members: &[Box<S>],
    mode: Mode,
    cancel: &Cancel,
    name: impl Fn(&S) -> &str + Sync,
    ask: impl Fn(&S, &Cancel) -> Result<R, SolverError> + Sync,
) -> Result<Vec<Finisher<R>>, SolverError> {
    if members.is_empty() {
        return Err(SolverError::NoSolver);
    }
    let stop = Cancel::new();
    let _chain = cancel.on_cancel({
        let stop = stop.clone();
        move || stop.cancel()
    });
    let query = Query::current();
    let run = |member: &S, sender: Sender<Finisher<R>>| {
        let start = Instant::now();
        let reply = query.enter(|| unless_it_panics(|| ask(member, &stop)));
        let name = name(member).to_owned();
        let script = query.script(&name);
        // The receiver lives until every member has been heard.
        let _ = sender.send(Finisher { name, reply, wall: start.elapsed(), script });
    };
    let (sender, finishers) = channel();
    // The scope ends when every thread has.
    thread::scope(|scope| {
        for member in members {
            let member: &S = member;
            let thread = thread::Builder::new().name(format!("keyaki {}", name(member)));
            let (run, mine) = (&run, sender.clone());
            if let Err(cause) = thread.spawn_scoped(scope, move || run(member, mine)) {
                let _ = sender.send(Finisher {
                    name: name(member).to_owned(),
                    reply: Err(SolverError::System(format!("cannot start a thread: {cause}"))),
                    wall: Duration::ZERO,
                    script: None,
                });
            }
        }
        drop(sender);
        Ok(collect(&finishers, mode, &stop))
    })
}

/// Waits until everybody has returned, and hurries them once there is a winner.
fn collect<R: Reply>(
    finishers: &Receiver<Finisher<R>>,
    mode: Mode,
    stop: &Cancel,
) -> Vec<Finisher<R>> {
    let mut all = Vec::new();
    // Ends when the last member's sender is gone.
    for finisher in finishers {
        if mode != Mode::All && finisher.is_definite() {
            stop.cancel();
        }
        all.push(finisher);
    }
    all
}

/// A bug in one member must not take down the others, nor the service that they run in.
fn unless_it_panics<R>(ask: impl FnOnce() -> Result<R, SolverError>) -> Result<R, SolverError> {
    // The members take shared references and are locked by themselves; what a panic leaves behind
    // is dropped with the reply.
    catch_unwind(AssertUnwindSafe(ask)).unwrap_or_else(|panic| {
        Err(SolverError::System(format!("internal error: {}", panic_text(&*panic))))
    })
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message")
}

/// What the members' replies come to.
struct Verdict<R> {
    /// The first definite reply.
    first: Option<R>,
    /// Who came to it. Members that had returned in time count, even if another won.
    by: Vec<String>,
    /// Why there is none, if there is none.
    reason: Reason,
    attempts: Vec<Attempt>,
}

impl<R: Reply> Verdict<R> {
    fn of(finishers: Vec<Finisher<R>>, cancel: &Cancel) -> Result<Verdict<R>, SolverError> {
        let (mut sat, mut unsat) = (Vec::new(), Vec::new());
        let (mut attempts, mut reasons) = (Vec::new(), Vec::new());
        let mut first = None;
        for Finisher { name, reply, wall, script } in finishers {
            let result = match &reply {
                Ok(reply) => reply.result(),
                // A portfolio within: it has seen what must not be.
                Err(error @ SolverError::Contradiction { .. }) => return Err(error.clone()),
                Err(error) => AttemptResult::Error(error.clone()),
            };
            let (by, parts) = reply.as_ref().map_or((&[][..], &[][..]), Reply::parts);
            let by = if by.is_empty() { vec![name.clone()] } else { by.to_vec() };
            match &result {
                AttemptResult::Sat => sat.extend(by),
                AttemptResult::Unsat => unsat.extend(by),
                AttemptResult::Unknown(reason) => reasons.push(*reason),
                AttemptResult::Error(_) => {}
            }
            if parts.is_empty() {
                attempts.push(Attempt { solver: name, result: result.clone(), wall, script });
            } else {
                attempts.extend_from_slice(parts);
            }
            if first.is_none() && matches!(result, AttemptResult::Sat | AttemptResult::Unsat) {
                first = reply.ok();
            }
        }
        if !sat.is_empty() && !unsat.is_empty() {
            return Err(SolverError::Contradiction { sat, unsat, attempts });
        }
        if first.is_none() && reasons.is_empty() {
            return Err(SolverError::AllFailed { attempts });
        }
        sat.append(&mut unsat);
        Ok(Verdict { first, by: sat, reason: most_informative(&reasons, cancel), attempts })
    }
}

/// The reason to report when nobody has an answer: the one that a caller can do most about.
///
/// If the caller cancelled and that stopped somebody, it is why there is no answer, whatever the
/// others ran into before.
fn most_informative(reasons: &[Reason], cancel: &Cancel) -> Reason {
    if cancel.is_cancelled() && reasons.contains(&Reason::Cancelled) {
        return Reason::Cancelled;
    }
    let order = [Reason::Timeout, Reason::Memory, Reason::SolverGaveUp, Reason::Unsupported];
    order.into_iter().find(|reason| reasons.contains(reason)).unwrap_or(Reason::SolverGaveUp)
}
