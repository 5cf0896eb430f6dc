//! The property `cover_agrees_with_formula` of crates/properties.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| keyaki_properties::fuzz("cover_agrees_with_formula", bytes));
