//! A suite: queries in a folder, with what is known of each.
//!
//! `suite.toml` says what the suite is and has its hash; `queries.jsonl` has a line for each query; the scripts are
//! files, one for each dialect that says something else. A query is named by the hash of its script, so
//! the same query has the same name in every suite, and a record says which suite it is of by the hash of all.
//!
//! One file for everything was not taken: a shell should be able to put a query to a solver.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::hash::{hex_of, rank};
use crate::sexp;

/// The dialect whose script names the query.
pub const STANDARD: &str = "smtlib-2.6";

/// How many queries a suite may have.
const QUERIES_MAX: usize = 1_000_000;

/// How long a script may be, in bytes.
const SCRIPT_BYTES_MAX: u64 = 64 << 20;

/// What a script has, as far as its words tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Features {
    /// Bytes of the script.
    pub bytes: usize,
    /// Assertions.
    pub asserts: usize,
    /// String variables.
    pub strings: usize,
    /// Truth variables.
    pub bools: usize,
    /// Bit-vector variables.
    pub bits: usize,
    /// Memberships in regular languages.
    pub regexes: usize,
    /// Word equations and their kin: concatenations, prefixes, suffixes, parts, positions.
    pub equations: usize,
    /// Statements of the policies that the query is about; 0 if it is about none.
    pub statements: usize,
}

impl Features {
    /// The names, in the order of [`Features::values`].
    pub const NAMES: [&str; 8] =
        ["bytes", "asserts", "strings", "bools", "bits", "regexes", "equations", "statements"];

    /// What the words of a script tell.
    ///
    /// # Errors
    ///
    /// It is no script.
    pub fn of(script: &str) -> Result<Features, String> {
        const EQUATIONS: [&str; 7] = [
            "str.++",
            "str.prefixof",
            "str.suffixof",
            "str.contains",
            "str.indexof",
            "str.substr",
            "str.replace",
        ];
        let words = sexp::words(script)?;
        let mut features = Features { bytes: script.len(), ..Features::default() };
        for (at, word) in words.iter().enumerate() {
            match *word {
                "assert" => features.asserts += 1,
                "str.in_re" | "str.in.re" => features.regexes += 1,
                word if EQUATIONS.contains(&word) => features.equations += 1,
                "declare-const" | "declare-fun" => {
                    // After the name, a function has its arguments, here none.
                    let after = words.get(at + 2..).unwrap_or_default();
                    let sort = match after {
                        ["(", ")", rest @ ..] => rest,
                        rest => rest,
                    };
                    match sort {
                        ["String", ..] => features.strings += 1,
                        ["Bool", ..] => features.bools += 1,
                        ["(", "_", "BitVec", ..] => features.bits += 1,
                        _ => {}
                    }
                }
                _ => {}
            }
        }
        Ok(features)
    }

    /// The numbers, in the order of [`Features::NAMES`].
    pub fn values(&self) -> [usize; 8] {
        let f = self;
        [f.bytes, f.asserts, f.strings, f.bools, f.bits, f.regexes, f.equations, f.statements]
    }
}

/// A script in a dialect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Script {
    /// Its path below the suite's folder.
    pub file: String,
    /// SHA-256 of its text.
    pub sha256: String,
}

/// A query.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Query {
    /// The first 16 digits of the SHA-256 of its script in the first dialect.
    pub id: String,
    /// What people call it: its recipe, or its path.
    pub name: String,
    /// What it is one of.
    pub family: String,
    /// `sat` or `unsat`, if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// How it is known: `model` (evaluated), `certificate` (checked), `agreed` (by two families of solvers), `given`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_by: Option<String>,
    /// How long it takes: `small` (below 0.1 s), `medium` (1 s), `large` (10 s), `huge`, if it was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<String>,
    /// How the tier is known: `measured`, or by the `name` of another query that was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier_by: Option<String>,
    /// What it has.
    pub features: Features,
    /// Its scripts by dialect.
    pub scripts: BTreeMap<String, Script>,
}

