//! Runs a task in a process of its own, and what its output comes to in a word.
//!
//! Result and reason of the end are two things, as in `BenchExec`: a solver that prints `sat` and is then killed at
//! the limit has said `sat` and ended by `walltime`, and has not solved the query.

use std::fmt;
use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use crate::supervise::{Passed, Report, Task};

/// How much longer than its limit a run may take before its supervisor is given up.
const GRACE: Duration = Duration::from_secs(20);

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$of_variant:meta])* $variant:ident => $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$of_variant])* $variant,)* }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(match self { $($name::$variant => $word,)* })
            }
        }

        impl FromStr for $name {
            type Err = String;

            fn from_str(text: &str) -> Result<$name, String> {
                match text {
                    $($word => Ok($name::$variant),)*
                    _ => Err(format!("`{text}` is none of {:?}", [$($word),*])),
                }
            }
        }
    };
}

words! {
    /// What a solver said.
    Outcome {
        /// There is a model.
        Sat => "sat",
        /// There is none.
        Unsat => "unsat",
        /// It does not know.
        Unknown => "unknown",
        /// Neither of these words.
        Silent => "silent",
        /// `sat` and `unsat`.
        Both => "both",
    }
}

words! {
    /// Why a run ended.
    End {
        /// By itself, with an exit status that is a good one.
        Exit => "exit",
        /// By itself, with another exit status.
        Failed => "failed",
        /// By a signal that is none of ours: it crashed.
        Signal => "signal",
        /// Killed when its wall time was over.
        Walltime => "walltime",
        /// Killed when its processor time was over.
        Cputime => "cputime",
        /// It had more memory than it may have, or could not get more.
        Memory => "memory",
        /// It wrote too much.
        Output => "output",
        /// It filled more of the disk than it may.
        Disk => "disk",
        /// It had too many processes.
        Processes => "processes",
        /// It did not start.
        Start => "start",
        /// The harness broke.
        Harness => "harness",
    }
}

impl Outcome {
    /// Whether it is `sat` or `unsat`.
    pub fn is_definite(self) -> bool {
        matches!(self, Outcome::Sat | Outcome::Unsat)
    }
}

/// A run, in words and numbers.
#[derive(Clone, Debug)]
pub struct Ran {
    /// What was said.
    pub outcome: Outcome,
    /// How it ended.
    pub end: End,
    /// The exit status, or the signal, of the process; 0 if it has neither.
    pub code: i32,
    /// Times, memory and output.
    pub report: Report,
}

/// Starts supervisors.
#[derive(Clone, Debug)]
pub struct Runner {
    /// The program `keyaki-bench`.
    program: PathBuf,
    /// Where each run gets a folder.
    folder: PathBuf,
}

static NUMBER: AtomicU64 = AtomicU64::new(0);

impl Runner {
    /// A runner by `program`, which is `keyaki-bench`, with folders for its runs in the system's temporary one.
    pub fn new(program: PathBuf) -> Runner {
        let folder = std::env::temp_dir().join(format!("keyaki-bench-{}", std::process::id()));
        Runner { program, folder }
    }

    /// Runs a task, which `task` makes for a folder of its own.
    ///
    /// # Errors
    ///
    /// The folder cannot be made. All else is in the result.
    pub fn run(&self, success: &[i32], task: impl FnOnce(&Path) -> Task) -> Result<Ran, String> {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = self.folder.join(number.to_string());
        fs::create_dir_all(&folder)
            .map_err(|error| format!("cannot make `{}`: {error}", folder.display()))?;
        let task = task(&folder);
        let report = self.supervised(&task);
        drop(fs::remove_dir_all(&folder));
        Ok(match report {
            Ok(report) => judged(report, success, &task),
            Err(message) => {
                let report = Report { stderr: message, ..Report::default() };
                Ran { outcome: Outcome::Silent, end: End::Harness, code: 0, report }
            }
        })
    }

