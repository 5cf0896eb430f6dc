//! Solvers as commands, described in TOML.
//!
//! A solver is what a command line says it is: no code here knows one by name, ours neither, so the method cannot
//! favour it. Two versions of one program are two entries. Everything that may change an answer or a time is
//! part of the *setup*, whose hash is on every row of a record; what only `explain` uses is not.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::{Deserialize, Serialize};

use crate::hash::hex_of;
use crate::supervise::{Limits, Task};

/// What stands for the path of the script in `arguments`.
const FILE: &str = "{file}";

/// What stands for further arguments, such as options that are tried; without it they come first.
const OPTIONS: &str = "{options}";

/// What stands for the folder of the file that describes the solvers, in `command` and `arguments`.
const HERE: &str = "{here}";

/// Limits as they are written. What is not given is taken from the file's own `[limits]`, then from the default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitsText {
    /// Wall time, in milliseconds.
    pub wall_ms: Option<u64>,
    /// Processor time of each process, in seconds.
    pub cpu_s: Option<u64>,
    /// Memory, in mebibytes.
    pub memory_mib: Option<u64>,
    /// Standard output, in kibibytes.
    pub output_kib: Option<u64>,
    /// Files, in mebibytes.
    pub disk_mib: Option<u64>,
}

/// The limit of the talk, in milliseconds: what takes longer is lost.
const WALL_MS: u64 = 30_000;

/// Memory of a solver, in mebibytes.
const MEMORY_MIB: u64 = 4096;

/// Standard output of a solver, in kibibytes: an answer is a word, a model some lines.
const OUTPUT_KIB: u64 = 1024;

/// Files of a solver, in mebibytes.
const DISK_MIB: u64 = 64;

impl LimitsText {
    fn or(self, other: LimitsText) -> LimitsText {
        LimitsText {
            wall_ms: self.wall_ms.or(other.wall_ms),
            cpu_s: self.cpu_s.or(other.cpu_s),
            memory_mib: self.memory_mib.or(other.memory_mib),
            output_kib: self.output_kib.or(other.output_kib),
            disk_mib: self.disk_mib.or(other.disk_mib),
        }
    }

    /// The limits, with defaults for what is not given. The processor may be used a little longer than the wall
    /// time by default, by each of two threads.
    pub fn limits(self) -> Limits {
        let wall_ms = self.wall_ms.unwrap_or(WALL_MS).max(1);
        let of_wall = wall_ms.div_ceil(1000).saturating_mul(2).saturating_add(1);
        Limits {
            wall_ns: wall_ms.saturating_mul(1_000_000),
            cpu_s: self.cpu_s.unwrap_or(of_wall).max(1),
            memory_bytes: self.memory_mib.unwrap_or(MEMORY_MIB).saturating_mul(1 << 20),
            output_bytes: self.output_kib.unwrap_or(OUTPUT_KIB).saturating_mul(1 << 10),
            disk_bytes: self.disk_mib.unwrap_or(DISK_MIB).saturating_mul(1 << 20),
        }
    }
}

/// An entry of the file.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// What records and reports call it.
    pub name: String,
    /// A program on `PATH`, or a path.
    pub command: String,
    /// How it is called; `{file}` is the script, which comes as standard input if no argument has it.
    #[serde(default)]
    pub arguments: Vec<String>,
    /// How it is asked for its version: the arguments. The first number with dots in its output is taken.
    #[serde(default = "version_arguments")]
    pub version: Vec<String>,
    /// The dialects of scripts that it reads, the best first.
    #[serde(default = "dialects")]
    pub dialects: Vec<String>,
    /// Whose work it is. Two of one family that agree are one opinion.
    #[serde(default)]
    pub family: Option<String>,
    /// Exit statuses with which it ends well.
    #[serde(default = "success")]
    pub success: Vec<i32>,
    /// Variables of its environment.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// Its own limits.
    #[serde(default)]
    pub limits: LimitsText,
    /// Arguments with which it tells what it did.
    #[serde(default)]
    pub statistics: Vec<String>,
    /// Options that `explain` tries, each a list of arguments.
    #[serde(default)]
    pub options: Vec<Vec<String>>,
    /// The hash of what is written above that may change an answer or a time, and not of where the file is.
    #[serde(skip)]
    pub setup: String,
}

fn version_arguments() -> Vec<String> {
    vec!["--version".to_owned()]
}

fn dialects() -> Vec<String> {
    vec!["smtlib-2.6".to_owned()]
}

fn success() -> Vec<i32> {
    vec![0]
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    limits: LimitsText,
    #[serde(default)]
    solver: Vec<Definition>,
}

