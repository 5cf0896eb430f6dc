//! What atoms mean: which follow from one another, and values that agree with those that matter.
//!
//! While the search goes on, a literal is asked for its consequences on atoms about the same
//! variable, as far as they can be seen by looking at the two. The rest waits until every variable
//! of the search has a value. Then an *implicant* is drawn from the formula: literals that are
//! true and suffice to make it so, one for each disjunction. Usually these are a few of the atoms,
//! and only they need values: an atom that was decided one way for want of anything better does
//! not matter. Either there are values, or some of the literals exclude each other, and that is a
//! clause that the search did not know.
//!
//! Strings that are said to be equal are one *class*; a class is tested for a word in all of its
//! languages and outside of all others. What must differ is settled last (`distinct`).

use std::collections::HashMap;

use keyaki_automata::Language;
use keyaki_logic::template::widened;
use keyaki_logic::{Piece, Reason, Regex};

use super::bits::{Interval, least_outside};
use super::distinct::distinct;
use super::languages::{self, Emptiness, find};
use super::problem::{Atom, Lit, Problem, Template, Text, Var};
use super::search::Assignment;
use super::watch::Watch;

/// Bit vectors up to this width have so few values that they are decided before strings are.
const FINITE_BITS: u32 = 8;

/// How often values are guessed for patterns with variables before the rest is left to others.
const MAX_GUESSES: usize = 32;

/// The length of a text in bytes up to which it is tried where a variable within it ends.
const MAX_CONFINING_BYTES: usize = 256;

/// Values of the subjects, by index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Values {
    pub(super) strings: Vec<Option<String>>,
    pub(super) bits: Vec<u128>,
    /// The truth variables of the formula, by their index there.
    pub(super) truths: Vec<(u32, bool)>,
}

/// What became of an assignment.
#[derive(Debug)]
pub(super) enum Checked {
    /// Values that satisfy the formula.
    Values(Values),
    /// True literals that exclude each other.
    Conflict(Vec<Lit>),
    /// It was not found out.
    Unknown(Reason),
}

/// What ends a check before there are values.
enum Stop {
    Conflict(Vec<Lit>),
    Unknown(Reason),
}

impl From<Reason> for Stop {
    fn from(reason: Reason) -> Stop {
        Stop::Unknown(reason)
    }
}

/// The theory of the atoms of a problem.
pub(super) struct Theory<'p, 'f> {
    problem: &'p Problem<'f>,
    watch: &'p Watch<'p>,
    /// By variable; only those that have been needed.
    languages: Vec<Made>,
    /// Words found before, by the literals that they satisfy.
    words: HashMap<Vec<Lit>, String>,
    guesses: usize,
    gave_up: bool,
}

/// The language of an atom.
#[derive(Clone, Debug)]
enum Made {
    /// Not yet.
    Not,
    /// Nor ever, for this reason.
    Never(Reason),
    Yes(Language),
}

/// Variables that are equal, and what is said of them.
#[derive(Clone, Debug, Default)]
struct Class {
    /// Equalities by which its members are one.
    equalities: Vec<Lit>,
    /// Other literals about one member.
    literals: Vec<Lit>,
}

/// A language that a class is in, or not in, because of a template.
#[derive(Clone, Debug)]
struct Extra {
    /// The template's literal.
    lit: Lit,
    /// Whether the class is in the language.
    positive: bool,
    language: Language,
    /// What else it follows from.
    because: Vec<Lit>,
}

impl Extra {
    /// All literals that it follows from.
    fn reasons(&self) -> impl Iterator<Item = Lit> {
        self.because.iter().copied().chain([self.lit])
    }
}

/// Classes of the variables of one sort.
struct Classes {
    /// By variable.
    class_of: Vec<usize>,
    classes: Vec<Class>,
    /// Literals that say that two classes differ.
    edges: Vec<(usize, usize, Lit)>,
}

impl<'p, 'f> Theory<'p, 'f> {
    pub(super) fn new(problem: &'p Problem<'f>, watch: &'p Watch<'p>) -> Theory<'p, 'f> {
        Theory {
            problem,
            watch,
            languages: vec![Made::Not; problem.atoms.len()],
            words: HashMap::new(),
            guesses: 0,
            gave_up: false,
        }
    }

    /// Whether the variable is about something with few values.
    pub(super) fn is_finite(&self, var: Var) -> bool {
        match self.problem.atoms[var as usize] {
            Atom::Bool(_) => true,
            Atom::Prefix { bits, .. } => self.problem.bits[bits as usize].width <= FINITE_BITS,
            _ => false,
        }
    }

