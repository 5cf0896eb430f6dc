//! Exact decimal numbers (D16).
//!
//! A number is kept as it is written, in digits, and compared digit by digit: its value is
//! `0.DIGITS × 10^point`. No arithmetic is done on it, so that neither ten thousand digits nor an
//! exponent of a billion costs more than reading the text. A decimal library would bring
//! arithmetic that nothing needs, and its own limits; `bigdecimal` is the oracle in the tests.

use std::cmp::Ordering;

/// Largest exponent, either way, of a number. What has a larger one is not read as a number.
pub const MAX_EXPONENT: u32 = 1_000_000_000;

/// A decimal number.
#[derive(Clone, Copy, Debug)]
pub(super) struct Decimal<'t> {
    /// Negative, zero or positive.
    sign: i8,
    /// The digits before the point and after it, without the zeros that lead the number.
    digits: (&'t [u8], &'t [u8]),
    /// How many of the digits stand before the decimal point, the exponent applied.
    point: i64,
}

impl<'t> Decimal<'t> {
    /// Reads `[-+]?DIGITS[.DIGITS][(e|E)[-+]?DIGITS]`.
    pub(super) fn read(text: &'t str) -> Option<Decimal<'t>> {
        let (is_negative, unsigned) = sign(text);
        let (number, exponent) = match unsigned.split_once(['e', 'E']) {
            None => (unsigned, 0),
            Some((number, exponent)) => (number, self::exponent(exponent)?),
        };
        let (whole, fraction) = match number.split_once('.') {
            None => (number, None),
            Some((whole, fraction)) => (whole, Some(fraction)),
        };
        if !is_digits(whole) || !fraction.is_none_or(is_digits) {
            return None;
        }
        let whole = whole.trim_start_matches('0').as_bytes();
        let fraction = fraction.unwrap_or_default().as_bytes();
        let leading = match whole {
            [] => fraction.iter().take_while(|digit| **digit == b'0').count(),
            _ => 0,
        };
        let fraction = &fraction[leading..];
        let is_zero = whole.is_empty() && fraction.is_empty();
        let point = whole.len() as i64 - leading as i64 + exponent;
        let sign = if is_zero {
            0
        } else if is_negative {
            -1
        } else {
            1
        };
        Some(Decimal { sign, digits: (whole, fraction), point })
    }

    /// Which of the two is larger.
    pub(super) fn compare(&self, other: &Decimal<'_>) -> Ordering {
        let magnitudes = || {
            let by_digits = || compare_digits(self.digits, other.digits);
            self.point.cmp(&other.point).then_with(by_digits)
        };
        self.sign.cmp(&other.sign).then_with(|| match self.sign {
            0 => Ordering::Equal,
            1.. => magnitudes(),
            _ => magnitudes().reverse(),
        })
    }

    /// How many digits a comparison may look at.
    pub(super) fn length(&self) -> usize {
        self.digits.0.len() + self.digits.1.len()
    }
}

/// Which of two texts is the larger number; `None` if one is no number (D16).
pub fn compare(left: &str, right: &str) -> Option<Ordering> {
    Some(Decimal::read(left)?.compare(&Decimal::read(right)?))
}

/// Compares two sequences of digits, the shorter one being filled with zeros.
fn compare_digits(left: (&[u8], &[u8]), right: (&[u8], &[u8])) -> Ordering {
    let longest = (left.0.len() + left.1.len()).max(right.0.len() + right.1.len());
    filled(left, longest).cmp(filled(right, longest))
}

fn filled<'t>((whole, fraction): (&'t [u8], &'t [u8]), length: usize) -> impl Iterator<Item = u8> {
    whole.iter().chain(fraction).copied().chain(std::iter::repeat(b'0')).take(length)
}

/// Whether the text has a minus, and the text without its sign.
fn sign(text: &str) -> (bool, &str) {
    match text.as_bytes() {
        [b'-', ..] => (true, &text[1..]),
        [b'+', ..] => (false, &text[1..]),
        _ => (false, text),
    }
}

fn exponent(text: &str) -> Option<i64> {
    let (is_negative, digits) = sign(text);
    if !is_digits(digits) {
        return None;
    }
    let digits = match digits.trim_start_matches('0') {
        "" => "0",
        digits => digits,
    };
    let magnitude = digits.parse::<u32>().ok().filter(|exponent| *exponent <= MAX_EXPONENT)?;
    Some(if is_negative { -i64::from(magnitude) } else { i64::from(magnitude) })
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_one_value_are_equal() {
        for (left, right) in [
            ("2", "2.0"),
            ("2.50", "2.5"),
            ("+7", "007"),
            ("0", "-0.000"),
            ("0", "0e1000000000"),
            ("1e3", "1000"),
            ("1.5E-2", "0.015"),
            ("120e-1", "12"),
            ("1e0000000000000000000001", "10"),
        ] {
            check(left, right, Ordering::Equal);
        }
    }

    #[test]
    fn numbers_are_ordered_by_value() {
        for (smaller, larger) in [
            ("9", "10"),
            ("-10", "-9"),
            ("-1", "0"),
            ("0", "0.001"),
            ("1.09", "1.1"),
            ("99999999999999999999999", "1e23"),
            ("1e-1000000000", "1e1000000000"),
            ("-1e1000000000", "1e-1000000000"),
        ] {
            check(smaller, larger, Ordering::Less);
            check(larger, smaller, Ordering::Greater);
        }
    }

    #[test]
    fn ten_thousand_digits_are_exact() {
        let nines = "9".repeat(10_000);
        check(&nines, &format!("1{}", "0".repeat(10_000)), Ordering::Less);
        check(&nines, &format!("{nines}.{}1", "0".repeat(10_000)), Ordering::Less);
        check(&format!("0.{nines}"), "1", Ordering::Less);
        check(&format!("{nines}e-10000"), &format!("0.{nines}"), Ordering::Equal);
    }

    #[test]
    fn other_texts_are_no_numbers() {
        for text in [
            "",
            "-",
            ".5",
            "5.",
            "1,5",
            " 1",
            "1 ",
            "0x10",
            "1e",
            "1e+",
            "e5",
            "--1",
            "+-1",
            "1.2.3",
            "12abc",
            "NaN",
            "inf",
            "1_000",
            "١",
            "1e1000000001",
            "1e-1000000001",
            "1e99999999999999",
        ] {
            assert!(Decimal::read(text).is_none(), "{text:?}");
        }
    }

    #[track_caller]
    fn check(left: &str, right: &str, expected: Ordering) {
        let [read_left, read_right] = [left, right].map(|text| Decimal::read(text).unwrap());
        assert_eq!(read_left.compare(&read_right), expected);
        assert_eq!(compare(left, right), Some(expected));
        assert_eq!(compare(left, "none"), None);
        assert_eq!(compare("none", right), None);
    }
}
