//! [`arbtest`](mod@arbtest), counted: every property test of the workspace runs for as long as the
//! variable `KEYAKI_PROPERTY_BUDGET_MS` says, or as its author thought enough for every day, and
//! tells how many cases it executed, in a line that `cargo xtask nightly` adds up.
//!
//! Depends on none of our crates, so that all of them can use it in the tests inside their sources.

#![allow(clippy::print_stderr, reason = "what was executed is told on standard error")]

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind};

pub use arbtest::arbitrary;
use arbtest::arbitrary::{Result, Unstructured};

/// How long a property runs if neither the variable nor its author says, in milliseconds.
const DEFAULT_BUDGET_MS: u64 = 100;

/// A property that is tried, on drop or by [`Search::run`].
pub struct Search<P: FnMut(&mut Unstructured<'_>) -> Result<()>> {
    property: Option<P>,
    budget_ms: u64,
    size_min: Option<u32>,
    place: &'static Location<'static>,
}

/// Tries the property with random bytes.
#[track_caller]
pub fn arbtest<P: FnMut(&mut Unstructured<'_>) -> Result<()>>(property: P) -> Search<P> {
    Search {
        property: Some(property),
        budget_ms: DEFAULT_BUDGET_MS,
        size_min: None,
        place: Location::caller(),
    }
}

impl<P: FnMut(&mut Unstructured<'_>) -> Result<()>> Search<P> {
    /// How long the property runs if the variable does not say.
    pub fn budget_ms(mut self, milliseconds: u64) -> Self {
        self.budget_ms = milliseconds;
        self
    }

    /// The least number of random bytes for a case.
    pub fn size_min(mut self, bytes: u32) -> Self {
        self.size_min = Some(bytes);
        self
    }

    /// Tries the property now.
    ///
    /// # Panics
    ///
    /// It did, on some case.
    pub fn run(mut self) {
        self.search();
    }

    fn search(&mut self) {
        let Some(mut property) = self.property.take() else { return };
        let n_cases = Cell::new(0_usize);
        let counted = |u: &mut Unstructured<'_>| {
            n_cases.set(n_cases.get() + 1);
            property(u)
        };
        let result = catch_unwind(AssertUnwindSafe(|| {
            let mut search = arbtest::arbtest(counted).budget_ms(wanted_ms(self.budget_ms));
            if let Some(bytes) = self.size_min {
                search = search.size_min(bytes);
            }
            search.run();
        }));
        let thread = std::thread::current();
        let name = thread.name().unwrap_or("main");
        let (n_cases, n_failures) = (n_cases.get(), usize::from(result.is_err()));
        eprintln!("PROPERTY {name} ({}): {n_cases} cases, {n_failures} failures", self.place);
        if let Err(panic) = result {
            resume_unwind(panic);
        }
    }
}

impl<P: FnMut(&mut Unstructured<'_>) -> Result<()>> Drop for Search<P> {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.search();
        }
    }
}

/// What the variable says, or else the default.
fn wanted_ms(default: u64) -> u64 {
    let set = std::env::var("KEYAKI_PROPERTY_BUDGET_MS").ok();
    set.and_then(|text| text.parse().ok()).unwrap_or(default)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_property_is_tried_on_drop_or_when_told_but_once() {
        let n = Cell::new(0);
        let count = |_: &mut Unstructured<'_>| {
            n.set(n.get() + 1);
            Ok(())
        };
        arbtest(count).budget_ms(1);
        let dropped = n.replace(0);
        arbtest(count).budget_ms(1).run();
        assert!(dropped > 0 && n.get() > 0);
    }

    #[test]
    fn a_broken_property_panics() {
        let broken = || arbtest(|_| panic!("broken")).run();
        assert!(catch_unwind(broken).is_err());
    }
}
