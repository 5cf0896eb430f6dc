//! How long the operations take: `cargo bench -p keyaki-automata`.
//!
//! Each benchmark checks its answer first, so that what is timed is what was meant. The inputs are
//! shaped like what policies say: words, globs of ARNs and actions, domains of ARN fields; and what
//! forces a product: stars of two classes, floating words, `?`.

#![allow(clippy::unwrap_used, reason = "a wrong answer ends a benchmark")]

use divan::{Bencher, black_box};
use keyaki_automata::{
    CharClass, Expr, Item, Language, Limits, core, count, find, find_n, find_realistic, includes,
    overlap, shortest,
};

fn main() {
    divan::main();
}

fn limits() -> Limits<'static> {
    Limits::default()
}

fn globs<'g>(texts: impl IntoIterator<Item = &'g str>) -> Vec<Language> {
    texts.into_iter().map(Language::glob).collect()
}

/// `n` patterns of ARNs with a star at the end and here and there one in the middle.
fn arns(n: usize) -> Vec<Language> {
    let services = ["s3", "sqs", "dynamodb", "lambda", "kms"];
    (0..n)
        .map(|i| {
            let (service, middle) = (services[i % 5], if i % 7 == 0 { "*" } else { "eu-west-1" });
            Language::glob(&format!("arn:aws:{service}:{middle}:111122223333:name-{i}/*"))
        })
        .collect()
}

/// `[!-9;-~]+`: the domain of a field of an ARN.
fn field() -> Language {
    let visible = CharClass::new([('!', '9'), (';', '~')]);
    Language::pattern([Item::one(visible.clone()), Item::star(visible)])
}

#[divan::bench]
fn a_literal_against_a_word(bencher: Bencher<'_, '_>) {
    let literal = Language::literal("s3:GetObject");
    assert!(literal.matches("s3:GetObject"));
    bencher.bench(|| black_box(&literal).matches(black_box("s3:GetObject")));
}

#[divan::bench(args = ["arn:aws:s3:::logs/*", "arn:aws:s3:::*/2026/*", "arn:*:s3:*:*:*/??/*.json"])]
fn a_glob_against_a_word(bencher: Bencher<'_, '_>, text: &str) {
    let glob = Language::glob(text);
    let word = "arn:aws:s3:::logs/2026/11/events.json";
    bencher.bench(|| black_box(&glob).matches(black_box(word)));
}

#[divan::bench]
fn two_globs_overlap(bencher: Bencher<'_, '_>) {
    let [a, b] = [Language::glob("arn:aws:s3:::logs/*"), Language::glob("arn:aws:s3:*/2026/*")];
    assert_eq!(overlap(&a, &b, &limits()), Ok(true));
    bencher.bench(|| overlap(black_box(&a), black_box(&b), &limits()));
}

#[divan::bench]
fn two_globs_do_not_overlap(bencher: Bencher<'_, '_>) {
    let [a, b] = [Language::glob("arn:aws:s3:::logs/*"), Language::glob("arn:aws:s3:::data/*")];
    assert_eq!(overlap(&a, &b, &limits()), Ok(false));
    bencher.bench(|| overlap(black_box(&a), black_box(&b), &limits()));
}

#[divan::bench]
fn a_glob_includes_another(bencher: Bencher<'_, '_>) {
    let [a, b] = [Language::glob("arn:aws:s3:::logs/*"), Language::glob("arn:aws:s3:*/*")];
    assert_eq!(includes(&b, &a, &limits()), Ok(true));
    bencher.bench(|| includes(black_box(&b), black_box(&a), &limits()));
}

#[divan::bench(args = [5, 50, 200])]
fn one_glob_against_many_and_a_word_is_left(bencher: Bencher<'_, '_>, n: usize) {
    let (p, q) = (globs(["arn:aws:s3:eu-west-1:*:name-*"]), arns(n));
    assert!(find(&p, &q, &limits()).unwrap().is_some());
    bencher.bench(|| find(black_box(&p), black_box(&q), &limits()));
}

#[divan::bench(args = [5, 50, 200])]
fn one_glob_against_many_and_the_last_subsumes(bencher: Bencher<'_, '_>, n: usize) {
    let (p, mut q) = (globs(["arn:aws:s3:eu-west-1:*:name-*"]), arns(n));
    q.push(Language::glob("arn:aws:s3:*"));
    assert_eq!(find(&p, &q, &limits()), Ok(None));
    bencher.bench(|| find(black_box(&p), black_box(&q), &limits()));
}

