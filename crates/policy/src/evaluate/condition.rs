//! Whether one test of a condition holds (3).
//!
//! A test is answered in three steps: what the key's absence says (3.3), what a list says (3.13,
//! D26), and only then a comparison of each value of the request with each value of the policy. A
//! comparison reads the two sides by its own sort: the text of the request is never changed, and
//! what cannot be read is ill-typed. On the policy's side that matches nothing; the parser refuses
//! it where it can. On the request's side it fails the test, or differs from everything (D17).

use super::address::Range;
use super::answer::Answer;
use super::bytes;
use super::date;
use super::number::Decimal;
use super::pattern::{self, ArnText, Pieces};
use super::scene::{Exhausted, Scene};
use crate::ast::{BaseOperator, Condition, Segment, SetOperator, Template};
use crate::reading::Switch;
use crate::request::ContextValue;
use crate::request::derive::fields;
use std::cmp::Ordering;
use std::net::IpAddr;

/// Whether `test` holds of the request.
pub(super) fn holds(test: &Condition, scene: &Scene<'_>) -> Answer {
    match answer(test, scene) {
        Ok(holds) => holds.into(),
        Err(exhausted) => Answer::unknown(exhausted.construct(), test.operator_span),
    }
}

fn answer(test: &Condition, scene: &Scene<'_>) -> Result<bool, Exhausted> {
    let operator = test.operator;
    let values = values_of(test, scene)?;
    if test.values.is_empty()
        && let Some(holds) = without_listed_values(test, values.is_none(), scene)
    {
        return Ok(holds);
    }
    if operator.base == BaseOperator::Null {
        return null(test, scene);
    }
    let Some(values) = values else { return Ok(with_absent_key(test, scene)) };
    if scene.reads(Switch::D29) && has_unresolved_variable(test, scene) {
        return Ok(false);
    }
    let is_list = matches!(scene.request.context.get(&test.key), Some(ContextValue::Many(_)));
    if is_list && operator.set.is_none() {
        // A list under an operator that is about one value (D26). The key is present, so
        // `IfExists` does not help.
        return Ok(operator.base.is_negated() && scene.reads(Switch::D26));
    }
    compare(test, values, scene)
}

/// The values of the key that the test is about; none if it is absent.
///
/// Of a set operator, a set of empty strings may be an empty set (D23, D25).
fn values_of<'r>(test: &Condition, scene: &Scene<'r>) -> Result<Option<&'r [String]>, Exhausted> {
    let values = match scene.request.context.get(&test.key) {
        None => return Ok(None),
        Some(ContextValue::One(value)) => std::slice::from_ref(value),
        Some(ContextValue::Many(values)) => values.as_slice(),
    };
    if test.operator.set.is_none() || !scene.reads(Switch::D23) {
        return Ok(Some(values));
    }
    scene.budget.read(values.len())?;
    Ok((!values.iter().all(String::is_empty)).then_some(values))
}

/// What an empty list of values means (1.7, D6), where it has a meaning of its own.
fn without_listed_values(test: &Condition, is_absent: bool, scene: &Scene<'_>) -> Option<bool> {
    let operator = test.operator;
    match operator.set {
        _ if operator.base == BaseOperator::Null && operator.set.is_some() => None,
        Some(SetOperator::ForAllValues) => Some(is_absent),
        // What `IfExists` says of an absent key is asked first (D24).
        Some(SetOperator::ForAnyValue) => (!is_absent).then_some(false),
        None if operator.if_exists => Some(is_absent),
        None => scene.reads(Switch::D6).then_some(true),
    }
}

/// The missing-key rules (3.3, 3.13).
fn with_absent_key(test: &Condition, scene: &Scene<'_>) -> bool {
    let operator = test.operator;
    match operator.set {
        Some(SetOperator::ForAllValues) => true,
        Some(SetOperator::ForAnyValue) => operator.if_exists && scene.reads(Switch::D24),
        None => operator.if_exists || operator.base.is_negated(),
    }
}

