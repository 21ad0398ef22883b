//! A request of every kind that the gateway advertises, in a given version, about given names.

use bytes::Bytes;
use uuid::Uuid;
use weir_kafka_wire::header::RequestHeader;
use weir_kafka_wire::kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use weir_kafka_wire::kafka_protocol::messages::describe_topic_partitions_request::TopicRequest;
use weir_kafka_wire::kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use weir_kafka_wire::kafka_protocol::messages::list_offsets_request::{
    ListOffsetsPartition, ListOffsetsTopic,
};
use weir_kafka_wire::kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use weir_kafka_wire::kafka_protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use weir_kafka_wire::kafka_protocol::messages::offset_fetch_request::{
    OffsetFetchRequestGroup, OffsetFetchRequestTopic, OffsetFetchRequestTopics,
};
use weir_kafka_wire::kafka_protocol::messages::offset_for_leader_epoch_request::{
    OffsetForLeaderPartition, OffsetForLeaderTopic,
};
use weir_kafka_wire::kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use weir_kafka_wire::kafka_protocol::messages::*;
use weir_kafka_wire::kafka_protocol::protocol::{Request, StrBytes};
use weir_kafka_wire::message::frame_request;

/// What requests are about.
#[derive(Debug, Clone)]
pub struct Names {
    pub topic: String,
    pub topic_id: Uuid,
    pub group: String,
    pub transaction: String,
    /// Producer id and epoch of the transaction.
    pub producer: (i64, i16),
    /// A service account.
    pub principal: String,
    /// Of the group and the transactional id that requests may make, whatever else they ask for.
    pub made: String,
    /// Our own topic, which stays.
    pub spared: (String, Uuid),
}

impl Names {
    pub(super) fn text(text: &str) -> StrBytes {
        StrBytes::from_string(text.to_owned())
    }

    pub(super) fn topic(&self) -> TopicName {
        Self::text(&self.topic).into()
    }

    pub(super) fn group(&self) -> GroupId {
        Self::text(&self.group).into()
    }

    pub(super) fn transaction(&self) -> TransactionalId {
        Self::text(&self.transaction).into()
    }

    /// A group of our own: others' names would only make groups that are ours and called so.
    pub(super) fn made_group(&self) -> GroupId {
        Self::text(&self.made).into()
    }

    pub(super) fn made_transaction(&self) -> TransactionalId {
        Self::text(&self.made).into()
    }
}

/// The frames to send for a row of `ApiVersions`; more than one where a request has different ways to ask. A request that
/// has no words here fails the test: none is advertised before it was thought of.
pub fn frames(names: &Names, api_key: i16, version: i16) -> Vec<Bytes> {
    let ask = Ask { names, version };
    match ApiKey::try_from(api_key) {
        Ok(ApiKey::Produce) => vec![frame(version, &ask.produce())],
        Ok(ApiKey::Fetch) => vec![frame(version, &ask.fetch())],
        Ok(ApiKey::ListOffsets) => vec![frame(version, &ask.list_offsets())],
        Ok(ApiKey::Metadata) => ask.metadata().iter().map(|it| frame(version, it)).collect(),
        Ok(ApiKey::OffsetCommit) => vec![frame(version, &ask.offset_commit())],
        Ok(ApiKey::OffsetFetch) => vec![frame(version, &ask.offset_fetch())],
        Ok(ApiKey::OffsetForLeaderEpoch) => vec![frame(version, &ask.leader_epoch())],
        Ok(ApiKey::FindCoordinator) => ask.coordinators().iter().map(|it| frame(version, it)).collect(),
        Ok(ApiKey::DescribeConfigs) => vec![frame(version, &ask.configs())],
        Ok(ApiKey::DescribeTopicPartitions) => vec![
            frame(version, &ask.topic_partitions()),
            frame(
                version,
                &DescribeTopicPartitionsRequest::default().with_response_partition_limit(100),
            ),
        ],
        Ok(key) => ask
            .of_groups(key)
            .or_else(|| ask.of_transactions(key))
            .or_else(|| ask.of_the_cluster(key))
            .or_else(|| ask.of_topics(key))
            .or_else(|| ask.of_removals(key))
            .or_else(|| ask.of_principals(key))
            .unwrap_or_else(|| {
                panic!("{key:?} is advertised: say here what a curious client would ask by it")
            }),
        Err(_unknown) => panic!("request {api_key} is advertised, and unknown here"),
    }
}

fn header(api_key: i16, version: i16) -> RequestHeader {
    RequestHeader {
        api_key,
        version,
        correlation_id: 1,
        client_id: None,
    }
}

pub(super) fn frame<R: Request>(version: i16, request: &R) -> Bytes {
    frame_request(&header(R::KEY, version), request)
        .unwrap_or_else(|error| panic!("request {} in version {version}: {error}", R::KEY))
}

pub(super) struct Ask<'a> {
    pub(super) names: &'a Names,
    pub(super) version: i16,
}

