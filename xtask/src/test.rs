//! Everything that has to pass: `cargo xtask test`, at home and in CI alike.
//!
//! [`STEPS`] are run in order and the first that fails ends the run, so the quick ones come first
//! and the tests, whose result lines should be the last thing on the screen, come last.
//!
//! A machine may lack the solvers or `cargo deny`. In CI (`CI=true` or `REQUIRE_SOLVERS=1`) that is
//! a failure. At home the step says what it skips and how to have it, and the rest is still worth
//! running. A script that only CI runs was rejected: what cannot be run at home is found out late.

use std::env;
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// The solvers, each the name of its program and of its Debian package.
const SOLVERS: [&str; 3] = ["z3", "cvc4", "cvc5"];

/// A check by name, and what it does. An error ends the run.
struct Step {
    name: &'static str,
    run: fn(&Setting) -> Result<Outcome, String>,
}

const STEPS: &[Step] = &[
    Step { name: "solvers", run: solvers },
    Step {
        name: "format",
        run: |_| cargo(&["fmt", "--all", "--check"], &[], "`cargo fmt --all` puts it right"),
    },
    Step { name: "dependencies", run: dependencies },
    Step {
        name: "lints",
        run: |_| {
            let lint =
                ["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"];
            cargo(&lint, &[], "every warning of clippy is an error here")
        },
    },
    Step {
        name: "without the service",
        run: |_| {
            let check = ["check", "-p", "keyaki-cli", "--no-default-features", "--locked"];
            cargo(&check, &[], "what `keyaki serve` needs is behind the feature `serve`")
        },
    },
    Step {
        name: "documentation",
        run: |_| {
            let flags = [("RUSTDOCFLAGS", "-Dwarnings")];
            let document = ["doc", "--workspace", "--no-deps", "--locked"];
            cargo(&document, &flags, "every warning of rustdoc is an error here")
        },
    },
    Step { name: "measurement", run: measurement },
    Step { name: "traces", run: traces },
    Step { name: "clients of AWS", run: aws_clients },
    Step { name: "tests", run: tests },
];

/// What a step came to, unless it failed.
enum Outcome {
    Passed,
    /// It could not be run, for this reason.
    Skipped(String),
}

/// Where we are.
struct Setting {
    /// Whether whatever is missing is a failure.
    in_ci: bool,
}

/// Runs all steps.
pub(crate) fn run(arguments: &[String]) -> Result<(), String> {
    if let Some(argument) = arguments.first() {
        return Err(format!("`test` takes no arguments, not `{argument}`"));
    }
    let is_set = |name| env::var(name).is_ok_and(|value| value == "true" || value == "1");
    let setting = Setting { in_ci: is_set("CI") || is_set("REQUIRE_SOLVERS") };
    let start = Instant::now();
    let mut times = Vec::new();
    let mut skipped = Vec::new();
    for step in STEPS {
        announce(&format!("{} ...", step.name));
        let step_start = Instant::now();
        let outcome = (step.run)(&setting).map_err(|cause| {
            let time = seconds(step_start.elapsed());
            format!("the step `{}` failed after {time}: {cause}", step.name)
        })?;
        let time = seconds(step_start.elapsed());
        if let Outcome::Skipped(reason) = outcome {
            announce(&format!("{}: SKIPPED: {reason}", step.name));
            skipped.push(step.name);
        } else {
            announce(&format!("{}: passed in {time}", step.name));
        }
        times.push(format!("{} {time}", step.name));
    }
    announce(&format!("{} in all ({})", seconds(start.elapsed()), times.join(", ")));
    match skipped.as_slice() {
        [] => announce("everything passed"),
        _ => announce(&format!("everything else passed; SKIPPED: {}", skipped.join(", "))),
    }
    Ok(())
}

