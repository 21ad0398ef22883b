//! What the API promises of a data plane.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, Type};

use crate::kernel::kind;
use crate::resources::data_plane::model::{Agent, DataPlane, DataPlaneSpec, connected, resource_name};
use crate::rest::{Metadata, Object, Phase, Resource};

/// What is so.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DataPlaneStatus {
    /// PENDING until an agent enrols, READY while it is connected, DEGRADED while it is silent, REVOKED when cut off.
    pub phase: Phase,
    /// A code that says why it is not READY.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub reason: Option<&'static str>,
    /// The same as a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub message: Option<&'static str>,
    /// When the agent enrolled.
    pub enrolled_at: Option<DateTime<Utc>>,
    /// When the agent last said anything.
    pub last_seen_at: Option<DateTime<Utc>>,
    /// Did the agent say something within the last 30 seconds?
    pub connected: bool,
    /// The agent's version.
    pub agent_version: Option<String>,
    /// The version of Kafka that it runs.
    pub kafka_version: Option<String>,
    /// The number of the newest wish.
    pub desired_generation: i64,
    /// The newest that the agent holds.
    pub accepted_generation: Option<i64>,
    /// The newest that the agent acted upon wholly.
    pub applied_generation: Option<i64>,
    /// Gateways attached to the agent.
    pub gateways_live: i32,
    /// Fingerprint of the public key that the agent reads other data planes with, over cluster links: `sha256:` and 64 hexadecimal digits.
    pub link_key: Option<String>,
    /// Fingerprint of the one that its gateways show to clients; null without TLS.
    pub gateway_key: Option<String>,
}

impl Resource for kind::DataPlane {
    type Spec = DataPlaneSpec;
    type Status = DataPlaneStatus;
    fn shown_once() -> Option<(&'static str, RefOr<Schema>)> {
        let text = |description: &str| {
            ObjectBuilder::new()
                .schema_type(Type::String)
                .description(Some(description))
        };
        let enrollment = ObjectBuilder::new()
            .description(Some("Only in the answer that made it: how to enrol the agent."))
            .property("token", text("One use, 30 minutes."))
            .property("expires_at", text("When the token ends."))
            .property("command", text("Run this inside the network."));
        Some(("enrollment", enrollment.into()))
    }
}

/// Where a data plane stands: phase, reason, sentence.
const fn stand(
    enrolled: bool,
    revoked: bool,
    connected: bool,
) -> (Phase, Option<&'static str>, Option<&'static str>) {
    let (phase, reason, message) = match (revoked, enrolled, connected) {
        (true, _, _) => (
            Phase::Revoked,
            "REVOKED",
            "The agent was cut off; a new token enrols another.",
        ),
        (false, false, _) => {
            let message = "Run the enrolment command inside the network; a new token can be made.";
            (Phase::Pending, "NOT_ENROLLED", message)
        }
        (false, true, true) => return (Phase::Ready, None, None),
        (false, true, false) => {
            let message = "The agent is silent. What it runs goes on; changes wait until it is back.";
            (Phase::Degraded, "AGENT_SILENT", message)
        }
    };
    (phase, Some(reason), Some(message))
}

impl From<DataPlane> for Object<kind::DataPlane> {
    fn from(row: DataPlane) -> Self {
        let revoked = row.revoked();
        let DataPlane {
            id,
            spec,
            revoked_at: _,
            desired_n,
            agent,
            labels,
            generation,
            created_at,
            updated_at,
        } = row;
        let metadata = Metadata {
            resource_name: resource_name(&spec),
            created_at,
            updated_at,
            generation,
            labels,
        };
        let connected = connected(agent.as_ref().and_then(|it| it.last_seen_at), Utc::now());
        let (phase, reason, message) = stand(agent.is_some(), revoked, connected);
        let mut status = DataPlaneStatus {
            phase,
            reason,
            message,
            enrolled_at: None,
            last_seen_at: None,
            connected,
            agent_version: None,
            kafka_version: None,
            desired_generation: desired_n,
            accepted_generation: None,
            applied_generation: None,
            gateways_live: 0,
            link_key: None,
            gateway_key: None,
        };
        if let Some(agent) = agent {
            let Agent {
                enrolled_at,
                last_seen_at,
                agent_version,
                kafka_version,
                accepted_n,
                applied_n,
                gateways_live,
                link_key,
                gateway_key,
            } = agent;
            status.link_key = link_key;
            status.gateway_key = gateway_key;
            status.enrolled_at = Some(enrolled_at);
            status.last_seen_at = last_seen_at;
            status.agent_version = Some(agent_version);
            status.kafka_version = Some(kafka_version);
            status.accepted_generation = Some(accepted_n);
            status.applied_generation = Some(applied_n);
            status.gateways_live = gateways_live;
        }
        Self::new(id, metadata, spec, status)
    }
}
