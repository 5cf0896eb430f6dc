//! Regular expressions over Unicode scalar values: what policies need, and the rest of what SMT-LIB has.
//!
//! Whether a word is in a language is found out by sets of positions in it, without automata: that is
//! how the models of the automaton solver are checked, so it must not be the code that found them.

use std::cell::Cell;

use simulation::Simulation;

mod simulation;

/// A regular language.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Regex {
    /// Exactly this string.
    Literal(String),
    /// Every string of length one.
    AnyChar,
    /// Every string.
    All,
    /// Every string of length one whose character lies in one of these inclusive ranges.
    Chars(Vec<(char, char)>),
    /// Every string of length one whose character is not this one.
    NotChar(char),
    /// Concatenations; the empty list is the empty string.
    Concat(Vec<Regex>),
    /// The union; the empty list is the empty language.
    Union(Vec<Regex>),
    /// Any number of repetitions, none included.
    Star(Box<Regex>),
    /// Exactly so many repetitions.
    Repeat(Box<Regex>, u32),
    /// At least so many repetitions and, unless the second is `None`, at most so many; the empty
    /// language if that is fewer.
    Loop(Box<Regex>, u32, Option<u32>),
    /// The intersection; the empty list is every string.
    Intersection(Vec<Regex>),
    /// Every string that is not in the language.
    Complement(Box<Regex>),
}

/// The depth of a regular expression up to which everybody who recurses over one has a stack for
/// it. What policies become has a depth of three.
pub const MAX_DEPTH: u32 = 100;

/// Steps between two looks at the clock or flag of the caller; a step is a nanosecond or so.
const STEPS_BETWEEN_LOOKS: u64 = 1 << 16;

/// Says when a simulation has taken too long.
pub struct Effort<'a> {
    /// Whether to give up.
    is_over: Option<&'a dyn Fn() -> bool>,
    /// Until the next look.
    n_steps_left: Cell<u64>,
}

/// A simulation was given up; it says nothing about the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GaveUp;

impl<'a> Effort<'a> {
    /// Until `is_over`, which is asked every so many steps.
    pub fn until(is_over: &'a dyn Fn() -> bool) -> Effort<'a> {
        Effort { is_over: Some(is_over), n_steps_left: Cell::new(STEPS_BETWEEN_LOOKS) }
    }

    /// As long as it takes.
    pub fn unlimited() -> Effort<'a> {
        Effort { is_over: None, n_steps_left: Cell::new(u64::MAX) }
    }

    /// Records so many steps.
    #[inline]
    fn spend(&self, n_steps: usize) -> Result<(), GaveUp> {
        match self.n_steps_left.get().checked_sub(n_steps as u64) {
            Some(left) => {
                self.n_steps_left.set(left);
                Ok(())
            }
            None => self.look(),
        }
    }

    #[cold]
    fn look(&self) -> Result<(), GaveUp> {
        self.n_steps_left.set(STEPS_BETWEEN_LOOKS);
        if self.is_over.is_some_and(|is_over| is_over()) { Err(GaveUp) } else { Ok(()) }
    }
}

impl Regex {
    /// One or more repetitions of `inner`.
    pub fn plus(inner: Regex) -> Regex {
        Regex::Concat(vec![inner.clone(), Regex::Star(Box::new(inner))])
    }

    /// `inner` or the empty string.
    pub fn optional(inner: Regex) -> Regex {
        Regex::Union(vec![Regex::Literal(String::new()), inner])
    }

    /// Whether `text` is in the language.
    ///
    /// Looks at the ends first, which decide nearly always, and allocates nothing for that.
    pub fn matches(&self, text: &str) -> bool {
        // Unlimited effort is never given up.
        self.matches_within(text, &Effort::unlimited()).unwrap_or_default()
    }

