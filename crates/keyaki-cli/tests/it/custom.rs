//! Properties of one's own: jobs, mistakes with their places, parameters.

use expect_test::{Expect, expect};
use serde_json::{Value, json};

use crate::program::{Den, check_against_schema};

const POLICY: &str = r#"{"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"AWS": "999988887777"}, "Action": "s3:*", "Resource": "arn:aws:s3:::b/*"}]}"#;

fn result_of(property: Value) -> Value {
    let policy: Value = serde_json::from_str(POLICY).unwrap();
    let job = json!({"question": "custom", "policy": policy, "property": property});
    check_against_schema("Job", &job);
    let result = Den::new().keyaki_reading("batch", job.to_string()).result();
    check_against_schema("JobResult", &result);
    result
}

#[test]
fn a_result_names_the_rules_that_are_broken() {
    let rules =
        json!({"never": [{"may": "sqs:*"}, {"may": "s3:Get*"}, {"on": "arn:aws:s3:::b/*"}]});
    let result = result_of(rules);
    assert_eq!(result["verdict"], "fails", "{result}");
    let rules = result["rules"].as_array().unwrap();
    assert!(rules.contains(&json!("/property/never/2")), "{result}");
    assert!(!rules.contains(&json!("/property/never/0")), "{result}");
    assert_eq!(result["statements"], json!([{"policy": "/policy", "index": 0, "sid": null}]));

    let result = result_of(json!({"always": {"may": "sqs:*"}}));
    assert_eq!(
        (&result["verdict"], &result["rules"]),
        (&json!("fails"), &json!(["/property/always"]))
    );
    assert!(result.get("statements").is_none(), "nothing allows it: {result}");
    assert_eq!(result_of(json!({"never": {"may": "sqs:*"}}))["verdict"], "holds");
}

