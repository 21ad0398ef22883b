//! An event: something changed. Watchers follow them by position and read the object itself again.
//!
//! Positions are given after commit by one sequencer at a time, so a watcher that remembers the last one skips none.

mod routes;
pub mod sequencer;
mod store;

pub use routes::router;
