//! The verb that asks why.

use std::collections::BTreeMap;
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
    print!("{}", statistics(case, &text, "the query")?);
    let budget = explain::budget(Duration::from_secs(60 * given.minutes), TRIES_MAX);
    let smaller = case.shrink(script, budget)?;
    let text = sexp::text(&smaller.script);
    let out = given.out.clone().unwrap_or_else(|| PathBuf::from("explained.smt2"));
    fs::write(&out, &text).map_err(|error| format!("cannot write `{}`: {error}", out.display()))?;
    println!(
        "\nsmaller: {} words, {} bytes, after {} tries{}: {}\n{}: {}\n{}: {}\n\n{}",
        words(&smaller.script),
        text.len(),
        smaller.n_tries,
        if smaller.is_cut { " (time is up)" } else { "" },
        out.display(),
        case.old.label(),
        result(&smaller.both.old),
        case.new.label(),
        result(&smaller.both.new),
        text.trim_end(),
    );
    println!("{}", statistics(case, &text, "the smaller query")?);
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

/// The statistics of both that differ most, by factor; those that only one has are passed over, as versions rename them. Whoever is
/// killed at its limit tells nothing.
fn statistics(case: &Case<'_>, script: &str, which: &str) -> Result<String, String> {
    let mut of_both = Vec::new();
    for solver in [case.old, case.new] {
        if solver.definition.statistics.is_empty() {
            return Ok(format!("\n{} has no `statistics`\n", solver.label()));
        }
        let ran = case.ask(solver, script, &solver.definition.statistics)?;
        let end = ran.end;
        let numbers = numbers(&[ran.report.stdout, ran.report.stderr].concat());
        if numbers.is_empty() {
            return Ok(format!("\n{} tells no statistics of {which} ({end})\n", solver.label()));
        }
        of_both.push(numbers);
    }
    let mut differing: Vec<(f64, &String, f64, f64)> = of_both[0]
        .iter()
        .filter_map(|(name, old)| {
            let new = of_both[1].get(name)?;
            let ratio = ((new + 1.0) / (old + 1.0)).ln().abs();
            (ratio > 0.1).then_some((ratio, name, *old, *new))
        })
        .collect();
    differing.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    let mut text = format!(
        "\nstatistics of {which} that both tell and that differ ({} and {} in all):\n",
        of_both[0].len(),
        of_both[1].len()
    );
    for (_, name, old, new) in differing.into_iter().take(STATISTICS_TOLD) {
        let _ = writeln!(text, "  {name:<60} {old:>14} {new:>14}");
    }
    Ok(text)
}

/// The names and numbers of lines such as `a::b = 3`, `a::b, 3`, `:a 3` or `a = { b: 3, c: 4 }`, whose entries are `a b` and
/// `a c`.
fn numbers(text: &str) -> BTreeMap<String, f64> {
    let mut found = BTreeMap::new();
    for line in text.lines() {
        let line = line.trim().trim_start_matches('(').trim_end_matches(')');
        if let Some((name, entries)) = line.split_once(" = {") {
            for entry in entries.trim_end_matches('}').split(',') {
                if let Some((key, number)) = entry.rsplit_once(':')
                    && let Ok(number) = number.trim().parse()
                {
                    let key = key.trim_matches([' ', '\'', '"']);
                    found.insert(format!("{} {key}", name.trim()), number);
                }
            }
        } else if let Some((name, number)) = line.rsplit_once([' ', ','])
            && let Ok(number) = number.trim_end_matches("ms").trim_end_matches('s').parse()
        {
            let name = name.trim_end_matches([' ', '=', ',']).trim();
            if !name.is_empty() {
                found.insert(name.to_owned(), number);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_solvers_write_them() {
        let text = "a::b = 3\nc::d, 4\n(:e 5\n :time 0.25)\nf::g = 12ms\n\
                    h = { ONE: 1, TWO: 2 }\ni = {'THREE': 3}\nsat\nj = text\n";
        let found: Vec<(String, f64)> = numbers(text).into_iter().collect();
        let expected = [
            (":e", 5.0),
            (":time", 0.25),
            ("a::b", 3.0),
            ("c::d", 4.0),
            ("f::g", 12.0),
            ("h ONE", 1.0),
            ("h TWO", 2.0),
            ("i THREE", 3.0),
        ];
        assert_eq!(found, expected.map(|(name, number)| (name.to_owned(), number)));
    }
}
