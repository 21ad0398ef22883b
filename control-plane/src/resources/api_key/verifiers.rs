//! What opens a new key, and what is kept of it.

use weir_credentials::{
    Mechanism, NotASecret, PublicKeyHash, SCRAM_ITERATIONS, ScramVerifier, Secret, SecretKind,
};

use crate::kernel::{Error, Result};

/// One-way: each can check the secret or the proof of a private key, none gives either back.
pub struct Verifiers {
    /// Empty, as the next two are, when a public key opens the key.
    pub sha256: Vec<u8>,
    pub scram_256: ScramVerifier,
    pub scram_512: ScramVerifier,
    pub public_key: Option<PublicKeyHash>,
}

/// What a key has instead of verifiers of a secret: nothing that a secret could match.
fn no_secret() -> ScramVerifier {
    ScramVerifier {
        salt: Vec::new(),
        iterations: SCRAM_ITERATIONS,
        stored_key: Vec::new(),
        server_key: Vec::new(),
    }
}

/// For a key by certificate its public key and no secret. Otherwise draws a secret and derives its verifiers, off the async
/// threads: PBKDF2 is work.
pub async fn issue(public_key: Option<PublicKeyHash>) -> Result<(Option<Secret>, Verifiers)> {
    if public_key.is_some() {
        let verifiers = Verifiers {
            sha256: Vec::new(),
            scram_256: no_secret(),
            scram_512: no_secret(),
            public_key,
        };
        return Ok((None, verifiers));
    }
    let derived = tokio::task::spawn_blocking(|| {
        let secret = Secret::generate(SecretKind::ApiKey)?;
        let verifiers = Verifiers {
            sha256: secret.sha256().to_vec(),
            scram_256: ScramVerifier::derive(Mechanism::Sha256, secret.reveal())?,
            scram_512: ScramVerifier::derive(Mechanism::Sha512, secret.reveal())?,
            public_key: None,
        };
        Ok::<_, NotASecret>((Some(secret), verifiers))
    });
    derived.await.map_err(Error::internal)?.map_err(Error::internal)
}