#[divan::bench]
fn a_domain_and_a_glob_without_others(bencher: Bencher<'_, '_>) {
    let p = [field(), Language::glob("eu-*")];
    let q = globs(["eu-west-*", "eu-central-?", "us-*"]);
    assert!(find(&p, &q, &limits()).unwrap().is_some());
    bencher.bench(|| find(black_box(&p), black_box(&q), &limits()));
}

#[divan::bench]
fn a_domain_of_alternatives(bencher: Bencher<'_, '_>) {
    let digits = Expr::chars([('0', '9')]).times(12);
    let account = Expr::Union(vec![Expr::literal(""), Expr::literal("aws"), digits]);
    let p = [Language::new(&account, &limits()).unwrap(), Language::glob("*")];
    let q = globs(["111122223333", "aws", ""]);
    assert!(find(&p, &q, &limits()).unwrap().is_some());
    bencher.bench(|| find(black_box(&p), black_box(&q), &limits()));
}

#[divan::bench(args = [2, 5, 10])]
fn many_globs_at_once(bencher: Bencher<'_, '_>, n: usize) {
    let texts = [
        "arn:aws:s3:::logs/*",
        "arn:*:s3:*",
        "*/2026/*",
        "arn:aws:s3:::*",
        "*.json",
        "arn:aws:s3:::l*",
        "*:::*",
        "arn:aws:*:*:*:*/*/*",
        "*s3*",
        "arn:aws*:s3:::logs/*",
    ];
    let p = globs(texts.into_iter().take(n));
    let q = globs(["arn:aws:s3:::logs/2025/*", "*.csv"]);
    assert!(find(&p, &q, &limits()).unwrap().is_some());
    bencher.bench(|| find(black_box(&p), black_box(&q), &limits()));
}

#[divan::bench(args = [5, 50, 200])]
fn the_product_of_many_arns(bencher: Bencher<'_, '_>, n: usize) {
    // As a union on the one side, so that the patterns' subsumption does not decide it.
    let all = Language::union(&arns(n));
    let p = [Language::intersection(&[all, Language::glob("*")])];
    let q = arns(n);
    assert_eq!(shortest(&p, &q, &limits()), Ok(None));
    bencher.bench(|| shortest(black_box(&p), black_box(&q), &limits()));
}

/// Ten patterns that all must match and forty that none may, floating and with single wildcards;
/// with `is_empty` one more, that covers the rest.
#[divan::bench(args = [false, true])]
fn a_mixed_family_of_fifty(bencher: Bencher<'_, '_>, is_empty: bool) {
    let p = globs([
        "arn:aws:s3:::*",
        "arn:*:s3:*",
        "*logs*",
        "*/2026/*",
        "arn:aws:*:*:*:*/*",
        "*:::*",
        "*s3*",
        "a*",
        "*.json",
        "arn:aws*/*/*",
    ]);
    let negatives: Vec<String> = (0..40)
        .map(|i| match i % 4 {
            0 => format!("arn:aws:s3:::bucket-{i}/*"),
            1 => format!("*/2026/??/{i}*"),
            2 => format!("*logs*{i}?.json"),
            _ => format!("arn:aws:s3:::*-{i}/*"),
        })
        .collect();
    let mut q = globs(negatives.iter().map(String::as_str));
    if is_empty {
        q.extend(globs(["arn:aws:s3:::*.?son"]));
    }
    assert_eq!(shortest(&p, &q, &limits()).unwrap().is_none(), is_empty);
    bencher.bench(|| shortest(black_box(&p), black_box(&q), &limits()));
}

/// A word outside `(a|b)*a(a|b)^60`, whose deterministic automaton has `2^61` states.
#[divan::bench]
fn outside_of_exponentially_many_states(bencher: Bencher<'_, '_>) {
    let ab = || Expr::chars([('a', 'b')]);
    let words = ["a", "b", "ab"].map(Expr::literal);
    let any = Expr::Union(words.to_vec()).star();
    let before_the_end = Expr::Concat(vec![any, Expr::literal("a"), ab().times(60)]);
    let q = [Language::new(&before_the_end, &limits()).unwrap()];
    let p = [Language::new(&ab().star(), &limits()).unwrap(), Language::glob(&"?".repeat(61))];
    assert!(shortest(&p, &q, &limits()).unwrap().is_some());
    bencher.bench(|| shortest(black_box(&p), black_box(&q), &limits()));
}

