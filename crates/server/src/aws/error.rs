//! Errors as AWS has them: a kind that clients raise as an exception, a status and a message.

use std::time::Duration;

use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use keyaki::wire::ErrorRecord;
use serde_json::{Value, json};

use crate::problem::{self, Problem};
use crate::service::Unsolved;

/// Where rest-json has the kind of an error.
const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");

/// Why there is no answer.
#[derive(Debug)]
pub(super) struct AwsError {
    kind: Kind,
    status: StatusCode,
    message: String,
    retry_after: Option<Duration>,
}

#[derive(Debug)]
enum Kind {
    AccessDenied,
    InternalServer,
    InvalidParameter,
    Throttling,
    UnprocessableEntity,
    /// With the reason, and the member that is wrong, if one is.
    Validation(&'static str, Option<String>),
    /// Of the query protocol.
    InvalidAction,
    InvalidInput,
    PolicyEvaluation,
}

impl AwsError {
    fn new(kind: Kind, status: StatusCode, message: impl Into<String>) -> AwsError {
        AwsError { kind, status, message: message.into(), retry_after: None }
    }

    /// Who asks may not.
    pub(super) fn denied(message: impl Into<String>) -> AwsError {
        AwsError::new(Kind::AccessDenied, StatusCode::FORBIDDEN, message)
    }

    /// The body is not what it should be.
    pub(super) fn unreadable(message: impl Into<String>) -> AwsError {
        AwsError::new(Kind::Validation("cannotParse", None), StatusCode::BAD_REQUEST, message)
    }

    /// A member is not what it should be.
    pub(super) fn field(name: &str, message: impl Into<String>) -> AwsError {
        let kind = Kind::Validation("fieldValidationFailed", Some(name.to_owned()));
        AwsError::new(kind, StatusCode::BAD_REQUEST, message)
    }

    /// A member is of the right form, and makes no sense.
    pub(super) fn parameter(message: impl Into<String>) -> AwsError {
        AwsError::new(Kind::InvalidParameter, StatusCode::BAD_REQUEST, message)
    }

    /// The query protocol has no such action here.
    pub(super) fn action(message: impl Into<String>) -> AwsError {
        AwsError::new(Kind::InvalidAction, StatusCode::BAD_REQUEST, message)
    }

    /// A parameter of the query protocol is not what it should be.
    pub(super) fn input(message: &str) -> AwsError {
        AwsError::new(Kind::InvalidInput, StatusCode::BAD_REQUEST, message)
    }

    /// A request cannot be simulated.
    pub(super) fn of_simulation(record: &ErrorRecord) -> AwsError {
        AwsError::input(&words(record))
    }

    /// Whether a simulated request is allowed is open.
    pub(super) fn undecided(message: String) -> AwsError {
        AwsError::new(Kind::PolicyEvaluation, StatusCode::INTERNAL_SERVER_ERROR, message)
    }

    /// What the engine says of a job whose policies are in these members.
    pub(super) fn of_job(record: &ErrorRecord, members: &[(&str, &'static str)]) -> AwsError {
        let words = words(record);
        if problem::status_of(record) == StatusCode::INTERNAL_SERVER_ERROR {
            return AwsError::new(Kind::InternalServer, StatusCode::INTERNAL_SERVER_ERROR, words);
        }
        let member = record.policy.as_deref().and_then(|pointer| {
            let found = members.iter().find(|(side, _)| pointer.starts_with(side));
            found.map(|(_, member)| *member)
        });
        match (record.code.as_str(), member) {
            ("too-large", _) => {
                let status = StatusCode::UNPROCESSABLE_ENTITY;
                AwsError::new(Kind::UnprocessableEntity, status, words)
            }
            (_, Some(member)) => AwsError::field(member, words),
            _ => AwsError::parameter(words),
        }
    }

    pub(super) fn status(&self) -> StatusCode {
        self.status
    }

    fn code(&self) -> &'static str {
        match self.kind {
            Kind::AccessDenied => "AccessDeniedException",
            Kind::InternalServer => "InternalServerException",
            Kind::InvalidParameter => "InvalidParameterException",
            Kind::Throttling => "ThrottlingException",
            Kind::UnprocessableEntity => "UnprocessableEntityException",
            Kind::Validation(..) => "ValidationException",
            Kind::InvalidAction => "InvalidAction",
            Kind::InvalidInput => "InvalidInput",
            Kind::PolicyEvaluation => "PolicyEvaluation",
        }
    }

    /// The body in rest-json.
    pub(super) fn json(&self) -> Value {
        let mut body = json!({"message": self.message});
        if let Kind::Validation(reason, member) = &self.kind {
            body["reason"] = json!(reason);
            if let Some(name) = member {
                body["fieldList"] = json!([{"name": name, "message": self.message}]);
            }
        }
        body
    }

    /// The headers in rest-json.
    pub(super) fn tell(&self, headers: &mut HeaderMap) {
        headers.insert(ERROR_TYPE, HeaderValue::from_static(self.code()));
        if let Some(wait) = self.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(wait.as_secs().saturating_add(1)));
        }
    }

    /// The body in the query protocol.
    pub(super) fn xml(&self, request_id: &str) -> String {
        let sender = if self.status.is_server_error() { "Receiver" } else { "Sender" };
        format!(
            "<ErrorResponse><Error><Type>{sender}</Type><Code>{}</Code><Message>{}</Message></Error>\
             <RequestId>{}</RequestId></ErrorResponse>",
            self.code(),
            escaped(&self.message),
            escaped(request_id),
        )
    }
}

/// A message with its hint, and with its place if that is in a text of the client's.
fn words(record: &ErrorRecord) -> String {
    let mut words = record.message.clone();
    if let (Some(_), Some(line), Some(column)) = (&record.policy, record.line, record.column) {
        words.push_str(&format!(" (line {line}, column {column})"));
    }
    if let Some(hint) = &record.hint {
        words.push_str(&format!(": {hint}"));
    }
    words
}

/// The text as XML has it.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

impl From<Problem> for AwsError {
    fn from(problem: Problem) -> AwsError {
        let words = words(&problem.record);
        let (kind, status) = match problem.status {
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                (Kind::Throttling, StatusCode::TOO_MANY_REQUESTS)
            }
            status if status.is_server_error() => (Kind::InternalServer, status),
            status => (Kind::Validation("other", None), status),
        };
        AwsError { kind, status, message: words, retry_after: problem.retry_after }
    }
}

impl From<Unsolved> for AwsError {
    fn from(unsolved: Unsolved) -> AwsError {
        match unsolved {
            Unsolved::Refused(refusal) => Problem::from(refusal).into(),
            Unsolved::Fault => Problem::fault().into(),
            Unsolved::Late => {
                Problem::overloaded("the deadline came before the answer", Duration::from_secs(1))
                    .into()
            }
        }
    }
}
