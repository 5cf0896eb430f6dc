//! What the answers come to, as Markdown tables for a closing note.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use serde_json::Value;

use super::jobs::{EDITED_FILES, QUESTIONS};
use super::text_of;

/// Error codes that are not about the input: each is a fault of ours, or of a solver.
const FAULTS: [&str; 7] =
    ["unsound", "contradiction", "solver-failed", "no-solver", "crashed", "hung", "rubbish"];

/// How many of the slowest jobs, and of the constructs not modelled, are listed.
const LISTED: usize = 15;

/// The number of results that are faults.
pub(super) fn faults(results: &[Value]) -> usize {
    results.iter().filter(|result| is_fault(result)).count()
}

/// All tables.
pub(super) fn text(results: &[Value]) -> String {
    let mut text = String::new();
    let parts = [
        verdicts(results),
        edits(results),
        solvers(results),
        unsupported(results),
        slowest(results),
        faults_by_id(results),
    ];
    for part in parts {
        let _ = writeln!(text, "{part}");
    }
    text
}

fn is_fault(result: &Value) -> bool {
    result.get("error").is_some_and(|error| FAULTS.contains(&text_of(error, "code")))
}

/// Rows of numbers, a column for each question.
fn verdicts(results: &[Value]) -> String {
    let columns = QUESTIONS.map(|question| {
        let of_question = results.iter().filter(|result| id_is_of(text_of(result, "id"), question));
        Column::new(&of_question.collect::<Vec<_>>())
    });
    let mut names: Vec<&String> = Vec::new();
    for (name, _) in columns.iter().flat_map(|column| &column.counts) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names.sort_by_key(|name| (rank(name), *name));
    let mut text =
        format!("| | {} |\n|---|{}\n", QUESTIONS.join(" | "), "---:|".repeat(QUESTIONS.len()));
    for name in names {
        let count = |column: &Column| {
            let found = column.counts.iter().find(|(other, _)| other == name);
            found.map_or(0, |(_, count)| *count).to_string()
        };
        let _ = writeln!(text, "| {name} | {} |", columns.each_ref().map(count).join(" | "));
    }
    let rate = |column: &Column| per_second(column.times.len(), column.times.iter().sum());
    let _ = writeln!(text, "| jobs a second | {} |", columns.each_ref().map(rate).join(" | "));
    for (name, share) in [("median", 0.5), ("p99", 0.99), ("max", 1.0)] {
        let time = |column: &Column| milliseconds(quantile(&column.times, share));
        let times = columns.each_ref().map(time).join(" | ");
        let _ = writeln!(text, "| {name} time, ms | {times} |");
    }
    text
}

/// Rows of answers about policies and edits of them: of each file, and of each edit.
fn edits(results: &[Value]) -> String {
    let part = |result: &Value, at: usize| {
        let id = text_of(result, "id");
        id.strip_prefix("edit/").and_then(|id| id.split('/').nth(at)).map(str::to_owned)
    };
    let mut text = String::new();
    let mut names: Vec<String> = EDITED_FILES.map(str::to_owned).to_vec();
    let of_edits: BTreeSet<String> = results.iter().filter_map(|result| part(result, 2)).collect();
    if of_edits.is_empty() {
        return text;
    }
    let header = EDIT_COLUMNS.join(" | ");
    let rule = "---:|".repeat(EDIT_COLUMNS.len() + 1);
    let _ = writeln!(text, "| edits | {header} | unsupported, % of answers |\n|---|{rule}");
    names.extend(of_edits);
    for name in names {
        let is_of = |result: &&Value| {
            part(result, 0).is_some_and(|file| file == name)
                || part(result, 2).is_some_and(|edit| edit == name)
        };
        let _ = writeln!(text, "| {name} | {} |", edit_row(results.iter().filter(is_of)));
    }
    let all = results.iter().filter(|result| text_of(result, "id").starts_with("edit/"));
    let _ = writeln!(text, "| all | {} |", edit_row(all));
    text
}

