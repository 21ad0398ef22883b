//! One topic's transactions: dead letters and how far was read, all of it or nothing (KIP-98, KIP-447).

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use super::letter::Letter;
use super::routes::Route;
use crate::gateway::contract::unpack::Codec;
use crate::gateway::contract::write::{Author, batch};
use crate::link::ledger::unix_ms;
use crate::platform::kafka::{KafkaError, PoolAddress};
use crate::platform::logs::{Logs, Part, Producer, Stand};

/// Letters of one batch, before they are packed: what several of a topic's batches hold goes into few.
const BATCH_BYTES: usize = 256 * 1024;
/// `MESSAGE_TOO_LARGE` and `RECORD_LIST_TOO_LARGE`: the topic's `max.message.bytes`.
const TOO_LARGE: [i16; 2] = [10, 18];
const UNKNOWN_TOPIC: i16 = 3;

/// What became of letters.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Copied {
    /// As they were.
    pub whole: u64,
    /// A stand-in was written: the dead-letter topic does not take records so large.
    pub stood_in: u64,
    /// Not even that.
    pub skipped: u64,
}

/// What a session needs of the worker.
#[derive(Clone, Copy)]
pub struct Way<'a> {
    /// The brokers.
    pub logs: &'a dyn Logs,
    /// Where they are.
    pub at: &'a PoolAddress,
    /// Who leads what.
    pub leaders: &'a BTreeMap<Part, i32>,
}

impl Way<'_> {
    /// The number of a topic's partitions.
    #[must_use]
    pub fn partitions(&self, topic: &str) -> i32 {
        let first = (topic.to_owned(), 0);
        let last = (topic.to_owned(), i32::MAX);
        i32::try_from(self.leaders.range(first..=last).count()).unwrap_or(i32::MAX)
    }
}

/// A producer, and what it has written.
#[derive(Debug)]
pub struct Session {
    producer: Producer,
    /// The next sequence of each partition of the dead-letter topic.
    sequences: BTreeMap<i32, i32>,
}

impl Session {
    /// Shuts out whoever had the name before.
    ///
    /// # Errors
    /// As Kafka says.
    pub async fn open(way: Way<'_>, name: &str) -> Result<Self, KafkaError> {
        Ok(Self {
            producer: way.logs.open(way.at, name).await?,
            sequences: BTreeMap::new(),
        })
    }

    /// Writes letters and the position behind them in one transaction. After an error the session is of no further use:
    /// nobody knows what became of the transaction until another one is opened.
    ///
    /// # Errors
    /// As Kafka says.
    pub async fn copy(
        &mut self,
        way: Way<'_>,
        route: &Route,
        letters: &[Letter],
        stand: &Stand,
    ) -> Result<Copied, KafkaError> {
        let done = self.write(way, route, letters, stand).await;
        if let Err(KafkaError::Refused(_code)) = done {
            // Readers of the dead-letter topic wait until it is over.
            let _as_well_as_may_be = way.logs.end(way.at, &self.producer, false).await;
        }
        done
    }

    async fn write(
        &mut self,
        way: Way<'_>,
        route: &Route,
        letters: &[Letter],
        stand: &Stand,
    ) -> Result<Copied, KafkaError> {
        let mut copied = Copied::default();
        if !letters.is_empty() {
            let count = way.partitions(&route.target);
            let place = |it: &Letter| it.origin.partition.checked_rem(count);
            let Some(partitions) = letters.iter().map(place).collect::<Option<BTreeSet<i32>>>() else {
                return Err(KafkaError::Refused(UNKNOWN_TOPIC));
            };
            way.logs
                .begin(way.at, &self.producer, &route.target, &partitions)
                .await?;
            for run in runs(letters) {
                let partition = place(&run[0]).unwrap_or_default();
                self.append_run(way, (route.target.clone(), partition), run, &mut copied)
                    .await?;
            }
        }
        way.logs
            .place(way.at, &self.producer, &route.owner, stand)
            .await?;
        way.logs.end(way.at, &self.producer, true).await?;
        Ok(copied)
    }

    /// As one batch; else one by one; else stand-ins: what is too large alone must not hold up the rest.
    async fn append_run(
        &mut self,
        way: Way<'_>,
        part: Part,
        run: &[Letter],
        copied: &mut Copied,
    ) -> Result<(), KafkaError> {
        let codec = run[0].codec;
        let bodies: Vec<&[u8]> = run.iter().map(|it| it.body.as_slice()).collect();
        if self.append(way, &part, codec, &bodies).await? {
            copied.whole += run.len() as u64;
            return Ok(());
        }
        for letter in run {
            if run.len() > 1 && self.append(way, &part, codec, &[&letter.body]).await? {
                copied.whole += 1;
            } else if self.append(way, &part, codec, &[&letter.stand_in]).await? {
                copied.stood_in += 1;
            } else {
                copied.skipped += 1;
            }
        }
        Ok(())
    }

    /// Says whether the topic took it; if it is too large, nothing has happened, and the transaction goes on.
    async fn append(
        &mut self,
        way: Way<'_>,
        part: &Part,
        codec: Codec,
        records: &[&[u8]],
    ) -> Result<bool, KafkaError> {
        let sequence = self.sequences.entry(part.1).or_insert(0);
        let author = Author {
            id: self.producer.id,
            epoch: self.producer.epoch,
            sequence: *sequence,
        };
        let now = i64::try_from(unix_ms()).unwrap_or(i64::MAX);
        let Ok(batch) = batch(codec, author, now, records) else {
            return Ok(false);
        };
        let leader = way.leaders.get(part).copied().unwrap_or(-1);
        let written = way
            .logs
            .append(way.at, leader, &self.producer, part, Bytes::from(batch))
            .await;
        match written {
            Ok(()) => {
                // Sequences go round behind the largest.
                let count = i32::try_from(records.len()).unwrap_or(i32::MAX);
                *sequence = sequence
                    .checked_add(count)
                    .unwrap_or_else(|| *sequence - i32::MAX + count - 1);
                Ok(true)
            }
            Err(KafkaError::Refused(code)) if TOO_LARGE.contains(&code) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// Letters that go into one batch: of one partition, packed in the same way, together not too many.
fn runs(letters: &[Letter]) -> impl Iterator<Item = &[Letter]> {
    let mut rest = letters;
    std::iter::from_fn(move || {
        let first = rest.first()?;
        let mut bytes = 0;
        let alike = rest.iter().take_while(|it| {
            let fits = bytes == 0 || bytes + it.body.len() <= BATCH_BYTES;
            bytes += it.body.len();
            fits && it.codec == first.codec && it.origin.partition == first.origin.partition
        });
        let (run, after) = rest.split_at(alike.count());
        rest = after;
        Some(run)
    })
}
