//! How long threads of connections take to look at what they are to look at: what was sent to us, and what workers are done with.
//!
//! The second is measured with every answer. The first cannot be:
//! a server cannot see when a request came, only when it was read, and when more comes than can even be refused, that is much later. So we ask
//! ourselves: a byte is sent through the system to a task of the same runtime, and waits for its turn as requests do. A timer would not: the runtime
//! runs what is woken last before what was woken earlier.

use std::io::{self, Write};
use std::os::unix::net::UnixStream;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::io::Interest;

/// How often it is measured while requests come.
const EVERY: Duration = Duration::from_millis(5);

/// For how long what was measured is believed.
const KEPT: Duration = Duration::from_millis(100);

/// The measure.
pub(crate) struct Lag {
    sender: UnixStream,
    receiver: UnixStream,
    state: Mutex<State>,
}

#[derive(Clone, Copy, Default)]
struct State {
    /// When the byte that is under way was sent.
    sent: Option<Instant>,
    /// When the last one came, and how long it took.
    came: Option<(Instant, Duration)>,
    /// When the last answer was taken from a worker, and how long after it was there.
    taken: Option<(Instant, Duration)>,
}

impl Lag {
    /// Measures nothing before [`Lag::answer`] runs.
    ///
    /// # Errors
    ///
    /// The system gives no more descriptors.
    pub(crate) fn new() -> io::Result<Lag> {
        let (sender, receiver) = UnixStream::pair()?;
        sender.set_nonblocking(true)?;
        receiver.set_nonblocking(true)?;
        Ok(Lag { sender, receiver, state: Mutex::default() })
    }

    /// How long a request that is sent now waits for these threads, before it is read and before its answer is written: as long as the last did, and at
    /// least as long as the byte that is under way has by now.
    pub(crate) fn look(&self, now: Instant) -> Duration {
        let mut state = self.lock();
        let (came, taken) = (recent(state.came, now), recent(state.taken, now));
        if let Some(sent) = state.sent {
            return came.max(now.saturating_duration_since(sent)) + taken;
        }
        let is_due =
            state.came.is_none_or(|(when, _)| now.saturating_duration_since(when) >= EVERY);
        if is_due && (&self.sender).write(&[0]).is_ok() {
            state.sent = Some(now);
        }
        came + taken
    }

    /// Takes into account when an answer was there that is taken now.
    pub(crate) fn taken(&self, ready: Instant) {
        let now = Instant::now();
        self.lock().taken = Some((now, now.saturating_duration_since(ready)));
    }

    /// Receives the bytes, until the runtime ends.
    ///
    /// # Errors
    ///
    /// The system's.
    pub(crate) async fn answer(&self) -> io::Result<()> {
        let receiver = tokio::net::UnixStream::from_std(self.receiver.try_clone()?)?;
        loop {
            receiver.ready(Interest::READABLE).await?;
            let mut byte = [0];
            match receiver.try_read(&mut byte) {
                Ok(0) => return Ok(()),
                Ok(_) => {
                    let mut state = self.lock();
                    if let Some(sent) = state.sent.take() {
                        let now = Instant::now();
                        state.came = Some((now, now.saturating_duration_since(sent)));
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long something took, if that is not too long ago to count.
fn recent(measured: Option<(Instant, Duration)>, now: Instant) -> Duration {
    match measured {
        Some((when, took)) if now.saturating_duration_since(when) < KEPT => took,
        _ => Duration::ZERO,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[tokio::test]
    async fn a_thread_that_is_busy_is_seen() {
        let lag = Arc::new(Lag::new().unwrap());
        let answering = Arc::clone(&lag);
        tokio::spawn(async move { answering.answer().await });
        tokio::task::yield_now().await;
        let start = Instant::now();
        assert_eq!(lag.look(start), Duration::ZERO);
        // Nothing else runs meanwhile, since there is one thread.
        std::thread::sleep(Duration::from_millis(30));
        let now = Instant::now();
        assert!(lag.look(now) >= Duration::from_millis(30), "the byte is still under way");
        while lag.lock().sent.is_some() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let (came, took) = lag.lock().came.unwrap();
        assert!(took >= Duration::from_millis(30));
        lag.taken(came);
        let taken = lag.lock().taken.unwrap().1;
        assert_eq!(lag.look(came), took + taken);
        assert_eq!(lag.look(came + 2 * KEPT), Duration::ZERO, "that was long ago");
    }
}
