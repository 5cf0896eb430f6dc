//! `docs/schema.json`: what the program prints as its schema, and what jobs and results are.

use serde_json::json;

use crate::program::{Den, check_against_schema, schema};

#[test]
fn the_committed_schema_is_the_one_that_the_program_prints() {
    let printed = Den::new().keyaki("schema");
    assert_eq!((printed.status, printed.stderr.as_str()), (0, ""));
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/schema.json");
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        committed == printed.stdout,
        "docs/schema.json is not what `keyaki schema` prints. If the change is meant:\n\n    \
         cargo run -q -p keyaki-cli -- schema > docs/schema.json\n\nFields may be added; changing \
         or removing one is a major version."
    );
}

#[test]
fn the_schema_takes_jobs_and_results_and_nothing_misspelt() {
    let validator = jsonschema::validator_for(schema()).unwrap();
    let job = json!({"id": "1", "question": "no-public-access", "policy": {"Statement": []}});
    let list = json!({"question": "no-new-access", "existing": [{}, "{}"], "new": "{}"});
    let result = json!({"id": "1", "verdict": "unknown", "reason": "timeout"});
    for good in [&job, &list, &result] {
        assert!(validator.is_valid(good), "{good}");
    }
    check_against_schema("Job", &job);
    check_against_schema("Job", &list);
    check_against_schema("JobResult", &result);
    for bad in [json!([]), json!({"verdict": "safe"}), json!({"question": 1}), json!("holds")] {
        assert!(!validator.is_valid(&bad), "{bad}");
    }
}
