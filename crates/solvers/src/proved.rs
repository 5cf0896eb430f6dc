//! A solver whose `unsat` counts only with a proof that a program of somebody else accepts.
//!
//! The solver is asked for a proof beside its answer, in whatever format the checker reads; nothing of it is looked at here. The checker gets the
//! script as a file and the proof as its input, and has to see to it that the proof assumes nothing else. Whether it does is tried each time: of the
//! same script without assertions it must not accept the proof. Ethos 0.2.3 does see to it (`--reference`), but not if the proof is named on its
//! command line. Who believes the answer believes the checker, the rules that it is given, and the script.

use std::fs::{self, DirBuilder};
use std::io;
use std::ops::ControlFlow;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use keyaki_logic::smtlib::{self, Encoding};
use keyaki_logic::{Answer, Cancel, Formula, Limits, Outcome, Reason, Solver, SolverError};

use crate::checked::Checked;
use crate::child::{self, Finished, Job, Listener, Program, Stop};
use crate::config::{Definition, ProofChecker};
use crate::process::{self, Process};

/// The longest proof that is kept, in bytes. One of a query about two policies with variables has 0.4 MB.
const PROOF_BYTES_MAX: usize = 256 << 20;

/// How much of what a checker says is kept, in bytes.
const WORDS_BYTES_MAX: usize = 64 << 10;

/// What a checker says, on a line of its own, of a proof that is one.
const ACCEPTED: &str = "correct";

/// What stands for the file of the script in the arguments of a checker.
const SCRIPT: &str = "{script}";

/// The solver of a definition, except that its `unsat` is `unknown` unless its proof is accepted. It is asked for one only then: proofs take time.
#[derive(Clone, Debug)]
pub struct Proved {
    solver: Checked<Process>,
    checker: ProofChecker,
}

impl Proved {
    /// The solver, if its definition says how its proofs are checked.
    pub fn new(definition: Definition) -> Option<Proved> {
        let checker = definition.proof_checker.clone()?;
        Some(Proved { solver: Checked::new(Process::new(definition)), checker })
    }

    fn definition(&self) -> &Definition {
        self.solver.inner().definition()
    }

    /// Who checks.
    pub fn checker(&self) -> &str {
        &self.checker.command
    }

    /// The answer to a formula that the solver says to have no model.
    fn prove(
        &self,
        formula: &Formula,
        limits: &Limits,
        cancel: &Cancel,
    ) -> Result<Outcome, SolverError> {
        let unknown = |reason| Ok(Outcome::Unknown(reason));
        let Ok(script) = smtlib::pieces(formula, self.definition().dialect, Encoding::Separate)
        else {
            return unknown(Reason::Unsupported);
        };
        // A checker knows of assertions and not of models.
        let script: Arc<str> = ["(set-logic ALL)\n", &script.body, "(check-sat)\n"].concat().into();
        let own = self.definition().memory_bytes.unwrap_or(u64::MAX);
        let run = |command: &str, arguments: &[String], input, listener| {
            let memory_bytes = limits.memory_bytes.min(own);
            let program = Program { command, arguments, memory_bytes, deadline: limits.deadline };
            child::run(&Job { program, input }, listener, cancel)
        };
        let (command, arguments) = (&self.definition().command, &self.checker.solver_arguments);
        let said = run(command, arguments, Arc::clone(&script), Text::new(PROOF_BYTES_MAX))?;
        let output = match ended(said) {
            Ok((_, output)) => output,
            Err(reason) => return unknown(reason),
        };
        let Some(proof) = proof(&output) else { return unknown(Reason::SolverGaveUp) };
        let failed =
            |cause: io::Error| SolverError::System(format!("cannot keep a proof: {cause}"));
        let folder = Folder::new().map_err(failed)?;
        let path = folder.0.join("script.smt2");
        let name = path.to_string_lossy();
        let arguments: Vec<String> =
            self.checker.arguments.iter().map(|word| word.replace(SCRIPT, &name)).collect();
        let proof: Arc<str> = proof.into();
        let accepts = |script: &str| -> Result<Result<bool, Reason>, SolverError> {
            fs::write(&path, script).map_err(failed)?;
            let words = Text::new(WORDS_BYTES_MAX);
            let said = run(&self.checker.command, &arguments, Arc::clone(&proof), words)?;
            Ok(ended(said)
                .map(|(well, words)| well && words.lines().any(|line| line.trim() == ACCEPTED)))
        };
        let asserts = |line: &&str| line.starts_with("(assert ");
        let nothing: String = script.split_inclusive('\n').filter(|line| !asserts(line)).collect();
        Ok(match (accepts(&script)?, accepts(&nothing)?) {
            (Ok(true), Ok(false)) => Outcome::Unsat,
            (Ok(_), Ok(_)) => Outcome::Unknown(Reason::SolverGaveUp),
            (Err(reason), _) | (_, Err(reason)) => Outcome::Unknown(reason),
        })
    }
}

impl Solver for Proved {
    fn name(&self) -> &str {
        self.solver.name()
    }

    fn solve(
        &self,
        formula: &Formula,
        limits: &Limits,
        cancel: &Cancel,
    ) -> Result<Answer, SolverError> {
        let start = Instant::now();
        let answer = self.solver.solve(formula, limits, cancel)?;
        if answer.outcome != Outcome::Unsat {
            return Ok(answer);
        }
        let outcome = self.prove(formula, limits, cancel)?;
        Ok(process::answer(self.name(), outcome, start.elapsed(), None))
    }
}

/// Whether a run that ended by itself ended well, and what it said; else why it was ended.
fn ended(finished: Finished<Text>) -> Result<(bool, String), Reason> {
    match (finished.stop, finished.listener) {
        (Stop::Deadline, _) => Err(Reason::Timeout),
        (Stop::Cancelled, _) => Err(Reason::Cancelled),
        (Stop::Enough, _) | (_, None) => Err(Reason::SolverGaveUp),
        (Stop::Ended, Some(text)) => {
            let words = String::from_utf8(text.bytes).map_err(|_| Reason::SolverGaveUp)?;
            Ok((finished.status.success(), words))
        }
    }
}

/// What comes after `unsat`, without the parentheses around all of it.
fn proof(output: &str) -> Option<&str> {
    let rest = output.trim().strip_prefix("unsat")?.trim();
    rest.strip_prefix('(')?.strip_suffix(')')
}

/// Keeps what is said, up to a limit.
struct Text {
    bytes: Vec<u8>,
    limit: usize,
}

impl Text {
    fn new(limit: usize) -> Text {
        Text { bytes: Vec::new(), limit }
    }
}

impl Listener for Text {
    fn hear(&mut self, bytes: &[u8]) -> ControlFlow<()> {
        if self.bytes.len() + bytes.len() > self.limit {
            return ControlFlow::Break(());
        }
        self.bytes.extend_from_slice(bytes);
        ControlFlow::Continue(())
    }
}

/// A folder of our own that goes away with this.
struct Folder(PathBuf);

impl Folder {
    fn new() -> io::Result<Folder> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path =
            std::env::temp_dir().join(format!("keyaki-proof-{}-{number}", std::process::id()));
        // Somebody else's folder of this name is an error.
        DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Folder(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(Path::new(&self.0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proof_is_what_stands_between_the_outer_parentheses() {
        assert_eq!(proof("unsat\n(\n(step a)\n(step b)\n)\n"), Some("\n(step a)\n(step b)\n"));
        assert_eq!(proof("unsat\n"), None);
        assert_eq!(proof("sat\n(model)"), None);
        assert_eq!(proof(""), None);
    }
}
