//! Relations that are not certain: each is in force under one reading of its switch.
//!
//! The undecided ones (Q1.3) are in force by default, the optional ones are not. A relation that
//! says nothing about the keys of the question brings no switch along.

use keyaki_logic::{Regex, Sort, Term};
use keyaki_policy::reading::Switch;

use super::super::Encoder;
use super::super::condition::Test;
use super::super::lists::REQUEST_TAG;
use super::super::symbols::Kind;
use super::ENDPOINT_KEYS;
use crate::addresses::{Family, Network, RFC_1918};

/// Addresses, besides those of RFC 1918, from which nobody calls over the internet (R35).
const NOT_PUBLIC: [Network; 4] = [
    // 127.0.0.0/8
    Network { family: Family::V4, prefix: 127, length: 8 },
    // 169.254.0.0/16
    Network { family: Family::V4, prefix: 0xa9fe, length: 16 },
    // fc00::/7
    Network { family: Family::V6, prefix: 0b111_1110, length: 7 },
    // fe80::/10
    Network { family: Family::V6, prefix: 0b11_1111_1010, length: 10 },
];

impl Encoder<'_> {
    /// The relations with a switch, labelled: each an implication of which the premise is that the
    /// relation is in force.
    pub(super) fn switched(&mut self) -> Vec<(String, Term)> {
        let relations = [
            (Switch::R9, "sources come with services", self.sources_of_services()),
            (Switch::R25, "the ARN names the owner", self.named_owner()),
            (Switch::R29, "tags are among the tag keys", self.tags_among_keys()),
            (Switch::R8, "names of services", self.service_names()),
            (Switch::R19, "the user agent", self.presence_or_unmentioned("aws:useragent")),
            (Switch::R10, "the source's organisation", self.organisation_of_source()),
            (Switch::R11, "the source's account", self.account_of_source()),
            (Switch::R12, "endpoints are known in whole", self.whole_endpoint()),
            (Switch::R13, "an address without endpoint", self.address_without_endpoint()),
            (Switch::R18, "who calls through a service", self.forwarded_calls()),
            (Switch::R22, "multi-factor authentication", self.multi_factor()),
            (Switch::R23, "EC2 role sessions", self.ec2_sessions()),
            (Switch::R31, "kms:ViaService", self.via_key_service()),
            (Switch::R35, "public addresses", self.public_address()),
        ];
        let mut axioms = Vec::new();
        for (switch, label, relation) in relations {
            if self.t.as_bool(relation) != Some(true) {
                let alternative = self.alternative(switch);
                let in_force = match switch.is_undecided() {
                    true => self.t.not(alternative),
                    false => alternative,
                };
                let axiom = self.t.implies(in_force, relation);
                axioms.push((format!("{}: {label}", switch.name()), axiom));
            }
        }
        axioms
    }

    /// R9: the keys of a source come with direct calls of services only.
    fn sources_of_services(&mut self) -> Term {
        const KEYS: [&str; 4] =
            ["aws:sourceaccount", "aws:sourcearn", "aws:sourceorgid", "aws:sourceorgpaths"];
        let some = self.some_present(&KEYS);
        let service = self.symbols.is(&mut self.t, Kind::Service);
        self.t.implies(some, service)
    }

    /// R25 where the ARN's account is not twelve digits, such as `aws`.
    fn named_owner(&mut self) -> Term {
        let Some((present, owner)) = self.account_in("aws:resourceaccount") else {
            return self.t.bool(true);
        };
        let account = self.symbols.resource_account;
        let arn = self.t.not(self.symbols.is_star);
        let empty = super::super::in_literal(&mut self.t, account, "");
        let named = self.t.not(empty);
        let elsewhere = self.leads_elsewhere();
        let own = self.t.not(elsewhere);
        let premise = self.t.and([present, arn, named, own]);
        let equal = self.t.eq(owner, account);
        self.t.implies(premise, equal)
    }

    /// R29: each tag in the request is, in some case, among the tag keys. Of tags beyond ASCII it is
    /// not known what their case is.
    fn tags_among_keys(&mut self) -> Term {
        let Some(tag_keys) = self.keys.get("aws:tagkeys").cloned() else {
            return self.t.bool(true);
        };
        let slots = self.slots(&tag_keys);
        let mut parts = Vec::new();
        for tag in self.lists.tags.clone() {
            let present = self.presence_if_mentioned(&tag);
            let listed = match &slots {
                None => self.present(&tag_keys),
                Some(slots) => {
                    let name = ignoring_case(&tag[REQUEST_TAG.len()..]);
                    self.some_element(slots, |encoder, slot| {
                        let element = encoder.t.var(&slot.value(), Sort::String);
                        encoder.t.in_re(element, name.clone())
                    })
                }
            };
            parts.push(self.t.implies(present, listed));
        }
        self.t.and(parts)
    }

    /// R10.
    fn organisation_of_source(&mut self) -> Term {
        const IDS: [&str; 2] = ["aws:sourceorgid", "aws:sourceorgpaths"];
        let together = self.come_together(&IDS);
        let some = self.some_present(&IDS);
        let account = self.presence_or_unmentioned("aws:sourceaccount");
        let account = self.t.implies(some, account);
        self.t.and([together, account])
    }

    /// R11, where the ARN has an account.
    fn account_of_source(&mut self) -> Term {
        let keys = ["aws:sourcearn", "aws:sourceaccount"].map(|key| self.keys.get(key).cloned());
        let [Some(arn), Some(account)] = keys else { return self.t.bool(true) };
        let both = [self.present(&arn), self.present(&account)];
        let named = self.t.var(&arn.field("account"), Sort::String);
        let account = self.t.var(&account.value(), Sort::String);
        let empty = super::super::in_literal(&mut self.t, named, "");
        let not_empty = self.t.not(empty);
        let premise = self.t.and([both[0], both[1], not_empty]);
        let equal = self.t.eq(named, account);
        self.t.implies(premise, equal)
    }

    /// R12: a request through a VPC endpoint has all three keys that every endpoint has.
    fn whole_endpoint(&mut self) -> Term {
        let through = self.some_present(&ENDPOINT_KEYS);
        let mut parts = Vec::new();
        for key in &ENDPOINT_KEYS[..3] {
            let present = self.presence_or_unmentioned(key);
            parts.push(self.t.implies(through, present));
        }
        self.t.and(parts)
    }

    /// R13, where the question speaks of one of the keys that tell an endpoint: otherwise the
    /// request may well have come through one.
    fn address_without_endpoint(&mut self) -> Term {
        if !ENDPOINT_KEYS[..3].iter().any(|key| self.has(key)) {
            return self.t.bool(true);
        }
        let through = self.some_present(&ENDPOINT_KEYS);
        let service = self.symbols.is(&mut self.t, Kind::Service);
        let forwarded = self.forwarded();
        let address = self.presence_or_unmentioned("aws:sourceip");
        self.t.or([through, service, forwarded, address])
    }

    /// R18.
    fn forwarded_calls(&mut self) -> Term {
        const KEYS: [&str; 4] =
            ["aws:sourcevpc", "aws:sourcevpce", "aws:sourcevpcarn", "aws:vpcsourceip"];
        let forwarded = self.forwarded();
        let kinds = self.symbols.is_one_of(&mut self.t, &Kind::IAM);
        let through = self.some_present(&KEYS);
        let direct = self.t.not(through);
        let conclusion = self.t.and([kinds, direct]);
        self.t.implies(forwarded, conclusion)
    }

    /// R22.
    fn multi_factor(&mut self) -> Term {
        let age = self.presence_if_mentioned("aws:multifactorauthage");
        let some = self.some_present(&["aws:multifactorauthage", "aws:multifactorauthpresent"]);
        let confirmed = match self.keys.get("aws:multifactorauthpresent").cloned() {
            None => self.t.bool(true),
            Some(key) => {
                let parts = [self.present(&key), self.t.var(&key.value(), Sort::Bool)];
                self.t.and(parts)
            }
        };
        let token = self.presence_or_unmentioned("aws:tokenissuetime");
        let confirmed = self.t.implies(age, confirmed);
        let token = self.t.implies(some, token);
        self.t.and([confirmed, token])
    }

    /// R23.
    fn ec2_sessions(&mut self) -> Term {
        self.come_together(&[
            "ec2:sourceinstancearn",
            "ec2:roledelivery",
            "aws:ec2instancesourcevpc",
            "aws:ec2instancesourceprivateipv4",
        ])
    }

    /// R31.
    fn via_key_service(&mut self) -> Term {
        let present = self.presence_if_mentioned("kms:viaservice");
        let via = match self.keys.get("aws:viaawsservice").cloned() {
            None => self.t.bool(true),
            Some(key) => self.t.var(&key.value(), Sort::Bool),
        };
        self.t.implies(present, via)
    }

    /// R35.
    fn public_address(&mut self) -> Term {
        let Some(key) = self.keys.get("aws:sourceip").cloned() else { return self.t.bool(true) };
        let present = self.present(&key);
        let mut ranges = Vec::new();
        for network in RFC_1918.into_iter().chain(NOT_PUBLIC) {
            let inside = self.test(&key, &Test::Address(network));
            ranges.push(inside.certain);
        }
        let private = self.t.or(ranges);
        let public = self.t.not(private);
        self.t.implies(present, public)
    }

    /// True if and only if the request says that a service makes the call for somebody.
    fn forwarded(&mut self) -> Term {
        let some = self.some_present(&["aws:calledvia", "aws:calledviafirst", "aws:calledvialast"]);
        match self.keys.get("aws:viaawsservice").cloned() {
            None => some,
            Some(key) => {
                let via = self.t.var(&key.value(), Sort::Bool);
                self.t.or([some, via])
            }
        }
    }

    /// True if and only if all keys that the question mentions are present, or none is.
    fn come_together(&mut self, keys: &[&str]) -> Term {
        let mentioned: Vec<&str> = keys.iter().copied().filter(|key| self.has(key)).collect();
        let mut parts = Vec::new();
        for pair in mentioned.windows(2) {
            let (one, other) =
                (self.presence_if_mentioned(pair[0]), self.presence_if_mentioned(pair[1]));
            parts.push(self.t.iff(one, other));
        }
        self.t.and(parts)
    }

    /// True if and only if one of the keys is present, of those that the question mentions.
    fn some_present(&mut self, keys: &[&str]) -> Term {
        let present: Vec<Term> = keys.iter().map(|key| self.presence_if_mentioned(key)).collect();
        self.t.or(present)
    }

    /// The presence of a key, or truth if the question does not mention it.
    fn presence_or_unmentioned(&mut self, key: &str) -> Term {
        match self.keys.get(key).cloned() {
            Some(key) => self.present(&key),
            None => self.t.bool(true),
        }
    }
}

/// The text and what differs from it only in the case of ASCII letters.
fn ignoring_case(text: &str) -> Regex {
    let either = |c: char| {
        let (upper, lower) = (c.to_ascii_uppercase(), c.to_ascii_lowercase());
        Regex::Chars(vec![(upper, upper), (lower, lower)])
    };
    Regex::Concat(text.chars().map(either).collect())
}
