//! A quota: how much service accounts may use of one cluster, kept by its gateways. Born by POST; when it is deleted the
//! next desired state does not name it any more.
//!
//! Every quota that matches a request applies, and the tightest wins; docs/quotas.md tells the rules.

mod api;
mod floors;
mod model;
mod routes;
mod service;
mod store;
mod usage;
mod validate;

pub use routes::router;
