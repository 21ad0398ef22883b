//! Which requests, in which versions, the gateway polices. Nothing else is advertised; nothing else passes.
//!
//! An explicit table: `kafka-protocol` claims versions that it cannot decode, and a new broker version must not open a
//! request that nobody rewrites here. A test sends every version of every row through the decoder and back.

use std::collections::BTreeMap;

use kafka_protocol::messages::api_versions_response::{ApiVersion, FinalizedFeatureKey, SupportedFeatureKey};
use kafka_protocol::messages::{ApiKey, ApiVersionsResponse};
use kafka_protocol::protocol::StrBytes;

/// (request, least version, greatest version).
pub const TABLE: [(ApiKey, i16, i16); 49] = [
    (ApiKey::Produce, 3, 13),
    (ApiKey::Fetch, 4, 18),
    (ApiKey::ListOffsets, 1, 10),
    // Version 0 cannot ask for no topics: an empty list means all.
    (ApiKey::Metadata, 1, 13),
    // The crate decodes 10 (topic ids) of neither.
    (ApiKey::OffsetCommit, 2, 9),
    (ApiKey::OffsetFetch, 1, 9),
    (ApiKey::FindCoordinator, 0, 6),
    (ApiKey::JoinGroup, 0, 9),
    (ApiKey::Heartbeat, 0, 4),
    (ApiKey::LeaveGroup, 0, 5),
    (ApiKey::SyncGroup, 0, 5),
    (ApiKey::DescribeGroups, 0, 6),
    (ApiKey::ListGroups, 0, 5),
    // Version 0 is followed by tokens without frames of the protocol.
    (ApiKey::SaslHandshake, 1, 1),
    (ApiKey::ApiVersions, 0, 4),
    // 6 is for two-phase commit by the client, which holds transactions open without a limit.
    (ApiKey::CreateTopics, 2, 7),
    (ApiKey::DeleteTopics, 1, 6),
    (ApiKey::DeleteRecords, 0, 2),
    (ApiKey::InitProducerId, 0, 5),
    (ApiKey::OffsetForLeaderEpoch, 2, 4),
    // From 4 on the request is for brokers among themselves.
    (ApiKey::AddPartitionsToTxn, 0, 3),
    (ApiKey::AddOffsetsToTxn, 0, 4),
    (ApiKey::EndTxn, 0, 5),
    (ApiKey::TxnOffsetCommit, 0, 5),
    (ApiKey::DescribeAcls, 1, 3),
    (ApiKey::CreateAcls, 1, 3),
    (ApiKey::DeleteAcls, 1, 3),
    (ApiKey::DescribeConfigs, 1, 4),
    (ApiKey::AlterConfigs, 0, 2),
    // The crate does not know 5.
    (ApiKey::DescribeLogDirs, 1, 4),
    (ApiKey::SaslAuthenticate, 0, 2),
    (ApiKey::CreatePartitions, 0, 3),
    (ApiKey::DeleteGroups, 0, 2),
    (ApiKey::ElectLeaders, 0, 2),
    (ApiKey::IncrementalAlterConfigs, 0, 1),
    (ApiKey::AlterPartitionReassignments, 0, 1),
    (ApiKey::ListPartitionReassignments, 0, 0),
    (ApiKey::OffsetDelete, 0, 0),
    (ApiKey::DescribeClientQuotas, 0, 1),
    (ApiKey::AlterClientQuotas, 0, 1),
    (ApiKey::DescribeUserScramCredentials, 0, 0),
    (ApiKey::DescribeCluster, 0, 2),
    (ApiKey::DescribeProducers, 0, 0),
    (ApiKey::DescribeTransactions, 0, 0),
    // 2 has patterns that the broker would match against everybody's ids.
    (ApiKey::ListTransactions, 0, 1),
    (ApiKey::ConsumerGroupHeartbeat, 0, 1),
    (ApiKey::ConsumerGroupDescribe, 0, 1),
    (ApiKey::ListConfigResources, 0, 1),
    (ApiKey::DescribeTopicPartitions, 0, 0),
];

