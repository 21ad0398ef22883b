//! MirrorMaker 2 between two tenants' clusters, each with a key of its own.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::java::{Java, PATIENCE};
use super::kcat;
use crate::rights::{Login, clear, login, topic, unique};
use crate::stack;

const MIRROR: &str = "org.apache.kafka.connect.mirror.MirrorMaker";
const RECORDS: usize = 3_000;

/// From payments' cluster to risk's: everything that begins with `prefix`.
fn settings(prefix: &str, from: &Login, to: &Login) -> String {
    let (source, target) = (
        stack::text("/kafka/payments/bootstrap"),
        stack::text("/kafka/risk/bootstrap"),
    );
    let mut text = format!(
        "clusters=payments,risk\n\
         payments.bootstrap.servers={source}\n\
         risk.bootstrap.servers={target}\n\
         payments->risk.enabled=true\n\
         payments->risk.topics={prefix}.*\n\
         payments->risk.groups={prefix}.*\n\
         risk->payments.enabled=false\n\
         replication.factor=-1\n\
         checkpoints.topic.replication.factor=-1\n\
         heartbeats.topic.replication.factor=-1\n\
         offset-syncs.topic.replication.factor=-1\n\
         offset.storage.replication.factor=-1\n\
         status.storage.replication.factor=-1\n\
         config.storage.replication.factor=-1\n\
         refresh.topics.interval.seconds=2\n\
         refresh.groups.interval.seconds=2\n\
         sync.topic.configs.interval.seconds=2\n\
         emit.checkpoints.interval.seconds=2\n\
         sync.group.offsets.enabled=true\n\
         sync.group.offsets.interval.seconds=2\n\
         offset.lag.max=10\n\
         consumer.auto.offset.reset=earliest\n"
    );
    text.push_str(&from.properties("payments."));
    text.push_str(&to.properties("risk."));
    text
}

/// Values of each key in their order.
fn by_key(lines: &[String]) -> BTreeMap<String, Vec<String>> {
    let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in lines {
        let parts: Vec<&str> = line.split('\t').collect();
        if let [_partition, key, value] = parts[..] {
            all.entry(key.to_owned()).or_default().push(value.to_owned());
        }
    }
    all
}

#[tokio::test]
#[ignore = "needs jars of MirrorMaker: ring slow"]
async fn mirror_maker_copies_a_topic_and_its_groups_offsets() {
    let prefix = unique("mirrored");
    let (name, group) = (format!("{prefix}-orders"), format!("{prefix}-readers"));
    // What clients.md says that it needs: at the source to read what is copied, and topics of its own.
    let rights = [
        ("READER", name.as_str()),
        ("READER", group.as_str()),
        ("TENANT_ADMIN", "mm2-*"),
    ];
    let from = login("payments", &prefix, &rights).await;
    let to = login("risk", &prefix, &[("TENANT_ADMIN", "*")]).await;
    let client = Login::of_story("payments");
    // Fits the pattern of topics, and may not be read.
    let hidden = format!("{prefix}-hidden");
    crate::scene::topic("payments", &hidden, 1, &serde_json::json!({})).await;
    crate::scene::topic(
        "payments",
        &name,
        3,
        &serde_json::json!({"retention_ms": 7_200_000}),
    )
    .await;
    let lines: Vec<String> = (0..RECORDS)
        .map(|it| format!("key-{}\tvalue {it}", it % 50))
        .collect();
    kcat::produce("payments", &client, &name, &lines).await;
    kcat::produce("payments", &client, &hidden, &lines[..10]).await;
    assert_eq!(
        kcat::read_in_group("payments", &client, &group, &name).await,
        RECORDS
    );

    let folder = tempfile::tempdir().expect("a folder");
    let java = Java::start(MIRROR, folder.path(), "mirror", &settings(&prefix, &from, &to));
    let copy = format!("payments.{name}");
    let made = until("the copy is there", &java, async || topic("risk", &copy).await).await;
    assert_eq!(made["spec"]["partitions"], 3, "{made:#}");
    until("its retention is the source's", &java, async || {
        let now = topic("risk", &copy).await?;
        (now["spec"]["retention_ms"] == 7_200_000).then_some(())
    })
    .await;
    let sent = by_key(&kcat::read("payments", &from, &name).await);
    until("every record is copied, in order", &java, async || {
        let found = kcat::read("risk", &to, &copy).await;
        assert!(found.len() <= RECORDS, "{} records", found.len());
        (by_key(&found) == sent).then_some(())
    })
    .await;
    // The group goes on where it was: nothing is left to read.
    until("the group's offsets are copied", &java, async || {
        let more = [format!("key-0\tmore {}", uuid::Uuid::now_v7())];
        kcat::produce("payments", &client, &name, &more).await;
        kcat::read_in_group("payments", &client, &group, &name).await;
        sleep(Duration::from_secs(4)).await;
        let left = offsets(&to, &group).await;
        (left > 0).then_some(())
    })
    .await;
    assert!(
        topic("risk", &format!("payments.{hidden}")).await.is_none(),
        "what may not be read is not copied: {}",
        java.last()
    );
    java.kill().await;
    for tenant in ["payments", "risk"] {
        for left in [&prefix, "payments.", "heartbeats", "mm2-"] {
            clear(tenant, left).await;
        }
    }
}

/// The sum of a group's committed offsets in risk's cluster.
async fn offsets(login: &Login, group: &str) -> i64 {
    use weir_kafka_wire::Connection;
    use weir_kafka_wire::kafka_protocol::messages::{GroupId, OffsetFetchRequest};
    use weir_kafka_wire::kafka_protocol::protocol::StrBytes;
    let bootstrap = stack::text("/kafka/risk/bootstrap");
    let (host, port) = bootstrap.rsplit_once(':').expect("host and port");
    let mut connection = Connection::connect(host, port.parse().expect("a port"))
        .await
        .expect("connect");
    connection
        .login_plain(&login.username, &login.password)
        .await
        .expect("log in");
    let request = OffsetFetchRequest::default()
        .with_group_id(GroupId(StrBytes::from_string(group.to_owned())))
        .with_topics(None);
    let answer = connection.call(&request, 6).await.expect("fetch offsets");
    let partitions = answer.topics.iter().flat_map(|it| &it.partitions);
    partitions.map(|it| it.committed_offset.max(0)).sum()
}

async fn until<T>(what: &str, java: &Java, look: impl AsyncFn() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < end, "not in time: {what}: {}", java.last());
        sleep(Duration::from_millis(500)).await;
    }
}

#[tokio::test]
#[ignore = "needs jars of MirrorMaker: ring slow"]
async fn mirror_maker_without_rights_at_its_target_says_so() {
    let prefix = unique("mirror-refused");
    let from = login("payments", &prefix, &[("TENANT_ADMIN", "*")]).await;
    let to = login("risk", &prefix, &[("READER", "*")]).await;
    let folder = tempfile::tempdir().expect("a folder");
    let java = Java::start(MIRROR, folder.path(), "refused", &settings(&prefix, &from, &to));
    // The Connect worker inside takes a refused creation for a topic that somebody else makes, waits, and stops.
    java.says("Could not look up partition metadata").await;
    assert!(
        topic("risk", &format!("payments.{prefix}-orders"))
            .await
            .is_none(),
        "nothing was made"
    );
    java.kill().await;
    clear("payments", "mm2-").await;
}
