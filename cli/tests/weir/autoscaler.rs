//! `weir autoscaler simulate` and `replay`: a table of policies, and what another one would have decided; from files alone.

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

/// A worker of two that is overrun for ten minutes.
fn recording() -> String {
    let mut text = String::from(
        "{\"policy\":{\"stabilization_interval_ms\":30000,\"metrics_window_ms\":60000,\"reaction_window_ms\":20000}}\n\
         {\"graph\":{\"vertices\":[{\"id\":\"workers\",\"parallelism\":2,\"max_parallelism\":128,\"kind\":\"SOURCE\",\"partitions\":12}],\"edges\":[]}}\n",
    );
    for at in 0..120_u64 {
        let (at_ms, records) = (at * 5_000, at * 10_000);
        text += &format!(
            "{{\"sample\":{{\"at_ms\":{at_ms},\"attempt\":1,\"vertices\":{{\"workers\":{{\"parallelism\":2,\"records_in\":{records},\"busy_ms\":{},\"pending_records\":{records}}}}}}}}}\n",
            at_ms * 2
        );
    }
    text
}

#[test]
fn a_recording_is_decided_anew_with_another_policy() {
    let desk = Desk::new(&[
        ("recording.jsonl", &recording()),
        ("narrow.json", r#"{"vertex_max_parallelism": 3}"#),
        ("odd.json", r#"{"utilisation": 1}"#),
        ("torn.jsonl", "{\"sample\":"),
    ]);
    let replay = |arguments: &[&str]| {
        let mut all = vec!["autoscaler", "replay"];
        all.extend(arguments);
        desk.weir(&all)
    };
    let ran = replay(&["--recording", "recording.jsonl"]);
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""));
    assert!(ran.out.contains("  2 -> "), "{}", ran.out);
    assert!(
        ran.out
            .contains("120 samples: recorded 0 changes and 0.33 slot-hours"),
        "{}",
        ran.out
    );
    let ran = replay(&[
        "--recording",
        "recording.jsonl",
        "--policy",
        "narrow.json",
        "--output",
        "json",
    ]);
    let lines: Vec<serde_json::Value> = ran
        .out
        .lines()
        .map(|it| serde_json::from_str(it).expect("JSON"))
        .collect();
    assert_eq!(
        lines[0]["decision"]["outcome"]["parallelism"]["workers"], 3,
        "{}",
        ran.out
    );
    assert_eq!(lines.last().expect("a sum")["replayed"]["changes"], 1);
    for (recording, policy, said) in [
        ("recording.jsonl", "odd.json", "utilisation"),
        ("torn.jsonl", "narrow.json", "line 1"),
        ("none.jsonl", "narrow.json", "none.jsonl"),
    ] {
        let ran = replay(&["--recording", recording, "--policy", policy]);
        assert_eq!(ran.code, Some(2), "{}", ran.err);
        assert!(ran.err.contains(said), "{}", ran.err);
    }
}