/// The columns of the table of edits. A job that is not answered because of its input is none of
/// the answers.
const EDIT_COLUMNS: [&str; 7] =
    ["jobs", "holds", "fails", "unsupported", "other unknown", "input errors", "faults"];

fn edit_row<'r>(results: impl Iterator<Item = &'r Value>) -> String {
    let mut counts = [0_usize; EDIT_COLUMNS.len()];
    for result in results {
        let column = match text_of(result, "verdict") {
            _ if is_fault(result) => "faults",
            _ if result.get("error").is_some() => "input errors",
            "unknown" if text_of(result, "reason") == "unsupported" => "unsupported",
            "unknown" => "other unknown",
            verdict => verdict,
        };
        counts[0] += 1;
        if let Some(at) = EDIT_COLUMNS.iter().position(|name| *name == column) {
            counts[at] += 1;
        }
    }
    let [jobs, .., unsupported, _, errors, _] = counts;
    let share = 100.0 * unsupported as f64 / (jobs - errors).max(1) as f64;
    let counts: Vec<String> = counts.iter().map(usize::to_string).collect();
    format!("{} | {share:.2}", counts.join(" | "))
}

/// How many jobs one worker answers a second, of those that took so many nanoseconds together.
fn per_second(n: usize, nanoseconds: u64) -> String {
    if nanoseconds == 0 {
        "-".to_owned()
    } else {
        format!("{:.0}", n as f64 * 1e9 / nanoseconds as f64)
    }
}

struct Column {
    counts: Vec<(String, usize)>,
    /// In nanoseconds, sorted.
    times: Vec<u64>,
}

impl Column {
    fn new(results: &[&Value]) -> Column {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        let mut times = Vec::new();
        for result in results {
            for name in rows_of(result) {
                *counts.entry(name).or_default() += 1;
            }
            times.extend(result.get("elapsed_ns").and_then(Value::as_u64));
        }
        times.sort_unstable();
        Column { counts: counts.into_iter().collect(), times }
    }
}

/// The rows in which a result counts.
fn rows_of(result: &Value) -> Vec<String> {
    let mut rows = vec!["jobs".to_owned()];
    if let Some(error) = result.get("error") {
        rows.push("error".to_owned());
        rows.push(format!("error: {}", text_of(error, "code")));
        return rows;
    }
    let verdict = text_of(result, "verdict");
    rows.push(verdict.to_owned());
    match verdict {
        "unknown" => rows.push(format!("unknown: {}", text_of(result, "reason"))),
        "holds" if text_of(result, "solver") == "simplifier" => {
            rows.push("holds: no solver asked".to_owned());
        }
        "holds" => rows.push(format!("holds: {}", text_of(result, "evidence"))),
        _ => {}
    }
    rows
}

/// Where a row stands.
fn rank(row: &str) -> usize {
    let order = ["jobs", "holds", "fails", "unknown", "error"];
    order.iter().position(|name| row.starts_with(name)).unwrap_or(order.len())
}

/// What one solver's tries came to.
#[derive(Default)]
struct Record {
    results: BTreeMap<&'static str, usize>,
    /// Times of the tries that won, in nanoseconds.
    winning: Vec<u64>,
}

/// The columns of the solver table.
const OUTCOMES: [&str; 7] =
    ["won", "agreed", "stopped", "timeout", "memory", "solver-gave-up", "error"];

