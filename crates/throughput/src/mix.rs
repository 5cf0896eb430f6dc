//! The questions that are measured: a third of each kind, no text twice.
//!
//! Jobs come from `cargo xtask bench`, in an order that a seed gives. Question number `n` is of kind `n % 3`, and
//! the next job of that kind, under the names that [`rename`](mod@crate::rename) gives it for `n`. When the jobs of a kind are
//! used up they begin again, under other names; and so they do with question [`PASS`], so that two passes are of the
//! same jobs and have no text in common.

use std::collections::HashSet;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Write};
use std::ops::Range;
use std::path::Path;

use serde_json::Value;

use crate::rename::rename;

/// The kinds of questions, in the order of reports.
pub const KINDS: [&str; 3] = ["no-public-access", "no-new-access", "access-not-granted"];

/// The questions of a pass. The first of each pass are of the same jobs.
pub const PASS: u64 = 3_000_000_000;

/// Jobs by kind.
pub struct Mix {
    jobs: [Vec<String>; 3],
    seed: String,
}

/// One question.
#[derive(Clone, Debug)]
pub struct Drawn {
    /// Index of its kind.
    pub kind: usize,
    /// The id of the job that it is made of.
    pub base: String,
    /// The job.
    pub job: Value,
    /// Whether more than `Sid`s were replaced.
    pub is_renamed: bool,
}

/// What is known of questions without asking them.
#[derive(Clone, Debug, Default)]
pub struct Census {
    /// How many there are, by kind.
    pub n_questions: [usize; 3],
    /// Bytes of their policies, as compact JSON, by kind.
    pub n_policy_bytes: [usize; 3],
    /// Bytes of their lines.
    pub n_bytes: usize,
    /// How many have other names than the job that they are made of.
    pub n_renamed: usize,
    /// How many differ from all before in more than `Sid`s.
    pub n_new: usize,
    /// Hashes of the lines without their ids and `Sid`s.
    seen: HashSet<u64>,
}

impl Mix {
    /// The jobs of a file, one a line.
    ///
    /// # Errors
    ///
    /// The file cannot be read, has something else, or lacks a kind.
    pub fn read(path: &Path, seed: &str) -> Result<Mix, String> {
        let text = fs::read_to_string(path)
            .map_err(|error| format!("cannot read `{}`: {error}", path.display()))?;
        Mix::new(text.lines().map(str::to_owned), seed)
    }

    /// A mix of these jobs.
    ///
    /// # Errors
    ///
    /// One is no job, or a kind has none.
    pub fn new(lines: impl Iterator<Item = String>, seed: &str) -> Result<Mix, String> {
        let mut jobs = [const { Vec::new() }; 3];
        for line in lines {
            let job: Value = serde_json::from_str(&line).map_err(|error| error.to_string())?;
            let question = job["question"].as_str().unwrap_or_default();
            let kind = KINDS.iter().position(|kind| *kind == question);
            jobs[kind.ok_or_else(|| format!("a job asks `{question}`"))?].push(line);
        }
        match jobs.iter().position(Vec::is_empty) {
            Some(kind) => Err(format!("no job asks `{}`", KINDS[kind])),
            None => Ok(Mix { jobs, seed: seed.to_owned() }),
        }
    }

    /// The jobs, as they were read.
    pub fn lines(&self) -> impl Iterator<Item = &str> {
        self.jobs.iter().flatten().map(String::as_str)
    }

    /// How many jobs of each kind there are.
    pub fn n_jobs(&self) -> [usize; 3] {
        self.jobs.each_ref().map(Vec::len)
    }

    /// Question number `number`.
    pub fn question(&self, number: u64) -> Drawn {
        let kind = (number % 3) as usize;
        let jobs = &self.jobs[kind];
        let line = &jobs[(number % PASS / 3) as usize % jobs.len()];
        let mut job: Value = serde_json::from_str(line).expect("it was read before");
        let base = job["id"].as_str().unwrap_or_default().to_owned();
        let is_renamed = rename(&mut job, &self.seed, number);
        job["id"] = format!("{number}:{base}").into();
        Drawn { kind, base, job, is_renamed }
    }

