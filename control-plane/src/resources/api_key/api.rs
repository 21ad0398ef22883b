//! What the API promises of an API key.

use chrono::Utc;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, Type};

use crate::kernel::kind;
use crate::resources::api_key::model::{ApiKey, ApiKeySpec};
use crate::rest::{Metadata, Object, Phase, Resource};

/// What is so.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ApiKeyStatus {
    /// PENDING until every live gateway of the cluster takes the key, READY, EXPIRED after its end. READY at once
    /// without a cluster.
    pub phase: Phase,
    /// A code that says why it is not READY.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub reason: Option<&'static str>,
    /// The same as a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub message: Option<&'static str>,
}

impl Resource for kind::ApiKey {
    type Spec = ApiKeySpec;
    type Status = ApiKeyStatus;
    fn shown_once() -> Option<(&'static str, RefOr<Schema>)> {
        let text = |description: &str| {
            ObjectBuilder::new()
                .schema_type(Type::String)
                .description(Some(description))
        };
        let secret = ObjectBuilder::new()
            .description(Some(
                "Only in the answer that created the key; nobody can show it again. A key by certificate has none.",
            ))
            .property("username", text("The key's id."))
            .property("password", text("The secret."))
            .required("username")
            .required("password");
        Some(("secret", secret.into()))
    }
}

impl From<ApiKey> for Object<kind::ApiKey> {
    fn from(row: ApiKey) -> Self {
        let (resource_name, phase) = (row.resource_name(), row.phase(Utc::now()));
        let ApiKey {
            id,
            spec,
            service_account_name: _,
            data_plane: _,
            desired_n: _,
            report: _,
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
        let (reason, message) = match phase {
            Phase::Pending => Some((
                "WAITING_FOR_AGENT",
                "Not every live gateway of the cluster takes the key yet.",
            )),
            Phase::Expired => Some(("EXPIRED", "The key is past its end; nothing takes it any more.")),
            _ => None,
        }
        .unzip();
        let status = ApiKeyStatus {
            phase,
            reason,
            message,
        };
        Self::new(id, metadata, spec, status)
    }
}
