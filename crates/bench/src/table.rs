//! What a record says of each solver and query, over all runs.
//!
//! A contestant is a solver in a version and a setup; a query is *solved* by it if every run solved it, *unstable*
//! if some did, and else *unsolved*, with the reason of the last run. Its time is the median of those of its runs.

use std::collections::{BTreeMap, BTreeSet};

use crate::record::{Record, Row, START};
use crate::run::Outcome;
use crate::stats::median;

/// A solver in a version and a setup.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Contestant {
    /// The solver's name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The hash of how it was asked.
    pub setup: String,
    /// Whose work it is.
    pub family: String,
}

impl Contestant {
    /// Name and version.
    pub fn label(&self) -> String {
        format!("{}@{}", self.name, self.version)
    }
}

/// What came of all runs of a contestant on a query.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// How many runs there are.
    pub n_runs: usize,
    /// How many of them solved it.
    pub n_solved: usize,
    /// The answers that were given, definite ones only, whatever came after them.
    pub answers: BTreeSet<Outcome>,
    /// The word of the last run that did not solve it; of the first if all did.
    pub word: String,
    /// The median wall time, in seconds; of the runs that solved it if there are any.
    pub wall_s: f64,
    /// The median processor time, in seconds, of the same.
    pub cpu_s: f64,
    /// The largest peak memory, in bytes.
    pub peak_bytes: u64,
    /// The limit of wall time, in seconds.
    pub limit_s: f64,
    /// The most processes that were left behind.
    pub strays: usize,
}

/// How a contestant is with a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Every run solved it.
    Solved,
    /// Some did.
    Unstable,
    /// None did.
    Unsolved,
}

impl Cell {
    fn of(rows: &[&Row]) -> Cell {
        let solved: Vec<&&Row> = rows.iter().filter(|row| row.is_solved()).collect();
        let timed = if solved.is_empty() { rows.iter().collect() } else { solved.clone() };
        let times = |of: fn(&Row) -> u64| {
            median(&timed.iter().map(|row| of(row) as f64 / 1e9).collect::<Vec<_>>())
        };
        let mut answers = BTreeSet::new();
        for row in rows {
            match row.outcome {
                Outcome::Both => answers.extend([Outcome::Sat, Outcome::Unsat]),
                outcome if outcome.is_definite() => drop(answers.insert(outcome)),
                _ => {}
            }
        }
        let worst = rows.iter().rfind(|row| !row.is_solved()).or(rows.first());
        Cell {
            n_runs: rows.len(),
            n_solved: solved.len(),
            answers,
            word: worst.map(|row| row.word()).unwrap_or_default(),
            wall_s: times(|row| row.wall_ns),
            cpu_s: times(|row| row.cpu_ns),
            peak_bytes: rows.iter().map(|row| row.peak_bytes).max().unwrap_or(0),
            limit_s: rows.iter().map(|row| row.wall_limit_ns).max().unwrap_or(0) as f64 / 1e9,
            strays: rows.iter().map(|row| row.strays).max().unwrap_or(0),
        }
    }

    /// How it is.
    pub fn state(&self) -> State {
        match self.n_solved {
            0 => State::Unsolved,
            n if n == self.n_runs => State::Solved,
            _ => State::Unstable,
        }
    }

    /// Whether the limit of wall time came when less than half of it had been spent on a processor, as where others want it too.
    pub fn is_starved(&self) -> bool {
        self.n_solved == 0 && self.word == "walltime" && self.cpu_s < self.wall_s / 2.0
    }

    /// Whether every run solved it.
    pub fn is_solved(&self) -> bool {
        self.state() == State::Solved
    }

    /// Its one answer, if it solved the query.
    pub fn answer(&self) -> Option<Outcome> {
        let one = self.answers.len() == 1;
        self.is_solved().then(|| self.answers.first().copied()).flatten().filter(|_| one)
    }
}

