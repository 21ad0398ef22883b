//! CPU and memory of processes, and figures made of pairs.

use anyhow::{Context, Result};
use serde::Serialize;
use std::time::Instant;

/// Clock ticks a second in `/proc`: fixed at 100 on every Linux that people run.
const TICKS_PER_SECOND: f64 = 100.0;

/// One figure, as the result file has it.
#[derive(Debug, Clone, Serialize)]
pub struct Figure {
    pub id: String,
    pub what: String,
    pub value: f64,
    pub unit: String,
    pub peer: String,
    pub peer_version: String,
    pub pairs: usize,
    pub min: f64,
    pub max: f64,
    pub ship: Option<f64>,
    pub goal: Option<f64>,
    /// Medians of both sides, ours first, in the unit that `what` names.
    pub sides: [f64; 2],
    /// The bar is an upper one: less is better.
    pub less_is_better: bool,
}

/// What stands beside a figure.
#[derive(Debug, Clone, Copy)]
pub struct Bar {
    pub id: &'static str,
    pub what: &'static str,
    pub peer: &'static str,
    pub version: &'static str,
    pub ship: Option<f64>,
    pub goal: Option<f64>,
    pub less: bool,
}

/// Paired measurements, ours and the peer's.
#[derive(Debug, Default, Clone)]
pub struct Pairs(pub Vec<(f64, f64)>);

impl Pairs {
    pub fn add(&mut self, ours: f64, peer: f64) {
        self.0.push((ours, peer));
    }

    /// The median of the pairs' ratios.
    pub fn figure(&self, bar: Bar) -> Figure {
        let ratios: Vec<f64> = self.0.iter().map(|(ours, peer)| ours / peer).collect();
        let ours: Vec<f64> = self.0.iter().map(|it| it.0).collect();
        let peers: Vec<f64> = self.0.iter().map(|it| it.1).collect();
        of(bar, "ratio", &ratios, [median(&ours), median(&peers)])
    }
}

/// A figure of single measurements: no ratio.
pub fn absolute(bar: Bar, unit: &str, values: &[f64]) -> Figure {
    of(bar, unit, values, [median(values), f64::NAN])
}

fn of(bar: Bar, unit: &str, values: &[f64], sides: [f64; 2]) -> Figure {
    Figure {
        id: bar.id.to_owned(),
        what: bar.what.to_owned(),
        value: median(values),
        unit: unit.to_owned(),
        peer: bar.peer.to_owned(),
        peer_version: bar.version.to_owned(),
        pairs: values.len(),
        min: values.iter().copied().fold(f64::INFINITY, f64::min),
        max: values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        ship: bar.ship,
        goal: bar.goal,
        sides,
        less_is_better: bar.less,
    }
}

/// The middle value; of an even count the mean of the two.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let half = sorted.len() / 2;
    match sorted.len() {
        0 => f64::NAN,
        even if even % 2 == 0 => f64::midpoint(sorted[half - 1], sorted[half]),
        _odd => sorted[half],
    }
}

/// CPU-seconds that a process has used since it began.
pub fn cpu(pid: u32) -> Result<f64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).context("read a process's CPU time")?;
    // The command name may hold spaces and parentheses: the fields start after its last one.
    let after = text
        .rfind(')')
        .and_then(|at| text.get(at + 2..))
        .context("read /proc/stat")?;
    let fields: Vec<&str> = after.split(' ').collect();
    let ticks = |at: usize| fields.get(at).and_then(|it| it.parse::<f64>().ok());
    let (user, system) = ticks(11).zip(ticks(12)).context("read /proc/stat")?;
    Ok((user + system) / TICKS_PER_SECOND)
}

/// CPU-seconds that this thread has used since it began.
pub fn thread_cpu() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// A measurement of time and of the CPU of some processes.
pub struct Meter {
    pids: Vec<u32>,
    before: Vec<f64>,
    began: Instant,
}

impl Meter {
    pub fn start(pids: &[u32]) -> Result<Self> {
        Ok(Self {
            pids: pids.to_vec(),
            before: pids.iter().map(|pid| cpu(*pid)).collect::<Result<_>>()?,
            began: Instant::now(),
        })
    }

    /// CPU-seconds of each, and seconds.
    pub fn stop(self) -> Result<(Vec<f64>, f64)> {
        let seconds = self.began.elapsed().as_secs_f64();
        let mut used = Vec::new();
        for (pid, before) in self.pids.iter().zip(self.before) {
            used.push(cpu(*pid)? - before);
        }
        Ok((used, seconds))
    }
}

/// A field of `/proc/<pid>/status` in bytes: `VmRSS`, `VmHWM`.
pub fn memory(pid: u32, field: &str) -> Result<f64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).context("read a process's memory")?;
    let line = text
        .lines()
        .find_map(|it| it.strip_prefix(field)?.strip_prefix(':'));
    let kibibytes: f64 = line
        .and_then(|it| it.split_whitespace().next()?.parse().ok())
        .context("read a process's memory")?;
    Ok(kibibytes * 1024.0)
}

/// Lets the peak of a process's memory begin anew.
pub fn forget_peak(pid: u32) -> Result<()> {
    std::fs::write(format!("/proc/{pid}/clear_refs"), "5").context("reset a process's peak of memory")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_cpu_and_memory() {
        let own = std::process::id();
        assert!(cpu(own).unwrap() >= 0.0);
        assert!(memory(own, "VmRSS").unwrap() > 100_000.0);
        assert!(memory(own, "VmNone").is_err());
    }

    #[test]
    fn the_middle_of_ratios() {
        let mut pairs = Pairs::default();
        for (ours, peer) in [(1.0, 2.0), (3.0, 4.0), (9.0, 9.0)] {
            pairs.add(ours, peer);
        }
        let bar = Bar {
            id: "G",
            what: "",
            peer: "",
            version: "",
            ship: None,
            goal: None,
            less: false,
        };
        let figure = pairs.figure(bar);
        assert!((figure.value - 0.75).abs() < f64::EPSILON && (figure.max - 1.0).abs() < f64::EPSILON);
    }
}
