//! Which solvers there are and how to call them: TOML, merged over a built-in file.
//!
//! A solver is data, never code: adding one, or another version of one, is an entry in a file.
//! Entries merge by name and field by field, so that a file of three lines can disable a solver or
//! change one argument list. Whatever is not understood is an error with its place; a misspelt
//! field must not silently leave the default in force.

use std::collections::HashSet;
use std::fs::File;
use std::io::Read;
use std::ops::Range;
use std::path::Path;

use keyaki_logic::smtlib::Dialect;
use serde::Deserialize;
use toml::Spanned;

use crate::automaton::Automaton;

/// The built-in configuration.
const BUILTIN: &str = include_str!("solvers.toml");

/// The length of a configuration file, in bytes. Ours has two kilobytes.
const CONFIG_BYTES_MAX: u64 = 1 << 20;

/// How many solvers a configuration may have. Each is a thread and a process in every query.
const SOLVERS_MAX: usize = 64;

/// The length of a solver's name, in bytes. It becomes a part of file names.
const NAME_BYTES_MAX: usize = 64;

/// The least memory that a solver may be confined to, in bytes. Below, not even the program itself
/// can be loaded.
const MEMORY_BYTES_MIN: u64 = 64 << 20;

/// The solvers, in the order of their first mention.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Whether the embedded solver, [`Automaton`], is asked unless solvers are named. It has no
    /// command, so this is all there is to say of it.
    pub automaton: bool,
    /// Every solver, whether enabled or not. Names are distinct.
    pub solvers: Vec<Definition>,
}

/// How to call one solver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    /// What reports call it.
    pub name: String,
    /// A program on `PATH`, or a path.
    pub command: String,
    /// Its arguments. The script comes on standard input.
    pub arguments: Vec<String>,
    /// The arguments that make it tell its version.
    pub version_arguments: Vec<String>,
    /// What it reads.
    pub dialect: Dialect,
    /// An upper bound on its address space in bytes, beside the caller's.
    pub memory_bytes: Option<u64>,
    /// How it forgets a query, if one process of it may answer several; see
    /// [`Persistent`](crate::Persistent).
    pub persistent: Option<Forget>,
    /// Arguments that it gets beside the others in such a process.
    pub persistent_arguments: Vec<String>,
    /// Who checks its proofs, if somebody does; see [`Proved`](crate::Proved).
    pub proof_checker: Option<ProofChecker>,
    /// Whether it is asked unless it is named.
    pub enabled: bool,
}

/// A program that checks proofs of a solver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProofChecker {
    /// The arguments of the solver that make it write a proof after `unsat`.
    pub solver_arguments: Vec<String>,
    /// The checker, a program on `PATH` or a path.
    pub command: String,
    /// Its arguments, in which `{script}` stands for a file. The proof comes on its standard input.
    pub arguments: Vec<String>,
}

/// How a process that answers several queries forgets one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forget {
    /// A query stands between `(push 1)` and `(pop 1)`. The solver keeps what it has set up, and must
    /// be one that solves incrementally.
    Pop,
    /// After a query comes `(reset)`, which leaves nothing.
    Reset,
}

/// What is wrong with a configuration, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read `{file}`: {cause}")]
    Unreadable {
        /// The file.
        file: String,
        /// The system's words.
        cause: String,
    },
    /// The text is not a configuration.
    #[error("{file}:{line}:{column}: {message}")]
    Invalid {
        /// The file.
        file: String,
        /// The line, from 1.
        line: usize,
        /// The column, from 1, in characters.
        column: usize,
        /// What is wrong.
        message: String,
    },
}

impl Config {
    /// The solvers that are known without a file: z3, cvc4 and cvc5.
    pub fn builtin() -> Config {
        let mut config = Config { automaton: true, solvers: Vec::new() };
        config.merge("solvers.toml", BUILTIN).expect("a test reads the built-in configuration");
        config
    }

