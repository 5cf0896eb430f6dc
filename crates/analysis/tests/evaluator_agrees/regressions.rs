//! Disagreements that were found once, smallest input first, and what random inputs find too
//! rarely.

use keyaki_policy::Switch;
use keyaki_policy::request::{ContextValue, Principal};

use super::*;

/// The encoder did not take `aws:userid` for a key that the question mentions, so that no witness
/// showed it and the evaluator could not find the unique id.
#[test]
fn a_unique_id_is_looked_for_in_the_user_id() {
    let named = r#"{"Effect": "Allow", "Principal": {"AWS": "AIDA1AAAAAAAAAAAAAAAA"},
        "Action": "*", "Resource": "*"}"#;
    let id = [("aws:userid", "AIDA1AAAAAAAAAAAAAAAA")];
    check_new(named, user(), &id, "breaks");
    check_new(named, user(), &[("aws:userid", "AIDA2AAAAAAAAAAAAAAAA")], "does not break");
    check_new(named, user(), &[], "cannot happen");
    check_public(named, user(), &id, "does not break");
}

/// R27 was in force only where `aws:ResourceAccount` is present.
#[test]
fn the_account_in_the_arn_is_in_one_organisation() {
    let statement =
        allow_if(r#""Null": {"aws:PrincipalOrgID": "false", "aws:ResourceOrgID": "false"}"#);
    let orgs =
        |principal, resource| [("aws:PrincipalOrgID", principal), ("aws:ResourceOrgID", resource)];
    check_new(&statement, user(), &orgs("o-a", "o-a"), "breaks");
    check_new(&statement, user(), &orgs("o-a", "o-b"), "cannot happen");
}

/// R21 was in force for kinds of principal, not for the keys of sessions.
#[test]
fn keys_of_sessions_come_with_a_token() {
    let statement = allow_if(
        r#""Null": {"aws:SourceIdentity": "false", "aws:TokenIssueTime": ["true", "false"]}"#,
    );
    let identity = ("aws:SourceIdentity", "ines");
    check_new(&statement, user(), &[identity], "cannot happen");
    check_new(&statement, user(), &[identity, ("aws:TokenIssueTime", "2026-01-01")], "breaks");
}

/// R21 and R1 were not in force for all keys of sessions and calls.
#[test]
fn anonymous_callers_have_no_keys_of_sessions() {
    for key in ["identitystore:UserId", "aws:CalledViaAWSMCP"] {
        let statement = allow_if(&format!(r#""Null": {{"{key}": "false"}}"#));
        check_new(&statement, Principal::Anonymous, &[(key, "x")], "cannot happen");
        check_new(&statement, user(), &[(key, "x")], "breaks");
    }
}

/// The encoder took an ARN for a fixed value only if it has an account.
#[test]
fn a_literal_arn_without_account_is_fixed() {
    let statement = allow_if(r#""ArnLike": {"s3:DataAccessPointArn": "arn:aws:s3:::x"}"#);
    let context = [("s3:DataAccessPointArn", "arn:aws:s3:::x")];
    check_public(&statement, Principal::Anonymous, &context, "does not break");
}

#[test]
fn what_everybody_has_is_not_fixed() {
    let statement = allow_if(r#""StringEquals": {"aws:PrincipalAccount": "anonymous"}"#);
    let context = [("aws:PrincipalAccount", "anonymous")];
    check_public(&statement, Principal::Anonymous, &context, "breaks");
}

/// A list of empty strings that counts for nothing (D23) was not taken for an absent key by
/// `ForAnyValue:…IfExists` (D24).
#[test]
fn what_counts_for_nothing_is_absent_for_if_exists() {
    let statement = allow_if(r#""ForAnyValue:StringNotEqualsIfExists": {"aws:TagKeys": "a"}"#);
    let subject = Subject::no_new_access(PolicyType::Resource, vec![], vec![document(&statement)]);
    let mut request = request(user(), &[]);
    request.context.insert("aws:TagKeys", ContextValue::Many(vec![String::new()]));
    for (d23, d24, expected) in [
        (false, false, "breaks"),
        (true, false, "does not break"),
        (true, true, "breaks"),
        (false, true, "breaks"),
    ] {
        let readings = Readings::DEFAULT.with(Switch::D23, d23).with(Switch::D24, d24);
        assert_eq!(compare(&subject, &request, readings), expected);
    }
}

#[track_caller]
fn check_new(statement: &str, principal: Principal, context: &[(&str, &str)], expected: &str) {
    let subject = Subject::no_new_access(PolicyType::Resource, vec![], vec![document(statement)]);
    assert_eq!(compare(&subject, &request(principal, context), Readings::DEFAULT), expected);
}

#[track_caller]
fn check_public(statement: &str, principal: Principal, context: &[(&str, &str)], expected: &str) {
    let subject = Subject::no_public_access(document(statement));
    assert_eq!(compare(&subject, &request(principal, context), Readings::DEFAULT), expected);
}

fn document(statement: &str) -> String {
    format!(r#"{{"Version": "2012-10-17", "Statement": {statement}}}"#)
}

fn allow_if(condition: &str) -> String {
    format!(
        r#"{{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*",
            "Condition": {{{condition}}}}}"#
    )
}

fn request(principal: Principal, context: &[(&str, &str)]) -> Request {
    let mut request = Request {
        principal,
        action: "sqs:SendMessage".to_owned(),
        resource: "arn:aws:sqs:eu-west-3:111122223333:q".to_owned(),
        resource_account: None,
        ..Request::default()
    };
    for (key, value) in context {
        request.context.insert(key, ContextValue::One((*value).to_owned()));
    }
    request
}

fn user() -> Principal {
    let arn = "arn:aws:iam::111122223333:user/ines".to_owned();
    Principal::User { arn, canonical_user: None }
}
