//! What each command does.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use keyaki::access;
use keyaki::decisions::Decisions;
use keyaki::evaluation::Evaluation;
use keyaki::job::{Document, Inquiry, Setting, engines};
use keyaki::policies;
use keyaki::policy::AccessPattern;
use keyaki::question::{PolicyRef, Side};
use keyaki::script::ScriptError;
use keyaki::smtlib::{self, Dialect};
use keyaki::solvers::{Config, RawAnswer, Status, embedded, find};
use keyaki::wire::{ErrorRecord, JobResult, QuestionName, VerdictName};
use keyaki::zone::Zone;
use keyaki::{Cancel, Engine, EngineOptions, PolicyType, encode as encoder, engine, trust, wire};

use crate::arguments::{
    Asked, Check, Encode, Evaluate, PolicyTypeArgument, Reading, SideArgument, Solve, Solvers,
    Solving, Trust,
};
use crate::{input, render};

mod batch;
mod bucket;
mod findings;
mod property;
#[cfg(feature = "serve")]
mod serve;
mod validate;
mod who_can;

pub(crate) use batch::batch;
pub(crate) use bucket::bucket;
pub(crate) use findings::findings;
pub(crate) use property::properties;
#[cfg(feature = "serve")]
pub(crate) use serve::serve;
pub(crate) use validate::validate;
pub(crate) use who_can::who_can;

/// How a command ended, as an exit status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// The property holds, or the command did what it is for.
    Success = 0,
    /// The property fails.
    Fails = 1,
    /// Bad input or usage, or a fault of ours.
    Error = 2,
    /// Undecided.
    Unknown = 3,
}

impl Exit {
    /// What a verdict comes to, and none: there was an error then.
    fn of(verdict: Option<VerdictName>) -> Exit {
        match verdict {
            Some(VerdictName::Holds) => Exit::Success,
            Some(VerdictName::Fails) => Exit::Fails,
            Some(VerdictName::Unknown) => Exit::Unknown,
            None => Exit::Error,
        }
    }

    /// The same of a list of rows, where what was not found out of one of them, or beside them, is worse than what was.
    fn of_rows(result: &JobResult) -> Exit {
        let is_covered =
            result.coverage.as_ref().is_some_and(|coverage| coverage.verdict == VerdictName::Holds);
        let is_open = !is_covered || render::rows(result).any(|row| row.witness.is_none());
        let verdict = result.verdict;
        Exit::of(verdict.map(|verdict| if is_open { VerdictName::Unknown } else { verdict }))
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit as u8)
    }
}

/// Why a command could not do what it is for.
pub(crate) enum Failure {
    /// Bad input, or a fault of ours.
    Record(Box<ErrorRecord>),
    /// Nobody reads our output any more, or it cannot be written.
    Output(io::Error),
}

impl Failure {
    /// Tells the user, and gives the exit status.
    pub(crate) fn report(self) -> ExitCode {
        match self {
            // Whoever closed the pipe knows.
            Failure::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
            Failure::Output(error) => {
                let message = format!("cannot write the answer: {error}");
                render::error(&ErrorRecord::new("unwritable-output", message), None);
            }
            Failure::Record(record) => render::error(&record, None),
        }
        Exit::Error.into()
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        Failure::Output(error)
    }
}

impl From<ErrorRecord> for Failure {
    fn from(record: ErrorRecord) -> Failure {
        Failure::Record(Box::new(record))
    }
}

/// How long a certificate may take that nobody has asked for.
const UNASKED: Duration = Duration::from_secs(1);

