//! The evaluator against crates that do the same thing another way, on random texts.
//!
//! | operator | oracle |
//! |---|---|
//! | `StringLike`, resource patterns, variables | `regex` |
//! | `IpAddress` | `ipnet` |
//! | `Date…` | `jiff` |
//! | `Numeric…` | `bigdecimal` |
//! | `BinaryEquals` | `base64` |
//!
//! The texts go through the parser and a whole statement, as a policy's do. What the parser refuses
//! as unreadable the oracle must not be able to read either.

#![expect(clippy::unwrap_used, reason = "helpers of a test; clippy exempts test functions only")]

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bigdecimal::BigDecimal;
use ipnet::IpNet;
use jiff::civil::{Date, DateTime, Time, date};
use keyaki_policy::evaluate::{Truth, statement_matches};
use keyaki_policy::request::{Context, ContextValue, Request};
use keyaki_policy::{PolicyType, Readings, parse};
use keyaki_testing::arbitrary::{Result, Unstructured};
use keyaki_testing::arbtest;
use regex::Regex;
use std::cmp::Ordering;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// Texts of one test, in milliseconds.
const BUDGET_MS: u64 = 1_000;

const KEY: &str = "aws:RequestTag/key";
const VARIABLE: &str = "aws:PrincipalTag/variable";

#[test]
fn wildcards_and_variables_are_as_of_regex() {
    run(|u| {
        let value = text(u, &["a", "b", "*", ":", "é"], 6)?;
        let variable = text(u, &["a", "b", "*", "?"], 3)?;
        let mut pattern = String::new();
        let mut regex = r"(?s)\A".to_owned();
        for _ in 0..u.int_in_range(0..=6)? {
            let (piece, meaning) = match u.int_in_range(0..=7)? {
                0 | 1 => ("*".to_owned(), ".*".to_owned()),
                2 => ("?".to_owned(), ".".to_owned()),
                3 => (format!("${{{VARIABLE}}}"), regex::escape(&variable)),
                4 => ("${*}".to_owned(), r"\*".to_owned()),
                _ => {
                    let plain = *u.choose(&["a", "b", ":", "é", ".", "\\", "["])?;
                    (plain.to_owned(), regex::escape(plain))
                }
            };
            pattern += &piece;
            regex += &meaning;
        }
        let expected = Regex::new(&(regex + r"\z")).unwrap().is_match(&value);
        let context = [(KEY, &*value), (VARIABLE, &*variable)];
        assert_eq!(
            condition("StringLike", &pattern, &context),
            Some(expected),
            "{pattern} {value}"
        );
        assert_eq!(condition("StringNotLike", &pattern, &context), Some(!expected));
        Ok(())
    });
}

#[test]
fn fields_of_arns_are_as_of_regex() {
    run(|u| {
        let mut fields = |of_five: &[&str], of_last: &[&str]| -> Result<Vec<String>> {
            (0..6)
                .map(|index| if index < 5 { text(u, of_five, 2) } else { text(u, of_last, 4) })
                .collect()
        };
        let patterns = fields(&["a", "b", "*", "?"], &["a", ":", "*", "?", "/"])?;
        let fields = fields(&["a", "b"], &["a", ":", "/"])?;
        let pattern = format!("arn:{}", patterns[1..].join(":"));
        let arn = format!("arn:{}", fields[1..].join(":"));
        let meaning = |(index, pattern): (usize, &String)| {
            let any = if index == 5 { "." } else { "[^:]" };
            let escaped = regex::escape(pattern);
            escaped.replace(r"\*", &format!("{any}*")).replace(r"\?", any)
        };
        let meanings: Vec<_> = patterns.iter().enumerate().skip(1).map(meaning).collect();
        let regex = Regex::new(&format!(r"(?s)\Aarn:{}\z", meanings.join(":"))).unwrap();
        let expected = regex.is_match(&arn);
        assert_eq!(
            condition("ArnLike", &pattern, &[(KEY, &arn)]),
            Some(expected),
            "{pattern} {arn}"
        );
        assert_eq!(resource(&pattern, &arn), Some(expected), "{pattern} {arn}");
        Ok(())
    });
}

#[test]
fn ranges_of_addresses_are_as_of_ipnet() {
    run(|u| {
        let (base, near) = addresses(u)?;
        let length = u.int_in_range(0..=130u8)?;
        let has_length = u.ratio(4, 5)?;
        let listed = if has_length { format!("{base}/{length}") } else { base.to_string() };
        let range =
            if has_length { IpNet::new(base, length).ok() } else { Some(IpNet::from(base)) };
        let expected = range.map(|range| range.contains(&near));
        let value = near.to_string();
        let upper = value.to_ascii_uppercase();
        for value in [&value, &upper] {
            let context = [(KEY, &**value)];
            assert_eq!(condition("IpAddress", &listed, &context), expected, "{listed} {value}");
            let negated = expected.map(|expected| !expected);
            assert_eq!(condition("NotIpAddress", &listed, &context), negated, "{listed} {value}");
        }
        Ok(())
    });
}

