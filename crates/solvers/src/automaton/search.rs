//! Conflict-driven search over the clauses of a problem, with the theory of its atoms asked for
//! consequences, and for values once every variable is assigned.
//!
//! The usual parts (Eén and Sörensson, "An extensible SAT solver", 2003): two watched literals,
//! learning from the first unique implication point, activities, saved phases, Luby restarts. What
//! policies become is mostly Horn, so that most problems end without a single conflict; hence
//! nothing is prepared that only long searches need.
//!
//! Deterministic: no clock and no random number has a say in where the search goes.

use keyaki_logic::Reason as Why;

use super::problem::{Lit, Problem, Var};
use super::proof::Log;
use super::queue::Queue;
use super::theory::{Checked, Theory};
use super::watch::Watch;

/// The literals of all clauses together, 4 bytes each.
const MAX_CLAUSE_LITERALS: usize = 1 << 25;

/// Conflicts before the first restart; the Luby sequence multiplies it.
const RESTART_CONFLICTS: u64 = 64;

/// Learnt clauses above which the less useful half is forgotten at a restart, and by how many the
/// number grows each time.
const LEARNT_MAX: usize = 4_000;
const LEARNT_GROWTH: usize = 500;

/// Clauses over at most so many decision levels are never forgotten (Audemard and Simon 2009).
const GLUE_KEPT: u32 = 2;

/// The factor by which activities fade with each conflict.
const ACTIVITY_DECAY: f64 = 0.95;

/// The activity at which all are scaled down.
const ACTIVITY_MAX: f64 = 1e100;

/// What a search found.
#[derive(Debug)]
pub(super) enum Found<V> {
    /// Values.
    Values(V),
    /// That there are none.
    Nothing,
    /// Neither.
    Unknown(Why),
}

/// Why a variable has its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reason {
    /// It was decided, or is asserted.
    None,
    /// All other literals of this clause are false.
    Clause(u32),
    /// It follows from this literal by the theory.
    Literal(Lit),
}

/// Where literals come from that cannot all be false.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    /// A clause, or two atoms that the theory compared and will compare again.
    Clauses,
    /// A check of the theory, which found it by more work than that.
    Lemma,
}

/// A clause in `literals`; the watched literals come first.
#[derive(Clone, Copy, Debug)]
struct Clause {
    start: u32,
    len: u32,
    /// The number of decision levels among its literals when it was learnt; 0 if it is given.
    glue: u32,
}

#[derive(Clone, Copy, Debug)]
struct Watched {
    clause: u32,
    /// Another literal of the clause; if it is true, there is no need to look at the clause.
    blocker: Lit,
}

/// The values of the variables.
#[derive(Debug)]
pub(super) struct Assignment {
    /// 1 for true, -1 for false, 0 for none, by variable.
    values: Vec<i8>,
    levels: Vec<u32>,
}

impl Assignment {
    /// The truth of a literal.
    pub(super) fn get(&self, lit: Lit) -> Option<bool> {
        match self.values[lit.var() as usize] {
            0 => None,
            value => Some((value > 0) == lit.is_positive()),
        }
    }

    pub(super) fn is_true(&self, lit: Lit) -> bool {
        self.get(lit) == Some(true)
    }

    pub(super) fn is_false(&self, lit: Lit) -> bool {
        self.get(lit) == Some(false)
    }

    /// The decision level at which the variable of a literal got its value.
    pub(super) fn level(&self, lit: Lit) -> u32 {
        self.levels[lit.var() as usize]
    }
}

