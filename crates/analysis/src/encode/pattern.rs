//! Patterns as constraints on string variables.
//!
//! A string of the request is often a concatenation, `arn:` + partition + `:iam::` + account + …,
//! of which only the parts are variables. A pattern of the whole is then a finite union of
//! patterns of the parts ([`concat_test`]), so that no solver ever has to reason about
//! concatenation, and equality of a part (the account, say) stays an equality.

use keyaki_logic::{Regex, Term, Terms};
use keyaki_policy::ast::{Segment, Template};

/// A piece of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// This character.
    Char(char),
    /// `?`: any one character.
    One,
    /// `*`: any string.
    Many,
}

/// A pattern, read from a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern {
    /// The tokens; [`Token::Many`]s are never neighbours.
    pub(super) tokens: Vec<Token>,
    /// Whether some [`Token::Many`] stands for a policy variable, so that the pattern is wider
    /// than what was written.
    pub(super) widened: bool,
}

impl Pattern {
    /// The pattern of a template in which `*` and `?` are wildcards if `wildcards` is set.
    pub(super) fn new(template: &Template, wildcards: bool) -> Pattern {
        let mut pattern = Pattern { tokens: Vec::new(), widened: false };
        for segment in &template.segments {
            match segment {
                Segment::Text(text) => text.chars().for_each(|c| match c {
                    '*' if wildcards => pattern.push(Token::Many),
                    '?' if wildcards => pattern.push(Token::One),
                    _ => pattern.push(Token::Char(c)),
                }),
                Segment::Escaped(c) => pattern.push(Token::Char(*c)),
                Segment::Variable { .. } => {
                    pattern.push(Token::Many);
                    pattern.widened = true;
                }
            }
        }
        pattern
    }

    fn push(&mut self, token: Token) {
        if token != Token::Many || self.tokens.last() != Some(&Token::Many) {
            self.tokens.push(token);
        }
    }
}

/// The tokens of a text without wildcards.
pub(super) fn literal(text: &str) -> Vec<Token> {
    text.chars().map(Token::Char).collect()
}

/// The fields of an ARN pattern: split at the first five colons, fewer if there are fewer.
pub(super) fn arn_fields(tokens: &[Token]) -> Vec<&[Token]> {
    tokens.splitn(6, |token| *token == Token::Char(':')).collect()
}

/// The language of the pattern.
pub(super) fn regex(tokens: &[Token]) -> Regex {
    regex_with(tokens, &Regex::AnyChar, &Regex::All)
}

/// The language of the pattern where `?` is a word of `one` and `*` a word of `many`.
pub(super) fn regex_with(tokens: &[Token], one: &Regex, many: &Regex) -> Regex {
    let mut parts = Vec::new();
    let mut text = String::new();
    for token in tokens {
        let wildcard = match token {
            Token::Char(c) => {
                text.push(*c);
                continue;
            }
            Token::One => one,
            Token::Many => many,
        };
        if !text.is_empty() {
            parts.push(Regex::Literal(std::mem::take(&mut text)));
        }
        parts.push(wildcard.clone());
    }
    if !text.is_empty() || parts.is_empty() {
        parts.push(Regex::Literal(text));
    }
    if parts.len() == 1 { parts.remove(0) } else { Regex::Concat(parts) }
}

/// Whether `text` is in the language of the pattern.
pub(super) fn matches(tokens: &[Token], text: &str) -> bool {
    regex(tokens).matches(text)
}

