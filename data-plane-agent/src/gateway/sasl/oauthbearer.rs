//! SASL/OAUTHBEARER (RFC 7628; Kafka: KIP-255, extensions KIP-342): one message with an access token.
//!
//! A token that does not hold is answered with a JSON status; the client sends one more byte, and then the exchange fails. That is how Kafka's
//! clients expect it. Which check failed is not told.

use bytes::Bytes;

use super::{Login, Registry, Standing, Step};

/// Between the parts of a message.
const SEPARATOR: char = '\u{1}';
/// What is answered to a token that does not hold (RFC 7628, 3.2.2).
const REFUSED: &[u8] = br#"{"status":"invalid_token"}"#;
/// The extension that names a cluster, as Confluent's clients send it.
const CLUSTER: &str = "logicalCluster";

/// An exchange: awaits the message, and then at most the acknowledgement of its refusal.
#[derive(Debug, Default)]
pub struct Server {
    refused: bool,
}

impl Server {
    /// Takes the client's next message.
    pub fn step(&mut self, registry: Registry<'_>, token: &[u8]) -> Step {
        if self.refused {
            return Step::Failed;
        }
        match verify(registry, token) {
            Some(login) => Step::Done(login, Bytes::new()),
            None => {
                self.refused = true;
                Step::Continue(Bytes::from_static(REFUSED))
            }
        }
    }
}

fn verify(registry: Registry<'_>, message: &[u8]) -> Option<Login> {
    let first = ClientFirst::parse(std::str::from_utf8(message).ok()?)?;
    let token = registry.view.token(first.token, registry.now_unix_seconds)?;
    // Acting as somebody else is not offered.
    if first
        .authorization
        .is_some_and(|it| *it != *token.key.principal && it != token.key.id)
    {
        return None;
    }
    let cluster = registry.view.clusters.get(&token.key.cluster)?;
    // By its id, or as Kafka's own answers name it.
    if first
        .cluster
        .is_some_and(|it| *it != *token.key.cluster && *it != *cluster.kafka_id)
    {
        return None;
    }
    Some(Login {
        key: token.key,
        token: Some(Standing {
            expires_at: token.expires_at,
            signed_by: token.signed_by,
        }),
        certificate: None,
    })
}

#[derive(Debug, PartialEq, Eq)]
struct ClientFirst<'a> {
    authorization: Option<&'a str>,
    token: &'a str,
    cluster: Option<&'a str>,
}

impl<'a> ClientFirst<'a> {
    /// `n,[a=name],^Akey=value^A...^A^A` with `auth=Bearer token` among the pairs.
    fn parse(text: &'a str) -> Option<Self> {
        let (header, pairs) = text.split_once(SEPARATOR)?;
        // No channel binding, as in Kafka. (Its clients leave the last comma of the header out or in.)
        let rest = header.strip_prefix("n,")?;
        let rest = rest.strip_suffix(',').unwrap_or(rest);
        let authorization = match rest.strip_prefix("a=") {
            Some(name) => Some(name).filter(|it| !it.is_empty()),
            None if rest.is_empty() => None,
            None => return None,
        };
        let pairs = pairs.strip_suffix(SEPARATOR)?.strip_suffix(SEPARATOR)?;
        let (mut token, mut cluster) = (None, None);
        for pair in pairs.split(SEPARATOR) {
            let (name, value) = pair.split_once('=')?;
            let legal = !name.is_empty() && name.bytes().all(|it| it.is_ascii_alphabetic());
            let seen = match name {
                "auth" => token.replace(value),
                CLUSTER => cluster.replace(value),
                // Others may be sent and are not validated, as KIP-342 has it.
                _other => None,
            };
            if !legal || seen.is_some() {
                return None;
            }
        }
        let (scheme, token) = token?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(Self {
            authorization,
            token: token.trim_matches(' '),
            cluster,
        })
    }
}

#[cfg(test)]
#[path = "oauthbearer_tests.rs"]
mod tests;
