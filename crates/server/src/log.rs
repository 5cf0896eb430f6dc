//! Lines of the log, on standard error.
//!
//! They are written by a thread of their own: whoever answers requests must not wait for a disk or a terminal. If that thread cannot keep up, or
//! nothing can be written, lines are lost and counted, and requests are answered. Policies are in none of them, unless the settings ask for jobs.

use std::io::{self, Write};
use std::panic;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::settings::LogSettings;

/// Lines that wait to be written. Beyond that they are lost.
const LINES_MAX: usize = 4_096;

/// Lines that were lost.
static LOST: AtomicU64 = AtomicU64::new(0);

/// How many lines of the log could not be written.
pub(crate) fn n_lost() -> u64 {
    LOST.load(Ordering::Relaxed)
}

/// Starts the log. A second service in one process shares the log of the first.
///
/// # Errors
///
/// The system's, if there is no thread to be had, and a level that there is not.
pub(crate) fn start(settings: &LogSettings) -> io::Result<()> {
    let level: LevelFilter = settings.level.parse().map_err(|_| {
        let message = format!(
            "unknown log level `{}`: the levels are off, error, warn, info and debug",
            settings.level
        );
        io::Error::new(io::ErrorKind::InvalidInput, message)
    })?;
    let (sender, lines) = sync_channel(LINES_MAX);
    thread::Builder::new().name("keyaki log".to_owned()).spawn(move || write(&lines))?;
    let builder = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_ansi(false)
        .with_target(false)
        .log_internal_errors(false)
        .with_writer(Lines(sender));
    let started = if settings.json {
        tracing::subscriber::set_global_default(builder.json().flatten_event(true).finish())
    } else {
        tracing::subscriber::set_global_default(builder.finish())
    };
    if started.is_ok() {
        // The message of a panic may have a part of a policy in it; its place has none.
        panic::set_hook(Box::new(|info| {
            let place = info.location().map(ToString::to_string).unwrap_or_default();
            tracing::error!(place, "a fault of ours: something panicked");
        }));
    }
    Ok(())
}

fn write(lines: &Receiver<Vec<u8>>) {
    for line in lines {
        if io::stderr().lock().write_all(&line).is_err() {
            LOST.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Makes writers of one line each.
struct Lines(SyncSender<Vec<u8>>);

struct Line {
    text: Vec<u8>,
    sender: SyncSender<Vec<u8>>,
}

impl<'w> MakeWriter<'w> for Lines {
    type Writer = Line;

    fn make_writer(&'w self) -> Line {
        Line { text: Vec::with_capacity(256), sender: self.0.clone() }
    }
}

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.text.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if !self.text.is_empty() && self.sender.try_send(std::mem::take(&mut self.text)).is_err() {
            LOST.fetch_add(1, Ordering::Relaxed);
        }
    }
}
