//! `keyaki evaluate`: one request and its policies in, the decision and why out.

use expect_test::{Expect, expect};
use serde_json::{Value, json};

use crate::program::{Den, check_against_schema, has_solver};

const USER: &str = "arn:aws:iam::111122223333:user/alice";
const OBJECT: &str = "arn:aws:s3:::b/k";

fn statement(effect: &str, action: &str) -> Value {
    json!({"Effect": effect, "Action": action, "Resource": "*"})
}

fn policy(statements: &[Value]) -> Value {
    json!({"Version": "2012-10-17", "Statement": statements})
}

fn request(action: &str) -> Value {
    json!({"principal": USER, "action": action, "resource": OBJECT, "resource_account": "111122223333"})
}

fn job(request: Value, policies: Value) -> Value {
    json!({"id": "e", "question": "evaluate", "request": request, "policies": policies})
}

/// The result of a job that is as the schema wants it, without its time.
#[track_caller]
fn result_of(job: &Value) -> Value {
    check_against_schema("Job", job);
    let run = Den::with("job.json", job.to_string()).keyaki("evaluate job.json --json");
    assert_eq!((run.status, run.stderr.as_str()), (0, ""), "{}", run.stdout);
    let mut result = run.result();
    result.as_object_mut().unwrap().remove("elapsed_ns");
    result
}

#[track_caller]
fn check_decision(job: &Value, decision: &str, gate: Option<&str>) {
    let result = result_of(job);
    assert_eq!(result["decision"], decision, "{result}");
    assert_eq!(result["gate"]["kind"].as_str(), gate, "{result}");
}

/// The error of a job, as people see it.
#[track_caller]
fn check_error(job: &str, expected: Expect) {
    let den = Den::with("job.json", job);
    let run = den.keyaki("evaluate job.json");
    expected.assert_eq(&run.stderr);
    assert_eq!((run.status, run.stdout.as_str()), (2, ""));
    let in_json = den.keyaki("evaluate job.json --json");
    assert_eq!(in_json.status, 2);
    assert!(in_json.result()["error"]["message"].is_string());
}

#[test]
fn the_decision_comes_with_the_gate_and_the_statements() {
    let policies = json!({
        "identity": [policy(&[statement("Allow", "s3:*")])],
        "boundary": policy(&[statement("Allow", "s3:Get*"), statement("Deny", "s3:GetObjectAcl")]),
    });
    let allowed = result_of(&job(request("s3:GetObject"), policies.clone()));
    let by = |policy: &str, index: usize| json!({"policy": policy, "index": index, "sid": null});
    assert_eq!(allowed["decision"], "Allow");
    let both = json!([by("/policies/identity/0", 0), by("/policies/boundary", 0)]);
    assert_eq!(allowed["statements"], both);
    assert!(allowed.get("gate").is_none());

    let implicit = result_of(&job(request("s3:PutObject"), policies.clone()));
    assert_eq!(implicit["decision"], "ImplicitDeny");
    assert_eq!(implicit["gate"], json!({"kind": "boundary", "policy": "/policies/boundary"}));
    assert!(implicit.get("statements").is_none());
    assert_eq!(implicit["matched"][0]["effect"], "Allow");

    let explicit = result_of(&job(request("s3:GetObjectAcl"), policies));
    assert_eq!(explicit["decision"], "ExplicitDeny");
    assert_eq!(explicit["statements"], json!([by("/policies/boundary", 1)]));
}

#[test]
fn every_kind_of_policy_has_its_gate() {
    let all = || policy(&[statement("Allow", "*")]);
    let none = || policy(&[statement("Allow", "sqs:*")]);
    let public = |effect: &str, action: &str| {
        json!({"Version": "2012-10-17", "Statement": {
            "Effect": effect, "Principal": "*", "Action": action, "Resource": "*"}})
    };
    let with = |kind: &str, policy: Value| {
        let mut policies = json!({"identity": [all()]});
        policies[kind] = policy;
        job(request("s3:GetObject"), policies)
    };
    check_decision(&with("identity", json!([none()])), "ImplicitDeny", Some("identity"));
    check_decision(&with("boundary", json!([all(), none()])), "ImplicitDeny", Some("boundary"));
    check_decision(&with("scp", json!([[all()], [none()]])), "ImplicitDeny", Some("scp"));
    check_decision(&with("rcp", json!([[public("Deny", "s3:*")]])), "ExplicitDeny", Some("rcp"));
    let endpoint = public("Allow", "sqs:*");
    check_decision(&with("vpc_endpoint", endpoint), "ImplicitDeny", Some("vpc_endpoint"));
    check_decision(&with("resource", public("Deny", "s3:*")), "ExplicitDeny", Some("resource"));
    // A user is no session.
    check_decision(&with("session", json!([none()])), "Allow", None);
    let mut session = with("session", json!([none()]));
    session["request"]["principal"] = json!("arn:aws:sts::111122223333:assumed-role/r/s1");
    session["request"]["role_arn"] = json!("arn:aws:iam::111122223333:role/p/r");
    check_decision(&session, "ImplicitDeny", Some("session"));
}

