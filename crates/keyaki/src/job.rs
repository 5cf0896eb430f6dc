//! Jobs: from a line of JSON to a line of JSON.
//!
//! A job is read by the same reader as policies are, so that a member given twice is an error here
//! too and every mistake has a place. [`Inquiry`] is what a job means, once its policies are
//! parsed; the command line makes inquiries from files. What it comes to is in `job/answer.rs`.

mod answer;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use keyaki_analysis::Question;
use keyaki_analysis::public::Reading;
use keyaki_analysis::question::{Place, PolicyRef, Side};
use keyaki_analysis::zone::Zone;
use keyaki_logic::{Cancel, Limits};
use keyaki_policy::json::{self, Kind, Member};
use keyaki_policy::{AccessPattern, ParseError, Policy, PolicyType};
use keyaki_solvers::Config;

use crate::attached;
use crate::bucket::{BUCKET, BucketTask};
use crate::decisions::Decisions;
use crate::engine::{Engine, EngineOptions};
use crate::evaluation::Evaluation;
use crate::findings::{FINDINGS, FindingsInquiry, question_of};
use crate::given::Given;
pub use crate::policies::Document;
use crate::policies::{self, Shape, Source, type_of_resource_policy};
use crate::property::Written;
use crate::reader::{Fallible, Reader, pointer};
use crate::trust;
use crate::validation::{VALIDATE, Validation};
use crate::who_can::{WHO_CAN, WhoCan};
use crate::wire::{ErrorRecord, JobResult, QuestionName};

/// The name of the task of deciding one request.
pub const EVALUATE: &str = "evaluate";

/// A question with all that is needed to answer it and to speak of its policies.
#[derive(Clone, Debug)]
pub struct Inquiry {
    /// The question.
    pub question: Question,
    /// The policies' texts.
    pub documents: Vec<Document>,
    /// How long the answer may take.
    pub timeout: Duration,
    /// Names of the solvers to ask; those of the engine if empty.
    pub solvers: Vec<String>,
    /// The readings that are asked for; both of every other undecided switch are considered.
    pub decisions: Decisions,
    /// How long a certificate may take besides, if one is wanted and the property holds.
    pub certificate: Option<Duration>,
    /// Whether a property that fails is explained.
    pub explain: bool,
    /// What is odd in the property of `custom`, in words.
    pub notes: Vec<String>,
}

/// What a job wants done.
#[derive(Clone, Debug)]
pub enum Task {
    /// To answer a question about all requests.
    Question(Inquiry),
    /// To decide one request.
    Evaluation(Box<Evaluation>),
    /// To tell what is wrong with a policy.
    Validation(Validation),
    /// To tell the public status of a bucket.
    Bucket(Box<BucketTask>),
    /// To list who breaks a property.
    Findings(FindingsInquiry),
    /// To list who can do something.
    WhoCan(WhoCan),
}

impl Task {
    /// Reads a job. `timeout` is for jobs that name none.
    ///
    /// # Errors
    ///
    /// A result that carries the error, and the job's id if it could be read.
    pub fn from_json(
        line: &[u8],
        timeout: Duration,
    ) -> Result<(Option<String>, Task), Box<JobResult>> {
        Task::about(None, line, timeout)
    }

    /// Reads a job whose question is known from elsewhere, if it is: then the job need not name it, and must not name another.
    ///
    /// # Errors
    ///
    /// See [`Task::from_json`].
    pub fn about(
        question: Option<&str>,
        line: &[u8],
        timeout: Duration,
    ) -> Result<(Option<String>, Task), Box<JobResult>> {
        let mut result = JobResult::default();
        match read_job(question, line, timeout, &mut result) {
            Ok(task) => Ok((result.id, task)),
            Err(error) => Err(Box::new(JobResult { error: Some(*error), ..result })),
        }
    }

    /// Lowers every time limit of the job to `most`, whatever the job names.
    #[must_use]
    pub fn within(mut self, most: Duration) -> Task {
        match &mut self {
            Task::Question(inquiry) => inquiry.limit(most),
            Task::Findings(findings) => findings.inquiry.limit(most),
            Task::Bucket(bucket) => bucket.limit(most),
            Task::WhoCan(who_can) => who_can.limit(most),
            Task::Evaluation(_) | Task::Validation(_) => {}
        }
        self
    }

