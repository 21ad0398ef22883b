//! Somebody's Kafka: TLS and SCRAM on one listener, SASL/PLAIN on another for clients that go there directly.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep};
use weir_kafka_wire::Connection;
use weir_kafka_wire::kafka_protocol::messages::create_acls_request::AclCreation;
use weir_kafka_wire::kafka_protocol::messages::create_topics_request::{
    CreatableTopic, CreatableTopicConfig,
};
use weir_kafka_wire::kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use weir_kafka_wire::kafka_protocol::messages::offset_fetch_request::OffsetFetchRequestGroup;
use weir_kafka_wire::kafka_protocol::messages::{
    CreateAclsRequest, CreateTopicsRequest, DescribeAclsRequest, DescribeConfigsRequest, MetadataRequest,
    OffsetFetchRequest,
};
use weir_kafka_wire::kafka_protocol::protocol::StrBytes;

use crate::stack;

const PATIENCE: Duration = Duration::from_secs(90);
/// A node id beyond the gateway's ports.
const NODE: u32 = 107;
/// What the direct clients know, and Weir does not.
const DIRECT: &str = "direct-secret";
/// What the agent is told by a file.
pub const SECRET: &str = "canary-of-the-attached-kafka";

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

/// A running broker.
pub struct Plain {
    folder: tempfile::TempDir,
    /// TLS and SCRAM-SHA-512.
    pub secure: u16,
    open: u16,
    controller: u16,
    pub ca_pem: String,
    child: Option<Child>,
}

/// What must be the same before and after.
#[derive(Debug, PartialEq, Eq)]
pub struct Seen {
    /// Topic: id, partitions, own settings.
    topics: BTreeMap<String, (String, usize, BTreeMap<String, String>)>,
    /// Access rules.
    acls: Vec<String>,
}

