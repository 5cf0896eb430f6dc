//! The table of a certificate of statements: which statement is included in which, so that nothing is left that breaks the property.
//!
//! Rows name statements and places in them; that one is included in the other is looked up here. What has no row, or whose rows do not
//! show it, rejects the table. The rows of a statement stand together.

use std::collections::HashSet;
use std::rc::Rc;

use super::read::{Effect, Property, Question, Statement};
use crate::budget::Budget;
use crate::words::{self, Lines, Words};
use crate::{Rejection, Result, require};

/// The sides of a comparison, and the only one of another question.
const EXISTING: usize = 0;
const NEW: usize = 1;
const POLICY: usize = 0;

/// The most resources of a statement that rows tell apart.
const MAX_RESOURCES: usize = 64;

/// What the rows have shown so far.
struct Shown<'q, 't> {
    question: &'q Question<'t>,
    budget: &'q Budget,
    /// Of each statement whether a Deny includes it that makes it of no account.
    denied: Vec<bool>,
    /// Pairs of an Allow and a Deny statement of the other side of which a Deny of the first side includes what both match.
    denied_together: HashSet<(usize, usize)>,
    /// Of each statement whether Allow statements of the other side include it, or a Deny spares of it only whom something confines.
    covered: Vec<bool>,
    /// The statement of which rows are read, and of each of its actions the resources that are covered, a bit each.
    open: (usize, Vec<u64>),
}

/// Whether the rows show that no request breaks the property; the number of rows.
pub(crate) fn check(question: &Question<'_>, rows: &Lines<'_>, budget: &Budget) -> Result<usize> {
    let n = question.len();
    let (denied, covered) = (vec![false; n], vec![false; n]);
    let (denied_together, open) = (HashSet::new(), (n, Vec::new()));
    let mut shown = Shown { question, budget, denied, denied_together, covered, open };
    let mut n_rows = 0;
    let read = rows.each(|first, words| {
        n_rows += 1;
        match first {
            "denied" => shown.note_denied(words),
            "covered" => shown.note_covered(words),
            "spared" => shown.note_spared(words),
            other => Err(Rejection::new(format!("`{other}` is no row"))),
        }
    });
    // What is not shown may be so, if there was no budget left to show it.
    read.and_then(|()| shown.all()).map_err(|reason| budget.spend(1).err().unwrap_or(reason))?;
    Ok(n_rows)
}

impl<'q, 't> Shown<'q, 't> {
    /// The statement that a word names, its number and its side.
    fn named(&self, word: &str) -> Result<(usize, usize, &'q Rc<Statement<'t>>)> {
        let number = words::number(word)?;
        let (side, statement) = self.question.get(number)?;
        Ok((number, *side, statement))
    }

    /// `denied S D`: what S matches the Deny statement D matches. D makes an Allow statement of no account if it is of the same side,
    /// or of any where the property is about what both sides allow; and a Deny statement if it is of the other. `denied S D E`: what
    /// the Allow statement S and the Deny statement E of the other side match both, D of S's side matches.
    fn note_denied(&mut self, words: &mut Words<'_>) -> Result<()> {
        let (number, side, narrow) = self.named(words.word()?)?;
        let (by, of_side, deny) = self.named(words.word()?)?;
        let Some(other) = words.next() else {
            let matters = match narrow.effect {
                Effect::Allow => side == of_side || self.question.property == Property::Disjoint,
                Effect::Deny => side != of_side,
                Effect::Access => false,
            };
            let settles = matters && deny.effect == Effect::Deny;
            require(settles, || format!("{by} settles nothing of statement {number}"))?;
            let is_in = deny.includes(narrow, self.budget);
            require(is_in, || format!("{by} does not include statement {number}"))?;
            self.denied[number] = true;
            return Ok(());
        };
        let (other, other_side, met) = self.named(other)?;
        let matters = [narrow.effect, deny.effect, met.effect]
            == [Effect::Allow, Effect::Deny, Effect::Deny]
            && side == of_side
            && side != other_side;
        require(matters && deny.includes_both(narrow, met, self.budget), || {
            format!("{by} does not include what {number} and {other} match")
        })?;
        self.denied_together.insert((number, other));
        Ok(())
    }

    /// `spared S D`: but for its one condition the Deny statement D matches what S matches, and who escapes that is confined.
    fn note_spared(&mut self, words: &mut Words<'_>) -> Result<()> {
        let (number, _, narrow) = self.named(words.word()?)?;
        let (by, _, deny) = self.named(words.word()?)?;
        let is_confining = match &deny.conditions[..] {
            [condition] => deny.effect == Effect::Deny && self.question.confines(condition, true),
            _ => false,
        };
        let is_spared = is_confining && deny.is_about_all_of(narrow, self.budget);
        require(is_spared, || format!("{by} does not confine statement {number}"))?;
        self.covered[number] = true;
        Ok(())
    }

