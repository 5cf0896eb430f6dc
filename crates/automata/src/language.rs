//! A compiled language: immutable, shared, cheap to clone.
//!
//! What an expression is compiled to depends on what it is, because nearly everything that
//! policies say is a word or a pattern, and those are decided without automata (`query.rs`).
//! Complement and intersection at the top stay formulas over languages and are evaluated state by
//! state while a product is searched; only those inside concatenations are made deterministic.

use std::fmt;
use std::sync::{Arc, OnceLock};

use crate::class::CharClass;
use crate::expr::Expr;
use crate::limits::{LimitExceeded, Limits, Meter};
use crate::nfa::{ALL, DEAD, Nfa};
use crate::pattern::{Item, Pattern};
use crate::product::Product;

/// A regular language over Unicode scalar values.
#[derive(Clone)]
pub struct Language(Arc<Inner>);

struct Inner {
    shape: Shape,
    /// The ASCII characters that words and single items of patterns name, as bits.
    named_ascii: u128,
    size: usize,
    /// The automaton of a shape other than `Nfa` and `Formula`, made when first asked for.
    nfa: OnceLock<Nfa>,
}

/// How a language is represented; the first that fits.
pub(crate) enum Shape {
    /// Exactly these words, ascending, without duplicates.
    Words(Box<[Box<str>]>),
    /// The union of one or more patterns.
    Patterns(Box<[Pattern]>),
    /// Any other without complement and intersection at the top.
    Nfa(Nfa),
    /// A Boolean combination of languages that are no formulas themselves, in postfix order.
    Formula { operands: Box<[Language]>, operations: Box<[Operation]> },
}

/// A step in the evaluation of a formula, on a stack of truth values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    /// Pushes whether the word is in this operand.
    Operand(u32),
    /// Replaces so many values by their conjunction.
    And(u32),
    /// Replaces so many values by their disjunction.
    Or(u32),
    Not,
}

/// The number of patterns up to which a union of patterns is kept as such.
const MAX_ALTERNATIVES: usize = 64;
/// The number of repetitions of a class up to which they are items of a pattern.
const MAX_COPIES_IN_PATTERN: u32 = 256;

impl Language {
    /// The language of an expression.
    pub fn new(expr: &Expr, limits: &Limits<'_>) -> Result<Language, LimitExceeded> {
        Language::nested(expr, 0, &mut Meter::new(limits))
    }

    /// Exactly this word.
    pub fn literal(word: &str) -> Language {
        Language::from_shape(Shape::Words([Box::from(word)].into()))
    }

