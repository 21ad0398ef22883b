//! What the agent of a native cluster needs of a new secret, so that only that agent can read it (docs/decisions/0020).

use weir_credentials::{NativeCredential, NotASecret, SealError, SealingPublicKey, Secret, native_binding};

use crate::kernel::{ApiKeyId, ClusterId, Error, Result, code};
use crate::resources::api_key::model::ApiKeySpec;
use crate::resources::api_key::store::Opened;

/// Seals what Kafka's users are made of, off the async threads: PBKDF2 is work.
///
/// # Errors
/// 409 while the agent has not told its key; 422 for a key without a secret.
pub async fn seal(
    id: ApiKeyId,
    spec: &ApiKeySpec,
    cluster: ClusterId,
    opened: &Opened,
    secret: Option<Secret>,
) -> Result<Vec<u8>> {
    let Some(secret) = secret else {
        let detail =
            "The cluster is in native mode, where brokers take SCRAM alone: make a key with a secret.";
        return Err(Error::invalid(
            "/spec/public_key_sha256",
            code::NOT_ENFORCED,
            detail,
        ));
    };
    let Some(key) = opened.sealing_key.as_deref().and_then(SealingPublicKey::read) else {
        let detail = "The cluster is in native mode, and its agent has not told the key that secrets for it are sealed to. \
                      Start the agent and try again.";
        return Err(Error::conflict(code::NO_SEALING_KEY, detail));
    };
    let binding = native_binding(
        &opened.data_plane.to_string(),
        &cluster.to_string(),
        &spec.service_account.to_string(),
        &id.to_string(),
    );
    let sealed = tokio::task::spawn_blocking(move || {
        let credential =
            NativeCredential::derive(secret.reveal()).map_err(|NotASecret| SealError::NoRandomNumbers)?;
        key.seal(&binding, &credential.to_bytes())
    });
    sealed.await.map_err(Error::internal)?.map_err(Error::internal)
}
