//! A tenant: the isolation boundary, an external customer or a business unit of an organization.

mod api;
mod model;
mod routes;
mod service;
mod store;

pub use model::Tenant;
pub use routes::router;
pub use store::by_id;
