//! Which readings of the language a verdict hangs on.
//!
//! A switch between readings is a Boolean variable of the formula, true if and only if the
//! alternative is in force, and one variable for all policies of a question: reading one policy
//! widely and the other narrowly would make `P ≤ P` fail. Undecided switches are free, so that
//! *unsatisfiable* means that the property holds however the language is read. A witness shows less:
//! that the property fails under *its* readings. What is here finds out whether it fails
//! under all others as well, and if not, on which switches that hangs.

use std::collections::{BTreeMap, BTreeSet};

use keyaki_logic::{Model, Sort, Value};
use keyaki_policy::{Readings, Switch};

use crate::encode::Encoding;
use crate::encode::symbols::switch_variable;

/// The most free switches of which every combination is tried; each is a replay, of microseconds.
const MAX_SWITCHES: usize = 10;

/// The most combinations of readings under which the question is asked again.
const MAX_ASKED: usize = 16;

/// The readings that are in force where a switch is not free.
pub(crate) fn base(decisions: &BTreeMap<Switch, bool>) -> Readings {
    decisions.iter().fold(Readings::DEFAULT, |readings, (&switch, &alternative)| {
        readings.with(switch, alternative)
    })
}

impl Encoding {
    /// Asserts the readings of the switches that are decided, by the caller or because they have a
    /// default that only callers change. Returns those that are not, as far as the question touches
    /// them.
    pub fn decide(&mut self, decisions: &BTreeMap<Switch, bool>) -> Vec<Switch> {
        self.knows_types = decisions.get(&Switch::R36) == Some(&true);
        let mut free = Vec::new();
        for switch in touched(self) {
            match decisions.get(&switch) {
                Some(&alternative) => assert_reading(self, switch, alternative),
                None if switch.is_undecided() => free.push(switch),
                None => assert_reading(self, switch, false),
            }
        }
        free
    }
}

/// The same question with the free switches read in this way.
pub(super) fn under(encoding: &Encoding, free: &[Switch], readings: Readings) -> Encoding {
    let mut encoding = encoding.clone();
    for &switch in free {
        assert_reading(&mut encoding, switch, readings.is_alternative(switch));
    }
    encoding
}

/// The readings of a model: its own of the free switches, those of `base` of the others.
pub(super) fn of_model(model: &Model, free: &[Switch], base: Readings) -> Readings {
    free.iter().fold(base, |readings, &switch| {
        let alternative = model.get(&switch_variable(switch)) == Some(&Value::Bool(true));
        readings.with(switch, alternative)
    })
}

fn touched(encoding: &Encoding) -> Vec<Switch> {
    let variables: BTreeSet<&str> = encoding.terms.variables().map(|(name, _)| name).collect();
    let all = Switch::ALL.iter().map(|(switch, ..)| *switch);
    all.filter(|switch| variables.contains(switch_variable(*switch).as_str())).collect()
}

fn assert_reading(encoding: &mut Encoding, switch: Switch, alternative: bool) {
    let t = &mut encoding.terms;
    let variable = t.var(&switch_variable(switch), Sort::Bool);
    let axiom = if alternative { variable } else { t.not(variable) };
    let reading = switch.readings()[usize::from(alternative)];
    encoding.axioms.push((format!("{}: {reading}", switch.name()), axiom));
}

/// What a question comes to under one combination of readings.
pub(super) enum Asked<W> {
    Holds,
    Fails(W),
    Unknown,
}

/// A witness, the readings under which it is one, and the switches that this hangs on.
pub(super) struct Settled<W> {
    pub(super) witness: W,
    pub(super) under: Readings,
    /// Empty if the property fails under all readings of the free switches. Otherwise the property
    /// holds if these are read the other way than in `under`; where limits kept us from finding
    /// such readings, all free switches.
    pub(super) depends_on: Vec<Switch>,
}

/// Finds out on which of the free switches it hangs that a property fails. `first` is a witness
/// under `readings`, which differ from `base` in free switches only.
///
/// The witness under `base` is preferred, if there is one.
pub(super) fn settle<W, E>(
    free: &[Switch],
    base: Readings,
    first: W,
    readings: Readings,
    is_witness: &dyn Fn(&W, Readings) -> bool,
    ask: &mut dyn FnMut(Readings) -> Result<Asked<W>, E>,
) -> Result<Settled<W>, E> {
    let mut search = Search::new(is_witness, ask, vec![(first, readings)]);
    let others = Others::of(free, base, &mut |readings| search.verdict(readings))?;
    let preferred = search.position(base).unwrap_or(0);
    if preferred > 0 || search.is_witness_under(0, base) {
        search.witnesses[preferred].1 = base;
    }
    let under = search.witnesses[preferred].1;
    let depends_on = others.hangs_on(free, under, &mut |readings| search.verdict(readings))?;
    let (witness, under) = search.witnesses.swap_remove(preferred);
    Ok(Settled { witness, under, depends_on })
}

