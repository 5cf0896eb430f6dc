//! Jobs and scripts of `equivalent`, `disjoint` and `no-external-access`.

use serde_json::{Value, json};

use crate::program::{Den, check_against_schema};

const OWN: &str = "111122223333";
const STRANGER: &str = "999988887777";

fn policy(statements: &[Value]) -> Value {
    json!({"Version": "2012-10-17", "Statement": statements})
}

fn allow(action: &str) -> Value {
    json!({"Effect": "Allow", "Action": action, "Resource": "arn:aws:s3:::b/*"})
}

fn allow_account(account: &str) -> Value {
    let mut statement = allow("s3:GetObject");
    statement["Principal"] = json!({"AWS": account});
    statement
}

/// The result of a job that is as the schema wants it.
#[track_caller]
fn result_of(job: &Value) -> Value {
    check_against_schema("Job", job);
    let mut result = Den::new().keyaki_reading("batch", job.to_string()).result();
    result.as_object_mut().unwrap().remove("elapsed_ns");
    check_against_schema("JobResult", &result);
    result
}

fn compare(question: &str, existing: &[Value], new: &[Value]) -> Value {
    result_of(&json!({"question": question, "existing": policy(existing), "new": policy(new)}))
}

#[test]
fn a_relation_comes_with_the_witnesses_that_show_it() {
    let (get, put) = (allow("s3:GetObject"), allow("s3:PutObject"));
    let both = [get.clone(), put.clone()];
    let parts = |result: &Value| {
        let action = |name: &str| result[name]["action"].as_str().map(str::to_owned);
        let relation = result["relation"].as_str().map(str::to_owned);
        (relation, action("witness"), action("witness_reverse"))
    };
    let some = |text: &str| Some(text.to_owned());
    let wider = compare("equivalent", &both[..1], &both);
    assert_eq!(parts(&wider), (some("wider"), some("s3:PutObject"), None));
    assert_eq!(wider["relation_evidence"], "claimed", "the other direction has no witness");
    assert_eq!(wider["statements"], json!([{"policy": "/new", "index": 1, "sid": null}]));
    let narrower = compare("equivalent", &both, &both[..1]);
    assert_eq!(parts(&narrower), (some("narrower"), None, some("s3:PutObject")));
    let statements = json!([{"policy": "/existing", "index": 1, "sid": null}]);
    assert_eq!(narrower["statements_reverse"], statements);
    assert!(narrower.get("statements").is_none(), "{narrower}");
    let neither = compare("equivalent", std::slice::from_ref(&get), &[put]);
    let expected = (some("incomparable"), some("s3:PutObject"), some("s3:GetObject"));
    assert_eq!(parts(&neither), expected);
    assert_eq!(neither["relation_evidence"], "replayed");
    let same = compare("equivalent", std::slice::from_ref(&get), std::slice::from_ref(&get));
    assert_eq!((&same["verdict"], parts(&same)), (&json!("holds"), (None, None, None)));
}

/// The readings that a pair of witnesses needs are told, also where the verdict does not hang on
/// them.
#[test]
fn witnesses_come_with_the_readings_that_they_need() {
    let mut undecided = allow("s3:GetObject");
    undecided["Condition"] = json!({"StringEquals": {"aws:SourceVpc": []}});
    let result = compare("equivalent", &[undecided], &[allow("s3:PutObject")]);
    assert_eq!(result["relation"], "incomparable");
    assert!(result.get("depends_on").is_none(), "it fails however D6 is read: {result}");
    assert_eq!(result["witness_under"], json!({"D6": "no-test"}));
}

#[test]
fn a_common_request_has_statements_of_both_sides() {
    let result = compare("disjoint", &[allow("s3:Get*")], &[allow("s3:*Object")]);
    assert_eq!(result["verdict"], "fails");
    let policies: Vec<_> =
        result["statements"].as_array().unwrap().iter().map(|s| s["policy"].as_str()).collect();
    assert_eq!(policies, [Some("/new"), Some("/existing")]);
    let apart = compare("disjoint", &[allow("s3:Get*")], &[allow("s3:Put*")]);
    assert_eq!((&apart["verdict"], &apart["solver"]), (&json!("holds"), &json!("cover")));
}

fn external(statements: &[Value], members: Value) -> Value {
    let mut job = json!({"question": "no-external-access", "policy": policy(statements)});
    for (name, value) in members.as_object().unwrap() {
        job[name] = value.clone();
    }
    job
}

