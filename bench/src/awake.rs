//! Keeps the processors from falling asleep while latencies are measured.
//!
//! A virtual processor that has nothing to do is most likely given to other guests, and comes back when its host finds time: seen on the machine of
//! docs/benchmarks.md as tails of 20 to 130 ms at 250 requests a second that are not there with such loops beside it. A loop of the
//! class `SCHED_IDLE` on each processor runs when nothing else would, and gives way at once (sched(7)).

use anyhow::{Context, Result};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Loops, until dropped.
pub struct Awake(Vec<Child>);

impl Awake {
    /// Starts one for each processor.
    pub fn begin() -> Result<Self> {
        let own = std::env::current_exe().context("find this program")?;
        let count = std::thread::available_parallelism()?.get();
        let mut awake = Self(Vec::with_capacity(count));
        for _processor in 0..count {
            let child = Command::new("chrt")
                .args(["--idle", "0"])
                .arg(&own)
                .arg("spin")
                .stdin(Stdio::null())
                .spawn();
            awake.0.push(child.context("start chrt (package util-linux)")?);
        }
        Ok(awake)
    }
}

impl Drop for Awake {
    fn drop(&mut self) {
        for child in &mut self.0 {
            // It ends by itself, too.
            let _ended = child.kill().and_then(|()| child.wait());
        }
    }
}

/// One loop. It ends when whoever started it forgot it.
pub fn spin() {
    const LONGEST: Duration = Duration::from_secs(3600);
    let end = Instant::now() + LONGEST;
    while Instant::now() < end {
        for _round in 0..1_000_000 {
            std::hint::black_box(());
        }
    }
}
