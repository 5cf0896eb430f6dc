//! A model as a request that people can read.
//!
//! Solvers find models such as the user `"~"` in the partition `"-"`. [`polish`] replaces values
//! by likely ones, group by group, as long as the formula stays true. The candidates and their
//! order do not depend on the model, so that whichever solver won, the witness is usually the
//! same; where a group keeps a value of the model because no candidate fits, it need not be.

mod search;

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::BTreeSet;

use keyaki_logic::template::widened;
use keyaki_logic::term::Node;
use keyaki_logic::{Formula, Model, Regex, Sort, Value, eval};
use keyaki_policy::Request;
use keyaki_policy::ast::{ActionPattern, PrincipalKind};
use keyaki_policy::catalogue::{self, Cardinality, KeySort};
use keyaki_policy::request::{Context, ContextValue, Principal};

use crate::encode::Encoding;
use crate::encode::instant;
use crate::encode::symbols::{
    ARN_FIELDS, BEFORE_ROOT, Key, Kind, ROOT, address_field, instant_field, name, number_field,
    switch_of,
};
use crate::question::Question;
pub use search::search;

/// Gives every variable of the encoding that has no value one: false, the empty string, zero.
///
/// A model of a simplified formula may lack variables that do not matter any more.
pub fn complete(encoding: &Encoding, model: &mut Model) {
    complete_with(encoding.terms.variables(), model);
}

/// Gives every variable of the formula that has no value one: false, the empty string, zero.
pub fn complete_for(formula: &Formula, model: &mut Model) {
    complete_with(formula.variables().into_iter(), model);
}

fn complete_with<'a>(variables: impl Iterator<Item = (&'a str, Sort)>, model: &mut Model) {
    for (name, sort) in variables {
        if model.get(name).is_none() {
            let value = match sort {
                Sort::Bool => Value::Bool(false),
                Sort::String => Value::String(String::new()),
                Sort::Bits(width) => Value::Bits { value: 0, width },
            };
            model.insert(name, value);
        }
    }
}

/// The service whose action a model combines with the pseudo-resource although the catalogue gives
/// the action a resource type; `None` if it does not.
pub fn action_without_pseudo_resource(model: &Model) -> Option<String> {
    if model.get(name::IS_STAR) != Some(&Value::Bool(true)) {
        return None;
    }
    let service = text(model, name::ACTION_SERVICE);
    let action = format!("{service}:{}", text(model, name::ACTION_NAME));
    (catalogue::has_resource_types(&action) == Some(true)).then(|| service.to_owned())
}

/// The request that a model stands for. The model has a value for every variable.
pub fn decode(encoding: &Encoding, model: &Model) -> Request {
    let kind = kind_of(model);
    let action =
        format!("{}:{}", text(model, name::ACTION_SERVICE), text(model, name::ACTION_NAME));
    let mut context = Context::default();
    for key in encoding.keys.values() {
        if model.get(&key.presence()) == Some(&Value::Bool(true)) {
            context.insert(&key.spelling, context_value(encoding, model, kind, key));
        }
    }
    let resource_account = match (context.get("aws:ResourceAccount"), model.get(name::OWNER)) {
        (_, Some(Value::String(owner))) => Some(owner.clone()),
        (Some(ContextValue::One(account)), _) => Some(account.clone()),
        _ => None,
    };
    Request {
        principal: principal(encoding, model, kind),
        action: catalogue::action(&action).map_or(action, str::to_owned),
        resource: resource(model),
        resource_account,
        context,
        ..Request::default()
    }
}

fn kind_of(model: &Model) -> Kind {
    match model.get(name::KIND) {
        Some(Value::Bits { value, .. }) => Kind::ALL[*value as usize & 7],
        _ => Kind::Anonymous,
    }
}

fn text<'m>(model: &'m Model, variable: &str) -> &'m str {
    match model.get(variable) {
        Some(Value::String(text)) => text,
        _ => "",
    }
}

