//! What is known of a job beyond its processes: where it stands, how much its workers do, whether it sleeps.

use std::collections::BTreeMap;
use std::io;

use weir_autoscaler::suspend::{AutoSuspend, PartitionOffsets, StartFrom, Waiting, waiting};

use super::room::{Room, STALE_MS, progress_path};
use super::scaling::Reading;
use super::sleep::Asleep;
use crate::disk;
use crate::platform::process::Processes;
use crate::processor::progress::Progress;
use crate::processor::spec::Position;

/// A recording is as large at most, and the one before it: a day or two of a job with few tasks.
const RECORDING_BYTES_MAX: u64 = 16 << 20;

/// Where partitions begin and end now; what is not known is left out.
pub type Edges = BTreeMap<u32, (Option<i64>, Option<i64>)>;

impl Room {
    /// The topic that it reads. Places in another one are none.
    pub fn reads(&mut self, source: &str) {
        if self.kept.source != source {
            source.clone_into(&mut self.kept.source);
            self.kept.positions.clear();
        }
    }

    /// Reads what workers wrote since.
    pub fn look(&mut self) {
        for (slot, held) in &mut self.progress {
            // The middle of a write, or nothing yet: what was read before stays.
            if let Ok(Some(read)) = Progress::read(&progress_path(&self.folder, *slot)) {
                *held = read;
            }
        }
        for progress in self.progress.values().filter(|it| it.source == self.kept.source) {
            for (partition, at) in &progress.partitions {
                let held = self.kept.positions.entry(*partition).or_default();
                if progress.at_unix_ms >= held.at_unix_ms {
                    // Who takes a partition over does not know yet what stands behind its last record.
                    let known = if at.offset == held.offset { held.done_to } else { 0 };
                    *held = Position {
                        offset: at.offset,
                        done_to: at.done_to.max(at.offset).max(known),
                        at_unix_ms: progress.at_unix_ms,
                    };
                }
            }
        }
    }

    /// Writes what has changed since it was written.
    ///
    /// # Errors
    /// As the file system says.
    pub fn keep(&mut self) -> io::Result<()> {
        if self.kept != self.written {
            disk::write_json(&self.folder.join("room.json"), &self.kept)?;
            self.written.clone_from(&self.kept);
        }
        Ok(())
    }

    /// Writes what the scaler has learned, when it has, and what a replay would need.
    ///
    /// # Errors
    /// As the file system says.
    pub fn keep_scaling(&mut self, now_unix_ms: u64) -> io::Result<()> {
        let recorded = self.scaler.recorded();
        if !recorded.is_empty()
            && disk::append_lines(
                &self.folder.join("recording.jsonl"),
                &recorded,
                RECORDING_BYTES_MAX,
            )?
        {
            self.scaler.record_anew();
        }
        match self.scaler.unwritten(now_unix_ms) {
            Some(kept) => disk::write_json(&self.folder.join("scaling.json"), kept),
            None => Ok(()),
        }
    }

    /// What its workers say, if `wanted` of them are at work and together have all partitions.
    #[must_use]
    pub fn reading(
        &self,
        wanted: u32,
        partitions: u32,
        processes: &dyn Processes,
        now_unix_ms: u64,
    ) -> Option<Reading> {
        let workers = self.at_work(wanted, processes, now_unix_ms)?;
        Some(Reading {
            lag: lag(&workers, partitions),
            workers: workers.iter().map(|it| (it.records_in, it.busy_us)).collect(),
            start: workers.iter().map(|it| u64::from(it.pid)).sum::<u64>() ^ (self.kept.restarts << 40),
        })
    }

    /// What waits for a job that runs, and the records that it took in; unknown unless all workers are at work.
    #[must_use]
    pub fn waits(
        &self,
        wanted: u32,
        partitions: u32,
        processes: &dyn Processes,
        now_unix_ms: u64,
    ) -> (Waiting, u64) {
        let workers = self.at_work(wanted, processes, now_unix_ms).unwrap_or_default();
        let waits = match lag(&workers, partitions) {
            Some(records) => Waiting::Records { records },
            None => Waiting::Unknown,
        };
        (waits, self.progress.values().map(|it| it.records_in).sum())
    }

