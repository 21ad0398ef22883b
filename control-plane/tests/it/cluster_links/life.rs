//! A link from its making to its end, and what is left of it.

use serde_json::{Value, json};

use super::World;
use crate::jobs::made;
use crate::streams::id;

#[tokio::test]
async fn a_link_makes_copies_with_the_settings_of_their_sources() {
    let world = World::make().await;
    let plan = world
        .admin()
        .post("/v1/cluster-links?dry_run=true", &world.spec())
        .await
        .expect(200);
    let kinds: Vec<&Value> = plan["changes"]
        .as_array()
        .expect("changes")
        .iter()
        .map(|it| &it["kind"])
        .collect();
    assert_eq!(kinds, ["ClusterLink", "Topic"]);
    assert_eq!(world.get("/v1/cluster-links").await["data"], json!([]));
    let keyed = world.admin().clone().with("Idempotency-Key", "bring-home-1");
    let first = keyed.post("/v1/cluster-links", &world.spec()).await.expect(201);
    let link = keyed.post("/v1/cluster-links", &world.spec()).await.expect(201);
    assert_eq!(id(&first), id(&link), "sent twice, made once");
    assert_eq!(link["metadata"]["resource_name"], "cluster_link=bring-home");
    assert_eq!(
        link["spec"]["topics"],
        json!([{"topic": world.orders, "name": "orders"}])
    );
    assert_eq!(
        (&link["spec"]["start"], &link["spec"]["desired_state"]),
        (&json!("EARLIEST"), &json!("RUNNING"))
    );
    let status = &link["status"];
    assert_eq!(
        (&status["phase"], &status["reason"]),
        (&json!("PENDING"), &json!("WAITING_FOR_AGENT"))
    );
    assert_eq!(status["source"]["data_plane"], world.away.made.data_plane);
    assert_eq!(status["target"]["data_plane"], world.home.data_plane);
    assert_eq!(
        status["source"]["expects"],
        Value::Null,
        "no agent has told its key"
    );
    let copy = status["topics"][0]["mirror"].as_str().expect("a copy");
    let path = format!("/v1/topics/{copy}");
    let topic = world.get(&path).await;
    assert_eq!(
        topic["status"]["mirror"],
        json!({"cluster_link": id(&link), "source_topic": world.orders})
    );
    let spec = &topic["spec"];
    assert_eq!(
        (&spec["cluster"], &spec["name"]),
        (&json!(world.home.cluster), &json!("orders"))
    );
    assert_eq!(
        (&spec["partitions"], &spec["retention_ms"]),
        (&json!(3), &json!(1000))
    );
    assert_eq!(
        spec["configs"],
        json!({"compression.type": "zstd"}),
        "each record's own timestamp stays"
    );
    let list = world
        .get(&format!("/v1/cluster-links?cluster={}", world.home.cluster))
        .await;
    assert_eq!(list["data"].as_array().map(Vec::len), Some(1));
    let none = world
        .get("/v1/cluster-links?cluster=cluster_00000000000000000000000000")
        .await;
    assert_eq!(none["data"], json!([]));
}

#[tokio::test]
async fn a_copy_is_its_links_and_what_is_copied_stays() {
    let world = World::make().await;
    let (_link, copy) = world.link(&world.spec()).await;
    let (admin, path) = (world.admin(), format!("/v1/topics/{copy}"));
    let more = json!({"spec": {"partitions": 9}});
    admin.patch(&path, &more).await.expect_problem(409, "mirrored");
    admin.delete(&path).await.expect_problem(409, "mirrored");
    // Nor does anything else write it: no dead letters, no job.
    let dead = json!({"spec": {"contract": {"enforcement": "DLQ", "value": {"strategy": "TOPIC_NAME"}, "dead_letter_topic": copy}}});
    let own = format!("/v1/topics/{}", world.home.topic);
    let problem = admin.patch(&own, &dead).await.expect_problem(422, "invalid");
    assert_eq!(
        problem["errors"][0]["pointer"], "/spec/contract/dead_letter_topic",
        "{problem}"
    );
    let pool = json!({"data_plane": world.home.data_plane, "name": "steady"});
    let pool = made(admin, "/v1/compute-pools", pool).await;
    let writes = json!({"principal": world.account, "role": "DEVELOPER", "resource": "environment=prod/*"});
    made(admin, "/v1/role-bindings", writes).await;
    let job = json!({"spec": {"cluster": world.home.cluster, "name": "writes", "compute_pool": pool, "service_account": world.account,
        "program": {"kind": "ACTION", "source": {"topic": world.home.topic}, "steps": [], "sinks": [{"topic": copy}]}}});
    let problem = admin.post("/v1/jobs", &job).await.expect_problem(422, "invalid");
    assert_eq!(problem["errors"][0]["code"], "mirrored", "{problem}");
    // What the link reads is not taken away.
    let source = format!("/v1/topics/{}", world.orders);
    let problem = admin.delete(&source).await.expect_problem(409, "in_use");
    assert!(
        problem["detail"]
            .as_str()
            .is_some_and(|it| it.contains("bring-home")),
        "{problem}"
    );
    let account = format!("/v1/service-accounts/{}", world.account);
    for held in [
        format!("/v1/clusters/{}", world.home.cluster),
        format!("/v1/clusters/{}", world.away.cluster),
        account,
    ] {
        admin.delete(&held).await.expect_problem(409, "in_use");
    }
}

