//! Disagreements that were found once, smallest input first, and what random inputs find too
//! rarely.

use keyaki_analysis::public::{self, Reading};
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

/// What is no ARN is a pattern of the whole text in the alternative (D22).
#[test]
fn a_pattern_that_is_no_arn_may_be_one_of_texts() {
    let statement = allow_if(r#""ArnLike": {"x:custom": "urn:aws:s3:::b*"}"#);
    let text = [("x:custom", "urn:aws:s3:::bucket")];
    check_under(&statement, Readings::DEFAULT, &text, "does not break");
    check_under(&statement, Readings::DEFAULT.with(Switch::D22, true), &text, "breaks");
}

#[test]
fn a_variable_can_be_a_whole_arn() {
    let statement = allow_if(r#""ArnLike": {"x:custom": "${x:other}"}"#);
    let same = |text| [("x:custom", text), ("x:other", text)];
    check_under(&statement, Readings::DEFAULT, &same("arn:aws:s3:::b"), "breaks");
    check_under(&statement, Readings::DEFAULT, &same("bucket"), "does not break");
    let text = Readings::DEFAULT.with(Switch::D22, true);
    check_under(&statement, text, &same("bucket"), "breaks");
    let other = [("x:custom", "arn:aws:s3:::b"), ("x:other", "arn:aws:s3:::*")];
    check_under(&statement, text, &other, "does not break");
}

#[test]
fn an_empty_value_or_the_default_stands_but_not_both() {
    let statement = allow_if(r#""StringEquals": {"x:custom": "${x:other, 'd'}"}"#);
    let default_wins = Readings::DEFAULT.with(Switch::D28, true);
    for (custom, readings, expected) in [
        ("", Readings::DEFAULT, "breaks"),
        ("d", Readings::DEFAULT, "does not break"),
        ("", default_wins, "does not break"),
        ("d", default_wins, "breaks"),
    ] {
        let context = [("x:custom", custom), ("x:other", "")];
        check_under(&statement, readings, &context, expected);
    }
}

#[test]
fn an_unresolved_variable_spoils_its_value_or_the_condition() {
    let statement = allow_if(r#""StringNotEquals": {"x:custom": ["a", "${x:other}"]}"#);
    let spoiled = Readings::DEFAULT.with(Switch::D29, true);
    for (custom, readings, expected) in [
        (Some("b"), Readings::DEFAULT, "breaks"),
        (Some("a"), Readings::DEFAULT, "does not break"),
        (Some("b"), spoiled, "does not break"),
        (None, spoiled, "breaks"),
    ] {
        let context: Vec<_> = custom.into_iter().map(|text| ("x:custom", text)).collect();
        check_under(&statement, readings, &context, expected);
    }
}

#[test]
fn a_tag_is_compared_as_number_and_as_text() {
    let statement = allow_if(
        r#""NumericLessThan": {"aws:ResourceTag/level": "10"},
           "StringLike": {"aws:ResourceTag/level": "*"}"#,
    );
    for (level, expected) in [
        ("-11", "breaks"),
        ("9.99", "breaks"),
        ("+9", "breaks"),
        ("10.0", "does not break"),
        ("abc", "does not break"),
    ] {
        let context = [("aws:ResourceTag/level", level)];
        check_under(&statement, Readings::DEFAULT, &context, expected);
    }
}

#[test]
fn an_ill_typed_value_fails_or_differs() {
    let differs = Readings::DEFAULT.with(Switch::D17, true);
    for (test, typed) in [
        (r#""NumericNotEquals": {"aws:ResourceTag/level": "10"}"#, "11"),
        (r#""DateNotEquals": {"aws:ResourceTag/level": "2026-01-01"}"#, "2026-01-02"),
        (r#""NotIpAddress": {"aws:ResourceTag/level": "10.0.0.0/8"}"#, "11.0.0.1"),
    ] {
        let statement = allow_if(test);
        let is = |level| [("aws:ResourceTag/level", level)];
        check_under(&statement, Readings::DEFAULT, &is(typed), "breaks");
        check_under(&statement, Readings::DEFAULT, &is("abc"), "does not break");
        check_under(&statement, differs, &is("abc"), "breaks");
    }
}

/// A value can be more than one of the pieces that a path is made of.
#[test]
fn a_variable_spreads_over_a_path() {
    let statement =
        allow_if(r#""ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "${x:custom}*"}"#);
    let subject = Subject::no_new_access(PolicyType::Resource, vec![], vec![document(&statement)]);
    for (custom, expected) in [("o-a/r-1/ou", "breaks"), ("o-b", "does not break")] {
        let mut request = request(user(), &[("x:custom", custom)]);
        let paths = ContextValue::Many(vec!["o-a/r-1/ou-2/".to_owned()]);
        request.context.insert("aws:PrincipalOrgPaths", paths);
        assert_eq!(compare(&subject, &request, Readings::DEFAULT), expected, "{custom}");
    }
}

/// The part that is enough of an ARN is its account, in its own place.
#[test]
fn an_account_behind_a_variable_is_not_fixed() {
    let table = public::table("AWS::SNS::Topic", Reading::Semantic).expect("is a type");
    let service = Principal::Service { name: "sns.amazonaws.com".to_owned() };
    let context = [("aws:SourceArn", "arn:aws:sns:5:111122223333:5y"), ("s3:max-keys", "5")];
    for (value, expected) in [
        ("arn:aws:sns:${s3:max-keys}:111122223333:5y", "breaks"),
        ("arn:aws:s*:5:111122223333:*", "does not break"),
        ("arn:aws:s*:*:111122223333:${s3:max-keys}*", "does not break"),
        ("arn:aws:s*:5:11112222333*:5y", "breaks"),
    ] {
        let statement = allow_if(&format!(r#""ArnLike": {{"aws:SourceArn": "{value}"}}"#));
        let subject = Subject::no_public_access(document(&statement), table);
        let request = request(service.clone(), &context);
        assert_eq!(compare(&subject, &request, Readings::DEFAULT), expected, "{value}");
    }
}

/// With more lists than are told apart a set operator is opaque, but for what it says of an absent key; and of `IfExists` that is
/// undecided (D24).
#[test]
fn of_an_absent_key_an_operator_that_is_not_modelled_says_what_it_says() {
    let one = |operator: &str, value: usize| {
        allow_if(&format!(r#""{operator}": {{"aws:TagKeys": "{value}"}}"#))
    };
    for (operator, d24, expected) in [
        ("ForAnyValue:StringLikeIfExists", false, "does not break"),
        ("ForAnyValue:StringLikeIfExists", true, "breaks"),
        ("ForAnyValue:StringLike", false, "does not break"),
        ("ForAllValues:StringLike", false, "breaks"),
    ] {
        let statements: Vec<String> = (0..40).map(|value| one(operator, value)).collect();
        let text = document(&format!("[{}]", statements.join(",")));
        let subject = Subject::no_new_access(PolicyType::Resource, vec![], vec![text]);
        assert!(subject.encoding.terms.variables().any(|(name, _)| is_opaque(name)));
        let readings = Readings::DEFAULT.with(Switch::D24, d24);
        assert_eq!(compare(&subject, &request(user(), &[]), readings), expected, "{operator}");
    }
}

#[test]
fn the_user_id_of_a_federated_user_has_account_and_name() {
    let arn = "arn:aws:sts::111122223333:federated-user/ines".to_owned();
    let federated = Principal::FederatedUser { arn, base: None };
    for (id, expected) in [("111122223333:ines", "breaks"), ("111122223333:bob", "does not break")]
    {
        let statement = allow_if(&format!(r#""StringEquals": {{"aws:userid": "{id}"}}"#));
        let context = [("aws:userid", "111122223333:ines")];
        check_new(&statement, federated.clone(), &context, expected);
    }
}

#[test]
fn what_follows_from_the_principal_can_be_a_variable() {
    let service = || Principal::Service { name: "a.amazonaws.com".to_owned() };
    for (key, principal, value) in [
        ("aws:PrincipalType", user(), "User"),
        ("aws:PrincipalType", Principal::Anonymous, "Anonymous"),
        ("aws:PrincipalIsAWSService", user(), "false"),
        ("aws:PrincipalIsAWSService", service(), "true"),
        ("aws:PrincipalServiceName", service(), "a.amazonaws.com"),
        ("aws:PrincipalAccount", user(), "111122223333"),
        ("aws:PrincipalArn", user(), "arn:aws:iam::111122223333:user/ines"),
        ("aws:username", user(), "ines"),
    ] {
        let statement = allow_if(&format!(r#""StringEquals": {{"x:custom": "${{{key}}}"}}"#));
        check_new(&statement, principal.clone(), &[(key, value), ("x:custom", value)], "breaks");
        let other = [(key, value), ("x:custom", "other")];
        check_new(&statement, principal, &other, "does not break");
    }
}

#[test]
fn a_text_is_an_arn_with_a_variable_in_its_last_field() {
    let statement = allow_if(r#""ArnLike": {"x:custom": "arn:aws:s3:::${x:other}"}"#);
    for (other, expected) in [("b", "breaks"), ("c", "does not break"), ("*", "does not break")] {
        let context = [("x:custom", "arn:aws:s3:::b"), ("x:other", other)];
        check_under(&statement, Readings::DEFAULT, &context, expected);
    }
}

#[test]
fn a_truth_value_can_be_a_variable() {
    let statement = allow_if(r#""Bool": {"aws:SecureTransport": "${x:other}"}"#);
    for (other, expected) in
        [("TRUE", "breaks"), ("false", "does not break"), ("1", "does not break")]
    {
        let context = [("aws:SecureTransport", "true"), ("x:other", other)];
        check_under(&statement, Readings::DEFAULT, &context, expected);
    }
}

/// A list has an element for each test of it, and one for the name of which it has to have one (R8).
#[test]
fn a_list_has_room_for_what_relations_say_of_it() {
    let statement = allow_if(
        r#""ForAnyValue:StringEquals": {"aws:PrincipalServiceNamesList": "b.amazonaws.com"},
           "ForAnyValue:StringLike": {"aws:PrincipalServiceNamesList": "c.*"},
           "StringEquals": {"aws:PrincipalServiceName": "a.amazonaws.com"}"#,
    );
    let subject = Subject::no_new_access(PolicyType::Resource, vec![], vec![document(&statement)]);
    let names = ["a.amazonaws.com", "b.amazonaws.com", "c.amazonaws.com"];
    let service = Principal::Service { name: names[0].to_owned() };
    let mut request = request(
        service,
        &[("aws:PrincipalServiceName", names[0]), ("aws:PrincipalIsAWSService", "true")],
    );
    let list = ContextValue::Many(names.map(str::to_owned).to_vec());
    request.context.insert("aws:PrincipalServiceNamesList", list);
    assert_eq!(compare(&subject, &request, Readings::DEFAULT), "breaks");
}

/// Of a text of which only the date is asked it is known whether it is empty (D23).
#[test]
fn an_empty_text_of_which_only_the_date_is_asked_may_be_null() {
    let key = "aws:ResourceTag/level";
    let statement =
        allow_if(&format!(r#""Null": {{"{key}": "true"}}, "DateNotEquals": {{"{key}": "2026"}}"#));
    let readings = |d23: bool| Readings::DEFAULT.with(Switch::D17, true).with(Switch::D23, d23);
    for (d23, level, expected) in
        [(true, "", "breaks"), (false, "", "does not break"), (true, "x", "does not break")]
    {
        check_under(&statement, readings(d23), &[(key, level)], expected);
    }
}

#[test]
fn a_number_with_an_exponent_equals_what_it_equals() {
    let key = "aws:ResourceTag/level";
    let statement = allow_if(&format!(
        r#""NumericEquals": {{"{key}": "10"}}, "StringLike": {{"{key}": "*e*"}}"#
    ));
    for (level, expected) in [("1e1", "breaks"), ("1e2", "does not break"), ("e", "does not break")]
    {
        check_under(&statement, Readings::DEFAULT, &[(key, level)], expected);
    }
}

/// In a service control policy what is too short is padded if it ends with a star (D9).
#[test]
fn a_short_arn_of_a_control_policy_is_padded_behind_a_star() {
    for (resource, expected) in [
        ("arn:aws:sqs*", "breaks"),
        ("arn:aws:s3*", "does not break"),
        ("arn:aws:*:eu-west-3", "does not break"),
        ("arn:aws:sqs", "does not break"),
    ] {
        let text =
            document(&format!(r#"{{"Effect": "Allow", "Action": "*", "Resource": "{resource}"}}"#));
        let subject = Subject::no_new_access(PolicyType::Scp, vec![], vec![text]);
        assert_eq!(
            compare(&subject, &request(user(), &[]), Readings::DEFAULT),
            expected,
            "{resource}"
        );
    }
}

#[test]
fn a_user_name_is_compared_with_a_variable() {
    let statement = allow_if(r#""StringEquals": {"aws:username": "${x:custom}"}"#);
    for (name, expected) in [("ines", "breaks"), ("bob", "does not break")] {
        let context = [("aws:username", "ines"), ("x:custom", name)];
        check_under(&statement, Readings::DEFAULT, &context, expected);
    }
}

/// A number with an exponent is no date.
#[test]
fn whether_a_text_is_a_number_says_nothing_of_whether_it_is_a_date() {
    let key = "aws:ResourceTag/level";
    let allow = |operator: &str, value: &str| {
        let like = format!(r#""StringLike": {{"{key}": "*"}}"#);
        allow_if(&format!(r#""{operator}": {{"{key}": "{value}"}}, {like}"#))
    };
    let dates = [allow("DateEquals", "2026"), allow("DateNotEquals", "2026")].join(",");
    let numbers = allow("NumericNotEquals", "5");
    let [existing, new] = [dates, numbers].map(|text| document(&format!("[{text}]")));
    let subject = Subject::no_new_access(PolicyType::Resource, vec![existing], vec![new]);
    for (level, expected) in [("1e5", "breaks"), ("7", "does not break"), ("x", "does not break")] {
        let request = request(user(), &[(key, level)]);
        assert_eq!(compare(&subject, &request, Readings::DEFAULT), expected, "{level}");
    }
}

/// R29 speaks of tags that only a variable mentions.
#[test]
fn a_tag_in_a_variable_is_among_the_keys_of_tags() {
    let statement = allow_if(
        r#""StringEquals": {"x:custom": "${aws:RequestTag/team}"},
           "ForAnyValue:StringLike": {"aws:TagKeys": "*"}"#,
    );
    let subject = Subject::no_new_access(PolicyType::Resource, vec![], vec![document(&statement)]);
    for (listed, expected) in [("team", "breaks"), ("other", "cannot happen")] {
        let mut request = request(user(), &[("x:custom", "a"), ("aws:RequestTag/team", "a")]);
        request.context.insert("aws:TagKeys", ContextValue::Many(vec![listed.to_owned()]));
        assert_eq!(compare(&subject, &request, Readings::DEFAULT), expected, "{listed}");
    }
}

/// What a formula says of these is all that there is to say; of more cases of a template than are told apart it knows only
/// what a star in the place of the variables would match.
#[test]
fn what_is_modelled_leaves_nothing_open() {
    let is_exact = |condition: &str| {
        let text = document(&allow_if(condition));
        let subject = Subject::no_public_access(text, &public::S3);
        !subject.encoding.terms.variables().any(|(name, _)| is_opaque(name))
    };
    for condition in [
        r#""NumericNotEquals": {"aws:EpochTime": "5"}"#,
        r#""DateNotEquals": {"aws:EpochTime": "5"}"#,
        r#""DateNotEquals": {"aws:ResourceTag/level": "2026"}"#,
        r#""NotIpAddress": {"aws:ResourceTag/level": "10.0.0.0/8"}"#,
        r#""NumericNotEquals": {"aws:ResourceTag/level": "5"}"#,
        r#""StringLike": {"aws:ResourceTag/a": "${aws:userid}${aws:userid}${aws:userid}"}"#,
        r#""NumericNotEquals": {"s3:max-keys": "5"}, "StringLike": {"s3:max-keys": "1*"}"#,
        // Both together are as many addresses as may be named.
        r#""IpAddress": {"aws:SourceIp": ["11.0.0.0/9", "13.0.0.0/9"]}"#,
    ] {
        assert!(is_exact(condition), "{condition}");
    }
    for condition in [
        r#""NumericNotEquals": {"aws:CurrentTime": "5"}"#,
        r#""StringLike": {"aws:ResourceTag/a": "${aws:userid}${aws:userid}${aws:userid}${aws:userid}"}"#,
        r#""StringLike": {"x:a": "${aws:PrincipalType}${aws:PrincipalType}${aws:PrincipalType}"}"#,
        r#""IpAddress": {"aws:SourceIp": ["11.0.0.0/9", "13.0.0.0/9", "15.0.0.0/32"]}"#,
    ] {
        assert!(!is_exact(condition), "{condition}");
    }
}

#[track_caller]
fn check_under(statement: &str, readings: Readings, context: &[(&str, &str)], expected: &str) {
    let subject = Subject::no_new_access(PolicyType::Resource, vec![], vec![document(statement)]);
    assert_eq!(compare(&subject, &request(user(), context), readings), expected, "{context:?}");
}

#[track_caller]
fn check_new(statement: &str, principal: Principal, context: &[(&str, &str)], expected: &str) {
    let subject = Subject::no_new_access(PolicyType::Resource, vec![], vec![document(statement)]);
    assert_eq!(compare(&subject, &request(principal, context), Readings::DEFAULT), expected);
}

#[track_caller]
fn check_public(statement: &str, principal: Principal, context: &[(&str, &str)], expected: &str) {
    let subject = Subject::no_public_access(document(statement), &public::S3);
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
