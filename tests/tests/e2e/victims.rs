//! The stack's processes, found by what they were started with; their ends and new beginnings.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::stack;

const PATIENCE: Duration = Duration::from_secs(60);

/// A part of the data plane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Gateway,
    Agent,
    Broker,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// SIGTERM.
    Terminate,
    /// SIGKILL.
    Kill,
}

/// What a process was started with.
pub struct Process {
    pub pid: u32,
    words: Vec<String>,
}

/// The process of a part, if it runs (proc(5)).
pub fn find(part: Part) -> Option<Process> {
    let state = stack::text("/state_dir");
    let all = std::fs::read_dir("/proc").expect("read /proc").flatten();
    all.filter_map(|entry| {
        let pid = entry.file_name().to_str()?.parse().ok()?;
        let line = std::fs::read(entry.path().join("cmdline")).ok()?;
        let words: Vec<String> = line
            .split(|byte| *byte == 0)
            .map(|word| String::from_utf8_lossy(word).into_owned())
            .collect();
        Some(Process { pid, words })
    })
    .find(|it| {
        let ours = it.words.iter().any(|word| word.contains(&state));
        let verb = it.words.get(1).map(String::as_str);
        ours && match part {
            Part::Gateway => verb == Some("gateway"),
            Part::Agent => verb == Some("run"),
            Part::Broker => it.words.iter().any(|word| word == "kafka.Kafka"),
        }
    })
}

fn alive(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat.rsplit(')').next().and_then(|it| it.trim().chars().next());
    state.is_some_and(|it| it != 'Z')
}

/// Sends a signal and waits until the process is gone; what it was.
pub async fn end(part: Part, signal: Signal) -> Process {
    let victim = running(part).await;
    let name = match signal {
        Signal::Terminate => "-TERM",
        Signal::Kill => "-KILL",
    };
    let sent = Command::new("kill")
        .args([name, &victim.pid.to_string()])
        .status()
        .expect("kill(1) starts");
    assert!(sent.success(), "{part:?} could not be signalled");
    let end = Instant::now() + PATIENCE;
    while alive(victim.pid) {
        assert!(Instant::now() < end, "{part:?} survives {signal:?}");
        sleep(Duration::from_millis(20)).await;
    }
    victim
}

/// Waits until a part runs.
pub async fn running(part: Part) -> Process {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = find(part) {
            return found;
        }
        assert!(Instant::now() < end, "{part:?} does not run");
        sleep(Duration::from_millis(100)).await;
    }
}

/// Starts an agent as the one that is gone was started. (Gateway and brokers are the agent's to start.)
pub fn start_again(agent: &Process) {
    let state = PathBuf::from(stack::text("/state_dir"));
    let log = std::fs::OpenOptions::new()
        .append(true)
        .create(true)
        .open(state.join("logs/agent.log"))
        .expect("open the agent's log");
    let words: Vec<&String> = agent.words.iter().filter(|it| !it.is_empty()).collect();
    let mut command = Command::new(words[0]);
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let child = command
        .args(&words[1..])
        .stdin(Stdio::null())
        .stdout(log.try_clone().expect("share the log"))
        .stderr(log)
        .spawn()
        .expect("the agent starts");
    // Reaped whenever it ends.
    std::thread::spawn(move || {
        let mut child = child;
        child.wait()
    });
}
