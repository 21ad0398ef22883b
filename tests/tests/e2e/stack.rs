//! The running stack: its addresses and credentials.

use serde_json::Value;

/// What `cargo xtask up` wrote about itself.
pub fn connection() -> Value {
    let path = std::env::var("WEIR_E2E_CONNECTION")
        .expect("WEIR_E2E_CONNECTION names the connection file of a running stack");
    let text = std::fs::read_to_string(&path).expect("read the connection file");
    serde_json::from_str(&text).expect("the connection file is JSON")
}

/// A text at a JSON pointer of the connection file.
pub fn text(pointer: &str) -> String {
    connection()
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_else(|| panic!("the connection file has {pointer}"))
        .to_owned()
}

/// Resident memory of this stack's gateway process, in bytes (proc(5)).
pub fn gateway_memory_bytes() -> u64 {
    let state = text("/state_dir");
    let processes = std::fs::read_dir("/proc").expect("read /proc").flatten();
    let gateway = processes
        .map(|entry| entry.path())
        .find(|path| {
            let line = std::fs::read(path.join("cmdline")).unwrap_or_default();
            let words: Vec<&[u8]> = line.split(|byte| *byte == 0).collect();
            words.contains(&&b"gateway"[..]) && words.iter().any(|word| word.starts_with(state.as_bytes()))
        })
        .expect("the gateway runs");
    let status = std::fs::read_to_string(gateway.join("status")).expect("read the process's status");
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .expect("VmRSS");
    line.split_whitespace()
        .nth(1)
        .and_then(|it| it.parse::<u64>().ok())
        .expect("a number of KiB")
        * 1024
}
