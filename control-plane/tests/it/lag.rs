//! Alert rules of the kind LAG: what the agent is told of them, what follows from what it says, and from its silence.

use serde_json::{Value, json};
use weir_control_plane::resources::alert_rule::evaluate::{self, Silence};
use weir_proto::agent::v1::agent_frame::Frame as Up;
use weir_proto::agent::v1::{Generation, LagLevel, LagOutcome, LagReport, LagWatch};

use crate::harness::{Bench, Caller, Door, Served, Session, TenantIds};
use crate::link::settle;
use crate::streams::id;

struct World {
    bench: Bench,
    admin: Caller,
    tenant: TenantIds,
    served: Served,
    _door: Door,
    session: Session,
}

fn spec(served: &Served, name: &str, group: &str, threshold: i64) -> Value {
    json!({"spec": {"cluster": served.cluster.to_string(), "name": name, "kind": "LAG", "group": group,
        "threshold": threshold}})
}

fn level(rule: &str, outcome: LagOutcome, lag_records: i64) -> LagLevel {
    LagLevel {
        rule_id: rule.to_owned(),
        outcome: outcome.into(),
        lag_records,
    }
}

impl World {
    async fn make() -> Self {
        let bench = Bench::start().await;
        let (admin, tenant) = bench.tenant("TENANT_ADMIN").await;
        let served = bench.database.serve(tenant).await;
        let door = bench.door().await;
        let token = bench.database.token(&served, 30).await;
        let identity = door.enroll(&token).await.expect("enrolled");
        let mut session = door
            .session(&identity, 1, Generation::default())
            .await
            .expect("a session");
        session.welcome().await;
        session.desired().await;
        Self {
            bench,
            admin,
            tenant,
            served,
            _door: door,
            session,
        }
    }

    /// A rule's id.
    async fn rule(&self, name: &str, group: &str, threshold: i64) -> String {
        let rule = spec(&self.served, name, group, threshold);
        id(&self.admin.post("/v1/alert-rules", &rule).await.expect(201))
    }

    async fn says(&mut self, levels: Vec<LagLevel>) {
        self.session.say(Up::Lags(LagReport { levels })).await;
        settle(&mut self.session).await;
    }

    /// Everything that was reported is so much older.
    async fn passes(&self, seconds: i32) {
        sqlx::query("UPDATE alert_lag SET reported_at = reported_at - make_interval(secs => $1)")
            .bind(f64::from(seconds))
            .execute(&mut self.bench.database.owner().await)
            .await
            .expect("time passes");
    }

    async fn look(&self, silence: Silence) {
        evaluate::look(&self.bench.app, self.tenant.tenant, silence)
            .await
            .expect("looked");
    }

    /// State, value and reason after a look.
    async fn stands(&self, rule: &str) -> (String, Value, Value) {
        self.look(Silence::IsNoData).await;
        let seen = self
            .admin
            .get(&format!("/v1/alert-rules/{rule}"))
            .await
            .expect(200);
        let of = |field: &str| seen["status"][field].clone();
        (
            of("state").as_str().unwrap_or_default().to_owned(),
            of("value"),
            of("reason"),
        )
    }

    async fn heard(&self) -> Vec<String> {
        sqlx::query_scalar(
            "SELECT action FROM event WHERE kind = 'AlertRule' AND action IN ('firing', 'resolved', 'no_data') ORDER BY id",
        )
        .fetch_all(&mut self.bench.database.owner().await)
        .await
        .expect("events")
    }
}

fn no_data(reason: &str) -> (String, Value, Value) {
    ("NO_DATA".to_owned(), Value::Null, json!(reason))
}

fn measured(state: &str, value: i64) -> (String, Value, Value) {
    (state.to_owned(), json!(value), Value::Null)
}

