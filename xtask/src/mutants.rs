//! How many small mistakes in the sources the tests notice.
//!
//! [cargo-mutants](https://mutants.rs) says which mistakes there are. Of the checker all are tried; of encoder, evaluator and
//! solver kernel so many are drawn with a seed, from all that it can make: none is excluded. They are built together where that is possible
//! (`schemata`), in a copy of the sources (`tree`), and tried one after the other (`trial`). What came out is kept in a
//! file, a mutant a line, so that a run can be stopped and goes on where it was; why one survives can be said in another beside
//! it. The share that is caught is of those that compile, with the interval in which the true share lies with 95 % (Wilson,
//! 1927). Mutants that end in no time count as caught.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::root;
use schemata::Mutant;
use tree::Tree;
use trial::Outcome;

mod schemata;
mod tree;
mod trial;

const USAGE: &str = "mutants checker|encoder|evaluator|kernel [--draw N] [--seed S] [--first N] [--at-most N] \
    [--seconds N] [--again missed|caught|timeout|unviable]";

/// A part of the sources whose tests are put to the test.
struct Part {
    name: &'static str,
    /// The crates with the sources.
    crates: &'static [&'static str],
    /// The files, as globs; all of the crates if there are none.
    files: &'static [&'static str],
    /// The tests that are run, the quick ones first.
    tests: &'static [Tests],
    /// How many are drawn unless something else is said; all if none.
    draw: Option<usize>,
}

/// Tests of a crate.
struct Tests {
    of: &'static str,
    /// Where they are: `lib` for those inside of the sources, and files of the folder `tests`.
    targets: &'static [&'static str],
    /// Parts of the names of those that are run; all if there are none.
    names: &'static [&'static str],
}

const PARTS: [Part; 4] = [
    Part {
        name: "checker",
        crates: &["keyaki-verify"],
        files: &[],
        tests: &[Tests {
            of: "keyaki-verify",
            targets: &["lib", "steps", "statements", "certificates"],
            names: &[],
        }],
        draw: None,
    },
    Part {
        name: "encoder",
        crates: &["keyaki-analysis"],
        files: &["crates/analysis/src/encode.rs", "crates/analysis/src/encode/**"],
        tests: &[
            Tests {
                of: "keyaki-analysis",
                targets: &["lib", "check", "translation", "evaluator_agrees"],
                names: &[],
            },
            Tests {
                of: "keyaki-properties",
                targets: &["properties"],
                names: &[
                    "evaluate_agrees_with_formula",
                    "translation_is_valid",
                    "verdict_agrees_with_enumeration",
                    "custom_agrees_with_evaluation",
                    "what_broke_a_property_once",
                ],
            },
            Tests {
                of: "keyaki",
                targets: &["cases"],
                names: &[
                    "every_case_has_its_verdict_by_the_embedded_solver_on_plain_formulas",
                    "formulas_and_policies_say_the_same_of_requests",
                ],
            },
        ],
        draw: Some(600),
    },
    Part {
        name: "evaluator",
        crates: &["keyaki-policy"],
        files: &["crates/policy/src/evaluate.rs", "crates/policy/src/evaluate/**"],
        tests: &[Tests {
            of: "keyaki-policy",
            targets: &["lib", "vectors", "oracles"],
            names: &[],
        }],
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
        tests: &[
            Tests { of: "keyaki-automata", targets: &["lib", "algebra"], names: &[] },
            Tests { of: "keyaki-solvers", targets: &["lib", "it"], names: &["automaton"] },
            Tests {
                of: "keyaki-properties",
                targets: &["properties"],
                names: &[
                    "automaton_agrees_with_enumeration",
                    "certificates_are_right",
                    "dfa_agrees_with_regex",
                    "verdict_agrees_with_enumeration",
                    "what_broke_a_property_once",
                ],
            },
            Tests {
                of: "keyaki",
                targets: &["cases"],
                names: &["every_case_has_its_verdict_by_the_embedded_solver_alone"],
            },
        ],
        draw: Some(300),
    },
];

