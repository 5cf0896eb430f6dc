//! The property `print_then_parse_is_identity` of crates/properties.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| keyaki_properties::fuzz("print_then_parse_is_identity", bytes));
