//! Patterns: sequences of characters, classes and stars of classes; globs and literals are such.
//!
//! `arn:aws:s3:::*` is text and a star of every character; `[!-9;-~]+`, the usual domain of an
//! ARN's field, is a class and its star. Matching and subsumption are one algorithm, over the
//! characters of a word or over the items of another pattern: the item `q` *eats* a token if every
//! character of the token is in its class, and only a star eats a star.
//!
//! Leftmost greedy matching, which only ever takes back the last star, needs all stars to be of
//! one class `C` and every other item to be one character or to lie in `C`. Then, if a segment
//! between two stars fits at two places, what the second star has to eat for the earlier place is
//! in `C`: a character of the segment outside `C` would have to equal one that the first star ate
//! for the later place. `*a[^:]*b` is not such a pattern (`a:ab` is lost by greed), so patterns
//! with mixed stars are matched by sets of positions.

use std::fmt;

use crate::class::CharClass;

/// One item of a pattern.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Item {
    /// The characters.
    pub class: CharClass,
    /// Whether any number of characters of the class is meant, rather than exactly one.
    pub is_star: bool,
}

/// A sequence of items in normal form: a star comes behind the single items of its own class, and
/// next to no star that includes it or that it includes.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Pattern {
    items: Box<[Item]>,
    /// The text that every word begins with.
    prefix: Box<str>,
    n_stars: usize,
    is_greedy: bool,
}

impl Item {
    /// Exactly one character of the class.
    pub fn one(class: CharClass) -> Item {
        Item { class, is_star: false }
    }

    /// Any number of characters of the class.
    pub fn star(class: CharClass) -> Item {
        Item { class, is_star: true }
    }
}

impl fmt::Debug for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.class.as_char() {
            Some(c) => write!(f, "{}", c.escape_debug())?,
            None => self.class.fmt(f)?,
        }
        if self.is_star { f.write_str("*") } else { Ok(()) }
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("`")?;
        self.items.iter().try_for_each(|item| item.fmt(f))?;
        f.write_str("`")
    }
}

impl Pattern {
    /// The concatenation of the items; `None` if it is empty because some single item is.
    pub fn new(items: impl IntoIterator<Item = Item>) -> Option<Pattern> {
        let mut normal: Vec<Item> = Vec::new();
        for item in items {
            if item.class.is_empty() {
                if item.is_star {
                    continue;
                }
                return None;
            }
            push_normal(&mut normal, item);
        }
        let mut prefix = String::with_capacity(normal.len());
        prefix.extend(normal.iter().map_while(Item::as_char));
        let n_stars = normal.iter().filter(|item| item.is_star).count();
        let is_greedy = is_greedy(&normal);
        Some(Pattern { items: normal.into(), prefix: prefix.into(), n_stars, is_greedy })
    }

    /// Exactly this word.
    pub fn literal(text: &str) -> Pattern {
        let items: Box<[Item]> = text.chars().map(|c| Item::one(CharClass::single(c))).collect();
        Pattern { items, prefix: text.into(), n_stars: 0, is_greedy: true }
    }

    /// Its items in normal form.
    pub fn items(&self) -> &[Item] {
        &self.items
    }

    /// The text that every word begins with.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Its only word, if it has exactly one.
    pub fn as_literal(&self) -> Option<&str> {
        let n_fixed = self.items.len();
        // Only single characters are in the prefix, so that its length tells without a look.
        (self.n_stars == 0 && self.prefix.chars().count() == n_fixed).then_some(&*self.prefix)
    }

    /// Whether it has every word.
    pub fn is_universal(&self) -> bool {
        matches!(&*self.items, [only] if only.is_star && only.class.is_any())
    }

    /// Whether `word` is in the pattern.
    pub fn matches(&self, word: &str) -> bool {
        let Some(rest) = word.strip_prefix(&*self.prefix) else { return false };
        let n_prefix =
            if self.prefix.is_ascii() { self.prefix.len() } else { self.prefix.chars().count() };
        let items = &self.items[n_prefix..];
        match items {
            [] => rest.is_empty(),
            [only] if only.is_star => {
                only.class.is_any() || rest.chars().all(|c| only.class.contains(c))
            }
            _ => self.eats_all(items, rest.chars(), |item, c| item.class.contains(*c)),
        }
    }

    /// True only if every word of `other` is in this pattern: each token of `other` is eaten by an
    /// item of this one. If, moreover, this pattern has no single item but characters, one class
    /// for its stars, and there is a character that it does not name, then also true if so.
    pub fn subsumes(&self, other: &Pattern) -> bool {
        let eats = |item: &Item, token: &&Item| {
            (item.is_star || !token.is_star) && item.class.includes(&token.class)
        };
        self.eats_all(&self.items, other.items.iter(), eats)
    }

