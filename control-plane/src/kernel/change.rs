//! A change to one object, as plans, audit, events and policies see it.

use serde_json::Value;
use uuid::Uuid;

use crate::kernel::{Id, Kind, OrganizationId, Result, TenantId};

/// What is done to the object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// It begins.
    Create,
    /// Its spec or labels change.
    Update,
    /// It ends, or begins to.
    Delete,
    /// Its spec stays, something happens to it: accepted, revoked, signed in, ...
    Act(&'static str),
}

impl Action {
    /// The stored and shown name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Act(name) => name,
        }
    }
}

/// Whose record a change belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner {
    /// The organization, unless the change stands above all.
    pub organization: Option<OrganizationId>,
    /// The tenant, if the object is a tenant's.
    pub tenant: Option<TenantId>,
}

/// One change.
#[derive(Debug, Clone)]
pub struct Change {
    /// What is done.
    pub action: Action,
    /// The object's kind.
    pub kind: &'static str,
    /// The object's id as shown.
    pub id: String,
    /// The object's id as stored.
    pub uuid: Uuid,
    /// The object's hierarchical name.
    pub resource_name: String,
    /// The object's generation after the change.
    pub generation: i64,
    /// The object before, as the API shows it; no secrets.
    pub before: Option<Value>,
    /// The object after.
    pub after: Option<Value>,
    /// Whose record it belongs to.
    pub owner: Owner,
}

impl Change {
    /// A change of the object `id`; `before` and `after` are added by the `with_` functions.
    #[must_use]
    pub fn new<K: Kind>(
        action: Action,
        id: Id<K>,
        resource_name: &str,
        generation: i64,
        owner: Owner,
    ) -> Self {
        let resource_name = resource_name.to_owned();
        let (kind, uuid, id) = (K::KIND, id.uuid(), id.to_string());
        Self {
            action,
            kind,
            id,
            uuid,
            resource_name,
            generation,
            before: None,
            after: None,
            owner,
        }
    }
    /// With the object as it was.
    #[must_use]
    pub fn with_before(self, before: Value) -> Self {
        Self {
            before: Some(before),
            ..self
        }
    }
    /// With the object as it becomes.
    #[must_use]
    pub fn with_after(self, after: Value) -> Self {
        Self {
            after: Some(after),
            ..self
        }
    }
}

/// A rule that every change passes before it is made: the place where an organization's policies enter.
pub type Policy = fn(&Change) -> Result<()>;
