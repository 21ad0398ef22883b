//! Offsets and sizes of a topic's partitions, asked of each partition's leader; sizes of all topics, asked of every broker.

use std::collections::BTreeMap;

use weir_kafka_wire::kafka_protocol::messages::describe_log_dirs_request::DescribableLogDirTopic;
use weir_kafka_wire::kafka_protocol::messages::list_offsets_request::{
    ListOffsetsPartition, ListOffsetsTopic,
};
use weir_kafka_wire::kafka_protocol::messages::{BrokerId, DescribeLogDirsRequest, ListOffsetsRequest};
use weir_proto::agent::v1::PartitionExtent;

use super::kafka::{KafkaError, PoolAddress};
use super::kafka_real::{RealKafka, UNKNOWN_TOPIC, accepted, topic_name};

const LIST_OFFSETS: i16 = 7;
const DESCRIBE_LOG_DIRS: i16 = 4;
const EARLIEST: i64 = -2;
const LATEST: i64 = -1;

impl RealKafka {
    async fn offsets(
        &self,
        at: &PoolAddress,
        leader: i32,
        name: &str,
        partitions: &[i32],
        timestamp: i64,
    ) -> Result<BTreeMap<i32, i64>, KafkaError> {
        let wanted = partitions.iter().map(|partition| {
            ListOffsetsPartition::default()
                .with_partition_index(*partition)
                .with_current_leader_epoch(-1)
                .with_timestamp(timestamp)
        });
        let topic = ListOffsetsTopic::default()
            .with_name(topic_name(name))
            .with_partitions(wanted.collect());
        let request = ListOffsetsRequest::default()
            .with_replica_id(BrokerId(-1))
            .with_topics(vec![topic]);
        let answer = self.call(at, Some(leader), &request, LIST_OFFSETS).await?;
        let mut offsets = BTreeMap::new();
        for partition in answer.topics.into_iter().flat_map(|topic| topic.partitions) {
            accepted(partition.error_code)?;
            offsets.insert(partition.partition_index, partition.offset);
        }
        Ok(offsets)
    }

    async fn sizes(
        &self,
        at: &PoolAddress,
        leader: i32,
        name: &str,
        partitions: &[i32],
    ) -> Result<BTreeMap<i32, i64>, KafkaError> {
        let topic = DescribableLogDirTopic::default()
            .with_topic(topic_name(name))
            .with_partitions(partitions.to_vec());
        let request = DescribeLogDirsRequest::default().with_topics(Some(vec![topic]));
        let answer = self.call(at, Some(leader), &request, DESCRIBE_LOG_DIRS).await?;
        accepted(answer.error_code)?;
        let found = answer.results.into_iter().flat_map(|folder| folder.topics);
        let found = found.flat_map(|topic| topic.partitions);
        Ok(found
            .filter(|it| !it.is_future_key)
            .map(|it| (it.partition_index, it.partition_size))
            .collect())
    }

    pub(super) async fn extent_of(
        &self,
        at: &PoolAddress,
        name: &str,
    ) -> Result<Option<Vec<PartitionExtent>>, KafkaError> {
        let answer = self.metadata(at, &[name.to_owned()]).await?;
        let Some(topic) = answer.topics.into_iter().next() else {
            return Ok(None);
        };
        if topic.error_code == UNKNOWN_TOPIC {
            return Ok(None);
        }
        accepted(topic.error_code)?;
        let mut by_leader: BTreeMap<i32, Vec<i32>> = BTreeMap::new();
        for partition in &topic.partitions {
            by_leader
                .entry(partition.leader_id.0)
                .or_default()
                .push(partition.partition_index);
        }
        let mut extents = Vec::with_capacity(topic.partitions.len());
        for (leader, partitions) in by_leader {
            let start = self.offsets(at, leader, name, &partitions, EARLIEST).await?;
            let end = self.offsets(at, leader, name, &partitions, LATEST).await?;
            let size = self.sizes(at, leader, name, &partitions).await?;
            extents.extend(partitions.iter().map(|partition| PartitionExtent {
                partition: u32::try_from(*partition).unwrap_or_default(),
                log_start_offset: start.get(partition).copied().unwrap_or_default(),
                log_end_offset: end.get(partition).copied().unwrap_or_default(),
                size_bytes: size.get(partition).copied().unwrap_or_default(),
            }));
        }
        extents.sort_by_key(|it| it.partition);
        Ok(Some(extents))
    }

    /// A broker that is down has copies elsewhere, or nothing that could be written to.
    pub(super) async fn sizes_of_all(&self, at: &PoolAddress) -> Result<BTreeMap<String, u64>, KafkaError> {
        let request = DescribeLogDirsRequest::default().with_topics(None);
        let mut largest: BTreeMap<(String, i32), u64> = BTreeMap::new();
        let mut answered = false;
        for (node, _host, _port) in &at.brokers {
            let answer = match self.call(at, Some(*node), &request, DESCRIBE_LOG_DIRS).await {
                Ok(answer) => answer,
                Err(KafkaError::Unreachable) => continue,
                Err(refused) => return Err(refused),
            };
            accepted(answer.error_code)?;
            answered = true;
            for topic in answer.results.into_iter().flat_map(|folder| folder.topics) {
                for partition in topic.partitions.iter().filter(|it| !it.is_future_key) {
                    let key = (topic.name.as_str().to_owned(), partition.partition_index);
                    let held = largest.entry(key).or_default();
                    *held = (*held).max(u64::try_from(partition.partition_size).unwrap_or(0));
                }
            }
        }
        if !answered {
            return Err(KafkaError::Unreachable);
        }
        let mut sizes = BTreeMap::new();
        for ((topic, _partition), size) in largest {
            *sizes.entry(topic).or_insert(0) += size;
        }
        Ok(sizes)
    }
}
