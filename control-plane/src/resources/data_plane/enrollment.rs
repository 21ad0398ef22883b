//! Enrolment tokens: 30 minutes, one use, bound to the data plane; shown once with the command to run.

use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};
use uuid::Uuid;
use weir_credentials::{Secret, SecretKind};

use crate::auth::TenantScope;
use crate::kernel::{DataPlaneId, Error, Result};
use crate::resources::data_plane::store;
use crate::runtime::{Settings, Tx};

const LIFE: TimeDelta = TimeDelta::minutes(30);

/// Makes a token in place of earlier unused ones; the answer is for the caller alone.
pub async fn offer(tx: &mut Tx, scope: TenantScope, id: DataPlaneId, settings: &Settings) -> Result<Value> {
    let token = Secret::generate(SecretKind::Enrollment).map_err(Error::internal)?;
    let expires_at = Utc::now() + LIFE;
    store::replace_tokens(tx, scope, id, Uuid::now_v7(), &token.sha256(), expires_at).await?;
    let command = format!(
        "weir-agent run --control-plane {} --ca-sha256 {} --token {}",
        settings.link_public_address,
        settings.ca_sha256,
        token.reveal()
    );
    Ok(json!({"token": token.reveal(), "expires_at": expires_at, "command": command}))
}
