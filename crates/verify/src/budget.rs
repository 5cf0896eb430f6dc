//! How many steps may still be taken.
//!
//! One budget is for all that a certificate asks for, and grows with its text. Limits of single arguments were not enough: of these
//! there are as many as the text has lines.

use std::cell::Cell;

use crate::{Rejection, Result};

/// The steps that may be spent whatever the length.
const BASE: u64 = 1 << 22;

/// The steps for each byte.
const PER_BYTE: u64 = 64;

/// The steps that are left.
pub(crate) struct Budget(Cell<u64>);

impl Budget {
    /// For a text of so many bytes.
    pub(crate) fn of(n_bytes: usize) -> Budget {
        Budget::new(BASE + PER_BYTE * n_bytes as u64)
    }

    pub(crate) fn new(n_steps: u64) -> Budget {
        Budget(Cell::new(n_steps))
    }

    /// Takes so many steps; once there are too few, there are none.
    pub(crate) fn spend(&self, n_steps: usize) -> Result<()> {
        let left = self.0.get().checked_sub(n_steps as u64);
        self.0.set(left.unwrap_or(0));
        match left {
            Some(_) => Ok(()),
            None => Err(Rejection::new("it takes more than this checker spends")),
        }
    }

    /// Allows so many more.
    #[cfg(feature = "requests")]
    pub(crate) fn grant(&self, more: u64) {
        self.0.set(self.0.get().saturating_add(more));
    }

    #[cfg(test)]
    pub(crate) fn left(&self) -> u64 {
        self.0.get()
    }
}
