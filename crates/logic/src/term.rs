//! Terms, hash-consed, and formulas made of them.
//!
//! A [`Term`] is an index into a [`Terms`] arena, so it is `Copy` and comparing two terms compares
//! two numbers. Equal terms have equal indices because the arena hands out the index that it
//! already has; that is what lets [`crate::simplify`] see that both policies of a comparison
//! contain the same statement. Terms are made by the methods of the arena only: these check sorts
//! and apply the identities that cost nothing, so an ill-sorted term cannot exist.
//!
//! A child's index is always smaller than its parent's, so terms cannot be cyclic.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use foldhash::fast::RandomState;
use indexmap::{IndexMap, IndexSet};

use crate::regex::Regex;
pub use crate::template::Piece;

/// A sort.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Sort {
    /// Truth values.
    Bool,
    /// Strings of Unicode scalar values.
    String,
    /// Bit vectors of this width, from 1 to 128.
    Bits(u32),
}

/// A term of the arena that made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Term(u32);

/// A map from terms of one arena, which need no hash that an adversary cannot foresee: they are
/// numbers that we gave out.
pub type TermMap<V> = HashMap<Term, V, BuildHasherDefault<TermHasher>>;

/// The hasher of a [`TermMap`].
#[derive(Clone, Copy, Debug, Default)]
pub struct TermHasher(u64);

impl Hasher for TermHasher {
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u32(u32::from(byte));
        }
    }

    fn write_u32(&mut self, number: u32) {
        // 2^64 over the golden ratio, the usual multiplier of Fibonacci hashing.
        self.0 = (self.0 ^ u64::from(number)).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(26);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// What a term is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Node {
    /// A truth value.
    Bool(bool),
    /// A string.
    String(Box<str>),
    /// A number below 2^`width`.
    Bits {
        /// The number.
        value: u128,
        /// The number of bits.
        width: u32,
    },
    /// The variable with this index in [`Terms::variables`].
    Var(u32),
    /// Negation, of neither a constant nor a negation.
    Not(Term),
    /// Conjunction of two or more terms, none of which is a constant or a conjunction.
    And(Box<[Term]>),
    /// Disjunction of two or more terms, none of which is a constant or a disjunction.
    Or(Box<[Term]>),
    /// Equality of two strings or two bit vectors, at most one of them constant; that one comes
    /// second.
    Eq(Term, Term),
    /// Membership of a string, which is not constant, in a regular language.
    InRe(Term, Arc<Regex>),
    /// Whether a string matches a pattern with at least one [`Piece::Value`], of a term that is
    /// not constant, and something else. The pattern is in normal form: no empty text, no text
    /// beside a text, in each run of wildcards the single characters before the only star.
    Matches(Term, Box<[Piece]>),
    /// Whether the `length` most significant bits of a bit vector, which is not constant, are the
    /// number `prefix`.
    HasPrefix {
        /// The bit vector.
        bits: Term,
        /// The number, below 2^`length`.
        prefix: u128,
        /// The number of bits compared, at least 1 and below the width.
        length: u32,
    },
}

/// An arena of terms.
#[derive(Clone, Debug, Default)]
pub struct Terms {
    nodes: IndexSet<Node, RandomState>,
    variables: IndexMap<String, Sort, RandomState>,
}

impl Terms {
    /// An empty arena.
    pub fn new() -> Terms {
        Terms::default()
    }

    /// What `term` is.
    pub fn node(&self, term: Term) -> &Node {
        &self.nodes[term.0 as usize]
    }

    /// The variables in the order of their first use, with their sorts.
    pub fn variables(&self) -> impl Iterator<Item = (&str, Sort)> {
        self.variables.iter().map(|(name, sort)| (name.as_str(), *sort))
    }

    /// The name and sort of the variable of a [`Node::Var`].
    pub fn variable(&self, index: u32) -> (&str, Sort) {
        let (name, sort) =
            self.variables.get_index(index as usize).expect("the arena made this index");
        (name, *sort)
    }

    /// The sort of `term`.
    pub fn sort(&self, term: Term) -> Sort {
        match self.node(term) {
            Node::String(_) => Sort::String,
            Node::Bits { width, .. } => Sort::Bits(*width),
            Node::Var(index) => self.variable(*index).1,
            _ => Sort::Bool,
        }
    }

    /// The variable `name`.
    ///
    /// # Panics
    ///
    /// If the name is in use with another sort.
    pub fn var(&mut self, name: &str, sort: Sort) -> Term {
        let index = match self.variables.get_full(name) {
            Some((index, _, known)) => {
                assert_eq!(*known, sort, "variable `{name}` is used with two sorts");
                index
            }
            None => self.variables.insert_full(name.to_owned(), sort).0,
        };
        self.intern(Node::Var(u32::try_from(index).expect("fewer than 2^32 variables")))
    }

