//! The job `findings`: who breaks a property, as rows.
//!
//! It is read as the question that it lists the rows of: `no-external-access` if it has a `policy`, `no-new-access` if it has
//! `existing` and `new`. A reader of its own would have to say of every member again what it means.

use std::collections::BTreeMap;
use std::time::Instant;

use keyaki_analysis::findings::{Cause, Coverage, Findings, Row, Wanted};
use keyaki_analysis::question::{PolicyRef, Side};
use keyaki_analysis::{Question, public};
use keyaki_logic::Cancel;
use keyaki_policy::ast::{
    Clause, Condition, Effect, PrincipalEntry, PrincipalKind, ResourcePattern, Statement,
};
use keyaki_policy::{Readings, Switch};

use crate::audit;
use crate::job::{EngineMaker, Inquiry};
use crate::wire::findings::{CoverageRecord, Finding, OneOrMany, RowRecord};
use crate::wire::{AttemptRecord, EvidenceName, JobResult, Request, VerdictName, nanoseconds};

/// The name of the task of listing who breaks a property.
pub const FINDINGS: &str = "findings";

/// A question whose rows are wanted.
#[derive(Clone, Debug)]
pub struct FindingsInquiry {
    /// The question.
    pub inquiry: Inquiry,
    /// Every precise row, instead of the fewest that cover everything.
    pub all: bool,
    /// CloudFormation name of the resource's type.
    pub resource_type: Option<String>,
}

/// The question of which a job with policies on these sides wants the rows.
pub fn question_of(sides: impl IntoIterator<Item = Side>) -> &'static str {
    match sides.into_iter().any(|side| side != Side::Policy) {
        true => "no-new-access",
        false => "no-external-access",
    }
}

impl FindingsInquiry {
    /// Lists the rows. Engines are made by `engine` from the names of solvers.
    pub fn answer(&self, engine: &EngineMaker<'_>, cancel: &Cancel) -> JobResult {
        let start = Instant::now();
        let Inquiry { question, timeout, solvers, decisions, .. } = &self.inquiry;
        let wanted = Wanted { all: self.all, table: self.table() };
        let mut result = match engine(solvers) {
            Err(error) => JobResult { error: Some(error), ..JobResult::default() },
            Ok(engine) => {
                let found = match self.inquiry.is_audited(&engine) {
                    true => audit::rows(FINDINGS, &self.inquiry, wanted, &engine, cancel),
                    false => {
                        let all =
                            engine.findings_within(question, wanted, decisions, *timeout, cancel);
                        Ok(all)
                    }
                };
                match found {
                    Err(incident) => *incident,
                    Ok(Err(error)) => JobResult::of_error(&error),
                    Ok(Ok(found)) => self.report(found),
                }
            }
        };
        result.question = Some(FINDINGS.to_owned());
        result.elapsed_ns = Some(nanoseconds(start.elapsed()));
        result
    }

    /// What is public, if that is known of the type of the resource.
    fn table(&self) -> Option<&'static public::Table> {
        let name = self.resource_type.as_deref().unwrap_or(public::DEFAULT_RESOURCE_TYPE);
        public::table(name, public::Reading::Documented).ok()
    }

    fn report(&self, found: Findings) -> JobResult {
        let is_shown = |row: &Row| matches!(row.cause, Cause::Shown { .. });
        let is_complete = matches!(found.coverage, Coverage::Complete(_));
        let verdict = match (found.rows.iter().any(is_shown), found.rows.is_empty()) {
            (true, _) => VerdictName::Fails,
            (false, true) if is_complete => VerdictName::Holds,
            (false, _) => VerdictName::Unknown,
        };
        let mut coverage = CoverageRecord {
            verdict: VerdictName::Unknown,
            precise_rows: found.n_precise,
            is_least: found.is_least,
            evidence: None,
            reason: None,
            unsupported: Vec::new(),
        };
        let mut result = JobResult {
            verdict: Some(verdict),
            solver: found.solver.or_else(|| Some("simplifier".to_owned())),
            attempts: found.attempts.iter().map(AttemptRecord::from).collect(),
            ..JobResult::default()
        };
        match found.coverage {
            Coverage::Complete(evidence) => {
                coverage.verdict = VerdictName::Holds;
                coverage.evidence = Some(evidence.into());
            }
            Coverage::Unknown { reason, unsupported } => {
                coverage.reason = Some(reason.into());
                coverage.unsupported = self.inquiry.constructs(unsupported);
            }
        }
        result.evidence = match verdict {
            VerdictName::Fails => Some(EvidenceName::Replayed),
            VerdictName::Holds => coverage.evidence,
            VerdictName::Unknown => None,
        };
        let rows: Vec<RowRecord> = found.rows.into_iter().map(|row| self.row(row)).collect();
        if verdict == VerdictName::Unknown {
            let undecided = rows.iter().find_map(|row| row.reason);
            result.reason = undecided.or(coverage.reason);
            let constructs = rows.iter().flat_map(|row| row.unsupported.clone());
            result.unsupported = constructs.chain(coverage.unsupported.clone()).collect();
            result.unsupported.dedup();
        }
        result.findings =
            Some(rows.into_iter().map(|row| Finding::Access(Box::new(row))).collect());
        result.coverage = Some(coverage);
        result
    }

    fn row(&self, row: Row) -> RowRecord {
        let Row { statement, cause, is_public } = row;
        let mut record = RowRecord {
            principal: names_principals(&self.inquiry.question)
                .then(|| principals(statement.principal.as_ref())),
            action: match statement.action.negated {
                false => statement.action.entries.iter().map(|entry| entry.text.clone()).collect(),
                true => vec!["*".to_owned()],
            },
            resource: resources(statement.resource.as_ref()),
            is_public,
            ..RowRecord::default()
        };
        (record.condition, record.operators) = conditions(&statement);
        match cause {
            Cause::Shown { witness, under, depends_on } => {
                let statements = witness.statements.iter();
                record.statements =
                    statements.map(|&(at, index)| self.inquiry.statement(at, index)).collect();
                record.witness = Some(Request::from(&witness.request));
                record.witness_under = self.told(under, &depends_on);
                record.depends_on =
                    depends_on.iter().map(|switch| switch.name().to_owned()).collect();
            }
            Cause::Undecided { reason, unsupported } => {
                record.reason = Some(reason.into());
                record.unsupported = self.inquiry.constructs(unsupported);
            }
        }
        record
    }

    /// The readings of which a witness has to tell.
    fn told(&self, under: Readings, depends_on: &[Switch]) -> BTreeMap<String, String> {
        self.inquiry
            .told(under, depends_on)
            .map(|switch| (switch.name().to_owned(), under.of(switch).to_owned()))
            .collect()
    }
}

