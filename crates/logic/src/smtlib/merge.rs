//! What is said about one variable side by side, said as one membership.
//!
//! z3 unfolds each membership of a string by itself, character by character, and memberships of one string
//! do not see each other; said as one, with intersections, unions and complements of expressions, they are
//! one derivation. The inclusion reasoning of cvc4 and cvc5 is lost by it. So it is a choice
//! ([`Encoding`](super::Encoding)), to be made for each solver.
//!
//! Only neighbours are merged, the children of one conjunction or disjunction, and nothing is distributed over
//! anything: the text grows by no more than what is written twice because it occurs twice, and
//! not beyond [`MERGED_BYTES_MAX`].

use std::collections::HashMap;
use std::fmt::Write as _;
use std::rc::Rc;

use super::{Writer, string};
use crate::term::{Formula, Node, Term, Terms};

/// How long the text of one expression may become, in bytes. What would be longer is not merged.
const MERGED_BYTES_MAX: usize = 1 << 20;

/// A term that says that a string variable is in a language: the variable, and the expression.
type Language = Option<(Term, Rc<str>)>;

/// The languages of the terms that have been looked at.
#[derive(Default)]
pub(super) struct Languages(HashMap<Term, Language>);

impl Writer<'_> {
    /// Writes the assertions with everything merged that stands side by side at the top.
    pub(super) fn merged_assertions(&mut self, formula: &Formula) -> Result<(), String> {
        let mut conjuncts = Vec::new();
        for (_, term) in formula.assertions() {
            match self.terms.node(*term) {
                Node::And(children) => conjuncts.extend_from_slice(children),
                _ => conjuncts.push(*term),
            }
        }
        for part in self.parts(&conjuncts, true) {
            self.out.push_str("(assert ");
            self.part(&part)?;
            self.out.push_str(")\n");
        }
        Ok(())
    }

    /// Writes a conjunction or a disjunction with its neighbours merged.
    pub(super) fn merged_list(&mut self, is_and: bool, children: &[Term]) -> Result<(), String> {
        let parts = self.parts(children, is_and);
        if let [only] = &parts[..] {
            return self.part(only);
        }
        self.out.push_str(if is_and { "(and" } else { "(or" });
        for part in parts {
            self.out.push(' ');
            self.part(&part)?;
        }
        self.out.push(')');
        Ok(())
    }

    /// Whether `term` is written as a language wherever it stands.
    pub(super) fn has_language(&mut self, term: Term) -> bool {
        self.language(term).is_some()
    }

    fn part(&mut self, part: &Part) -> Result<(), String> {
        match part {
            Part::Term(term) => self.term(*term),
            Part::Member(variable, expression) => {
                self.out.push_str("(str.in_re ");
                self.term(*variable)?;
                write!(self.out, " {expression})").expect("strings accept writes");
                Ok(())
            }
        }
    }

    /// `terms` side by side, in the order in which their variables first occur.
    fn parts(&mut self, terms: &[Term], is_and: bool) -> Vec<Part> {
        let mut groups: Vec<Group> = Vec::new();
        let mut places: HashMap<Term, usize> = HashMap::new();
        for &term in terms {
            let Some((variable, expression)) = self.language(term) else {
                groups.push(Group { first: term, member: None });
                continue;
            };
            let place = *places.entry(variable).or_insert(groups.len());
            if place == groups.len() {
                groups.push(Group { first: term, member: Some((variable, Vec::new())) });
            }
            if let Some((_, expressions)) = &mut groups[place].member {
                expressions.push(expression);
            }
        }
        groups.into_iter().map(|group| self.joined(group, is_and)).collect()
    }

    fn joined(&self, group: Group, is_and: bool) -> Part {
        let head = if is_and { "re.inter" } else { "re.union" };
        match group.member {
            None => Part::Term(group.first),
            Some((variable, expressions)) => match &expressions[..] {
                [_] if is_equality(self.terms, group.first) => Part::Term(group.first),
                [only] => Part::Member(variable, Rc::clone(only)),
                _ => Part::Member(variable, list(head, expressions.iter())),
            },
        }
    }

    fn language(&mut self, term: Term) -> Language {
        if let Some(known) = self.languages.0.get(&term) {
            return known.clone();
        }
        let language = self.new_language(term).filter(|(_, text)| text.len() <= MERGED_BYTES_MAX);
        self.languages.0.insert(term, language.clone());
        language
    }

    fn new_language(&mut self, term: Term) -> Language {
        let terms = self.terms;
        match terms.node(term) {
            Node::InRe(variable, regex) if is_variable(terms, *variable) => {
                let before = std::mem::take(&mut self.out);
                let written = self.regex(regex);
                let text = std::mem::replace(&mut self.out, before);
                // What cannot be said is found out where it is to be said.
                written.is_ok().then(|| (*variable, text.into()))
            }
            Node::Eq(a, b) => match (terms.node(*a), terms.node(*b)) {
                (Node::Var(_), Node::String(text)) => {
                    Some((*a, format!("(str.to_re {})", string(text)).into()))
                }
                (Node::String(text), Node::Var(_)) => {
                    Some((*b, format!("(str.to_re {})", string(text)).into()))
                }
                _ => None,
            },
            Node::Not(inner) => {
                let (variable, text) = self.language(*inner)?;
                Some((variable, format!("(re.comp {text})").into()))
            }
            Node::And(children) => self.language_of_all("re.inter", children),
            Node::Or(children) => self.language_of_all("re.union", children),
            _ => None,
        }
    }

    /// The language of children that are all about one variable.
    fn language_of_all(&mut self, head: &str, children: &[Term]) -> Language {
        let mut variable = None;
        let mut texts = Vec::new();
        let mut n_bytes = 0;
        for child in children {
            let (own, text) = self.language(*child)?;
            n_bytes += text.len();
            if *variable.get_or_insert(own) != own || n_bytes > MERGED_BYTES_MAX {
                return None;
            }
            texts.push(text);
        }
        Some((variable?, list(head, texts.iter())))
    }
}

/// A term, or all terms that say something about one variable.
struct Group {
    first: Term,
    member: Option<(Term, Vec<Rc<str>>)>,
}

enum Part {
    Term(Term),
    Member(Term, Rc<str>),
}

fn list<'a>(head: &str, texts: impl Iterator<Item = &'a Rc<str>>) -> Rc<str> {
    let mut list = format!("({head}");
    for text in texts {
        list.push(' ');
        list.push_str(text);
    }
    list.push(')');
    list.into()
}

fn is_variable(terms: &Terms, term: Term) -> bool {
    matches!(terms.node(term), Node::Var(_))
}

/// Whether `term` is an equality or says that one is false. Alone, it is said best as it is.
fn is_equality(terms: &Terms, term: Term) -> bool {
    match terms.node(term) {
        Node::Eq(..) => true,
        Node::Not(inner) => matches!(terms.node(*inner), Node::Eq(..)),
        _ => false,
    }
}
