//! A solver that is a program: one child process per query, its script on standard input.
//!
//! A process per query costs 13 (cvc5) to 30 (z3) milliseconds on two cores of an EPYC, and buys
//! isolation: no state leaks from one query to the next, a crash is one error, and every query is
//! one file that can be replayed by hand.
//!
//! `unsat` and `unknown` are complete with their line; after `sat` the response is read up to its
//! last parenthesis. The process is then killed, because a solver may spend long on tidying up.
//! A model is read here but not judged; that is for [`Checked`](crate::Checked).

use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::{Duration, Instant};

use keyaki_logic::smtlib;
use keyaki_logic::solver::AttemptResult;
use keyaki_logic::{
    Answer, Attempt, Cancel, Formula, Limits, Outcome, Reason, Solver, SolverError,
};

use crate::child::{self, Finished, Job, Program, Stop};
use crate::config::Definition;
use crate::listen::{AnswerListener, STDOUT_BYTES_MAX, Said};
use crate::record::{self, Query};

/// How much of what a solver wrote an error repeats, in bytes: a few lines.
const EXCERPT_BYTES_MAX: usize = 2 << 10;

/// How much of what a solver wrote is searched for a complaint, in bytes: all that is kept of
/// standard error.
const COMPLAINT_BYTES_MAX: usize = 64 << 10;

/// A solver that runs as a child process.
#[derive(Clone, Debug)]
pub struct Process {
    definition: Definition,
    scripts: Option<PathBuf>,
}

/// What a program said to a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RawAnswer {
    /// `sat`, and the first response that followed; empty if none did.
    Sat(String),
    /// `unsat`.
    Unsat,
    /// Neither was found out.
    Unknown(Reason),
}

/// Answers SMT-LIB scripts as they are.
pub trait ScriptSolver: Send + Sync {
    /// The name that answers and reports use.
    fn name(&self) -> &str;

    /// Runs `script` up to its first answer and, after `sat`, the response that follows. Returns
    /// promptly once `cancel` is set or the deadline has passed, with nothing left running.
    ///
    /// # Errors
    ///
    /// [`SolverError`] if the solver broke rather than gave up.
    fn run_script(
        &self,
        script: &str,
        limits: &Limits,
        cancel: &Cancel,
    ) -> Result<RawAnswer, SolverError>;
}

impl Process {
    /// The solver that `definition` describes. Nothing is started yet.
    pub fn new(definition: Definition) -> Process {
        Process { definition, scripts: None }
    }

    /// Keeps every script that is sent in `directory`, as `NNNN-solver.smt2`. The first line of
    /// each is a shell command that replays it. The solvers of a portfolio use one number per
    /// query, and later runs go on where this one ends.
    #[must_use]
    pub fn save_scripts_to(mut self, directory: impl Into<PathBuf>) -> Process {
        self.scripts = Some(directory.into());
        self
    }

    /// What this solver was made from.
    pub fn definition(&self) -> &Definition {
        &self.definition
    }

    fn ask(&self, question: &Question<'_>, limits: &Limits, cancel: &Cancel) -> Asked {
        if cancel.is_cancelled() {
            return Ok(RawAnswer::Unknown(Reason::Cancelled));
        }
        if limits.deadline <= Instant::now() {
            return Ok(RawAnswer::Unknown(Reason::Timeout));
        }
        if let Some(directory) = &self.scripts {
            record::save(directory, &self.definition, question.script).map_err(|cause| {
                let directory = directory.display();
                SolverError::System(format!("cannot keep a script in `{directory}`: {cause}"))
            })?;
        }
        let own = self.definition.memory_bytes.unwrap_or(u64::MAX);
        let program = Program {
            command: &self.definition.command,
            arguments: &self.definition.arguments,
            memory_bytes: limits.memory_bytes.min(own),
            deadline: limits.deadline,
        };
        let job = Job { program, input: Arc::from(question.script) };
        let listener = AnswerListener::new(question.response != Response::Unwanted);
        Ending::of(child::run(&job, listener, cancel)?).conclude(question.response)
    }

    fn decide(
        &self,
        formula: &Formula,
        limits: &Limits,
        cancel: &Cancel,
    ) -> Result<Outcome, SolverError> {
        let Ok(script) = smtlib::script(formula, self.definition.dialect) else {
            return Ok(Outcome::Unknown(Reason::Unsupported));
        };
        let has_variables = !formula.variables().is_empty();
        let response = if has_variables { Response::Needed } else { Response::Unwanted };
        outcome(formula, self.ask(&Question { script: &script, response }, limits, cancel)?)
    }
}

impl Solver for Process {
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
        let query = Query::current();
        let outcome = query.enter(|| self.decide(formula, limits, cancel))?;
        let script = query.script(&self.definition.name);
        Ok(answer(&self.definition.name, outcome, start.elapsed(), script))
    }
}

/// The answer of one solver that came to `outcome`.
pub(crate) fn answer(
    name: &str,
    outcome: Outcome,
    wall: Duration,
    script: Option<PathBuf>,
) -> Answer {
    let (by, result) = match &outcome {
        Outcome::Sat(_) => (vec![name.to_owned()], AttemptResult::Sat),
        Outcome::Unsat => (vec![name.to_owned()], AttemptResult::Unsat),
        Outcome::Unknown(reason) => (Vec::new(), AttemptResult::Unknown(*reason)),
    };
    let attempt = Attempt { solver: name.to_owned(), result, wall, script };
    Answer { outcome, by, attempts: vec![attempt] }
}

