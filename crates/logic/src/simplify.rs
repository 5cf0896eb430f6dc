//! Says the same thing shorter, before a solver has to read it.
//!
//! In a comparison of two versions of a policy nearly everything is common to both. With a
//! conjunct `¬S` (the old policy's statement does not match) the same `S` in the new policy is
//! false; with a conjunct `service = "s3"` every test of another service is. Propagating such facts,
//! and those that follow from them by unit propagation, usually leaves a formula about the few
//! actions that changed, and often nothing.
//!
//! Every step is an equivalence, so models and unsatisfiability carry over unchanged. Of languages
//! we only ask whether a constant is in them; inclusion between patterns is left to the solvers: it
//! is their strength, and a mistake there would be a wrong answer that nothing downstream can catch.

use std::collections::HashMap;

use crate::template::widened;
use crate::term::{Formula, Node, Piece, Term, TermMap, Terms};

/// The rounds after which propagation stops even if it still finds something; each round costs
/// time linear in the formula, and stopping early only leaves more to the solver.
const MAX_ROUNDS: usize = 8;

/// The most children of clauses that are looked at again because something about them became known. A clause
/// is looked at for each fact about a variable of it, so without a limit time is quadratic in the number of
/// clauses. What is left undone is left to the solver.
const MAX_WAKES: usize = 1 << 15;

/// A formula with the same models as `formula`, and the same labels in the same order.
pub fn simplify(formula: Formula) -> Formula {
    let assertions = formula.assertions().to_vec();
    let mut terms = formula.terms;
    simplify_in(&mut terms, assertions)
}

/// A formula with the same models as these assertions of `terms`, and the same labels in the same
/// order, in an arena that has nothing else. `terms` is afterwards as it was before, so that one
/// large arena serves many small formulas without being copied.
pub fn simplify_in(terms: &mut Terms, assertions: Vec<(String, Term)>) -> Formula {
    simplify_within(terms, assertions, MAX_WAKES)
}

fn simplify_within(
    terms: &mut Terms,
    assertions: Vec<(String, Term)>,
    max_wakes: usize,
) -> Formula {
    let (labels, mut roots): (Vec<String>, Vec<Term>) = assertions.into_iter().unzip();
    let mark = terms.mark();
    let mut simplifier = Simplifier::new(std::mem::take(terms), max_wakes);
    for _ in 0..MAX_ROUNDS {
        let before = roots.clone();
        simplifier.conjunction(&mut roots);
        if roots == before {
            break;
        }
    }
    *terms = simplifier.terms;
    let kept = labels.into_iter().zip(roots).filter(|(_, root)| terms.as_bool(*root) != Some(true));
    let simplified = Formula::extracted(terms, kept.collect());
    terms.cut(mark);
    simplified
}

/// True only if no model satisfies `term`, which unit propagation alone shows: the cheapest look,
/// and in a comparison of a policy with a version of itself it is nearly always enough.
pub fn is_refuted(terms: &mut Terms, term: Term) -> bool {
    let mark = terms.mark();
    let mut simplifier = Simplifier::new(std::mem::take(terms), MAX_WAKES);
    simplifier.assume(term, true);
    let is_refuted = simplifier.facts.conflict;
    *terms = simplifier.terms;
    terms.cut(mark);
    is_refuted
}

/// Formulas, simplified, of which at least one is satisfiable if and only if `formula` is, and
/// whose models are models of it: one for each alternative of the largest disjunction that is a
/// conjunct. `None` if there is no such disjunction, or none of at most `max_parts` alternatives.
///
/// Under one alternative far more is known than under "one of them", so the parts are often much
/// smaller than the whole. Each is made when it is asked for.
pub fn split(formula: &Formula, max_parts: usize) -> Option<impl Iterator<Item = Formula>> {
    let terms = &formula.terms;
    let mut largest: Option<(usize, usize, Term)> = None;
    for (i, (_, root)) in formula.assertions().iter().enumerate() {
        let conjuncts = match terms.node(*root) {
            Node::And(children) => &children[..],
            _ => std::slice::from_ref(root),
        };
        for &conjunct in conjuncts {
            if let Node::Or(alternatives) = terms.node(conjunct) {
                let size = size(terms, conjunct);
                let larger = largest.is_none_or(|(_, known, _)| size > known);
                if larger && alternatives.len() <= max_parts {
                    largest = Some((i, size, conjunct));
                }
            }
        }
    }
    let (index, _, disjunction) = largest?;
    let Node::Or(alternatives) = formula.terms.node(disjunction) else { return None };
    let (alternatives, assertions) = (alternatives.clone(), formula.assertions().to_vec());
    let mut terms = terms.clone();
    let mark = terms.mark();
    Some(alternatives.into_iter().map(move |alternative| {
        let mut assertions = assertions.clone();
        // The rest of the conjunction stays; the disjunction follows from its alternative.
        let root = &mut assertions[index].1;
        *root = terms.and([*root, alternative]);
        let part = simplify_in(&mut terms, assertions);
        terms.cut(mark);
        part
    }))
}

