//! What the agents at both ends are told of a link, and what becomes of what they say.

use serde_json::{Value, json};
use weir_proto::agent::v1::{
    AccessRole, ClusterLinkEnd, ClusterLinkState, DesiredState, Generation, LinkStart, Phase, Reason,
};

use super::World;
use super::agents::{
    READS, SERVES, address, agent, desired, mirror, peer_key, reached, source, status, target, tell, topic,
    until,
};
use crate::harness::Session;

#[tokio::test]
async fn each_end_is_told_what_the_other_said_of_itself() {
    let world = World::make().await;
    let (link, copy) = world.link(&world.with("start", json!("LATEST"))).await;
    let door = world.away.bench.door().await;
    let mut at_source = source(&world, &door).await;
    let (n, state) = desired(&mut at_source, |_| true).await;
    assert_eq!(peer_key(&state), Some(""), "the target's agent has told no key");
    assert!(state.api_keys.is_empty() && state.cluster_links[0].target.is_none());
    assert!(
        !state.topics.iter().any(|it| it.id == copy),
        "the copy is not the source's"
    );
    let mut at_target = target(&world, &door, READS[0]).await;
    // The source: whom to let in, as whom, and what that one may do.
    let (_, state) = desired(&mut at_source, |it| peer_key(it) != Some("")).await;
    check_source(&world, &state, &link);
    // The target: what to read, from where, into which topics.
    let (_, state) = desired(&mut at_target, |_| true).await;
    check_target(&world, &state, &link, &copy);
    // An address, and another one.
    for host in ["gateways.acme.example", "others.acme.example"] {
        reached(&at_source, &world.away.cluster, host, n).await;
        let (_, state) = desired(&mut at_target, |it| address(it) != Some(("", 0))).await;
        if address(&state) != Some((host, 9092)) {
            desired(&mut at_target, |it| address(it) == Some((host, 9092))).await;
        }
    }
    // What is wished moves on; the account's rights reach the source.
    let path = format!("/v1/cluster-links/{link}");
    world
        .admin()
        .patch(&path, &json!({"spec": {"desired_state": "PAUSED"}}))
        .await
        .expect(200);
    desired(&mut at_target, |it| {
        it.cluster_links[0]
            .target
            .as_ref()
            .is_some_and(|it| it.state() == ClusterLinkState::Paused)
    })
    .await;
    let more = json!({"principal": world.account, "role": "DEVELOPER", "resource": "environment=risk/cluster=scores/topic=x"});
    crate::jobs::made(world.admin(), "/v1/role-bindings", more).await;
    desired(&mut at_source, |it| it.grants.len() == 2).await;
    // Another agent at the target has another key.
    let _other = target(&world, &door, READS[1]).await;
    desired(&mut at_source, |it| {
        peer_key(it) == Some("ac".repeat(32).as_str())
    })
    .await;
    check_shown(&world, &path).await;
}

fn check_source(world: &World, state: &DesiredState, link: &str) {
    let told = state.cluster_links[0].source.as_ref().expect("a source");
    assert_eq!(state.cluster_links[0].id, link);
    assert_eq!(
        (told.cluster_id.as_str(), told.peer_data_plane_id.as_str()),
        (world.away.cluster.as_str(), world.home.data_plane.as_str())
    );
    assert_eq!(told.peer_key_sha256, "ab".repeat(32));
    let key = &state.api_keys[0];
    assert_eq!(key.id, link.replace("cluster_link_", "key_"));
    assert_eq!(
        (key.principal_id.as_str(), key.cluster_id.as_str()),
        (world.account.as_str(), world.away.cluster.as_str())
    );
    assert_eq!(
        (key.public_key_sha256.as_slice(), key.cluster_link_id.as_str()),
        (&[0xab_u8; 32][..], link)
    );
    assert!(key.sha256.is_empty() && key.scram_sha_256.is_none());
    let grants: Vec<_> = state
        .grants
        .iter()
        .map(|it| (it.principal_id.as_str(), it.pattern.as_str(), it.role()))
        .collect();
    assert_eq!(grants, [(world.account.as_str(), "*", AccessRole::Reader)]);
}

fn check_target(world: &World, state: &DesiredState, link: &str, copy: &str) {
    assert_eq!(address(state), Some(("", 0)), "the source has told no address");
    assert!(state.cluster_links[0].source.is_none() && state.api_keys.is_empty());
    let told = state.cluster_links[0].target.as_ref().expect("a target");
    assert_eq!(
        (told.cluster_id.as_str(), told.source_cluster_id.as_str()),
        (world.home.cluster.as_str(), world.away.cluster.as_str())
    );
    assert_eq!(
        (told.peer_data_plane_id.as_str(), told.state()),
        (world.away.made.data_plane.as_str(), ClusterLinkState::Running)
    );
    let topic = &told.topics[0];
    assert_eq!(
        (topic.topic_id.as_str(), topic.source_name.as_str(), topic.start()),
        (copy, "orders", LinkStart::Latest)
    );
    assert_eq!(
        (
            mirror(state, copy).mirror_link_id.as_str(),
            mirror(state, copy).partitions
        ),
        (link, 3)
    );
}

/// Both ends' policies, as people copy them, and the keys on the page of a data plane.
async fn check_shown(world: &World, path: &str) {
    let shown = world.get(path).await;
    let lines = |peer: &str, word: &str, digits: &str| {
        format!(
            "[[cluster_links]]\ndata_plane = \"{peer}\"\n{word} = \"sha256:{}\"\n",
            digits.repeat(32)
        )
    };
    assert_eq!(
        shown["status"]["source"]["expects"],
        lines(&world.home.data_plane, "reads_with", READS[1])
    );
    assert_eq!(
        shown["status"]["target"]["expects"],
        lines(&world.away.made.data_plane, "serves_with", SERVES)
    );
    let plane = world
        .get(&format!("/v1/data-planes/{}", world.home.data_plane))
        .await;
    assert_eq!(
        plane["status"]["link_key"],
        format!("sha256:{}", READS[1].repeat(32))
    );
    assert_eq!(
        plane["status"]["gateway_key"],
        format!("sha256:{}", SERVES.repeat(32))
    );
}

