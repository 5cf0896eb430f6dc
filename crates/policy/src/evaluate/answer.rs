//! A truth value together with the constructs that it hangs on.
//!
//! Keeping the two in one value, combined by the same three functions, is what keeps reasons
//! honest: a construct whose value could not change the outcome is dropped where it stops
//! mattering, so a statement that fails on its action never complains about its condition.

use super::Truth;
use crate::span::Span;

/// What is known about some part of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    /// Whether the part matches.
    pub(super) truth: Truth,
    /// The constructs that it hangs on, with their places. Empty if and only if `truth` is not
    /// `Unknown`.
    pub(super) hangs_on: Vec<(String, Span)>,
}

impl Answer {
    /// `Unknown`, because of `construct`.
    pub(super) fn unknown(construct: String, span: Span) -> Answer {
        Answer { truth: Truth::Unknown, hangs_on: vec![(construct, span)] }
    }

    /// Whether one of `answers` is true; false if there are none.
    pub(super) fn any(answers: impl IntoIterator<Item = Answer>) -> Answer {
        !Answer::all(answers.into_iter().map(|answer| !answer))
    }

    /// Whether all `answers` are true; true if there are none.
    pub(super) fn all(answers: impl IntoIterator<Item = Answer>) -> Answer {
        let mut sum = Answer::from(true);
        for answer in answers {
            sum.truth = sum.truth.and(answer.truth);
            if sum.truth == Truth::False {
                return false.into();
            }
            // One reason is enough, and a list of a hundred thousand entries would have as many.
            if sum.hangs_on.is_empty() {
                sum.hangs_on = answer.hangs_on;
            }
        }
        sum
    }
}

impl std::ops::Not for Answer {
    type Output = Answer;

    fn not(self) -> Answer {
        Answer { truth: !self.truth, hangs_on: self.hangs_on }
    }
}

impl From<bool> for Answer {
    fn from(certain: bool) -> Answer {
        Answer { truth: certain.into(), hangs_on: vec![] }
    }
}
