//! What gateways judged: whose it is, how long it is kept, who is told.

use chrono::Utc;
use serde_json::{Value, json};
use weir_control_plane::kernel::{Id, kind};
use weir_control_plane::resources::alert_rule::evaluate::{self, Silence};
use weir_proto::agent::v1::agent_frame::Frame as Up;
use weir_proto::agent::v1::{
    ContractReport, Enforcement, RecordPart, TopicJudged, ViolationCount, ViolationKind,
};

use super::{Agent, Tenant, World};
use crate::harness::Caller;
use crate::streams::id;

struct Judging {
    world: World,
    agent: Agent,
    topic: String,
    schema: String,
    account: String,
}

async fn account(tenant: &Tenant, name: &str) -> String {
    let account = json!({"spec": {"name": name}});
    id(&tenant
        .admin
        .post("/v1/service-accounts", &account)
        .await
        .expect(201))
}

impl Judging {
    async fn make() -> Self {
        let world = World::make().await;
        let tenant = &world.owner;
        let rules = json!({"domainRules": [
            {"name": "named", "kind": "CONDITION", "mode": "WRITE", "type": "CEL", "expr": "message.name != ''"},
            {"name": "positive", "kind": "CONDITION", "mode": "WRITE", "type": "CEL", "expr": "message.amount > 0"}]});
        let schema = json!({"type": "record", "name": "Payment", "fields": [
            {"name": "name", "type": "string"}, {"name": "amount", "type": "long"}]});
        let body = json!({"schema": schema.to_string(), "ruleSet": rules});
        tenant.register("payments-value", &body).await;
        let topic = tenant.topic("payments", json!({"enforcement": "REJECT"})).await;
        let account = account(tenant, "loader").await;
        let mut agent = world.agent().await;
        let told = agent.told(&world).await;
        let promise = super::topic(told, &topic).contract.clone().expect("a contract");
        let schema = promise.value.expect("values").schema_ids[0].clone();
        Self {
            world,
            agent,
            topic,
            schema,
            account,
        }
    }

    fn judged(&self, topic: &str, records: u64, violating: u64) -> TopicJudged {
        TopicJudged {
            topic_id: topic.to_owned(),
            records,
            violating,
            last_record_at_unix_ms: Utc::now().timestamp_millis(),
        }
    }

    fn broken(&self, rule: u32, records: u64) -> ViolationCount {
        ViolationCount {
            topic_id: self.topic.clone(),
            principal_id: self.account.clone(),
            part: RecordPart::Value.into(),
            schema: self.schema.clone(),
            kind: ViolationKind::Condition.into(),
            rule,
            enforcement: Enforcement::Reject.into(),
            records,
        }
    }

    async fn report(&self, topics: Vec<TopicJudged>, violations: Vec<ViolationCount>) {
        let now = Utc::now().timestamp_millis();
        let report = ContractReport {
            started_at_unix_ms: now - 4_000,
            ended_at_unix_ms: now,
            topics,
            violations,
        };
        self.agent.session.say(Up::Contracts(report)).await;
    }

