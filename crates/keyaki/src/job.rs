//! Jobs: from a line of JSON to a line of JSON.
//!
//! A job is read by the same reader as policies are, so that a member given twice is an error here
//! too and every mistake has a place. [`Inquiry`] is what a job means, once its policies are
//! parsed; the command line makes inquiries from files.

use std::time::{Duration, Instant};

use keyaki_analysis::question::{PolicyRef, Side};
use keyaki_analysis::{Error, Evidence, Question, Report, Verdict, public};
use keyaki_logic::{Cancel, Limits, Reason, SolverError};
use keyaki_policy::json::{self, Kind, Value};
use keyaki_policy::span::Position;
use keyaki_policy::{ParseError, Policy, PolicyType, parse};
use keyaki_solvers::Config;

use crate::engine::{Engine, EngineOptions};
use crate::wire::{
    AttemptRecord, Construct, ErrorRecord, EvidenceName, JobResult, QuestionName, Request,
    StatementRef, VerdictName, nanoseconds,
};

/// The resource type whose table is in force if the job names none.
pub const DEFAULT_RESOURCE_TYPE: &str = "AWS::S3::Bucket";

/// A question with all that is needed to answer it and to speak of its policies.
#[derive(Clone, Debug)]
pub struct Inquiry {
    /// The question, or the name of the construct that it asks for and we do not have.
    pub question: Result<Question, String>,
    /// The policies' texts.
    pub documents: Vec<Document>,
    /// How long the answer may take.
    pub timeout: Duration,
    /// Names of the solvers to ask; those of the engine if empty.
    pub solvers: Vec<String>,
}

/// The text of one policy.
#[derive(Clone, Debug)]
pub struct Document {
    /// Which policy of the question it is.
    pub at: PolicyRef,
    /// JSON pointer into the job.
    pub pointer: String,
    /// The text.
    pub source: String,
}

/// What [`Inquiry::new`] needs to know besides the policies.
#[derive(Clone, Debug)]
pub struct Setting {
    /// What the policies are attached to; guessed if `None`.
    pub policy_type: Option<PolicyType>,
    /// CloudFormation name of the resource's type.
    pub resource_type: Option<String>,
    /// How long the answer may take.
    pub timeout: Duration,
    /// Names of the solvers to ask; those of the engine if empty.
    pub solvers: Vec<String>,
}

impl Default for Setting {
    fn default() -> Setting {
        Setting {
            policy_type: None,
            resource_type: None,
            timeout: Limits::DEFAULT_TIMEOUT,
            solvers: Vec::new(),
        }
    }
}

/// Questions of the contract that are still to come.
const FUTURE_QUESTIONS: [&str; 9] = [
    "no-external-access",
    "access-not-granted",
    "equivalent",
    "disjoint",
    "custom",
    "evaluate",
    "validate",
    "findings",
    "scan",
];

impl Inquiry {
    /// An inquiry about policies given as texts.
    ///
    /// # Errors
    ///
    /// The first mistake in a policy, or in what was asked of them.
    pub fn new(
        question: &str,
        documents: Vec<Document>,
        setting: Setting,
    ) -> Result<Inquiry, ErrorRecord> {
        let name = QuestionName::by_name(question).ok_or_else(|| unknown_question(question))?;
        let policies = parse_all(&documents, setting.policy_type)?;
        let on = |side| {
            let of_side = documents.iter().zip(&policies).filter(move |(d, _)| d.at.side == side);
            of_side.map(|(_, policy)| policy.clone()).collect::<Vec<Policy>>()
        };
        let question = match name {
            QuestionName::NoPublicAccess => {
                let [policy] = <[Policy; 1]>::try_from(on(Side::Policy))
                    .map_err(|_| missing("`no-public-access` takes one policy"))?;
                // A policy without statements looks like one of an identity, and grants nothing.
                if !policy.policy_type.names_principals() && !policy.statements.is_empty() {
                    let error = ErrorRecord {
                        hint: Some("public access is a question about resource policies".into()),
                        policy: documents.first().map(|document| document.pointer.clone()),
                        ..ErrorRecord::new(
                            "wrong-policy-type",
                            "the policy has no `Principal`: it is attached to an identity, not to \
                             a resource",
                        )
                    };
                    return Err(error);
                }
                match setting.resource_type.as_deref() {
                    None | Some(DEFAULT_RESOURCE_TYPE) => {
                        Ok(Question::NoPublicAccess { policy, table: &public::S3 })
                    }
                    Some(other) => Err(format!("resource type `{other}`")),
                }
            }
            QuestionName::NoNewAccess => {
                let (existing, new) = (on(Side::Existing), on(Side::New));
                if existing.is_empty() || new.is_empty() {
                    return Err(missing("`no-new-access` takes `existing` and `new`"));
                }
                Ok(Question::NoNewAccess { existing: existing.into(), new: new.into() })
            }
        };
        let Setting { timeout, solvers, .. } = setting;
        Ok(Inquiry { question, documents, timeout, solvers })
    }

