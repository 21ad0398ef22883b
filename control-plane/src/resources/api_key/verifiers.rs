//! A new secret and what is kept of it.

use weir_credentials::{Mechanism, NotASecret, ScramVerifier, Secret, SecretKind};

use crate::kernel::{Error, Result};

/// One-way: each can check the secret, none gives it back.
pub struct Verifiers {
    pub sha256: [u8; 32],
    pub scram_256: ScramVerifier,
    pub scram_512: ScramVerifier,
}

/// Draws a secret and derives its verifiers, off the async threads: PBKDF2 is work.
pub async fn issue() -> Result<(Secret, Verifiers)> {
    let derived = tokio::task::spawn_blocking(|| {
        let secret = Secret::generate(SecretKind::ApiKey)?;
        let verifiers = Verifiers {
            sha256: secret.sha256(),
            scram_256: ScramVerifier::derive(Mechanism::Sha256, secret.reveal())?,
            scram_512: ScramVerifier::derive(Mechanism::Sha512, secret.reveal())?,
        };
        Ok::<_, NotASecret>((secret, verifiers))
    });
    derived.await.map_err(Error::internal)?.map_err(Error::internal)
}
