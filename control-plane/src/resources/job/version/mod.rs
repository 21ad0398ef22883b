//! Versions of a job: what it did, does, and can be made to do again; and the topics that the newest reads and writes.

mod store;

pub use store::{keep, list, one, topics_of};

use serde_json::Value;

use crate::kernel::{Error, Result};
use crate::resources::job::model::JobProgram;
use crate::resources::topic::{TopicContract, TopicId};

/// A topic that a program may use.
#[derive(Debug, Clone)]
pub struct UsedTopic {
    /// Its id.
    pub id: TopicId,
    /// Its name.
    pub name: String,
    /// What it promises.
    pub contract: Option<TopicContract>,
    /// It shows another tenant's: it is read, and nothing else.
    pub is_mount: bool,
    /// A cluster link writes it, and nobody else.
    pub is_mirror: bool,
}

/// Reads a stored program: the column holds what was validated.
pub fn read(stored: Value) -> Result<JobProgram> {
    serde_json::from_value(stored).map_err(Error::internal)
}
