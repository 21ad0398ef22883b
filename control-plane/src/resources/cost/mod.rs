//! What usage costs: usage and rate cards, rated when they are read. Nothing is stored, so nothing can be stale.

mod api;
pub mod rating;
mod report;
mod routes;
mod service;
mod shares;

pub use routes::router;
