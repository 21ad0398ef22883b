//! The suite: every policy on every trace, and generated jobs.

use super::generated::{figures, generated};
use super::*;
use crate::policy::Policy;

#[test]
fn the_table() {
    let rows = suite(&Policy::default(), &Settings::default());
    println!("{}", table(&rows));
}

#[test]
fn watch() {
    for trace in traces().into_iter().filter(|it| ["flapping", "diurnal", "backlog"].contains(&it.name)) {
        let mut ours = Ours::new(Policy::default());
        run(&trace, &mut ours, &Settings::default(), false);
        println!("== {}", trace.name);
        for it in ours.decisions.iter().filter(|it| it.outcome != crate::Outcome::Hold) {
            println!("{} min {:?} {} arr {:?} busy {:.2?} largest {:?} contention {:?}", it.at_ms / 60_000, it.outcome, it.sentence, it.vertices.iter().map(|it| it.arrival_rate.unwrap() as u32).collect::<Vec<_>>(), it.vertices.iter().map(|it| it.busy.unwrap()).collect::<Vec<_>>(),it.vertices.iter().map(|it| it.largest).collect::<Vec<_>>(), it.vertices.iter().map(|it| it.contention).collect::<Vec<_>>());
        }
    }
}

#[test]
fn debugging() {
    let policy = Policy { restart_time_ms: 60_000, ..Policy::default() };
    for seed in [0_u64;0] {
        let (job, arriving) = generated(seed, &policy);
        println!("== {seed} {arriving} flows {:?}", job.flows(arriving));
        println!("{:?}", job.graph.edges.iter().map(|it| format!("{}>{}", it.from, it.to)).collect::<Vec<_>>());
        println!("{:?}", job.services);
        println!("start {:?} oracle {:?}", job.graph.parallelism(), job.oracle(arriving, &policy));
        let mut ours = Ours::from(&policy);
        converge(&mut ours, &job, arriving, &policy);
        for it in ours.decisions.iter().filter(|it| it.outcome != crate::Outcome::Hold) { println!("{} {:?} {}", it.at_ms, it.outcome, it.sentence); for v in &it.vertices { println!("   {} now {} rate_in {:.0?} arrival {:.0?} true {:.0?} seen {} busy {:.2?} target {:.0?} computed {:?} given {} skew {:?}", v.id, v.parallelism, v.input_rate, v.arrival_rate, v.true_rate, v.true_rate_seen, v.busy, v.target, v.computed, v.given, v.skew); } }
    }
    for seed in 0..1000 {
        let (job, arriving) = generated(seed, &policy);
        let it = converge(&mut Ours::from(&policy), &job, arriving, &policy);
        if it.fitted_after != Some(1) { println!("{seed} {it:?} arriving {arriving:.0} {:?}", job.services.iter().map(|it| (it.contention*1e4) as u32).collect::<Vec<_>>()); }
    }
}

#[test]
fn generated_jobs() {
    let ours = figures(0..1_000, |policy| Box::new(Ours::from(policy)));
    println!("ours {ours:?}");
    let ds2 = figures(0..1_000, |_| Box::new(Ds2::new()));
    println!("ds2 {ds2:?}");
    let ds2 = figures(0..1_000, |policy| Box::new(FlinkRules::new(policy.clone())));
    println!("flink {ds2:?}");
}