    /// What the topic shows once so many records were judged.
    async fn seen(&self, caller: &Caller, topic: &str, records: u64) -> Value {
        let path = format!("/v1/topics/{topic}/violations");
        let until = tokio::time::Instant::now() + std::time::Duration::from_secs(20);
        loop {
            let seen = caller.get(&path).await.expect(200);
            if seen["records"] == records {
                return seen;
            }
            assert!(tokio::time::Instant::now() < until, "{records} of {seen:#}");
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }
}

#[tokio::test]
async fn what_was_broken_is_shown_by_rule_and_producer() {
    let judging = Judging::make().await;
    let admin = &judging.world.owner.admin;
    let stranger = Id::<kind::ServiceAccount>::generate().to_string();
    let nameless = ViolationCount {
        principal_id: stranger.clone(),
        schema: String::new(),
        kind: ViolationKind::NoFrame.into(),
        rule: 0,
        ..judging.broken(0, 2)
    };
    let first = vec![judging.broken(2, 30), judging.broken(1, 5), nameless];
    judging
        .report(vec![judging.judged(&judging.topic, 100, 35)], first)
        .await;
    judging
        .report(
            vec![judging.judged(&judging.topic, 100, 10)],
            vec![judging.broken(2, 10)],
        )
        .await;
    let seen = judging.seen(admin, &judging.topic, 200).await;
    assert_eq!(
        (&seen["violating"], &seen["violating_ratio"]),
        (&json!(45), &json!(0.225))
    );
    assert!(
        seen["last_record_at"].is_string() && seen["truncated"] == false,
        "{seen:#}"
    );
    let rows = seen["violations"].as_array().expect("rows");
    let told: Vec<_> = rows
        .iter()
        .map(|it| {
            (
                it["rule"].as_str().unwrap_or_default(),
                it["records"].as_i64().unwrap_or_default(),
            )
        })
        .collect();
    assert_eq!(told, [("positive", 40), ("named", 5), ("", 2)]);
    assert_eq!(rows[0]["principal_name"], "loader");
    assert_eq!(
        (&rows[0]["violation"], &rows[0]["enforcement"], &rows[0]["part"]),
        (&json!("CONDITION"), &json!("REJECT"), &json!("VALUE"))
    );
    assert!(rows[0]["schema_id"].is_i64() && rows[0]["schema"] == judging.schema);
    assert_eq!(
        (&rows[2]["principal"], rows[2].get("schema")),
        (&json!(stranger), None)
    );
    let history = seen["history"].as_array().expect("minutes");
    let judged: i64 = history.iter().filter_map(|it| it["records"].as_i64()).sum();
    assert_eq!(judged, 200);
    for wrong in ["0", "61"] {
        let path = format!("/v1/topics/{}/violations?minutes={wrong}", judging.topic);
        let problem = admin.get(&path).await.expect_problem(422, "invalid");
        assert_eq!(problem["errors"][0]["pointer"], "?minutes");
    }
}

#[tokio::test]
async fn a_data_plane_speaks_of_its_own_topics_alone() {
    let judging = Judging::make().await;
    let (world, owner) = (&judging.world, &judging.world.owner.admin);
    let guest = world.guest().await;
    let theirs = guest.topic("payments", json!({"enforcement": "SHADOW"})).await;
    // On a data plane of its own.
    let (stranger, _) = world.bench.tenant("TENANT_ADMIN").await;
    let elsewhere = crate::streams::make(&stranger).await.topic;
    let foreign = ViolationCount {
        topic_id: elsewhere.clone(),
        ..judging.broken(1, 9)
    };
    judging
        .report(
            vec![
                judging.judged(&elsewhere, 9, 9),
                judging.judged(&theirs, 7, 0),
                judging.judged(&judging.topic, 5, 1),
            ],
            vec![foreign, judging.broken(1, 1)],
        )
        .await;
    judging.seen(owner, &judging.topic, 5).await;
    let guests = judging.seen(&guest.admin, &theirs, 7).await;
    assert_eq!(guests["violations"], json!([]));
    let untouched = judging.seen(&stranger, &elsewhere, 0).await;
    assert_eq!(
        (&untouched["violations"], untouched.get("violating_ratio")),
        (&json!([]), None)
    );
    let path = format!("/v1/topics/{}/violations", judging.topic);
    guest.admin.get(&path).await.expect_problem(404, "not_found");
}

#[tokio::test]
async fn an_hour_is_kept_and_details_are_bounded() {
    let judging = Judging::make().await;
    let admin = &judging.world.owner.admin;
    let old = "INSERT INTO contract_judged SELECT id, tenant_id, now() - interval '62 minutes', 1000, 0 FROM topic;
        INSERT INTO contract_violation SELECT id, tenant_id, now() - interval '62 minutes', id, 'KEY', id, 'SCHEMA', 0, 'SHADOW', 1
        FROM topic";
    let mut database = judging.world.bench.database.owner().await;
    sqlx::raw_sql(old).execute(&mut database).await.expect("old rows");
    let many = (1..=3_000).map(|rule| judging.broken(rule, 1)).collect();
    judging
        .report(vec![judging.judged(&judging.topic, 1, 1)], many)
        .await;
    let seen = judging.seen(admin, &judging.topic, 1).await;
    assert_eq!(seen["violations"].as_array().map(Vec::len), Some(500));
    assert_eq!(seen["truncated"], true);
    let counts: (i64, i64, i64) = sqlx::query_as(
        "SELECT (SELECT count(*) FROM contract_violation), (SELECT count(*) FROM contract_violation WHERE part = 'KEY'),
             (SELECT count(*) FROM contract_judged WHERE records = 1000)",
    )
    .fetch_one(&mut database)
    .await
    .expect("counts");
    assert_eq!(counts, (1_000, 0, 0));
}

#[tokio::test]
async fn violations_fire_alerts_and_are_scraped() {
    let judging = Judging::make().await;
    let world = &judging.world;
    let (tenant, admin) = (&world.owner, &world.owner.admin);
    let other = tenant.topic("other", json!({"enforcement": "SHADOW"})).await;
    let rule = |name: &str, topic: Value, threshold: i64| json!({"spec": {"cluster": tenant.cluster, "name": name, "kind": "VIOLATIONS", "topic": topic, "threshold": threshold}});
    let mut rules = Vec::new();
    for (name, topic, threshold) in [
        ("all", Value::Null, 15),
        ("one", json!("payments"), 15),
        ("less", json!("payments"), 10),
    ] {
        let rule = rule(name, topic, threshold);
        rules.push(id(&admin.post("/v1/alert-rules", &rule).await.expect(201)));
    }
    judging
        .report(
            vec![
                judging.judged(&judging.topic, 90, 10),
                judging.judged(&other, 90, 5),
            ],
            vec![judging.broken(2, 10)],
        )
        .await;
    judging.seen(admin, &other, 90).await;
    let tenant_of: uuid::Uuid = sqlx::query_scalar("SELECT tenant_id FROM alert_rule LIMIT 1")
        .fetch_one(&mut world.bench.database.owner().await)
        .await
        .expect("a tenant");
    let look = evaluate::look(&world.bench.app, Id::from_uuid(tenant_of), Silence::IsNoData);
    look.await.expect("looked");
    let mut states = Vec::new();
    for rule in rules {
        let seen = admin.get(&format!("/v1/alert-rules/{rule}")).await.expect(200);
        states.push((seen["status"]["state"].clone(), seen["status"]["value"].clone()));
    }
    assert_eq!(
        states,
        [
            (json!("FIRING"), json!(15)),
            (json!("OK"), json!(10)),
            (json!("FIRING"), json!(10))
        ]
    );
    // Told of is the last whole minute.
    sqlx::raw_sql(
        "UPDATE contract_judged SET minute = date_trunc('minute', now()) - interval '1 minute';
         UPDATE contract_violation SET minute = date_trunc('minute', now()) - interval '1 minute'",
    )
    .execute(&mut world.bench.database.owner().await)
    .await
    .expect("a minute later");
    let text = crate::metrics::scraped(admin).await;
    let line = |start: &str| {
        let found = text.lines().find(|it| it.starts_with(start));
        found.unwrap_or_else(|| panic!("{start} in\n{text}")).to_owned()
    };
    let broken = line("weir_contract_violations{");
    assert!(
        broken.contains("service_account=\"loader\"")
            && broken.contains("rule=\"positive\"")
            && broken.ends_with(" 10"),
        "{broken}"
    );
    assert!(line("weir_contract_judged_records{cluster=\"cards\",topic=\"payments\"}").ends_with(" 90"));
    assert_eq!(text.matches("weir_contract_violating_records{").count(), 2);
    let (stranger, _) = world.bench.tenant("TENANT_ADMIN").await;
    assert!(
        !crate::metrics::scraped(&stranger)
            .await
            .contains("weir_contract_violations{")
    );
}
