//! How much parallelism a job needs, the pure part: history of metrics, policy, limits and memory of earlier decisions in; a decision out.
//!
//! Agents decide with it, the control plane replays recorded metrics with it, and tests, benchmarks and the command line run it against
//! a model of a job. Nothing here reads a file, a clock or the network; the same input gives the same decision.
//!
//! The model is that of DS2 (Kalavri et al., "Three steps is all you need", OSDI 2018) as the Flink autoscaler (FLIP-271) applies it: what a
//! vertex could do is measured by how busy it is, what it must do follows from the sources along the graph.

pub mod arbitration;
mod decide;
mod decision;
mod graph;
mod history;
mod limits;
mod load;
mod memory;
mod policy;
mod rates;
pub mod recording;
pub mod replay;
pub mod simulator;
mod sizing;
pub mod suspend;
#[cfg(test)]
mod tests;

pub use decide::{Input, decide};
pub use decision::{Decision, JobTerms, Outcome, Reason, ScalingState, VertexTerms};
pub use graph::{Edge, Graph, GraphError, Parallelism, VERTICES_MAX, Vertex, VertexId, VertexKind};
pub use history::{MemorySample, Sample, SubtaskSample, VertexSample};
pub use limits::Limits;
pub use memory::{Memory, RateAt, Recommendation, ScaleUp, VertexMemory};
pub use policy::{
    Alignment, BusyTimeAggregator, DURATION_MAX_MS, ExcludedPeriod, Mode, OwnFault, OwnPolicy, Policy,
    PolicyFault,
};
