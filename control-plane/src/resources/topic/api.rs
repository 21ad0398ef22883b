//! What the API promises of a topic.

use serde::Serialize;
use utoipa::ToSchema;

use crate::kernel::kind;
use crate::resources::served::{Report, Standing, stand};
use crate::resources::topic::mirror::TopicMirror;
use crate::resources::topic::model::{Topic, TopicSpec};
use crate::resources::topic::mount::TopicMount;
use crate::rest::{Metadata, Object, Phase, Resource};

/// What is so.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TopicStatus {
    /// READY when Kafka has it as wished and every live gateway serves it.
    pub phase: Phase,
    /// A code that says why it is not READY.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub reason: Option<String>,
    /// The same as a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub message: Option<String>,
    /// The generation of the data plane that the newest report speaks of.
    pub observed_generation: Option<i64>,
    /// Partitions that Kafka has; absent while unknown.
    pub observed_partitions: Option<i32>,
    /// Did Kafka differ from the wish when the agent last looked?
    pub drifted: bool,
    /// Was it in Kafka before it was here? Then deleting it here leaves it in Kafka, and its settings are those of its adoption
    /// until they are changed here.
    pub adopted: bool,
    /// It shows a topic that another tenant shares: it is read, and nothing else. Its partitions are those observed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub mount: Option<TopicMount>,
    /// A cluster link writes it, and nobody else may; neither it nor its settings are changed until it is taken out of the link.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub mirror: Option<TopicMirror>,
}

impl Resource for kind::Topic {
    type Spec = TopicSpec;
    type Status = TopicStatus;
}

/// A row and its newest report as an object.
pub fn view(row: Topic, report: Option<&Report>) -> Object<kind::Topic> {
    let resource_name = row.resource_name();
    let Topic {
        id,
        spec,
        environment_name: _,
        cluster_name: _,
        broker_pool: _,
        data_plane: _,
        mount,
        mirror,
        adopted,
        changed_settings: _,
        desired_n,
        deleted_at,
        labels,
        generation,
        created_at,
        updated_at,
    } = row;
    let metadata = Metadata {
        resource_name,
        created_at,
        updated_at,
        generation,
        labels,
    };
    let Standing {
        phase,
        reason,
        message,
    } = stand(desired_n, deleted_at.is_some(), report);
    let status = TopicStatus {
        phase,
        reason,
        message,
        observed_generation: report.map(|it| it.observed_n),
        observed_partitions: report.map(|it| it.observed_partitions).filter(|it| *it > 0),
        drifted: report.is_some_and(|it| it.drifted),
        adopted,
        mount,
        mirror,
    };
    Object::new(id, metadata, spec, status)
}
