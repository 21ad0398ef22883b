//! What is decided for one job alone.

use super::*;

#[test]
fn within_the_band_nothing_changes() {
    for busy in [0.45, 0.7, 0.95] {
        let it = Case::of(pair(2, 4), &[source(400.0, busy), operator(400.0, busy)]).decide();
        assert_eq!(
            (it.outcome.clone(), it.reason),
            (Outcome::Hold, Reason::WithinBand),
            "{busy}: {it:?}"
        );
        assert!(!it.is_worth_keeping());
        assert_eq!(it.scaling_state(), ScalingState::Ok);
        assert_eq!(
            it.sentence,
            "Every vertex is as busy as it should be: between 40 % and 100 %."
        );
    }
}

#[test]
fn a_vertex_that_can_do_too_little_gets_what_the_formula_says() {
    // 400 of 500 arriving records are read; 30,000 wait at the end.
    let behind = Steady {
        pending: Some(30_000.0),
        growth: 100.0,
        backpressured: 0.5,
        ..source(400.0, 0.5)
    };
    let it = Case::of(pair(2, 4), &[behind, operator(400.0, 1.0)]).decide();
    assert_eq!(it.reason, Reason::UnderCapacity);
    let work = &it.vertices[1];
    let about = |it: Option<f64>, what: f64| it.is_some_and(|it| (it - what).abs() < 0.01 * what.max(1.0));
    assert!(
        about(work.arrival_rate, 500.0) && about(work.true_rate, 400.0),
        "{work:?}"
    );
    assert!(about(work.target_lag, 30_000.0 / 1_800.0));
    assert!(about(work.target_restart, 500.0 * 300.0 / 1_800.0));
    assert!(about(work.target_input, 500.0 / 0.7));
    // 814 of 100 per task: 9 tasks.
    assert_eq!((work.computed, tasks(&it)["work"]), (Some(9), 9));
    // The source does 400 at half busy: 800 with two tasks is a hair too little, and a third would be half as much again.
    assert_eq!(tasks(&it)["read"], 2);
    assert_eq!((it.job.slots, it.job.slots_given), (4, 9));
    assert!(
        it.sentence
            .starts_with("work can do 400 records/s and should be able to do 814: "),
        "{}",
        it.sentence
    );
    assert_eq!(it.scaling_state(), ScalingState::PendingScaleUp);
}

#[test]
fn an_overload_is_seen_within_the_reaction_window() {
    // A quarter of an hour at 100/s, then a minute at which 300/s arrive and 200/s are read.
    let graph = pair(2, 4);
    let mut all = history(
        &graph,
        &[source(100.0, 0.25), operator(100.0, 0.5)],
        19,
        NOW - MINUTE,
    );
    let (read, work) = (all[38].vertices["read"].clone(), all[38].vertices["work"].clone());
    for step in 1..=2_u64 {
        let span_s = 30.0 * step as f64;
        let mut sample = all[38].clone();
        sample.at_ms += step * 30_000;
        for (id, before, busy) in [("read", &read, 0.5), ("work", &work, 1.0)] {
            let vertex = sample.vertices.get_mut(id).expect("there");
            let tasks = f64::from(before.parallelism);
            vertex.records_in = before.records_in.map(|it| it + 200.0 * span_s);
            vertex.records_out = before.records_out.map(|it| it + 200.0 * span_s);
            vertex.busy_ms = before.busy_ms.map(|it| it + busy * tasks * span_s * 1_000.0);
        }
        sample.vertices.get_mut("read").expect("there").pending_records = Some(100.0 * span_s);
        all.push(sample);
    }
    let mut case = Case::of(graph, &[source(100.0, 0.25), operator(100.0, 0.5)]);
    case.history = all;
    let it = case.decide();
    assert_eq!(it.reason, Reason::UnderCapacity, "{it:?}");
    // 300 / 0.7 + 300 / 6 + 6,000 / 1,800 = 482 of 50 per task.
    assert_eq!(tasks(&it)["work"], 10);
    case.policy.reaction_window_ms = 0;
    assert_eq!(
        case.decide().outcome,
        Outcome::Hold,
        "Flink sees it when its window has filled"
    );
}

#[test]
fn needless_tasks_go_when_none_was_needed_for_the_interval() {
    let idle = [source(100.0, 0.2), operator(100.0, 0.2)];
    let mut case = Case::of(pair(4, 10), &idle);
    let early = case.decide_for(&idle, 59);
    assert_eq!(
        (early.outcome.clone(), early.reason),
        (Outcome::Hold, Reason::ScaleDownDelay)
    );
    assert!(early.is_worth_keeping() && early.scaling_state() == ScalingState::PendingScaleDown);
    let late = case.decide_for(&idle, 3);
    assert_eq!(late.reason, Reason::OverCapacity, "{}", late.sentence);
    // 100 / 0.7 + 100 / 6 = 160 of 50 per task, and 160 of 125.
    assert_eq!(tasks(&late), BTreeMap::from([("read", 2), ("work", 4)]));
}

