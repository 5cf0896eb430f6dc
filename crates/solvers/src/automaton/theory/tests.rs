//! What one template says of another, against all short texts.

use super::{Token, covers};

/// The most tokens of a template.
const MAX_TOKENS: usize = 3;

/// Values of the only variable.
const VALUES: [&str; 4] = ["", "a", "b", "ab"];

/// Lists of so many of these, from none on.
fn lists<T: Copy>(of: &[T], most: usize) -> Vec<Vec<T>> {
    let mut all = vec![vec![]];
    let mut from = 0;
    for _ in 0..most {
        let upto = all.len();
        for at in from..upto {
            let longer = of.iter().map(|item| [&all[at][..], &[*item]].concat());
            let longer: Vec<Vec<T>> = longer.collect();
            all.extend(longer);
        }
        from = upto;
    }
    all
}

fn matches(tokens: &[Token], value: &str, text: &[char]) -> bool {
    match tokens.split_first() {
        None => text.is_empty(),
        Some((Token::Many, rest)) => (0..=text.len()).any(|at| matches(rest, value, &text[at..])),
        Some((Token::One, rest)) => !text.is_empty() && matches(rest, value, &text[1..]),
        Some((Token::Char(c), rest)) => text.first() == Some(c) && matches(rest, value, &text[1..]),
        Some((Token::Value(_), rest)) => {
            let value: Vec<char> = value.chars().collect();
            text.starts_with(&value)
                && matches(rest, value.iter().collect::<String>().as_str(), &text[value.len()..])
        }
    }
}

#[test]
fn what_a_template_covers_matches_whatever_the_other_matches() {
    let (a, b) = (Token::Char('a'), Token::Char('b'));
    let templates = lists(&[a, b, Token::One, Token::Many, Token::Value(0)], MAX_TOKENS);
    let texts = lists(&['a', 'b'], MAX_TOKENS + 1);
    // A bit for each value and text.
    let matched = |tokens: &Vec<Token>| {
        let tries = VALUES.iter().flat_map(|value| texts.iter().map(move |text| (value, text)));
        tries.fold(0_u128, |bits, (value, text)| {
            bits << 1 | u128::from(matches(tokens, value, text))
        })
    };
    let all: Vec<u128> = templates.iter().map(matched).collect();
    let is_text = |tokens: &[Token]| tokens.iter().all(|token| matches!(token, Token::Char(_)));
    let mut n_covered = 0;
    for (large, of_large) in templates.iter().zip(&all) {
        assert!(covers(large, large));
        for (small, of_small) in templates.iter().zip(&all) {
            let is_covered = covers(large, small);
            assert!(!is_covered || of_small & !of_large == 0, "{large:?} {small:?}");
            if is_text(small) && !large.contains(&Token::Value(0)) {
                assert_eq!(is_covered, of_small & !of_large == 0, "{large:?} {small:?}");
            }
            n_covered += usize::from(is_covered);
        }
    }
    assert!(n_covered > 4 * templates.len(), "{n_covered}");
    // Wildcards read wildcards: an unknown character is one, and any text may be none.
    assert!(covers(&[Token::Many], &[Token::One, Token::Value(0)]));
    assert!(covers(&[Token::One, Token::Many], &[Token::One]));
    assert!(!covers(&[Token::One], &[Token::Many]) && !covers(&[Token::One], &[Token::Value(0)]));
    assert!(!covers(&[Token::Value(0)], &[Token::Value(1)]));
}
