//! Traces: what a request and its jobs were and how long they took, as spans for an OpenTelemetry collector.
//!
//! They are an option twice: the program has to be built with the feature `opentelemetry`, which brings two dozen crates, and the settings or the
//! environment have to name a collector ([`Plan`]). Otherwise nothing of this is done for a request.
//!
//! Nothing of a policy is in a span. What is in one is in one file, `telemetry/spans.rs`: words of ours, numbers, and the request's name. That is why
//! spans are made there and not through `tracing`, whose bridge exports the fields of whatever any crate opens as a span.

mod plan;

#[cfg(feature = "opentelemetry")]
mod export;
#[cfg(feature = "opentelemetry")]
mod spans;

#[cfg(not(feature = "opentelemetry"))]
#[path = "telemetry/absent.rs"]
mod spans;

pub(crate) use plan::{Plan, variable};
pub(crate) use spans::{Telemetry, Trace};
