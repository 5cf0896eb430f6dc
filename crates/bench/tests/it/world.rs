//! A folder with a suite and solvers, and the program in it.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use keyaki_bench::record::{self, Record, Row};

static NUMBER: AtomicU32 = AtomicU32::new(0);

/// A folder that goes with the value.
pub(crate) struct World {
    pub(crate) folder: PathBuf,
}

impl World {
    /// Scripts by name in a suite, and solvers by name with the arguments of the fake.
    pub(crate) fn new(scripts: &[(&str, &str)], solvers: &[(&str, &str)]) -> World {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder =
            std::env::temp_dir().join(format!("keyaki-bench-test-{}-{number}", std::process::id()));
        let world = World { folder };
        for (name, text) in scripts {
            world.write(&format!("suite/{name}.smt2"), text);
        }
        world.solvers(solvers, "");
        let indexed = world.run(&["index", "suite"]);
        assert!(indexed.status.success(), "{indexed:?}");
        world
    }

    /// Writes `solvers.toml`, with more limits if there are any.
    pub(crate) fn solvers(&self, solvers: &[(&str, &str)], limits: &str) {
        let fake = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fake/fake.sh");
        let mut text = format!(
            "[limits]\nwall_ms = 1500\ncpu_s = 1\nmemory_mib = 400\ndisk_mib = 2\n{limits}"
        );
        for (name, words) in solvers {
            let words: Vec<String> = words.split(' ').map(|word| format!("{word:?}")).collect();
            let _ = write!(
                text,
                "[[solver]]\nname = {name:?}\ncommand = {:?}\narguments = [{}, \"{{file}}\", \"{{here}}/{name}\"]\n",
                fake.display().to_string(),
                words.join(", ")
            );
        }
        self.write("solvers.toml", &text);
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Replaces a text in a file.
    #[track_caller]
    pub(crate) fn rewrite(&self, name: &str, old: &str, new: &str) {
        let text = fs::read_to_string(self.folder.join(name)).unwrap();
        assert!(text.contains(old), "{text}");
        self.write(name, &text.replace(old, new));
    }

    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_keyaki-bench"));
        command
            .args(words)
            .current_dir(&self.folder)
            .env("TMPDIR", &self.folder)
            .stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, words: &[&str]) -> Output {
        self.command(words).output().unwrap()
    }

    /// Measures into `record.csv`.
    #[track_caller]
    pub(crate) fn measure(&self, more: &[&str]) -> Record {
        let words =
            ["measure", "--suite", "suite", "--solvers", "solvers.toml", "--record", "record.csv"];
        let output = self.run(&[&words, more].concat());
        assert!(output.status.success(), "{output:?}");
        self.record()
    }

    pub(crate) fn record(&self) -> Record {
        record::read(&[self.folder.join("record.csv")]).unwrap()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.folder));
    }
}

/// The rows that are about queries.
pub(crate) fn runs(record: &Record) -> Vec<&Row> {
    record.rows.iter().filter(|row| row.query != record::START).collect()
}
