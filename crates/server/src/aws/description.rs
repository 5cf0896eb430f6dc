//! The routes for clients of AWS in the words of OpenAPI.
//!
//! Bodies are read by hand, since a policy may be of any size and messages name places in it, so their schemas are written here; each has an example,
//! and a test sends every one of them and holds request and answer to the schemas.

use serde_json::{Value, json};

use super::validation::{PAGE, RESOURCE_TYPES};

/// How requests are signed, as a scheme of security.
pub(crate) const SECURITY: &str = "signature";

/// [`SECURITY`], described.
pub(crate) fn security() -> Value {
    json!({
        "type": "apiKey", "in": "header", "name": "Authorization",
        "description": "AWS Signature Version 4 by one of the keys of `aws.keys`. Without such keys signatures are not looked at, and whoever would need a token is denied.",
    })
}

/// The paths with their operations.
pub(crate) fn paths() -> Vec<(&'static str, Value)> {
    let text = |words: &str| json!({ "type": "string", "description": words });
    let policy = |words: &str| text(&format!("{words}, as a text of JSON."));
    let kind = json!({ "type": "string", "enum": ["IDENTITY_POLICY", "RESOURCE_POLICY"] });
    let texts = json!({ "type": "array", "maxItems": 100, "items": { "type": "string" } });
    let example = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}}"#;
    let of_bucket = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}}"#;
    let types: Vec<&str> = keyaki::public::tables(keyaki::public::Reading::Documented)
        .filter(|table| table.is_listed)
        .map(|table| table.resource_type.as_str())
        .collect();
    let checks = [
        (
            "/policy/check-no-new-access",
            "CheckNoNewAccess: whether a new policy allows nothing that the existing one does not.",
            json!({
                "existingPolicyDocument": policy("The existing policy"),
                "newPolicyDocument": policy("The new policy"),
                "policyType": kind,
            }),
            json!({ "existingPolicyDocument": example, "newPolicyDocument": example, "policyType": "IDENTITY_POLICY" }),
        ),
        (
            "/policy/check-access-not-granted",
            "CheckAccessNotGranted: whether a policy allows none of these actions and resources.",
            json!({
                "policyDocument": policy("The policy"),
                "policyType": kind,
                "access": { "type": "array", "minItems": 1, "maxItems": 1, "items": {
                    "type": "object", "minProperties": 1, "properties": { "actions": texts, "resources": texts },
                } },
            }),
            json!({ "policyDocument": example, "policyType": "IDENTITY_POLICY", "access": [{ "actions": ["s3:PutObject"] }] }),
        ),
        (
            "/policy/check-no-public-access",
            "CheckNoPublicAccess: whether the policy of a resource lets in nobody who is everybody.",
            json!({
                "policyDocument": policy("The policy of the resource"),
                "resourceType": { "type": "string", "enum": types },
            }),
            json!({ "policyDocument": of_bucket, "resourceType": "AWS::S3::Bucket" }),
        ),
    ];
    let verdict = json!({
        "type": "object",
        "required": ["result", "message"],
        "properties": {
            "result": { "type": "string", "enum": ["PASS", "FAIL"], "description": "What was not decided is `FAIL`." },
            "message": { "type": "string" },
            "reasons": { "type": "array", "items": { "type": "object", "properties": {
                "description": { "type": "string" },
                "statementIndex": { "type": "integer", "minimum": 0 },
                "statementId": { "type": "string" },
            } } },
        },
    });
    let mut paths: Vec<(&str, Value)> = checks
        .into_iter()
        .map(|(path, summary, members, example)| {
            (path, operation(summary, required(&members), &example, &verdict))
        })
        .collect();
    let mut validation = operation(
        "ValidatePolicy: what is wrong with a policy.",
        json!({
            "type": "object",
            "required": ["policyDocument", "policyType"],
            "properties": {
                "policyDocument": policy("The policy"),
                "policyType": { "type": "string", "enum": ["IDENTITY_POLICY", "RESOURCE_POLICY", "SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"] },
                "validatePolicyResourceType": { "type": "string", "enum": RESOURCE_TYPES },
                "locale": text("Any is English."),
            },
        }),
        &json!({ "policyDocument": example, "policyType": "IDENTITY_POLICY" }),
        &json!({
            "type": "object",
            "required": ["findings"],
            "properties": {
                "findings": { "type": "array", "items": {
                    "type": "object",
                    "required": ["findingType", "issueCode", "findingDetails", "learnMoreLink", "locations"],
                } },
                "nextToken": { "type": "string" },
            },
        }),
    );
    let parameter = |name: &str, schema: Value| json!({ "name": name, "in": "query", "required": false, "schema": schema });
    validation["post"]["parameters"] = json!([
        parameter("maxResults", json!({ "type": "integer", "minimum": 1, "maximum": PAGE })),
        parameter("nextToken", json!({ "type": "string" })),
    ]);
    paths.push(("/policy/validation", validation));
    let xml = |words: &str| json!({ "description": words, "content": { "text/xml": { "schema": { "type": "string" } } } });
    let query = json!({ "post": {
        "summary": "The query protocol: `SimulateCustomPolicy` of IAM and `GetCallerIdentity` of STS, by `Action`.",
        "security": [{ SECURITY: [] }, {}],
        "requestBody": { "required": true, "content": { "application/x-www-form-urlencoded": {
            "schema": {
                "type": "object",
                "required": ["Action"],
                "properties": { "Action": { "type": "string", "enum": ["SimulateCustomPolicy", "GetCallerIdentity"] } },
                "additionalProperties": { "type": "string" },
            },
            "example": { "Action": "GetCallerIdentity" },
        } } },
        "responses": {
            "200": xml("The answer."),
            "400": xml("`InvalidInput` or `InvalidAction`."),
            "403": xml("`AccessDeniedException`."),
            "429": xml("`ThrottlingException`."),
            "500": xml("`PolicyEvaluation` if it hangs on something that is not modelled, else `InternalServerException`."),
        },
    } });
    paths.push(("/", query));
    paths
}

/// An object that has all of these members.
fn required(members: &Value) -> Value {
    let names: Vec<&String> = members.as_object().into_iter().flat_map(|all| all.keys()).collect();
    json!({ "type": "object", "required": names, "properties": members })
}

fn operation(summary: &str, body: Value, example: &Value, answer: &Value) -> Value {
    let error = |words: &str| {
        json!({ "description": words, "content": { "application/json": { "schema": {
            "type": "object",
            "required": ["message"],
            "properties": {
                "message": { "type": "string" },
                "reason": { "type": "string" },
                "fieldList": { "type": "array", "items": { "type": "object", "properties": { "name": { "type": "string" }, "message": { "type": "string" } } } },
            },
        } } } })
    };
    json!({ "post": {
        "summary": summary,
        "security": [{ SECURITY: [] }, {}],
        "requestBody": { "required": true, "content": { "application/json": { "schema": body, "example": example } } },
        "responses": {
            "200": { "description": "The answer.", "content": { "application/json": { "schema": answer } } },
            "400": error("`ValidationException` or `InvalidParameterException`; `X-Amzn-ErrorType` says which."),
            "403": error("`AccessDeniedException`."),
            "413": error("`ValidationException`: the body is too large."),
            "422": error("`UnprocessableEntityException`: a policy is beyond a limit."),
            "429": error("`ThrottlingException`; `Retry-After` says when to come again."),
            "500": error("`InternalServerException`."),
        },
    } })
}
