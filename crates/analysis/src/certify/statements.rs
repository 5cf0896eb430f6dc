//! The statements of a question as certificates write them.
//!
//! Nothing is interpreted that can be left as it is: docs/certificates.md says what the lines mean, and `crate::translation` holds them to the
//! policies. Names that mean nothing and places are left out, letters are small where their case does not matter, and a
//! statement like one above is named by its number. Sorting entries was not taken: a table names them by their places.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use keyaki_logic::certificate::push_quoted;
use keyaki_policy::access::AccessPattern;
use keyaki_policy::ast::{
    ActionPattern, Clause, Condition, Effect, PrincipalArn, PrincipalEntry, PrincipalKind,
    ResourcePattern, Statement, Template,
};
use keyaki_policy::catalogue::{self, Cardinality};
use keyaki_policy::{Policy, PolicyType};

use crate::cover::parts::plain;
use crate::public::{Fixed, Table};
use crate::question::{Question, Side, Subject};

/// The text of a question and its statements; `None` if a certificate cannot have it.
pub fn query(question: &Question) -> Option<String> {
    let sides: &[(&str, &[Policy])] = match question {
        Question::NoNewAccess { existing: Subject::Union(existing), new: Subject::Union(new) }
        | Question::Equivalent { existing: Subject::Union(existing), new: Subject::Union(new) }
        | Question::Disjoint { existing: Subject::Union(existing), new: Subject::Union(new) } => {
            &[("existing", existing), ("new", new)]
        }
        Question::AccessNotGranted { policy: Subject::Union(policies), .. }
        | Question::NoPublicAccess { policy: Subject::Union(policies), .. } => {
            &[("policy", policies)]
        }
        _ => return None,
    };
    let mut types = sides.iter().flat_map(|(_, policies)| *policies).map(|p| p.policy_type);
    // What has no policy has no statements of any type.
    let policy_type = types.next().unwrap_or(PolicyType::Identity);
    if !types.all(|other| other == policy_type) {
        return None;
    }
    let mut writer =
        Writer { out: String::with_capacity(1 << 12), written: Vec::new(), next: None };
    let _ = write!(writer.out, "question {}\ntype {}\n", question.name(), policy_type.name());
    if let Question::NoPublicAccess { table, .. } = question {
        writer.trust(table, sides[0].1);
    }
    for (name, policies) in sides {
        let _ = writeln!(writer.out, "side {name}");
        // Versions of a policy have nearly the same statements in nearly the same order.
        writer.next = (!writer.written.is_empty()).then_some(0);
        for policy in *policies {
            for statement in &policy.statements {
                writer.statement(policy, statement);
            }
        }
    }
    for access in question.accesses() {
        writer.access(access);
    }
    Some(writer.out)
}

/// The number of statements of a side.
pub(super) fn n_statements(question: &Question, side: Side) -> usize {
    question.side(side).iter().map(|(_, policy)| policy.statements.len()).sum()
}

struct Writer {
    out: String,
    /// Where the text of each statement begins and ends, and its number if it is written out.
    written: Vec<(usize, usize)>,
    /// The statement of the other side that the next one is likely to read like.
    next: Option<usize>,
}

impl Writer {
    /// What confines requests of that in the policies which the table trusts. Less than that is a stronger property, so nothing is written of what
    /// the table says of other keys, of addresses, and of parts of values.
    fn trust(&mut self, table: &Table, policies: &[Policy]) {
        for deputy in &table.deputies {
            self.out.push_str("deputy ");
            push_quoted(deputy, &mut self.out);
            self.out.push('\n');
        }
        let mut seen = BTreeSet::new();
        let statements = policies.iter().flat_map(|policy| &policy.statements);
        for condition in statements.flat_map(|statement| &statement.conditions) {
            let key = condition.key.to_ascii_lowercase();
            let trusted = table.trusted_keys.iter().find(|trusted| trusted.key.includes(&key));
            let cardinality = catalogue::key(&key).map(|info| info.cardinality);
            if let (Some(trusted), Some(cardinality)) = (trusted, cardinality)
                && seen.insert(key.clone())
            {
                let number = if cardinality == Cardinality::Single { "one" } else { "many" };
                let values = match trusted.fixed {
                    Fixed::Literal | Fixed::AccountOfArn => "any",
                    Fixed::NoColon => "no-colon",
                    Fixed::True => "true",
                };
                let _ = write!(self.out, "trusted {number} {values} ");
                push_quoted(&key, &mut self.out);
                self.out.push('\n');
            }
        }
    }

