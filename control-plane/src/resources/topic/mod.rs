//! A topic: a named, partitioned log in one cluster. Born by POST, dies when an agent reports it gone.
//!
//! The service writes the spec; link/report writes what was observed, in a table of its own.

mod api;
mod config;
mod extent;
mod model;
mod routes;
mod service;
mod store;

pub use model::{Topic, TopicId};
pub use routes::router;
pub use store::by_id;
