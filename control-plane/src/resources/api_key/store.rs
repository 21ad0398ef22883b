//! All SQL of API keys.

use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;
use weir_credentials::PublicKeyHash;

use crate::auth::TenantScope;
use crate::kernel::{
    ApiKeyId, ClusterId, DataPlaneId, Error, Id, Kind as _, Labels, Page, Result, ServiceAccountId, kind,
};
use crate::resources::api_key::model::{ApiKey, ApiKeySpec, Report};
use crate::resources::api_key::verifiers::Verifiers;
use crate::resources::data_plane_generation::bump_generation;
use crate::resources::labels_of;
use crate::runtime::Tx;

struct Row {
    id: Uuid,
    service_account_id: Uuid,
    service_account_name: String,
    cluster_id: Option<Uuid>,
    data_plane_id: Option<Uuid>,
    description: String,
    expires_at: Option<DateTime<Utc>>,
    public_key_sha256: Option<Vec<u8>>,
    desired_n: i64,
    reported_phase: Option<String>,
    observed_n: Option<i64>,
    labels: Value,
    generation: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<Row> for ApiKey {
    fn from(row: Row) -> Self {
        let Row {
            id,
            service_account_id,
            service_account_name,
            cluster_id,
            data_plane_id,
            description,
            expires_at,
            public_key_sha256,
            desired_n,
            reported_phase,
            observed_n,
            labels,
            generation,
            created_at,
            updated_at,
        } = row;
        let public_key = public_key_sha256.and_then(|it| PublicKeyHash::from_bytes(&it));
        let spec = ApiKeySpec {
            service_account: Id::from_uuid(service_account_id),
            cluster: cluster_id.map(Id::from_uuid),
            description,
            expires_at,
            public_key_sha256: public_key.map(|it| it.to_string()),
            certificate_pem: None,
        };
        // Both come from one outer join: together or not at all.
        let report = reported_phase
            .zip(observed_n)
            .map(|(phase, observed_n)| Report { phase, observed_n });
        Self {
            id: Id::from_uuid(id),
            spec,
            service_account_name,
            data_plane: data_plane_id.map(Id::from_uuid),
            desired_n,
            report,
            labels: labels_of(labels),
            generation,
            created_at,
            updated_at,
        }
    }
}

/// Which keys a list shows.
#[derive(Debug, Default)]
pub struct Filter {
    pub service_account: Option<ServiceAccountId>,
    pub cluster: Option<ClusterId>,
}

/// The key, or 404.
///
/// # Errors
/// 404 when the tenant has no such key.
pub async fn by_id(tx: &mut Tx, scope: TenantScope, id: ApiKeyId) -> Result<ApiKey> {
    let found = select(tx, scope, Some(id), &Filter::default(), Uuid::nil(), 1).await?;
    found
        .into_iter()
        .next()
        .ok_or_else(|| Error::not_found(kind::ApiKey::KIND))
}

pub async fn list(tx: &mut Tx, scope: TenantScope, filter: &Filter, page: Page) -> Result<Vec<ApiKey>> {
    select(tx, scope, None, filter, page.after(), page.limit()).await
}

async fn select(
    tx: &mut Tx,
    scope: TenantScope,
    id: Option<ApiKeyId>,
    filter: &Filter,
    after: Uuid,
    limit: i64,
) -> Result<Vec<ApiKey>> {
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT k.id, k.service_account_id, a.name AS service_account_name, k.cluster_id, k.data_plane_id,
                k.description, k.expires_at, k.public_key_sha256, k.desired_n, s.phase AS "reported_phase?", s.observed_n AS "observed_n?",
                k.labels, k.generation, k.created_at, k.updated_at
         FROM api_key k
         JOIN service_account a ON a.tenant_id = k.tenant_id AND a.id = k.service_account_id
         LEFT JOIN object_status s ON s.object_id = k.id AND s.tenant_id = k.tenant_id
         WHERE k.tenant_id = $1 AND ($2::uuid IS NULL OR k.id = $2)
           AND ($3::uuid IS NULL OR k.service_account_id = $3) AND ($4::uuid IS NULL OR k.cluster_id = $4)
           AND k.id > $5 ORDER BY k.id LIMIT $6"#,
        scope.tenant().uuid(),
        id.map(Id::uuid),
        filter.service_account.map(Id::uuid),
        filter.cluster.map(Id::uuid),
        after,
        limit,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(ApiKey::from).collect())
}

/// The cluster that a key opens.
#[derive(Debug, Clone)]
pub struct Opened {
    pub data_plane: DataPlaneId,
    /// Is it in native mode? Its broker pool, and so the data plane, is the tenant's own then.
    pub native: bool,
    /// To what secrets for the agent are sealed, once it told.
    pub sealing_key: Option<Vec<u8>>,
}

/// Where a cluster of the tenant is; it stays so until the end of the transaction.
///
/// # Errors
/// 404 when the tenant has no such cluster, or it is going away.
pub async fn opened(tx: &mut Tx, scope: TenantScope, cluster: ClusterId) -> Result<Opened> {
    let found = sqlx::query!(
        r#"SELECT c.data_plane_id, c.access = 'NATIVE' AS "native!", l.sealing_public_key AS "sealing_key?"
           FROM cluster c LEFT JOIN data_plane_link l ON l.tenant_id = c.tenant_id AND l.data_plane_id = c.data_plane_id
           WHERE c.tenant_id = $1 AND c.id = $2 AND c.deleted_at IS NULL FOR SHARE OF c"#,
        scope.tenant().uuid(),
        cluster.uuid(),
    )
    .fetch_optional(tx.conn())
    .await?;
    let row = found.ok_or_else(|| Error::not_found(kind::Cluster::KIND))?;
    Ok(Opened {
        data_plane: Id::from_uuid(row.data_plane_id),
        native: row.native,
        sealing_key: row.sealing_key,
    })
}

