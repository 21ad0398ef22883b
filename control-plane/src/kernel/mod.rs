//! Words without behaviour: ids, names, errors, pages. Depends on nothing of ours.

mod change;
pub mod code;
mod error;
mod id;
mod name;
mod page;

pub use change::{Action, Change, Owner, Policy};
pub use error::{Error, ErrorKind, FieldError, Result};
pub use id::{Id, Kind, id_text, kind, parse_id};
pub use name::{
    Labels, check_display_name, check_labels, check_name, check_pattern, covers_pattern, matches_pattern,
};
pub use page::{Page, PageToken};

/// Id of an organization.
pub type OrganizationId = Id<kind::Organization>;
/// Id of a tenant.
pub type TenantId = Id<kind::Tenant>;
/// Id of a person.
pub type MemberId = Id<kind::Member>;
/// Id of a service account.
pub type ServiceAccountId = Id<kind::ServiceAccount>;
/// Id of an API key; also the user name that Kafka clients sign in with.
pub type ApiKeyId = Id<kind::ApiKey>;
/// Id of a role binding.
pub type RoleBindingId = Id<kind::RoleBinding>;
/// Id of a cluster.
pub type ClusterId = Id<kind::Cluster>;
/// Id of a data plane.
pub type DataPlaneId = Id<kind::DataPlane>;
