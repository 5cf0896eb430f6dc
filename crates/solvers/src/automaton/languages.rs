//! Languages of the formula's regular expressions: temporary, by sets of positions.
use std::collections::HashMap;
use keyaki_logic::{Reason, Regex};
use super::watch::Watch;

#[derive(Clone, Debug)]
pub(super) struct Language { regex: Regex, edges: Vec<Vec<(Option<(char, char)>, usize)>>, last: usize }

pub(super) enum Emptiness { Word(String), Empty { positives: Vec<usize>, negatives: Vec<usize> } }

impl Language {
    pub(super) fn new(regex: &Regex) -> Language {
        let mut l = Language { regex: regex.clone(), edges: vec![Vec::new()], last: 0 };
        l.last = l.build(regex, 0);
        l
    }
    pub(super) fn literal(text: &str) -> Language { Language::new(&Regex::Literal(text.to_owned())) }
    pub(super) fn matches(&self, text: &str) -> bool { self.regex.matches(text) }
    pub(super) fn subsumes(&self, _: &Language) -> bool { false }
    pub(super) fn excludes(&self, _: &Language) -> bool { false }
    fn state(&mut self) -> usize { self.edges.push(Vec::new()); self.edges.len() - 1 }
    fn range(&mut self, from: usize, ranges: &[(char, char)]) -> usize {
        let to = self.state();
        for &r in ranges { self.edges[from].push((Some(r), to)); }
        to
    }
    fn build(&mut self, regex: &Regex, from: usize) -> usize {
        let any = [('\0', char::MAX)];
        match regex {
            Regex::Literal(t) => t.chars().fold(from, |at, c| self.range(at, &[(c, c)])),
            Regex::AnyChar => self.range(from, &any),
            Regex::All => { let s = self.state(); self.edges[from].push((None, s)); self.edges[s].push((Some(any[0]), s)); s }
            Regex::Chars(r) => self.range(from, r),
            Regex::NotChar(c) => {
                let mut r = Vec::new();
                if *c > '\0' { r.push(('\0', prev(*c))); }
                if *c < char::MAX { r.push((next(*c), char::MAX)); }
                self.range(from, &r)
            }
            Regex::Concat(p) => p.iter().fold(from, |at, p| self.build(p, at)),
            Regex::Union(p) => { let ends: Vec<usize> = p.iter().map(|p| { let s = self.state(); self.edges[from].push((None, s)); self.build(p, s) }).collect(); let to = self.state(); for e in ends { self.edges[e].push((None, to)); } to }
            Regex::Star(p) => { let s = self.state(); self.edges[from].push((None, s)); let e = self.build(p, s); self.edges[e].push((None, s)); let to = self.state(); self.edges[s].push((None, to)); to }
            Regex::Repeat(p, n) => (0..*n).fold(from, |at, _| self.build(p, at)),
        }
    }
    fn close(&self, set: &mut Vec<usize>) {
        let mut i = 0;
        while i < set.len() { for &(c, to) in &self.edges[set[i]] { if c.is_none() && !set.contains(&to) { set.push(to); } } i += 1; }
        set.sort_unstable();
    }
    fn step(&self, set: &[usize], c: char) -> Vec<usize> {
        let mut out = Vec::new();
        for &s in set { for &(r, to) in &self.edges[s] { if r.is_some_and(|(a, b)| a <= c && c <= b) && !out.contains(&to) { out.push(to); } } }
        self.close(&mut out);
        out
    }
}
fn prev(c: char) -> char { if c == '\u{e000}' { '\u{d7ff}' } else { char::from_u32(c as u32 - 1).unwrap_or(c) } }
fn next(c: char) -> char { if c == '\u{d7ff}' { '\u{e000}' } else { char::from_u32(c as u32 + 1).unwrap_or(c) } }

pub(super) fn find(pos: &[&Language], neg: &[&Language], watch: &Watch<'_>) -> Result<Emptiness, Reason> {
    let all: Vec<&Language> = pos.iter().chain(neg).copied().collect();
    let mut starts = std::collections::BTreeSet::from(['\0', 'a', 'x']);
    for l in &all { for &(r, _) in l.edges.iter().flatten() { if let Some((a, b)) = r { starts.insert(a); if b < char::MAX { starts.insert(next(b)); } } } }
    let mut chars: Vec<char> = starts.into_iter().collect();
    chars.sort_by_key(|c| (!c.is_ascii_alphanumeric(), !c.is_ascii_graphic(), *c));
    let first: Vec<Vec<usize>> = all.iter().map(|l| { let mut s = vec![0]; l.close(&mut s); s }).collect();
    let mut seen: HashMap<Vec<Vec<usize>>, ()> = HashMap::new();
    let mut queue = std::collections::VecDeque::from([(first.clone(), String::new())]);
    seen.insert(first, ());
    while let Some((state, word)) = queue.pop_front() {
        if let Some(why) = watch.look() { return Err(why); }
        if seen.len() > 200_000 { return Err(Reason::Memory); }
        let accepts = |i: usize| state[i].contains(&all[i].last);
        if (0..pos.len()).all(accepts) && !(pos.len()..all.len()).any(accepts) { return Ok(Emptiness::Word(word)); }
        for &c in &chars {
            let to: Vec<Vec<usize>> = state.iter().zip(&all).map(|(s, l)| l.step(s, c)).collect();
            if to[..pos.len()].iter().any(Vec::is_empty) { continue; }
            if seen.insert(to.clone(), ()).is_none() { queue.push_back((to, format!("{word}{c}"))); }
        }
    }
    Ok(Emptiness::Empty { positives: (0..pos.len()).collect(), negatives: (0..neg.len()).collect() })
}
