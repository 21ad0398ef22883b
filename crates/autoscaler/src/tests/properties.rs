//! What holds for every job, load and policy.

use proptest::prelude::*;

use super::*;
use crate::policy::Alignment;

/// A chain of a source and operators, steady.
fn chains() -> impl Strategy<Value = (Graph, Vec<Steady>)> {
    let one = (1_u32..40, 1_u32..200, any::<bool>(), 0.0_f64..=1.0, 0.1_f64..3.0);
    (
        proptest::collection::vec(one, 1..5),
        1.0_f64..1e5,
        -50.0_f64..1e4,
        0.0_f64..1e6,
    )
        .prop_map(|(all, rate, growth, pending)| {
            let (mut vertices, mut edges, mut steady): (Vec<Vertex>, Vec<Edge>, Vec<Steady>) =
                (vec![], vec![], vec![]);
            let mut flow = rate;
            for (at, (tasks, groups, keyed, busy, selectivity)) in all.into_iter().enumerate() {
                let id = format!("v{at}");
                vertices.push(if at == 0 {
                    Vertex::source(&id, tasks, groups)
                } else {
                    Vertex::operator(&id, tasks, groups, keyed)
                });
                if at > 0 {
                    edges.push(Edge {
                        from: format!("v{}", at - 1),
                        to: id,
                    });
                }
                steady.push(Steady {
                    rate: flow,
                    out: flow * selectivity,
                    busy,
                    backpressured: 0.0,
                    pending: (at == 0).then_some(pending),
                    growth: if at == 0 { growth } else { 0.0 },
                    hot: None,
                });
                flow *= selectivity;
            }
            (Graph { vertices, edges }, steady)
        })
}

fn policies() -> impl Strategy<Value = Policy> {
    let alignment = prop_oneof![
        Just(Alignment::Balanced),
        Just(Alignment::EvenlySpread),
        Just(Alignment::Off)
    ];
    (0.05_f64..1.0, 0.0_f64..0.5, 1_u32..5, 5_u32..300, alignment).prop_map(
        |(target, boundary, least, most, alignment)| Policy {
            utilization_target: target,
            utilization_boundary: boundary,
            vertex_min_parallelism: least,
            vertex_max_parallelism: most,
            parallelism_alignment: alignment,
            ..Policy::default()
        },
    )
}

fn given(case: &Case) -> Parallelism {
    match case.decide().outcome {
        Outcome::Scale { parallelism } => parallelism,
        _ => case.graph.parallelism(),
    }
}

proptest! {
    #[test]
    fn bounds_are_never_exceeded((graph, steady) in chains(), policy in policies(), room in proptest::option::of(0_u64..50)) {
        let mut case = Case::of(graph, &steady);
        case.policy = policy;
        case.limits.pool_room_units = room;
        let decision = case.decide();
        if let Outcome::Scale { parallelism } = &decision.outcome {
            for vertex in &case.graph.vertices {
                let to = parallelism[&vertex.id];
                let most = vertex.max_parallelism.min(case.policy.vertex_max_parallelism);
                let most = if vertex.is_source() { most.min(vertex.groups().unwrap_or(u32::MAX)) } else { most };
                prop_assert!(to == vertex.parallelism || (1..=most).contains(&to), "{to} of {most}");
                prop_assert!(to == vertex.parallelism || to >= case.policy.vertex_min_parallelism.min(most) || room.is_some());
            }
            let slots = case.graph.slots(&case.graph.parallelism());
            let room = room.unwrap_or(u64::MAX);
            prop_assert!(case.graph.slots(parallelism) <= slots.saturating_add(room));
            prop_assert_eq!(decision.job.slots_given, case.graph.slots(parallelism));
        } else {
            prop_assert!(!decision.sentence.is_empty());
        }
    }

    #[test]
    fn more_that_arrives_never_means_fewer_tasks((graph, steady) in chains(), policy in policies(), more in 0.0_f64..5e4) {
        let mut less = Case::of(graph, &steady);
        // A source that is behind is judged by what it does then, which is another true rate, and a backlog widens the band: not what
        // this is about.
        less.policy = Policy {
            observed_true_processing_rate_min_observations: u32::MAX,
            backlog_processing_lag_threshold_ms: u64::MAX,
            ..policy
        };
        let mut busier = less.clone();
        let mut steady = steady;
        steady[0].growth = steady[0].growth.max(0.0) + more;
        steady[0].pending = steady[0].pending.map(|it| it + more * 1_200.0);
        busier.history = history(&busier.graph, &steady, 20, NOW);
        let (a, b) = (given(&less), given(&busier));
        for (id, tasks) in &a {
            prop_assert!(b[id] >= *tasks, "{id}: {tasks} and then {}", b[id]);
        }
    }

    #[test]
    fn the_same_input_gives_the_same_decision_and_survives_json((graph, steady) in chains(), policy in policies()) {
        let mut case = Case::of(graph, &steady);
        case.policy = policy;
        let (decision, memory) = decide(&case.input());
        prop_assert_eq!(decide(&case.input()), (decision.clone(), memory.clone()));
        // The last digit of a number may go, nothing else.
        let again: Decision = serde_json::from_str(&serde_json::to_string(&decision).expect("JSON")).expect("JSON");
        prop_assert_eq!(&again.outcome, &decision.outcome);
        prop_assert_eq!((again.reason, &again.sentence, &again.wanted), (decision.reason, &decision.sentence, &decision.wanted));
        let again: Memory = serde_json::from_str(&serde_json::to_string(&memory).expect("JSON")).expect("JSON");
        prop_assert_eq!(again.vertices.len(), memory.vertices.len());
        for (id, it) in &again.vertices {
            prop_assert_eq!(&it.recommendations, &memory.vertices[id].recommendations);
        }
    }

    #[test]
    fn an_unknown_number_holds((graph, steady) in chains(), which in 0_usize..3, at in 0_usize..5) {
        let mut case = Case::of(graph, &steady);
        let at = at % case.graph.vertices.len();
        let id = case.graph.vertices[if which == 2 { 0 } else { at }].id.clone();
        for sample in &mut case.history {
            let vertex = sample.vertices.get_mut(&id).expect("there");
            match which {
                0 => vertex.records_in = Some(f64::NAN),
                1 => (vertex.busy_ms, vertex.idle_ms) = (Some(f64::INFINITY), None),
                _ => vertex.pending_records = None,
            }
        }
        let it = case.decide();
        prop_assert_eq!((it.outcome, it.reason), (Outcome::Hold, Reason::NoData));
    }
}
