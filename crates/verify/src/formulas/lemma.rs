//! Whether literals cannot all be false, by what their atoms mean.
//!
//! The opposites of the literals are taken together. What they say to be equal is one class; for each class everything is
//! collected that is said of it, and it is refuted if no text is left. Bits are texts of two symbols, so there is no other argument for
//! them. That a pattern with variables matches says of its text what it says if the variables may be anything, of a variable what may
//! stand in its place, and that patterns that match whenever it does match. Last, what has to differ is refuted if there are too few
//! values.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::language::{ALL, EMPTY, Id, Languages, ONE_CHAR};
use super::read::{Literal, Node, Part, Piece, Sort, Term};
use crate::{Result, require};

/// The most classes with few values that are given values that differ.
const MAX_CLASSES: usize = 128;

/// Symbols from here on stand for the values of classes.
const VALUES: u32 = ONE_CHAR + 2;

/// The symbol of a text of which nothing is known.
const ANY_TEXT: u32 = ONE_CHAR + 1;

/// Whether one of the literals is true, whatever values the variables have.
pub(crate) fn holds(part: &Part, clause: &[Literal], languages: &mut Languages) -> Result<bool> {
    if clause.windows(2).any(|pair| pair[0].0 == pair[1].0) {
        return Ok(true);
    }
    let cube = Cube::of(part, clause);
    let mut said: BTreeMap<Term, Vec<Id>> = BTreeMap::new();
    // Classes that have to differ, neither of which is known.
    let mut edges: BTreeSet<(Term, Term)> = BTreeSet::new();
    for &(atom, truth) in &cube.literals {
        for term in sides(&part.terms[atom]) {
            let own = match &part.terms[term] {
                Node::Constant(_, text) => languages.text(text)?,
                Node::Var(Sort::Bits(width)) => languages.bits(*width)?,
                _ => ALL,
            };
            said.entry(cube.class(term)).or_default().push(own);
        }
        let (term, language) = match &part.terms[atom] {
            Node::In(term, language) => (*term, *language),
            // Of a pattern that does not match nothing is known if its variables may be anything.
            Node::Match(term, pieces) if truth || cube.are_known(pieces) => {
                (*term, cube.pattern(pieces, true, languages)?)
            }
            Node::Eq(a, b) if !truth && cube.class(*a) == cube.class(*b) => return Ok(true),
            Node::Eq(a, b) if !truth => match (cube.text(*a), cube.text(*b)) {
                (Some(text), _) => (*b, languages.text(text)?),
                (_, Some(text)) => (*a, languages.text(text)?),
                (None, None) => {
                    edges.insert((cube.class(*a), cube.class(*b)));
                    continue;
                }
            },
            _ => continue,
        };
        let language = if truth { language } else { languages.not(language)? };
        said.entry(cube.class(term)).or_default().push(language);
    }
    let mut left: BTreeMap<Term, Id> = BTreeMap::new();
    for (class, said) in said {
        left.insert(class, languages.and(said)?);
    }
    cube.confine_first_values(&mut left, languages)?;
    for &language in left.values() {
        if languages.is_nothing(language)? {
            return Ok(true);
        }
    }
    Ok(cube.has_pattern_that_covers_another(languages)? || are_too_few(&left, &edges, languages)?)
}

/// Literals that are taken together, and which terms are equal then.
struct Cube<'p> {
    part: &'p Part,
    literals: Vec<Literal>,
    parents: HashMap<Term, Term>,
    /// What a class is, by its representative, if it has a constant.
    texts: HashMap<Term, &'p [u32]>,
}

impl<'p> Cube<'p> {
    fn of(part: &'p Part, clause: &[Literal]) -> Cube<'p> {
        let literals: Vec<Literal> = clause.iter().map(|(term, truth)| (*term, !truth)).collect();
        let mut cube = Cube { part, literals, parents: HashMap::new(), texts: HashMap::new() };
        for &(atom, truth) in &cube.literals {
            if let (Node::Eq(a, b), true) = (&part.terms[atom], truth) {
                let (a, b) = (class(&cube.parents, *a), class(&cube.parents, *b));
                if a != b {
                    cube.parents.insert(a, b);
                }
            }
        }
        for term in cube.literals.iter().flat_map(|(atom, _)| sides(&part.terms[*atom])) {
            if let Node::Constant(_, text) = &part.terms[term] {
                cube.texts.insert(class(&cube.parents, term), text);
            }
        }
        cube
    }

    fn class(&self, term: Term) -> Term {
        class(&self.parents, term)
    }

    /// The text of a term, if it is known.
    fn text(&self, term: Term) -> Option<&'p [u32]> {
        self.texts.get(&self.class(term)).copied()
    }

    /// The matches that are true, or those that are not.
    fn matches(&self, wanted: bool) -> impl Iterator<Item = (Term, &'p [Piece])> {
        let literals = self.literals.iter().filter(move |(_, truth)| *truth == wanted);
        literals.filter_map(|(atom, _)| match &self.part.terms[*atom] {
            Node::Match(term, pieces) => Some((*term, &pieces[..])),
            _ => None,
        })
    }

