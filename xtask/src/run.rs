//! Commands that run to their end: logged, killed with their children when we are interrupted.

use crate::process::open_log;
use crate::trouble::Trouble;
use anyhow::{Context, Result};
use rustix::process::{Pid, Signal};
use std::path::Path;
use std::process::{Output, Stdio};
use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::process::{Child, Command};

/// Kills a whole process group when dropped before [`Group::ended`].
pub struct Group(Option<Pid>);

impl Group {
    /// The group that `child` leads.
    pub fn of(child: &Child) -> Self {
        Self(
            child
                .id()
                .and_then(|id| i32::try_from(id).ok())
                .and_then(Pid::from_raw),
        )
    }

    /// It ended by itself.
    pub fn ended(mut self) {
        self.0 = None;
    }

    /// Sends `signal` to the whole group.
    pub fn signal(&self, signal: Signal) {
        if let Some(pid) = self.0 {
            let _gone = rustix::process::kill_process_group(pid, signal);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
    }
}

/// Runs `command` with its output in `log`. A failure names the log and `remedy`.
pub async fn logged(mut command: Command, log: &Path, what: &str, remedy: &str) -> Result<()> {
    let out = open_log(log)?;
    let err = out.try_clone().context("share the log file")?;
    let mut child = command
        .stdin(Stdio::null())
        .stdout(out)
        .stderr(err)
        .process_group(0)
        .spawn()
        .map_err(|error| Trouble::new(format!("cannot start: {what}: {error}")).remedy(remedy))?;
    let group = Group::of(&child);
    let status = child.wait().await.with_context(|| format!("wait for: {what}"))?;
    group.ended();
    if status.success() {
        return Ok(());
    }
    Err(Trouble::new(format!("{what} ({status})"))
        .log(log)
        .remedy(remedy)
        .into())
}

/// Runs `command` and returns what it printed, whatever its exit code.
pub async fn captured(mut command: Command) -> Result<Output> {
    let program = command.as_std().get_program().to_owned();
    let child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("start {}", program.display()))?;
    let group = Group::of(&child);
    let output = child
        .wait_with_output()
        .await
        .with_context(|| format!("wait for {}", program.display()))?;
    group.ended();
    Ok(output)
}

/// Runs `command`, shows its output line by line, and returns it with the exit status.
pub async fn shown(mut command: Command, log: &Path) -> Result<(bool, String)> {
    let program = command.as_std().get_program().to_owned();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
        .with_context(|| format!("start {}", program.display()))?;
    let group = Group::of(&child);
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let (out, err) = tokio::join!(echo(out), echo(err));
    let status = child
        .wait()
        .await
        .with_context(|| format!("wait for {}", program.display()))?;
    group.ended();
    let text = out + &err;
    crate::workspace::write(log, &text)?;
    Ok((status.success(), text))
}

async fn echo(stream: Option<impl AsyncRead + Unpin>) -> String {
    let mut text = String::new();
    let Some(stream) = stream else { return text };
    let mut lines = BufReader::new(stream).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        println!("  {line}");
        text.push_str(&line);
        text.push('\n');
    }
    text
}

/// The first line of what `program --flag` prints, if it can be run at all.
pub async fn version(program: &Path, flag: &str) -> Option<String> {
    let mut command = Command::new(program);
    command.arg(flag);
    let output = captured(command).await.ok()?;
    let text = if output.stdout.is_empty() {
        output.stderr
    } else {
        output.stdout
    };
    let text = String::from_utf8_lossy(&text).into_owned();
    text.lines().next().map(str::to_owned)
}
