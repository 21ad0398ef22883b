//! Seals what the database keeps of the installation's own secrets: AES-256-GCM under a key that is a file of the state directory,
//! so that a copy of the database alone opens nothing.

use std::path::Path;
use std::sync::Arc;

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom as _, SystemRandom};

use crate::runtime::files;

/// Why something cannot be sealed or opened.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The file cannot be read or made.
    #[error("read or create seal.key")]
    File(#[from] std::io::Error),
    /// The file holds something else.
    #[error("seal.key does not hold 32 bytes")]
    Malformed,
    /// The system gave no random numbers.
    #[error("draw random numbers")]
    Random,
    /// Sealed under another key, for another purpose, or changed.
    #[error("the sealed value does not open")]
    Closed,
}

/// The key; cheap to clone.
#[derive(Clone)]
pub struct Seal(Arc<LessSafeKey>);

impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seal(..)")
    }
}

fn random<const N: usize>() -> Result<[u8; N], SealError> {
    let mut bytes = [0_u8; N];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_unspecified| SealError::Random)?;
    Ok(bytes)
}

impl Seal {
    /// Reads `seal.key`, or makes it.
    ///
    /// # Errors
    /// [`SealError`] when the file cannot be read, made or understood.
    pub fn load_or_create(state_dir: &Path) -> Result<Self, SealError> {
        files::ensure_directory(state_dir)?;
        let bytes = files::read_or_create(&state_dir.join("seal.key"), || {
            random::<32>().map(|bytes| bytes.to_vec())
        })?;
        UnboundKey::new(&AES_256_GCM, &bytes)
            .map(|key| Self(Arc::new(LessSafeKey::new(key))))
            .map_err(|_unspecified| SealError::Malformed)
    }

    /// Seals `plain` for one purpose, such as the id of its row: it opens for no other.
    ///
    /// # Errors
    /// [`SealError::Random`] when the system gives no random numbers.
    pub fn seal(&self, purpose: &str, plain: &[u8]) -> Result<Vec<u8>, SealError> {
        let nonce = random::<NONCE_LEN>()?;
        let mut sealed = plain.to_vec();
        self.0
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(purpose.as_bytes()),
                &mut sealed,
            )
            .map_err(|_unspecified| SealError::Random)?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// Opens what was sealed for this purpose.
    ///
    /// # Errors
    /// [`SealError::Closed`] when it was not.
    pub fn open(&self, purpose: &str, sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        let (nonce, sealed) = sealed.split_at_checked(NONCE_LEN).ok_or(SealError::Closed)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_unspecified| SealError::Closed)?;
        let mut plain = sealed.to_vec();
        let length = self
            .0
            .open_in_place(nonce, Aad::from(purpose.as_bytes()), &mut plain)
            .map_err(|_unspecified| SealError::Closed)?
            .len();
        plain.truncate(length);
        Ok(plain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_under_its_own_key_and_purpose_only() {
        let (own, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let seal = Seal::load_or_create(own.path()).unwrap();
        let sealed = seal.seal("row 1", b"secret").unwrap();
        assert!(!sealed.windows(6).any(|it| it == b"secret"));
        let again = Seal::load_or_create(own.path()).unwrap();
        assert_eq!(again.open("row 1", &sealed).unwrap(), b"secret");
        assert!(again.open("row 2", &sealed).is_err());
        assert!(
            Seal::load_or_create(other.path())
                .unwrap()
                .open("row 1", &sealed)
                .is_err()
        );
        assert!(again.open("row 1", &sealed[..11]).is_err());
        let mut changed = sealed;
        changed[15] ^= 1;
        assert!(again.open("row 1", &changed).is_err());
    }

    #[test]
    fn another_file_in_its_place_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("seal.key"), b"short").unwrap();
        assert!(matches!(
            Seal::load_or_create(folder.path()),
            Err(SealError::Malformed)
        ));
    }
}
