//! How much a topic holds: asked from the agent when somebody looks; offsets and sizes only.

use std::time::Duration;

use serde::Serialize;
use utoipa::ToSchema;
use weir_proto::agent::v1::ask::Question;
use weir_proto::agent::v1::{AnswerCode, PartitionExtent, TopicExtentQuestion};

use crate::kernel::{Error, Result, code};
use crate::resources::topic::model::Topic;
use crate::runtime::App;

const DEADLINE: Duration = Duration::from_secs(5);

/// One partition.
#[derive(Debug, Serialize, ToSchema)]
pub struct Partition {
    /// Its number.
    pub partition: u32,
    /// Offset of the oldest record that is left.
    pub log_start_offset: i64,
    /// Offset after the newest record.
    pub log_end_offset: i64,
    /// Bytes of the leader's log segments.
    pub size_bytes: i64,
}

/// A topic's extent.
#[derive(Debug, Serialize, ToSchema)]
pub struct TopicExtent {
    kind: &'static str,
    partitions: Vec<Partition>,
}

/// Asks the agent.
///
/// # Errors
/// 503 when it is not connected here or does not answer in five seconds; 409 while the topic is not in the data plane.
pub async fn ask(app: &App, topic: &Topic) -> Result<TopicExtent> {
    let question = Question::TopicExtent(TopicExtentQuestion {
        topic_id: topic.id.to_string(),
    });
    let answer = app.agents.ask(topic.data_plane, question, DEADLINE).await?;
    match (answer.code(), answer.topic_extent) {
        (AnswerCode::Ok, Some(extent)) => {
            let partitions = extent.partitions.into_iter().map(|it| {
                let PartitionExtent {
                    partition,
                    log_start_offset,
                    log_end_offset,
                    size_bytes,
                } = it;
                Partition {
                    partition,
                    log_start_offset,
                    log_end_offset,
                    size_bytes,
                }
            });
            Ok(TopicExtent {
                kind: "TopicExtent",
                partitions: partitions.collect(),
            })
        }
        (AnswerCode::NotFound, _) => Err(Error::conflict(
            code::WRONG_PHASE,
            "The topic does not exist in the data plane now: it is still being made, or already being deleted.",
        )),
        _ => Err(Error::unavailable(
            code::AGENT_UNREACHABLE,
            "The agent could not reach Kafka.",
            5,
        )),
    }
}
