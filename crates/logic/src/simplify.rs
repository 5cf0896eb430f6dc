//! Says the same thing shorter, before a solver has to read it.
//!
//! In a comparison of two versions of a policy nearly everything is common to both. With a
//! conjunct `¬S` (the old policy's statement does not match) the same `S` in the new policy is
//! false; with a conjunct `service = "s3"` every test of another service is. Propagating such facts
//! usually leaves a formula about the few actions that changed.
//!
//! Every step is an equivalence, so models and unsatisfiability carry over unchanged. Subsumption
//! between patterns is left to the solvers: it is their strength, and a mistake there would be a
//! wrong answer that nothing downstream can catch.

use std::collections::HashMap;

use crate::regex::Regex;
use crate::term::{Formula, Node, Term, Terms};

/// The rounds after which propagation stops even if it still finds something; each round costs
/// time linear in the formula, and real policies settle after three.
const MAX_ROUNDS: usize = 8;

/// A formula with the same models as `formula`, and the same labels in the same order.
pub fn simplify(formula: Formula) -> Formula {
    let (labels, mut roots): (Vec<String>, Vec<Term>) =
        formula.assertions().iter().cloned().unzip();
    let mut simplifier = Simplifier { terms: formula.terms, facts: Facts::default() };
    for _ in 0..MAX_ROUNDS {
        let before = roots.clone();
        simplifier.conjunction(&mut roots);
        if roots == before {
            break;
        }
    }
    let mut simplified = Formula::new(simplifier.terms);
    for (label, root) in labels.into_iter().zip(roots) {
        if simplified.terms.as_bool(root) != Some(true) {
            simplified.assert(label, root);
        }
    }
    simplified
}

struct Simplifier {
    terms: Terms,
    facts: Facts,
}

/// What is taken for granted while rewriting a term, with a trail to take it back.
#[derive(Default)]
struct Facts {
    truth: HashMap<Term, bool>,
    /// Variables that equal a constant.
    value: HashMap<Term, Term>,
    trail: Vec<Undo>,
}

enum Undo {
    Truth(Term),
    Value(Term),
}

impl Simplifier {
    /// Rewrites the conjuncts one after the other, each under those before it.
    fn conjunction(&mut self, roots: &mut [Term]) {
        let mark = self.facts.trail.len();
        let mut order: Vec<usize> = (0..roots.len()).collect();
        order.sort_by_key(|&i| (self.rank(roots[i]), i));
        for i in order {
            roots[i] = self.rewrite(roots[i]);
            self.assume(roots[i], true);
        }
        self.facts.undo_to(mark);
    }

    /// How late to rewrite a conjunct: first what states facts about atoms, then what states one
    /// about a conjunction (`¬S`, a statement that must not match), last the alternatives.
    fn rank(&self, term: Term) -> u8 {
        match self.terms.node(term) {
            Node::Or(_) => 2,
            Node::Not(inner) if matches!(self.terms.node(*inner), Node::And(_)) => 1,
            _ => 0,
        }
    }

    /// Takes `term` to be `truth` until the trail is cut.
    fn assume(&mut self, term: Term, truth: bool) {
        match (self.terms.node(term), truth) {
            (Node::Bool(_), _) => return,
            (Node::Not(inner), _) => return self.assume(*inner, !truth),
            (Node::And(children), true) | (Node::Or(children), false) => {
                for child in children.clone() {
                    self.assume(child, truth);
                }
            }
            (Node::Eq(a, b), true) if self.terms.is_constant(*b) => self.facts.set_value(*a, *b),
            _ => {}
        }
        self.facts.set_truth(term, truth);
    }

    /// A term equivalent to `term` under the facts.
    fn rewrite(&mut self, term: Term) -> Term {
        if let Some(&truth) = self.facts.truth.get(&term) {
            return self.terms.bool(truth);
        }
        match self.terms.node(term).clone() {
            Node::Not(inner) => {
                let inner = self.rewrite(inner);
                self.terms.not(inner)
            }
            Node::And(children) => self.children(&children, true),
            Node::Or(children) => self.children(&children, false),
            node => self.atom(term, &node),
        }
    }

    /// Rewrites the children of a conjunction (`truth` true) or disjunction, each under the
    /// assumption that those before it are `truth`: if one is not, the whole is decided anyway.
    fn children(&mut self, children: &[Term], truth: bool) -> Term {
        let mark = self.facts.trail.len();
        // Atoms first: they are the ones that teach the others something.
        let is_atom = |term| !matches!(self.terms.node(term), Node::And(_) | Node::Or(_));
        let mut order = children.to_vec();
        order.sort_by_key(|&child| match self.terms.node(child) {
            Node::Not(inner) => (!is_atom(*inner), child),
            _ => (!is_atom(child), child),
        });
        let mut rewritten = Vec::with_capacity(order.len());
        for child in order {
            let child = self.rewrite(child);
            if self.terms.as_bool(child) == Some(!truth) {
                self.facts.undo_to(mark);
                return self.terms.bool(!truth);
            }
            self.assume(child, truth);
            rewritten.push(child);
        }
        self.facts.undo_to(mark);
        if truth { self.terms.and(rewritten) } else { self.terms.or(rewritten) }
    }