    /// The built-in configuration with the file at `path` merged over it.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if the file cannot be read or is not a configuration.
    pub fn load(path: &Path) -> Result<Config, ConfigError> {
        let file = path.display().to_string();
        let unreadable = |cause: std::io::Error| ConfigError::Unreadable {
            file: file.clone(),
            cause: cause.to_string(),
        };
        let mut text = String::new();
        let handle = File::open(path).map_err(unreadable)?;
        handle.take(CONFIG_BYTES_MAX + 1).read_to_string(&mut text).map_err(unreadable)?;
        let mut config = Config::builtin();
        config.merge(&file, &text)?;
        Ok(config)
    }

    /// Merges the configuration `text` over this one: fields that it gives replace those of the
    /// solver with that name, and new names add solvers. `file` is for messages. On an error,
    /// nothing changes.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Invalid`] at the first thing that is wrong.
    pub fn merge(&mut self, file: &str, text: &str) -> Result<(), ConfigError> {
        let merged = self.merged(text).map_err(|Problem { message, span }| {
            let (line, column) = line_and_column(text, span.start);
            ConfigError::Invalid { file: file.to_owned(), line, column, message }
        })?;
        *self = merged;
        Ok(())
    }

    /// The solver called `name`.
    pub fn get(&self, name: &str) -> Option<&Definition> {
        self.solvers.iter().find(|solver| solver.name == name)
    }

    /// The solvers that are asked unless somebody chooses.
    pub fn enabled(&self) -> impl Iterator<Item = &Definition> {
        self.solvers.iter().filter(|solver| solver.enabled)
    }

    fn merged(&self, text: &str) -> Result<Config, Problem> {
        if text.len() as u64 > CONFIG_BYTES_MAX {
            return Err(problem(0..0, format!("the file is longer than {CONFIG_BYTES_MAX} bytes")));
        }
        let entries: Entries = toml::from_str(text).map_err(|error| {
            problem(error.span().unwrap_or(0..0), error.message().trim_end().replace('\n', ", "))
        })?;
        let mut config = self.clone();
        let mut seen = HashSet::new();
        for entry in entries.solver {
            check_name(&entry.name)?;
            if !seen.insert(entry.name.get_ref().clone()) {
                let message = format!("solver `{}` is defined twice", entry.name.get_ref());
                return Err(problem(entry.name.span(), message));
            }
            if entry.name.get_ref() == Automaton::NAME {
                config.automaton = entry.read_embedded()?.unwrap_or(config.automaton);
                continue;
            }
            match config.solvers.iter_mut().find(|known| known.name == *entry.name.get_ref()) {
                Some(known) => entry.override_in(known)?,
                None => config.solvers.push(entry.into_definition()?),
            }
            if config.solvers.len() > SOLVERS_MAX {
                return Err(problem(0..0, format!("more than {SOLVERS_MAX} solvers")));
            }
        }
        Ok(config)
    }
}

struct Problem {
    span: Range<usize>,
    message: String,
}

fn problem(span: Range<usize>, message: impl Into<String>) -> Problem {
    Problem { span, message: message.into() }
}

/// A configuration file as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entries {
    #[serde(default)]
    solver: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: Spanned<String>,
    command: Option<Spanned<String>>,
    arguments: Option<Vec<Spanned<String>>>,
    version_arguments: Option<Vec<Spanned<String>>>,
    dialect: Option<Spanned<String>>,
    memory_bytes: Option<Spanned<i64>>,
    persistent: Option<Spanned<String>>,
    persistent_arguments: Option<Vec<Spanned<String>>>,
    proof_arguments: Option<Vec<Spanned<String>>>,
    proof_checker: Option<Spanned<Vec<Spanned<String>>>>,
    enabled: Option<bool>,
}

impl Entry {
    /// Whether the entry of the embedded solver enables it, if it says so.
    fn read_embedded(&self) -> Result<Option<bool>, Problem> {
        let has_more = self.command.is_some()
            || self.arguments.is_some()
            || self.version_arguments.is_some()
            || self.dialect.is_some()
            || self.memory_bytes.is_some()
            || self.persistent.is_some()
            || self.persistent_arguments.is_some()
            || self.proof_arguments.is_some()
            || self.proof_checker.is_some();
        if has_more {
            let message =
                format!("`{}` is embedded and has no field but `enabled`", Automaton::NAME);
            return Err(problem(self.name.span(), message));
        }
        Ok(self.enabled)
    }

