//! How long each solver takes for the same formulas.
//!
//! The embedded solver is asked [`REPETITIONS`] times; what counts is its first time, in which nothing of
//! the formula has been seen before. The others are asked once by a running process and once by a new one. Of each
//! query the best of them is the fastest that answered, whichever it is. A query counts as solved
//! jointly if the embedded solver and one of the others answered; time-outs are told apart and
//! are in no mean.

use std::fmt::Write as _;
use std::fs;
use std::time::{Duration, Instant};

use keyaki_logic::{Cancel, Formula, Limits, Model, Outcome, Reason, Solver};
use keyaki_solvers::{Automaton, Checked};

use crate::contestants::{self, Answered, Contestant, How, Tried};
use crate::options::Options;
use crate::queries::{self, Distinct, Form, Query, Sample};
use crate::record;

/// How often the embedded solver is asked; odd, for the median.
const REPETITIONS: usize = 5;

/// How many of the slowest queries are listed.
const LISTED: usize = 10;

/// What came of one query.
struct Row {
    query: Query,
    first: Tried,
    /// The median of all repetitions.
    median: Duration,
    /// In the order of contestants; within, of `How::ALL`.
    others: Vec<[Option<Tried>; 2]>,
}

/// Draws, measures and prints.
///
/// # Errors
///
/// No jobs, opposite answers, or a fault of ours.
pub(crate) fn run(options: &Options) -> Result<(), String> {
    let contestants = contestants::all(options);
    let (queries, sampled) = sample(options)?;
    eprintln!("{sampled}");
    dump(options, &queries)?;
    for contestant in &contestants {
        contestant.warm_up();
    }
    let n_queries = queries.len();
    let mut rows = Vec::new();
    for (number, query) in queries.into_iter().enumerate() {
        if number % 20 == 0 {
            eprintln!("{number} of {n_queries} queries: {}", query.id);
        }
        rows.push(measure(query, &contestants, options.cap));
    }
    let text = [sampled, table(&rows, &contestants, options)].concat();
    println!("{text}");
    if let Some(folder) = &options.record {
        record::write(folder, "compare", &csv(&rows, &contestants), &contestants, &text)?;
    }
    let opposite: Vec<&str> =
        rows.iter().filter(|row| has_opposites(row)).map(|row| row.query.id.as_str()).collect();
    if opposite.is_empty() { Ok(()) } else { Err(format!("opposite answers to {opposite:?}")) }
}

fn sample(options: &Options) -> Result<(Vec<Query>, String), String> {
    let mut sample = Sample::new(options.per_stratum);
    let mut distinct = Distinct::default();
    let jobs = queries::jobs(options)?;
    let mut n_questions = 0;
    for job in &jobs {
        let Some((id, question)) = queries::question(job) else { continue };
        n_questions += 1;
        for form in Form::ALL {
            let found = queries::of_question(&question, &id, form, &options.seed)
                .map_err(|error| format!("{id}: {error}"))?;
            for query in found {
                if distinct.is_new(&query) {
                    sample.offer(query, &options.seed);
                }
            }
        }
    }
    let n_offered = sample.n_offered;
    let queries = sample.into_queries();
    if queries.is_empty() {
        return Err("there are no formulas".to_owned());
    }
    let of = |form| queries.iter().filter(|query| query.form == form).count();
    let text = format!(
        "{} formulas ({} plain, {} simplified) of {n_offered} distinct ones of {n_questions} \
         questions; seed `{}`; at most {} ms each\n\n",
        queries.len(),
        of(Form::Plain),
        of(Form::Simplified),
        options.seed,
        options.cap.as_millis(),
    );
    Ok((queries, text))
}

fn measure(query: Query, contestants: &[Contestant], cap: Duration) -> Row {
    let tries: Vec<Tried> = (0..REPETITIONS).map(|_| ours(&query.formula, cap)).collect();
    let mut walls: Vec<Duration> = tries.iter().map(|tried| tried.wall).collect();
    walls.sort_unstable();
    let others = contestants
        .iter()
        .map(|contestant| {
            let script = contestant.script(&query.formula);
            How::ALL.map(|how| Some(contestant.ask(how, &query.formula, script.as_ref()?, cap)))
        })
        .collect();
    Row { first: tries[0].clone(), median: walls[REPETITIONS / 2], others, query }
}

/// The embedded solver, whose models are evaluated within its time.
fn ours(formula: &Formula, cap: Duration) -> Tried {
    ours_with_model(formula, cap).0
}

/// The same, with the model if there is one.
pub(crate) fn ours_with_model(formula: &Formula, cap: Duration) -> (Tried, Option<Model>) {
    let start = Instant::now();
    let answer = Checked::new(Automaton).solve(formula, &Limits::within(cap), &Cancel::new());
    let wall = start.elapsed();
    let mut found = None;
    let answer = match answer.map(|answer| answer.outcome) {
        Ok(Outcome::Sat(model)) => {
            found = Some(model);
            Answered::Sat
        }
        Ok(Outcome::Unsat) => Answered::Unsat,
        Ok(Outcome::Unknown(Reason::Timeout)) => Answered::Timeout,
        Ok(Outcome::Unknown(_)) => Answered::Unknown,
        Err(error) => Answered::Error(error.to_string()),
    };
    (Tried { answer, wall }, found)
}

