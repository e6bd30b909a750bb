#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| keelback_fuzz::tables::run(data));
