//! What the API promises of a cluster.

use serde::Serialize;
use utoipa::ToSchema;

use crate::kernel::kind;
use crate::resources::cluster::model::{Cluster, ClusterSpec};
use crate::resources::served::{Report, Standing, stand};
use crate::rest::{Metadata, Object, Phase, Resource};

/// What is so.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ClusterStatus {
    /// READY when every live gateway serves it; of a cluster in native mode, when its brokers take its clients.
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
    /// `bootstrap.servers` of Kafka clients; known once the agent reported it. In native mode one of the brokers.
    pub bootstrap_servers: Option<String>,
    /// What Kafka clients see as cluster id.
    pub kafka_cluster_id: String,
}

impl Resource for kind::Cluster {
    type Spec = ClusterSpec;
    type Status = ClusterStatus;
}

/// A row and its newest report as an object.
pub fn view(row: Cluster, report: Option<&Report>) -> Object<kind::Cluster> {
    let resource_name = row.resource_name();
    let Cluster {
        id,
        spec,
        environment_name: _,
        data_plane: _,
        kafka_cluster_id,
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
    let address = report.filter(|it| !it.bootstrap_host.is_empty() && it.bootstrap_port > 0);
    let status = ClusterStatus {
        phase,
        reason,
        message,
        observed_generation: report.map(|it| it.observed_n),
        bootstrap_servers: address.map(|it| format!("{}:{}", it.bootstrap_host, it.bootstrap_port)),
        kafka_cluster_id,
    };
    Object::new(id, metadata, spec, status)
}
