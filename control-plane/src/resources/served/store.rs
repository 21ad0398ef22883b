//! Reading what agents reported; only the agents' door writes it.

use uuid::Uuid;

use crate::kernel::Result;
use crate::resources::served::Report;
use crate::runtime::Tx;

/// The newest report about one object of a tenant, or of a pool that the tenant may use.
///
/// # Errors
/// The database's.
pub async fn report(tx: &mut Tx, object: Uuid) -> Result<Option<Report>> {
    Ok(reports(tx, &[object]).await?.pop().map(|(_id, report)| report))
}

/// The newest reports about several objects. Row-level security shows those of the scope.
///
/// # Errors
/// The database's.
pub async fn reports(tx: &mut Tx, objects: &[Uuid]) -> Result<Vec<(Uuid, Report)>> {
    let rows = sqlx::query!(
        "SELECT object_id, phase, reason, observed_n, policy_accepted, observed_partitions, brokers_ready,
                bootstrap_host, bootstrap_port, drifted, reported_at
         FROM object_status WHERE object_id = ANY($1)",
        objects,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows
        .into_iter()
        .map(|it| {
            let report = Report {
                phase: it.phase,
                reason: it.reason,
                observed_n: it.observed_n,
                policy_accepted: it.policy_accepted,
                observed_partitions: it.observed_partitions,
                brokers_ready: it.brokers_ready,
                bootstrap_host: it.bootstrap_host,
                bootstrap_port: it.bootstrap_port,
                drifted: it.drifted,
                reported_at: Some(it.reported_at),
            };
            (it.object_id, report)
        })
        .collect())
}
