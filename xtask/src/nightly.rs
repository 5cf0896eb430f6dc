//! Runs every property test for as long as there is time, and tells what was executed.
//!
//! The tests say so themselves: a property prints a line that begins with `PROPERTY` when it is
//! done, whether it held or not ([`keyaki_testing`] and `keyaki_properties`). The chore only sets the
//! variable that says how long each may run, shares out the time, and adds up. A release build,
//! because a night is about numbers.
//!
//! [`keyaki_testing`]: ../../crates/testing

use std::collections::BTreeSet;
use std::env;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

const USAGE: &str = "nightly [--minutes N]";

/// How long a night is if nobody says.
const DEFAULT_MINUTES: u64 = 8 * 60;

/// The crate of the properties that have files, and how many they are: they get most of the time.
const PROPERTIES: (&str, u32) = ("keyaki-properties", 14);

/// The other crates with property tests, with about as many tests as each has. A number that is wrong
/// makes a night longer or shorter and nothing else.
const OTHERS: [(&str, u32); 5] = [
    ("keyaki-policy", 24),
    ("keyaki-logic", 7),
    ("keyaki-automata", 10),
    ("keyaki-solvers", 3),
    ("keyaki-analysis", 11),
];

/// The share of the time that these properties get, in percent.
const SHARE_OF_PROPERTIES: u32 = 70;

/// Runs the chore.
pub(crate) fn run(arguments: &[String]) -> Result<(), String> {
    let minutes = match arguments {
        [] => DEFAULT_MINUTES,
        [flag, minutes] if flag == "--minutes" => {
            minutes.parse().map_err(|_| format!("`--minutes {minutes}` is no number"))?
        }
        _ => return Err(format!("usage: {USAGE}")),
    };
    let time = Duration::from_secs(60 * minutes);
    let n_threads = thread::available_parallelism().map_or(1, |n| n.get() as u32);
    let n_others: u32 = OTHERS.iter().map(|(_, n)| n).sum();
    let of_properties = time * SHARE_OF_PROPERTIES / 100;
    let start = Instant::now();
    let mut reports = vec![test(PROPERTIES.0, of_properties * n_threads / PROPERTIES.1)?];
    let each = (time - of_properties) * n_threads / n_others;
    for (name, _) in OTHERS {
        reports.push(test(name, each)?);
    }
    let minutes = start.elapsed().as_secs_f64() / 60.0;
    let lines: Vec<Line> = reports.iter().flat_map(|report| report.lines.clone()).collect();
    println!("{}\n{minutes:.1} minutes, {n_threads} threads", table(&lines));
    let failed: BTreeSet<&str> =
        reports.iter().filter(|report| report.has_failed).map(|report| report.name).collect();
    match failed.is_empty() {
        true => Ok(()),
        false => Err(format!(
            "tests of {} failed; their output is above, and cases about policies are in \
             corpus/regressions",
            failed.into_iter().collect::<Vec<_>>().join(", ")
        )),
    }
}

/// What the tests of a crate said.
struct Report {
    name: &'static str,
    lines: Vec<Line>,
    has_failed: bool,
}

/// What a property came to.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Line {
    property: String,
    cases: u64,
    failures: u64,
    /// The rest, such as what was checked and what came out.
    rest: String,
}

/// Runs the tests of a crate with so much time for each property.
fn test(name: &'static str, budget: Duration) -> Result<Report, String> {
    let milliseconds = budget.as_millis();
    eprintln!("{name}: {milliseconds} ms for each property");
    let cargo = env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let output = Command::new(cargo)
        .args(["test", "--release", "--quiet", "--package", name, "--lib", "--tests"])
        .args(["--no-fail-fast", "--", "--nocapture"])
        .env("KEYAKI_PROPERTY_BUDGET_MS", milliseconds.to_string())
        .current_dir(crate::root())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .output()
        .map_err(|error| format!("cargo does not start: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    let has_failed = !output.status.success();
    if has_failed {
        eprintln!("{said}");
    }
    Ok(Report { name, lines: said.lines().filter_map(line).collect(), has_failed })
}

/// Reads `PROPERTY name: 12 cases, …, 0 failures …`.
fn line(text: &str) -> Option<Line> {
    // A test's own output may stand before it in the line.
    let (_, text) = text.split_once("PROPERTY ")?;
    let (property, counts) = text.split_once(": ")?;
    let number = |word: &str| -> Option<u64> {
        let (before, _) = counts.split_once(word)?;
        before.rsplit(' ').next()?.parse().ok()
    };
    let (_, rest) = counts.split_once(" cases, ")?;
    Some(Line {
        property: property.to_owned(),
        cases: number(" cases")?,
        failures: number(" failures")?,
        rest: rest.to_owned(),
    })
}

/// The properties, each with how many cases were executed in all its runs.
fn table(lines: &[Line]) -> String {
    let mut text = "| property | cases | failures | |\n|---|---:|---:|---|\n".to_owned();
    let names: BTreeSet<&str> = lines.iter().map(|line| line.property.as_str()).collect();
    for name in names {
        let own: Vec<&Line> = lines.iter().filter(|line| line.property == name).collect();
        let cases: u64 = own.iter().map(|line| line.cases).sum();
        let failures: u64 = own.iter().map(|line| line.failures).sum();
        let rest = own.last().map_or("", |line| &line.rest);
        text += &format!("| {name} | {cases} | {failures} | {rest} |\n");
    }
    let (cases, failures) = lines
        .iter()
        .fold((0, 0), |(cases, failures), line| (cases + line.cases, failures + line.failures));
    text + &format!("| all | {cases} | {failures} | |\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_property_says_is_added_up() {
        let said = "x PROPERTY a (b.rs:1:2): 12 cases, 0 failures\nnothing\n\
                    PROPERTY a (b.rs:1:2): 30 cases, 1 failures\n\
                    PROPERTY c: 3 cases, 48 checks, 7 checks a second, 0 failures {\"y\": 48}";
        let lines: Vec<Line> = said.lines().filter_map(line).collect();
        assert_eq!(lines.len(), 3);
        let table = table(&lines);
        assert!(table.contains("| a (b.rs:1:2) | 42 | 1 | 1 failures |"), "{table}");
        assert!(table.contains("| c | 3 | 0 | 48 checks, 7 checks a second,"), "{table}");
        assert!(table.ends_with("| all | 45 | 1 | |\n"), "{table}");
    }
}
