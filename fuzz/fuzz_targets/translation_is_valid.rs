//! The property `translation_is_valid` of crates/properties.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| keyaki_properties::fuzz("translation_is_valid", bytes));
