//! Requests that are likely to break a property, made from the statements through which it may.
//!
//! Most properties that fail do so on an unremarkable request: the first action that the new
//! policy adds, on the resource beside it. Such a request is written down directly, and
//! [replayed](mod@crate::replay) under every reading of the switches that can matter to it; if it
//! is a witness under all of them, the property fails, whatever else is true. Nothing is concluded
//! from requests that are none, so nothing here has to be right, only likely.

mod access;
mod boundary;
mod context;

use keyaki_policy::access::AccessPattern;
use keyaki_policy::ast::{
    ActionPattern, BaseOperator, Clause, Condition, Effect, PolicyType, PrincipalEntry,
    PrincipalKind, ResourcePattern, Segment, Statement, Template,
};
use keyaki_policy::catalogue::{self, Cardinality};
use keyaki_policy::evaluate::{Truth, statement_matches};
use keyaki_policy::request::{Principal, Request};
use keyaki_policy::{Policy, Readings, Switch};

use crate::check::readings::combinations;
use crate::cover::glob::{self, Case};
use crate::cover::{Open, parts};
use crate::question::{PolicyRef, Question, Side};
use crate::replay::{Replay, Replayer};
use crate::witness::{STRANGERS, WELL_KNOWN_ACTIONS, likely_resource};
pub(crate) use boundary::Boundary;
use context::{Context, Resource};

/// The most requests that are made for one question.
const MAX_GUESSES: usize = 24;

/// The most of them that are made for one Deny of the reference, beside those.
const MAX_GUESSES_PER_DENY: usize = 3;

/// The most pairs of entries of a statement and a Deny that are looked at, and the most that are used.
const MAX_PAIRS: usize = 1024;
const MAX_COMMON: usize = 4;

/// The most actions that are tried for one statement.
const MAX_ACTIONS: usize = 3;

/// The most resources that are tried for one action.
const MAX_RESOURCES: usize = 3;

/// The most switches of which all combinations are replayed.
const MAX_SWITCHES: usize = 5;

/// Clauses of more entries are not searched for actions that readers know.
const MAX_SEARCHED_ENTRIES: usize = 32;

/// Keys of the resource for which a service calls (R9).
const SOURCE_KEYS: [&str; 4] =
    ["aws:SourceAccount", "aws:SourceArn", "aws:SourceOrgID", "aws:SourceOrgPaths"];

