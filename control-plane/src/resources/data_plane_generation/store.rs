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

/// Moves every wish on by one: what all agents are told changed. Under the operator's scope; call it last.
///
/// # Errors
/// The database's.
pub async fn bump_all(tx: &mut Tx) -> Result<()> {
    // In the order of ids, like those who move several.
    sqlx::query!(
        "UPDATE data_plane_generation SET n = n + 1 WHERE data_plane_id IN (
             SELECT data_plane_id FROM data_plane_generation ORDER BY data_plane_id FOR UPDATE)"
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Moves the data planes on that cluster links read for this one: by which key it reads is news to them. Under the operator's scope, since nobody
/// else may write them all; call it last.
///
/// # Errors
/// The database's.
pub async fn bump_sources(tx: &mut Tx, data_plane: DataPlaneId) -> Result<()> {
    sqlx::query!(
        // In the order of ids, like those who move several.
        "UPDATE data_plane_generation SET n = n + 1 WHERE data_plane_id IN (
             SELECT data_plane_id FROM data_plane_generation
             WHERE data_plane_id IN (SELECT source_data_plane_id FROM cluster_link WHERE target_data_plane_id = $1)
             ORDER BY data_plane_id FOR UPDATE)",
        data_plane.uuid(),
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
