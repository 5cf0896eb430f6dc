//! Outcomes that are kept, for who is asked the same again.
//!
//! What is kept is an outcome of a formula, not an answer about policies: whoever asks decodes, replays and blames as if a solver had been asked. Only what is
//! definite is kept, since what is unknown now may not be with more time. A model is evaluated again when it is taken out, so it cannot
//! be that of another formula; that there is no model rests on the key, a SHA-256 of the formula as bytes ([`canonical`]), of the solvers and of
//! the version. Time limits are not in the key: what was found out holds however long it took. Errors, a contradiction above all, are never kept.
//!
//! Memory is bounded by two generations: when the younger is full the older is dropped, and what is used moves to the younger. A crate such as `moka` evicts
//! better and brings a dozen others; here a lookup costs less than the hash before it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use keyaki_logic::solver::AttemptResult;
use keyaki_logic::{
    Answer, Attempt, Cancel, Formula, Limits, Model, Outcome, Proof, Solver, SolverError, Value,
    canonical, eval,
};
use sha2::{Digest, Sha256};

/// What an entry takes besides its model, in bytes: key, names, and the table's own.
const ENTRY_BYTES: usize = 256;

/// The name under which attempts tell that nobody was asked.
pub const CACHE: &str = "cache";

/// Outcomes of many formulas, in bounded memory.
#[derive(Debug)]
pub struct OutcomeCache {
    bytes_max: usize,
    generations: Mutex<Generations>,
    hits: AtomicU64,
    misses: AtomicU64,
}

type Key = [u8; 32];

#[derive(Debug, Default)]
struct Generations {
    young: HashMap<Key, Kept>,
    old: HashMap<Key, Kept>,
    young_bytes: usize,
}

#[derive(Clone, Debug)]
struct Kept {
    /// The model, if there is one.
    model: Option<Arc<Model>>,
    by: Arc<[String]>,
}

impl Kept {
    fn n_bytes(&self) -> usize {
        let value = |value: &Value| match value {
            Value::String(text) => text.len() + 64,
            Value::Bool(_) | Value::Bits { .. } => 64,
        };
        let model = self.model.iter().flat_map(|model| model.iter());
        ENTRY_BYTES + model.map(|(name, v)| name.len() + value(v)).sum::<usize>()
    }
}

impl OutcomeCache {
    /// A cache that holds about so many bytes.
    pub fn new(bytes_max: usize) -> OutcomeCache {
        OutcomeCache {
            bytes_max,
            generations: Mutex::default(),
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
        }
    }

    /// How often something was found, and how often not.
    pub fn counts(&self) -> (u64, u64) {
        (self.hits.load(Ordering::Relaxed), self.misses.load(Ordering::Relaxed))
    }

    fn get(&self, key: &Key) -> Option<Kept> {
        let mut generations = self.lock();
        if let Some(kept) = generations.young.get(key) {
            return Some(kept.clone());
        }
        let kept = generations.old.remove(key)?;
        self.insert(&mut generations, *key, kept.clone());
        Some(kept)
    }

    fn put(&self, key: Key, kept: Kept) {
        self.insert(&mut self.lock(), key, kept);
    }

    fn forget(&self, key: &Key) {
        let mut generations = self.lock();
        generations.young.remove(key);
        generations.old.remove(key);
    }

    fn insert(&self, generations: &mut Generations, key: Key, kept: Kept) {
        let n_bytes = kept.n_bytes();
        if n_bytes > self.bytes_max / 2 {
            return;
        }
        if generations.young_bytes + n_bytes > self.bytes_max / 2 {
            generations.old = std::mem::take(&mut generations.young);
            generations.young_bytes = 0;
        }
        generations.young_bytes += n_bytes;
        generations.young.insert(key, kept);
    }

    fn lock(&self) -> MutexGuard<'_, Generations> {
        self.generations.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `S`, except that what it found out before is not asked again.
pub struct Cached<S> {
    inner: S,
    cache: Arc<OutcomeCache>,
    /// What stands before every formula in a key.
    context: Vec<u8>,
}

impl<S: Solver> Cached<S> {
    /// Wraps `inner`, which `context` tells from other solvers that share the cache.
    pub fn new(inner: S, cache: Arc<OutcomeCache>, context: &str) -> Cached<S> {
        let version = env!("CARGO_PKG_VERSION");
        let context = format!("{version}\0{context}\0").into_bytes();
        Cached { inner, cache, context }
    }

    fn key(&self, formula: &Formula, limits: &Limits) -> Key {
        let mut hash = Sha256::new();
        hash.update(&self.context);
        hash.update(limits.memory_bytes.to_le_bytes());
        hash.update(canonical::bytes(formula));
        hash.finalize().into()
    }
}

impl<S: Solver> Solver for Cached<S> {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn prefers_parts(&self) -> bool {
        self.inner.prefers_parts()
    }

