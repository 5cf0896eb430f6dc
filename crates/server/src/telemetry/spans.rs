//! What is told of a request, and of each of its jobs: all that leaves the process is listed here.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use axum::http::{HeaderMap, Method};
use keyaki::wire::JobResult;
use opentelemetry::propagation::TextMapPropagator as _;
use opentelemetry::trace::{
    Span as _, SpanBuilder, SpanKind, Status, TraceContextExt as _, Tracer as _,
    TracerProvider as _,
};
use opentelemetry::{Context, Key, KeyValue};
use opentelemetry_http::HeaderExtractor;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{Sampler, SdkTracer, SdkTracerProvider};
use tokio::runtime::Handle;

use super::Plan;
use super::export::{self, Spans};
use super::plan::Sampling;
use crate::metrics::{known_question, verdict_word};
use crate::problem::status_of;
use crate::settings::SettingsError;

/// The most jobs of one request that have a span each: the jobs of a large batch would leave no room for other requests.
const JOB_SPANS_MAX: u64 = 128;

/// How long what is left may take to be exported when the service is stopped.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(3);

/// What the service is called if nobody has a name for it.
const SERVICE_NAME: &str = "keyaki";

/// Who makes spans, if anybody does.
pub(crate) struct Telemetry(Option<Running>);

struct Running {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
    propagator: TraceContextPropagator,
    spans: Arc<Spans>,
}

/// The trace of a request, if it is kept. Clones are the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trace(Option<Arc<Open>>);

#[derive(Debug)]
struct Open {
    /// With the span of the request.
    context: Context,
    tracer: SdkTracer,
    n_jobs: AtomicU64,
    /// Whether the request goes on after the head of its response.
    is_held: AtomicBool,
}

impl Telemetry {
    /// No traces.
    pub(crate) fn none() -> Telemetry {
        Telemetry(None)
    }

    /// Starts a thread that exports, by connections of that runtime.
    ///
    /// # Errors
    ///
    /// [`SettingsError`] for variables that the exporter reads itself and does not understand.
    pub(crate) fn start(plan: Option<Plan>, runtime: &Handle) -> Result<Telemetry, SettingsError> {
        let Some(plan) = plan else { return Ok(Telemetry::none()) };
        let Sampling { heeds_caller, share } = plan.sampling;
        let sampler = Sampler::TraceIdRatioBased(share);
        let sampler = if heeds_caller { Sampler::ParentBased(Box::new(sampler)) } else { sampler };
        let (processor, spans) = export::processor(&plan, runtime.clone())?;
        let provider = SdkTracerProvider::builder()
            .with_sampler(sampler)
            .with_resource(resource(plan.service_name))
            .with_span_processor(processor)
            .build();
        let tracer = provider.tracer("keyaki");
        tracing::info!(endpoint = %plan.endpoint, "traces are exported");
        let propagator = TraceContextPropagator::new();
        Ok(Telemetry(Some(Running { provider, tracer, propagator, spans })))
    }

    /// Begins the span of a request: that of its caller is the parent, if it has one.
    pub(crate) fn enter(
        &self,
        headers: &HeaderMap,
        method: &Method,
        path: &str,
        id: &str,
        began: Instant,
    ) -> Trace {
        let Some(running) = &self.0 else { return Trace::default() };
        let parent =
            running.propagator.extract_with_context(&Context::new(), &HeaderExtractor(headers));
        let method = known_method(method);
        let builder = SpanBuilder::from_name(format!("{method} {path}"))
            .with_kind(SpanKind::Server)
            .with_start_time(before(SystemTime::now(), began.elapsed()))
            .with_attributes([
                KeyValue::new("http.request.method", method),
                KeyValue::new("http.route", path.to_owned()),
                KeyValue::new("keyaki.request_id", id.to_owned()),
            ]);
        let span = running.tracer.build_with_context(builder, &parent);
        if !span.span_context().is_sampled() {
            return Trace::default();
        }
        Trace(Some(Arc::new(Open {
            context: Context::new().with_span(span),
            tracer: running.tracer.clone(),
            n_jobs: AtomicU64::new(0),
            is_held: AtomicBool::new(false),
        })))
    }

    /// Spans that were ended and not exported.
    pub(crate) fn n_lost(&self) -> u64 {
        self.0.as_ref().map_or(0, |running| running.spans.n_lost())
    }

