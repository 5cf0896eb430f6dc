//! Who asks: `Principal` and `NotPrincipal` (2.4, 2.5, 8.1).

use keyaki_logic::{Regex, Term};
use keyaki_policy::ast::{Clause, PrincipalArn, PrincipalEntry, PrincipalKind};

use super::symbols::Kind;
use super::{Encoder, in_literal};

impl Encoder<'_> {
    /// A term that is true if and only if the clause matches the principal. Any entry that covers
    /// a principal exempts it from `NotPrincipal` (D14), which also matches anonymous requests
    /// (D13).
    pub(super) fn principal_clause(&mut self, clause: &Clause<PrincipalEntry>) -> Term {
        let covered = self.covered_by(clause.entries.iter());
        if clause.negated { self.t.not(covered) } else { covered }
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
            // D12: `*` and `{"AWS": "*"}` are the same, and cover services too.
            PrincipalKind::Everyone | PrincipalKind::EveryAwsPrincipal => self.t.bool(true),
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
