//! A solver that is a program kept running: one child process answers query after query.
//!
//! The start of a process is most of what a small query costs (13 ms of cvc5, 30 ms of z3), so where
//! many queries go to a program it is kept, one process for each query that is under way. A process
//! is used again only after it has answered `sat` or `unsat` and nothing else; whatever else
//! happens, it is killed and the next query has a new one. If a process that has answered
//! before breaks, its query is asked again in a new one, because what earlier queries left behind must
//! not be this one's failure.
//!
//! Between queries stands `(pop 1)` or `(reset)`, as the solver's definition says, and an `echo` whose
//! text must come back before the next answer is believed. So an answer is never taken for that of
//! another query. That a solver forgets nothing wrongly and everything that it should rests on
//! the solver; with [`Process`](crate::Process) it rests on nobody.
//!
//! No process outlives this: dropping it kills and reaps them all.

use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use keyaki_logic::smtlib::{self, Encoding, Script};
use keyaki_logic::{Answer, Cancel, Formula, Limits, Outcome, Reason, Solver, SolverError};

use crate::child::{Program, Stop};
use crate::config::{Definition, Forget};
use crate::listen::Said;
use crate::process::{self, Asked, Ending, RawAnswer, Response, is_error};
use crate::session::{Remains, Session, Silence};

/// How many queries one process answers. What a solver does not give back after a query adds up;
/// a start after so many costs nothing that shows.
const QUERIES_MAX: u64 = 1_000;

/// How many processes of one solver are kept while no query is under way. More than that many
/// callers at once is rare, and each process holds some 30 MB.
const IDLE_MAX: usize = 8;

/// How long a process may be used. Bounds the processor time that it may take, for the case that it
/// survives us.
const AGE_MAX: Duration = Duration::from_secs(600);

/// A solver whose processes answer several queries.
pub struct Persistent {
    definition: Definition,
    /// How a process forgets a query.
    forget: Forget,
    idle: Mutex<Vec<Kept>>,
}

/// A process that may be used again.
struct Kept {
    session: Session,
    memory_bytes: u64,
    /// Up to when its processor time is sure to last.
    horizon: Instant,
}

impl Persistent {
    /// The solver that `definition` describes, or `None` if it does not say how a process of it
    /// forgets a query. Nothing is started yet.
    pub fn new(definition: Definition) -> Option<Persistent> {
        let forget = definition.persistent?;
        Some(Persistent { definition, forget, idle: Mutex::new(Vec::new()) })
    }

    /// What this solver was made from.
    pub fn definition(&self) -> &Definition {
        &self.definition
    }

    fn decide(
        &self,
        formula: &Formula,
        limits: &Limits,
        cancel: &Cancel,
    ) -> Result<Outcome, SolverError> {
        let Ok(script) = smtlib::pieces(formula, self.definition.dialect, Encoding::Separate)
        else {
            return Ok(Outcome::Unknown(Reason::Unsupported));
        };
        process::outcome(formula, self.ask(&script, limits, cancel)?)
    }

    /// Whether the assertions of `script` can be satisfied, and what the solver says to its `(get-value …)`.
    ///
    /// # Errors
    ///
    /// [`SolverError`] if the solver broke rather than gave up.
    pub fn ask(
        &self,
        script: &Script,
        limits: &Limits,
        cancel: &Cancel,
    ) -> Result<RawAnswer, SolverError> {
        let own = self.definition.memory_bytes.unwrap_or(u64::MAX);
        let memory_bytes = limits.memory_bytes.min(own);
        let mut reusable = true;
        // Twice at most: a new process is not blamed on what came before.
        loop {
            if cancel.is_cancelled() {
                return Ok(RawAnswer::Unknown(Reason::Cancelled));
            }
            if limits.deadline <= Instant::now() {
                return Ok(RawAnswer::Unknown(Reason::Timeout));
            }
            let kept = if reusable { self.take(memory_bytes, limits.deadline) } else { None };
            let was_used = kept.is_some();
            let kept = kept.map_or_else(|| self.start(memory_bytes, limits.deadline), Ok)?;
            let answer = self.exchange(kept, script, limits.deadline, cancel);
            let broke = matches!(answer, Err(_) | Ok(RawAnswer::Unknown(Reason::Memory)));
            if !(was_used && broke) {
                return answer;
            }
            reusable = false;
        }
    }

