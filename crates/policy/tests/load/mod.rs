//! Policies of test vectors to the syntax tree, without the parser.
//!
//! No diagnostics and no places: the vectors are valid, and what is wrong in one panics.

use keyaki_policy::ast::*;
use keyaki_policy::span::Span;
use serde_json::Value;

pub(crate) fn policy(entry: &Value) -> Policy {
    let document = &entry["document"];
    let version = match document["Version"].as_str() {
        Some("2012-10-17") => Version::V2012,
        _ => Version::V2008,
    };
    Policy {
        policy_type: match entry["type"].as_str() {
            Some("identity") => PolicyType::Identity,
            _ => PolicyType::Resource,
        },
        version,
        id: None,
        statements: list(&document["Statement"])
            .enumerate()
            .map(|(index, value)| statement(index, value, version))
            .collect(),
        single_statement: document["Statement"].is_object(),
    }
}

fn statement(index: usize, value: &Value, version: Version) -> Statement {
    Statement {
        index,
        sid: None,
        effect: if value["Effect"] == "Allow" { Effect::Allow } else { Effect::Deny },
        principal: clause(value, "Principal", principals),
        action: clause(value, "Action", |value| {
            list(value).map(|entry| ActionPattern { text: text(entry), span: span() }).collect()
        })
        .unwrap(),
        resource: clause(value, "Resource", |value| {
            let template = |entry| template(&text(entry), version);
            list(value)
                .map(|entry| ResourcePattern { template: template(entry), span: span() })
                .collect()
        }),
        conditions: conditions(&value["Condition"], version),
        span: span(),
    }
}

fn clause<T>(
    statement: &Value,
    name: &str,
    entries: impl Fn(&Value) -> Vec<T>,
) -> Option<Clause<T>> {
    let negated_name = format!("Not{name}");
    let (negated, value) = match (statement.get(name), statement.get(&negated_name)) {
        (Some(value), None) => (false, value),
        (None, Some(value)) => (true, value),
        (None, None) => return None,
        (Some(_), Some(_)) => panic!("{name} and {negated_name}"),
    };
    Some(Clause { negated, entries: entries(value), span: span() })
}

fn principals(value: &Value) -> Vec<PrincipalEntry> {
    let entry = |kind, text| PrincipalEntry { kind, text, span: span() };
    let Value::Object(members) = value else {
        return vec![entry(PrincipalKind::Everyone, text(value))];
    };
    let mut entries = vec![];
    for (member, values) in members {
        for value in list(values) {
            let text = text(value);
            let kind = match member.as_str() {
                "AWS" => aws_principal(&text),
                "Service" => PrincipalKind::Service(text.clone()),
                "Federated" => PrincipalKind::Federated(text.clone()),
                _ => PrincipalKind::CanonicalUser(text.clone()),
            };
            entries.push(entry(kind, text));
        }
    }
    entries
}

fn aws_principal(text: &str) -> PrincipalKind {
    let fields: Vec<String> = text.splitn(6, ':').map(str::to_owned).collect();
    let [_, partition, service, _, account, resource] = fields.try_into().unwrap_or_default();
    if text == "*" {
        return PrincipalKind::Everyone;
    }
    if service.is_empty() {
        let digits = text.bytes().all(|b| b.is_ascii_digit());
        let text = text.to_owned();
        return if digits {
            PrincipalKind::Account { partition: None, account: text }
        } else {
            PrincipalKind::UniqueId(text)
        };
    }
    let arn = PrincipalArn { partition, account, resource };
    match arn.resource.split('/').collect::<Vec<_>>()[..] {
        ["root"] => PrincipalKind::Account { partition: Some(arn.partition), account: arn.account },
        ["user", ..] => PrincipalKind::User(arn),
        ["role", ..] => PrincipalKind::Role(arn),
        ["federated-user", _] => PrincipalKind::FederatedUser(arn),
        ["assumed-role", role, session] => PrincipalKind::RoleSession {
            role: role.to_owned(),
            session: session.to_owned(),
            partition: arn.partition,
            account: arn.account,
        },
        _ => panic!("unknown principal {text}"),
    }
}

fn conditions(value: &Value, version: Version) -> Vec<Condition> {
    let mut conditions = vec![];
    for (name, tests) in value.as_object().into_iter().flatten() {
        for (key, values) in tests.as_object().unwrap() {
            let template = |value| template(&text(value), version);
            let value = |value| ConditionValue { template: template(value), span: span() };
            conditions.push(Condition {
                operator: operator(name),
                key: key.clone(),
                values: list(values).map(value).collect(),
                operator_span: span(),
                key_span: span(),
            });
        }
    }
    conditions
}

fn operator(name: &str) -> Operator {
    let (set, name) = match name.split_once(':') {
        Some(("ForAllValues", name)) => (Some(SetOperator::ForAllValues), name),
        Some(("ForAnyValue", name)) => (Some(SetOperator::ForAnyValue), name),
        _ => (None, name),
    };
    let (name, if_exists) = match name.strip_suffix("IfExists") {
        Some(name) => (name, true),
        None => (name, false),
    };
    let is_named = |(_, known): &&(BaseOperator, &str)| known.eq_ignore_ascii_case(name);
    let (base, _) = *BaseOperator::ALL.iter().find(is_named).expect(name);
    Operator { set, base, if_exists }
}

fn template(text: &str, version: Version) -> Template {
    let mut template = Template { segments: vec![] };
    let mut rest = text;
    if version == Version::V2012 {
        while let Some((before, after)) = rest.split_once("${") {
            let (variable, after) = after.split_once('}').expect(text);
            template.segments.extend(Template::text(before).segments);
            template.segments.push(match variable {
                "*" | "?" | "$" => Segment::Escaped(variable.chars().next().unwrap()),
                _ => Segment::Variable { key: variable.to_owned(), default: None },
            });
            rest = after;
        }
    }
    template.segments.extend(Template::text(rest).segments);
    template
}

fn list(value: &Value) -> std::slice::Iter<'_, Value> {
    value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice).iter()
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn span() -> Span {
    Span::default()
}