    /// Whether the values of all variables are known.
    fn are_known(&self, pieces: &[Piece]) -> bool {
        pieces.iter().all(|piece| match piece {
            Piece::Value(value) => self.text(*value).is_some(),
            _ => true,
        })
    }

    /// A piece as symbols, of which those that are no characters stand for what is not known.
    fn symbols(&self, piece: &Piece) -> Vec<u32> {
        match piece {
            Piece::Text(text) => text.clone(),
            Piece::OneChar => vec![ONE_CHAR],
            Piece::Any => vec![ANY_TEXT],
            Piece::Value(value) => match self.text(*value) {
                Some(text) => text.to_vec(),
                None => vec![VALUES + self.class(*value) as u32],
            },
        }
    }

    /// The language of a pattern whose variables are what is known of them; else anything if they are free, or a symbol of their own.
    fn pattern(&self, pieces: &[Piece], are_free: bool, languages: &mut Languages) -> Result<Id> {
        let mut all = EMPTY;
        for piece in pieces.iter().rev() {
            let first = match piece {
                Piece::OneChar => languages.set(vec![(0, ONE_CHAR + 1)])?,
                Piece::Any => ALL,
                Piece::Value(value) if are_free && self.text(*value).is_none() => ALL,
                _ => languages.text(&self.symbols(piece))?,
            };
            all = languages.cat(first, all)?;
        }
        Ok(all)
    }

    /// Leaves to the first variable of a pattern what may stand in its place.
    fn confine_first_values(
        &self,
        left: &mut BTreeMap<Term, Id>,
        languages: &mut Languages,
    ) -> Result<()> {
        for (term, pieces) in self.matches(true) {
            let (before, pieces) = match pieces {
                [Piece::Text(before), rest @ ..] => (&before[..], rest),
                _ => (&[][..], pieces),
            };
            let [Piece::Value(value), rest @ ..] = pieces else { continue };
            let mut place = left[&self.class(term)];
            for symbol in before {
                place = languages.after(place, *symbol)?;
            }
            let rest = self.pattern(rest, true, languages)?;
            place = languages.before(place, rest)?;
            let known = left[&self.class(*value)];
            left.insert(self.class(*value), languages.and(vec![known, place])?);
        }
        Ok(())
    }

    /// Whether a pattern is said not to match what another matches, or what equals its text, and matches it.
    ///
    /// The other is read as a text in which unknown values and wildcards are symbols of their own. If the pattern reads these by
    /// its own wildcards and values, it reads whatever stands in their places.
    fn has_pattern_that_covers_another(&self, languages: &mut Languages) -> Result<bool> {
        for (term, pieces) in self.matches(false) {
            let language = self.pattern(pieces, false, languages)?;
            let of_class = |(other, _): &(Term, _)| self.class(*other) == self.class(term);
            let others = self.matches(true).filter(of_class).map(|(_, others)| others);
            for others in others.chain([&[Piece::Value(term)][..]]) {
                let symbols = others.iter().flat_map(|piece| self.symbols(piece));
                if languages.has(language, symbols)? {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }
}

fn class(parents: &HashMap<Term, Term>, mut term: Term) -> Term {
    while let Some(&parent) = parents.get(&term) {
        term = parent;
    }
    term
}

/// The texts that an atom is about.
fn sides(atom: &Node) -> Vec<Term> {
    match atom {
        Node::Eq(a, b) => vec![*a, *b],
        Node::In(term, _) => vec![*term],
        Node::Match(term, pieces) => {
            let values = pieces.iter().filter_map(|piece| match piece {
                Piece::Value(value) => Some(*value),
                _ => None,
            });
            [*term].into_iter().chain(values).collect()
        }
        _ => vec![],
    }
}

/// Whether the classes that have to differ cannot, each having the texts of a language.
fn are_too_few(
    left: &BTreeMap<Term, Id>,
    edges: &BTreeSet<(Term, Term)>,
    languages: &mut Languages,
) -> Result<bool> {
    let mut few = Vec::new();
    for (class, language) in left {
        let n_others = edges.iter().filter(|(a, b)| a == class || b == class).count();
        // Who has more values than others to differ from finds one in the end.
        let values = languages.some(*language, n_others + 1)?;
        if values.len() <= n_others {
            few.push((*class, values));
        }
    }
    require(few.len() <= MAX_CLASSES, || format!("more than {MAX_CLASSES} have few values"))?;
    Ok(!can_differ(&few, edges, &mut HashMap::new(), languages)?)
}

/// Whether these classes can be given values of theirs so that they differ from each other and from those that are chosen.
fn can_differ<'v>(
    classes: &'v [(Term, Vec<Vec<u32>>)],
    edges: &BTreeSet<(Term, Term)>,
    chosen: &mut HashMap<Term, &'v [u32]>,
    languages: &mut Languages,
) -> Result<bool> {
    let Some(((class, values), others)) = classes.split_first() else { return Ok(true) };
    for value in values {
        languages.budget.spend(1 + edges.len())?;
        chosen.insert(*class, value);
        let differ =
            |(a, b): &(Term, Term)| !chosen.contains_key(a) || chosen.get(a) != chosen.get(b);
        if edges.iter().all(differ) && can_differ(others, edges, chosen, languages)? {
            return Ok(true);
        }
        chosen.remove(class);
    }
    Ok(false)
}
