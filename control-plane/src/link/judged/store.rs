//! The tables `contract_judged` and `contract_violation`, with this as their only writer.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::kernel::{DataPlaneId, Result};
use crate::runtime::Tx;

/// Rows that a minute of one topic may gain by one report, and beyond which a report adds none: what is over is in the topic's sums alone.
const ROWS_MAX: i64 = 1_000;

/// What was judged of one topic.
#[derive(Debug)]
pub(super) struct JudgedRow {
    pub(super) topic: Uuid,
    pub(super) records: i64,
    pub(super) violating: i64,
    pub(super) last_record_at: Option<DateTime<Utc>>,
}

/// How often one principal broke one rule.
#[derive(Debug)]
pub(super) struct ViolationRow {
    pub(super) topic: Uuid,
    pub(super) principal: Uuid,
    pub(super) part: &'static str,
    pub(super) schema: Uuid,
    pub(super) kind: &'static str,
    pub(super) rule: i32,
    pub(super) enforcement: &'static str,
    pub(super) records: i64,
}

impl ViolationRow {
    pub(super) fn key(&self) -> (Uuid, Uuid, &'static str, Uuid, &'static str, i32, &'static str) {
        let Self {
            topic,
            principal,
            part,
            schema,
            kind,
            rule,
            enforcement,
            records: _,
        } = self;
        (*topic, *principal, part, *schema, kind, *rule, enforcement)
    }
}

fn column<R, T>(rows: &[R], of: impl Fn(&R) -> T) -> Vec<T> {
    rows.iter().map(of).collect()
}

/// Adds to a minute, for those topics that the data plane serves.
pub(super) async fn add_judged(
    tx: &mut Tx,
    data_plane: DataPlaneId,
    minute: DateTime<Utc>,
    rows: &[JudgedRow],
) -> Result<()> {
    sqlx::query!(
        "INSERT INTO contract_judged AS held (topic_id, tenant_id, minute, records, violating, last_record_at)
         SELECT t.id, t.tenant_id, $2, told.records, told.violating, told.last_record_at
         FROM unnest($3::uuid[], $4::bigint[], $5::bigint[], $6::timestamptz[])
             AS told (topic, records, violating, last_record_at)
         JOIN topic t ON t.id = told.topic AND t.data_plane_id = $1
         ORDER BY t.id
         ON CONFLICT (topic_id, minute) DO UPDATE SET records = held.records + excluded.records,
             violating = held.violating + excluded.violating,
             last_record_at = greatest(held.last_record_at, excluded.last_record_at)",
        data_plane.uuid(),
        minute,
        &column(rows, |it| it.topic),
        &column(rows, |it| it.records),
        &column(rows, |it| it.violating),
        &column(rows, |it| it.last_record_at) as &[Option<DateTime<Utc>>],
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The same of violations, a bounded number for each topic and minute.
pub(super) async fn add_violations(
    tx: &mut Tx,
    data_plane: DataPlaneId,
    minute: DateTime<Utc>,
    rows: &[ViolationRow],
) -> Result<()> {
    sqlx::query!(
        "INSERT INTO contract_violation AS held (topic_id, tenant_id, minute, principal_id, part, contract_schema_id, kind, rule,
             enforcement, records)
         SELECT id, tenant_id, $2, principal, part, schema, kind, rule, enforcement, records FROM (
             SELECT t.id, t.tenant_id, told.*, row_number() OVER (PARTITION BY t.id ORDER BY told.records DESC) AS place
             FROM unnest($3::uuid[], $4::uuid[], $5::text[], $6::uuid[], $7::text[], $8::int[], $9::text[], $10::bigint[])
                 AS told (topic, principal, part, schema, kind, rule, enforcement, records)
             JOIN topic t ON t.id = told.topic AND t.data_plane_id = $1
             WHERE (SELECT count(*) FROM contract_violation v WHERE v.topic_id = t.id AND v.tenant_id = t.tenant_id
                 AND v.minute = $2) < $11) placed
         WHERE place <= $11
         ORDER BY id, principal, part, schema, kind, rule, enforcement
         ON CONFLICT (topic_id, minute, principal_id, part, contract_schema_id, kind, rule, enforcement)
             DO UPDATE SET records = held.records + excluded.records",
        data_plane.uuid(),
        minute,
        &column(rows, |it| it.topic),
        &column(rows, |it| it.principal),
        &column(rows, |it| it.part.to_owned()),
        &column(rows, |it| it.schema),
        &column(rows, |it| it.kind.to_owned()),
        &column(rows, |it| it.rule),
        &column(rows, |it| it.enforcement.to_owned()),
        &column(rows, |it| it.records),
        ROWS_MAX,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Forgets what is older.
pub(super) async fn forget(tx: &mut Tx, data_plane: DataPlaneId, before: DateTime<Utc>) -> Result<()> {
    for statement in [
        sqlx::query!(
            "DELETE FROM contract_judged WHERE minute < $2 AND topic_id IN (SELECT id FROM topic WHERE data_plane_id = $1)",
            data_plane.uuid(),
            before,
        ),
        sqlx::query!(
            "DELETE FROM contract_violation WHERE minute < $2 AND topic_id IN (SELECT id FROM topic WHERE data_plane_id = $1)",
            data_plane.uuid(),
            before,
        ),
    ] {
        statement.execute(tx.conn()).await?;
    }
    Ok(())
}
