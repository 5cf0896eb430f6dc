//! The characters of SMT-LIB among ours.
//!
//! SMT-LIB's characters are the numbers from 0 to 0x2FFFF, ours the Unicode scalar values: we lack the
//! surrogates and have more beyond. A surrogate is represented by a character of plane 3, which
//! SMT-LIB does not have, so that every text of SMT-LIB is one of ours, and no two are the same. Whether
//! a text is in a language depends on the characters of that text only. Therefore what has no
//! model among our texts has none in SMT-LIB either; and a model among our texts is one in SMT-LIB,
//! provided that its characters are there, which [`decode`] tells.
//!
//! So that they seldom are not, the characters that represent nothing are told apart from U+2FFFF
//! by nobody but who names that one alone. Restricting every variable to SMT-LIB's texts instead
//! would turn each glob into something that is none.

/// The last character of SMT-LIB.
pub(super) const LAST: u32 = 0x2_FFFF;

const FIRST_SURROGATE: u32 = 0xD800;
const LAST_SURROGATE: u32 = 0xDFFF;
/// What represents the first surrogate; the others follow.
const FIRST_STAND_IN: u32 = 0x3_0000;
const LAST_STAND_IN: u32 = FIRST_STAND_IN + (LAST_SURROGATE - FIRST_SURROGATE);

/// The character that represents the number; `None` if SMT-LIB has no such character.
pub(super) fn encode(code: u32) -> Option<char> {
    match code {
        FIRST_SURROGATE..=LAST_SURROGATE => char::from_u32(code - FIRST_SURROGATE + FIRST_STAND_IN),
        0..=LAST => char::from_u32(code),
        _ => None,
    }
}

/// The number that the character represents; `None` if none.
pub(super) fn decode(c: char) -> Option<u32> {
    match u32::from(c) {
        code @ 0..=LAST => Some(code),
        code @ FIRST_STAND_IN..=LAST_STAND_IN => Some(code - FIRST_STAND_IN + FIRST_SURROGATE),
        _ => None,
    }
}

/// The characters from one number to another, as ranges; none if they are in the wrong order.
pub(super) fn range(low: u32, high: u32) -> Vec<(char, char)> {
    let mut ranges = Vec::new();
    let mut add = |low: u32, high: u32| {
        if let (Some(low), Some(high)) = (char::from_u32(low), char::from_u32(high))
            && low <= high
        {
            ranges.push((low, high));
        }
    };
    if low > high || high > LAST {
        return ranges;
    }
    add(low, high.min(FIRST_SURROGATE - 1));
    add(low.max(LAST_SURROGATE + 1), high);
    let (first, last) = (low.max(FIRST_SURROGATE), high.min(LAST_SURROGATE));
    if first <= last {
        let stand_in = |code| code - FIRST_SURROGATE + FIRST_STAND_IN;
        add(stand_in(first), stand_in(last));
    }
    if high == LAST {
        add(LAST_STAND_IN + 1, u32::from(char::MAX));
    }
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_of_smt_lib_has_one_of_ours() {
        let mut seen = std::collections::HashSet::new();
        for code in 0..=LAST {
            let c = encode(code).unwrap();
            assert!(seen.insert(c));
            assert_eq!(decode(c), Some(code));
        }
        assert_eq!(encode(LAST + 1), None);
        assert_eq!(decode('\u{30800}'), None);
    }

    #[test]
    fn a_range_has_what_is_between() {
        let bounds = [0, 0x41, 0xD7FF, 0xD800, 0xD801, 0xDFFE, 0xDFFF, 0xE000, LAST - 1, LAST];
        for low in bounds {
            for high in bounds {
                let ranges = range(low, high);
                for code in bounds {
                    let c = encode(code).unwrap();
                    let has = ranges.iter().any(|&(first, last)| first <= c && c <= last);
                    assert_eq!(has, low <= code && code <= high, "{low:x} {high:x} {code:x}");
                }
            }
        }
    }
}
