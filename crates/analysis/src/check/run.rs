//! The cells of one encoding, put to the solver one by one, and what comes of its models.
//!
//! A query for all of them together was not taken: a cell is small, and many need no solver.
//!
//! Cells are asked one by one, in the order of the statements, until one of them fails; those with
//! opaque values come last. For these the opaque values are first free (unsatisfiable: this cell
//! holds), then adverse (satisfiable: it fails). A model becomes a request, and the request is replayed before anyone sees it.
//!
//! Patterns with variables in them are decided without showing them to the solver where that is
//! possible. A relaxed formula, with any text in a variable's place, is asked first: unsatisfiable, it
//! settles the matter. Then instances, with constants in the variables' places; a model of one is
//! evaluated on the formula itself before it is believed. Then the formula as it is.
//!
//! One axiom is asserted lazily: the pseudo-resource `*` goes only with actions that have no
//! resource type. Said in full it is a list of 15,000 names, and hardly any query needs one of
//! them, so a service's list is added when a model breaks it.

use keyaki_logic::{
    Answer, Attempt, Cancel, Formula, Limits, Model, Outcome, Reason, Solver, Terms, eval, relax,
    simplify,
};
use keyaki_policy::{Readings, Switch};

use super::readings::{self, Asked, Settled};
use super::{Error, Evidence, Setting, Verdict, Witness, allowing_side, rank, stopped, templates};
use crate::compatible;
use crate::encode::{Cell, Encoding, Opaque, Unsupported};
use crate::question::{PolicyRef, Question};
use crate::replay::{Replay, replay};
use crate::witness;

/// How often the lazy axiom may be extended for one cell: every service that policies name, with
/// room to spare.
pub(crate) const MAX_REFINEMENTS: usize = 64;

/// Formulas of more terms than this are split: each part costs the start of the solvers, some 20
/// ms, which smaller formulas hardly exceed. The number itself has not been tuned.
const SPLIT_ABOVE_TERMS: usize = 250;

/// The most parts that a formula is split into.
const MAX_PARTS: usize = 256;

/// The loop around the solver for one encoding.
pub(super) struct Run<'a> {
    pub(super) question: &'a Question,
    pub(super) encoding: &'a Encoding,
    /// The arena of the encoding once more, to work in: copying it for each cell would cost more
    /// than anything else.
    pub(super) scratch: Terms,
    /// The switches that the formula leaves open.
    pub(super) free: &'a [Switch],
    /// The readings of the others.
    pub(super) base: Readings,
    pub(super) solver: &'a dyn Solver,
    pub(super) simplify: bool,
    pub(super) candidates: bool,
    /// Whether models are made readable.
    pub(super) polishes: bool,
    pub(super) limits: &'a Limits,
    pub(super) cancel: &'a Cancel,
    pub(super) attempts: Vec<Attempt>,
    pub(super) decided_by: Option<String>,
    pub(super) all_agreed: bool,
    pub(super) queries: usize,
    /// The readings under which the last witness was replayed.
    pub(super) witness_under: Readings,
}

/// What is known about one formula.
enum Found {
    /// Nothing satisfies it.
    Nothing,
    /// This model does, and the lazy axiom holds of it.
    Model(Model),
    /// It was not found out.
    Unknown(Reason),
}

