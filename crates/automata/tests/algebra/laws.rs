//! The laws.

use keyaki_automata::{
    Answer, CharClass, Count, Expr, Item, Language, Limits, core, count, count_by_length, decide,
    equivalent, find, find_n, find_realistic, includes, overlap, shortest,
};
use keyaki_testing::arbitrary::{Result, Unstructured};
use keyaki_testing::arbtest;

use crate::generate::{LETTERS, boolean, class, compile, glob, means, regular, text, words};

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
    check_realistic(positives, negatives);
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
    let n = count(positives, negatives, &limits()).unwrap();
    let mut found = find_n(positives, negatives, 5, &limits()).unwrap();
    assert!(found.iter().all(|word| is_solution(word, positives, negatives)), "{found:?}");
    found.sort_unstable();
    found.dedup();
    let n_found = found.len() as u128;
    match n {
        Count::Exactly(n) => assert_eq!(n_found, n.min(5), "{found:?} {positives:?} {negatives:?}"),
        Count::AtLeast(_) | Count::Infinite => assert_eq!(n_found, 5, "{found:?} of {n:?}"),
    }
    // No word has a length beyond the number of all words, if they are so few, but where a word is
    // long by itself; those of up to ten characters are a part of all.
    let by_length = count_by_length(positives, negatives, 10, &limits()).unwrap();
    let sum: Option<u128> = by_length.iter().map(|n| n.exact()).sum();
    match (n, sum) {
        (Count::Exactly(n), Some(sum)) => {
            let longest = shortest(&[&[long()], positives].concat(), negatives, &limits()).unwrap();
            assert_eq!(sum < n, longest.is_some(), "{by_length:?} of {n}, {longest:?}");
            assert!(sum <= n, "{by_length:?} of {n}");
        }
        (Count::Exactly(n), None) => panic!("{by_length:?} of {n}"),
        _ => {}
    }
    let shortest = shortest(positives, negatives, &limits()).unwrap();
    let least = by_length.iter().position(|n| *n != Count::Exactly(0));
    let shortest = shortest.map(|word| word.chars().count());
    assert_eq!(least, shortest.filter(|length| *length <= 10), "{by_length:?}");
}

/// All words of more than ten characters.
fn long() -> Language {
    compile(&Expr::Repeat { inner: Box::new(Expr::AnyChar), min: 11, max: None })
}

