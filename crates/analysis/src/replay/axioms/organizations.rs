//! R7, R10, R14, R26 to R28: the organisations of principal, resource, endpoint and source.

use std::collections::BTreeSet;

use super::{Check, is_made_of};

/// One of those who are in an organisation, with the keys that say so.
struct Member<'r> {
    account: Option<&'r str>,
    id: &'static str,
    paths: &'static str,
    /// The relation by which id and paths come together, if they must.
    together: Option<&'static str>,
}

impl<'r> Check<'r> {
    /// Principal, resource, endpoint and source.
    fn all_members(&self) -> [Member<'r>; 4] {
        let own = self.request.principal.partition_and_account().map(|(_, account)| account);
        let member = |account, id, paths, together| Member { account, id, paths, together };
        [
            member(own, "aws:PrincipalOrgID", "aws:PrincipalOrgPaths", Some("R7")),
            member(
                self.one("aws:ResourceAccount")
                    .or(self.account_of_arn())
                    .or(self.request.resource_account.as_deref()),
                "aws:ResourceOrgID",
                "aws:ResourceOrgPaths",
                Some("R26"),
            ),
            member(self.one("aws:VpceAccount"), "aws:VpceOrgID", "aws:VpceOrgPaths", Some("R14")),
            member(self.one("aws:SourceAccount"), "aws:SourceOrgID", "aws:SourceOrgPaths", None),
        ]
    }

    /// Whoever is of one of these accounts is of this organisation, where the request tells one.
    pub(super) fn members(&mut self, organization: &str, accounts: &BTreeSet<String>) {
        for member in self.all_members() {
            let Some(account) = member.account.filter(|one| accounts.contains(*one)) else {
                continue;
            };
            let told = self.organization(&member);
            self.require(
                told.is_none_or(|told| told == organization),
                format_args!("R27: account `{account}` is of the organisation `{organization}`"),
            );
        }
    }

    pub(super) fn organizations(&mut self) {
        let members = self.all_members();
        for member in &members {
            self.id_and_paths(member);
        }
        for (index, member) in members.iter().enumerate() {
            for other in &members[..index] {
                let (Some(org), Some(other_org)) =
                    (self.organization(member), self.organization(other))
                else {
                    continue;
                };
                self.require(
                    member.account.is_none() || member.account != other.account || org == other_org,
                    format_args!(
                        "R27: the organisations of `{}` and `{}` differ for one account",
                        other.id, member.id
                    ),
                );
            }
        }
    }

    /// Id and paths of one organisation come together and agree.
    fn id_and_paths(&mut self, member: &Member<'r>) {
        let Member { id, paths, .. } = *member;
        if let Some(rule) = member.together {
            if self.has(id) {
                self.is_present(paths, format_args!("{rule}, `{id}`"));
            }
            if self.has(paths) {
                self.is_present(id, format_args!("{rule}, `{paths}`"));
            }
        }
        let Some(organization) = self.organization(member) else { return };
        self.require(
            is_made_of(organization, |byte| byte.is_ascii_graphic() && !b"/:".contains(&byte)),
            format_args!("R7: `{organization}` is no id of an organisation"),
        );
        let rule = member.together.unwrap_or("R28");
        for path in self.elements(paths) {
            let rest = path.strip_prefix(organization).and_then(|rest| rest.strip_prefix("/r-"));
            self.require(
                rest.is_some_and(|rest| rest.ends_with('/')),
                format_args!("{rule}: `{path}` is no path in the organisation `{organization}`"),
            );
        }
    }

    /// The id of the organisation: as the key has it, or as the paths begin.
    fn organization(&self, member: &Member<'r>) -> Option<&'r str> {
        let of_path = || self.elements(member.paths).first()?.split('/').next();
        self.one(member.id).or_else(of_path)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::*;

    #[test]
    fn organisation_and_its_paths_come_together() {
        for (id, paths, rule) in [
            ("aws:PrincipalOrgID", "aws:PrincipalOrgPaths", "R7"),
            ("aws:ResourceOrgID", "aws:ResourceOrgPaths", "R26"),
            ("aws:VpceOrgID", "aws:VpceOrgPaths", "R14"),
        ] {
            let both = by(user(USER)).with(id, "o-a").with_list(paths, &["o-a/r-1/"]);
            check(&both.mentioning(&[id, paths]), "");
            check(&by(user(USER)).mentioning(&[id, paths]), "");
            check(&by(user(USER)).with(id, "o-a").mentioning(&[id]), "");
            check(&by(user(USER)).with(id, "o-a").mentioning(&[id, paths]), rule);
            check(&by(user(USER)).with_list(paths, &["o-a/r-1/"]).mentioning(&[id, paths]), rule);
        }
        let source = by(service()).with("aws:SourceOrgID", "o-a");
        check(&source.mentioning(&["aws:SourceOrgPaths"]), "");
    }

    #[test]
    fn paths_are_of_one_organisation() {
        for (id, paths) in [
            ("aws:PrincipalOrgID", "aws:PrincipalOrgPaths"),
            ("aws:SourceOrgID", "aws:SourceOrgPaths"),
        ] {
            let rule = if id == "aws:SourceOrgID" { "R28" } else { "R7" };
            let principal = if id == "aws:SourceOrgID" { service() } else { user(USER) };
            let request = |elements: &[&str]| by(principal.clone()).with_list(paths, elements);
            check(&request(&["o-a/r-1/ou-2/ou-3/", "o-a/r-4/"]), "");
            check(&request(&["o-a/r-1/", "o-b/r-1/"]), rule);
            for path in ["o-a/r-1", "o-a/", "o-a", "o-a/ou-1/"] {
                check(&request(&["o-a/r-1/", path]), rule);
            }
            check(&request(&["o-a/r-1/"]).with(id, "o-a"), "");
            check(&request(&["o-a/r-1/"]).with(id, "o-"), rule);
            check(&request(&["o-a/r-1/"]).with(id, "o-b"), rule);
            check(&by(principal.clone()).with(id, "o-a/r-1"), "R7");
            check(&by(principal.clone()).with(id, ""), "R7");
            check(&by(principal.clone()).with(id, "o:a"), "R7");
        }
    }

    #[test]
    fn an_account_is_in_one_organisation() {
        let orgs = |a: &str, b: &str| {
            by(user(USER)).with("aws:PrincipalOrgID", a).with("aws:ResourceOrgID", b)
        };
        let account = "aws:ResourceAccount";
        let queue = "arn:aws:sqs:eu-west-3:111122223333:q";
        check(&orgs("o-a", "o-b").with(account, "111122223333"), "R27");
        check(&orgs("o-a", "o-b").on(queue), "R27");
        check(&orgs("o-a", "o-a").with(account, "111122223333"), "");
        check(&orgs("o-a", "o-b").with(account, "444455556666"), "");
        check(&orgs("o-a", "o-b"), "");
        let source = by(service()).with("aws:SourceAccount", "1").with("aws:SourceOrgID", "o-a");
        check(&source.with("aws:VpceAccount", "1").with("aws:VpceOrgID", "o-b"), "R27");
    }

    #[test]
    fn a_path_tells_the_organisation_of_an_account() {
        let paths = |principal: &str, resource: &str| {
            by(user(USER))
                .with("aws:ResourceAccount", "111122223333")
                .with_list("aws:PrincipalOrgPaths", &[principal])
                .with_list("aws:ResourceOrgPaths", &[resource])
        };
        check(&paths("o-a/r-1/", "o-a/r-1/ou-2/"), "");
        check(&paths("o-a/r-1/", "o-b/r-1/"), "R27");
    }
}
