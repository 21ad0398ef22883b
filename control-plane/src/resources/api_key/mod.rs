//! An API key: a credential of a service account. With a cluster it opens that cluster, and its data plane learns of
//! it; without, it opens this API. The secret is shown once; only verifiers are kept. A key for a cluster may be opened by a
//! client certificate instead: of it, the hash of its public key is kept.

mod api;
mod certificate;
mod model;
mod routes;
mod sealed;
mod service;
mod store;
mod verifiers;

pub use model::ApiKey;
pub use routes::router;
pub use service::check_held;
pub use store::{by_id, keys_changed};
