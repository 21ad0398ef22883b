//! The server's side of SCRAM (RFC 5802; SHA-256: RFC 7677; SHA-512 as Kafka's KIP-84), without channel binding.

use std::num::NonZeroU32;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use ring::rand::{SecureRandom, SystemRandom};
use ring::{digest, hmac};
use weir_credentials::{Mechanism, SCRAM_ITERATIONS, ScramVerifier};

use super::{Login, Pepper, Registry, Step, equal};
use crate::gateway::view::Key;

/// An exchange: awaits the first message, then the proof.
#[derive(Debug)]
pub struct Server {
    mechanism: Mechanism,
    challenge: Option<Challenge>,
}

/// What was sent, and what the proof must match.
#[derive(Debug)]
struct Challenge {
    key: Option<Arc<Key>>,
    verifier: ScramVerifier,
    /// base64 of the header that says "no channel binding".
    binding: String,
    nonce: String,
    /// client-first-message-bare "," server-first-message ",".
    transcript: String,
}

impl Server {
    /// An exchange of this mechanism.
    #[must_use]
    pub fn new(mechanism: Mechanism) -> Self {
        Self {
            mechanism,
            challenge: None,
        }
    }

    /// As Kafka calls the mechanism.
    pub fn name(&self) -> &'static str {
        match self.mechanism {
            Mechanism::Sha256 => "SCRAM-SHA-256",
            Mechanism::Sha512 => "SCRAM-SHA-512",
        }
    }

    /// Takes the client's next message.
    pub fn step(&mut self, registry: Registry<'_>, token: &[u8]) -> Step {
        let Ok(text) = std::str::from_utf8(token) else {
            return Step::Failed;
        };
        match self.challenge.take() {
            None => match server_nonce().and_then(|nonce| self.first(registry, text, &nonce)) {
                Some(answer) => Step::Continue(answer),
                None => Step::Failed,
            },
            Some(challenge) => self.last(registry, &challenge, text).unwrap_or(Step::Failed),
        }
    }

    fn first(&mut self, registry: Registry<'_>, text: &str, server_nonce: &str) -> Option<Bytes> {
        let first = ClientFirst::parse(text)?;
        let key = registry.view.keys.get(&first.user).cloned();
        let verifier = key
            .as_ref()
            .and_then(|it| match self.mechanism {
                Mechanism::Sha256 => it.scram_sha_256.clone(),
                Mechanism::Sha512 => it.scram_sha_512.clone(),
            })
            .unwrap_or_else(|| stranger(registry.pepper, self.mechanism, &first.user));
        let nonce = format!("{}{server_nonce}", first.nonce);
        let salt = STANDARD.encode(&verifier.salt);
        let answer = format!("r={nonce},s={salt},i={}", verifier.iterations);
        self.challenge = Some(Challenge {
            key,
            verifier,
            binding: STANDARD.encode(first.header),
            nonce,
            transcript: format!("{},{answer},", first.bare),
        });
        Some(Bytes::from(answer.into_bytes()))
    }

    fn last(&self, registry: Registry<'_>, challenge: &Challenge, text: &str) -> Option<Step> {
        let (without_proof, proof) = text.rsplit_once(",p=")?;
        let mut parts = without_proof.split(',');
        let binding = parts.next()?.strip_prefix("c=")?;
        let nonce = parts.next()?.strip_prefix("r=")?;
        // Ends with, as in Apache Kafka: librdkafka before 2.6.1 puts its own nonce before it once more (its pull request 4895).
        if binding != challenge.binding || !nonce.ends_with(&challenge.nonce) {
            return None;
        }
        let message = format!("{}{without_proof}", challenge.transcript);
        let proof = STANDARD.decode(proof).ok()?;
        let hmac_of =
            |key: &[u8]| hmac::sign(&hmac::Key::new(self.mechanism.hmac(), key), message.as_bytes());
        let mask = hmac_of(&challenge.verifier.stored_key);
        if proof.len() != mask.as_ref().len() {
            return None;
        }
        let client_key: Vec<u8> = proof.iter().zip(mask.as_ref()).map(|(a, b)| a ^ b).collect();
        let stored_key = digest::digest(self.mechanism.digest(), &client_key);
        let right = equal(stored_key.as_ref(), &challenge.verifier.stored_key);
        let signature = STANDARD.encode(hmac_of(&challenge.verifier.server_key));
        // The key as it is now: it may have been revoked between the two messages.
        let key = registry.view.keys.get(&challenge.key.as_ref()?.id)?;
        let unchanged = challenge.key.as_ref() == Some(key);
        (right && unchanged && !key.expired(registry.now_unix_seconds)).then(|| {
            Step::Done(
                Login::by_secret(key),
                Bytes::from(format!("v={signature}").into_bytes()),
            )
        })
    }
}

/// A verifier that no proof matches, the same at every attempt.
fn stranger(pepper: &Pepper, mechanism: Mechanism, user: &str) -> ScramVerifier {
    let iterations: NonZeroU32 = SCRAM_ITERATIONS;
    let length = mechanism.digest().output_len();
    let key = |purpose: &str| {
        let tag = pepper.derive(purpose, user);
        tag.as_ref().iter().copied().cycle().take(length).collect()
    };
    ScramVerifier {
        salt: pepper.derive("salt", user).as_ref()[..16].to_vec(),
        iterations,
        stored_key: key("stored key"),
        server_key: key("server key"),
    }
}

fn server_nonce() -> Option<String> {
    let mut bytes = [0_u8; 18];
    SystemRandom::new().fill(&mut bytes).ok()?;
    Some(STANDARD.encode(bytes))
}

#[derive(Debug, PartialEq, Eq)]
struct ClientFirst<'a> {
    header: &'a str,
    bare: &'a str,
    user: String,
    nonce: &'a str,
}

impl<'a> ClientFirst<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        // "n" or "y": the client does not bind to a channel; "p=" would, which is not offered.
        let (flag, rest) = text.split_once(',')?;
        let (authorization, bare) = rest.split_once(',')?;
        if flag != "n" && flag != "y" {
            return None;
        }
        let header = &text[..text.len() - bare.len()];
        let mut parts = bare.split(',');
        let user = unescape(parts.next()?.strip_prefix("n=")?)?;
        let nonce = parts.next()?.strip_prefix("r=")?;
        // Extensions: Kafka's delegation tokens come so, which are not offered; empty ones are harmless.
        if user.is_empty() || nonce.is_empty() || parts.any(|it| !it.is_empty()) {
            return None;
        }
        match authorization.strip_prefix("a=") {
            Some(other) if unescape(other)? != user => return None,
            None if !authorization.is_empty() => return None,
            _own => {}
        }
        Some(Self {
            header,
            bare,
            user,
            nonce,
        })
    }
}

/// "=2C" is a comma, "=3D" an equals sign; no other "=" may stand in a name.
fn unescape(name: &str) -> Option<String> {
    let mut out = String::with_capacity(name.len());
    let mut rest = name;
    while let Some((before, after)) = rest.split_once('=') {
        out.push_str(before);
        if let Some(after) = after.strip_prefix("2C") {
            out.push(',');
            rest = after;
        } else {
            out.push('=');
            rest = after.strip_prefix("3D")?;
        }
    }
    out.push_str(rest);
    Some(out)
}

#[cfg(test)]
#[path = "scram_tests.rs"]
mod tests;
