//! The client's side of SCRAM (RFC 5802, section 5; SHA-256: RFC 7677; SHA-512 as Kafka's KIP-84).

use std::num::NonZeroU32;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::rand::{SecureRandom, SystemRandom};
use ring::{digest, hmac, pbkdf2};
use tokio::io::{AsyncRead, AsyncWrite};
use weir_credentials::Mechanism;
use weir_kafka_wire::{CallError, Connection};

/// Kafka's `SASL_AUTHENTICATION_FAILED`, also for a server that proves nothing.
const FAILED: i16 = 58;
/// A broker that asks for more rounds wants our time, not our proof.
const ITERATIONS_MAX: u32 = 1_000_000;
const ITERATIONS_MIN: u32 = 4096;

/// Logs in, and lets the server prove that it knows the verifier.
pub(super) async fn login<S: AsyncRead + AsyncWrite + Unpin>(
    connection: &mut Connection<S>,
    mechanism: Mechanism,
    username: &str,
    password: &str,
) -> Result<(), CallError> {
    let name = match mechanism {
        Mechanism::Sha256 => "SCRAM-SHA-256",
        Mechanism::Sha512 => "SCRAM-SHA-512",
    };
    connection.handshake(name).await?;
    let refused = || CallError::Login(FAILED);
    let first = First::new(username, &nonce().ok_or_else(refused)?);
    let said = connection.authenticate(first.message().into_bytes()).await?;
    let said = String::from_utf8(said.to_vec()).map_err(|_no_text| refused())?;
    let password = password.to_owned();
    // Thousands of rounds: not on the runtime's own threads.
    let proved = tokio::task::spawn_blocking(move || first.prove(mechanism, &password, &said));
    let (last, expected) = proved.await.ok().flatten().ok_or_else(refused)?;
    let said = connection.authenticate(last.into_bytes()).await?;
    let signature = said
        .strip_prefix(b"v=")
        .map(|it| it.split(|byte| *byte == b',').next().unwrap_or_default());
    let signature = signature.and_then(|it| STANDARD.decode(it).ok());
    match signature {
        Some(signature) if expected.verify(&signature) => Ok(()),
        _other => Err(refused()),
    }
}

fn nonce() -> Option<String> {
    let mut bytes = [0_u8; 18];
    SystemRandom::new().fill(&mut bytes).ok()?;
    Some(STANDARD.encode(bytes))
}

/// client-first-message-bare.
struct First {
    nonce: String,
    bare: String,
}

/// What the server has to answer.
struct Expected {
    key: hmac::Key,
    message: String,
}

impl Expected {
    /// In constant time.
    fn verify(&self, signature: &[u8]) -> bool {
        hmac::verify(&self.key, self.message.as_bytes(), signature).is_ok()
    }
}

impl First {
    fn new(username: &str, nonce: &str) -> Self {
        let user = username.replace('=', "=3D").replace(',', "=2C");
        Self {
            nonce: nonce.to_owned(),
            bare: format!("n={user},r={nonce}"),
        }
    }

    fn message(&self) -> String {
        format!("n,,{}", self.bare)
    }

    /// client-final-message, and what the server's must hold.
    fn prove(&self, mechanism: Mechanism, password: &str, server_first: &str) -> Option<(String, Expected)> {
        let mut parts = server_first.split(',');
        let nonce = parts.next()?.strip_prefix("r=")?;
        let salt = STANDARD.decode(parts.next()?.strip_prefix("s=")?).ok()?;
        let iterations: u32 = parts.next()?.strip_prefix("i=")?.parse().ok()?;
        let longer = nonce.len() > self.nonce.len() && nonce.starts_with(&self.nonce);
        if !longer || !(ITERATIONS_MIN..=ITERATIONS_MAX).contains(&iterations) {
            return None;
        }
        let salted = salted(mechanism, password, &salt, NonZeroU32::new(iterations)?);
        let key = |bytes: &[u8]| hmac::Key::new(mechanism.hmac(), bytes);
        let client_key = hmac::sign(&key(&salted), b"Client Key");
        let stored_key = digest::digest(mechanism.digest(), client_key.as_ref());
        let server_key = hmac::sign(&key(&salted), b"Server Key");
        // base64 of `n,,`: no channel binding.
        let without_proof = format!("c=biws,r={nonce}");
        let message = format!("{},{server_first},{without_proof}", self.bare);
        let signature = hmac::sign(&key(stored_key.as_ref()), message.as_bytes());
        let proof = client_key.as_ref().iter().zip(signature.as_ref());
        let proof: Vec<u8> = proof.map(|(a, b)| a ^ b).collect();
        let expected = Expected {
            key: key(server_key.as_ref()),
            message,
        };
        Some((format!("{without_proof},p={}", STANDARD.encode(proof)), expected))
    }
}

fn salted(mechanism: Mechanism, password: &str, salt: &[u8], iterations: NonZeroU32) -> Vec<u8> {
    let algorithm = match mechanism {
        Mechanism::Sha256 => pbkdf2::PBKDF2_HMAC_SHA256,
        Mechanism::Sha512 => pbkdf2::PBKDF2_HMAC_SHA512,
    };
    let mut salted = vec![0_u8; mechanism.digest().output_len()];
    pbkdf2::derive(algorithm, iterations, salt, password.as_bytes(), &mut salted);
    salted
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7677, section 3.
    #[test]
    fn the_vector_of_the_specification_holds() {
        let first = First::new("user", "rOprNGfwEbeRWgbNEkqO");
        assert_eq!(first.message(), "n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
        let server = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
        let (last, expected) = first.prove(Mechanism::Sha256, "pencil", server).unwrap();
        assert_eq!(
            last,
            "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
        );
        let signature = STANDARD
            .decode("6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")
            .unwrap();
        assert!(expected.verify(&signature));
        assert!(!expected.verify(&[0; 32]));
    }

    #[test]
    fn a_server_with_another_nonce_or_absurd_rounds_gets_no_proof() {
        let first = First::new("a=b,c", "abc");
        assert!(first.bare.starts_with("n=a=3Db=2Cc,"));
        for hostile in [
            "r=abc,s=AAAA,i=4096",
            "r=xyzabc,s=AAAA,i=4096",
            "r=abcd,s=AAAA,i=1",
            "r=abcd,s=AAAA,i=2000000000",
            "r=abcd,s=*,i=4096",
            "e=other-error",
            "",
        ] {
            assert!(
                first.prove(Mechanism::Sha512, "x", hostile).is_none(),
                "{hostile}"
            );
        }
    }
}
