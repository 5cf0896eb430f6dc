//! The encoder and the concrete side say the same of every request.
//!
//! Random policies go through the parser, random requests are turned into assignments to the
//! encoder's variables, and the two sides are compared: [`keyaki_properties::agreement`] says how.

mod regressions;
mod sets;
mod small_lists;

use std::cell::RefCell;
use std::collections::BTreeMap;

use keyaki_analysis::encode::{Encoding, Opaque, is_opaque};
use keyaki_analysis::replay::{Replay, breaks, violations};
use keyaki_analysis::translation::embed;
use keyaki_analysis::{Question, encode};
use keyaki_logic::{Formula, eval};
use keyaki_policy::{Decision, Policy, PolicyType, Readings, Request};
use keyaki_properties::agreement::{Subject, compare, decoded, parsed, unexcused_violations};
use keyaki_properties::generate;
use keyaki_testing::arbitrary::{Result, Unstructured};
use keyaki_testing::arbtest;

/// How long a round of questions takes, in milliseconds.
const ROUND_MS: u64 = 1_000;

/// Rounds go on until so many requests were compared: 300 questions or more, of which some have
/// each outcome however slow the machine is.
const MIN_REQUESTS: usize = 2_500;

/// Rounds after which a slow machine is asked no more.
const MAX_ROUNDS: usize = 60;

/// The rarest outcome is one in forty requests; less than one in so many is a broken generator.
const MIN_SHARE: usize = 500;

/// Random bytes for one question with its requests; fewer end in the first word of each list.
const MIN_BYTES: u32 = 1_500;

/// Requests for one question, because encoding is what takes the time.
const REQUESTS: usize = 8;

#[test]
fn what_a_policy_allows_is_agreed_on() {
    check_agreement(|u| {
        let policy_type = *u.choose(&[PolicyType::Identity, PolicyType::Resource])?;
        Ok(Subject::no_new_access(policy_type, vec![], vec![generate::policy(u, policy_type)?]))
    });
}

#[test]
fn what_a_policy_adds_to_another_is_agreed_on() {
    check_agreement(|u| {
        let policy_type = *u.choose(&[PolicyType::Identity, PolicyType::Resource])?;
        let mut texts = vec![];
        for _ in 0..u.int_in_range(2..=3)? {
            texts.push(generate::policy(u, policy_type)?);
        }
        let new = texts.split_off(1);
        Ok(Subject::no_new_access(policy_type, texts, new))
    });
}

#[test]
fn what_is_public_is_agreed_on() {
    check_agreement(|u| {
        let policy = generate::policy(u, PolicyType::Resource)?;
        Ok(Subject::no_public_access(policy, generate::table(u)?))
    });
}

/// Tries questions and requests, and sees to it that all outcomes occurred.
#[track_caller]
fn check_agreement(draw: impl Fn(&mut Unstructured<'_>) -> Result<Subject>) {
    let counts = RefCell::new(BTreeMap::<&str, usize>::new());
    let property = |u: &mut Unstructured<'_>| {
        let subject = draw(u)?;
        for _ in 0..REQUESTS {
            let readings = generate::readings(u)?;
            let request = generate::request(u, &subject.question, readings)?;
            let outcome = compare(&subject, &request, readings);
            *counts.borrow_mut().entry(outcome).or_default() += 1;
        }
        Ok(())
    };
    let total = || counts.borrow().values().sum::<usize>();
    for _ in 0..MAX_ROUNDS {
        if total() >= MIN_REQUESTS {
            break;
        }
        arbtest(property).size_min(MIN_BYTES).budget_ms(ROUND_MS).run();
    }

    // The evaluator itself hangs at its limits only.
    for outcome in ["breaks", "does not break", "cannot happen", "has no model"] {
        let n = counts.borrow().get(outcome).copied().unwrap_or_default();
        assert!(n > 0 && n * MIN_SHARE >= total(), "`{outcome}` is too rare: {counts:?}");
    }
}
