//! The suite: every policy on every trace, generated jobs, and what must hold of them by construction.

use super::*;
use crate::decision::Outcome;
use crate::graph::Parallelism;
use crate::policy::Policy;

fn ours_on(name: &str) -> (Run, Ours) {
    let trace = traces()
        .expect("sound")
        .into_iter()
        .find(|it| it.name == name)
        .expect("a trace of the suite");
    let mut ours = Ours::new(Policy::default());
    (run(&trace, &mut ours, &Settings::default(), false), ours)
}

#[test]
fn the_table() {
    let rows = suite(&Policy::default(), &Settings::default()).expect("sound");
    println!("{}", table(&rows));
    let score = |trace: &str, policy: &str| {
        rows.iter()
            .find(|it| it.trace == trace && it.policy == policy)
            .expect("a row")
            .score
    };
    for trace in traces().expect("sound") {
        let ours = score(trace.name, "Weir");
        let flink = score(trace.name, "Flink's rules");
        let (ds2, lag) = (
            score(trace.name, "DS2 formula"),
            score(trace.name, "lag / threshold"),
        );
        assert_eq!(
            ours.thinned_while_behind, 0,
            "{}: tasks were taken away while a source was behind",
            trace.name
        );
        assert_eq!(ours.flaps, 0, "{}: a change was undone", trace.name);
        // Half an hour or more passes before anything is taken away; who reacts to every sample changes more often.
        assert!(ours.rescales < ds2.rescales.min(lag.rescales), "{}", trace.name);
        // A minute of overload is enough for a step up; who lets a backlog grow for longer has more late minutes (5 % for rounding to steps).
        let least = flink.late_ms.min(ds2.late_ms).min(lag.late_ms) as f64;
        assert!(
            ours.late_ms as f64 <= 1.05 * least + 120_000.0,
            "{}: {ours:?}",
            trace.name
        );
        let overrun = matches!(trace.name, "skew" | "partition-bound");
        assert!(
            overrun || ours.final_backlog < 60.0 * trace.peak(),
            "{}: {ours:?}",
            trace.name
        );
    }
    // What cannot be helped is not paid for.
    for trace in ["skew", "partition-bound"] {
        assert!(
            score(trace, "Weir").slot_ms <= score(trace, "Flink's rules").slot_ms / 2 + 1,
            "{trace}"
        );
    }
    assert_eq!(score("flapping", "Weir").rescales, 1, "one step to the peak");
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let (one, _) = ours_on("diurnal");
    let (other, _) = ours_on("diurnal");
    assert_eq!((one.score, &one.changes), (other.score, &other.changes));
}

#[test]
fn a_backlog_is_worked_off_before_anything_is_taken_away() {
    let (run, ours) = ours_on("backlog");
    assert!(run.changes.len() >= 2, "up, and down again: {:?}", run.changes);
    assert!(run.changes[0].behind_ms > 1_000_000.0);
    let down = |it: &&Change| it.to.iter().any(|(id, tasks)| it.from[id] > *tasks);
    assert!(run.changes.iter().filter(down).all(|it| it.behind_ms < 30_000.0));
    assert!(run.job.backlog() < 60_000.0);
    let restart = ours.memory.restart_time_ms.expect("measured");
    assert!((55_000.0..=65_000.0).contains(&restart), "{restart}");
}

#[test]
fn a_step_is_answered_within_two_minutes() {
    // A tenth of Flink's window and stabilization, which are 20 minutes.
    let (run, _) = ours_on("step");
    let answered_ms = run.changes[0].at_ms - 3_600_000;
    assert!(answered_ms <= 120_000, "{answered_ms}");
}

#[test]
fn partitions_and_hot_keys_are_named() {
    let reasons = |name: &str| -> Vec<crate::Reason> {
        let (run, ours) = ours_on(name);
        let partitions = run.job.graph.vertices[0].groups().expect("a source");
        assert!(run.changes.iter().all(|it| it.to["read"] <= partitions), "{name}");
        ours.decisions
            .iter()
            .filter(|it| it.outcome == Outcome::Hold)
            .map(|it| it.reason)
            .collect()
    };
    assert!(reasons("partition-bound").contains(&crate::Reason::PartitionBound));
    assert!(reasons("skew").contains(&crate::Reason::Skew));
}

#[test]
fn generated_jobs_come_near_the_oracle() {
    let ours = figures(0..1_000, |policy| Box::new(Ours::new(policy.clone()))).expect("sound");
    println!("Weir {ours:?}");
    println!(
        "Flink's rules {:?}",
        figures(0..200, |policy| Box::new(FlinkRules::new(policy.clone()))).expect("sound")
    );
    println!(
        "DS2 formula {:?}",
        figures(0..200, |_| Box::new(Ds2::new())).expect("sound")
    );
    // Measured: 953 and 995 of 1,000, tasks 0.95 of the oracle's. The floors leave room for another way to make up jobs.
    assert!(ours.fitted_in_one >= 920, "{ours:?}");
    assert!(ours.fitted_in_two >= 985, "{ours:?}");
    assert!(ours.steps_most <= 2, "{ours:?}");
    assert!(ours.tasks_over_oracle < 1.05, "{ours:?}");
    assert!(ours.first_ms <= 120_000, "{ours:?}");
}

#[test]
fn the_oracle_keeps_up_and_no_smaller_number_would() {
    let policy = Policy::default();
    let mut unable = 0;
    for seed in 0..100 {
        let (mut job, arriving) = generated(seed, &policy).expect("sound");
        let oracle = job.oracle(arriving, &policy);
        job.graph = job.graph.with(&oracle);
        job.noise = 0.0;
        let mut able = job
            .graph
            .vertices
            .iter()
            .zip(&job.services)
            .zip(job.flows(arriving));
        if !able.all(|((vertex, service), flow)| service.capacity(vertex, vertex.parallelism) >= flow) {
            // A few jobs need more than the policy allows at all.
            unable += 1;
            continue;
        }
        for _ in 0..60 {
            job.step(10_000, arriving);
        }
        assert!(job.oldest_ms() <= 10_000, "seed {seed}: the oracle falls behind");
        let fewer: Parallelism = oracle
            .iter()
            .map(|(id, tasks)| (id.clone(), (*tasks / 2).max(1)))
            .collect();
        let halved = fewer
            .iter()
            .any(|(id, tasks)| oracle[id] >= 4 * tasks / 2 && oracle[id] > 3);
        job.graph = job.graph.with(&fewer);
        for _ in 0..60 {
            job.step(10_000, arriving);
        }
        assert!(
            !halved || job.oldest_ms() > 30_000,
            "seed {seed}: half of the oracle's tasks would do"
        );
    }
    assert!(unable <= 5, "{unable}");
}
