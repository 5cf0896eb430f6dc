//! Sets of characters: Unicode scalar values, never bytes.
//!
//! The two sets that policies are full of, one character and every character, need no memory of
//! their own. Any other is a sorted list of ranges with a bit for each ASCII character in front.

use std::fmt;
use std::sync::Arc;

/// A set of Unicode scalar values.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct CharClass(Repr);

#[derive(Clone, PartialEq, Eq, Hash)]
enum Repr {
    Any,
    /// Exactly one character, which is then never a `Set`; as its range.
    Char([(char, char); 1]),
    Set(Arc<Set>),
}

#[derive(PartialEq, Eq, Hash)]
struct Set {
    /// Bit `c` is set if and only if ASCII character `c` is in the set.
    ascii: u128,
    /// Inclusive, ascending, with at least one character between two of them.
    ranges: Box<[(char, char)]>,
}

/// The character after `c`; the surrogates are no characters.
pub(crate) fn next_char(c: char) -> Option<char> {
    match c {
        '\u{D7FF}' => Some('\u{E000}'),
        _ => char::from_u32(c as u32 + 1),
    }
}

/// The character before `c`.
fn previous_char(c: char) -> Option<char> {
    match c {
        '\u{E000}' => Some('\u{D7FF}'),
        _ => char::from_u32((c as u32).checked_sub(1)?),
    }
}

/// The number of characters from `low` to `high`.
pub(crate) fn n_chars(low: char, high: char) -> u32 {
    let all = high as u32 - low as u32 + 1;
    if low <= '\u{D7FF}' && high >= '\u{E000}' { all - 0x800 } else { all }
}

impl CharClass {
    /// Every character.
    pub const ANY: CharClass = CharClass(Repr::Any);

    /// Exactly this character.
    pub const fn single(c: char) -> CharClass {
        CharClass(Repr::Char([(c, c)]))
    }

    /// This character and, of an ASCII letter, the one that differs in case.
    pub fn ignoring_ascii_case(c: char) -> CharClass {
        let (lower, upper) = (c.to_ascii_lowercase(), c.to_ascii_uppercase());
        CharClass::new([(lower, lower), (upper, upper)])
    }

    /// The union of inclusive ranges; a range whose ends are in the wrong order is empty.
    pub fn new(ranges: impl IntoIterator<Item = (char, char)>) -> CharClass {
        let mut sorted: Vec<(char, char)> =
            ranges.into_iter().filter(|(low, high)| low <= high).collect();
        sorted.sort_unstable();
        let mut merged: Vec<(char, char)> = Vec::with_capacity(sorted.len());
        for (low, high) in sorted {
            match merged.last_mut() {
                // The last range reaches `low` or ends just before it.
                Some(last) if next_char(last.1).is_none_or(|after| low <= after) => {
                    last.1 = last.1.max(high);
                }
                _ => merged.push((low, high)),
            }
        }
        CharClass::from_merged(merged)
    }

    fn from_merged(ranges: Vec<(char, char)>) -> CharClass {
        match ranges[..] {
            [('\0', char::MAX)] => return CharClass::ANY,
            [(low, high)] if low == high => return CharClass::single(low),
            _ => {}
        }
        let mut ascii = 0;
        for &(low, high) in ranges.iter().filter(|(low, _)| low.is_ascii()) {
            for c in low as u32..=(high as u32).min(127) {
                ascii |= 1 << c;
            }
        }
        CharClass(Repr::Set(Arc::new(Set { ascii, ranges: ranges.into() })))
    }

    /// Whether `c` is in the class.
    #[inline]
    pub fn contains(&self, c: char) -> bool {
        match &self.0 {
            Repr::Any => true,
            Repr::Char([(only, _)]) => *only == c,
            Repr::Set(set) if c.is_ascii() => set.ascii >> (c as u32) & 1 == 1,
            Repr::Set(set) => {
                let after = set.ranges.partition_point(|(low, _)| *low <= c);
                after > 0 && c <= set.ranges[after - 1].1
            }
        }
    }

