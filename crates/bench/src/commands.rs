//! What each verb does: from arguments to the library and to words.

use std::path::Path;
use std::time::{Duration, Instant};

use keyaki_bench::measure::Plan;
use keyaki_bench::record::Writer;
use keyaki_bench::run::Runner;
use keyaki_bench::solvers::{self, Solver};
use keyaki_bench::suite::{self, Query, Suite};
use keyaki_bench::tiers::Tiers;
use keyaki_bench::{hash, measure};
use regex::Regex;

use crate::arguments::{Choice, Index, Measure, OfSolvers};

/// What a verb comes to: an exit status, or what went wrong.
pub(crate) type Done = Result<u8, String>;

pub(crate) fn index(given: &Index) -> Done {
    let of_folder = given.folder.file_name().map(|name| name.to_string_lossy().into_owned());
    let name = given.name.clone().or(of_folder).unwrap_or_else(|| "suite".to_owned());
    let mut suite = suite::index(&given.folder, &name)?;
    if let Some(path) = &given.tiers {
        let attached = Tiers::read(path)?.attach(&mut suite.queries);
        suite = Suite::write(&suite.folder, &name, &suite.header.recipe, suite.queries)?;
        println!("{attached}");
    }
    println!("{} queries, hash {}", suite.header.queries, suite.header.hash);
    Ok(0)
}

pub(crate) fn solvers(given: &OfSolvers) -> Done {
    let found = found(given)?;
    for solver in &found {
        println!(
            "{} (setup {}): {}",
            solver.label(),
            solver.setup,
            solver.command_line("QUERY.smt2")
        );
    }
    Ok(if found.is_empty() { 2 } else { 0 })
}

/// The solvers that are asked for and there; the others are told of.
pub(crate) fn found(given: &OfSolvers) -> Result<Vec<Solver>, String> {
    let mut definitions = solvers::read(&given.solvers)?;
    if let Some(name) =
        given.solver.iter().find(|name| definitions.iter().all(|d| d.name != **name))
    {
        return Err(format!("there is no solver `{name}` in `{}`", given.solvers.display()));
    }
    if !given.solver.is_empty() {
        definitions.retain(|definition| given.solver.contains(&definition.name));
    }
    let (found, missing) = solvers::find(definitions);
    for cause in missing {
        eprintln!("SKIPPED: {cause}");
    }
    Ok(found)
}

/// The queries that are chosen, in the order in which they are measured.
fn chosen<'s>(suite: &'s Suite, choice: &Choice) -> Result<Vec<&'s Query>, String> {
    let filter = choice.filter.as_deref().map(Regex::new).transpose().map_err(|e| e.to_string())?;
    let mut queries: Vec<&Query> = suite.queries.iter().collect();
    if let Some(filter) = filter {
        queries.retain(|query| filter.is_match(&query.id) || filter.is_match(&query.name));
    }
    if let Some(tier) = &choice.tier {
        queries.retain(|query| query.tier.as_ref() == Some(tier));
    }
    match choice.sample {
        Some(size) => queries = suite::sample(queries, size, &choice.seed),
        None => queries.sort_by_key(|query| hash::rank(&choice.seed, &query.id)),
    }
    Ok(queries)
}

pub(crate) fn measure(given: &Measure) -> Done {
    let suite = Suite::read(&given.suite)?;
    let solvers = found(&given.solvers)?;
    let queries = chosen(&suite, &given.choice)?;
    if solvers.is_empty() || queries.is_empty() {
        return Err(format!(
            "{} solvers on {} queries: nothing to measure",
            solvers.len(),
            queries.len()
        ));
    }
    if given.list {
        for query in &queries {
            println!("{}  {}", query.id, query.name);
        }
        eprintln!("{} queries of {}", queries.len(), suite.queries.len());
        return Ok(0);
    }
    let until = deadline(given.minutes);
    let plan = Plan {
        suite: &suite,
        queries,
        solvers: &solvers,
        runs: given.runs,
        workers: given.workers,
        until,
    };
    let writer = writer(&given.record, &suite)?;
    let done = measure::measure(&plan, &runner()?, writer)?;
    eprintln!(
        "{} runs, {} were in the record, {} without a script in a dialect of the solver, {} left for another time",
        done.n_run, done.n_before, done.n_unspoken, done.n_left
    );
    Ok(if done.n_left > 0 { 3 } else { 0 })
}

/// When so many minutes from now are over.
pub(crate) fn deadline(minutes: Option<u64>) -> Option<Instant> {
    Instant::now().checked_add(Duration::from_secs(minutes?.saturating_mul(60)))
}

pub(crate) fn writer(path: &Path, suite: &Suite) -> Result<Writer, String> {
    let writer = Writer::open(path, suite.short_hash())?;
    if let Some(note) = &writer.note {
        eprintln!("note: {note}");
    }
    Ok(writer)
}

pub(crate) fn runner() -> Result<Runner, String> {
    std::env::current_exe().map(Runner::new).map_err(|error| format!("where am I? {error}"))
}
