//! Statements whose conditions exclude each other.
//!
//! Claimed only where it holds under every reading of what is undecided: a present key is compared
//! with all its tests, an absent one fails what is positive without `IfExists`. Tests with a set
//! operator are left out, because a list may satisfy several of them with different values.

use super::Linter;
use super::checks::NEVER_MATCHES;
use super::condition::{Family, family};
use super::pattern::{Pattern, covers, disjoint, fields_disjoint};
use super::value::Range;
use crate::ast::{BaseOperator, Condition, SetOperator, Statement};
use crate::diagnostic::quoted;

/// Most conditions of one statement that are compared with each other.
const MAX_COMPARED: usize = 100;

impl Linter<'_> {
    pub(super) fn never(&mut self, statement: &Statement) {
        let conditions = &statement.conditions[..statement.conditions.len().min(MAX_COMPARED)];
        for (n, condition) in conditions.iter().enumerate() {
            for other in &conditions[..n] {
                if !condition.key.eq_ignore_ascii_case(&other.key) {
                    continue;
                }
                let length = |condition: &Condition| -> usize {
                    condition.values.iter().map(|value| value.template.to_string().len() + 8).sum()
                };
                if !self.spend(length(condition).saturating_mul(length(other))) {
                    return;
                }
                if excludes(condition, other) || excludes(other, condition) {
                    let message = format!(
                        "the statement matches no request: `{}` and `{}` on {} exclude each other",
                        other.operator,
                        condition.operator,
                        quoted(&condition.key)
                    );
                    self.report(&NEVER_MATCHES, condition.key_span, message, None);
                }
            }
        }
    }
}

/// True only if no request satisfies both tests of one key; not symmetric.
pub(super) fn excludes(left: &Condition, right: &Condition) -> bool {
    if is_null(left, "true") {
        return is_null(right, "false") || requires_text(right);
    }
    // One of the two must need the key, so that both are about its value.
    if left.operator.set.is_some()
        || right.operator.set.is_some()
        || left.values.is_empty()
        || right.values.is_empty()
        || left.operator.base == BaseOperator::Null
        || right.operator.base == BaseOperator::Null
    {
        return false;
    }
    if left.operator.base.is_negated() || left.operator.if_exists {
        return false;
    }
    if right.operator.base.is_negated() {
        return negation_covers(right, left);
    }
    values_disjoint(left, right)
}

/// Whether the test is `Null` with this word only.
fn is_null(condition: &Condition, word: &str) -> bool {
    condition.operator.base == BaseOperator::Null
        && condition.operator.set.is_none()
        && !condition.values.is_empty()
        && condition.values.iter().all(|v| v.template.to_string().eq_ignore_ascii_case(word))
}

/// Whether the test needs the key to be there, with a value other than the empty text, which some
/// readings take for null (D23, D25).
fn requires_text(condition: &Condition) -> bool {
    let operator = condition.operator;
    operator.base != BaseOperator::Null
        && !operator.base.is_negated()
        && !operator.if_exists
        && operator.set != Some(SetOperator::ForAllValues)
        && !condition.values.is_empty()
        && condition.values.iter().all(|value| {
            let pattern = Pattern::with_wildcards(&value.template);
            !covers(&pattern.tokens, &[])
        })
}

/// True only if every value that the positive test accepts is one that the negated test refuses.
fn negation_covers(negated: &Condition, positive: &Condition) -> bool {
    use BaseOperator::*;
    let has_pair = matches!(
        (negated.operator.base, positive.operator.base),
        (StringNotEquals, StringEquals)
            | (StringNotEqualsIgnoreCase, StringEqualsIgnoreCase | StringEquals)
            | (StringNotLike, StringLike | StringEquals)
            | (ArnNotEquals | ArnNotLike, ArnEquals | ArnLike)
            | (NotIpAddress, IpAddress)
    );
    if !has_pair {
        return false;
    }
    let is_like =
        |condition: &Condition| matches!(condition.operator.base, StringLike | StringNotLike);
    positive.values.iter().all(|accepted| {
        negated.values.iter().any(|refused| {
            if accepted.template.has_variable() || refused.template.has_variable() {
                // The same template is the same text, or none, which is accepted by nothing (D29).
                // But `StringNotLike` may read as a wildcard what `StringEquals` does not.
                return accepted.template == refused.template
                    && is_like(positive) == is_like(negated);
            }
            match family(negated.operator.base) {
                Family::Address => {
                    let read = |value: &crate::ast::ConditionValue| {
                        Range::read(&value.template.to_string())
                    };
                    matches!((read(refused), read(accepted)), (Some(r), Some(a)) if r.covers(a))
                }
                Family::Arn => {
                    super::condition::value_covers(ArnLike, &refused.template, &accepted.template)
                }
                _ => {
                    let read = |condition: &Condition, value: &crate::ast::ConditionValue| {
                        if is_like(condition) {
                            Pattern::with_wildcards(&value.template)
                        } else {
                            Pattern::literal(&value.template)
                        }
                    };
                    let (refused, accepted) = (read(negated, refused), read(positive, accepted));
                    if negated.operator.base == StringNotEqualsIgnoreCase {
                        match (refused.ignoring_case(), accepted.ignoring_case()) {
                            (Some(refused), Some(accepted)) => {
                                covers(&refused.tokens, &accepted.tokens)
                            }
                            _ => false,
                        }
                    } else {
                        covers(&refused.tokens, &accepted.tokens)
                    }
                }
            }
        })
    })
}

