//! Lines in, answers out, in the same order, by several threads, in bounded memory.
//!
//! One thread reads, `workers` threads answer, and the thread of the caller sees to it that no answer lies
//! about. A worker takes the more lines at once the more are waiting, so that a slow line holds up few others
//! and the lock is taken seldom. An answer goes out as soon as all before it have: whoever
//! completes a large buffer writes it, and so does a worker that finds nothing left to do, so that
//! whoever sends a line and waits is answered at once.
//!
//! What is read and not answered yet counts as in flight, and reading stops at a limit; so memory does
//! not grow with the input, nor when one line takes long and those after it are ready.
//!
//! A pool that gives every line a slot of one array was thought of; it needs the whole input. A
//! channel from workers to a writing thread was too, and wakes that thread for every answer.

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, Read, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use keyaki::Cancel;

use crate::lines::{Line, Lines};

/// Most bytes of lines that are read and not answered, the last line not counted.
const MAX_BYTES_IN_FLIGHT: usize = 32 << 20;

/// Most lines that are read and not answered. Answers to short lines are longer than they.
const MAX_LINES_IN_FLIGHT: usize = 1 << 14;

/// Most lines that a worker takes at once.
const MAX_SHARE: usize = 32;

/// How full the buffer of answers gets, in bytes, before it is written.
const WRITE_BYTES: usize = 64 << 10;

/// How long an answer that could be written stays in the buffer, at most, and how long a worker
/// keeps answers to itself.
const FLUSH_INTERVAL: Duration = Duration::from_millis(10);

/// The stack of a worker, in bytes: that of a program's first thread, which is larger than what other threads
/// get.
const STACK_BYTES: usize = 8 << 20;

/// Why not all lines were answered.
#[derive(Debug)]
pub(crate) enum Interruption {
    /// The input cannot be read; all lines before that were answered.
    Input(io::Error),
    /// The output cannot be written.
    Output(io::Error),
}

/// Writes what `answer` appends to its buffer for each line of `input`, in the order of the lines.
/// `answer` is told by the flag that nobody will read its answer.
///
/// # Errors
///
/// [`Interruption`] if reading or writing fails; then a thread may be left that waits for input.
///
/// # Panics
///
/// If `answer` panics.
pub(crate) fn run(
    input: impl Read + Send + 'static,
    output: impl Write + Send,
    workers: usize,
    max_line_bytes: usize,
    answer: &(impl Fn(&Line, &mut Vec<u8>, &Cancel) + Sync),
) -> Result<(), Interruption> {
    let queue = Arc::new(Queue::default());
    let output = Output::new(output, workers);
    let cancel = Cancel::new();
    let filled = Arc::clone(&queue);
    // Not of the scope: it may wait for input that never comes when all others have ended.
    thread::spawn(move || filled.fill(Lines::new(input, max_line_bytes)));
    thread::scope(|scope| {
        for number in 0..workers {
            let worker =
                Worker { queue: &queue, output: &output, cancel: &cancel, n_workers: workers };
            thread::Builder::new()
                .name(format!("worker {number}"))
                .stack_size(STACK_BYTES)
                .spawn_scoped(scope, move || worker.work(answer))
                .expect("a thread can be started");
        }
        output.keep_flowing();
        // Workers are left if the output is broken or one of them panicked.
        queue.stop();
        cancel.cancel();
    });
    let written = output.state.into_inner().unwrap_or_else(PoisonError::into_inner);
    if let Some(error) = written.failure {
        return Err(Interruption::Output(error));
    }
    queue.lock().failure.take().map_or(Ok(()), |error| Err(Interruption::Input(error)))
}

/// Lines that nobody has taken yet.
#[derive(Default)]
struct Queue {
    state: Mutex<Waiting>,
    /// Told when there are lines to take, or will be none.
    filled: Condvar,
    /// Told when there is room again.
    drained: Condvar,
}

