//! Draws and checks case after case, tells how many, and keeps what breaks a property as a file.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::collections::hash_map::RandomState;
use std::fs;
use std::hash::{BuildHasher, Hasher};
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::sync::Once;
use std::time::{Duration, Instant};

use arbitrary::Unstructured;
use serde_json::{Value, json};

use crate::shrink::shrink;
use crate::{PROPERTIES, Property, case};

/// How long a property runs if nobody says how long, in milliseconds.
const DEFAULT_BUDGET_MS: u64 = 1_000;

/// The seed of cases that are the same each time.
const SEED: u64 = 20_261_129;

/// Cases that are checked however slow the machine is.
const MIN_CASES: usize = 20;

/// Cases after which an outcome that has not come out yet is given up.
const MAX_CASES_FOR_OUTCOMES: usize = 2_000;

/// Random bytes for one case. The largest ones take about a tenth.
const CASE_BYTES: usize = 1 << 14;

/// What a run came to.
#[derive(Clone, Debug, Default)]
pub struct Run {
    /// Cases checked.
    pub cases: usize,
    /// What came out how often.
    pub outcomes: BTreeMap<&'static str, usize>,
    /// From the first draw to the last check.
    pub wall: Duration,
}

/// How long each property runs: `KEYAKI_PROPERTY_BUDGET_MS`, or a second.
pub fn budget() -> Duration {
    let set = std::env::var("KEYAKI_PROPERTY_BUDGET_MS").ok();
    Duration::from_millis(set.and_then(|text| text.parse().ok()).unwrap_or(DEFAULT_BUDGET_MS))
}

/// How many cases each property is checked on, the same ones each time, if `KEYAKI_PROPERTY_CASES` says so. What breaks
/// a property is not made small then, and no file is written.
fn wanted_cases() -> Option<usize> {
    std::env::var("KEYAKI_PROPERTY_CASES").ok()?.parse().ok()
}

impl Property {
    /// Checks random cases for so long, or as many as `KEYAKI_PROPERTY_CASES` says.
    ///
    /// # Panics
    ///
    /// One of them breaks the property. A smaller one is then a file of `corpus/regressions/`. Or
    /// some outcome that has to come out has not.
    pub fn run(&self, budget: Duration) -> Run {
        self.run_within(budget, wanted_cases())
    }

    fn run_within(&self, budget: Duration, n_cases: Option<usize>) -> Run {
        let start = Instant::now();
        let is_enough = |run: &Run| match n_cases {
            Some(n) => run.cases >= n,
            None => run.cases >= MIN_CASES && start.elapsed() >= budget,
        };
        let seed = n_cases.map(|_| SEED);
        let mut random = Random(seed.unwrap_or_else(|| RandomState::new().build_hasher().finish()));
        let mut run = Run::default();
        let mut bytes = vec![0; CASE_BYTES];
        let missing = |run: &Run| {
            self.outcomes.iter().copied().find(|outcome| !run.outcomes.contains_key(outcome))
        };
        while !is_enough(&run) || (missing(&run).is_some() && run.cases < MAX_CASES_FOR_OUTCOMES) {
            random.fill(&mut bytes);
            let drawn = (self.draw)(&mut Unstructured::new(&bytes));
            let case = drawn.unwrap_or_else(|error| panic!("{}: no case: {error}", self.name));
            match self.outcomes_of(&case) {
                Ok(outcomes) => {
                    for outcome in outcomes {
                        *run.outcomes.entry(outcome).or_default() += 1;
                    }
                }
                Err(disagreement) if n_cases.is_some() => {
                    self.tell(&run, 1);
                    panic!("{}: {disagreement}", self.name);
                }
                Err(disagreement) => self.give_up(&case, &disagreement, &run),
            }
            run.cases += 1;
            run.wall = start.elapsed();
        }
        self.tell(&run, 0);
        assert_eq!(missing(&run), None, "{}: never among {:?}", self.name, run.outcomes);
        run
    }

