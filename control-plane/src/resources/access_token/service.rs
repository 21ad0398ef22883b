//! Who gets a token, and what it says.

use std::net::IpAddr;

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;
use weir_credentials::{Claims, TokenSigner, jwk};

use crate::auth::{LiveKey, api_key};
use crate::kernel::{ApiKeyId, DataPlaneId, Error, ErrorKind, Id, Result, kind};
use crate::resources::access_token::api::{Asked, KeySet, TokenAnswer, TokenRefusal};
use crate::resources::access_token::{keeper, limit, store, turn};
use crate::runtime::{App, Scope};

/// What a token for a data plane's gateways must name. A token for one is of no use at another.
#[must_use]
pub fn audience(data_plane: DataPlaneId) -> String {
    format!("weir://data-plane/{data_plane}")
}

/// Either a refusal of the RFC, or a failure of ours.
pub type Outcome = Result<std::result::Result<TokenAnswer, TokenRefusal>>;

/// Gives a token for an API key.
pub async fn issue(app: &App, asked: Asked, address: Option<IpAddr>, now: DateTime<Utc>) -> Outcome {
    let refused = || Ok(Err(TokenRefusal::client(asked.basic)));
    if let Err(seconds) = limit::attempt(address) {
        return Ok(Err(TokenRefusal::slow_down(seconds)));
    }
    let Ok(id) = asked.client_id.parse::<ApiKeyId>() else {
        return refused();
    };
    let key = match api_key(app, id, &asked.client_secret).await {
        Ok(key) => key,
        Err(error) if error.kind == ErrorKind::Unauthenticated => return refused(),
        Err(error) => return Err(error),
    };
    if let Err(seconds) = limit::proven(id, address) {
        return Ok(Err(TokenRefusal::slow_down(seconds)));
    }
    let Some((scope, audience)) = meant(app, &key, asked.scope.as_deref()) else {
        let detail = "The scope is `api`, or `kafka` for a key that opens a cluster behind a gateway.";
        return Ok(Err(TokenRefusal::new("invalid_scope", detail)));
    };
    let Some(signer) = signer(app, now).await? else {
        return Ok(Err(TokenRefusal {
            retry_after: Some(1),
            ..TokenRefusal::new("temporarily_unavailable", "There is no key to sign with yet.")
        }));
    };
    let claims = claims(app, &key, scope, audience, now)?;
    let access_token = signer.sign(&claims).map_err(Error::internal)?;
    metrics::counter!("weir_access_tokens_total", "scope" => scope).increment(1);
    Ok(Ok(TokenAnswer {
        access_token,
        token_type: "Bearer",
        expires_in: claims.exp - claims.iat,
        scope,
    }))
}

/// The scope, and who may accept the token.
fn meant(app: &App, key: &LiveKey, scope: Option<&str>) -> Option<(&'static str, String)> {
    // Kafka's own brokers know nothing of our tokens.
    let opens = key.cluster.filter(|_cluster| !key.native);
    match (scope, opens) {
        (None | Some("kafka"), Some((_cluster, data_plane))) => Some(("kafka", audience(data_plane))),
        (None | Some("api"), _any) => Some(("api", app.settings.public_url.clone())),
        _other => None,
    }
}

fn claims(app: &App, key: &LiveKey, scope: &str, audience: String, now: DateTime<Utc>) -> Result<Claims> {
    let lifetime = TimeDelta::from_std(app.settings.token_lifetime).map_err(Error::internal)?;
    let end = now + lifetime;
    // Never longer than the key itself.
    let end = key.expires_at.map_or(end, |it| it.min(end));
    Ok(Claims {
        iss: app.settings.public_url.clone(),
        sub: key.service_account.to_string(),
        aud: audience,
        client_id: key.id.to_string(),
        tenant: key.tenant.to_string(),
        cluster: key.cluster.map(|(cluster, _data_plane)| cluster.to_string()),
        scope: scope.to_owned(),
        iat: now.timestamp(),
        nbf: now.timestamp(),
        exp: end.timestamp(),
        jti: Uuid::now_v7().simple().to_string(),
    })
}

/// The key that signs now.
async fn signer(app: &App, now: DateTime<Utc>) -> Result<Option<TokenSigner>> {
    let mut tx = app.db.read(&Scope::Operator).await?;
    let rows = store::all(&mut tx).await?;
    tx.commit().await?;
    let keys: Vec<_> = rows.iter().map(|row| keeper::as_key(app, row)).collect();
    let Some(signing) = turn::signing(&keys, now) else {
        return Ok(None);
    };
    let row = rows.iter().find(|row| row.id == signing.id);
    row.map(|row| keeper::open(app, row)).transpose()
}

/// The public keys: those that sign, signed and will sign.
pub async fn key_set(app: &App) -> Result<KeySet> {
    let mut tx = app.db.read(&Scope::Operator).await?;
    let rows = store::all(&mut tx).await?;
    tx.commit().await?;
    let keys = rows.iter().filter_map(|row| {
        let id = Id::<kind::TokenKey>::from_uuid(row.id).to_string();
        jwk(&id, &row.public_key)
    });
    Ok(KeySet { keys: keys.collect() })
}
