//! A query that does not say what the policies say is found out.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "helpers of tests")]

use std::time::Duration;

use keyaki_analysis::certify::query;
use keyaki_analysis::translation::statements::Reading;
use keyaki_analysis::translation::{Mismatch, Tally, Translation, reader, text};
use keyaki_analysis::{Options, Question, encode, public};
use keyaki_logic::{Cancel, Limits};
use keyaki_policy::{PolicyType, Switch, parse};

/// Requests of each kind.
const N_REQUESTS: usize = 1024;

fn public() -> Question {
    let policy = r#"{"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": "*", "Action": "s3:Get*", "Resource": "arn:aws:s3:::b/*",
         "Condition": {"IpAddress": {"aws:SourceIp": ["10.0.0.0/8", "12.0.0.0/7"]}}},
        {"Effect": "Deny", "Principal": {"AWS": "111122223333"}, "Action": "s3:*", "Resource": "*"}]}"#;
    Question::no_public_access(parse(policy, Some(PolicyType::Resource)).unwrap(), &public::S3)
}

fn new_access() -> Question {
    let policy = |actions: &str, condition: &str| {
        let text = format!(
            r#"{{"Version": "2012-10-17", "Statement": {{"Effect": "Allow", "Action": [{actions}],
                "Resource": "arn:aws:sqs:*:111122223333:q${{aws:username}}*", "Condition": {condition}}}}}"#
        );
        vec![parse(&text, Some(PolicyType::Identity)).unwrap()].into()
    };
    Question::NoNewAccess {
        existing: policy(
            r#""sqs:Send*", "sqs:GetQueueUrl""#,
            r#"{"StringLike": {"aws:PrincipalTag/team": "a*"}, "NumericLessThan": {"s3:max-keys": "10"}}"#,
        ),
        new: policy(
            r#""sqs:SendMessage*""#,
            r#"{"StringEquals": {"aws:PrincipalTag/team": ["abc", "b"]}}"#,
        ),
    }
}

/// What of it is in force.
fn options() -> Options {
    Options { decisions: [(Switch::R35, true)].into(), ..Options::default() }
}

/// Compares under the text that `change` makes of the query's.
fn validate(question: &Question, change: impl Fn(&str) -> String) -> Result<Tally, Box<Mismatch>> {
    let mut encoding = encode(question);
    let options = options();
    let free = encoding.decide(&options.decisions);
    let mut ask = reader(&change(&text(&encoding))).unwrap();
    let limits = Limits::within(Duration::from_secs(300));
    Translation::new(question, &encoding).validate(
        &options,
        &free,
        N_REQUESTS,
        &limits,
        &Cancel::new(),
        &mut ask,
    )
}

#[test]
fn queries_as_they_are_agree_with_policies() {
    for question in [public(), new_access()] {
        let tally = validate(&question, str::to_owned).unwrap();
        assert!(
            tally.n_breaking > 0 && tally.n_harmless > 0 && tally.n_impossible > 0,
            "{tally:?}"
        );
    }
}

/// The mistakes of an encoder: each is a replacement in what it wrote.
#[test]
fn mistakes_of_an_encoder_are_found() {
    for (question, from, to) in [
        // A wildcard that matches nothing, one more, another text, another case.
        (public(), "cat 2 \"get\" all", "\"get\""),
        (public(), "cat 2 \"get\" all", "all"),
        (public(), "cat 2 \"b/\" all", "cat 2 \"b\" all"),
        (new_access(), "cat 2 \"send\" all", "cat 2 \"Send\" all"),
        (new_access(), "cat 2 \"a\" all", "cat 2 \"ac\" all"),
        // A bit of a range.
        (public(), " 8 10\n", " 8 11\n"),
        (public(), " 7 6\n", " 6 3\n"),
        // A condition that is left out, or turned around; a value that is lost.
        (new_access(), "text \"abc\"", "text \"abd\""),
        (new_access(), "text \"b\"", "text \"c\""),
        (public(), "text \"111122223333\"", "text \"111122223334\""),
    ] {
        let is_changed = |text: &str| {
            let changed = text.replace(from, to);
            assert_ne!(changed, text, "{from} is in the query");
            changed
        };
        let mismatch = validate(&question, is_changed).expect_err(from);
        assert!(mismatch.detail.contains("the formulas say"), "{}", mismatch.detail);
    }
}

