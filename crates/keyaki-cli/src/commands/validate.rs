//! `keyaki validate`

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::Path;

use keyaki::validation::Validation;
use keyaki::wire::JobResult;
use keyaki::wire::findings::Finding;
use keyaki::wire::validate::{FindingRecord, LevelName};

use super::{Exit, Failure, print_json};
use crate::arguments::Validate;
use crate::{input, render};

/// Validates each policy; the worst exit status wins.
pub(crate) fn validate(arguments: &Validate) -> Result<Exit, Failure> {
    let mut exit = Exit::Success;
    for path in &arguments.policies {
        let result = match input::text(path) {
            Ok(source) => Validation { source, policy_type: arguments.policy_type }.answer(),
            Err(record) => JobResult { error: Some(record), ..JobResult::default() },
        };
        exit = worse(exit, status(&result));
        if arguments.json {
            print_json(&JobResult { id: Some(path.display().to_string()), ..result })?;
        } else if let Some(error) = &result.error {
            render::error(error, None);
        } else {
            let findings: Vec<FindingRecord> = found(&result).cloned().collect();
            io::stdout().write_all(rendered(path, &findings).as_bytes())?;
        }
    }
    Ok(exit)
}

fn status(result: &JobResult) -> Exit {
    match &result.findings {
        None => Exit::Error,
        Some(_) if found(result).any(|finding| finding.level == LevelName::Error) => Exit::Fails,
        Some(_) => Exit::Success,
    }
}

/// What was found in the policy.
fn found(result: &JobResult) -> impl Iterator<Item = &FindingRecord> {
    let findings = result.findings.iter().flatten();
    findings.filter_map(|finding| match finding {
        Finding::Validation(record) => Some(record),
        Finding::Access(_) => None,
    })
}

fn worse(left: Exit, right: Exit) -> Exit {
    let rank = |exit| match exit {
        Exit::Success => 0,
        Exit::Fails => 1,
        Exit::Unknown => 2,
        Exit::Error => 3,
    };
    if rank(right) > rank(left) { right } else { left }
}

/// What was found in a policy, in words: how much first, then each finding with its place.
fn rendered(path: &Path, findings: &[FindingRecord]) -> String {
    let shown = path.display();
    let mut text = format!("{shown}: {}\n", summary(findings));
    for finding in findings {
        let FindingRecord { message, code, line, column, path, .. } = finding;
        let level = word(finding.level);
        let place = if path.is_empty() { "the document" } else { path };
        let mut block = || -> std::fmt::Result {
            writeln!(text, "\n{shown}:{line}:{column}: {level}: {message} [{code}]")?;
            writeln!(text, "  at {place}")?;
            if let Some(hint) = &finding.hint {
                writeln!(text, "  hint: {hint}")?;
            }
            Ok(())
        };
        block().expect("writing to a String cannot fail");
    }
    text
}

/// How many findings there are of each level.
fn summary(findings: &[FindingRecord]) -> String {
    let levels =
        [LevelName::Error, LevelName::SecurityWarning, LevelName::Warning, LevelName::Suggestion];
    let counts: Vec<String> = levels
        .iter()
        .map(|level| (findings.iter().filter(|f| f.level == *level).count(), word(*level)))
        .filter(|(n, _)| *n > 0)
        .map(|(n, word)| if n == 1 { format!("1 {word}") } else { format!("{n} {word}s") })
        .collect();
    if counts.is_empty() { "nothing found".to_owned() } else { counts.join(", ") }
}

fn word(level: LevelName) -> &'static str {
    match level {
        LevelName::Error => "error",
        LevelName::SecurityWarning => "security warning",
        LevelName::Warning => "warning",
        LevelName::Suggestion => "suggestion",
    }
}
