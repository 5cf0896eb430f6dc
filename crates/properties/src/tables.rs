//! Tables of certificates of statements: what `keyaki-verify` accepts holds.
//!
//! The policies are those of [`crate::covering`]: one is an edit of the other. Their statements are held to the policies first. Then three tables are
//! tried: the one that came with an answer; one of all rows that the checker takes, whoever would write them, so that whatever it can be
//! made to accept is compared with the formula; and damaged ones, of damaged statements.

use keyaki_analysis::certify::query;
use keyaki_analysis::translation::statements::Reading;
use keyaki_analysis::{Options, Question, Verdict};
use keyaki_logic::{Cancel, Limits};
use keyaki_solvers::Automaton;
use keyaki_verify::certificate;
use serde_json::Value;

use crate::certificates::Random;
use crate::questions::ask;
use crate::solving::TIMEOUT;
use crate::{NoCase, case};

/// Requests on which statements and policies are compared.
const N_REQUESTS: usize = 48;

/// The most rows that are tried.
const MAX_ROWS: usize = 250;

/// Damages that are tried of a certificate.
const N_DAMAGES: usize = 16;

/// Nothing is accepted that fails.
pub(crate) fn check(drawn: &Value) -> Result<Vec<&'static str>, NoCase> {
    let question = case::question(drawn)?;
    let Some(query) = query(&question) else { return Ok(vec![]) };
    let mut reading = Reading::of(&query).expect("what we write can be read");
    let limits = Limits::within(TIMEOUT);
    let tally =
        reading.validate(&question, &Options::default(), N_REQUESTS, &limits, &Cancel::new());
    let tally = tally.unwrap_or_else(|mismatch| panic!("{mismatch:?}:\n{query}"));
    let mut outcomes = Vec::new();
    outcomes.extend((tally.n_breaking > 0).then_some("breaks"));
    outcomes.extend((tally.n_harmless > 0).then_some("does not break"));

    let options = Options { table: true, ..Options::default() };
    let report = ask(&question, &Automaton, options).unwrap_or_else(|error| panic!("{error}"));
    match report.table.as_ref().map(|table| (table, certificate(&query, table))) {
        Some((table, Ok(_))) => {
            outcomes.push("accepted");
            let mut random = Random::of(drawn);
            for _ in 0..N_DAMAGES {
                outcomes.extend(damaged(&question, &query, table, &mut random));
            }
        }
        Some((_, Err(_))) => outcomes.push("rejected"),
        None => {}
    }
    if certificate(&query, &all_rows(&query)).is_ok() {
        outcomes.push("accepted as told by nobody");
        let plain = Options { candidates: false, ..Options::default() };
        let plain = ask(&question, &Automaton, plain).unwrap_or_else(|error| panic!("{error}"));
        let fails = matches!(plain.verdict, Verdict::Fails(_));
        assert!(!fails, "accepted, and fails: {:?}\n{query}", plain.verdict);
    }
    Ok(outcomes)
}

/// All rows that the checker takes, in an order in which they can be enough.
fn all_rows(query: &str) -> String {
    let statements: Vec<&str> =
        query.lines().filter(|line| ["allow", "deny", "as"].contains(&first(line))).collect();
    let n = statements.len();
    let mut table = String::new();
    let mut n_tried = 0;
    let mut take = |row: String| {
        n_tried += 1;
        if n_tried > MAX_ROWS {
            return;
        }
        let longer = format!("{table}{row}\n");
        // A row that is wrong is told with its line; else something is missing.
        if !is_wrong(query, &longer) {
            table = longer;
        }
    };
    for statement in 0..n {
        for other in 0..n {
            take(format!("spared {statement} {other}"));
            take(format!("denied {statement} {other}"));
            for third in 0..n {
                take(format!("denied {statement} {other} {third}"));
            }
        }
    }
    let width = query.lines().map(|line| line.split(' ').count()).max().unwrap_or(0);
    for statement in 0..n {
        for other in 0..n {
            take(format!("covered {statement} {other} *"));
            for position in 0..width {
                take(format!("covered {statement} {other} {position}"));
                for place in 0..width {
                    let action = format!("{position}-{position}@{place}");
                    take(format!("covered {statement} {other} * {action}"));
                    for resource in 0..width.min(3) {
                        take(format!("covered {statement} {other} {resource} {action}"));
                    }
                }
            }
        }
    }
    table
}

fn is_wrong(query: &str, table: &str) -> bool {
    let found = certificate(query, table);
    found.is_err_and(|rejection| rejection.to_string().starts_with("line "))
}

fn first(line: &str) -> &str {
    line.split(' ').next().unwrap_or_default()
}

/// What comes of a certificate of which a byte is changed somewhere, or two words or lines are exchanged.
fn damaged(
    question: &Question,
    query: &str,
    table: &str,
    random: &mut Random,
) -> Option<&'static str> {
    let mut below = |n: usize| random.below(n.max(1) as u64) as usize;
    let mut parts = [query.to_owned(), table.to_owned()];
    let which = below(2);
    let mut bytes = parts[which].clone().into_bytes();
    if bytes.is_empty() {
        return None;
    }
    let (at, other) = (below(bytes.len()), below(bytes.len()));
    match below(5) {
        0 => bytes[at] ^= 1 << below(7),
        1 => drop(bytes.remove(at)),
        2 => bytes.insert(at, bytes[at]),
        3 => bytes.swap(at, other),
        _ => {
            let text = parts[which].clone();
            let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
            let (at, other) = (below(lines.len()), below(lines.len()));
            lines.swap(at, other);
            bytes = lines.concat().into_bytes();
        }
    }
    parts[which] = String::from_utf8(bytes).ok()?;
    if parts[0] == query && parts[1] == table {
        return None;
    }
    if certificate(&parts[0], &parts[1]).is_err() {
        return Some("damaged and rejected");
    }
    if parts[0] == query {
        return Some("damaged and the same");
    }
    // Where it is about other statements they have to be such that it holds.
    let mut reading = Reading::of(&parts[0]).ok()?;
    let breaking = reading.breaking(question, N_REQUESTS);
    assert!(breaking.is_none(), "{breaking:?} breaks what was accepted:\n{}{}", parts[0], parts[1]);
    Some("damaged and of others")
}
