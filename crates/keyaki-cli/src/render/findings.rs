//! Rows of findings in words.

use keyaki::Question;
use keyaki::job::Inquiry;
use keyaki::wire::findings::{CoverageRecord, Finding, OneOrMany, RowRecord};
use keyaki::wire::{EvidenceName, JobResult, StatementRef, VerdictName};

use super::{
    inside, line, names, place, principal, readings, reason_in_words, statement_name, unknown,
    visible,
};
use crate::commands::FileNames;

/// The rows of a result.
pub(crate) fn rows(result: &JobResult) -> impl Iterator<Item = &RowRecord> {
    let findings = result.findings.iter().flatten();
    findings.filter_map(|finding| match finding {
        Finding::Access(row) => Some(&**row),
        Finding::Validation(_) => None,
    })
}

/// The answer to `findings`.
pub(crate) fn findings(inquiry: &Inquiry, files: &FileNames, result: &JobResult) -> String {
    let mut out = String::new();
    line(&mut out, format_args!("{}", sentence(inquiry, files, result)));
    for (position, row) in rows(result).enumerate() {
        out.push('\n');
        tell(&mut out, position + 1, row);
        for statement in &row.statements {
            line(&mut out, format_args!("     allowed by {}", place(inquiry, files, statement)));
        }
        if let Some(witness) = &row.witness {
            let who = principal(&witness.principal);
            let (action, resource) = (visible(&witness.action), visible(&witness.resource));
            line(&mut out, format_args!("     such as    {action} on {resource}"));
            line(&mut out, format_args!("                by {who}"));
        }
        readings(&mut out, &row.witness_under, &row.depends_on);
        if let Some(reason) = row.reason {
            let words = reason_in_words(reason);
            line(&mut out, format_args!("     not found out: {} ({words})", reason.as_str()));
        }
        for item in &row.unsupported {
            line(&mut out, format_args!("       {}", visible(&item.construct)));
        }
    }
    if result.verdict == Some(VerdictName::Unknown) {
        out.push('\n');
        unknown(&mut out, files, result);
    }
    out.push('\n');
    for zone in inquiry.question.zones() {
        line(&mut out, format_args!("  inside are {}", inside(zone)));
    }
    if let Some(coverage) = &result.coverage {
        line(&mut out, format_args!("  {}", covered(result, coverage)));
    }
    out
}

fn sentence(inquiry: &Inquiry, files: &FileNames, result: &JobResult) -> String {
    let named = |prefix: &str| names(files, prefix).join(" and ");
    let n = rows(result).filter(|row| row.witness.is_some()).count();
    let in_rows = if n == 1 { "1 row".to_owned() } else { format!("{n} rows") };
    let is_comparison = matches!(inquiry.question, Question::NoNewAccess { .. });
    let verdict = result.verdict.unwrap_or(VerdictName::Unknown);
    let (new, old) = (named("/new"), named("/existing"));
    let policy = named("/policy");
    match (verdict, is_comparison) {
        (VerdictName::Holds, true) => format!("holds: {new} allows nothing that {old} does not"),
        (VerdictName::Holds, false) => {
            format!("holds: {policy} grants nothing to anybody outside the zone of trust")
        }
        (VerdictName::Fails, true) => {
            format!("fails: {new} allows what {old} does not, in {in_rows}")
        }
        (VerdictName::Fails, false) => {
            format!("fails: {policy} grants access from outside the zone of trust, in {in_rows}")
        }
        (VerdictName::Unknown, true) => {
            format!("unknown: it was not found out whether {new} allows more than {old}")
        }
        (VerdictName::Unknown, false) => format!(
            "unknown: it was not found out whether {policy} grants access from outside the zone of trust"
        ),
    }
}