/// Whether some policy that grants says whom it is about.
fn names_principals(question: &Question) -> bool {
    let grants = |(_, policy): (PolicyRef, &keyaki_policy::Policy)| {
        let allows = |statement: &Statement| statement.effect == Effect::Allow;
        policy.policy_type.names_principals() && policy.statements.iter().any(allows)
    };
    question.policies().any(grants)
}

/// The principals of a row by what kind of entry each is. Whom a row that is a statement as it stands leaves out is not told, so
/// that it covers what it should.
fn principals(clause: Option<&Clause<PrincipalEntry>>) -> BTreeMap<String, OneOrMany> {
    let mut by_kind: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let everybody = || ("AWS", "*".to_owned());
    let mut add = |(kind, text): (&str, String)| {
        by_kind.entry(kind.to_owned()).or_default().push(text);
    };
    match clause {
        Some(clause) if !clause.negated => {
            clause.entries.iter().for_each(|entry| add(principal(entry)));
        }
        _ => add(everybody()),
    }
    by_kind.into_iter().map(|(kind, texts)| (kind, one_or_many(texts))).collect()
}

/// One principal: the kind of entry, and how IAM Access Analyzer names it.
fn principal(entry: &PrincipalEntry) -> (&'static str, String) {
    use PrincipalKind::*;
    match &entry.kind {
        Everyone | EveryAwsPrincipal => ("AWS", "*".to_owned()),
        Account { partition, account } if partition.as_deref().is_none_or(|p| p == "aws") => {
            ("AWS", account.clone())
        }
        Account { .. }
        | User(_)
        | Role(_)
        | RoleSession { .. }
        | FederatedUser(_)
        | UniqueId(_) => ("AWS", entry.text.clone()),
        Service(name) => ("Service", name.clone()),
        Federated(provider) => ("Federated", provider.clone()),
        CanonicalUser(id) => ("CanonicalUser", id.clone()),
    }
}

fn resources(clause: Option<&Clause<ResourcePattern>>) -> Vec<String> {
    match clause {
        Some(clause) if !clause.negated => {
            clause.entries.iter().map(|entry| entry.template.to_string()).collect()
        }
        _ => vec!["*".to_owned()],
    }
}

/// The conditions of a row, and their operators. Of a statement as it stands those are left out that are no pattern of a value:
/// without them a row covers more.
fn conditions(statement: &Statement) -> (BTreeMap<String, OneOrMany>, BTreeMap<String, String>) {
    let (mut patterns, mut operators) = (BTreeMap::new(), BTreeMap::new());
    let is_pattern = |condition: &&Condition| {
        !condition.operator.base.is_negated() && !condition.operator.if_exists
    };
    for condition in statement.conditions.iter().filter(is_pattern) {
        if patterns.contains_key(&condition.key) {
            continue;
        }
        let values = condition.values.iter().map(|value| value.template.to_string()).collect();
        patterns.insert(condition.key.clone(), one_or_many(values));
        operators.insert(condition.key.clone(), condition.operator.to_string());
    }
    (patterns, operators)
}

fn one_or_many(mut texts: Vec<String>) -> OneOrMany {
    match texts.pop() {
        Some(text) if texts.is_empty() => OneOrMany::One(text),
        Some(text) => {
            texts.push(text);
            OneOrMany::Many(texts)
        }
        None => OneOrMany::Many(texts),
    }
}
