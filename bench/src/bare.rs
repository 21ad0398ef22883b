//! The least that consuming and producing takes with librdkafka: records go from one topic to another as they are, with a worker's
//! settings, with transactions or without.

use anyhow::{Context, Result};
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer as _};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Message as _};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

const STEP: Duration = Duration::from_secs(30);
/// A worker's: a transaction holds no more than this.
const COMMIT_AFTER: Duration = Duration::from_millis(200);
const COMMIT_RECORDS: u64 = 20_000;
const COMMIT_BYTES: usize = 16 << 20;

/// What to do.
#[derive(Debug, clap::Args)]
pub struct Bare {
    /// The broker.
    #[arg(long)]
    broker: SocketAddr,
    /// Where records are.
    #[arg(long)]
    source: String,
    /// Where they go.
    #[arg(long)]
    sink: String,
    /// Offsets are committed in the producer's transaction.
    #[arg(long)]
    transactions: bool,
}

/// What is under way.
#[derive(Default)]
struct Open {
    since: Option<Instant>,
    records: u64,
    bytes: usize,
    next: BTreeMap<i32, i64>,
}

fn clients(to_do: &Bare) -> Result<(BaseConsumer, BaseProducer)> {
    let login: fn(SocketAddr) -> ClientConfig = crate::actions::login;
    let consumer: BaseConsumer = login(to_do.broker)
        .set("group.id", &to_do.sink)
        .set("partition.assignment.strategy", "cooperative-sticky")
        .set("isolation.level", "read_committed")
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        .set("auto.offset.reset", "earliest")
        .set("session.timeout.ms", "10000")
        .set("heartbeat.interval.ms", "2000")
        .set("fetch.wait.max.ms", "200")
        .set("queued.max.messages.kbytes", "32768")
        .set("fetch.message.max.bytes", "1048576")
        .create()
        .context("make a consumer")?;
    let mut config = login(to_do.broker);
    config
        .set("acks", "all")
        .set("linger.ms", "5")
        .set("compression.type", "lz4")
        .set("partitioner", "murmur2_random")
        .set("queue.buffering.max.kbytes", "65536");
    if to_do.transactions {
        config
            .set("transactional.id", &to_do.sink)
            .set("transaction.timeout.ms", "30000");
    } else {
        config.set("enable.idempotence", "true");
    }
    Ok((consumer, config.create().context("make a producer")?))
}

/// Works until it is killed.
pub fn run(to_do: &Bare) -> Result<()> {
    let (consumer, producer) = clients(to_do)?;
    if to_do.transactions {
        producer.init_transactions(STEP)?;
    }
    consumer.subscribe(&[&to_do.source])?;
    let mut open = Open::default();
    loop {
        match consumer.poll(Duration::from_millis(20)) {
            Some(record) => {
                let record = record.context("read a record")?;
                if open.since.is_none() {
                    open.since = Some(Instant::now());
                    if to_do.transactions {
                        producer.begin_transaction()?;
                    }
                }
                pass_on(&producer, &record, &to_do.sink)?;
                open.records += 1;
                open.bytes += record.payload().map_or(0, <[u8]>::len);
                open.next.insert(record.partition(), record.offset() + 1);
                if open.records.is_multiple_of(100) {
                    producer.poll(Duration::ZERO);
                }
            }
            None => {
                producer.poll(Duration::ZERO);
            }
        }
        let full = open.records >= COMMIT_RECORDS || open.bytes >= COMMIT_BYTES;
        if full || open.since.is_some_and(|it| it.elapsed() >= COMMIT_AFTER) {
            commit(to_do, &consumer, &producer, &open.next)?;
            open = Open::default();
        }
    }
}

fn pass_on(producer: &BaseProducer, record: &BorrowedMessage<'_>, sink: &str) -> Result<()> {
    loop {
        let one = BaseRecord::to(sink)
            .key(record.key().unwrap_or_default())
            .payload(record.payload().unwrap_or_default())
            .timestamp(record.timestamp().to_millis().unwrap_or(0));
        match producer.send(one) {
            Ok(()) => return Ok(()),
            Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), _record)) => {
                producer.poll(Duration::from_millis(5));
            }
            Err((error, _record)) => return Err(error).context("write a record"),
        }
    }
}

fn commit(
    to_do: &Bare,
    consumer: &BaseConsumer,
    producer: &BaseProducer,
    next: &BTreeMap<i32, i64>,
) -> Result<()> {
    let mut offsets = TopicPartitionList::new();
    for (partition, offset) in next {
        offsets.add_partition_offset(&to_do.source, *partition, Offset::Offset(*offset))?;
    }
    producer.flush(STEP)?;
    if !to_do.transactions {
        return Ok(consumer.commit(&offsets, CommitMode::Sync)?);
    }
    let group = consumer.group_metadata().context("the consumer has no group")?;
    producer.send_offsets_to_transaction(&offsets, &group, STEP)?;
    producer.commit_transaction(STEP).context("commit")
}