    /// Whether it has every character.
    #[inline]
    pub fn is_any(&self) -> bool {
        matches!(self.0, Repr::Any)
    }

    /// Whether it has no character.
    pub fn is_empty(&self) -> bool {
        self.ranges().is_empty()
    }

    /// Its character, if it has exactly one.
    #[inline]
    pub fn as_char(&self) -> Option<char> {
        match self.0 {
            Repr::Char([(c, _)]) => Some(c),
            _ => None,
        }
    }

    /// Its inclusive ranges, ascending, with a gap between any two.
    pub fn ranges(&self) -> &[(char, char)] {
        match &self.0 {
            Repr::Any => &[('\0', char::MAX)],
            Repr::Char(range) => range,
            Repr::Set(set) => &set.ranges,
        }
    }

    /// The number of its characters.
    pub fn len(&self) -> u32 {
        self.ranges().iter().map(|(low, high)| n_chars(*low, *high)).sum()
    }

    /// The ASCII characters in it, as bits.
    pub(crate) fn ascii(&self) -> u128 {
        match &self.0 {
            Repr::Any => u128::MAX,
            Repr::Char([(c, _)]) if c.is_ascii() => 1 << (*c as u32),
            Repr::Char(_) => 0,
            Repr::Set(set) => set.ascii,
        }
    }

    /// Whether it has every character that `other` has.
    #[inline]
    pub fn includes(&self, other: &CharClass) -> bool {
        match (&self.0, &other.0) {
            (Repr::Any, _) => true,
            (_, Repr::Any) => false,
            (_, Repr::Char([(c, _)])) => self.contains(*c),
            (Repr::Char(_), Repr::Set(set)) => set.ranges.is_empty(),
            (Repr::Set(a), Repr::Set(b)) => {
                Arc::ptr_eq(a, b)
                    || b.ascii & !a.ascii == 0
                        && b.ranges.iter().all(|(low, high)| {
                            let after = a.ranges.partition_point(|(start, _)| start <= low);
                            after > 0 && *high <= a.ranges[after - 1].1
                        })
            }
        }
    }

    /// The characters in both.
    pub fn intersect(&self, other: &CharClass) -> CharClass {
        if self.includes(other) {
            return other.clone();
        }
        if other.includes(self) {
            return self.clone();
        }
        let (mut a, mut b) = (self.ranges(), other.ranges());
        let mut both = Vec::new();
        while let (Some(&(a_low, a_high)), Some(&(b_low, b_high))) = (a.first(), b.first()) {
            if a_low.max(b_low) <= a_high.min(b_high) {
                both.push((a_low.max(b_low), a_high.min(b_high)));
            }
            if a_high < b_high { a = &a[1..] } else { b = &b[1..] }
        }
        CharClass::from_merged(both)
    }

    /// The characters in either.
    pub fn union(&self, other: &CharClass) -> CharClass {
        CharClass::new(self.ranges().iter().chain(other.ranges()).copied())
    }

    /// The characters that are not in it.
    pub fn complement(&self) -> CharClass {
        let mut others = Vec::new();
        let mut from = Some('\0');
        for &(low, high) in self.ranges() {
            if let (Some(start), Some(end)) = (from, previous_char(low))
                && start <= end
            {
                others.push((start, end));
            }
            from = next_char(high);
        }
        others.extend(from.map(|start| (start, char::MAX)));
        CharClass::from_merged(others)
    }
}

impl fmt::Debug for CharClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_any() {
            return f.write_str("any");
        }
        f.write_str("[")?;
        for (low, high) in self.ranges() {
            f.write_str(&low.escape_debug().to_string())?;
            if low < high {
                write!(f, "-{}", high.escape_debug())?;
            }
        }
        f.write_str("]")
    }
}
