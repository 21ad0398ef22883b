//! Words without behaviour: ids, names, errors, pages. Depends on nothing of ours.

mod change;
pub mod code;
mod error;
mod id;
mod name;
mod page;

pub use change::{Action, Change, Owner, Policy};
pub use error::{Error, ErrorKind, FieldError, Result};
pub use id::{Id, Kind, id_of, kind};
pub use name::{Labels, check_display_name, check_labels, check_name, matches_pattern};
pub use page::{Page, PageToken};

/// Id of an organization.
pub type OrganizationId = Id<kind::Organization>;
/// Id of a tenant.
pub type TenantId = Id<kind::Tenant>;
/// Id of a data plane.
pub type DataPlaneId = Id<kind::DataPlane>;
