//! The property `addresses_agree_with_counting` of crates/properties.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| keyaki_properties::fuzz("addresses_agree_with_counting", bytes));
