//! How many questions a second `keyaki batch` answers, from file to file, and how much memory it has meanwhile.
//!
//! Cold: a new process, timed from its start to its end, and every text new to it. Warm: the second of two passes in one
//! process, timed from the last answer of the first; its texts are new as well, under other names, so what helps
//! is only what is kept about patterns and actions. Files are in memory where the system has such a folder.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::answers::{Answers, COLUMNS};
use crate::child::{self, Cost};
use crate::mix::{Census, KINDS, Mix};

/// A folder whose files are in memory.
const IN_MEMORY: &str = "/dev/shm";

/// One run of the program.
#[derive(Clone, Debug)]
pub struct Run {
    /// What was run.
    pub name: String,
    /// How many threads answered.
    pub workers: usize,
    /// How many questions.
    pub n_questions: usize,
    /// Bytes of their lines.
    pub n_bytes: usize,
    /// What it took.
    pub cost: Cost,
}

impl Run {
    /// Questions in a second.
    pub fn rate(&self) -> f64 {
        self.n_questions as f64 / self.cost.wall.as_secs_f64()
    }

    /// Bytes of jobs in a second.
    pub fn bytes_rate(&self) -> f64 {
        self.n_bytes as f64 / self.cost.wall.as_secs_f64()
    }
}

/// What is run, on what.
pub struct Bench<'a> {
    /// The program.
    pub keyaki: &'a Path,
    /// The questions.
    pub mix: &'a Mix,
    /// How many threads answer.
    pub workers: usize,
    /// Every answer so far.
    pub answers: Answers,
    /// What is known of the questions of the cold runs.
    pub census: Census,
    /// Every run so far.
    pub runs: Vec<Run>,
    folder: PathBuf,
}

