//! Access tokens, checked by the keys of the snapshot alone.

use std::sync::Arc;

use weir_credentials::{Issuer, Verified, key_id_of};
use weir_proto::agent::v1::{TokenAlgorithm, TokenIssuer, TokenKey};

use super::{Key, View};

/// What a token for gateways is for; one for the control plane's API opens nothing here.
const SCOPE: &str = "kafka";

/// A token that holds, and the API key that it was given for.
#[derive(Debug, Clone)]
pub struct Token {
    /// Opens no more than this.
    pub key: Arc<Key>,
    /// Seconds since 1970.
    pub expires_at: i64,
    /// The key that signed it.
    pub signed_by: Arc<str>,
}

pub(super) fn issuers(issuers: &[TokenIssuer]) -> Vec<Issuer> {
    issuers
        .iter()
        .map(|it| {
            let TokenIssuer {
                issuer,
                audience,
                keys,
            } = it;
            let sound = keys.iter().filter(|key| key.algorithm() == TokenAlgorithm::Es256);
            Issuer::new(
                issuer,
                audience,
                sound.map(
                    |TokenKey {
                         key_id, public_key, ..
                     }| (key_id.as_str(), public_key.as_slice()),
                ),
            )
        })
        .collect()
}

impl View {
    /// The token, if it holds now and its API key stands: the same service account, the same cluster, not expired.
    #[must_use]
    pub fn token(&self, token: &str, now_unix_seconds: i64) -> Option<Token> {
        let key_id = key_id_of(token)?;
        let knowing = self.issuers.iter().filter(|it| it.holds(&key_id));
        let Verified { claims, key_id } = knowing
            .filter_map(|it| it.verify(token, now_unix_seconds).ok())
            .next()?;
        let key = self.keys.get(&claims.client_id)?;
        // A job's key is the agent's own: nobody outside signs in as a job.
        let same = !key.job && *key.principal == *claims.sub && claims.cluster.as_ref() == Some(&key.cluster);
        (same && claims.scope == SCOPE && !key.expired(now_unix_seconds)).then(|| Token {
            key: Arc::clone(key),
            expires_at: claims.exp,
            signed_by: key_id.into(),
        })
    }

    /// Is this still a key that tokens may be signed with?
    #[must_use]
    pub fn trusts(&self, key_id: &str) -> bool {
        self.issuers.iter().any(|it| it.holds(key_id))
    }
}

/// An issuer of tokens for tests and the fuzzer.
#[cfg(any(test, feature = "fuzzing"))]
#[expect(
    clippy::expect_used,
    reason = "for tests: without it there is nothing to test"
)]
pub mod sample {
    use std::sync::LazyLock;

    use weir_credentials::{Claims, TokenSigner};
    use weir_proto::agent::v1::{TokenAlgorithm, TokenIssuer, TokenKey};

    const ISSUER: &str = "https://weir.test";
    const AUDIENCE: &str = "weir://data-plane/test";

    static SIGNER: LazyLock<TokenSigner> = LazyLock::new(|| {
        let pkcs8 = TokenSigner::generate().expect("a key");
        TokenSigner::new("token_key_1".to_owned(), &pkcs8).expect("a signer")
    });

    /// As the snapshot says it.
    #[must_use]
    pub fn issuer() -> TokenIssuer {
        TokenIssuer {
            issuer: ISSUER.to_owned(),
            audience: AUDIENCE.to_owned(),
            keys: vec![TokenKey {
                key_id: "token_key_1".to_owned(),
                algorithm: TokenAlgorithm::Es256.into(),
                public_key: SIGNER.public_key().to_vec(),
            }],
        }
    }

    /// What a good token says.
    #[must_use]
    pub fn claims(key: &str, principal: &str, cluster: &str, expires_at: i64) -> Claims {
        Claims {
            iss: ISSUER.to_owned(),
            sub: principal.to_owned(),
            aud: AUDIENCE.to_owned(),
            client_id: key.to_owned(),
            tenant: "tenant_1".to_owned(),
            cluster: Some(cluster.to_owned()),
            scope: super::SCOPE.to_owned(),
            iat: 0,
            nbf: 0,
            exp: expires_at,
            jti: "1".to_owned(),
        }
    }

    /// Signs.
    #[must_use]
    pub fn sign(claims: &Claims) -> String {
        SIGNER.sign(claims).expect("a signature")
    }
}
