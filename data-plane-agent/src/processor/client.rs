//! The Kafka clients of a worker, and what they tell of themselves.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rdkafka::client::ClientContext;
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{BaseProducer, ProducerContext};
use rdkafka::statistics::Statistics;
use rdkafka::topic_partition_list::TopicPartitionList;
use rdkafka::types::RDKafkaRespErr;

use super::spec::{Gateway, WorkerSpec};

/// A transaction that its worker left open ends by itself after this time.
pub const TRANSACTION_TIMEOUT_MS: u32 = 30_000;
/// Larger than any record that a topic may take.
const RECORD_BYTES_MAX: u32 = 64 << 20;

/// What the group's coordinator wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// These partitions are ours from now on.
    Given(Vec<i32>),
    /// These are another's.
    Taken(Vec<i32>),
}

/// Where a partition ends for readers of committed records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct End {
    /// After the last record, and markers behind it.
    pub offset: i64,
    /// All before it was fetched and handed over.
    pub reached: bool,
}

/// What the consumer tells of itself.
#[derive(Debug, Default)]
pub struct ConsumerSide {
    changes: Mutex<VecDeque<Change>>,
    ends: Mutex<BTreeMap<i32, End>>,
    joined: AtomicBool,
    closing: AtomicBool,
    source: String,
}

fn lock<T>(held: &Mutex<T>) -> MutexGuard<'_, T> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}

impl ConsumerSide {
    /// The oldest change that was not taken up.
    pub fn change(&self) -> Option<Change> {
        lock(&self.changes).pop_front()
    }

    /// Where partitions end for readers of committed records, as far as that is known.
    pub fn end(&self, partition: i32) -> Option<End> {
        lock(&self.ends).get(&partition).copied()
    }

    /// It takes part in its group.
    pub fn has_joined(&self) -> bool {
        self.joined.load(Ordering::Relaxed)
    }

    /// Partitions were taken up, be they none: statistics say the same, a second later.
    pub fn joins(&self) {
        self.joined.store(true, Ordering::Relaxed);
    }

    /// From now on every change is agreed to: nothing is under way any more.
    pub fn close(&self) {
        self.closing.store(true, Ordering::Relaxed);
    }
}

impl ClientContext for ConsumerSide {
    fn log(&self, level: RDKafkaLogLevel, fac: &str, log_message: &str) {
        log(level, fac, log_message);
    }

    fn stats(&self, statistics: Statistics) {
        let group = statistics.cgrp.as_ref();
        let joined = group.is_some_and(|it| it.state == "up" && it.join_state == "steady");
        self.joined.store(joined, Ordering::Relaxed);
        let mut ends = lock(&self.ends);
        if let Some(topic) = statistics.topics.get(&self.source) {
            let known = topic
                .partitions
                .values()
                .filter(|it| it.partition >= 0 && it.ls_offset >= 0);
            ends.extend(known.map(|it| {
                let end = End {
                    offset: it.ls_offset,
                    reached: it.eof_offset >= it.ls_offset && it.fetchq_cnt == 0,
                };
                (it.partition, end)
            }));
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        // That a partition's end is reached is what is hoped for.
        if !matches!(error, KafkaError::PartitionEOF(_))
            && error.rdkafka_error_code() != Some(RDKafkaErrorCode::PartitionEOF)
        {
            tracing::info!(%error, reason, "the consumer");
        }
    }
}

impl ConsumerContext for ConsumerSide {
    /// Changes wait until the worker has ended what it has under way: it agrees to them itself.
    fn rebalance(
        &self,
        consumer: &BaseConsumer<Self>,
        err: RDKafkaRespErr,
        partitions: &mut TopicPartitionList,
    ) {
        let given = err == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
        if self.closing.load(Ordering::Relaxed) {
            let agreed = if given {
                consumer.incremental_assign(&TopicPartitionList::new())
            } else {
                consumer.incremental_unassign(partitions)
            };
            if let Err(error) = agreed {
                tracing::info!(%error, "the consumer closes");
            }
            return;
        }
        let named = partitions.elements().iter().map(|it| it.partition()).collect();
        let change = if given {
            Change::Given(named)
        } else {
            Change::Taken(named)
        };
        lock(&self.changes).push_back(change);
    }
}

/// What the producer tells of itself: what could not be delivered, and what went wrong beside it.
#[derive(Debug, Default)]
pub struct ProducerSide {
    undelivered: Mutex<Option<RDKafkaErrorCode>>,
    trouble: Mutex<Option<RDKafkaErrorCode>>,
}

impl ProducerSide {
    /// Why a record could not be delivered, the first since the last look.
    pub fn take_undelivered(&self) -> Option<RDKafkaErrorCode> {
        lock(&self.undelivered).take()
    }

