//! What a certificate costs: each question of the corpus answered without one and with one that is made and checked, in turns.
//!
//! One thread, in this process, from the line of a job to its result. Of each way the quickest of three counts, since the machine does
//! other things as well; a question that is read and answered in microseconds is else measured by what interrupts it.
//! Only what holds has a certificate, so nothing else counts.

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::{Duration, Instant};

use keyaki::job::{EngineMaker, Task, engines};
use keyaki::solvers::Config;
use keyaki::wire::{EvidenceName, JobResult, VerdictName};
use keyaki::{Cancel, EngineOptions};

/// How often each way is measured.
const ROUNDS: usize = 3;

/// What an answer with a certificate should take at most, over one without.
const TARGET: f64 = 2.0;

/// How long an answer may take, and a certificate besides.
const TIMEOUT: Duration = Duration::from_secs(30);

/// What was measured of one question that holds.
#[derive(Clone, Debug)]
pub struct Sample {
    /// Its id.
    pub id: String,
    /// Its name.
    pub question: String,
    /// Who answered.
    pub solver: String,
    /// Which kind of certificate there is: the first word of its query; or a dash.
    pub kind: String,
    /// Bytes of the certificate.
    pub n_bytes: usize,
    /// Without one.
    pub alone: Duration,
    /// With one, made and checked.
    pub certified: Duration,
}

/// Measures the jobs of these lines, every `step`-th of them.
pub fn measure<'l>(lines: impl Iterator<Item = &'l str>, step: usize) -> Vec<Sample> {
    let (config, options) = (Config::builtin(), EngineOptions::default());
    let engines = engines(&config, &options);
    lines.step_by(step.max(1)).filter_map(|line| sample(line, &engines)).collect()
}

fn sample(line: &str, engines: &EngineMaker<'_>) -> Option<Sample> {
    let (mut alone, mut certified) = (Duration::MAX, Duration::MAX);
    let mut id = None;
    let mut told = None;
    for _ in 0..ROUNDS {
        for is_wanted in [false, true] {
            let start = Instant::now();
            let (name, mut task) = Task::from_json(line.as_bytes(), TIMEOUT).ok()?;
            if is_wanted {
                task.certify();
            }
            let result = task.answer(engines, &Cancel::new());
            let time = start.elapsed();
            if result.verdict != Some(VerdictName::Holds) {
                return None;
            }
            let shortest = if is_wanted { &mut certified } else { &mut alone };
            *shortest = time.min(*shortest);
            id = name;
            if is_wanted {
                told = Some(black_box(result));
            }
        }
    }
    let JobResult { question, solver, evidence, certificate, .. } = told?;
    let is_certified = evidence == Some(EvidenceName::Certified);
    let certificate = certificate.filter(|_| is_certified).unwrap_or_default();
    let kind = certificate.lines().nth(2).and_then(|line| line.split(' ').next());
    Some(Sample {
        id: id.unwrap_or_default(),
        question: question.unwrap_or_default(),
        solver: solver.unwrap_or_default(),
        kind: kind.unwrap_or("-").to_owned(),
        n_bytes: certificate.len(),
        alone,
        certified,
    })
}

/// The value below which this share lies.
fn quantile<V: Copy + PartialOrd>(values: impl Iterator<Item = V>, share: f64) -> Option<V> {
    let mut values: Vec<V> = values.collect();
    values.sort_by(|a, b| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal));
    let rank = (values.len() as f64 * share).ceil() as usize;
    values.get(rank.saturating_sub(1)).copied()
}

fn ratio(sample: &Sample) -> f64 {
    sample.certified.as_secs_f64() / sample.alone.as_secs_f64().max(1e-9)
}

/// What an answer with a certificate takes over one without: the ratio below which this share of the questions lies.
pub fn ratio_at(samples: &[Sample], share: f64) -> f64 {
    quantile(samples.iter().map(ratio), share).unwrap_or_default()
}

/// A line of each question and of all, and one of each way in which something was decided.
pub fn table(samples: &[Sample]) -> String {
    let mut text = format!(
        "{:<22}{:>7}{:>11}{:>9}{:>9}{:>9}{:>10}{:>10}{:>9}{:>10}\n",
        "", "holds", "certified", "ratio", "p99", "max", "alone s", "with s", "bytes", "p99"
    );
    let mut groups: Vec<(String, Vec<&Sample>)> =
        vec![("all".to_owned(), samples.iter().collect())];
    for sample in samples {
        for name in
            [&sample.question, &format!("by {}", sample.solver), &format!("of {}", sample.kind)]
        {
            match groups.iter_mut().find(|(known, _)| known == name) {
                Some((_, own)) => own.push(sample),
                None => groups.push((name.clone(), vec![sample])),
            }
        }
    }
    groups[1..].sort_by(|(a, _), (b, _)| a.cmp(b));
    for (name, own) in &groups {
        let ratios = || own.iter().map(|sample| ratio(sample));
        let bytes = || own.iter().map(|sample| sample.n_bytes);
        let n_certified = own.iter().filter(|sample| sample.n_bytes > 0).count();
        let sum =
            |of: fn(&Sample) -> Duration| own.iter().map(|s| of(s).as_secs_f64()).sum::<f64>();
        let _ = writeln!(
            text,
            "{name:<22}{:>7}{n_certified:>11}{:>9.2}{:>9.2}{:>9.2}{:>10.3}{:>10.3}{:>9}{:>10}",
            own.len(),
            quantile(ratios(), 0.5).unwrap_or_default(),
            quantile(ratios(), 0.99).unwrap_or_default(),
            quantile(ratios(), 1.0).unwrap_or_default(),
            sum(|sample| sample.alone),
            sum(|sample| sample.certified),
            quantile(bytes(), 0.5).unwrap_or_default(),
            quantile(bytes(), 0.99).unwrap_or_default(),
        );
    }
    text
}

/// One line for each question of which the ratio is above the target.
pub fn csv(samples: &[Sample]) -> String {
    let mut text = "id,question,solver,kind,bytes,alone_ns,certified_ns\n".to_owned();
    for sample in samples.iter().filter(|sample| ratio(sample) > TARGET) {
        let Sample { id, question, solver, kind, n_bytes, alone, certified } = sample;
        let (alone, certified) = (alone.as_nanos(), certified.as_nanos());
        let _ = writeln!(text, "{id},{question},{solver},{kind},{n_bytes},{alone},{certified}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_holds_is_measured_with_and_without() {
        let policy = r#"{"Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}}"#;
        let job = |question: &str, rest: &str| {
            format!(r#"{{"id":"{question}","question":"{question}",{rest}}}"#)
        };
        let lines = [
            job("no-new-access", &format!(r#""existing":{policy},"new":{policy}"#)),
            job(
                "access-not-granted",
                &format!(r#""policy":{policy},"access":[{{"actions":["s3:*"]}}]"#),
            ),
        ];
        let samples = measure(lines.iter().map(String::as_str), 1);
        assert_eq!(samples.len(), 1, "the other fails");
        assert_eq!((&*samples[0].id, &*samples[0].kind), ("no-new-access", "question"));
        assert!(samples[0].n_bytes > 100);
        let slow = Sample { certified: 3 * samples[0].alone, ..samples[0].clone() };
        assert_eq!(csv(&[slow]).lines().count(), 2);
        assert!(table(&samples).contains("\nby cover "), "{}", table(&samples));
    }
}
