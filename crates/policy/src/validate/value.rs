//! Values of conditions, read for themselves: numbers, dates, addresses, base64.
//!
//! Apart from the evaluator's readers on purpose: what is said here of a policy must not inherit
//! their mistakes. Nothing here allocates for, or takes time beyond, the length of a text.

use std::net::IpAddr;

/// Whether the text is a decimal number of any length (D16), a sign before it allowed.
pub(super) fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match digits.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => {
            (mantissa, exponent.strip_prefix(['-', '+']).unwrap_or(exponent))
        }
        None => (digits, "0"),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    [whole, fraction, exponent].iter().all(|part| is_digits(part))
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// What is to be said of a date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Date {
    /// It is one of the forms of (3.6).
    Fine,
    /// Four digits: a year, or seconds (D18).
    Ambiguous,
    /// It is not a date.
    Invalid,
}

/// Reads a W3C date or seconds of the epoch (3.6).
pub(super) fn date(text: &str) -> Date {
    let seconds = text.strip_prefix('-').unwrap_or(text);
    if is_digits(seconds) {
        return if text.len() == 4 { Date::Ambiguous } else { Date::Fine };
    }
    if is_w3c(text) { Date::Fine } else { Date::Invalid }
}

fn is_w3c(text: &str) -> bool {
    let (day, time) = match text.split_once(['T', 't']) {
        Some((day, time)) => (day, Some(time)),
        None => (text, None),
    };
    let parts: Vec<_> = day.split('-').collect();
    let number = |text: &str, length: usize| {
        (text.len() == length && is_digits(text)).then(|| text.parse::<u32>().ok()).flatten()
    };
    let is_day = match parts[..] {
        [year, month] if time.is_none() => {
            number(year, 4).is_some() && number(month, 2).is_some_and(|m| (1..=12).contains(&m))
        }
        [year, month, day] => match (number(year, 4), number(month, 2), number(day, 2)) {
            (Some(year), Some(month), Some(day)) => (1..=days_of(year, month)).contains(&day),
            _ => false,
        },
        _ => false,
    };
    is_day && time.is_none_or(is_time)
}

fn days_of(year: u32, month: u32) -> u32 {
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    }
}

/// `hh:mm[:ss[.s…]]` with `Z` or an offset.
fn is_time(text: &str) -> bool {
    let (clock, zone) = match text.strip_suffix(['Z', 'z']) {
        Some(clock) => (clock, None),
        None => match text.rfind(['+', '-']) {
            Some(at) => (&text[..at], Some(&text[at + 1..])),
            None => return false,
        },
    };
    let pair = |text: &str, below: u32| {
        text.len() == 2 && is_digits(text) && text.parse::<u32>().is_ok_and(|n| n < below)
    };
    let hours_and_minutes = |text: &str| {
        text.split_once(':').is_some_and(|(hours, minutes)| pair(hours, 24) && pair(minutes, 60))
    };
    let zone_fits = zone.is_none_or(hours_and_minutes);
    let clock_fits = match clock.match_indices(':').nth(1) {
        None => hours_and_minutes(clock),
        Some((at, _)) => {
            let (seconds, fraction) =
                clock[at + 1..].split_once('.').unwrap_or((&clock[at + 1..], "0"));
            hours_and_minutes(&clock[..at]) && pair(seconds, 60) && is_digits(fraction)
        }
    };
    zone_fits && clock_fits
}

/// Whether the text is base64 with padding (D20).
pub(super) fn is_base64(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    text.len().is_multiple_of(4)
        && text.len() - body.len() <= 2
        && body.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'))
}

/// A range of addresses: the bits that are fixed, and how many of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    is_v4: bool,
    /// The address as written, in the upper bits.
    bits: u128,
    length: u32,
}