#[derive(Default)]
struct Waiting {
    lines: VecDeque<Line>,
    /// How many lines were ever taken.
    n_taken: u64,
    /// Lines and bytes that are in flight: here, or taken and not answered.
    n_lines: usize,
    n_bytes: usize,
    /// How many workers wait for lines, and whether the reader waits for room: telling somebody who does not
    /// listen is a system call.
    n_idle: usize,
    is_full: bool,
    /// Whether no more lines will come.
    ended: bool,
    /// Whether no more lines are wanted.
    stopped: bool,
    failure: Option<io::Error>,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads lines until the input ends or nobody wants more.
    fn fill(&self, mut lines: Lines<impl Read>) {
        loop {
            let read = lines.next_lines();
            let mut state = self.lock();
            match read {
                Ok(read) if !read.is_empty() => {
                    for line in read {
                        state = self.wait_for_room(state);
                        if state.stopped {
                            return;
                        }
                        state.n_lines += 1;
                        state.n_bytes += line.n_bytes();
                        state.lines.push_back(line);
                        // Before it waits, whoever can make room must know.
                        if state.n_idle > 0 {
                            self.filled.notify_one();
                        }
                    }
                }
                Ok(_) => {
                    state.ended = true;
                    break;
                }
                Err(error) => {
                    state.failure = Some(error);
                    state.ended = true;
                    break;
                }
            }
        }
        self.filled.notify_all();
    }

    fn wait_for_room<'q>(&self, mut state: MutexGuard<'q, Waiting>) -> MutexGuard<'q, Waiting> {
        state.is_full =
            state.n_bytes >= MAX_BYTES_IN_FLIGHT || state.n_lines >= MAX_LINES_IN_FLIGHT;
        let waits = |state: &mut Waiting| state.is_full && !state.stopped;
        self.drained.wait_while(state, waits).unwrap_or_else(PoisonError::into_inner)
    }

    /// Moves a share of the lines into `share`, and returns the number of the first one, from 0. Before
    /// it waits for lines, it calls `idle`. None if there are no more lines.
    fn take(&self, share: &mut Vec<Line>, workers: usize, idle: impl Fn()) -> Option<u64> {
        let mut state = self.lock();
        if state.lines.is_empty() && !state.ended && !state.stopped {
            drop(state);
            idle();
            state = self.lock();
        }
        let none_yet =
            |state: &mut Waiting| state.lines.is_empty() && !state.ended && !state.stopped;
        state.n_idle += 1;
        state = self.filled.wait_while(state, none_yet).unwrap_or_else(PoisonError::into_inner);
        state.n_idle -= 1;
        if state.lines.is_empty() || state.stopped {
            return None;
        }
        let fair = state.lines.len() / (2 * workers);
        let n_lines = fair.clamp(1, MAX_SHARE);
        share.extend(state.lines.drain(..n_lines));
        let first = state.n_taken;
        state.n_taken += n_lines as u64;
        Some(first)
    }

    /// Lines were answered, and their answers are no longer waiting for others.
    fn release(&self, n_lines: usize, n_bytes: usize) {
        let mut state = self.lock();
        state.n_lines -= n_lines;
        state.n_bytes -= n_bytes;
        // Half empty, so that reader and workers do not take turns line by line.
        let is_roomy =
            state.n_bytes < MAX_BYTES_IN_FLIGHT / 2 && state.n_lines < MAX_LINES_IN_FLIGHT / 2;
        if state.is_full && is_roomy {
            state.is_full = false;
            self.drained.notify_one();
        }
    }

    fn stop(&self) {
        self.lock().stopped = true;
        self.filled.notify_all();
        self.drained.notify_all();
    }
}

/// Answers to lines that follow each other.
#[derive(Default)]
struct Answers {
    n_lines: usize,
    /// The bytes of the lines.
    n_bytes: usize,
    text: Vec<u8>,
}

/// Answers on their way out.
struct Output<W> {
    state: Mutex<Outgoing<W>>,
    /// Told when there is something to write, or the state of `keep_flowing` changes otherwise.
    changed: Condvar,
}

struct Outgoing<W> {
    writer: W,
    /// The number of the next line whose answer goes to the buffer.
    next: u64,
    /// Answers that have to wait for others, by the number of their first line.
    early: BTreeMap<u64, Answers>,
    buffer: Vec<u8>,
    failure: Option<io::Error>,
    n_workers: usize,
    has_panicked: bool,
}

