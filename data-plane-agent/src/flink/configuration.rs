//! The configuration of one pool's Flink: three kinds of processes, on ports and in folders of their own.

use std::fmt::Write as _;
use std::io;
use std::net::TcpListener;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// Slots of one TaskManager: a slot holds one subtask of each vertex of a job.
pub const SLOTS: u32 = 2;

/// Where a pool's Flink listens, on this machine alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlinkPorts {
    /// The JobManager's, for TaskManagers.
    pub rpc: u16,
    /// Its files.
    pub blob: u16,
    /// Its REST endpoint.
    pub rest: u16,
    /// The SQL gateway's.
    pub gateway: u16,
}

impl FlinkPorts {
    /// Four ports that are free now. Whoever takes one before Flink does keeps it from coming up; then others are taken.
    ///
    /// # Errors
    /// As the operating system says.
    pub fn free() -> io::Result<Self> {
        // All are held until the last is found, so that none is given twice.
        let held: Vec<TcpListener> = (0..4)
            .map(|_which| TcpListener::bind("127.0.0.1:0"))
            .collect::<io::Result<_>>()?;
        let ports: Vec<u16> = held
            .iter()
            .map(|it| it.local_addr().map(|it| it.port()))
            .collect::<io::Result<_>>()?;
        match ports.as_slice() {
            [rpc, blob, rest, gateway] => Ok(Self {
                rpc: *rpc,
                blob: *blob,
                rest: *rest,
                gateway: *gateway,
            }),
            _fewer => Err(io::ErrorKind::AddrNotAvailable.into()),
        }
    }
}

/// The folders of one pool's Flink.
#[derive(Debug, Clone)]
pub struct Folders {
    root: PathBuf,
}

impl Folders {
    /// Below this folder.
    #[must_use]
    pub fn below(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
        }
    }

    /// All of it.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Configuration.
    #[must_use]
    pub fn conf(&self) -> PathBuf {
        self.root.join("conf")
    }

    /// Keys of its TLS.
    #[must_use]
    pub fn keys(&self) -> PathBuf {
        self.root.join("keys")
    }

    /// What may go at any time.
    #[must_use]
    pub fn scratch(&self) -> PathBuf {
        self.root.join("tmp")
    }

    /// Logs of its processes.
    #[must_use]
    pub fn logs(&self) -> PathBuf {
        self.root.join("logs")
    }

    /// A job's checkpoints: Flink makes a folder for each run of it there.
    #[must_use]
    pub fn checkpoints(&self, job: &str) -> PathBuf {
        self.root.join("checkpoints").join(job)
    }

    /// A job's savepoints.
    #[must_use]
    pub fn savepoints(&self, job: &str) -> PathBuf {
        self.root.join("savepoints").join(job)
    }

    /// All that processes need.
    #[must_use]
    pub fn all(&self) -> Vec<PathBuf> {
        let empty = ["opt", "plugins", "checkpoints", "savepoints"].map(|it| self.root.join(it));
        let mut all = vec![
            self.root.clone(),
            self.conf(),
            self.keys(),
            self.scratch(),
            self.logs(),
        ];
        all.extend(empty);
        all
    }
}

/// How a pool's processes know each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stores {
    /// Certificate and key of all its processes (PKCS #12).
    pub key: PathBuf,
    /// Whom they believe: each other and the agent (PKCS #12).
    pub trust: PathBuf,
    /// The password of both.
    pub password: String,
}