    /// Why the search cannot be said to have found out that there are no values, if so.
    pub(super) fn gave_up(&self) -> Option<Reason> {
        self.gave_up.then_some(Reason::Unsupported)
    }

    /// Adds literals that have no value yet, or a wrong one, and follow from `lit` alone. Not all
    /// of them: those that are found by comparing two atoms. An error is the reason to stop.
    pub(super) fn consequences(
        &mut self,
        lit: Lit,
        truth: &Assignment,
        out: &mut Vec<Lit>,
    ) -> Result<(), Reason> {
        match (self.problem.atoms[lit.var() as usize], lit.is_positive()) {
            (Atom::Is(string, text), true) => self.consequences_of_text(string, text, truth, out),
            (Atom::In(..) | Atom::Matches(_), true) => match self.string_of(lit.var()) {
                Some(string) => self.consequences_of_language(string, lit.var(), truth, out),
                None => Ok(()),
            },
            (Atom::Prefix { bits, .. }, _) => self.consequences_of_prefix(bits, lit, truth, out),
            _ => Ok(()),
        }
    }

    /// What follows from `string` being `text`.
    fn consequences_of_text(
        &mut self,
        string: u32,
        text: &str,
        truth: &Assignment,
        out: &mut Vec<Lit>,
    ) -> Result<(), Reason> {
        let problem = self.problem;
        for &other in &problem.strings[string as usize].atoms {
            self.watch.go_on()?;
            let holds = match problem.atoms[other as usize] {
                Atom::Matches(_) => {
                    let widened = self.language(other);
                    widened.is_ok_and(|widened| !widened.matches(text)).then_some(false)
                }
                _ => self.holds_of(other, text),
            };
            if let Some(holds) = holds {
                note(Lit::new(other, holds), truth, out);
            }
        }
        Ok(())
    }

    /// What follows from `string` being in the language of the atom `var`.
    fn consequences_of_language(
        &mut self,
        string: u32,
        var: Var,
        truth: &Assignment,
        out: &mut Vec<Lit>,
    ) -> Result<(), Reason> {
        let problem = self.problem;
        let Ok(mine) = self.language(var).cloned() else { return Ok(()) };
        for &other in problem.strings[string as usize].atoms.iter().filter(|&&o| o != var) {
            self.watch.go_on()?;
            let positive = Lit::new(other, true);
            let known = truth.get(positive);
            let follows = match (problem.atoms[other as usize], problem.atoms[var as usize]) {
                (Atom::Is(_, text), _) => {
                    if known != Some(false) && !mine.matches(text) {
                        out.push(!positive);
                    }
                    continue;
                }
                // The language is wider than the template: it can only exclude.
                (Atom::Matches(large), Atom::Matches(small)) => {
                    known != Some(true) && self.covers(large, small)
                }
                (Atom::Matches(_), _) => false,
                (Atom::In(..), _) => {
                    let Ok(others) = self.language(other) else { continue };
                    known != Some(true) && languages::includes(others, &mine)
                }
                _ => continue,
            };
            if follows {
                out.push(positive);
            } else if known != Some(false)
                && self.language(other).is_ok_and(|others| languages::exclude(others, &mine))
            {
                out.push(!positive);
            }
        }
        Ok(())
    }

    /// What follows from the first bits of `bits` being those of the atom of `lit`, or not.
    fn consequences_of_prefix(
        &mut self,
        bits: u32,
        lit: Lit,
        truth: &Assignment,
        out: &mut Vec<Lit>,
    ) -> Result<(), Reason> {
        let mine = self.interval(lit.var());
        for &other in &self.problem.bits[bits as usize].atoms {
            self.watch.go_on()?;
            let is_prefix = matches!(self.problem.atoms[other as usize], Atom::Prefix { .. });
            if other == lit.var() || !is_prefix {
                continue;
            }
            let others = self.interval(other);
            if lit.is_positive() && others.includes(mine) {
                note(Lit::new(other, true), truth, out);
            } else if lit.is_positive() && !others.overlaps(mine)
                || !lit.is_positive() && mine.includes(others)
            {
                note(Lit::new(other, false), truth, out);
            }
        }
        Ok(())
    }

    /// Values for a formula whose variables of the search all have one.
    pub(super) fn check(&mut self, truth: &Assignment) -> Checked {
        let implicant = self.implicant(truth);
        match self.values(&implicant) {
            Ok(values) => Checked::Values(values),
            Err(Stop::Conflict(core)) => Checked::Conflict(core),
            Err(Stop::Unknown(reason)) => Checked::Unknown(reason),
        }
    }

