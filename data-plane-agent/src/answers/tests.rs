//! Groups asked of a Kafka in memory: two clusters on one pool, so that each sees its own only.

use std::collections::BTreeMap;

use weir_proto::agent::v1::{
    GroupDeleteQuestion, GroupMove, GroupQuestion, GroupResetQuestion, GroupState, GroupTarget,
    GroupsQuestion, ResetTo, TopicExtentQuestion,
};
use weir_proto::lane::v1::{LogicalCluster, LogicalTopic, Snapshot};

use super::*;
use crate::platform::fake::{self, FakeGroup, FakeKafka};
use crate::platform::kafka::{Kafka as _, NewTopic, PoolAddress};

const POOL: &str = "pool_1";

struct Bench {
    platform: Platform,
    kafka: FakeKafka,
    directory: Directory,
    policy: Policy,
}

fn at() -> PoolAddress {
    PoolAddress {
        pool_id: POOL.to_owned(),
        ..PoolAddress::default()
    }
}

fn member(places: &[(&str, u32)]) -> std::collections::BTreeSet<(String, u32)> {
    places
        .iter()
        .map(|(name, at)| ((*name).to_owned(), *at))
        .collect()
}

fn group(members: &[&[(&str, u32)]], committed: &[(&str, u32, i64)]) -> FakeGroup {
    FakeGroup {
        members: members.iter().map(|it| member(it)).collect(),
        committed: committed
            .iter()
            .map(|(name, at, offset)| (((*name).to_owned(), *at), *offset))
            .collect(),
    }
}

impl Bench {
    /// Cluster 1 has the topic orders with two partitions; cluster 2 has one of the same name.
    async fn new(policy: &str) -> Self {
        let (platform, kafka, _processes) = fake::platform();
        let cluster = |id: &str, prefix: &str, topic: &str| LogicalCluster {
            id: id.to_owned(),
            broker_pool_id: POOL.to_owned(),
            physical_prefix: prefix.to_owned(),
            topics: vec![LogicalTopic {
                id: topic.to_owned(),
                name: "orders".to_owned(),
                physical_name: format!("{prefix}orders"),
                physical_id: vec![1; 16],
                partitions: 1,
                contract: None,
                mount: None,
                mount_key: Vec::new(),
                key_ring: None,
                mirror: false,
            }],
            ..Default::default()
        };
        let snapshot = Snapshot {
            clusters: vec![
                cluster("cluster_1", "w1-", "topic_1"),
                cluster("cluster_2", "w2-", "topic_2"),
            ],
            ..Default::default()
        };
        for name in ["w1-orders", "w2-orders"] {
            let topic = NewTopic {
                physical_name: name.to_owned(),
                partitions: 2,
                replication_factor: 1,
                configs: BTreeMap::new(),
            };
            kafka.create_topic(&at(), &topic).await.unwrap();
        }
        let app = group(&[], &[("w1-orders", 0, 40), ("w1-orders", 1, 90), ("gone", 0, 5)]);
        kafka.put_group(POOL, "w1-app", app);
        kafka.put_group(
            POOL,
            "w1-busy",
            group(&[&[("w1-orders", 1)], &[]], &[("w1-orders", 1, 7)]),
        );
        kafka.put_group(POOL, "w1-odd\u{e4}", group(&[], &[]));
        kafka.put_group(POOL, "w2-theirs", group(&[], &[("w2-orders", 0, 1)]));
        Self {
            directory: Directory::of(&snapshot, &BTreeMap::from([(POOL.to_owned(), at())])),
            policy: Policy::parse(policy).unwrap(),
            platform,
            kafka,
        }
    }

    async fn ask(&self, question: Question) -> Answer {
        let ask = Ask {
            ask_id: 5,
            deadline_ms: 1000,
            question: Some(question),
            ..Ask::default()
        };
        let desk = Desk {
            platform: &self.platform,
            directory: &self.directory,
            policy: &self.policy,
            questions: &crate::lane::Questions::default(),
        };
        answer(&ask, &desk).await
    }

    async fn list(&self, cluster: &str, after: &str, limit: u32) -> GroupsAnswer {
        let question = GroupsQuestion {
            cluster_id: cluster.to_owned(),
            after: after.to_owned(),
            limit,
        };
        self.ask(Question::Groups(question)).await.groups.unwrap()
    }

    async fn reset(&self, group: &str, to: ResetTo, value: i64) -> Answer {
        self.ask(Question::GroupReset(reset(group, to, value))).await
    }
}

fn reset(group: &str, to: ResetTo, value: i64) -> GroupResetQuestion {
    GroupResetQuestion {
        cluster_id: "cluster_1".to_owned(),
        group_id: group.to_owned(),
        to: to.into(),
        value,
        ..Default::default()
    }
}

fn ids(answer: &GroupsAnswer) -> Vec<&str> {
    answer.groups.iter().map(|it| it.group_id.as_str()).collect()
}