/// The seed unless another is given.
const SEED: u64 = 20_261_129;

/// Runs the chore.
pub(crate) fn run(arguments: &[String]) -> Result<(), String> {
    let usage = || format!("usage: {USAGE}");
    let (name, options) = arguments.split_first().ok_or_else(usage)?;
    let part = PARTS.iter().find(|part| part.name == name).ok_or_else(usage)?;
    let (mut draw, mut seed, mut again) = (part.draw, SEED, None);
    let (mut first, mut at_most, mut seconds) = (usize::MAX, usize::MAX, u64::MAX);
    for pair in options.chunks(2) {
        let [option, value] = pair else { return Err(usage()) };
        let wrong = |_| format!("`{option} {value}` is no number");
        match option.as_str() {
            "--draw" => draw = Some(value.parse().map_err(wrong)?),
            "--seed" => seed = value.parse().map_err(wrong)?,
            "--first" => first = value.parse().map_err(wrong)?,
            "--at-most" => at_most = value.parse().map_err(wrong)?,
            "--seconds" => seconds = value.parse().map_err(wrong)?,
            "--again" => again = Some(value.as_str()),
            _ => return Err(usage()),
        }
    }
    let mut tree = Tree::new(root(), &root().join("target/mutants"))?;
    let all = schemata::read(&list(part)?, |file| tree.source(file))?;
    let drawn = drawn(&all, draw.unwrap_or(all.len()), seed);
    let mut record = Record::read(part);
    // What is no mutant any more says nothing.
    let names: BTreeSet<&str> = all.iter().map(|mutant| &*mutant.name).collect();
    record.known.retain(|name, _| names.contains(&**name));
    let open = |record: &Record, mutant: &Mutant| match record.known.get(&mutant.name) {
        Some(outcome) => again == Some(outcome),
        None => true,
    };
    // By lot, so that those that are tried first are drawn from all as well.
    let mut order: Vec<usize> = (1..=drawn.len()).collect();
    order.sort_by_key(|number| lot(&drawn[number - 1], seed));
    order.truncate(first);
    let is_open = |number: &usize| open(&record, &drawn[number - 1]);
    let open: Vec<usize> = order.iter().copied().filter(is_open).collect();
    println!("{} of {} mutants, {} to try", order.len(), all.len(), open.len());
    let open = &open[..open.len().min(at_most)];
    if !open.is_empty() {
        tried(part, &mut tree, &drawn, open, &mut record, Duration::from_secs(seconds))?;
    }
    order.sort_unstable();
    let asked: Vec<Mutant> = order.iter().map(|number| drawn[number - 1].clone()).collect();
    println!("{}", record.summary(&asked));
    Ok(())
}

