//! Regular languages, and whether one is empty.
//!
//! A language is a node of an arena, and equal nodes have one number. Of a node it is known whether the empty text is in
//! its language, and for each character what may follow it there, which is a node again (Brzozowski,
//! "Derivatives of regular expressions", 1964). So a language is empty if no node that can be reached from
//! its own has the empty text. No automaton is ever built, and complements cost nothing, which is why this is short; so a union is the
//! complement of what is in no part.

use std::collections::{BTreeSet, HashMap};

use crate::budget::Budget;
use crate::{Rejection, Result};

/// The number of a node.
pub(crate) type Id = u32;

/// A node: a language.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Node {
    /// The empty text.
    Empty,
    /// One symbol that lies in one of these ranges, which ascend, the second end of each left out.
    Set(Vec<(u32, u32)>),
    /// What is in the first and then in the second, which is no set and no union of nothing.
    Cat(Id, Id),
    /// What is in all of these, in ascending order.
    And(Vec<Id>),
    Not(Id),
    /// At least so many times and at most so many, if there is a most.
    Loop(Id, u32, Option<u32>),
    /// What can be continued by a text of the second to one of the first.
    Before(Id, Id),
}

/// The largest code of a character.
pub(crate) const MAX_CHAR: u32 = 0x10_FFFF;

/// The symbol that stands for one unknown character.
pub(crate) const ONE_CHAR: u32 = MAX_CHAR + 1;

/// The symbol that stands for the bit 0, before that of 1.
pub(crate) const BIT: u32 = '0' as u32;

/// The longest text that is listed.
const MAX_LENGTH: usize = 128;

/// The arena.
pub(crate) struct Languages {
    nodes: Vec<Node>,
    numbers: HashMap<Node, Id>,
    has_empty: Vec<bool>,
    after: HashMap<(Id, u32), Id>,
    /// Nodes of which it is known whether no text is in their language.
    is_nothing: HashMap<Id, bool>,
    /// What may still be done, in nodes and in steps from one to another.
    pub(crate) budget: Budget,
}

/// The language without a text: no symbol lies in no range.
pub(crate) const NOTHING: Id = 0;

/// The empty text alone.
pub(crate) const EMPTY: Id = 1;

/// All texts.
pub(crate) const ALL: Id = 2;

impl Languages {
    pub(crate) fn new(budget: Budget) -> Languages {
        let (nodes, numbers, has_empty, after) = Default::default();
        let is_nothing = HashMap::from([(NOTHING, true)]);
        let mut languages = Languages { nodes, numbers, has_empty, after, is_nothing, budget };
        for node in [Node::Set(vec![]), Node::Empty, Node::Not(NOTHING)] {
            // Three nodes are within every budget.
            let _ = languages.node(node);
        }
        languages
    }

    fn node(&mut self, node: Node) -> Result<Id> {
        if let Some(&id) = self.numbers.get(&node) {
            return Ok(id);
        }
        let has = |id: &Id| self.has_empty[*id as usize];
        let (has_empty, cost) = match &node {
            Node::Empty => (true, 1),
            Node::Set(ranges) => (false, ranges.len()),
            Node::Cat(a, b) => (has(a) && has(b), 1),
            Node::And(all) => (all.iter().all(has), all.len()),
            Node::Not(inner) => (!has(inner), 1),
            Node::Loop(inner, least, _) => (*least == 0 || has(inner), 1),
            &Node::Before(of, rest) => {
                let both = self.and(vec![of, rest])?;
                (!self.is_nothing(both)?, 1)
            }
        };
        self.budget.spend(cost + 1)?;
        let id = self.nodes.len() as Id;
        self.nodes.push(node.clone());
        self.numbers.insert(node, id);
        self.has_empty.push(has_empty);
        Ok(id)
    }

    /// One symbol of these ranges, the second end of each left out.
    pub(crate) fn set(&mut self, mut ranges: Vec<(u32, u32)>) -> Result<Id> {
        ranges.retain(|(low, high)| low < high);
        ranges.sort_unstable();
        self.node(Node::Set(ranges))
    }

