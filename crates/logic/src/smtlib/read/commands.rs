//! The commands of a script, up to the first `check-sat`; what comes after is only counted.

use std::collections::HashMap;
use std::rc::Rc;

use super::terms::{Global, Machine, Macro, Refusal};
use super::tree::{Expression, Id, Place, Reader, SyntaxError, Tree};
use super::value::{Declarable, Value};
use super::{Constant, Script, Status, Unsupported};
use crate::term::{Formula, Sort, Term};

/// How many levels of assertions may be open.
const MAX_LEVELS: usize = 10_000;

/// Reads a script.
pub(super) fn read(text: &str) -> Result<Script, SyntaxError> {
    let mut reader = Reader::new(text);
    let mut commands = Commands { text, state: State::default(), status: None, n_checks: 0 };
    let mut read = None;
    while let Some(tree) = reader.next()? {
        let tree = Rc::new(tree);
        let (name, arguments) = commands.command(&tree)?;
        match name {
            "exit" => break,
            "check-sat" | "check-sat-assuming" => {
                commands.n_checks += 1;
                if read.is_none() {
                    if name == "check-sat-assuming" {
                        commands.refuse("`check-sat-assuming`", tree.offset(tree.root()));
                    }
                    read = Some(commands.formula());
                }
            }
            _ if read.is_none() => commands.perform(&tree, name, &arguments)?,
            _ => {}
        }
    }
    let (formula, unsupported, constants) = match read {
        Some(read) => read,
        None => commands.formula(),
    };
    let (status, n_checks) = (commands.status, commands.n_checks);
    Ok(Script { formula, unsupported, status, n_checks, constants })
}

/// What is declared and asserted.
#[derive(Default)]
struct State<'x> {
    machine: Machine<'x>,
    assertions: Vec<(String, Term)>,
    constants: Vec<Constant>,
    /// The names of variables of the formula. They outlive the scopes of their declarations.
    variables: HashMap<&'x str, Sort>,
    levels: Vec<Level>,
    /// The first thing that was left out.
    refused: Option<(String, usize)>,
    /// Whether something is not understood that may take assertions back.
    is_lost: bool,
}

/// What there was when a level was opened.
struct Level {
    n_assertions: usize,
    n_constants: usize,
    n_added: usize,
    refused: Option<(String, usize)>,
}

struct Commands<'x> {
    text: &'x str,
    state: State<'x>,
    status: Option<Status>,
    n_checks: usize,
}

impl<'x> Commands<'x> {
    fn error(&self, message: &str, hint: &str, at: usize) -> SyntaxError {
        let place = Place::of(self.text, at);
        SyntaxError { message: message.to_owned(), hint: hint.to_owned(), place }
    }

    /// The name and arguments of a command.
    fn command(&self, tree: &Tree<'x>) -> Result<(&'x str, Vec<Id>), SyntaxError> {
        let root = tree.root();
        let command = tree.parts(root).and_then(<[Id]>::split_first);
        match command.and_then(|(&head, arguments)| Some((tree.symbol(head)?, arguments))) {
            Some((name, arguments)) => Ok((name, arguments.to_vec())),
            None => {
                let hint = "a command is a list that begins with its name, as in `(check-sat)`";
                Err(self.error("something else than a command", hint, tree.offset(root)))
            }
        }
    }

    /// Notes something outside of the fragment, without which there are fewer assertions.
    fn refuse(&mut self, what: &str, at: usize) {
        self.state.refused.get_or_insert_with(|| (what.to_owned(), at));
    }

    /// Notes something outside of the fragment, without which nothing is known.
    fn lose(&mut self, what: &str, at: usize) {
        self.refuse(what, at);
        self.state.is_lost = true;
    }

