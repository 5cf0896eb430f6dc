//! What is exported, and what becomes of the service if the collector is no good.

use std::collections::BTreeSet;
use std::fs::File;

use serde_json::{Value, json};

use super::collector::{Collector, Manner, Span};
use super::{Server, refusal};
use crate::program::{Den, PRIVATE, PUBLIC, wait_until};
use crate::serve::tls;

const CHECK: &str = "/v1/check/no-public-access";

/// A caller's trace, its span in that, and whether it is kept.
const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const CALLER: &str = "b7ad6b7169203331";

fn traceparent(is_kept: bool) -> String {
    format!("traceparent: 00-{TRACE}-{CALLER}-0{}", u8::from(is_kept))
}

/// A service that exports to that collector, soon.
#[track_caller]
fn server(endpoint: &str, settings: &str, variables: &[(&str, &str)]) -> Server {
    let text = format!("[telemetry]\nendpoint = \"{endpoint}\"\n{settings}\n");
    start(Den::with("settings.toml", text), variables)
}

#[track_caller]
fn start(den: Den, variables: &[(&str, &str)]) -> Server {
    let mut command =
        den.command(&["serve", "--listen", "127.0.0.1:0", "--settings", "settings.toml"]);
    command.env("OTEL_BSP_SCHEDULE_DELAY", "20").envs(variables.iter().copied());
    command.stderr(File::create(den.path().join("log")).unwrap());
    Server::spawn(den, command)
}

fn url(collector: &Collector) -> String {
    format!("http://{}", collector.address)
}

/// The spans once there are so many.
#[track_caller]
fn spans(collector: &Collector, n_spans: usize) -> Vec<Span> {
    wait_until("the spans are there", || collector.spans().len() >= n_spans);
    let spans = collector.spans();
    assert_eq!(spans.len(), n_spans, "{spans:#?}");
    spans
}

