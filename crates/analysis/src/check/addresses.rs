//! How many addresses a policy admits, where only several sets of them together are many.
//!
//! The policy tells addresses apart by the ranges that it names, so what it admits is a union of
//! *classes* ([`crate::addresses`]). Each class that is small alone is asked for by itself: does the
//! policy, with Deny statements of all other addresses, let in somebody whom nothing else confines?
//! The sizes of those are added up, the largest first, until the limit is passed or out of reach. A
//! request for each class is the witness, and all are replayed together.
//!
//! One formula with a copy of the request for each class would need no loop. It is as many times
//! larger, and the embedded solver has no sums.

use std::time::{Duration, Instant};

use keyaki_policy::{PolicyType, Readings, Request, parse};

use super::{Error, Evidence, Report, Setting, Verdict, Witness, allowing_side, check_one};
use crate::addresses::{self, Class, Family, Network, RFC_1918};
use crate::encode::public::named_networks;
use crate::public::Table;
use crate::question::{Question, Side};
use crate::replay::{Replay, replay_together};

/// The most classes that are asked for.
const MAX_CLASSES: usize = 512;

/// What came of counting.
pub(crate) enum Counted {
    /// More than the table allows: the property fails.
    Many(Box<Report>),
    /// No more than that, in each family.
    Few {
        /// Whether several solvers agreed on all classes that are not admitted.
        all_agreed: bool,
    },
    /// It was not found out.
    Unknown,
}

/// Counts the addresses of the classes that are small alone.
pub(crate) fn count(
    question: &Question,
    base: Readings,
    setting: &Setting<'_>,
) -> Result<Counted, Error> {
    let Question::NoPublicAccess { table, .. } = question else { return Ok(Counted::Unknown) };
    let Some(max) = table.addresses else { return Ok(Counted::Unknown) };
    let Some(counting) = table.counting() else { return Ok(Counted::Unknown) };
    let (mut is_few, mut all_agreed) = (true, true);
    for (family, max) in [(Family::V4, max.ipv4), (Family::V6, max.ipv6)] {
        let mut asked = Asked { question, counting, base, setting, all_agreed: true };
        match asked.family(family, max)? {
            Counted::Many(report) => return Ok(Counted::Many(report)),
            Counted::Few { .. } => all_agreed &= asked.all_agreed,
            Counted::Unknown => is_few = false,
        }
    }
    Ok(if is_few { Counted::Few { all_agreed } } else { Counted::Unknown })
}

struct Asked<'a> {
    question: &'a Question,
    counting: &'static Table,
    base: Readings,
    setting: &'a Setting<'a>,
    all_agreed: bool,
}

impl Asked<'_> {
    fn family(&mut self, family: Family, max: u128) -> Result<Counted, Error> {
        let networks = named_networks(self.question);
        let classes = addresses::classes(family, &networks, &RFC_1918);
        let mut classes: Vec<Class> = classes.into_iter().filter(|c| c.size <= max).collect();
        classes.sort_by_key(|class| std::cmp::Reverse(class.size));
        let total =
            |classes: &[Class]| classes.iter().fold(0u128, |sum, c| sum.saturating_add(c.size));
        let (mut admitted, mut open) = (0u128, 0u128);
        let mut reports = Vec::new();
        for (position, class) in classes.iter().enumerate() {
            let left = total(&classes[position..]);
            if admitted.saturating_add(open).saturating_add(left) <= max {
                return Ok(Counted::Few { all_agreed: self.all_agreed });
            }
            if position >= MAX_CLASSES {
                return Ok(Counted::Unknown);
            }
            let Some(narrowed) = self.narrowed(family, &networks, class) else {
                return Ok(Counted::Unknown);
            };
            let report = check_one(&narrowed, self.base, self.setting, Instant::now())?;
            match &report.verdict {
                Verdict::Holds(evidence) => self.all_agreed &= *evidence == Evidence::Agreed,
                Verdict::Unknown { .. } => open = open.saturating_add(class.size),
                Verdict::Fails(_) => {
                    admitted = admitted.saturating_add(class.size);
                    reports.push(report);
                    if admitted > max {
                        return Ok(self.many(reports));
                    }
                }
            }
        }
        let is_few = admitted.saturating_add(open) <= max;
        Ok(match is_few {
            true => Counted::Few { all_agreed: self.all_agreed },
            false => Counted::Unknown,
        })
    }

    /// The question whether the policy admits an address of this class.
    fn narrowed(&self, family: Family, networks: &[Network], class: &Class) -> Option<Question> {
        // Of another family, or without address, nobody is left by the first.
        let mut inside = vec![Network { family, prefix: 0, length: 0 }];
        let mut outside = RFC_1918.to_vec();
        for (network, is_inside) in networks.iter().zip(&class.signature) {
            if network.family == family {
                if *is_inside { &mut inside } else { &mut outside }.push(*network);
            }
        }
        let test = |operator: &str, network: &Network| {
            format!(
                r#"{{"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*",
                    "Condition": {{"{operator}": {{"aws:SourceIp": "{network}"}}}}}}"#
            )
        };
        let inside = inside.iter().map(|network| test("NotIpAddress", network));
        let outside = outside.iter().map(|network| test("IpAddress", network));
        let statements: Vec<String> = inside.chain(outside).collect();
        let text =
            format!(r#"{{"Version": "2012-10-17", "Statement": [{}]}}"#, statements.join(", "));
        let denies = parse(&text, Some(PolicyType::Resource)).ok()?;
        let mut question = self.question.clone();
        let (at, _) = *question.resource_policies(Side::Policy).first()?;
        let policy = question.policy_mut(at)?;
        let first = policy.statements.iter().map(|s| s.index + 1).max().unwrap_or_default();
        for (position, mut deny) in denies.statements.into_iter().enumerate() {
            deny.index = first + position;
            policy.statements.push(deny);
        }
        if let Question::NoPublicAccess { table, .. } = &mut question {
            *table = self.counting;
        }
        Some(question)
    }

    /// The answer, if the witnesses of the classes are one of the question together.
    fn many(&self, reports: Vec<Report>) -> Counted {
        let mut requests: Vec<Request> = Vec::new();
        let (mut attempts, mut depends_on, mut queries) = (Vec::new(), Vec::new(), 0);
        let mut readings = vec![self.base];
        let solver = reports.first().and_then(|report| report.solver.clone());
        for report in reports {
            if let Verdict::Fails(Witness { request, .. }) = report.verdict {
                requests.push(request);
            }
            readings.push(report.witness_under);
            attempts.extend(report.attempts);
            depends_on.extend(report.depends_on);
            queries += report.queries;
        }
        depends_on.sort_unstable();
        depends_on.dedup();
        let Some((request, companions)) = requests.split_first() else { return Counted::Unknown };
        let found = readings.into_iter().find_map(|under| {
            match replay_together(self.question, request, companions, under) {
                Replay::Confirmed { allowing } => Some((under, allowing)),
                Replay::Refuted(_) | Replay::Undecided(_) => None,
            }
        });
        let Some((witness_under, statements)) = found else { return Counted::Unknown };
        let witness =
            Witness { request: request.clone(), side: allowing_side(self.question), statements };
        let companions = companions.to_vec();
        Counted::Many(Box::new(Report {
            verdict: Verdict::Fails(witness),
            solver,
            attempts,
            queries,
            depends_on,
            witness_under,
            relation: None,
            reverse: None,
            table: None,
            encoding: None,
            companions,
            wall: Duration::ZERO,
        }))
    }
}
