//! The table `alert_lag`, with this as its only writer.

use uuid::Uuid;

use crate::kernel::{DataPlaneId, Result};
use crate::runtime::Tx;

/// What an agent says of one rule.
#[derive(Debug)]
pub(super) struct LagRow {
    pub(super) rule: Uuid,
    pub(super) outcome: &'static str,
    pub(super) lag_records: i64,
}

/// Writes what is said of those rules that the data plane serves. That brokers did not answer for a moment is no news: what
/// was measured within the minute stays.
pub(super) async fn keep(tx: &mut Tx, data_plane: DataPlaneId, rows: &[LagRow]) -> Result<()> {
    let rules: Vec<Uuid> = rows.iter().map(|it| it.rule).collect();
    let outcomes: Vec<String> = rows.iter().map(|it| it.outcome.to_owned()).collect();
    let lags: Vec<i64> = rows.iter().map(|it| it.lag_records).collect();
    sqlx::query!(
        "INSERT INTO alert_lag (rule_id, tenant_id, outcome, lag_records, reported_at)
         SELECT r.id, r.tenant_id, told.outcome, told.lag, now()
         FROM unnest($2::uuid[], $3::text[], $4::bigint[]) AS told (rule, outcome, lag)
         JOIN alert_rule r ON r.id = told.rule AND r.kind = 'LAG'
         JOIN cluster c ON c.tenant_id = r.tenant_id AND c.id = r.cluster_id AND c.data_plane_id = $1
         ON CONFLICT (rule_id) DO UPDATE SET outcome = excluded.outcome, lag_records = excluded.lag_records,
             reported_at = excluded.reported_at
         WHERE excluded.outcome <> 'UNREACHABLE' OR alert_lag.outcome = 'UNREACHABLE'
             OR alert_lag.reported_at < excluded.reported_at - interval '1 minute'",
        data_plane.uuid(),
        &rules,
        &outcomes,
        &lags,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
