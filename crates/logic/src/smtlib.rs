//! SMT-LIB 2.6 as the concrete syntax of formulas and models.
//!
//! | here | there |
//! |---|---|
//! | variable `aws:SourceVpc` | the symbol `\|aws:SourceVpc\|`; `%`, `$` and what a quoted symbol cannot hold become `%XX` |
//! | [`Sort::Bits`] | `(_ BitVec n)` |
//! | string | its literal; everything but printable ASCII, and `\`, as `\u{X}` |
//! | [`Node::HasPrefix`] | `(= ((_ extract …) x) #b…)`, which all solvers like best of the ways to say it |
//! | [`Node::Matches`] | equality with a concatenation, `str.prefixof`, `str.suffixof`, `str.indexof` (`smtlib/template.rs`) |
//! | a long term that occurs more than once | a `define-fun` named `$n`, so that the text is as small as the term |
//! | an assertion's label | a comment |
//!
//! One membership is one `str.in_re`: the inclusion reasoning of cvc4 and cvc5 works on these.
//! Text goes in and text comes out; who sends it where is not known here.

mod merge;
pub mod read;
mod response;
mod template;

use std::collections::HashMap;
use std::fmt::Write as _;

use crate::regex::Regex;
use crate::term::{Formula, Node, Piece, Sort, Term, Terms};

pub use response::read_model;

/// The variants of SMT-LIB that solvers read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// SMT-LIB 2.6.
    Standard,
    /// SMT-LIB 2.6 as CVC4 1.8 reads it: the bounds of a character range end at U+00FF.
    ///
    /// The complement of a character therefore ends there too. That loses no model as long as the
    /// formula names no character beyond: in a model, every character that the formula does not
    /// name can be replaced by one below U+0100 that it does not name either.
    Cvc4,
}

impl Dialect {
    /// The dialect of that name in configuration files.
    pub fn by_name(name: &str) -> Option<Dialect> {
        match name {
            "smtlib-2.6" => Some(Dialect::Standard),
            "cvc4" => Some(Dialect::Cvc4),
            _ => None,
        }
    }

    /// The greatest character that may bound a range.
    fn last_char(self) -> char {
        match self {
            Dialect::Standard => LAST_CHAR,
            Dialect::Cvc4 => '\u{ff}',
        }
    }
}

/// How memberships of strings are said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// Each by itself.
    Separate,
    /// Those of one variable that stand side by side as one, with intersections and complements.
    Merged,
}

/// The greatest character of SMT-LIB's strings.
const LAST_CHAR: char = '\u{2ffff}';

/// A script in pieces, for a process that reads more than one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    /// The options and the logic, the same for every formula.
    pub options: String,
    /// Declarations, definitions and assertions.
    pub body: String,
    /// `(get-value …)` of every variable that occurs; empty if none does.
    pub get_values: String,
}

impl Script {
    /// The pieces with a `(check-sat)` between them, as one script for one process.
    pub fn whole(&self) -> String {
        [&self.options, &self.body, "(check-sat)\n", &self.get_values].concat()
    }
}

/// The script that asks whether `formula` is satisfiable: declarations, assertions,
/// `(check-sat)`, and `(get-value …)` of every variable that occurs.
///
/// # Errors
///
/// A description of what the dialect cannot say.
pub fn script(formula: &Formula, dialect: Dialect) -> Result<String, String> {
    Ok(pieces(formula, dialect, Encoding::Separate)?.whole())
}

/// The pieces of [`script`], in an encoding.
///
/// # Errors
///
/// A description of what the dialect cannot say.
pub fn pieces(formula: &Formula, dialect: Dialect, encoding: Encoding) -> Result<Script, String> {
    let mut writer = Writer::new(formula, dialect, encoding)?;
    let variables = formula.variables();
    for (name, sort) in &variables {
        writeln!(writer.out, "(declare-const {} {})", symbol(name), sort_text(*sort))
            .expect("writing to a string cannot fail");
    }
    writer.definitions(formula)?;
    match encoding {
        Encoding::Separate => writer.assertions(formula)?,
        Encoding::Merged => writer.merged_assertions(formula)?,
    }
    let symbols: Vec<String> = variables.iter().map(|(name, _)| symbol(name)).collect();
    let get_values = match symbols.is_empty() {
        true => String::new(),
        false => format!("(get-value ({}))\n", symbols.join(" ")),
    };
    Ok(Script { options: OPTIONS.to_owned(), body: writer.out, get_values })
}

