//! `keyaki batch`: a line in, a line out.

use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

use serde_json::{Value, json};

use crate::program::{
    DATED, Den, PRIVATE, PUBLIC, Run, UNLIKELY, check_against_schema, has_solver, installed,
};

/// Runs a batch of jobs that are as the schema wants them.
#[track_caller]
fn batch(jobs: &[Value]) -> Run {
    let mut lines = String::new();
    for job in jobs {
        check_against_schema("Job", job);
        lines.push_str(&job.to_string());
        lines.push('\n');
    }
    Den::new().keyaki_reading("batch", lines)
}

/// Runs a batch with one line that is an error, between two that are not, and returns the error's
/// result without its time.
#[track_caller]
fn error_of(line: impl AsRef<[u8]>) -> Value {
    let [before, after] = ["before", "after"].map(|id| public_access(id, PRIVATE).to_string());
    let lines = [before.as_bytes(), line.as_ref(), after.as_bytes()];
    let run = Den::new().keyaki_reading("batch", lines.join(&b'\n'));
    assert_eq!((run.status, run.stderr.as_str()), (2, ""));
    let mut results = run.results();
    let answers: Vec<_> = results.iter().map(|r| (r["id"].as_str(), &r["verdict"])).collect();
    assert_eq!(answers.len(), 3, "{}", run.stdout);
    assert_eq!(answers[0], (Some("before"), &json!("holds")));
    assert_eq!(answers[2], (Some("after"), &json!("holds")));
    let mut error = results.remove(1);
    assert!(error["error"]["message"].is_string(), "{error}");
    error.as_object_mut().unwrap().remove("elapsed_ns");
    error
}

/// Checks what became of a line that is an error: its id, the code, and where it is.
#[track_caller]
fn check_error(line: impl AsRef<[u8]>, id: Option<&str>, code: &str, place: [Option<&str>; 2]) {
    let result = error_of(line);
    let error = &result["error"];
    assert_eq!(result["id"].as_str(), id, "{result}");
    assert_eq!(error["code"], code, "{result}");
    assert_eq!([error["policy"].as_str(), error["path"].as_str()], place, "{result}");
    assert_eq!(error["line"].is_u64(), place[1].is_some(), "{result}");
    assert!(result.get("verdict").is_none(), "{result}");
}

fn public_access(id: &str, policy: &str) -> Value {
    let policy: Value = serde_json::from_str(policy).unwrap();
    json!({"id": id, "question": "no-public-access", "policy": policy})
}

fn new_access(id: &str, existing: Value, new: Value) -> Value {
    json!({"id": id, "question": "no-new-access", "existing": existing, "new": new})
}

#[test]
fn results_come_in_the_order_of_the_jobs_with_their_ids() {
    if !has_solver() {
        return;
    }
    let (private, public) = (Value::from(PRIVATE), Value::from(PUBLIC));
    let run = batch(&[
        public_access("z", PRIVATE),
        public_access("a", PUBLIC),
        new_access("ä \"\n", private.clone(), public.clone()),
        new_access("", public, private),
        public_access("a", DATED),
    ]);
    let results = run.results();
    let words: Vec<_> = results
        .iter()
        .map(|r| (r["id"].as_str().unwrap(), r["verdict"].as_str().unwrap()))
        .collect();
    let expected =
        [("z", "holds"), ("a", "fails"), ("ä \"\n", "fails"), ("", "holds"), ("a", "unknown")];
    assert_eq!(words, expected);
    assert_eq!((run.status, run.stderr.as_str()), (0, ""), "unknown is an answer");
    let fails = &results[1];
    assert_eq!(fails["question"], "no-public-access");
    assert_eq!(fails["evidence"], "replayed");
    assert_eq!(fails["statements"], json!([{"policy": "/policy", "index": 0, "sid": "Read"}]));
    assert_eq!(fails["witness"]["principal"], json!({"type": "anonymous"}));
    assert_eq!(fails["reading"], "documented reading of Amazon S3");
    assert!(fails["elapsed_ns"].as_u64().unwrap() > 0);
    assert!(fails.get("attempts").is_none(), "attempts are for those who ask");
    assert_eq!(results[4]["reason"], "unsupported");
    assert_eq!(results[4]["unsupported"][0]["policy"], "/policy");
}

