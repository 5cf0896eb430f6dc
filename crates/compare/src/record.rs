//! Raw numbers as files: one CSV of measurements, and what machine and versions they are of.

use std::fmt::Write as _;
use std::path::Path;

use keyaki_throughput::record;

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
    let mut about = record::machine();
    for contestant in contestants {
        let _ = writeln!(about, "{}: {}", contestant.label(), contestant.version);
    }
    let _ = write!(about, "\n{summary}");
    let files = [(format!("{name}.csv"), csv.to_owned()), (format!("{name}.txt"), about)];
    record::write(folder, &files)
}
