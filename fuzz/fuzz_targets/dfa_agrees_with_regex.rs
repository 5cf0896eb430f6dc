//! The property `dfa_agrees_with_regex` of crates/properties.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| keyaki_properties::fuzz("dfa_agrees_with_regex", bytes));
