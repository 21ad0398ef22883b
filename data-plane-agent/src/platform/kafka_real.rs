//! Kafka's administration over its wire protocol.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use uuid::Uuid;
use weir_kafka_wire::kafka_protocol::messages::create_partitions_request::CreatePartitionsTopic;
use weir_kafka_wire::kafka_protocol::messages::create_topics_request::{
    CreatableTopic, CreatableTopicConfig,
};
use weir_kafka_wire::kafka_protocol::messages::delete_topics_request::DeleteTopicState;
use weir_kafka_wire::kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use weir_kafka_wire::kafka_protocol::messages::incremental_alter_configs_request::{
    AlterConfigsResource, AlterableConfig,
};
use weir_kafka_wire::kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use weir_kafka_wire::kafka_protocol::messages::{
    CreatePartitionsRequest, CreateTopicsRequest, DeleteTopicsRequest, DescribeConfigsRequest,
    DescribeConfigsResponse, IncrementalAlterConfigsRequest, MetadataRequest, MetadataResponse, TopicName,
};
use weir_kafka_wire::kafka_protocol::protocol::{Request, StrBytes};
use weir_kafka_wire::{CallError, Connection, Options};
use weir_proto::agent::v1::PartitionExtent;

use super::kafka::{Kafka, KafkaError, NewTopic, PhysicalId, PoolAddress, SeenTopic};
use super::kafka_read::why;
use crate::upstream::{self, Stream};

const CALL_MAX: Duration = Duration::from_secs(10);
/// Gateways of another data plane may keep us waiting for a quota.
const CALL_MAX_FAR: Duration = Duration::from_secs(30);
const ADMIN_TIMEOUT_MS: i32 = 8_000;
const TOPICS_PER_CALL: usize = 500;
const FRAME_BYTES_MAX: usize = 64 * 1024 * 1024;

pub(super) const METADATA: i16 = 12;
const CREATE_TOPICS: i16 = 7;
const DELETE_TOPICS: i16 = 6;
const CREATE_PARTITIONS: i16 = 3;
const ALTER_CONFIGS: i16 = 1;
const DESCRIBE_CONFIGS: i16 = 4;

pub(super) const UNKNOWN_TOPIC: i16 = 3;
const UNKNOWN_TOPIC_ID: i16 = 100;
/// Kafka's number for a topic among configuration resources.
pub(super) const RESOURCE_TOPIC: i8 = 2;
/// Kafka's number for a setting made on the topic itself.
pub(super) const SOURCE_TOPIC: i8 = 1;

/// Speaks to real brokers; keeps one idle connection per broker.
#[derive(Debug, Default)]
pub struct RealKafka {
    idle: Mutex<BTreeMap<(String, String, u16), Line>>,
}

/// A connection, and which versions its broker understands: a Kafka that is attached may be older than ours.
#[derive(Debug)]
struct Line {
    connection: Connection<Stream>,
    versions: BTreeMap<i16, (i16, i16)>,
}

impl RealKafka {
    /// One call to a given broker, or to any. An idle connection may have died: then once more on a new one.
    pub(super) async fn call<R: Request>(
        &self,
        at: &PoolAddress,
        node: Option<i32>,
        request: &R,
        version: i16,
    ) -> Result<R::Response, KafkaError> {
        let mut failed = KafkaError::Unreachable;
        for (id, host, port) in at
            .brokers
            .iter()
            .filter(|(id, _host, _port)| node.is_none_or(|node| node == *id))
        {
            let key = (at.pool_id.clone(), host.clone(), *port);
            let mut idle = self.idle().remove(&key);
            loop {
                let fresh = idle.is_none();
                let line = match idle.take() {
                    Some(line) => Ok(line),
                    None => connect(host, *port, at).await,
                };
                let mut line = match line {
                    Ok(line) => line,
                    Err(error) => {
                        failed = error;
                        break;
                    }
                };
                let version = line
                    .versions
                    .get(&R::KEY)
                    .map_or(version, |(_least, greatest)| version.min(*greatest));
                match line.connection.call(request, version).await {
                    Ok(answer) => {
                        self.idle().insert(key, line);
                        return Ok(answer);
                    }
                    Err(error) => {
                        tracing::debug!(%error, broker = id, pool = at.pool_id, "a call to a broker failed");
                        failed = if fresh { why(at, &error) } else { failed };
                    }
                }
                if fresh {
                    break;
                }
            }
        }
        Err(failed)
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, BTreeMap<(String, String, u16), Line>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) async fn metadata(
        &self,
        at: &PoolAddress,
        names: &[String],
    ) -> Result<MetadataResponse, KafkaError> {
        let wanted = names.iter().map(|name| {
            MetadataRequestTopic::default()
                .with_name(Some(topic_name(name)))
                .with_topic_id(Uuid::nil())
        });
        self.metadata_of(at, Some(wanted.collect())).await
    }

