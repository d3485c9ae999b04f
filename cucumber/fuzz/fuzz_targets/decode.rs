#![no_main]

mod subject;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| subject::decode(bytes));
