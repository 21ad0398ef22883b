//! Units that a grant lends: as many as it says, on that data plane, to that tenant.

use serde_json::json;
use weir_proto::agent::v1::agent_frame::Frame as Up;
use weir_proto::agent::v1::{Generation, Phase, StatusReport};

use super::{World, made, said};
use crate::harness::Served;

#[tokio::test]
async fn a_guest_has_the_units_that_a_grant_lends_and_no_more() {
    let world = World::make().await;
    let (guest, ids) = world.bench.tenant("TENANT_ADMIN").await;
    let (stranger, _) = world.bench.tenant("TENANT_ADMIN").await;
    let pool = |name: &str, units: i32| json!({"spec": {"data_plane": world.made.data_plane, "name": name, "max_units": units}});
    let refused = guest
        .post("/v1/compute-pools", &pool("own", 1))
        .await
        .expect_problem(422, "invalid");
    assert_eq!(refused["errors"][0]["pointer"], "/spec/data_plane");
    let grant = json!({"broker_pool": world.made.pool, "guest_tenant": ids.tenant, "clusters_max": 1, "topics_max": 1,
        "partitions_max": 6, "compute_units_max": 4});
    let grant = made(&world.admin, "/v1/data-plane-grants", grant).await;
    // An offer is not yet a grant.
    guest
        .post("/v1/compute-pools", &pool("own", 1))
        .await
        .expect_problem(422, "invalid");
    guest
        .post(&format!("/v1/data-plane-grants/{grant}/accept"), &json!({}))
        .await
        .expect(200);
    guest
        .post("/v1/compute-pools", &pool("own", 5))
        .await
        .expect_problem(402, "over_quota");
    let own = made(&guest, "/v1/compute-pools", pool("own", 3)["spec"].clone()).await;
    guest
        .post("/v1/compute-pools", &pool("more", 2))
        .await
        .expect_problem(402, "over_quota");
    let path = format!("/v1/compute-pools/{own}");
    guest
        .patch(&path, &json!({"spec": {"max_units": 5}}))
        .await
        .expect_problem(402, "over_quota");
    guest
        .patch(&path, &json!({"spec": {"max_units": 4}}))
        .await
        .expect(200);
    // The owner's own pools are not limited by what it lends, and nobody sees another's.
    for other in [&world.admin, &stranger] {
        other.get(&path).await.expect_problem(404, "not_found");
        let list = other.get("/v1/compute-pools").await.expect(200);
        assert!(!list.to_string().contains(&own));
    }
    let plane = format!("/v1/data-planes/{}", world.made.data_plane);
    world.admin.delete(&plane).await.expect_problem(409, "in_use");

    // A job of the owner's cannot run in the guest's pool, nor the other way about.
    let spec = world.with("/spec/compute_pool", json!(own));
    let refused = world
        .admin
        .post("/v1/jobs", &spec)
        .await
        .expect_problem(422, "invalid");
    assert_eq!(refused["errors"][0]["pointer"], "/spec/compute_pool");
    guest
        .post("/v1/jobs", &world.spec())
        .await
        .expect_problem(422, "invalid");

    // Once revoked, what is there stays and nothing grows.
    world
        .admin
        .post(&format!("/v1/data-plane-grants/{grant}/revoke"), &json!({}))
        .await
        .expect(200);
    guest
        .patch(&path, &json!({"spec": {"max_units": 2}}))
        .await
        .expect(200);
    guest
        .patch(&path, &json!({"spec": {"max_units": 3}}))
        .await
        .expect_problem(422, "invalid");
    guest.delete(&path).await.expect(204);
}

/// A guest may have a pool before it has any cluster there.
#[tokio::test]
async fn an_agent_reports_on_a_guests_pool() {
    let world = World::make().await;
    let (guest, ids) = world.bench.tenant("TENANT_ADMIN").await;
    let grant = json!({"broker_pool": world.made.pool, "guest_tenant": ids.tenant, "clusters_max": 1, "topics_max": 1,
        "partitions_max": 6, "compute_units_max": 4});
    let grant = made(&world.admin, "/v1/data-plane-grants", grant).await;
    guest
        .post(&format!("/v1/data-plane-grants/{grant}/accept"), &json!({}))
        .await
        .expect(200);
    let own = json!({"data_plane": world.made.data_plane, "name": "own", "max_units": 4});
    let own = made(&guest, "/v1/compute-pools", own).await;
    let served = Served {
        data_plane: world.made.data_plane.parse().unwrap(),
        pool: uuid::Uuid::nil(),
        cluster: world.made.cluster.parse().unwrap(),
        tenant: world.tenant,
        environment: world.made.environment.parse().unwrap(),
        account: world.account.parse().unwrap(),
    };
    let door = world.bench.door().await;
    let identity = door
        .enroll(&world.bench.database.token(&served, 30).await)
        .await
        .expect("enrolled");
    let mut session = door
        .session(&identity, 1, Generation { epoch: 0, n: 0 })
        .await
        .expect("a session");
    session.welcome().await;
    let (frame, state) = session.desired().await;
    let told = state
        .compute_pools
        .iter()
        .find(|it| it.id == own)
        .expect("the guest's pool");
    assert_eq!(
        (told.max_units, told.tenant_id.clone()),
        (4, ids.tenant.to_string())
    );
    session
        .say(Up::Status(StatusReport {
            items: vec![said(&own, Phase::Ready, frame.generation)],
            ..StatusReport::default()
        }))
        .await;
    let path = format!("/v1/compute-pools/{own}");
    let end = tokio::time::Instant::now() + std::time::Duration::from_secs(20);
    while guest.get(&path).await.expect(200)["status"]["phase"] != "READY" {
        assert!(tokio::time::Instant::now() < end, "never READY");
        tokio::task::yield_now().await;
    }
    guest.delete(&path).await.expect(202);
}
