//! What the service takes and gives, as OpenAPI 3.1 and as a page to read.
//!
//! Schemas are generated from the types that are written and read, the paths are listed here; a test asks every one of them. The page is made from
//! the same description when it is asked for, without scripts, so that it needs nobody's servers and no exception from any policy of a browser.

use std::fmt::Write as _;
use std::sync::OnceLock;

use axum::body::Body;
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::http::{HeaderValue, Response};
use keyaki::wire;
use serde_json::{Map, Value, json};

use crate::aws;

/// Where schemas are in the description.
const SCHEMAS: &str = "/components/schemas";

/// `GET /openapi.json`
pub(crate) async fn json() -> Response<Body> {
    static TEXT: OnceLock<String> = OnceLock::new();
    let text = TEXT.get_or_init(|| format!("{:#}\n", description()));
    respond(text, "application/json")
}

/// `GET /docs`
pub(crate) async fn page() -> Response<Body> {
    static TEXT: OnceLock<String> = OnceLock::new();
    let text = TEXT.get_or_init(|| html(&description()));
    let mut response = respond(text, "text/html; charset=utf-8");
    let policy = HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'");
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    response
}

fn respond(text: &'static str, kind: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#{SCHEMAS}/{name}") })
}

/// The description.
pub fn description() -> Value {
    let job = json!({ "anyOf": (["Job", "ValidateJob", "BucketJob"].map(reference)) });
    let result = reference("JobResult");
    let json_of = |schema: Value| json!({ "application/json": { "schema": schema } });
    let answer = |words: &str| json!({ "description": words, "content": json_of(result.clone()) });
    let refusals = [
        ("400", "The input is wrong; `error` says what and where."),
        ("401", "No bearer token, or none that is accepted."),
        ("408", "The body did not come before the deadline."),
        ("413", "The body is too large."),
        (
            "429",
            "Requests wait so long that this one would probably miss its deadline; `Retry-After` says when to come again.",
        ),
        ("500", "A fault of ours, of the solvers or of the installation."),
        (
            "503",
            "There is too much to do, or the service is being stopped; `Retry-After` says when to come again.",
        ),
    ];
    let answers = |first: Value| {
        let mut answers = Map::new();
        answers.insert("200".to_owned(), first);
        answers.extend(refusals.map(|(status, words)| (status.to_owned(), answer(words))));
        Value::Object(answers)
    };
    let deadline = json!({
        "name": "Keyaki-Deadline-Ms", "in": "header", "required": false,
        "schema": { "type": "integer", "minimum": 1 },
        "description": "How long the answer may take, in milliseconds; each job of a batch. At the deadline an answer is `unknown` with the reason `timeout`.",
    });
    let name = json!({
        "name": "X-Request-Id", "in": "header", "required": false, "schema": { "type": "string" },
        "description": "A name of the request, for the log; it comes back.",
    });
    let question = json!({
        "name": "question", "in": "path", "required": true, "schema": { "type": "string" },
        "description": "The question: as the `question` of a job.",
    });
    let of_jobs = json!({
        "description": "The result, or the results in the order of the jobs. Only the verdict `holds` is good news; `unknown` is not.",
        "content": {
            "application/json": { "schema": { "anyOf": [result, { "type": "array", "items": result }] } },
            "application/x-ndjson": { "schema": result },
        },
    });
    let text = |kind: &str, words: &str| json!({ "200": { "description": words, "content": { kind: { "schema": { "type": "string" } } } } });
    let readiness = |words: &str| {
        json!({ "description": words, "content": json_of(json!({
            "type": "object",
            "properties": {
                "ready": { "type": "boolean" },
                "stopping": { "type": "boolean" },
                "solvers": { "type": "object", "additionalProperties": { "type": "string" } },
            },
        })) })
    };
    let mut description = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Keyaki",
            "version": env!("CARGO_PKG_VERSION"),
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
            "description": "Questions about access-control policies, answered with a proof or a counterexample.",
        },
        "security": [{ "bearer": [] }, {}],
        "paths": {
            "/v1/check/{question}": { "post": {
                "summary": "Answers one job whose question is in the path.",
                "parameters": [question, deadline, name],
                "requestBody": { "required": true, "content": json_of(job.clone()) },
                "responses": answers(answer("The result: only the verdict `holds` is good news; `unknown` is not.")),
            } },
            "/v1/jobs": { "post": {
                "summary": "Answers one job, an array of jobs, or one job a line.",
                "parameters": [deadline, name],
                "requestBody": { "required": true, "content": {
                    "application/json": { "schema": { "anyOf": [job, { "type": "array", "items": job }] } },
                    "application/x-ndjson": { "schema": job },
                } },
                "responses": answers(of_jobs),
            } },
            "/healthz": { "get": {
                "summary": "Whether the process answers.",
                "security": [{}],
                "responses": text("text/plain", "It does."),
            } },
            "/readyz": { "get": {
                "summary": "Whether each configured solver that is installed decides two formulas whose answers are known.",
                "security": [{}],
                "responses": { "200": readiness("Each does."), "503": readiness("One does not, or the service is being stopped.") },
            } },
            "/metrics": { "get": {
                "summary": "What was counted, for Prometheus.",
                "responses": text("text/plain", "The metrics."),
            } },
            "/openapi.json": { "get": {
                "summary": "This description.",
                "security": [{}],
                "responses": { "200": { "description": "It.", "content": json_of(json!({ "type": "object" })) } },
            } },
            "/docs": { "get": {
                "summary": "This description as a page.",
                "security": [{}],
                "responses": text("text/html", "The page."),
            } },
        },
        "components": {
            "securitySchemes": {
                "bearer": { "type": "http", "scheme": "bearer" },
                aws::description::SECURITY: aws::description::security(),
            },
            "schemas": wire::definitions(SCHEMAS),
        },
    });
    for (path, operations) in aws::description::paths() {
        description["paths"][path] = operations;
    }
    description
}

