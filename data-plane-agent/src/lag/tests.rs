//! Watched groups of a Kafka in memory: two clusters on one pool, and the customer's policy.

use weir_proto::lane::v1::{LogicalCluster, LogicalTopic, Snapshot};

use super::*;
use crate::platform::fake::{FakeGroup, FakeKafka};
use crate::platform::kafka::{NewTopic, PoolAddress};

const POOL: &str = "pool_1";

fn at() -> PoolAddress {
    PoolAddress {
        pool_id: POOL.to_owned(),
        ..PoolAddress::default()
    }
}

fn watch(rule: &str, cluster: &str, group: &str, topic: &str) -> LagWatch {
    LagWatch {
        rule_id: rule.to_owned(),
        cluster_id: cluster.to_owned(),
        group_id: group.to_owned(),
        topic_name: topic.to_owned(),
    }
}

fn cluster(id: &str, prefix: &str) -> LogicalCluster {
    let topic = |name: &str| LogicalTopic {
        id: format!("topic_{name}"),
        name: name.to_owned(),
        physical_name: format!("{prefix}{name}"),
        physical_id: vec![1; 16],
        partitions: 2,
        contract: None,
        mount: None,
        mount_key: Vec::new(),
        key_ring: None,
        mirror: false,
    };
    LogicalCluster {
        id: id.to_owned(),
        broker_pool_id: POOL.to_owned(),
        physical_prefix: prefix.to_owned(),
        topics: vec![topic("orders"), topic("refunds")],
        ..Default::default()
    }
}

/// Every partition ends at 100. `app` is 60 and 10 behind in orders, 1 in refunds, and once read a topic that is gone.
async fn served() -> (FakeKafka, Directory) {
    let kafka = FakeKafka::default();
    for name in ["w1-orders", "w1-refunds", "w2-orders", "w2-refunds"] {
        let topic = NewTopic {
            physical_name: name.to_owned(),
            partitions: 2,
            replication_factor: 1,
            configs: BTreeMap::new(),
        };
        kafka.create_topic(&at(), &topic).await.unwrap();
    }
    let group = |committed: &[(&str, u32, i64)]| FakeGroup {
        committed: committed
            .iter()
            .map(|(name, at, offset)| (((*name).to_owned(), *at), *offset))
            .collect(),
        ..FakeGroup::default()
    };
    let app = group(&[
        ("w1-orders", 0, 40),
        ("w1-orders", 1, 90),
        ("w1-refunds", 0, 99),
        ("w1-gone", 0, 5),
        ("w1-orders", 7, 5),
    ]);
    kafka.put_group(POOL, "w1-app", app);
    kafka.put_group(POOL, "w1-silent", group(&[]));
    kafka.put_group(POOL, "w2-theirs", group(&[("w2-orders", 0, 1)]));
    let snapshot = Snapshot {
        clusters: vec![cluster("cluster_1", "w1-"), cluster("cluster_2", "w2-")],
        ..Default::default()
    };
    let directory = Directory::of(&snapshot, &BTreeMap::from([(POOL.to_owned(), at())]));
    (kafka, directory)
}

fn not(outcome: LagOutcome) -> Found {
    Found::Not(outcome)
}

#[tokio::test]
async fn a_lag_is_of_the_own_group_and_of_the_topic_that_is_meant() {
    let (kafka, directory) = served().await;
    let watches = [
        watch("all", "cluster_1", "app", ""),
        watch("orders", "cluster_1", "app", "orders"),
        watch("refunds", "cluster_1", "app", "refunds"),
        watch("unread", "cluster_1", "app", "payments"),
        watch("nobody", "cluster_1", "nobody", ""),
        watch("silent", "cluster_1", "silent", ""),
        watch("foreign", "cluster_1", "theirs", ""),
        watch("theirs", "cluster_2", "theirs", ""),
        watch("nowhere", "cluster_9", "app", ""),
    ];
    let found = round(&kafka, &watches, &directory, &Policy::default()).await;
    let none = not(LagOutcome::NoCommits);
    assert_eq!(found["all"], Found::Lag(71));
    assert_eq!(found["orders"], Found::Lag(70));
    assert_eq!(found["refunds"], Found::Lag(1));
    assert_eq!(found["unread"], none);
    assert_eq!(found["nobody"], none);
    assert_eq!(found["silent"], none);
    assert_eq!(found["foreign"], none, "another cluster's group of that name");
    assert_eq!(found["theirs"], Found::Lag(99));
    assert_eq!(found["nowhere"], not(LagOutcome::Unreachable));
}

#[tokio::test]
async fn what_is_withheld_says_nothing_of_whether_it_exists() {
    let (kafka, directory) = served().await;
    let policy = Policy::parse("[[rule]]\nrefuse = [\"group.read\"]\nname = \"a*\"").unwrap();
    let watches = [
        watch("there", "cluster_1", "app", ""),
        watch("absent", "cluster_1", "absent", ""),
        watch("odd", "cluster_1", "ap\u{e4}", ""),
        watch("silent", "cluster_1", "silent", ""),
    ];
    let found = round(&kafka, &watches, &directory, &policy).await;
    for rule in ["there", "absent", "odd"] {
        assert_eq!(found[rule], not(LagOutcome::Withheld), "{rule}");
    }
    assert_eq!(found["silent"], not(LagOutcome::NoCommits));
    // Not asked either: brokers that are away change nothing.
    kafka.set_away(true);
    let found = round(&kafka, &watches, &directory, &policy).await;
    assert_eq!(found["there"], not(LagOutcome::Withheld));
    assert_eq!(found["silent"], not(LagOutcome::Unreachable));
    let told = level("there", found["there"]);
    assert_eq!((told.outcome(), told.lag_records), (LagOutcome::Withheld, 0));
}

#[tokio::test]
async fn only_so_many_are_watched() {
    let (kafka, directory) = served().await;
    let ids: Vec<String> = (0..=WATCHES_MAX).map(|at| format!("rule_{at:05}")).collect();
    let watches: Vec<LagWatch> = ids.iter().map(|id| watch(id, "cluster_1", "app", "")).collect();
    let found = round(&kafka, &watches, &directory, &Policy::default()).await;
    assert_eq!(found.len(), WATCHES_MAX + 1);
    assert_eq!(found[ids[WATCHES_MAX - 1].as_str()], Found::Lag(71));
    assert_eq!(found[ids[WATCHES_MAX].as_str()], not(LagOutcome::TooMany));
}