    /// Of these topics; `None`: of all.
    pub(super) async fn metadata_of(
        &self,
        at: &PoolAddress,
        topics: Option<Vec<MetadataRequestTopic>>,
    ) -> Result<MetadataResponse, KafkaError> {
        let request = MetadataRequest::default()
            .with_topics(topics)
            .with_allow_auto_topic_creation(false);
        self.call(at, None, &request, METADATA).await
    }

    /// The settings of topics, defaults included.
    pub(super) async fn describe_configs(
        &self,
        at: &PoolAddress,
        names: impl Iterator<Item = &String>,
    ) -> Result<DescribeConfigsResponse, KafkaError> {
        let resources = names.map(|name| {
            DescribeConfigsResource::default()
                .with_resource_type(RESOURCE_TOPIC)
                .with_resource_name(text(name))
                .with_configuration_keys(None)
        });
        let request = DescribeConfigsRequest::default().with_resources(resources.collect());
        self.call(at, None, &request, DESCRIBE_CONFIGS).await
    }

    async fn configs(
        &self,
        at: &PoolAddress,
        found: &mut BTreeMap<String, SeenTopic>,
    ) -> Result<(), KafkaError> {
        if found.is_empty() {
            return Ok(());
        }
        let answer = self.describe_configs(at, found.keys()).await?;
        for result in answer.results {
            let name = result.resource_name.as_str().to_owned();
            match result.error_code {
                0 => {}
                // Deleted between the two calls.
                UNKNOWN_TOPIC => {
                    found.remove(&name);
                    continue;
                }
                code => return Err(KafkaError::Refused(code)),
            }
            if let Some(topic) = found.get_mut(&name) {
                let own = result
                    .configs
                    .into_iter()
                    .filter(|config| config.config_source == SOURCE_TOPIC);
                topic.configs = own
                    .filter_map(|config| {
                        Some((config.name.as_str().to_owned(), config.value?.as_str().to_owned()))
                    })
                    .collect();
            }
        }
        Ok(())
    }
}

impl Kafka for RealKafka {
    fn brokers_ready<'a>(&'a self, at: &'a PoolAddress) -> BoxFuture<'a, Result<BTreeSet<i32>, KafkaError>> {
        Box::pin(async move {
            let answer = self.metadata(at, &[]).await?;
            let ours: BTreeSet<i32> = at.brokers.iter().map(|(id, _host, _port)| *id).collect();
            let seen = answer.brokers.iter().map(|broker| broker.node_id.0);
            Ok(seen.filter(|id| ours.contains(id)).collect())
        })
    }

