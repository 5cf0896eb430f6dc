//! Why did it get slower? One query, both versions, and what is left of the query while the gap stays.
//!
//! A query is made small by leaving out assertions, then parts of conjunctions and disjunctions, then letters of texts (delta
//! debugging: Zeller and Hildebrandt, 2002), each time asking both again; what is left shows what the new one cannot
//! do. Then each option of a short list is tried on what is left, which is how one finds a rule that was switched off.
//!
//! Names of variables and sorts are not touched, and what no longer parses has no gap: the solvers judge. Answers
//! may change on the way, as with any minimisation; only the gap is kept.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::run::{End, Outcome};
use crate::run::{Ran, Runner};
use crate::sexp::{self, Sexp};
use crate::solvers::Solver;

/// How a gap is told from noise.
#[derive(Clone, Copy, Debug)]
pub struct Gap {
    /// By what factor the new one has to be slower.
    pub factor: f64,
    /// And by how many seconds.
    pub seconds: f64,
}

/// What bounds the search.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// When it ends.
    pub until: Instant,
    /// How often both are asked at most.
    pub tries_max: usize,
}

/// A query in a file, and the two that are asked.
pub struct Case<'a> {
    /// The old one.
    pub old: &'a Solver,
    /// The new one.
    pub new: &'a Solver,
    /// What starts them.
    pub runner: &'a Runner,
    /// Where scripts are written.
    pub folder: PathBuf,
    /// What counts as a gap.
    pub gap: Gap,
}

/// What came of the old and the new on a script.
#[derive(Clone, Debug)]
pub struct Both {
    /// The old one's run.
    pub old: Ran,
    /// The new one's run.
    pub new: Ran,
}

/// What was found.
#[derive(Clone, Debug)]
pub struct Smaller {
    /// The smallest script with the gap.
    pub script: Vec<Sexp>,
    /// What came of it.
    pub both: Both,
    /// How often both were asked.
    pub n_tries: usize,
    /// Whether the budget ended the search.
    pub is_cut: bool,
}

fn is_solved(ran: &Ran) -> bool {
    ran.outcome.is_definite() && ran.end == End::Exit
}

