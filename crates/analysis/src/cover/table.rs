//! What was found to be included in what, as the rows of a certificate.
//!
//! Rows are written while statements are compared, since nothing is to be found twice; docs/certificates.md says what they mean. If nobody wants
//! them nothing is written.

use std::fmt::Write as _;

use super::Budget;
use super::denies::including_both;
use super::parts::Source;
use super::statements::Statements;

/// Rows of a certificate.
#[derive(Debug, Default)]
pub(crate) struct Table {
    /// The numbers of the first statements of `existing` and `new`; of a question with one side they are 0.
    pub(super) first: [usize; 2],
    rows: Option<String>,
    /// Where in `rows` the last row begins, and where its actions do.
    row: (usize, usize),
    /// Actions of it that are in those of another statement from a place on: the first, the one behind the last, the place.
    run: (usize, usize, usize),
}

impl Table {
    /// One that is written, of statements with these first numbers.
    pub(crate) fn written(first: [usize; 2]) -> Table {
        Table { first, rows: Some(String::new()), ..Table::default() }
    }

    /// What was written.
    pub(crate) fn rows(self) -> Option<String> {
        self.rows
    }

    /// Whether one of the Deny statements includes the statement; that is noted.
    pub(super) fn is_denied(&mut self, narrow: Source<'_>, denies: &[&Statements<'_>]) -> bool {
        let by = denies.iter().find_map(|denies| denies.including(narrow));
        if let (Some(by), Some(rows)) = (by, &mut self.rows) {
            let _ = writeln!(rows, "denied {} {by}", narrow.number);
        }
        by.is_some()
    }

    /// Whether of the Deny statements one matches whatever the two match both; that is noted.
    pub(super) fn is_denied_together(
        &mut self,
        narrow: Source<'_>,
        other: Source<'_>,
        denies: &[Source<'_>],
        budget: &Budget,
    ) -> bool {
        let by = including_both(narrow, other, denies, budget);
        if let (Some(by), Some(rows)) = (by, &mut self.rows) {
            let _ = writeln!(rows, "denied {} {by} {}", narrow.number, other.number);
        }
        by.is_some()
    }

    /// Of the statement of a number a Deny statement spares only whom something confines.
    pub(super) fn spared(&mut self, narrow: usize, deny: usize) {
        if let Some(rows) = &mut self.rows {
            let _ = writeln!(rows, "spared {narrow} {deny}");
        }
    }

    /// Something was found that rows cannot say.
    pub(super) fn give_up(&mut self) {
        self.rows = None;
    }

    /// Begins a row about what one statement has of another, on these of its resources, or on all.
    pub(super) fn begin(&mut self, narrow: usize, wide: usize, resources: Option<u64>) {
        let Some(rows) = &mut self.rows else { return };
        let start = rows.len();
        let _ = write!(rows, "covered {narrow} {wide} ");
        match resources {
            None => rows.push('*'),
            Some(mask) => {
                let listed = (0..u64::BITS).filter(|at| mask >> at & 1 == 1);
                for (n_before, at) in listed.enumerate() {
                    let _ = write!(rows, "{}{at}", if n_before == 0 { "" } else { "," });
                }
            }
        }
        (self.row, self.run) = ((start, rows.len()), (0, 0, 0));
    }

    /// An action of the row at this position is in that at the other.
    pub(super) fn action(&mut self, position: usize, other: usize) {
        if self.rows.is_none() {
            return;
        }
        let (from, upto, at) = self.run;
        if from < upto && position == upto && other == at + (upto - from) {
            self.run.1 += 1;
        } else {
            self.flush();
            self.run = (position, position + 1, other);
        }
    }

    fn flush(&mut self) {
        let (from, upto, at) = self.run;
        if let (Some(rows), true) = (&mut self.rows, from < upto) {
            let _ = write!(rows, " {from}-{}@{at}", upto - 1);
        }
    }

    /// Ends the row; without actions there is none, unless it is about all as a whole.
    pub(super) fn end(&mut self, is_whole: bool) {
        self.flush();
        if let Some(rows) = &mut self.rows {
            match is_whole || rows.len() > self.row.1 {
                true => rows.push('\n'),
                false => rows.truncate(self.row.0),
            }
        }
    }
}
