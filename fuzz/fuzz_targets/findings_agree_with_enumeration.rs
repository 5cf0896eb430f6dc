//! The property `findings_agree_with_enumeration` of crates/properties.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| keyaki_properties::fuzz("findings_agree_with_enumeration", bytes));
