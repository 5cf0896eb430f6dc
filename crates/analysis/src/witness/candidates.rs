//! What is tried for a witness: likely values for the variables, group by group.
//!
//! The groups and their order depend on the question and on the formula. A list of all candidates of a group was made before any of
//! them was tried; most were not, and their texts were what a search spent its time on.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::iter;
use std::rc::Rc;

use keyaki_logic::template::widened;
use keyaki_logic::term::Node;
use keyaki_logic::{Formula, Model, Regex, Sort, Value};
use keyaki_policy::ast::{ActionPattern, PrincipalKind};
use keyaki_policy::catalogue::{self, KeySort};

use super::{LIKELY_SECONDS, text};
use crate::encode::Encoding;
use crate::encode::instant;
use crate::encode::symbols::{
    ARN_FIELDS, Key, Kind, ROOT, address_field, instant_field, name, number_field, switch_of,
};
use crate::question::Question;

/// Values for several variables at once.
pub(super) type Candidate = Vec<(Name, Value)>;

/// The name of a variable.
pub(super) type Name = Cow<'static, str>;

/// What is tried for some variables, in an order, when the groups before it have come to something.
pub(super) enum Group<'a> {
    /// These, whatever the others came to.
    Constant(Vec<Candidate>),
    /// Principals.
    Principals(&'a Hints),
    /// Actions.
    Actions(&'a Hints),
    /// Resources of the action that was chosen.
    Resources(&'a Hints),
    /// An account for an owner whom nobody names, in the place of one that a solver made up.
    Owner,
    /// Values of a variable that no other group gave one.
    Rest(&'a Hints, &'a str, Sort),
}

impl Group<'_> {
    /// The candidates, each made when it is asked for: the first few usually do.
    pub(super) fn candidates<'s>(
        &'s self,
        model: &Model,
    ) -> Box<dyn Iterator<Item = Cow<'s, Candidate>> + 's> {
        match self {
            Group::Constant(candidates) => Box::new(candidates.iter().map(Cow::Borrowed)),
            Group::Principals(hints) => {
                Box::new(owned(hints.principals().into_iter(), model).map(Cow::Owned))
            }
            Group::Actions(hints) => {
                let actions = hints.actions.get_or_init(|| hints.actions());
                Box::new(actions.iter().map(Cow::Borrowed))
            }
            Group::Resources(hints) => {
                Box::new(owned(hints.resources(model), model).map(Cow::Owned))
            }
            Group::Owner => Box::new(owners(model).into_iter().map(Cow::Owned)),
            Group::Rest(_, name, _) if model.get(name).is_some() => Box::new(iter::empty()),
            Group::Rest(hints, name, sort) => Box::new(
                hints
                    .rest(name, *sort)
                    .map(|value| vec![(Name::Owned((*name).to_owned()), value)])
                    .map(Cow::Owned),
            ),
        }
    }
}

/// The most candidates tried for one group; more make witnesses no nicer, only slower.
pub(super) const MAX_CANDIDATES: usize = 200;

/// What the question suggests as values.
pub(super) struct Hints {
    services: BTreeSet<String>,
    resources: Vec<String>,
    accounts: BTreeSet<String>,
    principals: Vec<Candidate>,
    /// For each string variable of the formula, words that its constraints mention.
    words: Vec<(String, Vec<String>)>,
    is_identity: bool,
    /// What [`Hints::actions`] came to.
    actions: OnceCell<Vec<Candidate>>,
}

/// The service that an action names, in lower case.
fn service_of(action: &ActionPattern) -> Option<String> {
    action.text.split_once(':').map(|(service, _)| service.to_ascii_lowercase())
}

/// Accounts for requesters that no policy names.
pub(crate) const STRANGERS: [&str; 3] = ["999988887777", "555566667777", "222233334444"];

/// Actions that readers know, tried before the rest of the catalogue.
pub(crate) const WELL_KNOWN_ACTIONS: [&str; 9] = [
    "s3:getobject",
    "s3:listbucket",
    "sts:assumerole",
    "kms:decrypt",
    "sqs:sendmessage",
    "sns:publish",
    "lambda:invokefunction",
    "secretsmanager:getsecretvalue",
    "dynamodb:getitem",
];

