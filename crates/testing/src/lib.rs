//! [`arbtest`](mod@arbtest), counted: every property test of the workspace runs for as long as the
//! variable `KEYAKI_PROPERTY_BUDGET_MS` says, or as its author thought enough for every day, and
//! tells how many cases it executed, in a line that `cargo xtask nightly` adds up. With `KEYAKI_PROPERTY_CASES=N` it is tried on
//! the same N cases each time, however slow the machine is; `cargo xtask mutants` asks so.
//!
//! Depends on none of our crates, so that all of them can use it in the tests inside their sources.

#![allow(clippy::print_stderr, reason = "what was executed is told on standard error")]

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind};

pub use arbtest::arbitrary;
use arbtest::arbitrary::{Result, Unstructured};

/// How long a property runs if neither the variable nor its author says, in milliseconds.
const DEFAULT_BUDGET_MS: u64 = 100;

/// The least, unless a property says otherwise, as there.
const MIN_BYTES: u32 = 32;

/// The most random bytes for a case, as in [`arbtest`](mod@arbtest).
const MAX_BYTES: u32 = 1 << 16;

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
            if let Some(n) = wanted_cases() {
                return try_the_same(counted, n, self.size_min.unwrap_or(MIN_BYTES));
            }
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

/// How many cases a property is tried on, if the variable says so.
fn wanted_cases() -> Option<u64> {
    std::env::var("KEYAKI_PROPERTY_CASES").ok()?.parse().ok()
}

/// Tries a property on so many cases, small ones and large ones in turn. A search that follows in the same thread has others.
fn try_the_same(
    mut property: impl FnMut(&mut Unstructured<'_>) -> Result<()>,
    n: u64,
    size_min: u32,
) {
    thread_local! {
        static NEXT: Cell<u64> = const { Cell::new(0) };
    }
    let mut size = size_min;
    for number in NEXT.get()..NEXT.get() + n {
        // The length is in the low half of a seed. Like a search, this goes on with larger ones after three.
        let seed = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let seed = seed >> 32 << 32 | u64::from(size);
        arbtest::arbtest(|u| property(u).or(Ok(()))).seed(seed).run();
        if number % 3 == 2 {
            size = if size >= MAX_BYTES { size_min } else { (size / 4 * 5 + 1).min(MAX_BYTES) };
        }
    }
    NEXT.set(NEXT.get() + n);
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
    fn so_many_cases_are_the_same_in_every_thread_and_others_next_time() {
        let cases = || {
            let mut cases = Vec::new();
            let keep = |u: &mut Unstructured<'_>| {
                cases.push(u.bytes(u.len())?.to_vec());
                Ok(())
            };
            try_the_same(keep, 30, 100);
            cases
        };
        let both = || std::thread::spawn(move || (cases(), cases())).join().ok();
        let twice = both();
        assert_eq!(twice, both());
        let (first, second) = twice.unwrap_or_default();
        assert_eq!((first.len(), first[0].len()), (30, 100));
        assert!(first[29].len() > 500);
        assert!(first.iter().all(|case| !second.contains(case)));
    }

    #[test]
    fn a_broken_property_panics() {
        let broken = || arbtest(|_| panic!("broken")).run();
        assert!(catch_unwind(broken).is_err());
    }
}
