//! Records: one row for each run, as comma-separated values, with everything on the row that it may be asked about.
//!
//! Numbers are as measured: nanoseconds and bytes as integers, never rounded. A row is written at once with its
//! line feed, so a last line without one was cut off by whatever ended the measurement; it is left out, and told
//! of. Old records stay readable: columns are found by name, and a new one would be optional.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::run::{End, Outcome};

/// The columns, in their order.
const COLUMNS: [&str; 21] = [
    "suite",
    "query",
    "solver",
    "version",
    "setup",
    "run",
    "why",
    "outcome",
    "end",
    "code",
    "wall_ns",
    "cpu_ns",
    "peak_bytes",
    "strays",
    "wall_limit_ns",
    "memory_limit_bytes",
    "load_percent",
    "unix_s",
    "harness",
    "machine",
    "family",
];

/// How many rows a record may have.
const ROWS_MAX: usize = 10_000_000;

/// The query of rows that measure the start of a solver: a script with nothing to decide.
pub const START: &str = "start";

/// A run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The first digits of the suite's hash.
    pub suite: String,
    /// The query's id, or [`START`].
    pub query: String,
    /// The solver's name.
    pub solver: String,
    /// Its version.
    pub version: String,
    /// The hash of how it was asked.
    pub setup: String,
    /// The number of the run of this solver on this query, from 0.
    pub run: u32,
    /// `measure`, or `again` if something was suspicious.
    pub why: String,
    /// What it said.
    pub outcome: Outcome,
    /// Why it ended.
    pub end: End,
    /// Exit status or signal.
    pub code: i32,
    /// Wall time.
    pub wall_ns: u64,
    /// Processor time.
    pub cpu_ns: u64,
    /// Peak memory.
    pub peak_bytes: u64,
    /// Processes that it left behind.
    pub strays: usize,
    /// The limit of wall time.
    pub wall_limit_ns: u64,
    /// The limit of memory.
    pub memory_limit_bytes: u64,
    /// The load average of the last minute before the run, in percent of one processor.
    pub load_percent: u32,
    /// When it ended, in seconds since 1970.
    pub unix_s: u64,
    /// The version of this program.
    pub harness: String,
    /// The machine.
    pub machine: String,
    /// Whose work the solver is; its name if nobody said.
    pub family: String,
}

impl Row {
    /// Whether the query is solved by it: an answer, within the limits, and a good end.
    pub fn is_solved(&self) -> bool {
        self.outcome.is_definite() && self.end == End::Exit
    }

    /// How it went, in a word: the answer if there is one, else why not.
    pub fn word(&self) -> String {
        match (self.outcome, self.end) {
            (Outcome::Both, _) => "both".to_owned(),
            (outcome, End::Exit) => outcome.to_string(),
            (_, end) => end.to_string(),
        }
    }

    fn fields(&self) -> [String; 21] {
        [
            self.suite.clone(),
            self.query.clone(),
            self.solver.clone(),
            self.version.clone(),
            self.setup.clone(),
            self.run.to_string(),
            self.why.clone(),
            self.outcome.to_string(),
            self.end.to_string(),
            self.code.to_string(),
            self.wall_ns.to_string(),
            self.cpu_ns.to_string(),
            self.peak_bytes.to_string(),
            self.strays.to_string(),
            self.wall_limit_ns.to_string(),
            self.memory_limit_bytes.to_string(),
            self.load_percent.to_string(),
            self.unix_s.to_string(),
            self.harness.clone(),
            self.machine.clone(),
            self.family.clone(),
        ]
    }

    fn line(&self) -> String {
        let clean = |text: &String| text.replace([',', '\n', '\r', '"'], " ");
        self.fields().iter().map(clean).collect::<Vec<_>>().join(",") + "\n"
    }

    fn parse(fields: &[&str]) -> Result<Row, String> {
        let [
            suite,
            query,
            solver,
            version,
            setup,
            run,
            why,
            outcome,
            end,
            code,
            wall_ns,
            cpu_ns,
            peak_bytes,
            strays,
            wall_limit_ns,
            memory_limit_bytes,
            load_percent,
            unix_s,
            harness,
            machine,
            family,
        ] = fields
        else {
            return Err(format!("{} fields, not {}", fields.len(), COLUMNS.len()));
        };
        fn number<T: std::str::FromStr>(text: &str) -> Result<T, String> {
            text.parse().map_err(|_| format!("`{text}` is no number that fits"))
        }
        Ok(Row {
            suite: (*suite).to_owned(),
            query: (*query).to_owned(),
            solver: (*solver).to_owned(),
            version: (*version).to_owned(),
            setup: (*setup).to_owned(),
            run: number(run)?,
            why: (*why).to_owned(),
            outcome: outcome.parse()?,
            end: end.parse()?,
            code: number(code)?,
            wall_ns: number(wall_ns)?,
            cpu_ns: number(cpu_ns)?,
            peak_bytes: number(peak_bytes)?,
            strays: number(strays)?,
            wall_limit_ns: number(wall_limit_ns)?,
            memory_limit_bytes: number(memory_limit_bytes)?,
            load_percent: number(load_percent)?,
            unix_s: number(unix_s)?,
            harness: (*harness).to_owned(),
            machine: (*machine).to_owned(),
            family: (*family).to_owned(),
        })
    }
}

