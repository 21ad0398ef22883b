//! Transactions: taken over at the start, committed with the offsets of what they were made of, aborted when anything went wrong.

use std::time::{Duration, Instant};

use rdkafka::consumer::Consumer as _;
use rdkafka::error::{KafkaError, RDKafkaError};
use rdkafka::producer::{BaseProducer, Producer as _};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::{Counts, Worker, ended_by};
use crate::processor::client::ProducerSide;
use crate::processor::faults::meaning;
use crate::processor::halt::{Halt, HaltCode};
use crate::processor::partition::note;

/// One attempt at a step of a transaction,
const STEP: Duration = Duration::from_secs(10);
/// and all of them.
const STEPS: Duration = Duration::from_secs(45);
/// What gateways do not know yet at the start they may know soon.
const TAKING_OVER: Duration = Duration::from_secs(20);
/// Transactions that are aborted one after another before the worker ends.
const ABORTS_MAX: u32 = 8;

/// Why a transaction was not committed.
enum Wrong {
    /// It is to be aborted; its records come again.
    Abort(String),
    /// The worker ends.
    End(Halt),
}

/// Takes the transactional id over: what an earlier worker left open is aborted, and that worker is fenced.
pub(super) fn begin(producer: &BaseProducer<ProducerSide>) -> Result<(), Halt> {
    let began = Instant::now();
    loop {
        let Err(error) = producer.init_transactions(STEP) else {
            return Ok(());
        };
        producer.poll(Duration::ZERO);
        let trouble = producer.context().take_trouble();
        let halt = error.rdkafka_error_code().and_then(meaning);
        let halt = halt.or_else(|| trouble.and_then(meaning));
        let lasting = halt.filter(|_any| began.elapsed() > TAKING_OVER);
        let retriable = matches!(&error, KafkaError::Transaction(it) if it.is_retriable());
        if let Some(code) = lasting {
            return Err(Halt::new(
                code,
                format!("take over the transactional id: {error}"),
            ));
        }
        if began.elapsed() > STEPS || !(retriable || halt.is_some()) {
            return Err(Halt::new(halt.unwrap_or(HaltCode::Kafka), error.to_string()));
        }
        tracing::info!(%error, "the transactional id could not be taken over yet");
        std::thread::sleep(Duration::from_millis(500));
    }
}

/// Tries a step until it is done, or cannot be.
fn tried(what: &'static str, step: impl Fn() -> Result<(), KafkaError>) -> Result<(), Wrong> {
    let deadline = Instant::now() + STEPS;
    loop {
        let error = match step() {
            Ok(()) => return Ok(()),
            Err(KafkaError::Transaction(error)) => error,
            Err(other) => return Err(Wrong::End(ended_by(&other))),
        };
        let sentence = format!("{what}: {}", error.string());
        if error.is_fatal() {
            return Err(Wrong::End(fatal(&error, sentence)));
        }
        if error.txn_requires_abort() {
            return Err(Wrong::Abort(sentence));
        }
        if !error.is_retriable() || Instant::now() > deadline {
            return Err(Wrong::End(fatal(&error, sentence)));
        }
    }
}

fn fatal(error: &RDKafkaError, sentence: String) -> Halt {
    Halt::new(meaning(error.code()).unwrap_or(HaltCode::Kafka), sentence)
}

