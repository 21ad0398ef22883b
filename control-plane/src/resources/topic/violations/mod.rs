//! How a topic's contract is kept: what was judged, and who broke which rule, from the agents' reports of the last hour.

mod store;

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::TenantScope;
use crate::kernel::{Error, Id, Result, ServiceAccountId, code, kind};
use crate::resources::topic::model::TopicId;
use crate::resources::topic::store as topics;
use crate::runtime::App;

/// As long as reports are kept.
pub const MINUTES_MOST: i32 = 60;
/// Rows of one answer.
const ROWS_MAX: i64 = 500;

/// Which part of a record. New ones may appear.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RecordPart {
    /// Its key.
    Key,
    /// Its value.
    Value,
}

/// Who broke what, how often.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TopicViolation {
    /// The service account that produced.
    pub principal: ServiceAccountId,
    /// Its name; absent when it is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub principal_name: Option<String>,
    /// Of which part of the record.
    pub part: RecordPart,
    /// `NO_FRAME`, `UNKNOWN_SCHEMA`, `NOT_DECODABLE`, `SCHEMA`, `CONDITION`, `RULE_ERROR`, `COST`, `UNKNOWN_RULE_TYPE`, `MISSING`,
    /// `TOO_LARGE`. New kinds may appear.
    pub violation: String,
    /// The schema that it was judged by; absent when the record named none that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = Option<String>)]
    pub schema: Option<Id<kind::ContractSchema>>,
    /// The id that records carry; absent when the schema is gone, too.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub schema_id: Option<i32>,
    /// The name of the rule of the schema's `domainRules`; absent when it was none of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub rule: Option<String>,
    /// What was in force: `SHADOW`, `MARK`, `DLQ`, `REJECT`. New ones may appear.
    pub enforcement: String,
    /// How many records.
    pub records: i64,
    /// The beginning of the last minute in which it happened.
    pub last_minute: DateTime<Utc>,
}

/// A minute.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct JudgedMinute {
    /// Its beginning.
    pub started_at: DateTime<Utc>,
    /// Records that were judged.
    pub records: i64,
    /// Those that broke the contract.
    pub violating: i64,
}

/// How a topic's contract is kept.
#[derive(Debug, Serialize, ToSchema)]
pub struct TopicViolations {
    kind: &'static str,
    /// Which topic.
    #[schema(value_type = String)]
    topic: TopicId,
    /// The period, up to now.
    minutes: i32,
    /// Records that were judged.
    records: i64,
    /// Those that broke the contract, each once, however many rules it broke.
    violating: i64,
    /// The share of those; absent when none was judged.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    violating_ratio: Option<f64>,
    /// When a gateway accepted the newest record; absent when nobody knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    last_record_at: Option<DateTime<Utc>>,
    /// Who broke what, the most frequent first, at most 500.
    violations: Vec<TopicViolation>,
    /// Is there more than stands in `violations`?
    truncated: bool,
    /// By minutes, the oldest first; minutes without records are left out.
    history: Vec<JudgedMinute>,
}

/// Reads it.
///
/// # Errors
/// 404 when the tenant has no such topic, 422 for a period that is not kept.
pub async fn read(app: &App, scope: TenantScope, topic: TopicId, minutes: i32) -> Result<TopicViolations> {
    if !(1..=MINUTES_MOST).contains(&minutes) {
        let detail = format!("minutes is 1 to {MINUTES_MOST}.");
        return Err(Error::invalid("?minutes", code::OUT_OF_RANGE, detail));
    }
    let mut tx = app.db.read(&scope.scope()).await?;
    topics::by_id(&mut tx, scope, topic).await?;
    let history = store::minutes(&mut tx, scope, topic, minutes).await?;
    let last_record_at = store::last_record_at(&mut tx, scope, topic).await?;
    // One more than is shown tells whether there is more.
    let mut violations = store::violations(&mut tx, scope, topic, minutes, ROWS_MAX + 1).await?;
    tx.commit().await?;
    let most = usize::try_from(ROWS_MAX).unwrap_or(usize::MAX);
    let truncated = violations.len() > most;
    violations.truncate(most);
    let records: i64 = history.iter().map(|it| it.records).sum();
    let violating: i64 = history.iter().map(|it| it.violating).sum();
    Ok(TopicViolations {
        kind: "TopicViolations",
        topic,
        minutes,
        records,
        violating,
        violating_ratio: (records > 0).then(|| violating as f64 / records as f64),
        last_record_at,
        violations,
        truncated,
        history,
    })
}
