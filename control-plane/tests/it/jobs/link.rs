//! What an agent is told of jobs, and what becomes of what it says.

use std::time::Duration;

use serde_json::{Value, json};
use weir_proto::agent::v1::agent_frame::Frame as Up;
use weir_proto::agent::v1::{
    AccessRole, ActionEncoding, DesiredFrame, DesiredState, Generation, JobDecision, JobDecisionOutcome,
    JobDecisionReason, JobDecisionTerms, JobFailure, JobFailureCode, JobOffset, JobProgress, JobReport,
    JobState, Phase, Reason, StatusReport,
};

use super::{World, made, said};
use crate::harness::{Served, Session};
use crate::streams::id;

pub async fn session(world: &World) -> (crate::harness::Door, Session) {
    let served = Served {
        data_plane: world.made.data_plane.parse().expect("an id"),
        pool: uuid::Uuid::nil(),
        cluster: world.made.cluster.parse().expect("an id"),
        tenant: world.tenant,
        environment: world.made.environment.parse().expect("an id"),
        account: world.account.parse().expect("an id"),
    };
    let door = world.bench.door().await;
    let token = world.bench.database.token(&served, 30).await;
    let identity = door.enroll(&token).await.expect("enrolled");
    let mut session = door
        .session(&identity, 1, Generation { epoch: 0, n: 0 })
        .await
        .expect("a session");
    session.welcome().await;
    (door, session)
}

/// Waits until what a path answers with is so.
pub async fn until(world: &World, path: &str, so: impl Fn(&Value) -> bool) -> Value {
    let end = tokio::time::Instant::now() + Duration::from_secs(20);
    loop {
        let found = world.get(path).await;
        if so(&found) {
            return found;
        }
        assert!(tokio::time::Instant::now() < end, "never so: {found:#}");
        tokio::task::yield_now().await;
    }
}

/// The first desired state of which something holds.
pub async fn desired(
    session: &mut Session,
    so: impl Fn(&DesiredState) -> bool,
) -> (DesiredFrame, DesiredState) {
    loop {
        let (frame, state) = session.desired().await;
        if so(&state) {
            return (frame, state);
        }
    }
}

pub async fn report(session: &Session, item: weir_proto::agent::v1::ItemStatus) {
    let items = vec![item];
    session
        .say(Up::Status(StatusReport {
            items,
            ..StatusReport::default()
        }))
        .await;
}

#[tokio::test]
async fn the_agent_is_told_of_a_job_and_its_rights_without_any_key() {
    let world = World::make().await;
    let mut spec = world.with("/spec/program/null_values", json!("DROP"));
    spec["spec"]["desired_state"] = json!("AUTO_SUSPEND");
    spec["spec"]["auto_suspend"] = json!({"idle_after_seconds": 60});
    spec["spec"]["program"]["sinks"][0]["encoding"] = json!("JSON");
    spec["spec"]["program"]["source"]["start"] = json!("LATEST");
    let job = id(&world.admin.post("/v1/jobs", &spec).await.expect(201));
    let (_door, mut session) = session(&world).await;
    let (_frame, state) = session.desired().await;
    assert!(state.api_keys.is_empty(), "it has no key");
    let pool = &state.compute_pools[0];
    assert_eq!(
        (pool.id.as_str(), pool.max_units, pool.deleted),
        (world.pool.as_str(), 4, false)
    );
    let told = &state.jobs[0];
    assert_eq!(
        (told.id.as_str(), told.name.as_str(), told.version),
        (job.as_str(), "approve", 1)
    );
    assert_eq!(
        (told.principal_id.as_str(), told.compute_pool_id.as_str()),
        (world.account.as_str(), world.pool.as_str())
    );
    assert_eq!(
        (told.state(), told.keeps_state, told.priority),
        (JobState::AutoSuspend, false, 5)
    );
    let suspension = told.suspension.expect("when to sleep");
    assert_eq!(
        (suspension.idle_after_seconds, suspension.wake_lag_records),
        (60, 1)
    );
    let action = told.action.as_ref().expect("a program");
    assert_eq!(action.source_topic_id, world.made.topic);
    assert!(action.from_latest && action.drops_null_values);
    assert_eq!(action.dead_letter_topic_id, world.dead);
    assert_eq!(
        (action.sinks[0].topic_id.as_str(), action.sinks[0].encoding()),
        (world.out.as_str(), ActionEncoding::Json)
    );
    let steps: Value = serde_json::from_str(&action.steps_json).expect("JSON");
    assert_eq!(steps, spec["spec"]["program"]["steps"]);
    let grants: Vec<_> = state
        .grants
        .iter()
        .map(|it| (it.principal_id.as_str(), it.pattern.as_str(), it.role()))
        .collect();
    assert_eq!(grants, [(world.account.as_str(), "*", AccessRole::Developer)]);

    // Another role of the account reaches the data plane, too.
    let more = json!({"principal": world.account, "role": "READER", "resource": "environment=prod/cluster=cards/topic=x*"});
    made(&world.admin, "/v1/role-bindings", more).await;
    desired(&mut session, |it| it.grants.len() == 2).await;
    // And so do another program, a restart, a stop.
    let path = format!("/v1/jobs/{job}");
    let wish = json!({"spec": {"desired_state": "STOPPED", "program": {"steps": []}}});
    world.admin.patch(&path, &wish).await.expect(200);
    world
        .admin
        .post(&format!("{path}/restart"), &json!({}))
        .await
        .expect(200);
    let (_frame, state) = desired(&mut session, |it| it.jobs[0].restart_nonce == 1).await;
    let told = &state.jobs[0];
    assert_eq!(
        (told.version, told.keeps_state, told.state()),
        (2, true, JobState::Stopped)
    );
    assert_eq!(told.action.as_ref().map(|it| it.steps_json.as_str()), Some("[]"));
}