/// A solver that is there, with its version.
#[derive(Clone, Debug)]
pub struct Solver {
    /// Its entry, with all limits filled in.
    pub definition: Definition,
    /// The program.
    pub program: PathBuf,
    /// Its version, as it says.
    pub version: String,
    /// A hash of everything in the entry that may change an answer or a time, eight digits.
    pub setup: String,
}

/// How many solvers a file may have. Each is a column of every table.
const SOLVERS_MAX: usize = 64;

/// The entries of a file.
///
/// # Errors
///
/// It cannot be read, or is not what it should be.
pub fn read(path: &Path) -> Result<Vec<Definition>, String> {
    let text = fs::read_to_string(path)
        .map_err(|error| format!("cannot read `{}`: {error}", path.display()))?;
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let folder = folder.canonicalize().map_err(|error| format!("`{}`: {error}", path.display()))?;
    parse(&text, &folder).map_err(|error| format!("`{}`: {error}", path.display()))
}

/// The entries of a text; `{here}` is `folder` in it.
///
/// # Errors
///
/// It is not what it should be.
pub fn parse(text: &str, folder: &Path) -> Result<Vec<Definition>, String> {
    let file: File = toml::from_str(text).map_err(|error| error.to_string())?;
    if file.solver.len() > SOLVERS_MAX {
        return Err(format!("{} solvers, at most {SOLVERS_MAX}", file.solver.len()));
    }
    let here = folder.display().to_string();
    let mut names: Vec<&str> = file.solver.iter().map(|solver| solver.name.as_str()).collect();
    names.sort_unstable();
    if let Some(twice) = names.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(format!("two solvers are called `{}`", twice[0]));
    }
    for name in names {
        let is_fine = |c: char| c.is_ascii_alphanumeric() || "-_.+".contains(c);
        if name.is_empty() || !name.chars().all(is_fine) {
            return Err(format!("`{name}` is no name of a solver\nhint: letters, digits, `-_.+`"));
        }
    }
    let mut solvers = file.solver;
    for solver in &mut solvers {
        solver.limits = solver.limits.or(file.limits);
        solver.setup = setup_of(solver);
        let words = std::iter::once(&mut solver.command)
            .chain(&mut solver.arguments)
            .chain(&mut solver.version)
            .chain(solver.environment.values_mut());
        for word in words {
            *word = expand(word, &here);
        }
    }
    Ok(solvers)
}

/// A word with `{here}` and a `~/` at its beginning replaced.
fn expand(word: &str, here: &str) -> String {
    let word = word.replace(HERE, here);
    match (word.strip_prefix("~/"), std::env::var("HOME")) {
        (Some(rest), Ok(home)) => format!("{home}/{rest}"),
        _ => word,
    }
}

/// What of these solvers is there, and why the others are not.
pub fn find(definitions: Vec<Definition>) -> (Vec<Solver>, Vec<String>) {
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    for definition in definitions {
        let name = definition.name.clone();
        match Solver::new(definition) {
            Ok(solver) => found.push(solver),
            Err(cause) => missing.push(format!("{name}: {cause}")),
        }
    }
    (found, missing)
}

impl Solver {
    fn new(definition: Definition) -> Result<Solver, String> {
        let program = locate(&definition.command)
            .ok_or_else(|| format!("there is no program `{}`", definition.command))?;
        let said = Command::new(&program)
            .args(&definition.version)
            .envs(&definition.environment)
            .stdin(Stdio::null())
            .output()
            .map_err(|error| format!("`{}` does not start: {error}", program.display()))?;
        let said = [said.stdout, said.stderr].concat();
        let version = version_in(&String::from_utf8_lossy(&said))
            .ok_or_else(|| format!("`{}` does not say its version", program.display()))?;
        let setup = definition.setup.clone();
        Ok(Solver { definition, program, version, setup })
    }

    /// Its name and version.
    pub fn label(&self) -> String {
        format!("{}@{}", self.definition.name, self.version)
    }

    /// What it takes to put `script` to it, with more arguments if there are any.
    pub fn task(&self, script: &Path, folder: &Path, more: &[String]) -> Task {
        let path = script.display().to_string();
        let has_file = self.definition.arguments.iter().any(|word| word.contains(FILE));
        let mut environment: BTreeMap<String, String> =
            [("LC_ALL", "C.UTF-8"), ("HOME", &*folder.display().to_string())]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into();
        environment.insert("TMPDIR".to_owned(), folder.display().to_string());
        if let Ok(path) = std::env::var("PATH") {
            environment.insert("PATH".to_owned(), path);
        }
        environment.extend(self.definition.environment.clone());
        Task {
            program: self.program.clone(),
            arguments: self.arguments(&path, more),
            input: (!has_file).then(|| script.to_owned()),
            folder: folder.to_owned(),
            environment,
            limits: self.definition.limits.limits(),
        }
    }

