//! What a dry run of a registration tells.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::kernel::{ClusterId, Id, ServiceAccountId, kind};
use crate::resources::contract::problem::ContractProblem;
use crate::resources::topic::{Enforcement, JobPart, TopicId};

/// What would come of registering a version. Nothing was written.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ContractPlan {
    /// Always `ContractPlan`.
    pub kind: &'static str,
    /// Would it be registered?
    pub accepted: bool,
    /// The number that the version would get, or has; null where it would be refused.
    pub version: Option<i32>,
    /// Is the same version there already?
    pub unchanged: bool,
    /// What is wrong with it.
    pub problems: Vec<ContractProblem>,
    /// What is different from the newest version, the worst first.
    pub changes: Vec<ContractChange>,
    /// Whom it meets.
    pub impact: ContractImpact,
}

/// One difference from the newest version.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ContractChange {
    /// `SCHEMA`, `RULES`, `ENFORCEMENT`, `TAGS`, `CLASSIFICATION`, `SERVICE_LEVELS`, `LIFECYCLE` or `ABOUT`. New parts may appear.
    pub part: &'static str,
    /// Where in the contract.
    pub path: String,
    /// Has somebody who did nothing wrong to change something?
    pub breaking: bool,
    /// One sentence.
    pub message: String,
}

/// Whom a change of a contract meets, from metadata alone.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub struct ContractImpact {
    /// The topics whose contracts take schemas of this subject, and whose enforcement is not OFF.
    pub topics: Vec<ContractImpactTopic>,
    /// Service accounts that wrote to those in the last seven days, the latest first.
    pub writers: Vec<ContractImpactUse>,
    /// Service accounts that read from those in the last seven days, the latest first.
    pub readers: Vec<ContractImpactUse>,
    /// Jobs that read or write those, whether they run or not.
    pub jobs: Vec<ContractImpactJob>,
    /// Shares of those that have not ended: their recipients read what is written.
    pub shares: Vec<ContractImpactShare>,
    /// Is there more than stands here? 200 topics are named, and 500 of each of the others.
    pub truncated: bool,
}

/// A share of such a topic.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ContractImpactShare {
    /// Its id.
    #[schema(value_type = String)]
    pub share_id: Id<kind::Share>,
    /// Its name.
    pub name: String,
    /// INVITED, PREVIEWED or ACTIVE.
    pub phase: String,
    /// The topic.
    #[schema(value_type = String)]
    pub topic_id: TopicId,
    /// The version that its recipient relies on: what it cannot read with that one's schema is refused. Absent: any compatible one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub contract_version: Option<i32>,
}

/// A topic whose contract takes schemas of the subject.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ContractImpactTopic {
    /// Its id.
    #[schema(value_type = String)]
    pub topic_id: TopicId,
    /// Its name.
    pub name: String,
    /// Its cluster.
    #[schema(value_type = String)]
    pub cluster_id: ClusterId,
    /// What happens to a record that breaks the contract.
    pub enforcement: Enforcement,
}

/// Who used such a topic.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ContractImpactUse {
    /// The service account.
    #[schema(value_type = String)]
    pub service_account_id: ServiceAccountId,
    /// Its name.
    pub display_name: String,
    /// The topic.
    #[schema(value_type = String)]
    pub topic_id: TopicId,
    /// The beginning of the last hour in which it did.
    pub last_hour_at: DateTime<Utc>,
}

/// What a job does with such a topic.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ContractImpactJob {
    /// The job.
    #[schema(value_type = String)]
    pub job_id: Id<kind::Job>,
    /// Its name.
    pub name: String,
    /// The topic.
    #[schema(value_type = String)]
    pub topic_id: TopicId,
    /// What it does with it.
    pub part: JobPart,
}
