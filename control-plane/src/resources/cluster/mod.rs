//! A cluster: a tenant's own logical Kafka cluster on a broker pool, with its own address, topics, groups and keys.

mod api;
mod model;
mod routes;
mod service;
mod store;

pub use model::{Cluster, ClusterAccess, ClusterId};
pub use routes::router;
pub use store::{by_id, on_pool};
