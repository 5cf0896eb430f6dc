//! Tiers: how long a query takes, in a word, as a record has it, and kept in a file of its own.
//!
//! Suites are made again, so what was measured once has to find its query again. A line of the file has the query's id,
//! which is a hash of its script, and its name. Where the script is the same the tier was measured; where only the name is,
//! as when the encoder has changed, the tier is that of the query's predecessor, and the suite says which of both it is.
//! Queries of no record have no tier: to guess one from the length of a script would put a number where there is none.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::fs;
use std::path::Path;

use crate::compare::Clock;
use crate::suite::Query;
use crate::table::Table;

/// The tiers, and the time below which a query is of it, in seconds.
pub const TIERS: [(&str, f64); 4] =
    [("small", 0.1), ("medium", 1.0), ("large", 10.0), ("huge", f64::INFINITY)];

/// How the tier of a query is known: it was measured.
pub const MEASURED: &str = "measured";

/// How the tier of a query is known: another one that had its name was measured.
pub const NAME: &str = "name";

/// How many lines a file may have.
const LINES_MAX: usize = 1_000_000;

/// The tier of each query that was put to one of the contestants `members`, by the slowest of them, so that a small one is
/// small for all. What one of them did not solve is huge.
pub fn of_record(table: &Table, members: &[usize], clock: Clock) -> BTreeMap<String, &'static str> {
    let mut tiers = BTreeMap::new();
    for (query, cells) in &table.queries {
        let times = members.iter().filter_map(|at| cells[*at].as_ref()).map(|cell| {
            match cell.is_solved() {
                true => clock.of(cell),
                false => f64::INFINITY,
            }
        });
        if let Some(slowest) = times.reduce(f64::max) {
            let tier = TIERS.iter().find(|(_, below)| slowest < *below);
            tiers.insert(query.clone(), tier.map_or("huge", |(tier, _)| tier));
        }
    }
    tiers
}

/// Tiers by query.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tiers {
    by_id: BTreeMap<String, String>,
    by_name: BTreeMap<String, String>,
}

/// How many queries got a tier, and how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attached {
    /// The query itself was measured.
    pub n_measured: usize,
    /// Another query of its name was.
    pub n_by_name: usize,
    /// They have none.
    pub n_none: usize,
}

impl fmt::Display for Attached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "tiers: {} queries were measured, {} have that of a measured one of their name, {} have none",
            self.n_measured, self.n_by_name, self.n_none
        )
    }
}

/// The file: comments that say what it is from, and a line for each query that has a tier.
pub fn text(source: &str, queries: &[Query]) -> String {
    let mut text: String = source.lines().map(|line| format!("# {line}\n")).collect();
    text += "tier,query,name\n";
    let mut tiered: Vec<(&str, &str, &str)> = queries
        .iter()
        // A name with a line feed would be two lines; its query is still found by its id.
        .filter_map(|query| Some((query.name.lines().next()?, &*query.id, query.tier.as_deref()?)))
        .collect();
    tiered.sort_unstable();
    for (name, id, tier) in tiered {
        let _ = writeln!(text, "{tier},{id},{name}");
    }
    text
}

impl Tiers {
    /// Reads a file.
    ///
    /// # Errors
    ///
    /// It cannot be read, or is not what it should be.
    pub fn read(path: &Path) -> Result<Tiers, String> {
        let text = fs::read_to_string(path)
            .map_err(|error| format!("cannot read `{}`: {error}", path.display()))?;
        Tiers::parse(&text).map_err(|error| format!("`{}`, {error}", path.display()))
    }

