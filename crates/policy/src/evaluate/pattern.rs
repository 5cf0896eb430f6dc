//! Patterns against text: the wildcards `*` and `?`, and ARNs in six fields.
//!
//! Every matcher answers `Ok` if it is certain, else the name of the construct in the way. The
//! value of a policy variable is literal text (D27), or the pattern matches nothing (D29), so with
//! each variable widened to `*` a pattern covers at least what it really matches: if even that
//! does not match, the answer is a certain no. Else it is unknown.
//!
//! Characters are Unicode scalar values (D0). Matching takes the classic two positions and goes
//! back to the last star only, so time is at most the product of the lengths. A translation to
//! the `regex` crate would be a dependency with limits of its own; it is the oracle in the tests.

use crate::ast::{PolicyType, Segment, Template};

/// Bound on the steps of matching one pattern, each the comparison of one character. Real policies
/// need thousands; only a pattern of thousands of characters with a star, against a text as long
/// that almost matches it at every place, needs more.
const MAX_STEPS: usize = 100_000_000;

/// An ARN has this many fields; colons past the fifth are part of the last.
const ARN_FIELDS: usize = 6;

/// Whether an entry of `Action` matches the request's action; case is ignored (2.1).
pub(super) fn action_matches(entry: &str, action: &str) -> Result<bool, String> {
    let mut tokens = vec![];
    push_wildcards(&mut tokens, &entry.to_ascii_lowercase());
    glob(&tokens, &action.to_ascii_lowercase())
}

/// Whether an entry of `Resource` matches the request's resource (2.2, 2.3).
///
/// No wildcard of the first five fields crosses a colon (D8). Only stars match the pseudo-resource
/// `*`.
pub(super) fn resource_matches(
    entry: &Template,
    policy_type: PolicyType,
    resource: &str,
) -> Result<bool, String> {
    if matches!(entry.segments.first(), Some(Segment::Text(t)) if t.starts_with("execute-api:/")) {
        return Err("API Gateway's abbreviated resource".to_owned());
    }
    let mut tokens = wildcards(entry);
    if !tokens.is_empty() && tokens.iter().all(is_any_text) {
        // Stars, but for variables, which stand before the fifth colon here: those are malformed.
        return if tokens.contains(&Token::Variable) { Err(variable()) } else { Ok(true) };
    }
    let missing = ARN_FIELDS - fields(&tokens).count();
    if missing > 0 {
        // A short ARN (D9). In resource-based policies it needs a star to match anything, but a
        // variable might bring the missing fields along.
        if policy_type.names_principals() && !tokens.iter().any(is_any_text) {
            return Ok(false);
        }
        if has_early_variable(&tokens) {
            tokens.push(Token::AnyText);
        } else {
            tokens.extend([Token::Char(':'), Token::AnyText].repeat(missing));
        }
    }
    arn_matches(&tokens, resource)
}

/// Whether a value of `ArnLike` or `ArnEquals`, which are the same, matches (3.10). What is not an
/// ARN, on either side, does not match (D22).
pub(super) fn arn_like(listed: &Template, value: &str) -> Result<bool, String> {
    if !value.starts_with("arn:") {
        return Ok(false);
    }
    arn_matches(&wildcards(listed), value)
}

/// Whether a value of `StringLike` matches.
pub(super) fn text_like(listed: &Template, value: &str) -> Result<bool, String> {
    glob(&wildcards(listed), value)
}

/// Whether a value of `StringEquals` matches: stars and question marks are themselves.
pub(super) fn text_equals(listed: &Template, value: &str) -> Result<bool, String> {
    glob(&literals(listed), value)
}

/// Whether a value of `Bool` matches.
pub(super) fn text_equals_ignoring_ascii_case(
    listed: &Template,
    value: &str,
) -> Result<bool, String> {
    let mut tokens = literals(listed);
    for token in &mut tokens {
        if let Token::Char(c) = token {
            c.make_ascii_lowercase();
        }
    }
    glob(&tokens, &value.to_ascii_lowercase())
}