impl Case<'_> {
    /// Puts a script to a solver, with more arguments.
    ///
    /// # Errors
    ///
    /// It cannot be written.
    pub fn ask(&self, solver: &Solver, script: &str, more: &[String]) -> Result<Ran, String> {
        let path = self.folder.join("query.smt2");
        fs::write(&path, script)
            .map_err(|error| format!("cannot write `{}`: {error}", path.display()))?;
        self.runner.run(&solver.definition.success, |folder| solver.task(&path, folder, more))
    }

    /// Puts a script to both.
    ///
    /// # Errors
    ///
    /// It cannot be written.
    pub fn both(&self, script: &str) -> Result<Both, String> {
        Ok(Both { old: self.ask(self.old, script, &[])?, new: self.ask(self.new, script, &[])? })
    }

    /// Whether the old one solves it and the new one does not, or only after much longer, or with another answer.
    pub fn has_gap(&self, both: &Both) -> bool {
        let (old, new) = (&both.old, &both.new);
        if !is_solved(old) {
            return false;
        }
        if !is_solved(new) {
            // An error in the script is not what is looked for, unless it was one at first.
            return new.end != End::Failed || new.outcome != Outcome::Silent;
        }
        // By the processor's time: others may be busy.
        let (before, after) = (old.report.cpu_ns as f64 / 1e9, new.report.cpu_ns as f64 / 1e9);
        new.outcome != old.outcome
            || (after > before * self.gap.factor && after > before + self.gap.seconds)
    }

    /// The smallest script with the gap that is found within the budget.
    ///
    /// # Errors
    ///
    /// There is no gap, or a script cannot be written.
    pub fn shrink(&self, script: &[Sexp], budget: Budget) -> Result<Smaller, String> {
        let both = self.both(&sexp::text(script))?;
        if !self.has_gap(&both) {
            return Err(format!(
                "there is no gap: the old one says {} in {:.3} s, the new one {} in {:.3} s (processor time)\n\
                 hint: --factor and --seconds say what is one",
                both.old.outcome,
                both.old.report.cpu_ns as f64 / 1e9,
                both.new.outcome,
                both.new.report.cpu_ns as f64 / 1e9
            ));
        }
        let mut smaller = Smaller { script: script.to_vec(), both, n_tries: 1, is_cut: false };
        loop {
            let before: usize =
                smaller.script.iter().map(Sexp::size).sum::<usize>() + letters(&smaller.script);
            self.without_assertions(&mut smaller, budget)?;
            self.without_halves(&mut smaller, budget)?;
            self.without_parts(&mut smaller, budget)?;
            self.shorter_texts(&mut smaller, budget)?;
            let after: usize =
                smaller.script.iter().map(Sexp::size).sum::<usize>() + letters(&smaller.script);
            if after >= before || smaller.is_cut {
                return Ok(smaller);
            }
        }
    }

    /// Takes a script if it has the gap.
    fn take(
        &self,
        smaller: &mut Smaller,
        script: Vec<Sexp>,
        budget: Budget,
    ) -> Result<bool, String> {
        if smaller.n_tries >= budget.tries_max || Instant::now() >= budget.until {
            smaller.is_cut = true;
            return Ok(false);
        }
        smaller.n_tries += 1;
        let text = sexp::text(&script);
        // The quick one first: without its answer the slow one need not be asked.
        let old = self.ask(self.old, &text, &[])?;
        if !is_solved(&old) {
            return Ok(false);
        }
        let both = Both { old, new: self.ask(self.new, &text, &[])? };
        let is_taken = self.has_gap(&both);
        if is_taken {
            smaller.script = script;
            smaller.both = both;
        }
        Ok(is_taken)
    }

    /// Leaves out assertions: halves, then quarters, and so on.
    fn without_assertions(&self, smaller: &mut Smaller, budget: Budget) -> Result<(), String> {
        let is_assertion = |command: &Sexp| command.head() == Some("assert");
        let mut piece =
            smaller.script.iter().filter(|command| is_assertion(command)).count().div_ceil(2);
        while piece > 0 && !smaller.is_cut {
            let mut from = 0;
            loop {
                let places: Vec<usize> = (0..smaller.script.len())
                    .filter(|at| is_assertion(&smaller.script[*at]))
                    .skip(from)
                    .take(piece)
                    .collect();
                if places.is_empty() || smaller.is_cut {
                    break;
                }
                let left_out: BTreeSet<usize> = places.into_iter().collect();
                let script = smaller.script.iter().enumerate();
                let script = script
                    .filter(|(at, _)| !left_out.contains(at))
                    .map(|(_, command)| command.clone());
                let script = without_unused(script.collect());
                if !self.take(smaller, script, budget)? {
                    from += piece;
                }
            }
            piece /= 2;
        }
        Ok(())
    }

    /// Leaves out halves of long lists of operands, then quarters, and so on, the largest list first.
    fn without_halves(&self, smaller: &mut Smaller, budget: Budget) -> Result<(), String> {
        /// How many operands a list has at least. Of shorter ones, operands are left out one by one.
        const OPERANDS_MIN: usize = 4;
        let mut n_passed = 0;
        loop {
            let lists = lists(&smaller.script, OPERANDS_MIN);
            let Some((path, n)) = lists.get(n_passed) else { return Ok(()) };
            let (mut n, mut piece) = (*n, n / 2);
            let path = path.clone();
            while piece > 0 && !smaller.is_cut {
                let mut from = 1;
                while from <= n && n > piece && !smaller.is_cut {
                    let end = (from + piece).min(n + 1);
                    let mut script = smaller.script.clone();
                    for at in (from..end).rev() {
                        remove(&mut script, &[&path[..], &[at]].concat());
                    }
                    if self.take(smaller, script, budget)? {
                        n -= end - from;
                    } else {
                        from = end;
                    }
                }
                piece /= 2;
            }
            // What is not used any more is dropped only now, since places would change.
            let script = without_unused(smaller.script.clone());
            smaller.script = script;
            if smaller.is_cut {
                return Ok(());
            }
            n_passed += 1;
        }
    }

    /// Leaves out parts of conjunctions, disjunctions and unions, one after the other, the largest first.
    fn without_parts(&self, smaller: &mut Smaller, budget: Budget) -> Result<(), String> {
        let mut n_passed = 0;
        while !smaller.is_cut {
            let places = parts(&smaller.script);
            let Some(place) = places.get(n_passed) else { break };
            let mut script = smaller.script.clone();
            remove(&mut script, place);
            if !self.take(smaller, without_unused(script), budget)? {
                n_passed += 1;
            }
        }
        Ok(())
    }

    /// Makes texts shorter: nothing of them, then half of them.
    fn shorter_texts(&self, smaller: &mut Smaller, budget: Budget) -> Result<(), String> {
        let mut n_passed = 0;
        while !smaller.is_cut {
            let mut texts: Vec<String> =
                texts(&smaller.script).into_iter().filter(|text| text.len() > 3).collect();
            texts.sort_by_key(|text| std::cmp::Reverse(text.len()));
            let Some(text) = texts.get(n_passed) else { break };
            let inner = &text[1..text.len() - 1];
            let half = inner.char_indices().nth(inner.chars().count() / 2).map_or(0, |(at, _)| at);
            // An escape or a doubled quote must not be cut through.
            let is_plain = !inner.contains(['\\', '"']);
            let shorter =
                if is_plain { format!("\"{}\"", &inner[..half]) } else { "\"a\"".to_owned() };
            // The same text everywhere at once, so that what was equal stays equal.
            let script =
                smaller.script.iter().map(|command| replaced(command, text, &shorter)).collect();
            if !self.take(smaller, script, budget)? {
                n_passed += 1;
            }
        }
        Ok(())
    }
}

