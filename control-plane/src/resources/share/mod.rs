//! A share: topics of one cluster, offered to another tenant, which takes them into a cluster of its own on the same broker pool, where they are
//! shown, read only: mounts. One row, seen from two sides: whoever gives it (`/v1/shares`) and whoever receives it (`/v1/received-shares`).
//!
//! What one side decides is written to the other under the other's scope, in the same transaction: neither knows the other's rows.

mod api;
pub mod bill;
mod defaults;
mod encryption;
pub mod expire;
mod invitation;
mod keys;
mod levels;
mod model;
mod mount;
mod party;
mod price;
mod product;
mod received;
mod request;
mod routes;
mod service;
mod store;
mod switch;
mod validate;
mod view;

pub use encryption::SharedEncryption;
pub use keys::SharedKeys;
pub use model::SharePrice;
pub use routes::router;
