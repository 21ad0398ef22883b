//! A small world for the fuzzer: two tenants of one pool, keys whose secrets are known here.

use std::collections::HashMap;
use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

use arc_swap::ArcSwap;
use kafka_protocol::messages::ApiVersionsResponse;
use kafka_protocol::messages::api_versions_response::ApiVersion;
use kafka_protocol::protocol::StrBytes;
use tokio::runtime::Runtime;
use tokio::sync::{Semaphore, watch};
use weir_credentials::{Mechanism, SCRAM_ITERATIONS, ScramVerifier};
use weir_proto::agent::v1::{AccessRole, ApiKey, Grant, Mount, Scram};
use weir_proto::lane::v1::{Broker, LogicalCluster, LogicalTopic, Snapshot, Upstream};

use crate::gateway::conn::{Brokers, Buffers, Gateway, Guard, Limits, Live, Roster};
use crate::gateway::contract::records::HEADER;
use crate::gateway::contract::samples::{self as batches, Sample as Record};
use crate::gateway::contract::unpack::Codec;
use crate::gateway::meter::Meter;
use crate::gateway::rewrite::{Front, Members, Shared, Tenant};
use crate::gateway::sasl::Pepper;
use crate::gateway::table::{BrokerVersions, TABLE};
use crate::gateway::view::{View, token_sample};
use crate::gateway::wishes::Wishes;

const CLUSTERS: [&str; 2] = ["01jabcdefghjkmnpqrstvwxyz0", "01jabcdefghjkmnpqrstvwxyz1"];
/// (key, cluster, role on everything).
const KEYS: [(&str, usize, AccessRole); 3] = [
    ("writer", 0, AccessRole::Developer),
    ("reader", 0, AccessRole::Reader),
    ("other", 1, AccessRole::Developer),
];

/// The secret of a key.
pub fn secret(key: &str) -> String {
    format!("secret-of-{key}")
}

/// A token of a key; the same within a process.
pub fn token(key: &str) -> String {
    static TOKENS: LazyLock<HashMap<&str, String>> = LazyLock::new(|| {
        let all = KEYS.iter().map(|(id, at, _role)| {
            let cluster = format!("cluster_{}", CLUSTERS[*at]);
            let claims = token_sample::claims(id, id, &cluster, i64::MAX);
            (*id, token_sample::sign(&claims))
        });
        all.collect()
    });
    TOKENS.get(key).cloned().unwrap_or_default()
}

/// Everything that a target may need.
pub struct Sample {
    pub view: Arc<View>,
    pub gateway: Gateway,
    tenants: Vec<Tenant>,
    runtime: Runtime,
}

impl Sample {
    #[expect(clippy::expect_used, reason = "without it there is nothing to fuzz")]
    pub fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("weir-fuzz-{}-{number}", std::process::id()));
        let meter = Meter::open(&folder, "gateway", 1).expect("open a meter");
        // The open files go with the process.
        std::fs::remove_dir_all(&folder).expect("remove the meter's folder");
        let shared = Shared {
            front: Arc::new(Front {
                host: StrBytes::from_static_str("gateway.test"),
                port_base: 9650,
                named: None,
                places: Arc::default(),
            }),
            meter: Arc::new(meter),
            members: Arc::new(Members::default()),
            quotas: Arc::default(),
            contracts: Arc::default(),
            kept: Arc::default(),
        };
        let view = Arc::new(View::build(&snapshot()));
        let tenant = |(key, ..): (&str, usize, AccessRole)| {
            Tenant::new(&view, &view.keys[key], &shared).expect("a key of the sample")
        };
        Self {
            tenants: KEYS.map(tenant).into(),
            gateway: gateway(&view, shared),
            view,
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime"),
        }
    }

    pub fn tenant(&self, number: usize) -> &Tenant {
        &self.tenants[number % self.tenants.len()]
    }

    pub fn wait<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }
}

