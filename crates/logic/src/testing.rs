//! Random formulas over few variables, and all assignments to these.

use keyaki_testing::arbitrary::{self, Unstructured};

use crate::model::{Model, Value};
use crate::regex::Regex;
use crate::term::{Formula, Piece, Sort, Term, Terms};

/// The strings that variables may be.
const STRINGS: [&str; 4] = ["", "a", "b", "ab"];

/// A term over the variables of [`all_models`], of every kind of atom.
pub(crate) fn random_term(
    u: &mut Unstructured<'_>,
    t: &mut Terms,
    depth: u32,
) -> arbitrary::Result<Term> {
    let choice = if depth == 0 { u.int_in_range(0..=4)? } else { u.int_in_range(0..=7)? };
    Ok(match choice {
        0 => {
            let name = *u.choose(&["p", "q", "r"])?;
            t.var(name, Sort::Bool)
        }
        1 => {
            let (x, c) = (*u.choose(&["x", "y"])?, *u.choose(&STRINGS)?);
            let (x, c) = (t.var(x, Sort::String), t.string(c));
            t.eq(x, c)
        }
        2 => {
            let x = t.var(u.choose::<&str>(&["x", "y"])?, Sort::String);
            let first = Regex::Literal(u.choose::<&str>(&["a", "b"])?.to_string());
            t.in_re(x, Regex::Concat(vec![first, Regex::All]))
        }
        3 => {
            if u.arbitrary()? {
                let (x, y) = (t.var("x", Sort::String), t.var("y", Sort::String));
                t.eq(x, y)
            } else {
                let n = t.var("n", Sort::Bits(2));
                t.has_prefix(n, u.int_in_range(0..=1)?, 1)
            }
        }
        4 => {
            let (x, y) = (t.var("x", Sort::String), t.var("y", Sort::String));
            let choices = [
                Piece::Value(x),
                Piece::Value(y),
                Piece::text("a"),
                Piece::text("b"),
                Piece::Any,
                Piece::AnyChar,
            ];
            let mut pieces = Vec::new();
            for _ in 0..u.int_in_range(1..=4)? {
                pieces.push(u.choose(&choices)?.clone());
            }
            let ab = t.string("ab");
            let string = *u.choose(&[x, y, ab])?;
            t.matches(string, pieces)
        }
        5 => {
            let inner = random_term(u, t, depth - 1)?;
            t.not(inner)
        }
        connective => {
            let mut children = Vec::new();
            for _ in 0..u.int_in_range(1..=4)? {
                children.push(random_term(u, t, depth - 1)?);
            }
            if connective == 6 { t.and(children) } else { t.or(children) }
        }
    })
}

/// Three Booleans, two strings over a tiny set, one bit vector: small enough to try all.
pub(crate) fn all_models() -> Vec<Model> {
    let mut models = Vec::new();
    for flags in 0..8u32 {
        for x in STRINGS {
            for y in STRINGS {
                for n in 0..4 {
                    let mut model = Model::new();
                    for (i, name) in ["p", "q", "r"].into_iter().enumerate() {
                        model.insert(name, Value::Bool(flags >> i & 1 == 1));
                    }
                    model.insert("x", Value::String(x.to_owned()));
                    model.insert("y", Value::String(y.to_owned()));
                    model.insert("n", Value::Bits { value: n, width: 2 });
                    models.push(model);
                }
            }
        }
    }
    models
}

/// A conjunction of at most `max_roots` random terms.
pub(crate) fn random_formula(
    u: &mut Unstructured<'_>,
    max_roots: usize,
    depth: u32,
) -> arbitrary::Result<Formula> {
    let mut t = Terms::new();
    let mut roots = Vec::new();
    for _ in 0..u.int_in_range(1..=max_roots)? {
        roots.push(random_term(u, &mut t, depth)?);
    }
    let mut formula = Formula::new(t);
    for root in roots {
        formula.assert("", root);
    }
    Ok(formula)
}