#[test]
fn instants_are_as_of_jiff() {
    run(|u| {
        let ((left, left_seconds), (right, right_seconds)) = (instant(u)?, instant(u)?);
        if let Some(seconds) = left_seconds {
            for offset in [-1, 0, 1] {
                let listed = (seconds + offset).to_string();
                check_order("Date", &listed, &left, Some(0.cmp(&offset)));
            }
        }
        // An unreadable text on the policy's side matches nothing, if it is not refused.
        if let Some(right_seconds) = right_seconds {
            let order = left_seconds.map(|left_seconds| left_seconds.cmp(&right_seconds));
            check_order("Date", &right, &left, order);
        }
        Ok(())
    });
}

#[test]
fn numbers_are_as_of_bigdecimal() {
    let grammar = Regex::new(r"\A[-+]?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]{1,2})?\z").unwrap();
    run(|u| {
        let read = |text: &str| grammar.is_match(text).then(|| BigDecimal::from_str(text).unwrap());
        let (left_text, right_text) = (number(u)?, number(u)?);
        // An unreadable text on the policy's side matches nothing, if it is not refused.
        let (left, Some(right)) = (read(&left_text), read(&right_text)) else { return Ok(()) };
        let order = left.map(|left| left.cmp(&right));
        check_order("Numeric", &right_text, &left_text, order);
        Ok(())
    });
}

#[test]
fn bytes_are_as_of_base64() {
    run(|u| {
        let pieces = ["A", "Q", "g", "w", "=", "==", "/", "+", "-", "_", "Zm9v", "Zm8="];
        let listed = text(u, &pieces, 4)?;
        let value = if u.arbitrary()? { listed.clone() } else { text(u, &pieces, 4)? };
        let decode = |text: &str| BASE64_STANDARD.decode(text).ok();
        let expected = decode(&listed).is_some() && decode(&listed) == decode(&value);
        match condition("BinaryEquals", &listed, &[(KEY, &value)]) {
            Some(holds) => assert_eq!(holds, expected, "{listed} {value}"),
            None => assert_eq!(decode(&listed), None, "{listed} is refused"),
        }
        Ok(())
    });
}

