//! A hundred thousand inputs that make no sense: each must come back with a decision within its bounds.

use super::*;
use crate::simulator::Noise;

fn number(random: &mut Noise) -> Option<f64> {
    Some(match random.whole(0, 9) {
        0 => return None,
        1 => f64::NAN,
        2 => f64::INFINITY,
        3 => f64::NEG_INFINITY,
        4 => 0.0,
        5 => f64::MAX,
        6 => -1.0,
        7 => f64::MIN_POSITIVE,
        _ => random.between(0.0, 1e6),
    })
}

fn whole(random: &mut Noise) -> u32 {
    match random.whole(0, 4) {
        0 => 0,
        1 => u32::MAX,
        _ => random.whole(1, 50),
    }
}

fn time(random: &mut Noise) -> u64 {
    match random.whole(0, 6) {
        0 => 0,
        1 => u64::MAX,
        _ => NOW + random.bits() % (60 * MINUTE),
    }
}

fn graph(random: &mut Noise) -> Graph {
    let count = random.whole(0, 4);
    let mut graph = Graph::default();
    for at in 0..count {
        let id = format!("v{}", if random.unit() < 0.05 { 0 } else { at });
        let mut vertex = if at == 0 {
            Vertex::source(&id, whole(random), whole(random))
        } else {
            Vertex::operator(&id, whole(random), whole(random), random.unit() < 0.5)
        };
        vertex.parallel = random.unit() < 0.9;
        vertex.slot_group = random.whole(0, 1);
        if at > 0 {
            graph.edges.push(Edge {
                from: format!("v{}", random.whole(0, at - 1)),
                to: id,
            });
        }
        graph.vertices.push(vertex);
    }
    graph
}

fn vertex(random: &mut Noise, vertex: &Vertex) -> VertexSample {
    let tasks = if random.unit() < 0.9 {
        vertex.parallelism
    } else {
        whole(random)
    };
    VertexSample {
        parallelism: tasks,
        records_in: number(random),
        records_out: number(random),
        busy_ms: number(random),
        backpressured_ms: number(random),
        idle_ms: number(random),
        pending_records: number(random),
        subtasks: (0..random.whole(0, 3))
            .map(|_| SubtaskSample {
                records_in: number(random),
                busy_ms: number(random),
            })
            .collect(),
    }
}

/// A sound history with a few numbers that are not.
fn nearly_sound(random: &mut Noise, graph: &Graph) -> Vec<Sample> {
    let steady: Vec<Steady> = graph
        .vertices
        .iter()
        .map(|_| source(random.between(0.0, 1e5), random.unit()))
        .collect();
    let mut all = history(graph, &steady, 4, NOW);
    for _ in 0..random.whole(0, 3) {
        let at = random.whole(0, 8) as usize;
        for (id, vertex) in &mut all[at].vertices {
            if id.ends_with('0') || random.unit() < 0.3 {
                vertex.records_in = number(random);
                vertex.pending_records = number(random);
            }
        }
    }
    all
}

fn policy(random: &mut Noise) -> Policy {
    let mut some = || number(random).unwrap_or(0.5);
    let mut policy = Policy {
        utilization_target: some(),
        utilization_boundary: some(),
        utilization_max: Some(some()),
        scale_up_max_factor: some(),
        scale_down_max_factor: some(),
        scaling_effectiveness_threshold: some(),
        observed_scalability_coefficient_min: some(),
        raise_memory_heap_usage: some(),
        skew_factor: some(),
        ..Policy::default()
    };
    policy.vertex_min_parallelism = whole(random);
    policy.vertex_max_parallelism = whole(random);
    policy.metrics_window_ms = time(random);
    policy.stabilization_interval_ms = time(random);
    policy.scale_down_interval_ms = time(random);
    policy.catch_up_duration_ms = time(random);
    policy.scale_down_backoff_max = whole(random);
    policy
}

#[test]
fn nothing_makes_it_panic() {
    let mut random = Noise::new(26);
    let mut memory = Memory::default();
    let mut seen = BTreeMap::new();
    for round in 0..100_000 {
        let mut case = Case {
            graph: graph(&mut random),
            history: Vec::new(),
            policy: if random.unit() < 0.5 {
                Policy::default()
            } else {
                policy(&mut random)
            },
            limits: Limits {
                pool_room_units: (random.unit() < 0.5).then(|| time(&mut random)),
                quota_units: (random.unit() < 0.3).then(|| u64::from(whole(&mut random))),
                size_class_units: vec![1; random.whole(0, 2) as usize],
                size_class: random.whole(0, 3) as usize,
            },
            memory: std::mem::take(&mut memory),
            now_ms: if random.unit() < 0.8 {
                NOW
            } else {
                time(&mut random)
            },
        };
        case.history = if random.unit() < 0.7 && case.graph.check().is_ok() {
            nearly_sound(&mut random, &case.graph)
        } else {
            (0..random.whole(0, 4))
                .map(|_| Sample {
                    at_ms: time(&mut random),
                    attempt: u64::from(random.whole(0, 1)),
                    vertices: case
                        .graph
                        .vertices
                        .iter()
                        .map(|it| (it.id.clone(), vertex(&mut random, it)))
                        .collect(),
                    memory: MemorySample {
                        heap_used_ratio: number(&mut random),
                        gc_pressure: number(&mut random),
                        managed_used_ratio: number(&mut random),
                    },
                })
                .collect()
        };
        let (decision, next) = decide(&case.input());
        *seen.entry(decision.reason).or_insert(0) += 1;
        assert!(!decision.sentence.is_empty(), "round {round}: {decision:?}");
        if let Outcome::Scale { parallelism } = &decision.outcome {
            let graph = &case.graph;
            assert!(
                graph.vertices.iter().all(|it| parallelism.contains_key(&it.id)
                    && (parallelism[&it.id] >= 1 || it.parallelism == 0))
            );
            assert!(
                *parallelism != graph.parallelism(),
                "a change that changes nothing"
            );
        }
        // What came of nonsense is carried on now and then.
        if random.unit() < 0.5 {
            memory = next.applied(&decision, case.now_ms, &case.policy);
        }
    }
    assert!(seen.len() >= 8, "the inputs reach few rules: {seen:?}");
}

#[test]
fn flapping_samples_do_not_flap_decisions() {
    // The load doubles and halves at every sample: one change at most.
    let graph = pair(4, 8);
    let mut case = Case::of(graph, &[source(400.0, 0.5), operator(400.0, 0.5)]);
    let mut changes = 0;
    for minute in 0..240_u64 {
        case.now_ms = NOW + minute * MINUTE;
        let rate = if minute % 2 == 0 { 700.0 } else { 350.0 };
        let busy = |tasks: u32, one: f64| (rate / (f64::from(tasks) * one)).min(1.0);
        let (read, work) = (
            case.graph.vertices[0].parallelism,
            case.graph.vertices[1].parallelism,
        );
        case.history = history(
            &case.graph,
            &[source(rate, busy(read, 200.0)), operator(rate, busy(work, 100.0))],
            20,
            case.now_ms,
        );
        let (decision, memory) = decide(&case.input());
        case.memory = memory;
        if let Outcome::Scale { parallelism } = &decision.outcome {
            changes += 1;
            case.memory = case.memory.clone().applied(&decision, case.now_ms, &case.policy);
            case.graph = case.graph.with(parallelism);
        }
    }
    assert!(changes <= 1, "{changes}");
}