    /// Exactly these symbols.
    pub(crate) fn text(&mut self, symbols: &[u32]) -> Result<Id> {
        let mut all = EMPTY;
        for symbol in symbols.iter().rev() {
            let first = self.set(vec![(*symbol, symbol + 1)])?;
            all = self.cat(first, all)?;
        }
        Ok(all)
    }

    /// All texts of so many bits.
    pub(crate) fn bits(&mut self, width: u32) -> Result<Id> {
        let bit = self.set(vec![(BIT, BIT + 2)])?;
        self.repeat(bit, width, Some(width))
    }

    pub(crate) fn cat(&mut self, a: Id, b: Id) -> Result<Id> {
        match (a, b, &self.nodes[a as usize]) {
            (NOTHING, ..) | (_, NOTHING, _) => Ok(NOTHING),
            (EMPTY, other, _) | (other, EMPTY, _) => Ok(other),
            (ALL, ALL, _) => Ok(ALL),
            (ALL, ..) if matches!(self.nodes[b as usize], Node::Cat(ALL, _)) => Ok(b),
            // To the right, so that the first part of a node is no such node; in a loop, because a text can be long.
            (_, _, Node::Cat(..)) => {
                let (mut firsts, mut rest) = (Vec::new(), a);
                while let Node::Cat(first, second) = self.nodes[rest as usize] {
                    firsts.push(first);
                    rest = second;
                }
                firsts.push(rest);
                firsts.into_iter().rev().try_fold(b, |rest, first| self.cat(first, rest))
            }
            _ => self.node(Node::Cat(a, b)),
        }
    }

    pub(crate) fn or(&mut self, parts: Vec<Id>) -> Result<Id> {
        let others = parts.into_iter().map(|part| self.not(part)).collect::<Result<_>>()?;
        let outside = self.and(others)?;
        self.not(outside)
    }

    pub(crate) fn and(&mut self, parts: Vec<Id>) -> Result<Id> {
        let mut all = BTreeSet::new();
        for part in parts {
            match &self.nodes[part as usize] {
                Node::And(own) => all.extend(own.iter().copied()),
                _ => drop(all.insert(part)),
            }
        }
        self.budget.spend(all.len())?;
        all.remove(&ALL);
        match (all.first(), all.len()) {
            (None, _) => Ok(ALL),
            (Some(&NOTHING), _) => Ok(NOTHING),
            (Some(&only), 1) => Ok(only),
            _ => self.node(Node::And(all.into_iter().collect())),
        }
    }

    pub(crate) fn not(&mut self, inner: Id) -> Result<Id> {
        match self.nodes[inner as usize] {
            Node::Not(inner) => Ok(inner),
            _ => self.node(Node::Not(inner)),
        }
    }

    pub(crate) fn repeat(&mut self, inner: Id, least: u32, most: Option<u32>) -> Result<Id> {
        match (inner, least, most) {
            (_, _, Some(most)) if most < least => Ok(NOTHING),
            (_, _, Some(0)) | (NOTHING, 0, _) => Ok(EMPTY),
            (NOTHING | EMPTY | ALL, ..) | (_, 1, Some(1)) => Ok(inner),
            _ => self.node(Node::Loop(inner, least, most)),
        }
    }

    /// What can be continued by a text of `rest` to one of `of`.
    pub(crate) fn before(&mut self, of: Id, rest: Id) -> Result<Id> {
        match of {
            NOTHING => Ok(NOTHING),
            _ => self.node(Node::Before(of, rest)),
        }
    }

