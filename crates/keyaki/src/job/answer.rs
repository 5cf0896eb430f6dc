//! What an inquiry comes to: the answer, better evidence of it where that is wanted or due, and all of it as results have it.
//!
//! That certificates were made where the answer is found was not taken: what nobody asks for need not be on the way.

use std::time::{Duration, Instant};

use keyaki_analysis::certify::{Refuted, of_statements};
use keyaki_analysis::check::Witness;
use keyaki_analysis::encode::Encoding;
use keyaki_analysis::question::{PolicyRef, Side};
use keyaki_analysis::replay::{admitted_addresses, broken_rules};
use keyaki_analysis::{Error, Question, Report, Unsupported, Verdict};
use keyaki_logic::Cancel;
use keyaki_logic::certificate::{Certificate, Part};
use keyaki_policy::{Readings, Switch};
use keyaki_verify::Rejection;

use super::{EngineMaker, Inquiry};
use crate::attached;
use crate::audit;
use crate::audit::formulas::{self, Rechecked, is_of_cover};
use crate::engine::Engine;
use crate::explanation;
use crate::policies::Document;
use crate::wire::{
    AttemptRecord, Construct, ErrorRecord, EvidenceName, JobResult, RelationName, Request,
    StatementRef, VerdictName, nanoseconds,
};

/// How long the embedded solver may try to prove what an external one claims.
const KERNEL_BUDGET: Duration = Duration::from_secs(2);

/// How long it may try to say what `cover` has said.
const RECHECK_BUDGET: Duration = Duration::from_secs(1);

/// What was found on the way to an answer and a certificate can be made of.
#[derive(Default)]
struct Found {
    /// Rows about statements.
    table: Option<String>,
    /// The question's formulas.
    encoding: Option<Box<Encoding>>,
}

impl Inquiry {
    /// Answers the inquiry. Engines are made by `engine` from the names of solvers.
    pub fn answer(&self, engine: &EngineMaker<'_>, cancel: &Cancel) -> JobResult {
        let start = Instant::now();
        let mut result = match engine(&self.solvers) {
            Err(error) => JobResult { error: Some(error), ..JobResult::default() },
            Ok(engine) => {
                let (mut result, found) = self.ask(&engine, cancel);
                if result.verdict == Some(VerdictName::Holds) {
                    self.assure(&mut result, found, &engine, start, cancel);
                }
                result
            }
        };
        result.notes.clone_from(&self.notes);
        result.question = Some(self.question.name().to_owned());
        if let Question::NoPublicAccess { table, .. } = &self.question {
            result.reading = Some(table.title());
            result.resource_type = Some(table.resource_type.clone());
        }
        result.assumed = attached::names(&self.documents);
        result.elapsed_ns = Some(nanoseconds(start.elapsed()));
        result
    }