impl<'a> Bench<'a> {
    /// Nothing run yet. Files go to a folder in memory, or to `scratch` where there is none.
    pub fn new(keyaki: &'a Path, mix: &'a Mix, workers: usize, scratch: &Path) -> Bench<'a> {
        let in_memory = Path::new(IN_MEMORY);
        let folder = if in_memory.is_dir() { in_memory } else { scratch };
        let folder = folder.join(format!("keyaki-throughput-{}", std::process::id()));
        let (answers, census, runs) = <(Answers, Census, Vec<Run>)>::default();
        Bench { keyaki, mix, workers, answers, census, runs, folder }
    }

    /// Questions of a new process, of one kind or of all.
    ///
    /// # Errors
    ///
    /// Files cannot be written, the program fails, or an answer is missing.
    pub fn cold(
        &mut self,
        name: &str,
        workers: usize,
        numbers: Range<u64>,
        kind: Option<usize>,
    ) -> Result<Run, String> {
        let (input, output) = (self.folder.join("jobs.jsonl"), self.folder.join("results.jsonl"));
        let census = self.write(&input, numbers, kind)?;
        let cost = child::from_file(self.keyaki, workers, &input, &output)?;
        let results = fs::read_to_string(&output).map_err(|error| error.to_string())?;
        let before = self.answers.len();
        results.lines().for_each(|line| self.answers.add(line));
        check_count(self.answers.len() - before, census.len())?;
        let run = Run {
            name: name.to_owned(),
            workers,
            n_questions: census.len(),
            n_bytes: census.n_bytes,
            cost,
        };
        if kind.is_none() {
            self.census = census;
        }
        self.runs.push(run.clone());
        Ok(run)
    }

    /// The second of two passes of one process, which have the same jobs under other names.
    ///
    /// # Errors
    ///
    /// As of [`Bench::cold`].
    pub fn warm(&mut self, passes: [Range<u64>; 2]) -> Result<Run, String> {
        let input = self.folder.join("jobs.jsonl");
        fs::create_dir_all(&self.folder).map_err(|error| error.to_string())?;
        let mut file = BufWriter::new(File::create(&input).map_err(|error| error.to_string())?);
        let mut censuses = Vec::new();
        for numbers in passes {
            let census = self.mix.write(numbers, None, &mut file);
            censuses.push(census.map_err(|error| error.to_string())?);
        }
        drop(file);
        let n_first = censuses[0].len();
        let before = self.answers.len();
        let answers = &mut self.answers;
        let wall = child::second_pass(self.keyaki, self.workers, &input, n_first, |line| {
            answers.add(line);
        })?;
        let second = &censuses[1];
        check_count(self.answers.len() - before, n_first + second.len())?;
        let run = Run {
            name: "warm".to_owned(),
            workers: self.workers,
            n_questions: second.len(),
            n_bytes: second.n_bytes,
            cost: Cost { wall, ..Cost::default() },
        };
        self.runs.push(run.clone());
        Ok(run)
    }

    /// So many questions through a pipe, and the most memory that the process had.
    ///
    /// # Errors
    ///
    /// As of [`Bench::cold`].
    pub fn streamed(&mut self, n_questions: u64) -> Result<Run, String> {
        let mut n_bytes = 0;
        let before = self.answers.len();
        let (mix, answers, written) = (self.mix, &mut self.answers, &mut n_bytes);
        let write = |jobs: &mut dyn Write| {
            let mut jobs = BufWriter::new(jobs);
            for number in 0..n_questions {
                let line = format!("{}\n", mix.question(number).job);
                *written += line.len();
                jobs.write_all(line.as_bytes())?;
            }
            jobs.flush()
        };
        let cost = child::from_stream(self.keyaki, self.workers, write, |line| answers.add(line))?;
        check_count(self.answers.len() - before, n_questions as usize)?;
        let run = Run {
            name: "stream".to_owned(),
            workers: self.workers,
            n_questions: n_questions as usize,
            n_bytes,
            cost,
        };
        self.runs.push(run.clone());
        Ok(run)
    }

    fn write(
        &self,
        path: &Path,
        numbers: Range<u64>,
        kind: Option<usize>,
    ) -> Result<Census, String> {
        fs::create_dir_all(&self.folder)
            .and_then(|()| File::create(path))
            .and_then(|file| self.mix.write(numbers, kind, BufWriter::new(file)))
            .map_err(|error| format!("cannot write `{}`: {error}", path.display()))
    }
}

impl Drop for Bench<'_> {
    fn drop(&mut self) {
        // What cannot be removed lies in a folder of the system that is emptied.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn check_count(found: usize, expected: usize) -> Result<(), String> {
    if found == expected {
        return Ok(());
    }
    Err(format!("{expected} questions have {found} answers"))
}

/// The run whose rate is the median.
pub fn median<'r>(runs: &'r [Run], name: &str) -> Option<&'r Run> {
    let mut named: Vec<&Run> = runs.iter().filter(|run| run.name == name).collect();
    named.sort_by(|left, right| left.rate().total_cmp(&right.rate()));
    named.get(named.len() / 2).copied()
}

/// All runs.
pub fn csv(runs: &[Run]) -> String {
    let mut text =
        "run,workers,questions,bytes,wall_ns,user_ns,system_ns,peak_kib,questions_per_second\n"
            .to_owned();
    let nanoseconds = |time: Duration| time.as_nanos();
    for run in runs {
        let Run { name, workers, n_questions, n_bytes, cost } = run;
        let _ = writeln!(
            text,
            "{name},{workers},{n_questions},{n_bytes},{},{},{},{},{:.0}",
            nanoseconds(cost.wall),
            nanoseconds(cost.user),
            nanoseconds(cost.system),
            cost.peak_kib,
            run.rate()
        );
    }
    text
}

/// Answers by kind.
pub fn answers_csv(answers: &Answers) -> String {
    let mut text = format!("kind,{}\n", COLUMNS.join(","));
    for (kind, counts) in KINDS.iter().zip(answers.counts) {
        let _ = writeln!(text, "{kind},{}", counts.map(|count| count.to_string()).join(","));
    }
    text
}