/// `keyaki check`
pub(crate) fn check(arguments: &Check) -> Result<Exit, Failure> {
    let timeout = arguments.solving.timeout;
    // One answer can be certified without anybody noticing; whoever names solvers wants to see what these say.
    let Solving { solver, save_smt, audit, .. } = &arguments.solving;
    let is_usual = solver.is_empty() && save_smt.is_none() && !audit;
    let certificate = match arguments.certificate {
        Some(_) => Some(timeout),
        None => is_usual.then_some(UNASKED),
    };
    let explain = arguments.explain;
    let setting = Setting { timeout, certificate, explain, ..Setting::default() };
    let asked = match Files::from_paths(&arguments.asked, setting) {
        Ok(asked) => asked,
        Err((record, files)) => return refuse(*record, &files, arguments.json),
    };
    let config = match configuration(arguments.solving.config.as_deref()) {
        Ok(config) => config,
        Err(record) => return refuse(record, &asked.files, arguments.json),
    };
    let options = options(&arguments.solving);
    let mut result = asked.inquiry.answer(&engines(&config, &options), &Cancel::new());
    // It is in the file, if anywhere, not in the result.
    match (&arguments.certificate, result.certificate.take()) {
        (Some(path), Some(certificate)) => keep(path, &certificate)?,
        (Some(_), None) => {}
        (None, _) => result.uncertified = None,
    }
    let is_told_why = arguments.explain && result.verdict == Some(VerdictName::Holds);
    let why = if is_told_why { explanation(&asked, timeout)? } else { String::new() };
    if arguments.json {
        if is_told_why {
            result.explanation = Some(why.trim().to_owned());
        }
        print_json(&result)?;
    } else if let Some(error) = &result.error {
        render::error(error, Some(&asked.files));
        render::attempts(&result);
        render::incident(&result);
    } else {
        let text = render::answer(&asked.inquiry, &asked.files, &result) + &why;
        io::stdout().write_all(text.as_bytes())?;
    }
    Ok(Exit::of(result.verdict))
}

/// Writes a certificate.
fn keep(path: &Path, certificate: &str) -> Result<(), Failure> {
    fs::write(path, certificate).map_err(|error| {
        let message = format!("cannot write `{}`: {error}", path.display());
        ErrorRecord::new("unwritable-file", message).into()
    })
}

/// Why a property holds, in words.
fn explanation(asked: &Files, timeout: Duration) -> Result<String, Failure> {
    let question = &asked.inquiry.question;
    let decisions = &asked.inquiry.decisions;
    let excluded = Engine::explain(question, decisions, timeout, &Cancel::new());
    let excluded = excluded.map_err(|error| ErrorRecord::new("solver", error.to_string()))?;
    Ok(render::explanation(&asked.inquiry, &asked.files, &excluded))
}

/// Tells what is wrong with the input, where the user looks for the answer.
fn refuse(record: ErrorRecord, files: &FileNames, json: bool) -> Result<Exit, Failure> {
    if json {
        print_json(&JobResult { error: Some(record), ..JobResult::default() })?;
    } else {
        render::error(&record, Some(files));
    }
    Ok(Exit::Error)
}

/// `keyaki evaluate`
pub(crate) fn evaluate(arguments: &Evaluate) -> Result<Exit, Failure> {
    // Whatever the pointer, it is one file.
    let files = vec![(String::new(), arguments.job.clone())];
    let read = || -> Result<Evaluation, Box<ErrorRecord>> {
        let text = input::text(&arguments.job)?;
        let mut evaluation = Evaluation::from_file(&text)?;
        decide(&mut evaluation.decisions, &arguments.reading)?;
        Ok(evaluation)
    };
    let evaluation = match read() {
        Ok(evaluation) => evaluation,
        Err(record) => {
            return refuse(ErrorRecord { policy: None, ..*record }, &files, arguments.json);
        }
    };
    let result = evaluation.answer();
    if arguments.json {
        print_json(&result)?;
    } else {
        let text = render::evaluation(&evaluation, &arguments.job, &result);
        io::stdout().write_all(text.as_bytes())?;
    }
    Ok(if result.decision.is_some() { Exit::Success } else { Exit::Unknown })
}

/// Adds the decisions of the command line.
fn decide(decisions: &mut Decisions, reading: &Reading) -> Result<(), ErrorRecord> {
    for text in &reading.decision {
        decisions.decide_text(text).map_err(|error| ErrorRecord {
            hint: Some(error.hint()),
            ..ErrorRecord::new("unknown-decision", error.to_string())
        })?;
    }
    Ok(())
}

