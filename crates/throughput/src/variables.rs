//! What the policy variables of the corpus look like, and how many questions about them the embedded solver decides alone.
//!
//! The classes are about what a value becomes: a comparison of two request variables, or a template whose text around the
//! variable has wildcards or not (docs/automata.md). Of each class the values and policies are counted; and every job
//! with such a policy is put to the embedded solver as a formula, without comparison of texts and likely requests, which would
//! answer most of them before any solver is asked. A job belongs to the last class that its policies have.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::time::Duration;

use keyaki::job::{Task, engines};
use keyaki::policy::ast::{Segment, Template};
use keyaki::solvers::{Automaton, Config};
use keyaki::{Cancel, EngineOptions, Policy, PolicyType, parse};
use serde_json::{Value, json};

/// How long a question may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The shape of a value with a policy variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// `${key}` and nothing else.
    Whole,
    /// One variable with text without wildcards before it, behind it, or both.
    Around,
    /// One variable, and wildcards in the text around it.
    Wild,
    /// Two variables or more.
    Several,
}

impl Class {
    /// All, with what reports call them.
    pub const ALL: [(Class, &'static str); 4] = [
        (Class::Whole, "the variable alone"),
        (Class::Around, "one variable, plain text around it"),
        (Class::Wild, "one variable, wildcards around it"),
        (Class::Several, "several variables"),
    ];

    /// The class of a template; none if it has no variable.
    pub fn of(template: &Template) -> Option<Class> {
        let is_variable = |segment: &&Segment| matches!(segment, Segment::Variable { .. });
        let is_wild =
            |segment: &Segment| matches!(segment, Segment::Text(text) if text.contains(['*', '?']));
        match template.segments.iter().filter(is_variable).count() {
            0 => None,
            1 if template.segments.len() == 1 => Some(Class::Whole),
            1 if template.segments.iter().any(is_wild) => Some(Class::Wild),
            1 => Some(Class::Around),
            _ => Some(Class::Several),
        }
    }
}

/// What is known of a class.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Values in resources.
    pub n_resources: usize,
    /// Values of conditions.
    pub n_values: usize,
    /// Policies with such a value.
    pub n_policies: usize,
    /// Questions by their answer: a verdict, a reason for none, or an error's code.
    pub answers: BTreeMap<String, usize>,
}

/// The census of the corpus.
#[derive(Clone, Debug, Default)]
pub struct Census(BTreeMap<Class, Tally>);

impl Census {
    /// Reads the policies of these jobs, one a line, and asks the jobs whose policies have variables.
    ///
    /// # Errors
    ///
    /// A line is no JSON.
    pub fn of<'j>(jobs: impl Iterator<Item = &'j str>) -> Result<Census, String> {
        let mut census = Census::default();
        let mut seen = BTreeSet::new();
        let (config, cancel) = (Config::builtin(), Cancel::new());
        let options = EngineOptions::default();
        let engines = engines(&config, &options);
        for line in jobs.filter(|line| line.contains("${")) {
            let mut job: Value = serde_json::from_str(line).map_err(|error| error.to_string())?;
            let policy_type = job["policy_type"].as_str().and_then(PolicyType::by_name);
            let mut hardest = None;
            for name in ["policy", "existing", "new"] {
                let text = job[name].to_string();
                let Ok(policy) = parse(&text, policy_type) else { continue };
                let classes = classes(&policy);
                hardest = hardest.max(classes.iter().map(|(class, _)| *class).max());
                // Every policy of the corpus is asked alone too; what is compared may be an edit of it.
                if name == "policy" && seen.insert(text) {
                    census.add(&classes);
                }
            }
            let Some(class) = hardest else { continue };
            job["solvers"] = json!([Automaton::NAME]);
            let answer = match Task::from_json(job.to_string().as_bytes(), TIMEOUT) {
                Ok((_, task)) => answer(&json!(task.answer(&engines, &cancel))),
                Err(result) => answer(&json!(*result)),
            };
            *census.0.entry(class).or_default().answers.entry(answer).or_default() += 1;
        }
        Ok(census)
    }

    /// Counts the values of one policy.
    fn add(&mut self, classes: &[(Class, bool)]) {
        for (class, is_resource) in classes {
            let tally = self.0.entry(*class).or_default();
            tally.n_resources += usize::from(*is_resource);
            tally.n_values += usize::from(!is_resource);
        }
        for class in classes.iter().map(|(class, _)| *class).collect::<BTreeSet<_>>() {
            self.0.entry(class).or_default().n_policies += 1;
        }
    }

    /// One line a class: what reports call it, and its counts.
    pub fn rows(&self) -> impl Iterator<Item = (&'static str, &Tally)> {
        let named = Class::ALL.into_iter();
        named.filter_map(|(class, name)| Some((name, self.0.get(&class)?)))
    }

    /// The counts, one line each.
    pub fn csv(&self) -> String {
        let mut text = "class,what,count\n".to_owned();
        for (name, tally) in self.rows() {
            let counts = [
                ("values in resources", tally.n_resources),
                ("values of conditions", tally.n_values),
                ("policies", tally.n_policies),
            ];
            for (what, count) in counts {
                let _ = writeln!(text, "\"{name}\",{what},{count}");
            }
            for (answer, count) in &tally.answers {
                let _ = writeln!(text, "\"{name}\",questions: {answer},{count}");
            }
        }
        text
    }
}

