//! A way to stop a solver that is running.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// A shared flag that says "stop", with callbacks for those who sleep.
///
/// Clones share the flag. Once cancelled, it stays so.
#[derive(Clone, Default)]
pub struct Cancel {
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    cancelled: AtomicBool,
    next_id: AtomicU64,
    callbacks: Mutex<Vec<(u64, Callback)>>,
}

type Callback = Box<dyn Fn() + Send>;

/// Removes its callback when dropped.
#[must_use = "the callback is removed as soon as this is dropped"]
pub struct Subscription {
    cancel: Cancel,
    id: u64,
}

impl Cancel {
    /// A flag that nobody has set.
    pub fn new() -> Cancel {
        Cancel::default()
    }

    /// Sets the flag and runs the callbacks, each at most once.
    pub fn cancel(&self) {
        if self.inner.cancelled.swap(true, Ordering::SeqCst) {
            return;
        }
        // Taken out first, so that a callback may drop its own subscription.
        let callbacks = std::mem::take(&mut *self.lock());
        for (_, callback) in &callbacks {
            callback();
        }
    }

    /// Whether the flag is set.
    pub fn is_cancelled(&self) -> bool {
        self.inner.cancelled.load(Ordering::SeqCst)
    }

    /// Runs `callback` when the flag is set; at once if it is. The callback must be quick and must
    /// not block: it runs in the thread that cancels.
    pub fn on_cancel(&self, callback: impl Fn() + Send + 'static) -> Subscription {
        let id = self.inner.next_id.fetch_add(1, Ordering::Relaxed);
        self.lock().push((id, Box::new(callback)));
        // The flag may have been set between the caller's look and our push; whoever takes the
        // callback out of the list runs it, so it runs once.
        if self.is_cancelled() {
            let mine = {
                let mut callbacks = self.lock();
                callbacks.iter().position(|(other, _)| *other == id).map(|i| callbacks.remove(i))
            };
            if let Some((_, callback)) = mine {
                callback();
            }
        }
        Subscription { cancel: self.clone(), id }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<(u64, Callback)>> {
        self.inner.callbacks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.cancel.lock().retain(|(id, _)| *id != self.id);
    }
}

impl fmt::Debug for Cancel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cancel").field("cancelled", &self.is_cancelled()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;

    #[test]
    fn a_callback_runs_once_whether_it_comes_before_or_after() {
        let cancel = Cancel::new();
        let runs = Arc::new(AtomicUsize::new(0));
        let count = |runs: &Arc<AtomicUsize>| {
            let runs = Arc::clone(runs);
            move || {
                runs.fetch_add(1, Ordering::SeqCst);
            }
        };
        let _before = cancel.on_cancel(count(&runs));
        drop(cancel.on_cancel(count(&runs)));
        cancel.cancel();
        cancel.cancel();
        assert_eq!(runs.load(Ordering::SeqCst), 1, "the dropped subscription must not run");
        let _after = cancel.on_cancel(count(&runs));
        assert_eq!(runs.load(Ordering::SeqCst), 2);
    }
}
