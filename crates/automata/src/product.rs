//! The product of many automata, made deterministic on the fly.
//!
//! A state of the product is one sorted list of states of all automata together. States that lead
//! nowhere are never in it, and an automaton that has reached "all the rest" is in it with that one
//! state, so that equal futures tend to be equal lists, a thousand negatives of which three are
//! still alive cost three entries, and the product stops where its answer is settled: a positive
//! that is dead, a negative that is universal.

use crate::alphabet::{Alphabet, Blocks, Classes};
use crate::language::{Language, Operation, Shape, evaluate};
use crate::limits::{LimitExceeded, Meter};
use crate::nfa::{
    ACCEPTING, Builder, DEAD, END, EVERYTHING, NOTHING, Nfa, QuickMap, SILENT, State,
};

/// A set of states of one or many automata, closed under silent steps.
pub(crate) struct Simulation {
    set: Vec<u32>,
    stamps: Vec<u32>,
    stamp: u32,
    stack: Vec<u32>,
}

impl Simulation {
    pub(crate) fn new(n_states: usize) -> Simulation {
        Simulation { set: Vec::new(), stamps: vec![0; n_states], stamp: 1, stack: Vec::new() }
    }

    /// Adds a state and all that silent steps lead to.
    #[inline]
    pub(crate) fn add(&mut self, states: &[State], state: u32) {
        let mut next = Some(state);
        while let Some(state) = next {
            next = None;
            let stamp = &mut self.stamps[state as usize];
            if *stamp != self.stamp {
                *stamp = self.stamp;
                let step = states[state as usize];
                match step.class {
                    SILENT => {
                        self.stack.push(step.other);
                        next = Some(step.next);
                        continue;
                    }
                    NOTHING => {}
                    _ => self.set.push(state),
                }
            }
            next = next.or_else(|| self.stack.pop());
        }
    }

    /// Puts the set, in no order, into `out` and begins the next.
    pub(crate) fn take(&mut self, out: &mut Vec<u32>) {
        self.begin();
        std::mem::swap(&mut self.set, out);
        self.set.clear();
    }

    fn begin(&mut self) {
        self.stamp = self.stamp.wrapping_add(1);
        if self.stamp == 0 {
            self.stamps.fill(0);
            self.stamp = 1;
        }
    }
}

/// What an automaton of the product is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// Must accept.
    Positive,
    /// Must not accept.
    Negative,
    /// Its acceptance is an operand of some formula.
    Operand,
}

/// What is known of an operand in a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Status {
    /// Accepts nothing from here.
    Dead,
    /// Accepts everything from here.
    Universal,
    /// Open; whether it accepts here and now.
    Open(bool),
}

/// A formula that must have the given value.
struct Constraint<'q> {
    operations: &'q [Operation],
    /// The automaton of operand 0; the others follow.
    first: u32,
    wanted: bool,
    /// Which language it is, as in [`Product::origins`].
    origin: usize,
}

/// Automata side by side, and the states of their product found so far.
pub(crate) struct Product<'q> {
    /// The states of all automata.
    steps: Vec<State>,
    /// Which automaton each is of.
    owners: Vec<u32>,
    roles: Vec<Role>,
    /// Which language each automaton is from: an index of the positives followed by the negatives.
    origins: Vec<usize>,
    /// For each language, whether it was the reason for some state to accept nothing, or not the
    /// empty word. A word that the reasons alone allow would be accepted by some state: where its
    /// run was stopped there is a reason that stops it. (Where another state with fewer negatives
    /// was followed instead, the rest of the word would be accepted from there.)
    is_reason: Vec<bool>,
    /// The states of negatives are those from here on.
    first_negative: u32,
    constraints: Vec<Constraint<'q>>,
    /// By automaton; only those of operands are used.
    statuses: Vec<Status>,
    alphabet: Alphabet,
    simulation: Simulation,
    found: Sets,
    /// Whether each state found accepts.
    accepting: Vec<bool>,
    blocks: Blocks,
}

/// One transition of the product.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Edge {
    pub(crate) target: u32,
    /// Where the minterms of its block begin in [`Graph::minterms`].
    begin: u32,
    end: u32,
}

