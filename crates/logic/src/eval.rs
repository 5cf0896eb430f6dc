//! Truth of formulas under assignments, whole or partial.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Model, Value};
use crate::regex::{Effort, GaveUp, Regex};
use crate::template::widened;
use crate::term::{Formula, Node, Piece, Sort, Term, TermMap, Terms};

/// Whether `model` satisfies every assertion of `formula`.
///
/// # Errors
///
/// A description, if a variable of the formula has no value or one of another sort.
pub fn holds(formula: &Formula, model: &Model) -> Result<bool, String> {
    is_complete(formula, model)?;
    Ok(holds_partially(formula, model) == Some(true))
}

/// Whether every variable of the formula has a value of its sort.
fn is_complete(formula: &Formula, model: &Model) -> Result<(), String> {
    for (name, sort) in formula.variables() {
        match model.get(name) {
            None => return Err(format!("no value for `{name}`")),
            Some(value) if value.sort() != sort => {
                return Err(format!("the value of `{name}` has another sort"));
            }
            Some(_) => {}
        }
    }
    Ok(())
}

/// As [`holds`], with limited effort.
///
/// # Errors
///
/// As [`holds`]. [`GaveUp`] if the effort was not enough.
pub fn holds_within(
    formula: &Formula,
    model: &Model,
    effort: &Effort<'_>,
) -> Result<Result<bool, String>, GaveUp> {
    if let Err(detail) = is_complete(formula, model) {
        return Ok(Err(detail));
    }
    let mut evaluator = Evaluator::new(&formula.terms, model, effort);
    let mut all = true;
    for (_, term) in formula.assertions() {
        all &= evaluator.truth(*term) == Some(true);
        if evaluator.gave_up {
            return Err(GaveUp);
        }
    }
    Ok(Ok(all))
}

/// Kleene's three-valued truth of the conjunction of all assertions: a variable without a value
/// makes what depends on it unknown. `Some(v)` only if every way to give the missing values makes
/// the conjunction `v`; `None` may be returned in that case too.
pub fn holds_partially(formula: &Formula, model: &Model) -> Option<bool> {
    let effort = Effort::unlimited();
    let mut evaluator = Evaluator::new(&formula.terms, model, &effort);
    conjunction(formula.assertions().iter().map(|(_, term)| evaluator.truth(*term)))
}

/// A formula made ready for many assignments of which each differs little from one before: only
/// the assertions that a changed variable occurs in are evaluated again.
pub struct Incremental<'a> {
    formula: &'a Formula,
    /// The indices of the assertions in which a variable occurs, and its sort.
    occurrences: BTreeMap<&'a str, (Sort, Vec<usize>)>,
}

impl<'a> Incremental<'a> {
    /// Notes which variable occurs where.
    pub fn new(formula: &'a Formula) -> Incremental<'a> {
        let mut occurrences: BTreeMap<&str, (Sort, Vec<usize>)> = BTreeMap::new();
        for (index, (_, root)) in formula.assertions().iter().enumerate() {
            for term in formula.terms.reachable([*root].into_iter()) {
                if let Node::Var(variable) = formula.terms.node(term) {
                    let (name, sort) = formula.terms.variable(*variable);
                    occurrences.entry(name).or_insert((sort, Vec::new())).1.push(index);
                }
            }
        }
        Incremental { formula, occurrences }
    }

    /// Whether `model` satisfies the formula, if an assignment does that differs from it in the
    /// variables `changed` at most, all of which have values.
    pub fn still_holds<'n>(
        &self,
        model: &Model,
        changed: impl IntoIterator<Item = &'n str>,
    ) -> bool {
        let Some(touched) = self.touched(model, changed) else { return false };
        self.conjunction(&touched, model) == Some(true)
    }

    /// Whether [`holds_partially`] is not `Some(false)`, if it is not of an assignment that differs
    /// from `model` in the variables `changed` at most.
    pub fn may_still_hold<'n>(
        &self,
        model: &Model,
        changed: impl IntoIterator<Item = &'n str>,
    ) -> bool {
        let touched = changed.into_iter().filter_map(|name| self.occurrences.get(name));
        let touched: BTreeSet<usize> = touched.flat_map(|(_, at)| at.iter().copied()).collect();
        self.conjunction(&touched, model) != Some(false)
    }

    /// The assertions in which these variables occur; none if one has a value of another sort.
    fn touched<'n>(
        &self,
        model: &Model,
        changed: impl IntoIterator<Item = &'n str>,
    ) -> Option<BTreeSet<usize>> {
        let mut touched = BTreeSet::new();
        for name in changed {
            if let Some((sort, at)) = self.occurrences.get(name) {
                if model.get(name).map(Value::sort) != Some(*sort) {
                    return None;
                }
                touched.extend(at);
            }
        }
        Some(touched)
    }

    fn conjunction(&self, assertions: &BTreeSet<usize>, model: &Model) -> Option<bool> {
        let terms = &self.formula.terms;
        let effort = Effort::unlimited();
        let mut evaluator = Evaluator::new(terms, model, &effort);
        let all = self.formula.assertions();
        conjunction(assertions.iter().map(|&index| evaluator.truth(all[index].1)))
    }
}

