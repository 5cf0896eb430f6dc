//! `Action` and `NotAction` (1.5, 6.1).

use super::Linter;
use super::checks::{
    ACTION_RESOURCE, ALLOW_NOT_ACTION, CREATE_SLR_STAR, EMPTY_ACTION, INCOMPLETE_STATEMENT,
    KMS_ACTION, NEEDS_ALL_RESOURCES, NO_SUCH_ACTION, PASS_ROLE_NOT_ACTION, PASS_ROLE_NOT_RESOURCE,
    PASS_ROLE_STAR, PASS_ROLE_STAR_STAR, RCP_SERVICE, RCP_STAR, SCP_GRAMMAR, TRUST_ACTION,
    UNKNOWN_ACTION, UNKNOWN_SERVICE, VARIABLE_IN_ACTION, WILDCARD_IN_SERVICE,
};
use super::pattern::{Pattern, Token, covers, disjoint, fields_disjoint};
use crate::ast::{ActionPattern, Effect, PolicyType, Statement};
use crate::catalogue;
use crate::diagnostic::{closest, quoted};

/// Most names that are looked up among similar ones for one message.
const MAX_SUGGESTED_FROM: usize = 2_000;

/// Most actions that a message names.
const MAX_NAMED: usize = 3;

/// The actions of a trust policy (6.1).
const TRUST_ACTIONS: [&str; 6] = [
    "sts:assumerole",
    "sts:assumerolewithsaml",
    "sts:assumerolewithwebidentity",
    "sts:tagsession",
    "sts:setsourceidentity",
    "sts:setcontext",
];