impl Hints {
    pub(super) fn new(question: &Question, formula: &Formula) -> Hints {
        let mut hints = Hints {
            services: BTreeSet::new(),
            resources: Vec::new(),
            accounts: BTreeSet::new(),
            principals: Vec::new(),
            words: words(formula),
            is_identity: false,
            actions: OnceCell::new(),
        };
        for (_, policy) in question.policies() {
            hints.is_identity |= !policy.policy_type.names_principals();
            for statement in &policy.statements {
                hints.services.extend(statement.action.entries.iter().filter_map(service_of));
                for entry in statement.resource.iter().flat_map(|clause| &clause.entries) {
                    hints.resources.push(entry.template.to_string());
                }
                for entry in statement.principal.iter().flat_map(|clause| &clause.entries) {
                    hints.principal(&entry.kind);
                }
            }
        }
        for access in question.accesses() {
            hints.services.extend(access.actions().iter().filter_map(service_of));
            let resources = access.resources().iter();
            hints.resources.extend(resources.map(|entry| entry.template.to_string()));
        }
        hints
    }

    fn principal(&mut self, kind: &PrincipalKind) {
        match kind {
            PrincipalKind::Account { account, .. } => {
                self.accounts.insert(account.clone());
            }
            PrincipalKind::User(arn) => {
                self.principals.push(named(Kind::User, &arn.account, &arn.resource));
            }
            PrincipalKind::Role(arn) => {
                self.principals.push(named(Kind::RoleSession, &arn.account, &arn.resource));
            }
            PrincipalKind::FederatedUser(arn) => {
                self.principals.push(named(Kind::FederatedUser, &arn.account, &arn.resource));
            }
            _ => {}
        }
    }

