//! Lineage: who writes to which topic and who reads from it, which contracts govern it, where its dead letters go. Drawn when it is
//! asked for, from metadata alone; nothing of it is stored.

mod api;
mod graph;
mod groups;
mod model;
mod routes;
mod service;
mod store;

pub use routes::router;
