//! Quotas on real connections: a client, the gateway, and a broker that says yes to everything.

use std::sync::Mutex;
use std::time::Instant;

use bytes::Bytes;
use kafka_protocol::messages::api_versions_response::ApiVersion;
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::fetch_response::{FetchableTopicResponse, PartitionData};
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::{
    ApiVersionsRequest, ApiVersionsResponse, FetchRequest, FetchResponse, ProduceRequest, ProduceResponse,
};
use kafka_protocol::protocol::StrBytes;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use weir_kafka_wire::bounds::Budget;
use weir_kafka_wire::header::split_request;
use weir_kafka_wire::message::{MessageError, decode_request, frame_response};
use weir_kafka_wire::{CallError, Connection};
use weir_proto::agent::v1::{Quota, QuotaLimits, QuotaMode, QuotaSubject};
use weir_proto::lane::v1::Snapshot;

use super::*;
use crate::gateway::meter::Meter;
use crate::gateway::meter::batch::tests::batch;
use crate::gateway::quota::Quotas;
use crate::gateway::rewrite::{Front, Members};
use crate::gateway::view::tests as sample;

pub(in crate::gateway) const PRODUCE: i16 = 9;
pub(super) const FETCH: i16 = 12;
const KIB: u64 = 1024;

/// A gateway before its broker.
pub(in crate::gateway) struct World {
    pub(in crate::gateway) gateway: Arc<Gateway>,
    pub(super) port: u16,
    asked_bytes: Arc<Mutex<Vec<i32>>>,
    /// What the broker gives to fetches instead of ten kibibytes.
    pub(super) given: Arc<Mutex<Option<Vec<u8>>>>,
    pub(super) broker_port: u16,
    _folder: tempfile::TempDir,
}

impl World {
    pub(in crate::gateway) async fn begin(quotas: Vec<Quota>) -> Self {
        Self::within(quotas, Limits::default()).await
    }

    pub(in crate::gateway) async fn within(quotas: Vec<Quota>, limits: Limits) -> Self {
        Self::telling(quotas, limits, None).await
    }

    pub(super) async fn telling(quotas: Vec<Quota>, limits: Limits, slow: Option<Slow>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let gateway = Arc::new(Gateway {
            view: ArcSwap::default(),
            changed: watch::Sender::new(0),
            draining: watch::Sender::new(false),
            live: Live::default(),
            roster: Roster::default(),
            guard: Guard::new(1_000),
            buffers: Buffers::new(limits.buffers),
            room: Arc::new(Semaphore::new(100)),
            brokers: Brokers::default(),
            pepper: Pepper::new(&[1; 32]),
            shared: Shared {
                front: Arc::new(Front {
                    host: StrBytes::from_static_str("127.0.0.1"),
                    port_base: 1,
                    named: None,
                    places: Arc::default(),
                }),
                meter: Arc::new(Meter::open(folder.path(), "gateway", 1).unwrap()),
                members: Arc::new(Members::default()),
                quotas: Arc::new(Quotas::default()),
                contracts: Arc::default(),
                kept: Arc::default(),
            },
            wishes: Arc::new(Wishes::new("gateway", 1)),
            slow,
            limits,
        });
        let asked_bytes = Arc::<Mutex<Vec<i32>>>::default();
        let given = Arc::<Mutex<Option<Vec<u8>>>>::default();
        let broker = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let broker_port = broker.local_addr().unwrap().port();
        let (asked, give) = (Arc::clone(&asked_bytes), Arc::clone(&given));
        tokio::spawn(async move {
            while let Ok((stream, _address)) = broker.accept().await {
                tokio::spawn(serve_broker(stream, Arc::clone(&asked), Arc::clone(&give)));
            }
        });
        let door = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = door.local_addr().unwrap().port();
        let serving = Arc::clone(&gateway);
        tokio::spawn(async move {
            while let Ok((stream, address)) = door.accept().await {
                let serving = Arc::clone(&serving);
                tokio::spawn(async move {
                    let waiting = serving.guard.admit(address.ip()).unwrap();
                    let arrival = Arrival {
                        address: address.ip(),
                        node: None,
                        named: None,
                        presented: None,
                    };
                    serving.serve(stream, waiting, arrival).await;
                });
            }
        });
        let world = Self {
            gateway,
            port,
            asked_bytes,
            given,
            broker_port,
            _folder: folder,
        };
        world.install(1, quotas);
        world
    }

    pub(super) fn install(&self, version: u64, quotas: Vec<Quota>) {
        self.install_changed(version, |it| it.quotas = quotas);
    }

