//! Transactions of a link's one producer: records of the copy, and the places in the source up to which they reach, all of it or nothing
//! (KIP-98, KIP-447).

use std::collections::{BTreeMap, BTreeSet};

use super::pack::Batch;
use crate::gateway::contract::write::Author;
use crate::platform::kafka::{KafkaError, PoolAddress};
use crate::platform::logs::{Logs, Part, Producer, Stand};

/// `MESSAGE_TOO_LARGE` and `RECORD_LIST_TOO_LARGE`: the topic's `max.message.bytes`.
const TOO_LARGE: [i16; 2] = [10, 18];

/// Pairs of offsets: source, copy.
pub type Pairs = Vec<(i64, i64)>;

/// Where is written.
#[derive(Clone, Copy)]
pub struct Here<'a> {
    /// The brokers.
    pub logs: &'a dyn Logs,
    /// Where they are.
    pub at: &'a PoolAddress,
}

/// A producer, and what it has written. After an error it is of no further use: nobody knows what became of the transaction until another
/// one is opened.
#[derive(Debug)]
pub struct Session {
    producer: Producer,
    /// The next sequence of each partition.
    sequences: BTreeMap<Part, i32>,
}

impl Session {
    /// Shuts out whoever had the name before.
    ///
    /// # Errors
    /// As Kafka says.
    pub async fn open(here: Here<'_>, name: &str) -> Result<Self, KafkaError> {
        Ok(Self {
            producer: here.logs.open(here.at, name).await?,
            sequences: BTreeMap::new(),
        })
    }

    /// Says what will be written to.
    ///
    /// # Errors
    /// As Kafka says.
    pub async fn begin<'a>(
        &self,
        here: Here<'_>,
        parts: impl Iterator<Item = &'a Part>,
    ) -> Result<(), KafkaError> {
        let mut topics: BTreeMap<&str, BTreeSet<i32>> = BTreeMap::new();
        for (topic, partition) in parts {
            topics.entry(topic).or_default().insert(*partition);
        }
        for (topic, partitions) in topics {
            here.logs
                .begin(here.at, &self.producer, topic, &partitions)
                .await?;
        }
        Ok(())
    }

    /// Writes a batch, in parts if it is too large as a whole. Says which offsets of the source stand for which of
    /// the copy, and where the next record will stand there; -1: nobody knows.
    ///
    /// # Errors
    /// As Kafka says.
    pub async fn append(
        &mut self,
        here: Here<'_>,
        node: i32,
        part: &Part,
        batch: Batch,
    ) -> Result<(Pairs, i64), KafkaError> {
        let (mut pairs, mut end) = (Pairs::new(), -1);
        let mut left = vec![batch];
        while let Some(batch) = left.pop() {
            let sequence = self.sequences.entry(part.clone()).or_insert(0);
            let author = Author {
                id: self.producer.id,
                epoch: self.producer.epoch,
                sequence: *sequence,
            };
            let bytes = batch.by(author);
            match here.logs.append(here.at, node, &self.producer, part, bytes).await {
                Ok(at) => {
                    // Sequences go round behind the largest.
                    *sequence = sequence
                        .checked_add(batch.count)
                        .unwrap_or_else(|| *sequence - i32::MAX + batch.count - 1);
                    if at >= 0 {
                        end = at.saturating_add(i64::from(batch.count));
                        let (first, last) = batch.ends;
                        pairs.extend((first >= 0).then_some((first, at)));
                        pairs.extend((last >= 0).then_some((last.saturating_add(1), end)));
                    }
                }
                Err(KafkaError::Refused(code)) if TOO_LARGE.contains(&code) => {
                    let (front, back) = batch.halves().ok_or(KafkaError::Refused(code))?;
                    left.extend([back, front]);
                }
                Err(error) => return Err(error),
            }
        }
        Ok((pairs, end))
    }

    /// Makes places a part of it, and ends it.
    ///
    /// # Errors
    /// As Kafka says.
    pub async fn commit(&self, here: Here<'_>, group: &str, stand: &Stand) -> Result<(), KafkaError> {
        here.logs.place(here.at, &self.producer, group, stand).await?;
        here.logs.end(here.at, &self.producer, true).await
    }

    /// Nothing of it: readers of what was written to wait until it is over.
    pub async fn give_up(&self, here: Here<'_>) {
        let _as_well_as_may_be = here.logs.end(here.at, &self.producer, false).await;
    }
}
