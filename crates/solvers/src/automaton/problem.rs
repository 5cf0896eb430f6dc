//! A formula as clauses over literals, for the search.
//!
//! Conjunctions become gates: a gate literal and the clauses that tie it to its children, only in
//! the directions in which the formula uses it (Plaisted and Greenbaum 1986). A disjunction is the
//! negation of a gate over the negated children. What is conjunctive or disjunctive at the top
//! needs no gate, and that is most of what we are asked.
//!
//! The walk has a stack of its own and touches only the terms of the formula, because the arena
//! may hold a hundred times as many.

use std::ops::Not;

use keyaki_logic::term::{Node, TermMap};
use keyaki_logic::{Formula, Piece, Regex, Sort, Term, Terms};

/// The depth of a formula in terms. The check of a model recurses as deep; what the encoder writes
/// has a depth of about twelve.
const MAX_DEPTH: u32 = 400;

/// A variable of the search: an atom or a gate.
pub(super) type Var = u32;

/// A variable, or its negation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Lit(u32);

impl Lit {
    pub(super) fn new(var: Var, positive: bool) -> Lit {
        Lit(var << 1 | u32::from(!positive))
    }

    pub(super) fn var(self) -> Var {
        self.0 >> 1
    }

    pub(super) fn is_positive(self) -> bool {
        self.0 & 1 == 0
    }

    /// A number below twice the number of variables.
    pub(super) fn index(self) -> usize {
        self.0 as usize
    }
}

impl Not for Lit {
    type Output = Lit;

    fn not(self) -> Lit {
        Lit(self.0 ^ 1)
    }
}

/// What a variable of the search says.
#[derive(Clone, Copy, Debug)]
pub(super) enum Atom<'f> {
    /// That all children of this gate are true.
    Gate(u32),
    /// The truth variable of the formula with this index.
    Bool(u32),
    /// That a string is this text.
    Is(StringVar, &'f str),
    /// That a string is in a language.
    In(StringVar, &'f Regex),
    /// That two strings are equal.
    Same(StringVar, StringVar),
    /// That the template with this index holds.
    Matches(u32),
    /// That the first `length` bits of a bit vector are `prefix`; all of them, if it is as long as
    /// the vector is wide.
    Prefix {
        /// The bit vector.
        bits: BitsVar,
        /// The number.
        prefix: u128,
        /// The number of bits, from 1 to the width.
        length: u32,
    },
    /// That two bit vectors are equal.
    SameBits(BitsVar, BitsVar),
}

/// That a string matches a pattern with variables.
#[derive(Clone, Debug)]
pub(super) struct Template<'f> {
    pub(super) string: Text<'f>,
    pub(super) pieces: &'f [Piece],
    /// The variables of the pieces that have one, in order.
    pub(super) values: Vec<StringVar>,
}

/// A string variable or constant.
#[derive(Clone, Copy, Debug)]
pub(super) enum Text<'f> {
    Var(StringVar),
    Const(&'f str),
}

/// Index of a string variable of the problem.
pub(super) type StringVar = u32;

/// Index of a bit vector variable of the problem.
pub(super) type BitsVar = u32;

/// A variable of the formula, and the atoms that are about it.
#[derive(Clone, Debug)]
pub(super) struct Subject<'f> {
    pub(super) name: &'f str,
    /// Its width, for a bit vector.
    pub(super) width: u32,
    pub(super) atoms: Vec<Var>,
}

/// A formula as clauses: satisfiable if and only if some assignment to the variables makes every
/// clause true and some values of the subjects agree with it on every atom.
#[derive(Debug, Default)]
pub(super) struct Problem<'f> {
    /// By variable.
    pub(super) atoms: Vec<Atom<'f>>,
    /// By variable: the term that it stands for, and the truth of that if the variable is true.
    pub(super) terms: Vec<(Term, bool)>,
    pub(super) strings: Vec<Subject<'f>>,
    pub(super) bits: Vec<Subject<'f>>,
    pub(super) templates: Vec<Template<'f>>,
    /// Children of gates.
    pub(super) gates: Vec<Vec<Lit>>,
    /// The clauses that the formula asserts.
    pub(super) roots: Vec<Vec<Lit>>,
    /// For each of them, the index of the assertion that it is a part of.
    pub(super) asserted: Vec<u32>,
    /// The clauses that define gates.
    pub(super) definitions: Vec<Vec<Lit>>,
    /// Variables whose value is better true if nothing else is known: gates of which only the
    /// falsehood has consequences.
    pub(super) prefers_true: Vec<bool>,
}

/// Why a formula is not a problem for this solver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooDeep;

/// Truth values that a term may have to have.
const TRUE: u8 = 1;
const FALSE: u8 = 2;