    /// Its workers, if all of them are at work and no others run.
    fn at_work(&self, wanted: u32, processes: &dyn Processes, now_unix_ms: u64) -> Option<Vec<&Progress>> {
        let told = self.workers(wanted, processes, now_unix_ms);
        if wanted == 0 || told.joined != wanted || told.alive != wanted {
            return None;
        }
        (0..wanted)
            .map(|slot| {
                let progress = self.progress.get(&slot)?;
                let fresh = now_unix_ms.saturating_sub(progress.at_unix_ms) < STALE_MS;
                (fresh && progress.source == self.kept.source).then_some(progress)
            })
            .collect()
    }

    /// Does it sleep?
    #[must_use]
    pub fn asleep(&self) -> Option<&Asleep> {
        self.kept.asleep.as_ref()
    }

    /// Records that wait while it sleeps, if that is known.
    #[must_use]
    pub const fn waiting(&self) -> Option<u64> {
        self.waiting
    }

    /// It sleeps from now on, `of` saying as what. What it has done is on disk before any worker is told to end.
    ///
    /// # Errors
    /// As the file system says.
    pub fn fall_asleep(&mut self, of: &str, now_unix_ms: u64) -> io::Result<()> {
        self.kept.asleep = Some(Asleep {
            since_unix_ms: now_unix_ms,
            of: of.to_owned(),
            ..Asleep::default()
        });
        self.waiting = Some(0);
        self.drowsy.forget();
        self.scaler.rest();
        self.keep()
    }

    /// All before these offsets is done, by partition.
    pub fn stands_at(&mut self, ends: impl IntoIterator<Item = (u32, i64)>, now_unix_ms: u64) {
        let places = ends.into_iter().filter_map(|(partition, offset)| {
            let position = Position {
                offset,
                done_to: offset,
                at_unix_ms: now_unix_ms,
            };
            Some((i32::try_from(partition).ok()?, position))
        });
        self.kept.positions = places.collect();
    }

    /// It sleeps no longer.
    ///
    /// # Errors
    /// As the file system says.
    pub fn wake(&mut self) -> io::Result<()> {
        self.kept.asleep = None;
        self.waiting = None;
        self.drowsy.forget();
        self.keep()
    }

    /// One look at where the source of a sleeping job ends; true: it is to wake.
    pub fn look_asleep(
        &mut self,
        settings: &AutoSuspend,
        partitions: &[u32],
        edges: &Edges,
        now_unix_ms: u64,
    ) -> bool {
        let offsets = self.offsets(partitions, edges);
        self.waiting = match waiting(&offsets, StartFrom::Earliest) {
            Waiting::Records { records } => Some(records),
            Waiting::Expired | Waiting::Unknown => None,
        };
        let asleep = self.kept.asleep.as_mut();
        asleep.is_some_and(|it| it.look(settings, &offsets, now_unix_ms))
    }

    fn offsets(&self, partitions: &[u32], edges: &Edges) -> Vec<PartitionOffsets> {
        let one = |at: &u32| {
            let kept = i32::try_from(*at)
                .ok()
                .and_then(|it| self.kept.positions.get(&it));
            let (log_start, log_end) = edges.get(at).copied().unwrap_or_default();
            PartitionOffsets {
                log_start,
                log_end,
                position: kept.map(|it| it.offset),
                end_at_suspend: kept.map(|it| it.done_to),
            }
        };
        partitions.iter().map(one).collect()
    }
}

/// Records that wait in all partitions; `None` unless each is some worker's and its end is known.
fn lag(workers: &[&Progress], partitions: u32) -> Option<u64> {
    let mut seen = BTreeMap::new();
    for progress in workers {
        for (partition, at) in &progress.partitions {
            let known = at.end >= 0 && at.offset >= 0;
            let records = known.then(|| (at.end - at.offset.max(at.done_to)).max(0));
            seen.insert(*partition, u64::try_from(records?).unwrap_or(0));
        }
    }
    let all = partitions > 0 && (0..partitions).all(|at| seen.contains_key(&i32::try_from(at).unwrap_or(-1)));
    all.then(|| seen.values().sum())
}

#[cfg(test)]
#[path = "going_tests.rs"]
mod tests;
