//! `weir autoscaler simulate`: a table of policies, from files alone.

use super::Desk;

/// Ten minutes of little, half an hour of ten times as much.
fn load() -> String {
    let lines = [(0, 500), (600_000, 5000), (2_400_000, 500)];
    let line = |(at, rate): (u64, u32)| format!("{{\"at_ms\":{at},\"records_per_second\":{rate}}}\n");
    lines.into_iter().map(line).collect()
}

#[test]
fn a_recorded_load_is_run_against_every_policy() {
    let desk = Desk::new(&[
        ("load.jsonl", &load()),
        (
            "policy.json",
            r#"{"stabilization_interval_ms": 30000, "restart_time_ms": 10000}"#,
        ),
        ("odd.json", r#"{"utilisation": 1}"#),
        ("wrong.json", r#"{"utilization_target": 7}"#),
        ("torn.jsonl", "{\"at_ms\":1}\n"),
    ]);
    let ran = desk.weir(&[
        "autoscaler",
        "simulate",
        "--trace",
        "load.jsonl",
        "--policy",
        "policy.json",
        "--restart-seconds",
        "5",
    ]);
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""));
    for policy in [
        "Weir",
        "Flink's rules",
        "DS2 formula",
        "lag / threshold",
        "fixed at peak",
    ] {
        assert!(
            ran.out.contains(&format!("| file | {policy} |")),
            "{policy} in {}",
            ran.out
        );
    }
    let json = desk.weir(&[
        "autoscaler",
        "simulate",
        "--trace",
        "load.jsonl",
        "--output",
        "json",
    ]);
    let first: serde_json::Value =
        serde_json::from_str(json.out.lines().next().expect("a line")).expect("JSON");
    assert_eq!((&first["policy"], &first["flaps"]), (&"Weir".into(), &0.into()));
    assert!(first["rescales"].as_u64() >= Some(1), "{first}");
    for (args, said) in [
        (["--policy", "odd.json"], "unknown field"),
        (["--policy", "wrong.json"], "utilization_target"),
        (["--trace", "torn.jsonl"], "line 1"),
        (["--trace", "none.jsonl"], "none.jsonl"),
    ] {
        let ran = desk.weir(&["autoscaler", "simulate", args[0], args[1]]);
        assert_eq!(ran.code, Some(2), "{}", ran.err);
        assert!(ran.err.contains(said), "{}", ran.err);
    }
}
