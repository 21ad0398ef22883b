//! Who does the work: ours and its peers, each a process.

use super::Work;
use super::topics::Topics;
use crate::parts::{BROKER_PASSWORD, BROKER_USER, SCRAM_USER};
use crate::run::Run;
use anyhow::{Context, Result, bail};
use serde_json::json;
use std::cell::{Cell, RefCell};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Which.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Ours,
    Bare,
    BarePlain,
    Streams,
    Flink,
}

impl Kind {
    pub const ALL: [Self; 5] = [
        Self::Ours,
        Self::Bare,
        Self::BarePlain,
        Self::Streams,
        Self::Flink,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Bare => "librdkafka",
            Self::BarePlain => "librdkafka_without_transactions",
            Self::Streams => "streams",
            Self::Flink => "flink",
        }
    }

    pub const fn what(self) -> &'static str {
        match self {
            Self::Ours => "a worker of an ACTION job",
            Self::Bare => "a bare loop of librdkafka, with the same transactions, which looks at no record",
            Self::BarePlain => "a bare loop of librdkafka without transactions",
            Self::Streams => "Kafka Streams, exactly once",
            Self::Flink => "Flink SQL, exactly once, all in one process",
        }
    }

    pub const fn version(self) -> &'static str {
        match self {
            Self::Ours => "",
            Self::Bare | Self::BarePlain => "rdkafka 0.39",
            Self::Streams => "4.3.1",
            Self::Flink => "2.3.0",
        }
    }

    pub const fn is_java(self) -> bool {
        matches!(self, Self::Streams | Self::Flink)
    }

    /// To ship, and the goal.
    pub const fn bars(self, work: Work) -> Option<(f64, f64)> {
        match (self, work) {
            (Self::Bare, Work::Filter) => Some((0.7, 0.85)),
            (Self::Bare, Work::Mask) => Some((0.4, 0.6)),
            (Self::Streams, Work::Filter) => Some((2.0, 4.0)),
            (Self::Flink, Work::Filter) => Some((3.0, 5.0)),
            _other => None,
        }
    }
}

/// A running one.
pub struct Side {
    pub kind: Kind,
    pub source: String,
    pub sink: String,
    /// Records that were given to it.
    pub written: Cell<u64>,
    child: RefCell<Child>,
    log: PathBuf,
}

impl Drop for Side {
    fn drop(&mut self) {
        let child = self.child.get_mut();
        let _gone = child.kill();
        let _gone = child.wait();
    }
}

impl Side {
    pub fn start(run: &Run, topics: &Topics, kind: Kind, work: Work) -> Result<Self> {
        let name = format!("{}-{}", work.word(), kind.name().replace('_', "-"));
        let (source, sink) = (format!("{name}-in"), format!("{name}-out"));
        topics.create(&source)?;
        topics.create(&sink)?;
        let folder = run.folder(&name)?;
        let log = folder.join("log");
        let at = Place {
            run,
            topics,
            folder: &folder,
            source: &source,
            sink: &sink,
            work,
        };
        let mut command = match kind {
            Kind::Ours => at.worker()?,
            Kind::Bare => at.bare(&["--transactions"])?,
            Kind::BarePlain => at.bare(&[])?,
            Kind::Streams => at.streams()?,
            Kind::Flink => at.flink()?,
        };
        let error = File::create(&log).context("create a log")?;
        // A worker tells by its standard output how it goes: a file that can be read, too.
        let out = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(folder.join("out"))
            .context("create a file")?;
        let child = command.stdout(out).stderr(error).spawn();
        Ok(Self {
            kind,
            written: Cell::new(0),
            child: RefCell::new(child.with_context(|| format!("start {name}"))?),
            source,
            sink,
            log,
        })
    }

    pub fn pid(&self) -> u32 {
        self.child.borrow().id()
    }

