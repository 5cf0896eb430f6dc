//! Is there a word in all of these languages and in none of those?
//!
//! The cheap ways come first, and each of them is right by itself, whatever the theorem of the
//! crate's documentation says about when it succeeds: a word is returned only after it was tested
//! against every language, and "none" is answered only where one negative subsumes a positive. What
//! they leave open, the product of the automata decides.

use crate::alphabet::READABLE;
use crate::class::CharClass;
use crate::language::{Language, Shape};
use crate::limits::{LimitExceeded, Limits, Meter};
use crate::meet::Meet;
use crate::pattern::Pattern;
use crate::product::Product;

/// Whether some word is in all positives and in no negative.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// This one is; short and readable.
    Word(String),
    /// None is, and why: a part of the languages that is enough. [`shrink`] makes it small.
    Empty(Why),
}

/// Which languages are enough for there to be no word: ascending indices.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Why {
    /// Of the positives.
    pub positives: Vec<usize>,
    /// Of the negatives.
    pub negatives: Vec<usize>,
}

impl Answer {
    /// The word, if there is one.
    pub fn into_word(self) -> Option<String> {
        match self {
            Answer::Word(word) => Some(word),
            Answer::Empty(_) => None,
        }
    }
}

impl Why {
    /// From indices of the positives followed by the negatives.
    fn new(indices: impl IntoIterator<Item = usize>, n_positives: usize) -> Why {
        let mut indices: Vec<usize> = indices.into_iter().collect();
        indices.sort_unstable();
        indices.dedup();
        let n = indices.partition_point(|i| *i < n_positives);
        let negatives = indices.split_off(n).into_iter().map(|i| i - n_positives).collect();
        Why { positives: indices, negatives }
    }

    /// As indices of the positives followed by the negatives.
    fn indices(&self, n_positives: usize) -> Vec<usize> {
        let negatives = self.negatives.iter().map(|i| i + n_positives);
        self.positives.iter().copied().chain(negatives).collect()
    }
}

/// Whether there is a word that lies in all of `positives` and in none of `negatives`.
pub fn decide(
    positives: &[Language],
    negatives: &[Language],
    limits: &Limits<'_>,
) -> Result<Answer, LimitExceeded> {
    decide_metered(positives, negatives, &mut Meter::new(limits))
}

fn decide_metered(
    positives: &[Language],
    negatives: &[Language],
    meter: &mut Meter<'_>,
) -> Result<Answer, LimitExceeded> {
    let Some(split) = Split::new(positives, negatives) else {
        return decide_split(positives, negatives, meter);
    };
    Ok(match decide_split(&split.positives, &split.negatives, meter)? {
        Answer::Word(word) => Answer::Word(word),
        Answer::Empty(why) => Answer::Empty(split.origin(&why, positives.len())),
    })
}

fn decide_split(
    positives: &[Language],
    negatives: &[Language],
    meter: &mut Meter<'_>,
) -> Result<Answer, LimitExceeded> {
    match quick(positives, negatives, meter)? {
        Quick::Word(word) => Ok(Answer::Word(word)),
        Quick::Empty(why) => Ok(Answer::Empty(why)),
        Quick::Open => search(positives, negatives, meter),
    }
}

/// By the product of the automata.
fn search(
    positives: &[Language],
    negatives: &[Language],
    meter: &mut Meter<'_>,
) -> Result<Answer, LimitExceeded> {
    let mut product = Product::new(positives, negatives, meter)?;
    Ok(match product.shortest(meter)? {
        Some(word) => Answer::Word(word),
        None => Answer::Empty(Why::new(product.reasons(), positives.len())),
    })
}

/// A short, readable word that lies in all of `positives` and in none of `negatives`; `None` if and
/// only if there is no such word.
pub fn find(
    positives: &[Language],
    negatives: &[Language],
    limits: &Limits<'_>,
) -> Result<Option<String>, LimitExceeded> {
    Ok(decide(positives, negatives, limits)?.into_word())
}

/// A query whose conjunctions among the positives and disjunctions among the negatives are taken
/// apart.
pub(crate) struct Split {
    pub(crate) positives: Vec<Language>,
    pub(crate) negatives: Vec<Language>,
    /// Where each positive comes from: an index of the original positives followed by the
    /// original negatives.
    positive_origins: Vec<usize>,
    negative_origins: Vec<usize>,
}