fn progress(job: &str) -> JobProgress {
    JobProgress {
        job_id: job.to_owned(),
        version: 1,
        workers: 1,
        units: 1,
        records_in: 70,
        records_out: 40,
        records_dropped: 29,
        records_dead: 1,
        lag_records: 5,
        watermark_unix_ms: 1_790_000_000_000,
        offsets: vec![JobOffset {
            partition: 3,
            offset: 70,
        }],
        failures: vec![JobFailure {
            code: JobFailureCode::Expression.into(),
            step: 1,
            count: 1,
        }],
        ..JobProgress::default()
    }
}

#[tokio::test]
async fn what_the_agent_says_of_a_job_is_shown_until_it_is_gone() {
    let world = World::make().await;
    let job = id(&world.job().await);
    let path = format!("/v1/jobs/{job}");
    let (_door, mut session) = session(&world).await;
    let (frame, _state) = session.desired().await;
    let mut waits = said(&job, Phase::Pending, frame.generation);
    waits.reason = Reason::PoolExhausted.into();
    report(&session, waits).await;
    let shown = until(&world, &path, |it| it["status"]["reason"] == "POOL_EXHAUSTED").await;
    assert!(shown["status"]["message"].as_str().unwrap().contains("max_units"));
    assert!(shown["status"].get("progress").is_none(), "{shown}");

    report(&session, said(&job, Phase::Running, frame.generation)).await;
    let progress = progress(&job);
    // What it says of a job that it does not serve is ignored.
    let stranger = JobProgress {
        job_id: "job_00000000000000000000000000".to_owned(),
        ..progress.clone()
    };
    session
        .say(Up::Jobs(JobReport {
            jobs: vec![stranger, progress],
            ..JobReport::default()
        }))
        .await;
    let shown = until(&world, &path, |it| it["status"].get("progress").is_some()).await;
    assert_eq!(shown["status"]["phase"], "RUNNING");
    let told = &shown["status"]["progress"];
    for (field, value) in [
        ("records_in", json!(70)),
        ("records_dead", json!(1)),
        ("lag", json!(5)),
        ("queue_place", Value::Null),
        ("offsets", json!([{"partition": 3, "offset": 70}])),
        ("failures", json!([{"code": "EXPRESSION", "step": 1, "count": 1}])),
    ] {
        assert_eq!(told[field], value, "{field} of {told:#}");
    }
    let list = world.get("/v1/jobs").await;
    assert_eq!(list["data"][0]["status"]["progress"]["records_out"], 40);
    let pool = world.get(&format!("/v1/compute-pools/{}", world.pool)).await;
    assert_eq!(pool["status"]["units_used"], 1);

    // A change is not yet done; an end is told by a tombstone, and done when the agent says so.
    let stopped = world
        .admin
        .patch(&path, &json!({"spec": {"desired_state": "STOPPED"}}))
        .await
        .expect(200);
    assert_eq!(stopped["status"]["phase"], "PROVISIONING");
    let going = world.admin.delete(&path).await.expect(202);
    assert_eq!(going["status"]["phase"], "DELETING");
    let changed = world.admin.patch(&path, &json!({"spec": {"priority": 1}})).await;
    changed.expect_problem(409, "being_deleted");
    let (frame, _state) = desired(&mut session, |it| it.jobs[0].deleted).await;
    let source = format!("/v1/topics/{}", world.made.topic);
    world.admin.delete(&source).await.expect_problem(409, "in_use");
    report(&session, said(&job, Phase::Deleted, frame.generation)).await;
    let end = tokio::time::Instant::now() + Duration::from_secs(20);
    while world.admin.get(&path).await.status != 404 {
        assert!(tokio::time::Instant::now() < end, "never gone");
        tokio::task::yield_now().await;
    }
    world.admin.delete(&source).await.expect(204);
    let told: Vec<String> =
        sqlx::query_scalar("SELECT DISTINCT action FROM event WHERE kind = 'Job' ORDER BY 1")
            .fetch_all(&mut world.bench.database.owner().await)
            .await
            .unwrap();
    assert_eq!(told, ["create", "delete", "remove", "status", "update"]);
}

