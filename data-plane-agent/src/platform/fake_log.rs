//! What the records in memory are: logs, transactions and positions, as brokers keep them.

use std::collections::{BTreeMap, BTreeSet};

use bytes::BytesMut;

use super::fake_logs::When;
use super::kafka::KafkaError;
use super::logs::{Part, Producer, Read, Shown, Stand};

pub(super) const UNKNOWN_TOPIC: i16 = 3;
const OFFSET_OUT_OF_RANGE: i16 = 1;
const TOO_LARGE: i16 = 10;
const OUT_OF_ORDER: i16 = 45;
const INVALID_TXN_STATE: i16 = 48;
const INVALID_RECORD: i16 = 87;
const FENCED: i16 = 90;
/// Attributes of a transaction's marker.
const MARKER: u16 = 0x30;

#[derive(Debug, Default)]
pub(super) struct Inner {
    pub(super) logs: BTreeMap<Part, Log>,
    pub(super) producers: BTreeMap<String, (i64, i16)>,
    pub(super) open: BTreeMap<i64, Transaction>,
    pub(super) groups: BTreeMap<String, Stand>,
    pub(super) batch_max: BTreeMap<String, usize>,
    pub(super) calls: Vec<&'static str>,
    pub(super) failing: Option<(usize, When)>,
    pub(super) refused: BTreeMap<String, i16>,
    pub(super) away: Option<KafkaError>,
}

#[derive(Debug, Default)]
pub(super) struct Log {
    pub(super) start: i64,
    pub(super) end: i64,
    /// (first offset, last offset, batch)
    pub(super) batches: Vec<(i64, i64, Vec<u8>)>,
    /// First offset by producer.
    pub(super) unfinished: BTreeMap<i64, i64>,
    /// Producer, first and last offset.
    pub(super) aborted: Vec<(i64, i64, i64)>,
    /// Epoch and next sequence by producer.
    pub(super) sequences: BTreeMap<i64, (i16, i32)>,
}

#[derive(Debug, Default)]
pub(super) struct Transaction {
    pub(super) parts: BTreeSet<Part>,
    pub(super) placed: BTreeMap<String, Stand>,
}

fn number<const N: usize>(batch: &[u8], at: usize) -> [u8; N] {
    let found = batch.get(at..).and_then(|it| it.first_chunk());
    found.copied().unwrap_or([0; N])
}

impl Log {
    pub(super) fn push(&mut self, mut batch: Vec<u8>) -> (i64, i64) {
        let first = self.end;
        let last = first + i64::from(i32::from_be_bytes(number(&batch, 23)));
        batch[..8].copy_from_slice(&first.to_be_bytes());
        self.end = last + 1;
        self.batches.push((first, last, batch));
        (first, last)
    }

    pub(super) fn stable(&self) -> i64 {
        self.unfinished.values().min().copied().unwrap_or(self.end)
    }

    pub(super) fn finish(&mut self, producer: i64, epoch: i16, commit: bool) {
        let Some(first) = self.unfinished.remove(&producer) else {
            return;
        };
        // Version, then 1: it holds; and the coordinator's epoch.
        let record = [0, 0, 0, 8, 0, 0, 0, u8::from(commit), 12, 0, 0, 0, 0, 0, 0, 0];
        let mut records = vec![u8::try_from(record.len() * 2).unwrap_or(u8::MAX)];
        records.extend_from_slice(&record);
        let mut marker = vec![0; 61];
        marker.extend_from_slice(&records);
        let length = i32::try_from(marker.len() - 12).unwrap_or(i32::MAX);
        marker[8..12].copy_from_slice(&length.to_be_bytes());
        marker[16] = 2;
        marker[21..23].copy_from_slice(&MARKER.to_be_bytes());
        marker[43..51].copy_from_slice(&producer.to_be_bytes());
        marker[51..53].copy_from_slice(&epoch.to_be_bytes());
        marker[57..61].copy_from_slice(&1_i32.to_be_bytes());
        let checksum = crc32c::crc32c(&marker[21..]);
        marker[17..21].copy_from_slice(&checksum.to_be_bytes());
        let (last, _same) = self.push(marker);
        if !commit {
            self.aborted.push((producer, first, last));
        }
    }
}

impl Inner {
    /// Counts a call, and does it or fails; `None`: nobody ever hears of it.
    pub(super) fn call<T>(
        &mut self,
        name: &'static str,
        act: impl FnOnce(&mut Self) -> Result<T, KafkaError>,
    ) -> Option<Result<T, KafkaError>> {
        self.calls.push(name);
        let at = self.calls.len() - 1;
        let fate = self.failing.filter(|(failing, _when)| *failing == at);
        match fate.map(|(_at, when)| when) {
            None => Some(act(self)),
            Some(When::Before) => Some(Err(KafkaError::Unreachable)),
            Some(When::After) => {
                let _nobody_hears = act(self);
                Some(Err(KafkaError::Unreachable))
            }
            Some(When::StuckBefore) => None,
            Some(When::StuckAfter) => {
                let _nobody_hears = act(self);
                None
            }
        }
    }

