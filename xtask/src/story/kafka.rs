//! Stock Kafka clients as anyone would start them: kcat (librdkafka) with PLAIN and SCRAM, Kafka's Java tools with SCRAM.

use crate::process::open_log;
use crate::progress::Step;
use crate::run::Group;
use crate::trouble::Trouble;
use crate::workspace::{read, write_private};
use anyhow::{Context, Result};
use rustix::process::Signal;
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

/// A client that says nothing for so long is stuck.
const SILENCE_AT_MOST: Duration = Duration::from_secs(60);

/// What a Kafka client must know.
#[derive(Debug, Clone, Serialize)]
pub struct KafkaUser {
    /// Names its configuration files.
    #[serde(skip)]
    pub name: String,
    /// Bootstrap servers.
    pub bootstrap: String,
    /// The API key's id.
    pub username: String,
    /// The API key's secret.
    pub password: String,
}

/// Where the clients' programs and files are.
pub struct StockClients {
    /// Kafka's jars.
    pub libs: PathBuf,
    /// `java`.
    pub java: PathBuf,
    /// Logging of the Java tools.
    pub logging: PathBuf,
    /// Configuration files, inputs, and what clients wrote to stderr.
    pub folder: PathBuf,
}

impl StockClients {
    /// kcat's configuration of a user.
    pub fn kcat_file(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.kcat.conf"))
    }

    /// The Java tools' configuration of a user.
    pub fn java_file(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.properties"))
    }

    /// Writes both configuration files, readable by their owner only.
    pub fn write_configuration(&self, user: &KafkaUser) -> Result<()> {
        let KafkaUser {
            name,
            bootstrap,
            username,
            password,
        } = user;
        write_private(
            &self.kcat_file(name),
            &format!(
                "bootstrap.servers={bootstrap}\nsecurity.protocol=sasl_plaintext\nsasl.mechanisms=PLAIN\n\
                 sasl.username={username}\nsasl.password={password}\n"
            ),
        )?;
        write_private(
            &self.java_file(name),
            &format!(
                "security.protocol=SASL_PLAINTEXT\nsasl.mechanism=SCRAM-SHA-256\n\
                 sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required \
                 username=\"{username}\" password=\"{password}\";\n"
            ),
        )
    }

    /// `kcat` as a user.
    pub fn kcat(&self, user: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new("kcat");
        command
            .arg("-q")
            .arg("-F")
            .arg(self.kcat_file(user))
            .args(arguments);
        command
    }

