//! A model as a request that people can read.
//!
//! Solvers find models such as the user `"~"` in the partition `"-"`. [`polish`] replaces values
//! by likely ones, group by group, as long as the formula stays true. The candidates and their
//! order do not depend on the model, so that whichever solver won, the witness is usually the
//! same; where a group keeps a value of the model because no candidate fits, it need not be.

mod candidates;
mod search;

use keyaki_logic::{Formula, Model, Sort, Value, eval};
use keyaki_policy::Request;
use keyaki_policy::catalogue::{self, Cardinality, KeySort};
use keyaki_policy::request::{Context, ContextValue, Principal};

use crate::compatible::service_to_refine;
use crate::encode::Encoding;
use crate::encode::instant;
use crate::encode::symbols::{
    ARN_FIELDS, BEFORE_ROOT, Key, Kind, ROOT, address_field, instant_field, name, number_field,
};
use crate::question::Question;
pub use candidates::words;
use candidates::{Candidate, Hints, MAX_CANDIDATES, Name};
pub(crate) use candidates::{STRANGERS, WELL_KNOWN_ACTIONS, likely, likely_resource};
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
    let mut groups = hints.groups(encoding);
    groups.push(candidates::Group::Owner);
    // The first rounds let later groups make room for earlier ones.
    for _ in 0..2 {
        for group in &groups {
            for candidate in group.candidates(&model).take(MAX_CANDIDATES) {
                let replaced = put(&mut model, &candidate);
                let changed = replaced.iter().map(|(name, _)| &**name);
                if formula_of_model.still_holds(&model, changed)
                    && service_to_refine(encoding, &model).is_none()
                {
                    break;
                }
                undo(&mut model, replaced);
            }
        }
    }
    model
}

/// Gives the variables the values of the candidate. Returns those that had another value or none,
/// with what they had.
fn put(model: &mut Model, candidate: &Candidate) -> Vec<(Name, Option<Value>)> {
    let mut replaced = Vec::new();
    for (name, value) in candidate {
        if model.get(name) != Some(value) {
            replaced.push((name.clone(), model.insert(&**name, value.clone())));
        }
    }
    replaced
}

/// Gives the variables back what [`put`] replaced.
fn undo(model: &mut Model, replaced: Vec<(Name, Option<Value>)>) {
    for (name, value) in replaced.into_iter().rev() {
        match value {
            Some(value) => model.insert(name, value),
            None => model.remove(&name),
        };
    }
}
