//! `no-external-access`: what a policy allows, and what places a request inside the zone of trust.
//!
//! Inside is a request only by facts about its principal, or about the resource for which a service calls: accounts
//! and organisations. Whatever else a condition asks for (addresses, times, tags, an external id) is
//! not known to be out of an outsider's reach, so it is left to the formula to choose.
//!
//! Of a key that no policy mentions nothing is known but what follows from the principal: an outsider
//! may lack it. So only mentioned keys are looked at.

use keyaki_logic::{Sort, Term};

use super::axioms::account_id;
use super::condition::{FREE, Test};
use super::pattern;
use super::symbols::{Key, Kind, ORGANISATIONS};
use super::{Cell, Encoder, Way, in_literal};
use crate::question::Side;
use crate::zone::{ServicePrincipals, Zone};

/// Keys whose value is the account of who asks.
const ACCOUNT_KEYS: [&str; 2] = ["aws:principalaccount", "kms:calleraccount"];

impl Encoder<'_> {
    /// The cells of: the policy allows a request from outside, which is not allowed without any policy.
    pub(super) fn no_external_access(&mut self, zone: &Zone) -> Vec<Cell> {
        let ways = self.access(Side::Policy).ways;
        let inside = self.is_inside(zone);
        let outside = self.t.not(inside);
        let needs_policy = self.needs_policy();
        let outside = self.t.and([outside, needs_policy]);
        ways.into_iter()
            .map(|Way { through, term }| Cell { through, breaks: self.t.and([term, outside]) })
            .collect()
    }

    /// True if and only if something places the request in the zone.
    pub(super) fn is_inside(&mut self, zone: &Zone) -> Term {
        let mut facts = vec![self.is_of_account(zone)];
        for key in ACCOUNT_KEYS {
            facts.push(self.names_account(key, zone));
        }
        facts.push(self.names_account_in_arn("aws:principalarn", zone));
        facts.push(self.is_in_organisation(ORGANISATIONS[0], zone));
        let service = self.symbols.is(&mut self.t, Kind::Service);
        let trusted = match zone.services {
            ServicePrincipals::Ignored => self.t.bool(true),
            ServicePrincipals::Deputies => {
                let facts = [
                    self.names_account("aws:sourceaccount", zone),
                    self.names_account_in_arn("aws:sourcearn", zone),
                    self.is_in_organisation(ORGANISATIONS[3], zone),
                ];
                self.t.or(facts)
            }
        };
        facts.push(self.t.and([service, trusted]));
        self.t.or(facts)
    }

    /// The principal has credentials of an account of the zone.
    fn is_of_account(&mut self, zone: &Zone) -> Term {
        let iam = self.symbols.is_one_of(&mut self.t, &Kind::IAM);
        let trusted = self.is_trusted(self.symbols.account, zone);
        self.t.and([iam, trusted])
    }

    /// The text is an account of the zone: one of a list, or the owner's.
    fn is_trusted(&mut self, account: Term, zone: &Zone) -> Term {
        let mut ways: Vec<Term> =
            zone.known_accounts().map(|known| in_literal(&mut self.t, account, known)).collect();
        let owner = self.owner();
        let equal = self.t.eq(account, owner);
        // What belongs to no account, but to AWS, has an owner too.
        let is_account = self.t.in_re(owner, account_id());
        ways.push(self.t.and([equal, is_account]));
        self.t.or(ways)
    }

    /// The key is present, and its value is an account of the zone.
    fn names_account(&mut self, key: &str, zone: &Zone) -> Term {
        let Some(key) = self.keys.get(key).cloned() else { return self.t.bool(false) };
        let present = self.present(&key);
        let value = self.t.var(&key.value(), Sort::String);
        let trusted = self.is_trusted(value, zone);
        let own = self.has_own_value(&key);
        self.t.and([present, own, trusted])
    }

    /// The key is present, and the account field of its value is an account of the zone.
    fn names_account_in_arn(&mut self, key: &str, zone: &Zone) -> Term {
        let Some(key) = self.keys.get(key).cloned() else { return self.t.bool(false) };
        let present = self.present(&key);
        let account = self.t.var(&key.field("account"), Sort::String);
        let trusted = self.is_trusted(account, zone);
        let own = self.has_own_value(&key);
        self.t.and([present, own, trusted])
    }

    /// True if and only if the value of the key is a variable of its own. Otherwise it follows from the
    /// principal, and what it says is known of the principal itself.
    fn has_own_value(&mut self, key: &Key) -> Term {
        match key.lower.as_str() {
            "aws:principalaccount" | "aws:principalarn" => {
                self.symbols.is_one_of(&mut self.t, &FREE)
            }
            _ => self.t.bool(true),
        }
    }

    /// The request tells by id or paths that this organisation is the trusted one: all paths begin
    /// with the id (R7, R28).
    fn is_in_organisation(&mut self, (paths, id): (&str, &str), zone: &Zone) -> Term {
        let Some(organisation) = &zone.organization else { return self.t.bool(false) };
        let mut facts = Vec::new();
        if let Some(id) = self.keys.get(id).cloned() {
            let present = self.present(&id);
            let equal = self.test(&id, &Test::Text(pattern::literal(organisation))).certain;
            facts.push(self.t.and([present, equal]));
        }
        if let Some(paths) = self.keys.get(paths).cloned() {
            let present = self.present(&paths);
            let id = self.t.var(&Key::new(id).value(), Sort::String);
            let equal = in_literal(&mut self.t, id, organisation);
            facts.push(self.t.and([present, equal]));
        }
        self.t.or(facts)
    }

    /// What requests are that zones of trust are asked about: facts about their owners and the
    /// accounts of their organisations.
    pub(super) fn facts_about_zone(&mut self) -> Vec<(&'static str, Term)> {
        let question = self.question;
        let mut facts = Vec::new();
        for zone in question.zones() {
            if let Some(owner) = &zone.owner {
                let variable = self.owner();
                let is_it = in_literal(&mut self.t, variable, owner);
                facts.push(("the owner of the resource", is_it));
            }
            if let Some(organisation) = &zone.organization {
                let members = self.members_are_of(organisation, &zone.organization_accounts);
                facts.push(("R27: accounts of the organisation", members));
            }
        }
        facts
    }
}