/// Every connective, equation, range and language of a query is turned around in turn. What is not found makes a difference to no
/// request that was made: ranges of IPv6, and what shapes principals have of which other relations say enough.
#[test]
fn nearly_every_term_counts() {
    for (question, most_missed) in [(public(), 8), (new_access(), 20)] {
        let mut encoding = encode(&question);
        encoding.decide(&options().decisions);
        let whole = text(&encoding);
        let lines: Vec<&str> = whole.lines().collect();
        let (mut n_found, mut missed) = (0, Vec::new());
        for (at, line) in lines.iter().enumerate() {
            let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
            let turned = match word {
                "and" => format!("or {rest}"),
                "or" => format!("and {rest}"),
                "in" => {
                    let (term, language) = rest.split_once(' ').unwrap();
                    format!("in {term} not {language}")
                }
                "eq" => "false".to_owned(),
                "prefix" => "false".to_owned(),
                _ => continue,
            };
            let mut changed = lines.clone();
            changed[at] = &turned;
            let changed = changed.join("\n") + "\n";
            match validate(&question, |_| changed.clone()) {
                Err(_) => n_found += 1,
                Ok(_) => missed.push(format!("{at}: {line}")),
            }
        }
        eprintln!("{n_found} found, {} missed:\n{}", missed.len(), missed.join("\n"));
        assert!(missed.len() <= most_missed && n_found > 50, "{}", missed.join("\n"));
    }
}

/// A comparison of resource policies in which nearly every element can stand.
fn of_resources() -> Question {
    let policy = |statements: &str| {
        let text = format!(r#"{{"Version": "2012-10-17", "Statement": [{statements}]}}"#);
        vec![parse(&text, Some(PolicyType::Resource)).unwrap()].into()
    };
    let existing = r#"
        {"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": ["s3:Get*", "s3:PutObject"],
         "Resource": ["arn:aws:s3:::b/*", "arn:aws:s3:::c"]},
        {"Effect": "Deny", "NotPrincipal": {"AWS": ["arn:aws:iam::111122223333:role/r", "111122223333"]},
         "NotAction": "s3:List*", "Resource": "*", "Condition": {"Null": {"aws:PrincipalTag/a": "false"}}}"#;
    let new = r#"
        {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com", "AWS": "arn:aws:iam::111122223333:user/u"},
         "Action": "s3:GetObject", "NotResource": "arn:aws:s3:::b/secret"},
        {"Effect": "Allow", "Principal": "*", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::b/${aws:username}",
         "Condition": {"StringNotEquals": {"aws:PrincipalTag/a": ["x", "${aws:username}"]}}}"#;
    Question::NoNewAccess { existing: policy(existing), new: policy(new) }
}

/// A policy that is public but for what it and its Deny name.
fn confined() -> Question {
    let policy = r#"{"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": "*", "Action": "s3:Get*", "Resource": "arn:aws:s3:::b/*",
         "Condition": {"StringEquals": {"aws:PrincipalTag/a": "x"}}},
        {"Effect": "Allow", "Principal": "*", "Action": "s3:Put*", "Resource": "arn:aws:s3:::b/*",
         "Condition": {"StringEquals": {"aws:SourceVpc": "vpc-1"}}}]}"#;
    Question::no_public_access(parse(policy, Some(PolicyType::Resource)).unwrap(), &public::S3)
}

