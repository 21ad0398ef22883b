//! Child processes: each in a process group of its own, writing to files, known by pid and start time.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use futures_util::future::BoxFuture;
use rustix::process::{Pid, kill_process_group};
use serde::{Deserialize, Serialize};

/// The variable that marks our children, so that one can be found again when its record was never written.
pub const TAG: &str = "WEIR_CHILD";

/// How to start a program.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Program {
    /// Unique among the children of one agent; part of file names.
    pub name: String,
    /// The executable.
    pub executable: PathBuf,
    /// Its arguments. Never a secret: anybody on the machine can read them.
    pub arguments: Vec<String>,
    /// Variables of its own beside the few of ours that it gets. Never a secret either.
    pub environment: Vec<(String, String)>,
    /// Where output goes.
    pub log: PathBuf,
    /// Value of [`TAG`] in its environment.
    pub tag: String,
    /// The file that it has as its standard input: opened by us, so that it need not be able to.
    pub input: Option<PathBuf>,
    /// The file that it has as its standard output, instead of the log; kept as it is.
    pub output: Option<PathBuf>,
    /// The OS user and group that it runs as, without further groups; ours if nothing is said.
    pub user: Option<u32>,
}

/// A running process. The start time tells it from a later one with the same pid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Process id, which is its group's id too.
    pub pid: i32,
    /// Start in clock ticks since the machine's boot.
    pub started_ticks: u64,
    /// Which boot of the machine.
    pub boot_id: String,
}

/// How to end a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// SIGTERM: finish in order.
    Terminate,
    /// SIGKILL, for those that do not.
    Kill,
}

/// Starts, finds and ends processes.
pub trait Processes: Send + Sync + 'static {
    /// Starts a program that outlives this agent.
    ///
    /// # Errors
    /// As the operating system says.
    fn spawn(&self, program: &Program) -> io::Result<Identity>;
    /// Is it still running?
    fn alive(&self, identity: &Identity) -> bool;
    /// A running process that carries this tag, if there is one.
    fn find(&self, tag: &str) -> Option<Identity>;
    /// Sends a signal to its group; a process that is gone is fine.
    ///
    /// # Errors
    /// As the operating system says.
    fn end(&self, identity: &Identity, how: Ending) -> io::Result<()>;
    /// Runs a program to its end; says whether it succeeded.
    fn run<'a>(&'a self, program: &'a Program, limit: Duration) -> BoxFuture<'a, io::Result<bool>>;
}

/// Processes of this machine.
#[derive(Debug, Clone, Copy)]
pub struct RealProcesses;

impl Processes for RealProcesses {
    fn spawn(&self, program: &Program) -> io::Result<Identity> {
        let child = tokio::process::Command::from(command(program)?).spawn()?;
        let pid = child
            .id()
            .and_then(|pid| i32::try_from(pid).ok())
            .ok_or(io::ErrorKind::NotFound)?;
        // Dropped on purpose: the runtime reaps it, nobody waits for it, and it outlives us.
        drop(child);
        identify(pid).ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "the child ended at once"))
    }

    fn alive(&self, identity: &Identity) -> bool {
        identify(identity.pid).as_ref() == Some(identity)
    }

    fn find(&self, tag: &str) -> Option<Identity> {
        let wanted = format!("{TAG}={tag}");
        let mut found = fs::read_dir("/proc").ok()?.filter_map(|item| {
            let pid: i32 = item.ok()?.file_name().to_str()?.parse().ok()?;
            let environment = fs::read(format!("/proc/{pid}/environ")).ok()?;
            environment
                .split(|byte| *byte == 0)
                .any(|variable| variable == wanted.as_bytes())
                .then(|| identify(pid))
                .flatten()
        });
        found.next()
    }

    fn end(&self, identity: &Identity, how: Ending) -> io::Result<()> {
        if !self.alive(identity) {
            return Ok(());
        }
        let signal = match how {
            Ending::Terminate => rustix::process::Signal::TERM,
            Ending::Kill => rustix::process::Signal::KILL,
        };
        let group = Pid::from_raw(identity.pid).ok_or(io::ErrorKind::InvalidInput)?;
        match kill_process_group(group, signal) {
            Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn run<'a>(&'a self, program: &'a Program, limit: Duration) -> BoxFuture<'a, io::Result<bool>> {
        Box::pin(async move {
            let mut child = tokio::process::Command::from(command(program)?)
                .kill_on_drop(true)
                .spawn()?;
            match tokio::time::timeout(limit, child.wait()).await {
                Ok(status) => Ok(status?.success()),
                Err(_late) => {
                    child.kill().await?;
                    Ok(false)
                }
            }
        })
    }
}

fn command(program: &Program) -> io::Result<std::process::Command> {
    let log = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(&program.log)?;
    let input = match &program.input {
        None => Stdio::null(),
        Some(path) => fs::File::open(path)?.into(),
    };
    let output = match &program.output {
        None => log.try_clone()?,
        Some(path) => OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path)?,
    };
    let mut command = std::process::Command::new(&program.executable);
    if let Some(user) = program.user {
        command.uid(user).gid(user);
    }
    command
        .args(&program.arguments)
        .stdin(input)
        .stdout(output)
        .stderr(log)
        .process_group(0)
        // Our own environment may hold an enrolment token: children get only what they need.
        .env_clear()
        .env(TAG, &program.tag);
    command.envs(program.environment.iter().map(|(name, value)| (name, value)));
    for name in [
        "PATH",
        "HOME",
        "LANG",
        "LC_ALL",
        "TZ",
        "JAVA_HOME",
        "TMPDIR",
        "RUST_LOG",
    ] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    Ok(command)
}

/// Reads the start time of `pid`; nothing when it is gone, or only waits to be reaped.
fn identify(pid: i32) -> Option<Identity> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is the name in parentheses and may hold anything, so fields are counted after its end.
    let mut fields = stat[stat.rfind(')')? + 1..].split_ascii_whitespace();
    let run_state = fields.next()?;
    if matches!(run_state, "Z" | "X") {
        return None;
    }
    let started_ticks = fields.nth(18)?.parse().ok()?;
    let boot_id = fs::read_to_string(Path::new("/proc/sys/kernel/random/boot_id")).ok()?;
    Some(Identity {
        pid,
        started_ticks,
        boot_id: boot_id.trim().to_owned(),
    })
}
