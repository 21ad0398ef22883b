//! Made-up jobs by the thousand: how soon, and how near, a policy comes to what one would choose who knows the true rates.

use super::model::Job;
use super::noise::Noise;
use super::run::Controller;
use super::service::Service;
use crate::graph::{Edge, Graph, GraphError, Parallelism, Vertex};
use crate::policy::Policy;

/// A job is watched for so long after its load has grown, and after each change.
const WATCHED_MS: u64 = 30 * 60_000;
const STEP_MS: u64 = 10_000;
const SAMPLE_MS: u64 = 30_000;

/// A job of 3 to 12 vertices with joins and branches, fullest tasks 0 to 30 % above their share, tasks that slow each other, noisy metrics;
/// and the records per second that arrive at it. It runs with a part of the tasks that it would need.
///
/// # Errors
/// None: what is made up is a sound graph.
pub fn generated(seed: u64, policy: &Policy) -> Result<(Job, f64), GraphError> {
    let mut random = Noise::new(seed);
    let count = random.whole(3, 12) as usize;
    let sources = if count > 4 && random.unit() < 0.3 { 2 } else { 1 };
    let (mut vertices, mut services, mut edges) = (Vec::new(), Vec::new(), Vec::new());
    for at in 0..count {
        let id = format!("v{at}");
        let is_source = at < sources;
        if !is_source {
            let first = random.whole(0, at as u32 - 1);
            let mut from = vec![first];
            // The second source must be read by somebody, and some vertices join.
            if at == sources || random.unit() < 0.15 {
                from.extend((0..sources as u32).filter(|it| *it != first).take(1));
            }
            edges.extend(from.into_iter().map(|it| Edge {
                from: format!("v{it}"),
                to: id.clone(),
            }));
        }
        vertices.push(if is_source {
            Vertex::source(&id, 1, [96, 120, 128, 192][random.whole(0, 3) as usize])
        } else {
            let groups = [120, 180, 240, 360, 720][random.whole(0, 4) as usize];
            Vertex::operator(&id, 1, groups, random.unit() < 0.6)
        });
        services.push(Service {
            rate_per_task: random.between(300.0, 4_000.0),
            contention: if random.unit() < 0.5 {
                random.between(0.0, 0.01)
            } else {
                0.0
            },
            hot_share: 0.0,
            unevenness: if random.unit() < 0.5 {
                random.between(0.0, 0.3)
            } else {
                0.0
            },
            selectivity: random.between(0.3, 1.1),
            arrival_share: 1.0 / sources as f64,
        });
    }
    let arriving = random.between(2_000.0, 20_000.0);
    let graph = Graph { vertices, edges };
    let mut job = Job::new(graph, services, random.bits())?;
    job.noise = 0.05;
    let part = random.between(0.15, 0.6);
    let fewer = |tasks: u32| ((f64::from(tasks) * part) as u32).max(1);
    let parallelism: Parallelism = job
        .oracle(arriving, policy)
        .into_iter()
        .map(|(id, tasks)| (id, fewer(tasks)))
        .collect();
    job.graph = job.graph.with(&parallelism);
    Ok((job, arriving))
}

/// How a policy came to terms with a generated job.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Convergence {
    /// Changes until it changed nothing more.
    pub steps: u32,
    /// When it changed something first, in milliseconds after the load was there.
    pub first_ms: Option<u64>,
    /// After how many of them every vertex kept up, with no more than 15 % more tasks in all than the oracle has; `None`: never.
    pub fitted_after: Option<u32>,
    /// Every vertex had the oracle's parallelism after the last change.
    pub exact: bool,
    /// Tasks over the oracle's, after the last change.
    pub tasks_over_oracle: f64,
}