    /// The groups of candidates, in the order in which they are tried.
    pub(super) fn groups<'a>(&'a self, encoding: &Encoding) -> Vec<Group<'a>> {
        let mut groups: Vec<Group<'a>> = Vec::new();
        // A witness under the default readings says more than one under alternatives.
        for (variable, _) in encoding.terms.variables() {
            if switch_of(variable).is_some() {
                let default = vec![(variable.to_owned().into(), Value::Bool(false))];
                groups.push(Group::Constant(vec![default]));
            }
        }
        groups.push(Group::Constant(self.partitions()));
        groups.extend([Group::Principals(self), Group::Actions(self), Group::Resources(self)]);
        for key in encoding.keys.values() {
            let elements = encoding.elements.get(&key.lower).map(Vec::as_slice);
            for group in self.key(key, elements.unwrap_or_default()) {
                groups.push(Group::Constant(group));
            }
        }
        for (variable, likely) in [
            (name::SERVICE, "cloudtrail.amazonaws.com"),
            (name::PROVIDER, "accounts.google.com"),
            (name::CANONICAL, "example"),
        ] {
            groups.push(Group::Constant(self.strings_or(variable, likely)));
        }
        groups
    }

    fn partitions(&self) -> Vec<Candidate> {
        ["aws", "aws-cn", "aws-us-gov"].map(|p| vec![string(name::PARTITION, p)]).to_vec()
    }

    fn principals(&self) -> Vec<Candidate> {
        let mut candidates = Vec::new();
        if !self.is_identity {
            candidates.push(vec![kind(Kind::Anonymous)]);
        }
        let accounts: Vec<&str> =
            STRANGERS.into_iter().chain(self.accounts.iter().map(String::as_str)).collect();
        for account in &accounts {
            candidates.push(named(Kind::User, account, "user/alice"));
            candidates.push(named(Kind::RoleSession, account, "role/example"));
        }
        candidates.extend(self.principals.iter().cloned());
        candidates.extend(self.by_arn());
        candidates.extend(self.user_ids());
        for account in &accounts {
            candidates.push(named(Kind::Root, account, "root"));
            candidates.push(named(Kind::FederatedUser, account, "federated-user/bob"));
        }
        let mut service = vec![kind(Kind::Service)];
        service.push(string(name::SERVICE, "cloudtrail.amazonaws.com"));
        candidates.push(service);
        candidates.push(vec![kind(Kind::Service)]);
        candidates
    }

    /// Principals whose ARNs have the fields that the formula mentions.
    fn by_arn(&self) -> Vec<Candidate> {
        let kind_of = |resource: &str| match resource.split_once('/') {
            Some(("user", _)) => Some(Kind::User),
            Some(("role", _)) => Some(Kind::RoleSession),
            Some(("federated-user", _)) => Some(Kind::FederatedUser),
            _ => None,
        };
        let mut candidates = Vec::new();
        for account in self.words_of(name::ACCOUNT) {
            candidates.push(named(Kind::User, account, "user/alice"));
            for resource in self.words_of(name::PRINCIPAL) {
                let kind = kind_of(resource);
                candidates.extend(kind.map(|kind| named(kind, account, resource)));
            }
        }
        candidates
    }

    /// Users and role sessions with the user ids that the formula mentions.
    fn user_ids(&self) -> Vec<Candidate> {
        let words = self.words_of(name::USER_ID);
        let candidate = |word: &String| {
            let mut candidate = match word.contains(':') {
                true => named(Kind::RoleSession, STRANGERS[0], "role/example"),
                false => named(Kind::User, STRANGERS[0], "user/alice"),
            };
            let session = if word.ends_with(':') { "session" } else { "" };
            candidate.push(string(name::USER_ID, &format!("{word}{session}")));
            candidate
        };
        words.iter().map(candidate).collect()
    }

    fn actions(&self) -> Vec<Candidate> {
        let of = |action: &str| -> Option<Candidate> {
            let (service, action) = action.split_once(':')?;
            let action = action.to_ascii_lowercase();
            Some(vec![string(name::ACTION_SERVICE, service), string(name::ACTION_NAME, &action)])
        };
        let mut candidates: Vec<Candidate> =
            WELL_KNOWN_ACTIONS.iter().filter_map(|action| of(action)).collect();
        let listed = self.words_of(name::ACTION_NAME);
        for service in self.services.iter().filter(|service| !service.contains(['*', '?'])) {
            // Names that the formula itself mentions, then those of the catalogue that share
            // their beginning.
            for word in listed {
                // Nobody looks at more, and every further word is a search of the catalogue.
                if candidates.len() >= MAX_CANDIDATES {
                    return candidates;
                }
                let action = format!("{service}:{word}");
                // The action itself, if there is one, is the first that begins with its name.
                let mut known = catalogue::actions_with_prefix(&action).take(3).peekable();
                if known.peek().is_some_and(|first| first.eq_ignore_ascii_case(&action)) {
                    candidates.extend(of(&action));
                }
                candidates.extend(known.filter_map(of));
            }
        }
        for service in &self.services {
            if candidates.len() >= MAX_CANDIDATES {
                return candidates;
            }
            let prefix = format!("{service}:");
            candidates.extend(catalogue::actions_with_prefix(&prefix).take(20).filter_map(of));
        }
        // Names that the policies spell and the catalogue lacks, such as those of retired actions.
        candidates.extend(listed.iter().map(|word| vec![string(name::ACTION_NAME, word)]));
        candidates
    }

    /// The pseudo-resource for an action that takes no other; then resources of the action's own
    /// service, as policies name them first; then whatever else they name.
    fn resources(&self, model: &Model) -> impl Iterator<Item = Candidate> + '_ {
        let service = text(model, name::ACTION_SERVICE).to_owned();
        let action = format!("{service}:{}", text(model, name::ACTION_NAME));
        let star = || vec![(name::IS_STAR.into(), Value::Bool(true))];
        let takes_no_other = catalogue::has_resource_types(&action) == Some(false);
        let own = arn_candidate(&likely_resource(&service), "");
        let service = Rc::<str>::from(service);
        let filled = move |of_service: bool| {
            let service = Rc::clone(&service);
            let is_wanted = move |pattern: &&String| {
                (pattern.split(':').nth(2) == Some(&service)) == of_service
            };
            let patterns = self.resources.iter().filter(is_wanted);
            ["example", ""].into_iter().flat_map(move |star| {
                patterns.clone().filter_map(move |pattern| arn_candidate(pattern, star))
            })
        };
        takes_no_other
            .then(star)
            .into_iter()
            .chain(filled(true))
            .chain(own)
            .chain(filled(false))
            .chain(arn_candidate("arn:aws:s3:::example-bucket/example.txt", ""))
            .chain([star()])
    }

    /// What to try for a variable of the sort.
    fn rest<'h>(&'h self, name: &str, sort: Sort) -> Box<dyn Iterator<Item = Value> + 'h> {
        match sort {
            Sort::Bool => Box::new([false, true].into_iter().map(Value::Bool)),
            Sort::Bits(width) => Box::new(iter::once(Value::Bits { value: 0, width })),
            Sort::String => {
                let words = self.words_of(name).iter().map(String::as_str);
                let words = ["", "example"].into_iter().chain(words);
                Box::new(words.map(|word| Value::String(word.to_owned())))
            }
        }
    }

    /// First the key's absence; then, for the case that it is present, likely values, of as few
    /// elements as will do.
    fn key(&self, key: &Key, elements: &[Key]) -> Vec<Vec<Candidate>> {
        let flag = |variable: String| (Name::Owned(variable), Value::Bool(false));
        let further = || elements.iter().skip(1).rev();
        let mut absent = vec![flag(key.presence()), flag(key.list())];
        absent.extend(further().map(|element| flag(element.presence())));
        let mut groups = vec![vec![absent], vec![vec![flag(key.list())]]];
        groups.extend(further().map(|element| vec![vec![flag(element.presence())]]));
        groups.extend(self.values(key));
        groups.extend(elements.iter().skip(1).flat_map(|element| self.values(element)));
        groups
    }

    /// Likely values of a key, or of one of its elements.
    fn values(&self, key: &Key) -> Vec<Vec<Candidate>> {
        if let Some(id) = key.organisation() {
            let id = self.strings_or(&id, "o-exampleorgid");
            return vec![id, self.strings_or(&key.field(ROOT), "example/")];
        }
        let flag = |variable: String| (Name::Owned(variable), Value::Bool(false));
        let mut groups = Vec::new();
        match key.sort {
            KeySort::String => {
                groups.push(self.strings_or(&key.value(), likely(&key.lower)));
                for field in
                    [number_field::IS_NUMBER, instant_field::IS_DATE, address_field::IS_ADDRESS]
                {
                    groups.push(vec![vec![flag(key.field(field))]]);
                }
                groups.push(instants(key));
            }
            KeySort::Arn => {
                for field in ARN_FIELDS {
                    groups.push(self.strings_or(&key.field(field), likely_field(field)));
                }
            }
            KeySort::Bool => {
                let likely = Value::Bool(key.lower != "aws:viaawsservice");
                groups.push(vec![vec![(key.value().into(), likely)]]);
            }
            KeySort::Address => {
                let v4 = |address: [u8; 4]| {
                    let bits = u128::from(u32::from_be_bytes(address));
                    vec![
                        flag(key.field(address_field::IS_V6)),
                        (
                            key.field(address_field::V4).into(),
                            Value::Bits { value: bits, width: 32 },
                        ),
                    ]
                };
                groups.push(vec![v4([198, 51, 100, 7]), v4([203, 0, 113, 7]), v4([8, 8, 8, 8])]);
            }
            KeySort::Number => {
                let likely = ["1", "10", "100", "1000"].map(|n| vec![string(key.value(), n)]);
                let words = self.words_of(&key.value()).iter();
                let words = words.map(|word| vec![string(key.value(), word)]);
                groups.push(likely.into_iter().chain(words).collect());
            }
            KeySort::Binary => groups.push(self.strings_or(&key.value(), "AA==")),
            KeySort::Date => groups.push(instants(key)),
        }
        groups
    }

    fn strings_or(&self, variable: &str, likely: &str) -> Vec<Candidate> {
        let words = self.words_of(variable).iter().map(String::as_str);
        let words = iter::once(likely).chain(words);
        words.map(|word| vec![string(variable.to_owned(), word)]).collect()
    }

    /// The words that the formula mentions for a variable.
    fn words_of(&self, variable: &str) -> &[String] {
        let words = self.words.iter().find(|(name, _)| name == variable);
        words.map(|(_, words)| words.as_slice()).unwrap_or_default()
    }
}

