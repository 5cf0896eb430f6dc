//! Whether formulas say of requests what the policies say of them.
//!
//! A certificate shows that formulas have no model; that they mean what the policies mean it does not. Here requests on both sides of
//! what policies and formulas say are decided twice: by the concrete evaluator ([`mod@crate::replay`]), which knows no formula, and by
//! whoever reads the formulas and evaluates them, such as `keyaki-verify`, under the assignment that stands for the
//! request ([`embed`]). Where the two differ the encoder is wrong, or the evaluator. That is a test, not a proof: what no request
//! shows stays unseen.

pub mod embed;
pub mod statements;

use std::time::Instant;

use keyaki_logic::term::Node;
use keyaki_logic::{Cancel, Formula, Limits, Model, Sort, Value, certificate};
use keyaki_policy::{Readings, Request, Switch};
use keyaki_verify::Query;

use crate::Options;
use crate::check::readings::base;
use crate::encode::{Encoding, Opaque, is_opaque};
use crate::guess::Boundary;
use crate::question::Question;
use crate::replay::{Replay, breaks, violations};
use crate::witness::{self, words};

/// What somebody who evaluates the formulas says of an assignment, as far as it settles that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Said {
    /// Whether it stands for a request that can happen.
    pub can_happen: Option<bool>,
    /// Whether it breaks the property in one of the ways, if it can happen.
    pub breaks: Option<bool>,
}

/// Whoever evaluates the formulas.
pub type Reader<'r> = dyn FnMut(&Model) -> Result<Said, String> + 'r;

/// What both sides say of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Agreed {
    /// Nothing: a list has more elements than the formulas tell apart.
    IsTooLong,
    /// No assignment stands for it, and it cannot happen.
    HasNoModel,
    /// It cannot happen.
    CannotHappen,
    /// It breaks the property.
    Breaks,
    /// It does not.
    DoesNotBreak,
    /// That hangs on what is not modelled.
    Hangs,
}

/// A request of which the two sides do not say the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// The request.
    pub request: Request,
    /// The readings under which it was decided.
    pub readings: Readings,
    /// Which side says what.
    pub detail: String,
}

/// The formulas of a question as certificates write them: one for each way to break the property, or one of all if these
/// are many. What the property says is the last assertion of each.
pub fn text(encoding: &Encoding) -> String {
    let formulas: Vec<Formula> = match encoding.cells.len() {
        0..=MAX_CELLS => {
            let cells = encoding.cells.iter();
            cells.map(|cell| encoding.plain(cell.breaks, Opaque::Free)).collect()
        }
        _ => vec![encoding.whole(Opaque::Free)],
    };
    certificate::query(formulas.iter().map(|formula| ("", formula)))
}

/// The most formulas that are looked at one by one.
const MAX_CELLS: usize = 64;

/// `keyaki-verify` as a reader of formulas.
///
/// # Errors
///
/// The text is none of formulas, and why.
pub fn reader(text: &str) -> Result<impl FnMut(&Model) -> Result<Said, String> + use<>, String> {
    let mut query = Query::read(text).map_err(|rejection| rejection.to_string())?;
    Ok(move |model: &Model| {
        let value = |name: &str| {
            model.get(name).map(|value| match value {
                Value::Bool(truth) => keyaki_verify::Value::Truth(*truth),
                Value::String(text) => keyaki_verify::Value::Text(text.clone()),
                Value::Bits { value, .. } => keyaki_verify::Value::Bits(*value),
            })
        };
        // Of no way to break it, the property cannot be broken, and nothing is said of requests.
        let mut said = Said { can_happen: None, breaks: Some(false) };
        for part in 0..query.n_parts() {
            let truths = query.truths(part, value).map_err(|rejection| rejection.to_string())?;
            let (breaks, axioms) = truths.split_last().ok_or("a formula says nothing")?;
            let can_happen = all(axioms.iter().copied());
            if part > 0 && said.can_happen != can_happen {
                return Err("the formulas say different things of whether it can happen".to_owned());
            }
            said.can_happen = can_happen;
            let harmless = [said.breaks, *breaks].map(|breaks| breaks.map(|breaks| !breaks));
            said.breaks = all(harmless.into_iter()).map(|is_harmless| !is_harmless);
        }
        Ok(said)
    })
}

/// Whether all are true, as far as that is known.
fn all(truths: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let truths: Vec<Option<bool>> = truths.collect();
    match truths.contains(&Some(false)) {
        true => Some(false),
        false => (!truths.contains(&None)).then_some(true),
    }
}

/// What requests have come to, so many of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Those that break the property.
    pub n_breaking: usize,
    /// Those that can happen and do not.
    pub n_harmless: usize,
    /// Those that cannot happen.
    pub n_impossible: usize,
    /// Those of which nothing was to be compared.
    pub n_open: usize,
}

