//! `keyaki batch` as a child process, as anybody would start it, and what it took.
//!
//! Times of processor come from what the kernel counts for children that have ended, in steps of a hundredth of a
//! second; peak memory is read from a running one. A call of the system for either would be `unsafe`.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How often the peak memory of a child is read while it runs.
const WATCH_INTERVAL: Duration = Duration::from_millis(5);

/// Ticks of the kernel's clock in a second, as Linux tells them to programs on every machine.
const TICKS_PER_SECOND: f64 = 100.0;

/// What a run took.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cost {
    /// From the start of the process to its end.
    pub wall: Duration,
    /// Processor time of the program.
    pub user: Duration,
    /// Processor time of the kernel for it.
    pub system: Duration,
    /// The most memory that it had at once, in KiB.
    pub peak_kib: u64,
}

/// Runs `keyaki batch` on a file, into a file.
///
/// # Errors
///
/// A file cannot be opened, the program does not start, or it ends otherwise than after all lines.
pub fn from_file(
    keyaki: &Path,
    workers: usize,
    input: &Path,
    output: &Path,
) -> Result<Cost, String> {
    let told = |path: &Path, error: io::Error| format!("`{}`: {error}", path.display());
    let jobs = File::open(input).map_err(|error| told(input, error))?;
    let results = File::create(output).map_err(|error| told(output, error))?;
    let before = of_children();
    let start = Instant::now();
    let mut child = command(keyaki, workers).stdin(jobs).stdout(results).spawn().map_err(starts)?;
    let status = format!("/proc/{}/status", child.id());
    let watch = thread::spawn(move || {
        // Ends when the process has, as its memory is gone then.
        let mut peak = 0;
        while let Some(kib) = peak_kib(&status) {
            peak = kib;
            thread::sleep(WATCH_INTERVAL);
        }
        peak
    });
    let ended = child.wait().map_err(|error| error.to_string())?;
    let wall = start.elapsed();
    let peak_kib = watch.join().unwrap_or_default();
    check(ended)?;
    let after = of_children();
    Ok(Cost { wall, user: after.0 - before.0, system: after.1 - before.1, peak_kib })
}

/// Runs `keyaki batch` on two passes that stand in one file, and tells how long the second took: from the
/// answer to the last line of the first pass to that of the second. Answers go to `each`.
///
/// # Errors
///
/// As of [`from_file`].
pub fn second_pass(
    keyaki: &Path,
    workers: usize,
    input: &Path,
    n_first: usize,
    mut each: impl FnMut(&str),
) -> Result<Duration, String> {
    let jobs = File::open(input).map_err(|error| format!("`{}`: {error}", input.display()))?;
    let mut child =
        command(keyaki, workers).stdin(jobs).stdout(Stdio::piped()).spawn().map_err(starts)?;
    let output = child.stdout.take().expect("the pipe was asked for");
    let mut start = Instant::now();
    let mut end = start;
    let mut answers = Vec::new();
    for (number, line) in BufReader::with_capacity(1 << 20, output).lines().enumerate() {
        answers.push(line.map_err(|error| error.to_string())?);
        end = Instant::now();
        if number + 1 == n_first {
            start = end;
        }
    }
    check(child.wait().map_err(|error| error.to_string())?)?;
    answers.iter().for_each(|line| each(line));
    Ok(end - start)
}

/// Runs `keyaki batch` on what `write` writes, and tells the most memory it had by the last answer. Answers go to `each`.
///
/// # Errors
///
/// As of [`from_file`].
pub fn from_stream(
    keyaki: &Path,
    workers: usize,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()> + Send,
    mut each: impl FnMut(&str),
) -> Result<Cost, String> {
    let before = of_children();
    let start = Instant::now();
    let mut child = command(keyaki, workers)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(starts)?;
    let mut jobs = child.stdin.take().expect("the pipe was asked for");
    let output = child.stdout.take().expect("the pipe was asked for");
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    thread::scope(|scope| -> Result<(), String> {
        let writer = scope.spawn(move || write(&mut jobs));
        for (number, line) in BufReader::with_capacity(1 << 16, output).lines().enumerate() {
            each(&line.map_err(|error| error.to_string())?);
            if number % 1024 == 0 {
                peak = peak_kib(&status).unwrap_or(peak);
            }
        }
        let written = writer.join().map_err(|_| "the writer panicked".to_owned())?;
        written.map_err(|error| format!("jobs cannot be written: {error}"))
    })?;
    check(child.wait().map_err(|error| error.to_string())?)?;
    let wall = start.elapsed();
    let after = of_children();
    Ok(Cost { wall, user: after.0 - before.0, system: after.1 - before.1, peak_kib: peak })
}

fn command(keyaki: &Path, workers: usize) -> Command {
    let mut command = Command::new(keyaki);
    command.args(["batch", "--workers", &workers.to_string()]);
    command
}

fn starts(error: io::Error) -> String {
    format!("keyaki does not start: {error}")
}

/// A line that is an error makes the status 2, and is counted by whoever reads the answers.
fn check(status: std::process::ExitStatus) -> Result<(), String> {
    match status.code() {
        Some(0 | 2) => Ok(()),
        _ => Err(format!("keyaki ended with {status}")),
    }
}

/// User and system time of all children that have ended.
fn of_children() -> (Duration, Duration) {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The second field is a name in brackets, which may have spaces.
    let rest = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks: Vec<f64> =
        rest.split_whitespace().skip(13).take(2).filter_map(|field| field.parse().ok()).collect();
    let time = |at: usize| ticks.get(at).copied().unwrap_or_default() / TICKS_PER_SECOND;
    (Duration::from_secs_f64(time(0)), Duration::from_secs_f64(time(1)))
}

/// The most memory that a running process has had, in KiB.
pub(crate) fn peak_kib(status: &str) -> Option<u64> {
    let text = fs::read_to_string(status).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

/// Runs a command and stops it when its time is up. Returns what it wrote, or none if it was stopped.
///
/// # Errors
///
/// It does not start, or fails.
pub(crate) fn within(cap: Duration, mut command: Command) -> Result<Option<String>, String> {
    let mut child: Child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("{:?} does not start: {error}", command.get_program()))?;
    let deadline = Instant::now() + cap;
    loop {
        if child.try_wait().map_err(|error| error.to_string())?.is_some() {
            break;
        }
        if Instant::now() >= deadline {
            // It may just have ended, which is as good.
            let _ = child.kill();
            let _ = child.wait();
            return Ok(None);
        }
        thread::sleep(WATCH_INTERVAL);
    }
    // What it writes is a few lines, less than a pipe holds.
    let output = child.wait_with_output().map_err(|error| error.to_string())?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if !output.status.success() {
        return Err(format!("{}: {}", output.status, text(&output.stderr).trim()));
    }
    Ok(Some(format!("{}\n{}", text(&output.stdout), text(&output.stderr))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_running_process_tells_its_peak() {
        assert!(peak_kib("/proc/self/status").unwrap() > 1_000);
        assert_eq!(peak_kib("/proc/self/no-such-file"), None);
    }

    #[test]
    fn a_command_is_stopped_when_its_time_is_up() {
        let sleep = |seconds: &str| {
            let mut command = Command::new("sleep");
            command.arg(seconds);
            command
        };
        assert_eq!(within(Duration::from_millis(50), sleep("60")), Ok(None));
        assert!(within(Duration::from_secs(60), sleep("0")).unwrap().is_some());
        assert!(within(Duration::from_secs(60), sleep("x")).is_err());
    }
}
