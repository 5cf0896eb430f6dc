//! Tests of the reader: scripts and what they become, as the writer says it.

use expect_test::{Expect, expect};
use keyaki_testing::arbitrary::{self, Unstructured};
use keyaki_testing::arbtest;

use super::super::{Dialect, Encoding, pieces};
use super::*;
use crate::eval;
use crate::testing::{all_models, random_formula};

const DECLARATIONS: &str = "(declare-const x String)(declare-fun y () String)
(declare-const p Bool)(declare-const q Bool)(declare-const n (_ BitVec 8))
(declare-const L RegLan)";

/// The script with declarations before and a `check-sat` behind.
fn read(commands: &str) -> Script {
    let text = format!("{DECLARATIONS}\n{commands}\n(check-sat)");
    script(&text).unwrap_or_else(|error| panic!("{error} in {text}"))
}

/// What is asserted, one assertion a line.
fn assertions(script: &Script) -> String {
    let body = pieces(&script.formula, Dialect::Standard, Encoding::Separate).unwrap().body;
    let lines = body.lines().filter(|line| !line.starts_with(';'));
    lines.filter(|line| !line.starts_with("(declare")).map(|line| format!("{line}\n")).collect()
}

#[track_caller]
fn check(commands: &str, expected: Expect) {
    let script = read(commands);
    assert_eq!(script.unsupported, None);
    expected.assert_eq(assertions(&script).trim_end());
}

/// A term of sort `Bool`, asserted.
#[track_caller]
fn check_term(term: &str, expected: Expect) {
    check(&format!("(assert {term})"), expected);
}

/// The language of a term, asserted of `x`.
#[track_caller]
fn check_language(term: &str, expected: Expect) {
    check(&format!("(assert (str.in_re x {term}))"), expected);
}

/// What is outside of the fragment, with its place.
#[track_caller]
fn check_unsupported(commands: &str, expected: &str) {
    let script = read(commands);
    let unsupported = script.unsupported.map(|it| {
        // The declarations are the first lines.
        format!("{} at {}:{}", it.what, it.place.line - 3, it.place.column)
    });
    assert_eq!(unsupported.as_deref(), Some(expected), "{commands}");
}

#[track_caller]
fn check_error(text: &str, expected: &str) {
    let error = script(text).map(|_| ()).unwrap_err();
    assert!(!error.hint.is_empty());
    assert_eq!(error.to_string(), expected);
}