/// What every script begins with.
pub const OPTIONS: &str = "(set-option :produce-models true)\n(set-logic ALL)\n";

struct Writer<'a> {
    terms: &'a Terms,
    dialect: Dialect,
    /// Terms that occur more than once, once they are defined.
    defined: HashMap<Term, usize>,
    /// Whether the formula names a character beyond the dialect's last.
    has_far_chars: bool,
    encoding: Encoding,
    languages: merge::Languages,
    out: String,
}

impl<'a> Writer<'a> {
    fn new(
        formula: &'a Formula,
        dialect: Dialect,
        encoding: Encoding,
    ) -> Result<Writer<'a>, String> {
        let mut last = '\0';
        formula.visit(|_, node| match node {
            Node::String(text) => last = text.chars().fold(last, char::max),
            Node::InRe(_, regex) => regex.visit_chars(&mut |c| last = last.max(c)),
            Node::Matches(_, pieces) => {
                for piece in pieces {
                    if let Piece::Text(text) = piece {
                        last = text.chars().fold(last, char::max);
                    }
                }
            }
            _ => {}
        });
        if last > LAST_CHAR {
            return Err(format!("the character `{last}` lies beyond SMT-LIB's alphabet"));
        }
        let has_far_chars = last > dialect.last_char();
        Ok(Writer {
            terms: &formula.terms,
            dialect,
            defined: HashMap::new(),
            has_far_chars,
            encoding,
            languages: merge::Languages::default(),
            out: String::new(),
        })
    }

    fn assertions(&mut self, formula: &Formula) -> Result<(), String> {
        for (label, term) in formula.assertions() {
            let label: String =
                label.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
            write!(self.out, "; {label}\n(assert ").expect("writing to a string cannot fail");
            self.term(*term)?;
            self.out.push_str(")\n");
        }
        Ok(())
    }

    /// Defines every connective, membership and template that has more than one parent.
    fn definitions(&mut self, formula: &Formula) -> Result<(), String> {
        let mut parents: HashMap<Term, u32> = HashMap::new();
        formula.visit(|_, node| node.for_each_child(|c| *parents.entry(c).or_default() += 1));
        let mut shared = Vec::new();
        formula.visit(|term, node| {
            let long =
                matches!(node, Node::And(_) | Node::Or(_) | Node::InRe(..) | Node::Matches(..));
            if long && parents.get(&term).is_some_and(|&n| n > 1) {
                shared.push(term);
            }
        });
        for term in shared {
            if self.encoding == Encoding::Merged && self.has_language(term) {
                continue;
            }
            let number = self.defined.len();
            write!(self.out, "(define-fun ${number} () Bool ").expect("strings accept writes");
            self.node(term)?;
            self.out.push_str(")\n");
            self.defined.insert(term, number);
        }
        Ok(())
    }

    fn term(&mut self, term: Term) -> Result<(), String> {
        match self.defined.get(&term) {
            Some(number) => {
                write!(self.out, "${number}").expect("strings accept writes");
                Ok(())
            }
            None => self.node(term),
        }
    }

    fn node(&mut self, term: Term) -> Result<(), String> {
        match self.terms.node(term) {
            Node::Bool(value) => write!(self.out, "{value}").expect("strings accept writes"),
            Node::String(text) => self.out.push_str(&string(text)),
            Node::Bits { value, width } => self.out.push_str(&bits(*value, *width)),
            Node::Var(index) => self.out.push_str(&symbol(self.terms.variable(*index).0)),
            Node::Not(inner) => self.list("not", &[*inner])?,
            Node::And(children) if self.encoding == Encoding::Merged => {
                self.merged_list(true, children)?;
            }
            Node::Or(children) if self.encoding == Encoding::Merged => {
                self.merged_list(false, children)?;
            }
            Node::And(children) => self.list("and", children)?,
            Node::Or(children) => self.list("or", children)?,
            Node::Eq(a, b) => self.list("=", &[*a, *b])?,
            Node::InRe(string, regex) => {
                self.out.push_str("(str.in_re ");
                self.term(*string)?;
                self.out.push(' ');
                self.regex(regex)?;
                self.out.push(')');
            }
            Node::Matches(string, pieces) => {
                let text = template::formula(&self.string(*string), pieces, &|t| self.string(t))?;
                self.out.push_str(&text);
            }
            Node::HasPrefix { bits: whole, prefix, length } => {
                let Sort::Bits(width) = self.terms.sort(*whole) else {
                    unreachable!("the arena checked the sort")
                };
                write!(self.out, "(= ((_ extract {} {}) ", width - 1, width - length)
                    .expect("strings accept writes");
                self.term(*whole)?;
                write!(self.out, ") {})", bits(*prefix, *length)).expect("strings accept writes");
            }
        }
        Ok(())
    }

    /// The text of a string variable or constant.
    fn string(&self, term: Term) -> String {
        match self.terms.node(term) {
            Node::Var(index) => symbol(self.terms.variable(*index).0),
            Node::String(text) => string(text),
            _ => unreachable!("strings are variables or constants"),
        }
    }

    fn list(&mut self, head: &str, children: &[Term]) -> Result<(), String> {
        self.out.push('(');
        self.out.push_str(head);
        for child in children {
            self.out.push(' ');
            self.term(*child)?;
        }
        self.out.push(')');
        Ok(())
    }

    fn regex(&mut self, regex: &Regex) -> Result<(), String> {
        match regex {
            Regex::Literal(text) => {
                write!(self.out, "(str.to_re {})", string(text)).expect("strings accept writes");
            }
            Regex::AnyChar => self.out.push_str("re.allchar"),
            Regex::All => self.out.push_str("re.all"),
            Regex::Chars(ranges) => self.ranges(ranges)?,
            Regex::NotChar(c) => {
                if self.has_far_chars {
                    return Err("characters beyond U+00FF beside a complement".to_owned());
                }
                let mut ranges = Vec::new();
                if let Some(before) = char::from_u32((*c as u32).wrapping_sub(1)) {
                    ranges.push(('\0', before));
                }
                if let Some(after) = char::from_u32(*c as u32 + 1) {
                    ranges.push((after, self.dialect.last_char()));
                }
                self.ranges(&ranges)?;
            }
            Regex::Concat(parts) => self.regexes("re.++", parts, "(str.to_re \"\")")?,
            Regex::Union(parts) => self.regexes("re.union", parts, "re.none")?,
            Regex::Star(inner) => self.regexes("re.*", std::slice::from_ref(&**inner), "")?,
            // CVC4 1.8, and cvc5 up to 1.0.5, take no repetition of a star for the star, and CVC4 does not
            // see that no number is between these (cvc5/cvc5#9784, cvc5/cvc5-projects#409).
            Regex::Repeat(_, 0) | Regex::Loop(_, 0, Some(0)) => {
                self.out.push_str("(str.to_re \"\")");
            }
            Regex::Loop(_, min, Some(max)) if max < min => self.out.push_str("re.none"),
            Regex::Loop(inner, 0, None) => {
                self.regexes("re.*", std::slice::from_ref(&**inner), "")?;
            }
            Regex::Repeat(inner, times) => {
                write!(self.out, "((_ re.^ {times}) ").expect("strings accept writes");
                self.regex(inner)?;
                self.out.push(')');
            }
            Regex::Loop(inner, min, Some(max)) => {
                write!(self.out, "((_ re.loop {min} {max}) ").expect("strings accept writes");
                self.regex(inner)?;
                self.out.push(')');
            }
            Regex::Loop(inner, min, None) => {
                write!(self.out, "(re.++ ((_ re.^ {min}) ").expect("strings accept writes");
                self.regex(inner)?;
                self.out.push_str(") ");
                self.regexes("re.*", std::slice::from_ref(&**inner), "")?;
                self.out.push(')');
            }
            Regex::Intersection(parts) => self.regexes("re.inter", parts, "re.all")?,
            Regex::Complement(inner) => {
                // The classes of the dialect end early, so a complement must not be told of them.
                if self.has_far_chars {
                    return Err("characters beyond U+00FF beside a complement".to_owned());
                }
                self.regexes("re.comp", std::slice::from_ref(&**inner), "")?;
            }
        }
        Ok(())
    }

    /// `(head part…)`, or the part alone where the head needs two.
    fn regexes(&mut self, head: &str, parts: &[Regex], empty: &str) -> Result<(), String> {
        match parts {
            [] => self.out.push_str(empty),
            [only] if head != "re.*" && head != "re.comp" => self.regex(only)?,
            _ => {
                write!(self.out, "({head}").expect("strings accept writes");
                for part in parts {
                    self.out.push(' ');
                    self.regex(part)?;
                }
                self.out.push(')');
            }
        }
        Ok(())
    }

    fn ranges(&mut self, ranges: &[(char, char)]) -> Result<(), String> {
        if ranges.len() != 1 {
            self.out.push_str(if ranges.is_empty() { "re.none" } else { "(re.union" });
        }
        for (low, high) in ranges {
            if *high > self.dialect.last_char() {
                return Err(format!("a character range that ends at `{high}`"));
            }
            let (low, high) = (string(&low.to_string()), string(&high.to_string()));
            let space = if ranges.len() == 1 { "" } else { " " };
            write!(self.out, "{space}(re.range {low} {high})").expect("strings accept writes");
        }
        if ranges.len() > 1 {
            self.out.push(')');
        }
        Ok(())
    }
}