    /// It has not ended.
    pub fn lives(&self) -> Result<()> {
        if let Some(ended) = self.child.borrow_mut().try_wait()? {
            bail!(
                "{} ended with {ended}; log {}",
                self.kind.name(),
                self.log.display()
            );
        }
        Ok(())
    }

    pub fn pause(&self) -> Result<()> {
        self.signal(rustix::process::Signal::STOP)
    }

    pub fn go_on(&self) -> Result<()> {
        self.signal(rustix::process::Signal::CONT)
    }

    fn signal(&self, signal: rustix::process::Signal) -> Result<()> {
        let pid = i32::try_from(self.pid())?;
        let pid = rustix::process::Pid::from_raw(pid).context("no process")?;
        rustix::process::kill_process(pid, signal).context("stop a process, or let it go on")
    }
}

/// Where one is started.
struct Place<'a> {
    run: &'a Run,
    topics: &'a Topics,
    folder: &'a Path,
    source: &'a str,
    sink: &'a str,
    work: Work,
}

impl Place<'_> {
    fn worker(&self) -> Result<Command> {
        let step = match self.work {
            Work::Filter => json!({"filter": {"where": "message.customer_1 > 0"}}),
            Work::Mask => {
                json!({"mask": {"fields": ["order_0", "street_2", "supplier_5"], "how": "REDACT"}})
            }
        };
        let actions = json!({"steps": [step], "sinks": {"out": {"topic": self.sink}}}).to_string();
        let program = json!({
            "source": self.source, "from_latest": false, "actions": actions, "contracts": {}, "schemas": [],
            "dead_letter_bytes_max": 0, "hosts": [],
        });
        let spec = json!({
            "job_id": SCRAM_USER, "version": 1, "slot": 0, "program": program, "secrets": {}, "positions": {},
            "gateway": {"address": self.topics.broker().to_string(), "tls": null, "secret": BROKER_PASSWORD},
        });
        let file = self.folder.join("spec.json");
        std::fs::write(&file, spec.to_string()).context("write a worker's spec")?;
        let mut command = Command::new(&self.run.programs.agent);
        command.arg("processor").stdin(File::open(&file)?);
        Ok(command)
    }

    fn bare(&self, more: &[&str]) -> Result<Command> {
        let mut command = Command::new(std::env::current_exe().context("find this program")?);
        command
            .args(["bare", "--broker", &self.topics.broker().to_string()])
            .args(["--source", self.source, "--sink", self.sink])
            .args(more)
            .stdin(Stdio::null());
        Ok(command)
    }

    /// One that runs a class of the folder's, with its jars.
    fn java(&self, class: &str, path: &str, more: &[&str]) -> Command {
        let mut command = Command::new(&self.run.programs.java);
        command
            .args(["-Xms512m", "-Xmx512m", "-XX:+UseG1GC"])
            .args(more)
            .args(["-cp", path, class])
            .stdin(Stdio::null());
        command
    }

    fn settings(&self) -> Vec<(String, String)> {
        let login = format!(
            "org.apache.kafka.common.security.plain.PlainLoginModule required username=\"{BROKER_USER}\" \
             password=\"{BROKER_PASSWORD}\";"
        );
        [
            ("bootstrap.servers", self.topics.broker().to_string().as_str()),
            ("security.protocol", "SASL_PLAINTEXT"),
            ("sasl.mechanism", "PLAIN"),
            ("sasl.jaas.config", &login),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
    }

    fn streams(&self) -> Result<Command> {
        let jars = self
            .run
            .programs
            .streams
            .as_ref()
            .context("--streams is needed")?;
        let state = self.folder.join("state").display().to_string();
        let mut settings = self.settings();
        let more = [
            ("application.id", self.sink),
            ("state.dir", &state),
            ("processing.guarantee", "exactly_once_v2"),
            ("commit.interval.ms", "200"),
            ("num.stream.threads", "1"),
            ("consumer.auto.offset.reset", "earliest"),
            ("consumer.max.poll.records", "10000"),
            ("producer.linger.ms", "5"),
            ("producer.batch.size", "1000000"),
            ("producer.compression.type", "lz4"),
        ];
        settings.extend(more.map(|(name, value)| (name.to_owned(), value.to_owned())));
        let text: String = settings
            .iter()
            .map(|(name, value)| format!("{name}={value}\n"))
            .collect();
        let file = self.folder.join("streams.properties");
        std::fs::write(&file, text).context("write the settings of Kafka Streams")?;
        let path = format!("{0}/*:{0}", jars.display());
        let mut command = self.java("Streams", &path, &[]);
        command
            .arg(&file)
            .args([self.source, self.sink, self.work.word()]);
        Ok(command)
    }

    fn flink(&self) -> Result<Command> {
        let starter = self.run.programs.flink.as_ref().context("--flink is needed")?;
        let jars = self
            .run
            .programs
            .flink_libs
            .as_ref()
            .context("--flink-libs is needed")?;
        let folder = self.folder.display();
        let settings = format!(
            "parallelism.default: 1\nexecution.checkpointing.interval: 1s\nexecution.checkpointing.dir: file://{folder}/checkpoints\n\
             taskmanager.memory.network.min: 64mb\ntaskmanager.memory.network.max: 64mb\ntaskmanager.memory.managed.size: 64mb\n"
        );
        std::fs::write(self.folder.join("config.yaml"), settings).context("write Flink's settings")?;
        std::fs::write(self.folder.join("job.sql"), self.statements()).context("write Flink's statements")?;
        let path = format!("{}/*:{}", jars.display(), starter.display());
        let opens = [
            "java.lang",
            "java.net",
            "java.io",
            "java.nio",
            "java.util",
            "java.util.concurrent",
        ];
        let opens: Vec<String> = opens
            .iter()
            .map(|it| format!("--add-opens=java.base/{it}=ALL-UNNAMED"))
            .collect();
        let opens: Vec<&str> = opens.iter().map(String::as_str).collect();
        let mut command = self.java("FlinkSql", &path, &opens);
        command.arg(self.folder).arg(self.folder.join("job.sql"));
        Ok(command)
    }

    fn statements(&self) -> String {
        let columns = crate::sample::columns();
        let declared: Vec<String> = columns
            .iter()
            .map(|(name, kind)| format!("`{name}` {kind}"))
            .collect();
        let login: String = self
            .settings()
            .iter()
            .map(|(name, value)| format!("'properties.{name}'='{value}',"))
            .collect();
        // The connector has Kafka's classes under names of its own.
        let login = login.replace(
            "org.apache.kafka.common.security",
            "org.apache.flink.kafka.shaded.org.apache.kafka.common.security",
        );
        let table = |name: &str, topic: &str, more: &str| {
            format!(
                "CREATE TABLE `{name}` ({}) WITH ('connector'='kafka',{login}'topic'='{topic}','format'='json',{more});\n",
                declared.join(", ")
            )
        };
        let source = format!(
            "'properties.group.id'='{}','properties.isolation.level'='read_committed','scan.startup.mode'='earliest-offset'",
            self.sink
        );
        let sink = format!(
            "'sink.delivery-guarantee'='exactly-once','sink.transactional-id-prefix'='{}','properties.transaction.timeout.ms'='60000',\
             'properties.linger.ms'='5','properties.batch.size'='1000000','properties.compression.type'='lz4'",
            self.sink
        );
        let chosen: Vec<String> = columns
            .iter()
            .map(|(name, _kind)| match (self.work, name.as_str()) {
                (Work::Mask, "order_0" | "street_2" | "supplier_5") => "'***'".to_owned(),
                _other => format!("`{name}`"),
            })
            .collect();
        let condition = match self.work {
            Work::Filter => " WHERE `customer_1` > 0",
            Work::Mask => "",
        };
        format!(
            "{}{}INSERT INTO `sink` SELECT {} FROM `source`{condition}",
            table("source", self.source, &source),
            table("sink", self.sink, &sink),
            chosen.join(", ")
        )
    }
}