    fn supervised(&self, task: &Task) -> Result<Report, String> {
        // A group of its own: whoever interrupts us from the keyboard leaves it to see that we are gone, and to clear.
        let mut child = Command::new(&self.program)
            .arg("supervise")
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("`{}` does not start: {error}", self.program.display()))?;
        let text = serde_json::to_string(task).map_err(|error| error.to_string())?;
        let told = child.stdin.as_mut().map(|pipe| pipe.write_all(format!("{text}\n").as_bytes()));
        if let Some(Err(error)) = told {
            return Err(format!("the supervisor does not listen: {error}"));
        }
        let said = self.listen(&mut child, Duration::from_nanos(task.limits.wall_ns) + GRACE);
        if said.is_err() {
            drop(child.kill());
        }
        // Its standard input is closed only now: closed earlier, it would end.
        drop(child.stdin.take());
        child.wait().map_err(|error| error.to_string())?;
        let said = said?;
        serde_json::from_str(said.trim()).map_err(|error| {
            let mut cause = String::new();
            let pipe = child.stderr.as_mut();
            drop(pipe.map(|pipe| pipe.read_to_string(&mut cause)));
            format!("the supervisor says `{}` ({error}) {cause}", said.trim())
        })
    }

    fn listen(&self, child: &mut Child, limit: Duration) -> Result<String, String> {
        let mut pipe = child.stdout.take().ok_or("the supervisor has no output")?;
        let (send, receive) = channel();
        thread::spawn(move || {
            let mut text = String::new();
            drop(send.send(pipe.read_to_string(&mut text).map(|_| text)));
        });
        match receive.recv_timeout(limit) {
            Ok(said) => said.map_err(|error| error.to_string()),
            Err(_) => Err(format!("the supervisor did not end within {} s", limit.as_secs())),
        }
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        drop(fs::remove_dir(&self.folder));
    }
}

fn judged(report: Report, success: &[i32], task: &Task) -> Ran {
    let outcome = outcome_of(&report.stdout);
    let code = report.status.or(report.signal).unwrap_or(0);
    let end = end_of(&report, outcome, success, task);
    Ran { outcome, end, code, report }
}

/// The word that an output comes to: words on lines of their own count.
pub fn outcome_of(output: &str) -> Outcome {
    let has = |word: &str| output.lines().any(|line| line.trim() == word);
    match (has("sat"), has("unsat"), has("unknown")) {
        (true, true, _) => Outcome::Both,
        (_, _, true) => Outcome::Unknown,
        (true, false, false) => Outcome::Sat,
        (false, true, false) => Outcome::Unsat,
        (false, false, false) => Outcome::Silent,
    }
}

fn end_of(report: &Report, outcome: Outcome, success: &[i32], task: &Task) -> End {
    /// Words of programs that could not get memory.
    const OUT_OF_MEMORY: [&str; 5] =
        ["bad_alloc", "out of memory", "memory exhausted", "MemoryError", "Cannot allocate memory"];
    if report.start_error.is_some() {
        return End::Start;
    }
    if let Some(passed) = report.passed {
        return match passed {
            Passed::Walltime => End::Walltime,
            Passed::Memory => End::Memory,
            Passed::Output => End::Output,
            Passed::Disk => End::Disk,
            Passed::Processes => End::Processes,
        };
    }
    if report.status.is_some_and(|status| success.contains(&status)) {
        // Whoever is told of the limit may still end well: z3 says `timeout` then. Clocks of the system differ by some percent.
        let nearly_all = task.limits.cpu_s.saturating_mul(900_000_000);
        let is_cut = !outcome.is_definite() && report.cpu_ns >= nearly_all;
        return if is_cut { End::Cputime } else { End::Exit };
    }
    let said = |words: &[&str]| {
        words.iter().any(|word| report.stderr.contains(word) || report.stdout.contains(word))
    };
    // By the numbers of Linux and macOS, which agree on these.
    const SIGXCPU: i32 = 24;
    const SIGXFSZ: i32 = 25;
    // Whoever fails with nearly all of its memory in use has met that limit, whatever it says.
    let nearly_all = task.limits.memory_bytes / 10 * 9;
    match report.signal {
        Some(SIGXCPU) => End::Cputime,
        Some(SIGXFSZ) => End::Disk,
        Some(_) if report.cpu_ns / 1_000_000_000 >= task.limits.cpu_s => End::Cputime,
        _ if said(&OUT_OF_MEMORY) || report.peak_bytes > nearly_all => End::Memory,
        _ if said(&["File too large"]) => End::Disk,
        Some(_) => End::Signal,
        None => End::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_a_line_of_its_own() {
        assert_eq!(outcome_of("warning: sat solver\nunsat\n"), Outcome::Unsat);
        assert_eq!(outcome_of("sat\nunsat\n"), Outcome::Both);
        assert_eq!(outcome_of("sat\nunknown\n"), Outcome::Unknown);
        assert_eq!(outcome_of("(error \"sat\")"), Outcome::Silent);
    }

    #[test]
    fn words_are_read_as_they_are_written() {
        for end in [End::Exit, End::Walltime, End::Harness] {
            assert_eq!(end.to_string().parse(), Ok(end));
        }
        assert!("gone".parse::<End>().is_err());
    }
}