impl Linter<'_> {
    pub(super) fn actions(&mut self, statement: &Statement) {
        let clause = &statement.action;
        if clause.entries.is_empty() || statement.resource.as_ref().is_some_and(is_left_out) {
            self.no_action(statement);
        }
        for entry in &clause.entries {
            self.action(statement, entry);
        }
        if clause.negated && statement.effect == Effect::Allow && self.grants() {
            let message = "everything but the listed actions is allowed, of every service";
            let hint = "list what is meant under `Action`".to_owned();
            self.report(&ALLOW_NOT_ACTION, clause.span, message, hint);
        }
        if self.policy.policy_type == PolicyType::Scp {
            self.old_organization_grammar(statement);
        }
        self.delegations(statement);
        self.resources_of_actions(statement);
    }

    /// Whether an `Allow` of such a policy gives somebody access, rather than leaving it to others.
    pub(super) fn grants(&self) -> bool {
        !matches!(
            self.policy.policy_type,
            PolicyType::Scp | PolicyType::Rcp | PolicyType::Boundary | PolicyType::VpcEndpoint
        )
    }

    fn no_action(&mut self, statement: &Statement) {
        let is_written = |names: [&str; 2]| {
            self.written(statement).iter().any(|member| names.contains(&&*member.key))
        };
        if !is_written(["Action", "NotAction"]) || !is_written(["Resource", "NotResource"]) {
            if self.policy.policy_type == PolicyType::Kms {
                let message = "the statement lacks its action or resource, and has no effect";
                self.report(&INCOMPLETE_STATEMENT, statement.span, message, None);
            }
        } else if statement.action.entries.is_empty() {
            let message = "the statement has no actions, and matches nothing (D2)";
            self.report(&EMPTY_ACTION, statement.action.span, message, None);
        }
    }

    fn action(&mut self, statement: &Statement, entry: &ActionPattern) {
        let (text, span) = (entry.text.as_str(), entry.span);
        if self.policy.policy_type == PolicyType::Rcp
            && !text.contains(':')
            && statement.effect == Effect::Deny
        {
            let message = format!("{} alone in a resource control policy", quoted(text));
            self.report(&RCP_STAR, span, message, "name a service, as in `s3:*`".to_owned());
        }
        let Some((service, name)) = text.split_once(':') else { return };
        if text.contains("${") {
            let message = format!("{} has no variables: it is plain text", quoted(text));
            self.report(&VARIABLE_IN_ACTION, span, message, None);
            return;
        }
        if service.contains(['*', '?']) {
            let message = format!("the service of {} is a pattern", quoted(text));
            let hint = "it is undocumented what that matches (D3): name the service".to_owned();
            self.report(&WILDCARD_IN_SERVICE, span, message, hint);
            return;
        }
        self.action_fits_type(service, entry);
        if catalogue::service(service).is_none() {
            let message = format!("there is no service {} known", quoted(service));
            let hint = closest(service, catalogue::services());
            let hint = hint.map(|service| format!("did you mean `{service}:{name}`?"));
            self.report(&UNKNOWN_SERVICE, span, message, hint);
            return;
        }
        if !text.contains(['*', '?']) {
            if catalogue::action(text).is_none() {
                self.unknown_action(service, entry);
            }
        } else if name != "*"
            && self.spend(text.len() * 1_000)
            && self.known_actions(entry).next().is_none()
        {
            let message = format!("no known action matches {}", quoted(text));
            self.report(&NO_SUCH_ACTION, span, message, None);
        }
    }

    fn unknown_action(&mut self, service: &str, entry: &ActionPattern) {
        let message = format!("there is no action {} known", quoted(&entry.text));
        let candidates = || catalogue::actions_with_prefix(&entry.text[..=service.len()]);
        let affordable = self.spend(entry.text.len() * 20_000);
        let found = affordable
            .then(|| closest(&entry.text, candidates().take(MAX_SUGGESTED_FROM)))
            .flatten();
        let hint = found.map(|action| format!("did you mean `{action}`?"));
        self.report(&UNKNOWN_ACTION, entry.span, message, hint);
    }

    fn action_fits_type(&mut self, service: &str, entry: &ActionPattern) {
        let (text, span) = (quoted(&entry.text).to_string(), entry.span);
        let pattern = Pattern::of_action(&entry.text);
        match self.policy.policy_type {
            PolicyType::Trust => {
                let fits = TRUST_ACTIONS
                    .iter()
                    .any(|action| covers(&pattern.tokens, &Pattern::of_action(action).tokens));
                if !fits {
                    let message = format!("{text} is not asked of a role's trust policy");
                    self.report(&TRUST_ACTION, span, message, None);
                }
            }
            PolicyType::Kms if !service.eq_ignore_ascii_case("kms") => {
                let message = format!("{text} is not asked of a key's policy");
                self.report(&KMS_ACTION, span, message, None);
            }
            PolicyType::Rcp if !catalogue::is_resource_controlled(service) => {
                let message = format!("resource control policies do not cover {text}");
                self.report(&RCP_SERVICE, span, message, None);
            }
            _ => {}
        }
    }

    /// The actions of the catalogue that the entry matches. Its service is no pattern.
    pub(super) fn known_actions(
        &self,
        entry: &ActionPattern,
    ) -> impl Iterator<Item = &'static str> + use<> {
        let pattern = Pattern::of_action(&entry.text);
        let plain = entry.text.split(['*', '?']).next().unwrap_or_default();
        let candidates: Vec<_> = catalogue::actions_with_prefix(plain).collect();
        let is_plain = plain.len() == entry.text.len();
        candidates.into_iter().filter(move |action| {
            if is_plain {
                return action.len() == pattern.tokens.len();
            }
            covers(&pattern.tokens, &Pattern::of_action(action).tokens)
        })
    }

    /// What an organisation's policies could not hold before 2025-09-19 (D7).
    fn old_organization_grammar(&mut self, statement: &Statement) {
        let mut tell = |span, what: &str| {
            let message = format!("{what} in a service control policy");
            let hint = "allowed since 2025-09-19 (D7); older tools refuse it".to_owned();
            self.report(&SCP_GRAMMAR, span, message, hint);
        };
        if statement.effect == Effect::Allow {
            if let Some(condition) = statement.conditions.first() {
                tell(condition.operator_span, "a condition with `Allow`");
            }
            if statement.action.negated {
                tell(statement.action.span, "`NotAction` with `Allow`");
            }
            let resources = statement.resource.iter().filter(|clause| !clause.negated);
            for entry in resources.flat_map(|clause| &clause.entries) {
                if !Pattern::with_wildcards(&entry.template).is_everything() {
                    tell(entry.span, "a resource other than `*` with `Allow`");
                }
            }
        }
        if let Some(clause) = statement.resource.as_ref().filter(|clause| clause.negated) {
            tell(clause.span, "`NotResource`");
        }
        for entry in &statement.action.entries {
            let before_last = entry.text.char_indices().next_back().map_or(0, |(at, _)| at);
            if entry.text[..before_last].contains(['*', '?']) || entry.text.ends_with('?') {
                tell(entry.span, "a wildcard within an action");
            }
        }
    }

    /// `iam:PassRole` and `iam:CreateServiceLinkedRole` on everything.
    fn delegations(&mut self, statement: &Statement) {
        if statement.effect != Effect::Allow || !self.grants() {
            return;
        }
        let Some(resource) = &statement.resource else { return };
        let is_all = |entry: &crate::ast::ResourcePattern| {
            Pattern::with_wildcards(&entry.template).is_everything()
        };
        let on_all = !resource.negated && resource.entries.iter().any(is_all);
        if !on_all && !resource.negated {
            return;
        }
        let has_key = |key: &str| {
            statement.conditions.iter().any(|condition| condition.key.eq_ignore_ascii_case(key))
        };
        let hint = |key: &str| format!("name the resources, or add a condition on `{key}`");
        if let Some(entry) = self.matching_action(statement, "iam:passrole")
            && !has_key("iam:PassedToService")
        {
            let (span, is_pattern) = entry;
            let check = match (resource.negated, statement.action.negated, is_pattern) {
                (true, ..) => &PASS_ROLE_NOT_RESOURCE,
                (false, true, _) => &PASS_ROLE_NOT_ACTION,
                (false, false, true) => &PASS_ROLE_STAR_STAR,
                (false, false, false) => &PASS_ROLE_STAR,
            };
            let message = "all roles can be passed to all services";
            self.report(check, span, message, hint("iam:PassedToService"));
        }
        if let Some((span, false)) = self.matching_action(statement, "iam:createservicelinkedrole")
            && !has_key("iam:AWSServiceName")
        {
            let message = "roles of all services can be created";
            self.report(&CREATE_SLR_STAR, span, message, hint("iam:AWSServiceName"));
        }
    }

    /// Whether the statement's actions have that one among them: where, and whether by a pattern.
    fn matching_action(
        &self,
        statement: &Statement,
        action: &str,
    ) -> Option<(crate::span::Span, bool)> {
        let clause = &statement.action;
        let wanted = Pattern::of_action(action);
        let found = clause
            .entries
            .iter()
            .find(|entry| covers(&Pattern::of_action(&entry.text).tokens, &wanted.tokens));
        match found {
            Some(entry) if !clause.negated => Some((entry.span, entry.text.contains(['*', '?']))),
            None if clause.negated => Some((clause.span, true)),
            _ => None,
        }
    }

    /// Actions that the statement's resources are not of a type for, as far as the catalogue knows.
    fn resources_of_actions(&mut self, statement: &Statement) {
        let Some(resource) = statement.resource.as_ref().filter(|clause| !clause.negated) else {
            return;
        };
        if statement.action.negated || resource.entries.is_empty() {
            return;
        }
        let patterns: Vec<_> =
            resource.entries.iter().map(|e| Pattern::with_wildcards(&e.template)).collect();
        // Only ARNs of six fields can be told from the types.
        if !patterns.iter().all(|pattern| pattern.fields().is_some()) {
            return;
        }
        let length: usize = patterns.iter().map(|pattern| pattern.tokens.len()).sum();
        let (mut on_all, mut unfit) = (Vec::new(), Vec::new());
        for entry in &statement.action.entries {
            if entry.text.contains(['*', '?']) || !self.spend(length * 100) {
                continue;
            }
            let Some(details) = catalogue::details(&entry.text) else { continue };
            let fits = |format: &&str| {
                let format = Pattern::with_wildcards(&crate::ast::Template::text(format));
                patterns.iter().any(|pattern| !fields_disjoint(pattern, &format))
            };
            if details.resources.is_empty() {
                on_all.push(entry);
            } else if !details.resources.iter().any(fits) {
                unfit.push(entry);
            }
        }
        self.tell_actions(&on_all, &NEEDS_ALL_RESOURCES, "authorized against `*` only");
        self.tell_actions(&unfit, &ACTION_RESOURCE, "asked of no resource of these ARNs");
    }

    fn tell_actions(
        &mut self,
        entries: &[&ActionPattern],
        check: &'static super::Check,
        predicate: &str,
    ) {
        let Some(first) = entries.first() else { return };
        let named: Vec<_> =
            entries.iter().take(MAX_NAMED).map(|entry| quoted(&entry.text).to_string()).collect();
        let more = entries.len() - named.len();
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let verb = if entries.len() == 1 { "is" } else { "are" };
        let message = format!("{}{more} {verb} {predicate}", named.join(", "));
        let hint = "as far as the service reference knows, they do not match here".to_owned();
        self.report(check, first.span, message, hint);
    }
}

/// Whether the parser put the clause there (1.6): a clause that is written has its own place.
fn is_left_out<T>(clause: &crate::ast::Clause<T>) -> bool {
    clause.entries.is_empty() && !clause.negated
}

/// Whether two lists of actions have nothing in common.
pub(super) fn actions_disjoint(left: &[ActionPattern], right: &[ActionPattern]) -> bool {
    let tokens = |entry: &ActionPattern| -> Vec<Token> { Pattern::of_action(&entry.text).tokens };
    left.iter().all(|left| right.iter().all(|right| disjoint(&tokens(left), &tokens(right))))
}
