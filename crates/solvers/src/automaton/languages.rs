//! The formula's regular expressions as languages, and what the search asks of them.
//!
//! The algebra is in `keyaki-automata`; here is the way there from terms, and two tests that look
//! at two languages for a moment only, because the search asks them of every pair.

use keyaki_automata::{CharClass, Expr, Item, Language, LimitExceeded, Limits, Pattern};
use keyaki_logic::regex::MAX_DEPTH;
use keyaki_logic::{Reason, Regex};

use super::watch::Watch;

/// States of the product of the automata of one variable. With sets of positions a state has some
/// hundred bytes.
const MAX_STATES: usize = 500_000;

/// Steps of all attempts to leave languages out of one core. Trying costs more than the larger core
/// does, from here on.
const MAX_CORE_STEPS: u64 = 3_200_000;

/// Pairs of items up to which patterns are compared where nothing depends on it.
const MAX_PAIRS_COMPARED: usize = 1 << 20;

/// The length of a list of words up to which each is tried in comparing two languages.
const MAX_WORDS_COMPARED: usize = 64;

/// Whether languages have a word in common.
#[derive(Clone, Debug)]
pub(super) enum Emptiness {
    /// This one.
    Word(String),
    /// None, for which these are enough: indices.
    Empty { positives: Vec<usize>, negatives: Vec<usize> },
}

/// The language of a regular expression.
pub(super) fn language(regex: &Regex, watch: &Watch<'_>) -> Result<Language, Reason> {
    if let Regex::Literal(text) = regex {
        return Ok(Language::literal(text));
    }
    if let Regex::Union(parts) = regex {
        let words: Option<Vec<&str>> = parts.iter().map(as_text).collect();
        if let Some(words) = words {
            return Ok(Language::words(words));
        }
    }
    let expr = expr(regex, 0)?;
    let stop = watch.stopper();
    Language::new(&expr, &limits(&stop, u64::MAX)).map_err(|limit| reason(limit, watch))
}

fn as_text(regex: &Regex) -> Option<&str> {
    match regex {
        Regex::Literal(text) => Some(text),
        _ => None,
    }
}

fn expr(regex: &Regex, depth: u32) -> Result<Expr, Reason> {
    if depth > MAX_DEPTH {
        return Err(Reason::Unsupported);
    }
    let all = |parts: &[Regex]| -> Result<Vec<Expr>, Reason> {
        parts.iter().map(|part| expr(part, depth + 1)).collect()
    };
    Ok(match regex {
        Regex::Literal(text) => Expr::literal(text.as_str()),
        Regex::AnyChar => Expr::AnyChar,
        Regex::All => Expr::All,
        Regex::Chars(ranges) => Expr::chars(ranges.iter().copied()),
        Regex::NotChar(c) => Expr::Chars(CharClass::single(*c).complement()),
        Regex::Concat(parts) => Expr::Concat(all(parts)?),
        Regex::Union(parts) => Expr::Union(all(parts)?),
        Regex::Star(inner) => expr(inner, depth + 1)?.star(),
        Regex::Repeat(inner, times) => expr(inner, depth + 1)?.times(*times),
        Regex::Loop(inner, min, max) => {
            Expr::Repeat { inner: Box::new(expr(inner, depth + 1)?), min: *min, max: *max }
        }
        Regex::Intersection(parts) => Expr::Intersection(all(parts)?),
        Regex::Complement(inner) => expr(inner, depth + 1)?.complement(),
    })
}

/// A word in all of `positives` and in none of `negatives`, or why there is none.
pub(super) fn find(
    positives: &[Language],
    negatives: &[Language],
    watch: &Watch<'_>,
) -> Result<Emptiness, Reason> {
    let stop = watch.stopper();
    let found = keyaki_automata::find(positives, negatives, &limits(&stop, u64::MAX));
    if let Some(word) = found.map_err(|limit| reason(limit, watch))? {
        return Ok(Emptiness::Word(word));
    }
    let core = keyaki_automata::core(positives, negatives, &limits(&stop, MAX_CORE_STEPS));
    Ok(match core {
        Ok(Some(why)) => Emptiness::Empty { positives: why.positives, negatives: why.negatives },
        // Too expensive; all together exclude each other in any case.
        _ => Emptiness::Empty {
            positives: (0..positives.len()).collect(),
            negatives: (0..negatives.len()).collect(),
        },
    })
}

/// True only if every word of `small` is in `large`.
pub(super) fn includes(large: &Language, small: &Language) -> bool {
    if let Some(words) = few_words(small) {
        return words.iter().all(|word| is_cheap(large, word) && large.matches(word));
    }
    match (large.as_pattern(), small.as_pattern()) {
        (Some(large), Some(small)) => {
            let n_pairs = large.items().len().saturating_mul(small.items().len());
            n_pairs <= MAX_PAIRS_COMPARED && large.subsumes(small)
        }
        _ => false,
    }
}

