//! Quotas: what may be wished, what the agent is told of it, and when it is READY.

use serde_json::{Value, json};
use weir_control_plane::kernel::DataPlaneId;
use weir_proto::agent::v1::agent_frame::Frame as Up;
use weir_proto::agent::v1::{Generation, ItemStatus, Phase, QuotaMode, QuotaSubject, StatusReport};

use crate::harness::{Bench, Caller, Served};
use crate::streams::{self, Streams, id};

struct World {
    bench: Bench,
    admin: Caller,
    made: Streams,
    tenant: crate::harness::TenantIds,
}

impl World {
    async fn make() -> Self {
        let bench = Bench::start().await;
        let (admin, tenant) = bench.tenant("TENANT_ADMIN").await;
        let made = streams::make(&admin).await;
        Self {
            bench,
            admin,
            made,
            tenant,
        }
    }

    async fn account(&self, name: &str) -> String {
        let account = json!({"spec": {"name": name}});
        id(&self
            .admin
            .post("/v1/service-accounts", &account)
            .await
            .expect(201))
    }

    fn quota(&self, subject: Value, limits: Value) -> Value {
        json!({"spec": {"cluster": self.made.cluster, "subject": subject, "limits": limits}})
    }

    async fn put(&self, subject: Value, limits: Value) -> Value {
        let quota = self.quota(subject, limits);
        self.admin.post("/v1/quotas", &quota).await.expect(201)
    }
}

fn of(principals: &[&String]) -> Value {
    json!({"kind": "PRINCIPALS", "principals": principals})
}

fn ingress(bytes: i64) -> Value {
    json!({"ingress_bytes_per_second": bytes})
}

#[tokio::test]
async fn a_quota_lives_and_ends() {
    let world = World::make().await;
    let (a, b) = (world.account("a").await, world.account("b").await);
    let made = world.put(of(&[&a]), ingress(1_048_576)).await;
    let path = format!("/v1/quotas/{}", id(&made));
    assert_eq!(made["status"]["phase"], "PENDING");
    assert_eq!(made["spec"]["mode"], "ENFORCE");
    assert_eq!(made["spec"]["burst_seconds"], 0);
    let name = made["metadata"]["resource_name"].as_str().unwrap();
    assert!(name.starts_with("environment=prod/cluster=cards/quota=quota_"));
    let patch = json!({"spec": {"mode": "SHADOW", "limits": {"connections": 5},
        "subject": {"principals": [b, a]}}});
    let stale = world.admin.clone().with("If-Match", "\"9\"");
    stale.patch(&path, &patch).await.expect_problem(412, "moved");
    let planned = format!("{path}?dry_run=true");
    world.admin.patch(&planned, &patch).await.expect(200);
    let changed = world.admin.patch(&path, &patch).await.expect(200);
    assert_eq!(changed["metadata"]["generation"], 2, "a plan changed nothing");
    assert_eq!(changed["spec"]["limits"]["connections"], 5);
    assert_eq!(changed["spec"]["limits"]["ingress_bytes_per_second"], 1_048_576);
    assert_eq!(
        changed["spec"]["subject"]["principals"].as_array().unwrap().len(),
        2
    );
    let list = format!("/v1/quotas?cluster={}", world.made.cluster);
    assert_eq!(
        world.admin.get(&list).await.expect(200)["data"][0]["id"],
        made["id"]
    );

    // What it names and where it is cannot go before it.
    let account = format!("/v1/service-accounts/{a}");
    world.admin.delete(&account).await.expect_problem(409, "in_use");
    let topic = format!("/v1/topics/{}", world.made.topic);
    world.admin.delete(&topic).await.expect(204);
    let cluster = format!("/v1/clusters/{}", world.made.cluster);
    world.admin.delete(&cluster).await.expect_problem(409, "in_use");
    world.admin.delete(&path).await.expect(204);
    world.admin.get(&path).await.expect_problem(404, "not_found");
    world.admin.delete(&account).await.expect(204);
    world.admin.delete(&cluster).await.expect(204);
}

#[tokio::test]
async fn one_quota_says_something_of_a_subject() {
    let world = World::make().await;
    let (a, b) = (world.account("a").await, world.account("b").await);
    world.put(of(&[&a]), ingress(4096)).await;
    for kind in ["DEFAULT", "TENANT"] {
        world.put(json!({"kind": kind}), ingress(4096)).await;
        let again = world.quota(json!({"kind": kind}), ingress(8192));
        let problem = world
            .admin
            .post("/v1/quotas", &again)
            .await
            .expect_problem(409, "name_taken");
        assert_eq!(problem["errors"][0]["pointer"], "/spec/subject", "{problem}");
    }
    let again = world.quota(of(&[&b, &a]), ingress(8192));
    world
        .admin
        .post("/v1/quotas", &again)
        .await
        .expect_problem(409, "name_taken");
    // Beside its own, a principal may share one.
    world
        .put(json!({"kind": "SHARED", "principals": [a, b]}), ingress(4096))
        .await;
    let other = world.put(of(&[&b]), ingress(4096)).await;
    let wider = json!({"spec": {"subject": {"principals": [b, a]}}});
    world
        .admin
        .patch(&format!("/v1/quotas/{}", id(&other)), &wider)
        .await
        .expect_problem(409, "name_taken");
}

