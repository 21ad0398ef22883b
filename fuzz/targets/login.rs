#![no_main]
libfuzzer_sys::fuzz_target!(init: weir_fuzz::seed("login"), |data: &[u8]| weir_fuzz::run("login", data));