/// A piece of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    /// This character.
    Char(char),
    /// `?`: one character.
    AnyChar,
    /// `*`: any text, also none.
    AnyText,
    /// A policy variable: some text, not known here which.
    Variable,
}

/// The tokens of a template whose reader has wildcards. An escaped character never is one (4.2).
fn wildcards(template: &Template) -> Vec<Token> {
    tokens(template, push_wildcards)
}

/// The tokens of a template whose reader has no wildcards.
fn literals(template: &Template) -> Vec<Token> {
    tokens(template, |tokens, text| tokens.extend(text.chars().map(Token::Char)))
}

fn tokens(template: &Template, push_text: impl Fn(&mut Vec<Token>, &str)) -> Vec<Token> {
    let mut tokens = vec![];
    for segment in &template.segments {
        match segment {
            Segment::Text(text) => push_text(&mut tokens, text),
            Segment::Escaped(c) => tokens.push(Token::Char(*c)),
            Segment::Variable { .. } => tokens.push(Token::Variable),
        }
    }
    tokens
}

fn push_wildcards(tokens: &mut Vec<Token>, text: &str) {
    tokens.extend(text.chars().map(|c| match c {
        '*' => Token::AnyText,
        '?' => Token::AnyChar,
        c => Token::Char(c),
    }));
}

fn is_any_text(token: &Token) -> bool {
    matches!(token, Token::AnyText | Token::Variable)
}

/// The name of a policy variable as a construct.
fn variable() -> String {
    "policy variable".to_owned()
}

fn fields(tokens: &[Token]) -> impl Iterator<Item = &[Token]> {
    tokens.splitn(ARN_FIELDS, |token| *token == Token::Char(':'))
}

/// Whether a variable stands before the fifth colon. Its value may hold colons, so that it is not
/// known which fields the rest of the pattern is about.
fn has_early_variable(pattern: &[Token]) -> bool {
    let early = fields(pattern).take(ARN_FIELDS - 1);
    early.flatten().any(|token| *token == Token::Variable)
}

/// Whether each field of `arn` matches its field of the pattern. False if one of them has fewer
/// than six fields.
fn arn_matches(pattern: &[Token], arn: &str) -> Result<bool, String> {
    if arn.splitn(ARN_FIELDS, ':').count() < ARN_FIELDS {
        return Ok(false);
    }
    if has_early_variable(pattern) {
        // Stars that cross colons match more than need be, which is on the safe side.
        return glob(pattern, arn);
    }
    if fields(pattern).count() < ARN_FIELDS {
        return Ok(false);
    }
    let mut obstacle = None;
    for (field, text) in fields(pattern).zip(arn.splitn(ARN_FIELDS, ':')) {
        match glob(field, text) {
            Ok(true) => {}
            Ok(false) => return Ok(false),
            Err(construct) => obstacle = Some(construct),
        }
    }
    obstacle.map_or(Ok(true), Err)
}

/// Whether the pattern matches the whole of `text`.
fn glob(pattern: &[Token], text: &str) -> Result<bool, String> {
    let text: Vec<char> = text.chars().collect();
    match glob_within(pattern, &text, MAX_STEPS) {
        None => Err(format!("pattern match of more than {MAX_STEPS} steps")),
        Some(true) if pattern.contains(&Token::Variable) => Err(variable()),
        Some(matched) => Ok(matched),
    }
}

