//! A running job as the autoscaler sees it: vertices, what flows between them, and what each may be scaled to.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The name of a vertex, stable over restarts of the job (Flink: the vertex id; light engine: the action's name).
pub type VertexId = String;

/// Parallelism per vertex, in tasks.
pub type Parallelism = BTreeMap<VertexId, u32>;

/// The most vertices that a graph may have; more is refused.
pub const VERTICES_MAX: usize = 1_000;

/// What a vertex reads from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE", tag = "kind")]
pub enum VertexKind {
    /// Reads from a log.
    Source {
        /// Partitions of the topics that it reads: more tasks than these would have nothing to do. `None`: not a partitioned log.
        partitions: Option<u32>,
        /// Whether it reports pending records at all. Where it does, an unknown lag holds; where it does not, lag counts as none.
        #[serde(default = "yes")]
        reports_lag: bool,
    },
    /// Reads from other vertices.
    Operator {
        /// Its input is spread by key, over `max_parallelism` key groups.
        #[serde(default)]
        keyed: bool,
    },
}

/// One vertex of the job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vertex {
    /// Its name.
    pub id: VertexId,
    /// Tasks that it runs with now.
    pub parallelism: u32,
    /// The most tasks that it can ever have: Flink's maximum parallelism, the number of key groups.
    pub max_parallelism: u32,
    /// Source or operator.
    #[serde(flatten)]
    pub kind: VertexKind,
    /// `false` where the work cannot be split (a global aggregate, an ordered sink): it stays at one task.
    #[serde(default = "yes")]
    pub parallel: bool,
    /// Vertices of one slot-sharing group share slots: the group needs as many as its widest vertex.
    #[serde(default)]
    pub slot_group: u32,
}

/// Records flow from one vertex to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Edge {
    /// The vertex that writes.
    pub from: VertexId,
    /// The vertex that reads.
    pub to: VertexId,
}

/// The job graph.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Graph {
    /// Its vertices, each id once.
    pub vertices: Vec<Vertex>,
    /// Its edges; together they have no cycle.
    #[serde(default)]
    pub edges: Vec<Edge>,
}

/// Why a graph cannot be scaled.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum GraphError {
    /// No vertex, or more than [`VERTICES_MAX`].
    #[error("the graph has {0} vertices")]
    Size(usize),
    /// Two vertices have one id.
    #[error("two vertices are called {0}")]
    Twice(VertexId),
    /// An edge names a vertex that is not there.
    #[error("an edge names {0}, which is no vertex")]
    Unknown(VertexId),
    /// Records flow in a circle.
    #[error("the edges have a cycle")]
    Cycle,
    /// An operator that nothing flows to.
    #[error("nothing flows to {0}, and it is no source")]
    Unfed(VertexId),
    /// Records flow to a source.
    #[error("{0} is a source and is fed by another vertex")]
    FedSource(VertexId),
}

fn yes() -> bool {
    true
}

impl Vertex {
    /// A parallel operator; `keyed` where its input is spread by key.
    pub fn operator(id: &str, parallelism: u32, max_parallelism: u32, keyed: bool) -> Self {
        Self {
            id: id.to_owned(),
            parallelism,
            max_parallelism,
            kind: VertexKind::Operator { keyed },
            parallel: true,
            slot_group: 0,
        }
    }

    /// A source that reads this many partitions and reports its lag.
    pub fn source(id: &str, parallelism: u32, partitions: u32) -> Self {
        Self {
            kind: VertexKind::Source {
                partitions: Some(partitions),
                reports_lag: true,
            },
            ..Self::operator(id, parallelism, 32_768, false)
        }
    }

    /// Whether it reads from a log.
    pub fn is_source(&self) -> bool {
        matches!(self.kind, VertexKind::Source { .. })
    }