#[tokio::test]
async fn bad_wishes_are_refused_where_they_are_bad() {
    let world = World::make().await;
    let a = world.account("a").await;
    let (stranger, _) = world.bench.tenant("TENANT_ADMIN").await;
    let foreign = json!({"spec": {"name": "foreign"}});
    let foreign = id(&stranger.post("/v1/service-accounts", &foreign).await.expect(201));
    for (subject, limits, pointer, code) in [
        (of(&[&a]), json!({}), "/spec/limits", "required"),
        (
            of(&[&a]),
            ingress(1000),
            "/spec/limits/ingress_bytes_per_second",
            "out_of_range",
        ),
        (
            of(&[&a]),
            json!({"storage_bytes": 5_000_000}),
            "/spec/limits/storage_bytes",
            "out_of_range",
        ),
        (
            of(&[&a, &foreign]),
            ingress(4096),
            "/spec/subject/principals/1",
            "bad_reference",
        ),
        (
            json!({"kind": "TENANT", "principals": [a]}),
            ingress(4096),
            "/spec/subject",
            "unknown_field",
        ),
    ] {
        let quota = world.quota(subject, limits);
        let problem = world
            .admin
            .post("/v1/quotas", &quota)
            .await
            .expect_problem(422, "invalid");
        let found = (&problem["errors"][0]["pointer"], &problem["errors"][0]["code"]);
        assert_eq!(found, (&json!(pointer), &json!(code)), "{problem}");
    }
    let mut own = world.quota(of(&[&a]), ingress(8192));
    own["spec"]["floors"] = ingress(4096);
    world.admin.post("/v1/quotas", &own).await.expect(201);
    let tenant = world.quota(json!({"kind": "TENANT"}), ingress(2048));
    let problem = world
        .admin
        .post("/v1/quotas", &tenant)
        .await
        .expect_problem(422, "invalid");
    assert_eq!(
        problem["errors"][0]["pointer"],
        "/spec/limits/ingress_bytes_per_second"
    );
    // Nobody raises his own: that is for administrators.
    let developer = world.bench.member(&world.tenant, "DEVELOPER").await;
    developer
        .post("/v1/quotas", &own)
        .await
        .expect_problem(403, "denied");
}

#[tokio::test]
async fn the_agent_is_told_and_its_word_makes_it_ready() {
    let world = World::make().await;
    let a = world.account("a").await;
    let made = world.put(of(&[&a]), ingress(4096)).await;
    let path = format!("/v1/quotas/{}", id(&made));
    let data_plane: DataPlaneId = world.made.data_plane.parse().unwrap();
    let served = Served {
        data_plane,
        pool: uuid::Uuid::nil(),
        cluster: world.made.cluster.parse().unwrap(),
        tenant: world.tenant,
        environment: world.made.environment.parse().unwrap(),
        account: a.parse().unwrap(),
    };
    let door = world.bench.door().await;
    let token = world.bench.database.token(&served, 30).await;
    let identity = door.enroll(&token).await.expect("enrolled");
    let nothing = Generation { epoch: 0, n: 0 };
    let mut session = door.session(&identity, 1, nothing).await.expect("a session");
    session.welcome().await;
    let (frame, state) = session.desired().await;
    let told = &state.quotas[0];
    assert_eq!(told.id, id(&made));
    assert_eq!(told.principal_ids, [a]);
    assert_eq!(
        (told.subject(), told.mode()),
        (QuotaSubject::Principals, QuotaMode::Enforce)
    );
    assert_eq!(told.limits.unwrap().ingress_bytes_per_second, 4096);
    let items = vec![ItemStatus {
        id: id(&made),
        phase: Phase::Ready.into(),
        observed: frame.generation,
        policy_accepted: true,
        ..ItemStatus::default()
    }];
    session
        .say(Up::Status(StatusReport {
            items,
            ..StatusReport::default()
        }))
        .await;
    let patch = json!({"metadata": {"labels": {"seen": "yes"}}});
    let end = tokio::time::Instant::now() + std::time::Duration::from_secs(20);
    while world.admin.get(&path).await.expect(200)["status"]["phase"] != "READY" {
        assert!(tokio::time::Instant::now() < end, "never READY");
        tokio::task::yield_now().await;
    }
    // A change waits for its own acknowledgement; a deletion is told by silence.
    let changed = world.admin.patch(&path, &patch).await.expect(200);
    assert_eq!(changed["status"]["phase"], "PROVISIONING");
    world.admin.delete(&path).await.expect(204);
    loop {
        let (_frame, state) = session.desired().await;
        if state.quotas.is_empty() {
            return;
        }
    }
}