/// The number of terms in `term`, each occurrence counted.
fn size(terms: &Terms, term: Term) -> usize {
    let mut size = 1;
    terms.node(term).for_each_child(|child| size += self::size(terms, child));
    size
}

struct Simplifier {
    terms: Terms,
    facts: Facts,
    wakes_left: usize,
}

/// What is taken for granted while rewriting a term, with a trail to take it back.
#[derive(Default)]
struct Facts {
    truth: TermMap<bool>,
    /// Variables that equal a constant.
    value: TermMap<Term>,
    /// Membership atoms of known truth, by variable.
    memberships: TermMap<Vec<Term>>,
    /// Disjunctions known to be true and conjunctions known to be false, by what may decide one of
    /// their children: the child itself, or the variable of an atom.
    clauses: TermMap<Vec<Term>>,
    /// Facts found that are still to be taken in.
    pending: Vec<(Term, bool)>,
    /// Whether the facts contradict each other.
    conflict: bool,
    trail: Vec<Undo>,
}

enum Undo {
    Truth(Term),
    Value(Term),
    Membership(Term),
    Clause(Term),
    Conflict,
}

impl Simplifier {
    fn new(terms: Terms, max_wakes: usize) -> Simplifier {
        Simplifier { terms, facts: Facts::default(), wakes_left: max_wakes }
    }

    /// Rewrites the conjuncts one after the other, each under those before it.
    fn conjunction(&mut self, roots: &mut [Term]) {
        let mark = self.facts.trail.len();
        let mut order: Vec<usize> = (0..roots.len()).collect();
        order.sort_by_key(|&i| (self.rank(roots[i], true), i));
        for i in order {
            roots[i] =
                if self.facts.conflict { self.terms.bool(false) } else { self.rewrite(roots[i]) };
            self.assume(roots[i], true);
        }
        self.facts.undo_to(mark);
    }

    /// How late to rewrite a child of a conjunction (`truth` true) or disjunction: first what
    /// states facts about atoms when it is taken to be `truth`, then what states one about a whole
    /// (`¬S`, a statement that must not match), last the alternatives.
    fn rank(&self, term: Term, truth: bool) -> u8 {
        match self.terms.node(term) {
            Node::And(_) if !truth => 2,
            Node::Or(_) if truth => 2,
            Node::Not(inner) => match self.terms.node(*inner) {
                Node::And(_) => u8::from(truth),
                Node::Or(_) => u8::from(!truth),
                _ => 0,
            },
            _ => 0,
        }
    }

    /// Takes `term` to be `truth`, with what follows by unit propagation, until the trail is cut.
    fn assume(&mut self, term: Term, truth: bool) {
        self.facts.pending.push((term, truth));
        while let Some((term, truth)) = self.facts.pending.pop() {
            match self.terms.node(term) {
                Node::Bool(value) if *value != truth => self.facts.set_conflict(),
                Node::Bool(_) => {}
                Node::Not(inner) => self.facts.pending.push((*inner, !truth)),
                _ => self.take(term, truth),
            }
        }
    }

    /// Takes in one fact about a term that is neither a constant nor a negation.
    fn take(&mut self, term: Term, truth: bool) {
        match self.status(term) {
            Some(known) if known != truth => return self.facts.set_conflict(),
            // Known outright; if it only follows from the value of its variable, there may still
            // be something to note below.
            Some(_) if self.facts.truth.contains_key(&term) => return,
            _ => {}
        }
        self.facts.truth.insert(term, truth);
        self.facts.trail.push(Undo::Truth(term));
        match (self.terms.node(term), truth) {
            (Node::And(children), true) | (Node::Or(children), false) => {
                let children = children.iter().map(|&child| (child, truth));
                self.facts.pending.extend(children);
            }
            (Node::And(children), false) | (Node::Or(children), true) => {
                for &child in children {
                    let decider = atom_of(&self.terms, child);
                    self.facts.watch(decider, term);
                    let facts = &mut self.facts;
                    for_each_variable(&self.terms, decider, |variable| facts.watch(variable, term));
                }
                self.propagate(term);
            }
            (Node::InRe(variable, _), _) => self.facts.note_membership(*variable, term),
            (Node::Matches(string, pieces), true) => {
                let (string, language) = (*string, widened(pieces));
                let member = self.terms.in_re(string, language);
                self.facts.pending.push((member, true));
            }
            (Node::Eq(a, b), true) if self.terms.is_constant(*b) => {
                let variable = *a;
                self.facts.set_value(variable, *b);
                self.wake(variable);
            }
            _ => {}
        }
        self.wake(term);
    }

