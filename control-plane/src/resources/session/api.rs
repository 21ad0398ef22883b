//! What the API promises of a session.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::auth::Role;
use crate::kernel::{MemberId, OrganizationId, TenantId};

/// Who signs in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// The e-mail address.
    #[schema(max_length = 254)]
    pub email: String,
    /// The password.
    #[schema(max_length = 256)]
    pub password: String,
}

impl std::fmt::Debug for SignIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SignIn(..)")
    }
}

/// Who signed in.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SignedInMember {
    /// Id.
    pub id: MemberId,
    /// E-mail address.
    pub email: String,
    /// For people.
    pub display_name: String,
    /// The organization that the member belongs to; null for operators.
    pub organization: Option<OrganizationId>,
    /// The tenant that the member belongs to; null above tenants.
    pub tenant: Option<TenantId>,
    /// Every role that the member holds anywhere.
    pub roles: Vec<Role>,
}

/// A session.
#[derive(Debug, Serialize, ToSchema)]
pub struct Session {
    /// Always `Session`.
    pub kind: &'static str,
    /// The bearer token; only in the answer of the sign-in.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub token: Option<String>,
    /// Send it in the `Weir-Csrf` header of changes made with the cookie.
    pub csrf_token: String,
    /// When it ends.
    pub expires_at: DateTime<Utc>,
    /// Who signed in.
    pub member: SignedInMember,
}
