//! How many addresses a policy lets in is what counting them one block after the other gives.
//!
//! Ranges are drawn that are whole blocks of 2²¹ addresses, of which IPv4 has 2,048. Only addresses
//! are looked at: every statement is for everybody, about the same action.

use std::net::Ipv4Addr;

use arbitrary::{Result, Unstructured};
use keyaki_analysis::{Options, Verdict};
use keyaki_solvers::Automaton;
use serde_json::{Value, json};

use crate::questions::{ask, assert_witness, word};
use crate::{NoCase, case};

/// The bits that addresses of one block share.
const BLOCK_BITS: u32 = 11;

/// The most addresses that are not public (`docs/semantics.md`, "Public").
const MAX_ADDRESSES: u64 = 1 << 24;

/// Statements about few ranges, in a part of all addresses where they meet.
pub(crate) fn draw(u: &mut Unstructured<'_>) -> Result<Value> {
    let mut statements = Vec::new();
    for position in 0..u.int_in_range(1..=4)? {
        let is_allow = position == 0 || u.ratio(2, 3)?;
        let mut ranges = Vec::new();
        for _ in 0..u.int_in_range(1..=4)? {
            let (first, second) = (
                u.choose(&[8, 10, 11, 12, 13, 14, 172, 192])?,
                u.choose(&[0u8, 32, 64, 128, 160])?,
            );
            let length = u.int_in_range(7..=BLOCK_BITS)?;
            ranges.push(format!("{first}.{second}.0.0/{length}"));
        }
        let operator = if is_allow || u.ratio(3, 4)? { "IpAddress" } else { "NotIpAddress" };
        statements.push(json!({
            "Effect": if is_allow { "Allow" } else { "Deny" }, "Principal": "*",
            "Action": "s3:GetObject", "Resource": "*",
            "Condition": {operator: {"aws:SourceIp": ranges}},
        }));
    }
    let policy = json!({"Version": "2012-10-17", "Statement": statements});
    Ok(case::of_text(&policy.to_string()))
}

/// The property fails if and only if the blocks that are let in hold more addresses than are not
/// public, with and without likely requests.
pub(crate) fn check(case: &Value) -> std::result::Result<Vec<&'static str>, NoCase> {
    let question = case::question(case)?;
    let statements = case["policy"]["Statement"].as_array();
    let statements = statements.ok_or_else(|| NoCase("no statements".to_owned()))?;
    let statements: Vec<Statement> = statements
        .iter()
        .map(Statement::read)
        .collect::<Option<_>>()
        .ok_or_else(|| NoCase("statements are about addresses alone".to_owned()))?;
    let admitted = |block: &u32| {
        let matches =
            |is_allow| statements.iter().any(|s| s.is_allow == is_allow && s.matches(*block));
        matches(true) && !matches(false)
    };
    let n_addresses: u64 = (0..1 << BLOCK_BITS).filter(admitted).map(n_public).sum();
    let expected = if n_addresses > MAX_ADDRESSES { "fails" } else { "holds" };
    let plain = Options { simplify: false, candidates: false, ..Options::default() };
    let mut outcome = expected;
    for options in [Options::default(), plain] {
        let report = ask(&question, &Automaton, options).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(word(&report.verdict), expected, "{n_addresses} addresses, {report:?}");
        assert_witness(&question, &report);
        if matches!(report.verdict, Verdict::Fails(_)) && !report.companions.is_empty() {
            outcome = "fails together";
        }
    }
    Ok(vec![outcome])
}

/// How many addresses of a block are not private.
fn n_public(block: u32) -> u64 {
    let first = Ipv4Addr::from_bits(block << (32 - BLOCK_BITS)).octets();
    let all = 1 << (32 - BLOCK_BITS);
    match first {
        [10, ..] => 0,
        [172, 0, ..] => all - (1 << 20),
        [192, 160, ..] => all - (1 << 16),
        _ => all,
    }
}

/// A statement about addresses.
struct Statement {
    is_allow: bool,
    is_negated: bool,
    /// First addresses, and bits that are shared.
    ranges: Vec<(u32, u32)>,
}

impl Statement {
    fn read(value: &Value) -> Option<Statement> {
        let members = value.as_object()?;
        let tests = members.get("Condition")?.as_object()?;
        let (operator, keys) = tests.iter().next()?;
        let is_whole = tests.len() == 1 && members.len() == 5 && value["Principal"] == "*";
        let is_one = value["Action"] == "s3:GetObject" && value["Resource"] == "*";
        let is_negated = match operator.as_str() {
            "IpAddress" => false,
            "NotIpAddress" if value["Effect"] == "Deny" => true,
            _ => return None,
        };
        let read = |range: &Value| {
            let (address, length) = range.as_str()?.split_once('/')?;
            let length = length.parse().ok().filter(|length| (1..=BLOCK_BITS).contains(length))?;
            Some((address.parse::<Ipv4Addr>().ok()?.to_bits(), length))
        };
        let ranges = keys.get("aws:SourceIp")?.as_array().filter(|list| !list.is_empty())?;
        let is_allow = value["Effect"] == "Allow";
        let ranges = ranges.iter().map(read).collect::<Option<_>>()?;
        (is_whole && is_one).then_some(Statement { is_allow, is_negated, ranges })
    }

    fn matches(&self, block: u32) -> bool {
        let address = block << (32 - BLOCK_BITS);
        let is_in = |(first, length): &(u32, u32)| (first ^ address) >> (32 - length) == 0;
        self.ranges.iter().any(is_in) != self.is_negated
    }
}