/// Likely instants for a date.
fn instants(key: &Key) -> Vec<Candidate> {
    let of = |seconds: i64| {
        let bits = Value::Bits { value: instant::to_bits(seconds), width: instant::BITS };
        vec![(key.instant().into(), bits)]
    };
    LIKELY_SECONDS.map(of).to_vec()
}

/// The candidates with an owner of the resource that suits them, before the candidates as they are:
/// an account of which the principal or the resource is. Nothing changes where no one asks who
/// owns the resource.
fn owned<'a>(
    candidates: impl Iterator<Item = Candidate> + 'a,
    model: &Model,
) -> Box<dyn Iterator<Item = Candidate> + 'a> {
    let Some(owner) = model.get(name::OWNER) else { return Box::new(candidates) };
    let owner = owner.clone();
    let model_names_account = !text(model, name::RESOURCE_ACCOUNT).is_empty();
    let with_owner = move |candidate: &Candidate| {
        let of = |variable: &str| {
            let found = candidate.iter().find(|(name, _)| name == variable);
            found.map(|(_, value)| value)
        };
        let owner = of(name::ACCOUNT).unwrap_or(&owner).clone();
        let names_account = match of(name::RESOURCE_ACCOUNT) {
            Some(account) => *account != Value::String(String::new()),
            None => model_names_account,
        };
        let mut candidate = candidate.clone();
        candidate.push((name::OWNER.into(), owner.clone()));
        candidate.push(("key aws:resourceaccount".into(), owner.clone()));
        if names_account {
            candidate.retain(|(variable, _)| variable != name::RESOURCE_ACCOUNT);
            candidate.push((name::RESOURCE_ACCOUNT.into(), owner));
        }
        candidate
    };
    Box::new(candidates.flat_map(move |candidate| [with_owner(&candidate), candidate]))
}

