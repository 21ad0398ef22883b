//! The binary `weir`, run as a person runs it.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod autoscaler;
mod contract_convert;
mod contract_diff;
mod contract_test;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// A folder of files and what `weir` says in it.
struct Desk {
    folder: TempDir,
}

/// How a run ended.
struct Ran {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Desk {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("there is room");
        let desk = Self { folder };
        for (name, text) in files {
            desk.put(name, text.as_bytes());
        }
        desk
    }

    fn put(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.path(name), bytes).expect("it can be written");
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn weir(&self, args: &[&str]) -> Ran {
        self.weir_reading(args, b"")
    }

    fn weir_reading(&self, args: &[&str], input: &[u8]) -> Ran {
        let mut child = Command::new(env!("CARGO_BIN_EXE_weir"))
            .args(args)
            .current_dir(self.folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut stdin = child.stdin.take().expect("it is piped");
        let input = input.to_vec();
        // Beside the reading: it writes while it reads. One whose command line is wrong reads nothing.
        let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
        let output = child.wait_with_output().expect("it ends");
        writer.join().expect("it ends");
        Ran {
            code: output.status.code(),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Ran {
    /// It ended with that code, and complained only if the code says so.
    fn ended(self, code: i32) -> String {
        assert_eq!(self.code, Some(code), "{}{}", self.out, self.err);
        assert_eq!(code == 2, !self.err.is_empty(), "{}", self.err);
        if code == 2 { self.err } else { self.out }
    }
}

#[test]
fn every_command_explains_itself() {
    let desk = Desk::new(&[]);
    for args in [
        &["--help"][..],
        &["contract", "--help"],
        &["contract", "test", "--help"],
        &["contract", "diff", "--help"],
        &["contract", "import", "--help"],
        &["contract", "export", "--help"],
    ] {
        let help = desk.weir(args).ended(0);
        assert!(help.contains("Exit codes:"), "{help}");
    }
    for args in [
        &["contract", "test", "--help"][..],
        &["contract", "diff", "--help"],
        &["contract", "import", "--help"],
        &["contract", "export", "--help"],
    ] {
        let help = desk.weir(args).ended(0);
        assert!(help.contains("Examples:"), "{help}");
    }
    let version = desk.weir(&["--version"]).ended(0);
    assert!(version.starts_with("weir 0."), "{version}");
    desk.weir(&["contract", "paint"]).ended(2);
}