/// A key as it is inserted.
pub struct New<'a> {
    pub id: ApiKeyId,
    pub spec: &'a ApiKeySpec,
    pub labels: &'a Labels,
    pub data_plane: Option<DataPlaneId>,
    /// Of a native cluster.
    pub sealed: Option<Vec<u8>>,
    pub verifiers: &'a Verifiers,
}

pub async fn insert(tx: &mut Tx, scope: TenantScope, new: New<'_>) -> Result<()> {
    let New {
        id,
        spec,
        labels,
        data_plane,
        sealed,
        verifiers,
    } = new;
    let ApiKeySpec {
        service_account,
        cluster,
        description,
        expires_at,
        // What is kept of them is among the verifiers.
        public_key_sha256: _,
        certificate_pem: _,
    } = spec;
    let Verifiers {
        sha256,
        scram_256,
        scram_512,
        public_key,
    } = verifiers;
    sqlx::query!(
        "INSERT INTO api_key (id, tenant_id, service_account_id, cluster_id, data_plane_id, description, expires_at,
             labels, secret_sha256, scram_iterations, scram_256_salt, scram_256_stored_key, scram_256_server_key,
             scram_512_salt, scram_512_stored_key, scram_512_server_key, public_key_sha256, sealed)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)",
        id.uuid(),
        scope.tenant().uuid(),
        service_account.uuid(),
        cluster.map(Id::uuid),
        data_plane.map(Id::uuid),
        description,
        *expires_at,
        serde_json::to_value(labels).map_err(Error::internal)?,
        sha256.as_slice(),
        i32::try_from(scram_256.iterations.get()).map_err(Error::internal)?,
        scram_256.salt,
        scram_256.stored_key,
        scram_256.server_key,
        scram_512.salt,
        scram_512.stored_key,
        scram_512.server_key,
        public_key.as_ref().map(|it| it.as_bytes().as_slice()),
        sealed,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Writes a changed row, if it still has the generation that it was read with.
pub async fn update(tx: &mut Tx, scope: TenantScope, before: i64, row: &ApiKey) -> Result<()> {
    // Whose key it is, what it opens and what opens it are immutable.
    let ApiKeySpec {
        service_account: _,
        cluster: _,
        description,
        expires_at,
        public_key_sha256: _,
        certificate_pem: _,
    } = &row.spec;
    let done = sqlx::query!(
        "UPDATE api_key SET description = $3, expires_at = $4, labels = $5, generation = $6, updated_at = now()
         WHERE tenant_id = $1 AND id = $2 AND generation = $7",
        scope.tenant().uuid(),
        row.id.uuid(),
        description,
        *expires_at,
        serde_json::to_value(&row.labels).map_err(Error::internal)?,
        row.generation,
        before,
    )
    .execute(tx.conn())
    .await?;
    crate::resources::one_row_moved(done.rows_affected())
}

pub async fn delete(tx: &mut Tx, scope: TenantScope, id: ApiKeyId) -> Result<()> {
    sqlx::query!(
        "DELETE FROM api_key WHERE tenant_id = $1 AND id = $2",
        scope.tenant().uuid(),
        id.uuid()
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Tells the data plane of a changed key, and the key which generation carries it.
pub async fn key_changed(
    tx: &mut Tx,
    scope: TenantScope,
    id: ApiKeyId,
    data_plane: Option<DataPlaneId>,
) -> Result<()> {
    let Some(data_plane) = data_plane else {
        return Ok(());
    };
    let n = bump_generation(tx, data_plane).await?;
    sqlx::query!(
        "UPDATE api_key SET desired_n = $3 WHERE tenant_id = $1 AND id = $2",
        scope.tenant().uuid(),
        id.uuid(),
        n,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Tells every data plane on which the service account has keys or jobs, or is read as by a cluster link, that what it may do changed.
///
/// # Errors
/// The database's.
pub async fn keys_changed(tx: &mut Tx, scope: TenantScope, account: ServiceAccountId) -> Result<()> {
    // In the order of ids, so that two such changes cannot hold each other up.
    let data_planes = sqlx::query_scalar!(
        r#"SELECT data_plane_id AS "data_plane_id!" FROM api_key
         WHERE tenant_id = $1 AND service_account_id = $2 AND data_plane_id IS NOT NULL
         UNION SELECT data_plane_id FROM job WHERE tenant_id = $1 AND service_account_id = $2
         UNION SELECT source_data_plane_id FROM cluster_link WHERE tenant_id = $1 AND service_account_id = $2 ORDER BY 1"#,
        scope.tenant().uuid(),
        account.uuid(),
    )
    .fetch_all(tx.conn())
    .await?;
    for data_plane in data_planes {
        let n = bump_generation(tx, Id::from_uuid(data_plane)).await?;
        sqlx::query!(
            "UPDATE api_key SET desired_n = $4 WHERE tenant_id = $1 AND service_account_id = $2 AND data_plane_id = $3",
            scope.tenant().uuid(),
            account.uuid(),
            data_plane,
            n,
        )
        .execute(tx.conn())
        .await?;
    }
    Ok(())
}