/// All reachable states of a product that were not settled.
pub(crate) struct Graph {
    /// The edges of all states in order of the states.
    pub(crate) edges: Vec<Edge>,
    /// Where the edges of each state end.
    edge_ends: Vec<u32>,
    minterms: Vec<u32>,
    pub(crate) accepting: Vec<bool>,
    /// The length of the shortest word accepted from each state; `u32::MAX` if there is none.
    pub(crate) distance: Vec<u32>,
}

impl<'q> Product<'q> {
    pub(crate) fn new(
        positives: &'q [Language],
        negatives: &'q [Language],
        meter: &mut Meter<'_>,
    ) -> Result<Product<'q>, LimitExceeded> {
        let mut automata: Vec<(&'q Nfa, Role, usize)> = Vec::new();
        let mut constraints = Vec::new();
        let all = positives.iter().map(|language| (language, true));
        let all = all.chain(negatives.iter().map(|language| (language, false)));
        for (origin, (language, wanted)) in all.enumerate() {
            let role = if wanted { Role::Positive } else { Role::Negative };
            match language.shape() {
                Shape::Formula { operands, operations } => {
                    let first = automata.len() as u32;
                    constraints.push(Constraint { operations, first, wanted, origin });
                    let nfas = operands.iter().filter_map(Language::nfa);
                    automata.extend(nfas.map(|nfa| (nfa, Role::Operand, origin)));
                }
                _ => automata.extend(language.nfa().map(|nfa| (nfa, role, origin))),
            }
        }
        // Negatives last, so that their part of a state is its end. All else keeps its order, so that
        // the operands of a formula stay together.
        let mut order: Vec<u32> = (0..automata.len() as u32).collect();
        order.sort_by_key(|i| automata[*i as usize].1 == Role::Negative);
        for constraint in &mut constraints {
            let is_first = |i: &u32| *i == constraint.first;
            constraint.first = order.iter().position(is_first).unwrap_or_default() as u32;
        }
        let automata: Vec<(&Nfa, Role, usize)> =
            order.iter().map(|i| automata[*i as usize]).collect();
        let n_states: usize = automata.iter().map(|(nfa, ..)| nfa.states.len()).sum();
        // 12 bytes for the step, 4 each for owner and stamp.
        meter.holds(0, n_states * 20)?;
        meter.step(n_states)?;
        let mut classes = Classes::default();
        let mut steps = Vec::with_capacity(n_states);
        let mut owners = Vec::with_capacity(n_states);
        let mut starts = Vec::with_capacity(automata.len());
        for (automaton, (nfa, ..)) in automata.iter().enumerate() {
            let offset = steps.len() as u32;
            let numbers: Vec<u32> = nfa.classes.iter().map(|class| classes.number(class)).collect();
            steps.extend(nfa.states.iter().map(|state| State {
                class: numbers.get(state.class as usize).copied().unwrap_or(state.class),
                next: state.next + offset,
                other: state.other + offset,
            }));
            owners.resize(steps.len(), automaton as u32);
            starts.push(nfa.start + offset);
        }
        let roles: Vec<Role> = automata.iter().map(|(_, role, _)| *role).collect();
        let alphabet = Alphabet::new(classes.list(), meter)?;
        let mut product = Product {
            statuses: vec![Status::Dead; roles.len()],
            first_negative: automata
                .iter()
                .take_while(|(_, role, _)| *role != Role::Negative)
                .map(|(nfa, ..)| nfa.states.len() as u32)
                .sum(),
            origins: automata.iter().map(|(.., origin)| *origin).collect(),
            is_reason: vec![false; positives.len() + negatives.len()],
            roles,
            simulation: Simulation::new(steps.len()),
            steps,
            owners,
            constraints,
            blocks: Blocks::new(alphabet.n_minterms(), classes.list().len()),
            alphabet,
            found: Sets::default(),
            accepting: Vec::new(),
        };
        for start in starts {
            product.simulation.add(&product.steps, start);
        }
        product.intern(meter)?;
        Ok(product)
    }

    /// The number of the state that was collected in the simulation, unless it is settled.
    fn intern(&mut self, meter: &mut Meter<'_>) -> Result<Option<u32>, LimitExceeded> {
        let mut set = std::mem::take(&mut self.simulation.set);
        self.simulation.begin();
        meter.step(set.len() + 1)?;
        set.sort_unstable();
        let mut state = None;
        if let Some(accepts) = self.judge(&mut set) {
            let (number, is_new) = self.found.number(&set);
            if is_new {
                self.accepting.push(accepts);
                meter.holds(self.accepting.len(), self.found.bytes())?;
            }
            state = Some(number);
        }
        set.clear();
        self.simulation.set = set;
        Ok(state)
    }