/// How many letters the texts have.
fn letters(script: &[Sexp]) -> usize {
    texts(script).iter().map(String::len).sum()
}

/// The texts of a script, each once.
fn texts(script: &[Sexp]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut waiting: Vec<&Sexp> = script.iter().collect();
    while let Some(sexp) = waiting.pop() {
        match sexp {
            Sexp::Word(word) if word.starts_with('"') => drop(found.insert(word.clone())),
            Sexp::Word(_) => {}
            Sexp::List(parts) => waiting.extend(parts),
        }
    }
    found
}

fn replaced(sexp: &Sexp, old: &str, new: &str) -> Sexp {
    match sexp {
        Sexp::Word(word) if word == old => Sexp::Word(new.to_owned()),
        Sexp::Word(word) => Sexp::Word(word.clone()),
        Sexp::List(parts) => {
            Sexp::List(parts.iter().map(|part| replaced(part, old, new)).collect())
        }
    }
}

/// What takes any number of operands.
const ANY_NUMBER: [&str; 6] = ["and", "or", "re.union", "re.inter", "re.++", "str.++"];

/// The places of lists with so many operands of what takes any number, and their numbers; the largest first.
fn lists(script: &[Sexp], operands_min: usize) -> Vec<(Vec<usize>, usize)> {
    let mut found: Vec<(usize, Vec<usize>, usize)> = Vec::new();
    let mut waiting: Vec<(Vec<usize>, &Sexp)> =
        script.iter().enumerate().map(|(at, sexp)| (vec![at], sexp)).collect();
    while let Some((path, sexp)) = waiting.pop() {
        let n = sexp.parts().len().saturating_sub(1);
        if n >= operands_min && sexp.head().is_some_and(|head| ANY_NUMBER.contains(&head)) {
            found.push((sexp.size(), path.clone(), n));
        }
        for (at, part) in sexp.parts().iter().enumerate() {
            waiting.push(([&path[..], &[at]].concat(), part));
        }
    }
    found.sort_by(|a, b| (b.0, &a.1).cmp(&(a.0, &b.1)));
    found.into_iter().map(|(_, path, n)| (path, n)).collect()
}

/// The places of what can be left out: operands of what takes any number. The largest first.
fn parts(script: &[Sexp]) -> Vec<Vec<usize>> {
    let mut found: Vec<(usize, Vec<usize>)> = Vec::new();
    let mut waiting: Vec<(Vec<usize>, &Sexp)> =
        script.iter().enumerate().map(|(at, sexp)| (vec![at], sexp)).collect();
    while let Some((path, sexp)) = waiting.pop() {
        let takes_any = sexp.head().is_some_and(|head| ANY_NUMBER.contains(&head));
        for (at, part) in sexp.parts().iter().enumerate() {
            let inner = [&path[..], &[at]].concat();
            if takes_any && at > 0 && sexp.parts().len() > 2 {
                found.push((part.size(), inner.clone()));
            }
            waiting.push((inner, part));
        }
    }
    found.sort_by(|a, b| (b.0, &a.1).cmp(&(a.0, &b.1)));
    found.into_iter().map(|(_, path)| path).collect()
}

