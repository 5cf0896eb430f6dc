//! The solver in process: a search over the Boolean structure, automata for the strings.
//!
//! It decides, exactly, Boolean combinations of truth variables, memberships of string variables
//! in regular languages, equalities of string variables with constants and one another, and tests
//! of the first bits of bit vectors. That is all that policies without policy variables become.
//! Patterns that relate string variables ([`Node::Matches`]) are decided where a guess happens to
//! satisfy them or where the rest of the formula has no model; otherwise the answer is
//! [`Reason::Unsupported`], at once, so that nobody waits.
//!
//! Read the modules in this order: `problem` (a formula as clauses), `search` (values for its
//! variables), `theory` (what the atoms mean), and of its parts `languages`, `bits` and
//! `distinct`; `proof` is for whoever asks why. `docs/automata.md` has the argument and what is not decided.
//!
//! A model is evaluated before it is returned. The same formula gets the same answer and the same
//! model each time, unless a limit cuts in.
//!
//! [`Node::Matches`]: keyaki_logic::term::Node::Matches

mod bits;
mod distinct;
mod languages;
mod problem;
mod proof;
mod queue;
mod script;
mod search;
mod theory;
mod watch;

use std::time::Instant;

use keyaki_logic::regex::{Effort, GaveUp};
use keyaki_logic::solver::AttemptResult;
use keyaki_logic::{
    Answer, Attempt, Cancel, Formula, Limits, Model, Outcome, Proof, Reason, Solver, SolverError,
    Value, eval,
};

pub use script::Scripted;

use problem::Problem;
use proof::{Log, NoProof};
use search::{Found, Search};
use theory::Values;
use watch::Watch;

/// The value of a string of which nothing is said.
const FREE_WORD: &str = "example";

/// The embedded solver.
#[derive(Clone, Copy, Debug, Default)]
pub struct Automaton;

impl Automaton {
    /// What reports and `--solver` call it.
    pub const NAME: &str = "automaton";
}

impl Solver for Automaton {
    fn name(&self) -> &str {
        Automaton::NAME
    }

    fn prefers_parts(&self) -> bool {
        false
    }

    fn solve(
        &self,
        formula: &Formula,
        limits: &Limits,
        cancel: &Cancel,
    ) -> Result<Answer, SolverError> {
        let start = Instant::now();
        let (outcome, _) = decide(formula, &Watch::new(limits, cancel), None)?;
        Ok(answer(outcome, start))
    }

    /// See [`Solver::explain`]. There is a proof of each `unsat`, unless a limit cuts in.
    fn explain(
        &self,
        formula: &Formula,
        limits: &Limits,
        cancel: &Cancel,
    ) -> Result<(Answer, Option<Proof>), SolverError> {
        let start = Instant::now();
        let watch = Watch::new(limits, cancel);
        let (outcome, proof) = decide(formula, &watch, Some(Log::default()))?;
        Ok((answer(outcome, start), proof))
    }
}

fn answer(outcome: Outcome, start: Instant) -> Answer {
    let result = match outcome {
        Outcome::Sat(_) => AttemptResult::Sat,
        Outcome::Unsat => AttemptResult::Unsat,
        Outcome::Unknown(reason) => AttemptResult::Unknown(reason),
    };
    let name = Automaton::NAME.to_owned();
    let by = match outcome {
        Outcome::Unknown(_) => Vec::new(),
        _ => vec![name.clone()],
    };
    let attempt = Attempt { solver: name, result, wall: start.elapsed(), script: None };
    Answer { outcome, by, attempts: vec![attempt] }
}

/// The outcome and, if it is `unsat` and there is a log to fill, the proof.
fn decide(
    formula: &Formula,
    watch: &Watch<'_>,
    log: Option<Log>,
) -> Result<(Outcome, Option<Proof>), SolverError> {
    let unknown = |reason| Ok((Outcome::Unknown(reason), None));
    if let Some(reason) = watch.look() {
        return unknown(reason);
    }
    let Ok(problem) = Problem::new(formula) else { return unknown(Reason::Unsupported) };
    let mut search = Search::new(&problem, watch, log);
    match search.run() {
        Found::Unknown(reason) => unknown(reason),
        Found::Values(values) => match checked(formula, model(formula, &problem, values), watch)? {
            Ok(model) => Ok((Outcome::Sat(model), None)),
            Err(reason) => unknown(reason),
        },
        Found::Nothing => {
            let proof = search.log.map(|log| proof::prove(&problem, log, watch));
            match proof.transpose() {
                Ok(proof) => Ok((Outcome::Unsat, proof)),
                Err(NoProof::Limit) => Ok((Outcome::Unsat, None)),
                Err(NoProof::Broken) => {
                    let detail = "what it learnt does not follow".to_owned();
                    Err(SolverError::BadProof { detail })
                }
            }
        }
    }
}

/// The model, if it is one; or why to stop before that is known.
fn checked(
    formula: &Formula,
    model: Model,
    watch: &Watch<'_>,
) -> Result<Result<Model, Reason>, SolverError> {
    let stop = watch.stopper();
    match eval::holds_within(formula, &model, &Effort::until(&stop)) {
        Ok(Ok(true)) => Ok(Ok(model)),
        Ok(Ok(false)) => {
            let detail = "an assertion is false under it".to_owned();
            Err(SolverError::BadModel { detail })
        }
        Ok(Err(detail)) => Err(SolverError::BadModel { detail }),
        Err(GaveUp) => Ok(Err(watch.look().unwrap_or(Reason::Timeout))),
    }
}

/// The values as a model of the formula.
fn model(formula: &Formula, problem: &Problem<'_>, values: Values) -> Model {
    let mut model = Model::new();
    for (index, truth) in values.truths {
        model.insert(formula.terms.variable(index).0, Value::Bool(truth));
    }
    for (subject, word) in problem.strings.iter().zip(values.strings) {
        let word = word.unwrap_or_else(|| FREE_WORD.to_owned());
        model.insert(subject.name, Value::String(word));
    }
    for (subject, value) in problem.bits.iter().zip(values.bits) {
        model.insert(subject.name, Value::Bits { value, width: subject.width });
    }
    model
}
