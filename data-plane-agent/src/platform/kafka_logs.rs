//! Records of real brokers, over the wire. The versions of requests are those of transactions as KIP-98 and KIP-447 have
//! them, which brokers since 2.5 understand; later ones (KIP-890) change who adds partitions, and nothing that we need.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use tokio::time::{Instant, sleep};
use weir_kafka_wire::kafka_protocol::messages::add_partitions_to_txn_request::AddPartitionsToTxnTopic;
use weir_kafka_wire::kafka_protocol::messages::offset_fetch_request::OffsetFetchRequestGroup;
use weir_kafka_wire::kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use weir_kafka_wire::kafka_protocol::messages::txn_offset_commit_request::{
    TxnOffsetCommitRequestPartition, TxnOffsetCommitRequestTopic,
};
use weir_kafka_wire::kafka_protocol::messages::{
    AddOffsetsToTxnRequest, AddPartitionsToTxnRequest, EndTxnRequest, FindCoordinatorRequest, GroupId,
    InitProducerIdRequest, OffsetFetchRequest, ProduceRequest, ProducerId, TransactionalId,
    TxnOffsetCommitRequest,
};
use weir_kafka_wire::kafka_protocol::protocol::StrBytes;

use super::groups::{Groups, Mark};
use super::kafka::{KafkaError, PoolAddress};
use super::kafka_real::{RealKafka, UNKNOWN_TOPIC, accepted, text, topic_name};
use super::logs::{Helping, Logs, Part, Position, Producer, Read, Sight, Stand};

const PRODUCE: i16 = 9;
const INIT_PRODUCER_ID: i16 = 4;
const ADD_PARTITIONS_TO_TXN: i16 = 3;
const ADD_OFFSETS_TO_TXN: i16 = 3;
const TXN_OFFSET_COMMIT: i16 = 3;
const END_TXN: i16 = 3;
const OFFSET_FETCH: i16 = 8;
const FIND_COORDINATOR: i16 = 4;
const TOPICS_PER_CALL: usize = 500;

/// The key types of coordinators.
const OF_GROUPS: i8 = 0;
const OF_TRANSACTIONS: i8 = 1;
/// After so long a coordinator gives up what an agent that is gone had begun.
const TRANSACTION_TIMEOUT_MS: i32 = 30_000;
const PRODUCE_TIMEOUT_MS: i32 = 8_000;

/// COORDINATOR_LOAD_IN_PROGRESS.
const LOADING: i16 = 14;
/// CONCURRENT_TRANSACTIONS: the markers of the last transaction are still being written.
const CONCURRENT: i16 = 51;
/// UNSTABLE_OFFSET_COMMIT: the same of its positions.
const UNSTABLE: i16 = 88;
/// DUPLICATE_SEQUENCE_NUMBER: it is there.
const DUPLICATE: i16 = 46;
const GROUP_ID_NOT_FOUND: i16 = 69;

impl Logs for RealKafka {
    fn apart(&self) -> Arc<dyn Logs> {
        Arc::new(Self::default())
    }

