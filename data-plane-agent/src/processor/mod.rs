//! The light engine: one worker of an ACTION job, a process of its own that consumes, transforms and produces, exactly once.
//!
//! It is told what to do by its standard input ([`spec`]), speaks to the gateway with the job's own key, and writes how it goes to
//! its standard output ([`progress`]). Offsets are committed in the producer's transaction, under the membership of the consumer's
//! group (KIP-447): a worker that lost its partitions, or was taken for dead, can commit nothing.
//!
//! Consuming and producing are one thread, which blocks; calls of endpoints and signals have another.

pub(crate) mod calls;
mod client;
pub mod engine;
mod faults;
pub mod halt;
pub mod hosts;
mod letter;
pub mod limits;
mod partition;
pub mod progress;
pub(crate) mod roots;
pub mod spec;
mod worker;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context as _;
use tokio::signal::unix::{SignalKind, signal};

use self::calls::Calls;
use self::engine::Engine;
use self::halt::{Halt, HaltCode};
use self::progress::Progress;
use self::spec::WorkerSpec;
use self::worker::Worker;

/// Runs a worker to its end: by a signal, or by itself.
///
/// # Errors
/// When it is not told what to do, and why it ended by itself.
pub fn run() -> anyhow::Result<()> {
    limits::take(limits::MEMORY_BYTES).context("take the limits of a compute unit")?;
    let spec = WorkerSpec::read(std::io::stdin()).context("read what to do")?;
    let mut progress = begun(&spec);
    let ended = work(&spec, &mut progress);
    if let Err(halt) = &ended {
        progress.halt = Some(halt.code);
        if let Some(code) = halt.code.failure() {
            progress.fail(code, 0);
        }
        progress.joined = false;
        write(&mut progress);
    }
    ended.map_err(anyhow::Error::from)
}

/// Counts go on where the worker before stopped.
fn begun(spec: &WorkerSpec) -> Progress {
    let before = Progress::read_open(std::io::stdout())
        .unwrap_or(None)
        .unwrap_or_default();
    let mut progress = Progress {
        version: spec.version,
        source: spec.program.source.clone(),
        pid: std::process::id(),
        joined: false,
        // What ended the worker before is said until this one has shown that it is mended.
        halt: before.halt.filter(|_same| before.version == spec.version),
        partitions: std::collections::BTreeMap::new(),
        ..before
    };
    write(&mut progress);
    progress
}

/// Best effort: a worker works on when nobody can see how it goes.
fn write(progress: &mut Progress) {
    progress.at_unix_ms = unix_ms();
    if let Err(error) = progress.write(std::io::stdout()) {
        tracing::debug!(%error, "progress could not be written");
    }
}

fn unix_ms() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |it| u64::try_from(it.as_millis()).unwrap_or(u64::MAX))
}

fn work(spec: &WorkerSpec, progress: &mut Progress) -> Result<(), Halt> {
    let engine = Engine::build(&spec.program, &spec.secrets)
        .map_err(|reason| Halt::new(HaltCode::ProgramRefused, reason))?;
    let internal = |error: std::io::Error| Halt::new(HaltCode::Kafka, error.to_string());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(internal)?;
    let stop = Arc::new(AtomicBool::new(false));
    let (mut terminate, mut interrupt) = {
        let _entered = runtime.enter();
        (
            signal(SignalKind::terminate()).map_err(internal)?,
            signal(SignalKind::interrupt()).map_err(internal)?,
        )
    };
    let told = Arc::clone(&stop);
    runtime.spawn(async move {
        tokio::select! {
            _signal = terminate.recv() => {}
            _signal = interrupt.recv() => {}
        }
        told.store(true, Ordering::Relaxed);
    });
    let calls = Calls::new(runtime.handle().clone(), &engine, &spec.secrets);
    let ended = Worker::begin(spec, engine, calls, progress)?.run(&stop);
    // Calls under way are let go: their records are the next worker's.
    runtime.shutdown_background();
    ended
}