    /// As [`Regex::matches`], with limited effort.
    ///
    /// # Errors
    ///
    /// [`GaveUp`] if that was not enough.
    pub fn matches_within(&self, text: &str, effort: &Effort<'_>) -> Result<bool, GaveUp> {
        match self {
            Regex::Literal(literal) => return Ok(literal == text),
            Regex::All => return Ok(true),
            Regex::Union(parts) => {
                for part in parts {
                    if part.matches_within(text, effort)? {
                        return Ok(true);
                    }
                }
                return Ok(false);
            }
            Regex::Intersection(parts) => {
                for part in parts {
                    if !part.matches_within(text, effort)? {
                        return Ok(false);
                    }
                }
                return Ok(true);
            }
            Regex::Complement(inner) => return Ok(!inner.matches_within(text, effort)?),
            Regex::Concat(parts) => {
                if let [Regex::Literal(first), rest @ ..] = &parts[..] {
                    let Some(text) = text.strip_prefix(first.as_str()) else { return Ok(false) };
                    if let [Regex::All] = rest {
                        return Ok(true);
                    }
                    if rest.is_empty() {
                        return Ok(text.is_empty());
                    }
                }
                if let Some(Regex::Literal(last)) = parts.last()
                    && !text.ends_with(last.as_str())
                {
                    return Ok(false);
                }
            }
            _ => {}
        }
        self.simulate(text, effort)
    }

    /// Whether `text` is in the language, by sets of positions instead of backtracking. A text has
    /// one position more than characters.
    fn simulate(&self, text: &str, effort: &Effort<'_>) -> Result<bool, GaveUp> {
        // No text has fewer bytes than characters.
        if text.len() < MAX_MASKED {
            let mut buffer = ['\0'; MAX_MASKED];
            let mut length = 0;
            for (slot, c) in buffer.iter_mut().zip(text.chars()) {
                *slot = c;
                length += 1;
            }
            return Ok(self.step_masked(&buffer[..length], 1, effort)? >> length & 1 == 1);
        }
        Simulation::new(text, effort).accepts(self)
    }

    /// The positions reachable by reading a word of the language from one of the positions `from`,
    /// of fewer than [`MAX_MASKED`] characters: bit `i` says whether position `i` is reached.
    /// Allocates nothing.
    fn step_masked(&self, chars: &[char], from: u64, effort: &Effort<'_>) -> Result<u64, GaveUp> {
        if from == 0 {
            return Ok(0);
        }
        effort.spend(1)?;
        let all = (2 << chars.len()) - 1;
        Ok(match self {
            Regex::Literal(literal) => {
                let read = |at: u64, wanted| shifted(chars, at, |c| c == wanted);
                effort.spend(literal.len())?;
                literal.chars().fold(from, read)
            }
            // From the first position on.
            Regex::All => (u64::MAX << from.trailing_zeros()) & all,
            Regex::Concat(parts) => {
                let mut at = from;
                for part in parts {
                    at = part.step_masked(chars, at, effort)?;
                }
                at
            }
            Regex::Union(parts) => {
                let mut to = 0;
                for part in parts {
                    to |= part.step_masked(chars, from, effort)?;
                }
                to
            }
            Regex::Star(inner) => inner.star_masked(chars, from, u32::MAX, effort)?,
            Regex::Repeat(inner, times) => inner.times_masked(chars, from, *times, effort)?,
            Regex::Loop(inner, min, max) => {
                let Some(more) = max.unwrap_or(u32::MAX).checked_sub(*min) else { return Ok(0) };
                let at = inner.times_masked(chars, from, *min, effort)?;
                inner.star_masked(chars, at, more, effort)?
            }
            // Which of the starts it was matters here.
            Regex::Intersection(_) | Regex::Complement(_) => {
                let mut to = 0;
                let mut left = from;
                while left != 0 {
                    let start = left & left.wrapping_neg();
                    left &= left - 1;
                    to |= match self {
                        Regex::Complement(inner) => {
                            let behind = (u64::MAX << start.trailing_zeros()) & all;
                            behind & !inner.step_masked(chars, start, effort)?
                        }
                        Regex::Intersection(parts) => {
                            let mut both = (u64::MAX << start.trailing_zeros()) & all;
                            for part in parts {
                                both &= part.step_masked(chars, start, effort)?;
                            }
                            both
                        }
                        _ => 0,
                    };
                }
                to
            }
            Regex::AnyChar | Regex::Chars(_) | Regex::NotChar(_) => {
                effort.spend(chars.len())?;
                shifted(chars, from, |c| self.is_class_of(c))
            }
        })
    }

