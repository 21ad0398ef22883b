//! What the agent is told of shares, and how both sides learn that every gateway obeys.

use std::time::Duration;

use serde_json::{Value, json};
use weir_proto::agent::v1::agent_frame::Frame as Up;
use weir_proto::agent::v1::{DesiredState, Generation, ItemStatus, MountKeys, Phase, StatusReport, Topic};

use super::World;
use crate::harness::{Door, Served, Session};
use crate::jobs::{made, said};
use crate::streams::id;

pub async fn session(world: &World) -> (Door, Session) {
    let served = Served {
        data_plane: world.made.data_plane.parse().expect("an id"),
        pool: uuid::Uuid::nil(),
        cluster: world.made.cluster.parse().expect("an id"),
        tenant: world.giver,
        environment: world.made.environment.parse().expect("an id"),
        account: weir_control_plane::kernel::Id::generate(),
    };
    let door = world.bench.door().await;
    let token = world.bench.database.token(&served, 30).await;
    let identity = door.enroll(&token).await.expect("enrolled");
    let mut session = door
        .session(&identity, 1, Generation { epoch: 0, n: 0 })
        .await
        .expect("a session");
    session.welcome().await;
    (door, session)
}

/// The first desired state of which something holds, and its number.
pub async fn desired(
    session: &mut Session,
    so: impl Fn(&DesiredState) -> bool,
) -> (Option<Generation>, DesiredState) {
    loop {
        let (frame, state) = session.desired().await;
        if so(&state) {
            return (frame.generation, state);
        }
    }
}

pub fn mount(state: &DesiredState) -> Option<&Topic> {
    state.topics.iter().find(|it| it.mount.is_some())
}

async fn report(session: &Session, items: Vec<ItemStatus>) {
    session
        .say(Up::Status(StatusReport {
            items,
            ..StatusReport::default()
        }))
        .await;
}

/// Waits until what the provider or the consumer sees is so.
async fn until(caller: &crate::harness::Caller, path: &str, so: impl Fn(&Value) -> bool) -> Value {
    let end = tokio::time::Instant::now() + Duration::from_secs(20);
    loop {
        let found = caller.get(path).await.expect(200);
        if so(&found) {
            return found;
        }
        assert!(tokio::time::Instant::now() < end, "never so: {found:#}");
        tokio::task::yield_now().await;
    }
}

/// What the agent is told of a mount.
fn check_told(world: &World, state: &DesiredState, told: &Topic, share: &str, spec: &Value) {
    assert_eq!(
        (told.name.as_str(), told.cluster_id.as_str()),
        ("acme.payments", world.cluster.as_str())
    );
    assert_eq!(
        (
            told.physical_name.as_str(),
            told.partitions,
            told.configs.len(),
            told.deleted
        ),
        ("", 0, 0, false)
    );
    let shown = told.mount.as_ref().expect("a mount");
    assert_eq!(
        (shown.share_id.as_str(), shown.topic_id.as_str()),
        (share, world.made.topic.as_str())
    );
    assert_eq!(
        (shown.from_unix_ms, shown.starts_at_unix_seconds),
        (1_795_341_600_000, 0)
    );
    assert_eq!(
        (shown.fetch_bytes_per_second, shown.expires_at_unix_seconds),
        (1000, 4_951_015_200)
    );
    assert_eq!(shown.keys(), MountKeys::Unspecified, "the gateway's to know");
    let steps: Value = serde_json::from_str(&shown.view_steps_json).expect("JSON");
    assert_eq!(steps, spec["spec"]["topics"][0]["steps"]);
    let grants: Vec<_> = state
        .grants
        .iter()
        .map(|it| (it.cluster_id.as_str(), it.pattern.as_str()))
        .collect();
    assert_eq!(grants, [(world.cluster.as_str(), "acme.*")], "the consumer's own");
}

/// Revoked, it goes; whoever waits hears when.
async fn revoke(world: &World, session: &mut Session, share: &str, topic: &str) {
    // Revoked: a tombstone, until the agent carried it out; whoever waits hears when.
    let revoke = format!("/v1/shares/{share}/revoke?wait=20s");
    let empty = json!({});
    let revoked = world.provider.post(&revoke, &empty);
    let obeyed = async {
        let (n, state) = desired(session, |it| mount(it).is_some_and(|it| it.deleted)).await;
        assert_eq!(mount(&state).map(|it| it.id.as_str()), Some(topic));
        report(session, vec![said(topic, Phase::Deleted, n)]).await;
    };
    let (revoked, ()) = tokio::join!(revoked, obeyed);
    let revoked = revoked.expect(200);
    assert_eq!(
        (&revoked["status"]["phase"], &revoked["status"]["enforced"]),
        (&json!("REVOKED"), &json!(true))
    );
    world
        .consumer
        .get(&format!("/v1/topics/{topic}"))
        .await
        .expect_problem(404, "not_found");
    world
        .provider
        .delete(&format!("/v1/topics/{}", world.made.topic))
        .await
        .expect(202);
}

