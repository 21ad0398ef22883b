//! What a client says of itself before it is logged in, as enumerated words: by which mechanism it signs in, and which
//! software it is (KIP-511). Its own texts go nowhere.

use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use kafka_protocol::messages::{ApiVersionsRequest, SaslHandshakeRequest};
use weir_kafka_wire::bounds::Budget;
use weir_kafka_wire::header::{API_VERSIONS, RequestHeader};
use weir_kafka_wire::message::decode_request;
use weir_proto::agent::v1::{ClientSoftware, SignInMechanism};

use crate::gateway::table;

const SASL_HANDSHAKE: i16 = 17;
/// From this version on a client names its software.
const NAMED_FROM: i16 = 3;
/// No client's version has larger numbers; larger ones would be a message.
const NUMBERS_MAX: [u32; 3] = [99, 999, 999];

/// What is known of a client.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Acquaintance {
    /// How it signs in.
    pub mechanism: SignInMechanism,
    /// What it is.
    pub software: ClientSoftware,
    /// Of which version; zeros: unknown.
    pub version: [u32; 3],
}

/// Listens to a client that is not logged in.
#[derive(Debug, Default)]
pub struct Listening(Mutex<Acquaintance>);

impl Listening {
    /// Notes what a frame says of its client. Whether it may say it is for others to judge.
    pub fn note(&self, header: &RequestHeader, body: &Bytes) {
        if table::admitted(header.api_key, header.version).is_none() {
            return;
        }
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let version = header.version;
        match header.api_key {
            SASL_HANDSHAKE => {
                if let Ok(request) =
                    decode_request::<SaslHandshakeRequest>(version, body.clone(), Budget::STRANGER)
                {
                    held.mechanism = mechanism(&request.mechanism);
                }
            }
            API_VERSIONS if version >= NAMED_FROM => {
                if let Ok(request) =
                    decode_request::<ApiVersionsRequest>(version, body.clone(), Budget::STRANGER)
                {
                    held.software = software(&request.client_software_name);
                    held.version = numbers(&request.client_software_version);
                }
            }
            _other => {}
        }
    }

    /// What is known by now.
    pub fn so_far(&self) -> Acquaintance {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn mechanism(name: &str) -> SignInMechanism {
    match name {
        "PLAIN" => SignInMechanism::Plain,
        "SCRAM-SHA-256" => SignInMechanism::ScramSha256,
        "SCRAM-SHA-512" => SignInMechanism::ScramSha512,
        "OAUTHBEARER" => SignInMechanism::Oauthbearer,
        _other => SignInMechanism::Other,
    }
}

/// The names that the clients give themselves, from their sources.
fn software(name: &str) -> ClientSoftware {
    match name {
        "apache-kafka-java" => ClientSoftware::ApacheKafkaJava,
        "librdkafka" | "confluent-kafka-cpp" => ClientSoftware::Librdkafka,
        "confluent-kafka-python" => ClientSoftware::ConfluentKafkaPython,
        "confluent-kafka-go" => ClientSoftware::ConfluentKafkaGo,
        "confluent-kafka-dotnet" => ClientSoftware::ConfluentKafkaDotnet,
        "confluent-kafka-javascript" => ClientSoftware::ConfluentKafkaJavascript,
        "rust-rdkafka" => ClientSoftware::RustRdkafka,
        "kgo" => ClientSoftware::FranzGo,
        "sarama" => ClientSoftware::Sarama,
        "kafkajs" => ClientSoftware::Kafkajs,
        "kafka-python" => ClientSoftware::KafkaPython,
        "" => ClientSoftware::Unspecified,
        _other => ClientSoftware::Other,
    }
}

/// `3.9.1-rc2` is 3, 9, 1; what is no version is zeros.
fn numbers(text: &str) -> [u32; 3] {
    let mut numbers = [0; 3];
    let plain = text.trim_start_matches('v');
    for (at, part) in plain.split(['.', '-', '+']).take(3).enumerate() {
        let Some(number) = part.parse().ok().filter(|it| *it <= NUMBERS_MAX[at]) else {
            break;
        };
        numbers[at] = number;
    }
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;
    use kafka_protocol::protocol::{Encodable, StrBytes};

    fn heard<M: Encodable>(api_key: i16, version: i16, message: &M) -> Acquaintance {
        let mut body = bytes::BytesMut::new();
        message.encode(&mut body, version).unwrap();
        let header = RequestHeader {
            api_key,
            version,
            correlation_id: 1,
            client_id: None,
        };
        let listening = Listening::default();
        listening.note(&header, &body.freeze());
        listening.so_far()
    }

    #[test]
    fn only_words_that_are_known_are_kept() {
        let named = |name: &'static str, version: &'static str| {
            let request = ApiVersionsRequest::default()
                .with_client_software_name(StrBytes::from_static_str(name))
                .with_client_software_version(StrBytes::from_static_str(version));
            let heard = heard(API_VERSIONS, 3, &request);
            (heard.software, heard.version)
        };
        assert_eq!(
            named("apache-kafka-java", "4.1.0"),
            (ClientSoftware::ApacheKafkaJava, [4, 1, 0])
        );
        assert_eq!(named("kgo", "v1.18.0-rc1"), (ClientSoftware::FranzGo, [1, 18, 0]));
        assert_eq!(
            named("my-secret-payload", "123456.1"),
            (ClientSoftware::Other, [0; 3])
        );
        let request =
            SaslHandshakeRequest::default().with_mechanism(StrBytes::from_static_str("SCRAM-SHA-512"));
        assert_eq!(
            heard(SASL_HANDSHAKE, 1, &request).mechanism,
            SignInMechanism::ScramSha512
        );
    }

    #[test]
    fn what_cannot_be_read_says_nothing() {
        let listening = Listening::default();
        let header = RequestHeader {
            api_key: API_VERSIONS,
            version: 3,
            correlation_id: 1,
            client_id: None,
        };
        listening.note(&header, &Bytes::from_static(&[0x7f; 9]));
        assert_eq!(listening.so_far(), Acquaintance::default());
    }
}
