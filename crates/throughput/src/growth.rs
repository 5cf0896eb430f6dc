//! Policies that double in size, and what a question about them takes.
//!
//! `no-new-access` between a policy of `n` statements and another with the statements in another order and every pattern
//! narrower (of a Deny: wider), so that no text of one is in the other. In the variant that fails one pattern in the middle is
//! wider. Patterns share their beginnings and overlap: that of number 1 matches names of number 10.
//!
//! Each size is asked in a process of its own, by the embedded solver alone. Where valgrind is installed its instructions
//! are counted, less those of a process that only makes the policies; else the wall time is taken, the median of
//! several processes, which is worth less. What does not end within a cap ends its series.

use std::env;
use std::fmt::Write as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use keyaki::job::{Document, Inquiry, Setting, engines};
use keyaki::question::{PolicyRef, Side};
use keyaki::solvers::Config;
use keyaki::wire::VerdictName;
use keyaki::{Cancel, EngineOptions, PolicyType};
use serde_json::{Value, json};

use crate::child;
use crate::random::Random;

/// What grows, in the order of reports.
pub const FAMILIES: [&str; 4] = ["actions", "resources", "conditions", "denies"];

/// Whether the property holds.
pub const VARIANTS: [&str; 2] = ["holds", "fails"];

/// The number of statements of the smallest policy; each further one has twice as many.
const FIRST_SIZE: usize = 10;

/// How long a question may take, at most, whatever the caller's cap.
const TIMEOUT: Duration = Duration::from_secs(600);

/// How often a size is timed where instructions are not counted; odd, for the median.
const REPETITIONS: usize = 5;

/// What was measured of one size.
#[derive(Clone, Debug)]
pub struct Point {
    /// What grows.
    pub family: &'static str,
    /// Whether the property holds.
    pub variant: &'static str,
    /// Number of statements.
    pub size: usize,
    /// Bytes of both policies.
    pub n_bytes: usize,
    /// Instructions, or nanoseconds; none if it was stopped.
    pub cost: Option<f64>,
    /// Wall time of the question, outside of valgrind.
    pub wall: Duration,
    /// The most memory of the process without valgrind, in KiB.
    pub peak_kib: u64,
}

/// The sizes up to the `n_doublings`-th doubling.
pub fn sizes(n_doublings: usize) -> impl Iterator<Item = usize> {
    (0..=n_doublings).map(|doubling| FIRST_SIZE << doubling)
}