    /// Whether the set accepts the empty word; `None` if it can accept no word. Reduces automata
    /// that accept everything to one state.
    fn judge(&mut self, set: &mut Vec<u32>) -> Option<bool> {
        let mut dead = Reason::default();
        let mut rejects = Reason::default();
        if !self.constraints.is_empty() {
            self.statuses.fill(Status::Dead);
        }
        // Positives that are not in the set are dead.
        let mut next_positive = 0;
        let (mut read, mut write) = (0, 0);
        while read < set.len() {
            let owner = self.owners[set[read] as usize];
            let begin = write;
            let mut status = Status::Open(false);
            while read < set.len() && self.owners[set[read] as usize] == owner {
                let state = set[read];
                read += 1;
                match self.steps[state as usize].class {
                    EVERYTHING => {
                        status = Status::Universal;
                        write = begin;
                    }
                    _ if status == Status::Universal => continue,
                    ACCEPTING => status = Status::Open(true),
                    _ => {}
                }
                set[write] = state;
                write += 1;
            }
            self.find_dead(&mut next_positive, owner, &mut dead);
            let origin = self.origins[owner as usize];
            match (self.roles[owner as usize], status) {
                (Role::Operand, _) => self.statuses[owner as usize] = status,
                (Role::Negative, Status::Universal) => dead.add(origin, &self.is_reason),
                (Role::Negative, Status::Open(true)) | (Role::Positive, Status::Open(false)) => {
                    rejects.add(origin, &self.is_reason);
                }
                _ => {}
            }
        }
        self.find_dead(&mut next_positive, self.roles.len() as u32, &mut dead);
        set.truncate(write);
        for constraint in &self.constraints {
            let status = |operand: u32| self.statuses[(constraint.first + operand) as usize];
            if possible(constraint.operations, status) == Some(!constraint.wanted) {
                dead.add(constraint.origin, &self.is_reason);
            }
            let is_in =
                |operand: u32| matches!(status(operand), Status::Universal | Status::Open(true));
            if evaluate(constraint.operations, is_in) != constraint.wanted {
                rejects.add(constraint.origin, &self.is_reason);
            }
        }
        if dead.settle(&mut self.is_reason) {
            return None;
        }
        Some(!rejects.settle(&mut self.is_reason))
    }

    /// Notes the positives from `next` on that come before automaton `until`.
    #[inline]
    fn find_dead(&self, next: &mut u32, until: u32, dead: &mut Reason) {
        for automaton in *next..until {
            if self.roles[automaton as usize] == Role::Positive {
                dead.add(self.origins[automaton as usize], &self.is_reason);
            } else if self.roles[automaton as usize] == Role::Negative {
                // These come last.
                break;
            }
        }
        *next = until + 1;
    }

    /// The languages that are enough for there to be no word, once [`Product::shortest`] has found
    /// none: indices of the positives followed by the negatives.
    pub(crate) fn reasons(&self) -> impl Iterator<Item = usize> {
        self.is_reason.iter().enumerate().filter(|(_, is_reason)| **is_reason).map(|(i, _)| i)
    }

    /// Sorts the minterms into the blocks of a state.
    fn divide(&mut self, state: u32, meter: &mut Meter<'_>) -> Result<(), LimitExceeded> {
        let set = self.found.get(state);
        // To fill a list is much less work than to follow a transition.
        meter.step(set.len() + self.alphabet.n_minterms() / 16)?;
        self.blocks.divide(&self.alphabet, set.iter().map(|s| self.steps[*s as usize].class));
        Ok(())
    }

    /// The state after reading a minterm, unless it is settled.
    fn after(
        &mut self,
        state: u32,
        minterm: u32,
        meter: &mut Meter<'_>,
    ) -> Result<Option<u32>, LimitExceeded> {
        let set = self.found.get(state);
        meter.step(set.len())?;
        for at in set {
            let step = self.steps[*at as usize];
            match step.class {
                ACCEPTING => {}
                EVERYTHING => self.simulation.add(&self.steps, *at),
                class if self.alphabet.contains(class, minterm) => {
                    self.simulation.add(&self.steps, step.next);
                }
                _ => {}
            }
        }
        self.intern(meter)
    }