/// True only if no value is accepted by both of two positive tests.
fn values_disjoint(left: &Condition, right: &Condition) -> bool {
    let all_pairs = |test: &dyn Fn(&crate::ast::Template, &crate::ast::Template) -> bool| {
        left.values.iter().all(|l| right.values.iter().all(|r| test(&l.template, &r.template)))
    };
    match (family(left.operator.base), family(right.operator.base)) {
        (Family::String, Family::String) => {
            let read = |condition: &Condition, template: &crate::ast::Template| {
                if condition.operator.base == BaseOperator::StringLike {
                    Pattern::with_wildcards(template)
                } else {
                    Pattern::literal(template)
                }
            };
            let folds = [left, right]
                .iter()
                .any(|condition| condition.operator.base == BaseOperator::StringEqualsIgnoreCase);
            all_pairs(&|l, r| {
                let (l, r) = (read(left, l), read(right, r));
                if !folds {
                    return disjoint(&l.tokens, &r.tokens);
                }
                match (l.ignoring_case(), r.ignoring_case()) {
                    (Some(l), Some(r)) => disjoint(&l.tokens, &r.tokens),
                    _ => false,
                }
            })
        }
        (Family::Arn, Family::Arn) => all_pairs(&|l, r| {
            fields_disjoint(&Pattern::with_wildcards(l), &Pattern::with_wildcards(r))
        }),
        (Family::Bool, Family::Bool) => all_pairs(&|l, r| {
            let is_word = |template: &crate::ast::Template| !template.has_variable();
            is_word(l) && is_word(r) && !l.to_string().eq_ignore_ascii_case(&r.to_string())
        }),
        (Family::Address, Family::Address) => {
            all_pairs(&|l, r| match (Range::read(&l.to_string()), Range::read(&r.to_string())) {
                (Some(l), Some(r)) => l.is_disjoint(r),
                _ => false,
            })
        }
        (Family::Number, Family::Number) => numbers_disjoint(left, right),
        _ => false,
    }
}

/// Whether no whole or other number is accepted by both tests; of values that fit 64 bits.
fn numbers_disjoint(left: &Condition, right: &Condition) -> bool {
    let (Some(left), Some(right)) = (intervals(left), intervals(right)) else { return false };
    left.iter().all(|l| right.iter().all(|r| l.is_disjoint(*r)))
}

/// Numbers between two bounds, each of which may belong or not; none is infinite.
#[derive(Clone, Copy)]
struct Interval {
    low: Option<(i64, bool)>,
    high: Option<(i64, bool)>,
}

impl Interval {
    fn is_disjoint(self, other: Interval) -> bool {
        let above = |low: Option<(i64, bool)>, high: Option<(i64, bool)>| match (low, high) {
            (Some((low, low_belongs)), Some((high, high_belongs))) => {
                low > high || (low == high && !(low_belongs && high_belongs))
            }
            _ => false,
        };
        above(self.low, other.high) || above(other.low, self.high)
    }
}

fn intervals(condition: &Condition) -> Option<Vec<Interval>> {
    use BaseOperator::*;
    let interval = |value: i64| {
        let (low, high) = match condition.operator.base {
            NumericEquals => (Some((value, true)), Some((value, true))),
            NumericLessThan => (None, Some((value, false))),
            NumericLessThanEquals => (None, Some((value, true))),
            NumericGreaterThan => (Some((value, false)), None),
            NumericGreaterThanEquals => (Some((value, true)), None),
            _ => return None,
        };
        Some(Interval { low, high })
    };
    condition
        .values
        .iter()
        .map(|value| value.template.to_string().parse().ok().and_then(interval))
        .collect()
}
