//! What is said instead of an answer: a status, a code, words, and when to come again.
//!
//! Every refusal has the shape of a result with an `error`, so that a caller reads one schema whatever happens.

use std::time::Duration;

use axum::body::Body;
use axum::http::header::{CONNECTION, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, Response, StatusCode};
use axum::response::IntoResponse;
use keyaki::wire::{ErrorRecord, JobResult};

use crate::pool::Refusal;

/// Why a request has no answer.
#[derive(Debug)]
pub struct Problem {
    /// The status.
    pub status: StatusCode,
    /// After how long the same request may be answered.
    pub retry_after: Option<Duration>,
    /// What is wrong, in words.
    pub record: ErrorRecord,
}

impl Problem {
    /// A problem that will be the same next time.
    pub fn new(status: StatusCode, code: &str, message: impl Into<String>) -> Problem {
        Problem { status, retry_after: None, record: ErrorRecord::new(code, message) }
    }

    /// The same, with what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Problem {
        self.record.hint = Some(hint.into());
        self
    }

    /// A fault of ours: something panicked.
    pub fn fault() -> Problem {
        let message = "the service failed at this request, and nothing is concluded";
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", message)
    }

    /// The whole response as HTTP/1.1 has it, for a connection that nobody serves. It is the last.
    pub(crate) fn text(&self) -> String {
        let result = JobResult { error: Some(self.record.clone()), ..JobResult::default() };
        let body = serde_json::to_string(&result).expect("a result is JSON");
        format!(
            "HTTP/1.1 {}\r\nconnection: close\r\nretry-after: {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            self.status,
            self.retry_after.map_or(1, seconds),
            body.len()
        )
    }

    /// A body beyond the limit.
    pub fn too_large(limit_bytes: usize) -> Problem {
        let message = format!("the body is larger than {limit_bytes} bytes");
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", message)
    }

    /// More is going on than the service can take.
    pub fn overloaded(message: &str, retry_after: Duration) -> Problem {
        let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, "overloaded", message);
        Problem { retry_after: Some(retry_after), ..problem }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Problem {
        match refusal {
            Refusal::Full(wait) => Problem::overloaded("too many requests are waiting", wait),
            Refusal::TooLate(wait) => {
                let milliseconds = wait.as_millis();
                let message = format!(
                    "an answer would probably come too late: requests wait for {milliseconds} ms"
                );
                let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "too-late", message);
                let problem =
                    problem.hint("come later, or allow more time with `Keyaki-Deadline-Ms`");
                Problem { retry_after: Some(wait), ..problem }
            }
            Refusal::Stopping => {
                Problem::overloaded("the service is being stopped", Duration::from_secs(1))
            }
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response<Body> {
        let result = JobResult { error: Some(self.record), ..JobResult::default() };
        let mut response = json(self.status, &result);
        let headers = response.headers_mut();
        if let Some(wait) = self.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds(wait)));
        }
        if self.status == StatusCode::REQUEST_TIMEOUT {
            // The rest of the body would be taken for the next request.
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// Whole seconds, and never none: at once is too early by definition.
fn seconds(wait: Duration) -> u64 {
    wait.as_secs().saturating_add(1)
}

/// A result with the status that its error has, if it has one.
pub fn answer(result: &JobResult) -> Response<Body> {
    json(status(result), result)
}

/// The status of a result.
pub fn status(result: &JobResult) -> StatusCode {
    result.error.as_ref().map_or(StatusCode::OK, status_of)
}

/// The status of an error.
pub(crate) fn status_of(error: &ErrorRecord) -> StatusCode {
    match error.code.as_str() {
        "no-solver" | "solver-failed" | "contradiction" | "unsound" | "translation"
        | "wrong-answer" | "internal" => StatusCode::INTERNAL_SERVER_ERROR,
        "too-large" => StatusCode::PAYLOAD_TOO_LARGE,
        _ => StatusCode::BAD_REQUEST,
    }
}

fn json(status: StatusCode, result: &JobResult) -> Response<Body> {
    let text = serde_json::to_vec(result).expect("a result is JSON");
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
