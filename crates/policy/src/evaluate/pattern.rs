//! Patterns against text: the wildcards `*` and `?`, policy variables, and ARNs in six fields.
//!
//! A pattern is matched as it lies in the syntax tree, as a few pieces of text with or without
//! wildcards, the values of variables among them. Nothing is compiled: most entries fail within a
//! few characters, and a request meets each of them once.
//!
//! Characters are Unicode scalar values (D0). Matching takes the classic two positions and goes
//! back to the last star only, so time is at most the product of the lengths; the steps are
//! counted. A translation to the `regex` crate would be a dependency with limits of its own; it is
//! the oracle in the tests.

use super::scene::{Budget, Exhausted, Scene, ShortArn};
use crate::ast::{Segment, Template};
use std::borrow::Cow;

/// How API Gateway abbreviates, in the policy of one API, the ARNs of that API (2.2).
const ABBREVIATED_API: &str = "execute-api:";

/// A piece of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Piece<'p> {
    text: Cow<'p, str>,
    /// Whether `*` and `?` are wildcards in it. They are not in the value of a variable (D27) and
    /// in an escaped character (4.2).
    is_wild: bool,
}

/// A template with the values of its variables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Pieces<'p> {
    /// Most patterns.
    One([Piece<'p>; 1]),
    /// None, or several.
    Some(Vec<Piece<'p>>),
}

/// A part of a pattern: what lies between two places in its pieces.
#[derive(Clone, Copy, Debug)]
struct Part<'p> {
    pieces: &'p [Piece<'p>],
    start: Place,
    end: Place,
}

/// A place in the pieces of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    piece: usize,
    byte: usize,
}

/// What stands at a place of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    /// A byte of a character.
    Byte(u8),
    /// `?`: one character.
    AnyChar,
    /// `*`: any text, also none.
    AnyText,
}

/// The text of a request's ARN key, with its fields if it is an ARN.
#[derive(Clone, Copy, Debug)]
pub(super) struct ArnText<'r> {
    pub(super) text: &'r str,
    pub(super) fields: Option<[&'r str; 6]>,
}

/// Whether an entry of `Action` matches the request's action; case is ignored (2.1).
pub(super) fn action_matches(
    entry: &str,
    action: &str,
    budget: &Budget,
) -> Result<bool, Exhausted> {
    let piece = Piece { text: Cow::Borrowed(entry), is_wild: true };
    glob(Part::whole(std::slice::from_ref(&piece)), action, u8::to_ascii_lowercase, budget)
}

/// Whether a resource pattern matches the request's resource (2.2, 2.3).
///
/// No wildcard of the first five fields crosses a colon (D8). Only stars match the pseudo-resource
/// `*`. Whether the pattern may be an abbreviation of API Gateway's is up to the policy.
pub(super) fn resource_matches(
    entry: &Pieces<'_>,
    short: ShortArn,
    may_abbreviate: bool,
    scene: &Scene<'_>,
) -> Result<bool, Exhausted> {
    let pattern = Part::whole(entry.as_slice());
    let is_stars = |part: Part<'_>| part.tokens().all(|token| token == Token::AnyText);
    if pattern.starts_with_star() && is_stars(pattern) {
        return Ok(true);
    }
    let Some(resource) = scene.resource_fields else { return Ok(false) };
    if let Some(rest) = pattern.strip_prefix(ABBREVIATED_API) {
        return match resource[5].find('/') {
            Some(slash) if may_abbreviate && resource[2] == "execute-api" => {
                glob(rest, &resource[5][slash..], same, &scene.budget)
            }
            _ => Ok(false),
        };
    }
    let mut fields = pattern.fields();
    let mut last = pattern;
    for (count, text) in resource.into_iter().enumerate() {
        match fields.next() {
            Some(field) => {
                if !glob(field, text, same, &scene.budget)? {
                    return Ok(false);
                }
                last = field;
            }
            // The pattern ended early, and so far it matches.
            None => {
                debug_assert!(count > 0, "a pattern has a first field");
                return Ok(match short {
                    ShortArn::Filled => true,
                    ShortArn::FilledWithStar => pattern.tokens().any(|t| t == Token::AnyText),
                    ShortArn::FilledAfterStar => last.tokens().last() == Some(Token::AnyText),
                    ShortArn::Nothing => false,
                });
            }
        }
    }
    Ok(true)
}

