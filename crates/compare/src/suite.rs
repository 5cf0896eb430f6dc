//! The suite for `keyaki-bench`: the formulas of real questions as scripts, with what is known of their answers.
//!
//! A status is known where it can be checked by something that is no solver: a model is evaluated on the formula, and
//! that there is none is shown by a certificate which `keyaki-verify` accepts. All else is left to the agreement of
//! others. Everything depends on the jobs and the seed alone, so the suite need not be kept: whoever makes it again
//! gets the same hash.
//!
//! Beside the jobs of the chore there are policies that grow, by [`growth`], so that there is something of every size.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use keyaki_bench::suite::{self, STANDARD, Suite};
use keyaki_bench::tiers::Tiers;
use keyaki_logic::certificate::{Certificate, Part};
use keyaki_logic::smtlib::{Dialect, Encoding, pieces};
use keyaki_logic::{Cancel, Formula, Limits, Outcome, Solver as _, eval};
use keyaki_solvers::Automaton;
use keyaki_throughput::growth;
use serde_json::{Value, json};

use crate::options::Options;
use crate::queries::{self, Form, Query};

/// The name of the script with merged memberships, in `dialects` of solvers.
const MERGED: &str = "smtlib-2.6-merged";

/// The name of the script as CVC4 reads it.
const CVC4: &str = "cvc4";

/// How long the embedded solver may take for a status. What takes longer has none of ours.
const STATUS_TIMEOUT: Duration = Duration::from_secs(20);

/// How long a script may be, in bytes. Longer ones are left out, and told of.
const SCRIPT_BYTES_MAX: usize = 1 << 20;

/// Numbers of statements of policies that grow.
const SIZES: [usize; 12] = [1, 2, 3, 5, 8, 12, 18, 27, 40, 60, 90, 140];

/// How many jobs go by between two signs of life.
const JOBS_PER_NOTE: usize = 1000;

/// What came of all jobs.
#[derive(Default)]
struct Made {
    queries: BTreeMap<String, suite::Query>,
    n_questions: usize,
    n_too_long: usize,
    n_unsaid: usize,
}

/// Makes the suite in `options.out`.
///
/// # Errors
///
/// No jobs, a fault of ours, or a file cannot be written.
pub(crate) fn run(options: &Options) -> Result<(), String> {
    let folder = options.out.clone().ok_or("--out says where the suite goes")?;
    let mut jobs = queries::jobs(options)?;
    jobs.extend(growing(options.max_statements));
    let made = Mutex::new(Made::default());
    let next = AtomicUsize::new(0);
    let work = || -> Result<(), String> {
        while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
            of_job(job, options, &folder, &made)?;
        }
        Ok(())
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..options.workers).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| worker.join().map_err(|_| "a worker broke")?)
    })?;
    let made = made.into_inner().map_err(|_| "a worker broke")?;
    let mut queries: Vec<suite::Query> = made.queries.into_values().collect();
    let n_known = queries.iter().filter(|query| query.status.is_some()).count();
    let tiers = options.benchmarks.join(format!("tiers/{}.csv", options.name));
    let tiers = if tiers.exists() { Tiers::read(&tiers)? } else { Tiers::default() };
    let attached = tiers.attach(&mut queries);
    let suite = Suite::write(&folder, &options.name, &options.recipe, queries)?;
    println!(
        "{} queries of {} questions, the status of {n_known} is known; {} scripts are longer than {SCRIPT_BYTES_MAX} \
         bytes, {} formulas cannot be said\n{attached}\nhash {}",
        suite.header.queries, made.n_questions, made.n_too_long, made.n_unsaid, suite.header.hash
    );
    Ok(())
}

/// Questions about policies that grow, up to so many statements.
fn growing(max: usize) -> Vec<String> {
    let mut jobs = Vec::new();
    for family in growth::FAMILIES {
        for variant in growth::VARIANTS {
            for size in SIZES.into_iter().filter(|size| *size <= max) {
                let [existing, new] = growth::policies(family, variant, size)
                    .map(|text| serde_json::from_str::<Value>(&text).unwrap_or_default());
                let job = json!({
                    "id": format!("growth/{family}/{variant}/{size}"), "question": "no-new-access",
                    "policy_type": "identity", "existing": existing, "new": new,
                });
                jobs.push(job.to_string());
            }
        }
    }
    jobs
}

fn of_job(job: &str, options: &Options, folder: &Path, made: &Mutex<Made>) -> Result<(), String> {
    let Some((id, question)) = queries::question(job) else { return Ok(()) };
    let statements = serde_json::from_str(job).map_or(0, |job: Value| n_statements(&job));
    for form in Form::ALL {
        let found = queries::of_question(&question, &id, form, &options.seed)
            .map_err(|error| format!("{id}: {error}"))?;
        for query in found {
            let Some(scripts) = scripts(&query.formula) else {
                made.lock().map_err(|_| "a worker broke")?.n_unsaid += 1;
                continue;
            };
            let family = format!("{}#{}", query.family, form.name());
            let mut of_suite = suite::query(&query.id, &family, &scripts)?;
            of_suite.features.statements = statements;
            {
                let mut made = made.lock().map_err(|_| "a worker broke")?;
                if scripts.values().any(|script| script.len() > SCRIPT_BYTES_MAX) {
                    made.n_too_long += 1;
                    continue;
                }
                match made.queries.entry(of_suite.id.clone()) {
                    Entry::Vacant(place) => drop(place.insert(of_suite.clone())),
                    Entry::Occupied(mut place) => {
                        same(place.get_mut(), &of_suite);
                        continue;
                    }
                }
            }
            write(folder, &of_suite, &scripts)?;
            if let Some((status, by)) = status(&query)?
                && let Some(known) =
                    made.lock().map_err(|_| "a worker broke")?.queries.get_mut(&of_suite.id)
            {
                known.status = Some(status.to_owned());
                known.status_by = Some(by.to_owned());
            }
        }
    }
    let mut made = made.lock().map_err(|_| "a worker broke")?;
    made.n_questions += 1;
    if made.n_questions.is_multiple_of(JOBS_PER_NOTE) {
        eprintln!("{} questions, {} queries: {id}", made.n_questions, made.queries.len());
    }
    Ok(())
}

