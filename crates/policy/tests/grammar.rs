//! What each type of policy may hold (1.8), that all mistakes are found at once, and that printing
//! loses nothing.

use keyaki_policy::ast::Statement;
use keyaki_policy::parse::MAX_ERRORS;
use keyaki_policy::span::Span;
use keyaki_policy::{Code, Policy, PolicyType, parse, parse_all};

const COMPLETE: &str =
    r#"{"Effect":"Deny","Principal":"*","Action":"s3:GetObject","Resource":"*"}"#;

/// The code of the mistake in a policy of this one statement, or none.
fn code(policy_type: PolicyType, statement: &str) -> Option<Code> {
    let source = format!(r#"{{"Version":"2012-10-17","Statement":{statement}}}"#);
    let all = parse_all(&source, Some(policy_type));
    let first = parse(&source, Some(policy_type)).err();
    assert_eq!(first.is_some(), !all.errors.is_empty(), "{source}");
    first.map(|error| error.code)
}

/// Checks which types of policy accept the statement; the others say `expected`.
#[track_caller]
fn check_accepted(statement: &str, expected: Code, accepted: &[PolicyType]) {
    for (policy_type, name) in PolicyType::ALL {
        let expected = (!accepted.contains(&policy_type)).then_some(expected);
        assert_eq!(code(policy_type, statement), expected, "{name} {statement}");
    }
}

use PolicyType::{Boundary, Identity, Kms, Rcp, Resource, Scp, Session, Trust, VpcEndpoint};

#[test]
fn only_policies_on_resources_name_principals() {
    let not_trust = [Rcp, Resource, Kms, VpcEndpoint];
    check_accepted(COMPLETE, Code::ForbiddenElement, &not_trust);
    let without = r#"{"Effect":"Deny","Action":"s3:GetObject","Resource":"*"}"#;
    for policy_type in [Identity, Boundary, Session, Scp] {
        assert_eq!(code(policy_type, without), None);
    }
    for policy_type in [Rcp, Resource, Kms, VpcEndpoint] {
        assert_eq!(code(policy_type, without), Some(Code::MissingElement));
    }
}

#[test]
fn trust_and_resource_control_policies_have_no_not_principal() {
    let statement = |resource: &str| {
        format!(r#"{{"Effect":"Deny","NotPrincipal":"*","Action":"sts:AssumeRole"{resource}}}"#)
    };
    assert_eq!(code(Trust, &statement("")), Some(Code::ForbiddenElement));
    let with_resource = statement(r#","Resource":"*""#);
    check_accepted(&with_resource, Code::ForbiddenElement, &[Resource, Kms, VpcEndpoint]);
}

#[test]
fn only_trust_policies_have_no_resource() {
    let statement = r#"{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}"#;
    assert_eq!(code(Trust, statement), None);
    assert_eq!(code(Resource, statement), None);
    assert_eq!(code(Kms, statement), None);
    for policy_type in [VpcEndpoint, Rcp] {
        assert_eq!(code(policy_type, statement), Some(Code::MissingElement));
    }
    let statement = r#"{"Effect":"Allow","Action":"s3:GetObject"}"#;
    for policy_type in [Identity, Boundary, Session, Scp] {
        assert_eq!(code(policy_type, statement), Some(Code::MissingElement));
    }
    let with = r#"{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole","NotResource":"x"}"#;
    assert_eq!(code(Trust, with), Some(Code::ForbiddenElement));
}

#[test]
fn resource_control_policies_deny_actions_to_everyone() {
    for (statement, expected) in [
        (COMPLETE, None),
        (r#"{"Effect":"Deny","Principal":{"AWS":"*"},"Action":"s3:*","Resource":"*"}"#, None),
        (r#"{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}"#, None),
        (
            r#"{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*"}"#,
            Some(Code::ForbiddenElement),
        ),
        (
            r#"{"Effect":"Deny","Principal":"*","NotAction":"s3:*","Resource":"*"}"#,
            Some(Code::ForbiddenElement),
        ),
        (
            r#"{"Effect":"Deny","Principal":{"AWS":"111122223333"},"Action":"s3:*","Resource":"*"}"#,
            Some(Code::ForbiddenElement),
        ),
    ] {
        assert_eq!(code(Rcp, statement), expected, "{statement}");
    }
}

/// A key policy with a statement that KMS saves and ignores.
const KEY_POLICY: &str = r#"{"Version":"2012-10-17","Statement":[
    {"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"kms:*","Resource":"*"},
    {"Effect":"Allow","Principal":"*","Action":"kms:Decrypt"},
    {"Effect":"Deny","Principal":"*","Resource":"*"}]}"#;

#[test]
fn an_incomplete_statement_of_a_key_policy_matches_nothing() {
    let policy = parse(KEY_POLICY, Some(Kms)).unwrap();
    let entries = |statement: &Statement| {
        (statement.action.entries.len(), statement.resource.as_ref().unwrap().entries.len())
    };
    let counts: Vec<_> = policy.statements.iter().map(entries).collect();
    assert_eq!(counts, [(1, 1), (1, 0), (0, 1)]);
}

#[test]
fn a_key_policy_with_an_incomplete_statement_is_recognized() {
    assert_eq!(parse(KEY_POLICY, None).unwrap().policy_type, Kms);
    assert_eq!(parse(KEY_POLICY, Some(Resource)).unwrap_err().code, Code::MissingElement);
    for (from, to) in [("kms:*", "s3:*"), (r#""Resource":"*"}"#, r#""Resource":"arn:aws:s3:::b"}"#)]
    {
        let error = parse(&KEY_POLICY.replace(from, to), None).unwrap_err();
        assert_eq!(error.code, Code::MissingElement);
    }
    // Complete, or about the resource itself as a whole, it is like any other.
    let complete = KEY_POLICY.replace(r#"kms:Decrypt""#, r#"kms:Decrypt","Resource":"*""#);
    let complete =
        complete.replace(r#""*","Resource":"*"}]"#, r#""*","Action":[],"Resource":"*"}]"#);
    assert_eq!(parse(&complete, None).unwrap().policy_type, Resource);
}

#[test]
fn every_mistake_is_found() {
    let source = r#"{
 "Version": "2012",
 "Colour": "blue",
 "Statement": [
  {"Effect": "allow", "Action": ["s3", "s3:GetObject", "x"], "Resource": ["b", "*"]},
  {"Sid": "fine", "Effect": "Allow", "Action": "*", "Resource": "*"},
  {"Action": "a:b", "NotAction": "a:c", "Resource": "*", "Resource": "*",
   "Condition": {"StringLikes": {"a": "b"}, "Null": {"a": "x", "b": [null, "true", "y"]}}},
  "oops"]}"#;
    let read = parse_all(source, None);
    let found: Vec<_> = read
        .errors
        .iter()
        .map(|error| (error.position.line, error.code.as_str(), error.path.as_str()))
        .collect();
    assert_eq!(
        found,
        [
            (2, "invalid-version", "/Version"),
            (3, "unknown-element", "/Colour"),
            (5, "invalid-effect", "/Statement/0/Effect"),
            (5, "invalid-action", "/Statement/0/Action/0"),
            (5, "invalid-action", "/Statement/0/Action/2"),
            (5, "invalid-resource", "/Statement/0/Resource/0"),
            (7, "missing-element", "/Statement/2"),
            (7, "conflicting-elements", "/Statement/2/NotAction"),
            (7, "duplicate-key", "/Statement/2/Resource"),
            (8, "unknown-operator", "/Statement/2/Condition/StringLikes"),
            (8, "invalid-condition-value", "/Statement/2/Condition/Null/a"),
            (8, "wrong-type", "/Statement/2/Condition/Null/b/0"),
            (8, "invalid-condition-value", "/Statement/2/Condition/Null/b/2"),
            (9, "wrong-type", "/Statement/3"),
        ]
    );
    let statements = read.policy.unwrap().statements;
    assert_eq!(statements.iter().map(|s| s.index).collect::<Vec<_>>(), [1]);
}

#[test]
fn only_so_many_mistakes_are_found() {
    let entries = vec!["\"x\""; 3 * MAX_ERRORS].join(",");
    let statement = format!(r#"{{"Effect":"Deny","Action":[{entries}],"Resource":"*"}}"#);
    let read = parse_all(&format!(r#"{{"Statement":[{statement}]}}"#), None);
    assert_eq!(read.errors.len(), MAX_ERRORS);
}

fn forget_places(policy: &mut Policy) {
    let nowhere = Span::default();
    for statement in &mut policy.statements {
        statement.span = nowhere;
        statement.action.span = nowhere;
        statement.action.entries.iter_mut().for_each(|entry| entry.span = nowhere);
        if let Some(clause) = &mut statement.principal {
            clause.span = nowhere;
            clause.entries.iter_mut().for_each(|entry| entry.span = nowhere);
        }
        if let Some(clause) = &mut statement.resource {
            clause.span = nowhere;
            clause.entries.iter_mut().for_each(|entry| entry.span = nowhere);
        }
        for condition in &mut statement.conditions {
            (condition.operator_span, condition.key_span) = (nowhere, nowhere);
            condition.values.iter_mut().for_each(|value| value.span = nowhere);
        }
    }
}

/// Checks that the printed policy is read as the same tree; false if the source is no policy.
#[track_caller]
fn check_printed(source: &str, policy_type: Option<PolicyType>) -> bool {
    let Ok(mut policy) = parse(source, policy_type) else { return false };
    let printed = policy.to_string();
    let mut again = parse(&printed, Some(policy.policy_type)).unwrap_or_else(|error| {
        panic!("{source}\nis printed as\n{printed}\n{error} at {}", error.position)
    });
    forget_places(&mut policy);
    forget_places(&mut again);
    assert_eq!(policy, again, "{source}\nis printed as\n{printed}");
    true
}

const VERSIONS: [&str; 3] =
    ["", r#""Version":"2012-10-17","#, r#""Version":"2008-10-17","Id":"é\"\u0007","#];
const SIDS: [&str; 3] = ["", r#""Sid":"","#, r#""Sid":"a\\b\nc","#];
const PRINCIPALS: [&str; 8] = [
    "",
    r#""Principal":"*","#,
    r#""Principal":{},"#,
    r#""Principal":{"AWS":["*","111122223333"]},"#,
    r#""NotPrincipal":{"Service":"s3.amazonaws.com","AWS":"arn:aws:iam::111122223333:role/x"},"#,
    r#""Principal":{"Federated":"accounts.google.com","CanonicalUser":"ab"},"#,
    r#""Principal":{"AWS":"AROAEXAMPLE1234567890"},"#,
    r#""Principal":"x","#,
];
const ACTIONS: [&str; 6] = [
    r#""Action":"*","#,
    r#""NotAction":["s3:Get*","*:x?"],"#,
    r#""Action":[],"#,
    r#""Action":"sts:AssumeRole","#,
    r#""Action":"kms:*","#,
    "",
];
const RESOURCES: [&str; 7] = [
    r#","Resource":"*""#,
    r#","NotResource":["arn:aws:s3:::b/${aws:username, 'no}ne'}/${*}","arn:aws:s3"]"#,
    r#","Resource":[]"#,
    r#","Resource":"arn:aws:s3:::${"#,
    r#","Resource":"arn:aws:s3:::b\"\u00e9""#,
    "",
    r#","Resource":"x""#,
];
const CONDITIONS: [&str; 7] = [
    "",
    r#","Condition":{}"#,
    r#","Condition":{"StringLike":{}}"#,
    r#","Condition":{"stringlike":{"a":"${$}${b}"},"Null":{"c":true}}"#,
    r#","Condition":{"ForAnyValue:NumericLessThanIfExists":{"a":[5.0,1e9],"b\"":[]},"Bool":{"a":false}}"#,
    r#","Condition":{"IpAddress":{"aws:SourceIp":["::1/64","10.0.0.0/8"]}}"#,
    r#","Condition":{"StringEquals":{"a":null}}"#,
];

/// A document that is often a policy.
fn document(
    u: &mut keyaki_testing::arbitrary::Unstructured<'_>,
) -> keyaki_testing::arbitrary::Result<String> {
    let mut statements = Vec::new();
    for _ in 0..u.int_in_range(0..=3)? {
        statements.push(format!(
            "{{{}{}{}\"Effect\":\"Allow\"{}{}}}",
            u.choose(&SIDS)?,
            u.choose(&PRINCIPALS)?,
            u.choose(&ACTIONS)?,
            u.choose(&RESOURCES)?,
            u.choose(&CONDITIONS)?
        ));
    }
    let statements = match &statements[..] {
        [one] if u.arbitrary()? => one.clone(),
        several => format!("[{}]", several.join(",")),
    };
    Ok(format!("{{{}\"Statement\":{statements}}}", u.choose(&VERSIONS)?))
}

fn any_type(
    u: &mut keyaki_testing::arbitrary::Unstructured<'_>,
) -> keyaki_testing::arbitrary::Result<Option<PolicyType>> {
    Ok(if u.arbitrary()? { None } else { Some(u.choose(&PolicyType::ALL)?.0) })
}

#[test]
fn print_then_parse_is_identity() {
    let mut n_policies = 0;
    keyaki_testing::arbtest(|u| {
        n_policies += usize::from(check_printed(&document(u)?, any_type(u)?));
        Ok(())
    });
    assert!(n_policies > 10, "only {n_policies} documents were policies");
}

#[test]
fn parse_never_panics() {
    keyaki_testing::arbtest(|u| {
        let mut chars: Vec<char> = document(u)?.chars().collect();
        for _ in 0..u.int_in_range(0..=3)? {
            let at = u.choose_index(chars.len())?;
            match u.int_in_range(0..=2)? {
                0 => drop(chars.remove(at)),
                1 => chars.insert(at, *u.choose(&['"', '{', '}', '[', ',', '$', '*', ':', '\\'])?),
                _ => chars.truncate(at + 1),
            }
        }
        let source: String = chars.into_iter().collect();
        let policy_type = any_type(u)?;
        let read = parse_all(&source, policy_type);
        match parse(&source, policy_type) {
            Ok(policy) => {
                assert_eq!((read.policy, read.errors), (Some(policy), vec![]), "{source}");
            }
            Err(first) => {
                assert!(read.errors[0].span <= first.span, "{source}");
            }
        }
        Ok(())
    });
}