/// Whether a value of `ArnLike` or `ArnEquals`, which are the same, matches (3.10).
///
/// What is not an ARN, on either side, does not match (D22); or else a listed value that is not
/// one is a pattern of the whole text.
pub(super) fn arn_like(
    listed: &Pieces<'_>,
    value: &ArnText<'_>,
    or_text: bool,
    budget: &Budget,
) -> Result<bool, Exhausted> {
    let pattern = Part::whole(listed.as_slice());
    budget.read(listed.as_slice().iter().map(|piece| piece.text.len()).sum())?;
    let is_arn = match pattern.fields().next() {
        Some(first) if pattern.fields().count() == 6 => glob(first, "arn", same, budget)?,
        _ => false,
    };
    let Some(fields) = value.fields.filter(|_| is_arn) else {
        return if is_arn || !or_text {
            Ok(false)
        } else {
            glob(pattern, value.text, same, budget)
        };
    };
    for (field, text) in pattern.fields().zip(fields) {
        if !glob(field, text, same, budget)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether a value of `StringLike` matches.
pub(super) fn text_like(
    listed: &Pieces<'_>,
    value: &str,
    budget: &Budget,
) -> Result<bool, Exhausted> {
    glob(Part::whole(listed.as_slice()), value, same, budget)
}

/// Whether a value of `StringEquals` matches: stars and question marks are themselves.
pub(super) fn text_equals(
    listed: &Pieces<'_>,
    value: &str,
    budget: &Budget,
) -> Result<bool, Exhausted> {
    if let Pieces::One([piece]) = listed
        && piece.text.len() != value.len()
    {
        budget.spend(1)?;
        return Ok(false);
    }
    budget.read(value.len())?;
    let mut rest = value;
    for piece in listed.as_slice() {
        match rest.strip_prefix(&*piece.text) {
            Some(after) => rest = after,
            None => return Ok(false),
        }
    }
    Ok(rest.is_empty())
}

/// Whether a value of `StringEqualsIgnoreCase` matches (D15).
pub(super) fn text_equals_ignoring_case(
    listed: &Pieces<'_>,
    value: &str,
    budget: &Budget,
) -> Result<bool, Exhausted> {
    budget.spend(1 + value.len() as u64)?;
    let listed = listed.as_slice().iter().flat_map(|piece| piece.text.chars());
    Ok(listed.map(lower_case).eq(value.chars().map(lower_case)))
}

/// Whether a value of `Bool` is that truth value, without regard to case (3.7).
pub(super) fn is_word(listed: &Pieces<'_>, word: bool) -> bool {
    let word = if word { "true" } else { "false" };
    let bytes = listed.as_slice().iter().flat_map(|piece| piece.text.bytes());
    bytes.map(|byte| byte.to_ascii_lowercase()).eq(word.bytes())
}

/// The simple lower case of a character (D15): one character, or the character itself where its
/// lower case is several.
fn lower_case(c: char) -> char {
    let mut lower = c.to_lowercase();
    match (lower.next(), lower.next()) {
        (Some(one), None) => one,
        _ => c,
    }
}

/// The template with the values of its variables, or none if one of them is unresolved (4.4).
/// `has_wildcards` says whether its reader has wildcards.
pub(super) fn resolve<'p>(
    template: &'p Template,
    has_wildcards: bool,
    scene: &Scene<'p>,
) -> Option<Pieces<'p>> {
    let piece = |segment: &'p Segment| {
        Some(match segment {
            Segment::Text(text) => Piece { text: Cow::Borrowed(text), is_wild: has_wildcards },
            Segment::Escaped(c) => Piece { text: Cow::Owned(c.to_string()), is_wild: false },
            Segment::Variable { key, default } => {
                let value = scene.variable(key, default.as_deref())?;
                Piece { text: Cow::Borrowed(value), is_wild: false }
            }
        })
    };
    match template.segments.as_slice() {
        [segment] => Some(Pieces::One([piece(segment)?])),
        segments => {
            // Without empty pieces every step of a match has a byte to look at.
            let is_empty = |piece: &Option<Piece<'p>>| {
                piece.as_ref().is_some_and(|piece| piece.text.is_empty())
            };
            let pieces = segments.iter().map(piece).filter(|piece| !is_empty(piece));
            pieces.collect::<Option<_>>().map(Pieces::Some)
        }
    }
}

