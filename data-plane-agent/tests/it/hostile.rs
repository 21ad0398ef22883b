//! A control plane in a thief's hands: what it asks for is refused, reported, and changes nothing.

use weir_proto::agent::v1::agent_frame::Frame as Up;
use weir_proto::agent::v1::ask::Question;
use weir_proto::agent::v1::control_frame::Frame as Down;
use weir_proto::agent::v1::{
    AgentFrame, ApiKey, BrokerPool, DesiredFrame, Generation, Grant, GroupDeleteQuestion, Phase, Reason,
    Refusal, Topic,
};
use weir_proto::desired::seal;

use crate::control_plane::signing_key;
use crate::harness::{CLUSTER, Harness, KEY, LIMIT, POOL, topic, wish};

fn refused(frames: &[AgentFrame]) -> Vec<Refusal> {
    let refused = frames.iter().filter_map(|frame| match &frame.frame {
        Some(Up::Status(report)) => report.refused.as_ref().map(|it| it.refusal()),
        _other => None,
    });
    refused.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn forged_stale_and_rewritten_wishes_are_refused_and_reported() {
    let harness = Harness::new().await;
    let agent = harness.agent().await;
    let plane = &harness.control_plane;
    let kept = wish(vec![topic("topic_01t", "orders", 1)]);
    plane.wish(plane.seal(3, 5, &kept)).await;
    harness
        .status("topic_01t", |it| it.observed_partitions == 1)
        .await;
    let mut empty = wish(vec![]);
    let later = i64::MAX / 2;
    use prost::Message;
    let forged = seal(
        &signing_key(),
        Generation { epoch: 9, n: 9 },
        later,
        empty.encode_to_vec(),
    );
    let mut cases: Vec<(DesiredFrame, Refusal)> = vec![
        (forged, Refusal::Signature),
        (plane.seal(3, 4, &empty), Refusal::Stale),
        (plane.seal(2, 900, &empty), Refusal::Stale),
        (plane.seal(3, 5, &empty), Refusal::Rewritten),
    ];
    empty.data_plane_id = "data_plane_01other".to_owned();
    cases.push((plane.seal(3, 6, &empty), Refusal::Foreign));
    for (at, (frame, refusal)) in cases.into_iter().enumerate() {
        plane.send(Down::Desired(frame)).await;
        let seen = plane
            .until("a refusal", LIMIT, |frames| {
                Some(refused(frames)).filter(|it| it.len() > at)
            })
            .await;
        assert_eq!(seen.last(), Some(&refusal));
    }
    assert_eq!(agent.board().borrow().accepted, Generation { epoch: 3, n: 5 });
    assert!(harness.kafka.topics_of(POOL).contains_key("w01c-orders"));
    assert_eq!(harness.kafka.log(), ["create w01c-orders"]);
    agent.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_that_is_not_signed_or_comes_again_is_not_answered() {
    let harness = Harness::new().await;
    let agent = harness.agent().await;
    let plane = &harness.control_plane;
    plane.wish(plane.seal(1, 1, &wish(vec![]))).await;
    harness.phase(CLUSTER, Phase::Provisioning).await;
    let delete = || {
        Question::GroupDelete(GroupDeleteQuestion {
            cluster_id: CLUSTER.to_owned(),
            group_id: "billing".to_owned(),
            dry_run: false,
        })
    };
    let forged = plane.ask(1, delete(), Some(&signing_key()));
    let (first, last) = (plane.ask(2, delete(), None), plane.ask(3, delete(), None));
    for ask in [forged, first.clone(), first, last] {
        plane.send(Down::Ask(ask)).await;
    }
    let answers = |frames: &[AgentFrame]| {
        let ids = frames.iter().filter_map(|frame| match &frame.frame {
            Some(Up::Answer(answer)) => Some(answer.ask_id),
            _other => None,
        });
        Some(ids.collect::<Vec<_>>()).filter(|it| it.contains(&2) && it.contains(&3))
    };
    // Answers come in the order in which they are found.
    let mut answered = plane.until("both answers", LIMIT, answers).await;
    answered.sort_unstable();
    assert_eq!(answered, [2, 3]);
    agent.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_customers_policy_outranks_a_rightly_signed_wish() {
    let mut harness = Harness::new().await;
    harness.set_policy("refuse = [\"topic.delete\"]\n");
    let agent = harness.agent().await;
    let mut gateway = harness.gateway("gw_1", true).await;
    let plane = &harness.control_plane;
    let orders = topic("topic_01t", "orders", 1);
    plane.wish(plane.seal(1, 1, &wish(vec![orders.clone()]))).await;
    harness.phase("topic_01t", Phase::Ready).await;
    let mut state = wish(vec![Topic {
        deleted: true,
        ..orders
    }]);
    plane.wish(plane.seal(1, 2, &state)).await;
    let kept = harness.status("topic_01t", |it| !it.policy_accepted).await;
    assert_eq!(
        (kept.phase(), kept.reason()),
        (Phase::Ready, Reason::PolicyRefused)
    );
    assert!(harness.kafka.topics_of(POOL).contains_key("w01c-orders"));

    // With the real signing key: a key of the thief's and a grant for it.
    let policy = harness.policy.clone().unwrap();
    std::fs::write(
        policy,
        "refuse = [\"topic.delete\", \"api_key.create\", \"grant.create\"]\n",
    )
    .unwrap();
    state.api_keys.push(ApiKey {
        id: "key_01thief".to_owned(),
        cluster_id: CLUSTER.to_owned(),
        sha256: vec![6; 32],
        ..Default::default()
    });
    state.api_keys[0].sha256 = vec![6; 32];
    state.grants.push(Grant {
        principal_id: "service_account_01thief".to_owned(),
        cluster_id: CLUSTER.to_owned(),
        pattern: "*".to_owned(),
        role: 3,
    });
    plane.wish(plane.seal(1, 3, &state)).await;
    let refused = harness.status("key_01thief", |it| !it.policy_accepted).await;
    assert_eq!(refused.phase(), Phase::Pending);
    harness.status(KEY, |it| !it.policy_accepted).await;
    let snapshot = gateway.snapshot(LIMIT, |_any| true).await.unwrap();
    assert_eq!(snapshot.api_keys.len(), 1);
    assert_eq!(
        snapshot.api_keys[0].sha256, [7; 32],
        "a substituted verifier never reaches a gateway"
    );
    assert_eq!(snapshot.grants.len(), 1);
    // Revoking cannot be refused.
    state.api_keys.clear();
    plane.wish(plane.seal(1, 4, &state)).await;
    gateway
        .snapshot(LIMIT, |it| it.api_keys.is_empty())
        .await
        .unwrap();
    agent.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wish_cannot_reach_other_names_or_leave_its_folder() {
    let harness = Harness::new().await;
    let agent = harness.agent().await;
    let plane = &harness.control_plane;
    let mut state = wish(vec![
        Topic {
            physical_name: "__consumer_offsets".to_owned(),
            ..topic("topic_01x", "x", 1)
        },
        Topic {
            deleted: true,
            physical_name: "wother-orders".to_owned(),
            ..topic("topic_01y", "orders", 1)
        },
    ]);
    state.broker_pools.push(BrokerPool {
        id: "../../escape".to_owned(),
        brokers: 1,
        ..Default::default()
    });
    plane.wish(plane.seal(1, 1, &state)).await;
    let x = harness
        .status("topic_01x", |it| it.reason() == Reason::Unsupported)
        .await;
    assert_eq!(x.phase(), Phase::Failed);
    let y = harness
        .status("topic_01y", |it| it.reason() == Reason::Unsupported)
        .await;
    assert_eq!(y.phase(), Phase::Deleting);
    let escape = harness
        .status("../../escape", |it| it.reason() == Reason::Unsupported)
        .await;
    assert_eq!(escape.phase(), Phase::Failed);
    assert!(harness.kafka.log().is_empty());
    assert!(!harness.state.path().join("escape").exists());
    agent.shutdown().await.unwrap();
}
