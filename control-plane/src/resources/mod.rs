//! The rooms: one folder per noun. This is the register; a room shows its face in `mod.rs` and hides the rest.
//! A room may use those above it in this list.

pub mod access_token;
pub mod adoption;
pub mod alert_rule;
pub mod api_key;
pub mod audit_event;
pub mod broker_pool;
pub mod cluster;
pub mod cluster_link;
pub mod compute_pool;
pub mod connection;
pub mod consumer_group;
pub mod contract;
pub mod contract_lint_rule;
pub mod cost;
pub mod data_plane;
pub mod data_plane_generation;
pub mod data_plane_grant;
pub mod environment;
pub mod event;
pub mod job;
pub mod lineage;
pub mod member;
pub mod metrics;
pub mod organization;
pub mod quota;
pub mod rate_card;
pub mod role_binding;
pub mod served;
pub mod service_account;
pub mod service_level;
pub mod service_quota;
pub mod session;
pub mod share;
pub mod tenant;
pub mod topic;
pub mod usage;

use serde_json::Value;

use crate::auth::{DirectoryScope, TenantScope};
use crate::kernel::{Error, ErrorKind, Labels, Owner, Result, code};

/// Whose record a change in a tenant goes to.
fn owner(scope: TenantScope) -> Owner {
    Owner {
        organization: Some(scope.organization()),
        tenant: Some(scope.tenant()),
    }
}

/// Whose record a change in part of the directory goes to, unless the change says otherwise.
fn directory_owner(scope: DirectoryScope) -> Owner {
    Owner {
        organization: scope.organization(),
        tenant: scope.tenant(),
    }
}

/// What a body refers to and is not there is the body's fault: 422 at `pointer`, not 404.
fn referred<T>(found: Result<T>, pointer: &str, detail: &str) -> Result<T> {
    found.map_err(|error| match error.kind {
        ErrorKind::NotFound => Error::invalid(pointer, code::BAD_REFERENCE, detail),
        _ => error,
    })
}

/// Whatever still refers to what is deleted holds it: 409, whichever table that is in.
fn held(error: sqlx::Error, detail: &str) -> Error {
    match &error {
        sqlx::Error::Database(refused) if refused.is_foreign_key_violation() => {
            Error::conflict(code::IN_USE, detail)
        }
        _ => error.into(),
    }
}

/// Stored labels; the column only ever holds an object of texts.
fn labels_of(stored: Value) -> Labels {
    serde_json::from_value(stored).unwrap_or_default()
}

/// An update that names the generation it was based on must meet exactly one row.
fn one_row_moved(rows: u64) -> Result<()> {
    if rows == 1 {
        return Ok(());
    }
    let detail = "The object changed at the same moment. Read it again and decide anew.";
    Err(Error::new(ErrorKind::Moved, code::MOVED, detail))
}
