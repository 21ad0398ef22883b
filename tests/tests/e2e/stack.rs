//! The running stack: its addresses and credentials.

use std::path::PathBuf;

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

/// This stack's gateway: its folder of proc(5), and the words that it was started with.
fn gateway() -> (PathBuf, Vec<String>) {
    let state = text("/state_dir");
    let processes = std::fs::read_dir("/proc").expect("read /proc").flatten();
    let mut each = processes.map(|entry| {
        let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let words = line.split(|byte| *byte == 0);
        let words = words.map(|it| String::from_utf8_lossy(it).into_owned());
        (entry.path(), words.collect::<Vec<_>>())
    });
    each.find(|(_path, words)| {
        words.iter().any(|it| it == "gateway") && words.iter().any(|it| it.starts_with(&state))
    })
    .expect("the gateway runs")
}

/// The gateway's program, and what one of its options says.
pub fn gateway_program(options: &[&str]) -> (PathBuf, Vec<String>) {
    let (process, words) = gateway();
    let said = options.iter().flat_map(|option| {
        let at = words.iter().position(|it| it == option);
        let at = at.unwrap_or_else(|| panic!("the gateway has {option}"));
        [words[at].clone(), words[at + 1].clone()]
    });
    let program = std::fs::read_link(process.join("exe")).expect("the gateway's program");
    (program, said.collect())
}

/// Resident memory of this stack's gateway process, in bytes (proc(5)).
pub fn gateway_memory_bytes() -> u64 {
    let (process, _words) = gateway();
    let status = std::fs::read_to_string(process.join("status")).expect("read the process's status");
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
