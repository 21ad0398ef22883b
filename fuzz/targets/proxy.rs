#![no_main]
libfuzzer_sys::fuzz_target!(init: weir_fuzz::seed("proxy"), |data: &[u8]| weir_fuzz::run("proxy", data));
