//! What holds a decision back: bounds of the job, and others who have a say.

use super::*;

/// A pair whose operator would need twice its tasks.
fn short(graph: Graph) -> Case {
    let behind = Steady {
        pending: Some(1_000.0),
        growth: 50.0,
        ..source(400.0, 0.5)
    };
    Case::of(graph, &[behind, operator(400.0, 1.0)])
}

#[test]
fn more_tasks_than_partitions_are_of_no_use() {
    let behind = Steady {
        pending: Some(100_000.0),
        growth: 400.0,
        ..source(1_200.0, 1.0)
    };
    let it = Case::of(pair(12, 8), &[behind, operator(1_200.0, 0.65)]).decide();
    assert_eq!(
        (it.outcome.clone(), it.reason),
        (Outcome::Hold, Reason::PartitionBound),
        "{it:?}"
    );
    assert!(it.wanted["read"] > 12 && it.is_worth_keeping());
    assert!(
        it.sentence
            .ends_with("a task for each partition already (12): more partitions would help."),
        "{}",
        it.sentence
    );
    // Below the bound it goes there, and its reader no further than the source lets it be of use: 2,400 arrive, 1,200 pass.
    let it = Case::of(
        pair(6, 8),
        &[
            Steady {
                rate: 600.0,
                ..behind
            },
            operator(600.0, 0.9),
        ],
    )
    .decide();
    assert_eq!(tasks(&it)["read"], 12);
    assert!(tasks(&it)["work"] < 16, "{:?}", tasks(&it));
}

#[test]
fn work_that_cannot_be_split_stays_and_holds_the_others() {
    let mut graph = pair(2, 1);
    graph.vertices[1].parallel = false;
    let it = short(graph).decide();
    assert_eq!(
        (it.outcome.clone(), it.reason),
        (Outcome::Hold, Reason::NonParallel),
        "{it:?}"
    );
    assert!(it.sentence.ends_with("its work cannot be split over tasks."));
}

#[test]
fn a_hot_key_is_no_reason_for_more_tasks() {
    let hot = Steady {
        hot: Some(0.7),
        ..operator(400.0, 0.35)
    };
    let behind = Steady {
        pending: Some(100_000.0),
        growth: 400.0,
        ..source(400.0, 0.5)
    };
    let it = Case::of(pair(4, 4), &[behind, hot]).decide();
    assert_eq!(
        (it.outcome.clone(), it.reason),
        (Outcome::Hold, Reason::Skew),
        "{it:?}"
    );
    assert!(
        it.sentence
            .contains("one of its 4 tasks takes 2.8 times its share"),
        "{}",
        it.sentence
    );
    assert_eq!(it.vertices[1].computed, None);
    assert!(it.is_worth_keeping());
}

#[test]
fn a_step_up_in_vain_is_not_repeated() {
    let mut case = short(pair(4, 8));
    let first = case.decide();
    assert_eq!(first.reason, Reason::UnderCapacity);
    case.memory = case
        .memory
        .clone()
        .applied(&first, NOW - 30 * MINUTE, &case.policy);
    case.graph = case
        .graph
        .with(&Parallelism::from([("work".into(), tasks(&first)["work"])]));
    // With twice the tasks it does what it did.
    let behind = Steady {
        pending: Some(100_000.0),
        growth: 50.0,
        ..source(400.0, 0.5)
    };
    case.history = history(&case.graph, &[behind, operator(400.0, 1.0)], 20, NOW);
    let it = case.decide();
    assert_eq!(
        (it.outcome.clone(), it.reason),
        (Outcome::Hold, Reason::Ineffective),
        "{it:?}"
    );
    case.policy.scaling_effectiveness_detection_enabled = false;
    assert_eq!(case.decide().reason, Reason::UnderCapacity);
    case.policy.scaling_effectiveness_detection_enabled = true;
    case.policy.history_max_age_ms = 10 * MINUTE;
    assert_eq!(case.decide().reason, Reason::UnderCapacity, "it is forgotten");
}

#[test]
fn the_pool_gives_what_it_has() {
    let mut case = short(pair(4, 8));
    let wish = tasks(&case.decide())["work"];
    assert!(wish > 10);
    case.limits.pool_room_units = Some(2);
    let it = case.decide();
    assert_eq!((tasks(&it)["work"], it.reason), (10, Reason::UnderCapacity));
    assert!(it.also.contains(&Reason::PoolExhausted) && it.scaling_state() == ScalingState::PoolExhausted);
    assert!(
        it.sentence.ends_with("The compute pool has no room for more."),
        "{}",
        it.sentence
    );
    case.limits.pool_room_units = Some(0);
    let it = case.decide();
    assert_eq!(
        (it.outcome.clone(), it.reason),
        (Outcome::Hold, Reason::PoolExhausted),
        "{it:?}"
    );
    assert_eq!(it.wanted["work"], wish);
    case.limits.quota_units = Some(7);
    assert_eq!(case.decide().reason, Reason::Quota, "the narrower of the two");
    case.limits = Limits {
        pool_room_units: Some(9),
        size_class_units: vec![4],
        ..Limits::default()
    };
    assert_eq!(
        tasks(&case.decide())["work"],
        10,
        "nine units are two slots of four"
    );
}

