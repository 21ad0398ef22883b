//! Requests that administer. What one of them would remove is never our own: see [`Names::doomed`].

use bytes::Bytes;
use uuid::Uuid;
use weir_kafka_wire::kafka_protocol::messages::alter_client_quotas_request as alter_quotas;
use weir_kafka_wire::kafka_protocol::messages::alter_configs_request as replace;
use weir_kafka_wire::kafka_protocol::messages::alter_partition_reassignments_request::ReassignableTopic;
use weir_kafka_wire::kafka_protocol::messages::create_acls_request::AclCreation;
use weir_kafka_wire::kafka_protocol::messages::create_partitions_request::CreatePartitionsTopic;
use weir_kafka_wire::kafka_protocol::messages::create_topics_request::CreatableTopic;
use weir_kafka_wire::kafka_protocol::messages::delete_acls_request::DeleteAclsFilter;
use weir_kafka_wire::kafka_protocol::messages::delete_records_request::{
    DeleteRecordsPartition, DeleteRecordsTopic,
};
use weir_kafka_wire::kafka_protocol::messages::delete_topics_request::DeleteTopicState;
use weir_kafka_wire::kafka_protocol::messages::describe_client_quotas_request::ComponentData;
use weir_kafka_wire::kafka_protocol::messages::describe_log_dirs_request::DescribableLogDirTopic;
use weir_kafka_wire::kafka_protocol::messages::describe_user_scram_credentials_request::UserName;
use weir_kafka_wire::kafka_protocol::messages::elect_leaders_request::TopicPartitions;
use weir_kafka_wire::kafka_protocol::messages::incremental_alter_configs_request as change;
use weir_kafka_wire::kafka_protocol::messages::list_partition_reassignments_request::ListPartitionReassignmentsTopics;
use weir_kafka_wire::kafka_protocol::messages::offset_delete_request::{
    OffsetDeleteRequestPartition, OffsetDeleteRequestTopic,
};
use weir_kafka_wire::kafka_protocol::messages::*;
use weir_kafka_wire::kafka_protocol::protocol::StrBytes;

use super::requests::{Ask, Names, frame};

/// Kafka's codes: types of resources of settings and of ACLs, "any" of a filter.
const TOPIC: i8 = 2;
const BROKER: i8 = 4;
const CLIENT_METRICS: i8 = 16;
const GROUP: i8 = 32;
const ACL_TYPES: [i8; 4] = [1, 2, 3, 5];
const ANY: i8 = 1;

const WAIT_MS: i32 = 10_000;

fn word(text: &'static str) -> StrBytes {
    StrBytes::from_static_str(text)
}

