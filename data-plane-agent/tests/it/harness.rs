//! An agent on fakes, wishes, and what to wait for.

use std::io::Write as _;
use std::net::TcpListener;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use tempfile::TempDir;
use weir_agent::config::{AgentConfig, KafkaInstall, Ports, Token};
use weir_agent::platform::fake::{FakeKafka, FakeProcesses};
use weir_agent::platform::{Platform, fake};
use weir_agent::{Agent, lane};
use weir_proto::agent::v1::agent_frame::Frame;
use weir_proto::agent::v1::{
    AgentFrame, ApiKey, BrokerPool, Cluster, Config, DesiredState, Grant, ItemStatus, Phase, Topic,
};

use crate::control_plane::{ControlPlane, DATA_PLANE, TOKEN};

pub const LIMIT: Duration = Duration::from_secs(20);

/// Ports for one more agent: a block that no other test has. Tests run beside each other, each in a process.
pub fn ports() -> Ports {
    let begin = u16::try_from(std::process::id() % 120).unwrap();
    let blocks = (0..120).map(|step| 14_000 + (begin + step) % 120 * 60);
    let mut claimed = blocks.filter_map(|base| {
        // Whoever listens on its last port has the block, until the process ends.
        let claim = TcpListener::bind(("127.0.0.1", base + 59)).ok()?;
        let ports = Ports::above(base)?;
        let free = |port: u16| TcpListener::bind(("127.0.0.1", port)).is_ok();
        ports.all().into_iter().all(free).then(|| {
            std::mem::forget(claim);
            ports
        })
    });
    claimed.next().unwrap()
}

/// When this test's process ends, however it ends, so does every process that was started below `folder`: an agent, and what
/// belongs to it outlives it on purpose.
pub fn end_with_me(folder: &Path) {
    static WATCHED: Mutex<Vec<(PathBuf, Child)>> = Mutex::new(Vec::new());
    // The folder comes by a pipe that nobody writes to afterwards: no name of it is on a command line or in an environment.
    const WATCH: &str = r#"
        read -r folder; read -r never
        for signal in STOP KILL; do
            for process in /proc/[0-9]*; do
                case "$(tr '\0' '\n' <"$process/environ" 2>/dev/null)" in
                    *"WEIR_CHILD=$folder"*) kill -s $signal "${process#/proc/}" ;;
                esac
            done
        done"#;
    let mut watched = WATCHED.lock().unwrap();
    if watched.iter().any(|(it, _watch)| it == folder) {
        return;
    }
    let mut watch = Command::new("/bin/sh");
    watch.args(["-c", WATCH]).process_group(0).stdin(Stdio::piped());
    let mut watch = watch.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    writeln!(watch.stdin.as_mut().unwrap(), "{}", folder.display()).unwrap();
    watched.push((folder.to_owned(), watch));
}

/// A folder for one test; it stays where `WEIR_KEEP` is set, for those who look for the cause of a failure.
pub fn folder() -> TempDir {
    let mut folder = tempfile::tempdir().unwrap();
    if std::env::var_os("WEIR_KEEP").is_some() {
        eprintln!("kept: {}", folder.path().display());
        folder.disable_cleanup(true);
    }
    folder
}

pub struct Harness {
    pub state: TempDir,
    pub control_plane: ControlPlane,
    pub kafka: FakeKafka,
    pub processes: FakeProcesses,
    pub platform: Platform,
    pub ports: Ports,
    pub policy: Option<PathBuf>,
}

impl Harness {
    pub async fn new() -> Self {
        let state = tempfile::tempdir().unwrap();
        let libs = state.path().join("libs");
        std::fs::create_dir(&libs).unwrap();
        std::fs::write(libs.join("kafka-clients-4.3.1.jar"), b"").unwrap();
        let (platform, kafka, processes) = fake::platform();
        Self {
            control_plane: ControlPlane::start().await,
            kafka,
            processes,
            platform,
            ports: ports(),
            policy: None,
            state,
        }
    }

    pub fn state_dir(&self) -> PathBuf {
        self.state.path().join("agent")
    }

    pub fn config(&self) -> AgentConfig {
        config(
            &self.state_dir(),
            &self.control_plane,
            self.ports,
            self.state.path().join("libs"),
            self.policy.clone(),
        )
    }

    pub async fn agent(&self) -> Agent {
        Agent::start(self.config(), self.platform.clone()).await.unwrap()
    }

