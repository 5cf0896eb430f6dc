//! The job `who-can`: which principals of an account can do something, by role chains too.
//!
//! Each principal is asked about with its own policies beside those of the account and the resource: does a rule break that forbids
//! this principal these accesses? Whoever is left is asked whether he may assume a role that can, from the resource backwards, so that
//! the first chain that is found is a shortest one and no pair is asked about that could not matter. One formula for all
//! chains would have a copy of the request for each step, and say no more.
//!
//! Each step stands for itself: that one session's tags are those of the next is not asked.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use keyaki_analysis::check::Witness;
use keyaki_analysis::property::{Demand, Property, Rule};
use keyaki_analysis::question::{Place, PolicyRef, Side, Subject};
use keyaki_analysis::{Question, Verdict};
use keyaki_logic::{Cancel, Reason};
use keyaki_policy::access;
use keyaki_policy::ast::{
    ActionPattern, Clause, Effect, PrincipalEntry, PrincipalKind, ResourcePattern, Statement,
};
use keyaki_policy::evaluate::{Truth, is_access};
use keyaki_policy::json::{self, Kind, Member, Value};
use keyaki_policy::policy_set::{self, PolicySet};
use keyaki_policy::{AccessPattern, Policy, PolicyType, Readings, parse};
use serde_json::json;

use crate::audit;
use crate::decisions::Decisions;
use crate::engine::Engine;
use crate::job::{EngineMaker, Inquiry, in_job};
use crate::policies::{Document, type_of_resource_policy};
use crate::reader::{Fallible, Reader, pointer};
use crate::wire::findings::{CoverageRecord, Finding, OneOrMany, RowRecord, StepRecord};
use crate::wire::{
    ErrorRecord, EvidenceName, JobResult, Request, StatementRef, VerdictName, nanoseconds,
};

/// The name of the task of listing who can do something.
pub const WHO_CAN: &str = "who-can";

/// The most principals of an account.
const MAX_PRINCIPALS: usize = 1_000;

const FORM: &str =
    r#"such as `[{"arn": "arn:aws:iam::111122223333:role/App", "identity": [{…}], "trust": {…}}]`"#;

/// Principals with their policies, and what one would like to know of them.
#[derive(Clone, Debug)]
pub struct WhoCan {
    principals: Vec<Holder>,
    /// What applies to all of them, and the policies of the resource.
    common: Common,
    account: String,
    accesses: Vec<AccessPattern>,
    decisions: Decisions,
    timeout: Duration,
    solvers: Vec<String>,
}

/// A user or role, or the root user.
#[derive(Clone, Debug)]
struct Holder {
    arn: String,
    entry: PrincipalEntry,
    identity: Vec<Held>,
    boundary: Vec<Held>,
    /// Of a role: who may assume it.
    trust: Vec<Held>,
}

/// A policy, and its text with the place in the job.
#[derive(Clone, Debug)]
struct Held {
    policy: Policy,
    document: Document,
}

#[derive(Clone, Debug, Default)]
struct Common {
    resource: Vec<Held>,
    scp: Vec<Vec<Policy>>,
    rcp: Vec<Vec<Policy>>,
    /// The texts of those of both kinds.
    of_organization: Vec<Document>,
}

/// How a principal gets there.
#[derive(Clone)]
struct Way {
    /// The position of the role that it assumes, if it does, and how.
    through: Option<(usize, Step)>,
    /// The access itself, if it needs no role.
    access: Option<Step>,
}

/// One request of a way.
#[derive(Clone)]
struct Step {
    witness: Box<Witness>,
    statements: Vec<StatementRef>,
    depends_on: Vec<String>,
}

/// What is known of one step.
enum Asked {
    Can(Step),
    Cannot,
    Unknown(Reason),
}

impl WhoCan {
    /// Reads a job from a file, with accesses from elsewhere if there are some. Its `question` may be left out.
    ///
    /// # Errors
    ///
    /// The first mistake, with its place in the file.
    pub fn from_file(
        text: &str,
        accesses: Vec<AccessPattern>,
        timeout: Duration,
    ) -> Result<WhoCan, Box<ErrorRecord>> {
        let job = json::read(text).map_err(in_job)?;
        let reader = Reader { source: text, is_file: true };
        let Kind::Object(members) = job.kind else {
            return Err(reader.wrong_at(job.span, "", "a job is an object"));
        };
        WhoCan::read(reader, members, accesses, timeout)
    }

