//! Certificates: what the program writes is accepted by the checker, and what fails has none.

use serde_json::{Value, json};

use crate::program::{Den, check_against_schema};

const CONFINED: &str = r#"{"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": "s3:Get*", "Resource": "arn:aws:s3:::logs/2024/${aws:username}/*"},
    {"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}]}"#;

fn check(resource: &str) -> String {
    format!(
        "check access-not-granted policy.json --policy-type identity --action s3:GetObject \
         --resource arn:aws:s3:::logs/{resource} --certificate holds.txt"
    )
}

#[test]
fn what_holds_is_certified_in_a_file() {
    let den = Den::with("policy.json", CONFINED);
    let run = den.keyaki(&check("2025/*"));
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert!(run.stdout.contains("certified, found by"), "{}", run.stdout);
    let verified = keyaki_verify::verify(den.read("holds.txt").as_bytes()).unwrap();
    let parts = ["through statement 0 of /policy", "through statement 1 of /policy"];
    assert_eq!(verified.parts, parts);
    let run = den.keyaki(&format!("{} --json", check("2025/*")));
    assert_eq!(
        (&run.result()["evidence"], &run.result()["certificate"]),
        (&json!("certified"), &Value::Null)
    );
}

#[test]
fn what_fails_writes_no_file_and_a_folder_that_is_missing_is_told() {
    let den = Den::with("policy.json", CONFINED);
    let run = den.keyaki(&check("2024/*"));
    assert_eq!(run.status, 1, "{}", run.stdout);
    assert!(!den.path().join("holds.txt").exists());
    let run = den.keyaki(&check("2025/*").replace("holds.txt", "nowhere/holds.txt"));
    assert_eq!(run.status, 2);
    assert!(run.stderr.contains("cannot write `nowhere/holds.txt`"), "{}", run.stderr);
}

#[test]
fn a_job_gets_its_certificate_with_the_result() {
    let policy: Value = serde_json::from_str(CONFINED).unwrap();
    let question = |resource: &str, certificate: Value| {
        json!({
            "question": "access-not-granted",
            "policy_type": "identity",
            "policy": policy,
            "access": [{"actions": ["s3:GetObject"], "resources": [format!("arn:aws:s3:::logs/{resource}")]}],
            "certificate": certificate,
        })
    };
    let answer = |job: &Value| {
        let result = Den::new().keyaki_reading("batch", job.to_string()).result();
        check_against_schema("JobResult", &result);
        result
    };
    let job = question("2025/*", json!(true));
    check_against_schema("Job", &job);
    let certified = answer(&job);
    assert_eq!(certified["evidence"], "certified");
    let text = certified["certificate"].as_str().unwrap();
    assert!(keyaki_verify::verify(text.as_bytes()).is_ok());
    let claimed = answer(&question("2025/*", json!(false)));
    assert_eq!((&claimed["evidence"], &claimed["certificate"]), (&json!("claimed"), &Value::Null));
    let fails = answer(&question("2024/*", json!(true)));
    assert_eq!((&fails["evidence"], &fails["certificate"]), (&json!("replayed"), &Value::Null));
    let wrong = answer(&question("2025/*", json!("yes")));
    assert_eq!(wrong["error"]["message"], "`certificate` is `true` or `false`, not a string");
}

#[test]
fn what_holds_by_counting_addresses_is_certified_too() {
    let policy = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": "*",
        "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*",
        "Condition": {"IpAddress": {"aws:SourceIp": ["12.0.0.0/9", "14.0.0.0/9"]}}}}"#;
    let den = Den::with("policy.json", policy);
    let run = den.keyaki("check no-public-access policy.json --certificate holds.txt");
    assert!(run.status == 0 && run.stdout.contains("certified"), "{}", run.stdout);
    assert!(keyaki_verify::verify(den.read("holds.txt").as_bytes()).is_ok());
}
