//! The one table: measure, target, measured.

use std::fmt::Write as _;
use std::time::Duration;

use crate::growth::{FAMILIES, Point, VARIANTS, of_series, worst_ratio};
use crate::latency::{Sample, median_ratio, quantile, ratio};
use crate::mix::KINDS;
use crate::service::Measured;
use crate::throughput::{Bench, Run, median};
use crate::variables::{Census, Tally};
use crate::{certificates, findings};

/// Rows so far.
#[derive(Clone, Debug, Default)]
pub struct Table(Vec<[String; 3]>);

/// Where there is nothing to reach.
const NONE: &str = "-";

impl Table {
    fn row(&mut self, measure: impl Into<String>, target: &str, measured: impl Into<String>) {
        self.0.push([measure.into(), target.to_owned(), measured.into()]);
    }

    /// What the questions are.
    pub fn questions(&mut self, bench: &Bench<'_>) {
        let (census, answers) = (&bench.census, &bench.answers);
        let share = |n: usize, of: usize| format!("{:.1} %", 100.0 * n as f64 / of.max(1) as f64);
        let n = census.len();
        self.row(
            "questions of a cold run",
            NONE,
            format!("{n} ({:?} by kind)", census.n_questions),
        );
        self.row("bytes of a question's line, mean", NONE, (census.n_bytes / n.max(1)).to_string());
        self.row("questions with other names than their source", NONE, share(census.n_renamed, n));
        self.row(
            "questions that differ from all before in more than `Sid`s",
            NONE,
            share(census.n_new, n),
        );
        self.row("answers `holds`", ">= 50 %", share(answers.total(0), answers.len()));
        self.row("answers `unknown`", NONE, share(answers.total(2), answers.len()));
        self.row("answers that the input is wrong", NONE, share(answers.total(3), answers.len()));
        self.row("answers that are a fault of ours", "0", answers.total(4).to_string());
        let (several, opposite) = answers.under_several_names();
        let found = format!("{} of {several} jobs", opposite.len());
        self.row("jobs with opposite answers under other names", "0", found);
    }

    /// How fast they are answered.
    pub fn throughput(&mut self, runs: &[Run]) {
        let rate = |run: &Run| {
            let mut text =
                format!("{:.0} a second, {:.1} MB a second", run.rate(), run.bytes_rate() / 1e6);
            // What neighbours on the machine change least.
            let busy = (run.cost.user + run.cost.system).as_secs_f64();
            if busy > 0.0 {
                let _ = write!(text, "; {:.0} a processor second", run.n_questions as f64 / busy);
            }
            text
        };
        let names = [("cold", "batch, cold".to_owned()), ("warm", "batch, warm".to_owned())];
        let kinds = KINDS.map(|kind| (kind, format!("batch, cold, {kind} alone")));
        for (name, label) in names.into_iter().chain(kinds) {
            if let Some(run) = median(runs, name) {
                self.row(format!("{label}, {} workers", run.workers), NONE, rate(run));
            }
        }
        if let Some(run) = median(runs, "one-thread") {
            let micros = run.cost.user.as_secs_f64() * 1e6 / run.n_questions as f64;
            let measured = format!("{micros:.1} us a question; {}", rate(run));
            self.row("batch, cold, 1 worker: user time", NONE, measured);
        }
    }

    /// How long one takes.
    pub fn latency(&mut self, samples: &[Sample]) {
        let targets = [
            ("p50", 0.5, "< 30 us"),
            ("p90", 0.9, NONE),
            ("p99", 0.99, "< 1 ms"),
            ("p99.9", 0.999, NONE),
            ("p99.99", 0.9999, "< 20 ms"),
            ("max", 1.0, "< 1 s"),
        ];
        for (label, share, target) in targets {
            let by_kind = [0, 1, 2].map(|kind| {
                format!("{:.1}", quantile(samples, Some(kind), share).as_secs_f64() * 1e6)
            });
            let all = quantile(samples, None, share).as_secs_f64() * 1e6;
            let measured = format!("{all:.1} us (by kind {})", by_kind.join(", "));
            self.row(format!("latency, {label} of {}", samples.len()), target, measured);
        }
        let by_kind = [0, 1, 2].map(|kind| format!("{:.2}", ratio(samples, Some(kind))));
        let measured = format!("{:.2} (by kind {})", ratio(samples, None), by_kind.join(", "));
        self.row("whole time over serde_json's for the same texts, sums", "<= 4", measured);
        self.row("the same, median of questions", NONE, format!("{:.2}", median_ratio(samples)));
    }

    /// How it grows.
    pub fn growth(&mut self, points: &[Point], counts: bool) {
        let unit = if counts { "instructions" } else { "times" };
        for family in FAMILIES {
            for variant in VARIANTS {
                let Some(last) = of_series(points, family, variant).last() else { continue };
                let mut measured = match worst_ratio(points, family, variant) {
                    Some((ratio, size)) => format!("{ratio:.2} (at {size})"),
                    None => NONE.to_owned(),
                };
                let _ = match last.cost {
                    Some(_) => write!(
                        measured,
                        "; {} statements: {:.0} ms, {} MiB",
                        last.size,
                        last.wall.as_secs_f64() * 1e3,
                        last.peak_kib >> 10
                    ),
                    None => write!(measured, "; capped at {} statements", last.size),
                };
                let label = format!("{unit} for twice the statements, worst: {family}, {variant}");
                self.row(label, "<= 2.3", measured);
            }
        }
    }