    fn into_definition(self) -> Result<Definition, Problem> {
        let missing = |field: &str| {
            let message = format!("solver `{}` has no `{field}`", self.name.get_ref());
            problem(self.name.span(), message)
        };
        if self.command.is_none() {
            return Err(missing("command"));
        }
        let Some(dialect) = &self.dialect else { return Err(missing("dialect")) };
        let mut definition = Definition {
            name: self.name.get_ref().clone(),
            command: String::new(),
            arguments: Vec::new(),
            version_arguments: vec!["--version".to_owned()],
            dialect: read_dialect(dialect)?,
            memory_bytes: None,
            persistent: None,
            persistent_arguments: Vec::new(),
            proof_checker: None,
            enabled: true,
        };
        self.override_in(&mut definition)?;
        Ok(definition)
    }

    fn override_in(self, definition: &mut Definition) -> Result<(), Problem> {
        if let Some(command) = self.command {
            if command.get_ref().is_empty() {
                return Err(problem(command.span(), "`command` is empty"));
            }
            definition.command = read_word(command)?;
        }
        if let Some(arguments) = self.arguments {
            definition.arguments =
                arguments.into_iter().map(read_word).collect::<Result<_, _>>()?;
        }
        if let Some(arguments) = self.version_arguments {
            definition.version_arguments =
                arguments.into_iter().map(read_word).collect::<Result<_, _>>()?;
        }
        if let Some(dialect) = self.dialect {
            definition.dialect = read_dialect(&dialect)?;
        }
        if let Some(memory) = self.memory_bytes {
            let bytes = u64::try_from(*memory.get_ref()).unwrap_or(0);
            if bytes < MEMORY_BYTES_MIN {
                let message = format!("`memory_bytes` is below {MEMORY_BYTES_MIN}");
                return Err(problem(memory.span(), message));
            }
            definition.memory_bytes = Some(bytes);
        }
        if let Some(persistent) = self.persistent {
            definition.persistent = read_forget(&persistent)?;
        }
        if let Some(arguments) = self.persistent_arguments {
            definition.persistent_arguments =
                arguments.into_iter().map(read_word).collect::<Result<_, _>>()?;
        }
        if let Some(checker) = self.proof_checker {
            let span = checker.span();
            let mut checker: Vec<String> =
                Result::from_iter(checker.into_inner().into_iter().map(read_word))?;
            if checker.is_empty() {
                return Err(problem(span, "`proof_checker` has no command"));
            }
            if !checker.iter().any(|word| word.contains("{script}")) {
                return Err(problem(span, "no argument of `proof_checker` has `{script}`"));
            }
            let known = definition.proof_checker.take();
            definition.proof_checker = Some(ProofChecker {
                solver_arguments: known.map(|known| known.solver_arguments).unwrap_or_default(),
                command: checker.remove(0),
                arguments: checker,
            });
        }
        if let Some(arguments) = self.proof_arguments {
            let Some(checker) = &mut definition.proof_checker else {
                let message = "`proof_arguments` without `proof_checker`";
                return Err(problem(self.name.span(), message));
            };
            checker.solver_arguments = Result::from_iter(arguments.into_iter().map(read_word))?;
        }
        definition.enabled = self.enabled.unwrap_or(definition.enabled);
        Ok(())
    }
}

/// Names go into file names, into lists separated by commas, and onto the command line.
fn check_name(name: &Spanned<String>) -> Result<(), Problem> {
    let text = name.get_ref();
    let starts_well = text.starts_with(|c: char| c.is_ascii_alphanumeric());
    let harmless = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if starts_well && text.chars().all(harmless) && text.len() <= NAME_BYTES_MAX {
        return Ok(());
    }
    let message = format!(
        "`{}` is not a solver's name: letters, digits, `-`, `_` and `.`, at most {NAME_BYTES_MAX}",
        text.escape_debug()
    );
    Err(problem(name.span(), message))
}

/// A word of a command line. The system cannot pass on a NUL.
fn read_word(word: Spanned<String>) -> Result<String, Problem> {
    if word.get_ref().contains('\0') {
        return Err(problem(word.span(), "a NUL character cannot be passed to a program"));
    }
    Ok(word.into_inner())
}