    /// False only if no word is in both: their beginnings or their ends have none in common.
    pub fn may_overlap(&self, other: &Pattern) -> bool {
        let (a, b) = (&*self.prefix, &*other.prefix);
        if !a.starts_with(b) && !b.starts_with(a) {
            return false;
        }
        let fixed = |(a, b): &(&Item, &Item)| !a.is_star && !b.is_star;
        let meets = |(a, b): (&Item, &Item)| match (a.as_char(), b.as_char()) {
            (Some(a), Some(b)) => a == b,
            (Some(a), None) => b.class.contains(a),
            (None, Some(b)) => a.class.contains(b),
            (None, None) => !a.class.intersect(&b.class).is_empty(),
        };
        // Where both prefixes end there may be a class in one of them.
        let n = self.n_common_prefix(other);
        let begins = self.items[n..].iter().zip(&other.items[n..]);
        let ends = self.items.iter().rev().zip(other.items.iter().rev());
        ends.take_while(fixed).all(meets) && begins.take_while(fixed).all(meets)
    }

    /// How many single characters both begin with.
    pub(crate) fn n_common_prefix(&self, other: &Pattern) -> usize {
        let both = self.prefix.chars().zip(other.prefix.chars());
        both.take_while(|(a, b)| a == b).count()
    }

    fn eats_all<T: Iterator + Clone>(
        &self,
        items: &[Item],
        tokens: T,
        eats: impl Fn(&Item, &T::Item) -> bool,
    ) -> bool {
        if self.is_greedy {
            eats_greedily(items, tokens, eats)
        } else {
            eats_in_sets(items, tokens, eats)
        }
    }

    /// Its shortest word made by `pick`, which chooses a character of each class, and with so many
    /// characters for each star. `None` if `pick` has no character.
    pub(crate) fn instance(
        &self,
        star_length: usize,
        mut pick: impl FnMut(&CharClass) -> Option<char>,
    ) -> Option<String> {
        let mut word = String::with_capacity(self.items.len() + self.n_stars * star_length);
        for item in &self.items {
            match (item.as_char(), item.is_star) {
                (Some(c), _) => word.push(c),
                (None, false) => word.push(pick(&item.class)?),
                (None, true) => {
                    for _ in 0..star_length {
                        word.push(pick(&item.class)?);
                    }
                }
            }
        }
        Some(word)
    }

    /// The ASCII characters that its single items name.
    pub(crate) fn named_ascii(&self) -> u128 {
        let named = self.items.iter().filter(|item| !item.class.is_any());
        named.fold(0, |bits, item| bits | if item.is_star { 0 } else { item.class.ascii() })
    }
}

impl Item {
    /// Its character, if it is exactly one, exactly once.
    fn as_char(&self) -> Option<char> {
        if self.is_star { None } else { self.class.as_char() }
    }
}

/// Appends an item, keeping the normal form.
fn push_normal(items: &mut Vec<Item>, item: Item) {
    while let Some(last) = items.last().filter(|last| last.is_star) {
        if item.is_star && last.class.includes(&item.class) {
            return;
        }
        if !item.is_star && last.class == item.class {
            let star = items.len() - 1;
            items.insert(star, item);
            return;
        }
        if !(item.is_star && item.class.includes(&last.class)) {
            break;
        }
        items.pop();
    }
    items.push(item);
}

fn is_greedy(items: &[Item]) -> bool {
    let mut stars = items.iter().filter(|item| item.is_star);
    let Some(first) = stars.next() else { return true };
    let fits = |item: &Item| item.class.as_char().is_some() || first.class.includes(&item.class);
    stars.all(|star| star.class == first.class)
        && (first.class.is_any() || items.iter().filter(|item| !item.is_star).all(fits))
}

fn eats_greedily<T: Iterator + Clone>(
    items: &[Item],
    mut tokens: T,
    eats: impl Fn(&Item, &T::Item) -> bool,
) -> bool {
    let mut at = 0;
    // The last star and the tokens that come after what it has eaten.
    let mut last: Option<(usize, T)> = None;
    loop {
        while items.get(at).is_some_and(|item| item.is_star) {
            last = Some((at, tokens.clone()));
            at += 1;
        }
        let Some(token) = tokens.next() else { return at == items.len() };
        if items.get(at).is_some_and(|item| eats(item, &token)) {
            at += 1;
            continue;
        }
        let Some((star, after)) = &mut last else { return false };
        if !after.next().is_some_and(|token| eats(&items[*star], &token)) {
            return false;
        }
        tokens = after.clone();
        at = *star + 1;
    }
}

fn eats_in_sets<T: Iterator>(
    items: &[Item],
    tokens: T,
    eats: impl Fn(&Item, &T::Item) -> bool,
) -> bool {
    // `here[i]`: the tokens so far can be eaten by the first `i` items.
    let skip_stars = |here: &mut [bool]| {
        for (i, item) in items.iter().enumerate() {
            here[i + 1] |= here[i] && item.is_star;
        }
    };
    let mut here = vec![false; items.len() + 1];
    let mut next = here.clone();
    here[0] = true;
    skip_stars(&mut here);
    for token in tokens {
        next.fill(false);
        for (i, item) in items.iter().enumerate() {
            if here[i] && eats(item, &token) {
                next[if item.is_star { i } else { i + 1 }] = true;
            }
        }
        skip_stars(&mut next);
        std::mem::swap(&mut here, &mut next);
    }
    here[items.len()]
}