    fn sight<'a>(
        &'a self,
        at: &'a PoolAddress,
        topics: &'a [String],
    ) -> BoxFuture<'a, Result<Sight, KafkaError>> {
        Box::pin(self.sight_of(at, topics))
    }

    fn leaders<'a>(
        &'a self,
        at: &'a PoolAddress,
        topics: &'a [String],
    ) -> BoxFuture<'a, Result<BTreeMap<Part, i32>, KafkaError>> {
        Box::pin(async move {
            let mut leaders = BTreeMap::new();
            for page in topics.chunks(TOPICS_PER_CALL) {
                for topic in self.metadata(at, page).await?.topics {
                    let Some(name) = topic.name.filter(|_name| topic.error_code != UNKNOWN_TOPIC) else {
                        continue;
                    };
                    for it in topic.partitions {
                        leaders.insert((name.as_str().to_owned(), it.partition_index), it.leader_id.0);
                    }
                }
            }
            Ok(leaders)
        })
    }

    fn edges<'a>(
        &'a self,
        at: &'a PoolAddress,
        parts: &'a BTreeSet<Part>,
        mark: Mark,
    ) -> BoxFuture<'a, Result<BTreeMap<Part, i64>, KafkaError>> {
        Box::pin(async move {
            let asked = parts
                .iter()
                .filter_map(|(name, partition)| Some((name.clone(), u32::try_from(*partition).ok()?)));
            let found = self.offsets_at(at, &asked.collect(), mark).await?;
            let found = found.into_iter().filter_map(|((name, partition), offset)| {
                Some(((name, i32::try_from(partition).ok()?), offset))
            });
            Ok(found.collect())
        })
    }

    fn read<'a>(
        &'a self,
        at: &'a PoolAddress,
        node: i32,
        from: &'a [(Part, i64)],
        helping: Helping,
    ) -> BoxFuture<'a, Result<Vec<Read>, KafkaError>> {
        Box::pin(self.fetch(at, node, from, helping))
    }

    fn stand<'a>(&'a self, at: &'a PoolAddress, group: &'a str) -> BoxFuture<'a, Result<Stand, KafkaError>> {
        Box::pin(settled(move || self.stable_stand(at, group)))
    }

    fn open<'a>(
        &'a self,
        at: &'a PoolAddress,
        transactional_id: &'a str,
    ) -> BoxFuture<'a, Result<Producer, KafkaError>> {
        Box::pin(settled(move || async move {
            let coordinator = self.coordinator(at, transactional_id, OF_TRANSACTIONS).await?;
            let request = InitProducerIdRequest::default()
                .with_transactional_id(Some(transactional(transactional_id)))
                .with_transaction_timeout_ms(TRANSACTION_TIMEOUT_MS)
                .with_producer_id(ProducerId(-1))
                .with_producer_epoch(-1);
            let answer = self
                .call(at, Some(coordinator), &request, INIT_PRODUCER_ID)
                .await?;
            accepted(answer.error_code)?;
            Ok(Producer {
                transactional_id: transactional_id.to_owned(),
                id: answer.producer_id.0,
                epoch: answer.producer_epoch,
                coordinator,
            })
        }))
    }

    fn begin<'a>(
        &'a self,
        at: &'a PoolAddress,
        producer: &'a Producer,
        topic: &'a str,
        partitions: &'a BTreeSet<i32>,
    ) -> BoxFuture<'a, Result<(), KafkaError>> {
        Box::pin(settled(move || async move {
            let written = AddPartitionsToTxnTopic::default()
                .with_name(topic_name(topic))
                .with_partitions(partitions.iter().copied().collect());
            let request = AddPartitionsToTxnRequest::default()
                .with_v3_and_below_transactional_id(transactional(&producer.transactional_id))
                .with_v3_and_below_producer_id(ProducerId(producer.id))
                .with_v3_and_below_producer_epoch(producer.epoch)
                .with_v3_and_below_topics(vec![written]);
            let answer = self
                .call(at, Some(producer.coordinator), &request, ADD_PARTITIONS_TO_TXN)
                .await?;
            let results = answer.results_by_topic_v3_and_below.iter();
            results
                .flat_map(|it| &it.results_by_partition)
                .try_for_each(|it| accepted(it.partition_error_code))
        }))
    }

    fn append<'a>(
        &'a self,
        at: &'a PoolAddress,
        node: i32,
        producer: &'a Producer,
        (topic, partition): &'a Part,
        batch: Bytes,
    ) -> BoxFuture<'a, Result<i64, KafkaError>> {
        Box::pin(async move {
            let written = PartitionProduceData::default()
                .with_index(*partition)
                .with_records(Some(batch));
            let written = TopicProduceData::default()
                .with_name(topic_name(topic))
                .with_partition_data(vec![written]);
            let request = ProduceRequest::default()
                .with_transactional_id(Some(transactional(&producer.transactional_id)))
                .with_acks(-1)
                .with_timeout_ms(PRODUCE_TIMEOUT_MS)
                .with_topic_data(vec![written]);
            let answer = self.call(at, Some(node), &request, PRODUCE).await?;
            let mut results = answer.responses.iter().flat_map(|it| &it.partition_responses);
            let result = results.next().ok_or(KafkaError::Unreachable)?;
            match result.error_code {
                DUPLICATE => Ok(-1),
                code => accepted(code).map(|()| result.base_offset),
            }
        })
    }

    fn place<'a>(
        &'a self,
        at: &'a PoolAddress,
        producer: &'a Producer,
        group: &'a str,
        stand: &'a Stand,
    ) -> BoxFuture<'a, Result<(), KafkaError>> {
        Box::pin(settled(move || {
            self.place_in_transaction(at, producer, group, stand)
        }))
    }

    fn end<'a>(
        &'a self,
        at: &'a PoolAddress,
        producer: &'a Producer,
        commit: bool,
    ) -> BoxFuture<'a, Result<(), KafkaError>> {
        Box::pin(settled(move || async move {
            let request = EndTxnRequest::default()
                .with_transactional_id(transactional(&producer.transactional_id))
                .with_producer_id(ProducerId(producer.id))
                .with_producer_epoch(producer.epoch)
                .with_committed(commit);
            let answer = self
                .call(at, Some(producer.coordinator), &request, END_TXN)
                .await?;
            accepted(answer.error_code)
        }))
    }
}

