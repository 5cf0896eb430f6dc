//! Answers in words.
//!
//! The first line is the answer. Everything makes sense without colour, so there is none.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::Path;

use keyaki::Question;
use keyaki::evaluation::Evaluation;
use keyaki::explanation::principal;
use keyaki::job::Inquiry;
use keyaki::policy::{Switch, policy_set};
use keyaki::question::Place;
use keyaki::script::Solved;
use keyaki::solvers::{Automaton, Found, RawAnswer, Status};
use keyaki::wire::{
    AdmittedAddresses, ErrorRecord, EvidenceName, JobResult, MatchedStatement, ReasonName,
    RelationName, Request, StatementRef, VerdictName,
};

use keyaki::zone::{ServicePrincipals, Zone};

use crate::commands::{FileNames, reading};

mod bucket;
mod explain;
mod findings;

pub(crate) use bucket::bucket;
pub(crate) use explain::explanation;
pub(crate) use findings::{findings, rows, who_can};

/// The answer to an inquiry.
pub(crate) fn answer(inquiry: &Inquiry, files: &FileNames, result: &JobResult) -> String {
    let mut out = String::new();
    let verdict = result.verdict.unwrap_or(VerdictName::Unknown);
    let word = match verdict {
        VerdictName::Holds => "holds",
        VerdictName::Fails => "fails",
        VerdictName::Unknown => "unknown",
    };
    line(&mut out, format_args!("{word}: {}", sentence(inquiry, files, result)));
    let witnesses = [
        ("/new", &result.witness, &result.statements),
        ("/existing", &result.witness_reverse, &result.statements_reverse),
    ];
    for (side, witness, statements) in witnesses {
        let Some(witness) = witness else { continue };
        out.push('\n');
        if let Question::Equivalent { .. } = &inquiry.question {
            let names = names(files, side);
            let allow = if names.len() > 1 { "together allow" } else { "allows" };
            line(&mut out, format_args!("  only {} {allow}:", names.join(" and ")));
            out.push('\n');
        }
        request(&mut out, witness);
        out.push('\n');
        for statement in statements {
            line(&mut out, format_args!("  allowed by {}", place(inquiry, files, statement)));
        }
    }
    if let Some(n_admitted) = &result.admitted_addresses {
        let n_others = result.companions.len();
        let others = if n_others == 1 { "one other" } else { &format!("{n_others} others") };
        let AdmittedAddresses { ipv4, ipv6 } = n_admitted;
        let numbers = [(ipv4, "IPv4"), (ipv6, "IPv6")].into_iter().filter(|(n, _)| *n != "0");
        let numbers: Vec<_> =
            numbers.map(|(n, family)| format!("{n} addresses of {family}")).collect();
        out.push('\n');
        line(
            &mut out,
            format_args!("  its address and {others} stand for {}", numbers.join(" and ")),
        );
    }
    if !result.witness_under.is_empty() {
        out.push('\n');
    }
    readings(&mut out, &result.witness_under, &result.depends_on);
    if verdict == VerdictName::Unknown {
        out.push('\n');
        unknown(&mut out, files, result);
    }
    for note in &result.notes {
        line(&mut out, format_args!("\n  note: {}", visible(note)));
    }
    if let Some(explanation) = &result.explanation {
        out.push('\n');
        for text in wrapped(&visible(explanation)) {
            line(&mut out, format_args!("  {text}"));
        }
    }
    out.push('\n');
    for zone in inquiry.question.zones() {
        line(&mut out, format_args!("  inside are {}", inside(zone)));
    }
    if let Some(reading) = reading(result) {
        line(&mut out, format_args!("  {reading}"));
    }
    for name in &result.assumed {
        line(
            &mut out,
            format_args!("  read with {name} attached, since no statement allows anything"),
        );
    }
    line(&mut out, format_args!("  {}", provenance(result)));
    if let Some(reason) = &result.uncertified {
        line(&mut out, format_args!("  no certificate: {reason}"));
    }
    out
}

