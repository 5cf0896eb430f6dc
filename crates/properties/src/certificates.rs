//! What `keyaki-verify` accepts is so: formulas that it says have no model have none among all values of a small
//! universe.
//!
//! Right certificates are accepted by `automaton_agrees_with_enumeration`. Here are wrong ones: lemmas of atoms taken at
//! random, and proofs of a formula given for another, of which an assertion is turned around or left out.

use std::collections::HashSet;

use keyaki_logic::certificate::{Certificate, Part};
use keyaki_logic::proof::{Literal, Proof, Rule, Step, Theory};
use keyaki_logic::term::Node;
use keyaki_logic::{Cancel, Formula, Limits, Solver, Term, eval};
use keyaki_solvers::Automaton;
use keyaki_verify::verify;
use serde_json::Value;

use crate::formulas::{formula, models};
use crate::solving::TIMEOUT;
use crate::{NoCase, proof};

/// How many lemmas are made up of the atoms of a formula.
const N_LEMMAS: usize = 12;

/// The most literals of such a lemma.
const MAX_LITERALS: u64 = 4;

/// Nothing is accepted of which a model is known.
pub(crate) fn check(case: &Value) -> Result<Vec<&'static str>, NoCase> {
    let formula = formula(case)?;
    let mut random = Random::of(case);
    let mut outcomes = Vec::new();
    for _ in 0..N_LEMMAS {
        let Some(clause) = random.clause(&formula) else { break };
        let negation = proof::negation(&formula, &clause);
        outcomes.push(accepted(&negation, &proof_by(clause)));
    }
    let explained = Automaton.explain(&formula, &Limits::within(TIMEOUT), &Cancel::new());
    if let Some(proof) = explained.ok().and_then(|(_, proof)| proof) {
        for position in 0..formula.assertions().len() {
            for turned in [true, false] {
                let other = changed(&formula, position, turned);
                if speaks_of(&other, &proof) {
                    outcomes.push(accepted(&other, &proof));
                }
            }
        }
    }
    Ok(outcomes)
}

/// What comes of a formula and what is said to be its proof.
fn accepted(formula: &Formula, proof: &Proof) -> &'static str {
    let (label, formula, proof) = ("case".to_owned(), formula.clone(), proof.clone());
    let text = Certificate::new(&[Part { label, formula: formula.clone(), proof }]).text;
    if verify(text.as_bytes()).is_err() {
        return "rejected";
    }
    let model = models(&formula).find(|model| eval::holds(&formula, model) == Ok(true));
    assert_eq!(model, None, "has a model:\n{text}");
    "accepted"
}

/// The proof that one of the literals is true, by what they mean, of a formula that asserts that none is.
fn proof_by(clause: Vec<Literal>) -> Proof {
    let opposite = |(index, literal): (usize, &Literal)| Step {
        clause: vec![Literal { truth: !literal.truth, ..*literal }],
        rule: Rule::Asserted(index),
    };
    let mut steps: Vec<Step> = clause.iter().enumerate().map(opposite).collect();
    let hints = (0..=clause.len()).collect();
    steps.push(Step { clause, rule: Rule::Theory(Theory::Empty) });
    steps.push(Step { clause: vec![], rule: Rule::Propagation(hints) });
    Proof { steps }
}

/// The formula with one assertion turned around, or left out.
fn changed(formula: &Formula, position: usize, turned: bool) -> Formula {
    let mut terms = formula.terms.clone();
    let mut assertions: Vec<Term> = formula.assertions().iter().map(|(_, term)| *term).collect();
    assertions[position] = if turned { terms.not(assertions[position]) } else { terms.bool(true) };
    let mut changed = Formula::new(terms);
    for assertion in assertions {
        changed.assert("", assertion);
    }
    changed
}

/// Whether the formula has all terms of the proof; no certificate can be written else.
fn speaks_of(formula: &Formula, proof: &Proof) -> bool {
    let mut terms = HashSet::new();
    formula.visit(|term, _| {
        terms.insert(term);
    });
    proof.steps.iter().flat_map(|step| &step.clause).all(|literal| terms.contains(&literal.term))
}

/// Numbers that depend on the case alone.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn of(case: &Value) -> Random {
        let step = |state: u64, byte: u8| (state ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
        Random(case.to_string().bytes().fold(0xcbf2_9ce4_8422_2325, step))
    }

    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        (self.0 >> 33) % bound
    }

    /// Some atoms of the formula, each with some truth; `None` if it has none.
    fn clause(&mut self, formula: &Formula) -> Option<Vec<Literal>> {
        let mut atoms = Vec::new();
        formula.visit(|term, node| {
            if matches!(
                node,
                Node::Eq(..) | Node::InRe(..) | Node::Matches(..) | Node::HasPrefix { .. }
            ) {
                atoms.push(term);
            }
        });
        let mut clause = Vec::new();
        for _ in 0..1 + self.below(MAX_LITERALS) {
            let term = *atoms.get(self.below(atoms.len().max(1) as u64) as usize)?;
            if clause.iter().all(|literal: &Literal| literal.term != term) {
                clause.push(Literal { term, truth: self.below(2) == 0 });
            }
        }
        clause.sort_unstable();
        Some(clause)
    }
}