/// Watches a controller find the parallelism of a generated job. The oracle knows the true rates, and uses the same formula at the same
/// moment: with the same backlog, and the true restart time.
pub fn converge(controller: &mut dyn Controller, job: &Job, arriving: f64, policy: &Policy) -> Convergence {
    let mut job = job.clone();
    let mut it = Convergence {
        fitted_after: keeps_up(&job, arriving).then_some(0),
        ..Convergence::default()
    };
    let mut history = Vec::new();
    let (mut next_ms, mut down_since, mut until_ms) = (SAMPLE_MS, None, WATCHED_MS);
    while job.now_ms() < until_ms {
        job.step(STEP_MS, arriving);
        if !job.is_up() || job.now_ms() < next_ms {
            continue;
        }
        if let Some(since_ms) = down_since.take() {
            controller.restarted(job.now_ms(), job.now_ms() - since_ms);
        }
        next_ms = job.now_ms() + SAMPLE_MS;
        history.push(job.sample());
        let wish = controller.evaluate(job.now_ms(), &job.graph, &history);
        let Some(to) = wish.filter(|to| job.graph.with(to) != job.graph) else {
            continue;
        };
        let oracle = job.oracle(arriving, policy);
        job.rescale(&to);
        down_since = Some(job.now_ms());
        until_ms = job.now_ms() + WATCHED_MS;
        history.clear();
        it.steps += 1;
        it.first_ms.get_or_insert(job.now_ms());
        let tasks = |of: &Parallelism| of.values().map(|it| f64::from(*it)).sum::<f64>();
        it.tasks_over_oracle = tasks(&job.graph.parallelism()) / tasks(&oracle);
        it.exact = job.graph.parallelism() == oracle;
        if it.fitted_after.is_none() && keeps_up(&job, arriving) && it.tasks_over_oracle <= 1.15 {
            it.fitted_after = Some(it.steps);
        }
        if it.steps >= 10 {
            break;
        }
    }
    it
}

/// Whether every vertex can do what flows to it.
fn keeps_up(job: &Job, arriving: f64) -> bool {
    let flows = job.flows(arriving);
    let mut all = job.graph.vertices.iter().zip(&job.services).zip(flows);
    all.all(|((vertex, service), flow)| service.capacity(vertex, vertex.parallelism) >= flow)
}

/// Figures over many generated jobs.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    /// Jobs.
    pub jobs: u32,
    /// Jobs that kept up, with no more than 15 % more tasks than the oracle, after one change or none.
    pub fitted_in_one: u32,
    /// After two or fewer.
    pub fitted_in_two: u32,
    /// The most changes of a job.
    pub steps_most: u32,
    /// Jobs with the oracle's parallelism at the end.
    pub exact: u32,
    /// Tasks over the oracle's, mean over the jobs that were changed.
    pub tasks_over_oracle: f64,
    /// Time to the first change in milliseconds, of the jobs that were changed: half of them took no longer.
    pub first_ms: u64,
}

/// Watches a controller on the generated jobs of these seeds; each gets a controller of its own.
///
/// # Errors
/// None: what is made up are sound graphs.
pub fn figures(
    seeds: std::ops::Range<u64>,
    make: impl Fn(&Policy) -> Box<dyn Controller>,
) -> Result<Figures, GraphError> {
    // The true restart time is known to all, so that what is compared is the rates.
    let policy = Policy {
        restart_time_ms: 60_000,
        ..Policy::default()
    };
    let mut sum = Figures::default();
    let (mut over, mut first) = (Vec::new(), Vec::new());
    for seed in seeds {
        let (job, arriving) = generated(seed, &policy)?;
        let it = converge(make(&policy).as_mut(), &job, arriving, &policy);
        sum.jobs += 1;
        sum.fitted_in_one += u32::from(it.fitted_after.is_some_and(|it| it <= 1));
        sum.fitted_in_two += u32::from(it.fitted_after.is_some_and(|it| it <= 2));
        sum.steps_most = sum.steps_most.max(it.steps);
        sum.exact += u32::from(it.exact);
        if let Some(first_ms) = it.first_ms {
            over.push(it.tasks_over_oracle);
            first.push(first_ms);
        }
    }
    first.sort_unstable();
    sum.first_ms = first.get(first.len() / 2).copied().unwrap_or(0);
    sum.tasks_over_oracle = over.iter().sum::<f64>() / over.len().max(1) as f64;
    Ok(sum)
}