    /// The tiers of a text.
    ///
    /// # Errors
    ///
    /// A line is not what it should be.
    pub fn parse(text: &str) -> Result<Tiers, String> {
        let mut tiers = Tiers::default();
        let lines = text.lines().enumerate().filter(|(_, line)| !line.starts_with('#'));
        for (number, line) in lines.skip(1) {
            if number >= LINES_MAX {
                return Err(format!("more than {LINES_MAX} lines"));
            }
            let mut parts = line.splitn(3, ',');
            let (Some(tier), Some(id), Some(name)) = (parts.next(), parts.next(), parts.next())
            else {
                return Err(format!("line {}: `{line}` is no `TIER,QUERY,NAME`", number + 1));
            };
            if TIERS.iter().all(|(word, _)| *word != tier) {
                let words = TIERS.map(|(word, _)| word).join(", ");
                return Err(format!(
                    "line {}: there is no tier `{tier}`\nhint: there are {words}",
                    number + 1
                ));
            }
            tiers.by_id.insert(id.to_owned(), tier.to_owned());
            tiers.by_name.insert(name.to_owned(), tier.to_owned());
        }
        Ok(tiers)
    }

    /// Gives queries their tiers, and takes away those that they had.
    pub fn attach(&self, queries: &mut [Query]) -> Attached {
        let mut attached = Attached::default();
        for query in queries {
            let by_id = self.by_id.get(&query.id).map(|tier| (tier, MEASURED));
            let found = by_id.or_else(|| Some((self.by_name.get(&query.name)?, NAME)));
            match found {
                Some((_, MEASURED)) => attached.n_measured += 1,
                Some(_) => attached.n_by_name += 1,
                None => attached.n_none += 1,
            }
            query.tier = found.map(|(tier, _)| tier.clone());
            query.tier_by = found.map(|(_, by)| by.to_owned());
        }
        attached
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Record;
    use crate::record::testing::row;
    use crate::suite::{STANDARD, query};

    fn of(name: &str, text: &str) -> Query {
        query(name, "f", &[(STANDARD.to_owned(), text.to_owned())].into()).unwrap()
    }

    #[test]
    fn a_query_has_the_tier_of_the_slowest_and_what_was_not_asked_has_none() {
        let rows = vec![
            row("p", "a", "sat", 50),
            row("p", "b", "sat", 999),
            row("q", "a", "sat", 5),
            row("q", "b", "walltime", 30_000),
        ];
        let table = Table::new(&Record { rows, notes: Vec::new() }).unwrap();
        let tiers = of_record(&table, &[0, 1], Clock::Wall);
        assert_eq!(tiers, [("p".to_owned(), "medium"), ("q".to_owned(), "huge")].into());
        let tiers = of_record(&table, &[0], Clock::Wall);
        assert_eq!(tiers, [("p".to_owned(), "small"), ("q".to_owned(), "small")].into());
    }

    #[test]
    fn a_tier_finds_its_query_by_its_script_and_else_by_its_name_and_says_which() {
        let mut old = [of("same, name", "(assert a)"), of("moved", "(assert b)")];
        old[0].tier = Some("large".to_owned());
        old[1].tier = Some("small".to_owned());
        let text = text("of a record", &old);
        let tiers = Tiers::parse(&text).unwrap();
        let mut new = [
            of("same, name", "(assert changed)"),
            of("elsewhere", "(assert b)"),
            of("other", "(assert c)"),
        ];
        let attached = tiers.attach(&mut new);
        assert_eq!(attached, Attached { n_measured: 1, n_by_name: 1, n_none: 1 });
        let found = new.map(|query| [query.tier, query.tier_by].map(Option::unwrap_or_default));
        assert_eq!(
            found,
            [["large", NAME], ["small", MEASURED], ["", ""]].map(|two| two.map(str::to_owned))
        );
    }

    #[test]
    fn a_line_that_is_none_is_told_of() {
        let error = Tiers::parse("# x\ntier,query,name\ntiny,1,a\n").unwrap_err();
        assert!(
            error.starts_with("line 3: there is no tier `tiny`\nhint: there are small,"),
            "{error}"
        );
        let error = Tiers::parse("tier,query,name\nsmall\n").unwrap_err();
        assert_eq!(error, "line 2: `small` is no `TIER,QUERY,NAME`");
    }
}
