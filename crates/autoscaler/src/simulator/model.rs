//! The job: what its vertices can do, and how it runs.

use std::collections::{BTreeMap, VecDeque};

use super::noise::Noise;
use super::service::Service;
use crate::graph::{Graph, GraphError, Parallelism, Shape};
use crate::history::{MemorySample, Sample, SubtaskSample, VertexSample};
use crate::policy::Policy;

/// What passed at a vertex since the start of the attempt.
#[derive(Clone, Copy, Debug, Default)]
struct Passed {
    records_in: f64,
    records_out: f64,
    /// Of the fullest task.
    busy_ms: f64,
    /// Of the fullest task.
    backpressured_ms: f64,
    up_ms: f64,
}

/// A running job.
#[derive(Clone, Debug)]
pub struct Job {
    /// The graph, with the parallelism that it runs with.
    pub graph: Graph,
    /// What each vertex can do, in the order of the graph.
    pub services: Vec<Service>,
    /// A restart takes so long.
    pub restart_ms: u64,
    /// Time between checkpoints.
    pub checkpoint_ms: u64,
    /// Service rates and measured busy times vary by this share, up and down.
    pub noise: f64,
    shape: Shape,
    random: Noise,
    queues: Vec<f64>,
    passed: Vec<Passed>,
    /// Records that each source read since the last checkpoint.
    uncommitted: Vec<f64>,
    checkpoint_at_ms: u64,
    attempt: u64,
    up_at_ms: u64,
    now_ms: u64,
    arrived: f64,
    /// When how many had arrived, as far as they may have to be read again.
    curve: VecDeque<(u64, f64)>,
}

impl Job {
    /// A job at rest, at moment 0, with a service for each vertex.
    ///
    /// # Errors
    /// What is wrong with the graph.
    pub fn new(graph: Graph, services: Vec<Service>, seed: u64) -> Result<Self, GraphError> {
        let shape = graph.shape()?;
        let count = graph.vertices.len();
        if services.len() != count {
            return Err(GraphError::Size(services.len()));
        }
        Ok(Self {
            services,
            restart_ms: 60_000,
            checkpoint_ms: 60_000,
            noise: 0.05,
            shape,
            random: Noise::new(seed),
            queues: vec![0.0; count],
            passed: vec![Passed::default(); count],
            uncommitted: vec![0.0; count],
            checkpoint_at_ms: 0,
            attempt: 1,
            up_at_ms: 0,
            now_ms: 0,
            arrived: 0.0,
            curve: VecDeque::new(),
            graph,
        })
    }

    /// Records that wait at the sources, read or not: what is uncommitted is not counted.
    pub fn backlog(&self) -> f64 {
        self.sources().map(|at| self.queues[at]).sum()
    }

    /// How long the oldest record that waits at a source has waited, in milliseconds.
    pub fn oldest_ms(&self) -> u64 {
        let read = self.read_so_far();
        let first = self.curve.partition_point(|(_, arrived)| *arrived <= read + 1e-6);
        self.curve
            .get(first)
            .map_or(0, |(at_ms, _)| self.now_ms.saturating_sub(*at_ms))
    }

    /// Records that the sources have read, of those that arrived, once each.
    fn read_so_far(&self) -> f64 {
        self.arrived
            - self.backlog()
                / self
                    .sources()
                    .map(|at| self.services[at].arrival_share)
                    .sum::<f64>()
    }

    /// Now, in milliseconds since the start.
    pub fn now_ms(&self) -> u64 {
        self.now_ms
    }

    /// Whether it runs, rather than restarts.
    pub fn is_up(&self) -> bool {
        self.now_ms >= self.up_at_ms
    }

    /// Records arrive all at once, before anything else.
    pub fn arrive(&mut self, records: f64) {
        for at in self.sources().collect::<Vec<_>>() {
            self.queues[at] += records * self.services[at].arrival_share;
        }
        self.arrived += records;
        self.curve.push_back((self.now_ms, self.arrived));
    }

    /// Lets time pass, with records arriving at this rate per second.
    pub fn step(&mut self, step_ms: u64, arriving: f64) {
        self.arrive(arriving * step_ms as f64 / 1_000.0);
        if self.is_up() {
            self.work(step_ms);
        }
        self.now_ms += step_ms;
        if self.is_up() && self.now_ms - self.checkpoint_at_ms >= self.checkpoint_ms {
            self.uncommitted.fill(0.0);
            self.checkpoint_at_ms = self.now_ms;
            let read = self.read_so_far();
            while self
                .curve
                .front()
                .is_some_and(|(_, arrived)| *arrived <= read + 1e-6)
            {
                self.curve.pop_front();
            }
        }
    }

