//! Builds the tests of a copy and runs them until one fails.
//!
//! What may take long is bounded by processor time rather than by a clock, so that other work on the machine makes no mutant look
//! caught; a clock bounds only what sleeps. Memory is bounded, because a mutant may ask for all of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::Tests;
use super::schemata::VARIABLE;

/// The memory that the tests of a mutant may have, in KiB.
const MAX_MEMORY_KIB: u64 = 2 << 20;

/// The processor time that they may take, beside a multiple of what they take without a mistake, in seconds.
const GRACE_SECONDS: u64 = 3;

/// What tests without a mistake may take.
const MAX_TIME: Duration = Duration::from_secs(120);

/// The cases of a property, the same ones for each mutant.
const N_CASES: usize = 200;

/// Looks at a child that is about to end, and the time between two.
const MAX_LOOKS: usize = 200;
const BETWEEN_LOOKS: Duration = Duration::from_millis(5);

/// That multiple.
const TIMES: u32 = 3;

/// How many times as long as its processor time a test binary may take by the clock: other work may be going on.
const CLOCK_TIMES: u32 = 12;

/// However quick tests are, they may have to wait so long for a busy machine.
const MIN_CLOCK: Duration = Duration::from_secs(300);

/// Tests that are built.
pub(super) struct Binary {
    path: PathBuf,
    /// Where cargo would run it.
    folder: PathBuf,
    /// Parts of the names of the tests that are run, all if there are none.
    names: &'static [&'static str],
    /// How long it takes without a mistake.
    pub(super) time: Duration,
}

/// What the tests say of a mutant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Caught,
    Missed,
    Timeout,
}

/// An error of the compiler: a file and the bytes in it.
pub(super) struct Fault {
    pub(super) file: String,
    pub(super) at: usize,
    pub(super) message: String,
}

fn cargo(tree: &Path) -> Command {
    let mut command = Command::new("cargo");
    command.current_dir(tree).stdin(Stdio::null()).stderr(Stdio::null());
    command.env("CARGO_TARGET_DIR", tree.with_file_name("build"));
    command.env("RUSTFLAGS", "-Awarnings");
    // As tests are built, but quicker to run; what overflows still panics.
    command.env("CARGO_PROFILE_DEV_OPT_LEVEL", "1").env("CARGO_PROFILE_DEV_DEBUG", "false");
    command
}