/// The readings under which something is shown.
fn readings(out: &mut String, under: &BTreeMap<String, String>, depends_on: &[String]) {
    for (name, reading) in under {
        let explanation = Switch::by_name(name).map(Switch::explanation).unwrap_or_default();
        let word = if depends_on.contains(name) { "depends on" } else { "shown under" };
        line(out, format_args!("  {word} {name}: {explanation}"));
        line(out, format_args!("    it fails as shown under `{name}={reading}` (--decision)"));
    }
}

/// How wide a paragraph is, in characters.
const WIDTH: usize = 98;

/// A paragraph in lines; a word that is longer than a line has one of its own.
fn wrapped(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= WIDTH => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// The decision about one request.
pub(crate) fn evaluation(evaluation: &Evaluation, job: &Path, result: &JobResult) -> String {
    let mut out = String::new();
    let explanation = visible(result.explanation.as_deref().unwrap_or_default());
    match result.decision {
        Some(decision) => line(&mut out, format_args!("{decision:?}: {explanation}")),
        None => {
            line(&mut out, format_args!("unknown: the decision was not found out\n"));
            let files = vec![(String::new(), job.to_owned())];
            unknown(&mut out, &files, result);
        }
    }
    if !result.matched.is_empty() {
        out.push('\n');
    }
    for MatchedStatement { effect, statement } in &result.matched {
        let document = evaluation.documents.iter().find(|d| d.pointer == statement.policy);
        let policy = evaluation.set.policies().find(|(place, _)| {
            document.is_some_and(|document| document.at.place == Place::Set(*place))
        });
        let span = policy.and_then(|(_, policy)| Some(policy.statement(statement.index)?.span));
        let place = document.zip(span).map(|(document, span)| document.position(span.start));
        let kind = policy.map_or("policy", |(place, _)| kind_of_policy(place));
        let name = statement_name(statement);
        let place = place.map(|at| format!(" ({}:{at})", shown(job))).unwrap_or_default();
        line(&mut out, format_args!("  {effect:?}  {name} of the {kind}{place}"));
    }
    out
}

fn kind_of_policy(place: policy_set::Place) -> &'static str {
    use policy_set::Place::*;
    match place {
        Identity(_) => "identity policy",
        Resource(_) => "resource's policy",
        Boundary(_) => "permissions boundary",
        Session(_) => "session policy",
        Scp(..) => "service control policy",
        Rcp(..) => "resource control policy",
        VpcEndpoint(_) => "VPC endpoint's policy",
    }
}

fn statement_name(statement: &StatementRef) -> String {
    match &statement.sid {
        Some(sid) if !sid.is_empty() => format!("statement `{}`", visible(sid)),
        _ => format!("statement {}", statement.index),
    }
}

/// Accounts of a list that are named in words.
const MAX_NAMED: usize = 10;

