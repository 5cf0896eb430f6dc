//! Functions of SMT-LIB, applied.

use std::rc::Rc;

use super::language::Language;
use super::terms::Machine;
use super::value::{Value, concatenation};
use crate::template::Piece;
use crate::term::{Node, Sort, Term};

/// How many terms may be said to be pairwise distinct: half a million pairs.
const MAX_DISTINCT: usize = 1_000;

/// How many variables and texts may be in one concatenation.
const MAX_PIECES: usize = 100_000;

/// How many bytes of text are copied in a step.
pub(super) const BYTES_OF_STEP: usize = 16;

/// A function of SMT-LIB that is read, by whatever name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    Not,
    And,
    Or,
    Implies,
    Xor,
    Equal,
    Distinct,
    IfThenElse,
    InLanguage,
    IsPrefix,
    IsSuffix,
    Contains,
    ConcatStrings,
    ToLanguage,
    Concat,
    Union,
    Intersection,
    Complement,
    Difference,
    Star,
    Plus,
    Optional,
    Range,
    /// So many repetitions: at least, at most.
    Repeat(u32, u32),
    /// The bits from one number down to another, of which the last is 0.
    Extract(u32, u32),
}

impl Function {
    /// The function of a name, and whether that is its name of before SMT-LIB 2.6.
    pub(super) fn by_name(name: &str) -> Option<(Function, bool)> {
        let (function, is_old) = match name {
            "not" => (Function::Not, false),
            "and" => (Function::And, false),
            "or" => (Function::Or, false),
            "=>" => (Function::Implies, false),
            "xor" => (Function::Xor, false),
            "=" => (Function::Equal, false),
            "distinct" => (Function::Distinct, false),
            "ite" => (Function::IfThenElse, false),
            "str.in_re" => (Function::InLanguage, false),
            "str.in.re" => (Function::InLanguage, true),
            "str.prefixof" => (Function::IsPrefix, false),
            "str.suffixof" => (Function::IsSuffix, false),
            "str.contains" => (Function::Contains, false),
            "str.++" => (Function::ConcatStrings, false),
            "str.to_re" => (Function::ToLanguage, false),
            "str.to.re" => (Function::ToLanguage, true),
            "re.++" => (Function::Concat, false),
            "re.union" => (Function::Union, false),
            "re.inter" => (Function::Intersection, false),
            "re.comp" => (Function::Complement, false),
            "re.complement" => (Function::Complement, true),
            "re.diff" => (Function::Difference, false),
            "re.*" => (Function::Star, false),
            "re.+" => (Function::Plus, false),
            "re.opt" => (Function::Optional, false),
            "re.range" => (Function::Range, false),
            _ => return None,
        };
        Some((function, is_old))
    }

    fn name(self) -> &'static str {
        match self {
            Function::Not => "not",
            Function::And => "and",
            Function::Or => "or",
            Function::Implies => "=>",
            Function::Xor => "xor",
            Function::Equal => "=",
            Function::Distinct => "distinct",
            Function::IfThenElse => "ite",
            Function::InLanguage => "str.in_re",
            Function::IsPrefix => "str.prefixof",
            Function::IsSuffix => "str.suffixof",
            Function::Contains => "str.contains",
            Function::ConcatStrings => "str.++",
            Function::ToLanguage => "str.to_re",
            Function::Concat => "re.++",
            Function::Union => "re.union",
            Function::Intersection => "re.inter",
            Function::Complement => "re.comp",
            Function::Difference => "re.diff",
            Function::Star => "re.*",
            Function::Plus => "re.+",
            Function::Optional => "re.opt",
            Function::Range => "re.range",
            Function::Repeat(..) => "re.loop",
            Function::Extract(..) => "extract",
        }
    }
}

/// Why a function cannot be applied, in words.
pub(super) type Refused = String;

