//! Native mode on real Kafka with a stock client: what a key may do directly, and what it may not; revoked in the middle.
//!
//! Wants Java and the folder of Kafka's jars in `WEIR_KAFKA_LIBS`.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use tokio::time::Instant;
use weir_agent::Platform;
use weir_agent::platform::kafka::PoolAddress;
use weir_agent::platform::native::{Acl, SeenNative};
use weir_agent::resources::broker_pool::Seat;
use weir_credentials::unhex32;
use weir_credentials::{NativeCredential, SealingPublicKey, Secret, SecretKind, native_binding};
use weir_proto::agent::v1::agent_frame::Frame as Up;
use weir_proto::agent::v1::{
    AccessRole, AgentFrame, ApiKey, BrokerPool, Cluster, ClusterAccess, DesiredState, Grant, Phase, Quota,
    QuotaLimits, QuotaMode, QuotaSubject, Topic,
};

use crate::control_plane::{ControlPlane, DATA_PLANE};
use crate::harness::{POOL, newest, ports};
use crate::real_kafka::run;

const LONG: Duration = Duration::from_secs(120);
const NATIVE: &str = "cluster_01h2xcejqtf2nbrexx3vqjhp41";
const OTHER: &str = "cluster_01h2xcejqtf2nbrexx3vqjhp42";
const WRITER: &str = "key_01h2xcejqtf2nbrexx3vqjhp51";
const READER: &str = "key_01h2xcejqtf2nbrexx3vqjhp52";

struct Key {
    id: &'static str,
    principal: &'static str,
    secret: Secret,
}

impl Key {
    fn new(id: &'static str, principal: &'static str) -> Self {
        Self {
            id,
            principal,
            secret: Secret::generate(SecretKind::ApiKey).unwrap(),
        }
    }

    fn sealed(&self, to: &SealingPublicKey) -> ApiKey {
        let credential = NativeCredential::derive(self.secret.reveal()).unwrap();
        let binding = native_binding(DATA_PLANE, NATIVE, self.principal, self.id);
        ApiKey {
            id: self.id.to_owned(),
            principal_id: self.principal.to_owned(),
            cluster_id: NATIVE.to_owned(),
            sealed: to.seal(&binding, &credential.to_bytes()).unwrap(),
            ..Default::default()
        }
    }
}

fn topic(id: &str, cluster: &str, name: &str, physical_name: &str) -> Topic {
    Topic {
        id: id.to_owned(),
        cluster_id: cluster.to_owned(),
        name: name.to_owned(),
        physical_name: physical_name.to_owned(),
        partitions: 1,
        replication_factor: 1,
        ..Default::default()
    }
}

fn state(keys: Vec<ApiKey>) -> DesiredState {
    let cluster = |id: &str, access: ClusterAccess| Cluster {
        id: id.to_owned(),
        name: id.to_owned(),
        broker_pool_id: POOL.to_owned(),
        kafka_cluster_id: "AAAAAAAAAAAAAAAAAAAAAA".to_owned(),
        access: access.into(),
        ..Default::default()
    };
    let grant = |principal: &str, pattern: &str, role: AccessRole| Grant {
        principal_id: principal.to_owned(),
        cluster_id: NATIVE.to_owned(),
        pattern: pattern.to_owned(),
        role: role.into(),
    };
    DesiredState {
        data_plane_id: DATA_PLANE.to_owned(),
        broker_pools: vec![BrokerPool {
            id: POOL.to_owned(),
            name: "main".to_owned(),
            brokers: 1,
            ..Default::default()
        }],
        clusters: vec![
            cluster(NATIVE, ClusterAccess::Native),
            cluster(OTHER, ClusterAccess::Gateway),
        ],
        topics: vec![
            topic("topic_01a", NATIVE, "orders", "orders"),
            topic(
                "topic_01b",
                OTHER,
                "payments",
                "w01h2xcejqtf2nbrexx3vqjhp42-payments",
            ),
        ],
        api_keys: keys,
        grants: vec![
            grant("sa_1", "*", AccessRole::Developer),
            grant("sa_2", "orders", AccessRole::Reader),
        ],
        quotas: vec![Quota {
            id: "quota_01q".to_owned(),
            cluster_id: NATIVE.to_owned(),
            subject: QuotaSubject::Default.into(),
            mode: QuotaMode::Enforce.into(),
            limits: Some(QuotaLimits {
                ingress_bytes_per_second: 1 << 20,
                ..Default::default()
            }),
            ..Default::default()
        }],
        ..Default::default()
    }
}

