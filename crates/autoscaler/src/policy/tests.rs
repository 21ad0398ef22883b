//! Defaults, faults and bounds of policies.

use super::*;

#[test]
fn the_defaults_are_flinks() {
    let it = Policy::default();
    assert!(it.faults().is_empty());
    assert_eq!(it.stabilization_interval_ms, 300_000);
    assert_eq!(it.metrics_window_ms, 900_000);
    assert_eq!((it.utilization_lower() * 10.0).round(), 4.0);
    assert_eq!(it.utilization_upper(), 1.0);
    assert_eq!(it.catch_up_duration_ms, 1_800_000);
    assert_eq!(it.restart_time_ms, 300_000);
    assert_eq!(it.scale_down_interval_ms, 3_600_000);
    assert_eq!((it.vertex_min_parallelism, it.vertex_max_parallelism), (1, 200));
    assert_eq!(it.bounded(), it, "bounds leave a sound policy alone");
    assert_eq!(
        serde_json::from_str::<Policy>("{}").expect("all have defaults"),
        it
    );
    assert!(serde_json::from_str::<Policy>(r#"{"utilisation":1}"#).is_err());
}

#[test]
fn faults_name_their_field() {
    let bad = Policy {
        utilization_target: f64::NAN,
        vertex_min_parallelism: 5,
        vertex_max_parallelism: 2,
        excluded_periods: vec![ExcludedPeriod {
            days: vec![8],
            from_minute: 0,
            to_minute: 1,
        }],
        ..Policy::default()
    };
    let named: Vec<_> = bad.faults().iter().map(|it| it.field).collect();
    assert!(named.contains(&"utilization_target") && named.contains(&"vertex_max_parallelism"));
    assert!(named.contains(&"excluded_periods"));
    assert!(bad.bounded().utilization_target == 0.7 && bad.bounded().vertex_max_parallelism == 5);
}
