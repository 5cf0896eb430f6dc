//! A program that is kept running and spoken to.
//!
//! The child is spawned by a thread of its own, its keeper, which then sleeps until the session is
//! over, kills the process group and reaps the child. So the child dies with the session, and with
//! us: Linux kills it when its keeper ends, and that is bound to our process. The thread that asks
//! cannot be the one that spawns, since callers come and go between queries.
//!
//! Three more threads move the bytes. The one at standard output hands over one piece and waits until
//! somebody has taken it, so a program that talks while nobody asks fills a pipe and no memory.
//!
//! Only bytes and items are known here; what is said and what is meant is for `persistent`.

use std::io::{self, Write};
use std::process::{ChildStderr, ChildStdin, ChildStdout, ExitStatus};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{Builder, JoinHandle};
use std::time::Instant;

use keyaki_logic::cancel::Subscription;
use keyaki_logic::{Cancel, SolverError};

use crate::child::{self, Group, PIPE_GRACE, Program, READ_BYTES, Stop, tell};
use crate::listen::{Items, STDOUT_BYTES_MAX};

/// A running program. Dropping it kills the program and everything in its process group.
pub(crate) struct Session {
    /// The ends of the channels to its threads; none once it is over.
    lines: Option<Lines>,
    keeper: Option<JoinHandle<io::Result<ExitStatus>>>,
    pumps: [Option<JoinHandle<()>>; 3],
    events: Receiver<Event>,
    sender: Sender<Event>,
    /// Which pipes are closed, in the order of `pumps`.
    closed: [bool; 3],
    stderr: Vec<u8>,
    items: Items,
    n_exchanges: u64,
}

struct Lines {
    /// What the program is to read, piece by piece.
    input: Sender<Arc<str>>,
    /// Leave to read on.
    credit: Sender<()>,
    /// Ends the keeper's sleep when it is dropped.
    _end: Sender<()>,
}

/// Why there is no further item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Silence {
    /// Output ended, time is up or somebody cancelled.
    Stopped(Stop),
    /// There was more than [`STDOUT_BYTES_MAX`].
    TooMuch,
    /// An item that is not text.
    NotText,
}

/// What is left of a session.
pub(crate) struct Remains {
    /// What it had written and nobody had asked to forget.
    pub(crate) stdout: Vec<u8>,
    /// The beginning of standard error.
    pub(crate) stderr: Vec<u8>,
    /// How the program ended; by our own kill, unless it was faster.
    pub(crate) status: ExitStatus,
}

enum Event {
    Output(Vec<u8>),
    /// The pipe of this number in `Session::pumps`, and what is kept of it.
    Closed(usize, Vec<u8>),
    /// In the exchange of that number.
    Cancelled(u64),
}

const STDIN: usize = 0;
const STDOUT: usize = 1;
const STDERR: usize = 2;

type Pipes = (ChildStdin, ChildStdout, ChildStderr);

impl Session {
    /// Starts `program`. Its deadline is for its processor time only: no later than that must an
    /// exchange end.
    ///
    /// # Errors
    ///
    /// [`SolverError::NotFound`] if it cannot be started, [`SolverError::System`] if the system
    /// refuses something else.
    pub(crate) fn start(program: &Program<'_>) -> Result<Session, SolverError> {
        let (end, wait_for_end) = channel();
        let (hand_over, pipes) = channel();
        let (command, arguments) = (program.command.to_owned(), program.arguments.to_vec());
        let Program { memory_bytes, deadline, .. } = *program;
        let keep = move || {
            let (command, arguments) = (&*command, &*arguments);
            let program = Program { command, arguments, memory_bytes, deadline };
            keep(&program, &hand_over, &wait_for_end)
        };
        let keeper = Builder::new()
            .name("keyaki keeper".to_owned())
            .spawn(keep)
            .map_err(|cause| SolverError::System(format!("cannot start a thread: {cause}")))?;
        let pipes = pipes.recv().unwrap_or_else(|_| {
            Err(SolverError::System("a keeper ended before its child began".to_owned()))
        })?;
        let (sender, events) = channel();
        let mut session = Session {
            lines: None,
            keeper: Some(keeper),
            pumps: [None, None, None],
            events,
            sender,
            closed: [false; 3],
            stderr: Vec::new(),
            items: Items::default(),
            n_exchanges: 0,
        };
        session.connect(pipes, end)?;
        Ok(session)
    }

    /// Starts the threads at the pipes. If one cannot be started, dropping the session ends the others.
    fn connect(
        &mut self,
        (stdin, stdout, stderr): Pipes,
        end: Sender<()>,
    ) -> Result<(), SolverError> {
        let (input, pieces) = channel();
        let (credit, credits) = channel();
        self.lines = Some(Lines { input, credit, _end: end });
        let sender = &self.sender;
        let output = sender.clone();
        let feed = move || {
            feed(stdin, &pieces);
            Event::Closed(STDIN, Vec::new())
        };
        let pass = move || {
            pass(stdout, &output, &credits);
            Event::Closed(STDOUT, Vec::new())
        };
        let keep = move || Event::Closed(STDERR, child::keep_beginning(stderr));
        self.pumps[STDIN] = Some(child::thread("stdin", sender, feed)?);
        self.pumps[STDOUT] = Some(child::thread("stdout", sender, pass)?);
        self.pumps[STDERR] = Some(child::thread("stderr", sender, keep)?);
        Ok(())
    }

