//! A distributed Connect worker: its three compacted topics, a file source that is exactly once, a file sink, a restart.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::time::{Instant, sleep};

use super::java::{Java, PATIENCE};
use super::kcat;
use crate::api;
use crate::rights::{Login, clear, login, topic, unique};
use crate::stack;

const WORKER: &str = "org.apache.kafka.connect.cli.ConnectDistributed";
const LINES: usize = 2_000;

/// A worker and its place.
struct Worker<'a> {
    folder: &'a Path,
    prefix: &'a str,
    port: u16,
}

impl Worker<'_> {
    fn start(&self, login: &Login, name: &str) -> Java {
        let Self { folder, prefix, port } = self;
        let mut text = format!(
            "bootstrap.servers={}\n\
             group.id={prefix}-workers\n\
             listeners=http://127.0.0.1:{port}\n\
             key.converter=org.apache.kafka.connect.storage.StringConverter\n\
             value.converter=org.apache.kafka.connect.storage.StringConverter\n\
             config.storage.topic={prefix}-configs\n\
             offset.storage.topic={prefix}-offsets\n\
             status.storage.topic={prefix}-statuses\n\
             config.storage.replication.factor=-1\n\
             offset.storage.replication.factor=-1\n\
             status.storage.replication.factor=-1\n\
             offset.storage.partitions=3\n\
             status.storage.partitions=2\n\
             offset.flush.interval.ms=500\n\
             exactly.once.source.support=enabled\n\
             scheduled.rebalance.max.delay.ms=0\n\
             plugin.discovery=hybrid_warn\n",
            stack::text("/kafka/payments/bootstrap")
        );
        for whose in ["", "producer.", "consumer.", "admin."] {
            text.push_str(&login.properties(whose));
        }
        Java::start(WORKER, folder, name, &text)
    }

    async fn call(&self, method: &str, path: &str, body: &Value) -> Option<(u16, Value)> {
        api::plain(method, &format!("http://127.0.0.1:{}{path}", self.port), body).await
    }

    async fn until_up(&self, java: &Java) {
        let end = Instant::now() + PATIENCE;
        while self
            .call("GET", "/connectors", &Value::Null)
            .await
            .is_none_or(|it| it.0 != 200)
        {
            assert!(Instant::now() < end, "the worker is not up: {}", java.last());
            sleep(Duration::from_millis(300)).await;
        }
    }

    async fn connector(&self, java: &Java, name: &str, config: &Value) {
        let path = format!("/connectors/{name}/config");
        let made = self.call("PUT", &path, config).await;
        assert!(matches!(made, Some((200 | 201, _))), "{made:?} {}", java.last());
    }
}

fn lines(from: usize, to: usize) -> Vec<String> {
    (from..to).map(|it| format!("line {it}")).collect()
}

fn append(file: &Path, lines: &[String]) {
    use std::io::Write as _;
    let mut open = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(file)
        .expect("open the source");
    let text: String = lines.iter().map(|it| format!("{it}\n")).collect();
    open.write_all(text.as_bytes()).expect("write the source");
}

/// Waits until a connector's task has failed, and says why.
async fn failure(worker: &Worker<'_>, java: &Java, name: &str) -> String {
    let end = Instant::now() + PATIENCE;
    loop {
        let status = worker
            .call("GET", &format!("/connectors/{name}/status"), &Value::Null)
            .await;
        if let Some((200, status)) = &status {
            let failed = std::iter::once(&status["connector"])
                .chain(status["tasks"].as_array().into_iter().flatten())
                .find(|it| it["state"] == "FAILED");
            if let Some(why) = failed.and_then(|it| it["trace"].as_str()) {
                return why.to_owned();
            }
        }
        assert!(Instant::now() < end, "{name}: {status:?} {}", java.last());
        sleep(Duration::from_millis(300)).await;
    }
}

/// Waits until the sink has every line, in order; one may come twice: the sink is at least once.
async fn until_sunk(file: &Path, expected: &[String], java: &Java) {
    let end = Instant::now() + PATIENCE;
    loop {
        let text = std::fs::read_to_string(file).unwrap_or_default();
        let mut found: Vec<&str> = text.lines().collect();
        let mut seen = std::collections::HashSet::new();
        found.retain(|it| seen.insert(*it));
        if found == expected {
            return;
        }
        assert!(
            Instant::now() < end,
            "{} of {} lines arrived: {}",
            found.len(),
            expected.len(),
            java.last()
        );
        sleep(Duration::from_millis(300)).await;
    }
}

/// One of the worker's own topics: it answers before it has made them.
async fn internal(name: &str, java: &Java) -> Value {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(made) = topic("payments", name).await {
            return made;
        }
        assert!(Instant::now() < end, "{name} is not made: {}", java.last());
        sleep(Duration::from_millis(300)).await;
    }
}