    /// Looks again at the clauses that `decider` may have decided.
    fn wake(&mut self, decider: Term) {
        let clauses = self.facts.clauses.get(&decider).cloned().unwrap_or_default();
        for clause in clauses {
            if self.wakes_left == 0 {
                return;
            }
            let looked_at = self.propagate(clause);
            self.wakes_left = self.wakes_left.saturating_sub(looked_at);
        }
    }

    /// If all children of a clause but one are ruled out, that one is a fact. Returns how many were
    /// looked at.
    fn propagate(&mut self, clause: Term) -> usize {
        // The value that makes the clause true: of a false conjunction, a false child.
        let (children, satisfying) = match self.terms.node(clause) {
            Node::And(children) => (children, false),
            Node::Or(children) => (children, true),
            _ => return 0,
        };
        let mut open = None;
        for (position, &child) in children.iter().enumerate() {
            match self.status(child) {
                Some(status) if status == satisfying => return position + 1,
                Some(_) => {}
                None if open.is_some() => return position + 1,
                None => open = Some(child),
            }
        }
        let n_children = children.len();
        match open {
            Some(child) => self.facts.pending.push((child, satisfying)),
            None => self.facts.set_conflict(),
        }
        n_children
    }

    /// The truth of a term as far as the facts state it outright.
    fn status(&self, term: Term) -> Option<bool> {
        if let Some(&truth) = self.facts.truth.get(&term) {
            return Some(truth);
        }
        match self.terms.node(term) {
            Node::Bool(value) => Some(*value),
            Node::Not(inner) => self.status(*inner).map(|truth| !truth),
            Node::Eq(variable, constant) if self.terms.is_constant(*constant) => {
                self.equals(*variable, *constant)
            }
            Node::InRe(variable, regex) => {
                self.text(self.facts.value.get(variable)).map(|text| regex.matches(text))
            }
            Node::Matches(string, pieces) => {
                let text = self.text(Some(&self.known(*string)))?;
                let pieces = self.known_pieces(pieces);
                let open = pieces.iter().any(|piece| matches!(piece, Piece::Value(_)));
                let matches = widened(&pieces).matches(text);
                (!open || !matches).then_some(matches)
            }
            _ => None,
        }
    }

    /// Whether a variable is a constant: by its value, or because of a language that it is known
    /// to be in, or not in.
    fn equals(&self, variable: Term, constant: Term) -> Option<bool> {
        if let Some(&value) = self.facts.value.get(&variable) {
            return Some(value == constant);
        }
        let text = self.text(Some(&constant))?;
        let excluded = |atom: &Term| match self.terms.node(*atom) {
            Node::InRe(_, regex) => regex.matches(text) != self.facts.truth[atom],
            _ => false,
        };
        let memberships = self.facts.memberships.get(&variable)?;
        memberships.iter().any(excluded).then_some(false)
    }

    fn text(&self, constant: Option<&Term>) -> Option<&str> {
        match self.terms.node(*constant?) {
            Node::String(text) => Some(text),
            _ => None,
        }
    }