/// A record that has been read.
#[derive(Clone, Debug, Default)]
pub struct Record {
    /// Its rows, in their order.
    pub rows: Vec<Row>,
    /// What was left out, in words.
    pub notes: Vec<String>,
}

/// Reads files, or all files `*.csv` of folders, as one record.
///
/// # Errors
///
/// One cannot be read, or has a row that is none.
pub fn read(paths: &[PathBuf]) -> Result<Record, String> {
    let mut record = Record::default();
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            let entries = fs::read_dir(path)
                .map_err(|error| format!("cannot read `{}`: {error}", path.display()))?;
            let mut inner: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
            inner.retain(|file| file.extension().is_some_and(|extension| extension == "csv"));
            inner.sort();
            if inner.is_empty() {
                return Err(format!("`{}` has no records (*.csv)", path.display()));
            }
            files.extend(inner);
        } else {
            files.push(path.clone());
        }
    }
    for file in files {
        let text = fs::read_to_string(&file)
            .map_err(|error| format!("cannot read `{}`: {error}", file.display()))?;
        let (rows, whole) =
            parse(&text).map_err(|error| format!("`{}`, {error}", file.display()))?;
        if whole < text.len() {
            let note = format!(
                "`{}` is cut off: its last line does not end, and is left out",
                file.display()
            );
            record.notes.push(note);
        }
        record.rows.extend(rows);
    }
    Ok(record)
}

/// The rows of a text, and how many of its bytes are whole lines.
fn parse(text: &str) -> Result<(Vec<Row>, usize), String> {
    let whole = text.rfind('\n').map_or(0, |at| at + 1);
    let mut lines = text[..whole].lines();
    match lines.next() {
        Some(head) if head != COLUMNS.join(",") => {
            return Err("line 1: not the columns of a record".to_owned());
        }
        _ => {}
    }
    let mut rows = Vec::new();
    for (number, line) in lines.enumerate() {
        if number >= ROWS_MAX {
            return Err(format!("more than {ROWS_MAX} rows"));
        }
        let fields: Vec<&str> = line.split(',').collect();
        rows.push(Row::parse(&fields).map_err(|error| format!("line {}: {error}", number + 2))?);
    }
    Ok((rows, whole))
}

/// What has been run: query, solver, version, setup and number of the run.
type Key = (String, String, String, String, u32);

/// A record that is being written.
#[derive(Debug)]
pub struct Writer {
    file: File,
    done: BTreeSet<Key>,
    /// What was cut off when it was opened, in words.
    pub note: Option<String>,
}

impl Writer {
    /// Opens a record to go on with, or begins one. What was cut off at its end is removed.
    ///
    /// # Errors
    ///
    /// It cannot be read or written, is no record, or is of another suite or machine's limits.
    pub fn open(path: &Path, suite: &str) -> Result<Writer, String> {
        let told = |error: std::io::Error| format!("cannot write `{}`: {error}", path.display());
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            fs::create_dir_all(folder).map_err(told)?;
        }
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(format!("cannot read `{}`: {error}", path.display())),
        };
        let (rows, whole) =
            parse(&text).map_err(|error| format!("`{}`, {error}", path.display()))?;
        if let Some(row) = rows.iter().find(|row| row.suite != suite) {
            return Err(format!(
                "`{}` is a record of suite `{}`, not of `{suite}`\nhint: --record with another name",
                path.display(),
                row.suite
            ));
        }
        let mut file = OpenOptions::new().create(true).append(true).open(path).map_err(told)?;
        file.try_lock()
            .map_err(|_| format!("`{}` is being written by another measurement", path.display()))?;
        let note = (whole < text.len())
            .then(|| format!("`{}`: the last line was cut off and is run again", path.display()));
        file.set_len(whole as u64).map_err(told)?;
        if whole == 0 {
            file.write_all(format!("{}\n", COLUMNS.join(",")).as_bytes()).map_err(told)?;
        }
        Ok(Writer { file, done: rows.iter().map(key).collect(), note })
    }

    /// Whether this has been run already.
    pub fn has(&self, query: &str, solver: [&str; 3], run: u32) -> bool {
        let [name, version, setup] = solver.map(str::to_owned);
        self.done.contains(&(query.to_owned(), name, version, setup, run))
    }

    /// The number of runs that there are of a solver on a query.
    pub fn n_runs(&self, query: &str, solver: [&str; 3]) -> u32 {
        (0..).find(|run| !self.has(query, solver, *run)).unwrap_or(0)
    }

    /// Adds a row.
    ///
    /// # Errors
    ///
    /// The system's words.
    pub fn add(&mut self, row: &Row) -> Result<(), String> {
        self.file.write_all(row.line().as_bytes()).map_err(|error| error.to_string())?;
        self.done.insert(key(row));
        Ok(())
    }
}

