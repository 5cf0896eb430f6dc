//! How many small mistakes in the sources the tests notice.
//!
//! [cargo-mutants](https://mutants.rs) makes the mistakes, one after the other. Of the checker all are tried; of encoder, evaluator and
//! solver kernel so many are drawn with a seed, from all that it can make: none is excluded. What came out is kept in a
//! file, a mutant a line, so that a run can be stopped and goes on where it was. The share that is caught is of those that compile, with
//! the interval in which the true share lies with 95 % (Wilson, 1927). Mutants that end in no time count as caught.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::root;

const USAGE: &str = "mutants checker|encoder|evaluator|kernel [--draw N] [--seed S] [--at-most N] [--timeout SECONDS]";

/// A part of the sources whose tests are put to the test.
struct Part {
    name: &'static str,
    /// The crates with the sources.
    crates: &'static [&'static str],
    /// The files, as globs; all of the crates if there are none.
    files: &'static [&'static str],
    /// The crates whose tests are run.
    tests: &'static [&'static str],
    /// How many are drawn unless something else is said; all if none.
    draw: Option<usize>,
}

const PARTS: [Part; 4] = [
    Part {
        name: "checker",
        crates: &["keyaki-verify"],
        files: &[],
        tests: &["keyaki-verify"],
        draw: None,
    },
    Part {
        name: "encoder",
        crates: &["keyaki-analysis"],
        files: &["crates/analysis/src/encode.rs", "crates/analysis/src/encode/**"],
        tests: &["keyaki-analysis", "keyaki-properties"],
        draw: Some(300),
    },
    Part {
        name: "evaluator",
        crates: &["keyaki-policy"],
        files: &["crates/policy/src/evaluate.rs", "crates/policy/src/evaluate/**"],
        tests: &["keyaki-policy"],
        draw: Some(300),
    },
    Part {
        name: "kernel",
        crates: &["keyaki-automata", "keyaki-solvers"],
        files: &[
            "crates/automata/src/**",
            "crates/solvers/src/automaton.rs",
            "crates/solvers/src/automaton/**",
        ],
        tests: &["keyaki-automata", "keyaki-solvers", "keyaki-properties"],
        draw: Some(300),
    },
];

/// The seed unless another is given.
const SEED: u64 = 20_261_129;

/// How long the tests of a mutant may take, in seconds, unless it is said.
const TIMEOUT_SECONDS: u64 = 600;

/// Runs the chore.
pub(crate) fn run(arguments: &[String]) -> Result<(), String> {
    let usage = || format!("usage: {USAGE}");
    let (name, options) = arguments.split_first().ok_or_else(usage)?;
    let part = PARTS.iter().find(|part| part.name == name).ok_or_else(usage)?;
    let (mut draw, mut seed) = (part.draw, SEED);
    let (mut at_most, mut timeout) = (usize::MAX, TIMEOUT_SECONDS);
    for pair in options.chunks(2) {
        let [option, value] = pair else { return Err(usage()) };
        let wrong = |_| format!("`{option} {value}` is no number");
        match option.as_str() {
            "--draw" => draw = Some(value.parse().map_err(wrong)?),
            "--seed" => seed = value.parse().map_err(wrong)?,
            "--at-most" => at_most = value.parse().map_err(wrong)?,
            "--timeout" => timeout = value.parse().map_err(wrong)?,
            _ => return Err(usage()),
        }
    }
    let all = list(part)?;
    let drawn = match draw {
        Some(n) => drawn(&all, n, seed),
        None => all.clone(),
    };
    let path = record(part);
    let mut known = read(&path);
    let open: Vec<&String> =
        drawn.iter().filter(|mutant| !known.contains_key(*mutant)).take(at_most).collect();
    println!("{} of {} mutants, {} to try", drawn.len(), all.len(), open.len());
    if !open.is_empty() {
        known.extend(tried(part, &open, timeout)?);
        write(&path, &known)?;
    }
    let of_drawn = drawn.iter().filter_map(|mutant| Some((mutant, known.get(mutant)?)));
    println!("{}", summary(&of_drawn.collect::<Vec<_>>()));
    Ok(())
}

/// Where outcomes are kept.
fn record(part: &Part) -> PathBuf {
    root().join("benchmarks/record/mutants").join(format!("{}.txt", part.name))
}

fn command(part: &Part) -> Command {
    let mut command = Command::new("cargo");
    command.arg("mutants").current_dir(root()).stdin(Stdio::null());
    for name in part.crates {
        command.args(["--package", name]);
    }
    for file in part.files {
        command.args(["--file", file]);
    }
    command
}

/// All mutants, by what cargo-mutants calls them, with their places: what is edited has other mutants.
fn list(part: &Part) -> Result<Vec<String>, String> {
    let hint = "install it: cargo install cargo-mutants --locked";
    let output = command(part).arg("--list").stderr(Stdio::inherit()).output();
    let output = output.map_err(|cause| format!("cannot run cargo: {cause}"))?;
    if !output.status.success() {
        return Err(format!("cargo-mutants lists nothing; if it is missing, {hint}"));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect())
}

/// So many, each as likely as any other, in the order of the sources.
fn drawn(all: &[String], n: usize, seed: u64) -> Vec<String> {
    let mut state = seed;
    let mut places: Vec<usize> = (0..all.len()).collect();
    let n = n.min(places.len());
    for at in 0..n {
        state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        let other = at + (state >> 33) as usize % (places.len() - at);
        places.swap(at, other);
    }
    places.truncate(n);
    places.sort_unstable();
    places.into_iter().map(|place| all[place].clone()).collect()
}