/// A search for values of the subjects of a problem.
pub(super) struct Search<'p, 'f> {
    theory: Theory<'p, 'f>,
    watch: &'p Watch<'p>,
    assignment: Assignment,
    literals: Vec<Lit>,
    clauses: Vec<Clause>,
    watches: Vec<Vec<Watched>>,
    reasons: Vec<Reason>,
    trail: Vec<Lit>,
    /// Where in the trail each decision level begins.
    levels: Vec<u32>,
    /// Literals of the trail that clauses, or the theory, have seen.
    propagated: usize,
    consulted: usize,
    phases: Vec<bool>,
    activities: Vec<f64>,
    increment: f64,
    queue: Queue,
    conflicts: u64,
    learnt: usize,
    learnt_max: usize,
    /// Whether the clauses contradict each other without any decision.
    contradiction: bool,
    marked: Vec<bool>,
    consequences: Vec<Lit>,
    /// What was added to the clauses, if somebody wants to know.
    pub(super) log: Option<Log>,
}

impl<'p, 'f> Search<'p, 'f> {
    pub(super) fn new(
        problem: &'p Problem<'f>,
        watch: &'p Watch<'p>,
        log: Option<Log>,
    ) -> Search<'p, 'f> {
        let n = problem.atoms.len();
        let theory = Theory::new(problem, watch);
        let activities: Vec<f64> =
            (0..n).map(|var| if theory.is_finite(var as Var) { 1.0 } else { 0.0 }).collect();
        let mut search = Search {
            theory,
            watch,
            assignment: Assignment { values: vec![0; n], levels: vec![0; n] },
            literals: Vec::new(),
            clauses: Vec::new(),
            watches: vec![Vec::new(); 2 * n],
            reasons: vec![Reason::None; n],
            trail: Vec::with_capacity(n),
            levels: Vec::new(),
            propagated: 0,
            consulted: 0,
            phases: problem.prefers_true.clone(),
            queue: Queue::new(&activities),
            activities,
            increment: 1.0,
            conflicts: 0,
            learnt: 0,
            learnt_max: LEARNT_MAX,
            contradiction: false,
            marked: vec![false; n],
            consequences: Vec::new(),
            log,
        };
        for clause in problem.definitions.iter().chain(&problem.roots) {
            search.add(clause);
        }
        search
    }

    /// Searches until it is known whether there are values, or a limit is reached.
    pub(super) fn run(&mut self) -> Found<super::theory::Values> {
        let mut restarts = 0;
        let mut restart_at = RESTART_CONFLICTS;
        while !self.contradiction {
            if let Some(why) = self.watch.tick() {
                return Found::Unknown(why);
            }
            match self.propagate() {
                Ok(None) => {}
                Ok(Some(conflict)) => {
                    if let Err(why) = self.resolve(conflict, Origin::Clauses) {
                        return Found::Unknown(why);
                    }
                    continue;
                }
                Err(why) => return Found::Unknown(why),
            }
            if self.conflicts >= restart_at {
                restarts += 1;
                restart_at = self.conflicts + RESTART_CONFLICTS * luby(restarts);
                self.backtrack(0);
                self.forget();
                continue;
            }
            if let Some(var) = self.next() {
                self.levels.push(self.trail.len() as u32);
                self.enqueue(Lit::new(var, self.phases[var as usize]), Reason::None);
                continue;
            }
            match self.theory.check(&self.assignment) {
                Checked::Values(values) => return Found::Values(values),
                Checked::Unknown(why) => return Found::Unknown(why),
                Checked::Conflict(core) => {
                    let conflict = core.into_iter().map(|lit| !lit).collect();
                    if let Err(why) = self.resolve(conflict, Origin::Lemma) {
                        return Found::Unknown(why);
                    }
                }
            }
        }
        // What the theory could not decide was taken for false.
        self.theory.gave_up().map_or(Found::Nothing, Found::Unknown)
    }

    /// Adds a given clause, at level 0.
    fn add(&mut self, clause: &[Lit]) {
        let mut literals: Vec<Lit> = clause.to_vec();
        literals.sort_unstable();
        literals.dedup();
        let is_tautology = literals.windows(2).any(|pair| pair[0].var() == pair[1].var());
        if is_tautology || literals.iter().any(|&lit| self.assignment.is_true(lit)) {
            return;
        }
        literals.retain(|&lit| !self.assignment.is_false(lit));
        match literals[..] {
            [] => self.contradiction = true,
            [only] => self.enqueue(only, Reason::None),
            _ => {
                self.attach(&literals, 0);
            }
        }
    }

