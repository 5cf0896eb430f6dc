//! `keyaki findings`, and jobs of that name.

use serde_json::{Value, json};

use crate::program::{Den, check_against_schema};

const OWN: &str = "111122223333";

fn policy(principal: &Value) -> Value {
    let statement = json!({"Effect": "Allow", "Principal": principal, "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::b/*"});
    json!({"Version": "2012-10-17", "Statement": [statement]})
}

fn job(principal: &Value, trust: &Value) -> Value {
    json!({"question": "findings", "policy": policy(principal), "trust": trust})
}

/// The result of a job that is as the schema wants it.
#[track_caller]
fn result_of(job: &Value) -> Value {
    check_against_schema("Job", job);
    let result = Den::new().keyaki_reading("batch", job.to_string()).result();
    check_against_schema("JobResult", &result);
    result
}

#[test]
fn a_row_has_the_members_of_the_contract() {
    let result = result_of(&job(&json!({"AWS": "999988887777"}), &json!({"accounts": [OWN]})));
    let mut row = result["findings"][0].clone();
    assert_eq!(row["witness"]["action"], "s3:GetObject");
    row.as_object_mut().unwrap().remove("witness");
    let expected = json!({
        "principal": {"AWS": "999988887777"}, "action": ["s3:GetObject"],
        "resource": ["arn:aws:s3:::b/*"], "condition": {}, "is_public": false,
        "statements": [{"policy": "/policy", "index": 0, "sid": null}],
    });
    assert_eq!(row, expected);
    assert_eq!((&result["verdict"], &result["evidence"]), (&json!("fails"), &json!("replayed")));
    assert_eq!(result["coverage"]["verdict"], "holds");
}

#[test]
fn nobody_from_outside_is_no_row() {
    let result = result_of(&job(&json!({"AWS": OWN}), &json!({"accounts": [OWN]})));
    assert_eq!(result["findings"], json!([]));
    assert_eq!(
        (&result["verdict"], &result["coverage"]["verdict"]),
        (&json!("holds"), &json!("holds"))
    );
}

#[test]
fn the_exit_status_is_that_of_check_and_the_worst_wins() {
    let den = Den::new();
    den.write("open.json", policy(&json!("*")).to_string());
    den.write("own.json", policy(&json!({"AWS": OWN})).to_string());
    let status = |arguments: &str| den.keyaki(&format!("findings {arguments}")).status;
    assert_eq!(status(&format!("own.json --trust-account {OWN}")), 0);
    assert_eq!(status(&format!("open.json --trust-account {OWN}")), 1);
    assert_eq!(status("--existing own.json --new open.json"), 1);
    assert_eq!(status("--existing open.json --new own.json"), 0);
    assert_eq!(status("open.json"), 2, "a zone of trust is missing");
    assert_eq!(status(&format!("open.json --trust-account {OWN} --timeout 0.000001")), 3);
}

#[test]
fn bad_input_is_an_error_that_says_what_and_where() {
    let everybody = json!("*");
    for (trust, message) in [
        (json!({"accounts": ["11112222333"]}), "`11112222333` is no account"),
        (json!({"organization": "o-"}), "`o-` is no id of an organisation"),
        (
            json!({"organization_accounts": [OWN]}),
            "accounts of an organisation are named, and the organisation is not",
        ),
        (json!({"accounts": []}), "`no-external-access` takes a zone of trust, and has none"),
    ] {
        let result = result_of(&job(&everybody, &trust));
        assert_eq!(result["error"]["message"], message);
        assert!(result.get("findings").is_none() && result.get("verdict").is_none(), "{result}");
    }
    let mut no_colon = job(&everybody, &json!({"accounts": [OWN]}));
    no_colon["policy"]["Statement"][0]["Action"] = json!("GetObject");
    let error = &result_of(&no_colon)["error"];
    assert_eq!(error["path"], "/Statement/0/Action");
    let mut all = job(&everybody, &json!({"accounts": [OWN]}));
    all["all"] = json!("yes");
    let line = Den::new().keyaki_reading("batch", all.to_string()).result();
    assert_eq!(line["error"]["message"], "`all` is `true` or `false`, not a string");
}