    /// The last thing that went wrong since the last look.
    pub fn take_trouble(&self) -> Option<RDKafkaErrorCode> {
        lock(&self.trouble).take()
    }
}

impl ClientContext for ProducerSide {
    fn log(&self, level: RDKafkaLogLevel, fac: &str, log_message: &str) {
        log(level, fac, log_message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::info!(%error, reason, "the producer");
        *lock(&self.trouble) = error.rdkafka_error_code();
    }
}

impl ProducerContext for ProducerSide {
    type DeliveryOpaque = ();

    fn delivery(&self, delivery_result: &DeliveryResult<'_>, (): ()) {
        if let Err((error, _record)) = delivery_result {
            let mut held = lock(&self.undelivered);
            // Records behind the first that failed are purged with it.
            if held
                .is_none_or(|it| it == RDKafkaErrorCode::PurgeQueue || it == RDKafkaErrorCode::PurgeInflight)
            {
                *held = error.rdkafka_error_code();
            }
        }
    }
}

fn log(level: RDKafkaLogLevel, facility: &str, text: &str) {
    match level {
        RDKafkaLogLevel::Emerg
        | RDKafkaLogLevel::Alert
        | RDKafkaLogLevel::Critical
        | RDKafkaLogLevel::Error => {
            tracing::warn!(facility, "librdkafka: {text}");
        }
        RDKafkaLogLevel::Warning | RDKafkaLogLevel::Notice | RDKafkaLogLevel::Info => {
            tracing::info!(facility, "librdkafka: {text}");
        }
        RDKafkaLogLevel::Debug => tracing::debug!(facility, "librdkafka: {text}"),
    }
}

/// The consumer of a worker, not yet subscribed.
///
/// # Errors
/// When librdkafka cannot be set up so.
pub fn consumer(spec: &WorkerSpec) -> Result<BaseConsumer<ConsumerSide>, KafkaError> {
    let context = ConsumerSide {
        source: spec.program.source.clone(),
        ..ConsumerSide::default()
    };
    common(spec)
        .set("group.id", spec.group())
        .set("partition.assignment.strategy", "cooperative-sticky")
        .set("isolation.level", "read_committed")
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        .set("enable.partition.eof", "true")
        // Never a restart from elsewhere than where the job was.
        .set("auto.offset.reset", "error")
        .set("session.timeout.ms", "10000")
        .set("heartbeat.interval.ms", "2000")
        .set("max.poll.interval.ms", "300000")
        .set("statistics.interval.ms", "1000")
        .set("fetch.wait.max.ms", "200")
        .set("queued.max.messages.kbytes", "32768")
        .set("fetch.message.max.bytes", "1048576")
        .create_with_context(context)
}

/// The producer of a worker, its transactions not yet begun.
///
/// # Errors
/// When librdkafka cannot be set up so.
pub fn producer(spec: &WorkerSpec) -> Result<BaseProducer<ProducerSide>, KafkaError> {
    common(spec)
        .set("transactional.id", spec.transactional_id())
        .set("transaction.timeout.ms", TRANSACTION_TIMEOUT_MS.to_string())
        .set("acks", "all")
        .set("linger.ms", "5")
        .set("compression.type", "lz4")
        // As the Java client's: a key goes where its other records are.
        .set("partitioner", "murmur2_random")
        .set("message.max.bytes", RECORD_BYTES_MAX.to_string())
        .set("queue.buffering.max.kbytes", "65536")
        .create_with_context(ProducerSide::default())
}

fn common(spec: &WorkerSpec) -> ClientConfig {
    let Gateway { address, tls, secret } = &spec.gateway;
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", address)
        .set("client.id", spec.transactional_id())
        .set("sasl.mechanism", "SCRAM-SHA-256")
        .set("sasl.username", &spec.job_id)
        .set("sasl.password", &secret.0)
        .set("allow.auto.create.topics", "false")
        .set("reconnect.backoff.max.ms", "2000")
        .set("topic.metadata.refresh.interval.ms", "10000")
        .set(
            "receive.message.max.bytes",
            (RECORD_BYTES_MAX + (1 << 20)).to_string(),
        );
    match tls {
        None => config.set("security.protocol", "SASL_PLAINTEXT"),
        Some(authorities) if authorities.is_empty() => config.set("security.protocol", "SASL_SSL"),
        Some(authorities) => config
            .set("security.protocol", "SASL_SSL")
            .set("ssl.ca.pem", authorities),
    };
    config.set_log_level(RDKafkaLogLevel::Info);
    config
}