    /// Lowers the time limit to `most`.
    pub(crate) fn limit(&mut self, most: Duration) {
        self.timeout = self.timeout.min(most);
    }

    /// Reads the members of a job.
    pub(crate) fn read<'s>(
        reader: Reader<'s>,
        members: Vec<Member<'s>>,
        accesses: Vec<AccessPattern>,
        timeout: Duration,
    ) -> Fallible<WhoCan> {
        let mut read = WhoCan {
            principals: Vec::new(),
            common: Common::default(),
            account: String::new(),
            accesses,
            decisions: Decisions::default(),
            timeout,
            solvers: Vec::new(),
        };
        let mut resource_type = None;
        let (mut principals, mut policies) = (None, None);
        for Member { key, value, .. } in members {
            let path = pointer("", &key);
            match &*key {
                "id" | "question" => {}
                "access" => read.accesses = reader.accesses(&value, &path)?,
                "resource_account" => read.account = reader.account(&value, &path)?,
                "resource_type" => resource_type = Some(reader.string(&value, &path)?.to_owned()),
                "decisions" => read.decisions = reader.decisions(&value, &path)?,
                "timeout_ms" => read.timeout = reader.milliseconds(&value, &path)?,
                "principals" => principals = Some(value),
                "policies" => policies = Some(value),
                "solvers" => {
                    let Kind::Array(names) = &value.kind else {
                        return Err(reader.wrong(&value, &path, "`solvers` is a list of names"));
                    };
                    for name in names {
                        read.solvers.push(reader.string(name, &path)?.to_owned());
                    }
                }
                other => {
                    let message = format!("a `{WHO_CAN}` job has no member `{other}`");
                    return Err(reader.wrong(&value, &path, &message));
                }
            }
        }
        let missing = |message: &str, hint: &str| {
            let hint = Some(hint.to_owned());
            Box::new(ErrorRecord { hint, ..ErrorRecord::new("invalid-job", message) })
        };
        if read.account.is_empty() {
            let message = format!("`{WHO_CAN}` takes a `resource_account`, and has none");
            return Err(missing(&message, "the account of the principals and of the resource"));
        }
        if read.accesses.is_empty() {
            let message = format!("`{WHO_CAN}` takes a list of accesses, and has none");
            return Err(missing(
                &message,
                r#"`access`, such as `[{"actions": ["s3:PutObject"]}]`"#,
            ));
        }
        let Some(principals) = principals else {
            return Err(missing(&format!("`{WHO_CAN}` takes `principals`, and has none"), FORM));
        };
        let of_resource = type_of_resource_policy(resource_type.as_deref());
        if let Some(value) = policies {
            read.common = reader.common(value, of_resource)?;
        }
        read.principals = reader.holders(principals, &read.account)?;
        Ok(read)
    }

    /// Lists who can. Engines are made by `engine` from the names of solvers.
    pub fn answer(&self, engine: &EngineMaker<'_>, cancel: &Cancel) -> JobResult {
        let start = Instant::now();
        let mut result = match engine(&self.solvers) {
            Ok(engine) => Search { job: self, engine: &engine, cancel, start }
                .run()
                .unwrap_or_else(|broken| *broken),
            Err(error) => JobResult { error: Some(error), ..JobResult::default() },
        };
        result.question = Some(WHO_CAN.to_owned());
        result.elapsed_ns = Some(nanoseconds(start.elapsed()));
        result
    }
}

struct Search<'a> {
    job: &'a WhoCan,
    engine: &'a Engine,
    cancel: &'a Cancel,
    start: Instant,
}

