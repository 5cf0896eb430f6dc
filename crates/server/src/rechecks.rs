//! Answers of `cover` that are put to formulas after they were given.
//!
//! `cover` decides most of what holds by comparing texts, and no solver sees it. One in so many is asked again of the embedded solver,
//! when nothing else is to be done, so that nobody waits for it. One behind every so many would always meet the same question of a
//! client that asks a round of them; so of every so many one is drawn, with a seed.

use std::sync::atomic::{AtomicU64, Ordering};

use keyaki::audit::formulas::{Rechecked, is_of_cover, recheck};
use keyaki::wire::JobResult;

use crate::service::Service;

/// How many answers there have been that could be put to formulas.
#[derive(Default)]
pub(crate) struct Rechecks(AtomicU64);

impl Service {
    /// Puts an answer to formulas, when there is time, if it is of `cover` and its turn, and counts what comes of that.
    pub(crate) fn recheck(&self, question: Option<&str>, job: &[u8], result: &JobResult) {
        if !is_of_cover(result) {
            return;
        }
        let number = self.rechecks().0.fetch_add(1, Ordering::Relaxed);
        if !is_drawn(self.settings().recheck_every, self.settings().recheck_seed, number) {
            return;
        }
        let is_taken = self.when_idle(question, job, |service, task, time| {
            let word = match recheck(&task, service.engines(), time, service.audit_cancel()) {
                Some(Rechecked::Agreed) => "agreed",
                Some(Rechecked::Inconclusive) => "inconclusive",
                Some(Rechecked::Disagreed(result)) => {
                    let incident = result.incident.as_deref().unwrap_or_default();
                    tracing::error!(
                        incident,
                        "an answer that was given does not stand up to formulas"
                    );
                    "disagreed"
                }
                None => return,
            };
            service.metrics().recheck(word);
        });
        if !is_taken {
            self.metrics().recheck("dropped");
        }
    }
}

/// Whether the one of this number is drawn: one of each `every`.
fn is_drawn(every: u32, seed: u64, number: u64) -> bool {
    let every = u64::from(every);
    let Some(block) = number.checked_div(every) else { return false };
    number % every == mixed(seed.wrapping_add(mixed(block))) % every
}

/// SplitMix64.
fn mixed(number: u64) -> u64 {
    let mut word = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use keyaki::EngineOptions;
    use keyaki::solvers::Config;
    use keyaki::wire::VerdictName;

    use super::*;
    use crate::settings::{Credentials, Settings};

    const COVER: &str = "cover";

    #[test]
    fn what_cover_says_is_counted_if_it_does_not_stand_against_formulas() {
        let settings = Settings { recheck_every: 2, ..Settings::default() };
        let config = Config { automaton: true, solvers: Vec::new() };
        let options = EngineOptions::default();
        let service = Service::new(settings, Credentials::default(), config, &options).unwrap();
        let of_cover = JobResult {
            verdict: Some(VerdictName::Holds),
            solver: Some(COVER.to_owned()),
            ..JobResult::default()
        };
        let ask = |principal: &str, result: &JobResult| {
            let job = format!(
                r#"{{"question": "no-public-access", "policy": {{"Statement": [{{"Effect": "Allow",
                    "Principal": {principal}, "Action": "s3:*", "Resource": "*"}}]}}}}"#
            );
            // Of two one is drawn.
            (0..2).for_each(|_| service.recheck(None, job.as_bytes(), result));
        };
        ask(r#""*""#, &of_cover);
        ask(r#"{"AWS": "111122223333"}"#, &of_cover);
        ask(r#""*""#, &JobResult { solver: Some("automaton".to_owned()), ..of_cover });
        let text = || service.metrics().text(service.pool().load(), &[]);
        let is_told = |word: &str| {
            text().contains(&format!("keyaki_audits_total{{of=\"cover\",result=\"{word}\"}} 1\n"))
        };
        let deadline = Instant::now() + Duration::from_secs(60);
        while !(is_told("disagreed") && is_told("agreed")) {
            assert!(Instant::now() < deadline, "{}", text());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    #[test]
    fn one_of_each_so_many_is_drawn_by_the_seed() {
        let drawn = |every, seed| -> Vec<u64> {
            (0..2_560).filter(|number| is_drawn(every, seed, *number)).collect()
        };
        assert!(drawn(0, 7).is_empty());
        assert_eq!(drawn(1, 7).len(), 2_560);
        let of_seven = drawn(256, 7);
        let blocks: Vec<u64> = of_seven.iter().map(|number| number / 256).collect();
        assert_eq!(blocks, (0..10).collect::<Vec<u64>>());
        assert_eq!(of_seven, drawn(256, 7));
        assert_ne!(of_seven, drawn(256, 8));
        let places = of_seven.iter().map(|number| number % 256);
        assert!(places.collect::<std::collections::BTreeSet<_>>().len() > 5, "{of_seven:?}");
    }
}
