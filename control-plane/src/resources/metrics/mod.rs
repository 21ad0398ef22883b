//! A tenant's numbers for its own Prometheus: what its clusters move, use, hold and wait for. Read when they are asked
//! for, from what agents reported; the number of series is bounded.

mod render;
mod routes;
mod store;

pub use routes::router;
