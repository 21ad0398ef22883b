#![no_main]
libfuzzer_sys::fuzz_target!(init: weir_fuzz::seed("header"), |data: &[u8]| weir_fuzz::run("header", data));