/// All mutants, as cargo-mutants lists them.
fn list(part: &Part) -> Result<String, String> {
    let mut command = Command::new("cargo");
    command.args(["mutants", "--list", "--json"]).current_dir(root()).stdin(Stdio::null());
    for name in part.crates {
        command.args(["--package", name]);
    }
    for file in part.files {
        command.args(["--file", file]);
    }
    let output = command.stderr(Stdio::inherit()).output();
    let output = output.map_err(|cause| format!("cannot run cargo: {cause}"))?;
    if !output.status.success() {
        let hint = "install it: cargo install cargo-mutants --locked";
        return Err(format!("cargo-mutants lists nothing; if it is missing, {hint}"));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// What is drawn first has the least. Each mutant has a lot of its own, by its name and the seed, so that what is edited elsewhere changes
/// nothing of whether it is drawn.
fn lot(mutant: &Mutant, seed: u64) -> u64 {
    let step = |state: u64, byte: u8| (state ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
    let mut lot = mutant.name.bytes().fold(0xcbf2_9ce4_8422_2325 ^ seed, step);
    // The last bytes of a name have to change the high bits too (Steele, Lea and Flood, 2014).
    lot = (lot ^ (lot >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    lot = (lot ^ (lot >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    lot ^ (lot >> 31)
}

/// So many, each as likely as any other, in the order of the sources.
fn drawn(all: &[Mutant], n: usize, seed: u64) -> Vec<Mutant> {
    let mut places: Vec<usize> = (0..all.len()).collect();
    places.sort_by_key(|place| (lot(&all[*place], seed), *place));
    places.truncate(n);
    places.sort_unstable();
    places.into_iter().map(|place| all[place].clone()).collect()
}

/// Tries the open ones of what is drawn, by their numbers from 1; the record is written after each.
fn tried(
    part: &Part,
    tree: &mut Tree,
    drawn: &[Mutant],
    open: &[usize],
    record: &mut Record,
    time: Duration,
) -> Result<(), String> {
    let together = together(part, tree, drawn, open, record)?;
    let does_not_build = || "the tests do not compile".to_owned();
    let mut binaries = trial::build(&tree.root, part.tests)?.ok_or_else(does_not_build)?;
    trial::measure(&mut binaries, &tree.root.with_file_name(format!("{}-times.txt", part.name)))?;
    // What is quick is asked first.
    binaries.sort_by_key(|binary| binary.time);
    let start = Instant::now();
    let is_over = || start.elapsed() >= time;
    let mut tell = |number: usize, outcome: &str, start: Instant| {
        let mutant = &drawn[number - 1];
        println!("{outcome} {} ({:.1?})", mutant.name, start.elapsed());
        record.known.insert(mutant.name.clone(), outcome.to_owned());
        record.write()
    };
    let words = |outcome: Outcome| match outcome {
        Outcome::Caught => "caught",
        Outcome::Missed => "missed",
        Outcome::Timeout => "timeout",
    };
    for number in open.iter().filter(|number| together.contains(number)) {
        if is_over() {
            return Ok(());
        }
        let start = Instant::now();
        let outcome = trial::run(&binaries, *number)?;
        tree.clean("corpus/regressions".as_ref())?;
        tell(*number, words(outcome), start)?;
    }
    for number in open.iter().filter(|number| !together.contains(number)) {
        if is_over() {
            return Ok(());
        }
        let start = Instant::now();
        let mutant = &drawn[number - 1];
        let text = schemata::alone(&tree.source(&mutant.file)?, mutant);
        tree.change(&BTreeMap::from([(mutant.file.clone(), text)]))?;
        let outcome = match trial::faults(&tree.root, part.crates)?.is_empty() {
            false => "unviable",
            true => match trial::build(&tree.root, part.tests)? {
                // What is a constant of a public interface may not fit what uses it.
                None => "unviable",
                Some(mut built) => {
                    let slowest = binaries.last().map_or(Duration::ZERO, |binary| binary.time);
                    built.iter_mut().for_each(|binary| binary.time = slowest);
                    words(trial::run(&built, 0)?)
                }
            },
        };
        tree.clean("corpus/regressions".as_ref())?;
        tell(*number, outcome, start)?;
    }
    Ok(())
}

/// Changes the copy so that the open ones of what is drawn can be chosen when it runs, and says of which that is so. Those that are known
/// are left out: what they cost to build grows with their functions.
fn together(
    part: &Part,
    tree: &mut Tree,
    drawn: &[Mutant],
    open: &[usize],
    record: &Record,
) -> Result<BTreeSet<usize>, String> {
    let unviable =
        |mutant: &Mutant| record.known.get(&mutant.name).is_some_and(|o| o == "unviable");
    // What could not be built with the others in an earlier run cannot in this one, and asking again would build all of it again.
    let alone = tree.root.with_file_name(format!("{}-alone.txt", part.name));
    let text = fs::read_to_string(&alone).unwrap_or_default();
    let mut names: BTreeSet<&str> = text.lines().collect();
    let is_alone = |mutant: &Mutant| unviable(mutant) || names.contains(&*mutant.name);
    let mut left: BTreeSet<usize> =
        open.iter().copied().filter(|number| !is_alone(&drawn[number - 1])).collect();
    loop {
        let (mut texts, mut places) = (BTreeMap::new(), BTreeMap::new());
        let files: BTreeSet<&String> = drawn.iter().map(|mutant| &mutant.file).collect();
        for file in files {
            let own: Vec<(usize, &Mutant)> =
                left.iter().map(|n| (*n, &drawn[n - 1])).filter(|(_, m)| m.file == *file).collect();
            let schema = schemata::together(&tree.source(file)?, &own);
            texts.insert(file.clone(), schema.text);
            places.insert(file.clone(), schema.places);
            let folder = file.split("/src/").next().unwrap_or_default();
            for name in ["src/lib.rs", "src/main.rs"].map(|name| format!("{folder}/{name}")) {
                if let (Ok(text), false) = (tree.source(&name), texts.contains_key(&name)) {
                    texts.insert(name, text);
                }
            }
        }
        for (name, text) in &mut texts {
            if name.ends_with("/src/lib.rs") || name.ends_with("/src/main.rs") {
                *text = schemata::root(text);
            }
        }
        tree.change(&texts)?;
        let placed: BTreeSet<usize> =
            places.values().flatten().map(|(number, _)| *number).collect();
        let at_fault = trial::at_fault(&trial::faults(&tree.root, part.crates)?, &places)?;
        if at_fault.is_empty() {
            let text: String = names.iter().map(|name| format!("{name}\n")).collect();
            fs::write(&alone, text)
                .map_err(|cause| format!("cannot write {}: {cause}", alone.display()))?;
            return Ok(placed);
        }
        for number in at_fault {
            left.remove(&number);
            names.insert(&drawn[number - 1].name);
        }
    }
}

/// Outcomes by the names of mutants, and why survivors survive.
struct Record {
    path: PathBuf,
    known: BTreeMap<String, String>,
    reasons: BTreeMap<String, String>,
}

impl Record {
    fn read(part: &Part) -> Record {
        let folder = root().join("benchmarks/record/mutants");
        let path = folder.join(format!("{}.txt", part.name));
        let text = fs::read_to_string(&path).unwrap_or_default();
        let lines = text.lines().filter_map(|line| line.split_once(' '));
        let known =
            lines.map(|(outcome, mutant)| (mutant.to_owned(), outcome.to_owned())).collect();
        let reasons = folder.join(format!("{}-survivors.txt", part.name));
        let reasons = reasons_of(&fs::read_to_string(reasons).unwrap_or_default());
        Record { path, known, reasons }
    }

    fn write(&self) -> Result<(), String> {
        let mut text = String::new();
        for (mutant, outcome) in &self.known {
            let _ = writeln!(text, "{outcome} {mutant}");
        }
        let folder = self.path.parent().unwrap_or(&self.path);
        fs::create_dir_all(folder)
            .and_then(|()| fs::write(&self.path, text))
            .map_err(|cause| format!("cannot write {}: {cause}", self.path.display()))
    }

    /// What came out, and the survivors.
    fn summary(&self, drawn: &[Mutant]) -> String {
        let known: Vec<(&str, &str)> = drawn
            .iter()
            .filter_map(|mutant| Some((&*mutant.name, &**self.known.get(&mutant.name)?)))
            .collect();
        let n = |wanted: &[&str]| known.iter().filter(|(_, o)| wanted.contains(o)).count();
        let (caught, missed, unviable) =
            (n(&["caught", "timeout"]), n(&["missed"]), n(&["unviable"]));
        let (low, high) = interval(caught, caught + missed);
        let mut text = format!(
            "{caught} caught ({} of them by time), {missed} missed, {unviable} do not compile, {} not tried: \
             {:.1} % of viable ({:.1} to {:.1} with 95 %)",
            n(&["timeout"]),
            drawn.len() - known.len(),
            100.0 * caught as f64 / (caught + missed).max(1) as f64,
            100.0 * low,
            100.0 * high,
        );
        for (name, _) in known.iter().filter(|(_, outcome)| *outcome == "missed") {
            let reason = self.reasons.get(*name).map_or("nobody has said why", |reason| reason);
            let _ = write!(text, "\nmissed {name}\n    {reason}");
        }
        text
    }
}

/// Reasons by mutants: the lines that are indented below the name.
fn reasons_of(text: &str) -> BTreeMap<String, String> {
    let mut reasons: BTreeMap<String, String> = BTreeMap::new();
    let mut names: Vec<&str> = Vec::new();
    let mut was_reason = false;
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        match line.strip_prefix("    ") {
            None => {
                if was_reason {
                    names.clear();
                }
                names.push(line);
            }
            Some(reason) => {
                for name in &names {
                    let whole = reasons.entry((*name).to_owned()).or_default();
                    *whole = format!("{whole} {reason}").trim().to_owned();
                }
            }
        }
        was_reason = line.starts_with(' ');
    }
    reasons
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

    fn mutant(name: &str) -> Mutant {
        let (name, file, replacement) = (name.to_owned(), String::new(), String::new());
        Mutant { name, file, place: 0..0, replacement, function: None }
    }

    #[test]
    fn the_same_seed_draws_the_same_and_each_once() {
        let all: Vec<Mutant> = (0..1000).map(|n| mutant(&format!("{n:04}"))).collect();
        let some = drawn(&all, 300, 7);
        assert_eq!(some, drawn(&all, 300, 7));
        assert_ne!(some, drawn(&all, 300, 8));
        assert_eq!(some.len(), 300);
        assert!(some.windows(2).all(|pair| pair[0].name < pair[1].name), "ascending, each once");
        assert_eq!(drawn(&all, 5000, 7), all);
        let early = some.iter().filter(|mutant| *mutant.name < *"0500").count();
        assert!((120..180).contains(&early), "{early} of the first half");
        // What is not there any more is replaced, and all others stay.
        let fewer: Vec<Mutant> = all.into_iter().filter(|mutant| *mutant != some[5]).collect();
        let other = drawn(&fewer, 300, 7);
        assert_eq!(other.iter().filter(|mutant| !some.contains(mutant)).count(), 1);
    }

    #[test]
    fn the_interval_is_that_of_wilson() {
        let close = |(a, b): (f64, f64), (c, d): (f64, f64)| (a - c).abs() + (b - d).abs() < 2e-3;
        assert!(close(interval(95, 100), (0.888, 0.978)));
        assert!(close(interval(0, 10), (0.0, 0.278)));
        assert_eq!(interval(0, 0), (0.0, 1.0));
    }

    #[test]
    fn outcomes_add_up_and_survivors_have_reasons() {
        let known = [("a", "caught"), ("b", "missed"), ("c", "timeout"), ("d", "unviable")];
        let known = known.map(|(name, outcome)| (name.to_owned(), outcome.to_owned())).into();
        let reasons = reasons_of("# why\nx\nb\n    the same\n    in all cases\ny\n    another\n");
        assert_eq!(reasons["x"], "the same in all cases");
        assert_eq!(reasons["y"], "another");
        let record = Record { path: PathBuf::new(), known, reasons };
        let text = record.summary(&["a", "b", "c", "d", "e"].map(mutant));
        assert!(text.starts_with(
            "2 caught (1 of them by time), 1 missed, 1 do not compile, 1 not tried: 66.7 %"
        ));
        assert!(text.ends_with("\nmissed b\n    the same in all cases"), "{text}");
    }
}
