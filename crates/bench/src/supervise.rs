//! One solver on one query, confined, watched and cleared away: what runs inside `keyaki-bench supervise`.
//!
//! The harness starts itself again for each run. That process starts the solver with limits
//! that it inherits; adopts whatever the solver leaves behind (a *subreaper*); kills all of it when a limit is passed, when the
//! solver ends, or when the harness is gone; and adds up what the dead have used. So no number is of two
//! runs, and nothing outlives its run, whatever it did.
//!
//! Control groups were not taken: they need rights that a container seldom has. What follows from that is told in
//! docs/benchmarking-solvers.md: peak memory is that of the largest process, not of all together, and only files in
//! the run's own folder are counted against its share of the disk.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead as _, Read, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::resource::{Resource, UsageWho, getrlimit, getrusage, setrlimit};
use nix::sys::signal::{Signal, kill, killpg};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid, waitpid};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};

/// After what time memory, disk and processes are looked at for the first time, and then after twice of it, and so on.
const LOOK_FIRST: Duration = Duration::from_millis(50);

/// The longest time between two looks. A look takes a millisecond of the processor.
const LOOK_EVERY: Duration = Duration::from_millis(400);

/// How many processes a solver may have at a time. More is a fork bomb.
const PROCESSES_MAX: usize = 128;

/// How much of the error output is kept, in bytes.
const ERROR_BYTES_MAX: u64 = 4096;

/// How often what is left is looked for and killed before it is given up.
const CLEARING_ROUNDS_MAX: usize = 200;

/// How long the last output is waited for when everything is dead.
const OUTPUT_GRACE: Duration = Duration::from_secs(2);

/// Upper bounds on one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// From start to end, in nanoseconds.
    pub wall_ns: u64,
    /// Processor time of each process, in seconds.
    pub cpu_s: u64,
    /// Address space of each process, and resident memory of all together, in bytes.
    pub memory_bytes: u64,
    /// Standard output, in bytes.
    pub output_bytes: u64,
    /// Each file, and all files in the run's folder together, in bytes.
    pub disk_bytes: u64,
}

/// What to run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Task {
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// The file that it reads as standard input; empty input if `None`.
    pub input: Option<PathBuf>,
    /// A folder of its own, which it starts in.
    pub folder: PathBuf,
    /// Its whole environment.
    pub environment: BTreeMap<String, String>,
    /// How far it may go.
    pub limits: Limits,
}

/// Which limit was passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Passed {
    /// Wall time.
    Walltime,
    /// Memory of all processes together.
    Memory,
    /// Standard output.
    Output,
    /// Files.
    Disk,
    /// Number of processes.
    Processes,
}

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// From before the start to after the end of the solver's own process.
    pub wall_ns: u64,
    /// Processor time in user and system mode of all its processes; the system counts microseconds.
    pub cpu_ns: u64,
    /// The most resident memory of the largest of its processes.
    pub peak_bytes: u64,
    /// The exit status, if it ended by itself.
    pub status: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// Why it was killed, if we did it.
    pub passed: Option<Passed>,
    /// How many processes were left when it had ended.
    pub strays: usize,
    /// Its output.
    pub stdout: String,
    /// The beginning of its error output.
    pub stderr: String,
    /// Why it did not start.
    pub start_error: Option<String>,
}

/// Reads a task from standard input, executes it, and prints the report; ends early, with everything killed, when the
/// standard input is closed.
pub fn main() -> ExitCode {
    match supervise() {
        Ok(report) => {
            let text = serde_json::to_string(&report).unwrap_or_default();
            let mut out = std::io::stdout().lock();
            match writeln!(out, "{text}").and_then(|()| out.flush()) {
                Ok(()) => ExitCode::SUCCESS,
                Err(_) => ExitCode::FAILURE,
            }
        }
        Err(message) => {
            let mut out = std::io::stderr().lock();
            drop(writeln!(out, "error: {message}"));
            ExitCode::FAILURE
        }
    }
}

fn supervise() -> Result<Report, String> {
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).map_err(|error| error.to_string())?;
    let task: Task = serde_json::from_str(&line).map_err(|error| error.to_string())?;
    adopt_orphans()?;
    // Whoever starts the solver has the lock, so that whoever kills it knows it.
    let leader = Arc::new(Mutex::new(None));
    let of_watch = Arc::clone(&leader);
    thread::spawn(move || {
        let mut rest = Vec::new();
        drop(std::io::stdin().lock().read_to_end(&mut rest));
        let leader = of_watch.lock().unwrap_or_else(PoisonError::into_inner);
        clear(*leader);
        std::process::exit(1);
    });
    let start;
    let child = {
        let mut leader = leader.lock().unwrap_or_else(PoisonError::into_inner);
        let mut command = command(&task)?;
        start = Instant::now();
        let child = limited(&task.limits, || command.spawn())?;
        if let Ok(child) = &child {
            *leader = i32::try_from(child.id()).ok().map(Pid::from_raw);
        }
        child
    };
    match child {
        Ok(child) => watch(child, start, &task),
        Err(error) => Ok(Report { start_error: Some(error.to_string()), ..Report::default() }),
    }
}