fn has_opposites(row: &Row) -> bool {
    let others = row.others.iter().flatten().flatten();
    let answers = || others.clone().chain([&row.first]).map(|tried| &tried.answer);
    answers().any(|answer| *answer == Answered::Sat)
        && answers().any(|answer| *answer == Answered::Unsat)
}

fn table(rows: &[Row], contestants: &[Contestant], options: &Options) -> String {
    let mut text = format!("{}\n", HEAD);
    let ours: Vec<&Tried> = rows.iter().map(|row| &row.first).collect();
    line(&mut text, "automaton, first time", &ours, &[]);
    for how in How::ALL {
        let at = how as usize;
        for (number, contestant) in contestants.iter().enumerate() {
            let pairs: Vec<(&Tried, &Tried)> = rows
                .iter()
                .filter_map(|row| Some((row.others[number][at].as_ref()?, &row.first)))
                .collect();
            let label = format!("{}, {}", contestant.label(), how.name());
            let theirs: Vec<&Tried> = pairs.iter().map(|(theirs, _)| *theirs).collect();
            line(&mut text, &label, &theirs, &ratios(&pairs));
        }
        let pairs: Vec<(&Tried, &Tried)> =
            rows.iter().filter_map(|row| Some((fastest(row, at)?, &row.first))).collect();
        let theirs: Vec<&Tried> = pairs.iter().map(|(theirs, _)| *theirs).collect();
        line(&mut text, &format!("the best of them, {}", how.name()), &theirs, &ratios(&pairs));
        for form in Form::ALL {
            let of_form = rows.iter().filter(|row| row.query.form == form);
            let pairs: Vec<(&Tried, &Tried)> =
                of_form.filter_map(|row| Some((fastest(row, at)?, &row.first))).collect();
            let theirs: Vec<&Tried> = pairs.iter().map(|(theirs, _)| *theirs).collect();
            let label = format!("… on {} formulas", form.name());
            line(&mut text, &label, &theirs, &ratios(&pairs));
        }
    }
    text += &slower(rows, contestants);
    text += &slowest(rows);
    text += &errors(rows, contestants);
    let _ = writeln!(text, "Time-outs are at {} ms and in no mean.", options.cap.as_millis());
    text
}

const HEAD: &str = "| solver | sat | unsat | time-out | unknown, error | median ms | p99 ms | jointly solved | \
                    their time / ours, geometric mean | least |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|";

fn line(text: &mut String, label: &str, tries: &[&Tried], ratios: &[f64]) {
    let count = |is: fn(&Answered) -> bool| tries.iter().filter(|t| is(&t.answer)).count();
    let mut solved: Vec<Duration> =
        tries.iter().filter(|t| t.answer.is_definite()).map(|t| t.wall).collect();
    solved.sort_unstable();
    let quantile = |q: f64| {
        let at = ((solved.len() as f64 * q).ceil() as usize).saturating_sub(1);
        solved.get(at).map_or("–".to_owned(), |wall| format!("{:.3}", wall.as_secs_f64() * 1e3))
    };
    let mean = match ratios {
        [] => "–".to_owned(),
        _ => format!("{:.0}", geometric_mean(ratios)),
    };
    let least = ratios.iter().copied().reduce(f64::min);
    let _ = writeln!(
        text,
        "| {label} | {} | {} | {} | {} | {} | {} | {} | {mean} | {} |",
        count(|answer| *answer == Answered::Sat),
        count(|answer| *answer == Answered::Unsat),
        count(|answer| *answer == Answered::Timeout),
        count(|answer| matches!(answer, Answered::Unknown | Answered::Error(_))),
        quantile(0.5),
        quantile(0.99),
        ratios.len(),
        least.map_or("–".to_owned(), |least| format!("{least:.2}")),
    );
}

/// Their time over ours, of the queries that both solved.
fn ratios(pairs: &[(&Tried, &Tried)]) -> Vec<f64> {
    pairs
        .iter()
        .filter(|(theirs, ours)| theirs.answer.is_definite() && ours.answer.is_definite())
        .map(|(theirs, ours)| theirs.wall.as_secs_f64() / ours.wall.as_secs_f64())
        .collect()
}

fn geometric_mean(ratios: &[f64]) -> f64 {
    (ratios.iter().map(|ratio| ratio.ln()).sum::<f64>() / ratios.len() as f64).exp()
}

/// The fastest answer of the others, asked in this way.
fn fastest(row: &Row, how: usize) -> Option<&Tried> {
    let tries = row.others.iter().filter_map(|tries| tries[how].as_ref());
    tries.filter(|tried| tried.answer.is_definite()).min_by_key(|tried| tried.wall)
}