impl Query {
    /// Its script in the first of these dialects that it has, with the dialect.
    pub fn script(&self, dialects: &[String]) -> Option<(&str, &Script)> {
        dialects.iter().find_map(|dialect| {
            self.scripts.get_key_value(dialect).map(|(name, script)| (name.as_str(), script))
        })
    }

    /// What a sample takes its share of: the family, and the size of the script in powers of four.
    pub fn stratum(&self) -> String {
        format!("{}/{}", self.family, self.features.bytes.max(1).ilog2() / 2)
    }
}

/// What a suite is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// Its name.
    pub name: String,
    /// How it is made.
    pub recipe: String,
    /// How many queries it has.
    pub queries: usize,
    /// [`hash_of`] them.
    pub hash: String,
}

/// A suite.
#[derive(Clone, Debug)]
pub struct Suite {
    /// Where it is.
    pub folder: PathBuf,
    /// What it is.
    pub header: Header,
    /// Its queries, in the order of their ids.
    pub queries: Vec<Query>,
}

/// A hash of the ids and the scripts; not of names, tiers, features, and what is known of the answers.
pub fn hash_of(queries: &[Query]) -> String {
    let mut lines: Vec<String> = queries
        .iter()
        .map(|query| {
            let script =
                |(dialect, script): (&String, &Script)| format!("{dialect} {}", script.sha256);
            let scripts: Vec<String> = query.scripts.iter().map(script).collect();
            format!("{} {}\n", query.id, scripts.join(" "))
        })
        .collect();
    lines.sort_unstable();
    hex_of(lines.concat().as_bytes())
}

/// A query of its scripts by dialect, of which the standard one, or else the first, names it; the scripts' files are
/// yet to be written, by [`Query::scripts`].
///
/// # Errors
///
/// There is none, or one is no script.
pub fn query(
    name: &str,
    family: &str,
    scripts: &BTreeMap<String, String>,
) -> Result<Query, String> {
    let (first, text) = scripts
        .get_key_value(STANDARD)
        .or_else(|| scripts.first_key_value())
        .ok_or_else(|| format!("`{name}` has no script"))?;
    let id = hex_of(text.as_bytes())[..16].to_owned();
    let script = |(dialect, text): (&String, &String)| {
        let file = match dialect == first {
            true => format!("scripts/{}/{id}.smt2", &id[..2]),
            false => format!("scripts/{}/{id}.{dialect}.smt2", &id[..2]),
        };
        (dialect.clone(), Script { file, sha256: hex_of(text.as_bytes()) })
    };
    Ok(Query {
        name: name.to_owned(),
        family: family.to_owned(),
        status: None,
        status_by: None,
        tier: None,
        tier_by: None,
        features: Features::of(text).map_err(|error| format!("`{name}`: {error}"))?,
        scripts: scripts.iter().map(script).collect(),
        id,
    })
}

impl Suite {
    /// Writes what describes the suite into its folder; the scripts are there already.
    ///
    /// # Errors
    ///
    /// The system's words.
    pub fn write(
        folder: &Path,
        name: &str,
        recipe: &str,
        mut queries: Vec<Query>,
    ) -> Result<Suite, String> {
        queries.sort_by(|a, b| a.id.cmp(&b.id));
        queries.dedup_by(|a, b| a.id == b.id);
        let header = Header {
            name: name.to_owned(),
            recipe: recipe.to_owned(),
            queries: queries.len(),
            hash: hash_of(&queries),
        };
        let mut lines = String::new();
        for query in &queries {
            lines += &serde_json::to_string(query).map_err(|error| error.to_string())?;
            lines.push('\n');
        }
        let head = header.text();
        fs::create_dir_all(folder)
            .and_then(|()| fs::write(folder.join("queries.jsonl"), lines))
            .and_then(|()| fs::write(folder.join("suite.toml"), head))
            .map_err(|error| format!("cannot write into `{}`: {error}", folder.display()))?;
        Ok(Suite { folder: folder.to_owned(), header, queries })
    }