fn run(property: impl FnMut(&mut Unstructured<'_>) -> Result<()>) {
    arbtest(property).budget_ms(BUDGET_MS).run();
}

/// Checks all six operators of a family on a value that compares so with the listed one; `None` is
/// ill-typed, and then nothing holds (D17).
#[track_caller]
fn check_order(family: &str, listed: &str, value: &str, order: Option<Ordering>) {
    type Holds = fn(Ordering) -> bool;
    let operators: [(&str, Holds); 6] = [
        ("Equals", Ordering::is_eq),
        ("NotEquals", Ordering::is_ne),
        ("LessThan", Ordering::is_lt),
        ("LessThanEquals", Ordering::is_le),
        ("GreaterThan", Ordering::is_gt),
        ("GreaterThanEquals", Ordering::is_ge),
    ];
    for (name, holds) in operators {
        let operator = format!("{family}{name}");
        let expected = order.is_some_and(holds);
        let answer = condition(&operator, listed, &[(KEY, value)]);
        assert_eq!(answer, Some(expected), "{operator} {listed} {value}");
    }
}

/// Whether the test holds of the key; `None` if the parser refuses it.
#[track_caller]
fn condition(operator: &str, listed: &str, context: &[(&str, &str)]) -> Option<bool> {
    let listed = serde_json::to_string(listed).unwrap();
    let condition =
        format!(r#""Resource": "*", "Condition": {{"{operator}": {{"{KEY}": {listed}}}}}"#);
    matches(&condition, "*", context)
}

/// Whether the resource pattern matches; `None` if the parser refuses it.
#[track_caller]
fn resource(pattern: &str, resource: &str) -> Option<bool> {
    let pattern = serde_json::to_string(pattern).unwrap();
    matches(&format!(r#""Resource": {pattern}"#), resource, &[])
}

#[track_caller]
fn matches(elements: &str, resource: &str, context: &[(&str, &str)]) -> Option<bool> {
    let source = format!(
        r#"{{"Version": "2012-10-17",
            "Statement": {{"Effect": "Allow", "Action": "s3:GetObject", {elements}}}}}"#
    );
    let policy = parse(&source, Some(PolicyType::Identity)).ok()?;
    let mut values = Context::default();
    for (key, value) in context {
        values.insert(key, ContextValue::One((*value).to_owned()));
    }
    let request = Request {
        action: "s3:GetObject".to_owned(),
        resource: resource.to_owned(),
        context: values,
        ..Request::default()
    };
    match statement_matches(&policy, &policy.statements[0], &request, Readings::DEFAULT) {
        (Truth::True, _) => Some(true),
        (Truth::False, _) => Some(false),
        (Truth::Unknown, hangs_on) => panic!("{hangs_on:?}"),
    }
}

fn text(u: &mut Unstructured<'_>, pieces: &[&str], max: usize) -> Result<String> {
    (0..u.int_in_range(0..=max)?).map(|_| u.choose(pieces).copied()).collect()
}

/// Two addresses, mostly of one family and with a common prefix.
fn addresses(u: &mut Unstructured<'_>) -> Result<(IpAddr, IpAddr)> {
    let address = |is_v6: bool, bits: u128| match is_v6 {
        true => IpAddr::V6(Ipv6Addr::from_bits(bits)),
        false => IpAddr::V4(Ipv4Addr::from_bits((bits >> 96) as u32)),
    };
    let (is_v6, bits): (bool, u128) = (u.arbitrary()?, u.arbitrary()?);
    let common = u.int_in_range(0..=128u32)?;
    let other = bits ^ u.arbitrary::<u128>()?.checked_shr(common).unwrap_or(0);
    let same_family = u.ratio(9, 10)?;
    Ok((address(is_v6, bits), address(is_v6 == same_family, other)))
}

/// A text that may be an instant, and the instant.
fn instant(u: &mut Unstructured<'_>) -> Result<(String, Option<i64>)> {
    let year =
        *u.choose(&[0, 1, 4, 100, 400, 1582, 1969, 1970, 1972, 1999, 2000, 2024, 2026, 9999])?;
    let month = u.int_in_range(0..=13i8)?;
    let day = u.int_in_range(0..=32i8)?;
    let (hour, minute) = (u.int_in_range(0..=24i8)?, u.int_in_range(0..=60i8)?);
    let second = u.int_in_range(0..=60i8)?;
    let (zone_hour, zone_minute) = (u.int_in_range(0..=24i64)?, u.int_in_range(0..=60i64)?);
    let sign = *u.choose(&['Z', '+', '-'])?;

    let form = u.int_in_range(0..=4)?;
    let has_time = form >= 2;
    let mut text = format!("{year:04}-{month:02}");
    if form >= 1 {
        text += &format!("-{day:02}");
    }
    if has_time {
        text += &format!("T{hour:02}:{minute:02}");
    }
    if form >= 3 {
        text += &format!(":{second:02}");
    }
    if form >= 4 {
        text += &format!(".{}", u.int_in_range(0..=99_999u32)?);
    }
    match sign {
        _ if !has_time => {}
        'Z' => text.push('Z'),
        sign => text += &format!("{sign}{zone_hour:02}:{zone_minute:02}"),
    }
    if u.ratio(1, 10)? {
        // Mostly no instant any more.
        let at = u.int_in_range(0..=text.len() - 1)?;
        text.remove(at);
        if is_instant_form(&text) {
            return instant(u);
        }
        return Ok((text, None));
    }

    let value = || {
        let day = Date::new(year, month, if form >= 1 { day } else { 1 }).ok()?;
        let second = if form >= 3 { second } else { 0 };
        let time =
            if has_time { Time::new(hour, minute, second, 0).ok()? } else { Time::midnight() };
        let offset = match sign {
            'Z' => 0,
            _ if !has_time => 0,
            _ if zone_hour > 23 || zone_minute > 59 => return None,
            '+' => zone_hour * 3_600 + zone_minute * 60,
            _ => -(zone_hour * 3_600 + zone_minute * 60),
        };
        let start: DateTime = date(1970, 1, 1).at(0, 0, 0, 0);
        Some(DateTime::from_parts(day, time).duration_since(start).as_secs() - offset)
    };
    let value = value();
    Ok((text, value))
}

/// Whether a damaged text may still have the form of an instant.
fn is_instant_form(text: &str) -> bool {
    let form = r"\A(-?[0-9]+|[0-9]{4}-[0-9]{2}(-[0-9]{2}(T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?(Z|[-+][0-9]{2}:[0-9]{2}))?)?)\z";
    Regex::new(form).unwrap().is_match(text)
}

/// A text that looks like a number.
fn number(u: &mut Unstructured<'_>) -> Result<String> {
    let digits = ["0", "00", "1", "5", "10", "99", "999999999999999999999999"];
    let sign = *u.choose(&["", "", "", "-", "+", "--"])?;
    let whole = text(u, &digits, 3)?;
    let fraction =
        if u.arbitrary()? { format!(".{}", text(u, &digits, 3)?) } else { String::new() };
    let exponent = match u.int_in_range(0..=3)? {
        0 => format!("e{}{}", u.choose(&["", "+", "-"])?, u.int_in_range(0..=30)?),
        1 => "E".to_owned() + &text(u, &["1", "-"], 1)?,
        _ => String::new(),
    };
    Ok(format!("{sign}{whole}{fraction}{exponent}"))
}
