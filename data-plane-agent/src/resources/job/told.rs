//! How a job goes, added up from what its workers write.

use std::collections::BTreeMap;

use weir_proto::agent::v1::{JobFailure, JobOffset, JobProgress};

use super::room::{Room, Worker, Workers};
use crate::platform::process::Processes;

impl Room {
    /// How it goes, for its report.
    #[must_use]
    pub fn progress(&self, workers: Workers, queue_place: u32, processes: &dyn Processes) -> JobProgress {
        let mut told = JobProgress {
            job_id: self.id.clone(),
            workers: workers.alive,
            units: workers.alive,
            queue_place,
            restarts: self.kept.restarts,
            lag_records: -1,
            ..JobProgress::default()
        };
        let mut offsets: BTreeMap<i32, (u64, i64)> = BTreeMap::new();
        let mut failures: BTreeMap<(i32, u32), u64> = BTreeMap::new();
        let mut lag = Some(0);
        for (slot, progress) in &self.progress {
            told.records_in += progress.records_in;
            told.records_out += progress.records_out;
            told.records_dropped += progress.records_dropped;
            told.records_dead += progress.records_dead;
            told.watermark_unix_ms = told.watermark_unix_ms.max(progress.watermark_unix_ms);
            for (code, step, count) in progress.failures() {
                *failures.entry((code.into(), step)).or_default() += count;
            }
            let runs = |it: &Worker| it.child.running(processes).is_some();
            if !self.workers.get(slot).is_some_and(runs) {
                continue;
            }
            told.version = told.version.max(progress.version);
            lag = lag.zip(progress.lag()).map(|(sum, it)| sum + it);
            for (partition, at) in &progress.partitions {
                let held = offsets.entry(*partition).or_default();
                *held = (*held).max((progress.at_unix_ms, at.offset));
            }
        }
        if workers.joined > 0 {
            told.lag_records = lag.unwrap_or(-1);
        }
        if let Some(asleep) = &self.kept.asleep {
            told.suspended_at_unix_ms = i64::try_from(asleep.since_unix_ms).unwrap_or(i64::MAX);
            told.lag_records = self
                .waiting
                .map_or(-1, |it| i64::try_from(it).unwrap_or(i64::MAX));
            let kept = self.kept.positions.iter();
            offsets = kept.map(|(at, it)| (*at, (0, it.offset))).collect();
        }
        told.offsets = offsets
            .into_iter()
            .filter_map(|(partition, (_at, offset))| {
                let partition = u32::try_from(partition).ok()?;
                Some(JobOffset { partition, offset })
            })
            .collect();
        let failures = failures.into_iter();
        told.failures = failures
            .map(|((code, step), count)| JobFailure { code, step, count })
            .collect();
        told
    }
}
