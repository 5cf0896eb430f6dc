//! What happens to every request, whatever its route: it gets a name and a deadline, it is counted and logged, and a panic costs it
//! alone.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};
use axum::middleware::Next;
use axum::response::IntoResponse;
use hyper::body::Incoming;

use crate::batch;
use crate::problem::Problem;
use crate::service::{Context, Service};

/// How a client names its request.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// How long the answer may take, in milliseconds.
pub const DEADLINE: HeaderName = HeaderName::from_static("keyaki-deadline-ms");

/// The longest name of a request that is kept, in bytes.
const REQUEST_ID_BYTES_MAX: usize = 64;

/// The layer around all routes.
pub(crate) async fn enter(
    State(service): State<Service>,
    mut request: Request,
    next: Next,
) -> Response<Body> {
    let began = Instant::now();
    let id = request_id(request.headers());
    let method = request.method().clone();
    let path = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    // Paths that nobody knows are not told: they are of any length and may be secrets sent to the wrong place.
    let path = path.unwrap_or_else(|| "unknown".to_owned());
    let trace = service.telemetry().enter(request.headers(), &method, &path, &id, began);
    let response = match deadline(request.headers(), &service) {
        Ok(time) => {
            let context = Context { id: id.clone(), began, time, trace: trace.clone() };
            request.extensions_mut().insert(context);
            match unless_it_panics(next.run(request)).await {
                Some(response) => response,
                None => Problem::fault().into_response(),
            }
        }
        Err(problem) => problem.into_response(),
    };
    trace.leave(response.status().as_u16());
    leave(&service, &id, &method, &path, began, response)
}

/// Counts and logs what a request has come to, and names it in the response.
fn leave(
    service: &Service,
    id: &str,
    method: &Method,
    path: &str,
    began: Instant,
    mut response: Response<Body>,
) -> Response<Body> {
    let (status, elapsed) = (response.status().as_u16(), began.elapsed());
    service.metrics().request(path, status, elapsed);
    tracing::info!(
        request_id = id, %method, path, status, elapsed_us = elapsed.as_micros() as u64, "request"
    );
    if let Ok(value) = HeaderValue::from_str(id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

/// The refusal of a request that could not be answered in its time, before anything else is done with it: no route is looked up, nobody is asked for
/// a token and no body is read. When there is most to do, saying no has to be cheap. What is not refused here may be later.
///
/// Batches of lines are not looked at, since the time is for each job; an array of jobs cannot be told from one job without its body, and is refused
/// like that.
pub(crate) fn refused_at_the_door(
    service: &Service,
    request: &axum::http::Request<Incoming>,
) -> Option<Response<Body>> {
    let path = match request.uri().path() {
        "/v1/jobs" if !batch::is_lines(request.headers()) => "/v1/jobs",
        path if path.starts_with("/v1/check/") => "/v1/check/{question}",
        _ => return None,
    };
    if request.method() != Method::POST || service.is_stopping() {
        return None;
    }
    let began = Instant::now();
    let time = deadline(request.headers(), service).ok()?;
    let refusal = service.refusal(began + time)?;
    let response = Problem::from(refusal).into_response();
    let id = request_id(request.headers());
    let trace = service.telemetry().enter(request.headers(), request.method(), path, &id, began);
    trace.leave(response.status().as_u16());
    Some(leave(service, &id, request.method(), path, began, response))
}

/// The client's name for the request if it is a plain one, else one of ours.
fn request_id(headers: &HeaderMap) -> String {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
    let given = headers.get(REQUEST_ID).and_then(|value| value.to_str().ok());
    match given {
        Some(id) if (1..=REQUEST_ID_BYTES_MAX).contains(&id.len()) && id.bytes().all(is_plain) => {
            id.to_owned()
        }
        _ => format!("{:x}-{:x}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed)),
    }
}

/// How long the request may take.
fn deadline(headers: &HeaderMap, service: &Service) -> Result<Duration, Problem> {
    let settings = service.settings();
    let Some(value) = headers.get(DEADLINE) else { return Ok(settings.deadline()) };
    let milliseconds = value.to_str().ok().and_then(|text| text.trim().parse::<u64>().ok());
    match milliseconds {
        Some(milliseconds) if milliseconds > 0 => {
            Ok(Duration::from_millis(milliseconds).min(settings.deadline_max()))
        }
        _ => {
            let message = "`Keyaki-Deadline-Ms` is a whole number of milliseconds above 0";
            Err(Problem::new(StatusCode::BAD_REQUEST, "invalid-deadline", message))
        }
    }
}

/// What the future comes to, or nothing if it panics.
async fn unless_it_panics<T>(future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    std::future::poll_fn(|context| {
        // After a panic it is not polled again.
        match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
            Ok(poll) => poll.map(Some),
            Err(_) => Poll::Ready(None),
        }
    })
    .await
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use axum::{Router, middleware};
    use hyper::service::Service as _;
    use hyper_util::service::TowerToHyperService;

    use super::*;

    #[tokio::test]
    async fn a_route_that_panics_answers_and_the_next_request_is_answered_too() {
        let service = Service::new(
            crate::Settings::default(),
            crate::settings::Credentials::default(),
            keyaki::solvers::Config::builtin(),
            &keyaki::EngineOptions::default(),
        );
        let service = service.unwrap();
        let handler = |request: Request| async move {
            assert!(request.uri().query().is_none(), "on purpose");
            "well"
        };
        let router = Router::new()
            .route("/", get(handler))
            .layer(middleware::from_fn_with_state(service.clone(), enter))
            .with_state(service);
        let router = TowerToHyperService::new(router);
        let status = async |path: &str| {
            let request = axum::http::Request::get(path).body(Body::empty()).unwrap();
            router.call(request).await.unwrap().status()
        };
        for _ in 0..2 {
            assert_eq!(status("/?panic").await, StatusCode::INTERNAL_SERVER_ERROR);
            assert_eq!(status("/").await, StatusCode::OK);
        }
    }

    #[test]
    fn a_name_that_could_forge_a_line_of_the_log_is_replaced() {
        let named = |name: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(REQUEST_ID, HeaderValue::from_str(name).unwrap());
            request_id(&headers)
        };
        assert_eq!(named("a-1_B.c:d"), "a-1_B.c:d");
        for name in ["", "a b", "a\tb", "a\"b", &"a".repeat(REQUEST_ID_BYTES_MAX + 1)] {
            assert_ne!(named(name), name);
        }
    }
}