impl Search<'_> {
    fn run(&self) -> Result<JobResult, Box<JobResult>> {
        let principals = &self.job.principals;
        let mut ways: Vec<Option<Way>> = vec![None; principals.len()];
        let mut unknown: Vec<Option<Reason>> = vec![None; principals.len()];
        let mut reached = VecDeque::new();
        for (position, holder) in principals.iter().enumerate() {
            let resource = &self.job.common.resource;
            match self.ask(holder, resource, &self.job.accesses)? {
                Asked::Can(step) => {
                    ways[position] = Some(Way { through: None, access: Some(step) });
                    reached.push_back(position);
                }
                Asked::Cannot => {}
                Asked::Unknown(reason) => unknown[position] = Some(reason),
            }
        }
        // Whom it was not found out of may be a step, too: who gets to him is not known either.
        let open: Vec<usize> = (0..principals.len()).filter(|at| unknown[*at].is_some()).collect();
        while let Some(role) = reached.pop_front() {
            for position in self.who_assumes(role, &mut ways, &mut unknown)? {
                reached.push_back(position);
            }
        }
        let mut open = VecDeque::from(open);
        while let Some(role) = open.pop_front() {
            let mut of_open = ways.clone();
            for position in self.who_assumes(role, &mut of_open, &mut unknown)? {
                if unknown[position].is_none() {
                    unknown[position] = unknown[role];
                    open.push_back(position);
                }
            }
        }
        Ok(self.result(&ways, &unknown))
    }

    /// The principals without a way that may assume the role; from now on they have one.
    fn who_assumes(
        &self,
        role: usize,
        ways: &mut [Option<Way>],
        unknown: &mut [Option<Reason>],
    ) -> Result<Vec<usize>, Box<JobResult>> {
        let target = &self.job.principals[role];
        let mut found = Vec::new();
        if !matches!(target.entry.kind, PrincipalKind::Role(_)) {
            return Ok(found);
        }
        let accesses = [assume(&target.arn).map_err(broken)?];
        for (position, holder) in self.job.principals.iter().enumerate() {
            // The root user cannot call `AssumeRole`.
            let is_asked = position != role && ways[position].is_none() && !holder.is_root();
            if !is_asked || !may_assume(holder, target) {
                continue;
            }
            match self.ask(holder, &target.trust, &accesses)? {
                Asked::Can(step) => {
                    ways[position] = Some(Way { through: Some((role, step)), access: None });
                    found.push(position);
                }
                Asked::Cannot => {}
                Asked::Unknown(reason) => {
                    unknown[position].get_or_insert(reason);
                }
            }
        }
        Ok(found)
    }

    /// Whether the principal, with its policies and those of a resource, can do one of these.
    fn ask(
        &self,
        holder: &Holder,
        resource: &[Held],
        accesses: &[AccessPattern],
    ) -> Result<Asked, Box<JobResult>> {
        let Some(left) = self.job.timeout.checked_sub(self.start.elapsed()) else {
            return Ok(Asked::Unknown(Reason::Timeout));
        };
        let policies = |held: &[Held]| held.iter().map(|held| held.policy.clone()).collect();
        let set = PolicySet {
            identity: policies(&holder.identity),
            boundary: policies(&holder.boundary),
            resource: Some(policies(resource)),
            scp: self.job.common.scp.clone(),
            rcp: self.job.common.rcp.clone(),
            ..PolicySet::default()
        };
        let rules = accesses.iter().map(|access| never(holder, access, &self.job.account));
        let property = Property { rules: rules.collect::<Result<_, _>>().map_err(broken)? };
        let question = Question::Custom { policy: Subject::Set(Box::new(set)), property };
        let WhoCan { decisions, common, .. } = self.job;
        let texts = || holder.documents(resource).chain(&common.of_organization);
        let report = match self.engine.audits(texts().map(|document| &*document.source)) {
            true => {
                let inquiry = Inquiry {
                    question,
                    documents: texts().cloned().collect(),
                    timeout: left,
                    solvers: Vec::new(),
                    decisions: decisions.clone(),
                    certificate: None,
                    explain: false,
                    notes: Vec::new(),
                };
                audit::report(WHO_CAN, &inquiry, self.engine, self.cancel)?
            }
            false => self.engine.check_within(&question, decisions, left, self.cancel),
        };
        let report = report.map_err(|error| Box::new(JobResult::of_error(&error)))?;
        Ok(match report.verdict {
            Verdict::Holds(_) => Asked::Cannot,
            Verdict::Unknown { reason, .. } => Asked::Unknown(reason),
            Verdict::Fails(witness) => {
                let statement = |&(at, index): &(PolicyRef, usize)| {
                    let held = match at.place {
                        Place::Set(policy_set::Place::Identity(i)) => holder.identity.get(i)?,
                        Place::Set(policy_set::Place::Resource(i)) => resource.get(i)?,
                        _ => return None,
                    };
                    let sid = held.policy.statements.get(index)?.sid.clone();
                    Some(StatementRef { policy: held.document.pointer.clone(), index, sid })
                };
                let statements = witness.statements.iter().filter_map(statement).collect();
                let depends_on = report.depends_on.iter();
                let depends_on = depends_on.map(|switch| switch.name().to_owned()).collect();
                Asked::Can(Step { witness: Box::new(witness), statements, depends_on })
            }
        })
    }

    fn result(&self, ways: &[Option<Way>], unknown: &[Option<Reason>]) -> JobResult {
        let mut rows = Vec::new();
        let (mut n_can, mut reason) = (0, None);
        for (position, holder) in self.job.principals.iter().enumerate() {
            let mut row = RowRecord {
                principal: Some([("AWS".to_owned(), OneOrMany::One(holder.arn.clone()))].into()),
                action: listed(&self.job.accesses, |access| {
                    access.actions().iter().map(|entry| entry.text.clone()).collect()
                }),
                resource: listed(&self.job.accesses, |access| {
                    access.resources().iter().map(|entry| entry.template.to_string()).collect()
                }),
                ..RowRecord::default()
            };
            if ways[position].is_some() {
                n_can += 1;
                self.tell(&mut row, position, ways);
            } else if let Some(why) = unknown[position] {
                reason.get_or_insert(why);
                row.reason = Some(why.into());
            } else {
                continue;
            }
            rows.push(Finding::Access(Box::new(row)));
        }
        let verdict = match (n_can, reason) {
            (0, None) => VerdictName::Holds,
            (0, Some(_)) => VerdictName::Unknown,
            _ => VerdictName::Fails,
        };
        let is_known = reason.is_none();
        JobResult {
            verdict: Some(verdict),
            reason: reason.filter(|_| verdict == VerdictName::Unknown).map(Into::into),
            evidence: match verdict {
                VerdictName::Holds => Some(EvidenceName::Claimed),
                VerdictName::Fails => Some(EvidenceName::Replayed),
                VerdictName::Unknown => None,
            },
            findings: Some(rows),
            coverage: Some(CoverageRecord {
                verdict: if is_known { VerdictName::Holds } else { VerdictName::Unknown },
                precise_rows: n_can,
                is_least: is_known,
                evidence: is_known.then_some(EvidenceName::Claimed),
                reason: reason.map(Into::into),
                unsupported: Vec::new(),
            }),
            ..JobResult::default()
        }
    }

    /// The way of a principal: the roles that it passes, and the access at the end.
    fn tell(&self, row: &mut RowRecord, position: usize, ways: &[Option<Way>]) {
        let mut at = position;
        // Each role is passed once.
        for _ in 0..ways.len() {
            let Some(way) = &ways[at] else { return };
            if let Some(access) = &way.access {
                row.witness = Some(Request::from(&access.witness.request));
                row.statements = access.statements.clone();
                row.depends_on.extend(access.depends_on.iter().cloned());
            }
            let Some((role, step)) = &way.through else { break };
            row.depends_on.extend(step.depends_on.iter().cloned());
            row.through.push(StepRecord {
                role: self.job.principals[*role].arn.clone(),
                witness: Request::from(&step.witness.request),
                statements: step.statements.clone(),
            });
            at = *role;
        }
        row.depends_on.sort();
        row.depends_on.dedup();
    }
}

