//! A request of a job.
//!
//! What members there may be is [`crate::wire::Request`]; a principal may also be a plain string.
//! Whether the parts fit each other is for [`keyaki_policy::Request::complete`] to say.

use keyaki_policy::json::{Kind, Member, Value};
use keyaki_policy::request::{Context, ContextValue, Principal, Request, RequestError};

use crate::reader::{Fallible, Reader, pointer};
use crate::wire::ErrorRecord;

const MEMBERS: [&str; 10] = [
    "principal",
    "role_arn",
    "federated_base",
    "action",
    "resource",
    "resource_account",
    "context",
    "context_complete",
    "management_account",
    "service_linked_role",
];

/// The types of principals, each with the members that it must have and those that it may have.
const PRINCIPALS: [(&str, &[&str], &[&str]); 8] = [
    ("anonymous", &[], &[]),
    ("root", &["account"], &["partition", "canonical_user"]),
    ("user", &["arn"], &["canonical_user"]),
    ("role-session", &["role_arn", "session_name"], &[]),
    ("federated-user", &["arn"], &[]),
    ("service", &["name"], &[]),
    ("federated", &["provider"], &[]),
    ("canonical-user", &["id"], &[]),
];

impl<'s> Reader<'s> {
    /// A request, complete.
    pub(crate) fn request(&self, value: &Value<'s>, path: &str) -> Fallible<Request> {
        let members = self.object(value, path)?;
        if let Some(member) = members.iter().find(|m| !MEMBERS.contains(&&*m.key)) {
            let message = format!("a request has no member `{}`", member.key);
            let hint = format!("its members are {}", MEMBERS.join(", "));
            let path = pointer(path, &member.key);
            return Err(self.wrong_with_hint(&member.value, &path, &message, &hint));
        }
        let optional = |name: &str| members.iter().find(|member| member.key == name);
        let text = |name: &str| -> Fallible<Option<String>> {
            let Some(member) = optional(name) else { return Ok(None) };
            Ok(Some(self.string(&member.value, &pointer(path, name))?.to_owned()))
        };
        let flag = |name: &str| {
            optional(name).map_or(Ok(false), |m| self.boolean(&m.value, &pointer(path, name)))
        };
        let required = |name: &str| {
            optional(name).map(|member| &member.value).ok_or_else(|| {
                let message = format!("the request has no `{name}`");
                self.wrong(value, path, &message)
            })
        };

        let by = |error: RequestError| self.in_request(value, path, error);
        let mut principal =
            self.principal(required("principal")?, &pointer(path, "principal"), &by)?;
        if let Some(role_arn) = text("role_arn")? {
            principal = principal.with_role_arn(&role_arn).map_err(by)?;
        }
        if let Some(base) = text("federated_base")? {
            principal = principal.with_federated_base(&base).map_err(by)?;
        }
        let context = match optional("context") {
            Some(member) => self.context(&member.value, &pointer(path, "context"))?,
            None => Context::default(),
        };
        let string =
            |name: &str| required(name).and_then(|value| self.string(value, &pointer(path, name)));
        let request = Request {
            principal,
            action: string("action")?.to_owned(),
            resource: string("resource")?.to_owned(),
            resource_account: text("resource_account")?,
            context,
            management_account: flag("management_account")?,
            service_linked_role: flag("service_linked_role")?,
        };
        if flag("context_complete")? {
            request.check().map_err(by)?;
            return Ok(request);
        }
        request.complete().map_err(by)
    }