fn principal(encoding: &Encoding, model: &Model, kind: Kind) -> Principal {
    // Of an account's canonical id we only speak if some policy does.
    let canonical_user = encoding.canonical_users.get(text(model, name::CANONICAL)).cloned();
    match kind {
        Kind::Anonymous => Principal::Anonymous,
        Kind::Root => Principal::Root {
            partition: text(model, name::PARTITION).to_owned(),
            account: text(model, name::ACCOUNT).to_owned(),
            canonical_user,
        },
        Kind::User => Principal::User { arn: principal_arn(model, kind), canonical_user },
        Kind::RoleSession => {
            let (_, session_name) = text(model, name::USER_ID).split_once(':').unwrap_or_default();
            Principal::RoleSession {
                role_arn: principal_arn(model, kind),
                session_name: session_name.to_owned(),
            }
        }
        Kind::FederatedUser => {
            let is_base = |name: &str| model.get(name) == Some(&Value::Bool(true));
            let base = encoding.base_users.iter().find(|(variable, _)| is_base(variable));
            let base = base.map(|(_, user)| {
                format!("arn:{}:iam::{}:{}", user.partition, user.account, user.resource)
            });
            Principal::FederatedUser { arn: principal_arn(model, kind), base }
        }
        Kind::Service => Principal::Service { name: text(model, name::SERVICE).to_owned() },
        Kind::Federated => {
            Principal::Federated { provider: text(model, name::PROVIDER).to_owned() }
        }
        Kind::CanonicalUser => {
            Principal::CanonicalUser { id: text(model, name::CANONICAL).to_owned() }
        }
    }
}

fn principal_arn(model: &Model, kind: Kind) -> String {
    let service = if kind == Kind::FederatedUser { "sts" } else { "iam" };
    let [partition, account, resource] =
        [name::PARTITION, name::ACCOUNT, name::PRINCIPAL].map(|variable| text(model, variable));
    format!("arn:{partition}:{service}::{account}:{resource}")
}

fn resource(model: &Model) -> String {
    if model.get(name::IS_STAR) == Some(&Value::Bool(true)) {
        return "*".to_owned();
    }
    let fields = [
        name::PARTITION,
        name::RESOURCE_SERVICE,
        name::RESOURCE_REGION,
        name::RESOURCE_ACCOUNT,
        name::RESOURCE_ID,
    ];
    format!("arn:{}", fields.map(|field| text(model, field)).join(":"))
}

fn context_value(encoding: &Encoding, model: &Model, kind: Kind, key: &Key) -> ContextValue {
    let is_list = match key.cardinality {
        Some(cardinality) => cardinality == Cardinality::Multi,
        None => is_true(model, &key.list()),
    };
    if is_list {
        return ContextValue::Many(match encoding.elements.get(&key.lower) {
            Some(slots) => elements(encoding, model, key, slots),
            None => likely_elements(encoding, model, kind, key),
        });
    }
    ContextValue::One(
        derived_value(model, kind, key).unwrap_or_else(|| own_value(encoding, model, key)),
    )
}

/// The elements of a list, in an order that agrees with its ends (R17).
fn elements(encoding: &Encoding, model: &Model, key: &Key, slots: &[Key]) -> Vec<String> {
    let mut elements: Vec<String> = Vec::new();
    for slot in slots.iter().filter(|slot| is_true(model, &slot.presence())) {
        let element = own_value(encoding, model, slot);
        if !elements.contains(&element) {
            elements.push(element);
        }
    }
    if key.lower != "aws:calledvia" {
        return elements;
    }
    let end = |key: &str| single(encoding, model, key).filter(|end| elements.contains(end));
    let (first, last) = (end("aws:CalledViaFirst"), end("aws:CalledViaLast"));
    if elements.len() == 1 {
        return elements;
    }
    let is_end = |element: &String| [&first, &last].contains(&&Some(element.clone()));
    let between = elements.iter().filter(|element| !is_end(element)).cloned();
    first.clone().into_iter().chain(between).chain(last.clone()).collect()
}

