//! A request as an assignment to the encoder's variables.
//!
//! What follows from the principal has no variables of its own, so a request that contradicts
//! itself there has no assignment; nor has one in which a value is not of its key's sort. Such a
//! request must violate some relation, which is what the caller checks. Variables about which the
//! request says nothing get values that are harmless.

use std::cmp::Ordering;
use std::net::IpAddr;

use crate::encode::Encoding;
use crate::encode::symbols::switch_of;
use crate::encode::symbols::{
    ARN_FIELDS, Key, Kind, ROOT, address_field, instant_field, name, number_field,
};
use keyaki_logic::{Model, Sort, Value};
use keyaki_policy::catalogue::{Cardinality, KeySort};
use keyaki_policy::request::{ContextValue, Principal};
use keyaki_policy::{Readings, Request, evaluate};

/// Whether a list has more elements than the encoding tells apart, so that no assignment stands for
/// the request itself.
pub fn is_too_long(encoding: &Encoding, request: &Request) -> bool {
    encoding.elements.iter().any(|(key, slots)| match request.context.get(key) {
        Some(ContextValue::Many(elements)) => distinct(elements).len() > slots.len(),
        _ => false,
    })
}

/// Whether the request has a list of which the encoding knows the presence only.
pub fn has_unseen_list(encoding: &Encoding, request: &Request) -> bool {
    encoding.keys.keys().any(|key| {
        let value = request.context.get(key);
        matches!(value, Some(ContextValue::Many(_))) && !encoding.elements.contains_key(key)
    })
}

/// The assignment that stands for the request under these readings, or none if there is none. It
/// has a value for every variable but the opaque ones.
pub fn model(encoding: &Encoding, request: &Request, readings: Readings) -> Option<Model> {
    if !has_ends(request) {
        return None;
    }
    let mut model = Model::new();
    for (variable, _) in encoding.terms.variables() {
        if let Some(switch) = switch_of(variable) {
            model.insert(variable, Value::Bool(readings.is_alternative(switch)));
        }
    }
    organisations(&mut model, request);
    action_and_resource(&mut model, request)?;
    principal(&mut model, encoding, request)?;
    let own = request.principal.partition_and_account().map(|(_, account)| account);
    let own = own.filter(|account| account.len() == 12);
    if encoding.terms.variables().any(|(variable, _)| variable == name::OWNER) {
        text(&mut model, name::OWNER, request.owner().or(own).unwrap_or("000000000000"));
    }
    for key in encoding.keys.values() {
        let value = request.context.get(&key.lower);
        model.insert(key.presence(), Value::Bool(value.is_some()));
        if let Some(value) = value {
            context_value(&mut model, encoding, request, key, value)?;
        }
    }
    for (variable, sort) in encoding.terms.variables() {
        let is_open = crate::encode::is_opaque(variable) || model.get(variable).is_some();
        if !is_open {
            let value = match sort {
                Sort::Bool => Value::Bool(false),
                Sort::String => Value::String(String::new()),
                Sort::Bits(width) => Value::Bits { value: 0, width },
            };
            model.insert(variable, value);
        }
    }
    Some(model)
}

/// Whether the ends of the list of services are what other keys say they are. An assignment does not
/// know the order.
fn has_ends(request: &Request) -> bool {
    let Some(ContextValue::Many(services)) = request.context.get("aws:CalledVia") else {
        return true;
    };
    let ends = [("aws:CalledViaFirst", services.first()), ("aws:CalledViaLast", services.last())];
    ends.into_iter().all(|(key, end)| match request.context.get(key) {
        Some(ContextValue::One(own)) => Some(own) == end,
        _ => true,
    })
}

/// The ids of organisations, as the keys say or else as paths begin.
fn organisations(model: &mut Model, request: &Request) {
    for member in ["aws:principalorg", "aws:resourceorg", "aws:vpceorg", "aws:sourceorg"] {
        if let Some(ContextValue::Many(paths)) = request.context.get(&format!("{member}paths")) {
            let id = paths.first().and_then(|path| path.split('/').next());
            let id = match request.context.get(&format!("{member}id")) {
                Some(ContextValue::One(own)) => Some(own.as_str()),
                _ => id,
            };
            text(model, &Key::new(&format!("{member}id")).value(), id.unwrap_or_default());
        }
    }
}

