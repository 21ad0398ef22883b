//! Access tokens: short-lived, signed, given for an API key (RFC 6749 client credentials, RFC 9068), and the keys that sign them.
//!
//! A token opens what its key opens and dies with it. Gateways verify tokens by the public keys of their snapshot and ask nobody, so a
//! new key is told to every agent a day before it signs, and an old one stays until its last token has ended.

mod api;
pub mod keeper;
mod limit;
mod routes;
mod service;
mod store;
mod turn;

use std::time::Duration;

pub use keeper::keep;
pub use routes::router;
pub use service::audience;

/// No token lives longer.
pub const TOKEN_LIFETIME_MAX: Duration = Duration::from_secs(3600);