impl Machine<'_> {
    /// The value of a function of these arguments.
    pub(super) fn apply(
        &mut self,
        function: Function,
        mut arguments: Vec<Value>,
    ) -> Result<Value, Refused> {
        let name = function.name();
        match function {
            Function::Not => {
                let [term] = self.bools(name, arguments)?[..] else { return Err(count(name)) };
                Ok(Value::Bool(self.terms.not(term)))
            }
            Function::And => {
                let terms = self.bools(name, arguments)?;
                Ok(Value::Bool(self.terms.and(terms)))
            }
            Function::Or => {
                let terms = self.bools(name, arguments)?;
                Ok(Value::Bool(self.terms.or(terms)))
            }
            Function::Implies => {
                let mut terms = self.bools(name, arguments)?;
                let Some(mut all) = terms.pop() else { return Err(count(name)) };
                while let Some(premise) = terms.pop() {
                    all = self.terms.implies(premise, all);
                }
                Ok(Value::Bool(all))
            }
            Function::Xor => {
                let terms = self.bools(name, arguments)?;
                let xor = |all: Term, term| {
                    let same = self.terms.iff(all, term);
                    self.terms.not(same)
                };
                terms.into_iter().reduce(xor).map(Value::Bool).ok_or_else(|| count(name))
            }
            Function::Equal => {
                let mut all = Vec::new();
                for pair in arguments.windows(2) {
                    all.push(self.equal(&pair[0], &pair[1])?);
                }
                Ok(Value::Bool(self.terms.and(all)))
            }
            Function::Distinct => {
                if arguments.len() > MAX_DISTINCT {
                    return Err(format!("`distinct` of more than {MAX_DISTINCT} terms"));
                }
                let mut all = Vec::new();
                for (i, a) in arguments.iter().enumerate() {
                    for b in &arguments[..i] {
                        let same = self.equal(a, b)?;
                        all.push(self.terms.not(same));
                    }
                }
                Ok(Value::Bool(self.terms.and(all)))
            }
            Function::IfThenElse => {
                if let Some(Value::Bool(condition)) = arguments.first()
                    && let Some(truth) = self.terms.as_bool(*condition)
                    && arguments.len() == 3
                {
                    return Ok(arguments.swap_remove(if truth { 1 } else { 2 }));
                }
                let [condition, then, other] = self.bools(name, arguments)?[..] else {
                    return Err(count(name));
                };
                let not = self.terms.not(condition);
                let (then, other) = (self.terms.or([not, then]), self.terms.or([condition, other]));
                Ok(Value::Bool(self.terms.and([then, other])))
            }
            Function::InLanguage => {
                let (language, text) = (arguments.pop(), arguments.pop());
                let (Some(Value::Text(text)), Some(Value::Language(language)), []) =
                    (text, language, &arguments[..])
                else {
                    return Err(format!("`{name}` of something else than a String and a RegLan"));
                };
                if let Some(text) = Value::Text(Rc::clone(&text)).constant() {
                    return self.constant_in_language(text, language);
                }
                self.spend(language.cost())?;
                let string = self.string(&text);
                Ok(Value::Bool(self.terms.in_re(string, language.into_regex())))
            }
            Function::IsPrefix | Function::IsSuffix | Function::Contains => {
                self.part_of(function, texts(name, arguments)?)
            }
            Function::ConcatStrings => {
                let texts = texts(name, arguments)?;
                self.spend(texts.iter().map(|text| cost(text)).sum())?;
                let text = concatenation(&texts);
                if text.len() > MAX_PIECES {
                    return Err(format!(
                        "a concatenation of more than {MAX_PIECES} variables and texts"
                    ));
                }
                Ok(Value::Text(text))
            }
            Function::ToLanguage => match &arguments[..] {
                [value] => match value.constant() {
                    Some(text) => {
                        self.spend(text.len())?;
                        Ok(Value::Language(Language::literal(text)))
                    }
                    None => Err(format!("`{name}` of a string that is not constant")),
                },
                _ => Err(count(name)),
            },
            Function::Range => match &arguments[..] {
                [low, high] => match (low.constant(), high.constant()) {
                    (Some(low), Some(high)) => Ok(Value::Language(Language::range(low, high))),
                    _ => Err(format!("`{name}` of strings that are not constant")),
                },
                _ => Err(count(name)),
            },
            Function::Extract(high, low) => self.extract(high, low, &arguments),
            _ => {
                let mut languages = languages(name, arguments)?;
                self.spend(languages.iter().map(Language::cost).sum())?;
                let made = match function {
                    Function::Concat => Language::concat(languages),
                    Function::Union => Language::union(languages),
                    Function::Intersection => Language::intersection(languages),
                    Function::Difference => {
                        let others = languages.split_off(1);
                        let others: Result<Vec<_>, _> =
                            others.into_iter().map(Language::complement).collect();
                        languages.extend(others?);
                        Language::intersection(languages)
                    }
                    _ => {
                        let (Some(only), true) = (languages.pop(), languages.is_empty()) else {
                            return Err(count(name));
                        };
                        match function {
                            Function::Complement => only.complement(),
                            Function::Star => only.star(),
                            Function::Plus => only.repeat(1, None),
                            Function::Optional => only.repeat(0, Some(1)),
                            Function::Repeat(min, max) => only.repeat(min, Some(max)),
                            _ => Err(format!("`{name}`")),
                        }
                    }
                };
                made.map(Value::Language)
            }
        }
    }

    fn bools(&self, name: &str, arguments: Vec<Value>) -> Result<Vec<Term>, Refused> {
        if arguments.is_empty() {
            return Err(count(name));
        }
        let terms = arguments.into_iter().map(|argument| match argument {
            Value::Bool(term) => Ok(term),
            other => Err(format!("`{name}` of {}", other.sort_name())),
        });
        terms.collect()
    }

    /// That two values are equal.
    fn equal(&mut self, a: &Value, b: &Value) -> Result<Term, Refused> {
        match (a, b) {
            (Value::Bool(a), Value::Bool(b)) => Ok(self.terms.iff(*a, *b)),
            (Value::Text(a), Value::Text(b)) => Ok(self.equal_texts(a, b)),
            (Value::Bits(a), Value::Bits(b)) if self.terms.sort(*a) == self.terms.sort(*b) => {
                Ok(self.terms.eq(*a, *b))
            }
            (Value::First(bits, length), Value::Bits(constant))
            | (Value::Bits(constant), Value::First(bits, length)) => {
                match *self.terms.node(*constant) {
                    Node::Bits { value, width } if width == *length => {
                        Ok(self.terms.has_prefix(*bits, value, width))
                    }
                    _ => {
                        Err("bits that are compared with something else than a constant".to_owned())
                    }
                }
            }
            _ => Err(format!("equality of {} and {}", a.sort_name(), b.sort_name())),
        }
    }

    fn equal_texts(&mut self, a: &Rc<[Piece]>, b: &Rc<[Piece]>) -> Term {
        let (whole, parts) = if is_single(a) { (a, b) } else { (b, a) };
        let whole = self.string(whole);
        self.terms.matches(whole, parts.iter().cloned())
    }

    /// That one string begins with, ends with or contains another.
    fn part_of(&mut self, function: Function, texts: Vec<Rc<[Piece]>>) -> Result<Value, Refused> {
        let [first, second] = &texts[..] else { return Err(count(function.name())) };
        let (whole, part) = match function {
            Function::Contains => (first, second),
            _ => (second, first),
        };
        self.spend(part.len())?;
        let mut pieces = Vec::new();
        if function != Function::IsPrefix {
            pieces.push(Piece::Any);
        }
        pieces.extend(part.iter().cloned());
        if function != Function::IsSuffix {
            pieces.push(Piece::Any);
        }
        let whole = self.string(whole);
        Ok(Value::Bool(self.terms.matches(whole, pieces)))
    }

    /// The term of a string. A concatenation becomes a variable of which it is asserted that it is
    /// that: there is always exactly one value for it, so this may stand wherever the
    /// concatenation may.
    fn string(&mut self, text: &Rc<[Piece]>) -> Term {
        match &text[..] {
            [] => self.terms.string(""),
            [Piece::Text(text)] => self.terms.string(text),
            [Piece::Value(term)] => *term,
            pieces => {
                if let Some(&known) = self.concatenations.get(text) {
                    return known;
                }
                let variable = self.new_variable();
                let is_equal = self.terms.matches(variable, pieces.iter().cloned());
                self.concatenations.insert(Rc::clone(text), variable);
                self.definitions.push(is_equal);
                variable
            }
        }
    }

    /// Whether a constant is in a language: what takes long is left to the solver, who looks at the
    /// clock.
    fn constant_in_language(&mut self, text: &str, language: Language) -> Result<Value, Refused> {
        self.spend(text.len())?;
        if let Some(is_in) = self.constant_is_in(text, &language) {
            return Ok(Value::Bool(self.terms.bool(is_in)));
        }
        self.spend(language.cost())?;
        let variable = self.new_variable();
        let text = self.terms.string(text);
        let is_equal = self.terms.eq(variable, text);
        self.definitions.push(is_equal);
        Ok(Value::Bool(self.terms.in_re(variable, language.into_regex())))
    }

    /// A string variable that the script does not have: no symbol has a backslash.
    fn new_variable(&mut self) -> Term {
        let name = format!("\\{}", self.definitions.len());
        self.terms.var(&name, Sort::String)
    }

    fn extract(&mut self, high: u32, low: u32, arguments: &[Value]) -> Result<Value, Refused> {
        let [Value::Bits(bits)] = arguments else {
            return Err("`extract` of something else than a variable or constant".to_owned());
        };
        let Sort::Bits(width) = self.terms.sort(*bits) else { return Err(count("extract")) };
        if high < low || high >= width {
            return Err(format!("`extract` beyond the {width} bits"));
        }
        let length = high - low + 1;
        if length == width {
            return Ok(Value::Bits(*bits));
        }
        if let Node::Bits { value, .. } = *self.terms.node(*bits) {
            // Fewer bits than the width, so fewer than 128.
            let value = value >> low & ((1 << length) - 1);
            return Ok(Value::Bits(self.terms.bits(value, length)));
        }
        if high + 1 < width {
            return Err("`extract` of other bits than the first".to_owned());
        }
        Ok(Value::First(*bits, length))
    }
}

fn is_single(pieces: &[Piece]) -> bool {
    matches!(pieces, [] | [_])
}

/// What it takes to copy the pieces: a step each, and one for so many bytes of text.
fn cost(pieces: &[Piece]) -> usize {
    let of_piece = |piece: &Piece| match piece {
        Piece::Text(text) => 1 + text.len() / BYTES_OF_STEP,
        _ => 1,
    };
    pieces.iter().map(of_piece).sum()
}

fn texts(name: &str, arguments: Vec<Value>) -> Result<Vec<Rc<[Piece]>>, Refused> {
    let texts = arguments.into_iter().map(|argument| match argument {
        Value::Text(pieces) => Ok(pieces),
        other => Err(format!("`{name}` of {}", other.sort_name())),
    });
    texts.collect()
}

fn languages(name: &str, arguments: Vec<Value>) -> Result<Vec<Language>, Refused> {
    if arguments.is_empty() {
        return Err(count(name));
    }
    let languages = arguments.into_iter().map(|argument| match argument {
        Value::Language(language) => Ok(language),
        other => Err(format!("`{name}` of {}", other.sort_name())),
    });
    languages.collect()
}

fn count(name: &str) -> Refused {
    format!("`{name}` of another number of arguments than it takes")
}
