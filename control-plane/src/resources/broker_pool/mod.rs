//! A broker pool: one physical Kafka cluster that an agent runs. Tenants' logical clusters live on it.

mod api;
mod attached;
mod model;
mod routes;
mod service;
mod store;

pub use attached::{AttachedKafka, AttachedMechanism, AttachedSasl, AttachedTls};
pub use model::{BrokerPool, BrokerPoolId, UsablePool};
pub use routes::router;
pub use store::{by_id, usable};