#[test]
fn a_resource_without_policy_lets_in_no_other_account() {
    let policies = json!({"identity": [policy(&[statement("Allow", "*")])]});
    let mut job = job(request("s3:GetObject"), policies);
    check_decision(&job, "Allow", None);
    job["request"]["resource_account"] = json!("444455556666");
    check_decision(&job, "ImplicitDeny", Some("resource"));
    job["policies"]["resource"] = Value::Null;
    check_decision(&job, "ImplicitDeny", Some("resource"));
}

#[test]
fn the_grammar_of_a_resource_s_policy_follows_from_the_resource() {
    let role = "arn:aws:iam::111122223333:role/r";
    let trust = json!({"Version": "2012-10-17", "Statement": {
        "Effect": "Allow", "Principal": {"AWS": USER}, "Action": "sts:AssumeRole"}});
    let mut assume = job(request("sts:AssumeRole"), json!({"resource": trust}));
    assume["request"]["resource"] = json!(role);
    check_decision(&assume, "Allow", None);
    assume["policies"]["identity"] = json!([policy(&[statement("Deny", "sts:*")])]);
    check_decision(&assume, "ExplicitDeny", Some("identity"));
}

#[test]
fn principals_come_in_all_forms() {
    let public = json!({"Version": "2012-10-17", "Statement": {
        "Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}});
    for principal in [
        json!("anonymous"),
        json!("*"),
        json!({"type": "anonymous"}),
        json!({"type": "root", "account": "444455556666", "partition": "aws"}),
        json!("arn:aws:iam::444455556666:root"),
        json!({"type": "user", "arn": "arn:aws:iam::111122223333:user/p/a"}),
        json!({"type": "role-session", "role_arn": "arn:aws:iam::111122223333:role/x/App",
            "session_name": "s1"}),
        json!({"type": "federated-user", "arn": "arn:aws:sts::111122223333:federated-user/bob"}),
        json!({"type": "service", "name": "cloudtrail.amazonaws.com"}),
        json!("cloudtrail.amazonaws.com"),
        json!({"type": "federated", "provider": "accounts.google.com"}),
        json!("arn:aws:iam::111122223333:saml-provider/x"),
        json!({"type": "canonical-user", "id": "0".repeat(64)}),
    ] {
        let mut job = job(request("s3:GetObject"), json!({"resource": public}));
        job["request"]["principal"] = principal;
        check_decision(&job, "Allow", None);
    }
}

#[test]
fn the_readings_of_the_language_can_be_chosen() {
    let condition = json!({"NumericNotEquals": {"s3:max-keys": "10"}});
    let statement =
        json!({"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": condition});
    let mut job = job(request("s3:ListBucket"), json!({"identity": [policy(&[statement])]}));
    job["request"]["context"] = json!({"s3:max-keys": "many"});
    check_decision(&job, "ImplicitDeny", Some("identity"));
    job["decisions"] = json!({"D17": "differs"});
    check_decision(&job, "Allow", None);
    let den = Den::with("job.json", job.to_string());
    let run = den.keyaki("evaluate job.json --decision D17=fails");
    assert!(run.stdout.starts_with("ImplicitDeny: "), "{}", run.stdout);
    let run = den.keyaki("evaluate job.json --decision D17=maybe");
    let expected = expect![[r#"
        error: `maybe` is no reading of D17
        hint: its readings are `fails`, the default, and `differs`
    "#]];
    expected.assert_eq(&run.stderr);
}

#[test]
fn evaluations_and_questions_about_sets_stand_in_one_batch() {
    if !has_solver() {
        return;
    }
    let wide = json!({"identity": [policy(&[statement("Allow", "s3:*")])]});
    let mut narrow = wide.clone();
    narrow["boundary"] = policy(&[statement("Allow", "s3:Get*")]);
    let jobs = [
        job(request("s3:PutObject"), narrow.clone()),
        json!({"id": "h", "question": "no-new-access", "existing": wide, "new": narrow}),
        json!({"id": "f", "question": "no-new-access", "existing": narrow, "new": wide,
            "decisions": {"R9": "holds"}}),
        // A plain policy beside a set is a set of its own.
        json!({"id": "p", "question": "no-new-access", "new": narrow,
            "existing": policy(&[statement("Allow", "s3:*")])}),
    ];
    jobs.iter().for_each(|job| check_against_schema("Job", job));
    let lines: Vec<String> = jobs.iter().map(Value::to_string).collect();
    let run = Den::new().keyaki_reading("batch", lines.join("\n"));
    assert_eq!((run.status, run.stderr.as_str()), (0, ""), "{}", run.stdout);
    let results = run.results();
    assert_eq!(results[0]["decision"], "ImplicitDeny");
    let verdicts: Vec<_> = results.iter().map(|result| result["verdict"].as_str()).collect();
    assert_eq!(verdicts, [None, Some("holds"), Some("fails"), Some("holds")]);
    assert_eq!(results[2]["statements"][0]["policy"], "/new/identity/0");

    // The witness is a request that can be asked about.
    let again = json!({"request": results[2]["witness"], "policies": wide});
    let run = Den::with("job.json", again.to_string()).keyaki("evaluate job.json");
    assert!(run.stdout.starts_with("Allow: "), "{}{}", run.stdout, run.stderr);
}

#[test]
fn sets_that_cannot_be_compared_are_refused() {
    let identity = json!({"identity": [policy(&[statement("Allow", "s3:*")])]});
    let mut with_resource = identity.clone();
    with_resource["resource"] = json!([]);
    let guardrail = json!({"scp": [[policy(&[statement("Allow", "s3:*")])]]});
    for (existing, new, expected) in [
        (&identity, &with_resource, "one side has `resource`, the other has not"),
        (&guardrail, &identity, "the set grants nothing"),
        (&json!({"identity": identity}), &identity, "policies of several kinds stand here"),
        (&json!({"identity": [], "scps": []}), &identity, "`scps` is no kind of policy"),
        (&json!({"identity": 3}), &identity, "a policy is an object"),
        (&json!({"identity": [], "scp": [{}]}), &identity, "a level is a list of policies"),
        (&json!({"identity": [], "rcp": {}}), &identity, "a list of levels is expected"),
    ] {
        let job = json!({"question": "no-new-access", "existing": existing, "new": new});
        let run = Den::new().keyaki_reading("batch", job.to_string());
        let result = run.result();
        let message = result["error"]["message"].as_str().unwrap_or_default();
        assert!(message.contains(expected), "{result}");
        assert_eq!(run.status, 2);
    }
}

#[test]
fn a_request_with_a_mistake_is_refused_at_its_place() {
    let with = |members: &str| {
        format!(
            "{{\"policies\": {{}},\n \"request\": {{\"action\": \"s3:GetObject\",\n  {members}}}}}"
        )
    };
    check_error(
        &with(r#""resource": "*""#),
        expect![[r#"
            error: the request has no `principal`
              --> job.json:2:13
        "#]],
    );
    check_error(
        &with(r#""principal": "alice", "resource": "*""#),
        expect![[r#"
        error: `principal`: `alice` is not a principal
          --> job.json:3:16
        hint: a principal is the ARN of a user, root user, role session or federated user, a service such as `sns.amazonaws.com`, a provider's ARN or host, or `anonymous`
    "#]],
    );
    check_error(
        &with(r#""principal": 3, "resource": "*""#),
        expect![[r#"
        error: a principal is a string or an object, not a number
          --> job.json:3:16
    "#]],
    );
    check_error(
        &with(r#""principal": {"type": "user"}, "resource": "*""#),
        expect![[r#"
            error: a principal of type `user` needs a member `arn`
              --> job.json:3:16
        "#]],
    );
    check_error(
        &with(r#""principal": {"type": "group", "arn": "x"}, "resource": "*""#),
        expect![[r#"
            error: `group` is no type of principal
              --> job.json:3:25
            hint: it is one of anonymous, root, user, role-session, federated-user, service, federated, canonical-user
        "#]],
    );
    check_error(
        &with(r#""principal": {"type": "anonymous", "arn": "x"}, "resource": "*""#),
        expect![[r#"
            error: a principal of type `anonymous` has no member `arn`
              --> job.json:3:45
        "#]],
    );
    check_error(
        &with(
            r#""principal": "anonymous", "role_arn": "arn:aws:iam::111122223333:role/r", "resource": "*""#,
        ),
        expect![[r#"
            error: `role_arn`: `arn:aws:iam::111122223333:role/r` is given for a principal that is no role session
              --> job.json:3:41
            hint: leave it out
        "#]],
    );
    check_error(
        &with(r#""principal": "anonymous", "resource": "b/k""#),
        expect![[r#"
        error: `resource`: `b/k` is not a resource
          --> job.json:3:41
        hint: a resource is an ARN of six fields, such as `arn:aws:s3:::bucket/key`, or `*` for an action without resource type
    "#]],
    );
    check_error(
        &with(
            r#""principal": "anonymous", "resource": "arn:aws:s3:::b", "resource_account": "12""#,
        ),
        expect![[r#"
            error: `resource_account`: `12` is not an account
              --> job.json:3:79
            hint: an account is twelve digits, or what the ARN has in its place, such as `aws`
        "#]],
    );
    check_error(
        &with(r#""principal": "anonymous", "resource": "*", "ressource": "*""#),
        expect![[r#"
            error: a request has no member `ressource`
              --> job.json:3:59
            hint: its members are principal, role_arn, federated_base, action, resource, resource_account, context, context_complete, management_account, service_linked_role
        "#]],
    );
    check_error(
        &with(r#""principal": "anonymous", "resource": "*", "context_complete": "yes""#),
        expect![[r#"
            error: `context_complete` is `true` or `false`, not a string
              --> job.json:3:66
        "#]],
    );
    check_error(
        "{\"policies\": {}, \"question\": \"evaluate\"}",
        expect![[r#"
            error: an `evaluate` job needs a member `request`
        "#]],
    );
    check_error(
        "{\"request\": {}, \"question\": \"no-new-access\"}",
        expect![[r#"
        error: the job's `question` is not `evaluate`
          --> job.json:1:29
        hint: ask other questions with `keyaki check` or `keyaki batch`
    "#]],
    );
    check_error(
        "[]",
        expect![[r#"
        error: a job is an object
          --> job.json:1:1
    "#]],
    );
}

#[test]
fn a_context_with_a_mistake_is_refused_at_its_place() {
    let with = |context: &str| {
        format!(
            "{{\"policies\": {{}}, \"request\": {{\"principal\": \"{USER}\", \"action\": \"s3:GetObject\",\n \
             \"resource\": \"{OBJECT}\",\n \"context\": {{{context}}}}}}}"
        )
    };
    check_error(
        &with(r#""aws:username": "bob""#),
        expect![[r#"
        error: `aws:username` is `bob`, but `alice` follows from the rest of the request
          --> job.json:3:30
    "#]],
    );
    check_error(
        &with(r#""aws:PrincipalAccount": "444455556666""#),
        expect![[r#"
        error: `aws:PrincipalAccount` is `444455556666`, but `111122223333` follows from the rest of the request
          --> job.json:3:38
    "#]],
    );
    check_error(
        &with(r#""aws:SecureTransport": true"#),
        expect![[r#"
        error: `aws:SecureTransport` is a string or a list of strings, not a Boolean
          --> job.json:3:37
        hint: put the value in quotes
    "#]],
    );
    check_error(
        &with(r#""aws:SourceVpc": null"#),
        expect![[r#"
        error: `aws:SourceVpc` is a string or a list of strings, not null
          --> job.json:3:31
        hint: leave out a key that is absent
    "#]],
    );
    check_error(
        &with(r#""aws:TagKeys": ["a", 3]"#),
        expect![[r#"
        error: a value of `aws:TagKeys` is a string, not a number
          --> job.json:3:35
    "#]],
    );
    check_error(
        &with(r#""aws:SourceVpc": "a", "aws:sourcevpc": "b""#),
        expect![[r#"
        error: `aws:sourcevpc` is given twice, in different spellings
          --> job.json:3:53
    "#]],
    );
}

#[test]
fn a_policy_with_a_mistake_is_refused_at_its_place_in_the_file() {
    check_error(
        "{\"request\": {\"principal\": \"*\", \"action\": \"s3:GetObject\", \"resource\": \"*\"},\n \
         \"policies\": {\"scp\": [[],\n   [{\"Statement\": [{\"Effect\": \"Permit\"}]}]]}}",
        expect![[r#"
            error: the statement has neither `Action` nor `NotAction`
              --> job.json:3:20
        "#]],
    );
}

/// As many values as fit into a megabyte are read and compared.
#[test]
fn a_key_of_a_hundred_thousand_values_is_decided() {
    let condition = json!({"ForAllValues:StringLike": {"aws:TagKeys": ["t*", "x"]}});
    let statement =
        json!({"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": condition});
    let mut job = job(request("s3:GetObject"), json!({"identity": [policy(&[statement])]}));
    let tags: Vec<String> = (0..100_000).map(|n| format!("t{n}")).collect();
    job["request"]["context"] = json!({"aws:TagKeys": tags});
    check_decision(&job, "Allow", None);
    job["request"]["context"]["aws:TagKeys"][99_999] = json!("other");
    check_decision(&job, "ImplicitDeny", Some("identity"));
}
