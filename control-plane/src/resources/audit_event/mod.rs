//! An audit event: the record of one change, who made it, and what it changed. Written with the change by the one
//! write wrapper; only read here, and never changed.

mod api;
mod routes;
mod store;

pub use routes::router;
