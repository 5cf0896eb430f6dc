//! Actions, resources, and text with policy variables (1.5, 1.6, 4.2).
//!
//! Patterns are checked for their form and kept as text: what a wildcard matches is for the reader
//! of the tree. Policy variables are taken apart here, because whether `${…}` is one depends on the
//! document's version, which only the parser needs to know.

use super::{Context, is_negated};
use crate::ast::{ActionPattern, Clause, ResourcePattern, Segment, Template, Version};
use crate::diagnostic::{Code, ParseError, quoted};
use crate::json::{Kind, Member, Value};
use crate::span::Span;

impl Context<'_> {
    /// Reads the value of `Action` or `NotAction`.
    pub(super) fn actions(&self, member: &Member<'_>) -> Result<Clause<ActionPattern>, ParseError> {
        let texts = self.texts(&member.value, &quoted(&member.key))?;
        self.check_not_empty(member, texts.len())?;
        let mut entries = Vec::with_capacity(texts.len());
        for (text, value) in texts {
            entries.extend(self.recover(self.action(text, value))?);
        }
        Ok(Clause { negated: is_negated(member), entries, span: member.value.span })
    }

    fn action(&self, text: &str, value: &Value<'_>) -> Result<ActionPattern, ParseError> {
        self.check_action(text, value)?;
        self.check_wildcards(text, value.span)?;
        Ok(ActionPattern { text: text.to_owned(), span: value.span })
    }

    /// Checks that an action is `*` or `prefix:name`. The name may be empty or impossible, and then
    /// the entry never matches, as AWS has it (1.5); wildcards may stand in the prefix (D3).
    fn check_action(&self, text: &str, value: &Value<'_>) -> Result<(), ParseError> {
        let well_formed = match text.split_once(':') {
            Some((prefix, name)) => !prefix.is_empty() && !name.contains(':'),
            None => is_stars(text),
        };
        if well_formed {
            return Ok(());
        }
        let message = format!("{} is not an action", quoted(text));
        let hint = if text.starts_with("arn:") {
            "this looks like an ARN, which belongs under `Resource`"
        } else {
            "an action is `*` or `service:Name`, such as `s3:GetObject`"
        };
        Err(self.error(Code::InvalidAction, value.span, message).with_hint(hint))
    }

    /// Reads the value of `Resource` or `NotResource`.
    pub(super) fn resources(
        &self,
        member: &Member<'_>,
    ) -> Result<Clause<ResourcePattern>, ParseError> {
        let texts = self.texts(&member.value, &quoted(&member.key))?;
        self.check_not_empty(member, texts.len())?;
        let mut entries = Vec::with_capacity(texts.len());
        for (text, value) in texts {
            entries.extend(self.recover(self.resource(text, value))?);
        }
        Ok(Clause { negated: is_negated(member), entries, span: member.value.span })
    }

    fn resource(&self, text: &str, value: &Value<'_>) -> Result<ResourcePattern, ParseError> {
        self.check_resource(text, value)?;
        self.check_wildcards(text, value.span)?;
        let template = self.template(text, value, VariablesFrom::FifthColon)?;
        Ok(ResourcePattern { template, span: value.span })
    }

    /// Checks that a resource is `*` or begins like an ARN. How many fields it must have depends on
    /// the kind of policy, and wildcards may stand in any (D4, D9).
    fn check_resource(&self, text: &str, value: &Value<'_>) -> Result<(), ParseError> {
        // `execute-api:/` is how API Gateway lets an API's own policy abbreviate its ARN.
        if is_stars(text) || text.starts_with("arn:") || text.starts_with("execute-api:/") {
            return Ok(());
        }
        let message = format!("{} is not a resource", quoted(text));
        Err(self
            .error(Code::InvalidResource, value.span, message)
            .with_hint("a resource is `*` or an ARN, such as `arn:aws:s3:::bucket/*`"))
    }

    /// Takes a text apart into plain text and policy variables, which only the version 2012-10-17
    /// of the language has (1.2).
    pub(super) fn template(
        &self,
        text: &str,
        value: &Value<'_>,
        from: VariablesFrom,
    ) -> Result<Template, ParseError> {
        if self.version == Version::V2008 || !text.contains("${") {
            return Ok(Template::text(text));
        }
        let mut segments = Vec::new();
        let mut rest = text;
        // Plain text since the last variable ends where `rest` begins.
        let mut plain_start = 0;
        let mut n_colons = 0;
        while let Some(dollar) = rest.find("${") {
            // Without any closing brace the rest is plain text (4.2).
            if !rest[dollar..].contains('}') {
                break;
            }
            let start = text.len() - rest.len() + dollar;
            let (segment, length) = variable(&text[start..]).map_err(|refusal| {
                let span = part_span(value, text, start, start + refusal.length);
                self.error(Code::InvalidVariable, span, refusal.message).with_hint(refusal.hint)
            })?;
            let plain = &text[plain_start..start];
            n_colons += plain.matches(':').count();
            if from == VariablesFrom::FifthColon && text.starts_with("arn:") && n_colons < 5 {
                let span = part_span(value, text, start, start + length);
                let variable = quoted(&text[start..start + length]);
                let message = format!("{variable} before the fifth colon of an ARN");
                return Err(self.error(Code::InvalidVariable, span, message).with_hint(
                    "policy variables are allowed in the last field of an ARN only; \
                     the other fields take `*`",
                ));
            }
            if !plain.is_empty() {
                segments.push(Segment::Text(plain.to_owned()));
            }
            segments.push(segment);
            plain_start = start + length;
            rest = &text[plain_start..];
        }
        if plain_start < text.len() {
            segments.push(Segment::Text(text[plain_start..].to_owned()));
        }
        Ok(Template { segments })
    }
}