    /// `covered S T R A…`: on its resources R (`*` for all) the Allow statement S has its actions A in T, which is one of the other
    /// side. Each of A is `FROM-UPTO@PLACE`: these actions are in those of T from `PLACE` on. Without A all are, as a whole.
    fn note_covered(&mut self, words: &mut Words<'_>) -> Result<()> {
        let budget = self.budget;
        let (number, side, narrow) = self.named(words.word()?)?;
        let (by, other_side, wide) = self.named(words.word()?)?;
        let covers = side != other_side && [narrow.effect, wide.effect] == [Effect::Allow; 2];
        require(covers, || format!("{by} covers nothing of statement {number}"))?;
        let is_same = Rc::ptr_eq(wide, narrow);
        let asks_less = is_same || wide.asks_less(narrow, budget);
        require(asks_less, || format!("{by} asks for more than statement {number}"))?;
        let resources = match words.word()? {
            "*" if is_same || wide.resource.includes(&narrow.resource, budget) => u64::MAX,
            "*" => 0,
            listed => listed_resources(listed, wide, narrow, budget),
        };
        require(resources != 0, || format!("{by} has not these resources of statement {number}"))?;
        if self.open.0 != number {
            self.open = (number, vec![0; n_actions(narrow)]);
        }
        let masks = &mut self.open.1;
        let mut runs = words.peekable();
        if runs.peek().is_none() {
            let has_all = is_same || wide.action.includes(&narrow.action, budget);
            require(has_all, || format!("{by} has not all actions of statement {number}"))?;
            masks.iter_mut().for_each(|mask| *mask |= resources);
        }
        for word in runs {
            let run = numbers_of(word);
            let (from, upto, at) =
                run.ok_or_else(|| Rejection::new(format!("`{word}` is no run of actions")))?;
            let own = narrow.action.entries.get(from..=upto);
            let own = own
                .filter(|own| !own.is_empty() && !narrow.action.negated)
                .ok_or_else(|| Rejection::new(format!("statement {number} has no such actions")))?;
            for (step, entry) in own.iter().enumerate() {
                let other = at.checked_add(step).and_then(|at| wide.action.entries.get(at));
                let is_in = match wide.action.negated {
                    true => wide.action.avoids(entry, budget),
                    false => other.is_some_and(|other| other.includes(entry, budget)),
                };
                let place = from + step;
                require(is_in, || {
                    format!("action {place} of statement {number} is not there in {by}")
                })?;
                masks[place] |= resources;
            }
        }
        let all = all_resources(narrow);
        self.covered[number] |= masks.iter().all(|mask| mask & all == all);
        Ok(())
    }

    /// Whether nothing is left that breaks the property.
    fn all(&self) -> Result<()> {
        let question = self.question;
        let sides: &[usize] = match question.property {
            Property::NoNewAccess | Property::Disjoint => &[NEW],
            Property::Equivalent => &[NEW, EXISTING],
            Property::AccessNotGranted | Property::NoPublicAccess => &[POLICY],
        };
        for &side in sides {
            for (number, statement) in question.of(side, Effect::Allow) {
                if self.denied[number] || statement.is_void() {
                    continue;
                }
                let of_statement = |reason: &str| format!("statement {number} {reason}");
                let (other_side, effect) = match question.property {
                    Property::NoNewAccess | Property::Equivalent => {
                        let is_covered = self.covered[number];
                        require(is_covered, || of_statement("is not covered by the rows"))?;
                        (NEW - side, Effect::Deny)
                    }
                    Property::Disjoint => (EXISTING, Effect::Allow),
                    Property::AccessNotGranted => (POLICY, Effect::Access),
                    Property::NoPublicAccess => {
                        let is_confined = self.covered[number] || self.is_confined(statement);
                        require(is_confined, || of_statement("is confined by nothing"))?;
                        continue;
                    }
                };
                for (other, met) in question.of(other_side, effect) {
                    self.budget.spend(1)?;
                    let is_apart = self.denied[other]
                        || self.denied_together.contains(&(number, other))
                        || met.is_void()
                        || statement.is_apart(met, self.budget);
                    require(is_apart, || {
                        of_statement(&format!("may match what statement {other} matches"))
                    })?;
                }
            }
        }
        Ok(())
    }

    /// Whether whoever is matched by the statement is confined, by whom it names or by a condition.
    fn is_confined(&self, statement: &Statement<'_>) -> bool {
        let named = &statement.principal;
        let mut conditions = statement.conditions.iter();
        !named.negated && named.entries.iter().all(|entry| self.question.is_particular(entry))
            || conditions.any(|condition| self.question.confines(condition, false))
    }
}

/// The numbers of `FROM-UPTO@PLACE`.
fn numbers_of(run: &str) -> Option<(usize, usize, usize)> {
    let (from, rest) = run.split_once('-')?;
    let (upto, at) = rest.split_once('@')?;
    Some((from.parse().ok()?, upto.parse().ok()?, at.parse().ok()?))
}

/// The resources of these positions, a bit each, if they are all in the other statement; else none.
fn listed_resources(
    positions: &str,
    wide: &Statement<'_>,
    narrow: &Statement<'_>,
    budget: &Budget,
) -> u64 {
    let (wide, narrow) = (&wide.resource, &narrow.resource);
    let is_listed = !narrow.negated && narrow.entries.len() <= MAX_RESOURCES;
    if wide.negated || wide.is_opaque() || !is_listed {
        return 0;
    }
    let mut mask = 0;
    for position in positions.split(',') {
        match position.parse().ok().and_then(|at: usize| Some((at, narrow.entries.get(at)?))) {
            Some((at, entry)) if wide.has(entry, at, budget) => mask |= 1 << at,
            _ => return 0,
        }
    }
    mask
}

/// How many lists of resources are kept for a statement: one for each action, if they are listed.
fn n_actions(statement: &Statement<'_>) -> usize {
    match statement.action.negated {
        true => 1,
        false => statement.action.entries.len(),
    }
}

/// A bit for each resource of a statement of which rows tell them apart, else all. Rows of a list that excludes are about all.
fn all_resources(statement: &Statement<'_>) -> u64 {
    match statement.resource.entries.len() {
        n @ 1..=MAX_RESOURCES => u64::MAX >> (MAX_RESOURCES - n),
        _ => u64::MAX,
    }
}