/// `keyaki encode`
pub(crate) fn encode(arguments: &Encode) -> Result<Exit, Failure> {
    let Some(dialect) = Dialect::by_name(&arguments.dialect) else {
        let message = format!("unknown dialect `{}`", arguments.dialect);
        let hint = Some("the dialects are smtlib-2.6 and cvc4".to_owned());
        return Err(ErrorRecord { hint, ..ErrorRecord::new("unknown-dialect", message) }.into());
    };
    let asked = match Files::from_paths(&arguments.asked, Setting::default()) {
        Ok(asked) => asked,
        Err((record, files)) => {
            render::error(&record, Some(&files));
            return Ok(Exit::Error);
        }
    };
    let question = asked.inquiry.question;
    let question = match (arguments.only, question.directions()) {
        (None, _) => question,
        (Some(SideArgument::New), Some([forward, _])) => forward,
        (Some(SideArgument::Existing), Some([_, reverse])) => reverse,
        (Some(_), None) => {
            let message = "`--only` is for `equivalent`, which has two directions";
            return Err(ErrorRecord::new("invalid-usage", message).into());
        }
    };
    let mut encoding = encoder(&question);
    encoding.decide(asked.inquiry.decisions.decided());
    let formula = encoding.whole(keyaki::Opaque::Free);
    let script = smtlib::script(&formula, dialect).map_err(|cause| {
        ErrorRecord::new("unsupported", format!("the dialect cannot say it: {cause}"))
    })?;
    io::stdout().write_all(script.as_bytes())?;
    Ok(Exit::Success)
}

/// `keyaki solve`
pub(crate) fn solve(arguments: &Solve) -> Result<Exit, Failure> {
    let text = input::text(&arguments.file)?;
    let config = configuration(arguments.solving.config.as_deref())?;
    let engine = engines(&config, &options(&arguments.solving))(&[])?;
    let solved = engine
        .solve_script(&text, arguments.solving.timeout, &Cancel::new())
        .map_err(|error| script_error(&arguments.file, &error))?;
    let answer = &solved.answer.answer;
    writeln!(io::stdout(), "{}", engine::word(answer))?;
    match answer {
        RawAnswer::Unknown(_) => {
            render::unknown_script(&arguments.file, &solved);
            return Ok(Exit::Unknown);
        }
        RawAnswer::Sat(model) if arguments.model && !model.is_empty() => {
            writeln!(io::stdout(), "{}", model.trim_end())?;
        }
        RawAnswer::Sat(_) | RawAnswer::Unsat => {}
    }
    Ok(Exit::Success)
}

fn script_error(file: &Path, error: &ScriptError) -> ErrorRecord {
    let code = match error {
        ScriptError::Syntax(_) | ScriptError::Checks(_) => "invalid-script",
        ScriptError::Status { .. } => "wrong-status",
        ScriptError::Solver(_) => "solver-failed",
    };
    let message = match error {
        ScriptError::Checks(count) => format!(
            "`{}` has {count} commands `(check-sat)`, where one is expected",
            file.display()
        ),
        _ => error.to_string(),
    };
    let place = error.place();
    ErrorRecord {
        hint: error.hint(),
        policy: Some(file.display().to_string()),
        line: place.map(|place| place.line),
        column: place.map(|place| place.column),
        ..ErrorRecord::new(code, message)
    }
}

/// `keyaki solvers`
pub(crate) fn solvers(arguments: &Solvers) -> Result<Exit, Failure> {
    let config = configuration(arguments.config.as_deref())?;
    let (embedded, found) = (embedded(&config), find(&config));
    io::stdout().write_all(render::solvers(&embedded, &found).as_bytes())?;
    let some_works = found.iter().map(|found| &found.status).chain([&embedded]);
    let some_works = some_works.into_iter().any(|status| *status == Status::Works);
    Ok(if some_works { Exit::Success } else { Exit::Error })
}