    /// Whether a certificate is asked for.
    pub fn is_certificate_wanted(&self) -> bool {
        matches!(self, Task::Question(Inquiry { certificate: Some(_), .. }))
    }

    /// Asks for a certificate as well, of a question about all requests.
    pub fn certify(&mut self) {
        if let Task::Question(inquiry) = self {
            inquiry.certificate = inquiry.certificate.or(Some(inquiry.timeout));
        }
    }

    /// Does it. Engines are made by `engine` from the names of solvers.
    pub fn answer(&self, engine: &EngineMaker<'_>, cancel: &Cancel) -> JobResult {
        match self {
            Task::Question(inquiry) => inquiry.answer(engine, cancel),
            Task::Evaluation(evaluation) => evaluation.answer(),
            Task::Validation(validation) => validation.answer(),
            Task::Bucket(bucket) => bucket.answer(engine, cancel),
            Task::Findings(findings) => findings.answer(engine, cancel),
            Task::WhoCan(who_can) => who_can.answer(engine, cancel),
        }
    }
}

/// What [`Inquiry::new`] needs to know besides the policies.
#[derive(Clone, Debug)]
pub struct Setting {
    /// What the policies are attached to; guessed if `None`.
    pub policy_type: Option<PolicyType>,
    /// CloudFormation name of the resource's type.
    pub resource_type: Option<String>,
    /// Which meaning of "public", for `no-public-access`.
    pub reading: Reading,
    /// The sides on which policies of several kinds stand.
    pub sets: Vec<(Side, Shape)>,
    /// What should not be granted, for `access-not-granted`.
    pub accesses: Vec<AccessPattern>,
    /// Whom the owner of the resource trusts, for `no-external-access`.
    pub zone: Option<Zone>,
    /// What is demanded, for `custom`.
    pub property: Option<Written>,
    /// How long the answer may take.
    pub timeout: Duration,
    /// Names of the solvers to ask; those of the engine if empty.
    pub solvers: Vec<String>,
    /// The readings that are asked for.
    pub decisions: Decisions,
    /// How long a certificate may take besides, if one is wanted and the property holds.
    pub certificate: Option<Duration>,
    /// Whether a property that fails is explained.
    pub explain: bool,
}

impl Default for Setting {
    fn default() -> Setting {
        Setting {
            policy_type: None,
            resource_type: None,
            reading: Reading::default(),
            sets: Vec::new(),
            accesses: Vec::new(),
            zone: None,
            property: None,
            timeout: Limits::DEFAULT_TIMEOUT,
            solvers: Vec::new(),
            decisions: Decisions::default(),
            certificate: None,
            explain: false,
        }
    }
}

/// Questions of the contract that are still to come.
const FUTURE_QUESTIONS: [&str; 1] = ["scan"];

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
        Inquiry::read(question, documents.into_iter().map(Source::from).collect(), setting)
    }

    /// An inquiry about policies of a job, whose JSON has been read.
    fn read(
        question: &str,
        mut sources: Vec<Source<'_>>,
        setting: Setting,
    ) -> Result<Inquiry, ErrorRecord> {
        let name = QuestionName::by_name(question).ok_or_else(|| unknown_question(question))?;
        let mut setting = setting;
        if name == QuestionName::NoExternalAccess && setting.policy_type.is_none() {
            let of_resource = |name: &String| type_of_resource_policy(Some(name));
            setting.policy_type = setting.resource_type.as_ref().map(of_resource);
        }
        if name == QuestionName::NoPublicAccess && setting.policy_type.is_none() {
            let policy_type = type_of_resource_policy(setting.resource_type.as_deref());
            setting.policy_type = Some(policy_type).filter(|t| *t != PolicyType::Resource);
        }
        if name == QuestionName::NoExternalAccess && !setting.sets.is_empty() {
            policies::add_strangers_policies(&mut sources, Side::Policy)?;
        }
        let mut policies = parse_all(&sources, &setting)?;
        let mut documents: Vec<Document> =
            sources.into_iter().map(|source| source.document).collect();
        if !matches!(name, QuestionName::NoPublicAccess | QuestionName::NoExternalAccess) {
            attached::attach(&mut documents, &mut policies);
        }
        let given = Given { documents: &documents, policies: &policies, setting: &setting };
        let question = given.question(name)?;
        let (of_property, notes) =
            setting.property.map(|property| (property.documents, property.notes)).unzip();
        documents.extend(of_property.into_iter().flatten());
        let notes = notes.unwrap_or_default();
        let Setting { timeout, solvers, decisions, certificate, explain, .. } = setting;
        Ok(Inquiry {
            question,
            documents,
            timeout,
            solvers,
            decisions,
            certificate,
            explain,
            notes,
        })
    }

    /// Lowers the time limits to `most`.
    pub(crate) fn limit(&mut self, most: Duration) {
        self.timeout = self.timeout.min(most);
        self.certificate = self.certificate.map(|timeout| timeout.min(most));
    }
}

