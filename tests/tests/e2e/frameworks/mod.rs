//! Kafka's frameworks, unchanged, through the gateway: Streams, Connect, MirrorMaker 2; and compacted topics.
//!
//! Each signs in with a key that administers names that begin alike, and makes its own topics. Each is also started
//! with too few rights, and must say why it cannot go on.

mod connect;
mod java;
pub mod kcat;
mod mirror;

use serde_json::json;

use crate::clients::program::{Program, tool};
use crate::rights::{Login, login, unique};
use crate::stack;

/// Runs a Java program of `tests/clients/frameworks`, and requires these checks of it.
async fn conforms(class: &str, prefix: &str, reader: &str, required: &[&str]) {
    let owner = login("payments", prefix, &[("TENANT_ADMIN", &format!("{prefix}*"))]).await;
    let other = login(
        "payments",
        &format!("{prefix}-refused"),
        &[(reader, &format!("{prefix}*"))],
    )
    .await;
    let settings = json!({
        "bootstrap": stack::text("/kafka/payments/bootstrap"),
        "owner": owner.json(),
        "other": Login::of_story("risk").json(),
        "reader": other.json(),
        "topic": format!("{prefix}-in"),
        "group_topic": format!("{prefix}-out"),
        "foreign_topic": "payments",
        "run": prefix,
    });
    let classes = tool("WEIR_CLIENTS_FRAMEWORKS");
    let arguments = ["-Xmx384m", "-XX:TieredStopAtLevel=1", "-cp", &classes, class];
    let lines = Program::new(&tool("WEIR_CLIENTS_JAVA"), &arguments)
        .with(&settings)
        .await;
    let failed: Vec<String> = lines
        .iter()
        .filter(|it| !it.ok)
        .map(|it| format!("{}: {}", it.check, it.detail))
        .collect();
    assert!(failed.is_empty(), "{class}:\n{}", failed.join("\n"));
    for check in required {
        assert!(
            lines.iter().any(|it| it.check == *check),
            "{class} did not check {check}"
        );
    }
}

#[tokio::test]
#[ignore = "needs jars of Kafka Streams: ring slow"]
async fn streams_counts_exactly_once_on_topics_of_its_own() {
    let required = ["exactly once", "internal topics", "cleared", "wrong rights"];
    // May read and write, but not make topics.
    conforms("Counting", &unique("streams"), "DEVELOPER", &required).await;
}

#[tokio::test]
#[ignore = "waits for the brokers' cleaner: ring slow"]
async fn compaction_keeps_the_newest_of_each_key() {
    let required = ["newest of each key", "without a key", "wrong rights", "cleared"];
    conforms("Compacting", &unique("compact"), "READER", &required).await;
}