/// `Null` asks for absence with `true` and for presence with `false`; several values are
/// alternatives, and other values match nothing (3.12). With a set operator it asks nothing (1.7).
/// The parser refuses `IfExists` here.
fn null(test: &Condition, scene: &Scene<'_>) -> Result<bool, Exhausted> {
    match test.operator.set {
        Some(SetOperator::ForAllValues) => return Ok(true),
        Some(SetOperator::ForAnyValue) => return Ok(false),
        None => {}
    }
    let is_present = match scene.request.context.get(&test.key) {
        None => false,
        Some(ContextValue::One(value)) if value.is_empty() => !scene.reads(Switch::D23),
        Some(_) => true,
    };
    for listed in &test.values {
        scene.budget.spend(1)?;
        let text = plain_text(&listed.template);
        let asks = |word: &str| text.as_ref().is_some_and(|text| text.eq_ignore_ascii_case(word));
        if asks(if is_present { "false" } else { "true" }) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether some listed value has a variable that is unresolved, of an operator that has variables.
fn has_unresolved_variable(test: &Condition, scene: &Scene<'_>) -> bool {
    let is_unresolved = |segment: &Segment| match segment {
        Segment::Variable { key, default } => scene.variable(key, default.as_deref()).is_none(),
        _ => false,
    };
    has_variables(test.operator.base)
        && test.values.iter().flat_map(|v| &v.template.segments).any(is_unresolved)
}

/// Whether `${…}` is a variable in the operator's values (4.1, D19). In those of the others it is
/// text, which they cannot read.
fn has_variables(operator: BaseOperator) -> bool {
    use BaseOperator::*;
    match operator {
        StringEquals
        | StringNotEquals
        | StringEqualsIgnoreCase
        | StringNotEqualsIgnoreCase
        | StringLike
        | StringNotLike
        | ArnEquals
        | ArnNotEquals
        | ArnLike
        | ArnNotLike
        | Bool => true,
        NumericEquals
        | NumericNotEquals
        | NumericLessThan
        | NumericLessThanEquals
        | NumericGreaterThan
        | NumericGreaterThanEquals
        | DateEquals
        | DateNotEquals
        | DateLessThan
        | DateLessThanEquals
        | DateGreaterThan
        | DateGreaterThanEquals
        | BinaryEquals
        | IpAddress
        | NotIpAddress
        | Null => false,
    }
}

/// Compares each value of the request with each of the policy, in the operator's own way.
fn compare(test: &Condition, values: &[String], scene: &Scene<'_>) -> Result<bool, Exhausted> {
    use BaseOperator::*;
    let budget = &scene.budget;
    let literal = |listed| pattern::resolve(listed, false, scene);
    let wild = |listed| pattern::resolve(listed, true, scene);
    let text = |value| Some(value);
    match test.operator.base {
        StringEquals | StringNotEquals => {
            decide(test, values, scene, text, literal, |p, v| pattern::text_equals(p, v, budget))
        }
        StringEqualsIgnoreCase | StringNotEqualsIgnoreCase => {
            decide(test, values, scene, text, literal, |p, v| {
                pattern::text_equals_ignoring_case(p, v, budget)
            })
        }
        StringLike | StringNotLike => {
            decide(test, values, scene, text, wild, |p, v| pattern::text_like(p, v, budget))
        }
        ArnEquals | ArnLike | ArnNotEquals | ArnNotLike => {
            let arn = |text| Some(ArnText { text, fields: fields(text) });
            let or_text = scene.reads(Switch::D22);
            decide(test, values, scene, arn, wild, |p, v| pattern::arn_like(p, v, or_text, budget))
        }
        Bool => decide(test, values, scene, truth, literal, |p: &Pieces<'_>, v| {
            budget.spend(1)?;
            Ok(pattern::is_word(p, *v))
        }),
        IpAddress | NotIpAddress => {
            let address = |text: &str| text.parse::<IpAddr>().ok();
            let range = |listed| plain_text(listed).and_then(Range::read);
            decide(test, values, scene, address, range, |range, address: &IpAddr| {
                budget.spend(1)?;
                Ok(range.contains(*address))
            })
        }
        BinaryEquals => {
            let encoded = |text| bytes::is_base64(text).then_some(text);
            let listed = |listed| plain_text(listed).filter(|text| bytes::is_base64(text));
            decide(test, values, scene, encoded, listed, |listed: &&str, value| {
                budget.read(value.len())?;
                Ok(listed == value)
            })
        }
        NumericEquals
        | NumericNotEquals
        | NumericLessThan
        | NumericLessThanEquals
        | NumericGreaterThan
        | NumericGreaterThanEquals => {
            let listed = |listed| plain_text(listed).and_then(Decimal::read);
            decide(test, values, scene, Decimal::read, listed, |listed: &Decimal<'_>, value| {
                budget.spend(1 + (listed.length() + value.length()) as u64 / 2)?;
                Ok(is_in_order(test.operator.base, value.compare(listed)))
            })
        }
        DateEquals
        | DateNotEquals
        | DateLessThan
        | DateLessThanEquals
        | DateGreaterThan
        | DateGreaterThanEquals => {
            let listed = |listed| plain_text(listed).and_then(date::seconds);
            decide(test, values, scene, date::seconds, listed, |listed, value| {
                budget.spend(1)?;
                Ok(is_in_order(test.operator.base, value.cmp(listed)))
            })
        }
        // Answered before any comparison.
        Null => null(test, scene),
    }
}

