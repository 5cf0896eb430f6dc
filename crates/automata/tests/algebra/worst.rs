//! Inputs made to be bad: the answer, or a limit by name; never a hang, an abort, a full stack.

use keyaki_automata::{
    CharClass, Expr, Language, LimitExceeded, Limits, core, count_by_length, find, find_n,
    includes, overlap, shortest,
};

fn tight() -> Limits<'static> {
    Limits { max_states: 20_000, max_steps: 20_000_000, ..Limits::default() }
}

#[test]
fn slow_matching_counts_as_what_it_costs() {
    // Each negative compares millions of characters before it knows.
    let p = [Language::glob(&("a".repeat(4_000) + "*"))];
    let q = vec![Language::glob(&format!("*{}b", "a".repeat(2_000))); 1_000];
    let limits = Limits { max_steps: 1_000_000, ..tight() };
    assert_eq!(find(&p, &q, &limits), Err(LimitExceeded::Steps(limits.max_steps)));
    let calls = std::sync::atomic::AtomicUsize::new(0);
    let is_cancelled = || calls.fetch_add(1, std::sync::atomic::Ordering::Relaxed) > 0;
    let limits = Limits { max_steps: u64::MAX, is_cancelled: Some(&is_cancelled), ..tight() };
    assert_eq!(find(&p, &q, &limits), Err(LimitExceeded::Cancelled));
}

/// `(a|b)*a(a|b)^n`, whose deterministic automata have `2^(n+1)` states; written so that it is not
/// seen to be a pattern.
fn a_before_the_end(n: u32) -> Expr {
    let ab = Expr::chars([('a', 'b')]);
    let words = ["a", "b", "ab"].map(Expr::literal);
    Expr::Concat(vec![Expr::Union(words.to_vec()).star(), Expr::literal("a"), ab.times(n)])
}

#[test]
fn exponentially_many_states_are_too_many() {
    let all = Expr::chars([('a', 'b')]).star();
    // The complement within all words over a and b, of which none ends so.
    let language = |n| {
        Language::new(
            &Expr::Intersection(vec![
                all.clone(),
                a_before_the_end(n).complement(),
                Expr::Concat(vec![Expr::All, Expr::literal("a"), Expr::AnyChar.times(n)]),
            ]),
            &tight(),
        )
        .unwrap()
    };
    assert_eq!(find(&[language(8)], &[], &tight()), Ok(None));
    // To look for a word of the complement is to follow, of the words of each length, the one with
    // the fewest letters `a`.
    let before_the_end = Language::new(&a_before_the_end(60), &tight()).unwrap();
    let longer = Language::new(&all.clone().plus(), &tight()).unwrap();
    let longer = [longer, Language::glob(&("?".repeat(61) + "*"))];
    let word = shortest(&longer, std::slice::from_ref(&before_the_end), &tight());
    assert_eq!(word, Ok(Some("b".repeat(60) + "a")));
    let states = LimitExceeded::States(tight().max_states);
    assert_eq!(find(&[language(40)], &[], &tight()), Err(states));
    // Inside a concatenation it has to be made deterministic.
    let inside = Expr::Concat(vec![Expr::literal("x"), a_before_the_end(40).complement()]);
    assert_eq!(Language::new(&inside, &tight()).unwrap_err(), states);
}

#[test]
fn thousands_of_overlapping_globs_are_decided() {
    let negatives: Vec<Language> =
        (0..3_000).map(|i| Language::glob(&format!("*{}*{}*", i % 50, i / 50))).collect();
    let word = find(&[Language::glob("arn:*")], &negatives, &Limits::default()).unwrap().unwrap();
    assert!(word.starts_with("arn:") && !negatives.iter().any(|q| q.matches(&word)));
    // Without a spare character the product has to go through subsets.
    let digits = Language::pattern([keyaki_automata::Item::star(CharClass::new([('0', '9')]))]);
    let answer = find(std::slice::from_ref(&digits), &negatives, &Limits::default());
    assert!(answer.is_ok_and(|word| word.is_some()), "the empty word is one");
    let long = [digits, Language::glob(&"?".repeat(30))];
    // Any two digits, one behind the other, are named by some negative.
    match find(&long, &negatives, &tight()) {
        Ok(word) => assert_eq!(word, None),
        Err(limit) => assert_ne!(limit, LimitExceeded::Cancelled),
    }
}

