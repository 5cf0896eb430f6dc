//! A formula as bytes that are the same whenever the formula is.
//!
//! Two formulas with the same bytes have the same assertions over the same variables, so they have the same models: terms are numbered in the
//! order in which they are first reached, not as their arena happened to number them, and labels, which are for people, are left out. The converse is not
//! promised: the order of assertions and of the members of a conjunction counts, so formulas that mean the same may have different bytes. Whoever
//! looks something up by them misses it then, and is not misled.
//!
//! The text of SMT-LIB would do as well and takes several times as long to write.

use crate::regex::Regex;
use crate::template::Piece;
use crate::term::{Formula, Node, Sort, Term, TermMap, Terms};

/// The bytes.
pub fn bytes(formula: &Formula) -> Vec<u8> {
    let mut writer = Writer { out: Vec::with_capacity(4096), numbers: TermMap::default() };
    let variables = formula.variables();
    writer.number(variables.len());
    for (name, sort) in variables {
        writer.text(name);
        writer.sort(sort);
    }
    writer.number(formula.assertions().len());
    for (_, term) in formula.assertions() {
        writer.term(&formula.terms, *term);
    }
    writer.out
}

struct Writer {
    out: Vec<u8>,
    /// The terms that have been written.
    numbers: TermMap<usize>,
}

impl Writer {
    fn byte(&mut self, byte: u8) {
        self.out.push(byte);
    }

    fn number(&mut self, number: usize) {
        self.out.extend_from_slice(&(number as u64).to_le_bytes());
    }

    /// With its length before it, so that no two texts in a row can be taken for two others.
    fn text(&mut self, text: &str) {
        self.number(text.len());
        self.out.extend_from_slice(text.as_bytes());
    }

    fn wide(&mut self, number: u128) {
        self.out.extend_from_slice(&number.to_le_bytes());
    }

    fn sort(&mut self, sort: Sort) {
        match sort {
            Sort::Bool => self.byte(0),
            Sort::String => self.byte(1),
            Sort::Bits(width) => {
                self.byte(2);
                self.number(width as usize);
            }
        }
    }

    /// A term after all that it is made of, each once, and then its number. Terms are as deep as formulas are, so the stack is one of ours.
    fn term(&mut self, terms: &Terms, root: Term) {
        let mut stack = vec![(root, false)];
        while let Some((term, has_children)) = stack.pop() {
            if self.numbers.contains_key(&term) {
                continue;
            }
            if has_children {
                self.node(terms, term);
                let number = self.numbers.len();
                self.numbers.insert(term, number);
                continue;
            }
            stack.push((term, true));
            let from = stack.len();
            terms.node(term).for_each_child(|child| stack.push((child, false)));
            // The first child is written first.
            stack[from..].reverse();
        }
        let number = self.numbers[&root];
        self.byte(0xff);
        self.number(number);
    }

    fn node(&mut self, terms: &Terms, term: Term) {
        match terms.node(term) {
            Node::Bool(value) => {
                self.byte(0);
                self.byte(u8::from(*value));
            }
            Node::String(text) => {
                self.byte(1);
                self.text(text);
            }
            Node::Bits { value, width } => {
                self.byte(2);
                self.wide(*value);
                self.number(*width as usize);
            }
            Node::Var(index) => {
                self.byte(3);
                self.text(terms.variable(*index).0);
            }
            Node::Not(inner) => {
                self.byte(4);
                self.child(*inner);
            }
            Node::And(children) => self.children(5, children),
            Node::Or(children) => self.children(6, children),
            Node::Eq(a, b) => {
                self.byte(7);
                self.child(*a);
                self.child(*b);
            }
            Node::InRe(string, regex) => {
                self.byte(8);
                self.child(*string);
                self.regex(regex);
            }
            Node::Matches(string, pieces) => {
                self.byte(9);
                self.child(*string);
                self.number(pieces.len());
                for piece in pieces {
                    match piece {
                        Piece::Text(text) => {
                            self.byte(0);
                            self.text(text);
                        }
                        Piece::AnyChar => self.byte(1),
                        Piece::Any => self.byte(2),
                        Piece::Value(value) => {
                            self.byte(3);
                            self.child(*value);
                        }
                    }
                }
            }
            Node::HasPrefix { bits, prefix, length } => {
                self.byte(10);
                self.child(*bits);
                self.wide(*prefix);
                self.number(*length as usize);
            }
        }
    }

