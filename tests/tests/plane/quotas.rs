//! Quotas from wish to use: the gateway is told, budgets are lent once, what was used is seen.

use serde_json::{Value, json};
use weir_proto::agent::v1::{QuotaReport, QuotaUse};
use weir_proto::lane::v1::{BudgetDimension, BudgetNeed, DimensionNeed};

use crate::planes::{PATIENCE, World, id, is_ready, make, until};

fn need(quota: &str) -> Vec<BudgetNeed> {
    vec![BudgetNeed {
        quota_id: quota.to_owned(),
        principal_id: String::new(),
        dimensions: vec![DimensionNeed {
            dimension: BudgetDimension::Ingress.into(),
            wanted_ppm: 1_000_000,
            floor_ppm: 0,
        }],
    }]
}

#[tokio::test]
async fn a_quota_reaches_its_gateway_and_its_use_comes_back() {
    let world = World::begin().await;
    let plane = world.control_plane().await;
    let admin = world.admin(&plane);
    let made = make(&admin).await;
    let account = world.service_account().await;
    let agent = world.agent_of(&plane, &made.enrollment, None).await;
    let mut gateway = world.gateway(1).await;
    let spec = json!({"cluster": made.cluster, "subject": {"kind": "TENANT"},
        "limits": {"ingress_bytes_per_second": 1_048_576}});
    let quota = admin.post("/v1/quotas", &json!({"spec": spec})).await.expect(201);
    let path = format!("/v1/quotas/{}", id(&quota));
    until(&admin, &path, is_ready).await;
    let snapshot = gateway
        .snapshot(PATIENCE, |it| !it.quotas.is_empty())
        .await
        .expect("the quota is in the snapshot");
    assert_eq!(snapshot.quotas[0].id, id(&quota));
    assert_eq!(
        snapshot.quotas[0].limits.unwrap().ingress_bytes_per_second,
        1_048_576
    );

    // Alone it may use all of it.
    let leases = gateway.lease(1, need(&id(&quota))).await.expect("leases");
    assert_eq!((leases.gateways, leases.leases[0].share_ppm), (1, 1_000_000));

    let now = chrono::Utc::now().timestamp_millis();
    let report = |ended: i64, principal: &str| QuotaReport {
        started_at_unix_ms: ended - 2000,
        ended_at_unix_ms: ended,
        uses: vec![QuotaUse {
            quota_id: id(&quota),
            principal_id: principal.to_owned(),
            ingress_bytes: 2_097_152,
            requests: 20,
            throttled_ms: 700,
            connections: 3,
            ..QuotaUse::default()
        }],
        levels: Vec::new(),
    };
    gateway.report(report(now, &account)).await.expect("reported");
    let usage = until(&admin, &format!("{path}/usage"), |it| {
        it["current"]["requests"] == 20
    })
    .await;
    let seen = |field: &str| usage[field].clone();
    assert_eq!(seen("ingress_bytes_per_second"), json!(1_048_576.0), "{usage:#}");
    assert_eq!(seen("connections"), 3);
    assert_eq!(usage["principals"][0]["principal"], account.as_str());
    assert_eq!(usage["principals"][0]["throttled_ms"], 700);
    let sum: i64 = minutes(&usage)
        .iter()
        .filter_map(|it| it["requests"].as_i64())
        .sum();
    assert_eq!(sum, 20);

    // Deleted, it is gone from the gateway.
    admin.delete(&path).await.expect(204);
    gateway
        .snapshot(PATIENCE, |it| it.quotas.is_empty())
        .await
        .expect("the quota is gone");
    agent.shutdown().await.expect("the agent ends");
}

fn minutes(usage: &Value) -> Vec<Value> {
    usage["history"].as_array().expect("minutes").clone()
}

#[tokio::test]
async fn a_raise_that_the_customer_refuses_changes_nothing_at_the_gateway() {
    let world = World::begin().await;
    let plane = world.control_plane().await;
    let admin = world.admin(&plane);
    let made = make(&admin).await;
    let policy = "refuse = [\"quota.raise\"]\n";
    let agent = world.agent_of(&plane, &made.enrollment, Some(policy)).await;
    let mut gateway = world.gateway(1).await;
    let spec = json!({"cluster": made.cluster, "subject": {"kind": "TENANT"},
        "limits": {"ingress_bytes_per_second": 4096}});
    let quota = admin.post("/v1/quotas", &json!({"spec": spec})).await.expect(201);
    let path = format!("/v1/quotas/{}", id(&quota));
    until(&admin, &path, is_ready).await;
    let raise = json!({"spec": {"limits": {"ingress_bytes_per_second": 8192}}});
    admin.patch(&path, &raise).await.expect(200);
    until(&admin, &path, |it| it["status"]["reason"] == "POLICY_REFUSED").await;
    let cut = json!({"spec": {"limits": {"ingress_bytes_per_second": 2048}}});
    admin.patch(&path, &cut).await.expect(200);
    until(&admin, &path, is_ready).await;
    let snapshot = gateway
        .snapshot(PATIENCE, |it| {
            let limits = it.quotas.first().and_then(|it| it.limits);
            limits.is_some_and(|it| it.ingress_bytes_per_second == 2048)
        })
        .await
        .expect("a cut cannot be refused");
    assert_eq!(snapshot.quotas.len(), 1);
    agent.shutdown().await.expect("the agent ends");
}

#[tokio::test]
async fn what_a_cluster_holds_is_measured_warned_of_and_told_to_gateways() {
    let world = World::begin().await;
    let plane = world.control_plane().await;
    let admin = world.admin(&plane);
    let made = make(&admin).await;
    let agent = world.agent_of(&plane, &made.enrollment, None).await;
    let mut gateway = world.gateway(1).await;
    let spec = json!({"cluster": made.cluster, "subject": {"kind": "TENANT"},
        "limits": {"storage_bytes": 10_000_000}});
    let quota = admin.post("/v1/quotas", &json!({"spec": spec})).await.expect(201);
    let path = format!("/v1/quotas/{}", id(&quota));
    until(&admin, &path, is_ready).await;
    until(&admin, &format!("/v1/topics/{}", made.topic), is_ready).await;
    for (bytes, reason) in [
        (8_100_000, json!("STORAGE_NEARLY_FULL")),
        (10_000_001, json!("STORAGE_FULL")),
        (1_000, Value::Null),
    ] {
        world.kafka.set_size("payments", bytes);
        let told = gateway
            .storage(PATIENCE, |it| {
                it.clusters.first().is_some_and(|it| it.bytes == bytes)
            })
            .await
            .expect("gateways are told");
        assert_eq!(told.clusters[0].cluster_id, made.cluster);
        let status = until(&admin, &path, |it| it["status"]["reason"] == reason).await;
        assert_eq!(status["status"]["phase"], "READY", "{status:#}");
        let usage = until(&admin, &format!("{path}/usage"), |it| {
            it["storage"]["bytes"] == bytes
        })
        .await;
        assert!(usage["storage"]["measured_at"].is_string(), "{usage:#}");
    }
    agent.shutdown().await.expect("the agent ends");
}