impl Holder {
    /// The texts of its policies and of those of a resource.
    fn documents<'h>(&'h self, resource: &'h [Held]) -> impl Iterator<Item = &'h Document> {
        let all = self.identity.iter().chain(&self.boundary).chain(resource);
        all.map(|held| &held.document)
    }

    fn is_root(&self) -> bool {
        matches!(self.entry.kind, PrincipalKind::Account { .. })
    }
}

/// False only if no statement grants the principal that it assume the role: neither one of its own about the role, nor one of the
/// trust policy that names more than the account. Of most pairs the texts tell that.
fn may_assume(holder: &Holder, role: &Holder) -> bool {
    let request = keyaki_policy::Request {
        action: "sts:AssumeRole".to_owned(),
        resource: role.arn.clone(),
        ..keyaki_policy::Request::default()
    };
    let matches = |action: Option<&Clause<ActionPattern>>,
                   resource: Option<&Clause<ResourcePattern>>| {
        let access = AccessPattern { action: action.cloned(), resource: resource.cloned() };
        is_access(&access, &request, Readings::DEFAULT).0 != Truth::False
    };
    let is_about_role = |statement: &Statement| {
        let resources = statement.resource.iter().flat_map(|clause| &clause.entries);
        // What hangs on the request, or is cut short, may match.
        let is_open = |entry: &ResourcePattern| {
            let text = entry.template.to_string();
            entry.template.has_variable() || text.split(':').count() < 6
        };
        statement.effect == Effect::Allow
            && matches(Some(&statement.action), None)
            && (resources.clone().any(is_open) || matches(None, statement.resource.as_ref()))
    };
    let lets_in = |statement: &Statement| {
        let names_account =
            |entry: &PrincipalEntry| matches!(entry.kind, PrincipalKind::Account { .. });
        let accounts_only = |clause: &Clause<PrincipalEntry>| {
            !clause.negated && clause.entries.iter().all(names_account)
        };
        statement.effect == Effect::Allow
            && !statement.principal.as_ref().is_some_and(accounts_only)
    };
    let mut own = holder.identity.iter().flat_map(|held| &held.policy.statements);
    let mut of_role = role.trust.iter().flat_map(|held| &held.policy.statements);
    own.any(is_about_role) || of_role.any(lets_in)
}

