//! A topic may show another tenant's: a mount, made and ended by a share. And a topic may be shown: then it is not taken away under its readers.
//! The room `share` knows topics, and topics do not know shares; what is needed of them is read here.

mod store;

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

pub use super::store::stamp;
pub use store::{NewMount, Pin, SharedBy, bury, forget, hold_shared, insert, pins, shared_by};

use crate::auth::TenantScope;
use crate::kernel::{Error, Id, Result, code, kind};
use crate::resources::topic::api::view;
use crate::resources::topic::model::{Topic, TopicId};
use crate::resources::topic::{contract, jobs, mirror};
use crate::runtime::Tx;

/// By what a topic shows another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct TopicMount {
    /// The share, as its recipient sees it.
    #[schema(value_type = String)]
    pub received_share: Id<kind::ReceivedShare>,
}

/// Refuses what cannot be done with a mount.
///
/// # Errors
/// 409 `mounted`.
pub fn check_own(topic: &Topic, what: &str) -> Result<()> {
    let Some(TopicMount { received_share }) = topic.mount else {
        return Ok(());
    };
    let detail = format!(
        "The topic shows one that is shared with the tenant: it is read, and {what}. It goes when the share is left \
         (POST /v1/received-shares/{received_share}/leave)."
    );
    Err(Error::conflict(code::MOUNTED, detail))
}

/// Refuses to let mounts go that jobs of the tenant read, or cluster links. They are held from then on.
///
/// # Errors
/// 409 `in_use`.
pub async fn check_unread(tx: &mut Tx, scope: TenantScope, ids: &[TopicId]) -> Result<()> {
    contract::check_free(tx, scope, ids).await?;
    jobs::check_unused(tx, scope, ids).await?;
    mirror::check_unmirrored(tx, scope, ids).await
}

/// A new mount, for the record.
///
/// # Errors
/// 500 when it cannot be written, which does not happen.
pub fn shown(row: Topic) -> Result<Value> {
    view(row, None).json()
}

/// Refuses to take topics away that are offered to others, or shown to them.
///
/// # Errors
/// 409 `shared` that names the shares.
pub async fn check_unshared(tx: &mut Tx, scope: TenantScope, ids: &[TopicId]) -> Result<()> {
    let ids: Vec<Uuid> = ids.iter().map(|it| it.uuid()).collect();
    let shares = store::live_shares_of(tx, scope, &ids).await?;
    if shares.is_empty() {
        return Ok(());
    }
    let detail = format!(
        "It is shared by {}: revoke what has not ended first.",
        shares.join(", ")
    );
    Err(Error::conflict(code::SHARED, detail))
}
