//! Bodies, within their limits.
//!
//! What is held of all bodies together is bounded too: many bodies below the limit are as bad as one above it.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use http_body_util::BodyExt;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{timeout, timeout_at};

use crate::problem::Problem;
use crate::service::{BUDGET_UNIT, Context, Service};

/// How long a body that was refused is read on.
const LINGER: Duration = Duration::from_secs(5);

/// How much of a body that was refused is read on, in bytes.
const LINGER_BYTES: usize = 256 << 20;

/// A body, and its share of what may be held.
#[derive(Debug)]
pub struct Held {
    bytes: Bytes,
    _permits: Vec<OwnedSemaphorePermit>,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// Reads a whole body.
///
/// # Errors
///
/// It is larger than the settings allow, more than the service can hold, ends before its time, or does not come before the deadline.
pub async fn read(service: &Service, context: &Context, body: Body) -> Result<Held, Problem> {
    read_on(service, context, Bytes::new(), Vec::new(), body).await
}

/// As [`read`], of a body whose beginning has been read.
pub(crate) async fn read_on(
    service: &Service,
    context: &Context,
    first: Bytes,
    mut permits: Vec<OwnedSemaphorePermit>,
    mut body: Body,
) -> Result<Held, Problem> {
    let limit = service.settings().body_bytes_max;
    let mut bytes = first;
    let mut joined = Vec::new();
    loop {
        let length = bytes.len().max(joined.len());
        // A length that is announced is refused before it comes.
        let announced = http_body::Body::size_hint(&body).lower();
        if (length as u64).saturating_add(announced) > limit as u64 {
            linger(body);
            return Err(Problem::too_large(limit));
        }
        let frame = timeout_at(context.deadline().into(), next(&mut body)).await;
        let Some(frame) = frame.map_err(|_| late())?? else { break };
        match hold(service, frame.len()) {
            Ok(permit) => permits.push(permit),
            Err(problem) => {
                linger(body);
                return Err(problem);
            }
        }
        if bytes.is_empty() && joined.is_empty() {
            bytes = frame;
        } else {
            if joined.is_empty() {
                joined.extend_from_slice(&bytes);
            }
            joined.extend_from_slice(&frame);
        }
    }
    if !joined.is_empty() {
        bytes = joined.into();
    }
    Ok(Held { bytes, _permits: permits })
}

/// Reads on and keeps nothing, for a while: whoever is still sending when the connection is closed may never see why.
pub(crate) fn linger(mut body: Body) {
    let drain = async move {
        let mut n_bytes = 0;
        while n_bytes < LINGER_BYTES
            && let Ok(Some(bytes)) = next(&mut body).await
        {
            n_bytes += bytes.len();
        }
    };
    tokio::spawn(timeout(LINGER, drain));
}

/// The next bytes of a body; none at its end.
pub(crate) async fn next(body: &mut Body) -> Result<Option<Bytes>, Problem> {
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| {
            Problem::new(StatusCode::BAD_REQUEST, "invalid-body", "the body ends before its time")
        })?;
        if let Ok(bytes) = frame.into_data()
            && !bytes.is_empty()
        {
            return Ok(Some(bytes));
        }
    }
    Ok(None)
}

/// Room for so many bytes, if there is some.
pub(crate) fn hold(service: &Service, n_bytes: usize) -> Result<OwnedSemaphorePermit, Problem> {
    service.bodies().clone().try_acquire_many_owned(units(n_bytes)).map_err(|_| {
        service.metrics().shed("bodies");
        Problem::overloaded("too much is being sent at once", Duration::from_secs(1))
    })
}

/// Room for so many bytes, as soon as there is some.
pub(crate) async fn wait_to_hold(
    service: &Service,
    n_bytes: usize,
) -> Option<OwnedSemaphorePermit> {
    service.bodies().clone().acquire_many_owned(units(n_bytes)).await.ok()
}

fn units(n_bytes: usize) -> u32 {
    u32::try_from(n_bytes.div_ceil(BUDGET_UNIT)).unwrap_or(u32::MAX)
}

pub(crate) fn late() -> Problem {
    let message = "the body did not come before the deadline of the request";
    Problem::new(StatusCode::REQUEST_TIMEOUT, "slow-body", message)
}