/// Sees to it that the solvers are installed.
fn solvers(setting: &Setting) -> Result<Outcome, String> {
    let missing = missing_solvers();
    if missing.is_empty() {
        return Ok(Outcome::Passed);
    }
    let by_hand = format!("apt-get install {}", missing.join(" "));
    println!("{} missing; installing with `{by_hand}`", missing.join(", "));
    if let Err(cause) = install(&missing) {
        println!("{cause}");
    }
    let missing = missing_solvers();
    if missing.is_empty() {
        return Ok(Outcome::Passed);
    }
    let reason = format!("{} missing; install with `{by_hand}`", missing.join(", "));
    if setting.in_ci { Err(reason) } else { Ok(Outcome::Skipped(reason)) }
}

fn missing_solvers() -> Vec<&'static str> {
    SOLVERS.into_iter().filter(|solver| !answers(solver, &["--version"])).collect()
}

/// Installs packages of Debian, if we may.
fn install(packages: &[&str]) -> Result<(), String> {
    let prefix = install_command().ok_or("there is no right to install")?;
    let apt_get = |arguments: &[&str]| {
        let (program, first) = prefix.split_first().expect("one word at least");
        let mut command = Command::new(program);
        command.args(first).args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
        succeeds(&mut command)
    };
    // An update that fails in part may still be good enough.
    if let Err(cause) = apt_get(&["update"]) {
        println!("{cause}");
    }
    apt_get(&[&["install", "--yes", "--no-install-recommends"], packages].concat())
}

/// The words that begin a call of `apt-get` with the right to install, if there is one.
fn install_command() -> Option<Vec<&'static str>> {
    if !answers("apt-get", &["--version"]) {
        return None;
    }
    let user = Command::new("id").arg("-u").output().ok()?;
    if user.stdout.trim_ascii() == b"0" {
        return Some(vec!["apt-get"]);
    }
    answers("sudo", &["-n", "true"]).then(|| vec!["sudo", "-n", "apt-get"])
}

/// Sees to it that the clients of AWS are installed that tests run against `keyaki serve`.
fn aws_clients(setting: &Setting) -> Result<Outcome, String> {
    const WANTED: &str = "crates/keyaki-cli/tests/aws/requirements.txt";
    const PLACE: &str = "target/aws-clients";
    let (wanted, place) = (crate::root().join(WANTED), crate::root().join(PLACE));
    let text = std::fs::read_to_string(&wanted)
        .map_err(|cause| format!("cannot read {WANTED}: {cause}"))?;
    let stamp = place.join("requirements.txt");
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == text) {
        return Ok(Outcome::Passed);
    }
    println!("installing what {WANTED} lists into {PLACE}");
    let environment = || succeeds(Command::new("python3").args(["-m", "venv", PLACE]));
    let installed = || {
        // Debian has `venv` in a package of its own.
        environment().or_else(|_| install(&["python3-venv"]).and_then(|()| environment()))?;
        let pip = place.join("bin/pip");
        succeeds(Command::new(pip).args(["install", "--quiet", "--requirement", WANTED]))
    };
    match installed() {
        Ok(()) => {
            std::fs::write(&stamp, text)
                .map_err(|cause| format!("cannot write {}: {cause}", stamp.display()))?;
            Ok(Outcome::Passed)
        }
        Err(cause) if setting.in_ci => Err(cause),
        Err(cause) => Ok(Outcome::Skipped(cause)),
    }
}

/// Licences, bans and sources of what we depend on.
fn dependencies(setting: &Setting) -> Result<Outcome, String> {
    const INSTALL: [&str; 3] = ["install", "cargo-deny", "--locked"];
    if !answers(&cargo_program(), &["deny", "--version"]) {
        let by_hand = format!("cargo {}", INSTALL.join(" "));
        if !setting.in_ci {
            return Ok(Outcome::Skipped(format!("no cargo-deny; install with `{by_hand}`")));
        }
        println!("no cargo-deny; installing with `{by_hand}`");
        cargo(&INSTALL, &[], "cargo-deny cannot be installed")?;
    }
    let check = ["deny", "--log-level", "error", "check", "licenses", "bans", "sources"];
    cargo(&check, &[], "deny.toml says what a dependency may be")
}