    /// Looks for better evidence that the property holds: a certificate, if one is wanted, or if all there is is the word of one
    /// external solver; then a proof of that solver
    /// that another program accepts; then the word of another. What was not asked for ends when the answer would have had to be there.
    fn assure(
        &self,
        result: &mut JobResult,
        found: Found,
        engine: &Engine,
        start: Instant,
        cancel: &Cancel,
    ) {
        let left = || self.timeout.saturating_sub(start.elapsed());
        let winner = result.solver.clone().unwrap_or_default();
        let is_external = engine.definitions().iter().any(|solver| solver.name == winner);
        let is_claimed = result.evidence == Some(EvidenceName::Claimed);
        let needs_more = is_external && is_claimed && engine.is_free() && self.solvers.is_empty();
        if let Some(timeout) = self.certificate {
            let of_table =
                found.table.and_then(|table| of_statements(&self.question, &table).ok()?);
            match of_table {
                Some(certificate) => {
                    result.evidence = Some(EvidenceName::Certified);
                    result.certificate = Some(certificate);
                }
                // What the checker does not see in the texts it may see in formulas.
                None => self.certify(result, found.encoding.as_deref(), timeout, cancel),
            }
        } else if needs_more {
            self.certify(result, None, left().min(KERNEL_BUDGET), cancel);
            // Nobody has asked for the text.
            (result.certificate, result.uncertified) = (None, None);
        }
        if result.evidence == Some(EvidenceName::Certified) {
            return;
        }
        if is_of_cover(result) {
            // What nobody could certify, and some of what nobody tried to, is put to a solver that knows nothing of the texts.
            let timeout = match self.certificate {
                Some(_) => engine.is_free().then(left),
                None => engine.rechecks(self.texts()).then(|| left().min(RECHECK_BUDGET)),
            };
            let rechecked = timeout.map(|timeout| formulas::of(self, engine, timeout, cancel));
            if let Some(Rechecked::Disagreed(incident)) = rechecked {
                *result = *incident;
            }
            return;
        }
        if !needs_more {
            return;
        }
        let decisions = &self.decisions;
        let proved = engine.proved(&winner, &self.question, decisions, left(), cancel);
        if let Some((checker, Ok(Report { verdict: Verdict::Holds(_), .. }))) = proved {
            result.evidence = Some(EvidenceName::Certified);
            result.checker = Some(checker);
            return;
        }
        let Some(second) =
            engine.second_opinion(&winner, &self.question, decisions, left(), cancel)
        else {
            return;
        };
        match second.map(|report| report.verdict) {
            Ok(Verdict::Holds(_)) => result.evidence = Some(EvidenceName::Agreed),
            Ok(Verdict::Fails(_)) => {
                let message = format!("contradictory answers: unsat by {winner}, sat by another");
                *result = JobResult {
                    error: Some(ErrorRecord::new("contradiction", message)),
                    attempts: std::mem::take(&mut result.attempts),
                    ..JobResult::default()
                };
            }
            // What another does not know says nothing.
            Ok(Verdict::Unknown { .. }) | Err(_) => {}
        }
    }

    /// Adds a certificate that the checker has accepted, or why there is none.
    fn certify(
        &self,
        result: &mut JobResult,
        encoding: Option<&Encoding>,
        timeout: Duration,
        cancel: &Cancel,
    ) {
        let refuted = match encoding {
            Some(encoding) => Engine::certify_encoded(encoding, timeout, cancel),
            None => Engine::certify(&self.question, &self.decisions, timeout, cancel),
        };
        match refuted.map(|refuted| refuted.map(|refuted| self.certificate_of(refuted))) {
            Ok(Some(Ok(certificate))) => {
                result.evidence = Some(EvidenceName::Certified);
                result.certificate = Some(certificate.text);
            }
            Ok(Some(Err(rejection))) => {
                result.uncertified =
                    Some(format!("the checker rejects what was made: {rejection}"));
            }
            Ok(None) => {
                let reason = "the embedded solver has no proof of each way to break the property";
                result.uncertified = Some(reason.to_owned());
            }
            Err(error) => result.uncertified = Some(error.to_string()),
        }
    }

    /// What was refuted, as a certificate that the checker accepts.
    fn certificate_of(&self, refuted: Vec<Refuted>) -> Result<Certificate, Rejection> {
        let part = |Refuted { through, formula, proof }| {
            let label = match through {
                Some((at, index)) => {
                    let statement = self.statement(at, index);
                    format!("through statement {index} of {}", statement.policy)
                }
                None => "through no statement".to_owned(),
            };
            Part { label, formula, proof }
        };
        let parts: Vec<Part> = refuted.into_iter().map(part).collect();
        let certificate = Certificate::new(&parts);
        keyaki_verify::verify(certificate.text.as_bytes()).map(|_| certificate)
    }

