//! Regular expressions in the making: flat, without what changes nothing, and no larger than allowed.
//!
//! An expression that has a name may occur many times, and then again under another name, so that
//! the text is small and what it stands for is not. Each knows its size, and what would be too
//! large is refused before it is made.

use std::rc::Rc;

use super::chars;
use crate::regex::{MAX_DEPTH, Regex};

/// The size of one expression, in parts and characters.
const MAX_SIZE: usize = 1_000_000;

/// A regular expression, shared with whoever else has it.
#[derive(Clone, Debug)]
pub(super) struct Language {
    regex: Rc<Regex>,
    size: usize,
    /// How deep it is nested; an atom has a depth of 1.
    depth: u32,
}

/// An expression that is too large or too deep, in words.
pub(super) type TooLarge = String;

impl Language {
    fn atom(regex: Regex) -> Language {
        Language { regex: Rc::new(regex), size: 1, depth: 1 }
    }

    pub(super) fn none() -> Language {
        Language::atom(Regex::Union(Vec::new()))
    }

    pub(super) fn all() -> Language {
        Language::atom(Regex::All)
    }

    pub(super) fn any_char() -> Language {
        Language::atom(Regex::AnyChar)
    }

    pub(super) fn literal(text: &str) -> Language {
        Language { size: 1 + text.len(), ..Language::atom(Regex::Literal(text.to_owned())) }
    }

    /// The characters from the one that is the first text to the one that is the second; nothing
    /// if one of them is not a character.
    pub(super) fn range(low: &str, high: &str) -> Language {
        let (Some(low), Some(high)) = (only_char(low), only_char(high)) else {
            return Language::none();
        };
        match (chars::decode(low), chars::decode(high)) {
            (Some(low), Some(high)) if low <= high => {
                Language::atom(Regex::Chars(chars::range(low, high)))
            }
            _ => Language::none(),
        }
    }

    /// The expression.
    pub(super) fn regex(&self) -> &Regex {
        &self.regex
    }

    /// The expression, copied if somebody else has it too.
    pub(super) fn into_regex(self) -> Regex {
        Rc::try_unwrap(self.regex).unwrap_or_else(|shared| (*shared).clone())
    }

    /// How much is copied or moved if this becomes a part of another.
    pub(super) fn cost(&self) -> usize {
        match (&*self.regex, Rc::strong_count(&self.regex)) {
            (Regex::Concat(parts) | Regex::Union(parts) | Regex::Intersection(parts), 1) => {
                parts.len()
            }
            (_, 1) => 1,
            _ => self.size,
        }
    }

    fn is_none(&self) -> bool {
        matches!(&*self.regex, Regex::Union(parts) if parts.is_empty())
    }

    fn is_all(&self) -> bool {
        *self.regex == Regex::All
    }

    fn is_empty_word(&self) -> bool {
        match &*self.regex {
            Regex::Literal(text) => text.is_empty(),
            Regex::Concat(parts) => parts.is_empty(),
            _ => false,
        }
    }

    /// `make` of this, one level deeper.
    fn wrap(self, make: impl FnOnce(Box<Regex>) -> Regex) -> Result<Language, TooLarge> {
        let (size, depth) = (self.size + 1, self.depth + 1);
        within_limits(size, depth)?;
        let regex = make(Box::new(self.into_regex()));
        Ok(Language { regex: Rc::new(regex), size, depth })
    }

    pub(super) fn concat(parts: Vec<Language>) -> Result<Language, TooLarge> {
        if parts.iter().any(Language::is_none) {
            return Ok(Language::none());
        }
        let parts = parts.into_iter().filter(|part| !part.is_empty_word());
        join(parts.collect(), Joint::Concat)
    }

    pub(super) fn union(parts: Vec<Language>) -> Result<Language, TooLarge> {
        if parts.iter().any(Language::is_all) {
            return Ok(Language::all());
        }
        join(parts.into_iter().filter(|part| !part.is_none()).collect(), Joint::Union)
    }

    pub(super) fn intersection(parts: Vec<Language>) -> Result<Language, TooLarge> {
        if parts.iter().any(Language::is_none) {
            return Ok(Language::none());
        }
        join(parts.into_iter().filter(|part| !part.is_all()).collect(), Joint::Intersection)
    }

