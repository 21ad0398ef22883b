//! Requests and answers of one tenant, as the broker and the client see them: what passes, what is refused, what is
//! shown, what is counted.

mod admin;
mod client_quotas;
mod contracts;
mod cost;
mod encryption;
mod groups;
mod jobs;
mod metadata;
mod mirrors;
mod mounts;
mod quotas;
mod records;
mod shares;

use bytes::BytesMut;
use kafka_protocol::protocol::{Encodable, StrBytes};
use uuid::Uuid;
use weir_kafka_wire::header::{split_request, split_response};
use weir_kafka_wire::shape::Direction;

use super::*;
use crate::gateway::contract::Pace;
use crate::gateway::meter::Meter;
use crate::gateway::quota::Quotas;
use crate::gateway::view::View;
use crate::gateway::view::tests as sample;

/// A topic or group of the first cluster as the broker knows it.
pub fn prefix(name: &str) -> String {
    format!("w{}-{name}", sample::A)
}

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

fn shared(folder: &std::path::Path) -> Shared {
    Shared {
        front: Arc::new(Front {
            host: text("gateway.test"),
            port_base: 9650,
            named: None,
            places: Arc::default(),
        }),
        meter: Arc::new(Meter::open(folder, "gateway", 1).unwrap()),
        members: Arc::new(Members::default()),
        quotas: Arc::new(Quotas::default()),
        contracts: Arc::default(),
        kept: Arc::default(),
    }
}

/// The tenant of a key of the sample snapshot; its meter writes to a folder that is gone.
pub fn tenant(key: &str) -> Tenant {
    let folder = tempfile::tempdir().unwrap();
    tenant_of(&sample::snapshot(), key, &shared(folder.path()))
}

/// Who reads, in the second cluster of the sample snapshot, what this shows of `payments` in the first.
pub fn tenant_with(mount: weir_proto::lane::v1::LogicalTopic) -> Tenant {
    let mut snapshot = sample::snapshot();
    let original = snapshot.clusters[0].topics[1].clone();
    snapshot.clusters[1]
        .topics
        .push(weir_proto::lane::v1::LogicalTopic {
            physical_name: original.physical_name,
            physical_id: original.physical_id,
            partitions: original.partitions,
            ..mount
        });
    let folder = tempfile::tempdir().unwrap();
    tenant_of(&snapshot, "key_other", &shared(folder.path()))
}

fn tenant_of(snapshot: &weir_proto::lane::v1::Snapshot, key: &str, shared: &Shared) -> Tenant {
    let view = View::build(snapshot);
    Tenant::new(&view, &view.keys[key], shared).unwrap()
}

fn header<R: Request>(version: i16) -> RequestHeader {
    RequestHeader {
        api_key: R::KEY,
        version,
        correlation_id: 42,
        client_id: None,
    }
}

fn body<M: Encodable>(message: &M, version: i16) -> Bytes {
    let mut out = BytesMut::new();
    message.encode(&mut out, version).unwrap();
    out.freeze()
}

fn unframed(pieces: &[Bytes]) -> Bytes {
    let frame = Bytes::from(pieces.concat());
    assert_eq!(
        u32::from_be_bytes(frame[..4].try_into().unwrap()) as usize,
        frame.len() - 4
    );
    frame.slice(4..)
}

/// What became of a request.
enum Outcome<R: Request> {
    /// What the broker receives, and what turns its answer.
    Forwarded(R, Answer),
    /// What the client receives at once.
    Answered(R::Response),
    /// What the control plane is asked, and what makes the answer.
    Wished(Vec<Wish>, Finish),
}

/// With all records judged.
fn judged(tenant: &Tenant, plan: Result<Plan, Refusal>) -> Result<Plan, Refusal> {
    match plan? {
        Plan::Judge(mut judging) => {
            judging.run(&|| false);
            judging.finish(tenant)
        }
        other => Ok(other),
    }
}

fn ask<R: Request>(tenant: &Tenant, memory: &mut Memory, version: i16, message: &R) -> Outcome<R> {
    let header = header::<R>(version);
    match judged(tenant, request(tenant, memory, &header, body(message, version))).unwrap() {
        Plan::Judge(_again) => panic!("it is judged"),
        Plan::Forward(frame, answer) => {
            let (sent, body) = split_request(unframed(&frame)).unwrap();
            assert_eq!(sent, header);
            Outcome::Forwarded(decode_request(version, body, Budget::CLIENT).unwrap(), answer)
        }
        Plan::Local(frame) => Outcome::Answered(client_reads::<R>(&[frame], version)),
        Plan::Wish(wishes, finish) => Outcome::Wished(wishes, finish),
        Plan::Silent(_frame) => panic!("every request here has an answer"),
    }
}

fn client_reads<R: Request>(frame: &[Bytes], version: i16) -> R::Response {
    let (correlation_id, body) = split_response(unframed(frame), R::KEY, version).unwrap();
    assert_eq!(correlation_id, 42);
    decode_response::<R>(version, body, Budget::BROKER).unwrap()
}

