//! Who calls: SASL exchanges with API keys, apart from any socket.
//!
//! A wrong secret, an unknown key, an expired key and a malformed token all fail alike: the same words, the same work.

mod plain;
mod scram;

use std::sync::Arc;

use bytes::Bytes;
use ring::hmac;
use weir_credentials::Mechanism;

use super::view::{Key, View};

/// The mechanisms offered, in Kafka's spelling.
pub const MECHANISMS: [&str; 3] = ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"];

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

/// What follows a client's token.
#[derive(Debug, Clone)]
pub enum Step {
    /// Send this and await another token.
    Continue(Bytes),
    /// Logged in; send this.
    Done(Arc<Key>, Bytes),
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
}

impl Exchange {
    /// Begins an exchange; `None` for a mechanism that is not offered.
    #[must_use]
    pub fn begin(mechanism: &str) -> Option<Self> {
        match mechanism {
            "PLAIN" => Some(Self::Plain),
            "SCRAM-SHA-256" => Some(Self::Scram(Box::new(scram::Server::new(Mechanism::Sha256)))),
            "SCRAM-SHA-512" => Some(Self::Scram(Box::new(scram::Server::new(Mechanism::Sha512)))),
            _other => None,
        }
    }

    /// Takes the client's next token.
    pub fn step(&mut self, registry: Registry<'_>, token: &[u8]) -> Step {
        match self {
            Self::Plain => plain::verify(registry, token),
            Self::Scram(server) => server.step(registry, token),
        }
    }
}

/// Equal, in the same time wherever they differ.
fn equal(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0_u8, |differ, (a, b)| differ | (a ^ b)) == 0
}

#[cfg(test)]
mod tests;