/// What is counted here: instructions if valgrind is installed.
pub fn counts_instructions() -> bool {
    let mut command = Command::new("valgrind");
    command.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// Measures every family and variant up to so many doublings; counts instructions or takes times.
///
/// # Errors
///
/// A process fails, or a verdict is another than the policies are made for.
pub fn measure(n_doublings: usize, cap: Duration, counts: bool) -> Result<Vec<Point>, String> {
    let mut points = Vec::new();
    for family in FAMILIES {
        for variant in VARIANTS {
            for size in sizes(n_doublings) {
                let point = point(family, variant, size, cap, counts)?;
                let is_capped = point.cost.is_none();
                points.push(point);
                if is_capped {
                    break;
                }
            }
        }
    }
    Ok(points)
}

fn point(
    family: &'static str,
    variant: &'static str,
    size: usize,
    cap: Duration,
    counts: bool,
) -> Result<Point, String> {
    let n_bytes = policies(family, variant, size).iter().map(String::len).sum();
    let empty = Duration::ZERO;
    let mut point = Point { family, variant, size, n_bytes, cost: None, wall: empty, peak_kib: 0 };
    let mut walls = Vec::new();
    for _ in 0..if counts { 1 } else { REPETITIONS } {
        let Some(output) = child::within(cap, one(&["grow", family, variant], size)?)? else {
            return Ok(point);
        };
        let words: Vec<&str> = output.split_whitespace().collect();
        let number = |at: usize| words.get(at).and_then(|word| word.parse::<u64>().ok());
        let (Some(wall), Some(peak)) = (number(0), number(1)) else {
            return Err(format!("{family} {variant} {size}: {output}"));
        };
        if words.get(2) != Some(&variant) {
            return Err(format!("{family} {variant} {size} is answered `{:?}`", words.get(2)));
        }
        walls.push(Duration::from_nanos(wall));
        point.peak_kib = peak;
    }
    walls.sort_unstable();
    point.wall = walls[walls.len() / 2];
    if counts {
        let with = instructions(one(&["grow", family, variant], size)?, cap)?;
        let without = instructions(one(&["make", family, variant], size)?, cap)?;
        point.cost = with.zip(without).map(|(with, without)| with - without);
    } else {
        point.cost = Some(point.wall.as_nanos() as f64);
    }
    Ok(point)
}

/// This program, asked for one size.
fn one(words: &[&str], size: usize) -> Result<Command, String> {
    let program = env::current_exe().map_err(|error| error.to_string())?;
    let mut command = Command::new(program);
    command.args(words).arg(size.to_string());
    Ok(command)
}

/// How many instructions a command executes, or none if it was stopped.
fn instructions(command: Command, cap: Duration) -> Result<Option<f64>, String> {
    let mut under = Command::new("valgrind");
    under
        .args(["--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"])
        .arg(command.get_program())
        .args(command.get_args());
    let Some(output) = child::within(cap, under)? else { return Ok(None) };
    told_instructions(&output)
        .map(Some)
        .ok_or_else(|| format!("valgrind tells no instructions: {output}"))
}

/// The number that cachegrind tells; how wide it sets its columns depends on what it counts.
fn told_instructions(output: &str) -> Option<f64> {
    output.lines().find_map(|line| {
        let (title, number) = line.split_once("refs:")?;
        title.trim_end().ends_with('I').then_some(number)?.replace([',', ' '], "").parse().ok()
    })
}

/// Asks about one size, and prints nanoseconds, KiB and verdict. Or only makes the policies.
///
/// # Errors
///
/// The words are not those of a size.
pub fn ask(words: &[String], only_make: bool) -> Result<String, String> {
    let [family, variant, size] = words else { return Err("FAMILY VARIANT SIZE".to_owned()) };
    let size = size.parse().map_err(|_| format!("`{size}` is no number"))?;
    let [existing, new] = policies(family, variant, size);
    if only_make {
        return Ok(format!("{}", existing.len() + new.len()));
    }
    // Nobody else is asked, so that what is counted is all.
    let config = Config { solvers: Vec::new(), ..Config::builtin() };
    let options = EngineOptions::default();
    let documents = [(Side::Existing, existing), (Side::New, new)]
        .map(|(side, text)| Document::new(PolicyRef::of_union(side, 0), String::new(), text));
    let setting =
        Setting { policy_type: Some(PolicyType::Identity), timeout: TIMEOUT, ..Setting::default() };
    let start = Instant::now();
    let inquiry =
        Inquiry::new("no-new-access", documents.into(), setting).map_err(|error| error.message)?;
    let result = inquiry.answer(&engines(&config, &options), &Cancel::new());
    let wall = start.elapsed();
    let peak = child::peak_kib("/proc/self/status").unwrap_or_default();
    let verdict = match result.verdict {
        Some(VerdictName::Holds) => "holds",
        Some(VerdictName::Fails) => "fails",
        Some(VerdictName::Unknown) => "unknown",
        None => "error",
    };
    Ok(format!("{} {peak} {verdict}", wall.as_nanos()))
}

/// The policy of reference, and the one in question.
pub fn policies(family: &str, variant: &str, size: usize) -> [String; 2] {
    let is_odd = |number: usize| variant == "fails" && number == size / 2;
    let statement = |number: usize, narrow: bool| {
        // Denies of the policy in question are the wider ones.
        let narrow = narrow != (family == "denies");
        // The odd one is the wider of the two in the policy that should be narrower.
        let is_narrow = narrow != is_odd(number);
        let mut patterns = patterns(number, is_narrow, is_odd(number));
        if narrow {
            patterns.reverse();
        }
        of_family(family, &patterns)
    };
    // Texts, as a tree of the whole policy would be the most memory that the process has.
    let mut existing: Vec<String> =
        (0..size).map(|number| statement(number, false).to_string()).collect();
    let mut new: Vec<String> =
        (0..size).map(|number| statement(number, true).to_string()).collect();
    Random::new("growth", size as u64).shuffle(&mut new);
    if family == "denies" {
        let all = r#"{"Effect":"Allow","Action":"s3:*","Resource":"*"}"#.to_owned();
        existing.insert(0, all.clone());
        new.push(all);
    }
    [existing, new]
        .map(|list| format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, list.join(",")))
}

/// Three patterns of a number; each narrow one is within the wide one beside it.
fn patterns(number: usize, narrow: bool, is_odd: bool) -> Vec<String> {
    let name = if is_odd { "odd" } else { "shared" };
    let (n, team) = (number, number % 16);
    if narrow {
        vec![
            format!("{name}Team{team}X{n}XData*"),
            format!("{name}Team{team}Y{n}*YLog*Old"),
            format!("{name}Z{n}ZA*ZEnd"),
        ]
    } else {
        vec![
            format!("{name}Team{team}X{n}X*"),
            format!("{name}Team{team}Y{n}*YLog*"),
            format!("{name}Z{n}Z*ZEnd"),
        ]
    }
}

