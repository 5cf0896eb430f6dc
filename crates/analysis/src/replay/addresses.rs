//! How many addresses a policy cannot tell from a given one.
//!
//! Two addresses of one family are in the same class if they lie in exactly the same of the ranges
//! that the policy names. The size of a class is found by walking along the number line: a counter
//! says in how many ranges the place differs from the given address, and the stretches where it is
//! zero are added up. Splitting the line into named blocks, as a subtraction of prefixes would, was
//! not needed, and this way nothing depends on ranges being nested or disjoint.

use std::net::IpAddr;

use keyaki_policy::Policy;
use keyaki_policy::ast::{BaseOperator, ConditionValue, Segment};

use crate::public::ADDRESS_KEY;

/// The private ranges of RFC 1918, which are no address of the public.
const PRIVATE: [&str; 3] = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"];

/// All addresses from one to another of the same family, both included, as numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    is_ipv4: bool,
    low: u128,
    high: u128,
}

/// The ranges that the statements name for the caller's address. Values that cannot be read as
/// ranges are left out.
pub(super) fn named_ranges(policy: &Policy) -> Vec<Range> {
    let conditions = policy.statements.iter().flat_map(|statement| &statement.conditions);
    conditions
        .filter(|test| {
            matches!(test.operator.base, BaseOperator::IpAddress | BaseOperator::NotIpAddress)
                && test.key.eq_ignore_ascii_case(ADDRESS_KEY)
        })
        .flat_map(|test| &test.values)
        .filter_map(read_value)
        .collect()
}

/// The number of addresses outside RFC 1918 that lie in the same of `ranges` as `address`; none if
/// it is itself in RFC 1918. All 2^128 addresses of IPv6 count as one less.
pub(super) fn class_size(ranges: &[Range], address: IpAddr) -> u128 {
    let (is_ipv4, number) = number(address);
    let private: Vec<Range> = PRIVATE.into_iter().filter_map(read_range).collect();
    if private.iter().any(|range| range.contains(is_ipv4, number)) {
        return 0;
    }

    // Outside all ranges a place differs from the address in those that have the address. Each end
    // of a range changes that by one.
    let mut n_different = 0i64;
    let mut ends: Vec<(u128, i64)> = vec![];
    for range in private.iter().chain(ranges).filter(|range| range.is_ipv4 == is_ipv4) {
        let inside = if range.contains(is_ipv4, number) { -1 } else { 1 };
        if inside == -1 {
            n_different += 1;
        }
        ends.push((range.low, inside));
        ends.extend(range.high.checked_add(1).map(|after| (after, -inside)));
    }
    ends.sort_unstable();

    let last = if is_ipv4 { u128::from(u32::MAX) } else { u128::MAX };
    let (mut size, mut start) = (0u128, 0u128);
    for (end, change) in ends {
        if n_different == 0 {
            size = size.saturating_add(end - start);
        }
        n_different += change;
        start = end;
    }
    if n_different == 0 && start <= last {
        size = size.saturating_add(last - start).saturating_add(1);
    }
    size
}

impl Range {
    fn contains(self, is_ipv4: bool, number: u128) -> bool {
        self.is_ipv4 == is_ipv4 && self.low <= number && number <= self.high
    }
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
    fn sizes_agree_with_counting_one_by_one() {
        arbtest::arbtest(|u| {
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
            assert_eq!(class_size(&ranges, address.parse().unwrap()), n as u128);
            Ok(())
        });
    }

    #[track_caller]
    fn check(ranges: &[&str], address: &str, expected: u128) {
        let ranges: Vec<_> = ranges.iter().map(|text| read_range(text).unwrap()).collect();
        assert_eq!(class_size(&ranges, address.parse().unwrap()), expected);
    }
}
