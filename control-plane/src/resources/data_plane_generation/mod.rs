//! The number of the wish of a data plane. Every change that its agent must learn of moves it, last in its transaction.

mod store;

pub use store::{bump_all, bump_generation, bump_sources};