    fn topics<'a>(
        &'a self,
        at: &'a PoolAddress,
        names: &'a [String],
    ) -> BoxFuture<'a, Result<BTreeMap<String, SeenTopic>, KafkaError>> {
        Box::pin(async move {
            let mut all = BTreeMap::new();
            for page in names.chunks(TOPICS_PER_CALL) {
                let answer = self.metadata(at, page).await?;
                let mut found = BTreeMap::new();
                for topic in answer.topics {
                    match (topic.error_code, topic.name) {
                        (UNKNOWN_TOPIC, _name) => {}
                        // A partition without a leader for a moment does not make the topic disappear.
                        (0 | 5, Some(name)) => {
                            let seen = SeenTopic {
                                physical_id: topic.topic_id.into_bytes(),
                                partitions: u32::try_from(topic.partitions.len()).unwrap_or(u32::MAX),
                                configs: BTreeMap::new(),
                            };
                            found.insert(name.as_str().to_owned(), seen);
                        }
                        (code, _name) => return Err(KafkaError::Refused(code)),
                    }
                }
                self.configs(at, &mut found).await?;
                all.append(&mut found);
            }
            Ok(all)
        })
    }

    fn create_topic<'a>(
        &'a self,
        at: &'a PoolAddress,
        topic: &'a NewTopic,
    ) -> BoxFuture<'a, Result<PhysicalId, KafkaError>> {
        Box::pin(async move {
            let configs = topic.configs.iter().map(|(name, value)| {
                CreatableTopicConfig::default()
                    .with_name(text(name))
                    .with_value(Some(text(value)))
            });
            let wanted = CreatableTopic::default()
                .with_name(topic_name(&topic.physical_name))
                .with_num_partitions(count(topic.partitions))
                .with_replication_factor(i16::try_from(topic.replication_factor).unwrap_or(i16::MAX))
                .with_configs(configs.collect());
            let request = CreateTopicsRequest::default()
                .with_topics(vec![wanted])
                .with_timeout_ms(ADMIN_TIMEOUT_MS);
            let answer = self.call(at, None, &request, CREATE_TOPICS).await?;
            let made = answer.topics.into_iter().next().ok_or(KafkaError::Unreachable)?;
            accepted(made.error_code)?;
            Ok(made.topic_id.into_bytes())
        })
    }

    fn create_partitions<'a>(
        &'a self,
        at: &'a PoolAddress,
        name: &'a str,
        partitions: u32,
    ) -> BoxFuture<'a, Result<(), KafkaError>> {
        Box::pin(async move {
            let wanted = CreatePartitionsTopic::default()
                .with_name(topic_name(name))
                .with_count(count(partitions))
                .with_assignments(None);
            let request = CreatePartitionsRequest::default()
                .with_topics(vec![wanted])
                .with_timeout_ms(ADMIN_TIMEOUT_MS);
            let answer = self.call(at, None, &request, CREATE_PARTITIONS).await?;
            answer
                .results
                .iter()
                .try_for_each(|result| accepted(result.error_code))
        })
    }

    fn alter_configs<'a>(
        &'a self,
        at: &'a PoolAddress,
        name: &'a str,
        set: &'a BTreeMap<String, String>,
        remove: &'a BTreeSet<String>,
    ) -> BoxFuture<'a, Result<(), KafkaError>> {
        Box::pin(async move {
            let setting = set.iter().map(|(name, value)| {
                AlterableConfig::default()
                    .with_name(text(name))
                    .with_config_operation(0)
                    .with_value(Some(text(value)))
            });
            let removing = remove.iter().map(|name| {
                AlterableConfig::default()
                    .with_name(text(name))
                    .with_config_operation(1)
                    .with_value(None)
            });
            let resource = AlterConfigsResource::default()
                .with_resource_type(RESOURCE_TOPIC)
                .with_resource_name(text(name))
                .with_configs(setting.chain(removing).collect());
            let request = IncrementalAlterConfigsRequest::default().with_resources(vec![resource]);
            let answer = self.call(at, None, &request, ALTER_CONFIGS).await?;
            answer
                .responses
                .iter()
                .try_for_each(|result| accepted(result.error_code))
        })
    }

    fn delete_topic<'a>(
        &'a self,
        at: &'a PoolAddress,
        id: PhysicalId,
    ) -> BoxFuture<'a, Result<(), KafkaError>> {
        Box::pin(async move {
            let wanted = DeleteTopicState::default()
                .with_name(None)
                .with_topic_id(Uuid::from_bytes(id));
            let request = DeleteTopicsRequest::default()
                .with_topics(vec![wanted])
                .with_timeout_ms(ADMIN_TIMEOUT_MS);
            let answer = self.call(at, None, &request, DELETE_TOPICS).await?;
            answer
                .responses
                .iter()
                .try_for_each(|result| match result.error_code {
                    UNKNOWN_TOPIC | UNKNOWN_TOPIC_ID => Ok(()),
                    code => accepted(code),
                })
        })
    }

    fn sizes<'a>(&'a self, at: &'a PoolAddress) -> BoxFuture<'a, Result<BTreeMap<String, u64>, KafkaError>> {
        Box::pin(self.sizes_of_all(at))
    }

    fn extent<'a>(
        &'a self,
        at: &'a PoolAddress,
        name: &'a str,
    ) -> BoxFuture<'a, Result<Option<Vec<PartitionExtent>>, KafkaError>> {
        Box::pin(self.extent_of(at, name))
    }
}

async fn connect(host: &str, port: u16, at: &PoolAddress) -> Result<Line, KafkaError> {
    let options = Options {
        timeout: if at.security.peer.is_some() {
            CALL_MAX_FAR
        } else {
            CALL_MAX
        },
        frame_limit: FRAME_BYTES_MAX,
        client_id: "weir-agent".to_owned(),
    };
    let login = (at.username.as_str(), at.password.as_str());
    let connected = upstream::connect((host, port), &at.security, login, options).await;
    let refused = |error: CallError| {
        tracing::debug!(%error, port, pool = at.pool_id, "a broker could not be reached");
        why(at, &error)
    };
    let mut connection = connected.map_err(refused)?;
    let versions = connection.versions().await.map_err(refused)?;
    Ok(Line { connection, versions })
}

pub(super) fn accepted(code: i16) -> Result<(), KafkaError> {
    if code == 0 {
        Ok(())
    } else {
        Err(KafkaError::Refused(code))
    }
}

pub(super) fn text(value: &str) -> StrBytes {
    StrBytes::from_string(value.to_owned())
}

pub(super) fn topic_name(value: &str) -> TopicName {
    TopicName(text(value))
}

fn count(value: u32) -> i32 {
    i32::try_from(value).unwrap_or(i32::MAX)
}
