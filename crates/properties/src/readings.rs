//! The readings of what is public stand to each other as they should.
//!
//! More values are fixed by parts than as a whole, and what a Deny takes away or fixes is left out
//! when a request arrives. `keyaki bucket` relies on the latter: a policy that is public when it is put
//! is so at run time.

use arbitrary::{Result, Unstructured};
use keyaki_analysis::Options;
use keyaki_analysis::public::{self, Reading};
use keyaki_policy::{PolicyType, Switch};
use keyaki_solvers::Automaton;
use serde_json::Value;

use crate::questions::{ask, word};
use crate::{NoCase, case, generate};

/// A policy of a bucket or an access point.
pub(crate) fn draw(u: &mut Unstructured<'_>) -> Result<Value> {
    let tables: Vec<_> = public::tables(Reading::RestrictPublicBuckets).collect();
    let table = *u.choose(&tables)?;
    Ok(case::of_table(&generate::policy(u, PolicyType::Resource)?, table))
}

/// What is not public as documented is not so by fixed parts; what is, is so by its Allow statements
/// alone; and what is public by one set of addresses is so by all.
pub(crate) fn check(case: &Value) -> std::result::Result<Vec<&'static str>, NoCase> {
    let under = |reading: Reading, decisions: &[(Switch, bool)]| {
        let mut case = case.clone();
        case["reading"] = reading.name().into();
        let decisions = decisions.iter().copied().collect();
        let options = Options { decisions, ..Options::default() };
        let report = ask(&case::question(&case)?, &Automaton, options);
        Ok(word(&report.unwrap_or_else(|error| panic!("{error}")).verdict))
    };
    let documented = under(Reading::Documented, &[])?;
    let semantic = under(Reading::Semantic, &[])?;
    let at_run_time = under(Reading::RestrictPublicBuckets, &[])?;
    let alone = under(Reading::Documented, &[(Switch::D32, true)])?;
    let implies_fails = |fewer: &str, more: &str, what: &str| {
        assert!(fewer != "fails" || more != "holds", "{what}: {fewer}, but {more}");
    };
    implies_fails(semantic, documented, "by parts, but not as documented");
    implies_fails(documented, at_run_time, "as documented, but not at run time");
    implies_fails(alone, documented, "by one set of addresses, but not by all");
    Ok(vec![match (documented, semantic, at_run_time) {
        ("fails", "holds", _) => "fails as documented alone",
        ("holds", _, "fails") => "fails at run time alone",
        _ => documented,
    }])
}
