//! Shares that encrypt: what is promised to whom, what the agent is told, and that nothing of a key is ever here.

use serde_json::json;
use weir_proto::agent::v1::{EncryptedValues, MountEncryption};

use super::World;
use super::link::{desired, mount, session, session_first};

#[tokio::test]
async fn the_agent_is_told_who_encrypts_for_whom_and_when_other_keys_are_wished() {
    let world = World::make().await;
    let mut spec = world.spec();
    spec["spec"]["topics"][0]["encryption"] = json!({"values": "WHOLE"});
    let (share, received) = world.offer(&spec).await;
    let look = format!("/v1/received-shares/{received}/preview");
    let shown = world.consumer.post(&look, &json!({})).await.expect(200);
    assert_eq!(shown["topics"][0]["encrypted"], true);
    assert_eq!(shown["spec"]["topics"][0]["encrypted"], true);
    let rotate = format!("/v1/shares/{share}/rotate-key");
    let early = world.provider.post(&rotate, &json!({})).await;
    early.expect_problem(409, "wrong_phase");

    let (_door, mut session) = session(&world).await;
    session_first(&mut session).await;
    world.accept(&received, json!({})).await.expect(200);
    let told = |key_generation: u64| MountEncryption {
        values: EncryptedValues::Whole.into(),
        key_generation,
        provider_tenant_id: world.giver.tenant.to_string(),
        consumer_tenant_id: world.taker.tenant.to_string(),
    };
    let is = |wanted: MountEncryption| {
        move |it: &weir_proto::agent::v1::DesiredState| {
            mount(it)
                .and_then(|it| it.mount.as_ref())
                .is_some_and(|it| it.encryption.as_ref() == Some(&wanted))
        }
    };
    desired(&mut session, is(told(1))).await;
    let rotated = world.provider.post(&rotate, &json!({})).await.expect(200);
    assert_eq!(rotated["status"]["key_generation"], 2);
    assert_eq!(
        rotated["status"]["enforced"], false,
        "the agent has yet to make them"
    );
    desired(&mut session, is(told(2))).await;

    // What was taken encrypted stays so.
    let path = format!("/v1/shares/{share}");
    let off = json!({"spec": {"topics": [{"topic": world.made.topic, "alias": "payments"}]}});
    let refused = world.provider.patch(&path, &off).await;
    refused.expect_problem(409, "wrong_phase");
    world.consumer.post(&rotate, &json!({})).await.expect(404);
}

#[tokio::test]
async fn encryption_is_turned_on_later_and_only_known_kinds_are() {
    let world = World::make().await;
    let (share, received) = world.offer(&world.spec()).await;
    world.accept(&received, json!({})).await.expect(200);
    let rotate = format!("/v1/shares/{share}/rotate-key");
    let none = world.provider.post(&rotate, &json!({})).await;
    none.expect_problem(409, "wrong_phase");
    let path = format!("/v1/shares/{share}");
    let plain = world.provider.get(&path).await.expect(200);
    assert!(plain["status"].get("key_generation").is_none());
    let on = |values: &str| json!({"spec": {"topics": [{"topic": world.made.topic, "alias": "payments", "encryption": {"values": values}}]}});
    world.provider.patch(&path, &on("SOME")).await.expect(422);
    let turned = world.provider.patch(&path, &on("WHOLE")).await.expect(200);
    assert_eq!(turned["spec"]["topics"][0]["encryption"]["values"], "WHOLE");
    assert_eq!(turned["status"]["key_generation"], 1);
}
