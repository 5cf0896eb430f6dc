//! The property `comparisons_obey_laws` of crates/properties.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| keyaki_properties::fuzz("comparisons_obey_laws", bytes));