/// Whom a zone of trust takes for insiders, in words.
fn inside(zone: &Zone) -> String {
    let list = |accounts: &BTreeSet<String>| {
        let named: Vec<&str> = accounts.iter().take(MAX_NAMED).map(String::as_str).collect();
        let more = accounts.len().saturating_sub(MAX_NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        format!("{}{more}", named.join(", "))
    };
    let mut parts = Vec::new();
    match &zone.owner {
        Some(owner) => parts.push(format!("the resource's owner {owner}")),
        None => parts.push("the resource's owner".to_owned()),
    }
    if !zone.accounts.is_empty() {
        parts.push(format!("accounts {}", list(&zone.accounts)));
    }
    if let Some(organization) = &zone.organization {
        let members = &zone.organization_accounts;
        let members =
            if members.is_empty() { String::new() } else { format!(" with {}", list(members)) };
        parts.push(format!("organisation {organization}{members}"));
    }
    parts.push(match zone.services {
        ServicePrincipals::Ignored => "AWS services".to_owned(),
        ServicePrincipals::Deputies => "AWS services that call for these".to_owned(),
    });
    parts.join("; ")
}

/// The names of the files of one side.
fn names(files: &FileNames, prefix: &str) -> Vec<String> {
    // Of a file of several policies the whole stands first.
    let own = files.iter().filter(|(pointer, _)| is_file_of(pointer, prefix));
    own.map(|(_, path)| shown(path)).collect()
}

/// What was found out, as a sentence about the files.
fn sentence(inquiry: &Inquiry, files: &FileNames, result: &JobResult) -> String {
    let verdict = result.verdict.unwrap_or(VerdictName::Unknown);
    let named = |prefix: &str| names(files, prefix).join(" and ");
    let verb = |prefix: &str, one: &str, many: &str| {
        let several = names(files, prefix).len() > 1;
        if several { many.to_owned() } else { one.to_owned() }
    };
    match (&inquiry.question, verdict) {
        (Question::Equivalent { .. }, verdict) => {
            let (new, old) = (named("/new"), named("/existing"));
            let allow = verb("/new", "allows", "together allow");
            let does = verb("/existing", "does", "do");
            match (verdict, result.relation) {
                (VerdictName::Holds, _) => format!("{new} {allow} the same as {old}"),
                (VerdictName::Fails, Some(RelationName::Narrower)) => {
                    format!("{new} {allow} only what {old} {does}, and less")
                }
                (VerdictName::Fails, Some(RelationName::Wider)) => {
                    format!("{new} {allow} all that {old} {does}, and more")
                }
                (VerdictName::Fails, Some(RelationName::Incomparable)) => {
                    format!("{new} and {old} each allow a request that the other does not")
                }
                (VerdictName::Fails, None) => {
                    format!("{new} and {old} do not allow the same requests")
                }
                (VerdictName::Unknown, _) => {
                    format!("it was not found out whether {new} {allow} the same as {old}")
                }
            }
        }
        (Question::Disjoint { .. }, verdict) => {
            let (new, old) = (named("/new"), named("/existing"));
            let allow = verb("/new", "allows", "together allow");
            let does = verb("/existing", "does", "do");
            match verdict {
                VerdictName::Holds => format!("{new} {allow} nothing that {old} {does}"),
                VerdictName::Fails => format!("{new} {allow} a request that {old} {does} as well"),
                VerdictName::Unknown => {
                    format!(
                        "it was not found out whether {new} {allow} something that {old} {does}"
                    )
                }
            }
        }
        (Question::NoNewAccess { .. }, verdict) => {
            let (new, old) = (named("/new"), named("/existing"));
            let allow = verb("/new", "allows", "together allow");
            let does = verb("/existing", "does", "do");
            match verdict {
                VerdictName::Holds => format!("{new} {allow} nothing that {old} {does} not"),
                VerdictName::Fails => format!("{new} {allow} a request that {old} {does} not"),
                VerdictName::Unknown => {
                    format!("it was not found out whether {new} {allow} more than {old}")
                }
            }
        }
        (Question::AccessNotGranted { .. }, verdict) => {
            let policy = named("/policy");
            match verdict {
                VerdictName::Holds => format!("{policy} grants none of the accesses"),
                VerdictName::Fails => format!("{policy} grants access that it should not"),
                VerdictName::Unknown => {
                    format!("it was not found out whether {policy} grants one of the accesses")
                }
            }
        }
        (Question::Custom { .. }, verdict) => {
            let policy = named("/policy");
            let property = named("/property");
            match verdict {
                VerdictName::Holds => format!("{policy} breaks no rule of {property}"),
                VerdictName::Fails => format!("{policy} breaks a rule of {property}"),
                VerdictName::Unknown => {
                    format!("it was not found out whether {policy} breaks a rule of {property}")
                }
            }
        }
        (Question::NoExternalAccess { .. }, verdict) => {
            let policy = named("/policy");
            match verdict {
                VerdictName::Holds => {
                    format!("{policy} grants nothing to anybody outside the zone of trust")
                }
                VerdictName::Fails => {
                    format!("{policy} grants access from outside the zone of trust")
                }
                VerdictName::Unknown => format!(
                    "it was not found out whether {policy} grants access from outside the zone of trust"
                ),
            }
        }
        (Question::NoPublicAccess { .. }, verdict) => {
            let policy = named("/policy");
            match verdict {
                VerdictName::Holds => format!("{policy} grants nothing to the public"),
                VerdictName::Fails => format!("{policy} grants public access"),
                VerdictName::Unknown => {
                    format!("it was not found out whether {policy} grants public access")
                }
            }
        }
    }
}

/// Whether a policy with this pointer is a file's own: `/new`, or `/new/0` of several.
fn is_file_of(pointer: &str, prefix: &str) -> bool {
    let Some(rest) = pointer.strip_prefix(prefix) else { return false };
    rest.is_empty() || rest.strip_prefix('/').is_some_and(|index| index.parse::<usize>().is_ok())
}

fn request(out: &mut String, request: &Request) {
    line(out, format_args!("  principal  {}", visible(&principal(&request.principal))));
    if let Some(base) = &request.federated_base {
        line(out, format_args!("             by {base}"));
    }
    line(out, format_args!("  action     {}", visible(&request.action)));
    line(out, format_args!("  resource   {}", visible(&request.resource)));
    if let Some(owner) = &request.resource_account {
        line(out, format_args!("             of account {}", visible(owner)));
    }
    let mut label = "context";
    for (key, value) in &request.context {
        let value = match value.as_str() {
            Some(text) if !text.is_empty() => visible(text),
            _ => value.to_string(),
        };
        line(out, format_args!("  {label:<9}  {} = {value}", visible(key)));
        label = "";
    }
}

fn place(inquiry: &Inquiry, files: &FileNames, statement: &StatementRef) -> String {
    let name = statement_name(statement);
    let document = inquiry.documents.iter().find(|d| d.pointer == statement.policy);
    let position = document.and_then(|document| {
        let policy = inquiry.question.policy(document.at)?;
        let span = policy.statement(statement.index)?.span;
        Some(document.position(span.start))
    });
    match position {
        Some(position) => match file(files, &statement.policy) {
            // What was put beside the policies has no file, but a name.
            file if file.is_empty() => format!("{name} of {}", visible(&statement.policy)),
            file => format!("{name} ({file}:{position})"),
        },
        None => name,
    }
}

/// What a reason means.
fn reason_in_words(reason: ReasonName) -> &'static str {
    match reason {
        ReasonName::Timeout => "there was no answer within the time limit",
        ReasonName::Memory => "the solvers ran out of memory",
        ReasonName::Unsupported => "the answer hangs on something that is not modelled yet:",
        ReasonName::SolverGaveUp => "every solver gave up",
        ReasonName::Cancelled => "it was cancelled",
    }
}

