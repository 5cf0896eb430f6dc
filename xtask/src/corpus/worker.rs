//! One `keyaki batch` that answers job after job, and is started again when it dies.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde_json::{Value, json};

use super::jobs::Job;
use super::text_of;

/// How much longer than its timeout a job may take before the program counts as hung. A timeout is
/// for each job, and killing solvers and replaying a witness takes far less than this.
const GRACE: Duration = Duration::from_secs(60);

/// The end of what a program wrote to standard error that is kept, in bytes: a panic message.
const MAX_STDERR_BYTES: usize = 2_000;

/// Starts the program when needed, and asks it.
pub(super) struct Worker {
    keyaki: PathBuf,
    timeout: Duration,
    /// The solvers to ask; the program's own choice if there are none.
    solvers: Vec<String>,
    running: Option<Running>,
}

struct Running {
    child: Child,
    jobs: ChildStdin,
    results: Receiver<String>,
    complaints: JoinHandle<Vec<u8>>,
}

impl Worker {
    pub(super) fn new(keyaki: PathBuf, timeout: Duration, solvers: Vec<String>) -> Worker {
        Worker { keyaki, timeout, solvers, running: None }
    }

    /// The result of a job, as the program wrote it. If it wrote none, the result is an error of
    /// ours with the code `crashed`, `hung` or `rubbish`.
    ///
    /// # Errors
    ///
    /// The program cannot be started.
    pub(super) fn answer(&mut self, job: &Job) -> Result<Value, String> {
        let mut running = match self.running.take() {
            Some(running) => running,
            None => self.start()?,
        };
        let line = match running.ask(&job.job, self.timeout + GRACE) {
            Ok(line) => line,
            Err(code) => return Ok(fault(job, code, &running.bury())),
        };
        match serde_json::from_str::<Value>(&line) {
            Ok(result) if text_of(&result, "id") == job.id => {
                self.running = Some(running);
                Ok(result)
            }
            _ => {
                running.bury();
                Ok(fault(job, "rubbish", &line))
            }
        }
    }

    fn start(&self) -> Result<Running, String> {
        let mut child = Command::new(&self.keyaki)
            .args(["batch", "--attempts", "--timeout", &self.timeout.as_secs_f64().to_string()])
            .args(self.solvers.iter().flat_map(|solver| ["--solver", solver]))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("cannot start `{}`: {error}", self.keyaki.display()))?;
        let pipe = "the pipe was asked for";
        let jobs = child.stdin.take().expect(pipe);
        let output = BufReader::new(child.stdout.take().expect(pipe));
        let errors = child.stderr.take().expect(pipe);
        let (sender, results) = channel();
        thread::spawn(move || {
            // Ends with the program's output, or when nobody waits for it any more.
            output.lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
        let complaints = thread::spawn(move || last_bytes(errors).unwrap_or_default());
        Ok(Running { child, jobs, results, complaints })
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            running.bury();
        }
    }
}

impl Running {
    /// The line that answers the job, or the code of what went wrong.
    fn ask(&mut self, job: &Value, patience: Duration) -> Result<String, &'static str> {
        let sent = writeln!(self.jobs, "{job}").and_then(|()| self.jobs.flush());
        sent.map_err(|_| "crashed")?;
        self.results.recv_timeout(patience).map_err(|error| match error {
            RecvTimeoutError::Timeout => "hung",
            RecvTimeoutError::Disconnected => "crashed",
        })
    }

    /// Ends the program and tells how it ended and what it said last.
    fn bury(mut self) -> String {
        // A program that has crashed has its status already, which this does not change.
        let _ = self.child.kill();
        let status = match self.child.wait() {
            Ok(status) => status.to_string(),
            Err(error) => error.to_string(),
        };
        let said = self.complaints.join().unwrap_or_default();
        format!("{status}: {}", String::from_utf8_lossy(&said).trim())
    }
}

fn fault(job: &Job, code: &str, message: &str) -> Value {
    eprintln!("error: {}: {code}: {message}", job.id);
    json!({
        "id": job.id, "question": job.question,
        "error": {"code": code, "message": message},
    })
}

/// The last bytes of a stream, which is read to its end so that the writer never waits.
fn last_bytes(mut stream: impl Read) -> io::Result<Vec<u8>> {
    let mut kept = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        match stream.read(&mut buffer)? {
            0 => return Ok(kept),
            read => kept.extend_from_slice(&buffer[..read]),
        }
        kept.drain(..kept.len().saturating_sub(MAX_STDERR_BYTES));
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::{env, fs, process};

    use super::*;

    /// What becomes of two jobs if the program is this shell script.
    #[track_caller]
    fn check(name: &str, script: &str, expected: [&str; 2]) {
        let path = env::temp_dir().join(format!("keyaki-xtask-{}-{name}", process::id()));
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
        let mut worker = Worker::new(path.clone(), Duration::from_secs(5), Vec::new());
        let found = ["a", "b"].map(|id| {
            let job = Job { id: id.to_owned(), question: "q", job: json!({"id": id}) };
            let result = worker.answer(&job).unwrap();
            assert_eq!(text_of(&result, "id"), id);
            let error = &result["error"];
            format!("{}{}", text_of(&result, "verdict"), text_of(error, "code"))
        });
        fs::remove_file(path).unwrap();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_program_answers_one_job_after_the_other() {
        let script = r#"read -r x; echo '{"id":"a","verdict":"holds"}'
            read -r x; echo '{"id":"b","verdict":"fails"}'"#;
        check("answers", script, ["holds", "fails"]);
    }

    #[test]
    fn a_crash_costs_one_job() {
        let script = r#"read -r job
            case $job in *a*) echo boom >&2; exit 101;; esac
            echo '{"id":"b","verdict":"holds"}'; read -r x"#;
        check("crashes", script, ["crashed", "holds"]);
    }

    #[test]
    fn an_answer_to_another_job_is_rubbish() {
        let script = r#"read -r x; echo '{"id":"b","verdict":"holds"}'; read -r x"#;
        check("confuses", script, ["rubbish", "holds"]);
    }

    #[test]
    fn only_the_end_of_a_long_stream_is_kept() {
        let text = "x".repeat(10_000) + "end";
        let kept = last_bytes(text.as_bytes()).unwrap();
        assert!(kept.len() == MAX_STDERR_BYTES && kept.ends_with(b"end"));
    }
}
