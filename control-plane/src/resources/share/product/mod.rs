//! A data product: a topic in the catalog of other tenants, and what they are shown of it. Neither ids nor names of what its owner has are.

mod api;
mod model;
mod routes;
mod service;
mod store;

pub use model::{DataProductId, Product};
pub use routes::router;
pub use store::{found_by_id, own_by_id, set_given};