impl<R: Request> Outcome<R> {
    fn forwarded(self) -> (R, Answer) {
        match self {
            Self::Forwarded(request, answer) => (request, answer),
            Self::Answered(_) => panic!("answered by the gateway"),
            Self::Wished(..) => panic!("a wish to the control plane"),
        }
    }

    fn answered(self) -> R::Response {
        match self {
            Self::Answered(response) => response,
            Self::Forwarded(..) => panic!("forwarded to the broker"),
            Self::Wished(..) => panic!("a wish to the control plane"),
        }
    }

    /// The code of an answer that the gateway gave itself; `None`: the broker was asked.
    fn refusal(self, code: impl Fn(&R::Response) -> i16) -> Option<i16> {
        match self {
            Self::Answered(response) => Some(code(&response)),
            Self::Forwarded(..) => None,
            Self::Wished(..) => panic!("a wish to the control plane"),
        }
    }

    fn wished(self) -> (Vec<Wish>, Finish) {
        match self {
            Self::Wished(wishes, finish) => (wishes, finish),
            Self::Forwarded(..) => panic!("forwarded to the broker"),
            Self::Answered(_) => panic!("answered by the gateway"),
        }
    }
}

fn reply<R: Request>(
    tenant: &Tenant,
    memory: &mut Memory,
    version: i16,
    answer: Answer,
    response: &R::Response,
) -> (R::Response, Reply) {
    let mut reply = answer(tenant, memory, body(response, version)).unwrap();
    if let Some(mut screening) = reply.screening.take() {
        assert!(screening.run(&Pace::aside(&|| false)));
        reply = screening.finish(tenant).unwrap();
    }
    (client_reads::<R>(&reply.frame, version), reply)
}

#[test]
fn what_is_not_in_the_table_ends_the_connection() {
    let tenant = tenant("key_writer");
    for (api_key, version) in [
        (27, 1),
        (34, 2),
        (51, 0),
        (3, 0),
        (66, 2),
        (24, 4),
        (78, 1),
        (36, 1),
        (17, 1),
        (-1, 0),
    ] {
        let header = RequestHeader {
            api_key,
            version,
            correlation_id: 1,
            client_id: None,
        };
        assert!(matches!(
            request(&tenant, &mut Memory::default(), &header, Bytes::new()),
            Err(Refusal::NotOffered(..))
        ));
    }
}

#[test]
fn a_body_out_of_bounds_ends_the_connection() {
    let tenant = tenant("key_writer");
    let header = header::<kafka_protocol::messages::MetadataRequest>(1);
    let hostile = Bytes::from_static(&[0x7f, 0xff, 0xff, 0xff]);
    assert!(matches!(
        request(&tenant, &mut Memory::default(), &header, hostile),
        Err(Refusal::Message(_))
    ));
}

/// Every request of the table has a handler, and every answer finds its way back, in every version.
#[test]
fn every_row_of_the_table_is_handled_both_ways() {
    let tenant = tenant("key_writer");
    for (key, least, greatest) in table::TABLE {
        let own = [
            ApiKey::ApiVersions,
            ApiKey::SaslHandshake,
            ApiKey::SaslAuthenticate,
        ];
        for version in (least..=greatest).filter(|_version| !own.contains(&key)) {
            for seed in 1..30 {
                let answer = match planned(&tenant, key, version, seed) {
                    Ok(Plan::Forward(_frame, answer)) => answer,
                    Ok(_) | Err(Refusal::Replica | Refusal::Unacknowledged(_)) => continue,
                    Err(error) => panic!("{key:?} {version}: {error}"),
                };
                // Old Metadata goes to the broker as version 4.
                let upstream = if key == ApiKey::Metadata {
                    version.max(4)
                } else {
                    version
                };
                let response = filled(Direction::Response, key, upstream, seed);
                let answered = answer(&tenant, &mut Memory::default(), response);
                assert!(answered.is_ok(), "{key:?} {version}: {:?}", answered.err());
            }
        }
    }
}

fn filled(direction: Direction, key: ApiKey, version: i16, seed: u64) -> Bytes {
    let shape = weir_kafka_wire::shape::shape(direction, key as i16, version).unwrap();
    weir_kafka_wire::sample::body(shape, seed * 977)
}

fn planned(tenant: &Tenant, key: ApiKey, version: i16, seed: u64) -> Result<Plan, Refusal> {
    let header = RequestHeader {
        api_key: key as i16,
        version,
        correlation_id: 1,
        client_id: None,
    };
    let body = filled(Direction::Request, key, version, seed);
    request(tenant, &mut Memory::default(), &header, body)
}

#[test]
fn who_came_by_a_name_is_told_names_of_brokers() {
    let front = Front {
        host: StrBytes::from_static_str("gateway.test"),
        port_base: 9650,
        named: None,
        places: Arc::default(),
    };
    assert_eq!(
        front.address(3),
        (StrBytes::from_static_str("gateway.test"), 9653)
    );
    let named = Front {
        named: Some(StrBytes::from_static_str("label.kafka.test")),
        ..front
    };
    assert_eq!(
        named.address(3),
        (StrBytes::from_static_str("b3-label.kafka.test"), 9650)
    );
    assert_eq!(named.address(-1), (StrBytes::default(), -1));
}
