//! A small set of rows that covers what is known to get through: greedy, then exact where that is small.
//!
//! Each element (a request) is of some rows, and some rows have to be chosen so that each element is of one. Elements that have no
//! row in common need a row each, which is how a choice is known to be the least.

/// The most steps of the exact search; beyond it the greedy choice stands.
const MAX_STEPS: usize = 20_000;

/// Rows that were chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Choice {
    /// Their positions, ascending.
    pub(crate) rows: Vec<usize>,
    /// Whether no choice of fewer rows covers the elements.
    pub(crate) is_least: bool,
}

/// Rows of which each element has one. `rows_of` lists for each element the rows that it is of, at least one; of rows that
/// cover the same number of elements the one of smaller `rank` is taken.
pub(crate) fn choose(rows_of: &[Vec<usize>], rank: impl Fn(usize) -> usize) -> Choice {
    let mut rows = greedy(rows_of, &rank);
    let bound = lower_bound(rows_of, &vec![false; rows_of.len()]);
    let mut is_least = bound == rows.len();
    if !is_least {
        let mut search = Search { rows_of, rank: &rank, best: rows.clone(), left: MAX_STEPS };
        search.extend(&mut Vec::new(), &vec![false; rows_of.len()]);
        is_least = search.left > 0;
        rows = search.best;
    }
    rows.sort_unstable();
    Choice { rows, is_least }
}

fn greedy(rows_of: &[Vec<usize>], rank: &impl Fn(usize) -> usize) -> Vec<usize> {
    let n_rows = rows_of.iter().flatten().max().map_or(0, |last| last + 1);
    let mut counts = vec![0usize; n_rows];
    let mut elements_of: Vec<Vec<usize>> = vec![Vec::new(); n_rows];
    for (element, rows) in rows_of.iter().enumerate() {
        for row in rows {
            counts[*row] += 1;
            elements_of[*row].push(element);
        }
    }
    let mut is_covered = vec![false; rows_of.len()];
    let mut chosen = Vec::new();
    loop {
        let best = (0..n_rows).filter(|row| counts[*row] > 0);
        let best = best.min_by_key(|row| (std::cmp::Reverse(counts[*row]), rank(*row), *row));
        let Some(best) = best else { return chosen };
        chosen.push(best);
        for element in &elements_of[best] {
            if !std::mem::replace(&mut is_covered[*element], true) {
                rows_of[*element].iter().for_each(|row| counts[*row] -= 1);
            }
        }
    }
}

/// How many rows it takes at least for the elements that are not covered: as many as there are of them that have no row in common.
fn lower_bound(rows_of: &[Vec<usize>], is_covered: &[bool]) -> usize {
    let mut order: Vec<usize> = (0..rows_of.len()).filter(|e| !is_covered[*e]).collect();
    order.sort_by_key(|element| rows_of[*element].len());
    let mut taken = std::collections::BTreeSet::new();
    let mut n = 0;
    for element in order {
        if rows_of[element].iter().all(|row| !taken.contains(row)) {
            taken.extend(rows_of[element].iter().copied());
            n += 1;
        }
    }
    n
}

struct Search<'a, R> {
    rows_of: &'a [Vec<usize>],
    rank: &'a R,
    best: Vec<usize>,
    left: usize,
}

impl<R: Fn(usize) -> usize> Search<'_, R> {
    /// Tries every row of the open element that has the fewest. The recursion is as deep as the best choice is long.
    fn extend(&mut self, chosen: &mut Vec<usize>, is_covered: &[bool]) {
        self.left = self.left.saturating_sub(1);
        if self.left == 0 || chosen.len() + lower_bound(self.rows_of, is_covered) >= self.best.len()
        {
            return;
        }
        let open = (0..self.rows_of.len()).filter(|element| !is_covered[*element]);
        let Some(element) = open.min_by_key(|element| self.rows_of[*element].len()) else {
            self.best.clone_from(chosen);
            return;
        };
        let mut rows = self.rows_of[element].clone();
        rows.sort_by_key(|row| ((self.rank)(*row), *row));
        for row in rows {
            let covered: Vec<bool> = (0..self.rows_of.len())
                .map(|element| is_covered[element] || self.rows_of[element].contains(&row))
                .collect();
            chosen.push(row);
            self.extend(chosen, &covered);
            chosen.pop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_choice_is_found_where_the_greedy_one_is_not() {
        // Row 0 has four elements; rows 1 and 2 have three each, and all six between them.
        let rows_of = [vec![0, 1], vec![0, 1], vec![1], vec![0, 2], vec![0, 2], vec![2]];
        check(&rows_of, &[1, 2]);
    }

    #[test]
    fn each_element_that_shares_no_row_needs_one() {
        check(&[], &[]);
        check(&[vec![0], vec![1, 2]], &[0, 1]);
        check(&[vec![3]], &[3]);
    }

    #[test]
    fn of_rows_that_do_the_same_the_one_of_smaller_rank_is_taken() {
        let choice = choose(&[vec![0, 1, 2], vec![0, 1, 2]], |row| if row == 1 { 0 } else { 1 });
        assert_eq!(choice, Choice { rows: vec![1], is_least: true });
    }

    #[track_caller]
    fn check(rows_of: &[Vec<usize>], expected: &[usize]) {
        let choice = choose(rows_of, |row| row);
        assert_eq!(choice, Choice { rows: expected.to_vec(), is_least: true });
    }
}
