//! Clauses without what atoms mean: parts of assertions, connectives, unit propagation.

use std::collections::{BTreeSet, HashSet};

use crate::read::{Literal, Node, Part, Term};

/// The literal that says that a term is true, or false: without negations around it.
fn literal(part: &Part, mut term: Term, mut truth: bool) -> Literal {
    while let Node::Not(inner) = part.terms[term] {
        (term, truth) = (inner, !truth);
    }
    (term, truth)
}

/// The clauses into which an assertion falls: all are true if and only if it is.
pub(crate) fn of_assertion(part: &Part, assertion: Term) -> HashSet<Vec<Literal>> {
    let (mut clauses, mut open, mut seen) =
        (HashSet::new(), vec![(assertion, true)], HashSet::new());
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

/// What is true and false for the time being.
pub(crate) struct Facts {
    truths: Vec<Option<bool>>,
    set: Vec<Term>,
}

impl Facts {
    pub(crate) fn of(part: &Part) -> Facts {
        Facts { truths: vec![None; part.terms.len()], set: Vec::new() }
    }

    /// Whether the clause follows from these steps by unit propagation: if its literals are false, then each
    /// step in turn has one literal that is not, which must be true then, and the last has none. If not, why not.
    pub(crate) fn follows(
        &mut self,
        part: &Part,
        step: usize,
        hints: &[usize],
    ) -> Result<(), String> {
        for &(term, truth) in &part.steps[step].clause {
            self.put((term, !truth));
        }
        let found = self.propagate(part, step, hints);
        for term in self.set.drain(..) {
            self.truths[term] = None;
        }
        found
    }

    fn put(&mut self, (term, truth): Literal) {
        self.truths[term] = Some(truth);
        self.set.push(term);
    }

    fn propagate(&mut self, part: &Part, step: usize, hints: &[usize]) -> Result<(), String> {
        for (at, &hint) in hints.iter().enumerate() {
            if hint >= step {
                return Err(format!("hint {hint} is no earlier step"));
            }
            let mut open = part.steps[hint]
                .clause
                .iter()
                .filter(|(term, truth)| self.truths[*term] != Some(!truth));
            match (open.next(), open.next()) {
                (None, _) if at + 1 == hints.len() => return Ok(()),
                (None, _) => {
                    return Err(format!("there are hints after hint {hint}, which is false"));
                }
                (Some(&only), None) => self.put(only),
                (Some(_), Some(_)) => {
                    return Err(format!("hint {hint} has two literals that are not false"));
                }
            }
        }
        Err("the hints come to no end".to_owned())
    }
}
