//! Who holds a key, kept in memory: the same facts as the database gives, and every request is judged by them anew.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use weir_credentials::{Secret, SecretKind, verify_sha256};

use crate::auth::key::by_secret;
use crate::auth::principal::{Caller, Home, Principal};
use crate::auth::{LiveKey, store};
use crate::kernel::{ApiKeyId, Error, Result};
use crate::runtime::{App, Right, Tx};

/// Of a binding, beside its pattern.
const BINDING_BYTES: usize = 64;

/// What is kept: no secret, but the hash that verifies it.
struct Holder {
    secret_sha256: [u8; 32],
    expires_at: Option<DateTime<Utc>>,
    caller: Caller,
}

impl Holder {
    /// May this secret still speak for the holder?
    fn answers_to(&self, secret: &Secret) -> bool {
        let right = verify_sha256(&self.secret_sha256, secret.reveal().as_bytes());
        right && self.expires_at.is_none_or(|it| it > Utc::now())
    }
}

/// The holder of a key, from memory or with the transaction in which he was found. A secret that is not the kept one finds nothing
/// kept, and costs what an unknown key costs.
pub async fn by_key(app: &App, id: ApiKeyId, secret: &str) -> Result<(Caller, Option<Tx>)> {
    let presented = Secret::parse(SecretKind::ApiKey, secret).map_err(|_| Error::unauthenticated())?;
    let rights = &app.memory.rights;
    let key = Right::Key {
        id,
        secret_sha256: presented.sha256(),
    };
    if let Some(kept) = rights.get::<Holder>(&key)
        && kept.answers_to(&presented)
    {
        return Ok((kept.caller.clone(), None));
    }
    let asof = rights.asof();
    let (live, tx) = by_secret(app, id, secret).await?;
    let expires_at = live.expires_at;
    let (caller, tx) = holder(live, tx).await?;
    let patterns = caller.bindings.iter().map(|it| it.resource.len() + BINDING_BYTES);
    let bytes = patterns.sum();
    let kept = Holder {
        secret_sha256: presented.sha256(),
        expires_at,
        caller: caller.clone(),
    };
    rights.put(asof, key, Arc::new(kept), bytes);
    Ok((caller, Some(tx)))
}

/// The service account of a key, with what it may do.
pub async fn holder(key: LiveKey, mut tx: Tx) -> Result<(Caller, Tx)> {
    tx.turn_to(key.tenant).await?;
    let (organization, bindings) = store::holder(&mut tx, key.tenant, key.service_account.uuid())
        .await?
        .ok_or_else(Error::unauthenticated)?;
    let caller = Caller {
        principal: Principal::ServiceAccount(key.service_account),
        home: Home::Tenant(organization, key.tenant),
        bindings,
        tenant: Some((organization, key.tenant)),
        session: None,
        cluster: key.cluster.map(|(cluster, _data_plane)| cluster),
    };
    Ok((caller, tx))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Id;

    #[test]
    fn a_kept_holder_answers_to_his_secret_until_his_key_ends() {
        let [secret, other] = [(); 2].map(|()| Secret::generate(SecretKind::ApiKey).unwrap());
        let (organization, tenant) = (Id::generate(), Id::generate());
        let caller = Caller {
            principal: Principal::ServiceAccount(Id::generate()),
            home: Home::Tenant(organization, tenant),
            bindings: Vec::new(),
            tenant: Some((organization, tenant)),
            session: None,
            cluster: None,
        };
        let mut kept = Holder {
            secret_sha256: secret.sha256(),
            expires_at: None,
            caller,
        };
        assert!(kept.answers_to(&secret));
        assert!(!kept.answers_to(&other));
        kept.expires_at = Some(Utc::now() + chrono::TimeDelta::hours(1));
        assert!(kept.answers_to(&secret));
        kept.expires_at = Some(Utc::now());
        assert!(!kept.answers_to(&secret));
    }
}