/// A request that breaks the property, under `base` and all other readings of the undecided
/// switches that are not among `decided`, with the statements that let it in.
pub(crate) fn witness(
    question: &Question,
    open: &[Open<'_>],
    base: Readings,
    is_decided: &dyn Fn(Switch) -> bool,
) -> Option<(Request, Vec<(PolicyRef, usize)>)> {
    let mut left = MAX_GUESSES;
    let context = Context::new(question);
    let accesses = access::wanted(question);
    let replayer = Replayer::new(question);
    let is_witness = |request: &Request| is_witness(question, &replayer, request, base, is_decided);
    for open in open {
        let policy = question.policy(open.at)?;
        let statement = policy.statement(open.statement)?;
        let meets = open.denies.iter().filter_map(|deny| meet(policy, statement, open, deny));
        for (meet, actions) in meets {
            let requests = requests(policy, &meet, &actions, &accesses, &context);
            for request in requests.take(MAX_GUESSES_PER_DENY) {
                if let Some(allowing) = is_witness(&request) {
                    return Some((request, allowing));
                }
            }
        }
        for request in requests(policy, statement, &open.actions, &accesses, &context) {
            left = left.checked_sub(1)?;
            if let Some(allowing) = is_witness(&request) {
                return Some((request, allowing));
            }
            for request in changed(question, &request, base) {
                left = left.checked_sub(1)?;
                if let Some(allowing) = is_witness(&request) {
                    return Some((request, allowing));
                }
            }
        }
    }
    None
}

/// What the statement allows and a Deny of the reference denies, as a statement, and the positions of
/// its actions.
fn meet(
    policy: &Policy,
    statement: &Statement,
    open: &Open<'_>,
    deny: &Statement,
) -> Option<(Statement, Vec<usize>)> {
    let wanted = open.actions.iter().filter_map(|at| statement.action.entries.get(*at));
    let action = if deny.action.negated {
        Clause { entries: wanted.cloned().collect(), ..statement.action }
    } else if statement.action.negated {
        let is_in =
            |entry: &&ActionPattern| !parts::action_is_outside(&entry.text, &statement.action);
        Clause {
            entries: deny.action.entries.iter().filter(is_in).cloned().collect(),
            ..deny.action
        }
    } else {
        let includes =
            |a: &ActionPattern, b: &ActionPattern| parts::action_includes(&a.text, &b.text);
        Clause { entries: common(wanted, &deny.action.entries, includes), ..statement.action }
    };
    let resource = match (&statement.resource, &deny.resource) {
        (Some(own), Some(other)) if !own.negated && !other.negated => {
            let includes = |a: &ResourcePattern, b: &ResourcePattern| {
                parts::resource_includes((policy.policy_type, a), (policy.policy_type, b))
            };
            let entries = common(own.entries.iter(), &other.entries, includes);
            Some(Clause { entries, ..*own })
        }
        (Some(own), Some(other)) if own.negated => Some(other.clone()),
        (own, _) => own.clone(),
    };
    if action.entries.is_empty()
        || resource.as_ref().is_some_and(|clause| clause.entries.is_empty())
    {
        return None;
    }
    let actions = (0..action.entries.len()).collect();
    let conditions = [&statement.conditions[..], &deny.conditions[..]].concat();
    Some((Statement { action, resource, conditions, ..statement.clone() }, actions))
}

/// Of each pair of entries the one that the other includes, a few.
fn common<'e, T: Clone + 'e>(
    own: impl Iterator<Item = &'e T>,
    others: &'e [T],
    includes: impl Fn(&T, &T) -> bool,
) -> Vec<T> {
    let pairs = own.flat_map(|own| others.iter().map(move |other| (own, other)));
    let narrower = pairs.take(MAX_PAIRS).filter_map(|(own, other)| match includes(own, other) {
        true => Some(other),
        false => includes(other, own).then_some(own),
    });
    narrower.take(MAX_COMMON).cloned().collect()
}

/// The request with changes that may keep it from those statements that stand in its way.
fn changed(question: &Question, request: &Request, base: Readings) -> Vec<Request> {
    // What the other side allows as well is what `disjoint` asks for.
    let has_common = matches!(question, Question::Disjoint { .. });
    let stands_in_the_way = |at: PolicyRef, statement: &Statement| match statement.effect {
        Effect::Deny => at.side != Side::Existing || has_common,
        Effect::Allow => at.side == Side::Existing && !has_common,
    };
    for (at, policy) in question.policies() {
        for statement in &policy.statements {
            if stands_in_the_way(at, statement)
                && !statement.conditions.is_empty()
                && statement_matches(policy, statement, request, base).0 == Truth::True
            {
                return context::evading(request, statement);
            }
        }
    }
    Vec::new()
}

/// The statements that let the request in, if it breaks the property under all readings.
fn is_witness(
    question: &Question,
    replayer: &Replayer<'_>,
    request: &Request,
    base: Readings,
    is_decided: &dyn Fn(Switch) -> bool,
) -> Option<Vec<(PolicyRef, usize)>> {
    let Replay::Confirmed { allowing } = replayer.replay(request, base) else { return None };
    let mut free = switches(question, request);
    free.retain(|switch| switch.is_undecided() && !is_decided(*switch));
    if free.len() > MAX_SWITCHES {
        return None;
    }
    let is_one = |readings| matches!(replayer.replay(request, readings), Replay::Confirmed { .. });
    combinations(&free, base).skip(1).all(is_one).then_some(allowing)
}

/// The switches that can make a difference to what the question says of the request; perhaps more.
///
/// A statement that does not match the action matches under no reading, and a relation that is not
/// certain speaks of requests with certain keys.
fn switches(question: &Question, request: &Request) -> Vec<Switch> {
    let mut switches = Vec::new();
    let mut note = |switch: Switch, touches: bool| {
        if touches && !switches.contains(&switch) {
            switches.push(switch);
        }
    };
    for statement in question.policies().flat_map(|(_, policy)| &policy.statements) {
        if parts::action_is_outside(&request.action, &statement.action) {
            continue;
        }
        if let Some(clause) = &statement.principal {
            let is_star = |e: &PrincipalEntry| e.kind == PrincipalKind::EveryAwsPrincipal;
            note(Switch::D12, clause.entries.iter().any(is_star));
            note(Switch::D14, clause.negated);
        }
        let has_variables = statement.variables().next().is_some();
        note(Switch::D28, has_variables);
        note(Switch::D29, has_variables);
        for condition in &statement.conditions {
            of_condition(condition, &mut note);
        }
    }
    let has = |key: &str| request.context.get(key).is_some();
    note(Switch::R9, SOURCE_KEYS.into_iter().any(has));
    note(Switch::R25, has("aws:ResourceAccount"));
    note(Switch::R29, has("aws:TagKeys") || context::has_request_tag(&request.context));
    note(Switch::R8, has("aws:PrincipalServiceNamesList"));
    // The relation says that the key is there.
    note(Switch::R19, !has("aws:UserAgent"));
    switches
}

/// The switches that can make a difference to the condition.
fn of_condition(condition: &Condition, note: &mut impl FnMut(Switch, bool)) {
    use BaseOperator::*;
    let operator = condition.operator;
    let is_typed = matches!(operator.base, NumericNotEquals | DateNotEquals | NotIpAddress);
    let of_arns = matches!(operator.base, ArnEquals | ArnNotEquals | ArnLike | ArnNotLike);
    let is_single =
        || catalogue::key(&condition.key).is_some_and(|k| k.cardinality == Cardinality::Single);
    note(Switch::D6, condition.values.is_empty());
    note(Switch::D17, is_typed);
    note(Switch::D22, of_arns);
    note(Switch::D23, operator.set.is_some() || operator.base == Null);
    note(Switch::D24, operator.set.is_some() && operator.if_exists);
    note(Switch::D26, operator.base.is_negated() && operator.set.is_none() && !is_single());
}

/// Requests that the statement is likely to match, the likeliest first.
fn requests<'a>(
    policy: &'a Policy,
    statement: &'a Statement,
    positions: &'a [usize],
    accesses: &'a [AccessPattern],
    context: &'a Context<'_>,
) -> impl Iterator<Item = Request> {
    let principals = principals(policy, statement);
    let actions = match accesses {
        [] => {
            let is_listed = |action: &str| context.lists_action(action);
            actions(statement, positions, &is_listed, &context.excluded)
        }
        _ => access::actions(statement, positions, accesses),
    };
    actions.into_iter().take(MAX_ACTIONS).flat_map(move |action| {
        let mut resources = resources(statement, &action);
        access::prefer(&mut resources, statement, &action, accesses);
        let resources = resources.into_iter().take(MAX_RESOURCES);
        let pairs = resources.flat_map(|resource| {
            principals.clone().into_iter().map(move |p| (resource.clone(), p))
        });
        let pairs: Vec<(Resource<'_>, Who)> = pairs.collect();
        pairs.into_iter().filter_map(move |(resource, who)| {
            context.request(statement, who.of_partition(&resource), &action, &resource)
        })
    })
}

/// Who asks, but for the partition of an ARN that nobody names.
#[derive(Clone)]
enum Who {
    Is(Principal),
    /// A user of this account.
    UserOf(String),
}

impl Who {
    /// The principal, of the resource's partition if nothing else is known (R34).
    fn of_partition(self, resource: &Resource<'_>) -> Principal {
        let start = match resource {
            Resource::Is(text) => text,
            Resource::Of(template) => match template.segments.first() {
                Some(Segment::Text(text)) => text,
                _ => "",
            },
        };
        let partition = start.split(':').nth(1).filter(|field| !glob::has_wildcard(field));
        let partition = partition.filter(|field| !field.is_empty()).unwrap_or("aws");
        match self {
            Who::Is(principal) => principal,
            Who::UserOf(account) => Principal::User {
                arn: format!("arn:{partition}:iam::{account}:user/alice"),
                canonical_user: None,
            },
        }
    }
}

/// The principal that a condition asks for by its ARN or account.
fn asked_for(statement: &Statement) -> Option<Who> {
    use BaseOperator::*;
    let is_positive = |condition: &&Condition| {
        matches!(condition.operator.base, StringEquals | StringLike | ArnEquals | ArnLike)
    };
    statement.conditions.iter().filter(is_positive).find_map(|condition| {
        let text = parts::plain(&condition.values.first()?.template)?;
        if condition.key.eq_ignore_ascii_case("aws:PrincipalAccount") {
            return (!glob::has_wildcard(text)).then(|| Who::UserOf(text.to_owned()));
        }
        if !condition.key.eq_ignore_ascii_case("aws:PrincipalArn") {
            return None;
        }
        let arn = arn(text)?;
        let resource = arn.splitn(6, ':').nth(5)?;
        Some(Who::Is(match resource.split_once('/') {
            Some(("user", _)) => Principal::User { arn, canonical_user: None },
            Some(("role", _)) => {
                Principal::RoleSession { role_arn: arn, session_name: "session".to_owned() }
            }
            _ => return None,
        }))
    })
}

/// Whom the statement is likely to let in.
fn principals(policy: &Policy, statement: &Statement) -> Vec<Who> {
    let stranger = || match asked_for(statement) {
        Some(who) => who,
        None => Who::UserOf(STRANGERS[0].to_owned()),
    };
    if !policy.policy_type.names_principals() {
        return match policy.policy_type {
            PolicyType::Session => vec![Who::Is(Principal::RoleSession {
                role_arn: format!("arn:aws:iam::{}:role/example", STRANGERS[0]),
                session_name: "session".to_owned(),
            })],
            _ => vec![stranger()],
        };
    }
    let Some(clause) = &statement.principal else { return Vec::new() };
    let mut principals = Vec::new();
    // R9: only services have these keys.
    let of_service =
        |test: &Condition| SOURCE_KEYS.iter().any(|source| source.eq_ignore_ascii_case(&test.key));
    let is_star = |entry: &PrincipalEntry| entry.kind == PrincipalKind::Everyone;
    if statement.conditions.iter().any(of_service) && clause.entries.iter().any(is_star) {
        let name = "cloudtrail.amazonaws.com".to_owned();
        principals.push(Who::Is(Principal::Service { name }));
    }
    if clause.negated {
        return vec![Who::Is(Principal::Anonymous), stranger()];
    }
    principals.extend(clause.entries.iter().take(2).flat_map(|entry| who(&entry.kind)));
    if let Some(who) = asked_for(statement) {
        principals.insert(0, who);
    }
    principals
}

fn who(kind: &PrincipalKind) -> Vec<Who> {
    match kind {
        PrincipalKind::Everyone | PrincipalKind::EveryAwsPrincipal => {
            vec![Who::Is(Principal::Anonymous), Who::UserOf(STRANGERS[0].to_owned())]
        }
        PrincipalKind::Account { account, partition: None } => vec![Who::UserOf(account.clone())],
        PrincipalKind::Account { account, partition: Some(partition) } => {
            let arn = format!("arn:{partition}:iam::{account}:user/alice");
            vec![Who::Is(Principal::User { arn, canonical_user: None })]
        }
        PrincipalKind::User(arn) => {
            let arn = format!("arn:{}:iam::{}:{}", arn.partition, arn.account, arn.resource);
            vec![Who::Is(Principal::User { arn, canonical_user: None })]
        }
        PrincipalKind::Role(arn) => vec![Who::Is(Principal::RoleSession {
            role_arn: format!("arn:{}:iam::{}:{}", arn.partition, arn.account, arn.resource),
            session_name: "session".to_owned(),
        })],
        PrincipalKind::RoleSession { partition, account, role, session } => {
            vec![Who::Is(Principal::RoleSession {
                role_arn: format!("arn:{partition}:iam::{account}:role/{role}"),
                session_name: session.clone(),
            })]
        }
        PrincipalKind::Service(name) => vec![Who::Is(Principal::Service { name: name.clone() })],
        PrincipalKind::Federated(provider) => {
            vec![Who::Is(Principal::Federated { provider: provider.clone() })]
        }
        PrincipalKind::FederatedUser(_)
        | PrincipalKind::UniqueId(_)
        | PrincipalKind::CanonicalUser(_) => vec![],
    }
}

/// Actions of the entries at these positions: those that readers know, then those named, or the
/// first that the catalogue has and, if there is one, the reference does not list; for patterns, those
/// that the reference excludes before that.
fn actions(
    statement: &Statement,
    positions: &[usize],
    is_listed: &dyn Fn(&str) -> bool,
    excluded: &[String],
) -> Vec<String> {
    let clause = &statement.action;
    let mut actions: Vec<String> = Vec::new();
    let mut add = |action: &str| {
        let action = catalogue::action(action).unwrap_or(action);
        if !actions.iter().any(|known| known == action) {
            actions.push(action.to_owned());
        }
        actions.len() < MAX_ACTIONS
    };
    if clause.negated {
        let is_in = |action: &&&str| !parts::action_is_outside(action, clause);
        WELL_KNOWN_ACTIONS.iter().filter(is_in).all(|action| add(action));
        return actions;
    }
    let entries: Vec<&ActionPattern> =
        positions.iter().filter_map(|position| clause.entries.get(*position)).collect();
    for entry in &entries {
        let has_wildcard = glob::has_wildcard(&entry.text);
        let excluded = excluded.iter().filter(|a| parts::action_includes(&entry.text, a));
        if has_wildcard && !excluded.take(MAX_ACTIONS).all(|action| add(action)) {
            return actions;
        }
    }
    if entries.len() <= MAX_SEARCHED_ENTRIES {
        let is_in = |a: &&&str| entries.iter().any(|entry| parts::action_includes(&entry.text, a));
        if !WELL_KNOWN_ACTIONS.iter().filter(is_in).all(|action| add(action)) {
            return actions;
        }
    }
    for entry in entries {
        let pattern = entry.text.as_str();
        let goes_on = if glob::has_wildcard(pattern) {
            let known = catalogue::actions_with_prefix(glob::literal_prefix(pattern));
            let known = known.take(MAX_SEARCHED_ENTRIES);
            let known: Vec<&str> =
                known.filter(|a| glob::includes(pattern, a, Case::Ignored)).collect();
            let new = known.iter().copied().find(|action| !is_listed(action));
            // Or one that is still to come.
            let future = glob::word(pattern, "example");
            let first = new.or(known.first().copied());
            first.is_none_or(&mut add) && (new.is_some() || add(&future))
        } else {
            add(pattern)
        };
        if !goes_on {
            break;
        }
    }
    actions
}

/// Resources that the statement is likely to match, for the action: those of its own service first.
fn resources<'s>(statement: &'s Statement, action: &str) -> Vec<Resource<'s>> {
    let service = action.split(':').next().unwrap_or_default();
    let own = likely_resource(service);
    let any = || match catalogue::has_resource_types(action) {
        Some(false) => vec![Resource::Is("*".to_owned()), Resource::Is(own.clone())],
        _ => vec![Resource::Is(own.clone())],
    };
    let Some(clause) = statement.resource.as_ref().filter(|clause| !clause.negated) else {
        return any();
    };
    let is_star = |template: &Template| parts::plain(template) == Some("*");
    let is_own = |template: &Template| match template.segments.first() {
        Some(Segment::Text(text)) => text.split(':').nth(2) == Some(service),
        _ => false,
    };
    let templates = || clause.entries.iter().map(|entry| &entry.template);
    let of_service = templates().filter(|t| is_own(t)).map(Resource::Of);
    if templates().any(is_star) {
        return of_service.chain(any()).collect();
    }
    of_service.chain(templates().filter(|t| !is_own(t)).map(Resource::Of)).collect()
}

