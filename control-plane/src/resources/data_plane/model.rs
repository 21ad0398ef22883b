//! What a data plane is.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::kernel::{FieldError, Labels, check_display_name, check_name};

pub use crate::kernel::DataPlaneId;

/// An agent that was silent for longer is shown as not connected.
const SILENCE_MAX: TimeDelta = TimeDelta::seconds(30);

/// What is wished.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DataPlaneSpec {
    /// Unique in the tenant; never changes.
    #[schema(pattern = "^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$")]
    pub name: String,
    /// For people.
    #[serde(default)]
    #[schema(max_length = 1000)]
    pub description: String,
}

/// What is known of its agent.
#[derive(Debug, Clone)]
pub struct Agent {
    /// When it enrolled.
    pub enrolled_at: DateTime<Utc>,
    /// When it last said anything.
    pub last_seen_at: Option<DateTime<Utc>>,
    /// Its version.
    pub agent_version: String,
    /// The version of Kafka that it runs.
    pub kafka_version: String,
    /// The newest generation that it holds.
    pub accepted_n: i64,
    /// The newest generation that it acted upon wholly.
    pub applied_n: i64,
    /// Gateways attached to it.
    pub gateways_live: i32,
    /// The public key that it reads other data planes with.
    pub link_key: Option<String>,
    /// The one that its gateways show.
    pub gateway_key: Option<String>,
}

/// A row.
#[derive(Debug, Clone)]
pub struct DataPlane {
    /// Id.
    pub id: DataPlaneId,
    /// What is wished.
    pub spec: DataPlaneSpec,
    /// When an agent was last cut off. One that enrolled later is not.
    pub revoked_at: Option<DateTime<Utc>>,
    /// The number of the newest wish.
    pub desired_n: i64,
    /// What is known of its agent, once enrolled.
    pub agent: Option<Agent>,
    /// Free labels.
    pub labels: Labels,
    /// Rises with each change.
    pub generation: i64,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When spec or labels last changed.
    pub updated_at: DateTime<Utc>,
}

impl DataPlane {
    /// Is it cut off? Until an agent enrols anew; so the key that was cut off never opens the door again.
    #[must_use]
    pub fn revoked(&self) -> bool {
        self.revoked_at
            .is_some_and(|at| self.agent.as_ref().is_none_or(|agent| agent.enrolled_at <= at))
    }

    /// Cuts the present agent off.
    pub fn revoke(&mut self, now: DateTime<Utc>) {
        if !self.revoked() {
            // Never before the enrolment that it ends, whatever the clocks say.
            self.revoked_at = Some(
                self.agent
                    .as_ref()
                    .map_or(now, |agent| agent.enrolled_at.max(now)),
            );
        }
    }
}

/// Is an agent that was last seen then still there? Computed when read, never stored.
#[must_use]
pub fn connected(last_seen_at: Option<DateTime<Utc>>, now: DateTime<Utc>) -> bool {
    last_seen_at.is_some_and(|it| now - it < SILENCE_MAX)
}

/// Name within the tenant.
#[must_use]
pub fn resource_name(spec: &DataPlaneSpec) -> String {
    format!("data_plane={}", spec.name)
}

/// Collects what is wrong with a spec.
pub fn validate(spec: &DataPlaneSpec, errors: &mut Vec<FieldError>) {
    let DataPlaneSpec { name, description } = spec;
    check_name("/spec/name", name, errors);
    check_display_name("/spec/description", description, 1000, errors);
}
