//! Reading the tables `contract_judged` and `contract_violation`; only the agents' door writes them.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::auth::TenantScope;
use crate::kernel::{Id, Result};
use crate::resources::topic::model::TopicId;
use crate::resources::topic::violations::{JudgedMinute, RecordPart, TopicViolation};
use crate::runtime::Tx;

/// What was judged, by minutes, the oldest first.
pub async fn minutes(
    tx: &mut Tx,
    scope: TenantScope,
    topic: TopicId,
    minutes: i32,
) -> Result<Vec<JudgedMinute>> {
    let rows = sqlx::query_as!(
        JudgedMinute,
        "SELECT minute AS started_at, records, violating FROM contract_judged
         WHERE tenant_id = $1 AND topic_id = $2 AND minute > now() - make_interval(mins => $3) ORDER BY minute LIMIT 61",
        scope.tenant().uuid(),
        topic.uuid(),
        minutes,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows)
}

/// When the newest record was accepted, as far as is kept.
pub async fn last_record_at(
    tx: &mut Tx,
    scope: TenantScope,
    topic: TopicId,
) -> Result<Option<DateTime<Utc>>> {
    let last = sqlx::query_scalar!(
        "SELECT max(last_record_at) FROM contract_judged WHERE tenant_id = $1 AND topic_id = $2",
        scope.tenant().uuid(),
        topic.uuid(),
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(last)
}

/// Who broke what, the most frequent first. Names come from the tenant's own rows.
pub async fn violations(
    tx: &mut Tx,
    scope: TenantScope,
    topic: TopicId,
    minutes: i32,
    limit: i64,
) -> Result<Vec<TopicViolation>> {
    let rows = sqlx::query!(
        r#"SELECT v.principal_id AS "principal_id!", p.name AS "principal_name?", v.part AS "part!", v.kind AS "kind!",
             v.contract_schema_id AS "schema!", s.schema_id AS "schema_id?",
             CASE WHEN v.rule > 0 THEN s.rule_set->'domainRules'->(v.rule - 1)->>'name' END AS rule,
             v.enforcement AS "enforcement!", v.records AS "records!", v.last AS "last!"
           FROM (SELECT principal_id, part, contract_schema_id, kind, rule, enforcement, sum(records)::bigint AS records,
                     max(minute) AS last
                 FROM contract_violation
                 WHERE tenant_id = $1 AND topic_id = $2 AND minute > now() - make_interval(mins => $3)
                 GROUP BY principal_id, part, contract_schema_id, kind, rule, enforcement
                 ORDER BY sum(records) DESC, principal_id, contract_schema_id, kind, rule, part, enforcement LIMIT $4) v
           LEFT JOIN service_account p ON p.tenant_id = $1 AND p.id = v.principal_id
           LEFT JOIN contract_schema s ON s.tenant_id = $1 AND s.id = v.contract_schema_id
           ORDER BY v.records DESC, v.principal_id, v.contract_schema_id, v.kind, v.rule, v.part, v.enforcement"#,
        scope.tenant().uuid(),
        topic.uuid(),
        minutes,
        limit,
    )
    .fetch_all(tx.conn())
    .await?;
    let violations = rows.into_iter().map(|row| TopicViolation {
        principal: Id::from_uuid(row.principal_id),
        principal_name: row.principal_name,
        part: if row.part == "KEY" {
            RecordPart::Key
        } else {
            RecordPart::Value
        },
        violation: row.kind,
        schema: Some(row.schema)
            .filter(|it| *it != Uuid::nil())
            .map(Id::from_uuid),
        schema_id: row.schema_id,
        rule: row.rule,
        enforcement: row.enforcement,
        records: row.records,
        last_minute: row.last,
    });
    Ok(violations.collect())
}
