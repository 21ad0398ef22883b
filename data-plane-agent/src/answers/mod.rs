//! Answers to questions that come down the link: asked of Kafka now, through the customer's policy; enums, numbers, positions.

mod discovery;
mod groups;
mod reset;

pub use groups::is_tellable;

use std::time::Duration;

use weir_proto::agent::v1::ask::Question;
use weir_proto::agent::v1::{
    Answer, AnswerCode, Ask, ConnectionsAnswer, DiscoveryAnswer, GroupAnswer, GroupMovesAnswer, GroupsAnswer,
    TopicExtentAnswer,
};

use crate::driver::Directory;
use crate::lane::Questions;
use crate::platform::Platform;
use crate::platform::kafka::KafkaError;
use crate::policy::Policy;

/// What an answer is made from.
pub struct Desk<'a> {
    /// The customer's systems.
    pub platform: &'a Platform,
    /// Where things are.
    pub directory: &'a Directory,
    /// The customer's word.
    pub policy: &'a Policy,
    /// Who asks the gateways.
    pub questions: &'a Questions,
}

/// The body of an answer.
enum Said {
    Extent(TopicExtentAnswer),
    Groups(GroupsAnswer),
    Group(GroupAnswer),
    Moves(GroupMovesAnswer),
    Discovery(DiscoveryAnswer),
    Connections(ConnectionsAnswer),
}

/// Answers one question. A leader or coordinator that has just been chosen or moved is found at the next look, and what
/// only reads may look again.
pub async fn answer(ask: &Ask, desk: &Desk<'_>) -> Answer {
    let mut said = say(ask, desk).await;
    for pause in LOOK_AGAIN_AFTER {
        if !(only_reads(ask) && matches!(said, Err(AnswerCode::Unavailable))) {
            break;
        }
        tokio::time::sleep(pause).await;
        said = say(ask, desk).await;
    }
    let mut answer = Answer {
        ask_id: ask.ask_id,
        ..Answer::default()
    };
    match said {
        Err(code) => answer.set_code(code),
        Ok(said) => {
            answer.set_code(AnswerCode::Ok);
            match said {
                Said::Extent(it) => answer.topic_extent = Some(it),
                Said::Groups(it) => answer.groups = Some(it),
                Said::Group(it) => answer.group = Some(it),
                Said::Moves(it) => answer.group_moves = Some(it),
                Said::Discovery(it) => answer.discovery = Some(it),
                Said::Connections(it) => answer.connections = Some(it),
            }
        }
    }
    answer
}

fn only_reads(ask: &Ask) -> bool {
    !matches!(
        ask.question,
        Some(Question::GroupReset(_) | Question::GroupDelete(_))
    )
}

async fn say(ask: &Ask, desk: &Desk<'_>) -> Result<Said, AnswerCode> {
    match &ask.question {
        Some(Question::TopicExtent(it)) => extent(desk, &it.topic_id).await.map(Said::Extent),
        Some(Question::Groups(it)) => groups::list(desk, it).await.map(Said::Groups),
        Some(Question::Group(it)) => groups::get(desk, it).await.map(Said::Group),
        Some(Question::GroupReset(it)) => reset::reset(desk, it).await.map(Said::Moves),
        Some(Question::GroupDelete(it)) => reset::delete(desk, it).await.map(Said::Moves),
        Some(Question::Discovery(it)) => discovery::discover(desk, it).await.map(Said::Discovery),
        Some(Question::Connections(it)) => {
            let told = desk.questions.connections(it).await;
            told.map(Said::Connections).ok_or(AnswerCode::Unavailable)
        }
        None => Err(AnswerCode::Unsupported),
    }
}

async fn extent(desk: &Desk<'_>, topic_id: &str) -> Result<TopicExtentAnswer, AnswerCode> {
    let (at, name) = desk.directory.topics.get(topic_id).ok_or(AnswerCode::NotFound)?;
    let found = desk.platform.kafka.extent(at, name).await;
    let found = found.map_err(|error| match error {
        // A broker that has not yet heard of a topic that the controller has just made.
        KafkaError::Refused(UNKNOWN_TOPIC_OR_PARTITION) => AnswerCode::Unavailable,
        other => code(other),
    })?;
    let partitions = found.ok_or(AnswerCode::NotFound)?;
    Ok(TopicExtentAnswer { partitions })
}

/// Kafka's codes that mean that a group has members: `UNKNOWN_MEMBER_ID`, `REBALANCE_IN_PROGRESS`, `NON_EMPTY_GROUP`,
/// `STALE_MEMBER_EPOCH`.
const ACTIVE: [i16; 4] = [25, 27, 68, 113];
/// Its codes that a moment mends: `COORDINATOR_LOAD_IN_PROGRESS`, `COORDINATOR_NOT_AVAILABLE`, `NOT_COORDINATOR`,
/// `LEADER_NOT_AVAILABLE`, `NOT_LEADER_OR_FOLLOWER`.
const PASSING: [i16; 5] = [14, 15, 16, 5, 6];
const GROUP_ID_NOT_FOUND: i16 = 69;
const UNKNOWN_TOPIC_OR_PARTITION: i16 = 3;
const LOOK_AGAIN_AFTER: [Duration; 2] = [Duration::from_millis(200), Duration::from_millis(600)];

fn code(error: KafkaError) -> AnswerCode {
    match error {
        KafkaError::Unreachable | KafkaError::Login | KafkaError::Stranger => AnswerCode::Unavailable,
        KafkaError::Refused(GROUP_ID_NOT_FOUND) => AnswerCode::NotFound,
        KafkaError::Refused(code) if ACTIVE.contains(&code) => AnswerCode::GroupActive,
        KafkaError::Refused(code) if PASSING.contains(&code) => AnswerCode::Unavailable,
        KafkaError::Refused(_other) => AnswerCode::Refused,
    }
}

#[cfg(test)]
mod tests;
