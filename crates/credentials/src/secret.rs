//! Issued secrets: `<prefix>_<43 base62 characters><6 base62 characters of CRC-32>`.

use ring::rand::{SecureRandom, SystemRandom};

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const BODY_LENGTH: usize = 43;
const CHECKSUM_LENGTH: usize = 6;

/// What a secret opens; fixes its prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretKind {
    /// The secret of an API key: `weirs_...`.
    ApiKey,
    /// A session's bearer token: `weirt_...`.
    Session,
    /// A one-time enrolment token of an agent: `weire_...`.
    Enrollment,
    /// A one-time invitation to a share: `weiri_...`.
    Invitation,
}

impl SecretKind {
    /// The text before the underscore.
    #[must_use]
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::ApiKey => "weirs",
            Self::Session => "weirt",
            Self::Enrollment => "weire",
            Self::Invitation => "weiri",
        }
    }
}

/// The text is not an issued secret of the expected kind: wrong prefix, length, alphabet or checksum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an issued secret of this kind")]
pub struct NotASecret;

/// A secret in clear. It has no `Display`, and `Debug` hides it; [`Secret::reveal`] is for the one answer that shows it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl Secret {
    /// A new secret from the system's random numbers.
    ///
    /// # Errors
    /// [`NotASecret`] when the system cannot give random numbers.
    pub fn generate(kind: SecretKind) -> Result<Self, NotASecret> {
        let mut body = String::with_capacity(BODY_LENGTH);
        let random = SystemRandom::new();
        while body.len() < BODY_LENGTH {
            let mut bytes = [0_u8; 64];
            random.fill(&mut bytes).map_err(|_unspecified| NotASecret)?;
            // 248 is the largest multiple of 62 in a byte: rejection keeps the characters uniform.
            let fair = bytes
                .iter()
                .filter(|byte| **byte < 248)
                .map(|byte| char::from(ALPHABET[usize::from(*byte % 62)]));
            body.extend(fair.take(BODY_LENGTH - body.len()));
        }
        Ok(Self(format!("{}_{body}{}", kind.prefix(), checksum(kind, &body))))
    }

    /// Reads a presented secret. A wrong checksum is refused before any look-up.
    ///
    /// # Errors
    /// [`NotASecret`] when prefix, length, alphabet or checksum are not those of `kind`.
    pub fn parse(kind: SecretKind, text: &str) -> Result<Self, NotASecret> {
        let rest = text
            .strip_prefix(kind.prefix())
            .and_then(|it| it.strip_prefix('_'))
            .ok_or(NotASecret)?;
        if rest.len() != BODY_LENGTH + CHECKSUM_LENGTH
            || !rest.bytes().all(|byte| byte.is_ascii_alphanumeric())
        {
            return Err(NotASecret);
        }
        let (body, sum) = rest.split_at(BODY_LENGTH);
        if checksum(kind, body) == sum {
            Ok(Self(text.to_owned()))
        } else {
            Err(NotASecret)
        }
    }

    /// The secret in clear.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The stored verifier.
    #[must_use]
    pub fn sha256(&self) -> [u8; 32] {
        sha256(self.0.as_bytes())
    }
}

/// SHA-256 (FIPS 180-4) of `bytes`.
#[must_use]
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0_u8; 32];
    out.copy_from_slice(ring::digest::digest(&ring::digest::SHA256, bytes).as_ref());
    out
}

/// Does `presented` hash to `verifier`? Takes the same time wherever they differ.
#[must_use]
pub fn verify_sha256(verifier: &[u8], presented: &[u8]) -> bool {
    let hashed = sha256(presented);
    verifier.len() == hashed.len()
        && verifier
            .iter()
            .zip(hashed)
            .fold(0_u8, |differ, (a, b)| differ | (a ^ b))
            == 0
}

fn checksum(kind: SecretKind, body: &str) -> String {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(kind.prefix().as_bytes());
    hasher.update(body.as_bytes());
    let mut rest = hasher.finalize();
    let mut digits = [b'0'; CHECKSUM_LENGTH];
    for digit in digits.iter_mut().rev() {
        *digit = ALPHABET[(rest % 62) as usize];
        rest /= 62;
    }
    digits.iter().map(|digit| char::from(*digit)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_generated_secret_parses_as_its_own_kind_only() {
        let secret = Secret::generate(SecretKind::ApiKey).unwrap();
        assert_eq!(
            Secret::parse(SecretKind::ApiKey, secret.reveal()),
            Ok(secret.clone())
        );
        assert_eq!(
            Secret::parse(SecretKind::Session, secret.reveal()),
            Err(NotASecret)
        );
        assert!(verify_sha256(&secret.sha256(), secret.reveal().as_bytes()));
        assert!(!verify_sha256(&secret.sha256(), b"other"));
        assert!(!verify_sha256(&[], secret.reveal().as_bytes()));
        assert_eq!(format!("{secret:?}"), "Secret(..)");
    }

    proptest! {
        #[test]
        fn one_changed_character_breaks_the_checksum(at in 0_usize..43, by in 1_usize..62) {
            let secret = Secret::generate(SecretKind::ApiKey).unwrap();
            let mut bytes = secret.reveal().as_bytes().to_vec();
            let place = "weirs_".len() + at;
            let digit = ALPHABET.iter().position(|it| *it == bytes[place]).unwrap();
            bytes[place] = ALPHABET[(digit + by) % 62];
            prop_assert_eq!(Secret::parse(SecretKind::ApiKey, std::str::from_utf8(&bytes).unwrap()), Err(NotASecret));
        }

        #[test]
        fn any_text_is_parsed_without_panic(text in ".{0,80}") {
            let _refused = Secret::parse(SecretKind::Enrollment, &text);
        }
    }
}