fn command(task: &Task) -> Result<Command, String> {
    let input = match &task.input {
        Some(path) => Stdio::from(
            fs::File::open(path).map_err(|error| format!("`{}`: {error}", path.display()))?,
        ),
        None => Stdio::null(),
    };
    let mut command = Command::new(&task.program);
    command
        .args(&task.arguments)
        .env_clear()
        .envs(&task.environment)
        .current_dir(&task.folder)
        .stdin(input)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0);
    Ok(command)
}

fn watch(mut child: Child, start: Instant, task: &Task) -> Result<Report, String> {
    let leader = i32::try_from(child.id()).map(Pid::from_raw).map_err(|error| error.to_string())?;
    let is_flooded = Arc::new(AtomicBool::new(false));
    let stdout = child.stdout.take().map(|pipe| read(pipe, task.limits.output_bytes, &is_flooded));
    let unlimited = Arc::new(AtomicBool::new(false));
    let stderr = child.stderr.take().map(|pipe| read(pipe, ERROR_BYTES_MAX, &unlimited));
    let end = end_of(leader);
    let deadline = Duration::from_nanos(task.limits.wall_ns);
    let mut passed = None;
    let mut pause = LOOK_FIRST;
    let wall = loop {
        let left = deadline.saturating_sub(start.elapsed());
        match end.recv_timeout(left.min(pause)) {
            Ok(ended) => break ended.duration_since(start),
            Err(RecvTimeoutError::Disconnected) => break start.elapsed(),
            Err(RecvTimeoutError::Timeout) => {}
        }
        passed = match start.elapsed() >= deadline {
            true => Some(Passed::Walltime),
            false => over(task, &is_flooded),
        };
        if passed.is_some() {
            break start.elapsed();
        }
        pause = (pause * 2).min(LOOK_EVERY);
    };
    // It may have flooded us, or filled its folder, and ended before we looked.
    let passed = passed.or_else(|| over(task, &is_flooded));
    let strays = clear(Some(leader));
    let (status, signal) = reap(leader);
    // What the adopted have used counts when they are reaped.
    while waitpid(None, Some(WaitPidFlag::WNOHANG)).is_ok_and(|s| s != WaitStatus::StillAlive) {}
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).map_err(|error| error.to_string())?;
    let micros = |time: nix::sys::time::TimeVal| {
        u64::try_from(time.tv_sec() * 1_000_000 + time.tv_usec()).unwrap_or(0)
    };
    Ok(Report {
        wall_ns: u64::try_from(wall.as_nanos()).unwrap_or(u64::MAX),
        cpu_ns: (micros(usage.user_time()) + micros(usage.system_time())) * 1000,
        peak_bytes: u64::try_from(usage.max_rss()).unwrap_or(0) * MAX_RSS_UNIT,
        status,
        signal,
        passed,
        strays,
        stdout: stdout.map(text).unwrap_or_default(),
        stderr: stderr.map(text).unwrap_or_default(),
        start_error: None,
    })
}

/// The unit of the peak memory that the system tells, in bytes.
const MAX_RSS_UNIT: u64 = if cfg!(target_os = "macos") { 1 } else { 1024 };

fn text(output: Receiver<Vec<u8>>) -> String {
    let bytes = output.recv_timeout(OUTPUT_GRACE).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// What a pipe says, up to `max` bytes; what comes after them is read and dropped, and told of.
fn read(
    mut pipe: impl Read + Send + 'static,
    max: u64,
    is_flooded: &Arc<AtomicBool>,
) -> Receiver<Vec<u8>> {
    let (send, receive) = channel();
    let is_flooded = Arc::clone(is_flooded);
    thread::spawn(move || {
        let mut kept = Vec::new();
        let mut piece = vec![0; 1 << 16];
        let max = usize::try_from(max).unwrap_or(usize::MAX);
        while let Ok(n) = pipe.read(&mut piece)
            && n > 0
        {
            let room = max.saturating_sub(kept.len()).min(n);
            kept.extend_from_slice(&piece[..room]);
            if room < n {
                is_flooded.store(true, Ordering::Relaxed);
            }
        }
        drop(send.send(kept));
    });
    receive
}

/// When the process ends. It is not reaped, so its number stays its own.
fn end_of(leader: Pid) -> Receiver<Instant> {
    let (send, receive) = channel();
    thread::spawn(move || {
        let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT;
        while waitid(Id::Pid(leader), flags) == Err(Errno::EINTR) {}
        let _ = send.send(Instant::now());
    });
    receive
}

/// The limit that is passed now, if one is.
fn over(task: &Task, is_flooded: &AtomicBool) -> Option<Passed> {
    if is_flooded.load(Ordering::Relaxed) {
        return Some(Passed::Output);
    }
    if bytes_in(&task.folder) > task.limits.disk_bytes {
        return Some(Passed::Disk);
    }
    let family = descendants();
    if family.len() > PROCESSES_MAX {
        return Some(Passed::Processes);
    }
    let resident: u64 = family.iter().map(|pid| resident_bytes(*pid)).sum();
    (resident > task.limits.memory_bytes).then_some(Passed::Memory)
}

/// How many files of a folder are looked at.
const FILES_MAX: usize = 10_000;

/// What the files in a folder take, and in those below; as far as it can be told.
fn bytes_in(folder: &Path) -> u64 {
    let mut waiting = vec![folder.to_owned()];
    let (mut bytes, mut n_files) = (0, 0);
    while let Some(folder) = waiting.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            n_files += 1;
            if n_files > FILES_MAX {
                return u64::MAX;
            }
            let Ok(data) = entry.path().symlink_metadata() else { continue };
            if data.is_dir() {
                waiting.push(entry.path());
            } else {
                bytes += data.len();
            }
        }
    }
    bytes
}