#[tokio::test]
async fn a_shown_topic_is_added_with_its_partitions_and_no_settings() {
    let world = World::make().await;
    let (link, _orders) = world.link(&world.spec()).await;
    let path = format!("/v1/cluster-links/{link}");
    let mount = world.mount().await;
    let admin = world.admin();
    let shown = admin.get(&path).await;
    let tag = shown.headers["etag"].to_str().expect("text").to_owned();
    // The name of home's own topic is taken; another is not.
    let both = |name: Value| json!({"spec": {"topics": [{"topic": world.orders}, {"topic": mount, "name": name}], "desired_state": "PAUSED"}});
    let problem = admin
        .patch(&path, &both(json!("payments")))
        .await
        .expect_problem(422, "invalid");
    assert_eq!(problem["errors"][0]["pointer"], "/spec/topics/1/name");
    let changed = admin
        .clone()
        .with("If-Match", tag.clone())
        .patch(&path, &both(json!("acme.payments")))
        .await
        .expect(200);
    assert_eq!(
        changed["spec"]["topics"][1],
        json!({"topic": mount, "name": "acme.payments"})
    );
    assert_eq!(changed["spec"]["desired_state"], "PAUSED");
    admin
        .clone()
        .with("If-Match", tag)
        .patch(&path, &both(json!("acme.payments")))
        .await
        .expect(412);
    let copy = changed["status"]["topics"][1]["mirror"]
        .as_str()
        .expect("a copy")
        .to_owned();
    let spec = world.get(&format!("/v1/topics/{copy}")).await["spec"].clone();
    assert_eq!(
        (&spec["partitions"], &spec["retention_ms"]),
        (&json!(6), &json!(604_800_000)),
        "the shown one's partitions, no settings"
    );
    assert_eq!(spec["max_message_bytes"], 16_777_216);
}

/// Orders, and the topic that is shown: the link, and the ids of both copies and of the mount.
async fn two(world: &World) -> (String, [String; 2], String) {
    let mount = world.mount().await;
    let spec = world.with(
        "topics",
        json!([{"topic": world.orders}, {"topic": mount, "name": "acme.payments"}]),
    );
    let link = world.admin().post("/v1/cluster-links", &spec).await.expect(201);
    let copy = |at: usize| {
        link["status"]["topics"][at]["mirror"]
            .as_str()
            .expect("a copy")
            .to_owned()
    };
    (id(&link), [copy(0), copy(1)], mount)
}

