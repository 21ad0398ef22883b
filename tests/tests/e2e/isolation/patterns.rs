//! KIP-848: patterns of consumer groups see one tenant's topics, and the brokers are told none.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::{Instant, sleep};
use uuid::Uuid;
use weir_kafka_wire::Connection;
use weir_kafka_wire::kafka_protocol::messages::{
    ConsumerGroupDescribeRequest, ConsumerGroupHeartbeatRequest, FindCoordinatorRequest,
};
use weir_proto::lane::v1::Snapshot;

use super::acts::{connect, text};
use super::cluster_of;
use super::secrets::{snapshot, virtual_id};
use crate::scene::{Scene, topic};

const PATIENCE: Duration = Duration::from_secs(30);
/// Kafka's INVALID_REGULAR_EXPRESSION.
const INVALID_PATTERN: i16 = 128;
/// Longer than the brokers need to assign what is there.
const LONG_ENOUGH: Duration = Duration::from_secs(3);

/// A member that subscribes by a pattern.
struct Member {
    connection: Connection,
    request: ConsumerGroupHeartbeatRequest,
    assigned: BTreeSet<Uuid>,
    /// Everything that it was ever given.
    seen: BTreeSet<Uuid>,
}

impl Member {
    async fn new(group: &str, pattern: &str) -> Self {
        let request = ConsumerGroupHeartbeatRequest::default()
            .with_group_id(text(group).into())
            .with_member_id(text(&Uuid::new_v4().to_string()))
            .with_rebalance_timeout_ms(5000)
            .with_subscribed_topic_regex(Some(text(pattern)))
            .with_topic_partitions(Some(Vec::new()));
        Self {
            connection: connect("payments").await,
            request,
            assigned: BTreeSet::new(),
            seen: BTreeSet::new(),
        }
    }

    async fn beat(&mut self) {
        let answer = self.connection.call(&self.request, 1).await.expect("a heartbeat");
        assert_eq!(answer.error_code, 0, "{answer:?}");
        self.request.member_epoch = answer.member_epoch;
        self.request.subscribed_topic_regex = None;
        self.request.topic_partitions = None;
        if let Some(assignment) = answer.assignment {
            self.assigned = assignment.topic_partitions.iter().map(|it| it.topic_id).collect();
            self.seen.extend(&self.assigned);
            let owned = assignment.topic_partitions.into_iter().map(|it| {
                use weir_kafka_wire::kafka_protocol::messages::consumer_group_heartbeat_request::TopicPartitions;
                TopicPartitions::default()
                    .with_topic_id(it.topic_id)
                    .with_partitions(it.partitions)
            });
            self.request.topic_partitions = Some(owned.collect());
        }
        sleep(Duration::from_millis(100)).await;
    }

    async fn until(&mut self, what: &str, held: impl Fn(&BTreeSet<Uuid>) -> bool) {
        let end = Instant::now() + PATIENCE;
        while !held(&self.assigned) {
            assert!(Instant::now() < end, "{what}: {:?}", self.assigned);
            self.beat().await;
        }
    }

    async fn stay(&mut self, time: Duration) {
        let end = Instant::now() + time;
        while Instant::now() < end {
            self.beat().await;
        }
    }

    async fn leave(mut self) -> BTreeSet<Uuid> {
        self.request.member_epoch = -1;
        let _left = self.connection.call(&self.request, 1).await.expect("leave");
        self.seen
    }
}

fn ids(snapshot: &Snapshot, names: &[&str]) -> BTreeSet<Uuid> {
    let topics = &cluster_of(snapshot, "payments").topics;
    let named = topics.iter().filter(|it| names.contains(&it.name.as_str()));
    named.map(|it| virtual_id(&it.id)).collect()
}