/// The description as a page.
fn html(description: &Value) -> String {
    let mut page = String::from(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Keyaki</title><style>\
         body{font:16px/1.5 system-ui,sans-serif;max-width:60em;margin:2em auto;padding:0 1em}\
         code,pre{font-family:ui-monospace,monospace;font-size:14px}pre{background:#f4f4f4;padding:1em;overflow:auto}\
         td,th{text-align:left;vertical-align:top;padding:.2em 1em .2em 0}summary{cursor:pointer}</style>",
    );
    let info = &description["info"];
    let _ = write!(
        page,
        "<h1>{} {}</h1><p>{}</p>",
        escaped(text(&info["title"])),
        escaped(text(&info["version"])),
        escaped(text(&info["description"]))
    );
    for (path, methods) in members(&description["paths"]) {
        for (method, operation) in members(methods) {
            let _ = write!(
                page,
                "<h2><code>{} {}</code></h2><p>{}</p>",
                method.to_uppercase(),
                escaped(path),
                escaped(text(&operation["summary"]))
            );
            page.push_str("<table>");
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                row(&mut page, text(&parameter["name"]), text(&parameter["description"]));
            }
            for (status, response) in members(&operation["responses"]) {
                row(&mut page, status, text(&response["description"]));
            }
            page.push_str("</table>");
        }
    }
    page.push_str("<h2>Schemas</h2>");
    for (name, schema) in members(&description["components"]["schemas"]) {
        let _ = write!(
            page,
            "<details id=\"{0}\"><summary><code>{0}</code> {1}</summary><pre>{2}</pre></details>",
            escaped(name),
            escaped(text(&schema["description"]).lines().next().unwrap_or_default()),
            escaped(&format!("{schema:#}"))
        );
    }
    page
}

fn row(page: &mut String, name: &str, words: &str) {
    let _ =
        write!(page, "<tr><th><code>{}</code></th><td>{}</td></tr>", escaped(name), escaped(words));
}

fn members(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    value.as_object().into_iter().flatten().map(|(name, value)| (name.as_str(), value))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reference_leads_somewhere() {
        let description = description();
        let mut found = Vec::new();
        let mut stack = vec![&description];
        while let Some(value) = stack.pop() {
            match value {
                Value::Object(object) => {
                    found.extend(object.get("$ref").and_then(Value::as_str));
                    stack.extend(object.values());
                }
                Value::Array(array) => stack.extend(array),
                _ => {}
            }
        }
        assert!(found.len() > 20, "{found:?}");
        for reference in found {
            let pointer = reference.trim_start_matches('#');
            assert!(description.pointer(pointer).is_some(), "{reference}");
        }
    }

    #[test]
    fn the_page_has_every_path_and_nothing_of_anybody_else() {
        let page = html(&description());
        for path in
            ["/v1/jobs", "/v1/check/{question}", "/readyz", "/policy/validation", "JobResult"]
        {
            assert!(page.contains(path), "{path}");
        }
        assert!(!page.contains("<script") && !page.contains("src="), "{page}");
    }
}
