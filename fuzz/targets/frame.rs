#![no_main]
libfuzzer_sys::fuzz_target!(init: weir_fuzz::seed("frame"), |data: &[u8]| weir_fuzz::run("frame", data));
