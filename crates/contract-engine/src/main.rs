//! One request on standard input, one answer on standard output. Compiled to WebAssembly (WASI preview 1) the console runs it in
//! a worker of the browser, so that sample records are judged where they are typed and go nowhere.

use std::io::{self, Read as _, Write as _};

/// What a request may be: a schema with its references (5 MiB) and as much of samples, twice for two versions.
const REQUEST_BYTES_MAX: u64 = 16 * 1024 * 1024;

fn main() -> io::Result<()> {
    let mut request = Vec::new();
    io::stdin().take(REQUEST_BYTES_MAX).read_to_end(&mut request)?;
    io::stdout().write_all(&weir_contract_engine::answer(&request))
}