#[test]
fn a_property_may_be_a_text_of_json() {
    let result = result_of(json!(r#"{"never": {"may": "sqs:*"}}"#));
    assert_eq!(result["verdict"], "holds", "{result}");
}

#[test]
fn a_name_that_is_likely_to_be_misspelt_is_told_of() {
    let result = result_of(json!({"never": {
        "may": ["s3:DeletObject", "s3:*", "new:Thing"],
        "when": {"Bool": {"aws:MultiFactorAuthPresnt": true}, "StringEquals": {"example.com:sub": "a"}}}}));
    let notes: Vec<&str> =
        result["notes"].as_array().unwrap().iter().map(|note| note.as_str().unwrap()).collect();
    assert_eq!(notes.len(), 2, "{result}");
    assert!(notes[0].contains("did you mean `s3:DeleteObject`?"), "{result}");
    assert!(notes[1].contains("did you mean `aws:MultiFactorAuthPresent`?"), "{result}");
    let fine = result_of(json!({"never": {"may": "s3:DeleteObject"}}));
    assert!(fine.get("notes").is_none(), "{fine}");
}

#[test]
fn a_ready_property_is_used_by_name() {
    assert_eq!(result_of(json!("tls-only"))["verdict"], "fails");
    assert_eq!(result_of(json!({"use": "audit-trail-kept"}))["verdict"], "holds");
    let accounts =
        |accounts: Value| json!({"use": "accounts-only", "with": {"accounts": accounts}});
    assert_eq!(result_of(accounts(json!("999988887777")))["verdict"], "holds");
    let result = result_of(accounts(json!(["111122223333", "444455556666"])));
    assert_eq!(result["verdict"], "fails", "{result}");
    let missing = result_of(json!({"use": "accounts-only"}));
    assert_eq!(missing["error"]["message"], "the parameter `accounts` has no value", "{missing}");
    let mistyped = result_of(json!({"use": "acounts-only"}));
    assert_eq!(mistyped["error"]["hint"], "did you mean `accounts-only`?", "{mistyped}");
}

#[test]
fn the_text_of_a_ready_property_is_a_property() {
    let den = Den::with("policy.json", POLICY);
    let run = den.keyaki("properties tls-only");
    assert_eq!(run.status, 0);
    den.write("mine.yaml", run.stdout);
    let run = den.keyaki("check custom policy.json --property mine.yaml");
    assert!(run.stdout.starts_with("fails: "), "{}{}", run.stdout, run.stderr);
    let run = den.keyaki("properties tls");
    assert_eq!(run.status, 2);
    assert!(run.stderr.contains("there is no property `tls`"), "{}", run.stderr);
    let run = den.keyaki("check custom policy.json --property tls-onyl");
    assert_eq!(run.status, 2);
    assert!(run.stderr.contains("did you mean `tls-only`?"), "{}", run.stderr);
}

#[test]
fn a_construct_that_is_not_modelled_has_its_place_in_the_property() {
    let result = result_of(json!({"never": {
        "may": "s3:GetObject", "when": {"StringLike": {"aws:CurrentTime": "203*"}}}}));
    assert_eq!(result["verdict"], "unknown");
    let construct = &result["unsupported"][0];
    assert_eq!((&construct["policy"], &construct["path"]), (&json!("/property/never"), &json!("")));
}

#[test]
fn mistakes_of_a_job_have_their_place_in_the_property() {
    for (property, message, path) in [
        (json!({}), "the property demands nothing: it has neither `never` nor `always`", ""),
        (
            json!({"never": []}),
            "the property demands nothing: it has neither `never` nor `always`",
            "",
        ),
        (json!({"nevr": {}}), "unknown field `nevr` in a property", "/nevr"),
        (json!({"never": {}}), "a rule of `never` names no requests", "/never"),
        (
            json!({"never": {"unless": {"may": "*"}}}),
            "a rule of `never` names no requests",
            "/never",
        ),
        (json!({"never": [{"may": []}]}), "the list is empty", "/never/0/may"),
        (json!({"never": {"may": "s3"}}), "`s3` is not an action", "/never/may"),
        (
            json!({"never": {"may": 3}}),
            "`may` must be a string or a list of strings, found a number",
            "/never",
        ),
        (json!({"never": {"on": "arn:aws:s3:b"}}), "`arn:aws:s3:b` is not a resource", "/never/on"),
        (
            json!({"never": {"on": {"but": "*"}}}),
            "this is a text, a list of texts, or `not` with such",
            "/never/on",
        ),
        (json!({"never": {"who": "alice"}}), "`alice` without a type of principal", "/never"),
        (json!({"never": {"who": {"outside": {}}}}), "nobody is inside", "/never/who/outside"),
        (
            json!({"never": {"who": {"outside": {"acounts": []}}}}),
            "unknown field `acounts` in `outside`",
            "/never/who/outside/acounts",
        ),
        (
            json!({"never": {"who": {"not": "*", "AWS": "*"}}}),
            "`not` beside other fields of `who`",
            "/never/who",
        ),
        (
            json!({"never": {"when": {"Boool": {"a": "b"}}}}),
            "unknown condition operator `Boool`",
            "/never",
        ),
        (
            json!({"never": {"when": {"Bool": {"aws:SecureTransport": []}}}}),
            "no values for `aws:SecureTransport`",
            "/never",
        ),
        (json!({"never": {"may": "*", "unless": []}}), "0 exemptions", "/never/unless"),
        (
            json!({"never": {"may": "*", "unless": {"unless": {}}}}),
            "unknown field `unless` in an exemption",
            "/never/unless/unless",
        ),
        (
            json!({"never": {"may": "*", "unless": {"who": {"not": "*"}}}}),
            "an exemption names whom it is for",
            "/never/unless/who",
        ),
    ] {
        let result = result_of(property);
        let error = &result["error"];
        assert_eq!(
            (error["message"].as_str(), error["path"].as_str(), error["policy"].as_str()),
            (Some(message), Some(path), Some("/property")),
            "{result}"
        );
        assert!(error["line"].is_u64() && error["column"].is_u64(), "{result}");
    }
    for (property, message) in [
        (json!(5), "a property is an object or a name, not a number"),
        (json!("no-such-thing"), "there is no property `no-such-thing`"),
        (json!({"use": "tls-only", "wit": {}}), "unknown field `wit` beside `use`"),
    ] {
        assert_eq!(result_of(property)["error"]["message"], message);
    }
}

#[test]
fn a_property_belongs_to_its_question() {
    let policy: Value = serde_json::from_str(POLICY).unwrap();
    let error_of = |job: Value| {
        let result = Den::new().keyaki_reading("batch", job.to_string()).result();
        result["error"]["message"].as_str().unwrap().to_owned()
    };
    let stray = json!({"question": "no-public-access", "policy": policy, "property": {"never": {"may": "*"}}});
    assert_eq!(error_of(stray), "only `custom` takes a property");
    let none = json!({"question": "custom", "policy": policy});
    assert_eq!(error_of(none), "`custom` takes a `property`, and has none");
    let other = json!({"question": "custom", "new": policy, "property": {"never": {"may": "*"}}});
    assert_eq!(error_of(other), "`custom` takes `policy`, not `new`");
}

/// What the program says of a property on the command line.
#[track_caller]
fn check(property: &str, arguments: &str, expected: Expect) {
    let den = Den::with("policy.json", POLICY);
    den.write("property.yaml", property);
    let run = den.keyaki(&format!("check custom policy.json --property property.yaml {arguments}"));
    expected.assert_eq(&format!("{}{}", run.stdout.lines().next().unwrap_or_default(), run.stderr));
}

#[test]
fn mistakes_of_a_file_are_shown_where_they_stand() {
    check(
        "never:\n  may: s3:*\n  whem: {}\n",
        "",
        expect![[r#"
        error: unknown field `whem` in a rule of `never`
          --> property.yaml:3:3
        hint: did you mean `when`?
    "#]],
    );
    check(
        "never:\n  - may: [s3:Get*,\n      s3]\n",
        "",
        expect![[r#"
        error: `s3` is not an action
          --> property.yaml:3:7
        hint: an action is `*` or `service:Name`, such as `s3:GetObject` or `s3:Get*`
    "#]],
    );
    check(
        "never: &x {may: '*'}\n",
        "",
        expect![[r#"
        error: anchors are not read
          --> property.yaml:1:8
        hint: write the value out where it is used
    "#]],
    );
    check(
        "never: {may: '*'\n",
        "",
        expect![[r#"
        error: while parsing a flow mapping, did not find expected ',' or '}'
          --> property.yaml:2:1
    "#]],
    );
    check(
        "{\"never\": {\"may\": }}",
        "",
        expect![[r#"
        error: expected a value, found `}`
          --> property.yaml:1:19
    "#]],
    );
    check(
        "never:\n  who: {AWS: 111122223333}\n",
        "",
        expect![[r#"
        error: `AWS` must be a string or a list of strings, found a number
          --> property.yaml:2:14
        hint: put it in double quotes
    "#]],
    );
}

#[test]
fn parameters_are_given_on_the_command_line() {
    let property = "parameters: {buckets: the buckets, home: the account}\n\
                    never: {who: {not: {AWS: <home>}}, on: ['arn:aws:s3:::x/*', <buckets>]}\n";
    check(
        property,
        "--set home=999988887777 --set buckets=arn:aws:s3:::b/*",
        expect!["holds: policy.json breaks no rule of property.yaml"],
    );
    check(
        property,
        "--set home=111122223333 --set buckets=arn:aws:s3:::a/* --set buckets=arn:aws:s3:::b/*",
        expect!["fails: policy.json breaks a rule of property.yaml"],
    );
    check(
        property,
        "--set home=111122223333",
        expect![[r#"
        error: the parameter `buckets` has no value
          --> property.yaml:1:1
        hint: it is the buckets; give it as `--set buckets=…`, or in `with` beside `use` in a job
    "#]],
    );
    check(
        property,
        "--set hom=111122223333",
        expect![[r#"
        error: the property has no parameter `hom`
          --> property.yaml:1:1
        hint: did you mean `home`?
    "#]],
    );
    check(
        property,
        "--set home",
        expect![[r#"
        error: `home` gives no parameter a value
        hint: write one as `--set organization=o-a1b2c3d4e5`
    "#]],
    );
    check(
        "parameters: {a: b}\nnever: {may: 's3:<b>'}\n",
        "--set a=c",
        expect![[r#"
        error: `<b>` is no parameter of the property
          --> property.yaml:2:14
        hint: did you mean `<a>`?
    "#]],
    );
}
