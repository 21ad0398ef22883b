//! Makes the keys in time and forgets them in time. One control plane at a time does it, under a lease.

use std::time::Duration;

use chrono::{DateTime, Utc};
use weir_credentials::TokenSigner;

use crate::kernel::{Error, Id, Result, kind};
use crate::resources::access_token::store::{self, Row};
use crate::resources::access_token::turn::{Key, turn};
use crate::resources::data_plane_generation::bump_all;
use crate::runtime::{App, Lease, Scope};

const LOOK_AGAIN: Duration = Duration::from_secs(60);
/// Until the first key is there, nobody gets a token.
const LOOK_AGAIN_SOON: Duration = Duration::from_secs(1);

/// Runs until the process stops.
pub async fn run(app: App) {
    let lease = Lease::new("token_keys");
    while !app.stop.is_cancelled() {
        let pause = match hold_and_keep(&app, &lease).await {
            Ok(true) => LOOK_AGAIN,
            Ok(false) => LOOK_AGAIN_SOON,
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "keep the keys of tokens"
                );
                LOOK_AGAIN_SOON
            }
        };
        tokio::select! {
            () = app.stop.cancelled() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
    let _best_effort = lease.release(&app.db).await;
}

async fn hold_and_keep(app: &App, lease: &Lease) -> Result<bool> {
    if !lease.hold(&app.db).await? {
        return Ok(false);
    }
    keep(app, Utc::now()).await?;
    Ok(true)
}

/// Makes and forgets what is due. A change of keys is a change of what every agent is told.
///
/// # Errors
/// The database's.
pub async fn keep(app: &App, now: DateTime<Utc>) -> Result<()> {
    let mut tx = app.db.begin(&Scope::Operator).await?;
    let rows = store::all(&mut tx).await?;
    let keys: Vec<Key> = rows.iter().map(|row| as_key(app, row)).collect();
    let due = turn(&keys, now);
    if due.make.is_none() && due.forget.is_empty() {
        return tx.rollback().await;
    }
    if let Some(signs_from) = due.make {
        let row = fresh(app, signs_from)?;
        store::insert(&mut tx, &row).await?;
        tracing::info!(key = %Id::<kind::TokenKey>::from_uuid(row.id), %signs_from, "a key for tokens was made");
    }
    store::delete(&mut tx, &due.forget).await?;
    bump_all(&mut tx).await?;
    tx.commit().await?;
    app.wake.changed();
    Ok(())
}

/// Opens a private half.
pub(super) fn open(app: &App, row: &Row) -> Result<TokenSigner> {
    let id = Id::<kind::TokenKey>::from_uuid(row.id).to_string();
    let pkcs8 = app
        .settings
        .seal
        .open(&id, &row.sealed_private_key)
        .map_err(Error::internal)?;
    TokenSigner::new(id, &pkcs8).map_err(Error::internal)
}

pub(super) fn as_key(app: &App, row: &Row) -> Key {
    Key {
        id: row.id,
        signs_from: row.signs_from,
        opens: open(app, row).is_ok(),
    }
}

fn fresh(app: &App, signs_from: DateTime<Utc>) -> Result<Row> {
    let id = Id::<kind::TokenKey>::generate();
    let pkcs8 = TokenSigner::generate().map_err(Error::internal)?;
    let signer = TokenSigner::new(id.to_string(), &pkcs8).map_err(Error::internal)?;
    let sealed = app.settings.seal.seal(&id.to_string(), &pkcs8);
    Ok(Row {
        id: id.uuid(),
        public_key: signer.public_key().to_vec(),
        sealed_private_key: sealed.map_err(Error::internal)?,
        signs_from,
    })
}