fn decision(
    job: &str,
    at_unix_ms: i64,
    outcome: JobDecisionOutcome,
    reason: JobDecisionReason,
) -> JobDecision {
    let terms = JobDecisionTerms {
        input_rate_milli: 812_345,
        busy_milli: 970,
        true_rate_milli: -1,
        workers_fitted: 3,
        ..JobDecisionTerms::default()
    };
    JobDecision {
        job_id: job.to_owned(),
        at_unix_ms,
        outcome: outcome.into(),
        reason: reason.into(),
        also: vec![JobDecisionReason::PoolExhausted.into()],
        workers: 1,
        workers_wanted: 4,
        workers_given: 3,
        lag_records: 1200,
        terms: (outcome == JobDecisionOutcome::Scale).then_some(terms),
    }
}

#[tokio::test]
async fn decisions_about_workers_are_kept_once_and_told_page_by_page() {
    let world = World::make().await;
    let job = id(&world.job().await);
    let path = format!("/v1/jobs/{job}/scaling-decisions");
    let (_door, mut session) = session(&world).await;
    session.desired().await;
    assert_eq!(world.get(&path).await["data"], json!([]));
    let at = 1_790_000_000_000_i64;
    let scaled = decision(
        &job,
        at,
        JobDecisionOutcome::Scale,
        JobDecisionReason::UnderCapacity,
    );
    let slept = decision(
        &job,
        at + 600_000,
        JobDecisionOutcome::Suspend,
        JobDecisionReason::Idle,
    );
    let stranger = JobDecision {
        job_id: "job_00000000000000000000000000".to_owned(),
        ..scaled.clone()
    };
    // An agent that lost its session tells again what it told.
    for decisions in [vec![scaled.clone(), stranger], vec![scaled, slept]] {
        let report = JobReport {
            decisions,
            ..JobReport::default()
        };
        session.say(Up::Jobs(report)).await;
    }
    let all = |it: &Value| it["data"].as_array().is_some_and(|it| it.len() == 2);
    let told = until(&world, &path, all).await;
    let (newest, oldest) = (&told["data"][0], &told["data"][1]);
    assert_eq!(
        (&newest["outcome"], &newest["reason"]),
        (&json!("SUSPEND"), &json!("IDLE"))
    );
    assert!(newest.get("terms").is_none(), "{newest}");
    for (pointer, value) in [
        ("/kind", json!("JobScalingDecision")),
        ("/outcome", json!("SCALE")),
        ("/reason", json!("UNDER_CAPACITY")),
        ("/also", json!(["POOL_EXHAUSTED"])),
        ("/workers_wanted", json!(4)),
        ("/workers_given", json!(3)),
        ("/lag", json!(1200)),
        ("/terms/input_rate", json!(812.345)),
        ("/terms/true_rate", Value::Null),
        ("/terms/workers_computed", Value::Null),
    ] {
        assert_eq!(oldest.pointer(pointer), Some(&value), "{pointer} of {oldest:#}");
    }
    let first = world.get(&format!("{path}?page_size=1")).await;
    assert_eq!(first["data"][0]["outcome"], "SUSPEND");
    let token = first["metadata"]["next_page_token"]
        .as_str()
        .expect("another page");
    let second = world.get(&format!("{path}?page_size=1&page_token={token}")).await;
    assert_eq!(second["data"], json!([oldest]));
    assert!(second["metadata"]["next_page_token"].is_null());
}

#[tokio::test]
async fn only_the_newest_thousand_decisions_of_a_job_are_kept() {
    let world = World::make().await;
    let job = id(&world.job().await);
    let (_door, mut session) = session(&world).await;
    session.desired().await;
    sqlx::query(
        "INSERT INTO job_decision (job_id, tenant_id, data_plane_id, at, outcome, reason, workers, workers_wanted, workers_given)
         SELECT id, tenant_id, data_plane_id, now() - make_interval(mins => n), 'HOLD', 'BACKLOG', 1, 1, 1
         FROM job, generate_series(1, 1200) n",
    )
    .execute(&mut world.bench.database.owner().await)
    .await
    .expect("written");
    let woken = decision(
        &job,
        1_790_000_000_000,
        JobDecisionOutcome::Wake,
        JobDecisionReason::RecordsWait,
    );
    let report = JobReport {
        decisions: vec![woken],
        ..JobReport::default()
    };
    session.say(Up::Jobs(report)).await;
    let end = tokio::time::Instant::now() + Duration::from_secs(20);
    loop {
        let kept: i64 = sqlx::query_scalar("SELECT count(*) FROM job_decision")
            .fetch_one(&mut world.bench.database.owner().await)
            .await
            .expect("counted");
        if kept == 1000 {
            break;
        }
        assert!(tokio::time::Instant::now() < end, "{kept} are kept");
        tokio::task::yield_now().await;
    }
}