#[tokio::test]
async fn a_pattern_of_a_consumer_group_finds_own_topics_only() {
    let scene = Scene::new("pattern").await;
    let run = &scene.run;
    let own = ids(&snapshot(), &[&scene.topic, &scene.group_topic]);
    assert_eq!(own.len(), 2);
    let prefix = cluster_of(&snapshot(), "risk").physical_prefix.clone();
    let nothing = [
        scene.foreign_topic.clone(),
        format!("foreign-{run}|{prefix}.*"),
        "w0.*".to_owned(),
        "__.*".to_owned(),
        format!(".*{prefix}.*"),
        // The end of the group that the gateway puts around it.
        format!("x)|(?:foreign-{run}"),
    ];
    for (at, pattern) in nothing.iter().enumerate() {
        let mut member = Member::new(&format!("none-{at}-{run}"), pattern).await;
        member.stay(LONG_ENOUGH).await;
        assert_eq!(member.leave().await, BTreeSet::new(), "{pattern}");
    }
    let mut everything = Member::new(&format!("pattern-{run}"), ".*").await;
    everything
        .until("both own topics", |now| own.is_subset(now))
        .await;
    // One more here and one more there: only ours is found.
    let (ours, theirs) = (format!("later-{run}"), format!("later-foreign-{run}"));
    let made = topic("payments", &ours, 1, &serde_json::json!({})).await;
    let others = topic("risk", &theirs, 1, &serde_json::json!({})).await;
    let id = |it: &serde_json::Value| virtual_id(it["id"].as_str().expect("an id"));
    let (made, others) = (id(&made), id(&others));
    everything
        .until("the new own topic", |now| now.contains(&made))
        .await;
    everything.stay(LONG_ENOUGH).await;
    assert_brokers_are_told_no_pattern(&format!("pattern-{run}")).await;
    let seen = everything.leave().await;
    assert!(!seen.contains(&others), "{seen:?}");
    let now = snapshot();
    let topics = cluster_of(&now, "payments").topics.iter();
    let known: BTreeSet<Uuid> = topics.map(|it| virtual_id(&it.id)).collect();
    let strange: Vec<_> = seen.difference(&known).collect();
    crate::rights::clear("payments", &ours).await;
    crate::rights::clear("risk", &theirs).await;
    scene.clear().await;
    // What another test made and removed meanwhile was ours too; nothing of the other tenant's may be among it.
    let foreign = cluster_of(&now, "risk").topics.iter();
    let foreign: BTreeSet<Uuid> = foreign.map(|it| virtual_id(&it.id)).collect();
    assert!(strange.iter().all(|it| !foreign.contains(it)), "{strange:?}");
}

#[tokio::test]
async fn a_pattern_that_is_none_is_refused() {
    let mut member = Member::new("no-pattern", "(").await;
    let answer = member
        .connection
        .call(&member.request, 1)
        .await
        .expect("an answer");
    assert_eq!(answer.error_code, INVALID_PATTERN, "{answer:?}");
    assert!(answer.assignment.is_none(), "{answer:?}");
}

/// Asked directly: the brokers hold names with our prefix and no pattern.
async fn assert_brokers_are_told_no_pattern(group: &str) {
    let now = snapshot();
    let cluster = cluster_of(&now, "payments");
    let physical = format!("{}{group}", cluster.physical_prefix);
    let upstream = now
        .upstreams
        .iter()
        .find(|it| it.broker_pool_id == cluster.broker_pool_id)
        .expect("the pool is served");
    let mut found = None;
    for broker in &upstream.brokers {
        let port = u16::try_from(broker.port).expect("a port");
        let mut direct = Connection::connect(&broker.host, port).await.expect("the broker");
        direct
            .login_plain(&upstream.sasl_username, &upstream.sasl_password)
            .await
            .expect("the internal login");
        let find = FindCoordinatorRequest::default().with_coordinator_keys(vec![text(&physical)]);
        let _found = direct.call(&find, 4).await.expect("find the coordinator");
        let request = ConsumerGroupDescribeRequest::default().with_group_ids(vec![text(&physical).into()]);
        let answer = direct.call(&request, 1).await.expect("describe the group");
        found = found.or(answer.groups.into_iter().find(|it| it.error_code == 0));
    }
    let found = found.expect("a broker coordinates the group");
    assert_eq!(found.members.len(), 1, "{found:?}");
    for member in &found.members {
        assert!(
            member
                .subscribed_topic_regex
                .as_ref()
                .is_none_or(|it| it.is_empty()),
            "{member:?}"
        );
        for name in &member.subscribed_topic_names {
            assert!(name.starts_with(&cluster.physical_prefix), "{name:?}");
        }
    }
}
