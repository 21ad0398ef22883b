//! Requests about what is not a tenant's: leaders, placement, credentials. The gateway answers them, so that tools which
//! ask in passing go on.

use kafka_protocol::messages::describe_user_scram_credentials_response::DescribeUserScramCredentialsResult;
use kafka_protocol::messages::elect_leaders_response::{PartitionResult, ReplicaElectionResult};
use kafka_protocol::messages::list_config_resources_response::ConfigResource;
use kafka_protocol::messages::{
    AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse,
    DescribeUserScramCredentialsRequest, DescribeUserScramCredentialsResponse, ElectLeadersRequest,
    ElectLeadersResponse, ListConfigResourcesRequest, ListConfigResourcesResponse,
    ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponse,
};
use kafka_protocol::protocol::StrBytes;

use super::{Call, Plan, Refusal, code};

const LEADERS: &str = "Leaders are elected by the brokers of the pool.";
const PLACEMENT: &str = "Replicas are placed by Weir.";
const NO_CREDENTIALS: &str = "Credentials are API keys of Weir; there is no such user.";
const TOPIC: i8 = 2;
/// From this version on a request says which types it wants; before, it means metrics of clients.
const TYPED: i16 = 1;

fn text(text: &'static str) -> Option<StrBytes> {
    Some(StrBytes::from_static_str(text))
}

pub(super) fn elect_leaders(call: Call<'_>, request: ElectLeadersRequest) -> Result<Plan, Refusal> {
    let refused = request
        .topic_partitions
        .unwrap_or_default()
        .into_iter()
        .map(|it| {
            let partitions = it.partitions.iter().map(|index| {
                PartitionResult::default()
                    .with_partition_id(*index)
                    .with_error_code(code::CLUSTER_AUTHORIZATION_FAILED)
                    .with_error_message(text(LEADERS))
            });
            ReplicaElectionResult::default()
                .with_topic(it.topic)
                .with_partition_result(partitions.collect())
        });
    let mut response = ElectLeadersResponse::default().with_replica_election_results(refused.collect());
    if call.header.version >= 1 {
        response.error_code = code::CLUSTER_AUTHORIZATION_FAILED;
    }
    call.answer::<ElectLeadersRequest>(&response)
}

pub(super) fn alter_reassignments(
    call: Call<'_>,
    request: &AlterPartitionReassignmentsRequest,
) -> Result<Plan, Refusal> {
    let mut response = AlterPartitionReassignmentsResponse::default()
        .with_error_code(code::CLUSTER_AUTHORIZATION_FAILED)
        .with_error_message(text(PLACEMENT));
    if call.header.version >= 1 {
        response.allow_replication_factor_change = request.allow_replication_factor_change;
    }
    call.answer::<AlterPartitionReassignmentsRequest>(&response)
}

/// None is ever under way that a tenant asked for.
pub(super) fn list_reassignments(
    call: Call<'_>,
    _request: &ListPartitionReassignmentsRequest,
) -> Result<Plan, Refusal> {
    call.answer::<ListPartitionReassignmentsRequest>(
        &ListPartitionReassignmentsResponse::default().with_error_message(None),
    )
}

/// Users of SCRAM are API keys, which are nobody's to list by the Kafka protocol.
pub(super) fn scram_credentials(
    call: Call<'_>,
    request: DescribeUserScramCredentialsRequest,
) -> Result<Plan, Refusal> {
    let results = request.users.unwrap_or_default().into_iter().map(|it| {
        DescribeUserScramCredentialsResult::default()
            .with_user(it.name)
            .with_error_code(code::RESOURCE_NOT_FOUND)
            .with_error_message(text(NO_CREDENTIALS))
    });
    let response = DescribeUserScramCredentialsResponse::default()
        .with_error_message(None)
        .with_results(results.collect());
    call.answer::<DescribeUserScramCredentialsRequest>(&response)
}

/// Of the things that have settings a tenant has topics.
pub(super) fn config_resources(
    call: Call<'_>,
    request: &ListConfigResourcesRequest,
) -> Result<Plan, Refusal> {
    let types = &request.resource_types;
    let asked = call.header.version >= TYPED && (types.is_empty() || types.contains(&TOPIC));
    let visible = call
        .tenant
        .cluster
        .topics()
        .iter()
        .filter(|it| asked && call.tenant.sees(it))
        .map(|it| {
            ConfigResource::default()
                .with_resource_name(it.name.clone())
                .with_resource_type(TOPIC)
        });
    let response = ListConfigResourcesResponse::default().with_config_resources(visible.collect());
    call.answer::<ListConfigResourcesRequest>(&response)
}
