#![no_main]
libfuzzer_sys::fuzz_target!(init: weir_fuzz::seed("sasl"), |data: &[u8]| weir_fuzz::run("sasl", data));