/// Tries them; what came out so far, if it was stopped.
fn tried(part: &Part, open: &[&String], timeout: u64) -> Result<BTreeMap<String, String>, String> {
    let folder = root().join("target/mutants");
    fs::create_dir_all(&folder).map_err(|e| format!("cannot make {}: {e}", folder.display()))?;
    let mut command = command(part);
    command.args(["--jobs", "1", "--no-shuffle", "--timeout", &timeout.to_string()]);
    command.args(["--test-package", &part.tests.join(","), "--output"]).arg(&folder);
    for mutant in open {
        command.args(["--re", &format!("^{}$", escaped(mutant))]);
    }
    // Mutants that are missed are no fault of the run.
    let status = command.status().map_err(|cause| format!("cannot run cargo: {cause}"))?;
    let out = folder.join("mutants.out");
    let mut found = BTreeMap::new();
    for outcome in ["caught", "missed", "timeout", "unviable"] {
        let text = fs::read_to_string(out.join(format!("{outcome}.txt"))).unwrap_or_default();
        found.extend(text.lines().map(|mutant| (mutant.to_owned(), outcome.to_owned())));
    }
    if found.is_empty() {
        return Err(format!("nothing was tried ({status})"));
    }
    Ok(found)
}

/// The text as a regular expression that matches nothing else.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        if !c.is_alphanumeric() && !c.is_whitespace() {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

fn read(path: &PathBuf) -> BTreeMap<String, String> {
    let text = fs::read_to_string(path).unwrap_or_default();
    let lines = text.lines().filter_map(|line| line.split_once(' '));
    lines.map(|(outcome, mutant)| (mutant.to_owned(), outcome.to_owned())).collect()
}

fn write(path: &PathBuf, known: &BTreeMap<String, String>) -> Result<(), String> {
    let mut text = String::new();
    for (mutant, outcome) in known {
        let _ = writeln!(text, "{outcome} {mutant}");
    }
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(path, text))
        .map_err(|cause| format!("cannot write {}: {cause}", path.display()))
}

/// What came out, and the survivors.
fn summary(outcomes: &[(&String, &String)]) -> String {
    let n = |wanted: &[&str]| outcomes.iter().filter(|(_, o)| wanted.contains(&&***o)).count();
    let (caught, missed, unviable) = (n(&["caught", "timeout"]), n(&["missed"]), n(&["unviable"]));
    let (low, high) = interval(caught, caught + missed);
    let mut text = format!(
        "{caught} caught ({} of them by time), {missed} missed, {unviable} do not compile: {:.1} % of viable \
         ({:.1} to {:.1} with 95 %)",
        n(&["timeout"]),
        100.0 * caught as f64 / (caught + missed).max(1) as f64,
        100.0 * low,
        100.0 * high,
    );
    for (mutant, _) in outcomes.iter().filter(|(_, outcome)| *outcome == "missed") {
        let _ = write!(text, "\nmissed {mutant}");
    }
    text
}

/// In which shares of `n` such that `k` of them were seen the true share lies with 95 %.
fn interval(k: usize, n: usize) -> (f64, f64) {
    if n == 0 {
        return (0.0, 1.0);
    }
    let (z, k, n) = (1.96, k as f64, n as f64);
    let middle = (k + z * z / 2.0) / (n + z * z);
    let half = z / (n + z * z) * (k * (n - k) / n + z * z / 4.0).sqrt();
    ((middle - half).max(0.0), (middle + half).min(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_draws_the_same_and_each_once() {
        let all: Vec<String> = (0..1000).map(|n| format!("{n:04}")).collect();
        let some = drawn(&all, 300, 7);
        assert_eq!(some, drawn(&all, 300, 7));
        assert_ne!(some, drawn(&all, 300, 8));
        assert_eq!(some.len(), 300);
        assert!(some.windows(2).all(|pair| pair[0] < pair[1]), "ascending, each once");
        assert_eq!(drawn(&all, 5000, 7), all);
        let early = some.iter().filter(|mutant| ***mutant < *"0500").count();
        assert!((120..180).contains(&early), "{early} of the first half");
    }

    #[test]
    fn the_interval_is_that_of_wilson() {
        let close = |(a, b): (f64, f64), (c, d): (f64, f64)| (a - c).abs() + (b - d).abs() < 2e-3;
        assert!(close(interval(95, 100), (0.888, 0.978)));
        assert!(close(interval(0, 10), (0.0, 0.278)));
        assert_eq!(interval(0, 0), (0.0, 1.0));
    }

    #[test]
    fn names_of_mutants_are_taken_literally_and_outcomes_add_up() {
        assert_eq!(escaped("a.rs:1:2: replace + with *"), r"a\.rs\:1\:2\: replace \+ with \*");
        let name = |text: &str| text.to_owned();
        let (a, b, c, d) = (name("a"), name("b"), name("c"), name("d"));
        let (caught, missed, late, none) =
            (name("caught"), name("missed"), name("timeout"), name("unviable"));
        let text = summary(&[(&a, &caught), (&b, &missed), (&c, &late), (&d, &none)]);
        assert!(
            text.starts_with("2 caught (1 of them by time), 1 missed, 1 do not compile: 66.7 %")
        );
        assert!(text.ends_with("\nmissed b"), "{text}");
    }
}