    /// The answer, and what of it a certificate can be made of if one is wanted.
    fn ask(&self, engine: &Engine, cancel: &Cancel) -> (JobResult, Found) {
        if self.is_audited(engine) {
            return (audit::ask(self, engine, cancel), Found::default());
        }
        let is_wanted = self.certificate.is_some();
        let (question, decisions) = (&self.question, &self.decisions);
        let mut report =
            engine.check_with_table(question, decisions, is_wanted, self.timeout, cancel);
        let found = report.as_mut().map_or_else(
            |_| Found::default(),
            |report| Found { table: report.table.take(), encoding: report.encoding.take() },
        );
        (self.conclude(engine, report, cancel), found)
    }

    /// Whether nobody is believed alone.
    pub(crate) fn is_audited(&self, engine: &Engine) -> bool {
        engine.audits(self.texts())
    }

    fn texts(&self) -> impl Iterator<Item = &str> {
        self.documents.iter().map(|document| &*document.source)
    }

    /// What came of asking, with an explanation if one is wanted.
    pub(crate) fn conclude(
        &self,
        engine: &Engine,
        report: Result<Report, Error>,
        cancel: &Cancel,
    ) -> JobResult {
        let report = match report {
            Err(error) => return JobResult::of_error(&error),
            Ok(report) => report,
        };
        let told = self.explain.then(|| explanation::of(self, &report, engine, cancel));
        let (words, suggestion) = told.flatten().unzip();
        let result = self.report(report);
        JobResult { explanation: words, suggestion: suggestion.flatten(), ..result }
    }

    /// The text of a policy.
    pub fn document(&self, at: PolicyRef) -> Option<&Document> {
        self.documents.iter().find(|document| document.at == at)
    }

    fn report(&self, report: Report) -> JobResult {
        let question = &self.question;
        let attempts = report.attempts.iter().map(AttemptRecord::from).collect();
        let depends_on = report.depends_on.iter().map(|switch| switch.name().to_owned()).collect();
        let under = report.witness_under;
        let switches = self.told(under, &report.depends_on);
        let witness_under =
            switches.map(|switch| (switch.name().to_owned(), under.of(switch).to_owned()));
        let mut result = JobResult {
            attempts,
            depends_on,
            witness_under: witness_under.collect(),
            solver: report.solver,
            ..JobResult::default()
        };
        match report.verdict {
            Verdict::Holds(evidence) => {
                result.verdict = Some(VerdictName::Holds);
                result.evidence = Some(evidence.into());
            }
            Verdict::Fails(witness) => {
                result.verdict = Some(VerdictName::Fails);
                result.evidence = Some(EvidenceName::Replayed);
                self.tell(&mut result, &witness);
                if !report.companions.is_empty() {
                    let companions = &report.companions;
                    let all: Vec<_> = std::iter::once(&witness.request).chain(companions).collect();
                    result.admitted_addresses = admitted_addresses(question, &all).map(Into::into);
                    result.companions = companions.iter().map(Request::from).collect();
                }
                if let Question::Custom { property, .. } = question {
                    let broken = broken_rules(question, property, &witness.request, under);
                    let at = |rule| PolicyRef::of_union(Side::Property, rule);
                    result.rules = broken.into_iter().map(|rule| self.pointer(at(rule))).collect();
                }
                if let Some(witness) = &report.reverse {
                    self.tell(&mut result, witness);
                }
                let (relation, evidence) = report.relation.unzip();
                result.relation = relation.map(RelationName::from);
                result.relation_evidence = evidence.map(EvidenceName::from);
            }
            Verdict::Unknown { reason, unsupported } => {
                result.verdict = Some(VerdictName::Unknown);
                result.reason = Some(reason.into());
                result.unsupported = self.constructs(unsupported);
            }
        }
        result
    }