fn distinct(elements: &[String]) -> Vec<&String> {
    let mut distinct = vec![];
    for element in elements {
        if !distinct.contains(&element) {
            distinct.push(element);
        }
    }
    distinct
}

fn action_and_resource(model: &mut Model, request: &Request) -> Option<()> {
    let action = request.action.to_ascii_lowercase();
    let (service, action) = action.split_once(':')?;
    text(model, name::ACTION_SERVICE, service);
    text(model, name::ACTION_NAME, action);
    let is_star = request.resource == "*";
    model.insert(name::IS_STAR, Value::Bool(is_star));
    let arn = if is_star { "arn:aws:x:::x" } else { &request.resource };
    let ["arn", partition, service, region, account, id] = fields(arn)? else { return None };
    text(model, name::PARTITION, partition);
    text(model, name::RESOURCE_SERVICE, service);
    text(model, name::RESOURCE_REGION, region);
    text(model, name::RESOURCE_ACCOUNT, account);
    text(model, name::RESOURCE_ID, id);
    Some(())
}

fn principal(model: &mut Model, encoding: &Encoding, request: &Request) -> Option<()> {
    let kind = kind(&request.principal);
    model.insert(name::KIND, Value::Bits { value: kind as u128, width: 3 });
    text(model, name::ACCOUNT, "000000000000");
    for variable in [name::SERVICE, name::PROVIDER, name::CANONICAL] {
        text(model, variable, "nobody");
    }
    for (variable, _) in &encoding.base_users {
        model.insert(variable, Value::Bool(false));
    }
    match &request.principal {
        Principal::Anonymous => {}
        Principal::Root { partition, account, canonical_user } => {
            let arn = format!("arn:{partition}:iam::{account}:root");
            of_account(model, request, &arn, "iam")?;
            canonical(model, canonical_user.as_deref());
        }
        Principal::User { arn, canonical_user } => {
            of_account(model, request, arn, "iam")?;
            text(model, name::USER_ID, "AIDAEXAMPLE");
            canonical(model, canonical_user.as_deref());
        }
        Principal::RoleSession { role_arn, session_name } => {
            of_account(model, request, role_arn, "iam")?;
            text(model, name::USER_ID, &format!("AROAEXAMPLE:{session_name}"));
        }
        Principal::FederatedUser { arn, base } => {
            of_account(model, request, arn, "sts")?;
            if let Some(base) = base {
                base_user(model, encoding, request, base)?;
            }
        }
        Principal::Service { name } => text(model, name::SERVICE, name),
        Principal::Federated { provider } => text(model, name::PROVIDER, provider),
        Principal::CanonicalUser { id } => text(model, name::CANONICAL, id),
    }
    Some(())
}

/// The fields of the principal's ARN; its partition is that of the resource (R34).
fn of_account(model: &mut Model, request: &Request, arn: &str, service: &str) -> Option<()> {
    let ["arn", partition, own_service, "", account, id] = fields(arn)? else { return None };
    if own_service != service {
        return None;
    }
    if request.resource == "*" {
        text(model, name::PARTITION, partition);
    } else if model.get(name::PARTITION) != Some(&Value::String(partition.to_owned())) {
        return None;
    }
    text(model, name::ACCOUNT, account);
    text(model, name::PRINCIPAL, id);
    text(model, name::NAME, id.rsplit('/').next()?);
    Some(())
}

/// A user whom no policy names needs no variable, but must be of the session's account.
fn base_user(model: &mut Model, encoding: &Encoding, request: &Request, base: &str) -> Option<()> {
    let is_base = |partition: &str, account: &str, resource: &str| {
        fields(base) == Some(["arn", partition, "iam", "", account, resource])
    };
    let named = encoding
        .base_users
        .iter()
        .find(|(_, user)| is_base(&user.partition, &user.account, &user.resource));
    if let Some((variable, _)) = named {
        model.insert(variable, Value::Bool(true));
        return Some(());
    }
    let [_, partition, _, _, account, resource] = fields(base)?;
    let same_account = request.principal.partition_and_account() == Some((partition, account));
    (same_account && resource.starts_with("user/")).then_some(())
}

