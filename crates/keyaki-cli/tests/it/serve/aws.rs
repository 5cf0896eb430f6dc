//! The API of AWS: what its own clients see (`tests/aws/clients.py`), and what they never send.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use super::Server;
use crate::program::{Den, PRIVATE, PUBLIC};

const PUBLIC_CHECK: &str = "/policy/check-no-public-access";

/// A key for the clients of `clients.py`.
const KEYS: &str = "# a comment\n\nAKIDEXAMPLE a-secret-of-the-test\n";

fn with_keys(den: Den) -> Server {
    den.write("keys", KEYS);
    let keys = den.path().join("keys");
    den.write("settings.toml", format!("[aws]\nkeys = {:?}\n", keys.to_str().unwrap()));
    let settings = den.path().join("settings.toml");
    let arguments = format!("--settings {}", settings.to_str().unwrap());
    Server::start_in(den, &arguments)
}

/// `cargo xtask test` puts them there.
#[test]
fn unmodified_clients_get_their_answers() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let python = root.join("target/aws-clients/bin/python");
    let is_set = |name| std::env::var(name).is_ok_and(|value| value == "true" || value == "1");
    if !python.exists() {
        assert!(!is_set("CI"), "no clients of AWS: `cargo xtask test` installs them");
        eprintln!("SKIPPED: no clients of AWS: `cargo xtask test` installs them");
        return;
    }
    let server = with_keys(Den::new());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/aws/clients.py");
    let address = format!("http://{}", server.address);
    let written = server.den.path().join("clients");
    std::fs::create_dir(&written).unwrap();
    let mut command = Command::new(python);
    command.arg(script).arg(address).arg(written).env("AWS_EC2_METADATA_DISABLED", "true");
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let done = String::from_utf8_lossy(&output.stdout).lines().count();
    assert_eq!(done, 8, "{}", String::from_utf8_lossy(&output.stdout));
}

fn body(policy: &str) -> String {
    json!({"policyDocument": policy, "resourceType": "AWS::S3::Bucket"}).to_string()
}

#[test]
fn nobody_needs_a_signature_where_there_are_no_keys() {
    let server = Server::start("");
    for (policy, result) in [(PUBLIC, "FAIL"), (PRIVATE, "PASS")] {
        let reply = server.post(PUBLIC_CHECK, body(policy));
        let answer: Value = serde_json::from_str(&reply.body).unwrap();
        assert_eq!((reply.status, &answer["result"]), (200, &json!(result)), "{answer}");
        assert!(reply.header("x-amzn-requestid").is_some());
    }
}