    fn perform(
        &mut self,
        tree: &Rc<Tree<'x>>,
        name: &'x str,
        arguments: &[Id],
    ) -> Result<(), SyntaxError> {
        let at = tree.offset(tree.root());
        match (name, arguments) {
            ("set-info", &[keyword, value]) => self.set_info(tree, keyword, value),
            (
                "set-info"
                | "set-logic"
                | "set-option"
                | "echo"
                | "get-info"
                | "get-option"
                | "get-model"
                | "get-value"
                | "get-assignment"
                | "get-assertions"
                | "get-proof"
                | "get-unsat-core"
                | "get-unsat-assumptions",
                _,
            ) => {}
            ("declare-const", &[symbol, sort]) => self.declare(tree, symbol, sort)?,
            ("declare-fun", &[symbol, parameters, sort]) => match tree.parts(parameters) {
                Some([]) => self.declare(tree, symbol, sort)?,
                Some(_) => {
                    let symbol = self.symbol(tree, symbol)?;
                    self.add(symbol, Global::Refused(format!("the function `{symbol}`")), at);
                }
                None => return Err(self.shape("(declare-fun name (sort …) sort)", at)),
            },
            ("define-const", &[symbol, sort, body]) => {
                let symbol = self.symbol(tree, symbol)?;
                self.define(tree, symbol, sort, body)?;
            }
            ("define-fun", &[symbol, parameters, sort, body]) => {
                let symbol = self.symbol(tree, symbol)?;
                match tree.parts(parameters) {
                    Some([]) => self.define(tree, symbol, sort, body)?,
                    Some(parameters) => self.define_function(tree, symbol, parameters, body)?,
                    None => {
                        return Err(self.shape("(define-fun name ((name sort) …) sort term)", at));
                    }
                }
            }
            ("assert", &[term]) => self.assert(tree, term)?,
            ("push", levels) => self.push(tree, levels, at)?,
            ("pop", levels) => self.pop(tree, levels, at)?,
            ("reset", []) => self.state = State::default(),
            ("declare-const", _) => return Err(self.shape("(declare-const name sort)", at)),
            ("declare-fun", _) => return Err(self.shape("(declare-fun name (sort …) sort)", at)),
            ("define-const", _) => return Err(self.shape("(define-const name sort term)", at)),
            ("define-fun", _) => {
                return Err(self.shape("(define-fun name ((name sort) …) sort term)", at));
            }
            ("assert", _) => return Err(self.shape("(assert term)", at)),
            ("reset", _) => return Err(self.shape("(reset)", at)),
            // What they introduce is missed where it is used.
            ("declare-sort" | "define-sort" | "declare-datatype" | "declare-datatypes", _)
            | ("define-fun-rec" | "define-funs-rec" | "declare-codatatypes", _) => {}
            _ => self.lose(&format!("the command `{name}`"), at),
        }
        Ok(())
    }

    fn shape(&self, shape: &str, at: usize) -> SyntaxError {
        self.error("a command of another shape", &format!("write `{shape}`"), at)
    }

