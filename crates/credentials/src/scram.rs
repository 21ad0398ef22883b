//! SCRAM verifiers: what a server keeps of a password (RFC 5802, section 3; SHA-256: RFC 7677; SHA-512 as Kafka's KIP-84).

use std::num::NonZeroU32;

use ring::rand::{SecureRandom, SystemRandom};
use ring::{digest, hmac, pbkdf2};

use crate::NotASecret;

/// Iterations of PBKDF2: Kafka's minimum and default. Issued secrets are random, so more would only slow clients.
pub const SCRAM_ITERATIONS: NonZeroU32 = match NonZeroU32::new(4096) {
    Some(iterations) => iterations,
    None => NonZeroU32::MIN,
};

/// The two SASL mechanisms that Kafka knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mechanism {
    /// SCRAM-SHA-256.
    Sha256,
    /// SCRAM-SHA-512.
    Sha512,
}

impl Mechanism {
    /// The mechanism's HMAC.
    #[must_use]
    pub fn hmac(self) -> hmac::Algorithm {
        match self {
            Self::Sha256 => hmac::HMAC_SHA256,
            Self::Sha512 => hmac::HMAC_SHA512,
        }
    }

    /// The mechanism's hash.
    #[must_use]
    pub fn digest(self) -> &'static digest::Algorithm {
        match self {
            Self::Sha256 => &digest::SHA256,
            Self::Sha512 => &digest::SHA512,
        }
    }

    fn pbkdf2(self) -> pbkdf2::Algorithm {
        match self {
            Self::Sha256 => pbkdf2::PBKDF2_HMAC_SHA256,
            Self::Sha512 => pbkdf2::PBKDF2_HMAC_SHA512,
        }
    }
}

/// `SaltedPassword` of RFC 5802. Whoever has it can log in: it is as good as the password.
pub(crate) fn salted_password(
    mechanism: Mechanism,
    password: &str,
    salt: &[u8],
    iterations: NonZeroU32,
) -> Vec<u8> {
    let mut salted = vec![0_u8; mechanism.digest().output_len()];
    pbkdf2::derive(
        mechanism.pbkdf2(),
        iterations,
        salt,
        password.as_bytes(),
        &mut salted,
    );
    salted
}

/// What the server keeps: it can check a proof and prove itself, but cannot log in elsewhere with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScramVerifier {
    /// Random, 16 bytes.
    pub salt: Vec<u8>,
    /// Rounds of PBKDF2.
    pub iterations: NonZeroU32,
    /// H(HMAC(SaltedPassword, "Client Key")).
    pub stored_key: Vec<u8>,
    /// HMAC(SaltedPassword, "Server Key").
    pub server_key: Vec<u8>,
}

impl ScramVerifier {
    /// Derives a verifier of `password` with a fresh salt.
    ///
    /// # Errors
    /// [`NotASecret`] when the system cannot give random numbers.
    pub fn derive(mechanism: Mechanism, password: &str) -> Result<Self, NotASecret> {
        let mut salt = vec![0_u8; 16];
        SystemRandom::new()
            .fill(&mut salt)
            .map_err(|_unspecified| NotASecret)?;
        Ok(Self::with_salt(mechanism, password, salt, SCRAM_ITERATIONS))
    }

    /// Derives with a given salt: the client's side, and test vectors.
    #[must_use]
    pub fn with_salt(mechanism: Mechanism, password: &str, salt: Vec<u8>, iterations: NonZeroU32) -> Self {
        let salted = salted_password(mechanism, password, &salt, iterations);
        let key = hmac::Key::new(mechanism.hmac(), &salted);
        let client_key = hmac::sign(&key, b"Client Key");
        let stored_key = digest::digest(mechanism.digest(), client_key.as_ref())
            .as_ref()
            .to_vec();
        let server_key = hmac::sign(&key, b"Server Key").as_ref().to_vec();
        Self {
            salt,
            iterations,
            stored_key,
            server_key,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    /// The exchange of RFC 7677, section 3: user "user", password "pencil".
    #[test]
    fn the_verifier_proves_the_exchange_of_rfc_7677() {
        let salt = STANDARD.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap();
        let verifier = ScramVerifier::with_salt(Mechanism::Sha256, "pencil", salt, SCRAM_ITERATIONS);
        let message = "n=user,r=rOprNGfwEbeRWgbNEkqO,\
            r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,\
            c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
        let server_key = hmac::Key::new(hmac::HMAC_SHA256, &verifier.server_key);
        let signature = STANDARD.encode(hmac::sign(&server_key, message.as_bytes()));
        assert_eq!(signature, "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
        let proof = STANDARD
            .decode("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")
            .unwrap();
        let stored_key = hmac::Key::new(hmac::HMAC_SHA256, &verifier.stored_key);
        let mask = hmac::sign(&stored_key, message.as_bytes());
        let client_key: Vec<u8> = proof.iter().zip(mask.as_ref()).map(|(a, b)| a ^ b).collect();
        assert_eq!(
            digest::digest(&digest::SHA256, &client_key).as_ref(),
            verifier.stored_key
        );
    }

    #[test]
    fn a_derived_verifier_has_its_own_salt() {
        let one = ScramVerifier::derive(Mechanism::Sha512, "secret").unwrap();
        let other = ScramVerifier::derive(Mechanism::Sha512, "secret").unwrap();
        assert_ne!(one.salt, other.salt);
        assert_ne!(one.stored_key, other.stored_key);
        assert_eq!(one.stored_key.len(), 64);
    }
}
