//! Reading of real brokers: what there is, and records.

use std::io::ErrorKind;

use weir_kafka_wire::CallError;
use weir_kafka_wire::kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use weir_kafka_wire::kafka_protocol::messages::{BrokerId, FetchRequest};

use super::kafka::{KafkaError, PoolAddress};
use super::kafka_real::{RealKafka, accepted, topic_name};
use super::logs::{Helping, Part, Read, Shown, Sight};

const FETCH: i16 = 12;
const READ_COMMITTED: i8 = 1;
const TOPICS_PER_CALL: usize = 500;

impl RealKafka {
    pub(super) async fn sight_of(&self, at: &PoolAddress, topics: &[String]) -> Result<Sight, KafkaError> {
        let mut sight = Sight::default();
        for page in topics.chunks(TOPICS_PER_CALL) {
            let answer = self.metadata(at, page).await?;
            sight.nodes = answer.brokers.iter().map(|it| it.node_id.0).collect();
            for topic in answer.topics {
                let leaders = topic.partitions.iter();
                let shown = Shown {
                    code: topic.error_code,
                    leaders: leaders.map(|it| (it.partition_index, it.leader_id.0)).collect(),
                };
                let name = topic.name.map(|it| it.as_str().to_owned());
                sight.topics.insert(name.unwrap_or_default(), shown);
            }
        }
        Ok(sight)
    }

    pub(super) async fn fetch(
        &self,
        at: &PoolAddress,
        node: i32,
        from: &[(Part, i64)],
        helping: Helping,
    ) -> Result<Vec<Read>, KafkaError> {
        let mut topics: Vec<FetchTopic> = Vec::new();
        for ((name, partition), offset) in from {
            let wanted = FetchPartition::default()
                .with_partition(*partition)
                .with_current_leader_epoch(-1)
                .with_fetch_offset(*offset)
                .with_last_fetched_epoch(-1)
                .with_log_start_offset(-1)
                .with_partition_max_bytes(bytes(helping.partition_bytes));
            // In the order that was asked for: brokers fill answers in it.
            match topics.last_mut().filter(|it| it.topic.as_str() == name) {
                Some(topic) => topic.partitions.push(wanted),
                None => topics.push(
                    FetchTopic::default()
                        .with_topic(topic_name(name))
                        .with_partitions(vec![wanted]),
                ),
            }
        }
        let request = FetchRequest::default()
            .with_replica_id(BrokerId(-1))
            .with_max_wait_ms(helping.wait_ms)
            .with_min_bytes(1)
            .with_max_bytes(bytes(helping.bytes))
            .with_isolation_level(READ_COMMITTED)
            .with_session_id(0)
            .with_session_epoch(-1)
            .with_topics(topics);
        let answer = self.call(at, Some(node), &request, FETCH).await?;
        accepted(answer.error_code)?;
        let mut read = Vec::with_capacity(from.len());
        for topic in answer.responses {
            for it in topic.partitions {
                let aborted = it.aborted_transactions.unwrap_or_default().into_iter();
                read.push(Read {
                    part: (topic.topic.as_str().to_owned(), it.partition_index),
                    code: it.error_code,
                    stable: it.last_stable_offset,
                    aborted: aborted.map(|it| (it.producer_id.0, it.first_offset)).collect(),
                    records: it.records.unwrap_or_default(),
                });
            }
        }
        Ok(read)
    }
}

/// What a failure means. Gateways end a connection whose certificate opens nothing with the first request.
pub(super) fn why(at: &PoolAddress, error: &CallError) -> KafkaError {
    match error {
        CallError::Login(_code) => KafkaError::Login,
        CallError::Io(io) if at.security.peer.is_some() => {
            let tls = io.get_ref().is_some_and(|it| it.is::<rustls::Error>());
            let ended = matches!(
                io.kind(),
                ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset | ErrorKind::BrokenPipe
            );
            if tls || ended {
                KafkaError::Stranger
            } else {
                KafkaError::Unreachable
            }
        }
        _other => KafkaError::Unreachable,
    }
}

fn bytes(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
