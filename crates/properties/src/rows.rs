//! Findings in small universes: every request that breaks the property is of some row, and every row has a request.
//!
//! The universes are those of [`crate::enumeration`]. Rows are matched by the concrete evaluator, as statements, and know
//! nothing of the patterns that they were made of.

use std::collections::BTreeSet;

use arbitrary::{Result, Unstructured};
use keyaki_analysis::Question;
use keyaki_analysis::findings::{Cause, Coverage, Findings, Row, Wanted, findings};
use keyaki_analysis::replay::{Replay, breaks, replay};
use keyaki_logic::{Cancel, Limits};
use keyaki_policy::ast::Version;
use keyaki_policy::evaluate::{Truth, statement_matches};
use keyaki_policy::request::Request;
use keyaki_policy::{Policy, PolicyType, Readings};
use keyaki_solvers::Automaton;
use serde_json::{Value, json};

use crate::enumeration::{self, possible};
use crate::questions::TIMEOUT;
use crate::{NoCase, case};

/// A question of a small universe, and whether all rows are wanted.
pub(crate) fn draw(u: &mut Unstructured<'_>) -> Result<Value> {
    let mut drawn = enumeration::draw(u)?;
    // Two directions have two lists.
    if drawn["question"] == json!("equivalent") {
        drawn["question"] = json!("no-new-access");
    }
    drawn["all"] = json!(u.arbitrary::<bool>()?);
    Ok(drawn)
}

/// The rows cover what trying every request finds, and are real.
pub(crate) fn check(case: &Value) -> std::result::Result<Vec<&'static str>, NoCase> {
    let question = case::question(case)?;
    let readings = case::readings(case)?;
    let options = case::options(readings);
    let wanted = Wanted { all: case["all"] == json!(true), table: None };
    let limits = Limits::within(TIMEOUT);
    let found = findings(&question, wanted, &Automaton, &options, &limits, &Cancel::new())
        .unwrap_or_else(|error| panic!("{error}"));
    let policy_type =
        question.policies().next().map_or(PolicyType::Resource, |(_, policy)| policy.policy_type);
    for row in &found.rows {
        let Cause::Shown { witness, under, depends_on } = &row.cause else { continue };
        assert!(depends_on.is_empty() && *under == readings, "all readings are decided");
        let replayed = replay(&question, &witness.request, *under);
        assert!(matches!(replayed, Replay::Confirmed { .. }), "{replayed:?}: {witness:?}");
        let is_of_row = matches(row, policy_type, &witness.request, *under);
        assert_eq!(is_of_row, Truth::True, "{row:?}");
    }
    let Coverage::Complete(_) = found.coverage else { return Ok(vec!["unknown"]) };
    for request in possible(&question, case, readings)? {
        if let Replay::Confirmed { .. } = breaks(&question, &request, readings) {
            let is_of_row =
                |row: &Row| matches(row, policy_type, &request, readings) != Truth::False;
            let request = case::of_request(&request);
            assert!(found.rows.iter().any(is_of_row), "{request} is of no row: {:?}", found.rows);
        }
    }
    assert_distinct(&found);
    Ok(vec![outcome(&question, &found)])
}

/// Whether the request is of the row.
fn matches(row: &Row, policy_type: PolicyType, request: &Request, readings: Readings) -> Truth {
    let statement = row.statement.clone();
    let policy = Policy {
        policy_type,
        version: Version::V2012,
        id: None,
        statements: vec![statement],
        single_statement: true,
    };
    statement_matches(&policy, &policy.statements[0], request, readings).0
}

/// No two rows say the same.
fn assert_distinct(found: &Findings) {
    let shown = |row: &Row| format!("{:?}", row.statement);
    let distinct: BTreeSet<String> = found.rows.iter().map(shown).collect();
    assert_eq!(distinct.len(), found.rows.len(), "{:?}", found.rows);
}

fn outcome(question: &Question, found: &Findings) -> &'static str {
    let is_external = question.zones().next().is_some();
    match (found.rows.len(), is_external) {
        (0, _) => "no row",
        (1, _) => "one row",
        (_, true) => "several rows from outside",
        (_, false) => "several rows",
    }
}
