//! What is kept of a public key: the SHA-256 of its SubjectPublicKeyInfo, written as a pin of RFC 7469 (2.4).
//!
//! Of the key and not of the certificate (as RFC 8705's `x5t#S256` is): a certificate that is renewed over the same key goes on.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::sha256;

/// Says which public key, and gives it back to nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PublicKeyHash([u8; 32]);

/// Not 32 bytes in base64.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the SHA-256 of a public key in base64")]
pub struct NotAHash;

impl PublicKeyHash {
    /// A hash that is known.
    #[must_use]
    pub const fn new(hash: [u8; 32]) -> Self {
        Self(hash)
    }

    /// Of a SubjectPublicKeyInfo in DER (RFC 5280, 4.1).
    #[must_use]
    pub fn of(subject_public_key_info: &[u8]) -> Self {
        Self(sha256(subject_public_key_info))
    }

    /// From stored bytes; `None` when they are not 32.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// As stored.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for PublicKeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&STANDARD.encode(self.0))
    }
}

impl FromStr for PublicKeyHash {
    type Err = NotAHash;
    fn from_str(text: &str) -> Result<Self, NotAHash> {
        let bytes = STANDARD.decode(text).map_err(|_other| NotAHash)?;
        Self::from_bytes(&bytes).ok_or(NotAHash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_written_and_read_alike_and_nothing_else_is_read() {
        let hash = PublicKeyHash::of(b"key");
        let text = hash.to_string();
        assert_eq!((text.len(), text.parse()), (44, Ok(hash)));
        assert_eq!(PublicKeyHash::from_bytes(hash.as_bytes()), Some(hash));
        for wrong in [
            "",
            "AAAA",
            &text[..43],
            &text.replace('=', ""),
            &format!("{text} "),
        ] {
            assert_eq!(wrong.parse::<PublicKeyHash>(), Err(NotAHash), "{wrong}");
        }
    }
}
