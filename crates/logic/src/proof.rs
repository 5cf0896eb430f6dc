//! Why a formula has no model: clauses, each with the reason for which it holds, the last empty.
//!
//! A proof is about the terms of one formula, not about the variables of the solver that made it.
//! So whoever checks it needs to know what conjunction, disjunction and the atoms mean, and nothing
//! of how the solver made clauses; and whoever wants to see what excludes what reads it off the
//! [`Rule::Theory`] steps.
//!
//! The rules are those of clausal proofs with hints (LRAT: Cruz-Filipe, Heule, Hunt, Kaufmann,
//! Schneider-Kamp, "Efficient certified RAT verification", 2017) without resolution asymmetric
//! tautologies, and with lemmas about the atoms beside the clauses that are given. There is no
//! checker here: one that shares code with what it checks proves little. The tests of the embedded
//! solver have a naive one.

use std::collections::BTreeSet;

use crate::term::{Formula, Term};

/// A term that is an atom, a conjunction or a disjunction, and the truth that it is said to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Literal {
    /// The term; neither a negation nor a constant.
    pub term: Term,
    /// Its truth.
    pub truth: bool,
}

/// A list of clauses that ends with the empty one.
///
/// Every step but the last is a hint of a later one, and hints are earlier steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// The clauses in order.
    pub steps: Vec<Step>,
}

/// A clause that is true of every model of the formula, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Of these literals, one is true. Ascending, no literal twice.
    pub clause: Vec<Literal>,
    /// Why.
    pub rule: Rule,
}

/// Why a clause holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rule {
    /// It is a part of the assertion with this index: the assertion is true only if all parts are,
    /// into which it falls at its conjunctions.
    Asserted(usize),
    /// It holds by the meaning of a conjunction or disjunction in it: that has all other literals
    /// of the clause, or one of them, as children.
    Connective,
    /// It holds whatever values variables have, by the meaning of its atoms.
    Theory(Theory),
    /// If all its literals were false, then each of these earlier steps in turn would have at most
    /// one literal that is not false, and the last would have none.
    Propagation(Vec<usize>),
}

/// What a lemma is about: which argument shows that its literals cannot all be false. The checker
/// of a lemma may ignore this; it is there to be read, and to choose a quick check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Theory {
    /// Whatever is in the one language is in the other: `x ∉ p ∨ x ∈ q`.
    Included,
    /// Nothing is in both languages: `x ∉ p ∨ x ∉ q`.
    Apart,
    /// No string is in these languages and outside of those; the strings are one, or are said to be
    /// equal by the other literals.
    Empty,
    /// Equality is transitive.
    Equality,
    /// No number has these first bits and not those.
    Bits,
    /// More variables that differ than there are values for them.
    Distinct,
    /// A pattern with variables does not fit, for whatever texts in their places.
    Template,
}

/// What a proof uses of a formula: a part of it that has no model either, though not always a least
/// one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Core {
    /// Which assertions, ascending.
    pub assertions: Vec<usize>,
    /// Which lemmas: indices of steps, ascending.
    pub lemmas: Vec<usize>,
}

impl Proof {
    /// The assertions and lemmas that the proof uses.
    pub fn core(&self) -> Core {
        let mut assertions = BTreeSet::new();
        let mut lemmas = Vec::new();
        for (index, step) in self.steps.iter().enumerate() {
            match step.rule {
                Rule::Asserted(assertion) => {
                    assertions.insert(assertion);
                }
                Rule::Theory(_) => lemmas.push(index),
                Rule::Connective | Rule::Propagation(_) => {}
            }
        }
        Core { assertions: assertions.into_iter().collect(), lemmas }
    }

    /// Drops the assertions of the formula that the proof does not use, but for those of this label.
    pub fn trim(&mut self, formula: &mut Formula, label: &str) {
        let used = self.core().assertions;
        let all = formula.assertions().iter().enumerate();
        let is_kept = all.map(|(at, (own, _))| own == label || used.binary_search(&at).is_ok());
        let is_kept: Vec<bool> = is_kept.collect();
        for step in &mut self.steps {
            if let Rule::Asserted(assertion) = &mut step.rule {
                *assertion = is_kept[..*assertion].iter().filter(|is_kept| **is_kept).count();
            }
        }
        let mut is_kept = is_kept.into_iter();
        formula.retain(|_| is_kept.next().unwrap_or(true));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::term::{Sort, Terms};

    #[test]
    fn a_core_has_what_the_proof_uses() {
        let mut t = Terms::new();
        let (p, q) = (t.var("p", Sort::Bool), t.var("q", Sort::Bool));
        let step = |clause: &[(Term, bool)], rule| Step {
            clause: clause.iter().map(|&(term, truth)| Literal { term, truth }).collect(),
            rule,
        };
        let steps = vec![
            step(&[(p, true)], Rule::Asserted(3)),
            step(&[(q, false)], Rule::Asserted(1)),
            step(&[(p, false), (q, true)], Rule::Theory(Theory::Included)),
            step(&[], Rule::Propagation(vec![0, 1, 2])),
        ];
        let core = Proof { steps }.core();
        assert_eq!(core, Core { assertions: vec![1, 3], lemmas: vec![2] });
    }

    #[test]
    fn what_is_trimmed_has_the_assertions_that_are_used_or_wanted() {
        let mut t = Terms::new();
        let terms = ["a", "b", "c", "d"].map(|name| t.var(name, Sort::Bool));
        let mut formula = Formula::new(t);
        for (label, term) in ["", "wanted", "", ""].into_iter().zip(terms) {
            formula.assert(label, term);
        }
        let step = |rule| Step { clause: Vec::new(), rule };
        let rules = [Rule::Asserted(3), Rule::Asserted(0), Rule::Connective];
        let mut proof = Proof { steps: rules.map(step).into() };
        proof.trim(&mut formula, "wanted");
        let kept: Vec<Term> = formula.assertions().iter().map(|(_, term)| *term).collect();
        assert_eq!(kept, [terms[0], terms[1], terms[3]]);
        let rules = [Rule::Asserted(2), Rule::Asserted(0), Rule::Connective];
        assert_eq!(proof, Proof { steps: rules.map(step).into() });
    }
}
