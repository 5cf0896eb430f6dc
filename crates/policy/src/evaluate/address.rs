//! Addresses and ranges of them (3.9).

use std::net::IpAddr;

/// A range of addresses: all that agree with `base` in the first `length` bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    base: IpAddr,
    /// At most the width of the address.
    length: u32,
}

impl Range {
    /// Reads an address, or an address and the length of a prefix. Without length it is one
    /// address, of either family (D21).
    pub(super) fn read(text: &str) -> Option<Range> {
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (text, None),
        };
        let base: IpAddr = address.parse().ok()?;
        let width = if base.is_ipv4() { 32 } else { 128 };
        let length = match length {
            None => width,
            // No sign, no leading zero: `u32::from_str` would take both.
            Some("0") => 0,
            Some(text) if text.starts_with(|c: char| matches!(c, '1'..='9')) => {
                text.parse().ok()?
            }
            Some(_) => return None,
        };
        (length <= width).then_some(Range { base, length })
    }

    /// Whether `address` is in the range. Host bits of the range are ignored, and the two families
    /// never meet, IPv4 addresses mapped to IPv6 included.
    pub(super) fn contains(&self, address: IpAddr) -> bool {
        // `None` is a shift by the whole width, for a prefix of length 0: no bit is left to differ.
        match (self.base, address) {
            (IpAddr::V4(base), IpAddr::V4(address)) => {
                (base.to_bits() ^ address.to_bits()).checked_shr(32 - self.length).unwrap_or(0) == 0
            }
            (IpAddr::V6(base), IpAddr::V6(address)) => {
                let differ = base.to_bits() ^ address.to_bits();
                differ.checked_shr(128 - self.length).unwrap_or(0) == 0
            }
            _ => false,
        }
    }
}
