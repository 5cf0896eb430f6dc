//! The laws.

use arbtest::arbitrary::{Result, Unstructured};
use arbtest::arbtest;
use keyaki_automata::{
    Answer, CharClass, Expr, Language, Limits, core, count, decide, equivalent, find, find_n,
    includes, overlap, shortest,
};

use crate::generate::{
    LETTERS, Oracle, boolean, class, compile, glob, means, regular, text, words,
};

fn limits() -> Limits<'static> {
    Limits::default()
}

fn is_solution(word: &str, positives: &[Language], negatives: &[Language]) -> bool {
    positives.iter().all(|language| language.matches(word))
        && !negatives.iter().any(|language| language.matches(word))
}

/// Positives and negatives of the given kind.
fn query(
    u: &mut Unstructured<'_>,
    kind: impl Fn(&mut Unstructured<'_>) -> Result<Expr>,
) -> Result<(Vec<Language>, Vec<Language>)> {
    let many = |u: &mut Unstructured<'_>, max| {
        let n = u.int_in_range(0..=max)?;
        (0..n).map(|_| Ok(compile(&kind(u)?))).collect::<Result<Vec<Language>>>()
    };
    Ok((many(u, 3)?, many(u, 4)?))
}

/// All that must hold of the answers to one query.
#[track_caller]
fn check(positives: &[Language], negatives: &[Language]) {
    let length = 3;
    let smallest = words(length).into_iter().find(|w| is_solution(w, positives, negatives));
    let found = find(positives, negatives, &limits()).unwrap();
    let least = shortest(positives, negatives, &limits()).unwrap();
    assert_eq!(
        found.is_some(),
        least.is_some(),
        "{positives:?} {negatives:?}: {found:?} {least:?}"
    );
    for word in found.iter().chain(&least) {
        assert!(is_solution(word, positives, negatives), "{word} {positives:?} {negatives:?}");
    }
    match (&smallest, &least) {
        (Some(smallest), Some(least)) => {
            assert_eq!(smallest.chars().count(), least.chars().count(), "{smallest} {least}");
        }
        (Some(smallest), None) => panic!("{smallest} is in {positives:?} {negatives:?}"),
        (None, Some(least)) => assert!(least.chars().count() > length, "{least}"),
        (None, None) => {}
    }
    check_core(positives, negatives, least.is_none());
    check_numbers(positives, negatives);
}

#[track_caller]
fn check_core(positives: &[Language], negatives: &[Language], is_empty: bool) {
    let core = core(positives, negatives, &limits()).unwrap();
    assert_eq!(core.is_some(), is_empty);
    let Some(core) = core else { return };
    let pick = |all: &[Language], chosen: &[usize]| -> Vec<Language> {
        chosen.iter().map(|i| all[*i].clone()).collect()
    };
    let Ok(Answer::Empty(why)) = decide(positives, negatives, &limits()) else {
        panic!("{positives:?} {negatives:?} have no word");
    };
    let (p, n) = (pick(positives, &why.positives), pick(negatives, &why.negatives));
    assert_eq!(
        shortest(&p, &n, &limits()).unwrap(),
        None,
        "{why:?} of {positives:?} {negatives:?}"
    );
    assert!(core.positives.iter().all(|i| why.positives.contains(i)));
    assert!(core.negatives.iter().all(|i| why.negatives.contains(i)));
    let (p, n) = (pick(positives, &core.positives), pick(negatives, &core.negatives));
    assert_eq!(
        shortest(&p, &n, &limits()).unwrap(),
        None,
        "{core:?} of {positives:?} {negatives:?}"
    );
    for i in 0..p.len() {
        let mut fewer = p.clone();
        fewer.remove(i);
        let word = shortest(&fewer, &n, &limits()).unwrap();
        assert!(word.is_some(), "{core:?} of {positives:?} {negatives:?} is not minimal");
    }
    for i in 0..n.len() {
        let mut fewer = n.clone();
        fewer.remove(i);
        let word = shortest(&p, &fewer, &limits()).unwrap();
        assert!(word.is_some(), "{core:?} of {positives:?} {negatives:?} is not minimal");
    }
}

#[track_caller]
fn check_numbers(positives: &[Language], negatives: &[Language]) {
    let n = count(positives, negatives, 5, &limits()).unwrap();
    let mut found = find_n(positives, negatives, 5, &limits()).unwrap();
    assert!(found.iter().all(|word| is_solution(word, positives, negatives)), "{found:?}");
    found.sort_unstable();
    found.dedup();
    assert_eq!(found.len() as u64, n, "{found:?} of {positives:?} {negatives:?}");
}

