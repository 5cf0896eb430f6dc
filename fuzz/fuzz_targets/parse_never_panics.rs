//! The property `parse_never_panics` of crates/properties.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| keyaki_properties::fuzz("parse_never_panics", bytes));
