//! Secrets that Weir issues, and the one-way verifiers that it keeps of them.
//!
//! A secret has a prefix and a checksum, so that scanners can find a leaked one, and is shown once.
//! What is stored: its SHA-256 (SASL/PLAIN, HTTP Basic, bearer tokens) and SCRAM verifiers (RFC 5802, RFC 7677).
//! A key that is opened by a certificate has the hash of its public key instead.
//! Access tokens (RFC 9068) are signed by the control plane and checked by gateways, which never ask it.
//! Issued secrets carry 256 random bits, so a fast hash is enough; passwords that people choose never come here.

mod hexadecimal;
mod native;
mod public_key;
mod scram;
mod sealed;
mod secret;
mod token;

pub use hexadecimal::{hex, unhex32};
pub use native::{NativeCredential, SaltedPassword, native_binding};
pub use public_key::{NotAHash, PublicKeyHash};
pub use scram::{Mechanism, SCRAM_ITERATIONS, ScramVerifier};
pub use sealed::{SealError, SealingKey, SealingPublicKey};
pub use secret::{NotASecret, Secret, SecretKind, sha256, verify_sha256};
pub use token::{Claims, Issuer, TOKEN_BYTES_MAX, TokenError, TokenSigner, Verified, jwk, key_id_of};