/// Whether the pattern, with variables widened to stars, matches the whole of `text`; `None` if
/// that takes more than `max_steps`.
///
/// Only the last star is ever given more text. That is enough: if what lies between two stars
/// matches at some place, then whatever follows has the most left to choose from if the first such
/// place is taken.
fn glob_within(pattern: &[Token], text: &[char], max_steps: usize) -> Option<bool> {
    let (mut p, mut t) = (0, 0);
    // Just past the last star, and where the text that it took ends.
    let mut star = None;
    for _ in 0..max_steps {
        match pattern.get(p) {
            Some(Token::AnyText | Token::Variable) => {
                p += 1;
                star = Some((p, t));
            }
            None if t == text.len() => return Some(true),
            Some(Token::AnyChar) if t < text.len() => (p, t) = (p + 1, t + 1),
            Some(Token::Char(c)) if text.get(t) == Some(c) => (p, t) = (p + 1, t + 1),
            _ => match star {
                Some((after, end)) if end < text.len() => {
                    star = Some((after, end + 1));
                    (p, t) = (after, end + 1);
                }
                _ => return Some(false),
            },
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn star_matches_any_text_also_none() {
        check("*", "", true);
        check("*", "a/b:c", true);
        check("a*", "a", true);
        check("a*b*c", "a-b-b-c", true);
        check("a*b*c", "a-c", false);
        check("*ab", "aab", true);
        check("**", "", true);
    }

    #[test]
    fn question_mark_matches_one_character_of_any_width() {
        check("?", "", false);
        check("?", "\u{e9}", true);
        check("?", "\u{1f333}", true);
        check("a?", "abc", false);
        check("*?", "", false);
    }

    #[test]
    fn brackets_and_backslashes_are_plain() {
        check("[a]", "a", false);
        check("[a]", "[a]", true);
        check(r"\*", "*", false);
        check(r"\*", r"\abc", true);
    }

    #[test]
    fn the_empty_pattern_matches_the_empty_text_only() {
        check("", "", true);
        check("", "a", false);
    }

    #[test]
    fn actions_are_matched_without_regard_to_case() {
        check_action("s3:Get*", "S3:getobject", true);
        check_action("s3:Get*", "s3:PutObject", false);
        check_action("s3:GetObject", "s3:GetObjectAcl", false);
        check_action("*:GetObject", "s3:GetObject", true);
        check_action("*", "s3:GetObject", true);
        check_action("s3:*", "s3express:CreateSession", false);
        check_action("s3:", "s3:GetObject", false);
    }

    #[test]
    fn a_star_crosses_slashes_and_colons_only_in_the_last_field() {
        let arn = "arn:aws:sns:eu-west-3:111122223333:a/b:c";
        check_resource("arn:aws:sns:*:*:a*c", arn, true);
        check_resource("arn:aws:sns:eu-west-3:111122223333:*", arn, true);
        check_resource("arn:aws:sns:*:a/b:c", arn, false);
        check_resource("arn:aws:*:*:*:a/?:c", arn, true);
        check_resource("arn:*:sns:*:*:A*", arn, false);
        check_resource("arn:aws:SNS:*:*:a*", arn, false);
        check_resource("arn:aws:s3:::bucket/*", "arn:aws:s3:::bucket", false);
    }

    #[test]
    fn only_stars_match_the_pseudo_resource() {
        for policy_type in [PolicyType::Identity, PolicyType::Resource] {
            check_resource_in(policy_type, "*", "*", Some(true));
            check_resource_in(policy_type, "**", "*", Some(true));
            check_resource_in(policy_type, "?", "*", Some(false));
            check_resource_in(policy_type, "arn:aws:s3:::*", "*", Some(false));
            check_resource_in(policy_type, "arn:*", "*", Some(false));
            check_resource_in(policy_type, "*:*:*:*:*:*", "*", Some(false));
            check_resource_in(policy_type, "*", "arn:aws:s3:::bucket", Some(true));
        }
    }

    #[test]
    fn a_short_arn_is_filled_with_stars_in_an_identity_policy() {
        let arn = "arn:aws:s3:::bucket";
        check_resource_in(PolicyType::Identity, "arn:aws:s3", arn, Some(true));
        check_resource_in(PolicyType::Identity, "arn:aws:s*:", arn, Some(true));
        check_resource_in(PolicyType::Identity, "arn:aws:sqs", arn, Some(false));
        check_resource_in(PolicyType::Identity, "", arn, Some(false));
    }

    #[test]
    fn a_short_arn_in_a_resource_policy_needs_a_star() {
        let arn = "arn:aws:s3:::bucket";
        check_resource_in(PolicyType::Resource, "arn:aws:s3", arn, Some(false));
        check_resource_in(PolicyType::Resource, "arn:aws:s?", arn, Some(false));
        check_resource_in(PolicyType::Resource, "arn:aws:s*", arn, Some(true));
        check_resource_in(PolicyType::Resource, "arn:*:s3", arn, Some(true));
        check_resource_in(PolicyType::Resource, "bucket*", arn, Some(false));
    }

    #[test]
    fn a_variable_in_a_resource_is_open_only_where_a_star_would_match() {
        let arn = "arn:aws:s3:::home/ines/t";
        for policy_type in [PolicyType::Identity, PolicyType::Resource] {
            check_resource_in(policy_type, "arn:aws:s3:::home/$/*", arn, None);
            check_resource_in(policy_type, "arn:aws:s3:::$", arn, None);
            check_resource_in(policy_type, "arn:aws:s3:::away/$/*", arn, Some(false));
            check_resource_in(policy_type, "arn:aws:sqs:::home/$/*", arn, Some(false));
            check_resource_in(policy_type, "arn:aws:s3:::$", "*", Some(false));
        }
    }

    #[test]
    fn a_variable_before_the_last_field_may_bring_the_missing_fields() {
        for policy_type in [PolicyType::Identity, PolicyType::Resource] {
            check_resource_in(policy_type, "*$", "*", None);
            check_resource_in(policy_type, "arn:aws:$/t", "arn:aws:s3:::b/t", None);
            check_resource_in(policy_type, "arn:$", "arn:aws:s3:::b/t", None);
            check_resource_in(policy_type, "arn:aws:sqs:$", "arn:aws:s3:::b/t", Some(false));
        }
    }

    #[test]
    fn what_is_certain_with_a_variable_holds_for_each_of_its_values() {
        arbtest::arbtest(|u| {
            let mut draw = |alphabet: &[char]| -> arbtest::arbitrary::Result<String> {
                let length = u.int_in_range(0..=7)?;
                (0..length).map(|_| u.choose(alphabet).copied()).collect()
            };
            let before = draw(&['a', ':', ':', ':', '*', '?'])?;
            let after = draw(&['a', ':', ':', '*', '?'])?;
            let value = draw(&['a', 'b', ':', ':', '*'])?;
            let request = format!("arn:{}", draw(&['a', 'b', ':', ':', ':'])?);
            let before = format!("{}{before}", u.choose(&["", "arn:", "arn::::"])?);

            let variable = Segment::Variable { key: "v".to_owned(), default: None };
            let open = join(&before, [variable], &after);
            // A value is literal text (D27).
            let closed = join(&before, value.chars().map(literal), &after);
            for request in [&*request, "*", ""] {
                check_value(&open, &closed, |template| text_equals(template, request));
                check_value(&open, &closed, |template| text_like(template, request));
                check_value(&open, &closed, |template| arn_like(template, request));
                for policy_type in [PolicyType::Identity, PolicyType::Resource] {
                    check_value(&open, &closed, |entry| {
                        resource_matches(entry, policy_type, request)
                    });
                }
            }
            Ok(())
        });
    }

    #[test]
    fn api_gateway_s_abbreviation_is_not_interpreted() {
        let entry = Template::text("execute-api:/prod/GET/*");
        let arn = "arn:aws:execute-api:eu-west-3:111122223333:a1/prod/GET/x";
        assert!(resource_matches(&entry, PolicyType::Resource, arn).is_err());
    }

    #[test]
    fn a_match_past_the_limit_is_not_answered() {
        let mut tokens = vec![];
        push_wildcards(&mut tokens, "*aaaaab");
        assert_eq!(glob_within(&tokens, &['a'; 100], 100), None);
        assert_eq!(glob_within(&tokens, &['a'; 100], 1000), Some(false));
    }

    #[test]
    fn agrees_with_the_definition_and_with_the_regex_crate() {
        arbtest::arbtest(|u| {
            let mut draw = |alphabet: &[char]| -> arbtest::arbitrary::Result<String> {
                let length = u.int_in_range(0..=8)?;
                (0..length).map(|_| u.choose(alphabet).copied()).collect()
            };
            let pattern = draw(&['a', 'b', '*', '*', '?', ':', '.'])?;
            let text = draw(&['a', 'b', '*', '?', ':', '.', '\n', '\u{e9}'])?;
            let mut tokens = vec![];
            push_wildcards(&mut tokens, &pattern);
            let chars: Vec<char> = text.chars().collect();
            let expected = naive(&tokens, &chars);
            assert_eq!(glob(&tokens, &text), Ok(expected), "`{pattern}` `{text}`");
            assert_eq!(regex(&pattern).is_match(&text), expected, "`{pattern}` `{text}`");
            Ok(())
        });
    }

    #[track_caller]
    fn check(pattern: &str, text: &str, expected: bool) {
        assert_eq!(text_like(&Template::text(pattern), text), Ok(expected));
    }

    #[track_caller]
    fn check_action(entry: &str, action: &str, expected: bool) {
        assert_eq!(action_matches(entry, action), Ok(expected));
    }

    #[track_caller]
    fn check_resource(entry: &str, resource: &str, expected: bool) {
        check_resource_in(PolicyType::Identity, entry, resource, Some(expected));
    }

    /// Checks an entry in which `$` stands for a variable; `None` is unknown.
    #[track_caller]
    fn check_resource_in(
        policy_type: PolicyType,
        entry: &str,
        resource: &str,
        expected: Option<bool>,
    ) {
        let mut segments = vec![];
        for (index, text) in entry.split('$').enumerate() {
            if index > 0 {
                segments.push(Segment::Variable { key: "aws:username".to_owned(), default: None });
            }
            segments.extend(Template::text(text).segments);
        }
        let matched = resource_matches(&Template { segments }, policy_type, resource);
        assert_eq!(matched.ok(), expected, "{policy_type:?} {entry}");
    }

    /// Checks that the matcher says of `open`, which has a variable, nothing that is not so of
    /// `closed`, in which the variable has a value. Without a value it matches nothing (D29), so
    /// yes is never certain.
    #[track_caller]
    fn check_value(
        open: &Template,
        closed: &Template,
        matches: impl Fn(&Template) -> Result<bool, String>,
    ) {
        match matches(open) {
            Ok(certain) => assert_eq!((certain, matches(closed)), (false, Ok(false)), "{open}"),
            Err(construct) => assert_eq!(construct, variable()),
        }
    }

    fn join(before: &str, middle: impl IntoIterator<Item = Segment>, after: &str) -> Template {
        let mut segments = Template::text(before).segments;
        segments.extend(middle);
        segments.extend(Template::text(after).segments);
        Template { segments }
    }

    fn literal(c: char) -> Segment {
        match c {
            '*' => Segment::Escaped(c),
            c => Segment::Text(c.to_string()),
        }
    }

    /// The definition, in exponential time.
    fn naive(pattern: &[Token], text: &[char]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some((Token::AnyText | Token::Variable, rest)) => {
                (0..=text.len()).any(|taken| naive(rest, &text[taken..]))
            }
            Some((Token::AnyChar, rest)) => !text.is_empty() && naive(rest, &text[1..]),
            Some((Token::Char(c), rest)) => text.first() == Some(c) && naive(rest, &text[1..]),
        }
    }

    fn regex(pattern: &str) -> regex::Regex {
        let body = regex::escape(pattern).replace(r"\*", ".*").replace(r"\?", ".");
        regex::Regex::new(&format!(r"(?s)\A{body}\z")).unwrap()
    }
}