fn gateway(view: &Arc<View>, shared: Shared) -> Gateway {
    let brokers = Brokers::default();
    let versions = TABLE.map(|(key, least, greatest)| {
        ApiVersion::default()
            .with_api_key(key as i16)
            .with_min_version(least)
            .with_max_version(greatest)
    });
    let answer = ApiVersionsResponse::default().with_api_keys(versions.into());
    brokers.hold("pool", Arc::new(BrokerVersions::new(answer)));
    Gateway {
        view: ArcSwap::new(Arc::clone(view)),
        changed: watch::Sender::new(0),
        draining: watch::Sender::new(false),
        live: Live::default(),
        roster: Roster::default(),
        guard: Guard::new(1_000),
        buffers: Buffers::new(Limits::default().buffers),
        room: Arc::new(Semaphore::new(1)),
        brokers,
        pepper: Pepper::new(&[7; 32]),
        shared,
        wishes: Arc::new(Wishes::new("gateway", 1)),
        slow: None,
        limits: Limits::default(),
    }
}

fn topic(cluster: usize, number: u8, name: &str) -> LogicalTopic {
    LogicalTopic {
        id: format!("topic_01jabcdefghjkmnpqrstvwx{cluster}{number:02}"),
        name: name.to_owned(),
        physical_name: format!("w{}-{name}", CLUSTERS[cluster]),
        physical_id: vec![16 * (cluster as u8 + 1) + number; 16],
        partitions: 2,
        contract: None,
        mount: None,
        mount_key: Vec::new(),
        key_ring: None,
        mirror: false,
    }
}

/// The second cluster is shown what the first one has.
fn shown(at: usize) -> Option<LogicalTopic> {
    let original = topic(0, 2, "b");
    (at == 1).then(|| LogicalTopic {
        id: "topic_01jabcdefghjkmnpqrstvwx104".to_owned(),
        name: "c".to_owned(),
        mount: Some(Mount {
            share_id: "share".to_owned(),
            topic_id: original.id.clone(),
            view_steps_json: r#"[{"mask":{"fields":["a"],"how":"REDACT"}}]"#.to_owned(),
            fetch_bytes_per_second: 1_000_000,
            ..Mount::default()
        }),
        ..original
    })
}

fn snapshot() -> Snapshot {
    let cluster = |at: usize| LogicalCluster {
        id: format!("cluster_{}", CLUSTERS[at]),
        kafka_cluster_id: "AAAAAAAAAAAAAAAAAAAAAA".to_owned(),
        broker_pool_id: "pool".to_owned(),
        physical_prefix: format!("w{}-", CLUSTERS[at]),
        own_names: false,
        // Names as short as those of generated messages, so that some are found.
        topics: ["a", "b", "orders"]
            .into_iter()
            .zip(1..)
            .map(|(name, n)| topic(at, n, name))
            .chain(shown(at))
            .collect(),
    };
    let of_cluster = |at: usize| format!("cluster_{}", CLUSTERS[at]);
    Snapshot {
        version: 1,
        upstreams: vec![Upstream {
            broker_pool_id: "pool".to_owned(),
            brokers: vec![Broker {
                node_id: 1,
                host: "127.0.0.1".to_owned(),
                port: 9,
                place: 0,
            }],
            ..Upstream::default()
        }],
        clusters: vec![cluster(0), cluster(1)],
        api_keys: KEYS
            .iter()
            .map(|(id, at, _role)| key(id, &of_cluster(*at)))
            .collect(),
        grants: KEYS
            .iter()
            .map(|(id, at, role)| Grant {
                principal_id: (*id).to_owned(),
                cluster_id: of_cluster(*at),
                pattern: "*".to_owned(),
                role: (*role).into(),
            })
            .collect(),
        quotas: Vec::new(),
        token_issuers: vec![token_sample::issuer()],
        bans: Vec::new(),
        job_keys: Vec::new(),
        schemas: Vec::new(),
    }
}