/// The elements of a list of which only the presence matters: such that they agree with what else
/// the request says (R7, R8, R17, R26, R29).
fn likely_elements(encoding: &Encoding, model: &Model, kind: Kind, key: &Key) -> Vec<String> {
    if let Some(id) = key.organisation() {
        let id = text(model, &id);
        let id = if id.is_empty() { "o-exampleorgid" } else { id };
        return vec![format!("{id}/r-example/")];
    }
    let or_likely = |elements: Vec<String>, likely: &str| match elements.is_empty() {
        true => vec![likely.to_owned()],
        false => elements,
    };
    match key.lower.as_str() {
        "aws:calledvia" => {
            let ends = ["aws:CalledViaFirst", "aws:CalledViaLast"];
            let ends = ends.into_iter().filter_map(|end| single(encoding, model, end)).collect();
            or_likely(ends, "cloudformation.amazonaws.com")
        }
        "aws:tagkeys" => {
            let tag = |key: &Key| {
                let (start, tag) = key.spelling.split_once('/')?;
                let is_tag = start.eq_ignore_ascii_case("aws:RequestTag");
                (is_tag && is_true(model, &key.presence())).then(|| tag.to_owned())
            };
            or_likely(encoding.keys.values().filter_map(tag).collect(), likely(&key.lower))
        }
        "aws:principalservicenameslist" if kind == Kind::Service => {
            vec![text(model, name::SERVICE).to_owned()]
        }
        _ => vec![own_value(encoding, model, key)],
    }
}

/// The value that the request has for a single-valued key, if it has one.
fn single(encoding: &Encoding, model: &Model, written: &str) -> Option<String> {
    let key = Key::new(written);
    is_true(model, &key.presence()).then(|| own_value(encoding, model, &key))
}

fn is_true(model: &Model, variable: &str) -> bool {
    model.get(variable) == Some(&Value::Bool(true))
}

/// The value of a key that follows from the principal.
fn derived_value(model: &Model, kind: Kind, key: &Key) -> Option<String> {
    let has_account = Kind::IAM.contains(&kind);
    let account = text(model, name::ACCOUNT);
    Some(match key.lower.as_str() {
        "aws:principalarn" if has_account => principal_arn(model, kind),
        "aws:principalaccount" if has_account => account.to_owned(),
        "aws:principalaccount" | "aws:userid" if kind == Kind::Anonymous => "anonymous".to_owned(),
        "aws:principaltype" => match kind {
            Kind::Anonymous => "Anonymous",
            Kind::Root => "Account",
            Kind::User => "User",
            Kind::RoleSession => "AssumedRole",
            Kind::FederatedUser => "FederatedUser",
            _ => return None,
        }
        .to_owned(),
        "aws:userid" if kind == Kind::Root => account.to_owned(),
        "aws:userid" if kind == Kind::FederatedUser => {
            let name = text(model, name::PRINCIPAL).trim_start_matches("federated-user/");
            format!("{account}:{name}")
        }
        "aws:username" if kind == Kind::User => {
            text(model, name::PRINCIPAL).rsplit('/').next().unwrap_or_default().to_owned()
        }
        "aws:principalisawsservice" => (kind == Kind::Service).to_string(),
        "aws:principalservicename" => text(model, name::SERVICE).to_owned(),
        _ => return None,
    })
}

