//! Regular expressions over Unicode scalar values, as far as policies need them.

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
        match self {
            Regex::Literal(literal) => return literal == text,
            Regex::All => return true,
            Regex::Union(parts) => return parts.iter().any(|part| part.matches(text)),
            Regex::Concat(parts) => {
                if let [Regex::Literal(first), rest @ ..] = &parts[..] {
                    let Some(text) = text.strip_prefix(first.as_str()) else { return false };
                    if let [Regex::All] = rest {
                        return true;
                    }
                    if rest.is_empty() {
                        return text.is_empty();
                    }
                }
                if let Some(Regex::Literal(last)) = parts.last()
                    && !text.ends_with(last.as_str())
                {
                    return false;
                }
            }
            _ => {}
        }
        self.simulate(text)
    }

    /// Whether `text` is in the language, by sets of positions instead of backtracking: at most
    /// length × length × size steps. A text has one position more than characters.
    fn simulate(&self, text: &str) -> bool {
        // No text has fewer bytes than characters.
        if text.len() < MAX_MASKED {
            let mut buffer = ['\0'; MAX_MASKED];
            let mut length = 0;
            for (slot, c) in buffer.iter_mut().zip(text.chars()) {
                *slot = c;
                length += 1;
            }
            return self.step_masked(&buffer[..length], 1) >> length & 1 == 1;
        }
        let chars: Vec<char> = text.chars().collect();
        let mut from = vec![false; chars.len() + 1];
        from[0] = true;
        self.step(&chars, &from)[chars.len()]
    }

    /// What [`Regex::step`] does, of fewer than [`MAX_MASKED`] characters: bit `i` says whether
    /// position `i` is reached. Allocates nothing.
    fn step_masked(&self, chars: &[char], from: u64) -> u64 {
        if from == 0 {
            return 0;
        }
        match self {
            Regex::Literal(literal) => {
                let read = |at: u64, wanted| shifted(chars, at, |c| c == wanted);
                literal.chars().fold(from, read)
            }
            // From the first position on.
            Regex::All => (u64::MAX << from.trailing_zeros()) & ((2 << chars.len()) - 1),
            Regex::Concat(parts) => parts.iter().fold(from, |at, part| part.step_masked(chars, at)),
            Regex::Union(parts) => {
                parts.iter().fold(0, |to, part| to | part.step_masked(chars, from))
            }
            Regex::Star(inner) => {
                let (mut reached, mut new) = (from, from);
                // Each round adds a position or ends.
                while new != 0 {
                    new = inner.step_masked(chars, new) & !reached;
                    reached |= new;
                }
                reached
            }
            Regex::Repeat(inner, times) => {
                let mut at = from;
                for _ in 0..*times {
                    let next = inner.step_masked(chars, at);
                    // A set that a step does not change is not changed by further ones either.
                    if next == at {
                        break;
                    }
                    at = next;
                }
                at
            }
            Regex::AnyChar | Regex::Chars(_) | Regex::NotChar(_) => {
                shifted(chars, from, |c| self.is_class_of(c))
            }
        }
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

    /// The positions reachable by reading a word of the language from one of the positions `from`.
    fn step(&self, chars: &[char], from: &[bool]) -> Vec<bool> {
        let advance = |accepts: &dyn Fn(char) -> bool| {
            let mut to = vec![false; from.len()];
            for (i, &c) in chars.iter().enumerate() {
                to[i + 1] = from[i] && accepts(c);
            }
            to
        };
        match self {
            Regex::Literal(literal) => {
                let mut at = from.to_vec();
                for wanted in literal.chars() {
                    // Shifting right by one, in place, from the end.
                    for i in (0..chars.len()).rev() {
                        at[i + 1] = at[i] && chars[i] == wanted;
                    }
                    at[0] = false;
                }
                at
            }
            Regex::AnyChar => advance(&|_| true),
            Regex::Chars(ranges) => {
                advance(&|c| ranges.iter().any(|&(low, high)| low <= c && c <= high))
            }
            Regex::NotChar(excluded) => advance(&|c| c != *excluded),
            Regex::All => {
                let first = from.iter().position(|&reached| reached).unwrap_or(from.len());
                (0..from.len()).map(|i| i >= first).collect()
            }
            Regex::Concat(parts) => {
                parts.iter().fold(from.to_vec(), |at, part| part.step(chars, &at))
            }
            Regex::Union(parts) => parts.iter().fold(vec![false; from.len()], |mut to, part| {
                for (to, part) in to.iter_mut().zip(part.step(chars, from)) {
                    *to |= part;
                }
                to
            }),
            Regex::Star(inner) => {
                let mut reached = from.to_vec();
                loop {
                    // Each round adds a position or ends.
                    let next = inner.step(chars, &reached);
                    let mut grew = false;
                    for (reached, next) in reached.iter_mut().zip(next) {
                        grew |= next && !*reached;
                        *reached |= next;
                    }
                    if !grew {
                        return reached;
                    }
                }
            }
            Regex::Repeat(inner, times) => {
                (0..*times).fold(from.to_vec(), |at, _| inner.step(chars, &at))
            }
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
            Regex::Concat(parts) | Regex::Union(parts) => {
                for part in parts {
                    part.visit_chars(visit);
                }
            }
            Regex::Star(inner) | Regex::Repeat(inner, _) => inner.visit_chars(visit),
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
        let choice = if depth == 0 { u.int_in_range(0..=3)? } else { u.int_in_range(0..=6)? };
        Ok(match choice {
            0 | 1 => literal(u.choose::<&str>(&["", "a", "b", "ab", "aa"])?),
            2 => Regex::All,
            3 => Regex::NotChar('a'),
            4 => Regex::Star(Box::new(random(u, depth - 1)?)),
            connective => {
                let mut parts = Vec::new();
                for _ in 0..u.int_in_range(0..=3)? {
                    parts.push(random(u, depth - 1)?);
                }
                if connective == 5 { Regex::Concat(parts) } else { Regex::Union(parts) }
            }
        })
    }

    #[test]
    fn a_look_at_the_ends_decides_as_the_simulation_does() {
        arbtest(|u| {
            let regex = random(u, 2)?;
            for text in ["", "a", "b", "aa", "ab", "ba", "aab", "aba", "abab", "bbb"] {
                assert_eq!(regex.matches(text), regex.simulate(text), "{regex:?} on {text:?}");
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
                let mut from = vec![false; text.len() + 1];
                let mut mask = 0;
                for (i, reached) in from.iter_mut().enumerate() {
                    *reached = u.arbitrary()?;
                    mask |= u64::from(*reached) << i;
                }
                let bits = |list: &[bool]| {
                    list.iter().enumerate().fold(0, |bits, (i, &b)| bits | u64::from(b) << i)
                };
                assert_eq!(regex.step_masked(&text, mask), bits(&regex.step(&text, &from)));
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
