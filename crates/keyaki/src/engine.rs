//! Solvers put together, ready to be asked.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use keyaki_analysis::certify::{Refuted, certify, certify_encoded};
use keyaki_analysis::encode::Encoding;
use keyaki_analysis::explain::{Excluded, explain};
use keyaki_analysis::findings::{Findings, Wanted, findings};
use keyaki_analysis::{Error, Options, Question, Report, check};
use keyaki_logic::{Cancel, Limits, Solver, SolverError};
use keyaki_solvers::{
    Automaton, Cached, Checked, Config, Definition, Mode, OutcomeCache, Persistent, Portfolio,
    Process, Proved, RawAnswer, ScriptSolver, Scripted, locate,
};

use crate::audit::{Noted, Queries, Record};
use crate::decisions::Decisions;
use crate::script::{self, ScriptError, Solved};

/// What answers questions. One engine serves many questions, from many threads.
pub struct Engine {
    automaton: bool,
    definitions: Vec<Definition>,
    options: EngineOptions,
    solver: Box<dyn Solver>,
}

/// How an engine goes about its questions.
#[derive(Clone, Debug, Default)]
pub struct EngineOptions {
    /// Names of the solvers to ask; all that are enabled and found if empty. The embedded one is
    /// asked first, whatever the order.
    pub solvers: Vec<String>,
    /// Directory to keep every script in.
    pub save_scripts_to: Option<PathBuf>,
    /// Whether all solvers run to the end on the unsimplified formulas, and have to agree.
    pub audit: bool,
    /// The share of questions that are audited although not all are, from 0 to 1.
    pub audit_share: f64,
    /// One in so many answers that `cover` alone has given is put to the embedded solver before it is told; none if 0.
    pub recheck_every: u32,
    /// Which ones these are, together with their policies.
    pub recheck_seed: u64,
    /// Directory to keep what goes wrong in an audit.
    pub incidents: Option<PathBuf>,
    /// Where outcomes of formulas are kept, if they are. An audit takes none from there, nor does who keeps scripts.
    pub cache: Option<Arc<OutcomeCache>>,
}

/// Why there is no engine.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    /// A solver was asked for that the configuration does not have.
    #[error("unknown solver `{name}`; configured are {}", .known.join(", "))]
    UnknownSolver {
        /// The name asked for.
        name: String,
        /// The names there are.
        known: Vec<String>,
    },
    /// No solver is there to be asked.
    #[error("no solver is installed: looked for {}", .0.join(", "))]
    NoSolver(Vec<String>),
}

impl Engine {
    /// An engine of the configured solvers that are installed, or of those that the options name,
    /// installed or not: asking a missing one is reported as what it is.
    ///
    /// # Errors
    ///
    /// [`EngineError`] if there is nobody to ask.
    pub fn new(config: &Config, options: EngineOptions) -> Result<Engine, EngineError> {
        let names = || config.solvers.iter().map(|solver| solver.name.clone()).collect();
        let chosen = |name: &&String| *name != Automaton::NAME;
        let automaton = if options.solvers.is_empty() {
            config.automaton
        } else {
            !options.solvers.iter().all(|name| chosen(&name))
        };
        let definitions: Vec<Definition> = if options.solvers.is_empty() {
            config.enabled().filter(|solver| locate(&solver.command).is_some()).cloned().collect()
        } else {
            let find = |name: &String| {
                config.get(name).cloned().ok_or_else(|| EngineError::UnknownSolver {
                    name: name.clone(),
                    known: [vec![Automaton::NAME.to_owned()], names()].concat(),
                })
            };
            options.solvers.iter().filter(chosen).map(find).collect::<Result<_, _>>()?
        };
        if definitions.is_empty() && !automaton {
            return Err(EngineError::NoSolver(names()));
        }
        let embedded = automaton.then(|| -> Box<dyn Solver> { Box::new(Automaton) });
        let external = external(&definitions, &options);
        let mode = mode(&options, automaton);
        let portfolio = Portfolio::new(mode, embedded.into_iter().chain(external).collect());
        let solver = cached(portfolio, names_of(automaton, &definitions), &options);
        Ok(Engine { automaton, definitions, options, solver })
    }

