//! Adoption: what an attached Kafka holds comes under a cluster of Weir's, under its own names, without a copy; and goes
//! again, leaving all as it was. What is there is asked of the agent each time; what was adopted are topics.

mod api;
mod model;
mod routes;
mod service;

pub use routes::router;
