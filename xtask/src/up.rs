//! `cargo xtask up | down | status`.

use crate::process::{Identity, pid_file, running_below};
use crate::progress::Progress;
use crate::setup::{Need, build, ensure, kafka};
use crate::stack::{Stack, stop_all};
use crate::state::{Settings, StateDir, is_free};
use crate::story;
use crate::trouble::Trouble;
use crate::workspace::Workspace;
use anyhow::{Context, Result, bail};
use rustix::process::Signal;
use std::path::PathBuf;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};

/// Flags of `up`.
#[derive(Debug, Clone, clap::Args)]
pub struct UpArgs {
    /// Leave after the story; exit 0 only if every step held.
    #[arg(long)]
    pub once: bool,
    /// Optimised binaries (a longer build).
    #[arg(long)]
    pub release: bool,
    /// First port; the stack uses N to N+51. Default 9640, or what the state folder remembers.
    #[arg(long, value_name = "N")]
    pub port_base: Option<u16>,
    /// Where all state lies.
    #[arg(long, default_value = ".weir", value_name = "DIR")]
    pub state_dir: PathBuf,
    /// Start everything, but do not run the story.
    #[arg(long, conflicts_with_all = ["story", "once"])]
    pub skip_story: bool,
    /// Run the story again on a state folder where it ran before: more payments, more usage, the same kills.
    #[arg(long)]
    pub story: bool,
}

/// Sets up, starts, runs the story, stays up until Ctrl-C (or leaves with `--once`).
pub async fn up(ws: &Workspace, args: &UpArgs) -> Result<()> {
    let state = StateDir::new(&ws.root, &args.state_dir);
    state.create()?;
    let lock = claim(&state)?;
    let mut interrupted = Interrupts::new()?;
    let ended = tokio::select! {
        ended = go(ws, args, &state) => ended,
        name = interrupted.next() => {
            println!("\n{name}: stopping");
            Ok(())
        }
    };
    if let Err(error) = &ended {
        crate::trouble::print(error);
        println!("stopping");
    }
    for name in stop_all(&state).await {
        println!("  had to stop {name}");
    }
    drop(lock);
    let _gone = std::fs::remove_file(pid_file(&state.run(), "up"));
    println!("Stopped; nothing is left running.");
    if state.root.exists() {
        println!("State is kept in {}.", state.root.display());
    }
    if ended.is_err() {
        bail!(
            "`cargo xtask up` did not succeed; logs are in {}",
            state.logs().display()
        );
    }
    Ok(())
}

async fn go(ws: &Workspace, args: &UpArgs, state: &StateDir) -> Result<()> {
    let progress = Progress::new();
    progress.chapter("Set-up");
    let mut stack = prepare(ws, args, state, &progress).await?;
    progress.chapter("Start");
    start(&mut stack, &progress).await?;
    let again = stack.settings.story_told && !args.story && !args.once;
    if again || (args.skip_story && !stack.settings.agent.is_empty()) {
        // What the story made is found again, and waited for, so that the commands below work at once.
        stack.start_model().await?;
        story::set_up(&mut story::Story::begin(&mut stack, &progress)).await?;
        progress.say("the story ran before: `cargo xtask up --story` runs it again");
    } else if !args.skip_story {
        story::run(&mut stack, &progress).await?;
        stack.settings.story_told = true;
        stack.settings.save()?;
    }
    story::table::print(&stack, &progress)?;
    if args.once {
        return Ok(());
    }
    println!("\nUp. Ctrl-C stops everything; run it again to resume with the data intact.");
    Err(stack.watch().await)
}

/// Everything before the first process starts.
async fn prepare(ws: &Workspace, args: &UpArgs, state: &StateDir, progress: &Progress) -> Result<Stack> {
    let settings = Settings::open(state, args.port_base)?;
    for name in stop_all(state).await {
        progress.say(&format!("stopped what an earlier run left: {name}"));
    }
    let busy: Vec<String> = settings
        .ports()
        .all()
        .into_iter()
        .filter(|port| !is_free(*port))
        .map(|it| it.to_string())
        .collect();
    if !busy.is_empty() {
        return Err(Trouble::new(format!("ports in use: {}", busy.join(", ")))
            .remedy("choose others: `cargo xtask up --port-base 12000`; beside another copy of this folder also `--state-dir .weir-2`")
            .into());
    }
    let mut needs = vec![Need::Java, Need::Node, Need::Postgres, Need::Kcat, Need::Openssl];
    if kafka::cached(ws)?.is_none() || kafka::flink_cached(ws)?.is_none() {
        needs.push(Need::Maven);
    }
    let tools = ensure(ws, &needs, progress).await?;
    let kafka_libs = kafka::fetch(ws, progress).await?;
    let flink_libs = kafka::flink(ws, progress).await?;
    build::web(ws, &tools, progress).await?;
    build::binaries(ws, args.release, progress).await?;
    settings.save()?;
    Ok(Stack {
        ws: ws.clone(),
        state: state.clone(),
        settings,
        tools,
        kafka_libs,
        flink_libs: Some(flink_libs),
        release: args.release,
        model: None,
    })
}

