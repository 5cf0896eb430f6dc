//! The verbs that read records.

use std::collections::BTreeMap;

use keyaki_bench::compare::{Class, Clock, Comparison, Slack, compare};
use keyaki_bench::gate::{self, Leniency};
use keyaki_bench::solvers::Solver;
use keyaki_bench::suite::Suite;
use keyaki_bench::table::Table;
use keyaki_bench::{measure, rank, record};

use crate::arguments::{Check, ClockArgument, Cmp, Gate, OfSolvers, Rank, Reading, Two};
use crate::commands::{Done, deadline, found, runner, writer};

/// A record, and what is known beside it.
pub(crate) struct Read {
    pub(crate) table: Table,
    pub(crate) suite: Option<Suite>,
    /// What the suite says of answers, by query.
    pub(crate) status: BTreeMap<String, String>,
    pub(crate) clock: Clock,
}

pub(crate) fn read(reading: &Reading) -> Result<Read, String> {
    let record = record::read(&reading.records)?;
    for note in &record.notes {
        eprintln!("note: {note}");
    }
    let table = Table::new(&record)?;
    let suite = reading.suite.as_deref().map(Suite::read).transpose()?;
    if let Some(suite) = &suite
        && suite.short_hash() != table.suite
    {
        return Err(format!(
            "the record is of suite `{}`, `{}` is suite `{}`",
            table.suite,
            suite.folder.display(),
            suite.short_hash()
        ));
    }
    let queries = suite.iter().flat_map(|suite| &suite.queries);
    let known = queries.filter_map(|query| Some((query.id.clone(), query.status.clone()?)));
    let status = known.collect();
    let clock = match reading.clock {
        ClockArgument::Wall => Clock::Wall,
        ClockArgument::Cpu => Clock::Cpu,
    };
    Ok(Read { table, status, suite, clock })
}

impl Read {
    pub(crate) fn compare(&self, two: &Two) -> Result<Comparison<'_>, String> {
        if two.slack.is_nan() || two.slack < 1.0 || two.slack_s.is_nan() || two.slack_s < 0.0 {
            return Err("--slack is at least 1, --slack-s at least 0".to_owned());
        }
        let places = (self.table.find(&two.old)?, self.table.find(&two.new)?);
        let slack = Slack { factor: two.slack, seconds: two.slack_s };
        compare(&self.table, places, &self.status, self.clock, slack)
    }

    /// The contestants that are named, or all.
    pub(crate) fn members(&self, names: &[String]) -> Result<Vec<usize>, String> {
        match names.is_empty() {
            true => Ok((0..self.table.contestants.len()).collect()),
            false => names.iter().map(|name| self.table.find(name)).collect(),
        }
    }

    fn name(&self, id: &str) -> &str {
        let query = self.suite.iter().flat_map(|suite| &suite.queries).find(|query| query.id == id);
        query.map_or("", |query| query.name.as_str())
    }
}

pub(crate) fn cmp(given: &Cmp) -> Done {
    let read = read(&given.reading)?;
    let comparison = read.compare(&given.two)?;
    print!("{}", comparison.text());
    for word in &given.list {
        let class = Class::ALL.into_iter().find(|class| class.word() == word);
        let class = class.ok_or_else(|| format!("`{word}` is no class"))?;
        println!("\n{word}");
        for pair in comparison.of(class) {
            let time = |cell: Option<&keyaki_bench::table::Cell>| {
                cell.map_or("-".to_owned(), |cell| {
                    format!("{} {:.3} s", cell.word, comparison.clock.of(cell))
                })
            };
            println!(
                "  {}  {} | {}  {}",
                pair.query,
                time(pair.old),
                time(pair.new),
                read.name(pair.query)
            );
        }
    }
    Ok(0)
}

pub(crate) fn rank(given: &Rank) -> Done {
    let read = read(&given.reading)?;
    let members = read.members(&given.solver)?;
    let (ranks, n) = rank::rank(&read.table, &members, &read.status, read.clock);
    if n == 0 {
        return Err(
            "no query was put to all of them\nhint: --solver names those to rank".to_owned()
        );
    }
    print!("{}", rank::text(&ranks, n));
    Ok(0)
}

