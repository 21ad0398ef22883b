//! Secrets that Weir issues, and the one-way verifiers that it keeps of them.
//!
//! A secret has a prefix and a checksum, so that scanners can find a leaked one, and is shown once.
//! What is stored: its SHA-256 (SASL/PLAIN, HTTP Basic, bearer tokens) and SCRAM verifiers (RFC 5802, RFC 7677).
//! Issued secrets carry 256 random bits, so a fast hash is enough; passwords that people choose never come here.

mod scram;
mod secret;

pub use scram::{Mechanism, SCRAM_ITERATIONS, ScramVerifier};
pub use secret::{NotASecret, Secret, SecretKind, sha256, verify_sha256};