#[test]
fn a_peak_within_the_interval_keeps_its_tasks() {
    let idle = [source(100.0, 0.2), operator(100.0, 0.2)];
    let peak = [source(300.0, 0.6), operator(300.0, 0.6)];
    let mut case = Case::of(pair(4, 10), &idle);
    case.decide_for(&idle, 30);
    case.decide_for(&peak, 1);
    assert_eq!(case.decide_for(&idle, 58).outcome, Outcome::Hold);
    assert_eq!(case.decide_for(&idle, 4).reason, Reason::OverCapacity);
}

#[test]
fn nothing_is_taken_away_while_a_source_is_behind() {
    let mut idle = [source(100.0, 0.2), operator(100.0, 0.2)];
    let mut case = Case::of(pair(4, 10), &idle);
    case.policy.observed_true_processing_rate_min_observations = u32::MAX;
    case.decide_for(&idle, 58);
    // 40 s of records wait, and become fewer.
    (idle[0].pending, idle[0].growth) = (Some(4_000.0), -1.0);
    let it = case.decide_for(&idle, 30);
    assert_eq!(
        (it.outcome.clone(), it.reason),
        (Outcome::Hold, Reason::Backlog),
        "{}",
        it.sentence
    );
    assert!(it.job.draining && !it.job.backlog);
    idle[0].pending = Some(60_000.0);
    assert!(case.decide_for(&idle, 1).job.backlog);
}

#[test]
fn what_is_unknown_holds() {
    let usual = [source(100.0, 0.99), operator(100.0, 1.0)];
    let held = |case: &Case| {
        let it = case.decide();
        assert_eq!(
            (it.outcome.clone(), it.reason),
            (Outcome::Hold, Reason::NoData),
            "{it:?}"
        );
        it.sentence
    };
    let case = Case::of(pair(4, 10), &usual);
    let mut unknown = case.clone();
    for sample in &mut unknown.history {
        sample.vertices.get_mut("read").expect("there").pending_records = None;
    }
    assert_eq!(
        held(&unknown),
        "Nothing is changed: the lag of read is not known."
    );
    unknown.graph.vertices[0].kind = VertexKind::Source {
        partitions: Some(12),
        reports_lag: false,
    };
    assert_ne!(
        unknown.decide().reason,
        Reason::NoData,
        "a source that never reports its lag is no reason"
    );
    let mut gone = case.clone();
    gone.now_ms += 4 * MINUTE;
    assert_eq!(
        held(&gone),
        "Nothing is changed: the newest metrics are 240 s old."
    );
    let mut missing = case.clone();
    missing
        .history
        .iter_mut()
        .for_each(|it| drop(it.vertices.remove("work")));
    assert_eq!(
        held(&missing),
        "Nothing is changed: everything of work is not known."
    );
    let mut gap = case.clone();
    gap.history.drain(30..40);
    assert_eq!(
        held(&gap),
        "Nothing is changed: metrics of this start of the job cover 0 s without a gap, and 60 s are needed."
    );
    let mut broken = case.clone();
    broken.graph.edges.clear();
    assert_eq!(
        held(&broken),
        "Nothing is changed: nothing flows to work, and it is no source."
    );
    let mut none = case;
    none.history.clear();
    assert_eq!(held(&none), "Nothing is changed: there are no metrics.");
}

#[test]
fn a_source_that_reads_nothing_is_stuck_not_slow() {
    let stuck = Steady {
        pending: Some(9_000.0),
        growth: 10.0,
        ..source(0.0, 1.0)
    };
    let it = Case::of(pair(4, 10), &[stuck, operator(0.0, 0.0)]).decide();
    assert_eq!(
        (it.outcome.clone(), it.reason),
        (Outcome::Hold, Reason::Stuck),
        "{it:?}"
    );
}

#[test]
fn no_load_at_all_goes_down_to_the_minimum() {
    let none = [source(0.0, 0.0), operator(0.0, 0.0)];
    let mut case = Case::of(pair(2, 4), &none);
    case.policy.scale_down_max_factor = 1.0;
    let it = case.decide_for(&none, 65);
    assert_eq!(
        tasks(&it),
        BTreeMap::from([("read", 1), ("work", 1)]),
        "{}",
        it.sentence
    );
}

