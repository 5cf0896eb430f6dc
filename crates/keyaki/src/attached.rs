//! What AWS Organizations attaches by itself, beside guardrails that only deny.
//!
//! Service control policies without any Allow are written to stand beside `FullAWSAccess`, which every root, unit and account has
//! until somebody detaches it; resource control policies always stand beside `RCPFullAWSAccess`, which nobody can. Read without
//! it they would let nothing through, whatever they deny, and of two such lists neither would ever allow more than
//! the other. So it is put beside them, and the result says so. In a set of several kinds every level is given, and nothing is
//! added.

use keyaki_analysis::question::{Place, PolicyRef, Side};
use keyaki_policy::ast::Effect;
use keyaki_policy::{Policy, PolicyType, parse};

use crate::policies::Document;

/// The policy that is attached beside policies of the type, and its name.
fn beside(policy_type: PolicyType) -> Option<(&'static str, &'static str)> {
    match policy_type {
        PolicyType::Scp => Some((
            "FullAWSAccess",
            r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}"#,
        )),
        PolicyType::Rcp => Some((
            "RCPFullAWSAccess",
            r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}}"#,
        )),
        _ => None,
    }
}

/// Puts beside the policies of each side that are such guardrails what is attached with them.
pub(crate) fn attach(documents: &mut Vec<Document>, policies: &mut Vec<Policy>) {
    // Hardly any job is about guardrails.
    if !policies.iter().any(|policy| beside(policy.policy_type).is_some()) {
        return;
    }
    for side in [Side::Policy, Side::Existing, Side::New] {
        let is_of_side = |document: &&Document| {
            document.at.side == side && matches!(document.at.place, Place::Union(_))
        };
        let of_side = documents.iter().zip(policies.iter());
        let of_side: Vec<&Policy> = of_side
            .filter(|(document, _)| is_of_side(document))
            .map(|(_, policy)| policy)
            .collect();
        let Some(policy_type) = of_side.first().map(|policy| policy.policy_type) else { continue };
        let Some((name, text)) = beside(policy_type) else { continue };
        let mut statements = of_side.iter().flat_map(|policy| &policy.statements);
        if statements.any(|statement| statement.effect == Effect::Allow) {
            continue;
        }
        let at = PolicyRef::of_union(side, of_side.len());
        policies.push(parse(text, Some(policy_type)).expect("what is attached is a policy"));
        documents.push(Document::new(at, name.to_owned(), text.to_owned()));
    }
}

/// The names of what was put beside policies, each once.
pub(crate) fn names(documents: &[Document]) -> Vec<String> {
    let known = [PolicyType::Scp, PolicyType::Rcp].into_iter().filter_map(beside);
    let is_there = |name: &str| documents.iter().any(|document| document.pointer == name);
    known.map(|(name, _)| name.to_owned()).filter(|name| is_there(name)).collect()
}
