//! What a role binding is.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::auth::{Home, Principal, Role};
use crate::kernel::{FieldError, Labels, RoleBindingId, check_pattern, code};

/// What is wished. A binding does not change: delete it and make another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RoleBindingSpec {
    /// A member or a service account.
    pub principal: Principal,
    /// What it may do.
    pub role: Role,
    /// Where: `*`, or steps such as `environment=prod/cluster=cards/topic=pay*`; what it names and all below it.
    #[serde(default = "everything")]
    #[schema(max_length = 500, default = "*")]
    pub resource: String,
}

fn everything() -> String {
    "*".to_owned()
}

/// A row.
#[derive(Debug, Clone)]
pub struct RoleBinding {
    /// Id.
    pub id: RoleBindingId,
    /// What is wished.
    pub spec: RoleBindingSpec,
    /// Where the role holds: in a tenant, over an organization, over the installation.
    pub place: Home,
    /// Free labels.
    pub labels: Labels,
    /// Rises with each change.
    pub generation: i64,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When its labels last changed.
    pub updated_at: DateTime<Utc>,
    /// Not every live gateway knows yet that the keys of its service account carry it.
    pub on_its_way: bool,
}

/// Name within the tenant, or above tenants.
#[must_use]
pub fn resource_name(id: RoleBindingId) -> String {
    format!("role_binding={id}")
}

/// Collects what is wrong with a spec.
pub fn validate(spec: &RoleBindingSpec, errors: &mut Vec<FieldError>) {
    let RoleBindingSpec {
        principal,
        role,
        resource,
    } = spec;
    check_pattern("/spec/resource", resource, errors);
    let above = *role > Role::TenantAdmin;
    if above && matches!(principal, Principal::ServiceAccount(_)) {
        let detail = "A service account belongs to a tenant and holds READER, DEVELOPER or TENANT_ADMIN.";
        errors.push(FieldError {
            pointer: "/spec/role".into(),
            code: code::OUT_OF_RANGE.into(),
            detail: detail.into(),
        });
    }
    if above && resource != "*" {
        let detail = "A role above tenants is held on everything: `*`.";
        errors.push(FieldError {
            pointer: "/spec/resource".into(),
            code: code::OUT_OF_RANGE.into(),
            detail: detail.into(),
        });
    }
}

/// Where a role would hold: the roles above tenants where their member belongs, the others in the request's tenant, or
/// else in the member's own. `None` when the role has no meaning for that member.
#[must_use]
pub fn place(role: Role, principal_home: Home, request: Option<Home>) -> Option<Home> {
    match (role, principal_home) {
        (Role::Operator, Home::Operator) => Some(Home::Operator),
        (Role::OrganizationAdmin, Home::Organization(id)) => Some(Home::Organization(id)),
        (Role::Operator | Role::OrganizationAdmin, _) => None,
        (_, home) => match request.unwrap_or(home) {
            place @ Home::Tenant(..) => Some(place),
            Home::Operator | Home::Organization(_) => None,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Id;

    #[test]
    fn a_role_holds_only_where_it_means_something() {
        let (organization, tenant) = (Id::generate(), Id::generate());
        let in_tenant = Home::Tenant(organization, tenant);
        let above = Home::Organization(organization);
        assert_eq!(place(Role::Operator, Home::Operator, None), Some(Home::Operator));
        assert_eq!(place(Role::Operator, in_tenant, None), None);
        assert_eq!(place(Role::OrganizationAdmin, above, None), Some(above));
        assert_eq!(place(Role::OrganizationAdmin, in_tenant, None), None);
        assert_eq!(place(Role::Developer, in_tenant, None), Some(in_tenant));
        assert_eq!(place(Role::Developer, above, None), None);
        assert_eq!(place(Role::Developer, above, Some(in_tenant)), Some(in_tenant));
    }
}
