//! Desired state: built from one snapshot, signed once, stored, and sent as the stored bytes.

mod build;
mod cluster_link;
mod contract;
mod job;
mod lag_watch;
mod mount;
mod pool;
mod quota;
mod sql;
pub(super) mod store;
mod token;
mod topic;

use chrono::{DateTime, TimeDelta, Utc};
use prost::Message as _;
use weir_proto::agent::v1::{DesiredFrame, Generation};
use weir_proto::desired::BODY_BYTES_MAX;

use super::signing::SigningKey;
use crate::kernel::{DataPlaneId, Error, Result};
use crate::runtime::{Db, Scope};

/// How long a signature may be accepted. It gates acceptance only: what an agent holds, it goes on using.
const VALID_FOR: TimeDelta = TimeDelta::hours(24);
/// With less than this left, the stored bytes are signed again before they are sent.
const VALID_AT_LEAST: TimeDelta = TimeDelta::hours(12);
/// An epoch rises once a restored backup. An agent that claims more than this is not believed.
const EPOCH_MAX: u64 = 1 << 32;

/// The frame of the present generation; `None` when the data plane is gone. `issuer` names us in access tokens.
pub(super) async fn frame(
    db: &Db,
    signing: &SigningKey,
    issuer: &str,
    data_plane: DataPlaneId,
    now: DateTime<Utc>,
) -> Result<Option<DesiredFrame>> {
    let scope = Scope::DataPlane(data_plane);
    let mut snapshot = db.snapshot(&scope).await?;
    let Some(generation) = store::generation(&mut snapshot, data_plane).await? else {
        return Ok(None);
    };
    if let Some(frame) = store::stored(&mut snapshot, data_plane, generation).await? {
        drop(snapshot);
        return valid(db, signing, data_plane, generation, frame, now)
            .await
            .map(Some);
    }
    let rows = store::rows(&mut snapshot, data_plane).await?;
    drop(snapshot);
    let body = build::build(data_plane, issuer, rows).encode_to_vec();
    if body.len() > BODY_BYTES_MAX {
        return Err(Error::internal(format!(
            "the desired state of {data_plane} has {} bytes",
            body.len()
        )));
    }
    let expires_at = whole_second(now + VALID_FOR);
    let sealed = signing.seal(generation, expires_at.timestamp(), body);
    let mut tx = db.begin(&scope).await?;
    store::keep(&mut tx, data_plane, generation, &sealed, expires_at).await?;
    store::remember_clusters(&mut tx, data_plane).await?;
    // Another control plane may have been faster: what is stored is what counts.
    let stored = store::stored(&mut tx, data_plane, generation).await?;
    tx.commit().await?;
    Ok(stored)
}

/// The stored frame, signed anew when it would soon be refused as expired.
async fn valid(
    db: &Db,
    signing: &SigningKey,
    data_plane: DataPlaneId,
    generation: Generation,
    frame: DesiredFrame,
    now: DateTime<Utc>,
) -> Result<DesiredFrame> {
    if frame.expires_at_unix_seconds >= (now + VALID_AT_LEAST).timestamp() {
        return Ok(frame);
    }
    let expires_at = whole_second(now + VALID_FOR);
    let sealed = signing.seal(generation, expires_at.timestamp(), frame.body.to_vec());
    let mut tx = db.begin(&Scope::DataPlane(data_plane)).await?;
    store::prolong(&mut tx, data_plane, generation, &sealed.signature, expires_at).await?;
    tx.commit().await?;
    Ok(sealed)
}

/// The agent holds a generation that the database does not know or knows otherwise: the database was restored.
/// Raises the epoch, so that the agent follows again.
pub(super) async fn raise_epoch(db: &Db, data_plane: DataPlaneId, held: Generation) -> Result<bool> {
    if held.epoch >= EPOCH_MAX {
        tracing::error!(%data_plane, epoch = held.epoch, "the agent claims an epoch that cannot be; it is left alone");
        return Ok(false);
    }
    let mut tx = db.begin(&Scope::Operator).await?;
    let raised = store::raise_epoch(&mut tx, data_plane, held).await?;
    tx.commit().await?;
    Ok(raised)
}

/// The signature covers whole seconds; the stored moment has to be the same.
fn whole_second(at: DateTime<Utc>) -> DateTime<Utc> {
    at - TimeDelta::nanoseconds(i64::from(at.timestamp_subsec_nanos()))
}