/// Where in a text policy variables may stand.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum VariablesFrom {
    /// Anywhere: condition values.
    Start,
    /// After the fifth colon of an ARN: resources.
    FifthColon,
}

/// Why a `${…}` is malformed.
struct Refusal {
    message: String,
    hint: &'static str,
    /// How much of the text is at fault, in bytes.
    length: usize,
}

/// Reads the variable at the start of `text`, which begins with `${` and has a `}`. Returns it with
/// its length in bytes.
fn variable(text: &str) -> Result<(Segment, usize), Refusal> {
    const FORM: &str = "the form is `${key}` or `${key, 'default'}`";
    let inside = &text[2..];
    let refuse = |message: String, length, hint| Err(Refusal { message, hint, length });

    if let [c @ (b'*' | b'?' | b'$'), b'}', ..] = inside.as_bytes() {
        return Ok((Segment::Escaped(*c as char), 4));
    }
    let key_length = inside.find([',', '}']).expect("the caller has seen a `}`");
    let (key, after) = inside.split_at(key_length);
    let key_end = 2 + key_length;
    let shown = quoted(&text[..(key_end + 1).min(text.len())]);
    if key.is_empty() {
        return refuse(format!("{shown} names no condition key"), key_end + 1, FORM);
    }
    if key.contains("${") {
        let hint = "a policy variable cannot stand inside another one";
        return refuse(format!("{shown} is not a policy variable"), key_end, hint);
    }
    if key.trim() != key {
        let message = format!("white space around the name in {shown}");
        return refuse(message, key_end + 1, FORM);
    }
    let key = key.to_owned();
    if after.starts_with('}') {
        return Ok((Segment::Variable { key, default: None }, key_end + 1));
    }
    let Some(quote) = after.strip_prefix(", '") else {
        let message = format!("expected one space and a quoted default after {shown}");
        return refuse(message, key_end + 1, FORM);
    };
    let Some(default_length) = quote.find('\'') else {
        return refuse(
            format!("the default after {shown} has no closing quote"),
            key_end + 3,
            FORM,
        );
    };
    let end = key_end + 3 + default_length + 1;
    if !text[end..].starts_with('}') {
        let message = format!("expected `}}` after {}", quoted(&text[..end]));
        return refuse(message, end, FORM);
    }
    let default = Some(quote[..default_length].to_owned());
    Ok((Segment::Variable { key, default }, end + 1))
}