    /// Restarts it with another parallelism, from its last checkpoint.
    pub fn rescale(&mut self, parallelism: &Parallelism) {
        self.graph = self.graph.with(parallelism);
        self.attempt += 1;
        self.up_at_ms = self.now_ms + self.restart_ms;
        self.checkpoint_at_ms = self.up_at_ms;
        self.passed.fill(Passed::default());
        for at in 0..self.queues.len() {
            // What is on its way between vertices was read since the checkpoint, or is part of it.
            self.queues[at] = if self.graph.vertices[at].is_source() {
                self.queues[at] + self.uncommitted[at]
            } else {
                0.0
            };
        }
        self.uncommitted.fill(0.0);
    }

    /// Reads all metrics.
    pub fn sample(&self) -> Sample {
        let vertices = self
            .graph
            .vertices
            .iter()
            .enumerate()
            .map(|(at, it)| (it.id.clone(), self.read(at)))
            .collect::<BTreeMap<_, _>>();
        Sample {
            at_ms: self.now_ms,
            attempt: self.attempt,
            vertices,
            memory: MemorySample::default(),
        }
    }

    fn read(&self, at: usize) -> VertexSample {
        let (vertex, service, passed) = (&self.graph.vertices[at], &self.services[at], &self.passed[at]);
        let tasks = vertex.parallelism.max(1);
        let fullest = service.fullest(vertex, tasks);
        let task = |share: f64| SubtaskSample {
            records_in: Some(passed.records_in * share),
            busy_ms: Some(passed.busy_ms * share / fullest),
        };
        let rest = (1.0 - fullest) / f64::from(tasks.max(2) - 1);
        let mut subtasks = vec![task(rest); tasks as usize];
        subtasks[0] = task(fullest);
        let busy_ms = passed.busy_ms / fullest;
        let backpressured_ms = passed.backpressured_ms * f64::from(tasks);
        VertexSample {
            parallelism: vertex.parallelism,
            records_in: Some(passed.records_in),
            records_out: Some(passed.records_out),
            busy_ms: Some(busy_ms),
            backpressured_ms: Some(backpressured_ms),
            idle_ms: Some((passed.up_ms * f64::from(tasks) - busy_ms - backpressured_ms).max(0.0)),
            pending_records: vertex.is_source().then_some(self.queues[at]),
            subtasks,
        }
    }

    fn sources(&self) -> impl Iterator<Item = usize> {
        (0..self.graph.vertices.len()).filter(|at| self.graph.vertices[*at].is_source())
    }

    fn work(&mut self, step_ms: u64) {
        let seconds = step_ms as f64 / 1_000.0;
        for place in (0..self.shape.order.len()).rev() {
            let at = self.shape.order[place];
            let vertex = &self.graph.vertices[at];
            let usual = self.services[at].capacity(vertex, vertex.parallelism) * seconds;
            let able = usual * self.random.about_one(self.noise);
            let room = self.shape.outputs[at]
                .iter()
                .map(|to| self.room(*to, seconds))
                .fold(f64::INFINITY, f64::min);
            let selectivity = self.services[at].selectivity;
            let room = if selectivity > 0.0 {
                room / selectivity
            } else {
                f64::INFINITY
            };
            let could = self.queues[at].min(able);
            let done = could.min(room).max(0.0);
            self.queues[at] -= done;
            for out in 0..self.shape.outputs[at].len() {
                let to = self.shape.outputs[at][out];
                self.queues[to] += done * selectivity;
                self.passed[at].records_out += done * selectivity;
            }
            if self.shape.inputs[at].is_empty() {
                self.uncommitted[at] += done;
            }
            let passed = &mut self.passed[at];
            let busy = (done / able).min(1.0);
            passed.records_in += done;
            passed.busy_ms += (busy * self.random.about_one(self.noise)).min(1.0) * step_ms as f64;
            passed.backpressured_ms += ((could - done) / able).clamp(0.0, 1.0 - busy) * step_ms as f64;
            passed.up_ms += step_ms as f64;
        }
    }

    /// Buffers in front of a vertex hold, of each input, what it does in two steps; what is free is divided among the inputs.
    fn room(&self, at: usize, seconds: f64) -> f64 {
        let vertex = &self.graph.vertices[at];
        let inputs = self.shape.inputs[at].len().max(1) as f64;
        let buffer = 2.0 * inputs * seconds * self.services[at].capacity(vertex, vertex.parallelism);
        (buffer - self.queues[at]).max(0.0) / inputs
    }