impl Tally {
    /// Questions that were answered, and those that could be.
    pub fn decided(&self) -> (usize, usize) {
        let count = |is_wanted: fn(&str) -> bool| -> usize {
            self.answers.iter().filter(|(answer, _)| is_wanted(answer)).map(|(_, n)| n).sum()
        };
        let is_definite = |answer: &str| matches!(answer, "holds" | "fails");
        (count(is_definite), count(|answer| !answer.starts_with("error")))
    }
}

/// The classes of a policy's values, and whether each value is a resource.
fn classes(policy: &Policy) -> Vec<(Class, bool)> {
    let mut classes = Vec::new();
    for statement in &policy.statements {
        let resources = statement.resource.iter().flat_map(|clause| &clause.entries);
        let values = statement.conditions.iter().flat_map(|condition| &condition.values);
        let resources = resources.map(|entry| (&entry.template, true));
        let all = resources.chain(values.map(|value| (&value.template, false)));
        classes.extend(all.filter_map(|(template, is)| Some((Class::of(template)?, is))));
    }
    classes
}

/// A word for an answer.
fn answer(result: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    match result["verdict"].as_str() {
        Some("unknown") => format!("unknown ({})", text(&result["reason"])),
        Some(verdict) => verdict.to_owned(),
        None => format!("error ({})", text(&result["error"]["code"])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(id: &str, resource: &str, value: &str) -> String {
        json!({
            "id": id,
            "question": "access-not-granted",
            "policy_type": "identity",
            "access": [{"actions": ["s3:GetObject"], "resources": ["arn:aws:s3:::b/x"]}],
            "policy": {"Version": "2012-10-17", "Statement": {
                "Effect": "Allow", "Action": "s3:*", "Resource": resource,
                "Condition": {"StringEquals": {"aws:ResourceTag/t": value}}
            }}
        })
        .to_string()
    }

    #[test]
    fn a_value_has_the_class_of_its_text_and_a_job_the_last_of_its_policies() {
        let key = "${aws:PrincipalTag/t}";
        let jobs = [
            job("a", "arn:aws:s3:::b/*", key),
            job("b", &format!("arn:aws:s3:::b/{key}"), key),
            job("c", &format!("arn:aws:s3:::b/{key}/*"), "plain"),
            job("d", "arn:aws:s3:::b/*", &format!("{key}-{key}")),
            job("e", "arn:aws:s3:::b/*", "${*}"),
        ];
        let census = Census::of(jobs.iter().map(String::as_str)).unwrap();
        let rows: Vec<_> = census
            .rows()
            .map(|(_, t)| [t.n_resources, t.n_values, t.n_policies, t.answers.values().sum()])
            .collect();
        assert_eq!(rows, [[0, 2, 2, 1], [1, 0, 1, 1], [1, 0, 1, 1], [0, 1, 1, 1]]);
        assert_eq!(census.0[&Class::Around].decided(), (1, 1));
        assert!(census.csv().contains("\"the variable alone\",questions: fails,1"));
    }
}
