//! A connection of a client to a cluster: nobody wishes it and nothing of it is kept. It is asked of the gateways, by
//! their agent, when somebody looks: enumerated words, ids and counts.

mod api;
mod ask;
mod routes;
mod store;

pub use routes::router;