#[test]
fn connectives() {
    check_term("(and p (not q))", expect![[r#"(assert (and |p| (not |q|)))"#]]);
    check_term("(or p q)", expect![[r#"(assert (or |p| |q|))"#]]);
    // To the right: p and q imply p.
    check_term("(=> p q p)", expect![[r#"(assert true)"#]]);
    check_term("(=> p q)", expect![[r#"(assert (or |q| (not |p|)))"#]]);
    check_term("(= p q)", expect![[r#"(assert (and (or |q| (not |p|)) (or |p| (not |q|))))"#]]);
    check_term(
        "(xor p q)",
        expect![[r#"(assert (not (and (or |q| (not |p|)) (or |p| (not |q|)))))"#]],
    );
    check_term(
        "(ite p (= x \"a\") q)",
        expect![[r#"(assert (and (or (= |x| "a") (not |p|)) (or |p| |q|)))"#]],
    );
    check_term(
        "(distinct p q true)",
        expect![
            "(assert (and (not |q|) (not |p|) (not (and (or |p| (not |q|)) (or |q| (not |p|))))))"
        ],
    );
    check_term("(and (= x x) false)", expect![[r#"(assert false)"#]]);
    check_term("(= x \"a\" y)", expect![[r#"(assert (and (= |x| "a") (= |y| "a")))"#]]);
    check_term("(distinct x y)", expect![[r#"(assert (not (= |x| |y|)))"#]]);
}

#[test]
fn languages() {
    check_language("re.none", expect!["(assert false)"]);
    check_language("re.all", expect!["(assert true)"]);
    check_language("re.allchar", expect!["(assert (str.in_re |x| re.allchar))"]);
    check_language(r#"(str.to_re "a""b")"#, expect![[r#"(assert (= |x| "a""b"))"#]]);
    check_language(
        r#"(re.++ (str.to_re "a") (re.++ (str.to_re "b") re.all) (re.* re.allchar))"#,
        expect![[r#"(assert (str.in_re |x| (re.++ (str.to_re "ab") re.all)))"#]],
    );
    check_language(
        r#"(re.union (str.to_re "aa") (re.range "a" "c") (str.to_re "x"))"#,
        expect![[
            r#"(assert (str.in_re |x| (re.union (str.to_re "aa") (re.union (re.range "a" "c") (re.range "x" "x")))))"#
        ]],
    );
    check_language(
        r#"(re.inter (re.* (str.to_re "ab")) (re.comp (re.+ (str.to_re "c"))))"#,
        expect![[
            r#"(assert (str.in_re |x| (re.inter (re.* (str.to_re "ab")) (re.comp (re.++ ((_ re.^ 1) (str.to_re "c")) (re.* (str.to_re "c")))))))"#
        ]],
    );
    check_language(
        r#"(re.diff re.allchar (str.to_re "a") (str.to_re "b"))"#,
        expect![[
            r#"(assert (str.in_re |x| (re.inter re.allchar (re.comp (str.to_re "a")) (re.comp (str.to_re "b")))))"#
        ]],
    );
    check_language(
        r#"(re.++ (re.opt (str.to_re "a")) ((_ re.^ 3) re.allchar) ((_ re.loop 2 5) (str.to_re "b")))"#,
        expect![[
            r#"(assert (str.in_re |x| (re.++ ((_ re.loop 0 1) (str.to_re "a")) ((_ re.^ 3) re.allchar) ((_ re.loop 2 5) (str.to_re "b")))))"#
        ]],
    );
    check_language(r#"((_ re.loop 3 2) (str.to_re "a"))"#, expect!["(assert false)"]);
    check_language(r#"((_ re.^ 0) (str.to_re "a"))"#, expect![[r#"(assert (= |x| ""))"#]]);
    check_language(r#"(re.range "b" "a")"#, expect!["(assert false)"]);
    check_language(r#"(re.range "ab" "c")"#, expect!["(assert false)"]);
}

#[test]
fn old_spellings() {
    check(
        r#"(assert (str.in.re x (re.++ (str.to.re "a") (re.loop (re.range "0" "9") 1 3))))"#,
        expect![[
            r#"(assert (str.in_re |x| (re.++ (str.to_re "a") ((_ re.loop 1 3) (re.range "0" "9")))))"#
        ]],
    );
    check("(assert (str.in.re x re.nostr))", expect!["(assert false)"]);
    // SMT-LIB 2.5 has other escapes; whether this is one or four characters nobody can tell.
    check_unsupported(
        r#"(assert (= y "\x41"))(assert (str.in.re x re.nostr))"#,
        "a backslash in a string beside names of before SMT-LIB 2.6, which had other escapes at 1:14",
    );
    // It is not that a part of the script had no model.
    assert_eq!(read(r#"(assert (str.in.re "\x41" re.nostr))"#).formula.assertions().len(), 0);
    check(r#"(assert (= y "\x41"))"#, expect![[r#"(assert (= |y| "\u{5c}x41"))"#]]);
}

#[test]
fn strings() {
    check_term(
        r#"(str.prefixof "a" x)"#,
        expect![[r#"(assert (str.in_re |x| (re.++ (str.to_re "a") re.all)))"#]],
    );
    check_term(
        r#"(str.suffixof "a" x)"#,
        expect![[r#"(assert (str.in_re |x| (re.++ re.all (str.to_re "a"))))"#]],
    );
    check_term(
        r#"(str.contains x "a")"#,
        expect![[r#"(assert (str.in_re |x| (re.++ re.all (str.to_re "a") re.all)))"#]],
    );
    check_term("(str.prefixof x y)", expect![[r#"(assert (str.prefixof |x| |y|))"#]]);
    check_term(
        r#"(str.suffixof (str.++ "a" (str.++ "b" x)) y)"#,
        expect![[r#"(assert (str.suffixof (str.++ "ab" |x|) |y|))"#]],
    );
    check_term(
        r#"(= x (str.++ "a" y "b" "c"))"#,
        expect![[r#"(assert (= |x| (str.++ "a" |y| "bc")))"#]],
    );
    check_term(r#"(= (str.++ "a" "b") x)"#, expect![[r#"(assert (= |x| "ab"))"#]]);
    check_term(r#"(str.in_re "ab" (re.* (str.to_re "ab")))"#, expect!["(assert true)"]);
    check_term("(= x (_ char #x2f))", expect![[r#"(assert (= |x| "/"))"#]]);
    // A concatenation is a variable that is equal to it, and the same each time.
    check_term(
        r#"(and (str.in_re (str.++ x y) (re.+ re.allchar)) (= (str.++ x y) (str.++ y "a")))"#,
        expect![[r#"
            (assert (= |%5C0| (str.++ |x| |y|)))
            (assert (= |%5C1| (str.++ |y| "a")))
            (assert (and (str.in_re |%5C0| (re.++ ((_ re.^ 1) re.allchar) (re.* re.allchar))) (= |%5C1| (str.++ |x| |y|))))"#]],
    );
}

#[test]
fn bit_vectors() {
    check_term("(= n #x0f)", expect!["(assert (= |n| #b00001111))"]);
    check_term("(= (_ bv10 8) n)", expect!["(assert (= |n| #b00001010))"]);
    check_term(
        "(= ((_ extract 7 4) n) #b1010)",
        expect!["(assert (= ((_ extract 7 4) |n|) #b1010))"],
    );
    check_term("(= ((_ extract 7 0) n) n)", expect!["(assert true)"]);
    check_term("(= ((_ extract 5 4) #x9f) #b01)", expect!["(assert true)"]);
}

#[test]
fn names() {
    check(
        "(define-fun r () Bool (and p q))(assert (or r p))",
        expect!["(assert (or |p| (and |p| |q|)))"],
    );
    check("(define-const a String \"a\")(assert (= x a))", expect![[r#"(assert (= |x| "a"))"#]]);
    check(
        "(define-fun starts ((s String) (L RegLan)) Bool (str.in_re s (re.++ L re.all)))
         (assert (starts x (str.to_re \"a\")))(assert (starts y (str.to_re \"b\")))",
        expect![[r#"
            (assert (str.in_re |x| (re.++ (str.to_re "a") re.all)))
            (assert (str.in_re |y| (re.++ (str.to_re "b") re.all)))"#]],
    );
    check(
        "(assert (! (or p q) :named first))(assert (not first))",
        expect![[r#"
            (assert (or |p| |q|))
            (assert (not (or |p| |q|)))"#]],
    );
    check(
        "(assert (= L (str.to_re \"a\")))(assert (not (str.in_re x L)))",
        expect![[r#"(assert (not (= |x| "a")))"#]],
    );
    check("(declare-const |a b| Bool)(assert |a b|)", expect!["(assert |a b|)"]);
    check("(assert |p|)", expect!["(assert |p|)"]);
}

#[test]
fn let_binds_at_once_and_within() {
    check_term("(let ((p q) (q p)) (and p (not q)))", expect!["(assert (and |q| (not |p|)))"]);
    check_term("(and (let ((p q)) p) p)", expect!["(assert (and |p| |q|))"]);
    check_term(
        "(let ((a p)) (let ((a q) (b a)) (and a (not b))))",
        expect!["(assert (and |q| (not |p|)))"],
    );
    // What the caller names is nothing to the function, and the other way round.
    check(
        "(define-fun f ((a Bool)) Bool (or a p))(assert (let ((p false) (b q)) (f b)))",
        expect!["(assert (or |p| |q|))"],
    );
    check_unsupported(
        "(define-fun f ((a Bool)) Bool (or a b))\n(assert (let ((b true)) (f b)))",
        "the symbol `b` at 1:37",
    );
    check_unsupported("(assert (and (let ((a p)) a) a))", "the symbol `a` at 1:30");
}

#[test]
fn scopes() {
    check(
        "(assert p)(push 1)(declare-const z Bool)(assert z)(assert (str.< x y))(pop 1)
         (push)(declare-const z Bool)(assert (not z))",
        expect![[r#"
            (assert |p|)
            (assert (not |z|))"#]],
    );
    check(
        "(assert p)(reset)(declare-const p String)(assert (= p \"a\"))",
        expect![[r#"(assert (= |p| "a"))"#]],
    );
    check_unsupported("(push 1)(declare-const z Bool)(pop 1)(assert z)", "the symbol `z` at 1:46");
    check_unsupported(
        "(push 1)(declare-const z Bool)(pop 1)(declare-const z String)",
        "`z`, which is declared twice at 1:53",
    );
    check_unsupported("(declare-const p Bool)", "`p`, which is declared twice at 1:16");
    check_unsupported("(push 1000000000000)", "more than 10000 levels at 1:1");
}

#[test]
fn what_is_asked_later_does_not_count() {
    let script = script(
        "(set-info :status unsat)(declare-const p Bool)(assert p)(check-sat)
        (get-model)(assert (not p))(check-sat)(exit)(((",
    )
    .unwrap();
    assert_eq!((script.n_checks, script.status), (2, Some(Status::Unsat)));
    assert_eq!(assertions(&script), "(assert |p|)\n");
}

#[test]
fn what_is_outside_has_a_place_and_is_left_out() {
    check_unsupported("(assert p)\n(assert (and p (str.< x y)))", "the function `str.<` at 2:16");
    check_unsupported("(assert (= (str.len x) 5))", "the function `str.len` at 1:12");
    check_unsupported("(declare-const i Int)(assert (= i 5))", "`i` of sort `Int` at 1:33");
    check_unsupported("(assert (exists ((a Bool)) a))", "the function `exists` at 1:9");
    check_unsupported("(assert (= 1.5 2.5))", "the number `1.5` at 1:12");
    check_unsupported(
        "(assert (str.in_re x L))",
        "the language `L`, which is not asserted to be one before at 1:22",
    );
    check_unsupported(
        "(assert (str.in_re x (str.to_re y)))",
        "`str.to_re` of a string that is not constant at 1:22",
    );
    check_unsupported("(assert (= re.all re.none))", "equality of RegLan and RegLan at 1:9");
    check_unsupported("(assert (= x p))", "equality of String and Bool at 1:9");
    check_unsupported("(assert (ite p x y))", "`ite` of String at 1:9");
    check_unsupported("(assert x)", "an assertion of String at 1:9");
    check_unsupported(
        "(assert (= ((_ extract 3 0) n) #x0))",
        "`extract` of other bits than the first at 1:12",
    );
    check_unsupported("(assert (= (bvand n n) n))", "the function `bvand` at 1:12");
    check_unsupported(
        "(assert (= x \"\u{e9}\"))",
        "the character U+00E9 in a string; write `\\u{e9}` at 1:14",
    );
    check_unsupported("(check-sat-assuming (p))", "`check-sat-assuming` at 1:1");
    check_unsupported("(minimise p)", "the command `minimise` at 1:1");
    check_unsupported(
        "(assert ((_ re.^ 99999999999) re.all))",
        "the number `99999999999`, which has more than 32 bits at 1:18",
    );
    // The rest stands, unless nobody knows what the command does.
    assert_eq!(assertions(&read("(assert (str.< x y))(assert p)")), "(assert |p|)\n");
    assert_eq!(assertions(&read("(assert p)(take-back)")), "");
}

#[test]
fn what_is_broken_is_an_error() {
    check_error("(assert (and p)", "a parenthesis is never closed at 1:1");
    check_error("(check-sat))", "a parenthesis too many at 1:12");
    check_error("assert", "something else than a command at 1:1");
    check_error("((assert))", "something else than a command at 1:1");
    check_error("(assert)", "a command of another shape at 1:1");
    check_error("(declare-const x)", "a command of another shape at 1:1");
    check_error("(declare-fun x String)", "a command of another shape at 1:1");
    check_error("(define-fun f (x) Bool true)", "a command of another shape at 1:1");
    check_error("\n (declare-const 5 Bool)", "something else than a name at 2:17");
    check_error("(assert (let (x) x))", "a `let` without bindings at 1:9");
    check_error("(assert (and () :k))", "an empty list instead of a term at 1:14");
    check_error("(assert :k)", "a keyword instead of a term at 1:9");
    check_error("(pop 1)", "a `pop` of more levels than there are at 1:1");
}

#[test]
fn what_grows_when_it_is_expanded_is_refused() {
    let mut text =
        String::from("(declare-const x String)(define-fun r0 () RegLan (re.range \"a\" \"b\"))\n");
    for i in 0..40 {
        text += &format!("(define-fun r{} () RegLan (re.++ r{i} (re.* r{i}) r{i}))\n", i + 1);
    }
    let script = script(&(text + "(assert (str.in_re x r40))")).unwrap();
    assert!(script.unsupported.unwrap().what.contains("once definitions are expanded"));
    // Calls of calls, each twice.
    let mut text = String::from("(declare-const p Bool)(define-fun f0 ((a Bool)) Bool (not a))\n");
    for i in 0..60 {
        text += &format!("(define-fun f{} ((a Bool)) Bool (and (f{i} a) (f{i} (not a))))\n", i + 1);
    }
    let script = super::script(&(text + "(assert (f60 p))")).unwrap();
    assert!(script.unsupported.unwrap().what.contains("once definitions are expanded"));
    // A concatenation of itself with itself, of variables and of texts.
    for part in ["x", "\"abcdefghijklmnop\""] {
        let mut text = format!("(declare-const x String)(define-fun s0 () String {part})\n");
        for i in 0..60 {
            text += &format!("(define-fun s{} () String (str.++ s{i} s{i}))\n", i + 1);
        }
        let script = super::script(&(text + "(assert (= x s60))")).unwrap();
        assert!(script.unsupported.unwrap().what.contains(" of more than "));
    }
    let endless = "(declare-const p Bool)(define-fun f ((a Bool)) Bool (not (f a)))(assert (f p))";
    let script = super::script(endless).unwrap();
    assert_eq!(script.unsupported.unwrap().what, "calls nested more than 1000 deep");
}

#[test]
fn what_is_deep_is_read() {
    let n = 20_000;
    let deep = |open: &str, close: &str| format!("(assert {}p{})", open.repeat(n), close.repeat(n));
    for (open, close) in [("(not ", ")"), ("(and q ", ")"), ("(let ((a p)) ", ")")] {
        let script = read(&deep(open, close));
        assert_eq!(script.unsupported, None);
        assert_eq!(script.formula.assertions().len(), 1);
    }
    let language = format!("{}(str.to_re \"a\"){}", "(re.opt ".repeat(n), ")".repeat(n));
    check_unsupported(
        &format!("(assert (str.in_re x {language}))"),
        &format!("a regular expression nested more than 100 deep at 1:{}", 22 + 8 * (n - 100)),
    );
}

#[test]
fn a_model_is_written_as_smt_lib_has_it() {
    let script = script(
        "(declare-const |a b| String)(declare-const p Bool)(declare-const n (_ BitVec 4))
        (assert (= |a b| \"\\u{d800}\"))(assert p)(check-sat)",
    )
    .unwrap();
    let mut model = Model::new();
    model.insert("a b", Value::String("\u{30000}\"\\".to_owned()));
    model.insert("p", Value::Bool(true));
    let expected = expect![[r#"
        (
          (define-fun |a b| () String "\u{d800}""\u{5c}")
          (define-fun p () Bool true)
          (define-fun n () (_ BitVec 4) #b0000)
        )"#]];
    expected.assert_eq(&script.model(&model).unwrap());
    assert_eq!(eval::holds(&script.formula, &model), Ok(false));
    // SMT-LIB has no such character.
    model.insert("a b", Value::String("\u{10ffff}".to_owned()));
    assert_eq!(script.model(&model), None);
}

#[test]
fn what_is_written_is_read_as_the_same() {
    let models = all_models();
    arbtest(|u| {
        let formula = random_formula(u, 4, 3)?;
        let Ok(text) = super::super::script(&formula, Dialect::Standard) else { return Ok(()) };
        let script = script(&text).unwrap();
        for model in &models {
            // A variable that stands for a concatenation is not among the model's.
            let has_more =
                script.formula.variables().iter().any(|(name, _)| name.starts_with('\\'));
            if has_more {
                continue;
            }
            let expected = eval::holds(&formula, model);
            let found = eval::holds(&script.formula, model);
            match script.unsupported {
                None => assert_eq!(found, expected, "{text}"),
                // Fewer assertions.
                Some(_) => assert!(found == Ok(true) || expected == Ok(false), "{text}"),
            }
        }
        Ok(())
    });
}

#[test]
fn no_text_is_too_strange() {
    let words = [
        "(",
        ")",
        "(assert ",
        "(declare-const x String)",
        "(declare-fun f (Bool) Bool)",
        "\"",
        "\"\"",
        "|",
        "x",
        "p",
        "(let ((x ",
        "))",
        "(define-fun f ((x String)) Bool ",
        "(str.in_re ",
        "re.all",
        "(_ re.^ ",
        "(_ re.loop 1 2)",
        "(! ",
        ":named ",
        "5",
        "#x",
        "#b1",
        "(_ bv5 ",
        "(_ char #x41)",
        "(push 1)",
        "(pop 1)",
        "(= ",
        "(re.range ",
        "\\u{",
        "\\ud800",
        "}",
        ";",
        "\n",
        "\u{e9}",
        "(re.loop ",
        "true ",
        "(check-sat)",
        "(str.++ ",
        "Bool",
        "(as ",
        "(reset)",
    ];
    arbtest(|u| {
        let mut text = String::new();
        for _ in 0..u.int_in_range(0..=40)? {
            text += match u.ratio(1, 8)? {
                true => u.arbitrary::<&str>()?,
                false => random_word(u, &words)?,
            };
        }
        if let Ok(script) = script(&text) {
            drop(script.model(&Model::new()));
        }
        Ok(())
    })
    .budget_ms(500);
}

fn random_word<'w>(u: &mut Unstructured<'_>, words: &[&'w str]) -> arbitrary::Result<&'w str> {
    u.choose(words).copied()
}
