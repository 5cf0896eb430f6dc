//! Batches with jobs that do not stop when their time is up. What the service answers otherwise is among the tests of `keyaki-cli`.

use std::sync::Mutex;
use std::sync::mpsc::{Sender, channel};

use http_body_util::BodyExt as _;
use keyaki::EngineOptions;
use keyaki::job::engines;
use keyaki::solvers::Config;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::*;
use crate::pool::Load;
use crate::settings::{Credentials, Settings};
use crate::telemetry::Trace;

/// How long a job may take: much more than those that stop need.
const TIME: Duration = Duration::from_secs(1);

/// A service in which whatever is put to the solver `stuck` ends only when the sender is dropped.
fn service() -> (Service, Sender<()>) {
    let (release, held) = channel();
    let held = Mutex::new(held);
    let (config, options) = (Config::builtin(), EngineOptions::default());
    let usual = engines(&config, &options);
    let settings = Settings { workers: Some(1), slow_workers: 24, ..Settings::default() };
    let service = Service::new(settings, Credentials::default(), config, &options).unwrap();
    let service = service.with_engines(Box::new(move |solvers| {
        if solvers == ["stuck"] {
            let _ = held.lock().unwrap().recv();
        }
        usual(&[])
    }));
    (service, release)
}

async fn answers(service: &Service, kind: &str, body: String) -> String {
    let context = Context {
        id: "one".to_owned(),
        began: Instant::now(),
        time: TIME,
        trace: Trace::default(),
    };
    let request = Request::post("/v1/jobs").header(CONTENT_TYPE, kind);
    let request = request.body(Body::from(body)).unwrap();
    let response = answer(service.clone(), context, request).await.unwrap();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(body.to_vec()).unwrap()
}

#[tokio::test]
async fn a_job_that_does_not_stop_is_given_up_in_its_place_and_the_others_are_answered() {
    // The first and the next, one within the second share, and the last.
    const STUCK: [usize; 4] = [0, 1, 2 * SHARE_JOBS - 3, 39];
    let (service, release) = service();
    let jobs: Vec<Value> = (0..40)
        .map(|number| {
            let policy = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
                "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"}]});
            let mut job =
                json!({"id": number.to_string(), "question": "no-public-access", "policy": policy});
            if STUCK.contains(&number) {
                job["solvers"] = json!(["stuck"]);
            }
            job
        })
        .collect();
    let lines: String = jobs.iter().map(|job| format!("{job}\n")).collect();
    let answered = async {
        tokio::join!(
            answers(&service, "application/x-ndjson", lines),
            answers(&service, "application/json", Value::from(jobs).to_string()),
        )
    };
    let answered = timeout(60 * TIME, answered).await;
    let (of_lines, of_array) = answered.expect("the batches end");
    let of_lines: Vec<Value> =
        of_lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of_array: Vec<Value> = serde_json::from_str(&of_array).unwrap();
    for results in [of_lines, of_array] {
        assert_eq!(results.len(), 40);
        for (number, result) in results.iter().enumerate() {
            assert_eq!(result["id"], number.to_string());
            assert_eq!(result["question"], "no-public-access");
            let expected = if STUCK.contains(&number) {
                (json!("unknown"), json!("timeout"))
            } else {
                (json!("fails"), Value::Null)
            };
            assert_eq!(
                (&result["verdict"], &result["reason"]),
                (&expected.0, &expected.1),
                "{result}"
            );
        }
    }
    let counted = service.metrics().text(Load::default(), &[]);
    assert!(counted.contains("keyaki_unknown_total{reason=\"timeout\"} 8\n"), "{counted}");
    drop(release);
}