    /// Stores a clause of two or more literals and watches the first two.
    fn attach(&mut self, literals: &[Lit], glue: u32) -> u32 {
        let index = self.clauses.len() as u32;
        let start = self.literals.len() as u32;
        self.literals.extend_from_slice(literals);
        self.clauses.push(Clause { start, len: literals.len() as u32, glue });
        self.learnt += usize::from(glue > 0);
        for (lit, blocker) in [(literals[0], literals[1]), (literals[1], literals[0])] {
            self.watches[(!lit).index()].push(Watched { clause: index, blocker });
        }
        index
    }

    fn enqueue(&mut self, lit: Lit, reason: Reason) {
        let var = lit.var() as usize;
        debug_assert_eq!(self.assignment.values[var], 0, "assigned once");
        self.assignment.values[var] = if lit.is_positive() { 1 } else { -1 };
        self.assignment.levels[var] = self.levels.len() as u32;
        self.reasons[var] = reason;
        self.trail.push(lit);
    }

    /// Follows clauses and theory until nothing follows any more, or all literals of a clause are
    /// false; then, these. An error is the reason to stop at once.
    fn propagate(&mut self) -> Result<Option<Vec<Lit>>, Why> {
        loop {
            while self.propagated < self.trail.len() {
                let lit = self.trail[self.propagated];
                self.propagated += 1;
                if let Some(clause) = self.propagate_clauses(lit) {
                    return Ok(Some(self.clause(clause).to_vec()));
                }
            }
            if self.consulted == self.trail.len() {
                return Ok(None);
            }
            let lit = self.trail[self.consulted];
            self.consulted += 1;
            let mut consequences = std::mem::take(&mut self.consequences);
            consequences.clear();
            self.theory.consequences(lit, &self.assignment, &mut consequences)?;
            let mut conflict = None;
            for &consequence in &consequences {
                if let Some(log) = &mut self.log {
                    log.lemma(&[!lit, consequence]);
                }
                match self.assignment.get(consequence) {
                    None => self.enqueue(consequence, Reason::Literal(lit)),
                    Some(true) => {}
                    Some(false) => {
                        conflict = Some(vec![!lit, consequence]);
                        break;
                    }
                }
            }
            self.consequences = consequences;
            if conflict.is_some() {
                return Ok(conflict);
            }
        }
    }

    /// Looks at the clauses in which `lit`, now true, makes a watched literal false.
    fn propagate_clauses(&mut self, lit: Lit) -> Option<u32> {
        let mut watches = std::mem::take(&mut self.watches[lit.index()]);
        let (mut kept, mut conflict) = (0, None);
        let mut i = 0;
        while i < watches.len() {
            let watched = watches[i];
            i += 1;
            if self.assignment.is_true(watched.blocker) {
                watches[kept] = watched;
                kept += 1;
                continue;
            }
            let Clause { start, len, .. } = self.clauses[watched.clause as usize];
            let literals = &mut self.literals[start as usize..(start + len) as usize];
            if literals[0] == !lit {
                literals.swap(0, 1);
            }
            let first = literals[0];
            let watched = Watched { clause: watched.clause, blocker: first };
            if self.assignment.is_true(first) {
                watches[kept] = watched;
                kept += 1;
                continue;
            }
            let other = (2..literals.len()).find(|&k| !self.assignment.is_false(literals[k]));
            if let Some(k) = other {
                literals.swap(1, k);
                let lit = literals[1];
                self.watches[(!lit).index()].push(watched);
                continue;
            }
            watches[kept] = watched;
            kept += 1;
            if self.assignment.is_false(first) {
                conflict = Some(watched.clause);
                break;
            }
            self.enqueue(first, Reason::Clause(watched.clause));
        }
        watches.copy_within(i.., kept);
        watches.truncate(kept + watches.len() - i);
        self.watches[lit.index()] = watches;
        conflict
    }