fn key(id: &str, cluster: &str) -> ApiKey {
    let scram = |mechanism| {
        let it = ScramVerifier::with_salt(mechanism, &secret(id), vec![7; 16], SCRAM_ITERATIONS);
        Some(Scram {
            salt: it.salt,
            iterations: it.iterations.get(),
            stored_key: it.stored_key,
            server_key: it.server_key,
        })
    };
    ApiKey {
        id: id.to_owned(),
        principal_id: id.to_owned(),
        cluster_id: cluster.to_owned(),
        sha256: weir_credentials::sha256(secret(id).as_bytes()).to_vec(),
        scram_sha_256: scram(Mechanism::Sha256),
        scram_sha_512: scram(Mechanism::Sha512),
        ..ApiKey::default()
    }
}

/// What the table does not give: batches, tokens, a whole login.
pub fn seeds(target: &str) -> Vec<Vec<u8>> {
    let plain = "\0writer\0secret-of-writer";
    match target {
        "batch" => {
            let mut batch = vec![0; 61];
            batch[11] = 49;
            batch[16] = 2;
            batch[60] = 1;
            vec![batch.clone(), [&batch[..], &batch].concat()]
        }
        "contract_batch" => contract_batches(),
        "sasl" => vec![
            [&[0][..], plain.as_bytes()].concat(),
            b"\x01n,,n=reader,r=abc\nc=biws,r=abcdef,p=AAAA".to_vec(),
            b"\x02n,a=reader,n=reader,r=abc,\nc=biws,r=abcdef,p=AAAA".to_vec(),
            b"\x01y,,n=a=2Cb=3D,r=x".to_vec(),
            format!("\x03n,,\x01auth=Bearer {}\x01\x01", token("writer")).into_bytes(),
            format!(
                "\x03n,a=reader,\x01auth=Bearer {}\x01logicalCluster=x\x01\x01\n\x01",
                token("reader")
            )
            .into_bytes(),
        ],
        "login" => {
            let framed = |body: &[u8]| [&[0, 0, 0, body.len() as u8][..], body].concat();
            let handshake = framed(b"\x00\x11\x00\x01\x00\x00\x00\x01\xff\xff\x00\x05PLAIN");
            let token = [
                &[0, 36, 0, 1, 0, 0, 0, 2, 0xff, 0xff, 0, 0, 0, plain.len() as u8][..],
                plain.as_bytes(),
            ];
            vec![[handshake, framed(&token.concat())].concat()]
        }
        "proxy" => {
            let header = |command, family, rest: &[u8]| {
                let signature = b"\r\n\r\n\0\r\nQUIT\n";
                [
                    &signature[..],
                    &[command, family, 0, rest.len() as u8],
                    rest,
                    b"more",
                ]
                .concat()
            };
            vec![
                header(0x21, 0x11, &[9; 12]),
                header(0x21, 0x21, &[9; 40]),
                header(0x20, 0, &[]),
                b"PROXY TCP4 192.0.2.7 10.0.0.1 1 2\r\n".to_vec(),
            ]
        }
        _other => Vec::new(),
    }
}

/// A record of each format and some that are none, packed in every way.
fn contract_batches() -> Vec<Vec<u8>> {
    let framed = |number: u8, body: &[u8]| [&[0, 0, 0, 0, number], body].concat();
    let guid = [&[1][..], &[2; 16]].concat();
    let records = [
        Record::of(None, Some(&framed(1, &[84, 2, 2, b'k', 2, 2, b'v', 0]))),
        Record::of(Some(b"{}"), Some(&framed(2, br#"{"a":5,"l":[{"a":5000}]}"#))),
        Record::of(None, Some(&framed(3, &[0, 8, 5]))),
        Record::of(None, Some(&framed(3, &[4, 0, 0, 10, 1, b'x']))),
        Record::of(None, Some(br#"{"a":1001,"b":"x"}"#)).with(&[("__value_schema_id", Some(&guid))]),
        Record::of(Some(b"no frame"), None),
    ];
    let codecs = [Codec::None, Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd];
    let whole = codecs.iter().zip(0..).map(|(codec, number)| {
        let batch = batches::batch(*codec, &records);
        [&[number, records.len() as u8], &batch[HEADER..]].concat()
    });
    let single = records.iter().map(|record| {
        let batch = batches::batch(Codec::None, std::slice::from_ref(record));
        [&[0, 1], &batch[HEADER..]].concat()
    });
    whole.chain(single).collect()
}