    /// A truth value.
    pub fn bool(&mut self, value: bool) -> Term {
        self.intern(Node::Bool(value))
    }

    /// A string.
    pub fn string(&mut self, value: &str) -> Term {
        self.intern(Node::String(value.into()))
    }

    /// A bit vector.
    ///
    /// # Panics
    ///
    /// If `width` is not in 1..=128 or `value` needs more bits.
    pub fn bits(&mut self, value: u128, width: u32) -> Term {
        assert!((1..=128).contains(&width), "bit vectors have 1 to 128 bits");
        assert!(width == 128 || value >> width == 0, "the value fits its width");
        self.intern(Node::Bits { value, width })
    }

    /// True if and only if `term` is false.
    pub fn not(&mut self, term: Term) -> Term {
        match *self.node(term) {
            Node::Bool(value) => self.bool(!value),
            Node::Not(inner) => inner,
            _ => {
                assert_eq!(self.sort(term), Sort::Bool, "`not` takes a truth value");
                self.intern(Node::Not(term))
            }
        }
    }

    /// True if and only if all `terms` are.
    pub fn and(&mut self, terms: impl IntoIterator<Item = Term>) -> Term {
        self.nary(terms, true)
    }

    /// True if and only if one of `terms` is.
    pub fn or(&mut self, terms: impl IntoIterator<Item = Term>) -> Term {
        self.nary(terms, false)
    }

    /// True if and only if `premise` is false or `conclusion` is true.
    pub fn implies(&mut self, premise: Term, conclusion: Term) -> Term {
        let not = self.not(premise);
        self.or([not, conclusion])
    }

    /// True if and only if both are true or both are false.
    pub fn iff(&mut self, a: Term, b: Term) -> Term {
        let there = self.implies(a, b);
        let back = self.implies(b, a);
        self.and([there, back])
    }

    /// True if and only if two strings or two bit vectors are equal.
    ///
    /// # Panics
    ///
    /// If the sorts differ or are Boolean; for those there is [`Terms::iff`].
    pub fn eq(&mut self, a: Term, b: Term) -> Term {
        assert_eq!(self.sort(a), self.sort(b), "equality takes two terms of one sort");
        assert_ne!(self.sort(a), Sort::Bool, "equality of truth values is `iff`");
        if a == b {
            return self.bool(true);
        }
        match (self.is_constant(a), self.is_constant(b)) {
            // Different constants, because equal ones are the same term.
            (true, true) => self.bool(false),
            (true, false) => self.intern(Node::Eq(b, a)),
            (false, true) => self.intern(Node::Eq(a, b)),
            (false, false) => self.intern(Node::Eq(a.min(b), a.max(b))),
        }
    }

    /// True if and only if the string `term` is in the language of `regex`.
    pub fn in_re(&mut self, term: Term, regex: Regex) -> Term {
        assert_eq!(self.sort(term), Sort::String, "membership takes a string");
        if let Node::String(text) = self.node(term) {
            let matches = regex.matches(text);
            return self.bool(matches);
        }
        match regex {
            Regex::All => self.bool(true),
            Regex::Literal(literal) => {
                let literal = self.string(&literal);
                self.eq(term, literal)
            }
            Regex::Union(parts) if parts.is_empty() => self.bool(false),
            regex => self.intern(Node::InRe(term, Arc::new(regex))),
        }
    }

    /// True if and only if the `length` most significant bits of `bits` are the number `prefix`.
    ///
    /// # Panics
    ///
    /// If `length` exceeds the width of `bits` or `prefix` needs more than `length` bits.
    pub fn has_prefix(&mut self, bits: Term, prefix: u128, length: u32) -> Term {
        let Sort::Bits(width) = self.sort(bits) else { panic!("a prefix is of a bit vector") };
        assert!(length <= width, "the prefix is no longer than the whole");
        assert!(length == 128 || prefix >> length == 0, "the prefix fits its length");
        if length == 0 {
            self.bool(true)
        } else if length == width {
            let whole = self.bits(prefix, width);
            self.eq(bits, whole)
        } else if let Node::Bits { value, .. } = *self.node(bits) {
            self.bool(value >> (width - length) == prefix)
        } else {
            self.intern(Node::HasPrefix { bits, prefix, length })
        }
    }

    /// Whether `term` is a constant.
    pub fn is_constant(&self, term: Term) -> bool {
        matches!(self.node(term), Node::Bool(_) | Node::String(_) | Node::Bits { .. })
    }