impl Tally {
    fn count(&mut self, agreed: Agreed) {
        *match agreed {
            Agreed::Breaks => &mut self.n_breaking,
            Agreed::DoesNotBreak => &mut self.n_harmless,
            Agreed::HasNoModel | Agreed::CannotHappen => &mut self.n_impossible,
            Agreed::IsTooLong | Agreed::Hangs => &mut self.n_open,
        } += 1;
    }
}

/// An encoded question, of which requests are looked at.
pub struct Translation<'q> {
    question: &'q Question,
    encoding: &'q Encoding,
    is_exact: bool,
}

impl<'q> Translation<'q> {
    /// Of the question, encoded.
    pub fn new(question: &'q Question, encoding: &'q Encoding) -> Translation<'q> {
        let free = encoding.whole(Opaque::Free);
        let is_exact = !free.variables().into_iter().any(|(name, _)| is_opaque(name));
        Translation { question, encoding, is_exact }
    }

    /// Whether every construct is modelled, so that formulas leave nothing open.
    pub fn is_exact(&self) -> bool {
        self.is_exact
    }

    /// What both sides say of the request.
    ///
    /// # Errors
    ///
    /// [`Mismatch`] if they do not say the same.
    pub fn compare(
        &self,
        request: &Request,
        readings: Readings,
        reader: &mut Reader<'_>,
    ) -> Result<Agreed, Box<Mismatch>> {
        let (question, encoding) = (self.question, self.encoding);
        let differ =
            |detail: String| Err(Box::new(Mismatch { request: request.clone(), readings, detail }));
        if embed::is_too_long(encoding, request) {
            return Ok(Agreed::IsTooLong);
        }
        let violations = unexcused_violations(question, request, readings);
        let Some(model) = embed::model(encoding, request, readings) else {
            return match violations.is_empty() {
                true => differ("it can happen, and no assignment stands for it".to_owned()),
                false => Ok(Agreed::HasNoModel),
            };
        };
        let said = match reader(&model) {
            Ok(said) => said,
            Err(error) => return differ(format!("the formulas cannot be evaluated: {error}")),
        };
        // What the elements of a list are that nothing looks at is no part of an assignment: those of
        // the decoded request have to be fine instead.
        let is_unseen = || {
            said.can_happen == Some(true)
                && embed::has_unseen_list(encoding, request)
                && unexcused_violations(question, &decoded(encoding, model.clone()), readings)
                    .is_empty()
        };
        match said.can_happen {
            None if encoding.cells.is_empty() => {}
            Some(true) if violations.is_empty() || is_unseen() => {}
            Some(false) if !violations.is_empty() => {}
            said => {
                let said = match said {
                    Some(true) => "it can happen",
                    Some(false) => "it cannot happen",
                    None => "nothing of whether it can happen",
                };
                let policies = match violations.is_empty() {
                    true => "can happen".to_owned(),
                    false => format!("cannot happen: {}", violations.join("; ")),
                };
                return differ(format!("the formulas say {said}; it {policies}"));
            }
        }
        if !violations.is_empty() {
            return Ok(Agreed::CannotHappen);
        }
        let replay = breaks(question, request, readings);
        let is_exact = self.is_exact;
        let (agrees, agreed) = match &replay {
            Replay::Confirmed { .. } => {
                let agrees = said.breaks != Some(false) && (!is_exact || said.breaks == Some(true));
                (agrees, Agreed::Breaks)
            }
            Replay::Refuted(_) => {
                let agrees = said.breaks != Some(true) && (!is_exact || said.breaks == Some(false));
                (agrees, Agreed::DoesNotBreak)
            }
            Replay::Undecided(constructs) => (!is_exact && !constructs.is_empty(), Agreed::Hangs),
        };
        if agrees {
            return Ok(agreed);
        }
        let breaks = match said.breaks {
            Some(true) => "that it breaks the property",
            Some(false) => "that it does not break the property",
            None => "nothing of whether it breaks the property",
        };
        differ(format!("the formulas say {breaks}; replayed: {replay:?}"))
    }

    /// Compares on requests that are made of what the policies say, and of what the formulas say. Under the
    /// readings that are decided, and one after the other those that are free. Ends early if time is up.
    ///
    /// # Errors
    ///
    /// The first [`Mismatch`].
    pub fn validate(
        &self,
        options: &Options,
        free: &[Switch],
        n_requests: usize,
        limits: &Limits,
        cancel: &Cancel,
        reader: &mut Reader<'_>,
    ) -> Result<Tally, Box<Mismatch>> {
        let base = base(&options.decisions);
        let mut tally = Tally::default();
        let mut boundary = Boundary::of(self.question);
        let steps = Steps::of(self.encoding);
        for number in 0..2 * n_requests {
            if cancel.is_cancelled() || Instant::now() >= limits.deadline {
                break;
            }
            let readings = match (number % 3, free) {
                (2, [_, ..]) => base.with(free[number / 3 % free.len()], true),
                _ => base,
            };
            let Some(mut request) = boundary.next() else { break };
            if !self.is_mentioned(&request) {
                continue;
            }
            if number >= n_requests {
                let model = embed::model(self.encoding, &request, readings);
                let Some(mut model) = model else { continue };
                for _ in 0..=boundary.below(4) {
                    steps.take(&mut model, &mut |bound| boundary.below(bound));
                }
                request = decoded(self.encoding, model);
            }
            tally.count(self.compare(&request, readings, reader)?);
        }
        Ok(tally)
    }

    /// Whether the question mentions all keys of the request: of others the formulas say nothing.
    pub fn is_mentioned(&self, request: &Request) -> bool {
        let known = &self.encoding.keys;
        request.context.iter().all(|(key, _)| known.contains_key(&key.to_ascii_lowercase()))
    }
}