#[tokio::test]
async fn what_each_end_says_of_itself_is_taken_and_nothing_else() {
    let world = World::make().await;
    let (link, copy) = world.link(&world.spec()).await;
    let path = format!("/v1/cluster-links/{link}");
    let door = world.away.bench.door().await;
    let (mut at_source, mut at_target) = (source(&world, &door).await, target(&world, &door, READS[0]).await);
    let (from, _) = desired(&mut at_source, |it| peer_key(it) != Some("")).await;
    let (to, _) = desired(&mut at_target, |_| true).await;
    // A third data plane, of somebody else's, and the source itself speak for the target: nobody hears it.
    let (stranger, ids) = world.away.bench.tenant("TENANT_ADMIN").await;
    let theirs = crate::streams::make(&stranger).await;
    let third = agent(&world, &door, &theirs.data_plane, ids, "ad").await;
    for (session, n) in [(&third, to), (&at_source, from)] {
        let mut lie = status(&link, ClusterLinkEnd::Target, Phase::Failed, Reason::Disk, n);
        lie.topics = vec![topic(&copy, Phase::Failed, 9, 900)];
        tell(session, lie).await;
    }
    tell(
        &third,
        status(&link, ClusterLinkEnd::Source, Phase::Failed, Reason::Disk, from),
    )
    .await;
    tell(
        &at_source,
        status(
            &link,
            ClusterLinkEnd::Source,
            Phase::Pending,
            Reason::PeerUnconfirmed,
            from,
        ),
    )
    .await;
    let seen = until(&world, &path, |it| {
        it["status"]["source"]["reason"] == "PEER_UNCONFIRMED"
    })
    .await;
    assert_eq!(
        seen["status"]["target"]["reason"], "WAITING_FOR_AGENT",
        "{seen:#}"
    );
    assert_eq!(seen["status"]["topics"][0]["lag_records"], Value::Null);
    assert_eq!(
        (&seen["status"]["phase"], &seen["status"]["reason"]),
        (&json!("PENDING"), &json!("PEER_UNCONFIRMED"))
    );
    tell(
        &at_source,
        status(
            &link,
            ClusterLinkEnd::Source,
            Phase::Ready,
            Reason::Unspecified,
            from,
        ),
    )
    .await;
    let mut running = status(
        &link,
        ClusterLinkEnd::Target,
        Phase::Running,
        Reason::Unspecified,
        to,
    );
    running.topics = vec![topic(&copy, Phase::Running, 7, 3)];
    tell(&at_target, running.clone()).await;
    let seen = until(&world, &path, |it| it["status"]["phase"] == "RUNNING").await;
    check_counts(&seen["status"]);
    goes_on(&world, &link, &copy, (&mut at_target, to)).await;
}

fn check_counts(status: &Value) {
    let one = &status["topics"][0];
    assert_eq!(
        (&one["lag_records"], &one["records"], &one["bytes"]),
        (&json!(7), &json!(100), &json!(2000))
    );
    assert_eq!(
        (&one["caught_up_at"], &status["lag_records"]),
        (&json!("2026-11-22T10:00:00Z"), &json!(7))
    );
}

/// A topic that stands still, older news, and a source that grew.
async fn goes_on(world: &World, link: &str, copy: &str, (at_target, to): (&mut Session, Option<Generation>)) {
    let path = format!("/v1/cluster-links/{link}");
    let mut running = status(
        link,
        ClusterLinkEnd::Target,
        Phase::Running,
        Reason::Unspecified,
        to,
    );
    // A topic that stands still shows in the whole; and whoever watches hears of it.
    running.topics = vec![topic(copy, Phase::Failed, -1, 3)];
    running.topics[0].reason = Reason::SourceMissing.into();
    tell(at_target, running.clone()).await;
    let seen = until(world, &path, |it| it["status"]["phase"] == "DEGRADED").await;
    assert_eq!(seen["status"]["reason"], "SOURCE_MISSING");
    assert_eq!(seen["status"]["lag_records"], Value::Null);
    let told: i64 =
        sqlx::query_scalar("SELECT count(*) FROM event WHERE kind = 'ClusterLink' AND action = 'status'")
            .fetch_one(&mut world.away.bench.database.owner().await)
            .await
            .expect("events");
    assert!((3..=5).contains(&told), "{told}");
    // An older report than the one that is held changes nothing.
    let old = Some(Generation { epoch: 0, n: 0 });
    tell(
        at_target,
        status(link, ClusterLinkEnd::Target, Phase::Failed, Reason::Disk, old),
    )
    .await;
    // The source has more partitions: so has the copy, by its own number, and the agent is told.
    running.topics = vec![topic(copy, Phase::Running, 0, 5)];
    tell(at_target, running).await;
    let (_, state) = desired(at_target, |it| mirror(it, copy).partitions == 5).await;
    assert_eq!(mirror(&state, copy).mirror_link_id, link);
    let seen = until(world, &path, |it| it["status"]["topics"][0]["lag_records"] == 0).await;
    assert_eq!(seen["status"]["target"]["phase"], "RUNNING");
    let audit = world.get("/v1/audit-events?page_size=5").await;
    assert_eq!(
        (&audit["data"][0]["who"], &audit["data"][0]["action"]),
        (&json!("cluster_link"), &json!("update"))
    );
}
