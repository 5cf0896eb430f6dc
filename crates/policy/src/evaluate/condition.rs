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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ast::Operator;
    use crate::evaluate::Truth::{self, False, True, Unknown};
    use crate::span::Span;

    const ABSENT: &[&str] = &[];

    #[test]
    fn an_absent_key_satisfies_exactly_the_negated_operators() {
        for (base, name) in BaseOperator::ALL {
            if base != BaseOperator::Null {
                let negated = name.contains("Not");
                check(name, &["x"], ABSENT, negated.into());
                check(&format!("{name}IfExists"), &["x"], ABSENT, True);
            }
        }
    }

    #[test]
    fn set_operators_are_known_for_an_absent_key() {
        check("ForAllValues:StringEquals", &["x"], ABSENT, True);
        check("ForAllValues:DateLessThanIfExists", &["x"], ABSENT, True);
        check("ForAllValues:Null", &["false"], ABSENT, True);
        check("ForAnyValue:StringEquals", &["x"], ABSENT, False);
        check("ForAnyValue:StringNotEquals", &["x"], ABSENT, False);
        check("ForAnyValue:Null", &["true"], ABSENT, False);
    }

    #[test]
    fn if_exists_under_for_any_value_is_open_for_an_absent_key() {
        check("ForAnyValue:StringEqualsIfExists", &["x"], ABSENT, Unknown);
    }

    #[test]
    fn set_operators_are_unknown_for_a_present_key() {
        check("ForAllValues:StringEquals", &["x"], &["x", "y"], Unknown);
        check("ForAnyValue:StringEquals", &["x"], &["x"], Unknown);
        check("ForAnyValue:Null", &["true"], &["x"], Unknown);
    }

    #[test]
    fn a_list_under_an_operator_about_one_value_fails_it() {
        for (base, name) in BaseOperator::ALL {
            if base != BaseOperator::Null {
                check_list(name, &["x"], &["x"], False);
                check_list(name, &["x"], &["y", "z"], False);
                check_list(&format!("{name}IfExists"), &["x"], &["x"], False);
            }
        }
    }

    #[test]
    fn an_empty_list_is_an_absent_key() {
        check_list("StringEquals", &["x"], &[], False);
        check_list("StringNotEquals", &["x"], &[], True);
        check_list("Null", &["true"], &[], True);
    }

    #[test]
    fn positive_operators_need_one_value_negated_ones_none() {
        check("StringEquals", &["a", "b"], &["b"], True);
        check("StringEquals", &["a", "b"], &["c"], False);
        check("StringNotEquals", &["a", "b"], &["b"], False);
        check("StringNotEquals", &["a", "b"], &["c"], True);
    }

    #[test]
    fn an_empty_list_of_values_matches_nothing() {
        check("StringEquals", &[], &["a"], False);
        check("StringNotEquals", &[], &["a"], True);
        check("StringEqualsIfExists", &[], &["a"], False);
        check("Null", &[], &["a"], False);
    }

    #[test]
    fn string_equals_has_no_wildcards_and_minds_case() {
        check("StringEquals", &["*"], &["a"], False);
        check("StringEquals", &["*"], &["*"], True);
        check("StringEquals", &["a?"], &["ab"], False);
        check("StringEquals", &["a"], &["A"], False);
        check("StringEquals", &[""], &[""], True);
    }

    #[test]
    fn string_like_has_wildcards_that_cross_everything() {
        check("StringLike", &["a*c"], &["a/b:c"], True);
        check("StringLike", &["A*"], &["ab"], False);
        check("StringLike", &[""], &["a"], False);
        check("StringLike", &["a"], &["*"], False);
        check("StringNotLike", &["a*", "b*"], &["bc"], False);
        check("StringNotLike", &["a*", "b*"], &["cc"], True);
    }

    #[test]
    fn an_escaped_wildcard_is_a_character() {
        check("StringLike", &["a${*}"], &["a*"], True);
        check("StringLike", &["a${*}"], &["ab"], False);
        check("StringLike", &["a${?}*"], &["a?b"], True);
        check("StringEquals", &["${$}{x}"], &["${x}"], True);
    }

    #[test]
    fn a_variable_is_unknown_only_where_its_value_could_matter() {
        check("StringEquals", &["a-${v}"], &["a-b"], Unknown);
        check("StringEquals", &["a-${v}"], &["b"], False);
        check("StringNotEquals", &["a-${v}"], &["b"], True);
        check("StringNotEquals", &["a-${v}"], &["a-b"], Unknown);
        check("StringEquals", &["b", "${v}"], &["b"], True);
        check("StringNotEquals", &["b", "${v}"], &["b"], False);
        check("StringEquals", &["*${v}"], &["a"], False);
        check("StringLike", &["*${v}"], &["a"], Unknown);
        check("StringEquals", &["${v}"], ABSENT, False);
    }

    #[test]
    fn bool_ignores_case_and_fails_on_other_text() {
        check("Bool", &["true"], &["True"], True);
        check("Bool", &["TRUE"], &["true"], True);
        check("Bool", &["true"], &["false"], False);
        check("Bool", &["true", "false"], &["false"], True);
        check("Bool", &["yes"], &["yes"], False);
        check("BoolIfExists", &["false"], &["no"], False);
        check("Bool", &["${v}"], &["true"], Unknown);
        check("Bool", &["T${v}"], &["true"], Unknown);
        check("Bool", &["F${v}"], &["true"], False);
    }

    #[test]
    fn null_asks_for_presence() {
        check("Null", &["true"], ABSENT, True);
        check("Null", &["false"], ABSENT, False);
        check("Null", &["true"], &["x"], False);
        check("Null", &["False"], &["x"], True);
        check("Null", &["false"], &[""], True);
        check("Null", &["true", "false"], &["x"], True);
        check_list("Null", &["false"], &["x", "y"], True);
    }

    #[test]
    fn null_of_other_values_is_unknown() {
        check("Null", &["maybe"], &["x"], Unknown);
        check("Null", &["${v}"], &["x"], Unknown);
        check("Null", &["maybe", "false"], &["x"], True);
        check("NullIfExists", &["true"], &["x"], Unknown);
    }

    #[test]
    fn ranges_ignore_host_bits() {
        check("IpAddress", &["203.0.113.77/24"], &["203.0.113.1"], True);
        check("IpAddress", &["203.0.113.0/24"], &["203.0.114.0"], False);
        check("IpAddress", &["203.0.113.0/31"], &["203.0.113.1"], True);
        check("IpAddress", &["203.0.113.0/31"], &["203.0.113.2"], False);
        check("IpAddress", &["2001:DB8::1/32"], &["2001:db8:ffff::"], True);
        check("IpAddress", &["2001:db8::/32"], &["2001:db9::"], False);
        check("NotIpAddress", &["10.0.0.0/8", "192.0.2.0/24"], &["192.0.2.9"], False);
        check("NotIpAddress", &["10.0.0.0/8", "192.0.2.0/24"], &["198.51.100.9"], True);
    }

    #[test]
    fn an_address_without_length_is_one_address() {
        check("IpAddress", &["203.0.113.7"], &["203.0.113.7"], True);
        check("IpAddress", &["203.0.113.7"], &["203.0.113.8"], False);
        check("IpAddress", &["2001:db8::1"], &["2001:DB8:0::0001"], True);
        check("IpAddress", &["2001:db8::1"], &["2001:db8::2"], False);
    }

    #[test]
    fn address_families_never_meet() {
        check("IpAddress", &["0.0.0.0/0"], &["255.255.255.255"], True);
        check("IpAddress", &["0.0.0.0/0"], &["::1"], False);
        check("IpAddress", &["::/0"], &["ffff::"], True);
        check("IpAddress", &["::/0"], &["203.0.113.7"], False);
        check("NotIpAddress", &["::/0"], &["203.0.113.7"], True);
        check("IpAddress", &["203.0.113.7"], &["::ffff:203.0.113.7"], False);
    }

    #[test]
    fn a_request_value_that_is_no_address_fails_both_operators() {
        for value in ["", "AWS Internal", "203.0.113", "203.0.113.7/32"] {
            check("IpAddress", &["0.0.0.0/0"], &[value], False);
            check("NotIpAddress", &["0.0.0.0/0"], &[value], False);
            check("NotIpAddressIfExists", &["10.0.0.0/8"], &[value], False);
        }
    }

    #[test]
    fn a_listed_value_that_is_no_range_is_unknown() {
        for range in ["", "10.0.0.0/33", "10.0.0.0/+8", "10.0.0.0/08", "::/129", "10.*", "${v}/8"] {
            check("IpAddress", &[range], &["10.0.0.1"], Unknown);
            check("IpAddress", &[range, "10.0.0.0/8"], &["10.0.0.1"], True);
        }
    }

    #[test]
    fn arn_operators_compare_field_by_field() {
        for name in ["ArnLike", "ArnEquals"] {
            check(name, &["arn:aws:iam::*:role/x"], &["arn:aws:iam::1:role/x"], True);
            check(name, &["arn:aws:iam::*:role/x"], &["arn:aws:iam::1:a:role/x"], False);
            check(name, &["arn:aws:iam:*:role/x"], &["arn:aws:iam::1:role/x"], False);
            check(name, &["arn:aws:sns:*:1:a*"], &["arn:aws:sns:eu-west-3:1:a/b:c"], True);
            check(name, &["arn:aws:iam::1:role/x"], &["arn:aws:iam::1:role/X"], False);
        }
        check("ArnNotLike", &["arn:aws:iam::*:role/x"], &["arn:aws:iam::1:role/x"], False);
        check("ArnNotEquals", &["arn:aws:iam::*:role/x"], &["arn:aws:iam::1:role/y"], True);
    }

    #[test]
    fn what_is_not_an_arn_matches_no_arn_operator() {
        let arn = "arn:aws:s3:::bucket";
        for (listed, value) in [
            ("*", arn),
            ("arn:aws:s3:*", arn),
            ("*:*:*:*:*:*", "text"),
            ("*:*:*:*:*:*", "x:aws:s3:::bucket"),
            ("*", "*"),
            ("${v}", "text"),
        ] {
            check("ArnLike", &[listed], &[value], False);
            check("ArnNotLike", &[listed], &[value], True);
        }
    }

    #[test]
    fn a_variable_in_an_arn_may_hold_colons_before_the_last_field() {
        let arn = "arn:aws:iam::111122223333:role/x";
        check("ArnLike", &["arn:aws:iam::${v}:role/x"], &[arn], Unknown);
        check("ArnLike", &["arn:aws:iam${v}/x"], &[arn], Unknown);
        check("ArnLike", &["arn:aws:sns::${v}:x"], &["arn:aws:sns::1:a:x"], Unknown);
        check("ArnLike", &["${v}"], &[arn], Unknown);
        check("ArnLike", &["arn:aws:iam::${v}:role/y"], &[arn], False);
        check("ArnLike", &["arn:aws:iam:*:*:role/a${v}"], &[arn], False);
        check("ArnNotLike", &["arn:aws:iam::*:user/${v}"], &[arn], True);
    }

    #[test]
    fn comparisons_that_are_not_modelled_are_unknown_for_a_present_key() {
        for name in [
            "StringEqualsIgnoreCase",
            "StringNotEqualsIgnoreCase",
            "NumericEquals",
            "NumericNotEquals",
            "DateLessThan",
            "DateNotEquals",
            "BinaryEquals",
            "BinaryEqualsIfExists",
        ] {
            check(name, &["1"], &["1"], Unknown);
        }
    }

    #[test]
    fn an_unknown_operator_is_named_at_its_place() {
        let answer = holds(&test("NumericEqualsIfExists", &["1"]), &context(&["1"]));
        let expected = ("operator `NumericEqualsIfExists`".to_owned(), Span::new(1, 2));
        assert_eq!(answer.hangs_on, [expected]);
    }

    /// Checks the operator with one request value, or none.
    #[track_caller]
    fn check(operator: &str, listed: &[&str], value: &[&str], expected: Truth) {
        check_in(operator, listed, &context(value), expected);
    }

    /// Checks the operator with a list in the request.
    #[track_caller]
    fn check_list(operator: &str, listed: &[&str], values: &[&str], expected: Truth) {
        let values = values.iter().map(|&value| value.to_owned()).collect();
        let mut context = Context::default();
        context.insert("Aws:Key", ContextValue::Many(values));
        check_in(operator, listed, &context, expected);
    }

    #[track_caller]
    fn check_in(operator: &str, listed: &[&str], context: &Context, expected: Truth) {
        let answer = holds(&test(operator, listed), context);
        assert_eq!(answer.truth, expected, "{operator} {listed:?} {context:?}");
        assert_eq!(answer.hangs_on.is_empty(), expected != Unknown, "{:?}", answer.hangs_on);
    }

    fn context(value: &[&str]) -> Context {
        let mut context = Context::default();
        match value {
            [] => {}
            [value] => drop(context.insert("Aws:Key", ContextValue::One((*value).to_owned()))),
            values => {
                let values = values.iter().map(|&value| value.to_owned()).collect();
                context.insert("Aws:Key", ContextValue::Many(values));
            }
        }
        context
    }

    fn test(operator: &str, listed: &[&str]) -> Condition {
        let value =
            |&text: &&str| ConditionValue { template: template(text), span: Span::new(3, 4) };
        Condition {
            operator: self::operator(operator),
            key: "aws:key".to_owned(),
            values: listed.iter().map(value).collect(),
            operator_span: Span::new(1, 2),
            key_span: Span::new(2, 3),
        }
    }

    fn operator(name: &str) -> Operator {
        let (set, name) = match name.split_once(':') {
            Some(("ForAllValues", name)) => (Some(SetOperator::ForAllValues), name),
            Some((_, name)) => (Some(SetOperator::ForAnyValue), name),
            None => (None, name),
        };
        let (name, if_exists) = match name.strip_suffix("IfExists") {
            Some(name) => (name, true),
            None => (name, false),
        };
        let (base, _) = *BaseOperator::ALL.iter().find(|(_, known)| *known == name).unwrap();
        Operator { set, base, if_exists }
    }

    /// `${v}` is a variable; `${*}`, `${?}` and `${$}` are escapes.
    fn template(text: &str) -> Template {
        let mut segments = vec![];
        let mut rest = text;
        while let Some(start) = rest.find("${") {
            if start > 0 {
                segments.push(Segment::Text(rest[..start].to_owned()));
            }
            segments.push(match &rest[start + 2..start + 3] {
                "v" => Segment::Variable { key: "v".to_owned(), default: None },
                escaped => Segment::Escaped(escaped.chars().next().unwrap()),
            });
            rest = &rest[start + 4..];
        }
        if !rest.is_empty() {
            segments.push(Segment::Text(rest.to_owned()));
        }
        Template { segments }
    }
}