impl Ask<'_> {
    /// Requests about topics and their settings.
    pub(super) fn of_topics(&self, key: ApiKey) -> Option<Vec<Bytes>> {
        let (names, version) = (self.names, self.version);
        Some(match key {
            ApiKey::CreateTopics => {
                let topic = CreatableTopic::default()
                    .with_name(names.topic())
                    .with_num_partitions(if version >= 4 { -1 } else { 1 })
                    .with_replication_factor(-1);
                vec![frame(
                    version,
                    &CreateTopicsRequest::default()
                        .with_topics(vec![topic])
                        .with_timeout_ms(WAIT_MS)
                        .with_validate_only(true),
                )]
            }
            ApiKey::DeleteTopics => self.delete_topics(),
            ApiKey::DeleteRecords => {
                let partition = DeleteRecordsPartition::default();
                let topic = DeleteRecordsTopic::default()
                    .with_name(names.topic())
                    .with_partitions(vec![partition]);
                let request = DeleteRecordsRequest::default().with_topics(vec![topic]);
                vec![frame(version, &request.with_timeout_ms(WAIT_MS))]
            }
            ApiKey::CreatePartitions => {
                let topic = CreatePartitionsTopic::default()
                    .with_name(names.topic())
                    .with_count(2)
                    .with_assignments(None);
                vec![frame(
                    version,
                    &CreatePartitionsRequest::default()
                        .with_topics(vec![topic])
                        .with_timeout_ms(WAIT_MS)
                        .with_validate_only(true),
                )]
            }
            ApiKey::AlterConfigs => vec![frame(version, &self.replace_configs())],
            ApiKey::IncrementalAlterConfigs => vec![frame(version, &self.change_configs())],
            ApiKey::DescribeLogDirs => {
                let topic = DescribableLogDirTopic::default()
                    .with_topic(names.topic())
                    .with_partitions(vec![0, 1]);
                let of = |topics| frame(version, &DescribeLogDirsRequest::default().with_topics(topics));
                vec![of(None), of(Some(vec![topic]))]
            }
            ApiKey::ListConfigResources => {
                let of = |types: Vec<i8>| {
                    let request = ListConfigResourcesRequest::default().with_resource_types(types);
                    frame(version, &request)
                };
                // Version 0 has no types.
                if version == 0 {
                    vec![of(Vec::new())]
                } else {
                    vec![
                        of(Vec::new()),
                        of(vec![TOPIC]),
                        of(vec![BROKER, CLIENT_METRICS, GROUP]),
                    ]
                }
            }
            _other => return self.of_replicas(key),
        })
    }

    fn delete_topics(&self) -> Vec<Bytes> {
        let (name, id) = self.names.doomed();
        let request = DeleteTopicsRequest::default().with_timeout_ms(WAIT_MS);
        if self.version < 6 {
            return vec![frame(self.version, &request.with_topic_names(vec![name]))];
        }
        let named = DeleteTopicState::default().with_name(Some(name));
        let by_id = DeleteTopicState::default().with_name(None).with_topic_id(id);
        vec![frame(self.version, &request.with_topics(vec![named, by_id]))]
    }

    fn replace_configs(&self) -> AlterConfigsRequest {
        let resource = |kind, name: &str| {
            replace::AlterConfigsResource::default()
                .with_resource_type(kind)
                .with_resource_name(Names::text(name))
                .with_configs(vec![
                    replace::AlterableConfig::default()
                        .with_name(word("retention.ms"))
                        .with_value(Some(word("7200000"))),
                ])
        };
        AlterConfigsRequest::default()
            .with_resources(vec![resource(TOPIC, &self.names.topic), resource(BROKER, "1")])
            .with_validate_only(true)
    }

    fn change_configs(&self) -> IncrementalAlterConfigsRequest {
        let resource = |kind, name: &str| {
            change::AlterConfigsResource::default()
                .with_resource_type(kind)
                .with_resource_name(Names::text(name))
                .with_configs(vec![
                    change::AlterableConfig::default()
                        .with_name(word("retention.ms"))
                        .with_value(Some(word("7200000"))),
                ])
        };
        IncrementalAlterConfigsRequest::default()
            .with_resources(vec![
                resource(TOPIC, &self.names.topic),
                resource(GROUP, &self.names.group),
                resource(BROKER, "1"),
            ])
            .with_validate_only(true)
    }

    /// Where replicas lie is not a tenant's to see.
    fn of_replicas(&self, key: ApiKey) -> Option<Vec<Bytes>> {
        let (names, version) = (self.names, self.version);
        Some(match key {
            ApiKey::ElectLeaders => {
                let topic = TopicPartitions::default()
                    .with_topic(names.topic())
                    .with_partitions(vec![0]);
                let of = |topics| {
                    let request = ElectLeadersRequest::default().with_topic_partitions(topics);
                    frame(version, &request.with_timeout_ms(WAIT_MS))
                };
                vec![of(None), of(Some(vec![topic]))]
            }
            ApiKey::AlterPartitionReassignments => {
                let topic = ReassignableTopic::default().with_name(names.topic());
                let request = AlterPartitionReassignmentsRequest::default().with_topics(vec![topic]);
                vec![frame(version, &request)]
            }
            ApiKey::ListPartitionReassignments => {
                let topic = ListPartitionReassignmentsTopics::default()
                    .with_name(names.topic())
                    .with_partition_indexes(vec![0]);
                let of = |topics| {
                    let request = ListPartitionReassignmentsRequest::default().with_topics(topics);
                    frame(version, &request)
                };
                vec![of(None), of(Some(vec![topic]))]
            }
            _other => return None,
        })
    }

    /// What is removed of groups.
    pub(super) fn of_removals(&self, key: ApiKey) -> Option<Vec<Bytes>> {
        let (names, version) = (self.names, self.version);
        Some(match key {
            ApiKey::DeleteGroups => {
                let groups = vec![names.doomed_group()];
                vec![frame(
                    version,
                    &DeleteGroupsRequest::default().with_groups_names(groups),
                )]
            }
            ApiKey::OffsetDelete => {
                // One that was never committed.
                let partition = OffsetDeleteRequestPartition::default().with_partition_index(1);
                let topic = OffsetDeleteRequestTopic::default()
                    .with_name(names.topic())
                    .with_partitions(vec![partition]);
                let request = OffsetDeleteRequest::default()
                    .with_group_id(names.group())
                    .with_topics(vec![topic]);
                vec![frame(version, &request)]
            }
            _other => return None,
        })
    }

    /// Requests about principals: ACLs, quotas, credentials.
    pub(super) fn of_principals(&self, key: ApiKey) -> Option<Vec<Bytes>> {
        let version = self.version;
        Some(match key {
            ApiKey::DescribeAcls => self.describe_acls(),
            ApiKey::CreateAcls => {
                let acl = AclCreation::default()
                    .with_resource_type(TOPIC)
                    .with_resource_name(Names::text(&self.names.topic))
                    .with_resource_pattern_type(3)
                    .with_principal(self.user())
                    .with_host(word("*"))
                    .with_operation(3)
                    .with_permission_type(3);
                vec![frame(
                    version,
                    &CreateAclsRequest::default().with_creations(vec![acl]),
                )]
            }
            ApiKey::DeleteAcls => {
                let filter = DeleteAclsFilter::default()
                    .with_resource_type_filter(ANY)
                    .with_resource_name_filter(None)
                    .with_pattern_type_filter(ANY)
                    .with_principal_filter(None)
                    .with_host_filter(None)
                    .with_operation(ANY)
                    .with_permission_type(ANY);
                vec![frame(
                    version,
                    &DeleteAclsRequest::default().with_filters(vec![filter]),
                )]
            }
            ApiKey::DescribeClientQuotas => self.describe_quotas(),
            ApiKey::AlterClientQuotas => {
                let entity = alter_quotas::EntityData::default()
                    .with_entity_type(word("user"))
                    .with_entity_name(Some(Names::text(&self.names.principal)));
                let op = alter_quotas::OpData::default()
                    .with_key(word("producer_byte_rate"))
                    .with_value(1000.0);
                let entry = alter_quotas::EntryData::default()
                    .with_entity(vec![entity])
                    .with_ops(vec![op]);
                vec![frame(
                    version,
                    &AlterClientQuotasRequest::default().with_entries(vec![entry]),
                )]
            }
            ApiKey::DescribeUserScramCredentials => {
                let user = UserName::default().with_name(Names::text(&self.names.principal));
                let of = |users| {
                    frame(
                        version,
                        &DescribeUserScramCredentialsRequest::default().with_users(users),
                    )
                };
                vec![of(None), of(Some(vec![user]))]
            }
            _other => return None,
        })
    }

    fn user(&self) -> StrBytes {
        Names::text(&format!("User:{}", self.names.principal))
    }

    fn describe_acls(&self) -> Vec<Bytes> {
        let of = |kind: i8, name: Option<&str>, principal: Option<StrBytes>| {
            let request = DescribeAclsRequest::default()
                .with_resource_type_filter(kind)
                .with_resource_name_filter(name.map(Names::text))
                .with_pattern_type_filter(ANY)
                .with_principal_filter(principal)
                .with_host_filter(None)
                .with_operation(ANY)
                .with_permission_type(ANY);
            frame(self.version, &request)
        };
        let mut all: Vec<Bytes> = ACL_TYPES.iter().map(|kind| of(*kind, None, None)).collect();
        all.push(of(TOPIC, Some(&self.names.topic), None));
        all.push(of(ANY, None, Some(self.user())));
        all
    }

    fn describe_quotas(&self) -> Vec<Bytes> {
        let of = |components| {
            let request = DescribeClientQuotasRequest::default().with_components(components);
            frame(self.version, &request)
        };
        // Exactly this user, the default, any of the kind.
        let component = |kind: i8, name: Option<StrBytes>| {
            ComponentData::default()
                .with_entity_type(word("user"))
                .with_match_type(kind)
                .with_match(name)
        };
        let user = Names::text(&self.names.principal);
        vec![
            of(Vec::new()),
            of(vec![component(0, Some(user))]),
            of(vec![component(1, None)]),
            of(vec![component(2, None)]),
        ]
    }
}

impl Names {
    /// What a request to delete names: these, unless they are our own.
    fn doomed(&self) -> (TopicName, Uuid) {
        let (name, id) = &self.spared;
        let absent = format!("{name}-absent");
        let doomed = if self.topic == *name { &absent } else { &self.topic };
        let nobodys = Uuid::new_v4();
        (
            Self::text(doomed).into(),
            if self.topic_id == *id {
                nobodys
            } else {
                self.topic_id
            },
        )
    }

    fn doomed_group(&self) -> GroupId {
        Self::text(&format!("{}-absent", self.group)).into()
    }
}