fn moves(answer: &Answer) -> Vec<(u32, i64, i64)> {
    assert_eq!(answer.code(), AnswerCode::Ok);
    let moves = answer.group_moves.as_ref().unwrap().moves.iter();
    moves
        .map(|it: &GroupMove| {
            assert_eq!(it.topic_id, "topic_1");
            (it.partition, it.from_offset, it.to_offset)
        })
        .collect()
}

#[tokio::test]
async fn a_cluster_lists_its_own_groups_page_by_page_and_odd_ids_are_only_counted() {
    let bench = Bench::new("").await;
    let all = bench.list("cluster_1", "", 100).await;
    assert_eq!(
        (ids(&all), all.more, all.withheld),
        (vec!["app", "busy"], false, 1)
    );
    let app = &all.groups[0];
    assert_eq!((app.lag, app.partitions, app.members), (70, 2, 0));
    assert_eq!(
        (app.state(), all.groups[1].state()),
        (GroupState::Empty, GroupState::Stable)
    );
    let first = bench.list("cluster_1", "", 1).await;
    assert_eq!((ids(&first), first.more), (vec!["app"], true));
    let second = bench.list("cluster_1", "app", 1).await;
    assert_eq!((ids(&second), second.more), (vec!["busy"], false));
    assert_eq!(ids(&bench.list("cluster_2", "", 9).await), ["theirs"]);
    let unknown = bench
        .ask(Question::Groups(GroupsQuestion {
            cluster_id: "cluster_9".to_owned(),
            ..Default::default()
        }))
        .await;
    assert_eq!(unknown.code(), AnswerCode::NotFound);
}

#[tokio::test]
async fn the_policy_withholds_groups_and_then_they_are_not_there() {
    let bench = Bench::new("[[rule]]\nrefuse = [\"group.read\"]\nname = \"ap*\"").await;
    let all = bench.list("cluster_1", "", 100).await;
    assert_eq!((ids(&all), all.withheld), (vec!["busy"], 2));
    let app = GroupQuestion {
        cluster_id: "cluster_1".to_owned(),
        group_id: "app".to_owned(),
    };
    assert_eq!(bench.ask(Question::Group(app)).await.code(), AnswerCode::NotFound);
    assert_eq!(
        bench.reset("app", ResetTo::Latest, 0).await.code(),
        AnswerCode::NotFound
    );
}

#[tokio::test]
async fn a_group_from_near_shows_where_it_is_and_who_has_what_by_number() {
    let bench = Bench::new("").await;
    let ask = |group: &str| {
        let (cluster_id, group_id) = ("cluster_1".to_owned(), group.to_owned());
        Question::Group(GroupQuestion { cluster_id, group_id })
    };
    let busy = bench.ask(ask("busy")).await.group.unwrap();
    let assigned: Vec<_> = busy.members.iter().map(|it| (it.member, it.partitions)).collect();
    assert_eq!(assigned, [(1, 1), (2, 0)]);
    assert_eq!(busy.positions.len(), 1);
    let place = &busy.positions[0];
    assert_eq!(
        (place.committed_offset, place.log_end_offset, place.member),
        (7, 100, 1)
    );
    for other in ["theirs", "w2-theirs", "", "w1-app"] {
        assert_eq!(
            bench.ask(ask(other)).await.code(),
            AnswerCode::NotFound,
            "{other}"
        );
    }
}

#[tokio::test]
async fn offsets_are_moved_where_it_was_asked_and_not_beyond_the_log() {
    let bench = Bench::new("").await;
    let plan = GroupResetQuestion {
        dry_run: true,
        ..reset("app", ResetTo::Earliest, 0)
    };
    let planned = bench.ask(Question::GroupReset(plan)).await;
    assert_eq!(moves(&planned), [(0, 40, 0), (1, 90, 0)]);
    let untouched = bench.kafka.group(POOL, "w1-app").unwrap();
    assert_eq!(untouched.committed[&("w1-orders".to_owned(), 0)], 40);
    let to = |to, value| bench.reset("app", to, value);
    assert_eq!(moves(&to(ResetTo::Shift, 20).await), [(0, 40, 60), (1, 90, 100)]);
    assert_eq!(moves(&to(ResetTo::Shift, -70).await), [(0, 60, 0), (1, 100, 30)]);
    assert_eq!(moves(&to(ResetTo::Offset, 9).await), [(0, 0, 9), (1, 30, 9)]);
    assert_eq!(moves(&to(ResetTo::Time, 55).await), [(0, 9, 55), (1, 9, 55)]);
    assert_eq!(moves(&to(ResetTo::Latest, 0).await), [(0, 55, 100), (1, 55, 100)]);
    let now = bench.kafka.group(POOL, "w1-app").unwrap();
    assert_eq!(now.committed[&("w1-orders".to_owned(), 1)], 100);
    assert_eq!(
        now.committed[&("gone".to_owned(), 0)],
        5,
        "what is not ours stays"
    );
    assert_eq!(to(ResetTo::Unspecified, 0).await.code(), AnswerCode::Unsupported);
}

