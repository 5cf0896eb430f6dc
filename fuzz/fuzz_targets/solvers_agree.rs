//! The property `solvers_agree` of crates/properties.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| keyaki_properties::fuzz("solvers_agree", bytes));