fn sort_text(sort: Sort) -> String {
    match sort {
        Sort::Bool => "Bool".to_owned(),
        Sort::String => "String".to_owned(),
        Sort::Bits(width) => format!("(_ BitVec {width})"),
    }
}

fn symbol(name: &str) -> String {
    format!("|{}|", plain_symbol(name))
}

/// The symbol for the variable `name`, without the bars. Injective.
fn plain_symbol(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        match c {
            '|' | '\\' | '%' | '$' => {
                write!(out, "%{:02X}", c as u32).expect("strings accept writes");
            }
            ' '..='~' => out.push(c),
            _ => write!(out, "%{{{:X}}}", c as u32).expect("strings accept writes"),
        }
    }
    out
}

fn string(text: &str) -> String {
    string_of(text.chars().map(u32::from))
}

/// The literal of the characters with these numbers.
fn string_of(codes: impl Iterator<Item = u32>) -> String {
    let mut out = String::from("\"");
    for code in codes {
        match char::from_u32(code) {
            Some('"') => out.push_str("\"\""),
            Some(c @ ' '..='~') if c != '\\' => out.push(c),
            _ => write!(out, "\\u{{{code:x}}}").expect("strings accept writes"),
        }
    }
    out.push('"');
    out
}

fn bits(value: u128, width: u32) -> String {
    format!("#b{value:0width$b}", width = width as usize)
}