/// Settings that were reliable and small on two cores; each value was measured with the others.
const FIXED: [(&str, &str); 47] = [
    ("jobmanager.rpc.address", "127.0.0.1"),
    ("jobmanager.bind-host", "127.0.0.1"),
    ("jobmanager.scheduler", "adaptive"),
    (
        "jobmanager.adaptive-scheduler.submission.resource-wait-timeout",
        "30s",
    ),
    (
        "jobmanager.adaptive-scheduler.submission.resource-stabilization-timeout",
        "200ms",
    ),
    (
        "jobmanager.adaptive-scheduler.executing.cooldown-after-rescaling",
        "1s",
    ),
    (
        "jobmanager.adaptive-scheduler.executing.resource-stabilization-timeout",
        "1s",
    ),
    ("jobmanager.adaptive-scheduler.rescale-trigger.max-delay", "2s"),
    (
        "jobmanager.adaptive-scheduler.rescale-trigger.max-checkpoint-failures",
        "2",
    ),
    ("jobmanager.memory.heap.size", "192m"),
    ("jobmanager.memory.off-heap.size", "64m"),
    ("jobmanager.memory.jvm-metaspace.size", "128m"),
    ("jobmanager.memory.jvm-overhead.min", "64m"),
    ("jobmanager.memory.jvm-overhead.max", "64m"),
    ("taskmanager.host", "127.0.0.1"),
    ("taskmanager.bind-host", "127.0.0.1"),
    ("taskmanager.cpu.cores", "1.0"),
    ("taskmanager.memory.framework.heap.size", "64m"),
    ("taskmanager.memory.framework.off-heap.size", "32m"),
    ("taskmanager.memory.task.heap.size", "192m"),
    ("taskmanager.memory.task.off-heap.size", "0m"),
    ("taskmanager.memory.network.min", "32m"),
    ("taskmanager.memory.network.max", "32m"),
    ("taskmanager.memory.managed.size", "64m"),
    // What a person's question takes of memory that its neighbours need: by themselves these are 64 and 16 MiB.
    ("taskmanager.memory.framework.off-heap.batch-shuffle.size", "8m"),
    ("taskmanager.network.sort-shuffle.min-buffers", "16"),
    ("taskmanager.memory.jvm-metaspace.size", "128m"),
    ("taskmanager.memory.jvm-overhead.min", "64m"),
    ("taskmanager.memory.jvm-overhead.max", "64m"),
    // A TaskManager that is up before its JobManager would wait ten seconds otherwise.
    ("cluster.registration.error-delay", "500ms"),
    ("heartbeat.interval", "2000"),
    ("heartbeat.timeout", "10000"),
    ("rest.address", "127.0.0.1"),
    ("rest.bind-address", "127.0.0.1"),
    // What ended is remembered for an hour; people's questions are jobs, too, and shall push nobody's job out of the list.
    ("jobstore.max-capacity", "100"),
    // Nobody brings programs but by SQL.
    ("web.submit.enable", "false"),
    ("web.refresh-interval", "1000"),
    ("metrics.fetcher.update-interval", "1000"),
    ("web.adaptive-scheduler.rescale-history.size", "10"),
    ("sql-gateway.endpoint.rest.address", "127.0.0.1"),
    ("sql-gateway.endpoint.rest.bind-address", "127.0.0.1"),
    ("state.backend.type", "hashmap"),
    ("parallelism.default", "1"),
    // A job goes on trying: why it fails is told, and a person decides.
    ("restart-strategy.type", "fixed-delay"),
    ("restart-strategy.fixed-delay.attempts", "2147483647"),
    ("restart-strategy.fixed-delay.delay", "1s"),
    ("execution.checkpointing.mode", "EXACTLY_ONCE"),
];

/// TLS between all of them, with certificates on both sides.
const TLS: [(&str, &str); 3] = [
    ("security.ssl.protocol", "TLSv1.3"),
    ("security.ssl.algorithms", "TLS_AES_128_GCM_SHA256"),
    ("security.ssl.rest.authentication-enabled", "true"),
];

