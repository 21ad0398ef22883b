//! How a job is scaled: what it may say of that, who decides, and what the agent is told.

use serde_json::{Value, json};
use weir_proto::agent::v1::JobScalingMode;

use super::World;
use super::link::{desired, session};
use crate::streams::id;

/// A policy that is refused, at which of its fields, and by which code.
fn refused() -> Vec<(Value, &'static str, &'static str)> {
    vec![
        (
            json!({"utilization_target": 0.1}),
            "utilization_target",
            "out_of_range",
        ),
        (
            json!({"utilization_target": "much"}),
            "utilization_target",
            "wrong_type",
        ),
        (
            json!({"utilization_boundary": 0.6}),
            "utilization_boundary",
            "out_of_range",
        ),
        (
            json!({"catch_up_duration_ms": 9_999}),
            "catch_up_duration_ms",
            "out_of_range",
        ),
        (
            json!({"catch_up_duration_ms": -1}),
            "catch_up_duration_ms",
            "wrong_type",
        ),
        (
            json!({"stabilization_interval_ms": 3_600_001}),
            "stabilization_interval_ms",
            "out_of_range",
        ),
        (
            json!({"scale_down_interval_ms": 0}),
            "scale_down_interval_ms",
            "out_of_range",
        ),
        (
            json!({"scale_up_max_factor": 0}),
            "scale_up_max_factor",
            "out_of_range",
        ),
        (
            json!({"scale_down_max_factor": 2}),
            "scale_down_max_factor",
            "out_of_range",
        ),
        (json!({"mode": "DISABLED"}), "mode", "wrong_type"),
        (
            json!({"metrics_window_ms": 1}),
            "metrics_window_ms",
            "unknown_field",
        ),
        (
            json!({"excluded_periods": [{"days": [1, 1], "from_minute": 0, "to_minute": 1}]}),
            "excluded_periods/0",
            "out_of_range",
        ),
    ]
}

#[tokio::test]
async fn a_policy_of_scaling_is_checked_at_its_place() {
    let world = World::make().await;
    for (policy, pointer, code) in refused() {
        let spec = world.with("/spec/scaling", json!({"max_workers": 3, "policy": policy}));
        let refused = world.admin.post("/v1/jobs", &spec).await;
        let problem = refused.expect_problem(422, "invalid");
        let error = &problem["errors"][0];
        assert_eq!(
            error["pointer"],
            format!("/spec/scaling/policy/{pointer}"),
            "{problem}"
        );
        assert_eq!(error["code"], code, "{problem}");
    }
}

#[tokio::test]
async fn a_policy_of_scaling_is_shown_and_told() {
    let world = World::make().await;
    let nights = json!([{"days": [6, 7], "from_minute": 0, "to_minute": 360}]);
    let policy = json!({"mode": "MONITORING", "utilization_target": 0.5, "catch_up_duration_ms": 0, "excluded_periods": nights});
    let spec = world.with(
        "/spec/scaling",
        json!({"min_workers": 1, "max_workers": 3, "policy": policy}),
    );
    let job = world.admin.post("/v1/jobs", &spec).await.expect(201);
    assert_eq!(job["spec"]["scaling"]["policy"], policy);
    let path = format!("/v1/jobs/{}", id(&job));
    let (_door, mut session) = session(&world).await;
    let (_frame, state) = desired(&mut session, |it| !it.jobs.is_empty()).await;
    let scaling = state.jobs[0].scaling.clone().expect("a scaling");
    let told = scaling.policy.expect("a policy");
    assert_eq!(told.mode(), JobScalingMode::Monitoring);
    assert_eq!(
        (
            told.utilization_target,
            told.catch_up_duration_ms,
            told.scale_down_interval_ms
        ),
        (Some(0.5), Some(0), None)
    );
    let period = &told.excluded_periods[0];
    assert_eq!((period.days.as_slice(), period.to_minute), (&[6, 7][..], 360));

    // Who decides is said, and a patch changes what it names.
    let patch = async |scaling: Value| {
        let wish = json!({"spec": {"scaling": scaling}});
        let changed = world.admin.patch(&path, &wish).await.expect(200);
        (
            changed["spec"]["scaling"]["policy"].clone(),
            changed["status"]["parallelism"].clone(),
        )
    };
    assert_eq!(
        job["status"]["parallelism"],
        json!({"owner": "AUTOSCALER", "mode": "MONITORING"})
    );
    let (policy, parallelism) = patch(json!({"policy": {"mode": null, "excluded_periods": []}})).await;
    assert_eq!(
        policy,
        json!({"utilization_target": 0.5, "catch_up_duration_ms": 0, "excluded_periods": []})
    );
    assert_eq!(parallelism, json!({"owner": "AUTOSCALER", "mode": "ACTIVE"}));
    let (policy, parallelism) = patch(json!({"max_workers": 1, "policy": null})).await;
    assert_eq!((policy, parallelism), (Value::Null, json!({"owner": "FIXED"})));
    let none = |it: &weir_proto::agent::v1::DesiredState| {
        it.jobs[0]
            .scaling
            .as_ref()
            .is_some_and(|it| it.max_workers == 1 && it.policy.is_none())
    };
    desired(&mut session, none).await;
    assert_eq!(
        world.get(&path).await["status"]["latest_version"],
        1,
        "it is no other program"
    );
}