/// Starts database and control plane, and the agent if it has enrolled before.
pub async fn start(stack: &mut Stack, progress: &Progress) -> Result<()> {
    stack.start_postgres(progress).await?;
    let step = progress.step("control plane");
    stack.bootstrap_operator().await?;
    stack.start_control_plane().await?;
    step.done(stack.url());
    if !stack.settings.agent.is_empty() {
        let step = progress.step("agent");
        let known = stack.settings.agent.clone();
        stack.start_agent(&known)?;
        step.done("resumed from its own state");
    }
    Ok(())
}

/// Stops the stack of a state folder, and with `purge` removes its state.
pub async fn down(ws: &Workspace, state_dir: &std::path::Path, purge: bool) -> Result<()> {
    let state = StateDir::new(&ws.root, state_dir);
    // A running `up` stops its own parts.
    if let Some(up) = Identity::load(&pid_file(&state.run(), "up")).filter(|it| it.alive()) {
        println!("asking `cargo xtask up` (process {}) to stop", up.pid);
        up.signal(Signal::TERM);
        if !up.gone(Duration::from_secs(90)).await {
            println!("it does not; stopping the parts");
        }
    }
    for name in stop_all(&state).await {
        println!("stopped {name}");
    }
    if purge && state.root.exists() {
        remove_state(&state)?;
        println!("removed {}", state.root.display());
    }
    println!("nothing of {} is running", state.root.display());
    Ok(())
}

/// Stops a stack and removes its state, quietly.
pub async fn purge(state: &StateDir) -> Result<()> {
    stop_all(state).await;
    if state.root.exists() {
        remove_state(state)
    } else {
        Ok(())
    }
}

fn remove_state(state: &StateDir) -> Result<()> {
    let data = Settings::open(state, None).ok().and_then(|it| it.postgres_data);
    if let Some(outside) = data.filter(|it| it.starts_with("/var/lib/weir-dev"))
        && let Some(folder) = outside.parent()
        && folder.exists()
    {
        std::fs::remove_dir_all(folder).with_context(|| format!("remove {}", folder.display()))?;
    }
    std::fs::remove_dir_all(&state.root).with_context(|| format!("remove {}", state.root.display()))
}

/// Prints what runs.
pub fn status(ws: &Workspace, state_dir: &std::path::Path) -> Result<()> {
    let state = StateDir::new(&ws.root, state_dir);
    if !state.root.join("settings.json").is_file() {
        println!("no stack in {}; `cargo xtask up` makes one", state.root.display());
        return Ok(());
    }
    let settings = Settings::open(&state, None)?;
    println!(
        "state {}  ports {}..{}",
        state.root.display(),
        settings.port_base,
        settings.port_base + 59
    );
    let mut serving = false;
    for name in ["postgres", "control-plane", "agent"] {
        let part = Identity::load(&pid_file(&state.run(), name)).filter(|it| it.alive());
        serving |= name == "control-plane" && part.is_some();
        let text = part.map_or_else(|| "not running".to_owned(), |it| format!("process {}", it.pid));
        println!("  {name:<14} {text:<16} {}", state.log(name).display());
    }
    for child in running_below(&[&state.agent()]) {
        let arguments = &child.arguments;
        let name = if arguments.iter().any(|it| it == "kafka.Kafka") {
            "Kafka broker"
        } else if arguments.get(1).is_some_and(|it| it == "gateway") {
            "gateway"
        } else {
            continue;
        };
        println!("  {name:<14} process {}", child.identity.pid);
    }
    if serving {
        println!("  console        http://127.0.0.1:{}/", settings.ports().http());
    }
    Ok(())
}

/// One `up` per state folder.
fn claim(state: &StateDir) -> Result<std::fs::File> {
    let path = state.root.join("lock");
    let file = std::fs::File::create(&path).with_context(|| format!("create {}", path.display()))?;
    if file.try_lock().is_err() {
        return Err(
            Trouble::new(format!("another `cargo xtask up` uses {}", state.root.display()))
                .remedy("`cargo xtask down` stops it; another --state-dir and --port-base run beside it")
                .into(),
        );
    }
    let own = i32::try_from(std::process::id()).context("read our process id")?;
    let stat = crate::process::Identity::of(own).context("read our own process")?;
    stat.save(&pid_file(&state.run(), "up"))?;
    Ok(file)
}

/// The signals that end a stay.
pub struct Interrupts {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    hangup: tokio::signal::unix::Signal,
}

impl Interrupts {
    /// Begins to listen; from here on a signal no longer ends the process by itself.
    pub fn new() -> Result<Self> {
        let listen = |kind| signal(kind).context("listen to signals");
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            hangup: listen(SignalKind::hangup())?,
        })
    }

    /// The next one's name.
    pub async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.interrupt.recv() => "Ctrl-C",
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.hangup.recv() => "SIGHUP",
        }
    }
}