/// Lowers our own limits while `start` starts what shall have them. Only the soft ones: those can be raised again, so
/// that the watch does not end with what it watches.
fn limited<T>(limits: &Limits, start: impl FnOnce() -> T) -> Result<T, String> {
    let wanted = [
        (Resource::RLIMIT_CORE, 0),
        (Resource::RLIMIT_CPU, limits.cpu_s),
        (Resource::RLIMIT_FSIZE, limits.disk_bytes),
        (Resource::RLIMIT_AS, limits.memory_bytes),
    ];
    let told = |error: Errno| format!("a limit cannot be set: {error}");
    let mut before = Vec::new();
    for (resource, value) in wanted {
        let (soft, hard) = getrlimit(resource).map_err(told)?;
        setrlimit(resource, value.min(hard), hard).map_err(told)?;
        before.push((resource, soft, hard));
    }
    let started = start();
    for (resource, soft, hard) in before {
        setrlimit(resource, soft, hard).map_err(told)?;
    }
    Ok(started)
}

#[cfg(target_os = "linux")]
fn adopt_orphans() -> Result<(), String> {
    nix::sys::prctl::set_child_subreaper(true)
        .map_err(|error| format!("orphans cannot be adopted: {error}"))
}

#[cfg(not(target_os = "linux"))]
fn adopt_orphans() -> Result<(), String> {
    Ok(())
}

/// Kills everything that this process has started, by the group of `leader` and by descent; how many there were
/// beside the leader. The leader stays to be reaped.
fn clear(leader: Option<Pid>) -> usize {
    let mut strays = BTreeSet::new();
    for _ in 0..CLEARING_ROUNDS_MAX {
        let mut others = descendants();
        others.retain(|pid| Some(*pid) != leader);
        strays.extend(others.iter().copied());
        if let Some(leader) = leader {
            // Nobody is left of it: that is what we want.
            let _ = killpg(leader, Signal::SIGKILL);
        }
        if others.is_empty() {
            break;
        }
        for pid in others {
            let _ = kill(pid, Signal::SIGKILL);
            // Only ours can be reaped, and those of others become ours when their parents are dead.
            let _ = waitpid(pid, Some(WaitPidFlag::WNOHANG));
        }
        thread::sleep(Duration::from_millis(2));
    }
    strays.len()
}

/// The exit status of the leader, or its signal.
fn reap(leader: Pid) -> (Option<i32>, Option<i32>) {
    loop {
        match waitpid(leader, None) {
            Ok(WaitStatus::Exited(_, status)) => return (Some(status), None),
            Ok(WaitStatus::Signaled(_, signal, _)) => return (None, Some(signal as i32)),
            Ok(_) | Err(Errno::EINTR) => {}
            Err(_) => return (None, None),
        }
    }
}

/// All living processes that descend from this one, by what `/proc` says; none where there is no `/proc`.
fn descendants() -> Vec<Pid> {
    let mut parents: BTreeMap<i32, Vec<i32>> = BTreeMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else {
            continue;
        };
        let Ok(stat) = fs::read_to_string(entry.path().join("stat")) else { continue };
        // The name, in parentheses, may hold anything; the state and the parent follow it.
        let mut fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
        let (state, parent) = (fields.next(), fields.next().and_then(|text| text.parse().ok()));
        if let Some(parent) = parent {
            let is_dead = matches!(state, Some("Z" | "X"));
            // A dead process still has a place in the tree if it has children.
            parents.entry(parent).or_default().push(if is_dead { -pid } else { pid });
        }
    }
    let mut found = Vec::new();
    let mut waiting = vec![std::process::id().cast_signed()];
    while let Some(pid) = waiting.pop() {
        for child in parents.remove(&pid).unwrap_or_default() {
            if child > 0 {
                found.push(Pid::from_raw(child));
            }
            waiting.push(child.abs());
        }
    }
    found
}

/// The resident memory of a process now.
fn resident_bytes(pid: Pid) -> u64 {
    /// The size of a page where nothing else is known, in bytes.
    const PAGE_BYTES: u64 = 4096;
    let statm = fs::read_to_string(format!("/proc/{pid}/statm")).unwrap_or_default();
    let pages: u64 =
        statm.split_whitespace().nth(1).and_then(|text| text.parse().ok()).unwrap_or(0);
    pages * PAGE_BYTES
}