#[test]
fn a_zone_of_trust_is_a_member_of_the_job() {
    let statements = [allow_account(OWN), allow_account(STRANGER)];
    let verdict = |members: Value| {
        let result = result_of(&external(&statements, members));
        result["verdict"].as_str().map(str::to_owned)
    };
    let [holds, fails] = ["holds", "fails"].map(|word| Some(word.to_owned()));
    assert_eq!(verdict(json!({"trust": {"accounts": [OWN, STRANGER]}})), holds);
    assert_eq!(verdict(json!({"trust": {"accounts": [OWN]}})), fails);
    assert_eq!(verdict(json!({"resource_account": OWN})), fails);
    let both = json!({"resource_account": OWN, "trust": {"accounts": [STRANGER]}});
    assert_eq!(verdict(both), holds);
    let organization = json!({"trust": {
        "organization": "o-a1b2c3d4e5", "organization_accounts": [OWN, STRANGER]}});
    assert_eq!(verdict(organization), holds);
    let mut service = allow("s3:GetObject");
    service["Principal"] = json!({"Service": "sns.amazonaws.com"});
    for (reading, expected) in [("ignore", "holds"), ("deputy", "fails")] {
        let members = json!({"resource_account": OWN, "service_principals": reading});
        assert_eq!(result_of(&external(&[service.clone()], members))["verdict"], expected);
    }
}

/// The witness is from outside, and the request is one that can be asked about.
#[test]
fn a_witness_from_outside_has_an_owner_of_its_resource() {
    let job = external(&[allow_account(STRANGER)], json!({"trust": {"accounts": [OWN]}}));
    let result = result_of(&job);
    let owner = result["witness"]["resource_account"].as_str();
    assert!(owner.is_some_and(|owner| owner != STRANGER), "{result}");
    let again = json!({"request": result["witness"], "policies": {
        "resource": job["policy"], "identity": policy(&[allow("s3:*")])}});
    let run = Den::with("job.json", again.to_string()).keyaki("evaluate job.json");
    assert!(run.stdout.starts_with("Allow: "), "{}{}", run.stdout, run.stderr);
}

#[test]
fn a_zone_of_nobody_or_of_something_else_is_refused() {
    let statements = [allow_account(OWN)];
    for (members, code, path) in [
        (json!({}), "invalid-trust", None),
        (json!({"trust": {}}), "invalid-trust", None),
        (json!({"trust": []}), "invalid-job", Some("/trust")),
        (json!({"trust": {"account": [OWN]}}), "invalid-job", Some("/trust/account")),
        (json!({"trust": {"accounts": OWN}}), "invalid-job", Some("/trust/accounts")),
        (json!({"trust": {"accounts": ["1"]}}), "invalid-trust", Some("/trust/accounts/0")),
        (json!({"trust": {"organization": "a"}}), "invalid-trust", Some("/trust/organization")),
        (json!({"trust": {"organization_accounts": [OWN]}}), "invalid-trust", None),
        (json!({"resource_account": "aws"}), "invalid-trust", Some("/resource_account")),
        (
            json!({"resource_account": OWN, "service_principals": "trusted"}),
            "invalid-job",
            Some("/service_principals"),
        ),
    ] {
        let job = external(&statements, members).to_string();
        let result = Den::new().keyaki_reading("batch", job).result();
        let error = &result["error"];
        assert_eq!(
            (error["code"].as_str(), error["path"].as_str()),
            (Some(code), path),
            "{result}"
        );
    }
    let stray = json!({"question": "disjoint", "existing": policy(&[]), "new": policy(&[]),
        "resource_account": OWN});
    let result = Den::new().keyaki_reading("batch", stray.to_string()).result();
    assert_eq!(result["error"]["message"], "only `no-external-access` takes a zone of trust");
    let identity = external(&[allow("s3:*")], json!({"resource_account": OWN}));
    let result = Den::new().keyaki_reading("batch", identity.to_string()).result();
    assert_eq!(result["error"]["code"], "wrong-policy-type");
}

#[test]
fn a_failure_is_explained_if_the_job_asks_for_it() {
    let statements = [allow_account(OWN), allow_account(STRANGER)];
    let mut job = external(&statements, json!({"trust": {"accounts": [OWN]}}));
    assert!(result_of(&job).get("explanation").is_none());
    job["explain"] = json!(true);
    let result = result_of(&job);
    let suggestion = &result["suggestion"];
    let change = json!({"policy": "/policy", "index": 1, "change": "remove-statement",
        "words": "statement 1 were not there"});
    assert_eq!(suggestion["changes"], json!([change]), "{result}");
    let words = suggestion["words"].as_str().unwrap();
    assert!(result["explanation"].as_str().unwrap().ends_with(words), "{result}");
    job["trust"]["accounts"] = json!([OWN, STRANGER]);
    let holds = result_of(&job);
    assert_eq!((&holds["verdict"], holds.get("explanation")), (&json!("holds"), None));
}

#[test]
fn an_answer_in_json_can_be_explained() {
    let den = Den::with("old.json", policy(&[allow("s3:GetObject")]).to_string());
    den.write("new.json", policy(&[allow("s3:PutObject")]).to_string());
    let explanation = |sides: &str| {
        let run = den.keyaki(&format!("check no-new-access {sides} --explain --json"));
        let result = run.result();
        (result["verdict"].clone(), result["explanation"].as_str().unwrap().to_owned())
    };
    let (verdict, why) = explanation("old.json new.json");
    assert_eq!(verdict, "fails");
    assert!(why.contains("s3:PutObject"), "{why}");
    let (verdict, why) = explanation("old.json old.json");
    assert_eq!(verdict, "holds");
    assert!(why.starts_with("not through statement 0 (old.json:1:"), "{why}");
}