    /// What follows this symbol in the texts of the language.
    pub(crate) fn after(&mut self, id: Id, symbol: u32) -> Result<Id> {
        if let Some(&known) = self.after.get(&(id, symbol)) {
            return Ok(known);
        }
        self.budget.spend(1)?;
        let found = match self.nodes[id as usize].clone() {
            Node::Empty => NOTHING,
            Node::Set(ranges) => {
                let is_in = ranges.iter().any(|(low, high)| (*low..*high).contains(&symbol));
                if is_in { EMPTY } else { NOTHING }
            }
            Node::Cat(..) => {
                let (mut ways, mut rest) = (Vec::new(), id);
                // A loop, because a text can be long.
                while let Node::Cat(a, b) = self.nodes[rest as usize] {
                    let first = self.after(a, symbol)?;
                    ways.push(self.cat(first, b)?);
                    rest = if self.has_empty[a as usize] { b } else { NOTHING };
                }
                ways.push(self.after(rest, symbol)?);
                self.or(ways)?
            }
            Node::And(parts) => {
                let parts = parts.into_iter().map(|part| self.after(part, symbol));
                let parts = parts.collect::<Result<_>>()?;
                self.and(parts)?
            }
            Node::Not(inner) => {
                let inner = self.after(inner, symbol)?;
                self.not(inner)?
            }
            Node::Loop(inner, least, most) => {
                // If the empty text is one of the inner ones, those before could have been that.
                let first = self.after(inner, symbol)?;
                let most = most.map(|most| most - 1);
                let rest = self.repeat(inner, least.saturating_sub(1), most)?;
                self.cat(first, rest)?
            }
            Node::Before(of, rest) => {
                let of = self.after(of, symbol)?;
                self.before(of, rest)?
            }
        };
        self.after.insert((id, symbol), found);
        Ok(found)
    }

    /// Classes of characters that are alike at the beginning of a text, each from its first up to the next class.
    fn classes(&mut self, id: Id) -> Result<Vec<(u32, u32)>> {
        let mut cuts = BTreeSet::from([0, 0xD800, 0xE000, ONE_CHAR]);
        let mut open = vec![id];
        while let Some(id) = open.pop() {
            self.budget.spend(1)?;
            match &self.nodes[id as usize] {
                Node::Empty => {}
                Node::Set(ranges) => {
                    self.budget.spend(ranges.len())?;
                    cuts.extend(ranges.iter().flat_map(|(low, high)| [*low, *high]));
                }
                &Node::Cat(first, rest) => {
                    let is_next = self.has_empty[first as usize];
                    open.extend([first].into_iter().chain(is_next.then_some(rest)));
                }
                Node::And(parts) => open.extend(parts),
                Node::Not(inner) | Node::Loop(inner, ..) | Node::Before(inner, _) => {
                    open.push(*inner);
                }
            }
        }
        let cuts: Vec<u32> = cuts.range(..=ONE_CHAR).copied().collect();
        let classes = cuts.windows(2).map(|pair| (pair[0], pair[1]));
        // Surrogates are no characters.
        Ok(classes.filter(|(first, _)| !(0xD800..0xE000).contains(first)).collect())
    }

    /// Whether the text is in the language.
    pub(crate) fn has(&mut self, id: Id, symbols: impl IntoIterator<Item = u32>) -> Result<bool> {
        let rest = symbols.into_iter().try_fold(id, |rest, symbol| self.after(rest, symbol))?;
        Ok(self.has_empty[rest as usize])
    }

    /// Whether no text is in the language.
    pub(crate) fn is_nothing(&mut self, id: Id) -> Result<bool> {
        // Each node with the one that it was reached from.
        let mut seen = HashMap::from([(id, None)]);
        let mut open = vec![id];
        while let Some(at) = open.pop() {
            if self.has_empty[at as usize] || self.is_nothing.get(&at) == Some(&false) {
                let mut way = Some(at);
                while let Some(id) = way {
                    self.is_nothing.insert(id, false);
                    way = seen[&id];
                }
                return Ok(false);
            }
            for (symbol, _) in self.classes(at)? {
                let next = self.after(at, symbol)?;
                if self.is_nothing.get(&next) != Some(&true) && !seen.contains_key(&next) {
                    seen.insert(next, Some(at));
                    open.push(next);
                }
            }
        }
        self.is_nothing.extend(seen.into_keys().map(|id| (id, true)));
        Ok(true)
    }

