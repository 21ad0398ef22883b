#![no_main]
libfuzzer_sys::fuzz_target!(init: weir_fuzz::seed("answer"), |data: &[u8]| weir_fuzz::run("answer", data));
