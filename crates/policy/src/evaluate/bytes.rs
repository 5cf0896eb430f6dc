//! Bytes in base64 (3.8, D20).
//!
//! Only the one strict encoding of RFC 4648 is read: with padding, without line ends, and with
//! zeros in the bits that the last character has too many. Each sequence of bytes then has one
//! text, so texts are compared instead of bytes.

/// Whether the text is base64.
pub fn is_base64(text: &str) -> bool {
    let bytes = text.as_bytes();
    let digits = match bytes {
        [digits @ .., b'=', b'='] => digits,
        [digits @ .., b'='] => digits,
        digits => digits,
    };
    // The value of the last digit, of which 0, 2 or 4 bits are too many.
    let last = digits.last().and_then(|digit| value(*digit)).unwrap_or(0);
    let is_whole = match bytes.len() - digits.len() {
        0 => true,
        1 => digits.len() % 4 == 3 && last % 4 == 0,
        _ => digits.len() % 4 == 2 && last % 16 == 0,
    };
    bytes.len().is_multiple_of(4) && is_whole && digits.iter().all(|digit| value(*digit).is_some())
}

fn value(digit: u8) -> Option<u8> {
    match digit {
        b'A'..=b'Z' => Some(digit - b'A'),
        b'a'..=b'z' => Some(digit - b'a' + 26),
        b'0'..=b'9' => Some(digit - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::is_base64;

    #[test]
    fn only_the_strict_encoding_is_read() {
        for text in ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "++//", "AA==", "AQ==", "AAE=", "AA0="]
        {
            assert!(is_base64(text), "{text}");
        }
        for text in [
            "=", "==", "====", "Zg", "Zg=", "Zh==", "Zm9=", "Zm9v=", "Z===", "Zm 9v", "Zm9-",
            "Zg==Zg==", "AB==", "AAB=", "AA1=", "A0==",
        ] {
            assert!(!is_base64(text), "{text}");
        }
    }
}
