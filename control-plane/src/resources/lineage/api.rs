//! What the API promises of lineages.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::resources::cluster::ClusterId;

/// What a node is. New kinds may appear.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum LineageNodeKind {
    /// A contract that governs topics.
    Contract,
    /// A topic.
    Topic,
    /// A service account that produced or consumed within a week.
    ServiceAccount,
    /// A consumer group.
    ConsumerGroup,
    /// A job, running or not.
    Job,
}

/// A node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct LineageNode {
    /// What edges call it; of this answer.
    pub id: String,
    /// What it is.
    pub kind: LineageNodeKind,
    /// Its id in the API; absent of consumer groups, and of clients that are no service account (any more).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub object_id: Option<String>,
    /// Its name; of a contract its subject.
    pub name: String,
    /// Of a topic its contract's enforcement, of a contract its newest version, of a consumer group its state, of a job what is
    /// wished of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub detail: Option<String>,
    /// Where it is; of topics, consumer groups and jobs.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub cluster_id: Option<ClusterId>,
}

/// What an edge says. Edges of records point the way that records flow. New kinds may appear.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum LineageEdgeKind {
    /// From a contract to a topic.
    Governs,
    /// From a service account or a job to a topic.
    Produces,
    /// From a topic to a service account, a consumer group or a job.
    Consumes,
    /// From a topic or a job to the topic that its dead letters are for.
    DeadLetters,
}

/// An edge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct LineageEdge {
    /// The id of a node.
    pub from: String,
    /// The id of a node.
    pub to: String,
    /// What it says.
    pub kind: LineageEdgeKind,
    /// The beginning of the last hour in which records went; of service accounts.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub last_seen_at: Option<DateTime<Utc>>,
    /// How much went in the last day; of service accounts.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub bytes_last_day: Option<i64>,
}

/// Are consumer groups in it?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum LineageGroups {
    /// The agent told of them.
    Known,
    /// The agent could not be asked, or did not answer in time.
    Unknown,
}

/// Who writes, who reads, what governs.
#[derive(Debug, Serialize, ToSchema)]
pub struct Lineage {
    /// Always `Lineage`.
    pub kind: &'static str,
    /// At most 1,000.
    pub nodes: Vec<LineageNode>,
    /// At most 5,000.
    pub edges: Vec<LineageEdge>,
    /// Are consumer groups in it?
    pub groups: LineageGroups,
    /// Is there more than stands here?
    pub truncated: bool,
}
