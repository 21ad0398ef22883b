//! Principals, their roles, and where they belong.

use serde::{Deserialize, Serialize};
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, Type};
use uuid::Uuid;

use crate::kernel::{
    ClusterId, Error, Id, OrganizationId, Result, TenantId, covers_pattern, kind, matches_pattern,
};

/// What a principal may do. Ordered: a later role includes the earlier ones within a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Role {
    /// Sees everything of the tenant; consumes from topics.
    Reader,
    /// Creates environments, clusters, topics and keys; produces to topics.
    Developer,
    /// Manages people, data planes and grants of the tenant.
    TenantAdmin,
    /// Manages the tenants of an organization.
    OrganizationAdmin,
    /// Runs the installation.
    Operator,
}

impl Role {
    /// The stored and shown name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reader => "READER",
            Self::Developer => "DEVELOPER",
            Self::TenantAdmin => "TENANT_ADMIN",
            Self::OrganizationAdmin => "ORGANIZATION_ADMIN",
            Self::Operator => "OPERATOR",
        }
    }

    /// Reads a stored name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [
            Self::Reader,
            Self::Developer,
            Self::TenantAdmin,
            Self::OrganizationAdmin,
            Self::Operator,
        ]
        .into_iter()
        .find(|role| role.name() == name)
    }
}

/// A role on the resources that a pattern covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// The role.
    pub role: Role,
    /// Pattern over resource names, see [`matches_pattern`].
    pub resource: String,
    /// The tenant in which the role holds; none for roles above tenants.
    pub tenant: Option<TenantId>,
}

/// Do these bindings of a service account give it a role on a resource of a cluster? As gateways see it: roles above tenants say nothing
/// of topics.
#[must_use]
pub fn holds(bindings: &[Binding], least: Role, resource: &str) -> bool {
    bindings
        .iter()
        .any(|it| (least..=Role::TenantAdmin).contains(&it.role) && matches_pattern(&it.resource, resource))
}

/// Who calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Principal {
    /// A person.
    Member(Id<kind::Member>),
    /// A program.
    ServiceAccount(Id<kind::ServiceAccount>),
}

impl Principal {
    /// The stored id.
    #[must_use]
    pub const fn uuid(self) -> Uuid {
        match self {
            Self::Member(id) => id.uuid(),
            Self::ServiceAccount(id) => id.uuid(),
        }
    }
}

impl std::fmt::Display for Principal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Member(id) => id.fmt(f),
            Self::ServiceAccount(id) => id.fmt(f),
        }
    }
}

impl std::str::FromStr for Principal {
    type Err = NotAPrincipal;
    fn from_str(text: &str) -> std::result::Result<Self, NotAPrincipal> {
        let member = text.parse().map(Self::Member);
        member
            .or_else(|_| text.parse().map(Self::ServiceAccount))
            .map_err(|_| NotAPrincipal)
    }
}

/// The text is neither the id of a member nor that of a service account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a principal: expected member_ or service_account_ and 26 characters")]
pub struct NotAPrincipal;

impl Serialize for Principal {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
impl<'de> Deserialize<'de> for Principal {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl utoipa::PartialSchema for Principal {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .pattern(Some("^(member|service_account)_[0-7][0-9a-hjkmnp-tv-z]{25}$"))
            .description(Some("Id of a Member or of a ServiceAccount."))
            .into()
    }
}
impl utoipa::ToSchema for Principal {}

/// Where a principal belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Home {
    /// The installation.
    Operator,
    /// An organization.
    Organization(OrganizationId),
    /// A tenant of an organization.
    Tenant(OrganizationId, TenantId),
}

impl Home {
    /// Where a row's owner columns put a principal.
    #[must_use]
    pub const fn of(organization: Option<OrganizationId>, tenant: Option<TenantId>) -> Self {
        match (organization, tenant) {
            (None, _) => Self::Operator,
            (Some(organization), None) => Self::Organization(organization),
            (Some(organization), Some(tenant)) => Self::Tenant(organization, tenant),
        }
    }
}

/// An authenticated caller, and the tenant that this request is about.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Who.
    pub principal: Principal,
    /// Where the principal belongs.
    pub home: Home,
    /// What it may do.
    pub bindings: Vec<Binding>,
    /// The tenant of this request: the caller's own, or the one named by the `Weir-Tenant` header.
    pub tenant: Option<(OrganizationId, TenantId)>,
    /// The SHA-256 of the session token, when the caller signed in.
    pub session: Option<[u8; 32]>,
    /// The cluster of the API key that it came by, if that is for one.
    pub cluster: Option<ClusterId>,
}

impl Caller {
    /// Does the caller run the installation?
    #[must_use]
    pub fn is_operator(&self) -> bool {
        self.home == Home::Operator && self.bindings.iter().any(|it| it.role == Role::Operator)
    }

    /// Does the caller administer this organization?
    #[must_use]
    pub fn administers(&self, organization: OrganizationId) -> bool {
        self.is_operator()
            || (self.home == Home::Organization(organization)
                && self.bindings.iter().any(|it| it.role == Role::OrganizationAdmin))
    }

    /// The caller's highest role in this tenant. An administrator of a part only is a developer of the tenant as a
    /// whole: what concerns all of it needs a binding to all of it, and services check each resource besides.
    #[must_use]
    pub fn role_in(&self, organization: OrganizationId, tenant: TenantId) -> Option<Role> {
        if self.administers(organization) {
            return Some(Role::TenantAdmin);
        }
        self.bindings
            .iter()
            .filter(|it| it.tenant == Some(tenant))
            .map(|it| match it.resource.as_str() {
                "*" => it.role,
                _part => it.role.min(Role::Developer),
            })
            .max()
    }

