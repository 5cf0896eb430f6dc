//! Which addresses a policy cannot tell apart, and how many they are.
//!
//! Two addresses of one family are in the same class if they lie in exactly the same of the ranges
//! that the policy names. Classes are found by walking along the number line with the set of ranges
//! that one is in. Ranges that differ and share an address lie within each other, so that set is
//! never larger than an address has bits.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use keyaki_policy::Policy;
use keyaki_policy::ast::{BaseOperator, Condition, ConditionValue, Segment};

use crate::public::ADDRESS_KEY;
use crate::question::PolicyRef;

/// The private ranges of RFC 1918, which are no address of the public.
const PRIVATE: [&str; 3] = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"];

/// All addresses from one to another of the same family, both included, as numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Range {
    is_ipv4: bool,
    low: u128,
    high: u128,
}

/// The conditions about ranges of the caller's address, each with its policy and the index of its
/// statement.
pub(super) fn naming_conditions<'p>(
    policies: &[(PolicyRef, &'p Policy)],
) -> Vec<(PolicyRef, usize, &'p Condition)> {
    let mut naming = Vec::new();
    for (at, policy) in policies {
        for statement in &policy.statements {
            let tests = statement.conditions.iter().filter(|test| {
                matches!(test.operator.base, BaseOperator::IpAddress | BaseOperator::NotIpAddress)
                    && test.key.eq_ignore_ascii_case(ADDRESS_KEY)
            });
            naming.extend(tests.map(|test| (*at, statement.index, test)));
        }
    }
    naming
}

/// The ranges that those conditions name. Values that cannot be read as ranges are left out.
pub(super) fn named_ranges(policies: &[(PolicyRef, &Policy)]) -> Vec<Range> {
    let values = naming_conditions(policies).into_iter().flat_map(|(.., test)| &test.values);
    values.filter_map(read_value).collect()
}

/// The classes of the addresses that are not in RFC 1918.
pub(super) struct Classes {
    ranges: BTreeSet<Range>,
    /// The ranges that a class lies in, to its size. All 2^128 addresses of IPv6 count as one less.
    sizes: BTreeMap<BTreeSet<Range>, u128>,
}

impl Classes {
    /// The classes of the family of `address`, by `ranges`.
    pub(super) fn of_family(address: IpAddr, ranges: &[Range]) -> Classes {
        let is_ipv4 = address.is_ipv4();
        let ranges: BTreeSet<Range> =
            ranges.iter().copied().filter(|range| range.is_ipv4 == is_ipv4).collect();
        let last = if is_ipv4 { u128::from(u32::MAX) } else { u128::MAX };

        let private: Vec<Range> = PRIVATE.into_iter().filter_map(read_range).collect();
        let mut places = BTreeSet::from([0]);
        for range in ranges.iter().chain(&private).filter(|range| range.is_ipv4 == is_ipv4) {
            places.insert(range.low);
            places.extend(range.high.checked_add(1).filter(|place| *place <= last));
        }

        // Between two places nothing changes.
        let mut sizes = BTreeMap::new();
        let mut around = BTreeSet::new();
        let mut places = places.into_iter().peekable();
        while let Some(place) = places.next() {
            around.retain(|range: &Range| range.high >= place);
            let starting = ranges.range(Range { is_ipv4, low: place, high: 0 }..);
            around.extend(starting.copied().take_while(|range| range.low == place));
            if private.iter().any(|range| range.contains(is_ipv4, place)) {
                continue;
            }
            let end = places.peek().map_or(last, |next| next - 1);
            let size: &mut u128 = sizes.entry(around.clone()).or_default();
            *size = size.saturating_add(end - place).saturating_add(1);
        }
        Classes { ranges, sizes }
    }

    /// The size of the class of `address`; none if it is in RFC 1918.
    pub(super) fn size_around(&self, address: IpAddr) -> u128 {
        let (is_ipv4, number) = number(address);
        if is_private(is_ipv4, number) {
            return 0;
        }
        self.sizes.get(&self.around(is_ipv4, number)).copied().unwrap_or_default()
    }

    /// The size of the classes of these addresses together.
    pub(super) fn size_around_all(&self, addresses: &[IpAddr]) -> u128 {
        let classes: BTreeSet<BTreeSet<Range>> = addresses
            .iter()
            .map(|address| number(*address))
            .filter(|(is_ipv4, number)| !is_private(*is_ipv4, *number))
            .map(|(is_ipv4, number)| self.around(is_ipv4, number))
            .collect();
        let sizes = classes.iter().map(|class| self.sizes.get(class).copied().unwrap_or_default());
        sizes.fold(0, u128::saturating_add)
    }

    fn around(&self, is_ipv4: bool, number: u128) -> BTreeSet<Range> {
        self.ranges.iter().copied().filter(|range| range.contains(is_ipv4, number)).collect()
    }

    /// How many addresses are in classes of at most `max` addresses.
    pub(super) fn size_of_small(&self, max: u128) -> u128 {
        let small = self.sizes.values().filter(|size| **size <= max);
        small.fold(0, |sum, size| sum.saturating_add(*size))
    }
}

impl Range {
    fn contains(self, is_ipv4: bool, number: u128) -> bool {
        self.is_ipv4 == is_ipv4 && self.low <= number && number <= self.high
    }
}

/// Whether the address is in RFC 1918.
fn is_private(is_ipv4: bool, number: u128) -> bool {
    let holds = |text| read_range(text).is_some_and(|range| range.contains(is_ipv4, number));
    PRIVATE.into_iter().any(holds)
}

fn read_value(value: &ConditionValue) -> Option<Range> {
    match value.template.segments.as_slice() {
        [Segment::Text(text)] => read_range(text),
        _ => None,
    }
}

/// Reads `ADDRESS` or `ADDRESS/LENGTH`. Bits behind the prefix are ignored, and an address without
/// length is alone in its range (3.9).
fn read_range(text: &str) -> Option<Range> {
    let (address, length) = match text.split_once('/') {
        None => (text, None),
        Some((address, length)) => (address, Some(length.parse::<u32>().ok()?)),
    };
    let (is_ipv4, number) = number(address.parse().ok()?);
    let width: u32 = if is_ipv4 { 32 } else { 128 };
    let n_free_bits = width.checked_sub(length.unwrap_or(width))?;
    // A shift by 128 leaves no bit free, which is a range of one address.
    let free = u128::MAX.checked_shr(128 - n_free_bits).unwrap_or(0);
    Some(Range { is_ipv4, low: number & !free, high: number | free })
}

/// The family and the number of an address.
fn number(address: IpAddr) -> (bool, u128) {
    match address {
        IpAddr::V4(address) => (true, u128::from(address.to_bits())),
        IpAddr::V6(address) => (false, address.to_bits()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL_IPV4_PUBLIC: u128 = (1 << 32) - (1 << 24) - (1 << 20) - (1 << 16);

    #[test]
    fn without_ranges_a_class_is_the_family() {
        check(&[], "203.0.113.7", ALL_IPV4_PUBLIC);
        check(&[], "2001:db8::1", u128::MAX);
        check(&["2001:db8::/32"], "203.0.113.7", ALL_IPV4_PUBLIC);
        check(&["0.0.0.0/0"], "203.0.113.7", ALL_IPV4_PUBLIC);
        check(&["::/0"], "2001:db8::1", u128::MAX);
    }

    #[test]
    fn private_addresses_are_in_no_class() {
        for address in ["10.0.0.0", "10.255.255.255", "172.16.0.1", "172.31.255.255", "192.168.7.7"]
        {
            check(&[], address, 0);
            check(&["0.0.0.0/0"], address, 0);
        }
        for address in ["9.255.255.255", "11.0.0.0", "172.32.0.0", "192.167.255.255"] {
            check(&[], address, ALL_IPV4_PUBLIC);
        }
        check(&[], "fd00::1", u128::MAX);
    }

    #[test]
    fn a_class_is_what_no_named_range_tells_apart() {
        check(&["203.0.113.0/24"], "203.0.113.7", 256);
        check(&["203.0.113.0/24"], "203.0.114.7", ALL_IPV4_PUBLIC - 256);
        check(&["203.0.113.0/24", "203.0.113.128/25"], "203.0.113.7", 128);
        check(&["203.0.113.0/24", "203.0.113.0/24"], "203.0.113.7", 256);
        check(&["203.0.113.7"], "203.0.113.7", 1);
        check(&["11.0.0.0/8"], "11.1.1.1", 1 << 24);
        check(&["10.0.0.0/7"], "11.1.1.1", 1 << 24);
        check(&["2001:db8::/32"], "2001:db8::1", 1 << 96);
        check(&["2001:db8::/32"], "2001:db9::1", u128::MAX - (1 << 96) + 1);
        check(&["ffff::/16"], "ffff::1", 1 << 112);
        check(&["255.0.0.0/8"], "255.0.0.1", 1 << 24);
        check(&["255.0.0.0/8"], "203.0.113.7", ALL_IPV4_PUBLIC - (1 << 24));
    }

    #[test]
    fn a_class_may_have_holes_and_pieces() {
        check(&["0.0.0.0/1", "0.0.0.0/2"], "64.0.0.1", 1 << 30);
        check(&["1.0.0.0/8", "3.0.0.0/8"], "2.0.0.1", ALL_IPV4_PUBLIC - (2 << 24));
        check(&["11.0.0.0/8", "11.1.0.0/16"], "11.2.0.1", (1 << 24) - (1 << 16));
    }

    #[test]
    fn bits_behind_the_prefix_are_ignored() {
        check(&["203.0.113.77/24"], "203.0.113.7", 256);
    }

    #[test]
    fn what_is_no_range_is_left_out() {
        for text in ["", "203.0.113.0/33", "203.0.113.0/", "::/129", "x", "203.0.113.0/24/1"] {
            assert_eq!(read_range(text), None, "{text}");
        }
    }

    #[test]
    fn small_classes_add_up() {
        let ranges: Vec<_> =
            ["1.0.0.0/8", "2.0.0.0/8", "3.0.0.0/16"].into_iter().filter_map(read_range).collect();
        let classes = Classes::of_family("1.1.1.1".parse().unwrap(), &ranges);
        assert_eq!(classes.size_of_small(1 << 24), (2 << 24) + (1 << 16));
        assert_eq!(classes.size_of_small(1 << 16), 1 << 16);
        assert_eq!(classes.size_of_small(1), 0);
    }

    #[test]
    fn sizes_agree_with_counting_one_by_one() {
        keyaki_testing::arbtest(|u| {
            let n_ranges = u.int_in_range(0..=4)?;
            let mut ranges = vec![];
            for _ in 0..n_ranges {
                let (block, length) = (u.int_in_range(0..=15)?, u.int_in_range(24..=32)?);
                ranges.push(format!("9.255.255.{}/{length}", block * 16));
            }
            let address = format!("9.255.255.{}", u.int_in_range(0..=255)?);
            // One more range keeps the class within what can be counted.
            ranges.push("9.255.255.0/24".to_owned());
            let ranges: Vec<_> = ranges.iter().filter_map(|text| read_range(text)).collect();
            let signature = |address: &str| -> Vec<bool> {
                let (is_ipv4, number) = number(address.parse().unwrap());
                ranges.iter().map(|range| range.contains(is_ipv4, number)).collect()
            };
            let own = signature(&address);
            let n = (0..=255).filter(|last| signature(&format!("9.255.255.{last}")) == own).count();
            assert_eq!(size(&ranges, &address), n as u128);
            Ok(())
        });
    }

    #[track_caller]
    fn check(ranges: &[&str], address: &str, expected: u128) {
        let ranges: Vec<_> = ranges.iter().map(|text| read_range(text).unwrap()).collect();
        assert_eq!(size(&ranges, address), expected);
    }

    fn size(ranges: &[Range], address: &str) -> u128 {
        let address = address.parse().unwrap();
        Classes::of_family(address, ranges).size_around(address)
    }
}