/// A command of Kafka's own tools, which log in as this key.
struct Tools {
    class_path: String,
    folder: PathBuf,
    bootstrap: String,
}

impl Tools {
    fn command(&self, key: &Key, mechanism: &str, tool: &str, config: &str) -> Command {
        let login = format!(
            "security.protocol=SASL_PLAINTEXT\nsasl.mechanism={mechanism}\nsasl.jaas.config=org.apache.kafka.common.security.scram.\
             ScramLoginModule required username=\"{}\" password=\"{}\";\nmax.block.ms=20000\ndelivery.timeout.ms=20000\n\
             request.timeout.ms=10000\nlinger.ms=0\n",
            key.id,
            key.secret.reveal()
        );
        let file = self.folder.join(format!("{}-{mechanism}.properties", key.id));
        std::fs::write(&file, login).unwrap();
        let mut command = Command::new("java");
        command
            .args(["-Xmx128m", "-XX:TieredStopAtLevel=1", "-cp", &self.class_path])
            .arg(format!("org.apache.kafka.tools.{tool}"))
            .args(["--bootstrap-server", &self.bootstrap, config])
            .arg(file)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    async fn produce(&self, key: &Key, topic: &str, records: &str) -> (bool, String) {
        let mut command = self.command(key, "SCRAM-SHA-512", "ConsoleProducer", "--command-config");
        command.args(["--sync", "--topic", topic]);
        talk(command, records).await
    }

    fn consumer(&self, key: &Key, mechanism: &str, topic: &str) -> Command {
        let mut command = self.command(key, mechanism, "consumer.ConsoleConsumer", "--command-config");
        command.args(["--topic", topic]);
        command
    }

    /// Reads one partition without a group.
    async fn consume(&self, key: &Key, topic: &str, records: u32) -> (bool, String) {
        let mut command = self.consumer(key, "SCRAM-SHA-256", topic);
        command.args([
            "--partition",
            "0",
            "--offset",
            "earliest",
            "--timeout-ms",
            "20000",
        ]);
        command.args(["--max-messages", &records.to_string()]);
        talk(command, "").await
    }
}

/// Runs it with this on its input; says whether it went well, and all that it wrote.
async fn talk(mut command: Command, input: &str) -> (bool, String) {
    let input = input.to_owned();
    let ended = tokio::task::spawn_blocking(move || {
        use std::io::Write as _;
        let mut child = command.spawn().unwrap();
        let _closed_early = child.stdin.take().unwrap().write_all(input.as_bytes());
        child.wait_with_output().unwrap()
    });
    let ended = ended.await.unwrap();
    let text = [ended.stdout, ended.stderr].concat();
    (
        ended.status.success(),
        String::from_utf8_lossy(&text).into_owned(),
    )
}

/// A consumer that stays.
struct Tail {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Tail {
    fn of(mut child: Child) -> Self {
        let lines = BufReader::new(child.stdout.take().unwrap());
        Self { child, lines }
    }

    /// Reads until this line.
    fn until(&mut self, wanted: &str) {
        let mut line = String::new();
        while line.trim_end() != wanted {
            line.clear();
            assert_ne!(
                self.lines.read_line(&mut line).unwrap(),
                0,
                "it ended before {wanted}"
            );
        }
    }