#[tokio::test]
async fn the_agent_is_told_which_groups_are_watched_and_no_longer() {
    let mut world = World::make().await;
    let rule = world.rule("billing", "billing", 100).await;
    let (_, state) = world.session.desired().await;
    let watch = LagWatch {
        rule_id: rule.clone(),
        cluster_id: world.served.cluster.to_string(),
        group_id: "billing".into(),
        topic_name: String::new(),
    };
    assert_eq!(state.lag_watches, [watch]);
    let mut one = spec(&world.served, "orders", "billing", 100);
    one["spec"]["topic"] = json!("orders");
    world.admin.post("/v1/alert-rules", &one).await.expect(201);
    let (_, state) = world.session.desired().await;
    assert_eq!(state.lag_watches.len(), 2);
    assert_eq!(state.lag_watches[1].topic_name, "orders");
    // Rules that ask nothing of the agent, and changes that it need not know, move nothing on.
    let storage = json!({"spec": {"cluster": world.served.cluster.to_string(), "name": "disk", "kind": "STORAGE", "threshold": 80}});
    world.admin.post("/v1/alert-rules", &storage).await.expect(201);
    let path = format!("/v1/alert-rules/{rule}");
    let raise = json!({"spec": {"threshold": 200}});
    world.admin.patch(&path, &raise).await.expect(200);
    let before = state.lag_watches.len();
    world.admin.delete(&path).await.expect(204);
    let (frame, state) = world.session.desired().await;
    assert_eq!((before, state.lag_watches.len()), (2, 1));
    assert_eq!(
        frame.generation.expect("a generation").n,
        4,
        "three of these changes were the agent's"
    );
}

#[tokio::test]
async fn what_the_agent_says_makes_a_rule_fire_and_its_silence_is_no_end() {
    let mut world = World::make().await;
    let rule = world.rule("billing", "billing", 100).await;
    assert_eq!(
        world.stands(&rule).await,
        no_data("NO_REPORT"),
        "nobody has measured yet"
    );
    world.says(vec![level(&rule, LagOutcome::Measured, 99)]).await;
    assert_eq!(world.stands(&rule).await, measured("OK", 99));
    world.says(vec![level(&rule, LagOutcome::Measured, 100)]).await;
    assert_eq!(world.stands(&rule).await, measured("FIRING", 100));
    assert_eq!(world.heard().await, ["firing"]);

    // Brokers that are away for a moment are no news; for a minute they are.
    world.passes(40).await;
    world.says(vec![level(&rule, LagOutcome::Unreachable, 0)]).await;
    assert_eq!(world.stands(&rule).await, measured("FIRING", 100));
    world.passes(30).await;
    world.says(vec![level(&rule, LagOutcome::Unreachable, 0)]).await;
    assert_eq!(world.stands(&rule).await, no_data("UNREACHABLE"));

    world.says(vec![level(&rule, LagOutcome::Measured, 101)]).await;
    assert_eq!(world.stands(&rule).await, measured("FIRING", 101));
    // Cut off. Right after an absence of our own, that says nothing.
    world.passes(61).await;
    world.look(Silence::SaysNothing).await;
    assert_eq!(world.heard().await, ["firing", "no_data", "firing"]);
    assert_eq!(world.stands(&rule).await, no_data("NO_REPORT"));
    world.says(vec![level(&rule, LagOutcome::Measured, 3)]).await;
    assert_eq!(world.stands(&rule).await, measured("OK", 3));
    assert_eq!(
        world.heard().await,
        ["firing", "no_data", "firing", "no_data", "resolved"]
    );

    for (outcome, reason) in [
        (LagOutcome::NoCommits, "NO_COMMITS"),
        (LagOutcome::Withheld, "WITHHELD"),
        (LagOutcome::TooMany, "TOO_MANY"),
    ] {
        world.says(vec![level(&rule, outcome, 5)]).await;
        assert_eq!(world.stands(&rule).await, no_data(reason));
    }
    assert_eq!(
        world.heard().await.len(),
        6,
        "no data is told once, whatever the reason"
    );
}

