//! The property `readings_of_public_are_ordered` of crates/properties.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| keyaki_properties::fuzz("readings_of_public_are_ordered", bytes));
