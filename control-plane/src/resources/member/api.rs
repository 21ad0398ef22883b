//! What the API promises of a member.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, Type};

use crate::kernel::{Labels, kind};
use crate::resources::member::model::{Member, MemberSpec, resource_name};
use crate::rest::{Metadata, Object, Phase, Resource};

/// What is so.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct MemberStatus {
    /// Always READY.
    pub phase: Phase,
    /// When a password was last accepted.
    pub last_signed_in_at: Option<DateTime<Utc>>,
}

/// The body of a create.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MemberInput {
    /// What is wished.
    pub spec: MemberSpec,
    /// Labels.
    #[serde(default)]
    pub metadata: MemberMetadataInput,
    /// The first password, 12 to 256 characters; left out, one is made and shown once.
    #[serde(default)]
    #[schema(nullable = false, min_length = 12, max_length = 256)]
    pub password: Option<String>,
}

/// What the caller may set of the metadata.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MemberMetadataInput {
    /// Free labels.
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    pub labels: Labels,
}

impl Resource for kind::Member {
    type Spec = MemberSpec;
    type Status = MemberStatus;
    fn shown_once() -> Option<(&'static str, RefOr<Schema>)> {
        let password = ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("The password that was made."));
        let secret = ObjectBuilder::new()
            .description(Some("Only in the answer that made it."))
            .property("password", password);
        Some(("secret", secret.into()))
    }
}

impl From<Member> for Object<kind::Member> {
    fn from(row: Member) -> Self {
        let Member {
            id,
            spec,
            last_signed_in_at,
            labels,
            generation,
            created_at,
            updated_at,
        } = row;
        let resource_name = resource_name(&spec);
        let metadata = Metadata {
            resource_name,
            created_at,
            updated_at,
            generation,
            labels,
        };
        Self::new(
            id,
            metadata,
            spec,
            MemberStatus {
                phase: Phase::Ready,
                last_signed_in_at,
            },
        )
    }
}