fn canonical(model: &mut Model, id: Option<&str>) {
    if let Some(id) = id {
        text(model, name::CANONICAL, id);
    }
}

fn context_value(
    model: &mut Model,
    encoding: &Encoding,
    request: &Request,
    key: &Key,
    value: &ContextValue,
) -> Option<()> {
    let is_list = matches!(value, ContextValue::Many(_));
    match key.cardinality {
        Some(cardinality) if is_list != (cardinality == Cardinality::Multi) => return None,
        Some(_) => {}
        None => {
            model.insert(key.list(), Value::Bool(is_list));
        }
    }
    let value = match value {
        ContextValue::One(value) => value,
        ContextValue::Many(elements) => {
            let slots = encoding.elements.get(&key.lower).map(Vec::as_slice).unwrap_or_default();
            for (slot, element) in slots.iter().zip(distinct(elements)) {
                model.insert(slot.presence(), Value::Bool(true));
                own_value(model, encoding, slot, element)?;
            }
            return Some(());
        }
    };
    let own_kind = kind(&request.principal);
    if let Some(derived) = derived(&request.principal, own_kind, key) {
        return (derived == *value).then_some(());
    }
    match (key.lower.as_str(), &request.principal) {
        ("aws:userid", Principal::RoleSession { session_name, .. })
            if value.split_once(':')?.1 != session_name =>
        {
            return None;
        }
        ("aws:principalservicename", _) => {
            text(model, name::SERVICE, value);
            return Some(());
        }
        _ => {}
    }
    own_value(model, encoding, key, value)
}

/// The value of a key that follows from the principal, if it does.
fn derived(principal: &Principal, kind: Kind, key: &Key) -> Option<String> {
    let iam = principal.partition_and_account();
    let (arn, account) = match (principal, iam) {
        (Principal::Root { .. }, Some((partition, account))) => {
            (format!("arn:{partition}:iam::{account}:root"), account)
        }
        (
            Principal::User { arn, .. } | Principal::FederatedUser { arn, .. },
            Some((_, account)),
        ) => (arn.clone(), account),
        (Principal::RoleSession { role_arn, .. }, Some((_, account))) => {
            (role_arn.clone(), account)
        }
        _ => (String::new(), ""),
    };
    let name = || arn.rsplit('/').next().unwrap_or_default();
    let value = match key.lower.as_str() {
        "aws:principalarn" if iam.is_some() => arn,
        "aws:principalaccount" if iam.is_some() => account.to_owned(),
        "aws:principalaccount" | "aws:userid" if kind == Kind::Anonymous => "anonymous".to_owned(),
        "aws:principaltype" => match kind {
            Kind::Anonymous => "Anonymous",
            Kind::Root => "Account",
            Kind::User => "User",
            Kind::RoleSession => "AssumedRole",
            Kind::FederatedUser => "FederatedUser",
            Kind::Service | Kind::Federated | Kind::CanonicalUser => return None,
        }
        .to_owned(),
        "aws:userid" if kind == Kind::Root => account.to_owned(),
        "aws:userid" if kind == Kind::FederatedUser => format!("{account}:{}", name()),
        "aws:username" if kind == Kind::User => name().to_owned(),
        "aws:principalisawsservice" => (kind == Kind::Service).to_string(),
        "aws:principalservicename" => match principal {
            Principal::Service { name } => name.clone(),
            _ => return None,
        },
        _ => return None,
    };
    Some(value)
}