    fn statement(&mut self, policy: &Policy, statement: &Statement) {
        let start = self.out.len();
        self.out.push_str(match statement.effect {
            Effect::Allow => "allow\n",
            Effect::Deny => "deny\n",
        });
        match &statement.principal {
            Some(clause) => self.clause("principal", clause.negated, &clause.entries, principal),
            // Who is not named is not meant.
            None if policy.policy_type.names_principals() => self.out.push_str("principal\n"),
            None => {}
        }
        self.action(&statement.action);
        match &statement.resource {
            Some(clause) => self.resource(clause),
            // Such a statement of a key policy is about nothing (1.6).
            None if policy.policy_type == PolicyType::Kms => self.out.push_str("resource\n"),
            None => {}
        }
        for condition in &statement.conditions {
            self.condition(condition);
        }
        self.end(start);
    }

    /// Names the statement that begins there by the number of one that reads the same, if one is found.
    fn end(&mut self, start: usize) {
        let text = &self.out[start..];
        let is_it = |at: &usize| {
            self.written.get(*at).is_some_and(|(from, upto)| self.out[*from..*upto] == *text)
        };
        let near = self.next.map(|next| [next, next.saturating_sub(1), next + 1]);
        match near.into_iter().flatten().find(is_it) {
            Some(at) => {
                self.out.truncate(start);
                let _ = writeln!(self.out, "as {at}");
                self.written.push(self.written[at]);
                self.next = Some(at + 1);
            }
            None => {
                self.written.push((start, self.out.len()));
                self.next = self.next.map(|next| next + 1);
            }
        }
    }

    fn access(&mut self, access: &AccessPattern) {
        self.out.push_str("access\n");
        access.action.iter().for_each(|clause| self.action(clause));
        access.resource.iter().for_each(|clause| self.resource(clause));
    }

    fn action(&mut self, clause: &Clause<ActionPattern>) {
        self.clause("action", clause.negated, &clause.entries, |entry, out| {
            let start = out.len();
            push_quoted(&entry.text, out);
            out[start..].make_ascii_lowercase();
        });
    }

    fn resource(&mut self, clause: &Clause<ResourcePattern>) {
        self.clause("resource", clause.negated, &clause.entries, |entry, out| {
            template(&entry.template, out);
        });
    }

    fn condition(&mut self, condition: &Condition) {
        let _ = write!(self.out, "when {} ", condition.operator);
        let start = self.out.len();
        push_quoted(&condition.key, &mut self.out);
        self.out[start..].make_ascii_lowercase();
        for value in &condition.values {
            self.out.push(' ');
            template(&value.template, &mut self.out);
        }
        self.out.push('\n');
    }

    fn clause<T>(
        &mut self,
        name: &str,
        negated: bool,
        entries: &[T],
        write: impl Fn(&T, &mut String),
    ) {
        self.out.push_str(if negated { "not-" } else { "" });
        self.out.push_str(name);
        for entry in entries {
            self.out.push(' ');
            write(entry, &mut self.out);
        }
        self.out.push('\n');
    }
}

/// A text as it is; one with variables or escaped characters as it could stand in a policy.
fn template(template: &Template, out: &mut String) {
    match plain(template) {
        Some(text) => push_quoted(text, out),
        None => {
            out.push('$');
            push_quoted(&template.to_string(), out);
        }
    }
}

fn principal(entry: &PrincipalEntry, out: &mut String) {
    use PrincipalKind::*;
    let arn = |service: &str, arn: &PrincipalArn| {
        let PrincipalArn { partition, account, resource } = arn;
        format!("arn:{partition}:{service}::{account}:{resource}")
    };
    let (kind, name) = match &entry.kind {
        Everyone => return out.push_str("all"),
        EveryAwsPrincipal => return out.push_str("aws"),
        Account { partition: None, account } => ("account", account.clone()),
        Account { partition: Some(partition), account } => {
            ("root", format!("arn:{partition}:iam::{account}:root"))
        }
        User(user) => ("user", arn("iam", user)),
        Role(role) => ("role", arn("iam", role)),
        RoleSession { partition, account, role, session } => {
            ("session", format!("arn:{partition}:sts::{account}:assumed-role/{role}/{session}"))
        }
        FederatedUser(user) => ("federated", arn("sts", user)),
        UniqueId(id) => ("id", id.clone()),
        Service(name) => ("service", name.clone()),
        Federated(provider) => ("provider", provider.clone()),
        CanonicalUser(id) => ("canonical", id.clone()),
    };
    out.push_str(kind);
    push_quoted(&name, out);
}