    /// Exactly these words.
    pub fn words<'w>(words: impl IntoIterator<Item = &'w str>) -> Language {
        let mut words: Vec<Box<str>> = words.into_iter().map(Box::from).collect();
        words.sort_unstable();
        words.dedup();
        Language::from_shape(Shape::Words(words.into()))
    }

    /// No word.
    pub fn empty() -> Language {
        Language::words([])
    }

    /// Every word.
    pub fn all() -> Language {
        Language::pattern([Item::star(CharClass::ANY)])
    }

    /// The concatenation of the items.
    pub fn pattern(items: impl IntoIterator<Item = Item>) -> Language {
        match Pattern::new(items) {
            None => Language::empty(),
            Some(pattern) => Language::from_patterns(vec![pattern]),
        }
    }

    /// The pattern in which `*` is any word and `?` any character.
    pub fn glob(pattern: &str) -> Language {
        Language::glob_with(pattern, &CharClass::ANY)
    }

    /// The pattern in which `*` is any word over `class` and `?` any character of it.
    pub fn glob_with(pattern: &str, class: &CharClass) -> Language {
        Language::pattern(pattern.chars().map(|c| match c {
            '*' => Item::star(class.clone()),
            '?' => Item::one(class.clone()),
            _ => Item::one(CharClass::single(c)),
        }))
    }

    /// As [`Language::glob`], whatever the case of ASCII letters; without `*` and `?` the words that
    /// differ from the pattern at most in that.
    ///
    /// Of other letters the case matters. Rules for them differ, and are classes of characters to
    /// [`Language::pattern`].
    pub fn glob_ignoring_ascii_case(pattern: &str) -> Language {
        Language::pattern(pattern.chars().map(|c| match c {
            '*' => Item::star(CharClass::ANY),
            '?' => Item::one(CharClass::ANY),
            _ => Item::one(CharClass::ignoring_ascii_case(c)),
        }))
    }

    /// As [`Language::new`], so deep in complements within concatenations.
    pub(crate) fn nested(
        expr: &Expr,
        depth: usize,
        meter: &mut Meter<'_>,
    ) -> Result<Language, LimitExceeded> {
        if let Some(language) = special(expr, meter)? {
            return Ok(language);
        }
        if !is_boolean(expr) {
            return Ok(Language::from_shape(Shape::Nfa(Nfa::new(expr, depth, meter)?)));
        }
        formula(expr, depth, meter)
    }

    fn from_shape(shape: Shape) -> Language {
        let named_ascii = named_ascii(&shape);
        let size = size(&shape);
        Language(Arc::new(Inner { shape, named_ascii, size, nfa: OnceLock::new() }))
    }

    fn from_patterns(mut patterns: Vec<Pattern>) -> Language {
        if patterns.iter().all(|pattern| pattern.as_literal().is_some()) {
            return Language::words(patterns.iter().filter_map(Pattern::as_literal));
        }
        if let Some(universal) = patterns.iter().position(Pattern::is_universal) {
            patterns.swap(0, universal);
            patterns.truncate(1);
        }
        Language::from_shape(Shape::Patterns(patterns.into()))
    }

    pub(crate) fn shape(&self) -> &Shape {
        &self.0.shape
    }

    /// The ASCII characters that its words and the single items of its patterns name.
    pub(crate) fn named_ascii(&self) -> u128 {
        self.0.named_ascii
    }

    /// How many steps each character of a word may cost in [`Language::matches`], at most.
    pub fn size(&self) -> usize {
        self.0.size
    }

    /// Whether both are the same value (not only the same language).
    pub fn is_same(&self, other: &Language) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Its only word, if it was recognised to have exactly one.
    pub fn as_literal(&self) -> Option<&str> {
        match self.shape() {
            Shape::Words(words) if words.len() == 1 => Some(&words[0]),
            _ => None,
        }
    }

    /// Its words, ascending, if it was recognised to be a list of words.
    pub fn as_words(&self) -> Option<&[Box<str>]> {
        match self.shape() {
            Shape::Words(words) => Some(words),
            _ => None,
        }
    }

    /// The pattern that it is, if it was recognised to be one and no list of words.
    pub fn as_pattern(&self) -> Option<&Pattern> {
        match self.shape() {
            Shape::Patterns(patterns) if patterns.len() == 1 => Some(&patterns[0]),
            _ => None,
        }
    }

    /// True only if no word is in the language. False says nothing if it is a Boolean combination;
    /// [`crate::find`] decides those.
    pub fn is_empty(&self) -> bool {
        match self.shape() {
            Shape::Words(words) => words.is_empty(),
            Shape::Patterns(_) => false,
            Shape::Nfa(nfa) => nfa.start == DEAD,
            Shape::Formula { .. } => false,
        }
    }

    /// True only if every word is in the language. False says nothing; [`crate::is_universal`]
    /// decides.
    pub fn is_universal(&self) -> bool {
        match self.shape() {
            Shape::Patterns(patterns) => patterns[0].is_universal(),
            Shape::Nfa(nfa) => nfa.start == ALL,
            Shape::Words(_) | Shape::Formula { .. } => false,
        }
    }

    /// Whether `word` is in the language. At most length of the word × size of the language steps.
    pub fn matches(&self, word: &str) -> bool {
        match self.shape() {
            Shape::Words(words) => match &**words {
                [only] => **only == *word,
                _ => words.binary_search_by(|other| (**other).cmp(word)).is_ok(),
            },
            Shape::Patterns(patterns) => patterns.iter().any(|pattern| pattern.matches(word)),
            Shape::Nfa(nfa) => nfa.matches(word),
            Shape::Formula { operands, operations } => {
                evaluate(operations, |operand| operands[operand as usize].matches(word))
            }
        }
    }

    /// Its automaton, unless it is a formula.
    pub(crate) fn nfa(&self) -> Option<&Nfa> {
        match self.shape() {
            Shape::Words(words) => Some(self.0.nfa.get_or_init(|| Nfa::of_words(words))),
            Shape::Patterns(patterns) => {
                Some(self.0.nfa.get_or_init(|| Nfa::of_patterns(patterns)))
            }
            Shape::Nfa(nfa) => Some(nfa),
            Shape::Formula { .. } => None,
        }
    }

    /// The deterministic automaton of the language, as a nondeterministic one of which no two
    /// transitions compete; every state of it leads to a word.
    pub(crate) fn determinise(&self, meter: &mut Meter<'_>) -> Result<Nfa, LimitExceeded> {
        let (mut positives, mut negatives) = (Vec::new(), Vec::new());
        self.split(true, &mut positives, &mut negatives);
        let mut product = Product::new(&positives, &negatives, meter)?;
        product.explore(meter)?.into_nfa(&product, meter)
    }

    /// The operands and operations by which it is a formula; a language that is none is the
    /// formula of itself.
    fn append_to(&self, operands: &mut Vec<Language>, operations: &mut Vec<Operation>) {
        let offset = operands.len() as u32;
        match self.shape() {
            Shape::Formula { operands: inner, operations: steps } => {
                operands.extend(inner.iter().cloned());
                operations.extend(steps.iter().map(|step| match step {
                    Operation::Operand(operand) => Operation::Operand(operand + offset),
                    other => *other,
                }));
            }
            _ => {
                operands.push(self.clone());
                operations.push(Operation::Operand(offset));
            }
        }
    }

    /// The combination of the parts by `last`.
    fn combine(parts: &[Language], last: Operation) -> Language {
        let (mut operands, mut operations) = (Vec::new(), Vec::new());
        for part in parts {
            part.append_to(&mut operands, &mut operations);
        }
        operations.push(last);
        Language::from_shape(Shape::Formula {
            operands: operands.into(),
            operations: operations.into(),
        })
    }

    /// Every word that is not in the language.
    pub fn complement(&self) -> Language {
        if self.is_empty() {
            Language::all()
        } else if self.is_universal() {
            Language::empty()
        } else {
            Language::combine(std::slice::from_ref(self), Operation::Not)
        }
    }

    /// The words in all of `parts`; every word if there is none.
    pub fn intersection(parts: &[Language]) -> Language {
        match parts {
            [] => Language::all(),
            [only] => only.clone(),
            _ => Language::combine(parts, Operation::And(parts.len() as u32)),
        }
    }

    /// The words in some of `parts`.
    pub fn union(parts: &[Language]) -> Language {
        match parts {
            [] => Language::empty(),
            [only] => only.clone(),
            _ => {
                let patterns = parts.iter().map(Language::patterns).collect::<Option<Vec<_>>>();
                match patterns.map(|patterns| patterns.concat()) {
                    Some(patterns) if is_kept(&patterns) => Language::from_patterns(patterns),
                    _ => match parts.iter().map(Language::nfa).collect::<Option<Vec<_>>>() {
                        Some(nfas) => Language::from_shape(Shape::Nfa(Nfa::union(nfas))),
                        None => Language::combine(parts, Operation::Or(parts.len() as u32)),
                    },
                }
            }
        }
    }

    /// Whether [`Language::split`] with the same argument does more than add this language.
    pub(crate) fn can_split(&self, is_wanted: bool) -> bool {
        let Shape::Formula { operations, .. } = self.shape() else { return false };
        match operations.last() {
            Some(Operation::And(_)) => is_wanted,
            Some(Operation::Or(_)) => !is_wanted || is_union_of_operands(operations),
            Some(_) => true,
            None => false,
        }
    }

    /// Adds languages such that a word is in this language (or, unless `is_wanted`, is not) if and
    /// only if it is in all the positives and in none of the negatives added.
    pub(crate) fn split(
        &self,
        is_wanted: bool,
        positives: &mut Vec<Language>,
        negatives: &mut Vec<Language>,
    ) {
        let Shape::Formula { operands, operations } = self.shape() else {
            if is_wanted { positives } else { negatives }.push(self.clone());
            return;
        };
        let begins = begins(operations);
        // Where the subformula ends, and whether it has to be true.
        let mut open = vec![(operations.len(), is_wanted)];
        while let Some((end, is_wanted)) = open.pop() {
            let begin = begins[end - 1];
            match operations[end - 1] {
                Operation::Not => open.push((end - 1, !is_wanted)),
                Operation::Operand(operand) => {
                    let language = operands[operand as usize].clone();
                    if is_wanted { &mut *positives } else { &mut *negatives }.push(language);
                }
                Operation::And(n) if is_wanted => {
                    open.extend(parts(&begins, end, n).map(|end| (end, true)));
                }
                Operation::Or(n) if !is_wanted => {
                    open.extend(parts(&begins, end, n).map(|end| (end, false)));
                }
                _ => {
                    let language = subformula(operands, &operations[begin..end]);
                    if is_wanted { &mut *positives } else { &mut *negatives }.push(language);
                }
            }
        }
    }

    fn patterns(&self) -> Option<Vec<Pattern>> {
        match self.shape() {
            Shape::Words(words) => Some(words.iter().map(|word| Pattern::literal(word)).collect()),
            Shape::Patterns(patterns) => Some(patterns.to_vec()),
            Shape::Nfa(_) | Shape::Formula { .. } => None,
        }
    }
}

