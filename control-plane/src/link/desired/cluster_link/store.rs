//! Reading the cluster links that have an end at a data plane.

use super::ClusterLinkRow;
use crate::kernel::{DataPlaneId, Result};
use crate::resources::cluster_link::{ClusterLinkStart, ClusterLinkState};
use crate::runtime::Tx;

/// With what the other end's data plane said of itself.
pub(in crate::link::desired) async fn rows(
    tx: &mut Tx,
    data_plane: DataPlaneId,
) -> Result<Vec<ClusterLinkRow>> {
    let rows = sqlx::query!(
        r#"SELECT l.id AS "id!", l.tenant_id AS "tenant_id!", l.name AS "name!", l.source_cluster_id AS "source_cluster_id!",
                  l.source_data_plane_id AS "source_data_plane_id!", l.target_cluster_id AS "target_cluster_id!",
                  l.target_data_plane_id AS "target_data_plane_id!", l.service_account_id AS "service_account_id!",
                  l.start_at AS "start_at!", l.desired_state AS "desired_state!", k.link_key_sha256 AS "reads_with?",
                  s.bootstrap_host AS "bootstrap_host?", s.bootstrap_port AS "bootstrap_port?"
           FROM cluster_link l LEFT JOIN data_plane_key k ON k.data_plane_id = l.target_data_plane_id
           LEFT JOIN object_status s ON s.object_id = l.source_cluster_id
           WHERE l.source_data_plane_id = $1 OR l.target_data_plane_id = $1"#,
        data_plane.uuid(),
    )
    .fetch_all(tx.conn())
    .await?;
    let links = rows.into_iter().map(|row| ClusterLinkRow {
        id: row.id,
        tenant_id: row.tenant_id,
        name: row.name,
        source_cluster_id: row.source_cluster_id,
        source_data_plane_id: row.source_data_plane_id,
        target_cluster_id: row.target_cluster_id,
        target_data_plane_id: row.target_data_plane_id,
        service_account_id: row.service_account_id,
        start: ClusterLinkStart::stored(&row.start_at),
        desired_state: ClusterLinkState::stored(&row.desired_state),
        reads_with: row.reads_with,
        bootstrap: row
            .bootstrap_host
            .filter(|it| !it.is_empty())
            .zip(row.bootstrap_port.filter(|it| *it > 0)),
    });
    Ok(links.collect())
}