impl Ask<'_> {
    /// A set of records that the broker refuses: what it says about it is of interest.
    fn produce(&self) -> ProduceRequest {
        let partition = PartitionProduceData::default().with_records(Some(Bytes::new()));
        let mut topic = TopicProduceData::default().with_partition_data(vec![partition]);
        if self.version >= 13 {
            topic.topic_id = self.names.topic_id;
        } else {
            topic.name = self.names.topic();
        }
        ProduceRequest::default()
            .with_acks(-1)
            .with_timeout_ms(1000)
            .with_topic_data(vec![topic])
    }

    fn fetch(&self) -> FetchRequest {
        let partition = |index| {
            let mut partition = FetchPartition::default()
                .with_partition(index)
                .with_partition_max_bytes(10_000);
            if self.version >= 5 {
                partition.log_start_offset = -1;
            }
            partition
        };
        let mut topic = FetchTopic::default().with_partitions((0..4).map(partition).collect());
        if self.version >= 13 {
            topic.topic_id = self.names.topic_id;
        } else {
            topic.topic = self.names.topic();
        }
        FetchRequest::default()
            .with_max_wait_ms(50)
            .with_min_bytes(1)
            .with_max_bytes(10_000)
            .with_topics(vec![topic])
    }

    fn list_offsets(&self) -> ListOffsetsRequest {
        let partition = ListOffsetsPartition::default().with_timestamp(-1);
        let topic = ListOffsetsTopic::default()
            .with_name(self.names.topic())
            .with_partitions(vec![partition]);
        ListOffsetsRequest::default()
            .with_replica_id(BrokerId(-1))
            .with_topics(vec![topic])
    }

    fn metadata(&self) -> Vec<MetadataRequest> {
        let topics = |topics| {
            let mut request = MetadataRequest::default().with_topics(topics);
            request.allow_auto_topic_creation = true;
            request.include_topic_authorized_operations = self.version >= 8;
            request.include_cluster_authorized_operations = (8..=10).contains(&self.version);
            request
        };
        let named = MetadataRequestTopic::default().with_name(Some(self.names.topic()));
        let mut all = vec![topics(None), topics(Some(vec![named]))];
        if self.version >= 12 {
            let by_id = MetadataRequestTopic::default()
                .with_name(None)
                .with_topic_id(self.names.topic_id);
            all.push(topics(Some(vec![by_id])));
        }
        all
    }

    fn offset_commit(&self) -> OffsetCommitRequest {
        let partition = OffsetCommitRequestPartition::default().with_committed_offset(1);
        let topic = OffsetCommitRequestTopic::default()
            .with_name(self.names.topic())
            .with_partitions(vec![partition]);
        OffsetCommitRequest::default()
            .with_group_id(self.names.made_group())
            .with_topics(vec![topic])
    }

    fn offset_fetch(&self) -> OffsetFetchRequest {
        let (name, partitions) = (self.names.topic(), vec![0]);
        if self.version < 8 {
            let topic = OffsetFetchRequestTopic::default()
                .with_name(name)
                .with_partition_indexes(partitions);
            return OffsetFetchRequest::default()
                .with_group_id(self.names.group())
                .with_topics(Some(vec![topic]));
        }
        let topic = OffsetFetchRequestTopics::default()
            .with_name(name)
            .with_partition_indexes(partitions);
        let group = |topics| {
            OffsetFetchRequestGroup::default()
                .with_group_id(self.names.group())
                .with_topics(topics)
        };
        OffsetFetchRequest::default().with_groups(vec![group(Some(vec![topic])), group(None)])
    }

    fn leader_epoch(&self) -> OffsetForLeaderEpochRequest {
        let partition = OffsetForLeaderPartition::default().with_current_leader_epoch(-1);
        let topic = OffsetForLeaderTopic::default()
            .with_topic(self.names.topic())
            .with_partitions(vec![partition]);
        let mut request = OffsetForLeaderEpochRequest::default().with_topics(vec![topic]);
        if self.version >= 3 {
            request.replica_id = BrokerId(-1);
        }
        request
    }

    fn coordinators(&self) -> Vec<FindCoordinatorRequest> {
        let of = |kind: i8, name: &str| {
            let mut request = FindCoordinatorRequest::default();
            if self.version >= 1 {
                request.key_type = kind;
            }
            if self.version >= 4 {
                request.coordinator_keys = vec![Names::text(name)];
            } else {
                request.key = Names::text(name);
            }
            request
        };
        let mut all = vec![of(0, &self.names.group)];
        if self.version >= 1 {
            all.push(of(1, &self.names.transaction));
        }
        all
    }

    fn configs(&self) -> DescribeConfigsRequest {
        let resource = |kind: i8, name: &str| {
            DescribeConfigsResource::default()
                .with_resource_type(kind)
                .with_resource_name(Names::text(name))
                .with_configuration_keys(None)
        };
        let (topic, broker, loggers, metrics, group) = (2, 4, 8, 16, 32);
        DescribeConfigsRequest::default()
            .with_include_synonyms(true)
            .with_resources(vec![
                resource(topic, &self.names.topic),
                resource(broker, "1"),
                resource(loggers, "1"),
                resource(metrics, &self.names.principal),
                resource(group, &self.names.group),
            ])
    }

    fn topic_partitions(&self) -> DescribeTopicPartitionsRequest {
        DescribeTopicPartitionsRequest::default()
            .with_response_partition_limit(100)
            .with_topics(vec![TopicRequest::default().with_name(self.names.topic())])
    }
}
