//! What a solver says of a model, read.
//!
//! More lenient than the reader of scripts, because a value that is misread does no harm: whoever gets
//! the model evaluates it.

use std::collections::HashMap;

use super::plain_symbol;
use super::read::literal;
use super::read::tree::{Expression, Id, Reader, Tree};
use crate::model::{Model, Value};
use crate::term::{Formula, Sort};

/// Reads the response to the `(get-value …)` of [`script`](super::script): a value for every variable.
///
/// A character that SMT-LIB has and Unicode scalar values lack (a surrogate) becomes U+FFFD;
/// whether the model survives that is for its checker to say.
///
/// # Errors
///
/// A description of what is not understood or missing.
pub fn read_model(formula: &Formula, response: &str) -> Result<Model, String> {
    let mut names: HashMap<String, (&str, Sort)> =
        formula.variables().into_iter().map(|(n, s)| (plain_symbol(n), (n, s))).collect();
    let mut model = Model::new();
    if names.is_empty() {
        return Ok(model);
    }
    let tree = Reader::new(response).next().map_err(|error| error.to_string())?;
    let tree = tree.ok_or("the response ends too early")?;
    let pairs = tree.parts(tree.root()).ok_or("not a list of values")?;
    for &pair in pairs {
        let Some(&[name, value]) = tree.parts(pair) else { return Err("not a pair".to_owned()) };
        let name = tree.symbol(name).ok_or("not a pair of a symbol and a value")?;
        let Some((name, sort)) = names.remove(name) else {
            return Err(format!("a value for `{name}`, which was not asked for"));
        };
        let value = read_value(&tree, value, sort);
        model.insert(name, value.ok_or_else(|| format!("no value of `{name}`'s sort"))?);
    }
    match names.values().next() {
        Some((missing, _)) => Err(format!("no value for `{missing}`")),
        None => Ok(model),
    }
}

/// The value of that sort that an expression denotes.
fn read_value(tree: &Tree<'_>, value: Id, sort: Sort) -> Option<Value> {
    match (sort, tree.get(value)) {
        (Sort::Bool, Expression::Symbol(word)) => word.parse().ok().map(Value::Bool),
        (Sort::String, Expression::String(raw)) => {
            Some(Value::String(literal::read_leniently(raw)))
        }
        (Sort::Bits(width), expression) => {
            let value = read_bits(tree, expression, width)?;
            (width == 128 || value >> width == 0).then_some(Value::Bits { value, width })
        }
        _ => None,
    }
}

/// `#b101`, `#x5` or `(_ bv5 3)`.
fn read_bits(tree: &Tree<'_>, expression: Expression<'_, '_>, width: u32) -> Option<u128> {
    match expression {
        Expression::Number(word) => match word.strip_prefix("#b") {
            Some(digits) => u128::from_str_radix(digits, 2).ok(),
            None => u128::from_str_radix(word.strip_prefix("#x")?, 16).ok(),
        },
        Expression::List(&[_, number, bits]) => match tree.get(bits) {
            Expression::Number(bits) if bits.parse() == Ok(width) => {
                tree.symbol(number)?.strip_prefix("bv")?.parse().ok()
            }
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::sample;
    use super::*;

    #[test]
    fn a_model_is_read_in_all_the_ways_that_solvers_write() {
        let formula = sample();
        for bits in ["#b00001010000000000000000000000001", "#x0a000001", "(_ bv167772161 32)"] {
            let response =
                format!("((|key?| true)\n (|a%7Cb| \"\"\"\\u{{5c}}\\u00e9 \\u\")(ip {bits}))");
            let model = read_model(&formula, &response).unwrap();
            assert_eq!(model.get("key?"), Some(&Value::Bool(true)));
            assert_eq!(model.get("a|b"), Some(&Value::String("\"\\\u{e9} \\u".to_owned())));
            assert_eq!(model.get("ip"), Some(&Value::Bits { value: 0x0a00_0001, width: 32 }));
        }
    }

    #[test]
    fn what_is_not_a_model_is_an_error() {
        for response in [
            "",
            "(",
            ")",
            "((",
            "((ip #b1) (|key?| true))",
            "((ip true) (|key?| true) (|a%7Cb| \"\"))",
            "((zz true))",
            "(error \"no model\")",
            "((|key?| \"x\") (|a%7Cb| \"\") (ip #x00000000))",
            "((|key? true))",
        ] {
            assert!(read_model(&sample(), response).is_err(), "{response}");
        }
        let deep = "(".repeat(100_000);
        assert!(read_model(&sample(), &deep).is_err());
    }
}
