//! A data plane grant: a place on a broker pool, offered by its owner to another tenant, which accepts it.
//!
//! The guest may then make clusters there, within the grant's limits. The owner sees the guest's id and the limits,
//! not the guest's objects. Revoking a grant stops new objects; those that exist go on until the guest deletes them.

mod api;
mod model;
mod routes;
mod service;
mod store;

pub use routes::router;
pub use store::{Wanted, check_room};
