//! Which jobs read and write topics: for those who would take a topic away, change what it promises, or draw it. The room `job` keeps
//! the list; it is read here, since jobs know topics and topics do not know jobs.

mod store;

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

pub use store::jobs_of;

use crate::auth::TenantScope;
use crate::kernel::{ClusterId, Error, Id, Result, code, kind};
use crate::resources::topic::model::TopicId;
use crate::runtime::Tx;

/// What a job does with a topic. New parts may appear.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum JobPart {
    /// It reads it.
    Source,
    /// It writes it.
    Sink,
    /// It writes what its steps cannot take there.
    DeadLetter,
}

impl JobPart {
    /// Reads a stored name; the column's check knows no other.
    fn stored(name: &str) -> Self {
        match name {
            "SINK" => Self::Sink,
            "DEAD_LETTER" => Self::DeadLetter,
            _ => Self::Source,
        }
    }
}

/// A job and a topic that it uses.
#[derive(Debug, Clone)]
pub struct JobUse {
    /// The job.
    pub job: Id<kind::Job>,
    /// Its name.
    pub name: String,
    /// Its cluster, and the topic's.
    pub cluster: ClusterId,
    /// `RUNNING`, `STOPPED` or `AUTO_SUSPEND`.
    pub desired_state: String,
    /// The topic.
    pub topic: TopicId,
    /// What it does with it.
    pub part: JobPart,
}

/// Refuses while a job uses one of these topics. They are held already against those who would begin to
/// (`contract::check_free`), so no job comes between this look and the end of the transaction.
///
/// # Errors
/// 409 `in_use` that names the job.
pub async fn check_unused(tx: &mut Tx, scope: TenantScope, ids: &[TopicId]) -> Result<()> {
    let ids: Vec<Uuid> = ids.iter().map(|it| it.uuid()).collect();
    match store::jobs_of(tx, scope, &ids, 1).await?.pop() {
        None => Ok(()),
        Some(JobUse { name, part, .. }) => {
            let does = match part {
                JobPart::Source => "reads it",
                JobPart::Sink => "writes it",
                JobPart::DeadLetter => "has it as its dead-letter topic",
            };
            let detail = format!("The job {name} {does}: change what the job does, or delete it, first.");
            Err(Error::conflict(code::IN_USE, detail))
        }
    }
}