impl Split {
    /// `None` if there is nothing to take apart.
    pub(crate) fn new(positives: &[Language], negatives: &[Language]) -> Option<Split> {
        let all = positives.iter().map(|p| (p, true)).chain(negatives.iter().map(|q| (q, false)));
        if !all.clone().any(|(language, is_wanted)| language.can_split(is_wanted)) {
            return None;
        }
        let mut split = Split {
            positives: Vec::new(),
            negatives: Vec::new(),
            positive_origins: Vec::new(),
            negative_origins: Vec::new(),
        };
        for (origin, (language, is_wanted)) in all.enumerate() {
            language.split(is_wanted, &mut split.positives, &mut split.negatives);
            split.positive_origins.resize(split.positives.len(), origin);
            split.negative_origins.resize(split.negatives.len(), origin);
        }
        Some(split)
    }

    /// The reason in terms of the original languages.
    fn origin(&self, why: &Why, n_positives: usize) -> Why {
        let positives = why.positives.iter().map(|i| self.positive_origins[*i]);
        let negatives = why.negatives.iter().map(|i| self.negative_origins[*i]);
        Why::new(positives.chain(negatives), n_positives)
    }
}

/// A shortest word that lies in all of `positives` and in none of `negatives`, always by the
/// product of the automata; `None` if and only if there is no such word.
pub fn shortest(
    positives: &[Language],
    negatives: &[Language],
    limits: &Limits<'_>,
) -> Result<Option<String>, LimitExceeded> {
    let mut meter = Meter::new(limits);
    let answer = match Split::new(positives, negatives) {
        Some(split) => search(&split.positives, &split.negatives, &mut meter),
        None => search(positives, negatives, &mut meter),
    };
    Ok(answer?.into_word())
}

/// Whether some word lies in both.
pub fn overlap(a: &Language, b: &Language, limits: &Limits<'_>) -> Result<bool, LimitExceeded> {
    Ok(find(&[a.clone(), b.clone()], &[], limits)?.is_some())
}

/// Whether every word of `small` is in `large`.
pub fn includes(
    large: &Language,
    small: &Language,
    limits: &Limits<'_>,
) -> Result<bool, LimitExceeded> {
    let is_within = find(std::slice::from_ref(small), std::slice::from_ref(large), limits)?;
    Ok(is_within.is_none())
}

/// Whether both have the same words.
pub fn equivalent(a: &Language, b: &Language, limits: &Limits<'_>) -> Result<bool, LimitExceeded> {
    Ok(includes(a, b, limits)? && includes(b, a, limits)?)
}

/// Whether no word is in the language.
pub fn is_empty(language: &Language, limits: &Limits<'_>) -> Result<bool, LimitExceeded> {
    Ok(find(std::slice::from_ref(language), &[], limits)?.is_none())
}

/// Whether every word is in the language.
pub fn is_universal(language: &Language, limits: &Limits<'_>) -> Result<bool, LimitExceeded> {
    Ok(find(&[], std::slice::from_ref(language), limits)?.is_none())
}

/// What the cheap ways say.
enum Quick {
    /// This word is one.
    Word(String),
    /// There is none, and why.
    Empty(Why),
    Open,
}

/// How many characters stand for each star of a pattern, in the order in which they are tried.
/// Mostly the first does; the others are against negatives that fix lengths.
const STAR_LENGTHS: [usize; 4] = [1, 2, 9, 0];

/// The steps counted for matching one word, or one pattern. Most matches end long before all pairs
/// of places were looked at, so a pair counts as a fraction.
fn matching_steps(language: &Language, length: usize) -> usize {
    const PAIRS_PER_STEP: usize = 64;
    1 + language.size().saturating_mul(length) / PAIRS_PER_STEP
}