/// Every query on which one of the others was faster, or answered what we did not.
fn slower(rows: &[Row], contestants: &[Contestant]) -> String {
    let mut lines = String::new();
    for row in rows {
        for (contestant, tries) in contestants.iter().zip(&row.others) {
            for (how, tried) in How::ALL.into_iter().zip(tries) {
                let Some(tried) = tried.as_ref().filter(|tried| tried.answer.is_definite()) else {
                    continue;
                };
                if row.first.answer.is_definite() && tried.wall >= row.first.wall {
                    continue;
                }
                let _ = writeln!(
                    lines,
                    "* `{}`: {} ({}) {} in {:.3} ms; automaton {} in {:.3} ms",
                    row.query.id,
                    contestant.label(),
                    how.name(),
                    tried.answer.word(),
                    tried.wall.as_secs_f64() * 1e3,
                    row.first.answer.word(),
                    row.first.wall.as_secs_f64() * 1e3,
                );
            }
        }
    }
    if lines.is_empty() {
        lines = "none\n".to_owned();
    }
    format!("\nSlower than one of them, or without an answer that one of them has:\n\n{lines}")
}

fn slowest(rows: &[Row]) -> String {
    let mut rows: Vec<&Row> = rows.iter().collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.first.wall));
    let mut text = "\nSlowest of ours:\n\n".to_owned();
    for row in rows.iter().take(LISTED) {
        let best = fastest(row, How::Kept as usize);
        let _ = writeln!(
            text,
            "* `{}`: {} in {:.3} ms, the median of {REPETITIONS} {:.3} ms; the best of them, warm, {}",
            row.query.id,
            row.first.answer.word(),
            row.first.wall.as_secs_f64() * 1e3,
            row.median.as_secs_f64() * 1e3,
            best.map_or("none".to_owned(), |t| format!("{:.3} ms", t.wall.as_secs_f64() * 1e3)),
        );
    }
    text + "\n"
}

/// What broke, once for each contestant and message.
fn errors(rows: &[Row], contestants: &[Contestant]) -> String {
    let mut text = String::new();
    for (number, contestant) in contestants.iter().enumerate() {
        let mut messages: Vec<&str> = rows
            .iter()
            .flat_map(|row| row.others[number].iter().flatten())
            .filter_map(|tried| match &tried.answer {
                Answered::Error(message) => message.lines().next(),
                _ => None,
            })
            .collect();
        messages.sort_unstable();
        messages.dedup();
        for message in messages.iter().take(LISTED) {
            let _ = writeln!(text, "{}: {message}", contestant.label());
        }
    }
    text
}

fn csv(rows: &[Row], contestants: &[Contestant]) -> String {
    let mut text = "query,fingerprint,family,form,solver,how,answer,microseconds\n".to_owned();
    for row in rows {
        let Query { id, fingerprint, family, form, .. } = &row.query;
        let mut put = |solver: &str, how: &str, tried: &Tried| {
            let _ = writeln!(
                text,
                "\"{id}\",{fingerprint:016x},{family},{},{solver},{how},{},{:.1}",
                form.name(),
                tried.answer.word(),
                tried.wall.as_secs_f64() * 1e6,
            );
        };
        put("automaton", "first", &row.first);
        put("automaton", "median", &Tried { wall: row.median, ..row.first.clone() });
        for (contestant, tries) in contestants.iter().zip(&row.others) {
            for (how, tried) in How::ALL.into_iter().zip(tries) {
                if let Some(tried) = tried {
                    put(&contestant.label(), how.name(), tried);
                }
            }
        }
    }
    text
}

/// Writes the queries as scripts, in the dialect and encoding of SMT-LIB's own.
fn dump(options: &Options, queries: &[Query]) -> Result<(), String> {
    let Some(folder) = &options.dump else { return Ok(()) };
    fs::create_dir_all(folder).map_err(|error| format!("`{}`: {error}", folder.display()))?;
    for query in queries {
        let Ok(script) =
            keyaki_logic::smtlib::script(&query.formula, keyaki_logic::smtlib::Dialect::Standard)
        else {
            continue;
        };
        let path = folder.join(format!("{:016x}.smt2", query.fingerprint));
        fs::write(&path, format!("; {}\n{script}", query.id))
            .map_err(|error| format!("cannot write `{}`: {error}", path.display()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tried(answer: Answered, microseconds: u64) -> Tried {
        Tried { answer, wall: Duration::from_micros(microseconds) }
    }

    #[test]
    fn the_mean_of_ratios_is_geometric_and_of_what_both_solved() {
        let ours = tried(Answered::Sat, 10);
        let (ten, thousand) = (tried(Answered::Sat, 100), tried(Answered::Sat, 10_000));
        let late = tried(Answered::Timeout, 1_000_000);
        let ratios = ratios(&[(&ten, &ours), (&thousand, &ours), (&late, &ours), (&ten, &late)]);
        assert_eq!(ratios.len(), 2);
        assert!((geometric_mean(&ratios) - 100.0).abs() < 1e-9);
    }
}