    /// An engine of the embedded solver alone: it starts no process and looks for none. Questions about how strings relate to one
    /// another may be `unknown` to it.
    pub fn embedded() -> Engine {
        let options = EngineOptions::default();
        let embedded: Box<dyn Solver> = Box::new(Automaton);
        let portfolio = Portfolio::new(mode(&options, true), vec![embedded]);
        Engine { automaton: true, definitions: Vec::new(), options, solver: Box::new(portfolio) }
    }

    /// An engine of the solvers known without configuration that are installed.
    ///
    /// # Errors
    ///
    /// [`EngineError::NoSolver`] if none is.
    pub fn with_installed_solvers() -> Result<Engine, EngineError> {
        Engine::new(&Config::builtin(), EngineOptions::default())
    }

    /// Names of the solvers that are asked.
    pub fn solvers(&self) -> impl Iterator<Item = &str> {
        names_of(self.automaton, &self.definitions)
    }

    /// Answers a question within the default limits.
    ///
    /// # Errors
    ///
    /// See [`check()`].
    pub fn check(&self, question: &Question) -> Result<Report, Error> {
        self.check_within(question, &Decisions::default(), Limits::DEFAULT_TIMEOUT, &Cancel::new())
    }

    /// Answers a question within `timeout`. What is not among the decisions is asked under both
    /// readings.
    ///
    /// # Errors
    ///
    /// See [`check()`].
    pub fn check_within(
        &self,
        question: &Question,
        decisions: &Decisions,
        timeout: Duration,
        cancel: &Cancel,
    ) -> Result<Report, Error> {
        self.check_with_table(question, decisions, false, timeout, cancel)
    }

    /// The same; what the texts of the policies tell is written down for a certificate if that is wanted.
    pub(crate) fn check_with_table(
        &self,
        question: &Question,
        decisions: &Decisions,
        table: bool,
        timeout: Duration,
        cancel: &Cancel,
    ) -> Result<Report, Error> {
        let options = Options { table, ..self.options_of(decisions, self.options.audit) };
        check(question, &*self.solver, options, &Limits::within(timeout), cancel)
    }

    /// Asks the external solvers but for one that has answered. `None` if there is no other, or if it was said whom
    /// to ask.
    pub(crate) fn second_opinion(
        &self,
        first: &str,
        question: &Question,
        decisions: &Decisions,
        timeout: Duration,
        cancel: &Cancel,
    ) -> Option<Result<Report, Error>> {
        if !self.is_free() || !self.definitions.iter().any(|other| other.name == first) {
            return None;
        }
        let others: Vec<Definition> =
            self.definitions.iter().filter(|other| other.name != first).cloned().collect();
        let members: Vec<Box<dyn Solver>> = external(&others, &self.options).collect();
        if members.is_empty() {
            return None;
        }
        let options = Options { candidates: false, ..self.options_of(decisions, false) };
        let portfolio: Portfolio = Portfolio::new(Mode::Race, members);
        Some(check(question, &portfolio, options, &Limits::within(timeout), cancel))
    }

    /// Asks an external solver once more, for a proof that another program checks, and who has checked it. `None` if nobody does, or is not there.
    pub(crate) fn proved(
        &self,
        solver: &str,
        question: &Question,
        decisions: &Decisions,
        timeout: Duration,
        cancel: &Cancel,
    ) -> Option<(String, Result<Report, Error>)> {
        let definition = self.definitions.iter().find(|known| known.name == solver)?;
        let proved = Proved::new(definition.clone())?;
        locate(proved.checker())?;
        let checker = proved.checker().to_owned();
        let options = Options { candidates: false, ..self.options_of(decisions, false) };
        Some((checker, check(question, &proved, options, &Limits::within(timeout), cancel)))
    }

    /// Whether nobody has said whom to ask, nor wants to see what is asked.
    pub(crate) fn is_free(&self) -> bool {
        let EngineOptions { solvers, save_scripts_to, audit, .. } = &self.options;
        solvers.is_empty() && save_scripts_to.is_none() && !audit
    }

    /// What comes of asking a portfolio of which all members run to the end, in the way of an audit. What they say is noted.
    pub(crate) fn audited<T>(
        &self,
        decisions: &Decisions,
        record: &Record,
        ask: impl FnOnce(&dyn Solver, Options) -> T,
    ) -> T {
        let mut members: Vec<Box<dyn Solver + '_>> = Vec::new();
        if self.automaton {
            members.push(Box::new(Noted { record, solver: Automaton }));
        }
        for process in processes(&self.definitions, &self.options) {
            members.push(Box::new(Checked::new(Noted { record, solver: process })));
        }
        let solver = Queries { record, portfolio: Portfolio::new(Mode::All, members) };
        ask(&solver, self.options_of(decisions, true))
    }