#[test]
fn a_job_without_id_gets_a_result_without_id() {
    if !has_solver() {
        return;
    }
    let policy: Value = serde_json::from_str(PRIVATE).unwrap();
    let run = batch(&[json!({"question": "no-public-access", "policy": policy})]);
    assert!(run.result().get("id").is_none());
    assert_eq!(run.status, 0);
}

#[test]
fn policies_are_objects_or_strings_or_lists_of_either() {
    if !has_solver() {
        return;
    }
    let object = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    let run = batch(&[
        json!({"id": "1", "question": "no-public-access", "policy": PUBLIC}),
        new_access("2", Value::from(PRIVATE), object(PRIVATE)),
        new_access("3", json!([PRIVATE, object(PUBLIC)]), json!([PUBLIC])),
        new_access("4", json!([PRIVATE]), json!([object(PRIVATE), PUBLIC])),
    ]);
    let results = run.results();
    let verdicts: Vec<_> = results.iter().map(|r| r["verdict"].as_str().unwrap()).collect();
    assert_eq!(verdicts, ["fails", "holds", "holds", "fails"]);
    assert_eq!(results[3]["statements"][0]["policy"], "/new/1");
    assert_eq!(run.status, 0);
}

#[test]
fn line_ends_are_those_of_any_system_and_empty_lines_are_none() {
    if !has_solver() {
        return;
    }
    let [one, two] = ["1", "2"].map(|id| public_access(id, PRIVATE).to_string());
    for input in [
        format!("{one}\n{two}\n"),
        format!("{one}\r\n{two}\r\n"),
        format!("\n\n  \t\r\n{one}\n\n{two}"),
    ] {
        let run = Den::new().keyaki_reading("batch", &input);
        let results = run.results();
        let ids: Vec<_> = results.iter().map(|result| result["id"].as_str().unwrap()).collect();
        assert_eq!((ids.as_slice(), run.status), (["1", "2"].as_slice(), 0), "{input:?}");
    }
}

#[test]
fn nothing_in_is_nothing_out() {
    let run = Den::new().keyaki_reading("batch", "");
    assert_eq!((run.status, run.stdout.as_str(), run.stderr.as_str()), (0, "", ""));
}

#[test]
fn a_result_is_written_before_the_next_job_is_read() {
    if !has_solver() {
        return;
    }
    let den = Den::new();
    let mut child = den.command(&["batch"]).stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    for id in ["1", "2"] {
        writeln!(stdin, "{}", public_access(id, PRIVATE)).unwrap();
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let result: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(result["id"], id);
    }
    drop(stdin);
    assert!(child.wait().unwrap().success());
}

#[test]
fn results_do_not_depend_on_the_number_of_workers() {
    let jobs: String = (0..100)
        .map(|n| {
            let policy = if n % 3 == 0 { PUBLIC } else { PRIVATE };
            public_access(&n.to_string(), policy).to_string() + "\n"
        })
        .collect();
    let results = |arguments: &str| {
        let run = Den::new().keyaki_reading(arguments, &jobs);
        assert_eq!((run.status, run.stderr.as_str()), (0, ""));
        let untimed = |mut result: Value| {
            result.as_object_mut().unwrap().remove("elapsed_ns");
            result
        };
        run.results().into_iter().map(untimed).collect::<Vec<_>>()
    };
    let one = results("batch --solver automaton --workers 1");
    let ids: Vec<_> = one.iter().map(|result| result["id"].as_str().unwrap().to_owned()).collect();
    assert!(ids.iter().enumerate().all(|(n, id)| *id == n.to_string()), "{ids:?}");
    assert_eq!(results("batch --solver automaton --workers 5"), one);
    assert_eq!(results("batch --solver automaton"), one);
}