    /// As [`Regex::step_masked`], of at most so many repetitions of this; more than there are
    /// positions are as good as any number.
    fn star_masked(
        &self,
        chars: &[char],
        from: u64,
        max: u32,
        effort: &Effort<'_>,
    ) -> Result<u64, GaveUp> {
        let (mut reached, mut new) = (from, from);
        // Each round adds a position or ends.
        for _ in 0..max {
            new = self.step_masked(chars, new, effort)? & !reached;
            reached |= new;
            if new == 0 {
                break;
            }
        }
        Ok(reached)
    }

    /// As [`Regex::step_masked`], of so many repetitions of this.
    fn times_masked(
        &self,
        chars: &[char],
        from: u64,
        times: u32,
        effort: &Effort<'_>,
    ) -> Result<u64, GaveUp> {
        let mut at = from;
        for _ in 0..times {
            let next = self.step_masked(chars, at, effort)?;
            // A set that a step does not change is not changed by further ones either.
            if next == at {
                break;
            }
            at = next;
        }
        Ok(at)
    }

    /// Whether this is a class of characters and has this one.
    fn is_class_of(&self, c: char) -> bool {
        match self {
            Regex::AnyChar => true,
            Regex::Chars(ranges) => ranges.iter().any(|&(low, high)| low <= c && c <= high),
            Regex::NotChar(excluded) => c != *excluded,
            _ => false,
        }
    }

    /// Calls `visit` on every string literal and character bound in the expression.
    pub fn visit_chars(&self, visit: &mut dyn FnMut(char)) {
        match self {
            Regex::Literal(literal) => literal.chars().for_each(visit),
            Regex::AnyChar | Regex::All => {}
            Regex::Chars(ranges) => {
                for &(low, high) in ranges {
                    visit(low);
                    visit(high);
                }
            }
            Regex::NotChar(c) => visit(*c),
            Regex::Concat(parts) | Regex::Union(parts) | Regex::Intersection(parts) => {
                for part in parts {
                    part.visit_chars(visit);
                }
            }
            Regex::Star(inner)
            | Regex::Repeat(inner, _)
            | Regex::Loop(inner, ..)
            | Regex::Complement(inner) => inner.visit_chars(visit),
        }
    }
}

/// Texts of fewer bytes than this have their positions in the bits of one number.
const MAX_MASKED: usize = 63;

/// The positions after those of `at` that one accepted character follows.
fn shifted(chars: &[char], at: u64, accepts: impl Fn(char) -> bool) -> u64 {
    let mut to = 0;
    let mut left = at & ((1 << chars.len()) - 1);
    while left != 0 {
        let i = left.trailing_zeros();
        left &= left - 1;
        to |= u64::from(accepts(chars[i as usize])) << (i + 1);
    }
    to
}

#[cfg(test)]
mod tests {
    use keyaki_testing::arbitrary::{self, Unstructured};
    use keyaki_testing::arbtest;

    use super::*;

    #[track_caller]
    fn check(regex: Regex, accepted: &[&str], rejected: &[&str]) {
        for text in accepted {
            assert!(regex.matches(text), "{regex:?} should accept {text:?}");
        }
        for text in rejected {
            assert!(!regex.matches(text), "{regex:?} should reject {text:?}");
        }
    }

    fn literal(text: &str) -> Regex {
        Regex::Literal(text.to_owned())
    }