    /// Key groups or partitions that its input is spread over; `None` where it is spread evenly, record by record.
    pub fn groups(&self) -> Option<u32> {
        match self.kind {
            VertexKind::Source { partitions, .. } => partitions.filter(|it| *it > 0),
            VertexKind::Operator { keyed: true } => Some(self.max_parallelism.max(1)),
            VertexKind::Operator { keyed: false } => None,
        }
    }

    /// Share of the input that the fullest of so many tasks has when all keys and partitions are alike: groups are not divided.
    pub fn fair_share(&self, tasks: u32) -> f64 {
        let tasks = tasks.max(1);
        match self.groups() {
            Some(groups) => f64::from(groups.div_ceil(tasks)) / f64::from(groups),
            None => 1.0 / f64::from(tasks),
        }
    }
}

/// A graph by index: what the arithmetic works on.
#[derive(Clone, Debug)]
pub(crate) struct Shape {
    /// Vertices, each after all that feed it.
    pub order: Vec<usize>,
    pub inputs: Vec<Vec<usize>>,
    pub outputs: Vec<Vec<usize>>,
    /// Vertices with the same number are connected, whichever way records flow.
    pub component: Vec<usize>,
}

impl Graph {
    /// The parallelism that it runs with now.
    pub fn parallelism(&self) -> Parallelism {
        self.vertices
            .iter()
            .map(|it| (it.id.clone(), it.parallelism))
            .collect()
    }

    /// The same graph with another parallelism; vertices that are not named stay.
    pub fn with(&self, parallelism: &Parallelism) -> Self {
        let mut graph = self.clone();
        for vertex in &mut graph.vertices {
            if let Some(tasks) = parallelism.get(&vertex.id) {
                vertex.parallelism = *tasks;
            }
        }
        graph
    }

    /// Slots that it takes with this parallelism: of each slot-sharing group the widest vertex, summed.
    pub fn slots(&self, parallelism: &Parallelism) -> u64 {
        let mut widest: BTreeMap<u32, u64> = BTreeMap::new();
        for vertex in &self.vertices {
            let tasks = parallelism.get(&vertex.id).copied().unwrap_or(vertex.parallelism);
            let group = widest.entry(vertex.slot_group).or_default();
            *group = (*group).max(u64::from(tasks));
        }
        widest.values().sum()
    }

    /// Checks that it is a graph that can be scaled.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn check(&self) -> Result<(), GraphError> {
        self.shape().map(|_shape| ())
    }

    pub(crate) fn shape(&self) -> Result<Shape, GraphError> {
        let count = self.vertices.len();
        if count == 0 || count > VERTICES_MAX {
            return Err(GraphError::Size(count));
        }
        let mut index = BTreeMap::new();
        for (at, vertex) in self.vertices.iter().enumerate() {
            if index.insert(vertex.id.as_str(), at).is_some() {
                return Err(GraphError::Twice(vertex.id.clone()));
            }
        }
        let find = |id: &VertexId| {
            index
                .get(id.as_str())
                .copied()
                .ok_or_else(|| GraphError::Unknown(id.clone()))
        };
        let mut inputs = vec![Vec::new(); count];
        let mut outputs = vec![Vec::new(); count];
        let mut seen = BTreeSet::new();
        for edge in &self.edges {
            let (from, to) = (find(&edge.from)?, find(&edge.to)?);
            if seen.insert((from, to)) {
                inputs[to].push(from);
                outputs[from].push(to);
            }
        }
        for (at, vertex) in self.vertices.iter().enumerate() {
            match (vertex.is_source(), inputs[at].is_empty()) {
                (true, false) => return Err(GraphError::FedSource(vertex.id.clone())),
                (false, true) => return Err(GraphError::Unfed(vertex.id.clone())),
                _ => {}
            }
        }
        let order = sorted(&inputs, &outputs)?;
        let component = components(&order, &inputs, &outputs);
        Ok(Shape {
            order,
            inputs,
            outputs,
            component,
        })
    }
}

