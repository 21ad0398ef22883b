//! Who calls: SASL exchanges with API keys and access tokens, apart from any socket.
//!
//! A wrong secret, an unknown key, an expired key and a malformed token all fail alike: the same words, the same work.

mod oauthbearer;
mod plain;
mod scram;

use std::sync::Arc;

use bytes::Bytes;
use ring::hmac;
use weir_credentials::Mechanism;

use super::client_certificate::Presented;
use super::view::{Key, View};

/// The mechanisms offered, in Kafka's spelling.
pub const MECHANISMS: [&str; 4] = ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"];

/// A secret of this gateway that unknown users' salts are derived from.
#[derive(Debug, Clone)]
pub struct Pepper(hmac::Key);

impl Pepper {
    /// From 32 random bytes.
    #[must_use]
    pub fn new(secret: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret))
    }

    fn derive(&self, purpose: &str, user: &str) -> hmac::Tag {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(purpose.as_bytes());
        context.update(&[0]);
        context.update(user.as_bytes());
        context.sign()
    }
}

/// What an exchange looks keys up in.
#[derive(Debug, Clone, Copy)]
pub struct Registry<'a> {
    /// The keys.
    pub view: &'a View,
    /// For unknown users.
    pub pepper: &'a Pepper,
    /// The clock.
    pub now_unix_seconds: i64,
}

/// Who logged in, and for how long.
#[derive(Debug, Clone)]
pub struct Login {
    /// The API key that was shown, or that the token was given for.
    pub key: Arc<Key>,
    /// Of a token.
    pub token: Option<Standing>,
    /// Shown instead of a login.
    pub certificate: Option<Presented>,
}

/// What of a token is remembered: until when it is good, and who signed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Seconds since 1970.
    pub expires_at: i64,
    /// The issuer's key.
    pub signed_by: Arc<str>,
}

impl Login {
    fn by_secret(key: &Arc<Key>) -> Self {
        Self {
            key: Arc::clone(key),
            token: None,
            certificate: None,
        }
    }

    /// Of a key that the client proved to hold.
    #[must_use]
    pub fn by_certificate(key: &Arc<Key>, certificate: Presented) -> Self {
        Self {
            key: Arc::clone(key),
            token: None,
            certificate: Some(certificate),
        }
    }

    /// Was it by a certificate that is not good any more?
    #[must_use]
    pub fn outlived_its_certificate(&self, now_unix_seconds: i64) -> bool {
        self.certificate.is_some_and(|it| !it.is_good(now_unix_seconds))
    }

    /// When the client has to log in again, in seconds since 1970; 0: never.
    #[must_use]
    pub fn ends_at(&self) -> i64 {
        let key = self.key.expires_at;
        match &self.token {
            None => key,
            Some(token) if key == 0 => token.expires_at,
            Some(token) => key.min(token.expires_at),
        }
    }

    /// Does it still stand by this snapshot? The key stands, its certificate is good, and whoever signed the token is still believed. A token that ended
    /// meanwhile does not end the connection by itself: its client logs in again (KIP-368).
    #[must_use]
    pub fn stands(&self, view: &View, now_unix_seconds: i64) -> bool {
        let believed = self.token.as_ref().is_none_or(|it| view.trusts(&it.signed_by));
        if self.outlived_its_certificate(now_unix_seconds) {
            return false;
        }
        believed && view.upholds(&self.key, now_unix_seconds)
    }
}

/// What follows a client's token.
#[derive(Debug, Clone)]
pub enum Step {
    /// Send this and await another token.
    Continue(Bytes),
    /// Logged in; send this.
    Done(Login, Bytes),
    /// Refused.
    Failed,
}

/// An exchange under way.
#[derive(Debug)]
pub enum Exchange {
    /// One token.
    Plain,
    /// Two tokens.
    Scram(Box<scram::Server>),
    /// One token; a second one acknowledges a refusal.
    OauthBearer(oauthbearer::Server),
}

impl Exchange {
    /// The mechanism, in Kafka's spelling.
    #[must_use]
    pub fn mechanism(&self) -> &'static str {
        match self {
            Self::Plain => "PLAIN",
            Self::Scram(server) => server.name(),
            Self::OauthBearer(_) => "OAUTHBEARER",
        }
    }

    /// Begins an exchange; `None` for a mechanism that is not offered.
    #[must_use]
    pub fn begin(mechanism: &str) -> Option<Self> {
        match mechanism {
            "PLAIN" => Some(Self::Plain),
            "SCRAM-SHA-256" => Some(Self::Scram(Box::new(scram::Server::new(Mechanism::Sha256)))),
            "SCRAM-SHA-512" => Some(Self::Scram(Box::new(scram::Server::new(Mechanism::Sha512)))),
            "OAUTHBEARER" => Some(Self::OauthBearer(oauthbearer::Server::default())),
            _other => None,
        }
    }

    /// Takes the client's next token.
    pub fn step(&mut self, registry: Registry<'_>, token: &[u8]) -> Step {
        match self {
            Self::Plain => plain::verify(registry, token),
            Self::Scram(server) => server.step(registry, token),
            Self::OauthBearer(server) => server.step(registry, token),
        }
    }
}

/// Equal, in the same time wherever they differ.
fn equal(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0_u8, |differ, (a, b)| differ | (a ^ b)) == 0
}

#[cfg(test)]
mod tests;