#[test]
fn ten_thousand_stars_are_decided() {
    let stars = |text: &str| Language::glob(&(text.repeat(10_000) + "*"));
    let (ab, a) = (stars("*a*b"), stars("*a"));
    assert!(ab.matches(&"ab".repeat(10_000)));
    assert!(!ab.matches(&"ab".repeat(9_999)));
    assert_eq!(includes(&a, &ab, &Limits::default()), Ok(true));
    assert_eq!(includes(&ab, &a, &Limits::default()), Ok(false));
    let limits = Limits { max_steps: 2_000_000, ..tight() };
    match overlap(&stars("*a*b"), &stars("*b*a"), &limits) {
        Ok(is_overlap) => assert!(is_overlap),
        Err(LimitExceeded::States(_) | LimitExceeded::Steps(_) | LimitExceeded::Memory(_)) => {}
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn states_with_the_same_positives_and_more_negatives_are_not_followed() {
    // Any of 2^20 sets of letters can have been read, and none leads to a word that the empty set
    // does not lead to.
    let letters = || Expr::chars([('a', 't')]).star();
    let p = [Language::new(&Expr::Concat(vec![letters(), Expr::literal("z")]), &tight()).unwrap()];
    let mut q: Vec<Language> = ('a'..='t').map(|c| Language::glob(&format!("*{c}*z"))).collect();
    q.push(Language::glob("*z"));
    let limits = Limits { max_states: 100, ..tight() };
    assert_eq!(shortest(&p, &q, &limits), Ok(None));
    q.pop();
    assert_eq!(shortest(&p, &q, &limits), Ok(Some("z".to_owned())));
}

#[test]
fn a_search_can_be_cancelled() {
    let cancelled = || true;
    let limits = Limits { is_cancelled: Some(&cancelled), ..Limits::default() };
    let language = Language::new(&a_before_the_end(200), &Limits::default()).unwrap();
    let all = Language::new(&Expr::chars([('a', 'b')]).star(), &limits).unwrap();
    let all = [all, Language::glob(&"?".repeat(4_000))];
    assert_eq!(shortest(&all, &[language], &limits), Err(LimitExceeded::Cancelled));
}

#[test]
fn nesting_does_not_exhaust_the_stack() {
    let mut star = Expr::literal("ab");
    let mut concat = Expr::literal("c");
    let mut complement = Expr::glob("*a*");
    let mut union = Expr::Empty;
    for i in 0..200_000 {
        star = star.star();
        concat = Expr::Concat(vec![Expr::literal(if i % 2 == 0 { "a" } else { "b" }), concat]);
        complement = complement.complement();
        union = Expr::Union(vec![union, Expr::chars([('a', 'c')]).optional()]);
    }
    let limits = Limits { max_states: 2_000_000, ..Limits::default() };
    assert!(Language::new(&star, &limits).unwrap().matches("abab"));
    assert!(!Language::new(&concat, &limits).unwrap().matches("c"));
    assert!(Language::new(&complement, &limits).unwrap().matches("bab"));
    assert!(Language::new(&union, &limits).unwrap().matches("b"));
    let mut mixed = Expr::literal("a");
    for _ in 0..1_000 {
        mixed = Expr::Concat(vec![mixed.complement(), Expr::literal("b")]);
    }
    assert!(matches!(Language::new(&mixed, &limits), Err(LimitExceeded::Depth(_))));
}

#[test]
fn repetitions_are_counted_before_they_are_made() {
    let a = || Expr::literal("a");
    let huge = a().times(u32::MAX).times(u32::MAX);
    assert!(matches!(Language::new(&huge, &tight()), Err(LimitExceeded::States(_))));
    let nothing = Expr::literal("").times(u32::MAX);
    assert!(matches!(Language::new(&nothing, &tight()), Err(LimitExceeded::Steps(_))));
    let optional = Expr::Repeat { inner: Box::new(a()), min: 0, max: Some(5_000) };
    let language = Language::new(&optional, &tight()).unwrap();
    assert!(language.matches(&"a".repeat(5_000)));
    assert!(!language.matches(&"a".repeat(5_001)));
}

#[test]
fn a_core_of_thousands_is_found_or_its_limit_named() {
    let mut negatives: Vec<Language> =
        (0..2_000).map(|i| Language::glob(&format!("bucket-{i}/*"))).collect();
    negatives.push(Language::glob(""));
    negatives.push(Language::glob("?*"));
    let core = core(&[Language::all()], &negatives, &tight()).unwrap().unwrap();
    assert_eq!(core.negatives, [2_000, 2_001]);
    assert!(core.positives.is_empty(), "every word is no constraint: {core:?}");
}

/// Of `(a|b)^30` there are a thousand million words, and a few are found without a look at most of their beginnings.
#[test]
fn few_words_of_many_are_found_in_few_steps() {
    let ab = Expr::chars([('a', 'b')]);
    let many = Language::new(&ab.clone().times(30), &tight()).unwrap();
    let limits = Limits { max_steps: 100_000, ..tight() };
    let words = find_n(std::slice::from_ref(&many), &[], 10, &limits).unwrap();
    assert_eq!(words.len(), 10);
    // What is found is held, and the limit of memory is about that.
    let limits = Limits { max_memory_bytes: 100_000, ..tight() };
    let all = find_n(&[many], &[], 1_000, &limits);
    assert_eq!(all, Err(LimitExceeded::Memory(limits.max_memory_bytes)));
    let longer = Language::new(&ab.star(), &tight()).unwrap();
    let counts = count_by_length(&[longer], &[], 50_000, &limits);
    assert_eq!(counts, Err(LimitExceeded::Memory(limits.max_memory_bytes)));
}

/// Of a pattern with a star a few words are written down; for more there is the product.
#[test]
fn up_to_64_words_of_a_pattern_need_no_product() {
    let pattern = [Language::glob("a*b")];
    let no_states = Limits { max_states: 0, ..tight() };
    for n in [1, 64] {
        assert_eq!(find_n(&pattern, &[], n, &no_states).map(|words| words.len()), Ok(n));
    }
    assert_eq!(find_n(&pattern, &[], 65, &no_states), Err(LimitExceeded::States(0)));
    assert_eq!(find_n(&pattern, &[], 65, &tight()).map(|words| words.len()), Ok(65));
}
