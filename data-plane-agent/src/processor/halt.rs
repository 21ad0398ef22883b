//! Why a worker ends by itself.

use serde::{Deserialize, Serialize};
use weir_proto::agent::v1::{JobFailureCode, Reason};

/// Why a worker ends by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum HaltCode {
    /// The program cannot be compiled.
    ProgramRefused,
    /// A topic is not there.
    TopicMissing,
    /// The principal may not read or write there, or the login was not taken.
    Unauthorized,
    /// The log begins behind the place where the job was.
    DataExpired,
    /// A record that a step cannot take, and no dead-letter topic.
    PoisonRecord,
    /// Another worker has its transactional id.
    Fenced,
    /// Brokers or gateways refused or did not answer, beyond patience.
    Kafka,
}

impl HaltCode {
    /// As the job's status says it.
    #[must_use]
    pub const fn reason(self) -> Reason {
        match self {
            Self::ProgramRefused => Reason::ProgramRefused,
            Self::TopicMissing => Reason::SourceMissing,
            Self::Unauthorized => Reason::Unauthorized,
            Self::DataExpired => Reason::DataExpired,
            Self::PoisonRecord => Reason::PoisonRecord,
            Self::Fenced | Self::Kafka => Reason::WorkerFailing,
        }
    }

    /// Time alone does not mend it.
    #[must_use]
    pub const fn is_lasting(self) -> bool {
        !matches!(self, Self::Fenced | Self::Kafka)
    }

    /// As it is counted; nothing where the record's own failure is.
    #[must_use]
    pub const fn failure(self) -> Option<JobFailureCode> {
        match self {
            Self::TopicMissing => Some(JobFailureCode::TopicMissing),
            Self::Unauthorized => Some(JobFailureCode::Unauthorized),
            Self::Fenced | Self::Kafka | Self::DataExpired => Some(JobFailureCode::Kafka),
            Self::PoisonRecord | Self::ProgramRefused => None,
        }
    }
}

/// A worker's end: what for, and a sentence for the log of the worker.
#[derive(Debug, thiserror::Error)]
#[error("{code:?}: {text}")]
pub struct Halt {
    /// What for.
    pub code: HaltCode,
    /// A sentence without values of records.
    pub text: String,
}

impl Halt {
    /// Of a code and a sentence.
    #[must_use]
    pub fn new(code: HaltCode, text: impl Into<String>) -> Self {
        Self {
            code,
            text: text.into(),
        }
    }
}