impl Worker<'_> {
    /// Commits the open transaction, or aborts it and goes back.
    pub(super) fn commit(&mut self) -> Result<(), Halt> {
        if self.open.is_none() {
            return Ok(());
        }
        match self.attempt() {
            Ok(()) => {
                self.committed();
                Ok(())
            }
            Err(Wrong::Abort(why)) => self.abort(&why),
            Err(Wrong::End(halt)) => Err(halt),
        }
    }

    fn attempt(&mut self) -> Result<(), Wrong> {
        let flushed = self.producer.flush(STEPS);
        if let Some(code) = self.producer.context().take_undelivered() {
            let sentence = format!("a record was not taken: {code}");
            return Err(match self.faults.meet(code, Instant::now()) {
                Some(halt) => Wrong::End(Halt::new(halt, sentence)),
                None => Wrong::Abort(sentence),
            });
        }
        flushed.map_err(|error| Wrong::Abort(error.to_string()))?;
        let Some(group) = self.consumer.group_metadata() else {
            return Err(Wrong::Abort("the consumer has no group".to_owned()));
        };
        let offsets = self.offsets().map_err(|error| Wrong::End(ended_by(&error)))?;
        if offsets.count() > 0 {
            tried("send offsets", || {
                self.producer.send_offsets_to_transaction(&offsets, &group, STEP)
            })?;
        }
        tried("commit", || self.producer.commit_transaction(STEP))
    }

    /// Where the partitions go on.
    fn offsets(&self) -> Result<TopicPartitionList, KafkaError> {
        let mut offsets = TopicPartitionList::new();
        for (number, partition) in self.partitions.iter().filter(|(_number, it)| it.is_dirty()) {
            let mut place = offsets.add_partition(&self.spec.program.source, *number);
            place.set_offset(Offset::Offset(partition.done))?;
            place.set_metadata(note(partition.newest_ms));
        }
        Ok(offsets)
    }

    fn committed(&mut self) {
        self.open = None;
        // Told in this very turn, so that a kill loses few counts.
        self.progress_at = None;
        self.aborts = 0;
        self.faults.clear();
        let Counts {
            done,
            emitted,
            dropped,
            dead,
            failures,
        } = std::mem::take(&mut self.counts);
        let progress = &mut *self.progress;
        progress.records_in += done;
        progress.records_out += emitted;
        progress.records_dropped += dropped;
        progress.records_dead += dead;
        for (code, step) in failures {
            progress.fail(code, step);
        }
        if done > 0 {
            progress.halt = None;
        }
        for partition in self.partitions.values_mut() {
            partition.commit();
            if done > 0 {
                progress.watermark_unix_ms = progress.watermark_unix_ms.max(partition.newest_ms);
            }
        }
    }

    /// Nothing of the open transaction has happened: its records come again.
    pub(super) fn abort(&mut self, why: &str) -> Result<(), Halt> {
        self.aborts += 1;
        tracing::warn!(
            why,
            times = self.aborts,
            "a transaction is aborted, and its records come again"
        );
        if self.open.is_some() {
            match tried("abort", || self.producer.abort_transaction(STEP)) {
                Ok(()) => {}
                Err(Wrong::Abort(sentence)) => return Err(Halt::new(HaltCode::Kafka, sentence)),
                Err(Wrong::End(halt)) => return Err(halt),
            }
        }
        // Those that were purged.
        let _purged = self.producer.context().take_undelivered();
        self.open = None;
        self.counts = Counts::default();
        self.pending.clear();
        if self.aborts > ABORTS_MAX {
            return Err(Halt::new(
                HaltCode::Kafka,
                format!("transactions are aborted again and again: {why}"),
            ));
        }
        self.go_back()?;
        std::thread::sleep(Duration::from_millis(100 * u64::from(self.aborts)));
        Ok(())
    }

    fn go_back(&mut self) -> Result<(), Halt> {
        let mut places = TopicPartitionList::new();
        for (number, partition) in &mut self.partitions {
            if let Some(offset) = partition.rewind() {
                let added =
                    places.add_partition_offset(&self.spec.program.source, *number, Offset::Offset(offset));
                added.map_err(|error| ended_by(&error))?;
            }
        }
        if places.count() == 0 {
            return Ok(());
        }
        let sought = self
            .consumer
            .seek_partitions(places, STEP)
            .map_err(|error| ended_by(&error))?;
        for place in sought.elements() {
            place.error().map_err(|error| ended_by(&error))?;
        }
        Ok(())
    }
}