/// Writes to standard error why a script has no answer.
pub(crate) fn unknown_script(file: &Path, solved: &Solved) {
    let mut out = String::new();
    if let RawAnswer::Unknown(reason) = solved.answer.answer {
        let reason = ReasonName::from(reason);
        let words = match reason {
            ReasonName::Unsupported => "the embedded solver does not decide such formulas",
            _ => reason_in_words(reason),
        };
        line(&mut out, format_args!("reason: {} ({words})", reason.as_str()));
    }
    if let Some(unsupported) = &solved.unsupported {
        let (what, place) = (visible(&unsupported.what), unsupported.place);
        line(&mut out, format_args!("  outside of what the embedded solver reads: {what}"));
        line(&mut out, format_args!("  --> {}:{}:{}", file.display(), place.line, place.column));
    }
    drop(io::stderr().write_all(out.as_bytes()));
}

fn unknown(out: &mut String, files: &FileNames, result: &JobResult) {
    let reason = result.reason.unwrap_or(ReasonName::SolverGaveUp);
    let words = reason_in_words(reason);
    line(out, format_args!("  reason: {} ({words})", reason.as_str()));
    for item in &result.unsupported {
        let file = file(files, &item.policy);
        let place = if file.is_empty() {
            String::new()
        } else {
            format!(" ({file}:{}:{})", item.line, item.column)
        };
        line(out, format_args!("    {}{place}", visible(&item.construct)));
    }
    line(out, format_args!("  unknown is not safe: a gate must not let this pass"));
}