    /// True literals of atoms that suffice to make the formula true, sorted.
    fn implicant(&self, truth: &Assignment) -> Vec<Lit> {
        let problem = self.problem;
        let mut needed = vec![false; problem.atoms.len()];
        let mut literals = Vec::new();
        let mut open: Vec<Lit> = Vec::new();
        // What is needed anyway comes first, so that choices can fall on it.
        let mut choices: Vec<(&[Lit], bool)> = Vec::new();
        for root in &problem.roots {
            match root[..] {
                [only] => open.push(only),
                _ => choices.push((root, true)),
            }
        }
        choices.reverse();
        loop {
            while let Some(lit) = open.pop() {
                if std::mem::replace(&mut needed[lit.var() as usize], true) {
                    continue;
                }
                debug_assert!(truth.is_true(lit), "only what is true is needed");
                match problem.atoms[lit.var() as usize] {
                    Atom::Gate(gate) if lit.is_positive() => {
                        open.extend(problem.gates[gate as usize].iter().copied());
                    }
                    Atom::Gate(gate) => choices.push((&problem.gates[gate as usize], false)),
                    _ => literals.push(lit),
                }
            }
            let Some((children, sign)) = choices.pop() else { break };
            let children = children.iter().map(|&child| if sign { child } else { !child });
            let satisfied = children.filter(|&child| truth.is_true(child));
            // What was true earliest is least likely to be a mere guess.
            let best = satisfied
                .min_by_key(|&child| (!needed[child.var() as usize], truth.level(child), child));
            debug_assert!(best.is_some(), "a true clause has a true literal");
            open.extend(best);
        }
        literals.sort_unstable();
        literals
    }

    fn values(&mut self, implicant: &[Lit]) -> Result<Values, Stop> {
        let bits = self.bit_values(implicant)?;
        let strings = self.string_values(implicant)?;
        let atoms = self.problem.atoms.iter().enumerate();
        // What does not matter is false, whatever the search has made of it.
        let truths = atoms.filter_map(|(var, atom)| match atom {
            Atom::Bool(index) => {
                let positive = Lit::new(var as Var, true);
                Some((*index, implicant.binary_search(&positive).is_ok()))
            }
            _ => None,
        });
        Ok(Values { strings, bits, truths: truths.collect() })
    }

