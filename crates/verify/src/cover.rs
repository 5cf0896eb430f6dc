//! The table of a certificate of the second kind: which statement is included in which, so that nothing is left that breaks the property.
//!
//! Rows name statements and places in them; that one is included in the other is looked up here. What has no row, or whose rows do not
//! show it, rejects the table. The rows of a statement stand together.

use std::collections::HashSet;

use crate::Rejection;
use crate::glob::Budget;
use crate::read::{Lines, Words};
use crate::statements::{self, Effect, Property, Question, Statement};

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
pub(crate) fn check(
    question: &Question<'_>,
    rows: &Lines<'_>,
    budget: &Budget,
) -> Result<usize, Rejection> {
    let n = question.len();
    let (denied, covered) = (vec![false; n], vec![false; n]);
    let (denied_together, open) = (HashSet::new(), (n, Vec::new()));
    let mut shown = Shown { question, budget, denied, denied_together, covered, open };
    let mut n_rows = 0;
    for (line, mut words) in rows.each() {
        n_rows += 1;
        match words.word()? {
            "denied" => shown.note_denied(&mut words)?,
            "covered" => shown.note_covered(&mut words)?,
            "spared" => shown.note_spared(&mut words)?,
            other => return Err(line.rejects(format!("`{other}` is no row"))),
        }
    }
    shown.all()?;
    Ok(n_rows)
}

impl<'q, 't> Shown<'q, 't> {
    /// The statement that the next word names, its number and its side.
    fn named(&self, words: &mut Words<'_>) -> Result<(usize, usize, &'q Statement<'t>), Rejection> {
        let number = words.number()?;
        let named = self.question.get(number);
        let (side, statement) =
            named.ok_or_else(|| words.place.rejects(format!("there is no statement {number}")))?;
        Ok((number, side, statement))
    }

    /// `denied S D`: what S matches the Deny statement D matches. D makes an Allow statement of no account if it is of the same side,
    /// or of any where the property is about what both sides allow; and a Deny statement if it is of the other. `denied S D E`: what
    /// the Allow statement S and the Deny statement E of the other side match both, D of S's side matches.
    fn note_denied(&mut self, words: &mut Words<'_>) -> Result<(), Rejection> {
        let (number, side, narrow) = self.named(words)?;
        let (by, other_side, deny) = self.named(words)?;
        if !words.is_over() {
            let (other, of_side, met) = self.named(words)?;
            words.end()?;
            let effects = [narrow.effect, deny.effect, met.effect];
            let matters = effects == [Effect::Allow, Effect::Deny, Effect::Deny]
                && side == other_side
                && side != of_side;
            if !matters || !deny.includes_both(narrow, met, self.budget)? {
                let reason = format!("{by} does not include what {number} and {other} match");
                return Err(words.place.rejects(reason));
            }
            self.denied_together.insert((number, other));
            return Ok(());
        }
        let matters = match narrow.effect {
            Effect::Allow => side == other_side || self.question.property == Property::Disjoint,
            Effect::Deny => side != other_side,
            Effect::Access => false,
        };
        if deny.effect != Effect::Deny || !matters {
            return Err(words.place.rejects(format!("{by} settles nothing of statement {number}")));
        }
        if !deny.includes(narrow, self.budget)? {
            return Err(words.place.rejects(format!("{by} does not include statement {number}")));
        }
        self.denied[number] = true;
        Ok(())
    }

    /// `spared S D`: but for its one condition the Deny statement D matches what S matches, and who escapes that is confined.
    fn note_spared(&mut self, words: &mut Words<'_>) -> Result<(), Rejection> {
        let (number, _, narrow) = self.named(words)?;
        let (by, _, deny) = self.named(words)?;
        words.end()?;
        let is_confining = match &deny.conditions[..] {
            [condition] => deny.effect == Effect::Deny && self.question.confines(condition, true),
            _ => false,
        };
        if !is_confining || !deny.is_about_all_of(narrow, self.budget)? {
            return Err(words.place.rejects(format!("{by} does not confine statement {number}")));
        }
        self.covered[number] = true;
        Ok(())
    }

    /// `covered S T R A…`: on its resources R (`*` for all) the Allow statement S has its actions A in T, which is one of the other
    /// side. Each of A is `FROM-UPTO@PLACE`: these actions are in those of T from `PLACE` on. Without A all are, as a whole.
    fn note_covered(&mut self, words: &mut Words<'_>) -> Result<(), Rejection> {
        let place = words.place;
        let (number, side, narrow) = self.named(words)?;
        let (by, other_side, wide) = self.named(words)?;
        if side == other_side || [narrow.effect, wide.effect] != [Effect::Allow; 2] {
            return Err(place.rejects(format!("{by} covers nothing of statement {number}")));
        }
        let is_same = self.question.are_alike(number, by);
        if !is_same && !wide.asks_less(narrow, self.budget)? {
            return Err(place.rejects(format!("{by} asks for more than statement {number}")));
        }
        let resources = match words.word()? {
            "*" => {
                let (wide, narrow) = (wide.resource.as_ref(), narrow.resource.as_ref());
                let is_in = is_same || statements::includes(wide, narrow, self.budget)?;
                if is_in { u64::MAX } else { 0 }
            }
            listed => self.listed(listed, wide, narrow)?,
        };
        if resources == 0 {
            return Err(
                place.rejects(format!("{by} has not these resources of statement {number}"))
            );
        }
        if self.open.0 != number {
            self.open = (number, vec![0; n_actions(narrow)]);
        }
        let masks = &mut self.open.1;
        if words.is_over() {
            let (wide, narrow) = (wide.action.as_ref(), narrow.action.as_ref());
            if !is_same && !statements::includes(wide, narrow, self.budget)? {
                return Err(
                    place.rejects(format!("{by} has not all actions of statement {number}"))
                );
            }
            masks.iter_mut().for_each(|mask| *mask |= resources);
        }
        while !words.is_over() {
            let (from, upto, at) = words.run()?;
            let (Some(own), Some(others)) = (&narrow.action, &wide.action) else {
                return Err(place.rejects("a statement has no list of actions"));
            };
            if own.negated || from > upto || upto >= own.entries.len() {
                return Err(place.rejects(format!("statement {number} has no such actions")));
            }
            for (step, entry) in own.entries[from..=upto].iter().enumerate() {
                let other = at.checked_add(step).and_then(|place| others.entries.get(place));
                let is_in = match other {
                    _ if others.negated => others.avoids(entry, self.budget)?,
                    Some(other) => other.includes(entry, self.budget)?,
                    None => false,
                };
                let position = from + step;
                if !is_in {
                    let reason =
                        format!("action {position} of statement {number} is not there in {by}");
                    return Err(place.rejects(reason));
                }
                masks[position] |= resources;
            }
        }
        let all = all_resources(narrow);
        self.covered[number] |= masks.iter().all(|mask| mask & all == all);
        Ok(())
    }