    /// Reads a job. `timeout` is for jobs that name none.
    ///
    /// # Errors
    ///
    /// A result that carries the error, and the job's id if it could be read.
    pub fn from_json(
        line: &[u8],
        timeout: Duration,
    ) -> Result<(Option<String>, Inquiry), Box<JobResult>> {
        let mut result = JobResult::default();
        match read_job(line, timeout, &mut result) {
            Ok(inquiry) => Ok((result.id, inquiry)),
            Err(error) => Err(Box::new(JobResult { error: Some(*error), ..result })),
        }
    }

    /// Answers the inquiry. Engines are made by `engine` from the names of solvers.
    pub fn answer(
        &self,
        engine: &dyn Fn(&[String]) -> Result<Engine, ErrorRecord>,
        cancel: &Cancel,
    ) -> JobResult {
        let start = Instant::now();
        let mut result = match &self.question {
            Err(construct) => unsupported_question(construct),
            Ok(question) => {
                let report = engine(&self.solvers)
                    .map(|engine| engine.check_within(question, self.timeout, cancel));
                let mut result = match report {
                    Err(error) => JobResult { error: Some(error), ..JobResult::default() },
                    Ok(Err(error)) => self.error(error),
                    Ok(Ok(report)) => self.report(question, report),
                };
                result.question = Some(question.name().to_owned());
                if let Question::NoPublicAccess { table, .. } = question {
                    result.reading = Some(table.reading.to_owned());
                }
                result
            }
        };
        result.elapsed_ns = Some(nanoseconds(start.elapsed()));
        result
    }

    /// The text of a policy.
    pub fn document(&self, at: PolicyRef) -> Option<&Document> {
        self.documents.iter().find(|document| document.at == at)
    }

    fn report(&self, question: &Question, report: Report) -> JobResult {
        let attempts = report.attempts.iter().map(AttemptRecord::from).collect();
        let mut result = JobResult { attempts, solver: report.solver, ..JobResult::default() };
        match report.verdict {
            Verdict::Holds(evidence) => {
                result.verdict = Some(VerdictName::Holds);
                result.evidence = Some(match evidence {
                    Evidence::Agreed => EvidenceName::Agreed,
                    Evidence::Claimed => EvidenceName::Claimed,
                });
            }
            Verdict::Fails(witness) => {
                result.verdict = Some(VerdictName::Fails);
                result.evidence = Some(EvidenceName::Replayed);
                result.witness = Some(Request::from(&witness.request));
                let statements = witness.statements.iter();
                result.statements =
                    statements.map(|&(at, index)| self.statement(question, at, index)).collect();
            }
            Verdict::Unknown { reason, unsupported } => {
                result.verdict = Some(VerdictName::Unknown);
                result.reason = Some(reason.into());
                result.unsupported = unsupported
                    .into_iter()
                    .map(|item| {
                        let document = self.document(item.policy);
                        let source = document.map_or("", |document| &document.source);
                        let position = Position::of(source, item.span.start);
                        Construct {
                            construct: item.construct,
                            policy: self.pointer(item.policy),
                            path: item.path,
                            line: position.line,
                            column: position.column,
                        }
                    })
                    .collect();
            }
        }
        result
    }

    fn error(&self, error: Error) -> JobResult {
        let (record, attempts) = match &error {
            Error::Solver { error: cause, attempts } => {
                let code = match cause {
                    SolverError::NoSolver => "no-solver",
                    SolverError::Contradiction { .. } => "contradiction",
                    _ => "solver-failed",
                };
                (ErrorRecord::new(code, cause.to_string()), attempts)
            }
            Error::Unsound { request, attempts, .. } => {
                let request = Some(Box::new(Request::from(&**request)));
                (
                    ErrorRecord { request, ..ErrorRecord::new("unsound", error.to_string()) },
                    attempts,
                )
            }
        };
        let attempts = attempts.iter().map(AttemptRecord::from).collect();
        JobResult { error: Some(record), attempts, ..JobResult::default() }
    }

