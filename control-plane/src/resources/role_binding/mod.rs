//! A role binding: what a principal may do, as a role on the resources that a pattern covers. Nobody hands on more
//! than he holds.

mod api;
mod model;
mod routes;
mod service;
mod store;

pub use routes::router;