    /// The switches of which a witness under these readings has to tell: those on which it hangs, and those that are not read
    /// as usual.
    pub(crate) fn told<'s>(
        &self,
        under: Readings,
        depends_on: &'s [Switch],
    ) -> impl Iterator<Item = Switch> + use<'s> {
        let usual = self.decisions.readings();
        let is_told = move |switch: &Switch| {
            let is_usual = under.is_alternative(*switch) == usual.is_alternative(*switch);
            !is_usual || depends_on.contains(switch)
        };
        Switch::ALL.into_iter().map(|(switch, ..)| switch).filter(is_told)
    }

    /// Constructs that are not modelled, with their places in the policies' texts.
    pub(crate) fn constructs(&self, unsupported: Vec<Unsupported>) -> Vec<Construct> {
        let construct = |item: Unsupported| {
            let position = match self.document(item.policy) {
                Some(document) => document.position(item.span.start),
                None => Document::START,
            };
            Construct {
                construct: item.construct,
                policy: self.pointer(item.policy),
                // A rule is no document of statements.
                path: match item.policy.side {
                    Side::Property => String::new(),
                    _ => item.path,
                },
                line: position.line,
                column: position.column,
            }
        };
        unsupported.into_iter().map(construct).collect()
    }

    /// Puts a witness where results have it.
    fn tell(&self, result: &mut JobResult, witness: &Witness) {
        let statements = witness.statements.iter();
        let statements = statements.map(|&(at, index)| self.statement(at, index)).collect();
        let request = Some(Request::from(&witness.request));
        if witness.side == Side::Existing {
            (result.witness_reverse, result.statements_reverse) = (request, statements);
        } else {
            (result.witness, result.statements) = (request, statements);
        }
    }

    /// A statement of one of the policies of the question, as results name it.
    pub fn statement(&self, at: PolicyRef, index: usize) -> StatementRef {
        let policy = self.question.policy(at);
        let sid = policy.and_then(|policy| policy.statement(index)?.sid.clone());
        StatementRef { policy: self.pointer(at), index, sid }
    }

    fn pointer(&self, at: PolicyRef) -> String {
        self.document(at).map(|document| document.pointer.clone()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use keyaki_analysis::check::COVER;
    use keyaki_solvers::Config;

    use super::*;
    use crate::engine::EngineOptions;
    use crate::job::Task;

    const TIMEOUT: Duration = Duration::from_secs(1);

    /// A question that fails, of which `cover` has said that it holds, comes to no verdict where that is looked at.
    #[test]
    fn what_cover_says_does_not_stand_against_formulas() {
        let incidents = std::env::temp_dir().join(format!("keyaki-cover-{}", std::process::id()));
        let policy = r#"{"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "*"}]}"#;
        let job = format!(r#"{{"question": "no-public-access", "policy": {policy}}}"#);
        let Ok((_, Task::Question(mut inquiry))) = Task::from_json(job.as_bytes(), TIMEOUT) else {
            panic!("{job}");
        };
        let cases = [(0, None, true), (1, None, false), (0, Some(TIMEOUT), false)];
        for (recheck_every, certificate, stands) in cases {
            let (incidents, solvers) = (Some(incidents.clone()), Vec::new());
            let options = EngineOptions { recheck_every, incidents, ..EngineOptions::default() };
            let config = Config { automaton: true, solvers };
            let engine = Engine::new(&config, options).unwrap();
            inquiry.certificate = certificate;
            let mut result = JobResult {
                verdict: Some(VerdictName::Holds),
                evidence: Some(EvidenceName::Claimed),
                solver: Some(COVER.to_owned()),
                ..JobResult::default()
            };
            inquiry.assure(&mut result, Found::default(), &engine, Instant::now(), &Cancel::new());
            assert_eq!(result.verdict.is_some(), stands, "{result:?}");
            if !stands {
                assert_eq!(result.error.map(|error| error.code).as_deref(), Some("contradiction"));
                let place = std::path::PathBuf::from(result.incident.unwrap());
                assert!(place.join("queries/0-automaton.txt").exists(), "{place:?}");
                std::fs::remove_dir_all(incidents_of(&place)).unwrap();
            }
        }
    }

    fn incidents_of(place: &std::path::Path) -> std::path::PathBuf {
        place.parent().unwrap().to_owned()
    }
}