#[tokio::test]
async fn an_agent_speaks_of_the_rules_that_it_serves() {
    let mut world = World::make().await;
    let own = world.rule("billing", "billing", 100).await;
    let (stranger, theirs) = world.bench.tenant("TENANT_ADMIN").await;
    let elsewhere = world.bench.database.serve(theirs).await;
    let rule = spec(&elsewhere, "billing", "billing", 100);
    let foreign = id(&stranger.post("/v1/alert-rules", &rule).await.expect(201));
    let (guest, lent) = world.bench.tenant("TENANT_ADMIN").await;
    let beside = world.bench.database.guest(&world.served, lent).await;
    let rule = spec(&beside, "billing", "billing", 100);
    let beside = id(&guest.post("/v1/alert-rules", &rule).await.expect(201));
    let storage = json!({"spec": {"cluster": world.served.cluster.to_string(), "name": "disk", "kind": "STORAGE", "threshold": 80}});
    let storage = id(&world.admin.post("/v1/alert-rules", &storage).await.expect(201));
    let levels = [&own, &foreign, &beside, &storage].map(|it| level(it, LagOutcome::Measured, 500));
    world.says(levels.to_vec()).await;
    assert_eq!(world.stands(&own).await.0, "FIRING");
    assert_eq!(world.stands(&storage).await, measured("OK", 0));
    for tenant in [theirs, lent] {
        evaluate::look(&world.bench.app, tenant.tenant, Silence::IsNoData)
            .await
            .expect("looked");
    }
    let state = |seen: Value| seen["status"]["state"].clone();
    let seen = stranger
        .get(&format!("/v1/alert-rules/{foreign}"))
        .await
        .expect(200);
    assert_eq!(state(seen), "NO_DATA", "of another data plane");
    let seen = guest.get(&format!("/v1/alert-rules/{beside}")).await.expect(200);
    assert_eq!(state(seen), "FIRING", "of another tenant on the same data plane");
    world
        .admin
        .get(&format!("/v1/alert-rules/{beside}"))
        .await
        .expect_problem(404, "not_found");
}

#[tokio::test]
async fn a_rule_of_lag_is_refused_where_it_is_bad() {
    let world = World::make().await;
    for (field, value, code) in [
        ("group", json!("a b"), "bad_name"),
        ("topic", json!("a/b"), "bad_name"),
        ("threshold", json!(0), "out_of_range"),
        ("kind", json!("STORAGE"), "out_of_range"),
    ] {
        let mut rule = spec(&world.served, "billing", "billing", 50);
        rule["spec"][field] = value;
        let pointer = if field == "kind" { "group" } else { field };
        let problem = world
            .admin
            .post("/v1/alert-rules", &rule)
            .await
            .expect_problem(422, "invalid");
        assert_eq!(
            problem["errors"][0]["pointer"],
            format!("/spec/{pointer}"),
            "{problem}"
        );
        assert_eq!(problem["errors"][0]["code"], code, "{problem}");
    }
    let mut nameless = spec(&world.served, "billing", "billing", 50);
    nameless["spec"].as_object_mut().expect("a spec").remove("group");
    let problem = world
        .admin
        .post("/v1/alert-rules", &nameless)
        .await
        .expect_problem(422, "invalid");
    assert_eq!(problem["errors"][0]["code"], "required", "{problem}");
    let rule = world.rule("billing", "billing", 50).await;
    for field in ["group", "topic"] {
        let other = json!({"spec": {field: "other"}});
        let path = format!("/v1/alert-rules/{rule}");
        let problem = world
            .admin
            .patch(&path, &other)
            .await
            .expect_problem(422, "invalid");
        assert_eq!(problem["errors"][0]["code"], "immutable", "{problem}");
    }
}

/// A rule that appears while its cluster goes must not keep the agent from reporting.
#[tokio::test]
async fn a_cluster_with_rules_does_not_go() {
    let world = World::make().await;
    world.rule("billing", "billing", 50).await;
    let cluster = format!("/v1/clusters/{}", world.served.cluster);
    sqlx::query(
        "INSERT INTO object_status (object_id, tenant_id, data_plane_id, phase, observed_epoch, observed_n)
         VALUES ($1, $2, $3, 'READY', 1, 1)",
    )
    .bind(world.served.pool)
    .bind(world.tenant.tenant.uuid())
    .bind(world.served.data_plane.uuid())
    .execute(&mut world.bench.database.owner().await)
    .await
    .expect("the pool is served");
    world.admin.delete(&cluster).await.expect_problem(409, "in_use");
}
