//! An alert rule: a threshold of the tenant's own on what one of its clusters waits for or holds, evaluated here on what
//! agents reported. Its state changes are events.

mod api;
pub mod evaluate;
mod model;
mod routes;
mod service;
mod state;
mod store;

pub use routes::router;
