//! Two networks on one machine: a source whose topic is shown through a filter and a mask, and a target that copies it. What is wished of
//! them, and how they are looked at.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::client::ClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::Message as _;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use rustls::pki_types::ServerName;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use weir_agent::config::Ports;
use weir_agent::local_tls::Identity;
use weir_proto::agent::v1::agent_frame::Frame;
use weir_proto::agent::v1::{
    AgentFrame, ApiKey, Cluster, ClusterLink, ClusterLinkEnd, ClusterLinkSource, ClusterLinkState,
    ClusterLinkStatus, ClusterLinkTarget, DesiredState, Grant, Hello, LinkedTopic, Mount, MountKeys, Phase,
    Reason, Topic,
};

use crate::control_plane::ControlPlane;
use crate::harness::{CLUSTER, ports, topic, wish};
use crate::real_jobs::LONG;
use crate::real_kafka::{Running, pid_of, run_more};

pub const DOMAIN: &str = "kafka.test";
pub const LINK: &str = "cluster_link_01h2xcejqtf2nbrexx3vqjhp70";
pub const PAYMENTS: &str = "topic_01h2xcejqtf2nbrexx3vqjhp71";
pub const SHOWN: &str = "topic_01h2xcejqtf2nbrexx3vqjhp72";
pub const COPY: &str = "topic_01h2xcejqtf2nbrexx3vqjhp73";
const READ: &str = "cluster_01h2xcejqtf2nbrexx3vqjhp74";
const WRITTEN: &str = "cluster_01h2xcejqtf2nbrexx3vqjhp75";
pub const NORTH: &str = "data_plane_01north";
pub const SOUTH: &str = "data_plane_01south";
const SECRET: &str = "a-secret-of-the-test";
pub const PARTITIONS: i32 = 3;
/// In every value before the mask.
pub const CANARY: &str = "canary-41c9";

/// Offset, key, value, time.
pub type Seen = (i64, String, String, Option<i64>);

/// One network: an agent with its Kafka and its gateway.
pub struct Side {
    pub state: PathBuf,
    pub plane: ControlPlane,
    pub ports: Ports,
    pub policy: PathBuf,
    pub agent: Option<Running>,
    libs: PathBuf,
    more: &'static [&'static str],
    generation: u64,
}

impl Side {
    pub async fn begin(folder: &Path, name: &str, more: &'static [&'static str]) -> Self {
        let policy = folder.join(format!("{name}.toml"));
        std::fs::write(&policy, "").unwrap();
        let mut side = Self {
            state: folder.join(name),
            plane: ControlPlane::start().await,
            ports: ports(),
            policy,
            agent: None,
            libs: PathBuf::from(std::env::var_os("WEIR_KAFKA_LIBS").unwrap()),
            more,
            generation: 0,
        };
        side.run();
        side
    }

    pub fn run(&mut self) {
        let (port, policy) = (self.ports.gateway(), Some(self.policy.as_path()));
        self.agent = Some(run_more(
            &self.state,
            &self.plane,
            &self.libs,
            port,
            policy,
            self.more,
        ));
    }

    pub async fn hello(&self) -> Hello {
        let hello = |frames: &[AgentFrame]| {
            frames.iter().find_map(|it| match &it.frame {
                Some(Frame::Hello(hello)) => Some(hello.clone()),
                _other => None,
            })
        };
        self.plane.until("hello", LONG, hello).await
    }

    pub async fn wish(&mut self, state: &DesiredState) {
        self.generation += 1;
        self.plane.wish(self.plane.seal(1, self.generation, state)).await;
    }

    pub fn pin(&self, text: &str) {
        std::fs::write(&self.policy, format!("[[cluster_links]]\n{text}\n")).unwrap();
    }

    /// Kills a child of the agent, if it runs just then.
    pub fn kill(&self, child: &str) {
        if self.state.join(format!("run/{child}.pid")).exists() {
            let pid = pid_of(&self.state, child).to_string();
            let _gone = std::process::Command::new("kill").args(["-9", &pid]).status();
        }
    }

    pub async fn kill_agent(&mut self) {
        let agent = self.agent.take().unwrap();
        let _killed = std::process::Command::new("kill")
            .args(["-9", &agent.pid().to_string()])
            .status();
        tokio::task::spawn_blocking(move || agent.wait()).await.unwrap();
        self.run();
    }

    /// Waits until the newest report of the link's end here says so.
    pub async fn link(&self, phase: Phase, reason: Reason) -> ClusterLinkStatus {
        let said = |frames: &[AgentFrame]| {
            newest_link(frames).filter(|it| {
                it.phase() == phase
                    && it.reason() == reason
                    && it.observed.is_some_and(|it| it.n >= self.generation)
            })
        };
        let what = format!("the link is {phase:?} {reason:?}");
        self.plane.until(&what, LONG, said).await
    }
}