    /// Whether the answer about policies with these texts is audited. The same texts are, or are not.
    pub(crate) fn audits<'t>(&self, texts: impl Iterator<Item = &'t str>) -> bool {
        let EngineOptions { audit, audit_share, .. } = self.options;
        audit || (audit_share > 0.0 && place(0, texts) < audit_share)
    }

    /// The same of what `cover` says of them, which is to be put to the embedded solver.
    pub(crate) fn rechecks<'t>(&self, texts: impl Iterator<Item = &'t str>) -> bool {
        let EngineOptions { recheck_every, recheck_seed, .. } = self.options;
        // The other seed is that of audits.
        let seed = recheck_seed.wrapping_add(1);
        recheck_every > 0 && self.is_free() && place(seed, texts) < 1.0 / f64::from(recheck_every)
    }

    /// Where what goes wrong in an audit is kept.
    pub(crate) fn incidents(&self) -> Option<&Path> {
        self.options.incidents.as_deref()
    }

    /// The external solvers that are asked.
    pub(crate) fn definitions(&self) -> &[Definition] {
        &self.definitions
    }

    /// Lists who breaks a property, within `timeout`.
    ///
    /// # Errors
    ///
    /// See [`check()`].
    pub fn findings_within(
        &self,
        question: &Question,
        wanted: Wanted,
        decisions: &Decisions,
        timeout: Duration,
        cancel: &Cancel,
    ) -> Result<Findings, Error> {
        let options = self.options_of(decisions, self.options.audit);
        findings(question, wanted, &*self.solver, &options, &Limits::within(timeout), cancel)
    }

    /// How questions are gone about.
    fn options_of(&self, decisions: &Decisions, audit: bool) -> Options {
        // Whoever audits, names solvers or keeps scripts wants to see what solvers say.
        let EngineOptions { solvers, save_scripts_to, .. } = &self.options;
        let candidates = !audit && solvers.is_empty() && save_scripts_to.is_none();
        Options {
            simplify: !audit,
            candidates,
            decisions: decisions.decided().clone(),
            ..Options::default()
        }
    }

    /// Why each way to break a property that holds is none, as far as the embedded solver can tell
    /// within `timeout`, whoever else may have answered.
    ///
    /// # Errors
    ///
    /// [`SolverError`] if it broke.
    pub fn explain(
        question: &Question,
        decisions: &Decisions,
        timeout: Duration,
        cancel: &Cancel,
    ) -> Result<Vec<Excluded>, SolverError> {
        let options = Options { decisions: decisions.decided().clone(), ..Options::default() };
        explain(question, &Automaton, &options, &Limits::within(timeout), cancel)
    }

    /// Every way to break a property that holds, with the proof that it is none, by the embedded solver, whoever else
    /// may have answered; `None` if there is no such proof, or not within `timeout`.
    ///
    /// # Errors
    ///
    /// [`SolverError`] if it broke.
    pub fn certify(
        question: &Question,
        decisions: &Decisions,
        timeout: Duration,
        cancel: &Cancel,
    ) -> Result<Option<Vec<Refuted>>, SolverError> {
        let options = Options { decisions: decisions.decided().clone(), ..Options::default() };
        certify(question, &Automaton, &options, &Limits::within(timeout), cancel)
    }

    /// The same of a question that is encoded.
    ///
    /// # Errors
    ///
    /// [`SolverError`] if it broke.
    pub(crate) fn certify_encoded(
        encoding: &Encoding,
        timeout: Duration,
        cancel: &Cancel,
    ) -> Result<Option<Vec<Refuted>>, SolverError> {
        certify_encoded(encoding, &Automaton, &Limits::within(timeout), cancel)
    }

    /// What comes of asking the embedded solver alone, about formulas and not about texts. What it says is noted.
    pub(crate) fn embedded_on_formulas<T>(
        decisions: &Decisions,
        record: &Record,
        ask: impl FnOnce(&dyn Solver, Options) -> T,
    ) -> T {
        let decisions = decisions.decided().clone();
        let options = Options { candidates: false, decisions, ..Options::default() };
        let members = vec![Box::new(Noted { record, solver: Automaton })];
        ask(&Queries { record, portfolio: Portfolio::new(Mode::All, members) }, options)
    }

    /// Answers an SMT-LIB script with one `(check-sat)`.
    ///
    /// # Errors
    ///
    /// [`ScriptError`] if it is no such script, if it says the opposite of itself, if every solver
    /// broke or if two contradicted each other.
    pub fn solve_script(
        &self,
        text: &str,
        timeout: Duration,
        cancel: &Cancel,
    ) -> Result<Solved, ScriptError> {
        let limits = Limits::within(timeout);
        let script = script::read(text)?;
        let embedded =
            self.automaton.then(|| -> Box<dyn ScriptSolver + '_> { Box::new(Scripted(&script)) });
        let external = processes(&self.definitions, &self.options)
            .map(|process| -> Box<dyn ScriptSolver + '_> { Box::new(process) });
        let members = embedded.into_iter().chain(external).collect();
        let portfolio = Portfolio::new(mode(&self.options, self.automaton), members);
        let answer = portfolio.solve_script(text, &limits, cancel);
        script::solved(&script, answer.map_err(ScriptError::Solver)?)
    }
}

/// The external solvers, each with its models checked. The processes of one whose definition says how they forget are
/// kept from query to query, except in an audit, which trusts nobody to forget, and where scripts are kept.
fn external<'d>(
    definitions: &'d [Definition],
    options: &'d EngineOptions,
) -> impl Iterator<Item = Box<dyn Solver>> + 'd {
    let may_keep = !options.audit && options.save_scripts_to.is_none();
    let one_shot = processes(definitions, options);
    definitions.iter().zip(one_shot).map(move |(definition, process)| {
        let kept = may_keep.then(|| Persistent::new(definition.clone())).flatten();
        let solver: Box<dyn Solver> = match kept {
            Some(kept) => Box::new(Checked::new(kept)),
            None => Box::new(Checked::new(process)),
        };
        solver
    })
}