#[tokio::test]
async fn only_the_named_partitions_move_and_they_must_exist() {
    let bench = Bench::new("").await;
    let named = |topic: &str, partitions: &[u32]| GroupResetQuestion {
        targets: vec![GroupTarget {
            topic_id: topic.to_owned(),
            partitions: partitions.to_vec(),
        }],
        ..reset("app", ResetTo::Offset, 3)
    };
    let moved = bench.ask(Question::GroupReset(named("topic_1", &[1]))).await;
    assert_eq!(moves(&moved), [(1, 90, 3)]);
    let whole = bench.ask(Question::GroupReset(named("topic_1", &[]))).await;
    assert_eq!(moves(&whole), [(0, 40, 3), (1, 3, 3)]);
    for missing in [
        named("topic_1", &[2]),
        named("topic_2", &[0]),
        named("topic_9", &[]),
    ] {
        let refused = bench.ask(Question::GroupReset(missing)).await;
        assert_eq!(refused.code(), AnswerCode::UnknownPartition);
    }
}

#[tokio::test]
async fn a_group_with_members_is_not_touched() {
    let bench = Bench::new("").await;
    assert_eq!(
        bench.reset("busy", ResetTo::Latest, 0).await.code(),
        AnswerCode::GroupActive
    );
    let delete = |dry_run| {
        let (cluster_id, group_id) = ("cluster_1".to_owned(), "busy".to_owned());
        Question::GroupDelete(GroupDeleteQuestion {
            cluster_id,
            group_id,
            dry_run,
        })
    };
    for dry_run in [true, false] {
        assert_eq!(bench.ask(delete(dry_run)).await.code(), AnswerCode::GroupActive);
    }
    let log = bench.kafka.log();
    assert!(
        !log.iter().any(|it| it.ends_with("w1-busy")),
        "Kafka was not asked: {log:?}"
    );
    // Kafka's own refusals say the same.
    for kafka in [25, 27, 68, 113] {
        assert_eq!(code(KafkaError::Refused(kafka)), AnswerCode::GroupActive);
    }
}

#[tokio::test]
async fn an_idle_group_is_deleted_once_and_another_clusters_never() {
    let bench = Bench::new("").await;
    let delete = |group: &str, dry_run| {
        Question::GroupDelete(GroupDeleteQuestion {
            cluster_id: "cluster_1".to_owned(),
            group_id: group.to_owned(),
            dry_run,
        })
    };
    let planned = bench.ask(delete("app", true)).await;
    assert_eq!(moves(&planned), [(0, 40, -1), (1, 90, -1)]);
    assert!(bench.kafka.group(POOL, "w1-app").is_some());
    assert_eq!(bench.ask(delete("app", false)).await.code(), AnswerCode::Ok);
    assert!(bench.kafka.group(POOL, "w1-app").is_none());
    assert_eq!(bench.ask(delete("app", false)).await.code(), AnswerCode::NotFound);
    assert_eq!(
        bench.ask(delete("theirs", false)).await.code(),
        AnswerCode::NotFound
    );
    assert!(bench.kafka.group(POOL, "w2-theirs").is_some());
}

#[tokio::test]
async fn the_customers_policy_has_the_last_word() {
    let bench = Bench::new("refuse = [\"group.reset\", \"group.delete\"]").await;
    assert_eq!(
        bench.reset("app", ResetTo::Latest, 0).await.code(),
        AnswerCode::PolicyRefused
    );
    let question = GroupDeleteQuestion {
        cluster_id: "cluster_1".to_owned(),
        group_id: "app".to_owned(),
        dry_run: false,
    };
    let refused = bench.ask(Question::GroupDelete(question)).await;
    assert_eq!(refused.code(), AnswerCode::PolicyRefused);
    let kept = bench.kafka.group(POOL, "w1-app").unwrap();
    assert_eq!(kept.committed[&("w1-orders".to_owned(), 0)], 40);
    bench.kafka.set_away(true);
    let question = Question::Groups(GroupsQuestion {
        cluster_id: "cluster_1".to_owned(),
        ..Default::default()
    });
    assert_eq!(bench.ask(question).await.code(), AnswerCode::Unavailable);
}

#[tokio::test]
async fn a_read_looks_again_when_kafka_is_away_for_a_moment_an_act_does_not() {
    let bench = Bench::new("").await;
    let extent = Question::TopicExtent(TopicExtentQuestion {
        topic_id: "topic_1".to_owned(),
    });
    bench.kafka.set_away(true);
    assert_eq!(bench.ask(extent.clone()).await.code(), AnswerCode::Unavailable);
    let back = async || {
        tokio::time::sleep(LOOK_AGAIN_AFTER[0] / 2).await;
        bench.kafka.set_away(false);
    };
    let (answered, ()) = tokio::join!(bench.ask(extent), back());
    assert_eq!(answered.code(), AnswerCode::Ok);
    bench.kafka.set_away(true);
    let reset = Question::GroupReset(reset("app", ResetTo::Earliest, 0));
    let (refused, ()) = tokio::join!(bench.ask(reset), back());
    assert_eq!(refused.code(), AnswerCode::Unavailable);
}
