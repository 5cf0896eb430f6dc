//! All that is known of an answer that must not be, as files of a directory.
//!
//! The directory is named by the hash of the normalised query, all of it, and by what happened: the same incident
//! is kept once. One file for all was not taken: scripts are to be given to solvers as they are.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use keyaki_analysis::encode;
use keyaki_analysis::replay::replay;
use keyaki_analysis::translation::{decoded, text};
use keyaki_logic::{Formula, Outcome, SolverError, certificate, smtlib};
use keyaki_solvers::{Automaton, Config, Definition, find};
use serde_json::{Value, json};

use super::Audit;
use super::record::Asked;
use crate::wire::{JobResult, Request};

/// The digits of the hash in the name of the directory.
const HASH_DIGITS: usize = 16;

impl Audit<'_> {
    /// Writes it into a directory of its own; returns where that is.
    pub(super) fn keep(&self, result: &JobResult, directory: &Path) -> io::Result<PathBuf> {
        let mut encoding = encode(&self.inquiry.question);
        encoding.decide(self.inquiry.decisions.decided());
        let query = text(&encoding);
        let hash = certificate::hash(&query);
        let code = result.error.as_ref().map_or("error", |error| &error.code);
        let place = directory.join(format!("{}-{code}", &hash[..HASH_DIGITS]));
        fs::create_dir_all(place.join("policies"))?;
        fs::create_dir_all(place.join("queries"))?;
        let mut policies = Vec::new();
        for (number, document) in self.inquiry.documents.iter().enumerate() {
            let file = format!("policies/{number}.json");
            fs::write(place.join(&file), &document.source)?;
            policies.push(json!({"pointer": document.pointer, "file": file}));
        }
        fs::write(place.join("question.txt"), format!("{:#?}\n", self.inquiry.question))?;
        fs::write(place.join("query.txt"), query)?;
        let mut replays = Vec::new();
        for (number, asked) in self.record.asked().iter().enumerate() {
            self.keep_query(&place, number, asked)?;
            for (solver, said) in &asked.said {
                if let Ok(Outcome::Sat(model)) = said {
                    let request = decoded(&encoding, model.clone());
                    replays.push(self.replay(number, solver, &request));
                }
            }
        }
        let told = json!({
            "result": result,
            "task": self.task,
            "question": self.inquiry.question.name(),
            "decisions": self.inquiry.decisions.decided().iter()
                .map(|(switch, alternative)| (switch.name(), *alternative))
                .collect::<std::collections::BTreeMap<_, _>>(),
            "query_sha256": hash,
            "policies": policies,
            "versions": self.versions(),
            "replays": replays,
        });
        fs::write(place.join("incident.json"), format!("{told:#}\n"))?;
        Ok(place)
    }

    /// A query as certificates write it and as each solver reads it, and what each said.
    fn keep_query(&self, place: &Path, number: usize, asked: &Asked) -> io::Result<()> {
        let file = |end: &str| place.join(format!("queries/{number}{end}"));
        fs::write(file(".txt"), certificate::query([("", &asked.formula)]))?;
        for definition in self.engine.definitions() {
            let end = format!("-{}.smt2", plain(&definition.name));
            match smtlib::script(&asked.formula, definition.dialect) {
                Ok(script) => fs::write(file(&end), script)?,
                Err(cause) => fs::write(file(&end), format!("; cannot be said: {cause}\n"))?,
            }
        }
        for (solver, said) in &asked.said {
            fs::write(file(&format!("-{}.txt", plain(solver))), words(&asked.formula, said))?;
        }
        Ok(())
    }

    /// The request of a model, and whether it breaks the property under the readings that are asked for.
    fn replay(&self, number: usize, solver: &str, request: &keyaki_policy::Request) -> Value {
        let replayed = replay(&self.inquiry.question, request, self.inquiry.decisions.readings());
        json!({
            "query": number,
            "solver": solver,
            "request": Request::from(request),
            "replay": format!("{replayed:?}"),
        })
    }

    /// Who was asked, in which versions.
    fn versions(&self) -> Value {
        // Whoever was asked is looked at, enabled or not.
        let asked = self.engine.definitions().iter().cloned();
        let solvers = asked.map(|definition| Definition { enabled: true, ..definition }).collect();
        let found = find(&Config { automaton: true, solvers });
        let mut versions = vec![json!({
            "solver": Automaton::NAME, "version": env!("CARGO_PKG_VERSION"),
        })];
        versions.extend(found.iter().map(|found| {
            let definition = &found.definition;
            json!({
                "solver": definition.name, "version": found.version, "path": found.path,
                "command": definition.command, "arguments": definition.arguments,
            })
        }));
        Value::Array(versions)
    }
}

/// What a solver said, with its model.
fn words(formula: &Formula, said: &Result<Outcome, SolverError>) -> String {
    match said {
        Ok(Outcome::Sat(model)) => {
            let mut words = "sat\n".to_owned();
            for (variable, _) in formula.variables() {
                let value = model.get(variable).map(|value| format!("{value:?}"));
                let value = value.unwrap_or_else(|| "no value".to_owned());
                let _ = writeln!(words, "{variable} = {value}");
            }
            words
        }
        Ok(Outcome::Unsat) => "unsat\n".to_owned(),
        Ok(Outcome::Unknown(reason)) => format!("unknown: {reason:?}\n"),
        Err(error) => format!("error: {error}\n"),
    }
}

/// A name as a part of a file's name.
fn plain(name: &str) -> String {
    let harmless = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    name.chars().map(|c| if harmless(c) { c } else { '_' }).collect()
}
