//! Address ranges, and how many addresses they hold.

use std::net::IpAddr;

/// A range of addresses of one family that share their first bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Network {
    /// The family.
    pub family: Family,
    /// The shared bits, as a number of [`Network::length`] bits.
    pub prefix: u128,
    /// How many bits are shared.
    pub length: u32,
}

/// IPv4 or IPv6. No address of one is an address of the other (3.9).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Family {
    /// 32 bits.
    V4,
    /// 128 bits.
    V6,
}

impl Family {
    /// The number of bits of an address.
    pub fn width(self) -> u32 {
        match self {
            Family::V4 => 32,
            Family::V6 => 128,
        }
    }
}

/// The private ranges of RFC 1918.
pub const RFC_1918: [Network; 3] = [
    Network { family: Family::V4, prefix: 10, length: 8 },
    Network { family: Family::V4, prefix: 0xac1, length: 12 },
    Network { family: Family::V4, prefix: 0xc0a8, length: 16 },
];

impl Network {
    /// Reads an address or a CIDR range. Host bits are ignored; without a length the range is one
    /// address, of IPv6 too (D21).
    pub fn parse(text: &str) -> Option<Network> {
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (text, None),
        };
        let (family, bits) = match address.parse().ok()? {
            IpAddr::V4(address) => (Family::V4, u128::from(address.to_bits())),
            IpAddr::V6(address) => (Family::V6, address.to_bits()),
        };
        let length = match length {
            None => family.width(),
            Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => digits.parse().ok()?,
            Some(_) => return None,
        };
        if length > family.width() {
            return None;
        }
        let prefix = bits.checked_shr(family.width() - length).unwrap_or(0);
        Some(Network { family, prefix, length })
    }

    /// The first and the last address.
    fn bounds(self) -> (u128, u128) {
        let host_bits = self.family.width() - self.length;
        let first = self.prefix.checked_shl(host_bits).unwrap_or(0);
        let hosts = if host_bits == 128 { u128::MAX } else { (1 << host_bits) - 1 };
        (first, first | hosts)
    }

    /// Whether the address lies in the range.
    pub fn contains(self, family: Family, address: u128) -> bool {
        let (first, last) = self.bounds();
        self.family == family && first <= address && address <= last
    }

    /// Whether every address of `other` lies in the range.
    pub fn includes(self, other: Network) -> bool {
        let (first, last) = other.bounds();
        self.contains(other.family, first) && self.contains(other.family, last)
    }
}

impl std::fmt::Display for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (first, _) = self.bounds();
        let address = match (self.family, u32::try_from(first)) {
            (Family::V4, Ok(first)) => IpAddr::V4(first.into()),
            _ => IpAddr::V6(first.into()),
        };
        write!(f, "{address}/{}", self.length)
    }
}

/// The addresses of one family that lie in the same ranges of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Class {
    /// For each range of the list whether the addresses lie in it.
    pub signature: Vec<bool>,
    /// How many addresses there are; [`u128::MAX`] also stands for 2^128.
    pub size: u128,
}

/// Splits the addresses of `family`, without those in `exempt`, by which of `networks` hold them.
///
/// Classes come in order of their first address; the empty ones are left out. There are at most
/// twice as many as ranges, plus one.
pub fn classes(family: Family, networks: &[Network], exempt: &[Network]) -> Vec<Class> {
    let last_address = if family == Family::V6 { u128::MAX } else { (1 << family.width()) - 1 };
    let mut starts = vec![0];
    for network in networks.iter().chain(exempt).filter(|network| network.family == family) {
        let (first, last) = network.bounds();
        starts.push(first);
        starts.extend(last.checked_add(1).filter(|&next| next <= last_address));
    }
    starts.sort_unstable();
    starts.dedup();
    let mut classes: Vec<Class> = Vec::new();
    for (i, &start) in starts.iter().enumerate() {
        if exempt.iter().any(|network| network.contains(family, start)) {
            continue;
        }
        let end = starts.get(i + 1).map_or(last_address, |&next| next - 1);
        let size = (end - start).saturating_add(1);
        let signature: Vec<bool> = networks.iter().map(|n| n.contains(family, start)).collect();
        match classes.iter_mut().find(|class| class.signature == signature) {
            Some(class) => class.size = class.size.saturating_add(size),
            None => classes.push(Class { signature, size }),
        }
    }
    classes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(text: &str) -> Network {
        Network::parse(text).unwrap()
    }

    #[test]
    fn host_bits_are_ignored_and_a_bare_address_is_one() {
        assert_eq!(network("203.0.113.77/24"), network("203.0.113.0/24"));
        assert_eq!(network("::1").length, 128);
        assert_eq!(network("0.0.0.0/0").prefix, 0);
        assert_eq!(network("::/0").bounds(), (0, u128::MAX));
        for text in
            ["203.0.113.0/24", "0.0.0.0/0", "::/0", "2001:db8::/32", "1.2.3.4/32", "::1/128"]
        {
            assert_eq!(network(text).to_string(), text);
        }
        for bad in ["", "1.2.3", "1.2.3.4/33", "::/129", "1.2.3.4/", "1.2.3.4/+8", "x/8"] {
            assert_eq!(Network::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn families_do_not_mix() {
        assert!(!network("0.0.0.0/0").contains(Family::V6, 0));
        assert!(!network("::/0").contains(Family::V4, 0));
    }

    #[test]
    fn classes_partition_what_is_not_exempt() {
        let networks = [network("1.0.0.0/8"), network("1.2.0.0/16"), network("::/1")];
        let all = classes(Family::V4, &networks, &RFC_1918);
        let private = (1 << 24) + (1 << 20) + (1 << 16);
        assert_eq!(all.iter().map(|class| class.size).sum::<u128>(), (1 << 32) - private);
        let sizes: Vec<(Vec<bool>, u128)> =
            all.into_iter().map(|class| (class.signature, class.size)).collect();
        assert_eq!(sizes[1], (vec![true, false, false], (1 << 24) - (1 << 16)));
        assert_eq!(sizes[2], (vec![true, true, false], 1 << 16));
        let six = classes(Family::V6, &networks, &[]);
        assert_eq!(six.len(), 2);
        assert_eq!(six[0].size, 1 << 127);
        assert_eq!(classes(Family::V6, &[], &[])[0].size, u128::MAX);
    }
}