    fn children(&mut self, tag: u8, children: &[Term]) {
        self.byte(tag);
        self.number(children.len());
        for child in children {
            self.child(*child);
        }
    }

    fn child(&mut self, child: Term) {
        let number = self.numbers[&child];
        self.number(number);
    }

    /// Regular expressions are at most [`crate::regex::MAX_DEPTH`] deep where everybody recurses over them.
    fn regex(&mut self, regex: &Regex) {
        match regex {
            Regex::Literal(text) => {
                self.byte(0);
                self.text(text);
            }
            Regex::AnyChar => self.byte(1),
            Regex::All => self.byte(2),
            Regex::Chars(ranges) => {
                self.byte(3);
                self.number(ranges.len());
                for (from, to) in ranges {
                    self.number(*from as usize);
                    self.number(*to as usize);
                }
            }
            Regex::NotChar(character) => {
                self.byte(4);
                self.number(*character as usize);
            }
            Regex::Concat(parts) => self.parts(5, parts),
            Regex::Union(parts) => self.parts(6, parts),
            Regex::Star(inner) => {
                self.byte(7);
                self.regex(inner);
            }
            Regex::Repeat(inner, times) => {
                self.byte(8);
                self.number(*times as usize);
                self.regex(inner);
            }
            Regex::Loop(inner, least, most) => {
                self.byte(9);
                self.number(*least as usize);
                // One more than any number there is, for no limit.
                self.number(most.map_or(1 << 32, |most| most as usize));
                self.regex(inner);
            }
            Regex::Intersection(parts) => self.parts(10, parts),
            Regex::Complement(inner) => {
                self.byte(11);
                self.regex(inner);
            }
        }
    }

    fn parts(&mut self, tag: u8, parts: &[Regex]) {
        self.byte(tag);
        self.number(parts.len());
        for part in parts {
            self.regex(part);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn formula(make: impl Fn(&mut Terms) -> Vec<Term>) -> Vec<u8> {
        let mut terms = Terms::new();
        let assertions = make(&mut terms);
        let mut formula = Formula::new(terms);
        assertions.into_iter().for_each(|term| formula.assert("a label", term));
        bytes(&formula)
    }

    fn prefixed(terms: &mut Terms, variable: &str, text: &str) -> Term {
        let string = terms.var(variable, Sort::String);
        terms.in_re(string, Regex::Concat(vec![Regex::Literal(text.to_owned()), Regex::All]))
    }

    #[test]
    fn what_the_arena_has_besides_does_not_matter() {
        let plain = formula(|terms| vec![prefixed(terms, "x", "a")]);
        let beside = formula(|terms| {
            terms.string("unused");
            vec![prefixed(terms, "x", "a")]
        });
        assert_eq!(plain, beside);
    }

    #[test]
    fn different_formulas_have_different_bytes() {
        let all = [
            formula(|_| vec![]),
            formula(|terms| vec![prefixed(terms, "x", "a")]),
            formula(|terms| vec![prefixed(terms, "x", "b")]),
            formula(|terms| vec![prefixed(terms, "y", "a")]),
            formula(|terms| {
                let inner = prefixed(terms, "x", "a");
                vec![terms.not(inner)]
            }),
            formula(|terms| vec![prefixed(terms, "x", "a"), prefixed(terms, "y", "a")]),
            formula(|terms| {
                let (x, y) = (prefixed(terms, "x", "a"), prefixed(terms, "y", "a"));
                vec![terms.or([x, y])]
            }),
            formula(|terms| {
                let (x, y) = (prefixed(terms, "x", "a"), prefixed(terms, "y", "a"));
                vec![terms.and([x, y])]
            }),
            formula(|terms| vec![terms.var("x", Sort::Bool)]),
            formula(|terms| {
                let bits = terms.var("x", Sort::Bits(8));
                vec![terms.has_prefix(bits, 1, 4)]
            }),
            formula(|terms| {
                let bits = terms.var("x", Sort::Bits(9));
                vec![terms.has_prefix(bits, 1, 4)]
            }),
        ];
        for (number, one) in all.iter().enumerate() {
            assert!(!all[..number].contains(one), "{number}");
        }
    }
}