    pub(super) fn complement(self) -> Result<Language, TooLarge> {
        if self.is_none() {
            return Ok(Language::all());
        }
        if self.is_all() {
            return Ok(Language::none());
        }
        if let Regex::Complement(_) = &*self.regex {
            let (size, depth) = (self.size - 1, self.depth - 1);
            if let Regex::Complement(inner) = self.into_regex() {
                return Ok(Language { regex: Rc::new(*inner), size, depth });
            }
            unreachable!("it was one");
        }
        self.wrap(Regex::Complement)
    }

    pub(super) fn star(self) -> Result<Language, TooLarge> {
        match &*self.regex {
            Regex::AnyChar | Regex::All => Ok(Language::all()),
            Regex::Star(_) => Ok(self),
            _ if self.is_none() || self.is_empty_word() => Ok(Language::literal("")),
            _ => self.wrap(Regex::Star),
        }
    }

    /// From `min` to `max` repetitions, without end if there is no `max`; none if `max` is less.
    pub(super) fn repeat(self, min: u32, max: Option<u32>) -> Result<Language, TooLarge> {
        if max.is_some_and(|max| max < min) {
            return Ok(Language::none());
        }
        match (min, max) {
            (_, Some(0)) => Ok(Language::literal("")),
            _ if self.is_empty_word() => Ok(self),
            (0, _) if self.is_none() => Ok(Language::literal("")),
            _ if self.is_none() || self.is_all() => Ok(self),
            (1, Some(1)) => Ok(self),
            (0, None) => self.star(),
            (_, Some(max)) if min == max => self.wrap(|inner| Regex::Repeat(inner, min)),
            _ => self.wrap(|inner| Regex::Loop(inner, min, max)),
        }
    }
}

fn within_limits(size: usize, depth: u32) -> Result<(), TooLarge> {
    if size > MAX_SIZE {
        return Err(format!(
            "a regular expression of more than {MAX_SIZE} parts and characters, once definitions are expanded"
        ));
    }
    if depth > MAX_DEPTH {
        return Err(format!("a regular expression nested more than {MAX_DEPTH} deep"));
    }
    Ok(())
}