/// `keyaki schema`
pub(crate) fn schema() -> Result<Exit, Failure> {
    writeln!(io::stdout(), "{:#}", wire::schema())?;
    Ok(Exit::Success)
}

/// The files behind the policies of an inquiry, by JSON pointer.
pub(crate) type FileNames = Vec<(String, PathBuf)>;

struct Files {
    inquiry: Inquiry,
    files: FileNames,
}

impl Files {
    /// Reads the files; an error comes with what is known of the names.
    fn from_paths(asked: &Asked, setting: Setting) -> Result<Files, (Box<ErrorRecord>, FileNames)> {
        let bare = |record: ErrorRecord| (Box::new(record), Vec::new());
        let sides = sides(asked).map_err(bare)?;
        let stdin = |(_, _, path): &&(PolicyRef, String, PathBuf)| {
            path.as_os_str() == input::STANDARD_INPUT
        };
        if sides.iter().filter(stdin).count() > 1 {
            let message = "standard input can be only one of the policies";
            return Err(bare(ErrorRecord::new("invalid-usage", message)));
        }
        let mut documents = Vec::new();
        let mut files = Vec::new();
        let mut sets = Vec::new();
        for (at, pointer, path) in sides {
            files.push((pointer.clone(), path.clone()));
            let source = input::text(&path).map_err(|mut record| {
                record.policy = Some(pointer.clone());
                (Box::new(record), files.clone())
            })?;
            let set = policies::from_file(&source, at.side, &pointer);
            match set.map_err(|record| (record, files.clone()))? {
                Some((shape, of_set)) => {
                    let pointers = of_set.iter().map(|document| document.pointer.clone());
                    files.extend(pointers.map(|pointer| (pointer, path.clone())));
                    sets.push((at.side, shape));
                    documents.extend(of_set);
                }
                None => documents.push(Document::new(at, pointer, source)),
            }
        }
        let accesses = accesses(asked).map_err(bare)?;
        let zone = zone(asked).map_err(bare)?;
        let property = property::property(asked, &mut files)?;
        let mut decisions = Decisions::default();
        decide(&mut decisions, &asked.reading).map_err(bare)?;
        let setting = Setting {
            policy_type: asked.policy_type.map(PolicyType::from),
            resource_type: asked.resource_type.clone(),
            reading: asked.public_reading.unwrap_or_default(),
            sets,
            accesses,
            zone,
            property,
            decisions,
            ..setting
        };
        match Inquiry::new(&asked.question, documents, setting) {
            Ok(inquiry) => Ok(Files { inquiry, files }),
            Err(record) => Err((Box::new(record), files)),
        }
    }
}

/// Which file is which policy of the question.
fn sides(asked: &Asked) -> Result<Vec<(PolicyRef, String, PathBuf)>, ErrorRecord> {
    let place = |side, name: &str, paths: &[PathBuf]| -> Vec<(PolicyRef, String, PathBuf)> {
        let pointer = |index| match paths.len() {
            1 => format!("/{name}"),
            _ => format!("/{name}/{index}"),
        };
        let paths = paths.iter().enumerate();
        paths.map(|(i, path)| (PolicyRef::of_union(side, i), pointer(i), path.clone())).collect()
    };
    let usage = |message: &str| ErrorRecord::new("invalid-usage", message);
    match (asked.question.as_str(), &asked.policies[..]) {
        ("no-new-access" | "equivalent" | "disjoint", [old, new])
            if asked.existing.is_empty() && asked.new.is_empty() =>
        {
            let mut sides = place(Side::Existing, "existing", std::slice::from_ref(old));
            sides.extend(place(Side::New, "new", std::slice::from_ref(new)));
            Ok(sides)
        }
        ("no-new-access" | "equivalent" | "disjoint", [])
            if !asked.existing.is_empty() && !asked.new.is_empty() =>
        {
            let mut sides = place(Side::Existing, "existing", &asked.existing);
            sides.extend(place(Side::New, "new", &asked.new));
            Ok(sides)
        }
        (name @ ("no-new-access" | "equivalent"), _) => Err(usage(&format!(
            "`{name}` takes two policies, OLD and NEW, or `--existing` and `--new`"
        ))),
        ("disjoint", _) => Err(usage("`disjoint` takes two policies, or `--existing` and `--new`")),
        ("no-public-access" | "no-external-access" | "access-not-granted" | "custom", [_])
            if asked.existing.is_empty() && asked.new.is_empty() =>
        {
            Ok(place(Side::Policy, "policy", &asked.policies))
        }
        (name @ ("no-public-access" | "no-external-access" | "custom"), _) => {
            Err(usage(&format!("`{name}` takes one policy")))
        }
        ("access-not-granted", _) => Err(ErrorRecord {
            hint: Some(
                "name it before `--action` and `--resource`, which take what follows".into(),
            ),
            ..usage("`access-not-granted` takes one policy")
        }),
        // What is wrong with the question is said by whoever reads it.
        _ => Ok(Vec::new()),
    }
}

