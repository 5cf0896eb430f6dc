//! The syntax tree back to JSON.
//!
//! [`Policy`]'s `Display` writes a document that [`parse`](mod@crate::parse) reads as the same tree,
//! but for places. It is the tree that is written and not the source: white space, the spelling of
//! operators and whether a lone value stood in a list are gone.

use std::fmt::{self, Display, Formatter, Write as _};

use crate::ast::{
    Clause, Condition, Effect, Policy, PrincipalEntry, PrincipalKind, Statement, Version,
};

impl Display for Policy {
    /// Writes the policy as JSON on one line. `Version` is always there, since its absence means
    /// `2008-10-17` (1.2).
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let version = match self.version {
            Version::V2008 => "2008-10-17",
            Version::V2012 => "2012-10-17",
        };
        write!(f, "{{\"Version\":\"{version}\"")?;
        if let Some(id) = &self.id {
            write!(f, ",\"Id\":{}", Json(id))?;
        }
        f.write_str(",\"Statement\":")?;
        match &self.statements[..] {
            [statement] if self.single_statement => statement.fmt(f)?,
            statements => list(f, statements, |f, statement| statement.fmt(f))?,
        }
        f.write_char('}')
    }
}

impl Display for Statement {
    /// Writes the statement as JSON on one line.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_char('{')?;
        if let Some(sid) = &self.sid {
            write!(f, "\"Sid\":{},", Json(sid))?;
        }
        let effect = match self.effect {
            Effect::Allow => "Allow",
            Effect::Deny => "Deny",
        };
        write!(f, "\"Effect\":\"{effect}\"")?;
        if let Some(clause) = &self.principal {
            element(f, "Principal", clause.negated)?;
            principals(f, clause)?;
        }
        element(f, "Action", self.action.negated)?;
        list(f, &self.action.entries, |f, entry| Json(&entry.text).fmt(f))?;
        if let Some(clause) = &self.resource {
            element(f, "Resource", clause.negated)?;
            list(f, &clause.entries, |f, entry| Json(&entry.template.to_string()).fmt(f))?;
        }
        if !self.conditions.is_empty() {
            f.write_str(",\"Condition\":")?;
            conditions(f, &self.conditions)?;
        }
        f.write_char('}')
    }
}

fn element(f: &mut Formatter<'_>, name: &str, negated: bool) -> fmt::Result {
    write!(f, ",\"{}{name}\":", if negated { "Not" } else { "" })
}

fn list<T>(
    f: &mut Formatter<'_>,
    items: &[T],
    write: impl Fn(&mut Formatter<'_>, &T) -> fmt::Result,
) -> fmt::Result {
    f.write_char('[')?;
    for (n, item) in items.iter().enumerate() {
        if n > 0 {
            f.write_char(',')?;
        }
        write(f, item)?;
    }
    f.write_char(']')
}

/// Writes the value of `Principal`: entries of one type stand together, in their order.
fn principals(f: &mut Formatter<'_>, clause: &Clause<PrincipalEntry>) -> fmt::Result {
    if let [PrincipalEntry { kind: PrincipalKind::Everyone, .. }] = &clause.entries[..] {
        return f.write_str("\"*\"");
    }
    f.write_char('{')?;
    let mut written: Vec<&str> = Vec::new();
    for entry in &clause.entries {
        let name = type_name(&entry.kind);
        if written.contains(&name) {
            continue;
        }
        if !written.is_empty() {
            f.write_char(',')?;
        }
        written.push(name);
        write!(f, "\"{name}\":")?;
        let of_type: Vec<&PrincipalEntry> =
            clause.entries.iter().filter(|entry| type_name(&entry.kind) == name).collect();
        list(f, &of_type, |f, entry| Json(&entry.text).fmt(f))?;
    }
    f.write_char('}')
}

/// The member of a `Principal` object under which such a principal stands.
fn type_name(kind: &PrincipalKind) -> &'static str {
    match kind {
        PrincipalKind::Service(_) => "Service",
        PrincipalKind::Federated(_) => "Federated",
        PrincipalKind::CanonicalUser(_) => "CanonicalUser",
        PrincipalKind::Everyone
        | PrincipalKind::EveryAwsPrincipal
        | PrincipalKind::Account { .. }
        | PrincipalKind::User(_)
        | PrincipalKind::Role(_)
        | PrincipalKind::RoleSession { .. }
        | PrincipalKind::FederatedUser(_)
        | PrincipalKind::UniqueId(_) => "AWS",
    }
}

/// Writes the value of `Condition`: conditions of one operator stand together, as in every tree that was
/// parsed.
fn conditions(f: &mut Formatter<'_>, conditions: &[Condition]) -> fmt::Result {
    f.write_char('{')?;
    for (n, first) in conditions.iter().enumerate() {
        if conditions[..n].iter().any(|other| other.operator == first.operator) {
            continue;
        }
        let comma = if n > 0 { "," } else { "" };
        write!(f, "{comma}\"{}\":{{", first.operator)?;
        let of_operator = conditions[n..].iter().filter(|c| c.operator == first.operator);
        for (n, condition) in of_operator.enumerate() {
            let comma = if n > 0 { "," } else { "" };
            write!(f, "{comma}{}:", Json(&condition.key))?;
            list(f, &condition.values, |f, value| Json(&value.template.to_string()).fmt(f))?;
        }
        f.write_char('}')?;
    }
    f.write_char('}')
}

/// A text as a JSON string.
struct Json<'t>(&'t str);

impl Display for Json<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for c in self.0.chars() {
            match c {
                '"' | '\\' => write!(f, "\\{c}")?,
                '\n' => f.write_str("\\n")?,
                c if c < ' ' => write!(f, "\\u{:04x}", c as u32)?,
                c => f.write_char(c)?,
            }
        }
        f.write_char('"')
    }
}
