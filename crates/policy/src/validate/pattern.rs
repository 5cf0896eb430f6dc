//! Whether one pattern covers another, or two have nothing in common, by their syntax.
//!
//! Written apart from the evaluator and the encoder, and tested against the former. All answers
//! err to the same side: `true` holds of every text, `false` may only mean that it was not seen.
//!
//! A policy variable stands for some text. Two templates that are the same are so in every
//! request; otherwise a variable in the covered pattern is taken for any text, and a pattern
//! that has one covers nothing else. A variable without value matches nothing (D29), which is
//! covered by everything and disjoint from everything.

use crate::ast::{Segment, Template};

/// A piece of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// This character.
    Char(char),
    /// One character.
    One,
    /// Any text, also none.
    Many,
}

/// A pattern, and whether it stands for more than one set of texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern {
    pub(super) tokens: Vec<Token>,
    /// Some of the tokens stand for a policy variable.
    pub(super) has_variable: bool,
}

impl Pattern {
    /// An action, whose case does not matter.
    pub(super) fn of_action(text: &str) -> Pattern {
        let tokens = text.chars().map(|c| wildcard(c.to_ascii_lowercase())).collect();
        Pattern { tokens, has_variable: false }
    }

    /// A template whose reader has wildcards.
    pub(super) fn with_wildcards(template: &Template) -> Pattern {
        Pattern::of(template, wildcard)
    }

    /// A template whose reader has none.
    pub(super) fn literal(template: &Template) -> Pattern {
        Pattern::of(template, Token::Char)
    }

    fn of(template: &Template, read: fn(char) -> Token) -> Pattern {
        let mut tokens = Vec::new();
        for segment in &template.segments {
            match segment {
                Segment::Text(text) => tokens.extend(text.chars().map(read)),
                Segment::Escaped(c) => tokens.push(Token::Char(*c)),
                Segment::Variable { .. } => tokens.push(Token::Many),
            }
        }
        Pattern { tokens, has_variable: template.has_variable() }
    }

    /// The same pattern of texts without regard to ASCII case; none if it has other letters.
    pub(super) fn ignoring_case(mut self) -> Option<Pattern> {
        for token in &mut self.tokens {
            match token {
                Token::Char(c) if !c.is_ascii() => return None,
                Token::Char(c) => c.make_ascii_lowercase(),
                Token::One | Token::Many => {}
            }
        }
        Some(self)
    }

    /// The pattern in the six fields of an ARN, in the first five of which a wildcard stays within
    /// its field (D8); none if it has not six.
    pub(super) fn fields(&self) -> Option<[&[Token]; 6]> {
        let mut fields = self.tokens.splitn(6, |token| *token == Token::Char(':'));
        let six: [_; 6] = std::array::from_fn(|_| fields.next());
        six.into_iter().collect::<Option<Vec<_>>>()?.try_into().ok()
    }

    /// The fields of a resource that is an ARN: `execute-api:/a:b:c:d:e` has six as well, and stands for a part of one.
    fn fields_of_resource(&self) -> Option<[&[Token]; 6]> {
        let fields = self.fields()?;
        (fields[0] == ['a', 'r', 'n'].map(Token::Char)).then_some(fields)
    }

    /// Whether the pattern is `*`, or several of them.
    pub(super) fn is_everything(&self) -> bool {
        !self.has_variable
            && !self.tokens.is_empty()
            && self.tokens.iter().all(|token| *token == Token::Many)
    }
}

fn wildcard(c: char) -> Token {
    match c {
        '*' => Token::Many,
        '?' => Token::One,
        c => Token::Char(c),
    }
}

/// True only if every text that `inner` matches is matched by `outer`, which has no variable.
pub(super) fn covers(outer: &[Token], inner: &[Token]) -> bool {
    // `row[i]`: the first `i` tokens of `outer` cover what has been seen of `inner`.
    let mut row = vec![false; outer.len() + 1];
    row[0] = true;
    for i in 0..outer.len() {
        row[i + 1] = row[i] && outer[i] == Token::Many;
    }
    for token in inner {
        let mut next = vec![false; outer.len() + 1];
        for i in 0..outer.len() {
            next[i + 1] = match outer[i] {
                Token::Many => row[i + 1] || next[i],
                Token::One => row[i] && *token != Token::Many,
                Token::Char(_) => row[i] && *token == outer[i],
            };
        }
        row = next;
    }
    row[outer.len()]
}

/// True if and only if no text is matched by both.
pub(super) fn disjoint(left: &[Token], right: &[Token]) -> bool {
    // `row[j]`: some text is matched by what has been seen of `left` and the first `j` of `right`.
    let mut row = vec![false; right.len() + 1];
    row[0] = true;
    for j in 0..right.len() {
        row[j + 1] = row[j] && right[j] == Token::Many;
    }
    for l in left {
        let mut next = vec![false; right.len() + 1];
        next[0] = row[0] && *l == Token::Many;
        for (j, r) in right.iter().enumerate() {
            next[j + 1] = match (l, r) {
                // A wildcard matches nothing, or takes one more of the other's tokens.
                (Token::Many, _) | (_, Token::Many) => row[j + 1] || next[j],
                (Token::Char(a), Token::Char(b)) => row[j] && a == b,
                _ => row[j],
            };
        }
        row = next;
    }
    !row[right.len()]
}

