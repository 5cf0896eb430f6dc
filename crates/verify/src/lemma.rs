//! Whether literals cannot all be false, by what their atoms mean.
//!
//! The opposites of the literals are taken together. What they say to be equal is one class; for each class everything is
//! collected that is said of it, and it is refuted if no text, or no number, is left. That a pattern with variables matches says of
//! its text what it says if the variables may be anything, of a variable what may stand in its place, and that patterns
//! that match whenever it does match. Last, what has to differ is refuted if there are too few values.

use std::collections::{HashMap, HashSet};

use crate::language::{ALL, EMPTY, Id, Languages, MAX_CHAR, ONE_CHAR, TooMuch};
use crate::read::{Literal, Node, Part, Piece, Sort, Term};

/// The most values of a class that are tried where several have to differ.
const MAX_VALUES: usize = 64;

/// The longest of these texts.
const MAX_LENGTH: usize = 64;

/// The most choices in finding values that differ.
const MAX_CHOICES: usize = 1 << 16;

/// Symbols from here on stand for the values of classes.
const VALUES: u32 = ONE_CHAR + 2;

/// The symbol of a text of which nothing is known.
const ANY_TEXT: u32 = ONE_CHAR + 1;

type Result<T> = std::result::Result<T, TooMuch>;

/// Whether one of the literals is true, whatever values the variables have.
pub(crate) fn holds(part: &Part, clause: &[Literal], languages: &mut Languages) -> Result<bool> {
    let cube: Vec<Literal> = clause.iter().map(|(term, truth)| (*term, !truth)).collect();
    let known: HashSet<Literal> = cube.iter().copied().collect();
    if cube.iter().any(|(term, truth)| known.contains(&(*term, !truth))) {
        return Ok(true);
    }
    let classes = Classes::of(part, &cube);
    if classes.is_refuted || bits_are_refuted(part, &cube, &classes)? {
        return Ok(true);
    }
    texts_are_refuted(part, &cube, &classes, languages)
}

/// Which terms are equal.
struct Classes<'p> {
    part: &'p Part,
    parents: HashMap<Term, Term>,
    /// The constant of a class, by its representative.
    constants: HashMap<Term, Term>,
    /// Classes that have to differ, neither of which is a constant.
    edges: HashSet<(Term, Term)>,
    /// Classes and constants that they are not.
    excluded: Vec<(Term, Term)>,
    /// Two constants are said to be equal, or one class to differ from itself.
    is_refuted: bool,
}

impl<'p> Classes<'p> {
    fn of(part: &'p Part, cube: &[Literal]) -> Classes<'p> {
        let mut classes = Classes {
            part,
            parents: HashMap::new(),
            constants: HashMap::new(),
            edges: HashSet::new(),
            excluded: Vec::new(),
            is_refuted: false,
        };
        let equations = |wanted: bool| {
            cube.iter().filter_map(move |&(term, truth)| match part.terms[term] {
                Node::Eq(a, b) if truth == wanted => Some((a, b)),
                _ => None,
            })
        };
        for (a, b) in equations(true) {
            let (a, b) = (classes.class(a), classes.class(b));
            if a != b {
                classes.parents.insert(a, b);
            }
        }
        let sides: Vec<Term> = cube.iter().flat_map(|(term, _)| sides(part, *term)).collect();
        for term in sides.into_iter().filter(|term| is_constant(&part.terms[*term])) {
            let class = classes.class(term);
            let other = *classes.constants.entry(class).or_insert(term);
            classes.is_refuted |= part.terms[other] != part.terms[term];
        }
        for (a, b) in equations(false) {
            let (a, b) = (classes.class(a), classes.class(b));
            match (classes.constants.get(&a).copied(), classes.constants.get(&b).copied()) {
                (Some(one), Some(other)) => {
                    classes.is_refuted |= part.terms[one] == part.terms[other];
                }
                (Some(constant), None) => classes.excluded.push((b, constant)),
                (None, Some(constant)) => classes.excluded.push((a, constant)),
                (None, None) => drop(classes.edges.insert((a, b))),
            }
            classes.is_refuted |= a == b;
        }
        classes
    }

    fn class(&self, mut term: Term) -> Term {
        while let Some(&parent) = self.parents.get(&term) {
            term = parent;
        }
        term
    }

    /// What a class is equal to, if that is a constant.
    fn constant(&self, class: Term) -> Option<&'p Node> {
        self.constants.get(&class).map(|constant| &self.part.terms[*constant])
    }