/// The value of a key that has variables of its own; a likely one if nothing is asked of it.
fn own_value(encoding: &Encoding, model: &Model, key: &Key) -> String {
    if let Some(id) = key.organisation() {
        return format!("{}{BEFORE_ROOT}{}", text(model, &id), text(model, &key.field(ROOT)));
    }
    let is = |field: &str| model.get(&key.field(field)) == Some(&Value::Bool(true));
    match key.sort {
        KeySort::Number if encoding.places.contains_key(&key.lower) => number(encoding, model, key),
        // Of some texts only the number, the date or the address is modelled.
        KeySort::String if is(number_field::IS_NUMBER) => number(encoding, model, key),
        KeySort::String if is(instant_field::IS_DATE) => instant::display(seconds(model, key)),
        KeySort::String if is(address_field::IS_ADDRESS) => address(model, key),
        KeySort::String if is(instant_field::IS_EMPTY) => String::new(),
        KeySort::String => match model.get(&key.value()) {
            Some(Value::String(text)) => text.clone(),
            _ => likely(&key.lower).to_owned(),
        },
        KeySort::Bool => (model.get(&key.value()) == Some(&Value::Bool(true))).to_string(),
        KeySort::Arn => {
            format!("arn:{}", ARN_FIELDS.map(|field| text(model, &key.field(field))).join(":"))
        }
        KeySort::Address => address(model, key),
        // Where the formula does not speak of the value any more, it is a likely one.
        KeySort::Number => match text(model, &key.value()) {
            "" => "1".to_owned(),
            number => number.to_owned(),
        },
        KeySort::Date => {
            let seconds = seconds(model, key);
            let is_writable = (instant::FIRST..=instant::LAST).contains(&seconds);
            let seconds = if is_writable { seconds } else { LIKELY_SECONDS[0] };
            match key.lower.as_str() {
                "aws:epochtime" => seconds.to_string(),
                _ => instant::display(seconds),
            }
        }
        KeySort::Binary => text(model, &key.value()).to_owned(),
    }
}

fn address(model: &Model, key: &Key) -> String {
    let bits = |field: &str| match model.get(&key.field(field)) {
        Some(Value::Bits { value, .. }) => *value,
        _ => 0,
    };
    if model.get(&key.field(address_field::IS_V6)) == Some(&Value::Bool(true)) {
        std::net::Ipv6Addr::from_bits(bits(address_field::V6)).to_string()
    } else {
        std::net::Ipv4Addr::from_bits(bits(address_field::V4) as u32).to_string()
    }
}

/// A number at the place among its constants that the key has.
fn number(encoding: &Encoding, model: &Model, key: &Key) -> String {
    let texts = encoding.places.get(&key.lower).map(Vec::as_slice).unwrap_or_default();
    let place = match model.get(&key.field(number_field::PLACE)) {
        Some(Value::Bits { value, .. }) => usize::try_from(*value).unwrap_or(usize::MAX),
        _ => 0,
    };
    // Places beyond the last are above all constants, as the last is.
    texts.get(place).or(texts.last()).cloned().unwrap_or_else(|| "1".to_owned())
}

/// The instant that the key has, in seconds since 1970.
fn seconds(model: &Model, key: &Key) -> i64 {
    match model.get(&key.instant()) {
        Some(Value::Bits { value, .. }) => instant::from_bits(*value),
        _ => LIKELY_SECONDS[0],
    }
}

/// Instants of this year, and some before and after.
const LIKELY_SECONDS: [i64; 5] =
    [1_767_225_600, 1_782_864_000, 1_735_689_600, 946_684_800, 4_102_444_800];

/// Values for several variables at once.
type Candidate = Vec<(String, Value)>;

/// The candidates of one group, given what the groups before it came to.
type Group<'a> = Box<dyn Fn(&Model) -> Cow<'a, [Candidate]> + 'a>;

/// The most candidates tried for one group; more make witnesses no nicer, only slower.
const MAX_CANDIDATES: usize = 200;

/// A model of `formula` with likely values where they fit. A model that does not satisfy the
/// formula comes back completed but otherwise as it is, so that its replay can tell.
pub fn polish(
    question: &Question,
    encoding: &Encoding,
    formula: &Formula,
    mut model: Model,
) -> Model {
    complete_for(formula, &mut model);
    if eval::holds(formula, &model) != Ok(true) {
        return model;
    }
    let formula_of_model = eval::Incremental::new(formula);
    let hints = Hints::new(question, formula);
    let groups = hints.groups(encoding);
    // The first rounds let later groups make room for earlier ones.
    for _ in 0..2 {
        for group in &groups {
            for candidate in group(&model).iter().take(MAX_CANDIDATES) {
                let replaced = put(&mut model, candidate);
                let changed = replaced.iter().map(|(name, _)| name.as_str());
                if formula_of_model.still_holds(&model, changed)
                    && action_without_pseudo_resource(&model).is_none()
                {
                    break;
                }
                for (name, value) in replaced.into_iter().rev() {
                    match value {
                        Some(value) => model.insert(name, value),
                        None => model.remove(&name),
                    };
                }
            }
        }
    }
    model
}

