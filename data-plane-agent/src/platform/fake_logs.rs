//! Records in memory, with transactions as brokers keep them: sequences, epochs, markers, what is stable. Calls can be
//! made to fail before or after their effect.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::{BoxFuture, pending};

use super::fake_log::{Inner, UNKNOWN_TOPIC};
use super::groups::Mark;
use super::kafka::{KafkaError, PoolAddress};
use super::logs::{Helping, Logs, Part, Producer, Read, Sight, Stand};

/// When a call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// It has no effect.
    Before,
    /// It has its effect, and nobody hears of it.
    After,
    /// It has no effect, and is never answered.
    StuckBefore,
    /// It has its effect, and is never answered.
    StuckAfter,
}

/// Records in memory. Cloning shares them.
#[derive(Debug, Clone, Default)]
pub struct FakeLogs {
    inner: Arc<Mutex<Inner>>,
}

impl FakeLogs {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a topic.
    pub fn make(&self, topic: &str, partitions: i32) {
        for partition in 0..partitions {
            self.inner()
                .logs
                .entry((topic.to_owned(), partition))
                .or_default();
        }
    }

    /// Takes a topic away.
    pub fn remove(&self, topic: &str) {
        self.inner().logs.retain(|(name, _partition), _log| name != topic);
    }

    /// A topic takes no larger batches.
    pub fn limit(&self, topic: &str, bytes: usize) {
        self.inner().batch_max.insert(topic.to_owned(), bytes);
    }

    /// A client writes a batch, outside of any transaction of ours.
    pub fn put(&self, topic: &str, partition: i32, batch: &[u8]) {
        if let Some(log) = self.inner().logs.get_mut(&(topic.to_owned(), partition)) {
            log.push(batch.to_vec());
        }
    }

    /// A client's transaction writes a batch and ends, or goes on (`None`).
    pub fn put_in_transaction(&self, topic: &str, producer: i64, batch: &[u8], commit: Option<bool>) {
        let mut batch = batch.to_vec();
        batch[22] |= 0x10;
        batch[43..51].copy_from_slice(&producer.to_be_bytes());
        let checksum = crc32c::crc32c(&batch[21..]);
        batch[17..21].copy_from_slice(&checksum.to_be_bytes());
        if let Some(log) = self.inner().logs.get_mut(&(topic.to_owned(), 0)) {
            let (first, _last) = log.push(batch);
            log.unfinished.entry(producer).or_insert(first);
            if let Some(commit) = commit {
                log.finish(producer, 0, commit);
            }
        }
    }

    /// Retention takes what is older than this offset.
    pub fn expire(&self, topic: &str, partition: i32, start: i64) {
        if let Some(log) = self.inner().logs.get_mut(&(topic.to_owned(), partition)) {
            log.start = start;
        }
    }

    /// Where a group stands.
    #[must_use]
    pub fn stand_of(&self, group: &str) -> Stand {
        self.inner().groups.get(group).cloned().unwrap_or_default()
    }

    /// Positions of a group are forgotten, as brokers do after a while.
    pub fn forget(&self, group: &str) {
        self.inner().groups.remove(group);
    }

    /// The names of calls so far.
    #[must_use]
    pub fn calls(&self) -> Vec<&'static str> {
        self.inner().calls.clone()
    }

    /// What is committed of a partition, for a test that looks at it.
    #[must_use]
    pub fn look(&self, topic: &str, partition: i32) -> Read {
        self.inner().read(&(topic.to_owned(), partition), 0, usize::MAX)
    }

    /// Readers of a topic are answered with this code; 0: with what it has.
    pub fn refuse(&self, topic: &str, code: i16) {
        self.inner().refused.insert(topic.to_owned(), code);
    }

    /// What is seen by its key is another one; `None`: it is as it should be.
    pub fn be_away(&self, error: Option<KafkaError>) {
        self.inner().away = error;
    }

    /// The call of this number (from 0) fails.
    pub fn fail(&self, at: usize, when: When) {
        self.inner().failing = Some((at, when));
    }

    fn at_once<'a, T: Send + 'a>(
        &self,
        name: &'static str,
        act: impl FnOnce(&mut Inner) -> Result<T, KafkaError>,
    ) -> BoxFuture<'a, Result<T, KafkaError>> {
        let answer = self.inner().call(name, act);
        Box::pin(async move {
            match answer {
                Some(answer) => answer,
                None => pending().await,
            }
        })
    }
}

impl Logs for FakeLogs {
    fn apart(&self) -> Arc<dyn Logs> {
        Arc::new(self.clone())
    }