#[track_caller]
fn check_realistic(positives: &[Language], negatives: &[Language]) {
    let candidates = ["ab", "b:a", "xx", ""];
    let found = find_realistic(positives, negatives, &candidates, &limits()).unwrap();
    let is_word = |word: &str| is_solution(word, positives, negatives);
    assert!(found.iter().all(|word| is_word(word)), "{found:?} {positives:?} {negatives:?}");
    match candidates.into_iter().find(|word| is_word(word)) {
        Some(first) => assert_eq!(found.as_deref(), Some(first)),
        None => {
            let is_found = find(positives, negatives, &limits()).unwrap().is_some();
            assert_eq!(found.is_some(), is_found);
        }
    }
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
            (or(&a, &and(&a, &b)), a.clone()),
            (and(&a, &and(&b, &c)), and(&and(&a, &b), &c)),
            (or(&a, &or(&b, &c)), or(&or(&a, &b), &c)),
            (and(&a, &a), a.clone()),
            (or(&a, &a), a.clone()),
            (and(&a, &Language::all()), a.clone()),
            (or(&a, &Language::empty()), a.clone()),
            (and(&a, &Language::empty()), Language::empty()),
            (or(&a, &Language::all()), Language::all()),
            (Language::all().complement(), Language::empty()),
        ];
        for (left, right) in laws {
            assert!(equivalent(&left, &right, &limits()).unwrap(), "{left:?} {right:?}");
        }
        // Complement turns inclusion around.
        let is_within = includes(&b, &a, &limits()).unwrap();
        assert_eq!(includes(&a.complement(), &b.complement(), &limits()), Ok(is_within));
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
fn operations_obey_the_laws_of_kleene_algebra() {
    arbtest(|u| {
        let [a, b, c] = [regular(u, 1)?, regular(u, 1)?, regular(u, 1)?];
        let cat = |parts: &[&Expr]| Expr::Concat(parts.iter().map(|&part| part.clone()).collect());
        let or = |parts: &[&Expr]| Expr::Union(parts.iter().map(|&part| part.clone()).collect());
        let star = |a: &Expr| a.clone().star();
        let empty_word = Expr::literal("");
        let laws = [
            (cat(&[&a, &cat(&[&b, &c])]), cat(&[&cat(&[&a, &b]), &c])),
            (cat(&[&a, &or(&[&b, &c])]), or(&[&cat(&[&a, &b]), &cat(&[&a, &c])])),
            (cat(&[&or(&[&a, &b]), &c]), or(&[&cat(&[&a, &c]), &cat(&[&b, &c])])),
            (cat(&[&a, &Expr::Empty]), Expr::Empty),
            (cat(&[&empty_word, &a]), a.clone()),
            (or(&[&empty_word, &cat(&[&a, &star(&a)])]), star(&a)),
            (star(&star(&a)), star(&a)),
            (star(&or(&[&a, &b])), cat(&[&star(&a), &star(&cat(&[&b, &star(&a)]))])),
            (cat(&[&star(&cat(&[&a, &b])), &a]), cat(&[&a, &star(&cat(&[&b, &a]))])),
            (a.clone().times(2), cat(&[&a, &a])),
            (a.clone().plus(), cat(&[&a, &star(&a)])),
            (a.clone().optional(), or(&[&empty_word, &a])),
        ];
        for (left, right) in laws {
            assert!(
                equivalent(&compile(&left), &compile(&right), &limits()).unwrap(),
                "{left:?} {right:?}"
            );
        }
        Ok(())
    })
    .budget_ms(3_000);
}

/// The theorem of the crate's documentation, both ways, with the product as the judge.
#[test]
fn one_pattern_subsumes_or_none_together_do() {
    arbtest(|u| {
        // Stars of every character or of all but colons; letters with or without their case.
        let stars =
            if u.arbitrary()? { CharClass::ANY } else { CharClass::single(':').complement() };
        let is_folded = u.arbitrary()?;
        let mut pattern = |is_large: bool| -> Result<Language> {
            let mut items = Vec::new();
            for _ in 0..u.int_in_range(0..=6)? {
                items.push(match u.int_in_range(0..=5)? {
                    0 | 1 => Item::star(stars.clone()),
                    // Within the class of the stars, and with characters that nobody names.
                    2 if !is_large && u.arbitrary()? => Item::one(stars.clone()),
                    2 if !is_large => Item::star(CharClass::new([('a', 'z'), ('A', 'Z')])),
                    _ if is_folded => {
                        Item::one(CharClass::ignoring_ascii_case(*u.choose(&['a', 'B', ':'])?))
                    }
                    _ => Item::one(CharClass::single(*u.choose(&['a', 'b', ':'])?)),
                });
            }
            Ok(Language::pattern(items))
        };
        let small = pattern(false)?;
        let mut large = Vec::new();
        for _ in 0..4 {
            large.push(pattern(true)?);
        }
        let alone = |q: &Language| {
            shortest(std::slice::from_ref(&small), std::slice::from_ref(q), &limits()) == Ok(None)
        };
        let together = shortest(std::slice::from_ref(&small), &large, &limits()) == Ok(None);
        assert_eq!(together, large.iter().any(alone), "{small:?} {large:?}");
        if let Some(p) = small.as_pattern() {
            for q in &large {
                let subsumes = q.as_pattern().is_some_and(|q| q.subsumes(p));
                assert_eq!(subsumes, alone(q), "{small:?} {q:?}");
            }
        }
        // So the cheap ways decide it, and the product is not needed.
        let no_states = Limits { max_states: 0, ..limits() };
        assert_eq!(
            find(std::slice::from_ref(&small), &large, &no_states).map(|word| word.is_none()),
            Ok(together)
        );
        Ok(())
    })
    .budget_ms(3_000);
}