pub fn newest_link(frames: &[AgentFrame]) -> Option<ClusterLinkStatus> {
    frames.iter().rev().find_map(|it| match &it.frame {
        Some(Frame::ClusterLinks(report)) => report.links.last().cloned(),
        _other => None,
    })
}

fn user(id: &str, cluster: &str, principal: &str) -> ApiKey {
    ApiKey {
        id: id.to_owned(),
        principal_id: principal.to_owned(),
        cluster_id: cluster.to_owned(),
        sha256: weir_credentials::sha256(SECRET.as_bytes()).to_vec(),
        ..ApiKey::default()
    }
}

fn grant(cluster: &str, principal: &str, role: i32) -> Grant {
    Grant {
        principal_id: principal.to_owned(),
        cluster_id: cluster.to_owned(),
        pattern: "*".to_owned(),
        role,
    }
}

fn plain(id: &str, name: &str) -> Topic {
    Topic {
        configs: Vec::new(),
        ..topic(id, name, PARTITIONS.cast_unsigned())
    }
}

/// The source: one tenant's payments, shown to another through a filter and a mask; that one's cluster is read by the link.
pub fn source(peer_key: &str) -> DesiredState {
    let view = json!([
        {"filter": {"where": "message.amount > 20"}},
        {"mask": {"fields": ["card"], "how": {"KEEP_LAST": {"n": 4}}}},
    ]);
    let mut state = wish(vec![plain(PAYMENTS, "payments")]);
    state.topics.push(Topic {
        cluster_id: READ.to_owned(),
        physical_name: String::new(),
        partitions: 0,
        replication_factor: 0,
        mount: Some(Mount {
            share_id: "share_01".to_owned(),
            topic_id: PAYMENTS.to_owned(),
            view_steps_json: view.to_string(),
            keys: MountKeys::Shown.into(),
            ..Mount::default()
        }),
        ..plain(SHOWN, "theirs")
    });
    state.clusters.push(Cluster {
        id: READ.to_owned(),
        kafka_cluster_id: "BAAAAAAAAAAAAAAAAAAAAA".to_owned(),
        ..state.clusters[0].clone()
    });
    state.api_keys.extend([
        user("key_01u", CLUSTER, "service_account_01s"),
        user("key_01r", READ, "service_account_01r"),
        ApiKey {
            id: "key_01l".to_owned(),
            principal_id: "service_account_01l".to_owned(),
            cluster_id: READ.to_owned(),
            public_key_sha256: weir_credentials::unhex32(peer_key).unwrap().to_vec(),
            cluster_link_id: LINK.to_owned(),
            ..ApiKey::default()
        },
    ]);
    state.grants.extend([
        grant(READ, "service_account_01r", 1),
        grant(READ, "service_account_01l", 1),
    ]);
    state.cluster_links.push(ClusterLink {
        id: LINK.to_owned(),
        name: "to-the-south".to_owned(),
        source: Some(ClusterLinkSource {
            cluster_id: READ.to_owned(),
            peer_data_plane_id: SOUTH.to_owned(),
            peer_key_sha256: peer_key.to_owned(),
        }),
        ..ClusterLink::default()
    });
    state
}

/// The target: a copy of what is shown.
pub fn target(port: u16, paused: bool) -> DesiredState {
    let mut state = wish(Vec::new());
    state.clusters[0].id = WRITTEN.to_owned();
    state.topics.push(Topic {
        cluster_id: WRITTEN.to_owned(),
        physical_name: "w01h2xcejqtf2nbrexx3vqjhp75-copy".to_owned(),
        mirror_link_id: LINK.to_owned(),
        ..plain(COPY, "copy")
    });
    state.api_keys = vec![user("key_01r", WRITTEN, "service_account_01r")];
    state.grants = vec![grant(WRITTEN, "service_account_01r", 3)];
    state.cluster_links.push(ClusterLink {
        id: LINK.to_owned(),
        name: "from-the-north".to_owned(),
        target: Some(ClusterLinkTarget {
            cluster_id: WRITTEN.to_owned(),
            source_cluster_id: READ.to_owned(),
            peer_data_plane_id: NORTH.to_owned(),
            bootstrap_host: format!("{}.{DOMAIN}", READ.strip_prefix("cluster_").unwrap()),
            bootstrap_port: u32::from(port),
            state: if paused {
                ClusterLinkState::Paused
            } else {
                ClusterLinkState::Running
            }
            .into(),
            topics: vec![LinkedTopic {
                topic_id: COPY.to_owned(),
                source_name: "theirs".to_owned(),
                start: 1,
            }],
        }),
        ..ClusterLink::default()
    });
    state
}

