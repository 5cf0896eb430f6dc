//! Who asks: `Principal` and `NotPrincipal` (2.4, 2.5, 8.1).

use keyaki_logic::{Regex, Sort, Term};
use keyaki_policy::Switch;
use keyaki_policy::ast::{Clause, PrincipalArn, PrincipalEntry, PrincipalKind};

use super::symbols::{Kind, switch_variable};
use super::{Encoder, in_literal};

impl Encoder<'_> {
    /// A term that is true if and only if the clause matches the principal. `NotPrincipal` also
    /// matches anonymous requests (D13).
    pub(super) fn principal_clause(&mut self, clause: &Clause<PrincipalEntry>) -> Term {
        let covered = self.covered_by(clause.entries.iter());
        if !clause.negated {
            return covered;
        }
        // D14: any covering entry exempts, or all that a principal of an account has a name in.
        let chain = self.whole_chain(&clause.entries);
        let alternative = self.t.var(&switch_variable(Switch::D14), Sort::Bool);
        let needs_chain = self.t.implies(alternative, chain);
        let exempt = self.t.and([covered, needs_chain]);
        self.t.not(exempt)
    }

    /// A term that is true if and only if the entries list a principal together with what it is
    /// part of: a user with its account, a session with its role and account, a federated user
    /// with its account. A star lists everybody, and who is part of nothing needs nothing more.
    fn whole_chain(&mut self, entries: &[PrincipalEntry]) -> Term {
        let mut listed = |kinds: fn(&PrincipalKind) -> bool| {
            self.covered_by(entries.iter().filter(|entry| kinds(&entry.kind)))
        };
        use PrincipalKind::*;
        let star = listed(|kind| matches!(kind, Everyone | EveryAwsPrincipal));
        let account = listed(|kind| matches!(kind, Account { .. } | CanonicalUser(_)));
        // Of the entry of a user and that of a unique id it is the kind that says whether it is
        // a link of the chain.
        let itself = listed(|kind| matches!(kind, User(_) | UniqueId(_)));
        let role = listed(|kind| matches!(kind, Role(_) | UniqueId(_)));
        let session = listed(|kind| matches!(kind, RoleSession { .. } | FederatedUser(_)));
        let chains = [
            (Kind::User, vec![itself, account]),
            (Kind::RoleSession, vec![session, role, account]),
            (Kind::FederatedUser, vec![session, account]),
        ];
        let cloudfront = in_literal(&mut self.t, self.symbols.account, "cloudfront");
        let mut ways = vec![star];
        for (kind, links) in chains {
            let is_kind = self.symbols.is(&mut self.t, kind);
            let all = self.t.and(links);
            ways.push(self.t.and([is_kind, all]));
        }
        let linked = [Kind::User, Kind::RoleSession, Kind::FederatedUser];
        let linked = self.symbols.is_one_of(&mut self.t, &linked);
        ways.push(self.t.not(linked));
        ways.push(cloudfront);
        self.t.or(ways)
    }

    /// A term that is true if and only if one of the entries covers the principal.
    pub(super) fn covered_by<'e>(
        &mut self,
        entries: impl Iterator<Item = &'e PrincipalEntry>,
    ) -> Term {
        let tests: Vec<Term> = entries.map(|entry| self.covers(&entry.kind)).collect();
        self.t.or(tests)
    }

    fn covers(&mut self, entry: &PrincipalKind) -> Term {
        match entry {
            PrincipalKind::Everyone => self.t.bool(true),
            // D12: the same, or not services and identities of providers.
            PrincipalKind::EveryAwsPrincipal => {
                let others = self.symbols.is_one_of(&mut self.t, &[Kind::Service, Kind::Federated]);
                let aws_principal = self.t.not(others);
                let alternative = self.t.var(&switch_variable(Switch::D12), Sort::Bool);
                self.t.implies(alternative, aws_principal)
            }
            PrincipalKind::Account { partition, account } => {
                let iam = self.symbols.is_one_of(&mut self.t, &Kind::IAM);
                let account = in_literal(&mut self.t, self.symbols.account, account);
                let partition = match partition {
                    Some(name) => in_literal(&mut self.t, self.symbols.partition, name),
                    None => self.t.bool(true),
                };
                self.t.and([iam, account, partition])
            }
            PrincipalKind::User(arn) => {
                let user = self.is_named(Kind::User, arn);
                let session = self.session_of_user(arn);
                self.t.or([user, session])
            }
            PrincipalKind::Role(arn) => self.is_named(Kind::RoleSession, arn),
            PrincipalKind::FederatedUser(arn) => self.is_named(Kind::FederatedUser, arn),
            PrincipalKind::RoleSession { partition, account, role, session } => {
                self.is_role_session(partition, account, role, session)
            }
            PrincipalKind::UniqueId(id) => self.has_unique_id(id),
            PrincipalKind::Service(name) => {
                self.is_called(Kind::Service, self.symbols.service, name)
            }
            PrincipalKind::Federated(provider) => {
                self.is_called(Kind::Federated, self.symbols.provider, provider)
            }
            PrincipalKind::CanonicalUser(id) => {
                self.canonical_users.insert(id.clone());
                let kinds = [Kind::Root, Kind::User, Kind::CanonicalUser];
                let kind = self.symbols.is_one_of(&mut self.t, &kinds);
                let id = in_literal(&mut self.t, self.symbols.canonical, id);
                self.t.and([kind, id])
            }
        }
    }

    fn is_called(&mut self, kind: Kind, variable: Term, name: &str) -> Term {
        let kind = self.symbols.is(&mut self.t, kind);
        let name = in_literal(&mut self.t, variable, name);
        self.t.and([kind, name])
    }

    fn is_named(&mut self, kind: Kind, arn: &PrincipalArn) -> Term {
        let kind = self.symbols.is(&mut self.t, kind);
        let partition = in_literal(&mut self.t, self.symbols.partition, &arn.partition);
        let account = in_literal(&mut self.t, self.symbols.account, &arn.account);
        let resource = in_literal(&mut self.t, self.symbols.principal, &arn.resource);
        self.t.and([kind, partition, account, resource])
    }

    /// A federated user's session whose caller was this user. No key shows the caller, so it is a
    /// variable for each user that some policy names.
    fn session_of_user(&mut self, user: &PrincipalArn) -> Term {
        let base = self.base_user(user);
        let kind = self.symbols.is(&mut self.t, Kind::FederatedUser);
        self.t.and([kind, base])
    }

    /// D11: the session's role by its name, exactly; the session's name from the user id (R5).
    fn is_role_session(
        &mut self,
        partition: &str,
        account: &str,
        role: &str,
        session: &str,
    ) -> Term {
        let kind = self.symbols.is(&mut self.t, Kind::RoleSession);
        let partition = in_literal(&mut self.t, self.symbols.partition, partition);
        let account = in_literal(&mut self.t, self.symbols.account, account);
        let name = Regex::Union(vec![
            Regex::Literal(format!("role/{role}")),
            Regex::Concat(vec![
                Regex::Literal("role/".to_owned()),
                Regex::All,
                Regex::Literal(format!("/{role}")),
            ]),
        ]);
        let name = self.t.in_re(self.symbols.principal, name);
        let user_id = Regex::Concat(vec![Regex::All, Regex::Literal(format!(":{session}"))]);
        let session = self.t.in_re(self.symbols.user_id, user_id);
        self.t.and([kind, partition, account, name, session])
    }

    /// The id of a user, or of a role before its sessions' names. That makes `aws:userid` a key
    /// that the question mentions: a witness has to show it.
    fn has_unique_id(&mut self, id: &str) -> Term {
        self.key("aws:userid");
        let user = self.is_called(Kind::User, self.symbols.user_id, id);
        let role = self.symbols.is(&mut self.t, Kind::RoleSession);
        let sessions = Regex::Concat(vec![Regex::Literal(format!("{id}:")), Regex::All]);
        let session = self.t.in_re(self.symbols.user_id, sessions);
        let session = self.t.and([role, session]);
        self.t.or([user, session])
    }
}
