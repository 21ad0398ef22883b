//! The rooms: one folder per noun. This is the register; a room shows its face in `mod.rs` and hides the rest.
//! A room may use those above it in this list.

pub mod broker_pool;
pub mod cluster;
pub mod data_plane;
pub mod data_plane_generation;
pub mod data_plane_grant;
pub mod environment;
pub mod event;
pub mod member;
pub mod served;
pub mod service_quota;
pub mod topic;

pub mod usage;

pub mod rate_card;

pub mod cost;

use serde_json::Value;

use crate::auth::TenantScope;
use crate::kernel::{Error, ErrorKind, Labels, Owner, Result, code};

/// Whose record a change in a tenant goes to.
fn owner(scope: TenantScope) -> Owner {
    Owner {
        organization: Some(scope.organization()),
        tenant: Some(scope.tenant()),
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
