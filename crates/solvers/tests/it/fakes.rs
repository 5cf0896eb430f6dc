//! Fake solvers, and what they leave behind.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use keyaki_logic::smtlib::Dialect;
use keyaki_logic::{Cancel, Formula, Limits, Regex, Sort, Terms};
use keyaki_solvers::{Definition, Process};

/// Longer than anything takes that ends by itself.
pub(crate) const LONG: Duration = Duration::from_secs(120);

/// A directory of one test, where fakes write the numbers of their processes.
pub(crate) struct Den {
    path: PathBuf,
}

impl Den {
    pub(crate) fn new() -> Den {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("keyaki-solvers-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Den { path }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The fake `tests/fake/{script}.sh`, called `script`.
    pub(crate) fn fake(&self, script: &str, arguments: &[&str]) -> Process {
        Process::new(definition(script, &self.path, script, arguments))
    }

    /// A fake called `name` that answers with `lines`.
    pub(crate) fn answering(&self, name: &str, lines: &[&str]) -> Process {
        Process::new(definition(name, &self.path, "answers", lines))
    }

    /// Sleeps until a fake has written `file`.
    #[track_caller]
    pub(crate) fn wait_for(&self, file: &str) {
        let written = || fs::read(self.path.join(file)).is_ok_and(|bytes| !bytes.is_empty());
        wait_until(&format!("`{file}` is written"), written);
    }

    /// Fails unless the processes that wrote their numbers are gone. One that was killed before it
    /// came to that left no number.
    #[track_caller]
    pub(crate) fn check_nothing_runs(&self) {
        if !self.path.join("pids").exists() {
            return;
        }
        for pid in self.pids("pids") {
            // The kill is done, but a grandchild's death is its own business.
            wait_until(&format!("process {pid} is gone"), || !is_running(pid));
        }
    }

    /// The numbers in `file`, of which there is at least one.
    #[track_caller]
    pub(crate) fn pids(&self, file: &str) -> Vec<u32> {
        let text = fs::read_to_string(self.path.join(file)).unwrap();
        let pids: Vec<u32> = text.lines().map(|line| line.trim().parse().unwrap()).collect();
        assert!(!pids.is_empty());
        pids
    }
}

impl Drop for Den {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}

pub(crate) fn definition(name: &str, den: &Path, script: &str, arguments: &[&str]) -> Definition {
    let script = format!("{}/tests/fake/{script}.sh", env!("CARGO_MANIFEST_DIR"));
    assert!(Path::new(&script).exists(), "{script}");
    let mut words = vec![script, den.to_str().unwrap().to_owned()];
    words.extend(arguments.iter().map(|word| (*word).to_owned()));
    Definition {
        name: name.to_owned(),
        command: "sh".to_owned(),
        arguments: words,
        version_arguments: Vec::new(),
        dialect: Dialect::Standard,
        memory_bytes: None,
        persistent: None,
        persistent_arguments: Vec::new(),
        proof_checker: None,
        enabled: true,
    }
}

#[track_caller]
pub(crate) fn wait_until(what: &str, is_so: impl Fn() -> bool) {
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

pub(crate) fn long() -> Limits {
    Limits::within(LONG)
}

pub(crate) fn short() -> Limits {
    Limits::within(Duration::from_millis(500))
}

pub(crate) fn never() -> Cancel {
    Cancel::new()
}

/// `x` matches `a*`.
pub(crate) fn starts_with_a() -> Formula {
    let mut terms = Terms::new();
    let x = terms.var("x", Sort::String);
    let pattern = Regex::Concat(vec![Regex::Literal("a".to_owned()), Regex::All]);
    let matches = terms.in_re(x, pattern);
    let mut formula = Formula::new(terms);
    formula.assert("starts with a", matches);
    formula
}

/// A formula of a mebibyte: more than a pipe holds.
pub(crate) fn long_formula() -> Formula {
    let mut terms = Terms::new();
    let x = terms.var("x", Sort::String);
    let pattern = Regex::Concat(vec![Regex::Literal("a".repeat(1 << 20)), Regex::All]);
    let matches = terms.in_re(x, pattern);
    let mut formula = Formula::new(terms);
    formula.assert("starts with many a", matches);
    formula
}