    /// An atom under known values of its variables.
    fn atom(&mut self, term: Term, node: &Node) -> Term {
        let known = |facts: &Facts, term: Term| facts.value.get(&term).copied();
        match node {
            Node::Eq(a, b) => {
                let (new_a, new_b) =
                    (known(&self.facts, *a).unwrap_or(*a), known(&self.facts, *b).unwrap_or(*b));
                if (new_a, new_b) == (*a, *b) { term } else { self.terms.eq(new_a, new_b) }
            }
            Node::InRe(string, regex) => match known(&self.facts, *string) {
                Some(value) => {
                    let regex = Regex::clone(regex);
                    self.terms.in_re(value, regex)
                }
                None => term,
            },
            Node::HasPrefix { bits, prefix, length } => match known(&self.facts, *bits) {
                Some(value) => self.terms.has_prefix(value, *prefix, *length),
                None => term,
            },
            _ => term,
        }
    }
}

impl Facts {
    fn set_truth(&mut self, term: Term, truth: bool) {
        // A contradiction of facts means that the context is false, so either value is right.
        if self.truth.insert(term, truth).is_none() {
            self.trail.push(Undo::Truth(term));
        }
    }

    fn set_value(&mut self, variable: Term, constant: Term) {
        if let std::collections::hash_map::Entry::Vacant(entry) = self.value.entry(variable) {
            entry.insert(constant);
            self.trail.push(Undo::Value(variable));
        }
    }

    fn undo_to(&mut self, mark: usize) {
        for undo in self.trail.drain(mark..) {
            match undo {
                Undo::Truth(term) => self.truth.remove(&term).is_some(),
                Undo::Value(variable) => self.value.remove(&variable).is_some(),
            };
        }
    }
}

/// `term` with each literal of the variables that `adverse` picks made false: a term that implies
/// `term` whatever the values of those variables.
///
/// A model of the result satisfies `term` however the picked variables are reassigned, as long as
/// they occur in `term` as truth values.
pub fn without(terms: &mut Terms, term: Term, adverse: &dyn Fn(&str) -> bool) -> Term {
    Without { terms, adverse, memo: HashMap::new() }.polar(term, true)
}

struct Without<'a> {
    terms: &'a mut Terms,
    adverse: &'a dyn Fn(&str) -> bool,
    memo: HashMap<(Term, bool), Term>,
}

impl Without<'_> {
    /// A term that implies `term` (`positive`), or is implied by it.
    fn polar(&mut self, term: Term, positive: bool) -> Term {
        if let Some(&known) = self.memo.get(&(term, positive)) {
            return known;
        }
        let result = match self.terms.node(term).clone() {
            Node::Var(index) if (self.adverse)(self.terms.variable(index).0) => {
                self.terms.bool(!positive)
            }
            Node::Not(inner) => {
                let inner = self.polar(inner, !positive);
                self.terms.not(inner)
            }
            Node::And(children) => {
                let children: Vec<Term> =
                    children.iter().map(|&child| self.polar(child, positive)).collect();
                self.terms.and(children)
            }
            Node::Or(children) => {
                let children: Vec<Term> =
                    children.iter().map(|&child| self.polar(child, positive)).collect();
                self.terms.or(children)
            }
            _ => term,
        };
        self.memo.insert((term, positive), result);
        result
    }
}

#[cfg(test)]
mod tests {
    use arbtest::arbitrary::{self, Unstructured};
    use arbtest::arbtest;

    use super::*;
    use crate::eval;
    use crate::model::{Model, Value};
    use crate::term::Sort;

    #[test]
    fn an_unchanged_statement_disappears() {
        let mut t = Terms::new();
        let (a, b, c) = (t.var("a", Sort::Bool), t.var("b", Sort::Bool), t.var("c", Sort::Bool));
        let same = t.and([a, b]);
        let new = t.or([same, c]);
        let not_old = t.not(same);
        let mut formula = Formula::new(t);
        formula.assert("new", new);
        formula.assert("not old", not_old);
        let simplified = simplify(formula);
        let texts: Vec<&str> = simplified.assertions().iter().map(|(l, _)| l.as_str()).collect();
        assert_eq!(texts, ["new", "not old"]);
        assert_eq!(simplified.assertions()[0].1, c);
    }