#[divan::bench]
fn patterns_of_ten_thousand_stars(bencher: Bencher<'_, '_>) {
    let stars = |text: &str| Language::glob(&(text.repeat(10_000) + "*"));
    let (large, small) = (stars("*a"), stars("*a*b"));
    assert_eq!(includes(&large, &small, &limits()), Ok(true));
    bencher.bench(|| includes(black_box(&large), black_box(&small), &limits()));
}

#[divan::bench]
fn twelve_digits_but_some_are_counted(bencher: Bencher<'_, '_>) {
    let digits = Language::new(&Expr::chars([('0', '9')]).times(12), &limits()).unwrap();
    let (p, q) = ([digits], globs(["1111*", "*2222"]));
    assert!(count(&p, &q, &limits()).unwrap().exact().is_some());
    bencher.bench(|| count(black_box(&p), black_box(&q), &limits()));
}

#[divan::bench]
fn a_realistic_name_of_a_bucket(bencher: Bencher<'_, '_>) {
    let (p, q) = (globs(["arn:aws:s3:::*/2026/*"]), globs(["*:::logs*"]));
    let names = ["logs", "example-bucket", "reports"];
    let found = find_realistic(&p, &q, &names, &limits()).unwrap();
    assert_eq!(found.as_deref(), Some("arn:aws:s3:::example-bucket/2026/example-bucket"));
    bencher.bench(|| find_realistic(black_box(&p), black_box(&q), &names, &limits()));
}

#[divan::bench]
fn all_but_a_thousand_words(bencher: Bencher<'_, '_>) {
    let words: Vec<String> = (0..1_000).map(|i| format!("s{}:Name{i}", i % 10)).collect();
    let p = [Language::glob("s1:Name??1")];
    let q = [Language::words(words.iter().map(String::as_str))];
    assert!(shortest(&p, &q, &limits()).unwrap().is_some());
    bencher.bench(|| shortest(black_box(&p), black_box(&q), &limits()));
}

#[divan::bench(args = [3, 6])]
fn floating_words(bencher: Bencher<'_, '_>, n: usize) {
    let words = ["*alpha*", "*bravo*", "*charlie*", "*delta*", "*echo*", "*foxtrot*"];
    let p = globs(words.into_iter().take(n));
    let q = globs(["*a*b*", "*b*a*"]);
    assert_eq!(shortest(&p, &q, &limits()), Ok(None));
    bencher.bench(|| shortest(black_box(&p), black_box(&q), &limits()));
}

#[divan::bench]
fn stars_of_two_classes(bencher: Bencher<'_, '_>) {
    let no_colon = CharClass::single(':').complement();
    let rest =
        Expr::Concat(vec![Expr::Chars(no_colon.clone()).star(), Expr::literal(":"), Expr::All]);
    let p = [Language::glob("a*")];
    let q = [Language::glob_with("*", &no_colon), Language::new(&rest, &limits()).unwrap()];
    assert_eq!(find(&p, &q, &limits()), Ok(None));
    bencher.bench(|| find(black_box(&p), black_box(&q), &limits()));
}

#[divan::bench]
fn three_words_of_a_glob(bencher: Bencher<'_, '_>) {
    let (p, q) = (globs(["team-*"]), globs(["*-prod"]));
    assert_eq!(find_n(&p, &q, 3, &limits()).unwrap().len(), 3);
    bencher.bench(|| find_n(black_box(&p), black_box(&q), 3, &limits()));
}

#[divan::bench]
fn a_core(bencher: Bencher<'_, '_>) {
    let p = globs(["*", "a*"]);
    let mut q = arns(20);
    q.extend(globs(["a", "a?*"]));
    assert_eq!(core(&p, &q, &limits()).unwrap().unwrap().negatives, [20, 21]);
    bencher.bench(|| core(black_box(&p), black_box(&q), &limits()));
}

#[divan::bench]
fn compile_a_glob(bencher: Bencher<'_, '_>) {
    bencher.bench(|| Language::glob(black_box("arn:aws:s3:::logs/*")));
}

#[divan::bench]
fn compile_an_expression(bencher: Bencher<'_, '_>) {
    let expr = Expr::glob("arn:aws:s3:::logs/*/2026/??/*.json");
    bencher.bench(|| Language::new(black_box(&expr), &limits()));
}
