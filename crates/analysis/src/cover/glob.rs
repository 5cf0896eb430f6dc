//! Inclusion and disjointness of glob patterns, as far as comparing them as texts tells.
//!
//! Let `p` be a glob and `q` one without `?`. Replace each wildcard of `p` by a character that `q`
//! does not have: the word is in `p`, so if `p ⊆ q` it is in `q`, where stars alone can have read
//! the new characters; and a star that reads one reads whatever stands in its place. So `p ⊆ q` if
//! and only if `q` matches `p` read as a text of which a wildcard is read by a star only. With
//! `?` in `q` the same test still shows inclusion, but no longer finds all of it. Nothing here says
//! more than it has shown: a `false` means "not shown".
//!
//! Patterns are texts in which `*` and `?` are wildcards. Bytes stand for characters: only a `?`
//! tells the difference, and it reads none but ASCII here.

/// Two texts whose lengths have a larger product than this are not compared: a comparison can take
/// that many steps, and no policy has such patterns but on purpose.
const MAX_STEPS: usize = 1 << 20;

/// Whether letters differ by case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Case {
    /// They do.
    Sensitive,
    /// ASCII letters do not.
    Ignored,
}

impl Case {
    fn same(self, a: u8, b: u8) -> bool {
        match self {
            Case::Sensitive => a == b,
            Case::Ignored => a.eq_ignore_ascii_case(&b),
        }
    }

    fn same_text(self, a: &str, b: &str) -> bool {
        match self {
            Case::Sensitive => a == b,
            Case::Ignored => a.eq_ignore_ascii_case(b),
        }
    }
}

/// Whether the text is a pattern of more than itself.
pub(crate) fn has_wildcard(pattern: &str) -> bool {
    pattern.bytes().any(|byte| matches!(byte, b'*' | b'?'))
}

/// What precedes the first wildcard.
pub(crate) fn literal_prefix(pattern: &str) -> &str {
    let end = pattern.bytes().position(|byte| matches!(byte, b'*' | b'?'));
    &pattern[..end.unwrap_or(pattern.len())]
}

fn literal_suffix(pattern: &str) -> &str {
    let start = pattern.bytes().rposition(|byte| matches!(byte, b'*' | b'?'));
    &pattern[start.map_or(0, |at| at + 1)..]
}

/// Whether the patterns begin with different texts. Then no word is one of both; and if so, the texts
/// on both sides of any separator that stands in neither's wildcards differ too.
pub(crate) fn begin_differently(a: &str, b: &str, case: Case) -> bool {
    for (a, b) in a.bytes().zip(b.bytes()) {
        let is_literal = |byte: u8| byte.is_ascii() && !matches!(byte, b'*' | b'?');
        if !is_literal(a) || !is_literal(b) {
            return false;
        }
        if !case.same(a, b) {
            return true;
        }
    }
    false
}

/// True only if every word of `narrow` is one of `wide`; if neither has a `?`, and some character
/// is in neither, if and only if.
pub(crate) fn includes(wide: &str, narrow: &str, case: Case) -> bool {
    if wide == "*" || wide == narrow {
        return true;
    }
    if !has_wildcard(wide) {
        return !has_wildcard(narrow) && case.same_text(wide, narrow);
    }
    if wide.len().saturating_mul(narrow.len()) > MAX_STEPS {
        return false;
    }
    let (wide, narrow) = (wide.as_bytes(), narrow.as_bytes());
    let (mut w, mut n) = (0, 0);
    // Where in `wide` the last star is, and up to where in `narrow` it reads.
    let mut star: Option<(usize, usize)> = None;
    while n < narrow.len() {
        let read = narrow[n];
        let step = wide.get(w).is_some_and(|&expected| match expected {
            b'*' => false,
            b'?' => read != b'*' && read.is_ascii(),
            expected => !matches!(read, b'*' | b'?') && case.same(expected, read),
        });
        if step {
            w += 1;
            n += 1;
        } else if wide.get(w) == Some(&b'*') {
            star = Some((w, n));
            w += 1;
        } else if let Some((at, upto)) = star {
            star = Some((at, upto + 1));
            (w, n) = (at + 1, upto + 1);
        } else {
            return false;
        }
    }
    wide[w..].iter().all(|&byte| byte == b'*')
}

