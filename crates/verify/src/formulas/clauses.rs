//! Clauses without what atoms mean: parts of assertions, connectives, unit propagation.

use std::collections::{BTreeSet, HashSet};

use super::read::{Literal, Node, Part, Step, Term};
use crate::{Rejection, Result, require};

/// The literal that says that a term is true, or false: without negations around it.
fn literal(part: &Part, mut term: Term, mut truth: bool) -> Literal {
    while let Node::Not(inner) = part.terms[term] {
        (term, truth) = (inner, !truth);
    }
    (term, truth)
}

/// The clauses into which an assertion falls: all are true if and only if it is.
pub(crate) fn of_assertion(part: &Part, assertion: Term) -> HashSet<Vec<Literal>> {
    let (mut clauses, mut seen) = (HashSet::new(), HashSet::new());
    let mut open = vec![(assertion, true)];
    while let Some((term, truth)) = open.pop() {
        let (term, truth) = literal(part, term, truth);
        // A term that stands in several places falls into the same clauses in each.
        if !seen.insert((term, truth)) {
            continue;
        }
        match (&part.terms[term], truth) {
            (Node::Truth(value), _) if *value == truth => {}
            (Node::Truth(_), _) => drop(clauses.insert(Vec::new())),
            (Node::And(children), true) | (Node::Or(children), false) => {
                open.extend(children.iter().map(|child| (*child, truth)));
            }
            (Node::And(children), false) | (Node::Or(children), true) => {
                let literals = children.iter().map(|child| literal(part, *child, truth));
                let ascending: BTreeSet<Literal> = literals.collect();
                clauses.insert(ascending.into_iter().collect());
            }
            _ => drop(clauses.insert(vec![(term, truth)])),
        }
    }
    clauses
}

/// Whether the clause is one of those that say what a connective means.
pub(crate) fn is_definition(part: &Part, clause: &[Literal]) -> bool {
    clause.iter().any(|&(term, truth)| {
        // A conjunction is true if all children are, a disjunction false if all children are.
        let (children, all) = match &part.terms[term] {
            Node::And(children) => (children, true),
            Node::Or(children) => (children, false),
            _ => return false,
        };
        let is = |wanted: BTreeSet<Literal>| wanted.iter().eq(clause);
        if truth == all {
            let others = children.iter().map(|child| literal(part, *child, !all));
            is(others.chain([(term, truth)]).collect())
        } else {
            clause.len() <= 2
                && children
                    .iter()
                    .any(|child| is([literal(part, *child, all), (term, truth)].into()))
        }
    })
}

/// Rejects a clause unless it follows from these steps by unit propagation: if its literals are false, then each step in turn has one
/// literal that is not, which must be true then, and the last has none.
pub(crate) fn follows(clause: &[Literal], steps: &[Step], hints: &[usize]) -> Result<()> {
    let mut are_false: HashSet<Literal> = clause.iter().copied().collect();
    for (at, &hint) in hints.iter().enumerate() {
        let step = steps.get(hint);
        let step = step.ok_or_else(|| Rejection::new(format!("hint {hint} is no earlier step")))?;
        let mut open = step.clause.iter().filter(|literal| !are_false.contains(literal));
        match (open.next(), open.next()) {
            (None, _) => {
                return require(at + 1 == hints.len(), || {
                    format!("there are hints after hint {hint}, which is false")
                });
            }
            (Some(&(term, truth)), None) => drop(are_false.insert((term, !truth))),
            (Some(_), Some(_)) => {
                let reason = format!("hint {hint} has two literals that are not false");
                return Err(Rejection::new(reason));
            }
        }
    }
    Err(Rejection::new("the hints come to no end"))
}