/// An ARN that the pattern matches, with likely text for its wildcards and for the fields that it does
/// not have.
fn arn(pattern: &str) -> Option<String> {
    arn_with(pattern, "example")
}

/// An ARN that the pattern matches, with `star` for the stars of its last field.
fn arn_with(pattern: &str, star: &str) -> Option<String> {
    if let Some(path) = pattern.strip_prefix("execute-api:").filter(|path| path.starts_with('/')) {
        // How the policy of an API abbreviates (2.3).
        let path = glob::word(path, star);
        return Some(format!("arn:aws:execute-api:{FILLER_REGION}:{FILLER_ACCOUNT}:example{path}"));
    }
    let likely = ["arn", "aws", "s3", FILLER_REGION, FILLER_ACCOUNT, star];
    let mut fields = pattern.splitn(likely.len(), ':');
    let mut arn = String::with_capacity(pattern.len() + 32);
    let mut is_cut_short = false;
    for (position, likely) in likely.into_iter().enumerate() {
        if position > 0 {
            arn.push(':');
        }
        match fields.next() {
            Some(field) => {
                is_cut_short = field.ends_with('*');
                arn.push_str(&glob::word(field, likely));
            }
            None if is_cut_short || position > 2 => arn.push_str(likely),
            None => return None,
        }
    }
    Some(arn)
}

