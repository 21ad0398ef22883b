//! What the API promises of adoption.

use serde::Serialize;
use utoipa::ToSchema;

use crate::resources::adoption::model::{AdoptionRefusal, AdoptionVerdict};
use crate::resources::cluster::ClusterId;
use crate::resources::topic::TopicId;

/// A topic of the attached Kafka.
#[derive(Debug, Serialize, ToSchema)]
pub struct AdoptionTopic {
    /// Its name, in Kafka and here.
    pub name: String,
    /// How many partitions.
    pub partitions: u32,
    /// How many copies Kafka keeps.
    pub replication_factor: u32,
    /// Settings that stay in Kafka and cannot be seen or changed here.
    pub other_settings: u32,
    /// What would become of it.
    pub verdict: AdoptionVerdict,
    /// Why it cannot be adopted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub refusal: Option<AdoptionRefusal>,
    /// The same as a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub detail: Option<String>,
}

/// A group of the attached Kafka: known under its own id to the cluster's clients.
#[derive(Debug, Serialize, ToSchema)]
pub struct AdoptionGroup {
    /// Its id, in Kafka and here.
    pub group: String,
    /// How many members it has now.
    pub members: u32,
    /// Partitions with a committed offset in adopted topics.
    pub partitions: u32,
}

/// Kafka's own access rules: they stay, and hold for direct clients only.
#[derive(Debug, Serialize, ToSchema)]
pub struct AdoptionAcls {
    /// Rules.
    pub bindings: u32,
    /// Principals that they speak of.
    pub principals: u32,
}

/// What an attached Kafka holds, and what would become of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct AdoptionPlan {
    pub(super) kind: &'static str,
    /// The cluster that would have it.
    pub cluster: ClusterId,
    /// Brokers.
    pub brokers: u32,
    /// Topics by name.
    pub topics: Vec<AdoptionTopic>,
    /// Topics that the data plane's owner withholds by policy.
    pub topics_withheld: u32,
    /// The first thousand groups by id.
    pub groups: Vec<AdoptionGroup>,
    /// Groups that the owner withholds.
    pub groups_withheld: u32,
    /// Kafka's access rules; null when Kafka keeps none, or does not tell the agent.
    pub acls: Option<AdoptionAcls>,
}

/// A topic that changed hands.
#[derive(Debug, Serialize, ToSchema)]
pub struct AdoptedTopic {
    /// Its id here.
    pub topic: TopicId,
    /// Its name.
    pub name: String,
}

/// A topic that did not.
#[derive(Debug, Serialize, ToSchema)]
pub struct RefusedTopic {
    /// Its name.
    pub name: String,
    /// Why.
    pub refusal: AdoptionRefusal,
    /// The same as a sentence.
    pub detail: String,
}

/// What was adopted or released.
#[derive(Debug, Serialize, ToSchema)]
pub struct Adoption {
    pub(super) kind: &'static str,
    /// The cluster.
    pub cluster: ClusterId,
    /// Topics that changed hands.
    pub topics: Vec<AdoptedTopic>,
    /// Topics that were named and did not.
    pub refused: Vec<RefusedTopic>,
}
