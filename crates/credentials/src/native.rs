//! What Kafka makes a SCRAM user of (KIP-554 takes the salted password, which is as good as the password itself), on its way
//! to the one agent that writes it.

use std::num::NonZeroU32;

use ring::rand::{SecureRandom as _, SystemRandom};

use crate::scram::{SCRAM_ITERATIONS, salted_password};
use crate::{Mechanism, NotASecret};

const FORM: u8 = 1;
const SALT_LENGTH: usize = 16;
const LENGTH: usize = 1 + 4 + SALT_LENGTH + 32 + SALT_LENGTH + 64;

/// One mechanism of a user.
#[derive(Clone, PartialEq, Eq)]
pub struct SaltedPassword {
    /// Random, 16 bytes.
    pub salt: Vec<u8>,
    /// PBKDF2 of the password, as long as the mechanism's hash.
    pub salted: Vec<u8>,
}

/// Both mechanisms of one user.
#[derive(Clone, PartialEq, Eq)]
pub struct NativeCredential {
    /// Rounds of PBKDF2, of both.
    pub iterations: NonZeroU32,
    /// SCRAM-SHA-256.
    pub sha256: SaltedPassword,
    /// SCRAM-SHA-512.
    pub sha512: SaltedPassword,
}

impl std::fmt::Debug for NativeCredential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NativeCredential(..)")
    }
}

impl std::fmt::Debug for SaltedPassword {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SaltedPassword(..)")
    }
}

impl NativeCredential {
    /// Derives both of `password`, with fresh salts.
    ///
    /// # Errors
    /// [`NotASecret`] when the system cannot give random numbers.
    pub fn derive(password: &str) -> Result<Self, NotASecret> {
        let one = |mechanism| {
            let mut salt = vec![0_u8; SALT_LENGTH];
            SystemRandom::new()
                .fill(&mut salt)
                .map_err(|_unspecified| NotASecret)?;
            let salted = salted_password(mechanism, password, &salt, SCRAM_ITERATIONS);
            Ok(SaltedPassword { salt, salted })
        };
        Ok(Self {
            iterations: SCRAM_ITERATIONS,
            sha256: one(Mechanism::Sha256)?,
            sha512: one(Mechanism::Sha512)?,
        })
    }

    /// As it is sealed: a form, the iterations, then salt and salted password of each mechanism.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(LENGTH);
        bytes.push(FORM);
        bytes.extend(self.iterations.get().to_be_bytes());
        for one in [&self.sha256, &self.sha512] {
            bytes.extend(&one.salt);
            bytes.extend(&one.salted);
        }
        bytes
    }

    /// Reads what [`NativeCredential::to_bytes`] wrote; nothing when it is of another form.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (form, rest) = bytes.split_first()?;
        if *form != FORM || bytes.len() != LENGTH {
            return None;
        }
        let (iterations, rest) = rest.split_first_chunk::<4>()?;
        let (salt_256, rest) = rest.split_at_checked(SALT_LENGTH)?;
        let (salted_256, rest) = rest.split_at_checked(32)?;
        let (salt_512, salted_512) = rest.split_at_checked(SALT_LENGTH)?;
        let one = |salt: &[u8], salted: &[u8]| SaltedPassword {
            salt: salt.to_vec(),
            salted: salted.to_vec(),
        };
        Some(Self {
            iterations: NonZeroU32::new(u32::from_be_bytes(*iterations))?,
            sha256: one(salt_256, salted_256),
            sha512: one(salt_512, salted_512),
        })
    }
}

/// What a sealed credential is bound to: it opens for no other data plane, cluster, principal or key. Ids have no zero bytes.
#[must_use]
pub fn native_binding(data_plane: &str, cluster: &str, principal: &str, key: &str) -> Vec<u8> {
    [data_plane, cluster, principal, key].join("\0").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ScramVerifier;
    use proptest::prelude::*;
    use ring::{digest, hmac};

    #[test]
    fn what_is_sealed_is_the_salted_password_of_the_verifier() {
        let credential = NativeCredential::derive("weirs_secret").unwrap();
        for (mechanism, one) in [
            (Mechanism::Sha256, &credential.sha256),
            (Mechanism::Sha512, &credential.sha512),
        ] {
            let verifier =
                ScramVerifier::with_salt(mechanism, "weirs_secret", one.salt.clone(), credential.iterations);
            let key = hmac::Key::new(mechanism.hmac(), &one.salted);
            let client_key = hmac::sign(&key, b"Client Key");
            let stored = digest::digest(mechanism.digest(), client_key.as_ref());
            assert_eq!(stored.as_ref(), verifier.stored_key);
        }
        assert_eq!(
            NativeCredential::from_bytes(&credential.to_bytes()),
            Some(credential.clone())
        );
        assert_eq!(format!("{credential:?}"), "NativeCredential(..)");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..160)) {
            if let Some(read) = NativeCredential::from_bytes(&bytes) {
                prop_assert_eq!(read.to_bytes(), bytes);
            }
        }
    }
}
