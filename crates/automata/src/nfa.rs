//! Nondeterministic automata: Thompson's construction, from the end to the beginning.
//!
//! Each expression is compiled in front of the state that follows it, so that no state is ever
//! made from which no word is accepted ([`DEAD`] in front of anything is [`DEAD`]), and "all the
//! rest" is one state ([`ALL`]). Glushkov's construction has no silent steps but, for `(a?){n}`,
//! quadratically many transitions.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use crate::class::CharClass;
use crate::expr::Expr;
use crate::language::Language;
use crate::limits::{LimitExceeded, Limits, Meter};
use crate::pattern::Pattern;
use crate::product::Simulation;

/// A state, or a step that reads nothing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct State {
    /// Which class is read on the way to `next`, or [`SILENT`], [`ACCEPTING`], [`EVERYTHING`].
    pub(crate) class: u32,
    pub(crate) next: u32,
    /// The other successor of a silent step.
    pub(crate) other: u32,
}

/// Mark of a step to both successors that reads nothing.
pub(crate) const SILENT: u32 = u32::MAX;
/// Mark of the state in which the empty word is accepted, and nothing else.
pub(crate) const ACCEPTING: u32 = u32::MAX - 1;
/// Mark of the state in which every word is accepted.
pub(crate) const EVERYTHING: u32 = u32::MAX - 2;
/// Mark of the state in which no word is accepted.
pub(crate) const NOTHING: u32 = u32::MAX - 3;

/// The state marked [`NOTHING`] of every automaton.
pub(crate) const DEAD: u32 = 0;
/// The state marked [`ACCEPTING`] of every automaton.
pub(crate) const END: u32 = 1;
/// The state marked [`EVERYTHING`] of every automaton.
pub(crate) const ALL: u32 = 2;

/// How deep complements and intersections may be nested in concatenations; each level is one
/// automaton made deterministic, and one level of recursion.
const MAX_DEPTH: usize = 64;

/// A nondeterministic automaton.
#[derive(Debug)]
pub(crate) struct Nfa {
    pub(crate) states: Vec<State>,
    /// The classes by number; none is empty, no two are equal.
    pub(crate) classes: Vec<CharClass>,
    pub(crate) start: u32,
}

/// A quick hash for small keys of our own making (the multiplicative hash of rustc).
#[derive(Default)]
pub(crate) struct QuickHasher(u64);

impl Hasher for QuickHasher {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64(u64::from(*byte)));
    }

    fn write_u8(&mut self, value: u8) {
        self.write_u64(u64::from(value));
    }

    fn write_u32(&mut self, value: u32) {
        self.write_u64(u64::from(value));
    }

    fn write_usize(&mut self, value: usize) {
        self.write_u64(value as u64);
    }

    #[inline]
    fn write_u64(&mut self, value: u64) {
        self.0 = (self.0.rotate_left(5) ^ value).wrapping_mul(0x517c_c1b7_2722_0a95);
    }

    fn finish(&self) -> u64 {
        // The table takes its bits from both ends; the high ones of a product are the good ones.
        self.0 ^ self.0 >> 32
    }
}

pub(crate) type QuickMap<K, V> = HashMap<K, V, BuildHasherDefault<QuickHasher>>;

/// An automaton in the making.
pub(crate) struct Builder<'m, 'l> {
    nfa: Nfa,
    numbers: QuickMap<CharClass, u32>,
    meter: &'m mut Meter<'l>,
    depth: usize,
}

/// What is left to compile, as a stack instead of recursion. `cur` is the state that follows; each
/// task leaves its own first state there.
enum Task<'e> {
    Visit(&'e Expr),
    /// Alternatives from `at` on, all in front of `next`; those before are in `made`.
    Alternatives {
        parts: &'e [Expr],
        at: usize,
        next: u32,
        made: u32,
    },
    /// Closes the loop at `cur` into the silent state.
    CloseLoop(u32),
    /// So many copies, optional ones first, since they are the last; an optional copy may skip to
    /// `end`.
    Copies {
        inner: &'e Expr,
        optional: u32,
        required: u32,
        end: u32,
        closes_optional: bool,
    },
}

impl Nfa {
    fn empty() -> Nfa {
        let mark = |class| State { class, next: DEAD, other: DEAD };
        let states = vec![mark(NOTHING), mark(ACCEPTING), mark(EVERYTHING)];
        Nfa { states, classes: Vec::new(), start: DEAD }
    }

