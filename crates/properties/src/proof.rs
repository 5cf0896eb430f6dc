//! A naive checker of proofs, which shares no code with the solver that makes them.
//!
//! It takes assertions apart by itself, knows what the connectives mean, follows hints literal by
//! literal, and tries lemmas with all words and numbers of a small universe. So of a lemma it shows
//! that it is false, never that it is true; the external solvers say more of it (`solving`).

use std::collections::BTreeSet;

use keyaki_logic::proof::{Literal, Proof, Rule};
use keyaki_logic::term::Node;
use keyaki_logic::{Formula, Term, Terms, eval};

use crate::formulas::models;

/// Whether the proof shows that the formula has no model.
pub(crate) fn check(formula: &Formula, proof: &Proof) -> Result<(), String> {
    let mut used: BTreeSet<usize> = BTreeSet::new();
    for (index, step) in proof.steps.iter().enumerate() {
        let is_sorted = step.clause.windows(2).all(|pair| pair[0] < pair[1]);
        let holds = match &step.rule {
            Rule::Asserted(assertion) => is_asserted(formula, *assertion, &step.clause),
            Rule::Connective => is_definition(&formula.terms, &step.clause),
            Rule::Theory(_) => is_true_everywhere(formula, &step.clause),
            Rule::Propagation(hints) => {
                used.extend(hints);
                let earlier = hints.iter().all(|&hint| hint < index);
                earlier && follows(proof, &step.clause, hints)
            }
        };
        if !is_sorted || !holds {
            return Err(format!("step {index} does not hold: {step:?}"));
        }
    }
    let last = proof.steps.len().checked_sub(1).ok_or("there are no steps")?;
    if !proof.steps[last].clause.is_empty() {
        return Err("the last clause is not empty".to_owned());
    }
    match (0..last).find(|index| !used.contains(index)) {
        Some(index) => Err(format!("step {index} is not used")),
        None => Ok(()),
    }
}

/// The literal that says that a term is true, or false: without a negation around it.
fn literal(terms: &Terms, term: Term, truth: bool) -> Literal {
    match terms.node(term) {
        Node::Not(inner) => literal(terms, *inner, !truth),
        _ => Literal { term, truth },
    }
}

fn clause(literals: impl IntoIterator<Item = Literal>) -> Vec<Literal> {
    let all: BTreeSet<Literal> = literals.into_iter().collect();
    all.into_iter().collect()
}

fn is_asserted(formula: &Formula, assertion: usize, wanted: &[Literal]) -> bool {
    let Some(&(_, term)) = formula.assertions().get(assertion) else { return false };
    parts(&formula.terms, term, true).iter().any(|part| part == wanted)
}

/// The clauses that are true together if and only if the term has this truth.
fn parts(terms: &Terms, term: Term, truth: bool) -> Vec<Vec<Literal>> {
    match (terms.node(term), truth) {
        (Node::Bool(value), _) => {
            if *value == truth {
                vec![]
            } else {
                vec![vec![]]
            }
        }
        (Node::Not(inner), _) => parts(terms, *inner, !truth),
        (Node::And(children), true) | (Node::Or(children), false) => {
            children.iter().flat_map(|&child| parts(terms, child, truth)).collect()
        }
        (Node::And(children), false) | (Node::Or(children), true) => {
            vec![clause(children.iter().map(|&child| literal(terms, child, truth)))]
        }
        _ => vec![vec![literal(terms, term, truth)]],
    }
}

/// Whether the clause is one of those that say what a connective means.
fn is_definition(terms: &Terms, wanted: &[Literal]) -> bool {
    wanted.iter().any(|own| {
        // A conjunction is true if all children are, a disjunction false if all children are.
        let (children, all) = match terms.node(own.term) {
            Node::And(children) => (children, true),
            Node::Or(children) => (children, false),
            _ => return false,
        };
        if own.truth == all {
            let others = children.iter().map(|&child| literal(terms, child, !all));
            clause(others.chain([*own])) == wanted
        } else {
            let mut each = children.iter().map(|&child| literal(terms, child, all));
            each.any(|child| clause([*own, child]) == wanted)
        }
    })
}

/// Whether some literal is true whatever values of a small universe the variables have.
fn is_true_everywhere(formula: &Formula, wanted: &[Literal]) -> bool {
    let is_atom = |literal: &Literal| {
        !matches!(formula.terms.node(literal.term), Node::And(_) | Node::Or(_) | Node::Not(_))
    };
    let negation = negation(formula, wanted);
    let is_model = |model| eval::holds(&negation, &model) == Ok(true);
    wanted.iter().all(is_atom) && !models(&negation).any(is_model)
}