    /// Exports what is left, and waits for that for [`FLUSH_TIMEOUT`] at most.
    pub(crate) fn stop(&self) {
        let Some(running) = &self.0 else { return };
        if running.provider.shutdown_with_timeout(FLUSH_TIMEOUT).is_err() {
            tracing::warn!("not all traces could be exported");
        }
    }
}

impl Trace {
    /// The head of the response is there. That is the end, unless the trace is held.
    pub(crate) fn leave(&self, status: u16) {
        let Some(open) = &self.0 else { return };
        let span = open.context.span();
        span.set_attribute(KeyValue::new("http.response.status_code", i64::from(status)));
        if status >= 500 {
            span.set_attribute(KeyValue::new("error.type", status.to_string()));
            span.set_status(Status::error(""));
        }
        if !open.is_held.load(Ordering::Relaxed) {
            span.end();
        }
    }

    /// The request goes on after the head of its response, until it is released.
    pub(crate) fn hold(&self) {
        if let Some(open) = &self.0 {
            open.is_held.store(true, Ordering::Relaxed);
        }
    }

    /// A request that was held has ended, with so many results, which are all of them or not.
    pub(crate) fn release(&self, n_results: u64, is_complete: bool) {
        let Some(open) = &self.0 else { return };
        let span = open.context.span();
        let n_results = i64::try_from(n_results).unwrap_or(i64::MAX);
        span.set_attribute(KeyValue::new("keyaki.jobs", n_results));
        if !is_complete {
            span.set_status(Status::error("the batch was ended before its end"));
        }
        span.end();
    }

    /// A job of the request was answered just now, after it had waited and then been worked on for so long.
    pub(crate) fn job(&self, result: &JobResult, waited: Duration, elapsed: Duration) {
        let Some(open) = &self.0 else { return };
        if open.n_jobs.fetch_add(1, Ordering::Relaxed) >= JOB_SPANS_MAX {
            return;
        }
        let question = result.question.as_deref().map_or("other", known_question);
        let waited_us = i64::try_from(waited.as_micros()).unwrap_or(i64::MAX);
        let mut attributes = vec![
            KeyValue::new("keyaki.question", question.to_owned()),
            KeyValue::new("keyaki.queue_wait_us", waited_us),
        ];
        let mut tell = |name: &'static str, value: Option<&str>| {
            attributes.extend(value.map(|value| KeyValue::new(name, value.to_owned())));
        };
        tell("keyaki.verdict", result.verdict.map(verdict_word));
        tell("keyaki.reason", result.reason.map(|reason| reason.as_str()));
        tell("keyaki.winner", result.solver.as_deref());
        // Its code alone: the message quotes the input.
        tell("error.type", result.error.as_ref().map(|error| error.code.as_str()));
        let now = SystemTime::now();
        let builder = SpanBuilder::from_name(format!("job {question}"))
            .with_start_time(before(now, elapsed))
            .with_attributes(attributes);
        let mut span = open.tracer.build_with_context(builder, &open.context);
        if result.error.as_ref().is_some_and(|error| status_of(error).is_server_error()) {
            span.set_status(Status::error(""));
        }
        span.end_with_timestamp(now);
    }
}

/// What is told of us with all spans: who we are, and what the environment adds.
fn resource(service_name: Option<String>) -> Resource {
    let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
    let found = Resource::builder().with_attribute(version).build();
    let of_environment = found.get(&Key::from_static_str("service.name"));
    let of_environment = of_environment.map(|name| name.to_string());
    let name = service_name
        // What the library makes up.
        .or(of_environment.filter(|name| !name.starts_with("unknown_service")))
        .unwrap_or_else(|| SERVICE_NAME.to_owned());
    Resource::builder()
        .with_attributes(found.iter().map(|(key, value)| KeyValue::new(key.clone(), value.clone())))
        .with_service_name(name)
        .build()
}

/// The method, of those that HTTP has: others are the client's own words, of any length.
fn known_method(method: &Method) -> &'static str {
    static KNOWN: [Method; 9] = [
        Method::GET,
        Method::HEAD,
        Method::POST,
        Method::PUT,
        Method::DELETE,
        Method::CONNECT,
        Method::OPTIONS,
        Method::TRACE,
        Method::PATCH,
    ];
    KNOWN.iter().find(|known| *known == method).map_or("_OTHER", Method::as_str)
}

/// The time by the clock, so long before another.
fn before(now: SystemTime, elapsed: Duration) -> SystemTime {
    now.checked_sub(elapsed).unwrap_or(now)
}