    fn statement(&self, question: &Question, at: PolicyRef, index: usize) -> StatementRef {
        let policy = question.policy(at);
        let sid = policy.and_then(|policy| policy.statements.get(index)?.sid.clone());
        StatementRef { policy: self.pointer(at), index, sid }
    }

    fn pointer(&self, at: PolicyRef) -> String {
        self.document(at).map(|document| document.pointer.clone()).unwrap_or_default()
    }
}

/// Makes engines of the configured solvers, for [`Inquiry::answer`].
pub fn engines(
    config: &Config,
    options: &EngineOptions,
) -> impl Fn(&[String]) -> Result<Engine, ErrorRecord> {
    move |solvers| {
        let mut options = options.clone();
        if !solvers.is_empty() {
            options.solvers = solvers.to_vec();
        }
        Engine::new(config, options).map_err(|error| {
            let code = match error {
                crate::EngineError::UnknownSolver { .. } => "unknown-solver",
                crate::EngineError::NoSolver(_) => "no-solver",
            };
            ErrorRecord {
                hint: (code == "no-solver")
                    .then(|| "install one: apt-get install z3 cvc4 cvc5".to_owned()),
                ..ErrorRecord::new(code, error.to_string())
            }
        })
    }
}

fn parse_all(
    documents: &[Document],
    policy_type: Option<PolicyType>,
) -> Result<Vec<Policy>, ErrorRecord> {
    let read = |document: &Document, policy_type| {
        parse(&document.source, policy_type)
            .map_err(|error| ErrorRecord::in_policy(&document.pointer, &error))
    };
    let policies: Vec<Policy> =
        documents.iter().map(|document| read(document, policy_type)).collect::<Result<_, _>>()?;
    // Guessed from each document alone, the types may differ: an empty policy looks like one of an
    // identity. The resource policy knows better.
    // And a key policy with an incomplete statement is read as no other type.
    let mut types: Vec<_> = policies.iter().map(|policy| policy.policy_type).collect();
    types.sort_unstable();
    if let [first, .., last] = types[..]
        && first != last
    {
        return documents.iter().map(|document| read(document, Some(last))).collect();
    }
    Ok(policies)
}

fn missing(message: &str) -> ErrorRecord {
    ErrorRecord::new("invalid-job", message)
}

fn unknown_question(name: &str) -> ErrorRecord {
    if FUTURE_QUESTIONS.contains(&name) {
        let message = format!("the question `{name}` cannot be answered yet");
        return ErrorRecord::new("unsupported-question", message);
    }
    ErrorRecord {
        hint: Some(format!("the questions are {}", QuestionName::ALL.map(|(_, n)| n).join(", "))),
        ..ErrorRecord::new("unknown-question", format!("unknown question `{name}`"))
    }
}

fn unsupported_question(construct: &str) -> JobResult {
    let construct = Construct {
        construct: construct.to_owned(),
        policy: String::new(),
        path: String::new(),
        line: 1,
        column: 1,
    };
    JobResult {
        question: Some("no-public-access".to_owned()),
        verdict: Some(VerdictName::Unknown),
        reason: Some(Reason::Unsupported.into()),
        unsupported: vec![construct],
        ..JobResult::default()
    }
}

type Fallible<T> = Result<T, Box<ErrorRecord>>;

