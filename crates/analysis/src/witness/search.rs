//! A model among the candidates, before anybody starts a solver.
//!
//! Most properties that fail do so on an unremarkable request: somebody's `s3:GetObject` on an
//! example. Starting a process takes longer than trying such requests. The search goes through the
//! groups of candidates in the order in which [`super::polish`] does, group by group, and gives up a
//! choice as soon as the formula is false whatever the rest. It is a guess with a limit, never an
//! answer to *unsatisfiable*.

use std::borrow::Cow;
use std::cell::RefCell;

use keyaki_logic::term::Node;
use keyaki_logic::{Formula, Model, Term, Value, eval};

use super::candidates::{Candidate, Group, Hints, MAX_CANDIDATES};
use super::{put, undo};
use crate::compatible::service_to_refine;
use crate::encode::Encoding;
use crate::question::Question;

/// The most terms that are evaluated in one search: a fraction of a millisecond, where the start of a
/// solver takes some twenty.
const MAX_EVALUATED_TERMS: usize = 4_000;

/// A model of `formula` made of likely values, if a short search finds one. It does not combine
/// the pseudo-resource with an action that has resource types. The same formula has the same
/// model each time.
pub fn search(question: &Question, encoding: &Encoding, formula: &Formula) -> Option<Model> {
    let mut n_terms = 0;
    formula.visit(|_, _| n_terms += 1);
    let hints = Hints::new(question, formula);
    let mut groups = hints.groups(encoding);
    let variables = formula.variables().into_iter();
    groups.extend(variables.map(|(name, sort)| Group::Rest(&hints, name, sort)));
    let mut model = forced(formula);
    let n_evaluations = RefCell::new(MAX_EVALUATED_TERMS / n_terms.max(1));
    let is_hopeless = eval::holds_partially(formula, &model) == Some(false);
    let incremental = (!is_hopeless).then(|| eval::Incremental::new(formula));
    let search = Search { encoding, formula, incremental, groups, n_evaluations };
    search.extend(&mut model, 0).then_some(model)
}

/// The values that assertions state outright.
fn forced(formula: &Formula) -> Model {
    let terms = &formula.terms;
    let mut model = Model::new();
    let mut facts: Vec<(Term, bool)> =
        formula.assertions().iter().map(|(_, t)| (*t, true)).collect();
    while let Some((fact, truth)) = facts.pop() {
        match (terms.node(fact), truth) {
            (Node::Not(inner), _) => facts.push((*inner, !truth)),
            (Node::And(children), true) | (Node::Or(children), false) => {
                facts.extend(children.iter().map(|child| (*child, truth)));
            }
            (Node::Var(index), _) => {
                model.insert(terms.variable(*index).0, Value::Bool(truth));
            }
            (Node::Eq(a, b), true) => {
                let value = match terms.node(*b) {
                    Node::String(text) => Value::String(text.to_string()),
                    Node::Bits { value, width } => Value::Bits { value: *value, width: *width },
                    _ => continue,
                };
                if let Node::Var(index) = terms.node(*a) {
                    model.insert(terms.variable(*index).0, value);
                }
            }
            _ => {}
        }
    }
    model
}

struct Search<'a> {
    encoding: &'a Encoding,
    formula: &'a Formula,
    /// For models that extend one that may satisfy the formula; none if the first does not.
    incremental: Option<eval::Incremental<'a>>,
    groups: Vec<Group<'a>>,
    /// How many evaluations are left.
    n_evaluations: RefCell<usize>,
}