    /// Does the caller hold, at `place`, at least `role` on everything that `pattern` covers?
    #[must_use]
    pub fn covers(&self, place: Home, role: Role, pattern: &str) -> bool {
        match place {
            Home::Operator => self.is_operator(),
            Home::Organization(organization) => self.administers(organization),
            Home::Tenant(organization, tenant) => {
                let holds = |it: &Binding| {
                    it.tenant == Some(tenant) && it.role >= role && covers_pattern(&it.resource, pattern)
                };
                self.administers(organization) || self.bindings.iter().any(holds)
            }
        }
    }

    /// Checks that the caller holds at least `role` on a resource of the request's tenant.
    ///
    /// # Errors
    /// 403 naming the role that is missing.
    pub fn require(&self, role: Role, resource: &str) -> Result<()> {
        let Some((organization, tenant)) = self.tenant else {
            return Err(Error::denied("The request is about no tenant."));
        };
        let holds = |it: &Binding| {
            it.tenant == Some(tenant) && it.role >= role && matches_pattern(&it.resource, resource)
        };
        if self.administers(organization) || self.bindings.iter().any(holds) {
            return Ok(());
        }
        Err(Error::denied(format!(
            "This needs the role {} on {resource}. A tenant administrator can grant it.",
            role.name()
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn developer(resource: &str) -> Caller {
        let (organization, tenant) = (Id::generate(), Id::generate());
        Caller {
            principal: Principal::Member(Id::generate()),
            home: Home::Tenant(organization, tenant),
            bindings: vec![Binding {
                role: Role::Developer,
                resource: resource.into(),
                tenant: Some(tenant),
            }],
            tenant: Some((organization, tenant)),
            session: None,
            cluster: None,
        }
    }

    #[test]
    fn a_binding_reaches_its_pattern_and_its_tenant_only() {
        let caller = developer("environment=test/*");
        assert!(
            caller
                .require(Role::Developer, "environment=test/cluster=a")
                .is_ok()
        );
        assert!(caller.require(Role::Reader, "environment=test/cluster=a").is_ok());
        assert!(
            caller
                .require(Role::Developer, "environment=prod/cluster=a")
                .is_err()
        );
        assert!(
            caller
                .require(Role::TenantAdmin, "environment=test/cluster=a")
                .is_err()
        );
        let stranger = Caller {
            tenant: Some((Id::generate(), Id::generate())),
            ..caller
        };
        assert!(
            stranger
                .require(Role::Reader, "environment=test/cluster=a")
                .is_err()
        );
    }

    #[test]
    fn a_caller_covers_what_lies_within_its_own_bindings() {
        let caller = developer("environment=test/*");
        let Home::Tenant(organization, _) = caller.home else {
            panic!("a tenant's")
        };
        assert!(caller.covers(caller.home, Role::Developer, "environment=test/cluster=*"));
        assert!(caller.covers(caller.home, Role::Reader, "environment=test/cluster=a"));
        assert!(!caller.covers(caller.home, Role::TenantAdmin, "environment=test/cluster=a"));
        assert!(!caller.covers(caller.home, Role::Reader, "*"));
        assert!(!caller.covers(
            Home::Tenant(organization, Id::generate()),
            Role::Reader,
            "environment=test/*"
        ));
        assert!(!caller.covers(Home::Organization(organization), Role::OrganizationAdmin, "*"));
        assert!(!caller.covers(Home::Operator, Role::Operator, "*"));
    }

    #[test]
    fn an_administrator_of_a_part_does_not_administer_the_tenant() {
        let mut caller = developer("environment=test/*");
        let Some((organization, tenant)) = caller.tenant else {
            panic!("a tenant's")
        };
        caller.bindings[0].role = Role::TenantAdmin;
        assert_eq!(caller.role_in(organization, tenant), Some(Role::Developer));
        caller.bindings[0].role = Role::Reader;
        assert_eq!(caller.role_in(organization, tenant), Some(Role::Reader));
        let all = Binding {
            role: Role::TenantAdmin,
            resource: "*".into(),
            tenant: Some(tenant),
        };
        caller.bindings.push(all);
        assert_eq!(caller.role_in(organization, tenant), Some(Role::TenantAdmin));
    }

    #[test]
    fn an_operators_role_needs_an_operators_home() {
        let mut caller = developer("*");
        caller.bindings.push(Binding {
            role: Role::Operator,
            resource: "*".into(),
            tenant: None,
        });
        assert!(!caller.is_operator());
        caller.home = Home::Operator;
        assert!(caller.is_operator());
    }

    #[test]
    fn an_organization_admin_administers_its_own_organization_only() {
        let (own, other) = (Id::generate(), Id::generate());
        let caller = Caller {
            home: Home::Organization(own),
            bindings: vec![Binding {
                role: Role::OrganizationAdmin,
                resource: "*".into(),
                tenant: None,
            }],
            ..developer("*")
        };
        assert!(caller.administers(own));
        assert!(!caller.administers(other));
        assert_eq!(caller.role_in(own, Id::generate()), Some(Role::TenantAdmin));
        assert_eq!(caller.role_in(other, Id::generate()), None);
    }

    #[test]
    fn role_names_survive_the_round_trip() {
        for role in [
            Role::Reader,
            Role::Developer,
            Role::TenantAdmin,
            Role::OrganizationAdmin,
            Role::Operator,
        ] {
            assert_eq!(Role::parse(role.name()), Some(role));
        }
        assert_eq!(Role::parse("ROOT"), None);
    }
}
