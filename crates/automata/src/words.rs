//! The words of a query, counted and listed.
//!
//! Counting takes the whole deterministic product, so these cost what [`crate::find`] costs at
//! worst. Different paths are different words.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::language::Language;
use crate::limits::{LimitExceeded, Limits, Meter};
use crate::meet::Meet;
use crate::pattern::Pattern;
use crate::product::{Graph, Product};
use crate::query::{Split, is_solution, listed, pick};

/// How many words there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// Exactly so many.
    Exactly(u128),
    /// Finitely many, and at least so many; a larger number has no place here.
    AtLeast(u128),
    /// Infinitely many.
    Infinite,
}

impl Count {
    /// A sum or product that saturates.
    fn saturated(number: Option<u128>) -> Count {
        number.map_or(Count::AtLeast(u128::MAX), Count::Exactly)
    }

    /// The number, if it is known exactly.
    pub fn exact(self) -> Option<u128> {
        match self {
            Count::Exactly(number) => Some(number),
            Count::AtLeast(_) | Count::Infinite => None,
        }
    }
}

/// The number of words that lie in all of `positives` and in none of `negatives`; exact up to
/// `u128::MAX`.
pub fn count(
    positives: &[Language],
    negatives: &[Language],
    limits: &Limits<'_>,
) -> Result<Count, LimitExceeded> {
    if let Some(split) = Split::new(positives, negatives) {
        return count(&split.positives, &split.negatives, limits);
    }
    if let Some(words) = listed(positives, negatives) {
        return Ok(Count::Exactly(words.count() as u128));
    }
    let mut meter = Meter::new(limits);
    let mut product = Product::new(positives, negatives, &mut meter)?;
    let graph = product.explore(&mut meter)?;
    Ok(count_paths(&graph, &product))
}

/// For each length up to `max_length`, the number of words of so many characters that lie in all of
/// `positives` and in none of `negatives`; each exact up to `u128::MAX`, and none infinite.
pub fn count_by_length(
    positives: &[Language],
    negatives: &[Language],
    max_length: usize,
    limits: &Limits<'_>,
) -> Result<Vec<Count>, LimitExceeded> {
    if let Some(split) = Split::new(positives, negatives) {
        return count_by_length(&split.positives, &split.negatives, max_length, limits);
    }
    let mut meter = Meter::new(limits);
    let mut product = Product::new(positives, negatives, &mut meter)?;
    let graph = product.explore(&mut meter)?;
    let n_states = graph.n_states();
    // Words of the length so far by the state that they lead to; `None` stands for too many.
    let mut here = vec![Some(0_u128); n_states];
    here.iter_mut().take(1).for_each(|start| *start = Some(1));
    let mut counts = Vec::new();
    for _ in 0..=max_length {
        meter.step(1 + n_states + graph.edges.len())?;
        meter.holds(n_states, size_of::<Count>() * counts.len())?;
        let accepted = graph.accepting.iter().zip(&here).filter(|(accepts, _)| **accepts);
        let sum = accepted.map(|(_, words)| *words).try_fold(0, |sum, more| plus(Some(sum), more));
        counts.push(Count::saturated(sum));
        let mut next = vec![Some(0); n_states];
        for state in 0..n_states as u32 {
            let words = here[state as usize];
            for edge in graph.live_edges_of(state).filter(|_| words != Some(0)) {
                let more = times(words, graph.n_chars(edge, &product));
                let target = &mut next[edge.target as usize];
                *target = plus(*target, more);
            }
        }
        here = next;
    }
    Ok(counts)
}

fn plus(a: Option<u128>, b: Option<u128>) -> Option<u128> {
    a?.checked_add(b?)
}

fn times(a: Option<u128>, n_chars: u64) -> Option<u128> {
    a?.checked_mul(u128::from(n_chars))
}

/// The number of accepted words.
fn count_paths(graph: &Graph, product: &Product<'_>) -> Count {
    let n_states = graph.n_states();
    if n_states == 0 || graph.distance[0] == u32::MAX {
        return Count::Exactly(0);
    }
    let is_live = |state: u32| graph.distance[state as usize] != u32::MAX;
    let mut n_into = vec![0_u32; n_states];
    let live = || (0..n_states as u32).filter(|state| is_live(*state));
    live().flat_map(|state| graph.live_edges_of(state)).for_each(|edge| {
        n_into[edge.target as usize] += 1;
    });
    // The number of words that lead to a state, in topological order. All states are reachable, so
    // a state that is never ready is on or behind a cycle, and then the words are infinitely many.
    let mut n_words = vec![Some(0_u128); n_states];
    n_words[0] = Some(1);
    let mut ready: Vec<u32> = live().filter(|state| n_into[*state as usize] == 0).collect();
    let (mut n_done, mut total) = (0, Some(0));
    while let Some(state) = ready.pop() {
        n_done += 1;
        let here = n_words[state as usize];
        if graph.accepting[state as usize] {
            total = plus(total, here);
        }
        for edge in graph.live_edges_of(state) {
            let target = edge.target as usize;
            n_words[target] = plus(n_words[target], times(here, graph.n_chars(edge, product)));
            n_into[target] -= 1;
            if n_into[target] == 0 {
                ready.push(edge.target);
            }
        }
    }
    if n_done < live().count() { Count::Infinite } else { Count::saturated(total) }
}

