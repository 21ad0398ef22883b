//! The agent's end of the lane, by the agent's own code: publishes snapshots, takes windows, lends budgets.

use anyhow::{Context, Result};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use weir_agent::contract_counts::ContractCounts;
use weir_agent::intents::{Intents, Patience};
use weir_agent::lane::{self, Budgets, Gateways, LaneServer, Questions};
use weir_agent::local_tls::{Authority, LANE_AGENT, LANE_GATEWAY};
use weir_agent::metering::Store;
use weir_agent::storage::Storage;
use weir_credentials::sha256;
use weir_proto::agent::v1::{AccessRole, ApiKey, Grant, Quota};
use weir_proto::lane::v1::{Broker, LogicalCluster, LogicalTopic, Snapshot, Upstream};

const POOL: &str = "broker_pool_bench";
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// The secret of every API key here.
pub const SECRET: &str = "a secret of the benchmark";

/// A lane that gateways of this machine attach to.
pub struct Lane {
    runtime: tokio::runtime::Runtime,
    snapshots: watch::Sender<Arc<Snapshot>>,
    gateways: Arc<Gateways>,
    contracts: Arc<ContractCounts>,
    /// Tells gateways nothing, for as long as it lives.
    _storage: Arc<Storage>,
    stop: CancellationToken,
    /// Where it listens.
    pub address: SocketAddr,
    /// What a gateway shows.
    pub gateway_identity: PathBuf,
}

impl Lane {
    /// Serves the lane; state lies in `folder`.
    pub fn open(folder: &Path) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .context("start a runtime")?;
        let authority = Authority::open(&folder.join("authority"))?;
        let (agent, gateway) = (folder.join("agent"), folder.join("gateway"));
        authority.issue(&agent, Some(LANE_AGENT), &[])?;
        authority.keep(&gateway, LANE_GATEWAY)?;
        let (snapshots, snapshot) = watch::channel(Arc::default());
        let gateways = Arc::new(Gateways::new(Arc::default()));
        // Nobody administers here.
        let patience = Patience {
            unsent: Duration::from_secs(1),
            slack: Duration::from_secs(1),
            room: 16,
            away: "there is no control plane here",
        };
        let storage = Arc::<Storage>::default();
        let contracts = Arc::<ContractCounts>::default();
        let server = LaneServer {
            gateways: Arc::clone(&gateways),
            usage: Arc::new(Store::open(&folder.join("usage"))?),
            snapshot,
            budgets: Arc::new(Budgets::open(&folder.join("budgets"))?),
            uses: Arc::default(),
            contracts: Arc::clone(&contracts),
            intents: Arc::new(Intents::new(patience)),
            storage: storage.watch(),
            questions: Arc::<Questions>::default(),
        };
        let stop = CancellationToken::new();
        let address = runtime.block_on(async {
            let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
            let address = listener.local_addr()?;
            lane::serve(server, listener, &agent, stop.clone())?;
            anyhow::Ok(address)
        })?;
        Ok(Self {
            runtime,
            snapshots,
            gateways,
            contracts,
            _storage: storage,
            stop,
            address,
            gateway_identity: gateway,
        })
    }

    /// Publishes a snapshot under the next version.
    pub fn publish(&self, mut snapshot: Snapshot) -> u64 {
        let version = self.snapshots.borrow().version + 1;
        snapshot.version = version;
        self.snapshots.send_replace(Arc::new(snapshot));
        version
    }

    /// Publishes the same snapshot again under the next version.
    pub fn republish(&self) -> u64 {
        let same = (**self.snapshots.borrow()).clone();
        self.publish(same)
    }

    /// What gateways said that they judged since the last time: records, and those with a violation, by the topic's id.
    pub fn judged(&self) -> BTreeMap<String, (u64, u64)> {
        let report = self.contracts.take().unwrap_or_default();
        let topics = report.topics.into_iter();
        topics
            .map(|it| (it.topic_id, (it.records, it.violating)))
            .collect()
    }

    /// Waits until so many gateways obey a version.
    pub fn obeyed(&self, version: u64, by: u32, within: Duration) -> Result<()> {
        let deadline = Instant::now() + within;
        while self.gateways.served(Some(version)).acknowledged() < by {
            anyhow::ensure!(
                Instant::now() < deadline,
                "version {version} is not obeyed after {within:?}"
            );
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        self.stop.cancel();
        self.runtime
            .block_on(async { tokio::time::sleep(Duration::from_millis(20)).await });
    }
}

