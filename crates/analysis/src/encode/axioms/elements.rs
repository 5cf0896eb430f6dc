//! What the elements of lists are (R8, R14, R17), and what else relates two texts of a request.

use keyaki_logic::{Piece, Sort, Term};

use super::super::Encoder;
use super::super::symbols::{Key, Kind};

impl Encoder<'_> {
    /// Each element is a value of the key, and those used come first.
    pub(super) fn element_shapes(&mut self, key: &Key) -> Term {
        let slots = self.slots(key).unwrap_or_default();
        let mut parts = vec![self.packed(key)];
        for slot in slots.iter().skip(1) {
            parts.push(self.value_shape(slot));
        }
        self.t.and(parts)
    }

    /// R17: the first and the last of the services that a call came through are among all.
    pub(super) fn first_and_last(&mut self) -> Term {
        let Some(slots) = self.slots_if_mentioned("aws:calledvia") else {
            return self.t.bool(true);
        };
        let mut parts = Vec::new();
        for end in ["aws:calledviafirst", "aws:calledvialast"] {
            if let Some(end) = self.keys.get(end).cloned() {
                let present = self.present(&end);
                let value = self.t.var(&end.value(), Sort::String);
                let listed = self.some_equals(&slots, value);
                parts.push(self.t.implies(present, listed));
            }
        }
        self.t.and(parts)
    }

    /// R8: the name of a service is one of its names.
    pub(super) fn service_names(&mut self) -> Term {
        let Some(slots) = self.slots_if_mentioned("aws:principalservicenameslist") else {
            return self.t.bool(true);
        };
        let service = self.symbols.is(&mut self.t, Kind::Service);
        let listed = self.some_equals(&slots, self.symbols.service);
        self.t.implies(service, listed)
    }

    /// R14: `aws:SourceVpcArn` is of the VPC that `aws:SourceVpc` names.
    pub(super) fn vpc_arn(&mut self) -> Term {
        let keys = ["aws:sourcevpcarn", "aws:sourcevpc"].map(|key| self.keys.get(key).cloned());
        let [Some(arn), Some(vpc)] = keys else { return self.t.bool(true) };
        let both = [self.present(&arn), self.present(&vpc)];
        let both = self.t.and(both);
        let resource = self.t.var(&arn.field("resource"), Sort::String);
        let vpc = self.t.var(&vpc.value(), Sort::String);
        let of_vpc = self.t.matches(resource, [Piece::text("vpc/"), Piece::Value(vpc)]);
        self.t.implies(both, of_vpc)
    }

    pub(super) fn slots_if_mentioned(&self, key: &str) -> Option<Vec<Key>> {
        self.slots(self.keys.get(key)?)
    }

    fn some_equals(&mut self, slots: &[Key], value: Term) -> Term {
        self.some_element(slots, |encoder, slot| {
            let element = encoder.t.var(&slot.value(), Sort::String);
            encoder.t.eq(element, value)
        })
    }
}