fn check(server: &Server, headers: &[&str]) {
    let reply = server.send(&format!("POST {CHECK}"), headers, format!(r#"{{"policy":{PUBLIC}}}"#));
    assert_eq!(reply.verdict(), (200, "fails".to_owned()));
}

fn end(server: &mut Server) {
    server.signal("-TERM");
    assert_eq!(server.wait(), Some(0), "{}", server.log());
}

#[test]
fn a_request_and_its_job_are_in_the_trace_of_the_caller() {
    let collector = Collector::start(Manner::Takes);
    let server = server(&url(&collector), "", &[("OTEL_RESOURCE_ATTRIBUTES", "zone=a")]);
    check(&server, &[&traceparent(true), "x-request-id: the-name"]);
    let spans = spans(&collector, 2);
    let named = |name: &str| spans.iter().find(|span| span.name == name).unwrap();
    let request = named("POST /v1/check/{question}");
    assert_eq!((request.trace.as_str(), request.parent.as_str()), (TRACE, CALLER));
    // A server's, and one that is inside.
    let job = named("job no-public-access");
    assert_eq!((request.kind, job.kind), (2, 1));
    assert_eq!((&job.trace, &job.parent), (&request.trace, &request.id));
    assert!(!request.is_error && !job.is_error);
    for (span, name, value) in [
        (request, "http.request.method", "POST"),
        (request, "http.route", "/v1/check/{question}"),
        (request, "http.response.status_code", "200"),
        (request, "keyaki.request_id", "the-name"),
        (job, "keyaki.question", "no-public-access"),
        (job, "keyaki.verdict", "fails"),
    ] {
        assert_eq!(span.attributes.get(name).map(String::as_str), Some(value), "{span:?}");
    }
    assert!(job.attributes["keyaki.queue_wait_us"].parse::<u64>().is_ok());
    assert!(job.attributes.contains_key("keyaki.winner"), "{job:?}");
    let resource = ["service.name", "service.version", "zone"].map(|name| &*request.resource[name]);
    assert_eq!(resource, ["keyaki", env!("CARGO_PKG_VERSION"), "a"]);
    let head = collector.posts().remove(0).head.to_ascii_lowercase();
    assert!(head.starts_with("post /v1/traces http/1.1\r\n"), "{head}");
    assert!(head.contains("content-type: application/x-protobuf"), "{head}");
    assert!(head.contains(&format!("host: {}", collector.address)), "{head}");
    assert_eq!(server.metric("keyaki_spans_lost_total"), 0.0);
}

#[test]
fn a_request_without_a_caller_has_a_trace_of_its_own() {
    let collector = Collector::start(Manner::Takes);
    let variables = [("OTEL_SERVICE_NAME", "of-the-environment")];
    let server = server(&url(&collector), "service_name = \"mine\"", &variables);
    // Nothing that is no such header is an error.
    for header in [
        "x: y",
        "traceparent: nonsense",
        &format!("traceparent: 00-{}-{CALLER}-01", "0".repeat(32)),
    ] {
        assert_eq!(server.send("GET /healthz", &[header], "").status, 200);
    }
    let spans = spans(&collector, 3);
    let traces: BTreeSet<&str> = spans.iter().map(|span| span.trace.as_str()).collect();
    assert_eq!(traces.len(), 3, "{spans:#?}");
    for span in &spans {
        assert_eq!((span.name.as_str(), span.parent.as_str()), ("GET /healthz", ""));
        assert_eq!(span.resource["service.name"], "mine");
    }
}

#[test]
fn nothing_of_a_policy_is_exported() {
    let collector = Collector::start(Manner::Takes);
    let server = server(&url(&collector), "", &[]);
    let policy = json!({"Version": "2012-10-17", "Id": "an id of mine", "Statement": [{
        "Sid": "SidOfMine", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::999988887777:role/hidden"},
        "Action": ["s3:GetObject", "sqs:Misspelt"], "Resource": "arn:aws:s3:::bucket-of-mine/*",
        "Condition": {"StringLike": {"aws:PrincipalTag/of-mine": "tag-of-mine*"}}}]});
    let jobs = [
        json!({"id": "a name of mine", "question": "no-public-access", "policy": policy}),
        json!({"question": "no-new-access", "existing": policy, "new": policy}),
        json!({"question": "validate", "policy": policy}),
        json!({"question": "a-question-of-mine", "policy": policy}),
        json!({"question": "no-public-access", "policy": "{\"Statement\": \"a mistake of mine\"}"}),
        json!({"question": "evaluate", "policies": [{"document": policy}], "request": {
            "principal": "arn:aws:iam::999988887777:role/hidden", "action": "s3:GetObject",
            "resource": "arn:aws:s3:::bucket-of-mine/key"}}),
    ];
    for job in &jobs {
        server.post("/v1/jobs", job.to_string());
        server.post("/v1/check/a-question-of-mine", job.to_string());
    }
    server.post("/v1/jobs", Value::from(jobs.to_vec()).to_string());
    server.post("/an-unknown-path-of-mine?query-of-mine=1", "");
    server.send("METHOD-OF-MINE /v1/jobs", &["authorization: Bearer token-of-mine"], "");
    let aws = json!({"policyDocument": policy.to_string(), "resourceType": "AWS::S3::Bucket"});
    server.post("/policy/check-no-public-access", aws.to_string());
    // As many requests; a job with a question each of those that are read at all; of the array; of the check.
    let n_requests = 2 * jobs.len() + 4;
    wait_until("the requests are there", || {
        collector.spans().iter().filter(|span| span.kind == 2).count() == n_requests
    });
    let mut hidden = BTreeSet::new();
    jobs.iter().for_each(|job| texts(job, &mut hidden));
    // What is a word of ours, too, in attributes and routes.
    let ours = [
        "question",
        "no-public-access",
        "no-new-access",
        "validate",
        "evaluate",
        "policy",
        "request",
    ];
    hidden.retain(|text| !ours.contains(&text.as_str()));
    hidden.extend(["of-mine", "OF-MINE", "of mine", "999988887777"].map(str::to_owned));
    let bytes: Vec<u8> = collector.posts().into_iter().flat_map(|post| post.body).collect();
    let exported = String::from_utf8_lossy(&bytes);
    let told: Vec<&String> = hidden.iter().filter(|text| exported.contains(*text)).collect();
    assert!(told.is_empty(), "{told:?} in {:#?}", collector.spans());
}

#[test]
fn a_batch_is_one_span_that_ends_with_it_and_not_all_of_its_jobs_have_one() {
    let collector = Collector::start(Manner::Takes);
    let mut server = server(&url(&collector), "", &[]);
    let line = format!("{{\"question\":\"no-public-access\",\"policy\":{PRIVATE}}}\n");
    let headers = ["content-type: application/x-ndjson", &traceparent(true)];
    let reply = server.send("POST /v1/jobs", &headers, line.repeat(300));
    assert_eq!((reply.status, reply.body.lines().count()), (200, 300));
    end(&mut server);
    let spans = collector.spans();
    let (requests, jobs): (Vec<&Span>, Vec<&Span>) = spans.iter().partition(|span| span.kind == 2);
    let [request] = requests[..] else { panic!("{requests:#?}") };
    assert_eq!(request.attributes["keyaki.jobs"], "300");
    assert_eq!(jobs.len(), 128);
    assert!(jobs.iter().all(|job| job.parent == request.id && job.trace == TRACE));
    assert!(jobs.iter().all(|job| job.end_ns <= request.end_ns));
}

#[test]
fn the_caller_says_whether_its_trace_is_kept_and_the_settings_say_it_of_others() {
    let collector = Collector::start(Manner::Takes);
    let server = server(&url(&collector), "share = 0.0", &[]);
    check(&server, &[]);
    check(&server, &[&traceparent(false)]);
    check(&server, &[&traceparent(true)]);
    assert!(spans(&collector, 2).iter().all(|span| span.trace == TRACE));
    // Unless it is not asked.
    let collector = Collector::start(Manner::Takes);
    let endpoint = url(&collector);
    let den = Den::with("settings.toml", "");
    let server = start(
        den,
        &[("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint), ("OTEL_TRACES_SAMPLER", "always_on")],
    );
    check(&server, &[&traceparent(false)]);
    assert!(spans(&collector, 2).iter().all(|span| span.trace == TRACE));
}

#[test]
fn what_has_ended_is_exported_before_the_service_ends() {
    let collector = Collector::start(Manner::Takes);
    let hour = [("OTEL_BSP_SCHEDULE_DELAY", "3600000")];
    let mut server = server(&url(&collector), "", &hour);
    check(&server, &[]);
    assert!(collector.posts().is_empty());
    end(&mut server);
    assert_eq!(collector.spans().len(), 2);
}

#[test]
fn a_collector_that_is_not_there_costs_spans_and_no_answers() {
    let mut server = server(&format!("http://{}", Collector::nowhere()), "", &[]);
    for _ in 0..3 {
        check(&server, &[]);
    }
    wait_until("spans are lost", || server.metric("keyaki_spans_lost_total") >= 6.0);
    end(&mut server);
    // Once, not for every batch.
    assert_eq!(server.log().matches("the collector does not take traces").count(), 1);
}

#[test]
fn a_collector_that_refuses_is_told_of() {
    let collector = Collector::start(Manner::Refuses);
    let server = server(&url(&collector), "", &[]);
    check(&server, &[]);
    wait_until("spans are lost", || server.metric("keyaki_spans_lost_total") >= 2.0);
    assert!(server.log().contains("trouble=\"400 Bad Request\""), "{}", server.log());
}

#[test]
fn a_collector_that_hangs_holds_up_neither_answers_nor_the_end() {
    let collector = Collector::start(Manner::Hangs);
    let mut server = server(&url(&collector), "", &[]);
    check(&server, &[]);
    wait_until("it hangs", || !collector.posts().is_empty());
    // More spans than have room, as long as the first ones are on their way.
    let mut n_requests = 0;
    while server.metric("keyaki_spans_lost_total") == 0.0 {
        let headers = ["content-type: application/x-ndjson"];
        let reply = server.send("POST /v1/jobs", &headers, "{}\n".repeat(128));
        assert_eq!(reply.body.lines().count(), 128);
        n_requests += 1;
        assert!(n_requests < 100, "the queue has no end");
    }
    check(&server, &[]);
    end(&mut server);
    assert!(server.log().contains("not all traces could be exported"), "{}", server.log());
}

#[test]
fn a_collector_is_believed_if_its_certificate_is_of_the_authority() {
    let Some(den) = tls::den() else { return };
    // Whatever speaks TLS will do: it says that there is no such path, if it is asked.
    let arguments = "--tls-certificate localhost.pem --tls-key localhost.key";
    let collector = Server::start_in(den, arguments);
    let endpoint = format!("https://localhost:{}", collector.address.port());
    let said = refusal(&format!("[telemetry]\nendpoint = \"{endpoint}\"\n"), &[]);
    assert!(said.contains("TLS needs the authority"), "{said}");
    for (authority, trouble) in [("one", "404 Not Found"), ("two", "invalid peer certificate")] {
        let path = collector.den.path().join(format!("{authority}.pem"));
        let server = server(&endpoint, &format!("authority = \"{}\"", path.display()), &[]);
        check(&server, &[]);
        wait_until("it has tried", || server.log().contains(trouble));
    }
}

/// All text in a document, keys as well, of more than three characters: shorter ones are anywhere.
fn texts(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => {
            found.insert(text.clone());
        }
        Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
        Value::Object(members) => {
            for (name, member) in members {
                found.insert(name.clone());
                texts(member, found);
            }
        }
        _ => {}
    }
    found.retain(|text| text.len() > 3);
}