fn solvers(results: &[Value]) -> String {
    let mut records: BTreeMap<&str, Record> = BTreeMap::new();
    let mut queries = 0;
    for result in results {
        for query in queries_of(result) {
            queries += 1;
            let mut decided = false;
            for attempt in query {
                let record = records.entry(text_of(attempt, "solver")).or_default();
                let outcome = outcome(text_of(attempt, "result"), decided);
                if outcome == "won" {
                    decided = true;
                    record.winning.extend(attempt.get("wall_ns").and_then(Value::as_u64));
                }
                *record.results.entry(outcome).or_default() += 1;
            }
        }
    }
    let mut text = format!(
        "{queries} queries, one for each statement that the simplifier could not decide and more \
         where a construct is not modelled.\n\n| solver | {} | median win, ms |\n|---|{}\n",
        OUTCOMES.join(" | "),
        "---:|".repeat(OUTCOMES.len() + 1),
    );
    for (name, mut record) in records {
        record.winning.sort_unstable();
        let count = |outcome| record.results.get(outcome).copied().unwrap_or(0).to_string();
        let (counts, median) = (OUTCOMES.map(count).join(" | "), quantile(&record.winning, 0.5));
        let _ = writeln!(text, "| {name} | {counts} | {} |", milliseconds(median));
    }
    text
}

/// The tries of a result, query by query. They are listed in the order in which they ended, and
/// each solver tries each query once, so a query begins where a solver comes again.
fn queries_of(result: &Value) -> Vec<Vec<&Value>> {
    let attempts = result.get("attempts").and_then(Value::as_array);
    let mut queries: Vec<Vec<&Value>> = Vec::new();
    let mut seen = BTreeSet::new();
    for attempt in attempts.into_iter().flatten() {
        if queries.is_empty() || !seen.insert(text_of(attempt, "solver")) {
            seen = BTreeSet::from([text_of(attempt, "solver")]);
            queries.push(Vec::new());
        }
        if let Some(query) = queries.last_mut() {
            query.push(attempt);
        }
    }
    queries
}

/// What a try came to, given whether another had decided the query before.
fn outcome(result: &str, decided: bool) -> &'static str {
    match result {
        "sat" | "unsat" if decided => "agreed",
        "sat" | "unsat" => "won",
        "cancelled" => "stopped",
        other => OUTCOMES.into_iter().find(|name| *name == other).unwrap_or("error"),
    }
}

fn unsupported(results: &[Value]) -> String {
    let mut jobs: BTreeMap<&str, usize> = BTreeMap::new();
    for result in results {
        let items = result.get("unsupported").and_then(Value::as_array);
        let constructs: BTreeSet<&str> =
            items.into_iter().flatten().map(|item| kind_of(text_of(item, "construct"))).collect();
        for construct in constructs {
            *jobs.entry(construct).or_default() += 1;
        }
    }
    let mut jobs: Vec<(&str, usize)> = jobs.into_iter().collect();
    jobs.sort_by_key(|&(construct, count)| (std::cmp::Reverse(count), construct));
    let mut text = "| not modelled | jobs that hang on it |\n|---|---:|\n".to_owned();
    for (construct, count) in jobs.into_iter().take(LISTED) {
        let _ = writeln!(text, "| {construct} | {count} |");
    }
    text
}

/// A construct without what it is about: an operator keeps its name, a value does not.
fn kind_of(construct: &str) -> &str {
    if construct.starts_with("condition operator") {
        return construct;
    }
    let kind = construct.split(" `").next().unwrap_or(construct);
    kind.strip_suffix(" in").unwrap_or(kind)
}

fn slowest(results: &[Value]) -> String {
    let time = |result: &Value| result.get("elapsed_ns").and_then(Value::as_u64).unwrap_or(0);
    let mut sorted: Vec<&Value> = results.iter().collect();
    sorted.sort_by_key(|result| (std::cmp::Reverse(time(result)), text_of(result, "id")));
    let mut text = "| slowest | answer | ms | queries |\n|---|---|---:|---:|\n".to_owned();
    for result in sorted.into_iter().take(LISTED) {
        let rows = rows_of(result);
        let answer = rows.last().map_or("", String::as_str);
        let (id, queries) = (text_of(result, "id"), queries_of(result).len());
        let _ = writeln!(text, "| {id} | {answer} | {} | {queries} |", milliseconds(time(result)));
    }
    text
}

