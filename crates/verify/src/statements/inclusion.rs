//! When a statement includes another, and when no request matches both.
//!
//! Everything here is one-sided: that something is included, or that nothing is of both, is said only where it is so of every request;
//! `false` is "not shown", also where there is no budget left to show it. Nothing is concluded from `false`. What the text does not tell
//! how to read (variables, ARNs of less than six fields, conditions) is compared with what is written in the same way only.

use super::patterns;
use super::read::{Condition, Entry, List, Statement};
use crate::budget::Budget;

impl Entry<'_> {
    /// How many steps comparing it with another for equality counts.
    fn weight(&self) -> usize {
        1 + self.text.len() / 64
    }

    /// Whether it fits whatever there is.
    fn is_star(&self) -> bool {
        self.n_fields == 1 && self.text == "*"
    }

    /// The fields, or those of the ARN that names a principal.
    fn fields(&self, n: usize) -> impl Iterator<Item = &str> {
        self.text.splitn(n, ':')
    }

    /// Its fields with those of the other, if both have as many.
    fn pairs<'a>(&'a self, other: &'a Entry<'_>) -> impl Iterator<Item = (&'a str, &'a str)> {
        let n = if self.n_fields == other.n_fields { self.n_fields } else { 0 };
        self.fields(n).zip(other.fields(n))
    }

    /// Whether it fits all that the other does.
    pub(crate) fn includes(&self, narrow: &Entry<'_>, budget: &Budget) -> bool {
        let includes = |(wide, narrow)| patterns::includes(wide, narrow, budget).unwrap_or(false);
        let have_fields = self.n_fields == narrow.n_fields && self.n_fields > 0;
        budget.spend(self.weight()).is_ok()
            && (self.is_star() || self == narrow || have_fields && self.pairs(narrow).all(includes))
    }

    /// Whether nothing fits both.
    fn is_apart(&self, other: &Entry<'_>, budget: &Budget) -> bool {
        let are_apart = |(a, b)| patterns::are_disjoint(a, b, budget).unwrap_or(false);
        self.pairs(other).any(are_apart)
    }

    /// The account whose principals are among those of the entry, if it is about one.
    fn account(&self) -> Option<&str> {
        match self.kind {
            "account" => Some(&self.text),
            "root" | "user" | "role" | "session" | "federated" => self.fields(6).nth(4),
            _ => None,
        }
    }

    /// Whether it covers whomever the other does.
    fn covers(&self, narrow: &Entry<'_>) -> bool {
        match self.kind {
            "all" => true,
            "aws" => !matches!(narrow.kind, "all" | "service" | "provider"),
            "account" => narrow.account() == Some(&*self.text),
            // The accounts of both and their partitions are the same; what names an account alone has none.
            "root" => {
                self.account().is_some_and(|own| narrow.account() == Some(own))
                    && narrow.fields(6).nth(1) == self.fields(6).nth(1)
            }
            _ => self == narrow,
        }
    }

    /// Whether nobody is covered by both, as far as accounts and services tell.
    fn is_of_others(&self, other: &Entry<'_>) -> bool {
        match (self.kind, other.kind) {
            ("service", _) => other.account().is_some(),
            (_, "service") => self.account().is_some(),
            ("account" | "root", "account" | "root") => {
                self.account().zip(other.account()).is_some_and(|(own, other)| own != other)
            }
            _ => false,
        }
    }
}

