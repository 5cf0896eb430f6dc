//! Runs one program on one input under limits, and leaves nothing behind.
//!
//! Three threads move the bytes, so that no pipe ever fills: one feeds standard input, two drain
//! standard output and standard error. The calling thread spawns, sleeps on a channel until there
//! is enough output, the output ends, the deadline passes or somebody cancels, then kills the
//! process group, reaps the child and joins the threads. Nothing polls.
//!
//! A descendant that leaves the process group (`setsid`) escapes the kill, and may hold our pipes
//! open. Then the thread at that pipe is left to end when the pipe closes, rather than blocking
//! the caller. Sockets instead of pipes could be shut down from our side, but a program cannot
//! reopen them as `/dev/stdin` or `/dev/stderr`, which wrappers do.
//!
//! We reap our child. Its children, if it is a wrapper, are killed by us and reaped by the
//! system's first process, which a container must therefore have.

use std::io::{self, ErrorKind, Read, Write};
use std::num::NonZero;
use std::ops::ControlFlow;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, Builder, JoinHandle};
use std::time::{Duration, Instant};

use keyaki_logic::{Cancel, SolverError};

use crate::system;

/// How much of standard error is kept, in bytes. Diagnostics of a page or two; the rest is read
/// and dropped, so that the writer never blocks.
const STDERR_BYTES_MAX: usize = 64 << 10;

/// One read, in bytes: what a Linux pipe holds.
pub(crate) const READ_BYTES: usize = 64 << 10;

/// How long we wait for the pipes to close after everybody who should hold them is dead. They
/// close at once, unless a descendant left the process group.
pub(crate) const PIPE_GRACE: Duration = Duration::from_secs(1);

/// Processor time beyond what fits before the deadline, in seconds: limits are kept roughly.
const CPU_SLACK_SECONDS: u64 = 5;

/// What to run on what.
pub(crate) struct Job<'a> {
    /// What to run.
    pub(crate) program: Program<'a>,
    /// What it reads on standard input.
    pub(crate) input: Arc<str>,
}

/// What to run, and within which bounds.
pub(crate) struct Program<'a> {
    /// A program on `PATH`, or a path.
    pub(crate) command: &'a str,
    /// Its arguments.
    pub(crate) arguments: &'a [String],
    /// Its address space, in bytes.
    pub(crate) memory_bytes: u64,
    /// When it is killed.
    pub(crate) deadline: Instant,
}

/// Takes in standard output.
pub(crate) trait Listener: Send + 'static {
    /// Takes the next bytes. `Break` says that the rest is of no interest: the program is killed.
    fn hear(&mut self, bytes: &[u8]) -> ControlFlow<()>;
}

/// Why a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The listener had heard enough.
    Enough,
    /// Standard output ended.
    Ended,
    /// The deadline passed.
    Deadline,
    /// Somebody cancelled.
    Cancelled,
}

/// A run that is over.
pub(crate) struct Finished<L> {
    /// Why.
    pub(crate) stop: Stop,
    /// The listener, unless standard output is held by a process that escaped.
    pub(crate) listener: Option<L>,
    /// The beginning of standard error.
    pub(crate) stderr: Vec<u8>,
    /// How the program ended; by our own kill, unless it was faster.
    pub(crate) status: ExitStatus,
}

/// Runs `job`, giving its standard output to `listener`.
///
/// # Errors
///
/// [`SolverError::NotFound`] if the program cannot be started, [`SolverError::System`] if the
/// system refuses something else.
pub(crate) fn run<L: Listener>(
    job: &Job<'_>,
    listener: L,
    cancel: &Cancel,
) -> Result<Finished<L>, SolverError> {
    let (sender, events) = channel();
    let _subscription = cancel.on_cancel({
        let sender = sender.clone();
        move || tell(&sender, Event::Cancelled)
    });
    let mut group = Group::start(&job.program)?;
    let pumps = Pumps::start(&mut group, Arc::clone(&job.input), listener, &sender)?;
    let mut heard = Heard::new();
    let Program { command, deadline, .. } = job.program;
    let stop = heard.wait_for_stop(&events, deadline);
    let status = group
        .end()
        .map_err(|cause| SolverError::System(format!("cannot reap `{command}`: {cause}")))?;
    heard.wait_for_pipes(&events);
    pumps.join(&heard);
    Ok(Finished { stop, listener: heard.listener, stderr: heard.stderr, status })
}