#[test]
fn a_zone_of_ten_thousand_accounts_has_an_answer() {
    let accounts: Vec<String> =
        (0..10_000).map(|n| format!("{:012}", 500_000_000_000u64 + n)).collect();
    let trust = json!({"accounts": accounts});
    let row = |principal: Value| {
        let result = result_of(&job(&principal, &trust));
        let rows = result["findings"].as_array().unwrap();
        rows.iter().map(|row| row["principal"]["AWS"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(row(json!({"AWS": ["500000009999", "500000010000"]})), ["500000010000"]);
    assert_eq!(row(json!("*")), ["*"]);
}

/// Twenty accounts, actions and resources each are 8,000 combinations, of which none is impossible and none lies within another.
#[test]
fn a_statement_of_too_many_combinations_is_one_row_as_it_stands() {
    let list = |item: &dyn Fn(usize) -> String| (0..20).map(item).collect::<Vec<_>>();
    let accounts = list(&|n| format!("9999888877{n:02}"));
    let services = ["Object", "Bucket", "ObjectAcl", "BucketAcl", "ObjectTagging"];
    let actions =
        list(&|n| format!("s3:{}{}*", ["Get", "Put", "Put?", "Delete"][n % 4], services[n / 4]));
    let resources = list(&|n| format!("arn:aws:s3:::b{n}/*"));
    let statement = json!({"Effect": "Allow", "Principal": {"AWS": accounts}, "Action": actions,
        "Resource": resources});
    let job = json!({"question": "findings", "trust": {"accounts": [OWN]},
        "policy": {"Version": "2012-10-17", "Statement": [statement]}});
    let result = result_of(&job);
    let rows = result["findings"].as_array().unwrap();
    let shown = |row: &Value| (row["action"].clone(), row["resource"].clone());
    assert_eq!(rows.iter().map(shown).collect::<Vec<_>>(), [(json!(actions), json!(resources))]);
    assert!(rows[0]["witness"].is_object());
    let coverage = &result["coverage"];
    assert_eq!((&coverage["verdict"], &coverage["is_least"]), (&json!("holds"), &json!(false)));
    assert_eq!(result["verdict"], "fails");
}

#[test]
fn the_policies_of_a_resource_are_asked_about_together_with_those_of_its_organisation() {
    let deny = json!({"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*", "Condition": {
        "StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-zzzzzzzzzz"},
        "BoolIfExists": {"aws:PrincipalIsAWSService": "false"}}});
    let rcp = json!([[{"Version": "2012-10-17", "Statement": [deny]}]]);
    let set = json!({"resource": policy(&json!("*")), "rcp": rcp});
    let mut job = json!({"question": "findings", "policy": set, "trust": {"accounts": [OWN]}});
    let message = "the owner of the resource decides which policies it takes, and is not known";
    assert_eq!(result_of(&job)["error"]["message"], message);
    job["resource_account"] = json!(OWN);
    let result = result_of(&job);
    let conditions: Vec<&Value> =
        result["findings"].as_array().unwrap().iter().map(|row| &row["condition"]).collect();
    assert_eq!(conditions, [&json!({"aws:PrincipalOrgID": "o-zzzzzzzzzz"})]);
    assert_eq!(result["findings"][0]["is_public"], false, "the RCP names the organisation");
    assert_eq!(result["coverage"]["verdict"], "holds");
    job["policy"]["scp"] = json!([[]]);
    job["policy"]["identity"] = json!("any");
    let message = "who asks from outside has policies that are not known";
    assert_eq!(result_of(&job)["error"]["message"], message);
}

#[test]
fn a_certificate_of_rows_is_refused_not_ignored() {
    let den = Den::with("policy.json", policy(&json!({"AWS": OWN})).to_string());
    let run =
        den.keyaki(&format!("findings policy.json --trust-account {OWN} --certificate x.txt"));
    assert_eq!(run.status, 2, "{}", run.stdout);
    assert!(run.stderr.contains("unexpected argument '--certificate'"), "{}", run.stderr);
}