#[cfg(test)]
pub(crate) mod tests {
    use expect_test::expect;

    use super::*;

    pub(super) fn sample() -> Formula {
        let mut t = Terms::new();
        let (p, s) = (t.var("key?", Sort::Bool), t.var("a|b", Sort::String));
        let ip = t.var("ip", Sort::Bits(32));
        let net = t.has_prefix(ip, 10, 8);
        let hex = Regex::Chars(vec![('0', '9'), ('a', 'f')]);
        let word = Regex::Concat(vec![
            Regex::Literal("\"\\\u{e9}".to_owned()),
            Regex::Repeat(Box::new(hex), 2),
            Regex::Star(Box::new(Regex::NotChar(':'))),
        ]);
        let member = t.in_re(s, word);
        let not_net = t.not(net);
        let shared = t.or([p, member]);
        let first = t.and([shared, net]);
        let second = t.implies(shared, not_net);
        let mut formula = Formula::new(t);
        formula.assert("first\nline", first);
        formula.assert("second", second);
        formula
    }

    #[test]
    fn a_script_declares_shares_asserts_and_asks() {
        let expected = expect![[r#"
            (set-option :produce-models true)
            (set-logic ALL)
            (declare-const |key?| Bool)
            (declare-const |a%7Cb| String)
            (declare-const |ip| (_ BitVec 32))
            (define-fun $0 () Bool (or |key?| (str.in_re |a%7Cb| (re.++ (str.to_re """\u{5c}\u{e9}") ((_ re.^ 2) (re.union (re.range "0" "9") (re.range "a" "f"))) (re.* (re.union (re.range "\u{0}" "9") (re.range ";" "\u{2ffff}")))))))
            ; first line
            (assert (and (= ((_ extract 31 24) |ip|) #b00001010) $0))
            ; second
            (assert (or (not (= ((_ extract 31 24) |ip|) #b00001010)) (not $0)))
            (check-sat)
            (get-value (|key?| |a%7Cb| |ip|))
        "#]];
        expected.assert_eq(&script(&sample(), Dialect::Standard).unwrap());
    }

    #[test]
    fn neighbours_about_one_variable_are_merged() {
        let mut t = Terms::new();
        let (p, x, y) =
            (t.var("p", Sort::Bool), t.var("x", Sort::String), t.var("y", Sort::String));
        let mut starts = |x, text: &str| {
            t.in_re(x, Regex::Concat(vec![Regex::Literal(text.to_owned()), Regex::All]))
        };
        let (a, b, c) = (starts(x, "a"), starts(x, "b"), starts(y, "c"));
        let text = t.string("bd");
        let equal = t.eq(x, text);
        let (not_a, not_equal) = (t.not(a), t.not(equal));
        let b_and_not_equal = t.and([b, not_equal]);
        let mixed = t.or([not_a, p, equal, c]);
        let mut formula = Formula::new(t);
        for (label, term) in [("", not_a), ("", b_and_not_equal), ("", c), ("", mixed)] {
            formula.assert(label, term);
        }
        let expected = expect![[r#"
            (declare-const |p| Bool)
            (declare-const |x| String)
            (declare-const |y| String)
            (assert (str.in_re |x| (re.inter (re.comp (re.++ (str.to_re "a") re.all)) (re.++ (str.to_re "b") re.all) (re.comp (str.to_re "bd")))))
            (assert (str.in_re |y| (re.++ (str.to_re "c") re.all)))
            (assert (or |p| (str.in_re |y| (re.++ (str.to_re "c") re.all)) (str.in_re |x| (re.union (str.to_re "bd") (re.comp (re.++ (str.to_re "a") re.all))))))
        "#]];
        let script = pieces(&formula, Dialect::Standard, Encoding::Merged).unwrap();
        expected.assert_eq(&script.body);
    }

    #[test]
    fn cvc4_cannot_be_told_of_far_characters_beside_a_complement() {
        let check = |text: &str, complement: bool, dialect| {
            let mut t = Terms::new();
            let s = t.var("s", Sort::String);
            let mut parts = vec![Regex::Literal(text.to_owned()), Regex::All];
            if complement {
                parts.push(Regex::NotChar(':'));
            }
            let member = t.in_re(s, Regex::Concat(parts));
            let mut formula = Formula::new(t);
            formula.assert("", member);
            script(&formula, dialect).is_ok()
        };
        assert!(check("\u{e9}", true, Dialect::Cvc4));
        assert!(check("\u{151}", false, Dialect::Cvc4));
        assert!(!check("\u{151}", true, Dialect::Cvc4));
        assert!(check("\u{151}", true, Dialect::Standard));
        assert!(!check("\u{30000}", false, Dialect::Standard));
    }
}