    /// A shortest word of the product, of the most readable characters at each step.
    ///
    /// Level by level, and in each those states first that have least: so they come before all that
    /// they make needless. Of `(a|b)*a(a|b)^n` negated, one state of each level is followed instead
    /// of all of them.
    pub(crate) fn shortest(
        &mut self,
        meter: &mut Meter<'_>,
    ) -> Result<Option<String>, LimitExceeded> {
        if self.accepting.first() == Some(&true) {
            return Ok(Some(String::new()));
        }
        // By state: where it was found from, reading what.
        let mut origins: Vec<(u32, u32)> = vec![(0, 0); self.accepting.len()];
        let mut antichain = Antichain::default();
        let mut level: Vec<u32> = (0..origins.len() as u32).collect();
        while !level.is_empty() {
            let next = origins.len() as u32;
            level.sort_by_key(|state| self.found.get(*state).len());
            for state in level {
                if !antichain.admits(state, &self.found, self.first_negative) {
                    continue;
                }
                self.divide(state, meter)?;
                for block in 0..self.blocks.first().len() {
                    let minterm = self.blocks.first()[block];
                    let Some(target) = self.after(state, minterm, meter)? else { continue };
                    if (target as usize) < origins.len() {
                        continue;
                    }
                    origins.push((state, minterm));
                    if self.accepting[target as usize] {
                        return Ok(Some(self.spell(&origins, target)));
                    }
                }
            }
            level = (next..origins.len() as u32).collect();
        }
        Ok(None)
    }

    fn spell(&self, origins: &[(u32, u32)], mut state: u32) -> String {
        let mut word = Vec::new();
        while state != 0 {
            let (from, minterm) = origins[state as usize];
            word.push(self.alphabet.best(minterm));
            state = from;
        }
        word.iter().rev().collect()
    }

    /// All states of the product.
    pub(crate) fn explore(&mut self, meter: &mut Meter<'_>) -> Result<Graph, LimitExceeded> {
        let mut graph = Graph {
            edges: Vec::new(),
            edge_ends: Vec::new(),
            minterms: Vec::new(),
            accepting: Vec::new(),
            distance: Vec::new(),
        };
        let mut state = 0;
        while (state as usize) < self.accepting.len() {
            self.divide(state, meter)?;
            for block in 0..self.blocks.first().len() {
                let minterm = self.blocks.first()[block];
                let Some(target) = self.after(state, minterm, meter)? else { continue };
                let begin = graph.minterms.len() as u32;
                meter.step(self.alphabet.n_minterms())?;
                graph.minterms.extend(self.blocks.of_minterm(minterm));
                let end = graph.minterms.len() as u32;
                graph.edges.push(Edge { target, begin, end });
                let bytes = 4 * graph.minterms.len() + 12 * graph.edges.len();
                meter.holds(self.accepting.len(), bytes + self.found.bytes())?;
            }
            graph.edge_ends.push(graph.edges.len() as u32);
            state += 1;
        }
        graph.accepting = self.accepting.clone();
        graph.measure(meter)?;
        Ok(graph)
    }
}

/// Why a state is dead or rejects; one that is a reason already is preferred.
#[derive(Default)]
struct Reason {
    new: Option<usize>,
    is_known: bool,
}

impl Reason {
    fn add(&mut self, origin: usize, is_reason: &[bool]) {
        self.is_known |= is_reason[origin];
        self.new.get_or_insert(origin);
    }

    /// Whether there was a reason; notes it.
    fn settle(self, is_reason: &mut [bool]) -> bool {
        if let Some(origin) = self.new.filter(|_| !self.is_known) {
            is_reason[origin] = true;
        }
        self.new.is_some()
    }
}

