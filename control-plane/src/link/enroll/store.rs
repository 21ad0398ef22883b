//! Tokens and keys of agents.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::kernel::{DataPlaneId, Result};
use crate::runtime::Tx;

/// A token as it stands.
#[derive(Debug)]
pub(in crate::link) struct TokenRow {
    pub(in crate::link) data_plane: DataPlaneId,
    pub(in crate::link) used: bool,
    pub(in crate::link) expired: bool,
}

/// An agent's key as it stands.
#[derive(Debug)]
pub(in crate::link) struct KeyRow {
    pub(in crate::link) data_plane: DataPlaneId,
    pub(in crate::link) certificate_not_after: DateTime<Utc>,
}

/// The token that the look-up scope opens.
pub(in crate::link) async fn token(tx: &mut Tx, token_sha256: &[u8; 32]) -> Result<Option<TokenRow>> {
    let row = sqlx::query!(
        r#"SELECT data_plane_id, used_at IS NOT NULL AS "used!", expires_at <= now() AS "expired!"
           FROM enrollment_token WHERE token_sha256 = $1"#,
        token_sha256.as_slice(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| TokenRow {
        data_plane: DataPlaneId::from_uuid(row.data_plane_id),
        used: row.used,
        expired: row.expired,
    }))
}

/// Spends the token; the tenant of its data plane, or nothing when it was spent or is over. (Revoking withdraws open
/// tokens.)
pub(in crate::link) async fn spend(tx: &mut Tx, token_sha256: &[u8; 32]) -> Result<Option<Uuid>> {
    let tenant = sqlx::query_scalar!(
        "UPDATE enrollment_token SET used_at = now()
         WHERE token_sha256 = $1 AND used_at IS NULL AND expires_at > now() RETURNING tenant_id",
        token_sha256.as_slice(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(tenant)
}

/// Makes this the data plane's only key: a new agent. Sessions of an older one end.
pub(in crate::link) async fn enrol(
    tx: &mut Tx,
    data_plane: DataPlaneId,
    tenant: Uuid,
    key_sha256: &[u8; 32],
    not_after: DateTime<Utc>,
) -> Result<()> {
    sqlx::query!(
        "INSERT INTO data_plane_link (data_plane_id, tenant_id, enrolled_at, public_key_sha256, certificate_not_after)
         VALUES ($1, $2, now(), $3, $4)
         ON CONFLICT (data_plane_id) DO UPDATE SET enrolled_at = now(), public_key_sha256 = excluded.public_key_sha256,
             previous_public_key_sha256 = NULL, certificate_not_after = excluded.certificate_not_after,
             session_id = NULL, instance = NULL, fenced_instances = '{}', accepted_epoch = 0, accepted_n = 0,
             applied_epoch = 0, applied_n = 0, gateways_live = 0, sealing_public_key = NULL",
        data_plane.uuid(),
        tenant,
        key_sha256.as_slice(),
        not_after,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// How a key stands at the door of a data plane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::link) enum Standing {
    /// It opens: the present key, or the one before.
    Opens,
    /// The agent was revoked after it enrolled, or the data plane is gone.
    Revoked,
    /// Another key took its place.
    Superseded,
}

/// Does this key, present or previous, open the door? Whoever was revoked stays out until it enrols anew.
pub(in crate::link) async fn key_stands(
    tx: &mut Tx,
    data_plane: DataPlaneId,
    key_sha256: &[u8; 32],
) -> Result<Standing> {
    let row = sqlx::query!(
        r#"SELECT coalesce(d.revoked_at >= l.enrolled_at, false) AS "revoked!",
               coalesce(l.public_key_sha256 = $2 OR l.previous_public_key_sha256 = $2, false) AS "opens!"
           FROM data_plane d JOIN data_plane_link l ON l.data_plane_id = d.id WHERE d.id = $1"#,
        data_plane.uuid(),
        key_sha256.as_slice(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(match row {
        Some(row) if !row.revoked && row.opens => Standing::Opens,
        Some(row) if !row.revoked => Standing::Superseded,
        _revoked_or_gone => Standing::Revoked,
    })
}

/// The data plane of a present key, under the look-up scope of the key's hash.
pub(in crate::link) async fn key(tx: &mut Tx, key_sha256: &[u8; 32]) -> Result<Option<KeyRow>> {
    let row = sqlx::query!(
        "SELECT data_plane_id, certificate_not_after FROM data_plane_link WHERE public_key_sha256 = $1",
        key_sha256.as_slice(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| KeyRow {
        data_plane: DataPlaneId::from_uuid(row.data_plane_id),
        certificate_not_after: row.certificate_not_after,
    }))
}

/// Replaces the key. The one that asked stays valid until the next renewal, for the answer may be lost.
pub(in crate::link) async fn renew(
    tx: &mut Tx,
    data_plane: DataPlaneId,
    asked_with: &[u8; 32],
    key_sha256: &[u8; 32],
    not_after: DateTime<Utc>,
) -> Result<bool> {
    let renewed = sqlx::query!(
        "UPDATE data_plane_link SET public_key_sha256 = $3, certificate_not_after = $4,
             previous_public_key_sha256 = CASE WHEN $2 = $3 THEN previous_public_key_sha256 ELSE $2 END
         WHERE data_plane_id = $1 AND (public_key_sha256 = $2 OR previous_public_key_sha256 = $2)",
        data_plane.uuid(),
        asked_with.as_slice(),
        key_sha256.as_slice(),
        not_after,
    )
    .execute(tx.conn())
    .await?;
    Ok(renewed.rows_affected() == 1)
}

/// Puts an enrolment on the record of the data plane's owner.
pub(super) async fn record(tx: &mut Tx, data_plane: DataPlaneId, address: &str, serial: &str) -> Result<()> {
    sqlx::query!(
        "INSERT INTO audit_event (id, tenant_id, principal, action, kind, object_id, resource_name, after, request_id)
         SELECT $2, tenant_id, $3, 'enroll', 'DataPlane', id, 'data_plane=' || name,
             jsonb_build_object('address', $4::text, 'certificate_serial', $5::text), 'enroll_' || $5
         FROM data_plane WHERE id = $1",
        data_plane.uuid(),
        Uuid::now_v7(),
        data_plane.to_string(),
        address,
        serial,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Tells watchers that the data plane's agent came or went.
pub(in crate::link) async fn tell(tx: &mut Tx, data_plane: DataPlaneId) -> Result<()> {
    sqlx::query!(
        "INSERT INTO event (id, tenant_id, kind, object_id, action, generation)
         SELECT $2, tenant_id, 'DataPlane', id, 'status', generation FROM data_plane WHERE id = $1",
        data_plane.uuid(),
        Uuid::now_v7(),
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