    pub async fn gateway(&self, id: &str, obedient: bool) -> lane::fake::FakeGateway {
        lane::fake::FakeGateway::attach(&self.state_dir(), self.ports.lane(), id, 1, obedient)
            .await
            .unwrap()
    }

    /// Writes the customer's policy, in force from the next turn.
    pub fn set_policy(&mut self, text: &str) {
        let path = self.state.path().join("policy.toml");
        std::fs::write(&path, text).unwrap();
        self.policy = Some(path);
    }

    /// Waits until the newest status of `id` satisfies `look`.
    pub async fn status(&self, id: &str, look: impl Fn(&ItemStatus) -> bool) -> ItemStatus {
        let what = format!("a status of {id}");
        let newest = |frames: &[AgentFrame]| newest(frames, id).filter(&look);
        self.control_plane.until(&what, LIMIT, newest).await
    }

    pub async fn phase(&self, id: &str, phase: Phase) -> ItemStatus {
        self.status(id, |status| status.phase() == phase).await
    }
}

pub fn config(
    state_dir: &Path,
    control_plane: &ControlPlane,
    ports: Ports,
    libs: PathBuf,
    policy: Option<PathBuf>,
) -> AgentConfig {
    AgentConfig {
        state_dir: state_dir.to_owned(),
        control_plane: control_plane.address.to_string(),
        ca_sha256: control_plane.ca_sha256,
        token: Some(Token::new(TOKEN)),
        kafka: KafkaInstall {
            libs,
            java: "java".into(),
        },
        listen_host: "127.0.0.1".to_owned(),
        advertised_host: "127.0.0.1".to_owned(),
        ports,
        usage_window: Duration::from_secs(60),
        policy,
        gateway_program: None,
        gateway_listener: weir_agent::config::GatewayListener::default(),
        flink: None,
    }
}

/// The newest status of `id` among `frames`.
pub fn newest(frames: &[AgentFrame], id: &str) -> Option<ItemStatus> {
    let items = frames.iter().rev().filter_map(|frame| match &frame.frame {
        Some(Frame::Status(report)) => report.items.iter().find(|item| item.id == id).cloned(),
        _other => None,
    });
    items.into_iter().next()
}

pub const POOL: &str = "pool_01p";
pub const CLUSTER: &str = "cluster_01c";
pub const KEY: &str = "key_01k";

pub fn topic(id: &str, name: &str, partitions: u32) -> Topic {
    Topic {
        id: id.to_owned(),
        cluster_id: CLUSTER.to_owned(),
        name: name.to_owned(),
        physical_name: format!("w01c-{name}"),
        partitions,
        replication_factor: 1,
        configs: vec![Config {
            name: "retention.ms".to_owned(),
            value: "3600000".to_owned(),
        }],
        deleted: false,
        adopted: false,
        contract: None,
        mount: None,
        mirror_link_id: String::new(),
    }
}

/// A pool of one broker, a cluster, a key, and these topics.
pub fn wish(topics: Vec<Topic>) -> DesiredState {
    DesiredState {
        quotas: Vec::new(),
        token_issuers: Vec::new(),
        lag_watches: Vec::new(),
        schemas: Vec::new(),
        compute_pools: Vec::new(),
        jobs: Vec::new(),
        cluster_links: Vec::new(),
        data_plane_id: DATA_PLANE.to_owned(),
        broker_pools: vec![BrokerPool {
            id: POOL.to_owned(),
            name: "main".to_owned(),
            brokers: 1,
            ..Default::default()
        }],
        clusters: vec![Cluster {
            id: CLUSTER.to_owned(),
            name: "cards".to_owned(),
            broker_pool_id: POOL.to_owned(),
            kafka_cluster_id: "AAAAAAAAAAAAAAAAAAAAAA".to_owned(),
            ..Default::default()
        }],
        topics,
        api_keys: vec![ApiKey {
            id: KEY.to_owned(),
            principal_id: "service_account_01s".to_owned(),
            cluster_id: CLUSTER.to_owned(),
            sha256: vec![7; 32],
            ..Default::default()
        }],
        grants: vec![Grant {
            principal_id: "service_account_01s".to_owned(),
            cluster_id: CLUSTER.to_owned(),
            pattern: "*".to_owned(),
            role: 2,
        }],
    }
}
