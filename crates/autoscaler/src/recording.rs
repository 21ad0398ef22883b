//! What an agent writes of a job while it scales it, one JSON object a line, and how it is read again for a [replay](crate::replay).
//!
//! Lines are `{"policy": ...}` and `{"graph": ...}`, which hold until the next of their kind, and `{"sample": ...}`. A recording has numbers
//! of tasks and records, and no record.

use serde::{Deserialize, Serialize};

use crate::graph::Graph;
use crate::history::Sample;
use crate::policy::Policy;

/// A recording has no more lines: two days of samples.
pub const LINES_MAX: usize = 50_000;

/// One line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Line {
    /// What was decided by from here on.
    Policy(Box<Policy>),
    /// The job from here on; its parallelism is that of the sample.
    Graph(Graph),
    /// What the job said of itself.
    Sample(Sample),
}

/// Says what has to be written: policy and graph when they change, and each sample.
#[derive(Debug, Default)]
pub struct Recorder {
    policy: Option<Policy>,
    graph: Option<Graph>,
}

/// What one job did, from its first sample to its last or until it was another.
#[derive(Clone, Debug, PartialEq)]
pub struct Recording {
    /// What was decided by, last.
    pub policy: Policy,
    /// The job, with the parallelism that it began with.
    pub graph: Graph,
    /// In order of time.
    pub samples: Vec<Sample>,
}

/// Why lines are no recording.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordingError {
    /// A line that is wrong.
    #[error("line {line}: {fault}")]
    Line {
        /// From 1.
        line: usize,
        /// What is wrong with it.
        fault: String,
    },
    /// Nothing to replay.
    #[error("it has no sample")]
    Empty,
    /// More than [`LINES_MAX`].
    #[error("it has more than {LINES_MAX} lines")]
    TooLong,
}

impl Recorder {
    /// The lines of one sample.
    pub fn lines(&mut self, policy: &Policy, graph: &Graph, sample: &Sample) -> Vec<Line> {
        let mut lines = Vec::with_capacity(1);
        if self.policy.as_ref() != Some(policy) {
            self.policy = Some(policy.clone());
            lines.push(Line::Policy(Box::new(policy.clone())));
        }
        if self.graph.as_ref().is_none_or(|it| !same_job(it, graph)) {
            self.graph = Some(graph.clone());
            lines.push(Line::Graph(graph.clone()));
        }
        lines.push(Line::Sample(sample.clone()));
        lines
    }
}

impl Recording {
    /// The jobs of a recording, one behind the other: another program is another job.
    ///
    /// # Errors
    /// With the line that is wrong.
    pub fn from_lines(text: &str) -> Result<Vec<Self>, RecordingError> {
        let mut all: Vec<Self> = Vec::new();
        let (mut policy, mut graph): (Policy, Option<Graph>) = (Policy::default(), None);
        for (at, line) in text.lines().enumerate() {
            if at >= LINES_MAX {
                return Err(RecordingError::TooLong);
            }
            let wrong = |fault: String| RecordingError::Line { line: at + 1, fault };
            match serde_json::from_str(line).map_err(|it| wrong(it.to_string()))? {
                Line::Policy(it) => policy = *it,
                Line::Graph(it) => {
                    it.check().map_err(|it| wrong(it.to_string()))?;
                    graph = Some(it);
                }
                Line::Sample(it) => {
                    let Some(graph) = &graph else {
                        return Err(wrong("a sample comes before its graph".to_owned()));
                    };
                    push(&mut all, &policy, graph, it).map_err(wrong)?;
                }
            }
        }
        if all.is_empty() {
            return Err(RecordingError::Empty);
        }
        Ok(all)
    }
}

fn push(all: &mut Vec<Recording>, policy: &Policy, graph: &Graph, sample: Sample) -> Result<(), String> {
    if let Some(last) = all.last_mut().filter(|it| same_job(&it.graph, graph)) {
        if last.samples.last().is_some_and(|it| it.at_ms >= sample.at_ms) {
            return Err("at_ms must grow from sample to sample".to_owned());
        }
        last.policy = policy.clone();
        last.samples.push(sample);
        return Ok(());
    }
    let began = sample
        .vertices
        .iter()
        .map(|(id, it)| (id.clone(), it.parallelism));
    all.push(Recording {
        policy: policy.clone(),
        graph: graph.with(&began.collect()),
        samples: vec![sample],
    });
    Ok(())
}

/// The same but for its parallelism.
fn same_job(a: &Graph, b: &Graph) -> bool {
    a.edges == b.edges && a.with(&b.parallelism()) == *b
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::graph::Vertex;
    use crate::history::VertexSample;

    fn graph(id: &str, tasks: u32) -> Graph {
        Graph {
            vertices: vec![Vertex::source(id, tasks, 12)],
            edges: Vec::new(),
        }
    }

    fn sample(id: &str, at_ms: u64, parallelism: u32) -> Sample {
        let vertex = VertexSample {
            parallelism,
            records_in: Some(at_ms as f64),
            ..VertexSample::default()
        };
        Sample {
            at_ms,
            vertices: BTreeMap::from([(id.to_owned(), vertex)]),
            ..Sample::default()
        }
    }

    #[test]
    fn what_is_recorded_is_read_again_and_another_program_is_another_job() {
        let mut recorder = Recorder::default();
        let policy = Policy {
            vertex_max_parallelism: 7,
            ..Policy::default()
        };
        let mut text = String::new();
        let mut count = 0;
        for (id, at_ms, tasks) in [
            ("a", 1_000, 2),
            ("a", 6_000, 2),
            ("a", 11_000, 3),
            ("b", 16_000, 1),
        ] {
            for line in recorder.lines(&policy, &graph(id, tasks), &sample(id, at_ms, tasks)) {
                text += &serde_json::to_string(&line).unwrap();
                text.push('\n');
                count += 1;
            }
        }
        assert_eq!(count, 7, "a policy, two graphs, four samples: {text}");
        let read = Recording::from_lines(&text).unwrap();
        assert_eq!(read.len(), 2);
        assert_eq!((read[0].samples.len(), &read[0].graph), (3, &graph("a", 2)));
        assert_eq!(read[1].samples, [sample("b", 16_000, 1)]);
        assert_eq!(read[1].policy, policy);
    }

    #[test]
    fn lines_that_are_no_recording_are_named() {
        let text = |lines: &[Line]| {
            let lines = lines.iter().map(|it| serde_json::to_string(it).unwrap() + "\n");
            lines.collect::<String>()
        };
        let at = |at_ms| Line::Sample(sample("a", at_ms, 1));
        let fault = |text: &str| Recording::from_lines(text).unwrap_err().to_string();
        assert_eq!(fault(&text(&[at(1)])), "line 1: a sample comes before its graph");
        let backwards = [Line::Graph(graph("a", 1)), at(9), at(9)];
        assert_eq!(
            fault(&text(&backwards)),
            "line 3: at_ms must grow from sample to sample"
        );
        assert!(fault("{\"sample\": 1}\n").starts_with("line 1: "));
        assert_eq!(fault(""), "it has no sample");
    }
}
