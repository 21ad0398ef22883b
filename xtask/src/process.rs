//! Long-running children: own process groups, log files, pid files with start times, clean stops.

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// A process, told apart from a later one with the same pid by its start time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    /// The process id.
    pub pid: i32,
    /// Field 22 of `/proc/<pid>/stat`: clock ticks after boot.
    started: u64,
}

impl Identity {
    /// The process that has `pid` now; none when there is none, or only its remains.
    pub fn of(pid: i32) -> Option<Self> {
        let stat = Stat::read(pid)?;
        (!matches!(stat.state, 'Z' | 'X')).then_some(Self {
            pid,
            started: stat.started,
        })
    }

    /// Does it still run?
    pub fn alive(self) -> bool {
        Self::of(self.pid) == Some(self)
    }

    /// Reads a pid file.
    pub fn load(path: &Path) -> Option<Self> {
        let text = std::fs::read_to_string(path).ok()?;
        let mut words = text.split_whitespace();
        let pid = words.next()?.parse().ok()?;
        let started = words.next()?.parse().ok()?;
        Some(Self { pid, started })
    }

    /// Writes a pid file.
    pub fn save(self, path: &Path) -> Result<()> {
        crate::workspace::write(path, &format!("{} {}\n", self.pid, self.started))
    }

    /// Sends `signal` to the process alone.
    pub fn signal(self, signal: Signal) {
        if let Some(pid) = Pid::from_raw(self.pid)
            && self.alive()
        {
            let _gone = rustix::process::kill_process(pid, signal);
        }
    }

    /// Sends `signal`, waits up to `grace`, then kills its whole process group. Says whether it went by itself.
    pub async fn stop(self, signal: Signal, grace: Duration) -> bool {
        self.signal(signal);
        let deadline = Instant::now() + grace;
        while self.alive() {
            if Instant::now() > deadline {
                if let Some(pid) = Pid::from_raw(self.pid) {
                    let _gone = rustix::process::kill_process_group(pid, Signal::KILL);
                    let _gone = rustix::process::kill_process(pid, Signal::KILL);
                }
                self.gone(Duration::from_secs(5)).await;
                return false;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        true
    }

    /// Waits until it is gone; says whether it is.
    pub async fn gone(self, within: Duration) -> bool {
        let deadline = Instant::now() + within;
        while self.alive() && Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        !self.alive()
    }
}

/// The fields of `/proc/<pid>/stat` that are used here.
#[derive(Debug, Clone, Copy)]
pub struct Stat {
    state: char,
    started: u64,
    /// User and system time in clock ticks (hundredths of a second on Linux).
    pub ticks: u64,
}

impl Stat {
    /// Reads the fields of one process.
    pub fn read(pid: i32) -> Option<Self> {
        let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The command name may hold spaces and parentheses: the fields start after its last one.
        let fields: Vec<&str> = text.get(text.rfind(')')? + 2..)?.split(' ').collect();
        let number = |at: usize| fields.get(at).and_then(|it| it.parse::<u64>().ok());
        Some(Self {
            state: fields.first()?.chars().next()?,
            started: number(19)?,
            ticks: number(11)? + number(12)?,
        })
    }
}

/// Starts `command` in a process group of its own, its output appended to `log`, and writes its pid file.
pub fn spawn(mut command: Command, log: &Path, pid_file: &Path) -> Result<Identity> {
    let out = open_log(log)?;
    let err = out.try_clone().context("share the log file")?;
    let program = command.get_program().to_owned();
    let child = command
        .stdin(Stdio::null())
        .stdout(out)
        .stderr(err)
        .process_group(0)
        .spawn()
        .with_context(|| format!("start {}", program.display()))?;
    let pid = i32::try_from(child.id()).context("read a process id")?;
    reap(child);
    let started = Stat::read(pid).map_or(0, |stat| stat.started);
    let identity = Identity { pid, started };
    identity.save(pid_file)?;
    Ok(identity)
}

/// Collects the child's exit, so that no remains stay in the process table.
fn reap(mut child: std::process::Child) {
    std::thread::spawn(move || {
        let _status = child.wait();
    });
}

/// Opens a log for appending.
pub fn open_log(path: &Path) -> Result<std::fs::File> {
    if let Some(dir) = path.parent() {
        crate::workspace::make_dir(dir)?;
    }
    std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .with_context(|| format!("open the log {}", path.display()))
}

/// A running process with its program and command line.
#[derive(Debug, Clone)]
pub struct Running {
    /// Which process.
    pub identity: Identity,
    /// Its arguments, the program first.
    pub arguments: Vec<String>,
}

/// Programs that belong to a stack; a reader's `tail` of a log is not one of them.
const OURS: [&str; 4] = ["java", "postgres", "weir-agent", "weir-control-plane"];

/// Our programs whose command line mentions a path below one of `folders`.
pub fn running_below(folders: &[&Path]) -> Vec<Running> {
    let below: Vec<String> = folders.iter().map(|it| it.display().to_string()).collect();
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|it| it.parse::<i32>().ok()) else {
            continue;
        };
        let Ok(program) = std::fs::read_link(entry.path().join("exe")) else {
            continue;
        };
        // A program that was rebuilt while it runs reads "weir-agent (deleted)".
        let name = program
            .file_name()
            .map(|it| it.to_string_lossy().replace(" (deleted)", ""));
        if !name.is_some_and(|it| OURS.contains(&it.as_str())) {
            continue;
        }
        let arguments = arguments_of(&entry.path());
        let ours = arguments.iter().any(|argument| {
            below.iter().any(|dir| {
                argument.match_indices(dir.as_str()).any(|(at, _)| {
                    let next = argument[at + dir.len()..].chars().next();
                    next.is_none_or(|it| matches!(it, '/' | ':' | ','))
                })
            })
        });
        if ours && let Some(identity) = Identity::of(pid) {
            found.push(Running { identity, arguments });
        }
    }
    found
}

fn arguments_of(proc_dir: &Path) -> Vec<String> {
    let line = std::fs::read(proc_dir.join("cmdline")).unwrap_or_default();
    line.split(|byte| *byte == 0)
        .filter(|it| !it.is_empty())
        .map(|it| String::from_utf8_lossy(it).into_owned())
        .collect()
}

/// The pid file of a named child.
pub fn pid_file(run: &Path, name: &str) -> PathBuf {
    run.join(format!("{name}.pid"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_child_is_found_stopped_and_not_mistaken_for_a_later_one() {
        let dir = std::env::temp_dir().join(format!("weir-process-{}", std::process::id()));
        crate::workspace::make_dir(&dir).unwrap();
        let mut command = Command::new("sleep");
        command.arg("60");
        let file = pid_file(&dir, "sleep");
        let child = spawn(command, &dir.join("sleep.log"), &file).unwrap();
        assert!(child.alive());
        assert_eq!(Identity::load(&file), Some(child));
        let impostor = Identity {
            pid: child.pid,
            started: child.started + 1,
        };
        assert!(!impostor.alive());
        assert!(child.stop(Signal::TERM, Duration::from_secs(5)).await);
        assert!(!child.alive());
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
