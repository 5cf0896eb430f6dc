//! The property `custom_agrees_with_evaluation` of crates/properties.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| keyaki_properties::fuzz("custom_agrees_with_evaluation", bytes));
