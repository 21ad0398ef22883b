//! A compute pool: how much of a data plane's processors and memory a tenant's jobs may use together. It serves one tenant.

mod api;
mod budget;
pub mod evaluate;
mod model;
mod routes;
mod service;
mod store;

pub use budget::ends_at;
pub use model::{ComputePool, ComputePoolId};
pub use routes::router;
pub use store::by_id;
