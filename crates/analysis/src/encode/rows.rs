//! The patterns of which findings are made, beside a question whose policies have them.
//!
//! A pattern is encoded as the part of a statement that it is, from the statement in which it stands, so that what is not
//! modelled of it is the same opaque value. Nothing else is said of rows: that they cover what breaks a property is the
//! formula of a cell with the rows negated.

use keyaki_logic::Term;
use keyaki_policy::ast::{Clause, Condition, Version};
use keyaki_policy::span::Span;

use super::{Encoder, Encoding, Source};
use crate::findings::lattice::Pattern;
use crate::question::{PolicyRef, Question};

/// A pattern of a finding, and the statement in which it stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Placed<'a> {
    pub(crate) pattern: &'a Pattern,
    pub(crate) at: PolicyRef,
    pub(crate) statement: usize,
}

/// Encodes a question with patterns of its policies, and some more keys that a request has to speak of: a term for each
/// pattern that is true if and only if it matches the request.
pub(crate) fn encode_with_patterns(
    question: &Question,
    patterns: &[Placed<'_>],
) -> (Encoding, Vec<Term>) {
    let mut encoder = Encoder::new(question, patterns);
    let cells = encoder.cells();
    let terms = patterns.iter().map(|placed| encoder.placed(*placed)).collect();
    (encoder.finish(cells), terms)
}

/// The conditions among the patterns, with the version of the language in which each is written.
pub(super) fn conditions<'p>(
    question: &'p Question,
    patterns: &'p [Placed<'p>],
) -> impl Iterator<Item = (&'p Condition, Version)> {
    patterns.iter().filter_map(|placed| match placed.pattern {
        Pattern::Condition(condition) => Some((condition, question.policy(placed.at)?.version)),
        _ => None,
    })
}

impl<'q> Encoder<'q> {
    /// True if and only if the pattern matches the request.
    fn placed(&mut self, placed: Placed<'_>) -> Term {
        let question = self.question;
        let policy = question.policy(placed.at);
        let statement = policy.and_then(|policy| policy.statements.get(placed.statement));
        let (Some(policy), Some(statement)) = (policy, statement) else {
            return self.t.bool(true);
        };
        let source = Source { at: placed.at, policy, statement };
        let span = Span::default();
        match placed.pattern {
            Pattern::Any => self.t.bool(true),
            Pattern::Principal(entry) => self.covered_by(std::iter::once(entry)),
            Pattern::Action(entry) => {
                self.action(&Clause { negated: false, entries: vec![entry.clone()], span })
            }
            Pattern::Resource(entry) => self
                .resource(source, &Clause { negated: false, entries: vec![entry.clone()], span }),
            Pattern::Condition(condition) => self.condition(source, condition),
        }
    }
}
