//! `access-not-granted`: what a side allows, and what a list of accesses names.

use keyaki_logic::Term;
use keyaki_policy::PolicyType;
use keyaki_policy::access::AccessPattern;
use keyaki_policy::ast::{Clause, ResourcePattern};

use super::pattern::{Pattern, Token};
use super::{Cell, Encoder, Way};
use crate::question::Side;

impl Encoder<'_> {
    /// The cells of: the policy allows a request that is one of these accesses.
    pub(super) fn access_not_granted(&mut self, accesses: &[AccessPattern]) -> Vec<Cell> {
        let ways = self.access(Side::Policy).ways;
        let named = self.is_one_of_accesses(accesses);
        ways.into_iter()
            .map(|Way { through, term }| Cell { through, breaks: self.t.and([term, named]) })
            .collect()
    }

    /// True if and only if the request is one of the accesses.
    fn is_one_of_accesses(&mut self, accesses: &[AccessPattern]) -> Term {
        let mut named = Vec::new();
        for access in accesses {
            let action = access.action.as_ref().map(|clause| self.action(clause));
            let resource = access.resource.as_ref().map(|clause| self.listed_resource(clause));
            named.push(self.t.and(action.into_iter().chain(resource)));
        }
        self.t.or(named)
    }

    /// True if and only if the clause matches the resource. Outside of policies no ARN is cut short
    /// and none has variables.
    fn listed_resource(&mut self, clause: &Clause<ResourcePattern>) -> Term {
        let is_arn = self.t.not(self.symbols.is_star);
        let mut entries = Vec::new();
        for entry in &clause.entries {
            let tokens = Pattern::new(&entry.template, true).tokens;
            entries.push(if tokens == [Token::Many] {
                self.t.bool(true)
            } else {
                // The type for which a short ARN matches nothing.
                let fields = self.resource_fields(PolicyType::Rcp, &tokens);
                self.t.and([is_arn, fields])
            });
        }
        let listed = self.t.or(entries);
        if clause.negated { self.t.not(listed) } else { listed }
    }
}
