//! Consumer groups of a cluster: read, their offsets reset, idle ones deleted. Nothing of them is stored here: every answer
//! is asked of the agent now, and what was done stands in the audit events of the cluster.

mod api;
mod ask;
mod model;
mod routes;
mod service;

pub(super) use ask::read;
pub use routes::router;