    /// A mistake in a request as a whole, at the member that it is about.
    fn in_request(&self, value: &Value<'s>, path: &str, error: RequestError) -> Box<ErrorRecord> {
        let (member, hint) = match &error {
            RequestError::Malformed { member, hint, .. } => (*member, Some(*hint)),
            RequestError::Contradiction { key, .. } => (*key, None),
        };
        let members = |value: &Value<'s>| match &value.kind {
            Kind::Object(members) => members.clone(),
            _ => Vec::new(),
        };
        let find = |members: &[Member<'s>]| {
            members.iter().find(|m| m.key.eq_ignore_ascii_case(member)).cloned()
        };
        let own = members(value);
        let context = own.iter().find(|m| m.key == "context").map(|m| members(&m.value));
        let own = find(&own).map(|member| (path.to_owned(), member));
        let in_context =
            || find(&context.unwrap_or_default()).map(|member| (pointer(path, "context"), member));
        let mut record = match own.or_else(in_context) {
            Some((path, member)) => {
                self.wrong(&member.value, &pointer(&path, &member.key), &error.to_string())
            }
            None => self.wrong(value, path, &error.to_string()),
        };
        record.code = "invalid-request".to_owned();
        record.hint = hint.map(str::to_owned);
        record
    }

    fn principal(
        &self,
        value: &Value<'s>,
        path: &str,
        by: &dyn Fn(RequestError) -> Box<ErrorRecord>,
    ) -> Fallible<Principal> {
        let members = match &value.kind {
            Kind::String(text) => return Principal::from_text(text).map_err(by),
            Kind::Object(members) => members,
            _ => {
                let message =
                    format!("a principal is a string or an object, not {}", value.describe());
                return Err(self.wrong(value, path, &message));
            }
        };
        let of = |name: &str| members.iter().find(|member| member.key == name);
        let types = || PRINCIPALS.map(|(name, ..)| name).join(", ");
        let Some(kind) = of("type") else {
            let message = "the principal has no `type`";
            return Err(self.wrong_with_hint(
                value,
                path,
                message,
                &format!("it is one of {}", types()),
            ));
        };
        let kind_path = pointer(path, "type");
        let name = self.string(&kind.value, &kind_path)?;
        let Some((_, required, optional)) = PRINCIPALS.iter().find(|(known, ..)| *known == name)
        else {
            let message = format!("`{name}` is no type of principal");
            let hint = format!("it is one of {}", types());
            return Err(self.wrong_with_hint(&kind.value, &kind_path, &message, &hint));
        };
        for member in members {
            let key = &&*member.key;
            if *key != "type" && !required.contains(key) && !optional.contains(key) {
                let message = format!("a principal of type `{name}` has no member `{key}`");
                return Err(self.wrong(&member.value, &pointer(path, key), &message));
            }
        }
        let text = |name: &str| -> Fallible<Option<String>> {
            let Some(member) = of(name) else { return Ok(None) };
            Ok(Some(self.string(&member.value, &pointer(path, name))?.to_owned()))
        };
        let needed = |member: &str| {
            text(member)?.ok_or_else(|| {
                let message = format!("a principal of type `{name}` needs a member `{member}`");
                self.wrong(value, path, &message)
            })
        };
        let principal = match name {
            "root" => Principal::Root {
                partition: text("partition")?.unwrap_or_else(|| "aws".to_owned()),
                account: needed("account")?,
                canonical_user: text("canonical_user")?,
            },
            "user" => {
                Principal::User { arn: needed("arn")?, canonical_user: text("canonical_user")? }
            }
            "role-session" => Principal::RoleSession {
                role_arn: needed("role_arn")?,
                session_name: needed("session_name")?,
            },
            "federated-user" => Principal::FederatedUser { arn: needed("arn")?, base: None },
            "service" => Principal::Service { name: needed("name")? },
            "federated" => Principal::Federated { provider: needed("provider")? },
            "canonical-user" => Principal::CanonicalUser { id: needed("id")? },
            _ => Principal::Anonymous,
        };
        Ok(principal)
    }

    /// The keys that are present: a string is one value, a list those of a multivalued key.
    fn context(&self, value: &Value<'s>, path: &str) -> Fallible<Context> {
        let mut context = Context::default();
        for Member { key, value, .. } in self.object(value, path)? {
            let path = pointer(path, key);
            let given = match &value.kind {
                Kind::String(text) => ContextValue::One(text.to_string()),
                Kind::Array(values) => {
                    let text = |(index, value): (usize, &Value<'s>)| match &value.kind {
                        Kind::String(text) => Ok(text.to_string()),
                        _ => {
                            let path = format!("{path}/{index}");
                            let message =
                                format!("a value of `{key}` is a string, not {}", value.describe());
                            Err(self.wrong(value, &path, &message))
                        }
                    };
                    let values = values.iter().enumerate().map(text).collect::<Fallible<_>>()?;
                    ContextValue::Many(values)
                }
                _ => {
                    let hint = match value.kind {
                        Kind::Bool(_) | Kind::Number(_) => "put the value in quotes",
                        Kind::Null => "leave out a key that is absent",
                        _ => "a string is one value, a list of strings those of a multivalued key",
                    };
                    let message = format!(
                        "`{key}` is a string or a list of strings, not {}",
                        value.describe()
                    );
                    return Err(self.wrong_with_hint(value, &path, &message, hint));
                }
            };
            if context.insert(key, given).is_some() {
                let message = format!("`{key}` is given twice, in different spellings");
                return Err(self.wrong(value, &path, &message));
            }
        }
        Ok(context)
    }
}