#[test]
fn a_script_of_equivalent_is_of_both_directions_or_of_one() {
    let den = Den::with("old.json", policy(&[allow("s3:GetObject")]).to_string());
    den.write("new.json", policy(&[allow("s3:PutObject")]).to_string());
    let breaks = |arguments: &str| {
        let run = den.keyaki(&format!("encode {arguments}"));
        assert_eq!((run.status, run.stderr.as_str()), (0, ""));
        let (_, breaks) = run.stdout.split_once("; the request breaks the property\n").unwrap();
        ["getobject", "putobject"].map(|name| breaks.matches(&format!("\"{name}\"")).count())
    };
    assert_eq!(breaks("equivalent old.json new.json"), [2, 2], "each is demanded and excluded");
    assert_eq!(breaks("equivalent old.json new.json --only new"), [1, 1]);
    assert_eq!(breaks("equivalent old.json new.json --only existing"), [1, 1]);
    assert_eq!(breaks("disjoint old.json new.json"), [1, 1]);
    let run = den.keyaki("encode disjoint old.json new.json --only new");
    assert_eq!(run.status, 2);
    assert!(run.stderr.contains("`--only` is for `equivalent`"), "{}", run.stderr);
}

#[test]
fn guardrails_that_only_deny_are_read_beside_what_is_attached_with_them() {
    let deny = |actions: &[&str]| json!({"Effect": "Deny", "Action": actions, "Resource": "*"});
    let job = |existing: &[&str], new: &[&str]| {
        json!({
            "question": "no-new-access", "policy_type": "scp",
            "existing": policy(&[deny(existing)]), "new": policy(&[deny(new)]),
        })
    };
    let weaker = result_of(&job(&["s3:DeleteBucket", "s3:PutBucketPolicy"], &["s3:DeleteBucket"]));
    assert_eq!(
        (&weaker["verdict"], &weaker["assumed"]),
        (&json!("fails"), &json!(["FullAWSAccess"]))
    );
    assert_eq!(weaker["witness"]["action"], "s3:PutBucketPolicy");
    assert_eq!(weaker["statements"][0]["policy"], "FullAWSAccess");
    let same = result_of(&job(&["s3:DeleteBucket"], &["s3:DeleteBucket"]));
    assert_eq!((&same["verdict"], &same["assumed"]), (&json!("holds"), &json!(["FullAWSAccess"])));
    let allowing = json!({
        "question": "no-new-access", "policy_type": "scp",
        "existing": policy(&[allow("s3:*")]), "new": policy(&[allow("s3:Get*")]),
    });
    assert_eq!(result_of(&allowing)["assumed"], Value::Null);
    let den = Den::with("old.json", policy(&[deny(&["s3:Put*", "s3:Delete*"])]).to_string());
    den.write("new.json", policy(&[deny(&["s3:Put*"])]).to_string());
    let run = den.keyaki("check no-new-access old.json new.json --policy-type scp");
    assert_eq!(run.status, 1, "{}", run.stdout);
    for told in ["allowed by statement 0 of FullAWSAccess", "read with FullAWSAccess attached"] {
        assert!(run.stdout.contains(told), "{}", run.stdout);
    }
}

#[test]
fn what_is_public_below_resource_control_policies() {
    let open =
        json!({"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*"});
    let deny = json!({"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*",
        "Condition": {"StringNotEquals": {"aws:PrincipalAccount": OWN}}});
    let job = |policies: Value| json!({"question": "no-public-access", "policy": policies});
    let controlled =
        job(json!({"resource": policy(std::slice::from_ref(&open)), "rcp": [[policy(&[deny])]]}));
    assert_eq!(result_of(&controlled)["verdict"], "holds");
    let result =
        result_of(&job(json!({"resource": policy(std::slice::from_ref(&open)), "rcp": []})));
    assert_eq!(result["verdict"], "fails");
    assert_eq!(result["statements"][0]["policy"], "/policy/resource", "{result}");

    let error = |job: &Value| {
        let result = Den::new().keyaki_reading("batch", job.to_string()).result();
        result["error"]["message"].as_str().unwrap().to_owned()
    };
    let identity = json!({"resource": policy(std::slice::from_ref(&open)), "identity": policy(&[allow("s3:*")])});
    assert_eq!(
        error(&job(identity)),
        "`no-public-access` does not ask about policies of this kind"
    );
    let alone = json!({"rcp": [[policy(&[])]]});
    assert!(error(&job(alone)).contains("grants nothing"));
    let mut restricted = job(json!({"resource": policy(&[open]), "rcp": []}));
    restricted["reading"] = json!("restrict-public-buckets");
    assert_eq!(error(&restricted), "`restrict-public-buckets` looks at the bucket policy alone");
}
