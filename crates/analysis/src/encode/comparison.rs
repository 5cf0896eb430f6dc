//! Questions about what two sides allow: `no-new-access`, `equivalent` and `disjoint`.
//!
//! Each is a list of cells, one for each way in which a side lets a request in, beside what the
//! other side says of it. For `equivalent` these are the cells of both directions; the difference
//! of the two sides as one formula would say the same and could not be decided statement by statement.

use super::{Access, Cell, Encoder, Way};
use crate::question::Side;

impl Encoder<'_> {
    /// The cells of: `new` allows a request that `existing` does not.
    pub(super) fn no_new_access(&mut self) -> Vec<Cell> {
        let existing = self.access(Side::Existing);
        let new = self.access(Side::New);
        self.beyond(&new, &existing)
    }

    /// The cells of: one of the two sides allows a request that the other does not; what `new`
    /// alone allows comes first.
    pub(super) fn equivalent(&mut self) -> Vec<Cell> {
        let existing = self.access(Side::Existing);
        let new = self.access(Side::New);
        let mut cells = self.beyond(&new, &existing);
        cells.extend(self.beyond(&existing, &new));
        cells
    }

    /// The cells of: both sides allow a request, which is not allowed without any policy.
    pub(super) fn disjoint(&mut self) -> Vec<Cell> {
        let existing = self.access(Side::Existing);
        let new = self.access(Side::New);
        let needs_policy = self.needs_policy();
        self.cells_of(&new, |encoder, term| encoder.t.and([term, existing.allowed, needs_policy]))
    }

    /// The cells of: a request comes through one of the ways of `access`, and `other` does not
    /// allow it.
    fn beyond(&mut self, access: &Access, other: &Access) -> Vec<Cell> {
        let not_allowed = self.t.not(other.allowed);
        self.cells_of(access, |encoder, term| encoder.t.and([term, not_allowed]))
    }

    fn cells_of(
        &mut self,
        access: &Access,
        mut breaks: impl FnMut(&mut Self, keyaki_logic::Term) -> keyaki_logic::Term,
    ) -> Vec<Cell> {
        let ways = access.ways.iter();
        let cell = |&Way { through, term }: &Way| Cell { through, breaks: breaks(self, term) };
        ways.map(cell).collect()
    }
}