    fn random(u: &mut Unstructured<'_>, depth: u32) -> arbitrary::Result<Regex> {
        let choice = if depth == 0 { u.int_in_range(0..=3)? } else { u.int_in_range(0..=10)? };
        Ok(match choice {
            0 | 1 => literal(u.choose::<&str>(&["", "a", "b", "ab", "aa"])?),
            2 => Regex::All,
            3 => Regex::NotChar('a'),
            4 => Regex::Star(Box::new(random(u, depth - 1)?)),
            5 => Regex::Repeat(Box::new(random(u, depth - 1)?), u.int_in_range(0..=3)?),
            6 => {
                let (min, max) = (u.int_in_range(0..=3)?, u.int_in_range(0..=4)?);
                let max = (max < 4).then_some(max);
                Regex::Loop(Box::new(random(u, depth - 1)?), min, max)
            }
            7 => Regex::Complement(Box::new(random(u, depth - 1)?)),
            connective => {
                let mut parts = Vec::new();
                for _ in 0..u.int_in_range(0..=3)? {
                    parts.push(random(u, depth - 1)?);
                }
                match connective {
                    8 => Regex::Concat(parts),
                    9 => Regex::Union(parts),
                    _ => Regex::Intersection(parts),
                }
            }
        })
    }

    /// Whether `text` is in the language, by the definition.
    fn is_in(regex: &Regex, text: &[char]) -> bool {
        let cuts = |head: &dyn Fn(&[char]) -> bool, tail: &dyn Fn(&[char]) -> bool| {
            (0..=text.len()).any(|at| head(&text[..at]) && tail(&text[at..]))
        };
        match regex {
            Regex::Literal(word) => word.chars().eq(text.iter().copied()),
            Regex::All => true,
            Regex::AnyChar | Regex::Chars(_) | Regex::NotChar(_) => {
                text.len() == 1 && regex.is_class_of(text[0])
            }
            Regex::Concat(parts) => match &parts[..] {
                [] => text.is_empty(),
                [first, rest @ ..] => {
                    let rest = Regex::Concat(rest.to_vec());
                    cuts(&|head| is_in(first, head), &|tail| is_in(&rest, tail))
                }
            },
            Regex::Union(parts) => parts.iter().any(|part| is_in(part, text)),
            Regex::Intersection(parts) => parts.iter().all(|part| is_in(part, text)),
            Regex::Complement(inner) => !is_in(inner, text),
            // A repetition that reads nothing is not needed, but the least number is to be had.
            Regex::Star(inner) => is_in(&Regex::Loop(inner.clone(), 0, None), text),
            Regex::Repeat(inner, n) => is_in(&Regex::Loop(inner.clone(), *n, Some(*n)), text),
            Regex::Loop(_, 0, _) if text.is_empty() => true,
            Regex::Loop(_, min, Some(max)) if max < min => false,
            Regex::Loop(_, _, Some(0)) => false,
            Regex::Loop(inner, min, max) => {
                let rest =
                    Regex::Loop(inner.clone(), min.saturating_sub(1), max.map(|max| max - 1));
                let reads = |head: &[char]| (*min > 0 || !head.is_empty()) && is_in(inner, head);
                cuts(&reads, &|tail| is_in(&rest, tail))
            }
        }
    }

    #[test]
    fn the_simulation_finds_what_the_definition_says() {
        let texts = ["", "a", "b", "aa", "ab", "ba", "aab", "aba", "bbb"];
        arbtest(|u| {
            let regex = random(u, 2)?;
            for text in texts {
                let chars: Vec<char> = text.chars().collect();
                assert_eq!(regex.matches(text), is_in(&regex, &chars), "{regex:?} on {text:?}");
            }
            Ok(())
        });
    }

    #[test]
    fn long_texts_are_simulated_as_short_ones_are() {
        let check = |regex: &Regex, text: &str, expected| {
            assert_eq!(regex.matches(text), expected, "{regex:?} on {} bytes", text.len());
        };
        for n in [62, 63, 64, 65, 127, 128, 200] {
            let text = "a".repeat(n);
            let a = || Box::new(literal("a"));
            let n32 = n as u32;
            check(&Regex::Repeat(a(), n32), &text, true);
            check(&Regex::Repeat(a(), n32 - 1), &text, false);
            check(&Regex::Loop(a(), 3, Some(n32)), &text, true);
            check(&Regex::Loop(a(), 3, Some(n32 - 1)), &text, false);
            check(&Regex::Loop(a(), n32 + 1, None), &text, false);
            check(&Regex::Star(Box::new(literal("aa"))), &text, n % 2 == 0);
            let b_somewhere = Regex::Concat(vec![Regex::All, literal("b"), Regex::All]);
            let no_b = Regex::Complement(Box::new(b_somewhere));
            let parts = vec![Regex::Chars(vec![('a', 'c')]), no_b, Regex::AnyChar];
            check(&Regex::Concat(parts.clone()), &text, true);
            check(&Regex::Concat(parts), &format!("{text}b{text}"), false);
        }
    }