    /// The automaton of an expression.
    pub(crate) fn new(
        expr: &Expr,
        depth: usize,
        meter: &mut Meter<'_>,
    ) -> Result<Nfa, LimitExceeded> {
        let mut builder = Builder::new(meter, depth);
        let start = builder.compile(expr, END)?;
        Ok(builder.finish(start))
    }

    /// The automaton of a list of words, ascending and without duplicates: a tree of their
    /// beginnings.
    pub(crate) fn of_words(words: &[Box<str>]) -> Nfa {
        /// A beginning whose continuations are not all known yet.
        struct Node {
            /// What leads to it.
            last: CharClass,
            /// The first states of its continuations so far.
            state: u32,
        }
        let mut meter = unlimited();
        let mut builder = Builder::new(&mut meter, 0);
        let mut path: Vec<Node> = Vec::new();
        let mut root = DEAD;
        let close = |builder: &mut Builder<'_, '_>, path: &mut Vec<Node>, root: &mut u32| {
            let Some(node) = path.pop() else { return };
            let step = builder.push_class(&node.last, node.state);
            let parent = path.last_mut().map_or(root, |parent| &mut parent.state);
            *parent = builder.push_either(step, *parent);
        };
        let mut before = "";
        for word in words {
            let same = before.chars().zip(word.chars()).take_while(|(a, b)| a == b).count();
            while path.len() > same {
                close(&mut builder, &mut path, &mut root);
            }
            let rest = word.chars().skip(same);
            path.extend(rest.map(|c| Node { last: CharClass::single(c), state: DEAD }));
            let end = path.last_mut().map_or(&mut root, |node| &mut node.state);
            *end = builder.push_either(END, *end);
            before = word;
        }
        while !path.is_empty() {
            close(&mut builder, &mut path, &mut root);
        }
        builder.finish(root)
    }

    /// Whether it accepts `word`: a simulation by sets of states.
    pub(crate) fn matches(&self, word: &str) -> bool {
        let mut simulation = Simulation::new(self.states.len());
        let mut here = Vec::new();
        simulation.add(&self.states, self.start);
        for c in word.chars() {
            simulation.take(&mut here);
            for state in &here {
                let step = self.states[*state as usize];
                if step.class == EVERYTHING {
                    return true;
                }
                let class = self.classes.get(step.class as usize);
                if class.is_some_and(|class| class.contains(c)) {
                    simulation.add(&self.states, step.next);
                }
            }
        }
        simulation.take(&mut here);
        here.contains(&END) || here.contains(&ALL)
    }

    /// The automaton of a union of patterns. As large as they are.
    pub(crate) fn of_patterns<'p>(patterns: impl IntoIterator<Item = &'p Pattern>) -> Nfa {
        let mut meter = unlimited();
        let mut builder = Builder::new(&mut meter, 0);
        let mut start = DEAD;
        for pattern in patterns {
            let mut cur = END;
            for item in pattern.items().iter().rev() {
                cur = if item.is_star {
                    builder.push_star(&item.class, cur)
                } else {
                    builder.push_class(&item.class, cur)
                };
            }
            start = builder.push_either(start, cur);
        }
        builder.finish(start)
    }

    /// The automaton of a union. As large as its parts.
    pub(crate) fn union<'n>(parts: impl IntoIterator<Item = &'n Nfa>) -> Nfa {
        let mut meter = unlimited();
        let mut builder = Builder::new(&mut meter, 0);
        let mut start = DEAD;
        for part in parts {
            let cur = builder.append(part, END);
            start = builder.push_either(start, cur);
        }
        builder.finish(start)
    }
}

/// A meter for what is as large as its input and needs no limit of its own.
fn unlimited() -> Meter<'static> {
    let (max_states, max_steps) = (usize::MAX, u64::MAX);
    Meter::new(&Limits { max_states, max_steps, ..Limits::default() })
}

impl<'m, 'l> Builder<'m, 'l> {
    pub(crate) fn new(meter: &'m mut Meter<'l>, depth: usize) -> Builder<'m, 'l> {
        Builder { nfa: Nfa::empty(), numbers: QuickMap::default(), meter, depth }
    }

    pub(crate) fn finish(mut self, start: u32) -> Nfa {
        self.nfa.start = start;
        self.nfa
    }