/// Makes an engine of the solvers of these names, or of its own choice if there are none.
pub type EngineMaker<'m> = dyn Fn(&[String]) -> Result<Arc<Engine>, ErrorRecord> + 'm;

/// Makes engines of the configured solvers, for [`Inquiry::answer`]. For jobs that name no solvers it is
/// one engine: which solvers are installed is looked up once.
pub fn engines(
    config: &Config,
    options: &EngineOptions,
) -> impl Fn(&[String]) -> Result<Arc<Engine>, ErrorRecord> + Send + Sync + use<> {
    let (config, options) = (config.clone(), options.clone());
    let usual = OnceLock::new();
    move |solvers| {
        if solvers.is_empty() {
            return usual.get_or_init(|| new_engine(&config, options.clone())).clone();
        }
        new_engine(&config, EngineOptions { solvers: solvers.to_vec(), ..options.clone() })
    }
}

fn new_engine(config: &Config, options: EngineOptions) -> Result<Arc<Engine>, ErrorRecord> {
    Engine::new(config, options).map(Arc::new).map_err(|error| {
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

fn parse_all(sources: &[Source<'_>], setting: &Setting) -> Result<Vec<Policy>, ErrorRecord> {
    let of_resource = type_of_resource_policy(setting.resource_type.as_deref());
    let read = |source: &Source<'_>, policy_type| {
        let policy_type = match source.document.at.place {
            Place::Union(_) => policy_type,
            Place::Set(_) => Some(source.document.policy_type().unwrap_or(of_resource)),
        };
        source.parse(policy_type)
    };
    let policies: Vec<Policy> =
        sources.iter().map(|source| read(source, setting.policy_type)).collect::<Result<_, _>>()?;
    // Guessed from each document alone, the types may differ: an empty policy looks like one of an
    // identity. The resource policy knows better.
    // And a key policy with an incomplete statement is read as no other type.
    let unions = sources.iter().zip(&policies);
    let unions = unions.filter(|(source, _)| matches!(source.document.at.place, Place::Union(_)));
    let mut types: Vec<_> = unions.map(|(_, policy)| policy.policy_type).collect();
    types.sort_unstable();
    if let [first, .., last] = types[..]
        && first != last
    {
        return sources.iter().map(|source| read(source, Some(last))).collect();
    }
    Ok(policies)
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

/// A mistake in a job before anything of it could be read.
pub(crate) fn in_job(error: ParseError) -> Box<ErrorRecord> {
    Box::new(ErrorRecord { policy: None, ..ErrorRecord::in_policy("", &error) })
}

/// Reads a job; what was understood before a mistake is left in `result`.
fn read_job(
    known: Option<&str>,
    line: &[u8],
    timeout: Duration,
    result: &mut JobResult,
) -> Fallible<Task> {
    let source = json::decode(line).map_err(in_job)?;
    let value = json::read(source).map_err(in_job)?;
    let reader = Reader { source, is_file: false };
    let Kind::Object(members) = value.kind else {
        return Err(reader.wrong_at(value.span, "", "a job is an object"));
    };
    // The id first, so that whatever else is wrong can be told under it; then the question, which
    // says what else is to be expected.
    if let Some(member) = members.iter().find(|member| member.key == "id") {
        result.id = Some(reader.string(&member.value, "/id")?.to_owned());
    }
    let member = members.iter().find(|member| member.key == "question");
    let written = match member {
        Some(member) => Some(reader.string(&member.value, "/question")?),
        None => None,
    };
    let question = match (known, written) {
        (Some(known), Some(written)) if known != written => {
            let message =
                format!("the job's question is `{written}`, and it was sent as `{known}`");
            let span = member.map_or(value.span, |member| member.value.span);
            return Err(reader.wrong_at(span, "/question", &message));
        }
        (Some(name), _) | (None, Some(name)) => name.to_owned(),
        (None, None) => {
            return Err(reader.wrong_at(value.span, "", "the job has no `question`"));
        }
    };
    result.question = Some(question.clone());
    if question == VALIDATE {
        return Validation::read(reader, value.span, &members).map(Task::Validation);
    }
    if question == BUCKET {
        let task = BucketTask::read(reader, &members, timeout)?;
        return Ok(Task::Bucket(Box::new(task)));
    }
    if question == WHO_CAN {
        return WhoCan::read(reader, members, Vec::new(), timeout).map(Task::WhoCan);
    }
    if question == EVALUATE {
        return Evaluation::read(reader, members).map(Box::new).map(Task::Evaluation);
    }
    if QuestionName::by_name(&question).is_none() && question != FINDINGS {
        return Err(Box::new(unknown_question(&question)));
    }
    let mut all = false;
    let mut is_certificate_wanted = false;
    let mut setting = Setting { timeout, ..Setting::default() };
    let mut sources = Vec::new();
    let mut trust = trust::Parts::default();
    for Member { key, mut value, .. } in members {
        let path = pointer("", &key);
        match &*key {
            "id" | "question" => {}
            "policy" | "existing" | "new" => {
                let side = match &*key {
                    "policy" => Side::Policy,
                    "existing" => Side::Existing,
                    _ => Side::New,
                };
                if policies::is_set(&value) {
                    let shape = reader.set(&mut value, &path, side, &mut sources)?;
                    setting.sets.push((side, shape));
                } else if side == Side::Policy {
                    reader.policy(&mut value, &path, PolicyRef::of_union(side, 0), &mut sources)?;
                } else {
                    let place = |index| PolicyRef::of_union(side, index);
                    reader.policies(&mut value, &path, &place, &mut sources)?;
                }
            }
            "policy_type" => {
                setting.policy_type = Some(reader.policy_type(&value, &path)?);
            }
            "access" => setting.accesses = reader.accesses(&value, &path)?,
            "property" => setting.property = Some(reader.property(value, &path)?),
            "all" if question == FINDINGS => all = reader.boolean(&value, &path)?,
            "trust" => {
                trust.is_given = true;
                reader.trust(&value, &path, &mut trust)?;
            }
            "resource_account" => {
                trust.is_given = true;
                trust.owner = Some(reader.account(&value, &path)?);
            }
            "service_principals" => {
                trust.is_given = true;
                trust.services = reader.services(&value, &path)?;
            }
            "decisions" => setting.decisions = reader.decisions(&value, &path)?,
            "resource_type" => {
                setting.resource_type = Some(reader.string(&value, &path)?.to_owned());
            }
            "reading" => {
                let name = reader.string(&value, &path)?;
                let names = Reading::ALL.map(|(_, name)| name).join(", ");
                let message = format!("unknown `reading` `{name}`: the readings are {names}");
                let reading = Reading::by_name(name);
                setting.reading = reading.ok_or_else(|| reader.wrong(&value, &path, &message))?;
            }
            "explain" => setting.explain = reader.boolean(&value, &path)?,
            "timeout_ms" => setting.timeout = reader.milliseconds(&value, &path)?,
            "certificate" => is_certificate_wanted = reader.boolean(&value, &path)?,
            "solvers" => {
                let Kind::Array(names) = &value.kind else {
                    return Err(reader.wrong(&value, &path, "`solvers` is a list of names"));
                };
                for name in names {
                    setting.solvers.push(reader.string(name, &path)?.to_owned());
                }
            }
            other => {
                let message = format!("a job has no member `{other}`, or not yet");
                return Err(reader.wrong(&value, &path, &message));
            }
        }
    }
    setting.certificate = is_certificate_wanted.then_some(setting.timeout);
    if trust.is_given {
        setting.zone = Some(trust.zone().map_err(Box::new)?);
    }
    if question == FINDINGS {
        let name = question_of(sources.iter().map(|source| source.document.at.side));
        let resource_type = setting.resource_type.clone();
        let inquiry = Inquiry::read(name, sources, setting).map_err(Box::new)?;
        return Ok(Task::Findings(FindingsInquiry { inquiry, all, resource_type }));
    }
    let inquiry = Inquiry::read(&question, sources, setting).map_err(Box::new)?;
    Ok(Task::Question(inquiry))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMEOUT: Duration = Duration::from_secs(1);

    /// What comes of the job: the question about parsed policies with their texts, or the error.
    fn read(job: &str) -> Result<(String, Vec<String>), ErrorRecord> {
        match Task::from_json(job.as_bytes(), TIMEOUT) {
            Ok((_, Task::Question(inquiry))) => {
                let texts = inquiry.documents.iter().map(|document| document.source.clone());
                Ok((format!("{:?}", inquiry.question), texts.collect()))
            }
            Ok((_, task)) => panic!("{task:?}"),
            Err(result) => Err(result.error.unwrap()),
        }
    }

    /// The policy stands in the job as an object and as a text, which is read on its own. What is read, and every place
    /// in it or in its error, has to be the same.
    #[track_caller]
    fn check(policy: &str) {
        const ACCESS: &str = r#""access": [{"actions": ["s3:*"]}]"#;
        const NEW: &str = r#""question": "no-new-access", "new": {"Statement": []}"#;
        let quoted = serde_json::Value::from(policy).to_string();
        for (before, after) in [
            (format!(r#"{{{ACCESS},"question":"access-not-granted","policy":"#), "}".to_owned()),
            (
                "{\n\"id\": \"é\",\r\n \"policy\" :\t ".to_owned(),
                format!(",\n{ACCESS}, \"question\": \"access-not-granted\" }}"),
            ),
            (format!(r#"{{{NEW},"existing":[{{"Statement":[]}},"#), "]}".to_owned()),
            (format!(r#"{{{NEW},"existing":{{"identity":["#), "]}}".to_owned()),
        ] {
            let [object, text] =
                [policy, &quoted].map(|policy| read(&format!("{before}{policy}{after}")));
            assert_eq!(format!("{object:?}"), format!("{text:?}"), "{before}{policy}{after}");
        }
    }

    #[test]
    fn places_in_a_policy_do_not_depend_on_where_it_stands_in_the_job() {
        for policy in [
            r#"{"Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}"#,
            "{\n \"Statement\": {\n  \"Effect\": \"Allow\", \"Action\": \"s3:Get*\",\n  \"Resource\": \"arn:aws:s3:::é/*\",\n  \
             \"Condition\": {\"StringLike\": {\"aws:PrincipalTag/a\": \"${aws:username}\"}}}}",
            // The mistakes of people: each has its place.
            r#"{"Statement": [{"Effect": "allow", "Action": "s3:*", "Resource": "*"}]}"#,
            "{\n \"Sid\": \"é😀\", \"Statement\": []}",
            "{\n \"Statement\": [{}, {\n  \"Effect\": \"Deny\"}]}",
            "{\"Version\": \"2012-10-17\",\r\n\"Statement\": [{\"Effect\": \"Allow\", \"Action\":\n \"é😀\", \"Resource\": \"*\"}]}",
            r#"{"Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Condition": {"StringLikes": {"a:b": "c"}}}}"#,
            r#"{"Statement": {"Effect": "Allow", "action": "s3:*", "Action": "s3:*", "Resource": "*"}}"#,
            r#"{}"#,
        ] {
            check(policy);
        }
    }

    #[test]
    fn the_place_of_a_mistake_is_one_in_the_policy() {
        let policy = "{\n \"Statement\": [{}, {\n  \"Effect\": \"Deny\"}]}";
        let job = format!("{{ \"question\": \"no-public-access\",\n\n \"policy\":  {policy}}}");
        let error = read(&job).unwrap_err();
        assert_eq!((error.line, error.column), (Some(2), Some(16)));
        assert_eq!(error.path.as_deref(), Some("/Statement/0"));
    }
}
