//! The proof of a search that found nothing.
//!
//! While it goes on, a search that is to be explained writes down what it adds to the clauses of
//! its problem ([`Log`]): lemmas of the theory, and what it learnt. Nothing else of it is needed,
//! because what is learnt follows by unit propagation from what was there before. So the hints are
//! found afterwards ([`prove`]), from the end to the beginning, and only for what is needed, with
//! clauses that are needed anyway propagated first (Heule, Hunt, Wetzler, "Trimming while checking
//! clausal proofs", 2013). To note the hints during the search was not taken: every place where it
//! leaves out a literal that is false anyway would have to say why, and the default would pay.
//!
//! What cannot be derived again is a fault of the search, and found here.

use std::collections::HashSet;

use keyaki_logic::proof::{Literal, Proof, Rule, Step, Theory};

use super::problem::{Atom, Lit, Problem};
use super::watch::Watch;

/// The literals of what one search may note, 4 bytes each. With more there is no proof.
const MAX_LOGGED_LITERALS: usize = 1 << 25;

/// What a search added, in order.
#[derive(Debug, Default)]
pub(super) struct Log {
    added: Vec<(Vec<Lit>, Source)>,
    /// Lemmas of two literals that are there already.
    pairs: HashSet<(Lit, Lit)>,
    n_literals: usize,
}

/// Where a clause comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    /// The formula: the root with this index.
    Root(usize),
    Definition,
    Theory,
    Learnt,
}

/// Why there is no proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoProof {
    /// A limit: time, or the size of the log.
    Limit,
    /// Something does not follow. A fault of the search.
    Broken,
}

impl Log {
    /// Literals of which the theory says that one is true.
    pub(super) fn lemma(&mut self, clause: &[Lit]) {
        if let [a, b] = *clause
            && !self.pairs.insert((a.min(b), a.max(b)))
        {
            return;
        }
        self.add(clause, Source::Theory);
    }

    /// A clause that was learnt from those before.
    pub(super) fn learnt(&mut self, clause: &[Lit]) {
        self.add(clause, Source::Learnt);
    }

    fn add(&mut self, clause: &[Lit], source: Source) {
        self.n_literals += clause.len();
        if self.n_literals <= MAX_LOGGED_LITERALS {
            self.added.push((sorted(clause), source));
        }
    }
}

/// The proof that a problem has no values, from what a search noted.
pub(super) fn prove(problem: &Problem<'_>, log: Log, watch: &Watch<'_>) -> Result<Proof, NoProof> {
    if log.n_literals > MAX_LOGGED_LITERALS {
        return Err(NoProof::Limit);
    }
    let mut trimmer = Trimmer::new(problem, log);
    let mut hints = vec![Vec::new(); trimmer.clauses.len()];
    let last = trimmer.refute(trimmer.clauses.len(), &[], watch)?;
    for index in (0..trimmer.clauses.len()).rev() {
        if trimmer.needed[index] && trimmer.clauses[index].1 == Source::Learnt {
            let clause = trimmer.clauses[index].0.clone();
            hints[index] = trimmer.refute(index, &clause, watch)?;
        }
    }
    Ok(trimmer.proof(problem, &hints, &last))
}

/// A false clause of the steps, or no reason at all.
const NONE: u32 = u32::MAX;

/// All clauses in order, and an assignment that follows from some of them.
struct Trimmer {
    clauses: Vec<(Vec<Lit>, Source)>,
    /// Whether something that is needed follows from the clause, by index.
    needed: Vec<bool>,
    /// Clauses of at least two literals, by the two that are watched, which come first.
    watches: Vec<Vec<u32>>,
    /// The shorter clauses.
    short: Vec<u32>,
    /// 1 for true, -1 for false, 0 for none, by variable.
    values: Vec<i8>,
    /// The clause because of which a variable has its value.
    reasons: Vec<u32>,
    trail: Vec<Lit>,
    /// How much of the trail needed clauses have seen, and the others.
    seen: [usize; 2],
}

impl Trimmer {
    fn new(problem: &Problem<'_>, log: Log) -> Trimmer {
        let definitions = problem.definitions.iter().map(|c| (sorted(c), Source::Definition));
        let roots = problem.roots.iter().enumerate().map(|(i, c)| (sorted(c), Source::Root(i)));
        let clauses: Vec<(Vec<Lit>, Source)> = definitions.chain(roots).chain(log.added).collect();
        let n = problem.atoms.len();
        let mut watches = vec![Vec::new(); 2 * n];
        let mut short = Vec::new();
        for (index, (clause, _)) in clauses.iter().enumerate() {
            match clause[..] {
                [a, b, ..] => {
                    watches[a.index()].push(index as u32);
                    watches[b.index()].push(index as u32);
                }
                _ => short.push(index as u32),
            }
        }
        Trimmer {
            needed: vec![false; clauses.len()],
            clauses,
            watches,
            short,
            values: vec![0; n],
            reasons: vec![NONE; n],
            trail: Vec::new(),
            seen: [0, 0],
        }
    }