    fn symbol(&self, tree: &Tree<'x>, id: Id) -> Result<&'x str, SyntaxError> {
        tree.symbol(id).ok_or_else(|| {
            let hint = "a name is a symbol, as in `x` or `|my name|`";
            self.error("something else than a name", hint, tree.offset(id))
        })
    }

    fn set_info(&mut self, tree: &Tree<'x>, keyword: Id, value: Id) {
        if let (Expression::Keyword(":status"), Some(status)) =
            (tree.get(keyword), tree.symbol(value))
        {
            self.status = match status {
                "sat" => Some(Status::Sat),
                "unsat" => Some(Status::Unsat),
                _ => None,
            };
        }
    }

    /// Adds a name. To declare one twice is not allowed, and means different things to those who
    /// allow it.
    fn add(&mut self, symbol: &'x str, global: Global<'x>, at: usize) {
        if !self.state.machine.add(symbol, global) {
            self.lose(&format!("`{symbol}`, which is declared twice"), at);
        }
    }

    fn declare(&mut self, tree: &Tree<'x>, symbol: Id, sort: Id) -> Result<(), SyntaxError> {
        let at = tree.offset(symbol);
        let symbol = self.symbol(tree, symbol)?;
        let global = match declarable(tree, sort) {
            Ok(Declarable::Language) => Global::SomeLanguage,
            Ok(Declarable::Sort(sort)) => {
                // One of a closed level may come again, if it is of the same sort.
                if *self.state.variables.entry(symbol).or_insert(sort) != sort {
                    self.lose(&format!("`{symbol}`, which is declared twice"), at);
                    return Ok(());
                }
                let variable = self.state.machine.terms.var(symbol, sort);
                self.state.constants.push(Constant { symbol: symbol.to_owned(), sort });
                Global::Value(Value::of_variable(variable, sort))
            }
            Err(what) => Global::Refused(format!("`{symbol}` of {what}")),
        };
        self.add(symbol, global, at);
        Ok(())
    }

    /// A name for a term.
    fn define(
        &mut self,
        tree: &Rc<Tree<'x>>,
        symbol: &'x str,
        sort: Id,
        body: Id,
    ) -> Result<(), SyntaxError> {
        let global = match (declarable(tree, sort), self.evaluate(tree, body)?) {
            (Err(what), _) => Global::Refused(format!("`{symbol}` of {what}")),
            (_, Err((what, _))) => Global::Refused(format!("{what}, in `{symbol}`")),
            (Ok(sort), Ok(value)) if self.state.machine.is_of(&value, sort) => Global::Value(value),
            _ => Global::Refused(format!("`{symbol}`, which is not of its sort")),
        };
        self.add(symbol, global, tree.offset(tree.root()));
        Ok(())
    }

    fn define_function(
        &mut self,
        tree: &Rc<Tree<'x>>,
        symbol: &'x str,
        parameters: &[Id],
        body: Id,
    ) -> Result<(), SyntaxError> {
        let at = tree.offset(tree.root());
        let mut global = None;
        let mut read = Vec::new();
        for &parameter in parameters {
            let Some(&[name, sort]) = tree.parts(parameter) else {
                return Err(self.shape("(define-fun name ((name sort) …) sort term)", at));
            };
            let name = self.symbol(tree, name)?;
            match declarable(tree, sort) {
                Ok(sort) => read.push((name, sort)),
                Err(what) => {
                    global =
                        Some(Global::Refused(format!("`{symbol}` with a parameter of {what}")));
                }
            }
        }
        let tree = Rc::clone(tree);
        let function = Macro { parameters: read, tree, body };
        self.add(symbol, global.unwrap_or_else(|| Global::Function(Rc::new(function))), at);
        Ok(())
    }

    /// The value of a term; or what of it is outside of the fragment, and where.
    fn evaluate(
        &mut self,
        tree: &Rc<Tree<'x>>,
        term: Id,
    ) -> Result<Result<Value, (String, usize)>, SyntaxError> {
        match self.state.machine.evaluate(tree, term) {
            Ok(value) => Ok(Ok(value)),
            Err(Refusal::Unsupported(what, at)) => Ok(Err((what, at))),
            Err(Refusal::Malformed(message, hint, at)) => Err(self.error(message, hint, at)),
        }
    }

    fn assert(&mut self, tree: &Rc<Tree<'x>>, term: Id) -> Result<(), SyntaxError> {
        if self.is_defining(tree, term)? {
            return Ok(());
        }
        let at = tree.offset(term);
        match self.evaluate(tree, term)? {
            Ok(Value::Bool(asserted)) => {
                let label = match self.state.machine.label {
                    Some(label) => label.to_owned(),
                    None => format!("line {}", Place::of(self.text, at).line),
                };
                self.state.assertions.push((label, asserted));
            }
            Ok(other) => self.refuse(&format!("an assertion of {}", other.sort_name()), at),
            Err((what, at)) => self.refuse(&what, at),
        }
        Ok(())
    }

    /// Whether the assertion says which language a constant is of which nothing was said before.
    fn is_defining(&mut self, tree: &Rc<Tree<'x>>, term: Id) -> Result<bool, SyntaxError> {
        let Some(&[equals, a, b]) = tree.parts(term) else { return Ok(false) };
        if tree.symbol(equals) != Some("=") {
            return Ok(false);
        }
        for (name, body) in [(a, b), (b, a)] {
            let Some(symbol) = tree.symbol(name) else { continue };
            let global = self.state.machine.globals.get(symbol);
            if !matches!(global, Some(Global::SomeLanguage)) {
                continue;
            }
            if let Ok(value @ Value::Language(_)) = self.evaluate(tree, body)? {
                // Within a level, it is some language again once that is closed; and what is known
                // of it then is too little, not too much.
                if self.state.levels.is_empty() {
                    self.state.machine.globals.insert(symbol, Global::Value(value));
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    fn n_levels(&self, tree: &Tree<'x>, levels: &[Id]) -> Option<usize> {
        match levels {
            [] => Some(1),
            &[n] => match tree.get(n) {
                Expression::Number(text) => text.parse().ok(),
                _ => None,
            },
            _ => None,
        }
    }

    fn push(&mut self, tree: &Tree<'x>, levels: &[Id], at: usize) -> Result<(), SyntaxError> {
        let Some(n) = self.n_levels(tree, levels) else { return Err(self.shape("(push 1)", at)) };
        if n > MAX_LEVELS - self.state.levels.len().min(MAX_LEVELS) {
            self.lose(&format!("more than {MAX_LEVELS} levels"), at);
            return Ok(());
        }
        for _ in 0..n {
            self.state.levels.push(Level {
                n_assertions: self.state.assertions.len(),
                n_constants: self.state.constants.len(),
                n_added: self.state.machine.added.len(),
                refused: self.state.refused.clone(),
            });
        }
        Ok(())
    }

    fn pop(&mut self, tree: &Tree<'x>, levels: &[Id], at: usize) -> Result<(), SyntaxError> {
        let Some(n) = self.n_levels(tree, levels) else { return Err(self.shape("(pop 1)", at)) };
        if n > self.state.levels.len() && !self.state.is_lost {
            let hint = "each `pop` closes what a `push` has opened";
            return Err(self.error("a `pop` of more levels than there are", hint, at));
        }
        for _ in 0..n {
            let Some(level) = self.state.levels.pop() else { break };
            let state = &mut self.state;
            state.assertions.truncate(level.n_assertions);
            state.constants.truncate(level.n_constants);
            for name in state.machine.added.split_off(level.n_added) {
                state.machine.globals.remove(name);
            }
            if !state.is_lost {
                state.refused = level.refused;
            }
        }
        Ok(())
    }

    /// What is asserted now.
    fn formula(&mut self) -> (Formula, Option<Unsupported>, Vec<Constant>) {
        if let (Some(at), true) = (self.state.machine.old_escape, self.state.machine.has_old_names)
        {
            self.lose("a backslash in a string beside names of before SMT-LIB 2.6, which had other escapes", at);
        }
        let state = std::mem::take(&mut self.state);
        let mut formula = Formula::new(state.machine.terms);
        if !state.is_lost {
            for term in state.machine.definitions {
                formula.assert("what is named", term);
            }
            for (label, term) in state.assertions {
                formula.assert(&label, term);
            }
        }
        let unsupported = state.refused.map(|(what, at)| {
            let place = Place::of(self.text, at);
            Unsupported { what, place }
        });
        (formula, unsupported, state.constants)
    }
}

/// The sort of an expression; what it is called if it is none that is declared here.
fn declarable(tree: &Tree<'_>, sort: Id) -> Result<Declarable, String> {
    match tree.get(sort) {
        Expression::Symbol("Bool") => Ok(Declarable::Sort(Sort::Bool)),
        Expression::Symbol("String") => Ok(Declarable::Sort(Sort::String)),
        Expression::Symbol("RegLan") => Ok(Declarable::Language),
        Expression::Symbol(name) => Err(format!("sort `{name}`")),
        Expression::List(&[underscore, name, width]) => {
            let is_bits =
                tree.symbol(underscore) == Some("_") && tree.symbol(name) == Some("BitVec");
            match tree.get(width) {
                Expression::Number(width) if is_bits => match width.parse() {
                    Ok(width @ 1..=128) => Ok(Declarable::Sort(Sort::Bits(width))),
                    _ => Err(format!("sort `(_ BitVec {width})`")),
                },
                _ => Err("a sort with parameters".to_owned()),
            }
        }
        _ => Err("a sort with parameters".to_owned()),
    }
}