/// The value of a formula as far as it is settled.
fn possible(operations: &[Operation], status: impl Fn(u32) -> Status) -> Option<bool> {
    // As a pair: may be true, may be false.
    let mut stack: Vec<(bool, bool)> = Vec::new();
    for operation in operations {
        let value = match *operation {
            Operation::Operand(operand) => match status(operand) {
                Status::Dead => (false, true),
                Status::Universal => (true, false),
                Status::Open(_) => (true, true),
            },
            Operation::Not => stack.pop().map(|(yes, no)| (no, yes)).unwrap_or((true, true)),
            Operation::And(n) => stack
                .drain(stack.len() - n as usize..)
                .fold((true, false), |all, value| (all.0 & value.0, all.1 | value.1)),
            Operation::Or(n) => stack
                .drain(stack.len() - n as usize..)
                .fold((false, true), |any, value| (any.0 | value.0, any.1 & value.1)),
        };
        stack.push(value);
    }
    match stack.pop() {
        Some((true, false)) => Some(true),
        Some((false, true)) => Some(false),
        _ => None,
    }
}

impl Graph {
    pub(crate) fn n_states(&self) -> usize {
        self.edge_ends.len()
    }

    /// The edges of a state.
    pub(crate) fn edges_of(&self, state: u32) -> &[Edge] {
        let state = state as usize;
        let begin = if state == 0 { 0 } else { self.edge_ends[state - 1] };
        &self.edges[begin as usize..self.edge_ends[state] as usize]
    }

    /// The edges of a state that lead to a word.
    pub(crate) fn live_edges_of(&self, state: u32) -> impl Iterator<Item = &Edge> {
        self.edges_of(state).iter().filter(|edge| self.distance[edge.target as usize] != u32::MAX)
    }

    /// The number of characters of an edge.
    pub(crate) fn n_chars(&self, edge: &Edge, product: &Product<'_>) -> u64 {
        let minterms = &self.minterms[edge.begin as usize..edge.end as usize];
        minterms.iter().map(|minterm| product.alphabet.n_chars(*minterm)).sum()
    }

    /// Up to `n` characters of an edge, the most readable first.
    pub(crate) fn chars(&self, edge: &Edge, product: &Product<'_>, n: usize) -> Vec<char> {
        let minterms = &self.minterms[edge.begin as usize..edge.end as usize];
        product.alphabet.chars(minterms, n)
    }

    /// Fills in the distances, backwards from the accepting states.
    fn measure(&mut self, meter: &mut Meter<'_>) -> Result<(), LimitExceeded> {
        let n_states = self.n_states();
        meter.step(self.edges.len() + n_states)?;
        let mut begins = vec![0_u32; n_states + 1];
        for edge in &self.edges {
            begins[edge.target as usize + 1] += 1;
        }
        for state in 0..n_states {
            begins[state + 1] += begins[state];
        }
        let mut sources = vec![0_u32; self.edges.len()];
        let mut next = begins.clone();
        for state in 0..n_states as u32 {
            for edge in self.edges_of(state) {
                let place = &mut next[edge.target as usize];
                sources[*place as usize] = state;
                *place += 1;
            }
        }
        self.distance = vec![u32::MAX; n_states];
        let mut queue: Vec<u32> =
            (0..n_states as u32).filter(|state| self.accepting[*state as usize]).collect();
        queue.iter().for_each(|state| self.distance[*state as usize] = 0);
        let mut at = 0;
        while let Some(&state) = queue.get(at) {
            at += 1;
            let range = begins[state as usize] as usize..begins[state as usize + 1] as usize;
            for &source in &sources[range] {
                if self.distance[source as usize] == u32::MAX {
                    self.distance[source as usize] = self.distance[state as usize] + 1;
                    queue.push(source);
                }
            }
        }
        Ok(())
    }

    /// The graph as an automaton.
    pub(crate) fn into_nfa(
        self,
        product: &Product<'_>,
        meter: &mut Meter<'_>,
    ) -> Result<Nfa, LimitExceeded> {
        let is_live = |state: u32| self.distance[state as usize] != u32::MAX;
        let n_states = self.n_states() as u32;
        let n_live_edges: usize = (0..n_states)
            .filter(|state| is_live(*state))
            .map(|state| self.live_edges_of(state).count())
            .sum();
        meter.step(2 * n_live_edges)?;
        let mut builder = Builder::new(meter, 0);
        let places: Vec<u32> = (0..n_states)
            .map(|state| if is_live(state) { builder.reserve() } else { DEAD })
            .collect();
        let mut targets = Vec::new();
        for state in (0..n_states).filter(|state| is_live(*state)) {
            targets.clear();
            if self.accepting[state as usize] {
                targets.push(END);
            }
            for edge in self.live_edges_of(state) {
                let minterms = &self.minterms[edge.begin as usize..edge.end as usize];
                let class = product.alphabet.class(minterms);
                targets.push(builder.push_class(&class, places[edge.target as usize]));
            }
            builder.set_silent(places[state as usize], &targets);
        }
        let start = places.first().copied().unwrap_or(DEAD);
        Ok(builder.finish(start))
    }
}