#[test]
fn the_case_of_ascii_letters_can_be_ignored() {
    arbtest(|u| {
        let text = text(u)?;
        let glob = Language::glob_ignoring_ascii_case(&format!("*{text}?"));
        let literal = Language::glob_ignoring_ascii_case(&text);
        assert!(
            equivalent(&literal, &compile(&Expr::ascii_case_insensitive(&text)), &limits())
                .unwrap()
        );
        for word in words(3) {
            let upper = word.to_ascii_uppercase();
            assert_eq!(literal.matches(&upper), word == text);
            let sensitive = Language::glob(&format!("*{text}?"));
            assert_eq!(glob.matches(&upper), sensitive.matches(&word), "{word} {text}");
        }
        Ok(())
    })
    .budget_ms(500);
}

#[test]
fn counts_are_exact_as_far_as_they_have_a_place() {
    let count =
        |positives: &[Language], negatives: &[Language]| count(positives, negatives, &limits());
    let digits = |n| compile(&Expr::chars([('0', '9')]).times(n));
    let accounts = Language::glob("1111*");
    assert_eq!(count(&[digits(12)], &[]), Ok(Count::Exactly(10_u128.pow(12))));
    assert_eq!(
        count(&[digits(12)], std::slice::from_ref(&accounts)),
        Ok(Count::Exactly(10_u128.pow(12) - 10_u128.pow(8)))
    );
    assert_eq!(count(&[digits(38)], &[]), Ok(Count::Exactly(10_u128.pow(38))));
    assert_eq!(count(&[digits(39)], &[]), Ok(Count::AtLeast(u128::MAX)));
    assert_eq!(count(&[accounts], &[]), Ok(Count::Infinite));
    assert_eq!(count(&[Language::glob("?")], &[]), Ok(Count::Exactly(0x11_0000 - 0x800)));
    let up_to_three = [Language::glob_with("*", &CharClass::new([('a', 'c')]))];
    let by_length = count_by_length(&up_to_three, &[Language::glob("*a")], 3, &limits()).unwrap();
    assert_eq!(by_length, [1, 2, 6, 18].map(Count::Exactly));
    let many = count_by_length(&[Language::all()], &[], 8, &limits()).unwrap();
    assert_eq!(
        (many[6].exact(), many[7]),
        (Some((0x11_0000 - 0x800_u128).pow(6)), Count::AtLeast(u128::MAX))
    );
}

