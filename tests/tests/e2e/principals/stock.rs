//! kcat and Kafka's console tools, with the settings that a customer gives them.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use rcgen::{CertificateParams, KeyPair};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;
use tokio::time::timeout;

use super::gateway::{Address, shown};
use crate::clients::program::tool;
use crate::rights::Login;

const PATIENCE: Duration = Duration::from_secs(90);
/// How kcat and Kafka's tools say that something failed.
const FAILED: [&str; 4] = ["% ERROR", "Delivery failed", "Error when sending", "Exception"];

/// A client's private key and its certificate, as files.
pub struct Person {
    folder: PathBuf,
    name: String,
    pair: KeyPair,
}

impl Person {
    pub fn new(folder: &Path, name: &str) -> Self {
        let pair = KeyPair::generate().expect("a key");
        let person = Self {
            folder: folder.to_owned(),
            name: name.to_owned(),
            pair,
        };
        std::fs::write(person.key(), person.pair.serialize_pem()).expect("write the key");
        person.renew();
        person
    }

    /// Another certificate over the same key.
    pub fn renew(&self) {
        let params = CertificateParams::new(vec![self.name.clone()]).expect("parameters");
        let certificate = params.self_signed(&self.pair).expect("a certificate").pem();
        std::fs::write(self.chain(), &certificate).expect("write the certificate");
        let both = format!("{}{certificate}", self.pair.serialize_pem());
        std::fs::write(self.file("both.pem"), both).expect("write the keystore");
    }

    fn file(&self, what: &str) -> PathBuf {
        self.folder.join(format!("{}-{what}", self.name))
    }

    pub fn key(&self) -> PathBuf {
        self.file("key.pem")
    }

    pub fn chain(&self) -> PathBuf {
        self.file("chain.pem")
    }

    pub fn certificate(&self) -> String {
        std::fs::read_to_string(self.chain()).expect("the certificate")
    }

    /// For librdkafka.
    pub fn settings(&self) -> Vec<String> {
        vec![
            "security.protocol=ssl".to_owned(),
            format!("ssl.key.location={}", shown(&self.key())),
            format!("ssl.certificate.location={}", shown(&self.chain())),
        ]
    }

    /// For Java.
    pub fn properties(&self) -> String {
        format!(
            "security.protocol=SSL\nssl.keystore.type=PEM\nssl.keystore.location={}\n",
            shown(&self.file("both.pem"))
        )
    }
}

/// A password, for librdkafka; the last of a setting's values counts.
pub fn sasl(login: &Login) -> Vec<String> {
    vec![
        "security.protocol=sasl_ssl".to_owned(),
        "sasl.mechanisms=PLAIN".to_owned(),
        format!("sasl.username={}", login.username),
        format!("sasl.password={}", login.password),
    ]
}

/// A program to which the names are known: in a name space of its own that has another /etc/hosts.
fn named(hosts: &Path, program: &str) -> Command {
    let mut command = Command::new("unshare");
    let script = "mount --bind \"$0\" /etc/hosts && exec \"$@\"";
    command
        .args(["--user", "--map-root-user", "--mount", "sh", "-c", script])
        .arg(hosts)
        .arg(program)
        .kill_on_drop(true);
    command
}

/// Feeds a program, and gives its output if it ended well.
async fn output(mut command: Command, input: &str) -> Result<Vec<String>, String> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("start a client");
    let mut feed = child.stdin.take().expect("its input");
    let fed = async {
        // One that was refused reads no more.
        let _closed = feed.write_all(input.as_bytes()).await;
        drop(feed);
        child.wait_with_output().await.expect("its output")
    };
    let output = timeout(PATIENCE, fed).await.expect("it ends in time");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let text = String::from_utf8_lossy(&output.stdout);
    // Some say that it failed and end as if it had not.
    let failed = FAILED.iter().any(|it| said.contains(it) || text.contains(it));
    if output.status.success() && !failed {
        Ok(text.lines().map(str::to_owned).collect())
    } else {
        Err(format!("{}: {said}{text}", output.status))
    }
}

fn lines(records: &[&str]) -> String {
    records.iter().map(|it| format!("{it}\n")).collect()
}

fn kcat(address: &Address, settings: &[String], arguments: &[&str]) -> Command {
    let mut command = named(&address.hosts, "kcat");
    let to = [
        format!("bootstrap.servers={}", address.bootstrap),
        format!("ssl.ca.location={}", shown(&address.authority)),
    ];
    for setting in to.iter().chain(settings) {
        command.arg("-X").arg(setting);
    }
    command.args(arguments);
    command
}

pub async fn kcat_produce(
    address: &Address,
    settings: &[String],
    topic: &str,
    records: &[&str],
) -> Result<Vec<String>, String> {
    let arguments = [
        "-P",
        "-t",
        topic,
        "-X",
        "acks=all",
        "-X",
        "message.timeout.ms=8000",
    ];
    output(kcat(address, settings, &arguments), &lines(records)).await
}

pub async fn kcat_consume(
    address: &Address,
    settings: &[String],
    topic: &str,
) -> Result<Vec<String>, String> {
    let arguments = ["-q", "-C", "-t", topic, "-o", "beginning", "-e"];
    output(kcat(address, settings, &arguments), "").await
}

fn java(address: &Address, class: &str, properties: &str, topic: &str) -> Command {
    let file = address.hosts.with_extension(format!("{class}.properties"));
    let text = format!(
        "{properties}ssl.truststore.type=PEM\nssl.truststore.location={}\nmax.block.ms=15000\n",
        shown(&address.authority)
    );
    std::fs::write(&file, text).expect("write the settings");
    let mut command = Command::new(tool("WEIR_CLIENTS_JAVA"));
    command
        .args(["-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"])
        .arg(format!("-Djdk.net.hosts.file={}", shown(&address.hosts)))
        .arg("-cp")
        .arg(tool("WEIR_CLIENTS_JAVA_CLASSES"))
        .arg(format!("org.apache.kafka.tools.{class}"))
        .args(["--bootstrap-server", &address.bootstrap, "--topic", topic])
        .arg("--command-config")
        .arg(file)
        .kill_on_drop(true);
    command
}

pub async fn java_produce(
    address: &Address,
    properties: &str,
    topic: &str,
    records: &[&str],
) -> Result<Vec<String>, String> {
    output(
        java(address, "ConsoleProducer", properties, topic),
        &lines(records),
    )
    .await
}

pub async fn java_consume(
    address: &Address,
    properties: &str,
    topic: &str,
    count: usize,
) -> Result<Vec<String>, String> {
    let mut command = java(address, "consumer.ConsoleConsumer", properties, topic);
    let count = count.to_string();
    command.args([
        "--from-beginning",
        "--max-messages",
        &count,
        "--timeout-ms",
        "60000",
    ]);
    output(command, "").await
}
