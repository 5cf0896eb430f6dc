//! Whether the service lives, and whether it can answer.

use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, Response, StatusCode};
use keyaki::solvers::{Status, embedded, find};
use serde_json::{Value, json};
use tokio::sync::Mutex;

use crate::service::Service;

/// How long an answer of the solvers is repeated: whoever asks every second must not start processes every second.
const FRESH: Duration = Duration::from_secs(10);

/// What the solvers came to, and when; nothing before they were first tried.
pub(crate) type Readiness = Mutex<Option<(Instant, bool, Value)>>;

/// `GET /healthz`: the process answers.
pub(crate) async fn alive() -> &'static str {
    "ok\n"
}

/// `GET /readyz`: each configured solver that is installed decides two formulas whose answers are known.
pub(crate) async fn ready(State(service): State<Service>) -> Response<Body> {
    let (is_ready, solvers) = {
        // Whoever comes meanwhile waits for the same answer.
        let mut last = service.readiness().lock().await;
        match &*last {
            Some((asked, is_ready, solvers)) if asked.elapsed() < FRESH => {
                (*is_ready, solvers.clone())
            }
            _ => {
                let config = service.config().clone();
                let tried = tokio::task::spawn_blocking(move || try_solvers(&config)).await;
                let (is_ready, solvers) = tried.unwrap_or((false, Value::Null));
                *last = Some((Instant::now(), is_ready, solvers.clone()));
                (is_ready, solvers)
            }
        }
    };
    let is_ready = is_ready && !service.is_stopping();
    let status = if is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let told = json!({ "ready": is_ready, "stopping": service.is_stopping(), "solvers": solvers });
    let mut response = Response::new(Body::from(format!("{told}\n")));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// What became of each solver. The service is ready if one works and none that is there is broken.
fn try_solvers(config: &keyaki::solvers::Config) -> (bool, Value) {
    let own = ("automaton".to_owned(), embedded(config));
    let others = find(config).into_iter().map(|found| (found.definition.name, found.status));
    let all: Vec<(String, Status)> = std::iter::once(own).chain(others).collect();
    let works = all.iter().any(|(_, status)| *status == Status::Works);
    let broken = all.iter().any(|(_, status)| matches!(status, Status::Broken(_)));
    let told = all.into_iter().map(|(name, status)| {
        let word = match status {
            Status::Works => "works".to_owned(),
            Status::Broken(why) => format!("broken: {why}"),
            Status::Missing => "missing".to_owned(),
            Status::Disabled => "disabled".to_owned(),
        };
        (name, Value::from(word))
    });
    (works && !broken, Value::Object(told.collect()))
}