impl<'f> Problem<'f> {
    pub(super) fn new(formula: &'f Formula) -> Result<Problem<'f>, TooDeep> {
        let terms = &formula.terms;
        let mut builder = Builder { terms, problem: Problem::default(), known: TermMap::default() };
        let mut clauses = Vec::new();
        for (index, &(_, term)) in formula.assertions().iter().enumerate() {
            builder.open(term, &mut clauses);
            builder.problem.asserted.resize(clauses.len(), index as u32);
        }
        // Needed truth values of gates, from the asserted clauses down.
        let mut order = Vec::new();
        for clause in &clauses {
            for &(term, _) in clause {
                builder.number(term, &mut order)?;
            }
        }
        for clause in clauses {
            let clause = clause.into_iter().map(|(term, truth)| builder.literal(term, truth));
            let clause = clause.collect();
            builder.problem.roots.push(clause);
        }
        Ok(builder.finish())
    }
}

struct Builder<'f> {
    terms: &'f Terms,
    problem: Problem<'f>,
    known: TermMap<Known>,
}

/// What a term has become, and its depth.
#[derive(Clone, Copy)]
struct Known {
    lit: Lit,
    depth: u32,
}

impl<'f> Builder<'f> {
    /// Takes an asserted term apart into clauses of terms with the truth that they should have.
    /// The arena flattens conjunctions and disjunctions, so the stack stays small.
    fn open(&self, term: Term, clauses: &mut Vec<Vec<(Term, bool)>>) {
        let mut stack = vec![(term, true)];
        while let Some((term, truth)) = stack.pop() {
            match (self.terms.node(term), truth) {
                (Node::Bool(value), _) if *value == truth => {}
                (Node::Bool(_), _) => clauses.push(Vec::new()),
                (Node::Not(inner), _) => stack.push((*inner, !truth)),
                (Node::And(children), true) | (Node::Or(children), false) => {
                    stack.extend(children.iter().rev().map(|&child| (child, truth)));
                }
                (Node::And(children), false) | (Node::Or(children), true) => {
                    clauses.push(children.iter().map(|&child| (child, truth)).collect());
                }
                _ => clauses.push(vec![(term, truth)]),
            }
        }
    }

    /// Gives the term and everything under it literals, children first.
    fn number(&mut self, term: Term, stack: &mut Vec<Term>) -> Result<(), TooDeep> {
        stack.push(term);
        while let Some(&term) = stack.last() {
            if self.known.contains_key(&term) {
                stack.pop();
                continue;
            }
            let before = stack.len();
            let mut depth = 0;
            match self.terms.node(term) {
                Node::Not(inner) => depth = self.wait_for(std::slice::from_ref(inner), stack),
                Node::And(children) | Node::Or(children) => depth = self.wait_for(children, stack),
                _ => {}
            }
            if stack.len() > before {
                continue;
            }
            stack.pop();
            if depth > MAX_DEPTH {
                return Err(TooDeep);
            }
            let lit = self.new_literal(term);
            self.known.insert(term, Known { lit, depth: depth + 1 });
        }
        Ok(())
    }

    /// Pushes the children that have no literal yet; the depth of those that have.
    fn wait_for(&self, children: &[Term], stack: &mut Vec<Term>) -> u32 {
        let mut depth = 0;
        for &child in children {
            match self.known.get(&child) {
                Some(known) => depth = depth.max(known.depth),
                None => stack.push(child),
            }
        }
        depth
    }

    fn literal(&self, term: Term, truth: bool) -> Lit {
        let lit = self.known[&term].lit;
        if truth { lit } else { !lit }
    }

    fn new_literal(&mut self, term: Term) -> Lit {
        let lit = match self.terms.node(term) {
            Node::Not(inner) => return self.literal(*inner, false),
            Node::And(children) => self.gate(children, true),
            Node::Or(children) => !self.gate(children, false),
            _ => {
                let atom = self.atom(term);
                self.atom_literal(atom)
            }
        };
        self.problem.terms.push((term, lit.is_positive()));
        lit
    }

    /// A literal that is true if and only if all children are `truth`.
    fn gate(&mut self, children: &[Term], truth: bool) -> Lit {
        let children = children.iter().map(|&child| self.literal(child, truth)).collect();
        self.problem.gates.push(children);
        let gate = u32::try_from(self.problem.gates.len() - 1).expect("fewer gates than terms");
        self.atom_literal(Atom::Gate(gate))
    }