/// Whether a value of the request that compares so with a listed one matches it. The negated
/// operators are negated over all listed values, not here.
fn is_in_order(operator: BaseOperator, order: Ordering) -> bool {
    use BaseOperator::*;
    match operator {
        NumericLessThan | DateLessThan => order.is_lt(),
        NumericLessThanEquals | DateLessThanEquals => order.is_le(),
        NumericGreaterThan | DateGreaterThan => order.is_gt(),
        NumericGreaterThanEquals | DateGreaterThanEquals => order.is_ge(),
        _ => order.is_eq(),
    }
}

/// A value of the request, read, and whether some listed value matches it.
struct Tested<V> {
    /// None if it is ill-typed.
    value: Option<V>,
    is_matched: bool,
}

/// Whether the test holds, given how its two sides are read and compared.
///
/// Of one value a positive operator needs that some listed value matches, a negated one that none
/// does (3.1); a set operator asks this of all values or of some (3.13). An unread listed value
/// matches nothing: an unresolved variable (D29), or what the operator cannot read.
fn decide<'t, V, P>(
    test: &'t Condition,
    values: &'t [String],
    scene: &Scene<'_>,
    read_value: impl Fn(&'t str) -> Option<V>,
    read_listed: impl Fn(&'t Template) -> Option<P>,
    matches: impl Fn(&P, &V) -> Result<bool, Exhausted>,
) -> Result<bool, Exhausted> {
    let tested = |value: &'t String| -> Result<Tested<V>, Exhausted> {
        scene.budget.read(value.len())?;
        Ok(Tested { value: read_value(value), is_matched: false })
    };
    let match_all = |tested: &mut [Tested<V>]| -> Result<(), Exhausted> {
        for listed in &test.values {
            scene.budget.read(length(&listed.template))?;
            let Some(listed) = read_listed(&listed.template) else { continue };
            for tested in tested.iter_mut().filter(|tested| !tested.is_matched) {
                if let Some(value) = &tested.value {
                    tested.is_matched = matches(&listed, value)?;
                }
            }
        }
        Ok(())
    };
    let is_negated = test.operator.base.is_negated();
    let holds = |tested: &Tested<V>| match tested.value {
        Some(_) => tested.is_matched != is_negated,
        None => is_negated && scene.reads(Switch::D17),
    };
    // One value needs no list of them.
    if let [value] = values {
        let mut tested = [tested(value)?];
        match_all(&mut tested)?;
        return Ok(tested.iter().all(holds));
    }
    let mut tested = values.iter().map(tested).collect::<Result<Vec<_>, _>>()?;
    match_all(&mut tested)?;
    Ok(match test.operator.set {
        Some(SetOperator::ForAnyValue) => tested.iter().any(holds),
        _ => tested.iter().all(holds),
    })
}

