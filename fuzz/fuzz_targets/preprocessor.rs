#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| keelback_fuzz::preprocessor::run(text));