/// Values that variables are given because formulas speak of them.
struct Steps {
    values: Vec<(String, Vec<Value>)>,
}

impl Steps {
    fn of(encoding: &Encoding) -> Steps {
        let formula = encoding.whole(Opaque::Free);
        let mut values: Vec<(String, Vec<Value>)> = Vec::new();
        for (variable, words) in words(&formula) {
            let near = words.iter().flat_map(|word| {
                let mut shorter = word.clone();
                shorter.pop();
                [word.clone(), format!("{word}x"), shorter]
            });
            values.push((variable, near.map(Value::String).collect()));
        }
        for (variable, sort) in formula.variables() {
            if sort == Sort::Bool && !is_opaque(variable) {
                values.push((variable.to_owned(), [false, true].map(Value::Bool).to_vec()));
            }
        }
        let terms = &formula.terms;
        let mut add = |name: &str, width: u32, numbers: &[u128]| {
            let numbers = numbers.iter().filter(|n| width == 128 || **n >> width == 0);
            let numbers = numbers.map(|value| Value::Bits { value: *value, width });
            match values.iter_mut().find(|(known, _)| known == name) {
                Some((_, known)) => known.extend(numbers),
                None => values.push((name.to_owned(), numbers.collect())),
            }
        };
        formula.visit(|_, node| match node {
            Node::HasPrefix { bits, prefix, length } => {
                if let Node::Var(index) = terms.node(*bits)
                    && let (name, Sort::Bits(width)) = terms.variable(*index)
                {
                    let rest = width - length;
                    let first = prefix.checked_shl(rest).unwrap_or(0);
                    let last = first | !u128::MAX.checked_shl(rest).unwrap_or(0);
                    let (below, above) = (first.saturating_sub(1), last.saturating_add(1));
                    add(name, width, &[below, first, last, above]);
                }
            }
            Node::Eq(a, b) => {
                if let (Node::Var(index), Node::Bits { value, width }) =
                    (terms.node(*a), terms.node(*b))
                {
                    add(terms.variable(*index).0, *width, &[*value]);
                }
            }
            _ => {}
        });
        values.retain(|(_, values)| !values.is_empty());
        Steps { values }
    }

    /// Gives one variable one of its values: one that formulas say much of as often as any, or as its values are many.
    fn take(&self, model: &mut Model, below: &mut dyn FnMut(usize) -> usize) {
        let n_values: usize = self.values.iter().map(|(_, values)| values.len()).sum();
        if n_values == 0 {
            return;
        }
        let (mut variable, mut at) = (below(self.values.len()), 0);
        if below(2) == 0 {
            (variable, at) = (0, below(n_values));
            while at >= self.values[variable].1.len() {
                at -= self.values[variable].1.len();
                variable += 1;
            }
        } else {
            at += below(self.values[variable].1.len());
        }
        let (name, values) = &self.values[variable];
        model.insert(name, values[at].clone());
    }
}

/// The violations but for the rules that are asserted lazily.
pub fn unexcused_violations(
    question: &Question,
    request: &Request,
    readings: Readings,
) -> Vec<String> {
    let mut violations = violations(question, request, readings);
    let is_lazy = |violation: &String| {
        violation.ends_with("is about a resource, not about `*`") || violation.starts_with("R36: ")
    };
    violations.retain(|violation| !is_lazy(violation));
    violations
}

/// The request that would be shown for a model.
pub fn decoded(encoding: &Encoding, mut model: Model) -> Request {
    witness::complete(encoding, &mut model);
    witness::decode(encoding, &model)
}
