//! Sets of positions in a long text, as bits.
//!
//! A pattern of ten thousand stars over a text as long costs ten thousand shifts of a row of bits. One
//! truth value for each position would cost sixty-four times as much, and that was minutes.

use std::collections::HashMap;
use std::rc::Rc;

use super::{Effort, GaveUp, Regex};

/// What is remembered of which characters are where, in words of 64 bits: 64 MiB.
const MAX_CACHED_WORDS: usize = 8 << 20;

/// A text that is read by expressions. Of a set of its positions, bit `i` of word `w` says whether
/// position `64 * w + i` is in it.
pub(super) struct Simulation<'t> {
    chars: Vec<char>,
    effort: &'t Effort<'t>,
    /// Where which character is.
    places: HashMap<char, Rc<[u64]>>,
    /// Where the characters of a class are, by the address of its expression.
    classes: HashMap<*const Regex, Rc<[u64]>>,
    n_cached_words: usize,
}

impl<'t> Simulation<'t> {
    pub(super) fn new(text: &str, effort: &'t Effort<'t>) -> Simulation<'t> {
        Simulation {
            chars: text.chars().collect(),
            effort,
            places: HashMap::new(),
            classes: HashMap::new(),
            n_cached_words: 0,
        }
    }

    /// Whether the whole text is in the language.
    pub(super) fn accepts(&mut self, regex: &Regex) -> Result<bool, GaveUp> {
        let mut from = self.nowhere();
        from[0] = 1;
        let reached = self.step(regex, &from)?;
        let end = self.chars.len();
        Ok(reached[end / 64] >> (end % 64) & 1 == 1)
    }

    /// The positions reachable by reading a word of the language from one of the positions `from`.
    pub(super) fn step(&mut self, regex: &Regex, from: &[u64]) -> Result<Vec<u64>, GaveUp> {
        self.effort.spend(from.len())?;
        if is_empty(from) {
            return Ok(from.to_vec());
        }
        Ok(match regex {
            Regex::Literal(literal) => {
                let mut at = from.to_vec();
                for c in literal.chars() {
                    self.effort.spend(at.len())?;
                    let places = self.places_of(c)?;
                    read(&mut at, &places);
                }
                at
            }
            Regex::AnyChar | Regex::Chars(_) | Regex::NotChar(_) => {
                let places = self.places_of_class(regex)?;
                let mut at = from.to_vec();
                read(&mut at, &places);
                at
            }
            Regex::All => self.behind(first(from)),
            Regex::Concat(parts) => {
                let mut at = from.to_vec();
                for part in parts {
                    at = self.step(part, &at)?;
                }
                at
            }
            Regex::Union(parts) => {
                let mut to = self.nowhere();
                for part in parts {
                    unite(&mut to, &self.step(part, from)?);
                }
                to
            }
            Regex::Star(inner) => self.star(inner, from, u32::MAX)?,
            Regex::Repeat(inner, times) => self.times(inner, from, *times)?,
            Regex::Loop(inner, min, max) => match max.unwrap_or(u32::MAX).checked_sub(*min) {
                None => self.nowhere(),
                Some(more) => {
                    let at = self.times(inner, from, *min)?;
                    self.star(inner, &at, more)?
                }
            },
            // Which of the starts it was matters here.
            Regex::Intersection(_) | Regex::Complement(_) => {
                let mut to = self.nowhere();
                for start in 0..=self.chars.len() {
                    if from[start / 64] >> (start % 64) & 1 == 1 {
                        unite(&mut to, &self.step_from(regex, start)?);
                    }
                }
                to
            }
        })
    }

    /// As [`Simulation::step`], of a Boolean combination from one position.
    fn step_from(&mut self, regex: &Regex, start: usize) -> Result<Vec<u64>, GaveUp> {
        let mut from = self.nowhere();
        from[start / 64] = 1 << (start % 64);
        let mut to = self.behind(start);
        match regex {
            Regex::Intersection(parts) => {
                for part in parts {
                    let reached = self.step(part, &from)?;
                    to.iter_mut().zip(&reached).for_each(|(to, reached)| *to &= reached);
                }
            }
            Regex::Complement(inner) => {
                let reached = self.step(inner, &from)?;
                to.iter_mut().zip(&reached).for_each(|(to, reached)| *to &= !reached);
            }
            _ => return self.step(regex, &from),
        }
        Ok(to)
    }

    /// As [`Simulation::step`], of at most so many repetitions; more than there are positions are
    /// as good as any number.
    fn star(&mut self, inner: &Regex, from: &[u64], max: u32) -> Result<Vec<u64>, GaveUp> {
        let (mut reached, mut new) = (from.to_vec(), from.to_vec());
        // Each round adds a position or ends.
        for _ in 0..max {
            new = self.step(inner, &new)?;
            new.iter_mut().zip(&reached).for_each(|(new, reached)| *new &= !reached);
            if is_empty(&new) {
                break;
            }
            unite(&mut reached, &new);
        }
        Ok(reached)
    }

    /// As [`Simulation::step`], of so many repetitions.
    fn times(&mut self, inner: &Regex, from: &[u64], times: u32) -> Result<Vec<u64>, GaveUp> {
        let mut at = from.to_vec();
        for _ in 0..times {
            let next = self.step(inner, &at)?;
            // A set that a step does not change is not changed by further ones either.
            if next == at {
                break;
            }
            at = next;
        }
        Ok(at)
    }

    fn nowhere(&self) -> Vec<u64> {
        vec![0; self.chars.len() / 64 + 1]
    }

    /// The positions from `start` on.
    fn behind(&self, start: usize) -> Vec<u64> {
        let mut to = self.nowhere();
        if start > self.chars.len() {
            return to;
        }
        to[start / 64] = u64::MAX << (start % 64);
        to[start / 64 + 1..].fill(u64::MAX);
        let unused = 63 - self.chars.len() % 64;
        if let Some(last) = to.last_mut() {
            *last &= u64::MAX >> unused;
        }
        to
    }

    fn places_of(&mut self, c: char) -> Result<Rc<[u64]>, GaveUp> {
        if let Some(places) = self.places.get(&c) {
            return Ok(Rc::clone(places));
        }
        let places = self.find(|other| other == c)?;
        if self.may_keep(&places) {
            self.places.insert(c, Rc::clone(&places));
        }
        Ok(places)
    }

    fn places_of_class(&mut self, regex: &Regex) -> Result<Rc<[u64]>, GaveUp> {
        let address: *const Regex = regex;
        if let Some(places) = self.classes.get(&address) {
            return Ok(Rc::clone(places));
        }
        if let Regex::Chars(ranges) = regex {
            self.effort.spend(ranges.len().saturating_mul(self.chars.len()))?;
        }
        let places = self.find(|c| regex.is_class_of(c))?;
        if self.may_keep(&places) {
            self.classes.insert(address, Rc::clone(&places));
        }
        Ok(places)
    }

    fn find(&self, is_wanted: impl Fn(char) -> bool) -> Result<Rc<[u64]>, GaveUp> {
        self.effort.spend(self.chars.len())?;
        let mut places = self.nowhere();
        for (i, &c) in self.chars.iter().enumerate() {
            places[i / 64] |= u64::from(is_wanted(c)) << (i % 64);
        }
        Ok(places.into())
    }

    fn may_keep(&mut self, places: &[u64]) -> bool {
        self.n_cached_words += places.len();
        self.n_cached_words <= MAX_CACHED_WORDS
    }
}

/// The positions behind those of `at` that are among `places`.
fn read(at: &mut [u64], places: &[u64]) {
    let mut carry = 0;
    for (at, places) in at.iter_mut().zip(places) {
        let stays = *at & places;
        *at = stays << 1 | carry;
        carry = stays >> 63;
    }
}

fn unite(to: &mut [u64], other: &[u64]) {
    to.iter_mut().zip(other).for_each(|(to, other)| *to |= other);
}

fn is_empty(set: &[u64]) -> bool {
    set.iter().all(|&word| word == 0)
}

/// The first position of a set that has one.
fn first(set: &[u64]) -> usize {
    let word = set.iter().position(|&word| word != 0).unwrap_or(0);
    64 * word + set[word].trailing_zeros() as usize
}
