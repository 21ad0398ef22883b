//! What only one agent can read: HPKE (RFC 9180) in its base mode to the agent's X25519 key, with HKDF-SHA256 and
//! ChaCha20-Poly1305. Whoever holds what was sealed, and the public key, can neither open it nor move it to another place:
//! it is bound to what it was sealed for.

use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::rand_core::{TryCryptoRng, TryRng};
use hpke::{
    Deserializable as _, Kem as _, OpModeR, OpModeS, Serializable as _, single_shot_open,
    single_shot_seal_with_rng,
};
use ring::hmac;
use ring::rand::{SecureRandom as _, SystemRandom};

type PrivateKey = <X25519HkdfSha256 as hpke::Kem>::PrivateKey;
type PublicKey = <X25519HkdfSha256 as hpke::Kem>::PublicKey;
type Encapped = <X25519HkdfSha256 as hpke::Kem>::EncappedKey;

/// What all that is sealed so is for.
const PURPOSE: &[u8] = b"weir.native.v1";
const KEY_LENGTH: usize = 32;

/// Why something cannot be sealed or opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The system gave no random numbers.
    #[error("draw random numbers")]
    NoRandomNumbers,
    /// The public key is none that can be sealed to.
    #[error("seal to this key")]
    Key,
    /// Sealed to another key, for something else, or changed.
    #[error("the sealed value does not open")]
    Closed,
}

/// An agent's private key. `Debug` hides it.
#[derive(Clone)]
pub struct SealingKey {
    private: PrivateKey,
    public: PublicKey,
}

impl std::fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SealingKey(..)")
    }
}

impl SealingKey {
    /// A new key.
    ///
    /// # Errors
    /// [`SealError::NoRandomNumbers`].
    pub fn generate() -> Result<Self, SealError> {
        let (private, public) = X25519HkdfSha256::derive_keypair(&random()?);
        Ok(Self { private, public })
    }

    /// Reads what [`SealingKey::secret_bytes`] gave.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let private = PrivateKey::from_bytes(bytes).ok()?;
        let public = X25519HkdfSha256::sk_to_pk(&private);
        Some(Self { private, public })
    }

    /// The private key, for the file that keeps it.
    #[must_use]
    pub fn secret_bytes(&self) -> Vec<u8> {
        self.private.to_bytes().to_vec()
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> SealingPublicKey {
        SealingPublicKey(self.public.clone())
    }

    /// Opens what was sealed to this key for `binding`.
    ///
    /// # Errors
    /// [`SealError::Closed`].
    pub fn open(&self, binding: &[u8], sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        let (encapped, text) = sealed.split_at_checked(KEY_LENGTH).ok_or(SealError::Closed)?;
        let encapped = Encapped::from_bytes(encapped).map_err(|_error| SealError::Closed)?;
        single_shot_open::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
            &OpModeR::Base,
            &self.private,
            &encapped,
            PURPOSE,
            text,
            binding,
        )
        .map_err(|_error| SealError::Closed)
    }
}

/// An agent's public key.
#[derive(Clone)]
pub struct SealingPublicKey(PublicKey);

impl SealingPublicKey {
    /// Reads 32 bytes.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        PublicKey::from_bytes(bytes).ok().map(Self)
    }

    /// As it is told.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; KEY_LENGTH] {
        self.0.to_bytes().into()
    }

    /// Seals `text` to this key, for `binding` and nothing else: the encapsulated key, then the ciphertext.
    ///
    /// # Errors
    /// [`SealError::NoRandomNumbers`]; [`SealError::Key`] for a key of low order, to which nothing can be kept secret.
    pub fn seal(&self, binding: &[u8], text: &[u8]) -> Result<Vec<u8>, SealError> {
        let mut numbers = Numbers::draw()?;
        let (encapped, text) = single_shot_seal_with_rng::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
            &OpModeS::Base,
            &self.0,
            PURPOSE,
            text,
            binding,
            &mut numbers,
        )
        .map_err(|_error| SealError::Key)?;
        Ok([encapped.to_bytes().as_slice(), &text].concat())
    }
}

fn random() -> Result<[u8; KEY_LENGTH], SealError> {
    let mut bytes = [0_u8; KEY_LENGTH];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_unspecified| SealError::NoRandomNumbers)?;
    Ok(bytes)
}

/// Random numbers that cannot fail any more: the system was asked before, and HMAC in counter mode goes on from there.
struct Numbers {
    key: hmac::Key,
    counter: u64,
}

impl Numbers {
    fn draw() -> Result<Self, SealError> {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &random()?);
        Ok(Self { key, counter: 0 })
    }
}

impl TryRng for Numbers {
    type Error = std::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        let mut bytes = [0_u8; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        let mut bytes = [0_u8; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, into: &mut [u8]) -> Result<(), Self::Error> {
        for part in into.chunks_mut(32) {
            self.counter += 1;
            let block = hmac::sign(&self.key, &self.counter.to_be_bytes());
            part.copy_from_slice(&block.as_ref()[..part.len()]);
        }
        Ok(())
    }
}

impl TryCryptoRng for Numbers {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_sealed_opens_for_its_key_and_purpose_alone() {
        let (key, other) = (SealingKey::generate().unwrap(), SealingKey::generate().unwrap());
        let public = SealingPublicKey::read(&key.public().to_bytes()).unwrap();
        let sealed = public.seal(b"here", b"secret").unwrap();
        assert_eq!(key.open(b"here", &sealed), Ok(b"secret".to_vec()));
        assert_eq!(key.open(b"there", &sealed), Err(SealError::Closed));
        assert_eq!(other.open(b"here", &sealed), Err(SealError::Closed));
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(key.open(b"here", &changed), Err(SealError::Closed));
            assert_eq!(key.open(b"here", &sealed[..at]), Err(SealError::Closed));
        }
        assert_ne!(
            public.seal(b"here", b"secret").unwrap(),
            sealed,
            "never the same twice"
        );
        let again = SealingKey::read(&key.secret_bytes()).unwrap();
        assert_eq!(again.open(b"here", &sealed), Ok(b"secret".to_vec()));
        assert_eq!(format!("{key:?}"), "SealingKey(..)");
    }

    #[test]
    fn a_key_of_low_order_seals_nothing() {
        for bytes in [vec![0_u8; 32], vec![1; 31], Vec::new()] {
            let sealed = SealingPublicKey::read(&bytes).map(|key| key.seal(b"", b"secret"));
            assert!(matches!(sealed, None | Some(Err(SealError::Key))));
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_refused_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let key = SealingKey::generate().unwrap();
            prop_assert_eq!(key.open(b"", &bytes), Err(SealError::Closed));
        }
    }
}
