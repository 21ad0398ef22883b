//! The nine loads of the suite.

use std::f64::consts::TAU;

use super::model::Job;
use super::noise::Noise;
use super::service::Service;
use super::trace::Trace;
use crate::graph::{Edge, Graph, GraphError, Vertex};

const MINUTE_MS: u64 = 60_000;
const HOUR_MS: u64 = 60 * MINUTE_MS;

fn chain(vertices: Vec<(Vertex, Service)>) -> Result<Job, GraphError> {
    let edges = vertices
        .windows(2)
        .map(|it| Edge {
            from: it[0].0.id.clone(),
            to: it[1].0.id.clone(),
        })
        .collect();
    let (vertices, services): (Vec<_>, Vec<_>) = vertices.into_iter().unzip();
    Job::new(Graph { vertices, edges }, services, 7)
}

fn service(rate_per_task: f64) -> Service {
    Service {
        rate_per_task,
        ..Service::default()
    }
}

/// A source of 24 partitions and a keyed operator that does 1,000 records per second and task.
pub(super) fn usual() -> Result<Job, GraphError> {
    chain(vec![
        (Vertex::source("read", 1, 24), service(2_000.0)),
        (
            Vertex::operator("work", 1, 120, true),
            Service {
                unevenness: 0.1,
                ..service(1_000.0)
            },
        ),
    ])
}

/// One key has a third of the records.
fn hot() -> Result<Job, GraphError> {
    let work = Service {
        hot_share: 0.35,
        ..service(1_000.0)
    };
    chain(vec![
        (Vertex::source("read", 1, 24), service(2_000.0)),
        (Vertex::operator("work", 1, 120, true), work),
    ])
}

/// Four partitions.
fn few() -> Result<Job, GraphError> {
    chain(vec![
        (Vertex::source("read", 1, 4), service(2_000.0)),
        (Vertex::operator("work", 1, 120, true), service(1_000.0)),
    ])
}

/// A window that halves the records, whose tasks slow each other, and a sink.
fn three() -> Result<Job, GraphError> {
    let window = Service {
        selectivity: 0.5,
        contention: 0.01,
        unevenness: 0.15,
        ..service(900.0)
    };
    chain(vec![
        (Vertex::source("read", 1, 24), service(2_500.0)),
        (Vertex::operator("window", 1, 240, true), window),
        (Vertex::operator("write", 1, 128, false), service(700.0)),
    ])
}

/// A point every so many minutes, for so many hours.
fn every(minutes: u64, hours: u64, rate: impl Fn(u64) -> f64) -> Vec<(u64, f64)> {
    (0..hours * 60 / minutes)
        .map(|it| (it * minutes * MINUTE_MS, rate(it * minutes)))
        .collect()
}

/// A day: quiet at night, sixteen times that at noon, and three bursts of a quarter of an hour.
fn day() -> Vec<(u64, f64)> {
    let mut random = Noise::new(11);
    let jitter: Vec<f64> = (0..24 * 60).map(|_| random.about_one(0.05)).collect();
    every(1, 24, |minute| {
        let usual = 4_250.0 - 3_750.0 * (TAU * minute as f64 / 1_440.0).cos();
        let burst = [500, 800, 1_200]
            .iter()
            .any(|it| (*it..it + 15).contains(&minute));
        let times = if burst { 2.0 } else { 1.0 };
        usual * times * jitter[minute as usize % jitter.len()]
    })
}

/// A made-up day for the usual job: quiet at night and 4 to 24 times that at its peak, with up to five bursts of 5 to 30 minutes, up to three
/// times what is usual then; from minute to minute 5 % more or less.
///
/// # Errors
/// None: the graph is sound.
pub fn made_up_day(seed: u64) -> Result<Trace, GraphError> {
    let mut random = Noise::new(seed);
    let night = random.between(200.0, 1_000.0);
    let noon = (night * random.between(4.0, 24.0)).min(11_000.0);
    let peak_at = random.between(0.0, 1_440.0);
    let bursts: Vec<(u64, u64, f64)> = (0..random.whole(0, 5))
        .map(|_| {
            let from = u64::from(random.whole(0, 1_400));
            let times = random.between(1.3, 3.0);
            (from, from + u64::from(random.whole(5, 30)), times)
        })
        .collect();
    let jitter: Vec<f64> = (0..24 * 60).map(|_| random.about_one(0.05)).collect();
    let rate = |minute: u64| {
        let wave = (TAU * (minute as f64 - peak_at) / 1_440.0).cos();
        let usual = f64::midpoint(noon, night) + (noon - night) / 2.0 * wave;
        let burst = bursts
            .iter()
            .filter(|it| (it.0..it.1).contains(&minute))
            .map(|it| it.2)
            .fold(1.0, f64::max);
        (usual * burst).min(20_000.0) * jitter[minute as usize % jitter.len()]
    };
    Ok(Trace::new(
        "made-up day",
        usual()?,
        24 * HOUR_MS,
        every(1, 24, rate),
    ))
}

/// The traces of the suite.
///
/// # Errors
/// None: the graphs are sound.
pub fn traces() -> Result<Vec<Trace>, GraphError> {
    let climb = |minute: u64| 1_000.0 + 9_000.0 * (minute.min(240) as f64 / 240.0);
    let wave = |minute: u64| {
        if (minute / 10).is_multiple_of(2) {
            2_000.0
        } else {
            6_000.0
        }
    };
    let stages = |minute: u64| match minute {
        0..60 => 3_000.0,
        60..240 => 3_000.0 + 40.0 * (minute - 60) as f64,
        240..300 => 15_000.0,
        _ => 4_000.0,
    };
    let after_an_hour = |before: f64, after: f64| vec![(0, before), (HOUR_MS, after)];
    let mut spike = after_an_hour(2_000.0, 12_000.0);
    spike.push((HOUR_MS + 10 * MINUTE_MS, 2_000.0));
    let mut backlog = Trace::new("backlog", usual()?, 6 * HOUR_MS, vec![(0, 2_000.0)]);
    backlog.backlog = 2_000.0 * 3_600.0;
    let (step, short) = (after_an_hour(2_000.0, 6_000.0), after_an_hour(3_000.0, 10_000.0));
    Ok(vec![
        Trace::new("step", usual()?, 4 * HOUR_MS, step),
        Trace::new("ramp", usual()?, 6 * HOUR_MS, every(1, 6, climb)),
        Trace::new("spike", usual()?, 4 * HOUR_MS, spike),
        Trace::new("diurnal", usual()?, 24 * HOUR_MS, day()),
        Trace::new("flapping", usual()?, 8 * HOUR_MS, every(10, 8, wave)),
        Trace::new("skew", hot()?, 4 * HOUR_MS, after_an_hour(1_500.0, 4_000.0)),
        backlog,
        Trace::new("partition-bound", few()?, 4 * HOUR_MS, short),
        Trace::new("three-stage", three()?, 8 * HOUR_MS, every(1, 8, stages)),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_suite_covers_what_it_promises() {
        let names: Vec<_> = traces().expect("sound").iter().map(|it| it.name).collect();
        let promised = [
            "step",
            "ramp",
            "spike",
            "diurnal",
            "flapping",
            "skew",
            "backlog",
            "partition-bound",
            "three-stage",
        ];
        assert_eq!(names, promised);
    }
}
