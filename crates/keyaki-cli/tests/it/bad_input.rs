//! Bad input: a message with its place, exit status 2, nothing on standard output, and no panic.
//! With `--json` the error is a result on standard output, so that a program can read it.

use expect_test::{Expect, expect};

use crate::program::{Den, PRIVATE, PUBLIC, Run};

#[track_caller]
fn check_policy(content: impl AsRef<[u8]>, expected: Expect) {
    let den = Den::with("bad.json", content);
    check_arguments(&den, "check no-public-access bad.json", expected);
}

/// Runs the program for text and for JSON: the JSON has the message of the text, and its place.
#[track_caller]
fn check_arguments(den: &Den, arguments: &str, expected: Expect) {
    let run = den.keyaki(arguments);
    check_json(&den.keyaki(&format!("{arguments} --json")), &run.stderr);
    check_text(&run, expected);
}

#[track_caller]
fn check_text(run: &Run, expected: Expect) {
    expected.assert_eq(&run.stderr);
    assert_eq!((run.status, run.stdout.as_str()), (2, ""));
}

#[track_caller]
fn check_json(run: &Run, text: &str) {
    assert_eq!(run.status, 2, "{}", run.stderr);
    let result = run.result();
    let error = &result["error"];
    let message = format!("error: {}", error["message"].as_str().unwrap());
    assert_eq!(text.lines().next(), Some(message.as_str()));
    let place = text.lines().find_map(|line| line.trim_start().strip_prefix("--> "));
    if let Some(place) = place {
        let in_json = format!("bad.json:{}:{}", error["line"], error["column"]);
        assert_eq!(place, in_json);
        assert_eq!(error["policy"], "/policy");
    }
    let hint = text.lines().find_map(|line| line.strip_prefix("hint: "));
    assert_eq!(error["hint"].as_str(), hint);
    assert!(!error["code"].as_str().unwrap().is_empty());
    assert!(result.get("verdict").is_none(), "nothing is concluded");
}