/// Of two jobs that ask the same query, the one whose name is first has it, whichever worker was quicker.
fn same(known: &mut suite::Query, query: &suite::Query) {
    if query.name < known.name {
        known.name.clone_from(&query.name);
        known.family.clone_from(&query.family);
        known.features = query.features;
    }
}

/// The scripts of a formula by dialect; those that are the same as the standard one are left out. None if it cannot
/// be said.
fn scripts(formula: &Formula) -> Option<BTreeMap<String, String>> {
    let script = |dialect, encoding| {
        let pieces = pieces(formula, dialect, encoding).ok()?;
        Some([pieces.options, pieces.body, "(check-sat)\n".to_owned()].concat())
    };
    let standard = script(Dialect::Standard, Encoding::Separate)?;
    let mut scripts = BTreeMap::new();
    let others = [
        (MERGED, script(Dialect::Standard, Encoding::Merged)),
        (CVC4, script(Dialect::Cvc4, Encoding::Separate)),
    ];
    for (name, text) in others {
        if let Some(text) = text.filter(|text| *text != standard) {
            scripts.insert(name.to_owned(), text);
        }
    }
    scripts.insert(STANDARD.to_owned(), standard);
    Some(scripts)
}

/// Whether there is a model, if that can be shown, and by what.
fn status(query: &Query) -> Result<Option<(&'static str, &'static str)>, String> {
    let (id, formula) = (&query.id, &query.formula);
    let limits = Limits::within(STATUS_TIMEOUT);
    let (answer, proof) = Automaton
        .explain(formula, &limits, &Cancel::new())
        .map_err(|error| format!("{id}: {error}"))?;
    match answer.outcome {
        Outcome::Sat(model) => match eval::holds(formula, &model) {
            Ok(true) => Ok(Some(("sat", "model"))),
            _ => Err(format!("{id}: a model that is none")),
        },
        Outcome::Unsat => {
            let Some(proof) = proof else { return Ok(None) };
            let part = Part { label: id.clone(), formula: formula.clone(), proof };
            let certificate = Certificate::new(&[part]);
            keyaki_verify::verify(certificate.text.as_bytes())
                .map(|_| Some(("unsat", "certificate")))
                .map_err(|rejection| format!("{id}: a certificate that is none: {rejection}"))
        }
        Outcome::Unknown(_) => Ok(None),
    }
}

fn write(
    folder: &Path,
    query: &suite::Query,
    scripts: &BTreeMap<String, String>,
) -> Result<(), String> {
    for (dialect, text) in scripts {
        let Some(script) = query.scripts.get(dialect) else { continue };
        let path: PathBuf = folder.join(&script.file);
        let parent = path.parent().unwrap_or(folder);
        fs::create_dir_all(parent)
            .and_then(|()| fs::write(&path, text))
            .map_err(|error| format!("cannot write `{}`: {error}", path.display()))?;
    }
    Ok(())
}

/// How many statements the policies of a job have.
fn n_statements(value: &Value) -> usize {
    match value {
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| match (name.as_str(), value) {
                ("Statement", Value::Array(list)) => list.len(),
                ("Statement", _) => 1,
                _ => n_statements(value),
            })
            .sum(),
        Value::Array(list) => list.iter().map(n_statements).sum(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const JOB: &str = r#"{"id": "edit/x/r", "question": "no-new-access", "policy_type": "identity",
        "existing": {"Statement": {"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}},
        "new": {"Statement": [{"Effect": "Allow", "Action": ["s3:GetO*", "s3:GetB*"], "Resource": "*"}]}}"#;

    #[test]
    fn a_suite_is_the_same_whenever_it_is_made() {
        let made = |number: usize| {
            let folder = std::env::temp_dir()
                .join(format!("keyaki-compare-suite-{}-{number}", std::process::id()));
            fs::create_dir_all(&folder).unwrap();
            let file = folder.join("jobs.jsonl");
            fs::write(&file, JOB.replace('\n', " ")).unwrap();
            let words = ["suite", "--jobs", file.to_str().unwrap(), "--max-statements", "2"];
            let mut words = words.map(str::to_owned).to_vec();
            words.extend(["--out".to_owned(), folder.display().to_string()]);
            run(&Options::read(&words).unwrap()).unwrap();
            let suite = Suite::read(&folder).unwrap();
            for query in &suite.queries {
                for script in query.scripts.values() {
                    suite.text(script).unwrap();
                }
            }
            fs::remove_dir_all(&folder).unwrap();
            suite
        };
        let (one, two) = (made(1), made(2));
        assert_eq!(one.queries, two.queries);
        assert_eq!(one.header.hash, two.header.hash);
        assert!(one.queries.iter().all(|query| query.status.is_some()), "{:?}", one.queries);
        let of_job = one.queries.iter().find(|query| query.family.starts_with("edit/x#")).unwrap();
        assert_eq!((of_job.features.statements, of_job.status.as_deref()), (2, Some("unsat")));
        assert!(one.queries.iter().any(|query| query.scripts.contains_key(MERGED)));
    }
}
