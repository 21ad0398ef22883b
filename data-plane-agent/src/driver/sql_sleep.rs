//! The driver's part for jobs in SQL that may sleep. Such a job sleeps when nothing came for long and it has read all there is, with
//! a savepoint; what wakes it is growth of its sources beyond where they ended then, whatever its group says.

use std::collections::BTreeMap;
use std::io;

use weir_autoscaler::suspend::{AutoSuspend, Waiting};
use weir_proto::agent::v1::{Job, JobDecisionOutcome, JobDecisionReason, JobState};

use super::Driver;
use crate::flink::told::Standing;
use crate::log_ends::Asked;
use crate::resources::job::{Edges, sleep};

/// Partitions of a source are numbered from its place times this on: more than a topic has.
const STRIDE: u32 = 1_000_000;
/// What a look at Flink and at brokers may be behind.
const SLACK_MS: u64 = 5_000;

impl Driver {
    /// Falls asleep or wakes, if the job wishes to and it is time.
    pub(super) fn doze_sql(&mut self, job: &Job, now_ms: u64) -> io::Result<()> {
        let sources = self.sources_of(job);
        let places = places(&sources);
        let edges = self.edges_of(job, sources.len());
        let told = self.sql.told(job);
        let settles_after = self.sql.settles_after_ms(&job.id);
        let Some(room) = self.jobs.rooms.get_mut(&job.id) else {
            return Ok(());
        };
        let names: Vec<&str> = sources.iter().map(|it| it.topic_id.as_str()).collect();
        room.reads(&names.join(","));
        let settings = sleep::settings(job);
        let of = format!("{}/{}", job.version, job.restart_nonce);
        let may = job.state() == JobState::AutoSuspend && !job.deleted;
        let (outcome, reason) = match room.asleep().map(|it| it.of == of) {
            Some(same) if !may || !same => (JobDecisionOutcome::Wake, JobDecisionReason::Wished),
            Some(_same) if told.standing == Standing::Gone && !told.settled => {
                // What it wrote last stands open, and brokers would take it back: it runs until that is settled.
                tracing::warn!(
                    job = job.id,
                    "a job could not be put to sleep with a savepoint: it runs on"
                );
                return room.wake();
            }
            Some(_same) if room.look_asleep(&settings, &places, &edges, now_ms) => {
                (JobDecisionOutcome::Wake, JobDecisionReason::RecordsWait)
            }
            Some(_same) => return room.keep(),
            None if may && told.standing == Standing::Running => {
                let ends: Option<Vec<i64>> = places
                    .iter()
                    .map(|it| edges.get(it).and_then(|(_first, last)| *last))
                    .collect();
                let (Some(ends), Some(settles_after)) = (ends, settles_after) else {
                    room.drowsy.forget();
                    return Ok(());
                };
                let waits = told
                    .pending
                    .map_or(Waiting::Unknown, |records| Waiting::Records { records });
                let settings = AutoSuspend {
                    idle_after_ms: settings.idle_after_ms.max(settles_after) + SLACK_MS,
                    ..settings
                };
                if !room
                    .drowsy
                    .look(&settings, waits, activity(told.records_in, &ends), now_ms)
                {
                    return Ok(());
                }
                room.stands_at(places.iter().copied().zip(ends), now_ms);
                (JobDecisionOutcome::Suspend, JobDecisionReason::Idle)
            }
            None => {
                room.drowsy.forget();
                return Ok(());
            }
        };
        self.dozes(job, &of, (outcome, reason), now_ms)
    }

    /// Where the logs of a job's tables end, all partitions together, as far as brokers told.
    pub(super) fn ends_by_table(&self, job: &Job) -> BTreeMap<String, u64> {
        let sources = self.sources_of(job);
        let names = job.sql.iter().flat_map(|it| &it.sources).map(|it| &it.name);
        let tables = names.zip(&sources).enumerate();
        let end = |(number, (table, source)): (usize, (&String, &Asked))| {
            let edges = self.shared.log_ends.seen(&name(&job.id, number));
            let ends = (0..source.partitions).map(|at| u64::try_from(edges.get(&at)?.1?).ok());
            Some((table.clone(), ends.sum::<Option<u64>>()?))
        };
        tables.filter_map(end).collect()
    }

    /// The sources of a job that sleeps or may do so, or grows and shrinks, each by the name that its ends are asked by.
    pub(super) fn watched(&self, job: &Job) -> BTreeMap<String, Asked> {
        let asleep = self
            .jobs
            .rooms
            .get(&job.id)
            .is_some_and(|it| it.asleep().is_some());
        let (least, most) = Self::least_and_most(job);
        let wishes = match job.state() {
            JobState::AutoSuspend => !job.deleted,
            JobState::Running => !job.deleted && most > least,
            _stopped => false,
        };
        if !(asleep || wishes) {
            return BTreeMap::new();
        }
        let sources = self.sources_of(job).into_iter().enumerate();
        sources
            .map(|(number, source)| (name(&job.id, number), source))
            .collect()
    }

    fn sources_of(&self, job: &Job) -> Vec<Asked> {
        let sources = job.sql.iter().flat_map(|it| &it.sources);
        let one = |id: &String| {
            let topic = self.admitted.topics.iter().find(|it| it.id == *id);
            Asked {
                topic_id: id.clone(),
                partitions: topic.map_or(0, |it| it.partitions),
            }
        };
        sources.map(|it| one(&it.topic_id)).collect()
    }

    fn edges_of(&self, job: &Job, sources: usize) -> Edges {
        let mut all = Edges::new();
        for number in 0..sources {
            let edges = self.shared.log_ends.seen(&name(&job.id, number));
            all.extend(edges.into_iter().map(|(at, edge)| (place(number, at), edge)));
        }
        all
    }
}

/// A number that changes with whatever is read, or written to a source.
fn activity(records_in: u64, ends: &[i64]) -> u64 {
    ends.iter().fold(records_in, |sum, it| {
        sum.wrapping_add(u64::try_from(*it).unwrap_or(0))
    })
}

fn name(job: &str, number: usize) -> String {
    format!("{job}/{number}")
}

/// The number of a partition among those of all sources.
fn place(number: usize, partition: u32) -> u32 {
    u32::try_from(number).unwrap_or(0) * STRIDE + partition
}

fn places(sources: &[Asked]) -> Vec<u32> {
    let sources = sources.iter().enumerate();
    sources
        .flat_map(|(number, it)| (0..it.partitions.min(STRIDE)).map(move |at| place(number, at)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_of_all_sources_have_numbers_of_their_own() {
        let source = |partitions| Asked {
            topic_id: "topic_1".to_owned(),
            partitions,
        };
        assert_eq!(places(&[source(2), source(1)]), [0, 1, 1_000_000]);
        // Another partition of the first changes nothing for the second.
        assert_eq!(places(&[source(3), source(1)]), [0, 1, 2, 1_000_000]);
    }
}
