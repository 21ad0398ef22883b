//! What a pool's keeper tells of a job.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::reading::Reading;

/// Where a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Standing {
    /// Not looked at yet.
    #[default]
    Unknown,
    /// Flink comes up, or the job does.
    Starting,
    /// All of it runs.
    Running,
    /// It failed and begins again.
    Restarting,
    /// It ends, with a savepoint where it is wanted.
    Ending,
    /// It does not run.
    Gone,
    /// Flink does not take it.
    Refused,
    /// What it remembered is gone: it begins nowhere.
    Lost,
}

/// How a job goes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Told {
    /// Where it is.
    pub standing: Standing,
    /// The program that runs.
    pub version: u32,
    /// Subtasks that run at its widest vertex.
    pub workers: u32,
    /// Times that it began again unasked.
    pub restarts: u64,
    /// Records that its sources read in this run.
    pub records_in: u64,
    /// Records that reached its sinks in this run.
    pub records_out: u64,
    /// Records that its sources know of and have not read; `None`: not known.
    pub pending: Option<u64>,
    /// What its vertices say, if all of it runs.
    pub reading: Option<Arc<Reading>>,
    /// It does not run, and nothing that it wrote stands open at brokers.
    pub settled: bool,
    /// The program, and the restart of it, that came to their end by themselves.
    pub completed: Option<(u32, u64)>,
    /// How far event time has come, Unix time; 0: not told.
    pub watermark_ms: i64,
    /// When its newest checkpoint was begun, Unix time; 0: none.
    pub checkpoint_ms: i64,
    /// Classes of its newest failures.
    pub failures: BTreeMap<String, u64>,
}
