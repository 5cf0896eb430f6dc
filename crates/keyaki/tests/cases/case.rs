//! What a case is: the tables of `corpus/cases`, the question that one asks, and whether an answer is the expected one.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use keyaki::access;
use keyaki::decisions::Decisions;
use keyaki::job::{Document, Inquiry, Setting};
use keyaki::policies;
use keyaki::property::parameters::Values;
use keyaki::property::{from_text, library};
use keyaki::public::Reading;
use keyaki::question::{PolicyRef, Side};
use keyaki::trust;
use keyaki::wire::{AccessEntry, PolicyTypeName, Trust};
use keyaki::zone::{ServicePrincipals, Zone};
use keyaki_analysis::Relation;
use keyaki_policy::Switch;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    case: Vec<Case>,
}

/// See corpus/README.md.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) why: String,
    pub(crate) question: String,
    pub(crate) policy: Option<String>,
    pub(crate) existing: Option<Policies>,
    pub(crate) new: Option<Policies>,
    #[serde(default)]
    pub(crate) access: Vec<AccessEntry>,
    /// For `custom`: the property, as YAML or JSON, or the name of one of the library.
    pub(crate) property: Option<String>,
    /// What its parameters stand for.
    #[serde(default)]
    pub(crate) with: BTreeMap<String, Texts>,
    pub(crate) trust: Option<Trust>,
    pub(crate) resource_account: Option<String>,
    pub(crate) service_principals: Option<String>,
    pub(crate) policy_type: Option<String>,
    pub(crate) resource_type: Option<String>,
    pub(crate) reading: Option<String>,
    #[serde(default)]
    pub(crate) decisions: BTreeMap<String, String>,
    pub(crate) verdict: String,
    pub(crate) reason: Option<String>,
    pub(crate) construct: Option<String>,
    pub(crate) depends_on: Option<Vec<String>>,
    /// How `new` stands to `existing` where `equivalent` fails; absent if that is not told.
    pub(crate) relation: Option<String>,
    /// Whether a likely request breaks the property, which is found and replayed where no solver
    /// knows: then the portfolio, which tries such requests, says that it fails.
    #[serde(default)]
    pub(crate) is_guessed: bool,
    /// Solvers that, alone, were seen to take longer than the limit: they are not asked.
    #[serde(default)]
    pub(crate) too_hard_for: Vec<String>,
    pub(crate) source: String,
}

#[derive(Clone, Deserialize)]
#[serde(untagged)]
pub(crate) enum Policies {
    One(String),
    Several(Vec<String>),
}

#[derive(Clone, Deserialize)]
#[serde(untagged)]
pub(crate) enum Texts {
    One(String),
    Several(Vec<String>),
}

impl Texts {
    fn all(&self) -> Vec<String> {
        match self {
            Texts::One(text) => vec![text.clone()],
            Texts::Several(texts) => texts.clone(),
        }
    }
}

/// All cases, with the names of their files.
pub(crate) fn cases() -> Vec<(String, Case)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../corpus/cases");
    let mut paths: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let mut cases = Vec::new();
    for path in paths {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).unwrap();
        let file: File = toml::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        cases.extend(file.case.into_iter().map(|case| (name.clone(), case)));
    }
    cases
}

impl Case {
    /// The case with the verdict that a likely request gives it.
    pub(crate) fn as_guessed(&self) -> Case {
        Case { verdict: "fails".to_owned(), reason: None, construct: None, ..self.clone() }
    }

