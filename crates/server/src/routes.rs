//! Which path leads where, and what is around it.
//!
//! [`router`] is where further routes are added: make a `Router<Service>` with an authentication of its own as a layer and merge it
//! beside ours. Handlers get `State<Service>` and `Extension<Context>`; whatever solves calls [`Service::solve`] or
//! [`Service::answer`], which admit, refuse, cancel and count, and bodies are read with [`body::read`]. A handler that fails returns a [`Problem`].

use std::time::Instant;

use axum::body::Body;
use axum::extract::{Extension, Path, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, Response, StatusCode};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Router, middleware};
use keyaki::solvers::{OutcomeCache, Processes, processes};

use crate::metrics::Sample;
use crate::problem::{self, Problem};
use crate::service::{Context, Service};
use crate::{auth, aws, batch, body, context, health, log, openapi};

/// All routes.
pub fn router(service: &Service) -> Router {
    // Whoever runs us asks these, and has no token.
    let open = Router::new()
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/openapi.json", get(openapi::json))
        .route("/docs", get(openapi::page));
    let bearer = middleware::from_fn_with_state(service.clone(), auth::bearer);
    let ours = Router::new()
        .route("/v1/jobs", post(jobs))
        .route("/v1/check/{question}", post(check))
        .route("/metrics", get(metrics))
        .layer(bearer);
    // Routes with another authentication are merged here.
    Router::new()
        .merge(open)
        .merge(ours)
        .merge(aws::router())
        .fallback(nowhere)
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware::from_fn_with_state(service.clone(), context::enter))
        .with_state(service.clone())
}

/// `POST /v1/check/{question}`: a job whose question is in the path.
async fn check(
    State(service): State<Service>,
    Extension(context): Extension<Context>,
    Path(question): Path<String>,
    body: Body,
) -> Result<Response<Body>, Problem> {
    let job = body::read(&service, &context, body).await?;
    let result = service.answer(&context, Some(question), job).await?;
    let mut response = problem::answer(&result);
    if result.error.is_some_and(|error| error.code == "unknown-question") {
        *response.status_mut() = StatusCode::NOT_FOUND;
    }
    Ok(response)
}

/// `POST /v1/jobs`: one job, or many.
async fn jobs(
    State(service): State<Service>,
    Extension(context): Extension<Context>,
    request: axum::extract::Request,
) -> Result<Response<Body>, Problem> {
    batch::answer(service, context, request).await
}

/// `GET /metrics`.
async fn metrics(State(service): State<Service>) -> Response<Body> {
    let Processes { started, ended, killed } = processes();
    let (hits, misses) = service.cache().map_or((0, 0), OutcomeCache::counts);
    let lag = service.lag().look(Instant::now());
    let others = [
        Sample::gauge(
            "keyaki_lag_microseconds",
            "How long requests wait before they are read.",
            lag.as_micros() as u64,
        ),
        Sample::counter(
            "keyaki_log_lines_lost_total",
            "Lines of the log that could not be written.",
            log::n_lost(),
        ),
        Sample::counter(
            "keyaki_spans_lost_total",
            "Spans of traces that could not be exported.",
            service.telemetry().n_lost(),
        ),
        Sample::counter(
            "keyaki_solver_processes_started_total",
            "Processes of solvers that were started.",
            started,
        ),
        Sample::counter(
            "keyaki_solver_processes_killed_total",
            "Processes of solvers that a signal ended: not needed any more, too late, or crashed.",
            killed,
        ),
        Sample::gauge(
            "keyaki_solver_processes",
            "Processes of solvers that there are.",
            started.saturating_sub(ended),
        ),
        Sample::counter("keyaki_cache_hits_total", "Formulas whose outcome was kept.", hits),
        Sample::counter(
            "keyaki_cache_misses_total",
            "Formulas whose outcome was not kept.",
            misses,
        ),
    ];
    let text = service.metrics().text(service.pool().load(), &others);
    let mut response = Response::new(Body::from(text));
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

async fn nowhere() -> Response<Body> {
    let hint =
        "ask with POST /v1/jobs or POST /v1/check/{question}; GET /openapi.json has all of it";
    Problem::new(StatusCode::NOT_FOUND, "unknown-path", "there is nothing at this path")
        .hint(hint)
        .into_response()
}

async fn wrong_method() -> Response<Body> {
    let message = "this path does not take this method";
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "wrong-method", message).into_response()
}