/// Compares under the text that `change` makes of the statements.
fn validate_statements(
    question: &Question,
    change: impl Fn(&str) -> String,
) -> Result<Tally, String> {
    let query = change(&query(question).unwrap());
    let limits = Limits::within(Duration::from_secs(300));
    let validated = Reading::of(&query)?.validate(
        question,
        &options(),
        4 * N_REQUESTS,
        &limits,
        &Cancel::new(),
    );
    validated.map_err(|mismatch| mismatch.detail)
}

#[test]
fn statements_as_they_are_agree_with_policies() {
    for question in [of_resources(), new_access(), confined()] {
        let tally = validate_statements(&question, str::to_owned).unwrap();
        assert!(tally.n_breaking > 0 && tally.n_harmless > 0, "{tally:?}");
    }
}

/// The mistakes of a writer of statements: each is a replacement in what it wrote.
#[test]
fn mistakes_of_a_writer_of_statements_are_found() {
    for (question, from, to) in [
        // The effect, a negation, an entry, a condition that is lost; another case, another account, another kind.
        (of_resources(), "deny\n", "allow\n"),
        (of_resources(), "not-action", "action"),
        (of_resources(), "not-principal", "principal"),
        (of_resources(), "not-resource", "resource"),
        (
            of_resources(),
            " \"s3:putobject\"\nresource \"arn:aws:s3:::b/*\"",
            "\nresource \"arn:aws:s3:::b/*\"",
        ),
        (of_resources(), " \"arn:aws:s3:::c\"", ""),
        (of_resources(), "when Null \"aws:principaltag/a\" \"false\"\n", ""),
        (of_resources(), "\"s3:get*\"", "\"s3:Get*\""),
        (of_resources(), "arn:aws:s3:::b/*", "arn:aws:s3:::B/*"),
        (of_resources(), "principal account\"111122223333\"", "principal account\"111122223334\""),
        (of_resources(), "service\"sns", "provider\"sns"),
        (
            of_resources(),
            "user\"arn:aws:iam::111122223333:user/u\"",
            "root\"arn:aws:iam::111122223333:root\"",
        ),
        (of_resources(), "principal all", "principal account\"111122223333\""),
        // A variable that is a text, an operator, a value.
        (of_resources(), "$\"arn:aws:s3:::b/", "\"arn:aws:s3:::b/"),
        (of_resources(), "StringNotEquals", "StringEquals"),
        (of_resources(), " \"x\" ", " "),
        // What confines nobody, and is said to.
        (
            confined(),
            "trusted one any \"aws:sourcevpc\"\n",
            "trusted one any \"aws:sourcevpc\"\ntrusted one any \"aws:principaltag/a\"\n",
        ),
        (confined(), "principal all", "principal account\"111122223333\""),
        (new_access(), "StringLike", "StringEquals"),
        (new_access(), "\"a*\"", "\"*\""),
        (new_access(), "\"10\"", "\"11\""),
        (new_access(), "\"abc\" ", ""),
        (new_access(), "side new\nallow", "side new\nas 0\nallow"),
    ] {
        let is_changed = |text: &str| {
            let changed = text.replacen(from, to, 1);
            assert_ne!(changed, text, "{from} is among the statements");
            changed
        };
        let detail = validate_statements(&question, is_changed).expect_err(from);
        assert!(detail.contains("the statements say"), "{from}: {detail}");
    }
}

/// Every line that says something is left out in turn; a statement without resources is about all.
#[test]
fn every_line_of_a_statement_counts() {
    for question in [of_resources(), new_access()] {
        let whole = query(&question).unwrap();
        let lines: Vec<&str> = whole.lines().collect();
        for (at, line) in lines.iter().enumerate() {
            let first = line.split(' ').next().unwrap();
            let says_nothing = ["question", "type", "side", "allow", "deny"].contains(&first);
            if says_nothing || ["resource \"*\"", "principal all"].contains(line) {
                continue;
            }
            let changed = [&lines[..at], &lines[at + 1..]].concat().join("\n") + "\n";
            assert!(validate_statements(&question, |_| changed.clone()).is_err(), "without {line}");
        }
    }
}