/// The processor time that nobody can use up before `deadline`, in seconds. It is there for what
/// survives us; the deadline itself is kept by the clock.
fn cpu_seconds(deadline: Instant) -> u64 {
    let n_processors = thread::available_parallelism().map_or(1, NonZero::get) as u64;
    let wall = deadline.saturating_duration_since(Instant::now()).as_secs() + 1;
    wall.saturating_mul(n_processors).saturating_add(CPU_SLACK_SECONDS)
}

static STARTED: AtomicU64 = AtomicU64::new(0);
static ENDED: AtomicU64 = AtomicU64::new(0);
static KILLED: AtomicU64 = AtomicU64::new(0);

/// How many processes of solvers there were since this process began. Nothing that answers looks at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Processes {
    /// Started.
    pub started: u64,
    /// Ended and waited for, in whatever way.
    pub ended: u64,
    /// Of those that have ended, killed: by us because they were not needed any more, or by somebody else.
    pub killed: u64,
}

/// What became of the processes so far.
pub fn processes() -> Processes {
    // Read in the order in which they grow the other way round, so that no more have ended than were started.
    let killed = KILLED.load(Ordering::SeqCst);
    let ended = ENDED.load(Ordering::SeqCst);
    Processes { started: STARTED.load(Ordering::SeqCst), ended, killed }
}

/// A child that leads its process group. Dropping it kills the group and reaps the child.
pub(crate) struct Group {
    child: Child,
    reaped: bool,
}

impl Group {
    /// Starts `program`, with pipes for its input and its two outputs. It dies with this thread.
    ///
    /// # Errors
    ///
    /// [`SolverError::NotFound`] if it cannot be started.
    pub(crate) fn start(program: &Program<'_>) -> Result<Group, SolverError> {
        let mut command = Command::new(program.command);
        command.args(program.arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        system::confine(&mut command, program.memory_bytes, cpu_seconds(program.deadline));
        let child = command.spawn().map_err(|cause| SolverError::NotFound {
            command: program.command.to_owned(),
            cause: cause.to_string(),
        })?;
        STARTED.fetch_add(1, Ordering::SeqCst);
        Ok(Group { child, reaped: false })
    }

    /// The ends of the pipes, standard input first. They can be taken once.
    ///
    /// # Errors
    ///
    /// [`SolverError::System`] if they have been taken.
    pub(crate) fn take_pipes(
        &mut self,
    ) -> Result<(ChildStdin, ChildStdout, ChildStderr), SolverError> {
        let Child { stdin, stdout, stderr, .. } = &mut self.child;
        match (stdin.take(), stdout.take(), stderr.take()) {
            (Some(stdin), Some(stdout), Some(stderr)) => Ok((stdin, stdout, stderr)),
            _ => Err(SolverError::System("a child has no pipes".to_owned())),
        }
    }

    /// Kills the group and reaps the child.
    ///
    /// A program that is ending by itself keeps its own status: the system fixes it before it
    /// closes the program's pipes, and the closing is what brings us here.
    pub(crate) fn end(&mut self) -> io::Result<ExitStatus> {
        // Killing comes first: once the child is reaped, its number may be somebody else's.
        let is_first = !self.reaped;
        if is_first {
            system::kill_group(self.child.id());
        }
        self.reaped = true;
        let status = self.child.wait();
        if is_first {
            ENDED.fetch_add(1, Ordering::SeqCst);
            let was_killed = status.as_ref().is_ok_and(|status| status.signal().is_some());
            KILLED.fetch_add(u64::from(was_killed), Ordering::SeqCst);
        }
        status
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if !self.reaped {
            // There is nobody to tell, and `wait` fails only for a child that is not ours.
            let _ = self.end();
        }
    }
}

/// What the threads and the canceller tell the thread that waits.
enum Event<L> {
    Cancelled,
    StdinClosed,
    StdoutClosed(L, Stop),
    StderrClosed(Vec<u8>),
}

/// The threads that move the bytes.
struct Pumps {
    threads: [JoinHandle<()>; 3],
}

impl Pumps {
    fn start<L: Listener>(
        group: &mut Group,
        input: Arc<str>,
        listener: L,
        sender: &Sender<Event<L>>,
    ) -> Result<Pumps, SolverError> {
        let (stdin, stdout, stderr) = group.take_pipes()?;
        let writer = thread("stdin", sender, move || {
            feed(stdin, &input);
            Event::StdinClosed
        })?;
        let reader = thread("stdout", sender, move || {
            let (listener, stop) = listen(stdout, listener);
            Event::StdoutClosed(listener, stop)
        })?;
        let drain = thread("stderr", sender, move || Event::StderrClosed(keep_beginning(stderr)))?;
        Ok(Pumps { threads: [writer, reader, drain] })
    }

