#![no_main]
libfuzzer_sys::fuzz_target!(init: weir_fuzz::seed("request"), |data: &[u8]| weir_fuzz::run("request", data));