/// How many steps looking at all entries counts.
fn weight(entries: &[Entry<'_>]) -> usize {
    entries.iter().map(Entry::weight).sum()
}

impl List<'_> {
    /// Whether some entry is read by nothing but the same text.
    pub(crate) fn is_opaque(&self) -> bool {
        self.entries.iter().any(|entry| entry.n_fields == 0)
    }

    fn is_same(&self, other: &List<'_>, budget: &Budget) -> bool {
        budget.spend(weight(&self.entries)).is_ok()
            && (self.negated, &self.entries) == (other.negated, &other.entries)
    }

    /// Whether some entry includes the given one; it is likely to be that at `likely`.
    pub(crate) fn has(&self, narrow: &Entry<'_>, likely: usize, budget: &Budget) -> bool {
        let mut entries = self.entries.get(likely).into_iter().chain(&self.entries);
        entries.any(|wide| wide.includes(narrow, budget))
    }

    fn has_all(&self, others: &[Entry<'_>], budget: &Budget) -> bool {
        others.iter().enumerate().all(|(at, entry)| self.has(entry, at, budget))
    }

    /// Whether the entry has nothing in common with any entry here.
    pub(crate) fn avoids(&self, entry: &Entry<'_>, budget: &Budget) -> bool {
        self.entries.iter().all(|own| own.is_apart(entry, budget))
    }

    /// Whether a list of actions or resources fits all that another fits.
    pub(crate) fn includes(&self, narrow: &List<'_>, budget: &Budget) -> bool {
        match (self.negated, narrow.negated) {
            _ if self.is_same(narrow, budget) => true,
            // An entry with a variable that has no value may spoil the others.
            _ if self.is_opaque() => false,
            (false, _) if self.entries.iter().any(Entry::is_star) => true,
            (false, false) => self.has_all(&narrow.entries, budget),
            (true, true) => narrow.has_all(&self.entries, budget),
            (true, false) => narrow.entries.iter().all(|entry| self.avoids(entry, budget)),
            (false, true) => false,
        }
    }

    /// Whether it fits all that two others fit both: it has each entry of the last that the second may meet.
    fn includes_met(&self, narrow: &List<'_>, met: &List<'_>, budget: &Budget) -> bool {
        let are_listed = !self.negated && !self.is_opaque() && !met.negated;
        let is_no_matter = |at: usize, entry: &Entry<'_>| match narrow.negated {
            true => narrow.has(entry, at, budget),
            false => narrow.avoids(entry, budget),
        };
        let mut entries = met.entries.iter().enumerate();
        are_listed && entries.all(|(at, e)| is_no_matter(at, e) || self.has(e, at, budget))
    }

    /// Whether nothing fits both lists of actions or resources.
    fn is_apart(&self, other: &List<'_>, budget: &Budget) -> bool {
        match (self.negated, other.negated) {
            (false, false) => other.entries.iter().all(|entry| self.avoids(entry, budget)),
            (true, false) => self.has_all(&other.entries, budget),
            (false, true) => other.has_all(&self.entries, budget),
            (true, true) => false,
        }
    }

    /// Whether a list of principals covers whomever another covers.
    fn covers(&self, narrow: &List<'_>, budget: &Budget) -> bool {
        if self.negated || narrow.negated {
            let has_all = !self.negated && self.entries.iter().any(|entry| entry.kind == "all");
            return has_all || !self.is_written || self.is_same(narrow, budget);
        }
        let is_in = |entry: &Entry<'_>| self.entries.iter().any(|other| other.covers(entry));
        let n_steps = weight(&self.entries).saturating_mul(narrow.entries.len());
        budget.spend(n_steps).is_ok() && narrow.entries.iter().all(is_in)
    }

    /// Whether nobody is meant by both, as far as accounts and services tell.
    fn is_of_others(&self, other: &List<'_>, budget: &Budget) -> bool {
        let is_apart = |a: &Entry<'_>| other.entries.iter().all(|b| a.is_of_others(b));
        let n_steps = weight(&self.entries).saturating_mul(other.entries.len());
        let are_plain = !self.negated && !other.negated;
        are_plain && budget.spend(n_steps).is_ok() && self.entries.iter().all(is_apart)
    }
}

impl<'t> Statement<'t> {
    /// Whether it matches no request, since one of its lists is empty.
    pub(crate) fn is_void(&self) -> bool {
        let lists = [&self.principal, &self.action, &self.resource];
        lists.iter().any(|list| !list.negated && list.entries.is_empty())
    }

    /// Whether it matches whatever the other does, but for actions and resources.
    pub(crate) fn asks_less(&self, narrow: &Statement<'_>, budget: &Budget) -> bool {
        self.principal.covers(&narrow.principal, budget)
            && self.conditions.iter().all(|wanted| narrow.implies(wanted, budget))
    }