/// Gives the variables the values of the candidate. Returns those that had another value or none,
/// with what they had.
fn put(model: &mut Model, candidate: &Candidate) -> Vec<(String, Option<Value>)> {
    let mut replaced = Vec::new();
    for (name, value) in candidate {
        if model.get(name) != Some(value) {
            replaced.push((name.clone(), model.insert(name.as_str(), value.clone())));
        }
    }
    replaced
}

/// What the question suggests as values.
struct Hints {
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

/// A group whose candidates depend on nothing.
fn constant<'a>(candidates: Vec<Candidate>) -> Group<'a> {
    Box::new(move |_| candidates.clone().into())
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
    fn new(question: &Question, formula: &Formula) -> Hints {
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
    fn groups<'a>(&'a self, encoding: &Encoding) -> Vec<Group<'a>> {
        let mut groups: Vec<Group<'a>> = Vec::new();
        // A witness under the default readings says more than one under alternatives.
        for (variable, _) in encoding.terms.variables() {
            if switch_of(variable).is_some() {
                let default = vec![(variable.to_owned(), Value::Bool(false))];
                groups.push(constant(vec![default]));
            }
        }
        groups.push(constant(self.partitions()));
        groups.push(Box::new(|model| owned(self.principals(), model).into()));
        groups.push(Box::new(|_| self.actions.get_or_init(|| self.actions()).as_slice().into()));
        groups.push(Box::new(|model| owned(self.resources(model), model).into()));
        for key in encoding.keys.values() {
            let elements = encoding.elements.get(&key.lower).map(Vec::as_slice);
            for group in self.key(key, elements.unwrap_or_default()) {
                groups.push(constant(group));
            }
        }
        for (variable, likely) in [
            (name::SERVICE, "cloudtrail.amazonaws.com"),
            (name::PROVIDER, "accounts.google.com"),
            (name::CANONICAL, "example"),
        ] {
            groups.push(constant(self.strings_or(variable, likely)));
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
            let prefix = format!("{service}:");
            candidates.extend(catalogue::actions_with_prefix(&prefix).take(20).filter_map(of));
        }
        // Names that the policies spell and the catalogue lacks, such as those of retired actions.
        candidates.extend(listed.iter().map(|word| vec![string(name::ACTION_NAME, word)]));
        candidates
    }

    /// The pseudo-resource for an action that takes no other; then resources of the action's own
    /// service, as policies name them first; then whatever else they name.
    fn resources(&self, model: &Model) -> Vec<Candidate> {
        let service = text(model, name::ACTION_SERVICE);
        let action = format!("{service}:{}", text(model, name::ACTION_NAME));
        let star = vec![(name::IS_STAR.to_owned(), Value::Bool(true))];
        let mut candidates = Vec::new();
        if catalogue::has_resource_types(&action) == Some(false) {
            candidates.push(star.clone());
        }
        let is_own = |pattern: &&String| pattern.split(':').nth(2) == Some(service);
        let (of_service, others): (Vec<&String>, Vec<&String>) =
            self.resources.iter().partition(is_own);
        let filled = |patterns: Vec<&String>| {
            let with = |star| patterns.iter().filter_map(move |p| arn_candidate(p, star));
            with("example").chain(with("")).collect::<Vec<_>>()
        };
        candidates.extend(filled(of_service));
        let own = likely_resource(service);
        candidates.extend(arn_candidate(&own, ""));
        candidates.extend(filled(others));
        candidates.extend(arn_candidate("arn:aws:s3:::example-bucket/example.txt", ""));
        candidates.push(star);
        candidates
    }