/// Answered without a broker: brokers need not know them.
const OWN: [ApiKey; 18] = [
    ApiKey::ApiVersions,
    ApiKey::SaslHandshake,
    ApiKey::SaslAuthenticate,
    ApiKey::CreateTopics,
    ApiKey::DeleteTopics,
    ApiKey::DescribeAcls,
    ApiKey::CreateAcls,
    ApiKey::DeleteAcls,
    ApiKey::AlterConfigs,
    ApiKey::CreatePartitions,
    ApiKey::ElectLeaders,
    ApiKey::IncrementalAlterConfigs,
    ApiKey::AlterPartitionReassignments,
    ApiKey::ListPartitionReassignments,
    ApiKey::DescribeClientQuotas,
    ApiKey::AlterClientQuotas,
    ApiKey::DescribeUserScramCredentials,
    ApiKey::ListConfigResources,
];

/// Advertised from version 0, as brokers do: librdkafka reads version 0 of them as "there is compression" and "there is
/// SASL". It does not send those versions, which are refused.
const FROM_ZERO: [ApiKey; 2] = [ApiKey::Produce, ApiKey::SaslHandshake];

/// Features of the broker that clients act upon and that the gateway carries.
const FEATURES: [&str; 2] = ["group.version", "transaction.version"];

/// The row of a request that may pass in this version.
#[must_use]
pub fn admitted(api_key: i16, version: i16) -> Option<ApiKey> {
    TABLE
        .iter()
        .find(|(key, least, greatest)| *key as i16 == api_key && (*least..=*greatest).contains(&version))
        .map(|(key, _least, _greatest)| *key)
}

/// What a broker said of itself.
#[derive(Debug, Clone, PartialEq)]
pub struct BrokerVersions {
    /// (least, greatest) by API key.
    pub ranges: BTreeMap<i16, (i16, i16)>,
    answer: ApiVersionsResponse,
}

impl BrokerVersions {
    /// Reads a broker's answer.
    #[must_use]
    pub fn new(answer: ApiVersionsResponse) -> Self {
        let ranges = answer
            .api_keys
            .iter()
            .map(|it| (it.api_key, (it.min_version, it.max_version)))
            .collect();
        Self { ranges, answer }
    }
}

/// The gateway's answer to `ApiVersions`: the table, cut to what every broker behind it understands.
#[must_use]
pub fn advertised(brokers: &[&BrokerVersions]) -> ApiVersionsResponse {
    let mut out = ApiVersionsResponse::default().with_finalized_features_epoch(-1);
    out.api_keys = TABLE
        .iter()
        .filter_map(|(key, least, greatest)| {
            let own = OWN.contains(key);
            let mut range = (*least, *greatest);
            for broker in brokers.iter().filter(|_broker| !own) {
                let (theirs_least, theirs_greatest) = broker.ranges.get(&(*key as i16))?;
                // Brokers advertise Produce from 0 for librdkafka's sake, which else switches compression off; they
                // refuse those versions when used, and so do we.
                range.0 = if *key == ApiKey::Produce {
                    0
                } else {
                    range.0.max(*theirs_least)
                };
                range.1 = range.1.min(*theirs_greatest);
            }
            let fits = range.0 <= range.1;
            if FROM_ZERO.contains(key) {
                range.0 = 0;
            }
            fits.then(|| {
                ApiVersion::default()
                    .with_api_key(*key as i16)
                    .with_min_version(range.0)
                    .with_max_version(range.1)
            })
        })
        .collect();
    if let [only] = brokers {
        features(&mut out, &only.answer);
    }
    out
}

fn features(out: &mut ApiVersionsResponse, broker: &ApiVersionsResponse) {
    let known = |name: &StrBytes| FEATURES.contains(&name.as_str());
    out.supported_features = broker
        .supported_features
        .iter()
        .filter(|it| known(&it.name))
        .map(|it| {
            SupportedFeatureKey::default()
                .with_name(it.name.clone())
                .with_min_version(it.min_version)
                .with_max_version(it.max_version)
        })
        .collect();
    out.finalized_features = broker
        .finalized_features
        .iter()
        .filter(|it| known(&it.name))
        .map(|it| {
            FinalizedFeatureKey::default()
                .with_name(it.name.clone())
                .with_min_version_level(it.min_version_level)
                .with_max_version_level(it.max_version_level)
        })
        .collect();
    out.finalized_features_epoch = broker.finalized_features_epoch;
}

#[cfg(test)]
#[path = "table_tests.rs"]
mod tests;