    /// Reads a suite; a folder without `suite.toml` is not one (`keyaki-bench index` makes one of it).
    ///
    /// # Errors
    ///
    /// It cannot be read, or is not what its hash says.
    pub fn read(folder: &Path) -> Result<Suite, String> {
        let read = |name: &str| {
            let path = folder.join(name);
            fs::read_to_string(&path).map_err(|error| {
                let hint = "hint: `keyaki-bench index` makes a suite of a folder of scripts";
                format!("cannot read `{}`: {error}\n{hint}", path.display())
            })
        };
        let header: Header = toml::from_str(&read("suite.toml")?)
            .map_err(|error| format!("`{}/suite.toml`: {error}", folder.display()))?;
        let mut queries = Vec::new();
        for (number, line) in read("queries.jsonl")?.lines().enumerate() {
            if number >= QUERIES_MAX {
                return Err(format!("more than {QUERIES_MAX} queries"));
            }
            let query: Query = serde_json::from_str(line).map_err(|error| {
                format!("`{}/queries.jsonl`, line {}: {error}", folder.display(), number + 1)
            })?;
            queries.push(query);
        }
        if hash_of(&queries) != header.hash {
            return Err(format!(
                "the queries of `{}` are not those that its hash is of\nhint: make the suite again",
                folder.display()
            ));
        }
        Ok(Suite { folder: folder.to_owned(), header, queries })
    }

    /// The text of a script, if it is what the suite says.
    ///
    /// # Errors
    ///
    /// It cannot be read, or is another one.
    pub fn text(&self, script: &Script) -> Result<String, String> {
        let path = self.folder.join(&script.file);
        let told = |error: std::io::Error| format!("cannot read `{}`: {error}", path.display());
        if fs::metadata(&path).map_err(told)?.len() > SCRIPT_BYTES_MAX {
            return Err(format!("`{}` has more than {SCRIPT_BYTES_MAX} bytes", path.display()));
        }
        let text = fs::read_to_string(&path).map_err(told)?;
        if hex_of(text.as_bytes()) != script.sha256 {
            return Err(format!("`{}` is not the script that the suite has", path.display()));
        }
        Ok(text)
    }

    /// The first twelve digits of its hash, which are on every row of a record.
    pub fn short_hash(&self) -> &str {
        &self.header.hash[..12.min(self.header.hash.len())]
    }
}

impl Header {
    fn text(&self) -> String {
        let body = toml_text(self);
        format!("# A suite of queries; `queries.jsonl` has a line for each.\n{body}")
    }
}

fn toml_text(header: &Header) -> String {
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    format!(
        "name = {}\nrecipe = {}\nqueries = {}\nhash = {}\n",
        quoted(&header.name),
        quoted(&header.recipe),
        header.queries,
        quoted(&header.hash)
    )
}

/// How many of a stratum a sample has at least, if there are so many.
const PER_STRATUM_MIN: usize = 10;

/// A sample of `size`, more or less: from each stratum its share, but at least ten. Which, depends on
/// the seed alone; so does the order, in which any beginning is a sample of the sample.
pub fn sample<'q>(
    queries: impl IntoIterator<Item = &'q Query>,
    size: usize,
    seed: &str,
) -> Vec<&'q Query> {
    let mut strata: BTreeMap<String, Vec<&Query>> = BTreeMap::new();
    let mut total = 0;
    for query in queries {
        strata.entry(query.stratum()).or_default().push(query);
        total += 1;
    }
    let mut drawn = Vec::new();
    for mut stratum in strata.into_values() {
        stratum.sort_by_key(|query| rank(seed, &query.id));
        let share = (stratum.len() * size).div_ceil(total.max(1));
        stratum.truncate(share.max(PER_STRATUM_MIN.min(size)));
        drawn.extend(stratum);
    }
    drawn.sort_by_key(|query| rank(&format!("{seed}/order"), &query.id));
    drawn
}

/// How many files of a folder are looked at.
const FILES_MAX: usize = 2_000_000;