impl fmt::Debug for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.shape() {
            Shape::Words(words) => f.debug_set().entries(words).finish(),
            Shape::Patterns(patterns) => f.debug_set().entries(patterns).finish(),
            Shape::Nfa(nfa) => write!(f, "Nfa({} states)", nfa.states.len()),
            Shape::Formula { operands, operations } => {
                f.debug_tuple("Formula").field(operands).field(operations).finish()
            }
        }
    }
}

fn size(shape: &Shape) -> usize {
    match shape {
        Shape::Words(_) => 1,
        Shape::Patterns(patterns) => patterns.iter().map(|pattern| pattern.items().len()).sum(),
        Shape::Nfa(nfa) => nfa.states.len(),
        Shape::Formula { operands, operations } => {
            operands.iter().map(Language::size).sum::<usize>() + operations.len()
        }
    }
}

fn named_ascii(shape: &Shape) -> u128 {
    match shape {
        Shape::Words(words) => {
            let ascii = words.iter().flat_map(|word| word.bytes()).filter(u8::is_ascii);
            ascii.fold(0, |bits, byte| bits | 1 << byte)
        }
        Shape::Patterns(patterns) => {
            patterns.iter().fold(0, |bits, pattern| bits | pattern.named_ascii())
        }
        Shape::Nfa(_) | Shape::Formula { .. } => 0,
    }
}

