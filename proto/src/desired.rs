//! Sealing and opening a desired state: Ed25519 (RFC 8032) over domain, generation, expiry and digest.
//!
//! The stored bytes are what is signed and sent; nobody encodes a desired state twice.

use ring::digest::{SHA256, digest};
use ring::signature::{ED25519, Ed25519KeyPair, UnparsedPublicKey};

use crate::agent::v1::{DesiredFrame, Generation};

const DOMAIN: &[u8] = b"weir.desired.v1";

/// The largest body an agent accepts, in bytes.
pub const BODY_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Why a frame cannot be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Untrusted {
    /// The frame lacks its generation.
    #[error("the frame carries no generation")]
    Malformed,
    /// The body is larger than [`BODY_BYTES_MAX`].
    #[error("the body is larger than the limit")]
    Oversized,
    /// The digest is not the body's.
    #[error("the digest does not match the body")]
    Digest,
    /// The signature is not the pinned key's.
    #[error("the signature does not verify against the pinned key")]
    Signature,
}

/// Signs `body` (an encoded `DesiredState`) for `generation`.
pub fn seal(
    key: &Ed25519KeyPair,
    generation: Generation,
    expires_at_unix_seconds: i64,
    body: Vec<u8>,
) -> DesiredFrame {
    let digest = digest(&SHA256, &body).as_ref().to_vec();
    let signature = key
        .sign(&signed_bytes(&generation, expires_at_unix_seconds, &digest))
        .as_ref()
        .to_vec();
    DesiredFrame {
        generation: Some(generation),
        body: body.into(),
        digest,
        signature,
        expires_at_unix_seconds,
    }
}

/// Checks size, digest and signature. Order and expiry are the agent's to judge.
///
/// # Errors
/// [`Untrusted`] names the first check that failed.
pub fn verify(public_key: &[u8], frame: &DesiredFrame) -> Result<Generation, Untrusted> {
    let generation = frame.generation.ok_or(Untrusted::Malformed)?;
    if frame.body.len() > BODY_BYTES_MAX {
        return Err(Untrusted::Oversized);
    }
    if digest(&SHA256, &frame.body).as_ref() != frame.digest {
        return Err(Untrusted::Digest);
    }
    let message = signed_bytes(&generation, frame.expires_at_unix_seconds, &frame.digest);
    UnparsedPublicKey::new(&ED25519, public_key)
        .verify(&message, &frame.signature)
        .map_err(|_unspecified| Untrusted::Signature)?;
    Ok(generation)
}

fn signed_bytes(generation: &Generation, expires_at: i64, digest: &[u8]) -> Vec<u8> {
    let mut message = Vec::with_capacity(DOMAIN.len() + 24 + digest.len());
    message.extend_from_slice(DOMAIN);
    message.extend_from_slice(&generation.epoch.to_be_bytes());
    message.extend_from_slice(&generation.n.to_be_bytes());
    message.extend_from_slice(&expires_at.to_be_bytes());
    message.extend_from_slice(digest);
    message
}

#[cfg(test)]
mod tests {
    use super::*;
    use ring::rand::SystemRandom;
    use ring::signature::KeyPair;

    fn key() -> Ed25519KeyPair {
        let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        Ed25519KeyPair::from_pkcs8(document.as_ref()).unwrap()
    }

    #[test]
    fn a_sealed_frame_verifies_and_any_change_is_refused() {
        let (ours, thief) = (key(), key());
        let frame = seal(&ours, Generation { epoch: 1, n: 7 }, 100, b"body".to_vec());
        let public = ours.public_key().as_ref();
        assert_eq!(verify(public, &frame), Ok(Generation { epoch: 1, n: 7 }));
        assert_eq!(
            verify(thief.public_key().as_ref(), &frame),
            Err(Untrusted::Signature)
        );
        let renumbered = DesiredFrame {
            generation: Some(Generation { epoch: 1, n: 8 }),
            ..frame.clone()
        };
        assert_eq!(verify(public, &renumbered), Err(Untrusted::Signature));
        let prolonged = DesiredFrame {
            expires_at_unix_seconds: 101,
            ..frame.clone()
        };
        assert_eq!(verify(public, &prolonged), Err(Untrusted::Signature));
        let altered = DesiredFrame {
            body: b"bodY".to_vec().into(),
            ..frame
        };
        assert_eq!(verify(public, &altered), Err(Untrusted::Digest));
    }
}