fn sorted(inputs: &[Vec<usize>], outputs: &[Vec<usize>]) -> Result<Vec<usize>, GraphError> {
    let mut open: Vec<usize> = inputs.iter().map(Vec::len).collect();
    let mut order: Vec<usize> = (0..inputs.len()).filter(|at| open[*at] == 0).collect();
    let mut next = 0;
    while let Some(at) = order.get(next).copied() {
        next += 1;
        for to in &outputs[at] {
            open[*to] -= 1;
            if open[*to] == 0 {
                order.push(*to);
            }
        }
    }
    if order.len() == inputs.len() {
        Ok(order)
    } else {
        Err(GraphError::Cycle)
    }
}

fn components(order: &[usize], inputs: &[Vec<usize>], outputs: &[Vec<usize>]) -> Vec<usize> {
    let mut component = vec![usize::MAX; inputs.len()];
    for start in order {
        let mut open = vec![*start];
        while let Some(at) = open.pop() {
            if component[at] == usize::MAX {
                component[at] = *start;
                open.extend(inputs[at].iter().chain(&outputs[at]));
            }
        }
    }
    component
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edge(from: &str, to: &str) -> Edge {
        Edge {
            from: from.to_owned(),
            to: to.to_owned(),
        }
    }

    fn graph(vertices: Vec<Vertex>, edges: Vec<Edge>) -> Graph {
        Graph { vertices, edges }
    }

    #[test]
    fn a_graph_is_sorted_and_split_into_components() {
        let it = graph(
            vec![
                Vertex::operator("sink", 1, 128, false),
                Vertex::source("a", 1, 8),
                Vertex::source("b", 1, 8),
                Vertex::operator("other", 1, 128, true),
            ],
            vec![edge("a", "sink"), edge("a", "sink"), edge("b", "other")],
        );
        let shape = it.shape().expect("sound");
        let place = |at: usize| shape.order.iter().position(|it| *it == at);
        assert!(place(1) < place(0) && place(2) < place(3));
        assert_eq!(shape.inputs[0], vec![1], "an edge counts once");
        assert_eq!(shape.component[0], shape.component[1]);
        assert_ne!(shape.component[1], shape.component[2]);
    }

    #[test]
    fn what_is_no_job_graph_is_refused() {
        let a = Vertex::source("a", 1, 8);
        let op = |id: &str| Vertex::operator(id, 1, 128, false);
        assert_eq!(graph(vec![], vec![]).check(), Err(GraphError::Size(0)));
        assert_eq!(
            graph(vec![a.clone(), a.clone()], vec![]).check(),
            Err(GraphError::Twice("a".into()))
        );
        assert_eq!(
            graph(vec![a.clone()], vec![edge("a", "x")]).check(),
            Err(GraphError::Unknown("x".into()))
        );
        assert_eq!(
            graph(vec![a.clone(), op("b")], vec![]).check(),
            Err(GraphError::Unfed("b".into()))
        );
        assert_eq!(
            graph(vec![a.clone(), op("b")], vec![edge("a", "b"), edge("b", "a")]).check(),
            Err(GraphError::FedSource("a".into()))
        );
        assert_eq!(
            graph(
                vec![a, op("b"), op("c")],
                vec![edge("a", "b"), edge("b", "c"), edge("c", "b")]
            )
            .check(),
            Err(GraphError::Cycle)
        );
    }

    #[test]
    fn slots_are_the_widest_vertex_of_each_group() {
        let mut it = graph(
            vec![
                Vertex::source("a", 2, 8),
                Vertex::operator("b", 5, 128, true),
                Vertex::operator("c", 3, 128, true),
            ],
            vec![edge("a", "b"), edge("b", "c")],
        );
        assert_eq!(it.slots(&it.parallelism()), 5);
        it.vertices[2].slot_group = 1;
        assert_eq!(it.slots(&it.parallelism()), 8);
        assert_eq!(it.slots(&Parallelism::from([("b".to_owned(), 9)])), 12);
    }
}