#[tokio::test]
async fn what_another_shares_is_neither_left_nor_passed_on_while_it_is_copied() {
    let world = World::make().await;
    let (_link, [orders, copy], _mount) = two(&world).await;
    let admin = world.admin();
    let received = world.get("/v1/received-shares").await["data"][0]["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    admin
        .post(&format!("/v1/received-shares/{received}/leave"), &json!({}))
        .await
        .expect_problem(409, "in_use");
    // Nor is a copy of it passed on; one of its own is.
    crate::shares::turn(admin, true, true).await;
    let offer = |topic: &str| {
        json!({"spec": {"cluster": world.home.cluster, "name": "on", "topics": [{"topic": topic}],
        "recipient": {"kind": "TENANT", "tenant": world.away.giver.tenant}}})
    };
    admin
        .post("/v1/shares", &offer(&copy))
        .await
        .expect_problem(409, "mounted");
    admin
        .post("/v1/shares?dry_run=true", &offer(&orders))
        .await
        .expect(200);
    let visible = json!({"visibility": "PUBLIC", "name": "Copied"});
    let path = format!("/v1/topics/{copy}/visibility");
    admin
        .send("PUT", &path, visible.to_string())
        .await
        .expect_problem(409, "mounted");
}

#[tokio::test]
async fn what_is_taken_out_stays_and_so_does_everything_at_the_end() {
    let world = World::make().await;
    let (link, [orders, copy], mount) = two(&world).await;
    let (admin, path) = (world.admin(), format!("/v1/cluster-links/{link}"));
    let without =
        json!({"spec": {"name": "home-again", "topics": [{"topic": mount}], "desired_state": "RUNNING"}});
    let left = admin.patch(&path, &without).await.expect(200);
    assert_eq!(
        (&left["spec"]["name"], &left["spec"]["topics"]),
        (
            &json!("home-again"),
            &json!([{"topic": mount, "name": "acme.payments"}])
        )
    );
    let promoted = world.get(&format!("/v1/topics/{orders}")).await;
    assert_eq!(promoted["status"]["mirror"], Value::Null);
    admin
        .patch(
            &format!("/v1/topics/{orders}"),
            &json!({"spec": {"partitions": 9}}),
        )
        .await
        .expect(200);
    for fixed in [
        json!({"start": "LATEST"}),
        json!({"source_cluster": world.home.cluster}),
        json!({"topics": [{"topic": mount, "name": "x"}]}),
    ] {
        let problem = admin
            .patch(&path, &json!({"spec": fixed}))
            .await
            .expect_problem(422, "invalid");
        assert_eq!(problem["errors"][0]["code"], "immutable", "{problem}");
    }
    admin.delete(&path).await.expect(204);
    admin.get(&path).await.expect_problem(404, "not_found");
    assert_eq!(
        world.get(&format!("/v1/topics/{copy}")).await["status"]["mirror"],
        Value::Null
    );
    admin
        .delete(&format!("/v1/topics/{}", world.orders))
        .await
        .expect(204);
    let audit = world.get("/v1/audit-events?page_size=1000").await;
    let of = |kind: &str| -> Vec<String> {
        let rows = audit["data"].as_array().expect("rows").iter().rev();
        let rows = rows.filter(|it| it["object_kind"] == kind);
        rows.map(|it| it["action"].as_str().unwrap_or_default().to_owned())
            .collect()
    };
    assert_eq!(of("ClusterLink"), ["create", "update", "delete"]);
    assert_eq!(of("Topic").iter().filter(|it| *it == "promote").count(), 2);
}

#[tokio::test]
async fn a_tenant_has_twenty_links_and_its_names_are_its_own() {
    let world = World::make().await;
    let plain = |name: String| {
        let mut spec = world.with("topics", json!([]));
        spec["spec"]["name"] = json!(name);
        spec
    };
    for at in 0..20 {
        world
            .admin()
            .post("/v1/cluster-links", &plain(format!("link-{at}")))
            .await
            .expect(201);
    }
    world
        .admin()
        .post("/v1/cluster-links", &plain("one-more".into()))
        .await
        .expect_problem(402, "over_quota");
    let first = world.get("/v1/cluster-links?page_size=15").await;
    let token = first["metadata"]["next_page_token"]
        .as_str()
        .expect("more")
        .to_owned();
    let rest = world
        .get(&format!("/v1/cluster-links?page_size=15&page_token={token}"))
        .await;
    assert_eq!(rest["data"].as_array().map(Vec::len), Some(5));
    let gone = id(&rest["data"][4]);
    world
        .admin()
        .delete(&format!("/v1/cluster-links/{gone}"))
        .await
        .expect(204);
    world
        .admin()
        .post("/v1/cluster-links", &plain("link-0".into()))
        .await
        .expect_problem(409, "name_taken");
    let quotas = world.get("/v1/service-quotas").await;
    let links = quotas["data"]
        .as_array()
        .expect("quotas")
        .iter()
        .find(|it| it["name"] == "cluster_links");
    assert_eq!(
        links.map(|it| (&it["used"], &it["limit"])),
        Some((&json!(19), &json!(20)))
    );
    // Another account cannot read the same source for the same data plane: one key opens a cluster as one account.
    let other = made(world.admin(), "/v1/service-accounts", json!({"name": "other"})).await;
    let mut spec = plain("twice".into());
    spec["spec"]["service_account"] = json!(other);
    let problem = world
        .admin()
        .post("/v1/cluster-links", &spec)
        .await
        .expect_problem(422, "invalid");
    assert_eq!(problem["errors"][0]["pointer"], "/spec/service_account");
}
