//! Terms of a script, evaluated to what they stand for.
//!
//! A machine with a stack of tasks, since a term may be nested as deep as a text is long. A `let`
//! binds values, so that what it names is evaluated once; a function with arguments is evaluated
//! anew for each call, in a frame of its own, in which nothing of the caller has a name.

use std::collections::HashMap;
use std::rc::Rc;

use super::apply::{BYTES_OF_STEP, Function, Refused};
use super::language::Language;
use super::literal;
use super::tree::{Expression, Id, Tree};
use super::value::{Declarable, Value};
use crate::regex::Effort;
use crate::template::Piece;
use crate::term::{Sort, Term, Terms};

/// What all terms of a script may cost: parts evaluated, copied and moved.
const MAX_STEPS: usize = 5_000_000;

/// What a call of a defined function costs, in steps.
const STEPS_OF_CALL: usize = 32;

/// How deep calls of defined functions may be nested.
const MAX_CALLS: usize = 1_000;

/// Why a term has no value here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It is outside of the fragment: what, and the byte where it stands.
    Unsupported(String, usize),
    /// It is no term: what is wrong with it, what to do, and where.
    Malformed(&'static str, &'static str, usize),
}

/// What a symbol of the script stands for.
#[derive(Clone, Debug)]
pub(super) enum Global<'x> {
    /// A constant with its value.
    Value(Value),
    /// A function with arguments.
    Function(Rc<Macro<'x>>),
    /// A regular language that nothing is known of yet.
    SomeLanguage,
    /// Something outside of the fragment.
    Refused(String),
}

/// A defined function.
#[derive(Debug)]
pub(super) struct Macro<'x> {
    pub(super) parameters: Vec<(&'x str, Declarable)>,
    pub(super) tree: Rc<Tree<'x>>,
    pub(super) body: Id,
}

