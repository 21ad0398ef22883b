//! How a worker goes, once a second.

use std::rc::Rc;
use std::time::{Duration, Instant};

use rdkafka::consumer::Consumer as _;

use super::Worker;
use crate::processor::progress::PartitionProgress;
use crate::processor::write;

/// How often progress is written.
const PROGRESS_EVERY: Duration = Duration::from_secs(1);
/// A worker that was joined for so long is no longer said to have ended.
const MENDED_AFTER: Duration = Duration::from_secs(20);

impl Worker<'_> {
    /// Writes how it goes, once a second.
    pub(super) fn tell(&mut self) {
        self.producer.poll(Duration::ZERO);
        let now = Instant::now();
        if self
            .progress_at
            .is_some_and(|at| now.duration_since(at) < PROGRESS_EVERY)
        {
            return;
        }
        self.progress_at = Some(now);
        let joined = self.consumer.context().has_joined();
        self.progress.joined = joined;
        if joined {
            let since = *self.joined_at.get_or_insert(now);
            if now.duration_since(since) > MENDED_AFTER {
                self.progress.halt = None;
            }
        }
        self.note_places();
        write(self.progress);
    }

    /// Where its partitions stand.
    pub(super) fn note_places(&mut self) {
        let consumer = Rc::clone(&self.consumer);
        let side = consumer.context();
        let partitions = self.partitions.iter().map(|(number, it)| {
            let end = side.end(*number);
            let drained = end.filter(|end| end.reached && it.is_drained());
            let at = PartitionProgress {
                offset: it.committed,
                done_to: drained.map_or(it.committed, |end| end.offset.max(it.committed)),
                end: end.map_or(-1, |it| it.offset),
            };
            (*number, at)
        });
        self.progress.partitions = partitions.collect();
    }
}
