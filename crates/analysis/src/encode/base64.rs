//! Base64, strictly: padded, and without bits to spare (RFC 4648, D20).
//!
//! Under these rules bytes have one text, so comparing texts is comparing bytes.

use keyaki_logic::Regex;

/// The texts.
pub(super) fn shape() -> Regex {
    let digit = Regex::Chars(vec![('+', '+'), ('/', '9'), ('A', 'Z'), ('a', 'z')]);
    let one_of = |digits: &str| Regex::Chars(digits.chars().map(|c| (c, c)).collect());
    let literal = |text: &str| Regex::Literal(text.to_owned());
    let whole = Regex::Star(Box::new(Regex::Repeat(Box::new(digit.clone()), 4)));
    // The last digit of one or two bytes has four or two bits that must be zero.
    let one_byte = Regex::Concat(vec![digit.clone(), one_of("AQgw"), literal("==")]);
    let two_bytes =
        Regex::Concat(vec![digit.clone(), digit, one_of("AEIMQUYcgkosw048"), literal("=")]);
    Regex::Concat(vec![whole, Regex::Union(vec![literal(""), one_byte, two_bytes])])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_byte_string_has_one_text() {
        for text in ["", "AA==", "Zg==", "Zm8=", "Zm9v", "+/8=", "Zm9vYmFy"] {
            assert!(shape().matches(text), "{text}");
        }
        for text in ["A", "AA", "AA=", "AB==", "Zm9=", "Zm9v=", "Zm9v ", "-_8=", "===="] {
            assert!(!shape().matches(text), "{text}");
        }
    }
}
