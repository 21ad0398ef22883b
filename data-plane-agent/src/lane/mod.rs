//! The local lane: what gateways need goes out as numbered snapshots; acknowledgements and counters come in, parts of budgets are lent.

mod budgets;
pub mod fake;
mod gateways;
pub mod leases;
mod publish;
mod questions;
mod server;
mod snapshot;
mod upstreams;

pub use budgets::Budgets;
pub use gateways::Gateways;
pub use publish::Publisher;
pub use questions::Questions;
pub use server::{LaneServer, serve};
pub use snapshot::build;
