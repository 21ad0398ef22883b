//! What the door knows of a live agent.

use uuid::Uuid;
use weir_proto::agent::v1::Generation;

use crate::kernel::{DataPlaneId, Result};
use crate::link::desired::store::numbered;
use crate::runtime::Tx;

/// How a session stands against the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::link) struct Standing {
    pub(in crate::link) generation: Generation,
    pub(in crate::link) revoked: bool,
    /// The newest session of the data plane.
    pub(in crate::link) session: Option<Uuid>,
}

/// What a hello leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Claim {
    /// This session is the data plane's only one now.
    Taken,
    /// The instance was fenced by another one and stays out.
    Fenced,
    /// No agent is enrolled.
    Unknown,
}

/// Makes `session` the data plane's only one. The instance before is fenced, unless it is the same one again.
pub(super) async fn claim(
    tx: &mut Tx,
    data_plane: DataPlaneId,
    session: Uuid,
    instance: u64,
    versions: (&str, &str),
    accepted: Generation,
) -> Result<Claim> {
    let id = data_plane.uuid();
    let instance = instance.cast_signed();
    let held = sqlx::query!(
        "SELECT instance, fenced_instances FROM data_plane_link WHERE data_plane_id = $1 FOR UPDATE",
        id
    )
    .fetch_optional(tx.conn())
    .await?;
    let Some(held) = held else {
        return Ok(Claim::Unknown);
    };
    if held.fenced_instances.contains(&instance) {
        return Ok(Claim::Fenced);
    }
    let mut fenced = held.fenced_instances;
    fenced.extend(held.instance.filter(|before| *before != instance));
    let forgotten = fenced.len().saturating_sub(FENCED_MAX);
    fenced.drain(..forgotten);
    sqlx::query!(
        "UPDATE data_plane_link SET session_id = $2, instance = $3, fenced_instances = $4, agent_version = $5,
             kafka_version = $6, accepted_epoch = $7, accepted_n = $8, last_seen_at = now() WHERE data_plane_id = $1",
        id,
        session,
        instance,
        &fenced,
        versions.0,
        versions.1,
        accepted.epoch.cast_signed(),
        accepted.n.cast_signed(),
    )
    .execute(tx.conn())
    .await?;
    Ok(Claim::Taken)
}

/// Pins the key that secrets for this agent are sealed to. False: another one was pinned since it enrolled, and stays.
pub(super) async fn pin_sealing_key(tx: &mut Tx, data_plane: DataPlaneId, key: &[u8; 32]) -> Result<bool> {
    let pinned = sqlx::query_scalar!(
        r#"UPDATE data_plane_link SET sealing_public_key = coalesce(sealing_public_key, $2) WHERE data_plane_id = $1
           RETURNING sealing_public_key = $2 AS "same!""#,
        data_plane.uuid(),
        key.as_slice(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(pinned.unwrap_or(false))
}

/// Instances that stay out. An agent draws a new number at each start, so old ones may be forgotten.
const FENCED_MAX: usize = 32;

/// What a heartbeat says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Pulse {
    pub(super) accepted: Generation,
    pub(super) applied: Generation,
    pub(super) gateways_live: i32,
    pub(super) usage_windows_waiting: i64,
}

/// Keeps a heartbeat, if this is still the data plane's session.
pub(super) async fn beat(tx: &mut Tx, data_plane: DataPlaneId, session: Uuid, pulse: Pulse) -> Result<()> {
    let Pulse {
        accepted,
        applied,
        gateways_live,
        usage_windows_waiting,
    } = pulse;
    sqlx::query!(
        "UPDATE data_plane_link SET last_seen_at = now(), accepted_epoch = $3, accepted_n = $4, applied_epoch = $5,
             applied_n = $6, gateways_live = $7, usage_windows_waiting = $8
         WHERE data_plane_id = $1 AND session_id = $2",
        data_plane.uuid(),
        session,
        accepted.epoch.cast_signed(),
        accepted.n.cast_signed(),
        applied.epoch.cast_signed(),
        applied.n.cast_signed(),
        gateways_live,
        usage_windows_waiting,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The session is over; false when another has taken its place.
pub(super) async fn leave(tx: &mut Tx, data_plane: DataPlaneId, session: Uuid) -> Result<bool> {
    let left = sqlx::query!(
        "UPDATE data_plane_link SET session_id = NULL, gateways_live = 0 WHERE data_plane_id = $1 AND session_id = $2",
        data_plane.uuid(),
        session,
    )
    .execute(tx.conn())
    .await?;
    Ok(left.rows_affected() == 1)
}

/// How these data planes stand, in one query for all sessions of this process. Under the operator's scope: sessions
/// belong to many data planes, and no row but these facts is read.
pub(in crate::link) async fn standings(
    tx: &mut Tx,
    data_planes: &[Uuid],
) -> Result<Vec<(DataPlaneId, Standing)>> {
    let rows = sqlx::query!(
        r#"SELECT d.id AS "id!", g.epoch AS "epoch!", g.n AS "n!", coalesce(d.revoked_at >= l.enrolled_at, false) AS "revoked!", l.session_id AS "session_id?"
           FROM data_plane d JOIN data_plane_generation g ON g.data_plane_id = d.id
           LEFT JOIN data_plane_link l ON l.data_plane_id = d.id WHERE d.id = ANY($1)"#,
        data_planes,
    )
    .fetch_all(tx.conn())
    .await?;
    let standings = rows.into_iter().map(|row| {
        let standing = Standing {
            generation: numbered(row.epoch, row.n),
            revoked: row.revoked,
            session: row.session_id,
        };
        (DataPlaneId::from_uuid(row.id), standing)
    });
    Ok(standings.collect())
}

/// How one data plane stands, under its own scope; `None` when it is gone.
pub(super) async fn standing(tx: &mut Tx, data_plane: DataPlaneId) -> Result<Option<Standing>> {
    let row = sqlx::query!(
        r#"SELECT g.epoch AS "epoch!", g.n AS "n!", coalesce(d.revoked_at >= l.enrolled_at, false) AS "revoked!", l.session_id AS "session_id?"
           FROM data_plane d JOIN data_plane_generation g ON g.data_plane_id = d.id
           LEFT JOIN data_plane_link l ON l.data_plane_id = d.id WHERE d.id = $1"#,
        data_plane.uuid(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| Standing {
        generation: numbered(row.epoch, row.n),
        revoked: row.revoked,
        session: row.session_id,
    }))
}
