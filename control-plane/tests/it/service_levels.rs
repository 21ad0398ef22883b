//! What topics promise of freshness, completeness and availability, and how it is measured, minute by minute.

use chrono::{DateTime, DurationRound as _, TimeDelta, Utc};
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use weir_control_plane::kernel::TenantId;
use weir_control_plane::resources::service_level::evaluate;

use crate::harness::{Bench, Caller};
use crate::streams::{self, Streams};

const REGISTRY: &str = "/registry/contexts/.prod/subjects/payments-value";

struct World {
    bench: Bench,
    admin: Caller,
    tenant: TenantId,
    made: Streams,
    /// The minute of now; what happens before it is told in minutes.
    now: DateTime<Utc>,
}

/// A version that promises this.
fn version(field: &str, properties: &Value) -> Value {
    let schema = json!({"type": "record", "name": "Payment", "fields": [
        {"name": field, "type": "string", "default": ""}]});
    json!({"schema": schema.to_string(), "metadata": {"properties": properties}})
}

impl World {
    async fn make(properties: &Value) -> Self {
        let bench = Bench::start().await;
        let (admin, ids) = bench.tenant("TENANT_ADMIN").await;
        let made = streams::make(&admin).await;
        let world = Self {
            bench,
            admin,
            tenant: ids.tenant,
            made,
            now: Utc::now()
                .duration_trunc(TimeDelta::minutes(1))
                .expect("a minute"),
        };
        world.promise("a", properties).await;
        world.run("INSERT INTO object_status (object_id, tenant_id, data_plane_id, phase, observed_epoch, observed_n)
             SELECT id, tenant_id, data_plane_id, 'READY', 1, 1 FROM topic;
             INSERT INTO data_plane_link (data_plane_id, tenant_id, enrolled_at, public_key_sha256, certificate_not_after)
             SELECT id, tenant_id, now(), '', now() FROM data_plane;
             INSERT INTO usage_progress (data_plane_id, complete_until) SELECT id, '2020-01-01' FROM data_plane")
            .await;
        world
    }

    async fn promise(&self, field: &str, properties: &Value) {
        let path = format!("{REGISTRY}/versions");
        self.admin
            .post(&path, &version(field, properties))
            .await
            .expect(200);
    }

    fn at(&self, minute: i64) -> DateTime<Utc> {
        self.now + TimeDelta::minutes(minute)
    }

    /// What the agents' door would write.
    async fn run(&self, sql: &str) {
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
            .execute(&mut self.bench.database.owner().await)
            .await
            .expect("written");
    }

    /// The agent is heard at this minute, and told all usage up to the minute before.
    async fn heard(&self, minute: i64) {
        let (at, until) = (self.at(minute), self.at(minute - 1));
        self.run(&format!(
            "UPDATE data_plane_link SET session_id = data_plane_id, last_seen_at = '{at}';
             UPDATE usage_progress SET complete_until = '{until}'"
        ))
        .await;
    }

    /// A gateway closed a window at this minute in which every topic of these took records.
    async fn produced(&self, minute: i64, topics: &str) {
        let at = self.at(minute);
        self.run(&format!(
            "INSERT INTO usage_window (data_plane_id, gateway_id, boot, sequence, started_at, ended_at)
                 SELECT id, 'g', 1, {}, '{at}', '{at}' FROM data_plane;
             INSERT INTO usage_row (data_plane_id, gateway_id, boot, sequence, ordinal, tenant_id, environment_id, cluster_id,
                 topic_id, principal_id, direction, uncertain, hour, bytes, records, requests)
             SELECT t.data_plane_id, 'g', 1, {}, row_number() OVER (), t.tenant_id, c.environment_id, c.id, t.id, t.id,
                 'PRODUCE', false, '{at}', 1, 1, 1
             FROM topic t JOIN cluster c ON c.id = t.cluster_id WHERE {topics}",
            minute + 10_000,
            minute + 10_000,
        ))
        .await;
    }

    async fn judged(&self, minute: i64, records: i64, violating: i64) {
        let at = self.at(minute);
        self.run(&format!(
            "INSERT INTO contract_judged (topic_id, tenant_id, minute, records, violating, last_record_at)
             SELECT id, tenant_id, '{at}', {records}, {violating}, '{at}' FROM topic"
        ))
        .await;
    }

    async fn phase(&self, phase: &str, reason: &str) {
        self.run(&format!(
            "UPDATE object_status SET phase = '{phase}', reason = '{reason}'"
        ))
        .await;
    }

    async fn look(&self, minute: i64) {
        let now = self.at(minute);
        let seen = evaluate::see(&self.bench.app, now).await.expect("seen");
        for tenant in &seen.tenants {
            evaluate::look(&self.bench.app, *tenant, &seen, now)
                .await
                .expect("looked");
        }
    }

    /// Heard and looked at.
    async fn pass(&self, minute: i64) {
        self.heard(minute).await;
        self.look(minute).await;
    }

    async fn levels(&self) -> Vec<Value> {
        let path = format!("/v1/topics/{}/service-levels", self.made.topic);
        let seen = self.admin.get(&path).await.expect(200);
        seen["levels"].as_array().expect("levels").clone()
    }

    async fn level(&self, name: &str) -> Value {
        let levels = self.levels().await;
        let found = levels.iter().find(|it| it["name"] == name);
        found.unwrap_or_else(|| panic!("{name} of {levels:?}")).clone()
    }

    /// The events about service levels, the oldest first.
    async fn events(&self) -> Vec<String> {
        sqlx::query_scalar(
            "SELECT action FROM event WHERE kind = 'Topic' AND tenant_id = $1 AND action ~ '^(fresh|compl|avail)' ORDER BY id",
        )
        .bind(self.tenant.uuid())
        .fetch_all(&mut self.bench.database.owner().await)
        .await
        .expect("events")
    }
}

#[tokio::test]
async fn freshness_is_measured_by_usage_and_its_breach_told_with_its_end() {
    let world = World::make(&json!({"service_level.freshness": "5 m"})).await;
    let waiting = world.level("freshness").await;
    assert_eq!(
        (&waiting["state"], &waiting["reason"], &waiting["budget"]),
        (&json!("NO_DATA"), &json!("NOT_MEASURED"), &Value::Null)
    );
    world.pass(-20).await;
    assert_eq!(world.level("freshness").await["budget"]["unknown_minutes"], 1);
    world.produced(-20, "true").await;
    world.pass(-19).await;
    world.pass(-18).await;
    assert_eq!(world.events().await, [""; 0], "it was never broken");
    // Seven minutes later nothing has come: up to the minute before, six.
    world.pass(-13).await;
    world.pass(-12).await;
    world.look(-12).await;
    assert_eq!(world.events().await, ["freshness_breached"]);
    world.produced(-2, "true").await;
    world.pass(-1).await;
    assert_eq!(world.events().await, ["freshness_breached", "freshness_restored"]);
    let level = world.level("freshness").await;
    assert_eq!(
        (&level["state"], &level["objective"], &level["measured"]),
        (
            &json!("OK"),
            &json!({"value": 5, "unit": "m"}),
            &json!({"value": 0.0, "unit": "m"})
        ),
        "{level:#}"
    );
    // Twenty minutes since the first look: three good ones, two bad ones; the rest nobody knows.
    let budget = &level["budget"];
    assert_eq!(
        (&budget["spent_minutes"], &budget["unknown_minutes"]),
        (&json!(2), &json!(15))
    );
    assert_eq!(budget["allowed_minutes"], 431.85);
    assert_eq!(
        (&level["version"], &level["target_percent"]),
        (&json!(1), &json!(99.0))
    );
    world.pass(0).await;
    let level = world.level("freshness").await;
    assert_eq!(level["measured"], json!({"value": 1.0, "unit": "m"}));
}

#[tokio::test]
async fn who_is_not_heard_is_unknown_and_never_good_or_bad() {
    let promises = json!({"service_level.freshness": "5 m", "service_level.availability": "99.9 percent"});
    let world = World::make(&promises).await;
    world.pass(-30).await;
    world.produced(-30, "true").await;
    world.pass(-29).await;
    // The status still says READY, and the newest record is new.
    for minute in -27..=-20 {
        world.look(minute).await;
    }
    let actions = world.events().await;
    assert_eq!(actions, ["freshness_no_data", "availability_no_data"]);
    for minute in -3..=0 {
        world.look(minute).await;
    }
    for name in ["freshness", "availability"] {
        let level = world.level(name).await;
        assert_eq!(
            (&level["state"], &level["reason"], &level["measured"]),
            (&json!("NO_DATA"), &json!("NO_REPORT"), &Value::Null),
            "{level:#}"
        );
        let budget = &level["budget"];
        let good = if name == "freshness" { 1 } else { 2 };
        assert_eq!(
            (&budget["spent_minutes"], &budget["unknown_minutes"]),
            (&json!(0), &json!(31 - good)),
            "{level:#}"
        );
    }
    assert_eq!(world.events().await.len(), 2, "it is told once");
}

#[tokio::test]
async fn completeness_is_of_an_hour_and_availability_of_the_whole_period() {
    let promises = json!({"service_level.completeness": "99 percent", "service_level.availability": "99.99 percent",
        "service_level.completeness.target": "99.99 percent"});
    let world = World::make(&promises).await;
    world.pass(-90).await;
    let idle = world.level("completeness").await;
    assert_eq!(
        idle["reason"], "NOT_MEASURED",
        "it was measured too long ago to show: {idle:#}"
    );
    let contract = json!({"spec": {"contract": {"enforcement": "SHADOW"}}});
    let topic = format!("/v1/topics/{}", world.made.topic);
    world.admin.patch(&topic, &contract).await.expect(200);
    world.phase("READY", "").await;
    world.judged(-80, 100, 100).await;
    world.judged(-10, 990, 5).await;
    world.pass(-6).await;
    assert_eq!(world.events().await, [""; 0], "the hour before does not count");
    world.judged(-5, 10, 6).await;
    // Five minutes without a gateway are more than the budget of 4.32.
    world.phase("DEGRADED", "NO_GATEWAY").await;
    for minute in -4..=0 {
        world.pass(minute).await;
    }
    assert_eq!(
        world.events().await,
        [
            "completeness_breached",
            "completeness_budget_spent",
            "availability_breached"
        ]
    );
    let complete = world.level("completeness").await;
    assert_eq!(
        (&complete["state"], &complete["measured"]),
        (&json!("BREACHED"), &json!({"value": 98.9, "unit": "percent"}))
    );
    let available = world.level("availability").await;
    assert_eq!(available["state"], "BREACHED");
    let budget = &available["budget"];
    assert_eq!(
        (&budget["spent_minutes"], &budget["remaining_ratio"]),
        (&json!(5), &json!(0.0))
    );
    // Two of seven known minutes were good.
    assert_eq!(available["measured"]["value"], 28.571);
}

#[tokio::test]
async fn refused_records_are_not_fresh_and_unjudged_topics_not_complete() {
    let promises = json!({"service_level.completeness": "99 %", "service_level.freshness": "2 m"});
    let world = World::make(&promises).await;
    world.judged(-1, 10, 10).await;
    world.pass(0).await;
    let complete = world.level("completeness").await;
    assert_eq!(
        (&complete["state"], &complete["reason"]),
        (&json!("NO_DATA"), &json!("NOT_JUDGED"))
    );
    assert_eq!(world.level("freshness").await["reason"], "NO_RECORDS");
    let contract = json!({"spec": {"contract": {"enforcement": "REJECT"}}});
    let topic = format!("/v1/topics/{}", world.made.topic);
    world.admin.patch(&topic, &contract).await.expect(200);
    world.judged(0, 10, 1).await;
    world.pass(1).await;
    assert_eq!(world.level("freshness").await["measured"]["value"], 0.0);
    assert_eq!(world.level("completeness").await["state"], "BREACHED");
}

#[tokio::test]
async fn every_tenant_is_measured_by_its_own() {
    let world = World::make(&json!({"service_level.freshness": "5 m"})).await;
    let (stranger, _ids) = world.bench.tenant("TENANT_ADMIN").await;
    let theirs = streams::make(&stranger).await;
    let path = format!("/v1/topics/{}/service-levels", theirs.topic);
    let seen = stranger.get(&path).await.expect(200);
    assert_eq!(seen["levels"], json!([]), "the same names, and no promise");
    world.pass(-9).await;
    let topic = world.made.topic.clone();
    let others = format!("t.tenant_id <> '{}'", world.tenant.uuid());
    world.produced(-1, &others).await;
    world.pass(0).await;
    let level = world.level("freshness").await;
    assert_eq!(level["state"], "BREACHED", "{level:#}");
    let path = format!("/v1/topics/{topic}/service-levels");
    stranger.get(&path).await.expect_problem(404, "not_found");
    let rows: i64 = sqlx::query_scalar("SELECT count(*) FROM service_level WHERE tenant_id <> $1")
        .bind(world.tenant.uuid())
        .fetch_one(&mut world.bench.database.owner().await)
        .await
        .expect("rows");
    assert_eq!(rows, 0);
}

#[tokio::test]
async fn the_newest_version_promises_and_what_is_sensitive_or_wrong_is_not_measured() {
    let world = World::make(&json!({"service_level.freshness": "5 m"})).await;
    let promises = json!({"service_level.freshness": "soon", "service_level.availability": "99.9 percent"});
    world.promise("b", &promises).await;
    world.pass(0).await;
    let levels = world.levels().await;
    let wrong = &levels[0];
    assert_eq!(
        (
            &wrong["state"],
            &wrong["reason"],
            &wrong["objective"],
            &wrong["version"]
        ),
        (&json!("NO_DATA"), &json!("MALFORMED"), &Value::Null, &json!(2))
    );
    assert!(
        wrong["message"].as_str().is_some_and(|it| it.contains("5 m")),
        "{wrong}"
    );
    assert_eq!((levels.len(), &levels[1]["state"]), (2, &json!("OK")));
    let mut hidden = version("c", &promises);
    hidden["metadata"]["sensitive"] = json!(["service_level.availability"]);
    world
        .admin
        .post(&format!("{REGISTRY}/versions"), &hidden)
        .await
        .expect(200);
    let levels = world.levels().await;
    assert_eq!(levels.len(), 1, "{levels:?}");
    for version in [3, 2] {
        let path = format!("{REGISTRY}/versions/{version}");
        world.admin.delete(&path).await.expect(200);
    }
    assert_eq!(world.level("freshness").await["version"], 1);
    // Its records name their subjects: none of them is the topic's own.
    let strategy =
        json!({"spec": {"contract": {"enforcement": "SHADOW", "value": {"strategy": "RECORD_NAME"}}}});
    let topic = format!("/v1/topics/{}", world.made.topic);
    world.admin.patch(&topic, &strategy).await.expect(200);
    assert_eq!(world.levels().await, Vec::<Value>::new());
}

#[tokio::test]
async fn a_minute_counts_once_and_for_thirty_days() {
    let world = World::make(&json!({"service_level.availability": "99 percent"})).await;
    let days = |days: i64| -days * 24 * 60;
    world.pass(days(31)).await;
    world.phase("FAILED", "").await;
    world.pass(days(29)).await;
    world.look(days(29)).await;
    let sums = || async {
        let sums: (i64, i64, i64) = sqlx::query_as(
            "SELECT (SELECT sum(good) FROM service_level)::bigint, (SELECT sum(bad) FROM service_level)::bigint,
                 (SELECT sum(good * 100 + bad) FROM service_level_hour)::bigint",
        )
        .fetch_one(&mut world.bench.database.owner().await)
        .await
        .expect("sums");
        sums
    };
    assert_eq!(sums().await, (1, 1, 101));
    world.phase("READY", "").await;
    world.pass(0).await;
    assert_eq!(
        sums().await,
        (1, 1, 101),
        "the oldest is forgotten, the newest counted"
    );
    let level = world.level("availability").await;
    assert_eq!(level["measured"]["value"], 50.0);
    let budget = &level["budget"];
    assert_eq!(
        (&budget["unknown_minutes"], &budget["allowed_minutes"]),
        (&json!(43_198), &json!(0.02))
    );
    assert_eq!(level["state"], "BREACHED", "what nobody knows allows nothing");
}

#[tokio::test]
async fn many_topics_are_looked_at_in_batches_and_told_to_scrapers() {
    let world = World::make(&json!({"service_level.availability": "99 percent"})).await;
    let many = "INSERT INTO topic (id, tenant_id, cluster_id, data_plane_id, name, partitions, retention_ms, retention_bytes,
             cleanup_policy, max_message_bytes)
         SELECT gen_random_uuid(), t.tenant_id, t.cluster_id, t.data_plane_id, 'n' || n, 1, 1, 1, 'DELETE', 1000
         FROM topic t, generate_series(1, 1200) n;
         INSERT INTO object_status (object_id, tenant_id, data_plane_id, phase, observed_epoch, observed_n)
         SELECT id, tenant_id, data_plane_id, 'READY', 1, 1 FROM topic WHERE name LIKE 'n%';
         INSERT INTO contract (id, tenant_id, environment_id, subject)
         SELECT t.id, t.tenant_id, (SELECT environment_id FROM cluster LIMIT 1),
             t.name || '-value' FROM topic t WHERE name LIKE 'n%';
         INSERT INTO contract_version (tenant_id, contract_id, version, contract_schema_id, created_by)
         SELECT t.tenant_id, t.id, 1, (SELECT id FROM contract_schema LIMIT 1), '' FROM topic t WHERE name LIKE 'n%'";
    world.run(many).await;
    world.pass(-1).await;
    world.pass(0).await;
    let counted: (i64, i64) = sqlx::query_as("SELECT count(*), sum(good)::bigint FROM service_level")
        .fetch_one(&mut world.bench.database.owner().await)
        .await
        .expect("counts");
    assert_eq!(counted, (1201, 2402));
    let text = crate::metrics::scraped(&world.admin).await;
    assert_eq!(
        text.matches("weir_service_level_breached{").count(),
        500,
        "bounded"
    );
    assert!(text.contains("level=\"availability\"} 0"), "{text}");
}