/// Whether patterns stay patterns rather than become an automaton.
fn is_kept(patterns: &[Pattern]) -> bool {
    patterns.len() <= MAX_ALTERNATIVES
        || patterns.iter().all(|pattern| pattern.as_literal().is_some())
}

/// The value of a formula.
pub(crate) fn evaluate(operations: &[Operation], mut operand: impl FnMut(u32) -> bool) -> bool {
    let mut stack: Vec<bool> = Vec::new();
    for operation in operations {
        let value = match *operation {
            Operation::Operand(number) => operand(number),
            Operation::Not => !stack.pop().unwrap_or(false),
            Operation::And(n) => {
                stack.drain(stack.len() - n as usize..).fold(true, |all, value| all & value)
            }
            Operation::Or(n) => {
                stack.drain(stack.len() - n as usize..).fold(false, |any, value| any | value)
            }
        };
        stack.push(value);
    }
    stack.pop().unwrap_or(false)
}

/// For each operation, where the subformula that it ends begins.
fn begins(operations: &[Operation]) -> Vec<usize> {
    let mut begins: Vec<usize> = Vec::with_capacity(operations.len());
    for (at, operation) in operations.iter().enumerate() {
        let n = match *operation {
            Operation::Operand(_) => 0,
            Operation::Not => 1,
            Operation::And(n) | Operation::Or(n) => n,
        };
        begins.push(parts(&begins, at + 1, n).last().map_or(at, |end| begins[end - 1]));
    }
    begins
}

/// Where the `n` parts of the operation before `end` end, the last first.
fn parts(begins: &[usize], end: usize, n: u32) -> impl Iterator<Item = usize> {
    let mut end = end - 1;
    (0..n).map(move |_| {
        let part = end;
        end = begins[part - 1];
        part
    })
}

/// A part of a formula as a language; a union of automata is one automaton.
fn subformula(operands: &[Language], operations: &[Operation]) -> Language {
    let mut used = Vec::new();
    let renumber = |operation: &Operation| match *operation {
        Operation::Operand(operand) => {
            used.push(operands[operand as usize].clone());
            Operation::Operand(used.len() as u32 - 1)
        }
        other => other,
    };
    let operations: Vec<Operation> = operations.iter().map(renumber).collect();
    if is_union_of_operands(&operations) {
        return Language::union(&used);
    }
    Language::from_shape(Shape::Formula { operands: used.into(), operations: operations.into() })
}

fn is_union_of_operands(operations: &[Operation]) -> bool {
    let [parts @ .., Operation::Or(_)] = operations else { return false };
    parts.iter().all(|part| matches!(part, Operation::Operand(_)))
}

/// Whether it is better a formula than an automaton: it is a complement or an intersection, or a
/// union of such.
fn is_boolean(expr: &Expr) -> bool {
    let mut parts = vec![expr];
    while let Some(part) = parts.pop() {
        match part {
            Expr::Intersection(_) | Expr::Complement(_) => return true,
            Expr::Union(alternatives) => parts.extend(alternatives),
            _ => {}
        }
    }
    false
}

