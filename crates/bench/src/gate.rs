//! The gate: whether a new version may take the place of an old one.
//!
//! It lets through what loses no answer, contradicts nothing, and is not slower by more than a stated slack. What
//! looks like a loss is measured again first, both versions in turns, because on a busy machine a query near the limit
//! is lost now and then by any solver; what is then solved by some runs only is *unstable* and not let through
//! either, unless one says so, since an answer that comes now and then is no answer to build on.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::compare::{Class, Comparison, Pair};
use crate::solvers::Solver;
use crate::suite::{Query, Suite};

/// What the gate lets through beside what is as good as before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Leniency {
    /// Queries that one of the two solved in some runs only.
    pub unstable: bool,
    /// Queries that became slower by more than the slack.
    pub slower: bool,
}

/// How many queries of each kind are listed.
const LISTED_MAX: usize = 50;

/// The classes that the gate does not let through.
pub fn stopped_by(leniency: Leniency) -> Vec<Class> {
    let mut classes = vec![Class::Contradiction, Class::Lost, Class::Missing];
    if !leniency.unstable {
        classes.push(Class::Unstable);
    }
    if !leniency.slower {
        classes.push(Class::Slower);
    }
    classes
}

/// The queries that are worth another measurement.
pub fn suspicious(comparison: &Comparison<'_>) -> BTreeSet<String> {
    let classes = [Class::Contradiction, Class::Lost, Class::Unstable, Class::Slower];
    let pairs = comparison.pairs.iter().filter(|pair| classes.contains(&pair.class));
    pairs.map(|pair| pair.query.to_owned()).collect()
}

/// Whether it is open, and why not: the queries that stop it and how to put them to both solvers by hand.
pub fn verdict(
    comparison: &Comparison<'_>,
    leniency: Leniency,
    suite: Option<&Suite>,
    solvers: &[Option<&Solver>; 2],
) -> (bool, String) {
    let queries: BTreeMap<&str, &Query> = suite
        .iter()
        .flat_map(|suite| &suite.queries)
        .map(|query| (query.id.as_str(), query))
        .collect();
    let stops = stopped_by(leniency);
    let mut text = String::new();
    let mut is_open = true;
    for class in &stops {
        let pairs: Vec<&Pair<'_>> = comparison.of(*class).collect();
        if pairs.is_empty() {
            continue;
        }
        is_open = false;
        let _ = writeln!(text, "{}: {}", class.word(), pairs.len());
        for pair in pairs.iter().take(LISTED_MAX) {
            text += &of_query(pair, queries.get(pair.query).copied(), suite, solvers);
        }
        if pairs.len() > LISTED_MAX {
            let _ = writeln!(text, "  and {} more", pairs.len() - LISTED_MAX);
        }
    }
    let counts: Vec<String> = Class::ALL
        .iter()
        .map(|class| (class, comparison.n(*class)))
        .filter(|(_, n)| *n > 0)
        .map(|(class, n)| format!("{n} {}", class.word()))
        .collect();
    let word = if is_open { "open" } else { "closed" };
    let slack = comparison.slack;
    let first = format!(
        "{word}: {} to {}: {} (slack: {} times and {} s)\n",
        comparison.old,
        comparison.new,
        counts.join(", "),
        slack.factor,
        slack.seconds
    );
    (is_open, first + &text)
}

fn of_query(
    pair: &Pair<'_>,
    query: Option<&Query>,
    suite: Option<&Suite>,
    solvers: &[Option<&Solver>; 2],
) -> String {
    let cell = |cell: Option<&crate::table::Cell>| match cell {
        Some(cell) if cell.n_solved > 0 => {
            let answers: Vec<String> = cell.answers.iter().map(ToString::to_string).collect();
            format!(
                "{} in {:.3} s ({} of {} runs)",
                answers.join(" and "),
                cell.wall_s,
                cell.n_solved,
                cell.n_runs
            )
        }
        Some(cell) => format!(
            "{} after {:.3} s, {:.3} s of the processor ({} of {} runs)",
            cell.word, cell.wall_s, cell.cpu_s, cell.n_solved, cell.n_runs
        ),
        None => "not asked".to_owned(),
    };
    let name = query.map_or("", |query| query.name.as_str());
    let known = query.and_then(|query| query.status.as_deref());
    let mut text = format!("  {} {name}\n", pair.query);
    if let Some(known) = known {
        let by = query.and_then(|query| query.status_by.as_deref()).unwrap_or("given");
        let _ = writeln!(text, "    known: {known}, by {by}");
    }
    for (word, of, solver) in [("old", pair.old, solvers[0]), ("new", pair.new, solvers[1])] {
        let _ = writeln!(text, "    {word}: {}", cell(of));
        if let (Some(suite), Some(query), Some(solver)) = (suite, query, solver)
            && let Some((_, script)) = query.script(&solver.definition.dialects)
        {
            let path = suite.folder.join(&script.file).display().to_string();
            let _ = writeln!(text, "      {}", solver.command_line(&path));
        }
    }
    text
}
