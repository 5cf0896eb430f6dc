//! Whether all solvers say the same: formulas of generated questions and of real ones.
//!
//! The embedded solver answers each formula, and others are asked by processes that are kept running. An `unsat` is put to
//! them as it is. Finding a model takes them long, so `sat` is put to them with our model: each
//! variable equals its value. If another solver finds that satisfiable, so is the formula; if not, somebody is
//! wrong. Of one formula in [`ALONE_ONE_IN`] they have to find a model of their own.
//!
//! cvc5, which does best on these formulas, sees all of them. Where it confirms us, one formula in
//! [`SECOND_ONE_IN`] is put to one more, each in its turn; where it does not, all are asked until one does. A disagreement is
//! an incident: it is kept as a file and the run fails. Models are evaluated wherever they come
//! from, and every question whose formula has a model had its witness replayed before the formula got here.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use arbitrary::Unstructured;
use keyaki_logic::smtlib::{Dialect, script};
use keyaki_logic::{Formula, Model, Sort, Value};
use keyaki_properties::{case, property};
use serde_json::json;

use crate::contestants::{self, Answered, Contestant, How, Tried};
use crate::options::Options;
use crate::queries::{self, Distinct, Form, Query, Sample, hash};
use crate::record;
use crate::timing::ours_with_model;

/// The contestant that is asked first.
const FIRST: &str = "cvc5";

/// Of how many satisfiable formulas the others have to find one model of their own.
const ALONE_ONE_IN: u64 = 16;

/// Of how many formulas that are confirmed one is put to a second solver.
const SECOND_ONE_IN: u64 = 4;

/// Random bytes for one question. The largest ones take about a tenth.
const CASE_BYTES: usize = 1 << 14;

/// How many questions are drawn at most for each formula that is wanted.
const QUESTIONS_PER_FORMULA_MAX: usize = 20;

/// The kinds of questions and policies in the corpus, times the forms: for how many formulas of each there
/// should be room.
const STRATA: usize = 14;

/// A formula and the case that it is from, if it was generated.
struct Subject {
    query: Query,
    case: Option<serde_json::Value>,
}

/// What came of one formula.
struct Found {
    id: String,
    source: String,
    ours: Tried,
    /// Whether the others were given our model.
    is_given: bool,
    /// The contestants that were asked, by their numbers.
    theirs: Vec<(usize, Tried)>,
}

/// Draws, asks everybody, and counts.
///
/// # Errors
///
/// Opposite answers, a wrong model of ours, or a fault of ours.
pub(crate) fn run(options: &Options) -> Result<(), String> {
    let contestants = contestants::all(options);
    let subjects = subjects(options)?;
    let found = ask_all(&subjects, &contestants, options);
    let text = table(&found, &contestants, options);
    println!("{text}");
    if let Some(folder) = &options.record {
        record::write(folder, "agree", &csv(&found, &contestants), &contestants, &text)?;
    }
    let incidents = incidents(&subjects, &found, &contestants)?;
    if incidents.is_empty() { Ok(()) } else { Err(incidents) }
}

fn subjects(options: &Options) -> Result<Vec<Subject>, String> {
    let mut distinct = Distinct::default();
    let mut subjects = generated(options, &mut distinct)?;
    eprintln!("{} generated formulas", subjects.len());
    let drawn = of_the_corpus(options, &mut distinct)?;
    eprintln!("{} formulas of the corpus", drawn.len());
    subjects.extend(drawn.into_iter().map(|query| Subject { query, case: None }));
    Ok(subjects)
}

/// Formulas of random questions.
fn generated(options: &Options, distinct: &mut Distinct) -> Result<Vec<Subject>, String> {
    let draw = property("solvers_agree").ok_or("there is no property `solvers_agree`")?.draw;
    let mut subjects = Vec::new();
    let mut bytes = vec![0; CASE_BYTES];
    for number in 0..options.generated * QUESTIONS_PER_FORMULA_MAX {
        let id = format!("generated/{number}");
        for (at, piece) in bytes.chunks_mut(8).enumerate() {
            piece.copy_from_slice(&hash(&options.seed, &format!("{id}/{at}")).to_le_bytes());
        }
        let Ok(case) = draw(&mut Unstructured::new(&bytes)) else { continue };
        let question = case::question(&case).map_err(|no_case| no_case.0)?;
        for form in Form::ALL {
            let queries = queries::of_question(&question, &id, form, &options.seed)
                .map_err(|error| format!("{id}: {error}: {case}"))?;
            for query in queries.into_iter().filter(|query| distinct.is_new(query)) {
                if subjects.len() == options.generated {
                    return Ok(subjects);
                }
                subjects.push(Subject { query, case: Some(case.clone()) });
            }
        }
    }
    Ok(subjects)
}