fn messages(mut command: Command) -> Result<(bool, Vec<Value>), String> {
    let output = command.arg("--message-format=json").output();
    let output = output.map_err(|cause| format!("cannot run cargo: {cause}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let values = text.lines().filter_map(|line| serde_json::from_str(line).ok());
    Ok((output.status.success(), values.collect()))
}

/// What the compiler has against the crates without their tests; nothing if it takes them.
pub(super) fn faults(tree: &Path, crates: &[&str]) -> Result<Vec<Fault>, String> {
    let mut command = cargo(tree);
    // With the parts that are only built when somebody asks for them: tests do.
    command.args(["check", "--lib", "--bins", "--keep-going", "--all-features"]);
    for name in crates {
        command.args(["--package", name]);
    }
    let (success, messages) = messages(command)?;
    let mut faults = Vec::new();
    for message in messages.iter().map(|message| &message["message"]) {
        if message["level"] != "error" {
            continue;
        }
        let spans = message["spans"].as_array().into_iter().flatten();
        let text = message["message"].as_str().unwrap_or_default();
        for span in spans.filter(|span| span["is_primary"] == true) {
            let mut span = span;
            // What a macro was given is where it was given.
            while span["expansion"]["span"].is_object() {
                span = &span["expansion"]["span"];
            }
            faults.push(Fault {
                file: span["file_name"].as_str().unwrap_or_default().to_owned(),
                at: span["byte_start"].as_u64().unwrap_or_default() as usize,
                message: text.to_owned(),
            });
        }
    }
    match success || !faults.is_empty() {
        true => Ok(faults),
        false => Err("the crates do not compile, and the compiler does not say where".to_owned()),
    }
}

/// Builds the tests, all by one command, as crates are built twice for two; `None` if they do not compile.
pub(super) fn build(tree: &Path, tests: &[Tests]) -> Result<Option<Vec<Binary>>, String> {
    let mut command = cargo(tree);
    command.args(["test", "--no-run"]);
    for tests in tests {
        command.args(["--package", tests.of]);
    }
    let targets: BTreeSet<&str> = tests.iter().flat_map(|tests| tests.targets).copied().collect();
    for target in targets {
        match target {
            "lib" => command.arg("--lib"),
            file => command.args(["--test", file]),
        };
    }
    let (success, messages) = messages(command)?;
    if !success {
        return Ok(None);
    }
    let mut binaries = Vec::new();
    for message in messages.iter().filter(|message| message["profile"]["test"] == true) {
        let Some(path) = message["executable"].as_str() else { continue };
        let target = &message["target"];
        let name = match target["kind"][0] == "lib" {
            true => "lib",
            false => target["name"].as_str().unwrap_or_default(),
        };
        let manifest = Path::new(message["manifest_path"].as_str().unwrap_or_default());
        let folder = manifest.with_file_name("");
        // A crate stands in the folder of its name.
        let is_wanted = |tests: &&Tests| {
            let crate_folder = tests.of.strip_prefix("keyaki-").unwrap_or(tests.of);
            folder.ends_with(crate_folder) && tests.targets.contains(&name)
        };
        if let Some(tests) = tests.iter().find(is_wanted) {
            let (path, time) = (path.into(), Duration::ZERO);
            binaries.push(Binary { path, folder, names: tests.names, time });
        }
    }
    Ok(Some(binaries))
}

/// Runs tests with one mutant or, with 0, none, until one fails.
pub(super) fn run(binaries: &[Binary], number: usize) -> Result<Outcome, String> {
    for binary in binaries {
        match run_one(binary, number)?.0 {
            Outcome::Missed => {}
            found => return Ok(found),
        }
    }
    Ok(Outcome::Missed)
}

/// Runs all without a mistake and notes what each takes of the processor, also in a file, for the next run with the same binaries.
pub(super) fn measure(binaries: &mut [Binary], file: &Path) -> Result<(), String> {
    let known = fs::read_to_string(file).unwrap_or_default();
    let mut text = String::new();
    for binary in &mut *binaries {
        let built = fs::metadata(&binary.path).and_then(|data| data.modified());
        let built = built.map_err(|cause| format!("{}: {cause}", binary.path.display()))?;
        let name = format!("{} {built:?} {:?}: ", binary.path.display(), binary.names);
        let before = known.lines().find_map(|line| line.strip_prefix(&name)?.parse().ok());
        binary.time = match before {
            Some(milliseconds) => Duration::from_millis(milliseconds),
            None => {
                binary.time = MAX_TIME;
                let (outcome, time) = run_one(binary, 0)?;
                if outcome != Outcome::Missed {
                    return Err(format!("{} fails without a mutant", binary.path.display()));
                }
                println!("{} takes {time:.1?}", binary.path.display());
                time
            }
        };
        let _ = writeln!(text, "{name}{}", binary.time.as_millis());
    }
    fs::write(file, text).map_err(|cause| format!("cannot write {}: {cause}", file.display()))
}

/// What the tests say, and, if they came to their end, what they took of the processor.
fn run_one(binary: &Binary, number: usize) -> Result<(Outcome, Duration), String> {
    let start = Instant::now();
    let seconds = (binary.time * TIMES).as_secs() + GRACE_SECONDS;
    let script = format!("ulimit -v {MAX_MEMORY_KIB}; ulimit -t {seconds}; exec \"$0\" \"$@\"");
    let mut command = Command::new("sh");
    command.args(["-c", &script]).arg(&binary.path).args(binary.names);
    command.env("KEYAKI_PROPERTY_CASES", N_CASES.to_string());
    command.current_dir(&binary.folder).env(VARIABLE, number.to_string());
    command.env("CARGO_MANIFEST_DIR", &binary.folder).env("RUST_BACKTRACE", "0");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).process_group(0);
    let mut child = command.spawn().map_err(|cause| format!("cannot run tests: {cause}"))?;
    let stdout = child.stdout.take().ok_or("tests have no output")?;
    let (send, receive) = mpsc::channel();
    thread::spawn(move || {
        // A line for each test; that one has failed is enough.
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            if line.starts_with("test ") && line.ends_with("FAILED") {
                let _ = send.send(());
            }
        }
    });
    let limit = (Duration::from_secs(seconds) * CLOCK_TIMES).max(MIN_CLOCK);
    let found = match receive.recv_timeout(limit) {
        Ok(()) => Outcome::Caught,
        Err(mpsc::RecvTimeoutError::Timeout) => Outcome::Timeout,
        // The output has ended, and so have the tests, or soon will have.
        Err(mpsc::RecvTimeoutError::Disconnected) => {
            let time = processor_time(&child).unwrap_or_else(|| start.elapsed());
            let status = child.wait().map_err(|cause| format!("cannot wait: {cause}"))?;
            let found = match (status.success(), status.signal()) {
                (true, _) => Outcome::Missed,
                // SIGXCPU, and SIGKILL a little later.
                (_, Some(24 | 9)) => Outcome::Timeout,
                _ => Outcome::Caught,
            };
            return Ok((found, time));
        }
    };
    end(&mut child);
    Ok((found, start.elapsed()))
}

/// What a child has taken of the processor that has come to its end, or is about to, and was not waited for; `None` where
/// the system does not say.
fn processor_time(child: &Child) -> Option<Duration> {
    for _ in 0..MAX_LOOKS {
        let text = fs::read_to_string(format!("/proc/{}/stat", child.id())).ok()?;
        // The name of the program is in brackets and may have any of them.
        let fields: Vec<&str> = text.rsplit_once(") ")?.1.split(' ').collect();
        if fields.first() == Some(&"Z") {
            let hundredths = |at: usize| fields.get(at)?.parse::<u64>().ok();
            return Some(Duration::from_millis(10 * (hundredths(11)? + hundredths(12)?)));
        }
        thread::sleep(BETWEEN_LOOKS);
    }
    None
}

/// Ends a test binary and what it has started.
fn end(child: &mut Child) {
    let group = format!("-{}", child.id());
    let _ = Command::new("kill").args(["-KILL", "--", &group]).status();
    let _ = child.wait();
}

/// Which mutants the faults are in, by the places of all that are in a file.
pub(super) fn at_fault(
    faults: &[Fault],
    places: &BTreeMap<String, Vec<(usize, std::ops::Range<usize>)>>,
) -> Result<Vec<usize>, String> {
    let mut found = Vec::new();
    for fault in faults {
        let number = places.get(&fault.file).and_then(|places| {
            places.iter().find(|(_, place)| place.contains(&fault.at)).map(|(number, _)| *number)
        });
        match number {
            Some(number) => found.push(number),
            None => return Err(format!("{}: no mutant's fault: {}", fault.file, fault.message)),
        }
    }
    Ok(found)
}