fn faults_by_id(results: &[Value]) -> String {
    let mut text = String::new();
    for result in results.iter().filter(|result| is_fault(result)) {
        let error = &result["error"];
        let (id, code, message) =
            (text_of(result, "id"), text_of(error, "code"), text_of(error, "message"));
        let _ = writeln!(text, "- {id}: {code}: {message}");
    }
    text
}

fn id_is_of(id: &str, question: &str) -> bool {
    let of_family = match id.split('/').next() {
        Some("public") => QUESTIONS[0],
        Some("access") => QUESTIONS[2],
        Some("external") => QUESTIONS[3],
        Some("equivalent") => QUESTIONS[4],
        Some("disjoint") => QUESTIONS[5],
        _ => QUESTIONS[1],
    };
    of_family == question
}

/// The smallest of the sorted numbers that at least this share of them does not exceed; zero if
/// there is none.
fn quantile(sorted: &[u64], share: f64) -> u64 {
    let rank = (sorted.len() as f64 * share).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(0)
}

fn milliseconds(nanoseconds: u64) -> String {
    format!("{:.1}", nanoseconds as f64 / 1e6)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_quantile_is_one_of_the_numbers() {
        let numbers: Vec<u64> = (1..=100).collect();
        assert_eq!([0.5, 0.99, 1.0].map(|share| quantile(&numbers, share)), [50, 99, 100]);
        assert_eq!(quantile(&[7], 0.5), 7);
        assert_eq!(quantile(&[], 0.5), 0);
    }

    #[test]
    fn the_first_definite_try_wins_and_a_later_one_agrees() {
        let attempt = |solver: &str, result: &str| json!({"solver": solver, "result": result});
        let result = json!({"id": "public/x", "attempts": [
            attempt("b", "error"), attempt("a", "sat"),
            attempt("b", "unsat"), attempt("a", "unsat"),
            attempt("b", "timeout"), attempt("a", "cancelled"),
        ]});
        let text = solvers(&[result]);
        assert!(text.starts_with("3 queries"), "{text}");
        assert!(text.contains("| a | 1 | 1 | 1 | 0 | 0 | 0 | 0 |"), "{text}");
        assert!(text.contains("| b | 1 | 0 | 0 | 1 | 0 | 0 | 1 |"), "{text}");
    }

    #[test]
    fn a_construct_is_counted_without_its_value() {
        assert_eq!(kind_of("policy variable in `${aws:username}/*`"), "policy variable");
        assert_eq!(kind_of("resource `execute-api:/*`"), "resource");
        assert_eq!(kind_of("condition operator `Null`"), "condition operator `Null`");
    }

    #[test]
    fn bad_input_is_an_error_but_no_fault() {
        let result = |code: &str| json!({"id": "public/x", "error": {"code": code}});
        let results = [result("invalid-policy"), result("unsound")];
        assert_eq!(faults(&results), 1);
        let text = text(&results);
        assert!(text.contains("| error | 2 | 0 | 0 |"), "{text}");
        assert!(text.contains("| error: unsound | 1 | 0 | 0 |"), "{text}");
    }
    #[test]
    fn edits_are_counted_by_file_and_by_edit() {
        let result = |id: &str, answer: &[(&str, &str)]| {
            let mut result = json!({"id": format!("edit/{id}/forward")});
            for (name, value) in answer {
                result[*name] = json!(value);
            }
            result
        };
        let unsupported = [("verdict", "unknown"), ("reason", "unsupported")];
        let mut broken = result("org/o-1/swap-effect", &[]);
        broken["error"] = json!({"code": "invalid-policy"});
        let results = [
            result("org/o-2/swap-effect", &unsupported),
            result("org/o-3/add-action", &[("verdict", "holds")]),
            broken,
        ];
        let text = edits(&results);
        assert!(text.contains("| org | 3 | 1 | 0 | 1 | 0 | 1 | 0 | 50.00 |"), "{text}");
        assert!(text.contains("| swap-effect | 2 | 0 | 0 | 1 | 0 | 1 | 0 | 100.00 |"), "{text}");
        assert_eq!(edits(&[json!({"id": "public/x"})]), "");
    }
}
