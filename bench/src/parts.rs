//! The processes under test and beside it. Each ends when its handle is dropped.

use crate::lane::Lane;
use anyhow::{Context, Result, bail};
use std::fs::File;
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The principal of the real broker that gateways and peers' clients log in with.
pub const BROKER_USER: &str = "bench";
pub const BROKER_PASSWORD: &str = "bench-password";
/// Another principal, with the same password, that logs in by SCRAM, as jobs do.
pub const SCRAM_USER: &str = "bench-job";

/// Where programs lie.
#[derive(Debug, Clone, clap::Args)]
pub struct Programs {
    /// `weir-agent`.
    #[arg(long)]
    pub agent: PathBuf,
    /// `haproxy`.
    #[arg(long)]
    pub haproxy: Option<PathBuf>,
    /// `java`.
    #[arg(long)]
    pub java: PathBuf,
    /// Kafka's jars.
    #[arg(long)]
    pub kafka_libs: Option<PathBuf>,
    /// Kroxylicious: its jars and our starter's class.
    #[arg(long)]
    pub kroxylicious: Option<PathBuf>,
    /// Shotover with its Kafka transforms.
    #[arg(long)]
    pub shotover: Option<PathBuf>,
    /// Kafka Streams: its jars and our starter's class.
    #[arg(long)]
    pub streams: Option<PathBuf>,
    /// Our starter's class for Flink SQL.
    #[arg(long)]
    pub flink: Option<PathBuf>,
    /// Flink's jars.
    #[arg(long)]
    pub flink_libs: Option<PathBuf>,
    /// Where state and logs go.
    #[arg(long)]
    pub work: PathBuf,
    /// First port.
    #[arg(long)]
    pub port_base: u16,
}