#[test]
fn a_closed_pipe_ends_the_batch_quietly() {
    let den = Den::new();
    let mut child = den.command(&["batch"]).stdin(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let mut stdin = child.stdin.take().unwrap();
    writeln!(stdin, "{}", public_access("1", PUBLIC)).unwrap();
    // Standard input stays open until the program has ended.
    let run = child.wait_with_output().unwrap();
    assert_eq!((run.status.code(), run.stderr.as_slice()), (Some(2), &b""[..]));
    drop(stdin);
}

#[test]
fn a_line_that_is_no_job_is_an_error_and_the_batch_goes_on() {
    if !has_solver() {
        return;
    }
    let in_job = |path| [None, Some(path)];
    check_error("garbage", None, "invalid-json", in_job(""));
    check_error("[1, 2]", None, "invalid-job", in_job(""));
    check_error(b"{\"id\": \"\xff\"}", None, "invalid-json", in_job(""));
    check_error(r#"{"id": 7, "question": "no-public-access"}"#, None, "invalid-job", in_job("/id"));
    check_error(r#"{"id": "x"}"#, Some("x"), "invalid-job", in_job(""));
    check_error(r#"{"question": 1, "id": "x"}"#, Some("x"), "invalid-job", in_job("/question"));
    check_error(
        r#"{"id":"x","question":"no-public-access"}"#,
        Some("x"),
        "invalid-job",
        [None, None],
    );
    check_error(r#"{"id":"x","question":"is-safe"}"#, Some("x"), "unknown-question", [None, None]);
    check_error(
        r#"{"id":"x","question":"scan","policy":{"Statement":[]}}"#,
        Some("x"),
        "unsupported-question",
        [None, None],
    );
}

#[test]
fn a_member_that_is_wrong_is_an_error_at_its_place() {
    if !has_solver() {
        return;
    }
    for (member, path) in [
        (r#""colour":"red""#, "/colour"),
        (r#""timeout_ms":"1""#, "/timeout_ms"),
        (r#""timeout_ms":-1"#, "/timeout_ms"),
        (r#""timeout_ms":1.5"#, "/timeout_ms"),
        (r#""solvers":"z3""#, "/solvers"),
        (r#""solvers":[3]"#, "/solvers"),
        (r#""policy_type":"sep""#, "/policy_type"),
        (r#""resource_type":null"#, "/resource_type"),
        (r#""reading":"semantics""#, "/reading"),
        (r#""existing":true"#, "/existing"),
        (r#""new":[3]"#, "/new/0"),
    ] {
        let line = format!(r#"{{"id":"x","question":"no-public-access",{member}}}"#);
        check_error(&line, Some("x"), "invalid-job", [None, Some(path)]);
    }
    for (access, path) in [
        ("{}", "/access"),
        ("[]", "/access"),
        ("[3]", "/access/0"),
        ("[{}]", "/access/0"),
        (r#"[{"action":["s3:*"]}]"#, "/access/0/action"),
        (r#"[{"actions":"s3:*"}]"#, "/access/0/actions"),
        (r#"[{"actions":[]}]"#, "/access/0/actions"),
        (r#"[{"actions":["*"]},{"actions":["s3:*","s3"]}]"#, "/access/1/actions/1"),
        (r#"[{"resources":["arn:aws:s3"]}]"#, "/access/0/resources/0"),
        (r#"[{"resources":["arn:aws:s3:::${aws:username}"]}]"#, "/access/0/resources/0"),
    ] {
        let line = format!(r#"{{"id":"x","question":"access-not-granted","access":{access}}}"#);
        check_error(&line, Some("x"), "invalid-access", [None, Some(path)]);
    }
    let stray = json!({"id": "x", "question": "access-not-granted", "policy": PUBLIC, "new": PUBLIC,
        "access": [{"actions": ["*"]}]});
    check_error(stray.to_string(), Some("x"), "invalid-job", [Some("/new"), None]);
    let misplaced = json!({"id": "x", "question": "no-public-access", "policy": PUBLIC,
        "access": [{"actions": ["*"]}]});
    check_error(misplaced.to_string(), Some("x"), "invalid-job", [None, None]);
    let twice = r#"{"id":"x","question":"no-new-access","question":"no-public-access"}"#;
    check_error(twice, None, "duplicate-key", [None, Some("/question")]);
    let unknown =
        json!({"id": "x", "question": "no-public-access", "policy": PUBLIC, "solvers": ["yices"]});
    check_error(unknown.to_string(), Some("x"), "unknown-solver", [None, None]);
}

#[test]
fn a_mistake_in_a_policy_has_its_place_in_the_policy() {
    if !has_solver() {
        return;
    }
    let policy = r#"{"Version":"2012-10-17",
        "Statement":[{"Effect":"Permit","Principal":"*","Action":"*","Resource":"*"}]}"#;
    let as_text = json!({"id": "x", "question": "no-new-access", "existing": [PUBLIC, policy], "new": PUBLIC});
    let result = error_of(as_text.to_string());
    assert_eq!(result["id"], "x");
    assert_eq!(result["error"]["policy"], "/existing/1");
    assert_eq!(result["error"]["path"], "/Statement/0/Effect");
    assert_eq!([&result["error"]["line"], &result["error"]["column"]], [&json!(2), &json!(32)]);
    let one_line = policy.replace("\n        ", "");
    let as_object = format!(r#"{{"id":"x","question":"no-public-access","policy":{one_line}}}"#);
    let result = error_of(as_object);
    assert_eq!(result["error"]["policy"], "/policy");
    assert_eq!([&result["error"]["line"], &result["error"]["column"]], [&json!(1), &json!(48)]);
}

#[test]
fn a_line_beyond_the_limit_is_an_error_and_the_batch_goes_on() {
    if !has_solver() {
        return;
    }
    let mut line = vec![b' '; 40 << 20];
    line.extend(b"{}");
    check_error(line, None, "too-large", [None, None]);
}

#[test]
fn a_resource_type_has_its_table_or_is_an_error() {
    if !has_solver() {
        return;
    }
    let ask = |name: &str, reading: &str| {
        let mut job = public_access("x", PRIVATE);
        (job["resource_type"], job["reading"]) = (name.into(), reading.into());
        let run = batch(&[job]);
        (run.status, run.result())
    };
    let (status, result) = ask("AWS::SQS::Queue", "semantic");
    assert_eq!((status, &result["verdict"]), (0, &"holds".into()));
    assert_eq!(result["reading"], "semantic reading of Amazon SQS");
    assert_eq!(result["resource_type"], "AWS::SQS::Queue");
    let (status, result) = ask("AWS::SQS::Queues", "documented");
    assert_eq!((status, &result["error"]["code"]), (2, &"unknown-resource-type".into()));
    let hint = result["error"]["hint"].as_str().unwrap();
    assert!(hint.starts_with("did you mean `AWS::SQS::Queue`? the types are AWS::S3::Bucket"));
    let (status, result) = ask("AWS::SQS::Queue", "restrict-public-buckets");
    assert_eq!((status, &result["error"]["code"]), (2, &"unsupported-reading".into()));
    let line = serde_json::json!({"id": "x", "question": "no-new-access", "reading": "semantic",
        "existing": {"Statement": []}, "new": {"Statement": []}});
    check_error(line.to_string(), Some("x"), "invalid-job", [None, None]);
}

#[test]
fn a_job_chooses_its_solvers_and_its_time() {
    if !has_solver() {
        return;
    }
    for solver in installed() {
        let mut job = public_access("x", PUBLIC);
        job["solvers"] = json!([solver]);
        job["timeout_ms"] = 60_000.into();
        let result = batch(&[job]).result();
        assert_eq!([&result["verdict"], &result["solver"]], [&json!("fails"), &json!(solver)]);
    }
    let mut job = public_access("x", PUBLIC);
    job["timeout_ms"] = 0.into();
    let run = batch(&[job]);
    let result = run.result();
    assert_eq!([&result["verdict"], &result["reason"]], [&json!("unknown"), &json!("timeout")]);
    assert_eq!(run.status, 0);
}

#[test]
fn attempts_are_there_for_those_who_ask() {
    let run =
        Den::new().keyaki_reading("batch --attempts", public_access("x", UNLIKELY).to_string());
    let result = run.result();
    let attempts = result["attempts"].as_array().unwrap();
    // The embedded solver has the answer before others are started.
    let [attempt] = &attempts[..] else { panic!("{result}") };
    assert_eq!([&attempt["solver"], &attempt["result"]], ["automaton", "sat"]);
}
