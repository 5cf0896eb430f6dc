//! The verb that asks why.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use keyaki_bench::explain::{self, Case, Gap};
use keyaki_bench::run::Ran;
use keyaki_bench::sexp;
use keyaki_bench::solvers::Solver;
use keyaki_bench::suite::Suite;

use crate::arguments::{Explain, OfSolvers};
use crate::commands::{Done, found, runner};

/// How often both are asked at most.
const TRIES_MAX: usize = 5_000;

/// How many statistics are told: those that differ most.
const STATISTICS_TOLD: usize = 25;

pub(crate) fn explain(given: &Explain) -> Done {
    let solvers = found(&OfSolvers {
        solvers: given.solvers.clone(),
        solver: vec![given.old.clone(), given.new.clone()],
    })?;
    let one = |name: &str| {
        let is_it = |solver: &&Solver| solver.definition.name == name;
        solvers.iter().find(is_it).ok_or_else(|| format!("`{name}` is not there"))
    };
    let (old, new) = (one(&given.old)?, one(&given.new)?);
    let script = explain::read(&path(given, new)?)?;
    let folder = std::env::temp_dir().join(format!("keyaki-bench-explain-{}", std::process::id()));
    fs::create_dir_all(&folder)
        .map_err(|error| format!("cannot make `{}`: {error}", folder.display()))?;
    let runner = runner()?;
    let gap = Gap { factor: given.factor, seconds: given.seconds };
    let case = Case { old, new, runner: &runner, folder: folder.clone(), gap };
    let told = tell(given, &case, &script);
    drop(fs::remove_dir_all(&folder));
    told
}

/// The script's file.
fn path(given: &Explain, new: &Solver) -> Result<PathBuf, String> {
    let Some(folder) = &given.suite else { return Ok(PathBuf::from(&given.query)) };
    let suite = Suite::read(folder)?;
    let is_it =
        |query: &&keyaki_bench::suite::Query| query.id == given.query || query.name == given.query;
    let query = suite
        .queries
        .iter()
        .find(is_it)
        .ok_or_else(|| format!("the suite has no query `{}`", given.query))?;
    let (_, script) = query
        .script(&new.definition.dialects)
        .ok_or_else(|| format!("`{}` reads no dialect of the query", new.definition.name))?;
    Ok(suite.folder.join(&script.file))
}

fn tell(given: &Explain, case: &Case<'_>, script: &[sexp::Sexp]) -> Done {
    let text = sexp::text(script);
    let words = |script: &[sexp::Sexp]| script.iter().map(sexp::Sexp::size).sum::<usize>();
    println!("query: {} words, {} bytes", words(script), text.len());
    for solver in [case.old, case.new] {
        println!("{}: {}", solver.label(), result(&case.ask(solver, &text, &[])?));
    }
    print!("{}", statistics(case, &text)?);
    let budget = explain::budget(Duration::from_secs(60 * given.minutes), TRIES_MAX);
    let smaller = case.shrink(script, budget)?;
    let text = sexp::text(&smaller.script);
    let out = given.out.clone().unwrap_or_else(|| PathBuf::from("explained.smt2"));
    fs::write(&out, &text).map_err(|error| format!("cannot write `{}`: {error}", out.display()))?;
    println!(
        "\nsmaller: {} words, {} bytes, after {} tries{}: {}\n{}: {}\n{}: {}\n\n{text}",
        words(&smaller.script),
        text.len(),
        smaller.n_tries,
        if smaller.is_cut { " (time is up)" } else { "" },
        out.display(),
        case.old.label(),
        result(&smaller.both.old),
        case.new.label(),
        result(&smaller.both.new),
    );
    println!("options of {}, on the smaller query:", case.new.label());
    for option in &case.new.definition.options {
        println!("  {:<44} {}", option.join(" "), result(&case.ask(case.new, &text, option)?));
    }
    Ok(0)
}

fn result(ran: &Ran) -> String {
    let (wall, cpu) = (ran.report.wall_ns as f64 / 1e9, ran.report.cpu_ns as f64 / 1e9);
    let mut text =
        format!("{} ({}) in {wall:.3} s, {cpu:.3} s of the processor", ran.outcome, ran.end);
    if ran.end == keyaki_bench::run::End::Failed {
        let said = [&ran.report.stdout, &ran.report.stderr];
        let line = said.iter().flat_map(|text| text.lines()).find(|line| !line.trim().is_empty());
        let _ = write!(text, ": {}", line.unwrap_or_default());
    }
    text
}

/// The statistics of both that differ most, by factor; those that only one has are passed over, as versions rename them.
fn statistics(case: &Case<'_>, script: &str) -> Result<String, String> {
    let mut of_both = Vec::new();
    for solver in [case.old, case.new] {
        if solver.definition.statistics.is_empty() {
            return Ok(String::new());
        }
        let ran = case.ask(solver, script, &solver.definition.statistics)?;
        of_both.push(numbers(&[ran.report.stdout, ran.report.stderr].concat()));
    }
    let mut differing: Vec<(f64, &String, f64, f64)> = of_both[0]
        .iter()
        .filter_map(|(name, old)| {
            let (_, new) = of_both[1].iter().find(|(other, _)| other == name)?;
            let ratio = ((new + 1.0) / (old + 1.0)).ln().abs();
            (ratio > 0.1).then_some((ratio, name, *old, *new))
        })
        .collect();
    differing.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut text = String::from("\nstatistics that both tell and that differ:\n");
    for (_, name, old, new) in differing.into_iter().take(STATISTICS_TOLD) {
        let _ = writeln!(text, "  {name:<60} {old:>14} {new:>14}");
    }
    Ok(text)
}

/// The names and numbers of lines such as `a::b = 3`, `a::b, 3` or `:a 3`.
fn numbers(text: &str) -> Vec<(String, f64)> {
    let of_line = |line: &str| {
        let line = line.trim().trim_start_matches('(').trim_end_matches(')');
        let (name, number) = line.rsplit_once([' ', ','])?;
        let number = number.trim_end_matches("ms").trim_end_matches('s').parse().ok()?;
        let name = name.trim_end_matches([' ', '=', ',']).trim();
        (!name.is_empty()).then(|| (name.to_owned(), number))
    };
    text.lines().filter_map(of_line).collect()
}
