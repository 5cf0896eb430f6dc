//! Formulas without templates that say something about one with them.
//!
//! Few solvers are good at concatenation and some have none of it. Nearly every formula with
//! [`Node::Matches`] can be decided without: [`relax`] gives a weaker formula, of which
//! *unsatisfiable* carries over, and [`instantiate`] stronger ones, whose models do.

use std::collections::{BTreeSet, HashMap};

use crate::model::{Model, Value};
use crate::template::{Piece, widened};
use crate::term::{Formula, Node, Sort, Term, Terms};

/// Whether a template occurs in the formula.
pub fn has_templates(formula: &Formula) -> bool {
    let mut found = false;
    formula.visit(|_, node| found |= matches!(node, Node::Matches(..)));
    found
}

/// The variables whose values occur in templates, in the order of the arena.
pub fn value_variables(formula: &Formula) -> Vec<&str> {
    let mut used = BTreeSet::new();
    formula.visit(|_, node| {
        if let Node::Matches(_, pieces) = node {
            for piece in pieces {
                if let Piece::Value(value) = piece {
                    used.insert(*value);
                }
            }
        }
    });
    let name = |value: Term| match formula.terms.node(value) {
        Node::Var(index) => Some(formula.terms.variable(*index).0),
        _ => None,
    };
    used.into_iter().filter_map(name).collect()
}

/// A formula without templates that is satisfiable if `formula` is: each template M is replaced
/// by `b ∧ W`, where `b` is a Boolean variable of its own and W the membership of its string in
/// the [`widened`] language.
///
/// Proof: let a model satisfy `formula`, and let `b` be the truth of M in it. If M is true, so is
/// W, because every string that matches is in the widened language, and `b ∧ W` is true. If M is
/// false, `b` is, and so is `b ∧ W`. So the replacement has M's truth value wherever it stands, under
/// negations too, and the model with these values satisfies the result.
pub fn relax(formula: &Formula) -> Formula {
    let taken: BTreeSet<String> = formula.terms.variables().map(|(n, _)| n.to_owned()).collect();
    let mut names = (0..).map(|n| format!("template {n}")).filter(|name| !taken.contains(name));
    rewrite(formula, |t, _, node| match node {
        Node::Matches(string, pieces) => {
            let b = t.var(&names.next()?, Sort::Bool);
            let wider = t.in_re(*string, widened(pieces));
            Some(t.and([b, wider]))
        }
        _ => None,
    })
}

/// The formula with constants for the variables that `assignment` gives a value of their sort. A
/// model satisfies it if and only if the same model with the values of `assignment` satisfies
/// `formula`.
pub fn instantiate(formula: &Formula, assignment: &Model) -> Formula {
    rewrite(formula, |t, _, node| {
        let Node::Var(index) = node else { return None };
        let (name, sort) = t.variable(*index);
        match assignment.get(name).filter(|value| value.sort() == sort)? {
            Value::Bool(value) => Some(t.bool(*value)),
            Value::String(text) => Some(t.string(text)),
            Value::Bits { value, width } => Some(t.bits(*value, *width)),
        }
    })
}

/// The formula with each term that `replace` gives something else for replaced by that, children
/// before parents. A term is given after its children were replaced.
fn rewrite(
    formula: &Formula,
    mut replace: impl FnMut(&mut Terms, Term, &Node) -> Option<Term>,
) -> Formula {
    let mut rewritten = Formula::new(formula.terms.clone());
    let t = &mut rewritten.terms;
    let mut new: HashMap<Term, Term> = HashMap::new();
    formula.visit(|term, node| {
        let rebuilt = rebuild(t, term, node, &new);
        let node = t.node(rebuilt).clone();
        let replaced = replace(t, rebuilt, &node).unwrap_or(rebuilt);
        new.insert(term, replaced);
    });
    for (label, root) in formula.assertions() {
        rewritten.assert(label, new[root]);
    }
    rewritten
}

/// The term with its children replaced.
fn rebuild(t: &mut Terms, term: Term, node: &Node, new: &HashMap<Term, Term>) -> Term {
    let mut is_same = true;
    node.for_each_child(|child| is_same &= new[&child] == child);
    if is_same {
        return term;
    }
    match node {
        Node::Bool(_) | Node::String(_) | Node::Bits { .. } | Node::Var(_) => term,
        Node::Not(inner) => t.not(new[inner]),
        Node::And(children) => t.and(children.iter().map(|child| new[child])),
        Node::Or(children) => t.or(children.iter().map(|child| new[child])),
        Node::Eq(a, b) => t.eq(new[a], new[b]),
        Node::InRe(string, regex) => t.in_re(new[string], (**regex).clone()),
        Node::Matches(string, pieces) => {
            let piece = |piece: &Piece| match piece {
                Piece::Value(value) => Piece::Value(new[value]),
                _ => piece.clone(),
            };
            t.matches(new[string], pieces.iter().map(piece))
        }
        Node::HasPrefix { bits, prefix, length } => t.has_prefix(new[bits], *prefix, *length),
    }
}

#[cfg(test)]
mod tests {
    use keyaki_testing::arbtest;

    use super::*;
    use crate::eval;
    use crate::testing::{all_models, random_formula};

    #[test]
    fn a_relaxed_formula_has_the_models_of_the_formula() {
        let models = all_models();
        arbtest(|u| {
            let formula = random_formula(u, 3, 3)?;
            let relaxed = relax(&formula);
            assert!(!has_templates(&relaxed));
            let fresh: Vec<String> = relaxed
                .variables()
                .iter()
                .filter(|(name, _)| name.starts_with("template "))
                .map(|(name, _)| (*name).to_owned())
                .collect();
            if fresh.len() > 4 {
                return Ok(());
            }
            for model in models.iter().filter(|model| eval::holds(&formula, model) == Ok(true)) {
                let extends = (0..1 << fresh.len()).any(|flags: u32| {
                    let mut model = model.clone();
                    for (i, name) in fresh.iter().enumerate() {
                        model.insert(name, Value::Bool(flags >> i & 1 == 1));
                    }
                    eval::holds(&relaxed, &model) == Ok(true)
                });
                assert!(extends, "{model:?}\n{formula:?}\n{relaxed:?}");
            }
            Ok(())
        });
    }

    #[test]
    fn an_instance_has_the_models_with_those_values() {
        let models = all_models();
        arbtest(|u| {
            let formula = random_formula(u, 3, 3)?;
            let chosen = u.choose(&models)?;
            let mut names = vec!["p", "x"];
            if u.arbitrary()? {
                names.push("n");
            }
            let value = |name: &&str| ((*name).to_owned(), chosen.get(name).unwrap().clone());
            let assignment: Model = names.iter().map(value).collect();
            let instance = instantiate(&formula, &assignment);
            assert!(instance.variables().iter().all(|(name, _)| !names.contains(name)));
            for model in &models {
                let mut assigned = model.clone();
                for (name, value) in assignment.iter() {
                    assigned.insert(name, value.clone());
                }
                assert_eq!(eval::holds(&instance, model), eval::holds(&formula, &assigned));
            }
            Ok(())
        });
    }

    #[test]
    fn an_instance_with_all_values_has_no_templates() {
        arbtest(|u| {
            let formula = random_formula(u, 3, 3)?;
            let names: Vec<String> = value_variables(&formula).iter().map(|&n| n.into()).collect();
            let values = names.into_iter().map(|name| (name, Value::String("ab".to_owned())));
            assert!(!has_templates(&instantiate(&formula, &values.collect())));
            Ok(())
        });
    }
}
