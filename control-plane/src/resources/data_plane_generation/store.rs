//! All SQL that moves `data_plane_generation`.

use crate::kernel::{DataPlaneId, Error, Kind as _, Result, kind};
use crate::runtime::Tx;

/// Moves the wish on by one and gives its number; the row stays locked until the end of the transaction, so call it
/// last, and for several data planes in the order of their ids.
///
/// # Errors
/// 404 when the scope neither owns the data plane nor has a cluster on it.
pub async fn bump_generation(tx: &mut Tx, data_plane: DataPlaneId) -> Result<i64> {
    sqlx::query_scalar!(
        "UPDATE data_plane_generation SET n = n + 1 WHERE data_plane_id = $1 RETURNING n",
        data_plane.uuid(),
    )
    .fetch_optional(tx.conn())
    .await?
    .ok_or_else(|| Error::not_found(kind::DataPlane::KIND))
}
