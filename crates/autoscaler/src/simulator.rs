//! A model of a job, to try policies on: queues, service rates, skew, restarts and what they cost.
//!
//! Time goes in steps. A vertex works off its queue as fast as its busiest task lets it, and no faster than its readers make room. A change
//! of parallelism stops the job for its restart time and sends it back to its last checkpoint. Everything random comes from a seed.
//! It is a fluid model: it knows rates and queues, not records, and so says nothing of latency below a step.

mod competitors;
mod generated;
mod model;
mod noise;
mod run;
mod score;
mod service;
#[cfg(test)]
mod tests;
mod trace;
mod traces;

pub use competitors::{Ds2, FlinkRules, LagProportional, Ours};
pub use generated::{Convergence, Figures, converge, figures, generated};
pub use model::Job;
pub use noise::Noise;
pub use run::{Change, Controller, Run, Settings, run};
pub use score::{Row, Score, compare, suite, table};
pub use service::Service;
pub use trace::{Trace, TraceError};
pub use traces::{made_up_day, traces};