/// Region and account of resources that have some.
const FILLER_REGION: &str = "us-east-1";
const FILLER_ACCOUNT: &str = "111122223333";

#[cfg(test)]
mod tests {
    use keyaki_policy::parse;

    use super::*;
    use crate::cover::open_statements;

    #[test]
    fn what_a_deny_of_the_reference_alone_denies_is_found() {
        let policy = |denied: &str| {
            let text = format!(
                r#"{{"Version": "2012-10-17", "Statement": [
                    {{"Effect": "Allow", "Action": ["s3:Get*", "s3:Put*"], "Resource": "*"}},
                    {{"Effect": "Deny", "Action": "s3:PutObject", "Resource": "{denied}",
                      "Condition": {{"StringEquals": {{"aws:PrincipalTag/team": "x"}}}}}}]}}"#
            );
            vec![parse(&text, Some(PolicyType::Identity)).unwrap()].into()
        };
        let (existing, new) = (policy("arn:aws:s3:::a*z/*"), policy("arn:aws:s3:::b/*"));
        let question = Question::NoNewAccess { existing, new };
        let open = open_statements(&question, &mut crate::cover::Table::default()).unwrap();
        let found = witness(&question, &open, Readings::DEFAULT, &|_| false);
        let (request, allowing) = found.unwrap();
        assert_eq!(request.action, "s3:PutObject");
        assert_eq!(request.resource, "arn:aws:s3:::aexamplez/example");
        assert_eq!(allowing, [(PolicyRef::of_union(Side::New, 0), 0)]);
    }
}
