//! Access tokens (RFC 9068): JWTs of an issuer, signed with ES256 (RFC 7518), good for one audience and a short time.
//!
//! What is presented is bounded before it is read, and only ES256 is ever verified, whatever a token's header asks for.

mod provider;

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, decode_header, encode};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde::{Deserialize, Serialize};

/// The longest token that is looked at.
pub const TOKEN_BYTES_MAX: usize = 8 * 1024;
/// An uncompressed point on P-256 (SEC 1).
const PUBLIC_KEY_LENGTH: usize = 65;
/// Clocks differ: a token may be this much ahead of ours, in seconds.
const LEEWAY_SECONDS: i64 = 30;
/// The header's `typ` (RFC 9068, 2.1), so that no other JWT of the same issuer passes for an access token.
const TYPE: &str = "at+jwt";

/// What a token says (RFC 9068, 2.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Who signed it.
    pub iss: String,
    /// The service account that acts.
    pub sub: String,
    /// Who may accept it.
    pub aud: String,
    /// The API key that it was given for: it opens no more than that key does.
    pub client_id: String,
    /// The tenant of the service account.
    pub tenant: String,
    /// The one cluster that the key opens; absent for the API alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
    /// What it is for.
    pub scope: String,
    /// When it was signed, in seconds since 1970.
    pub iat: i64,
    /// From when it is good.
    pub nbf: i64,
    /// Until when it is good.
    pub exp: i64,
    /// Names this one token.
    pub jti: String,
}

/// Why a token or a key is of no use. Which of the checks failed is nobody's business but ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Too long, not a JWT, of another type or algorithm, or with critical headers that are not understood.
    #[error("not an access token")]
    Malformed,
    /// Signed with a key that is not known here.
    #[error("the token's key is unknown")]
    UnknownKey,
    /// Signature, issuer, audience or a claim is wrong.
    #[error("the token does not verify")]
    Untrusted,
    /// Not good yet or no longer.
    #[error("the token is not good at this time")]
    Expired,
    /// A signing key that is none.
    #[error("not an ECDSA P-256 key in PKCS#8")]
    Key,
}

/// Signs tokens.
pub struct TokenSigner {
    key_id: String,
    key: EncodingKey,
    public_key: Vec<u8>,
}

impl std::fmt::Debug for TokenSigner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenSigner")
            .field("key_id", &self.key_id)
            .finish_non_exhaustive()
    }
}

impl TokenSigner {
    /// A new private key, as PKCS#8.
    ///
    /// # Errors
    /// [`TokenError::Key`] when the system gives no random numbers.
    pub fn generate() -> Result<Vec<u8>, TokenError> {
        EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())
            .map(|document| document.as_ref().to_vec())
            .map_err(|_unspecified| TokenError::Key)
    }

    /// Signs with this private key, under this name.
    ///
    /// # Errors
    /// [`TokenError::Key`] when it is no such key.
    pub fn new(key_id: String, pkcs8: &[u8]) -> Result<Self, TokenError> {
        provider::install();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8, &SystemRandom::new())
            .map_err(|_rejected| TokenError::Key)?;
        Ok(Self {
            key_id,
            key: EncodingKey::from_ec_der(pkcs8),
            public_key: pair.public_key().as_ref().to_vec(),
        })
    }

    /// The uncompressed point, 65 bytes.
    #[must_use]
    pub fn public_key(&self) -> &[u8] {
        &self.public_key
    }

    /// Signs.
    ///
    /// # Errors
    /// [`TokenError::Key`] when the system gives no random numbers.
    pub fn sign(&self, claims: &Claims) -> Result<String, TokenError> {
        let header = Header {
            typ: Some(TYPE.to_owned()),
            kid: Some(self.key_id.clone()),
            ..Header::new(Algorithm::ES256)
        };
        encode(&header, claims, &self.key).map_err(|_unsigned| TokenError::Key)
    }
}

/// The public key as a JWK (RFC 7517); `None` when it is no uncompressed point.
#[must_use]
pub fn jwk(key_id: &str, public_key: &[u8]) -> Option<serde_json::Value> {
    let point = public_key
        .strip_prefix(&[4])
        .filter(|it| it.len() + 1 == PUBLIC_KEY_LENGTH)?;
    let (x, y) = point.split_at(point.len() / 2);
    Some(serde_json::json!({
        "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": key_id,
        "x": URL_SAFE_NO_PAD.encode(x), "y": URL_SAFE_NO_PAD.encode(y),
    }))
}

/// The name of the key that a token says it is signed with. Nothing of it is verified.
#[must_use]
pub fn key_id_of(token: &str) -> Option<String> {
    if token.len() > TOKEN_BYTES_MAX {
        return None;
    }
    decode_header(token).ok()?.kid
}

/// One issuer as a verifier knows it: its name, for whom its tokens are accepted here, its keys.
#[derive(Debug, Clone)]
pub struct Issuer {
    validation: Validation,
    keys: HashMap<String, DecodingKey>,
}

/// A token that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// What it says.
    pub claims: Claims,
    /// The key that signed it.
    pub key_id: String,
}

impl Issuer {
    /// Keys are (name, uncompressed point); others are left out, so that they verify nothing.
    pub fn new<'a>(
        issuer: &str,
        audience: &str,
        keys: impl IntoIterator<Item = (&'a str, &'a [u8])>,
    ) -> Self {
        provider::install();
        let mut validation = Validation::new(Algorithm::ES256);
        validation.set_issuer(&[issuer]);
        validation.set_audience(&[audience]);
        validation.set_required_spec_claims(&["exp", "nbf", "iss", "aud", "sub"]);
        // The times are compared below, by the caller's clock.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        let sound = |key: &[u8]| key.len() == PUBLIC_KEY_LENGTH && key[0] == 4;
        Self {
            validation,
            keys: keys
                .into_iter()
                .filter(|(_id, key)| sound(key))
                .map(|(id, key)| (id.to_owned(), DecodingKey::from_ec_der(key)))
                .collect(),
        }
    }

    /// Does it know this key?
    #[must_use]
    pub fn holds(&self, key_id: &str) -> bool {
        self.keys.contains_key(key_id)
    }

    /// Verifies a token at a moment.
    ///
    /// # Errors
    /// [`TokenError`] for a token that does not hold.
    pub fn verify(&self, token: &str, now_unix_seconds: i64) -> Result<Verified, TokenError> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(TokenError::Malformed);
        }
        let header = decode_header(token).map_err(|_malformed| TokenError::Malformed)?;
        let typed = header.typ.as_deref().is_some_and(|it| {
            let it = it.strip_prefix("application/").unwrap_or(it);
            it.eq_ignore_ascii_case(TYPE)
        });
        if !typed || header.alg != Algorithm::ES256 || header.crit.is_some() {
            return Err(TokenError::Malformed);
        }
        let key_id = header.kid.ok_or(TokenError::Malformed)?;
        let key = self.keys.get(&key_id).ok_or(TokenError::UnknownKey)?;
        let claims = decode::<Claims>(token, key, &self.validation)
            .map_err(|_untrusted| TokenError::Untrusted)?
            .claims;
        let begun = claims.nbf <= now_unix_seconds.saturating_add(LEEWAY_SECONDS);
        if !begun || claims.exp <= now_unix_seconds {
            return Err(TokenError::Expired);
        }
        Ok(Verified { claims, key_id })
    }
}

#[cfg(test)]
mod tests;