/// What is left to do. Values wait on a stack.
enum Task<'x> {
    Evaluate(Rc<Tree<'x>>, Id),
    /// Applies a function to the last so many values.
    Apply(Function, usize, usize),
    /// Binds the names of these bindings to the last values, and then evaluates the body.
    Bind {
        tree: Rc<Tree<'x>>,
        bindings: Id,
        body: Id,
    },
    /// Forgets these bindings.
    Unbind {
        tree: Rc<Tree<'x>>,
        bindings: Id,
    },
    /// Calls a function with the last values.
    Call(Rc<Macro<'x>>, usize, usize),
    Return(Rc<Macro<'x>>),
    /// Gives the last value a name that stays.
    Name(&'x str, usize),
}

/// Evaluates terms.
#[derive(Default)]
pub(super) struct Machine<'x> {
    pub(super) terms: Terms,
    pub(super) globals: HashMap<&'x str, Global<'x>>,
    /// The names that have been added to the globals, in order.
    pub(super) added: Vec<&'x str>,
    /// Variables that stand for concatenations.
    pub(super) concatenations: HashMap<Rc<[Piece]>, Term>,
    /// What has to be true for them to do so.
    pub(super) definitions: Vec<Term>,
    /// The byte of the first literal with a backslash that was an escape before SMT-LIB 2.6.
    pub(super) old_escape: Option<usize>,
    /// Whether a name is used that is not one of SMT-LIB 2.6.
    pub(super) has_old_names: bool,
    /// The label that the last term gave itself.
    pub(super) label: Option<&'x str>,
    n_steps: usize,
    tasks: Vec<Task<'x>>,
    values: Vec<Value>,
    /// Of each local name what it is bound to, with the frame that it belongs to; the last counts.
    locals: HashMap<&'x str, Vec<(usize, Value)>>,
    /// The calls that are open; the last is the one whose names are visible.
    frames: Vec<usize>,
    n_frames: usize,
}

impl<'x> Machine<'x> {
    /// The value of a term.
    pub(super) fn evaluate(&mut self, tree: &Rc<Tree<'x>>, id: Id) -> Result<Value, Refusal> {
        self.values.clear();
        self.locals.clear();
        self.frames.clear();
        self.tasks.clear();
        self.label = None;
        self.tasks.push(Task::Evaluate(Rc::clone(tree), id));
        while let Some(task) = self.tasks.pop() {
            self.perform(task)?;
        }
        let at = tree.offset(id);
        self.values.pop().ok_or_else(|| unsupported("a term without a value", at))
    }

    /// Records what a step costs.
    pub(super) fn spend(&mut self, cost: usize) -> Result<(), Refused> {
        self.n_steps = self.n_steps.saturating_add(cost);
        match self.n_steps > MAX_STEPS {
            true => {
                Err(format!("terms of more than {MAX_STEPS} parts, once definitions are expanded"))
            }
            false => Ok(()),
        }
    }

    /// Adds a global name, if it is free.
    pub(super) fn add(&mut self, name: &'x str, global: Global<'x>) -> bool {
        if self.globals.contains_key(name) {
            return false;
        }
        self.globals.insert(name, global);
        self.added.push(name);
        true
    }

    fn perform(&mut self, task: Task<'x>) -> Result<(), Refusal> {
        match task {
            Task::Evaluate(tree, id) => {
                let at = tree.offset(id);
                self.spend(1).map_err(|what| unsupported(&what, at))?;
                self.visit(&tree, id)
            }
            Task::Apply(function, n, at) => {
                let arguments = self.values.split_off(self.values.len().saturating_sub(n));
                let value = self.apply(function, arguments);
                self.values.push(value.map_err(|what| unsupported(&what, at))?);
                Ok(())
            }
            Task::Bind { tree, bindings, body } => {
                let names = names(&tree, bindings);
                let values = self.values.split_off(self.values.len().saturating_sub(names.len()));
                let frame = self.frame();
                for (name, value) in names.into_iter().zip(values) {
                    self.locals.entry(name).or_default().push((frame, value));
                }
                self.tasks.push(Task::Unbind { tree: Rc::clone(&tree), bindings });
                self.tasks.push(Task::Evaluate(tree, body));
                Ok(())
            }
            Task::Unbind { tree, bindings } => {
                for name in names(&tree, bindings) {
                    self.forget(name);
                }
                Ok(())
            }
            Task::Call(function, n, at) => self.call(function, n, at),
            Task::Return(function) => {
                for (name, _) in &function.parameters {
                    self.forget(name);
                }
                self.frames.pop();
                Ok(())
            }
            Task::Name(name, at) => {
                let Some(value) = self.values.last().cloned() else { return Ok(()) };
                self.label = Some(name);
                match self.add(name, Global::Value(value)) {
                    true => Ok(()),
                    false => Err(unsupported(&format!("`{name}`, which is declared twice"), at)),
                }
            }
        }
    }

    fn frame(&self) -> usize {
        self.frames.last().copied().unwrap_or(0)
    }

    fn forget(&mut self, name: &str) {
        if let Some(bound) = self.locals.get_mut(name) {
            bound.pop();
        }
    }

    fn call(&mut self, function: Rc<Macro<'x>>, n: usize, at: usize) -> Result<(), Refusal> {
        if n != function.parameters.len() {
            return Err(unsupported(
                "a function with another number of arguments than defined",
                at,
            ));
        }
        if self.frames.len() >= MAX_CALLS {
            let what = format!("calls nested more than {MAX_CALLS} deep");
            return Err(unsupported(&what, at));
        }
        self.spend(STEPS_OF_CALL).map_err(|what| unsupported(&what, at))?;
        let arguments = self.values.split_off(self.values.len().saturating_sub(n));
        self.n_frames += 1;
        self.frames.push(self.n_frames);
        for ((name, sort), value) in function.parameters.iter().zip(arguments) {
            if !self.is_of(&value, *sort) {
                return Err(unsupported("an argument of another sort than the parameter", at));
            }
            self.locals.entry(name).or_default().push((self.n_frames, value));
        }
        self.tasks.push(Task::Return(Rc::clone(&function)));
        self.tasks.push(Task::Evaluate(Rc::clone(&function.tree), function.body));
        Ok(())
    }

    /// Whether a value is of the sort.
    pub(super) fn is_of(&self, value: &Value, sort: Declarable) -> bool {
        match (value, sort) {
            (Value::Bool(_), Declarable::Sort(Sort::Bool))
            | (Value::Text(_), Declarable::Sort(Sort::String))
            | (Value::Language(_), Declarable::Language) => true,
            (Value::Bits(term), Declarable::Sort(sort @ Sort::Bits(_))) => {
                self.terms.sort(*term) == sort
            }
            (Value::First(_, length), Declarable::Sort(Sort::Bits(width))) => *length == width,
            _ => false,
        }
    }

    /// Pushes the value of an expression, or the tasks that will.
    fn visit(&mut self, tree: &Rc<Tree<'x>>, id: Id) -> Result<(), Refusal> {
        let at = tree.offset(id);
        let value = match tree.get(id) {
            Expression::Symbol(name) => self.symbol(name, at)?,
            Expression::String(raw) => {
                let literal = literal::read(raw).map_err(|what| unsupported(&what, at))?;
                self.spend(raw.len() / BYTES_OF_STEP).map_err(|what| unsupported(&what, at))?;
                if literal.has_old_escape {
                    self.old_escape.get_or_insert(at);
                }
                Value::of_text(&literal.text)
            }
            Expression::Number(text) => self.number(text, at)?,
            Expression::Keyword(_) => {
                return Err(Refusal::Malformed("a keyword instead of a term", "write a term", at));
            }
            Expression::List(parts) => return self.list(tree, parts, at),
        };
        self.values.push(value);
        Ok(())
    }

    fn symbol(&mut self, name: &str, at: usize) -> Result<Value, Refusal> {
        let frame = self.frame();
        if let Some((of, value)) = self.locals.get(name).and_then(|bound| bound.last())
            && *of == frame
        {
            return Ok(value.clone());
        }
        match self.globals.get(name) {
            Some(Global::Value(value)) => return Ok(value.clone()),
            Some(Global::Function(_)) => {
                return Err(unsupported(&format!("the function `{name}` without arguments"), at));
            }
            Some(Global::SomeLanguage) => {
                let what = format!("the language `{name}`, which is not asserted to be one before");
                return Err(unsupported(&what, at));
            }
            Some(Global::Refused(what)) => return Err(unsupported(what, at)),
            None => {}
        }
        Ok(match name {
            "true" | "false" => Value::Bool(self.terms.bool(name == "true")),
            "re.none" => Value::Language(Language::none()),
            "re.nostr" => {
                self.has_old_names = true;
                Value::Language(Language::none())
            }
            "re.all" => Value::Language(Language::all()),
            "re.allchar" => Value::Language(Language::any_char()),
            _ => return Err(unsupported(&format!("the symbol `{name}`"), at)),
        })
    }

    /// `#b0101` or `#x0f`.
    fn number(&mut self, text: &str, at: usize) -> Result<Value, Refusal> {
        let digits = |radix| match radix {
            2 => text.strip_prefix("#b"),
            _ => text.strip_prefix("#x"),
        };
        for (radix, n_bits) in [(2, 1), (16, 4)] {
            let Some(digits) = digits(radix) else { continue };
            let width = digits.len().saturating_mul(n_bits);
            if let (Ok(value), Ok(width @ 1..=128)) =
                (u128::from_str_radix(digits, radix), u32::try_from(width))
                && !digits.starts_with('+')
            {
                return Ok(Value::Bits(self.terms.bits(value, width)));
            }
            return Err(unsupported(&format!("the bit vector `{text}`"), at));
        }
        Err(unsupported(&format!("the number `{text}`"), at))
    }

    fn list(&mut self, tree: &Rc<Tree<'x>>, parts: &[Id], at: usize) -> Result<(), Refusal> {
        let Some((&head, arguments)) = parts.split_first() else {
            let hint = "write a symbol or a function with its arguments";
            return Err(Refusal::Malformed("an empty list instead of a term", hint, at));
        };
        let Expression::Symbol(name) = tree.get(head) else {
            let function = self.indexed(tree, head)?;
            self.push_call(tree, arguments, Task::Apply(function, arguments.len(), at));
            return Ok(());
        };
        match (name, arguments) {
            ("let", &[bindings, body]) => {
                let Some(pairs) = pairs(tree, bindings) else {
                    let hint = "write `(let ((name term) …) term)`";
                    return Err(Refusal::Malformed("a `let` without bindings", hint, at));
                };
                self.tasks.push(Task::Bind { tree: Rc::clone(tree), bindings, body });
                for &(_, term) in pairs.iter().rev() {
                    self.tasks.push(Task::Evaluate(Rc::clone(tree), term));
                }
                return Ok(());
            }
            ("let", _) => {
                let hint = "write `(let ((name term) …) term)`";
                return Err(Refusal::Malformed("a `let` without bindings or body", hint, at));
            }
            ("!", [term, attributes @ ..]) => {
                let named = attributes.windows(2).find_map(|pair| match tree.get(pair[0]) {
                    Expression::Keyword(":named") => tree.symbol(pair[1]),
                    _ => None,
                });
                self.tasks.extend(named.map(|name| Task::Name(name, at)));
                self.tasks.push(Task::Evaluate(Rc::clone(tree), *term));
                return Ok(());
            }
            ("_", arguments) => {
                let value = self.indexed_constant(tree, arguments, at)?;
                self.values.push(value);
                return Ok(());
            }
            ("re.loop", &[language, min, max]) => {
                self.has_old_names = true;
                let (min, max) = (index(tree, min)?, index(tree, max)?);
                let apply = Task::Apply(Function::Repeat(min, max), 1, at);
                self.push_call(tree, &[language], apply);
                return Ok(());
            }
            _ => {}
        }
        let task = match self.globals.get(name) {
            Some(Global::Function(function)) => {
                Task::Call(Rc::clone(function), arguments.len(), at)
            }
            Some(Global::Refused(what)) => return Err(unsupported(what, at)),
            Some(_) => {
                return Err(unsupported(&format!("`{name}` with arguments"), at));
            }
            None => match Function::by_name(name) {
                Some((function, is_old)) => {
                    self.has_old_names |= is_old;
                    Task::Apply(function, arguments.len(), at)
                }
                None => return Err(unsupported(&format!("the function `{name}`"), at)),
            },
        };
        self.push_call(tree, arguments, task);
        Ok(())
    }

    fn push_call(&mut self, tree: &Rc<Tree<'x>>, arguments: &[Id], task: Task<'x>) {
        self.tasks.push(task);
        for &argument in arguments.iter().rev() {
            self.tasks.push(Task::Evaluate(Rc::clone(tree), argument));
        }
    }

    /// The function `(_ name index …)`.
    fn indexed(&self, tree: &Tree<'x>, head: Id) -> Result<Function, Refusal> {
        let at = tree.offset(head);
        let Some([underscore, name, indices @ ..]) = tree.parts(head) else {
            return Err(unsupported("what is no function, with arguments", at));
        };
        match (tree.symbol(*underscore), tree.symbol(*name), indices) {
            (Some("_"), Some("re.^"), &[n]) => {
                let n = index(tree, n)?;
                Ok(Function::Repeat(n, n))
            }
            (Some("_"), Some("re.loop"), &[min, max]) => {
                Ok(Function::Repeat(index(tree, min)?, index(tree, max)?))
            }
            (Some("_"), Some("extract"), &[high, low]) => {
                Ok(Function::Extract(index(tree, high)?, index(tree, low)?))
            }
            (_, name, _) => {
                let name = name.unwrap_or("…");
                Err(unsupported(&format!("the function `(_ {name} …)`"), at))
            }
        }
    }

    /// The constant `(_ name index)`.
    fn indexed_constant(
        &mut self,
        tree: &Tree<'x>,
        parts: &[Id],
        at: usize,
    ) -> Result<Value, Refusal> {
        let &[name, argument] = parts else {
            return Err(unsupported("a constant `(_ …)`", at));
        };
        let name = tree.symbol(name).unwrap_or("…");
        if let (Some(digits), Ok(width @ 1..=128)) =
            (name.strip_prefix("bv"), index(tree, argument))
            && let Ok(value) = digits.parse::<u128>()
            && (width == 128 || value >> width == 0)
        {
            return Ok(Value::Bits(self.terms.bits(value, width)));
        }
        if let ("char", Expression::Number(text)) = (name, tree.get(argument))
            && let Some(digits) = text.strip_prefix("#x")
            && let Some(c) = u32::from_str_radix(digits, 16).ok().and_then(super::chars::encode)
        {
            return Ok(Value::of_text(c.encode_utf8(&mut [0; 4])));
        }
        Err(unsupported(&format!("the constant `(_ {name} …)`"), at))
    }

    /// Whether a constant is in a language, if that is soon found out.
    pub(super) fn constant_is_in(&self, text: &str, language: &Language) -> Option<bool> {
        let at_the_first_look = || true;
        language.regex().matches_within(text, &Effort::until(&at_the_first_look)).ok()
    }
}

/// The bindings of a `let`: names and terms.
fn pairs<'x>(tree: &Tree<'x>, bindings: Id) -> Option<Vec<(&'x str, Id)>> {
    let pair = |&binding: &Id| match tree.parts(binding)? {
        &[name, term] => Some((tree.symbol(name)?, term)),
        _ => None,
    };
    tree.parts(bindings)?.iter().map(pair).collect()
}

/// The names of the bindings of a `let`.
fn names<'x>(tree: &Tree<'x>, bindings: Id) -> Vec<&'x str> {
    let pairs = pairs(tree, bindings).unwrap_or_default();
    pairs.into_iter().map(|(name, _)| name).collect()
}

/// A numeral.
fn index(tree: &Tree<'_>, id: Id) -> Result<u32, Refusal> {
    let at = tree.offset(id);
    match tree.get(id) {
        Expression::Number(text) if text.bytes().all(|digit| digit.is_ascii_digit()) => {
            text.parse().map_err(|_| {
                unsupported(&format!("the number `{text}`, which has more than 32 bits"), at)
            })
        }
        _ => Err(unsupported("something else than a numeral", at)),
    }
}

pub(super) fn unsupported(what: &str, at: usize) -> Refusal {
    Refusal::Unsupported(what.to_owned(), at)
}
