//! Whether one test of a condition holds (3).
//!
//! Presence comes first: most of what is known about an operator with an absent key does not
//! depend on the comparison (3.3), so it is answered also for comparisons that are not modelled
//! yet. Those are the set operators, case folding, numbers, dates and bytes.

use super::answer::Answer;
use super::pattern;
use crate::ast::{BaseOperator, Condition, ConditionValue, Segment, SetOperator, Template};
use crate::request::{Context, ContextValue};
use std::net::IpAddr;

/// Whether `test` holds in `context`.
pub(super) fn holds(test: &Condition, context: &Context) -> Answer {
    let value = context.get(&test.key);
    if test.operator.base == BaseOperator::Null {
        return null(test, value.is_some());
    }
    match value {
        None => with_absent_key(test),
        Some(_) if test.operator.set.is_some() => unsupported_operator(test),
        Some(ContextValue::One(value)) => with_value(test, value),
        // A list under an operator that is about one value (D26). The key is present, so
        // `IfExists` does not help.
        Some(ContextValue::Many(_)) => false.into(),
    }
}

/// The missing-key rules (3.3, 3.13).
fn with_absent_key(test: &Condition) -> Answer {
    let operator = test.operator;
    match operator.set {
        Some(SetOperator::ForAllValues) => true.into(),
        Some(SetOperator::ForAnyValue) if operator.if_exists => Answer::unknown(
            format!("operator `{operator}` with an absent key (D24)"),
            test.operator_span,
        ),
        Some(SetOperator::ForAnyValue) => false.into(),
        None => (operator.if_exists || operator.base.is_negated()).into(),
    }
}

/// `Null` asks for absence with `true` and for presence with `false`; several values are
/// alternatives (3.12).
fn null(test: &Condition, present: bool) -> Answer {
    match (test.operator.set, present) {
        (Some(SetOperator::ForAllValues), false) => return true.into(),
        (Some(SetOperator::ForAnyValue), false) if !test.operator.if_exists => return false.into(),
        _ if test.operator.set.is_some() || test.operator.if_exists => {
            return unsupported_operator(test);
        }
        _ => {}
    }
    any_value(test, |template| match plain_text(template).as_deref() {
        Some(text) if text.eq_ignore_ascii_case("true") => Ok(!present),
        Some(text) if text.eq_ignore_ascii_case("false") => Ok(present),
        _ => Err(format!("value `{template}` under `Null`")),
    })
}

/// The comparison of `value` with the listed values: positive operators need one that matches, so
/// none with an empty list; negated operators need that none matches (3.1, D6).
fn with_value(test: &Condition, value: &str) -> Answer {
    use BaseOperator::*;
    let some_matches = match test.operator.base {
        StringEquals | StringNotEquals => any_value(test, |v| pattern::text_equals(v, value)),
        StringLike | StringNotLike => any_value(test, |v| pattern::text_like(v, value)),
        ArnEquals | ArnLike | ArnNotEquals | ArnNotLike => {
            any_value(test, |v| pattern::arn_like(v, value))
        }
        Bool => bool_equals(test, value),
        IpAddress | NotIpAddress => match value.parse() {
            Ok(address) => any_value(test, |v| range_contains(v, address)),
            // Ill-typed: false also for the negated operator (D17).
            Err(_) => return false.into(),
        },
        _ => return unsupported_operator(test),
    };
    if test.operator.base.is_negated() { !some_matches } else { some_matches }
}

/// Truth values are compared without regard to case; other text on either side matches nothing
/// (3.7, D17).
fn bool_equals(test: &Condition, value: &str) -> Answer {
    if !value.eq_ignore_ascii_case("true") && !value.eq_ignore_ascii_case("false") {
        return false.into();
    }
    any_value(test, |listed| pattern::text_equals_ignoring_ascii_case(listed, value))
}

/// Whether `address` is in the listed range (3.9). Host bits of the range are ignored, a range
/// without length is one address (D21), and the two families never meet, IPv4 addresses mapped to
/// IPv6 included.
fn range_contains(listed: &Template, address: IpAddr) -> Result<bool, String> {
    let range = plain_text(listed).and_then(|text| parse_range(&text));
    let (base, length) = range.ok_or_else(|| format!("`{listed}` as an address range"))?;
    // `None` is a shift by the whole width, for a prefix of length 0: no bit remains to differ.
    Ok(match (base, address) {
        (IpAddr::V4(base), IpAddr::V4(address)) => {
            (base.to_bits() ^ address.to_bits()).checked_shr(32 - length).unwrap_or(0) == 0
        }
        (IpAddr::V6(base), IpAddr::V6(address)) => {
            (base.to_bits() ^ address.to_bits()).checked_shr(128 - length).unwrap_or(0) == 0
        }
        _ => false,
    })
}

/// The address and the length of the prefix, which is at most the width of the address.
fn parse_range(text: &str) -> Option<(IpAddr, u32)> {
    let (address, length) = match text.split_once('/') {
        Some((address, length)) => (address, Some(length)),
        None => (text, None),
    };
    let address: IpAddr = address.parse().ok()?;
    let width = if address.is_ipv4() { 32 } else { 128 };
    let length = match length {
        None => width,
        // No sign, no leading zero: `u32::from_str` would take both.
        Some("0") => 0,
        Some(text) if text.starts_with(|c: char| matches!(c, '1'..='9')) => text.parse().ok()?,
        Some(_) => return None,
    };
    (length <= width).then_some((address, length))
}

/// The text of a value of an operator without wildcards, or `None` if it has a variable.
fn plain_text(template: &Template) -> Option<String> {
    let mut text = String::new();
    for segment in &template.segments {
        match segment {
            Segment::Text(piece) => text.push_str(piece),
            Segment::Escaped(c) => text.push(*c),
            Segment::Variable { .. } => return None,
        }
    }
    Some(text)
}

/// Whether one of the listed values matches.
fn any_value(test: &Condition, matches: impl Fn(&Template) -> Result<bool, String>) -> Answer {
    let answer = |value: &ConditionValue| Answer::of(matches(&value.template), value.span);
    Answer::any(test.values.iter().map(answer))
}

fn unsupported_operator(test: &Condition) -> Answer {
    Answer::unknown(format!("operator `{}`", test.operator), test.operator_span)
}