/// True only if no word is in both.
pub(super) fn exclude(a: &Language, b: &Language) -> bool {
    for (one, other) in [(a, b), (b, a)] {
        if let Some(words) = few_words(one) {
            return words.iter().all(|word| is_cheap(other, word) && !other.matches(word));
        }
    }
    match (a.as_pattern(), b.as_pattern()) {
        (Some(a), Some(b)) => ends_differ(a, b),
        _ => false,
    }
}

/// Whether it takes no long time to find out whether a word is in a language.
fn is_cheap(language: &Language, word: &str) -> bool {
    language.size().saturating_mul(word.len()) <= MAX_PAIRS_COMPARED
}

fn few_words(language: &Language) -> Option<&[Box<str>]> {
    language.as_words().filter(|words| words.len() <= MAX_WORDS_COMPARED)
}

/// Whether some character before the first star of both, or behind the last, cannot be the same.
fn ends_differ(a: &Pattern, b: &Pattern) -> bool {
    let apart = |(a, b): (&Item, &Item)| a.class.intersect(&b.class).is_empty();
    let fixed = |pair: &(&Item, &Item)| !pair.0.is_star && !pair.1.is_star;
    let (a, b) = (a.items(), b.items());
    a.iter().zip(b).take_while(fixed).any(apart)
        || a.iter().rev().zip(b.iter().rev()).take_while(fixed).any(apart)
}

fn limits<'a>(stop: &'a (dyn Fn() -> bool + Sync), max_steps: u64) -> Limits<'a> {
    Limits { max_states: MAX_STATES, max_steps, is_cancelled: Some(stop), ..Limits::default() }
}

fn reason(limit: LimitExceeded, watch: &Watch<'_>) -> Reason {
    match limit {
        LimitExceeded::Cancelled => watch.look().unwrap_or(Reason::Timeout),
        LimitExceeded::Steps(_) => Reason::Timeout,
        LimitExceeded::Depth(_) => Reason::Unsupported,
        LimitExceeded::States(_) | LimitExceeded::Memory(_) => Reason::Memory,
    }
}

#[cfg(test)]
mod tests {
    use keyaki_logic::{Cancel, Limits};

    use super::*;

    fn glob(text: &str) -> Language {
        Language::glob(text)
    }

    #[test]
    fn ends_that_differ_exclude_each_other() {
        assert!(exclude(&glob("a*"), &glob("b*")));
        assert!(exclude(&glob("*.a"), &glob("x*b")));
        assert!(!exclude(&glob("a*"), &glob("*b")));
        assert!(!exclude(&glob("a?"), &glob("ab*")));
        assert!(exclude(&Language::words(["ab", "ac"]), &glob("b*")));
        assert!(!exclude(&Language::words(["ab", "bc"]), &glob("b*")));
    }

    #[test]
    fn a_language_is_that_of_the_expression() {
        let limits = Limits::within(std::time::Duration::from_secs(60));
        let cancel = Cancel::new();
        let watch = Watch::new(&limits, &cancel);
        let parts = vec![
            Regex::Literal("a".to_owned()),
            Regex::Star(Box::new(Regex::NotChar(':'))),
            Regex::Repeat(Box::new(Regex::Chars(vec![('0', '9')])), 2),
            Regex::optional(Regex::AnyChar),
        ];
        let regex = Regex::Concat(parts);
        let language = language(&regex, &watch).unwrap();
        for word in ["a12", "a12x", "ab12", "a:12", "a1", "", "a12xy", "a1234"] {
            assert_eq!(language.matches(word), regex.matches(word), "{word}");
        }
    }

    #[test]
    fn an_expression_nested_too_deeply_is_unsupported() {
        let limits = Limits::within(std::time::Duration::from_secs(60));
        let cancel = Cancel::new();
        let watch = Watch::new(&limits, &cancel);
        let mut regex = Regex::AnyChar;
        for _ in 0..=MAX_DEPTH {
            regex = Regex::Star(Box::new(regex));
        }
        assert_eq!(language(&regex, &watch).err(), Some(Reason::Unsupported));
    }

    /// What takes long is not gone on with when nobody wants it any more.
    #[test]
    fn an_operation_on_languages_can_be_cancelled() {
        let letter = || Regex::Chars(vec![('a', 'b')]);
        let limits = Limits::within(std::time::Duration::from_secs(600));
        let cancel = Cancel::new();
        let watch = Watch::new(&limits, &cancel);
        let late = |first: &str| {
            let parts = vec![
                Regex::Star(Box::new(letter())),
                Regex::Literal(first.to_owned()),
                Regex::Repeat(Box::new(letter()), 30),
            ];
            language(&Regex::Concat(parts), &watch).unwrap()
        };
        let positives = [language(&Regex::Repeat(Box::new(letter()), 60), &watch).unwrap()];
        let negatives = ["aa", "bb", "aba", "bab"].map(late);
        cancel.cancel();
        assert_eq!(find(&positives, &negatives, &watch).err(), Some(Reason::Cancelled));
    }
}
