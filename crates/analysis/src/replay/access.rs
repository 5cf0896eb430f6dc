//! Whether a request is an access that should not be granted, and is.

use keyaki_policy::Readings;
use keyaki_policy::access::AccessPattern;
use keyaki_policy::evaluate::{Truth, Unsupported, is_access};
use keyaki_policy::request::Request;
use keyaki_policy::span::Span;

use super::{Access, Replay};
use crate::question::{PolicyRef, Question, Side};

/// Whether the policy allows the request and the request is one of the accesses.
pub(super) fn breaks(
    question: &Question,
    accesses: &[AccessPattern],
    request: &Request,
    readings: Readings,
) -> Replay {
    let (named, limits) = is_named(accesses, request, readings);
    if named == Truth::False {
        return Replay::Refuted("the request is none of the accesses in question".to_owned());
    }
    let policy = Access::on(question, Side::Policy, request, readings);
    match policy.allowed.and(named) {
        Truth::True => Replay::Confirmed { allowing: policy.allowing },
        Truth::False if policy.is_denied => Replay::Refuted("the policy denies it".to_owned()),
        Truth::False => Replay::Refuted("the policy does not allow it".to_owned()),
        Truth::Unknown => {
            // The list of accesses has no place in a policy.
            let place = |construct| Unsupported { construct, statement: 0, span: Span::default() };
            let at = PolicyRef::of_union(Side::Policy, 0);
            let of_list = limits.into_iter().map(|limit| (at, place(limit)));
            Replay::Undecided(policy.hangs_on.into_iter().chain(of_list).collect())
        }
    }
}

/// Whether the request is one of the accesses, and the limits that this hangs on.
fn is_named(
    accesses: &[AccessPattern],
    request: &Request,
    readings: Readings,
) -> (Truth, Vec<String>) {
    let mut named = (Truth::False, vec![]);
    for access in accesses {
        let (truth, limits) = is_access(access, request, readings);
        match named.0.or(truth) {
            Truth::True => return (Truth::True, vec![]),
            Truth::Unknown => {
                named.0 = Truth::Unknown;
                named.1.extend(limits);
            }
            Truth::False => {}
        }
    }
    named
}

#[cfg(test)]
mod tests {
    use keyaki_policy::access::{action, resource};
    use keyaki_policy::request::Principal;
    use keyaki_policy::{PolicyType, parse};

    use super::*;

    const ALLOW: &str = r#"{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}"#;
    const DENY: &str = r#"{"Effect": "Deny", "Action": "s3:Get*", "Resource": "*"}"#;

    #[test]
    fn an_access_is_granted_if_it_is_named_and_allowed() {
        let get = access(&["s3:GetObject"], &[]);
        check(&[ALLOW], std::slice::from_ref(&get), Ok(()));
        check(&[ALLOW, DENY], std::slice::from_ref(&get), Err("the policy denies it"));
        check(&[], std::slice::from_ref(&get), Err("the policy does not allow it"));
        let not_named = Err("the request is none of the accesses in question");
        check(&[ALLOW], &[access(&["s3:PutObject"], &[])], not_named);
        check(&[ALLOW], &[access(&["s3:GetObject"], &["arn:aws:s3:::b/other"])], not_named);
        check(&[ALLOW], &[access(&["s3:PutObject"], &[]), get], Ok(()));
        check(&[ALLOW], &[access(&[], &["arn:aws:s3:::b/*"])], Ok(()));
        check(&[ALLOW], &[access(&[], &[])], Ok(()));
        check(&[ALLOW], &[], not_named);
    }

    #[track_caller]
    fn check(statements: &[&str], accesses: &[AccessPattern], expected: Result<(), &str>) {
        let text = format!(r#"{{"Statement": [{}]}}"#, statements.join(", "));
        let policy = vec![parse(&text, Some(PolicyType::Identity)).unwrap()].into();
        let question = Question::AccessNotGranted { policy, accesses: accesses.to_vec() };
        let request = Request {
            principal: Principal::Anonymous,
            action: "s3:GetObject".to_owned(),
            resource: "arn:aws:s3:::b/k".to_owned(),
            ..Request::default()
        };
        let outcome = match breaks(&question, accesses, &request, Readings::DEFAULT) {
            Replay::Confirmed { allowing } => {
                assert_eq!(allowing, [(PolicyRef::of_union(Side::Policy, 0), 0)]);
                Ok(())
            }
            Replay::Refuted(reason) => Err(reason),
            Replay::Undecided(constructs) => panic!("{constructs:?}"),
        };
        assert_eq!(outcome, expected.map_err(str::to_owned));
    }

    /// An empty list is no restriction.
    fn access(actions: &[&str], resources: &[&str]) -> AccessPattern {
        let actions = actions.iter().map(|text| action(text).unwrap()).collect::<Vec<_>>();
        let resources = resources.iter().map(|text| resource(text).unwrap()).collect::<Vec<_>>();
        AccessPattern::new(
            (!actions.is_empty()).then_some(actions),
            (!resources.is_empty()).then_some(resources),
        )
    }
}
