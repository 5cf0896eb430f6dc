//! The alphabet of a query, compressed twice.
//!
//! Characters that no class of the query tells apart are one *minterm*; and in each state, minterms
//! that no transition *there* tells apart are one *block*. Both are partitions refined class by
//! class, at the price of the smaller side of each class. Minterms are numbered from the most
//! readable, so that the first of a block is the one to show.

use crate::class::{CharClass, n_chars, next_char};
use crate::limits::{LimitExceeded, Meter};
use crate::nfa::QuickMap;

/// The characters that witnesses are made from, best first; others come after them in the order of
/// their code points.
pub(crate) const READABLE: &str = "xyzabcdefghijklmnopqrstuvw0123456789XYZABCDEFGHIJKLMNOPQRSTUVW\
                                   -/_.:=@+,;~!$%&()#^[]{}|<>?*'`\"\\ ";

/// The distinct classes of a query, numbered.
#[derive(Default)]
pub(crate) struct Classes {
    list: Vec<CharClass>,
    numbers: QuickMap<CharClass, u32>,
}

impl Classes {
    /// The classes by number.
    pub(crate) fn list(&self) -> &[CharClass] {
        &self.list
    }

    /// The number of a class.
    pub(crate) fn number(&mut self, class: &CharClass) -> u32 {
        let next = self.list.len() as u32;
        let number = *self.numbers.entry(class.clone()).or_insert(next);
        if number == next {
            self.list.push(class.clone());
        }
        number
    }
}

/// The minterms of some classes, numbered from the most readable.
pub(crate) struct Alphabet {
    /// Where each interval begins; intervals partition the characters.
    starts: Vec<char>,
    /// The intervals of each minterm.
    intervals: Vec<Vec<u32>>,
    best: Vec<char>,
    /// A bit for each class and minterm.
    bits: Vec<u64>,
    words_per_class: usize,
    /// For each class its minterms or, if they are fewer, those that it does not have.
    splits: Vec<Vec<u32>>,
}

impl Alphabet {
    pub(crate) fn new(
        classes: &[CharClass],
        meter: &mut Meter<'_>,
    ) -> Result<Alphabet, LimitExceeded> {
        let mut starts = vec!['\0'];
        for class in classes.iter().filter(|class| !class.is_any()) {
            meter.step(class.ranges().len())?;
            starts.extend(class.ranges().iter().map(|(low, _)| *low));
            starts.extend(class.ranges().iter().filter_map(|(_, high)| next_char(*high)));
        }
        starts.sort_unstable();
        starts.dedup();
        let n_intervals = starts.len();
        let interval = |c: char| starts.partition_point(|start| *start <= c) - 1;
        // Refine the partition of the intervals by each class.
        let mut refinement = Refinement::new(n_intervals);
        for class in classes.iter().filter(|class| !class.is_any()) {
            refinement.begin();
            for (low, high) in class.ranges() {
                let (low, high) = (interval(*low), interval(*high));
                meter.step(high - low + 1)?;
                (low..=high).for_each(|i| refinement.split(i));
            }
        }
        let mut order = Order::new(&refinement, &starts, interval);
        order.number_the_rest(&refinement, &starts);
        let n_minterms = order.best.len();
        let mut intervals = vec![Vec::new(); n_minterms];
        for (i, part) in refinement.part.iter().enumerate() {
            intervals[order.minterm_of_part[*part as usize] as usize].push(i as u32);
        }
        let words_per_class = n_minterms.div_ceil(64);
        meter.holds(0, 8 * words_per_class * classes.len())?;
        meter.step(words_per_class * classes.len())?;
        let mut bits = vec![0_u64; words_per_class * classes.len()];
        let mut splits = Vec::with_capacity(classes.len());
        for (number, class) in classes.iter().enumerate() {
            let mut inside = Vec::new();
            for (low, high) in class.ranges() {
                let (low, high) = (interval(*low), interval(*high));
                meter.step(high - low + 1)?;
                for part in &refinement.part[low..=high] {
                    let minterm = order.minterm_of_part[*part as usize];
                    let word = &mut bits[number * words_per_class + minterm as usize / 64];
                    if *word >> (minterm % 64) & 1 == 0 {
                        *word |= 1 << (minterm % 64);
                        inside.push(minterm);
                    }
                }
            }
            if 2 * inside.len() > n_minterms {
                let row = &bits[number * words_per_class..];
                let is_outside = |m: &u32| row[*m as usize / 64] >> (m % 64) & 1 == 0;
                inside = (0..n_minterms as u32).filter(is_outside).collect();
            }
            splits.push(inside);
        }
        Ok(Alphabet { starts, intervals, best: order.best, bits, words_per_class, splits })
    }

    pub(crate) fn n_minterms(&self) -> usize {
        self.best.len()
    }

    #[inline]
    pub(crate) fn contains(&self, class: u32, minterm: u32) -> bool {
        let word = self.bits[class as usize * self.words_per_class + minterm as usize / 64];
        word >> (minterm % 64) & 1 == 1
    }

    pub(crate) fn best(&self, minterm: u32) -> char {
        self.best[minterm as usize]
    }

    /// The inclusive range of an interval.
    fn range(&self, interval: u32) -> (char, char) {
        let low = self.starts[interval as usize];
        let before = |c: &char| if *c == '\u{E000}' { '\u{D7FF}' } else { prior(*c) };
        (low, self.starts.get(interval as usize + 1).map_or(char::MAX, before))
    }

