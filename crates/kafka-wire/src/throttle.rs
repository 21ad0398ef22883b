//! Where an encoded answer has its `throttle_time_ms`.

use bytes::Bytes;

use crate::bounds::after_leading_fields;
use crate::header::response_is_flexible;
use crate::shape::{Direction, shape};

const PRODUCE: i16 = 0;
const API_VERSIONS: i16 = 18;
const OFFSET_DELETE: i16 = 47;

/// Answers that begin with the field, and the version from which on they have it.
const FIRST: [(i16, i16); 34] = [
    (1, 1),  // Fetch
    (2, 2),  // ListOffsets
    (3, 3),  // Metadata
    (8, 3),  // OffsetCommit
    (9, 3),  // OffsetFetch
    (10, 1), // FindCoordinator
    (11, 2), // JoinGroup
    (12, 1), // Heartbeat
    (13, 1), // LeaveGroup
    (14, 1), // SyncGroup
    (15, 1), // DescribeGroups
    (16, 1), // ListGroups
    (19, 2), // CreateTopics
    (20, 1), // DeleteTopics
    (21, 0), // DeleteRecords
    (22, 0), // InitProducerId
    (23, 2), // OffsetForLeaderEpoch
    (24, 0), // AddPartitionsToTxn
    (25, 0), // AddOffsetsToTxn
    (26, 0), // EndTxn
    (28, 0), // TxnOffsetCommit
    (29, 0), // DescribeAcls
    (32, 0), // DescribeConfigs
    (33, 0), // AlterConfigs
    (37, 0), // CreatePartitions
    (42, 0), // DeleteGroups
    (44, 0), // IncrementalAlterConfigs
    (60, 0), // DescribeCluster
    (61, 0), // DescribeProducers
    (65, 0), // DescribeTransactions
    (66, 0), // ListTransactions
    (68, 0), // ConsumerGroupHeartbeat
    (69, 0), // ConsumerGroupDescribe
    (75, 0), // DescribeTopicPartitions
];

/// The field's place in a whole frame that lies in pieces; `None` when the answer has none.
#[must_use]
pub fn offset(frame: &[Bytes], api_key: i16, version: i16) -> Option<usize> {
    let begin = 8 + usize::from(response_is_flexible(api_key, version));
    let within = match api_key {
        PRODUCE if version >= 1 => after(frame, begin, api_key, version, 1)?,
        // Error code, then the array of requests.
        API_VERSIONS if version >= 1 => after(frame, begin, api_key, version, 2)?,
        // Behind the error code.
        OFFSET_DELETE => 2,
        _other => {
            let (_key, _since) = FIRST
                .iter()
                .find(|(key, since)| *key == api_key && version >= *since)?;
            0
        }
    };
    let length: usize = frame.iter().map(Bytes::len).sum();
    (begin + within + 4 <= length).then_some(begin + within)
}

/// How many bytes the first fields take. Such answers are written in one piece.
fn after(frame: &[Bytes], begin: usize, api_key: i16, version: i16, fields: usize) -> Option<usize> {
    let [frame] = frame else { return None };
    let body = frame.get(begin..)?;
    let shape = shape(Direction::Response, api_key, version)?;
    let rest = after_leading_fields(shape, body, fields).ok()?;
    Some(body.len() - rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use kafka_protocol::messages::*;
    use kafka_protocol::protocol::{Decodable, Request};

    use crate::message::frame_response;
    use crate::sample;

    macro_rules! check {
        ($($request:ident $least:literal $greatest:literal),* $(,)?) => {$(
            for version in $least..=$greatest {
                for seed in 1..30 {
                    let shape = shape(Direction::Response, $request::KEY, version).unwrap();
                    let mut body = sample::body(shape, seed * 7919);
                    let mut answer = <$request as Request>::Response::decode(&mut body, version).unwrap();
                    answer.throttle_time_ms = 0x0102_0304;
                    let Ok(frame) = frame_response::<$request>(version, 5, &answer) else {
                        // A version that has no such field.
                        answer.throttle_time_ms = 0;
                        let frame = frame_response::<$request>(version, 5, &answer).unwrap();
                        assert_eq!(offset(&[frame], $request::KEY, version), None, "{} {version}", stringify!($request));
                        continue;
                    };
                    let found = offset(std::slice::from_ref(&frame), $request::KEY, version);
                    match found {
                        Some(at) => assert_eq!(frame[at..at + 4], [1, 2, 3, 4], "{} {version}", stringify!($request)),
                        // Kafka says of the field that it may be left out of versions that lack it.
                        None => assert!(!frame.windows(4).any(|it| it == [1, 2, 3, 4]), "{} {version}", stringify!($request)),
                    }
                }
            }
        )*};
    }

    #[test]
    fn the_field_is_found_in_every_answer_that_has_it() {
        check!(
            ProduceRequest 3 13, FetchRequest 4 18, ListOffsetsRequest 1 10, MetadataRequest 1 13,
            OffsetCommitRequest 2 9, OffsetFetchRequest 1 9, FindCoordinatorRequest 0 6, JoinGroupRequest 0 9,
            HeartbeatRequest 0 4, LeaveGroupRequest 0 5, SyncGroupRequest 0 5, DescribeGroupsRequest 0 6,
            ListGroupsRequest 0 5, ApiVersionsRequest 0 4, CreateTopicsRequest 2 7, DeleteTopicsRequest 1 6,
            DeleteRecordsRequest 0 2, InitProducerIdRequest 0 5, OffsetForLeaderEpochRequest 2 4,
            AddPartitionsToTxnRequest 0 3, AddOffsetsToTxnRequest 0 4, EndTxnRequest 0 5, TxnOffsetCommitRequest 0 5,
            DescribeConfigsRequest 1 4, CreatePartitionsRequest 0 3, DeleteGroupsRequest 0 2,
            IncrementalAlterConfigsRequest 0 1, OffsetDeleteRequest 0 0, DescribeClusterRequest 0 2,
            DescribeProducersRequest 0 0, DescribeTransactionsRequest 0 0, ListTransactionsRequest 0 1,
            ConsumerGroupHeartbeatRequest 0 1, ConsumerGroupDescribeRequest 0 1, DescribeTopicPartitionsRequest 0 0,
        );
    }
}