struct Evaluator<'a> {
    terms: &'a Terms,
    model: &'a Model,
    memo: TermMap<Option<bool>>,
    effort: &'a Effort<'a>,
    /// Whether the effort was not enough. What is found afterwards is worth nothing.
    gave_up: bool,
}

impl<'a> Evaluator<'a> {
    fn new(terms: &'a Terms, model: &'a Model, effort: &'a Effort<'a>) -> Evaluator<'a> {
        Evaluator { terms, model, memo: TermMap::default(), effort, gave_up: false }
    }

    /// The truth of a Boolean term. Recursion is as deep as the term, which the encoder bounds.
    fn truth(&mut self, term: Term) -> Option<bool> {
        if let Some(&known) = self.memo.get(&term) {
            return known;
        }
        let terms = self.terms;
        let truth = match terms.node(term) {
            Node::Bool(value) => Some(*value),
            Node::Var(_) => match self.value(term) {
                Some(Known::Bool(value)) => Some(value),
                _ => None,
            },
            Node::Not(inner) => self.truth(*inner).map(|value| !value),
            Node::And(children) => conjunction(children.iter().map(|&c| self.truth(c))),
            Node::Or(children) => {
                conjunction(children.iter().map(|&c| self.truth(c).map(|v| !v))).map(|v| !v)
            }
            Node::Eq(a, b) => match (self.value(*a), self.value(*b)) {
                (Some(a), Some(b)) => Some(a == b),
                _ => None,
            },
            Node::InRe(string, regex) => match self.value(*string) {
                Some(Known::String(text)) => self.is_in(regex, text),
                _ => None,
            },
            Node::Matches(string, pieces) => self.matches(*string, pieces),
            Node::HasPrefix { bits, prefix, length } => match self.value(*bits) {
                Some(Known::Bits { value, width }) => Some(value >> (width - length) == *prefix),
                _ => None,
            },
            Node::String(_) | Node::Bits { .. } => {
                unreachable!("the arena puts only truth values under connectives")
            }
        };
        self.memo.insert(term, truth);
        truth
    }

    /// Whether the value of `string` matches the pieces. Without all values of the pieces, false
    /// where no values would do.
    fn matches(&mut self, string: Term, pieces: &[Piece]) -> Option<bool> {
        let Some(Known::String(text)) = self.value(string) else { return None };
        let mut all_known = true;
        let known: Vec<Piece> = pieces
            .iter()
            .map(|piece| match piece {
                Piece::Value(value) => match self.value(*value) {
                    Some(Known::String(text)) => Piece::text(text),
                    _ => {
                        all_known = false;
                        piece.clone()
                    }
                },
                _ => piece.clone(),
            })
            .collect();
        let matches = self.is_in(&widened(&known), text)?;
        (all_known || !matches).then_some(matches)
    }

    fn is_in(&mut self, regex: &Regex, text: &str) -> Option<bool> {
        let is_in = regex.matches_within(text, self.effort);
        self.gave_up |= is_in.is_err();
        is_in.ok()
    }

    /// The value of a variable or constant.
    fn value(&self, term: Term) -> Option<Known<'a>> {
        match self.terms.node(term) {
            Node::Var(index) => {
                let (name, sort) = self.terms.variable(*index);
                let value = self.model.get(name).filter(|value| value.sort() == sort)?;
                Some(match value {
                    Value::Bool(value) => Known::Bool(*value),
                    Value::String(text) => Known::String(text),
                    Value::Bits { value, width } => Known::Bits { value: *value, width: *width },
                })
            }
            Node::String(text) => Some(Known::String(text)),
            Node::Bits { value, width } => Some(Known::Bits { value: *value, width: *width }),
            Node::Bool(value) => Some(Known::Bool(*value)),
            _ => {
                debug_assert_eq!(self.terms.sort(term), Sort::Bool);
                None
            }
        }
    }
}

/// A [`Value`] that is borrowed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Known<'a> {
    Bool(bool),
    String(&'a str),
    Bits { value: u128, width: u32 },
}