/// What `keyaki serve` has with the feature `opentelemetry`, which no other step has: its lints, and the tests that are about traces. The rest of the
/// program is the same, and its tests are not run twice.
fn traces(_: &Setting) -> Result<Outcome, String> {
    let feature = "keyaki-cli/opentelemetry";
    let of_packages =
        ["-p", "keyaki-server", "-p", "keyaki-cli", "--locked", "--features", feature];
    let lint = [&["clippy", "--all-targets"], &of_packages[..], &["--", "-D", "warnings"]].concat();
    cargo(&lint, &[], "every warning of clippy is an error here")?;
    let test = [&["test", "--lib", "--test", "it"], &of_packages[..], &["telemetry"]].concat();
    cargo(&test, &[], "the names of the failed tests are above")
}

/// The small suite, made anew, whose hash has to be the one that is checked in, and a sample of it put to two solvers and to ours: no
/// answer may be another than what is known.
fn measurement(_: &Setting) -> Result<Outcome, String> {
    /// How many queries are drawn, more or less.
    const SAMPLE: &str = "60";
    let missing = missing_solvers();
    if !missing.is_empty() {
        return Ok(Outcome::Skipped(format!("{} missing", missing.join(", "))));
    }
    let hint = "crates/bench/README.md tells what is measured";
    let record = crate::root().join("target/suites/small.csv");
    drop(std::fs::remove_file(&record));
    cargo(&["build", "--locked", "-p", "keyaki-cli", "-p", "keyaki-bench"], &[], hint)?;
    crate::suite::run(&["--small", "--dev", "--check"].map(str::to_owned))?;
    let bench = |words: &[&str]| {
        let mut command = Command::new(crate::root().join("target/debug/keyaki-bench"));
        command.args(words);
        succeeds(&mut command)
    };
    let solvers = "benchmarks/solvers-small.toml";
    let (suite, record) = ("target/suites/small", "target/suites/small.csv");
    let measure = ["measure", "--suite", suite, "--solvers", solvers, "--record", record];
    bench(&[&measure[..], &["--sample", SAMPLE]].concat())?;
    bench(&["check", record, "--suite", suite])?;
    Ok(Outcome::Passed)
}

/// All tests, with no solver missing from them if all are there.
fn tests(_: &Setting) -> Result<Outcome, String> {
    let complete = missing_solvers().is_empty();
    let variables: &[(&str, &str)] = if complete { &[("REQUIRE_SOLVERS", "1")] } else { &[] };
    let test = ["test", "--workspace", "--locked", "--no-fail-fast"];
    cargo(&test, variables, "the names of the failed tests are above")
}

fn cargo(arguments: &[&str], variables: &[(&str, &str)], hint: &str) -> Result<Outcome, String> {
    let mut command = Command::new(cargo_program());
    command.args(arguments).envs(variables.iter().copied());
    succeeds(&mut command).map_err(|cause| format!("{cause}\nhint: {hint}"))?;
    Ok(Outcome::Passed)
}

/// The cargo that runs us, or the one on `PATH`.
fn cargo_program() -> String {
    env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned())
}

/// Runs a command in the root of the repository, with our output.
fn succeeds(command: &mut Command) -> Result<(), String> {
    let words: Vec<_> = std::iter::once(command.get_program()).chain(command.get_args()).collect();
    let shown = words.iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ");
    let status = command
        .current_dir(crate::root())
        .stdin(Stdio::null())
        .status()
        .map_err(|cause| format!("`{shown}` does not start: {cause}"))?;
    if status.success() { Ok(()) } else { Err(format!("`{shown}` ended with {status}")) }
}

/// Whether a command starts and ends well, without a word.
fn answers(program: &str, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

fn announce(text: &str) {
    println!("== {text}");
    // Our lines have to come before those of the commands that follow.
    drop(std::io::stdout().flush());
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}