/// Reads a job; what was understood before a mistake is left in `result`.
fn read_job(line: &[u8], timeout: Duration, result: &mut JobResult) -> Fallible<Inquiry> {
    let in_job = |error: ParseError| {
        let mut record = ErrorRecord::in_policy("", &error);
        record.policy = None;
        Box::new(record)
    };
    let source = json::decode(line).map_err(in_job)?;
    let value = json::read(source).map_err(in_job)?;
    let reader = JobReader { source };
    let Kind::Object(members) = &value.kind else {
        return Err(reader.wrong(&value, "", "a job is an object"));
    };
    // The id first, so that whatever else is wrong can be told under it; then the question, which
    // says what else is to be expected.
    if let Some(member) = members.iter().find(|member| member.key == "id") {
        result.id = Some(reader.string(&member.value, "/id")?.to_owned());
    }
    let Some(question) = members.iter().find(|member| member.key == "question") else {
        return Err(reader.wrong(&value, "", "the job has no `question`"));
    };
    let question = reader.string(&question.value, "/question")?.to_owned();
    result.question = Some(question.clone());
    if QuestionName::by_name(&question).is_none() {
        return Err(Box::new(unknown_question(&question)));
    }
    let mut setting = Setting { timeout, ..Setting::default() };
    let mut documents = Vec::new();
    for member in members {
        let (path, value) = (format!("/{}", member.key), &member.value);
        match &*member.key {
            "id" | "question" => {}
            "policy" => reader.policy(value, &path, Side::Policy, 0, &mut documents)?,
            "existing" => reader.policies(value, &path, Side::Existing, &mut documents)?,
            "new" => reader.policies(value, &path, Side::New, &mut documents)?,
            "policy_type" => {
                setting.policy_type = Some(match reader.string(value, &path)? {
                    "identity" => PolicyType::Identity,
                    "resource" => PolicyType::Resource,
                    _ => {
                        let message = "`policy_type` is `identity` or `resource`";
                        return Err(reader.wrong(value, &path, message));
                    }
                });
            }
            "resource_type" => {
                setting.resource_type = Some(reader.string(value, &path)?.to_owned());
            }
            "reading" => {
                if reader.string(value, &path)? != "documented" {
                    let message = "the only `reading` so far is `documented`";
                    return Err(reader.wrong(value, &path, message));
                }
            }
            "timeout_ms" => setting.timeout = reader.milliseconds(value, &path)?,
            "solvers" => {
                let Kind::Array(names) = &value.kind else {
                    return Err(reader.wrong(value, &path, "`solvers` is a list of names"));
                };
                for name in names {
                    setting.solvers.push(reader.string(name, &path)?.to_owned());
                }
            }
            other => {
                let message = format!("a job has no member `{other}`, or not yet");
                return Err(reader.wrong(value, &path, &message));
            }
        }
    }
    Inquiry::new(&question, documents, setting).map_err(Box::new)
}

struct JobReader<'s> {
    source: &'s str,
}

impl JobReader<'_> {
    fn wrong(&self, value: &Value<'_>, path: &str, message: &str) -> Box<ErrorRecord> {
        let position = Position::of(self.source, value.span.start);
        Box::new(ErrorRecord {
            path: Some(path.to_owned()),
            line: Some(position.line),
            column: Some(position.column),
            ..ErrorRecord::new("invalid-job", message)
        })
    }

    fn string<'v>(&self, value: &'v Value<'_>, path: &str) -> Fallible<&'v str> {
        match &value.kind {
            Kind::String(text) => Ok(text),
            _ => Err(self.wrong(value, path, &format!("`{}` is a string", &path[1..]))),
        }
    }

    fn milliseconds(&self, value: &Value<'_>, path: &str) -> Fallible<Duration> {
        let milliseconds = match &value.kind {
            Kind::Number(digits) => digits.parse().ok(),
            _ => None,
        };
        let message = "`timeout_ms` is a whole number of milliseconds";
        milliseconds.map(Duration::from_millis).ok_or_else(|| self.wrong(value, path, message))
    }

    fn policies(
        &self,
        value: &Value<'_>,
        path: &str,
        side: Side,
        documents: &mut Vec<Document>,
    ) -> Fallible<()> {
        let Kind::Array(policies) = &value.kind else {
            return self.policy(value, path, side, 0, documents);
        };
        for (index, policy) in policies.iter().enumerate() {
            self.policy(policy, &format!("{path}/{index}"), side, index, documents)?;
        }
        Ok(())
    }

    /// A policy as an object, whose text is its part of the job's, or as a string of JSON.
    fn policy(
        &self,
        value: &Value<'_>,
        path: &str,
        side: Side,
        index: usize,
        documents: &mut Vec<Document>,
    ) -> Fallible<()> {
        let source = match &value.kind {
            Kind::Object(_) => {
                self.source[value.span.start as usize..value.span.end as usize].to_owned()
            }
            Kind::String(text) => text.to_string(),
            _ => {
                let message = "a policy is an object, or a string that holds JSON";
                return Err(self.wrong(value, path, message));
            }
        };
        let at = PolicyRef::of_union(side, index);
        documents.push(Document { at, pointer: path.to_owned(), source });
        Ok(())
    }
}
