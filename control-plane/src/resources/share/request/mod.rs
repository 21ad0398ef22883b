//! A request for a data product: a tenant that found it asks, and whoever may share its topic answers: approved, it is a share. One row, which is
//! the owner's; the requester sees it.

mod api;
mod expire;
mod model;
mod routes;
mod sent;
mod service;
mod store;

pub use expire::look as expire;
pub use model::AccessRequestId;
pub use routes::router;