    /// A process that may be used again for this.
    fn take(&self, memory_bytes: u64, deadline: Instant) -> Option<Kept> {
        let fits = |kept: &Kept| kept.memory_bytes == memory_bytes && kept.horizon >= deadline;
        // Those that do not fit are ended outside the lock.
        let mut unfit = Vec::new();
        let mut idle = self.lock();
        while let Some(kept) = idle.pop() {
            if fits(&kept) {
                return Some(kept);
            }
            unfit.push(kept);
        }
        drop(idle);
        None
    }

    fn start(&self, memory_bytes: u64, deadline: Instant) -> Result<Kept, SolverError> {
        let Definition { command, arguments, persistent_arguments, .. } = &self.definition;
        let horizon = deadline.max(Instant::now() + AGE_MAX);
        let arguments = &[&arguments[..], persistent_arguments].concat();
        let program = Program { command, arguments, memory_bytes, deadline: horizon };
        let session = Session::start(&program)?;
        if self.forget == Forget::Pop {
            session.send(smtlib::OPTIONS);
        }
        Ok(Kept { session, memory_bytes, horizon })
    }

    /// Asks one process, which is kept if it has answered and is ended otherwise.
    fn exchange(
        &self,
        mut kept: Kept,
        script: &Script,
        deadline: Instant,
        cancel: &Cancel,
    ) -> Asked {
        let response = match script.get_values.is_empty() {
            true => Response::Unwanted,
            false => Response::Needed,
        };
        let (said, stop) = self.converse(&mut kept.session, script, deadline, cancel);
        let answer = match said {
            Said::Unsat => RawAnswer::Unsat,
            Said::Sat(Some(text)) if !is_error(&text) => RawAnswer::Sat(text),
            Said::Sat(None) if response == Response::Unwanted => RawAnswer::Sat(String::new()),
            said => {
                let Remains { stdout, stderr, status } = kept.session.finish()?;
                return Ending { said, stdout, stderr, stop, status }.conclude(response);
            }
        };
        if kept.session.n_exchanges() < QUERIES_MAX {
            let mut idle = self.lock();
            if idle.len() < IDLE_MAX {
                idle.push(kept);
            }
        }
        Ok(answer)
    }

    /// What a process says to a query, and why it says no more.
    fn converse(
        &self,
        session: &mut Session,
        script: &Script,
        deadline: Instant,
        cancel: &Cancel,
    ) -> (Said, Stop) {
        let before = session.n_exchanges();
        let _subscription = session.begin(cancel);
        session.send(self.opening(script));
        let mut said = Said::Nothing;
        let mut wants_echo = before > 0;
        loop {
            let item = match session.next_item(deadline) {
                Ok(item) => item,
                Err(Silence::Stopped(stop)) => return (said, stop),
                Err(Silence::TooMuch) => return (Said::TooMuch, Stop::Enough),
                Err(Silence::NotText) => return (Said::Rubbish, Stop::Enough),
            };
            if wants_echo {
                // cvc4 and cvc5 repeat the quotes.
                if item.trim_matches('"') != echo(before) {
                    return (Said::Rubbish, Stop::Enough);
                }
                wants_echo = false;
                continue;
            }
            if said == Said::Sat(None) {
                said = Said::Sat(Some(item));
            } else {
                let Some(found) = Said::by(&item) else { continue };
                said = found;
                if said == Said::Sat(None) && !script.get_values.is_empty() {
                    session.send(script.get_values.as_str());
                    continue;
                }
            }
            if matches!(said, Said::Sat(_) | Said::Unsat) {
                session.send(self.closing(session.n_exchanges()));
            }
            return (said, Stop::Enough);
        }
    }

    fn opening(&self, script: &Script) -> String {
        match self.forget {
            Forget::Pop => ["(push 1)\n", &script.body, "(check-sat)\n"].concat(),
            Forget::Reset => [&script.options, &script.body, "(check-sat)\n"].concat(),
        }
    }

    fn closing(&self, exchange: u64) -> String {
        let mut text = match self.forget {
            Forget::Pop => "(pop 1)\n",
            Forget::Reset => "(reset)\n",
        }
        .to_owned();
        writeln!(text, "(echo \"{}\")", echo(exchange)).expect("strings accept writes");
        text
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Kept>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a process repeats when it has forgotten the query of that number.
fn echo(exchange: u64) -> String {
    format!("keyaki {exchange}")
}

impl Solver for Persistent {
    fn name(&self) -> &str {
        &self.definition.name
    }

    fn solve(
        &self,
        formula: &Formula,
        limits: &Limits,
        cancel: &Cancel,
    ) -> Result<Answer, SolverError> {
        let start = Instant::now();
        let outcome = self.decide(formula, limits, cancel)?;
        Ok(process::answer(&self.definition.name, outcome, start.elapsed(), None))
    }
}