fn of_family(family: &str, patterns: &[String]) -> Value {
    let with = |before: &str, after: &str| -> Vec<String> {
        patterns.iter().map(|pattern| format!("{before}{pattern}{after}")).collect()
    };
    match family {
        "actions" => json!({"Effect": "Allow", "Action": with("demo:Get", ""), "Resource": "*"}),
        "resources" => json!({
            "Effect": "Allow", "Action": "s3:GetObject", "Resource": with("arn:aws:s3:::", "/*"),
        }),
        "conditions" => json!({
            "Effect": "Allow", "Action": "s3:GetObject", "Resource": "*",
            "Condition": {
                "StringLike": {"aws:PrincipalTag/team": with("", "")},
                "StringEquals": {"aws:RequestedRegion": ["eu-west-1", "eu-west-3"]},
            },
        }),
        _ => json!({
            "Effect": "Deny", "Action": ["s3:GetObject", "s3:PutObject"],
            "Resource": with("arn:aws:s3:::", "/*"),
        }),
    }
}

/// The largest cost of a size over that of half of it, with the size, of one family and variant.
pub fn worst_ratio(points: &[Point], family: &str, variant: &str) -> Option<(f64, usize)> {
    let series: Vec<(usize, f64)> = of_series(points, family, variant)
        .filter_map(|point| Some((point.size, point.cost?)))
        .collect();
    let ratios = series.windows(2).map(|pair| (pair[1].1 / pair[0].1, pair[1].0));
    ratios.max_by(|left, right| left.0.total_cmp(&right.0))
}

/// The points of one family and variant.
pub fn of_series<'p>(
    points: &'p [Point],
    family: &'p str,
    variant: &'p str,
) -> impl Iterator<Item = &'p Point> {
    points.iter().filter(move |point| point.family == family && point.variant == variant)
}

/// All points.
pub fn csv(points: &[Point], counts: bool) -> String {
    let unit = if counts { "instructions" } else { "median_ns" };
    let mut text = format!("family,variant,statements,policy_bytes,{unit},wall_ns,peak_kib\n");
    for Point { family, variant, size, n_bytes, cost, wall, peak_kib } in points {
        let cost = cost.map_or("capped".to_owned(), |cost| format!("{cost:.0}"));
        let wall = wall.as_nanos();
        let _ = writeln!(text, "{family},{variant},{size},{n_bytes},{cost},{wall},{peak_kib}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instructions_are_read_whatever_the_width() {
        for line in ["==1== I refs:      1,706,545", "==1== I   refs:      1,706,545"] {
            let output = format!("57343437 76980 holds\n\n{line}\n==1== D refs: 7\n");
            assert_eq!(told_instructions(&output), Some(1_706_545.0), "{line}");
        }
        assert_eq!(told_instructions("==1== D   refs:      1,706,545"), None);
    }

    #[test]
    fn policies_are_answered_as_they_are_made_for() {
        for family in FAMILIES {
            for variant in VARIANTS {
                let words = [family, variant, "20"].map(str::to_owned);
                let answer = ask(&words, false).unwrap();
                assert_eq!(answer.split(' ').nth(2), Some(variant), "{family}");
            }
        }
    }

    #[test]
    fn no_statement_is_in_both_policies() {
        for family in FAMILIES {
            let [existing, new] = policies(family, "holds", 40).map(|text| {
                let policy: Value = serde_json::from_str(&text).unwrap();
                policy["Statement"].as_array().unwrap().clone()
            });
            let common = existing.iter().filter(|statement| new.contains(statement)).count();
            assert_eq!(common, usize::from(family == "denies"), "{family}");
        }
    }

    #[test]
    fn the_worst_ratio_is_of_neighbours() {
        let point = |size: usize, cost: Option<f64>| Point {
            family: "actions",
            variant: "holds",
            size,
            n_bytes: 0,
            cost,
            wall: Duration::ZERO,
            peak_kib: 0,
        };
        let points =
            [point(10, Some(1.0)), point(20, Some(3.0)), point(40, Some(6.0)), point(80, None)];
        assert_eq!(worst_ratio(&points, "actions", "holds"), Some((3.0, 20)));
        assert_eq!(worst_ratio(&points, "actions", "fails"), None);
    }
}