#[test]
fn a_saving_that_is_not_worth_a_restart_is_left() {
    let idle = [source(400.0, 0.65), operator(400.0, 0.45)];
    let mut case = Case::of(pair(2, 9), &idle);
    case.policy.utilization_min = Some(0.6);
    let it = case.decide_for(&idle, 70);
    assert_eq!(
        (it.outcome.clone(), it.reason),
        (Outcome::Hold, Reason::SmallSaving),
        "{it:?}"
    );
    assert_eq!(
        it.sentence,
        "The job needs 7 of its 9 slots: to free the others is not worth a restart."
    );
    case.policy.scale_down_min_saving = 0.0;
    assert_eq!(tasks(&case.decide())["work"], 7);
}

#[test]
fn a_step_down_that_was_undone_makes_the_next_wait_longer() {
    let policy = Policy::default();
    let case = Case::of(pair(4, 10), &[source(100.0, 0.2), operator(100.0, 0.2)]);
    let mut decision = case.decide();
    let step = |decision: &mut Decision, memory: Memory, tasks: u32, at_ms: u64| {
        decision.outcome = Outcome::Scale {
            parallelism: Parallelism::from([("work".into(), tasks)]),
        };
        memory.applied(decision, at_ms, &policy)
    };
    let hour = 60 * MINUTE;
    let memory = step(&mut decision, Memory::default(), 5, 0);
    assert_eq!(memory.down_interval_ms(&policy), hour);
    let memory = step(&mut decision, memory, 12, hour);
    assert_eq!(memory.down_interval_ms(&policy), 2 * hour);
    let mut memory = step(&mut decision, memory, 5, 4 * hour);
    for round in 0..9 {
        memory = step(&mut decision, memory, 12, (5 + round * 2) * hour);
        memory = step(&mut decision, memory, 5, (6 + round * 2) * hour);
    }
    assert_eq!(memory.down_interval_ms(&policy), 8 * hour, "eight times at most");
}

#[test]
fn a_measured_restart_replaces_the_assumed_one() {
    let busy = [source(400.0, 1.0), operator(400.0, 1.0)];
    let mut case = Case::of(pair(4, 4), &busy);
    (case.policy.utilization_max, case.policy.vertex_max_parallelism) = (Some(0.8), 999);
    assert_eq!(
        case.decide().vertices[1].computed,
        Some(7),
        "400 / 0.7 + 400 x 300 / 1,800 = 638"
    );
    case.memory = Memory::default().restarted(6_000, &case.policy);
    assert_eq!(
        case.decide().vertices[1].computed,
        Some(6),
        "400 / 0.7 + 400 x 6 / 1,800 = 573"
    );
}

/// Tasks that the second vertex is sized for when its load went so over the window, by minutes; it is busy all the time.
fn sized_for(rate: impl Fn(f64) -> f64, growth_ahead_ms: u64) -> u32 {
    let busy = [source(400.0, 1.0), operator(400.0, 1.0)];
    let mut case = Case::of(pair(4, 4), &busy);
    (case.policy.utilization_max, case.policy.vertex_max_parallelism) = (Some(0.8), 999);
    case.policy.growth_ahead_ms = growth_ahead_ms;
    case.memory = Memory::default().restarted(0, &case.policy);
    let first_ms = case.history[0].at_ms;
    let mut passed = 0.0;
    for at in 0..case.history.len() {
        let minutes = (case.history[at].at_ms - first_ms) as f64 / 60_000.0;
        for vertex in case.history[at].vertices.values_mut() {
            (vertex.records_in, vertex.records_out) = (Some(passed), Some(passed));
        }
        passed += rate(minutes) * 30.0;
    }
    case.decide().vertices[1].computed.expect("a number is enough")
}

#[test]
fn a_load_that_grows_is_sized_for_what_it_will_be() {
    let hour = 60 * MINUTE;
    let steady = |_minutes: f64| 400.0;
    assert_eq!((sized_for(steady, 0), sized_for(steady, hour)), (6, 6));
    let grows = |minutes: f64| 400.0 + 2.0 * minutes;
    let now = sized_for(grows, 0);
    assert_eq!(now, 6);
    assert_eq!(sized_for(grows, hour), 8, "28 % more in an hour");
    assert_eq!(sized_for(grows, 2 * hour), 9, "half as much again at most");
    let falls = |minutes: f64| 900.0 - 20.0 * minutes;
    assert_eq!(sized_for(falls, hour), sized_for(falls, 0));
}

#[test]
fn a_jump_is_no_growth() {
    let hour = 60 * MINUTE;
    // The window holds minutes 5 to 20.
    for at in [7.0, 10.5, 12.5, 15.0, 18.0] {
        let jumps = |minutes: f64| if minutes < at { 200.0 } else { 600.0 };
        assert_eq!(sized_for(jumps, hour), sized_for(jumps, 0), "{at}");
        let passes = |minutes: f64| {
            if (at..at + 3.0).contains(&minutes) {
                600.0
            } else {
                200.0
            }
        };
        assert_eq!(sized_for(passes, hour), sized_for(passes, 0), "{at}");
    }
}