    /// The truth value that `term` is, if it is one.
    pub fn as_bool(&self, term: Term) -> Option<bool> {
        match self.node(term) {
            Node::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// Conjunction (`unit` true) or disjunction (`unit` false): flattened, sorted, without
    /// repetitions; the other constant, or a term beside its negation, absorbs everything.
    fn nary(&mut self, terms: impl IntoIterator<Item = Term>, unit: bool) -> Term {
        let mut children = Vec::new();
        for term in terms {
            assert_eq!(self.sort(term), Sort::Bool, "a connective takes truth values");
            match (self.node(term), unit) {
                (Node::Bool(value), _) if *value == unit => {}
                (Node::Bool(_), _) => return self.bool(!unit),
                (Node::And(inner), true) | (Node::Or(inner), false) => {
                    children.extend_from_slice(inner);
                }
                _ => children.push(term),
            }
        }
        children.sort_unstable();
        children.dedup();
        let negated = |term: &Term| match self.node(*term) {
            Node::Not(inner) => children.binary_search(inner).is_ok(),
            _ => false,
        };
        if children.iter().any(negated) {
            return self.bool(!unit);
        }
        match children[..] {
            [] => self.bool(unit),
            [only] => only,
            _ if unit => self.intern(Node::And(children.into())),
            _ => self.intern(Node::Or(children.into())),
        }
    }

    /// How far the arena is filled, to come back to with [`Terms::cut`].
    pub(crate) fn mark(&self) -> Mark {
        Mark { n_nodes: self.nodes.len(), n_variables: self.variables.len() }
    }

    /// Forgets the terms and variables made since `mark`. The arena is as it was then.
    pub(crate) fn cut(&mut self, mark: Mark) {
        self.nodes.truncate(mark.n_nodes);
        self.variables.truncate(mark.n_variables);
    }

    /// The terms that occur in `roots`, in the order of the arena: children before their parents.
    pub(crate) fn reachable(&self, roots: impl Iterator<Item = Term>) -> Vec<Term> {
        let mut seen: TermMap<()> = TermMap::default();
        let mut reached = Vec::new();
        let mut stack: Vec<Term> = roots.collect();
        while let Some(term) = stack.pop() {
            if seen.insert(term, ()).is_none() {
                reached.push(term);
                self.node(term).for_each_child(|child| stack.push(child));
            }
        }
        reached.sort_unstable();
        reached
    }

    pub(crate) fn intern(&mut self, node: Node) -> Term {
        let (index, _) = self.nodes.insert_full(node);
        Term(u32::try_from(index).expect("fewer than 2^32 terms"))
    }
}

/// How far an arena was filled.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark {
    n_nodes: usize,
    n_variables: usize,
}

/// A conjunction of labelled assertions, with the arena that holds them.
///
/// Immutable once built, as far as solvers are concerned, so racing threads share it by reference.
#[derive(Clone, Debug, Default)]
pub struct Formula {
    /// The arena of the assertions.
    pub terms: Terms,
    assertions: Vec<(String, Term)>,
}

impl Formula {
    /// The formula without assertions, which every assignment satisfies.
    pub fn new(terms: Terms) -> Formula {
        Formula { terms, assertions: Vec::new() }
    }

    /// The formula of these assertions of `terms`, in an arena that has only what occurs in them.
    /// Terms and variables keep their order.
    pub(crate) fn extracted(terms: &Terms, assertions: Vec<(String, Term)>) -> Formula {
        let reached = terms.reachable(assertions.iter().map(|(_, term)| *term));
        let mut used: Vec<u32> = Vec::new();
        for &term in &reached {
            if let Node::Var(index) = terms.node(term) {
                used.push(*index);
            }
        }
        used.sort_unstable();
        let mut extract = Terms::new();
        let mut renumbered: TermMap<Term> = TermMap::default();
        for &index in &used {
            let (name, sort) = terms.variable(index);
            extract.variables.insert(name.to_owned(), sort);
        }
        for &term in &reached {
            let node = match terms.node(term) {
                Node::Var(index) => {
                    let position = used.partition_point(|other| other < index);
                    Node::Var(u32::try_from(position).expect("no more variables than before"))
                }
                node => node.with_children(|child| renumbered[&child]),
            };
            renumbered.insert(term, extract.intern(node));
        }
        let assertions =
            assertions.into_iter().map(|(label, term)| (label, renumbered[&term])).collect();
        Formula { terms: extract, assertions }
    }

    /// Adds an assertion. The label is for people: it becomes a comment of the script.
    pub fn assert(&mut self, label: impl Into<String>, term: Term) {
        assert_eq!(self.terms.sort(term), Sort::Bool, "an assertion is a truth value");
        self.assertions.push((label.into(), term));
    }

    /// Drops the assertions that are not wanted. Each is asked about once, in order.
    pub(crate) fn retain(&mut self, is_wanted: impl FnMut(&(String, Term)) -> bool) {
        self.assertions.retain(is_wanted);
    }

    /// The assertions in the order they were added.
    pub fn assertions(&self) -> &[(String, Term)] {
        &self.assertions
    }

