//! Enrolment and renewal: a one-time token, or an earlier key, for a certificate of one day.

pub(super) mod store;

use std::time::Instant;

use chrono::{DateTime, TimeDelta, Utc};
use tonic::{Code, Status};
use weir_credentials::{Secret, SecretKind, sha256};
use weir_proto::agent::v1::{EnrollRequest, EnrollResponse};

use super::ca::{CaError, Issued, key_of_request};
use super::tls::{Identity, Peer};
use super::{Door, refused};
use crate::kernel::{DataPlaneId, Result};
use crate::runtime::{LookupKey, Scope};

/// An expired certificate renews this long after its end, by proof of its key.
const RENEWAL_AFTER_END: TimeDelta = TimeDelta::days(30);

/// Enrols: spends the token and issues a certificate for its data plane.
pub(super) async fn enroll(
    door: &Door,
    peer: &Peer,
    request: EnrollRequest,
) -> Result<EnrollResponse, Status> {
    let EnrollRequest { token, csr_pem } = request;
    admit(door, peer)?;
    let unknown = || Status::unauthenticated("this is no enrolment token of this control plane");
    let token = Secret::parse(SecretKind::Enrollment, &token).map_err(|_not_one| unknown())?;
    let hash = sha256(token.reveal().as_bytes());
    let now = Utc::now();
    // Before the token is spent, so that a bad request does not cost it.
    let key = key_of_request(&csr_pem).map_err(request_refused)?;

    let lookup = Scope::Lookup(LookupKey::TokenSha256(hash));
    let mut tx = door.app.db.read(&lookup).await.map_err(refused)?;
    let row = store::token(&mut tx, &hash).await.map_err(refused)?;
    drop(tx);
    let row = row.ok_or_else(unknown)?;
    if row.expired {
        let message = "the enrolment token is older than 30 minutes: make a new one for this data plane";
        return Err(Status::failed_precondition(message));
    }
    if row.used {
        // The answer was lost, and the same agent asks again: it proves the key that the token enrolled.
        return match present_key(door, &key).await? {
            Some(held) if held.data_plane == row.data_plane => {
                reissue(door, peer, row.data_plane, &key, &csr_pem, now).await
            }
            _another => Err(spent()),
        };
    }
    let issued = issue(door, &csr_pem, row.data_plane, now)?;
    let scope = Scope::DataPlane(row.data_plane);
    let mut tx = door.app.db.begin(&scope).await.map_err(refused)?;
    let Some(tenant) = store::spend(&mut tx, &hash).await.map_err(refused)? else {
        return Err(spent());
    };
    store::enrol(
        &mut tx,
        row.data_plane,
        tenant,
        &issued.key_sha256,
        issued.not_after,
    )
    .await
    .map_err(refused)?;
    let address = peer.address.ip().to_string();
    store::record(&mut tx, row.data_plane, &address, &issued.serial)
        .await
        .map_err(refused)?;
    store::tell(&mut tx, row.data_plane).await.map_err(refused)?;
    tx.commit().await.map_err(refused)?;
    door.app.wake.changed();
    tracing::info!(data_plane = %row.data_plane, address = %peer.address, "an agent enrolled");
    Ok(response(door, peer, row.data_plane, issued))
}

/// Renews: by a certificate, or by a request that is signed with the key of one. Both may have ended, not long ago.
pub(super) async fn renew(door: &Door, peer: &Peer, csr_pem: &str) -> Result<EnrollResponse, Status> {
    let now = Utc::now();
    let (data_plane, asked_with) = match &peer.identity {
        Some(identity) => {
            check_end(identity.not_after, now)?;
            (named(identity)?, identity.key_sha256)
        }
        None => {
            admit(door, peer)?;
            let key = key_of_request(csr_pem).map_err(request_refused)?;
            let held = present_key(door, &key).await?;
            let held = held.ok_or_else(|| Status::unauthenticated("no agent is enrolled with this key"))?;
            check_end(held.certificate_not_after, now)?;
            (held.data_plane, key)
        }
    };
    reissue(door, peer, data_plane, &asked_with, csr_pem, now).await
}

