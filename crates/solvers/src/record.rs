//! Keeps scripts as files that can be replayed by hand.
//!
//! A query has one number, whoever is asked: `0007-z3.smt2` and `0007-cvc5.smt2` are two ways of
//! saying the same thing. The number is taken from a counter file under a lock, so that runs after
//! each other and beside each other do not share numbers.
//!
//! The members of a portfolio must agree on the number without knowing of each other, and
//! [`Solver::solve`] has no room for it. So it travels in a thread-local: the portfolio enters
//! each member's thread into the query. A parameter in the contract was rejected, because every
//! solver would have to pass it on and only this file wants it.
//!
//! [`Solver::solve`]: keyaki_logic::Solver::solve

use std::cell::RefCell;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::config::Definition;

/// The counter's file in a directory of scripts: the number that was given last.
const COUNTER: &str = ".last-number";

/// Writes `script` for the solver `definition` into `directory`, which is created if it is not
/// there; returns the file's path.
///
/// # Errors
///
/// The system's, if the directory or the file cannot be written.
pub(crate) fn save(directory: &Path, definition: &Definition, script: &str) -> io::Result<PathBuf> {
    fs::create_dir_all(directory)?;
    let directory = std::path::absolute(directory)?;
    let query = Query::current();
    let number = query.number(&directory)?;
    let again = match query.n_scripts(&definition.name) {
        0 => String::new(),
        // Somebody between the portfolio and the process asks more than once.
        n => format!(".{}", n + 1),
    };
    let name = plain(&definition.name);
    let path = directory.join(format!("{number:04}-{name}{again}.smt2"));
    let mut file = File::create(&path)?;
    writeln!(file, "; replay: {}", replay(definition, &path))?;
    file.write_all(script.as_bytes())?;
    query.lock().scripts.push((definition.name.clone(), path.clone()));
    Ok(path)
}

/// One question that may be put to several solvers. Clones are the same query.
#[derive(Clone, Default)]
pub(crate) struct Query {
    shared: Arc<Mutex<Shared>>,
}

#[derive(Default)]
struct Shared {
    /// The number in each directory that keeps scripts of this query.
    numbers: Vec<(PathBuf, u64)>,
    /// Solvers and where their scripts are.
    scripts: Vec<(String, PathBuf)>,
}

thread_local! {
    static CURRENT: RefCell<Option<Query>> = const { RefCell::new(None) };
}

impl Query {
    /// The query that this thread is in, or a new one.
    pub(crate) fn current() -> Query {
        CURRENT.with_borrow(Clone::clone).unwrap_or_default()
    }

    /// Runs `body` with this thread in the query.
    pub(crate) fn enter<R>(&self, body: impl FnOnce() -> R) -> R {
        struct Restore(Option<Query>);
        impl Drop for Restore {
            fn drop(&mut self) {
                CURRENT.set(self.0.take());
            }
        }
        let _restore = Restore(CURRENT.replace(Some(self.clone())));
        body()
    }

    /// Where the last script for `solver` is.
    pub(crate) fn script(&self, solver: &str) -> Option<PathBuf> {
        let shared = self.lock();
        shared.scripts.iter().rfind(|(name, _)| name == solver).map(|(_, path)| path.clone())
    }

    fn n_scripts(&self, solver: &str) -> usize {
        self.lock().scripts.iter().filter(|(name, _)| name == solver).count()
    }

    fn number(&self, directory: &Path) -> io::Result<u64> {
        let mut shared = self.lock();
        if let Some((_, number)) = shared.numbers.iter().find(|(known, _)| known == directory) {
            return Ok(*number);
        }
        let number = next_number(directory)?;
        shared.numbers.push((directory.to_owned(), number));
        Ok(number)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes a number that nobody has taken in `directory`, not even by putting a file there.
fn next_number(directory: &Path) -> io::Result<u64> {
    let mut options = OpenOptions::new();
    let mut counter = options
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(directory.join(COUNTER))?;
    // Released when the file is closed.
    counter.lock()?;
    let mut text = String::new();
    // Longer than any number is not ours, and then reading the directory is the better source.
    (&mut counter).take(32).read_to_string(&mut text)?;
    let last = match text.trim().parse::<u64>() {
        Ok(last) => last,
        Err(_) => highest_number(directory)?,
    };
    let number = last.saturating_add(1);
    counter.rewind()?;
    counter.set_len(0)?;
    writeln!(counter, "{number}")?;
    Ok(number)
}

fn highest_number(directory: &Path) -> io::Result<u64> {
    let mut highest = 0;
    for entry in fs::read_dir(directory)? {
        let name = entry?.file_name();
        let number = name.to_str().and_then(|name| name.split_once('-')?.0.parse().ok());
        highest = highest.max(number.unwrap_or(0));
    }
    Ok(highest)
}

/// The shell command that asks the same again.
fn replay(definition: &Definition, path: &Path) -> String {
    let words = std::iter::once(&definition.command).chain(&definition.arguments);
    let mut line: Vec<String> = words.map(|word| quoted(word)).collect();
    line.push("<".to_owned());
    line.push(quoted(&path.to_string_lossy()));
    line.join(" ")
}

/// `word` as one word of a shell, on one line.
fn quoted(word: &str) -> String {
    let harmless = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@%".contains(c);
    if !word.is_empty() && word.chars().all(harmless) {
        return word.to_owned();
    }
    if !word.contains(|c: char| c.is_ascii_control()) {
        return format!("'{}'", word.replace('\'', r"'\''"));
    }
    // Not every shell knows this notation, but a line break must not end the comment.
    let escaped = word.chars().map(|c| match c {
        '\'' | '\\' => format!("\\x{:02x}", u32::from(c)),
        c if c.is_ascii_control() => format!("\\x{:02x}", u32::from(c)),
        c => c.to_string(),
    });
    format!("$'{}'", escaped.collect::<String>())
}

/// `name` as a part of a file name.
fn plain(name: &str) -> String {
    let harmless = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    name.chars().map(|c| if harmless(c) { c } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_quoted(word: &str, expected: &str) {
        assert_eq!(quoted(word), expected);
    }

    #[test]
    fn a_shell_reads_a_quoted_word_as_it_was() {
        check_quoted("--lang=smt2.6", "--lang=smt2.6");
        check_quoted("", "''");
        check_quoted("a b", "'a b'");
        check_quoted("$(rm)", "'$(rm)'");
        check_quoted("it's", r"'it'\''s'");
        check_quoted("a\nb'c\\", r"$'a\x0ab\x27c\x5c'");
    }

    #[test]
    fn a_thread_leaves_the_query_that_it_entered() {
        let (outer, inner) = (Query::default(), Query::default());
        let is = |query: &Query| Arc::ptr_eq(&Query::current().shared, &query.shared);
        outer.enter(|| {
            assert!(is(&outer));
            inner.enter(|| assert!(is(&inner)));
            assert!(is(&outer));
        });
        assert!(!is(&outer) && !is(&inner));
    }
}
