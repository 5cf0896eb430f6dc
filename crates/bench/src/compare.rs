//! Two contestants on the same queries: what is lost, what is won, what got slower, and how sure that is.
//!
//! Classes first, numbers after: a query that is not solved any more is not outweighed by a hundred that are solved
//! sooner, so a loss is never part of a mean. Ratios are of queries that both solve.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::run::Outcome;
use crate::stats::{
    Estimate, bootstrap, geometric_mean, lopsided, median, quantile, share, sorted,
};
use crate::table::{Cell, State, Table};

/// What became of a query between the old and the new.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Two of: the old, the new, and what is known, are opposite.
    Contradiction,
    /// The old solved it, the new does not.
    Lost,
    /// One of the two solved it in some runs only.
    Unstable,
    /// Both solve it; the new takes longer by more than the slack.
    Slower,
    /// Both solve it; the new takes less by more than the slack.
    Faster,
    /// Both solve it in much the same time.
    Same,
    /// The old did not solve it, the new does.
    Won,
    /// None solves it.
    Neither,
    /// One of them was not asked.
    Missing,
}

impl Class {
    /// All, in the order of reports.
    pub const ALL: [Class; 9] = [
        Class::Contradiction,
        Class::Lost,
        Class::Unstable,
        Class::Slower,
        Class::Faster,
        Class::Same,
        Class::Won,
        Class::Neither,
        Class::Missing,
    ];

    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Class::Contradiction => "contradiction",
            Class::Lost => "lost",
            Class::Unstable => "unstable",
            Class::Slower => "slower",
            Class::Faster => "faster",
            Class::Same => "same",
            Class::Won => "won",
            Class::Neither => "neither",
            Class::Missing => "missing",
        }
    }

    /// Whether both solve it.
    pub fn is_both(self) -> bool {
        matches!(self, Class::Slower | Class::Faster | Class::Same)
    }
}

/// Which time counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// From start to end.
    Wall,
    /// Of the processor. On a machine that others use too it is the less disturbed of the two.
    Cpu,
}

impl Clock {
    /// What it is called.
    pub fn words(self) -> &'static str {
        match self {
            Clock::Wall => "wall time",
            Clock::Cpu => "processor time",
        }
    }

    /// The time of a cell, in seconds.
    pub fn of(self, cell: &Cell) -> f64 {
        match self {
            Clock::Wall => cell.wall_s,
            Clock::Cpu => cell.cpu_s,
        }
    }
}

/// How much longer the new may take before it counts as slower: by this factor, and by this many seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Slack {
    /// The factor, at least 1.
    pub factor: f64,
    /// Seconds.
    pub seconds: f64,
}

impl Slack {
    fn is_more(self, more: f64, less: f64) -> bool {
        more > less * self.factor && more > less + self.seconds
    }
}

/// A query, and what became of it.
#[derive(Clone, Debug)]
pub struct Pair<'t> {
    /// The query's id.
    pub query: &'t str,
    /// What became of it.
    pub class: Class,
    /// The old one's cell.
    pub old: Option<&'t Cell>,
    /// The new one's.
    pub new: Option<&'t Cell>,
}

/// All queries, between two contestants.
#[derive(Clone, Debug)]
pub struct Comparison<'t> {
    /// The old one's label.
    pub old: String,
    /// The new one's.
    pub new: String,
    /// The queries, in the order of their ids.
    pub pairs: Vec<Pair<'t>>,
    /// Which time counts.
    pub clock: Clock,
    /// What is much the same.
    pub slack: Slack,
}

/// Compares two contestants of a table; `status` is what is known of a query beside the table.
///
/// # Errors
///
/// Their limits differ, so that what is lost could be lost by the limit; or no query was put to both.
pub fn compare<'t>(
    table: &'t Table,
    (old, new): (usize, usize),
    status: &BTreeMap<String, String>,
    clock: Clock,
    slack: Slack,
) -> Result<Comparison<'t>, String> {
    let label = |at: usize| table.label(at);
    let mut pairs = Vec::new();
    for (query, cells) in &table.queries {
        let (old, new) = (cells[old].as_ref(), cells[new].as_ref());
        if let (Some(a), Some(b)) = (old, new)
            && (a.limit_s - b.limit_s).abs() > f64::EPSILON
        {
            return Err(format!(
                "the old one had {} s for query {query}, the new one {} s: they cannot be compared\n\
                 hint: measure both with the same limits",
                a.limit_s, b.limit_s
            ));
        }
        if old.is_none() && new.is_none() {
            continue;
        }
        let known = table.status(query, status.get(query).map(String::as_str));
        let class = class(old, new, known.map(|(answer, _)| answer), clock, slack);
        pairs.push(Pair { query, class, old, new });
    }
    if pairs.iter().all(|pair| pair.class == Class::Missing) {
        return Err(format!("no query was put to both {} and {}", label(old), label(new)));
    }
    Ok(Comparison { old: label(old), new: label(new), pairs, clock, slack })
}