/// One part of a concatenation.
#[derive(Clone, Copy, Debug)]
pub(super) enum Part<'a> {
    /// A constant.
    Const(&'a str),
    /// A variable. Its values never contain a colon, which the axioms see to.
    Field(Term),
    /// A variable with any value; only as the last part.
    Rest(Term),
    /// What follows this prefix in a variable that begins with it, which the axioms see to; only
    /// as the last part.
    Behind(&'a str, Term),
}

/// The number of ways to lay a pattern over a concatenation after which [`concat_test`] gives up.
/// A pattern needs one way for each choice of the wildcards that swallow separators: a handful for
/// one or two stars.
const MAX_SPLITS: usize = 4096;

/// A term that is true if and only if the concatenation of `parts` is in the pattern's language;
/// `None` if the pattern is too intricate.
pub(super) fn concat_test(t: &mut Terms, parts: &[Part<'_>], tokens: &[Token]) -> Option<Term> {
    let mut budget = MAX_SPLITS;
    concat_within(t, parts, tokens, &mut budget)
}

fn concat_within(
    t: &mut Terms,
    parts: &[Part<'_>],
    tokens: &[Token],
    budget: &mut usize,
) -> Option<Term> {
    *budget = budget.checked_sub(1)?;
    let Some((part, rest)) = parts.split_first() else {
        return Some(t.bool(matches!(tokens, [] | [Token::Many])));
    };
    let mut ways = Vec::new();
    match *part {
        Part::Const(text) => {
            for at in after_reading(tokens, text) {
                ways.push(concat_within(t, rest, &tokens[at..], budget)?);
            }
        }
        Part::Rest(variable) => ways.push(t.in_re(variable, regex(tokens))),
        Part::Behind(prefix, variable) => {
            let whole: Vec<Token> = literal(prefix).into_iter().chain(tokens.to_vec()).collect();
            ways.push(t.in_re(variable, regex(&whole)));
        }
        Part::Field(variable) if rest.is_empty() => {
            ways.push(t.in_re(variable, regex(tokens)));
        }
        Part::Field(variable) => {
            for at in 0..=tokens.len() {
                // A star may end in this field and go on in the next; the splits just before and
                // just behind it are cases of that.
                let shared = tokens.get(at) == Some(&Token::Many);
                if at > 0 && tokens[at - 1] == Token::Many {
                    continue;
                }
                let field = if shared { &tokens[..=at] } else { &tokens[..at] };
                if field.contains(&Token::Char(':')) {
                    break;
                }
                let after = concat_within(t, rest, &tokens[at..], budget)?;
                if t.as_bool(after) != Some(false) {
                    let here = t.in_re(variable, regex(field));
                    ways.push(t.and([here, after]));
                }
            }
        }
    }
    Some(t.or(ways))
}

/// Where in the pattern one can be after reading `text` from its start. Of two places that differ
/// by a star only the first is kept: the star may be empty.
fn after_reading(tokens: &[Token], text: &str) -> Vec<usize> {
    let mut at = vec![0];
    for c in text.chars() {
        let mut next: Vec<usize> = Vec::new();
        for &start in &at {
            let mut i = start;
            loop {
                match tokens.get(i) {
                    Some(Token::Many) => {
                        next.push(i);
                        i += 1;
                        continue;
                    }
                    Some(Token::One) => next.push(i + 1),
                    Some(Token::Char(wanted)) if *wanted == c => next.push(i + 1),
                    _ => {}
                }
                break;
            }
        }
        next.sort_unstable();
        next.dedup();
        at = next;
    }
    let all = at.clone();
    at.retain(|&i| !(i > 0 && tokens[i - 1] == Token::Many && all.binary_search(&(i - 1)).is_ok()));
    at
}

#[cfg(test)]
mod tests {
    use arbtest::arbtest;
    use keyaki_logic::{Formula, Model, Sort, Value, eval};

    use super::*;

    fn like(text: &str) -> Vec<Token> {
        Pattern::new(&Template::text(text), true).tokens
    }

    #[test]
    fn stars_collapse_and_escapes_are_characters() {
        assert_eq!(like("a**?"), [Token::Char('a'), Token::Many, Token::One]);
        let template = Template { segments: vec![Segment::Escaped('*')] };
        assert_eq!(Pattern::new(&template, true).tokens, [Token::Char('*')]);
        assert_eq!(Pattern::new(&Template::text("*"), false).tokens, [Token::Char('*')]);
    }

    #[test]
    fn the_sixth_field_keeps_its_colons() {
        let tokens = like("arn:aws:sns:*:1:a:b");
        let fields = arn_fields(&tokens);
        assert_eq!(fields.len(), 6);
        assert_eq!(fields[5], like("a:b"));
        assert_eq!(arn_fields(&like("arn:aws:sqs")).len(), 3);
    }

    /// The pattern holds of the parts if and only if it matches their concatenation.
    #[test]
    fn a_pattern_of_parts_is_the_pattern_of_the_whole() {
        const WORDS: [&str; 5] = ["", "a", "b", "ab", "bb"];
        const RESTS: [&str; 6] = ["", "a", "a:b", ":", "b:a:", "ab"];
        arbtest(|u| {
            let mut text = String::new();
            for _ in 0..u.int_in_range(0..=7)? {
                text.push(*u.choose(&['a', 'b', ':', '*', '*', '?', 'n'])?);
            }
            let tokens = like(&text);
            let mut t = Terms::new();
            let (x, y) = (t.var("x", Sort::String), t.var("y", Sort::String));
            let z = t.var("z", Sort::String);
            let parts = [
                Part::Const("n:"),
                Part::Field(x),
                Part::Const("::"),
                Part::Field(y),
                Part::Const(":"),
                Part::Rest(z),
            ];
            let test = concat_test(&mut t, &parts, &tokens).expect("few stars");
            let mut formula = Formula::new(t);
            formula.assert("", test);
            for x in WORDS {
                for y in WORDS {
                    for z in RESTS {
                        let values = [("x", x), ("y", y), ("z", z)];
                        let model: Model = values
                            .into_iter()
                            .map(|(name, text)| (name.to_owned(), Value::String(text.to_owned())))
                            .collect();
                        let whole = format!("n:{x}::{y}:{z}");
                        let holds = eval::holds_partially(&formula, &model) == Some(true);
                        assert_eq!(holds, matches(&tokens, &whole), "{text} on {whole}");
                    }
                }
            }
            Ok(())
        });
    }

    #[test]
    fn a_pattern_of_many_stars_is_given_up() {
        let mut t = Terms::new();
        let x = t.var("x", Sort::String);
        let parts = [Part::Field(x); 6];
        assert_eq!(concat_test(&mut t, &parts, &like(&"*a".repeat(100))), None);
    }
}