    fn is_false(&self, lit: Lit) -> bool {
        self.values[lit.var() as usize] == if lit.is_positive() { -1 } else { 1 }
    }

    fn is_true(&self, lit: Lit) -> bool {
        self.is_false(!lit)
    }

    fn assign(&mut self, lit: Lit, reason: u32) {
        self.values[lit.var() as usize] = if lit.is_positive() { 1 } else { -1 };
        self.reasons[lit.var() as usize] = reason;
        self.trail.push(lit);
    }

    /// Clauses before `limit` from which the given one follows by unit propagation, in order; they
    /// are needed from now on.
    fn refute(
        &mut self,
        limit: usize,
        clause: &[Lit],
        watch: &Watch<'_>,
    ) -> Result<Vec<usize>, NoProof> {
        for lit in self.trail.drain(..) {
            self.values[lit.var() as usize] = 0;
        }
        self.seen = [0, 0];
        for &lit in clause {
            // A clause with a literal and its negation does not occur.
            self.assign(!lit, NONE);
        }
        let conflict = self.conflict(limit, watch)?;
        Ok(self.hints(conflict))
    }

    /// The clause before `limit` of which propagation makes all literals false.
    fn conflict(&mut self, limit: usize, watch: &Watch<'_>) -> Result<usize, NoProof> {
        if let Some(conflict) = self.assign_short(limit, true) {
            return Ok(conflict);
        }
        let mut all_assigned = false;
        loop {
            if watch.tick().is_some() {
                return Err(NoProof::Limit);
            }
            // What is needed anyway comes first, as far as it goes.
            let is_needed = self.seen[0] < self.trail.len();
            if !is_needed && self.seen[1] == self.trail.len() {
                if std::mem::replace(&mut all_assigned, true) {
                    return Err(NoProof::Broken);
                }
                if let Some(conflict) = self.assign_short(limit, false) {
                    return Ok(conflict);
                }
                continue;
            }
            let seen = &mut self.seen[usize::from(!is_needed)];
            let lit = self.trail[*seen];
            *seen += 1;
            if let Some(conflict) = self.propagate(!lit, limit, is_needed) {
                return Ok(conflict as usize);
            }
        }
    }

    /// Assigns what clauses of one literal say, those that are needed or the others; the clause
    /// that is false, if one is.
    fn assign_short(&mut self, limit: usize, is_needed: bool) -> Option<usize> {
        for i in 0..self.short.len() {
            let index = self.short[i] as usize;
            if index >= limit || self.needed[index] != is_needed {
                continue;
            }
            match self.clauses[index].0[..] {
                [only] if self.is_true(only) => {}
                [only] if !self.is_false(only) => self.assign(only, index as u32),
                _ => return Some(index),
            }
        }
        None
    }

    /// Visits the clauses that watch a literal which has become false: those that are needed, or
    /// the others.
    fn propagate(&mut self, lit: Lit, limit: usize, is_needed: bool) -> Option<u32> {
        let mut watches = std::mem::take(&mut self.watches[lit.index()]);
        let mut conflict = None;
        watches.retain(|&index| {
            let at = index as usize;
            if conflict.is_some() || at >= limit || self.needed[at] != is_needed {
                return true;
            }
            if self.clauses[at].0[0] == lit {
                self.clauses[at].0.swap(0, 1);
            }
            let clause = &self.clauses[at].0;
            let first = clause[0];
            if self.is_true(first) {
                return true;
            }
            if let Some(other) = (2..clause.len()).find(|&i| !self.is_false(clause[i])) {
                self.clauses[at].0.swap(1, other);
                self.watches[self.clauses[at].0[1].index()].push(index);
                return false;
            }
            if self.is_false(first) {
                conflict = Some(index);
            } else {
                self.assign(first, index);
            }
            true
        });
        self.watches[lit.index()] = watches;
        conflict
    }

    /// The clauses that made a clause false, in the order in which they did, and that one.
    fn hints(&mut self, conflict: usize) -> Vec<usize> {
        let mut hints = vec![conflict];
        let mut wanted: HashSet<u32> = self.clauses[conflict].0.iter().map(|l| l.var()).collect();
        for i in (0..self.trail.len()).rev() {
            let var = self.trail[i].var();
            let reason = self.reasons[var as usize];
            if reason == NONE || !wanted.contains(&var) {
                continue;
            }
            hints.push(reason as usize);
            wanted.extend(self.clauses[reason as usize].0.iter().map(|lit| lit.var()));
        }
        hints.reverse();
        for &hint in &hints {
            self.needed[hint] = true;
        }
        hints
    }