/// The accounts of owners whom nobody names.
const OWNERS: [&str; 3] = ["111122223333", "444455556666", "777766665555"];

/// An owner that reads like an account, with the variables that may have to be equal to it. Of what a policy names, or a group
/// before chose, nothing changes: only a solver fills an id with one digit.
fn owners(model: &Model) -> Vec<Candidate> {
    let is_made_up = |owner: &str| {
        let mut digits = owner.chars();
        let first = digits.next();
        owner.len() == 12 && digits.all(|digit| Some(digit) == first)
    };
    if !matches!(model.get(name::OWNER), Some(Value::String(owner)) if is_made_up(owner)) {
        return Vec::new();
    }
    let of = |owner: &str| {
        let owner_is = || string(name::OWNER, owner);
        let key = || string("key aws:resourceaccount", owner);
        let field = || string(name::RESOURCE_ACCOUNT, owner);
        [
            vec![owner_is()],
            vec![owner_is(), key()],
            vec![owner_is(), field()],
            vec![owner_is(), key(), field()],
        ]
    };
    OWNERS.into_iter().flat_map(of).collect()
}

fn string(variable: impl Into<Name>, value: &str) -> (Name, Value) {
    (variable.into(), Value::String(value.to_owned()))
}

fn kind(kind: Kind) -> (Name, Value) {
    (name::KIND.into(), Value::Bits { value: kind as u128, width: 3 })
}

fn named(of: Kind, account: &str, resource: &str) -> Candidate {
    let user_id =
        if of == Kind::RoleSession { "AROAEXAMPLEROLEID:session" } else { "AIDAEXAMPLEUSERID" };
    vec![
        kind(of),
        string(name::ACCOUNT, account),
        string(name::PRINCIPAL, resource),
        string(name::NAME, resource.rsplit('/').next().unwrap_or_default()),
        string(name::USER_ID, user_id),
    ]
}

