//! `Principal` and `NotPrincipal` (1.4, 2.5, 6.1).

use super::Linter;
use super::checks::{
    ALLOW_NOT_PRINCIPAL, EMPTY_PRINCIPAL, FEDERATED_PRINCIPAL, GITHUB_WIDE,
    GITHUB_WITHOUT_REPOSITORY, INVALID_SERVICE_PRINCIPAL, MISMATCHED_TRUST_ACTION,
    NOT_PRINCIPAL_ACCOUNT, OIDC_WITHOUT_CONDITION, REDUNDANT_PRINCIPAL, SERVICE_WITHOUT_SOURCE,
    TRUST_EVERYONE, UNSUPPORTED_PRINCIPAL,
};
use super::pattern::{Pattern, covers};
use crate::ast::{
    Clause, Effect, PolicyType, PrincipalArn, PrincipalEntry, PrincipalKind, Statement,
};
use crate::diagnostic::quoted;

/// Most principals of one list that are compared with each other.
const MAX_COMPARED: usize = 1_000;

/// The host of the tokens of GitHub's workflows.
const GITHUB: &str = "token.actions.githubusercontent.com";

impl Linter<'_> {
    pub(super) fn principal(&mut self, statement: &Statement) {
        let Some(clause) = &statement.principal else { return };
        if clause.entries.is_empty() {
            let message = "the statement names nobody, and matches nothing (D2)";
            self.report(&EMPTY_PRINCIPAL, clause.span, message, None);
        }
        if clause.negated {
            self.not_principal(statement, clause);
        }
        for (n, entry) in clause.entries.iter().enumerate() {
            self.principal_entry(entry);
            let before = &clause.entries[..n.min(MAX_COMPARED)];
            if before.iter().any(|earlier| earlier.kind == entry.kind) {
                let message = format!("{} stands twice", quoted(&entry.text));
                self.report(&REDUNDANT_PRINCIPAL, entry.span, message, None);
            }
        }
        if statement.effect != Effect::Allow || clause.negated {
            return;
        }
        self.services(statement, clause);
        if self.is_trust_policy(statement) {
            self.trust(statement, clause);
        }
    }

    /// Whether the policy is a role's trust policy, as far as can be told.
    fn is_trust_policy(&self, statement: &Statement) -> bool {
        self.policy.policy_type == PolicyType::Trust
            || (self.policy.policy_type == PolicyType::Resource && statement.resource.is_none())
    }

    fn not_principal(&mut self, statement: &Statement, clause: &Clause<PrincipalEntry>) {
        if statement.effect == Effect::Allow {
            let message = "everybody but the listed principals is allowed, anonymous too";
            let hint = "use `Principal`; AWS no longer supports this (D13)".to_owned();
            self.report(&ALLOW_NOT_PRINCIPAL, clause.span, message, hint);
            return;
        }
        let accounts: Vec<&str> = clause.entries.iter().filter_map(whole_account).collect();
        for entry in clause.entries.iter().take(MAX_COMPARED) {
            let account = match &entry.kind {
                PrincipalKind::User(PrincipalArn { account, .. })
                | PrincipalKind::Role(PrincipalArn { account, .. })
                | PrincipalKind::FederatedUser(PrincipalArn { account, .. })
                | PrincipalKind::RoleSession { account, .. } => account,
                _ => continue,
            };
            if !accounts.contains(&account.as_str()) {
                let message = format!("{} is listed without its account", quoted(&entry.text));
                let hint = "AWS may deny it all the same (D14); deny with a condition on \
                            `aws:PrincipalArn` instead";
                self.report(&NOT_PRINCIPAL_ACCOUNT, entry.span, message, hint.to_owned());
            }
        }
    }

    fn principal_entry(&mut self, entry: &PrincipalEntry) {
        let policy_type = self.policy.policy_type;
        let text = quoted(&entry.text);
        match &entry.kind {
            PrincipalKind::Service(name)
                if !name.contains('.') || name.bytes().any(|b| b.is_ascii_uppercase()) =>
            {
                let message = format!("{text} is not a service principal");
                let hint = "one is like `lambda.amazonaws.com`".to_owned();
                self.report(&INVALID_SERVICE_PRINCIPAL, entry.span, message, hint);
            }
            PrincipalKind::Federated(_)
                if matches!(policy_type, PolicyType::Kms | PolicyType::VpcEndpoint) =>
            {
                let message = format!("{text} can ask only to assume a role");
                let hint = "name the role in whose trust policy it stands".to_owned();
                self.report(&FEDERATED_PRINCIPAL, entry.span, message, hint);
            }
            PrincipalKind::CanonicalUser(_)
                if matches!(policy_type, PolicyType::Trust | PolicyType::Kms) =>
            {
                let message = format!("{text} is known to S3 only");
                self.report(&UNSUPPORTED_PRINCIPAL, entry.span, message, None);
            }
            _ => {}
        }
    }

    /// A service that acts for anybody who asks it to.
    fn services(&mut self, statement: &Statement, clause: &Clause<PrincipalEntry>) {
        const SOURCE: [&str; 5] = [
            "aws:sourcearn",
            "aws:sourceaccount",
            "aws:sourceorgid",
            "aws:sourceorgpaths",
            "aws:sourceowner",
        ];
        // Roles are assumed by services for what the role's owner has set up.
        if self.is_trust_policy(statement) || self.policy.policy_type == PolicyType::VpcEndpoint {
            return;
        }
        let has_source = statement
            .conditions
            .iter()
            .any(|condition| SOURCE.contains(&condition.key.to_ascii_lowercase().as_str()));
        let is_service = |entry: &&PrincipalEntry| matches!(entry.kind, PrincipalKind::Service(_));
        if let Some(entry) = clause.entries.iter().find(is_service)
            && !has_source
        {
            let message = format!("{} is allowed for whomever it acts", quoted(&entry.text));
            let hint = "add a condition on `aws:SourceAccount` or `aws:SourceArn`".to_owned();
            self.report(&SERVICE_WITHOUT_SOURCE, entry.span, message, hint);
        }
    }

    fn trust(&mut self, statement: &Statement, clause: &Clause<PrincipalEntry>) {
        for entry in &clause.entries {
            match &entry.kind {
                PrincipalKind::Everyone | PrincipalKind::EveryAwsPrincipal
                    if statement.conditions.is_empty() =>
                {
                    let message = "everyone may assume the role";
                    let hint = "name accounts or roles, or add a condition".to_owned();
                    self.report(&TRUST_EVERYONE, entry.span, message, hint);
                }
                PrincipalKind::Federated(provider) => {
                    self.federated(statement, entry, provider);
                }
                _ => {}
            }
        }
        self.mismatched_action(statement, clause);
    }

    fn federated(&mut self, statement: &Statement, entry: &PrincipalEntry, provider: &str) {
        let host = match provider.split_once(":oidc-provider/") {
            Some((_, host)) => host,
            None if provider.starts_with("arn:") => return,
            None => provider,
        };
        let keys = || statement.conditions.iter().map(|c| c.key.to_ascii_lowercase());
        let prefix = format!("{}:", host.to_ascii_lowercase());
        if host.eq_ignore_ascii_case(GITHUB) {
            let subject = format!("{prefix}sub");
            if !keys().any(|key| key == subject) {
                let message = "workflows of every repository at GitHub may assume the role";
                let hint = format!("add a condition on `{GITHUB}:sub`");
                self.report(&GITHUB_WITHOUT_REPOSITORY, entry.span, message, hint);
            }
            self.wide_subjects(statement, &subject);
        } else if !keys().any(|key| key.starts_with(&prefix)) {
            let message = format!("every user of {} may assume the role", quoted(host));
            let hint = format!("add a condition on `{host}:aud` or `{host}:sub`");
            self.report(&OIDC_WITHOUT_CONDITION, entry.span, message, hint);
        }
    }

    /// Subjects of GitHub's tokens of which organisation or repository is a pattern.
    fn wide_subjects(&mut self, statement: &Statement, subject: &str) {
        for condition in &statement.conditions {
            if !condition.key.eq_ignore_ascii_case(subject) || condition.operator.base.is_negated()
            {
                continue;
            }
            for value in &condition.values {
                let text = value.template.to_string();
                let repository = text.strip_prefix("repo:").and_then(|rest| rest.split(':').next());
                let is_specific = |name: &str| {
                    name.split_once('/').is_some_and(|(organization, repository)| {
                        !organization.contains(['*', '?']) && !repository.starts_with('*')
                    })
                };
                if !repository.is_some_and(is_specific) {
                    let message = format!("{} is not about one repository", quoted(&text));
                    let hint = "the form is `repo:ORGANIZATION/REPOSITORY:…`".to_owned();
                    self.report(&GITHUB_WIDE, value.span, message, hint);
                }
            }
        }
    }

    /// Principals none of which can call any of the actions.
    fn mismatched_action(&mut self, statement: &Statement, clause: &Clause<PrincipalEntry>) {
        if statement.action.negated {
            return;
        }
        let has_action = |action: &str| {
            let wanted = Pattern::of_action(action);
            let entries = &statement.action.entries;
            entries.iter().any(|e| covers(&Pattern::of_action(&e.text).tokens, &wanted.tokens))
        };
        for entry in &clause.entries {
            let (needed, others): (&str, [&str; 2]) = match &entry.kind {
                PrincipalKind::Federated(name) if name.contains(":saml-provider/") => {
                    ("sts:AssumeRoleWithSAML", ["sts:AssumeRole", "sts:AssumeRoleWithWebIdentity"])
                }
                PrincipalKind::Federated(_) => {
                    ("sts:AssumeRoleWithWebIdentity", ["sts:AssumeRole", "sts:AssumeRoleWithSAML"])
                }
                PrincipalKind::Everyone | PrincipalKind::CanonicalUser(_) => continue,
                _ => {
                    ("sts:AssumeRole", ["sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity"])
                }
            };
            if !has_action(needed) && others.iter().any(|action| has_action(action)) {
                let message = format!("{} can call only `{needed}`", quoted(&entry.text));
                self.report(&MISMATCHED_TRUST_ACTION, entry.span, message, None);
            }
        }
    }
}

/// The account, if the entry is a whole one.
fn whole_account(entry: &PrincipalEntry) -> Option<&str> {
    match &entry.kind {
        PrincipalKind::Account { account, .. } => Some(account),
        _ => None,
    }
}
