//! All SQL that names the table `rate_card`.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::types::Json;
use uuid::Uuid;

use crate::kernel::{Error, Id, Kind as _, Labels, Page, Result, kind};
use crate::resources::labels_of;
use crate::resources::rate_card::model::{RateCard, RateCardId, RateCardSpec};
use crate::resources::rate_card::price::Price;
use crate::runtime::Tx;

struct Row {
    id: Uuid,
    organization_id: Option<Uuid>,
    tenant_id: Option<Uuid>,
    name: String,
    currency: String,
    effective_from: DateTime<Utc>,
    prices: Json<Vec<Price>>,
    labels: Value,
    generation: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<Row> for RateCard {
    fn from(row: Row) -> Self {
        let Row {
            id,
            organization_id,
            tenant_id,
            name,
            currency,
            effective_from,
            prices,
            labels,
            generation,
            created_at,
            updated_at,
        } = row;
        let spec = RateCardSpec {
            name,
            organization: organization_id.map(Id::from_uuid),
            tenant: tenant_id.map(Id::from_uuid),
            currency,
            effective_from,
            prices: prices.0,
        };
        Self {
            id: Id::from_uuid(id),
            spec,
            labels: labels_of(labels),
            generation,
            created_at,
            updated_at,
        }
    }
}

/// The card, or 404. Row-level policies decide what the scope of the transaction sees.
///
/// # Errors
/// 404 when the scope sees no such card.
pub async fn by_id(tx: &mut Tx, id: RateCardId) -> Result<RateCard> {
    let row = sqlx::query_as!(
        Row,
        r#"SELECT id, organization_id, tenant_id, name, currency, effective_from, prices AS "prices: Json<Vec<Price>>",
               labels, generation, created_at, updated_at FROM rate_card WHERE id = $1"#,
        id.uuid(),
    )
    .fetch_optional(tx.conn())
    .await?;
    row.map(RateCard::from)
        .ok_or_else(|| Error::not_found(kind::RateCard::KIND))
}

pub async fn list(tx: &mut Tx, page: Page) -> Result<Vec<RateCard>> {
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT id, organization_id, tenant_id, name, currency, effective_from, prices AS "prices: Json<Vec<Price>>",
               labels, generation, created_at, updated_at FROM rate_card WHERE id > $1 ORDER BY id LIMIT $2"#,
        page.after(),
        page.limit(),
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(RateCard::from).collect())
}

/// Every card that the scope of the transaction sees and that is in force before `end`.
///
/// # Errors
/// When the database fails.
pub async fn all(tx: &mut Tx, end: DateTime<Utc>) -> Result<Vec<RateCard>> {
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT id, organization_id, tenant_id, name, currency, effective_from, prices AS "prices: Json<Vec<Price>>",
               labels, generation, created_at, updated_at FROM rate_card WHERE effective_from < $1 ORDER BY id"#,
        end,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(RateCard::from).collect())
}

pub async fn insert(tx: &mut Tx, id: RateCardId, spec: &RateCardSpec, labels: &Labels) -> Result<()> {
    let RateCardSpec {
        name,
        organization,
        tenant,
        currency,
        effective_from,
        prices,
    } = spec;
    sqlx::query!(
        "INSERT INTO rate_card (id, organization_id, tenant_id, name, currency, effective_from, prices, labels)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        id.uuid(),
        organization.map(Id::uuid),
        tenant.map(Id::uuid),
        name,
        currency,
        effective_from,
        serde_json::to_value(prices).map_err(Error::internal)?,
        serde_json::to_value(labels).map_err(Error::internal)?,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Writes a changed row, if it still has the generation that it was read with.
pub async fn update(tx: &mut Tx, before: i64, row: &RateCard) -> Result<()> {
    let RateCard {
        id,
        spec,
        labels,
        generation,
        created_at: _,
        updated_at: _,
    } = row;
    // Name and audience are immutable.
    let RateCardSpec {
        name: _,
        organization: _,
        tenant: _,
        currency,
        effective_from,
        prices,
    } = spec;
    let done = sqlx::query!(
        "UPDATE rate_card SET currency = $2, effective_from = $3, prices = $4, labels = $5, generation = $6,
             updated_at = now() WHERE id = $1 AND generation = $7",
        id.uuid(),
        currency,
        effective_from,
        serde_json::to_value(prices).map_err(Error::internal)?,
        serde_json::to_value(labels).map_err(Error::internal)?,
        generation,
        before,
    )
    .execute(tx.conn())
    .await?;
    crate::resources::one_row_moved(done.rows_affected())
}

pub async fn delete(tx: &mut Tx, id: RateCardId) -> Result<()> {
    sqlx::query!("DELETE FROM rate_card WHERE id = $1", id.uuid())
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// Was anything used by the audience of a card from `from` until `until`?
pub async fn used_between(
    tx: &mut Tx,
    spec: &RateCardSpec,
    from: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Result<bool> {
    let used = sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM usage_hour WHERE hour >= $1 AND hour < $2
               AND ($3::uuid IS NULL OR tenant_id = $3) AND ($4::uuid IS NULL OR organization_id = $4)) AS "used!""#,
        from,
        until,
        spec.tenant.map(Id::uuid),
        spec.organization.map(Id::uuid),
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(used)
}