    pub(crate) fn n_chars(&self, minterm: u32) -> u64 {
        let ranges = self.intervals[minterm as usize].iter().map(|i| self.range(*i));
        ranges.map(|(low, high)| u64::from(n_chars(low, high))).sum()
    }

    /// The class of some minterms.
    pub(crate) fn class(&self, minterms: &[u32]) -> CharClass {
        let intervals = minterms.iter().flat_map(|minterm| &self.intervals[*minterm as usize]);
        CharClass::new(intervals.map(|interval| self.range(*interval)))
    }

    /// Up to `n` characters of some minterms, the most readable first.
    pub(crate) fn chars(&self, minterms: &[u32], n: usize) -> Vec<char> {
        let class = self.class(minterms);
        let readable = READABLE.chars().filter(|c| class.contains(*c));
        let rest = class.ranges().iter().flat_map(|(low, high)| *low..=*high);
        let rest = rest.filter(|c| !READABLE.contains(*c));
        readable.chain(rest).take(n).collect()
    }
}

/// The character before one that is neither the first nor the first behind the surrogates.
fn prior(c: char) -> char {
    char::from_u32((c as u32).wrapping_sub(1)).unwrap_or('\0')
}

/// The numbering of parts by their best characters.
struct Order {
    minterm_of_part: Vec<u32>,
    best: Vec<char>,
}

impl Order {
    fn new(refinement: &Refinement, starts: &[char], interval: impl Fn(char) -> usize) -> Order {
        let mut order =
            Order { minterm_of_part: vec![u32::MAX; refinement.n_parts()], best: Vec::new() };
        // The intervals of ASCII characters by one sweep, since there are so many to look up.
        let mut of_ascii = [0_usize; 128];
        let mut at = 0;
        for (c, place) in of_ascii.iter_mut().enumerate() {
            while starts.get(at + 1).is_some_and(|start| *start as usize <= c) {
                at += 1;
            }
            *place = at;
        }
        for c in READABLE.chars() {
            let at = of_ascii.get(c as usize).copied().unwrap_or_else(|| interval(c));
            order.number(refinement.part[at], c);
        }
        order
    }

    fn number(&mut self, part: u32, best: char) {
        let minterm = &mut self.minterm_of_part[part as usize];
        if *minterm == u32::MAX {
            *minterm = self.best.len() as u32;
            self.best.push(best);
        }
    }

    /// Parts without a readable character: characters that are no controls come first.
    fn number_the_rest(&mut self, refinement: &Refinement, starts: &[char]) {
        for wants_control in [false, true] {
            for (part, start) in refinement.part.iter().zip(starts) {
                if start.is_control() == wants_control {
                    self.number(*part, *start);
                }
            }
        }
    }
}

/// A partition of `0..n` that is refined set by set.
struct Refinement {
    part: Vec<u32>,
    /// For each part: in which round it was split last, and which part is what was split off.
    moved: Vec<(u32, u32)>,
    round: u32,
}

impl Refinement {
    fn new(n: usize) -> Refinement {
        Refinement { part: vec![0; n], moved: vec![(0, 0)], round: 0 }
    }

    fn n_parts(&self) -> usize {
        self.moved.len()
    }

    fn reset(&mut self) {
        self.part.fill(0);
        self.moved.clear();
        self.moved.push((0, 0));
        self.round = 0;
    }

    /// Begins the next set.
    fn begin(&mut self) {
        self.round += 1;
    }

    /// Puts an element into the set; at most once.
    #[inline]
    fn split(&mut self, element: usize) {
        let old = self.part[element] as usize;
        if self.moved[old].0 != self.round {
            self.moved[old] = (self.round, self.moved.len() as u32);
            self.moved.push((0, 0));
        }
        self.part[element] = self.moved[old].1;
    }
}

/// The blocks of one state.
pub(crate) struct Blocks {
    refinement: Refinement,
    /// The first minterm of each block, ascending.
    first: Vec<u32>,
    seen_parts: Vec<bool>,
    class_stamps: Vec<u32>,
    stamp: u32,
}

impl Blocks {
    pub(crate) fn new(n_minterms: usize, n_classes: usize) -> Blocks {
        Blocks {
            refinement: Refinement::new(n_minterms),
            first: Vec::new(),
            seen_parts: Vec::new(),
            class_stamps: vec![0; n_classes],
            stamp: 0,
        }
    }

    /// The first minterm of each block, ascending.
    pub(crate) fn first(&self) -> &[u32] {
        &self.first
    }

    /// The minterms in the block of a minterm.
    pub(crate) fn of_minterm(&self, minterm: u32) -> impl Iterator<Item = u32> {
        let part = &self.refinement.part;
        let wanted = part[minterm as usize];
        (0..part.len() as u32).filter(move |m| part[*m as usize] == wanted)
    }

    /// Sorts the minterms into the blocks that the classes tell apart.
    pub(crate) fn divide(&mut self, alphabet: &Alphabet, classes: impl Iterator<Item = u32>) {
        self.refinement.reset();
        self.stamp += 1;
        for class in classes {
            let Some(stamp) = self.class_stamps.get_mut(class as usize) else { continue };
            if *stamp == self.stamp {
                continue;
            }
            *stamp = self.stamp;
            self.refinement.begin();
            for minterm in &alphabet.splits[class as usize] {
                self.refinement.split(*minterm as usize);
            }
        }
        self.seen_parts.clear();
        self.seen_parts.resize(self.refinement.n_parts(), false);
        self.first.clear();
        for (minterm, part) in self.refinement.part.iter().enumerate() {
            if !std::mem::replace(&mut self.seen_parts[*part as usize], true) {
                self.first.push(minterm as u32);
            }
        }
    }
}