    /// The variables that occur in an assertion, in the order of the arena.
    pub fn variables(&self) -> Vec<(&str, Sort)> {
        let mut used = vec![false; self.terms.variables.len()];
        self.visit(|_, node| {
            if let Node::Var(index) = node {
                used[*index as usize] = true;
            }
        });
        self.terms.variables().zip(used).filter(|(_, used)| *used).map(|(var, _)| var).collect()
    }

    /// Calls `visit` once on every term that occurs in an assertion, children first.
    pub fn visit(&self, mut visit: impl FnMut(Term, &Node)) {
        // Children have smaller indices: one sweep down marks, one sweep up visits.
        let mut needed = vec![false; self.terms.nodes.len()];
        for (_, term) in &self.assertions {
            needed[term.0 as usize] = true;
        }
        for index in (0..needed.len()).rev() {
            if needed[index] {
                self.terms.nodes[index].for_each_child(|child| needed[child.0 as usize] = true);
            }
        }
        for (index, node) in self.terms.nodes.iter().enumerate() {
            if needed[index] {
                visit(Term(index as u32), node);
            }
        }
    }
}

impl Node {
    /// The same node with other children. Their order among themselves is that of the old ones.
    fn with_children(&self, new: impl Fn(Term) -> Term) -> Node {
        match self {
            Node::Bool(_) | Node::String(_) | Node::Bits { .. } | Node::Var(_) => self.clone(),
            Node::Not(inner) => Node::Not(new(*inner)),
            Node::And(children) => Node::And(children.iter().map(|&child| new(child)).collect()),
            Node::Or(children) => Node::Or(children.iter().map(|&child| new(child)).collect()),
            Node::Eq(a, b) => Node::Eq(new(*a), new(*b)),
            Node::InRe(string, regex) => Node::InRe(new(*string), Arc::clone(regex)),
            Node::Matches(string, pieces) => {
                let piece = |piece: &Piece| match piece {
                    Piece::Value(value) => Piece::Value(new(*value)),
                    _ => piece.clone(),
                };
                Node::Matches(new(*string), pieces.iter().map(piece).collect())
            }
            Node::HasPrefix { bits, prefix, length } => {
                Node::HasPrefix { bits: new(*bits), prefix: *prefix, length: *length }
            }
        }
    }

    /// Calls `visit` on each direct child.
    pub fn for_each_child(&self, mut visit: impl FnMut(Term)) {
        match self {
            Node::Bool(_) | Node::String(_) | Node::Bits { .. } | Node::Var(_) => {}
            Node::Not(inner) | Node::InRe(inner, _) | Node::HasPrefix { bits: inner, .. } => {
                visit(*inner);
            }
            Node::Eq(a, b) => {
                visit(*a);
                visit(*b);
            }
            Node::Matches(string, pieces) => {
                visit(*string);
                for piece in pieces {
                    if let Piece::Value(value) = piece {
                        visit(*value);
                    }
                }
            }
            Node::And(children) | Node::Or(children) => children.iter().copied().for_each(visit),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_terms_have_equal_indices() {
        let mut t = Terms::new();
        let (a, b) = (t.var("a", Sort::Bool), t.var("b", Sort::Bool));
        let left = t.and([a, b]);
        let right = t.and([b, a, b]);
        assert_eq!(left, right);
    }

    #[test]
    fn constants_and_complements_absorb() {
        let mut t = Terms::new();
        let (yes, no) = (t.bool(true), t.bool(false));
        let a = t.var("a", Sort::Bool);
        let not_a = t.not(a);
        assert_eq!(t.and([a, not_a]), no);
        assert_eq!(t.or([a, not_a]), yes);
        assert_eq!(t.and([a, yes]), a);
        assert_eq!(t.and([a, no]), no);
        assert_eq!(t.and([]), yes);
        assert_eq!(t.or([]), no);
        assert_eq!(t.not(not_a), a);
    }

    #[test]
    fn tests_of_constants_are_decided() {
        let mut t = Terms::new();
        let (yes, no) = (t.bool(true), t.bool(false));
        let (x, y) = (t.string("x"), t.string("y"));
        assert_eq!(t.eq(x, y), no);
        assert_eq!(t.eq(x, x), yes);
        assert_eq!(t.in_re(x, Regex::AnyChar), yes);
        let bits = t.bits(0b1010, 4);
        assert_eq!(t.has_prefix(bits, 0b10, 2), yes);
        assert_eq!(t.has_prefix(bits, 0b11, 2), no);
    }

    #[test]
    #[should_panic(expected = "two sorts")]
    fn a_variable_has_one_sort() {
        let mut t = Terms::new();
        t.var("a", Sort::Bool);
        t.var("a", Sort::String);
    }
}