    /// The resources of these positions, a bit each, if they are all in the other statement; else none.
    fn listed(
        &self,
        positions: &str,
        wide: &Statement<'_>,
        narrow: &Statement<'_>,
    ) -> Result<u64, Rejection> {
        let (Some(wide), Some(narrow)) = (&wide.resource, &narrow.resource) else { return Ok(0) };
        let is_listed = !narrow.negated && narrow.entries.len() <= MAX_RESOURCES;
        if wide.negated || wide.is_opaque() || !is_listed {
            return Ok(0);
        }
        let mut mask = 0;
        for position in positions.split(',') {
            match position.parse().ok().and_then(|at: usize| Some((at, narrow.entries.get(at)?))) {
                Some((at, entry)) if wide.has(entry, at, self.budget)? => mask |= 1 << at,
                _ => return Ok(0),
            }
        }
        Ok(mask)
    }

    /// Whether nothing is left that breaks the property.
    fn all(&self) -> Result<(), Rejection> {
        let question = self.question;
        let sides: &[usize] = match question.property {
            Property::NoNewAccess | Property::Disjoint => &[NEW],
            Property::Equivalent => &[NEW, EXISTING],
            Property::AccessNotGranted | Property::NoPublicAccess => &[POLICY],
        };
        for &side in sides {
            for (number, statement) in question.of(side, Effect::Allow) {
                let left = match question.property {
                    _ if self.denied[number] || statement.is_void() => None,
                    Property::NoNewAccess | Property::Equivalent => {
                        self.exceeds(number, statement, NEW - side)?
                    }
                    Property::Disjoint => self.meets(number, statement, EXISTING, Effect::Allow)?,
                    Property::AccessNotGranted => {
                        self.meets(number, statement, side, Effect::Access)?
                    }
                    Property::NoPublicAccess if self.covered[number] => None,
                    Property::NoPublicAccess => self.lets_in(statement),
                };
                if let Some(reason) = left {
                    return Err(Rejection::new(format!("statement {number} {reason}")));
                }
            }
        }
        Ok(())
    }

    /// Why a statement may match a request that nothing confines.
    fn lets_in(&self, statement: &Statement<'_>) -> Option<String> {
        let is_particular = |entry| self.question.is_particular(entry);
        let listed = statement.principal.as_ref().filter(|clause| !clause.negated);
        let is_confined = listed.is_some_and(|clause| clause.entries.iter().all(is_particular))
            || statement
                .conditions
                .iter()
                .any(|condition| self.question.confines(condition, false));
        (!is_confined).then(|| "is confined by nothing".to_owned())
    }

    /// Why a statement may match what the other side does not allow.
    fn exceeds(
        &self,
        number: usize,
        statement: &Statement<'_>,
        other: usize,
    ) -> Result<Option<String>, Rejection> {
        if !self.covered[number] {
            return Ok(Some("is not covered by the rows".to_owned()));
        }
        self.meets(number, statement, other, Effect::Deny)
    }

    /// Which statement of a side that matters may match what the given one matches.
    fn meets(
        &self,
        number: usize,
        statement: &Statement<'_>,
        side: usize,
        effect: Effect,
    ) -> Result<Option<String>, Rejection> {
        for (other, met) in self.question.of(side, effect) {
            self.budget.spend(1)?;
            let is_apart = self.denied[other]
                || self.denied_together.contains(&(number, other))
                || met.is_void()
                || statement.is_of_others(met, self.budget)?
                || statement.is_disjoint(met, self.budget)?;
            if !is_apart {
                return Ok(Some(format!("may match what statement {other} matches")));
            }
        }
        Ok(None)
    }
}

/// How many lists of resources are kept for a statement: one for each action, if they are listed.
fn n_actions(statement: &Statement<'_>) -> usize {
    let listed = statement.action.as_ref().filter(|clause| !clause.negated);
    listed.map_or(1, |clause| clause.entries.len())
}

/// A bit for each resource of a statement of which rows tell them apart, else all.
fn all_resources(statement: &Statement<'_>) -> u64 {
    let listed = statement.resource.as_ref().filter(|clause| !clause.negated);
    match listed.map(|clause| clause.entries.len()) {
        Some(n @ 1..=MAX_RESOURCES) => u64::MAX >> (MAX_RESOURCES - n),
        _ => u64::MAX,
    }
}