/// A running process.
#[derive(Debug)]
pub struct Part {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Part {
    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

fn local(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

impl Programs {
    fn folder(&self, name: &str) -> Result<PathBuf> {
        let folder = self.work.join(name);
        std::fs::create_dir_all(&folder).with_context(|| format!("create {}", folder.display()))?;
        Ok(folder)
    }

    fn start(&self, name: &str, mut command: Command, port: u16, patience: Duration) -> Result<Part> {
        let path = self.folder("logs")?.join(format!("{name}.log"));
        let log = File::create(&path).with_context(|| format!("create {}", path.display()))?;
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let child = command.spawn().with_context(|| format!("start {name}"))?;
        let mut part = Part {
            child,
            address: local(port),
        };
        let deadline = Instant::now() + patience;
        while TcpStream::connect(part.address).is_err() {
            if let Some(ended) = part.child.try_wait()? {
                bail!("{name} ended with {ended}; log {}", path.display());
            }
            if Instant::now() > deadline {
                bail!(
                    "{name} does not listen after {patience:?}; log {}",
                    path.display()
                );
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(part)
    }

    /// Our null broker.
    pub fn null_broker(&self) -> Result<Part> {
        let port = self.port_base;
        let mut command = Command::new(std::env::current_exe().context("find this program")?);
        command.args(["broker", "--listen", &local(port).to_string()]);
        self.start("null-broker", command, port, Duration::from_secs(10))
    }

    /// A gateway attached to `lane`, which has published already. `number` keeps several apart.
    pub fn gateway(&self, number: u16, lane: &Lane) -> Result<Part> {
        // Nodes have the ports behind the bootstrap port.
        let port = self.port_base + 20 + number * 10;
        let state = self.work.join(format!("gateway-{number}"));
        if state.exists() {
            std::fs::remove_dir_all(&state).with_context(|| format!("remove {}", state.display()))?;
        }
        let mut command = Command::new(&self.agent);
        command
            .arg("gateway")
            .arg("--state-dir")
            .arg(&state)
            .args([
                "--port-base",
                &port.to_string(),
                "--lane",
                &lane.address.to_string(),
                "--lane-identity",
            ])
            .arg(&lane.gateway_identity)
            // All clients come from one address here.
            .args(["--connections-per-second", "100000"]);
        self.start(
            &format!("gateway-{number}"),
            command,
            port,
            Duration::from_secs(20),
        )
    }

    /// `HAProxy`, TCP mode: the floor of any proxy.
    pub fn haproxy(&self, name: &str, offset: u16, to: SocketAddr) -> Result<Part> {
        let program = self.haproxy.as_ref().context("--haproxy is needed")?;
        let port = self.port_base + offset;
        let file = self.folder("haproxy")?.join(format!("{name}.cfg"));
        let text = format!(
            "global\n  maxconn 2000\ndefaults\n  mode tcp\n  timeout connect 5s\n  timeout client 600s\n  timeout server 600s\n\
             listen kafka\n  bind 127.0.0.1:{port}\n  server one {to}\n"
        );
        std::fs::write(&file, text).context("write HAProxy's configuration")?;
        let mut command = Command::new(program);
        command.arg("-db").arg("-f").arg(&file);
        self.start(&format!("haproxy-{name}"), command, port, Duration::from_secs(10))
    }

    /// Kroxylicious with one tenant by its MultiTenant filter; its topics have the prefix `tenant-`.
    pub fn kroxylicious(&self, offset: u16, to: SocketAddr) -> Result<Part> {
        let filter = "filterDefinitions:\n- name: filter\n  type: MultiTenant\n  config: {}\n";
        self.kroxylicious_with(filter, offset, to)
    }

    /// Kroxylicious with its RecordValidation filter: the topic `syntax` holds JSON, the topic `schema` what schema 1
    /// of a registry says.
    pub fn kroxylicious_validating(&self, offset: u16, to: SocketAddr, registry: SocketAddr) -> Result<Part> {
        let filter = format!(
            "filterDefinitions:\n- name: filter\n  type: RecordValidation\n  config:\n    rules:\n\
             \x20   - topicNames: [syntax]\n      valueRule:\n        syntacticallyCorrectJson:\n\
             \x20         validateObjectKeysUnique: false\n\
             \x20   - topicNames: [schema]\n      valueRule:\n        schemaValidationConfig:\n\
             \x20         apicurioGlobalId: 1\n          apicurioRegistryUrl: http://{registry}\n"
        );
        self.kroxylicious_with(&filter, offset, to)
    }

    fn kroxylicious_with(&self, filter: &str, offset: u16, to: SocketAddr) -> Result<Part> {
        let libs = self.kroxylicious.as_ref().context("--kroxylicious is needed")?;
        let port = self.port_base + offset;
        let file = self.folder("kroxylicious")?.join("proxy.yaml");
        let text = format!(
            "{filter}defaultFilters: [filter]\n\
             virtualClusters:\n- name: tenant\n  targetCluster:\n    bootstrapServers: {to}\n  gateways:\n\
             \x20 - name: default\n    portIdentifiesNode:\n      bootstrapAddress: 127.0.0.1:{port}\n"
        );
        std::fs::write(&file, text).context("write Kroxylicious' configuration")?;
        let mut command = Command::new(&self.java);
        command
            .args(["-Xms512m", "-Xmx512m", "-cp"])
            .arg(format!("{0}/*:{0}", libs.display()))
            .arg("Main")
            .arg(&file);
        self.start("kroxylicious", command, port, Duration::from_secs(60))
    }

    /// Shotover, one Kafka source into one Kafka sink.
    pub fn shotover(&self, offset: u16, to: SocketAddr) -> Result<Part> {
        let program = self.shotover.as_ref().context("--shotover is needed")?;
        let port = self.port_base + offset;
        let folder = self.folder("shotover")?;
        let (topology, config) = (folder.join("topology.yaml"), folder.join("config.yaml"));
        let text = format!(
            "sources:\n  - Kafka:\n      name: kafka\n      listen_addr: 127.0.0.1:{port}\n      chain:\n\
             \x20       - KafkaSinkSingle:\n            destination_port: {}\n            connect_timeout_ms: 3000\n",
            to.port()
        );
        std::fs::write(&topology, text).context("write Shotover's topology")?;
        std::fs::write(&config, "---\nmain_log_level: \"warn\"\n")
            .context("write Shotover's configuration")?;
        let mut command = Command::new(program);
        command
            .arg("--topology-file")
            .arg(&topology)
            .arg("--config-file")
            .arg(&config);
        self.start("shotover", command, port, Duration::from_secs(20))
    }

    fn kafka_tool(&self, class: &str, memory: &str) -> Result<Command> {
        let libs = self.kafka_libs.as_ref().context("--kafka-libs is needed")?;
        let mut command = Command::new(&self.java);
        command
            .args([&format!("-Xms{memory}"), &format!("-Xmx{memory}"), "-XX:+UseG1GC"])
            .arg(format!(
                "-Dlog4j2.configurationFile=file:{}",
                self.work.join("log4j2.properties").display()
            ))
            .arg("-cp")
            .arg(format!("{}/*", libs.display()))
            .arg(class);
        Ok(command)
    }

    /// Apache Kafka, one node in `KRaft` mode, SASL/PLAIN.
    pub fn kafka(&self) -> Result<Part> {
        let (port, controller) = (self.port_base + 1, self.port_base + 2);
        let folder = self.folder("kafka")?;
        let data = folder.join("data");
        if data.exists() {
            std::fs::remove_dir_all(&data).context("remove the broker's data")?;
        }
        let logging = "status = error\nrootLogger.level = WARN\nrootLogger.appenderRef.out.ref = OUT\n\
             appender.out.type = Console\nappender.out.name = OUT\nappender.out.layout.type = PatternLayout\n\
             appender.out.layout.pattern = [%d] %p %m (%c)%n\n";
        std::fs::write(self.work.join("log4j2.properties"), logging).context("write the broker's logging")?;
        let settings = folder.join("server.properties");
        let login = format!(
            "org.apache.kafka.common.security.plain.PlainLoginModule required username=\"{BROKER_USER}\" \
             password=\"{BROKER_PASSWORD}\" user_{BROKER_USER}=\"{BROKER_PASSWORD}\";"
        );
        let text = format!(
            "process.roles=broker,controller\nnode.id=1\ncontroller.quorum.bootstrap.servers=127.0.0.1:{controller}\n\
             listeners=SASL_PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}\n\
             advertised.listeners=SASL_PLAINTEXT://127.0.0.1:{port}\n\
             listener.security.protocol.map=SASL_PLAINTEXT:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT\n\
             controller.listener.names=CONTROLLER\ninter.broker.listener.name=SASL_PLAINTEXT\n\
             sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256\nsasl.mechanism.inter.broker.protocol=PLAIN\n\
             listener.name.sasl_plaintext.plain.sasl.jaas.config={login}\n\
             listener.name.sasl_plaintext.scram-sha-256.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;\n\
             group.initial.rebalance.delay.ms=0\nlog.dirs={}\nnum.partitions=6\n\
             offsets.topic.num.partitions=1\noffsets.topic.replication.factor=1\n\
             transaction.state.log.num.partitions=1\ntransaction.state.log.replication.factor=1\n\
             transaction.state.log.min.isr=1\nshare.coordinator.state.topic.num.partitions=1\n\
             share.coordinator.state.topic.replication.factor=1\nshare.coordinator.state.topic.min.isr=1\n\
             log.retention.check.interval.ms=5000\nlog.initial.task.delay.ms=5000\nlog.segment.delete.delay.ms=1000\n\
             log.segment.bytes=67108864\nlog.cleaner.dedupe.buffer.size=8388608\n",
            data.display()
        );
        std::fs::write(&settings, text).context("write the broker's settings")?;
        let mut format = self.kafka_tool("kafka.tools.StorageTool", "64m")?;
        format
            .args([
                "format",
                "--standalone",
                "--cluster-id",
                "AAAAAAAAAAAAAAAAAAAAAA",
                "--config",
            ])
            .arg(&settings)
            .args([
                "--add-scram",
                &format!("SCRAM-SHA-256=[name={SCRAM_USER},password={BROKER_PASSWORD}]"),
            ]);
        run(format, "format the broker's storage")?;
        let mut command = self.kafka_tool("kafka.Kafka", "1g")?;
        command.arg(&settings);
        self.start("kafka", command, port, Duration::from_secs(90))
    }

    /// Runs one of Kafka's tools against the broker.
    pub fn administer(&self, broker: SocketAddr, class: &str, arguments: &[&str]) -> Result<()> {
        let file = self.work.join("admin.properties");
        let text = format!(
            "security.protocol=SASL_PLAINTEXT\nsasl.mechanism=PLAIN\n\
             sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required \
             username=\"{BROKER_USER}\" password=\"{BROKER_PASSWORD}\";\n"
        );
        std::fs::write(&file, text).context("write the administrator's configuration")?;
        let mut command = self.kafka_tool(class, "128m")?;
        command
            .args(["--bootstrap-server", &broker.to_string(), "--command-config"])
            .arg(&file)
            .args(arguments);
        run(command, class)
    }

    /// Creates a topic of six partitions that keeps about a gibibyte at most.
    pub fn create_topic(&self, broker: SocketAddr, name: &str) -> Result<()> {
        let class = "org.apache.kafka.tools.TopicCommand";
        let arguments = [
            "--create",
            "--topic",
            name,
            "--partitions",
            "6",
            "--config",
            "retention.bytes=134217728",
        ];
        self.administer(broker, class, &arguments)
    }
}

fn run(mut command: Command, what: &str) -> Result<()> {
    let output = command.output().with_context(|| format!("start {what}"))?;
    if !output.status.success() {
        let (out, error) = (
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
        );
        bail!("{what}: {} {}", out.trim(), error.trim());
    }
    Ok(())
}

/// An empty folder of that name.
pub fn fresh(folder: &Path) -> Result<PathBuf> {
    if folder.exists() {
        std::fs::remove_dir_all(folder).with_context(|| format!("remove {}", folder.display()))?;
    }
    std::fs::create_dir_all(folder).with_context(|| format!("create {}", folder.display()))?;
    Ok(folder.to_owned())
}