impl<'p> Pieces<'p> {
    fn as_slice(&self) -> &[Piece<'p>] {
        match self {
            Pieces::One(piece) => piece,
            Pieces::Some(pieces) => pieces,
        }
    }
}

impl<'p> Part<'p> {
    fn whole(pieces: &'p [Piece<'p>]) -> Part<'p> {
        let start = Place { piece: 0, byte: 0 };
        Part { pieces, start, end: Place { piece: pieces.len(), byte: 0 } }
    }

    /// What stands at `place`, and the place after it; none at the end.
    fn token(&self, mut place: Place) -> Option<(Token, Place)> {
        loop {
            if place >= self.end {
                return None;
            }
            let piece = &self.pieces[place.piece];
            let Some(&byte) = piece.text.as_bytes().get(place.byte) else {
                place = Place { piece: place.piece + 1, byte: 0 };
                continue;
            };
            let token = match byte {
                b'*' if piece.is_wild => Token::AnyText,
                b'?' if piece.is_wild => Token::AnyChar,
                byte => Token::Byte(byte),
            };
            return Some((token, Place { byte: place.byte + 1, ..place }));
        }
    }

    fn tokens(self) -> impl Iterator<Item = Token> + 'p {
        let mut place = self.start;
        std::iter::from_fn(move || {
            let (token, after) = self.token(place)?;
            place = after;
            Some(token)
        })
    }

    fn starts_with_star(&self) -> bool {
        matches!(self.token(self.start), Some((Token::AnyText, _)))
    }

    /// The part after `prefix`, if it begins with that text.
    fn strip_prefix(mut self, prefix: &str) -> Option<Part<'p>> {
        for byte in prefix.bytes() {
            match self.token(self.start) {
                Some((Token::Byte(own), after)) if own == byte => self.start = after,
                _ => return None,
            }
        }
        Some(self)
    }

    /// The parts between the first five colons, at least one and at most six.
    fn fields(self) -> impl Iterator<Item = Part<'p>> {
        let mut rest = Some(self);
        let mut count = 0;
        std::iter::from_fn(move || {
            let part = rest.take()?;
            count += 1;
            match part.first_colon() {
                Some((colon, after)) if count < 6 => {
                    rest = Some(Part { start: after, ..part });
                    Some(Part { end: colon, ..part })
                }
                _ => Some(part),
            }
        })
    }

    /// The place of the first colon, and the place after it.
    fn first_colon(&self) -> Option<(Place, Place)> {
        let mut from = self.start.byte;
        for (index, piece) in self.pieces.iter().enumerate().skip(self.start.piece) {
            if let Some(offset) = piece.text.as_bytes()[from..].iter().position(|b| *b == b':') {
                let colon = Place { piece: index, byte: from + offset };
                let after = Place { byte: colon.byte + 1, ..colon };
                return (colon < self.end).then_some((colon, after));
            }
            from = 0;
        }
        None
    }
}

fn same(byte: &u8) -> u8 {
    *byte
}

/// Whether the pattern matches the whole of `text`, bytes being compared after `fold`.
///
/// Only the last star is ever given more text. That is enough: if what lies between two stars
/// matches at some place, then whatever follows has the most left to choose from if the first such
/// place is taken.
fn glob(
    pattern: Part<'_>,
    text: &str,
    fold: impl Fn(&u8) -> u8,
    budget: &Budget,
) -> Result<bool, Exhausted> {
    let text = text.as_bytes();
    let (mut p, mut t) = (pattern.start, 0);
    // Just past the last star, and where the text that it took ends.
    let mut star: Option<(Place, usize)> = None;
    let max_steps = budget.left();
    let mut steps = 0;
    let matched = loop {
        steps += 1;
        if steps > max_steps {
            break false;
        }
        match (pattern.token(p), text.get(t)) {
            (Some((Token::AnyText, after)), _) => {
                if pattern.token(after).is_none() {
                    break true;
                }
                star = Some((after, t));
                p = after;
            }
            (None, None) => break true,
            (Some((Token::AnyChar, after)), Some(first)) => {
                (p, t) = (after, t + width_of_char(*first));
            }
            (Some((Token::Byte(byte), after)), Some(own)) if fold(&byte) == fold(own) => {
                (p, t) = (after, t + 1);
            }
            _ => match star {
                Some((after, end)) if end < text.len() => {
                    let end = end + width_of_char(text[end]);
                    star = Some((after, end));
                    (p, t) = (after, end);
                }
                _ => break false,
            },
        }
    };
    budget.spend(steps)?;
    Ok(matched)
}