    fn bit_values(&self, implicant: &[Lit]) -> Result<Vec<u128>, Stop> {
        let problem = self.problem;
        let relation = |atom: &Atom<'_>| match *atom {
            Atom::SameBits(a, b) => Some(Relation::Equal(a, b)),
            Atom::Prefix { bits, .. } => Some(Relation::About(bits)),
            _ => None,
        };
        let classes = self.classes(problem.bits.len(), implicant, relation)?;
        let mut ranges: Vec<Range> = Vec::new();
        for (subject, &class) in problem.bits.iter().zip(&classes.class_of) {
            if ranges.len() <= class {
                ranges.resize(class + 1, Range::default());
            }
            ranges[class].base.get_or_insert(Interval::all(subject.width));
        }
        let mut first = Vec::new();
        for (class, range) in classes.classes.iter().zip(&mut ranges) {
            self.confine(class, range)?;
            let core = |covering: Vec<usize>| {
                let without = covering.into_iter().map(|i| range.literals[i]);
                Stop::Conflict(
                    without.chain(range.because).chain(class.equalities.clone()).collect(),
                )
            };
            let base = range.base.unwrap_or(Interval::all(1));
            first.push(least_outside(base, &range.without).map_err(core)?);
        }
        let another = |class: usize, known: &[u128]| {
            let range: &Range = &ranges[class];
            let known = known.iter().map(|&number| Interval { low: number, high: number });
            let without: Vec<Interval> = range.without.iter().copied().chain(known).collect();
            Ok(range.base.and_then(|base| least_outside(base, &without).ok()))
        };
        let values = classes.distinct(first, another, self.watch)?;
        Ok(classes.class_of.iter().map(|&class| values[class]).collect())
    }

    /// Collects what is said of a class of bit vectors.
    fn confine(&self, class: &Class, range: &mut Range) -> Result<(), Stop> {
        for &lit in &class.literals {
            let interval = self.interval(lit.var());
            if !lit.is_positive() {
                range.without.push(interval);
                range.literals.push(lit);
                continue;
            }
            match range.base {
                Some(base) if !base.overlaps(interval) => {
                    let core = range.because.into_iter().chain([lit]);
                    let core = core.chain(class.equalities.iter().copied());
                    return Err(Stop::Conflict(core.collect()));
                }
                Some(base) if interval.includes(base) => {}
                _ => {
                    range.base = Some(interval);
                    range.because = Some(lit);
                }
            }
        }
        Ok(())
    }

    fn string_values(&mut self, implicant: &[Lit]) -> Result<Vec<Option<String>>, Stop> {
        let problem = self.problem;
        let relation = |atom: &Atom<'_>| match *atom {
            Atom::Same(a, b) => Some(Relation::Equal(a, b)),
            Atom::Is(string, _) | Atom::In(string, _) => Some(Relation::About(string)),
            _ => None,
        };
        let watch = self.watch;
        let classes = self.classes(problem.strings.len(), implicant, relation)?;
        let templates: Vec<Lit> = implicant
            .iter()
            .copied()
            .filter(|lit| matches!(problem.atoms[lit.var() as usize], Atom::Matches(_)))
            .collect();
        let mut first = Vec::with_capacity(classes.classes.len());
        self.compare(&classes, &templates)?;
        let extras = self.extras(&classes, &templates)?;
        for (class, extras) in classes.classes.iter().zip(&extras) {
            first.push(self.word(class, extras, &[])?);
        }
        let free: Vec<bool> = classes
            .classes
            .iter()
            .map(|class| class.literals.is_empty() && class.equalities.is_empty())
            .collect();
        let another = |index: usize, known: &[String]| {
            let class = &classes.classes[index];
            match self.word(class, &[], known) {
                Ok(word) => Ok(Some(word)),
                Err(Stop::Conflict(_)) => Ok(None),
                Err(Stop::Unknown(reason)) => Err(reason),
            }
        };
        let mut words = classes.distinct(first, another, watch)?;
        if !templates.is_empty() {
            words = self.guess(&classes, &templates, &extras, implicant)?;
        }
        let value = |&class: &usize| {
            let open = free[class] && templates.is_empty() && classes.edges.is_empty();
            (!open).then(|| words[class].clone())
        };
        Ok(classes.class_of.iter().map(value).collect())
    }

    /// A word that agrees with the literals of a class and with `extra`, and is none of `known`.
    fn word(&mut self, class: &Class, extra: &[Extra], known: &[String]) -> Result<String, Stop> {
        if extra.is_empty()
            && known.is_empty()
            && let Some(word) = self.words.get(&class.literals)
        {
            return Ok(word.clone());
        }
        if let Some(word) = self.fixed_word(class)? {
            let disagrees = |extra: &&Extra| extra.language.matches(word) != extra.positive;
            let disagreeing = extra.iter().find(disagrees);
            if disagreeing.is_some() || known.iter().any(|known| known == word) {
                let mut core = [&class.literals[..], &class.equalities].concat();
                core.extend(disagreeing.iter().flat_map(|extra| extra.reasons()));
                return Err(Stop::Conflict(core));
            }
            return Ok(word.to_owned());
        }
        let (mut positives, mut negatives) = (Vec::new(), Vec::new());
        // Literals beside the languages, in their order.
        let (mut for_positives, mut for_negatives) = (Vec::new(), Vec::new());
        for &lit in &class.literals {
            let language = self.language(lit.var())?.clone();
            let (languages, literals) = if lit.is_positive() {
                (&mut positives, &mut for_positives)
            } else {
                (&mut negatives, &mut for_negatives)
            };
            languages.push(language);
            literals.push(vec![lit]);
        }
        for extra in extra {
            let (languages, literals) = if extra.positive {
                (&mut positives, &mut for_positives)
            } else {
                (&mut negatives, &mut for_negatives)
            };
            languages.push(extra.language.clone());
            literals.push(extra.reasons().collect());
        }
        negatives.extend(known.iter().map(|word| Language::literal(word)));
        match find(&positives, &negatives, self.watch)? {
            Emptiness::Word(word) => {
                if extra.is_empty() && known.is_empty() {
                    self.words.insert(class.literals.clone(), word.clone());
                }
                Ok(word)
            }
            Emptiness::Empty { positives, negatives } => {
                let core = positives.iter().flat_map(|&i| &for_positives[i]);
                // A known word is nobody's literal; whoever asks for another word knows.
                let negatives = negatives.iter().filter_map(|&i| for_negatives.get(i)).flatten();
                let core = core.chain(negatives).chain(&class.equalities).copied();
                Err(Stop::Conflict(core.collect()))
            }
        }
    }

    /// The text that a class is said to be, if the other literals agree.
    fn fixed_word(&mut self, class: &Class) -> Result<Option<&'f str>, Stop> {
        let problem = self.problem;
        let is = |&&lit: &&Lit| {
            lit.is_positive() && matches!(problem.atoms[lit.var() as usize], Atom::Is(..))
        };
        let Some(&fixed) = class.literals.iter().find(is) else { return Ok(None) };
        let Atom::Is(_, text) = problem.atoms[fixed.var() as usize] else { return Ok(None) };
        for &lit in &class.literals {
            self.watch.go_on()?;
            let holds = self.holds_of(lit.var(), text);
            if holds.is_some_and(|holds| holds != lit.is_positive()) {
                let core = [fixed, lit].into_iter().chain(class.equalities.iter().copied());
                return Err(Stop::Conflict(core.collect()));
            }
        }
        Ok(Some(text))
    }

    /// Finds templates that a class is said not to match although it does, because of another
    /// template, or because it equals a variable of it.
    fn compare(&self, classes: &Classes, templates: &[Lit]) -> Result<(), Stop> {
        let class_of = |value: u32| classes.class_of[value as usize];
        let about: Vec<(Lit, usize, Vec<Token>)> = templates
            .iter()
            .filter_map(|&lit| match self.template(lit).string {
                Text::Var(string) => {
                    Some((lit, class_of(string), tokens(self.template(lit), class_of)))
                }
                Text::Const(_) => None,
            })
            .collect();
        for (lit, class, large) in about.iter().filter(|(lit, ..)| !lit.is_positive()) {
            self.watch.go_on()?;
            let same = about.iter().filter(|(other, c, _)| other.is_positive() && c == class);
            let same = same.map(|(other, _, small)| (Some(*other), &small[..]));
            let itself = [Token::Value(*class)];
            let mut others = same.chain([(None, &itself[..])]);
            if let Some((other, small)) = others.find(|(_, small)| covers(large, small)) {
                let mut core = vec![*lit];
                core.extend(other);
                // Of the variables on both sides, those that are equal have to be.
                for token in large.iter().chain(small) {
                    if let Token::Value(class) = token {
                        core.extend_from_slice(&classes.classes[*class].equalities);
                    }
                }
                core.extend_from_slice(&classes.classes[*class].equalities);
                core.sort_unstable();
                core.dedup();
                return Err(Stop::Conflict(core));
            }
        }
        Ok(())
    }

    /// What templates say of each class by themselves: without a guess of anybody's word.
    fn extras(&mut self, classes: &Classes, templates: &[Lit]) -> Result<Vec<Vec<Extra>>, Reason> {
        let mut extras: Vec<Vec<Extra>> = vec![Vec::new(); classes.classes.len()];
        for &lit in templates {
            let template = self.template(lit);
            if let Text::Var(string) = template.string {
                let class = classes.class_of[string as usize];
                if let Some((words, because)) = self.constants(classes, &template.values) {
                    let language = self.filled(classes, lit, &words)?;
                    let positive = lit.is_positive();
                    extras[class].push(Extra { lit, positive, language, because });
                } else if lit.is_positive() {
                    let language = self.language(lit.var())?.clone();
                    extras[class].push(Extra { lit, positive: true, language, because: vec![] });
                }
            }
            if lit.is_positive() {
                self.confine_first_value(classes, lit, &mut extras)?;
            }
        }
        Ok(extras)
    }

    /// The words of these variables by class, if all of them are said to be constants, and the
    /// literals that say so.
    fn constants(
        &self,
        classes: &Classes,
        values: &[u32],
    ) -> Option<(Vec<Option<String>>, Vec<Lit>)> {
        let mut words = vec![None; classes.classes.len()];
        let mut because = Vec::new();
        for &value in values {
            let index = classes.class_of[value as usize];
            let class = &classes.classes[index];
            let (fixed, text) = class.literals.iter().find_map(|&lit| {
                match self.problem.atoms[lit.var() as usize] {
                    Atom::Is(_, text) if lit.is_positive() => Some((lit, text)),
                    _ => None,
                }
            })?;
            words[index] = Some(text.to_owned());
            because.push(fixed);
            because.extend_from_slice(&class.equalities);
        }
        Some((words, because))
    }

    /// If a template begins with a text and a variable, and the string with a known text, then the
    /// variable is a piece of that text behind the template's, or begins with all that is left of
    /// it.
    fn confine_first_value(
        &mut self,
        classes: &Classes,
        lit: Lit,
        extras: &mut [Vec<Extra>],
    ) -> Result<(), Reason> {
        let template = self.template(lit);
        let (before, rest) = match template.pieces {
            [Piece::Value(_), rest @ ..] => ("", rest),
            [Piece::Text(before), Piece::Value(_), rest @ ..] => (&**before, rest),
            _ => return Ok(()),
        };
        let Some(&value) = template.values.first() else { return Ok(()) };
        let rest = languages::language(&widened(rest), self.watch)?;
        // Texts that the string begins with; whether they are all of it; why.
        let mut known: Vec<(String, bool, Vec<Lit>)> = Vec::new();
        match template.string {
            Text::Const(text) => known.push((text.to_owned(), true, Vec::new())),
            Text::Var(string) => {
                let class = &classes.classes[classes.class_of[string as usize]];
                for &other in class.literals.iter().filter(|other| other.is_positive()) {
                    let (text, is_whole) = match self.problem.atoms[other.var() as usize] {
                        Atom::Is(_, text) => (text.to_owned(), true),
                        _ => match self.language(other.var())?.as_pattern() {
                            Some(pattern) => (pattern.prefix().to_owned(), false),
                            None => continue,
                        },
                    };
                    let because = [other].into_iter().chain(class.equalities.iter().copied());
                    known.push((text, is_whole, because.collect()));
                }
            }
        }
        for (text, is_whole, because) in known {
            let Some(text) = text.strip_prefix(before) else { continue };
            if text.is_empty() && !is_whole || text.len() > MAX_CONFINING_BYTES {
                continue;
            }
            let mut ways: Vec<Regex> = Vec::new();
            for (at, _) in text.char_indices().chain([(text.len(), ' ')]) {
                let (head, tail) = text.split_at(at);
                let mut behind = vec![Regex::Literal(tail.to_owned())];
                behind.extend((!is_whole).then_some(Regex::All));
                let behind = languages::language(&Regex::Concat(behind), self.watch)?;
                if !languages::exclude(&rest, &behind) {
                    ways.push(Regex::Literal(head.to_owned()));
                }
            }
            if !is_whole {
                ways.push(Regex::Concat(vec![Regex::Literal(text.to_owned()), Regex::All]));
            }
            let language = languages::language(&Regex::Union(ways), self.watch)?;
            let class = classes.class_of[value as usize];
            extras[class].push(Extra { lit, positive: true, language, because });
        }
        Ok(())
    }

    fn template(&self, lit: Lit) -> &'p Template<'f> {
        let Atom::Matches(template) = self.problem.atoms[lit.var() as usize] else {
            unreachable!("the literal of a template")
        };
        &self.problem.templates[template as usize]
    }

    /// Words for an implicant with templates: the variables of a template get theirs first, and
    /// with these it is a language. That finds values or it does not; nothing follows if not, so
    /// the implicant is put aside and the end of the search is at best "unknown".
    fn guess(
        &mut self,
        classes: &Classes,
        templates: &[Lit],
        extras: &[Vec<Extra>],
        implicant: &[Lit],
    ) -> Result<Vec<String>, Stop> {
        self.guesses += 1;
        if self.guesses > MAX_GUESSES {
            return Err(Stop::Unknown(Reason::Unsupported));
        }
        match self.guessed(classes, templates, extras) {
            Ok(Some(words)) => Ok(words),
            Err(Stop::Unknown(reason)) => Err(Stop::Unknown(reason)),
            Ok(None) | Err(Stop::Conflict(_)) => {
                self.gave_up = true;
                let is_string = |lit: &&Lit| {
                    !matches!(
                        self.problem.atoms[lit.var() as usize],
                        Atom::Bool(_) | Atom::Prefix { .. } | Atom::SameBits(..)
                    )
                };
                Err(Stop::Conflict(implicant.iter().filter(is_string).copied().collect()))
            }
        }
    }

    fn guessed(
        &mut self,
        classes: &Classes,
        templates: &[Lit],
        extras: &[Vec<Extra>],
    ) -> Result<Option<Vec<String>>, Stop> {
        let n = classes.classes.len();
        let mut words: Vec<Option<String>> = vec![None; n];
        let class_of = |string: u32| classes.class_of[string as usize];
        // Each round gives a word to every class that waits for nobody.
        loop {
            let mut progress = false;
            for index in 0..n {
                if words[index].is_some() {
                    continue;
                }
                let mine = templates.iter().filter(|&&lit| match self.template(lit).string {
                    Text::Var(string) => class_of(string) == index,
                    Text::Const(_) => false,
                });
                let mine: Vec<Lit> = mine.copied().collect();
                let waits = mine.iter().any(|&lit| {
                    let values = &self.template(lit).values;
                    values.iter().any(|&value| words[class_of(value)].is_none())
                });
                if waits {
                    continue;
                }
                let mut extra = extras[index].clone();
                for lit in mine {
                    let language = self.filled(classes, lit, &words)?;
                    let positive = lit.is_positive();
                    extra.push(Extra { lit, positive, language, because: Vec::new() });
                }
                let different: Vec<String> = classes
                    .edges
                    .iter()
                    .filter_map(|&(a, b, _)| match (a == index, b == index) {
                        (true, _) => words[b].clone(),
                        (_, true) => words[a].clone(),
                        _ => None,
                    })
                    .collect();
                words[index] = Some(self.word(&classes.classes[index], &extra, &different)?);
                progress = true;
            }
            if words.iter().all(Option::is_some) {
                break;
            }
            if !progress {
                // The variables of templates wait for each other.
                return Ok(None);
            }
        }
        for &lit in templates {
            let text = match self.template(lit).string {
                Text::Var(string) => words[class_of(string)].as_deref().unwrap_or_default(),
                Text::Const(text) => text,
            };
            if self.filled(classes, lit, &words)?.matches(text) != lit.is_positive() {
                return Ok(None);
            }
        }
        Ok(words.into_iter().collect())
    }

    /// The language of a template whose variables have these words.
    fn filled(
        &self,
        classes: &Classes,
        lit: Lit,
        words: &[Option<String>],
    ) -> Result<Language, Reason> {
        let template = self.template(lit);
        let mut values = template.values.iter();
        let pieces: Vec<Piece> = template
            .pieces
            .iter()
            .map(|piece| match piece {
                Piece::Value(_) => {
                    let class = values.next().map(|&value| classes.class_of[value as usize]);
                    let word = class.and_then(|class| words[class].as_deref());
                    Piece::text(word.unwrap_or_default())
                }
                _ => piece.clone(),
            })
            .collect();
        languages::language(&widened(&pieces), self.watch)
    }

    /// Gathers the literals of one sort by the variables that they are about.
    fn classes(
        &self,
        n: usize,
        implicant: &[Lit],
        relation: impl Fn(&Atom<'_>) -> Option<Relation>,
    ) -> Result<Classes, Stop> {
        let relation = |lit: Lit| relation(&self.problem.atoms[lit.var() as usize]);
        let mut parents: Vec<usize> = (0..n).collect();
        for &lit in implicant.iter().filter(|lit| lit.is_positive()) {
            if let Some(Relation::Equal(a, b)) = relation(lit) {
                let (a, b) = (root(&parents, a as usize), root(&parents, b as usize));
                parents[a.max(b)] = a.min(b);
            }
        }
        let mut numbers = vec![usize::MAX; n];
        let mut classes = Classes { class_of: Vec::new(), classes: Vec::new(), edges: Vec::new() };
        for member in 0..n {
            // The root has the least number of its class, so it comes first.
            let root = root(&parents, member);
            if root == member {
                numbers[root] = classes.classes.len();
                classes.classes.push(Class::default());
            }
            classes.class_of.push(numbers[root]);
        }
        for &lit in implicant {
            match relation(lit) {
                Some(Relation::About(subject)) => {
                    let class = classes.class_of[subject as usize];
                    classes.classes[class].literals.push(lit);
                }
                Some(Relation::Equal(a, _)) if lit.is_positive() => {
                    let class = classes.class_of[a as usize];
                    classes.classes[class].equalities.push(lit);
                }
                Some(Relation::Equal(a, b)) => {
                    let (a, b) = (classes.class_of[a as usize], classes.class_of[b as usize]);
                    classes.edges.push((a, b, lit));
                }
                None => {}
            }
        }
        match classes.edges.iter().find(|(a, b, _)| a == b) {
            None => Ok(classes),
            Some(&(class, _, lit)) => {
                let mut core = classes.classes[class].equalities.clone();
                core.push(lit);
                Err(Stop::Conflict(core))
            }
        }
    }

    /// The string that a membership or a template is about, unless it is a constant.
    fn string_of(&self, var: Var) -> Option<u32> {
        match self.problem.atoms[var as usize] {
            Atom::In(string, _) => Some(string),
            Atom::Matches(template) => match self.problem.templates[template as usize].string {
                Text::Var(string) => Some(string),
                Text::Const(_) => None,
            },
            _ => None,
        }
    }

    /// True only if whatever matches the template `small` matches `large`: see [`covers`].
    fn covers(&self, large: u32, small: u32) -> bool {
        let [large, small] = [large, small].map(|template| {
            tokens(&self.problem.templates[template as usize], |value| value as usize)
        });
        covers(&large, &small)
    }

    /// Whether an atom about one string is true of this text.
    fn holds_of(&mut self, var: Var, text: &str) -> Option<bool> {
        match self.problem.atoms[var as usize] {
            Atom::Is(_, other) => Some(other == text),
            Atom::In(..) => self.language(var).ok().map(|language| language.matches(text)),
            _ => None,
        }
    }

    /// The language of the words of which an atom about one string is true; of a template, those
    /// of which it is true for some values of its variables.
    fn language(&mut self, var: Var) -> Result<&Language, Reason> {
        let made = &mut self.languages[var as usize];
        if let Made::Not = made {
            let language = match self.problem.atoms[var as usize] {
                Atom::Is(_, text) => Ok(Language::literal(text)),
                Atom::In(_, regex) => languages::language(regex, self.watch),
                Atom::Matches(template) => {
                    let pieces = self.problem.templates[template as usize].pieces;
                    languages::language(&widened(pieces), self.watch)
                }
                atom => unreachable!("{atom:?} is not about one string"),
            };
            *made = language.map_or_else(Made::Never, Made::Yes);
        }
        match made {
            Made::Yes(language) => Ok(language),
            Made::Never(reason) => Err(*reason),
            Made::Not => unreachable!("made above"),
        }
    }

    /// The numbers for which an atom about the first bits is true.
    fn interval(&self, var: Var) -> Interval {
        let Atom::Prefix { bits, prefix, length } = self.problem.atoms[var as usize] else {
            unreachable!("asked for atoms about first bits only")
        };
        Interval::new(prefix, length, self.problem.bits[bits as usize].width)
    }
}

