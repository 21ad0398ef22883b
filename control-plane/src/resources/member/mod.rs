//! A member: a person of a tenant, of an organization above its tenants, or an operator of the installation.

mod api;
mod model;
mod routes;
mod service;
mod store;

pub use model::{Member, is_email, normalised};
pub use routes::router;
pub use service::bootstrap;
pub use store::{by_email, by_id, signed_in};
