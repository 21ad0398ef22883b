//! Replays of what a simulated job measured.

use super::*;
use crate::replay::replay;
use crate::simulator::{Ours, Settings, run, traces};

#[test]
fn a_replay_with_the_same_policy_decides_the_same_first_step() {
    let trace = traces().expect("sound").remove(0);
    let mut ours = Ours::new(Policy::default());
    let run = run(&trace, &mut ours, &Settings::default(), true);
    let replayed = replay(
        &trace.job.graph,
        &run.samples,
        &Policy::default(),
        &Limits::default(),
    );
    assert_eq!(replayed.len(), run.samples.len());
    let first = replayed
        .iter()
        .find(|it| it.decision.outcome != Outcome::Hold)
        .expect("a change");
    assert_eq!(first.decision.at_ms, run.changes[0].at_ms);
    let given = |decision: &Decision| match &decision.outcome {
        Outcome::Scale { parallelism } => parallelism.clone(),
        _ => Parallelism::new(),
    };
    assert_eq!(given(&first.decision), run.changes[0].to);
    assert_eq!(first.recorded, run.changes[0].from);
}

#[test]
fn another_policy_would_have_decided_otherwise() {
    let trace = traces().expect("sound").remove(0);
    let run = run(
        &trace,
        &mut Ours::new(Policy::default()),
        &Settings::default(),
        true,
    );
    let widest = |policy: &Policy| {
        let replayed = replay(&trace.job.graph, &run.samples, policy, &Limits::default());
        let slots = replayed.iter().map(|it| it.decision.job.slots_given);
        (slots.max().unwrap_or(0), replayed)
    };
    let (usual, _) = widest(&Policy::default());
    let (careful, _) = widest(&Policy {
        utilization_target: 0.4,
        utilization_boundary: 0.2,
        ..Policy::default()
    });
    let (thrifty, _) = widest(&Policy {
        vertex_max_parallelism: 6,
        ..Policy::default()
    });
    assert!(careful > usual && thrifty <= 6, "{careful} {usual} {thrifty}");
    let (_, off) = widest(&Policy {
        mode: Mode::Disabled,
        ..Policy::default()
    });
    assert!(off.iter().all(|it| it.decision.reason == Reason::Disabled));
}

#[test]
fn a_replay_of_nothing_is_nothing() {
    assert!(replay(&pair(1, 1), &[], &Policy::default(), &Limits::default()).is_empty());
}
