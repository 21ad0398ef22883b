//! What a compute pool may use of a month: what was used counts once, and who hears when it is used up.

use chrono::{DateTime, Datelike as _, Months, Utc};
use serde_json::{Value, json};
use weir_control_plane::resources::compute_pool::evaluate;
use weir_proto::agent::v1::agent_frame::Frame as Up;
use weir_proto::agent::v1::{ComputeUse, DesiredState, JobReport};

use super::World;
use super::link::{desired, session, until};
use crate::harness::Session;

const HOUR_MS: u64 = 3_600_000;
const COUNTER: &str = "00000000000000000000000000000001";
const OTHER_COUNTER: &str = "00000000000000000000000000000002";

fn path(world: &World) -> String {
    format!("/v1/compute-pools/{}", world.pool)
}

async fn budget(world: &World, budget: Value) {
    let wish = json!({"spec": {"budget": budget}});
    world.admin.patch(&path(world), &wish).await.expect(200);
}

/// Sums that an agent tells, of the month of now.
async fn told(session: &Session, pool: &str, sums: &[(&str, u64)]) {
    let now = Utc::now();
    let compute = sums.iter().map(|(counter, unit_ms)| ComputeUse {
        compute_pool_id: pool.to_owned(),
        counter_id: (*counter).to_owned(),
        month: now.year().unsigned_abs() * 100 + now.month(),
        unit_ms: *unit_ms,
    });
    let report = JobReport {
        compute: compute.collect(),
        ..JobReport::default()
    };
    session.say(Up::Jobs(report)).await;
}

async fn used(world: &World, hours: f64) -> Value {
    until(world, &path(world), |it| {
        it["status"]["unit_hours_this_month"] == hours
    })
    .await
}

async fn look(world: &World, at: DateTime<Utc>) {
    evaluate::look(&world.bench.app, at).await.expect("looked");
}

/// What was told of the pool: events, and the record with who did it.
async fn news(world: &World) -> (Vec<String>, Vec<String>) {
    let mut owner = world.bench.database.owner().await;
    let events = sqlx::query_scalar(
        "SELECT action FROM event WHERE kind = 'ComputePool' AND action LIKE 'budget%' ORDER BY id",
    );
    let record = sqlx::query_scalar(
        "SELECT action FROM audit_event WHERE kind = 'ComputePool' AND principal = 'clock' ORDER BY id",
    );
    (
        events.fetch_all(&mut owner).await.expect("events"),
        record.fetch_all(&mut owner).await.expect("a record"),
    )
}

#[tokio::test]
async fn a_budget_is_part_of_the_wish_and_has_bounds() {
    let world = World::make().await;
    let path = path(&world);
    let pool = world.get(&path).await;
    assert!(pool["spec"].get("budget").is_none() && pool["status"].get("budget").is_none());
    assert_eq!(pool["status"]["unit_hours_this_month"], 0.0);
    for (budget, pointer) in [
        (
            json!({"unit_hours_per_month": 0}),
            "/spec/budget/unit_hours_per_month",
        ),
        (
            json!({"unit_hours_per_month": 1_000_001}),
            "/spec/budget/unit_hours_per_month",
        ),
        (
            json!({"unit_hours_per_month": 1, "warn_at_percent": 0}),
            "/spec/budget/warn_at_percent",
        ),
        (json!({"unit_hours_per_month": 1, "warn": 5}), "/spec/budget/warn"),
        (json!({"warn_at_percent": 50}), "/spec/budget"),
    ] {
        let refused = world
            .admin
            .patch(&path, &json!({"spec": {"budget": budget}}))
            .await;
        let problem = refused.expect_problem(422, "invalid");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem}");
    }
    budget(&world, json!({"unit_hours_per_month": 10})).await;
    let pool = world.get(&path).await;
    assert_eq!(
        pool["spec"]["budget"],
        json!({"unit_hours_per_month": 10, "warn_at_percent": 80})
    );
    assert_eq!(
        (
            &pool["status"]["budget"]["level"],
            &pool["status"]["budget"]["used_percent"]
        ),
        (&json!("WITHIN"), &json!(0.0))
    );
    budget(&world, Value::Null).await;
    assert!(world.get(&path).await["spec"].get("budget").is_none());
    let made = json!({"spec": {"data_plane": world.made.data_plane, "name": "small", "budget": {"unit_hours_per_month": 3}}});
    let made = world.admin.post("/v1/compute-pools", &made).await.expect(201);
    assert_eq!(made["spec"]["budget"]["unit_hours_per_month"], 3);
}