/// How a snapshot is made.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The broker behind.
    pub broker: SocketAddr,
    pub username: String,
    pub password: String,
    pub clusters: usize,
    /// Principals with a key each, per cluster.
    pub principals: usize,
    /// (physical name, the broker's id) by logical name, in the first cluster; others have topics of the null broker.
    pub topics: Vec<(String, String, Uuid)>,
    pub quotas: Vec<Quota>,
}

/// The user name of a principal of a cluster.
pub fn user(cluster: usize, principal: usize) -> String {
    format!("key-{cluster}-{principal}")
}

/// The id of a cluster.
pub fn cluster_id(cluster: usize) -> String {
    type_id("cluster", 1, cluster)
}

/// The id of a principal.
pub fn principal_id(cluster: usize, principal: usize) -> String {
    type_id("service_account", cluster, principal)
}

impl Plan {
    /// The snapshot; its version is the lane's to set.
    pub fn snapshot(&self) -> Snapshot {
        let mut snapshot = Snapshot {
            upstreams: vec![self.upstream()],
            quotas: self.quotas.clone(),
            ..Snapshot::default()
        };
        for cluster in 0..self.clusters {
            let topics = self.topics.iter().enumerate().map(|(at, (name, physical, id))| {
                let physical_name = match cluster {
                    0 => physical.clone(),
                    other => format!("{other}-{physical}"),
                };
                let id = match cluster {
                    0 => *id,
                    _other => crate::broker::topic_id(&physical_name),
                };
                LogicalTopic {
                    id: type_id("topic", cluster + 2, at),
                    name: name.clone(),
                    physical_name,
                    physical_id: id.as_bytes().to_vec(),
                    ..LogicalTopic::default()
                }
            });
            snapshot.clusters.push(LogicalCluster {
                id: cluster_id(cluster),
                kafka_cluster_id: format!("bench-{cluster}"),
                broker_pool_id: POOL.to_owned(),
                physical_prefix: format!("w{cluster}-"),
                topics: topics.collect(),
                ..LogicalCluster::default()
            });
            for principal in 0..self.principals {
                snapshot.api_keys.push(ApiKey {
                    id: user(cluster, principal),
                    principal_id: principal_id(cluster, principal),
                    cluster_id: cluster_id(cluster),
                    sha256: sha256(SECRET.as_bytes()).to_vec(),
                    ..ApiKey::default()
                });
                snapshot.grants.push(Grant {
                    principal_id: principal_id(cluster, principal),
                    cluster_id: cluster_id(cluster),
                    pattern: "*".to_owned(),
                    role: AccessRole::Admin.into(),
                });
            }
        }
        snapshot
    }

    fn upstream(&self) -> Upstream {
        Upstream {
            broker_pool_id: POOL.to_owned(),
            brokers: vec![Broker {
                node_id: 1,
                host: self.broker.ip().to_string(),
                port: u32::from(self.broker.port()),
                ..Broker::default()
            }],
            sasl_username: self.username.clone(),
            sasl_password: self.password.clone(),
            ..Upstream::default()
        }
    }
}

/// A `TypeID` made of two numbers.
fn type_id(kind: &str, space: usize, number: usize) -> String {
    let mut value = ((space as u128) << 64) | number as u128;
    let mut digits = [b'0'; 26];
    for digit in digits.iter_mut().rev() {
        *digit = ALPHABET[(value & 31) as usize];
        value >>= 5;
    }
    format!("{kind}_{}", String::from_utf8_lossy(&digits))
}