impl<W: Write> Output<W> {
    fn new(writer: W, n_workers: usize) -> Output<W> {
        let state = Outgoing {
            writer,
            next: 0,
            early: BTreeMap::new(),
            buffer: Vec::with_capacity(2 * WRITE_BYTES),
            failure: None,
            n_workers,
            has_panicked: false,
        };
        Output { state: Mutex::new(state), changed: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, Outgoing<W>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the answers to the lines from number `first`. Returns how many lines, and bytes of
    /// lines, are done with now.
    fn deliver(&self, first: u64, answers: &mut Answers) -> (usize, usize) {
        let mut state = self.lock();
        let was_empty = state.buffer.is_empty();
        let (mut n_lines, mut n_bytes) = (0, 0);
        if first == state.next {
            state.append(answers);
            (n_lines, n_bytes) = (answers.n_lines, answers.n_bytes);
            answers.text.clear();
            while let Some(answers) = state.next_early() {
                state.append(&answers);
                n_lines += answers.n_lines;
                n_bytes += answers.n_bytes;
            }
        } else {
            let text = std::mem::take(&mut answers.text);
            state.early.insert(first, Answers { text, ..*answers });
        }
        (answers.n_lines, answers.n_bytes) = (0, 0);
        if state.buffer.len() >= WRITE_BYTES {
            state.write();
        }
        if was_empty && !state.buffer.is_empty() || state.is_broken() {
            self.changed.notify_one();
        }
        (n_lines, n_bytes)
    }

    fn flush(&self) {
        let mut state = self.lock();
        state.write();
        if state.is_broken() {
            self.changed.notify_one();
        }
    }

    /// A worker has ended.
    fn leave(&self, has_panicked: bool) {
        let mut state = self.lock();
        state.n_workers -= 1;
        state.has_panicked |= has_panicked;
        self.changed.notify_one();
    }

    /// Writes whatever stays in the buffer for long, until there are no more workers or something
    /// is broken.
    fn keep_flowing(&self) {
        let mut state = self.lock();
        while state.n_workers > 0 && !state.is_broken() {
            if state.buffer.is_empty() {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            } else {
                let waited = self.changed.wait_timeout(state, FLUSH_INTERVAL);
                state = waited.unwrap_or_else(PoisonError::into_inner).0;
                state.write();
            }
        }
        state.write();
    }
}

impl<W: Write> Outgoing<W> {
    fn append(&mut self, answers: &Answers) {
        self.buffer.extend_from_slice(&answers.text);
        self.next += answers.n_lines as u64;
    }

    fn next_early(&mut self) -> Option<Answers> {
        let first = self.early.first_entry()?;
        (*first.key() == self.next).then(|| first.remove())
    }

    /// Whether there is no use in going on.
    fn is_broken(&self) -> bool {
        self.failure.is_some() || self.has_panicked
    }

    fn write(&mut self) {
        if !self.buffer.is_empty() && self.failure.is_none() {
            let written = self.writer.write_all(&self.buffer).and_then(|()| self.writer.flush());
            self.failure = written.err();
        }
        self.buffer.clear();
    }
}

/// What one of the threads that answer has to do with.
struct Worker<'a, W: Write> {
    queue: &'a Queue,
    output: &'a Output<W>,
    cancel: &'a Cancel,
    n_workers: usize,
}

impl<W: Write> Worker<'_, W> {
    fn work(self, answer: &impl Fn(&Line, &mut Vec<u8>, &Cancel)) {
        let mut share = Vec::with_capacity(MAX_SHARE);
        let mut answers = Answers::default();
        let idle = || self.output.flush();
        while let Some(mut first) = self.queue.take(&mut share, self.n_workers, idle) {
            let mut since = Instant::now();
            for line in share.drain(..) {
                answer(&line, &mut answers.text, self.cancel);
                answers.n_lines += 1;
                answers.n_bytes += line.n_bytes();
                if since.elapsed() >= FLUSH_INTERVAL {
                    first += self.deliver(first, &mut answers);
                    since = Instant::now();
                }
            }
            if answers.n_lines > 0 {
                self.deliver(first, &mut answers);
            }
        }
    }

    /// Hands the answers over; returns to how many lines.
    fn deliver(&self, first: u64, answers: &mut Answers) -> u64 {
        let n_delivered = answers.n_lines as u64;
        let (n_lines, n_bytes) = self.output.deliver(first, answers);
        if n_lines > 0 {
            self.queue.release(n_lines, n_bytes);
        }
        n_delivered
    }
}

