#![no_main]
libfuzzer_sys::fuzz_target!(init: weir_fuzz::seed("contract_batch"), |data: &[u8]| weir_fuzz::run("contract_batch", data));