    /// Whether it matches whatever the other does, but for its conditions.
    pub(crate) fn is_about_all_of(&self, narrow: &Statement<'_>, budget: &Budget) -> bool {
        self.principal.covers(&narrow.principal, budget)
            && self.resource.includes(&narrow.resource, budget)
            && self.action.includes(&narrow.action, budget)
    }

    /// Whether it matches whatever the other does.
    pub(crate) fn includes(&self, narrow: &Statement<'_>, budget: &Budget) -> bool {
        self.asks_less(narrow, budget) && self.is_about_all_of(narrow, budget)
    }

    /// Whether it matches whatever both others match: each of its lists includes that of one of them, or each entry of the second that the
    /// first has anything in common with.
    pub(crate) fn includes_both(
        &self,
        a: &Statement<'_>,
        b: &Statement<'_>,
        budget: &Budget,
    ) -> bool {
        let includes = |wide: &List<'_>, a: &List<'_>, b: &List<'_>| {
            wide.includes(a, budget) || wide.includes(b, budget) || wide.includes_met(a, b, budget)
        };
        let is_implied = |wanted| a.implies(wanted, budget) || b.implies(wanted, budget);
        (self.principal.covers(&a.principal, budget) || self.principal.covers(&b.principal, budget))
            && includes(&self.resource, &a.resource, &b.resource)
            && includes(&self.action, &a.action, &b.action)
            && self.conditions.iter().all(is_implied)
    }

    /// Whether no request is matched by both, as principals, actions and resources tell.
    pub(crate) fn is_apart(&self, other: &Statement<'_>, budget: &Budget) -> bool {
        self.principal.is_of_others(&other.principal, budget)
            || self.resource.is_apart(&other.resource, budget)
            || self.action.is_apart(&other.action, budget)
    }

    /// Whether one of its conditions implies this one.
    fn implies(&self, wanted: &Condition<'_>, budget: &Budget) -> bool {
        self.conditions.iter().any(|own| own.implies(wanted, budget))
    }
}

impl Condition<'_> {
    /// The operator without what stands around it, which is a set operator before it, and whether an absent key is enough behind it.
    pub(crate) fn parts(&self) -> (&str, &str, bool) {
        let (set, rest) = self.operator.split_once(':').unwrap_or(("", self.operator));
        let base = rest.strip_suffix("IfExists");
        (set, base.unwrap_or(rest), base.is_some())
    }

    /// Whether every request that satisfies it satisfies the other.
    fn implies(&self, wanted: &Condition<'_>, budget: &Budget) -> bool {
        let n_steps = weight(&self.values) + wanted.values.len();
        if budget.spend(n_steps).is_err() {
            return false;
        }
        if self == wanted {
            return true;
        }
        let (set, base, if_exists) = self.parts();
        let (wanted_set, wanted_base, wanted_if_exists) = wanted.parts();
        // A variable without value may spoil the others, and an empty list says something else than others.
        let is_odd = |values: &[Entry<'_>]| {
            values.is_empty() || values.iter().any(|value| value.n_fields == 0)
        };
        let is_negated = base.contains("Not");
        let is_weaker = set.is_empty() && wanted_if_exists && !is_negated;
        let is_plain = |value: &Entry<'_>| !patterns::is_pattern(&value.text);
        let is_pattern = wanted_base == "StringLike"
            && (base == "StringLike" || base == "StringEquals" && self.values.iter().all(is_plain));
        if self.key != wanted.key
            || set != wanted_set
            || base == "Null"
            || base != wanted_base && !is_pattern
            || if_exists != wanted_if_exists && !is_weaker
            || is_odd(&self.values)
            || is_odd(&wanted.values)
        {
            return false;
        }
        let has = |list: &[Entry<'_>], value: &Entry<'_>| {
            budget.spend(n_steps).is_ok()
                && list.iter().any(|other| match is_pattern {
                    true => other.includes(value, budget),
                    false => other == value,
                })
        };
        match is_negated {
            true => wanted.values.iter().all(|value| has(&self.values, value)),
            false => self.values.iter().all(|value| has(&wanted.values, value)),
        }
    }
}