fn own_value(model: &mut Model, encoding: &Encoding, key: &Key, value: &str) -> Option<()> {
    if let Some(id) = key.organisation() {
        // The id is there: as the key has it, or as the first path begins.
        let Some(Value::String(id)) = model.get(&id) else { return None };
        let root = value.strip_prefix(id.as_str())?.strip_prefix("/r-")?.to_owned();
        text(model, &key.field(ROOT), &root);
        return Some(());
    }
    if encoding.places.contains_key(&key.lower) && is_number(value) {
        place(model, encoding, key, value);
    }
    match key.sort {
        KeySort::String => {
            let has = |name: &str| encoding.terms.variables().any(|(known, _)| known == name);
            if has(&key.value()) {
                text(model, &key.value(), value);
            }
            // Of some texts only the date or the address is modelled.
            let date = evaluate::seconds(value);
            let is_address = value.parse::<IpAddr>().is_ok();
            for (field, holds) in [
                (number_field::IS_NUMBER, is_number(value)),
                (instant_field::IS_EMPTY, value.is_empty()),
                (instant_field::IS_DATE, date.is_some()),
                (address_field::IS_ADDRESS, is_address),
            ] {
                if has(&key.field(field)) {
                    model.insert(key.field(field), Value::Bool(holds));
                }
            }
            instant(model, key, date.unwrap_or(0))?;
            if is_address {
                address(model, key, value)?;
            }
        }
        KeySort::Bool => {
            model.insert(key.value(), Value::Bool(value.parse().ok()?));
        }
        KeySort::Arn => {
            let ["arn", values @ ..] = fields(value)? else { return None };
            for (field, value) in ARN_FIELDS.iter().zip(values) {
                text(model, &key.field(field), value);
            }
        }
        KeySort::Address => address(model, key, value)?,
        KeySort::Number if encoding.places.contains_key(&key.lower) => {
            // As AWS writes numbers.
            let is_plain = is_number(value) && !value.contains(['+', 'e', 'E']);
            return is_plain.then_some(());
        }
        KeySort::Number | KeySort::Binary => text(model, &key.value(), value),
        KeySort::Date => {
            if key.lower == "aws:epochtime" && value.parse::<i64>().is_err() {
                return None;
            }
            instant(model, key, evaluate::seconds(value)?)?;
        }
    }
    Some(())
}

fn is_number(text: &str) -> bool {
    evaluate::compare_numbers(text, text).is_some()
}

/// The number's place among the constants, which are the texts at odd places.
fn place(model: &mut Model, encoding: &Encoding, key: &Key, value: &str) {
    let constants = encoding.places[&key.lower].iter().skip(1).step_by(2);
    let places = constants.map(|constant| match evaluate::compare_numbers(constant, value) {
        Some(Ordering::Less) => 2,
        Some(Ordering::Equal) => 1,
        _ => 0,
    });
    let place = Value::Bits { value: places.sum(), width: 16 };
    model.insert(key.field(number_field::PLACE), place);
}

/// The instant, unless the model has another for the key already.
fn instant(model: &mut Model, key: &Key, seconds: i64) -> Option<()> {
    let bits = i128::from(seconds) + (1 << 63);
    let value = Value::Bits { value: bits.try_into().ok()?, width: 64 };
    let before = model.insert(key.instant(), value.clone());
    before.is_none_or(|before| before == value).then_some(())
}

fn address(model: &mut Model, key: &Key, value: &str) -> Option<()> {
    let address: IpAddr = value.parse().ok()?;
    model.insert(key.field(address_field::IS_V6), Value::Bool(address.is_ipv6()));
    let (field, value, width) = match address {
        IpAddr::V4(address) => (address_field::V4, u128::from(address.to_bits()), 32),
        IpAddr::V6(address) => (address_field::V6, address.to_bits(), 128),
    };
    model.insert(key.field(field), Value::Bits { value, width });
    Some(())
}

fn kind(principal: &Principal) -> Kind {
    match principal {
        Principal::Anonymous => Kind::Anonymous,
        Principal::Root { .. } => Kind::Root,
        Principal::User { .. } => Kind::User,
        Principal::RoleSession { .. } => Kind::RoleSession,
        Principal::FederatedUser { .. } => Kind::FederatedUser,
        Principal::Service { .. } => Kind::Service,
        Principal::Federated { .. } => Kind::Federated,
        Principal::CanonicalUser { .. } => Kind::CanonicalUser,
    }
}

fn fields(arn: &str) -> Option<[&str; 6]> {
    arn.splitn(6, ':').collect::<Vec<_>>().try_into().ok()
}

fn text(model: &mut Model, variable: &str, value: &str) {
    model.insert(variable, Value::String(value.to_owned()));
}
