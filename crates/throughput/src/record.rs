//! Raw numbers as files, and what machine and versions they are of.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// Programs whose versions matter beside our own, as batch asks them where the embedded solver gives up.
const PROGRAMS: [&str; 6] = ["rustc", "z3", "cvc4", "cvc5", "valgrind", "uname"];

/// Writes files, by name, into a folder.
///
/// # Errors
///
/// The system's words.
pub fn write(folder: &Path, files: &[(String, String)]) -> Result<(), String> {
    fs::create_dir_all(folder).map_err(|error| format!("`{}`: {error}", folder.display()))?;
    files.iter().try_for_each(|(name, text)| {
        let path = folder.join(name);
        fs::write(&path, text)
            .map_err(|error| format!("cannot write `{}`: {error}", path.display()))
    })
}

/// The processor, how many of it, and how busy they are.
pub fn machine() -> String {
    let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let models: Vec<&str> = cpus
        .lines()
        .filter_map(|line| line.strip_prefix("model name")?.split(": ").nth(1))
        .collect();
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let model = models.first().unwrap_or(&"unknown processor");
    format!("{} x {model}; load average {}\n", models.len(), load.trim())
}

/// The commit, whether the working copy differs from it, and the versions of what is beside us.
pub fn versions() -> String {
    let commit = first_line("git", &["rev-parse", "HEAD"]);
    let changed = first_line("git", &["status", "--porcelain"]).is_some();
    let mut text = format!(
        "commit {}{}\n",
        commit.as_deref().unwrap_or("unknown"),
        if changed { ", with changes" } else { "" }
    );
    for program in PROGRAMS {
        let argument = if program == "uname" { "-sr" } else { "--version" };
        let version = first_line(program, &[argument]);
        text += &format!("{program}: {}\n", version.as_deref().unwrap_or("not there"));
    }
    text + &format!("serde_json: {}\n", locked_version("serde_json"))
}

/// Today's date as `YYYY-MM-DD`.
pub fn date() -> String {
    first_line("date", &["+%F"]).unwrap_or_else(|| "undated".to_owned())
}

fn first_line(program: &str, arguments: &[&str]) -> Option<String> {
    let mut command = Command::new(program);
    let output =
        command.args(arguments).stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines().next().map(str::to_owned)
}

/// The version of a package that we are built with.
fn locked_version(name: &str) -> &'static str {
    const LOCK: &str = include_str!("../../../Cargo.lock");
    let package = LOCK
        .split("[[package]]")
        .find(|package| package.trim_start().lines().next() == Some(&format!("name = \"{name}\"")));
    let version = package.and_then(|package| {
        package.lines().find_map(|line| line.strip_prefix("version = \"")?.strip_suffix('"'))
    });
    version.unwrap_or("unknown")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_packages_are_those_locked() {
        assert!(locked_version("serde_json").starts_with("1."));
        assert_eq!(locked_version("no-such-package"), "unknown");
    }
}
