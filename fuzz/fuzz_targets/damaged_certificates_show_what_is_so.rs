//! The property `damaged_certificates_show_what_is_so` of crates/properties.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| keyaki_properties::fuzz("damaged_certificates_show_what_is_so", bytes));