    /// Its arguments with the path of a script, and more of them.
    fn arguments(&self, script: &str, more: &[String]) -> Vec<String> {
        let given = &self.definition.arguments;
        let mut arguments = match given.iter().any(|word| word == OPTIONS) {
            true => Vec::new(),
            false => more.to_vec(),
        };
        for word in given {
            match word == OPTIONS {
                true => arguments.extend_from_slice(more),
                false => arguments.push(word.replace(FILE, script)),
            }
        }
        arguments
    }

    /// The words that ask it about a script, for a shell.
    pub fn command_line(&self, script: &str) -> String {
        let quoted = |word: &str| match word
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-_./=+:,@".contains(c))
        {
            true => word.to_owned(),
            false => format!("'{}'", word.replace('\'', r"'\''")),
        };
        let mut words = vec![quoted(&self.definition.command)];
        words.extend(self.arguments(script, &[]).iter().map(|word| quoted(word)));
        if !self.definition.arguments.iter().any(|word| word.contains(FILE)) {
            words.push(format!("< {}", quoted(script)));
        }
        words.join(" ")
    }
}

/// The hash of what may change an answer or a time.
fn setup_of(definition: &Definition) -> String {
    let Definition { command, arguments, dialects, success, environment, limits, .. } = definition;
    let text = format!(
        "{command:?}{arguments:?}{dialects:?}{success:?}{environment:?}{:?}",
        limits.limits()
    );
    hex_of(text.as_bytes())[..8].to_owned()
}

/// The first number with a dot in it, with what belongs to it.
fn version_in(text: &str) -> Option<String> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "._-+".contains(c);
    let starts = |word: &&str| word.starts_with(|c: char| c.is_ascii_digit()) && word.contains('.');
    let word =
        text.split(|c: char| !is_part(c)).map(|word| word.trim_start_matches('v')).find(starts)?;
    Some(word.trim_end_matches(['.', '-', '+']).to_owned())
}

/// The program of that name on `PATH`, or at that path.
fn locate(command: &str) -> Option<PathBuf> {
    if command.contains('/') {
        // Not without its links: the Python of an environment finds that by the link it is started by.
        return std::path::absolute(command).ok().filter(|path| path.is_file());
    }
    let folders = std::env::var_os("PATH")?;
    std::env::split_paths(&folders).map(|folder| folder.join(command)).find(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_the_first_number_with_dots() {
        let version = |text| version_in(text).unwrap_or_default();
        assert_eq!(version("Z3 version 4.8.12 - 64 bit"), "4.8.12");
        assert_eq!(version("This is cvc5 version 1.0.3 [git tag 1.0.3 branch HEAD]"), "1.0.3");
        assert_eq!(version("tool v2.0-rc1."), "2.0-rc1");
        assert_eq!(version("no version 7"), "");
    }

    #[test]
    fn limits_are_those_of_the_solver_then_of_the_file_then_the_default() {
        let text = "[limits]\nwall_ms = 500\nmemory_mib = 7\n[[solver]]\nname = \"a\"\ncommand = \"a\"\n\
                    limits = { memory_mib = 9 }\n";
        let limits = parse(text, Path::new("/")).unwrap()[0].limits.limits();
        assert_eq!((limits.wall_ns, limits.memory_bytes), (500_000_000, 9 << 20));
        assert_eq!((limits.cpu_s, limits.disk_bytes), (3, DISK_MIB << 20));
    }

    #[test]
    fn what_only_explains_does_not_change_the_setup() {
        let setup = |more: &str| {
            let text = format!("[[solver]]\nname = \"a\"\ncommand = \"a\"\n{more}");
            parse(&text, Path::new("/")).unwrap().remove(0).setup
        };
        assert_eq!(setup(""), setup("statistics = [\"--stats\"]\noptions = [[\"-x\"]]\n"));
        assert_ne!(setup(""), setup("arguments = [\"-x\"]\n"));
    }

    #[test]
    fn a_mistake_in_the_file_is_told() {
        let error = |text| parse(text, Path::new("/")).unwrap_err();
        assert!(error("[[solver]]\nname = \"a\"\ncommand = \"a\"\nargs = []\n").contains("args"));
        let two = "[[solver]]\nname = \"a\"\ncommand = \"a\"\n".repeat(2);
        assert_eq!(error(&two), "two solvers are called `a`");
        assert!(error("[[solver]]\nname = \"a b\"\ncommand = \"a\"\n").contains("no name"));
    }
}