impl<'a> Run<'a> {
    pub(super) fn new(
        question: &'a Question,
        (encoding, free): (&'a Encoding, &'a [Switch]),
        base: Readings,
        setting: &Setting<'a>,
    ) -> Run<'a> {
        Run {
            question,
            encoding,
            scratch: encoding.terms.clone(),
            free,
            base,
            solver: setting.solver,
            simplify: setting.options.simplify,
            candidates: setting.options.candidates,
            polishes: true,
            limits: setting.limits,
            cancel: setting.cancel,
            attempts: Vec::new(),
            decided_by: None,
            all_agreed: true,
            queries: 0,
            witness_under: base,
        }
    }

    pub(super) fn verdict(&mut self) -> Result<Verdict, Error> {
        let mut unknown: Option<Reason> = None;
        let mut unsupported: Vec<Unsupported> = Vec::new();
        let mut note = |reason: Reason, more: Vec<Unsupported>| {
            unknown = Some(match unknown {
                Some(known) if rank(known) <= rank(reason) => known,
                _ => reason,
            });
            unsupported.extend(more);
        };
        // Cells in which everything is modelled come first: if one of them fails, nobody has to
        // wait for what might remain unknown anyway.
        let mut deferred = Vec::new();
        for cell in &self.encoding.cells {
            match self.modelled_cell(cell)? {
                None => deferred.push(cell),
                Some(Verdict::Holds(_)) => {}
                Some(Verdict::Unknown { reason, unsupported }) => note(reason, unsupported),
                Some(fails @ Verdict::Fails(_)) => return Ok(fails),
            }
        }
        for cell in deferred {
            match self.opaque_cell(cell)? {
                Verdict::Holds(_) => {}
                Verdict::Unknown { reason, unsupported } => note(reason, unsupported),
                fails @ Verdict::Fails(_) => return Ok(fails),
            }
        }
        // Several cells can hang on one construct, and one construct can have several values.
        unsupported.sort_by_key(|item| (item.policy, item.span));
        unsupported.dedup();
        Ok(match unknown {
            Some(reason) => Verdict::Unknown { reason, unsupported },
            None if self.queries > 0 && self.all_agreed => Verdict::Holds(Evidence::Agreed),
            None => Verdict::Holds(Evidence::Claimed),
        })
    }

    /// The verdict on a cell of which everything is modelled; `None` if it has opaque values.
    pub(super) fn modelled_cell(&mut self, cell: &Cell) -> Result<Option<Verdict>, Error> {
        // Simplifying is our own time, and a policy may have thousands of cells.
        if let Some(stopped) = self.stopped() {
            return Ok(Some(stopped));
        }
        if self.simplify && simplify::is_refuted(&mut self.scratch, cell.breaks) {
            // No solver has seen this one, so nobody can be said to have agreed.
            self.all_agreed = false;
            return Ok(Some(Verdict::Holds(Evidence::Claimed)));
        }
        let formula = self.formula(cell, Opaque::Free);
        if !self.encoding.unsupported_in(&formula, cell).is_empty() {
            return Ok(None);
        }
        let verdict = match self.find(&formula)? {
            Found::Nothing => Verdict::Holds(Evidence::Claimed),
            Found::Unknown(reason) => Verdict::Unknown { reason, unsupported: Vec::new() },
            Found::Model(model) => self.fails(model)?,
        };
        Ok(Some(verdict))
    }

    /// The verdict on a cell with opaque values.
    pub(super) fn opaque_cell(&mut self, cell: &Cell) -> Result<Verdict, Error> {
        if let Some(stopped) = self.stopped() {
            return Ok(stopped);
        }
        let free = self.formula(cell, Opaque::Free);
        match self.find(&free)? {
            Found::Nothing => return Ok(Verdict::Holds(Evidence::Claimed)),
            Found::Unknown(reason) => {
                return Ok(Verdict::Unknown { reason, unsupported: Vec::new() });
            }
            Found::Model(_) => {}
        }
        let unsupported = self.encoding.unsupported_in(&free, cell);
        let adverse = self.formula(cell, Opaque::Adverse);
        match self.find(&adverse)? {
            Found::Model(model) => self.fails(model),
            Found::Nothing => Ok(Verdict::Unknown { reason: Reason::Unsupported, unsupported }),
            Found::Unknown(reason) => Ok(Verdict::Unknown { reason, unsupported }),
        }
    }

    /// Why not to go on, if so.
    fn stopped(&self) -> Option<Verdict> {
        stopped(self.limits, self.cancel)
    }

    fn formula(&mut self, cell: &Cell, opaque: Opaque) -> Formula {
        if self.simplify {
            self.encoding.cell_in(&mut self.scratch, cell, opaque)
        } else {
            self.encoding.plain_in(self.scratch.clone(), cell.breaks, opaque)
        }
    }

    /// Solves; a large formula part by part, if the solver prefers that or does not know of the whole.
    fn find(&mut self, formula: &Formula) -> Result<Found, Error> {
        let is_large = !is_false(formula) && n_terms(formula) > SPLIT_ABOVE_TERMS;
        if !self.simplify || !is_large {
            return self.find_whole(formula);
        }
        if self.solver.prefers_parts() {
            return match self.find_in_parts(formula)? {
                Some(found) => Ok(found),
                None => self.find_whole(formula),
            };
        }
        match self.find_whole(formula)? {
            Found::Unknown(reason) if self.stopped().is_none() => {
                Ok(self.find_in_parts(formula)?.unwrap_or(Found::Unknown(reason)))
            }
            found => Ok(found),
        }
    }

    /// Solves part by part, if there are parts.
    fn find_in_parts(&mut self, formula: &Formula) -> Result<Option<Found>, Error> {
        let Some(parts) = simplify::split(formula, MAX_PARTS) else { return Ok(None) };
        let mut unknown = None;
        for part in parts {
            if let Some(Verdict::Unknown { reason, .. }) = self.stopped() {
                return Ok(Some(Found::Unknown(reason)));
            }
            match self.find_whole(&part)? {
                Found::Nothing => {}
                Found::Unknown(reason) => unknown = unknown.or(Some(reason)),
                Found::Model(mut model) => {
                    // What a part does not mention any more may have any value.
                    witness::complete(self.encoding, &mut model);
                    return Ok(Some(Found::Model(model)));
                }
            }
        }
        Ok(Some(unknown.map_or(Found::Nothing, Found::Unknown)))
    }

    /// Tries likely requests, then solves, and extends the lazy axiom until a model satisfies it.
    fn find_whole(&mut self, formula: &Formula) -> Result<Found, Error> {
        if self.candidates
            && !is_false(formula)
            && let Some(model) = witness::search(self.question, self.encoding, formula)
        {
            self.decided_by = Some("candidates".to_owned());
            return Ok(Found::Model(self.polished(formula, model)));
        }
        let mut refined: Option<Formula> = None;
        for _ in 0..MAX_REFINEMENTS {
            let formula = refined.as_ref().unwrap_or(formula);
            let model = match self.solve(formula)? {
                Found::Model(model) => model,
                other => return Ok(other),
            };
            let model = self.polished(formula, model);
            match compatible::service_to_refine(self.encoding, &model) {
                None => return Ok(Found::Model(model)),
                Some(service) => {
                    refined = Some(compatible::refined(self.encoding, formula, &service));
                }
            }
        }
        Ok(Found::Unknown(Reason::SolverGaveUp))
    }

    fn polished(&self, formula: &Formula, model: Model) -> Model {
        match self.polishes {
            true => witness::polish(self.question, self.encoding, formula, model),
            false => model,
        }
    }

    /// Solves a formula that may have templates, as long as possible without showing them to the
    /// solver.
    fn solve(&mut self, formula: &Formula) -> Result<Found, Error> {
        if !relax::has_templates(formula) {
            return self.ask(formula);
        }
        let relaxed = self.simplified(relax::relax(formula));
        let relaxed_model = match self.ask(&relaxed)? {
            Found::Nothing => return Ok(Found::Nothing),
            Found::Model(mut model) => {
                witness::complete_for(formula, &mut model);
                if eval::holds(formula, &model) == Ok(true) {
                    return Ok(Found::Model(model));
                }
                Some(model)
            }
            Found::Unknown(reason) if self.stopped().is_some() => {
                return Ok(Found::Unknown(reason));
            }
            Found::Unknown(_) => None,
        };
        for assignment in templates::instances(formula, relaxed_model) {
            let instance = simplify::simplify(relax::instantiate(formula, &assignment));
            if is_false(&instance) || relax::has_templates(&instance) {
                continue;
            }
            if let Found::Model(mut model) = self.ask_aside(&instance)? {
                for (name, value) in assignment.iter() {
                    model.insert(name, value.clone());
                }
                witness::complete_for(formula, &mut model);
                if eval::holds(formula, &model) == Ok(true) {
                    return Ok(Found::Model(model));
                }
            }
        }
        self.ask(formula)
    }

    fn simplified(&self, formula: Formula) -> Formula {
        if self.simplify { simplify::simplify(formula) } else { formula }
    }

    /// Asks for a formula whose unsatisfiability counts.
    fn ask(&mut self, formula: &Formula) -> Result<Found, Error> {
        if is_false(formula) {
            // No solver has seen this one, so nobody can be said to have agreed.
            self.all_agreed = false;
            return Ok(Found::Nothing);
        }
        let answer = self.answer(formula)?;
        if answer.outcome == Outcome::Unsat {
            self.all_agreed &= answer.by.len() > 1;
        }
        Ok(self.found(answer))
    }

    /// Asks for a formula of which only a model counts.
    fn ask_aside(&mut self, formula: &Formula) -> Result<Found, Error> {
        let decided_by = self.decided_by.clone();
        let answer = self.answer(formula)?;
        let found = self.found(answer);
        if !matches!(found, Found::Model(_)) {
            self.decided_by = decided_by;
        }
        Ok(found)
    }

    fn found(&mut self, answer: Answer) -> Found {
        if let Some(first) = answer.by.into_iter().next() {
            self.decided_by = Some(first);
        }
        match answer.outcome {
            Outcome::Unsat => Found::Nothing,
            Outcome::Unknown(reason) => Found::Unknown(reason),
            Outcome::Sat(model) => Found::Model(model),
        }
    }

    fn answer(&mut self, formula: &Formula) -> Result<Answer, Error> {
        self.queries += 1;
        match self.solver.solve(formula, self.limits, self.cancel) {
            Ok(answer) => {
                self.attempts.extend(answer.attempts.iter().cloned());
                Ok(answer)
            }
            Err(error) => {
                let mut attempts = std::mem::take(&mut self.attempts);
                attempts.extend_from_slice(error.attempts());
                Err(Error::Solver { error, attempts })
            }
        }
    }

    /// The verdict on a model: the request that it stands for, replayed.
    fn fails(&mut self, mut model: Model) -> Result<Verdict, Error> {
        witness::complete(self.encoding, &mut model);
        let request = witness::decode(self.encoding, &model);
        let readings = readings::of_model(&model, self.free, self.base);
        let detail = match replay(self.question, &request, readings) {
            Replay::Confirmed { allowing } => {
                self.witness_under = readings;
                let side = allowing_side(self.question);
                return Ok(Verdict::Fails(Witness { request, side, statements: allowing }));
            }
            Replay::Refuted(detail) => detail,
            Replay::Undecided(constructs) => format!(
                "it hangs on {}",
                constructs.iter().map(|(_, u)| u.construct.as_str()).collect::<Vec<_>>().join(", ")
            ),
        };
        Err(Error::Unsound {
            solver: self.decided_by.clone().unwrap_or_default(),
            detail,
            request: Box::new(request),
            attempts: std::mem::take(&mut self.attempts),
        })
    }

    /// The witness to tell of, under which readings it is one, and on which switches that hangs.
    /// `first` is the last witness that was found.
    pub(super) fn settle(&mut self, first: Witness) -> Result<Settled<Witness>, Error> {
        let question = self.question;
        let allowing = |witness: &Witness, readings| allowing(question, witness, readings);
        let is_witness = |witness: &Witness, readings| allowing(witness, readings).is_some();
        let (free, base, under) = (self.free, self.base, self.witness_under);
        let ask = &mut |readings| self.ask_under(readings);
        let mut settled = readings::settle(free, base, first, under, &is_witness, ask)?;
        if let Some(statements) = allowing(&settled.witness, settled.under) {
            settled.witness.statements = statements;
        }
        Ok(settled)
    }

    /// Asks the whole question again, with this reading of the free switches.
    pub(super) fn ask_under(&mut self, readings: Readings) -> Result<Asked<Witness>, Error> {
        let encoding = readings::under(self.encoding, self.free, readings);
        let mut run = Run {
            encoding: &encoding,
            scratch: encoding.terms.clone(),
            free: &[],
            base: readings,
            attempts: std::mem::take(&mut self.attempts),
            decided_by: None,
            witness_under: readings,
            ..*self
        };
        let verdict = run.verdict()?;
        self.queries = run.queries;
        self.attempts = run.attempts;
        Ok(match verdict {
            Verdict::Holds(_) => Asked::Holds,
            Verdict::Fails(witness) => Asked::Fails(witness),
            Verdict::Unknown { .. } => Asked::Unknown,
        })
    }
}