/// What the accesses list, without repetition; `*` if one lists nothing.
fn listed(
    accesses: &[AccessPattern],
    texts: impl Fn(&AccessPattern) -> Vec<String>,
) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for text in accesses.iter().flat_map(|access| {
        let texts = texts(access);
        if texts.is_empty() { vec!["*".to_owned()] } else { texts }
    }) {
        if !all.contains(&text) {
            all.push(text);
        }
    }
    all
}

/// An error as what a task comes to.
fn broken(error: ErrorRecord) -> Box<JobResult> {
    Box::new(JobResult { error: Some(error), ..JobResult::default() })
}

/// The rule that the principal has none of the accesses to what the account owns.
fn never(holder: &Holder, access: &AccessPattern, account: &str) -> Result<Rule, ErrorRecord> {
    let any = |texts: Vec<String>| if texts.is_empty() { vec!["*".to_owned()] } else { texts };
    let actions = access.actions().iter().map(|entry| entry.text.clone()).collect();
    let resources: Vec<String> =
        access.resources().iter().map(|entry| entry.template.to_string()).collect();
    // What is no resource has no account; it is about the caller's.
    let operator = if resources.is_empty() { "StringEqualsIfExists" } else { "StringEquals" };
    let mut condition = json!({operator: {"aws:ResourceAccount": account}});
    if holder.is_root() {
        // As an entry it would be the whole account.
        condition["ArnEquals"] = json!({"aws:PrincipalArn": holder.arn});
    }
    let scope = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"AWS": holder.entry.text}, "Action": any(actions),
        "Resource": any(resources), "Condition": condition,
    }]});
    let scope = parse(&scope.to_string(), Some(PolicyType::Resource))
        .map_err(|error| ErrorRecord::new("invalid-job", error.message))?;
    Ok(Rule { demand: Demand::Never, scope, outside: None })
}

/// Assuming the role of this ARN.
fn assume(role: &str) -> Result<AccessPattern, ErrorRecord> {
    let wrong = |mistake: access::Mistake| ErrorRecord::new("invalid-job", mistake.message);
    let action = access::action("sts:AssumeRole").map_err(wrong)?;
    let resource = access::resource(role).map_err(wrong)?;
    Ok(AccessPattern::new(Some(vec![action]), Some(vec![resource])))
}

impl<'s> Reader<'s> {
    /// The policies that apply to all, and those of the resource.
    fn common(&self, mut value: Value<'s>, of_resource: PolicyType) -> Fallible<Common> {
        let mut sources = Vec::new();
        let path = "/policies";
        let shape = self.set(&mut value, path, Side::Policy, &mut sources)?;
        let mut parsed = Vec::new();
        let (mut resource, mut of_organization) = (Vec::new(), Vec::new());
        for source in &sources {
            let kind = source.document.policy_type().unwrap_or(of_resource);
            let policy = source.parse(Some(kind)).map_err(Box::new)?;
            match source.document.at.place {
                Place::Set(policy_set::Place::Resource(_)) => {
                    resource.push(Held { policy, document: source.document.clone() });
                }
                Place::Set(policy_set::Place::Scp(..) | policy_set::Place::Rcp(..)) => {
                    of_organization.push(source.document.clone());
                    parsed.push((&source.document, policy));
                }
                _ => {
                    let message =
                        "here stand `resource`, `scp` and `rcp`, which are of all principals";
                    return Err(self.wrong(&value, path, message));
                }
            }
        }
        let set = shape.set(parsed.into_iter());
        Ok(Common { resource, scp: set.scp, rcp: set.rcp, of_organization })
    }

