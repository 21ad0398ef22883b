//! Transactions of one producer: letters and how far was read, all of it or nothing (KIP-98, KIP-447).

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use super::letter::{Form, Letter};
use crate::gateway::contract::unpack::Codec;
use crate::gateway::contract::write::{Author, batch};
use crate::link::ledger::unix_ms;
use crate::platform::kafka::{KafkaError, PoolAddress};
use crate::platform::logs::{Logs, Part, Producer, Stand};

/// Letters of one batch, before they are packed: what several of a topic's batches hold goes into few.
const BATCH_BYTES: usize = 256 * 1024;
/// `MESSAGE_TOO_LARGE` and `RECORD_LIST_TOO_LARGE`: the topic's `max.message.bytes`.
pub const TOO_LARGE: [i16; 2] = [10, 18];
/// `UNKNOWN_TOPIC_OR_PARTITION`.
pub const UNKNOWN_TOPIC: i16 = 3;

/// Which of a letter's forms was written; nothing: it stays where it is.
pub type Taken = Option<usize>;

/// What a session needs of the pool.
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

    /// Where a form is written.
    fn place(&self, form: &Form) -> Result<Part, KafkaError> {
        let partition = form.partition.checked_rem(self.partitions(&form.topic));
        let partition = partition.ok_or(KafkaError::Refused(UNKNOWN_TOPIC))?;
        Ok((form.topic.to_string(), partition))
    }
}

/// A producer, and what it has written.
#[derive(Debug)]
pub struct Session {
    producer: Producer,
    /// The next sequence of each partition.
    sequences: BTreeMap<Part, i32>,
    /// What the transaction at hand may write to.
    begun: BTreeSet<Part>,
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
            begun: BTreeSet::new(),
        })
    }

    /// Writes letters and the positions of the group behind them in one transaction; says of each what was written. After
    /// an error the session is of no further use: nobody knows what became of the transaction until another one is opened.
    ///
    /// # Errors
    /// As Kafka says, and as [`TOO_LARGE`] when a letter has no form that is taken and may not stay.
    pub async fn copy(
        &mut self,
        way: Way<'_>,
        group: &str,
        letters: &[Letter],
        stand: &Stand,
    ) -> Result<Vec<Taken>, KafkaError> {
        let done = self.write(way, group, letters, stand).await;
        if let Err(KafkaError::Refused(_code)) = done {
            // Readers of what was written to wait until it is over.
            let _as_well_as_may_be = way.logs.end(way.at, &self.producer, false).await;
        }
        done
    }

    async fn write(
        &mut self,
        way: Way<'_>,
        group: &str,
        letters: &[Letter],
        stand: &Stand,
    ) -> Result<Vec<Taken>, KafkaError> {
        self.begun.clear();
        let first = letters.iter().map(|it| way.place(&it.first));
        self.begin(way, first.collect::<Result<_, _>>()?).await?;
        let mut taken = Vec::with_capacity(letters.len());
        for run in runs(letters) {
            self.append_run(way, run, &mut taken).await?;
        }
        way.logs.place(way.at, &self.producer, group, stand).await?;
        way.logs.end(way.at, &self.producer, true).await?;
        Ok(taken)
    }

    /// Says what will be written to, a topic at a time.
    async fn begin(&mut self, way: Way<'_>, parts: BTreeSet<Part>) -> Result<(), KafkaError> {
        let mut topics: BTreeMap<&str, BTreeSet<i32>> = BTreeMap::new();
        for (topic, partition) in parts.difference(&self.begun) {
            topics.entry(topic).or_default().insert(*partition);
        }
        for (topic, partitions) in topics {
            way.logs.begin(way.at, &self.producer, topic, &partitions).await?;
        }
        self.begun.extend(parts);
        Ok(())
    }

    /// As one batch; else one by one; else as what stands in: what is too large alone must not hold up the rest.
    async fn append_run(
        &mut self,
        way: Way<'_>,
        run: &[Letter],
        taken: &mut Vec<Taken>,
    ) -> Result<(), KafkaError> {
        let part = way.place(&run[0].first)?;
        let bodies: Vec<&[u8]> = run.iter().map(|it| it.first.body.as_slice()).collect();
        if self.append(way, &part, run[0].codec, &bodies).await? {
            taken.extend(run.iter().map(|_letter| Some(0)));
            return Ok(());
        }
        for letter in run {
            let was_alone = run.len() == 1;
            taken.push(self.append_one(way, letter, usize::from(was_alone)).await?);
        }
        Ok(())
    }

    /// In the first of its forms, from this one on, that a topic takes.
    async fn append_one(&mut self, way: Way<'_>, letter: &Letter, from: usize) -> Result<Taken, KafkaError> {
        let forms = std::iter::once(&letter.first).chain(&letter.others);
        for (at, form) in forms.enumerate().skip(from) {
            let part = way.place(form)?;
            self.begin(way, BTreeSet::from([part.clone()])).await?;
            if self.append(way, &part, letter.codec, &[&form.body]).await? {
                return Ok(Some(at));
            }
        }
        if letter.may_stay {
            Ok(None)
        } else {
            Err(KafkaError::Refused(TOO_LARGE[0]))
        }
    }

    /// Says whether the topic took it; if it is too large, nothing has happened, and the transaction goes on.
    async fn append(
        &mut self,
        way: Way<'_>,
        part: &Part,
        codec: Codec,
        records: &[&[u8]],
    ) -> Result<bool, KafkaError> {
        let sequence = self.sequences.entry(part.clone()).or_insert(0);
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
            Ok(_first) => {
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

/// Letters that go into one batch: to one partition, packed in the same way, together not too many.
fn runs(letters: &[Letter]) -> impl Iterator<Item = &[Letter]> {
    let mut rest = letters;
    std::iter::from_fn(move || {
        let first = rest.first()?;
        let mut bytes = 0;
        let alike = rest.iter().take_while(|it| {
            let fits = bytes == 0 || bytes + it.first.body.len() <= BATCH_BYTES;
            bytes += it.first.body.len();
            let there = (&it.first.topic, it.first.partition) == (&first.first.topic, first.first.partition);
            fits && there && it.codec == first.codec
        });
        let (run, after) = rest.split_at(alike.count());
        rest = after;
        Some(run)
    })
}