/// A stratified sample of the formulas of the jobs.
fn of_the_corpus(options: &Options, distinct: &mut Distinct) -> Result<Vec<Query>, String> {
    // Some strata have fewer formulas than their share.
    let mut sample = Sample::new(2 * options.drawn.div_ceil(STRATA));
    for job in queries::jobs(options)? {
        let Some((id, question)) = queries::question(&job) else { continue };
        for form in Form::ALL {
            let found = queries::of_question(&question, &id, form, &options.seed)
                .map_err(|error| format!("{id}: {error}"))?;
            for query in found.into_iter().filter(|query| distinct.is_new(query)) {
                sample.offer(query, &options.seed);
            }
        }
    }
    Ok(sample.into_shares(options.drawn))
}

fn ask_all(subjects: &[Subject], contestants: &[Contestant], options: &Options) -> Vec<Found> {
    let next = AtomicUsize::new(0);
    let found = Mutex::new(BTreeMap::new());
    thread::scope(|scope| {
        for _ in 0..options.workers {
            scope.spawn(|| {
                while let Some((at, subject)) = take(&next, subjects) {
                    let one = ask(&subject.query, contestants, options);
                    found.lock().expect("nobody panics with the lock").insert(at, one);
                }
            });
        }
    });
    found.into_inner().expect("nobody panics with the lock").into_values().collect()
}

fn take<'s>(next: &AtomicUsize, subjects: &'s [Subject]) -> Option<(usize, &'s Subject)> {
    let at = next.fetch_add(1, Ordering::Relaxed);
    let subject = subjects.get(at)?;
    if at.is_multiple_of(200) {
        eprintln!("{at} of {}: {}", subjects.len(), subject.query.id);
    }
    Some((at, subject))
}

fn ask(query: &Query, contestants: &[Contestant], options: &Options) -> Found {
    let (ours, model) = ours_with_model(&query.formula, options.cap);
    let turn = query.fingerprint;
    let is_given = model.is_some() && !turn.is_multiple_of(ALONE_ONE_IN);
    let formula = match &model {
        Some(model) if is_given => with_values(&query.formula, model),
        _ => query.formula.clone(),
    };
    let wants_second = (turn / ALONE_ONE_IN).is_multiple_of(SECOND_ONE_IN);
    let n_wanted = if wants_second { 2 } else { 1 };
    let mut theirs: Vec<(usize, Tried)> = Vec::new();
    for number in order(contestants, turn / (ALONE_ONE_IN * SECOND_ONE_IN)) {
        let is_confirmed = theirs.iter().any(|(_, tried)| tried.answer == ours.answer);
        if ours.answer.is_definite() && is_confirmed && theirs.len() >= n_wanted {
            break;
        }
        let contestant = &contestants[number];
        if let Some(script) = contestant.script(&formula) {
            theirs.push((number, contestant.ask(How::Kept, &formula, &script, options.cap)));
        }
    }
    let source = if query.id.starts_with("generated/") { "generated" } else { "corpus" };
    let source = format!("{source}, {}", query.form.name());
    Found { id: query.id.clone(), source, ours, is_given, theirs }
}

/// The formula with every variable equal to its value in the model.
fn with_values(formula: &Formula, model: &Model) -> Formula {
    let mut formula = formula.clone();
    for (name, value) in model.iter() {
        let t = &mut formula.terms;
        let equal = match value {
            Value::Bool(true) => t.var(name, Sort::Bool),
            Value::Bool(false) => {
                let variable = t.var(name, Sort::Bool);
                t.not(variable)
            }
            Value::String(text) => {
                let (variable, text) = (t.var(name, Sort::String), t.string(text));
                t.eq(variable, text)
            }
            &Value::Bits { value, width } => {
                let (variable, bits) = (t.var(name, Sort::Bits(width)), t.bits(value, width));
                t.eq(variable, bits)
            }
        };
        formula.assert("the model", equal);
    }
    formula
}

