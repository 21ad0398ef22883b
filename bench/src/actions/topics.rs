//! Topics of the benchmark of ACTION jobs: made, filled, and looked at from outside.

use crate::parts::{BROKER_PASSWORD, BROKER_USER};
use crate::sample::{FIELDS, Sample};
use anyhow::{Context, Result, ensure};
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::Message as _;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use weir_contract::Format;

pub const PARTITIONS: i32 = 8;
const PATIENCE: Duration = Duration::from_secs(30);

/// Whoever makes, fills and watches them.
pub struct Topics {
    broker: SocketAddr,
    admin: AdminClient<DefaultClientContext>,
    producer: BaseProducer,
    watcher: BaseConsumer,
    records: Vec<Vec<u8>>,
}

/// How a client logs in.
pub fn login(broker: SocketAddr) -> ClientConfig {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", broker.to_string())
        .set("security.protocol", "SASL_PLAINTEXT")
        .set("sasl.mechanism", "PLAIN")
        .set("sasl.username", BROKER_USER)
        .set("sasl.password", BROKER_PASSWORD);
    config
}

impl Topics {
    pub fn of(broker: SocketAddr) -> Result<Self> {
        let producer = login(broker)
            .set("acks", "all")
            .set("linger.ms", "20")
            .set("compression.type", "lz4")
            .create()
            .context("make a producer")?;
        let watcher = login(broker)
            .set("group.id", "watcher")
            .set("isolation.level", "read_committed")
            .set("enable.auto.commit", "false")
            .create()
            .context("make a consumer")?;
        Ok(Self {
            broker,
            admin: login(broker).create().context("make an administrator")?,
            producer,
            watcher,
            records: Sample::new(Format::Json, FIELDS)?.good,
        })
    }

    pub const fn broker(&self) -> SocketAddr {
        self.broker
    }

    pub fn create(&self, name: &str) -> Result<()> {
        let topic = NewTopic::new(name, PARTITIONS, TopicReplication::Fixed(1));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let made = runtime.block_on(self.admin.create_topics([&topic], &AdminOptions::new()))?;
        for it in made {
            it.map_err(|(name, code)| anyhow::anyhow!("create topic {name}: {code}"))?;
        }
        // Brokers come to know it a little later. The watcher is asked only then: it remembers for half a minute what was not there.
        let deadline = Instant::now() + PATIENCE;
        while !self.is_there(name)? {
            ensure!(Instant::now() < deadline, "topic {name} does not come to be");
            std::thread::sleep(Duration::from_millis(100));
        }
        // Who leads a partition comes to know it last.
        while let Err(error) = self.ends(name) {
            ensure!(Instant::now() < deadline, "topic {name}: {error}");
            std::thread::sleep(Duration::from_millis(100));
        }
        Ok(())
    }

    fn is_there(&self, topic: &str) -> Result<bool> {
        let told = self.admin.inner().fetch_metadata(Some(topic), PATIENCE)?;
        let partitions = told.topics().iter().flat_map(|it| it.partitions());
        let led = partitions.filter(|it| it.leader() >= 0 && it.error().is_none());
        Ok(i32::try_from(led.count())? == PARTITIONS)
    }

    /// Where its partitions end, together.
    pub fn ends(&self, topic: &str) -> Result<u64> {
        let mut sum = 0;
        for partition in 0..PARTITIONS {
            let (_low, high) = self.watcher.fetch_watermarks(topic, partition, PATIENCE)?;
            sum += u64::try_from(high).unwrap_or(0);
        }
        Ok(sum)
    }

    /// Writes so many records, evenly.
    pub fn write(&self, topic: &str, count: u64) -> Result<()> {
        for (at, record) in (0..count).zip(self.records.iter().cycle()) {
            let partition = i32::try_from(at / 500 % PARTITIONS.unsigned_abs() as u64)?;
            loop {
                let key = at.to_be_bytes();
                let one = BaseRecord::to(topic)
                    .partition(partition)
                    .key(&key)
                    .payload(record);
                match self.producer.send(one) {
                    Ok(()) => break,
                    Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), _record)) => {
                        self.producer.poll(Duration::from_millis(5));
                    }
                    Err((error, _record)) => return Err(error).context("write a record"),
                }
            }
            if at % 1_000 == 0 {
                self.producer.poll(Duration::ZERO);
            }
        }
        self.producer.flush(PATIENCE).context("write records")
    }

    /// Committed records in it, each read.
    pub fn count(&self, topic: &str) -> Result<u64> {
        let mut all = TopicPartitionList::new();
        for partition in 0..PARTITIONS {
            all.add_partition_offset(topic, partition, Offset::Beginning)?;
        }
        self.watcher.assign(&all)?;
        let (mut count, mut since) = (0, Instant::now());
        while since.elapsed() < Duration::from_secs(3) {
            match self.watcher.poll(Duration::from_millis(200)) {
                Some(Ok(record)) => {
                    ensure!(
                        record.payload().is_some_and(|it| it.len() > 500),
                        "a record is short"
                    );
                    count += 1;
                    since = Instant::now();
                }
                Some(Err(error)) => return Err(error).context("read what came out"),
                None => {}
            }
        }
        self.watcher.assign(&TopicPartitionList::new())?;
        Ok(count)
    }
}
