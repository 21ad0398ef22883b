//! All SQL that names the tables `data_product` and `data_product_reader`.

use chrono::{DateTime, Utc};
use sqlx::types::Json;
use uuid::Uuid;

use crate::auth::TenantScope;
use crate::kernel::{Error, Id, Kind as _, Page, Result, kind};
use crate::resources::share::model::SharePrice;
use crate::resources::share::product::model::{
    DataProductId, Product, Standing, TopicVisibilitySpec, Visibility,
};
use crate::resources::topic::TopicId;
use crate::runtime::Tx;

struct Row {
    id: Uuid,
    tenant_id: Uuid,
    topic_id: Uuid,
    visibility: String,
    name: String,
    description: String,
    price: Option<Json<SharePrice>>,
    readers: Vec<Uuid>,
    generation: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<Row> for Product {
    fn from(row: Row) -> Self {
        Self {
            id: Id::from_uuid(row.id),
            owner: Id::from_uuid(row.tenant_id),
            topic: Id::from_uuid(row.topic_id),
            spec: TopicVisibilitySpec {
                visibility: Visibility::stored(&row.visibility),
                name: row.name,
                description: row.description,
                price: row.price.map(|it| it.0),
                tenants: row.readers.into_iter().map(Id::from_uuid).collect(),
            },
            generation: row.generation,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// How the tenant's topic is described; none: it never was, and is private.
pub async fn of_topic(tx: &mut Tx, owner: TenantScope, topic: TopicId) -> Result<Option<Product>> {
    own(tx, owner, None, Some(topic)).await
}

/// The tenant's own, held as it is until the end of the transaction; or 404.
///
/// # Errors
/// 404 when it has no such data product.
pub async fn own_by_id(tx: &mut Tx, owner: TenantScope, id: DataProductId) -> Result<Product> {
    sqlx::query!(
        "SELECT id FROM data_product WHERE tenant_id = $1 AND id = $2 FOR SHARE",
        owner.tenant().uuid(),
        id.uuid(),
    )
    .fetch_optional(tx.conn())
    .await?;
    let row = own(tx, owner, Some(id), None).await?;
    row.ok_or_else(|| Error::not_found(kind::DataProduct::KIND))
}

async fn own(
    tx: &mut Tx,
    owner: TenantScope,
    id: Option<DataProductId>,
    topic: Option<TopicId>,
) -> Result<Option<Product>> {
    let row = sqlx::query_as!(
        Row,
        r#"SELECT p.id, p.tenant_id, p.topic_id, p.visibility, p.name, p.description, p.price AS "price: _",
                  ARRAY(SELECT r.reader_tenant_id FROM data_product_reader r
                      WHERE r.tenant_id = $1 AND r.data_product_id = p.id) AS "readers!", p.generation, p.created_at, p.updated_at
           FROM data_product p
           WHERE p.tenant_id = $1 AND ($2::uuid IS NULL OR p.id = $2) AND ($3::uuid IS NULL OR p.topic_id = $3)
               AND ($2::uuid IS NOT NULL OR $3::uuid IS NOT NULL)"#,
        owner.tenant().uuid(),
        id.map(Id::uuid),
        topic.map(Id::uuid),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(Product::from))
}

/// What a tenant finds in the catalog.
pub type Found = (Product, Standing);

/// What the tenant finds of others. For all tenants that list something, since that is what listing is: only what is PUBLIC, or LISTED
/// for this very tenant, and whose owner gives.
pub async fn found(tx: &mut Tx, scope: TenantScope, q: Option<&str>, page: Page) -> Result<Vec<Found>> {
    select(tx, scope, None, q, (page.after(), page.limit())).await
}

/// One that the tenant finds, or 404: what is private is not there.
///
/// # Errors
/// 404 when it finds no such data product.
pub async fn found_by_id(tx: &mut Tx, scope: TenantScope, id: DataProductId) -> Result<Found> {
    let rows = select(tx, scope, Some(id), None, (Uuid::nil(), 1)).await?;
    rows.into_iter()
        .next()
        .ok_or_else(|| Error::not_found(kind::DataProduct::KIND))
}

async fn select(
    tx: &mut Tx,
    scope: TenantScope,
    id: Option<DataProductId>,
    q: Option<&str>,
    (after, limit): (Uuid, i64),
) -> Result<Vec<Found>> {
    let rows = sqlx::query!(
        r#"SELECT p.id, p.tenant_id, p.topic_id, p.visibility, p.name, p.description, p.price AS "price: Json<SharePrice>",
                  p.generation, p.created_at, p.updated_at,
                  (SELECT a.id FROM access_request a WHERE a.requester_tenant_id = $1 AND a.data_product_id = p.id
                      AND a.phase = 'PENDING') AS request_id,
                  (SELECT s.id FROM share s JOIN share_topic t ON t.tenant_id = s.tenant_id AND t.share_id = s.id
                      WHERE s.tenant_id = p.tenant_id AND s.recipient_tenant_id = $1 AND t.topic_id = p.topic_id
                          AND s.phase IN ('INVITED', 'PREVIEWED', 'ACTIVE') ORDER BY s.id DESC LIMIT 1) AS share_id
           FROM data_product p
           WHERE p.tenant_id <> $1 AND p.given AND (p.visibility = 'PUBLIC' OR (p.visibility = 'LISTED' AND EXISTS (
                   SELECT FROM data_product_reader r WHERE r.data_product_id = p.id AND r.reader_tenant_id = $1)))
               AND ($2::uuid IS NULL OR p.id = $2)
               AND ($3::text IS NULL OR position(lower($3) IN lower(p.name || ' ' || p.description)) > 0)
               AND p.id > $4 ORDER BY p.id LIMIT $5"#,
        scope.tenant().uuid(),
        id.map(Id::uuid),
        q,
        after,
        limit,
    )
    .fetch_all(tx.conn())
    .await?;
    let found = rows.into_iter().map(|row| {
        let product = Product::from(Row {
            id: row.id,
            tenant_id: row.tenant_id,
            topic_id: row.topic_id,
            visibility: row.visibility,
            name: row.name,
            description: row.description,
            price: row.price,
            // Who else finds it is the owner's to know.
            readers: Vec::new(),
            generation: row.generation,
            created_at: row.created_at,
            updated_at: row.updated_at,
        });
        let standing = Standing {
            request: row.request_id.map(Id::from_uuid),
            share: row.share_id.map(Id::from_uuid),
        };
        (product, standing)
    });
    Ok(found.collect())
}

/// Describes a topic.
pub async fn put(
    tx: &mut Tx,
    owner: TenantScope,
    id: DataProductId,
    topic: TopicId,
    spec: &TopicVisibilitySpec,
) -> Result<()> {
    let TopicVisibilitySpec {
        visibility,
        name,
        description,
        price,
        tenants,
    } = spec;
    let price = price.as_ref().map(serde_json::to_value).transpose();
    let id = sqlx::query_scalar!(
        "INSERT INTO data_product AS held (id, tenant_id, topic_id, visibility, name, description, price)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (topic_id) DO UPDATE SET visibility = excluded.visibility, name = excluded.name,
             description = excluded.description, price = excluded.price, given = true, generation = held.generation + 1,
             updated_at = now() WHERE held.tenant_id = $2
         RETURNING id",
        id.uuid(),
        owner.tenant().uuid(),
        topic.uuid(),
        visibility.name(),
        name,
        description,
        price.map_err(Error::internal)?,
    )
    .fetch_one(tx.conn())
    .await?;
    let readers: Vec<Uuid> = tenants.iter().map(|it| it.uuid()).collect();
    sqlx::query!(
        "DELETE FROM data_product_reader WHERE tenant_id = $1 AND data_product_id = $2 AND reader_tenant_id <> ALL($3)",
        owner.tenant().uuid(),
        id,
        &readers,
    )
    .execute(tx.conn())
    .await?;
    sqlx::query!(
        "INSERT INTO data_product_reader (tenant_id, data_product_id, reader_tenant_id)
         SELECT $1, $2, reader FROM unnest($3::uuid[]) AS reader ON CONFLICT DO NOTHING",
        owner.tenant().uuid(),
        id,
        &readers,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Follows the tenant's switch: what it has listed is found only while it gives.
pub async fn set_given(tx: &mut Tx, owner: TenantScope, given: bool) -> Result<()> {
    sqlx::query!(
        "UPDATE data_product SET given = $2 WHERE tenant_id = $1 AND given <> $2",
        owner.tenant().uuid(),
        given,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