    /// Writes the questions of these numbers, one a line, of one kind only if `kind` says so.
    ///
    /// # Errors
    ///
    /// As of the writer.
    pub fn write(
        &self,
        numbers: Range<u64>,
        kind: Option<usize>,
        mut out: impl Write,
    ) -> io::Result<Census> {
        let mut census = Census::default();
        for number in numbers {
            if kind.is_some_and(|kind| number % 3 != kind as u64) {
                continue;
            }
            let drawn = self.question(number);
            let line = format!("{}\n", drawn.job);
            out.write_all(line.as_bytes())?;
            census.add(&drawn, line.len());
        }
        out.flush()?;
        Ok(census)
    }
}

impl Drawn {
    /// The policies of the job.
    pub fn policies(&self) -> impl Iterator<Item = (&'static str, &Value)> {
        let members = ["policy", "existing", "new"];
        members.into_iter().filter_map(|name| Some((name, self.job.get(name)?)))
    }
}

impl Census {
    fn add(&mut self, drawn: &Drawn, n_bytes: usize) {
        self.n_questions[drawn.kind] += 1;
        self.n_bytes += n_bytes;
        self.n_renamed += usize::from(drawn.is_renamed);
        let mut bare = drawn.job.clone();
        bare["id"] = Value::Null;
        for (name, policy) in drawn.policies() {
            self.n_policy_bytes[drawn.kind] += policy.to_string().len();
            let statements = bare[name].get_mut("Statement");
            let statements = match statements {
                Some(Value::Array(statements)) => statements.as_mut_slice(),
                Some(statement) => std::slice::from_mut(statement),
                None => &mut [],
            };
            for statement in statements.iter_mut().filter_map(Value::as_object_mut) {
                statement.remove("Sid");
            }
        }
        let mut hasher = DefaultHasher::new();
        bare.to_string().hash(&mut hasher);
        self.n_new += usize::from(self.seen.insert(hasher.finish()));
    }

    /// How many questions there are of all kinds.
    pub fn len(&self) -> usize {
        self.n_questions.iter().sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mix() -> Mix {
        let job = |id: &str, question: &str| {
            format!(
                r#"{{"id":"{id}","question":"{question}","policy":{{"Statement":
                {{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::bucket-{id}"}}}}}}"#
            )
        };
        let lines =
            [job("a", KINDS[0]), job("b", KINDS[1]), job("c", KINDS[2]), job("d", KINDS[0])];
        Mix::new(lines.into_iter(), "s").unwrap()
    }

    #[test]
    fn kinds_take_turns_and_no_text_repeats() {
        let mix = mix();
        let mut text = Vec::new();
        let census = mix.write(0..300, None, &mut text).unwrap();
        assert_eq!(census.n_questions, [100; 3]);
        assert_eq!((census.n_renamed, census.n_new, census.n_bytes), (300, 300, text.len()));
        let text = String::from_utf8(text).unwrap();
        let policies: HashSet<&str> =
            text.lines().map(|line| &line[line.find("\"policy\"").unwrap()..]).collect();
        assert_eq!(policies.len(), 300);
        assert_eq!(mix.question(9).base, "d");
        let [first, second] = [9, PASS + 9].map(|number| mix.question(number));
        assert_eq!((first.kind, first.base), (second.kind, second.base));
        assert_ne!(first.job["policy"], second.job["policy"]);
    }

    #[test]
    fn questions_of_one_kind_are_those_of_the_mix() {
        let mix = mix();
        let (mut all, mut some) = (Vec::new(), Vec::new());
        mix.write(0..30, None, &mut all).unwrap();
        let census = mix.write(0..30, Some(1), &mut some).unwrap();
        assert_eq!(census.n_questions, [0, 10, 0]);
        let all = String::from_utf8(all).unwrap();
        assert!(String::from_utf8(some).unwrap().lines().all(|line| all.contains(line)));
    }

    #[test]
    fn a_kind_without_jobs_is_an_error() {
        assert!(Mix::new(std::iter::empty(), "s").is_err());
        assert!(Mix::new([r#"{"question":"other"}"#.to_owned()].into_iter(), "s").is_err());
    }
}
