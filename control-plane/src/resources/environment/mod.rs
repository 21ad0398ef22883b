//! An environment: a stage of a tenant, such as `prod`; clusters live in it. Known only to the control plane.

mod api;
mod model;
mod routes;
mod service;
mod store;

pub use model::{Environment, EnvironmentId};
pub use routes::router;
pub use store::by_id;
