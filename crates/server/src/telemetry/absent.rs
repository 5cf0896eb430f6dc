//! What stands for traces in a program without them: the same names, and nothing behind.

use std::time::{Duration, Instant};

use axum::http::{HeaderMap, Method};
use keyaki::wire::JobResult;
use tokio::runtime::Handle;

use super::Plan;
use crate::settings::SettingsError;

/// Nobody exports.
pub(crate) struct Telemetry;

/// The trace of a request that has none.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trace(());

impl Telemetry {
    /// No traces.
    pub(crate) fn none() -> Telemetry {
        Telemetry
    }

    /// No traces either; a variable that asks for them is told in the log.
    pub(crate) fn start(plan: Option<Plan>, _: &Handle) -> Result<Telemetry, SettingsError> {
        if plan.is_some() {
            let message = "the environment names a collector of OpenTelemetry, but this program was built without the feature `opentelemetry`";
            tracing::warn!("{message}");
        }
        Ok(Telemetry)
    }

    pub(crate) fn enter(&self, _: &HeaderMap, _: &Method, _: &str, _: &str, _: Instant) -> Trace {
        Trace(())
    }

    pub(crate) fn n_lost(&self) -> u64 {
        0
    }

    pub(crate) fn stop(&self) {}
}

impl Trace {
    pub(crate) fn leave(&self, _: u16) {}

    pub(crate) fn hold(&self) {}

    pub(crate) fn release(&self, _: u64, _: bool) {}

    pub(crate) fn job(&self, _: &JobResult, _: Duration, _: Duration) {}
}