/// A record by query and contestant.
#[derive(Clone, Debug)]
pub struct Table {
    /// The hash of the suite.
    pub suite: String,
    /// The contestants, in their order.
    pub contestants: Vec<Contestant>,
    /// Per query, a cell for each contestant that was asked.
    pub queries: BTreeMap<String, Vec<Option<Cell>>>,
    /// Per contestant, what its start takes: wall time in seconds, if it was measured.
    pub starts: Vec<Option<f64>>,
    /// The machines of the rows.
    pub machines: BTreeSet<String>,
    /// The versions of this program on the rows.
    pub harnesses: BTreeSet<String>,
    /// The load of the machine before each run: median and largest, in processors.
    pub load: (f64, f64),
    /// Number of rows.
    pub n_rows: usize,
}

impl Table {
    /// The table of a record.
    ///
    /// # Errors
    ///
    /// The record is empty, or has rows of more than one suite, or of limits that differ: what cannot be compared.
    pub fn new(record: &Record) -> Result<Table, String> {
        let suites: BTreeSet<&str> = record.rows.iter().map(|row| row.suite.as_str()).collect();
        let suite = match suites.iter().collect::<Vec<_>>()[..] {
            [] => return Err("the record has no rows".to_owned()),
            [one] => (*one).to_owned(),
            _ => {
                return Err(format!(
                    "these are records of different suites, {}, and cannot be compared\n\
                     hint: measure one of the solvers again on the suite of the other",
                    list(&suites)
                ));
            }
        };
        let mut by_contestant: BTreeMap<Contestant, BTreeMap<&str, Vec<&Row>>> = BTreeMap::new();
        for row in &record.rows {
            let contestant = Contestant {
                name: row.solver.clone(),
                version: row.version.clone(),
                setup: row.setup.clone(),
                family: row.family.clone(),
            };
            by_contestant.entry(contestant).or_default().entry(&row.query).or_default().push(row);
        }
        let contestants: Vec<Contestant> = by_contestant.keys().cloned().collect();
        let mut queries: BTreeMap<String, Vec<Option<Cell>>> = BTreeMap::new();
        let mut starts = Vec::new();
        for (at, of_contestant) in by_contestant.values().enumerate() {
            starts.push(of_contestant.get(START).map(|rows| Cell::of(rows).wall_s));
            for (query, rows) in of_contestant.iter().filter(|(query, _)| **query != START) {
                let cells = queries.entry((*query).to_owned());
                cells.or_insert_with(|| vec![None; contestants.len()])[at] = Some(Cell::of(rows));
            }
        }
        let loads: Vec<f64> =
            record.rows.iter().map(|row| f64::from(row.load_percent) / 100.0).collect();
        Ok(Table {
            suite,
            contestants,
            queries,
            starts,
            machines: record.rows.iter().map(|row| row.machine.clone()).collect(),
            harnesses: record.rows.iter().map(|row| row.harness.clone()).collect(),
            load: (median(&loads), loads.iter().copied().fold(0.0, f64::max)),
            n_rows: record.rows.len(),
        })
    }

    /// What a contestant is called beside the others: its name and version, and the setup if another one has both.
    pub fn label(&self, at: usize) -> String {
        let label = self.contestants[at].label();
        let n_alike = self.contestants.iter().filter(|other| other.label() == label).count();
        if n_alike > 1 { format!("{label}#{}", self.contestants[at].setup) } else { label }
    }

    /// The place of the contestant that is called so: `NAME`, `NAME@VERSION`, or `NAME@VERSION#SETUP`.
    ///
    /// # Errors
    ///
    /// There is none, or there are several.
    pub fn find(&self, word: &str) -> Result<usize, String> {
        let is_it = |contestant: &Contestant| {
            word == contestant.name
                || word == contestant.label()
                || word == format!("{}#{}", contestant.label(), contestant.setup)
        };
        let found: Vec<usize> =
            (0..self.contestants.len()).filter(|at| is_it(&self.contestants[*at])).collect();
        let all: Vec<String> = self.contestants.iter().map(Contestant::label).collect();
        match found[..] {
            [at] => Ok(at),
            [] => {
                Err(format!("the record has no solver `{word}`\nhint: it has {}", all.join(", ")))
            }
            [first, ..] => Err(format!(
                "the record has several solvers `{word}`\nhint: say which, as in `{}`",
                self.label(first)
            )),
        }
    }