impl<W: Write> Drop for Worker<'_, W> {
    fn drop(&mut self) {
        self.output.leave(thread::panicking());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A reader that gives these pieces, one at a time.
    struct Pieces(VecDeque<Vec<u8>>);

    impl Read for Pieces {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let Some(piece) = self.0.pop_front() else { return Ok(0) };
            buffer[..piece.len()].copy_from_slice(&piece);
            Ok(piece.len())
        }
    }

    /// Answers a line with itself, after as many tenths of a millisecond as it says.
    fn echo(line: &Line, out: &mut Vec<u8>, _: &Cancel) {
        let Line::Whole(line) = line else { return out.extend_from_slice(b"too long\n") };
        let text = std::str::from_utf8(line).unwrap();
        let tenths = text.split(' ').nth(1).map_or(0, |tenths| tenths.parse().unwrap());
        thread::sleep(Duration::from_micros(100 * tenths));
        out.extend_from_slice(line);
        out.push(b'\n');
    }

    #[test]
    fn answers_are_in_the_order_of_lines_however_long_they_take() {
        let line = |n: u64| format!("{n} {}\n", [0, 0, 3, 0, 200, 0, 1][n as usize % 7]);
        let input: String = (0..500).map(line).collect();
        for workers in [1, 2, 7] {
            let pieces = Pieces(input.as_bytes().chunks(100).map(<[u8]>::to_vec).collect());
            let mut output = Vec::new();
            run(pieces, &mut output, workers, 100, &echo).unwrap();
            assert!(output == input.as_bytes(), "{workers} workers");
        }
    }

    #[test]
    fn more_lines_than_may_be_in_flight_are_answered() {
        let input = "x\n".repeat(3 * MAX_LINES_IN_FLIGHT);
        let pieces = Pieces(input.as_bytes().chunks(4096).map(<[u8]>::to_vec).collect());
        let mut output = Vec::new();
        // While the first line takes its time, all others wait for it.
        let slow_first = |line: &Line, out: &mut Vec<u8>, cancel: &Cancel| {
            static FIRST: std::sync::Once = std::sync::Once::new();
            FIRST.call_once(|| thread::sleep(Duration::from_millis(300)));
            echo(line, out, cancel);
        };
        run(pieces, &mut output, 2, 100, &slow_first).unwrap();
        assert!(output == input.as_bytes());
    }

    #[test]
    fn an_answer_does_not_wait_for_more_input() {
        let (mut jobs, mut results) = (io::pipe().unwrap(), io::pipe().unwrap());
        let batch = thread::spawn(move || run(jobs.0, results.1, 2, 100, &echo));
        for line in [b"a\n", b"b\n", b"c\n"] {
            jobs.1.write_all(line).unwrap();
            let mut answer = [0; 2];
            results.0.read_exact(&mut answer).unwrap();
            assert_eq!(&answer, line);
        }
        drop(jobs.1);
        batch.join().unwrap().unwrap();
    }

    #[test]
    fn an_answer_does_not_wait_for_slow_lines_behind_it() {
        let (jobs, mut results) = (io::pipe().unwrap(), io::pipe().unwrap());
        let (release, released) = std::sync::mpsc::channel::<()>();
        let released = Mutex::new(released);
        let mut writer = jobs.1;
        writer.write_all(b"a\nslow\n").unwrap();
        drop(writer);
        let batch = thread::spawn(move || {
            let wait = |line: &Line, out: &mut Vec<u8>, cancel: &Cancel| {
                if matches!(line, Line::Whole(line) if line == b"slow") {
                    // Ends when the other line's answer has arrived.
                    released.lock().unwrap().recv().unwrap();
                }
                echo(line, out, cancel);
            };
            run(jobs.0, results.1, 1, 100, &wait)
        });
        let mut answer = [0; 2];
        results.0.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"a\n");
        release.send(()).unwrap();
        batch.join().unwrap().unwrap();
    }

    #[test]
    fn a_closed_output_ends_the_batch_while_input_is_open() {
        let (mut jobs, results) = (io::pipe().unwrap(), io::pipe().unwrap());
        drop(results.0);
        jobs.1.write_all(b"a\n").unwrap();
        let ended = run(jobs.0, results.1, 2, 100, &echo);
        let Err(Interruption::Output(error)) = ended else { panic!("{ended:?}") };
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
        drop(jobs.1);
    }

    #[test]
    fn lines_before_unreadable_input_are_answered() {
        struct Broken(bool);
        impl Read for Broken {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                if std::mem::replace(&mut self.0, true) {
                    return Err(io::Error::other("broken"));
                }
                buffer[..2].copy_from_slice(b"a\n");
                Ok(2)
            }
        }
        let mut output = Vec::new();
        let ended = run(Broken(false), &mut output, 2, 100, &echo);
        assert!(matches!(ended, Err(Interruption::Input(_))), "{ended:?}");
        assert_eq!(output, b"a\n");
    }

    #[test]
    fn a_panic_ends_the_batch_while_input_is_open() {
        let mut jobs = io::pipe().unwrap();
        jobs.1.write_all(b"a\n").unwrap();
        let ended = thread::spawn(move || {
            run(jobs.0, io::sink(), 2, 100, &|_: &Line, _: &mut Vec<u8>, _: &Cancel| panic!())
        });
        assert!(ended.join().is_err());
        drop(jobs.1);
    }
}