impl Range {
    /// Reads an address or a range, without one a single address (D21).
    pub(super) fn read(text: &str) -> Option<Range> {
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length.parse::<u32>().ok()?)),
            None => (text, None),
        };
        let (is_v4, bits, most) = match address.parse::<IpAddr>().ok()? {
            IpAddr::V4(address) => (true, u128::from(address.to_bits()) << 96, 32),
            IpAddr::V6(address) => (false, address.to_bits(), 128),
        };
        let length = length.unwrap_or(most);
        (length <= most).then_some(Range { is_v4, bits, length })
    }

    fn network(self) -> u128 {
        self.bits & mask(self.length)
    }

    /// Whether bits that the length ignores are set.
    pub(super) fn has_host_bits(self) -> bool {
        self.bits != self.network()
    }

    /// The range without those bits, as text.
    pub(super) fn cleaned(self) -> String {
        let address: IpAddr = if self.is_v4 {
            std::net::Ipv4Addr::from_bits((self.network() >> 96) as u32).into()
        } else {
            std::net::Ipv6Addr::from_bits(self.network()).into()
        };
        format!("{address}/{}", self.length)
    }

    /// Whether every address of `inner` is one of this range.
    pub(super) fn covers(self, inner: Range) -> bool {
        self.is_v4 == inner.is_v4
            && self.length <= inner.length
            && inner.bits & mask(self.length) == self.network()
    }

    /// Whether the two have no address in common.
    pub(super) fn is_disjoint(self, other: Range) -> bool {
        !self.covers(other) && !other.covers(self)
    }

    /// Whether all its addresses are private, link-local or loopback ones.
    pub(super) fn is_private(self) -> bool {
        const PRIVATE: [&str; 7] = [
            "10.0.0.0/8",
            "172.16.0.0/12",
            "192.168.0.0/16",
            "169.254.0.0/16",
            "127.0.0.0/8",
            "fc00::/7",
            "fe80::/10",
        ];
        PRIVATE.iter().filter_map(|text| Range::read(text)).any(|range| range.covers(self))
    }
}

fn mask(length: u32) -> u128 {
    if length == 0 { 0 } else { u128::MAX << (128 - length) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_may_be_of_any_length() {
        let long = "9".repeat(10_000);
        for good in ["0", "-1.50", "+7", "1e9", "2.5E-3", &long] {
            assert!(is_number(good), "{good}");
        }
        for bad in ["", "-", "1.", ".5", "1,5", "0x1", "1e", "12abc", "NaN", " 1"] {
            assert!(!is_number(bad), "{bad}");
        }
    }

    #[test]
    fn dates_are_of_the_w3c_or_seconds() {
        for good in [
            "2024-02",
            "2024-02-29",
            "2024-02-29T00:00Z",
            "2024-02-29T23:59:59+01:30",
            "2024-02-29T23:59:59.123456Z",
            "1700000000",
            "-1",
            "10000",
        ] {
            assert_eq!(date(good), Date::Fine, "{good}");
        }
        for bad in [
            "",
            "10000-01-01",
            "2023-02-29",
            "2024-13",
            "2024-00-01",
            "2024-1-1",
            "2024-01-01T00:00",
            "2024-01-01T24:00Z",
            "2024-01-01T00:00:60Z",
            "2024-01-01T00:00:00.Z",
            "2024-01T00:00Z",
            "2024-01-01 00:00:00Z",
            "now",
            "é",
        ] {
            assert_eq!(date(bad), Date::Invalid, "{bad}");
        }
        assert_eq!(date("2024"), Date::Ambiguous);
    }

    #[test]
    fn base64_has_padding() {
        for good in ["", "QQ==", "QUI=", "QUJD", "+/+/"] {
            assert!(is_base64(good), "{good}");
        }
        for bad in ["QQ", "Q===", "====", "Q=Q=", "QQ-_", "QQ=\n"] {
            assert!(!is_base64(bad), "{bad}");
        }
    }

    #[test]
    fn ranges_cover_ranges_of_their_family() {
        let range = |text| Range::read(text).unwrap_or_else(|| panic!("{text}"));
        assert!(range("10.0.0.0/8").covers(range("10.1.2.3")));
        assert!(!range("10.1.2.3").covers(range("10.0.0.0/8")));
        assert!(range("0.0.0.0/0").covers(range("203.0.113.7/32")));
        assert!(range("0.0.0.0/0").is_disjoint(range("::/0")));
        assert!(range("2001:db8::/32").is_disjoint(range("2001:db9::1")));
        assert!(range("203.0.113.77/24").has_host_bits());
        assert_eq!(range("203.0.113.77/24").cleaned(), "203.0.113.0/24");
        assert_eq!(range("2001:db8::1/32").cleaned(), "2001:db8::/32");
        assert!(range("fd00::1").is_private() && !range("8.0.0.0/5").is_private());
        assert!(Range::read("10.0.0.0/33").is_none() && Range::read("x").is_none());
    }
}