impl RealKafka {
    async fn coordinator(&self, at: &PoolAddress, key: &str, kind: i8) -> Result<i32, KafkaError> {
        let request = FindCoordinatorRequest::default()
            .with_key_type(kind)
            .with_coordinator_keys(vec![text(key)]);
        let answer = self.call(at, None, &request, FIND_COORDINATOR).await?;
        let found = answer.coordinators.first().ok_or(KafkaError::Unreachable)?;
        accepted(found.error_code)?;
        Ok(found.node_id.0)
    }

    async fn stable_stand(&self, at: &PoolAddress, group: &str) -> Result<Stand, KafkaError> {
        let coordinator = self.coordinator(at, group, OF_GROUPS).await?;
        let wanted = OffsetFetchRequestGroup::default()
            .with_group_id(group_id(group))
            .with_topics(None);
        let request = OffsetFetchRequest::default()
            .with_groups(vec![wanted])
            .with_require_stable(true);
        let answer = self.call(at, Some(coordinator), &request, OFFSET_FETCH).await?;
        let mut stand = Stand::new();
        for group in answer.groups {
            match group.error_code {
                GROUP_ID_NOT_FOUND => continue,
                code => accepted(code)?,
            }
            for topic in group.topics {
                for it in topic.partitions {
                    accepted(it.error_code)?;
                    if it.committed_offset >= 0 {
                        let position = Position {
                            offset: it.committed_offset,
                            note: it.metadata.map(|it| it.as_str().to_owned()).unwrap_or_default(),
                        };
                        stand.insert((topic.name.as_str().to_owned(), it.partition_index), position);
                    }
                }
            }
        }
        Ok(stand)
    }

    async fn place_in_transaction(
        &self,
        at: &PoolAddress,
        producer: &Producer,
        group: &str,
        stand: &Stand,
    ) -> Result<(), KafkaError> {
        let request = AddOffsetsToTxnRequest::default()
            .with_transactional_id(transactional(&producer.transactional_id))
            .with_producer_id(ProducerId(producer.id))
            .with_producer_epoch(producer.epoch)
            .with_group_id(group_id(group));
        let answer = self
            .call(at, Some(producer.coordinator), &request, ADD_OFFSETS_TO_TXN)
            .await?;
        accepted(answer.error_code)?;
        let mut topics: BTreeMap<&str, Vec<TxnOffsetCommitRequestPartition>> = BTreeMap::new();
        for ((topic, partition), Position { offset, note }) in stand {
            let position = TxnOffsetCommitRequestPartition::default()
                .with_partition_index(*partition)
                .with_committed_offset(*offset)
                .with_committed_leader_epoch(-1)
                .with_committed_metadata(Some(text(note)));
            topics.entry(topic).or_default().push(position);
        }
        let topics = topics.into_iter().map(|(name, partitions)| {
            TxnOffsetCommitRequestTopic::default()
                .with_name(topic_name(name))
                .with_partitions(partitions)
        });
        let coordinator = self.coordinator(at, group, OF_GROUPS).await?;
        // As nobody's member: the transaction alone shuts others out.
        let request = TxnOffsetCommitRequest::default()
            .with_transactional_id(transactional(&producer.transactional_id))
            .with_group_id(group_id(group))
            .with_producer_id(ProducerId(producer.id))
            .with_producer_epoch(producer.epoch)
            .with_generation_id(-1)
            .with_member_id(StrBytes::default())
            .with_group_instance_id(None)
            .with_topics(topics.collect());
        let answer = self
            .call(at, Some(coordinator), &request, TXN_OFFSET_COMMIT)
            .await?;
        let mut partitions = answer.topics.iter().flat_map(|it| &it.partitions);
        partitions.try_for_each(|it| accepted(it.error_code))
    }
}

/// Again and again for a while, where Kafka says that the transaction before is not quite over.
async fn settled<T, F>(call: impl Fn() -> F) -> Result<T, KafkaError>
where
    F: Future<Output = Result<T, KafkaError>>,
{
    let (mut pause, until) = (Duration::from_millis(10), Instant::now() + Duration::from_secs(5));
    loop {
        match call().await {
            Err(KafkaError::Refused(LOADING | CONCURRENT | UNSTABLE)) if Instant::now() < until => {
                sleep(pause).await;
                pause = (pause * 2).min(Duration::from_millis(200));
            }
            other => return other,
        }
    }
}

fn transactional(id: &str) -> TransactionalId {
    TransactionalId(text(id))
}

fn group_id(id: &str) -> GroupId {
    GroupId(text(id))
}