fn read_dialect(dialect: &Spanned<String>) -> Result<Dialect, Problem> {
    let name = dialect.get_ref();
    Dialect::by_name(name).ok_or_else(|| {
        let message =
            format!("unknown dialect `{}`, expected `smtlib-2.6` or `cvc4`", name.escape_debug());
        problem(dialect.span(), message)
    })
}

fn read_forget(forget: &Spanned<String>) -> Result<Option<Forget>, Problem> {
    match forget.get_ref().as_str() {
        "no" => Ok(None),
        "pop" => Ok(Some(Forget::Pop)),
        "reset" => Ok(Some(Forget::Reset)),
        other => {
            let other = other.escape_debug();
            let message = format!("`{other}` is not `no`, `pop` or `reset`");
            Err(problem(forget.span(), message))
        }
    }
}

fn line_and_column(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
    (line, column)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_rejects(text: &str, expected: &str) {
        let mut config = Config::builtin();
        let error = config.merge("my.toml", text).unwrap_err();
        assert_eq!(error.to_string(), expected);
        assert_eq!(config, Config::builtin(), "an error changes nothing");
    }

    #[test]
    fn the_built_in_solvers_are_z3_cvc4_and_cvc5() {
        let config = Config::builtin();
        let names: Vec<&str> = config.enabled().map(|solver| solver.name.as_str()).collect();
        assert_eq!(names, ["z3", "cvc4", "cvc5"]);
        let z3 = config.get("z3").unwrap();
        assert_eq!(z3.dialect, Dialect::Standard);
        assert_eq!(z3.version_arguments, ["--version"]);
        assert_eq!(config.get("cvc4").unwrap().dialect, Dialect::Cvc4);
    }

    #[test]
    fn the_portfolio_is_the_one_that_was_learnt() {
        let learnt: toml::Table = toml::from_str(include_str!("portfolio.toml")).unwrap();
        let grace = learnt["grace_ms"].as_integer().unwrap();
        assert_eq!(i128::from(grace), crate::GRACE.as_millis().cast_signed());
        assert_eq!(learnt["first"].as_str(), Some(Automaton::NAME));
        let then = learnt["then"].as_array().unwrap();
        let config = Config::builtin();
        for solver in config.enabled().filter(|solver| solver.name != "z3") {
            assert!(then.iter().any(|name| name.as_str() == Some(&solver.name)), "{}", solver.name);
        }
    }

    #[test]
    fn a_file_overrides_only_what_it_gives() {
        let mut config = Config::builtin();
        config.merge("my.toml", "[[solver]]\nname = \"z3\"\nenabled = false").unwrap();
        let expected =
            Definition { enabled: false, ..Config::builtin().get("z3").unwrap().clone() };
        assert_eq!(config.get("z3"), Some(&expected));
        assert_eq!(config.solvers[1..], Config::builtin().solvers[1..]);
    }

    #[test]
    fn the_embedded_solver_can_be_disabled_and_nothing_else() {
        let mut config = Config::builtin();
        assert!(config.automaton);
        config.merge("my.toml", "[[solver]]\nname = \"automaton\"\nenabled = false").unwrap();
        assert_eq!(config, Config { automaton: false, ..Config::builtin() });
        check_rejects(
            "[[solver]]\nname = \"automaton\"\ncommand = \"z3\"",
            "my.toml:2:8: `automaton` is embedded and has no field but `enabled`",
        );
    }

    #[test]
    fn a_new_name_adds_a_solver() {
        let mut config = Config::builtin();
        let text = r#"
            [[solver]]
            name = "z3-new"
            command = "/opt/z3/bin/z3"
            arguments = ["-in"]
            version_arguments = ["-version"]
            dialect = "smtlib-2.6"
            memory_bytes = 1_000_000_000
            persistent = "reset"
            persistent_arguments = ["smt.random_seed=1"]
            proof_arguments = ["--proof"]
            proof_checker = ["checks", "{script}"]
        "#;
        config.merge("my.toml", text).unwrap();
        let expected = Definition {
            name: "z3-new".to_owned(),
            command: "/opt/z3/bin/z3".to_owned(),
            arguments: vec!["-in".to_owned()],
            version_arguments: vec!["-version".to_owned()],
            dialect: Dialect::Standard,
            memory_bytes: Some(1_000_000_000),
            persistent: Some(Forget::Reset),
            persistent_arguments: vec!["smt.random_seed=1".to_owned()],
            proof_checker: Some(ProofChecker {
                solver_arguments: vec!["--proof".to_owned()],
                command: "checks".to_owned(),
                arguments: vec!["{script}".to_owned()],
            }),
            enabled: true,
        };
        assert_eq!(config.solvers.last(), Some(&expected));
        assert_eq!(config.solvers.len(), 4);
    }

    #[test]
    fn an_empty_file_changes_nothing() {
        let mut config = Config::builtin();
        config.merge("my.toml", "# nothing\n").unwrap();
        assert_eq!(config, Config::builtin());
    }

    #[test]
    fn mistakes_are_errors_with_their_place() {
        check_rejects(
            "[[solver]]\nname = \"z3\"\npersistent = \"push\"",
            "my.toml:3:14: `push` is not `no`, `pop` or `reset`",
        );
        check_rejects(
            "[[solver]]\nname = \"z3\"\nargs = []",
            "my.toml:3:1: unknown field `args`, expected one of `name`, `command`, `arguments`, `version_arguments`, `dialect`, `memory_bytes`, `persistent`, `persistent_arguments`, `proof_arguments`, `proof_checker`, `enabled`",
        );
        check_rejects(
            "[[solvers]]\nname = \"z3\"",
            "my.toml:1:3: unknown field `solvers`, expected `solver`",
        );
        check_rejects(
            "[[solver]]\nname = \"z3\"\narguments = \"-in\"",
            "my.toml:3:13: invalid type: string \"-in\", expected a sequence",
        );
        check_rejects(
            "[[solver]]\nname = \"z3\"\n\n  dialect = \"smtlib\"",
            "my.toml:4:13: unknown dialect `smtlib`, expected `smtlib-2.6` or `cvc4`",
        );
        check_rejects(
            "[[solver]]\nname = \"new\"\ndialect = \"cvc4\"",
            "my.toml:2:8: solver `new` has no `command`",
        );
        check_rejects(
            "[[solver]]\nname = \"new\"\ncommand = \"x\"",
            "my.toml:2:8: solver `new` has no `dialect`",
        );
        check_rejects("[[solver]]\ncommand = \"x\"", "my.toml:1:1: missing field `name`");
        check_rejects(
            "[[solver]]\nname = \"../x\"",
            "my.toml:2:8: `../x` is not a solver's name: letters, digits, `-`, `_` and `.`, at most 64",
        );
        check_rejects(
            "[[solver]]\nname = \"a\"\n[[solver]\nname = \"b\"",
            "my.toml:3:10: unclosed array table, expected `]`",
        );
        check_rejects(
            "[[solver]]\nname = \"z3\"\n[[solver]]\nname = \"z3\"",
            "my.toml:4:8: solver `z3` is defined twice",
        );
        check_rejects(
            "[[solver]]\nname = \"z3\"\nmemory_bytes = 1000",
            "my.toml:3:16: `memory_bytes` is below 67108864",
        );
        check_rejects(
            "[[solver]]\nname = \"z3\"\nmemory_bytes = -1",
            "my.toml:3:16: `memory_bytes` is below 67108864",
        );
        check_rejects(
            "[[solver]]\nname = \"z3\"\ncommand = \"\"",
            "my.toml:3:11: `command` is empty",
        );
        check_rejects(
            "[[solver]]\nname = \"z3\"\nproof_checker = [\"checks\"]",
            "my.toml:3:17: no argument of `proof_checker` has `{script}`",
        );
        check_rejects(
            "[[solver]]\nname = \"z3\"\nproof_arguments = []",
            "my.toml:2:8: `proof_arguments` without `proof_checker`",
        );
        check_rejects(
            "[[solver]]\nname = \"z3\"\narguments = [\"-in\", \"a\\u0000\"]",
            "my.toml:3:21: a NUL character cannot be passed to a program",
        );
    }
}
