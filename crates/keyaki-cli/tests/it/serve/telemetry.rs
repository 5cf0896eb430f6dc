//! Traces: what a collector gets of requests, what it does not get, and that nobody waits for it.

use super::Server;
use crate::program::Den;

#[cfg(feature = "opentelemetry")]
mod collector;
#[cfg(feature = "opentelemetry")]
mod exported;

/// What `keyaki serve` says to such settings and such a variable, which it has to refuse.
#[track_caller]
fn refusal(settings: &str, variables: &[(&str, &str)]) -> String {
    let den = Den::with("settings.toml", settings);
    let mut command =
        den.command(&["serve", "--listen", "127.0.0.1:0", "--settings", "settings.toml"]);
    let output = command.envs(variables.iter().copied()).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn settings_of_traces_that_cannot_be_are_told_with_their_place() {
    let misspelt = refusal("[telemetry]\nendpiont = \"http://127.0.0.1:4318\"\n", &[]);
    assert!(misspelt.contains("settings.toml: line 2: unknown field `endpiont`"), "{misspelt}");
    let endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT";
    let of_variable = refusal("", &[(endpoint, "collector:4318")]);
    assert!(of_variable.contains(&format!("`{endpoint}` is `collector:4318")), "{of_variable}");
    assert!(of_variable.contains("such as `http://127.0.0.1:4318`"), "{of_variable}");
    let sampler = [(endpoint, "http://127.0.0.1:1"), ("OTEL_TRACES_SAMPLER", "some")];
    let of_sampler = refusal("", &sampler);
    assert!(
        of_sampler.contains("`OTEL_TRACES_SAMPLER` is `some`; the samplers are"),
        "{of_sampler}"
    );
    assert!(of_sampler.contains("hint: docs/service.md"), "{of_sampler}");
}

#[cfg(not(feature = "opentelemetry"))]
#[test]
fn a_program_without_traces_says_how_to_have_them() {
    let said = refusal("[telemetry]\nendpoint = \"http://127.0.0.1:4318\"\n", &[]);
    assert!(said.contains("`telemetry.endpoint` is set, but this program was built"), "{said}");
    assert!(
        said.contains("hint: build it with") && said.contains("--features opentelemetry"),
        "{said}"
    );
}

#[cfg(not(feature = "opentelemetry"))]
#[test]
fn a_variable_that_is_meant_for_others_too_is_no_reason_not_to_start() {
    let den = Den::new();
    let mut command = den.command(&["serve", "--listen", "127.0.0.1:0"]);
    command.env("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318");
    command.stderr(std::fs::File::create(den.path().join("log")).unwrap());
    let mut server = Server::spawn(den, command);
    assert_eq!(server.get("/healthz").status, 200);
    server.signal("-TERM");
    assert_eq!(server.wait(), Some(0));
    assert!(server.log().contains("built without the feature `opentelemetry`"), "{}", server.log());
}