    #[test]
    fn a_known_service_decides_tests_of_the_service() {
        let mut t = Terms::new();
        let s = t.var("service", Sort::String);
        let (s3, ec2) = (t.string("s3"), t.string("ec2"));
        let is_s3 = t.eq(s, s3);
        let is_ec2 = t.eq(s, ec2);
        let starts_with_e = t.in_re(s, Regex::Concat(vec![Regex::Literal("e".into()), Regex::All]));
        let other = t.or([is_ec2, starts_with_e]);
        let mut formula = Formula::new(t);
        formula.assert("other", other);
        formula.assert("service", is_s3);
        let simplified = simplify(formula);
        assert_eq!(simplified.terms.as_bool(simplified.assertions()[0].1), Some(false));
    }

    /// Three Booleans, two strings over a tiny set, one bit vector: small enough to try all.
    const STRINGS: [&str; 4] = ["", "a", "b", "ab"];

    fn random_term(u: &mut Unstructured<'_>, t: &mut Terms, depth: u32) -> arbitrary::Result<Term> {
        let choice = if depth == 0 { u.int_in_range(0..=3)? } else { u.int_in_range(0..=6)? };
        Ok(match choice {
            0 => {
                let name = *u.choose(&["p", "q", "r"])?;
                t.var(name, Sort::Bool)
            }
            1 => {
                let (x, c) = (*u.choose(&["x", "y"])?, *u.choose(&STRINGS)?);
                let (x, c) = (t.var(x, Sort::String), t.string(c));
                t.eq(x, c)
            }
            2 => {
                let x = t.var(u.choose::<&str>(&["x", "y"])?, Sort::String);
                let first = Regex::Literal(u.choose::<&str>(&["a", "b"])?.to_string());
                t.in_re(x, Regex::Concat(vec![first, Regex::All]))
            }
            3 => {
                if u.arbitrary()? {
                    let (x, y) = (t.var("x", Sort::String), t.var("y", Sort::String));
                    t.eq(x, y)
                } else {
                    let n = t.var("n", Sort::Bits(2));
                    t.has_prefix(n, u.int_in_range(0..=1)?, 1)
                }
            }
            4 => {
                let inner = random_term(u, t, depth - 1)?;
                t.not(inner)
            }
            connective => {
                let mut children = Vec::new();
                for _ in 0..u.int_in_range(1..=4)? {
                    children.push(random_term(u, t, depth - 1)?);
                }
                if connective == 5 { t.and(children) } else { t.or(children) }
            }
        })
    }

    fn all_models() -> Vec<Model> {
        let mut models = Vec::new();
        for flags in 0..8u32 {
            for x in STRINGS {
                for y in STRINGS {
                    for n in 0..4 {
                        let mut model = Model::new();
                        for (i, name) in ["p", "q", "r"].into_iter().enumerate() {
                            model.insert(name, Value::Bool(flags >> i & 1 == 1));
                        }
                        model.insert("x", Value::String(x.to_owned()));
                        model.insert("y", Value::String(y.to_owned()));
                        model.insert("n", Value::Bits { value: n, width: 2 });
                        models.push(model);
                    }
                }
            }
        }
        models
    }

    #[test]
    fn simplification_keeps_the_models() {
        let models = all_models();
        arbtest(|u| {
            let mut t = Terms::new();
            let mut roots = Vec::new();
            for _ in 0..u.int_in_range(1..=4)? {
                roots.push(random_term(u, &mut t, 3)?);
            }
            let mut formula = Formula::new(t);
            for root in roots {
                formula.assert("", root);
            }
            let simplified = simplify(formula.clone());
            for model in &models {
                assert_eq!(
                    eval::holds(&formula, model),
                    eval::holds(&simplified, model),
                    "{model:?}\n{formula:?}\n{simplified:?}"
                );
            }
            Ok(())
        });
    }

    #[test]
    fn without_implies_the_term_whatever_the_variable() {
        let models = all_models();
        arbtest(|u| {
            let mut t = Terms::new();
            let term = random_term(u, &mut t, 3)?;
            let stronger = without(&mut t, term, &|name| name == "p");
            let (mut weak, mut strong) = (Formula::new(t.clone()), Formula::new(t));
            weak.assert("", term);
            strong.assert("", stronger);
            for model in &models {
                if eval::holds(&strong, model) == Ok(true) {
                    for p in [true, false] {
                        let mut model = model.clone();
                        model.insert("p", Value::Bool(p));
                        assert_eq!(eval::holds(&weak, &model), Ok(true));
                    }
                }
            }
            Ok(())
        });
    }
}