#[test]
fn dfa_agrees_with_regex() {
    let words = words(3);
    arbtest(|u| {
        let expr = regular(u, 2)?;
        let (language, oracle) = (compile(&expr), Oracle::new(&expr));
        for word in &words {
            assert_eq!(language.matches(word), oracle.matches(word), "{word:?} in {expr:?}");
        }
        let word = find(&[language], &[], &limits()).unwrap();
        match word {
            Some(word) => assert!(oracle.matches(&word), "{word:?} in {expr:?}"),
            None => assert!(words.iter().all(|word| !oracle.matches(word)), "{expr:?}"),
        }
        Ok(())
    })
    .budget_ms(3_000);
}

#[test]
fn a_list_of_words_is_that_list() {
    arbtest(|u| {
        let mut texts = Vec::new();
        for _ in 0..u.int_in_range(0..=6)? {
            texts.push(text(u)?);
        }
        let all = Expr::Union(texts.iter().map(|text| Expr::literal(text.as_str())).collect());
        let list = Language::words(texts.iter().map(String::as_str));
        for language in [&list, &compile(&all)] {
            for word in words(2).iter().chain(&texts) {
                assert_eq!(language.matches(word), texts.contains(word), "{word:?} in {texts:?}");
            }
        }
        // A shortest of them by the product, and none but them.
        let least = shortest(std::slice::from_ref(&list), &[], &limits()).unwrap();
        let length = |text: &String| text.chars().count();
        assert_eq!(least.as_ref().map(length), texts.iter().map(length).min());
        let each: Vec<Language> = texts.iter().map(|text| Language::literal(text)).collect();
        assert_eq!(shortest(&[list], &each, &limits()), Ok(None));
        Ok(())
    })
    .budget_ms(1_000);
}

#[test]
fn connectives_mean_what_they_mean() {
    let words = words(2);
    arbtest(|u| {
        let expr = boolean(u, 3)?;
        let language = compile(&expr);
        for word in &words {
            assert_eq!(language.matches(word), means(&expr, word), "{word:?} in {expr:?}");
        }
        check(&[language], &[]);
        Ok(())
    })
    .budget_ms(3_000);
}

#[test]
fn a_complement_inside_a_concatenation_is_one() {
    let words = words(3);
    arbtest(|u| {
        let (before, inner, after) = (text(u)?, regular(u, 1)?, regular(u, 0)?);
        let parts = [Expr::Literal(before.clone()), inner.clone().complement(), after.clone()];
        let language = compile(&Expr::Concat(parts.to_vec()));
        let (inner, after) = (compile(&inner), compile(&after));
        for word in &words {
            let is_in = word.strip_prefix(&*before).is_some_and(|rest| {
                let mut cuts = rest.char_indices().map(|(at, _)| at).chain([rest.len()]);
                cuts.any(|cut| !inner.matches(&rest[..cut]) && after.matches(&rest[cut..]))
            });
            assert_eq!(language.matches(word), is_in, "{word:?} in {parts:?}");
        }
        Ok(())
    })
    .budget_ms(2_000);
}

#[test]
fn queries_over_globs_are_decided() {
    arbtest(|u| {
        let (positives, negatives) = query(u, |u| glob(u, false, false))?;
        check(&positives, &negatives);
        Ok(())
    })
    .budget_ms(3_000);
}

#[test]
fn queries_over_typed_globs_with_single_wildcards_are_decided() {
    arbtest(|u| {
        let (positives, negatives) = query(u, |u| glob(u, true, true))?;
        check(&positives, &negatives);
        Ok(())
    })
    .budget_ms(3_000);
}

#[test]
fn queries_over_anything_are_decided() {
    arbtest(|u| {
        let (positives, negatives) = query(u, |u| match u.int_in_range(0..=3)? {
            0 => boolean(u, 2),
            1 => Ok(Expr::Literal(text(u)?)),
            2 => glob(u, true, true),
            _ => regular(u, 2),
        })?;
        check(&positives, &negatives);
        Ok(())
    })
    .budget_ms(4_000);
}

