//! A client's program: told of the scene by a file, answers by a JSON line per check.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::process::Command;
use tokio::time::timeout;

use crate::scene::Scene;
use crate::stack;

/// No program takes longer, even on a busy machine.
const PATIENCE: Duration = Duration::from_secs(300);

/// What a program says of one check.
#[derive(Debug)]
pub struct Line {
    pub check: String,
    pub ok: bool,
    pub detail: String,
}

/// How a client's program is started: in `tests/clients`, with the settings file as its last argument.
pub struct Program {
    command: Command,
    only: Option<&'static str>,
    patience: Duration,
}

/// A tool or a folder that `cargo xtask test` prepared.
pub fn tool(variable: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_absent| {
        panic!("{variable} is not set: `cargo xtask test --ring e2e` (or slow) sets it")
    })
}

impl Program {
    pub fn new(program: &str, arguments: &[&str]) -> Self {
        let mut command = Command::new(program);
        command
            .args(arguments)
            .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("clients"));
        Self {
            command,
            only: None,
            patience: PATIENCE,
        }
    }

    /// One that takes longer.
    pub fn patient(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// One check of it.
    pub fn only(self, check: &'static str) -> Self {
        Self {
            only: Some(check),
            ..self
        }
    }

    pub async fn run(self, scene: &Scene) -> Vec<Line> {
        self.with(&settings_of(scene)).await
    }

    /// Runs it with these settings.
    pub async fn with(mut self, values: &Value) -> Vec<Line> {
        let folder = tempfile::tempdir().expect("a folder");
        let settings = folder.path().join("settings.json");
        std::fs::write(&settings, values.to_string()).expect("write the settings");
        self.command
            .arg(&settings)
            .args(self.only)
            .stdin(Stdio::null())
            .kill_on_drop(true);
        let output = timeout(self.patience, self.command.output())
            .await
            .expect("the program ends in time")
            .expect("the program starts");
        let (told, complained) = (
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
        );
        println!("{told}{complained}");
        assert!(output.status.success(), "{}\n{complained}", output.status);
        told.lines().filter_map(line).collect()
    }
}

fn line(text: &str) -> Option<Line> {
    let value: Value = serde_json::from_str(text).ok()?;
    Some(Line {
        check: value["check"].as_str()?.to_owned(),
        ok: value["ok"].as_bool()?,
        detail: value["detail"].as_str().unwrap_or_default().to_owned(),
    })
}

/// What programs are told of a scene.
pub fn settings_of(scene: &Scene) -> Value {
    let user = |tenant: &str| {
        json!({
            "username": stack::text(&format!("/kafka/{tenant}/username")),
            "password": stack::text(&format!("/kafka/{tenant}/password")),
        })
    };
    json!({
        "bootstrap": stack::text("/kafka/payments/bootstrap"),
        "token_url": format!("{}/v1/oauth/token", stack::text("/url")),
        "registry": format!("{}/registry", stack::text("/url")),
        "owner": user("payments"),
        "other": user("risk"),
        "reader": scene.reader,
        "stranger": scene.stranger,
        "administrator": scene.administrator,
        "topic": scene.topic,
        "group_topic": scene.group_topic,
        "foreign_topic": scene.foreign_topic,
        "run": scene.run,
    })
}
