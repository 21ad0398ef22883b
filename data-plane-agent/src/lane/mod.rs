//! The local lane: what gateways need goes out as numbered snapshots; acknowledgements and counters come in.

pub mod fake;
mod gateways;
mod publish;
mod server;
mod snapshot;

pub use gateways::Gateways;
pub use publish::Publisher;
pub use server::{LaneServer, serve};
pub use snapshot::build;