/// A new certificate in place of one of the key `asked_with`.
async fn reissue(
    door: &Door,
    peer: &Peer,
    data_plane: DataPlaneId,
    asked_with: &[u8; 32],
    csr_pem: &str,
    now: DateTime<Utc>,
) -> Result<EnrollResponse, Status> {
    let issued = issue(door, csr_pem, data_plane, now)?;
    let mut tx = door
        .app
        .db
        .begin(&Scope::DataPlane(data_plane))
        .await
        .map_err(refused)?;
    check_standing(
        store::key_stands(&mut tx, data_plane, asked_with)
            .await
            .map_err(refused)?,
    )?;
    let renewed = store::renew(
        &mut tx,
        data_plane,
        asked_with,
        &issued.key_sha256,
        issued.not_after,
    )
    .await
    .map_err(refused)?;
    if !renewed {
        return Err(superseded());
    }
    tx.commit().await.map_err(refused)?;
    Ok(response(door, peer, data_plane, issued))
}

/// Whom a certificate names, if it has not ended.
pub(super) fn data_plane_of(identity: &Identity, now: DateTime<Utc>) -> Result<DataPlaneId, Status> {
    if identity.not_after <= now {
        return Err(Status::unauthenticated(
            "the certificate has ended: renew it by proof of its key",
        ));
    }
    named(identity)
}

fn named(identity: &Identity) -> Result<DataPlaneId, Status> {
    let id = identity.data_plane.parse();
    id.map_err(|_not_an_id| Status::unauthenticated("the certificate names no data plane"))
}

fn check_end(not_after: DateTime<Utc>, now: DateTime<Utc>) -> Result<(), Status> {
    if now < not_after + RENEWAL_AFTER_END {
        return Ok(());
    }
    let message = "the certificate ended more than 30 days ago: enrol again with a new token";
    Err(Status::failed_precondition(message))
}

/// Refuses an identity whose data plane is revoked, or whose key is not the present one or the one before.
pub(super) async fn authorize(
    door: &Door,
    data_plane: DataPlaneId,
    identity: &Identity,
) -> Result<(), Status> {
    let mut tx = door
        .app
        .db
        .read(&Scope::DataPlane(data_plane))
        .await
        .map_err(refused)?;
    check_standing(
        store::key_stands(&mut tx, data_plane, &identity.key_sha256)
            .await
            .map_err(refused)?,
    )
}

fn check_standing(standing: store::Standing) -> Result<(), Status> {
    match standing {
        store::Standing::Opens => Ok(()),
        store::Standing::Revoked => Err(revoked()),
        store::Standing::Superseded => Err(superseded()),
    }
}

/// The answer to an agent whose data plane is revoked or gone.
pub(super) fn revoked() -> Status {
    Status::permission_denied("the data plane was revoked")
}

async fn present_key(door: &Door, key: &[u8; 32]) -> Result<Option<store::KeyRow>, Status> {
    let lookup = Scope::Lookup(LookupKey::TokenSha256(*key));
    let mut tx = door.app.db.read(&lookup).await.map_err(refused)?;
    store::key(&mut tx, key).await.map_err(refused)
}

fn admit(door: &Door, peer: &Peer) -> Result<(), Status> {
    door.enrolments
        .take(peer.address.ip(), Instant::now())
        .map_err(|wait| {
            let seconds = wait.as_secs() + 1;
            Status::resource_exhausted(format!("too many attempts from this address: wait {seconds} s"))
        })
}

fn issue(door: &Door, csr_pem: &str, data_plane: DataPlaneId, now: DateTime<Utc>) -> Result<Issued, Status> {
    door.ca
        .issue(csr_pem, &data_plane.to_string(), now)
        .map_err(request_refused)
}

fn request_refused(error: CaError) -> Status {
    match error {
        CaError::Request => Status::invalid_argument(error.to_string()),
        other => {
            tracing::error!(
                error = &other as &dyn std::error::Error,
                "a certificate could not be issued"
            );
            Status::new(Code::Internal, "the control plane could not issue a certificate")
        }
    }
}

fn spent() -> Status {
    Status::failed_precondition(
        "the enrolment token was used or withdrawn: make a new one for this data plane",
    )
}

fn superseded() -> Status {
    Status::permission_denied("another key took the place of this one: this agent was replaced")
}

fn response(door: &Door, peer: &Peer, data_plane: DataPlaneId, issued: Issued) -> EnrollResponse {
    if peer.identity.is_none() {
        door.enrolments.give_back(peer.address.ip());
    }
    EnrollResponse {
        data_plane_id: data_plane.to_string(),
        certificate_pem: issued.chain_pem,
        signing_public_key: door.signing.public_key().to_vec(),
        not_after_unix_seconds: issued.not_after.timestamp(),
    }
}