    pub(in crate::gateway) fn install_changed(&self, version: u64, change: impl FnOnce(&mut Snapshot)) {
        let mut snapshot = sample::snapshot();
        snapshot.version = version;
        snapshot.upstreams[0].brokers[0].port = u32::from(self.broker_port);
        change(&mut snapshot);
        let view = View::build_after(&snapshot, &self.gateway.view.load());
        let _before = self.gateway.install(view);
    }

    /// How many fetches reached the broker.
    pub(super) fn asked(&self) -> usize {
        self.asked_bytes.lock().unwrap().len()
    }

    /// A further door, whose clients all name this cluster.
    pub(super) async fn named(&self, suffix: &str) -> u16 {
        let door = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = door.local_addr().unwrap().port();
        let serving = Arc::clone(&self.gateway);
        let named = Named {
            cluster: format!("cluster_{suffix}"),
            node: None,
            front: StrBytes::from_string(format!("{suffix}.test")),
        };
        tokio::spawn(async move {
            while let Ok((stream, address)) = door.accept().await {
                let (serving, named) = (Arc::clone(&serving), named.clone());
                tokio::spawn(async move {
                    let waiting = serving.guard.admit(address.ip()).unwrap();
                    let arrival = Arrival {
                        address: address.ip(),
                        node: None,
                        named: Some(named),
                        presented: None,
                    };
                    serving.serve(stream, waiting, arrival).await;
                });
            }
        });
        port
    }

    pub(super) async fn client(&self) -> Result<Connection, CallError> {
        let mut client = Connection::connect("127.0.0.1", self.port).await?;
        client.login_plain("key_writer", "key_writer").await?;
        Ok(client)
    }
}

/// Acknowledges what is produced, and gives ten kibibytes to every fetch; as late as it is let.
async fn serve_broker(
    mut stream: TcpStream,
    asked_bytes: Arc<Mutex<Vec<i32>>>,
    given: Arc<Mutex<Option<Vec<u8>>>>,
) {
    while let Ok(length) = stream.read_u32().await {
        let mut frame = vec![0; length as usize];
        stream.read_exact(&mut frame).await.unwrap();
        let (header, body) = split_request(frame.into()).unwrap();
        let (version, id) = (header.version, header.correlation_id);
        let answer = match header.api_key {
            0 => {
                let read: ProduceRequest = decode_request(version, body, Budget::CLIENT).unwrap();
                late(read.timeout_ms).await;
                frame_response::<ProduceRequest>(version, id, &ProduceResponse::default())
            }
            1 => {
                let asked: FetchRequest = decode_request(version, body, Budget::CLIENT).unwrap();
                asked_bytes.lock().unwrap().push(asked.max_bytes);
                late(asked.max_wait_ms).await;
                let given = given.lock().unwrap().clone();
                let records = given.unwrap_or_else(|| batch(1, None, 10 * KIB as usize));
                let partition = PartitionData::default()
                    .with_aborted_transactions(None)
                    .with_records(Some(records.into()));
                let topic = FetchableTopicResponse::default()
                    .with_topic(asked.topics[0].topic.clone())
                    .with_partitions(vec![partition]);
                frame_response::<FetchRequest>(
                    version,
                    id,
                    &FetchResponse::default().with_responses(vec![topic]),
                )
            }
            _versions => versions(version, id),
        };
        stream.write_all(&answer.unwrap()).await.unwrap();
    }
}

async fn late(ms: i32) {
    tokio::time::sleep(Duration::from_millis(u64::try_from(ms).unwrap_or(0))).await;
}

/// What the broker offers.
pub(super) fn versions(version: i16, id: i32) -> Result<Bytes, MessageError> {
    let range = |key, greatest| ApiVersion::default().with_api_key(key).with_max_version(greatest);
    let keys = vec![range(0, PRODUCE), range(1, FETCH), range(18, 3)];
    let response = ApiVersionsResponse::default().with_api_keys(keys);
    frame_response::<ApiVersionsRequest>(version, id, &response)
}

fn quota(mode: QuotaMode, limits: QuotaLimits) -> Quota {
    Quota {
        id: "quota_1".to_owned(),
        cluster_id: format!("cluster_{}", sample::A),
        subject: QuotaSubject::Principals.into(),
        principal_ids: vec!["writer".to_owned()],
        mode: mode.into(),
        limits: Some(limits),
        ..Quota::default()
    }
}

fn ingress(kib: u64) -> QuotaLimits {
    QuotaLimits {
        ingress_bytes_per_second: kib * KIB,
        ..QuotaLimits::default()
    }
}

pub(in crate::gateway) fn produce() -> ProduceRequest {
    produce_of(10 * KIB as usize)
}

