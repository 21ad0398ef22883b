//! Questions about groups to the agent, and what its refusals mean to the caller.

use std::time::Duration;

use weir_proto::agent::v1::ask::Question;
use weir_proto::agent::v1::{Answer, AnswerCode};

use crate::kernel::{DataPlaneId, Error, ErrorKind, Result, code};
use crate::runtime::App;

const READ_DEADLINE: Duration = Duration::from_secs(10);
const ACT_DEADLINE: Duration = Duration::from_secs(20);

/// Asks for what is; an answer that is none is an error.
pub async fn read(app: &App, data_plane: DataPlaneId, question: Question) -> Result<Answer> {
    let answer = app.agents.ask(data_plane, question, READ_DEADLINE).await?;
    check(answer)
}

/// How a question that acts may end without an answer.
pub enum Unanswered {
    /// Nothing was done.
    Refused(Error),
    /// Nobody knows what was done.
    Unknown(Error),
}

/// Asks for something to be done.
pub async fn act(
    app: &App,
    data_plane: DataPlaneId,
    question: Question,
) -> std::result::Result<Answer, Unanswered> {
    let reachable = app.agents.connected(data_plane);
    match app.agents.ask(data_plane, question, ACT_DEADLINE).await {
        Ok(answer) if answer.code() == AnswerCode::Deadline => Err(Unanswered::Unknown(unknown())),
        Ok(answer) => check(answer).map_err(Unanswered::Refused),
        Err(_away) if reachable => Err(Unanswered::Unknown(unknown())),
        Err(away) => Err(Unanswered::Refused(away)),
    }
}

fn unknown() -> Error {
    let detail = "The agent did not answer in time; it may have carried it out all the same. Look at the group's offsets \
                  before you repeat it.";
    Error::unavailable(code::AGENT_UNREACHABLE, detail, 5)
}

fn check(answer: Answer) -> Result<Answer> {
    let refused = match answer.code() {
        AnswerCode::Ok => return Ok(answer),
        AnswerCode::NotFound => Error::not_found("ConsumerGroup"),
        AnswerCode::GroupActive => Error::conflict(
            code::GROUP_ACTIVE,
            "The group has members. Stop its consumers, wait until their session time-out is over, and repeat.",
        ),
        AnswerCode::PolicyRefused => Error::new(
            ErrorKind::Denied,
            code::POLICY_REFUSED,
            "The policy of the data plane's owner refuses it; nothing was changed. Only they can allow it, in its policy file.",
        ),
        AnswerCode::Refused => Error::conflict(
            code::KAFKA_REFUSED,
            "Kafka refused it. The agent's log in the data plane says why.",
        ),
        AnswerCode::UnknownPartition => Error::invalid(
            "/topics",
            code::BAD_REFERENCE,
            "A topic or partition that is named does not exist in Kafka.",
        ),
        AnswerCode::TooLarge => Error::invalid(
            "/topics",
            code::OUT_OF_RANGE,
            "The group has more than 10000 partitions: name fewer topics at a time.",
        ),
        AnswerCode::Unsupported => Error::unavailable(
            code::AGENT_UNREACHABLE,
            "This version of the agent does not know consumer groups: update it.",
            60,
        ),
        AnswerCode::Unspecified | AnswerCode::Unavailable | AnswerCode::Deadline => {
            Error::unavailable(code::AGENT_UNREACHABLE, "The agent could not reach Kafka.", 5)
        }
    };
    Err(refused)
}