    fn solve(
        &self,
        formula: &Formula,
        limits: &Limits,
        cancel: &Cancel,
    ) -> Result<Answer, SolverError> {
        let start = Instant::now();
        let key = self.key(formula, limits);
        if let Some(Kept { model, by }) = self.cache.get(&key) {
            let is_right =
                model.as_ref().is_none_or(|model| eval::holds(formula, model) == Ok(true));
            if is_right {
                self.cache.hits.fetch_add(1, Ordering::Relaxed);
                let (outcome, result) = match model {
                    Some(model) => (Outcome::Sat((*model).clone()), AttemptResult::Sat),
                    None => (Outcome::Unsat, AttemptResult::Unsat),
                };
                let attempt = Attempt {
                    solver: CACHE.to_owned(),
                    result,
                    wall: start.elapsed(),
                    script: None,
                };
                return Ok(Answer { outcome, by: by.to_vec(), attempts: vec![attempt] });
            }
            self.cache.forget(&key);
        }
        self.cache.misses.fetch_add(1, Ordering::Relaxed);
        let answer = self.inner.solve(formula, limits, cancel)?;
        let by = || answer.by.as_slice().into();
        match &answer.outcome {
            Outcome::Sat(model) => {
                self.cache.put(key, Kept { model: Some(Arc::new(model.clone())), by: by() });
            }
            Outcome::Unsat => self.cache.put(key, Kept { model: None, by: by() }),
            Outcome::Unknown(_) => {}
        }
        Ok(answer)
    }

    fn explain(
        &self,
        formula: &Formula,
        limits: &Limits,
        cancel: &Cancel,
    ) -> Result<(Answer, Option<Proof>), SolverError> {
        self.inner.explain(formula, limits, cancel)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;
    use std::time::Duration;

    use keyaki_logic::{Reason, Regex, Sort, Terms};

    use super::*;
    use crate::automaton::Automaton;

    /// Counts how often it is asked.
    struct Counting(AtomicUsize, fn(&Formula, &Limits) -> Result<Outcome, SolverError>);

    impl Solver for Counting {
        fn name(&self) -> &str {
            "counting"
        }

        fn solve(
            &self,
            formula: &Formula,
            limits: &Limits,
            _: &Cancel,
        ) -> Result<Answer, SolverError> {
            self.0.fetch_add(1, Ordering::Relaxed);
            let outcome = self.1(formula, limits)?;
            Ok(Answer { outcome, by: vec!["counting".to_owned()], attempts: Vec::new() })
        }
    }

    fn automaton(formula: &Formula, limits: &Limits) -> Result<Outcome, SolverError> {
        Ok(Automaton.solve(formula, limits, &Cancel::new())?.outcome)
    }

    fn formula(text: &str, is_negated: bool) -> Formula {
        let mut terms = Terms::new();
        let x = terms.var("x", Sort::String);
        let starts = |text: &str| Regex::Concat(vec![Regex::Literal(text.to_owned()), Regex::All]);
        let one = terms.in_re(x, starts(text));
        let other = terms.in_re(x, starts(&format!("{text}{text}")));
        let other = if is_negated { terms.not(one) } else { other };
        let mut formula = Formula::new(terms);
        formula.assert("one", one);
        formula.assert("other", other);
        formula
    }

    fn cached(
        solve: fn(&Formula, &Limits) -> Result<Outcome, SolverError>,
        bytes_max: usize,
    ) -> Cached<Counting> {
        let cache = Arc::new(OutcomeCache::new(bytes_max));
        Cached::new(Counting(AtomicUsize::new(0), solve), cache, "counting")
    }

    fn ask(solver: &impl Solver, formula: &Formula) -> Outcome {
        let limits = Limits::within(Duration::from_secs(60));
        solver.solve(formula, &limits, &Cancel::new()).unwrap().outcome
    }

    #[test]
    fn what_was_found_out_is_not_asked_again_and_is_the_same() {
        let solver = cached(automaton, 1 << 20);
        for is_negated in [false, true] {
            let formula = formula("a", is_negated);
            let first = ask(&solver, &formula);
            assert_eq!(matches!(first, Outcome::Sat(_)), !is_negated);
            assert_eq!(ask(&solver, &formula), first);
        }
        assert_eq!(solver.inner.0.load(Ordering::Relaxed), 2);
        assert_eq!(solver.cache.counts(), (2, 2));
    }

    #[test]
    fn what_is_unknown_or_broken_is_asked_again() {
        let unknown = cached(|_, _| Ok(Outcome::Unknown(Reason::Timeout)), 1 << 20);
        let broken = cached(|_, _| Err(SolverError::NoSolver), 1 << 20);
        let limits = Limits::within(Duration::from_secs(60));
        for solver in [unknown, broken] {
            for _ in 0..3 {
                let _ = solver.solve(&formula("a", false), &limits, &Cancel::new());
            }
            assert_eq!(solver.inner.0.load(Ordering::Relaxed), 3);
        }
    }

    #[test]
    fn a_model_of_another_formula_is_not_given() {
        let solver = cached(automaton, 1 << 20);
        let formula = formula("a", false);
        let limits = Limits::within(Duration::from_secs(60));
        let wrong: Model = [("x".to_owned(), Value::String("b".to_owned()))].into_iter().collect();
        let kept = Kept { model: Some(Arc::new(wrong)), by: Arc::new([]) };
        solver.cache.put(solver.key(&formula, &limits), kept);
        let Outcome::Sat(model) = ask(&solver, &formula) else { panic!("it has a model") };
        assert_eq!(eval::holds(&formula, &model), Ok(true));
        assert_eq!(solver.inner.0.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn memory_is_bounded_and_what_is_used_stays() {
        let solver = cached(automaton, 20 * ENTRY_BYTES);
        let used = formula("used", true);
        ask(&solver, &used);
        for number in 0..200 {
            ask(&solver, &formula(&number.to_string(), true));
            ask(&solver, &used);
            let generations = solver.cache.lock();
            assert!(generations.young.len() + generations.old.len() <= 20);
        }
        assert_eq!(solver.inner.0.load(Ordering::Relaxed), 201);
    }
}