fn tell(out: &mut String, number: usize, row: &RowRecord) {
    let mut label = format!("{number:>3}");
    let mut say = |name: &str, text: String| {
        line(out, format_args!("{label:<3}  {name:<9}  {text}"));
        label = String::new();
    };
    let listed = |texts: &[String]| visible(&texts.join(", "));
    for (kind, entries) in row.principal.iter().flatten() {
        let everybody = kind == "AWS" && *entries == OneOrMany::One("*".to_owned());
        let who =
            if everybody { "anybody".to_owned() } else { format!("{kind} {}", text(entries)) };
        say("principal", who);
    }
    say("action", listed(&row.action));
    say("resource", listed(&row.resource));
    for (key, pattern) in &row.condition {
        let operator = row.operators.get(key).map(String::as_str).unwrap_or_default();
        let text = format!("{operator} {} {}", visible(key), text(pattern));
        say("condition", text);
    }
    if row.is_public == Some(true) {
        say("public", "yes".to_owned());
    }
}

fn text(texts: &OneOrMany) -> String {
    match texts {
        OneOrMany::One(text) => visible(text),
        OneOrMany::Many(texts) => visible(&texts.join(", ")),
    }
}

/// The answer to `who-can`.
pub(crate) fn who_can(result: &JobResult) -> String {
    let mut out = String::new();
    let n = rows(result).filter(|row| row.witness.is_some()).count();
    let sentence = match (result.verdict, n) {
        (Some(VerdictName::Holds), _) => "holds: none of the principals can".to_owned(),
        (Some(VerdictName::Fails), 1) => "fails: 1 principal can".to_owned(),
        (Some(VerdictName::Fails), _) => format!("fails: {n} principals can"),
        _ => "unknown: it was not found out whether somebody can".to_owned(),
    };
    line(&mut out, format_args!("{sentence}"));
    for row in rows(result) {
        out.push('\n');
        for who in row.principal.iter().flatten().map(|(_, who)| text(who)) {
            line(&mut out, format_args!("  {who}"));
        }
        for step in &row.through {
            let by = by(&step.statements);
            line(&mut out, format_args!("    assumes  {}{by}", visible(&step.role)));
        }
        if let Some(witness) = &row.witness {
            let (action, resource) = (visible(&witness.action), visible(&witness.resource));
            let by = by(&row.statements);
            line(&mut out, format_args!("    may      {action} on {resource}{by}"));
        }
        if !row.depends_on.is_empty() {
            line(
                &mut out,
                format_args!("    depends on {} (--decision)", row.depends_on.join(", ")),
            );
        }
        if let Some(reason) = row.reason {
            let words = reason_in_words(reason);
            line(&mut out, format_args!("    not found out: {} ({words})", reason.as_str()));
        }
    }
    let milliseconds = result.elapsed_ns.unwrap_or(0) as f64 / 1e6;
    line(
        &mut out,
        format_args!("\n  each step was replayed by the evaluator; after {milliseconds:.0} ms"),
    );
    out
}

/// The statements that allow something, by their places in the file.
fn by(statements: &[StatementRef]) -> String {
    let names = statements.iter().map(|statement| {
        format!("{} of {}", statement_name(statement), visible(&statement.policy))
    });
    let names: Vec<String> = names.collect();
    if names.is_empty() { String::new() } else { format!(", by {}", names.join(" and ")) }
}

/// Whether the rows cover everything, and how that came to be known.
fn covered(result: &JobResult, coverage: &CoverageRecord) -> String {
    let milliseconds = result.elapsed_ns.unwrap_or(0) as f64 / 1e6;
    let solver = result.solver.as_deref().unwrap_or("nobody");
    let precise = coverage.precise_rows;
    let of = if coverage.is_least { "no fewer" } else { "perhaps fewer" };
    match coverage.verdict {
        VerdictName::Holds => {
            let evidence = match coverage.evidence {
                Some(EvidenceName::Agreed) => "agreed by at least two solvers, first",
                _ => "claimed by",
            };
            let rows = match rows(result).count() {
                0 => "nothing is left".to_owned(),
                _ => format!("these rows cover everything, {of} of {precise} precise ones would"),
            };
            format!("{rows}: {evidence} {solver}, after {milliseconds:.0} ms")
        }
        _ => {
            let reason = coverage.reason.map(|reason| reason.as_str()).unwrap_or_default();
            format!("there may be more than these rows: {reason}, after {milliseconds:.0} ms")
        }
    }
}