/// The place of `text[start..end]`, where `text` is the string `value`: exact unless the string has
/// escapes, and then the whole string.
fn part_span(value: &Value<'_>, text: &str, start: usize, end: usize) -> Span {
    let Span { start: open, end: close } = value.span;
    let is_string = matches!(value.kind, Kind::String(_));
    if !is_string || (close - open) as usize != text.len() + 2 {
        return value.span;
    }
    let first = open as usize + 1;
    Span::new(first + start, first + end)
}

/// Whether the text is `*`, or several of them.
fn is_stars(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ast::PolicyType;
    use crate::json;

    fn condition_template(text: &str, version: Version) -> Result<Template, ParseError> {
        let source = format!("\"{text}\"");
        let value = json::read(&source)?;
        let context =
            Context { source: &source, policy_type: PolicyType::Identity, version, mistakes: None };
        context.template(text, &value, VariablesFrom::Start)
    }

    fn text(text: &str) -> Segment {
        Segment::Text(text.to_owned())
    }

    fn variable(key: &str, default: Option<&str>) -> Segment {
        Segment::Variable { key: key.to_owned(), default: default.map(str::to_owned) }
    }

    #[track_caller]
    fn check(text: &str, expected: &[Segment]) {
        assert_eq!(condition_template(text, Version::V2012).unwrap().segments, expected);
    }

    #[test]
    fn variables_are_taken_apart() {
        check("", &[]);
        check("a*b", &[text("a*b")]);
        check("${aws:username}", &[variable("aws:username", None)]);
        check("a${k}b", &[text("a"), variable("k", None), text("b")]);
        check("${a}${b}", &[variable("a", None), variable("b", None)]);
        check("${k, 'a}, b'}", &[variable("k", Some("a}, b"))]);
        check("${k, ''}", &[variable("k", Some(""))]);
        let tag = "aws:PrincipalTag/cost center";
        check(&format!("${{{tag}}}"), &[variable(tag, None)]);
    }

    #[test]
    fn escapes_are_single_characters() {
        check("${*}?${?}", &[Segment::Escaped('*'), text("?"), Segment::Escaped('?')]);
        check("$${$}", &[text("$"), Segment::Escaped('$')]);
    }

    #[test]
    fn what_does_not_end_is_plain_text() {
        check("${aws:username", &[text("${aws:username")]);
        check("a$b", &[text("a$b")]);
        check("$ {x}", &[text("$ {x}")]);
        check("${a}${b", &[variable("a", None), text("${b")]);
    }

    #[test]
    fn the_old_language_has_no_variables() {
        for text in ["${aws:username}", "${}", "${*}"] {
            let template = condition_template(text, Version::V2008).unwrap();
            assert_eq!(template, Template::text(text));
        }
    }

    #[test]
    fn a_template_is_written_as_it_was_read() {
        const PARTS: [&str; 14] =
            ["$", "${", "{", "}", "*", "?", ",", ", '", "'", "''", " ", "key", "é", "${$}"];
        keyaki_testing::arbtest(|u| {
            let mut text = String::new();
            for _ in 0..u.int_in_range(0..=10)? {
                text.push_str(u.choose(&PARTS)?);
            }
            let Ok(template) = condition_template(&text, Version::V2012) else { return Ok(()) };
            assert_eq!(template.to_string(), text);
            let is_text = |segment: &Segment| matches!(segment, Segment::Text(_));
            let neighbours = template.segments.windows(2).any(|pair| pair.iter().all(is_text));
            assert!(!neighbours, "{text:?} has two texts in a row");
            assert!(!template.segments.contains(&Segment::Text(String::new())), "{text:?}");
            Ok(())
        });
    }
}
