//! `keyaki who-can`, and jobs of that name.

use serde_json::{Value, json};

use crate::program::{Den, check_against_schema};

const ARN: &str = "arn:aws:iam::111122223333:user/a";

fn job(principals: &Value) -> Value {
    json!({
        "question": "who-can", "resource_account": "111122223333", "principals": principals,
        "access": [{"actions": ["s3:GetObject"], "resources": ["arn:aws:s3:::b/k"]}],
    })
}

fn allow(action: &str) -> Value {
    json!({"Statement": [{"Effect": "Allow", "Action": action, "Resource": "*"}]})
}

/// The result of a job that is as the schema wants it.
#[track_caller]
fn result_of(job: &Value) -> Value {
    let result = Den::new().keyaki_reading("batch", job.to_string()).result();
    check_against_schema("JobResult", &result);
    result
}

#[test]
fn jobs_and_results_are_as_the_schema_says() {
    let trust = json!({"Statement": [{"Effect": "Allow", "Principal": {"AWS": ARN}, "Action": "sts:AssumeRole"}]});
    let role = "arn:aws:iam::111122223333:role/r";
    let job = job(&json!([{"arn": ARN}, {"arn": role, "identity": allow("s3:*"), "trust": trust}]));
    check_against_schema("Job", &job);
    let result = result_of(&job);
    let step = &result["findings"][0]["through"][0];
    assert_eq!((&step["role"], &step["witness"]["resource"]), (&json!(role), &json!(role)));
    assert_eq!(
        step["statements"],
        json!([{"policy": "/principals/1/trust", "index": 0, "sid": null}])
    );
    let last = &result["findings"][0]["witness"];
    assert_eq!(
        (&last["action"], &last["principal"]["role_arn"]),
        (&json!("s3:GetObject"), &json!(role))
    );
}

#[test]
fn the_exit_status_tells_whether_somebody_can() {
    let den = Den::new();
    den.write("some.json", job(&json!([{"arn": ARN, "identity": allow("s3:*")}])).to_string());
    den.write("none.json", job(&json!([{"arn": ARN, "identity": allow("sqs:*")}])).to_string());
    let status = |arguments: &str| den.keyaki(&format!("who-can {arguments}")).status;
    assert_eq!(status("some.json"), 1);
    assert_eq!(status("none.json"), 0);
    assert_eq!(status("some.json --json --timeout 0.000000001"), 3);
    assert_eq!(status("missing.json"), 2);
    assert_eq!(status("some.json --action GetObject"), 2);
}

#[test]
fn bad_input_is_an_error_that_says_what_and_where() {
    let error = |job: &Value| result_of(job)["error"].clone();
    for (principals, message, path) in [
        (json!({}), "`principals` is a list", "/principals"),
        (json!([{}]), "a principal has an `arn`", "/principals/0"),
        (
            json!([{"arn": "arn:aws:iam::11112222333:user/a"}]),
            "`arn:aws:iam::11112222333:user/a` is no ARN of a user, role or root user of account 111122223333",
            "/principals/0/arn",
        ),
        (
            json!([{"arn": "arn:aws:iam::999988887777:user/a"}]),
            "`arn:aws:iam::999988887777:user/a` is no ARN of a user, role or root user of account 111122223333",
            "/principals/0/arn",
        ),
        (
            json!([{"arn": "arn:aws:iam::111122223333:root", "identity": allow("*")}]),
            "the root user has no policies of its own",
            "/principals/0/arn",
        ),
        (json!([{"arn": ARN, "scp": []}]), "a principal has no member `scp`", "/principals/0/scp"),
    ] {
        let error = error(&job(&principals));
        assert_eq!(
            (error["message"].as_str(), error["path"].as_str()),
            (Some(message), Some(path))
        );
    }
    let mut no_access = job(&json!([]));
    no_access.as_object_mut().unwrap().remove("access");
    assert_eq!(error(&no_access)["message"], "`who-can` takes a list of accesses, and has none");
    let mut many = job(&json!(vec![json!({"arn": ARN}); 1_001]));
    assert_eq!(error(&many)["message"], "1001 principals; the limit is 1000");
    many["principals"] = json!([{"arn": ARN, "identity": allow("GetObject")}]);
    assert_eq!(error(&many)["policy"], "/principals/0/identity");
}
