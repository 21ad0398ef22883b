//! Requests to coordinators and about the cluster.

use bytes::Bytes;
use uuid::Uuid;
use weir_kafka_wire::kafka_protocol::messages::add_partitions_to_txn_request::AddPartitionsToTxnTopic;
use weir_kafka_wire::kafka_protocol::messages::consumer_group_heartbeat_request::TopicPartitions;
use weir_kafka_wire::kafka_protocol::messages::describe_producers_request::TopicRequest as ProducersOfTopic;
use weir_kafka_wire::kafka_protocol::messages::join_group_request::JoinGroupRequestProtocol;
use weir_kafka_wire::kafka_protocol::messages::leave_group_request::MemberIdentity;
use weir_kafka_wire::kafka_protocol::messages::txn_offset_commit_request::{
    TxnOffsetCommitRequestPartition, TxnOffsetCommitRequestTopic,
};
use weir_kafka_wire::kafka_protocol::messages::*;
use weir_kafka_wire::kafka_protocol::protocol::StrBytes;

use super::requests::{Ask, Names, frame};

/// The group of KIP-848 that a tenant has beside its classic one.
pub(super) fn consumers_of(group: &str) -> String {
    format!("{group}-consumers")
}

impl Ask<'_> {
    pub(super) fn of_groups(&self, key: ApiKey) -> Option<Vec<Bytes>> {
        let (names, version) = (self.names, self.version);
        let member = StrBytes::from_static_str("nobody");
        if key == ApiKey::ConsumerGroupHeartbeat {
            return Some(self.consumer_heartbeats());
        }
        Some(vec![match key {
            ApiKey::JoinGroup => frame(version, &self.join()),
            ApiKey::Heartbeat => frame(
                version,
                &HeartbeatRequest::default()
                    .with_group_id(names.group())
                    .with_member_id(member),
            ),
            ApiKey::LeaveGroup => {
                let mut request = LeaveGroupRequest::default().with_group_id(names.group());
                if version >= 3 {
                    request.members = vec![MemberIdentity::default().with_member_id(member)];
                } else {
                    request.member_id = member;
                }
                frame(version, &request)
            }
            ApiKey::SyncGroup => frame(
                version,
                &SyncGroupRequest::default()
                    .with_group_id(names.group())
                    .with_member_id(member),
            ),
            ApiKey::DescribeGroups => {
                let consumers = Names::text(&consumers_of(&names.group)).into();
                let mut request =
                    DescribeGroupsRequest::default().with_groups(vec![names.group(), consumers]);
                request.include_authorized_operations = version >= 3;
                frame(version, &request)
            }
            ApiKey::ListGroups => frame(version, &ListGroupsRequest::default()),
            ApiKey::ConsumerGroupDescribe => frame(
                version,
                &ConsumerGroupDescribeRequest::default()
                    .with_group_ids(vec![
                        names.group(),
                        Names::text(&consumers_of(&names.group)).into(),
                    ])
                    .with_include_authorized_operations(true),
            ),
            _other => return None,
        }])
    }

    /// A group of its own each time: a join would else wait for the member of the last one.
    fn join(&self) -> JoinGroupRequest {
        let group = format!("{}-join-{}", self.names.made, Uuid::new_v4().simple());
        let mut metadata = vec![0, 0, 0, 0, 0, 1];
        metadata.extend_from_slice(
            &u16::try_from(self.names.topic.len())
                .expect("a name")
                .to_be_bytes(),
        );
        metadata.extend_from_slice(self.names.topic.as_bytes());
        metadata.extend_from_slice(&(-1_i32).to_be_bytes());
        let protocol = JoinGroupRequestProtocol::default()
            .with_name(StrBytes::from_static_str("range"))
            .with_metadata(metadata.into());
        let mut request = JoinGroupRequest::default()
            .with_group_id(Names::text(&group).into())
            .with_session_timeout_ms(6000)
            .with_protocol_type(StrBytes::from_static_str("consumer"))
            .with_protocols(vec![protocol]);
        request.rebalance_timeout_ms = if self.version >= 1 { 6000 } else { -1 };
        request
    }

    /// Joins by name; and with partitions that it would like to have been given, by id.
    fn consumer_heartbeats(&self) -> Vec<Bytes> {
        let group = format!("{}-consumers-{}", self.names.made, Uuid::new_v4().simple());
        let member = Names::text(&Uuid::new_v4().to_string());
        let mut request = ConsumerGroupHeartbeatRequest::default()
            .with_group_id(Names::text(&group).into())
            .with_rebalance_timeout_ms(5000)
            .with_subscribed_topic_names(Some(vec![self.names.topic()]))
            .with_topic_partitions(Some(Vec::new()));
        if self.version >= 1 {
            request.member_id = member;
            request.subscribed_topic_regex = Some(StrBytes::from_static_str(".*"));
        }
        let mut owning = request.clone();
        owning.topic_partitions = Some(vec![
            TopicPartitions::default()
                .with_topic_id(self.names.topic_id)
                .with_partitions(vec![0, 1]),
        ]);
        if self.version >= 1 {
            owning.subscribed_topic_regex = Some(Names::text(&format!("{}|.*", self.names.topic)));
        }
        vec![frame(self.version, &request), frame(self.version, &owning)]
    }

    pub(super) fn of_transactions(&self, key: ApiKey) -> Option<Vec<Bytes>> {
        let (names, version) = (self.names, self.version);
        let (producer, epoch) = (ProducerId(names.producer.0), names.producer.1);
        Some(vec![match key {
            // Another id than the open transaction's, which it would end.
            ApiKey::InitProducerId => frame(
                version,
                &InitProducerIdRequest::default()
                    .with_transactional_id(Some(names.made_transaction()))
                    .with_transaction_timeout_ms(60_000),
            ),
            ApiKey::AddPartitionsToTxn => {
                let topic = AddPartitionsToTxnTopic::default()
                    .with_name(names.topic())
                    .with_partitions(vec![0]);
                frame(
                    version,
                    &AddPartitionsToTxnRequest::default()
                        .with_v3_and_below_transactional_id(names.transaction())
                        .with_v3_and_below_producer_id(producer)
                        .with_v3_and_below_producer_epoch(epoch)
                        .with_v3_and_below_topics(vec![topic]),
                )
            }
            ApiKey::AddOffsetsToTxn => frame(
                version,
                &AddOffsetsToTxnRequest::default()
                    .with_transactional_id(names.transaction())
                    .with_producer_id(producer)
                    .with_producer_epoch(epoch)
                    .with_group_id(names.made_group()),
            ),
            ApiKey::EndTxn => frame(
                version,
                &EndTxnRequest::default()
                    .with_transactional_id(Names::text(&format!("{}-none", names.transaction)).into())
                    .with_producer_id(producer)
                    .with_producer_epoch(epoch),
            ),
            ApiKey::TxnOffsetCommit => {
                let partition = TxnOffsetCommitRequestPartition::default().with_committed_offset(1);
                let topic = TxnOffsetCommitRequestTopic::default()
                    .with_name(names.topic())
                    .with_partitions(vec![partition]);
                frame(
                    version,
                    &TxnOffsetCommitRequest::default()
                        .with_transactional_id(names.transaction())
                        .with_group_id(names.made_group())
                        .with_producer_id(producer)
                        .with_producer_epoch(epoch)
                        .with_topics(vec![topic]),
                )
            }
            ApiKey::DescribeProducers => {
                let topic = ProducersOfTopic::default()
                    .with_name(names.topic())
                    .with_partition_indexes(vec![0, 1]);
                frame(
                    version,
                    &DescribeProducersRequest::default().with_topics(vec![topic]),
                )
            }
            ApiKey::DescribeTransactions => frame(
                version,
                &DescribeTransactionsRequest::default().with_transactional_ids(vec![names.transaction()]),
            ),
            ApiKey::ListTransactions => frame(version, &ListTransactionsRequest::default()),
            _other => return None,
        }])
    }

    pub(super) fn of_the_cluster(&self, key: ApiKey) -> Option<Vec<Bytes>> {
        let version = self.version;
        let word = || StrBytes::from_static_str("weir");
        Some(match key {
            ApiKey::DescribeCluster => {
                let request = |endpoint_type| {
                    let mut request =
                        DescribeClusterRequest::default().with_include_cluster_authorized_operations(true);
                    if version >= 1 {
                        request.endpoint_type = endpoint_type;
                    }
                    frame(version, &request)
                };
                vec![request(1), request(2)]
            }
            ApiKey::ApiVersions => {
                let mut request = ApiVersionsRequest::default();
                if version >= 3 {
                    request.client_software_name = word();
                    request.client_software_version = word();
                }
                vec![frame(version, &request)]
            }
            _other => return None,
        })
    }
}