    pub(super) fn check(&self, producer: &Producer) -> Result<(), KafkaError> {
        let known = self.producers.get(&producer.transactional_id);
        if known == Some(&(producer.id, producer.epoch)) {
            Ok(())
        } else {
            Err(KafkaError::Refused(FENCED))
        }
    }

    pub(super) fn finish(&mut self, producer: i64, epoch: i16, commit: bool) {
        let Some(transaction) = self.open.remove(&producer) else {
            return;
        };
        for part in &transaction.parts {
            if let Some(log) = self.logs.get_mut(part) {
                log.finish(producer, epoch, commit);
            }
        }
        if commit {
            for (group, stand) in transaction.placed {
                self.groups.entry(group).or_default().extend(stand);
            }
        }
    }

    pub(super) fn append(
        &mut self,
        producer: &Producer,
        part: &Part,
        batch: &[u8],
    ) -> Result<i64, KafkaError> {
        self.check(producer)?;
        let begun = self.open.get(&producer.id);
        if !begun.is_some_and(|it| it.parts.contains(part)) {
            return Err(KafkaError::Refused(INVALID_TXN_STATE));
        }
        let most = self.batch_max.get(&part.0).copied().unwrap_or(usize::MAX);
        let log = self
            .logs
            .get_mut(part)
            .ok_or(KafkaError::Refused(UNKNOWN_TOPIC))?;
        if batch.len() > most {
            return Err(KafkaError::Refused(TOO_LARGE));
        }
        let (id, epoch) = (
            i64::from_be_bytes(number(batch, 43)),
            i16::from_be_bytes(number(batch, 51)),
        );
        let (sequence, count) = (
            i32::from_be_bytes(number(batch, 53)),
            i32::from_be_bytes(number(batch, 57)),
        );
        let whole =
            u32::from_be_bytes(number(batch, 17)) == crc32c::crc32c(batch.get(21..).unwrap_or_default());
        let (held, next) = log.sequences.get(&id).copied().unwrap_or((epoch, 0));
        let next = if held == epoch { next } else { 0 };
        let transactional = number::<2>(batch, 21)[1] & 0x10 != 0;
        let last_delta = i32::from_be_bytes(number(batch, 23));
        if i64::from_be_bytes(number(batch, 0)) != 0 || last_delta != count - 1 {
            // Brokers take no gaps from producers.
            return Err(KafkaError::Refused(INVALID_RECORD));
        }
        if (id, epoch) != (producer.id, producer.epoch) || sequence != next || !whole || !transactional {
            return Err(KafkaError::Refused(OUT_OF_ORDER));
        }
        log.sequences.insert(id, (epoch, next + count));
        let (first, _last) = log.push(batch.to_vec());
        log.unfinished.entry(id).or_insert(first);
        Ok(first)
    }

    pub(super) fn away(&self) -> Result<(), KafkaError> {
        self.away.map_or(Ok(()), Err)
    }

    /// What is shown of a topic.
    pub(super) fn shown(&self, name: &str) -> Shown {
        let parts = self.logs.keys().filter(|(topic, _partition)| topic == name);
        let leaders: BTreeMap<i32, i32> = parts.map(|(_topic, partition)| (*partition, 1)).collect();
        let missing = if leaders.is_empty() { UNKNOWN_TOPIC } else { 0 };
        let code = self.refused.get(name).copied().filter(|it| *it != 0);
        Shown {
            code: code.unwrap_or(missing),
            leaders: if code.is_some() { BTreeMap::new() } else { leaders },
        }
    }

    pub(super) fn read(&self, part: &Part, from: i64, most: usize) -> Read {
        let mut read = Read {
            part: part.clone(),
            ..Read::default()
        };
        if let Some(code) = self.refused.get(&part.0).filter(|it| **it != 0) {
            read.code = *code;
            return read;
        }
        let Some(log) = self.logs.get(part) else {
            read.code = UNKNOWN_TOPIC;
            return read;
        };
        if from < log.start || from > log.end {
            read.code = OFFSET_OUT_OF_RANGE;
            return read;
        }
        read.stable = log.stable();
        let mut records = BytesMut::new();
        let mut until = from;
        for (first, last, batch) in &log.batches {
            let wanted = *last >= from && *last >= log.start && *first < read.stable;
            if wanted && (records.is_empty() || records.len() + batch.len() <= most) {
                records.extend_from_slice(batch);
                until = *last;
            }
        }
        let met = log
            .aborted
            .iter()
            .filter(|(_id, first, last)| *last >= from && *first <= until);
        read.aborted = met.map(|(id, first, _last)| (*id, *first)).collect();
        read.records = records.freeze();
        read
    }
}
