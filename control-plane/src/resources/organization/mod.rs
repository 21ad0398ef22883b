//! An organization: owns tenants, and reads what they use and cost. A company without parts has one with one tenant.

mod api;
mod model;
mod routes;
mod service;
mod store;

pub use model::Organization;
pub use routes::router;
pub use store::by_id;
