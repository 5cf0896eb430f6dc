//! Who asks: `Principal` and `NotPrincipal` (2.4, 2.5, 8.1).

use keyaki_logic::{Regex, Term};
use keyaki_policy::ast::{Clause, PrincipalArn, PrincipalEntry, PrincipalKind};
use keyaki_policy::reading::Switch;

use super::symbols::Kind;
use super::{Encoder, in_literal};

impl Encoder<'_> {
    /// A term that is true if and only if the clause matches the principal. `NotPrincipal` also
    /// matches anonymous requests (D13).
    pub(super) fn principal_clause(&mut self, clause: &Clause<PrincipalEntry>) -> Term {
        let covered = self.covered_by(clause.entries.iter());
        if !clause.negated {
            return covered;
        }
        let chain = self.exempt_by_chain(&clause.entries, covered);
        let exempt = self.by_reading(Switch::D14, covered, chain);
        self.t.not(exempt)
    }

    /// The alternative of D14: of a user, a role session or a federated user some entry must cover
    /// each link of the chain that ends in the account. A star exempts alone, as does any entry of
    /// all others: among them the origin access identities, whose account cannot be listed.
    fn exempt_by_chain(&mut self, entries: &[PrincipalEntry], covered: Term) -> Term {
        use PrincipalKind as Entry;
        let covered_as = |encoder: &mut Self, is_link: &dyn Fn(&Entry) -> bool| {
            encoder.covered_by(entries.iter().filter(|entry| is_link(&entry.kind)))
        };
        let everyone = |e: &Entry| matches!(e, Entry::Everyone | Entry::EveryAwsPrincipal);
        let account = |e: &Entry| matches!(e, Entry::Account { .. } | Entry::CanonicalUser(_));
        let user = |e: &Entry| matches!(e, Entry::User(_) | Entry::UniqueId(_));
        let session = |e: &Entry| matches!(e, Entry::RoleSession { .. });
        let role = |e: &Entry| matches!(e, Entry::Role(_) | Entry::UniqueId(_));
        let federated = |e: &Entry| matches!(e, Entry::FederatedUser(_));
        let chains: [(Kind, &[&dyn Fn(&Entry) -> bool]); 3] = [
            (Kind::User, &[&user, &account]),
            (Kind::RoleSession, &[&session, &role, &account]),
            (Kind::FederatedUser, &[&federated, &account]),
        ];
        let cloudfront = in_literal(&mut self.t, self.symbols.account, "cloudfront");
        let has_account = self.t.not(cloudfront);
        let mut ways = vec![covered_as(self, &everyone)];
        let mut in_chain = Vec::new();
        for (kind, links) in chains {
            let kind = self.symbols.is(&mut self.t, kind);
            let kind = self.t.and([kind, has_account]);
            in_chain.push(kind);
            let mut whole = vec![kind];
            whole.extend(links.iter().map(|link| covered_as(self, link)));
            ways.push(self.t.and(whole));
        }
        let in_chain = self.t.or(in_chain);
        let in_none = self.t.not(in_chain);
        ways.push(self.t.and([in_none, covered]));
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
            // D12: the same, or neither services nor identities of providers.
            PrincipalKind::EveryAwsPrincipal => {
                let others = [Kind::Service, Kind::Federated];
                let others = self.symbols.is_one_of(&mut self.t, &others);
                let everyone = self.t.bool(true);
                let aws_principals = self.t.not(others);
                self.by_reading(Switch::D12, everyone, aws_principals)
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
