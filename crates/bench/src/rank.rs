//! All contestants on the same queries: who solves most, soonest, and what each is worth to the others.
//!
//! The scores of SMT-COMP: PAR-2 is the mean time with an unsolved query counted as twice the limit; the virtual best
//! solver is, query by query, the fastest that solves it; a member is worth what the best of the others would lack
//! without it. A wrong answer cannot be made up for, so it is a column of its own.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::compare::Clock;
use crate::table::Table;

/// A line of the ranking.
#[derive(Clone, Debug, PartialEq)]
pub struct Rank {
    /// The contestant's label; of the virtual best solver, `virtual best`.
    pub label: String,
    /// How many queries it solves.
    pub n_solved: usize,
    /// How many answers are opposite to what is known.
    pub n_wrong: usize,
    /// PAR-2, in seconds.
    pub par2_s: f64,
    /// How many queries only it solves.
    pub n_unique: usize,
    /// How many it solves before all others.
    pub n_first: usize,
    /// By how much the virtual best solver's PAR-2 grows without it, in seconds.
    pub worth_s: f64,
}

/// The ranking, best first, the virtual best solver at its head; and of how many queries: those that were put to every
/// one of `members`.
pub fn rank(
    table: &Table,
    members: &[usize],
    status: &BTreeMap<String, String>,
    clock: Clock,
) -> (Vec<Rank>, usize) {
    // Per query, per member: the time if it is solved, and what it counts if not.
    let mut times: Vec<Vec<(Option<f64>, f64)>> = Vec::new();
    let mut n_wrong = vec![0; members.len()];
    for (query, cells) in &table.queries {
        let cells: Option<Vec<_>> = members.iter().map(|at| cells[*at].as_ref()).collect();
        let Some(cells) = cells else { continue };
        let known = table.status(query, status.get(query).map(String::as_str));
        let mut of_query = Vec::new();
        for (at, cell) in cells.iter().enumerate() {
            let is_wrong =
                known.is_some_and(|(known, _)| cell.answers.iter().any(|answer| *answer != known));
            n_wrong[at] += usize::from(is_wrong);
            let is_solved = cell.is_solved() && !is_wrong;
            of_query.push((is_solved.then(|| clock.of(cell)), 2.0 * cell.limit_s));
        }
        times.push(of_query);
    }
    let n = times.len();
    let mean_of_best = |without: Option<usize>| {
        let best = |of_query: &Vec<(Option<f64>, f64)>| {
            let others = of_query.iter().enumerate().filter(|(at, _)| Some(*at) != without);
            others
                .filter_map(|(_, (time, _))| *time)
                .min_by(f64::total_cmp)
                .unwrap_or(of_query[0].1)
        };
        times.iter().map(best).sum::<f64>() / n as f64
    };
    let of_best = mean_of_best(None);
    let mut ranks: Vec<Rank> = members
        .iter()
        .enumerate()
        .map(|(at, member)| {
            let of = |of_query: &&Vec<(Option<f64>, f64)>| of_query[at].0.is_some();
            let n_others = |of_query: &Vec<(Option<f64>, f64)>| {
                of_query
                    .iter()
                    .enumerate()
                    .filter(|(other, time)| *other != at && time.0.is_some())
                    .count()
            };
            let is_first = |of_query: &&Vec<(Option<f64>, f64)>| {
                of_query[at].0.is_some_and(|mine| {
                    of_query
                        .iter()
                        .enumerate()
                        .all(|(other, time)| other == at || time.0.is_none_or(|time| mine < time))
                })
            };
            let par2 =
                times.iter().map(|of_query| of_query[at].0.unwrap_or(of_query[at].1)).sum::<f64>();
            Rank {
                label: table.label(*member),
                n_solved: times.iter().filter(of).count(),
                n_wrong: n_wrong[at],
                par2_s: par2 / n as f64,
                n_unique: times
                    .iter()
                    .filter(of)
                    .filter(|of_query| n_others(of_query) == 0)
                    .count(),
                n_first: times.iter().filter(is_first).count(),
                worth_s: mean_of_best(Some(at)) - of_best,
            }
        })
        .collect();
    ranks.sort_by(|a, b| {
        (a.n_wrong, a.par2_s)
            .partial_cmp(&(b.n_wrong, b.par2_s))
            .unwrap_or(std::cmp::Ordering::Equal)
    });
    let n_solved =
        times.iter().filter(|of_query| of_query.iter().any(|time| time.0.is_some())).count();
    let best = Rank {
        label: "virtual best".to_owned(),
        n_solved,
        n_wrong: 0,
        par2_s: of_best,
        n_unique: 0,
        n_first: 0,
        worth_s: 0.0,
    };
    ranks.insert(0, best);
    (ranks, n)
}

/// The ranking as a table.
pub fn text(ranks: &[Rank], n: usize) -> String {
    let w = ranks.iter().map(|rank| rank.label.len()).max().unwrap_or(0).max(24);
    let mut text = format!(
        "{n} queries that all were asked\n\n{:<w$} {:>7} {:>6} {:>9} {:>7} {:>7} {:>9}\n",
        "", "solved", "wrong", "PAR-2 s", "unique", "first", "worth s"
    );
    for (number, rank) in ranks.iter().enumerate() {
        let _ = write!(
            text,
            "{:<w$} {:>7} {:>6} {:>9.3}",
            rank.label, rank.n_solved, rank.n_wrong, rank.par2_s
        );
        if number > 0 {
            let _ = write!(text, " {:>7} {:>7} {:>9.3}", rank.n_unique, rank.n_first, rank.worth_s);
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Record;
    use crate::record::testing::row;

    #[test]
    fn a_member_is_worth_what_the_others_lack() {
        let rows = vec![
            row("p", "a", "sat", 1_000),
            row("p", "b", "sat", 3_000),
            row("q", "a", "walltime", 30_000),
            row("q", "b", "unsat", 5_000),
        ];
        let table = Table::new(&Record { rows, notes: Vec::new() }).unwrap();
        let (ranks, n) = rank(&table, &[0, 1], &BTreeMap::new(), Clock::Wall);
        assert_eq!(n, 2);
        let told: Vec<_> = ranks
            .iter()
            .map(|rank| {
                (
                    rank.label.as_str(),
                    rank.n_solved,
                    rank.par2_s,
                    rank.n_unique,
                    rank.n_first,
                    rank.worth_s,
                )
            })
            .collect();
        assert_eq!(
            told,
            [
                ("virtual best", 2, 3.0, 0, 0, 0.0),
                ("b@1.0", 2, 4.0, 1, 1, 27.5),
                ("a@1.0", 1, 30.5, 0, 1, 1.0)
            ]
        );
    }

    #[test]
    fn a_wrong_answer_solves_nothing_and_comes_last() {
        let rows = vec![row("p", "a", "sat", 1), row("p", "b", "walltime", 30_000)];
        let table = Table::new(&Record { rows, notes: Vec::new() }).unwrap();
        let status = [("p".to_owned(), "unsat".to_owned())].into();
        let (ranks, _) = rank(&table, &[0, 1], &status, Clock::Wall);
        assert_eq!((ranks[1].label.as_str(), ranks[2].n_wrong, ranks[2].n_solved), ("b@1.0", 1, 0));
    }
}