    /// What is known of the answer of a query: what the suite says, or what two contestants of different families
    /// agree on while nobody says otherwise.
    pub fn status(&self, query: &str, of_suite: Option<&str>) -> Option<(Outcome, &'static str)> {
        match of_suite {
            Some("sat") => return Some((Outcome::Sat, "suite")),
            Some("unsat") => return Some((Outcome::Unsat, "suite")),
            _ => {}
        }
        let cells = self.queries.get(query)?;
        let mut families: BTreeMap<Outcome, BTreeSet<&str>> = BTreeMap::new();
        for (cell, contestant) in cells.iter().zip(&self.contestants) {
            for answer in cell.iter().flat_map(|cell| &cell.answers) {
                families.entry(*answer).or_default().insert(&contestant.family);
            }
        }
        match families.len() {
            1 => {
                let (answer, families) = families.first_key_value()?;
                (families.len() > 1).then_some((*answer, "agreed"))
            }
            _ => None,
        }
    }
}

fn list(words: &BTreeSet<&str>) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(" and ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::testing::row;

    fn table(rows: Vec<Row>) -> Table {
        Table::new(&Record { rows, notes: Vec::new() }).unwrap()
    }

    #[test]
    fn a_query_is_solved_if_every_run_solved_it() {
        let mut second = row("q", "a", "walltime", 30_000);
        second.run = 1;
        let table = table(vec![row("q", "a", "sat", 10), second, row("q", "b", "sat", 7)]);
        let cells = &table.queries["q"];
        let [Some(a), Some(b)] = &cells[..] else { panic!("{cells:?}") };
        assert_eq!((a.state(), a.answer(), a.word.as_str()), (State::Unstable, None, "walltime"));
        assert_eq!((b.state(), b.answer(), b.wall_s), (State::Solved, Some(Outcome::Sat), 0.007));
    }

    #[test]
    fn a_status_is_what_two_families_agree_on() {
        let mut newer = row("q", "a2", "sat", 1);
        newer.family = "a".to_owned();
        let of_one = table(vec![row("q", "a", "sat", 1), newer]);
        assert_eq!(of_one.status("q", None), None);
        let of_two = table(vec![row("q", "a", "sat", 1), row("q", "b", "sat", 1)]);
        assert_eq!(of_two.status("q", None), Some((Outcome::Sat, "agreed")));
        let opposed = table(vec![
            row("q", "a", "sat", 1),
            row("q", "b", "sat", 1),
            row("q", "c", "unsat", 1),
        ]);
        assert_eq!(opposed.status("q", None), None);
        assert_eq!(opposed.status("q", Some("unsat")), Some((Outcome::Unsat, "suite")));
    }

    #[test]
    fn what_differs_in_its_setup_alone_is_called_by_it() {
        let mut other = row("q", "a", "sat", 1);
        other.setup = "other".to_owned();
        let table = table(vec![row("q", "a", "sat", 1), other, row("q", "b", "sat", 1)]);
        let labels: Vec<String> = (0..3).map(|at| table.label(at)).collect();
        assert_eq!(labels[2], "b@1.0");
        assert!(labels.contains(&"a@1.0#other".to_owned()), "{labels:?}");
        assert_eq!(
            labels.iter().map(|label| table.find(label)).collect::<Vec<_>>(),
            [Ok(0), Ok(1), Ok(2)]
        );
    }

    #[test]
    fn records_of_different_suites_are_no_table() {
        let mut other = row("q", "b", "sat", 1);
        other.suite = "t".to_owned();
        let record = Record { rows: vec![row("q", "a", "sat", 1), other], notes: Vec::new() };
        assert!(Table::new(&record).unwrap_err().contains("different suites, `s` and `t`"));
    }

    #[test]
    fn a_contestant_is_found_by_as_much_of_its_name_as_is_needed() {
        let mut newer = row("q", "a", "sat", 1);
        newer.version = "2.0".to_owned();
        let table = table(vec![row("q", "a", "sat", 1), newer, row("q", "b", "sat", 1)]);
        assert_eq!(table.find("b"), Ok(2));
        assert_eq!(table.find("a@2.0"), Ok(1));
        assert!(table.find("a").unwrap_err().contains("several"));
        assert_eq!(table.label(0), "a@1.0");
        assert!(table.find("c").unwrap_err().contains("hint: it has a@1.0, a@2.0, b@1.0"));
    }
}