/// What an answer to the script of `formula` means.
pub(crate) fn outcome(formula: &Formula, answer: RawAnswer) -> Result<Outcome, SolverError> {
    match answer {
        RawAnswer::Unsat => Ok(Outcome::Unsat),
        RawAnswer::Unknown(reason) => Ok(Outcome::Unknown(reason)),
        RawAnswer::Sat(response) => match smtlib::read_model(formula, &response) {
            Ok(model) => Ok(Outcome::Sat(model)),
            Err(detail) => Err(SolverError::Rubbish {
                output: format!("{detail}, in {}", excerpt(response.as_bytes())),
            }),
        },
    }
}

impl ScriptSolver for Process {
    fn name(&self) -> &str {
        &self.definition.name
    }

    fn run_script(&self, script: &str, limits: &Limits, cancel: &Cancel) -> Asked {
        self.ask(&Question { script, response: Response::Welcome }, limits, cancel)
    }
}

pub(crate) type Asked = Result<RawAnswer, SolverError>;

struct Question<'a> {
    script: &'a str,
    response: Response,
}

/// What comes after `sat`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Response {
    /// Nothing that we care for.
    Unwanted,
    /// Perhaps a response. The script is not ours, so we do not know.
    Welcome,
    /// The values of the model.
    Needed,
}

/// All that is known when a solver has stopped.
pub(crate) struct Ending {
    pub(crate) said: Said,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
    pub(crate) stop: Stop,
    pub(crate) status: ExitStatus,
}

impl Ending {
    fn of(finished: Finished<AnswerListener>) -> Ending {
        let Finished { stop, listener, stderr, status } = finished;
        let (said, stdout) = match listener {
            Some(listener) => listener.finish(stop == Stop::Ended),
            None => (Said::Nothing, Vec::new()),
        };
        Ending { said, stdout, stderr, stop, status }
    }

    pub(crate) fn conclude(self, response: Response) -> Asked {
        match &self.said {
            Said::Unsat => Ok(RawAnswer::Unsat),
            Said::Unknown if self.stop == Stop::Deadline => Ok(RawAnswer::Unknown(Reason::Timeout)),
            Said::Unknown => Ok(RawAnswer::Unknown(self.memory().unwrap_or(Reason::SolverGaveUp))),
            Said::Timeout => Ok(RawAnswer::Unknown(Reason::Timeout)),
            Said::Sat(Some(text)) if response == Response::Needed && is_error(text) => {
                self.broke("error message instead of a model")
            }
            Said::Sat(Some(text)) => Ok(RawAnswer::Sat(text.clone())),
            Said::Sat(None) if response != Response::Needed => Ok(RawAnswer::Sat(String::new())),
            Said::Sat(None) | Said::Nothing => self.fell_silent(),
            Said::Error(_) => self.broke("error message"),
            Said::Rubbish => match self.memory() {
                Some(reason) => Ok(RawAnswer::Unknown(reason)),
                None => Err(SolverError::Rubbish { output: excerpt(&self.stdout) }),
            },
            Said::TooMuch => {
                let output =
                    format!("more than {STDOUT_BYTES_MAX} bytes: {}", excerpt(&self.stdout));
                Err(SolverError::Rubbish { output })
            }
        }
    }

    /// No answer, or `sat` without the model.
    fn fell_silent(&self) -> Asked {
        match self.stop {
            Stop::Cancelled => Ok(RawAnswer::Unknown(Reason::Cancelled)),
            Stop::Deadline => Ok(RawAnswer::Unknown(Reason::Timeout)),
            // cvc4 and cvc5 say this at a time limit of their own.
            Stop::Ended if self.wrote("interrupted by timeout") => {
                Ok(RawAnswer::Unknown(Reason::Timeout))
            }
            Stop::Ended | Stop::Enough => self.broke(&ending(self.status)),
        }
    }

    fn broke(&self, status: &str) -> Asked {
        if let Some(reason) = self.memory() {
            return Ok(RawAnswer::Unknown(reason));
        }
        let output = [excerpt(&self.stdout), excerpt(&self.stderr)];
        let output: Vec<String> = output.into_iter().filter(|text| !text.is_empty()).collect();
        Err(SolverError::Crashed { status: status.to_owned(), output: output.join("\n") })
    }

    /// [`Reason::Memory`] if the solver complained about it. There is no other sign: a failed
    /// allocation is an exception in cvc4 and cvc5, and an error message in z3.
    fn memory(&self) -> Option<Reason> {
        let complaints = [
            "out of memory",
            "bad_alloc",
            "memory exhausted",
            "cannot allocate memory",
            "memory allocation failed",
            "max. memory exceeded",
        ];
        complaints.iter().any(|words| self.wrote(words)).then_some(Reason::Memory)
    }

    fn wrote(&self, words: &str) -> bool {
        [&self.stdout, &self.stderr].into_iter().any(|output| {
            let beginning = &output[..output.len().min(COMPLAINT_BYTES_MAX)];
            String::from_utf8_lossy(beginning).to_ascii_lowercase().contains(words)
        })
    }
}

pub(crate) fn is_error(response: &str) -> bool {
    response.starts_with("(error")
}

fn ending(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        // Our own kill, if the program closed its output without ending.
        (_, Some(libc::SIGKILL)) => "signal 9 after it closed its output".to_owned(),
        (_, Some(signal)) => format!("signal {signal}"),
        (Some(code), None) => format!("exit status {code}"),
        (None, None) => "unknown status".to_owned(),
    }
}

/// The beginning of `output`, without blanks around it.
fn excerpt(output: &[u8]) -> String {
    let beginning = output.trim_ascii();
    let cut = beginning.len() > EXCERPT_BYTES_MAX;
    let text = String::from_utf8_lossy(&beginning[..beginning.len().min(EXCERPT_BYTES_MAX)]);
    if cut { format!("{}…", text.trim_end()) } else { text.into_owned() }
}