#[test]
fn a_change_waits_for_its_time() {
    let case = short(pair(4, 8));
    let held = |change: &dyn Fn(&mut Case)| {
        let mut case = case.clone();
        change(&mut case);
        let it = case.decide();
        assert_eq!(it.outcome, Outcome::Hold, "{it:?}");
        (it.reason, it.wanted.len())
    };
    assert_eq!(
        held(&|it| it.memory.changed_at_ms = Some(NOW - 4 * MINUTE)),
        (Reason::Cooldown, 1)
    );
    assert_eq!(
        held(&|it| it.policy.mode = Mode::Monitoring),
        (Reason::Monitoring, 1)
    );
    assert_eq!(held(&|it| it.policy.mode = Mode::Disabled), (Reason::Disabled, 0));
    let day = ExcludedPeriod {
        days: vec![],
        from_minute: 0,
        to_minute: 1_440,
    };
    assert_eq!(
        held(&|it| it.policy.excluded_periods = vec![day.clone()]),
        (Reason::ExcludedPeriod, 1)
    );
    assert_eq!(
        held(&|it| it.policy.vertex_exclude_ids = vec!["work".into()]).0,
        Reason::PolicyBound
    );
    let mut after = case.clone();
    after.memory.changed_at_ms = Some(NOW - 5 * MINUTE);
    assert_eq!(after.decide().reason, Reason::UnderCapacity);
    let restarted = |it: &mut Case| {
        it.memory.changed_at_ms = Some(NOW - MINUTE);
        it.history.iter_mut().for_each(|it| it.attempt = 0);
        it.history.last_mut().expect("there").attempt = 1;
    };
    assert_eq!(
        held(&restarted),
        (Reason::Cooldown, 0),
        "too few metrics yet, and that is no wonder"
    );
}

#[test]
fn bounds_that_moved_are_followed() {
    let mut case = Case::of(pair(4, 8), &[source(400.0, 0.7), operator(400.0, 0.7)]);
    case.policy.vertex_max_parallelism = 6;
    let it = case.decide();
    assert_eq!(
        (tasks(&it)["work"], it.reason),
        (6, Reason::PolicyBound),
        "{it:?}"
    );
    case.policy.vertex_max_parallelism = 200;
    case.policy.vertex_min_parallelism = 5;
    // With five tasks one of them would still read three partitions; and if the job restarts, the operator gets what it is to have.
    assert_eq!(tasks(&case.decide()), BTreeMap::from([("read", 6), ("work", 9)]));
}

#[test]
fn tight_memory_asks_for_larger_task_managers() {
    let mut case = Case::of(pair(4, 8), &[source(400.0, 0.7), operator(400.0, 0.7)]);
    let press = |case: &mut Case, heap: f64, gc: f64| {
        for sample in &mut case.history {
            sample.memory.heap_used_ratio = Some(heap);
            sample.memory.gc_pressure = Some(gc);
        }
    };
    press(&mut case, 0.97, 0.1);
    assert_eq!(case.decide().outcome, Outcome::Hold, "there is no larger size");
    case.limits.size_class_units = vec![1, 2];
    let it = case.decide();
    assert_eq!(
        (it.outcome.clone(), it.reason),
        (Outcome::RaiseMemory { size_class: 1 }, Reason::MemoryPressure)
    );
    assert!(it.sentence.contains("heap in use: 97 %"), "{}", it.sentence);
    case.limits.pool_room_units = Some(7);
    let it = case.decide();
    assert_eq!(
        it.outcome,
        Outcome::Hold,
        "eight slots of one more unit do not fit"
    );
    assert!(it.also.contains(&Reason::PoolExhausted));
    case.limits.pool_room_units = Some(8);
    assert!(matches!(case.decide().outcome, Outcome::RaiseMemory { .. }));
    case.memory.changed_at_ms = Some(NOW - MINUTE);
    let it = case.decide();
    assert_eq!((it.outcome, it.reason), (Outcome::Hold, Reason::Cooldown));
    case.memory.changed_at_ms = None;
    press(&mut case, 0.5, 0.4);
    assert_eq!(
        case.decide().reason,
        Reason::MemoryPressure,
        "garbage collection alone is enough"
    );
    press(&mut case, 0.5, 0.1);
    assert_eq!(case.decide().reason, Reason::WithinBand);
    press(&mut case, 0.9, 0.1);
    case.policy.memory_heap_usage_threshold = 0.8;
    let it = case.decide();
    assert_eq!(
        (it.outcome.clone(), it.reason),
        (Outcome::Hold, Reason::MemoryPressure),
        "{it:?}"
    );
    case.history[38].memory.heap_used_ratio = None;
    assert_eq!(case.decide().reason, Reason::WithinBand, "unknown is not tight");
}
