//! Machinery without domain: database with scopes, wake-ups, what is kept in memory, connected agents, leases, start and stop.

pub mod agents;
mod app;
mod db;
pub mod files;
mod kept;
mod lease;
pub mod migrate;
mod seal;
pub mod telemetry;
pub mod tries;
mod wake;

pub use app::{App, Settings};
pub use db::{Db, LookupKey, Scope, Tx};
pub use kept::{Kept, Memory, Right, SchemaKey};
pub use lease::Lease;
pub use seal::{Seal, SealError};
pub use wake::Wake;