fn class(
    old: Option<&Cell>,
    new: Option<&Cell>,
    known: Option<Outcome>,
    clock: Clock,
    slack: Slack,
) -> Class {
    let mut answers: Vec<Outcome> =
        [old, new].into_iter().flatten().flat_map(|cell| cell.answers.iter().copied()).collect();
    // What is known because the others agree counts against these two as what the suite says does.
    answers.extend(known);
    if answers.contains(&Outcome::Sat) && answers.contains(&Outcome::Unsat) {
        return Class::Contradiction;
    }
    let (Some(old), Some(new)) = (old, new) else { return Class::Missing };
    match (old.state(), new.state()) {
        (State::Unstable, _) | (_, State::Unstable) => Class::Unstable,
        (State::Unsolved, State::Unsolved) => Class::Neither,
        (State::Solved, State::Unsolved) => Class::Lost,
        (State::Unsolved, State::Solved) => Class::Won,
        (State::Solved, State::Solved) => match (clock.of(old), clock.of(new)) {
            (before, after) if slack.is_more(after, before) => Class::Slower,
            (before, after) if slack.is_more(before, after) => Class::Faster,
            _ => Class::Same,
        },
    }
}

/// The least time that a ratio is taken of, in seconds: below it, one measures the start of a process.
const FLOOR_S: f64 = 0.001;

/// In how many runs of both what is lost is lost for sure.
pub const RUNS_SURE: usize = 3;

impl Comparison<'_> {
    /// The queries of a class.
    pub fn of(&self, class: Class) -> impl Iterator<Item = &Pair<'_>> {
        self.pairs.iter().filter(move |pair| pair.class == class)
    }

    /// How many there are of a class.
    pub fn n(&self, class: Class) -> usize {
        self.of(class).count()
    }

    /// Both times of the queries that both solve, in seconds.
    pub fn times(&self) -> Vec<(f64, f64)> {
        let both = self.pairs.iter().filter(|pair| pair.class.is_both());
        both.filter_map(|pair| Some((self.clock.of(pair.old?), self.clock.of(pair.new?)))).collect()
    }

    /// The times of the new one over those of the old one, of the queries that both solve.
    pub fn ratios(&self) -> Vec<f64> {
        self.times().iter().map(|(old, new)| new.max(FLOOR_S) / old.max(FLOOR_S)).collect()
    }

    /// How many queries the old one solved, lost ones among them.
    pub fn n_solved_by_old(&self) -> usize {
        let is_solved = |pair: &&Pair<'_>| {
            pair.new.is_some() && pair.old.is_some_and(|cell| cell.state() != State::Unsolved)
        };
        self.pairs.iter().filter(is_solved).count()
    }

    /// The comparison in words and numbers.
    pub fn text(&self) -> String {
        let mut text = format!("old: {}\nnew: {}\n\n", self.old, self.new);
        let _ = writeln!(text, "{:<14} {:>7}", "solved by both", self.times().len());
        for class in Class::ALL {
            let indent = if class.is_both() { "  " } else { "" };
            let _ = writeln!(
                text,
                "{indent}{:<w$} {:>7}",
                class.word(),
                self.n(class),
                w = 14 - indent.len()
            );
        }
        let lost = share(self.n(Class::Lost), self.n_solved_by_old());
        let _ = writeln!(
            text,
            "\nlost: {} of what the old one solved (95 %: {} to {}); lost against won: p = {:.2}",
            percent(lost.value),
            percent(lost.low),
            percent(lost.high),
            lopsided(self.n(Class::Lost), self.n(Class::Won)),
        );
        if self.n(Class::Lost) > 0 {
            let runs = |pair: &Pair<'_>| {
                let n = |cell: Option<&Cell>| cell.map_or(0, |cell| cell.n_runs);
                n(pair.old).min(n(pair.new))
            };
            let n_starved =
                self.of(Class::Lost).filter(|pair| pair.new.is_some_and(Cell::is_starved)).count();
            let n_sure = self.of(Class::Lost).filter(|pair| runs(pair) >= RUNS_SURE).count();
            let _ = writeln!(
                text,
                "of the lost ones {n_sure} were in {RUNS_SURE} runs of both or more; `gate` measures the others again"
            );
            if n_starved > 0 {
                let _ = writeln!(
                    text,
                    "{n_starved} of them had less than half a processor until the limit: the load may have lost them. A limit of `cpu_s` below that of \
                     `wall_ms` does not depend on it"
                );
            }
        }
        text + &self.times_text()
    }

    fn times_text(&self) -> String {
        let clock = self.clock.words();
        let times = self.times();
        let column = |of: fn(&(f64, f64)) -> f64| sorted(&times.iter().map(of).collect::<Vec<_>>());
        let (old, new) = (column(|pair| pair.0), column(|pair| pair.1));
        let ratios = sorted(&self.ratios());
        let mut text = format!(
            "\n{clock} of what both solve, in seconds; new over old below 1: the new one is faster\n\n\
             {:<8} {:>9} {:>9} {:>13} {:>15}\n",
            "", "old", "new", "new over old", "ratio of pairs"
        );
        for (name, at) in [("median", 0.5), ("p90", 0.9), ("p99", 0.99)] {
            let (old, new) = (quantile(&old, at), quantile(&new, at));
            let _ = writeln!(
                text,
                "{name:<8} {old:>9.3} {new:>9.3} {:>13.2} {:>15.2}",
                new.max(FLOOR_S) / old.max(FLOOR_S),
                quantile(&ratios, at)
            );
        }
        let _ = writeln!(
            text,
            "\ngeometric mean of the ratios {}",
            interval(bootstrap(&ratios, geometric_mean))
        );
        let _ =
            writeln!(text, "median of the ratios         {}", interval(bootstrap(&ratios, median)));
        text
    }
}