    /// What it heard since, up to its end.
    fn rest(mut self) -> String {
        let _ended_by_itself = self.child.kill();
        let mut heard = String::new();
        self.lines.read_to_string(&mut heard).unwrap();
        heard
    }
}

impl Drop for Tail {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// Ends what a killed agent leaves running, when the test ends early too.
struct Children(PathBuf);

impl Drop for Children {
    fn drop(&mut self) {
        let Ok(records) = std::fs::read_dir(self.0.join("run")) else {
            return;
        };
        for record in records.flatten() {
            let read = std::fs::read(record.path()).unwrap_or_default();
            let record: serde_json::Value = serde_json::from_slice(&read).unwrap_or_default();
            let pid = record["identity"]["pid"]
                .as_i64()
                .and_then(|it| i32::try_from(it).ok());
            if let Some(pid) = pid.and_then(rustix::process::Pid::from_raw) {
                let _gone = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
            }
        }
    }
}

async fn until_kafka(at: &PoolAddress, what: &str, look: impl Fn(&SeenNative) -> bool) -> SeenNative {
    let kafka = Platform::real().kafka;
    let deadline = Instant::now() + LONG;
    loop {
        let seen = kafka.native_of(at, 1, "key_").await.unwrap();
        if look(&seen) {
            return seen;
        }
        assert!(Instant::now() < deadline, "{what}: {seen:#?}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

async fn ready(plane: &ControlPlane, id: &str) {
    plane
        .until(&format!("{id} is READY"), LONG, |frames: &[AgentFrame]| {
            newest(frames, id).filter(|it| it.phase() == Phase::Ready)
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "wants Java and WEIR_KAFKA_LIBS"]
async fn a_stock_client_reaches_the_brokers_as_far_as_its_key_goes() {
    let libs = PathBuf::from(std::env::var_os("WEIR_KAFKA_LIBS").unwrap());
    let folder = crate::harness::folder();
    let folder_state = folder.path().join("agent");
    let ports = ports();
    let plane = ControlPlane::start().await;
    let _children = Children(folder_state.clone());
    let _running = run(&folder_state, &plane, &libs, ports.gateway());
    let sealing_key = plane
        .until("hello", LONG, |frames| {
            frames.iter().find_map(|it| match &it.frame {
                Some(Up::Hello(hello)) => Some(hello.sealing_public_key.clone()),
                _other => None,
            })
        })
        .await;
    let to = SealingPublicKey::read(&unhex32(&sealing_key).unwrap()).unwrap();
    let (writer, reader) = (Key::new(WRITER, "sa_1"), Key::new(READER, "sa_2"));
    let keys = vec![writer.sealed(&to), reader.sealed(&to)];
    plane.wish(plane.seal(1, 1, &state(keys.clone()))).await;
    for id in [NATIVE, "topic_01a", WRITER, READER, "quota_01q"] {
        ready(&plane, id).await;
    }
    ready(&plane, "topic_01b").await;

    let tools = Tools {
        class_path: format!("{}/*", libs.display()),
        folder: folder.path().to_owned(),
        bootstrap: format!("127.0.0.1:{}", ports.native(0, 1)),
    };

    // What roles let do, under both mechanisms, in a group too.
    let (fine, said) = tools.produce(&writer, "orders", "one\ntwo\nthree\n").await;
    assert!(fine, "{said}");
    let (fine, said) = tools.consume(&reader, "orders", 3).await;
    assert!(fine && said.starts_with("one\ntwo\nthree\n"), "{said}");
    let mut group = tools.consumer(&reader, "SCRAM-SHA-512", "orders");
    group.args([
        "--group",
        "orders",
        "--from-beginning",
        "--max-messages",
        "3",
        "--timeout-ms",
        "30000",
    ]);
    let (fine, said) = talk(group, "").await;
    assert!(
        fine && said.contains("three"),
        "a group of the granted name: {said}"
    );

    // What they do not, and what no role reaches.
    let (_ended, said) = tools.produce(&reader, "orders", "four\n").await;
    assert!(said.contains("AuthorizationException"), "{said}");
    for hidden in ["w01h2xcejqtf2nbrexx3vqjhp42-payments", "__consumer_offsets"] {
        let (_ended, said) = tools.produce(&writer, hidden, "x\n").await;
        assert!(said.contains("AuthorizationException"), "{hidden}: {said}");
        let (_ended, said) = tools.consume(&writer, hidden, 1).await;
        assert!(said.contains("AuthorizationException"), "{hidden}: {said}");
    }
    let mut list = tools.command(&writer, "SCRAM-SHA-512", "TopicCommand", "--command-config");
    list.arg("--describe");
    let (fine, said) = talk(list, "").await;
    assert!(fine && said.contains("Topic: orders"), "{said}");
    for hidden in ["payments", "__", &ports.broker(0, 1).to_string()] {
        assert!(!said.contains(hidden), "{hidden}: {said}");
    }
    let impostor = Key {
        secret: Secret::generate(SecretKind::ApiKey).unwrap(),
        ..Key::new(WRITER, "sa_1")
    };
    let (_ended, said) = tools.produce(&impostor, "orders", "x\n").await;
    assert!(said.contains("AuthenticationException"), "{said}");

    // Kafka keeps the quota, and what somebody takes away comes back.
    let seat = Seat::read(&folder_state.join("pools").join(POOL))
        .unwrap()
        .unwrap();
    let at: PoolAddress = seat.address(POOL, ports);
    let seen = until_kafka(&at, "the quota", |it| it.limits.contains_key(WRITER)).await;
    assert_eq!(
        seen.limits[WRITER]["producer_byte_rate"].to_bits(),
        1_048_576_f64.to_bits()
    );
    let kafka = Platform::real().kafka;
    let grants: Vec<Acl> = seen.acls.iter().filter(|it| it.allows()).cloned().collect();
    kafka.delete_acls(&at, &grants).await.unwrap();
    until_kafka(&at, "rules come back", |it| it.acls == seen.acls).await;

    // Revoked while it is connected: it gets nothing more, although its connection may live on until it is asked again.
    let mut tail = tools.consumer(&writer, "SCRAM-SHA-512", "orders");
    tail.args(["--group", "tail", "--from-beginning"]);
    let mut tail = Tail::of(tail.spawn().unwrap());
    tail.until("three");
    let other = Key::new("key_01h2xcejqtf2nbrexx3vqjhp53", "sa_1");
    let keys = vec![other.sealed(&to), reader.sealed(&to)];
    plane.wish(plane.seal(1, 2, &state(keys))).await;
    ready(&plane, other.id).await;
    until_kafka(&at, "the user is gone", |it| {
        !it.users.contains_key(WRITER) && it.acls.iter().all(|rule| rule.user() != Some(WRITER))
    })
    .await;
    let (fine, said) = tools.produce(&other, "orders", "after\n").await;
    assert!(fine, "{said}");
    let (_ended, said) = tools.produce(&writer, "orders", "x\n").await;
    assert!(said.contains("AuthenticationException"), "{said}");
    tokio::time::sleep(Duration::from_secs(3)).await;
    let heard = tail.rest();
    assert!(
        heard.contains("AuthorizationException") && !heard.contains("after"),
        "a revoked key hears nothing more: {heard}"
    );

    // The cluster goes, and with it all that was written for it.
    let mut gone = state(Vec::new());
    gone.clusters[0].deleted = true;
    gone.topics[0].deleted = true;
    gone.quotas.clear();
    gone.grants.clear();
    plane.wish(plane.seal(1, 3, &gone)).await;
    plane
        .until("the cluster is gone", LONG, |frames| {
            newest(frames, NATIVE).filter(|it| it.phase() == Phase::Deleted)
        })
        .await;
    until_kafka(&at, "nothing is left", |it| *it == SeenNative::default()).await;
}
