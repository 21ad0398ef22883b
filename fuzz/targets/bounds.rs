#![no_main]
libfuzzer_sys::fuzz_target!(init: weir_fuzz::seed("bounds"), |data: &[u8]| weir_fuzz::run("bounds", data));