/// Makes a suite of a folder of scripts: each file `*.smt2` is a query, its family is its folder, and its status is
/// what its `(set-info :status …)` says.
///
/// # Errors
///
/// A file cannot be read or is no script.
pub fn index(folder: &Path, name: &str) -> Result<Suite, String> {
    let mut queries = Vec::new();
    let mut waiting = vec![folder.to_owned()];
    let mut n_files = 0;
    while let Some(inner) = waiting.pop() {
        let entries = fs::read_dir(&inner)
            .map_err(|error| format!("cannot read `{}`: {error}", inner.display()))?;
        for entry in entries {
            let path = entry.map_err(|error| error.to_string())?.path();
            n_files += 1;
            if n_files > FILES_MAX {
                return Err(format!("more than {FILES_MAX} files"));
            }
            if path.is_dir() {
                waiting.push(path);
            } else if path.extension().is_some_and(|extension| extension == "smt2") {
                queries.push(of_file(folder, &path)?);
            }
        }
    }
    Suite::write(
        folder,
        name,
        &format!("keyaki-bench index: the scripts of a folder, {name}"),
        queries,
    )
}

fn of_file(folder: &Path, path: &Path) -> Result<Query, String> {
    let text = fs::read_to_string(path)
        .map_err(|error| format!("cannot read `{}`: {error}", path.display()))?;
    let file = path.strip_prefix(folder).unwrap_or(path).display().to_string();
    let family = match file.rsplit_once('/') {
        Some((family, _)) => family.to_owned(),
        None => "all".to_owned(),
    };
    let scripts = [(STANDARD.to_owned(), text.clone())].into();
    let mut query = query(&file, &family, &scripts)?;
    for script in query.scripts.values_mut() {
        script.file.clone_from(&file);
    }
    let words = sexp::words(&text).map_err(|error| format!("`{file}`: {error}"))?;
    let status = words.windows(2).find(|pair| pair[0] == ":status").map(|pair| pair[1]);
    if let Some(status @ ("sat" | "unsat")) = status {
        query.status = Some(status.to_owned());
        query.status_by = Some("given".to_owned());
    }
    Ok(query)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queries(n: usize) -> Vec<Query> {
        let query = |number: usize| {
            let text = format!("(assert (= x \"{number}\"))");
            query(
                &number.to_string(),
                ["a", "b"][number % 2],
                &[(STANDARD.to_owned(), text)].into(),
            )
        };
        (0..n).map(|number| query(number).unwrap()).collect()
    }

    #[test]
    fn features_are_counted() {
        let script = "(declare-const x String)(declare-fun |y z| () Bool)(declare-const b (_ BitVec 32))\n\
                      (assert (str.in_re x (re.++ re.all (str.to_re \"assert\"))))\n\
                      (assert (= x (str.++ x x)))";
        let features = Features::of(script).unwrap();
        assert_eq!(features.values()[1..], [2, 1, 1, 1, 1, 1, 0]);
    }

    #[test]
    fn a_hash_depends_on_scripts_and_on_nothing_else() {
        let all = queries(5);
        let mut other = all.clone();
        other.reverse();
        assert_eq!(hash_of(&all), hash_of(&other));
        other[0].status = Some("sat".to_owned());
        assert_eq!(hash_of(&all), hash_of(&other));
        other[0].scripts.clear();
        assert_ne!(hash_of(&all), hash_of(&other));
    }

    #[test]
    fn a_sample_depends_on_the_seed_alone_and_has_some_of_every_stratum() {
        let all = queries(300);
        let ids = |drawn: Vec<&Query>| {
            drawn.into_iter().map(|query| query.id.clone()).collect::<Vec<_>>()
        };
        let drawn = ids(sample(&all, 50, "s"));
        assert_eq!(drawn, ids(sample(all.iter().rev(), 50, "s")));
        assert_ne!(drawn, ids(sample(&all, 50, "t")));
        assert!((50..=70).contains(&drawn.len()), "{}", drawn.len());
        for family in ["a", "b"] {
            assert!(
                sample(&all, 50, "s").iter().filter(|query| query.family == family).count() >= 10
            );
        }
    }
}