    pub(crate) fn inquiry(&self) -> Result<Inquiry, String> {
        let mut documents = Vec::new();
        let mut sets = Vec::new();
        let mut add = |side, policies: &Option<Policies>| {
            let policies = match policies {
                None => &[][..],
                Some(Policies::One(policy)) => std::slice::from_ref(policy),
                Some(Policies::Several(policies)) => policies,
            };
            for (index, source) in policies.iter().enumerate() {
                let pointer = format!("{side:?} {index}");
                if let Ok(Some((shape, of_set))) = policies::from_file(source, side, &pointer) {
                    sets.push((side, shape));
                    documents.extend(of_set);
                    continue;
                }
                let at = PolicyRef::of_union(side, index);
                documents.push(Document::new(at, pointer, source.clone()));
            }
        };
        add(Side::Policy, &self.policy.clone().map(Policies::One));
        add(Side::Existing, &self.existing);
        add(Side::New, &self.new);
        let policy_type = match self.policy_type.as_deref() {
            None => None,
            Some(name) => {
                let known = PolicyTypeName::by_name(name);
                Some(known.ok_or_else(|| format!("unknown policy type `{name}`"))?.into())
            }
        };
        let access = |AccessEntry { actions, resources }: &AccessEntry| {
            let texts = |list: &Option<Vec<String>>| list.clone().unwrap_or_default();
            access::from_texts(&texts(actions), &texts(resources)).map_err(|e| format!("{e:?}"))
        };
        let accesses = self.access.iter().map(access).collect::<Result<_, _>>()?;
        let resource_type = self.resource_type.clone();
        let mut decisions = Decisions::default();
        for (name, reading) in &self.decisions {
            decisions.decide(name, reading).map_err(|error| error.to_string())?;
        }
        let reading = self.reading.as_deref().unwrap_or("documented");
        let reading = Reading::by_name(reading).ok_or_else(|| format!("no reading {reading}"))?;
        let zone = self.zone()?;
        let values: Values =
            self.with.iter().map(|(name, texts)| (name.clone(), texts.all())).collect();
        let property = self.property.as_ref().map(|text| match library::by_name(text) {
            Ok(ready) => ready.with(&values),
            Err(_) => from_text(text, &values),
        });
        let property = property.transpose().map_err(|error| format!("{error:?}"))?;
        let setting = Setting {
            policy_type,
            resource_type,
            reading,
            decisions,
            sets,
            accesses,
            zone,
            property,
            ..Setting::default()
        };
        Inquiry::new(&self.question, documents, setting).map_err(|error| format!("{error:?}"))
    }

    /// The zone of trust, if the case has one.
    fn zone(&self) -> Result<Option<Zone>, String> {
        if self.trust.is_none() && self.resource_account.is_none() {
            return Ok(None);
        }
        let Trust { accounts, organization, organization_accounts } =
            self.trust.clone().unwrap_or_default();
        let services = match &self.service_principals {
            None => ServicePrincipals::default(),
            Some(name) => trust::services_by_name(name).ok_or("unknown reading of services")?,
        };
        let (organization, owner) = (organization.as_deref(), self.resource_account.as_deref());
        trust::from_texts(&accounts, organization, &organization_accounts, owner, services)
            .map(Some)
            .map_err(|error| format!("{error:?}"))
    }

    /// Compares the switches that it hangs on that the property fails; without `depends_on` they are
    /// of no interest.
    pub(crate) fn compare_switches(&self, switches: &[Switch]) -> Result<(), String> {
        let names: Vec<_> = switches.iter().map(|switch| switch.name()).collect();
        match &self.depends_on {
            Some(expected) if *expected != names => {
                Err(format!("expected to hang on {expected:?}, but hangs on {names:?}"))
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn compare_relation(&self, relation: Option<Relation>) -> Result<(), String> {
        let name = relation.map(|relation| format!("{relation:?}").to_lowercase());
        if name != self.relation {
            return Err(format!("expected {:?}, is {name:?}", self.relation));
        }
        Ok(())
    }

    /// `detail` is the witness, or the constructs that are not modelled.
    pub(crate) fn compare(
        &self,
        verdict: &str,
        reason: Option<&str>,
        detail: &str,
    ) -> Result<(), String> {
        let expected = (self.verdict.as_str(), self.reason.as_deref());
        if expected != (verdict, reason) {
            let is = [Some(verdict), reason].into_iter().flatten().collect::<Vec<_>>().join(" ");
            return Err(format!("expected {}, is {is}: {detail}", self.verdict));
        }
        match &self.construct {
            Some(construct) if !detail.contains(construct) => {
                Err(format!("expected {construct} to be named, but named are: {detail}"))
            }
            _ => Ok(()),
        }
    }
}