/// Lists of numbers, numbered in the order in which they were first seen.
#[derive(Default)]
struct Sets {
    items: Vec<u32>,
    ends: Vec<usize>,
    /// Open addressing; a number plus one, or zero for a free place.
    table: Vec<u32>,
}

impl Sets {
    fn get(&self, number: u32) -> &[u32] {
        let number = number as usize;
        let begin = if number == 0 { 0 } else { self.ends[number - 1] };
        &self.items[begin..self.ends[number]]
    }

    fn bytes(&self) -> usize {
        4 * (self.items.len() + self.table.len()) + 8 * self.ends.len()
    }

    /// The number of a list and whether it is new.
    fn number(&mut self, set: &[u32]) -> (u32, bool) {
        if self.table.len() < 2 * (self.ends.len() + 1) {
            self.grow();
        }
        let place = self.place(set);
        if self.table[place] != 0 {
            return (self.table[place] - 1, false);
        }
        let number = self.ends.len() as u32;
        self.items.extend_from_slice(set);
        self.ends.push(self.items.len());
        self.table[place] = number + 1;
        (number, true)
    }

    /// Where the list is in the table, or the free place where it belongs.
    fn place(&self, set: &[u32]) -> usize {
        let mask = self.table.len() - 1;
        let mut place = hash(set) as usize & mask;
        while self.table[place] != 0 && self.get(self.table[place] - 1) != set {
            place = (place + 1) & mask;
        }
        place
    }

    fn grow(&mut self) {
        self.table = vec![0; (2 * self.table.len()).max(64)];
        for number in 0..self.ends.len() as u32 {
            let place = self.place(self.get(number));
            self.table[place] = number + 1;
        }
    }
}

/// States none of which makes another one needless (De Wulf, Doyen, Henzinger, Raskin: Antichains,
/// CAV 2006): what has the same positives and more negatives accepts less.
#[derive(Default)]
struct Antichain {
    /// By the hash of all that is no negative.
    buckets: QuickMap<u64, Vec<Member>>,
}

struct Member {
    state: u32,
    /// A bit for each negative state, modulo 64: a quick test for inclusion.
    bits: u64,
}

impl Antichain {
    /// The members of one bucket that are compared with a state; the newest.
    const MAX_COMPARED: usize = 32;

    /// Whether the state has to be followed, which then makes it a member. Asked in the order in
    /// which the states were found, it keeps the shortest words.
    fn admits(&mut self, state: u32, found: &Sets, first_negative: u32) -> bool {
        let set = found.get(state);
        let (rest, negatives) = set.split_at(set.partition_point(|s| *s < first_negative));
        let bits = negatives.iter().fold(0, |bits, s| bits | 1 << (s % 64));
        let bucket = self.buckets.entry(hash(rest)).or_default();
        let has_less = |member: &&Member| {
            if member.bits & !bits != 0 {
                return false;
            }
            let other = found.get(member.state);
            let begin = other.partition_point(|s| *s < first_negative);
            other[..begin] == *rest && is_subset(&other[begin..], negatives)
        };
        if bucket.iter().rev().take(Antichain::MAX_COMPARED).any(|member| has_less(&member)) {
            return false;
        }
        bucket.push(Member { state, bits });
        true
    }
}

/// Whether all items of one ascending list are in another.
fn is_subset(small: &[u32], large: &[u32]) -> bool {
    let mut rest = large.iter();
    small.len() <= large.len() && small.iter().all(|item| rest.any(|other| other == item))
}

fn hash(set: &[u32]) -> u64 {
    let mix = |hash: u64, item: &u32| {
        (hash.rotate_left(5) ^ u64::from(*item)).wrapping_mul(0x517c_c1b7_2722_0a95)
    };
    let hash = set.iter().fold(0, mix);
    hash ^ hash >> 32
}

#[cfg(test)]
mod tests;
