//! What two sides say of one request: whether one allows it and the other does not, or both do.

use keyaki_policy::Readings;
use keyaki_policy::evaluate::{Decision, Truth, Unsupported, decide};
use keyaki_policy::policy_set::PolicySet;
use keyaki_policy::request::Request;

use super::{Access, Replay};
use crate::question::{PolicyRef, Question, Side, Subject};

/// Whether the first side allows the request and the second does not.
pub(super) fn exceeds(
    question: &Question,
    [side, other]: [Side; 2],
    request: &Request,
    readings: Readings,
) -> Replay {
    let name = |side| if side == Side::New { "new" } else { "existing" };
    let (own, others) = (name(side), name(other));
    let this = Access::on(question, side, request, readings);
    let reference = Access::on(question, other, request, readings);
    match (this.allowed, reference.allowed) {
        (Truth::False, _) if this.is_denied => {
            Replay::Refuted(format!("the {own} policies deny the request"))
        }
        (Truth::False, _) => {
            Replay::Refuted(format!("the {own} policies do not allow the request"))
        }
        (_, Truth::True) => Replay::Refuted(format!("the {others} policies allow the request")),
        (Truth::True, Truth::False) => Replay::Confirmed { allowing: this.allowing },
        _ => Replay::Undecided(open([this, reference])),
    }
}

/// Whether one of the two sides allows the request and the other does not.
pub(super) fn differs(question: &Question, request: &Request, readings: Readings) -> Replay {
    let one_way = |sides| exceeds(question, sides, request, readings);
    match one_way([Side::New, Side::Existing]) {
        Replay::Refuted(_) => match one_way([Side::Existing, Side::New]) {
            Replay::Refuted(_) => Replay::Refuted("both sides say the same of it".to_owned()),
            other => other,
        },
        other => other,
    }
}

/// Whether both sides allow the request, which is not allowed without any policy.
pub(super) fn is_common(question: &Question, request: &Request, readings: Readings) -> Replay {
    let existing = Access::on(question, Side::Existing, request, readings);
    let new = Access::on(question, Side::New, request, readings);
    if needs_no_policy(question, Side::New, request, readings) {
        return Replay::Refuted("the request is allowed without any policy".to_owned());
    }
    match existing.allowed.and(new.allowed) {
        Truth::True => {
            let allowing = [new.allowing, existing.allowing].concat();
            Replay::Confirmed { allowing }
        }
        Truth::False => {
            let silent = if new.allowed == Truth::False { "new" } else { "existing" };
            Replay::Refuted(format!("the {silent} policies do not allow the request"))
        }
        Truth::Unknown => Replay::Undecided(open([new, existing])),
    }
}

/// Whether the request is allowed where there is no policy of any kind: a question about unions of
/// policies has no such requests.
pub(super) fn needs_no_policy(
    question: &Question,
    side: Side,
    request: &Request,
    readings: Readings,
) -> bool {
    let Some(Subject::Set(set)) = question.subject(side) else { return false };
    let none =
        PolicySet { resource: set.resource.as_ref().map(|_| Vec::new()), ..PolicySet::default() };
    decide(&none, request, readings).decision == Some(Decision::Allow)
}

/// What the answers of the sides hang on that are open.
fn open(sides: [Access; 2]) -> Vec<(PolicyRef, Unsupported)> {
    let open = sides.into_iter().filter(|access| access.allowed == Truth::Unknown);
    open.flat_map(|access| access.hangs_on).collect()
}