    /// The clauses that are needed as steps, and the empty one.
    fn proof(&self, problem: &Problem<'_>, hints: &[Vec<usize>], last: &[usize]) -> Proof {
        let mut places = vec![0; self.clauses.len()];
        let mut steps = Vec::new();
        for (index, (clause, source)) in self.clauses.iter().enumerate() {
            if !self.needed[index] {
                continue;
            }
            places[index] = steps.len();
            let rule = match *source {
                Source::Root(root) => Rule::Asserted(problem.asserted[root] as usize),
                Source::Definition => Rule::Connective,
                Source::Theory => Rule::Theory(theory(problem, clause)),
                Source::Learnt => {
                    Rule::Propagation(hints[index].iter().map(|&hint| places[hint]).collect())
                }
            };
            steps.push(Step { clause: literals(problem, clause), rule });
        }
        if steps.last().is_none_or(|step| !step.clause.is_empty()) {
            let hints = last.iter().map(|&hint| places[hint]).collect();
            steps.push(Step { clause: Vec::new(), rule: Rule::Propagation(hints) });
        }
        Proof { steps }
    }
}

fn sorted(clause: &[Lit]) -> Vec<Lit> {
    let mut clause = clause.to_vec();
    clause.sort_unstable();
    clause.dedup();
    clause
}

/// A clause in terms of the formula.
fn literals(problem: &Problem<'_>, clause: &[Lit]) -> Vec<Literal> {
    let literal = |lit: &Lit| {
        let (term, truth) = problem.terms[lit.var() as usize];
        Literal { term, truth: truth == lit.is_positive() }
    };
    let mut clause: Vec<Literal> = clause.iter().map(literal).collect();
    clause.sort_unstable();
    clause
}

/// What a lemma is about: see [`Theory`].
fn theory(problem: &Problem<'_>, clause: &[Lit]) -> Theory {
    let (mut n_equal, mut n_different, mut n_true, mut n_false) = (0, 0, 0, 0);
    let mut is_bits = false;
    for lit in clause {
        // What the lemma excludes is that all literals are false.
        let n = match (problem.atoms[lit.var() as usize], lit.is_positive()) {
            (Atom::Matches(_), _) => return Theory::Template,
            (Atom::Same(..) | Atom::SameBits(..), false) => &mut n_equal,
            (Atom::Same(..) | Atom::SameBits(..), true) => &mut n_different,
            (_, false) => &mut n_true,
            (_, true) => &mut n_false,
        };
        *n += 1;
        let atom = problem.atoms[lit.var() as usize];
        is_bits |= matches!(atom, Atom::Prefix { .. } | Atom::SameBits(..));
    }
    match (n_different, n_equal, n_true, n_false) {
        (1, _, 0, 0) => Theory::Equality,
        (1.., ..) => Theory::Distinct,
        _ if is_bits => Theory::Bits,
        (_, 0, 1, 1) => Theory::Included,
        (_, 0, 2, 0) => Theory::Apart,
        _ => Theory::Empty,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a panic is how a test fails")]
mod tests {
    use keyaki_logic::{Cancel, Formula, Limits, Terms};

    use super::*;

    /// Of a log that is longer nothing was kept any more, so that nothing may follow from it.
    #[test]
    fn of_a_log_that_is_too_long_there_is_no_proof() {
        let mut terms = Terms::new();
        let contradiction = terms.bool(false);
        let mut formula = Formula::new(terms);
        formula.assert("", contradiction);
        let problem = Problem::new(&formula).unwrap();
        let (limits, cancel) = (Limits::within(std::time::Duration::from_secs(60)), Cancel::new());
        let watch = Watch::new(&limits, &cancel);
        let proof = |n_literals: usize| {
            prove(&problem, Log { n_literals, ..Log::default() }, &watch)
                .map(|proof| proof.steps.len())
        };
        assert_eq!(proof(0), Ok(1));
        assert_eq!(proof(MAX_LOGGED_LITERALS), Ok(1));
        for more in [1, 2, 1 << 20] {
            assert_eq!(proof(MAX_LOGGED_LITERALS + more), Err(NoProof::Limit));
        }
    }

    #[test]
    fn a_log_keeps_as_many_literals_as_it_may_and_each_pair_once() {
        let pair = [Lit::new(0, true), Lit::new(1, false)];
        let mut log = Log { n_literals: MAX_LOGGED_LITERALS - 4, ..Log::default() };
        for clause in [&pair[..], &[pair[1], pair[0]], &pair] {
            log.lemma(clause);
        }
        assert_eq!((log.added.len(), log.n_literals), (1, MAX_LOGGED_LITERALS - 2));
        log.learnt(&pair);
        assert_eq!((log.added.len(), log.n_literals), (2, MAX_LOGGED_LITERALS));
        log.learnt(&pair[..1]);
        assert_eq!((log.added.len(), log.n_literals), (2, MAX_LOGGED_LITERALS + 1));
    }
}