pub(crate) fn gate(given: &Gate) -> Done {
    let mut read = read(&given.reading)?;
    let solvers = match &given.solvers {
        Some(file) => {
            let solvers = found(&OfSolvers { solvers: file.clone(), solver: Vec::new() })?;
            again(given, &mut read, &solvers)?;
            solvers
        }
        None => {
            eprintln!("note: without --suite and --solvers nothing is measured again");
            Vec::new()
        }
    };
    let comparison = read.compare(&given.two)?;
    let of_record = |word: &str| -> Result<Option<&Solver>, String> {
        let contestant = &read.table.contestants[read.table.find(word)?];
        Ok(solvers.iter().find(|solver| {
            solver.definition.name == contestant.name && solver.setup == contestant.setup
        }))
    };
    let both = [of_record(&given.two.old)?, of_record(&given.two.new)?];
    let leniency = Leniency { unstable: given.allow_unstable, slower: given.allow_slower };
    let (is_open, text) = gate::verdict(&comparison, leniency, read.suite.as_ref(), &both);
    print!("{text}");
    Ok(if is_open { 0 } else { 1 })
}

/// Measures again what looks lost, into the first record, and reads everything anew.
fn again(given: &Gate, read: &mut Read, solvers: &[Solver]) -> Result<(), String> {
    let suite = read.suite.as_ref().ok_or("--solvers measures again, and needs --suite")?;
    let places = [read.table.find(&given.two.old)?, read.table.find(&given.two.new)?];
    let both: Vec<&Solver> = places
        .iter()
        .map(|at| {
            let contestant = &read.table.contestants[*at];
            let is_it = |solver: &&Solver| {
                solver.definition.name == contestant.name
                    && solver.version == contestant.version
                    && solver.setup == contestant.setup
            };
            solvers.iter().find(is_it).ok_or_else(|| {
                format!(
                    "`{}` is not as it was measured in the solvers of --solvers\n\
                     hint: without --solvers nothing is measured again",
                    contestant.label()
                )
            })
        })
        .collect::<Result<_, _>>()?;
    let suspicious = gate::suspicious(&read.compare(&given.two)?);
    if suspicious.is_empty() {
        return Ok(());
    }
    let record = given.reading.records.first().filter(|path| path.is_file());
    let record =
        record.ok_or("the first RECORD is a folder: what is measured again goes into a file")?;
    let mut writer = writer(record, suite)?;
    let runner = runner()?;
    let until = deadline(given.minutes);
    let mut n_left = 0;
    for (number, id) in suspicious.iter().enumerate() {
        let Some(query) = suite.queries.iter().find(|query| query.id == *id) else { continue };
        if measure::is_often_enough(query, &both, given.runs, &writer) {
            continue;
        }
        eprintln!("{} of {}: {id} is measured again", number + 1, suspicious.len());
        let is_done = measure::again(suite, query, &both, given.runs, until, &runner, &mut writer)?;
        n_left += usize::from(!is_done);
    }
    drop(writer);
    if n_left > 0 {
        eprintln!(
            "note: time is up, {n_left} queries have fewer than {} runs; the same command goes on",
            given.runs
        );
    }
    read.table = Table::new(&record::read(&given.reading.records)?)?;
    Ok(())
}

pub(crate) fn check(given: &Check) -> Done {
    let read = read(&given.reading)?;
    let mut n_faults = 0;
    for (query, cells) in &read.table.queries {
        let known = read.table.status(query, read.status.get(query).map(String::as_str));
        for (cell, contestant) in cells.iter().zip(&read.table.contestants) {
            let Some(cell) = cell else { continue };
            let is_wrong = match known {
                Some((known, _)) => cell.answers.iter().any(|answer| *answer != known),
                None => cell.answers.len() > 1,
            };
            let is_broken = BROKEN.contains(&cell.word.as_str());
            if is_wrong || is_broken {
                n_faults += 1;
                let known =
                    known.map_or("nothing".to_owned(), |(answer, by)| format!("{answer} ({by})"));
                let name = read.name(query);
                println!(
                    "{}: {} where {known} is known: {query} {name}",
                    contestant.label(),
                    cell.word
                );
            }
        }
    }
    println!("{} queries, {n_faults} faults", read.table.queries.len());
    Ok(u8::from(n_faults > 0))
}

/// Words of runs that are no answer and no limit of time or memory.
const BROKEN: [&str; 8] =
    ["both", "failed", "signal", "output", "disk", "processes", "start", "harness"];