impl Search<'_> {
    /// Whether the model can be extended with a candidate of each group from the one at `position` to one of
    /// the formula. It is then; otherwise it is as it was. The recursion is as deep as there are groups: a few for
    /// each context key.
    fn extend(&self, model: &mut Model, position: usize) -> bool {
        let Some(group) = self.groups.get(position) else {
            return eval::holds(self.formula, model) == Ok(true);
        };
        for candidate in choices(group, model) {
            let replaced = put(model, &candidate);
            if self.may_satisfy(model, replaced.iter().map(|(name, _)| &**name))
                && self.extend(model, position + 1)
            {
                return true;
            }
            undo(model, replaced);
            if *self.n_evaluations.borrow() == 0 {
                return false;
            }
        }
        false
    }

    /// False only if nothing that extends the model satisfies the formula, or if the search has
    /// come to its end. The model differs from one that may satisfy it in the variables `changed`.
    fn may_satisfy<'n>(&self, model: &Model, changed: impl Iterator<Item = &'n str>) -> bool {
        let mut left = self.n_evaluations.borrow_mut();
        if *left == 0 {
            return false;
        }
        *left -= 1;
        let may_hold = match &self.incremental {
            Some(incremental) => incremental.may_still_hold(model, changed),
            None => eval::holds_partially(self.formula, model) != Some(false),
        };
        may_hold && service_to_refine(self.encoding, model).is_none()
    }
}

/// What to try for a group: the candidates; the opposite of the truth values in the first of
/// them, such as the presence of a key; leaving the group open. What earlier groups gave a value
/// keeps it if that is possible.
fn choices<'s>(
    group: &'s Group<'_>,
    model: &Model,
) -> impl Iterator<Item = Cow<'s, Candidate>> + use<'s> {
    let mut candidates = group.candidates(model).take(MAX_CANDIDATES).peekable();
    let first = candidates.peek();
    let keeps = first.is_some_and(|first| first.iter().all(|(name, _)| model.get(name).is_some()));
    let opposites: Vec<Candidate> = first
        .into_iter()
        .flat_map(|first| first.iter())
        .filter_map(|(name, value)| match value {
            Value::Bool(value) => Some(vec![(name.clone(), Value::Bool(!value))]),
            _ => None,
        })
        .collect();
    let open = || Cow::Owned(Candidate::new());
    keeps
        .then(open)
        .into_iter()
        .chain(candidates)
        .chain(opposites.into_iter().map(Cow::Owned))
        .chain([open()])
}

#[cfg(test)]
mod tests {
    use keyaki_policy::parse;

    use super::*;
    use crate::encode::{Opaque, encode};
    use crate::public;

    /// What is found of a policy that allows everybody to read, under conditions.
    fn found(conditions: &str) -> Option<Model> {
        let text = format!(
            r#"{{"Version": "2012-10-17", "Statement": {{"Effect": "Allow", "Principal": "*",
                "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*",
                "Condition": {{{conditions}}}}}}}"#
        );
        let policy = parse(&text, None).unwrap();
        let question = Question::no_public_access(policy, &public::S3);
        let encoding = encode(&question);
        let formula = encoding.cell(&encoding.cells[0], Opaque::Free);
        let found = search(&question, &encoding, &formula);
        assert_eq!(found, search(&question, &encoding, &formula), "the same each time");
        if let Some(model) = &found {
            assert_eq!(eval::holds(&formula, model), Ok(true));
        }
        found
    }

    #[test]
    fn likely_requests_are_found() {
        for conditions in [
            "",
            r#""Bool": {"aws:SecureTransport": "true"}"#,
            r#""Null": {"aws:UserAgent": "false"}"#,
            r#""StringLike": {"aws:UserAgent": "keyaki/*"}"#,
            r#""StringNotLike": {"aws:UserAgent": "keyaki/*"}"#,
        ] {
            assert!(found(conditions).is_some(), "{conditions}");
        }
    }

    #[test]
    fn a_search_that_finds_nothing_ends() {
        let impossible = r#""StringLike": {"aws:UserAgent": "a*c"},
            "StringNotLike": {"aws:UserAgent": ["a*", "*c"]}"#;
        assert_eq!(found(impossible), None);
        let unlikely = r#""StringLike": {"aws:UserAgent": "a*c"},
            "StringNotLike": {"aws:UserAgent": ["ac", "aexamplec"]}"#;
        assert_eq!(found(unlikely), None, "a solver has to find this one");
    }
}
