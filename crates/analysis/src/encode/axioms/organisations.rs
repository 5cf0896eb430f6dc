//! Organisations: ids, paths and accounts (R7, R10, R14, R26–R28).
//!
//! The id of an organisation stands behind all paths of one key, whether or not the question
//! speaks of the id itself: its variable is there for both. A path is the id, `/r-` and a variable
//! for the rest, so that no solver has to find out where an id ends.

use std::collections::BTreeSet;

use keyaki_logic::{Regex, Sort, Term};

use super::super::symbols::{Key, Kind, ORGANISATIONS, ROOT};
use super::super::{Encoder, in_literal};

impl Encoder<'_> {
    pub(super) fn organisation_pairs(&mut self) -> Term {
        let mut parts = Vec::new();
        // Those of the source need not come together (R10).
        for (paths, id) in &ORGANISATIONS[..3] {
            if self.has(id) && self.has(paths) {
                let id = self.presence_if_mentioned(id);
                let paths = self.presence_if_mentioned(paths);
                parts.push(self.t.iff(id, paths));
            }
        }
        self.t.and(parts)
    }

    /// Each path ends in a slash. An id has neither slash nor colon, so a path determines it.
    pub(super) fn organisation_paths(&mut self) -> Term {
        let mut parts = Vec::new();
        for (paths, id) in ORGANISATIONS {
            let known = self.organisation_known(id, paths);
            if self.t.as_bool(known) == Some(false) {
                continue;
            }
            let id = self.organisation_id(id);
            let letters = Regex::Chars(vec![('!', '.'), ('0', '9'), (';', '~')]);
            let shape = self.t.in_re(id, Regex::plus(letters));
            parts.push(self.t.implies(known, shape));
            let slots = self.keys.get(paths).and_then(|paths| self.slots(paths));
            parts.push(self.every_element(&slots.unwrap_or_default(), |encoder, slot| {
                let root = encoder.t.var(&slot.field(ROOT), Sort::String);
                let slash = Regex::Literal("/".to_owned());
                encoder.t.in_re(root, Regex::Concat(vec![Regex::All, slash]))
            }));
        }
        self.t.and(parts)
    }

    /// True if and only if the request tells the organisation, by its id or by paths.
    fn organisation_known(&mut self, id: &str, paths: &str) -> Term {
        let id = self.presence_if_mentioned(id);
        let paths = self.presence_if_mentioned(paths);
        self.t.or([id, paths])
    }

    fn organisation_id(&mut self, id: &str) -> Term {
        self.t.var(&Key::new(id).value(), Sort::String)
    }

    /// The accounts of principal, resource, VPC endpoint and source, each with when the request tells
    /// it: in the order of [`ORGANISATIONS`].
    fn members(&mut self) -> [Vec<(Term, Term)>; 4] {
        let iam = self.symbols.is_one_of(&mut self.t, &Kind::IAM);
        let owner = self.arn_names_owner();
        let mut resource = vec![(owner, self.symbols.resource_account)];
        resource.extend(self.account_in("aws:resourceaccount"));
        if self.knows_owner() {
            resource.push((self.t.bool(true), self.owner()));
        }
        [
            vec![(iam, self.symbols.account)],
            resource,
            self.account_in("aws:vpceaccount").into_iter().collect(),
            self.account_in("aws:sourceaccount").into_iter().collect(),
        ]
    }

    /// Of whoever is of one of these accounts the organisation, where the request tells one, is this.
    pub(in super::super) fn members_are_of(
        &mut self,
        organisation: &str,
        accounts: &BTreeSet<String>,
    ) -> Term {
        let mut parts = Vec::new();
        for ((paths, id), members) in ORGANISATIONS.into_iter().zip(self.members()) {
            let tells = self.organisation_known(id, paths);
            if self.t.as_bool(tells) == Some(false) {
                continue;
            }
            let id = self.organisation_id(id);
            let equal = in_literal(&mut self.t, id, organisation);
            for (known, account) in members {
                let listed: Vec<Term> =
                    accounts.iter().map(|one| in_literal(&mut self.t, account, one)).collect();
                let listed = self.t.or(listed);
                let premise = self.t.and([tells, known, listed]);
                parts.push(self.t.implies(premise, equal));
            }
        }
        self.t.and(parts)
    }

    /// For each two of the accounts that a request speaks of: if they are one, so are their
    /// organisations.
    pub(super) fn one_organisation(&mut self) -> Term {
        let memberships: Vec<_> = ORGANISATIONS.into_iter().zip(self.members()).collect();
        let mut parts = Vec::new();
        for (index, ((paths, id), accounts)) in memberships.iter().enumerate() {
            for ((other_paths, other_id), other_accounts) in &memberships[..index] {
                let both = [
                    self.organisation_known(id, paths),
                    self.organisation_known(other_id, other_paths),
                ];
                let both = self.t.and(both);
                if self.t.as_bool(both) == Some(false) {
                    continue;
                }
                let (id, other_id) = (self.organisation_id(id), self.organisation_id(other_id));
                let equal = self.t.eq(id, other_id);
                for &(known, account) in accounts {
                    for &(other_known, other_account) in other_accounts {
                        let same = self.t.eq(account, other_account);
                        let premise = self.t.and([both, known, other_known, same]);
                        parts.push(self.t.implies(premise, equal));
                    }
                }
            }
        }
        self.t.and(parts)
    }
}