/// Up to `n` different words that lie in all of `positives` and in none of `negatives`. Fewer than
/// `n` if and only if there are no more.
pub fn find_n(
    positives: &[Language],
    negatives: &[Language],
    n: usize,
    limits: &Limits<'_>,
) -> Result<Vec<String>, LimitExceeded> {
    if let Some(split) = Split::new(positives, negatives) {
        return find_n(&split.positives, &split.negatives, n, limits);
    }
    if let Some(words) = listed(positives, negatives) {
        return Ok(words.take(n).map(str::to_owned).collect());
    }
    if let Some(words) = quick_n(positives, negatives, n) {
        return Ok(words);
    }
    let mut meter = Meter::new(limits);
    let mut product = Product::new(positives, negatives, &mut meter)?;
    let graph = product.explore(&mut meter)?;
    spell(&graph, &product, n, &mut meter)
}

/// `n` words by filling the stars of some pattern with so many different lengths.
fn quick_n(positives: &[Language], negatives: &[Language], n: usize) -> Option<Vec<String>> {
    /// More words, and so longer ones, are left to the product.
    const MAX_QUICK_WORDS: usize = 64;
    if n > MAX_QUICK_WORDS {
        return None;
    }
    let meet = Meet::new(positives, true)?;
    let named = negatives.iter().fold(0, |bits, language| bits | language.named_ascii());
    let of_pattern = |pattern: &Pattern| {
        let mut words = Vec::new();
        for length in 1..=n {
            let word = pattern.instance(length, |class| pick(class, named))?;
            if !is_solution(&word, positives, negatives) {
                return None;
            }
            words.push(word);
        }
        Some(words)
    };
    let is_long = |pattern: &&Pattern| pattern.items().iter().any(|item| item.is_star);
    meet.patterns.iter().map(|pattern| &**pattern).filter(is_long).find_map(of_pattern)
}

/// The `n` shortest words, by best-first search with exact distances. Different paths are
/// different words, since the product is deterministic.
fn spell(
    graph: &Graph,
    product: &Product<'_>,
    n: usize,
    meter: &mut Meter<'_>,
) -> Result<Vec<String>, LimitExceeded> {
    let mut words = Vec::new();
    if graph.n_states() == 0 || graph.distance[0] == u32::MAX {
        return Ok(words);
    }
    // Each node: its state, the node before it, the character in between, its length.
    let mut nodes: Vec<(u32, usize, char, u32)> = vec![(0, 0, '\0', 0)];
    // Keyed by the length of the shortest word through the node; with a bit for whether it is a
    // word that ends here.
    let mut queue = BinaryHeap::from([Reverse((graph.distance[0], 0, false))]);
    // The n shortest words pass no state with the same length more than n times.
    let mut n_visits = vec![0_usize; graph.n_states()];
    while words.len() < n
        && let Some(Reverse((_, node, is_word))) = queue.pop()
    {
        meter.step(1)?;
        let (state, _, _, length) = nodes[node];
        if is_word {
            words.push(read_back(&nodes, node));
            continue;
        }
        n_visits[state as usize] += 1;
        if n_visits[state as usize] > n {
            continue;
        }
        if graph.accepting[state as usize] {
            queue.push(Reverse((length, node, true)));
        }
        for edge in graph.live_edges_of(state) {
            for c in graph.chars(edge, product, n) {
                meter.step(1)?;
                meter.holds(0, 40 * nodes.len())?;
                let estimate = length + 1 + graph.distance[edge.target as usize];
                queue.push(Reverse((estimate, nodes.len(), false)));
                nodes.push((edge.target, node, c, length + 1));
            }
        }
    }
    Ok(words)
}

fn read_back(nodes: &[(u32, usize, char, u32)], mut node: usize) -> String {
    let mut chars = Vec::new();
    while node != 0 {
        chars.push(nodes[node].2);
        node = nodes[node].1;
    }
    chars.iter().rev().collect()
}