    fn atom_literal(&mut self, atom: Atom<'f>) -> Lit {
        let var = Var::try_from(self.problem.atoms.len()).expect("fewer variables than terms");
        let problem = &mut self.problem;
        match atom {
            Atom::Gate(_) | Atom::Bool(_) => {}
            Atom::Is(string, _) | Atom::In(string, _) => {
                problem.strings[string as usize].atoms.push(var);
            }
            Atom::Matches(template) => {
                let Text::Var(string) = problem.templates[template as usize].string else {
                    problem.atoms.push(atom);
                    return Lit::new(var, true);
                };
                problem.strings[string as usize].atoms.push(var);
            }
            Atom::Same(a, b) => {
                problem.strings[a as usize].atoms.push(var);
                problem.strings[b as usize].atoms.push(var);
            }
            Atom::Prefix { bits, .. } => problem.bits[bits as usize].atoms.push(var),
            Atom::SameBits(a, b) => {
                problem.bits[a as usize].atoms.push(var);
                problem.bits[b as usize].atoms.push(var);
            }
        }
        problem.atoms.push(atom);
        Lit::new(var, true)
    }

    fn atom(&mut self, term: Term) -> Atom<'f> {
        let terms = self.terms;
        match terms.node(term) {
            Node::Var(index) => Atom::Bool(*index),
            Node::InRe(string, regex) => Atom::In(self.subject(*string), regex),
            Node::Matches(string, pieces) => Atom::Matches(self.template(*string, pieces)),
            Node::HasPrefix { bits, prefix, length } => {
                Atom::Prefix { bits: self.subject(*bits), prefix: *prefix, length: *length }
            }
            Node::Eq(a, b) => match terms.node(*b) {
                Node::String(text) => Atom::Is(self.subject(*a), text),
                Node::Bits { value, width } => {
                    Atom::Prefix { bits: self.subject(*a), prefix: *value, length: *width }
                }
                _ if terms.sort(*a) == Sort::String => {
                    Atom::Same(self.subject(*a), self.subject(*b))
                }
                _ => Atom::SameBits(self.subject(*a), self.subject(*b)),
            },
            node => unreachable!("the arena makes no truth value of {node:?}"),
        }
    }

    fn template(&mut self, string: Term, pieces: &'f [Piece]) -> u32 {
        let string = match self.terms.node(string) {
            Node::String(text) => Text::Const(text),
            _ => Text::Var(self.subject(string)),
        };
        let mut values = Vec::new();
        for piece in pieces {
            if let Piece::Value(value) = piece {
                values.push(self.subject(*value));
            }
        }
        self.problem.templates.push(Template { string, pieces, values });
        u32::try_from(self.problem.templates.len() - 1).expect("fewer templates than terms")
    }

    /// The index of a variable among the subjects of its sort.
    fn subject(&mut self, variable: Term) -> u32 {
        if let Some(known) = self.known.get(&variable) {
            return known.lit.0;
        }
        let Node::Var(index) = self.terms.node(variable) else {
            unreachable!("the arena decides tests of constants")
        };
        let (name, sort) = self.terms.variable(*index);
        let (subjects, width) = match sort {
            Sort::Bits(width) => (&mut self.problem.bits, width),
            _ => (&mut self.problem.strings, 0),
        };
        let subject = u32::try_from(subjects.len()).expect("fewer subjects than terms");
        subjects.push(Subject { name, width, atoms: Vec::new() });
        // A variable that is no truth value has no literal, so its place holds the subject.
        self.known.insert(variable, Known { lit: Lit(subject), depth: 0 });
        subject
    }

    fn finish(mut self) -> Problem<'f> {
        let mut needed = vec![0u8; self.problem.atoms.len()];
        for lit in self.problem.roots.iter().flatten() {
            needed[lit.var() as usize] |= if lit.is_positive() { TRUE } else { FALSE };
        }
        // Children have smaller numbers than their gate.
        for var in (0..self.problem.atoms.len()).rev() {
            let Atom::Gate(gate) = self.problem.atoms[var] else { continue };
            let children = &self.problem.gates[gate as usize];
            let me = Lit::new(var as Var, true);
            for &child in children {
                let (same, opposite) =
                    if child.is_positive() { (TRUE, FALSE) } else { (FALSE, TRUE) };
                let mut child_needed = 0;
                if needed[var] & TRUE != 0 {
                    child_needed |= same;
                }
                if needed[var] & FALSE != 0 {
                    child_needed |= opposite;
                }
                needed[child.var() as usize] |= child_needed;
            }
            if needed[var] & TRUE != 0 {
                self.problem.definitions.extend(children.iter().map(|&child| vec![!me, child]));
            }
            if needed[var] & FALSE != 0 {
                let some = children.iter().map(|&child| !child).chain([me]).collect();
                self.problem.definitions.push(some);
            }
        }
        let is_gate = |var: usize| matches!(self.problem.atoms[var], Atom::Gate(_));
        self.problem.prefers_true =
            (0..needed.len()).map(|var| is_gate(var) && needed[var] == FALSE).collect();
        self.problem
    }
}