/// True only if every resource that `inner` matches is matched by `outer`, in any type of policy.
pub(super) fn resource_covers(outer: &Template, inner: &Template) -> bool {
    if outer == inner {
        return true;
    }
    let (outer, inner) = (Pattern::with_wildcards(outer), Pattern::with_wildcards(inner));
    if outer.is_everything() {
        return true;
    }
    match (outer.fields_of_resource(), inner.fields_of_resource()) {
        (Some(left), Some(right)) if !outer.has_variable => {
            left.iter().zip(right).all(|(outer, inner)| covers(outer, inner))
        }
        _ => false,
    }
}

/// True only if no resource is matched by both, in any type of policy.
pub(super) fn resource_disjoint(left: &Template, right: &Template) -> bool {
    let (left, right) = (Pattern::with_wildcards(left), Pattern::with_wildcards(right));
    match (left.fields_of_resource(), right.fields_of_resource()) {
        (Some(_), Some(_)) => fields_disjoint(&left, &right),
        _ => false,
    }
}

/// True only if no ARN is matched by both.
pub(super) fn fields_disjoint(left: &Pattern, right: &Pattern) -> bool {
    match (left.fields(), right.fields()) {
        (Some(left), Some(right)) => {
            left.iter().zip(right).any(|(left, right)| disjoint(left, right))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> Vec<Token> {
        text.chars().map(wildcard).collect()
    }

    /// Whether the pattern matches the text, by trying.
    fn matches(pattern: &[Token], text: &[char]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some((Token::Many, rest)) => {
                (0..=text.len()).any(|skipped| matches(rest, &text[skipped..]))
            }
            Some((Token::One, rest)) => !text.is_empty() && matches(rest, &text[1..]),
            Some((Token::Char(c), rest)) => text.first() == Some(c) && matches(rest, &text[1..]),
        }
    }

    #[test]
    fn some_patterns_cover_others() {
        for (outer, inner, expected) in [
            ("*", "", true),
            ("a*", "ab*", true),
            ("a*c", "a?b*c", true),
            ("?*", "*", false),
            ("a?", "a*", false),
            ("a*", "*a", false),
            ("", "", true),
            ("**", "*", true),
            ("*a*", "bab", true),
        ] {
            assert_eq!(covers(&tokens(outer), &tokens(inner)), expected, "{outer} {inner}");
        }
    }

    #[test]
    fn some_patterns_have_nothing_in_common() {
        for (left, right, expected) in [
            ("a*", "b*", true),
            ("*a", "*b", true),
            ("a*", "*b", false),
            ("", "*", false),
            ("", "?", true),
            ("a*b", "ab", false),
            ("a?b", "ab", true),
            ("*ab", "a*", false),
        ] {
            assert_eq!(disjoint(&tokens(left), &tokens(right)), expected, "{left} {right}");
        }
    }

    #[test]
    fn covering_and_disjointness_hold_of_every_text() {
        fn text(
            u: &mut keyaki_testing::arbitrary::Unstructured<'_>,
            alphabet: &[char],
        ) -> keyaki_testing::arbitrary::Result<String> {
            (0..u.int_in_range(0..=5)?).map(|_| u.choose(alphabet).copied()).collect()
        }
        keyaki_testing::arbtest(|u| {
            let (left, right) = (text(u, &['a', 'b', '*', '?'])?, text(u, &['a', 'b', '*', '?'])?);
            let chars: Vec<char> = text(u, &['a', 'b'])?.chars().collect();
            let (left_tokens, right_tokens) = (tokens(&left), tokens(&right));
            let by_left = matches(&left_tokens, &chars);
            let by_right = matches(&right_tokens, &chars);
            if covers(&left_tokens, &right_tokens) {
                assert!(!by_right || by_left, "{left} covers {right}, not {chars:?}");
            }
            if disjoint(&left_tokens, &right_tokens) {
                assert!(!(by_left && by_right), "{left} is disjoint from {right}, not {chars:?}");
            }
            if by_left && right_tokens.iter().all(|token| matches!(token, Token::Char(_))) {
                // Of a plain text both are exact.
                let plain: Vec<char> = right.chars().collect();
                assert_eq!(covers(&left_tokens, &right_tokens), matches(&left_tokens, &plain));
                assert_eq!(disjoint(&left_tokens, &right_tokens), !matches(&left_tokens, &plain));
            }
            Ok(())
        });
    }

    #[test]
    fn a_wildcard_of_an_arn_stays_in_its_field() {
        let template = Template::text;
        let covers = |outer, inner| resource_covers(&template(outer), &template(inner));
        assert!(covers("arn:aws:s3:::b*", "arn:aws:s3:::b/c:d"));
        assert!(covers("arn:*:s3:*:*:*", "arn:aws:s3:::b"));
        assert!(!covers("arn:aws:s*:b", "arn:aws:s3:::b"));
        assert!(!covers("arn:aws:s3:::b", "*"));
        assert!(covers("**", "execute-api:/x"));
        let disjoint = |left, right| resource_disjoint(&template(left), &template(right));
        assert!(disjoint("arn:aws:s3:::b/*", "arn:aws:s3:::b"));
        assert!(!disjoint("arn:aws:s3", "arn:aws:sqs:::q"));
        assert!(!disjoint("*", "arn:aws:s3:::b"));
        assert!(!disjoint("execute-api:/p/a:b:c:d", "arn:aws:execute-api:r:1:api/p/a:b:c:d"));
        assert!(!covers("execute-api:/*:b:c:d:e:*", "execute-api:/a:b:c:d:e:f"));
    }
}