/// Takes an operand out of a list; if then only one is left, it stands for the list.
fn remove(script: &mut [Sexp], place: &[usize]) {
    let [first, path @ .., last] = place else { return };
    let Some(mut list) = script.get_mut(*first) else { return };
    for step in path {
        let Sexp::List(parts) = list else { return };
        let Some(next) = parts.get_mut(*step) else { return };
        list = next;
    }
    let Sexp::List(parts) = list else { return };
    if *last < parts.len() {
        parts.remove(*last);
    }
    if let [_, only] = &parts[..] {
        *list = only.clone();
    }
}

/// A script without definitions and declarations of what is not used, and without what asks for values.
fn without_unused(mut script: Vec<Sexp>) -> Vec<Sexp> {
    loop {
        let n_before = script.len();
        let mut used: BTreeSet<String> = BTreeSet::new();
        for command in &script {
            let is_naming = command
                .head()
                .is_some_and(|head| head.starts_with("declare") || head.starts_with("define"));
            let mut waiting: Vec<&Sexp> =
                command.parts().iter().skip(if is_naming { 2 } else { 0 }).collect();
            while let Some(sexp) = waiting.pop() {
                match sexp {
                    Sexp::Word(word) => drop(used.insert(word.clone())),
                    Sexp::List(parts) => waiting.extend(parts),
                }
            }
        }
        script.retain(|command| match command.head() {
            Some("declare-const" | "declare-fun" | "define-fun") => {
                command.parts().get(1).and_then(Sexp::word).is_none_or(|name| used.contains(name))
            }
            Some("get-value" | "get-model") => false,
            _ => true,
        });
        if script.len() == n_before {
            return script;
        }
    }
}

/// Reads a script of a file, without comments.
///
/// # Errors
///
/// It cannot be read, or is no script.
pub fn read(path: &Path) -> Result<Vec<Sexp>, String> {
    let text = fs::read_to_string(path)
        .map_err(|error| format!("cannot read `{}`: {error}", path.display()))?;
    sexp::parse(&text).map_err(|error| format!("`{}`: {error}", path.display()))
}

/// A budget from now on.
pub fn budget(time: Duration, tries_max: usize) -> Budget {
    Budget { until: Instant::now() + time, tries_max }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_used_goes_with_what_used_it() {
        let script = sexp::parse(
            "(declare-const x String)(declare-const y String)(define-fun f () Bool (= x \"a\"))(assert (= y \"b\"))(check-sat)",
        )
        .unwrap();
        let text = sexp::text(&without_unused(script));
        assert_eq!(text, "(declare-const y String)\n(assert (= y \"b\"))\n(check-sat)\n");
    }

    #[test]
    fn parts_are_found_largest_first_and_removed() {
        let mut script = sexp::parse("(assert (and a (or b c (not d)) e))").unwrap();
        let places = parts(&script);
        assert_eq!(places[0], [0, 1, 2]);
        remove(&mut script, &places[0]);
        assert_eq!(sexp::text(&script), "(assert (and a e))\n");
        remove(&mut script, &[0, 1, 1]);
        assert_eq!(sexp::text(&script), "(assert e)\n");
        assert!(parts(&script).is_empty());
    }

    #[test]
    fn long_lists_are_found_with_their_numbers_of_operands() {
        let script = sexp::parse("(assert (or (and a b c d e) f g h))(assert (or a b))").unwrap();
        assert_eq!(lists(&script, 4), [(vec![0, 1], 4), (vec![0, 1, 1], 5)]);
    }

    #[test]
    fn a_text_is_replaced_wherever_it_stands() {
        let script = sexp::parse("(assert (= x \"abc\"))(assert (= y \"abc\"))").unwrap();
        assert_eq!(texts(&script).len(), 1);
        let script: Vec<Sexp> =
            script.iter().map(|command| replaced(command, "\"abc\"", "\"a\"")).collect();
        assert_eq!(sexp::text(&script), "(assert (= x \"a\"))\n(assert (= y \"a\"))\n");
    }
}