/// A number from 0 to 1 that hangs on the texts and a seed.
fn place<'t>(seed: u64, texts: impl Iterator<Item = &'t str>) -> f64 {
    // FNV-1a, whose upper bits are even enough.
    let step = |state: u64, byte: u8| (state ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
    let start = seed.to_le_bytes().into_iter().filter(|_| seed > 0);
    let hash = start.chain(texts.flat_map(str::bytes)).fold(0xcbf2_9ce4_8422_2325, step);
    (hash >> 40) as f64 / f64::from(1 << 24)
}

fn names_of(automaton: bool, definitions: &[Definition]) -> impl Iterator<Item = &str> {
    let embedded = automaton.then_some(Automaton::NAME);
    embedded.into_iter().chain(definitions.iter().map(|d| d.name.as_str()))
}

/// The portfolio of the solvers of these names, with the cache that the options have, if it may be used.
fn cached<'n>(
    portfolio: Portfolio,
    names: impl Iterator<Item = &'n str>,
    options: &EngineOptions,
) -> Box<dyn Solver> {
    match &options.cache {
        Some(cache) if !options.audit && options.save_scripts_to.is_none() => {
            let context = names.collect::<Vec<_>>().join(",");
            Box::new(Cached::new(portfolio, Arc::clone(cache), &context))
        }
        _ => Box::new(portfolio),
    }
}

/// How members are asked.
fn mode(options: &EngineOptions, automaton: bool) -> Mode {
    match (options.audit, automaton) {
        (true, _) => Mode::All,
        (false, true) => Mode::Hedged,
        (false, false) => Mode::Race,
    }
}

fn processes(definitions: &[Definition], options: &EngineOptions) -> impl Iterator<Item = Process> {
    definitions.iter().map(|definition| {
        let process = Process::new(definition.clone());
        match &options.save_scripts_to {
            Some(directory) => process.save_scripts_to(directory),
            None => process,
        }
    })
}

/// The word that SMT-LIB has for an answer.
pub fn word(answer: &RawAnswer) -> &'static str {
    match answer {
        RawAnswer::Sat(_) => "sat",
        RawAnswer::Unsat => "unsat",
        RawAnswer::Unknown(_) => "unknown",
    }
}