/// The text of `config.yaml`; `bucket`: how the customer's is reached, if there is one.
#[must_use]
pub fn config_yaml(
    ports: FlinkPorts,
    folders: &Folders,
    stores: &Stores,
    bucket: &[(String, String)],
) -> String {
    let FlinkPorts {
        rpc,
        blob,
        rest,
        gateway,
    } = ports;
    let mut text = String::new();
    let mut line = |key: &str, value: &str| {
        // A string in YAML's double quotes is JSON's.
        let _infallible = writeln!(text, "{key}: {}", serde_json::Value::from(value));
    };
    for (key, value) in FIXED.into_iter().chain(TLS) {
        line(key, value);
    }
    line("taskmanager.numberOfTaskSlots", &SLOTS.to_string());
    for (key, port) in [
        ("jobmanager.rpc.port", rpc),
        ("blob.server.port", blob),
        ("rest.port", rest),
        ("rest.bind-port", rest),
        ("sql-gateway.endpoint.rest.port", gateway),
        ("sql-gateway.endpoint.rest.bind-port", gateway),
    ] {
        line(key, &port.to_string());
    }
    line("io.tmp.dirs", &folders.scratch().display().to_string());
    for (key, value) in bucket {
        line(key, value);
    }
    let Stores { key, trust, password } = stores;
    for part in ["internal", "rest"] {
        let mut secured = |name: &str, value: &str| line(&format!("security.ssl.{part}.{name}"), value);
        secured("enabled", "true");
        secured("keystore", &key.display().to_string());
        secured("keystore-type", "PKCS12");
        secured("keystore-password", password);
        secured("key-password", password);
        secured("truststore", &trust.display().to_string());
        secured("truststore-type", "PKCS12");
        secured("truststore-password", password);
    }
    text
}

/// The text of `log4j.properties`: a file for each process, rolled over twice.
pub const LOG4J: &str = "\
monitorInterval=0
rootLogger.level=INFO
rootLogger.appenderRef.f.ref=F
appender.f.name=F
appender.f.type=RollingFile
appender.f.fileName=${sys:log.file}
appender.f.filePattern=${sys:log.file}.%i
appender.f.append=true
appender.f.layout.type=PatternLayout
appender.f.layout.pattern=%d{yyyy-MM-dd HH:mm:ss,SSS} %-5p %-50c{1} %x - %m%n
appender.f.policies.type=Policies
appender.f.policies.size.type=SizeBasedTriggeringPolicy
appender.f.policies.size.size=16MB
appender.f.strategy.type=DefaultRolloverStrategy
appender.f.strategy.max=2
logger.kafka.name=org.apache.flink.kafka.shaded.org.apache.kafka
logger.kafka.level=WARN
logger.pekko.name=org.apache.pekko
logger.pekko.level=WARN
logger.netty.name=org.apache.flink.shaded.netty4.io.netty
logger.netty.level=ERROR
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_listens_on_this_machine_and_behind_tls() {
        let ports = FlinkPorts::free().unwrap();
        let folders = Folders::below(Path::new("/state/flink/compute_pool_1"));
        let stores = Stores {
            key: "/state/key.p12".into(),
            trust: "/state/trust.p12".into(),
            password: "a \"b\": # c".to_owned(),
        };
        let text = config_yaml(ports, &folders, &stores, &[]);
        let mut keys: Vec<&str> = text.lines().filter_map(|it| it.split(':').next()).collect();
        let count = keys.len();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), count, "no setting twice");
        for line in [
            "rest.bind-address: \"127.0.0.1\"",
            "sql-gateway.endpoint.rest.bind-address: \"127.0.0.1\"",
            "taskmanager.bind-host: \"127.0.0.1\"",
            "jobmanager.bind-host: \"127.0.0.1\"",
            "security.ssl.internal.enabled: \"true\"",
            "security.ssl.rest.enabled: \"true\"",
            "security.ssl.rest.authentication-enabled: \"true\"",
            "web.submit.enable: \"false\"",
            "io.tmp.dirs: \"/state/flink/compute_pool_1/tmp\"",
            "security.ssl.rest.keystore-password: \"a \\\"b\\\": # c\"",
        ] {
            assert!(text.lines().any(|it| it == line), "{line}\n{text}");
        }
        assert!(!text.contains("0.0.0.0"));
        let all = [ports.rpc, ports.blob, ports.rest, ports.gateway];
        assert!(
            all.iter()
                .all(|it| all.iter().filter(|other| *other == it).count() == 1)
        );
    }
}