fn conjunction(values: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut all = Some(true);
    for value in values {
        match value {
            Some(false) => return Some(false),
            Some(true) => {}
            None => all = None,
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use keyaki_testing::arbtest;

    use super::*;
    use crate::regex::Regex;
    use crate::testing::{all_models, random_formula, random_term};

    fn formula() -> Formula {
        let mut t = Terms::new();
        let (p, s) = (t.var("p", Sort::Bool), t.var("s", Sort::String));
        let ip = t.var("ip", Sort::Bits(32));
        let digits = t.in_re(s, Regex::plus(Regex::Chars(vec![('0', '9')])));
        let net = t.has_prefix(ip, 10, 8);
        let either = t.or([p, digits]);
        let mut formula = Formula::new(t);
        formula.assert("either", either);
        formula.assert("net", net);
        formula
    }

    fn model(p: bool, s: &str, ip: u128) -> Model {
        let mut model = Model::new();
        model.insert("p", Value::Bool(p));
        model.insert("s", Value::String(s.to_owned()));
        model.insert("ip", Value::Bits { value: ip, width: 32 });
        model
    }

    #[test]
    fn a_model_satisfies_all_assertions_or_not() {
        assert_eq!(holds(&formula(), &model(false, "12", 10 << 24)), Ok(true));
        assert_eq!(holds(&formula(), &model(false, "x", 10 << 24)), Ok(false));
        assert_eq!(holds(&formula(), &model(true, "x", 11 << 24)), Ok(false));
    }

    #[test]
    fn looking_at_what_changed_finds_what_looking_at_everything_does() {
        let models = all_models();
        arbtest(|u| {
            let mut formula = random_formula(u, 4, 3)?;
            let further = random_term(u, &mut formula.terms, 3)?;
            formula.assert("", further);
            let incremental = Incremental::new(&formula);
            let is_changed = |name: &str, a: &Model, b: &Model| a.get(name) != b.get(name);
            let (before, after) = (u.choose(&models)?, u.choose(&models)?);
            let names: Vec<&str> = after.iter().map(|(name, _)| name).collect();
            let changed = names.iter().copied().filter(|name| is_changed(name, before, after));
            if holds(&formula, before) == Ok(true) {
                let expected = holds(&formula, after) == Ok(true);
                assert_eq!(incremental.still_holds(after, changed.clone()), expected);
            }
            let mut partial = [Model::new(), Model::new()];
            for name in &names {
                for (partial, whole) in partial.iter_mut().zip([before, after]) {
                    if let (true, Some(value)) = (u.arbitrary()?, whole.get(name)) {
                        partial.insert(*name, value.clone());
                    }
                }
            }
            let [before, after] = partial;
            if holds_partially(&formula, &before) != Some(false) {
                let changed = names.iter().copied().filter(|n| is_changed(n, &before, &after));
                let expected = holds_partially(&formula, &after) != Some(false);
                assert_eq!(incremental.may_still_hold(&after, changed), expected);
            }
            Ok(())
        });
    }

    #[test]
    fn a_template_holds_of_what_its_values_make() {
        let mut t = Terms::new();
        let (x, v) = (t.var("x", Sort::String), t.var("v", Sort::String));
        let pieces = [Piece::text("b/"), Piece::Value(v), Piece::text("/"), Piece::Any];
        let term = t.matches(x, pieces);
        let mut formula = Formula::new(t);
        formula.assert("", term);
        let check = |x: &str, v: Option<&str>, expected: Option<bool>| {
            let mut model = Model::new();
            model.insert("x", Value::String(x.to_owned()));
            if let Some(v) = v {
                model.insert("v", Value::String(v.to_owned()));
            }
            assert_eq!(holds_partially(&formula, &model), expected, "{x} {v:?}");
        };
        check("b/omar/", Some("omar"), Some(true));
        check("b/omar/x", Some("omar"), Some(true));
        check("b/omar", Some("omar"), Some(false));
        check("b/ines/x", Some("omar"), Some(false));
        // The value is text, whatever characters it has.
        check("b/omar/x", Some("*"), Some(false));
        check("b//", Some(""), Some(true));
        check("b/omar/x", None, None);
        check("c/omar/x", None, Some(false));
    }

    #[test]
    fn a_model_without_a_value_is_an_error() {
        assert_eq!(holds(&formula(), &Model::new()), Err("no value for `p`".to_owned()));
        let mut wrong = model(true, "", 0);
        wrong.insert("s", Value::Bool(true));
        assert_eq!(holds(&formula(), &wrong), Err("the value of `s` has another sort".to_owned()));
    }

    #[test]
    fn a_partial_model_decides_what_does_not_depend_on_the_rest() {
        let mut partial = Model::new();
        partial.insert("ip", Value::Bits { value: 0, width: 32 });
        assert_eq!(holds_partially(&formula(), &partial), Some(false));
        partial.insert("ip", Value::Bits { value: 10 << 24, width: 32 });
        assert_eq!(holds_partially(&formula(), &partial), None);
        partial.insert("p", Value::Bool(true));
        assert_eq!(holds_partially(&formula(), &partial), Some(true));
    }
}