#[test]
fn what_is_not_json_is_refused_at_its_place() {
    check_policy(
        "Version: 2012-10-17\n",
        expect![[r#"
        error: expected a value, found `Version`
          --> bad.json:1:1
        hint: strings and names stand in double quotes
    "#]],
    );
    check_policy(
        "{\"Version\": \"2012-10-17\",\n \"Statement\": [}",
        expect![[r#"
        error: expected a value, found `}`
          --> bad.json:2:16
    "#]],
    );
    check_policy(
        "{\"Statement\": []} {}",
        expect![[r#"
        error: text after the end of the document: `{`
          --> bad.json:1:19
        hint: give one document at a time
    "#]],
    );
    check_policy(
        "",
        expect![[r#"
        error: the document is empty
          --> bad.json:1:1
    "#]],
    );
    check_policy(
        " \n\t",
        expect![[r#"
        error: the document is empty
          --> bad.json:1:1
    "#]],
    );
    check_policy(
        "null",
        expect![[r#"
        error: a policy must be an object, found null
          --> bad.json:1:1
        hint: remove it, or give it a value
    "#]],
    );
}

#[test]
fn text_that_is_not_utf_8_is_refused_at_its_place() {
    check_policy(
        b"{\"Version\": \"2012-10-17\",\n \"Id\": \"\xff\"}",
        expect![[r#"
        error: the byte 0xFF at offset 34 is not UTF-8
          --> bad.json:2:9
        hint: save the document as UTF-8
    "#]],
    );
}

#[test]
fn a_member_given_twice_is_refused() {
    check_policy(
        r#"{"Version":"2012-10-17","Statement":[],"Version":"2012-10-17"}"#,
        expect![[r#"
            error: `Version` stands twice in one object, first at 1:2
              --> bad.json:1:40
            hint: remove one of the two, or make them one
        "#]],
    );
    check_policy(
        statement(r#""Effect":"Allow","Effect":"Deny""#),
        expect![[r#"
        error: `Effect` stands twice in one object, first at 2:44
          --> bad.json:2:61
        hint: remove one of the two, or make them one
    "#]],
    );
    let condition = r#""Condition":{"StringEquals":{"aws:userid":"a","AWS:UserId":"b"}}"#;
    check_policy(
        statement(&format!(r#""Effect":"Allow",{condition}"#)),
        expect![[r#"
        error: `AWS:UserId` differs only in case from `aws:userid` at 2:90
          --> bad.json:2:107
        hint: remove one of the two, or make them one
    "#]],
    );
}

#[test]
fn an_element_that_does_not_exist_is_refused() {
    check_policy(
        r#"{"Version":"2012-10-17","Statements":[]}"#,
        expect![[r#"
        error: unknown element `Statements` in a policy
          --> bad.json:1:25
        hint: did you mean `Statement`?
    "#]],
    );
    check_policy(
        statement(r#""Effect":"Allow","Resources":"*""#),
        expect![[r#"
        error: unknown element `Resources` in a statement
          --> bad.json:2:61
        hint: did you mean `Resource`?
    "#]],
    );
    check_policy(
        statement(r#""effect":"Allow""#),
        expect![[r#"
        error: unknown element `effect` in a statement
          --> bad.json:2:44
        hint: write `Effect`: element names are case-sensitive
    "#]],
    );
    check_policy(
        statement(r#""Effect":"allow""#),
        expect![[r#"
        error: unknown effect `allow`
          --> bad.json:2:53
        hint: did you mean `Allow`?
    "#]],
    );
    check_policy(
        statement(r#""Effect":"Allow","Condition":{"StringLikes":{"a":"b"}}"#),
        expect![[r#"
            error: unknown condition operator `StringLikes`
              --> bad.json:2:74
            hint: did you mean `StringLike`?
        "#]],
    );
}

#[test]
fn a_value_of_the_wrong_type_is_refused() {
    check_policy(
        statement(r#""Effect":["Allow"]"#),
        expect![[r#"
        error: `Effect` must be a string, found a list
          --> bad.json:2:53
    "#]],
    );
    check_policy(
        statement(r#""Effect":"Allow","Condition":[]"#),
        expect![[r#"
        error: `Condition` must be an object, found a list
          --> bad.json:2:73
    "#]],
    );
    check_policy(
        r#"{"Version":20121017,"Statement":[]}"#,
        expect![[r#"
        error: `Version` must be a string, found a number
          --> bad.json:1:12
        hint: put it in double quotes
    "#]],
    );
    check_policy(
        r#"{"Version":"2012-10-17","Statement":"*"}"#,
        expect![[r#"
        error: a statement must be an object, found a string
          --> bad.json:1:37
    "#]],
    );
    check_policy(
        "[]",
        expect![[r#"
        error: a policy must be an object, found a list
          --> bad.json:1:1
    "#]],
    );
}

#[test]
fn a_version_that_does_not_exist_is_refused() {
    check_policy(
        r#"{"Version":"2012-10-18","Statement":[]}"#,
        expect![[r#"
        error: unknown version `2012-10-18`
          --> bad.json:1:12
        hint: `Version` is `2012-10-17`, or `2008-10-17` for the old language
    "#]],
    );
}

#[test]
fn ten_megabytes_of_nesting_are_refused() {
    check_policy(
        "[".repeat(10_000_000),
        expect![[r#"
        error: nested more than 64 levels deep
          --> bad.json:1:65
    "#]],
    );
    check_policy(
        "{\"a\":".repeat(2_000_000),
        expect![[r#"
        error: nested more than 64 levels deep
          --> bad.json:1:321
    "#]],
    );
}

#[test]
fn a_file_beyond_the_limit_is_refused() {
    check_policy(
        " ".repeat(100 << 20),
        expect![[r#"
        error: `bad.json` is larger than 16 MiB
    "#]],
    );
}

#[test]
fn what_cannot_be_read_is_refused() {
    let den = Den::with("good.json", PUBLIC);
    std::fs::create_dir(den.path().join("folder")).unwrap();
    check_arguments(
        &den,
        "check no-public-access missing.json",
        expect![[r#"
        error: cannot read `missing.json`: there is no such file
    "#]],
    );
    check_arguments(
        &den,
        "check no-public-access folder",
        expect![[r#"
        error: cannot read `folder`: it is a directory
    "#]],
    );
    check_arguments(
        &den,
        "check no-new-access good.json missing.json",
        expect![[r#"
        error: cannot read `missing.json`: there is no such file
    "#]],
    );
}

#[test]
fn a_question_that_is_not_asked_properly_is_refused() {
    let den = Den::with("p.json", PUBLIC);
    check_arguments(
        &den,
        "check no-pubic-access p.json",
        expect![[r#"
            error: unknown question `no-pubic-access`
            hint: the questions are no-public-access, no-new-access, access-not-granted, equivalent, disjoint, no-external-access, custom
        "#]],
    );
    check_arguments(
        &den,
        "check custom p.json",
        expect![[r#"
            error: `custom` takes a `property`, and has none
            hint: it is an object such as `{"never": {"may": "s3:DeleteBucket"}}`
        "#]],
    );
    check_arguments(
        &den,
        "check no-public-access",
        expect![[r#"
        error: `no-public-access` takes one policy
    "#]],
    );
    check_arguments(
        &den,
        "check no-public-access p.json p.json",
        expect![[r#"
        error: `no-public-access` takes one policy
    "#]],
    );
    for (arguments, expected) in [
        (
            "check access-not-granted p.json",
            expect![[r#"
            error: no access is named
            hint: name actions with `--action`, resources with `--resource`, or both
        "#]],
        ),
        (
            "check access-not-granted --action s3:GetObject p.json",
            expect![[r#"
            error: `access-not-granted` takes one policy
            hint: name it before `--action` and `--resource`, which take what follows
        "#]],
        ),
        (
            "check access-not-granted p.json --action GetObject",
            expect![[r#"
            error: `GetObject` is not an action
            hint: an action is `*` or `service:Name`, such as `s3:GetObject` or `s3:Get*`
        "#]],
        ),
        (
            "check access-not-granted p.json --resource bucket",
            expect![[r#"
            error: `bucket` is not a resource
            hint: a resource is `*` or an ARN of six fields, such as `arn:aws:s3:::bucket/*`
        "#]],
        ),
        (
            "check no-public-access p.json --resource arn:aws:s3:::bucket",
            expect![[r#"
            error: only `access-not-granted` takes a list of accesses
            hint: `access-not-granted` asks whether one of these accesses is granted
        "#]],
        ),
    ] {
        check_arguments(&den, arguments, expected);
    }
    check_arguments(
        &den,
        "check no-new-access p.json",
        expect![[r#"
        error: `no-new-access` takes two policies, OLD and NEW, or `--existing` and `--new`
    "#]],
    );
    check_arguments(
        &den,
        "check no-new-access p.json p.json p.json",
        expect![[r#"
        error: `no-new-access` takes two policies, OLD and NEW, or `--existing` and `--new`
    "#]],
    );
    check_arguments(
        &den,
        "check no-new-access --existing p.json",
        expect![[r#"
        error: `no-new-access` takes two policies, OLD and NEW, or `--existing` and `--new`
    "#]],
    );
    check_arguments(
        &den,
        "check no-new-access - -",
        expect![[r#"
        error: standard input can be only one of the policies
    "#]],
    );
}

#[test]
fn a_policy_of_an_identity_is_not_asked_about_the_public() {
    let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}"#;
    check_policy(
        policy,
        expect![[r#"
        error: the policy has no `Principal`: it is attached to an identity, not to a resource
        hint: public access is a question about resource policies
    "#]],
    );
}

#[test]
fn a_solver_that_is_not_configured_is_refused() {
    let den = Den::with("p.json", PUBLIC);
    check_arguments(
        &den,
        "check no-public-access p.json --solver yices",
        expect![[r#"
        error: unknown solver `yices`; configured are automaton, z3, cvc4, cvc5
    "#]],
    );
}

#[test]
fn a_configuration_that_cannot_be_read_is_refused() {
    let den = Den::with("p.json", PUBLIC);
    den.write("type.toml", "[[solver]]\nname = 3\n");
    den.write("field.toml", "[[solver]]\nname = \"z3\"\nargs = []\n");
    check_arguments(
        &den,
        "check no-public-access p.json --config missing.toml",
        expect![[r#"
        error: cannot read `missing.toml`: No such file or directory (os error 2)
    "#]],
    );
    check_arguments(
        &den,
        "check no-public-access p.json --config type.toml",
        expect![[r#"
        error: type.toml:2:8: invalid type: integer `3`, expected a string
    "#]],
    );
    check_arguments(
        &den,
        "check no-public-access p.json --config field.toml",
        expect![[r#"
            error: field.toml:3:1: unknown field `args`, expected one of `name`, `command`, `arguments`, `version_arguments`, `dialect`, `memory_bytes`, `persistent`, `persistent_arguments`, `proof_arguments`, `proof_checker`, `enabled`
        "#]],
    );
    check_text(
        &den.keyaki("solvers --config type.toml"),
        expect![[r#"
        error: type.toml:2:8: invalid type: integer `3`, expected a string
    "#]],
    );
    check_text(
        &den.keyaki("batch --config type.toml"),
        expect![[r#"
        error: type.toml:2:8: invalid type: integer `3`, expected a string
    "#]],
    );
}

/// What the reader of arguments refuses. Its words are its own, so only a part of them is pinned.
#[test]
fn arguments_that_make_no_sense_are_refused() {
    let den = Den::with("p.json", PUBLIC);
    for (arguments, expected) in [
        ("check no-public-access p.json --timeout 0", "not a positive number of seconds"),
        ("check no-public-access p.json --timeout -1", "'-1'"),
        ("check no-public-access p.json --timeout soon", "not a number of seconds"),
        ("check no-public-access p.json --timeout NaN", "not a"),
        ("check no-public-access p.json --timeout inf", "not a"),
        ("check no-public-access p.json --policy-type sep", "'sep'"),
        ("check no-public-access p.json --colour", "'--colour'"),
        ("check", "<QUESTION>"),
        ("chekc", "'chekc'"),
        ("", "Usage:"),
    ] {
        let run = den.keyaki(arguments);
        assert_eq!((run.status, run.stdout.as_str()), (2, ""), "{arguments}");
        assert!(run.stderr.contains(expected), "{arguments}: {}", run.stderr);
    }
}

#[test]
fn a_script_that_cannot_be_solved_is_refused() {
    let den = Den::with("two.smt2", "(check-sat)(check-sat)\n");
    den.write("none.smt2", "(assert true)\n");
    check_text(
        &den.keyaki("solve two.smt2"),
        expect![[r#"
        error: `two.smt2` has 2 commands `(check-sat)`, where one is expected
    "#]],
    );
    check_text(
        &den.keyaki("solve none.smt2"),
        expect![[r#"
        error: `none.smt2` has 0 commands `(check-sat)`, where one is expected
    "#]],
    );
    check_text(
        &den.keyaki("solve missing.smt2"),
        expect![[r#"
        error: cannot read `missing.smt2`: there is no such file
    "#]],
    );
}

#[test]
fn a_question_that_cannot_be_encoded_is_refused() {
    let den = Den::with("p.json", PUBLIC);
    check_text(
        &den.keyaki("encode no-public-access p.json --dialect smtlib-3"),
        expect![[r#"
        error: unknown dialect `smtlib-3`
        hint: the dialects are smtlib-2.6 and cvc4
    "#]],
    );
    check_text(
        &den.keyaki("encode no-public-access missing.json"),
        expect![[r#"
        error: cannot read `missing.json`: there is no such file
    "#]],
    );
    check_text(
        &den.keyaki("encode no-public-access p.json --resource-type AWS::SQS::Queues"),
        expect![[r#"
            error: unknown resource type `AWS::SQS::Queues`
            hint: did you mean `AWS::SQS::Queue`? the types are AWS::S3::Bucket, AWS::S3::AccessPoint, AWS::S3::Glacier, AWS::S3Outposts::Bucket, AWS::S3Outposts::AccessPoint, AWS::S3Express::DirectoryBucket, AWS::S3Express::AccessPoint, AWS::S3Tables::TableBucket, AWS::S3Tables::Table, AWS::DynamoDB::Table, AWS::DynamoDB::Stream, AWS::DSQL::Cluster, AWS::EFS::FileSystem, AWS::SecretsManager::Secret, AWS::KMS::Key, AWS::IAM::AssumeRolePolicyDocument, AWS::Lambda::Function, AWS::SQS::Queue, AWS::SNS::Topic, AWS::OpenSearchService::Domain, AWS::Kinesis::Stream, AWS::Kinesis::StreamConsumer, AWS::ApiGateway::RestApi, AWS::CodeArtifact::Domain, AWS::Backup::BackupVault, AWS::CloudTrail::Dashboard, AWS::CloudTrail::EventDataStore
        "#]],
    );
}

#[test]
fn a_hundred_thousand_statements_are_refused() {
    let one = r#"{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"*"}"#;
    let many = vec![one; 100_000].join(",");
    let policy = format!(r#"{{"Version":"2012-10-17","Statement":[{many}]}}"#);
    check_policy(
        policy,
        expect![[r#"
        error: the policy has 100000 statements; the limit is 20000
          --> bad.json:1:25
    "#]],
    );
}

#[test]
fn a_pattern_of_ten_thousand_stars_gets_an_answer_or_an_error() {
    let stars = "*".repeat(10_000);
    let den = Den::with("p.json", PRIVATE.replace("b/*", &format!("b/{stars}")));
    check_answers_or_refuses(&den.keyaki("check no-public-access p.json --json"));
    let broken = "*a".repeat(10_000);
    den.write("q.json", PRIVATE.replace("b/*", &format!("b/{broken}")));
    check_answers_or_refuses(&den.keyaki("check no-new-access p.json q.json --json --timeout 5"));
}

#[track_caller]
fn check_answers_or_refuses(run: &Run) {
    let result = run.result();
    let expected = match (result["verdict"].as_str(), result["error"]["code"].as_str()) {
        (Some("holds"), None) => 0,
        (Some("unknown"), None) => 3,
        (None, Some(_)) => 2,
        other => panic!("{other:?}"),
    };
    assert_eq!((run.status, run.stderr.as_str()), (expected, ""));
}

/// A policy of one statement with these members and an action.
fn statement(members: &str) -> String {
    format!(
        "{{\"Version\":\"2012-10-17\",\"Statement\":[\n  {{\"Action\":\"s3:GetObject\",\
         \"Principal\":\"*\",{members}}}]}}"
    )
}