/// A formula that is unsatisfiable if and only if the clause holds whatever values variables have.
pub(crate) fn negation(formula: &Formula, clause: &[Literal]) -> Formula {
    let mut terms = formula.terms.clone();
    let negated: Vec<Term> = clause
        .iter()
        .map(|literal| if literal.truth { terms.not(literal.term) } else { literal.term })
        .collect();
    let mut negation = Formula::new(terms);
    for term in negated {
        negation.assert("", term);
    }
    negation
}

/// Whether each hint in turn has one literal left at most, and the last one none.
fn follows(proof: &Proof, clause: &[Literal], hints: &[usize]) -> bool {
    let opposite = |literal: &Literal| Literal { truth: !literal.truth, ..*literal };
    let mut facts: BTreeSet<Literal> = clause.iter().map(opposite).collect();
    for (at, &hint) in hints.iter().enumerate() {
        let is_open = |literal: &&Literal| !facts.contains(&opposite(literal));
        let open: Vec<Literal> = proof.steps[hint].clause.iter().filter(is_open).copied().collect();
        match open[..] {
            [] => return at + 1 == hints.len(),
            [only] => {
                facts.insert(only);
            }
            _ => return false,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use keyaki_logic::proof::{Step, Theory};
    use keyaki_logic::{Cancel, Limits, Solver};
    use keyaki_solvers::Automaton;
    use serde_json::json;

    use super::*;
    use crate::formulas;

    fn proved() -> (Formula, Proof) {
        let case = json!({"assertions": [
            ["or", ["in", "x", ["concat", "a", ["all"]]], ["is", "y", "b"]],
            ["or", ["and", "p", ["is", "x", "b"]], ["and", ["not", "p"], ["is", "x", "c"]]],
            ["not", ["in", "y", ["concat", ["all"], "b"]]],
            ["or", "p", "q"],
        ]});
        let formula = formulas::formula(&case).unwrap();
        let limits = Limits::within(Duration::from_secs(60));
        let (_, proof) = Automaton.explain(&formula, &limits, &Cancel::new()).unwrap();
        (formula, proof.expect("a proof"))
    }

    #[test]
    fn a_proof_is_accepted_and_tells_what_it_needs() {
        let (formula, proof) = proved();
        assert_eq!(check(&formula, &proof), Ok(()));
        assert_eq!(proof.core().assertions, [0, 1, 2], "not that p or q");
        assert!(!proof.core().lemmas.is_empty());
    }

    /// Whatever is taken away from a proof, or turned around in it, is missed.
    #[test]
    fn a_damaged_proof_is_refused() {
        let (formula, proof) = proved();
        let refuse = |damage: &dyn Fn(&mut Proof), what: &str| {
            let mut damaged = proof.clone();
            damage(&mut damaged);
            assert!(check(&formula, &damaged).is_err(), "{what}: {damaged:#?}");
        };
        refuse(&|p| p.steps.clear(), "no steps");
        refuse(&|p| drop(p.steps.pop()), "no end");
        for (i, Step { clause, rule }) in proof.steps.iter().enumerate() {
            for k in 0..clause.len() {
                let flip = |p: &mut Proof| p.steps[i].clause[k].truth ^= true;
                refuse(&flip, &format!("literal {k} of step {i} turned around"));
                let leave_out = |p: &mut Proof| {
                    p.steps[i].clause.remove(k);
                };
                refuse(&leave_out, &format!("without literal {k} of step {i}"));
            }
            match rule {
                Rule::Propagation(hints) => {
                    for k in 0..hints.len() {
                        let leave_out = |p: &mut Proof| {
                            let Rule::Propagation(hints) = &mut p.steps[i].rule else { return };
                            hints.remove(k);
                        };
                        refuse(&leave_out, &format!("without hint {k} of step {i}"));
                    }
                }
                Rule::Asserted(_) => {
                    let elsewhere = |p: &mut Proof| p.steps[i].rule = Rule::Asserted(3);
                    refuse(&elsewhere, &format!("step {i} asserted elsewhere"));
                    let as_lemma = |p: &mut Proof| p.steps[i].rule = Rule::Theory(Theory::Empty);
                    refuse(&as_lemma, &format!("step {i} as a lemma"));
                }
                Rule::Theory(_) | Rule::Connective => {
                    let as_asserted = |p: &mut Proof| p.steps[i].rule = Rule::Asserted(0);
                    refuse(&as_asserted, &format!("step {i} as asserted"));
                }
            }
        }
    }
}