fn only_char(text: &str) -> Option<char> {
    let mut chars = text.chars();
    let first = chars.next()?;
    chars.next().is_none().then_some(first)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Joint {
    Concat,
    Union,
    Intersection,
}

impl Joint {
    /// The parts of an expression of this kind.
    fn parts(self, regex: &mut Regex) -> Option<Vec<Regex>> {
        match (self, regex) {
            (Joint::Concat, Regex::Concat(parts))
            | (Joint::Union, Regex::Union(parts))
            | (Joint::Intersection, Regex::Intersection(parts)) => Some(std::mem::take(parts)),
            _ => None,
        }
    }

    fn is_of(self, regex: &Regex) -> bool {
        matches!(
            (self, regex),
            (Joint::Concat, Regex::Concat(_))
                | (Joint::Union, Regex::Union(_))
                | (Joint::Intersection, Regex::Intersection(_))
        )
    }
}

/// One expression of the parts, in which parts of the same kind are dissolved.
fn join(mut parts: Vec<Language>, joint: Joint) -> Result<Language, TooLarge> {
    if parts.len() == 1
        && let Some(only) = parts.pop()
    {
        return Ok(only);
    }
    let (mut size, mut depth) = (1, 1);
    for part in &parts {
        size += part.size;
        depth = depth.max(part.depth + u32::from(!joint.is_of(&part.regex)));
    }
    within_limits(size, depth)?;
    let mut joined: Vec<Regex> = Vec::new();
    for part in parts {
        let mut regex = part.into_regex();
        match joint.parts(&mut regex) {
            Some(parts) if joined.is_empty() => joined = parts,
            Some(parts) => parts.into_iter().for_each(|part| push(&mut joined, part, joint)),
            None => push(&mut joined, regex, joint),
        }
    }
    if joint == Joint::Union {
        joined = with_one_class(joined);
    }
    let regex = match (joined.pop(), joined.is_empty()) {
        (Some(only), true) => only,
        (last, _) => {
            joined.extend(last);
            match joint {
                Joint::Concat if joined.is_empty() => Regex::Literal(String::new()),
                Joint::Concat => Regex::Concat(joined),
                Joint::Union => Regex::Union(joined),
                Joint::Intersection if joined.is_empty() => Regex::All,
                Joint::Intersection => Regex::Intersection(joined),
            }
        }
    };
    Ok(Language { regex: Rc::new(regex), size, depth })
}

/// Adds a part; neighbouring texts are one text, and neighbouring stars of everything one star.
fn push(joined: &mut Vec<Regex>, part: Regex, joint: Joint) {
    if joint == Joint::Concat {
        match (joined.last_mut(), &part) {
            (Some(Regex::Literal(before)), Regex::Literal(text)) => return before.push_str(text),
            (Some(Regex::All), Regex::All) => return,
            _ => {}
        }
    }
    joined.push(part);
}

/// The same union with one class for all alternatives that are characters, if one of them is a
/// class. A list of words stays one.
fn with_one_class(parts: Vec<Regex>) -> Vec<Regex> {
    let is_class = |part: &Regex| matches!(part, Regex::Chars(_));
    let n_classes = parts.iter().filter(|part| is_class(part)).count();
    let is_char = |part: &Regex| matches!(part, Regex::Literal(text) if only_char(text).is_some());
    if n_classes == 0 || n_classes + parts.iter().filter(|part| is_char(part)).count() < 2 {
        return parts;
    }
    let mut ranges = Vec::new();
    let mut others = Vec::new();
    for part in parts {
        match part {
            Regex::Chars(of_part) => ranges.extend(of_part),
            Regex::Literal(text) => match only_char(&text) {
                Some(c) => ranges.push((c, c)),
                None => others.push(Regex::Literal(text)),
            },
            part => others.push(part),
        }
    }
    others.push(Regex::Chars(ranges));
    others
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Language {
        Language::literal(text)
    }

    #[test]
    fn what_is_nested_alike_is_flat() {
        let right = Language::concat(vec![text("b"), Language::all()]).unwrap();
        let whole = Language::concat(vec![text("a"), text(""), right, Language::all()]).unwrap();
        let expected = Regex::Concat(vec![Regex::Literal("ab".to_owned()), Regex::All]);
        assert_eq!(whole.into_regex(), expected);
        let inner = Language::union(vec![text("x"), Language::range("a", "c")]).unwrap();
        let outer = Language::union(vec![text("yy"), inner, Language::none()]).unwrap();
        let class = Regex::Chars(vec![('x', 'x'), ('a', 'c')]);
        let expected = Regex::Union(vec![Regex::Literal("yy".to_owned()), class]);
        assert_eq!(outer.into_regex(), expected);
    }

    #[test]
    fn what_changes_nothing_is_left_out() {
        let all = || Language::any_char().star().unwrap();
        assert_eq!(all().into_regex(), Regex::All);
        assert_eq!(all().star().unwrap().into_regex(), Regex::All);
        let none = || Language::concat(vec![text("a"), Language::none()]).unwrap();
        assert!(none().is_none());
        assert!(none().star().unwrap().is_empty_word());
        assert!(none().repeat(0, Some(3)).unwrap().is_empty_word());
        assert!(none().repeat(2, None).unwrap().is_none());
        assert!(text("a").repeat(3, Some(2)).unwrap().is_none());
        assert!(text("a").repeat(0, Some(0)).unwrap().is_empty_word());
        assert!(text("").repeat(7, Some(4_000_000_000)).unwrap().is_empty_word());
        let twice = text("a").complement().unwrap().complement().unwrap();
        assert_eq!(twice.into_regex(), Regex::Literal("a".to_owned()));
        assert!(none().complement().unwrap().is_all());
        assert!(Language::intersection(vec![all(), all()]).unwrap().is_all());
        assert!(Language::range("b", "a").is_none());
        assert!(Language::range("ab", "b").is_none());
        assert!(Language::range("", "b").is_none());
    }

    #[test]
    fn what_is_shared_is_counted_each_time() {
        let mut language = text("a");
        let error = loop {
            match Language::concat(vec![language.clone(), text("b"), language.clone()]) {
                Ok(twice) => language = twice,
                Err(error) => break error,
            }
        };
        assert!(error.contains("once definitions are expanded"), "{error}");
        assert!(language.size <= MAX_SIZE);
        let mut deep = text("a");
        let error = loop {
            match Language::concat(vec![deep, text("b")]).and_then(Language::star) {
                Ok(deeper) => deep = deeper,
                Err(error) => break error,
            }
        };
        assert!(error.contains("nested"), "{error}");
    }
}