    /// So many values of each suffice to make them differ.
    fn n_values(&self) -> Result<usize> {
        let n = self.edges.len() + 1;
        if n <= MAX_VALUES { Ok(n) } else { Err(TooMuch) }
    }

    /// The text of a class, if it is known.
    fn text(&self, term: Term) -> Option<&'p [u32]> {
        match self.constant(self.class(term)) {
            Some(Node::Text(text)) => Some(text),
            _ => None,
        }
    }
}

fn is_constant(node: &Node) -> bool {
    matches!(node, Node::Text(_) | Node::Bits { .. })
}

/// The texts and numbers that an atom is about.
fn sides(part: &Part, atom: Term) -> Vec<Term> {
    match &part.terms[atom] {
        Node::Eq(a, b) => vec![*a, *b],
        Node::In(term, _) | Node::Prefix { bits: term, .. } => vec![*term],
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

/// What is known of a number.
struct Range {
    low: u128,
    high: u128,
    /// Where it is not, ends included.
    without: Vec<(u128, u128)>,
}

impl Range {
    /// The least numbers that are left, at most so many.
    fn least(&mut self, n: usize) -> Vec<u128> {
        self.without.sort_unstable();
        let (mut found, mut next) = (Vec::new(), self.low);
        for &(from, upto) in &self.without {
            let free = next..from.min(self.high.saturating_add(1));
            found.extend(free.take(n - found.len()));
            match upto.checked_add(1) {
                Some(behind) => next = next.max(behind),
                None => return found,
            }
        }
        found.extend((next..=self.high).take(n - found.len()));
        found
    }
}

/// Whether for some class of numbers none is left.
fn bits_are_refuted(part: &Part, cube: &[Literal], classes: &Classes<'_>) -> Result<bool> {
    let mut ranges: HashMap<Term, Range> = HashMap::new();
    for &(atom, truth) in cube {
        for term in sides(part, atom) {
            let (Node::Var(Sort::Bits(width)) | Node::Bits { width, .. }) = part.terms[term] else {
                continue;
            };
            let class = classes.class(term);
            let all = || Range { low: 0, high: u128::MAX >> (128 - width), without: Vec::new() };
            let range = ranges.entry(class).or_insert_with(all);
            let mut confine = |low: u128, high: u128| {
                (range.low, range.high) = (range.low.max(low), range.high.min(high));
            };
            if let Some(&Node::Bits { value, .. }) = classes.constant(class) {
                confine(value, value);
            }
            if let Node::Prefix { length, value, .. } = part.terms[atom] {
                let rest = width - length;
                let low = value << rest;
                let high = low | ((1 << rest) - 1);
                match truth {
                    true => confine(low, high),
                    false => range.without.push((low, high)),
                }
            }
        }
    }
    for &(class, constant) in &classes.excluded {
        if let (Some(range), Node::Bits { value, .. }) =
            (ranges.get_mut(&class), &part.terms[constant])
        {
            range.without.push((*value, *value));
        }
    }
    let n_wanted = classes.n_values()?;
    let values: HashMap<Term, Vec<u128>> =
        ranges.into_iter().map(|(class, mut range)| (class, range.least(n_wanted))).collect();
    Ok(values.values().any(Vec::is_empty) || are_too_few(&values, classes)?)
}

/// Whether for some class of texts none is left.
fn texts_are_refuted(
    part: &Part,
    cube: &[Literal],
    classes: &Classes<'_>,
    languages: &mut Languages,
) -> Result<bool> {
    let mut said: HashMap<Term, Vec<Id>> = HashMap::new();
    for &(atom, truth) in cube {
        for term in sides(part, atom) {
            if let Some(text) = classes.text(term) {
                let text = languages.text(text.iter().copied())?;
                said.entry(classes.class(term)).or_default().push(text);
            }
        }
        let (term, language) = match &part.terms[atom] {
            Node::In(term, language) => (*term, *language),
            Node::Match(term, pieces) => {
                let are_known = pieces.iter().all(|piece| match piece {
                    Piece::Value(value) => classes.text(*value).is_some(),
                    _ => true,
                });
                // Of a pattern that does not match nothing is known if its variables may be anything.
                if !truth && !are_known {
                    continue;
                }
                (*term, filled(pieces, classes, languages)?)
            }
            _ => continue,
        };
        let language = if truth { language } else { languages.not(language)? };
        said.entry(classes.class(term)).or_default().push(language);
    }
    for &(class, constant) in &classes.excluded {
        if let Node::Text(text) = &part.terms[constant] {
            let text = languages.text(text.iter().copied())?;
            said.entry(class).or_default().push(languages.not(text)?);
        }
    }
    let mut of_class: HashMap<Term, Id> = HashMap::new();
    for (class, said) in said {
        of_class.insert(class, languages.and(said)?);
    }
    // What may stand in the place of the first variable of a pattern.
    let mut places = Vec::new();
    for &(atom, truth) in cube {
        let Node::Match(term, pieces) = &part.terms[atom] else { continue };
        let (before, value, rest) = match &pieces[..] {
            [Piece::Value(value), rest @ ..] => (&[][..], *value, rest),
            [Piece::Text(before), Piece::Value(value), rest @ ..] => (&before[..], *value, rest),
            _ => continue,
        };
        if truth {
            let mut of = of_class.get(&classes.class(*term)).copied().unwrap_or(ALL);
            for symbol in before {
                of = languages.after(of, *symbol)?;
            }
            let rest = filled(rest, classes, languages)?;
            places.push((classes.class(value), languages.before(of, rest)?));
        }
    }
    for (class, place) in places {
        let known = of_class.get(&class).copied().unwrap_or(ALL);
        of_class.insert(class, languages.and(vec![known, place])?);
    }
    for &language in of_class.values() {
        if languages.is_nothing(language)? {
            return Ok(true);
        }
    }
    if a_pattern_covers_another(part, cube, classes, languages)? {
        return Ok(true);
    }
    if classes.edges.is_empty() {
        return Ok(false);
    }
    let mut values: HashMap<Term, Vec<Vec<u32>>> = HashMap::new();
    let n_wanted = classes.n_values()?;
    for (class, language) in of_class {
        values.insert(class, languages.some(language, n_wanted, MAX_LENGTH)?);
    }
    are_too_few(&values, classes)
}

/// The language of a pattern whose variables are what is known of them, or anything.
fn filled(pieces: &[Piece], classes: &Classes<'_>, languages: &mut Languages) -> Result<Id> {
    let mut all = EMPTY;
    for piece in pieces.iter().rev() {
        let first = match piece {
            Piece::Text(text) => languages.text(text.iter().copied())?,
            Piece::OneChar => languages.set(vec![(0, MAX_CHAR)])?,
            Piece::Any => ALL,
            Piece::Value(value) => match classes.text(*value) {
                Some(text) => languages.text(text.iter().copied())?,
                None => ALL,
            },
        };
        all = languages.cat(first, all)?;
    }
    Ok(all)
}

/// Whether a pattern is said not to match what another matches, or what equals its text, and matches it.
///
/// The other is read as a text in which unknown values and wildcards are symbols of their own. If the pattern reads these by
/// its own wildcards and values, it reads whatever stands in their places.
fn a_pattern_covers_another(
    part: &Part,
    cube: &[Literal],
    classes: &Classes<'_>,
    languages: &mut Languages,
) -> Result<bool> {
    let symbol = |value: Term, symbols: &mut Vec<u32>| match classes.text(value) {
        Some(text) => symbols.extend(text),
        None => symbols.push(VALUES + classes.class(value) as u32),
    };
    let mut texts: Vec<(Term, Vec<u32>)> = Vec::new();
    for &(atom, truth) in cube {
        let Node::Match(term, pieces) = &part.terms[atom] else { continue };
        let mut own = Vec::new();
        symbol(*term, &mut own);
        texts.push((classes.class(*term), own));
        let mut symbols = Vec::new();
        for piece in pieces {
            match piece {
                Piece::Text(text) => symbols.extend(text),
                Piece::OneChar => symbols.push(ONE_CHAR),
                Piece::Any => symbols.push(ANY_TEXT),
                Piece::Value(value) => symbol(*value, &mut symbols),
            }
        }
        if truth {
            texts.push((classes.class(*term), symbols));
        }
    }
    for &(atom, truth) in cube {
        let Node::Match(term, pieces) = &part.terms[atom] else { continue };
        if truth {
            continue;
        }
        let mut language = EMPTY;
        for piece in pieces.iter().rev() {
            let first = match piece {
                Piece::Text(text) => languages.text(text.iter().copied())?,
                Piece::OneChar => languages.set(vec![(0, ONE_CHAR)])?,
                Piece::Any => ALL,
                Piece::Value(value) => {
                    let mut symbols = Vec::new();
                    symbol(*value, &mut symbols);
                    languages.text(symbols.into_iter())?
                }
            };
            language = languages.cat(first, language)?;
        }
        let class = classes.class(*term);
        for (_, text) in texts.iter().filter(|(other, _)| *other == class) {
            if languages.has(language, text.iter().copied())? {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// Whether the classes that have to differ cannot: these are their values, or so many of them that some is left.
fn are_too_few<V: PartialEq>(
    values: &HashMap<Term, Vec<V>>,
    classes: &Classes<'_>,
) -> Result<bool> {
    // Of which nothing is said but that it differs has enough values.
    let edges: Vec<(Term, Term)> = classes
        .edges
        .iter()
        .copied()
        .filter(|(a, b)| values.contains_key(a) && values.contains_key(b))
        .collect();
    let neighbours = |class: Term| {
        let others = edges.iter().filter_map(move |&(a, b)| match (a == class, b == class) {
            (true, _) => Some(b),
            (_, true) => Some(a),
            _ => None,
        });
        others.collect::<HashSet<Term>>()
    };
    // Who has more values than neighbours finds one in the end.
    let mut tight: Vec<Term> = edges.iter().flat_map(|(a, b)| [*a, *b]).collect();
    tight.sort_unstable();
    tight.dedup();
    tight.retain(|class| values[class].len() <= neighbours(*class).len());
    let mut chosen: Vec<usize> = Vec::new();
    let mut next = 0;
    for _ in 0..MAX_CHOICES {
        let Some(class) = tight.get(chosen.len()) else { return Ok(false) };
        let near = neighbours(*class);
        let is_taken = |value: &V| {
            let others = tight.iter().zip(&chosen);
            others
                .into_iter()
                .any(|(other, at)| near.contains(other) && values[other][*at] == *value)
        };
        match values[class].iter().skip(next).position(|value| !is_taken(value)) {
            Some(at) => {
                chosen.push(next + at);
                next = 0;
            }
            None => match chosen.pop() {
                Some(last) => next = last + 1,
                None => return Ok(true),
            },
        }
    }
    Err(TooMuch)
}

#[cfg(test)]
mod tests {
    use super::Range;

    #[test]
    fn the_least_numbers_that_are_left_are_at_most_so_many() {
        let least = |low: u128, high: u128, without: &[(u128, u128)], n: usize| {
            Range { low, high, without: without.to_vec() }.least(n)
        };
        for (n, expected) in
            [(0, &[][..]), (1, &[0]), (2, &[0, 2]), (3, &[0, 2, 5]), (9, &[0, 2, 5])]
        {
            assert_eq!(least(0, 5, &[(3, 4), (1, 1)], n), expected);
        }
        assert_eq!(least(0, 9, &[(0, 3), (2, 2)], 3), [4, 5, 6]);
        assert_eq!(least(7, 9, &[(0, 3)], 5), [7, 8, 9]);
        assert_eq!(least(7, 9, &[(0, u128::MAX)], 5), [0; 0]);
        assert_eq!(least(u128::MAX - 1, u128::MAX, &[(0, 3)], 5), [u128::MAX - 1, u128::MAX]);
    }
}
