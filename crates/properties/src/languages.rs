//! Random languages: ours against an engine for regular expressions that knows nothing of ours.

use arbitrary::{Result, Unstructured};
use keyaki_automata::{CharClass, Expr, Language, Limits, find, find_n, shortest};
use regex_automata::dfa::{Automaton, StartKind, dense};
use regex_automata::util::syntax;
use regex_automata::{Anchored, Input};
use serde_json::{Value, json};

use crate::NoCase;
use crate::formulas::{character, draw_regex, head, no_case};

/// The characters of which all short words are tried: one for each set of characters that no
/// expression tells apart, so that no shorter word can be missing among them.
const LETTERS: [char; 7] = ['0', 'a', 'b', 'c', 'z', '\u{6f22}', '\u{10ffff}'];

/// How long these words are at most.
const MAX_LENGTH: usize = 3;

/// How many words of a language are looked at.
const MAX_WORDS: usize = 10;

/// Languages of which words are wanted, and others of which none is.
pub(crate) fn draw(u: &mut Unstructured<'_>) -> Result<Value> {
    let mut many = |max| -> Result<Vec<Value>> {
        let n = u.int_in_range(0..=max)?;
        (0..n).map(|_| draw_regex(u, 3)).collect()
    };
    Ok(json!({"all": many(2)?, "none": many(2)?}))
}

/// Membership of each word is the same, words that are found are words, and none is overlooked.
pub(crate) fn check(case: &Value) -> std::result::Result<Vec<&'static str>, NoCase> {
    let read = |side: &str| -> std::result::Result<Vec<(Language, Oracle)>, NoCase> {
        let list = crate::case::list(case, side)?.iter();
        list.map(|regex| Ok((language(regex)?, Oracle::new(regex)?))).collect()
    };
    let (all, none) = (read("all")?, read("none")?);
    for word in words() {
        for (language, oracle) in all.iter().chain(&none) {
            assert_eq!(language.matches(&word), oracle.matches(&word), "{word:?} in {language:?}");
        }
    }
    let is_wanted = |word: &String| {
        all.iter().all(|(_, oracle)| oracle.matches(word))
            && !none.iter().any(|(_, oracle)| oracle.matches(word))
    };
    let languages = |side: &[(Language, Oracle)]| -> Vec<Language> {
        side.iter().map(|(language, _)| language.clone()).collect()
    };
    let (positives, negatives) = (languages(&all), languages(&none));
    let limits = Limits::default();
    let found = find(&positives, &negatives, &limits).expect("small automata");
    let least = shortest(&positives, &negatives, &limits).expect("small automata");
    let several = find_n(&positives, &negatives, MAX_WORDS, &limits).expect("small automata");
    for word in found.iter().chain(&least).chain(&several) {
        assert!(is_wanted(word), "{word:?} is found");
    }
    assert_eq!(found.is_some(), least.is_some(), "{found:?} {least:?}");
    assert_eq!(found.is_some(), !several.is_empty(), "{found:?} {several:?}");
    let length = |word: &String| word.chars().count();
    let overlooked = words().into_iter().filter(is_wanted).min_by_key(length);
    if let Some(overlooked) = overlooked {
        let least = least.expect("a word is overlooked");
        assert_eq!(length(&least), length(&overlooked), "{least:?} {overlooked:?}");
        return Ok(vec!["has words"]);
    }
    Ok(vec![if least.is_some() { "has long words" } else { "is empty" }])
}

fn language(value: &Value) -> std::result::Result<Language, NoCase> {
    let expr = expr(value, 0)?;
    Ok(Language::new(&expr, &Limits::default()).expect("a small automaton"))
}

fn expr(value: &Value, depth: u32) -> std::result::Result<Expr, NoCase> {
    if let Value::String(text) = value {
        return Ok(Expr::literal(text.as_str()));
    }
    let all = |parts: &[Value]| {
        let parts = parts.iter().map(|part| expr(part, depth + 1));
        parts.collect::<std::result::Result<Vec<Expr>, NoCase>>()
    };
    Ok(match head(value, depth)? {
        ("any", []) => Expr::AnyChar,
        ("all", []) => Expr::All,
        ("chars", [low, high]) => Expr::chars([(character(low)?, character(high)?)]),
        ("not-char", [c]) => Expr::Chars(CharClass::single(character(c)?).complement()),
        ("concat", parts) => Expr::Concat(all(parts)?),
        ("union", parts) => Expr::Union(all(parts)?),
        ("star", [inner]) => expr(inner, depth + 1)?.star(),
        ("repeat", [inner, times]) if times.as_u64() == Some(2) => expr(inner, depth + 1)?.times(2),
        _ => return Err(no_case(value)),
    })
}

/// The same by another engine, from the same JSON.
struct Oracle(dense::DFA<Vec<u32>>);

impl Oracle {
    fn new(value: &Value) -> std::result::Result<Oracle, NoCase> {
        let text = format!("(?s)(?:{})\\z", pattern(value, 0)?);
        let dfa = dense::Builder::new()
            .configure(dense::Config::new().start_kind(StartKind::Anchored))
            .syntax(syntax::Config::new().unicode(true).utf8(true))
            .build(&text)
            .unwrap_or_else(|error| panic!("{text}: {error}"));
        Ok(Oracle(dfa))
    }

    fn matches(&self, word: &str) -> bool {
        let input = Input::new(word).anchored(Anchored::Yes);
        self.0.try_search_fwd(&input).expect("a search that cannot fail").is_some()
    }
}

/// In the syntax of the other engine, which has no other empty language than the class of nothing.
fn pattern(value: &Value, depth: u32) -> std::result::Result<String, NoCase> {
    let escaped = |c: char| format!("\\x{{{:x}}}", u32::from(c));
    if let Value::String(text) = value {
        return Ok(text.chars().map(escaped).collect());
    }
    let joined = |parts: &[Value], separator: &str| -> std::result::Result<String, NoCase> {
        let parts = parts.iter().map(|part| Ok(format!("(?:{})", pattern(part, depth + 1)?)));
        Ok(parts.collect::<std::result::Result<Vec<String>, NoCase>>()?.join(separator))
    };
    Ok(match head(value, depth)? {
        ("any", []) => ".".to_owned(),
        ("all", []) => ".*".to_owned(),
        ("chars", [low, high]) => {
            let (low, high) = (character(low)?, character(high)?);
            if low > high {
                "[a&&b]".to_owned()
            } else {
                format!("[{}-{}]", escaped(low), escaped(high))
            }
        }
        ("not-char", [c]) => format!("[^{}]", escaped(character(c)?)),
        ("concat", parts) => joined(parts, "")?,
        ("union", []) => "[a&&b]".to_owned(),
        ("union", parts) => joined(parts, "|")?,
        ("star", [inner]) => format!("(?:{})*", pattern(inner, depth + 1)?),
        ("repeat", [inner, _]) => format!("(?:{}){{2}}", pattern(inner, depth + 1)?),
        _ => return Err(no_case(value)),
    })
}

/// Every word over the letters up to the length.
fn words() -> Vec<String> {
    let mut words = vec![String::new()];
    let mut from = 0;
    for _ in 0..MAX_LENGTH {
        let to = words.len();
        for i in from..to {
            words.extend(LETTERS.iter().map(|c| format!("{}{c}", words[i])).collect::<Vec<_>>());
        }
        from = to;
    }
    words
}
