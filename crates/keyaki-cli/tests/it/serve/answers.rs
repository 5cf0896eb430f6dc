//! What the service answers, and what it says to bad input.

use serde_json::{Value, json};

use super::{Reply, Server};
use crate::fakes::den;
use crate::program::{DATED, Den, PRIVATE, PUBLIC, UNLIKELY, check_against_schema, wait_until};

const CHECK: &str = "/v1/check/no-public-access";

fn job(policy: &str) -> String {
    format!(r#"{{"id":"a","question":"no-public-access","policy":{policy}}}"#)
}

fn expected(verdict: &str) -> (u16, String) {
    (200, verdict.to_owned())
}

fn problem(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

#[test]
fn public_not_public_and_undecided_are_told_apart() {
    let server = Server::start("");
    for (policy, verdict) in [(PUBLIC, "fails"), (PRIVATE, "holds"), (DATED, "unknown")] {
        let reply = server.post("/v1/jobs", job(policy));
        assert_eq!(reply.verdict(), expected(verdict), "{policy}");
        assert_eq!(reply.result()["id"], "a");
        let reply = server.post(CHECK, format!(r#"{{"policy":{policy}}}"#));
        assert_eq!(reply.verdict(), expected(verdict), "{policy}");
        // The question may be there too, if it is the same.
        assert_eq!(server.post(CHECK, job(policy)).verdict(), expected(verdict));
    }
    assert_eq!(server.metric("keyaki_verdicts_total"), 9.0);
    let reply = server.post("/v1/check/no-new-access", job(PUBLIC));
    assert_eq!(reply.code(), problem(400, "invalid-job"));
}

#[test]
fn a_batch_is_answered_in_order_in_either_form() {
    let server = Server::start("");
    let mut expected = Vec::new();
    let mut jobs = Vec::new();
    for number in 0..500 {
        let (policy, verdict) =
            [(PUBLIC, "fails"), (PRIVATE, "holds"), (DATED, "unknown")][number % 3];
        let policy: Value = serde_json::from_str(policy).unwrap();
        let id = number.to_string();
        expected.push((id.clone(), verdict.to_owned()));
        jobs.push(json!({"id": id, "question": "no-public-access", "policy": policy}));
    }
    let verdicts = |results: &[Value]| -> Vec<(String, String)> {
        let word =
            |result: &Value, name: &str| result[name].as_str().unwrap_or_default().to_owned();
        results.iter().map(|result| (word(result, "id"), word(result, "verdict"))).collect()
    };
    let reply = server.post("/v1/jobs", Value::from(jobs.clone()).to_string());
    assert!(reply.is_complete && reply.status == 200);
    let results: Vec<Value> = serde_json::from_str(&reply.body).unwrap();
    assert_eq!(verdicts(&results), expected);
    let lines: String = jobs.iter().map(|job| format!("{job}\n")).collect();
    let reply = server.send("POST /v1/jobs", &["content-type: application/x-ndjson"], lines);
    assert!(reply.is_complete && reply.status == 200);
    assert_eq!(reply.header("content-type"), Some("application/x-ndjson"));
    let results: Vec<Value> =
        reply.body.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    results.iter().for_each(|result| check_against_schema("JobResult", result));
    assert_eq!(verdicts(&results), expected);
}

#[test]
fn a_mistake_in_a_batch_costs_its_own_job() {
    let server = Server::start("");
    let lines = format!("{}\nnonsense\n\n{{\"id\":\"b\"}}\n{}", job(PUBLIC), job(PRIVATE));
    let reply = server.send("POST /v1/jobs", &["content-type: application/jsonl"], lines);
    let found: Vec<Value> =
        reply.body.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let words: Vec<&Value> = found
        .iter()
        .map(|result| result.get("verdict").unwrap_or(&result["error"]["code"]))
        .collect();
    assert_eq!(words, ["fails", "invalid-json", "invalid-job", "holds"]);
    assert_eq!(found[2]["id"], "b");
    let reply = server.post("/v1/jobs", format!("[{},{{", job(PRIVATE)));
    let found: Vec<Value> = serde_json::from_str(&reply.body).unwrap();
    assert_eq!(
        (&found[0]["verdict"], &found[1]["error"]["code"]),
        (&"holds".into(), &"invalid-batch".into())
    );
}

#[test]
fn bad_input_is_refused_in_words() {
    let server = Server::start("");
    let check = |path: &str, body: &[u8], status: u16, code: &str| {
        assert_eq!(server.post(path, body).code(), problem(status, code), "{path}");
    };
    check("/v1/jobs", b"", 400, "invalid-json");
    check("/v1/jobs", b"{", 400, "invalid-json");
    check("/v1/jobs", b"\xff\xfe", 400, "invalid-json");
    check("/v1/jobs", b"{\"question\":\"nothing\"}", 400, "unknown-question");
    check("/v1/check/nothing", b"{}", 404, "unknown-question");
    check(CHECK, br#"{"policy":{"Statement":[{"Effect":"Perhaps"}]}}"#, 400, "missing-element");
    check(CHECK, br#"{"policy":"not JSON"}"#, 400, "invalid-json");
    check("/nowhere", b"", 404, "unknown-path");
    assert_eq!(server.get("/v1/jobs").code(), problem(405, "wrong-method"));
    let reply = server.send("POST /v1/jobs", &["keyaki-deadline-ms: soon"], job(PUBLIC));
    assert_eq!(reply.code(), problem(400, "invalid-deadline"));
    // And what is right is still answered.
    assert_eq!(server.post("/v1/jobs", job(PUBLIC)).verdict(), expected("fails"));
}

#[test]
fn it_is_ready_if_its_solvers_are() {
    let server = Server::start("");
    assert_eq!(server.get("/healthz").status, 200);
    let reply = server.get("/readyz");
    assert_eq!(reply.status, 200, "{reply:?}");
    assert!(reply.body.contains(r#""automaton":"works""#), "{reply:?}");
    let den = Den::with(
        "none.toml",
        "[[solver]]\nname = \"automaton\"\nenabled = false\n[[solver]]\nname = \"z3\"\ncommand = \"false\"\n[[solver]]\nname = \"cvc4\"\nenabled = false\n[[solver]]\nname = \"cvc5\"\nenabled = false\n",
    );
    let server = Server::start_in(den, "--config none.toml");
    let reply = server.get("/readyz");
    assert_eq!(reply.status, 503, "{reply:?}");
    assert!(reply.body.contains("broken: "), "{reply:?}");
}

#[test]
fn without_a_token_nobody_is_answered_where_there_are_tokens() {
    let den = Den::with("tokens", "# two\n0123456789abcdef-one\n0123456789abcdef-two\n");
    let server = Server::start_in(den, "--tokens tokens");
    let ask = |header: &str| server.send("POST /v1/jobs", &[header], job(PUBLIC));
    for token in ["0123456789abcdef-one", "0123456789abcdef-two"] {
        assert_eq!(ask(&format!("authorization: Bearer {token}")).verdict(), expected("fails"));
    }
    for header in [
        "x: y",
        "authorization: Bearer 0123456789abcdef",
        "authorization: Basic 0123456789abcdef-one",
    ] {
        let reply = ask(header);
        assert_eq!(reply.code(), problem(401, "unauthorized"), "{header}");
        assert_eq!(reply.header("www-authenticate"), Some("Bearer"));
    }
    assert_eq!(server.get("/metrics").status, 401);
    assert_eq!(server.get("/healthz").status, 200);
    assert!(!server.log().contains("0123456789abcdef"), "{}", server.log());
}

#[test]
fn it_listens_to_others_only_with_credentials() {
    let den = Den::with("short", "0123\n");
    let run = den.keyaki("serve --listen 0.0.0.0:0");
    assert_eq!((run.status, run.stdout.as_str()), (2, ""));
    assert!(
        run.stderr.contains("anybody could ask") && run.stderr.contains("hint: "),
        "{}",
        run.stderr
    );
    let run = den.keyaki("serve --listen 0.0.0.0:0 --tokens short");
    assert_eq!(run.status, 2);
    assert!(run.stderr.contains("a token has fewer than 16 characters"), "{}", run.stderr);
}

#[test]
fn a_request_has_a_name_and_its_policy_is_not_logged() {
    let server = Server::start("--log debug --log-json");
    let reply = server.send("POST /v1/jobs", &["x-request-id: mine-1"], job(PUBLIC));
    assert_eq!(reply.header("x-request-id"), Some("mine-1"));
    let other: Reply = server.get("/healthz");
    assert!(other.header("x-request-id").is_some_and(|id| !id.is_empty()));
    let mut server = server;
    server.signal("-TERM");
    assert_eq!(server.wait(), Some(0));
    let log = server.log();
    let lines: Vec<Value> =
        log.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    assert!(
        lines.iter().any(|line| line["request_id"] == "mine-1" && line["status"] == 200),
        "{log}"
    );
    assert!(!log.contains("GetObject") && !log.contains("Statement"), "{log}");
    let server = Server::start("--log-jobs --log-json");
    server.send(&format!("POST {CHECK}"), &["x-request-id: mine-2"], job(PUBLIC));
    wait_until("the job is logged", || {
        server.log().lines().any(|line| line.contains("mine-2") && line.contains("s3:GetObject"))
    });
}

#[test]
fn every_path_of_the_description_is_there() {
    let server = Server::start("");
    let reply = server.get("/openapi.json");
    assert_eq!(reply.status, 200);
    let description: Value = serde_json::from_str(&reply.body).unwrap();
    let paths = description["paths"].as_object().unwrap();
    assert!(paths.len() >= 12);
    for (path, methods) in paths {
        for (method, operation) in methods.as_object().unwrap() {
            let path = path.replace("{question}", "no-public-access");
            let request = format!("{} {path}", method.to_uppercase());
            let bodies = operation["requestBody"]["content"].as_object().into_iter().flatten();
            let example = bodies.into_iter().find_map(|(_, body)| {
                let (schema, example) = (&body["schema"], body.get("example")?);
                assert!(jsonschema::is_valid(schema, example), "{request}: {example}");
                Some(example)
            });
            let (headers, body): (&[&str], _) = match example {
                None => (&[], job(PRIVATE)),
                Some(form) if path == "/" => {
                    let form = form.as_object().unwrap().iter();
                    let fields =
                        form.map(|(name, text)| format!("{name}={}", text.as_str().unwrap()));
                    (
                        &["content-type: application/x-www-form-urlencoded"],
                        fields.collect::<Vec<_>>().join("&"),
                    )
                }
                Some(example) => (&["content-type: application/json"], example.to_string()),
            };
            let reply = server.send(&request, headers, body);
            assert_eq!(reply.status, 200, "{request}: {}", reply.body);
            if example.is_some() && path != "/" {
                let schema =
                    &operation["responses"]["200"]["content"]["application/json"]["schema"];
                let answer = serde_json::from_str(&reply.body).unwrap();
                assert!(jsonschema::is_valid(schema, &answer), "{request}: {answer}");
                let wrong = server.send(&request, headers, "[]");
                let schema =
                    &operation["responses"]["400"]["content"]["application/json"]["schema"];
                let answer = serde_json::from_str(&wrong.body).unwrap();
                assert!(
                    wrong.status == 400 && jsonschema::is_valid(schema, &answer),
                    "{request}: {answer}"
                );
            }
        }
    }
    // The schemas are those of docs/schema.json, with references of their own.
    let written = crate::program::schema()["$defs"].to_string();
    let described = description["components"]["schemas"].to_string();
    assert_eq!(described.replace("#/components/schemas/", "#/$defs/"), written);
}

#[test]
fn an_outcome_that_is_kept_gives_the_same_answer() {
    let ask = |server: &Server| {
        let mut result = server.post(CHECK, format!(r#"{{"policy":{UNLIKELY}}}"#)).result();
        assert!(result.as_object_mut().unwrap().remove("elapsed_ns").is_some());
        result
    };
    let keeps = Server::start("");
    let forgets = Server::start("--no-cache");
    let first = ask(&keeps);
    assert_eq!(first["verdict"], "fails");
    for _ in 0..3 {
        assert_eq!(ask(&keeps), first);
        assert_eq!(ask(&forgets), first);
    }
    assert!(keeps.metric("keyaki_cache_hits_total") >= 3.0);
    assert_eq!(forgets.metric("keyaki_cache_hits_total"), 0.0);
}

#[test]
fn an_audit_tells_who_disagrees_after_the_answer() {
    let liar = "cat >/dev/null; echo unsat";
    let den = den(&[("liar", liar)]);
    let config = den.read("fakes.toml").replacen("enabled = false", "enabled = true", 1);
    den.write("fakes.toml", config);
    let server = Server::start_in(den, "--config fakes.toml --audit-share 0.5");
    for _ in 0..4 {
        let reply = server.post(CHECK, format!(r#"{{"policy":{UNLIKELY}}}"#));
        assert_eq!(reply.verdict(), expected("fails"));
    }
    wait_until("half of them are audited", || server.metric("keyaki_audits_total") == 2.0);
    let text = server.get("/metrics").body;
    assert!(text.contains(r#"keyaki_audits_total{result="disagreed"} 2"#), "{text}");
    wait_until("the log says so", || {
        server.log().matches("does not stand up to an audit").count() == 2
    });
}

#[test]
fn tasks_of_several_questions_are_audited_too() {
    let den = den(&[("liar", "cat >/dev/null; echo unsat")]);
    let config = den.read("fakes.toml").replacen("enabled = false", "enabled = true", 1);
    den.write("fakes.toml", config);
    let server = Server::start_in(den, "--config fakes.toml --audit-share 1");
    for (job, ..) in crate::audit::tasks() {
        assert_eq!(server.post("/v1/jobs", job.to_string()).verdict(), expected("fails"));
    }
    wait_until("all are audited", || server.metric("keyaki_audits_total") == 3.0);
    let text = server.get("/metrics").body;
    assert!(text.contains(r#"keyaki_audits_total{result="disagreed"} 3"#), "{text}");
}
