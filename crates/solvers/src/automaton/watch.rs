//! Whether to go on: the deadline and the caller's wish, asked cheaply and often.

use std::cell::Cell;
use std::time::Instant;

use keyaki_logic::{Cancel, Limits, Reason};

/// The clock is read once in so many ticks; a tick is a microsecond or so of work.
const TICKS_PER_LOOK: u32 = 64;

/// Says when to stop.
pub(super) struct Watch<'a> {
    deadline: Instant,
    cancel: &'a Cancel,
    ticks: Cell<u32>,
}

impl<'a> Watch<'a> {
    pub(super) fn new(limits: &Limits, cancel: &'a Cancel) -> Watch<'a> {
        Watch { deadline: limits.deadline, cancel, ticks: Cell::new(0) }
    }

    /// Why to stop now, if so; sees the deadline somewhat late.
    #[inline]
    pub(super) fn tick(&self) -> Option<Reason> {
        let ticks = self.ticks.get().wrapping_add(1);
        self.ticks.set(ticks);
        if ticks.is_multiple_of(TICKS_PER_LOOK) { self.look() } else { None }
    }

    /// An error if it is time to stop; as late as [`Watch::tick`].
    #[inline]
    pub(super) fn go_on(&self) -> Result<(), Reason> {
        self.tick().map_or(Ok(()), Err)
    }

    /// Why to stop now, if so.
    pub(super) fn look(&self) -> Option<Reason> {
        if self.cancel.is_cancelled() {
            Some(Reason::Cancelled)
        } else if Instant::now() >= self.deadline {
            Some(Reason::Timeout)
        } else {
            None
        }
    }

    /// Whether to stop now, for those who work in another thread or behind a `dyn Fn`.
    pub(super) fn stopper(&self) -> impl Fn() -> bool + Sync + use<'a> {
        let (deadline, cancel) = (self.deadline, self.cancel);
        move || cancel.is_cancelled() || Instant::now() >= deadline
    }
}