/// What an atom says of the variables of one sort.
enum Relation {
    Equal(u32, u32),
    About(u32),
}

/// What is said of a class of bit vectors.
#[derive(Clone, Debug, Default)]
struct Range {
    base: Option<Interval>,
    /// The literal that says so.
    because: Option<Lit>,
    without: Vec<Interval>,
    literals: Vec<Lit>,
}

impl Classes {
    /// Values that differ where they must.
    fn distinct<V: Clone + PartialEq>(
        &self,
        first: Vec<V>,
        another: impl FnMut(usize, &[V]) -> Result<Option<V>, Reason>,
        watch: &Watch<'_>,
    ) -> Result<Vec<V>, Stop> {
        let edges: Vec<(usize, usize)> = self.edges.iter().map(|&(a, b, _)| (a, b)).collect();
        distinct(first, &edges, another, || watch.tick())?.map_err(|members| {
            let mut core = Vec::new();
            for &member in &members {
                core.extend_from_slice(&self.classes[member].literals);
                core.extend_from_slice(&self.classes[member].equalities);
            }
            let between = |&&(a, b, _): &&(usize, usize, Lit)| {
                members.binary_search(&a).is_ok() && members.binary_search(&b).is_ok()
            };
            core.extend(self.edges.iter().filter(between).map(|&(_, _, lit)| lit));
            Stop::Conflict(core)
        })
    }
}

