//! Runs the program, and reads what it says.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Once, OnceLock};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;

/// Longer than anything takes that ends by itself.
pub(crate) const LONG: Duration = Duration::from_secs(60);

/// A directory of one test, in which the program runs. It is deleted in the end.
pub(crate) struct Den {
    path: PathBuf,
}

/// What the program did.
pub(crate) struct Run {
    pub(crate) status: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Den {
    pub(crate) fn new() -> Den {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("keyaki-cli-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Den { path }
    }

    /// A directory with one file.
    pub(crate) fn with(name: &str, content: impl AsRef<[u8]>) -> Den {
        let den = Den::new();
        den.write(name, content);
        den
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path.join(name), content).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path.join(name)).unwrap()
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_keyaki"));
        command.args(arguments).current_dir(&self.path);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs `keyaki` with these arguments, divided by spaces, and nothing to read.
    #[track_caller]
    pub(crate) fn keyaki(&self, arguments: &str) -> Run {
        let words: Vec<&str> = arguments.split_whitespace().collect();
        Run::new(self.command(&words).output().unwrap())
    }

    /// Runs `keyaki` with this to read.
    #[track_caller]
    pub(crate) fn keyaki_reading(&self, arguments: &str, input: impl AsRef<[u8]>) -> Run {
        let input = input.as_ref();
        let words: Vec<&str> = arguments.split_whitespace().collect();
        let mut child = self.command(&words).stdin(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        std::thread::scope(|scope| {
            // The program may stop reading early, or write before it has read everything.
            scope.spawn(move || drop(stdin.write_all(input)));
            Run::new(child.wait_with_output().unwrap())
        })
    }
}

impl Drop for Den {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}

impl Run {
    #[track_caller]
    fn new(output: Output) -> Run {
        let run = Run {
            status: output.status.code().expect("the program ends by itself"),
            stdout: String::from_utf8(output.stdout).expect("answers are UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("messages are UTF-8"),
        };
        assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
        run
    }

    /// The results on standard output, each a line, and each as `docs/schema.json` says.
    #[track_caller]
    pub(crate) fn results(&self) -> Vec<Value> {
        let results: Vec<Value> =
            self.stdout.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
        for result in &results {
            check_against_schema("JobResult", result);
        }
        results
    }

    /// The only result on standard output.
    #[track_caller]
    pub(crate) fn result(&self) -> Value {
        let mut results = self.results();
        assert_eq!(results.len(), 1, "{}{}", self.stdout, self.stderr);
        results.remove(0)
    }
}

/// Fails unless `docs/schema.json` takes the value for what it calls `definition`.
#[track_caller]
pub(crate) fn check_against_schema(definition: &str, value: &Value) {
    let mut schema = schema().clone();
    let members = schema.as_object_mut().expect("a schema is an object");
    members.remove("anyOf");
    members.insert("$ref".to_owned(), format!("#/$defs/{definition}").into());
    let validator = jsonschema::validator_for(&schema).expect("docs/schema.json is a schema");
    let errors: Vec<String> =
        validator.iter_errors(value).map(|e| format!("{}: {e}", e.instance_path())).collect();
    assert!(errors.is_empty(), "{value:#}\n{}", errors.join("\n"));
}

/// Waits until something is so, which it is in the end.
#[track_caller]
pub(crate) fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < LONG, "waited in vain until {what}");
        sleep(Duration::from_millis(5));
    }
}

/// Whether the process exists and is not only a status that nobody has asked for.
pub(crate) fn is_running(pid: u32) -> bool {
    let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else { return false };
    // The program's name comes before the state, in parentheses, and may contain anything.
    let state = stat.rsplit(") ").next().and_then(|rest| rest.chars().next());
    !matches!(state, Some('Z' | 'X'))
}

/// The committed schema.
pub(crate) fn schema() -> &'static Value {
    static SCHEMA: OnceLock<Value> = OnceLock::new();
    SCHEMA.get_or_init(|| {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/schema.json");
        let text = fs::read_to_string(path).expect("docs/schema.json is there");
        serde_json::from_str(&text).expect("docs/schema.json is JSON")
    })
}

/// The names of the solvers that are installed, of those known without configuration.
pub(crate) fn installed() -> &'static [&'static str] {
    static INSTALLED: OnceLock<Vec<&str>> = OnceLock::new();
    INSTALLED.get_or_init(|| {
        let there = |name: &&str| {
            let mut command = Command::new(name);
            command.arg("--version").stdin(Stdio::null()).stdout(Stdio::null());
            command.status().is_ok_and(|status| status.success())
        };
        ["z3", "cvc4", "cvc5"].into_iter().filter(there).collect()
    })
}

/// Whether a test that needs a solver can run. If not, it says so; with `REQUIRE_SOLVERS=1` it
/// fails instead.
#[track_caller]
pub(crate) fn has_solver() -> bool {
    let required = std::env::var("REQUIRE_SOLVERS").is_ok_and(|value| value == "1");
    if required {
        assert_eq!(installed().len(), 3, "REQUIRE_SOLVERS is set, and only {:?}", installed());
    }
    if installed().is_empty() {
        skip();
    }
    !installed().is_empty()
}

/// Says that tests were skipped, once, and past the harness, which keeps the output of tests that
/// pass to itself.
fn skip() {
    static SAID: Once = Once::new();
    SAID.call_once(|| {
        let message = "SKIPPED: no solver is installed (apt-get install z3 cvc4 cvc5)\n";
        drop(std::io::stderr().write_all(message.as_bytes()));
    });
}

/// A public policy such that no likely request shows it: a solver has to find the user agent.
pub(crate) const UNLIKELY: &str = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
    "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*", "Condition": {
        "StringLike": {"aws:UserAgent": "a*c"},
        "StringNotLike": {"aws:UserAgent": ["ac", "aexamplec"]}}}]}"#;

/// A bucket that everybody may read.
pub(crate) const PUBLIC: &str = r#"{"Version":"2012-10-17","Statement":[{"Sid":"Read","Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}]}"#;

/// A bucket that one account may read.
pub(crate) const PRIVATE: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}]}"#;

/// A bucket that somebody may read until some day, which is not modelled.
pub(crate) const DATED: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*","Condition":{"StringLike":{"aws:CurrentTime":"2031-*"}}}]}"#;