fn quick(
    positives: &[Language],
    negatives: &[Language],
    meter: &mut Meter<'_>,
) -> Result<Quick, LimitExceeded> {
    if let Some(i) = positives.iter().position(Language::is_empty) {
        return Ok(Quick::Empty(Why { positives: vec![i], negatives: vec![] }));
    }
    if let Some((i, words)) = shortest_list(positives) {
        let mut why = Why { positives: vec![i], negatives: vec![] };
        for word in words {
            meter.step(positives.len() + negatives.len())?;
            if !why.append(word, positives, negatives) {
                return Ok(Quick::Word(word.to_string()));
            }
        }
        return Ok(Quick::Empty(why.sorted()));
    }
    // Without a positive, a star of everything.
    let all;
    let meet = if positives.is_empty() {
        all = [Language::all()];
        Meet::new(&all, true).map(|meet| Meet { of: vec![], ..meet })
    } else {
        let is_pattern = |p: &Language| matches!(p.shape(), Shape::Patterns(_));
        Meet::new(positives, !negatives.is_empty() || !positives.iter().all(is_pattern))
    };
    let Some(meet) = meet else { return Ok(Quick::Open) };
    let named = negatives.iter().fold(0, |bits, language| bits | language.named_ascii());
    let mut why = Why { positives: meet.of, negatives: vec![] };
    let mut open: Vec<&Pattern> = Vec::new();
    for pattern in &meet.patterns {
        match try_pattern(pattern, named, STAR_LENGTHS[0], positives, negatives, meter)? {
            Tried::Word(word) => return Ok(Quick::Word(word)),
            Tried::Subsumed(negative) => why.add_negative(negative),
            Tried::Nothing => open.push(pattern),
        }
    }
    if open.is_empty() {
        return Ok(Quick::Empty(why.sorted()));
    }
    for length in &STAR_LENGTHS[1..] {
        for pattern in &open {
            let tried = try_pattern(pattern, named, *length, positives, negatives, meter)?;
            if let Tried::Word(word) = tried {
                return Ok(Quick::Word(word));
            }
        }
    }
    Ok(Quick::Open)
}

/// What one word of a pattern shows.
enum Tried {
    /// It is a solution.
    Word(String),
    /// A negative subsumes the pattern.
    Subsumed(usize),
    Nothing,
}

fn try_pattern(
    pattern: &Pattern,
    named: u128,
    star_length: usize,
    positives: &[Language],
    negatives: &[Language],
    meter: &mut Meter<'_>,
) -> Result<Tried, LimitExceeded> {
    let Some(word) = pattern.instance(star_length, |class| pick(class, named)) else {
        return Ok(Tried::Nothing);
    };
    for positive in positives {
        meter.step(matching_steps(positive, word.len()))?;
    }
    let mut is_solution = positives.iter().all(|language| language.matches(&word));
    // What does not match the word does not include the pattern.
    for (i, negative) in negatives.iter().enumerate() {
        meter.step(matching_steps(negative, word.len() + pattern.items().len()))?;
        if !negative.matches(&word) {
            continue;
        }
        let subsumes = match negative.shape() {
            Shape::Patterns(patterns) => patterns.iter().any(|q| q.subsumes(pattern)),
            Shape::Words(_) => pattern.as_literal().is_some(),
            Shape::Nfa(_) => negative.is_universal(),
            Shape::Formula { .. } => false,
        };
        if subsumes {
            return Ok(Tried::Subsumed(i));
        }
        is_solution = false;
    }
    Ok(if is_solution { Tried::Word(word) } else { Tried::Nothing })
}

impl Why {
    fn sorted(mut self) -> Why {
        self.positives.sort_unstable();
        self.negatives.sort_unstable();
        self
    }

    fn add_negative(&mut self, negative: usize) {
        if !self.negatives.contains(&negative) {
            self.negatives.push(negative);
        }
    }

    /// Adds a reason why `word` is no solution; false if it is one.
    fn append(&mut self, word: &str, positives: &[Language], negatives: &[Language]) -> bool {
        if self.positives.iter().any(|i| !positives[*i].matches(word))
            || self.negatives.iter().any(|i| negatives[*i].matches(word))
        {
            return true;
        }
        if let Some(other) = positives.iter().position(|language| !language.matches(word)) {
            self.positives.push(other);
            return true;
        }
        let negative = negatives.iter().position(|language| language.matches(word));
        self.negatives.extend(negative);
        negative.is_some()
    }
}

/// The positive with the fewest words of those that are lists of words.
fn shortest_list(positives: &[Language]) -> Option<(usize, &[Box<str>])> {
    let lists = positives.iter().enumerate().filter_map(|(i, p)| Some((i, p.as_words()?)));
    lists.min_by_key(|(_, words)| words.len())
}

