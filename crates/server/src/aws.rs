//! The part of the AWS API that asks what we answer, so that its clients can ask us.
//!
//! `access-analyzer` (rest-json): `CheckNoNewAccess`, `CheckAccessNotGranted`, `CheckNoPublicAccess` and `ValidatePolicy`; and of `sts` (query
//! protocol) `GetCallerIdentity`, which tools call first, and of `iam` `SimulateCustomPolicy`. Paths, members, messages and kinds of errors are those
//! of the service's API; what is refused, and why, is in docs/service.md. A check that was not decided fails, with a message that says so.
//!
//! Requests are signed (SigV4). Signatures are verified if there are keys to verify them with (`signature`). Otherwise nobody is let in whom the
//! other routes would not let in without a token.

mod check;
pub(crate) mod description;
mod error;
mod identity;
mod signature;
mod simulation;
mod validation;

use axum::Router;
use axum::body::Body;
use axum::extract::{Extension, Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderName, HeaderValue, Response, StatusCode, request::Parts};
use axum::routing::{MethodRouter, post};
use serde_json::Value;

pub use signature::Keys;

use crate::body::{self, Held};
use crate::service::{Context, Service};
use error::AwsError;

/// How AWS names a request in its answer.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");

/// The most parameters of a form that are read.
const PARAMETERS_MAX: usize = 100_000;

/// The routes.
pub(crate) fn router() -> Router<Service> {
    Router::new()
        .route("/policy/check-no-new-access", asks(check::no_new_access))
        .route("/policy/check-access-not-granted", asks(check::access_not_granted))
        .route("/policy/check-no-public-access", asks(check::no_public_access))
        .route("/policy/validation", post(validate_policy))
        .route("/", post(query))
}

/// The route of one of the checks.
fn asks(read: fn(&[u8]) -> Result<check::Check, AwsError>) -> MethodRouter<Service> {
    post(
        move |State(service): State<Service>, Extension(context): Extension<Context>, request| async move {
            checked(&service, &context, request, read).await
        },
    )
}

/// Answers one of the checks: what it asks is a job, and its result is told in the words of the check.
async fn checked(
    service: &Service,
    context: &Context,
    request: Request,
    read: fn(&[u8]) -> Result<check::Check, AwsError>,
) -> Response<Body> {
    let answer = async {
        let (_, body) = admitted(service, context, request).await?;
        let check = read(body.as_ref())?;
        let question = check.question.to_owned();
        let result = service.answer(context, Some(question), check.job()).await?;
        check.answer(result)
    };
    respond(context, answer.await)
}

/// `ValidatePolicy`.
async fn validate_policy(
    State(service): State<Service>,
    Extension(context): Extension<Context>,
    request: Request,
) -> Response<Body> {
    let answer = async {
        let (parts, body) = admitted(&service, &context, request).await?;
        let asked = validation::Asked::read(parts.uri.query().unwrap_or_default(), body.as_ref())?;
        let found = service.solve(&context, move |_, _| asked.answer()).await;
        found.map_err(AwsError::from)
    };
    respond(&context, answer.await)
}

/// What is asked by the query protocol, whose path is always the root.
async fn query(
    State(service): State<Service>,
    Extension(context): Extension<Context>,
    request: Request,
) -> Response<Body> {
    let answer = async {
        let (_, body) = admitted(&service, &context, request).await?;
        let form = form(body.as_ref());
        let (account, id) = (service.settings().aws.account.clone(), context.id.clone());
        let action = form.iter().find(|(name, _)| name == "Action").map(|(_, value)| value);
        match action.map(String::as_str) {
            Some("GetCallerIdentity") => Ok(identity::answer(&account, &id)),
            Some("SimulateCustomPolicy") => {
                let simulation = simulation::Simulation::read(&form, &account)?;
                service.solve(&context, move |_, cancel| simulation.answer(&id, cancel)).await?
            }
            Some(other) => Err(AwsError::action(format!("there is no action `{other}` here"))),
            None => Err(AwsError::action("the form names no `Action`")),
        }
    };
    let (status, text) = match answer.await {
        Ok(text) => (StatusCode::OK, text),
        Err(error) => (error.status(), error.xml(&context.id)),
    };
    response(&context, status, "text/xml", text)
}

/// The parameters of a form.
fn form(body: &[u8]) -> Vec<(String, String)> {
    let parameters = form_urlencoded::parse(body).take(PARAMETERS_MAX);
    parameters.map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}

/// The head and the body of a request that may be answered.
async fn admitted(
    service: &Service,
    context: &Context,
    request: Request,
) -> Result<(Parts, Held), AwsError> {
    let (parts, body) = request.into_parts();
    let body = body::read(service, context, body).await?;
    let credentials = service.credentials();
    if credentials.keys.is_empty() {
        if credentials.lets_strangers_in() {
            return Ok((parts, body));
        }
        return Err(AwsError::denied("there are no keys here to verify signatures with"));
    }
    signature::verify(&credentials.keys, &parts, body.as_ref())?;
    Ok((parts, body))
}

fn respond(context: &Context, answer: Result<Value, AwsError>) -> Response<Body> {
    match answer {
        Ok(value) => response(context, StatusCode::OK, "application/json", value.to_string()),
        Err(error) => {
            let text = error.json().to_string();
            let mut response = response(context, error.status(), "application/json", text);
            error.tell(response.headers_mut());
            response
        }
    }
}

fn response(
    context: &Context,
    status: StatusCode,
    kind: &'static str,
    text: String,
) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    if let Ok(id) = HeaderValue::from_str(&context.id) {
        headers.insert(REQUEST_ID, id);
    }
    response
}