    fn sight<'a>(
        &'a self,
        _at: &'a PoolAddress,
        topics: &'a [String],
    ) -> BoxFuture<'a, Result<Sight, KafkaError>> {
        self.at_once("sight", |it| {
            it.away()?;
            Ok(Sight {
                nodes: BTreeSet::from([1]),
                topics: topics.iter().map(|name| (name.clone(), it.shown(name))).collect(),
            })
        })
    }

    fn leaders<'a>(
        &'a self,
        _at: &'a PoolAddress,
        topics: &'a [String],
    ) -> BoxFuture<'a, Result<BTreeMap<Part, i32>, KafkaError>> {
        self.at_once("leaders", |it| {
            let wanted = it.logs.keys().filter(|(name, _partition)| topics.contains(name));
            Ok(wanted.map(|part| (part.clone(), 1)).collect())
        })
    }

    fn edges<'a>(
        &'a self,
        _at: &'a PoolAddress,
        parts: &'a BTreeSet<Part>,
        mark: Mark,
    ) -> BoxFuture<'a, Result<BTreeMap<Part, i64>, KafkaError>> {
        self.at_once("edges", |it| {
            let edge = |part: &Part| {
                let log = it.logs.get(part)?;
                Some((
                    part.clone(),
                    if mark == Mark::Earliest {
                        log.start
                    } else {
                        log.end
                    },
                ))
            };
            Ok(parts.iter().filter_map(edge).collect())
        })
    }

    fn read<'a>(
        &'a self,
        _at: &'a PoolAddress,
        _node: i32,
        from: &'a [(Part, i64)],
        helping: Helping,
    ) -> BoxFuture<'a, Result<Vec<Read>, KafkaError>> {
        let read = self.inner().call("read", |it| {
            let each = from
                .iter()
                .map(|(part, offset)| it.read(part, *offset, helping.partition_bytes));
            Ok(each.collect::<Vec<_>>())
        });
        let nothing =
            matches!(&read, Some(Ok(read)) if read.iter().all(|it| it.records.is_empty() && it.code == 0));
        let wait = Duration::from_millis(u64::try_from(helping.wait_ms).unwrap_or(0));
        Box::pin(async move {
            if nothing {
                tokio::time::sleep(wait).await;
            }
            match read {
                Some(read) => read,
                None => pending().await,
            }
        })
    }

    fn stand<'a>(&'a self, _at: &'a PoolAddress, group: &'a str) -> BoxFuture<'a, Result<Stand, KafkaError>> {
        self.at_once("stand", |it| {
            Ok(it.groups.get(group).cloned().unwrap_or_default())
        })
    }

    fn open<'a>(
        &'a self,
        _at: &'a PoolAddress,
        transactional_id: &'a str,
    ) -> BoxFuture<'a, Result<Producer, KafkaError>> {
        self.at_once("open", |it| {
            let fresh = i64::try_from(it.producers.len()).unwrap_or(i64::MAX) + 1000;
            let (id, epoch) = it.producers.get(transactional_id).copied().unwrap_or((fresh, -1));
            it.finish(id, epoch, false);
            it.producers.insert(transactional_id.to_owned(), (id, epoch + 1));
            Ok(Producer {
                transactional_id: transactional_id.to_owned(),
                id,
                epoch: epoch + 1,
                coordinator: 1,
            })
        })
    }

    fn begin<'a>(
        &'a self,
        _at: &'a PoolAddress,
        producer: &'a Producer,
        topic: &'a str,
        partitions: &'a BTreeSet<i32>,
    ) -> BoxFuture<'a, Result<(), KafkaError>> {
        self.at_once("begin", |it| {
            it.check(producer)?;
            let parts: BTreeSet<Part> = partitions.iter().map(|at| (topic.to_owned(), *at)).collect();
            if !parts.iter().all(|part| it.logs.contains_key(part)) {
                return Err(KafkaError::Refused(UNKNOWN_TOPIC));
            }
            it.open.entry(producer.id).or_default().parts.extend(parts);
            Ok(())
        })
    }

    fn append<'a>(
        &'a self,
        _at: &'a PoolAddress,
        _node: i32,
        producer: &'a Producer,
        part: &'a Part,
        batch: Bytes,
    ) -> BoxFuture<'a, Result<i64, KafkaError>> {
        self.at_once("append", |it| it.append(producer, part, &batch))
    }

    fn place<'a>(
        &'a self,
        _at: &'a PoolAddress,
        producer: &'a Producer,
        group: &'a str,
        stand: &'a Stand,
    ) -> BoxFuture<'a, Result<(), KafkaError>> {
        self.at_once("place", |it| {
            it.check(producer)?;
            let transaction = it.open.entry(producer.id).or_default();
            transaction.placed.insert(group.to_owned(), stand.clone());
            Ok(())
        })
    }

    fn end<'a>(
        &'a self,
        _at: &'a PoolAddress,
        producer: &'a Producer,
        commit: bool,
    ) -> BoxFuture<'a, Result<(), KafkaError>> {
        self.at_once("end", |it| {
            it.check(producer)?;
            it.finish(producer.id, producer.epoch, commit);
            Ok(())
        })
    }
}
