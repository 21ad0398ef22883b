//! The key that signs desired state: Ed25519, made at the first start, kept as PKCS#8 in the state directory.

use std::path::Path;

use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use weir_proto::agent::v1::{Ask, DesiredFrame, Generation, SignedAsk};

use crate::runtime::files;

/// Why the signing key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SigningError {
    /// The file cannot be read or written.
    #[error("read or create signing.key")]
    File(#[from] std::io::Error),
    /// The system gave no random numbers.
    #[error("generate the signing key")]
    Generate,
    /// The file holds something else.
    #[error("signing.key is not an Ed25519 key in PKCS#8")]
    Malformed,
}

/// The control plane's command-signing key. Agents pin its public half when they enrol.
pub struct SigningKey(Ed25519KeyPair);

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SigningKey(..)")
    }
}

impl SigningKey {
    /// Reads `signing.key`, or makes it.
    ///
    /// # Errors
    /// [`SigningError`] when the file cannot be read, made or understood.
    pub fn load_or_create(state_dir: &Path) -> Result<Self, SigningError> {
        files::ensure_directory(state_dir)?;
        let document = files::read_or_create(&state_dir.join("signing.key"), || {
            Ed25519KeyPair::generate_pkcs8(&SystemRandom::new())
                .map(|document| document.as_ref().to_vec())
                .map_err(|_unspecified| SigningError::Generate)
        })?;
        Ed25519KeyPair::from_pkcs8(&document)
            .map(Self)
            .map_err(|_rejected| SigningError::Malformed)
    }

    /// The 32 bytes that agents pin.
    #[must_use]
    pub fn public_key(&self) -> &[u8] {
        self.0.public_key().as_ref()
    }

    /// Signs a question.
    #[must_use]
    pub fn ask(&self, ask: &Ask) -> SignedAsk {
        weir_proto::ask::seal(&self.0, ask)
    }

    /// Signs an encoded desired state.
    #[must_use]
    pub fn seal(&self, generation: Generation, expires_at_unix_seconds: i64, body: Vec<u8>) -> DesiredFrame {
        weir_proto::desired::seal(&self.0, generation, expires_at_unix_seconds, body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_survives_a_restart_and_its_seal_verifies() {
        let directory = tempfile::tempdir().unwrap();
        let first = SigningKey::load_or_create(directory.path()).unwrap();
        let second = SigningKey::load_or_create(directory.path()).unwrap();
        assert_eq!(first.public_key(), second.public_key());
        let generation = Generation { epoch: 1, n: 2 };
        let frame = first.seal(generation, 9, b"wish".to_vec());
        assert_eq!(
            weir_proto::desired::verify(second.public_key(), &frame),
            Ok(generation)
        );
    }

    #[test]
    fn another_file_in_its_place_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("signing.key"), b"not a key").unwrap();
        let refused = SigningKey::load_or_create(directory.path()).unwrap_err();
        assert!(matches!(refused, SigningError::Malformed));
    }
}
