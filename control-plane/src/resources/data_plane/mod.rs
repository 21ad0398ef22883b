//! A data plane: one customer network with an enrolled agent. Belongs to a tenant, not to an environment.
//!
//! Its generation numbers the wish that its agent carries out: every change to something that the agent serves
//! bumps it. What the agent says of itself is written by link/ only.

mod api;
mod enrollment;
mod model;
mod routes;
mod service;
mod store;

pub use model::{DataPlane, DataPlaneId};
pub use routes::router;
pub use store::by_id;