/// A resource pattern with its wildcards replaced by likely text.
fn arn_candidate(pattern: &str, star: &str) -> Option<Candidate> {
    let fields: Vec<&str> = pattern.splitn(6, ':').collect();
    let [_, partition, service, region, account, id] = fields[..] else { return None };
    let fill = |text: &str, likely: &str| text.replace('*', likely).replace('?', "x");
    let mut candidate = vec![
        (name::IS_STAR.into(), Value::Bool(false)),
        string(name::RESOURCE_SERVICE, &fill(service, "s3")),
        string(name::RESOURCE_REGION, &fill(region, "us-east-1")),
        string(name::RESOURCE_ACCOUNT, &fill(account, "111122223333")),
        string(name::RESOURCE_ID, &fill(id, star)),
    ];
    if !partition.contains(['*', '?']) {
        candidate.push(string(name::PARTITION, partition));
    }
    Some(candidate)
}

/// A resource of the service, as its documentation might name it.
pub(crate) fn likely_resource(service: &str) -> String {
    match service {
        "s3" => "arn:aws:s3:::example-bucket/example.txt".to_owned(),
        "iam" | "sts" => "arn:aws:iam::111122223333:role/example".to_owned(),
        _ => format!("arn:aws:{service}:us-east-1:111122223333:example"),
    }
}

pub(crate) fn likely(key: &str) -> &'static str {
    match key {
        "aws:principalorgid" | "aws:resourceorgid" | "aws:sourceorgid" => "o-exampleorgid",
        "aws:sourcevpc" => "vpc-0example",
        "aws:sourcevpce" => "vpce-0example",
        "aws:requestedregion" => "us-east-1",
        "aws:calledvia" | "aws:calledviafirst" | "aws:calledvialast" => {
            "cloudformation.amazonaws.com"
        }
        "aws:principalaccount"
        | "aws:resourceaccount"
        | "aws:sourceaccount"
        | "kms:calleraccount" => "999988887777",
        _ => "example",
    }
}

fn likely_field(field: &str) -> &'static str {
    match field {
        "partition" => "aws",
        "service" => "sns",
        "region" => "us-east-1",
        "account" => "999988887777",
        _ => "example",
    }
}

/// For each string variable, in order, the constants it is compared with and a word or two of
/// each language it is tested for.
pub fn words(formula: &Formula) -> Vec<(String, Vec<String>)> {
    let terms = &formula.terms;
    let mut words: Vec<(String, Vec<String>)> = Vec::new();
    let mut add = |variable: &str, word: String| {
        let at = words.iter().position(|(name, _)| name == variable).unwrap_or_else(|| {
            words.push((variable.to_owned(), Vec::new()));
            words.len() - 1
        });
        if !words[at].1.contains(&word) && words[at].1.len() < MAX_CANDIDATES {
            words[at].1.push(word);
        }
    };
    formula.visit(|_, node| match node {
        Node::Eq(a, b) => {
            if let (Node::Var(index), Node::String(text)) = (terms.node(*a), terms.node(*b)) {
                add(terms.variable(*index).0, text.to_string());
            }
        }
        Node::InRe(string, regex) => {
            if let Node::Var(index) = terms.node(*string) {
                for star in ["", "example"] {
                    add(terms.variable(*index).0, sample(regex, star));
                }
            }
        }
        Node::Matches(string, pieces) => {
            if let Node::Var(index) = terms.node(*string) {
                add(terms.variable(*index).0, sample(&widened(pieces), "example"));
            }
        }
        _ => {}
    });
    words
}

/// A word of the language, with `star` where it may be anything; some word if the language is
/// empty.
fn sample(regex: &Regex, star: &str) -> String {
    match regex {
        Regex::Literal(text) => text.clone(),
        Regex::AnyChar => "x".to_owned(),
        Regex::All => star.to_owned(),
        Regex::Chars(ranges) => ranges.last().map(|(low, _)| *low).into_iter().collect(),
        Regex::NotChar(c) => if *c == 'x' { "y" } else { "x" }.to_owned(),
        Regex::Concat(parts) => parts.iter().map(|part| sample(part, star)).collect(),
        Regex::Union(parts) => parts.first().map(|part| sample(part, star)).unwrap_or_default(),
        Regex::Star(_) => String::new(),
        Regex::Repeat(inner, times) | Regex::Loop(inner, times, _) => {
            sample(inner, star).repeat(*times as usize)
        }
        Regex::Intersection(parts) => {
            parts.first().map(|part| sample(part, star)).unwrap_or_default()
        }
        Regex::Complement(_) => star.to_owned(),
    }
}