/// The numbers of the contestants: the first one, and then the others, beginning with another one each time.
fn order(contestants: &[Contestant], turn: u64) -> Vec<usize> {
    let is_first = |number: &usize| contestants[*number].name == FIRST;
    let (mut first, mut others): (Vec<usize>, Vec<usize>) =
        (0..contestants.len()).partition(is_first);
    if !others.is_empty() {
        let at = turn % others.len() as u64;
        others.rotate_left(usize::try_from(at).unwrap_or(0));
    }
    first.append(&mut others);
    first
}

impl Found {
    fn is_confirmed(&self) -> bool {
        self.ours.answer.is_definite() && self.agrees(|answer| *answer == self.ours.answer)
    }

    fn agrees(&self, is: impl Fn(&Answered) -> bool) -> bool {
        self.theirs.iter().any(|(_, tried)| is(&tried.answer))
    }

    /// Whether two solvers contradict each other.
    fn is_contradiction(&self) -> bool {
        let has = |wanted: Answered| {
            self.ours.answer == wanted || self.agrees(|answer| *answer == wanted)
        };
        has(Answered::Sat) && has(Answered::Unsat)
    }

    /// Whether our own solver broke, as it does if its model is none.
    fn is_broken(&self) -> bool {
        matches!(self.ours.answer, Answered::Error(_))
    }
}

fn table(found: &[Found], contestants: &[Contestant], options: &Options) -> String {
    let mut text = format!(
        "Seed `{}`, at most {} ms for each solver and formula, processes kept running.\n\n\
         | formulas | number | sat | unsat | undecided by us | confirmed | of those decided | unsat confirmed | \
         of sat, without our model | contradictions |\n\
         |---|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n",
        options.seed,
        options.cap.as_millis()
    );
    let mut sources: Vec<&str> = found.iter().map(|one| one.source.as_str()).collect();
    sources.sort_unstable();
    sources.dedup();
    for source in sources {
        let of_source: Vec<&Found> = found.iter().filter(|one| one.source == source).collect();
        line(&mut text, source, &of_source);
    }
    line(&mut text, "all", &found.iter().collect::<Vec<_>>());
    text += "\n| solver | asked | the same | the opposite | time-out | unknown, error |\n|---|--:|--:|--:|--:|--:|\n";
    for (number, contestant) in contestants.iter().enumerate() {
        let pairs: Vec<(&Answered, &Answered)> = found
            .iter()
            .flat_map(|one| one.theirs.iter().map(move |(n, tried)| (n, one, tried)))
            .filter(|(n, ..)| **n == number)
            .map(|(_, one, tried)| (&one.ours.answer, &tried.answer))
            .collect();
        let count = |is: &dyn Fn(&Answered, &Answered) -> bool| {
            pairs.iter().filter(|(ours, theirs)| is(ours, theirs)).count()
        };
        let _ = writeln!(
            text,
            "| {} {} | {} | {} | {} | {} | {} |",
            contestant.label(),
            contestant.version,
            pairs.len(),
            count(&|ours, theirs| theirs.is_definite() && ours == theirs),
            count(&|ours, theirs| theirs.is_definite() && ours.is_definite() && ours != theirs),
            count(&|_, theirs| *theirs == Answered::Timeout),
            count(&|_, theirs| matches!(theirs, Answered::Unknown | Answered::Error(_))),
        );
    }
    text
}

fn line(text: &mut String, source: &str, found: &[&Found]) {
    let count = |is: &dyn Fn(&Found) -> bool| found.iter().filter(|one| is(one)).count();
    let is_alone = |one: &Found| one.ours.answer == Answered::Sat && !one.is_given;
    let decided = count(&|one| one.ours.answer.is_definite());
    let confirmed = count(&Found::is_confirmed);
    let _ = writeln!(
        text,
        "| {source} | {} | {} | {} | {} | {confirmed} | {:.2} % | {} | {} of {} | {} |",
        found.len(),
        count(&|one| one.ours.answer == Answered::Sat),
        count(&|one| one.ours.answer == Answered::Unsat),
        found.len() - decided,
        100.0 * confirmed as f64 / decided.max(1) as f64,
        count(&|one| one.is_confirmed() && one.ours.answer == Answered::Unsat),
        count(&|one| one.is_confirmed() && is_alone(one)),
        count(&is_alone),
        count(&Found::is_contradiction),
    );
}