/// How many bytes a character takes in UTF-8, by the first of them.
fn width_of_char(first: u8) -> usize {
    match first {
        0xf0.. => 4,
        0xe0.. => 3,
        0xc0.. => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ast::PolicyType;
    use crate::evaluate::scene::MAX_MATCHING_STEPS;
    use crate::reading::{Readings, Switch};
    use crate::request::{ContextValue, Request};

    /// The variable of the tests.
    const KEY: &str = "aws:PrincipalTag/team";

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
        check("?", "\u{20ac}", true);
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
            check_resource_in(policy_type, "*", "*", true);
            check_resource_in(policy_type, "**", "*", true);
            check_resource_in(policy_type, "?", "*", false);
            check_resource_in(policy_type, "arn:aws:s3:::*", "*", false);
            check_resource_in(policy_type, "arn:*", "*", false);
            check_resource_in(policy_type, "*:*:*:*:*:*", "*", false);
            check_resource_in(policy_type, "*", "arn:aws:s3:::bucket", true);
        }
    }

    #[test]
    fn a_short_arn_is_filled_with_stars_in_an_identity_policy() {
        let arn = "arn:aws:s3:::bucket";
        check_resource_in(PolicyType::Identity, "arn:aws:s3", arn, true);
        check_resource_in(PolicyType::Identity, "arn:aws:s*:", arn, true);
        check_resource_in(PolicyType::Identity, "arn:aws:sqs", arn, false);
        check_resource_in(PolicyType::Identity, "", arn, false);
    }

    #[test]
    fn a_short_arn_in_a_resource_policy_needs_a_star() {
        let arn = "arn:aws:s3:::bucket";
        check_resource_in(PolicyType::Resource, "arn:aws:s3", arn, false);
        check_resource_in(PolicyType::Resource, "arn:aws:s?", arn, false);
        check_resource_in(PolicyType::Resource, "arn:aws:s*", arn, true);
        check_resource_in(PolicyType::Resource, "arn:*:s3", arn, true);
        check_resource_in(PolicyType::Resource, "bucket*", arn, false);
    }

    #[test]
    fn the_value_of_a_variable_is_literal_text() {
        let arn = "arn:aws:s3:::home/ines/t";
        check_with("ines", "arn:aws:s3:::home/$/*", arn, true);
        check_with("omar", "arn:aws:s3:::home/$/*", arn, false);
        check_with("*", "arn:aws:s3:::home/$/*", arn, false);
        check_with("*", "arn:aws:s3:::home/$/*", "arn:aws:s3:::home/*/t", true);
        check_with("i?es", "arn:aws:s3:::home/$/*", arn, false);
        check_with("*", "$", "*", false);
    }

    #[test]
    fn a_value_with_colons_supplies_fields() {
        check_with("s3:::b", "arn:aws:$/t", "arn:aws:s3:::b/t", true);
        check_with("aws:s3:::b/t", "arn:$", "arn:aws:s3:::b/t", true);
        check_with("a:b", "arn:aws:s3:::$", "arn:aws:s3:::a:b", true);
        check_with("s3:*:*:b", "arn:aws:$/t", "arn:aws:s3:::b/t", false);
    }

    #[test]
    fn a_variable_is_resolved_from_a_single_value_or_its_default() {
        let resolved = |value: Option<ContextValue>, default: Option<&str>, d28: bool| {
            let mut request = Request::default();
            if let Some(value) = value {
                request.context.insert("AWS:principaltag/TEAM", value);
            }
            let scene = Scene::new(&request, Readings::DEFAULT.with(Switch::D28, d28));
            let default = default.map(str::to_owned);
            let template =
                Template { segments: vec![Segment::Variable { key: KEY.to_owned(), default }] };
            let pieces = resolve(&template, true, &scene)?;
            Some(pieces.as_slice()[0].text.clone().into_owned())
        };
        let one = |text: &str| Some(ContextValue::One(text.to_owned()));
        let many = || Some(ContextValue::Many(vec!["x".to_owned()]));
        assert_eq!(resolved(one("x"), Some("y"), false).as_deref(), Some("x"));
        assert_eq!(resolved(None, Some("y"), false).as_deref(), Some("y"));
        assert_eq!(resolved(None, None, false), None);
        assert_eq!(resolved(many(), None, false), None);
        assert_eq!(resolved(many(), Some("y"), false).as_deref(), Some("y"));
        for (d28, expected) in [(false, ""), (true, "y")] {
            assert_eq!(resolved(one(""), Some("y"), d28).as_deref(), Some(expected));
        }
        assert_eq!(resolved(one(""), None, true).as_deref(), Some(""));
    }

    #[test]
    fn the_policy_of_an_api_may_abbreviate_its_arns() {
        let check = |entry: &str, resource: &str, expected: bool| {
            check_in(PolicyType::Resource, "", entry, resource, expected);
            check_in(PolicyType::Identity, "", entry, resource, false);
        };
        let arn = "arn:aws:execute-api:eu-west-3:111122223333:a1/prod/GET/pets/7";
        check("execute-api:/prod/GET/pets/*", arn, true);
        check("execute-api:/*", arn, true);
        check("execute-api:/*/GET/*", arn, true);
        check("execute-api:/GET/pets/*", arn, false);
        check("execute-api:/prod/POST/*", arn, false);
        check("execute-api:/*", "arn:aws:execute-api:eu-west-3:111122223333:a1", false);
        check("execute-api:/*", "arn:aws:s3:::a1/prod", false);
        check("execute-api:/*", "*", false);
    }

    #[test]
    fn a_short_arn_of_an_organisation_s_policy_needs_a_star_at_its_end_or_matches_nothing() {
        let arn = "arn:aws:s3:::bucket";
        check_in(PolicyType::Scp, "", "arn:aws:s3", arn, false);
        check_in(PolicyType::Scp, "", "arn:*:s3", arn, false);
        check_in(PolicyType::Scp, "", "arn:aws:s*", arn, true);
        check_in(PolicyType::Rcp, "", "arn:aws:s*", arn, false);
    }

    #[test]
    fn a_match_past_the_limit_is_not_answered() {
        let piece = Piece { text: Cow::Borrowed("*aaaaab"), is_wild: true };
        let matched = |steps: u64| {
            let pattern = Part::whole(std::slice::from_ref(&piece));
            glob(pattern, &"a".repeat(100), same, &Budget::new(steps))
        };
        assert_eq!(matched(100), Err(Exhausted));
        assert_eq!(matched(1000), Ok(false));
    }

    #[test]
    fn a_variable_stands_for_its_value_whatever_lies_around_it() {
        keyaki_testing::arbtest(|u| {
            let mut draw = |alphabet: &[char]| -> keyaki_testing::arbitrary::Result<String> {
                let length = u.int_in_range(0..=7)?;
                (0..length).map(|_| u.choose(alphabet).copied()).collect()
            };
            let before = draw(&['a', ':', ':', ':', '*', '?'])?;
            let after = draw(&['a', ':', ':', '*', '?'])?;
            let value = draw(&['a', 'b', ':', ':', '*'])?;
            let resource = format!("arn:{}", draw(&['a', 'b', ':', ':', ':'])?);
            let before = format!("{}{before}", u.choose(&["", "arn:", "arn::::"])?);

            let variable = Segment::Variable { key: KEY.to_owned(), default: None };
            let open = join(&before, [variable], &after);
            let closed = join(&before, value.chars().map(Segment::Escaped), &after);
            for text in [&*resource, "*", ""] {
                let request = request(&value, text);
                let scene = Scene::new(&request, Readings::DEFAULT);
                let answers = [&open, &closed].map(|template| {
                    let literal = resolve(template, false, &scene).unwrap();
                    let wild = resolve(template, true, &scene).unwrap();
                    let arn = ArnText { text, fields: scene.resource_fields };
                    let budget = &scene.budget;
                    [
                        text_equals(&literal, text, budget),
                        text_equals_ignoring_case(&literal, text, budget),
                        text_like(&wild, text, budget),
                        arn_like(&wild, &arn, false, budget),
                        arn_like(&wild, &arn, true, budget),
                        resource_matches(&wild, ShortArn::Filled, true, &scene),
                        resource_matches(&wild, ShortArn::FilledWithStar, true, &scene),
                    ]
                });
                assert_eq!(answers[0], answers[1], "{open} with {value:?} against {text:?}");
            }
            Ok(())
        });
    }

    #[test]
    fn agrees_with_the_definition_and_with_the_regex_crate() {
        keyaki_testing::arbtest(|u| {
            let mut draw = |alphabet: &[char]| -> keyaki_testing::arbitrary::Result<String> {
                let length = u.int_in_range(0..=8)?;
                (0..length).map(|_| u.choose(alphabet).copied()).collect()
            };
            let pattern = draw(&['a', 'b', '*', '*', '?', ':', '\u{e9}'])?;
            let text = draw(&['a', 'b', '*', '?', ':', '\n', '\u{e9}', '\u{20ac}', '\u{1f333}'])?;
            let chars: Vec<char> = text.chars().collect();
            let expected = naive(&pattern.chars().collect::<Vec<_>>(), &chars);
            check(&pattern, &text, expected);
            assert_eq!(regex(&pattern).is_match(&text), expected, "`{pattern}` `{text}`");
            Ok(())
        });
    }

    #[track_caller]
    fn check(pattern: &str, text: &str, expected: bool) {
        let (request, budget) = (Request::default(), Budget::new(MAX_MATCHING_STEPS));
        let scene = Scene::new(&request, Readings::DEFAULT);
        let template = Template::text(pattern);
        let pieces = resolve(&template, true, &scene).unwrap();
        assert_eq!(text_like(&pieces, text, &budget), Ok(expected), "`{pattern}` `{text}`");
    }

    #[track_caller]
    fn check_action(entry: &str, action: &str, expected: bool) {
        assert_eq!(action_matches(entry, action, &Budget::new(1000)), Ok(expected));
    }

    #[track_caller]
    fn check_resource(entry: &str, resource: &str, expected: bool) {
        check_in(PolicyType::Identity, "", entry, resource, expected);
    }

    #[track_caller]
    fn check_resource_in(policy_type: PolicyType, entry: &str, resource: &str, expected: bool) {
        check_in(policy_type, "", entry, resource, expected);
    }

    /// Checks an entry in which `$` is a variable of this value, in any type of policy.
    #[track_caller]
    fn check_with(value: &str, entry: &str, resource: &str, expected: bool) {
        for policy_type in [PolicyType::Identity, PolicyType::Resource] {
            check_in(policy_type, value, entry, resource, expected);
        }
    }

    #[track_caller]
    fn check_in(policy_type: PolicyType, value: &str, entry: &str, resource: &str, expected: bool) {
        let mut segments = vec![];
        for (index, text) in entry.split('$').enumerate() {
            if index > 0 {
                segments.push(Segment::Variable { key: KEY.to_owned(), default: None });
            }
            segments.extend(Template::text(text).segments);
        }
        let (request, template) = (request(value, resource), Template { segments });
        let scene = Scene::new(&request, Readings::DEFAULT);
        let pieces = resolve(&template, true, &scene).unwrap();
        let may_abbreviate = policy_type == PolicyType::Resource;
        let matched = resource_matches(&pieces, ShortArn::of(policy_type), may_abbreviate, &scene);
        assert_eq!(matched, Ok(expected), "{policy_type:?} {entry}");
    }

    fn request(value: &str, resource: &str) -> Request {
        let mut request = Request { resource: resource.to_owned(), ..Request::default() };
        request.context.insert(KEY, ContextValue::One(value.to_owned()));
        request
    }

    fn join(before: &str, middle: impl IntoIterator<Item = Segment>, after: &str) -> Template {
        let mut segments = Template::text(before).segments;
        segments.extend(middle);
        segments.extend(Template::text(after).segments);
        Template { segments }
    }

    /// The definition, in exponential time.
    fn naive(pattern: &[char], text: &[char]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some(('*', rest)) => (0..=text.len()).any(|taken| naive(rest, &text[taken..])),
            Some(('?', rest)) => !text.is_empty() && naive(rest, &text[1..]),
            Some((c, rest)) => text.first() == Some(c) && naive(rest, &text[1..]),
        }
    }

    fn regex(pattern: &str) -> regex::Regex {
        let body = regex::escape(pattern).replace(r"\*", ".*").replace(r"\?", ".");
        regex::Regex::new(&format!(r"(?s)\A{body}\z")).unwrap()
    }
}
