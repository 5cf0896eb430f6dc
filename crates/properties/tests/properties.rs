//! Every property, for as long as `KEYAKI_PROPERTY_BUDGET_MS` says, and every case that broke one
//! once.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use keyaki_properties::{PROPERTIES, budget, check_file, property, regressions};

/// One test each, so that they run side by side.
macro_rules! properties {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() {
            property(stringify!($name)).unwrap().run(budget());
        })*

        #[test]
        fn every_property_is_tested() {
            let tested = [$(stringify!($name)),*];
            assert_eq!(PROPERTIES.map(|property| property.name), tested);
        }
    };
}

properties! {
    parse_never_panics
    print_then_parse_is_identity
    evaluate_agrees_with_formula
    translation_is_valid
    witness_replays
    solvers_agree
    cover_agrees_with_formula
    comparisons_obey_laws
    verdict_agrees_with_enumeration
    addresses_agree_with_counting
    readings_of_public_are_ordered
    custom_agrees_with_evaluation
    findings_agree_with_enumeration
    automaton_agrees_with_enumeration
    certificates_are_right
    damaged_certificates_show_what_is_so
    tables_are_right
    automaton_agrees_with_smt
    dfa_agrees_with_regex
}

#[test]
fn what_broke_a_property_once_does_not_break_it_again() {
    for entry in std::fs::read_dir(regressions()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "json") {
            check_file(&path);
        }
    }
}
