#![no_main]
libfuzzer_sys::fuzz_target!(init: weir_fuzz::seed("batch"), |data: &[u8]| weir_fuzz::run("batch", data));