/// Keeps what must not be as files, and says where; empty if there is nothing.
fn incidents(
    subjects: &[Subject],
    found: &[Found],
    contestants: &[Contestant],
) -> Result<String, String> {
    let mut text = String::new();
    for (subject, one) in subjects.iter().zip(found) {
        if !one.is_contradiction() && !one.is_broken() {
            continue;
        }
        let mut said = vec![format!("automaton {:?}", one.ours.answer)];
        for (number, tried) in &one.theirs {
            said.push(format!("{} {:?}", contestants[*number].label(), tried.answer));
        }
        let said = said.join(", ");
        let path = keep(subject, &said)?;
        let _ = writeln!(text, "{}: {said}; kept as {}", one.id, path.display());
    }
    Ok(text)
}

/// A generated case becomes a file that every test run checks; of a formula of the corpus the script is
/// kept, for whoever makes a small case of it.
fn keep(subject: &Subject, said: &str) -> Result<PathBuf, String> {
    let folder = keyaki_properties::regressions();
    let fingerprint = subject.query.fingerprint;
    let (path, text) = match &subject.case {
        Some(case) => {
            let file = json!({"property": "solvers_agree", "disagreement": said, "case": case});
            (folder.join(format!("solvers_agree-{fingerprint:016x}.json")), format!("{file:#}\n"))
        }
        None => {
            let script = script(&subject.query.formula, Dialect::Standard)?;
            let text = format!("; {}\n; {said}\n{script}", subject.query.id);
            let folder: &Path = Path::new("target/compare");
            (folder.join(format!("incident-{fingerprint:016x}.smt2")), text)
        }
    };
    fs::write(&path, text)
        .map_err(|error| format!("cannot write `{}`: {error}", path.display()))?;
    Ok(path)
}

fn csv(found: &[Found], contestants: &[Contestant]) -> String {
    let mut text = "query,solver,answer,microseconds\n".to_owned();
    for one in found {
        let mut put = |solver: &str, tried: &Tried| {
            let (id, word) = (&one.id, tried.answer.word());
            let _ =
                writeln!(text, "\"{id}\",{solver},{word},{:.1}", tried.wall.as_secs_f64() * 1e6);
        };
        put("automaton", &one.ours);
        for (number, tried) in &one.theirs {
            put(&contestants[*number].label(), tried);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same as `cargo xtask compare --agree`, with few formulas.
    #[test]
    fn solvers_say_the_same_of_a_few_generated_formulas() {
        let mut options = Options::read(&["agree".to_owned()]).unwrap();
        options.generated = 40;
        let contestants = contestants::all(&options);
        if contestants.is_empty() {
            assert!(std::env::var_os("REQUIRE_SOLVERS").is_none(), "no solver is installed");
            eprintln!("SKIPPED: no solver is installed");
            return;
        }
        let subjects = generated(&options, &mut Distinct::default()).unwrap();
        assert_eq!(subjects.len(), 40);
        let found = ask_all(&subjects, &contestants, &options);
        let table = table(&found, &contestants, &options);
        assert!(!found.iter().any(Found::is_contradiction), "{table}");
        assert!(!found.iter().any(Found::is_broken), "{table}");
        // Which are confirmed within the time depends on the machine.
        assert!(found.iter().any(Found::is_confirmed), "{table}");
    }

    #[test]
    fn opposite_answers_are_a_contradiction_whoever_gives_them() {
        let tried = |answer| Tried { answer, wall: std::time::Duration::ZERO };
        let found = |ours, theirs: [Answered; 2]| Found {
            id: String::new(),
            source: String::new(),
            ours: tried(ours),
            is_given: false,
            theirs: theirs.into_iter().map(tried).enumerate().collect(),
        };
        use Answered::{Sat, Timeout, Unknown, Unsat};
        assert!(found(Sat, [Unsat, Sat]).is_contradiction());
        assert!(found(Unknown, [Sat, Unsat]).is_contradiction());
        assert!(!found(Sat, [Timeout, Sat]).is_contradiction());
        assert!(found(Sat, [Timeout, Sat]).is_confirmed());
        assert!(!found(Unknown, [Unknown, Sat]).is_confirmed());
        assert!(!found(Unsat, [Timeout, Unknown]).is_confirmed());
    }
}
