//! A tenant's metrics: its own numbers, in Prometheus' format, and nobody else's.

use http_body_util::BodyExt as _;
use serde_json::json;

use crate::harness::{Bench, Caller};
use crate::streams;

pub async fn scraped(caller: &Caller) -> String {
    let body = caller.open("/v1/metrics").await;
    let bytes = body.collect().await.expect("a body").to_bytes();
    String::from_utf8(bytes.to_vec()).expect("text")
}

#[tokio::test]
async fn a_tenant_scrapes_its_own_numbers() {
    let bench = Bench::start().await;
    let (admin, ids) = bench.tenant("TENANT_ADMIN").await;
    let (stranger, _) = bench.tenant("TENANT_ADMIN").await;
    let made = streams::make(&admin).await;
    streams::make(&stranger).await;
    let quota = json!({"spec": {"cluster": made.cluster, "subject": {"kind": "TENANT"},
        "limits": {"storage_bytes": 4_000_000, "ingress_bytes_per_second": 1_000_000}}});
    admin.post("/v1/quotas", &quota).await.expect(201);
    let account = json!({"spec": {"name": "loader"}});
    admin.post("/v1/service-accounts", &account).await.expect(201);
    let rule = json!({"spec": {"cluster": made.cluster, "name": "slow", "kind": "LAG", "group": "billing", "threshold": 5}});
    admin.post("/v1/alert-rules", &rule).await.expect(201);
    let unknown = json!({"spec": {"cluster": made.cluster, "name": "mute", "kind": "LAG", "group": "other", "threshold": 5}});
    admin.post("/v1/alert-rules", &unknown).await.expect(201);
    let mut owner = bench.database.owner().await;
    sqlx::raw_sql(
        "INSERT INTO usage_hour (tenant_id, hour, cluster_id, topic_id, principal_id, direction, environment_id,
             data_plane_id, bytes, records, requests, uncertain_bytes)
         SELECT c.tenant_id, date_trunc('hour', now()), c.id, t.id, coalesce(s.id, t.id), 'PRODUCE', c.environment_id,
             c.data_plane_id, 12345, 10, 2, 0
         FROM topic t JOIN cluster c ON c.id = t.cluster_id LEFT JOIN service_account s ON s.tenant_id = c.tenant_id;
         INSERT INTO quota_storage SELECT id, tenant_id, 1000000, now() FROM quota;
         INSERT INTO alert_lag SELECT id, tenant_id, CASE name WHEN 'slow' THEN 'MEASURED' ELSE 'NO_COMMITS' END, 77, now()
         FROM alert_rule;
         INSERT INTO quota_use (quota_id, tenant_id, principal_id, started_at, ended_at, ingress_bytes, egress_bytes,
             requests, throttled_ms, would_throttle_ms, connections, connections_refused)
         SELECT q.id, q.tenant_id, s.id, now() - interval '4 s', now(), 2000000, 0, 8, 640, 0, 3, 0
         FROM quota q JOIN service_account s ON s.tenant_id = q.tenant_id",
    )
    .execute(&mut owner)
    .await
    .expect("report");
    let text = scraped(&admin).await;
    let line = |start: &str, end: &str| {
        let found = text.lines().find(|it| it.starts_with(start) && it.contains(end));
        found
            .unwrap_or_else(|| panic!("{start} {end} in\n{text}"))
            .to_owned()
    };
    let produced = line("weir_produce_bytes_total{", "service_account=\"loader\"");
    assert!(
        produced.contains("cluster=\"cards\"") && produced.ends_with(" 12345"),
        "{produced}"
    );
    assert!(line("weir_quota_used{", "storage_bytes").ends_with(" 1000000"));
    assert!(line("weir_quota_used{", "ingress_bytes_per_second").ends_with(" 500000"));
    assert!(line("weir_quota_limit{", "ingress_bytes_per_second").ends_with(" 1000000"));
    assert!(line("weir_quota_throttled_milliseconds{", "loader").ends_with(" 640"));
    assert!(line("weir_consumer_group_lag_records{", "group=\"billing\"").ends_with(" 77"));
    assert_eq!(
        text.matches("weir_consumer_group_lag_records{").count(),
        1,
        "what is not known has no series"
    );
    assert!(line("weir_connections{", "loader").ends_with(" 3"));
    assert_eq!(text.matches("weir_produce_bytes_total{").count(), 1, "{text}");
    let theirs = scraped(&stranger).await;
    assert!(
        !theirs.contains("loader") && !theirs.contains("weir_quota_used{") && !theirs.contains("billing"),
        "{theirs}"
    );
    let reader = bench.member(&ids, "READER").await;
    assert_eq!(
        scraped(&reader)
            .await
            .matches("weir_produce_bytes_total{")
            .count(),
        1
    );
}
