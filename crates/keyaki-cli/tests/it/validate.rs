//! `keyaki validate`: files, standard input, statuses.

use crate::program::Den;

const FINE: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}]}"#;

#[test]
fn the_worst_status_wins() {
    let den = Den::with("fine.json", FINE);
    den.write("odd.json", FINE.replace(r#""Version":"2012-10-17","#, ""));
    den.write("wrong.json", FINE.replace("Allow", "allow"));
    den.write("text.json", "Allow everything");
    for (files, status) in [
        ("fine.json", 0),
        ("odd.json", 0),
        ("odd.json wrong.json fine.json", 1),
        ("text.json", 1),
        ("wrong.json none.json fine.json", 2),
    ] {
        let run = den.keyaki(&format!("validate {files}"));
        assert_eq!(run.status, status, "{files}: {}{}", run.stdout, run.stderr);
    }
}

#[test]
fn what_is_found_is_told_with_its_place() {
    let den = Den::with("wrong.json", FINE.replace("Allow", "allow"));
    let run = den.keyaki("validate wrong.json");
    assert_eq!(
        run.stdout,
        "wrong.json: 1 error\n\nwrong.json:1:48: error: unknown effect `allow` [invalid-effect]\n  \
         at /Statement/0/Effect\n  hint: did you mean `Allow`?\n"
    );
    den.write("fine.json", FINE);
    assert_eq!(den.keyaki("validate fine.json").stdout, "fine.json: nothing found\n");
}

#[test]
fn a_type_is_what_the_policy_is_held_against() {
    let den = Den::with("fine.json", FINE);
    assert_eq!(den.keyaki("validate fine.json --policy-type boundary").status, 0);
    assert_eq!(den.keyaki("validate fine.json --policy-type kms").status, 1);
    let run = den.keyaki("validate fine.json --policy-type role");
    assert_eq!(run.status, 2);
    assert!(run.stderr.contains("no such type of policy"), "{}", run.stderr);
}

#[test]
fn a_batch_takes_validate_jobs_among_others() {
    let den = Den::new();
    let job = format!(r#"{{"id":"v","question":"validate","policy":{FINE}}}"#);
    let run = den.keyaki_reading("batch", format!("{job}\n{{\"id\":\"x\",\"question\":\"?\"}}\n"));
    assert_eq!(run.status, 2, "{}", run.stderr);
    let _ = run.results();
    let lines: Vec<&str> = run.stdout.lines().collect();
    assert!(lines[0].starts_with(r#"{"id":"v","question":"validate""#), "{}", lines[0]);
    assert!(lines[0].ends_with(r#""findings":[]}"#), "{}", lines[0]);
    assert!(lines[1].contains("unknown-question"), "{}", lines[1]);
}

#[test]
fn jobs_and_results_are_as_the_schema_says() {
    use crate::program::check_against_schema;
    let policy: serde_json::Value = serde_json::from_str(FINE).unwrap();
    let job = serde_json::json!({
        "id": "v", "question": "validate", "policy": policy, "policy_type": "boundary",
    });
    check_against_schema("ValidateJob", &job);
    let den = Den::with("wrong.json", FINE.replace("Allow", "allow"));
    let results = den.keyaki("validate wrong.json none.json --json").results();
    assert_eq!(results[0]["findings"][0]["code"], "invalid-effect");
    assert_eq!(results[0]["id"], "wrong.json");
    assert_eq!(results[1]["error"]["code"], "unreadable-file");
}