/// A client of the source, by its gateway's TLS.
pub fn at_source(side: &Side, username: &str) -> ClientConfig {
    let authority = side.state.join("authority").join("ca.pem");
    let mut config = at_target(side, username);
    config
        .set("security.protocol", "SASL_SSL")
        .set("ssl.ca.location", authority.display().to_string());
    config
}

pub fn at_target(side: &Side, username: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", format!("127.0.0.1:{}", side.ports.gateway()))
        .set("security.protocol", "SASL_PLAINTEXT")
        .set("sasl.mechanism", "PLAIN")
        .set("sasl.username", username)
        .set("sasl.password", SECRET)
        .set("group.id", "looks")
        .set("isolation.level", "read_committed");
    config
}

/// Everything that a reader is sent of a topic's partitions.
pub fn all(config: &ClientConfig, topic: &str) -> Vec<Vec<Seen>> {
    let consumer: BaseConsumer = config
        .clone()
        .set("enable.partition.eof", "true")
        .create()
        .unwrap();
    let mut place = TopicPartitionList::new();
    for partition in 0..PARTITIONS {
        place
            .add_partition_offset(topic, partition, Offset::Beginning)
            .unwrap();
    }
    consumer.assign(&place).unwrap();
    let mut seen = vec![Vec::new(); usize::try_from(PARTITIONS).unwrap()];
    let (mut ended, deadline) = (BTreeMap::new(), Instant::now() + LONG);
    while ended.len() < seen.len() {
        assert!(Instant::now() < deadline, "the end of {topic}");
        match consumer.poll(Duration::from_millis(200)) {
            Some(Ok(it)) => {
                let text = |bytes: Option<&[u8]>| String::from_utf8(bytes.unwrap().to_vec()).unwrap();
                let at = usize::try_from(it.partition()).unwrap();
                let time = it.timestamp().to_millis();
                seen[at].push((it.offset(), text(it.key()), text(it.payload()), time));
            }
            Some(Err(KafkaError::PartitionEOF(partition))) => drop(ended.insert(partition, ())),
            Some(Err(KafkaError::MessageConsumption(
                RDKafkaErrorCode::BrokerTransportFailure | RDKafkaErrorCode::AllBrokersDown,
            )))
            | None => {}
            Some(Err(error)) => panic!("{topic}: {error}"),
        }
    }
    seen
}

/// Payments, sent however long it takes. What a producer gave up is somebody else's to count.
pub fn send<C: ClientContext + rdkafka::producer::ProducerContext>(
    producer: &BaseProducer<C>,
    numbers: std::ops::Range<usize>,
) where
    C::DeliveryOpaque: Default,
{
    for number in numbers {
        let value = json!({"number": number, "amount": number * 37 % 200, "card": format!("{CANARY}-{number:08}"),
            "note": "a few more words, so that a record is about as long as records are"});
        let (key, value) = (format!("k{}", number % 997), value.to_string());
        loop {
            let record = BaseRecord::with_opaque_to("payments", C::DeliveryOpaque::default())
                .key(&key)
                .payload(&value);
            if producer.send(record).is_ok() {
                break;
            }
            producer.poll(Duration::from_millis(20));
        }
        if number % 50 == 0 {
            producer.poll(Duration::from_millis(2));
        }
    }
    let _late = producer.flush(LONG);
}

/// What the endpoint inside the target's network says of an offset.
pub async fn translated(side: &Side, partition: i32, offset: i64, token: bool) -> (u16, Value) {
    let identity = Identity::read(&side.state.join("inside")).unwrap();
    let mut config = identity.mutual_client().unwrap();
    config.alpn_protocols.clear();
    let socket = TcpStream::connect(("127.0.0.1", side.ports.inside()))
        .await
        .unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let connector = TlsConnector::from(Arc::new(config));
    let mut stream = connector.connect(name, socket).await.unwrap();
    let secret = std::fs::read_to_string(side.state.join("inside-token")).unwrap();
    let authorization = if token { secret.trim() } else { "none" };
    let request = format!(
        "GET /v1/link-offsets?link={LINK}&topic={COPY}&partition={partition}&offset={offset} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {authorization}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, serde_json::from_str(body).unwrap())
}

pub const SOURCE_END: ClusterLinkEnd = ClusterLinkEnd::Source;