    fn clause(&self, clause: u32) -> &[Lit] {
        let Clause { start, len, .. } = self.clauses[clause as usize];
        &self.literals[start as usize..(start + len) as usize]
    }

    /// Learns from literals that are all false although one must be true, and goes back to where
    /// that has a consequence.
    fn resolve(&mut self, mut conflict: Vec<Lit>, origin: Origin) -> Result<(), Why> {
        self.conflicts += 1;
        if let (Some(log), Origin::Lemma) = (&mut self.log, origin) {
            log.lemma(&conflict);
        }
        let level = conflict.iter().map(|&lit| self.assignment.level(lit)).max().unwrap_or(0);
        if level == 0 {
            self.contradiction = true;
            return Ok(());
        }
        self.backtrack(level);
        let learnt = self.analyse(&conflict);
        if let Some(log) = &mut self.log {
            log.learnt(&learnt);
        }
        self.increment /= ACTIVITY_DECAY;
        // A lemma of the theory is worth keeping beside what follows from it.
        let newest = |lit: &Lit| self.assignment.level(*lit) == level;
        if origin == Origin::Lemma && conflict.iter().filter(|lit| newest(lit)).count() >= 2 {
            conflict.sort_by_key(|lit| (!newest(lit), *lit));
            let glue = self.glue(&conflict);
            self.backtrack(level - 1);
            self.attach(&conflict, glue);
        }
        let back_to = learnt[1..].iter().map(|&lit| self.assignment.level(lit)).max().unwrap_or(0);
        self.backtrack(back_to);
        match learnt[..] {
            [only] => self.enqueue(only, Reason::None),
            _ => {
                let glue = self.glue(&learnt[1..]) + 1;
                let clause = self.attach(&learnt, glue);
                self.enqueue(learnt[0], Reason::Clause(clause));
            }
        }
        if self.literals.len() > MAX_CLAUSE_LITERALS {
            return Err(Why::Memory);
        }
        Ok(())
    }

    /// The number of decision levels among the literals.
    fn glue(&self, literals: &[Lit]) -> u32 {
        let mut levels: Vec<u32> = literals.iter().map(|&lit| self.assignment.level(lit)).collect();
        levels.sort_unstable();
        levels.dedup();
        levels.len().max(1) as u32
    }

    /// The clause that follows from the conflict and has one literal of the newest level, which
    /// comes first; behind it one of the newest of the other levels.
    fn analyse(&mut self, conflict: &[Lit]) -> Vec<Lit> {
        let level = self.levels.len() as u32;
        let mut learnt = vec![Lit::new(0, true)];
        let mut open = 0;
        let mut at = self.trail.len();
        let mut because: Vec<Lit> = conflict.to_vec();
        loop {
            for &lit in &because {
                let var = lit.var() as usize;
                if self.marked[var] || self.assignment.levels[var] == 0 {
                    continue;
                }
                self.marked[var] = true;
                self.bump(lit.var());
                if self.assignment.levels[var] == level {
                    open += 1;
                } else {
                    learnt.push(lit);
                }
            }
            loop {
                at -= 1;
                if self.marked[self.trail[at].var() as usize] {
                    break;
                }
            }
            let lit = self.trail[at];
            open -= 1;
            if open == 0 {
                learnt[0] = !lit;
                break;
            }
            self.marked[lit.var() as usize] = false;
            because.clear();
            self.explain(lit, &mut because);
        }
        let all = learnt.clone();
        self.minimise(&mut learnt);
        for lit in all {
            self.marked[lit.var() as usize] = false;
        }
        if learnt.len() > 2 {
            let newest = (1..learnt.len()).max_by_key(|&i| self.assignment.level(learnt[i]));
            learnt.swap(1, newest.unwrap_or(1));
        }
        learnt
    }