/// Whether a property that fails does so however the free switches are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Others {
    /// It does.
    Fail,
    /// It was not found out of some combination.
    Open,
    /// It holds under these readings.
    Hold(Readings),
}

impl Others {
    /// Finds out. `verdict` says whether the property fails under some readings, unless that is open.
    pub(super) fn of<E>(
        free: &[Switch],
        base: Readings,
        verdict: &mut dyn FnMut(Readings) -> Result<Option<bool>, E>,
    ) -> Result<Others, E> {
        let mut others = if free.len() > MAX_SWITCHES { Others::Open } else { Others::Fail };
        for readings in combinations(free, base) {
            match verdict(readings)? {
                Some(true) => {}
                Some(false) => return Ok(Others::Hold(readings)),
                None => others = Others::Open,
            }
        }
        Ok(others)
    }

    /// The switches on which it hangs that the property fails under `under`.
    pub(super) fn hangs_on<E>(
        self,
        free: &[Switch],
        under: Readings,
        verdict: &mut dyn FnMut(Readings) -> Result<Option<bool>, E>,
    ) -> Result<Vec<Switch>, E> {
        let mut nearest = match self {
            Others::Fail => return Ok(Vec::new()),
            Others::Open => return Ok(free.to_vec()),
            Others::Hold(readings) => readings,
        };
        let differs = |s: &Switch, h: Readings| h.is_alternative(*s) != under.is_alternative(*s);
        for switch in free {
            let nearer = nearest.with(*switch, under.is_alternative(*switch));
            if differs(switch, nearest) && verdict(nearer)? == Some(false) {
                nearest = nearer;
            }
        }
        Ok(free.iter().copied().filter(|switch| differs(switch, nearest)).collect())
    }
}

/// Combinations of readings of the free switches: `base` first, then those that differ from it
/// in one switch, and so on; of too many switches only `base`.
pub(crate) fn combinations(free: &[Switch], base: Readings) -> impl Iterator<Item = Readings> {
    let n_switches = if free.len() > MAX_SWITCHES { 0 } else { free.len() };
    let mut choices: Vec<u32> = (0..1 << n_switches).collect();
    choices.sort_by_key(|choice| (choice.count_ones(), *choice));
    let readings = move |choice: u32| {
        let flipped = free.iter().enumerate().filter(|(i, _)| choice >> i & 1 == 1);
        flipped.fold(base, |readings, (_, switch)| {
            readings.with(*switch, !base.is_alternative(*switch))
        })
    };
    choices.into_iter().map(readings)
}

/// What is known of a question under each combination of readings.
pub(super) struct Search<'a, W, E> {
    is_witness: &'a dyn Fn(&W, Readings) -> bool,
    ask: &'a mut dyn FnMut(Readings) -> Result<Asked<W>, E>,
    /// Each with readings under which it is one.
    witnesses: Vec<(W, Readings)>,
    n_asked: usize,
}