    /// Records per second that each vertex must do when so many arrive at the sources.
    pub fn flows(&self, arriving: f64) -> Vec<f64> {
        let mut flows = vec![0.0; self.graph.vertices.len()];
        for at in &self.shape.order {
            let inputs = &self.shape.inputs[*at];
            flows[*at] = if inputs.is_empty() {
                arriving * self.services[*at].arrival_share
            } else {
                inputs
                    .iter()
                    .map(|from| flows[*from] * self.services[*from].selectivity)
                    .sum()
            };
        }
        flows
    }

    /// The parallelism of one who knows the true rates: for each vertex the fewest tasks that do the target of the formula.
    pub fn oracle(&self, arriving: f64, policy: &Policy) -> Parallelism {
        let catch_up_s = policy.catch_up_duration_ms as f64 / 1_000.0;
        let lag = if catch_up_s > 0.0 {
            self.flows(self.backlog() / catch_up_s)
        } else {
            vec![0.0; self.queues.len()]
        };
        let restart = if catch_up_s > 0.0 {
            self.restart_ms as f64 / 1_000.0 / catch_up_s
        } else {
            0.0
        };
        let flows = self.flows(arriving);
        let tasks = |at: usize| {
            let target = flows[at] / policy.utilization_target + flows[at] * restart + lag[at];
            self.services[at].fewest(&self.graph.vertices[at], target, policy)
        };
        self.graph
            .vertices
            .iter()
            .enumerate()
            .map(|(at, it)| (it.id.clone(), tasks(at)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{Edge, Vertex};

    fn pair(noise: f64) -> Job {
        let graph = Graph {
            vertices: vec![Vertex::source("a", 2, 8), Vertex::operator("b", 1, 128, true)],
            edges: vec![Edge {
                from: "a".into(),
                to: "b".into(),
            }],
        };
        let mut job = Job::new(graph, vec![Service::default(), Service::default()], 1).expect("sound");
        job.noise = noise;
        job
    }

    #[test]
    fn nothing_is_lost_and_nothing_invented() {
        let mut job = pair(0.1);
        for _ in 0..100 {
            job.step(5_000, 700.0);
        }
        let sample = job.sample();
        let (a, b) = (&sample.vertices["a"], &sample.vertices["b"]);
        let arrived = 700.0 * 500.0;
        let waiting = a.pending_records.expect("a source");
        assert!((a.records_in.expect("known") + waiting - arrived).abs() < 1e-3);
        assert!((a.records_out.expect("known") - b.records_in.expect("known") - job.queues[1]).abs() < 1e-3);
        assert!(
            waiting < 1.0 && job.oldest_ms() == 0,
            "a pair that can do 1,000/s keeps up with 700"
        );
        let busy = b.busy_ms.expect("known") / 500_000.0;
        assert!((0.65..0.75).contains(&busy), "{busy}");
    }

    #[test]
    fn a_slow_reader_holds_its_writer_back() {
        let mut job = pair(0.0);
        for _ in 0..200 {
            job.step(5_000, 1_500.0);
        }
        let sample = job.sample();
        let a = &sample.vertices["a"];
        assert!((a.backpressured_ms.expect("known") / 2_000_000.0 - 0.5).abs() < 0.05);
        assert!(
            (job.backlog() / (500.0 * 1_000.0) - 1.0).abs() < 0.02,
            "a third of what arrives waits: {}",
            job.backlog()
        );
        assert!(
            (job.oldest_ms() as f64 / 333_000.0 - 1.0).abs() < 0.05,
            "{}",
            job.oldest_ms()
        );
    }

    #[test]
    fn a_restart_costs_time_and_what_was_not_committed() {
        let mut job = pair(0.0);
        for _ in 0..13 {
            job.step(5_000, 600.0);
        }
        assert!(job.backlog() < 1.0);
        job.rescale(&Parallelism::from([("b".to_owned(), 2)]));
        // 60 s were committed, 5 s were not.
        assert!((job.backlog() - 3_000.0).abs() < 1.0, "{}", job.backlog());
        for _ in 0..12 {
            job.step(5_000, 600.0);
        }
        assert!((job.backlog() - 39_000.0).abs() < 1.0 && job.is_up());
        assert_eq!(job.sample().vertices["b"].records_in, Some(0.0));
    }
}
