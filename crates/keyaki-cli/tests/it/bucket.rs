//! `keyaki bucket`, and jobs of that name.

use expect_test::expect;
use serde_json::{Value, json};

use crate::program::{Den, check_against_schema};

fn policy(effect: &str) -> Value {
    let statement = json!({"Effect": effect, "Principal": "*", "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::b/*"});
    json!({"Version": "2012-10-17", "Statement": [statement]})
}

#[test]
fn the_result_has_the_parts_that_the_verdict_is_put_together_from() {
    let job = json!({"id": "1", "question": "bucket", "policy": policy("Allow"),
        "acl": "public-read", "resource_account": "111122223333",
        "block_public_access": {"bucket": {"BlockPublicPolicy": true}, "organization": "none"}});
    check_against_schema("BucketJob", &job);
    let result = Den::new().keyaki_reading("batch", job.to_string()).result();
    check_against_schema("JobResult", &result);
    assert_eq!((&result["id"], &result["question"]), (&json!("1"), &json!("bucket")));
    assert_eq!((&result["verdict"], &result["evidence"]), (&json!("fails"), &json!("replayed")));
    assert_eq!(result["statements"][0]["policy"], "/policy");
    let expected = json!({
        "acl": "public", "public_grants": ["READ to AllUsers"], "put_acl": "accepted",
        "policy": "fails", "policy_status": {"IsPublic": true}, "put_policy": "rejected",
        "is_restricted": false, "at_run_time": "fails",
        "left": [{"index": 0, "sid": null, "principal": "*", "left": "stays",
            "if_restricted": "narrowed"}],
        "settings": {"BlockPublicAcls": false, "IgnorePublicAcls": false, "BlockPublicPolicy": true,
            "RestrictPublicBuckets": false},
    });
    assert_eq!(result["bucket"], expected);
}

#[test]
fn the_exit_status_is_that_of_the_verdict() {
    let den = Den::new();
    den.write("open.json", json!({"policy": policy("Allow")}).to_string());
    den.write("closed.json", json!({"policy": policy("Deny"), "acl": "private"}).to_string());
    den.write("broken.json", json!({"policy": {"Statement": 1}}).to_string());
    let status = |file: &str| den.keyaki(&format!("bucket {file}")).status;
    assert_eq!((status("closed.json"), status("open.json")), (0, 1));
    assert_eq!((status("broken.json"), status("missing.json")), (2, 2));
    assert_eq!(den.keyaki("bucket open.json --json").result()["verdict"], "fails");
}

#[test]
fn a_mistake_has_its_place_in_the_file() {
    let den = Den::new();
    den.write(
        "b.json",
        "{\n \"acl\": \"private\",\n \"policy\": {\"Statement\": [\n  {\"Effect\": \"Alow\"}]}}",
    );
    let run = den.keyaki("bucket b.json");
    expect![[r#"
        error: the statement has neither `Action` nor `NotAction`
          --> b.json:4:3
    "#]]
    .assert_eq(&run.stderr);
    den.write("b.json", "{\n \"block_public_access\": {\"acount\": {}}}");
    let run = den.keyaki("bucket b.json");
    expect![[r#"
        error: there is no level `acount`
          --> b.json:2:36
        hint: the levels are bucket, account and organization
    "#]]
    .assert_eq(&run.stderr);
    den.write("b.json", r#"{"question": "evaluate"}"#);
    let run = den.keyaki("bucket b.json");
    expect![[r#"
        error: the job's `question` is not `bucket`
          --> b.json:1:14
        hint: ask other questions with `keyaki check` or `keyaki batch`
    "#]]
    .assert_eq(&run.stderr);
}
