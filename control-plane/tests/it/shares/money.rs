//! What is read through a mount costs its reader what it brings its provider, by the same windows.

use chrono::{DurationRound as _, TimeDelta, Utc};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use weir_control_plane::kernel::{Id, kind};
use weir_proto::agent::v1::{Direction, UsageRow};

use super::World;
use super::link::session;
use crate::harness::Caller;
use crate::usage::window;

const GIB: u64 = 1 << 30;

async fn costs(caller: &Caller, query: &str) -> Value {
    caller
        .get(&format!("/v1/costs?granularity=MONTHLY&{query}"))
        .await
        .expect(200)
}

fn amount(costs: &Value, meter: &str) -> Decimal {
    let rows = costs["data"].as_array().expect("rows").iter();
    rows.filter(|it| it["meter"] == meter)
        .map(|it| {
            it["amount"]
                .as_str()
                .expect("an amount")
                .parse::<Decimal>()
                .expect("a decimal number")
        })
        .sum()
}

/// The id of a service account of the reader's.
fn account(bits: u128) -> Id<kind::ServiceAccount> {
    Id::from_uuid(uuid::Uuid::from_u128(bits))
}

/// The agent tells of two principals who read through a mount.
async fn told(world: &World, topic: &str) {
    let (_door, mut session) = session(world).await;
    session.desired().await;
    let hour = Utc::now()
        .duration_trunc(TimeDelta::hours(1))
        .expect("an hour")
        .timestamp_millis();
    let row = |principal: u128, bytes: u64| UsageRow {
        cluster_id: world.cluster.clone(),
        topic_id: topic.to_owned(),
        principal_id: account(principal).to_string(),
        direction: Direction::Fetch.into(),
        bytes,
        records: 3,
        requests: 1,
        uncertain: false,
    };
    let told = window(1, hour, vec![row(1, 2 * GIB + 1), row(2, GIB)]);
    session.count(vec![told.clone()]).await;
    // Delivered twice, counted once.
    session.count(vec![told]).await;
}

/// However a charge is asked for, and by whom.
async fn cut(world: &World, charge: Decimal) {
    // However it is cut, it is the same; above tenants both cancel out.
    for query in ["", "group_by=cluster", "group_by=principal,direction"] {
        assert_eq!(
            amount(&costs(&world.consumer, query).await, "SHARE_FETCH_BYTES"),
            charge,
            "{query}"
        );
    }
    let operator = costs(&world.bench.operator().await, "group_by=tenant").await;
    assert_eq!(
        operator["totals"],
        json!([{"currency": "EUR", "amount": "0"}]),
        "{operator:#}"
    );
    let usage = world
        .provider
        .get("/v1/usage?granularity=MONTHLY&group_by=topic")
        .await
        .expect(200);
    assert_eq!(
        usage["data"],
        json!([]),
        "what others read is not the provider's usage"
    );
    let (third, _) = world.bench.tenant("TENANT_ADMIN").await;
    assert_eq!(costs(&third, "group_by=share").await["data"], json!([]));
}

#[tokio::test]
async fn a_charge_is_a_credit_on_the_other_side() {
    let world = World::make().await;
    let price = json!({"currency": "EUR", "per_gib": "0.33", "per_month": "720"});
    let (share, received) = world.offer(&world.with("/spec/price", price)).await;
    let taken = world.accept(&received, json!({})).await.expect(200);
    let topic = taken["status"]["mounts"][0]["topic"]
        .as_str()
        .expect("an id")
        .to_owned();
    told(&world, &topic).await;
    let read = costs(&world.consumer, "group_by=share,topic,principal").await;
    let given = costs(&world.provider, "group_by=share,topic").await;
    let charge = amount(&read, "SHARE_FETCH_BYTES");
    assert_eq!(charge, "0.99".parse::<Decimal>().expect("a number"), "{read:#}");
    assert_eq!(amount(&given, "SHARE_FETCH_BYTES_CREDIT"), -charge, "{given:#}");
    assert!(amount(&read, "SHARE_HOURS") > Decimal::ZERO);
    assert_eq!(
        amount(&given, "SHARE_HOURS_CREDIT"),
        -amount(&read, "SHARE_HOURS")
    );
    // Each side has its own alone, and what it may know of the other.
    assert_eq!(amount(&given, "SHARE_FETCH_BYTES"), Decimal::ZERO);
    assert_eq!(amount(&read, "SHARE_FETCH_BYTES_CREDIT"), Decimal::ZERO);
    let text = given.to_string();
    assert!(
        !text.contains(&account(1).suffix()) && !text.contains(&topic) && !text.contains(&world.cluster),
        "{text}"
    );
    assert!(text.contains(&world.made.topic) && text.contains(&share));
    assert!(!read.to_string().contains(&world.made.topic));
    cut(&world, charge).await;
    // The register of the share has it too, also when it has ended.
    world.act(&format!("shares/{share}/revoke")).await;
    for (caller, path) in [
        (&world.provider, format!("/v1/shares/{share}")),
        (&world.consumer, format!("/v1/received-shares/{received}")),
    ] {
        let seen = caller.get(&path).await.expect(200);
        assert_eq!(
            (&seen["status"]["read_bytes"], &seen["status"]["read_records"]),
            (&json!(3 * GIB + 1), &json!(6)),
            "{seen:#}"
        );
        assert!(seen["status"]["last_read_at"].is_string());
    }
    assert_eq!(
        amount(&costs(&world.provider, "").await, "SHARE_FETCH_BYTES_CREDIT"),
        -charge
    );
}
