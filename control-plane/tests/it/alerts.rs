//! Alert rules: a tenant's own thresholds, what makes them fire, who hears of it.

use serde_json::{Value, json};
use weir_control_plane::kernel::TenantId;
use weir_control_plane::resources::alert_rule::evaluate::{self, Silence};

use crate::harness::{Bench, Caller};
use crate::streams::{self, Streams, id};

struct World {
    bench: Bench,
    admin: Caller,
    tenant: TenantId,
    made: Streams,
}

impl World {
    async fn make() -> Self {
        let bench = Bench::start().await;
        let (admin, ids) = bench.tenant("TENANT_ADMIN").await;
        let made = streams::make(&admin).await;
        Self {
            bench,
            admin,
            tenant: ids.tenant,
            made,
        }
    }

    async fn rule(&self, name: &str, kind: &str, threshold: i64) -> String {
        let rule = json!({"spec": {"cluster": self.made.cluster, "name": name, "kind": kind, "threshold": threshold}});
        let made = self.admin.post("/v1/alert-rules", &rule).await.expect(201);
        assert_eq!(
            made["status"],
            json!({"phase": "PENDING"}),
            "nobody has looked yet"
        );
        format!("/v1/alert-rules/{}", id(&made))
    }

    /// What the agents' door would write.
    async fn reported(&self, sql: &str) {
        let mut owner = self.bench.database.owner().await;
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned()))
            .execute(&mut owner)
            .await
            .expect("report");
    }

    async fn look(&self) {
        evaluate::look(&self.bench.app, self.tenant, Silence::IsNoData)
            .await
            .expect("looked");
    }

    async fn state(&self, rule: &str) -> (Value, Value) {
        let seen = self.admin.get(rule).await.expect(200);
        (seen["status"]["state"].clone(), seen["status"]["value"].clone())
    }

    async fn events(&self) -> Vec<String> {
        let mut owner = self.bench.database.owner().await;
        sqlx::query_scalar("SELECT action FROM event WHERE kind = 'AlertRule' ORDER BY id")
            .fetch_all(&mut owner)
            .await
            .expect("events")
    }
}

const WAITED: &str =
    "INSERT INTO quota_use (quota_id, tenant_id, principal_id, started_at, ended_at, ingress_bytes,
        egress_bytes, requests, throttled_ms, would_throttle_ms, connections, connections_refused)
    SELECT id, tenant_id, id, now() - interval '4 s', now(), 1, 1, 1, 700, 99999, 1, 0 FROM quota";

#[tokio::test]
async fn an_alert_fires_by_its_own_tenants_numbers_and_ends() {
    let world = World::make().await;
    let quota = json!({"spec": {"cluster": world.made.cluster, "subject": {"kind": "TENANT"},
        "limits": {"storage_bytes": 10_000_000, "requests_per_second": 5}}});
    world.admin.post("/v1/quotas", &quota).await.expect(201);
    let slow = world.rule("slow", "THROTTLING", 500).await;
    let disk = world.rule("disk", "STORAGE", 80).await;
    // Another tenant's quota waits and is full, too.
    let (stranger, theirs) = world.bench.tenant("TENANT_ADMIN").await;
    let foreign = streams::make(&stranger).await;
    let quota = json!({"spec": {"cluster": foreign.cluster, "subject": {"kind": "TENANT"},
        "limits": {"storage_bytes": 1_048_576}}});
    stranger.post("/v1/quotas", &quota).await.expect(201);
    world
        .reported(&format!("{WAITED} WHERE tenant_id = '{}'", theirs.tenant.uuid()))
        .await;
    world
        .reported(&format!(
            "INSERT INTO quota_storage SELECT id, tenant_id, 99999999, now() FROM quota WHERE tenant_id = '{}'",
            theirs.tenant.uuid()
        ))
        .await;
    world.look().await;
    assert_eq!(world.state(&slow).await, (json!("OK"), json!(0)));
    assert_eq!(world.state(&disk).await, (json!("OK"), json!(0)));
    assert_eq!(world.events().await.len(), 2, "only that they were made");

    world
        .reported(&format!("{WAITED} WHERE tenant_id = '{}'", world.tenant.uuid()))
        .await;
    world
        .reported(&format!(
            "INSERT INTO quota_storage SELECT id, tenant_id, 8500000, now() FROM quota WHERE tenant_id = '{}'",
            world.tenant.uuid()
        ))
        .await;
    world.look().await;
    world.look().await;
    assert_eq!(world.state(&slow).await, (json!("FIRING"), json!(700)));
    assert_eq!(world.state(&disk).await, (json!("FIRING"), json!(85)));
    let heard = world.events().await;
    assert_eq!(heard.iter().filter(|it| *it == "firing").count(), 2, "{heard:?}");

    // Raised above what there is, it ends; without waiting, the other does.
    let raise = json!({"spec": {"threshold": 90}});
    world.admin.patch(&disk, &raise).await.expect(200);
    world.reported("DELETE FROM quota_use").await;
    world.look().await;
    assert_eq!(world.state(&slow).await.0, "OK");
    assert_eq!(world.state(&disk).await.0, "OK");
    let heard = world.events().await;
    assert_eq!(
        heard.iter().filter(|it| *it == "resolved").count(),
        2,
        "{heard:?}"
    );
}

#[tokio::test]
async fn a_rule_lives_and_ends() {
    let world = World::make().await;
    let rule = world.rule("disk", "STORAGE", 80).await;
    let spec = json!({"cluster": world.made.cluster, "name": "disk", "kind": "STORAGE", "threshold": 90});
    world
        .admin
        .post("/v1/alert-rules", &json!({"spec": spec}))
        .await
        .expect_problem(409, "name_taken");
    for (field, value, code) in [
        ("threshold", json!(101), "out_of_range"),
        ("for_seconds", json!(-1), "out_of_range"),
        ("kind", json!("THROTTLING"), "immutable"),
    ] {
        let mut spec = json!({});
        spec[field] = value;
        let problem = world
            .admin
            .patch(&rule, &json!({"spec": spec}))
            .await
            .expect_problem(422, "invalid");
        let error = &problem["errors"][0];
        assert_eq!(error["pointer"], format!("/spec/{field}"), "{problem}");
        assert_eq!(error["code"], code, "{problem}");
    }
    let list = format!("/v1/alert-rules?cluster={}", world.made.cluster);
    let listed = world.admin.get(&list).await.expect(200);
    assert_eq!(listed["data"].as_array().expect("rules").len(), 1);
    let topic = format!("/v1/topics/{}", world.made.topic);
    world.admin.delete(&topic).await.expect(204);
    let cluster = format!("/v1/clusters/{}", world.made.cluster);
    world.admin.delete(&cluster).await.expect_problem(409, "in_use");
    world.look().await;
    world.admin.delete(&rule).await.expect(204);
    world.admin.get(&rule).await.expect_problem(404, "not_found");
    world.admin.delete(&cluster).await.expect(204);
}
