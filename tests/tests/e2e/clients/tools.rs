//! Kafka's own command line tools through the gateway.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;
use tokio::time::timeout;

use super::program::tool;
use crate::scene::Scene;
use crate::stack;

const PATIENCE: Duration = Duration::from_secs(90);
const RECORDS: usize = 50_000;

/// Runs a tool and gives what it printed.
async fn run(class: &str, arguments: &[&str]) -> String {
    let mut command = Command::new(tool("WEIR_CLIENTS_JAVA"));
    command
        .args(["-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp"])
        .arg(tool("WEIR_CLIENTS_JAVA_CLASSES"))
        .arg(format!("org.apache.kafka.tools.{class}"))
        .args(arguments)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let output = timeout(PATIENCE, command.output())
        .await
        .unwrap_or_else(|_late| panic!("{class} takes longer than {PATIENCE:?}"))
        .expect("java starts");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{class} {arguments:?}: {text}\n{complaint}"
    );
    text
}

fn configuration(folder: &Path) -> String {
    let path = folder.join("client.properties");
    let text = format!(
        "security.protocol=SASL_PLAINTEXT\nsasl.mechanism=SCRAM-SHA-512\n\
         sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required \
         username=\"{}\" password=\"{}\";\n",
        stack::text("/kafka/payments/username"),
        stack::text("/kafka/payments/password"),
    );
    std::fs::write(&path, text).expect("write the tools' configuration");
    path.display().to_string()
}

#[tokio::test]
#[ignore = "seven times a JVM: ring slow"]
async fn command_line_tools() {
    let scene = Scene::new("tools").await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = configuration(folder.path());
    let bootstrap = stack::text("/kafka/payments/bootstrap");
    let (topic, count) = (scene.topic.as_str(), RECORDS.to_string());
    let server = ["--bootstrap-server", &bootstrap, "--command-config", &file];

    let sent = run(
        "ProducerPerformance",
        &[
            "--topic",
            topic,
            "--num-records",
            &count,
            "--record-size",
            "200",
            "--throughput",
            "-1",
            "--bootstrap-server",
            &bootstrap,
            "--command-config",
            &file,
        ],
    )
    .await;
    assert!(sent.contains(&format!("{RECORDS} records sent")), "{sent}");

    let ends = run("GetOffsetShell", &[&server[..], &["--topic", topic]].concat()).await;
    let sum: usize = ends
        .lines()
        .filter_map(|line| line.rsplit(':').next()?.parse::<usize>().ok())
        .sum();
    assert_eq!(sum, RECORDS, "{ends}");

    let group = format!("tools-{}", scene.run);
    let read = [
        &server[..],
        &["--topic", topic, "--group", &group, "--num-records", &count],
    ]
    .concat();
    let read = run("ConsumerPerformance", &read).await;
    assert!(read.contains(&format!(" {count},")), "{read}");

    let topics = run(
        "TopicCommand",
        &[&server[..], &["--describe", "--topic", topic]].concat(),
    )
    .await;
    assert!(topics.contains("PartitionCount: 4"), "{topics}");
    let topics = run("TopicCommand", &[&server[..], &["--list"]].concat()).await;
    assert!(
        topics.contains(topic) && !topics.contains(&scene.foreign_topic),
        "{topics}"
    );

    let tool = "consumer.group.ConsumerGroupCommand";
    let described = run(tool, &[&server[..], &["--describe", "--group", &group]].concat()).await;
    let lag: Vec<&str> = described
        .lines()
        .filter(|line| line.contains(topic))
        .filter_map(|line| line.split_whitespace().nth(5))
        .collect();
    assert_eq!(lag, ["0"; 4], "{described}");
    let listed = run("TransactionsCommand", &[&server[..], &["list"]].concat()).await;
    assert!(listed.contains("TransactionalId"), "{listed}");
    scene.clear().await;
}
