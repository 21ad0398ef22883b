//! How jobs go, as their agents said last; written by link/job alone.

mod store;

pub use store::of;
