//! Who is asked, in which encoding, and how a kept process forgets.
//!
//! What is best for each solver was measured, by `--variants all`: docs/automata.md has the numbers.

use std::path::Path;
use std::time::{Duration, Instant};

use keyaki_logic::smtlib::{Encoding, Script, pieces};
use keyaki_logic::{Cancel, Formula, Limits, Reason, smtlib};
use keyaki_solvers::{
    Config, Definition, Forget, Persistent, Process, RawAnswer, ScriptSolver, Status, find,
};

use crate::options::Options;

/// An external solver, kept running and started anew.
pub(crate) struct Contestant {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) encoding: Encoding,
    kept: Persistent,
    once: Process,
}

/// What came of one question to a solver.
#[derive(Clone, Debug)]
pub(crate) struct Tried {
    pub(crate) answer: Answered,
    pub(crate) wall: Duration,
}

/// An answer in a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answered {
    Sat,
    Unsat,
    Timeout,
    /// It gave up, or cannot be told.
    Unknown,
    /// It broke, as it says.
    Error(String),
}

impl Answered {
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Answered::Sat => "sat",
            Answered::Unsat => "unsat",
            Answered::Timeout => "timeout",
            Answered::Unknown => "unknown",
            Answered::Error(_) => "error",
        }
    }

    pub(crate) fn is_definite(&self) -> bool {
        matches!(self, Answered::Sat | Answered::Unsat)
    }
}

/// How a solver is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum How {
    /// By a process that is running.
    Kept,
    /// By a process that is started for it.
    Once,
}

impl How {
    pub(crate) const ALL: [How; 2] = [How::Kept, How::Once];

    pub(crate) fn name(self) -> &'static str {
        match self {
            How::Kept => "warm",
            How::Once => "one-shot",
        }
    }
}

/// The solvers that are there; those that are not are told of.
pub(crate) fn all(options: &Options) -> Vec<Contestant> {
    let mut config = Config::builtin();
    let mut text = String::new();
    if let Some(current) = &options.current {
        text = current_solvers(current, &options.benchmarks);
    } else {
        eprintln!(
            "SKIPPED: a current z3 and a current cvc5: no --current DIR; see benchmarks/README.md"
        );
    }
    if let Err(error) = config.merge("current", &text) {
        eprintln!("SKIPPED: a current z3 and a current cvc5: {error}");
    }
    let mut contestants = Vec::new();
    for found in find(&config) {
        let name = &found.definition.name;
        if found.status != Status::Works {
            eprintln!("SKIPPED: {name}: {:?}", found.status);
            continue;
        }
        let version = found.version.unwrap_or_default();
        let best = [best(name)];
        let variants = if options.all_variants { &VARIANTS[..] } else { &best };
        for &(encoding, forget) in variants {
            contestants.push(Contestant::new(&found.definition, &version, encoding, forget));
        }
    }
    contestants
}

const VARIANTS: [(Encoding, Forget); 4] = [
    (Encoding::Separate, Forget::Pop),
    (Encoding::Separate, Forget::Reset),
    (Encoding::Merged, Forget::Pop),
    (Encoding::Merged, Forget::Reset),
];

/// What was measured to be best for the solver.
fn best(name: &str) -> (Encoding, Forget) {
    match name {
        "z3" | "z3-current" => (Encoding::Merged, Forget::Pop),
        _ => (Encoding::Separate, Forget::Pop),
    }
}

/// Entries for a Python environment with the packages `z3-solver` and `cvc5`.
fn current_solvers(environment: &Path, benchmarks: &Path) -> String {
    let word = |path: &Path| format!("{:?}", path.display().to_string());
    let bin = environment.join("bin");
    let (z3, python) = (word(&bin.join("z3")), word(&bin.join("python")));
    let shim = word(&benchmarks.join("cvc5-file.py"));
    format!(
        "[[solver]]\nname = \"z3-current\"\ncommand = {z3}\narguments = [\"-in\", \"-smt2\"]\n\
         dialect = \"smtlib-2.6\"\n\
         [[solver]]\nname = \"cvc5-current\"\ncommand = {python}\narguments = [{shim}]\n\
         version_arguments = [{shim}, \"--version\"]\ndialect = \"smtlib-2.6\"\n"
    )
}

impl Contestant {
    fn new(
        definition: &Definition,
        version: &str,
        encoding: Encoding,
        forget: Forget,
    ) -> Contestant {
        let is_cvc = ["cvc4", "cvc5"].contains(&definition.name.as_str());
        // The script solves incrementally anyway when it is not given a file.
        let incremental = is_cvc && forget == Forget::Pop;
        let definition = Definition {
            persistent: Some(forget),
            persistent_arguments: incremental
                .then(|| "--incremental".to_owned())
                .into_iter()
                .collect(),
            ..definition.clone()
        };
        Contestant {
            name: definition.name.clone(),
            version: version.to_owned(),
            encoding,
            once: Process::new(definition.clone()),
            kept: Persistent::new(definition).expect("it says how it forgets"),
        }
    }

    /// Its name and the variant.
    pub(crate) fn label(&self) -> String {
        let encoding = match self.encoding {
            Encoding::Separate => "separate",
            Encoding::Merged => "merged",
        };
        let forget = match self.kept.definition().persistent {
            Some(Forget::Reset) => "reset",
            _ => "pop",
        };
        format!("{} {encoding} {forget}", self.name)
    }

    /// The script of a formula, if the solver can be told.
    pub(crate) fn script(&self, formula: &Formula) -> Option<Script> {
        pieces(formula, self.kept.definition().dialect, self.encoding).ok()
    }

    /// Asks, and checks the model if there is one.
    pub(crate) fn ask(&self, how: How, formula: &Formula, script: &Script, cap: Duration) -> Tried {
        let whole = script.whole();
        let start = Instant::now();
        let limits = Limits::within(cap);
        let answer = match how {
            How::Kept => self.kept.ask(script, &limits, &Cancel::new()),
            How::Once => self.once.run_script(&whole, &limits, &Cancel::new()),
        };
        let wall = start.elapsed();
        let answer = match answer {
            Ok(RawAnswer::Unsat) => Answered::Unsat,
            Ok(RawAnswer::Unknown(Reason::Timeout)) => Answered::Timeout,
            Ok(RawAnswer::Unknown(_)) => Answered::Unknown,
            Ok(RawAnswer::Sat(response)) => checked(formula, &response),
            Err(error) => Answered::Error(error.to_string()),
        };
        if how == How::Kept && !answer.is_definite() {
            self.warm_up();
        }
        Tried { answer, wall }
    }

    /// Has a process running that has answered once, so that no start is measured.
    pub(crate) fn warm_up(&self) {
        let script = Script {
            options: smtlib::OPTIONS.to_owned(),
            body: "(declare-const |x| String)\n(assert (str.in_re |x| (str.to_re \"a\")))\n"
                .to_owned(),
            get_values: "(get-value (|x|))\n".to_owned(),
        };
        let limits = Limits::within(Duration::from_secs(10));
        // Whoever does not answer this is seen to break on the queries.
        let _ = self.kept.ask(&script, &limits, &Cancel::new());
    }
}

fn checked(formula: &Formula, response: &str) -> Answered {
    match smtlib::read_model(formula, response) {
        Err(error) => Answered::Error(error),
        Ok(model) => match keyaki_logic::eval::holds(formula, &model) {
            Ok(true) => Answered::Sat,
            Ok(false) => Answered::Error("a model that is none".to_owned()),
            Err(error) => Answered::Error(error),
        },
    }
}