    /// Begins an exchange: forgets what was read before, and stops waiting for items if somebody
    /// cancels as long as the subscription lives.
    pub(crate) fn begin(&mut self, cancel: &Cancel) -> Subscription {
        self.items.forget_read();
        self.n_exchanges += 1;
        let (sender, exchange) = (self.sender.clone(), self.n_exchanges);
        cancel.on_cancel(move || tell(&sender, Event::Cancelled(exchange)))
    }

    /// How many exchanges have begun.
    pub(crate) fn n_exchanges(&self) -> u64 {
        self.n_exchanges
    }

    /// Has `text` written to standard input, in its own time.
    pub(crate) fn send(&self, text: impl Into<Arc<str>>) {
        if let Some(lines) = &self.lines {
            // A program that reads no more is found out by its output.
            let _ = lines.input.send(text.into());
        }
    }

    /// The next item of standard output: a line, or what stands in parentheses.
    pub(crate) fn next_item(&mut self, deadline: Instant) -> Result<String, Silence> {
        loop {
            if let Some(item) = self.items.next() {
                let text = str::from_utf8(&self.items.buffer[item]);
                return text.map(str::to_owned).map_err(|_| Silence::NotText);
            }
            if self.closed[STDOUT] {
                return Err(Silence::Stopped(Stop::Ended));
            }
            let left = deadline.saturating_duration_since(Instant::now());
            let event = self.events.recv_timeout(left);
            match event.map_err(|_| Silence::Stopped(Stop::Deadline))? {
                Event::Cancelled(exchange) if exchange == self.n_exchanges => {
                    return Err(Silence::Stopped(Stop::Cancelled));
                }
                event => self.note(event)?,
            }
        }
    }

    fn note(&mut self, event: Event) -> Result<(), Silence> {
        match event {
            Event::Output(bytes) => {
                self.items.buffer.extend_from_slice(&bytes);
                if self.items.buffer.len() > STDOUT_BYTES_MAX {
                    return Err(Silence::TooMuch);
                }
                if let Some(lines) = &self.lines {
                    // That nobody waits for it means that output has ended.
                    let _ = lines.credit.send(());
                }
            }
            Event::Closed(pipe, kept) => {
                self.closed[pipe] = true;
                self.stderr.extend(kept);
            }
            Event::Cancelled(_) => {}
        }
        Ok(())
    }

    /// Ends the session and tells what is left of it.
    ///
    /// # Errors
    ///
    /// [`SolverError::System`] if the program cannot be reaped.
    pub(crate) fn finish(mut self) -> Result<Remains, SolverError> {
        let status = self
            .stop()
            .map_err(|cause| SolverError::System(format!("cannot reap a solver: {cause}")))?;
        let stdout = std::mem::take(&mut self.items.buffer);
        Ok(Remains { stdout, stderr: std::mem::take(&mut self.stderr), status })
    }

    /// Kills and reaps the program and joins the threads, unless one of them is stuck at a pipe that
    /// an escaped process holds. Must not be called twice.
    fn stop(&mut self) -> io::Result<ExitStatus> {
        self.lines = None;
        let keeper = self.keeper.take().expect("a session is stopped once");
        let status = keeper.join().unwrap_or_else(|_| Err(io::ErrorKind::Other.into()));
        let deadline = Instant::now() + PIPE_GRACE;
        let started = self.pumps.each_ref().map(Option::is_some);
        // Ends with the last pipe, or at the deadline.
        while (0..3).any(|pipe| started[pipe] && !self.closed[pipe]) {
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok(event) = self.events.recv_timeout(left) else { break };
            // Too much output is of no interest any more.
            let _ = self.note(event);
        }
        for (pump, closed) in self.pumps.iter_mut().zip(self.closed) {
            if let (Some(pump), true) = (pump.take(), closed) {
                // It has sent its last word. It could only fail by panicking before that.
                let _ = pump.join();
            }
        }
        status
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if self.keeper.is_some() {
            // There is nobody to tell.
            let _ = self.stop();
        }
    }
}

/// Starts the program, hands over its pipes, and waits for the session to end.
fn keep(
    program: &Program<'_>,
    hand_over: &Sender<Result<Pipes, SolverError>>,
    end: &Receiver<()>,
) -> io::Result<ExitStatus> {
    let started = Group::start(program).and_then(|mut group| {
        let pipes = group.take_pipes()?;
        Ok((group, pipes))
    });
    match started {
        Ok((mut group, pipes)) => {
            tell(hand_over, Ok(pipes));
            // Nothing is ever sent: this returns when the other end is dropped.
            let _ = end.recv();
            group.end()
        }
        Err(error) => {
            tell(hand_over, Err(error));
            Err(io::ErrorKind::NotFound.into())
        }
    }
}

/// Writes piece after piece, until there will be no more or the program takes no more.
fn feed(mut stdin: impl Write, pieces: &Receiver<Arc<str>>) {
    for piece in pieces {
        if stdin.write_all(piece.as_bytes()).and_then(|()| stdin.flush()).is_err() {
            return;
        }
    }
}

/// Hands over what is read, one piece at a time.
fn pass(mut stdout: impl io::Read, output: &Sender<Event>, credits: &Receiver<()>) {
    let mut buffer = vec![0; READ_BYTES];
    loop {
        let n = child::read(&mut stdout, &mut buffer);
        if n == 0 {
            return;
        }
        tell(output, Event::Output(buffer[..n].to_vec()));
        if credits.recv().is_err() {
            return;
        }
    }
}