    fn push(&mut self, class: u32, next: u32, other: u32) -> u32 {
        self.nfa.states.push(State { class, next, other });
        (self.nfa.states.len() - 1) as u32
    }

    pub(crate) fn push_class(&mut self, class: &CharClass, next: u32) -> u32 {
        if next == DEAD || class.is_empty() {
            return DEAD;
        }
        let number = self.number(class);
        self.push(number, next, DEAD)
    }

    fn push_star(&mut self, class: &CharClass, next: u32) -> u32 {
        if next == ALL || next == END && class.is_any() {
            return ALL;
        }
        if next == DEAD || class.is_empty() {
            return next;
        }
        let star = self.push(SILENT, DEAD, next);
        self.nfa.states[star as usize].next = self.push_class(class, star);
        star
    }

    fn push_either(&mut self, a: u32, b: u32) -> u32 {
        match (a, b) {
            (ALL, _) | (_, ALL) => ALL,
            (DEAD, only) | (only, DEAD) => only,
            _ if a == b => a,
            _ => self.push(SILENT, a, b),
        }
    }

    /// A silent state whose successors [`Builder::set_silent`] fills in.
    pub(crate) fn reserve(&mut self) -> u32 {
        self.push(SILENT, DEAD, DEAD)
    }

    /// Lets a reserved state go to each of `targets`.
    pub(crate) fn set_silent(&mut self, state: u32, targets: &[u32]) {
        let mut all = DEAD;
        for target in targets {
            all = self.push_either(all, *target);
        }
        let state = &mut self.nfa.states[state as usize];
        (state.next, state.other) = (all, DEAD);
    }

    fn compile(&mut self, expr: &Expr, next: u32) -> Result<u32, LimitExceeded> {
        let mut cur = next;
        let mut tasks = vec![Task::Visit(expr)];
        while let Some(task) = tasks.pop() {
            self.meter.step(1)?;
            self.meter.holds(self.nfa.states.len(), 64 * tasks.len())?;
            cur = match task {
                Task::Visit(_) if cur == DEAD => DEAD,
                Task::Visit(expr) => self.visit(expr, cur, &mut tasks)?,
                Task::CloseLoop(star) => {
                    self.nfa.states[star as usize].next = cur;
                    star
                }
                Task::Alternatives { parts, at, next, made } => {
                    let made = if at > 0 { self.push_either(made, cur) } else { DEAD };
                    match parts.get(at) {
                        None => made,
                        Some(part) => {
                            tasks.push(Task::Alternatives { parts, at: at + 1, next, made });
                            tasks.push(Task::Visit(part));
                            next
                        }
                    }
                }
                Task::Copies { inner, optional, required, end, closes_optional } => {
                    if closes_optional {
                        cur = self.push_either(cur, end);
                    }
                    let rest = |optional, required, closes_optional| Task::Copies {
                        inner,
                        optional,
                        required,
                        end,
                        closes_optional,
                    };
                    if optional > 0 {
                        tasks.push(rest(optional - 1, required, true));
                        tasks.push(Task::Visit(inner));
                    } else if required > 0 && cur != DEAD {
                        tasks.push(rest(0, required - 1, false));
                        tasks.push(Task::Visit(inner));
                    }
                    cur
                }
            };
        }
        Ok(cur)
    }

