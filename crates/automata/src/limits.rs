//! What an operation may cost, and the error of one that would cost more.
//!
//! Emptiness of a Boolean combination of regular languages is PSPACE-complete, so some inputs
//! cannot be decided in reasonable time whatever the algorithm. Every operation that may be long
//! takes [`Limits`] and stops with [`LimitExceeded`]; none recurses over its input.

use std::fmt;

/// What an operation may cost.
#[derive(Clone, Copy)]
pub struct Limits<'a> {
    /// States of one automaton: of a compiled language, and of a product while it is searched.
    pub max_states: usize,
    /// Elementary steps: transitions followed, nodes compiled, characters compared in a search. A
    /// step is some nanoseconds.
    pub max_steps: u64,
    /// Bytes held by one search at the same time.
    pub max_memory_bytes: usize,
    /// Asked every few thousand steps; the operation stops once the answer is true.
    pub is_cancelled: Option<&'a (dyn Fn() -> bool + Sync)>,
}

impl Default for Limits<'_> {
    /// A fraction of a second and at most a quarter of a gigabyte.
    fn default() -> Self {
        Limits {
            max_states: 200_000,
            max_steps: 100_000_000,
            max_memory_bytes: 256 << 20,
            is_cancelled: None,
        }
    }
}

impl fmt::Debug for Limits<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limits")
            .field("max_states", &self.max_states)
            .field("max_steps", &self.max_steps)
            .field("max_memory_bytes", &self.max_memory_bytes)
            .finish_non_exhaustive()
    }
}

/// The limit that an operation ran into. It says nothing about the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LimitExceeded {
    /// [`Limits::max_states`].
    #[error("more than {0} automaton states")]
    States(usize),
    /// [`Limits::max_steps`].
    #[error("more than {0} steps")]
    Steps(u64),
    /// [`Limits::max_memory_bytes`].
    #[error("more than {0} bytes for one search")]
    Memory(usize),
    /// Complements and intersections inside concatenations inside complements, too deep.
    #[error("complements and intersections nested more than {0} deep in concatenations")]
    Depth(usize),
    /// [`Limits::is_cancelled`] said so.
    #[error("cancelled")]
    Cancelled,
}

/// Steps between two looks at the clock or flag of the caller.
const STEPS_BETWEEN_LOOKS: u64 = 4096;

/// Counts steps against [`Limits`].
pub(crate) struct Meter<'a> {
    pub(crate) limits: Limits<'a>,
    steps: u64,
    next_look: u64,
}

impl<'a> Meter<'a> {
    pub(crate) fn new(limits: &Limits<'a>) -> Meter<'a> {
        let next_look = STEPS_BETWEEN_LOOKS.min(limits.max_steps);
        Meter { limits: *limits, steps: 0, next_look }
    }

    /// How many steps were recorded.
    pub(crate) fn steps(&self) -> u64 {
        self.steps
    }

    /// Records `n` steps.
    #[inline]
    pub(crate) fn step(&mut self, n: usize) -> Result<(), LimitExceeded> {
        self.steps += n as u64;
        if self.steps > self.next_look { self.look() } else { Ok(()) }
    }

    /// Fails if a search that holds so much is too large.
    #[inline]
    pub(crate) fn holds(&self, states: usize, bytes: usize) -> Result<(), LimitExceeded> {
        if states > self.limits.max_states {
            return Err(LimitExceeded::States(self.limits.max_states));
        }
        if bytes > self.limits.max_memory_bytes {
            return Err(LimitExceeded::Memory(self.limits.max_memory_bytes));
        }
        Ok(())
    }

    #[cold]
    fn look(&mut self) -> Result<(), LimitExceeded> {
        if self.steps > self.limits.max_steps {
            return Err(LimitExceeded::Steps(self.limits.max_steps));
        }
        if self.limits.is_cancelled.is_some_and(|is_cancelled| is_cancelled()) {
            return Err(LimitExceeded::Cancelled);
        }
        self.next_look = (self.steps + STEPS_BETWEEN_LOOKS).min(self.limits.max_steps);
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a panic is how a test fails")]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn the_step_beyond_the_last_is_too_much() {
        for (max_steps, each) in [(0, 1), (10, 1), (10_000, 1), (10_000, 7), (20_000, 4096)] {
            let mut meter = Meter::new(&Limits { max_steps, ..Limits::default() });
            for _ in 0..max_steps / each {
                assert_eq!(meter.step(each as usize), Ok(()));
            }
            meter.step((max_steps % each) as usize).unwrap();
            assert_eq!((meter.steps(), meter.step(0)), (max_steps, Ok(())));
            assert_eq!(meter.step(1), Err(LimitExceeded::Steps(max_steps)));
        }
    }

    #[test]
    fn the_caller_is_asked_every_few_thousand_steps() {
        let calls = AtomicUsize::new(0);
        let is_cancelled = || calls.fetch_add(1, Ordering::Relaxed) == 9;
        let mut meter =
            Meter::new(&Limits { is_cancelled: Some(&is_cancelled), ..Limits::default() });
        let n_steps = (0..).find(|_| meter.step(1) == Err(LimitExceeded::Cancelled)).unwrap();
        assert_eq!(calls.load(Ordering::Relaxed), 10);
        assert!((9 * STEPS_BETWEEN_LOOKS..=11 * STEPS_BETWEEN_LOOKS).contains(&n_steps));
    }

    #[test]
    fn states_and_bytes_may_be_as_many_as_the_limits_say() {
        let limits = Limits { max_states: 5, max_memory_bytes: 100, ..Limits::default() };
        let meter = Meter::new(&limits);
        assert_eq!(meter.holds(5, 100), Ok(()));
        assert_eq!(meter.holds(0, 0), Ok(()));
        assert_eq!(meter.holds(6, 0), Err(LimitExceeded::States(5)));
        assert_eq!(meter.holds(0, 101), Err(LimitExceeded::Memory(100)));
    }
}