/// How the answer came to be.
fn provenance(result: &JobResult) -> String {
    let milliseconds = result.elapsed_ns.unwrap_or(0) as f64 / 1e6;
    let evidence = match result.evidence {
        Some(EvidenceName::Replayed) => "replayed by the evaluator, found by",
        Some(EvidenceName::Certified) => "certified, found by",
        Some(EvidenceName::Agreed) => "agreed by at least two solvers, first",
        Some(EvidenceName::Claimed) => "claimed by",
        None => return format!("after {milliseconds:.0} ms"),
    };
    let solver = result.solver.as_deref().unwrap_or("nobody");
    format!("{evidence} {solver}, after {milliseconds:.0} ms")
}

/// Writes an error to standard error: what, where, and what to do.
pub(crate) fn error(record: &ErrorRecord, files: Option<&FileNames>) {
    let mut out = String::new();
    line(&mut out, format_args!("error: {}", visible(&record.message)));
    if let (Some(line_number), Some(column)) = (record.line, record.column) {
        let pointer = record.policy.as_deref().unwrap_or_default();
        let file = match files {
            Some(files) => file(files, pointer),
            None => pointer.to_owned(),
        };
        line(&mut out, format_args!("  --> {file}:{line_number}:{column}"));
    }
    if let Some(hint) = &record.hint {
        line(&mut out, format_args!("hint: {}", visible(hint)));
    }
    // If standard error is closed there is nobody left to tell.
    drop(io::stderr().write_all(out.as_bytes()));
}

/// Writes to standard error what each solver did, for an answer that did not come about.
pub(crate) fn attempts(result: &JobResult) {
    let mut out = String::new();
    for attempt in &result.attempts {
        let message = attempt.message.as_deref().unwrap_or(&attempt.result);
        let script = attempt.script.as_ref().map(|path| format!(" ({path})")).unwrap_or_default();
        line(&mut out, format_args!("  {}: {}{script}", attempt.solver, visible(message)));
    }
    drop(io::stderr().write_all(out.as_bytes()));
}

/// Writes to standard error where all is that is known of an incident.
pub(crate) fn incident(result: &JobResult) {
    if let Some(place) = &result.incident {
        let mut out = String::new();
        line(&mut out, format_args!("kept in {}", visible(place)));
        drop(io::stderr().write_all(out.as_bytes()));
    }
}

/// A table of solvers.
pub(crate) fn solvers(embedded: &Status, found: &[Found]) -> String {
    let mut out = String::new();
    let status = |status: &Status, command: &str| match status {
        Status::Works => "works".to_owned(),
        Status::Broken(cause) => format!("broken: {}", visible(cause)),
        Status::Missing => format!("missing: no `{command}` on PATH"),
        Status::Disabled => "disabled".to_owned(),
    };
    let (name, version) = (Automaton::NAME, env!("CARGO_PKG_VERSION"));
    let word = status(embedded, name);
    line(&mut out, format_args!("{name:<9} {version:<10} {word:<8} embedded"));
    for solver in found {
        let status = status(&solver.status, &solver.definition.command);
        let version = solver.version.as_deref().unwrap_or("-");
        let path = solver.path.as_ref().map(|path| shown(path)).unwrap_or_default();
        let name = &solver.definition.name;
        line(&mut out, format_args!("{:<9} {version:<10} {status:<8} {path}", visible(name)));
    }
    out
}

fn file(files: &FileNames, pointer: &str) -> String {
    let found = files.iter().find(|(known, _)| known == pointer);
    found.map(|(_, path)| shown(path)).unwrap_or_default()
}

fn shown(path: &Path) -> String {
    if path.as_os_str() == crate::input::STANDARD_INPUT {
        return "standard input".to_owned();
    }
    visible(&path.display().to_string())
}

/// Text from the input with control characters made visible, so that it cannot steer a terminal.
pub(crate) fn visible(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { c.escape_debug().to_string() } else { c.into() })
        .collect()
}

fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    let text = text.to_string();
    writeln!(out, "{}", text.trim_end()).expect("writing to a string cannot fail");
}