#[tokio::test]
#[ignore = "needs jars of Connect: ring slow"]
async fn connect_carries_a_file_through_a_topic_of_its_own() {
    let prefix = unique("connect");
    let rights = [
        ("TENANT_ADMIN", format!("{prefix}*")),
        // Groups of sinks, and the leader's transactional id.
        ("DEVELOPER", format!("connect-{prefix}*")),
        ("DEVELOPER", format!("connect-cluster-{prefix}*")),
    ];
    let rights = rights.each_ref().map(|(role, names)| (*role, names.as_str()));
    let login = login("payments", &prefix, &rights).await;
    let folder = tempfile::tempdir().expect("a folder");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("its address").port();
    drop(listener);
    let worker = Worker {
        folder: folder.path(),
        prefix: &prefix,
        port,
    };
    let (source, sink) = (folder.path().join("source.txt"), folder.path().join("sink.txt"));
    append(&source, &lines(0, LINES));

    let java = worker.start(&login, "first");
    worker.until_up(&java).await;
    for name in ["configs", "offsets", "statuses"] {
        let made = internal(&format!("{prefix}-{name}"), &java).await;
        assert_eq!(made["spec"]["cleanup_policy"], "COMPACT", "{made:#}");
    }
    let data = format!("{prefix}-lines");
    let from = json!({
        "connector.class": "org.apache.kafka.connect.file.FileStreamSourceConnector",
        "tasks.max": "1", "file": source, "topic": data,
        "topic.creation.default.partitions": "1",
        "topic.creation.default.replication.factor": "-1",
    });
    worker.connector(&java, &format!("{prefix}-source"), &from).await;
    let to = json!({
        "connector.class": "org.apache.kafka.connect.file.FileStreamSinkConnector",
        "tasks.max": "1", "file": sink, "topics": data,
    });
    worker.connector(&java, &format!("{prefix}-sink"), &to).await;
    until_sunk(&sink, &lines(0, LINES), &java).await;
    java.kill().await;

    // What a new worker finds in its topics is where the old one was.
    append(&source, &lines(LINES, 2 * LINES));
    let java = worker.start(&login, "second");
    until_sunk(&sink, &lines(0, 2 * LINES), &java).await;
    refused(&worker, &java, &source).await;
    let found = kcat::read("payments", &login, &data).await;
    let values: Vec<&str> = found.iter().filter_map(|it| it.split('\t').nth(2)).collect();
    assert_eq!(values, lines(0, 2 * LINES), "the source is exactly once");
    java.kill().await;
    clear("payments", &prefix).await;
}

/// Connectors whose worker may not do what they ask for fail, and say so; the others run on.
async fn refused(worker: &Worker<'_>, java: &Java, source: &Path) {
    // Another topic of the tenant, which the worker's key may not see.
    let hidden = unique("hidden-of-connect");
    crate::scene::topic("payments", &hidden, 1, &json!({})).await;
    let from = json!({
        "connector.class": "org.apache.kafka.connect.file.FileStreamSourceConnector",
        "tasks.max": "1", "file": source, "topic": hidden,
        "topic.creation.default.partitions": "1",
        "topic.creation.default.replication.factor": "-1",
    });
    let to = json!({
        "connector.class": "org.apache.kafka.connect.file.FileStreamSinkConnector",
        "tasks.max": "1", "file": worker.folder.join("hidden.txt"), "topics": hidden,
    });
    for (kind, config) in [("source", &from), ("sink", &to)] {
        let name = format!("{}-refused-{kind}", worker.prefix);
        worker.connector(java, &name, config).await;
        let why = failure(worker, java, &name).await;
        assert!(why.contains("uthoriz"), "{kind}: {why}");
        let ended = worker
            .call("DELETE", &format!("/connectors/{name}"), &Value::Null)
            .await;
        assert!(matches!(ended, Some((204, _))), "{ended:?}");
    }
    let written = kcat::read("payments", &Login::of_story("payments"), &hidden).await;
    assert_eq!(written, Vec::<String>::new(), "the refused source wrote nothing");
    clear("payments", &hidden).await;
}

#[tokio::test]
#[ignore = "needs jars of Connect: ring slow"]
async fn connect_without_the_role_says_so() {
    let prefix = unique("connect-refused");
    let login = login("payments", &prefix, &[("DEVELOPER", &format!("{prefix}*"))]).await;
    let folder = tempfile::tempdir().expect("a folder");
    let worker = Worker {
        folder: folder.path(),
        prefix: &prefix,
        port: 0,
    };
    let java = worker.start(&login, "refused");
    // Connect takes a refused creation for a topic that somebody else makes, waits, and stops.
    java.says("Could not look up partition metadata").await;
    java.says("Kafka Connect stopping").await;
    assert!(topic("payments", &format!("{prefix}-configs")).await.is_none());
}