/// The statements that let the witness in, if it is one under these readings.
pub(super) fn allowing(
    question: &Question,
    witness: &Witness,
    readings: Readings,
) -> Option<Vec<(PolicyRef, usize)>> {
    match replay(question, &witness.request, readings) {
        Replay::Confirmed { allowing } => Some(allowing),
        Replay::Undecided(_) | Replay::Refuted(_) => None,
    }
}

/// Whether an assertion is false outright.
fn is_false(formula: &Formula) -> bool {
    let is_false = |term| formula.terms.as_bool(term) == Some(false);
    formula.assertions().iter().any(|(_, term)| is_false(*term))
}

fn n_terms(formula: &Formula) -> usize {
    let mut n = 0;
    formula.visit(|_, _| n += 1);
    n
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::sync::Mutex;
    use std::time::Duration;

    use keyaki_logic::{Piece, SolverError, Sort, Value};
    use keyaki_policy::parse;

    use super::*;
    use crate::encode::encode;
    use crate::public;

    /// Answers with these outcomes in order, each the answer of two solvers, and keeps what it was
    /// asked.
    struct Scripted {
        outcomes: Mutex<VecDeque<Outcome>>,
        asked: Mutex<Vec<Formula>>,
    }

    impl Solver for Scripted {
        fn name(&self) -> &str {
            "scripted"
        }

        fn solve(&self, formula: &Formula, _: &Limits, _: &Cancel) -> Result<Answer, SolverError> {
            self.asked.lock().unwrap().push(formula.clone());
            let outcome = self.outcomes.lock().unwrap().pop_front().expect("no more questions");
            let by = vec!["a".to_owned(), "b".to_owned()];
            Ok(Answer { outcome, by, attempts: vec![] })
        }
    }

    /// `x` is `a${v}`, and neither is empty.
    fn template() -> Formula {
        let mut t = Terms::new();
        let (x, v) = (t.var("x", Sort::String), t.var("v", Sort::String));
        let matches = t.matches(x, [Piece::text("a"), Piece::Value(v)]);
        let empty = t.string("");
        let is_empty = t.eq(v, empty);
        let not_empty = t.not(is_empty);
        let mut formula = Formula::new(t);
        formula.assert("template", matches);
        formula.assert("not empty", not_empty);
        formula
    }

    fn model(values: &[(&str, &str)]) -> Outcome {
        let mut model: Model =
            values.iter().map(|(n, text)| ((*n).into(), Value::String((*text).into()))).collect();
        model.insert("template 0", Value::Bool(true));
        Outcome::Sat(model)
    }

    /// Solves the formula above. Returns what was found, whether it counts as agreed, and for each
    /// formula that was asked whether it had templates.
    fn solve(outcomes: Vec<Outcome>) -> (Found, bool, Vec<bool>) {
        let statement = r#"{"Statement": {"Effect": "Allow", "Principal": "*", "Action": "*",
            "Resource": "*"}}"#;
        let policy = parse(statement, None).unwrap();
        let question = Question::no_public_access(policy, &public::S3);
        let encoding = encode(&question);
        let solver =
            Scripted { outcomes: Mutex::new(outcomes.into()), asked: Mutex::new(Vec::new()) };
        let mut run = Run {
            question: &question,
            encoding: &encoding,
            scratch: encoding.terms.clone(),
            free: &[],
            base: Readings::DEFAULT,
            solver: &solver,
            simplify: true,
            candidates: false,
            polishes: true,
            limits: &Limits::within(Duration::from_secs(10)),
            cancel: &Cancel::new(),
            attempts: Vec::new(),
            decided_by: None,
            all_agreed: true,
            queries: 0,
            witness_under: Readings::DEFAULT,
        };
        let found = run.solve(&template()).unwrap();
        let agreed = run.all_agreed;
        let asked = solver.asked.into_inner().unwrap();
        assert!(solver.outcomes.into_inner().unwrap().is_empty(), "all outcomes are used");
        (found, agreed, asked.iter().map(relax::has_templates).collect())
    }

    #[track_caller]
    fn check_model(found: &Found, x: &str, v: &str) {
        let Found::Model(model) = found else { panic!("no model") };
        for (name, expected) in [("x", x), ("v", v)] {
            assert_eq!(model.get(name), Some(&Value::String(expected.to_owned())));
        }
    }

    #[test]
    fn an_unsatisfiable_relaxation_settles_the_matter() {
        let (found, agreed, asked) = solve(vec![Outcome::Unsat]);
        assert!(matches!(found, Found::Nothing));
        assert!(agreed);
        assert_eq!(asked, [false]);
    }

    #[test]
    fn a_model_of_the_relaxation_that_fits_is_believed() {
        let (found, _, asked) = solve(vec![model(&[("x", "ab"), ("v", "b")])]);
        check_model(&found, "ab", "b");
        assert_eq!(asked, [false]);
    }

    #[test]
    fn the_values_of_a_relaxed_model_are_put_in() {
        // With `v` known nothing is left to ask of `x` but that it is `abc`, and that is asked.
        let outcomes = vec![model(&[("x", "a"), ("v", "bc")]), model(&[("x", "abc")])];
        let (found, _, asked) = solve(outcomes);
        check_model(&found, "abc", "bc");
        assert_eq!(asked, [false, false]);
    }

    #[test]
    fn a_model_of_an_instance_is_evaluated_before_it_is_believed() {
        let wrong = || model(&[("x", "wrong")]);
        let outcomes = vec![
            model(&[("x", "a"), ("v", "bc")]),
            wrong(),
            wrong(),
            model(&[("x", "ab"), ("v", "b")]),
        ];
        let (found, _, asked) = solve(outcomes);
        check_model(&found, "ab", "b");
        assert_eq!(asked, [false, false, false, true], "the formula itself is asked last");
    }

    #[test]
    fn an_unsatisfiable_instance_says_nothing() {
        let relaxed = model(&[("x", "a"), ("v", "bc")]);
        let outcomes = vec![relaxed, Outcome::Unsat, Outcome::Unsat, Outcome::Unsat];
        let (found, agreed, asked) = solve(outcomes);
        assert!(matches!(found, Found::Nothing));
        assert!(agreed, "two solvers saw the formula itself");
        assert_eq!(asked, [false, false, false, true]);
    }

    #[test]
    fn a_solver_without_templates_gives_up_at_last() {
        let unsupported = Outcome::Unknown(Reason::Unsupported);
        let outcomes =
            vec![unsupported.clone(), Outcome::Unknown(Reason::SolverGaveUp), unsupported];
        let (found, ..) = solve(outcomes);
        assert!(matches!(found, Found::Unknown(Reason::Unsupported)));
    }
}
