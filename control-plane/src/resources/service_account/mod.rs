//! A service account: the principal of programs of a tenant. Its keys prove who they are, its bindings say what they may do.

mod api;
mod model;
mod routes;
mod service;
mod store;

pub use model::ServiceAccount;
pub use routes::router;
pub use store::by_id;