    /// Joins the threads, unless one of them is stuck at a pipe that an escaped process holds.
    fn join<L>(self, heard: &Heard<L>) {
        let [stdin, stdout, stderr] = self.threads;
        for (thread, closed) in [
            (stdin, heard.stdin_closed),
            (stdout, heard.stdout_closed),
            (stderr, heard.stderr_closed),
        ] {
            if closed {
                // It has sent its last word. It could only fail by panicking before that.
                let _ = thread.join();
            }
        }
    }
}

pub(crate) fn thread<E: Send + 'static>(
    pipe: &str,
    sender: &Sender<E>,
    body: impl FnOnce() -> E + Send + 'static,
) -> Result<JoinHandle<()>, SolverError> {
    let sender = sender.clone();
    Builder::new()
        .name(format!("keyaki {pipe}"))
        .spawn(move || tell(&sender, body()))
        .map_err(|cause| SolverError::System(format!("cannot start a thread: {cause}")))
}

/// Sends `event`. That nobody listens any more is not an error: the run is over.
pub(crate) fn tell<E>(sender: &Sender<E>, event: E) {
    let _ = sender.send(event);
}

/// Writes everything, as far as the program wants it: some stop reading after their answer, and
/// one that died is found out by its output.
fn feed(mut stdin: impl Write, input: &str) {
    let _ = stdin.write_all(input.as_bytes());
}

fn listen<L: Listener>(mut stdout: impl Read, mut listener: L) -> (L, Stop) {
    let mut buffer = vec![0; READ_BYTES];
    loop {
        let n = read(&mut stdout, &mut buffer);
        if n == 0 {
            return (listener, Stop::Ended);
        }
        if listener.hear(&buffer[..n]).is_break() {
            return (listener, Stop::Enough);
        }
    }
}

/// Reads to the end and keeps the first [`STDERR_BYTES_MAX`].
pub(crate) fn keep_beginning(mut stderr: impl Read) -> Vec<u8> {
    let mut kept = Vec::new();
    let mut buffer = vec![0; READ_BYTES];
    loop {
        let n = read(&mut stderr, &mut buffer);
        if n == 0 {
            return kept;
        }
        kept.extend_from_slice(&buffer[..n.min(STDERR_BYTES_MAX - kept.len())]);
    }
}

/// The number of bytes read; zero at the end, and a pipe that fails has ended.
pub(crate) fn read(pipe: &mut impl Read, buffer: &mut [u8]) -> usize {
    loop {
        match pipe.read(buffer) {
            Ok(n) => return n,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => return 0,
        }
    }
}

/// What the waiting thread has been told so far.
struct Heard<L> {
    listener: Option<L>,
    stderr: Vec<u8>,
    stdin_closed: bool,
    stdout_closed: bool,
    stderr_closed: bool,
}

impl<L> Heard<L> {
    fn new() -> Heard<L> {
        Heard {
            listener: None,
            stderr: Vec::new(),
            stdin_closed: false,
            stdout_closed: false,
            stderr_closed: false,
        }
    }

    /// Sleeps until there is a reason to end the run.
    fn wait_for_stop(&mut self, events: &Receiver<Event<L>>, deadline: Instant) -> Stop {
        loop {
            match events.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(event) => {
                    if let Some(stop) = self.note(event) {
                        return stop;
                    }
                }
                Err(RecvTimeoutError::Timeout) => return Stop::Deadline,
                // Not while the caller holds a sender; ending the run is the safe answer.
                Err(RecvTimeoutError::Disconnected) => return Stop::Ended,
            }
        }
    }

    /// Sleeps until the pipes are closed, or until it is clear that somebody else holds them.
    fn wait_for_pipes(&mut self, events: &Receiver<Event<L>>) {
        let deadline = Instant::now() + PIPE_GRACE;
        while !(self.stdin_closed && self.stdout_closed && self.stderr_closed) {
            match events.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(event) => {
                    self.note(event);
                }
                Err(_) => return,
            }
        }
    }

    fn note(&mut self, event: Event<L>) -> Option<Stop> {
        match event {
            Event::Cancelled => Some(Stop::Cancelled),
            Event::StdinClosed => {
                self.stdin_closed = true;
                None
            }
            Event::StdoutClosed(listener, stop) => {
                self.stdout_closed = true;
                self.listener = Some(listener);
                Some(stop)
            }
            Event::StderrClosed(kept) => {
                self.stderr_closed = true;
                self.stderr = kept;
                None
            }
        }
    }
}