#[tokio::test]
async fn the_agent_shows_a_share_from_its_acceptance_to_its_end() {
    let world = World::make().await;
    let mut spec = world.with("/spec/fetch_bytes_per_second", json!(1000));
    spec["spec"]["topics"][0]["steps"] = json!([{"filter": {"where": "message.amount > 100"}}]);
    spec["spec"]["topics"][0]["start"] = json!({"kind": "TIMESTAMP", "timestamp": "2026-11-22T10:00:00Z"});
    spec["spec"]["expires_at"] = json!("2126-11-22T10:00:00Z");
    let (share, received) = world.offer(&spec).await;
    let account = made(&world.consumer, "/v1/service-accounts", json!({"name": "reader"})).await;
    let key = json!({"service_account": account, "cluster": world.cluster});
    made(&world.consumer, "/v1/api-keys", key).await;
    let binding = json!({"principal": account, "role": "READER", "resource": "environment=risk/cluster=scores/topic=acme.*"});
    made(&world.consumer, "/v1/role-bindings", binding).await;
    let (_door, mut session) = session(&world).await;
    let (_n, state) = session_first(&mut session).await;
    assert!(mount(&state).is_none(), "an offer shows nothing");
    let accepted = world
        .accept(&received, json!({"name_prefix": "acme."}))
        .await
        .expect(200);
    assert_eq!(accepted["status"]["enforced"], false);
    let (n, state) = desired(&mut session, |it| mount(it).is_some()).await;
    let told = mount(&state).expect("a mount");
    check_told(&world, &state, told, &share, &spec);
    // READY when the agent says so of this very wish.
    let topic = told.id.clone();
    report(
        &session,
        vec![
            said(&world.made.pool, Phase::Ready, n),
            said(&topic, Phase::Ready, n),
        ],
    )
    .await;
    let path = format!("/v1/shares/{share}");
    until(&world.provider, &path, |it| it["status"]["enforced"] == true).await;
    let path = format!("/v1/received-shares/{received}");
    let seen = until(&world.consumer, &path, |it| it["status"]["enforced"] == true).await;
    assert_eq!(seen["status"]["mounts"][0]["phase"], "READY");
    // A stricter view reaches the agent, and is waited for.
    let stricter = json!({"spec": {"topics": [{"topic": world.made.topic, "alias": "payments", "start": spec["spec"]["topics"][0]["start"],
        "keys": "WITHHELD", "steps": [{"mask": {"fields": ["card"], "how": "NULL"}}]}]}});
    let patch = format!("/v1/shares/{share}");
    let changed = world.provider.patch(&patch, &stricter).await.expect(200);
    assert_eq!(changed["status"]["enforced"], false);
    desired(&mut session, |it| {
        mount(it).is_some_and(|it| {
            it.mount
                .as_ref()
                .is_some_and(|it| it.view_steps_json.contains("NULL") && it.keys() == MountKeys::Withheld)
        })
    })
    .await;
    revoke(&world, &mut session, &share, &topic).await;
}

pub async fn session_first(session: &mut Session) -> (Option<Generation>, DesiredState) {
    let (frame, state) = session.desired().await;
    (frame.generation, state)
}

#[tokio::test]
async fn a_share_whose_time_is_over_ends_by_itself() {
    let world = World::make().await;
    let (share, received) = world
        .offer(&world.with("/spec/expires_at", json!("2126-11-22T10:00:00Z")))
        .await;
    let (second, _) = world.offer(&world.with("/spec/name", json!("open-end"))).await;
    world.accept(&received, json!({})).await.expect(200);
    weir_control_plane::resources::share::expire::look(&world.bench.app)
        .await
        .expect("a look");
    let path = format!("/v1/shares/{share}");
    assert_eq!(
        world.provider.get(&path).await.expect(200)["status"]["phase"],
        "ACTIVE"
    );
    // The clock jumps over the end.
    sqlx::query("UPDATE share SET expires_at = now() - interval '1 hour' WHERE expires_at IS NOT NULL")
        .execute(&mut world.bench.database.owner().await)
        .await
        .expect("an end");
    weir_control_plane::resources::share::expire::look(&world.bench.app)
        .await
        .expect("a look");
    let ended = world.provider.get(&path).await.expect(200);
    assert_eq!(ended["status"]["phase"], "EXPIRED");
    assert_eq!(
        world.consumer.get("/v1/mounts").await.expect(200)["data"],
        json!([])
    );
    let by_clock = |rows: Vec<(String, String)>| rows.iter().any(|(action, _)| action == "expire");
    assert!(by_clock(world.audited(&world.provider).await) && by_clock(world.audited(&world.consumer).await));
    assert_eq!(
        world
            .provider
            .get(&format!("/v1/shares/{second}"))
            .await
            .expect(200)["status"]["phase"],
        "INVITED"
    );
    world
        .accept(&received, json!({}))
        .await
        .expect_problem(409, "wrong_phase");
    // Renewed with a later end, it is taken again.
    let again = format!("{path}/resend");
    world
        .provider
        .post(&again, &json!({}))
        .await
        .expect_problem(422, "invalid");
    let later = json!({"expires_at": "2126-11-22T10:00:00Z"});
    let anew = world.provider.post(&again, &later).await.expect(200);
    assert_eq!(id(&anew), share);
    world.accept(&received, json!({})).await.expect(200);
}
