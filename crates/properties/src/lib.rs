//! What must hold of random policies and requests, formulas and languages.
//!
//! A [`Property`] draws cases from random bytes and checks them. The same functions run as tests
//! (`tests/properties.rs`, on every machine), for a night (`cargo xtask nightly`) and under a
//! coverage-guided fuzzer (`fuzz/`), so that a property is written once. Nothing that is published
//! depends on this crate.
//!
//! A case is JSON: policies, requests and formulas as a person would write them. That is what makes a
//! disagreement readable, lets [`shrink`] take it apart without knowing what it means, and lets a
//! case that was found once be a file of `corpus/regressions/` which every test run checks again.
//! Random bytes as the case, which most libraries for property tests keep, were not taken: the
//! file would mean something else after every change of a generator.

#![allow(
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a disagreement is a panic, and what was executed is told on standard error"
)]

use arbitrary::Unstructured;
use serde_json::Value;

pub mod agreement;
pub mod case;
mod certificates;
mod comparing;
mod counting;
mod covering;
mod custom;
pub mod damage;
mod damages;
mod enumeration;
mod formulas;
pub mod generate;
mod languages;
mod parsing;
mod proof;
mod questions;
mod readings;
mod rows;
mod run;
pub mod shrink;
mod solving;
mod tables;
mod translating;

pub use run::{Run, budget, check_file, regressions};

/// A claim about all cases.
pub struct Property {
    /// Its name, also that of the fuzz target and of its files.
    pub name: &'static str,
    /// A case from random bytes, or an error if there are too few.
    pub draw: fn(&mut Unstructured<'_>) -> arbitrary::Result<Value>,
    /// Checks a case and says what came out, once for each thing that was compared.
    ///
    /// # Panics
    ///
    /// The claim is not true of the case.
    pub check: fn(&Value) -> Result<Vec<&'static str>, NoCase>,
    /// What has to come out now and then, or else the generator is broken.
    pub outcomes: &'static [&'static str],
}

/// Why a text is no case of a property.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoCase(
    /// In words.
    pub String,
);

/// All properties.
pub const PROPERTIES: [Property; 19] = [
    Property {
        name: "parse_never_panics",
        draw: parsing::draw_damaged,
        check: parsing::check_parses,
        outcomes: &["is a policy", "is refused"],
    },
    Property {
        name: "print_then_parse_is_identity",
        draw: parsing::draw_policy,
        check: parsing::check_printed,
        outcomes: &["printed"],
    },
    Property {
        name: "evaluate_agrees_with_formula",
        draw: agreement::draw,
        check: agreement::check,
        outcomes: &["breaks", "does not break", "cannot happen", "has no model"],
    },
    Property {
        name: "translation_is_valid",
        draw: agreement::draw,
        check: translating::check,
        outcomes: &[
            "breaks",
            "does not break",
            "cannot happen",
            "made to break",
            "made not to break",
            "made to be impossible",
        ],
    },
    Property {
        name: "witness_replays",
        draw: questions::draw,
        check: questions::check_witness,
        outcomes: &["holds", "fails"],
    },
    Property {
        name: "solvers_agree",
        draw: questions::draw,
        check: questions::check_solvers,
        outcomes: &["holds", "fails"],
    },
    Property {
        name: "cover_agrees_with_formula",
        draw: covering::draw,
        check: covering::check,
        outcomes: &["covered", "holds", "fails"],
    },
    Property {
        name: "comparisons_obey_laws",
        draw: comparing::draw,
        check: comparing::check,
        outcomes: &["holds", "wider", "narrower", "incomparable"],
    },
    Property {
        name: "verdict_agrees_with_enumeration",
        draw: enumeration::draw,
        check: enumeration::check,
        outcomes: &["holds", "fails"],
    },
    Property {
        name: "addresses_agree_with_counting",
        draw: counting::draw,
        check: counting::check,
        outcomes: &["holds", "fails", "fails together"],
    },
    Property {
        name: "readings_of_public_are_ordered",
        draw: readings::draw,
        check: readings::check,
        outcomes: &["holds", "fails"],
    },
    Property {
        name: "custom_agrees_with_evaluation",
        draw: custom::draw,
        check: custom::check,
        outcomes: &["holds", "fails"],
    },
    Property {
        name: "findings_agree_with_enumeration",
        draw: rows::draw,
        check: rows::check,
        outcomes: &["no row", "one row", "several rows", "several rows from outside"],
    },
    Property {
        name: "automaton_agrees_with_enumeration",
        draw: formulas::draw,
        check: solving::check_enumeration,
        outcomes: &["sat", "unsat"],
    },
    Property {
        name: "certificates_are_right",
        draw: formulas::draw,
        check: certificates::check,
        outcomes: &["accepted", "rejected"],
    },
    Property {
        name: "damaged_certificates_show_what_is_so",
        draw: formulas::draw,
        check: damages::check,
        outcomes: &["rejected", "shows the same"],
    },
    Property {
        name: "tables_are_right",
        draw: covering::draw,
        check: tables::check,
        outcomes: &[
            "breaks",
            "does not break",
            "accepted",
            "accepted as told by nobody",
            "damaged and rejected",
        ],
    },
    Property {
        name: "automaton_agrees_with_smt",
        draw: formulas::draw,
        check: solving::check_smt,
        outcomes: &[],
    },
    Property {
        name: "dfa_agrees_with_regex",
        draw: languages::draw,
        check: languages::check,
        outcomes: &["has words", "is empty"],
    },
];

/// The property of that name.
pub fn property(name: &str) -> Option<&'static Property> {
    PROPERTIES.iter().find(|property| property.name == name)
}

/// Draws one case from what a fuzzer made up, and checks it.
///
/// # Panics
///
/// There is no such property, or it does not hold of the case, which is then shown.
pub fn fuzz(name: &str, bytes: &[u8]) {
    let property = property(name).expect("a fuzz target is named as its property");
    let Ok(case) = (property.draw)(&mut Unstructured::new(bytes)) else { return };
    property.check_shown(&case);
}