/// The language of an expression that is boolean at the top, by a stack instead of recursion.
fn formula(expr: &Expr, depth: usize, meter: &mut Meter<'_>) -> Result<Language, LimitExceeded> {
    enum Task<'e> {
        Visit(&'e Expr),
        Apply(Operation),
    }
    let (mut operands, mut operations) = (Vec::new(), Vec::new());
    let mut tasks = vec![Task::Visit(expr)];
    while let Some(task) = tasks.pop() {
        meter.step(1)?;
        meter.holds(operands.len(), 0)?;
        match task {
            Task::Apply(operation) => operations.push(operation),
            Task::Visit(expr) => {
                let (operation, parts): (_, &[Expr]) = match expr {
                    Expr::Intersection(parts) => (Operation::And(parts.len() as u32), parts),
                    Expr::Complement(inner) => (Operation::Not, std::slice::from_ref(&**inner)),
                    Expr::Union(parts) if is_boolean(expr) => {
                        (Operation::Or(parts.len() as u32), parts)
                    }
                    _ => {
                        // Neither complement nor intersection nor a union of such: no recursion.
                        let part = Language::nested(expr, depth, meter)?;
                        part.append_to(&mut operands, &mut operations);
                        continue;
                    }
                };
                tasks.push(Task::Apply(operation));
                tasks.extend(parts.iter().map(Task::Visit));
            }
        }
    }
    Ok(Language::from_shape(Shape::Formula {
        operands: operands.into(),
        operations: operations.into(),
    }))
}

/// The language of an expression that is a union of words or of not too many patterns.
fn special(expr: &Expr, meter: &mut Meter<'_>) -> Result<Option<Language>, LimitExceeded> {
    let mut alternatives = Vec::new();
    let mut parts = vec![expr];
    let mut class: Vec<(char, char)> = Vec::new();
    while let Some(part) = parts.pop() {
        meter.step(1)?;
        match part {
            Expr::Union(inner) => parts.extend(inner),
            // All alternatives of one character are one class.
            Expr::Chars(chars) => class.extend_from_slice(chars.ranges()),
            Expr::Empty => {}
            _ => match items(part, meter)? {
                Some(items) => alternatives.extend(Pattern::new(items)),
                None => return Ok(None),
            },
        }
        meter.holds(alternatives.len(), 0)?;
    }
    if !class.is_empty() {
        alternatives.extend(Pattern::new([Item::one(CharClass::new(class))]));
    }
    Ok(is_kept(&alternatives).then(|| Language::from_patterns(alternatives)))
}

/// The items of an expression that is one sequence of classes and stars of classes.
fn items(expr: &Expr, meter: &mut Meter<'_>) -> Result<Option<Vec<Item>>, LimitExceeded> {
    let mut items = Vec::new();
    let mut parts = vec![expr];
    while let Some(part) = parts.pop() {
        meter.step(1)?;
        meter.holds(items.len(), 0)?;
        match part {
            Expr::Literal(text) => {
                meter.step(text.len())?;
                items.extend(text.chars().map(|c| Item::one(CharClass::single(c))));
            }
            Expr::Chars(class) => items.push(Item::one(class.clone())),
            Expr::AnyChar => items.push(Item::one(CharClass::ANY)),
            Expr::All => items.push(Item::star(CharClass::ANY)),
            Expr::Concat(inner) => parts.extend(inner.iter().rev()),
            Expr::Star(inner) => match class_of(inner) {
                Some(class) => items.push(Item::star(class)),
                None => return Ok(None),
            },
            Expr::Repeat { inner, min, max }
                if *min <= MAX_COPIES_IN_PATTERN && max.is_none_or(|max| max == *min) =>
            {
                let Some(class) = class_of(inner) else { return Ok(None) };
                items.extend((0..*min).map(|_| Item::one(class.clone())));
                items.extend(max.is_none().then(|| Item::star(class)));
            }
            _ => return Ok(None),
        }
    }
    Ok(Some(items))
}

fn class_of(expr: &Expr) -> Option<CharClass> {
    match expr {
        Expr::Chars(class) => Some(class.clone()),
        Expr::AnyChar => Some(CharClass::ANY),
        Expr::Literal(text) => {
            let mut chars = text.chars();
            let only = chars.next()?;
            chars.next().is_none().then(|| CharClass::single(only))
        }
        _ => None,
    }
}