    /// A term equivalent to `term` under the facts.
    fn rewrite(&mut self, term: Term) -> Term {
        if let Some(truth) = self.status(term) {
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
        let mut order = children.to_vec();
        order.sort_by_key(|&child| (self.rank(child, truth), child));
        let mut rewritten = Vec::with_capacity(order.len());
        for child in order {
            let child = self.rewrite(child);
            self.assume(child, truth);
            if self.facts.conflict {
                // The children so far cannot all be `truth`.
                self.facts.undo_to(mark);
                return self.terms.bool(!truth);
            }
            rewritten.push(child);
        }
        self.facts.undo_to(mark);
        if truth { self.terms.and(rewritten) } else { self.terms.or(rewritten) }
    }

    /// An atom under known values of its variables.
    fn atom(&mut self, term: Term, node: &Node) -> Term {
        match node {
            Node::Eq(a, b) => {
                let (a, b) = (self.known(*a), self.known(*b));
                self.terms.eq(a, b)
            }
            Node::Matches(string, pieces) => {
                let (string, pieces) = (self.known(*string), self.known_pieces(pieces));
                self.terms.matches(string, pieces)
            }
            Node::HasPrefix { bits, prefix, length } => {
                let bits = self.known(*bits);
                self.terms.has_prefix(bits, *prefix, *length)
            }
            _ => term,
        }
    }

    /// The constant that a variable is known to equal, or else the term itself.
    fn known(&self, term: Term) -> Term {
        self.facts.value.get(&term).copied().unwrap_or(term)
    }

    /// The pieces with known values as text.
    fn known_pieces(&self, pieces: &[Piece]) -> Vec<Piece> {
        let known = |piece: &Piece| match piece {
            Piece::Value(value) => match self.text(Some(&self.known(*value))) {
                Some(text) => Piece::text(text),
                None => piece.clone(),
            },
            _ => piece.clone(),
        };
        pieces.iter().map(known).collect()
    }
}

/// The term under a negation, or the term itself.
fn atom_of(terms: &Terms, term: Term) -> Term {
    match terms.node(term) {
        Node::Not(inner) => *inner,
        _ => term,
    }
}

/// Calls `visit` on the variables whose values decide an atom.
fn for_each_variable(terms: &Terms, atom: Term, mut visit: impl FnMut(Term)) {
    match terms.node(atom) {
        Node::Eq(variable, _) | Node::InRe(variable, _) => visit(*variable),
        node @ Node::Matches(..) => node.for_each_child(visit),
        _ => {}
    }
}

impl Facts {
    fn set_value(&mut self, variable: Term, constant: Term) {
        if self.value.insert(variable, constant).is_none() {
            self.trail.push(Undo::Value(variable));
        }
    }

    fn note_membership(&mut self, variable: Term, atom: Term) {
        self.memberships.entry(variable).or_default().push(atom);
        self.trail.push(Undo::Membership(variable));
    }

    fn watch(&mut self, decider: Term, clause: Term) {
        self.clauses.entry(decider).or_default().push(clause);
        self.trail.push(Undo::Clause(decider));
    }

    fn set_conflict(&mut self) {
        self.pending.clear();
        if !self.conflict {
            self.conflict = true;
            self.trail.push(Undo::Conflict);
        }
    }

    fn undo_to(&mut self, mark: usize) {
        for undo in self.trail.drain(mark..).rev() {
            match undo {
                Undo::Truth(term) => {
                    self.truth.remove(&term);
                }
                Undo::Value(variable) => {
                    self.value.remove(&variable);
                }
                Undo::Membership(variable) => {
                    self.memberships.get_mut(&variable).and_then(Vec::pop);
                }
                Undo::Clause(decider) => {
                    self.clauses.get_mut(&decider).and_then(Vec::pop);
                }
                Undo::Conflict => self.conflict = false,
            }
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
    use keyaki_testing::arbtest;

    use super::*;
    use crate::eval;
    use crate::model::Value;
    use crate::regex::Regex;
    use crate::term::Sort;
    use crate::testing::{all_models, random_formula, random_term};

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

    #[test]
    fn simplification_keeps_the_models() {
        let models = all_models();
        arbtest(|u| {
            let formula = random_formula(u, 4, 3)?;
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
    fn propagation_may_end_at_any_time() {
        let models = all_models();
        arbtest(|u| {
            let mut t = Terms::new();
            let mut assertions = Vec::new();
            for _ in 0..3 {
                assertions.push((String::new(), random_term(u, &mut t, 3)?));
            }
            let max_wakes = u.int_in_range(0..=6)?;
            let simplified = simplify_within(&mut t, assertions.clone(), max_wakes);
            let mut formula = Formula::new(t);
            for (label, root) in assertions {
                formula.assert(label, root);
            }
            for model in &models {
                let expected = eval::holds(&formula, model);
                assert_eq!(eval::holds(&simplified, model), expected, "{model:?}\n{formula:?}");
            }
            Ok(())
        });
    }

    #[test]
    fn a_formula_holds_where_one_of_its_parts_does() {
        let models = all_models();
        arbtest(|u| {
            let mut t = Terms::new();
            let (a, b) = (random_term(u, &mut t, 3)?, random_term(u, &mut t, 3)?);
            let mut formula = Formula::new(t);
            formula.assert("", a);
            formula.assert("", b);
            if let Some(parts) = split(&formula, 3).map(Vec::from_iter) {
                for model in &models {
                    let some = parts.iter().any(|part| eval::holds(part, model) == Ok(true));
                    assert_eq!(eval::holds(&formula, model), Ok(some), "{model:?}\n{formula:?}");
                }
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