#[tokio::test]
async fn what_is_told_twice_or_late_counts_once_and_another_disk_counts_on() {
    let world = World::make().await;
    let (_door, mut session) = session(&world).await;
    session.desired().await;
    told(
        &session,
        &world.pool,
        &[(COUNTER, HOUR_MS), (COUNTER, 2 * HOUR_MS)],
    )
    .await;
    used(&world, 2.0).await;
    let stranger = "compute_pool_00000000000000000000000000";
    told(&session, stranger, &[(COUNTER, 50 * HOUR_MS)]).await;
    told(&session, &world.pool, &[(COUNTER, 2 * HOUR_MS)]).await;
    told(&session, &world.pool, &[(COUNTER, HOUR_MS)]).await;
    told(&session, &world.pool, &[(OTHER_COUNTER, HOUR_MS)]).await;
    used(&world, 3.0).await;
    let rows: i64 = sqlx::query_scalar("SELECT count(*) FROM compute_use")
        .fetch_one(&mut world.bench.database.owner().await)
        .await
        .expect("counted");
    assert_eq!(rows, 2);
}

#[tokio::test]
async fn a_used_up_budget_is_told_to_people_and_to_the_agent_until_it_is_raised_or_the_month_turns() {
    let world = World::make().await;
    let (_door, mut session) = session(&world).await;
    session.desired().await;
    let now = Utc::now();
    budget(&world, json!({"unit_hours_per_month": 10})).await;
    told(&session, &world.pool, &[(COUNTER, 8 * HOUR_MS)]).await;
    used(&world, 8.0).await;
    look(&world, now).await;
    look(&world, now).await;
    let shown = world.get(&path(&world)).await;
    assert_eq!(shown["status"]["budget"]["level"], "WARNED", "{shown}");
    assert_eq!(shown["status"]["budget"]["used_percent"], 80.0);
    let until_ms = |it: &DesiredState| it.compute_pools[0].budget_exhausted_until_unix_ms;
    assert_eq!(news(&world).await.0, ["budget_warned"], "once");

    told(&session, &world.pool, &[(COUNTER, 10 * HOUR_MS)]).await;
    used(&world, 10.0).await;
    look(&world, now).await;
    let shown = world.get(&path(&world)).await;
    assert_eq!(shown["status"]["budget"]["level"], "EXHAUSTED", "{shown}");
    let (_frame, state) = desired(&mut session, |it| until_ms(it) > 0).await;
    let resets: DateTime<Utc> =
        serde_json::from_value(shown["status"]["budget"]["resets_at"].clone()).expect("a time");
    assert_eq!(until_ms(&state), resets.timestamp_millis());
    assert!(resets > now && resets.day() == 1);

    budget(&world, json!({"unit_hours_per_month": 12})).await;
    look(&world, now).await;
    desired(&mut session, |it| until_ms(it) == 0).await;
    assert_eq!(
        world.get(&path(&world)).await["status"]["budget"]["level"],
        "WARNED"
    );

    budget(&world, json!({"unit_hours_per_month": 5})).await;
    look(&world, now).await;
    desired(&mut session, |it| until_ms(it) > 0).await;
    // The month turns.
    look(&world, now.checked_add_months(Months::new(1)).expect("a month")).await;
    desired(&mut session, |it| until_ms(it) == 0).await;
    let all = [
        "budget_warned",
        "budget_exhausted",
        "budget_restored",
        "budget_exhausted",
        "budget_restored",
    ];
    let (events, record) = news(&world).await;
    assert_eq!(
        (events.as_slice(), record.as_slice()),
        (&all.map(String::from)[..], &all.map(String::from)[..])
    );

    // Without a budget nothing is used up.
    budget(&world, json!({"unit_hours_per_month": 1})).await;
    look(&world, now).await;
    desired(&mut session, |it| until_ms(it) > 0).await;
    budget(&world, Value::Null).await;
    look(&world, now).await;
    desired(&mut session, |it| until_ms(it) == 0).await;
}