/// One batch of so many bytes.
pub(in crate::gateway) fn produce_of(bytes: usize) -> ProduceRequest {
    let partition = PartitionProduceData::default()
        .with_index(0)
        .with_records(Some(batch(1, None, bytes).into()));
    let topic = TopicProduceData::default()
        .with_name(StrBytes::from_static_str("orders").into())
        .with_partition_data(vec![partition]);
    ProduceRequest::default()
        .with_acks(-1)
        .with_topic_data(vec![topic])
}

#[tokio::test]
async fn who_produces_more_than_allowed_is_told_and_not_read() {
    let world = World::begin(vec![quota(QuotaMode::Enforce, ingress(20))]).await;
    let mut client = world.client().await.unwrap();
    let begun = Instant::now();
    let first = client.call(&produce(), PRODUCE).await.unwrap();
    // Half a second's worth, of which a tenth of a second was saved up; some of it passed before the answer.
    assert!(
        (1..=410).contains(&first.throttle_time_ms),
        "{}",
        first.throttle_time_ms
    );
    let second = client.call(&produce(), PRODUCE).await.unwrap();
    assert!(
        begun.elapsed().as_millis() >= 400,
        "it was read after {:?}",
        begun.elapsed()
    );
    assert!(
        (1..=510).contains(&second.throttle_time_ms),
        "{}",
        second.throttle_time_ms
    );
    let report = world.gateway.shared.quotas.report().unwrap();
    let used = &report.uses[0];
    assert_eq!(
        (used.principal_id.as_str(), used.requests, used.connections),
        ("writer", 2, 1)
    );
    assert!(
        (2 * 10 * KIB..2 * 11 * KIB).contains(&used.ingress_bytes),
        "{used:?}"
    );
    assert!((700..=920).contains(&used.throttled_ms), "{used:?}");

    // A new limit takes hold on the same connection.
    world.install(2, vec![quota(QuotaMode::Enforce, ingress(100_000))]);
    client.call(&produce(), PRODUCE).await.unwrap();
    let quick = client.call(&produce(), PRODUCE).await.unwrap();
    assert_eq!(quick.throttle_time_ms, 0);
}

#[tokio::test]
async fn in_shadow_nobody_waits_and_the_wait_is_counted() {
    let world = World::begin(vec![quota(QuotaMode::Shadow, ingress(1))]).await;
    let mut client = world.client().await.unwrap();
    for _request in 0..3 {
        let answer = client.call(&produce(), PRODUCE).await.unwrap();
        assert_eq!(answer.throttle_time_ms, 0);
    }
    let report = world.gateway.shared.quotas.report().unwrap();
    assert_eq!(report.uses[0].throttled_ms, 0);
    assert!(report.uses[0].would_throttle_ms > 25_000, "{report:?}");
}

#[tokio::test]
async fn a_fetch_is_cut_to_what_is_allowed_and_told_what_it_took() {
    let limits = QuotaLimits {
        egress_bytes_per_second: 20 * KIB,
        ..QuotaLimits::default()
    };
    let world = World::begin(vec![quota(QuotaMode::Enforce, limits)]).await;
    let mut client = world.client().await.unwrap();
    let partition = FetchPartition::default().with_partition_max_bytes(1 << 20);
    let topic = FetchTopic::default()
        .with_topic(StrBytes::from_static_str("orders").into())
        .with_partitions(vec![partition]);
    let fetch = FetchRequest::default()
        .with_max_bytes(1 << 20)
        .with_topics(vec![topic]);
    let answer = client.call(&fetch, FETCH).await.unwrap();
    assert_eq!(*world.asked_bytes.lock().unwrap(), [16 * KIB as i32]);
    assert!(
        (200..=420).contains(&answer.throttle_time_ms),
        "{}",
        answer.throttle_time_ms
    );
    assert_eq!(answer.responses[0].topic.as_str(), "orders");
}

#[tokio::test]
async fn one_connection_too_many_is_closed_after_its_login() {
    let limits = QuotaLimits {
        connections: 1,
        ..QuotaLimits::default()
    };
    let world = World::begin(vec![quota(QuotaMode::Enforce, limits)]).await;
    let mut first = world.client().await.unwrap();
    first.call(&produce(), PRODUCE).await.unwrap();
    let mut second = world.client().await.unwrap();
    assert!(second.call(&produce(), PRODUCE).await.is_err(), "closed");
    first.call(&produce(), PRODUCE).await.unwrap();
    let report = world.gateway.shared.quotas.report().unwrap();
    assert_eq!(report.uses[0].connections_refused, 1);
}
