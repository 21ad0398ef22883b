//! A cluster link copies topics of one cluster into another of the same tenant's, which may be on another data plane. Spec and copies are written
//! here; what runs is the agents' doing (link/cluster_link writes what they report).

mod api;
mod model;
mod routes;
mod service;
mod standing;
mod store;
mod topics;

pub use model::{ClusterLinkId, ClusterLinkStart, ClusterLinkState};
pub use routes::router;