/// The accesses that the flags name; none if there are no flags and the question takes none.
fn accesses(asked: &Asked) -> Result<Vec<AccessPattern>, ErrorRecord> {
    let is_named = !asked.action.is_empty() || !asked.resource.is_empty();
    if is_named || asked.question == QuestionName::AccessNotGranted.as_str() {
        Ok(vec![access::from_texts(&asked.action, &asked.resource)?])
    } else {
        Ok(Vec::new())
    }
}

/// The zone of trust that the flags name; none if there are no flags.
fn zone(asked: &Asked) -> Result<Option<Zone>, ErrorRecord> {
    let Trust { trust_account, trust_org, org_account, resource_account, service_principals } =
        &asked.trust;
    let is_named = !trust_account.is_empty()
        || trust_org.is_some()
        || !org_account.is_empty()
        || resource_account.is_some()
        || service_principals.is_some();
    if !is_named {
        return Ok(None);
    }
    let services = service_principals.unwrap_or_default();
    let (organization, owner) = (trust_org.as_deref(), resource_account.as_deref());
    trust::from_texts(trust_account, organization, org_account, owner, services).map(Some)
}

fn configuration(path: Option<&Path>) -> Result<Config, ErrorRecord> {
    match path {
        None => Ok(Config::builtin()),
        Some(path) => Config::load(path)
            .map_err(|error| ErrorRecord::new("invalid-configuration", error.to_string())),
    }
}

fn options(solving: &Solving) -> EngineOptions {
    EngineOptions {
        solvers: solving.solver.clone(),
        save_scripts_to: solving.save_smt.clone(),
        audit: solving.audit,
        incidents: Some(solving.incidents.clone()),
        ..EngineOptions::default()
    }
}

fn print_json(result: &JobResult) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    serde_json::to_writer(&mut out, result).map_err(io::Error::from)?;
    out.write_all(b"\n")?;
    out.flush()?;
    Ok(())
}

/// The meaning of "public" that is in force, for people.
pub(crate) fn reading(result: &JobResult) -> Option<String> {
    let (reading, resource_type) = (result.reading.as_ref()?, result.resource_type.as_ref()?);
    Some(format!("\"public\" is the {reading} ({resource_type})"))
}

impl From<PolicyTypeArgument> for PolicyType {
    fn from(argument: PolicyTypeArgument) -> PolicyType {
        match argument {
            PolicyTypeArgument::Identity => PolicyType::Identity,
            PolicyTypeArgument::Resource => PolicyType::Resource,
            PolicyTypeArgument::Trust => PolicyType::Trust,
            PolicyTypeArgument::Kms => PolicyType::Kms,
            PolicyTypeArgument::Scp => PolicyType::Scp,
            PolicyTypeArgument::Rcp => PolicyType::Rcp,
            PolicyTypeArgument::Boundary => PolicyType::Boundary,
            PolicyTypeArgument::Session => PolicyType::Session,
            PolicyTypeArgument::Vpce => PolicyType::VpcEndpoint,
        }
    }
}