/// A piece of a template, a text taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    Char(char),
    One,
    Many,
    Value(usize),
}

/// The tokens of a template; `number` is the number of a variable.
fn tokens(template: &Template<'_>, number: impl Fn(u32) -> usize) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut values = template.values.iter();
    for piece in template.pieces {
        match piece {
            Piece::Text(text) => tokens.extend(text.chars().map(Token::Char)),
            Piece::AnyChar => tokens.push(Token::One),
            Piece::Any => tokens.push(Token::Many),
            Piece::Value(_) => tokens.extend(values.next().map(|&v| Token::Value(number(v)))),
        }
    }
    tokens
}

/// True only if whatever matches `small` matches `large`, for the same values of the variables:
/// each token of `small` is eaten by one of `large`, a variable only by itself or a star.
fn covers(large: &[Token], small: &[Token]) -> bool {
    let skip_stars = |at: &mut Vec<bool>| {
        for i in 0..large.len() {
            at[i + 1] |= at[i] && large[i] == Token::Many;
        }
    };
    let mut at = vec![false; large.len() + 1];
    at[0] = true;
    skip_stars(&mut at);
    for &token in small {
        let mut next = vec![false; at.len()];
        for (i, &eater) in large.iter().enumerate().filter(|&(i, _)| at[i]) {
            match eater {
                Token::Many => next[i] = true,
                Token::One => next[i + 1] |= matches!(token, Token::Char(_) | Token::One),
                _ => next[i + 1] |= eater == token,
            }
        }
        at = next;
        skip_stars(&mut at);
    }
    at[large.len()]
}

fn root(parents: &[usize], mut member: usize) -> usize {
    while parents[member] != member {
        member = parents[member];
    }
    member
}

/// Adds a literal unless it is true already.
fn note(lit: Lit, truth: &Assignment, out: &mut Vec<Lit>) {
    if !truth.is_true(lit) {
        out.push(lit);
    }
}

#[cfg(test)]
mod tests;