#[test]
fn a_realistic_word_is_a_candidate_or_made_of_some() {
    #[track_caller]
    fn check(positives: &[&str], negatives: &[&str], candidates: &[&str], expected: Option<&str>) {
        let globs =
            |texts: &[&str]| texts.iter().map(|text| Language::glob(text)).collect::<Vec<_>>();
        let found = find_realistic(&globs(positives), &globs(negatives), candidates, &limits());
        assert_eq!(found.unwrap().as_deref(), expected);
    }
    let actions = ["s3:PutObject", "s3:GetObject", "s3:GetBucketTagging"];
    check(&["s3:Get*"], &[], &actions, Some("s3:GetObject"));
    check(&["s3:Get*"], &["*Object"], &actions, Some("s3:GetBucketTagging"));
    check(&["s3:List*"], &[], &actions, Some("s3:Lists3:PutObject"));
    let names = ["example-bucket", "reports", "2026"];
    check(&["arn:aws:s3:::*"], &[], &names, Some("arn:aws:s3:::example-bucket"));
    check(&["arn:aws:s3:::*/*"], &[], &names, Some("arn:aws:s3:::example-bucket/example-bucket"));
    check(&["b/*/*", "*/2026/*"], &["*example*"], &names, Some("b/reports/2026/reports"));
    check(&["?-*"], &["*-*-*", "*p*"], &names, Some("x-2026"));
    check(&["a*"], &["a*"], &names, None);
    // Nothing realistic is a word.
    check(&["a*"], &["*t*", "*2*"], &names, Some("ax"));
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

#[test]
fn patterns_and_classes_are_shown_as_they_are_written() {
    let colon = CharClass::single(':');
    for (class, shown) in [
        (CharClass::ANY, "any"),
        (colon.clone(), "[:]"),
        (CharClass::new([('a', 'c'), ('x', 'x')]), "[a-cx]"),
        (colon.complement(), r"[\0-9;-\u{10ffff}]"),
        (CharClass::new([]), "[]"),
    ] {
        assert_eq!(format!("{class:?}"), shown);
    }
    let items = [
        Item::one(colon.clone()),
        Item::star(colon),
        Item::star(CharClass::ANY),
        Item::one(CharClass::new([('a', 'b')])),
    ];
    assert_eq!(format!("{items:?}"), "[:, :*, any*, [a-b]]");
}

/// Sets of characters, by all characters that can be told apart; beyond ASCII as within.
#[test]
fn classes_are_sets_of_characters() {
    let ends =
        ['\0', '!', 'a', 'c', 'z', '\u{7f}', '\u{80}', 'é', '\u{d7ff}', '\u{e000}', char::MAX];
    let around = |c: char| [-1, 0, 1].map(|by| char::from_u32((c as u32).wrapping_add_signed(by)));
    let all: Vec<char> = ends.iter().flat_map(|c| around(*c)).flatten().chain(['b', 'ü']).collect();
    arbtest(|u| {
        let mut drawn = || -> Result<Vec<(char, char)>> {
            (0..u.int_in_range(0..=3)?).map(|_| Ok((*u.choose(&all)?, *u.choose(&all)?))).collect()
        };
        let ranges = [drawn()?, drawn()?];
        let [a, b] = ranges.clone().map(CharClass::new);
        let has = |own: &[(char, char)], c: &char| {
            own.iter().any(|(low, high)| (low..=high).contains(&c))
        };
        let is = |class: &CharClass, means: &dyn Fn(&char) -> bool| {
            for c in &all {
                assert_eq!(class.contains(*c), means(c), "{c:?} in {class:?} of {ranges:?}");
            }
            let n: u32 =
                class.ranges().iter().map(|(low, high)| (*low..=*high).count() as u32).sum();
            assert_eq!((class.len(), class.is_empty()), (n, n == 0), "{class:?}");
            assert_eq!(class.as_char().is_some(), n == 1, "{class:?}");
            assert_eq!(class.is_any(), all.iter().all(means), "{class:?}");
            assert_eq!(CharClass::new(class.ranges().iter().copied()), *class);
            let is_apart = |pair: &[(char, char)]| (pair[0].1..=pair[1].0).count() > 2;
            assert!(class.ranges().windows(2).all(is_apart), "{class:?}");
        };
        is(&a, &|c| has(&ranges[0], c));
        is(&a.complement(), &|c| !has(&ranges[0], c));
        is(&a.union(&b), &|c| has(&ranges[0], c) || has(&ranges[1], c));
        is(&a.intersect(&b), &|c| has(&ranges[0], c) && has(&ranges[1], c));
        for (wide, narrow) in [(&a, &b), (&b, &a), (&a.union(&b), &b), (&a, &a.intersect(&b))] {
            let is_in = narrow.ranges().iter().all(|(low, high)| {
                [low, high].map(|c| wide.contains(*c)) == [true; 2]
                    && all.iter().all(|c| !(low..=high).contains(&c) || wide.contains(*c))
            });
            assert_eq!(wide.includes(narrow), is_in, "{narrow:?} in {wide:?}");
        }
        Ok(())
    })
    .budget_ms(500);
}

/// More kinds of characters than a machine word has bits.
#[test]
fn a_hundred_letters_are_told_apart() {
    let letter = |n: u32| char::from_u32(0x4E00 + 2 * n).unwrap();
    let letters: Vec<char> = (0..100).map(letter).collect();
    let two = compile(&Expr::chars(letters.iter().map(|c| (*c, *c))).times(2));
    let with =
        |c: char| compile(&Expr::Concat(vec![Expr::All, Expr::literal(c.to_string()), Expr::All]));
    for left in [0, 1, 50, 63, 64, 65, 99] {
        let others: Vec<Language> =
            letters.iter().filter(|c| **c != letters[left]).map(|c| with(*c)).collect();
        let word = shortest(std::slice::from_ref(&two), &others, &limits());
        assert_eq!(word, Ok(Some(letters[left].to_string().repeat(2))));
        let mut all = others;
        all.push(with(letters[left]));
        assert_eq!(shortest(std::slice::from_ref(&two), &all, &limits()), Ok(None));
    }
    assert_eq!(count(&[two], &[], &limits()), Ok(Count::Exactly(10_000)));
}

/// What is a sequence of classes and stars of classes is a pattern however it is written, and so is decided without an automaton.
#[test]
fn expressions_that_say_no_more_than_patterns_are_patterns() {
    let ab = || Expr::chars([('a', 'b')]);
    let check = |expr: &Expr, shown: Option<&str>| {
        let language = compile(expr);
        let pattern = language.as_pattern().map(|pattern| format!("{:?}", pattern.items()));
        assert_eq!(pattern.as_deref(), shown, "{expr:?}");
    };
    check(&ab().star(), Some("[[a-b]*]"));
    check(&Expr::literal("a").star(), Some("[a*]"));
    check(&Expr::literal("ab").star(), None);
    check(&Expr::literal("").star(), None);
    check(&Expr::AnyChar.star(), Some("[any*]"));
    check(&ab().plus(), Some("[[a-b], [a-b]*]"));
    check(&ab().times(2), Some("[[a-b], [a-b]]"));
    assert_eq!(compile(&Expr::literal("c").times(2)).as_literal(), Some("cc"));
    check(&ab().optional(), None);
    check(&ab().star().star(), None);
    let parts = vec![Expr::literal("x"), Expr::AnyChar, Expr::All, ab()];
    check(&Expr::Concat(parts), Some("[x, any, any*, [a-b]]"));
    let union = Language::union(&[Language::glob("a*"), Language::literal("b")]);
    assert_eq!(format!("{union:?}"), "{`aany*`, `b`}");
    let union = Language::union(&[union, Language::words(["c", "d"])]);
    assert_eq!(format!("{union:?}"), "{`aany*`, `b`, `c`, `d`}");
}

/// The first two patterns have in common what two others have; a negative that has one of these leaves the other.
#[test]
fn a_part_of_what_positives_have_in_common_is_not_taken_for_all() {
    let positives = ["x/*", "*/y/*"].map(Language::glob);
    for (negative, left) in [("x/y/*", "x/a/y/"), ("x/*/y/*", "x/y/")] {
        let negatives = [Language::glob(negative)];
        assert!(is_solution(left, &positives, &negatives));
        check(&positives, &negatives);
        let word = find(&positives, &negatives, &limits()).unwrap().unwrap();
        assert!(is_solution(&word, &positives, &negatives), "{word}");
    }
    let negatives = ["x/y/*", "x/*/y/*"].map(Language::glob);
    assert_eq!(find(&positives, &negatives, &limits()).unwrap(), None);
}

#[test]
fn what_is_seen_of_a_language_at_once_is_so() {
    assert!(Language::intersection(&[]).is_universal());
    assert!(Language::glob("*").is_universal() && !Language::glob("a*").is_universal());
    assert_eq!(Language::literal("a").as_literal(), Some("a"));
    assert_eq!(Language::words(["a", "b"]).as_literal(), None);
    assert_eq!(Language::glob("a*").as_literal(), None);
}