    /// The principals of an account.
    fn holders(&self, value: Value<'s>, account: &str) -> Fallible<Vec<Holder>> {
        let path = "/principals";
        let Kind::Array(entries) = value.kind else {
            return Err(self.wrong_at(value.span, path, "`principals` is a list"));
        };
        if entries.len() > MAX_PRINCIPALS {
            let message = format!("{} principals; the limit is {MAX_PRINCIPALS}", entries.len());
            return Err(self.wrong_at(value.span, path, &message));
        }
        let entries = entries.into_iter().enumerate();
        entries
            .map(|(index, entry)| self.holder(entry, &format!("{path}/{index}"), account))
            .collect()
    }

    fn holder(&self, value: Value<'s>, path: &str, account: &str) -> Fallible<Holder> {
        let span = value.span;
        let Kind::Object(members) = value.kind else {
            return Err(self.wrong_at(span, path, "a principal is an object with an `arn`"));
        };
        let (mut arn, mut identity, mut boundary, mut trust) = (None, vec![], vec![], vec![]);
        for Member { key, mut value, .. } in members {
            let path = pointer(path, &key);
            match &*key {
                "arn" => arn = Some((self.string(&value, &path)?.to_owned(), value.span)),
                "identity" => {
                    let place = policy_set::Place::Identity;
                    identity = self.held(&mut value, &path, PolicyType::Identity, place)?;
                }
                "boundary" => {
                    let place = policy_set::Place::Boundary;
                    boundary = self.held(&mut value, &path, PolicyType::Boundary, place)?;
                }
                "trust" => {
                    let place = policy_set::Place::Resource;
                    trust = self.held(&mut value, &path, PolicyType::Trust, place)?;
                }
                other => {
                    let message = format!("a principal has no member `{other}`");
                    return Err(self.wrong_with_hint(&value, &path, &message, FORM));
                }
            }
        }
        let Some((arn, at)) = arn else {
            return Err(self.wrong_at(span, path, "a principal has an `arn`"));
        };
        let entry = principal(&arn).filter(|entry| match &entry.kind {
            PrincipalKind::User(arn) | PrincipalKind::Role(arn) => arn.account == account,
            // That of the root user, not the account's number.
            PrincipalKind::Account { partition: Some(_), account: of } => of == account,
            _ => false,
        });
        let Some(entry) = entry else {
            let path = pointer(path, "arn");
            let message =
                format!("`{arn}` is no ARN of a user, role or root user of account {account}");
            return Err(self.wrong_at(at, &path, &message));
        };
        let is_root = matches!(entry.kind, PrincipalKind::Account { .. });
        if is_root && !(identity.is_empty() && boundary.is_empty() && trust.is_empty()) {
            let message = "the root user has no policies of its own";
            return Err(self.wrong_at(at, &pointer(path, "arn"), message));
        }
        Ok(Holder { arn, entry, identity, boundary, trust })
    }

    /// A policy, or a list of them.
    fn held(
        &self,
        value: &mut Value<'s>,
        path: &str,
        policy_type: PolicyType,
        place: impl Fn(usize) -> policy_set::Place,
    ) -> Fallible<Vec<Held>> {
        let mut sources = Vec::new();
        let place = |index| PolicyRef { side: Side::Policy, place: Place::Set(place(index)) };
        self.policies(value, path, &place, &mut sources)?;
        let held = sources.iter().map(|source| {
            let policy = source.parse(Some(policy_type)).map_err(Box::new)?;
            Ok(Held { policy, document: source.document.clone() })
        });
        held.collect()
    }
}

/// The entry of a policy that names this principal.
fn principal(arn: &str) -> Option<PrincipalEntry> {
    let text = json!({"Statement": [{
        "Effect": "Allow", "Principal": {"AWS": arn}, "Action": "*", "Resource": "*",
    }]});
    let policy = parse(&text.to_string(), Some(PolicyType::Resource)).ok()?;
    let statement = policy.statements.into_iter().next()?;
    statement.principal?.entries.into_iter().next()
}