impl Plain {
    pub async fn start() -> Self {
        let names = vec!["127.0.0.1".to_owned()];
        let made = rcgen::generate_simple_self_signed(names).expect("a certificate");
        let ca_pem = made.cert.pem();
        let folder = tempfile::tempdir().expect("a folder");
        let keys = format!("{}{ca_pem}", made.signing_key.serialize_pem());
        std::fs::write(folder.path().join("server.pem"), keys).expect("write the key");
        std::fs::write(folder.path().join("ca.pem"), &ca_pem).expect("write the certificate");
        let mut plain = Self {
            secure: free_port(),
            open: free_port(),
            controller: free_port(),
            folder,
            ca_pem,
            child: None,
        };
        let path = plain.folder.path().join("server.properties");
        std::fs::write(&path, plain.properties()).expect("write the settings");
        plain.format(&path).await;
        let log = std::fs::File::create(plain.folder.path().join("out.log")).expect("a log");
        let child = java()
            .arg("kafka.Kafka")
            .arg(&path)
            .stdout(log.try_clone().expect("the log"))
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .expect("start Kafka");
        plain.child = Some(child);
        let end = Instant::now() + PATIENCE;
        while plain.try_admin().await.is_none() {
            assert!(Instant::now() < end, "Kafka does not come up: {}", plain.log());
            sleep(Duration::from_millis(300)).await;
        }
        plain
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("out.log")).unwrap_or_default()
    }

    fn properties(&self) -> String {
        let Self {
            secure,
            open,
            controller,
            ..
        } = self;
        let folder = self.folder.path().display();
        let scram = "org.apache.kafka.common.security.scram.ScramLoginModule required username=\"weir\"";
        let plain = "org.apache.kafka.common.security.plain.PlainLoginModule required";
        format!(
            "process.roles=broker,controller\nnode.id={NODE}\ncontroller.quorum.voters={NODE}@127.0.0.1:{controller}\n\
             listeners=SECURE://127.0.0.1:{secure},OPEN://127.0.0.1:{open},CONTROLLER://127.0.0.1:{controller}\n\
             advertised.listeners=SECURE://127.0.0.1:{secure},OPEN://127.0.0.1:{open}\n\
             listener.security.protocol.map=SECURE:SASL_SSL,OPEN:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT\n\
             inter.broker.listener.name=OPEN\ncontroller.listener.names=CONTROLLER\n\
             sasl.mechanism.inter.broker.protocol=PLAIN\n\
             listener.name.secure.sasl.enabled.mechanisms=SCRAM-SHA-512\n\
             listener.name.secure.scram-sha-512.sasl.jaas.config={scram} password=\"{SECRET}\";\n\
             listener.name.open.sasl.enabled.mechanisms=PLAIN\n\
             listener.name.open.plain.sasl.jaas.config={plain} username=\"admin\" password=\"{DIRECT}\" \
             user_admin=\"{DIRECT}\" user_direct=\"{DIRECT}\";\n\
             ssl.keystore.type=PEM\nssl.keystore.location={folder}/server.pem\n\
             authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer\n\
             super.users=User:admin;User:weir;User:ANONYMOUS\n\
             log.dirs={folder}/data\nauto.create.topics.enable=false\n\
             offsets.topic.num.partitions=2\noffsets.topic.replication.factor=1\n\
             transaction.state.log.num.partitions=1\ntransaction.state.log.replication.factor=1\n\
             transaction.state.log.min.isr=1\ngroup.initial.rebalance.delay.ms=0\n\
             log.cleaner.dedupe.buffer.size=8388608\n"
        )
    }

    async fn format(&self, properties: &Path) {
        let formatted = java()
            .args([
                "kafka.tools.StorageTool",
                "format",
                "-t",
                "AAAAAAAAAAAAAAAAAAAAAQ",
                "-c",
            ])
            .arg(properties)
            .arg("--add-scram")
            .arg(format!("SCRAM-SHA-512=[name=weir,password={SECRET}]"))
            .stdin(Stdio::null())
            .output()
            .await
            .expect("java runs");
        let said = String::from_utf8_lossy(&[formatted.stdout, formatted.stderr].concat()).into_owned();
        assert!(formatted.status.success(), "{said}");
    }

    async fn try_admin(&self) -> Option<Connection> {
        let mut connection = Connection::connect("127.0.0.1", self.open).await.ok()?;
        connection.login_plain("admin", DIRECT).await.ok()?;
        Some(connection)
    }

    async fn admin(&self) -> Connection {
        self.try_admin().await.expect("Kafka answers")
    }

    /// A topic as its owner made it.
    pub async fn topic(&self, name: &str, partitions: i32, configs: &[(&str, &str)]) {
        let configs = configs.iter().map(|(key, value)| {
            CreatableTopicConfig::default()
                .with_name(text(key))
                .with_value(Some(text(value)))
        });
        let topic = CreatableTopic::default()
            .with_name(text(name).into())
            .with_num_partitions(partitions)
            .with_replication_factor(1)
            .with_configs(configs.collect());
        let request = CreateTopicsRequest::default()
            .with_topics(vec![topic])
            .with_timeout_ms(20_000);
        let answer = self
            .admin()
            .await
            .call(&request, 7)
            .await
            .expect("create a topic");
        assert_eq!(answer.topics[0].error_code, 0, "{answer:?}");
    }

    /// The direct clients' own right to everything (KIP-290: any topic or group by the prefix `*`).
    pub async fn allow_direct(&self) {
        let rule = |kind: i8| {
            AclCreation::default()
                .with_resource_type(kind)
                .with_resource_name(text("*"))
                .with_resource_pattern_type(3)
                .with_principal(text("User:direct"))
                .with_host(text("*"))
                .with_operation(2)
                .with_permission_type(3)
        };
        let request = CreateAclsRequest::default().with_creations(vec![rule(2), rule(3)]);
        let answer = self.admin().await.call(&request, 3).await.expect("create rules");
        assert!(answer.results.iter().all(|it| it.error_code == 0), "{answer:?}");
    }

    /// kcat as a client that goes there directly.
    pub fn kcat(&self) -> Command {
        let open = format!("127.0.0.1:{}", self.open);
        super::kcat(&open, "PLAIN", "direct", DIRECT)
    }

    /// Topics, settings, ids and rules as they are.
    pub async fn look(&self) -> Seen {
        let mut admin = self.admin().await;
        let all = MetadataRequest::default().with_topics(None);
        let found = admin.call(&all, 12).await.expect("metadata").topics;
        let mut topics = BTreeMap::new();
        for topic in found.into_iter().filter(|it| !it.is_internal) {
            let name = topic.name.expect("a name").to_string();
            let resource = DescribeConfigsResource::default()
                .with_resource_type(2)
                .with_resource_name(text(&name))
                .with_configuration_keys(None);
            let request = DescribeConfigsRequest::default().with_resources(vec![resource]);
            let told = admin.call(&request, 4).await.expect("settings");
            let own = told.results[0].configs.iter().filter(|it| it.config_source == 1);
            let own = own.map(|it| {
                (
                    it.name.to_string(),
                    it.value.clone().unwrap_or_default().to_string(),
                )
            });
            let seen = (topic.topic_id.to_string(), topic.partitions.len(), own.collect());
            topics.insert(name, seen);
        }
        // An empty name, which the crate starts from, would match no rule.
        let any = DescribeAclsRequest::default()
            .with_resource_name_filter(None)
            .with_principal_filter(None)
            .with_host_filter(None)
            .with_resource_type_filter(1)
            .with_pattern_type_filter(1)
            .with_operation(1)
            .with_permission_type(1);
        let rules = admin.call(&any, 3).await.expect("rules");
        let mut acls: Vec<String> = rules.resources.iter().map(|it| format!("{it:?}")).collect();
        acls.sort();
        Seen { topics, acls }
    }

    /// What a group has committed, summed over a topic's partitions.
    pub async fn committed(&self, group: &str, topic: &str) -> i64 {
        let wanted = OffsetFetchRequestGroup::default()
            .with_group_id(text(group).into())
            .with_topics(None);
        let request = OffsetFetchRequest::default().with_groups(vec![wanted]);
        let answer = self.admin().await.call(&request, 8).await.expect("offsets");
        let topics = answer.groups.iter().flat_map(|it| &it.topics);
        let partitions = topics
            .filter(|it| it.name.as_str() == topic)
            .flat_map(|it| &it.partitions);
        partitions.map(|it| it.committed_offset.max(0)).sum()
    }
}

fn java() -> Command {
    let libs = PathBuf::from(stack::text("/kafka_libs")).join("*");
    let mut command = Command::new(std::env::var_os("WEIR_JAVA").unwrap_or_else(|| "java".into()));
    command
        .args(["-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp"])
        .arg(libs);
    command
}