impl<'a, W, E> Search<'a, W, E> {
    /// Begins with witnesses that are known, each under some readings.
    pub(super) fn new(
        is_witness: &'a dyn Fn(&W, Readings) -> bool,
        ask: &'a mut dyn FnMut(Readings) -> Result<Asked<W>, E>,
        witnesses: Vec<(W, Readings)>,
    ) -> Search<'a, W, E> {
        Search { is_witness, ask, witnesses, n_asked: 0 }
    }

    /// A witness under these readings, if one is known.
    pub(super) fn witness(&self, readings: Readings) -> Option<&W> {
        self.position(readings).map(|at| &self.witnesses[at].0)
    }

    /// Whether the property fails under these readings; `None` if that stays open.
    pub(super) fn verdict(&mut self, readings: Readings) -> Result<Option<bool>, E> {
        if self.position(readings).is_some() {
            return Ok(Some(true));
        }
        if self.n_asked == MAX_ASKED {
            return Ok(None);
        }
        self.n_asked += 1;
        Ok(match (self.ask)(readings)? {
            Asked::Holds => Some(false),
            Asked::Unknown => None,
            Asked::Fails(witness) => {
                self.witnesses.push((witness, readings));
                Some(true)
            }
        })
    }

    /// The position of the first witness under these readings.
    fn position(&self, readings: Readings) -> Option<usize> {
        (0..self.witnesses.len()).find(|&i| self.is_witness_under(i, readings))
    }

    fn is_witness_under(&self, index: usize, readings: Readings) -> bool {
        let (witness, known) = &self.witnesses[index];
        *known == readings || (self.is_witness)(witness, readings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A property as the set of readings under which it fails; a witness is a set of readings
    /// under which it is one.
    type Set = fn(Readings) -> bool;

    const FREE: [Switch; 3] = [Switch::D17, Switch::D22, Switch::R9];

    fn alternatives(switches: &[Switch]) -> Readings {
        switches.iter().fold(Readings::DEFAULT, |readings, s| readings.with(*s, true))
    }

    /// Settles with questions answered by `new_witness`; a property holds where that is none.
    /// Returns the readings, the switches and the number of questions.
    fn settled(
        first: Set,
        under: &[Switch],
        new_witness: fn(Readings) -> Option<Set>,
    ) -> (Readings, Vec<Switch>, usize) {
        let mut n_asked = 0;
        let settled = settle::<Set, ()>(
            &FREE,
            Readings::DEFAULT,
            first,
            alternatives(under),
            &|witness, readings| witness(readings),
            &mut |readings| {
                n_asked += 1;
                Ok(new_witness(readings).map_or(Asked::Holds, Asked::Fails))
            },
        )
        .unwrap();
        assert!((settled.witness)(settled.under), "the witness is one under its readings");
        (settled.under, settled.depends_on, n_asked)
    }

    #[test]
    fn a_witness_under_all_readings_depends_on_nothing_and_nobody_is_asked() {
        let found = settled(|_| true, &[], |_| None);
        assert_eq!(found, (Readings::DEFAULT, vec![], 0));
        // The readings of the model do not matter then.
        let found = settled(|_| true, &[Switch::D22], |_| None);
        assert_eq!(found, (Readings::DEFAULT, vec![], 0));
    }

    #[test]
    fn a_verdict_depends_on_the_switch_that_turns_it() {
        let found = settled(|r| !r.is_alternative(Switch::D22), &[], |_| None);
        assert_eq!(found, (Readings::DEFAULT, vec![Switch::D22], 1));
        let found = settled(|r| r.is_alternative(Switch::R9), &[Switch::R9], |_| None);
        assert_eq!(found, (alternatives(&[Switch::R9]), vec![Switch::R9], 1));
    }

    #[test]
    fn switches_that_happen_to_differ_are_not_named() {
        // It holds under the defaults, and whatever D17 is.
        let found = settled(
            |r| r.is_alternative(Switch::R9),
            &[Switch::D17, Switch::R9],
            |r| r.is_alternative(Switch::R9).then_some(|r| r.is_alternative(Switch::R9)),
        );
        assert_eq!(found.1, [Switch::R9]);
    }

    #[test]
    fn both_of_two_switches_that_only_together_save_are_named() {
        fn fails(r: Readings) -> bool {
            !(r.is_alternative(Switch::D17) && r.is_alternative(Switch::D22))
        }
        let found = settled(fails, &[], |_| None);
        assert_eq!((found.0, found.1), (Readings::DEFAULT, vec![Switch::D17, Switch::D22]));
    }

    #[test]
    fn different_witnesses_for_different_readings_depend_on_nothing() {
        let found = settled(
            |r| r.is_alternative(Switch::D17),
            &[Switch::D17],
            |r| (!r.is_alternative(Switch::D17)).then_some(|r| !r.is_alternative(Switch::D17)),
        );
        // The witness under the defaults is the one that is told.
        assert_eq!(found, (Readings::DEFAULT, vec![], 1));
    }

    #[test]
    fn what_stays_open_names_all_switches_that_are_touched() {
        let ask = &mut |_| Ok::<_, ()>(Asked::<Set>::Unknown);
        let first: Set = |r| r == Readings::DEFAULT;
        let is_witness = &|witness: &Set, readings| witness(readings);
        let base = Readings::DEFAULT;
        let settled = settle(&FREE, base, first, base, is_witness, ask).unwrap();
        assert_eq!(settled.depends_on, FREE);
        let all: Vec<Switch> = Switch::ALL.iter().map(|(switch, ..)| *switch).collect();
        let everywhere: Set = |_| true;
        let settled = settle(&all, base, everywhere, base, is_witness, ask).unwrap();
        assert_eq!(settled.depends_on, all, "2^25 combinations are not tried");
    }

    #[test]
    fn combinations_begin_near_the_base() {
        let base = Readings::DEFAULT.with(Switch::R35, true);
        let all: Vec<_> = combinations(&FREE, base).collect();
        assert_eq!(all.len(), 8);
        assert_eq!(all[0], base);
        assert_eq!(all[2], base.with(Switch::D22, true));
        assert_eq!(all[7], FREE.iter().fold(base, |r, s| r.with(*s, true)));
    }
}