    /// What comes out of a case, or what breaks the property.
    fn outcomes_of(&self, case: &Value) -> Result<Vec<&'static str>, String> {
        match quietly(|| (self.check)(case)) {
            Ok(Ok(outcomes)) => Ok(outcomes),
            Ok(Err(no_case)) => panic!("{}: {}: {case}", self.name, no_case.0),
            Err(disagreement) => Err(disagreement),
        }
    }

    /// Checks a case, and shows it if it breaks the property.
    ///
    /// # Panics
    ///
    /// It breaks the property. Nothing that is no case does.
    pub fn check_shown(&self, case: &Value) {
        if let Err(disagreement) = quietly(|| (self.check)(case)) {
            panic!("{}: {disagreement}\n{case:#}", self.name);
        }
    }

    fn give_up(&self, case: &Value, disagreement: &str, run: &Run) -> ! {
        self.tell(run, 1);
        // What says something else is another disagreement, which may be one of the smaller case only.
        let is_same = |other: &str| other.split(' ').next() == disagreement.split(' ').next();
        let smallest =
            shrink(case, |case| quietly(|| (self.check)(case)).is_err_and(|other| is_same(&other)));
        let disagreement = match quietly(|| (self.check)(&smallest)) {
            Err(of_smallest) => of_smallest,
            Ok(_) => disagreement.to_owned(),
        };
        let path = keep(self.name, &smallest, &disagreement);
        panic!("{}: {disagreement}\n{smallest:#}\nkept as {}", self.name, path.display());
    }

    /// One line, for whoever adds up what was executed.
    fn tell(&self, run: &Run, n_failures: usize) {
        if !PROPERTIES.iter().any(|property| property.name == self.name) {
            // One that a test of ours made up.
            return;
        }
        let n_checks: usize = run.outcomes.values().sum();
        let per_second = n_checks as f64 / run.wall.as_secs_f64().max(1e-9);
        eprintln!(
            "PROPERTY {}: {} cases, {n_checks} checks, {per_second:.0} checks a second, {n_failures} failures {:?}",
            self.name, run.cases, run.outcomes
        );
    }
}

/// The folder of cases that broke a property once.
pub fn regressions() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../corpus/regressions")
}

/// Writes a case as a file; the name follows from what is in it.
fn keep(name: &str, smallest: &Value, disagreement: &str) -> PathBuf {
    let file = json!({"property": name, "disagreement": disagreement, "case": smallest});
    let hash = smallest.to_string().bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    let path = regressions().join(format!("{name}-{hash:016x}.json"));
    fs::write(&path, format!("{file:#}\n")).expect("corpus/regressions/ can be written");
    path
}

/// Checks the case of a file.
///
/// # Panics
///
/// It breaks its property, or is none.
pub fn check_file(path: &Path) {
    let text = fs::read_to_string(path).expect("a file of the corpus is readable");
    let file: Value = serde_json::from_str(&text)
        .unwrap_or_else(|error| panic!("{} is no JSON: {error}", path.display()));
    let name = case::string(&file, "property");
    let name = name.unwrap_or_else(|no_case| panic!("{}: {}", path.display(), no_case.0));
    let property = PROPERTIES.iter().find(|property| property.name == name);
    let property = property.unwrap_or_else(|| panic!("there is no property `{name}`"));
    match (property.check)(&file["case"]) {
        Ok(_) => {}
        Err(no_case) => panic!("{}: {}", path.display(), no_case.0),
    }
}

/// The result, or the message of a panic, of which nothing is printed.
fn quietly<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    thread_local! {
        static IS_QUIET: Cell<bool> = const { Cell::new(false) };
    }
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let others = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !IS_QUIET.get() {
                others(info);
            }
        }));
    });
    let was_quiet = IS_QUIET.replace(true);
    let result = panic::catch_unwind(AssertUnwindSafe(run));
    IS_QUIET.set(was_quiet);
    result.map_err(|payload| match payload.downcast::<String>() {
        Ok(message) => *message,
        Err(payload) => match payload.downcast::<&str>() {
            Ok(message) => (*message).to_owned(),
            Err(_) => "a panic without a message".to_owned(),
        },
    })
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut word = self.0;
            word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            let word = (word ^ (word >> 31)).to_le_bytes();
            chunk.copy_from_slice(&word[..chunk.len()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BROKEN: Property = Property {
        name: "no_number_is_seven",
        draw: |u| Ok(json!({"numbers": [u.int_in_range(0..=9)?, 1, 2]})),
        check: |case| {
            assert!(!case["numbers"].to_string().contains('7'), "there is a seven");
            Ok(vec!["fine"])
        },
        outcomes: &["fine"],
    };

    #[test]
    fn what_breaks_a_property_is_kept_as_a_small_file() {
        let long = Duration::from_secs(60);
        let message = quietly(|| BROKEN.run_within(long, None)).unwrap_err();
        let (text, path) = message.split_once("\nkept as ").unwrap();
        assert!(text.starts_with("no_number_is_seven: there is a seven"), "{text}");
        let file: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        fs::remove_file(path).unwrap();
        assert_eq!(file["case"], json!({"numbers": [7]}));
        assert_eq!(file["disagreement"], "there is a seven");
    }

    #[test]
    fn so_many_cases_are_the_same_each_time_and_no_file_is_written() {
        let long = Duration::from_secs(60);
        let messages =
            [(); 2].map(|()| quietly(|| BROKEN.run_within(long, Some(200))).unwrap_err());
        assert_eq!(messages[0], "no_number_is_seven: there is a seven");
        assert_eq!(messages[0], messages[1]);
    }
}
