//! The relations that are not certain, each in force under one reading of its switch (Q1.3).

use std::net::IpAddr;

use keyaki_policy::request::{Principal, Request};
use keyaki_policy::{Switch, catalogue};

use super::{CALLED_VIA_KEYS, Check, ENDPOINT_KEYS, fields};

/// A relation, as the check of a request.
type Relation<'r> = fn(&mut Check<'r>);

/// The keys that every request through a VPC endpoint has (R12).
const OF_EVERY_ENDPOINT: [&str; 3] = ["aws:SourceVpc", "aws:SourceVpce", "aws:VpcSourceIp"];

/// Whether the text is the shape with texts for its stars: what is between two of them is found as early as it can be.
fn has_shape(text: &str, shape: &str) -> bool {
    let Some((start, rest)) = shape.split_once('*') else { return text == shape };
    let Some((middle, end)) = rest.rsplit_once('*') else {
        return text.strip_prefix(start).is_some_and(|text| text.ends_with(rest));
    };
    let Some(mut text) = text.strip_prefix(start) else { return false };
    for part in middle.split('*') {
        let Some((_, behind)) = text.split_once(part) else { return false };
        text = behind;
    }
    text.ends_with(end)
}

impl<'r> Check<'r> {
    pub(super) fn switched(&mut self) {
        let relations: [(Switch, Relation<'r>); 15] = [
            (Switch::R9, Self::sources),
            (Switch::R25, Self::owner_by_name),
            (Switch::R29, Self::tag_keys),
            (Switch::R8, Self::service_name),
            (Switch::R19, |check| check.is_present("aws:UserAgent", "R19")),
            (Switch::R10, Self::organization_of_source),
            (Switch::R11, Self::account_of_source),
            (Switch::R12, Self::whole_endpoint),
            (Switch::R13, Self::direct_address),
            (Switch::R18, Self::forwarded_calls),
            (Switch::R22, Self::multi_factor),
            (Switch::R23, Self::ec2_session),
            (Switch::R31, Self::via_key_service),
            (Switch::R35, Self::public_address),
            (Switch::R36, Self::type_of_resource),
        ];
        for (switch, relation) in relations {
            if self.readings.is_alternative(switch) != switch.is_undecided() {
                relation(self);
            }
        }
    }

    /// An action that the reference has is about an ARN of one of its types, or about `*` if it has none.
    fn type_of_resource(&mut self) {
        let Request { action, resource, .. } = self.request;
        let Some(details) = catalogue::details(action) else { return };
        let is_one = match fields(resource) {
            None => details.resources.is_empty(),
            Some(own) => details.resources.iter().any(|shape| {
                let shape = shape.splitn(6, ':').zip(own).skip(2);
                shape.into_iter().all(|(shape, field)| has_shape(field, shape))
            }),
        };
        self.require(is_one, format_args!("R36: `{action}` is not about `{resource}`"));
    }

    fn sources(&mut self) {
        let is_service = matches!(self.request.principal, Principal::Service { .. });
        let keys = ["aws:SourceAccount", "aws:SourceArn", "aws:SourceOrgID", "aws:SourceOrgPaths"];
        for key in self.present(&keys) {
            self.require(is_service, format_args!("R9: `{key}` is present on no service's call"));
        }
    }

    fn owner_by_name(&mut self) {
        if let Some(owner) = self.named_owner() {
            self.is_if_present("aws:ResourceAccount", owner, "R25");
        }
    }

    fn service_name(&mut self) {
        let Principal::Service { name } = &self.request.principal else { return };
        let names = self.elements("aws:PrincipalServiceNamesList");
        self.require(
            names.is_empty() || names.contains(name),
            format_args!("R8: `{name}` is not in `aws:PrincipalServiceNamesList`"),
        );
    }

    fn tag_keys(&mut self) {
        let listed = self.elements("aws:TagKeys");
        for (key, _) in self.request.context.iter() {
            let Some((start, tag)) = key.split_once('/') else { continue };
            let is_tag = start.eq_ignore_ascii_case("aws:RequestTag") && tag.is_ascii();
            if !is_tag || !self.has(key) {
                continue;
            }
            self.is_present("aws:TagKeys", format_args!("R29, `{key}`"));
            self.require(
                listed.is_empty() || listed.iter().any(|name| name.eq_ignore_ascii_case(tag)),
                format_args!("R29: `{tag}` is not among `aws:TagKeys`"),
            );
        }
    }

    fn organization_of_source(&mut self) {
        for key in self.present(&["aws:SourceOrgID", "aws:SourceOrgPaths"]) {
            for other in ["aws:SourceOrgID", "aws:SourceOrgPaths", "aws:SourceAccount"] {
                self.is_present(other, format_args!("R10, `{key}`"));
            }
        }
    }

    fn account_of_source(&mut self) {
        if let Some([_, _, _, _, account, _]) = self.one("aws:SourceArn").and_then(fields)
            && !account.is_empty()
        {
            self.is_if_present("aws:SourceAccount", account, "R11");
        }
    }

    fn whole_endpoint(&mut self) {
        for key in self.present(&ENDPOINT_KEYS) {
            for other in OF_EVERY_ENDPOINT {
                self.is_present(other, format_args!("R12, `{key}`"));
            }
        }
    }

    /// Where no condition mentions a key of endpoints, the request may have come through one.
    fn direct_address(&mut self) {
        let tells = |key: &str| self.mentions(key);
        let is_direct = OF_EVERY_ENDPOINT.into_iter().any(tells)
            && self.present(&ENDPOINT_KEYS).is_empty()
            && !matches!(self.request.principal, Principal::Service { .. })
            && !self.is_forwarded();
        if is_direct {
            self.is_present("aws:SourceIp", "R13");
        }
    }

    fn forwarded_calls(&mut self) {
        if !self.is_forwarded() {
            return;
        }
        let has_account = self.request.principal.partition_and_account().is_some();
        self.require(has_account, "R18: a service calls on behalf of nobody");
        for key in ["aws:SourceVpc", "aws:SourceVpce", "aws:SourceVpcArn", "aws:VpcSourceIp"] {
            self.is_absent(key, "R18");
        }
    }

    fn is_forwarded(&self) -> bool {
        self.one("aws:ViaAWSService") == Some("true") || !self.present(&CALLED_VIA_KEYS).is_empty()
    }

    fn multi_factor(&mut self) {
        let (age, confirmed) = ("aws:MultiFactorAuthAge", "aws:MultiFactorAuthPresent");
        if self.has(age) {
            self.is(confirmed, "true", "R22");
        }
        for key in self.present(&[age, confirmed]) {
            self.is_present("aws:TokenIssueTime", format_args!("R22, `{key}`"));
        }
    }

    fn ec2_session(&mut self) {
        let keys = [
            "ec2:SourceInstanceArn",
            "ec2:RoleDelivery",
            "aws:Ec2InstanceSourceVpc",
            "aws:Ec2InstanceSourcePrivateIPv4",
        ];
        for key in self.present(&keys) {
            for other in keys {
                self.is_present(other, format_args!("R23, `{key}`"));
            }
        }
    }

    fn via_key_service(&mut self) {
        if self.has("kms:ViaService") {
            self.is("aws:ViaAWSService", "true", "R31");
        }
    }

    fn public_address(&mut self) {
        let Some(Ok(address)) = self.one("aws:SourceIp").map(str::parse) else { return };
        let is_public = match address {
            IpAddr::V4(address) => {
                !(address.is_private() || address.is_loopback() || address.is_link_local())
            }
            IpAddr::V6(address) => !(address.is_unique_local() || address.is_unicast_link_local()),
        };
        self.require(is_public, format_args!("R35: `{address}` is not public"));
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::*;
    use super::*;

    /// Checks that the request violates the relation where it is in force, and nothing where it is
    /// not.
    #[track_caller]
    fn check_violates(case: &Case, switch: Switch) {
        let (with, without) = if switch.is_undecided() {
            (case.clone(), case.clone().under(switch))
        } else {
            (case.clone().under(switch), case.clone())
        };
        check(&with, switch.name());
        check(&without, "");
    }

    /// Checks that the request does not violate the relation.
    #[track_caller]
    fn check_allows(case: &Case, switch: Switch) {
        check(case, "");
        check(&case.clone().under(switch), "");
    }

    #[test]
    fn sources_come_with_services() {
        for (key, value) in [
            ("aws:SourceAccount", "111122223333"),
            ("aws:SourceArn", "arn:aws:sns:::t"),
            ("aws:SourceOrgID", "o-a"),
        ] {
            for principal in [user(USER), Principal::Anonymous, federated()] {
                check_violates(&by(principal).with(key, value), Switch::R9);
            }
            check_allows(&by(service()).with(key, value), Switch::R9);
        }
        let paths = by(user(USER)).with_list("aws:SourceOrgPaths", &["o-a/r-1/"]);
        check_violates(&paths, Switch::R9);
        check_allows(&by(service()), Switch::R9);
    }

    #[test]
    fn an_owner_without_digits_is_the_owner() {
        let policy = "arn:aws:iam::aws:policy/x";
        let owned = |by_account: &str, resource: &str| {
            by(user(USER)).on(resource).with("aws:ResourceAccount", by_account)
        };
        check_violates(&owned("111122223333", policy), Switch::R25);
        check_allows(&owned("aws", policy), Switch::R25);
        check_allows(&owned("aws", BUCKET), Switch::R25);
        let point = "arn:aws:s3:eu-west-3:aws:accesspoint/ap";
        check_allows(&owned("111122223333", point), Switch::R25);
    }

    #[test]
    fn tags_are_among_the_tag_keys() {
        let tagged = |tag: &str| by(user(USER)).with(&format!("aws:RequestTag/{tag}"), "x");
        let (list, mentioned) = ("aws:TagKeys", ["aws:TagKeys"]);
        check_violates(&tagged("team").mentioning(&mentioned), Switch::R29);
        check_violates(&tagged("team").with_list(list, &["cost"]), Switch::R29);
        check_allows(&tagged("team"), Switch::R29);
        check_allows(&tagged("team").with_list(list, &["cost", "Team"]), Switch::R29);
        check_allows(&by(user(USER)).with_list(list, &["cost"]), Switch::R29);
        // An empty list is an absent key.
        let without = by(user(USER)).with_list("aws:RequestTag/team", &[]);
        check_allows(&without.with_list(list, &["cost"]), Switch::R29);
        check_allows(&tagged("\u{e9}").with_list(list, &["\u{c9}"]), Switch::R29);
    }

    #[test]
    fn a_service_is_called_by_one_of_its_names() {
        let list = "aws:PrincipalServiceNamesList";
        let names = ["sqs.amazonaws.com", "sns.amazonaws.com"];
        check_violates(&by(service()).with_list(list, &names[..1]), Switch::R8);
        check_allows(&by(service()).with_list(list, &names), Switch::R8);
    }

    #[test]
    fn the_user_agent_is_always_there() {
        let agent = ["aws:UserAgent"];
        check_violates(&by(user(USER)).mentioning(&agent), Switch::R19);
        check_allows(&by(user(USER)).with(agent[0], "").mentioning(&agent), Switch::R19);
        check_allows(&by(user(USER)), Switch::R19);
    }

    #[test]
    fn the_source_is_known_in_whole() {
        let keys = ["aws:SourceOrgID", "aws:SourceOrgPaths", "aws:SourceAccount"];
        let request = || by(service()).with(keys[0], "o-a");
        check_violates(&request().mentioning(&keys[..2]), Switch::R10);
        check_violates(&request().mentioning(&[keys[0], keys[2]]), Switch::R10);
        check_allows(&request(), Switch::R10);
        check_allows(&request().with_list(keys[1], &["o-a/r-1/"]), Switch::R10);
        check_allows(&by(service()).mentioning(&keys), Switch::R10);
    }

    #[test]
    fn the_source_is_of_its_account() {
        let request = |arn: &str| by(service()).with("aws:SourceArn", arn);
        let account = |case: Case| case.with("aws:SourceAccount", "111122223333");
        check_violates(&account(request("arn:aws:sns:r:444455556666:t")), Switch::R11);
        check_allows(&account(request("arn:aws:sns:r:111122223333:t")), Switch::R11);
        check_allows(&account(request("arn:aws:s3:::b")), Switch::R11);
        check_allows(&request("arn:aws:sns:r:444455556666:t"), Switch::R11);
    }

    #[test]
    fn an_endpoint_is_known_in_whole() {
        let request = || by(user(USER)).with("aws:SourceVpc", "vpc-1");
        check_violates(&request().mentioning(&["aws:SourceVpce"]), Switch::R12);
        check_violates(&request().mentioning(&["aws:VpcSourceIp"]), Switch::R12);
        check_allows(&request().mentioning(&["aws:SourceIp"]), Switch::R12);
        check_allows(&by(user(USER)).mentioning(&OF_EVERY_ENDPOINT), Switch::R12);
    }

    #[test]
    fn a_direct_call_has_an_address() {
        let keys = ["aws:SourceIp", "aws:SourceVpc"];
        check_violates(&by(user(USER)).mentioning(&keys), Switch::R13);
        check_allows(&by(user(USER)).mentioning(&keys[..1]), Switch::R13);
        check_allows(&by(user(USER)).with(keys[1], "vpc-1").mentioning(&keys), Switch::R13);
        check_allows(&by(user(USER)).with(keys[0], "8.8.8.8").mentioning(&keys), Switch::R13);
        check_allows(&by(service()).mentioning(&keys), Switch::R13);
        let via = by(user(USER)).with("aws:ViaAWSService", "true");
        check_allows(&via.mentioning(&keys), Switch::R13);
    }

    #[test]
    fn somebody_stands_behind_a_forwarded_call() {
        let via = |principal| by(principal).with("aws:ViaAWSService", "true");
        check_violates(&via(Principal::Anonymous), Switch::R18);
        check_violates(&via(federated()), Switch::R18);
        check_violates(&via(user(USER)).with("aws:SourceVpce", "vpce-1"), Switch::R18);
        check_allows(&via(user(USER)), Switch::R18);
        check_allows(&by(federated()).with("aws:ViaAWSService", "false"), Switch::R18);
    }

    #[test]
    fn multi_factor_authentication_is_of_a_token() {
        let (age, confirmed) = ("aws:MultiFactorAuthAge", "aws:MultiFactorAuthPresent");
        let token = "aws:TokenIssueTime";
        let aged = || by(user(USER)).with(age, "1");
        check_violates(&aged().mentioning(&[confirmed]), Switch::R22);
        check_violates(&aged().with(confirmed, "false"), Switch::R22);
        check_violates(&aged().mentioning(&[token]), Switch::R22);
        let present = by(user(USER)).with(confirmed, "false");
        check_violates(&present.clone().mentioning(&[token]), Switch::R22);
        check_allows(&present, Switch::R22);
        check_allows(&aged().with(confirmed, "true").with(token, "2026-01-01"), Switch::R22);
    }

    #[test]
    fn the_keys_of_an_instance_come_together() {
        let keys = ["aws:Ec2InstanceSourceVpc", "ec2:SourceInstanceArn"];
        let request = || by(session(ROLE, "i-1")).with(keys[0], "vpc-1");
        check_violates(&request().mentioning(&keys), Switch::R23);
        check_allows(&request(), Switch::R23);
        let arn = "arn:aws:ec2:eu-west-3:111122223333:instance/i-1";
        check_allows(&request().with(keys[1], arn).mentioning(&keys), Switch::R23);
    }

    #[test]
    fn through_a_service_is_through_a_service() {
        let via = "aws:ViaAWSService";
        let request = || by(user(USER)).with("kms:ViaService", "s3.eu-west-3.amazonaws.com");
        check_violates(&request().with(via, "false"), Switch::R31);
        check_allows(&request().with(via, "true").mentioning(&[via]), Switch::R31);
        check_allows(&request(), Switch::R31);
    }

    #[test]
    fn private_addresses_are_no_sources() {
        let request = |address: &str| by(user(USER)).with("aws:SourceIp", address);
        for address in [
            "10.1.2.3",
            "172.31.0.1",
            "192.168.0.1",
            "127.0.0.1",
            "169.254.1.1",
            "fd00::1",
            "fe80::1",
        ] {
            check_violates(&request(address), Switch::R35);
        }
        for address in ["172.32.0.1", "11.0.0.1", "2001:db8::1", "::1"] {
            check_allows(&request(address), Switch::R35);
        }
    }
}