#[test]
fn whoever_does_not_sign_is_denied_where_there_are_keys() {
    let server = with_keys(Den::new());
    for (header, message) in [
        ("accept: */*", "the request is not signed"),
        ("authorization: Bearer AKIDEXAMPLE", "the `Authorization` header is malformed"),
    ] {
        let reply = server.send(&format!("POST {PUBLIC_CHECK}"), &[header], body(PRIVATE));
        let answer: Value = serde_json::from_str(&reply.body).unwrap();
        assert_eq!((reply.status, &answer["message"]), (403, &json!(message)));
        assert_eq!(reply.header("x-amzn-errortype"), Some("AccessDeniedException"));
    }
    let reply = server.post("/", "Action=GetCallerIdentity");
    assert_eq!(reply.status, 403);
    assert!(reply.body.contains("<Code>AccessDeniedException</Code>"), "{}", reply.body);
    // Our own routes are of this machine alone, and take no signature.
    assert_eq!(
        server.post("/v1/check/no-public-access", format!(r#"{{"policy":{PRIVATE}}}"#)).status,
        200
    );
}

#[test]
fn a_bearer_token_is_no_signature() {
    let den = Den::new();
    den.write("tokens", "a-token-of-sixteen-letters\n");
    let tokens = den.path().join("tokens");
    let server = Server::start_in(den, &format!("--tokens {}", tokens.to_str().unwrap()));
    for header in ["accept: */*", "authorization: Bearer a-token-of-sixteen-letters"] {
        let reply = server.send(&format!("POST {PUBLIC_CHECK}"), &[header], body(PRIVATE));
        assert_eq!(reply.status, 403, "{header}");
        assert!(reply.body.contains("no keys here"), "{}", reply.body);
    }
}

#[test]
fn what_no_client_sends_is_an_error_of_its_kind() {
    let server = Server::start("");
    let deep = format!("{}1{}", "[".repeat(5_000), "]".repeat(5_000));
    let cases: [(&str, &[u8], u16, &str, &str); 8] = [
        (PUBLIC_CHECK, b"{", 400, "ValidationException", "cannotParse"),
        (PUBLIC_CHECK, b"[]", 400, "ValidationException", "cannotParse"),
        (PUBLIC_CHECK, b"\xff", 400, "ValidationException", "cannotParse"),
        (PUBLIC_CHECK, deep.as_bytes(), 400, "ValidationException", "cannotParse"),
        (PUBLIC_CHECK, b"{}", 400, "ValidationException", "fieldValidationFailed"),
        (
            PUBLIC_CHECK,
            br#"{"policyDocument": {}, "resourceType": "AWS::S3::Bucket"}"#,
            400,
            "ValidationException",
            "fieldValidationFailed",
        ),
        (
            "/policy/check-access-not-granted",
            br#"{"policyDocument": "{}", "policyType": "IDENTITY_POLICY", "access": []}"#,
            400,
            "ValidationException",
            "fieldValidationFailed",
        ),
        (
            "/policy/validation?maxResults=many",
            br#"{"policyDocument": "{}", "policyType": "IDENTITY_POLICY"}"#,
            400,
            "ValidationException",
            "fieldValidationFailed",
        ),
    ];
    for (path, body, status, kind, reason) in cases {
        let reply = server.post(path, body);
        let answer: Value =
            serde_json::from_str(&reply.body).unwrap_or_else(|_| panic!("{reply:?}"));
        assert_eq!(
            (reply.status, reply.header("x-amzn-errortype")),
            (status, Some(kind)),
            "{answer}"
        );
        assert_eq!(answer["reason"], reason, "{answer}");
        assert!(answer["message"].as_str().is_some_and(|message| !message.is_empty()));
    }
    for form in ["", "Action=", "Action=%ff", "Version=2011-06-15"] {
        let reply = server.post("/", form);
        assert_eq!(reply.status, 400, "{form}");
        assert!(reply.body.contains("<Code>InvalidAction</Code>"), "{}", reply.body);
    }
}

#[test]
fn what_cannot_be_taken_now_is_throttled() {
    let server = Server::start("");
    // A deadline that is over before anybody can begin.
    let head = format!("POST {PUBLIC_CHECK}");
    let reply = server.send(&head, &["keyaki-deadline-ms: 0"], body(PRIVATE));
    assert!(matches!(reply.status, 200 | 400 | 429), "{reply:?}");
    assert!(!reply.body.contains("PASS"), "{reply:?}");
}

#[test]
fn keys_and_the_account_are_looked_at_before_it_listens() {
    let den = Den::new();
    let refused = |settings: &str| {
        den.write("settings.toml", settings);
        let run = den.keyaki("serve --listen 127.0.0.1:0 --settings settings.toml");
        assert_eq!(run.status, 2, "{settings}");
        run.stderr
    };
    den.write("keys", "AKIDEXAMPLE\n");
    assert!(refused("[aws]\nkeys = \"keys\"").contains("line 1: a line has an access key id"));
    den.write("keys", "# nothing\n");
    assert!(refused("[aws]\nkeys = \"keys\"").contains("there is no key in it"));
    assert!(refused("[aws]\naccount = \"1\"").contains("`1` is no account"));
}
