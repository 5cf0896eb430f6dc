//! Why a property holds, in words.

use keyaki::explain::{Conflict, Constraint, Excluded, Theory, Why};
use keyaki::job::Inquiry;

use super::{line, place, visible};
use crate::commands::FileNames;

/// Ways to break the property that are told of one by one.
const MAX_WAYS: usize = 50;

/// Conflicts that are told of for each; the shortest come first.
const MAX_CONFLICTS: usize = 10;

/// Constraints of one conflict that are told of.
const MAX_CONSTRAINTS: usize = 12;

/// What excludes each way to break the property.
pub(crate) fn explanation(inquiry: &Inquiry, files: &FileNames, ways: &[Excluded]) -> String {
    let mut out = String::new();
    for way in ways.iter().take(MAX_WAYS) {
        let through = match way.through {
            Some((policy, index)) => {
                let statement = inquiry.statement(policy, index);
                format!("through {}", place(inquiry, files, &statement))
            }
            None => "without any statement".to_owned(),
        };
        line(&mut out, format_args!("\n  not {through}:"));
        match &way.why {
            Some(why) => tell(&mut out, why),
            None => line(&mut out, format_args!("    the embedded solver cannot tell why")),
        }
    }
    let n_left = ways.len().saturating_sub(MAX_WAYS);
    match (ways.len(), n_left) {
        (0, _) => line(&mut out, format_args!("\n  no statement allows anything")),
        (_, 0) => {}
        _ => line(&mut out, format_args!("\n  nor through {n_left} more")),
    }
    out
}

fn tell(out: &mut String, why: &Why) {
    for conflict in why.conflicts.iter().take(MAX_CONFLICTS) {
        line(out, format_args!("    {}", visible(&sentence(conflict))));
    }
    let n_left = why.conflicts.len().saturating_sub(MAX_CONFLICTS);
    if n_left > 0 {
        line(out, format_args!("    and {n_left} more"));
    }
    if !why.opposed.is_empty() {
        let opposed: Vec<String> = why.opposed.iter().map(demand).collect();
        let opposed = visible(&list(&opposed, "; "));
        line(out, format_args!("    demanded and excluded alike: {opposed}"));
    }
    if why.conflicts.is_empty() && why.opposed.is_empty() {
        line(out, format_args!("    nothing is allowed"));
    }
    for axiom in &why.axioms {
        line(out, format_args!("    given {axiom}"));
    }
}

/// A conflict as a fact about variables.
fn sentence(conflict: &Conflict) -> String {
    let constraints = &conflict.constraints;
    match (conflict.theory, &constraints[..]) {
        (Theory::Included, [small, large]) => {
            format!("{}: {} is within {}", small.variable, small.is, large.is)
        }
        (Theory::Apart, [one, other]) => {
            format!("{}: {} and {} have nothing in common", one.variable, one.is, other.is)
        }
        _ => {
            let said: Vec<String> = constraints.iter().map(demand).collect();
            format!("not together: {}", list(&said, "; "))
        }
    }
}

fn demand(constraint: &Constraint) -> String {
    let not = if constraint.negated { "not " } else { "" };
    let said = format!("{not}{} {}", constraint.variable, constraint.is);
    said.trim_end().to_owned()
}

/// The first of many, separated.
fn list(parts: &[String], separator: &str) -> String {
    let mut text = parts.iter().take(MAX_CONSTRAINTS).cloned().collect::<Vec<_>>().join(separator);
    if let Some(n_left @ 1..) = parts.len().checked_sub(MAX_CONSTRAINTS) {
        text += &format!("{separator}and {n_left} more");
    }
    text
}