    /// Compiles an expression in front of `next`, or pushes the tasks that will.
    fn visit<'e>(
        &mut self,
        expr: &'e Expr,
        next: u32,
        tasks: &mut Vec<Task<'e>>,
    ) -> Result<u32, LimitExceeded> {
        Ok(match expr {
            Expr::Empty => DEAD,
            Expr::Literal(text) => {
                self.meter.step(text.len())?;
                self.meter.holds(self.nfa.states.len() + text.len(), 0)?;
                text.chars().rev().fold(next, |cur, c| self.push_class(&CharClass::single(c), cur))
            }
            Expr::Chars(class) => self.push_class(class, next),
            Expr::AnyChar => self.push_class(&CharClass::ANY, next),
            Expr::All => self.push_star(&CharClass::ANY, next),
            Expr::Concat(parts) => {
                tasks.extend(parts.iter().map(Task::Visit));
                next
            }
            Expr::Union(parts) => {
                tasks.push(Task::Alternatives { parts, at: 0, next, made: DEAD });
                next
            }
            Expr::Star(inner) => self.visit_star(inner, next, tasks),
            Expr::Repeat { inner, min, max: None } => {
                let more = Task::Copies {
                    inner,
                    optional: 0,
                    required: *min,
                    end: next,
                    closes_optional: false,
                };
                tasks.push(more);
                self.visit_star(inner, next, tasks)
            }
            Expr::Repeat { min, max: Some(max), .. } if max < min => DEAD,
            Expr::Repeat { inner, min, max: Some(max) } => {
                tasks.push(Task::Copies {
                    inner,
                    optional: max - min,
                    required: *min,
                    end: next,
                    closes_optional: false,
                });
                next
            }
            Expr::Intersection(_) | Expr::Complement(_) => self.embed(expr, next)?,
        })
    }

    fn visit_star<'e>(&mut self, inner: &'e Expr, next: u32, tasks: &mut Vec<Task<'e>>) -> u32 {
        match inner {
            Expr::AnyChar => self.push_star(&CharClass::ANY, next),
            Expr::Chars(class) => self.push_star(class, next),
            _ => {
                let star = self.push(SILENT, DEAD, next);
                tasks.push(Task::CloseLoop(star));
                tasks.push(Task::Visit(inner));
                star
            }
        }
    }

    /// A Boolean combination is made deterministic and put in front of `next`.
    fn embed(&mut self, expr: &Expr, next: u32) -> Result<u32, LimitExceeded> {
        if self.depth >= MAX_DEPTH {
            return Err(LimitExceeded::Depth(MAX_DEPTH));
        }
        let language = Language::nested(expr, self.depth + 1, self.meter)?;
        let dfa = language.determinise(self.meter)?;
        self.meter.holds(self.nfa.states.len() + dfa.states.len(), 0)?;
        self.meter.step(dfa.states.len())?;
        Ok(self.append(&dfa, next))
    }

    /// Copies an automaton in front of `next`.
    fn append(&mut self, nfa: &Nfa, next: u32) -> u32 {
        // In front of the end, "all the rest" is what it was; in front of anything else, a star.
        let all = if nfa.states.len() > 3 || nfa.start == ALL {
            self.push_star(&CharClass::ANY, next)
        } else {
            DEAD
        };
        let numbers: Vec<u32> = nfa.classes.iter().map(|class| self.number(class)).collect();
        let offset = self.nfa.states.len() as u32 - 3;
        let place = |state: u32| match state {
            DEAD => DEAD,
            END => next,
            ALL => all,
            _ => state + offset,
        };
        for state in &nfa.states[3..] {
            let class = numbers.get(state.class as usize).copied().unwrap_or(state.class);
            self.push(class, place(state.next), place(state.other));
        }
        place(nfa.start)
    }

    /// The number of a class.
    fn number(&mut self, class: &CharClass) -> u32 {
        let next = self.nfa.classes.len() as u32;
        let number = *self.numbers.entry(class.clone()).or_insert(next);
        if number == next {
            self.nfa.classes.push(class.clone());
        }
        number
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::hash::{BuildHasher as _, Hash};

    use super::*;

    /// A table takes the low bits, and the seven highest to tell apart what is in one place.
    #[track_caller]
    fn check<K: Hash>(keys: impl Iterator<Item = K>) {
        let hasher = BuildHasherDefault::<QuickHasher>::default();
        let hashes: Vec<u64> = keys.map(|key| hasher.hash_one(key)).collect();
        let low: BTreeSet<u64> = hashes.iter().map(|hash| hash % 1024).collect();
        let high: BTreeSet<u64> = hashes.iter().map(|hash| hash >> 57).collect();
        assert!(low.len() > 400 && high.len() > 60, "{} and {}", low.len(), high.len());
    }

    #[test]
    fn keys_are_spread_over_a_table() {
        check(0..1024_u32);
        check((0..1024_u64).map(|n| n << 32));
        check(0..1024_usize);
        check((0..1024_u32).map(|n| (n % 32, n / 32)));
        check((0..1024_u32).map(|n| format!("{n}")));
        check((0..=255_u8).flat_map(|n| (0..4_u8).map(move |m| (n, m))));
        let classes = (0..1024).filter_map(|n| char::from_u32(97 + n));
        check(classes.map(|c| CharClass::new([(c, c), ('!', '~')])));
    }
}