    /// First the key's absence; then, for the case that it is present, likely values, of as few
    /// elements as will do.
    fn key(&self, key: &Key, elements: &[Key]) -> Vec<Vec<Candidate>> {
        let flag = |variable: String| (variable, Value::Bool(false));
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
        let mut groups = Vec::new();
        match key.sort {
            KeySort::String => {
                groups.push(self.strings_or(&key.value(), likely(&key.lower)));
                for field in
                    [number_field::IS_NUMBER, instant_field::IS_DATE, address_field::IS_ADDRESS]
                {
                    groups.push(vec![vec![(key.field(field), Value::Bool(false))]]);
                }
                groups.push(instants(key));
            }
            KeySort::Arn => {
                for field in ARN_FIELDS {
                    groups.push(self.strings_or(&key.field(field), likely_field(field)));
                }
            }
            KeySort::Bool => {
                groups
                    .push(vec![vec![(key.value(), Value::Bool(key.lower != "aws:viaawsservice"))]]);
            }
            KeySort::Address => {
                let v4 = |address: [u8; 4]| {
                    let bits = u128::from(u32::from_be_bytes(address));
                    vec![
                        (key.field(address_field::IS_V6), Value::Bool(false)),
                        (key.field(address_field::V4), Value::Bits { value: bits, width: 32 }),
                    ]
                };
                groups.push(vec![v4([198, 51, 100, 7]), v4([203, 0, 113, 7]), v4([8, 8, 8, 8])]);
            }
            KeySort::Number => {
                let likely = ["1", "10", "100", "1000"].map(|n| vec![string(&key.value(), n)]);
                let words = self.words_of(&key.value()).iter();
                let words = words.map(|word| vec![string(&key.value(), word)]);
                groups.push(likely.into_iter().chain(words).collect());
            }
            KeySort::Binary => groups.push(self.strings_or(&key.value(), "AA==")),
            KeySort::Date => groups.push(instants(key)),
        }
        groups
    }

    fn strings_or(&self, variable: &str, likely: &str) -> Vec<Candidate> {
        let words = self.words_of(variable).iter().map(String::as_str);
        let words = std::iter::once(likely).chain(words);
        words.map(|word| vec![string(variable, word)]).collect()
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
        vec![(key.instant(), bits)]
    };
    LIKELY_SECONDS.map(of).to_vec()
}

/// The candidates with an owner of the resource that suits them, before the candidates as they are:
/// an account of which the principal or the resource is. Nothing changes where no one asks who
/// owns the resource.
fn owned(candidates: Vec<Candidate>, model: &Model) -> Vec<Candidate> {
    if model.get(name::OWNER).is_none() {
        return candidates;
    }
    let owner_of = |candidate: &Candidate| {
        let account = candidate.iter().find_map(|(variable, value)| match value {
            Value::String(account) if variable == name::ACCOUNT => Some(account.clone()),
            _ => None,
        });
        account.unwrap_or_else(|| text(model, name::OWNER).to_owned())
    };
    let with_owner = |candidate: &Candidate| {
        let owner = owner_of(candidate);
        let mut candidate = candidate.clone();
        candidate.push(string(name::OWNER, &owner));
        candidate.push(string("key aws:resourceaccount", &owner));
        let named = |(variable, value): &(String, Value)| match value {
            Value::String(account) if variable == name::RESOURCE_ACCOUNT => !account.is_empty(),
            _ => false,
        };
        let is_named = candidate.iter().find(|(variable, _)| variable == name::RESOURCE_ACCOUNT);
        let is_named = match is_named {
            Some(field) => named(field),
            None => !text(model, name::RESOURCE_ACCOUNT).is_empty(),
        };
        if is_named {
            candidate.retain(|(variable, _)| variable != name::RESOURCE_ACCOUNT);
            candidate.push(string(name::RESOURCE_ACCOUNT, &owner));
        }
        candidate
    };
    candidates.into_iter().flat_map(|candidate| [with_owner(&candidate), candidate]).collect()
}

fn string(variable: &str, value: &str) -> (String, Value) {
    (variable.to_owned(), Value::String(value.to_owned()))
}

fn kind(kind: Kind) -> (String, Value) {
    (name::KIND.to_owned(), Value::Bits { value: kind as u128, width: 3 })
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
        (name::IS_STAR.to_owned(), Value::Bool(false)),
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
