//! Words that look like what people write.

use crate::class::CharClass;
use crate::language::Language;
use crate::limits::{LimitExceeded, Limits, Meter};
use crate::meet::Meet;
use crate::pattern::Pattern;
use crate::query::{Split, find, is_solution, pick};

/// Words that are tried with candidates in the places of stars.
const MAX_TRIED: usize = 4_096;

/// A word that lies in all of `positives` and in none of `negatives`, as realistic as
/// `candidates` allow; `None` if and only if there is no such word.
///
/// *Realistic* means, in this order: one of the candidates, the first that is a solution; a pattern
/// that the positives amount to, such as `arn:aws:s3:::*/2026/*`, with candidates in the places of
/// its stars: of the patterns the first that has such a solution, the same candidate for all stars
/// if that will do, else for each star, from the left, the first that leads to a solution with those
/// to the right of it left as short as [`find`] leaves them; and last what [`find`] finds, a
/// short word of readable characters.
///
/// So whoever knows what names look like, or which exist, passes them, the likeliest first. That
/// nothing realistic is found says nothing: only so many words are tried.
pub fn find_realistic(
    positives: &[Language],
    negatives: &[Language],
    candidates: &[&str],
    limits: &Limits<'_>,
) -> Result<Option<String>, LimitExceeded> {
    let split = Split::new(positives, negatives);
    let (p, q) = match &split {
        Some(split) => (&split.positives[..], &split.negatives[..]),
        None => (positives, negatives),
    };
    let mut trial =
        Trial { positives: p, negatives: q, meter: Meter::new(limits), n_left: MAX_TRIED };
    for candidate in candidates {
        if trial.is_solution(candidate)? {
            return Ok(Some((*candidate).to_owned()));
        }
    }
    let all;
    let meet = if p.is_empty() {
        all = [Language::all()];
        Meet::new(&all, true)
    } else {
        Meet::new(p, true)
    };
    for pattern in meet.iter().flat_map(|meet| &meet.patterns) {
        if let Some(word) = trial.of_pattern(pattern, candidates)? {
            return Ok(Some(word));
        }
    }
    find(p, q, limits)
}

/// Words that are tried.
struct Trial<'q, 'l> {
    positives: &'q [Language],
    negatives: &'q [Language],
    meter: Meter<'l>,
    n_left: usize,
}

impl Trial<'_, '_> {
    /// Whether a word is a solution; false of all of them once enough were tried.
    fn is_solution(&mut self, word: &str) -> Result<bool, LimitExceeded> {
        let Some(n_left) = self.n_left.checked_sub(1) else { return Ok(false) };
        self.n_left = n_left;
        let languages = self.positives.iter().chain(self.negatives);
        let size: usize = languages.map(Language::size).sum();
        self.meter.step(1 + size.saturating_mul(word.len()) / 64)?;
        Ok(is_solution(word, self.positives, self.negatives))
    }

    /// A solution made from a pattern by putting candidates in the places of its stars.
    fn of_pattern(
        &mut self,
        pattern: &Pattern,
        candidates: &[&str],
    ) -> Result<Option<String>, LimitExceeded> {
        let named = self.negatives.iter().fold(0, |bits, language| bits | language.named_ascii());
        let stars: Vec<&CharClass> =
            pattern.items().iter().filter_map(|i| i.is_star.then_some(&i.class)).collect();
        let fits = |class: &CharClass, text: &str| text.chars().all(|c| class.contains(c));
        let mut short = Vec::with_capacity(stars.len());
        for class in &stars {
            short.push(pick(class, named).map(String::from).unwrap_or_default());
        }
        for candidate in candidates.iter().filter(|text| stars.iter().all(|c| fits(c, text))) {
            let filled = vec![(*candidate).to_owned(); stars.len()];
            if let Some(word) = fill(pattern, &filled, named)
                && self.is_solution(&word)?
            {
                return Ok(Some(word));
            }
        }
        let mut best = None;
        for (star, class) in stars.iter().enumerate() {
            for candidate in candidates.iter().filter(|text| fits(class, text)) {
                let before = std::mem::replace(&mut short[star], (*candidate).to_owned());
                match fill(pattern, &short, named) {
                    Some(word) if self.is_solution(&word)? => {
                        best = Some(word);
                        break;
                    }
                    _ => short[star] = before,
                }
            }
        }
        Ok(best)
    }
}

/// The word of a pattern with these texts in the places of its stars; `None` if a class of it has
/// no character.
fn fill(pattern: &Pattern, texts: &[String], named: u128) -> Option<String> {
    let mut texts = texts.iter();
    let mut word = String::new();
    for item in pattern.items() {
        match (item.is_star, item.class.as_char()) {
            (true, _) => word.push_str(texts.next()?),
            (false, Some(c)) => word.push(c),
            (false, None) => word.push(pick(&item.class, named)?),
        }
    }
    Some(word)
}