    /// How much memory batches take.
    pub fn memory(&mut self, runs: &[Run]) {
        for run in runs.iter().filter(|run| run.name == "stream") {
            let label = format!("peak memory of a batch of {}", run.n_questions);
            self.row(label, "< 500 MB", format!("{} MB", run.cost.peak_kib * 1024 / 1_000_000));
        }
    }

    /// What policy variables there are, and what the embedded solver alone decides about them.
    pub fn variables(&mut self, census: &Census) {
        for (name, tally) in census.rows() {
            let Tally { n_resources, n_values, n_policies, .. } = tally;
            let (decided, of) = tally.decided();
            let measured = format!(
                "{} values ({n_resources} in resources) of {n_policies} policies; {decided} of {of} questions decided",
                n_resources + n_values
            );
            self.row(format!("policy variables: {name}"), NONE, measured);
        }
    }

    /// How long it takes to list rows.
    pub fn findings(&mut self, points: &[findings::Point]) {
        for point in points {
            let findings::Point { n, n_precise, n_rows, times } = point;
            let target = if *n == 15 { "< 50 ms" } else { NONE };
            let milliseconds = |time: Duration| time.as_secs_f64() * 1e3;
            let worst = times.iter().max().copied().unwrap_or_default();
            let measured = format!(
                "{:.1} ms, at most {:.1} ms; {n_rows} rows of {n_precise}",
                milliseconds(point.median()),
                milliseconds(worst)
            );
            self.row(format!("findings of {n} statements, median"), target, measured);
        }
    }

    /// What certificates cost.
    pub fn certificates(&mut self, samples: &[certificates::Sample]) {
        let ratio = |share| certificates::ratio_at(samples, share);
        let measured = format!("{:.2}, p99 {:.2}", ratio(0.5), ratio(0.99));
        self.row("answer with certificate over answer, median", "<= 2, p99 <= 2", measured);
        let n_certified = samples.iter().filter(|sample| sample.n_bytes > 0).count();
        let share = 100.0 * n_certified as f64 / samples.len().max(1) as f64;
        let measured = format!("{share:.2} % of {}", samples.len());
        self.row("what holds and is certified", ">= 99.9 %", measured);
    }

    /// How the service does.
    pub fn service(&mut self, measured: &Measured) {
        let batches = [
            ("service, batches, cache off", ">= 11574 a second", &measured.batches),
            ("service, batches, cache on, asked again", NONE, &measured.kept),
        ];
        for (name, target, batches) in batches {
            let mut rates: Vec<f64> =
                batches.iter().map(|(n, took)| *n as f64 / took.as_secs_f64()).collect();
            rates.sort_by(f64::total_cmp);
            if let Some(rate) = rates.get(rates.len() / 2) {
                self.row(name, target, format!("{rate:.0} a second (of {})", rates.len()));
            }
        }
        for load in &measured.loads {
            let target = match load.name {
                "peak" => ">= 5000 a second",
                "twice the peak" => "p99 < 100 ms, none lost",
                _ => "p99 < 20 ms, none lost",
            };
            let milliseconds = |share| load.quantile(share).as_secs_f64() * 1e3;
            let measured = format!(
                "{:.0} a second of {:.0} sent; p50 {:.2} ms, p99 {:.2} ms, p99.9 {:.2} ms; {} refused, {} lost",
                load.rate(),
                load.sent(),
                milliseconds(0.5),
                milliseconds(0.99),
                milliseconds(0.999),
                load.refused.len(),
                load.lost
            ) + &load
                .first_lost
                .as_ref()
                .map_or(String::new(), |first| format!(": {first}"));
            self.row(format!("service, one by one, cache off: {}", load.name), target, measured);
        }
        self.row(
            "service, peak memory",
            NONE,
            format!("{} MB", measured.peak_kib * 1024 / 1_000_000),
        );
    }

    /// The table as Markdown.
    pub fn text(&self) -> String {
        let head = ["measure", "target", "measured"].map(str::to_owned);
        let rule = [const { String::new() }; 3];
        let rows = || std::iter::once(&head).chain(&self.0);
        let width = |column: usize| rows().map(|row| row[column].len()).max().unwrap_or_default();
        let widths = [width(0), width(1), width(2)];
        let mut text = String::new();
        for (number, row) in std::iter::once(&head).chain([&rule]).chain(&self.0).enumerate() {
            let fill = if number == 1 { '-' } else { ' ' };
            for (cell, width) in row.iter().zip(widths) {
                let space: String = std::iter::repeat_n(fill, width - cell.len()).collect();
                let _ = write!(text, "| {cell}{space} ");
            }
            text += "|\n";
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_longest_cell() {
        let mut table = Table::default();
        table.row("a long measure", NONE, "1");
        let expected = "| measure        | target | measured |\n\
                        | -------------- | ------ | -------- |\n\
                        | a long measure | -      | 1        |\n";
        assert_eq!(table.text(), expected);
    }
}