/// The words of the shortest list that are solutions; `None` if no positive is a list.
pub(crate) fn listed<'q>(
    positives: &'q [Language],
    negatives: &'q [Language],
) -> Option<impl Iterator<Item = &'q str>> {
    let (_, words) = shortest_list(positives)?;
    Some(words.iter().map(|w| &**w).filter(|word| is_solution(word, positives, negatives)))
}

pub(crate) fn is_solution(word: &str, positives: &[Language], negatives: &[Language]) -> bool {
    positives.iter().all(|language| language.matches(word))
        && !negatives.iter().any(|language| language.matches(word))
}

/// The most readable character of the class that is not named, or one that is, or the first one.
pub(crate) fn pick(class: &CharClass, named: u128) -> Option<char> {
    let is_named = |c: char| c.is_ascii() && named >> (c as u32) & 1 == 1;
    let readable = || READABLE.chars().filter(|c| class.contains(*c));
    // Where all of ASCII is named, a letter that is none, so that the word still can be read.
    let foreign = ['\u{e4}', '\u{e9}', '\u{3b1}', '\u{6f22}'];
    let unnamed = || readable().find(|c| !is_named(*c));
    unnamed()
        .or_else(|| foreign.into_iter().find(|c| class.contains(*c)))
        .or_else(|| readable().next())
        .or_else(|| class.ranges().first().map(|(low, _)| *low))
}

/// A small part of the languages that still has no word in common, as by [`decide`] and then
/// [`shrink`]; `None` if they have a word.
pub fn core(
    positives: &[Language],
    negatives: &[Language],
    limits: &Limits<'_>,
) -> Result<Option<Why>, LimitExceeded> {
    Ok(match decide(positives, negatives, limits)? {
        Answer::Word(_) => None,
        Answer::Empty(why) => Some(shrink(&why, positives, negatives, limits)),
    })
}

/// A part of `why`, which has to be a reason that [`decide`] gave for the same languages, from
/// which none can be left out, unless to find that out exceeds a limit: `limits` are for all
/// attempts together, and a sixteenth of the steps for each.
pub fn shrink(
    why: &Why,
    positives: &[Language],
    negatives: &[Language],
    limits: &Limits<'_>,
) -> Why {
    const ATTEMPTS: u64 = 16;
    let n_positives = positives.len();
    let mut kept = why.indices(n_positives);
    let mut left = limits.max_steps;
    // Leave out halves, quarters, …, single ones; a chunk that is needed is kept, and so is what
    // was found to be needed before, since every smaller reason has it.
    let mut chunk = kept.len().div_ceil(2);
    while chunk > 0 {
        let mut at = 0;
        while at < kept.len() {
            let mut fewer = kept.clone();
            fewer.drain(at..(at + chunk).min(kept.len()));
            let max_steps = left.min(limits.max_steps / ATTEMPTS + 1);
            let mut meter = Meter::new(&Limits { max_steps, ..*limits });
            let attempt = still_empty(&fewer, positives, negatives, &mut meter);
            // To look at so many languages is work too.
            left = left.saturating_sub(meter.steps() + fewer.len() as u64);
            match attempt {
                Ok(Some(smaller)) => kept = smaller,
                Err(LimitExceeded::Cancelled) => return Why::new(kept, n_positives),
                Ok(None) | Err(_) => at += chunk,
            }
            if left == 0 {
                return Why::new(kept, n_positives);
            }
        }
        chunk = if chunk > 1 { chunk.div_ceil(2) } else { 0 };
    }
    Why::new(kept, n_positives)
}

/// A part of the chosen languages that has no word in common; `None` if they have one.
fn still_empty(
    chosen: &[usize],
    positives: &[Language],
    negatives: &[Language],
    meter: &mut Meter<'_>,
) -> Result<Option<Vec<usize>>, LimitExceeded> {
    let n = chosen.partition_point(|i| *i < positives.len());
    let p: Vec<Language> = chosen[..n].iter().map(|i| positives[*i].clone()).collect();
    let q = chosen[n..].iter().map(|i| negatives[*i - positives.len()].clone());
    Ok(match decide_metered(&p, &q.collect::<Vec<Language>>(), meter)? {
        Answer::Empty(why) => Some(why.indices(n).into_iter().map(|i| chosen[i]).collect()),
        Answer::Word(_) => None,
    })
}