    /// Leaves out literals that follow from the others: those whose reason is among them.
    fn minimise(&self, learnt: &mut Vec<Lit>) {
        let mut because = Vec::new();
        let mut index = 0;
        learnt.retain(|&lit| {
            index += 1;
            if index == 1 || self.reasons[lit.var() as usize] == Reason::None {
                return true;
            }
            because.clear();
            self.explain(!lit, &mut because);
            let known =
                |lit: &Lit| self.marked[lit.var() as usize] || self.assignment.level(*lit) == 0;
            !because.iter().all(known)
        });
    }

    /// The false literals because of which `lit` is true.
    fn explain(&self, lit: Lit, because: &mut Vec<Lit>) {
        match self.reasons[lit.var() as usize] {
            Reason::None => {}
            Reason::Clause(clause) => {
                because.extend(self.clause(clause).iter().filter(|&&other| other != lit));
            }
            Reason::Literal(other) => because.push(!other),
        }
    }

    fn bump(&mut self, var: Var) {
        let activity = &mut self.activities[var as usize];
        *activity += self.increment;
        if *activity > ACTIVITY_MAX {
            for activity in &mut self.activities {
                *activity /= ACTIVITY_MAX;
            }
            self.increment /= ACTIVITY_MAX;
        }
        self.queue.raised(var, &self.activities);
    }

    fn backtrack(&mut self, level: u32) {
        let Some(&start) = self.levels.get(level as usize) else { return };
        for lit in self.trail.drain(start as usize..) {
            let var = lit.var() as usize;
            self.assignment.values[var] = 0;
            self.phases[var] = lit.is_positive();
            self.reasons[var] = Reason::None;
            self.queue.insert(lit.var(), &self.activities);
        }
        self.levels.truncate(level as usize);
        self.propagated = self.propagated.min(start as usize);
        self.consulted = self.consulted.min(start as usize);
    }

    /// The variable without a value that was in conflicts most.
    fn next(&mut self) -> Option<Var> {
        loop {
            let var = self.queue.pop(&self.activities)?;
            if self.assignment.values[var as usize] == 0 {
                return Some(var);
            }
        }
    }

    /// Forgets half of the learnt clauses, if they have become many. At level 0, where no clause
    /// of two or more open literals is anybody's reason.
    fn forget(&mut self) {
        if self.learnt <= self.learnt_max {
            return;
        }
        self.learnt_max += LEARNT_GROWTH;
        let mut glues: Vec<u32> =
            self.clauses.iter().map(|clause| clause.glue).filter(|&glue| glue > 0).collect();
        glues.sort_unstable();
        let limit = glues[glues.len() / 2].max(GLUE_KEPT);
        let (clauses, literals) =
            (std::mem::take(&mut self.clauses), std::mem::take(&mut self.literals));
        self.watches.iter_mut().for_each(Vec::clear);
        for reason in &mut self.reasons {
            *reason = Reason::None;
        }
        self.learnt = 0;
        for Clause { start, len, glue } in clauses {
            if glue > limit {
                continue;
            }
            let clause = &literals[start as usize..(start + len) as usize];
            if clause.iter().any(|&lit| self.assignment.is_true(lit)) {
                continue;
            }
            let open: Vec<Lit> =
                clause.iter().copied().filter(|&lit| !self.assignment.is_false(lit)).collect();
            match open[..] {
                [] => self.contradiction = true,
                [only] => self.enqueue(only, Reason::None),
                _ => {
                    self.attach(&open, glue);
                }
            }
        }
    }
}

/// The Luby sequence 1, 1, 2, 1, 1, 2, 4, …, from 1.
fn luby(mut i: u64) -> u64 {
    loop {
        let power = (i + 1).next_power_of_two();
        if i + 1 == power {
            return power / 2;
        }
        i -= power / 2 - 1;
    }
}

#[cfg(test)]
mod tests;