fn key(row: &Row) -> Key {
    (row.query.clone(), row.solver.clone(), row.version.clone(), row.setup.clone(), row.run)
}

/// The processors, the memory and the system, in a line.
pub fn machine() -> String {
    let text = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let cpus = text("/proc/cpuinfo");
    let models: Vec<&str> = cpus
        .lines()
        .filter_map(|line| line.strip_prefix("model name")?.split(": ").nth(1))
        .collect();
    let memory = text("/proc/meminfo");
    let kib: u64 =
        memory.split_whitespace().nth(1).and_then(|number| number.parse().ok()).unwrap_or(0);
    let kernel = text("/proc/sys/kernel/osrelease");
    format!(
        "{} x {}; {} MiB; {} {}",
        models.len(),
        models.first().unwrap_or(&"unknown processor"),
        kib >> 10,
        std::env::consts::OS,
        kernel.trim()
    )
}

/// The load average of the last minute, in percent of one processor.
pub fn load_percent() -> u32 {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load: f64 =
        text.split_whitespace().next().and_then(|word| word.parse().ok()).unwrap_or(0.0);
    (load * 100.0) as u32
}

/// Our version.
pub fn harness() -> String {
    concat!("keyaki-bench ", env!("CARGO_PKG_VERSION")).to_owned()
}

#[cfg(test)]
pub(crate) mod testing {
    //! Rows for tests.

    use super::*;

    /// A run that took so many milliseconds.
    pub(crate) fn row(query: &str, solver: &str, word: &str, wall_ms: u64) -> Row {
        let (outcome, end) = match word {
            "walltime" => (Outcome::Silent, End::Walltime),
            "both" => (Outcome::Both, End::Exit),
            "signal" => (Outcome::Silent, End::Signal),
            word => (word.parse().unwrap(), End::Exit),
        };
        Row {
            suite: "s".to_owned(),
            query: query.to_owned(),
            solver: solver.to_owned(),
            version: "1.0".to_owned(),
            setup: "x".to_owned(),
            run: 0,
            why: "measure".to_owned(),
            outcome,
            end,
            code: 0,
            wall_ns: wall_ms * 1_000_000,
            cpu_ns: wall_ms * 1_000_000,
            peak_bytes: 1 << 20,
            strays: 0,
            wall_limit_ns: 30_000_000_000,
            memory_limit_bytes: 1 << 30,
            load_percent: 0,
            unix_s: 0,
            harness: "h".to_owned(),
            machine: "m".to_owned(),
            family: solver.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::testing::row;
    use super::*;

    fn text(rows: &[Row]) -> String {
        format!("{}\n{}", COLUMNS.join(","), rows.iter().map(Row::line).collect::<String>())
    }

    #[test]
    fn what_is_written_is_read() {
        let mut odd = row("q", "a", "sat", 3);
        odd.machine = "2 x y, \"z\"".to_owned();
        let (rows, whole) = parse(&text(&[odd.clone(), row("q", "b", "walltime", 5)])).unwrap();
        assert_eq!(rows[0].machine, "2 x y   z ");
        odd.machine.clone_from(&rows[0].machine);
        assert_eq!(rows, [odd, row("q", "b", "walltime", 5)]);
        assert_eq!(whole, text(&rows).len());
    }

    #[test]
    fn a_line_that_was_cut_is_left_out_wherever_it_was_cut() {
        let whole = text(&[row("q", "a", "sat", 3), row("q", "b", "sat", 5)]);
        let second = whole[..whole.len() - 1].rfind('\n').unwrap() + 1;
        for end in second + 1..whole.len() {
            let (rows, used) = parse(&whole[..end]).unwrap();
            assert_eq!((rows.len(), used), (1, second));
        }
    }

    #[test]
    fn a_line_that_is_broken_elsewhere_is_an_error() {
        let good = text(&[row("q", "a", "sat", 3), row("q", "b", "sat", 5)]);
        let error = parse(&good.replacen(",sat,", ",maybe,", 1)).unwrap_err();
        assert!(error.starts_with("line 2: `maybe` is none of"), "{error}");
        assert!(parse("a,b\n").unwrap_err().contains("line 1"));
    }
}
