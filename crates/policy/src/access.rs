//! Accesses as a list names them, apart from any policy: some actions on some resources.
//!
//! A mistake in such a list is more dangerous than one in a policy: a name that no request can have
//! would make "none of these is granted" true of every policy. So what is merely odd in a policy is
//! refused here.

use std::fmt;

use crate::ast::{ActionPattern, Clause, ResourcePattern, Template};
use crate::diagnostic::quoted;
use crate::parse::MAX_WILDCARDS;
use crate::span::Span;

/// Longest action or resource of a list, in characters: as long as an ARN can be.
pub const MAX_LISTED_CHARS: usize = 2_048;

/// Requests by their action and their resource. Any value is valid; lists from outside are read by
/// [`action`] and [`resource`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessPattern {
    /// The actions; `None` is any.
    pub action: Option<Clause<ActionPattern>>,
    /// The resources; `None` is any, the pseudo-resource included.
    pub resource: Option<Clause<ResourcePattern>>,
}

/// Why a text names no action, or no resource.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Mistake {
    /// What is wrong, with the text in backticks.
    pub message: String,
    /// What to do about it.
    pub hint: &'static str,
}

impl AccessPattern {
    /// Any of the actions on any of the resources; a list that is absent is no restriction.
    pub fn new(
        actions: Option<Vec<ActionPattern>>,
        resources: Option<Vec<ResourcePattern>>,
    ) -> AccessPattern {
        AccessPattern { action: actions.map(clause), resource: resources.map(clause) }
    }

    /// The actions as written; none if any is meant.
    pub fn actions(&self) -> &[ActionPattern] {
        self.action.as_ref().map_or(&[], |clause| &clause.entries)
    }

    /// The resources; none if any is meant.
    pub fn resources(&self) -> &[ResourcePattern] {
        self.resource.as_ref().map_or(&[], |clause| &clause.entries)
    }
}

fn clause<T>(entries: Vec<T>) -> Clause<T> {
    Clause { negated: false, entries, span: Span::default() }
}

/// Reads an action: `*`, or a service and a name with a colon between them, in which `*` and `?`
/// are wildcards.
///
/// # Errors
///
/// [`Mistake`] if no action at all matches, or a limit is exceeded.
pub fn action(text: &str) -> Result<ActionPattern, Mistake> {
    let hint = "an action is `*` or `service:Name`, such as `s3:GetObject` or `s3:Get*`";
    let parts = match text.split_once(':') {
        Some((service, name)) => [(service, "-"), (name, "-_")],
        None if is_stars(text) => [("*", ""), ("*", "")],
        None => [("", ""), ("", "")],
    };
    let is_part = |(part, others): (&str, &str)| {
        let fits = |c: char| c.is_ascii_alphanumeric() || is_wildcard(c) || others.contains(c);
        !part.is_empty() && part.chars().all(fits)
    };
    if !parts.into_iter().all(is_part) {
        return Err(mistake(format_args!("{} is not an action", quoted(text)), hint));
    }
    check_size(text)?;
    Ok(ActionPattern { text: text.to_owned(), span: Span::default() })
}

/// Reads a resource: `*`, or an ARN of six fields, in which `*` and `?` are wildcards that do not
/// cross the first five colons.
///
/// # Errors
///
/// [`Mistake`] if no resource at all matches, or a limit is exceeded.
pub fn resource(text: &str) -> Result<ResourcePattern, Mistake> {
    let hint = "a resource is `*` or an ARN of six fields, such as `arn:aws:s3:::bucket/*`";
    if text.contains("${") {
        let message = format_args!("{} has a policy variable", quoted(text));
        return Err(mistake(message, "outside of policies there are none; `*` takes any text"));
    }
    if !is_stars(text) {
        let fields: Vec<&str> = text.splitn(6, ':').collect();
        let [first, partition, service, region, account, id] = fields[..] else {
            return Err(mistake(format_args!("{} is not a resource", quoted(text)), hint));
        };
        let is_visible = |field: &str| field.bytes().all(|byte| byte.is_ascii_graphic());
        let in_service =
            |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || is_wildcard(c);
        let is_arn = first == "arn"
            && !partition.is_empty()
            && !id.is_empty()
            && [partition, region, account].into_iter().all(is_visible)
            && service.chars().all(in_service);
        if !is_arn {
            return Err(mistake(format_args!("{} is the ARN of nothing", quoted(text)), hint));
        }
    }
    check_size(text)?;
    Ok(ResourcePattern { template: Template::text(text), span: Span::default() })
}

fn check_size(text: &str) -> Result<(), Mistake> {
    let (n_chars, n_wildcards) = (text.chars().count(), text.matches(is_wildcard).count());
    let (n, what, limit) = if n_chars > MAX_LISTED_CHARS {
        (n_chars, "characters", MAX_LISTED_CHARS)
    } else if n_wildcards > MAX_WILDCARDS {
        (n_wildcards, "wildcards", MAX_WILDCARDS)
    } else {
        return Ok(());
    };
    let message = format_args!("{} has {n} {what}; the limit is {limit}", quoted(text));
    Err(mistake(message, "a shorter pattern with a `*` may say the same"))
}

fn is_stars(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte == b'*')
}

fn is_wildcard(c: char) -> bool {
    matches!(c, '*' | '?')
}

fn mistake(message: fmt::Arguments<'_>, hint: &'static str) -> Mistake {
    Mistake { message: message.to_string(), hint }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_are_a_star_or_a_service_and_a_name() {
        for text in ["*", "**", "s3:GetObject", "S3:get*", "*:*", "s?:?*", "execute-api:Invoke"] {
            assert_eq!(action(text).map(|action| action.text), Ok(text.to_owned()));
        }
        for text in ["", "s3", "s3:", ":Get", "s3:Get Object", "s3:a:b", "s_3:Get", "?", "s3:É"] {
            let error = action(text).unwrap_err();
            assert_eq!(error.message, format!("`{text}` is not an action"));
        }
        assert!(action(&format!("s3:{}", "a".repeat(2_046))).is_err());
        assert!(action(&format!("s3:{}", "*".repeat(1_001))).is_err());
    }

    #[test]
    fn resources_are_a_star_or_an_arn_of_six_fields() {
        for text in [
            "*",
            "arn:aws:s3:::bucket/*",
            "arn:*:sqs:*:1234567890??:q",
            "arn:aws:lambda:us-east-1:111122223333:function:f:live",
            "arn:aws:s3:::ein Schlüssel",
        ] {
            assert!(resource(text).is_ok(), "{text}");
        }
        for text in [
            "",
            "bucket",
            "arn:aws:s3:bucket",
            "arn:aws:s3:::",
            "arn::s3:::b",
            "Arn:aws:s3:::b",
            "arn:aws:S3:::b",
            "arn:aws:sqs:us east:1:q",
            "arn:aws:s3:::${aws:username}",
            "execute-api:/stage",
        ] {
            assert!(resource(text).is_err(), "{text}");
        }
        assert!(resource(&format!("arn:aws:s3:::{}", "b".repeat(2_036))).is_err());
    }
}
