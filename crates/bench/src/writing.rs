//! The verbs that make something of a record: pages, plots, plans and tiers.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use keyaki_bench::compare::{Comparison, Slack, compare};
use keyaki_bench::learn;
use keyaki_bench::plot::{cactus, png, scatter, svg};
use keyaki_bench::report::{Page, html};
use keyaki_bench::suite::Suite;

use crate::arguments::{Learn, Report, Tiers};
use crate::commands::Done;
use crate::reading::{Read, read};

pub(crate) fn report(given: &Report) -> Done {
    let read = read(&given.reading)?;
    let comparisons = comparisons(given, &read)?;
    let n = read.table.contestants.len();
    let groups: Vec<Vec<usize>> = match given.group.is_empty() {
        true => vec![(0..n).collect()],
        false => given
            .group
            .iter()
            .map(|group| group.split(',').map(|name| read.table.find(name.trim())).collect())
            .collect::<Result<_, _>>()?,
    };
    let page = html(&Page {
        title: &given.title,
        table: &read.table,
        suite: read.suite.as_ref(),
        status: &read.status,
        comparisons: &comparisons,
        groups: &groups,
        clock: read.clock,
    })?;
    write(&given.out, "report.html", page.as_bytes())?;
    for comparison in &comparisons {
        let shapes = scatter(comparison);
        let name = format!("scatter-{}-{}", comparison.old, comparison.new);
        write(&given.out, &format!("{name}.svg"), svg(&shapes).as_bytes())?;
        write(&given.out, &format!("{name}.png"), &png(&shapes)?)?;
    }
    for (number, group) in groups.iter().enumerate() {
        let shapes = cactus(&read.table, group, read.clock);
        let name = if number == 0 { "cactus".to_owned() } else { format!("cactus-{}", number + 1) };
        write(&given.out, &format!("{name}.svg"), svg(&shapes).as_bytes())?;
        write(&given.out, &format!("{name}.png"), &png(&shapes)?)?;
    }
    println!("{}", given.out.join("report.html").display());
    Ok(0)
}

fn comparisons<'r>(given: &Report, read: &'r Read) -> Result<Vec<Comparison<'r>>, String> {
    let n = read.table.contestants.len();
    let places: Vec<(usize, usize)> = match given.pair.is_empty() {
        true => (1..n).map(|at| (at - 1, at)).collect(),
        false => given
            .pair
            .iter()
            .map(|pair| {
                let (old, new) =
                    pair.split_once(',').ok_or_else(|| format!("`{pair}` is no OLD,NEW"))?;
                Ok((read.table.find(old.trim())?, read.table.find(new.trim())?))
            })
            .collect::<Result<_, String>>()?,
    };
    let slack = Slack { factor: given.slack.max(1.0), seconds: given.slack_s.max(0.0) };
    let pairs = places.into_iter();
    pairs.map(|places| compare(&read.table, places, &read.status, read.clock, slack)).collect()
}

fn write(folder: &Path, name: &str, bytes: &[u8]) -> Result<(), String> {
    let path = folder.join(name);
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(&path, bytes))
        .map_err(|error| format!("cannot write `{}`: {error}", path.display()))
}

/// How many plans are told.
const TOLD: usize = 20;

pub(crate) fn learn(given: &Learn) -> Done {
    let read = read(&given.reading)?;
    let members: Vec<usize> = match given.solver.is_empty() {
        true => (0..read.table.contestants.len()).collect(),
        false => given.solver.iter().map(|name| read.table.find(name)).collect::<Result<_, _>>()?,
    };
    let (plans, n) = learn::plans(&read.table, &members);
    let best = plans.first().filter(|_| n > 0).ok_or("no query was put to all of them")?;
    print!("{}", learn::text(&read.table, &plans[..TOLD.min(plans.len())], n));
    if let Some(path) = &given.out {
        let records: Vec<String> =
            given.reading.records.iter().map(|path| path.display().to_string()).collect();
        let text = learn::toml(&read.table, best, &records.join(", "), n);
        fs::write(path, text)
            .map_err(|error| format!("cannot write `{}`: {error}", path.display()))?;
    }
    Ok(0)
}

/// The tiers, and the time below which a query is of it, in seconds.
const TIERS: [(&str, f64); 4] =
    [("small", 0.1), ("medium", 1.0), ("large", 10.0), ("huge", f64::INFINITY)];

pub(crate) fn tiers(given: &Tiers) -> Done {
    let read = read(&given.reading)?;
    let suite = read.suite.ok_or("--suite says of which suite")?;
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut queries = suite.queries.clone();
    for query in &mut queries {
        let Some(cells) = read.table.queries.get(&query.id) else { continue };
        // By the slowest, so that the small tier is small for everybody.
        let slowest = cells.iter().flatten().map(|cell| match cell.is_solved() {
            true => read.clock.of(cell),
            false => f64::INFINITY,
        });
        let slowest = slowest.fold(0.0, f64::max);
        let tier =
            TIERS.iter().find(|(_, below)| slowest < *below).map_or("huge", |(tier, _)| tier);
        *counts.entry(tier).or_default() += 1;
        query.tier = Some(tier.to_owned());
    }
    Suite::write(&suite.folder, &suite.header.name, &suite.header.recipe, queries)?;
    for (tier, _) in TIERS {
        println!("{tier:<8} {:>7}", counts.get(tier).unwrap_or(&0));
    }
    Ok(0)
}
