//! Machinery without domain: database with scopes, wake-ups, connected agents, leases, start and stop.

pub mod agents;
mod app;
mod db;
mod lease;
pub mod migrate;
pub mod telemetry;
mod wake;

pub use app::{App, Settings};
pub use db::{Db, LookupKey, Scope, Tx};
pub use lease::Lease;
pub use wake::Wake;