/// Truth values are words, in any case (3.7).
fn truth(text: &str) -> Option<bool> {
    match text {
        _ if text.eq_ignore_ascii_case("true") => Some(true),
        _ if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

/// The text of a value of an operator that has neither wildcards nor variables. What has a
/// variable or an escaped character is nothing that such an operator could read.
fn plain_text(template: &Template) -> Option<&str> {
    match template.segments.as_slice() {
        [] => Some(""),
        [Segment::Text(text)] => Some(text),
        _ => None,
    }
}

/// How many bytes it takes to read the template.
fn length(template: &Template) -> usize {
    let of_segment = |segment: &Segment| match segment {
        Segment::Text(text) => text.len(),
        Segment::Escaped(_) | Segment::Variable { .. } => 1,
    };
    template.segments.iter().map(of_segment).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ast::{ConditionValue, Operator};
    use crate::evaluate::Truth::{self, False, True, Unknown};
    use crate::reading::Readings;
    use crate::request::{Context, Request};
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
    fn bool_ignores_case_and_fails_on_other_text() {
        check("Bool", &["true"], &["True"], True);
        check("Bool", &["TRUE"], &["true"], True);
        check("Bool", &["true"], &["false"], False);
        check("Bool", &["true", "false"], &["false"], True);
        check("Bool", &["yes"], &["yes"], False);
        check("BoolIfExists", &["false"], &["no"], False);
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
    fn an_empty_list_of_values_with_an_affix_leaves_only_absence() {
        for base in ["StringEquals", "StringNotEquals", "NumericLessThan", "IpAddress"] {
            check(&format!("{base}IfExists"), &[], ABSENT, True);
            check(&format!("{base}IfExists"), &[], &["a"], False);
            check(&format!("ForAllValues:{base}"), &[], ABSENT, True);
            check(&format!("ForAllValues:{base}"), &[], &["a", "b"], False);
            check(&format!("ForAnyValue:{base}"), &[], ABSENT, False);
            check(&format!("ForAnyValue:{base}"), &[], &["a", "b"], False);
        }
    }

    #[test]
    fn an_empty_list_of_values_may_be_no_test() {
        for base in ["StringEquals", "StringNotEquals", "Null"] {
            check_switch(Switch::D6, base, &[], One("a"), [base == "StringNotEquals", true]);
            check_switch(Switch::D6, base, &[], Absent, [base == "StringNotEquals", true]);
        }
        check_switch(Switch::D6, "StringEqualsIfExists", &[], One("a"), [false, false]);
        check_switch(Switch::D6, "ForAllValues:StringEquals", &[], One("a"), [false, false]);
    }

    #[test]
    fn set_operators_ask_all_values_or_some() {
        // The table of 3.14, for the values a and b.
        for (values, expected) in [
            (&["a"][..], [true, false, true, false]),
            (&["c"], [false, true, false, true]),
            (&["a", "b"], [true, false, true, false]),
            (&["a", "c"], [false, false, true, true]),
            (&["c", "d"], [false, true, false, true]),
            (&[], [true, true, false, false]),
        ] {
            let operators = [
                "ForAllValues:StringEquals",
                "ForAllValues:StringNotEquals",
                "ForAnyValue:StringEquals",
                "ForAnyValue:StringNotEquals",
            ];
            for (operator, expected) in operators.into_iter().zip(expected) {
                check_list(operator, &["a", "b"], values, expected.into());
                check_list(&format!("{operator}IfExists"), &["a", "b"], values, expected.into());
            }
        }
    }

    #[test]
    fn a_single_value_under_a_set_operator_is_a_list_of_one() {
        check("ForAllValues:StringLike", &["a*"], &["ab"], True);
        check("ForAnyValue:StringNotLike", &["a*"], &["ab"], False);
        check("ForAnyValue:NumericLessThan", &["5"], &["4"], True);
    }

    #[test]
    fn null_with_a_set_operator_asks_nothing() {
        for value in ["true", "false"] {
            for values in [ABSENT, &["x"]] {
                check("ForAllValues:Null", &[value], values, True);
                check("ForAnyValue:Null", &[value], values, False);
            }
        }
    }

    #[test]
    fn if_exists_may_help_a_set_operator_of_some() {
        check_switch(
            Switch::D24,
            "ForAnyValue:StringEqualsIfExists",
            &["x"],
            Absent,
            [false, true],
        );
        check_switch(Switch::D24, "ForAnyValue:StringEqualsIfExists", &["x"], One("y"), [false; 2]);
        check_switch(Switch::D24, "ForAnyValue:StringEquals", &["x"], Absent, [false, false]);
    }

    #[test]
    fn an_empty_string_may_be_no_value() {
        check_switch(Switch::D23, "Null", &["true"], One(""), [false, true]);
        check_switch(Switch::D23, "Null", &["false"], One(""), [true, false]);
        check_switch(Switch::D23, "Null", &["false"], One("x"), [true, true]);
        check_switch(Switch::D23, "Null", &["false"], Many(&[""]), [true, true]);
        check_switch(Switch::D23, "ForAllValues:StringEquals", &["x"], One(""), [false, true]);
        check_switch(
            Switch::D23,
            "ForAllValues:StringEquals",
            &["x"],
            Many(&["", ""]),
            [false, true],
        );
        check_switch(
            Switch::D23,
            "ForAllValues:StringEquals",
            &["x"],
            Many(&["", "y"]),
            [false; 2],
        );
        check_switch(
            Switch::D23,
            "ForAnyValue:StringNotEquals",
            &["x"],
            Many(&[""]),
            [true, false],
        );
        check_switch(Switch::D23, "StringEquals", &[""], One(""), [true, true]);
    }

    #[test]
    fn a_list_may_satisfy_a_negated_operator() {
        check_switch(Switch::D26, "StringNotEquals", &["x"], Many(&["x"]), [false, true]);
        check_switch(Switch::D26, "NotIpAddressIfExists", &["::"], Many(&["x"]), [false, true]);
        check_switch(Switch::D26, "StringEquals", &["x"], Many(&["x"]), [false, false]);
    }

    #[test]
    fn an_ill_typed_value_may_differ_from_everything() {
        for (operator, listed) in [
            ("NumericNotEquals", "5"),
            ("DateNotEquals", "2026-01-01"),
            ("NotIpAddress", "10.0.0.0/8"),
            ("ForAnyValue:NumericNotEquals", "5"),
            ("ForAllValues:NumericNotEquals", "5"),
        ] {
            check_switch(Switch::D17, operator, &[listed], One("abc"), [false, true]);
        }
        check_switch(Switch::D17, "NumericLessThan", &["5"], One("abc"), [false, false]);
        check_switch(Switch::D17, "Bool", &["true"], One("abc"), [false, false]);
    }

    #[test]
    fn what_is_no_arn_may_be_compared_as_text() {
        let arn = "arn:aws:s3:::bucket";
        check_switch(Switch::D22, "ArnLike", &["*"], One(arn), [false, true]);
        check_switch(Switch::D22, "ArnNotLike", &["*"], One(arn), [true, false]);
        check_switch(Switch::D22, "ArnEquals", &["arn:aws:s3*"], One(arn), [false, true]);
        check_switch(Switch::D22, "ArnLike", &["x:*:*:*:*:*"], One("x:1:2:3:4:5"), [false, true]);
        check_switch(Switch::D22, "ArnLike", &["te*"], One("text"), [false, true]);
        check_switch(Switch::D22, "ArnLike", &["arn:*:*:*:*:*"], One("text"), [false, false]);
        check_switch(Switch::D22, "ArnLike", &["*:*:s3:*:*:b*"], One(arn), [true, true]);
    }

    #[test]
    fn an_unresolved_variable_spoils_its_value_or_the_test() {
        check_switch(Switch::D29, "StringEquals", &["x", "${v}"], One("x"), [true, false]);
        check_switch(Switch::D29, "StringNotEquals", &["${v}"], One("x"), [true, false]);
        check_switch(Switch::D29, "ArnNotLike", &["arn:${v}"], One("x"), [true, false]);
        check_switch(
            Switch::D29,
            "ForAllValues:StringNotLike",
            &["${v}"],
            Many(&["x", "y"]),
            [true, false],
        );
        // What an absent key says comes first.
        check_switch(Switch::D29, "StringNotEquals", &["${v}"], Absent, [true, true]);
        check_switch(Switch::D29, "StringEqualsIfExists", &["${v}"], Absent, [true, true]);
        // These have no variables.
        check_switch(Switch::D29, "NumericNotEquals", &["${v}"], One("5"), [true, true]);
        check_switch(Switch::D29, "NotIpAddress", &["${v}"], One("::"), [true, true]);
    }

    #[test]
    fn a_variable_has_the_value_of_its_key() {
        check("StringEquals", &["a-${aws:key}"], &["a-b"], False);
        check("StringEquals", &["${AWS:KEY}"], &["b"], True);
        check("StringLike", &["${aws:key}"], &["b*"], True);
        check("StringLike", &["${aws:key}*"], &["?"], True);
        check("StringEqualsIgnoreCase", &["${aws:key}"], &["B"], True);
        check("Bool", &["${aws:key}"], &["True"], True);
        check("ArnLike", &["${aws:key}"], &["arn:aws:s3:::b"], True);
        check("NumericEquals", &["${aws:key}"], &["5"], False);
        check_list("ForAnyValue:StringEquals", &["${aws:key}"], &["b", "c"], False);
    }

    #[test]
    fn case_is_folded_one_character_at_a_time() {
        let check = |listed: &str, value: &str, expected: bool| {
            check("StringEqualsIgnoreCase", &[listed], &[value], expected.into());
            check("StringNotEqualsIgnoreCase", &[listed], &[value], (!expected).into());
        };
        check("Straße", "sTRASSE", false);
        check("ÉTÉ", "été", true);
        check("Σ", "ς", false);
        check("ΣΣ", "σσ", true);
        // The lower case of this letter is two characters.
        check("\u{130}", "i\u{307}", false);
        check("\u{130}", "\u{130}", true);
        check("a*", "AB", false);
    }

    #[test]
    fn numbers_are_compared_by_value() {
        for (operator, holds) in [
            ("NumericEquals", [false, true, false]),
            ("NumericNotEquals", [true, false, true]),
            ("NumericLessThan", [true, false, false]),
            ("NumericLessThanEquals", [true, true, false]),
            ("NumericGreaterThan", [false, false, true]),
            ("NumericGreaterThanEquals", [false, true, true]),
        ] {
            for (value, expected) in ["9.99", "10.0", "1.01e1"].into_iter().zip(holds) {
                check(operator, &["10"], &[value], expected.into());
            }
        }
        check("NumericLessThan", &["1", "10"], &["5"], True);
        check("NumericNotEquals", &["1", "10"], &["10"], False);
        check("NumericEquals", &["five"], &["5"], False);
        check("NumericNotEquals", &["five"], &["5"], True);
    }

    #[test]
    fn dates_are_compared_in_seconds() {
        for (operator, holds) in [
            ("DateEquals", [false, true, false]),
            ("DateNotEquals", [true, false, true]),
            ("DateLessThan", [true, false, false]),
            ("DateLessThanEquals", [true, true, false]),
            ("DateGreaterThan", [false, false, true]),
            ("DateGreaterThanEquals", [false, true, true]),
        ] {
            for (value, expected) in
                ["2026-01-01T00:59:59Z", "2026-01-01T00:00:00.9-01:00", "1767229201"]
                    .into_iter()
                    .zip(holds)
            {
                check(operator, &["2026-01-01T01:00Z"], &[value], expected.into());
            }
        }
    }

    #[test]
    fn encoded_bytes_are_compared_where_both_are_base64() {
        check("BinaryEquals", &["Zg=="], &["Zg=="], True);
        check("BinaryEquals", &["Zg=="], &["Zm8="], False);
        check("BinaryEquals", &["Zg"], &["Zg"], False);
        check("BinaryEquals", &["Zh=="], &["Zh=="], False);
        check("BinaryEquals", &[""], &[""], True);
    }

    #[test]
    fn other_words_under_null_match_nothing() {
        check("Null", &["maybe"], &["x"], False);
        check("Null", &["${v}"], &["x"], False);
        check("Null", &["maybe", "false"], &["x"], True);
    }

    #[test]
    fn a_listed_value_that_is_no_range_matches_nothing() {
        for range in [
            "",
            "10.0.0.0/33",
            "10.0.0.0/+8",
            "10.0.0.0/08",
            "10.0.0.0/00",
            "::/129",
            "10.*",
            "${v}/8",
        ] {
            check("IpAddress", &[range], &["10.0.0.1"], False);
            check("NotIpAddress", &[range], &["10.0.0.1"], True);
            check("IpAddress", &[range, "10.0.0.0/8"], &["10.0.0.1"], True);
        }
    }

    #[test]
    fn a_large_list_against_many_patterns_ends_at_the_limit() {
        let values: Vec<String> = (0..100_000).map(|n| n.to_string()).collect();
        let listed: Vec<String> = (0..1_000).map(|n| format!("{n}")).collect();
        let listed: Vec<&str> = listed.iter().map(String::as_str).collect();
        let mut context = Context::default();
        context.insert("aws:key", ContextValue::Many(values));
        check_in("ForAllValues:NumericEquals", &listed, &context, Unknown);
        check_in("ForAllValues:StringEquals", &listed, &context, Unknown);
        check_in("ForAnyValue:StringLike", &["7*8", "9"], &context, True);
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

    #[test]
    fn what_is_read_and_compared_is_spent() {
        // Reading either side costs one step and one more for every 8 bytes, what is no text being one byte.
        for (operator, listed, value, expected) in [
            ("Bool", "true", "false", 1 + 1 + 1),
            ("Bool", "${other}${?}23456", "false", 1 + 1 + 1),
            ("Bool", "${other}${?}234567", "false", 1 + 2 + 1),
            ("IpAddress", "10.0.0.0/8", "10.1.2.3", 2 + 2 + 1),
            ("DateEquals", "2026-11-29T10:00:00Z", "2026-11-29", 2 + 3 + 1),
            // What cannot be read is not compared.
            ("DateEquals", "2026-11-29T10:00:00Z", "yesterday", 2 + 3),
            ("BinaryEquals", "QUJDREVG", "QUJDREVG", 2 + 2 + 2),
            // Two digits are a step.
            ("NumericEquals", "12.50", "3", 1 + 1 + 3),
            ("NumericEquals", "1234", "123456789.25", 2 + 1 + 8),
            ("NumericEquals", "0.0012", "000", 1 + 1 + 2),
            // So is a byte.
            ("StringEqualsIgnoreCase", "abc", "ABCDEFGHI", 2 + 1 + 10),
        ] {
            let mut request = Request { context: context(&[value]), ..Request::default() };
            request.context.insert("other", ContextValue::One("1".to_owned()));
            let scene = Scene::new(&request, Readings::DEFAULT);
            let before = scene.budget.left();
            answer(&test(operator, &[listed]), &scene).unwrap();
            assert_eq!(before - scene.budget.left(), expected, "{operator} {listed} {value}");
        }
    }

    #[track_caller]
    fn check_in(operator: &str, listed: &[&str], context: &Context, expected: Truth) {
        check_reading(operator, listed, context, Readings::DEFAULT, expected);
    }

    #[track_caller]
    fn check_reading(
        operator: &str,
        listed: &[&str],
        context: &Context,
        readings: Readings,
        expected: Truth,
    ) {
        let request = Request { context: context.clone(), ..Request::default() };
        let test = test(operator, listed);
        let answer = holds(&test, &Scene::new(&request, readings));
        assert_eq!(answer.truth, expected, "{operator} {listed:?} {context:?}");
        assert_eq!(answer.hangs_on.is_empty(), expected != Unknown, "{:?}", answer.hangs_on);
    }

    /// What the key of the tests has in the request.
    #[derive(Clone, Copy, Debug)]
    enum Given {
        Absent,
        One(&'static str),
        Many(&'static [&'static str]),
    }
    use Given::{Absent, Many, One};

    /// Checks a test under both readings of a switch.
    #[track_caller]
    fn check_switch(
        switch: Switch,
        operator: &str,
        listed: &[&str],
        given: Given,
        expected: [bool; 2],
    ) {
        let mut context = Context::default();
        match given {
            Absent => None,
            One(value) => context.insert("aws:key", ContextValue::One(value.to_owned())),
            Many(values) => {
                let values = values.iter().map(|&value| value.to_owned()).collect();
                context.insert("aws:key", ContextValue::Many(values))
            }
        };
        for (alternative, expected) in [false, true].into_iter().zip(expected) {
            let readings = Readings::DEFAULT.with(switch, alternative);
            check_reading(operator, listed, &context, readings, expected.into());
        }
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

    /// `${KEY}` is a variable; `${*}`, `${?}` and `${$}` are escapes.
    fn template(text: &str) -> Template {
        let mut segments = vec![];
        let mut rest = text;
        while let Some(start) = rest.find("${") {
            if start > 0 {
                segments.push(Segment::Text(rest[..start].to_owned()));
            }
            let end = start + rest[start..].find('}').unwrap();
            segments.push(match &rest[start + 2..end] {
                "*" => Segment::Escaped('*'),
                "?" => Segment::Escaped('?'),
                "$" => Segment::Escaped('$'),
                key => Segment::Variable { key: key.to_owned(), default: None },
            });
            rest = &rest[end + 1..];
        }
        if !rest.is_empty() {
            segments.push(Segment::Text(rest.to_owned()));
        }
        Template { segments }
    }
}
