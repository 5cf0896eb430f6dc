//! Raw numbers as files: one CSV of measurements, and what machine and versions they are of.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::contestants::Contestant;

/// Writes `name.csv` and `name.txt` in `folder`.
///
/// # Errors
///
/// The system's words.
pub(crate) fn write(
    folder: &Path,
    name: &str,
    csv: &str,
    contestants: &[Contestant],
    summary: &str,
) -> Result<(), String> {
    let mut about = machine();
    for contestant in contestants {
        let _ = writeln!(about, "{}: {}", contestant.label(), contestant.version);
    }
    let _ = write!(about, "\n{summary}");
    let put = |file: &str, text: &str| {
        let path = folder.join(file);
        fs::write(&path, text)
            .map_err(|error| format!("cannot write `{}`: {error}", path.display()))
    };
    fs::create_dir_all(folder).map_err(|error| format!("`{}`: {error}", folder.display()))?;
    put(&format!("{name}.csv"), csv)?;
    put(&format!("{name}.txt"), &about)
}

/// The processor, how many of it, and how busy they are.
fn machine() -> String {
    let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let models: Vec<&str> = cpus
        .lines()
        .filter_map(|line| line.strip_prefix("model name")?.split(": ").nth(1))
        .collect();
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let model = models.first().unwrap_or(&"unknown processor");
    format!("{} x {model}; load average {}\n", models.len(), load.trim())
}
