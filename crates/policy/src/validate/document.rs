//! What concerns the document as a whole (1.1 to 1.3, 1.9).

use std::collections::HashMap;

use super::checks::{
    DUPLICATE_SID, EMPTY_SID, ID_NOT_ALLOWED, INVALID_SID, MISSING_VERSION, NO_STATEMENTS,
    POLICY_TOO_LARGE, REPEATED_SID, UNSUPPORTED_CHARACTER, VERSION_REQUIRED,
};
use super::{Linter, member};
use crate::ast::{PolicyType, Version};
use crate::diagnostic::quoted;
use crate::span::{Position, Span};

impl Linter<'_> {
    pub(super) fn document(&mut self) {
        self.version();
        self.sids();
        self.characters();
        self.size();
        if let Some(id) = member(self.root, "Id")
            && !self.policy.policy_type.names_principals()
        {
            let hint = "remove it: it has no meaning".to_owned();
            self.report(&ID_NOT_ALLOWED, id.key_span, "`Id` in an identity-based policy", hint);
        }
        if self.whole && self.policy.statements.is_empty() {
            let span = member(self.root, "Statement").map_or(self.root.span, |m| m.value.span);
            self.report(&NO_STATEMENTS, span, "the policy has no statements", None);
        }
    }

    fn version(&mut self) {
        let written = member(self.root, "Version");
        let start = Span::new(self.root.span.start as usize, self.root.span.start as usize + 1);
        let span = written.map_or(start, |member| member.value.span);
        let hint = Some("write `\"Version\": \"2012-10-17\"`".to_owned());
        if matches!(self.policy.policy_type, PolicyType::Scp | PolicyType::Rcp) {
            // A version that there is not has been told.
            if written.is_none() || (self.whole && self.policy.version == Version::V2008) {
                let message = "the policies of an organisation are of version `2012-10-17`";
                self.report(&VERSION_REQUIRED, span, message, hint);
            }
        } else if written.is_none() {
            let message = "the policy has no `Version`, and is read as `2008-10-17`";
            self.report(&MISSING_VERSION, span, message, hint);
        }
    }

    fn sids(&mut self) {
        use PolicyType::{Boundary, Identity, Rcp, Scp, Session, Trust};
        let policy_type = self.policy.policy_type;
        let is_strict = matches!(policy_type, Identity | Boundary | Session | Scp | Rcp);
        let mut seen: HashMap<&str, Span> = HashMap::new();
        for statement in &self.policy.statements {
            let Some(sid) = &statement.sid else { continue };
            let written = self.written(statement).iter().find(|member| member.key == "Sid");
            let span = written.map_or(statement.span, |member| member.value.span);
            if sid.is_empty() {
                self.report(&EMPTY_SID, span, "the `Sid` is empty", "remove it".to_owned());
                continue;
            }
            if let Some(first) = seen.get(sid.as_str()) {
                let place = Position::of(self.source, first.start);
                let message =
                    format!("{} is the `Sid` of the statement at {place} too", quoted(sid));
                let check = if is_strict { &DUPLICATE_SID } else { &REPEATED_SID };
                self.report(check, span, message, None);
            } else {
                seen.insert(sid, span);
            }
            if (is_strict || policy_type == Trust)
                && !sid.bytes().all(|byte| byte.is_ascii_alphanumeric())
            {
                let message =
                    format!("{} has other characters than letters and digits", quoted(sid));
                self.report(&INVALID_SID, span, message, None);
            }
        }
    }

    fn characters(&mut self) {
        use PolicyType::{Boundary, Identity, Session, Trust};
        if !matches!(self.policy.policy_type, Identity | Boundary | Session | Trust) {
            return;
        }
        let is_foreign = |c: char| c > '\u{ff}' || (c < ' ' && !matches!(c, '\t' | '\n' | '\r'));
        let body = self.source.strip_prefix(crate::diagnostic::BYTE_ORDER_MARK);
        let offset = self.source.len() - body.unwrap_or(self.source).len();
        if let Some((at, c)) = self.source[offset..].char_indices().find(|&(_, c)| is_foreign(c)) {
            let span = Span::new(offset + at, offset + at + c.len_utf8());
            let message = format!(
                "the character {} is not allowed in policies of IAM",
                quoted(&c.to_string())
            );
            let hint = "IAM takes tab, line feed, carriage return and U+0020 to U+00FF";
            self.report(&UNSUPPORTED_CHARACTER, span, message, hint.to_owned());
        }
    }

    fn size(&mut self) {
        let policy_type = self.policy.policy_type;
        // What IAM and Organizations count is without white space (1.9).
        let (limit, with_space) = match policy_type {
            PolicyType::Identity | PolicyType::Boundary => (6_144, false),
            PolicyType::Session | PolicyType::Trust => (2_048, false),
            PolicyType::Scp => (10_240, true),
            PolicyType::Rcp => (5_120, true),
            PolicyType::Kms => (32_768, true),
            PolicyType::Resource | PolicyType::VpcEndpoint => (20_480, true),
        };
        let n = if with_space {
            self.source.len()
        } else {
            self.source.chars().filter(|c| !c.is_whitespace()).count()
        };
        if n > limit {
            let counted = if with_space { "bytes" } else { "characters without white space" };
            let name = policy_type.name();
            let message =
                format!("the policy has {n} {counted}; for type `{name}` AWS stores {limit}");
            let span = Span::new(self.root.span.start as usize, self.root.span.start as usize + 1);
            let hint = "some quotas are others for inline policies, or can be raised".to_owned();
            self.report(&POLICY_TOO_LARGE, span, message, hint);
        }
    }
}
