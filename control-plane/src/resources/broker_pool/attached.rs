//! Where a Kafka is that is attached instead of run.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::kernel::{FieldError, code};

const SERVERS_MAX: usize = 10;
const HOST_LENGTH_MAX: usize = 253;
const PEM_BYTES_MAX: usize = 64 * 1024;
const USERNAME_LENGTH_MAX: usize = 255;
const CREDENTIAL_LENGTH_MAX: usize = 63;

/// How its brokers ask for a login.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AttachedMechanism {
    /// SASL/PLAIN.
    Plain,
    /// SASL/SCRAM-SHA-256.
    #[serde(rename = "SCRAM_SHA_256")]
    ScramSha256,
    /// SASL/SCRAM-SHA-512.
    #[serde(rename = "SCRAM_SHA_512")]
    ScramSha512,
}

/// Whose certificates its brokers show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AttachedTls {
    /// Certificates of the authorities, as PEM.
    #[schema(max_length = 65536)]
    pub ca_pem: String,
}

/// The login; the password stays in the data plane.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AttachedSasl {
    /// How.
    pub mechanism: AttachedMechanism,
    /// As whom.
    #[schema(max_length = 255)]
    pub username: String,
}

/// A Kafka that exists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AttachedKafka {
    /// `host:port` of some brokers.
    #[schema(min_items = 1, max_items = 10)]
    pub bootstrap_servers: Vec<String>,
    /// TLS; left out: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub tls: Option<AttachedTls>,
    /// The login; left out: none is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub sasl: Option<AttachedSasl>,
    /// The name of a file `credentials/<name>.toml` in the agent's state folder. It holds the password, and the addresses that
    /// it may be used for; without it nothing is attached.
    #[schema(pattern = "^[a-z0-9_-]{1,63}$")]
    pub credential: String,
}

/// Collects what is wrong with it.
pub fn validate(attached: &AttachedKafka, errors: &mut Vec<FieldError>) {
    let AttachedKafka {
        bootstrap_servers,
        tls,
        sasl,
        credential,
    } = attached;
    let mut bad = |pointer: String, detail: &str| {
        errors.push(FieldError {
            pointer,
            code: code::OUT_OF_RANGE.into(),
            detail: detail.into(),
        });
    };
    if !(1..=SERVERS_MAX).contains(&bootstrap_servers.len()) {
        bad(
            "/spec/attached/bootstrap_servers".into(),
            "One to ten addresses are needed.",
        );
    }
    for (at, server) in bootstrap_servers.iter().enumerate() {
        if !is_address(server) {
            bad(
                format!("/spec/attached/bootstrap_servers/{at}"),
                "An address is host:port.",
            );
        }
    }
    if let Some(AttachedTls { ca_pem }) = tls
        && (ca_pem.len() > PEM_BYTES_MAX
            || !ca_pem.contains("-----BEGIN CERTIFICATE-----")
            || ca_pem.contains("PRIVATE KEY"))
    {
        let detail = "Certificates as PEM, at most 64 KiB, and never a private key.";
        bad("/spec/attached/tls/ca_pem".into(), detail);
    }
    if let Some(AttachedSasl { username, .. }) = sasl
        && (!(1..=USERNAME_LENGTH_MAX).contains(&username.len()) || username.chars().any(char::is_control))
    {
        let detail = "A user name has 1 to 255 characters without control characters.";
        bad("/spec/attached/sasl/username".into(), detail);
    }
    let legal = |it: u8| it.is_ascii_lowercase() || it.is_ascii_digit() || matches!(it, b'-' | b'_');
    if !(1..=CREDENTIAL_LENGTH_MAX).contains(&credential.len()) || !credential.bytes().all(legal) {
        let detail =
            "The name of a credential has 1 to 63 characters of a-z, 0-9, - and _; it is no password.";
        bad("/spec/attached/credential".into(), detail);
    }
}

fn is_address(text: &str) -> bool {
    let legal = |it: u8| it.is_ascii_alphanumeric() || matches!(it, b'.' | b'-' | b'_');
    text.rsplit_once(':').is_some_and(|(host, port)| {
        (1..=HOST_LENGTH_MAX).contains(&host.len())
            && host.bytes().all(legal)
            && port.parse::<u16>().is_ok_and(|it| it > 0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(change: impl FnOnce(&mut AttachedKafka)) -> Vec<String> {
        let mut attached = AttachedKafka {
            bootstrap_servers: vec!["kafka-1.internal:9093".into()],
            tls: Some(AttachedTls {
                ca_pem: "-----BEGIN CERTIFICATE-----".into(),
            }),
            sasl: Some(AttachedSasl {
                mechanism: AttachedMechanism::ScramSha512,
                username: "weir".into(),
            }),
            credential: "east".into(),
        };
        change(&mut attached);
        let mut errors = Vec::new();
        validate(&attached, &mut errors);
        errors.into_iter().map(|it| it.pointer).collect()
    }

    #[test]
    fn a_kafka_is_named_without_any_secret() {
        assert!(wrong(|_it| {}).is_empty());
        let key = |it: &mut AttachedKafka| {
            it.tls = Some(AttachedTls {
                ca_pem: "-----BEGIN CERTIFICATE----- -----BEGIN PRIVATE KEY-----".into(),
            });
        };
        assert_eq!(wrong(key), ["/spec/attached/tls/ca_pem"]);
        for name in ["", "../east", "hunter2!", "East"] {
            assert_eq!(
                wrong(|it| it.credential = name.into()),
                ["/spec/attached/credential"],
                "{name}"
            );
        }
        for server in [
            "kafka",
            "kafka:0",
            ":9092",
            "kafka:99999",
            "http://kafka:9092",
            "a b:1",
        ] {
            let pointers = wrong(|it| it.bootstrap_servers = vec![server.into()]);
            assert_eq!(pointers, ["/spec/attached/bootstrap_servers/0"], "{server}");
        }
        assert_eq!(
            wrong(|it| it.bootstrap_servers.clear()),
            ["/spec/attached/bootstrap_servers"]
        );
    }
}
