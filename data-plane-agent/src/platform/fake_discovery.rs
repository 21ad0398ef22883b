//! Looking around in the Kafka in memory.

use std::collections::BTreeMap;
use std::future::ready;

use futures_util::future::BoxFuture;

use super::discovery::{Discovery, FoundAcls, FoundTopic};
use super::fake::FakeKafka;
use super::kafka::{KafkaError, PoolAddress};

impl FakeKafka {
    /// The brokers as they name themselves.
    pub fn set_brokers(&self, brokers: Vec<(i32, String, u16)>) {
        self.inner().brokers = brokers;
    }
}

impl Discovery for FakeKafka {
    fn brokers<'a>(
        &'a self,
        _at: &'a PoolAddress,
    ) -> BoxFuture<'a, Result<Vec<(i32, String, u16)>, KafkaError>> {
        let inner = self.inner();
        let found = if inner.away {
            Err(KafkaError::Unreachable)
        } else {
            Ok(inner.brokers.clone())
        };
        Box::pin(ready(found))
    }

    fn topic_names<'a>(
        &'a self,
        at: &'a PoolAddress,
    ) -> BoxFuture<'a, Result<BTreeMap<String, bool>, KafkaError>> {
        let names = self.topics_of(&at.pool_id).into_keys();
        let names = names.map(|name| (name.clone(), name.starts_with("__")));
        Box::pin(ready(Ok(names.collect())))
    }

    fn find_topics<'a>(
        &'a self,
        at: &'a PoolAddress,
        names: &'a [String],
    ) -> BoxFuture<'a, Result<Vec<FoundTopic>, KafkaError>> {
        let topics = self.topics_of(&at.pool_id).into_iter();
        let found = topics.filter(|(name, _topic)| names.contains(name));
        let found = found.map(|(name, topic)| FoundTopic {
            internal: name.starts_with("__"),
            name,
            partitions: topic.partitions,
            replication_factor: 1,
            settings: topic
                .configs
                .into_iter()
                .map(|(key, value)| (key, (value, true)))
                .collect(),
        });
        Box::pin(ready(Ok(found.collect())))
    }

    fn acls<'a>(&'a self, _at: &'a PoolAddress) -> BoxFuture<'a, Result<Option<FoundAcls>, KafkaError>> {
        Box::pin(ready(Ok(None)))
    }
}
