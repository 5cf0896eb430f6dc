//! `custom`: what a side allows, and what the rules of a property demand of it.
//!
//! A rule's requests are encoded as what a policy allows, so its conditions mean what they mean in policies. What
//! the rules that forbid are about is one disjunction beside each way in which a request comes through; a rule that demands
//! access is a cell of its own, as there is no statement through which it breaks.

use keyaki_logic::Term;

use super::{Cell, Encoder, Way};
use crate::property::{Demand, Property, Rule};
use crate::question::{PolicyRef, Side};
use keyaki_policy::ast::Effect;

impl Encoder<'_> {
    /// The cells of: a rule is broken.
    pub(super) fn custom(&mut self, property: &Property) -> Vec<Cell> {
        let access = self.access(Side::Policy);
        let scopes = self.side(Side::Property);
        // All keys are known by now, which is when it can be said who is inside of a zone.
        let scopes: Vec<(&Rule, Term)> = property
            .rules
            .iter()
            .zip(scopes)
            .map(|(rule, scope)| {
                let scope = std::slice::from_ref(&scope);
                let listed = self.some_match(scope, Effect::Allow);
                let exempt = self.some_match(scope, Effect::Deny);
                let mut parts = vec![listed, self.t.not(exempt)];
                if let Some(zone) = &rule.outside {
                    let inside = self.is_inside(zone);
                    parts.push(self.t.not(inside));
                }
                (rule, self.t.and(parts))
            })
            .collect();
        let forbidden = scopes.iter().filter(|(rule, _)| rule.demand == Demand::Never);
        let forbidden = self.t.or(forbidden.map(|(_, scope)| *scope));
        let mut cells: Vec<Cell> = access
            .ways
            .into_iter()
            .map(|Way { through, term }| Cell { through, breaks: self.t.and([term, forbidden]) })
            .collect();
        let not_allowed = self.t.not(access.allowed);
        for (index, (rule, scope)) in scopes.into_iter().enumerate() {
            if rule.demand == Demand::Always {
                let through = Some((PolicyRef::of_union(Side::Property, index), 0));
                cells.push(Cell { through, breaks: self.t.and([scope, not_allowed]) });
            }
        }
        cells
    }
}