    /// Texts of the language: all, if they are at most so many and not too long to be listed, else that many or an error.
    pub(crate) fn some(&mut self, id: Id, n: usize) -> Result<Vec<Vec<u32>>> {
        let (mut found, mut open) = (Vec::new(), vec![(id, Vec::new())]);
        while let Some((id, text)) = open.pop() {
            if self.has_empty[id as usize] {
                found.push(text.clone());
            }
            if found.len() >= n {
                return Ok(found);
            }
            for (first, last) in self.classes(id)? {
                let next = self.after(id, first)?;
                if self.is_nothing(next)? {
                    continue;
                }
                if text.len() >= MAX_LENGTH {
                    return Err(Rejection::new("a text is longer than this checker lists"));
                }
                for symbol in (first..last).take(n) {
                    self.budget.spend(text.len() + 1)?;
                    open.push((next, [&text[..], &[symbol]].concat()));
                }
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "the budget of tests suffices")]
mod tests {
    use super::*;

    fn glob(languages: &mut Languages, pattern: &str) -> Id {
        let mut all = EMPTY;
        for c in pattern.chars().rev() {
            let first = match c {
                '*' => ALL,
                '?' => languages.set(vec![(0, ONE_CHAR)]).unwrap(),
                c => languages.set(vec![(c.into(), u32::from(c) + 1)]).unwrap(),
            };
            all = languages.cat(first, all).unwrap();
        }
        all
    }

    #[test]
    fn inclusion_and_overlap_of_globs() {
        let mut l = Languages::new(Budget::new(1 << 20));
        for (narrow, wide, is_included, meet) in [
            ("a*c", "a*", true, true),
            ("a*", "a*c", false, true),
            ("a*", "b*", false, false),
            ("a?c", "a*c", true, true),
            ("*a*b*", "*b*", true, true),
            ("*a*b*", "*ab*", false, true),
            ("**", "*", true, true),
        ] {
            let (narrow_id, wide_id) = (glob(&mut l, narrow), glob(&mut l, wide));
            let outside = l.not(wide_id).unwrap();
            let escaping = l.and(vec![narrow_id, outside]).unwrap();
            assert_eq!(l.is_nothing(escaping), Ok(is_included), "{narrow} in {wide}");
            let both = l.and(vec![narrow_id, wide_id]).unwrap();
            assert_eq!(l.is_nothing(both), Ok(!meet), "{narrow} and {wide}");
        }
    }

    #[test]
    fn loops_and_what_comes_before() {
        let mut l = Languages::new(Budget::new(1 << 20));
        let digit = l.set(vec![(48, 58)]).unwrap();
        let twelve = l.repeat(digit, 12, Some(12)).unwrap();
        let text = |s: &str| s.chars().map(u32::from).collect::<Vec<_>>();
        assert_eq!(l.has(twelve, text("123456789012")), Ok(true));
        assert_eq!(l.has(twelve, text("1234567890123")), Ok(false));
        let maybe = l.or(vec![EMPTY, digit]).unwrap();
        let few = l.repeat(maybe, 2, Some(3)).unwrap();
        for (word, expected) in [("", true), ("1", true), ("123", true), ("1234", false)] {
            assert_eq!(l.has(few, text(word)), Ok(expected), "{word}");
        }
        let (whole, rest) = (glob(&mut l, "ab*d"), glob(&mut l, "?d"));
        let before = l.before(whole, rest).unwrap();
        for (word, expected) in
            [("ab", true), ("a", true), ("", false), ("abxx", true), ("b", false)]
        {
            assert_eq!(l.has(before, text(word)), Ok(expected), "{word}");
        }
    }

    #[test]
    fn texts_are_counted_and_the_budget_ends() {
        let mut l = Languages::new(Budget::new(1 << 20));
        let two = l.set(vec![(97, 99)]).unwrap();
        let four = l.repeat(two, 2, Some(2)).unwrap();
        assert_eq!(l.some(four, 10).unwrap().len(), 4);
        assert_eq!(l.some(four, 3).unwrap().len(), 3);
        assert!(l.is_nothing(NOTHING).unwrap() && !l.is_nothing(four).unwrap());
        // The automaton of this complement has 2^61 states.
        let mut l = Languages::new(Budget::new(1 << 16));
        let (ab, a) = (l.set(vec![(97, 99)]).unwrap(), l.text(&[97]).unwrap());
        let (head, tail) = (l.repeat(ab, 0, None).unwrap(), l.repeat(ab, 60, Some(60)).unwrap());
        let rest = l.cat(a, tail).unwrap();
        let whole = l.cat(head, rest).unwrap();
        let outside = l.not(whole).unwrap();
        let both = l.and(vec![whole, outside]).unwrap();
        assert!(l.is_nothing(both).unwrap_err().to_string().contains("takes more than"));
    }

    /// Searches end because what follows is often the same node again, and it is only if what is written in these ways is one.
    #[test]
    fn one_language_written_in_two_ways_is_one_node() {
        let mut l = Languages::new(Budget::new(1 << 20));
        let [a, b, c] = [97, 98, 99].map(|symbol| l.set(vec![(symbol, symbol + 1)]).unwrap());
        for id in [a, NOTHING, EMPTY, ALL] {
            assert_eq!(l.cat(NOTHING, id), Ok(NOTHING));
            assert_eq!(l.cat(id, NOTHING), Ok(NOTHING));
            assert_eq!(l.cat(EMPTY, id), Ok(id));
            assert_eq!(l.cat(id, EMPTY), Ok(id));
            assert_eq!(l.repeat(id, 1, Some(1)), Ok(id));
            assert_eq!(l.repeat(id, 0, Some(0)), Ok(EMPTY));
            assert_eq!(l.before(NOTHING, id), Ok(NOTHING));
            let other = l.not(id).unwrap();
            assert_eq!(l.not(other), Ok(id));
            for parts in [vec![id], vec![id, id], vec![NOTHING, id]] {
                assert_eq!(l.or(parts), Ok(id));
            }
            for parts in [vec![id], vec![id, id], vec![ALL, id]] {
                assert_eq!(l.and(parts), Ok(id));
            }
            assert_eq!(l.or(vec![ALL, id]), Ok(ALL));
            assert_eq!(l.and(vec![NOTHING, id]), Ok(NOTHING));
        }
        for (least, most) in [(0, Some(2)), (2, Some(3)), (2, None)] {
            let none = if least == 0 { EMPTY } else { NOTHING };
            assert_eq!(l.repeat(NOTHING, least, most), Ok(none));
            assert_eq!(l.repeat(EMPTY, least, most), Ok(EMPTY));
        }
        assert_eq!(l.set(vec![(97, 97), (98, 97)]), Ok(NOTHING));
        assert_eq!(l.set(vec![(98, 98), (97, 98)]), Ok(a));
        let many = [NOTHING, EMPTY, ALL].map(|id| l.repeat(id, 0, None).unwrap());
        assert_eq!(many, [EMPTY, EMPTY, ALL]);
        assert_eq!(l.cat(ALL, ALL), Ok(ALL));
        let rest = l.cat(ALL, b).unwrap();
        assert_eq!(l.cat(ALL, rest), Ok(rest));
        // Nested to the left and to the right, and in another order.
        let (ab, bc) = (l.cat(a, b).unwrap(), l.cat(b, c).unwrap());
        assert_eq!(l.cat(ab, c), l.cat(a, bc));
        let (a_or_b, b_or_c) = (l.or(vec![a, b]).unwrap(), l.or(vec![c, b]).unwrap());
        assert_eq!(l.or(vec![a_or_b, c]), l.or(vec![a, b_or_c]));
        let not = [a, b, c].map(|id| l.not(id).unwrap());
        let (first, last) = (l.and(not[..2].to_vec()).unwrap(), l.and(not[1..].to_vec()).unwrap());
        assert_eq!(l.and(vec![first, not[2]]), l.and(vec![last, not[0]]));
    }

    #[test]
    fn a_node_costs_a_step_and_one_for_each_of_its_parts_and_a_listed_text_its_symbols() {
        let mut l = Languages::new(Budget::new(100));
        // No set of symbols has no ranges.
        assert_eq!(l.budget.left(), 100 - 1 - 2 - 2);
        let cost = |l: &mut Languages, step: &dyn Fn(&mut Languages) -> Id| {
            let before = l.budget.left();
            (step(l), before - l.budget.left())
        };
        let (ab, spent) = cost(&mut l, &|l| l.set(vec![(97, 98), (98, 99)]).unwrap());
        assert_eq!(spent, 2 + 1);
        assert_eq!(cost(&mut l, &|l| l.set(vec![(98, 99), (97, 98)]).unwrap()), (ab, 0));
        let (two, spent) = cost(&mut l, &|l| l.repeat(ab, 2, Some(2)).unwrap());
        assert_eq!(spent, 1 + 1);
        // Merging parts is a step for each as well.
        let (_, spent) = cost(&mut l, &|l| l.and(vec![ab, two, EMPTY]).unwrap());
        assert_eq!(spent, 3 + 3 + 1);
        // A union is made of complements.
        let (_, spent) = cost(&mut l, &|l| l.or(vec![ab, two, EMPTY]).unwrap());
        assert_eq!(spent, 3 * (1 + 1) + 3 + 3 + 1 + 1 + 1);
        let mut l = Languages::new(Budget::new(1 << 20));
        let ab = l.set(vec![(97, 99)]).unwrap();
        let listed = |l: &mut Languages| {
            let before = l.budget.left();
            assert_eq!(l.some(ab, 3).unwrap().len(), 2);
            before - l.budget.left()
        };
        assert!(listed(&mut l) > 13);
        // What follows is known by now. Two steps are for the set, three for the classes of symbols that are not in it, and for
        // each text one for its symbol and three for what could follow it.
        assert_eq!(listed(&mut l), 2 + 3 + 2 * (1 + 3));
    }

    /// A language by what it means, word by word.
    #[derive(Clone, Debug)]
    enum Means {
        Symbols(&'static str),
        Empty,
        All,
        Cat(Box<Means>, Box<Means>),
        Or(Vec<Means>),
        And(Vec<Means>),
        Not(Box<Means>),
        Star(Box<Means>),
        Loop(Box<Means>, u32, Option<u32>),
        Before(Box<Means>, Box<Means>),
    }

    const WORDS: [&str; 15] = [
        "", "a", "b", "aa", "ab", "ba", "bb", "aaa", "aab", "aba", "abb", "baa", "bab", "bba",
        "bbb",
    ];

    impl Means {
        fn drawn(depth: usize, below: &mut dyn FnMut(usize) -> usize) -> Means {
            let kind = below(if depth == 0 { 6 } else { 14 });
            let mut inner = || Box::new(Means::drawn(depth - 1, below));
            match kind {
                0 | 1 => Means::Symbols("a"),
                2 => Means::Symbols("b"),
                3 => Means::Symbols("ab"),
                4 => Means::Empty,
                5 => Means::All,
                6 | 7 => Means::Cat(inner(), inner()),
                8 => Means::Or(vec![*inner(), *inner(), *inner()]),
                9 => Means::And(vec![*inner(), *inner()]),
                10 => Means::Not(inner()),
                11 => Means::Star(inner()),
                12 => {
                    let inner = inner();
                    let least = below(3) as u32;
                    let most = below(4) as u32;
                    Means::Loop(inner, least, (most < 3).then_some(most))
                }
                _ => Means::Before(inner(), inner()),
            }
        }

        fn made(&self, l: &mut Languages) -> Id {
            let mut all =
                |parts: &[Means]| -> Vec<Id> { parts.iter().map(|p| p.made(l)).collect() };
            match self {
                Means::Symbols(symbols) => {
                    l.set(symbols.chars().map(|c| (c.into(), u32::from(c) + 1)).collect()).unwrap()
                }
                Means::Empty => EMPTY,
                Means::All => ALL,
                Means::Cat(a, b) => {
                    let (a, b) = (a.made(l), b.made(l));
                    l.cat(a, b).unwrap()
                }
                Means::Or(parts) => {
                    let parts = all(parts);
                    l.or(parts).unwrap()
                }
                Means::And(parts) => {
                    let parts = all(parts);
                    l.and(parts).unwrap()
                }
                Means::Not(inner) => {
                    let inner = inner.made(l);
                    l.not(inner).unwrap()
                }
                Means::Star(inner) => {
                    let inner = inner.made(l);
                    l.repeat(inner, 0, None).unwrap()
                }
                Means::Loop(inner, least, most) => {
                    let inner = inner.made(l);
                    l.repeat(inner, *least, *most).unwrap()
                }
                Means::Before(of, rest) => {
                    let (of, rest) = (of.made(l), rest.made(l));
                    l.before(of, rest).unwrap()
                }
            }
        }

        fn has(&self, word: &str) -> bool {
            let cuts = || (0..=word.len()).map(|at| word.split_at(at));
            match self {
                Means::Symbols(symbols) => word.len() == 1 && symbols.contains(word),
                Means::Empty => word.is_empty(),
                Means::All => true,
                Means::Cat(a, b) => cuts().any(|(left, right)| a.has(left) && b.has(right)),
                Means::Or(parts) => parts.iter().any(|part| part.has(word)),
                Means::And(parts) => parts.iter().all(|part| part.has(word)),
                Means::Not(inner) => !inner.has(word),
                Means::Star(inner) => {
                    word.is_empty()
                        || cuts().skip(1).any(|(left, right)| inner.has(left) && self.has(right))
                }
                Means::Loop(inner, least, most) => {
                    // More often than there are symbols it is the empty text that is repeated.
                    let upto = most.unwrap_or(least + word.len() as u32);
                    (*least..=upto).any(|n| inner.has_times(word, n))
                }
                // Of so small languages the shortest continuation is short.
                Means::Before(of, rest) => {
                    WORDS.iter().any(|more| rest.has(more) && of.has(&format!("{word}{more}")))
                }
            }
        }

        fn has_times(&self, word: &str, n: u32) -> bool {
            match n {
                0 => word.is_empty(),
                _ => (0..=word.len())
                    .any(|at| self.has(&word[..at]) && self.has_times(&word[at..], n - 1)),
            }
        }
    }

    #[test]
    fn languages_have_the_words_that_they_mean() {
        let mut state = 7_u64;
        let mut below = |bound: usize| {
            state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
            (state >> 33) as usize % bound
        };
        let text = |word: &str| word.chars().map(u32::from).collect::<Vec<_>>();
        let mut n_nothing = 0;
        for n in 0..1500 {
            let means = Means::drawn(1 + n % 3, &mut below);
            let mut l = Languages::new(Budget::new(1 << 20));
            let id = means.made(&mut l);
            for word in WORDS {
                let has = l.has(id, text(word));
                assert_eq!(has, Ok(means.has(word)), "`{word}` in {means:?}");
            }
            let symbols = l.set(vec![(97, 99)]).unwrap();
            let words = l.repeat(symbols, 0, Some(3)).unwrap();
            let short = l.and(vec![id, words]).unwrap();
            let of_them = WORDS.iter().filter(|word| means.has(word)).count();
            assert_eq!(l.is_nothing(short), Ok(of_them == 0), "{means:?}");
            n_nothing += usize::from(of_them == 0);
            for wanted in [1, 3, 20] {
                let mut some = l.some(short, wanted).unwrap();
                assert!(some.iter().all(|word| l.has(id, word.iter().copied()) == Ok(true)));
                some.sort_unstable();
                some.dedup();
                assert_eq!(some.len(), wanted.min(of_them), "{means:?}");
            }
        }
        assert!(n_nothing > 50, "{n_nothing}");
    }
}