/// A share in percent.
pub fn percent(share: f64) -> String {
    format!("{:.2} %", 100.0 * share)
}

/// A ratio with its interval.
pub fn interval(estimate: Estimate) -> String {
    format!("{:.2} (95 %: {:.2} to {:.2})", estimate.value, estimate.low, estimate.high)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::testing::row;
    use crate::record::{Record, Row};

    const SLACK: Slack = Slack { factor: 2.0, seconds: 0.1 };

    fn table(rows: Vec<Row>) -> Table {
        Table::new(&Record { rows, notes: Vec::new() }).unwrap()
    }

    #[track_caller]
    fn check(old: (&str, u64), new: (&str, u64), known: Option<&str>, expected: Class) {
        let table = table(vec![row("q", "a", old.0, old.1), row("q", "b", new.0, new.1)]);
        let status = known.map(|known| ("q".to_owned(), known.to_owned())).into_iter().collect();
        let found = compare(&table, (0, 1), &status, Clock::Wall, SLACK).unwrap();
        assert_eq!(found.pairs[0].class, expected);
    }

    #[test]
    fn classes() {
        check(("sat", 10), ("walltime", 30_000), None, Class::Lost);
        check(("sat", 10), ("unknown", 10), None, Class::Lost);
        check(("sat", 10), ("signal", 10), Some("sat"), Class::Lost);
        check(("walltime", 30_000), ("sat", 10), None, Class::Won);
        check(("unknown", 10), ("walltime", 30_000), None, Class::Neither);
        check(("sat", 10), ("unsat", 10), None, Class::Contradiction);
        check(("sat", 10), ("sat", 10), Some("unsat"), Class::Contradiction);
        check(("sat", 10), ("both", 10), None, Class::Contradiction);
        check(("sat", 1000), ("sat", 2500), None, Class::Slower);
        check(("sat", 2500), ("sat", 1000), None, Class::Faster);
        check(("sat", 1000), ("sat", 1900), None, Class::Same);
        check(("sat", 10), ("sat", 90), None, Class::Same);
    }

    #[test]
    fn a_query_that_is_solved_now_and_then_is_neither_lost_nor_solved() {
        let mut second = row("q", "b", "walltime", 30_000);
        second.run = 1;
        let table = table(vec![row("q", "a", "sat", 10), row("q", "b", "sat", 10), second]);
        let found = compare(&table, (0, 1), &BTreeMap::new(), Clock::Wall, SLACK).unwrap();
        assert_eq!(found.pairs[0].class, Class::Unstable);
    }

    #[test]
    fn what_was_lost_is_told_with_how_sure_that_is() {
        let mut starved = row("p", "b", "walltime", 30_000);
        starved.cpu_ns /= 6;
        let mut rows = vec![row("p", "a", "sat", 10), starved];
        for run in 0..3 {
            for (solver, word, time) in [("a", "sat", 10), ("b", "walltime", 30_000)] {
                rows.push(Row { run, ..row("q", solver, word, time) });
            }
        }
        let table = table(rows);
        let text = compare(&table, (0, 1), &BTreeMap::new(), Clock::Wall, SLACK).unwrap().text();
        assert!(text.contains("of the lost ones 1 were in 3 runs of both or more"), "{text}");
        assert!(text.contains("\n1 of them had less than half a processor"), "{text}");
    }

    #[test]
    fn what_cannot_be_compared_is_refused() {
        let mut other = row("q", "b", "sat", 10);
        other.wall_limit_ns = 1;
        let of_limits = table(vec![row("q", "a", "sat", 10), other]);
        let refused = |table: &Table| {
            compare(table, (0, 1), &BTreeMap::new(), Clock::Wall, SLACK).unwrap_err()
        };
        assert!(refused(&of_limits).contains("had 30 s for query q, the new one"));
        let apart = table(vec![row("q", "a", "sat", 10), row("r", "b", "sat", 10)]);
        assert_eq!(refused(&apart), "no query was put to both a@1.0 and b@1.0");
    }

    #[test]
    fn ratios_are_of_what_both_solve() {
        let table = table(vec![
            row("p", "a", "sat", 100),
            row("p", "b", "sat", 400),
            row("q", "a", "sat", 100),
            row("q", "b", "walltime", 30_000),
        ]);
        let found = compare(&table, (0, 1), &BTreeMap::new(), Clock::Wall, SLACK).unwrap();
        assert_eq!(found.ratios(), [4.0]);
        assert_eq!((found.n(Class::Lost), found.n_solved_by_old()), (1, 2));
        assert!(
            found.text().contains("lost: 50.00 % of what the old one solved"),
            "{}",
            found.text()
        );
    }
}