/// True only if no word is one of both.
pub(crate) fn are_disjoint(a: &str, b: &str, case: Case) -> bool {
    // Beyond ASCII, "not included" is not "not matched".
    if !a.is_ascii() || !b.is_ascii() || a.len().saturating_mul(b.len()) > MAX_STEPS {
        return false;
    }
    match (has_wildcard(a), has_wildcard(b)) {
        (false, false) => !case.same_text(a, b),
        (false, true) => !includes(b, a, case),
        (true, false) => !includes(a, b, case),
        (true, true) => {
            let differ = |(a, b): (u8, u8)| !case.same(a, b);
            let starts = literal_prefix(a).bytes().zip(literal_prefix(b).bytes());
            let ends = literal_suffix(a).bytes().rev().zip(literal_suffix(b).bytes().rev());
            starts.into_iter().any(differ) || ends.into_iter().any(differ)
        }
    }
}

/// A word of the pattern: `star` for each star.
pub(crate) fn word(pattern: &str, star: &str) -> String {
    let mut word = String::with_capacity(pattern.len() + star.len());
    for c in pattern.chars() {
        match c {
            '*' => word.push_str(star),
            '?' => word.push('x'),
            c => word.push(c),
        }
    }
    word
}

#[cfg(test)]
mod tests {
    use keyaki_testing::arbtest;

    use super::*;

    #[test]
    fn a_wildcard_is_read_by_a_star_only() {
        check("*", "a*b?", true);
        check("a*", "ab*c", true);
        check("a*c", "ab*", false);
        check("a?", "a*", false);
        check("a?*", "a??", true);
        check("a*b*c", "axb*yc", true);
        check("s3:Get*", "s3:getobject", false);
        assert!(includes("s3:Get*", "s3:getobject", Case::Ignored));
        check("a*", "a*", true);
        check("?", "é", false);
        check("*é*", "xé*", true);
    }

    #[test]
    fn disjointness_is_seen_at_the_ends_and_of_words() {
        let disjoint = |a, b| are_disjoint(a, b, Case::Sensitive);
        assert!(disjoint("a*", "b*"));
        assert!(disjoint("*a", "*b"));
        assert!(disjoint("a*c", "abd"));
        assert!(!disjoint("a*", "*b"));
        assert!(!disjoint("ab", "a?"));
        assert!(!disjoint("?", "é"));
    }

    #[track_caller]
    fn check(wide: &str, narrow: &str, expected: bool) {
        assert_eq!(includes(wide, narrow, Case::Sensitive), expected, "{narrow} in {wide}");
    }

    fn matches(pattern: &[u8], word: &[u8]) -> bool {
        match pattern.split_first() {
            None => word.is_empty(),
            Some((b'*', rest)) => (0..=word.len()).any(|at| matches(rest, &word[at..])),
            Some((b'?', rest)) => !word.is_empty() && matches(rest, &word[1..]),
            Some((c, rest)) => word.first() == Some(c) && matches(rest, &word[1..]),
        }
    }

    /// All words of up to five of three letters, of which patterns have two.
    fn words() -> Vec<Vec<u8>> {
        let mut words = vec![vec![]];
        let mut from = 0;
        for _ in 0..5 {
            let upto = words.len();
            for at in from..upto {
                for letter in *b"abz" {
                    let longer: Vec<u8> = words[at].iter().copied().chain([letter]).collect();
                    words.push(longer);
                }
            }
            from = upto;
        }
        words
    }

    #[test]
    fn what_is_shown_is_true_of_all_words() {
        let words = words();
        arbtest(|u| {
            let mut pattern = |letters: &[char]| -> keyaki_testing::arbitrary::Result<String> {
                (0..u.int_in_range(0..=4)?).map(|_| u.choose(letters).copied()).collect()
            };
            let (wide, narrow) = (pattern(&['a', 'b', '*', '?'])?, pattern(&['a', 'b', '*', '?'])?);
            let of = |pattern: &str| {
                words.iter().map(|word| matches(pattern.as_bytes(), word)).collect::<Vec<_>>()
            };
            let (of_wide, of_narrow) = (of(&wide), of(&narrow));
            let is_included = of_wide.iter().zip(&of_narrow).all(|(w, n)| !n || *w);
            let is_shown = includes(&wide, &narrow, Case::Sensitive);
            assert!(!is_shown || is_included, "{narrow} in {wide}");
            // Words of five letters tell all there is to tell of patterns of four without `?`.
            if !wide.contains('?') && is_included {
                assert!(is_shown, "{narrow} in {wide}");
            }
            let share = of_wide.iter().zip(&of_narrow).any(|(w, n)| *w && *n);
            assert!(!are_disjoint(&wide, &narrow, Case::Sensitive) || !share, "{narrow}, {wide}");
            for star in ["", "z", "ab"] {
                assert!(matches(narrow.as_bytes(), word(&narrow, star).as_bytes()));
            }
            Ok(())
        });
    }
}
