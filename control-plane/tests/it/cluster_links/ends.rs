//! What is left when a topic is taken out of a link, a share ends, or a link does; and a link within one data plane.

use std::time::Duration;

use serde_json::json;
use weir_proto::agent::v1::agent_frame::Frame as Up;
use weir_proto::agent::v1::{ClusterLinkEnd, DesiredState, Phase, Reason, StatusReport};

use super::World;
use super::agents::{
    READS, address, desired, mirror, peer_key, reached, source, status, target, tell, until,
};
use crate::jobs::said;

#[tokio::test]
async fn what_is_taken_out_is_ordinary_and_a_shown_topic_waits_for_that() {
    let world = World::make().await;
    let mount = world.mount().await;
    let spec = world.with(
        "topics",
        json!([{"topic": mount, "name": "acme.payments"}, {"topic": world.orders}]),
    );
    let (link, copy) = world.link(&spec).await;
    let path = format!("/v1/cluster-links/{link}");
    let door = world.away.bench.door().await;
    let (mut at_source, mut at_target) = (source(&world, &door).await, target(&world, &door, READS[0]).await);
    desired(&mut at_target, |it| mirror(it, &copy).mirror_link_id == link).await;
    // Its provider ends the share: the topic goes, and is kept in mind as long as the link names it.
    let shares = world.away.provider.get("/v1/shares").await.expect(200);
    let share = shares["data"][0]["id"].as_str().expect("an id").to_owned();
    world
        .away
        .provider
        .post(&format!("/v1/shares/{share}/revoke"), &json!({}))
        .await
        .expect(200);
    let gone = |state: &DesiredState| state.topics.iter().any(|it| it.id == mount && it.deleted);
    let (n, _) = desired(&mut at_source, gone).await;
    let items = vec![said(&mount, Phase::Deleted, n)];
    let carried_out = StatusReport {
        items,
        ..StatusReport::default()
    };
    at_source.say(Up::Status(carried_out.clone())).await;
    let shown = format!("/v1/topics/{mount}");
    reached(&at_source, &world.away.cluster, "gw.acme.example", n).await;
    desired(&mut at_target, |it| {
        address(it) == Some(("gw.acme.example", 9092))
    })
    .await;
    assert_eq!(world.get(&shown).await["status"]["phase"], "DELETING");
    world
        .admin()
        .patch(&path, &json!({"spec": {"topics": [{"topic": world.orders}]}}))
        .await
        .expect(200);
    let (_, state) = desired(&mut at_target, |it| mirror(it, &copy).mirror_link_id.is_empty()).await;
    assert!(!mirror(&state, &copy).deleted, "it stays");
    assert_eq!(
        state.cluster_links[0].target.as_ref().map(|it| it.topics.len()),
        Some(1)
    );
    at_source.say(Up::Status(carried_out)).await;
    let end = tokio::time::Instant::now() + Duration::from_secs(20);
    while world.admin().get(&shown).await.status != 404 {
        assert!(tokio::time::Instant::now() < end, "it is forgotten");
        tokio::task::yield_now().await;
    }
    // The end of the link: neither end hears of it any more.
    world.admin().delete(&path).await.expect(204);
    let (_, state) = desired(&mut at_source, |it| it.cluster_links.is_empty()).await;
    assert!(state.api_keys.is_empty() && state.grants.is_empty());
    let (_, state) = desired(&mut at_target, |it| it.cluster_links.is_empty()).await;
    assert!(
        state
            .topics
            .iter()
            .all(|it| it.mirror_link_id.is_empty() && !it.deleted)
    );
}

#[tokio::test]
async fn both_ends_may_be_in_one_place() {
    let world = World::make().await;
    let second =
        json!({"environment": world.home.environment, "broker_pool": world.home.pool, "name": "second"});
    let second = crate::jobs::made(world.admin(), "/v1/clusters", second).await;
    let reads = json!({"principal": world.account, "role": "READER", "resource": "environment=prod/*"});
    crate::jobs::made(world.admin(), "/v1/role-bindings", reads).await;
    let spec = json!({"spec": {"name": "beside", "source_cluster": world.home.cluster, "target_cluster": second,
        "service_account": world.account, "topics": [{"topic": world.home.topic}]}});
    let (link, copy) = world.link(&spec).await;
    let door = world.away.bench.door().await;
    let mut session = target(&world, &door, READS[0]).await;
    let (n, state) = desired(&mut session, |it| peer_key(it).is_some_and(|it| !it.is_empty())).await;
    let told = &state.cluster_links[0];
    assert!(told.source.is_some() && told.target.is_some());
    assert_eq!(state.api_keys.len(), 1);
    assert_eq!(mirror(&state, &copy).mirror_link_id, link);
    reached(&session, &world.home.cluster, "gw.home.example", n).await;
    let (n, _) = desired(&mut session, |it| address(it) == Some(("gw.home.example", 9092))).await;
    tell(
        &session,
        status(
            &link,
            ClusterLinkEnd::Source,
            Phase::Running,
            Reason::Unspecified,
            n,
        ),
    )
    .await;
    tell(
        &session,
        status(
            &link,
            ClusterLinkEnd::Target,
            Phase::Running,
            Reason::Unspecified,
            n,
        ),
    )
    .await;
    until(&world, &format!("/v1/cluster-links/{link}"), |it| {
        it["status"]["phase"] == "RUNNING"
    })
    .await;
}

#[tokio::test]
async fn an_agent_that_is_cut_off_is_let_in_no_longer() {
    let world = World::make().await;
    world.link(&world.spec()).await;
    let door = world.away.bench.door().await;
    let mut at_source = source(&world, &door).await;
    let _at_target = target(&world, &door, READS[0]).await;
    desired(&mut at_source, |it| it.api_keys.len() == 1).await;
    let plane = format!("/v1/data-planes/{}", world.home.data_plane);
    let revoked = world
        .admin()
        .post(&format!("{plane}/revoke"), &json!({}))
        .await
        .expect(200);
    assert_eq!(revoked["status"]["link_key"], json!(null));
    let (_, state) = desired(&mut at_source, |it| it.api_keys.is_empty()).await;
    assert_eq!(peer_key(&state), Some(""));
    // Another one that enrols is.
    let _next = target(&world, &door, READS[1]).await;
    let (_, state) = desired(&mut at_source, |it| it.api_keys.len() == 1).await;
    assert_eq!(peer_key(&state), Some("ac".repeat(32).as_str()));
}
