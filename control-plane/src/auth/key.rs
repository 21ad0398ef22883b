//! API keys as credentials: by their secret, or by an access token (RFC 9068) that was given for one.

use chrono::{DateTime, Utc};
use weir_credentials::{Issuer, Secret, SecretKind, key_id_of, verify_sha256};

use crate::auth::store;
use crate::kernel::{ApiKeyId, ClusterId, DataPlaneId, Error, Id, Result, ServiceAccountId, TenantId, kind};
use crate::runtime::{App, LookupKey, Scope, Tx};

/// A key that stands.
#[derive(Debug, Clone, Copy)]
pub struct LiveKey {
    /// Its id.
    pub id: ApiKeyId,
    /// Whose it is.
    pub tenant: TenantId,
    /// Who acts with it.
    pub service_account: ServiceAccountId,
    /// The one cluster that it opens, and where that is.
    pub cluster: Option<(ClusterId, DataPlaneId)>,
    /// That cluster is in native mode: no gateway takes tokens for it.
    pub native: bool,
    /// Its end.
    pub expires_at: Option<DateTime<Utc>>,
}

/// The key, by its secret. An unknown id costs the same hash as a known one.
///
/// # Errors
/// 401 when there is no such key, the secret is another, or the key expired.
pub async fn api_key(app: &App, id: ApiKeyId, secret: &str) -> Result<LiveKey> {
    let (key, tx) = by_secret(app, id, secret).await?;
    tx.commit().await?;
    Ok(key)
}

/// The same, with the transaction in which it was found.
pub async fn by_secret(app: &App, id: ApiKeyId, secret: &str) -> Result<(LiveKey, Tx)> {
    let secret = Secret::parse(SecretKind::ApiKey, secret).map_err(|_| Error::unauthenticated())?;
    let (row, tx) = row(app, id).await?;
    let nobody = [0_u8; 32];
    let verifier = row.as_ref().map_or(&nobody[..], |it| &it.secret_sha256);
    let right = verify_sha256(verifier, secret.reveal().as_bytes());
    let key = row
        .filter(|_row| right)
        .and_then(|row| standing(id, row))
        .ok_or_else(Error::unauthenticated)?;
    Ok((key, tx))
}

/// The key that an access token for this API was given for, as it is now: one that was revoked ends its tokens. With the
/// transaction in which it was found.
pub async fn by_access_token(app: &App, token: &str) -> Result<(LiveKey, Tx)> {
    let refused = Error::unauthenticated;
    let key_id = key_id_of(token).ok_or_else(refused)?;
    let signed_by: Id<kind::TokenKey> = key_id.parse().map_err(|_| refused())?;
    let lookup = Scope::Lookup(LookupKey::Id(signed_by.uuid()));
    let mut tx = app.db.read(&lookup).await?;
    let public_key = store::token_key(&mut tx, signed_by.uuid())
        .await?
        .ok_or_else(refused)?;
    tx.commit().await?;
    let url = &app.settings.public_url;
    let issuer = Issuer::new(url, url, [(key_id.as_str(), public_key.as_slice())]);
    let claims = issuer
        .verify(token, Utc::now().timestamp())
        .map_err(|_| refused())?
        .claims;
    let id: ApiKeyId = claims.client_id.parse().map_err(|_| refused())?;
    let (row, tx) = row(app, id).await?;
    let key = row.and_then(|row| standing(id, row)).ok_or_else(refused)?;
    if claims.sub != key.service_account.to_string() || claims.tenant != key.tenant.to_string() {
        return Err(refused());
    }
    Ok((key, tx))
}

async fn row(app: &App, id: ApiKeyId) -> Result<(Option<store::KeyRow>, Tx)> {
    let mut tx = app.db.read(&Scope::Lookup(LookupKey::Id(id.uuid()))).await?;
    let row = store::key(&mut tx, id.uuid()).await?;
    Ok((row, tx))
}

fn standing(id: ApiKeyId, row: store::KeyRow) -> Option<LiveKey> {
    let store::KeyRow {
        tenant,
        service_account,
        cluster,
        data_plane,
        native,
        secret_sha256: _,
        expires_at,
    } = row;
    let key = LiveKey {
        id,
        tenant,
        service_account: Id::from_uuid(service_account),
        cluster: cluster.map(Id::from_uuid).zip(data_plane.map(Id::from_uuid)),
        native,
        expires_at,
    };
    expires_at.is_none_or(|it| it > Utc::now()).then_some(key)
}