    #[test]
    fn effort_ends() {
        let slow =
            Regex::Star(Box::new(Regex::Concat(vec![Regex::Star(Box::new(Regex::Concat(vec![
                Regex::Star(Box::new(literal("a"))),
                Regex::Complement(Box::new(literal("a"))),
            ])))])));
        let text = "a".repeat(3_000);
        let no_time = || true;
        assert_eq!(slow.matches_within(&text, &Effort::until(&no_time)), Err(GaveUp));
    }

    #[test]
    fn a_look_at_the_ends_decides_as_the_simulation_does() {
        arbtest(|u| {
            let regex = random(u, 2)?;
            for text in ["", "a", "b", "aa", "ab", "ba", "aab", "aba", "abab", "bbb"] {
                let simulated = regex.simulate(text, &Effort::unlimited());
                assert_eq!(Ok(regex.matches(text)), simulated, "{regex:?} on {text:?}");
            }
            Ok(())
        });
    }

    #[test]
    fn positions_in_one_number_are_the_positions_in_a_list() {
        arbtest(|u| {
            let regex = random(u, 3)?;
            let chars = |n: usize| ['a', 'b', '\u{e9}'].into_iter().cycle().take(n).collect();
            let lengths = [0, 1, 5, MAX_MASKED - 1];
            let texts: [Vec<char>; 4] = lengths.map(chars);
            for text in texts {
                let mask = u.arbitrary::<u64>()? & ((2 << text.len()) - 1);
                let text_of: String = text.iter().collect();
                let effort = Effort::unlimited();
                let mut simulation = Simulation::new(&text_of, &effort);
                let masked = regex.step_masked(&text, mask, &effort).unwrap();
                assert_eq!(vec![masked], simulation.step(&regex, &[mask]).unwrap());
            }
            Ok(())
        });
    }

    #[test]
    fn literals_are_whole_words() {
        check(literal("ab"), &["ab"], &["", "a", "abc", "xab"]);
        check(literal(""), &[""], &["a"]);
        check(literal("aa"), &["aa"], &["a", "aaa"]);
    }

    #[test]
    fn all_is_every_string_after_the_prefix() {
        let regex = Regex::Concat(vec![literal("a"), Regex::All, literal("b")]);
        check(regex, &["ab", "a:/b", "abb"], &["a", "b", "aba"]);
        check(Regex::Concat(vec![]), &[""], &["a"]);
        check(Regex::Union(vec![]), &[], &["", "a"]);
    }

    #[test]
    fn classes_count_characters_not_bytes() {
        check(Regex::AnyChar, &["a", "\u{e9}", "\u{1f600}"], &["", "ab"]);
        check(Regex::NotChar(':'), &["a"], &[":", ""]);
        check(Regex::Chars(vec![('0', '9'), ('a', 'f')]), &["0", "c"], &["g", ""]);
    }

    #[test]
    fn repetition_is_exact_and_star_is_a_fixpoint() {
        let digit = || Regex::Chars(vec![('0', '9')]);
        check(Regex::Repeat(Box::new(digit()), 3), &["123"], &["12", "1234"]);
        check(Regex::Star(Box::new(literal("ab"))), &["", "ab", "abab"], &["a", "aba"]);
        check(Regex::plus(digit()), &["1", "12"], &["", "a"]);
        check(Regex::optional(digit()), &["", "1"], &["12"]);
        // A star of something that accepts the empty string ends.
        check(Regex::Star(Box::new(Regex::All)), &["", "x"], &[]);
    }
}
