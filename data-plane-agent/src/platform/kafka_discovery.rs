//! Looking around in a Kafka, over the wire protocol. Only requests that read.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::BoxFuture;
use weir_kafka_wire::kafka_protocol::messages::DescribeAclsRequest;

use super::discovery::{Discovery, FoundAcls, FoundTopic, Node};
use super::kafka::{KafkaError, PoolAddress};
use super::kafka_real::{RealKafka, SOURCE_TOPIC, UNKNOWN_TOPIC, accepted};

const DESCRIBE_ACLS: i16 = 3;
const TOPICS_PER_CALL: usize = 500;
/// Any resource, pattern, operation, permission (KIP-133).
const ANY: i8 = 1;
/// `SECURITY_DISABLED`: no authorizer runs.
const SECURITY_DISABLED: i16 = 54;
/// `CLUSTER_AUTHORIZATION_FAILED`: our login may not read rules.
const NOT_FOR_US: i16 = 31;

impl RealKafka {
    async fn settings(
        &self,
        at: &PoolAddress,
        found: &mut BTreeMap<String, FoundTopic>,
    ) -> Result<(), KafkaError> {
        if found.is_empty() {
            return Ok(());
        }
        for result in self.describe_configs(at, found.keys()).await?.results {
            let name = result.resource_name.as_str().to_owned();
            if result.error_code == UNKNOWN_TOPIC {
                found.remove(&name);
                continue;
            }
            accepted(result.error_code)?;
            if let Some(topic) = found.get_mut(&name) {
                let settings = result.configs.into_iter().filter_map(|it| {
                    let own = it.config_source == SOURCE_TOPIC;
                    Some((it.name.as_str().to_owned(), (it.value?.as_str().to_owned(), own)))
                });
                topic.settings = settings.collect();
            }
        }
        Ok(())
    }
}

impl Discovery for RealKafka {
    fn brokers<'a>(&'a self, at: &'a PoolAddress) -> BoxFuture<'a, Result<Vec<Node>, KafkaError>> {
        Box::pin(async move {
            let answer = self.metadata(at, &[]).await?;
            let brokers = answer.brokers.into_iter().filter_map(|it| {
                let port = u16::try_from(it.port).ok()?;
                Some((it.node_id.0, it.host.as_str().to_owned(), port))
            });
            Ok(brokers.collect())
        })
    }

    fn topic_names<'a>(
        &'a self,
        at: &'a PoolAddress,
    ) -> BoxFuture<'a, Result<BTreeMap<String, bool>, KafkaError>> {
        Box::pin(async move {
            let answer = self.metadata_of(at, None).await?;
            let names = answer
                .topics
                .into_iter()
                .filter_map(|it| Some((it.name?.as_str().to_owned(), it.is_internal)));
            Ok(names.collect())
        })
    }

    fn find_topics<'a>(
        &'a self,
        at: &'a PoolAddress,
        names: &'a [String],
    ) -> BoxFuture<'a, Result<Vec<FoundTopic>, KafkaError>> {
        Box::pin(async move {
            let mut all = Vec::new();
            for page in names.chunks(TOPICS_PER_CALL) {
                let mut found = BTreeMap::new();
                for topic in self.metadata(at, page).await?.topics {
                    let Some(name) = topic.name.filter(|_name| topic.error_code != UNKNOWN_TOPIC) else {
                        continue;
                    };
                    let copies = topic.partitions.first().map_or(0, |it| it.replica_nodes.len());
                    let seen = FoundTopic {
                        name: name.as_str().to_owned(),
                        partitions: u32::try_from(topic.partitions.len()).unwrap_or(u32::MAX),
                        replication_factor: u32::try_from(copies).unwrap_or(u32::MAX),
                        internal: topic.is_internal,
                        settings: BTreeMap::new(),
                    };
                    found.insert(seen.name.clone(), seen);
                }
                self.settings(at, &mut found).await?;
                all.extend(found.into_values());
            }
            Ok(all)
        })
    }

    fn acls<'a>(&'a self, at: &'a PoolAddress) -> BoxFuture<'a, Result<Option<FoundAcls>, KafkaError>> {
        Box::pin(async move {
            let request = DescribeAclsRequest::default()
                .with_resource_type_filter(ANY)
                .with_resource_name_filter(None)
                .with_pattern_type_filter(ANY)
                .with_principal_filter(None)
                .with_host_filter(None)
                .with_operation(ANY)
                .with_permission_type(ANY);
            let answer = self.call(at, None, &request, DESCRIBE_ACLS).await?;
            if matches!(answer.error_code, SECURITY_DISABLED | NOT_FOR_US) {
                return Ok(None);
            }
            accepted(answer.error_code)?;
            let rules = answer.resources.iter().flat_map(|it| &it.acls);
            let principals: BTreeSet<&str> = rules.clone().map(|it| it.principal.as_str()).collect();
            let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
            Ok(Some(FoundAcls {
                bindings: count(rules.count()),
                principals: count(principals.len()),
            }))
        })
    }
}