#[test]
fn operations_obey_the_laws_of_boolean_algebra() {
    arbtest(|u| {
        let (a, b, c) =
            (compile(&regular(u, 1)?), compile(&regular(u, 1)?), compile(&glob(u, true, true)?));
        let and = |a: &Language, b: &Language| Language::intersection(&[a.clone(), b.clone()]);
        let or = |a: &Language, b: &Language| Language::union(&[a.clone(), b.clone()]);
        let laws = [
            (and(&a, &b), and(&b, &a)),
            (or(&a, &b), or(&b, &a)),
            (and(&a, &or(&b, &c)), or(&and(&a, &b), &and(&a, &c))),
            (or(&a, &and(&b, &c)), and(&or(&a, &b), &or(&a, &c))),
            (and(&a, &b).complement(), or(&a.complement(), &b.complement())),
            (a.complement().complement(), a.clone()),
            (and(&a, &a.complement()), Language::empty()),
            (or(&a, &a.complement()), Language::all()),
            (and(&a, &or(&a, &b)), a.clone()),
        ];
        for (left, right) in laws {
            assert!(equivalent(&left, &right, &limits()).unwrap(), "{left:?} {right:?}");
        }
        assert!(includes(&or(&a, &b), &a, &limits()).unwrap());
        assert!(includes(&a, &and(&a, &b), &limits()).unwrap());
        let disjoint = includes(&b.complement(), &a, &limits()).unwrap();
        assert_eq!(overlap(&a, &b, &limits()).unwrap(), !disjoint);
        let (p, q) = (compile(&glob(u, true, true)?), compile(&glob(u, true, true)?));
        if let (Some(a), Some(b)) = (p.as_pattern(), q.as_pattern()) {
            let both = shortest(&[p.clone(), q.clone()], &[], &limits()).unwrap();
            assert!(a.may_overlap(b) || both.is_none(), "{a:?} {b:?}");
            let rest = shortest(std::slice::from_ref(&p), std::slice::from_ref(&q), &limits());
            assert!(!b.subsumes(a) || rest == Ok(None), "{b:?} {a:?}");
        }
        Ok(())
    })
    .budget_ms(3_000);
}

#[test]
fn classes_are_sets() {
    arbtest(|u| {
        let (a, b) = (class(u)?, class(u)?);
        let edges = ['\0', '\u{D7FF}', '\u{E000}', char::MAX];
        for c in LETTERS.into_iter().chain(edges) {
            assert_eq!(a.complement().contains(c), !a.contains(c));
            assert_eq!(a.intersect(&b).contains(c), a.contains(c) && b.contains(c));
            assert_eq!(a.union(&b).contains(c), a.contains(c) || b.contains(c));
        }
        assert_eq!(a.complement().complement(), a);
        assert_eq!(a.includes(&b), a.intersect(&b) == b);
        assert_eq!(u64::from(a.len()) + u64::from(a.complement().len()), 0x11_0000 - 0x800);
        Ok(())
    })
    .budget_ms(500);
}

#[test]
fn a_class_may_be_given_in_any_pieces() {
    let whole =
        CharClass::new([('\u{E000}', char::MAX), ('b', 'c'), ('\0', 'b'), ('d', '\u{D7FF}')]);
    assert_eq!(whole, CharClass::ANY);
    assert_eq!(CharClass::new([('c', 'a')]).len(), 0);
    assert_eq!(CharClass::new([('a', 'a')]).as_char(), Some('a'));
}

#[test]
fn each_condition_of_independence_is_needed() {
    let glob = |text: &str| compile(&Expr::glob(text));
    let no_colon =
        |text: &str| compile(&Expr::glob_with(text, &CharClass::single(':').complement()));
    #[track_caller]
    fn check(p: Language, q: [Language; 2]) {
        assert_eq!(find(std::slice::from_ref(&p), &q, &limits()).unwrap(), None);
        assert_eq!(core(&[p], &q, &limits()).unwrap().unwrap().negatives, [0, 1]);
    }
    check(glob("*"), [glob(""), glob("?*")]);
    let mixed =
        Expr::Concat(vec![Expr::not_chars([(':', ':')]).star(), Expr::literal(":"), Expr::All]);
    check(glob("a*"), [no_colon("*"), compile(&mixed)]);
    check(compile(&Expr::chars([('a', 'b')])), [glob("a"), glob("b")]);
}

#[test]
fn a_word_is_short_and_readable() {
    #[track_caller]
    fn check(positives: &[&str], negatives: &[&str], expected: Option<&str>) {
        let globs =
            |texts: &[&str]| texts.iter().map(|text| Language::glob(text)).collect::<Vec<_>>();
        let found = find(&globs(positives), &globs(negatives), &limits()).unwrap();
        assert_eq!(found.as_deref(), expected);
    }
    check(&["arn:aws:s3:::logs/*"], &["arn:aws:s3:::logs/2026*"], Some("arn:aws:s3:::logs/x"));
    check(&["s3:Get*"], &["s3:*Object", "s3:*x*"], Some("s3:Gety"));
    check(&["s3:Get*"], &["s3:*"], None);
    check(&["s3:GetObject"], &["s3:Put*"], Some("s3:GetObject"));
    check(&[], &[], Some("x"));
    check(&["a*", "*b"], &["ab"], Some("axb"));
}