    /// One of Kafka's Java tools.
    pub fn java(&self, tool: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.java);
        command
            .args([
                "-Xms64m",
                "-Xmx256m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
            ])
            .arg(format!(
                "-Dlog4j2.configurationFile=file:{}",
                self.logging.display()
            ))
            .arg("-cp")
            .arg(format!("{}/*", self.libs.display()))
            .arg(tool)
            .args(arguments);
        command
    }

    /// `kafka-console-producer` as a user: `key <tab> value` lines from stdin.
    pub fn console_producer(&self, user: &KafkaUser, topic: &str) -> Command {
        let configuration = self.java_file(&user.name).display().to_string();
        self.java(
            "org.apache.kafka.tools.ConsoleProducer",
            &[
                "--bootstrap-server",
                &user.bootstrap,
                "--command-config",
                &configuration,
                "--topic",
                topic,
                "--reader-property",
                "parse.key=true",
            ],
        )
    }

    /// `kafka-console-consumer` as a user, from the beginning unless the group has offsets.
    pub fn console_consumer(&self, user: &KafkaUser, topic: &str, group: &str) -> Command {
        let configuration = self.java_file(&user.name).display().to_string();
        self.java(
            "org.apache.kafka.tools.consumer.ConsoleConsumer",
            &[
                "--bootstrap-server",
                &user.bootstrap,
                "--command-config",
                &configuration,
                "--topic",
                topic,
                "--group",
                group,
                "--from-beginning",
            ],
        )
    }

    /// Where the named client's complaints go.
    pub fn complaints(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.stderr"))
    }

    /// Runs a producer to its end. It must exit with 0 and complain of nothing.
    pub async fn produce(&self, name: &str, mut command: Command, input: Option<&Path>) -> Result<()> {
        let complaints = self.fresh_complaints(name)?;
        let stdin = match input {
            Some(path) => std::fs::File::open(path)
                .with_context(|| format!("open {}", path.display()))?
                .into(),
            None => Stdio::null(),
        };
        // The Java producer prints a prompt for each line.
        let mut child = command
            .stdin(stdin)
            .stdout(Stdio::null())
            .stderr(open_log(&complaints)?)
            .process_group(0)
            .spawn()
            .with_context(|| format!("start {name}"))?;
        let group = Group::of(&child);
        let status = child.wait().await.with_context(|| format!("wait for {name}"))?;
        group.ended();
        if !status.success() {
            return Err(Trouble::new(format!("{name} ended with {status}"))
                .log(complaints)
                .into());
        }
        self.without_complaints(name)
    }

    /// Starts a consumer whose records are read line by line.
    pub fn consume(&self, name: &str, mut command: Command) -> Result<Consumer> {
        let complaints = self.fresh_complaints(name)?;
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(open_log(&complaints)?)
            .process_group(0)
            .spawn()
            .with_context(|| format!("start {name}"))?;
        let group = Group::of(&child);
        let out = child.stdout.take().context("read a client's output")?;
        let lines = BufReader::new(out).lines();
        Ok(Consumer {
            name: name.to_owned(),
            complaints,
            child,
            group,
            lines,
            delivered: 0,
        })
    }

    /// Did the named client complain of anything?
    pub fn without_complaints(&self, name: &str) -> Result<()> {
        let path = self.complaints(name);
        let said = read(&path)?;
        if said.lines().all(|line| line.trim().is_empty() || is_notice(line)) {
            return Ok(());
        }
        Err(Trouble::new(format!("{name} complained")).log(path).into())
    }

    fn fresh_complaints(&self, name: &str) -> Result<PathBuf> {
        let path = self.complaints(name);
        crate::workspace::write(&path, "")?;
        Ok(path)
    }
}

/// A running consumer.
pub struct Consumer {
    name: String,
    complaints: PathBuf,
    child: Child,
    group: Group,
    lines: tokio::io::Lines<BufReader<tokio::process::ChildStdout>>,
    delivered: u64,
}

impl Consumer {
    /// The next record. Safe to cancel.
    pub async fn next(&mut self) -> Result<String> {
        let next = tokio::time::timeout(SILENCE_AT_MOST, self.lines.next_line()).await;
        if let Ok(Ok(Some(record))) = next {
            self.delivered += 1;
            return Ok(record);
        }
        let what = format!("{} stopped after {} records", self.name, self.delivered);
        Err(Trouble::new(what).log(&self.complaints).into())
    }

    /// Reads until `want` records carry `marker`; other records (of earlier runs) are passed over.
    pub async fn read(&mut self, marker: &str, want: usize, step: &Step) -> Result<Vec<String>> {
        let mut records = Vec::with_capacity(want);
        while records.len() < want {
            let record = self.next().await?;
            if record.contains(marker) {
                records.push(record);
                if records.len().is_multiple_of(5_000) {
                    step.note(format!("{} of {want}", records.len()));
                }
            }
        }
        Ok(records)
    }

    /// Asks it to leave its group and waits for its end. Returns how many records it delivered in all.
    pub async fn stop(mut self) -> Result<u64> {
        self.group.signal(Signal::TERM);
        // What it had fetched beyond our need must not block its last writes.
        let drain = async {
            while let Ok(Some(_record)) = self.lines.next_line().await {
                self.delivered += 1;
            }
        };
        tokio::select! {
            () = drain => {}
            () = tokio::time::sleep(Duration::from_secs(20)) => {}
        }
        let ended = tokio::time::timeout(Duration::from_secs(20), self.child.wait()).await;
        if ended.is_err() {
            return Err(Trouble::new(format!("{} does not leave", self.name))
                .log(&self.complaints)
                .into());
        }
        self.group.ended();
        Ok(self.delivered)
    }
}

/// What Kafka's console consumer says on standard error when all went well.
fn is_notice(line: &str) -> bool {
    line.starts_with("The consumer rebalance protocol (KIP-848) is production-ready!")
        || line.starts_with("Processed a total of ")
}
